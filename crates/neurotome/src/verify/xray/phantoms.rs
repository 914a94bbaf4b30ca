//! The exact phantoms of `validation/xray`, and their views.

use neurotome_base::{Affine, Point, Vec3, Volume};
use neurotome_physics::xray::View;
use rayon::prelude::*;
use serde::Deserialize;

pub const SOURCE: &str =
    "validation/xray/reference.json: exact phantoms and pixels computed with an independent program";

/// What the reference file holds.
#[derive(Debug, Deserialize)]
pub struct Reference {
    pub phantoms: Phantoms,
    pub exact_samples: Vec<Sampled>,
}

#[derive(Debug, Deserialize)]
pub struct Phantoms {
    pub blobs: Vec<Blob>,
    pub solids: Vec<Solid>,
    pub needle: Solid,
}

#[derive(Debug, Deserialize)]
pub struct Blob {
    pub amplitude: f64,
    pub centre: [f64; 3],
    pub sigma: f64,
}

/// Kind `e`: centre and half axes; kind `c`: ends and radius.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind")]
pub enum Solid {
    #[serde(rename = "e")]
    Ellipsoid { mu: f64, args: ([f64; 3], [f64; 3]) },
    #[serde(rename = "c")]
    Cylinder { mu: f64, args: ([f64; 3], [f64; 3], f64) },
}

#[derive(Debug, Deserialize)]
pub struct Sampled {
    pub frame: usize,
    #[serde(rename = "N")]
    pub side: usize,
    pub pixels: Vec<Pixel>,
}

#[derive(Debug, Deserialize)]
pub struct Pixel {
    pub i: usize,
    pub j: usize,
    pub blobs: f64,
    pub solids: f64,
    pub solids_needle: f64,
}

pub fn reference() -> Result<Reference, String> {
    serde_json::from_str(include_str!("../../../../../validation/xray/reference.json")).map_err(|e| e.to_string())
}

/// Frame `k` of the reference with `side` pixels along each side.
pub fn view(frame: usize, side: usize) -> View {
    let t = (7.0 + 36.0 * frame as f64).to_radians();
    let f = [0.0f64, 12.0, -12.0, 20.0, -20.0][frame % 5].to_radians();
    let d = Vec3::new(f.cos() * t.cos(), f.cos() * t.sin(), f.sin());
    let u = Vec3::new(-t.sin(), t.cos(), 0.0);
    let v = d.cross(&u);
    let v = if v.z < 0.0 { -v } else { v };
    let p = 300.0 / side as f64;
    let half = 0.5 - 0.5 * side as f64;
    View {
        source_mm: d * -650.0,
        first_mm: d * 350.0 + (u + v) * (half * p),
        column_step_mm: u * p,
        row_step_mm: v * p,
        columns: side,
        rows: side,
    }
}

impl Blob {
    fn at(&self, p: &Vec3) -> f64 {
        let r2 = (p - Vec3::from(self.centre)).norm_squared();
        self.amplitude * (-r2 / (2.0 * self.sigma * self.sigma)).exp()
    }

    /// Along the whole line through a point.
    pub fn integral(&self, origin: &Vec3, direction: &Vec3) -> f64 {
        let r2 = (Vec3::from(self.centre) - origin).cross(direction).norm_squared();
        let peak = self.amplitude * self.sigma * (2.0 * std::f64::consts::PI).sqrt();
        peak * (-r2 / (2.0 * self.sigma * self.sigma)).exp()
    }
}

impl Solid {
    pub fn mu(&self) -> f64 {
        match self {
            Solid::Ellipsoid { mu, .. } | Solid::Cylinder { mu, .. } => *mu,
        }
    }

    fn holds(&self, p: &Vec3) -> bool {
        self.outside(p) <= 0.0
    }

    /// Below zero inside; in size at least its distance to the surface times a factor that is never above 1 mm⁻¹ … so that a value whose
    /// size is above [`Solid::reach`] means that the whole voxel is on that side.
    fn outside(&self, p: &Vec3) -> f64 {
        match self {
            Solid::Ellipsoid { args: (c, h), .. } => (p - Vec3::from(*c)).component_div(&Vec3::from(*h)).norm() - 1.0,
            Solid::Cylinder { args: (a, b, r), .. } => {
                let (a, axis) = (Vec3::from(*a), Vec3::from(*b) - Vec3::from(*a));
                let length = axis.norm();
                let axis = axis / length;
                let along = (p - a).dot(&axis);
                let across = (p - a - axis * along).norm() - r;
                across.max(-along).max(along - length)
            }
        }
    }

    /// Most that [`Solid::outside`] changes from the middle of a voxel of 1 mm to its corner.
    fn reach(&self) -> f64 {
        let corner = 0.75f64.sqrt();
        match self {
            Solid::Ellipsoid { args: (_, h), .. } => corner / h.iter().copied().fold(f64::INFINITY, f64::min),
            Solid::Cylinder { .. } => corner,
        }
    }

    /// Exact path of a line (unit direction) inside, mm. Written for this comparison: not the program's own solids.
    pub fn chord_mm(&self, origin: &Vec3, direction: &Vec3) -> f64 {
        let quadratic = |a: f64, b: f64, c: f64| {
            let d = b * b - a * c;
            (d > 0.0).then(|| [(-b - d.sqrt()) / a, (-b + d.sqrt()) / a])
        };
        match self {
            Solid::Ellipsoid { args: (c, h), .. } => {
                let h = Vec3::from(*h);
                let (o, d) = ((origin - Vec3::from(*c)).component_div(&h), direction.component_div(&h));
                quadratic(d.dot(&d), o.dot(&d), o.dot(&o) - 1.0).map_or(0.0, |[t0, t1]| t1 - t0)
            }
            Solid::Cylinder { args: (a, b, r), .. } => {
                let a = Vec3::from(*a);
                let axis = Vec3::from(*b) - a;
                let length = axis.norm();
                let axis = axis / length;
                let o = origin - a;
                let (along, speed) = (o.dot(&axis), direction.dot(&axis));
                let (ow, dw) = (o - axis * along, direction - axis * speed);
                let Some([t0, t1]) = quadratic(dw.dot(&dw), ow.dot(&dw), ow.dot(&ow) - r * r) else {
                    return 0.0;
                };
                let (s0, s1) = (-along / speed, (length - along) / speed);
                (t1.min(s0.max(s1)) - t0.max(s0.min(s1))).max(0.0)
            }
        }
    }
}

/// 256³ voxels of 1 mm, the isocentre in the middle.
fn volume(value: impl Fn(&Vec3) -> f64 + Sync) -> Result<Volume<f32>, String> {
    const SIDE: usize = 256;
    let origin = 0.5 - 0.5 * SIDE as f64;
    let affine = Affine::axis_aligned([1.0; 3], [origin; 3]).map_err(|e| e.to_string())?;
    let data = (0..SIDE * SIDE * SIDE)
        .into_par_iter()
        .map(|n| {
            let index = Point::new((n % SIDE) as f64, (n / SIDE % SIDE) as f64, (n / (SIDE * SIDE)) as f64);
            value(&affine.to_patient(&index).vec()) as f32
        })
        .collect();
    Volume::new([SIDE; 3], affine, data).map_err(|e| e.to_string())
}

impl Phantoms {
    /// Blobs sampled at the middles of voxels.
    pub fn blobs(&self) -> Result<Volume<f32>, String> {
        volume(|p| self.blobs.iter().map(|b| b.at(p)).sum())
    }

    pub fn blobs_integral(&self, origin: &Vec3, direction: &Vec3) -> f64 {
        self.blobs.iter().map(|b| b.integral(origin, direction)).sum()
    }

    /// Solids averaged over 5³ places in each voxel.
    pub fn solids(&self) -> Result<Volume<f32>, String> {
        const SUB: usize = 5;
        volume(|p| {
            self.solids
                .iter()
                .map(|s| {
                    let outside = s.outside(p);
                    if outside.abs() > s.reach() {
                        return if outside < 0.0 { s.mu() } else { 0.0 };
                    }
                    let place = |n: usize| (n as f64 + 0.5) / SUB as f64 - 0.5;
                    let inside = (0..SUB * SUB * SUB)
                        .filter(|n| {
                            let shift = Vec3::new(place(n % SUB), place(n / SUB % SUB), place(n / (SUB * SUB)));
                            s.holds(&(p + shift))
                        })
                        .count();
                    s.mu() * inside as f64 / (SUB * SUB * SUB) as f64
                })
                .sum()
        })
    }

    pub fn solids_integral(&self, origin: &Vec3, direction: &Vec3) -> f64 {
        self.solids.iter().map(|s| s.mu() * s.chord_mm(origin, direction)).sum()
    }
}
