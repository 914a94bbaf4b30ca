//! What stays while only a needle moves: the anatomy in the beam of one pose.

use std::ops::Range;

use neurotome_physics::xray::{Image, View, blur_widely};
use rayon::prelude::*;

use super::{CArm, Effects, Machine, Settings, TableTop};

/// Less than this in a ray is air, clothes or the rim of the patient, mm of water.
const PATIENT_MM: f32 = 20.0;
/// Standard deviation of what counts as slow across the picture, mm on the detector: wider than a vertebra's parts.
const SLOW_MM: f64 = 25.0;

/// The anatomy without needles and contrast medium.
#[derive(Debug, Clone)]
pub(super) struct Still {
    pub view: View,
    /// Columns and rows that the collimator leaves open.
    pub open: [Range<usize>; 2],
    /// Made from the whole volume, not from averaged voxels.
    pub whole: bool,
    /// Paths in soft tissue and bone, mm of water.
    pub base: [Image; 2],
    /// Open beam at each pixel: inverse square and slant; 0 where collimated.
    pub beam: Vec<f32>,
    /// Primary.
    pub primary: Vec<f32>,
    /// Variance over signal, keV.
    pub ratio: Vec<f32>,
    /// Scatter without grid.
    pub scatter: Option<Image>,
    /// Mean of primary and scatter in the measuring field.
    pub middle: f64,
    /// What the display multiplies the signal with, so that thick and thin parts are seen at once.
    pub gain: Vec<f32>,
    /// Percentiles of the equalised signal in the measuring field, behind the grid, as far as the effects let it in: highest and lowest.
    pub range: [f64; 2],
}

/// Shares of primary and scatter that reach the detector.
pub(super) fn grid(machine: &Machine, effects: Effects) -> (f32, f32) {
    if effects.grid {
        let e = &machine.entry;
        (e.grid_primary_ratio.value as f32, e.grid_scatter_ratio.value as f32)
    } else {
        (1.0, 1.0)
    }
}

/// Adds a table top to the paths through soft tissue.
pub(super) fn add_table(soft: &mut Image, table: &TableTop, view: &View) {
    let columns = soft.columns;
    soft.data.par_chunks_mut(columns).enumerate().for_each(|(row, line)| {
        for (column, v) in line.iter_mut().enumerate() {
            let ray = view.pixel_mm(column as f64, row as f64) - view.source_mm;
            *v += table.water_along(&view.source_mm, &ray) as f32;
        }
    });
}

impl Still {
    /// What the beam makes of these paths.
    pub fn new(machine: &Machine, arm: &CArm, settings: &Settings, view: View, base: [Image; 2], whole: bool) -> Self {
        let effects = settings.effects;
        let open = arm.open_pixels();
        let count = view.columns * view.rows;
        let columns = view.columns;
        let sdd = arm.source_detector_mm;
        let (mut beam, mut primary, mut ratio) = (vec![0.0f32; count], vec![0.0f32; count], vec![0.0f32; count]);
        let response = &machine.response;
        beam.par_chunks_mut(columns)
            .zip(primary.par_chunks_mut(columns))
            .zip(ratio.par_chunks_mut(columns))
            .enumerate()
            .for_each(|(row, ((beam, primary), ratio))| {
                let start = view.pixel_mm(0.0, row as f64) - view.source_mm;
                for column in 0..columns {
                    let n = row * columns + column;
                    let [depth, kev] = response.depth([base[0].data[n], base[1].data[n]]);
                    ratio[column] = kev;
                    if !(open[0].contains(&column) && open[1].contains(&row)) {
                        continue;
                    }
                    let ray = start + view.column_step_mm * column as f64;
                    let closeness = sdd * sdd / ray.norm_squared();
                    // Inverse square, and the slant of the ray to the detector.
                    beam[column] = (closeness * closeness.sqrt()) as f32;
                    primary[column] = beam[column] * (-depth).exp();
                }
            });
        let scatter = effects.scatter.then(|| scatter(machine, arm, &view, &base, &primary));
        let mut still = Self {
            view,
            open,
            whole,
            base,
            beam,
            primary,
            ratio,
            scatter,
            middle: 1.0,
            gain: Vec::new(),
            range: [1.0; 2],
        };
        still.survey(grid(machine, effects), settings.display.equalised);
        still
    }

    /// Brightness of the middle, gain of the display and range of the window. Every 64th pixel is enough for percentiles.
    fn survey(&mut self, (grid_primary, grid_scatter): (f32, f32), equalised: f64) {
        let total = |n: usize| {
            let scatter = self.scatter.as_ref().map_or(0.0, |s| grid_scatter * s.data[n]);
            grid_primary * self.primary[n] + scatter
        };
        let (mut patient, mut central, mut air) = (Vec::new(), Vec::new(), Vec::new());
        let quarter = |r: &Range<usize>| (3 * r.start + r.end) / 4..(r.start + 3 * r.end).div_ceil(4);
        let middle = [quarter(&self.open[0]), quarter(&self.open[1])];
        for row in self.open[1].clone().step_by(8) {
            for column in self.open[0].clone().step_by(8) {
                let n = row * self.view.columns + column;
                if self.base[0].data[n] + self.base[1].data[n] <= PATIENT_MM {
                    air.push(n);
                } else {
                    patient.push(n);
                    if middle[0].contains(&column) && middle[1].contains(&row) {
                        central.push(n);
                    }
                }
            }
        }
        // The measuring field is the middle of the picture, as in machines; where no patient is there, all of it, and else the air.
        if patient.is_empty() {
            patient = air;
        }
        let measured = if central.is_empty() { &patient } else { &central };
        let mean = measured.iter().map(|n| f64::from(total(*n))).sum::<f64>() / measured.len() as f64;
        let bright = if mean > 0.0 { mean } else { 1.0 };
        // Most of the patient stays below white, however dark the middle is.
        let range = |gain: &[f32]| {
            let quantile = |pixels: &[usize], f: f64| {
                let mut all: Vec<f32> = pixels
                    .iter()
                    .map(|n| gain.get(*n).unwrap_or(&1.0) * total(*n))
                    .collect();
                all.sort_unstable_by(f32::total_cmp);
                let at = (f * (all.len().max(1) - 1) as f64).round() as usize;
                all.get(at).map_or(1.0, |v| f64::from(*v))
            };
            let white = quantile(measured, 0.99).max(quantile(&patient, 0.7));
            [white, quantile(measured, 0.005)]
        };
        let gain = if equalised > 0.0 {
            let [most, least] = range(&[]).map(|v| v.max(1e-6) as f32);
            // What the collimator covers and air beside the patient count as the brightest of the patient: no dark seam at the edge.
            let depth = |n: usize| match total(n) {
                v if v > 0.0 => -v.clamp(least, most).ln(),
                _ => -most.ln(),
            };
            let image = Image {
                columns: self.view.columns,
                rows: self.view.rows,
                data: (0..self.primary.len()).into_par_iter().map(depth).collect(),
            };
            let sigma = SLOW_MM / self.view.column_step_mm.norm();
            let slow = blur_widely(&image, sigma, (sigma / 4.0) as usize);
            let (share, usual) = (equalised as f32, -bright.max(1e-6).ln() as f32);
            slow.data.into_par_iter().map(|v| (share * (v - usual)).exp()).collect()
        } else {
            vec![1.0; self.primary.len()]
        };
        self.range = range(&gain);
        self.middle = bright;
        self.gain = gain;
    }

    /// Path through soft tissue and bone of a pixel, mm of water.
    pub fn paths(&self, pixel: usize) -> [f32; 2] {
        [self.base[0].data[pixel], self.base[1].data[pixel]]
    }
}

/// Scatter at the detector, an estimate: in proportion to the primary and the water that it has crossed, more in a wide field, and spread
/// widely.
fn scatter(machine: &Machine, arm: &CArm, view: &View, base: &[Image; 2], primary: &[f32]) -> Image {
    let e = &machine.entry;
    let field = arm.field_mm();
    let radius = (field[0] * field[1] / std::f64::consts::PI).sqrt() / arm.magnification();
    let filled = 1.0 - (-radius / e.scatter_field_mm.value).exp();
    let per_mm = (e.scatter_per_water_mm.value * filled) as f32;
    let source = Image {
        columns: view.columns,
        rows: view.rows,
        data: primary
            .iter()
            .zip(base[0].data.iter().zip(&base[1].data))
            .map(|(p, (soft, bone))| p * per_mm * (soft + bone))
            .collect(),
    };
    let sigma = e.scatter_spread_mm.value / view.column_step_mm.norm();
    blur_widely(&source, sigma, (sigma / 4.0) as usize)
}
