//! Runs other programs, never with standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::steps::Failure;

/// Runs a program with its output shown.
pub fn show(command: &mut Command, advice: &str) -> Result<(), Failure> {
    println!("   $ {}", line(command));
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|e| cannot_start(command, &e))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{}` ended with {status}", line(command)), advice))
    }
}

/// Runs a program with its error stream shown and also returned, line by line.
pub fn show_and_keep(command: &mut Command, advice: &str) -> Result<Vec<String>, Failure> {
    println!("   $ {}", line(command));
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| cannot_start(command, &e))?;
    let mut kept = Vec::new();
    if let Some(stream) = child.stderr.take() {
        for text in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&text).into_owned();
            // A closed terminal must not end the tests.
            let _ = writeln!(std::io::stderr(), "{text}");
            kept.push(text);
        }
    }
    let status = child.wait().map_err(|e| cannot_start(command, &e))?;
    if status.success() {
        Ok(kept)
    } else {
        Err(Failure::new(format!("`{}` ended with {status}", line(command)), advice))
    }
}

/// Runs a program quietly and returns what it wrote; its error text becomes part of the failure.
pub fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let out = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| cannot_start(command, &e))?;
    if out.status.success() {
        Ok(out.stdout)
    } else {
        Err(Failure::new(
            format!(
                "`{}` ended with {}\n{}",
                line(command),
                out.status,
                String::from_utf8_lossy(&out.stderr).trim_end()
            ),
            "run that command by hand to see more",
        ))
    }
}

/// True when the program starts and ends well; nothing is shown.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let settings = command
        .get_envs()
        .filter_map(|(k, v)| v.map(|v| format!("{}='{}' ", k.to_string_lossy(), v.to_string_lossy())));
    let words = command.get_args().map(|a| format!(" {}", a.to_string_lossy()));
    settings
        .chain([name.to_string_lossy().into_owned()])
        .chain(words)
        .collect()
}

fn cannot_start(command: &Command, e: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    Failure::new(
        format!("`{program}` cannot be started: {e}"),
        format!("install {program} or put it on the PATH"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_stream_is_kept_and_a_bad_end_is_a_failure() {
        let kept = show_and_keep(Command::new("sh").args(["-c", "echo one >&2; echo two >&2"]), "").unwrap();
        assert_eq!(kept, ["one", "two"]);
        assert!(show_and_keep(Command::new("sh").args(["-c", "exit 3"]), "mend it").is_err());
        let failure = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert!(failure.to_string().contains("why"), "{failure}");
        assert!(!works(&mut Command::new("no-such-program-here")));
    }
}
