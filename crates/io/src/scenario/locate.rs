//! Finds the place in a scenario file that a key's path names.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Bytes of `text` that hold the value at `path` (such as `needles[0].tip_mm`), or of the nearest table that is there.
pub(crate) fn span_of(text: &str, path: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let mut best = None;
    let mut value: Option<&DeValue<'_>> = None;
    for segment in path.split('.') {
        let (key, indices) = match segment.split_once('[') {
            Some((key, rest)) => (key, rest),
            None => (segment, ""),
        };
        let here: &DeTable<'_> = match value {
            None => table.get_ref(),
            Some(DeValue::Table(t)) => t,
            Some(_) => return best,
        };
        let Some((name, found)) = here.get_key_value(key) else {
            return best;
        };
        // A table of its own begins at its header; for `key = value` the value is shown.
        best = Some(if found.span().is_empty() {
            name.span()
        } else {
            found.span()
        });
        value = Some(found.get_ref());
        for index in indices.split(['[', ']']).filter(|s| !s.is_empty()) {
            let (Some(DeValue::Array(items)), Ok(i)) = (value, index.parse::<usize>()) else {
                return best;
            };
            let Some(item) = items.get(i) else { return best };
            best = Some(item.span());
            value = Some(item.get_ref());
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::span_of;

    #[test]
    fn finds_values_in_tables_arrays_and_inline_tables() {
        let text = "a = 1\n[[needles]]\ntip_mm = [1, 2, 3]\n[[needles]]\nmetal = { density_kg_per_m3 = -1 }\n[drive]\nmode = \"power\"\n";
        for (path, expected) in [
            ("a", "1"),
            ("needles[0].tip_mm", "[1, 2, 3]"),
            ("needles[0].tip_mm[1]", "2"),
            ("needles[1].metal.density_kg_per_m3", "-1"),
            ("drive.mode", "\"power\""),
        ] {
            let span = span_of(text, path).unwrap();
            assert_eq!(&text[span], expected, "{path}");
        }
        // A key that is not there is answered with the table that would hold it.
        let span = span_of(text, "drive.power_w").unwrap();
        assert!(
            text[span].starts_with("[drive]"),
            "{:?}",
            span_of(text, "drive.power_w")
        );
        let span = span_of(text, "needles[1].tip_mm").unwrap();
        let line = text[..span.start].matches('\n').count();
        assert_eq!(line, 3);
        assert_eq!(span_of(text, "nerves[0]"), None);
    }
}
