//! The blocks of a document as strips.

use super::{
    letters::{Letter, Look, lines, width},
    pictures::Drawn,
    strips::{
        BODY, BOTTOM, INK, LINE, Layout, MARGIN, MUTED, Mark, SMALL, Shape, Strip, TINT, TOP, WIDTH, baseline,
        line_mark, rect,
    },
    tables,
    tree::Kind,
};
use crate::report::{
    document::{Block, Check, KeyFigure, Moment, Picture, Status, Style, Text, cleaned},
    style::Rgb,
};

impl Layout<'_> {
    /// One block.
    pub fn block(&mut self, parent: usize, block: &Block) {
        match block {
            Block::Heading(title) => self.heading(Some(parent), 3, title),
            Block::Paragraph(text) => self.paragraph(parent, text, BODY),
            Block::List(points) => {
                let list = self.tree.add(Some(parent), Kind::List);
                for p in points {
                    self.item(list, "•", INK, 12.0, &self.letters.set(p, BODY));
                }
            }
            Block::Terms(terms) => self.terms(parent, terms),
            Block::Table(table) => tables::table(self, parent, table),
            Block::Picture(p) => self.pictures(parent, std::slice::from_ref(p)),
            Block::Pictures(all) => self.pictures(parent, all),
            Block::KeyFigures(cards) => self.cards(parent, cards),
            Block::Note(status, text) => {
                let color = if *status == Status::Plain { MUTED } else { status.rgb() };
                self.note(parent, *status, text, color);
            }
            Block::Checklist(checks) => self.checklist(parent, checks),
            Block::Timeline(moments) => self.timeline(parent, moments),
            Block::Code(text) => self.code(parent, text),
        }
    }

    /// A paragraph.
    pub fn paragraph(&mut self, parent: usize, text: &Text, look: Look) {
        let node = self.tree.add(Some(parent), Kind::Paragraph);
        let set = self.letters.set(text, look);
        self.flow(node, &set, look, MARGIN, WIDTH, 5.0);
    }

    /// A point of a list: its label, and its text beside it.
    fn item(&mut self, list: usize, label: &str, color: Rgb, indent: f32, text: &[Letter]) {
        let item = self.tree.add(Some(list), Kind::Item);
        let label_node = self.tree.add(Some(item), Kind::Label);
        let body = self.tree.add(Some(item), Kind::Body);
        let first = self.strips.len();
        self.flow(body, text, BODY, MARGIN + indent, WIDTH - indent, 2.0);
        let look = Look {
            color,
            bold: true,
            ..BODY
        };
        let set = self.letters.styled(label, Style::Plain, look);
        if let (Some(strip), false) = (self.strips.get_mut(first), set.is_empty()) {
            strip
                .marks
                .insert(0, line_mark(label_node, MARGIN, baseline(BODY), &set));
        }
    }

    fn terms(&mut self, parent: usize, terms: &[(Text, Text)]) {
        let name_look = Look { bold: true, ..BODY };
        let sets: Vec<_> = terms
            .iter()
            .map(|(name, text)| (self.letters.set(name, name_look), self.letters.set(text, BODY)))
            .collect();
        let widest = sets.iter().map(|(n, _)| width(n)).fold(0.0, f32::max);
        let indent = (widest + 12.0).min(0.34 * WIDTH);
        let list = self.tree.add(Some(parent), Kind::List);
        for (name, text) in sets {
            let item = self.tree.add(Some(list), Kind::Item);
            let label = self.tree.add(Some(item), Kind::Label);
            let body = self.tree.add(Some(item), Kind::Body);
            let first = self.strips.len();
            self.flow(body, &text, BODY, MARGIN + indent, WIDTH - indent, 3.0);
            for (n, range) in lines(&name, indent - 8.0).into_iter().enumerate() {
                if self.strips.len() == first + n {
                    self.strips.push(Strip {
                        before: if n == 0 { 3.0 } else { 0.0 },
                        height: BODY.leading(),
                        ..Strip::default()
                    });
                }
                self.strips[first + n]
                    .marks
                    .insert(0, line_mark(label, MARGIN, baseline(BODY), &name[range]));
            }
        }
    }

    /// A remark on a tint with a bar at its left.
    pub fn note(&mut self, parent: usize, status: Status, text: &Text, color: Rgb) {
        let node = self.tree.add(Some(parent), Kind::Paragraph);
        let look = Look {
            color,
            bold: true,
            ..BODY
        };
        let mut set = match status {
            Status::Plain => vec![],
            s => self.letters.styled(&format!("{} ", s.sign()), Style::Plain, look),
        };
        set.extend(self.letters.set(text, BODY));
        self.tinted(node, &set, BODY, color);
    }

    fn tinted(&mut self, node: usize, set: &[Letter], look: Look, bar: Rgb) {
        let first = self.strips.len();
        self.flow(node, set, look, MARGIN + 12.0, WIDTH - 22.0, 0.0);
        self.tint(first, bar);
    }

    /// Puts a tint below the strips from `first` on, and room above and below them.
    fn tint(&mut self, first: usize, bar: Rgb) {
        let pad = |before: f32, keep: bool| Strip {
            before,
            height: 5.0,
            keep,
            ..Strip::default()
        };
        self.strips.insert(first, pad(7.0, true));
        let last = self.strips.len() - 1;
        self.strips[last].keep = true;
        self.strips.push(pad(0.0, false));
        self.strips.push(Strip {
            height: 4.0,
            ..Strip::default()
        });
        let end = self.strips.len() - 1;
        for strip in &mut self.strips[first..end] {
            strip
                .marks
                .insert(0, rect(MARGIN, 0.0, WIDTH, strip.height + 0.2, TINT));
            strip.marks.insert(1, rect(MARGIN, 0.0, 3.0, strip.height + 0.2, bar));
        }
    }

    fn code(&mut self, parent: usize, text: &str) {
        let look = Look { size: 7.6, ..BODY };
        let node = self.tree.add(Some(parent), Kind::Paragraph);
        let first = self.strips.len();
        let text = cleaned(text, true).into_owned();
        for line in text.lines() {
            let set = self.letters.styled(line, Style::Code, look);
            if set.is_empty() {
                self.strips.push(Strip {
                    height: look.leading(),
                    ..Strip::default()
                });
            } else {
                self.flow(node, &set, look, MARGIN + 12.0, WIDTH - 22.0, 0.0);
            }
        }
        if self.strips.len() > first {
            self.tint(first, LINE);
        }
    }

    fn checklist(&mut self, parent: usize, checks: &[Check]) {
        let list = self.tree.add(Some(parent), Kind::List);
        for c in checks {
            let mut set = self.letters.set(&c.what, BODY);
            if !c.remark.is_empty() {
                let remark = Look { color: MUTED, ..BODY };
                set.extend(self.letters.styled(" – ", Style::Plain, remark));
                set.extend(self.letters.set(&c.remark, remark));
            }
            let first = self.strips.len();
            self.item(list, c.status.sign(), c.status.rgb(), 18.0, &set);
            if let Some(strip) = self.strips.get_mut(first) {
                strip.before = 0.0;
                strip.marks.insert(0, rect(MARGIN, -1.5, WIDTH, 0.5, LINE));
                strip.height += 1.5;
            }
            self.space_after(2.5);
        }
    }

    fn space_after(&mut self, height: f32) {
        if let Some(last) = self.strips.last_mut() {
            last.height += height;
        }
    }

    fn timeline(&mut self, parent: usize, moments: &[Moment]) {
        let list = self.tree.add(Some(parent), Kind::List);
        let look = Look { color: MUTED, ..BODY };
        let widest = moments
            .iter()
            .map(|m| self.letters.width(&m.when, look))
            .fold(40.0, f32::max);
        let indent = (16.0 + widest + 12.0).min(0.4 * WIDTH);
        for m in moments {
            let item = self.tree.add(Some(list), Kind::Item);
            let label = self.tree.add(Some(item), Kind::Label);
            let body = self.tree.add(Some(item), Kind::Body);
            let mut set = match m.status {
                Status::Plain => vec![],
                s => {
                    let look = Look {
                        color: s.rgb(),
                        bold: true,
                        ..BODY
                    };
                    self.letters.styled(&format!("{} ", s.sign()), Style::Plain, look)
                }
            };
            set.extend(self.letters.set(&m.what, BODY));
            let first = self.strips.len();
            self.flow(body, &set, BODY, MARGIN + indent, WIDTH - indent, 0.0);
            let when = self.letters.styled(&cleaned(&m.when, false), Style::Plain, look);
            for (n, range) in lines(&when, indent - 24.0).into_iter().enumerate() {
                if self.strips.len() == first + n {
                    self.strips.push(Strip {
                        height: BODY.leading(),
                        ..Strip::default()
                    });
                }
                let mark = line_mark(label, MARGIN + 16.0, baseline(BODY), &when[range]);
                self.strips[first + n].marks.insert(0, mark);
            }
            let (mid, color) = (0.5 * BODY.leading(), m.status.rgb());
            for strip in &mut self.strips[first..] {
                strip.height += if strip.keep { 0.0 } else { 1.0 };
                strip
                    .marks
                    .insert(0, rect(MARGIN + 4.0, 0.0, 1.0, strip.height + 0.2, LINE));
            }
            if let Some(strip) = self.strips.get_mut(first) {
                strip.marks.insert(1, rect(MARGIN + 2.0, mid - 2.5, 5.0, 5.0, color));
            }
        }
    }

    fn cards(&mut self, parent: usize, cards: &[KeyFigure]) {
        const GAP: f32 = 8.0;
        const PAD: f32 = 7.0;
        // Rows of nearly equal length.
        let rows = cards.len().div_ceil(4).max(1);
        let across = cards.len().div_ceil(rows).max(1);
        let w = (WIDTH - GAP * (across - 1) as f32) / across as f32;
        let room = w - 2.0 * PAD;
        for (r, row) in cards.chunks(across).enumerate() {
            let mut strip = Strip {
                before: if r == 0 { 8.0 } else { GAP },
                ..Strip::default()
            };
            for (n, card) in row.iter().enumerate() {
                let x = MARGIN + n as f32 * (w + GAP);
                let group = self.tree.add(Some(parent), Kind::Group);
                let value_look = Look {
                    size: 14.0,
                    bold: true,
                    color: INK,
                };
                let unit_look = Look { size: 9.5, ..BODY };
                let mut value = match card.status {
                    Status::Plain => vec![],
                    s => {
                        let look = Look {
                            color: s.rgb(),
                            ..value_look
                        };
                        self.letters.styled(&format!("{} ", s.sign()), Style::Plain, look)
                    }
                };
                value.extend(self.letters.set(&card.value.as_str().into(), value_look));
                if !card.unit.is_empty() {
                    let unit = format!(" {}", card.unit);
                    value.extend(self.letters.set(&unit.into(), unit_look));
                }
                let mut y = PAD + 2.0;
                let parts = [
                    (self.letters.set(&card.name.as_str().into(), SMALL), SMALL),
                    (value, value_look),
                    (self.letters.set(&card.remark.as_str().into(), SMALL), SMALL),
                ];
                for (set, look) in parts {
                    if set.is_empty() {
                        continue;
                    }
                    let node = self.tree.add(Some(group), Kind::Paragraph);
                    let set = self.shortened(set, look, room);
                    let (marks, height) = Self::stacked(node, &set, look, [x + PAD, y], room);
                    strip.marks.extend(marks);
                    y += height;
                }
                strip.height = strip.height.max(y + PAD - 2.0);
            }
            for (n, card) in row.iter().enumerate() {
                let x = MARGIN + n as f32 * (w + GAP);
                let color = if card.status == Status::Plain {
                    LINE
                } else {
                    card.status.rgb()
                };
                strip.marks.insert(2 * n, rect(x, 0.0, w, strip.height, TINT));
                strip.marks.insert(2 * n + 1, rect(x, 0.0, w, 2.4, color));
            }
            self.strips.push(strip);
        }
        self.strips.push(Strip {
            height: 3.0,
            ..Strip::default()
        });
    }

    /// The first lines of a text that is too long for a card, and a sign that there was more.
    fn shortened(&self, mut set: Vec<Letter>, look: Look, room: f32) -> Vec<Letter> {
        const MOST_LINES: usize = 8;
        if let Some(last) = lines(&set, room).get(MOST_LINES - 1) {
            let end = last.end;
            if end < set.len() {
                set.truncate(end.saturating_sub(2));
                set.extend(self.letters.styled("…", Style::Plain, look));
            }
        }
        set
    }

    /// Pictures beside each other with their captions.
    fn pictures(&mut self, parent: usize, all: &[Picture]) {
        const GAP: f32 = 10.0;
        const MOST_HEIGHT: f32 = 0.84 * (BOTTOM - TOP);
        if all.is_empty() {
            return;
        }
        let shares: Vec<f32> = all.iter().map(|p| p.width.clamp(0.05, 1.0) as f32).collect();
        let sum: f32 = shares.iter().sum();
        let free = WIDTH - GAP * (all.len() - 1) as f32;
        let mut strip = Strip {
            before: 10.0,
            ..Strip::default()
        };
        let mut x = MARGIN;
        let mut placed = Vec::new();
        for (p, share) in all.iter().zip(shares) {
            let room = if all.len() == 1 {
                share * WIDTH
            } else {
                share / sum.max(1e-3) * free
            };
            let n = self.pictures.len();
            let drawn = Drawn::of(&p.source);
            let [columns, rows] = drawn.size();
            self.pictures.push(drawn);
            let ratio = rows as f32 / columns.max(1) as f32;
            let (mut w, mut h) = (room, room * ratio);
            if h > MOST_HEIGHT {
                (w, h) = (MOST_HEIGHT / ratio, MOST_HEIGHT);
            }
            let alt = cleaned(&p.alt, false).into_owned();
            let alt = if alt.trim().is_empty() {
                "a picture".to_owned()
            } else {
                alt
            };
            let node = self.tree.add(Some(parent), Kind::Figure(alt));
            strip.marks.push(rect(x - 0.5, -0.5, w + 1.0, h + 1.0, LINE));
            strip.marks.push(Mark {
                node: Some(node),
                shape: Shape::Picture { x, y: 0.0, w, h, n },
            });
            strip.height = strip.height.max(h + 3.0);
            placed.push((x, if all.len() == 1 { WIDTH } else { room }));
            x += room + GAP;
        }
        strip.keep = all.iter().any(|p| !p.caption.is_empty());
        self.strips.push(strip);
        if let [one] = all {
            let node = self.tree.add(Some(parent), Kind::Paragraph);
            let set = self.letters.set(&one.caption, SMALL);
            self.flow(node, &set, SMALL, MARGIN, WIDTH, 0.0);
        } else {
            let mut strip = Strip::default();
            for (p, (x, room)) in all.iter().zip(placed) {
                let node = self.tree.add(Some(parent), Kind::Paragraph);
                let set = self.letters.set(&p.caption, SMALL);
                let (marks, height) = Self::stacked(node, &set, SMALL, [x, 0.0], room);
                if height > 0.3 * (BOTTOM - TOP) {
                    // Too long to stand below its picture.
                    self.flow(node, &set, SMALL, MARGIN, WIDTH, 4.0);
                } else {
                    strip.marks.extend(marks);
                    strip.height = strip.height.max(height);
                }
            }
            self.strips.push(strip);
        }
        self.strips.push(Strip {
            height: 8.0,
            ..Strip::default()
        });
    }
}
