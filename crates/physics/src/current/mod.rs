//! Quasi-static current: ∇·(σ(T) ∇φ) = 0.
//!
//! The potential is a sum over channels, `φ = Σ V_k u_k`: each channel of the generator has its voltage and its unit potential, the
//! potential while it alone is at one volt. So voltage, current, power and temperature control need no further solve.

mod fibres;

use neurotome_base::parallel::{for_blocks, ordered_sum};

use crate::{
    grid::{Face, Grid, OuterFace},
    linear::{Graph, LANES, Matrix, Multigrid, Solved, Workspace, conjugate_gradients},
    medium::{Link, Medium, MetalLink},
};

use fibres::{Fibres, WithFibres};

/// Most iterations of a solve. Some twenty are usual; fibres beside air or thin skin, which the hierarchy does not know of, take hundreds.
const MOST_ITERATIONS: usize = 1000;

/// The current problem on one grid, with what is kept from solve to solve.
pub struct Current {
    tissue_cells: usize,
    a: Matrix<f64>,
    graph: Graph,
    workspace: Workspace,
    /// Between nodes, in the order of the graph's edges.
    links: Vec<Link>,
    /// Links to metal with a potential.
    electrode_links: Vec<MetalLink>,
    channels: Vec<Channel>,
    /// Outer faces with a potential, that of the first channel at one volt; the others are insulated.
    outer_potential: Vec<(u32, f64)>,
    fibres: Option<Fibres>,
    /// How much better each link conducts through its fibres; empty without fibres.
    link_gain: Vec<f64>,
    multigrid: Option<Multigrid>,
    fresh_iterations: usize,
    conductance: Vec<f64>,
    ground: Vec<f64>,
    /// σ over that at 37 °C at the last assembly.
    factor: Vec<f64>,
}

/// One channel of the generator.
pub struct Channel {
    /// Potential of each electrode face while the channel is at one volt.
    at_one_volt: Vec<f64>,
    /// Potential of each node while the channel alone is at one volt: the start of the next solve.
    pub potential: Vec<f64>,
}

/// What flows at given voltages.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Power in the tissue, W.
    pub power: f64,
    /// Current out of each needle's metal into the tissue, A.
    pub needle_current: Vec<f64>,
    /// Current out of each electrode into the tissue, A: the contacts of all needles, needle by needle.
    pub electrode_current: Vec<f64>,
    /// Relative current balance: (in − out) / in.
    pub balance: f64,
}

/// What a solve gives, for one volt on the first channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentState {
    /// Power at one volt, W: the conductance seen by the generator, S.
    pub conductance: f64,
    /// Current out of the metal into the tissue at one volt, A.
    pub current: f64,
    /// Relative current balance: (in − out) / in.
    pub balance: f64,
    /// How the linear solve went.
    pub solved: Solved,
}

impl Current {
    /// Prepares the problem of one channel; `fractions` holds the potential of each electrode (the contacts of all needles, needle by
    /// needle) as a fraction of the generator's voltage. The outer boundary is the return electrode, at zero.
    pub fn new(grid: &Grid, medium: &Medium, fractions: &[f64]) -> Self {
        Self::with_channels(grid, medium, &[fractions.to_vec()])
    }

    /// Prepares the problem of several channels; `fractions[k]` holds each electrode's potential while channel `k` is at one volt.
    pub fn with_channels(grid: &Grid, medium: &Medium, fractions: &[Vec<f64>]) -> Self {
        let of_channel = |k: usize, f: &Face| grid.electrode(f).map(|e| fractions[k][e]);
        Self::prepare(grid, medium, fractions.len(), &of_channel, &|_| Some(0.0))
    }

    /// Prepares the problem with any potential on the metal's faces (none: insulated) and on the outer faces (none: insulated).
    pub fn with_potentials(
        grid: &Grid,
        medium: &Medium,
        metal: &dyn Fn(&Face) -> Option<f64>,
        outer: &dyn Fn(&OuterFace) -> Option<f64>,
    ) -> Self {
        Self::prepare(grid, medium, 1, &|_, f| metal(f), outer)
    }

    fn prepare(
        grid: &Grid,
        medium: &Medium,
        channels: usize,
        metal: &dyn Fn(usize, &Face) -> Option<f64>,
        outer: &dyn Fn(&OuterFace) -> Option<f64>,
    ) -> Self {
        let network = &medium.network;
        let nodes = network.nodes();
        let mut electrode_links = Vec::new();
        let mut at_one_volt = vec![Vec::new(); channels];
        for link in &network.metal_links {
            let f = &grid.faces[link.face as usize];
            if metal(0, f).is_some() {
                electrode_links.push(*link);
                for (c, all) in at_one_volt.iter_mut().enumerate() {
                    all.push(metal(c, f).unwrap_or(0.0));
                }
            }
        }
        let edges: Vec<(u32, u32)> = network.links.iter().map(|l| (l.a, l.b)).collect();
        let graph = Graph::new(nodes, &edges);
        let outer_potential: Vec<(u32, f64)> = (0u32..)
            .zip(&grid.outer)
            .filter_map(|(k, f)| Some((k, outer(f)?)))
            .collect();
        let outer_faces: Vec<u32> = outer_potential.iter().map(|o| o.0).collect();
        let fibres = Fibres::new(grid, medium, &electrode_links, &outer_faces);
        let link_gain = fibres.as_ref().map_or_else(Vec::new, |f| f.link_gain(grid, medium));
        Self {
            tissue_cells: grid.tissue_cells,
            a: graph.matrix(),
            graph,
            workspace: Workspace::default(),
            conductance: vec![0.0; edges.len()],
            links: network.links.clone(),
            electrode_links,
            channels: at_one_volt
                .into_iter()
                .map(|at_one_volt| Channel {
                    at_one_volt,
                    potential: vec![0.0; nodes],
                })
                .collect(),
            outer_potential,
            fibres,
            link_gain,
            multigrid: None,
            fresh_iterations: 0,
            ground: vec![0.0; nodes],
            factor: vec![1.0; nodes],
        }
    }

    /// The channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The channels, to give their solves a better start.
    pub fn channels_mut(&mut self) -> &mut [Channel] {
        &mut self.channels
    }

    /// Solves all channels at the given temperatures in °C; `wet` is each cell's conductivity over that of wet tissue.
    pub fn solve(
        &mut self,
        grid: &Grid,
        medium: &Medium,
        temperature: &[f64],
        wet: Option<&(dyn Fn(usize) -> f64 + Sync)>,
        tolerance: f64,
    ) -> Vec<Solved> {
        self.assemble(grid, medium, temperature, wet);
        (0..self.channels.len())
            .map(|k| self.solve_channel(k, grid, medium, tolerance))
            .collect()
    }

    /// Solves one channel at one volt, and leaves in `heat` the power of every cell, W.
    pub fn solve_one_volt(
        &mut self,
        grid: &Grid,
        medium: &Medium,
        temperature: &[f64],
        tolerance: f64,
        heat: &mut [f64],
    ) -> CurrentState {
        let solved = self.solve(grid, medium, temperature, None, tolerance)[0];
        let flow = self.flow(grid, medium, &[1.0], heat);
        CurrentState {
            conductance: flow.power,
            current: flow.needle_current.iter().sum(),
            balance: flow.balance,
            solved,
        }
    }

    /// Conductances and matrix at the given temperatures.
    fn assemble(
        &mut self,
        grid: &Grid,
        medium: &Medium,
        temperature: &[f64],
        wet: Option<&(dyn Fn(usize) -> f64 + Sync)>,
    ) {
        for_blocks(&mut self.factor, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                let (node, cell) = (offset + k, medium.network.cell(offset + k));
                *v = medium.sigma_factor(node, temperature[cell]) * wet.map_or(1.0, |w| w(cell));
            }
        });
        let factor = &self.factor;
        let edges = &self.links;
        for_blocks(&mut self.conductance, |offset, block| {
            for (g, e) in block.iter_mut().zip(&edges[offset..]) {
                *g = 1.0 / (e.ra / factor[e.a as usize] + e.rb / factor[e.b as usize]);
            }
        });
        self.ground.fill(0.0);
        for link in &self.electrode_links {
            let node = link.node as usize;
            self.ground[node] += factor[node] / link.resistance;
        }
        for &(k, _) in &self.outer_potential {
            let cell = grid.outer[k as usize].cell as usize;
            self.ground[cell] += factor[cell] / medium.outer_electric[k as usize];
        }
        self.graph.assemble(&self.conductance, &self.ground, &mut self.a);
        if let Some(fibres) = &mut self.fibres {
            fibres.set_factor(&self.factor);
        }
    }

    fn solve_channel(&mut self, k: usize, grid: &Grid, medium: &Medium, tolerance: f64) -> Solved {
        let channel = &mut self.channels[k];
        let mut b = vec![0.0; self.ground.len()];
        for (link, potential) in self.electrode_links.iter().zip(&channel.at_one_volt) {
            let node = link.node as usize;
            b[node] += self.factor[node] / link.resistance * potential;
        }
        if k == 0 {
            for &(k, potential) in &self.outer_potential {
                let cell = grid.outer[k as usize].cell as usize;
                b[cell] += self.factor[cell] / medium.outer_electric[k as usize] * potential;
            }
        }
        // The hierarchy is kept while σ(T) drifts, and made anew when it has become a poor likeness.
        let mut multigrid = self.multigrid.take().unwrap_or_else(|| {
            if self.link_gain.is_empty() {
                Multigrid::new(&self.a, &[], 0.0)
            } else {
                let likely: Vec<f64> = self
                    .conductance
                    .iter()
                    .zip(&self.link_gain)
                    .map(|(g, f)| g * f)
                    .collect();
                let mut a = self.a.clone();
                self.graph.assemble(&likely, &self.ground, &mut a);
                Multigrid::new(&a, &[], 0.0)
            }
        });
        let (x, workspace) = (&mut channel.potential, &mut self.workspace);
        let solved = match &self.fibres {
            None => {
                let solved = conjugate_gradients(&self.a, &mut multigrid, workspace, &b, x, tolerance, MOST_ITERATIONS);
                close_balance(&self.ground, &b, x);
                solved
            }
            Some(fibres) => {
                let held: Vec<f64> = channel
                    .at_one_volt
                    .iter()
                    .copied()
                    .chain(self.outer_potential.iter().map(|o| if k == 0 { o.1 } else { 0.0 }))
                    .collect();
                fibres.subtract_source(&held, &mut b);
                conjugate_gradients(
                    &WithFibres(&self.a, fibres),
                    &mut multigrid,
                    workspace,
                    &b,
                    x,
                    tolerance,
                    MOST_ITERATIONS,
                )
            }
        };
        if self.fresh_iterations == 0 {
            self.fresh_iterations = solved.iterations;
        }
        self.multigrid = (solved.iterations <= self.fresh_iterations + 6).then_some(multigrid);
        solved
    }

    /// The potential of every tissue cell at the channels' voltages, V; in a cell that a border cuts that of the tissue at its point.
    pub fn potential(&self, volts: &[f64]) -> Vec<f64> {
        let mut phi = self.of_nodes(volts);
        phi.truncate(self.tissue_cells);
        phi
    }

    fn of_nodes(&self, volts: &[f64]) -> Vec<f64> {
        let mut phi = vec![0.0; self.ground.len()];
        for_blocks(&mut phi, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = self
                    .channels
                    .iter()
                    .zip(volts)
                    .map(|(c, v)| v * c.potential[offset + k])
                    .sum();
            }
        });
        phi
    }

    /// What flows at the channels' voltages; leaves in `heat` the power of every cell, W. The potentials are those of the last
    /// solve.
    pub fn flow(&self, grid: &Grid, medium: &Medium, volts: &[f64], heat: &mut [f64]) -> Flow {
        let n = grid.tissue_cells;
        let combined;
        let u: &[f64] = if let ([channel], [1.0]) = (&self.channels[..], volts) {
            &channel.potential
        } else {
            combined = self.of_nodes(volts);
            &combined
        };
        let electrode: Vec<f64> = (0..self.electrode_links.len())
            .map(|e| self.channels.iter().zip(volts).map(|(c, v)| v * c.at_one_volt[e]).sum())
            .collect();
        heat[n..].fill(0.0);
        // The heat of a face goes to its two sides as their resistances; the sum over cells is the power exactly.
        let (conductance, factor) = (&self.conductance, &self.factor);
        let (edges, graph) = (&self.links, &self.graph);
        let mut of_node = vec![0.0; u.len()];
        for_blocks(&mut of_node, |offset, block| {
            for (s, block) in block.chunks_mut(LANES).enumerate() {
                let first = offset + s * LANES;
                let mut sum = [0.0; LANES];
                graph.for_slice(first, |k, j, edge| {
                    let (i, e) = (first + k, &edges[edge]);
                    let own = if e.a as usize == i { e.ra } else { e.rb };
                    let current = conductance[edge] * (u[i] - u[j]);
                    sum[k] += current * current * own;
                });
                for ((heat, sum), factor) in block.iter_mut().zip(sum).zip(&factor[first..]) {
                    *heat = sum / factor;
                }
            }
        });
        heat[..n].copy_from_slice(&of_node[..n]);
        for (&cell, more) in medium.network.further.iter().zip(&of_node[n..]) {
            heat[cell as usize] += more;
        }
        let by_fibres = self.fibres.as_ref().map(|f| {
            let mut held = electrode.clone();
            held.extend(self.outer_potential.iter().map(|o| o.1 * volts[0]));
            f.add_heat(u, &held, &mut heat[..n])
        });
        let needles = grid.metal_needle.iter().map(|&k| usize::from(k) + 1).max().unwrap_or(0);
        let mut needle_current = vec![0.0; needles];
        let mut electrode_current = vec![0.0; grid.electrodes()];
        let mut sent_size = 0.0;
        for (e, (link, potential)) in self.electrode_links.iter().zip(&electrode).enumerate() {
            let face = &grid.faces[link.face as usize];
            let node = link.node as usize;
            let g = factor[node] / link.resistance;
            let d = potential - u[node];
            heat[face.a as usize] += g * d * d;
            let current = g * d + by_fibres.as_ref().map_or(0.0, |f| f[e]);
            needle_current[usize::from(grid.metal_needle[face.b as usize - n])] += current;
            if let Some(electrode) = grid.electrode(face) {
                electrode_current[electrode] += current;
            }
            sent_size += current.abs();
        }
        let mut returned = 0.0;
        for (o, &(k, potential)) in self.outer_potential.iter().enumerate() {
            let cell = grid.outer[k as usize].cell as usize;
            let d = u[cell] - potential * volts[0];
            let g = factor[cell] / medium.outer_electric[k as usize];
            heat[cell] += g * d * d;
            returned += g * d - by_fibres.as_ref().map_or(0.0, |f| f[electrode.len() + o]);
        }
        let power = ordered_sum(n, |r| heat[r].iter().sum());
        let sent: f64 = needle_current.iter().sum();
        Flow {
            power,
            needle_current,
            electrode_current,
            balance: (sent - returned) / sent_size.max(returned.abs()).max(f64::MIN_POSITIVE),
        }
    }

    /// Mean conductivity of a tissue cell at the last solve, S/m; across the fibres where it has any.
    pub fn conductivity(&self, medium: &Medium, cell: usize) -> f64 {
        medium.sigma[cell] * self.factor[cell]
    }

    /// Rows on each multigrid level of the last solve, finest first.
    pub fn level_sizes(&self) -> Vec<usize> {
        self.multigrid.as_ref().map(Multigrid::level_sizes).unwrap_or_default()
    }
}

/// Scales the potential by the hair that makes what enters leave exactly: the residual's sum over all cells becomes zero.
fn close_balance(ground: &[f64], b: &[f64], u: &mut [f64]) {
    let n = b.len();
    let injected = ordered_sum(n, |r| b[r].iter().sum());
    let drained = ordered_sum(n, |r| r.map(|i| ground[i] * u[i]).sum());
    if drained.abs() > 0.0 && (injected / drained - 1.0).abs() < 1e-3 {
        for_blocks(u, |_, block| {
            for v in block {
                *v *= injected / drained;
            }
        });
    }
}
