//! Random numbers that are a pure function of a seed and a counter: the same in any order, on any number of threads.

/// A stream of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            key: mix(seed ^ 0x9e37_79b9_7f4a_7c15),
        }
    }

    /// An independent stream, one for each number.
    #[must_use]
    pub fn split(&self, n: u64) -> Self {
        Self {
            key: mix(self.key ^ mix(n.wrapping_add(0xd1b5_4a32_d192_ed03))),
        }
    }

    /// 64 random bits.
    pub fn bits(&self, n: u64) -> u64 {
        mix(self.key.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Even between 0 (included) and 1 (excluded).
    pub fn uniform(&self, n: u64) -> f64 {
        (self.bits(n) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller 1958).
    pub fn normal(&self, n: u64) -> f64 {
        let u = 1.0 - self.uniform(n.wrapping_mul(2));
        let v = self.uniform(n.wrapping_mul(2).wrapping_add(1));
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let s = Stream::new(7);
        let n = 100_000u64;
        let mean = |f: &dyn Fn(u64) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
        assert!((mean(&|i| s.uniform(i)) - 0.5).abs() < 4e-3);
        assert!(mean(&|i| s.normal(i)).abs() < 0.013);
        assert!((mean(&|i| s.normal(i).powi(2)) - 1.0).abs() < 0.02);
        assert!((mean(&|i| s.normal(i).powi(4)) - 3.0).abs() < 0.15);
        // Neighbours, and the same place in two streams, do not know of each other.
        assert!(mean(&|i| s.normal(i) * s.normal(i + 1)).abs() < 0.013);
        let (a, b) = (s.split(1), s.split(2));
        assert!(mean(&|i| a.normal(i) * b.normal(i)).abs() < 0.013);
    }
}
