//! The operator on the next coarser level, `Pᵀ A P`.

use super::rows::{Operator, Rows};

/// Adds up the entries of one row of a product, in the order in which columns are first met. A hash table of the columns met
/// keeps the work space as small as the row.
struct Accumulator {
    /// Index in `entry` plus one, by hash; zero is free.
    slot: Vec<u32>,
    entry: Vec<(u32, f64)>,
}

impl Accumulator {
    fn new() -> Self {
        Self {
            slot: vec![0; 64],
            entry: Vec::new(),
        }
    }

    fn home(&self, column: u32) -> usize {
        // Fibonacci hashing spreads neighbouring columns.
        (column.wrapping_mul(0x9e37_79b1) >> 8) as usize & (self.slot.len() - 1)
    }

    #[inline]
    fn add(&mut self, column: u32, v: f64) {
        let mask = self.slot.len() - 1;
        let mut at = self.home(column);
        loop {
            match self.slot[at] {
                0 => break,
                e => {
                    let entry = &mut self.entry[e as usize - 1];
                    if entry.0 == column {
                        entry.1 += v;
                        return;
                    }
                }
            }
            at = (at + 1) & mask;
        }
        self.entry.push((column, v));
        self.slot[at] = self.entry.len() as u32;
        if 2 * self.entry.len() > self.slot.len() {
            self.slot = vec![0; 2 * self.slot.len()];
            for e in 0..self.entry.len() {
                self.place(e);
            }
        }
    }

    fn place(&mut self, e: usize) {
        let mut at = self.home(self.entry[e].0);
        while self.slot[at] != 0 {
            at = (at + 1) & (self.slot.len() - 1);
        }
        self.slot[at] = e as u32 + 1;
    }

    fn clear(&mut self) {
        self.entry.clear();
        self.slot.fill(0);
    }
}

/// `Pᵀ K P` with the mass lumped: its row sums `Pᵀ M P 1` on the diagonal. Lumping keeps `K + s M` positive definite for any
/// shift and makes a change of shift a matter of diagonals.
pub fn coarse_operator(a: &Operator, prolong: &Rows, restrict: &Rows) -> Operator {
    let (ap, row_sum) = Rows::build(a.count(), Accumulator::new, |sum, i, part| {
        sum.clear();
        let mut ones = 0.0;
        for (c, p) in prolong.row(i) {
            sum.add(c as u32, a.stiffness[i] * p);
            ones += p;
        }
        for (j, v) in a.off.row(i) {
            for (c, p) in prolong.row(j) {
                sum.add(c as u32, v * p);
            }
        }
        for &(c, v) in &sum.entry {
            part.push(c, v);
        }
        ones
    });
    let (off, stiffness) = Rows::build(restrict.count(), Accumulator::new, |sum, c, part| {
        sum.clear();
        for (i, r) in restrict.row(c) {
            for (d, v) in ap.row(i) {
                sum.add(d as u32, r * v);
            }
        }
        let mut diagonal = 0.0;
        for &(d, v) in &sum.entry {
            if d as usize == c {
                diagonal = v;
            } else if v != 0.0 {
                part.push(d, v);
            }
        }
        diagonal
    });
    let mass = (0..restrict.count())
        .map(|c| restrict.row(c).map(|(i, r)| r * a.mass[i] * row_sum[i]).sum())
        .collect();
    Operator {
        off,
        stiffness,
        mass,
        shift: a.shift,
    }
}
