//! Operators' scripts: one order a line, `#` begins a remark.

use neurotome_procedure::session::Order;

/// Most lines.
pub const MAX_LINES: usize = 100_000;

/// A line that is no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {reason}")]
pub struct ScriptError {
    /// The script.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Why.
    pub reason: String,
}

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Line numbers and orders.
    pub orders: Vec<(usize, Order)>,
}

impl Script {
    /// Reads a script; `file` is what messages call it.
    ///
    /// # Errors
    /// The first line that is no order.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScriptError> {
        let mut orders = Vec::new();
        for (k, line) in text.lines().enumerate() {
            let fault = |reason: String| ScriptError {
                file: file.to_owned(),
                line: k + 1,
                reason,
            };
            if k >= MAX_LINES {
                return Err(fault(format!("more than {MAX_LINES} lines")));
            }
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                orders.push((k + 1, line.parse().map_err(fault)?));
            }
        }
        Ok(Self { orders })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_and_empty_lines_are_left_out() {
        let script = Script::parse("a", "# first\nassess\n\n  plan # the needles\n").unwrap();
        let lines: Vec<(usize, String)> = script.orders.iter().map(|(k, o)| (*k, o.to_string())).collect();
        assert_eq!(lines, [(2, "assess".to_owned()), (4, "plan".to_owned())]);
        let error = Script::parse("a.txt", "assess\ncut\n").unwrap_err().to_string();
        assert!(
            error.starts_with("a.txt, line 2: there is no command \"cut\""),
            "{error}"
        );
    }
}
