//! The attributes of one slice, as numbers.

use dicom_core::{Tag, header::HasLength};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries;

use super::{
    FileProblem,
    pixels::{self, PixelFormat},
    sieve::{DataSet, Encoding, Sieved},
};

const ENHANCED_CT: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"];
/// Longest side of a slice; the standard itself allows 65535.
const MAX_SIDE: u16 = 8192;

/// What is known of one image file before its series is chosen; attributes that only a CT slice must have are optional.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub series: String,
    pub modality: String,
    pub localizer: bool,
    /// The rest, or what is wrong with it: that matters only if the file belongs to the series chosen.
    pub slice: Result<SliceHeader, FileProblem>,
}

/// Geometry, scaling and storage of one slice.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SliceHeader {
    pub format: PixelFormat,
    /// Distance in mm between rows (along a column), and between columns (along a row).
    pub spacing_mm: [f64; 2],
    pub position_mm: [f64; 3],
    /// Direction cosines along a row, then along a column.
    pub orientation: [f64; 6],
    pub slope: f64,
    pub intercept: f64,
    /// Stored value outside the field of view.
    pub padding: Option<i64>,
    pub hounsfield_stated: Option<bool>,
    pub kvp: Option<f64>,
    pub thickness_mm: Option<f64>,
    pub tilt_deg: Option<f64>,
}

/// One decoded slice.
#[derive(Debug, Clone, PartialEq)]
pub struct CtSlice {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Hounsfield units, row by row.
    pub hu: Vec<f32>,
}

struct Attributes(InMemDicomObject);

impl Attributes {
    fn parse(kept: &[u8], encoding: Encoding) -> Result<Self, FileProblem> {
        let syntax = match (encoding.explicit, encoding.big_endian) {
            (false, _) => entries::IMPLICIT_VR_LITTLE_ENDIAN.erased(),
            (true, false) => entries::EXPLICIT_VR_LITTLE_ENDIAN.erased(),
            (true, true) => entries::EXPLICIT_VR_BIG_ENDIAN.erased(),
        };
        InMemDicomObject::read_dataset_with_ts(kept, &syntax)
            .map(Self)
            .map_err(|_| FileProblem::Truncated)
    }

    fn text(&self, tag: Tag) -> Option<String> {
        let element = self.0.get(tag)?;
        let text = element.to_str().ok()?;
        let text = text.trim_matches([' ', '\0']);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A short word of capital letters, digits, space and underscore: a code string, never a name.
    fn code(&self, tag: Tag) -> Option<String> {
        self.text(tag).map(|t| {
            t.chars()
                .filter(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
                .take(16)
                .collect()
        })
    }

    fn numbers<const N: usize>(
        &self,
        tag: Tag,
        attribute: &'static str,
        expected: &'static str,
    ) -> Result<[f64; N], FileProblem> {
        let element = self.0.get(tag).ok_or(FileProblem::Missing { attribute })?;
        if element.is_empty() {
            return Err(FileProblem::Missing { attribute });
        }
        element
            .to_multi_float64()
            .ok()
            .and_then(|v| <[f64; N]>::try_from(v).ok())
            .filter(|v| v.iter().all(|x| x.is_finite() && x.abs() < 1e9))
            .ok_or(FileProblem::Malformed { attribute, expected })
    }

    fn number(&self, tag: Tag, attribute: &'static str) -> Result<f64, FileProblem> {
        self.numbers::<1>(tag, attribute, "one finite number").map(|[v]| v)
    }

    /// A number that helps but is not needed.
    fn hint(&self, tag: Tag) -> Option<f64> {
        self.number(tag, "").ok()
    }

    fn whole(
        &self,
        tag: Tag,
        attribute: &'static str,
        range: std::ops::RangeInclusive<u16>,
        expected: &'static str,
    ) -> Result<u16, FileProblem> {
        let found = self.number(tag, attribute)?;
        if found.fract() != 0.0 || !(f64::from(*range.start())..=f64::from(*range.end())).contains(&found) {
            return Err(FileProblem::Value {
                attribute,
                found,
                expected,
            });
        }
        Ok(found as u16)
    }
}

/// Reads the header of an image file; none when the file holds no image.
pub(super) fn header(set: &DataSet) -> Result<Option<Header>, FileProblem> {
    let sieved = set.sieve()?;
    if sieved.pixels.is_none() {
        return Ok(None);
    }
    let attributes = Attributes::parse(&sieved.kept, set.syntax.encoding)?;
    let series: String = attributes
        .text(tags::SERIES_INSTANCE_UID)
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '.')
        .take(64)
        .collect();
    if series.is_empty() {
        return Err(FileProblem::Missing {
            attribute: "SeriesInstanceUID",
        });
    }
    Ok(Some(Header {
        series,
        modality: attributes.code(tags::MODALITY).unwrap_or_else(|| "UNKNOWN".to_owned()),
        localizer: attributes
            .text(tags::IMAGE_TYPE)
            .is_some_and(|t| t.split('\\').any(|w| w.trim() == "LOCALIZER")),
        slice: slice_header(&attributes, set, &sieved),
    }))
}

fn slice_header(attributes: &Attributes, set: &DataSet, sieved: &Sieved) -> Result<SliceHeader, FileProblem> {
    let enhanced = attributes
        .text(tags::SOP_CLASS_UID)
        .is_some_and(|uid| ENHANCED_CT.contains(&uid.as_str()));
    if enhanced || attributes.hint(tags::NUMBER_OF_FRAMES).is_some_and(|n| n != 1.0) {
        return Err(FileProblem::MultiFrame);
    }
    let grey = attributes.text(tags::PHOTOMETRIC_INTERPRETATION).as_deref() == Some("MONOCHROME2")
        && attributes.hint(tags::SAMPLES_PER_PIXEL).is_none_or(|n| n == 1.0);
    if !grey {
        return Err(FileProblem::NotGrey);
    }
    let side = 1..=MAX_SIDE;
    let rows = attributes.whole(tags::ROWS, "Rows", side.clone(), "a whole number from 1 to 8192")?;
    let columns = attributes.whole(tags::COLUMNS, "Columns", side, "a whole number from 1 to 8192")?;
    let bits_allocated = attributes.whole(tags::BITS_ALLOCATED, "BitsAllocated", 8..=16, "8 or 16")?;
    if bits_allocated != 8 && bits_allocated != 16 {
        return Err(FileProblem::Value {
            attribute: "BitsAllocated",
            found: f64::from(bits_allocated),
            expected: "8 or 16",
        });
    }
    let bits_stored = attributes.whole(
        tags::BITS_STORED,
        "BitsStored",
        1..=bits_allocated,
        "at least 1 and at most BitsAllocated",
    )?;
    let high_bit = attributes.whole(
        tags::HIGH_BIT,
        "HighBit",
        bits_stored - 1..=bits_allocated - 1,
        "at least BitsStored - 1 and less than BitsAllocated",
    )?;
    let signed = attributes.whole(tags::PIXEL_REPRESENTATION, "PixelRepresentation", 0..=1, "0 or 1")? == 1;
    let format = PixelFormat {
        rows: usize::from(rows),
        columns: usize::from(columns),
        bits_allocated: u32::from(bits_allocated),
        bits_stored: u32::from(bits_stored),
        high_bit: u32::from(high_bit),
        signed,
        big_endian: set.syntax.encoding.big_endian,
        codec: set.syntax.codec,
    };
    // Known now, so that a broken copy is found before the series is judged and before memory is taken for it.
    if let Some(pixels) = &sieved.pixels {
        pixels::can_hold(pixels, &format)?;
    }
    let spacing_mm: [f64; 2] = attributes.numbers(tags::PIXEL_SPACING, "PixelSpacing", "two positive numbers")?;
    if let Some(&found) = spacing_mm.iter().find(|s| !(1e-3..=1e2).contains(*s)) {
        return Err(FileProblem::Value {
            attribute: "PixelSpacing",
            found,
            expected: "from 0.001 to 100 mm",
        });
    }
    let slope = attributes.number(tags::RESCALE_SLOPE, "RescaleSlope")?;
    if slope == 0.0 {
        return Err(FileProblem::Value {
            attribute: "RescaleSlope",
            found: slope,
            expected: "a number other than 0",
        });
    }
    Ok(SliceHeader {
        format,
        spacing_mm,
        position_mm: attributes.numbers(
            tags::IMAGE_POSITION_PATIENT,
            "ImagePositionPatient",
            "three finite numbers",
        )?,
        orientation: attributes.numbers(
            tags::IMAGE_ORIENTATION_PATIENT,
            "ImageOrientationPatient",
            "six finite numbers",
        )?,
        slope,
        intercept: attributes.number(tags::RESCALE_INTERCEPT, "RescaleIntercept")?,
        padding: attributes
            .hint(tags::PIXEL_PADDING_VALUE)
            .map(|v| format.stored_value(v as i64 as u16)),
        hounsfield_stated: attributes.code(tags::RESCALE_TYPE).map(|t| t == "HU"),
        kvp: attributes.hint(tags::KVP).filter(|v| *v > 0.0),
        thickness_mm: attributes.hint(tags::SLICE_THICKNESS).filter(|v| *v > 0.0),
        tilt_deg: attributes.hint(tags::GANTRY_DETECTOR_TILT),
    })
}

/// Decodes the pixels of a file whose header is known and writes Hounsfield units of the columns and rows wanted, row by row,
/// to `out`; the answer is the number of padded pixels, which become air.
pub(super) fn decode_part(
    set: &DataSet,
    header: &SliceHeader,
    columns: &std::ops::Range<usize>,
    rows: &std::ops::Range<usize>,
    out: &mut [f32],
) -> Result<usize, FileProblem> {
    let sieved = set.sieve()?;
    let pixels = sieved.pixels.ok_or(FileProblem::NoImage)?;
    let raw = pixels::stored_bytes(&pixels, &header.format)?;
    let mut padded = 0;
    let size = header.format.sample_bytes();
    for (row, line) in rows.clone().zip(out.chunks_exact_mut(columns.len())) {
        let start = size * (row * header.format.columns + columns.start);
        for (value, bytes) in line.iter_mut().zip(raw[start..].chunks_exact(size)) {
            let word = if size == 1 {
                u16::from(bytes[0])
            } else if header.format.big_endian {
                u16::from_be_bytes([bytes[0], bytes[1]])
            } else {
                u16::from_le_bytes([bytes[0], bytes[1]])
            };
            let stored = header.format.stored_value(word);
            *value = if header.padding == Some(stored) {
                padded += 1;
                AIR_HU
            } else {
                (stored as f64 * header.slope + header.intercept) as f32
            };
        }
    }
    Ok(padded)
}

/// What pixels outside the field of view become.
pub(super) const AIR_HU: f32 = -1024.0;
