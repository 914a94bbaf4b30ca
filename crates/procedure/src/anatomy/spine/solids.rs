//! The bones and screws of the built-in patient one by one, for surfaces.

use neurotome_base::{PatientBox, PatientPoint};

use super::solid::Bounds;
use super::{Loose, LumbarSpine, Placed, Structure};

/// A bone, or a screw.
#[derive(Debug, Clone, Copy)]
pub struct Solid<'a> {
    /// What it is; the two screws of a vertebra, and their like, are solids of their own.
    pub structure: Structure,
    body: Body<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Body<'a> {
    Vertebra(&'a Placed),
    Loose(&'a Loose),
}

impl Solid<'_> {
    /// A box round it.
    pub fn bounds(&self) -> PatientBox {
        let Bounds { low, high } = match self.body {
            Body::Vertebra(placed) => placed.bounds,
            Body::Loose(loose) => loose.bounds,
        };
        PatientBox {
            low: PatientPoint::new(low[0], low[1], low[2]),
            high: PatientPoint::new(high[0], high[1], high[2]),
        }
    }

    /// Signed level of this solid alone, mm: negative inside, close to the distance near the surface.
    pub fn level_mm(&self, p: &PatientPoint) -> f64 {
        match self.body {
            Body::Vertebra(placed) => placed.level_at(&p.vec()),
            Body::Loose(loose) => loose.level(p.xyz),
        }
    }
}

impl LumbarSpine {
    /// Vertebrae from above to below, then hips, ribs and screws.
    pub fn solids(&self) -> Vec<Solid<'_>> {
        let vertebrae = self.vertebrae.iter().map(|v| Solid {
            structure: Structure::Vertebra(v.level),
            body: Body::Vertebra(v),
        });
        let loose = self.loose.iter().map(|l| Solid {
            structure: l.structure,
            body: Body::Loose(l),
        });
        vertebrae.chain(loose).collect()
    }
}
