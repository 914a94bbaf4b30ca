//! Tables cut into rows.

use super::{
    letters::{Letter, Look, lines, widest_word, width},
    strips::{INK, LINE, Layout, MARGIN, MUTED, Mark, SMALL, Shape, Strip, WIDTH, line_mark, rect},
    tree::Kind,
};
use crate::report::document::{Align, Row, Status, Style, Table};

/// Between two columns.
const GAP: f32 = 9.0;
/// Above and below the text of a row.
const PAD: f32 = 2.6;
/// A row of more lines may be parted.
const MOST_LINES: usize = 24;
/// A head of more lines is not repeated.
const MOST_HEAD_LINES: usize = 12;
/// Rows that are measured for the widths of the columns.
const MEASURED: usize = 3000;

/// Widths of columns: as wide as their texts where all fit; else short columns are, and long ones share what is left.
fn widths(natural: &[f32], least: &[f32], room: f32) -> Vec<f32> {
    let sum: f32 = natural.iter().sum();
    if sum <= room {
        let more = (room - sum) / sum.max(1.0);
        return natural.iter().map(|w| w * (1.0 + more)).collect();
    }
    // No column takes more than its words need, or half of the room when these are very long.
    let least: Vec<f32> = least.iter().map(|w| w.min(0.5 * room)).collect();
    let needed: f32 = least.iter().sum();
    if needed >= room {
        return least.iter().map(|w| w * room / needed).collect();
    }
    // The level up to which all columns can be filled; bisection, since each has its own least and natural width.
    let filled = |level: f32| -> Vec<f32> { natural.iter().zip(&least).map(|(n, l)| n.min(level).max(*l)).collect() };
    let (mut low, mut high) = (0.0, room);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if filled(middle).iter().sum::<f32>() <= room {
            low = middle;
        } else {
            high = middle;
        }
    }
    filled(low)
}

struct Columns {
    x: Vec<f32>,
    width: Vec<f32>,
    align: Vec<Align>,
}

impl Columns {
    /// Lines of cells beside each other: marks of each line, from y = 0.
    fn rows_of_lines(&self, nodes: &[usize], cells: &[Vec<Letter>], look: Look) -> Vec<Vec<Mark>> {
        let mut out: Vec<Vec<Mark>> = Vec::new();
        for (c, cell) in cells.iter().enumerate() {
            for (n, range) in lines(cell, self.width[c] + 0.01).into_iter().enumerate() {
                if out.len() == n {
                    out.push(vec![]);
                }
                let part = &cell[range];
                let left = self.width[c] - width(part);
                let x = self.x[c]
                    + match self.align[c] {
                        Align::Left => 0.0,
                        Align::Right => left,
                        Align::Middle => 0.5 * left,
                    };
                let y = 0.5 * look.leading() + 0.36 * look.size;
                out[n].push(line_mark(nodes[c], x, y, part));
            }
        }
        out
    }
}

fn moved(marks: Vec<Mark>, by: f32) -> impl Iterator<Item = Mark> {
    marks.into_iter().map(move |mut m| {
        match &mut m.shape {
            Shape::Letters { y, .. } | Shape::Rect { y, .. } | Shape::Picture { y, .. } => *y += by,
        }
        m
    })
}

/// A table.
pub fn table(layout: &mut Layout<'_>, parent: usize, table: &Table) {
    if table.columns.is_empty() {
        return;
    }
    let size = match table.columns.len() {
        0..=5 => 8.8,
        6..=8 => 8.0,
        9..=12 => 7.0,
        _ => 6.0,
    };
    let look = Look {
        size,
        bold: false,
        color: INK,
    };
    let head_look = Look {
        bold: true,
        color: MUTED,
        ..look
    };
    let set_row = |layout: &Layout<'_>, row: &Row| -> Vec<Vec<Letter>> {
        (0..table.columns.len())
            .map(|c| {
                let mut set = vec![];
                if c == 0 && row.status != Status::Plain {
                    let sign = Look {
                        bold: true,
                        color: row.status.rgb(),
                        ..look
                    };
                    set = layout
                        .letters
                        .styled(&format!("{}\u{a0}", row.status.sign()), Style::Plain, sign);
                }
                if let Some(text) = row.cells.get(c) {
                    set.extend(layout.letters.set(text, look));
                }
                // A cell without text is still a cell.
                if set.is_empty() {
                    set = layout.letters.styled(" ", Style::Plain, look);
                }
                set
            })
            .collect()
    };
    let titles: Vec<Vec<Letter>> = table
        .columns
        .iter()
        .map(|(t, _)| {
            let set = layout.letters.set(t, head_look);
            if set.is_empty() {
                layout.letters.styled(" ", Style::Plain, head_look)
            } else {
                set
            }
        })
        .collect();
    let mut natural: Vec<f32> = titles.iter().map(|t| width(t)).collect();
    let mut least: Vec<f32> = titles.iter().map(|t| widest_word(t)).collect();
    // A title may take two lines before it widens a column of short values.
    for (n, l) in natural.iter_mut().zip(&least) {
        *n = (0.5 * *n).max(*l);
    }
    for row in table.rows.iter().take(MEASURED) {
        for (c, cell) in set_row(layout, row).iter().enumerate() {
            natural[c] = natural[c].max(width(cell));
            least[c] = least[c].max(widest_word(cell));
        }
    }
    let count = table.columns.len();
    let gap = GAP.min(0.3 * WIDTH / count as f32);
    let width = widths(&natural, &least, WIDTH - gap * (count - 1) as f32);
    let mut x = vec![MARGIN];
    for w in &width[..count - 1] {
        x.push(x[x.len() - 1] + w + gap);
    }
    let columns = Columns {
        x,
        width,
        align: table.columns.iter().map(|(_, a)| *a).collect(),
    };

    let node = layout.tree.add(Some(parent), Kind::Table);
    if !table.caption.is_empty() {
        let caption = layout.tree.add(Some(node), Kind::Caption);
        let set = layout.letters.set(&table.caption, SMALL);
        for (n, range) in lines(&set, WIDTH).into_iter().enumerate() {
            layout.strips.push(Strip {
                before: if n == 0 { 6.0 } else { 0.0 },
                height: SMALL.leading(),
                marks: vec![line_mark(
                    caption,
                    MARGIN,
                    0.5 * SMALL.leading() + 0.36 * SMALL.size,
                    &set[range],
                )],
                keep: true,
                ..Strip::default()
            });
        }
    }
    let head = layout.tree.add(Some(node), Kind::TableHead);
    let row = layout.tree.add(Some(head), Kind::Row);
    let nodes: Vec<usize> = (0..count)
        .map(|_| layout.tree.add(Some(row), Kind::ColumnHead))
        .collect();
    let before = if table.caption.is_empty() { 8.0 } else { 2.0 };
    let title_lines = columns.rows_of_lines(&nodes, &titles, head_look);
    let number = layout.heads.len();
    if title_lines.len() > MOST_HEAD_LINES {
        // So tall a head is parted like a paragraph, and not repeated.
        for marks in title_lines {
            layout.strips.push(Strip {
                height: head_look.leading(),
                marks,
                ..Strip::default()
            });
        }
        layout.heads.push(Strip::default());
    } else {
        let mut strip = Strip {
            before,
            height: PAD,
            keep: true,
            ..Strip::default()
        };
        for marks in title_lines {
            strip.marks.extend(moved(marks, strip.height));
            strip.height += head_look.leading();
        }
        strip.height += PAD;
        strip.marks.push(rect(MARGIN, strip.height - 0.8, WIDTH, 0.8, MUTED));
        // Where it is repeated it is decoration: it has been read once.
        let mut again = strip.clone();
        for m in &mut again.marks {
            m.node = None;
        }
        layout.heads.push(again);
        layout.strips.push(strip);
    }

    let body = layout.tree.add(Some(node), Kind::TableBody);
    let total = table.rows.len();
    for (r, row) in table.rows.iter().enumerate() {
        let cells = set_row(layout, row);
        let node = layout.tree.add(Some(body), Kind::Row);
        let nodes: Vec<usize> = (0..count)
            .map(|c| {
                layout
                    .tree
                    .add(Some(node), if c == 0 { Kind::RowHead } else { Kind::Cell })
            })
            .collect();
        let all = columns.rows_of_lines(&nodes, &cells, look);
        let parted = all.len() > MOST_LINES;
        let last = all.len().saturating_sub(1);
        let mut strip = Strip {
            head: Some(number),
            height: PAD,
            ..Strip::default()
        };
        for (n, marks) in all.into_iter().enumerate() {
            strip.marks.extend(moved(marks, strip.height));
            strip.height += look.leading();
            if parted && n < last {
                let next = Strip {
                    head: Some(number),
                    ..Strip::default()
                };
                layout.strips.push(std::mem::replace(&mut strip, next));
            }
        }
        strip.height += PAD;
        if row.status != Status::Plain {
            strip
                .marks
                .insert(0, rect(MARGIN - 6.0, 1.0, 2.4, strip.height - 2.0, row.status.rgb()));
        }
        strip.marks.push(rect(MARGIN, strip.height - 0.4, WIDTH, 0.4, LINE));
        // Neither the first nor the last row is left alone.
        strip.keep = !parted && total > 1 && (r == 0 || r + 2 == total);
        layout.strips.push(strip);
    }
    layout.strips.push(Strip {
        height: 6.0,
        ..Strip::default()
    });
}

#[cfg(test)]
mod tests {
    use super::widths;

    #[test]
    fn columns_fill_the_room_and_no_more() {
        for (natural, least) in [
            (vec![50.0, 80.0], vec![20.0, 30.0]),
            (vec![50.0, 900.0, 40.0], vec![50.0, 60.0, 40.0]),
            (vec![9000.0, 9000.0, 10.0], vec![9000.0, 9000.0, 10.0]),
            (vec![0.0, 0.0], vec![0.0, 0.0]),
        ] {
            let w = widths(&natural, &least, 400.0);
            let sum: f32 = w.iter().sum();
            assert!(sum <= 400.1, "{w:?}");
            assert!(natural[0] == 0.0 || sum > 399.0, "{w:?}");
        }
        // Short columns keep their words whole beside a long one.
        let w = widths(&[50.0, 900.0, 40.0], &[50.0, 60.0, 40.0], 400.0);
        assert!(w[0] >= 50.0 && w[2] >= 40.0);
    }
}
