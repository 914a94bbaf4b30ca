//! The table under the patient: a mattress on a top of carbon fibre round foam, with solid sides and a steel rail beside each.
//!
//! ```text
//!                        patient
//!         ┌────────────────────────────────────┐            cover
//!         │              mattress              │            foam
//!         └────────────────────────────────────┘            cover
//!       ┌─┬──────────────────────────────────────┬─┐        laminate
//!  ▐▌   │ │                foam                  │ │  ▐▌    rails beside solid sides
//!       └─┴──────────────────────────────────────┴─┘        laminate
//! ```
//!
//! All of it runs on beyond the picture towards head and feet. It weakens the beam as water of a stated length does.

use neurotome_base::{PatientPoint, Vec3, Volume};

use super::BodyAxes;
use crate::catalog::CArmEntry;

/// Sizes of a table, from the catalogue's C-arm: see [`CArmEntry`].
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableSizes {
    pub width_mm: f64,
    pub thickness_mm: f64,
    pub face_mm: f64,
    pub edge_mm: f64,
    pub laminate_water_ratio: f64,
    pub core_water_ratio: f64,
    pub mattress_width_mm: f64,
    pub mattress_thickness_mm: f64,
    pub mattress_water_ratio: f64,
    pub mattress_cover_water_mm: f64,
    pub rail_gap_mm: f64,
    pub rail_thickness_mm: f64,
    pub rail_height_mm: f64,
    pub rail_water_ratio: f64,
}

impl From<&CArmEntry> for TableSizes {
    fn from(entry: &CArmEntry) -> Self {
        Self {
            width_mm: entry.table_width_mm.value,
            thickness_mm: entry.table_thickness_mm.value,
            face_mm: entry.table_face_mm.value,
            edge_mm: entry.table_edge_mm.value,
            laminate_water_ratio: entry.laminate_water_ratio.value,
            core_water_ratio: entry.core_water_ratio.value,
            mattress_width_mm: entry.mattress_width_mm.value,
            mattress_thickness_mm: entry.mattress_thickness_mm.value,
            mattress_water_ratio: entry.mattress_water_ratio.value,
            mattress_cover_water_mm: entry.mattress_cover_water_mm.value,
            rail_gap_mm: entry.rail_gap_mm.value,
            rail_thickness_mm: entry.rail_thickness_mm.value,
            rail_height_mm: entry.rail_height_mm.value,
            rail_water_ratio: entry.rail_water_ratio.value,
        }
    }
}

/// A bar along the table: where it lies below the face and to the patient's left, mm, and the water that a mm of it is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bar {
    depth_mm: [f64; 2],
    left_mm: [f64; 2],
    water_ratio: f64,
}

/// Layers that most rays cross from face to face: two covers with the mattress between, two faces of laminate with foam between.
const LAYERS: usize = 6;
/// Solid sides and rails.
const SIDES: usize = 4;

/// A table that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableTop {
    /// A point of the middle line of the face on which the patient lies, mm.
    face_mm: Vec3,
    /// The patient's axes: the table lies before the face, as under one who lies prone.
    axes: BodyAxes,
    layers: [Bar; LAYERS],
    sides: [Bar; SIDES],
}

/// Of the body, what lies before this share counts as its front.
const FRONT_SHARE: f64 = 1e-3;
/// Above this, HU, is the body.
const BODY_HU: f32 = -300.0;
/// Spacing in which the front of a body is looked for, mm.
const FRONT_STEP_MM: f64 = 2.0;

impl TableTop {
    /// A table under a patient who lies prone on it at a point.
    pub fn under(sizes: &TableSizes, face: &PatientPoint, axes: BodyAxes) -> Self {
        let half = 0.5 * sizes.width_mm;
        // The cover is drawn as thick as its water.
        let cover = sizes.mattress_cover_water_mm;
        let foam = cover + sizes.mattress_thickness_mm;
        let (top, laminate) = (foam + cover, sizes.face_mm);
        let under = top + sizes.thickness_mm;
        let middle = [-0.5, 0.5].map(|s| s * sizes.mattress_width_mm);
        let inner = [sizes.edge_mm - half, half - sizes.edge_mm];
        let bar = |depth_mm, left_mm, water_ratio| Bar {
            depth_mm,
            left_mm,
            water_ratio,
        };
        let solid = sizes.laminate_water_ratio;
        let rail_from = half + sizes.rail_gap_mm;
        let rail_to = rail_from + sizes.rail_thickness_mm;
        let rail_depth = [-0.5, 0.5].map(|s| 0.5 * (top + under) + s * sizes.rail_height_mm);
        Self {
            face_mm: face.vec(),
            axes,
            layers: [
                bar([0.0, cover], middle, 1.0),
                bar([cover, foam], middle, sizes.mattress_water_ratio),
                bar([foam, top], middle, 1.0),
                bar([top, top + laminate], inner, solid),
                bar([top + laminate, under - laminate], inner, sizes.core_water_ratio),
                bar([under - laminate, under], inner, solid),
            ],
            sides: [
                bar([top, under], [-half, -inner[1]], solid),
                bar([top, under], [inner[1], half], solid),
                bar(rail_depth, [-rail_to, -rail_from], sizes.rail_water_ratio),
                bar(rail_depth, [rail_from, rail_to], sizes.rail_water_ratio),
            ],
        }
    }

    /// A table under the body in a CT, turned to lie prone on it; none where the image does not hold the body's front.
    ///
    /// The front is that of the whole body shown, so that the belly lies on the table; the mattress is taken as flat.
    pub fn under_body(sizes: &TableSizes, hu: &Volume<f32>, axes: BodyAxes) -> Option<Self> {
        let [nx, ny, nz] = hu.dims();
        let spacing = hu.affine().spacing_mm();
        let step = |a: usize| ((FRONT_STEP_MM / spacing[a]) as usize).max(1);
        let mut depths = Vec::new();
        let mut middle = (0.0, 0.0);
        let mut shown = f64::INFINITY;
        for k in (0..nz).step_by(step(2)) {
            for j in (0..ny).step_by(step(1)) {
                for i in (0..nx).step_by(step(0)) {
                    let at = hu
                        .affine()
                        .to_patient(&neurotome_base::Point::new(i as f64, j as f64, k as f64))
                        .vec();
                    let behind = at.dot(&axes.posterior);
                    shown = shown.min(behind);
                    if hu.data()[i + nx * (j + ny * k)] > BODY_HU {
                        depths.push(behind);
                        middle.0 += at.dot(&axes.left);
                        middle.1 += at.dot(&axes.superior);
                    }
                }
            }
        }
        let count = depths.len();
        if count == 0 {
            return None;
        }
        let at = (FRONT_SHARE * count as f64) as usize;
        let (_, front, _) = depths.select_nth_unstable_by(at, f64::total_cmp);
        let front = *front;
        // A body that reaches the end of the image is cut off there.
        if front - shown < 0.5 * FRONT_STEP_MM {
            return None;
        }
        let face = axes.posterior * front + (axes.left * middle.0 + axes.superior * middle.1) / count as f64;
        Some(Self::under(sizes, &PatientPoint::from_vec(face), axes))
    }

    /// Water that weakens a beam at right angles to the table as much, mm.
    pub fn water_mm(&self) -> f64 {
        self.layers.iter().map(Bar::water_mm).sum()
    }

    /// Water met by a ray, mm.
    pub fn water_along(&self, source_mm: &Vec3, ray: &Vec3) -> f64 {
        let from = source_mm - self.face_mm;
        // Below the face, and to the left.
        let (depth, left) = (-from.dot(&self.axes.posterior), from.dot(&self.axes.left));
        let (down, aside) = (-ray.dot(&self.axes.posterior), ray.dot(&self.axes.left));
        let cross = |bar: &Bar| bar.water_ratio * bar.share(depth, left, down, aside);
        let all = if self.is_crossed_inside(depth, left, down, aside) {
            self.water_mm() / down.abs()
        } else {
            self.layers.iter().chain(&self.sides).map(cross).sum()
        };
        all * ray.norm()
    }

    /// Whether a ray that starts on one side of the table crosses all layers and no side: so do most.
    fn is_crossed_inside(&self, depth: f64, left: f64, down: f64, aside: f64) -> bool {
        let last = &self.layers[LAYERS - 1];
        let reach = last.left_mm[1].min(self.layers[0].left_mm[1]);
        let at = [0.0, last.depth_mm[1]].map(|d| (d - depth) / down);
        at.iter().all(|t| *t > 0.0 && (left + t * aside).abs() < reach)
    }
}

impl Bar {
    fn water_mm(&self) -> f64 {
        (self.depth_mm[1] - self.depth_mm[0]) * self.water_ratio
    }

    /// Share of a ray, in its own lengths, that lies inside; a ray has no end.
    fn share(&self, depth: f64, left: f64, down: f64, aside: f64) -> f64 {
        let slab = |at: f64, speed: f64, [low, high]: [f64; 2]| {
            if speed.abs() < 1e-12 {
                let inside = (low..=high).contains(&at);
                return if inside {
                    [f64::NEG_INFINITY, f64::INFINITY]
                } else {
                    [1.0, 0.0]
                };
            }
            let (a, b) = ((low - at) / speed, (high - at) / speed);
            [a.min(b), a.max(b)]
        };
        let (a, b) = (slab(depth, down, self.depth_mm), slab(left, aside, self.left_mm));
        let length = a[1].min(b[1]) - a[0].max(b[0]).max(0.0);
        // A ray along the bar has no end in it: nothing is said of where the table ends.
        if length.is_finite() { length.max(0.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use neurotome_base::Affine;

    use super::*;

    const SIZES: TableSizes = TableSizes {
        width_mm: 530.0,
        thickness_mm: 40.0,
        face_mm: 2.0,
        edge_mm: 25.0,
        laminate_water_ratio: 1.3,
        core_water_ratio: 0.065,
        mattress_width_mm: 500.0,
        mattress_thickness_mm: 40.0,
        mattress_water_ratio: 0.06,
        mattress_cover_water_mm: 0.7,
        rail_gap_mm: 15.0,
        rail_thickness_mm: 10.0,
        rail_height_mm: 25.0,
        rail_water_ratio: 46.0,
    };

    /// Face at y = −120, the table before it.
    fn table() -> TableTop {
        TableTop::under(&SIZES, &PatientPoint::new(0.0, -120.0, 0.0), BodyAxes::default())
    }

    #[test]
    fn a_straight_ray_meets_mattress_and_top() {
        let table = table();
        let foam = SIZES.thickness_mm - 2.0 * SIZES.face_mm;
        let whole = 2.0 * SIZES.mattress_cover_water_mm
            + SIZES.mattress_thickness_mm * SIZES.mattress_water_ratio
            + 2.0 * SIZES.face_mm * SIZES.laminate_water_ratio
            + foam * SIZES.core_water_ratio;
        let source = Vec3::new(0.0, -650.0, 0.0);
        let straight = table.water_along(&source, &Vec3::new(0.0, 3.0, 0.0));
        assert!((straight - whole).abs() < 1e-9, "{straight} instead of {whole}");
        // Slanted towards the head: as much longer as the ray. Away from the table: nothing.
        let slanted = table.water_along(&source, &Vec3::new(0.0, 1.0, 1.0));
        assert!((slanted - whole * 2f64.sqrt()).abs() < 1e-9, "{slanted}");
        assert_eq!(table.water_along(&source, &Vec3::new(0.0, -1.0, 0.0)), 0.0);
        assert_eq!(table.water_along(&source, &Vec3::new(1.0, 0.1, 0.0)), 0.0);
    }

    #[test]
    fn the_short_way_gives_what_the_bars_do() {
        let table = table();
        let source = Vec3::new(60.0, -650.0, 10.0);
        for k in 0..400 {
            let ray = Vec3::new(-1.2 + 0.006 * f64::from(k), 1.0, 0.3);
            let from = source - table.face_mm;
            let bars: f64 = table
                .layers
                .iter()
                .chain(&table.sides)
                .map(|b| b.water_ratio * b.share(-from.y, from.x, -ray.y, ray.x))
                .sum::<f64>()
                * ray.norm();
            assert!((table.water_along(&source, &ray) - bars).abs() < 1e-9, "{k}");
        }
    }

    #[test]
    fn sides_are_denser_and_rails_are_opaque() {
        let table = table();
        let below = |left: f64| table.water_along(&Vec3::new(left, -900.0, 0.0), &Vec3::y());
        let half = 0.5 * SIZES.width_mm;
        let edge = SIZES.thickness_mm * SIZES.laminate_water_ratio;
        assert!((below(half - 1.0) - edge).abs() < 1e-9);
        assert_eq!(below(half + 0.5 * SIZES.rail_gap_mm), 0.0);
        let rail = SIZES.rail_height_mm * SIZES.rail_water_ratio;
        for side in [-1.0, 1.0] {
            let at = side * (half + SIZES.rail_gap_mm + 0.5 * SIZES.rail_thickness_mm);
            assert!((below(at) - rail).abs() < 1e-9);
        }
    }

    #[test]
    fn a_body_lies_with_its_front_on_the_mattress() {
        let of = |front: f64| {
            let dims = [50, 60, 20];
            let affine = Affine::axis_aligned([4.0; 3], [-98.0, -118.0, -40.0]).unwrap();
            let data = (0..dims.iter().product())
                .map(|n: usize| {
                    let (x, y) = ((n % 50) as f64 * 4.0 - 98.0, (n / 50 % 60) as f64 * 4.0 - 118.0);
                    if x.abs() < 80.0 && y > front && y < 90.0 {
                        40.0
                    } else {
                        -1000.0
                    }
                })
                .collect();
            let hu = Volume::new(dims, affine, data).unwrap();
            TableTop::under_body(&SIZES, &hu, BodyAxes::default())
        };
        let face = of(-60.0).unwrap().face_mm.y;
        assert!((face + 58.0).abs() < 4.0, "{face}");
        assert_eq!(of(-200.0), None);
        assert_eq!(of(200.0), None);
    }
}
