//! An injection at the nerve of the built-in patient.

use neurotome_io::{
    catalog,
    scenario::{Anaesthesia, Loaded, Source, load},
};
use neurotome_procedure::anaesthesia::FibreKind;

use super::super::Report;

const BALANCE: &str = "what was injected is in the tissue, in blood, or left";
const PRACTICE: &str =
    "common practice, recalled: 0.3 to 1 ml of 1 to 2 %, wait 1 to 2 min, onset 1 to 3 min, lasts 60 to 120 min";

/// The built-in patient with an injection.
fn injected(keys: &str) -> Result<(Loaded, Anaesthesia), String> {
    let catalog = catalog::built_in().map_err(|e| e.to_string())?;
    let mut source = Source::built_in();
    source.text = format!("{}\n[anaesthetic]\n{keys}\n", source.text);
    let loaded = load(&source, &catalog).map_err(|e| e.to_string())?;
    let anaesthesia = loaded.anaesthesia.clone().ok_or("the scenario has no injection")?;
    Ok((loaded, anaesthesia))
}

/// Fluid and drug are kept, and stay within their bounds.
pub fn balances(report: &mut Report) {
    let claim = "0.5 ml of 2 % lidocaine at the nerve, followed for 10 min";
    let (_, a) = match injected("follow_s = 600") {
        Ok(found) => found,
        Err(e) => return report.failed(claim, e, BALANCE),
    };
    let e = &a.spread.evidence;
    report.at_most(
        format!("{claim}: imbalance of the fluid"),
        e.fluid_imbalance.abs(),
        1e-11,
        BALANCE,
    );
    report.at_most(
        format!("{claim}: imbalance of the drug"),
        e.drug_imbalance.abs(),
        1e-11,
        BALANCE,
    );
    report.at_most(
        format!("{claim}: largest part of the pores taken"),
        e.highest_part,
        1.0 + 1e-6,
        "maximum principle",
    );
    report.at_most(
        format!("{claim}: part of the fluid that leaves the region computed"),
        e.left_fraction,
        0.02,
        "the region is large enough",
    );
}

/// Nothing in bone.
pub fn spares_bone(report: &mut Report) {
    let claim = "largest share of fluid at points in bone round the tip";
    let source = "bone is closed";
    let (loaded, a) = match injected("wait_s = 10") {
        Ok(found) => found,
        Err(e) => return report.failed(claim, e, source),
    };
    let (mut worst, mut met) = (0.0f64, 0u32);
    let tip = a.spread.tip.vec();
    for n in 0..4096 {
        let at = |k: i32| f64::from(k % 16 - 8) * 0.9 + 0.05;
        let p = neurotome_base::PatientPoint::new(tip.x + at(n), tip.y + at(n / 16), tip.z + at(n / 256));
        let tissue = usize::from(loaded.problem.anatomy.tissue_at(&p).0);
        if loaded.problem.tissue_names[tissue].ends_with("_bone") {
            met += 1;
            worst = worst.max(a.spread.share(&p, a.spread.injected_s));
        }
    }
    report.at_least("points in bone looked at", f64::from(met), 100.0, source);
    report.at_most(claim, worst, 0.0, source);
}

/// The dose beside the largest one.
pub fn dose(report: &mut Report) {
    let source = "label of lidocaine hydrochloride: 4.5 mg/kg, in general 300 mg, without adrenaline";
    for (mass, max) in [(50.0, 225.0), (90.0, 300.0)] {
        let claim = format!("largest dose of lidocaine for {mass} kg, mg");
        match injected(&format!("body_mass_kg = {mass}\nwait_s = 1\ncell_mm = 1.2")) {
            Ok((_, a)) => {
                let dose = a.spread.dose.map_or(f64::NAN, |d| d.max_mg);
                report.within(claim, dose, max, 1e-9, source);
                if mass == 50.0 {
                    let mg = a.spread.dose.map_or(f64::NAN, |d| d.dose_mg);
                    report.within("0.5 ml of 2 % lidocaine in mg", mg, 10.0, 1e-9, "2 g in 100 ml");
                }
            }
            Err(e) => report.failed(claim, e, source),
        }
    }
}

/// Onset and duration beside what is seen in practice.
pub fn practice(report: &mut Report) {
    let claim = "0.5 ml of 2 % lidocaine at the medial branch";
    let a = match injected("follow_s = 14400") {
        Ok((_, a)) => a,
        Err(e) => return report.failed(claim, e, PRACTICE),
    };
    let Some(nerve) = a.spread.nerves.first() else {
        return report.failed(claim, "no nerve", PRACTICE);
    };
    let after = |t: Option<f64>| t.map_or(f64::NAN, |t| t - a.spread.injected_s);
    for class in [FibreKind::ADelta, FibreKind::C] {
        let onset = after(nerve.onset_s(class, 0.05)).max(0.0);
        report.within(
            format!(
                "{claim}: seconds from its end until at most 5 % of the {} fibres conduct",
                class.symbol()
            ),
            onset,
            120.0,
            60.0,
            PRACTICE,
        );
        let lasts = after(nerve.wears_off_s(class, 0.5)) / 60.0;
        report.within(
            format!(
                "{claim}: minutes until half of the {} fibres conduct again",
                class.symbol()
            ),
            lasts,
            90.0,
            30.0,
            PRACTICE,
        );
    }
}
