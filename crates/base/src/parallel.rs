//! Parallel loops whose results do not depend on the number of threads.
//!
//! Work is cut into blocks of a fixed size, each block is reduced in index order, and the partial results are added in block
//! order. One thread and sixteen give the same bits.

/// Elements in one block of work: small enough to balance two cores, large enough to hide the scheduling.
pub const BLOCK: usize = 2048;

/// Elements up to which waking other threads costs more than it saves.
const SERIAL: usize = 2 * BLOCK;

/// What a loop writes: a slice, or several slices of one length side by side.
pub trait Parts: Send + Sized {
    /// Elements.
    fn count(&self) -> usize;
    /// The first `at` elements and the rest.
    fn split(self, at: usize) -> (Self, Self);
}

impl<T: Send> Parts for &mut [T] {
    fn count(&self) -> usize {
        self.len()
    }

    fn split(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

impl<A: Parts, B: Parts> Parts for (A, B) {
    fn count(&self) -> usize {
        debug_assert_eq!(self.0.count(), self.1.count());
        self.0.count()
    }

    fn split(self, at: usize) -> (Self, Self) {
        let ((a, c), (b, d)) = (self.0.split(at), self.1.split(at));
        ((a, b), (c, d))
    }
}

impl<A: Parts, B: Parts, C: Parts> Parts for (A, B, C) {
    fn count(&self) -> usize {
        debug_assert!(self.0.count() == self.1.count() && self.0.count() == self.2.count());
        self.0.count()
    }

    fn split(self, at: usize) -> (Self, Self) {
        let ((a, d), (b, e), (c, f)) = (self.0.split(at), self.1.split(at), self.2.split(at));
        ((a, b, c), (d, e, f))
    }
}

/// Calls `f(offset, block)` on consecutive blocks of `out`, in parallel when it pays.
pub fn for_blocks<T: Send>(out: &mut [T], f: impl Fn(usize, &mut [T]) + Sync) {
    for_parts(out, f);
}

/// As [`for_blocks`], with several slices written side by side.
pub fn for_parts<P: Parts>(out: P, f: impl Fn(usize, P) + Sync) {
    if out.count() <= SERIAL || rayon::current_num_threads() == 1 {
        in_order(0, out, &mut |offset, block| f(offset, block));
    } else {
        halves(0, out, &f);
    }
}

fn in_order<P: Parts>(mut offset: usize, mut out: P, f: &mut impl FnMut(usize, P)) {
    while out.count() > BLOCK {
        let (block, rest) = out.split(BLOCK);
        f(offset, block);
        offset += BLOCK;
        out = rest;
    }
    f(offset, out);
}

fn halves<P: Parts>(offset: usize, out: P, f: &(impl Fn(usize, P) + Sync)) {
    let count = out.count();
    if count <= BLOCK {
        return f(offset, out);
    }
    let middle = count.div_ceil(BLOCK) / 2 * BLOCK;
    let (left, right) = out.split(middle);
    rayon::join(|| halves(offset, left, f), || halves(offset + middle, right, f));
}

/// As [`for_parts`] with a value of each block; the sum of the values, added in block order.
pub fn sum_parts<P: Parts>(out: P, f: impl Fn(usize, P) -> f64 + Sync) -> f64 {
    let count = out.count();
    if count <= SERIAL || rayon::current_num_threads() == 1 {
        let mut sum = 0.0;
        in_order(0, out, &mut |offset, block| sum += f(offset, block));
        return sum;
    }
    let mut partial = vec![0.0; count.div_ceil(BLOCK)];
    sum_halves(0, out, &mut partial, &f);
    partial.iter().fold(0.0, |sum, v| sum + v)
}

fn sum_halves<P: Parts>(offset: usize, out: P, partial: &mut [f64], f: &(impl Fn(usize, P) -> f64 + Sync)) {
    let blocks = partial.len();
    if blocks == 1 {
        partial[0] = f(offset, out);
        return;
    }
    let (first, second) = partial.split_at_mut(blocks / 2);
    let middle = blocks / 2 * BLOCK;
    let (left, right) = out.split(middle);
    rayon::join(
        || sum_halves(offset, left, first, f),
        || sum_halves(offset + middle, right, second, f),
    );
}

/// A length with nothing to write.
struct Indices(usize);

impl Parts for Indices {
    fn count(&self) -> usize {
        self.0
    }

    fn split(self, at: usize) -> (Self, Self) {
        (Self(at), Self(self.0 - at))
    }
}

/// The sum over `0..n` of `f(range)` for consecutive blocks, added in block order.
pub fn ordered_sum(n: usize, f: impl Fn(std::ops::Range<usize>) -> f64 + Sync) -> f64 {
    sum_parts(Indices(n), |offset, block| f(offset..offset + block.0))
}

/// The scalar product of two vectors of one length.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    ordered_sum(a.len(), |r| {
        // Four sums side by side, so that no addition waits for the one before.
        let (mut a, mut b) = (a[r.clone()].chunks_exact(4), b[r].chunks_exact(4));
        let mut sum = [0.0; 4];
        for (x, y) in a.by_ref().zip(b.by_ref()) {
            for k in 0..4 {
                sum[k] += x[k] * y[k];
            }
        }
        for (x, y) in a.remainder().iter().zip(b.remainder()) {
            sum[0] += x * y;
        }
        (sum[0] + sum[1]) + (sum[2] + sum[3])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(f)
    }

    #[test]
    fn sum_does_not_depend_on_threads() {
        let v: Vec<f64> = (0..100_000).map(|i| (i as f64 * 0.7).sin() * 1e3).collect();
        let sums = [1, 2, 3].map(|threads| with_threads(threads, || dot(&v, &v)).to_bits());
        assert_eq!(sums[0], sums[1]);
        assert_eq!(sums[0], sums[2]);
    }

    #[test]
    fn every_element_of_every_part_is_met_once() {
        for n in [0, 1, BLOCK, BLOCK + 1, SERIAL + 1, 5 * BLOCK - 3, 20_000] {
            for threads in [1, 2] {
                let (mut a, mut b, mut c) = (vec![0u32; n], vec![0u64; n], vec![0u8; n]);
                let sum = with_threads(threads, || {
                    sum_parts((&mut a[..], &mut b[..], &mut c[..]), |offset, (a, b, c)| {
                        for (k, ((a, b), c)) in a.iter_mut().zip(b).zip(c).enumerate() {
                            *a += (offset + k) as u32;
                            *b += 2 * (offset + k) as u64;
                            *c += 1;
                        }
                        a.len() as f64
                    })
                });
                assert_eq!(sum, n as f64);
                assert!(a.iter().enumerate().all(|(i, v)| *v == i as u32));
                assert!(b.iter().enumerate().all(|(i, v)| *v == 2 * i as u64));
                assert!(c.iter().all(|v| *v == 1));
            }
        }
    }
}
