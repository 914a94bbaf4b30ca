//! Heating under the pad of the return electrode.
//!
//! The pad lies on layers of skin, fat and muscle, far from the needle: a problem of its own. By symmetry a quarter of it is computed,
//! on a grid of boxes that are finest at the pad's edge and at the skin's surface:
//!
//! ```text
//!   0 ───── pad at zero potential ─────┤ edge ├──── insulated, cooled by air ────
//!   │ skin                                                                      │
//!   │ fat                                                                       │ source at one potential
//!   │ muscle                                                                    │
//!   └──────────── source at one potential, blood temperature ───────────────────┘
//! ```
//!
//! Under a bare metal plate the current density grows without bound towards the edge, like `1/√(1 − (x/a)²)` under a strip, so it is
//! given as the mean over a rim. Heat goes with the square of the current, so that one electric solve serves the whole run; then the
//! bioheat equation is advanced with the mean square of the run's current over each step. σ is that at 37 °C: the rise is to be a
//! few kelvins, and a larger one is flagged.

use neurotome_physics::{
    injury::Arrhenius,
    linear::{Graph, Matrix, Multigrid, Workspace, conjugate_gradients},
    tissue::TissueProperties,
};
use serde::{Deserialize, Serialize};

use super::{Blood, LesionError, heating::not_converged};

const MM: f64 = 1e-3;
/// Width of the rim over which the density at the edge is a mean, mm.
pub const PAD_RIM_MM: f64 = 2.0;
/// Cell at the pad's edge and at the skin, mm.
const FIRST_MM: f64 = 0.5;
/// Growth of cells per unit of distance from there.
const GROWTH: f64 = 0.35;
/// The region reaches this far beyond the pad and below the skin, mm.
const REACH_MM: f64 = 80.0;
/// Steps in time.
const STEPS: usize = 48;
const TOLERANCE: f64 = 1e-8;

/// A return pad and what lies below it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pad {
    /// Sides of the part that touches the skin, mm.
    pub sides_mm: [f64; 2],
    /// Tissues from the skin inwards, indices of the table of tissues, with their thickness in mm; the last one goes on.
    pub layers: Vec<(usize, f64)>,
    /// Temperature of the room, °C.
    pub room_c: f64,
    /// Coefficient of heat transfer from bare skin to the room, W/(m² K). Nothing passes through the pad.
    pub heat_transfer_w_per_m2_k: f64,
}

/// What becomes of the skin under a pad.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PadHeating {
    /// Area that touches the skin, cm².
    pub contact_cm2: f64,
    /// Largest current of the run, A rms.
    pub current_a: f64,
    /// Mean current density at that current, A/m².
    pub mean_density_a_per_m2: f64,
    /// Mean current density on the outermost 2 mm of the contact over that on all of it.
    pub edge_to_mean: f64,
    /// Resistance between the pad and the ends of the region, Ω.
    pub resistance_ohm: f64,
    /// Skin under the pad before the run, hottest place, °C.
    pub skin_before_c: f64,
    /// Hottest skin over the run, °C.
    pub skin_peak_c: f64,
    /// Largest injury of skin, Ω.
    pub skin_omega: f64,
}

impl PadHeating {
    /// Kelvins left below 43 °C; negative above.
    pub fn margin_k(&self) -> f64 {
        43.0 - self.skin_peak_c
    }
}

/// A quarter of the region, cut into boxes by planes; metres.
struct Boxes {
    planes: [Vec<f64>; 3],
    /// Half sides of the contact.
    half: [f64; 2],
    edges: Vec<(u32, u32)>,
    /// Area over distance to the face on each side of every edge, m.
    shape: Vec<(f64, f64)>,
}

impl Boxes {
    /// `first` is the cell at the edge in metres; `borders` are the depths at which the tissue changes.
    fn new(half: [f64; 2], reach: f64, borders: &[f64], first: f64, growth: f64) -> Self {
        let rim = PAD_RIM_MM * MM;
        let across = |h: f64| {
            let stops: Vec<f64> = [h - rim, h, h + reach].into_iter().filter(|s| *s > 1e-9).collect();
            planes(&stops, |s| first + growth * (s - h).abs())
        };
        let mut stops: Vec<f64> = borders.iter().copied().filter(|d| *d < reach).collect();
        stops.push(reach);
        let planes = [across(half[0]), across(half[1]), planes(&stops, |s| first + growth * s)];
        Self::between(planes, half)
    }

    fn between(planes: [Vec<f64>; 3], half: [f64; 2]) -> Self {
        let n = [planes[0].len() - 1, planes[1].len() - 1, planes[2].len() - 1];
        let mut out = Self {
            planes,
            half,
            edges: Vec::new(),
            shape: Vec::new(),
        };
        for i in 0..n[0] * n[1] * n[2] {
            let at = out.place(i);
            let size = out.size(i);
            for a in 0..3 {
                if at[a] + 1 < n[a] {
                    let step = [1, n[0], n[0] * n[1]][a];
                    let area = size[(a + 1) % 3] * size[(a + 2) % 3];
                    out.edges.push((i as u32, (i + step) as u32));
                    out.shape
                        .push((area / (0.5 * size[a]), area / (0.5 * out.size(i + step)[a])));
                }
            }
        }
        out
    }

    fn count(&self) -> usize {
        self.planes.iter().map(|p| p.len() - 1).product()
    }

    fn place(&self, i: usize) -> [usize; 3] {
        let (nx, ny) = (self.planes[0].len() - 1, self.planes[1].len() - 1);
        [i % nx, i / nx % ny, i / (nx * ny)]
    }

    fn size(&self, i: usize) -> [f64; 3] {
        let at = self.place(i);
        [0, 1, 2].map(|a| self.planes[a][at[a] + 1] - self.planes[a][at[a]])
    }

    fn center(&self, i: usize) -> [f64; 3] {
        let at = self.place(i);
        [0, 1, 2].map(|a| 0.5 * (self.planes[a][at[a] + 1] + self.planes[a][at[a]]))
    }

    fn volume(&self, i: usize) -> f64 {
        self.size(i).iter().product()
    }

    /// True for a box at the skin's surface.
    fn at_surface(&self, i: usize) -> bool {
        self.place(i)[2] == 0
    }

    /// True for a box that the pad touches.
    fn touched(&self, i: usize) -> bool {
        let c = self.center(i);
        self.at_surface(i) && c[0] < self.half[0] && c[1] < self.half[1]
    }

    /// Faces on the far sides and the bottom: box, area over distance in m, middle of the face.
    fn far(&self) -> Vec<(usize, f64, [f64; 3])> {
        let mut out = Vec::new();
        for i in 0..self.count() {
            let (at, size) = (self.place(i), self.size(i));
            for a in 0..3 {
                if at[a] + 2 == self.planes[a].len() {
                    let mut middle = self.center(i);
                    middle[a] += 0.5 * size[a];
                    out.push((i, size[(a + 1) % 3] * size[(a + 2) % 3] / (0.5 * size[a]), middle));
                }
            }
        }
        out
    }

    /// Conductance of every edge for a property of each box.
    fn conductance(&self, of: &[f64]) -> Vec<f64> {
        self.edges
            .iter()
            .zip(&self.shape)
            .map(|(&(a, b), (sa, sb))| 1.0 / (1.0 / (sa * of[a as usize]) + 1.0 / (sb * of[b as usize])))
            .collect()
    }
}

/// Planes from 0 through all stops, spaced as `size` asks.
fn planes(stops: &[f64], size: impl Fn(f64) -> f64) -> Vec<f64> {
    const SAMPLES: usize = 400;
    let mut out = vec![0.0];
    for &to in stops {
        let from = out[out.len() - 1];
        let ds = (to - from) / SAMPLES as f64;
        let mut cells = vec![0.0];
        for k in 0..SAMPLES {
            cells.push(cells[k] + ds / size(from + (k as f64 + 0.5) * ds));
        }
        let n = cells[SAMPLES].ceil().max(1.0);
        let mut k = 0;
        for c in 1..n as usize {
            let wanted = cells[SAMPLES] * c as f64 / n;
            while cells[k + 1] < wanted {
                k += 1;
            }
            out.push(from + ds * (k as f64 + (wanted - cells[k]) / (cells[k + 1] - cells[k])));
        }
        out.push(to);
    }
    out
}

/// The current under the pad at unit potential of the source.
struct Flow {
    /// Current into the quarter of the pad, A.
    current: f64,
    /// Current into its rim, A.
    rim: f64,
    /// Power of each box, W.
    power: Vec<f64>,
    #[cfg(test)]
    iterations: usize,
}

/// Solves ∇·(σ∇φ) = 0 with the pad at zero and `far` on the far faces (none: insulated).
fn flow(boxes: &Boxes, sigma: &[f64], far: &dyn Fn([f64; 3]) -> Option<f64>) -> Result<Flow, LesionError> {
    let n = boxes.count();
    let graph = Graph::new(n, &boxes.edges);
    let g = boxes.conductance(sigma);
    let (mut ground, mut b) = (vec![0.0; n], vec![0.0; n]);
    // Potential held, conductance to it, box.
    let mut held: Vec<(f64, f64, usize)> = Vec::new();
    for i in (0..n).filter(|i| boxes.touched(*i)) {
        let s = boxes.size(i);
        held.push((0.0, sigma[i] * s[0] * s[1] / (0.5 * s[2]), i));
    }
    let pads = held.len();
    let outer = boxes.far().into_iter();
    held.extend(outer.filter_map(|(i, shape, p)| Some((far(p)?, sigma[i] * shape, i))));
    for &(v, c, i) in &held {
        ground[i] += c;
        b[i] += c * v;
    }
    let mut a = graph.matrix();
    graph.assemble(&g, &ground, &mut a);
    let mut phi = vec![0.0; n];
    let solved = solve(&a, &mut Multigrid::new(&a, &[], 0.0), &b, &mut phi);
    if !solved.converged {
        return Err(not_converged("potential under the pad", 0.0, &solved, TOLERANCE, n));
    }
    let mut out = Flow {
        current: 0.0,
        rim: 0.0,
        power: vec![0.0; n],
        #[cfg(test)]
        iterations: solved.iterations,
    };
    for ((&(i, k), (si, sk)), g) in boxes.edges.iter().zip(&boxes.shape).zip(&g) {
        let (i, k) = (i as usize, k as usize);
        let current = g * (phi[i] - phi[k]);
        out.power[i] += current * current / (si * sigma[i]);
        out.power[k] += current * current / (sk * sigma[k]);
    }
    for (h, &(v, c, i)) in held.iter().enumerate() {
        let current = c * (phi[i] - v);
        out.power[i] += current * (phi[i] - v);
        if h < pads {
            out.current += current;
            let p = boxes.center(i);
            if (0..2).any(|a| p[a] > boxes.half[a] - PAD_RIM_MM * MM) {
                out.rim += current;
            }
        }
    }
    Ok(out)
}

fn solve(a: &Matrix<f64>, multigrid: &mut Multigrid, b: &[f64], x: &mut [f64]) -> neurotome_physics::linear::Solved {
    conjugate_gradients(a, multigrid, &mut Workspace::default(), b, x, TOLERANCE, 200)
}

/// Mean of the square of the current over `from..to`; the current of a step is that at its end, as the steps are implicit.
fn mean_square(t_s: &[f64], current_a: &[f64], from: f64, to: f64) -> f64 {
    let mut before = 0.0;
    let mut sum = 0.0;
    for (t, i) in t_s.iter().zip(current_a) {
        sum += i * i * (t.min(to) - f64::max(before, from)).max(0.0);
        before = *t;
    }
    sum / (to - from)
}

impl Pad {
    /// Heating of the skin by the current that returns through the pad: times in s, and A rms over the step that ends there. `law`
    /// is the injury law of skin.
    ///
    /// # Errors
    /// [`LesionError::Problem`] without layers, contact or time; [`LesionError::NotConverged`].
    pub fn heating(
        &self,
        (t_s, current_a): (&[f64], &[f64]),
        tissues: &[TissueProperties],
        blood: &Blood,
        law: &Arrhenius,
    ) -> Result<PadHeating, LesionError> {
        self.heating_on((t_s, current_a), tissues, blood, law, 1.0, STEPS)
    }

    fn heating_on(
        &self,
        (t_s, current_a): (&[f64], &[f64]),
        tissues: &[TissueProperties],
        blood: &Blood,
        law: &Arrhenius,
        cell_size: f64,
        steps: usize,
    ) -> Result<PadHeating, LesionError> {
        let end_s = t_s.last().copied().unwrap_or(0.0);
        let known = self.layers.iter().all(|l| l.0 < tissues.len() && l.1 > 0.0);
        if self.layers.is_empty() || !known || self.sides_mm.iter().any(|s| s.is_nan() || *s <= 0.0) || end_s <= 0.0 {
            return Err(LesionError::Problem {
                step: "reading the return pad",
                found: format!("{self:?} over {end_s} s"),
                expected: "sides and layers above zero, tissues of the table, and a run that lasts".into(),
                advice: "correct the pad".into(),
            });
        }
        let mut borders = Vec::new();
        let mut depth = 0.0;
        for (_, thickness) in &self.layers[..self.layers.len() - 1] {
            depth += thickness * MM;
            borders.push(depth);
        }
        let half = self.sides_mm.map(|s| 0.5 * s * MM);
        let boxes = Boxes::new(
            half,
            REACH_MM * MM,
            &borders,
            cell_size * FIRST_MM * MM,
            cell_size * GROWTH,
        );
        let n = boxes.count();
        let layer: Vec<usize> = (0..n)
            .map(|i| borders.partition_point(|d| *d < boxes.center(i)[2]))
            .collect();
        let of = |f: &dyn Fn(&TissueProperties) -> f64| -> Vec<f64> {
            layer.iter().map(|&l| f(&tissues[self.layers[l].0])).collect()
        };
        let flow = flow(&boxes, &of(&|t| t.sigma_s_per_m), &|_| Some(1.0))?;
        let area = 4.0 * half[0] * half[1];
        let rim = PAD_RIM_MM * MM;
        let inner = half.map(|h| (h - rim).max(0.0));
        let rim_area = area - 4.0 * inner[0] * inner[1];

        // Heat: conduction, air on the bare skin, blood.
        let k = of(&|t| t.thermal_conductivity_w_per_m_k);
        let capacity: Vec<f64> = of(&|t| t.heat_capacity_j_per_m3_k())
            .iter()
            .enumerate()
            .map(|(i, c)| c * boxes.volume(i))
            .collect();
        let rho_c = blood.density_kg_per_m3 * blood.specific_heat_j_per_kg_k;
        let (mut ground, mut source) = (vec![0.0; n], vec![0.0; n]);
        for (i, w) in of(&|t| t.perfusion_per_s).iter().enumerate() {
            ground[i] += w * rho_c * boxes.volume(i);
            source[i] += w * rho_c * boxes.volume(i) * blood.temperature_c;
            if boxes.at_surface(i) && !boxes.touched(i) {
                let s = boxes.size(i);
                let g = s[0] * s[1] / (1.0 / self.heat_transfer_w_per_m2_k + 0.5 * s[2] / k[i]);
                ground[i] += g;
                source[i] += g * self.room_c;
            }
        }
        let bottom = boxes.planes[2].len() - 2;
        for i in (0..n).filter(|&i| boxes.place(i)[2] == bottom) {
            let s = boxes.size(i);
            let g = k[i] * s[0] * s[1] / (0.5 * s[2]);
            ground[i] += g;
            source[i] += g * blood.temperature_c;
        }
        let graph = Graph::new(n, &boxes.edges);
        let conductance = boxes.conductance(&k);
        let mut a = graph.matrix();
        graph.assemble(&conductance, &ground, &mut a);
        let mut t = vec![blood.temperature_c; n];
        let solved = solve(&a, &mut Multigrid::new(&a, &[], 0.0), &source, &mut t);
        if !solved.converged {
            return Err(not_converged("heat under the pad", 0.0, &solved, TOLERANCE, n));
        }
        let skin: Vec<usize> = (0..n).filter(|&i| layer[i] == 0).collect();
        let hottest = |t: &[f64]| skin.iter().fold(f64::NEG_INFINITY, |m, &i| m.max(t[i]));
        let skin_before_c = skin
            .iter()
            .filter(|i| boxes.touched(**i))
            .fold(f64::NEG_INFINITY, |m, &i| m.max(t[i]));
        let mut skin_peak_c = hottest(&t);
        let mut omega = vec![0.0; skin.len()];

        let dt = end_s / steps as f64;
        for (g, c) in ground.iter_mut().zip(&capacity) {
            *g += c / dt;
        }
        graph.assemble(&conductance, &ground, &mut a);
        let mut multigrid = Multigrid::new(&a, &capacity, 1.0 / dt);
        // The quarter carries a quarter of the current.
        let per_a2 = 1.0 / (4.0 * flow.current).powi(2);
        for step in 0..steps {
            let from = step as f64 * dt;
            let square = mean_square(t_s, current_a, from, from + dt) * per_a2;
            let b: Vec<f64> = (0..n)
                .map(|i| source[i] + capacity[i] / dt * t[i] + square * flow.power[i])
                .collect();
            let before = t.clone();
            let solved = solve(&a, &mut multigrid, &b, &mut t);
            if !solved.converged {
                return Err(not_converged("heat under the pad", from + dt, &solved, TOLERANCE, n));
            }
            for (omega, &i) in omega.iter_mut().zip(&skin) {
                *omega += 0.5 * dt * (law.rate_per_s(before[i]) + law.rate_per_s(t[i]));
            }
            skin_peak_c = skin_peak_c.max(hottest(&t));
        }
        let current_a = current_a.iter().fold(0.0, |m: f64, i| m.max(i.abs()));
        Ok(PadHeating {
            contact_cm2: 1e4 * area,
            current_a,
            mean_density_a_per_m2: current_a / area,
            edge_to_mean: (flow.rim / flow.current) / (rim_area / area),
            resistance_ohm: 1.0 / (4.0 * flow.current),
            skin_before_c,
            skin_peak_c,
            skin_omega: omega.iter().fold(0.0, |m: f64, w| m.max(*w)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKIN: TissueProperties = TissueProperties {
        sigma_s_per_m: 0.17,
        sigma_temperature_coefficient_per_k: 0.0,
        sigma_limit_temperature_c: 100.0,
        thermal_conductivity_w_per_m_k: 0.42,
        density_kg_per_m3: 1125.0,
        specific_heat_j_per_kg_k: 3500.0,
        perfusion_per_s: 0.0,
        water_fraction: 0.65,
        sigma_fibre_ratio: 1.0,
        perfusion_rise: None,
        fluid: None,
    };
    const BLOOD: Blood = Blood {
        density_kg_per_m3: 1060.0,
        specific_heat_j_per_kg_k: 3890.0,
        temperature_c: 37.0,
    };
    const LAW: Arrhenius = Arrhenius {
        ln_frequency_factor: 226.78,
        activation_energy_j_per_mol: 6.28e5,
    };

    fn current(current_a: f64, seconds: usize) -> (Vec<f64>, Vec<f64>) {
        ((0..=seconds).map(|t| t as f64).collect(), vec![current_a; seconds + 1])
    }

    /// A square plate on a half space: half of the conductance of one in full space, whose capacitance is 0.3667874 · 4πε times
    /// its side (Hwang and Mascagni 2004). The far faces hold the potential of that current.
    #[test]
    fn square_plate_on_a_half_space() {
        let (side, sigma) = (0.1, 0.4);
        let exact = 0.5 * 4.0 * std::f64::consts::PI * 0.366_787_4 * sigma * side;
        let far = |p: [f64; 3]| {
            let r = (p[0] * p[0] + p[1] * p[1] + p[2] * p[2]).sqrt();
            1.0 - exact / (2.0 * std::f64::consts::PI * sigma * r)
        };
        let error = |refined: f64| {
            let boxes = Boxes::new([0.5 * side; 2], 0.25, &[], 1e-3 * refined, 0.3 * refined);
            let found = flow(&boxes, &vec![sigma; boxes.count()], &|p| Some(far(p))).unwrap();
            assert!(found.iterations < 30, "{}", found.iterations);
            4.0 * found.current / exact - 1.0
        };
        let (coarse, fine) = (error(1.0), error(0.5));
        // The singular edge makes the error fall with the size of the edge's cells.
        assert!(fine.abs() < 0.012, "{coarse} {fine}");
        assert!(coarse.abs() / fine.abs() > 1.6, "{coarse} {fine}");
    }

    /// A strip: density 1/√(1 − (x/a)²), so that the rim takes 1 − (2/π) asin(1 − w/a) of the current. The far faces hold the exact
    /// potential Re arcosh(z/a).
    #[test]
    fn rim_of_a_strip() {
        let a = 0.04;
        let far = |p: [f64; 3]| {
            // Of the ellipse of foci ±a through the point: cosh is the half sum of the distances from them over a.
            let sum = (p[0] - a).hypot(p[2]) + (p[0] + a).hypot(p[2]);
            (0.5 * sum / a).max(1.0).acosh()
        };
        let share = |refined: f64| {
            let (reach, first, growth) = (0.1, 0.5e-3 * refined, 0.3 * refined);
            let wide = Boxes::new([a, 0.1], reach, &[], first, growth);
            let [x, _, z] = wide.planes;
            // One box of unit length along the strip, insulated at its ends.
            let slice = Boxes::between([x, vec![0.0, 1.0], z], [a, 2.0]);
            let at_end = |p: [f64; 3]| p[1] > 0.9;
            let found = flow(&slice, &vec![0.3; slice.count()], &|p| (!at_end(p)).then(|| far(p)));
            let found = found.unwrap();
            found.rim / found.current
        };
        let exact = 1.0 - std::f64::consts::FRAC_2_PI * (1.0 - PAD_RIM_MM * MM / a).asin();
        let (coarse, fine) = (share(1.0) / exact - 1.0, share(0.5) / exact - 1.0);
        assert!(fine.abs() < 0.03, "{coarse} {fine}");
        assert!(fine.abs() < coarse.abs(), "{coarse} {fine}");
    }

    /// Without blood or conduction to speak of, uniform current heats evenly: ΔT = J² t / (σ ρc) under the middle of the pad.
    #[test]
    fn heat_goes_with_the_square_of_the_current() {
        let pad = Pad {
            sides_mm: [120.0, 120.0],
            layers: vec![(0, 2.0)],
            room_c: 37.0,
            heat_transfer_w_per_m2_k: 10.0,
        };
        let rise = |current_a: f64, cell_size: f64, steps: usize| {
            let (t, i) = current(current_a, 60);
            let h = pad
                .heating_on((&t, &i), &[SKIN], &BLOOD, &LAW, cell_size, steps)
                .unwrap();
            assert!((h.skin_before_c - 37.0).abs() < 1e-5);
            assert!((h.mean_density_a_per_m2 - current_a / 0.0144).abs() < 1e-9);
            h.skin_peak_c - 37.0
        };
        let one = rise(0.5, 1.0, 48);
        assert!((rise(1.0, 1.0, 48) / one - 4.0).abs() < 1e-4);
        // More steps and smaller cells move the rise at the edge by a few percent.
        assert!((rise(0.5, 1.0, 96) / one - 1.0).abs() < 0.02, "{one}");
        assert!(
            (rise(0.5, 0.5, 48) / one - 1.0).abs() < 0.06,
            "{one} {}",
            rise(0.5, 0.5, 48)
        );
    }

    #[test]
    fn a_small_pad_burns_and_a_large_one_does_not() {
        let fat = TissueProperties {
            sigma_s_per_m: 0.025,
            thermal_conductivity_w_per_m_k: 0.21,
            ..SKIN
        };
        let pad = |side: f64| Pad {
            sides_mm: [side, side],
            layers: vec![(0, 2.0), (1, 10.0), (0, 1.0)],
            room_c: 23.0,
            heat_transfer_w_per_m2_k: 10.0,
        };
        let (t, i) = current(0.6, 90);
        let heating = |side: f64| pad(side).heating((&t, &i), &[SKIN, fat], &BLOOD, &LAW).unwrap();
        let (large, small) = (heating(122.5), heating(20.0));
        assert!(large.margin_k() > 0.0 && large.skin_omega < 1.0, "{large:?}");
        assert!(small.margin_k() < 0.0 && small.skin_omega > 1.0, "{small:?}");
        // Air cools bare skin, but not that under the pad so much.
        assert!(large.skin_before_c < 37.0 && large.skin_before_c > 33.0, "{large:?}");
        assert!(large.edge_to_mean > 1.0);
    }

    #[test]
    fn current_of_a_step_is_that_at_its_end() {
        let (t, i) = ([0.0, 1.0, 3.0], [9.0, 2.0, 1.0]);
        assert!((mean_square(&t, &i, 0.0, 3.0) - 2.0).abs() < 1e-12);
        assert!((mean_square(&t, &i, 0.5, 1.5) - 2.5).abs() < 1e-12);
    }
}
