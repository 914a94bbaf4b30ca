//! A document as one page of HTML: no script, no link to anything outside, readable without colour, on paper and in the dark.

use std::fmt::Write as _;

use super::{Align, Block, DISCLAIMER, Document, Picture, Source, Status, Style, Table, Text, cleaned};
use crate::report::escape as escaped;

const CSS: &str = "
:root{color-scheme:light dark;--ink:#212934;--muted:#5c6672;--line:#dde1e6;--paper:#fff;--tint:#f5f7f9;--pass:#007a59;--warn:#9a6200;--fail:#b02a1d}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--muted:#a3adb8;--line:#3a444f;--paper:#171c22;--tint:#212830;--pass:#4fc9a3;--warn:#e8b04b;--fail:#f08a7c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:66rem;padding:2rem 1.5rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,'Segoe UI','DejaVu Sans',sans-serif;overflow-wrap:break-word}
h1{font-size:1.75rem;line-height:1.2;margin:.2rem 0 .6rem}
h2{font-size:1.25rem;margin:2.6rem 0 .6rem;padding-top:.5rem;border-top:2px solid var(--line)}
h3{font-size:1.05rem;margin:1.6rem 0 .4rem}
nav ol{columns:2;margin:.4rem 0}
.notice,.note{background:var(--tint);border-left:5px solid #d55e00;padding:.7rem 1rem;margin:.8rem 0}
.note{border-color:var(--muted)}.note.pass{border-color:var(--pass)}.note.warn{border-color:var(--warn)}.note.fail{border-color:var(--fail)}
table{border-collapse:collapse;width:100%;margin:.6rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding:.2rem 0 .5rem}
th,td{text-align:left;vertical-align:top;padding:.38rem .7rem .38rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--muted);font-weight:600}
tbody th{font-weight:500}
td.n,th.n{text-align:right;white-space:nowrap}
td.m,th.m{text-align:center}
.sign{font-weight:700}.pass .sign{color:var(--pass)}.warn .sign{color:var(--warn)}.fail .sign{color:var(--fail)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
figure{margin:1.2rem 0 2rem}
figure img{width:100%;height:auto;display:block;border:1px solid var(--line);background:#fff}
figcaption{color:var(--muted);margin-top:.5rem}
.side{display:flex;gap:1rem;flex-wrap:wrap}.side figure{flex:1 1 14rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem;margin:1rem 0}
.cards div{background:var(--tint);border-top:4px solid var(--muted);padding:.6rem .9rem}
.cards .pass{border-color:var(--pass)}.cards .warn{border-color:var(--warn)}.cards .fail{border-color:var(--fail)}
.cards p{margin:0;color:var(--muted)}.cards .value{font-size:1.5rem;font-weight:600;color:var(--ink)}.cards .unit{font-size:1rem;font-weight:400}
ul.checks,ol.moments{list-style:none;padding:0}
ul.checks li{padding:.3rem 0 .3rem 1.9rem;text-indent:-1.9rem;border-bottom:1px solid var(--line)}ul.checks .sign{display:inline-block;width:1.9rem;text-indent:0}
ol.moments{border-left:2px solid var(--line);margin-left:.4rem}ol.moments li{padding:.2rem 0 .2rem 1rem}ol.moments time{color:var(--muted);font-variant-numeric:tabular-nums;display:inline-block;min-width:5.5rem}
.remark{color:var(--muted)}
pre{background:var(--tint);padding:1rem;overflow-x:auto;font-size:.85rem;line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere}
.wide{overflow-x:auto}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{font-weight:600;max-width:16rem}dd{margin:0}
@media print{body{max-width:none;padding:0;font-size:10.5pt}figure,tr,.notice,.note,.cards div,li{break-inside:avoid}h2,h3{break-after:avoid}thead{display:table-header-group}pre{font-size:8pt}}
@page{margin:16mm}
";

fn escape(text: &str) -> String {
    escaped(&cleaned(text, false))
}

/// Bytes in base 64, as data URIs need them.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

fn inline(text: &Text) -> String {
    let mut out = String::new();
    for (style, part) in &text.0 {
        let tag = match style {
            Style::Plain => "",
            Style::Bold => "strong",
            Style::Italic => "em",
            Style::Code => "code",
            Style::Subscript => "sub",
            Style::Superscript => "sup",
        };
        let part = escape(part);
        if tag.is_empty() {
            out.push_str(&part);
        } else {
            let _ = write!(out, "<{tag}>{part}</{tag}>");
        }
    }
    out
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Plain => "",
        Status::Pass => "pass",
        Status::Warn => "warn",
        Status::Fail => "fail",
        Status::Open => "open",
    }
}

/// The sign of a status, with its word for those who listen.
fn sign(status: Status) -> String {
    match status {
        Status::Plain => String::new(),
        s => format!(
            "<span class=\"sign\" aria-hidden=\"true\">{}</span><span class=\"hidden\">{}: </span> ",
            s.sign(),
            s.word()
        ),
    }
}

fn figure(html: &mut String, picture: &Picture) {
    let (kind, bytes) = match &picture.source {
        Source::Png(bytes) => ("png", bytes.as_slice()),
        Source::Svg(text) => ("svg+xml", text.as_bytes()),
    };
    let width = picture.width.clamp(0.05, 1.0);
    let width = if width < 1.0 {
        format!(" style=\"max-width:{:.0}%\"", 100.0 * width)
    } else {
        String::new()
    };
    let _ = write!(
        html,
        "<figure{width}>\n<img alt=\"{}\" src=\"data:image/{kind};base64,{}\">\n",
        escape(&picture.alt),
        base64(bytes)
    );
    if !picture.caption.is_empty() {
        let _ = writeln!(html, "<figcaption>{}</figcaption>", inline(&picture.caption));
    }
    html.push_str("</figure>\n");
}

fn table(html: &mut String, table: &Table) {
    let align = |a: Align| match a {
        Align::Left => "",
        Align::Right => " class=\"n\"",
        Align::Middle => " class=\"m\"",
    };
    html.push_str("<div class=\"wide\"><table>\n");
    if !table.caption.is_empty() {
        let _ = writeln!(html, "<caption>{}</caption>", inline(&table.caption));
    }
    html.push_str("<thead><tr>");
    for (title, a) in &table.columns {
        let _ = write!(html, "<th scope=\"col\"{}>{}</th>", align(*a), inline(title));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        match class(row.status) {
            "" => html.push_str("<tr>"),
            c => {
                let _ = write!(html, "<tr class=\"{c}\">");
            }
        }
        for (n, (_, a)) in table.columns.iter().enumerate() {
            let text = row.cells.get(n).map(inline).unwrap_or_default();
            if n == 0 {
                let _ = write!(html, "<th scope=\"row\"{}>{}{text}</th>", align(*a), sign(row.status));
            } else {
                let _ = write!(html, "<td{}>{text}</td>", align(*a));
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n");
}

fn block(html: &mut String, block: &Block) {
    match block {
        Block::Heading(title) => {
            let _ = writeln!(html, "<h3>{}</h3>", escape(title));
        }
        Block::Paragraph(text) => {
            let _ = writeln!(html, "<p>{}</p>", inline(text));
        }
        Block::List(points) => {
            html.push_str("<ul>\n");
            for p in points {
                let _ = writeln!(html, "<li>{}</li>", inline(p));
            }
            html.push_str("</ul>\n");
        }
        Block::Terms(terms) => {
            html.push_str("<dl>\n");
            for (name, text) in terms {
                let _ = writeln!(html, "<dt>{}</dt><dd>{}</dd>", inline(name), inline(text));
            }
            html.push_str("</dl>\n");
        }
        Block::Table(t) => table(html, t),
        Block::Picture(p) => figure(html, p),
        Block::Pictures(pictures) => {
            html.push_str("<div class=\"side\">\n");
            for p in pictures {
                // Side by side, shares are of the row, which flexes.
                figure(
                    html,
                    &Picture {
                        width: 1.0,
                        ..p.clone()
                    },
                );
            }
            html.push_str("</div>\n");
        }
        Block::KeyFigures(cards) => {
            html.push_str("<div class=\"cards\">\n");
            for c in cards {
                let unit = if c.unit.is_empty() {
                    String::new()
                } else {
                    format!(" <span class=\"unit\">{}</span>", escape(&c.unit))
                };
                let _ = writeln!(
                    html,
                    "<div class=\"{}\"><p>{}</p><p class=\"value\">{}{}{unit}</p><p>{}</p></div>",
                    class(c.status),
                    escape(&c.name),
                    sign(c.status),
                    escape(&c.value),
                    escape(&c.remark)
                );
            }
            html.push_str("</div>\n");
        }
        Block::Note(status, text) => {
            let _ = writeln!(
                html,
                "<div class=\"note {}\" role=\"note\">{}{}</div>",
                class(*status),
                sign(*status),
                inline(text)
            );
        }
        Block::Checklist(checks) => {
            html.push_str("<ul class=\"checks\">\n");
            for c in checks {
                let _ = write!(
                    html,
                    "<li class=\"{}\">{}{}",
                    class(c.status),
                    sign(c.status),
                    inline(&c.what)
                );
                if !c.remark.is_empty() {
                    let _ = write!(html, " <span class=\"remark\">– {}</span>", inline(&c.remark));
                }
                html.push_str("</li>\n");
            }
            html.push_str("</ul>\n");
        }
        Block::Timeline(moments) => {
            html.push_str("<ol class=\"moments\">\n");
            for m in moments {
                let _ = writeln!(
                    html,
                    "<li class=\"{}\"><time>{}</time> {}{}</li>",
                    class(m.status),
                    escape(&m.when),
                    sign(m.status),
                    inline(&m.what)
                );
            }
            html.push_str("</ol>\n");
        }
        Block::Code(text) => {
            let _ = writeln!(html, "<pre>{}</pre>", escaped(&cleaned(text, true)));
        }
    }
}

/// The page.
pub(super) fn page(document: &Document) -> String {
    let title = escape(&document.title);
    let mut html = String::new();
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"generator\" content=\"Neurotome\">\n<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
    );
    if !document.subtitle.is_empty() {
        let _ = writeln!(html, "<p>{}</p>", escape(&document.subtitle));
    }
    if let Some(date) = document.date {
        let _ = writeln!(html, "<p>{}</p>", date.words());
    }
    let _ = write!(
        html,
        "<p class=\"notice\" role=\"note\"><strong>{DISCLAIMER}</strong> {}</p>\n</header>\n<main>\n",
        inline(&document.statement)
    );
    for b in &document.opening {
        block(&mut html, b);
    }
    for s in &document.sections {
        let id: String =
            s.id.chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
                .collect();
        let _ = writeln!(html, "<section id=\"{id}\">\n<h2>{}</h2>", escape(&s.title));
        for b in &s.blocks {
            block(&mut html, b);
        }
        html.push_str("</section>\n");
    }
    let _ = write!(
        html,
        "</main>\n<footer>\n<p>Neurotome: {}</p>\n</footer>\n</body>\n</html>\n",
        lower_first(DISCLAIMER)
    );
    html
}

/// The text with a small first letter, to go on in a sentence.
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or(String::new(), |c| c.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standards_examples() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
