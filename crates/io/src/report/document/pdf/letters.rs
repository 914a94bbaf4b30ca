//! Letters of the embedded fonts: which glyph, how wide, and where lines end.

use std::{collections::BTreeMap, ops::Range};

use krilla::text::Font;
use skrifa::{FontRef, MetadataProvider, instance::LocationRef, instance::Size};

use crate::report::{
    document::{Style, Text, cleaned},
    style::Rgb,
};
use crate::results::ResultsError;

const FILES: [&[u8]; 4] = [
    include_bytes!("../../font/DejaVuSansCondensed-subset.ttf"),
    include_bytes!("../../font/DejaVuSansCondensed-Bold-subset.ttf"),
    include_bytes!("../../font/DejaVuSansCondensed-Oblique-subset.ttf"),
    include_bytes!("../../font/DejaVuSansMono-subset.ttf"),
];
const REGULAR: usize = 0;
const BOLD: usize = 1;
const OBLIQUE: usize = 2;
const MONO: usize = 3;

/// Shown for a character that no font has; the text below it stays what it was.
const MISSING: char = '□';

/// One letter in its place on a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Letter {
    /// The character meant.
    pub character: char,
    /// Index of its font.
    pub face: usize,
    /// Its glyph.
    pub glyph: u16,
    /// Its size, points.
    pub size: f32,
    /// How far it is raised, points.
    pub rise: f32,
    /// How far it moves on, points.
    pub advance: f32,
    /// Its colour.
    pub color: Rgb,
}

/// How a text is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Size, points.
    pub size: f32,
    /// Bold throughout.
    pub bold: bool,
    /// Colour.
    pub color: Rgb,
}

impl Look {
    /// From one line to the next, points.
    pub fn leading(self) -> f32 {
        1.36 * self.size
    }
}

struct Face {
    font: Font,
    /// Glyph and advance of each character, the advance as a share of the size.
    glyphs: BTreeMap<char, (u16, f32)>,
}

/// The fonts of a file.
pub struct Letters {
    faces: Vec<Face>,
}

impl Letters {
    /// Reads the embedded fonts.
    ///
    /// # Errors
    /// [`ResultsError::Document`] when one cannot be read, which is a defect of the program.
    pub fn new() -> Result<Self, ResultsError> {
        let unreadable = || ResultsError::Document {
            reason: "an embedded font cannot be read".to_owned(),
        };
        let faces = FILES
            .iter()
            .map(|bytes| {
                let font = Font::new((*bytes).into(), 0).ok_or_else(unreadable)?;
                let table = FontRef::new(bytes).map_err(|_| unreadable())?;
                let metrics = table.glyph_metrics(Size::new(1.0), LocationRef::default());
                let glyphs = table
                    .charmap()
                    .mappings()
                    .filter_map(|(c, glyph)| {
                        let id = u16::try_from(glyph.to_u32()).ok()?;
                        Some((char::from_u32(c)?, (id, metrics.advance_width(glyph)?)))
                    })
                    .collect();
                Ok(Face { font, glyphs })
            })
            .collect::<Result<_, ResultsError>>()?;
        Ok(Self { faces })
    }

    /// The font of a letter.
    pub fn font(&self, face: usize) -> Font {
        self.faces[face].font.clone()
    }

    /// Letters of a text. Characters that show nothing and that no font has (joiners, selectors) are left out.
    pub fn set(&self, text: &Text, look: Look) -> Vec<Letter> {
        text.0
            .iter()
            .flat_map(|(style, part)| self.styled(&cleaned(part, false), *style, look))
            .collect()
    }

    /// Letters of one stretch.
    pub fn styled(&self, text: &str, style: Style, look: Look) -> Vec<Letter> {
        let face = match style {
            Style::Bold => BOLD,
            Style::Code => MONO,
            _ if look.bold => BOLD,
            Style::Italic => OBLIQUE,
            _ => REGULAR,
        };
        let (scale, rise) = match style {
            Style::Subscript => (0.72, -0.16),
            Style::Superscript => (0.72, 0.34),
            Style::Code => (0.92, 0.0),
            _ => (1.0, 0.0),
        };
        let size = look.size * scale;
        text.chars()
            .filter_map(|c| {
                let (face, glyph, advance) = self.glyph(c, face)?;
                Some(Letter {
                    character: c,
                    face,
                    glyph,
                    size,
                    rise: rise * look.size,
                    advance: advance * size,
                    color: look.color,
                })
            })
            .collect()
    }

    fn glyph(&self, c: char, wanted: usize) -> Option<(usize, u16, f32)> {
        let of = |face: usize, c: char| self.faces[face].glyphs.get(&c).map(|(g, a)| (face, *g, *a));
        let shown = of(wanted, c).or_else(|| of(REGULAR, c)).or_else(|| match c {
            // A space of another width.
            '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => of(wanted, ' '),
            _ => None,
        });
        match c {
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{fe00}'..='\u{fe0f}' => None,
            _ => shown.or_else(|| of(REGULAR, MISSING)),
        }
    }

    /// Width of the letters of a text without styles, points.
    pub fn width(&self, text: &str, look: Look) -> f32 {
        width(&self.styled(&cleaned(text, false), Style::Plain, look))
    }
}

/// True for a letter that stands for a character without a glyph.
pub fn is_missing(letters: &Letters, letter: &Letter) -> bool {
    letter.character != MISSING
        && letters.faces[REGULAR]
            .glyphs
            .get(&MISSING)
            .is_some_and(|(glyph, _)| letter.face == REGULAR && letter.glyph == *glyph)
}

/// Width of letters, points; spaces at the end take none.
pub fn width(letters: &[Letter]) -> f32 {
    let end = letters.iter().rposition(|l| l.character != ' ').map_or(0, |n| n + 1);
    letters[..end].iter().map(|l| l.advance).sum()
}

/// Width of the widest part that should not be broken, points.
pub fn widest_word(letters: &[Letter]) -> f32 {
    let mut widest = 0.0f32;
    let mut start = 0;
    for end in 1..=letters.len() {
        if end == letters.len() || may_end(letters, end) {
            widest = widest.max(width(&letters[start..end]));
            start = end;
        }
    }
    widest
}

/// Whether a line may end before letter `n`.
fn may_end(letters: &[Letter], n: usize) -> bool {
    let (last, next) = (letters[n - 1].character, letters[n].character);
    match last {
        ' ' => next != ' ',
        '\u{2014}' => true,
        '-' | '\u{2010}' => next.is_alphabetic() && n >= 2 && letters[n - 2].character.is_alphanumeric(),
        _ => false,
    }
}

/// Lines of at most this width. A word that is wider than a line is broken, after a sign inside it where there is one.
pub fn lines(letters: &[Letter], room: f32) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut start, mut good, mut used) = (0, None, 0.0f32);
    let mut n = 0;
    while n < letters.len() {
        if n > start && may_end(letters, n) {
            good = Some(n);
        }
        let l = &letters[n];
        if used + l.advance > room && l.character != ' ' && n > start {
            let end = good.unwrap_or_else(|| {
                let sign = (start + (n - start) / 2..n)
                    .rev()
                    .find(|k| "_/.,;:\\)-".contains(letters[*k].character));
                sign.map_or(n, |k| k + 1)
            });
            out.push(start..end);
            (start, good, used) = (end, None, 0.0);
            n = end;
            continue;
        }
        used += l.advance;
        n += 1;
    }
    if start < letters.len() {
        out.push(start..letters.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look {
        size: 10.0,
        bold: false,
        color: [0; 3],
    };

    fn broken(text: &str, room: f32) -> Vec<String> {
        let letters = Letters::new().unwrap().set(&text.into(), LOOK);
        lines(&letters, room)
            .into_iter()
            .map(|r| letters[r].iter().map(|l| l.character).collect())
            .collect()
    }

    #[test]
    fn lines_end_between_words_and_long_words_are_broken() {
        let text = "the medial branch of the dorsal ramus";
        let all = broken(text, 80.0);
        assert_eq!(all.concat(), text);
        assert!(
            all.len() > 2 && all[..all.len() - 1].iter().all(|l| l.ends_with(' ')),
            "{all:?}"
        );
        let word = "x".repeat(300);
        let all = broken(&word, 80.0);
        assert_eq!(all.concat(), word);
        assert!(all.len() > 15);
        assert!(broken("80\u{a0}°C 80\u{a0}°C", 30.0).contains(&"80\u{a0}°C ".to_owned()));
        assert!(broken("", 30.0).is_empty());
        // Narrower than a letter: one a line, and an end.
        assert_eq!(broken("abc", 0.1).len(), 3);
    }

    #[test]
    fn fonts_have_the_signs_of_the_subject() {
        let letters = Letters::new().unwrap();
        for style in [Style::Plain, Style::Bold, Style::Italic, Style::Code] {
            let set = letters.styled("°Ωµμ²³–−≤≥±×·→√∞αβδλσρφΩ₀₁₂⁻¹✓✗⚠☐•…«ÄéŁЖ", style, LOOK);
            assert!(set.iter().all(|l| !is_missing(&letters, l)), "{style:?} lacks one");
            assert!(set.iter().all(|l| l.advance > 0.0));
        }
        let missing = letters.styled("שלום 😀", Style::Plain, LOOK);
        assert_eq!(missing.iter().filter(|l| is_missing(&letters, l)).count(), 5);
        let narrow = Look { size: 12.0, ..LOOK };
        assert!((letters.width("mm", narrow) / letters.width("mm", LOOK) - 1.2).abs() < 1e-4);
    }
}
