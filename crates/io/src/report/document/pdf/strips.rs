//! Blocks of a document cut into strips, each of which lies whole on one page.

use super::{
    letters::{Letter, Letters, Look, lines},
    pictures::Drawn,
    tree::{Kind, Tree},
};
use crate::report::{
    document::{Style, cleaned},
    style::Rgb,
};

/// A4, points.
pub const PAGE: [f32; 2] = [595.28, 841.89];
/// Left and right of the text.
pub const MARGIN: f32 = 50.0;
/// Where the text begins and ends.
pub const TOP: f32 = 58.0;
/// See [`TOP`].
pub const BOTTOM: f32 = 780.0;
/// Width of the text.
pub const WIDTH: f32 = PAGE[0] - 2.0 * MARGIN;

pub const INK: Rgb = [0x21, 0x29, 0x34];
pub const MUTED: Rgb = [0x5c, 0x66, 0x72];
pub const LINE: Rgb = [0xdd, 0xe1, 0xe6];
pub const TINT: Rgb = [0xf5, 0xf7, 0xf9];
pub const ACCENT: Rgb = [0xd5, 0x5e, 0x00];

pub const BODY: Look = Look {
    size: 9.5,
    bold: false,
    color: INK,
};
pub const SMALL: Look = Look {
    size: 8.3,
    bold: false,
    color: MUTED,
};

/// What is drawn; y runs down from the top of the strip.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Letters from x on, on a line.
    Letters { x: f32, y: f32, letters: Vec<Letter> },
    /// A filled rectangle.
    Rect { x: f32, y: f32, w: f32, h: f32, color: Rgb },
    /// A picture, by its number.
    Picture { x: f32, y: f32, w: f32, h: f32, n: usize },
}

/// Something drawn, and what it belongs to; decoration belongs to nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub node: Option<usize>,
    pub shape: Shape,
}

/// What lies whole on one page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Strip {
    /// Space above it, but for the top of a page.
    pub before: f32,
    pub height: f32,
    pub marks: Vec<Mark>,
    /// Stays with the next one.
    pub keep: bool,
    /// The head of its table, repeated where a page begins.
    pub head: Option<usize>,
    /// It begins a part with this title; 1 for sections.
    pub title: Option<(u8, String)>,
}

/// A document on its way to pages.
pub struct Layout<'a> {
    pub letters: &'a Letters,
    pub tree: Tree,
    pub strips: Vec<Strip>,
    /// Heads of tables.
    pub heads: Vec<Strip>,
    pub pictures: Vec<Drawn>,
}

/// A line of letters as a mark.
pub fn line_mark(node: usize, x: f32, y: f32, letters: &[Letter]) -> Mark {
    Mark {
        node: Some(node),
        shape: Shape::Letters {
            x,
            y,
            letters: letters.to_vec(),
        },
    }
}

/// Decoration.
pub fn rect(x: f32, y: f32, w: f32, h: f32, color: Rgb) -> Mark {
    Mark {
        node: None,
        shape: Shape::Rect { x, y, w, h, color },
    }
}

/// Where the letters stand in a line of this height.
pub fn baseline(look: Look) -> f32 {
    0.5 * look.leading() + 0.36 * look.size
}

impl Layout<'_> {
    /// Lines of a text below each other; the strips are kept together so that no line is left alone.
    pub fn flow(&mut self, node: usize, letters: &[Letter], look: Look, x: f32, room: f32, before: f32) {
        let all = lines(letters, room);
        let count = all.len();
        for (n, range) in all.into_iter().enumerate() {
            self.strips.push(Strip {
                before: if n == 0 { before } else { 0.0 },
                height: look.leading(),
                marks: vec![line_mark(node, x, baseline(look), &letters[range])],
                keep: count > 1 && (n == 0 || n + 2 == count),
                ..Strip::default()
            });
        }
    }

    /// Marks of a text below each other, and their height.
    pub fn stacked(node: usize, letters: &[Letter], look: Look, at: [f32; 2], room: f32) -> (Vec<Mark>, f32) {
        let mut y = at[1];
        let mut marks = Vec::new();
        for range in lines(letters, room) {
            marks.push(line_mark(node, at[0], y + baseline(look), &letters[range]));
            y += look.leading();
        }
        (marks, y - at[1])
    }

    /// A heading. Level 1 is the title of the document.
    pub fn heading(&mut self, parent: Option<usize>, level: u16, title: &str) {
        let title = cleaned(title, false).into_owned();
        let look = Look {
            size: [19.0, 13.5, 11.0][usize::from(level.clamp(1, 3)) - 1],
            bold: true,
            color: INK,
        };
        let node = self.tree.add(parent, Kind::Heading(level, title.clone()));
        let set = self.letters.styled(&title, Style::Plain, look);
        let mut anchor = (level > 1).then(|| (level as u8 - 1, title));
        if level == 2 {
            self.strips.push(Strip {
                before: 20.0,
                height: 7.0,
                marks: vec![rect(MARGIN, 0.0, WIDTH, 1.4, LINE)],
                keep: true,
                title: anchor.take(),
                ..Strip::default()
            });
        }
        let all = lines(&set, WIDTH);
        for (n, range) in all.into_iter().enumerate() {
            self.strips.push(Strip {
                before: if n == 0 && level == 3 { 10.0 } else { 0.0 },
                height: look.leading(),
                marks: vec![line_mark(node, MARGIN, baseline(look), &set[range])],
                keep: true,
                title: anchor.take(),
                ..Strip::default()
            });
        }
        self.space(2.0);
    }

    /// Space that stays with what is above and below.
    pub fn space(&mut self, height: f32) {
        self.strips.push(Strip {
            height,
            keep: true,
            ..Strip::default()
        });
    }
}
