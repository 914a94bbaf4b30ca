//! Test stimulation of a nerve under local anaesthetic.

use neurotome_base::Vec3;

use super::{StimulationError, pathway::Pathway};
use crate::{
    anaesthesia::{AnaesthesiaError, ConductionRule, Drug, Spread},
    anatomy::NerveKind,
    catalog::{Catalog, FibreClass},
};

/// A place of a nerve farther from those whose drug is known is free of it, mm.
const NEAR_MM: f64 = 2.0;

/// What a local anaesthetic leaves of the sodium channels of the fibres.
pub struct Numbed {
    drug: Drug,
    /// Concentration among the fibres (mmol/l) at places of the nerves.
    places: Vec<(Vec3, f64)>,
    /// Share of sodium channels whose block stops a spike in a long stretch: myelinated fibres, C fibres.
    long_stretch: [f64; 2],
}

impl Numbed {
    /// From the spread of an injection, so many seconds after its start; none of a fluid without a drug.
    ///
    /// # Errors
    /// [`StimulationError::Anaesthesia`]: a catalogue without the block of fibres.
    pub fn new(spread: &Spread, catalog: &Catalog, t_s: f64) -> Result<Option<Self>, StimulationError> {
        let Some(drug) = &spread.solution.drug else {
            return Ok(None);
        };
        let rule = ConductionRule::new(catalog, NerveKind::MedialBranch)?;
        let places = spread
            .nerves
            .iter()
            .flat_map(|nerve| {
                let inside = nerve.inside_at(t_s);
                nerve
                    .places
                    .iter()
                    .zip(inside)
                    .map(|(p, c)| (p.vec(), c))
                    .collect::<Vec<_>>()
            })
            .collect();
        Ok(Some(Self {
            drug: drug.clone(),
            places,
            long_stretch: rule.long_stretch,
        }))
    }

    /// The share of a fibre's sodium channels that take part at a place along its pathway (mm).
    pub fn sodium(&self, pathway: &Pathway, class: &FibreClass, along_mm: f64) -> f64 {
        let p = pathway.at_mm(along_mm).vec();
        let nearest = self
            .places
            .iter()
            .map(|(at, c)| ((at - p).norm_squared(), *c))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((d2, c)) if d2 <= NEAR_MM * NEAR_MM => 1.0 - self.drug.sodium_block(class.kind, c, self.long_stretch),
            _ => 1.0,
        }
    }
}

impl From<AnaesthesiaError> for StimulationError {
    fn from(error: AnaesthesiaError) -> Self {
        Self::Anaesthesia(Box::new(error))
    }
}
