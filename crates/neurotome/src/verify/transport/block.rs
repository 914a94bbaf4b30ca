//! Block of nerve fibres: thresholds, the length that must be blocked, and what comes into a nerve.

use neurotome_base::PatientPoint;
use neurotome_io::catalog;
use neurotome_procedure::{
    anaesthesia::{ConductionRule, Drug, FibreKind, NerveExposure, Solution},
    anatomy::NerveKind,
    catalog::Catalog,
    lesion::NerveCurve,
};

use super::super::{Report, axon};

const HUANG: &str = "Huang, Thalhammer, Raymond, Strichartz 1997: tonic block of single fibres in a bath";
const GOKIN: &str = "Gokin, Philip, Strichartz 2001: 0.1 ml at the sciatic notch of rats";
const POPITZ: &str = "Popitz-Bergez et al. 1995: 0.1 ml of 1 % lidocaine at the sciatic nerve of rats";
/// Distance of the places of a profile, mm.
const STEP_MM: f64 = 0.2;

fn lidocaine(percent: f64) -> Result<(Catalog, Drug, ConductionRule), String> {
    let catalog = catalog::built_in().map_err(|e| e.to_string())?;
    let solution = Solution::new(&catalog, "lidocaine", Some(percent)).map_err(|e| e.to_string())?;
    let drug = solution.drug.ok_or("lidocaine without a drug")?;
    let rule = ConductionRule::new(&catalog, NerveKind::MedialBranch).map_err(|e| e.to_string())?;
    Ok((catalog, drug, rule))
}

/// Concentration in a bath of 25 mm at which half of a class conducts.
fn half_blocked(drug: &Drug, rule: &ConductionRule, class: FibreKind) -> f64 {
    let conducting = |c: f64| 1.0 - drug.blocked_share(class, rule.effective(class, &[c; 126], STEP_MM));
    let (mut low, mut high) = (1e-3, 100.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if conducting(middle) > 0.5 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The concentration that blocks half of each class, through the whole chain.
pub fn half_at_the_ic50(report: &mut Report) {
    let (_, drug, rule) = match lidocaine(2.0) {
        Ok(found) => found,
        Err(e) => return report.failed("IC50", e, HUANG),
    };
    for (class, ic50) in [
        (FibreKind::ADelta, 0.32),
        (FibreKind::ABeta, 0.41),
        (FibreKind::C, 0.80),
    ] {
        report.within(
            format!(
                "lidocaine that blocks half of the {} fibres at equilibrium, mmol/l",
                class.symbol()
            ),
            half_blocked(&drug, &rule, class),
            ic50,
            1e-6,
            HUANG,
        );
    }
    // The range over which single fibres were blocked holds nearly all of the spread.
    for (class, [low, high]) in [
        (FibreKind::ADelta, [0.1, 0.6]),
        (FibreKind::ABeta, [0.2, 0.8]),
        (FibreKind::C, [0.1, 1.4]),
    ] {
        report.at_least(
            format!(
                "share of the {} fibres with thresholds within the measured range {low} to {high} mmol/l",
                class.symbol()
            ),
            drug.blocked_share(class, high) - drug.blocked_share(class, low),
            0.85,
            HUANG,
        );
    }
}

/// Aδ before Aβ before C.
pub fn order_of_the_classes(report: &mut Report) {
    let claim = "order of the classes by the lidocaine that blocks half of them: Aδ below Aβ, Aβ below C, Aγ below Aδ";
    match lidocaine(2.0) {
        Ok((_, drug, rule)) => {
            let half = |c| half_blocked(&drug, &rule, c);
            let [gamma, delta, beta, c] =
                [FibreKind::AGamma, FibreKind::ADelta, FibreKind::ABeta, FibreKind::C].map(half);
            let holds = gamma < delta && delta < beta && beta < c;
            report.within(
                claim,
                f64::from(u8::from(holds)),
                1.0,
                0.0,
                "Huang 1997; Gokin 2001 for Aγ",
            );
            report.within("C over Aδ: about twice the dose", c / delta, 2.5, 0.6, HUANG);
        }
        Err(e) => report.failed(claim, e, HUANG),
    }
}

/// The rule of the blocked length against the cable model itself.
pub fn rule_and_cable(report: &mut Report) {
    let claim = "spikes past 3 to 13 nodes with less sodium than the rule's threshold by 3 %, and more by 1.5 %: outcomes unlike the cable model's, of 12";
    let source = "cable model of a 10 µm fibre, this program";
    let rule = match lidocaine(2.0) {
        Ok((_, _, rule)) => rule,
        Err(e) => return report.failed(claim, e, source),
    };
    let long = rule.long_stretch[0];
    let mut differ = 0;
    for (nodes, factor) in &rule.nodes {
        // The rule as a share of blocked channels: odds in proportion to the concentration.
        let odds = factor * long / (1.0 - long);
        let stops = odds / (1.0 + odds);
        for (b, passes) in [(stops - 0.03, true), ((stops + 0.015).min(1.0), false)] {
            match axon::passes_nodes(*nodes, b) {
                Ok(found) => {
                    differ += u32::from(found != passes);
                    if report.all() {
                        let text =
                            format!("{nodes} nodes with {b:.3} of the sodium channels blocked: passes (1) or not (0)");
                        report.within(
                            text,
                            f64::from(u8::from(found)),
                            f64::from(u8::from(passes)),
                            0.0,
                            source,
                        );
                    }
                }
                Err(e) => return report.failed(claim, e, source),
            }
        }
    }
    report.at_most(claim, f64::from(differ), 0.0, source);
}

fn straight_nerve() -> NerveCurve {
    NerveCurve {
        name: "nerve".to_owned(),
        points: vec![PatientPoint::new(0.0, 0.0, -10.0), PatientPoint::new(0.0, 0.0, 10.0)],
        diameter_mm: 1.0,
        target: true,
    }
}

/// A nerve in an even bath comes to its share of it, as an exponential.
pub fn steady_nerve(report: &mut Report) {
    let claim = "drug among the fibres of a nerve held in 10 mmol/l, over what it settles to, after one time constant";
    let source = "first-order uptake, 1 - exp(-t/τ)";
    let (drug, rule) = match lidocaine(2.0) {
        Ok((_, drug, rule)) => (drug, rule),
        Err(e) => return report.failed(claim, e, source),
    };
    let nerve = NerveExposure::bathed(&straight_nerve(), &drug, &rule, 10.0, drug.nerve_lag_s, 40);
    let middle = nerve.places.len() / 2;
    let inside = nerve.inside_at(drug.nerve_lag_s)[middle];
    report.within(
        claim,
        inside / (10.0 * drug.nerve_share),
        1.0 - (-1f64).exp(),
        1e-5,
        source,
    );
}

/// Percent injected that block a tenth of a class: thresholds in rats.
pub fn injected_thresholds(report: &mut Report) {
    for (class, percent) in [
        (FibreKind::AAlpha, 0.05),
        (FibreKind::ABeta, 0.07),
        (FibreKind::AGamma, 0.03),
        (FibreKind::ADelta, 0.03),
        (FibreKind::C, 0.095),
    ] {
        let claim = format!(
            "lidocaine injected that blocks a tenth of the {} fibres, percent",
            class.symbol()
        );
        match lidocaine(0.1) {
            Ok((_, drug, _)) => {
                // Behind the front the fluid is as it was in the syringe.
                let block = drug.class(class);
                let tenth = block.ic50_mmol_per_l * (1.0f64 / 9.0).powf(1.0 / block.slope);
                let found = tenth / drug.nerve_share * drug.percent / drug.mmol_per_l;
                report.within(claim, found, percent, 0.3 * percent, GOKIN);
            }
            Err(e) => report.failed(claim, e, GOKIN),
        }
    }
}

/// What a nerve holds.
pub fn content(report: &mut Report) {
    let claim = "drug among the fibres 10 min after 1 % lidocaine was injected round the nerve, mmol/l of a bath that gives the same";
    match lidocaine(1.0) {
        Ok((_, drug, rule)) => {
            let nerve = NerveExposure::bathed(&straight_nerve(), &drug, &rule, drug.mmol_per_l, 600.0, 60);
            let found = nerve.inside_at(600.0)[nerve.places.len() / 2];
            report.within(claim, found, 0.8, 0.1, POPITZ);
        }
        Err(e) => report.failed(claim, e, POPITZ),
    }
}
