//! Parallel loops whose results do not depend on the number of threads.
//!
//! Work is cut into blocks of a fixed size, each block is reduced in index order, and the partial results are added in block
//! order. One thread and sixteen give the same bits.

use rayon::prelude::*;

/// Elements in one block of work: small enough to balance two cores, large enough to hide the scheduling.
pub const BLOCK: usize = 2048;

/// The sum over `0..n` of `f(range)` for consecutive blocks, added in block order.
pub fn ordered_sum(n: usize, f: impl Fn(std::ops::Range<usize>) -> f64 + Sync) -> f64 {
    if n <= BLOCK {
        return f(0..n);
    }
    let partial: Vec<f64> = (0..n.div_ceil(BLOCK))
        .into_par_iter()
        .map(|b| f(b * BLOCK..((b + 1) * BLOCK).min(n)))
        .collect();
    partial.iter().sum()
}

/// The scalar product of two vectors of one length.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    ordered_sum(a.len(), |r| a[r.clone()].iter().zip(&b[r]).map(|(x, y)| x * y).sum())
}

/// Calls `f(offset, block)` on consecutive blocks of `out`, in parallel when there is more than one.
pub fn for_blocks<T: Send>(out: &mut [T], f: impl Fn(usize, &mut [T]) + Sync) {
    if out.len() <= BLOCK {
        f(0, out);
    } else {
        out.par_chunks_mut(BLOCK)
            .enumerate()
            .for_each(|(b, chunk)| f(b * BLOCK, chunk));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_does_not_depend_on_threads() {
        let v: Vec<f64> = (0..100_000).map(|i| (i as f64 * 0.7).sin() * 1e3).collect();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| dot(&v, &v))
        };
        assert_eq!(run(1).to_bits(), run(3).to_bits());
    }
}
