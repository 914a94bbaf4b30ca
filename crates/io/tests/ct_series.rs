//! CT series made here slice by slice: what a good one gives, and one clear error for every kind of bad one.

use std::{fs, io::Write, path::Path};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use neurotome_base::{PatientBox, Point};
use neurotome_io::dicom::{
    CtError, CtImage, CtOptions, DicomError, FileProblem, read_ct, read_ct_series, read_ct_series_with,
    read_ct_series_zip_bytes, read_ct_with, read_dicom_slice_bytes,
};

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const COLUMNS: u16 = 4;
const ROWS: u16 = 3;

/// A slice of 4 × 3 pixels, spacing 0.5 (between rows) × 0.75 mm, at height `z`; stored value 100 k + 10 row + column.
fn slice(k: usize, z: f64) -> InMemDicomObject {
    let pixels: Vec<u16> = (0..ROWS * COLUMNS)
        .map(|i| 100 * k as u16 + 10 * (i / COLUMNS) + i % COLUMNS)
        .collect();
    let mut s = InMemDicomObject::new_empty();
    let mut text = |tag, vr, value: &str| {
        s.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
    };
    text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL");
    text(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2");
    text(tags::SOP_INSTANCE_UID, VR::UI, &format!("2.25.500{k}"));
    text(tags::MODALITY, VR::CS, "CT");
    text(tags::SLICE_THICKNESS, VR::DS, "2.5");
    text(tags::KVP, VR::DS, "120");
    text(tags::SERIES_INSTANCE_UID, VR::UI, "2.25.7");
    text(tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("-10\\-20\\{z}"));
    text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0");
    text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    text(tags::PIXEL_SPACING, VR::DS, "0.5\\0.75");
    text(tags::RESCALE_SLOPE, VR::DS, "2");
    text(tags::RESCALE_INTERCEPT, VR::DS, "-1024");
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, ROWS),
        (tags::COLUMNS, COLUMNS),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 12),
        (tags::HIGH_BIT, 11),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        number(&mut s, tag, value);
    }
    s.put(DataElement::new(
        tags::PIXEL_DATA,
        VR::OW,
        PrimitiveValue::U16(pixels.into()),
    ));
    s
}

fn number(s: &mut InMemDicomObject, tag: Tag, value: u16) {
    s.put(DataElement::new(tag, VR::US, dicom_value!(U16, value)));
}

fn text(s: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    s.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
}

fn file_in(slice: InMemDicomObject, syntax: &str) -> Vec<u8> {
    let object = slice
        .with_meta(
            FileMetaTableBuilder::new()
                .transfer_syntax(syntax)
                .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.2"),
        )
        .unwrap();
    let mut bytes = Vec::new();
    object.write_all(&mut bytes).unwrap();
    bytes
}

fn file(slice: InMemDicomObject) -> Vec<u8> {
    file_in(slice, EXPLICIT)
}

/// Six good slices at 2 mm, named so that the order of names is not the order of heights.
fn good_series() -> Vec<InMemDicomObject> {
    [3, 1, 5, 0, 2, 4].map(|k| slice(k, 100.0 + 2.0 * k as f64)).into()
}

fn zip_of(files: &[Vec<u8>]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (i, bytes) in files.iter().enumerate() {
        zip.start_file(format!("series/{i:04}.dcm"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read(slices: Vec<InMemDicomObject>) -> Result<CtImage, DicomError> {
    let files: Vec<Vec<u8>> = slices.into_iter().map(file).collect();
    read_ct_series_zip_bytes(&zip_of(&files), &CtOptions::default())
}

/// The error of the good series after a change to its slices.
fn error_after(change: impl FnOnce(&mut Vec<InMemDicomObject>)) -> DicomError {
    let mut slices = good_series();
    change(&mut slices);
    let error = read(slices).expect_err("the series is bad");
    let text = error.to_string();
    assert!(text.contains("expected") && text.contains(';'), "{text}");
    error
}

/// The problem of the first file after a change to that slice.
fn problem_after(change: impl FnOnce(&mut InMemDicomObject)) -> FileProblem {
    match error_after(|s| change(&mut s[0])) {
        DicomError::File {
            ordinal: 1,
            files: 6,
            problem,
        } => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn a_good_series_lies_where_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    fs::create_dir_all(&inner).unwrap();
    for (i, s) in good_series().into_iter().enumerate() {
        let place = if i % 2 == 0 { folder.path() } else { &inner };
        fs::write(place.join(format!("IM{i}")), file(s)).unwrap();
    }
    fs::write(inner.join("README.txt"), "not an image").unwrap();
    let image = read_ct(folder.path()).unwrap();
    assert_eq!(image.hu.dims(), [4, 3, 6]);
    assert_eq!(image.kvp, Some(120.0));
    assert_eq!(image.slice_thickness_mm, Some(2.5));
    assert_eq!(image.notes, ["1 file(s) that are not DICOM left out"]);
    for k in 0..6 {
        for j in 0..3 {
            for i in 0..4 {
                let p = Point::new(-10.0 + 0.75 * i as f64, -20.0 + 0.5 * j as f64, 100.0 + 2.0 * k as f64);
                let hu = (100 * k + 10 * j + i) as f32 * 2.0 - 1024.0;
                assert_eq!(image.hu.get(i, j, k), Some(hu));
                assert_eq!(image.hu.nearest(&p), Some(hu));
            }
        }
    }
    // The zip gives the same.
    let files: Vec<_> = good_series().into_iter().map(file).collect();
    let path = folder.path().join("series.bin");
    fs::write(&path, zip_of(&files)).unwrap();
    assert_eq!(read_ct(&path).unwrap().hu, image.hu);
}

#[test]
fn a_crop_is_part_of_the_whole() {
    let part = PatientBox {
        low: Point::new(-9.6, -19.6, 103.0),
        high: Point::new(-8.8, -19.4, 106.5),
    };
    let files: Vec<_> = good_series().into_iter().map(file).collect();
    let options = CtOptions {
        crop: Some(part),
        ..CtOptions::default()
    };
    let cropped = read_ct_series_zip_bytes(&zip_of(&files), &options).unwrap().hu;
    assert_eq!(cropped.dims(), [3, 3, 4]);
    assert_eq!(cropped, read(good_series()).unwrap().hu.crop(&part).unwrap());
    let far = CtOptions {
        crop: Some(PatientBox::around(&Point::new(500.0, 0.0, 0.0), 10.0)),
        ..CtOptions::default()
    };
    assert!(matches!(
        read_ct_series_zip_bytes(&zip_of(&files), &far),
        Err(DicomError::Volume(_))
    ));
}

#[test]
fn every_transfer_syntax_gives_the_same_values() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dicom_samples");
    for name in ["implicit", "explicit", "big_endian", "deflated", "rle", "jpeg_lossless"] {
        let bytes = fs::read(folder.join(format!("{name}.dcm"))).unwrap();
        let slice = read_dicom_slice_bytes(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((slice.rows, slice.columns), (10, 12));
        for (at, hu) in slice.hu.iter().enumerate() {
            let (r, c) = ((at / 12) as f32, (at % 12) as f32);
            assert_eq!(
                *hu,
                37.0 * c - 251.0 * r + 500.0 - 24.0,
                "{name} at row {r}, column {c}"
            );
        }
    }
    let bytes = fs::read(folder.join("jpeg_baseline.dcm")).unwrap();
    let slice = read_dicom_slice_bytes(&bytes).unwrap();
    for (at, hu) in slice.hu.iter().enumerate() {
        let (r, c) = ((at / 12) as f32, (at % 12) as f32);
        // Lossy: a few grey values of 2 HU.
        assert!(
            (hu - (20.0 * c + 10.0 * r - 100.0)).abs() <= 12.0,
            "{hu} at row {r}, column {c}"
        );
    }
    for (name, word) in [("jpeg_ls", "JPEG-LS"), ("jpeg_2000", "JPEG 2000")] {
        let bytes = fs::read(folder.join(format!("{name}.dcm"))).unwrap();
        let error = read_dicom_slice_bytes(&bytes).unwrap_err();
        assert!(matches!(error, FileProblem::TransferSyntax { .. }));
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn signed_values_and_unused_bits() {
    let mut s = slice(0, 0.0);
    number(&mut s, tags::PIXEL_REPRESENTATION, 1);
    // Twelve bits stored; the four above hold old overlays. 0xF800 and 0x0800 are both -2048, 0x37FF is 2047.
    let mut words = vec![0u16; 12];
    words[..5].copy_from_slice(&[0xF800, 0x0800, 0x37FF, 0xFFFF, 5]);
    s.put(DataElement::new(
        tags::PIXEL_DATA,
        VR::OW,
        PrimitiveValue::U16(words.into()),
    ));
    text(&mut s, tags::RESCALE_SLOPE, VR::DS, "1");
    text(&mut s, tags::RESCALE_INTERCEPT, VR::DS, "0");
    let hu = read_dicom_slice_bytes(&file(s)).unwrap().hu;
    assert_eq!(hu[..5], [-2048.0, -2048.0, 2047.0, -1.0, 5.0]);
}

#[test]
fn padding_becomes_air() {
    let mut slices = good_series();
    for s in &mut slices {
        number(s, tags::PIXEL_PADDING_VALUE, 511);
    }
    let image = read(slices).unwrap();
    assert_eq!(image.hu.get(3, 1, 4), Some(413.0 * 2.0 - 1024.0));
    assert_eq!(image.hu.get(1, 1, 5), Some(-1024.0));
    assert!(image.notes.iter().any(|n| n.contains("padding")), "{:?}", image.notes);

    // Signed padding, as scanners write it.
    let mut s = slice(0, 0.0);
    number(&mut s, tags::PIXEL_REPRESENTATION, 1);
    number(&mut s, tags::BITS_STORED, 16);
    number(&mut s, tags::HIGH_BIT, 15);
    s.put(DataElement::new(
        tags::PIXEL_PADDING_VALUE,
        VR::SS,
        dicom_value!(I16, -2000),
    ));
    let mut words = vec![0u16; 12];
    words[7] = -2000i16 as u16;
    s.put(DataElement::new(
        tags::PIXEL_DATA,
        VR::OW,
        PrimitiveValue::U16(words.into()),
    ));
    text(&mut s, tags::RESCALE_INTERCEPT, VR::DS, "0");
    let hu = read_dicom_slice_bytes(&file(s)).unwrap().hu;
    assert_eq!((hu[6], hu[7]), (0.0, -1024.0));
}

#[test]
fn oblique_and_flipped_orientations() {
    // Rows run to the right (−x), columns to the head: a coronal stack that grows to the back.
    let mut slices = Vec::new();
    for k in 0..3 {
        let mut s = slice(k, 0.0);
        text(&mut s, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "-1\\0\\0\\0\\0\\1");
        text(
            &mut s,
            tags::IMAGE_POSITION_PATIENT,
            VR::DS,
            &format!("30\\{}\\40", 5.0 - k as f64),
        );
        slices.push(s);
    }
    let image = read(slices).unwrap();
    for (k, j, i) in [(0usize, 0usize, 0usize), (2, 1, 3), (1, 2, 1)] {
        let p = Point::new(30.0 - 0.75 * i as f64, 5.0 - k as f64, 40.0 + 0.5 * j as f64);
        assert_eq!(image.hu.nearest(&p), Some((100 * k + 10 * j + i) as f32 * 2.0 - 1024.0));
    }
}

#[test]
fn identifiers_stay_outside() {
    const SECRETS: [&str; 9] = [
        "Mustermann",
        "4711-ID",
        "19530417",
        "Klinikum",
        "Dr-Secret",
        "Beispielweg",
        "Hidden",
        "Descr",
        "Comm",
    ];
    let reveal = |text: &str| SECRETS.iter().find(|s| text.contains(**s)).copied();
    let tell = |s: &mut InMemDicomObject| {
        for (tag, vr, value) in [
            (tags::PATIENT_NAME, VR::PN, "Mustermann^Erika"),
            (tags::PATIENT_ID, VR::LO, "4711-ID"),
            (tags::PATIENT_BIRTH_DATE, VR::DA, "19530417"),
            (tags::INSTITUTION_NAME, VR::LO, "Klinikum"),
            (tags::REFERRING_PHYSICIAN_NAME, VR::PN, "Dr-Secret"),
            (tags::PATIENT_ADDRESS, VR::LO, "Beispielweg 1"),
            (tags::SERIES_DESCRIPTION, VR::LO, "Descr Mustermann"),
            (tags::IMAGE_COMMENTS, VR::LT, "Comm Mustermann"),
            (Tag(0x0009, 0x0010), VR::LO, "Hidden"),
        ] {
            text(s, tag, vr, value);
        }
    };
    let mut slices = good_series();
    slices.iter_mut().for_each(tell);
    let image = read(slices.clone()).unwrap();
    assert_eq!(reveal(&format!("{image:?}")), None);

    // Also where text stands in place of numbers, and in every error on the way.
    for (tag, vr) in [
        (tags::MODALITY, VR::LO),
        (tags::SERIES_INSTANCE_UID, VR::UI),
        (tags::PIXEL_SPACING, VR::LO),
        (tags::IMAGE_POSITION_PATIENT, VR::LO),
        (tags::RESCALE_SLOPE, VR::LO),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::LO),
        (tags::ROWS, VR::LO),
        (tags::SOP_CLASS_UID, VR::UI),
    ] {
        let mut bad = slices.clone();
        text(&mut bad[0], tag, vr, "Mustermann");
        if let Err(error) = read(bad) {
            assert_eq!(reveal(&format!("{error} {error:?}")), None);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let bytes = file(slices[0].clone());
    fs::write(folder.path().join("Mustermann_Erika.dcm"), &bytes[..bytes.len() - 8]).unwrap();
    let error = read_ct_series(folder.path()).unwrap_err();
    assert_eq!(reveal(&format!("{error} {error:?}")), None);
}

#[test]
fn nothing_to_read() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        read_ct_series(&folder.path().join("none")),
        Err(DicomError::Io { .. })
    ));
    assert!(matches!(
        read_ct_series(folder.path()),
        Err(DicomError::NoImages { files: 0 })
    ));
    fs::write(folder.path().join("a.txt"), "text").unwrap();
    assert!(matches!(
        read_ct_series(folder.path()),
        Err(DicomError::NoImages { files: 1 })
    ));
    let single = folder.path().join("one.dcm");
    fs::write(&single, file(slice(0, 0.0))).unwrap();
    assert!(matches!(
        read_ct(&single),
        Err(CtError::Dicom(DicomError::NotASeries { .. }))
    ));
    assert!(matches!(
        read_ct_series(&folder.path().join("a.txt")),
        Err(DicomError::NotASeries { .. })
    ));
    assert!(matches!(read_ct(&folder.path().join("a.txt")), Err(CtError::Nifti(_))));
}

#[test]
fn several_series_are_never_chosen_among_silently() {
    let mut slices = good_series();
    for k in 0..5 {
        let mut other = slice(k, 100.0 + 3.0 * k as f64);
        text(&mut other, tags::SERIES_INSTANCE_UID, VR::UI, "2.25.8");
        slices.push(other);
    }
    let files: Vec<_> = slices.into_iter().map(file).collect();
    let zip = zip_of(&files);
    let error = read_ct_series_zip_bytes(&zip, &CtOptions::default()).unwrap_err();
    let DicomError::SeveralSeries { found } = &error else {
        panic!("{error}")
    };
    assert_eq!(found.iter().map(|s| s.images).collect::<Vec<_>>(), [6, 5]);
    assert!(error.to_string().contains("2.25.8 (CT, 5 images)"), "{error}");
    let with = |uid: &str| CtOptions {
        series: Some(uid.to_owned()),
        ..CtOptions::default()
    };
    assert_eq!(read_ct_series_zip_bytes(&zip, &with("2.25.8")).unwrap().hu.dims()[2], 5);
    assert!(matches!(
        read_ct_series_zip_bytes(&zip, &with("2.25.9")),
        Err(DicomError::NoSuchSeries { .. })
    ));
}

#[test]
fn localizers_and_other_modalities_are_left_out_and_told() {
    let mut slices = good_series();
    for k in 0..2 {
        let mut scout = slice(k, 500.0);
        text(&mut scout, tags::SERIES_INSTANCE_UID, VR::UI, "2.25.9");
        text(&mut scout, tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\LOCALIZER");
        slices.push(scout);
    }
    let mut few = slice(0, 900.0);
    text(&mut few, tags::SERIES_INSTANCE_UID, VR::UI, "2.25.10");
    slices.push(few);
    let mut dose = slice(0, 0.0);
    text(&mut dose, tags::SERIES_INSTANCE_UID, VR::UI, "2.25.11");
    text(&mut dose, tags::MODALITY, VR::CS, "OT");
    slices.push(dose);
    let mut report = slice(0, 0.0);
    text(&mut report, tags::MODALITY, VR::CS, "SR");
    report.remove_element(tags::PIXEL_DATA);
    slices.push(report);
    let image = read(slices).unwrap();
    assert_eq!(image.hu.dims(), [4, 3, 6]);
    for word in [
        "2 localizer",
        "modality OT",
        "1 image(s), taken for a localizer",
        "without an image",
    ] {
        assert!(
            image.notes.iter().any(|n| n.contains(word)),
            "{word}: {:?}",
            image.notes
        );
    }
}

#[test]
fn not_ct() {
    let error = error_after(|slices| {
        for s in slices {
            text(s, tags::MODALITY, VR::CS, "MR");
        }
    });
    assert!(matches!(error, DicomError::NotCt { .. }));
    assert!(error.to_string().contains("MR, 6 images"), "{error}");
}

#[test]
fn gaps_copies_and_uneven_steps() {
    let DicomError::MissingSlice {
        missing,
        position_mm,
        step_mm,
        ..
    } = error_after(|s| {
        s.remove(4);
    })
    else {
        panic!("wrong error")
    };
    assert_eq!((missing, position_mm, step_mm), (1, 102.0, 4.0));
    assert!(matches!(
        error_after(|s| s.push(slice(2, 104.0))),
        DicomError::DuplicateSlice { count: 1, position_mm } if position_mm == 104.0
    ));
    assert!(matches!(
        error_after(|s| s[2] = slice(5, 110.5)),
        DicomError::UnevenSpacing { .. }
    ));
    assert!(matches!(
        error_after(|s| s.truncate(1)),
        DicomError::TooFewSlices { found: 1 }
    ));
    // Rounded positions are no fault.
    let mut slices = good_series();
    slices[2] = slice(5, 110.009);
    assert!(read(slices).is_ok());
}

#[test]
fn tilted_and_broken_orientations() {
    let error = error_after(|slices| {
        for (s, k) in slices.iter_mut().zip([3.0, 1.0, 5.0, 0.0, 2.0, 4.0]) {
            text(s, tags::GANTRY_DETECTOR_TILT, VR::DS, "15");
            text(
                s,
                tags::IMAGE_POSITION_PATIENT,
                VR::DS,
                &format!("-10\\{}\\{}", -20.0 + 0.5 * k, 100.0 + 2.0 * k),
            );
        }
    });
    assert!(
        matches!(error, DicomError::Sheared { tilt_deg: Some(_), .. }),
        "{error}"
    );
    assert!(error.to_string().contains("gantry tilt 15.0°"), "{error}");
    for cosines in ["1\\0\\0\\0.5\\0.8\\0", "2\\0\\0\\0\\1\\0", "0\\0\\0\\0\\0\\0"] {
        let error = error_after(|slices| {
            for s in slices {
                text(s, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, cosines);
            }
        });
        assert!(matches!(error, DicomError::Orientation { .. }), "{error}");
    }
}

#[test]
fn slices_that_differ() {
    for (tag, value) in [
        (tags::PIXEL_SPACING, "0.5\\0.8"),
        (tags::IMAGE_ORIENTATION_PATIENT, "0\\1\\0\\-1\\0\\0"),
    ] {
        let error = error_after(|s| text(&mut s[3], tag, VR::DS, value));
        assert!(matches!(error, DicomError::Differing { ordinal: 4, .. }), "{error}");
    }
    let error = error_after(|s| {
        number(&mut s[3], tags::ROWS, 2);
        number(&mut s[3], tags::COLUMNS, 6);
    });
    assert!(matches!(error, DicomError::Differing { ordinal: 4, .. }), "{error}");
}

#[test]
fn missing_and_impossible_attributes() {
    for (tag, name) in [
        (tags::RESCALE_SLOPE, "RescaleSlope"),
        (tags::RESCALE_INTERCEPT, "RescaleIntercept"),
        (tags::PIXEL_SPACING, "PixelSpacing"),
        (tags::IMAGE_POSITION_PATIENT, "ImagePositionPatient"),
        (tags::IMAGE_ORIENTATION_PATIENT, "ImageOrientationPatient"),
        (tags::ROWS, "Rows"),
        (tags::BITS_STORED, "BitsStored"),
        (tags::PIXEL_REPRESENTATION, "PixelRepresentation"),
        (tags::SERIES_INSTANCE_UID, "SeriesInstanceUID"),
    ] {
        let problem = problem_after(|s| {
            s.remove_element(tag);
        });
        assert_eq!(problem, FileProblem::Missing { attribute: name });
    }
    for (tag, value) in [
        (tags::RESCALE_SLOPE, "NaN"),
        (tags::RESCALE_SLOPE, "0"),
        (tags::PIXEL_SPACING, "0.5"),
        (tags::PIXEL_SPACING, "-0.5\\1"),
        (tags::IMAGE_POSITION_PATIENT, "0\\0\\inf"),
        (tags::IMAGE_POSITION_PATIENT, "a\\b\\c"),
    ] {
        let problem = problem_after(|s| text(s, tag, VR::DS, value));
        assert!(
            matches!(problem, FileProblem::Malformed { .. } | FileProblem::Value { .. }),
            "{value}: {problem}"
        );
    }
    for (tag, value) in [
        (tags::ROWS, 0),
        (tags::COLUMNS, 60_000),
        (tags::BITS_ALLOCATED, 32),
        (tags::BITS_ALLOCATED, 12),
        (tags::BITS_STORED, 17),
        (tags::HIGH_BIT, 3),
        (tags::PIXEL_REPRESENTATION, 2),
    ] {
        let problem = problem_after(|s| number(s, tag, value));
        assert!(matches!(problem, FileProblem::Value { .. }), "{value}: {problem}");
    }
}

#[test]
fn frames_colours_and_syntaxes_that_are_not_read() {
    assert_eq!(
        problem_after(|s| text(s, tags::NUMBER_OF_FRAMES, VR::IS, "2")),
        FileProblem::MultiFrame
    );
    assert_eq!(
        problem_after(|s| text(s, tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2.1")),
        FileProblem::MultiFrame
    );
    assert_eq!(
        problem_after(|s| text(s, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB")),
        FileProblem::NotGrey
    );
    assert_eq!(
        problem_after(|s| number(s, tags::SAMPLES_PER_PIXEL, 3)),
        FileProblem::NotGrey
    );
    let bytes = file(slice(0, 0.0));
    let at = bytes
        .windows(EXPLICIT.len())
        .position(|w| w == EXPLICIT.as_bytes())
        .unwrap();
    let mut unknown = bytes.clone();
    unknown[at..at + EXPLICIT.len()].copy_from_slice(b"1.2.840.10008.1.9.9");
    let error = read_dicom_slice_bytes(&unknown).unwrap_err();
    assert!(error.to_string().contains("1.2.840.10008.1.9.9"), "{error}");
}

#[test]
fn truncated_slices() {
    let bytes = file(slice(0, 0.0));
    assert!(matches!(
        read_dicom_slice_bytes(&bytes[..bytes.len() - 6]),
        Err(FileProblem::ShortPixels {
            found: 18,
            expected: 24
        })
    ));
    let mut short = slice(0, 0.0);
    short.put(DataElement::new(
        tags::PIXEL_DATA,
        VR::OW,
        PrimitiveValue::U16(vec![0; 7].into()),
    ));
    assert!(matches!(
        read_dicom_slice_bytes(&file(short)),
        Err(FileProblem::ShortPixels {
            found: 14,
            expected: 24
        })
    ));
    for cut in 0..bytes.len() - 24 {
        assert!(read_dicom_slice_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_length_cannot_ask_for_more_than_the_file_holds() {
    let mut s = slice(0, 0.0);
    text(&mut s, tags::IMAGE_COMMENTS, VR::UT, "x");
    let mut bytes = file(s);
    let at = bytes
        .windows(6)
        .position(|w| w == [0x20, 0x00, 0x00, 0x40, b'U', b'T'])
        .unwrap();
    bytes[at + 8..at + 12].copy_from_slice(&0xFFFF_FFF0u32.to_le_bytes());
    assert_eq!(read_dicom_slice_bytes(&bytes), Err(FileProblem::Truncated));
}

#[test]
fn deep_sequences() {
    // Sequence in item in sequence …, all of undefined length, implicit little endian.
    let mut bytes = file_in(slice(0, 0.0), "1.2.840.10008.1.2");
    let at = bytes
        .windows(8)
        .position(|w| w == [0x08, 0, 0x60, 0, 2, 0, 0, 0])
        .unwrap();
    let level = [
        0x08, 0, 0x15, 0x11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF,
    ];
    bytes.splice(at..at, level.repeat(100_000));
    assert!(matches!(
        read_dicom_slice_bytes(&bytes),
        Err(FileProblem::TooDeep { .. })
    ));
}

#[test]
fn zip_bombs_and_broken_zips() {
    let read = |zip: &[u8]| read_ct_series_zip_bytes(zip, &CtOptions::default()).unwrap_err();
    let error = read(&zip_of(&[vec![0; 16 << 20]]));
    assert!(matches!(error, DicomError::ZipBomb { .. }), "{error}");
    assert!(matches!(read(b"PK\x03\x04 nothing"), DicomError::Zip { .. }));
    let good = zip_of(&good_series().into_iter().map(file).collect::<Vec<_>>());
    assert!(matches!(read(&good[..good.len() / 2]), DicomError::Zip { .. }));
    // A byte of packed data changed: the sum of the entry is wrong.
    let mut broken = good.clone();
    broken[120] ^= 0x55;
    assert!(read_ct_series_zip_bytes(&broken, &CtOptions::default()).is_err());
    // The directory understates a size, as bombs do.
    let mut liar = good;
    let at = liar.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    liar[at + 24..at + 28].copy_from_slice(&50u32.to_le_bytes());
    assert!(read_ct_series_zip_bytes(&liar, &CtOptions::default()).is_err());
}

#[test]
fn real_series_loads() {
    let Some(folder) = std::env::var_os("NEUROTOME_TEST_DATA") else {
        println!("skipped: real_series_loads: NEUROTOME_TEST_DATA is not set");
        return;
    };
    let path = Path::new(&folder).join("acrin-flt-breast-001/acrin001_ct_original_dicom.zip");
    let options = CtOptions {
        crop: Some(PatientBox::around(&Point::new(0.0, 0.0, -700.0), 60.0)),
        ..CtOptions::default()
    };
    let part = read_ct_series_with(&path, &options).unwrap();
    assert_eq!(part.kvp, Some(140.0));
    assert_eq!(part.slice_thickness_mm, Some(5.0));
    let spacing = part.hu.affine().spacing_mm();
    assert!(
        (spacing[0] - 0.976562).abs() < 1e-9 && (spacing[2] - 4.25).abs() < 1e-9,
        "{spacing:?}"
    );
    assert_eq!(part.hu.dims(), [125, 125, 30]);
    assert_eq!(read_ct_with(&path, &options).unwrap(), part);
}
