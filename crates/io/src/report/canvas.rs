//! A picture in the making: pixels below, vector drawing above, one PNG out.

use std::{
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

use resvg::{tiny_skia, usvg};

use super::style::{INK, Rgb, hex};
use crate::results::ResultsError;

const SANS: &[u8] = include_bytes!("font/DejaVuSans-subset.ttf");
const SANS_BOLD: &[u8] = include_bytes!("font/DejaVuSans-Bold-subset.ttf");
const FAMILY: &str = "DejaVu Sans";

/// Drawing options with the embedded fonts, read once. Fonts of the machine are never used.
pub(crate) fn options() -> &'static usvg::Options<'static> {
    static OPTIONS: OnceLock<usvg::Options<'static>> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(SANS.to_vec());
        fonts.load_font_data(SANS_BOLD.to_vec());
        usvg::Options {
            font_family: FAMILY.to_owned(),
            fontdb: Arc::new(fonts),
            ..usvg::Options::default()
        }
    })
}

/// Where a text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Font {
    pub size: f64,
    pub bold: bool,
    pub color: Rgb,
    /// A halo of this colour, for text over pictures.
    pub halo: Option<Rgb>,
}

impl Font {
    /// Dark text of this size.
    pub const fn plain(size: f64) -> Self {
        Self {
            size,
            bold: false,
            color: INK,
            halo: None,
        }
    }
    /// The same in bold.
    pub const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
    /// The same in another colour.
    pub const fn color(self, color: Rgb) -> Self {
        Self { color, ..self }
    }
    /// The same with a halo.
    pub const fn halo(self, halo: Rgb) -> Self {
        Self {
            halo: Some(halo),
            ..self
        }
    }
}

/// A picture in the making. Positions in pixels, y down.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    base: Vec<u8>,
    svg: String,
    clips: usize,
}

impl Canvas {
    /// A white picture.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            base: vec![255; width * height * 3],
            svg: String::new(),
            clips: 0,
        }
    }

    /// Puts pixels (three bytes each, `w` a row) below the drawing.
    pub fn blit(&mut self, x: usize, y: usize, w: usize, pixels: &[u8]) {
        for (row, source) in pixels.chunks_exact(w * 3).enumerate() {
            let at = ((y + row) * self.width + x) * 3;
            self.base[at..at + w * 3].copy_from_slice(source);
        }
    }

    /// A straight line.
    pub fn line(&mut self, a: [f64; 2], b: [f64; 2], color: Rgb, width: f64) {
        let _ = writeln!(
            self.svg,
            r#"<line x1="{:.2}" y1="{:.2}" x2="{:.2}" y2="{:.2}" stroke="{}" stroke-width="{width}"/>"#,
            a[0],
            a[1],
            b[0],
            b[1],
            hex(color)
        );
    }

    /// A rectangle, filled or outlined (stroke width above zero).
    pub fn rect(&mut self, x: f64, y: f64, w: f64, h: f64, color: Rgb, opacity: f64, stroke: f64) {
        let c = hex(color);
        let paint = if stroke > 0.0 {
            format!(r#"fill="none" stroke="{c}" stroke-width="{stroke}""#)
        } else {
            format!(r#"fill="{c}" fill-opacity="{opacity}""#)
        };
        let _ = writeln!(
            self.svg,
            r#"<rect x="{x:.2}" y="{y:.2}" width="{w:.2}" height="{h:.2}" {paint}/>"#
        );
    }

    /// A filled circle.
    pub fn dot(&mut self, center: [f64; 2], radius: f64, color: Rgb) {
        let _ = writeln!(
            self.svg,
            r#"<circle cx="{:.2}" cy="{:.2}" r="{radius:.2}" fill="{}"/>"#,
            center[0],
            center[1],
            hex(color)
        );
    }

    /// A line through points, optionally dashed.
    pub fn polyline(&mut self, points: &[[f64; 2]], color: Rgb, width: f64, opacity: f64, dash: &str) {
        let mut list = String::new();
        for p in points {
            let _ = write!(list, "{:.2},{:.2} ", p[0], p[1]);
        }
        let dash = if dash.is_empty() {
            String::new()
        } else {
            format!(r#" stroke-dasharray="{dash}""#)
        };
        let _ = writeln!(
            self.svg,
            r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="{width:.2}" stroke-opacity="{opacity}" stroke-linejoin="round" stroke-linecap="round"{dash}/>"#,
            list.trim_end(),
            hex(color)
        );
    }

    /// Closed loops as one shape: fill (opacity 0 for none) and outline (width 0 for none).
    pub fn loops(&mut self, loops: &[Vec<[f64; 2]>], color: Rgb, fill: f64, stroke: f64) {
        if loops.is_empty() {
            return;
        }
        let mut d = String::new();
        for l in loops {
            for (i, p) in l.iter().enumerate() {
                let _ = write!(d, "{}{:.2} {:.2}", if i == 0 { "M" } else { "L" }, p[0], p[1]);
            }
            d.push('Z');
        }
        let c = hex(color);
        let stroke = if stroke > 0.0 {
            format!(r#" stroke="{c}" stroke-width="{stroke}" stroke-linejoin="round""#)
        } else {
            String::new()
        };
        let fill = if fill > 0.0 {
            format!(r#"fill="{c}" fill-opacity="{fill}" fill-rule="evenodd""#)
        } else {
            r#"fill="none""#.to_owned()
        };
        let _ = writeln!(self.svg, r#"<path d="{d}" {fill}{stroke}/>"#);
    }

    /// One line of text.
    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, font: Font, text: &str) {
        self.turned_text([x, y], 0.0, anchor, font, text);
    }

    /// One line of text turned by an angle in degrees (clockwise).
    pub fn turned_text(&mut self, at: [f64; 2], angle: f64, anchor: Anchor, font: Font, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = if font.bold { "bold" } else { "normal" };
        let turn = if angle == 0.0 {
            String::new()
        } else {
            format!(r#" transform="rotate({angle} {:.2} {:.2})""#, at[0], at[1])
        };
        let mut draw = |paint: &str| {
            let _ = writeln!(
                self.svg,
                r#"<text x="{:.2}" y="{:.2}" font-family="{FAMILY}" font-size="{}" font-weight="{weight}" text-anchor="{anchor}" {paint}{turn}>{}</text>"#,
                at[0],
                at[1],
                font.size,
                super::escape(text)
            );
        };
        if let Some(halo) = font.halo {
            let h = hex(halo);
            draw(&format!(
                r#"fill="{h}" stroke="{h}" stroke-width="{:.1}" stroke-linejoin="round""#,
                font.size * 0.22
            ));
        }
        draw(&format!(r#"fill="{}""#, hex(font.color)));
    }

    /// What is drawn until [`Canvas::end_clip`] shows only within a rectangle.
    pub fn begin_clip(&mut self, x: f64, y: f64, w: f64, h: f64) {
        self.clips += 1;
        let id = self.clips;
        let _ = writeln!(
            self.svg,
            r#"<clipPath id="c{id}"><rect x="{x}" y="{y}" width="{w}" height="{h}"/></clipPath><g clip-path="url(#c{id})">"#
        );
    }

    /// Ends a [`Canvas::begin_clip`].
    pub fn end_clip(&mut self) {
        self.svg.push_str("</g>\n");
    }

    /// The drawing as SVG, without the pixels below it.
    pub fn svg(&self) -> String {
        let (w, h) = (self.width, self.height);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">{}</svg>"#,
            self.svg
        )
    }

    /// The finished picture as PNG.
    pub fn png(self) -> Result<Vec<u8>, ResultsError> {
        let failed = |reason: String| ResultsError::Picture { reason };
        let (w, h) = (self.width as u32, self.height as u32);
        let svg = self.svg();
        let tree = usvg::Tree::from_str(&svg, options()).map_err(|e| failed(e.to_string()))?;
        let mut pixmap =
            tiny_skia::Pixmap::new(w, h).ok_or_else(|| failed(format!("a picture of {w} by {h} pixels")))?;
        for (pixel, rgb) in pixmap.data_mut().chunks_exact_mut(4).zip(self.base.chunks_exact(3)) {
            pixel[..3].copy_from_slice(rgb);
            pixel[3] = 255;
        }
        resvg::render(&tree, tiny_skia::Transform::identity(), &mut pixmap.as_mut());
        let rgb: Vec<u8> = pixmap.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        encode_png(w, h, &rgb)
    }
}

/// Pixels (three bytes each) as PNG.
fn encode_png(width: u32, height: u32, rgb: &[u8]) -> Result<Vec<u8>, ResultsError> {
    let failed = |e: png::EncodingError| ResultsError::Picture { reason: e.to_string() };
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(rgb).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_drawn_with_the_embedded_font() {
        let mut canvas = Canvas::new(120, 30);
        canvas.text(4.0, 20.0, Anchor::Start, Font::plain(16.0), "45 °C Ω ≥ <1>");
        let png = canvas.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let dark = pixels.chunks_exact(3).filter(|p| p[0] < 100).count();
        assert!(dark > 100, "{dark} dark pixels");
    }
}
