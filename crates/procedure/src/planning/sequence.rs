//! A sequence that fills the space of poses evenly.

use neurotome_base::random::Stream;

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
    fn the_even_sequence_fills_every_box() {
        let shift = Stream::new(1).split(1);
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
