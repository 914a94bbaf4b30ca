//! The built-in patient as a sheet: shaded bones with nerves from three sides, and coloured slices at L4 and L5.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::spine::{LumbarSpine, Structure};
use neurotome_procedure::anatomy::{Level, NerveKind, Patient as _};
use rayon::prelude::*;

use super::{
    section::letters,
    sheet::{Cut, Panel, sheet},
    style::{BONE, NERVE_SKIN, NERVE_SPARED, NERVE_TARGET, Rgb, TissueStyle},
};
use crate::results::ResultsError;

/// Width of a nerve, pixels.
const LINE_PX: f64 = 1.6;
/// Width and height of a shaded view, mm, and its scale.
const VIEW_MM: [f64; 2] = [210.0, 250.0];
const VIEW_PX_PER_MM: f64 = 2.2;
/// Scale of slices.
const SLICE_PX_PER_MM: f64 = 4.0;
/// Nerves nearer to a slice than this are drawn in it, mm.
const NEAR_MM: f64 = 1.5;
/// Rays start this far before the middle of the column, mm.
const REACH_MM: f64 = 140.0;

/// The colour of a structure.
fn color(structure: Structure) -> Rgb {
    use Structure as S;
    let tissue = match structure {
        S::Air => "air",
        S::Skin => "skin",
        S::Fat | S::EpiduralFat => "fat",
        S::Disc(_) | S::Cartilage => "disc",
        S::Ligament => "ligament",
        S::DuralSac => "csf",
        S::Nerve => return NERVE_TARGET,
        S::Artery => "artery",
        S::Vein => return [96, 92, 160],
        S::Viscera => "viscera",
        S::Screw => return [120, 124, 130],
        s if s.is_bone() => return BONE,
        S::Multifidus(_) => return [196, 140, 132],
        S::Psoas(_) => return [186, 130, 126],
        S::QuadratusLumborum(_) | S::AbdominalWall => return [222, 182, 172],
        _ => "muscle",
    };
    TissueStyle::for_name(tissue, 0).rgb
}

fn nerve_color(kind: NerveKind) -> Rgb {
    match kind {
        NerveKind::MedialBranch | NerveKind::DorsalRamus => NERVE_TARGET,
        NerveKind::Root | NerveKind::Ganglion | NerveKind::VentralRamus => NERVE_SPARED,
        NerveKind::LateralBranch | NerveKind::IntermediateBranch => NERVE_SKIN,
    }
}

/// The sheet, as PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub(crate) fn anatomy(spine: &LumbarSpine, title: &str) -> Result<Vec<u8>, ResultsError> {
    let origin = |level: Level| spine.frame(level).map_or_else(Vec3::zeros, |f| f.origin);
    let center = 0.5 * (origin(Level::L1) + origin(Level::S1));
    let oblique = Vec3::new(40f64.to_radians().sin(), -40f64.to_radians().cos(), 0.0);
    let shaded = vec![
        view(spine, "from behind", &center, -Vec3::y()),
        view(spine, "oblique from behind and right", &center, oblique),
        view(spine, "from the right", &center, Vec3::x()),
    ];
    let mut slices = vec![];
    for level in [Level::L4, Level::L5] {
        if let Some(f) = spine.frame(level) {
            let top = 5.0;
            slices.push(slice(
                spine,
                &Cut {
                    title: format!("{level}, axial through the pedicles"),
                    center: f.to_patient(&Vec3::new(0.0, 14.0, top)),
                    right: f.left,
                    up: -f.posterior,
                    size_mm: [110.0, 90.0],
                },
            ));
        }
    }
    let middle = 0.5 * (origin(Level::L4) + origin(Level::L5)) + Vec3::new(0.0, 15.0, 0.0);
    slices.push(slice(
        spine,
        &Cut {
            title: "sagittal, 19 mm right of the midline".to_owned(),
            center: middle - Vec3::x() * 19.0,
            right: Vec3::y(),
            up: Vec3::z(),
            size_mm: [90.0, 90.0],
        },
    ));
    sheet(
        title,
        &[shaded, slices],
        "Green: medial branches and L5 dorsal ramus; blue: roots to ventral rami; violet: lateral and intermediate branches. Research and teaching software, not a medical device.",
    )
}

/// A coloured slice with the nerves that pass close to it.
fn slice(spine: &LumbarSpine, cut: &Cut) -> Panel {
    let mut panel = cut.panel(SLICE_PX_PER_MM, |p| {
        color(spine.structure_at(&PatientPoint::from_vec(*p)))
    });
    let normal = cut.right.cross(&cut.up);
    for course in spine.courses() {
        let mut line: Vec<[f64; 2]> = vec![];
        for p in dense(&course.points.iter().map(PatientPoint::vec).collect::<Vec<_>>()) {
            let d = p - cut.center;
            if d.dot(&normal).abs() < NEAR_MM {
                line.push([
                    (d.dot(&cut.right) + 0.5 * cut.size_mm[0]) * SLICE_PX_PER_MM,
                    (0.5 * cut.size_mm[1] - d.dot(&cut.up)) * SLICE_PX_PER_MM,
                ]);
            } else if !line.is_empty() {
                panel
                    .lines
                    .push((nerve_color(course.kind), LINE_PX, std::mem::take(&mut line)));
            }
        }
        panel.lines.push((nerve_color(course.kind), LINE_PX, line));
    }
    panel.lines.retain(|(_, _, line)| line.len() > 1);
    panel
}

/// Points at most a third of a millimetre apart.
fn dense(points: &[Vec3]) -> Vec<Vec3> {
    let mut all = vec![];
    for w in points.windows(2) {
        let n = ((w[1] - w[0]).norm() / 0.3).ceil().max(1.0) as usize;
        all.extend((0..n).map(|i| w[0] + (w[1] - w[0]) * (i as f64 / n as f64)));
    }
    all.extend(points.last());
    all
}

/// Bones lit from the viewer's left above, nerves where no bone hides them; parallel projection.
fn view(spine: &LumbarSpine, title: &str, center: &Vec3, rays: Vec3) -> Panel {
    let up = Vec3::z();
    let right = rays.cross(&up).normalize();
    let cut = Cut {
        title: title.to_owned(),
        center: *center,
        right,
        up,
        size_mm: VIEW_MM,
    };
    let [w, h] = cut.pixels(VIEW_PX_PER_MM);
    let level = |p: &Vec3| spine.bone_level_mm(&PatientPoint::from_vec(*p));
    let light = (-rays - right * 0.5 + up * 0.6).normalize();
    // Depth along the ray, and brightness.
    let hits: Vec<(f64, f64)> = (0..w * h)
        .into_par_iter()
        .map(|n| {
            let (u, v) = ((n % w) as f64 + 0.5, (n / w) as f64 + 0.5);
            let start =
                center + right * (u / VIEW_PX_PER_MM - 0.5 * VIEW_MM[0]) + up * (0.5 * VIEW_MM[1] - v / VIEW_PX_PER_MM);
            let mut s = -REACH_MM;
            while s < REACH_MM {
                let p = start + rays * s;
                let f = level(&p);
                if f < 0.05 {
                    let slope = Vec3::from_fn(|a, _| {
                        let mut d = Vec3::zeros();
                        d[a] = 0.3;
                        level(&(p + d)) - level(&(p - d))
                    });
                    let normal = slope.try_normalize(1e-9).unwrap_or(-rays);
                    return (s, 0.25 + 0.75 * normal.dot(&light).max(0.0));
                }
                // A level is at most 1.6 times the distance.
                s += (0.6 * f).max(0.15);
            }
            (f64::INFINITY, 0.0)
        })
        .collect();
    let mut rgb: Vec<u8> = hits
        .iter()
        .flat_map(|(s, light)| {
            if s.is_finite() {
                BONE.map(|c| (f64::from(c) * light) as u8)
            } else {
                [250, 250, 250]
            }
        })
        .collect();
    let mut depth: Vec<f64> = hits.iter().map(|h| h.0).collect();
    for course in spine.courses() {
        let radius = 0.5 * course.diameter_mm;
        for p in dense(&course.points.iter().map(PatientPoint::vec).collect::<Vec<_>>()) {
            let d = p - center;
            let (s, u, v) = (d.dot(&rays) - radius, d.dot(&right), d.dot(&up));
            let reach = (radius * VIEW_PX_PER_MM).max(0.8);
            let at = [
                (u + 0.5 * VIEW_MM[0]) * VIEW_PX_PER_MM,
                (0.5 * VIEW_MM[1] - v) * VIEW_PX_PER_MM,
            ];
            let span = |c: f64, n: usize| {
                let (low, high) = ((c - reach).floor().max(0.0), (c + reach).ceil());
                low as usize..(high.max(0.0) as usize).min(n)
            };
            for row in span(at[1], h) {
                for column in span(at[0], w) {
                    let off = (column as f64 + 0.5 - at[0]).hypot(row as f64 + 0.5 - at[1]);
                    let n = row * w + column;
                    if off <= reach && s < depth[n] {
                        depth[n] = s;
                        // Darker towards its edges, as a tube.
                        let shade = (1.0 - 0.5 * (off / reach).powi(2)).max(0.0);
                        let c = nerve_color(course.kind).map(|c| (f64::from(c) * shade) as u8);
                        rgb[3 * n..3 * n + 3].copy_from_slice(&c);
                    }
                }
            }
        }
    }
    Panel {
        title: title.to_owned(),
        size: [w, h],
        rgb,
        borders: [letters(&-right), letters(&right)],
        lines: vec![],
    }
}
