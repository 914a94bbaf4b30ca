//! Aggregates of strongly coupled cells, and the smoothed prolongation from them (Vaněk, Mandel and Brezina 1996).

use super::rows::{Operator, Rows};

/// No aggregate: a row that needs no coarse correction.
pub const NONE: u32 = u32::MAX;

/// Strong couplings of every row, and its diagonal with the weak ones moved onto it.
pub struct Strong {
    /// The strong entries beside the diagonal.
    pub off: Rows,
    /// Diagonal of the filtered matrix.
    pub diagonal: Vec<f64>,
}

/// Entry `(i, j)` is strong when it is negative and above `strength √(aᵢᵢ aⱼⱼ)` in size.
pub fn strong_couplings(a: &Operator, strength: f64) -> Strong {
    let scale: Vec<f64> = (0..a.count()).map(|i| 1.0 / a.diagonal(i).sqrt()).collect();
    let (off, diagonal) = Rows::build(
        a.count(),
        || (),
        |(), i, part| {
            let limit = -strength / scale[i];
            let full = a.diagonal(i);
            let mut diagonal = full;
            for (j, v) in a.off.row(i) {
                if v * scale[j] < limit {
                    part.push(j as u32, v);
                } else {
                    diagonal += v;
                }
            }
            // On an M-matrix the strong entries still fit under what is left; elsewhere this keeps the sign.
            diagonal.max(0.1 * full)
        },
    );
    Strong { off, diagonal }
}

/// Aggregate of every row, and how many there are.
pub fn aggregate(strong: &Rows) -> (Vec<u32>, usize) {
    let n = strong.count();
    let mut group = vec![NONE; n];
    let mut groups = 0u32;
    let neighbours = |i: usize| &strong.column[strong.start[i] as usize..strong.start[i + 1] as usize];
    // Rows whose whole neighbourhood is free found an aggregate.
    for i in 0..n {
        let around = neighbours(i);
        if group[i] == NONE && !around.is_empty() && around.iter().all(|&j| group[j as usize] == NONE) {
            group[i] = groups;
            for &j in around {
                group[j as usize] = groups;
            }
            groups += 1;
        }
    }
    // The rest join the aggregate to which they are coupled most.
    let first = group.clone();
    for i in 0..n {
        if group[i] == NONE {
            let best = strong
                .row(i)
                .filter(|e| first[e.0] != NONE)
                .min_by(|e, f| e.1.total_cmp(&f.1));
            if let Some((j, _)) = best {
                group[i] = first[j];
            }
        }
    }
    for i in 0..n {
        if group[i] == NONE && !neighbours(i).is_empty() {
            group[i] = groups;
            for &j in neighbours(i) {
                let j = &mut group[j as usize];
                if *j == NONE {
                    *j = groups;
                }
            }
            groups += 1;
        }
    }
    (group, groups as usize)
}

/// `(I − ω D⁻¹ A_F) P₀` with piecewise constant `P₀` and the filtered matrix `A_F`.
pub fn prolongation(strong: &Strong, group: &[u32]) -> Rows {
    let (rows, _) = Rows::build(group.len(), Vec::new, |row: &mut Vec<(u32, f64)>, i, part| {
        if group[i] == NONE {
            return 0.0;
        }
        let diagonal = strong.diagonal[i];
        // On M-matrices the spectrum of D⁻¹A_F ends at 2, so that ω = (4/3) / 2.
        let omega = 2.0 / 3.0;
        row.clear();
        row.push((group[i], 1.0 - omega));
        for (j, v) in strong.off.row(i) {
            let (g, v) = (group[j], -omega * v / diagonal);
            if g == NONE {
                continue;
            }
            match row.iter_mut().find(|r| r.0 == g) {
                Some(r) => r.1 += v,
                None => row.push((g, v)),
            }
        }
        for &(g, v) in row.iter() {
            part.push(g, v);
        }
        0.0
    });
    rows
}
