//! Sheets of panels side by side: radiographs and slices of volumes in Hounsfield units.

use neurotome_base::{PatientPoint, Vec3, Volume};
use neurotome_physics::xray::{Image, Projector};
use neurotome_procedure::anatomy::VertebraFrame;
use neurotome_procedure::fluoroscopy::{CArm, NamedView, Picture, RelativeToWater, turned_to};
use rayon::prelude::*;

use super::{
    canvas::{Anchor, Canvas, Font},
    section::letters,
    style::{MUTED, Rgb},
};
use crate::results::ResultsError;

/// Between panels, and above each for its title, pixels.
const GAP_PX: usize = 12;
const TITLE_PX: usize = 26;

/// A picture of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// Pixels along a row, and rows.
    pub size: [usize; 2],
    /// Three bytes a pixel, row by row from the top.
    pub rgb: Vec<u8>,
    /// Letters of what lies at the left and at the right border.
    pub borders: [String; 2],
    /// Lines drawn over it: colour, width and points in pixels.
    pub lines: Vec<(Rgb, f64, Vec<[f64; 2]>)>,
}

impl Panel {
    /// From grey values.
    pub fn grey(title: impl Into<String>, size: [usize; 2], grey: &[u8], borders: [String; 2]) -> Self {
        Self {
            title: title.into(),
            size,
            rgb: grey.iter().flat_map(|g| [*g; 3]).collect(),
            borders,
            lines: vec![],
        }
    }
}

/// Rows of panels under a title, as PNG; `foot` stands below.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn sheet(title: &str, rows: &[Vec<Panel>], foot: &str) -> Result<Vec<u8>, ResultsError> {
    let width_of = |row: &Vec<Panel>| row.iter().map(|p| p.size[0] + GAP_PX).sum::<usize>() + GAP_PX;
    let height_of = |row: &Vec<Panel>| row.iter().map(|p| p.size[1]).max().unwrap_or(0) + TITLE_PX;
    let width = rows.iter().map(width_of).max().unwrap_or(0).max(400);
    let top = 40;
    let height = top + rows.iter().map(height_of).sum::<usize>() + 32;
    let mut canvas = Canvas::new(width, height);
    canvas.text(GAP_PX as f64, 26.0, Anchor::Start, Font::plain(18.0).bold(), title);
    let mut y = top;
    for row in rows {
        let mut x = GAP_PX;
        for panel in row {
            let [w, h] = panel.size;
            let (left, upper) = (x as f64, (y + TITLE_PX) as f64);
            canvas.text(left, upper - 8.0, Anchor::Start, Font::plain(14.0), &panel.title);
            canvas.blit(x, y + TITLE_PX, w, &panel.rgb);
            canvas.begin_clip(left, upper, w as f64, h as f64);
            for (color, width, line) in &panel.lines {
                let moved: Vec<[f64; 2]> = line.iter().map(|[u, v]| [left + u, upper + v]).collect();
                canvas.polyline(&moved, *color, *width, 1.0, "");
            }
            canvas.end_clip();
            let over = Font::plain(14.0).bold().halo([255, 255, 255]);
            canvas.text(left + 6.0, upper + 18.0, Anchor::Start, over, &panel.borders[0]);
            canvas.text(
                left + w as f64 - 6.0,
                upper + 18.0,
                Anchor::End,
                over,
                &panel.borders[1],
            );
            x += w + GAP_PX;
        }
        y += height_of(row);
    }
    canvas.text(
        GAP_PX as f64,
        y as f64 + 20.0,
        Anchor::Start,
        Font::plain(13.0).color(MUTED),
        foot,
    );
    canvas.png()
}

/// Takes radiographs of a volume in Hounsfield units, bone dark; slow changes of brightness are taken out.
pub struct Radiographer {
    projector: Projector<RelativeToWater, 1>,
    arm: CArm,
}

/// A line in the patient to be drawn over a picture: colour, width in pixels, points.
pub type Overlay = (Rgb, f64, Vec<PatientPoint>);

fn failed(e: &dyn std::fmt::Display) -> ResultsError {
    ResultsError::Picture { reason: e.to_string() }
}

impl Radiographer {
    /// Pictures of `side_px`, `field_mm` wide at the isocentre.
    ///
    /// # Errors
    /// [`ResultsError::Picture`].
    pub fn new(hu: &Volume<f32>, field_mm: f64, side_px: usize) -> Result<Self, ResultsError> {
        let projector = Projector::with_integrand(hu.clone(), RelativeToWater).map_err(|e| failed(&e))?;
        let plain = CArm {
            pixels: [side_px; 2],
            ..CArm::default()
        };
        // The detector shows its side over the magnification at the isocentre.
        let seen_mm = plain.detector_mm[0] * plain.source_isocentre_mm / plain.source_detector_mm;
        let arm = CArm {
            zoom: (seen_mm / field_mm).max(1.0),
            ..plain
        };
        Ok(Self { projector, arm })
    }

    /// The C-arm, to be turned.
    pub fn arm(&self) -> &CArm {
        &self.arm
    }

    /// The picture with the C-arm as it stands and a point in its isocentre; lines are drawn where the beam throws them.
    ///
    /// # Errors
    /// [`ResultsError::Picture`].
    pub fn panel(
        &self,
        title: &str,
        arm: &CArm,
        target: &PatientPoint,
        overlay: &[Overlay],
    ) -> Result<Panel, ResultsError> {
        let view = arm.view(target).map_err(|e| failed(&e))?;
        let [water_mm] = self.projector.integrals(&view).map_err(|e| failed(&e))?;
        let picture = flattened(&water_mm, arm.pixels[0] / 10);
        let [white, black] = picture.quantiles([0.1, 0.995]);
        let picture = Picture::windowed(&picture, f64::from(black), f64::from(white));
        let right = view.column_step_mm.normalize();
        let lines = overlay
            .iter()
            .map(|(color, width, points)| (*color, *width, points.iter().filter_map(|p| view.project(p)).collect()))
            .collect();
        Ok(Panel {
            lines,
            ..Panel::grey(
                title,
                [picture.columns, picture.rows],
                &picture.grey,
                [letters(&-right), letters(&right)],
            )
        })
    }
}

/// Radiographs of a volume in named views: panels of `side_px`, `field_mm` wide at the isocentre. With a frame the views are squared to that
/// vertebra.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn radiographs(
    hu: &Volume<f32>,
    views: &[NamedView],
    target: &PatientPoint,
    vertebra: Option<&VertebraFrame>,
    field_mm: f64,
    side_px: usize,
) -> Result<Vec<Panel>, ResultsError> {
    let camera = Radiographer::new(hu, field_mm, side_px)?;
    views
        .iter()
        .map(|name| {
            let arm = turned_to(camera.arm(), *name, vertebra).map_err(|e| failed(&e))?;
            camera.panel(name.name(), &arm, target, &[])
        })
        .collect()
}

/// The image without most of its slow changes, so that thin and thick parts of the body are seen together, as the processing of a detector
/// does it: `SLOW` of a mean over squares of twice `reach` pixels, twice over, is taken off.
fn flattened(image: &Image, reach: usize) -> Image {
    const SLOW: f32 = 0.95;
    let mut slow = image.data.clone();
    for _ in 0..2 {
        slow = mean_of_rows(&slow, image.columns, reach);
        slow = turned(&slow, image.columns);
        slow = mean_of_rows(&slow, image.rows, reach);
        slow = turned(&slow, image.rows);
    }
    Image {
        data: image.data.iter().zip(slow).map(|(v, s)| v - SLOW * s).collect(),
        ..*image
    }
}

/// The mean of each value and of those up to `reach` beside it in its row; beyond the ends there is none.
fn mean_of_rows(data: &[f32], columns: usize, reach: usize) -> Vec<f32> {
    data.chunks_exact(columns)
        .flat_map(|row| {
            let mut sums = vec![0.0f64];
            for v in row {
                sums.push(sums[sums.len() - 1] + f64::from(*v));
            }
            (0..columns).map(move |i| {
                let (from, to) = (i.saturating_sub(reach), (i + reach + 1).min(columns));
                ((sums[to] - sums[from]) / (to - from) as f64) as f32
            })
        })
        .collect()
}

/// Rows become columns.
fn turned(data: &[f32], columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|i| data.iter().skip(i).step_by(columns).copied())
        .collect()
}

/// A plane through a volume, `size_mm` wide and high, seen with `right` and `up`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// What it shows.
    pub title: String,
    /// Its middle, mm.
    pub center: Vec3,
    /// Unit vector to the right of the picture.
    pub right: Vec3,
    /// Unit vector up the picture.
    pub up: Vec3,
    /// Width and height, mm.
    pub size_mm: [f64; 2],
}

impl Cut {
    /// Pixels at a number of pixels a millimetre.
    pub fn pixels(&self, px_per_mm: f64) -> [usize; 2] {
        self.size_mm.map(|s| (s * px_per_mm).round().max(1.0) as usize)
    }

    /// The panel whose pixels are coloured by a function of the place.
    pub fn panel(&self, px_per_mm: f64, color: impl Fn(&Vec3) -> Rgb + Sync) -> Panel {
        let [w, h] = self.pixels(px_per_mm);
        let rgb: Vec<[u8; 3]> = (0..w * h)
            .into_par_iter()
            .map(|n| {
                let (u, v) = ((n % w) as f64 + 0.5, (n / w) as f64 + 0.5);
                let p = self.center
                    + self.right * (u / px_per_mm - 0.5 * self.size_mm[0])
                    + self.up * (0.5 * self.size_mm[1] - v / px_per_mm);
                color(&p)
            })
            .collect();
        Panel {
            title: self.title.clone(),
            size: [w, h],
            rgb: rgb.concat(),
            borders: [letters(&-self.right), letters(&self.right)],
            lines: vec![],
        }
    }

    /// A slice of a CT; `window_hu` are black and white. Outside the volume it is dark blue.
    pub fn of_ct(&self, hu: &Volume<f32>, px_per_mm: f64, window_hu: [f64; 2]) -> Panel {
        let [black, white] = window_hu;
        self.panel(px_per_mm, |p| match hu.trilinear(&PatientPoint::from_vec(*p)) {
            Some(v) => [((v - black) / (white - black) * 255.0).round().clamp(0.0, 255.0) as u8; 3],
            None => [16, 22, 40],
        })
    }
}

#[cfg(test)]
mod tests {
    use neurotome_base::Affine;

    use super::*;

    #[test]
    fn flattening_keeps_edges_and_takes_slopes_out() {
        let image = Image {
            columns: 40,
            rows: 30,
            data: (0..1200)
                .map(|n| (n % 40) as f32 + if n % 40 == 20 { 5.0 } else { 0.0 })
                .collect(),
        };
        let flat = flattened(&image, 4);
        let at = |column: usize| flat.data[15 * 40 + column];
        assert!((at(29) - at(12)).abs() < 0.3 * 17.0);
        assert!(at(20) - 0.5 * (at(18) + at(22)) > 4.0);
        assert_eq!(turned(&turned(&image.data, 40), 30), image.data);
    }

    #[test]
    fn a_cut_shows_each_point_in_its_place() {
        let affine = Affine::axis_aligned([1.0; 3], [0.0; 3]).unwrap();
        let data = (0..1000).map(|n| if n % 10 < 5 { 0.0 } else { 100.0 }).collect();
        let hu = Volume::new([10; 3], affine, data).unwrap();
        let cut = Cut {
            title: "axial".to_owned(),
            center: Vec3::repeat(4.5),
            right: Vec3::x(),
            up: -Vec3::y(),
            size_mm: [8.0, 4.0],
        };
        let panel = cut.of_ct(&hu, 2.0, [0.0, 100.0]);
        assert_eq!(panel.size, [16, 8]);
        assert_eq!((panel.rgb[0], panel.rgb[45]), (0, 255));
        assert_eq!(panel.borders, ["R".to_owned(), "L".to_owned()]);
        let png = sheet("title", &[vec![panel.clone(), panel]], "foot").unwrap();
        assert!(png.starts_with(b"\x89PNG"));
    }
}
