//! Least squares with weights that are not negative (Lawson and Hanson), on the normal equations.

/// Passes over the set of free weights.
const PASSES: usize = 200;

/// Minimises `|A w − b|²` over `w ≥ 0`; `gram` is `AᵀA`, `right` is `Aᵀb`.
pub(super) fn nonnegative(gram: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let n = right.len();
    let scale: f64 = (0..n).map(|i| gram[i][i]).fold(0.0, f64::max);
    let mut w = vec![0.0; n];
    let mut free = vec![false; n];
    for _ in 0..PASSES {
        let slope = |w: &[f64], i: usize| right[i] - (0..n).map(|j| gram[i][j] * w[j]).sum::<f64>();
        // The steepest of the bound weights, measured in units of its own column.
        let best = (0..n)
            .filter(|i| !free[*i] && gram[*i][*i] > 1e-14 * scale)
            .map(|i| (i, slope(&w, i) / gram[i][i].sqrt()))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let tolerance = 1e-10
            * right
                .iter()
                .zip(gram.iter().enumerate())
                .fold(
                    0.0,
                    |m: f64, (r, (i, g))| {
                        if g[i] > 0.0 { m.max(r.abs() / g[i].sqrt()) } else { m }
                    },
                );
        let Some((i, _)) = best.filter(|b| b.1 > tolerance) else {
            break;
        };
        free[i] = true;
        for _ in 0..PASSES {
            let solved = solve_free(gram, right, &free);
            let worst = (0..n)
                .filter(|j| free[*j] && solved[*j] <= 0.0)
                .map(|j| (j, w[j] / (w[j] - solved[j])))
                .min_by(|a, b| a.1.total_cmp(&b.1));
            let Some((j, share)) = worst else {
                w = solved;
                break;
            };
            let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
            for k in 0..n {
                w[k] += share * (solved[k] - w[k]);
            }
            w[j] = 0.0;
            free[j] = false;
            if j == i {
                return w;
            }
        }
    }
    w
}

/// Cholesky on the free weights, with a trace of damping.
fn solve_free(gram: &[Vec<f64>], right: &[f64], free: &[bool]) -> Vec<f64> {
    let index: Vec<usize> = (0..right.len()).filter(|i| free[*i]).collect();
    let m = index.len();
    let mut l = vec![vec![0.0; m]; m];
    for a in 0..m {
        for b in 0..=a {
            let mut v = gram[index[a]][index[b]];
            if a == b {
                v *= 1.0 + 1e-10;
            }
            for (x, y) in l[a][..b].iter().zip(&l[b][..b]) {
                v -= x * y;
            }
            l[a][b] = if a == b { v.max(1e-300).sqrt() } else { v / l[b][b] };
        }
    }
    let mut y = vec![0.0; m];
    for a in 0..m {
        let before: f64 = (0..a).map(|b| l[a][b] * y[b]).sum();
        y[a] = (right[index[a]] - before) / l[a][a];
    }
    for a in (0..m).rev() {
        let after: f64 = (a + 1..m).map(|b| l[b][a] * y[b]).sum();
        y[a] = (y[a] - after) / l[a][a];
    }
    let mut out = vec![0.0; right.len()];
    for (i, v) in index.iter().zip(y) {
        out[*i] = v;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_would_be_negative_are_zero() {
        // b = 2 a0 − 1 a1 over orthogonal columns: the second weight is bound.
        let gram = vec![vec![4.0, 0.0], vec![0.0, 9.0]];
        assert_eq!(nonnegative(&gram, &[8.0, -9.0])[1], 0.0);
        assert!((nonnegative(&gram, &[8.0, -9.0])[0] - 2.0).abs() < 1e-8);
    }

    #[test]
    fn a_sum_of_two_columns_is_found() {
        let columns = [[1.0, 0.5, 0.25, 0.1], [1.0, 0.9, 0.8, 0.7], [0.2, 0.4, 0.6, 0.8]];
        let b: Vec<f64> = (0..4).map(|i| 3.0 * columns[0][i] + 0.5 * columns[2][i]).collect();
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f64>();
        let gram: Vec<Vec<f64>> = columns
            .iter()
            .map(|x| columns.iter().map(|y| dot(x, y)).collect())
            .collect();
        let right: Vec<f64> = columns.iter().map(|x| dot(x, &b)).collect();
        let w = nonnegative(&gram, &right);
        for (found, expected) in w.iter().zip([3.0, 0.0, 0.5]) {
            assert!((found - expected).abs() < 1e-6, "{w:?}");
        }
    }
}
