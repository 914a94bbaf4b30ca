//! Runs named steps in order, tells the time of each and stops at the first that fails.

use std::fmt;
use std::time::Instant;

/// What went wrong and what to do about it.
#[derive(Debug, PartialEq)]
pub struct Failure {
    what: String,
    advice: String,
}

impl Failure {
    /// A failure with its remedy.
    pub fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// One failure that lists several faults of the same kind.
    pub fn list(title: &str, faults: &[String], advice: impl Into<String>) -> Self {
        Self::new(format!("{title}:\n  {}", faults.join("\n  ")), advice)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {}\nwhat to do: {}", self.what, self.advice)
    }
}

/// One step of a suite.
pub struct Step<'a> {
    /// Name used by `--only` and `--from`.
    pub name: &'static str,
    /// One line that says what is checked.
    pub about: &'static str,
    /// The check; the text it returns is repeated in the closing table.
    pub check: Box<dyn Fn() -> Result<String, Failure> + 'a>,
}

/// Chooses steps by `--only`, `--from` and `--list`; none when only the list was wanted.
pub fn choose<'a>(steps: Vec<Step<'a>>, args: &[String]) -> Result<Option<Vec<Step<'a>>>, Failure> {
    let names: Vec<&str> = steps.iter().map(|s| s.name).collect();
    let position = |name: Option<&String>| {
        name.and_then(|n| names.iter().position(|s| s == n)).ok_or_else(|| {
            Failure::new(
                format!("no step is called `{}`", name.map_or("", String::as_str)),
                format!("the steps are {}", names.join(", ")),
            )
        })
    };
    let (mut only, mut from) = (Vec::new(), 0);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--only" => only.push(position(rest.next())?),
            "--from" => from = position(rest.next())?,
            "--list" => {
                for step in &steps {
                    println!("{:<14} {}", step.name, step.about);
                }
                return Ok(None);
            }
            other => {
                return Err(Failure::new(
                    format!("unexpected argument `{other}`"),
                    "use --list, --only STEP or --from STEP",
                ));
            }
        }
    }
    Ok(Some(
        steps
            .into_iter()
            .enumerate()
            .filter(|(i, _)| *i >= from && (only.is_empty() || only.contains(i)))
            .map(|(_, step)| step)
            .collect(),
    ))
}

/// Runs the steps; the first failure ends the run and is returned after the table of what ran.
pub fn run_all(steps: &[Step<'_>]) -> Result<(), Failure> {
    let start = Instant::now();
    let mut table = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n━━ {}/{} {}: {}", index + 1, steps.len(), step.name, step.about);
        let begun = Instant::now();
        let outcome = (step.check)();
        let seconds = begun.elapsed().as_secs_f64();
        match outcome {
            Ok(note) => {
                println!("   ok, {seconds:.1} s{}{note}", if note.is_empty() { "" } else { "; " });
                table.push(format!("  ok     {:<14} {seconds:7.1} s  {note}", step.name));
            }
            Err(failure) => {
                table.push(format!("  FAILED {:<14} {seconds:7.1} s", step.name));
                print_summary(&table, start, steps.len(), 1);
                return Err(Failure::new(
                    format!("step `{}`: {}", step.name, failure.what),
                    format!(
                        "{}\n            then `cargo xtask test --from {}` goes on from here",
                        failure.advice, step.name
                    ),
                ));
            }
        }
    }
    print_summary(&table, start, steps.len(), 0);
    Ok(())
}

fn print_summary(table: &[String], start: Instant, wanted: usize, failed: usize) {
    println!("\n━━ summary");
    for line in table {
        println!("{line}");
    }
    println!(
        "{} of {wanted} steps passed, {failed} failed, {} not run; {:.0} s",
        table.len() - failed,
        wanted - table.len(),
        start.elapsed().as_secs_f64()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Vec<Step<'static>> {
        ["a", "b", "c"]
            .into_iter()
            .map(|name| Step {
                name,
                about: "",
                check: Box::new(move || {
                    if name == "b" {
                        Err(Failure::new("b broke", "mend b"))
                    } else {
                        Ok(String::new())
                    }
                }),
            })
            .collect()
    }

    fn names(args: &[&str]) -> Vec<&'static str> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let chosen = choose(steps(), &args).unwrap().unwrap();
        chosen.iter().map(|s| s.name).collect()
    }

    #[test]
    fn steps_are_chosen_by_name() {
        assert_eq!(names(&[]), ["a", "b", "c"]);
        assert_eq!(names(&["--only", "c", "--only", "a"]), ["a", "c"]);
        assert_eq!(names(&["--from", "b"]), ["b", "c"]);
        let unknown = choose(steps(), &["--only".into(), "d".into()]).err().unwrap();
        assert!(unknown.to_string().contains("a, b, c"), "{unknown}");
    }

    #[test]
    fn the_first_failure_ends_the_run_and_keeps_its_advice() {
        let failure = run_all(&steps()).unwrap_err().to_string();
        assert!(
            failure.contains("step `b`: b broke") && failure.contains("mend b"),
            "{failure}"
        );
        assert!(run_all(&steps()[2..]).is_ok());
    }
}
