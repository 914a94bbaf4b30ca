//! Error tables: how fast a method converges, and how far off it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One refinement of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConvergenceRow {
    /// Cell size, or time step.
    pub h: f64,
    /// Error against the exact solution, in the unit of the table's quantity.
    pub error: f64,
}

/// Errors of one quantity on a series of ever finer grids or steps.
///
/// Between two rows with sizes `h₀ > h₁` and errors `e₀`, `e₁` the observed order is `ln(e₀/e₁) / ln(h₀/h₁)`.
/// A test asserts both the order (the method is the one meant) and the value of the last error (the constant has not grown).
///
/// ```
/// use neurotome_testkit::ConvergenceTable;
///
/// // The trapezium rule for the integral of x² over 0..1 is of second order.
/// let mut table = ConvergenceTable::new("trapezium rule", "integral of x^2", "h", "1");
/// for n in [4, 8, 16] {
///     let h = 1.0 / f64::from(n);
///     let sum: f64 = (0..n).map(|i| 0.5 * h * ((f64::from(i) * h).powi(2) + (f64::from(i + 1) * h).powi(2))).sum();
///     table.push(h, sum - 1.0 / 3.0);
/// }
/// table.assert_order_at_least(1.95);
/// table.assert_last_error_within(1.0 / 16f64.powi(2) / 6.0, 0.01);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvergenceTable {
    /// The problem solved.
    pub problem: String,
    /// The quantity whose error is listed.
    pub quantity: String,
    /// Unit of `h`.
    pub h_unit: String,
    /// Unit of the error.
    pub error_unit: String,
    /// The rows, coarsest first.
    pub rows: Vec<ConvergenceRow>,
}

impl ConvergenceTable {
    /// An empty table.
    pub fn new(problem: &str, quantity: &str, h_unit: &str, error_unit: &str) -> Self {
        Self {
            problem: problem.into(),
            quantity: quantity.into(),
            h_unit: h_unit.into(),
            error_unit: error_unit.into(),
            rows: Vec::new(),
        }
    }

    /// Adds the next finer row; the sign of the error is dropped.
    ///
    /// # Panics
    /// When `h` is not smaller than the row before, or a number is not finite.
    #[track_caller]
    pub fn push(&mut self, h: f64, error: f64) {
        let finer = self.rows.last().is_none_or(|last| h < last.h);
        assert!(
            h > 0.0 && finer && error.is_finite(),
            "{}: row h = {h}, error = {error} must be finite and finer than the row before\n{self}",
            self.problem
        );
        self.rows.push(ConvergenceRow { h, error: error.abs() });
    }

    /// Observed order between each row and the next: one fewer than rows.
    pub fn orders(&self) -> Vec<f64> {
        self.rows
            .windows(2)
            .map(|w| (w[0].error / w[1].error).ln() / (w[0].h / w[1].h).ln())
            .collect()
    }

    /// Observed order of the whole series: the slope of the least-squares line through (ln h, ln error); none with fewer than two rows.
    pub fn fitted_order(&self) -> Option<f64> {
        let n = self.rows.len() as f64;
        let points: Vec<(f64, f64)> = self.rows.iter().map(|r| (r.h.ln(), r.error.ln())).collect();
        let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
        let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
        let (sxy, sxx) = points.iter().fold((0.0, 0.0), |(sxy, sxx), (x, y)| {
            (sxy + (x - mx) * (y - my), sxx + (x - mx) * (x - mx))
        });
        (self.rows.len() >= 2).then(|| sxy / sxx)
    }

    /// Asserts the observed order between the two finest rows.
    ///
    /// # Panics
    /// With the table, when the order is lower than `least` or there are fewer than three rows.
    #[track_caller]
    pub fn assert_order_at_least(&self, least: f64) {
        assert!(
            self.rows.len() >= 3,
            "an order needs three rows or more to be believed\n{self}"
        );
        let last = self.orders().last().copied().unwrap_or(f64::NAN);
        assert!(
            last >= least,
            "observed order {last:.3} of the two finest rows is below {least}\n{self}"
        );
    }

    /// Asserts the fitted order of the whole series, for series whose errors wobble from row to row.
    ///
    /// # Panics
    /// With the table, when the order is lower than `least` or there are fewer than three rows.
    #[track_caller]
    pub fn assert_fitted_order_at_least(&self, least: f64) {
        assert!(
            self.rows.len() >= 3,
            "an order needs three rows or more to be believed\n{self}"
        );
        let order = self.fitted_order().unwrap_or(f64::NAN);
        assert!(order >= least, "fitted order {order:.3} is below {least}\n{self}");
    }

    /// Asserts that the finest row's error equals a stored one, to notice when the constant changes (for the better too).
    ///
    /// # Panics
    /// With the table, when the error is farther from `stored` than `relative` of it.
    #[track_caller]
    pub fn assert_last_error_within(&self, stored: f64, relative: f64) {
        let last = self.rows.last().map_or(f64::NAN, |r| r.error);
        assert!(
            (last - stored).abs() <= relative * stored.abs(),
            "finest error {last:.6e} is not within {} % of the stored {stored:.6e}\n{self}",
            100.0 * relative
        );
    }

    /// Asserts that the finest row's error is at most `bound`.
    ///
    /// # Panics
    /// With the table, when it is larger.
    #[track_caller]
    pub fn assert_last_error_at_most(&self, bound: f64) {
        let last = self.rows.last().map_or(f64::NAN, |r| r.error);
        assert!(last <= bound, "finest error {last:.6e} is above {bound:.6e}\n{self}");
    }

    /// The table as JSON, for reports and plots.
    ///
    /// # Panics
    /// Never: every member can be written.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and finite numbers can be written")
    }
}

impl fmt::Display for ConvergenceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: error of {}", self.problem, self.quantity)?;
        let (h, e) = (format!("h ({})", self.h_unit), format!("error ({})", self.error_unit));
        writeln!(f, "  {h:>12}  {e:>14}  {:>6}", "order")?;
        let orders = self.orders();
        for (i, row) in self.rows.iter().enumerate() {
            let order = i
                .checked_sub(1)
                .and_then(|i| orders.get(i))
                .map_or(String::new(), |o| format!("{o:.2}"));
            writeln!(f, "  {:>12.5e}  {:>14.6e}  {order:>6}", row.h, row.error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_order(p: f64) -> ConvergenceTable {
        let mut table = ConvergenceTable::new("made up", "u", "mm", "K");
        for h in [0.4, 0.2, 0.1] {
            table.push(h, -3.0 * h.powf(p));
        }
        table
    }

    fn fails(check: impl Fn() + std::panic::UnwindSafe) -> bool {
        std::panic::catch_unwind(check).is_err()
    }

    #[test]
    fn the_order_of_a_power_law_is_found() {
        let table = of_order(2.0);
        assert!(table.orders().iter().all(|o| (o - 2.0).abs() < 1e-12));
        assert!((table.fitted_order().unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(table.rows[2].error, 3.0 * 0.1f64.powi(2));
    }

    #[test]
    fn assertions_pass_and_fail_where_they_should() {
        let table = of_order(2.0);
        table.assert_order_at_least(1.99);
        table.assert_fitted_order_at_least(1.99);
        table.assert_last_error_within(0.03, 0.01);
        table.assert_last_error_at_most(0.031);
        let first = of_order(1.0);
        assert!(fails(move || first.assert_order_at_least(1.9)));
        let first = of_order(1.0);
        assert!(fails(move || first.assert_fitted_order_at_least(1.9)));
        let second = of_order(2.0);
        assert!(fails(move || second.assert_last_error_within(0.0304, 0.01)));
        let second = of_order(2.0);
        assert!(fails(move || second.assert_last_error_at_most(0.02)));
        let empty = ConvergenceTable::new("made up", "u", "mm", "K");
        assert!(fails(move || empty.assert_last_error_at_most(1.0)));
    }

    #[test]
    fn rows_must_get_finer() {
        assert!(fails(|| of_order(2.0).push(0.1, 1.0)));
        assert!(fails(|| of_order(2.0).push(0.05, f64::NAN)));
    }

    #[test]
    fn the_table_prints_and_survives_json() {
        let table = of_order(2.0);
        let text = table.to_string();
        assert!(
            text.contains("h (mm)") && text.contains("error (K)") && text.contains("2.00"),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<ConvergenceTable>(&table.to_json()).unwrap(),
            table
        );
    }
}
