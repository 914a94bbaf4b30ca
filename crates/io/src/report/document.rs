//! A report before it is written: what it says, not how it looks. [`Document::to_html`] and [`Document::to_pdf`] write the same content.
//!
//! Texts come from anywhere: characters that could change the page round them (controls, marks that turn the direction of writing) are taken
//! out by the writers, so that no text of a scenario can break a report.

mod html;
mod pdf;

use std::borrow::Cow;

use crate::results::ResultsError;

/// Stands at the head of every report and at the foot of every page.
pub const DISCLAIMER: &str = "Research and teaching software, not a medical device.";

/// A report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// Its title. Must not name a patient.
    pub title: String,
    /// What this is, below the title.
    pub subtitle: String,
    /// What follows the disclaimer at the head: what the report is not, and what it may be used for.
    pub statement: Text,
    /// Name and version of the program.
    pub program: String,
    /// The day it is about, when one is given; no clock is read.
    pub date: Option<Date>,
    /// What stands before the first section: key figures, a contents list.
    pub opening: Vec<Block>,
    /// Its sections.
    pub sections: Vec<Section>,
}

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Year.
    pub year: u16,
    /// Month from 1.
    pub month: u8,
    /// Day from 1.
    pub day: u8,
}

impl Date {
    /// In words: `27 November 2026`.
    pub fn words(&self) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let month = MONTHS.get(usize::from(self.month).wrapping_sub(1)).unwrap_or(&"?");
        format!("{} {month} {}", self.day, self.year)
    }
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// Its name in links: letters, digits and hyphens.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
}

impl Section {
    /// An empty section.
    pub fn new(id: &str, title: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            blocks: vec![],
        }
    }

    /// Adds a block.
    pub fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: impl Into<Text>) -> &mut Self {
        self.push(Block::Paragraph(text.into()))
    }
}

/// How a stretch of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// As the text round it.
    #[default]
    Plain,
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Of a program: a file name, a command.
    Code,
    /// Lowered and small.
    Subscript,
    /// Raised and small.
    Superscript,
}

/// Text with styles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<(Style, String)>);

impl Text {
    /// True when there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, t)| t.is_empty())
    }

    /// Adds text in a style.
    #[must_use]
    pub fn with(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    /// Adds plain text.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.with(Style::Plain, text)
    }

    /// Adds bold text.
    #[must_use]
    pub fn bold(self, text: impl Into<String>) -> Self {
        self.with(Style::Bold, text)
    }

    /// Adds italic text.
    #[must_use]
    pub fn italic(self, text: impl Into<String>) -> Self {
        self.with(Style::Italic, text)
    }

    /// Adds text of a program.
    #[must_use]
    pub fn code(self, text: impl Into<String>) -> Self {
        self.with(Style::Code, text)
    }

    /// Adds a number and its unit, which no line end may part.
    #[must_use]
    pub fn quantity(self, value: &str, unit: &str) -> Self {
        self.plain(quantity(value, unit))
    }

    /// The words without their styles.
    pub fn words(&self) -> String {
        self.0.iter().map(|(_, t)| t.as_str()).collect()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::default().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::default().plain(text)
    }
}

/// A number and its unit with a space between them at which no line ends; the number alone without a unit.
pub fn quantity(value: &str, unit: &str) -> String {
    if unit.is_empty() {
        value.to_owned()
    } else {
        format!("{value}\u{a0}{}", unit.replace(' ', "\u{a0}"))
    }
}

/// How a row, a remark or a point of a list is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Neither good nor bad.
    #[default]
    Plain,
    /// As it should be.
    Pass,
    /// To be watched.
    Warn,
    /// Not as it should be.
    Fail,
    /// Not done, or not known.
    Open,
}

impl Status {
    /// The sign that shows it without colour.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Pass => "✓",
            Self::Warn => "⚠",
            Self::Fail => "✗",
            Self::Open => "☐",
        }
    }

    /// The same in a word, for those who listen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Pass => "pass",
            Self::Warn => "warning",
            Self::Fail => "fail",
            Self::Open => "open",
        }
    }

    /// Its colour, dark enough on white to be read.
    pub(crate) fn rgb(self) -> [u8; 3] {
        match self {
            Self::Plain | Self::Open => [0x5c, 0x66, 0x72],
            Self::Pass => [0x00, 0x7a, 0x59],
            Self::Warn => [0x9a, 0x62, 0x00],
            Self::Fail => [0xb0, 0x2a, 0x1d],
        }
    }
}

/// A block of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading inside a section.
    Heading(String),
    /// A paragraph.
    Paragraph(Text),
    /// Points.
    List(Vec<Text>),
    /// Names and what is said of them.
    Terms(Vec<(Text, Text)>),
    /// A table.
    Table(Table),
    /// A picture.
    Picture(Picture),
    /// Pictures side by side, each as wide as its share.
    Pictures(Vec<Picture>),
    /// Cards with the figures that matter most.
    KeyFigures(Vec<KeyFigure>),
    /// A remark that stands out.
    Note(Status, Text),
    /// A checklist.
    Checklist(Vec<Check>),
    /// What happened when.
    Timeline(Vec<Moment>),
    /// Text of a program, as it is.
    Code(String),
}

impl Block {
    /// A paragraph.
    pub fn paragraph(text: impl Into<Text>) -> Self {
        Self::Paragraph(text.into())
    }

    /// A remark.
    pub fn note(status: Status, text: impl Into<Text>) -> Self {
        Self::Note(status, text.into())
    }
}

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At its left edge.
    #[default]
    Left,
    /// At its right edge, as numbers do.
    Right,
    /// In its middle.
    Middle,
}

/// A table. A row with too few cells is filled up with empty ones; cells too many are dropped.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What it shows and how to read it; may be empty.
    pub caption: Text,
    /// Titles of the columns and where their text stands.
    pub columns: Vec<(Text, Align)>,
    /// Rows; the first cell names the row.
    pub rows: Vec<Row>,
}

impl Table {
    /// A table without rows.
    pub fn new(caption: impl Into<Text>, columns: &[(&str, Align)]) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.iter().map(|(t, a)| (Text::from(*t), *a)).collect(),
            rows: vec![],
        }
    }

    /// Adds a row.
    pub fn row<T: Into<Text>>(&mut self, cells: impl IntoIterator<Item = T>) -> &mut Self {
        self.row_with(Status::Plain, cells)
    }

    /// Adds a row with a status.
    pub fn row_with<T: Into<Text>>(&mut self, status: Status, cells: impl IntoIterator<Item = T>) -> &mut Self {
        self.rows.push(Row {
            status,
            cells: cells.into_iter().map(Into::into).collect(),
        });
        self
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// How it is to be taken.
    pub status: Status,
    /// Its cells.
    pub cells: Vec<Text>,
}

/// The bytes of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// PNG.
    Png(Vec<u8>),
    /// SVG; drawn with the fonts of the program alone.
    Svg(String),
}

/// A picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Its bytes.
    pub source: Source,
    /// What it shows, for those who cannot see it.
    pub alt: String,
    /// How to read it; may be empty.
    pub caption: Text,
    /// Its width as a share of the text's, above 0 and at most 1.
    pub width: f64,
}

impl Picture {
    /// A PNG as wide as the text.
    pub fn png(bytes: Vec<u8>, alt: impl Into<String>, caption: impl Into<Text>) -> Self {
        Self {
            source: Source::Png(bytes),
            alt: alt.into(),
            caption: caption.into(),
            width: 1.0,
        }
    }
}

/// A card with one figure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyFigure {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// Its stated error, or what it means; may be empty.
    pub remark: String,
    /// How it is to be taken.
    pub status: Status,
}

/// A point of a checklist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Check {
    /// Whether it holds.
    pub status: Status,
    /// What was to be done.
    pub what: Text,
    /// What is to be said of it; may be empty.
    pub remark: Text,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moment {
    /// When, in words.
    pub when: String,
    /// How it is to be taken.
    pub status: Status,
    /// What happened.
    pub what: Text,
}

impl Document {
    /// The report as one page of HTML that needs nothing else.
    pub fn to_html(&self) -> String {
        html::page(self)
    }

    /// The report as PDF: A4, tagged for readers of the screen (PDF/UA-1; with a date also PDF/A-2a), fonts within.
    ///
    /// The same document gives the same bytes.
    ///
    /// # Errors
    /// [`ResultsError::Document`] when the library that writes PDF refuses, which is a defect of the program.
    pub fn to_pdf(&self) -> Result<Vec<u8>, ResultsError> {
        pdf::file(self)
    }
}

/// Text without what could change the page round it: controls and marks of direction are dropped, tabs and line ends are spaces unless `lines`
/// are kept, characters of private use and such that are none become U+FFFD.
pub(crate) fn cleaned(text: &str, lines: bool) -> Cow<'_, str> {
    let replaced = |c: char| match c {
        '\n' if lines => Some(c),
        '\t' | '\n' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if c.is_control() => None,
        '\u{200e}'
        | '\u{200f}'
        | '\u{61c}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}'
        | '\u{e0000}'..='\u{e007f}' => None,
        '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..='\u{10ffff}' => Some('\u{fffd}'),
        c if u32::from(c) & 0xfffe == 0xfffe => Some('\u{fffd}'),
        c => Some(c),
    };
    if text.chars().all(|c| replaced(c) == Some(c)) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter_map(replaced).collect())
    }
}
