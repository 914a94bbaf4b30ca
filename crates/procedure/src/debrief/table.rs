//! The debriefing as text.

use std::fmt::Write as _;

use super::{Debrief, Figures};

/// Gain below which no change is called better, mm: what coarse cells cannot tell.
const TELLING_MM: f64 = 0.3;

/// A table for a terminal.
pub fn table(debrief: &Debrief) -> String {
    let mut out = format!(
        "What else could have been: {}, on cells {} times as large as usual\n\n",
        debrief.nerve, debrief.cell_size
    );
    let _ = writeln!(
        out,
        "  {:26} {:>12} {:>8} {:>9} {:>8} {:>12} {:>10}",
        "", "destroyed mm", "", "width mm", "angle °", "spared mm", "harm mm³"
    );
    let row = |out: &mut String, words: &str, f: &Figures, by: Option<f64>| {
        let by = by.map_or(String::new(), |d| format!("{d:+.1}"));
        let _ = writeln!(
            out,
            "  {words:26} {:12.1} {by:>8} {:9.1} {:8.0} {:12.1} {:10.1}",
            f.destroyed_mm, f.width_mm, f.parallel_deg, f.spared_nerve_mm, f.harm_mm3
        );
    };
    row(&mut out, "as it was", &debrief.actual, None);
    for v in &debrief.variants {
        match (&v.figures, &v.fault) {
            (Some(f), _) => row(&mut out, &v.words, f, v.destroyed_difference_mm),
            (None, fault) => {
                let _ = writeln!(out, "  {:26} not computed: {}", v.words, fault.as_deref().unwrap_or(""));
            }
        }
    }
    let _ = match debrief.best(TELLING_MM) {
        Some(best) => writeln!(
            out,
            "\nMost is gained, without more harm, by: {} ({:+.1} mm of nerve)",
            best.words,
            best.destroyed_difference_mm.unwrap_or(0.0)
        ),
        None => writeln!(
            out,
            "\nNone of these destroys {TELLING_MM} mm more of the nerve without more harm."
        ),
    };
    out
}
