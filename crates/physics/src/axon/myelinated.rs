//! A myelinated fibre as a double cable: axoplasm and the fluid under the myelin.

use super::gates::{Gates, Kinetics};
use super::geometry::Geometry;
use super::lanes::Lanes;
use super::threshold::{Fibre, Step};

/// Passive compartments between two nodes: MYSA, FLUT, six of STIN, FLUT, MYSA.
const BETWEEN: usize = 10;
/// Resistivity of axoplasm and of the fluid under the myelin, Ω cm.
const RESISTIVITY: f64 = 70.0;
/// Length of a node and of a MYSA, µm.
const NODE_LENGTH: f64 = 1.0;
const MYSA_LENGTH: f64 = 3.0;
/// Width of the gap under the myelin, µm: at node and MYSA, and elsewhere.
const NARROW_GAP: f64 = 0.002;
const WIDE_GAP: f64 = 0.004;
/// Capacitance of a membrane, µF/cm², and leak of MYSA and of FLUT and STIN, S/cm².
const CAPACITANCE: f64 = 2.0;
const MYSA_LEAK: f64 = 0.001;
const INTERNODE_LEAK: f64 = 0.0001;
/// Reversal of that leak, mV.
const INTERNODE_REVERSAL: f64 = -80.0;
/// Capacitance (µF/cm²) and leak (S/cm²) of one of the two membranes of a lamella.
const LAMELLA_CAPACITANCE: f64 = 0.1;
const LAMELLA_LEAK: f64 = 0.001;

/// One passive compartment: capacitance (µF) and leak (mS) of the axolemma and of the myelin.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    length: f64,
    axolemma: (f64, f64),
    myelin: (f64, f64),
}

/// A myelinated fibre with sealed ends, both of them nodes of Ranvier.
#[derive(Debug, Clone)]
pub struct Myelinated {
    geometry: Geometry,
    nodes: usize,
    kinetics: Kinetics,
    parts: [Part; BETWEEN],
    /// Along the axoplasm and under the myelin across each of the junctions from node to node, mS.
    axial: [(f64, f64); BETWEEN + 1],
    node_capacitance: f64,
    /// From S/cm² to mS of a node.
    node_area: f64,
    /// The share of sodium channels of each node that are open to take part.
    sodium: Vec<f64>,
    /// Of a fibre that is not equally warm: the membrane of each node. Else empty.
    warmed: Vec<Kinetics>,
    /// Of a fibre that is cut somewhere: whether the internode after each node is. Else empty.
    severed: Vec<bool>,
}

impl Myelinated {
    /// A fibre of so many nodes (at least 2) at a temperature.
    pub fn new(geometry: Geometry, nodes: usize, temperature_c: f64) -> Self {
        let g = geometry;
        let (d, inner) = (g.fibre_diameter, g.axon_diameter);
        let stin = (g.node_spacing - NODE_LENGTH - 2.0 * MYSA_LENGTH - 2.0 * g.paranode_length) / 6.0;
        // Area in cm² of µm × µm.
        let area = |diameter: f64, length: f64| std::f64::consts::PI * diameter * length * 1e-8;
        let part = |diameter: f64, length: f64, leak: f64| {
            let (own, sheath) = (area(diameter, length), area(d, length));
            let membranes = 2.0 * g.lamellae;
            Part {
                length,
                axolemma: (own * CAPACITANCE, 1e3 * own * leak),
                myelin: (
                    sheath * LAMELLA_CAPACITANCE / membranes,
                    1e3 * sheath * LAMELLA_LEAK / membranes,
                ),
            }
        };
        let mysa = part(g.node_diameter, MYSA_LENGTH, MYSA_LEAK);
        let flut = part(inner, g.paranode_length, INTERNODE_LEAK);
        let long = part(inner, stin, INTERNODE_LEAK);
        let parts = [mysa, flut, long, long, long, long, long, long, flut, mysa];
        // Resistance (kΩ) of half a compartment: Ω cm × µm / µm² = 10⁴ Ω, 10 kΩ.
        let half = |length: f64, section: f64| 10.0 * RESISTIVITY * 0.5 * length / section;
        let halves = |diameter: f64, gap: f64, length: f64| {
            let r = 0.5 * diameter;
            let ring = std::f64::consts::PI * ((r + gap).powi(2) - r * r);
            (half(length, std::f64::consts::PI * r * r), half(length, ring))
        };
        let mut along = vec![halves(g.node_diameter, NARROW_GAP, NODE_LENGTH)];
        along.extend(parts.iter().enumerate().map(|(k, p)| {
            let at_mysa = k == 0 || k == BETWEEN - 1;
            let (diameter, gap) = if at_mysa {
                (g.node_diameter, NARROW_GAP)
            } else {
                (inner, WIDE_GAP)
            };
            halves(diameter, gap, p.length)
        }));
        along.push(along[0]);
        let axial = std::array::from_fn(|j| {
            let (a, b) = (along[j], along[j + 1]);
            (1.0 / (a.0 + b.0), 1.0 / (a.1 + b.1))
        });
        let node_area = area(g.node_diameter, NODE_LENGTH);
        Self {
            geometry,
            nodes: nodes.max(2),
            kinetics: Kinetics::mrg(g.fast_sodium, g.slow_potassium, temperature_c),
            parts,
            axial,
            node_capacitance: node_area * CAPACITANCE,
            node_area: 1e3 * node_area,
            sodium: vec![1.0; nodes.max(2)],
            warmed: vec![],
            severed: vec![],
        }
    }

    /// The sizes.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    #[inline]
    fn kinetics_of(&self, node: usize) -> &Kinetics {
        self.warmed.get(node).unwrap_or(&self.kinetics)
    }

    #[inline]
    fn is_severed(&self, after_node: usize) -> bool {
        self.severed.get(after_node).is_some_and(|s| *s)
    }
}

/// A block of the two unknowns of a compartment: across the axolemma, and across the myelin.
type Block = [[f64; 2]; 2];
type Pair = [Lanes; 2];

fn inverse(m: Block) -> Block {
    let det = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    [[m[1][1] / det, -m[0][1] / det], [-m[1][0] / det, m[0][0] / det]]
}

fn product(a: Block, b: Block) -> Block {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j]))
}

#[inline]
fn times(m: &Block, x: Pair) -> Pair {
    let row = |m: &[f64; 2]| x[1].mul_add(Lanes::splat(m[1]), x[0] * m[0]);
    [row(&m[0]), row(&m[1])]
}

/// `a − m x`.
#[inline]
fn less_times(a: Pair, m: &Block, x: Pair) -> Pair {
    let row = |a: Lanes, m: &[f64; 2]| {
        let rest = x[0].mul_neg_add(Lanes::splat(m[0]), a);
        x[1].mul_neg_add(Lanes::splat(m[1]), rest)
    };
    [row(a[0], &m[0]), row(a[1], &m[1])]
}

/// The internode eliminated for one weight of the time derivative.
#[derive(Debug, Clone)]
pub struct Elimination {
    /// Weight of the new value in the time derivative, per ms.
    rate: f64,
    lower: [Block; BETWEEN],
    inverse: [Block; BETWEEN],
    upper: [Block; BETWEEN],
    /// What one mV at the left and at the right node makes in each compartment.
    from_left: [[f64; 2]; BETWEEN],
    from_right: [[f64; 2]; BETWEEN],
}

impl Elimination {
    fn new(fibre: &Myelinated, rate: f64) -> Self {
        let axial = &fibre.axial;
        let between = |j: usize| -> Block { [[-axial[j].0, -axial[j].0], [-axial[j].0, -axial[j].0 - axial[j].1]] };
        let mut own = Self {
            rate,
            lower: [[[0.0; 2]; 2]; BETWEEN],
            inverse: [[[0.0; 2]; 2]; BETWEEN],
            upper: [[[0.0; 2]; 2]; BETWEEN],
            from_left: [[0.0; 2]; BETWEEN],
            from_right: [[0.0; 2]; BETWEEN],
        };
        for k in 0..BETWEEN {
            let p = &fibre.parts[k];
            let (gi, gp) = (axial[k].0 + axial[k + 1].0, axial[k].1 + axial[k + 1].1);
            let mut diagonal: Block = [
                [rate * p.axolemma.0 + p.axolemma.1 + gi, gi],
                [gi, rate * p.myelin.0 + p.myelin.1 + gi + gp],
            ];
            if k > 0 {
                own.lower[k] = product(between(k), own.inverse[k - 1]);
                let taken = product(own.lower[k], between(k));
                for i in 0..2 {
                    for j in 0..2 {
                        diagonal[i][j] -= taken[i][j];
                    }
                }
            }
            own.inverse[k] = inverse(diagonal);
            if k + 1 < BETWEEN {
                own.upper[k] = product(own.inverse[k], between(k + 1));
            }
        }
        let unit = |at: usize, g: f64| {
            let mut right = [[Lanes::splat(0.0); 2]; BETWEEN];
            right[at] = [Lanes::splat(g); 2];
            own.solve(&mut right);
            right.map(|x| x.map(|v| v.to_array()[0]))
        };
        let (left, right) = (unit(0, axial[0].0), unit(BETWEEN - 1, axial[BETWEEN].0));
        (own.from_left, own.from_right) = (left, right);
        own
    }

    /// Solves for the internode with both nodes held at 0 mV.
    #[inline]
    fn solve(&self, x: &mut [Pair; BETWEEN]) {
        for k in 1..BETWEEN {
            x[k] = less_times(x[k], &self.lower[k], x[k - 1]);
        }
        x[BETWEEN - 1] = times(&self.inverse[BETWEEN - 1], x[BETWEEN - 1]);
        for k in (0..BETWEEN - 1).rev() {
            x[k] = less_times(times(&self.inverse[k], x[k]), &self.upper[k], x[k + 1]);
        }
    }
}

/// Potentials across the membranes, mV, and gates.
#[derive(Debug, Clone)]
pub struct State {
    node: Vec<Lanes>,
    node_before: Vec<Lanes>,
    between: Vec<[Pair; BETWEEN]>,
    between_before: Vec<[Pair; BETWEEN]>,
    gates: Vec<Gates>,
    /// Scratch: pivots and right sides of the nodes.
    diagonal: Vec<Lanes>,
    right: Vec<Lanes>,
}

/// What the outside potential of one unit drives, µA: into each node, and into each compartment between.
#[derive(Debug, Clone)]
pub struct Outside {
    node: Vec<f64>,
    between: Vec<[[f64; 2]; BETWEEN]>,
}

impl Fibre for Myelinated {
    type State = State;
    type Factor = Elimination;
    type Outside = Outside;

    fn places_um(&self) -> Vec<f64> {
        let mut all = vec![0.0];
        let mut x = 0.5 * NODE_LENGTH;
        for _ in 1..self.nodes {
            for p in &self.parts {
                all.push(x + 0.5 * p.length);
                x += p.length;
            }
            all.push(x + 0.5 * NODE_LENGTH);
            x += NODE_LENGTH;
        }
        all
    }

    fn active(&self) -> usize {
        self.nodes
    }

    fn place_of(&self, active: usize) -> usize {
        active * (BETWEEN + 1)
    }

    fn set_sodium(&mut self, node: usize, share: f64) {
        self.sodium[node] = share;
    }

    fn set_temperature(&mut self, node: usize, temperature_c: f64) {
        if self.warmed.is_empty() {
            self.warmed = vec![self.kinetics; self.nodes];
        }
        self.warmed[node] = self.kinetics.at(temperature_c);
    }

    fn sever(&mut self, after_node: usize) {
        if self.severed.is_empty() {
            self.severed = vec![false; self.nodes - 1];
        }
        self.severed[after_node] = true;
    }

    fn outside(&self, potential_mv: &[f64]) -> Outside {
        let node = |n: usize| potential_mv[n * (BETWEEN + 1)];
        let mut nodes = vec![0.0; self.nodes];
        let between = (0..self.nodes - 1)
            .map(|n| {
                if self.is_severed(n) {
                    return [[0.0; 2]; BETWEEN];
                }
                let at = |k: usize| potential_mv[n * (BETWEEN + 1) + k];
                nodes[n] += self.axial[0].0 * (at(0) - at(1));
                nodes[n + 1] += self.axial[BETWEEN].0 * (node(n + 1) - at(BETWEEN));
                std::array::from_fn(|k| {
                    let (before, after) = (at(k + 1) - at(k), at(k + 1) - at(k + 2));
                    let inner = self.axial[k].0 * before + self.axial[k + 1].0 * after;
                    [inner, inner + self.axial[k].1 * before + self.axial[k + 1].1 * after]
                })
            })
            .collect();
        Outside { node: nodes, between }
    }

    fn factor(&self, rate: f64) -> Elimination {
        Elimination::new(self, rate)
    }

    fn start(&self) -> State {
        let rest = Lanes::splat(self.kinetics.rest());
        let zero = Lanes::splat(0.0);
        State {
            node: vec![rest; self.nodes],
            node_before: vec![rest; self.nodes],
            between: vec![[[rest, zero]; BETWEEN]; self.nodes - 1],
            between_before: vec![[[rest, zero]; BETWEEN]; self.nodes - 1],
            gates: (0..self.nodes).map(|n| self.kinetics_of(n).steady(rest)).collect(),
            diagonal: vec![zero; self.nodes],
            right: vec![zero; self.nodes],
        }
    }

    fn advance(
        &self,
        s: &mut State,
        step: &Step<'_, Elimination>,
        outside: &Outside,
        amplitude: Lanes,
        injected: Option<(usize, f64)>,
    ) {
        let e = step.factor;
        let [now, before] = step.history;
        for n in 0..self.nodes {
            let v = s.node[n];
            let ahead = v + (v - s.node_before[n]) * step.ahead;
            let kinetics = self.kinetics_of(n);
            kinetics.advance(&mut s.gates[n], ahead, step.dt_ms);
            let (g, ge) = kinetics.current(&s.gates[n], self.sodium[n]);
            s.diagonal[n] = g * self.node_area + e.rate * self.node_capacitance;
            let past = v * now + s.node_before[n] * before;
            s.right[n] = past * self.node_capacitance + ge * self.node_area - amplitude * outside.node[n];
        }
        if let Some((n, current)) = injected {
            s.right[n] += Lanes::splat(current);
        }
        let (first, last) = (self.axial[0].0, self.axial[BETWEEN].0);
        let sum = |x: &[f64; 2]| x[0] + x[1];
        let coupling = -first * sum(&e.from_right[0]);
        let (own_left, own_right) = (
            first * (1.0 - sum(&e.from_left[0])),
            last * (1.0 - sum(&e.from_right[BETWEEN - 1])),
        );
        for n in 0..self.nodes - 1 {
            if self.is_severed(n) {
                continue;
            }
            let f = &outside.between[n];
            let (x, old) = (&mut s.between[n], &mut s.between_before[n]);
            for k in 0..BETWEEN {
                let p = &self.parts[k];
                let past = |i: usize, capacitance: f64, leak: f64| {
                    let new = x[k][i].mul_add(Lanes::splat(capacitance * now), Lanes::splat(leak));
                    let both = old[k][i].mul_add(Lanes::splat(capacitance * before), new);
                    amplitude.mul_neg_add(Lanes::splat(f[k][i]), both)
                };
                let driven = [
                    past(0, p.axolemma.0, p.axolemma.1 * INTERNODE_REVERSAL),
                    past(1, p.myelin.0, 0.0),
                ];
                old[k] = x[k];
                x[k] = driven;
            }
            e.solve(x);
            s.right[n] += (x[0][0] + x[0][1]) * first;
            s.right[n + 1] += (x[BETWEEN - 1][0] + x[BETWEEN - 1][1]) * last;
            s.diagonal[n] += Lanes::splat(own_left);
            s.diagonal[n + 1] += Lanes::splat(own_right);
        }
        // The nodes: a tridiagonal system, the same coupling throughout.
        for n in 1..self.nodes {
            if self.is_severed(n - 1) {
                continue;
            }
            let m = Lanes::splat(coupling) / s.diagonal[n - 1];
            s.diagonal[n] -= m * coupling;
            s.right[n] = s.right[n] - m * s.right[n - 1];
        }
        std::mem::swap(&mut s.node, &mut s.node_before);
        s.node[self.nodes - 1] = s.right[self.nodes - 1] / s.diagonal[self.nodes - 1];
        for n in (0..self.nodes - 1).rev() {
            let after = if self.is_severed(n) { 0.0 } else { coupling };
            s.node[n] = (s.right[n] - s.node[n + 1] * after) / s.diagonal[n];
        }
        for n in 0..self.nodes - 1 {
            if self.is_severed(n) {
                continue;
            }
            let (left, right) = (s.node[n], s.node[n + 1]);
            for (x, (l, r)) in s.between[n].iter_mut().zip(e.from_left.iter().zip(&e.from_right)) {
                for i in 0..2 {
                    let with_left = left.mul_add(Lanes::splat(l[i]), x[i]);
                    x[i] = right.mul_add(Lanes::splat(r[i]), with_left);
                }
            }
        }
    }

    fn settle_gates(&self, s: &mut State) {
        for (n, (y, v)) in s.gates.iter_mut().zip(&s.node).enumerate() {
            *y = self.kinetics_of(n).steady(*v);
        }
    }

    fn extrapolate(&self, fine: &mut State, coarse: &State) {
        for (f, c) in fine.node.iter_mut().zip(&coarse.node) {
            *f = *f + *f - *c;
        }
        for (f, c) in fine
            .between
            .iter_mut()
            .flatten()
            .flatten()
            .zip(coarse.between.iter().flatten().flatten())
        {
            *f = *f + *f - *c;
        }
        for (f, c) in fine.gates.iter_mut().flatten().zip(coarse.gates.iter().flatten()) {
            *f = *f + *f - *c;
        }
        fine.node_before.clone_from(&coarse.node_before);
        fine.between_before.clone_from(&coarse.between_before);
    }

    fn potential(&self, s: &State, active: usize) -> Lanes {
        s.node[active]
    }
}
