//! Regular sampling of the fields round the lesion.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::lesion::{Domain, FieldSample, FieldSampler, LesionProblem};
use rayon::prelude::*;

use super::needle_shape::NeedleShape;

/// Most nodes of a lattice; a larger request gets a coarser spacing.
const MAX_NODES: f64 = 4.0e6;
/// Lowest log10 Ω written: below this nothing has happened to the tissue, and the figure is of no use.
pub(crate) const LOG10_OMEGA_FLOOR: f64 = -30.0;
/// A point without a value that is deeper inside the region computed than this lies in metal, mm.
const DOMAIN_SKIN_MM: f64 = 1.0;

/// Values of one node.
const VALUES: usize = 6;

/// Points on an axis-aligned cubic lattice in patient LPS millimetres, x fastest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lattice {
    /// Position of the first node, mm.
    pub origin_mm: Vec3,
    /// Distance between neighbours, mm.
    pub spacing_mm: f64,
    /// Nodes along x, y, z.
    pub dims: [usize; 3],
}

impl Lattice {
    /// A lattice that covers the box from `low` to `high`.
    pub fn around(low: &Vec3, high: &Vec3, spacing_mm: f64) -> Self {
        let size = (high - low).map(|s| s.max(spacing_mm));
        let nodes = size.iter().map(|s| s / spacing_mm + 2.0).product::<f64>();
        let spacing_mm = spacing_mm * (nodes / MAX_NODES).max(1.0).cbrt();
        // Whole multiples of the spacing: the same anatomy gives the same nodes wherever the lesion ends.
        let first = low.map(|c| (c / spacing_mm).floor());
        let last = high.map(|c| (c / spacing_mm).ceil());
        let dims = [0, 1, 2].map(|a| (last[a] - first[a]) as usize + 1);
        Self {
            origin_mm: first * spacing_mm,
            spacing_mm,
            dims,
        }
    }

    /// Position of a node given its number.
    pub fn position_of(&self, node: usize) -> Vec3 {
        let [nx, ny, _] = self.dims;
        self.position([node % nx, node / nx % ny, node / (nx * ny)])
    }

    fn position(&self, index: [usize; 3]) -> Vec3 {
        self.origin_mm + Vec3::from(index.map(|i| i as f64)) * self.spacing_mm
    }

    /// `f(position)` at each node, in parallel.
    pub fn map<T: Send + Copy + Default>(&self, f: impl Fn(&Vec3) -> T + Sync) -> Vec<T> {
        by_rows(self.dims, |index| f(&self.position(index)))
    }

    /// As [`Lattice::map`], by [`filled`].
    pub fn fill<T: Send + Sync + Copy + Default + PartialEq>(&self, f: impl Fn(&Vec3) -> T + Sync) -> Vec<T> {
        filled(self.dims, |index| f(&self.position(index)))
    }
}

/// `f(index)` at each node, the first index running fastest, in parallel by rows.
fn by_rows<T: Send + Copy + Default>([nx, ny, nz]: [usize; 3], f: impl Fn([usize; 3]) -> T + Sync) -> Vec<T> {
    let mut out = vec![T::default(); nx * ny * nz];
    out.par_chunks_mut(nx).enumerate().for_each(|(row, values)| {
        let (j, k) = (row % ny, row / ny);
        for (i, v) in values.iter_mut().enumerate() {
            *v = f([i, j, k]);
        }
    });
    out
}

/// `f(index)` at each node, the first index running fastest; `f` is asked at every other node along each axis first, and between these only
/// where they and those round them differ. Pieces thinner than two nodes may be missed: for pictures.
pub(crate) fn filled<T: Send + Sync + Copy + Default + PartialEq>(
    dims: [usize; 3],
    f: impl Fn([usize; 3]) -> T + Sync,
) -> Vec<T> {
    let [nx, ny, nz] = dims.map(|n| n.div_ceil(2));
    let known = by_rows([nx, ny, nz], |index| f(index.map(|i| 2 * i)));
    let at = |[i, j, k]: [usize; 3]| i.min(nx - 1) + nx * (j.min(ny - 1) + ny * k.min(nz - 1));
    let round = |i: usize, n: usize| i.saturating_sub(1)..(i + 2).min(n);
    // Nodes that are as all those round them.
    let plain = by_rows([nx, ny, nz], |[i, j, k]| {
        let own = known[at([i, j, k])];
        round(k, nz).all(|z| {
            round(j, ny).all(|y| {
                let x = round(i, nx);
                known[at([x.start, y, z])..][..x.len()].iter().all(|v| *v == own)
            })
        })
    });
    by_rows(dims, |index| {
        let (low, high) = (at(index.map(|i| i / 2)), at(index.map(|i| i.div_ceil(2))));
        let on_coarse = index.iter().all(|i| i.is_multiple_of(2));
        if on_coarse || plain[low] && plain[high] {
            known[low]
        } else {
            f(index)
        }
    })
}

/// What was found at one point.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum At {
    /// Beyond the region computed.
    #[default]
    Outside,
    /// In, or as near as nothing to, the metal.
    Metal,
    /// In tissue.
    Tissue,
}

/// One field value in f32 per node, with the values inside the metal continued from the tissue round it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fields {
    /// Temperature at the end of the run, °C.
    pub end_c: Vec<f32>,
    /// Temperature at the end of heating, °C.
    pub heated_c: Vec<f32>,
    /// Highest temperature over the run, °C.
    pub peak_c: Vec<f32>,
    /// log10 Ω, at least [`LOG10_OMEGA_FLOOR`].
    pub log10_omega: Vec<f32>,
    /// Cumulative equivalent minutes at 43 °C.
    pub cem43_min: Vec<f32>,
    /// Field strength at the end of heating, V/m rms (of pulsed current: within a pulse).
    pub field_v_per_m: Vec<f32>,
    /// Where each node lies.
    pub at: Vec<At>,
}

/// Reads the sampler and tells metal from the outside.
pub(crate) struct Probe<'a> {
    sampler: &'a dyn FieldSampler,
    domain: Domain,
    initial_c: f64,
}

impl<'a> Probe<'a> {
    /// A probe of the final fields of a run.
    pub fn new(problem: &LesionProblem, sampler: &'a dyn FieldSampler) -> Self {
        Self {
            sampler,
            domain: problem.domain,
            initial_c: problem.initial_temperature_c,
        }
    }

    /// The fields of untouched tissue.
    fn untouched(&self) -> FieldSample {
        FieldSample {
            temperature_c: self.initial_c,
            peak_temperature_c: self.initial_c,
            heated_temperature_c: self.initial_c,
            ln_omega: LOG10_OMEGA_FLOOR * std::f64::consts::LN_10,
            cem43_min: 0.0,
            field_v_per_m: 0.0,
        }
    }

    /// The fields at a point; outside the region computed they are those of untouched tissue.
    pub fn at(&self, p: &Vec3) -> (At, FieldSample) {
        let untouched = self.untouched();
        match self.sampler.sample(&PatientPoint::from_vec(*p)) {
            // Three fields interpolated each in its own way may cross by a hair; the peak is never below the others.
            Some(s) => {
                let peak_temperature_c = s.peak_temperature_c.max(s.temperature_c).max(s.heated_temperature_c);
                (
                    At::Tissue,
                    FieldSample {
                        peak_temperature_c,
                        ..s
                    },
                )
            }
            None if self.domain.level_mm(p) < -DOMAIN_SKIN_MM => (At::Metal, untouched),
            None => (At::Outside, untouched),
        }
    }

    /// All fields at the points of a lattice with these sides (one side may be 1).
    pub fn fields(&self, dims: [usize; 3], position: impl Fn(usize) -> Vec3 + Sync) -> Fields {
        let everywhere = (Vec3::repeat(f64::NEG_INFINITY), Vec3::repeat(f64::INFINITY));
        self.fields_within(&everywhere, dims, position)
    }

    /// As [`Probe::fields`], but looks only within a box (lowest and highest corner); the rest is taken for untouched.
    pub fn fields_within(
        &self,
        (low, high): &(Vec3, Vec3),
        dims: [usize; 3],
        position: impl Fn(usize) -> Vec3 + Sync,
    ) -> Fields {
        let n: usize = dims.iter().product();
        let rows: Vec<(At, [f32; VALUES])> = (0..n)
            .into_par_iter()
            .with_min_len(1024)
            .map(|i| {
                let p = position(i);
                let (at, s) = if p >= *low && p <= *high {
                    self.at(&p)
                } else {
                    (At::Outside, self.untouched())
                };
                let log10_omega = (s.ln_omega / std::f64::consts::LN_10).max(LOG10_OMEGA_FLOOR);
                (
                    at,
                    [
                        s.temperature_c as f32,
                        s.heated_temperature_c as f32,
                        s.peak_temperature_c as f32,
                        log10_omega as f32,
                        s.cem43_min as f32,
                        s.field_v_per_m as f32,
                    ],
                )
            })
            .collect();
        let at: Vec<At> = rows.iter().map(|r| r.0).collect();
        let mut values: Vec<[f32; VALUES]> = rows.into_iter().map(|r| r.1).collect();
        continue_into_metal(dims, &at, &mut values);
        let column = |c: usize| values.iter().map(|v| v[c]).collect();
        Fields {
            end_c: column(0),
            heated_c: column(1),
            peak_c: column(2),
            log10_omega: column(3),
            cem43_min: column(4),
            field_v_per_m: column(5),
            at,
        }
    }
}

/// Gives each metal node the mean of its neighbours that have values, layer by layer inwards.
fn continue_into_metal(dims: [usize; 3], at: &[At], values: &mut [[f32; VALUES]]) {
    let strides = [1, dims[0], dims[0] * dims[1]];
    let mut known: Vec<bool> = at.iter().map(|a| *a != At::Metal).collect();
    let mut open: Vec<usize> = (0..at.len()).filter(|&n| !known[n]).collect();
    while !open.is_empty() {
        let mut found = Vec::new();
        for &node in &open {
            let index = [node % dims[0], node / dims[0] % dims[1], node / (dims[0] * dims[1])];
            let (mut sum, mut count) = ([0.0f64; VALUES], 0.0);
            for a in 0..3 {
                let neighbours = [
                    (index[a] > 0).then(|| node - strides[a]),
                    (index[a] + 1 < dims[a]).then(|| node + strides[a]),
                ];
                for n in neighbours.into_iter().flatten().filter(|&n| known[n]) {
                    count += 1.0;
                    for (s, v) in sum.iter_mut().zip(values[n]) {
                        *s += f64::from(v);
                    }
                }
            }
            if count > 0.0 {
                found.push((node, sum.map(|s| (s / count) as f32)));
            }
        }
        if found.is_empty() {
            break; // metal alone: the values of untouched tissue stay
        }
        for (node, v) in found {
            values[node] = v;
            known[node] = true;
        }
        open.retain(|&n| !known[n]);
    }
}

/// A coarse survey of the peak temperature, from which boxes round the heated tissue are cut.
pub(crate) struct Survey {
    lattice: Lattice,
    peak_c: Vec<f32>,
    low: Vec3,
    high: Vec3,
}

/// Spacing of the survey, mm.
const SURVEY_SPACING_MM: f64 = 3.0;
/// How far from the active tips the survey looks, mm.
const SURVEY_REACH_MM: f64 = 44.0;
/// Tissue always shown round an active tip, mm.
const LEAST_MARGIN_MM: f64 = 5.0;

impl Survey {
    /// Surveys the neighbourhood of the active tips.
    pub fn new(probe: &Probe<'_>, needles: &[NeedleShape]) -> Self {
        let mut low = Vec3::repeat(f64::INFINITY);
        let mut high = Vec3::repeat(f64::NEG_INFINITY);
        for needle in needles {
            for s in 0..=8 {
                let p = needle.point_at(needle.active_mm * f64::from(s) / 8.0);
                low = low.inf(&p);
                high = high.sup(&p);
            }
            for p in needle.tine_ends() {
                low = low.inf(&p);
                high = high.sup(&p);
            }
        }
        let reach = Vec3::repeat(SURVEY_REACH_MM);
        let lattice = Lattice::around(&(low - reach), &(high + reach), SURVEY_SPACING_MM);
        let peak_c = lattice.map(|p| probe.at(p).1.peak_temperature_c as f32);
        Self {
            lattice,
            peak_c,
            low,
            high,
        }
    }

    /// The box (lowest and highest corner, mm) that holds all tissue that reached `temperature_c`, and a margin.
    pub fn box_above(&self, temperature_c: f64) -> (Vec3, Vec3) {
        let (mut low, mut high) = (
            self.low - Vec3::repeat(LEAST_MARGIN_MM),
            self.high + Vec3::repeat(LEAST_MARGIN_MM),
        );
        let margin = Vec3::repeat(self.lattice.spacing_mm);
        for (n, &t) in self.peak_c.iter().enumerate() {
            if f64::from(t) >= temperature_c {
                let p = self.lattice.position_of(n);
                low = low.inf(&(p - margin));
                high = high.sup(&(p + margin));
            }
        }
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lattice_covers_its_box_and_stays_small() {
        let (low, high) = (Vec3::new(-3.2, 0.1, 7.0), Vec3::new(4.1, 5.0, 9.9));
        let lattice = Lattice::around(&low, &high, 0.5);
        let last = lattice.position_of(lattice.dims.iter().product::<usize>() - 1);
        for a in 0..3 {
            assert!(lattice.origin_mm[a] <= low[a] && last[a] >= high[a] - 1e-9);
        }
        let huge = Lattice::around(&Vec3::repeat(-500.0), &Vec3::repeat(500.0), 0.5);
        assert!(huge.dims.iter().product::<usize>() as f64 <= 1.1 * MAX_NODES && huge.spacing_mm > 0.5);
    }

    #[test]
    fn a_filled_lattice_is_that_of_every_node() {
        let lattice = Lattice::around(&Vec3::new(-8.0, -7.5, -9.0), &Vec3::new(9.0, 8.0, 7.0), 0.5);
        let ball = |p: &Vec3| p.norm() < 5.2 || (p - Vec3::repeat(6.0)).norm() < 1.4;
        assert_eq!(lattice.fill(ball), lattice.map(ball));
    }

    #[test]
    fn metal_takes_the_mean_of_the_tissue_round_it() {
        let dims = [5, 5, 1];
        let mut at = vec![At::Tissue; 25];
        let mut values: Vec<[f32; VALUES]> = (0..25).map(|n| [(n % 5) as f32; VALUES]).collect();
        for n in [11, 12, 13] {
            at[n] = At::Metal;
            values[n] = [99.0; VALUES];
        }
        continue_into_metal(dims, &at, &mut values);
        assert!((values[12][0] - 2.0).abs() < 1e-6);
        assert!((values[11][0] - 2.0 / 3.0).abs() < 1e-6, "neighbours 0, 1 and 1");
    }
}
