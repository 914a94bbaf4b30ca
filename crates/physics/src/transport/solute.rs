//! Amounts that flow carries, diffusion spreads and blood takes up.

use neurotome_base::parallel::for_blocks;

use super::{
    flow::{Flow, FlowSource},
    grid::{BoxGrid, Faces, Sheet},
};

/// Share of the longest explicit step that keeps every amount above zero.
const SAFETY: f64 = 0.9;

/// A flow made ready to carry solutes: for each cell, by falling pressure, where its fluid comes from.
#[derive(Debug, Clone)]
pub struct Carrier {
    order: Vec<u32>,
    /// Where the inflows of each cell of `order` start; one more than cells.
    start: Vec<u32>,
    /// Cell upstream and flow, m³/s.
    inflow: Vec<(u32, f64)>,
    /// What leaves each cell of `order` to others and over the boundary, m³/s.
    outflow: Vec<f64>,
    /// The part of it that leaves over the boundary.
    lost: Vec<f64>,
    /// Fluid of the sources into each cell of `order`.
    source: Vec<f64>,
}

impl Carrier {
    /// From a flow and its sources.
    pub fn new(grid: &BoxGrid, flow: &Flow, sources: &[FlowSource]) -> Self {
        let n = flow.order.len();
        let (mut lost_of, mut source_of) = (vec![0.0; grid.cells()], vec![0.0; grid.cells()]);
        for (cell, out) in &flow.outer_m3_per_s {
            lost_of[*cell as usize] += out.max(0.0);
        }
        for s in sources {
            source_of[s.cell] += s.rate_m3_per_s;
        }
        let mut carrier = Self {
            order: flow.order.clone(),
            start: vec![0],
            inflow: Vec::with_capacity(3 * n),
            outflow: Vec::with_capacity(n),
            lost: Vec::with_capacity(n),
            source: Vec::with_capacity(n),
        };
        for &cell in &flow.order {
            let cell = cell as usize;
            let mut out = lost_of[cell];
            flow.around(grid, cell, |neighbour, q| {
                if q > 0.0 {
                    out += q;
                } else if q < 0.0 {
                    carrier.inflow.push((neighbour as u32, -q));
                }
            });
            carrier.start.push(carrier.inflow.len() as u32);
            carrier.outflow.push(out);
            carrier.lost.push(lost_of[cell]);
            carrier.source.push(source_of[cell]);
        }
        carrier
    }
}

/// How a solute spreads and is taken up.
#[derive(Debug, Clone)]
pub struct Mixing {
    grid: BoxGrid,
    faces: Faces,
    /// One over the capacity of each cell, zero for closed cells, 1/m³.
    per_capacity: Vec<f64>,
    /// Rate of uptake of each cell, 1/s.
    uptake_per_s: Vec<f64>,
    longest_step_s: f64,
}

impl Mixing {
    /// `diffusion_m2_per_s` is that of tissue, pores and detours included, zero where a cell is closed; `uptake_per_s` is the rate at which
    /// the amount in a cell falls.
    pub fn new(
        grid: &BoxGrid,
        diffusion_m2_per_s: &[f64],
        uptake_per_s: Vec<f64>,
        solute: &Solute,
        sheets: &[Sheet],
    ) -> Self {
        let open: Vec<f64> = diffusion_m2_per_s
            .iter()
            .zip(&solute.capacity_m3)
            .map(|(d, capacity)| if *capacity > 0.0 { *d } else { 0.0 })
            .collect();
        let faces = Faces::new(grid, &open, sheets);
        let per_capacity: Vec<f64> = solute
            .capacity_m3
            .iter()
            .map(|c| if *c > 0.0 { 1.0 / c } else { 0.0 })
            .collect();
        let mut fastest = 0.0f64;
        for (cell, per) in per_capacity.iter().enumerate() {
            let mut sum = 0.0;
            faces.around(grid, cell, |_, g| sum += g);
            fastest = fastest.max(sum * per);
        }
        Self {
            grid: *grid,
            faces,
            per_capacity,
            uptake_per_s,
            longest_step_s: if fastest > 0.0 { SAFETY / fastest } else { f64::INFINITY },
        }
    }

    /// The longest step of diffusion, s; longer ones are cut.
    pub fn longest_step_s(&self) -> f64 {
        self.longest_step_s
    }
}

/// An amount in each cell, in any unit, with its balance. Concentrations are amounts over capacities.
#[derive(Debug, Clone, PartialEq)]
pub struct Solute {
    /// Amount in each cell.
    pub amount: Vec<f64>,
    /// Volume of pore fluid that would hold what a cell holds at the same concentration, β times the cell's volume, m³; zero for closed cells.
    pub capacity_m3: Vec<f64>,
    /// What has been put in.
    pub injected: f64,
    /// What blood has taken up.
    pub absorbed: f64,
    /// What has flowed out over the outer boundary.
    pub left: f64,
}

impl Solute {
    /// Nothing yet.
    pub fn new(capacity_m3: Vec<f64>) -> Self {
        Self {
            amount: vec![0.0; capacity_m3.len()],
            capacity_m3,
            injected: 0.0,
            absorbed: 0.0,
            left: 0.0,
        }
    }

    /// Concentration in a cell's pores, amount per m³; zero in closed cells.
    pub fn concentration(&self, cell: usize) -> f64 {
        let capacity = self.capacity_m3[cell];
        if capacity > 0.0 {
            self.amount[cell] / capacity
        } else {
            0.0
        }
    }

    /// What is in the tissue.
    pub fn total(&self) -> f64 {
        self.amount.iter().sum()
    }

    /// What has been put in less what is there, was absorbed and left, over what has been put in: zero but for rounding.
    pub fn imbalance(&self) -> f64 {
        let there = self.total() + self.absorbed + self.left;
        if self.injected == 0.0 {
            there
        } else {
            there / self.injected - 1.0
        }
    }

    /// One step with the flow, implicit and upwind. The sources bring `inflow` (amount per m³).
    pub fn carry(&mut self, carrier: &Carrier, inflow: f64, dt_s: f64) {
        // Concentrations of the new time, filled downstream.
        let mut fresh = vec![0.0; self.amount.len()];
        for (k, &cell) in carrier.order.iter().enumerate() {
            let cell = cell as usize;
            let mut gain = carrier.source[k] * inflow;
            self.injected += dt_s * gain;
            for (from, q) in &carrier.inflow[carrier.start[k] as usize..carrier.start[k + 1] as usize] {
                gain += q * fresh[*from as usize];
            }
            let held = self.amount[cell] + dt_s * gain;
            if held == 0.0 {
                continue;
            }
            let capacity = self.capacity_m3[cell];
            let c = held / (capacity + dt_s * carrier.outflow[k]);
            fresh[cell] = c;
            self.amount[cell] = capacity * c;
            self.left += dt_s * carrier.lost[k] * c;
        }
    }

    /// Diffusion and uptake over a time, cut into steps that keep every amount above zero.
    pub fn mix(&mut self, mixing: &Mixing, duration_s: f64) {
        let steps = (duration_s / mixing.longest_step_s).ceil().max(1.0) as usize;
        let dt = duration_s / steps as f64;
        let layer = mixing.grid.strides()[2];
        let held = |v: &[f64]| v.iter().any(|a| *a != 0.0);
        let mut layers = self.amount.chunks(layer);
        let Some(first) = layers.position(held) else { return };
        let last = self.amount.chunks(layer).rposition(held).unwrap_or(first);
        // Every step of Euler reaches one layer farther; beyond that there is nothing.
        let (mut low, mut high) = (first, last + 1);
        let kept: Vec<f64> = mixing
            .uptake_per_s
            .iter()
            .map(|rate| (-rate * 0.5 * dt).exp())
            .collect();
        let mut once = vec![0.0; self.amount.len()];
        let mut twice = vec![0.0; self.amount.len()];
        for _ in 0..steps {
            self.take_up(&kept, low * layer..high * layer);
            (low, high) = (low.saturating_sub(2), (high + 2).min(mixing.grid.dims()[2]));
            let range = low * layer..high * layer;
            // Heun's method: the mean of where it was and of two Euler steps, each of which keeps amounts above zero.
            euler(mixing, &self.amount, dt, &mut once, range.clone());
            euler(mixing, &once, dt, &mut twice, range.clone());
            let from = range.start;
            for_blocks(&mut self.amount[range.clone()], |offset, block| {
                for (a, s) in block.iter_mut().zip(&twice[from + offset..]) {
                    *a = 0.5 * (*a + s);
                }
            });
            self.take_up(&kept, range);
        }
    }

    /// Uptake in a range of cells, each of which keeps a share.
    fn take_up(&mut self, kept: &[f64], range: std::ops::Range<usize>) {
        for (amount, share) in self.amount[range.clone()].iter_mut().zip(&kept[range]) {
            if *amount > 0.0 {
                let left = *amount * share;
                self.absorbed += *amount - left;
                *amount = left;
            }
        }
    }
}

/// One explicit step of diffusion in a range of cells. What passes a face is the same number, but for its sign, for both of its cells.
fn euler(mixing: &Mixing, from: &[f64], dt_s: f64, to: &mut [f64], range: std::ops::Range<usize>) {
    let (grid, per) = (&mixing.grid, &mixing.per_capacity);
    let start = range.start;
    for_blocks(&mut to[range], |offset, block| {
        for (k, out) in block.iter_mut().enumerate() {
            let cell = start + offset + k;
            let own = from[cell] * per[cell];
            let mut gain = 0.0;
            mixing
                .faces
                .around(grid, cell, |n, g| gain += g * (from[n] * per[n] - own));
            *out = from[cell] + dt_s * gain;
        }
    });
}
