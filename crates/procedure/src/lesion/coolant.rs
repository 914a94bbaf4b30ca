//! Coolant of an internally cooled probe: it comes down an inner tube and returns along the channel's wall, warming on its way.

use neurotome_physics::grid::Grid;

use super::LesionProblem;

/// Heat capacity of water, J/(m³ K) (4180 J/(kg K) · 1000 kg/m³).
const WATER_J_PER_M3_K: f64 = 4.18e6;

/// Heat capacity of a flow of water, W/K.
pub(crate) fn stream_w_per_k(flow_ml_per_min: f64) -> f64 {
    flow_ml_per_min * 1e-6 / 60.0 * WATER_J_PER_M3_K
}

/// A place of a channel's wall.
pub(super) struct WallPlace {
    /// The metal cell, counted from the first cell.
    pub cell: usize,
    /// From the metal's point to the coolant, W/K.
    pub conductance: f64,
    /// Temperature of the coolant here, °C.
    pub coolant_c: f64,
}

/// Coolant on its way along one probe's wall, from the end of the channel towards the hub.
pub(super) struct CoolantFlow {
    pub wall: Vec<WallPlace>,
    /// The needle, counted from the first.
    pub needle: usize,
    inlet_c: f64,
    /// Heat capacity of what flows, W/K; infinite when it does not warm.
    stream: f64,
}

impl CoolantFlow {
    /// The flows of all cooled needles.
    pub fn all(problem: &LesionProblem, grid: &Grid) -> Vec<Self> {
        let n = grid.tissue_cells;
        let of_needle = |k: usize| {
            let needle = &problem.needles[k];
            let coolant = needle.coolant?;
            let conduction = needle.metal.thermal_conductivity_w_per_m_k;
            let wall = (0..grid.metal_needle.len())
                .filter(|&i| grid.coolant_area[i] > 0.0 && usize::from(grid.metal_needle[i]) == k)
                .map(|i| WallPlace {
                    cell: n + i,
                    conductance: 1.0
                        / (grid.coolant_resistance[i] / conduction
                            + 1.0 / (grid.coolant_area[i] * coolant.heat_transfer_w_per_m2_k)),
                    coolant_c: coolant.temperature_c,
                })
                .collect();
            Some(Self {
                wall,
                needle: k,
                inlet_c: coolant.temperature_c,
                stream: coolant.flow_ml_per_min.map_or(f64::INFINITY, stream_w_per_k),
            })
        };
        (0..problem.needles.len()).filter_map(of_needle).collect()
    }

    /// Changes what comes in: °C and ml/min (zero: it stands still).
    pub fn set(&mut self, inlet_c: f64, flow_ml_per_min: f64) {
        self.inlet_c = inlet_c;
        self.stream = stream_w_per_k(flow_ml_per_min);
    }

    /// Heat taken from metal at `temperature_c`, W, and the metal's temperature as the coolant meets it, °C.
    pub fn taken(&self, temperature_c: impl Fn(usize) -> f64) -> (f64, f64) {
        let (mut heat, mut sum, mut all) = (0.0, 0.0, 0.0);
        for place in &self.wall {
            let metal = temperature_c(place.cell);
            heat += place.conductance * (metal - place.coolant_c);
            sum += place.conductance * metal;
            all += place.conductance;
        }
        (heat, sum / f64::max(all, f64::MIN_POSITIVE))
    }

    /// Warms the coolant on its way past metal at `temperature_c`; along each place it nears the metal exponentially.
    pub fn warm(&mut self, temperature_c: impl Fn(usize) -> f64) {
        let mut coolant = self.inlet_c;
        for place in &mut self.wall {
            let metal = temperature_c(place.cell);
            if self.stream <= 0.0 {
                // What stands still is as warm as the metal.
                place.coolant_c = metal;
                continue;
            }
            let units = place.conductance / self.stream;
            // The mean along the place, so that conductance times difference is the heat taken.
            let share = if units > 1e-12 { -(-units).exp_m1() / units } else { 1.0 };
            place.coolant_c = metal - (metal - coolant) * share;
            coolant = metal - (metal - coolant) * (-units).exp();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coolant_takes_what_it_warms_by() {
        let mut flow = CoolantFlow {
            wall: (0..50)
                .map(|cell| WallPlace {
                    cell,
                    conductance: 0.004,
                    coolant_c: 0.0,
                })
                .collect(),
            needle: 0,
            inlet_c: 20.0,
            stream: 0.1,
        };
        flow.warm(|_| 60.0);
        let taken: f64 = flow.wall.iter().map(|p| p.conductance * (60.0 - p.coolant_c)).sum();
        // A heat exchanger with 2 transfer units at a wall of constant temperature.
        let outlet = 60.0 - 40.0 * (-2.0f64).exp();
        assert!((taken - 0.1 * (outlet - 20.0)).abs() < 1e-9, "{taken}");
        assert!(flow.wall.windows(2).all(|w| w[1].coolant_c > w[0].coolant_c));
        flow.stream = f64::INFINITY;
        flow.warm(|_| 60.0);
        assert!(flow.wall.iter().all(|p| p.coolant_c == 20.0));
    }
}
