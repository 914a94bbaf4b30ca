//! Just enough of Rust's spelling to search sources without being fooled by comments, strings and tests.

/// Replaces comments and the insides of string and character literals by spaces, keeping line ends.
pub fn without_comments_and_strings(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut i = 0;
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    while i < text.len() {
        let (c, next) = (text[i], text.get(i + 1).copied());
        let end = if c == '/' && next == Some('/') {
            find(&text, i, |t, j| t[j] == '\n')
        } else if c == '/' && next == Some('*') {
            end_of_block_comment(&text, i)
        } else if c == '"' {
            end_of_string(&text, i)
        } else if c == 'r' && !text[..i].last().is_some_and(|p| is_word(*p)) {
            end_of_raw_string(&text, i).unwrap_or(i)
        } else if c == '\'' {
            end_of_char(&text, i)
        } else {
            i
        };
        if end > i {
            out.extend(text[i..end].iter().map(|c| blank(*c)));
            i = end;
        } else {
            out.push(c);
            i += 1;
        }
    }
    out
}

/// Blanks the items under `#[cfg(test)]` in code without comments and strings, keeping line ends.
pub fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        let item = &rest[at..];
        let end = match item.find(['{', ';']) {
            Some(open) if item[open..].starts_with('{') => open + 1 + end_of_group(&item[open + 1..]),
            Some(semicolon) => semicolon,
            None => item.len(),
        };
        out.push_str(&rest[..at]);
        out.extend(item[..end].chars().filter(|c| *c == '\n'));
        rest = &item[end..];
    }
    out + rest
}

/// One-based lines on which the path `path` (such as `std::fs`) is named, also inside `use std::{fs, io}`.
pub fn lines_naming(code: &str, path: &str) -> Vec<usize> {
    let mut lines: Vec<usize> = occurrences(code, path).map(|at| line_of(code, at)).collect();
    if let Some((parent, leaf)) = path.rsplit_once("::") {
        for at in occurrences(code, parent) {
            let tail = &code[at + parent.len()..];
            if let Some(group) = tail.strip_prefix("::{") {
                let end = end_of_group(group);
                lines.extend(
                    occurrences(&group[..end], leaf).map(|o| line_of(code, at + parent.len() + "::{".len() + o)),
                );
            }
        }
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

fn occurrences<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

fn end_of_group(group: &str) -> usize {
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    group.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(text: &[char], from: usize, stop: impl Fn(&[char], usize) -> bool) -> usize {
    (from..text.len()).find(|&j| stop(text, j)).unwrap_or(text.len())
}

fn end_of_block_comment(text: &[char], from: usize) -> usize {
    let (mut depth, mut j) = (0, from);
    while j + 1 < text.len() {
        match (text[j], text[j + 1]) {
            ('/', '*') => (depth, j) = (depth + 1, j + 2),
            ('*', '/') => (depth, j) = (depth - 1, j + 2),
            _ => j += 1,
        }
        if depth == 0 {
            return j;
        }
    }
    text.len()
}

fn end_of_string(text: &[char], from: usize) -> usize {
    let mut j = from + 1;
    while j < text.len() {
        match text[j] {
            '\\' => j += 2,
            '"' => return j + 1,
            _ => j += 1,
        }
    }
    text.len()
}

fn end_of_raw_string(text: &[char], from: usize) -> Option<usize> {
    let quote = find(text, from + 1, |t, j| t[j] != '#');
    (text.get(quote) == Some(&'"')).then(|| {
        let hashes = quote - from - 1;
        let end = find(text, quote + 1, |t, j| {
            t[j] == '"' && t[j + 1..].iter().take_while(|c| **c == '#').count() >= hashes
        });
        (end + 1 + hashes).min(text.len())
    })
}

/// The end of a character literal, or `from` for a lifetime.
fn end_of_char(text: &[char], from: usize) -> usize {
    match (text.get(from + 1), text.get(from + 2)) {
        (Some('\\'), Some(_)) => (find(text, from + 3, |t, j| t[j] == '\'') + 1).min(text.len()),
        (Some(_), Some('\'')) => from + 3,
        _ => from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(source: &str, path: &str) -> Vec<usize> {
        lines_naming(&without_comments_and_strings(source), path)
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        let source = "// std::fs\n/* a /* std::fs */ */ let s = \"std::fs \\\" std::fs\";\nlet r = r#\"std::fs\"#;\nlet q = '\"'; std::fs::read(p)";
        assert_eq!(naming(source, "std::fs"), [4]);
    }

    #[test]
    fn grouped_imports_are_found() {
        let source = "use std::{\n    collections::BTreeMap,\n    fs::File,\n    io,\n};\nfn f<'a>(x: &'a str) {}\n";
        assert_eq!(naming(source, "std::fs"), [3]);
        assert_eq!(naming(source, "std::env"), Vec::<usize>::new());
    }

    #[test]
    fn words_are_whole() {
        assert!(naming("mystd::fs; std::fstring; Instantaneous", "std::fs").is_empty());
        assert!(naming("Instantaneous InstantX", "Instant").is_empty());
        assert_eq!(naming("let t = Instant::now();", "Instant"), [1]);
    }

    #[test]
    fn only_unit_tests_are_left_out() {
        let source =
            "use a;\n#[cfg(test)]\nmod tests {\n fn f() { Instant }\n}\nInstant\n#[cfg(test)]\nuse Instant;\nInstant";
        assert_eq!(lines_naming(&without_tests(source), "Instant"), [6, 9]);
    }
}
