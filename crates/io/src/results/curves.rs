//! The generator's curves as a table.

use std::fmt::Write as _;

use neurotome_procedure::lesion::Curves;

use super::ResultsError;

/// Columns of `curves.csv` with their units in the names.
pub(crate) fn columns(curves: &Curves) -> Vec<(&'static str, &[f64])> {
    let mut columns: Vec<(&'static str, &[f64])> = vec![
        ("t_s", &curves.t_s),
        ("set_temperature_c", &curves.set_temperature_c),
        ("thermocouple_c", &curves.thermocouple_c),
        ("max_tissue_c", &curves.max_tissue_c),
        ("voltage_v", &curves.voltage_v),
        ("current_a", &curves.current_a),
        ("power_w", &curves.power_w),
        ("impedance_ohm", &curves.impedance_ohm),
    ];
    if !curves.tip_tissue_c.is_empty() {
        columns.push(("tip_tissue_c", &curves.tip_tissue_c));
    }
    columns
}

/// The curves as comma-separated text, one row for each time step, shortest exact decimal numbers.
pub(crate) fn csv(curves: &Curves) -> Result<String, ResultsError> {
    let columns = columns(curves);
    let rows = curves.t_s.len();
    if let Some((name, values)) = columns.iter().find(|(_, v)| v.len() != rows) {
        return Err(ResultsError::Input {
            what: "the curves",
            found: format!("{} values of {name} for {rows} times", values.len()),
            expected: "columns of one length",
        });
    }
    let names: Vec<&str> = columns.iter().map(|c| c.0).collect();
    let mut out = names.join(",");
    out.push('\n');
    for i in 0..rows {
        let row: Vec<String> = columns.iter().map(|(_, v)| v[i].to_string()).collect();
        let _ = writeln!(out, "{}", row.join(","));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_of_unequal_length_are_refused() {
        let mut curves = Curves {
            t_s: vec![0.0, 0.5],
            ..Curves::default()
        };
        assert!(csv(&curves).unwrap_err().to_string().contains("set_temperature_c"));
        for v in [
            &mut curves.set_temperature_c,
            &mut curves.thermocouple_c,
            &mut curves.max_tissue_c,
            &mut curves.voltage_v,
            &mut curves.current_a,
            &mut curves.power_w,
            &mut curves.impedance_ohm,
        ] {
            *v = vec![1.0, 0.1];
        }
        let text = csv(&curves).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert_eq!(text.lines().nth(2), Some("0.5,0.1,0.1,0.1,0.1,0.1,0.1,0.1"));
        // Pulsed current adds a column.
        curves.tip_tissue_c = vec![37.0, 39.5];
        let text = csv(&curves).unwrap();
        assert!(text.lines().next().unwrap().ends_with(",impedance_ohm,tip_tissue_c"));
        assert_eq!(text.lines().nth(2), Some("0.5,0.1,0.1,0.1,0.1,0.1,0.1,0.1,39.5"));
    }
}
