//! Numbers that look random and are a function of seed, stream and place alone, so that any thread may ask for any of them in any order.

use std::f64::consts::TAU;

/// A stream of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream of a number under a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self {
            key: mixed(mixed(seed).wrapping_add(stream.wrapping_mul(GOLDEN))),
        }
    }

    /// Evenly spread in (0, 1): the number at `place`.
    pub fn uniform(&self, place: u64) -> f64 {
        let bits = mixed(self.key.wrapping_add(place.wrapping_mul(GOLDEN)));
        ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Normal with mean 0 and standard deviation 1: the number at `place`.
    pub fn normal(&self, place: u64) -> f64 {
        let radius = (-2.0 * self.uniform(2 * place).ln()).sqrt();
        radius * (TAU * self.uniform(2 * place + 1)).cos()
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of splitmix64 (Steele, Lea and Flood 2014; Stafford's variant 13).
fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Point `index` of a sequence that fills the unit cube evenly (Halton's, in coprime bases), turned by a shift of the seed.
pub fn evenly<const N: usize>(index: u64, shift: &Stream) -> [f64; N] {
    const BASES: [u64; 8] = [2, 3, 5, 7, 11, 13, 17, 19];
    std::array::from_fn(|axis| {
        let base = BASES[axis];
        let (mut rest, mut scale, mut sum) = (index + 1, 1.0, 0.0);
        while rest > 0 {
            scale /= base as f64;
            sum += (rest % base) as f64 * scale;
            rest /= base;
        }
        (sum + shift.uniform(axis as u64)).fract()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_their_moments() {
        let stream = Stream::new(7, 3);
        let n = 40_000;
        let (mut mean, mut square, mut beyond) = (0.0, 0.0, 0);
        for i in 0..n {
            let x = stream.normal(i);
            mean += x;
            square += x * x;
            beyond += u32::from(x.abs() > 1.96);
        }
        let n = n as f64;
        // Standard errors: 0.005 of the mean, 0.007 of the variance, 0.0011 of the share beyond.
        assert!((mean / n).abs() < 0.02, "{}", mean / n);
        assert!((square / n - 1.0).abs() < 0.03, "{}", square / n);
        assert!((f64::from(beyond) / n - 0.05).abs() < 0.005);
    }

    #[test]
    fn streams_and_seeds_differ_and_repeat() {
        let first = |seed, stream| Stream::new(seed, stream).uniform(0);
        assert_eq!(first(1, 2), first(1, 2));
        assert!(first(1, 2) != first(2, 1) && first(1, 2) != first(1, 3));
    }

    #[test]
    fn the_even_sequence_fills_every_box() {
        let shift = Stream::new(1, 1);
        let mut counts = [0u32; 16];
        for i in 0..1600 {
            let [a, b] = evenly::<2>(i, &shift);
            assert!((0.0..1.0).contains(&a) && (0.0..1.0).contains(&b));
            counts[(4.0 * a) as usize * 4 + (4.0 * b) as usize] += 1;
        }
        // Random points would scatter by ±10.
        assert!(counts.iter().all(|c| (92..=108).contains(c)), "{counts:?}");
    }
}
