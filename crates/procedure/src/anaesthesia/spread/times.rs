//! The steps in time of an injection and of what follows.

/// Steps of the injection.
const INJECTION_STEPS: usize = 60;
/// Steps after it: the first, the longest, and each one's share of the time since.
const FIRST_STEP_S: f64 = 2.0;
const LONGEST_STEP_S: f64 = 60.0;
const STEP_SHARE: f64 = 0.1;
/// Times kept beside those asked for: as many during the injection, and one at each such growth of the time since.
const KEPT_WHILE_INJECTING: usize = 6;
const KEPT_GROWTH: f64 = 1.3;

/// Ends of the steps, and whether the fields are kept there.
pub(super) fn times(duration_s: f64, follow_s: f64, keep_s: &[f64]) -> Vec<(f64, bool)> {
    let mut all: Vec<(f64, bool)> = (1..=INJECTION_STEPS)
        .map(|k| {
            let t = if k == INJECTION_STEPS {
                duration_s
            } else {
                duration_s * k as f64 / INJECTION_STEPS as f64
            };
            (t, k % (INJECTION_STEPS / KEPT_WHILE_INJECTING) == 0)
        })
        .collect();
    let mut asked: Vec<f64> = keep_s.iter().copied().filter(|t| *t > 0.0 && *t < follow_s).collect();
    asked.push(follow_s);
    asked.sort_by(f64::total_cmp);
    let (mut since, mut kept) = (0.0, FIRST_STEP_S);
    for stop in asked {
        while since < stop {
            let mut next = since + (STEP_SHARE * since).clamp(FIRST_STEP_S, LONGEST_STEP_S);
            // No sliver before a stop.
            if next + 0.5 * FIRST_STEP_S > stop {
                next = stop;
            }
            since = next;
            let at_stop = since >= stop;
            let grown = since >= KEPT_GROWTH * kept;
            if grown || at_stop {
                kept = since;
            }
            all.push((duration_s + since, grown || at_stop));
        }
    }
    all
}
