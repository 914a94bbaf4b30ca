//! Vectors of four, one lane for each amplitude.

use wide::f64x4;

/// Amplitudes that are computed at once.
pub const LANES: usize = 4;

/// One number for each lane.
pub(crate) type Lanes = f64x4;

/// `x / (1 − exp(−x))`, 1 at 0.
#[inline]
pub(crate) fn vtrap(x: Lanes) -> Lanes {
    let tiny = x.abs().simd_lt(Lanes::splat(1e-6));
    let safe = tiny.select(Lanes::splat(1e-6), x);
    safe / (Lanes::splat(1.0) - (-safe).exp())
}
