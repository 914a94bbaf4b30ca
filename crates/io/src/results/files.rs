//! The field files: VTK for viewers, NIfTI for image tools.

use std::path::Path;

use neurotome_base::{Affine, PatientPoint, Point, Vec3, Volume, VolumeError};
use rayon::prelude::*;

use super::{
    Made, ResultsError,
    folder::write_error,
    lattice::{At, Fields, Lattice},
    vtk::{Array, PolyData, image_data, poly_data},
};
use crate::{
    report::Scene,
    volumes::{VolumeFileError, write_nifti_f32, write_nifti_u8},
};

pub(crate) const MASK: &str = "lesion_mask.nii.gz";
pub(crate) const PEAK: &str = "peak_temperature.nii.gz";
pub(crate) const MASK_ENTRY: (&str, &str) = (
    MASK,
    "1 where tissue is destroyed (omega at least 1), on the grid of the CT",
);
pub(crate) const PEAK_ENTRY: (&str, &str) = (
    PEAK,
    "highest temperature over the run in degrees Celsius, on the grid of the CT",
);
pub(crate) const FIELD: &str = "field_strength.nii.gz";
pub(crate) const FIELD_ENTRY: (&str, &str) = (
    FIELD,
    "field strength within a pulse at the end of heating in V/m rms, on the grid of the CT",
);
/// Names of the field files.
pub(crate) const NAMES: [&str; 7] = [
    "fields.vti",
    "lesion.vtp",
    "needle.vtp",
    "nerves.vtp",
    MASK,
    PEAK,
    FIELD,
];

/// Spacing of `fields.vti`, mm.
pub(crate) const FIELD_SPACING_MM: f64 = 0.5;
/// Tissue that became this warm lies within `fields.vti`, °C.
pub(crate) const FIELD_TEMPERATURE_C: f64 = 42.0;
/// Rise of temperature at which the NIfTI images stop looking, K.
const IMAGE_RISE_K: f64 = 0.2;

/// All fields on the regular grid round the lesion.
pub(crate) fn sampled(scene: &Scene<'_>) -> (Lattice, Fields) {
    let start = scene.run.problem.initial_temperature_c;
    let (low, high) = scene.survey.box_above(FIELD_TEMPERATURE_C.max(start + 2.0));
    let lattice = Lattice::around(&low, &high, FIELD_SPACING_MM);
    let fields = scene.probe().fields(lattice.dims, |n| lattice.position_of(n));
    (lattice, fields)
}

/// `fields.vti`.
pub(crate) fn fields(scene: &Scene<'_>) -> Made {
    let (lattice, f) = (&scene.lattice, &scene.fields);
    let anatomy = &scene.run.problem.anatomy;
    let tissue = lattice.map(|p| anatomy.tissue_at(&PatientPoint::from_vec(*p)).0);
    let metal: Vec<u8> = f.at.iter().map(|a| u8::from(*a == At::Metal)).collect();
    let names: Vec<String> = scene
        .run
        .problem
        .tissue_names
        .iter()
        .enumerate()
        .map(|(i, n)| format!("{i} {n}"))
        .collect();
    let names = names.join("; ");
    let arrays = [
        Array::float("temperature_end", &f.end_c),
        Array::float("temperature_heated", &f.heated_c),
        Array::float("peak_temperature", &f.peak_c),
        Array::float("log10_omega", &f.log10_omega),
        Array::float("cem43", &f.cem43_min),
        Array::float("field_strength", &f.field_v_per_m),
        Array::byte("tissue", &tissue),
        Array::byte("metal", &metal),
    ];
    let texts = [
        ("tissue_names", names.as_str()),
        (
            "meaning",
            "temperature_end: end of the run; temperature_heated: end of heating; peak_temperature: highest over the run; \
             log10_omega: decimal logarithm of the Arrhenius integral, 0 is the border of destroyed tissue, not below -30; \
             cem43: equivalent minutes at 43 degrees; field_strength: V/m rms at the end of heating, of pulsed current within a \
             pulse; metal: 1 inside the needle, where values are continued from the tissue.",
        ),
    ];
    Made {
        name: "fields.vti",
        what: "temperature, injury and tissue on a regular grid round the lesion, for ParaView",
        bytes: image_data(lattice, &arrays, &texts, &[]),
    }
}

fn floats(vectors: &[Vec3]) -> Vec<f32> {
    vectors
        .iter()
        .flat_map(|v| [v.x as f32, v.y as f32, v.z as f32])
        .collect()
}

/// `lesion.vtp`.
pub(crate) fn lesion(scene: &Scene<'_>) -> Made {
    let mesh = &scene.lesion;
    let probe = scene.probe();
    let peak: Vec<f32> = mesh
        .positions
        .par_iter()
        .map(|p| probe.at(p).1.peak_temperature_c as f32)
        .collect();
    let normals = floats(&mesh.normals);
    let cells: Vec<Vec<u32>> = mesh.triangles.iter().map(|t| t.to_vec()).collect();
    let reported = scene.run.result.snapshots.last().and_then(|s| s.contours.omega1);
    let mut numbers = vec![("surface_volume_mm3", mesh.volume_mm3())];
    if let Some(c) = reported {
        numbers.push(("omega1_tissue_volume_mm3", c.volume_mm3));
    }
    let texts = [(
        "meaning",
        "Border of destroyed tissue, omega = 1. The surface also encloses the part of the needle within the lesion; \
         omega1_tissue_volume_mm3 counts tissue alone.",
    )];
    Made {
        name: "lesion.vtp",
        what: "surface of the destroyed tissue (omega = 1), for ParaView",
        bytes: poly_data(&PolyData {
            points: &mesh.positions,
            cells: &cells,
            lines: false,
            point_data: &[
                Array::float("peak_temperature", &peak),
                Array::vectors("Normals", &normals),
            ],
            cell_data: &[],
            texts: &texts,
            numbers: &numbers,
        }),
    }
}

/// `needle.vtp`.
pub(crate) fn needle(scene: &Scene<'_>) -> Made {
    let (mut points, mut normals, mut cells) = (Vec::new(), Vec::new(), Vec::new());
    let (mut active, mut number) = (Vec::new(), Vec::new());
    for (n, shape) in scene.needles.iter().enumerate() {
        let (mesh, is_active) = shape.surface();
        let first = points.len() as u32;
        cells.extend(mesh.triangles.iter().map(|t| t.map(|v| v + first).to_vec()));
        active.extend(is_active.iter().map(|a| u8::from(*a)));
        number.extend(std::iter::repeat_n(n as u8, mesh.triangles.len()));
        points.extend(mesh.positions);
        normals.extend(mesh.normals);
    }
    let normals = floats(&normals);
    Made {
        name: "needle.vtp",
        what: "surface of the needle and its tines; active is 1 on bare metal, for ParaView",
        bytes: poly_data(&PolyData {
            points: &points,
            cells: &cells,
            lines: false,
            point_data: &[Array::vectors("Normals", &normals)],
            cell_data: &[Array::byte("active", &active), Array::byte("needle", &number)],
            texts: &[],
            numbers: &[],
        }),
    }
}

/// `nerves.vtp`.
pub(crate) fn nerves(scene: &Scene<'_>) -> Made {
    let probe = scene.probe();
    let (mut points, mut cells, mut along) = (Vec::new(), Vec::new(), Vec::new());
    for nerve in &scene.nerves {
        let first = points.len() as u32;
        let mut length = 0.0;
        for (i, p) in nerve.points.iter().enumerate() {
            if i > 0 {
                length += (p - nerve.points[i - 1]).norm();
            }
            along.push(length as f32);
            points.push(*p);
        }
        cells.push((first..points.len() as u32).collect());
    }
    let fields = probe.fields([points.len(), 1, 1], |n| points[n]);
    let per_nerve = |f: &dyn Fn(usize) -> f32| -> Vec<f32> { (0..scene.nerves.len()).map(f).collect() };
    let injury = |n: usize| scene.run.result.nerves.get(n);
    let target: Vec<u8> = scene.nerves.iter().map(|n| u8::from(n.target)).collect();
    let diameter = per_nerve(&|n| scene.nerves[n].diameter_mm as f32);
    let destroyed = per_nerve(&|n| injury(n).map_or(f32::NAN, |i| i.destroyed_mm as f32));
    let names: Vec<&str> = scene.nerves.iter().map(|n| n.name).collect();
    let names = names.join("; ");
    Made {
        name: "nerves.vtp",
        what: "nerves as lines with temperature and injury along them, for ParaView",
        bytes: poly_data(&PolyData {
            points: &points,
            cells: &cells,
            lines: true,
            point_data: &[
                Array::float("along_mm", &along),
                Array::float("temperature_heated", &fields.heated_c),
                Array::float("peak_temperature", &fields.peak_c),
                Array::float("log10_omega", &fields.log10_omega),
            ],
            cell_data: &[
                Array::byte("target", &target),
                Array::float("diameter_mm", &diameter),
                Array::float("destroyed_mm", &destroyed),
            ],
            texts: &[("nerve_names", names.as_str())],
            numbers: &[],
        }),
    }
}

/// The lesion as images on the grid of the CT, or on a fine grid round the lesion without one.
pub(crate) struct Images {
    dims: [usize; 3],
    affine: Affine,
    /// First voxel and size of the block that was looked at.
    first: [usize; 3],
    size: [usize; 3],
    fields: Fields,
}

impl Images {
    /// Samples the voxels near the lesion.
    pub fn new(scene: &Scene<'_>) -> Result<Self, ResultsError> {
        let Some(ct) = scene.run.ct else {
            let l = &scene.lattice;
            return Ok(Self {
                dims: l.dims,
                affine: Affine::axis_aligned([l.spacing_mm; 3], l.origin_mm.into()).map_err(|e| grid_error(&e))?,
                first: [0; 3],
                size: l.dims,
                fields: scene.fields.clone(),
            });
        };
        let (dims, affine) = (ct.dims(), *ct.affine());
        let (low, high) = scene
            .survey
            .box_above(scene.run.problem.initial_temperature_c + IMAGE_RISE_K);
        let (mut first, mut last) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for corner in 0..8 {
            let pick = |a: usize| if corner >> a & 1 == 1 { high[a] } else { low[a] };
            let v = affine.to_voxel(&Point::new(pick(0), pick(1), pick(2)));
            for a in 0..3 {
                first[a] = first[a].min(v.xyz[a]);
                last[a] = last[a].max(v.xyz[a]);
            }
        }
        // The block is empty where the lesion lies off the image.
        let clip = |v: f64, a: usize| v.clamp(0.0, dims[a] as f64) as usize;
        let first = [0, 1, 2].map(|a| clip(first[a].floor(), a));
        let size = [0, 1, 2].map(|a| clip(last[a].ceil() + 1.0, a).saturating_sub(first[a]));
        let size = if size.contains(&0) { [0; 3] } else { size };
        let fields = scene.probe().fields(size, |n| {
            let index = [n % size[0], n / size[0] % size[1], n / (size[0] * size[1])];
            let voxel = [0, 1, 2].map(|a| (index[a] + first[a]) as f64);
            affine.to_patient(&Point::new(voxel[0], voxel[1], voxel[2])).vec()
        });
        Ok(Self {
            dims,
            affine,
            first,
            size,
            fields,
        })
    }

    /// A whole image of `rest` with the block put in.
    fn whole<T: Copy>(&self, rest: T, block: impl Fn(usize) -> T) -> Result<Volume<T>, ResultsError> {
        let mut volume = Volume::filled(self.dims, self.affine, rest).map_err(|e| grid_error(&e))?;
        let (nx, ny) = (self.dims[0], self.dims[1]);
        let data = volume.data_mut();
        for k in 0..self.size[2] {
            for j in 0..self.size[1] {
                let source = self.size[0] * (j + self.size[1] * k);
                let at = self.first[0] + nx * (j + self.first[1] + ny * (k + self.first[2]));
                for i in 0..self.size[0] {
                    data[at + i] = block(source + i);
                }
            }
        }
        Ok(volume)
    }

    /// Writes the highest temperature.
    pub fn write_peak(&self, scene: &Scene<'_>, path: &Path) -> Result<(), ResultsError> {
        let rest = scene.run.problem.initial_temperature_c as f32;
        let volume = self.whole(rest, |n| self.fields.peak_c[n])?;
        write_nifti_f32(path, &volume).map_err(image_error)
    }

    /// Writes the field strength.
    pub fn write_field(&self, path: &Path) -> Result<(), ResultsError> {
        let volume = self.whole(0.0, |n| self.fields.field_v_per_m[n])?;
        write_nifti_f32(path, &volume).map_err(image_error)
    }

    /// Writes the mask of destroyed tissue; metal is no tissue.
    pub fn write_mask(&self, path: &Path) -> Result<(), ResultsError> {
        let f = &self.fields;
        let volume = self.whole(0u8, |n| u8::from(f.log10_omega[n] >= 0.0 && f.at[n] == At::Tissue))?;
        write_nifti_u8(path, &volume).map_err(image_error)
    }
}

fn grid_error(error: &VolumeError) -> ResultsError {
    ResultsError::Input {
        what: "the image grids",
        found: error.to_string(),
        expected: "a CT or a heated region of ordinary size",
    }
}

/// A system's refusal reads the same for every file of the folder.
fn image_error(error: VolumeFileError) -> ResultsError {
    match error {
        VolumeFileError::Write { file, source } => write_error(Path::new(&file), source),
        other => ResultsError::Image(other),
    }
}
