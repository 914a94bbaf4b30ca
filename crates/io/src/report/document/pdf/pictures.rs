//! Pictures of a document as pixels on white.

use std::{
    io::Cursor,
    sync::{Arc, OnceLock},
};

use krilla::image::{BitsPerComponent, CustomImage, Image, ImageColorspace};
use resvg::{tiny_skia, usvg};

use crate::report::{canvas, document::Source};

/// Most pixels of a picture; a greater one is shown as absent.
const MOST_PIXELS: usize = 60_000_000;
/// Pixels of a drawing for each of its units, and at most along a side.
const SCALE: f32 = 2.0;
const MOST_SIDE: f32 = 4000.0;

/// Pixels, or nothing where a picture cannot be read.
#[derive(Clone)]
pub struct Drawn(Option<Pixels>);

#[derive(Clone, Hash)]
struct Pixels {
    width: u32,
    height: u32,
    rgb: Arc<Vec<u8>>,
}

impl CustomImage for Pixels {
    fn color_channel(&self) -> &[u8] {
        &self.rgb
    }
    fn alpha_channel(&self) -> Option<&[u8]> {
        None
    }
    fn bits_per_component(&self) -> BitsPerComponent {
        BitsPerComponent::Eight
    }
    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }
    fn icc_profile(&self) -> Option<&[u8]> {
        None
    }
    fn color_space(&self) -> ImageColorspace {
        ImageColorspace::Rgb
    }
}

impl Drawn {
    /// Decodes or draws a picture.
    pub fn of(source: &Source) -> Self {
        Self(match source {
            Source::Png(bytes) => from_png(bytes),
            Source::Svg(text) => from_svg(text),
        })
    }

    /// Columns and rows; of an absent picture those of its empty frame.
    pub fn size(&self) -> [u32; 2] {
        self.0.as_ref().map_or([600, 120], |p| [p.width, p.height])
    }

    /// For the file; nothing when the picture is absent.
    pub fn image(&self) -> Option<Image> {
        Image::from_custom(self.0.clone()?, false).ok()
    }
}

fn from_png(bytes: &[u8]) -> Option<Pixels> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let info = reader.info();
    if info.width as usize * info.height as usize > MOST_PIXELS {
        return None;
    }
    let mut data = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut data).ok()?;
    data.truncate(frame.buffer_size());
    let over = |v: u8, a: u8| (u16::from(v) * u16::from(a) / 255 + (255 - u16::from(a))) as u8;
    let rgb = match frame.color_type {
        png::ColorType::Rgb => data,
        png::ColorType::Grayscale => data.iter().flat_map(|g| [*g; 3]).collect(),
        png::ColorType::GrayscaleAlpha => data
            .as_chunks::<2>()
            .0
            .iter()
            .flat_map(|[g, a]| [over(*g, *a); 3])
            .collect(),
        png::ColorType::Rgba => data
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|[r, g, b, a]| [*r, *g, *b].map(|v| over(v, *a)))
            .collect(),
        png::ColorType::Indexed => return None,
    };
    Some(Pixels {
        width: frame.width,
        height: frame.height,
        rgb: Arc::new(rgb),
    })
}

/// Options without a way to files: a drawing that names one shows nothing there.
fn options() -> &'static usvg::Options<'static> {
    static OPTIONS: OnceLock<usvg::Options<'static>> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let plain = canvas::options();
        usvg::Options {
            font_family: plain.font_family.clone(),
            fontdb: plain.fontdb.clone(),
            image_href_resolver: usvg::ImageHrefResolver {
                resolve_data: Box::new(|_, _, _| None),
                resolve_string: Box::new(|_, _| None),
            },
            ..usvg::Options::default()
        }
    })
}

fn from_svg(text: &str) -> Option<Pixels> {
    let tree = usvg::Tree::from_str(text, options()).ok()?;
    let size = tree.size();
    let scale = SCALE.min(MOST_SIDE / size.width().max(size.height()));
    let (width, height) = ((size.width() * scale).ceil(), (size.height() * scale).ceil());
    let mut map = tiny_skia::Pixmap::new(width as u32, height as u32)?;
    map.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut map.as_mut());
    Some(Pixels {
        width: map.width(),
        height: map.height(),
        rgb: Arc::new(
            map.data()
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|p| [p[0], p[1], p[2]])
                .collect(),
        ),
    })
}
