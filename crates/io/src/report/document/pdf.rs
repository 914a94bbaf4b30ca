//! A document as PDF: cut into strips, laid on pages of A4, tagged.

mod blocks;
mod letters;
mod pictures;
mod strips;
mod tables;
mod tree;

use krilla::{
    Document as Pdf, SerializeSettings,
    color::rgb,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    geom::{PathBuilder, Point, Rect, Size, Transform},
    image::Image,
    metadata::{DateTime, Metadata},
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::Fill,
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier, SpanTag},
    text::{GlyphId, KrillaGlyph},
};

use self::{
    letters::{Letter, Letters, Look, is_missing},
    strips::{ACCENT, BODY, BOTTOM, LINE, Layout, MARGIN, MUTED, Mark, PAGE, SMALL, Shape, Strip, TOP, WIDTH},
    tree::{Kind, Tree},
};
use super::{DISCLAIMER, Date, Document, Status, Style, Text, cleaned};
use crate::report::style::Rgb;
use crate::results::ResultsError;

/// Strips in their places.
struct Pages {
    /// Marks of each page, with how far down each strip lies.
    marks: Vec<Vec<(f32, Vec<Mark>)>>,
    /// Level, title, page and place of each part.
    titles: Vec<(u8, String, usize, f32)>,
}

/// Lays strips on pages. Strips that are kept together move to the next page together when they fit on one.
fn paginated(strips: Vec<Strip>, heads: &[Strip]) -> Pages {
    let mut pages = Pages {
        marks: vec![vec![]],
        titles: vec![],
    };
    let mut y = TOP;
    let mut fresh = true;
    let mut waiting: Vec<Strip> = Vec::new();
    for strip in strips {
        let keep = strip.keep;
        waiting.push(strip);
        // Whole tables of kept rows end somewhere.
        if keep && waiting.len() < 40 {
            continue;
        }
        let group = std::mem::take(&mut waiting);
        let height: f32 = group.iter().map(|s| s.before + s.height).sum();
        let repeated = group[0].head.map_or(0.0, |h| heads[h].height);
        if !fresh && y + height > BOTTOM && height + repeated <= BOTTOM - TOP {
            pages.marks.push(vec![]);
            (y, fresh) = (TOP, true);
        }
        for strip in group {
            place(&mut pages, strip, heads, &mut y, &mut fresh);
        }
    }
    for strip in waiting {
        place(&mut pages, strip, heads, &mut y, &mut fresh);
    }
    while pages.marks.len() > 1 && pages.marks.last().is_some_and(Vec::is_empty) {
        pages.marks.pop();
    }
    pages
}

fn place(pages: &mut Pages, strip: Strip, heads: &[Strip], y: &mut f32, fresh: &mut bool) {
    if !*fresh && *y + strip.before + strip.height > BOTTOM + 0.1 {
        // Space at the end of a page needs no page of its own.
        if strip.marks.is_empty() {
            return;
        }
        pages.marks.push(vec![]);
        (*y, *fresh) = (TOP, true);
    }
    if *fresh {
        if strip.marks.is_empty() {
            return;
        }
        if let Some(head) = strip.head {
            let page = pages.marks.len() - 1;
            pages.marks[page].push((*y, heads[head].marks.clone()));
            *y += heads[head].height;
        }
    } else {
        *y += strip.before;
    }
    *fresh = false;
    let page = pages.marks.len() - 1;
    if let Some((level, title)) = strip.title {
        pages.titles.push((level, title, page, *y));
    }
    pages.marks[page].push((*y, strip.marks));
    *y += strip.height;
}

fn laid_out<'a>(document: &Document, letters: &'a Letters) -> Layout<'a> {
    let mut layout = Layout {
        letters,
        tree: Tree::default(),
        strips: vec![],
        heads: vec![],
        pictures: vec![],
    };
    let opening = layout.tree.add(None, Kind::Section);
    layout.heading(Some(opening), 1, &document.title);
    let quiet = Look { color: MUTED, ..BODY };
    if !document.subtitle.is_empty() {
        layout.paragraph(opening, &document.subtitle.as_str().into(), BODY);
    }
    if let Some(date) = document.date {
        layout.paragraph(opening, &date.words().into(), quiet);
    }
    let mut statement = Text::default().bold(DISCLAIMER).plain(" ");
    statement.0.extend(document.statement.0.iter().cloned());
    layout.note(opening, Status::Plain, &statement, ACCENT);
    for b in &document.opening {
        layout.block(opening, b);
    }
    for s in &document.sections {
        let node = layout.tree.add(None, Kind::Section);
        layout.heading(Some(node), 2, &s.title);
        for b in &s.blocks {
            layout.block(node, b);
        }
    }
    let absent =
        layout.strips.iter().flat_map(|s| &s.marks).any(
            |m| matches!(&m.shape, Shape::Letters { letters: set, .. } if set.iter().any(|l| is_missing(letters, l))),
        );
    if absent {
        let node = layout.tree.add(None, Kind::Section);
        let text = "A box □ stands for a character that the fonts of this report lack. Copied text holds the character itself, and \
                    the report in HTML shows it where the machine has a font for it.";
        layout.note(node, Status::Plain, &text.into(), MUTED);
    }
    layout
}

fn color(c: Rgb) -> Fill {
    Fill {
        paint: rgb::Color::new(c[0], c[1], c[2]).into(),
        ..Fill::default()
    }
}

/// Draws letters from a place on, in runs of one font, size and colour.
fn draw_letters(surface: &mut Surface<'_>, fonts: &Letters, mut x: f32, y: f32, letters: &[Letter]) {
    let same = |a: &Letter, b: &Letter| a.face == b.face && a.size == b.size && a.rise == b.rise && a.color == b.color;
    for run in letters.chunk_by(same) {
        let first = run[0];
        let mut text = String::new();
        let mut glyphs = Vec::with_capacity(run.len());
        let start = x;
        for l in run {
            let from = text.len();
            text.push(l.character);
            let id = GlyphId::new(u32::from(l.glyph));
            glyphs.push(KrillaGlyph::new(
                id,
                l.advance / l.size,
                0.0,
                0.0,
                0.0,
                from..text.len(),
                None,
            ));
            x += l.advance;
        }
        surface.set_fill(Some(color(first.color)));
        let at = Point::from_xy(start, y - first.rise);
        surface.draw_glyphs(at, &glyphs, fonts.font(first.face), &text, first.size, false);
    }
}

fn draw(surface: &mut Surface<'_>, fonts: &Letters, images: &[Option<Image>], down: f32, mark: &Mark) {
    match &mark.shape {
        Shape::Letters { x, y, letters } => draw_letters(surface, fonts, *x, down + y, letters),
        Shape::Rect { x, y, w, h, color } => fill(surface, [*x, down + y, *w, *h], *color),
        Shape::Picture { x, y, w, h, n } => {
            surface.push_transform(&Transform::from_translate(*x, down + y));
            if let (Some(image), Some(size)) = (&images[*n], Size::from_wh(*w, *h)) {
                surface.draw_image(image.clone(), size);
            } else {
                let set = fonts.styled("The picture cannot be shown.", Style::Plain, SMALL);
                draw_letters(surface, fonts, 8.0, 0.5 * h, &set);
            }
            surface.pop();
        }
    }
}

const SMALLEST: Look = Look { size: 7.6, ..SMALL };

/// The title on one line.
fn running_title(fonts: &Letters, title: &str) -> Vec<Letter> {
    let mut set = fonts.styled(title, Style::Plain, SMALLEST);
    let all = letters::lines(&set, WIDTH - 10.0);
    if let [first, _, ..] = all.as_slice() {
        set.truncate(first.end);
        set.extend(fonts.styled("…", Style::Plain, SMALLEST));
    }
    set
}

/// What every page carries: above the title, below the disclaimer and the number.
fn furniture(surface: &mut Surface<'_>, fonts: &Letters, title: &[Letter], page: usize, pages: usize) {
    let look = SMALLEST;
    if page > 0 {
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Header)));
        draw_letters(surface, fonts, MARGIN, 36.0, title);
        rule(surface, 42.0);
        surface.end_tagged();
    }
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
    rule(surface, 796.0);
    let bold = Look { bold: true, ..look };
    let set = fonts.styled(DISCLAIMER, Style::Plain, bold);
    draw_letters(surface, fonts, MARGIN, 809.0, &set);
    let number = fonts.styled(&format!("Page {} of {pages}", page + 1), Style::Plain, look);
    draw_letters(surface, fonts, MARGIN + WIDTH - letters::width(&number), 809.0, &number);
    surface.end_tagged();
}

fn rule(surface: &mut Surface<'_>, y: f32) {
    fill(surface, [MARGIN, y, WIDTH, 0.5], LINE);
}

fn fill(surface: &mut Surface<'_>, [x, y, w, h]: [f32; 4], c: Rgb) {
    let path = Rect::from_xywh(x, y, w, h).and_then(|rect| {
        let mut path = PathBuilder::new();
        path.push_rect(rect);
        path.finish()
    });
    if let Some(path) = path {
        surface.set_fill(Some(color(c)));
        surface.draw_path(&path);
    }
}

fn metadata(document: &Document) -> Metadata {
    let clean = |t: &str| cleaned(t, false).into_owned();
    let title = clean(&document.title);
    let title = if title.trim().is_empty() {
        "Report".to_owned()
    } else {
        title
    };
    let plain = Metadata::new()
        .title(title)
        .description(DISCLAIMER.to_owned())
        .creator(clean(&document.program))
        .language("en".to_owned());
    match document.date {
        Some(Date { year, month, day }) => {
            plain.creation_date(DateTime::new(year).month(month).day(day).hour(0).minute(0).second(0))
        }
        None => plain,
    }
}

fn outline(titles: &[(u8, String, usize, f32)]) -> Outline {
    let mut outline = Outline::new();
    let mut open: Option<OutlineNode> = None;
    for (level, title, page, y) in titles {
        let at = XyzDestination::new(*page, Point::from_xy(MARGIN, (*y - 8.0).max(0.0)));
        let node = OutlineNode::new(title.clone(), at);
        match (&mut open, level) {
            (Some(section), 2..) => section.push_child(node),
            _ => {
                if let Some(done) = open.replace(node) {
                    outline.push_child(done);
                }
            }
        }
    }
    if let Some(done) = open {
        outline.push_child(done);
    }
    outline
}

/// The file.
pub(super) fn file(document: &Document) -> Result<Vec<u8>, ResultsError> {
    let failed = |reason: String| ResultsError::Document { reason };
    let fonts = Letters::new()?;
    let layout = laid_out(document, &fonts);
    let images: Vec<Option<Image>> = layout.pictures.iter().map(pictures::Drawn::image).collect();
    let mut pages = paginated(layout.strips, &layout.heads);
    if pages.titles.is_empty() {
        pages
            .titles
            .push((1, cleaned(&document.title, false).into_owned(), 0, TOP));
    }
    let mut standard = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1);
    if document.date.is_some() {
        standard = standard.with_archival_validator(Archival::A2_A);
    }
    let settings = SerializeSettings {
        configuration: standard.finish().map_err(|e| failed(format!("{e:?}")))?,
        enable_tagging: true,
        ..SerializeSettings::default()
    };
    let mut pdf = Pdf::new_with(settings);
    let mut drawn: Vec<Vec<Identifier>> = Vec::new();
    let title = running_title(&fonts, &cleaned(&document.title, false));
    let count = pages.marks.len();
    for (number, strips) in pages.marks.iter().enumerate() {
        let size = PageSettings::from_wh(PAGE[0], PAGE[1]).ok_or_else(|| failed("the size of A4".to_owned()))?;
        let mut page = pdf.start_page_with(size);
        let mut surface = page.surface();
        let marks: Vec<(f32, &Mark)> = strips
            .iter()
            .flat_map(|(down, marks)| marks.iter().map(move |m| (*down, m)))
            .collect();
        for run in marks.chunk_by(|a, b| a.1.node == b.1.node) {
            let node = run[0].1.node;
            let is_picture = matches!(run[0].1.shape, Shape::Picture { .. });
            let tag = match node {
                None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
                Some(_) if is_picture => ContentTag::Other,
                Some(_) => ContentTag::Span(SpanTag::empty()),
            };
            let id = surface.start_tagged(tag);
            for (down, mark) in run {
                draw(&mut surface, &fonts, &images, *down, mark);
            }
            surface.end_tagged();
            if let Some(node) = node {
                if drawn.len() <= node {
                    drawn.resize_with(node + 1, Vec::new);
                }
                drawn[node].push(id);
            }
        }
        furniture(&mut surface, &fonts, &title, number, count);
        surface.finish();
        page.finish();
    }
    pdf.set_metadata(metadata(document));
    pdf.set_outline(outline(&pages.titles));
    pdf.set_tag_tree(layout.tree.tags(drawn));
    pdf.finish().map_err(|e| failed(format!("{e:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(height: f32, keep: bool, title: Option<&str>) -> Strip {
        Strip {
            height,
            keep,
            marks: vec![strips::rect(0.0, 0.0, 1.0, height, LINE)],
            title: title.map(|t| (1, t.to_owned())),
            ..Strip::default()
        }
    }

    #[test]
    fn a_heading_goes_with_what_follows_it() {
        let room = BOTTOM - TOP;
        for filled in [0.5 * room, room - 50.0, room - 25.0, room - 5.0] {
            let all = vec![
                strip(filled, false, None),
                strip(20.0, true, Some("heading")),
                strip(30.0, true, None),
                strip(30.0, false, None),
            ];
            let pages = paginated(all, &[]);
            let page = pages.titles[0].2;
            assert_eq!(page, usize::from(filled + 80.0 > room), "{filled}");
            assert_eq!(pages.marks.len(), page + 1);
            assert_eq!(pages.marks[page].len(), if page == 0 { 4 } else { 3 });
        }
    }

    #[test]
    fn heads_of_tables_are_repeated_and_nothing_is_lost() {
        let heads = [strip(20.0, true, None)];
        let row = |n: usize| Strip {
            head: Some(0),
            before: 3.0,
            ..strip(if n == 7 { 2000.0 } else { 40.0 }, false, None)
        };
        let pages = paginated((0..100).map(row).collect(), &heads);
        assert!(pages.marks.len() > 5);
        // A head on each page, and each row once, even one that is taller than a page.
        let drawn: usize = pages.marks.iter().map(Vec::len).sum();
        assert_eq!(drawn, 100 + pages.marks.len());
        for page in &pages.marks {
            assert_eq!(page[0].0, TOP);
            assert!(page.len() <= 2 || page.iter().all(|(y, _)| *y <= BOTTOM - 40.0 + 0.1));
        }
        // Kept together for longer than a page: laid on as many as it takes.
        let kept = paginated((0..100).map(|_| strip(40.0, true, None)).collect(), &[]);
        assert_eq!(kept.marks.iter().map(Vec::len).sum::<usize>(), 100);
    }
}
