//! Noise that depends on seed, picture and pixel alone: the same numbers whatever the order and the threads.

/// Normally distributed numbers addressed by a counter.
#[derive(Debug, Clone)]
pub struct Noise {
    /// Quantiles of the normal distribution at (n + ½)/len.
    quantiles: Vec<f32>,
}

const LEVELS: usize = 4096;

impl Default for Noise {
    fn default() -> Self {
        Self::new()
    }
}

impl Noise {
    /// Tabulates the quantiles: dx/dp = √(2π) exp(x²/2) from the middle outwards, by Runge and Kutta's fourth-order steps.
    pub fn new() -> Self {
        /// Steps between two levels; towards the tail the curve steepens.
        const STEPS: usize = 16;
        let slope = |x: f64| (2.0 * std::f64::consts::PI).sqrt() * (0.5 * x * x).exp();
        let half = LEVELS / 2;
        let mut upper = Vec::with_capacity(half);
        let mut x = 0.0;
        for n in 0..half {
            // The first level is half a step from the middle.
            let span = if n == 0 { 0.5 } else { 1.0 } / LEVELS as f64;
            let h = span / STEPS as f64;
            for _ in 0..STEPS {
                let k1 = slope(x);
                let k2 = slope(x + 0.5 * h * k1);
                let k3 = slope(x + 0.5 * h * k2);
                let k4 = slope(x + h * k3);
                x += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
            }
            upper.push(x as f32);
        }
        Self {
            quantiles: upper.iter().rev().map(|v| -v).chain(upper.iter().copied()).collect(),
        }
    }

    /// A number of mean 0 and variance 1, cut at ±3.7, for a pixel of a picture.
    #[inline]
    pub fn normal(&self, seed: u64, stream: u64, pixel: u64) -> f32 {
        let bits =
            mix(seed ^ mix(stream.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ pixel.wrapping_mul(0xD1B5_4A32_D192_ED03)));
        // Twelve bits choose the level, twenty more the place between it and the next.
        let level = (bits >> 52) as usize;
        let between = ((bits >> 32) & 0xF_FFFF) as f32 * (1.0 / 1_048_576.0);
        let low = self.quantiles[level & (LEVELS - 1)];
        let high = self.quantiles[(level + 1).min(LEVELS - 1)];
        low + between * (high - low)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[inline]
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_normal_distribution() {
        let noise = Noise::new();
        let n = 400_000u64;
        let mut sums = [0.0f64; 5];
        let mut neighbours = 0.0;
        for pixel in 0..n {
            let v = f64::from(noise.normal(7, 3, pixel));
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum += v.powi(k as i32);
            }
            neighbours += v * f64::from(noise.normal(7, 3, pixel + 1));
        }
        let m = sums.map(|s| s / n as f64);
        // Standard errors: 0.0016, 0.0022, 0.006, 0.015.
        assert!(m[1].abs() < 0.007, "{m:?}");
        assert!((m[2] - 1.0).abs() < 0.01, "{m:?}");
        assert!(m[3].abs() < 0.025 && (m[4] - 3.0).abs() < 0.08, "{m:?}");
        assert!((neighbours / n as f64).abs() < 0.007);
    }

    #[test]
    fn quantiles_are_right() {
        let noise = Noise::new();
        // Φ⁻¹(0.975) = 1.959964, within half a level.
        let at = noise.quantiles[(0.975 * LEVELS as f64) as usize];
        assert!((at - 1.959_964).abs() < 3e-3, "{at}");
        assert_ne!(noise.normal(1, 0, 0), noise.normal(2, 0, 0));
        assert_ne!(noise.normal(1, 0, 0), noise.normal(1, 1, 0));
        assert_eq!(noise.normal(1, 0, 5), noise.normal(1, 0, 5));
    }
}
