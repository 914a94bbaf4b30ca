//! What the patient tells and which muscles twitch.
//!
//! A model, not a measurement: a sensation is told once a share of the fibres of a class fires, and the share differs between people and
//! attempts (lognormal). Shares are those of the catalogue's `perception` entries, most of them assumed.

use neurotome_base::random::Stream;
use serde::Serialize;

use super::{pathway::Pathway, recruit::Recruitment, territory::territory};
use crate::catalog::{FibreKind, Perception};

/// Kinds of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Tingling, tapping or pressure.
    Tingling,
    /// The pain that the patient knows.
    ConcordantPain,
    /// Another pain.
    Pain,
    /// A twitch that is seen or felt.
    Twitch,
}

/// An answer with the amplitudes at which it comes.
#[derive(Debug, Clone, Serialize)]
pub struct Noticed {
    /// The nerve that makes it.
    pub nerve: String,
    /// What is told or seen.
    pub answer: Answer,
    /// Where, or which muscle.
    pub place: &'static str,
    /// True where a nerve of the leg answers.
    pub leg: bool,
    /// True for the nerve aimed at.
    pub target: bool,
    /// The typical amplitude, V or mA; none up to the generator's limit.
    pub amplitude: Option<f64>,
    /// That of one in ten people, and that which nine in ten have or stay below; none up to the limit.
    pub range: [Option<f64>; 2],
}

/// Draws of people.
const PEOPLE: u64 = 199;

/// All answers to pulses, those of the leg too, in ascending order of amplitude. `motor` asks for twitches, else for what is told.
pub fn notice(
    recruitments: &[Recruitment],
    pathways: &[Pathway],
    perception: &Perception,
    motor: bool,
    seed: u64,
) -> Vec<Noticed> {
    let mut all: Vec<Noticed> = Vec::new();
    for (n, r) in (0u64..).zip(recruitments) {
        let Some(pathway) = pathways.iter().find(|p| p.name == r.nerve) else {
            continue;
        };
        let place = territory(pathway.kind, pathway.nerve);
        let mut add = |answer, place, needs: &[(FibreKind, f64)]| {
            // The weakest that meets any need, for a person whose shares are so many times the typical ones.
            let at = |factor: f64| {
                needs
                    .iter()
                    .filter_map(|(class, share)| r.amplitude(*class, share * factor))
                    .min_by(f64::total_cmp)
            };
            let stream = Stream::new(seed).split(n);
            let mut drawn: Vec<f64> = (0..PEOPLE)
                .map(|k| at((perception.log_sd_fraction.value * stream.normal(k)).exp()).unwrap_or(f64::INFINITY))
                .collect();
            drawn.sort_by(f64::total_cmp);
            let quantile = |q: usize| Some(drawn[q]).filter(|a| a.is_finite());
            all.push(Noticed {
                nerve: r.nerve.clone(),
                answer,
                place,
                leg: territory(pathway.kind, pathway.nerve).leg,
                target: r.target,
                amplitude: at(1.0),
                range: [quantile(19), quantile(179)],
            });
        };
        if motor {
            add(
                Answer::Twitch,
                place.muscle,
                &[(FibreKind::AAlpha, perception.twitch_fraction.value)],
            );
            continue;
        }
        add(
            Answer::Tingling,
            place.felt,
            &[(FibreKind::ABeta, perception.tingling_fraction.value)],
        );
        let pain = (FibreKind::ADelta, perception.pain_fraction.value);
        if r.target {
            let known = (FibreKind::ABeta, perception.concordant_fraction.value);
            add(Answer::ConcordantPain, place.felt, &[known, pain]);
        } else {
            add(Answer::Pain, place.felt, &[pain]);
        }
    }
    let key = |n: &Noticed| n.amplitude.unwrap_or(f64::INFINITY);
    all.sort_by(|a, b| key(a).total_cmp(&key(b)));
    all
}

#[cfg(test)]
mod tests {
    use neurotome_base::PatientPoint;

    use super::*;
    use crate::{
        anatomy::{Level, NerveKind},
        catalog::Sourced,
    };

    #[test]
    fn a_branch_to_the_skin_tingles_and_never_makes_the_known_pain() {
        let value = |value| Sourced {
            value,
            source: String::new(),
            verified: true,
            condition: None,
            range: None,
        };
        let person = Perception {
            name: "awake".to_owned(),
            title: String::new(),
            tingling_fraction: value(0.05),
            concordant_fraction: value(0.3),
            pain_fraction: value(0.05),
            twitch_fraction: value(0.05),
            log_sd_fraction: value(0.5),
        };
        let line: Vec<PatientPoint> = (0..40).map(|k| PatientPoint::new(0.0, 0.0, f64::from(k))).collect();
        let mut pathway = Pathway::bare("L3 lateral branch right", NerveKind::LateralBranch, &line);
        pathway.nerve = Some(Level::L3);
        let answered = Recruitment::of_classes(
            "L3 lateral branch right",
            &[
                (FibreKind::AAlpha, 0.5),
                (FibreKind::ABeta, 0.4),
                (FibreKind::ADelta, 3.0),
            ],
        );
        let told = notice(
            std::slice::from_ref(&answered),
            std::slice::from_ref(&pathway),
            &person,
            false,
            1,
        );
        let kinds: Vec<(Answer, f64)> = told.iter().map(|n| (n.answer, n.amplitude.unwrap())).collect();
        assert_eq!(kinds, [(Answer::Tingling, 0.4), (Answer::Pain, 3.0)]);
        assert!(told.iter().all(|n| n.place.contains("skin of the buttock") && !n.leg));
        let moved = notice(&[answered], &[pathway], &person, true, 1);
        assert_eq!((moved[0].answer, moved[0].place), (Answer::Twitch, "iliocostalis"));
    }
}
