//! X-ray radiofluoroscopic images (DICOM PS3.3 A.16).

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use neurotome_procedure::fluoroscopy::CArm;
use sha2::{Digest, Sha256};

use super::{PictureError, check};

const RADIOFLUOROSCOPIC: &str = "1.2.840.10008.5.1.4.1.1.12.2";
const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// What the file tells of the exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposed {
    /// Tube voltage, kV.
    pub kv: f64,
    /// Charge of a pulse, mAs.
    pub charge_mas: f64,
    /// Pulses a second.
    pub pulses_per_s: f64,
    /// Dose–area product of all frames, Gy cm².
    pub dose_area_gy_cm2: f64,
    /// The pixels hold −ln of the signal, else the signal.
    pub logarithmic: bool,
}

/// A DICOM file of one or more frames of 16-bit pixels, rows from above, with the C-arm's angles. Names, dates and identifiers are empty;
/// UIDs come from the content, so that the same pictures give the same bytes.
///
/// # Errors
/// [`PictureError`].
pub fn dicom_radiofluoroscopic(
    columns: usize,
    rows: usize,
    frames: &[Vec<u16>],
    arm: &CArm,
    exposed: &Exposed,
) -> Result<Vec<u8>, PictureError> {
    for frame in frames {
        check(columns, rows, frame.len())?;
    }
    if frames.is_empty() || columns > usize::from(u16::MAX) || rows > usize::from(u16::MAX) {
        return Err(PictureError::Size {
            columns,
            rows,
            found: 0,
        });
    }
    let pixels: Vec<u16> = frames.concat();
    let mut hash = Sha256::new();
    hash.update(format!("{columns} {rows} {arm:?} {exposed:?}"));
    for v in &pixels {
        hash.update(v.to_le_bytes());
    }
    let digest = hash.finalize();
    let uid = |part: u8| {
        // UUID-derived UIDs (PS3.5 B.2): a decimal number below 2¹²⁸ under 2.25.
        let mut number = u128::from(part);
        for byte in digest.iter().take(15) {
            number = number << 8 | u128::from(*byte);
        }
        format!("2.25.{number}")
    };
    let mut object = InMemDicomObject::new_empty();
    let mut text = |tag: Tag, vr: VR, value: String| {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
    };
    let number = |v: f64| {
        // At most 16 characters, as decimal strings must be.
        let full = format!("{v}");
        if full.len() <= 16 { full } else { format!("{v:.8e}") }
    };
    let pair = |a: f64, b: f64| format!("{}\\{}", number(a), number(b));
    text(tags::SOP_CLASS_UID, VR::UI, RADIOFLUOROSCOPIC.to_owned());
    text(tags::SOP_INSTANCE_UID, VR::UI, uid(1));
    text(tags::SERIES_INSTANCE_UID, VR::UI, uid(2));
    text(tags::STUDY_INSTANCE_UID, VR::UI, uid(3));
    for (tag, vr) in [
        (tags::PATIENT_NAME, VR::PN),
        (tags::PATIENT_ID, VR::LO),
        (tags::PATIENT_BIRTH_DATE, VR::DA),
        (tags::PATIENT_SEX, VR::CS),
        (tags::STUDY_DATE, VR::DA),
        (tags::STUDY_TIME, VR::TM),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
        (tags::STUDY_ID, VR::SH),
        (tags::ACCESSION_NUMBER, VR::SH),
        (tags::PATIENT_ORIENTATION, VR::CS),
    ] {
        text(tag, vr, String::new());
    }
    text(tags::MANUFACTURER, VR::LO, "Neurotome (simulated)".to_owned());
    text(tags::MODALITY, VR::CS, "RF".to_owned());
    text(tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY\\SINGLE PLANE".to_owned());
    text(
        tags::IMAGE_COMMENTS,
        VR::LT,
        "Simulated; research and teaching software, not a medical device".to_owned(),
    );
    text(tags::SERIES_NUMBER, VR::IS, "1".to_owned());
    text(tags::INSTANCE_NUMBER, VR::IS, "1".to_owned());
    text(tags::RADIATION_SETTING, VR::CS, "SC".to_owned());
    text(tags::KVP, VR::DS, number(exposed.kv));
    text(
        tags::EXPOSURE_INU_AS,
        VR::IS,
        format!("{:.0}", 1e3 * exposed.charge_mas * frames.len() as f64),
    );
    text(
        tags::IMAGE_AND_FLUOROSCOPY_AREA_DOSE_PRODUCT,
        VR::DS,
        // dGy cm² in DICOM.
        number(10.0 * exposed.dose_area_gy_cm2),
    );
    text(
        tags::DISTANCE_SOURCE_TO_DETECTOR,
        VR::DS,
        number(arm.source_detector_mm),
    );
    text(
        tags::DISTANCE_SOURCE_TO_PATIENT,
        VR::DS,
        number(arm.source_isocentre_mm),
    );
    text(
        tags::ESTIMATED_RADIOGRAPHIC_MAGNIFICATION_FACTOR,
        VR::DS,
        number(arm.magnification()),
    );
    let primary = 180.0 - arm.orbital_deg;
    let primary = if primary > 180.0 { primary - 360.0 } else { primary };
    text(tags::POSITIONER_PRIMARY_ANGLE, VR::DS, number(primary));
    text(tags::POSITIONER_SECONDARY_ANGLE, VR::DS, number(arm.cranio_caudal_deg));
    let [width, height] = arm.pixel_mm();
    text(tags::IMAGER_PIXEL_SPACING, VR::DS, pair(height, width));
    if frames.len() > 1 {
        text(tags::NUMBER_OF_FRAMES, VR::IS, frames.len().to_string());
        text(tags::FRAME_TIME, VR::DS, number(1e3 / exposed.pulses_per_s));
    }
    text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2".to_owned());
    let relationship = if exposed.logarithmic { "LOG" } else { "LIN" };
    text(tags::PIXEL_INTENSITY_RELATIONSHIP, VR::CS, relationship.to_owned());
    let mut count = |tag: Tag, value: u16| {
        object.put(DataElement::new(tag, VR::US, dicom_value!(U16, value)));
    };
    count(tags::SAMPLES_PER_PIXEL, 1);
    count(tags::ROWS, rows as u16);
    count(tags::COLUMNS, columns as u16);
    count(tags::BITS_ALLOCATED, 16);
    count(tags::BITS_STORED, 16);
    count(tags::HIGH_BIT, 15);
    count(tags::PIXEL_REPRESENTATION, 0);
    if frames.len() > 1 {
        // Frame increment pointer: the frame time.
        object.put(DataElement::new(
            tags::FRAME_INCREMENT_POINTER,
            VR::AT,
            PrimitiveValue::Tags([tags::FRAME_TIME].into_iter().collect()),
        ));
    }
    object.put(DataElement::new(
        tags::PIXEL_DATA,
        VR::OW,
        PrimitiveValue::U16(pixels.into_iter().collect()),
    ));
    let failed = |reason: String| PictureError::Encode {
        format: "DICOM",
        reason,
    };
    let file = object
        .with_meta(
            FileMetaTableBuilder::new()
                .transfer_syntax(EXPLICIT_LITTLE_ENDIAN)
                .media_storage_sop_class_uid(RADIOFLUOROSCOPIC)
                .media_storage_sop_instance_uid(uid(1)),
        )
        .map_err(|e| failed(e.to_string()))?;
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).map_err(|e| failed(e.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cine_is_read_back_and_names_nobody() {
        let frames = vec![vec![0u16, 1, 2, 3, 4, 65535], vec![9u16; 6]];
        let arm = CArm {
            orbital_deg: -30.0,
            cranio_caudal_deg: 12.5,
            ..CArm::default()
        };
        let exposed = Exposed {
            kv: 75.0,
            charge_mas: 0.05,
            pulses_per_s: 8.0,
            dose_area_gy_cm2: 0.0123,
            logarithmic: true,
        };
        let bytes = dicom_radiofluoroscopic(3, 2, &frames, &arm, &exposed).unwrap();
        assert_eq!(bytes, dicom_radiofluoroscopic(3, 2, &frames, &arm, &exposed).unwrap());
        let object = dicom_object::from_reader(std::io::Cursor::new(&bytes)).unwrap();
        let number = |tag: Tag| object.element(tag).unwrap().to_float64().unwrap();
        // The detector over the back and 30° to the patient's right: 210°, written as −150.
        assert_eq!(number(tags::POSITIONER_PRIMARY_ANGLE), -150.0);
        assert_eq!(number(tags::POSITIONER_SECONDARY_ANGLE), 12.5);
        assert_eq!(number(tags::NUMBER_OF_FRAMES), 2.0);
        let pixels = object.element(tags::PIXEL_DATA).unwrap().to_multi_int::<u16>().unwrap();
        assert_eq!(pixels, frames.concat());
        assert_eq!(object.element(tags::PATIENT_NAME).unwrap().to_str().unwrap(), "");
        assert!(dicom_radiofluoroscopic(3, 2, &[], &arm, &exposed).is_err());
    }
}
