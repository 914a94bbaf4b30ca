//! The 348 bytes of a NIfTI-1 header: only the fields that matter here, and their meaning as an affine.
//!
//! Field offsets and the quaternion convention are those of the NIfTI-1 standard (nifti1.h, NIfTI Data Format Working Group).

use neurotome_base::{Affine, Vec3, geometry::Mat3};

use super::VolumeFileError;

/// Bytes of a NIfTI-1 header.
pub(super) const HEADER_BYTES: usize = 348;
/// First byte of the voxels in the files written here: header and four bytes that say "no extension".
pub(super) const VOXEL_OFFSET: usize = 352;
/// Largest header extension that is skipped.
const MAX_VOXEL_OFFSET: f32 = 16_777_216.0;
/// Voxels thinner or thicker than this are a mistake of unit or a broken header.
const SPACING_RANGE_MM: std::ops::RangeInclusive<f64> = 1e-3..=1e3;

/// How one voxel is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Datatype {
    U8,
    I16,
    I32,
    F32,
    F64,
    I8,
    U16,
    U32,
    I64,
    U64,
}

impl Datatype {
    fn from_code(code: i16) -> Option<Self> {
        Some(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            _ => return None,
        })
    }

    fn code(self) -> i16 {
        match self {
            Self::U8 => 2,
            Self::I16 => 4,
            Self::I32 => 8,
            Self::F32 => 16,
            Self::F64 => 64,
            Self::I8 => 256,
            Self::U16 => 512,
            Self::U32 => 768,
            Self::I64 => 1024,
            Self::U64 => 1280,
        }
    }

    pub(super) fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }
}

/// What the header says.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub dims: [usize; 3],
    pub datatype: Datatype,
    pub big_endian: bool,
    pub voxel_offset: usize,
    /// Slope and intercept, when the stored values are to be scaled.
    pub scaling: Option<(f64, f64)>,
    /// Voxel index → LPS mm.
    pub affine: Affine,
    pub notes: Vec<String>,
}

/// Reads fields at fixed offsets in the byte order of the file.
struct Fields<'a> {
    bytes: &'a [u8; HEADER_BYTES],
    big_endian: bool,
}

impl Fields<'_> {
    fn take<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.bytes[at..at + N]);
        if self.big_endian {
            out.reverse();
        }
        out
    }
    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.take(at))
    }
    fn f32(&self, at: usize) -> f32 {
        f32::from_le_bytes(self.take(at))
    }
    fn f64s<const N: usize>(&self, at: usize) -> [f64; N] {
        std::array::from_fn(|i| f64::from(self.f32(at + 4 * i)))
    }
}

impl Header {
    /// Reads and checks a header.
    pub(super) fn parse(bytes: &[u8; HEADER_BYTES], file: &str) -> Result<Self, VolumeFileError> {
        let not_nifti = |found: &str, advice| VolumeFileError::NotNifti {
            file: file.to_owned(),
            found: found.to_owned(),
            advice,
        };
        let size = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let big_endian = match (i32::from_le_bytes(size), i32::from_be_bytes(size)) {
            (348, _) => false,
            (_, 348) => true,
            (540, _) | (_, 540) => {
                return Err(not_nifti("this is NIfTI-2", "convert it to NIfTI-1"));
            }
            _ => {
                return Err(not_nifti(
                    "the file does not begin with a NIfTI header",
                    "convert the image to NIfTI-1; DICOM goes in as a folder or zip",
                ));
            }
        };
        match &bytes[344..348] {
            b"n+1\0" => {}
            b"ni1\0" => {
                return Err(not_nifti(
                    "this is the header of a .hdr/.img pair",
                    "join the pair into one .nii file",
                ));
            }
            _ => {
                return Err(not_nifti(
                    "the magic word of NIfTI-1 is missing (ANALYZE 7.5 perhaps, which does not tell left from right)",
                    "convert the image to NIfTI-1",
                ));
            }
        }
        let fields = Fields { bytes, big_endian };
        let bad = |field, found: String, expected| VolumeFileError::Header {
            file: file.to_owned(),
            field,
            found,
            expected,
        };
        let dims = dimensions(&fields, file)?;
        let code = fields.i16(70);
        let datatype = Datatype::from_code(code).ok_or_else(|| {
            bad(
                "datatype",
                code.to_string(),
                "a real number type: 2, 4, 8, 16, 64, 256, 512, 768, 1024 or 1280",
            )
        })?;
        let offset = fields.f32(108);
        if !(offset >= HEADER_BYTES as f32 && offset <= MAX_VOXEL_OFFSET && offset.fract() == 0.0) {
            return Err(bad(
                "vox_offset",
                offset.to_string(),
                "a whole number from 348 to 16777216",
            ));
        }
        let (slope, intercept) = (fields.f32(112), fields.f32(116));
        // A slope of zero means "not scaled"; NaN is what some programs write for the same.
        let scaling = if slope == 0.0 || slope.is_nan() {
            None
        } else if slope.is_finite() && intercept.is_finite() {
            (slope != 1.0 || intercept != 0.0).then_some((f64::from(slope), f64::from(intercept)))
        } else {
            return Err(bad(
                "scl_slope, scl_inter",
                format!("{slope}, {intercept}"),
                "finite numbers",
            ));
        };
        let mut notes = Vec::new();
        let affine = orientation(&fields, file, &mut notes)?;
        Ok(Self {
            dims,
            datatype,
            big_endian,
            voxel_offset: offset as usize,
            scaling,
            affine,
            notes,
        })
    }

    /// The header of a file to be written.
    pub(super) fn compose(dims: [usize; 3], affine: &Affine, datatype: Datatype) -> Option<[u8; VOXEL_OFFSET]> {
        let mut out = [0u8; VOXEL_OFFSET];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &348i32.to_le_bytes());
        put(38, b"r");
        put(40, &3i16.to_le_bytes());
        for a in 0..3 {
            put(42 + 2 * a, &i16::try_from(dims[a]).ok()?.to_le_bytes());
        }
        for a in 3..7 {
            put(42 + 2 * a, &1i16.to_le_bytes());
        }
        put(70, &datatype.code().to_le_bytes());
        put(72, &(8 * datatype.bytes() as i16).to_le_bytes());
        let (matrix, origin) = flip(&affine.matrix, &affine.origin_mm);
        let spacing = affine.spacing_mm();
        let quaternion = quaternion_of(&matrix, spacing);
        put(76, &quaternion.map_or(1.0, |(_, q)| q).to_le_bytes());
        for a in 0..3 {
            put(80 + 4 * a, &(spacing[a] as f32).to_le_bytes());
        }
        put(108, &(VOXEL_OFFSET as f32).to_le_bytes());
        put(112, &1f32.to_le_bytes());
        put(123, &[2]); // millimetres
        if let Some((q, _)) = quaternion {
            put(252, &1i16.to_le_bytes());
            for a in 0..3 {
                put(256 + 4 * a, &(q[a] as f32).to_le_bytes());
                put(268 + 4 * a, &(origin[a] as f32).to_le_bytes());
            }
        }
        put(254, &1i16.to_le_bytes());
        for row in 0..3 {
            for column in 0..3 {
                put(
                    280 + 16 * row + 4 * column,
                    &(matrix[(row, column)] as f32).to_le_bytes(),
                );
            }
            put(292 + 16 * row, &(origin[row] as f32).to_le_bytes());
        }
        put(344, b"n+1\0");
        Some(out)
    }
}

fn dimensions(fields: &Fields, file: &str) -> Result<[usize; 3], VolumeFileError> {
    let stated: [i16; 8] = std::array::from_fn(|i| fields.i16(40 + 2 * i));
    let Ok(count @ 1..=7) = usize::try_from(stated[0]) else {
        return Err(VolumeFileError::Header {
            file: file.to_owned(),
            field: "dim[0]",
            found: stated[0].to_string(),
            expected: "3, or up to 7 when the further sides are 1",
        });
    };
    let sides = &stated[1..=count];
    if sides.iter().any(|&s| s < 1) {
        return Err(VolumeFileError::Header {
            file: file.to_owned(),
            field: "dim",
            found: format!("{sides:?}"),
            expected: "sides of at least 1 voxel",
        });
    }
    if count < 3 || sides[3..].iter().any(|&s| s != 1) {
        return Err(VolumeFileError::NotOneVolume {
            file: file.to_owned(),
            found: sides.to_vec(),
        });
    }
    let dims = [sides[0], sides[1], sides[2]].map(|s| s.unsigned_abs() as usize);
    neurotome_base::Volume::<f32>::checked_len(dims).map_err(|source| VolumeFileError::Volume {
        file: file.to_owned(),
        source,
    })?;
    Ok(dims)
}

/// The affine to LPS: sform if it is set, else qform, else an error.
fn orientation(fields: &Fields, file: &str, notes: &mut Vec<String>) -> Result<Affine, VolumeFileError> {
    let bad = |field, found: String, expected| VolumeFileError::Header {
        file: file.to_owned(),
        field,
        found,
        expected,
    };
    match fields.bytes[123] & 7 {
        2 => {}
        0 => notes.push("the file does not state its unit of length; millimetres were assumed".to_owned()),
        other => {
            return Err(bad(
                "xyzt_units",
                match other {
                    1 => "metres".to_owned(),
                    3 => "micrometres".to_owned(),
                    code => code.to_string(),
                },
                "millimetres (2) or not stated (0)",
            ));
        }
    }
    let (qform_code, sform_code) = (fields.i16(252), fields.i16(254));
    let qform = || -> Result<Affine, VolumeFileError> {
        let pixdim: [f64; 4] = fields.f64s(76);
        let q: [f64; 3] = fields.f64s(256);
        let offset: [f64; 3] = fields.f64s(268);
        let squares = q.iter().map(|v| v * v).sum::<f64>();
        if !squares.is_finite() || squares > 1.0 + 1e-4 {
            return Err(bad(
                "quatern_b, quatern_c, quatern_d",
                format!("{q:?}"),
                "the vector part of a unit quaternion",
            ));
        }
        if !pixdim[1..].iter().all(|&s| s > 0.0 && s.is_finite()) {
            return Err(bad("pixdim", format!("{:?}", &pixdim[1..]), "positive numbers"));
        }
        let handedness = if pixdim[0] < 0.0 { -1.0 } else { 1.0 };
        // Half turns, the everyday case, come out exact: the scalar part is a small difference of 32-bit numbers there.
        let rotation = if 1.0 - squares < 1e-7 {
            let length = squares.sqrt();
            rotation_of([0.0, q[0] / length, q[1] / length, q[2] / length])
        } else {
            rotation_of([(1.0 - squares).sqrt(), q[0], q[1], q[2]])
        };
        let matrix = rotation * Mat3::from_diagonal(&Vec3::new(pixdim[1], pixdim[2], pixdim[3] * handedness));
        checked_affine(&matrix, &Vec3::from(offset), "quatern_* and pixdim", file)
    };
    if sform_code > 0 {
        let rows: [[f64; 4]; 3] = std::array::from_fn(|r| fields.f64s(280 + 16 * r));
        let matrix = Mat3::from_fn(|r, c| rows[r][c]);
        let origin = Vec3::new(rows[0][3], rows[1][3], rows[2][3]);
        let affine = checked_affine(&matrix, &origin, "srow_x, srow_y, srow_z", file)?;
        if qform_code > 0 {
            let far = match qform() {
                Ok(q) => (q.matrix - affine.matrix).abs().max() > 1e-2 || (q.origin_mm - affine.origin_mm).norm() > 0.5,
                Err(_) => true,
            };
            if far {
                notes.push("the file's sform and qform disagree; the sform was used".to_owned());
            }
        }
        Ok(affine)
    } else if qform_code > 0 {
        qform()
    } else {
        Err(VolumeFileError::NoOrientation { file: file.to_owned() })
    }
}

/// A RAS matrix and origin as an affine to LPS, when they can be those of an image.
fn checked_affine(matrix: &Mat3, origin: &Vec3, field: &'static str, file: &str) -> Result<Affine, VolumeFileError> {
    let (lps, lps_origin) = flip(matrix, origin);
    let bad = |found: String, expected| VolumeFileError::Header {
        file: file.to_owned(),
        field,
        found,
        expected,
    };
    let affine = Affine::new(lps, lps_origin)
        .map_err(|_| bad("singular or not finite".to_owned(), "an invertible orientation"))?;
    let spacing = affine.spacing_mm();
    if !spacing.iter().all(|s| SPACING_RANGE_MM.contains(s)) {
        return Err(bad(
            format!("a spacing of {spacing:?} mm"),
            "spacings from 0.001 to 1000 mm",
        ));
    }
    // The volume of a voxel against the product of its edges: 1 for a right angle, 0 for a flat voxel.
    if affine.matrix.determinant().abs() < 1e-3 * spacing.iter().product::<f64>() {
        return Err(bad("nearly flat".to_owned(), "an invertible orientation"));
    }
    if !origin.iter().all(|c| c.abs() < 1e6) {
        return Err(bad(format!("an origin of {origin:?} mm"), "an origin within 1 km"));
    }
    Ok(affine)
}

/// RAS ↔ LPS: both ways the first two axes change sign.
fn flip(matrix: &Mat3, origin: &Vec3) -> (Mat3, Vec3) {
    let sign = Vec3::new(-1.0, -1.0, 1.0);
    (Mat3::from_diagonal(&sign) * matrix, origin.component_mul(&sign))
}

fn rotation_of([a, b, c, d]: [f64; 4]) -> Mat3 {
    Mat3::new(
        a * a + b * b - c * c - d * d,
        2.0 * (b * c - a * d),
        2.0 * (b * d + a * c),
        2.0 * (b * c + a * d),
        a * a + c * c - b * b - d * d,
        2.0 * (c * d - a * b),
        2.0 * (b * d - a * c),
        2.0 * (c * d + a * b),
        a * a + d * d - b * b - c * c,
    )
}

/// The vector part of the unit quaternion of `matrix` without its spacing, and the handedness; none for a sheared matrix.
fn quaternion_of(matrix: &Mat3, spacing: [f64; 3]) -> Option<([f64; 3], f32)> {
    let mut r = *matrix * Mat3::from_diagonal(&Vec3::from(spacing.map(|s| 1.0 / s)));
    if (r.transpose() * r - Mat3::identity()).abs().max() > 1e-6 {
        return None;
    }
    let handedness = if r.determinant() < 0.0 { -1.0 } else { 1.0 };
    r.column_mut(2).scale_mut(handedness);
    // Squares of the four components from the diagonal; the largest is divided by, so that nothing is lost to cancellation.
    let squares = [
        1.0 + r[(0, 0)] + r[(1, 1)] + r[(2, 2)],
        1.0 + r[(0, 0)] - r[(1, 1)] - r[(2, 2)],
        1.0 - r[(0, 0)] + r[(1, 1)] - r[(2, 2)],
        1.0 - r[(0, 0)] - r[(1, 1)] + r[(2, 2)],
    ]
    .map(|v| v / 4.0);
    let largest = (0..4).fold(0, |best, i| if squares[i] > squares[best] { i } else { best });
    let s = 4.0 * squares[largest].sqrt();
    let (x, y, z) = (r[(2, 1)] - r[(1, 2)], r[(0, 2)] - r[(2, 0)], r[(1, 0)] - r[(0, 1)]);
    let (xy, xz, yz) = (r[(0, 1)] + r[(1, 0)], r[(0, 2)] + r[(2, 0)], r[(1, 2)] + r[(2, 1)]);
    let q = match largest {
        0 => [s / 4.0, x / s, y / s, z / s],
        1 => [x / s, s / 4.0, xy / s, xz / s],
        2 => [y / s, xy / s, s / 4.0, yz / s],
        _ => [z / s, xz / s, yz / s, s / 4.0],
    };
    // The scalar part is not stored; it is taken as not negative.
    let sign = if q[0] < 0.0 { -1.0 } else { 1.0 };
    Some(([q[1] * sign, q[2] * sign, q[3] * sign], handedness as f32))
}
