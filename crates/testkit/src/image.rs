//! Comparison of pictures by value, not by file bytes.

/// How two pictures differ; levels are 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageDifference {
    /// Mean absolute difference over all samples, levels.
    pub mean: f64,
    /// Largest difference of one sample, levels.
    pub max: u8,
    /// Fraction of samples that differ by more than 8 levels: edges that moved, not rounding.
    pub visible_fraction: f64,
}

/// Compares two pictures given as samples of 8 bits, of the same width in samples (pixels times channels).
///
/// # Errors
/// A sentence when the sizes differ, or when a picture is blank (all samples equal), which would agree with nothing drawn.
pub fn compare_images(found: (usize, &[u8]), expected: (usize, &[u8])) -> Result<ImageDifference, String> {
    let shape = |(width, samples): (usize, &[u8])| format!("{width} samples a row, {} in all", samples.len());
    if found.0 != expected.0 || found.1.len() != expected.1.len() {
        return Err(format!("found {}; expected {}", shape(found), shape(expected)));
    }
    for (name, samples) in [("found", found.1), ("expected", expected.1)] {
        if samples.windows(2).all(|w| w[0] == w[1]) {
            return Err(format!("the {name} picture is blank"));
        }
    }
    let differences = found.1.iter().zip(expected.1).map(|(a, b)| a.abs_diff(*b));
    let (sum, max, visible) = differences.fold((0u64, 0u8, 0usize), |(sum, max, visible), d| {
        (sum + u64::from(d), max.max(d), visible + usize::from(d > 8))
    });
    let n = found.1.len() as f64;
    Ok(ImageDifference {
        mean: sum as f64 / n,
        max,
        visible_fraction: visible as f64 / n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_measured() {
        let (a, b) = ([0u8, 10, 20, 30], [0u8, 10, 24, 50]);
        let d = compare_images((2, &a), (2, &b)).unwrap();
        assert_eq!((d.mean, d.max, d.visible_fraction), (6.0, 20, 0.25));
        assert_eq!(compare_images((2, &a), (2, &a)).unwrap().max, 0);
    }

    #[test]
    fn sizes_and_blank_pictures_are_refused() {
        let a = [0u8, 10, 20, 30];
        assert!(compare_images((2, &a), (4, &a)).unwrap_err().contains("expected 4"));
        assert!(
            compare_images((2, &[7; 4]), (2, &a))
                .unwrap_err()
                .contains("found picture is blank")
        );
    }
}
