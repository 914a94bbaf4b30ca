//! Comparison of numbers that says what differs, where and by how much.

/// How far a value may lie from its reference: the larger of the two bounds counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Bound relative to the reference.
    pub relative: f64,
    /// Bound in the quantity's own unit.
    pub absolute: f64,
}

impl Tolerance {
    /// A bound relative to the reference only.
    pub const fn relative(relative: f64) -> Self {
        Self {
            relative,
            absolute: 0.0,
        }
    }

    /// A bound in the quantity's unit only.
    pub const fn absolute(absolute: f64) -> Self {
        Self {
            relative: 0.0,
            absolute,
        }
    }

    /// The bound for one reference, in the quantity's unit.
    pub fn bound(&self, reference: f64) -> f64 {
        (self.relative * reference.abs()).max(self.absolute)
    }
}

/// Whether `value` lies within `tolerance` of `reference`.
///
/// # Errors
/// A sentence that names the `quantity` (with its unit) and the `place`, both numbers, their difference and the bound.
/// A value that is not finite is always an error.
pub fn close(quantity: &str, place: &str, value: f64, reference: f64, tolerance: Tolerance) -> Result<(), String> {
    let (difference, bound) = ((value - reference).abs(), tolerance.bound(reference));
    if difference <= bound {
        return Ok(());
    }
    let relative = if reference == 0.0 {
        String::new()
    } else {
        format!(" ({:.3} %)", 100.0 * difference / reference.abs())
    };
    Err(format!(
        "{quantity} at {place}: found {value}, expected {reference}, differs by {difference:.3e}{relative}, allowed {bound:.3e}"
    ))
}

/// As [`close`], for tests.
///
/// # Panics
/// With the sentence of [`close`] when the value lies outside the tolerance.
#[track_caller]
pub fn assert_close(quantity: &str, place: &str, value: f64, reference: f64, tolerance: Tolerance) {
    if let Err(difference) = close(quantity, place, value, reference, tolerance) {
        panic!("{difference}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_bound_counts() {
        let both = Tolerance {
            relative: 0.01,
            absolute: 0.5,
        };
        assert_eq!(close("T (°C)", "tip", 80.7, 80.0, both), Ok(()));
        assert_eq!(close("T (°C)", "tip", 0.4, 0.0, both), Ok(()));
        assert!(close("T (°C)", "tip", 80.9, 80.0, both).is_err());
    }

    #[test]
    fn the_message_names_quantity_place_and_size() {
        let message = close("impedance (ohm)", "t = 2 s", 110.0, 100.0, Tolerance::relative(0.01)).unwrap_err();
        for part in ["impedance (ohm)", "t = 2 s", "110", "100", "10.000 %"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_never_close() {
        let loose = Tolerance::absolute(f64::MAX);
        assert!(close("x", "here", f64::NAN, 0.0, loose).is_err());
        assert!(close("x", "here", 0.0, f64::NAN, loose).is_err());
        assert!(close("x", "here", f64::INFINITY, f64::INFINITY, loose).is_err());
    }
}
