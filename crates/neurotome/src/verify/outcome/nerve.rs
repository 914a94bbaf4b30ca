//! Nerves: what is cut, and whether spikes pass.

use neurotome_io::{catalog, scenario};
use neurotome_physics::axon::{
    Fibre as _, Geometry, GeometrySet, Launch, Membrane, Myelinated, Stimulated, Unmyelinated,
};
use neurotome_procedure::{
    catalog::Catalog,
    lesion::LesionResult,
    nerve_death::{self, ACROSS, NerveHeat, conduction, cut},
    outcome::skin_cut_fraction,
};

use crate::verify::Report;

/// A solved scenario.
struct Case {
    catalog: Catalog,
    result: LesionResult,
    heats: Vec<NerveHeat>,
}

fn solved(report: &Report, text: &str) -> Result<Case, String> {
    let catalog = catalog::built_in().map_err(|e| e.to_string())?;
    let source = scenario::Source {
        name: "verify.toml".to_owned(),
        text: text.to_owned(),
        folder: std::path::PathBuf::new(),
    };
    let mut problem = scenario::load(&source, &catalog).map_err(|e| e.to_string())?.problem;
    problem.solver.estimate_error = false;
    let laws = nerve_death::laws(&catalog);
    let (result, heats) = nerve_death::solve(&problem, &laws, &mut |_| !report.stopped()).map_err(|e| e.to_string())?;
    Ok(Case { catalog, result, heats })
}

const BUILT_IN: &str = include_str!("../../../../../scenarios/built-in.toml");
const SKIN_BRANCH: &str = include_str!("../../../../../scenarios/skin-branch.toml");
const PULSED: &str = include_str!("../../../../../scenarios/pulsed-nerve.toml");

/// The built-in lesion: what is seen on the way, at places over the whole section, against what the run reads off its fields at the end;
/// and spikes before and after it, in inner and outer fibres of all classes.
pub fn built_in(report: &mut Report) {
    let claim = "built-in lesion";
    let source = "a cut axon carries no current";
    let case = match solved(report, BUILT_IN) {
        Ok(case) => case,
        Err(e) => return report.failed(claim, e, source),
    };
    let Some(heat) = case.heats.iter().find(|h| h.nerve.target) else {
        return report.failed(claim, "no target", source);
    };
    let all_dead = heat.injury[0]
        .chunks(ACROSS)
        .filter(|c| c.iter().all(|w| *w >= 1.0))
        .count();
    let of_run = case.result.nerves.iter().find(|n| n.name == heat.nerve.name);
    // Two steps of 0.25 mm: places lie elsewhere than the run's five.
    report.within(
        format!("{claim}: length dead across the whole nerve, mm"),
        all_dead as f64 * heat.places.step_mm,
        of_run.map_or(f64::NAN, |n| n.destroyed_mm),
        0.5,
        "the run's own reading of its fields at the end (`lesion::NerveInjury`)",
    );
    let all = conduction(&case.catalog, heat, 0, &|_, _| 0.0);
    let count = |passes: &dyn Fn(&nerve_death::Conduction) -> bool| all.iter().filter(|c| passes(c)).count() as f64;
    report.within(
        format!("{claim}: fibres of five classes that conduct before, of {}", all.len()),
        count(&|c| c.before.passes),
        all.len() as f64,
        0.0,
        "a nerve at body temperature",
    );
    report.at_most(
        format!("{claim}: fibres that conduct after the cut"),
        count(&|c| c.after_cut.passes),
        0.0,
        source,
    );
    report.at_most(
        format!("{claim}: fibres that conduct after if dead places had only lost their sodium channels"),
        count(&|c| c.after_without_sodium.passes),
        0.0,
        "at least three nodes, or 2 mm of a C fibre, without sodium channels; validation/crosscode/axon",
    );
}

/// Numb skin of the buttock after a lesion along the L3 medial branch, beside which the branch to that skin runs.
pub fn numb_skin(report: &mut Report) {
    let source = "Kornick et al. 2004: none numb in 116 procedures, at most 2.6 % with 95 % confidence";
    let claim = "lesion along the L3 medial branch: touch fibres to the buttock's skin cut, mean of the laws, share";
    match solved(report, SKIN_BRANCH) {
        Err(e) => report.failed(claim, e, source),
        Ok(case) => {
            let cuts: Vec<_> = case.heats.iter().map(|h| cut(&case.catalog, h)).collect();
            let laws = nerve_death::laws(&case.catalog);
            let sum: f64 = laws.iter().map(|law| skin_cut_fraction(&cuts, &law.name)).sum();
            report.at_most(claim, sum / laws.len() as f64, 0.026, source);
        }
    }
}

/// Pulsed current at 42 °C.
pub fn pulsed(report: &mut Report) {
    let source = "pulsed radiofrequency at 42 °C is no destruction (Malik, ASRA 2019, read)";
    let claim = "pulsed current held at 42 °C for 120 s: share of the target's fibres cut, by the law that cuts most";
    match solved(report, PULSED) {
        Err(e) => report.failed(claim, e, source),
        Ok(case) => {
            let most = case
                .heats
                .iter()
                .flat_map(|h| cut(&case.catalog, h).laws)
                .map(|l| l.cut_fraction)
                .fold(0.0, f64::max);
            report.at_most(claim, most, 0.0, source);
        }
    }
}

/// Whether a spike passes a fibre of 10 µm with so many nodes in a row without sodium channels.
fn passes_dead_nodes(dead: usize) -> Result<bool, String> {
    let geometry = Geometry::new(GeometrySet::Table, 10.0).map_err(|e| e.to_string())?;
    let mut fibre = Myelinated::new(geometry, 41, 37.0);
    for n in 20..20 + dead {
        fibre.set_sodium(n, 0.0);
    }
    let zeros = vec![0.0; fibre.places_um().len()];
    let ready = Stimulated::new(&fibre, &zeros).map_err(|e| e.to_string())?;
    Ok(ready
        .launch(&Launch {
            from: 0,
            to: 37,
            current_ua: 0.05,
            width_ms: 0.1,
            dt_ms: 0.005,
            spike_mv: -20.0,
            quiet_mv: -65.0,
            longest_ms: 10.0,
        })
        .passes())
}

/// The fewest nodes without sodium channels that stop a spike.
pub fn nodes_to_block(report: &mut Report) {
    let source = "own C solver checked against NEURON; 1 or 2 nodes without sodium channels do not block, 3 do";
    let claim = "fewest nodes in a row without sodium channels that block a fibre of 10 µm";
    for dead in 1..10 {
        match passes_dead_nodes(dead) {
            Err(e) => return report.failed(claim, e, source),
            Ok(false) => return report.within(claim, dead as f64, 3.0, 0.0, source),
            Ok(true) => {}
        }
    }
    report.failed(claim, "none up to 9", source);
}

/// The temperature at which 6 mm of a C fibre no longer let a spike through.
pub fn heat_block(report: &mut Report) {
    let source = "cat tibial nerve, C potential lost and back after 45 °C (Morgan et al. 2020); rat sciatic, reversible block of C fibres at 47 °C (Xu and \
                  Pollock 1994); abstracts read";
    let passes = |temperature_c: f64| -> Result<bool, String> {
        let mut fibre = Unmyelinated::new(Membrane::Sundt, 0.8, 10_000.0, 50.0, 37.0);
        for n in 40..161 {
            fibre.set_temperature(n, temperature_c);
        }
        let zeros = vec![0.0; fibre.places_um().len()];
        let ready = Stimulated::new(&fibre, &zeros).map_err(|e| e.to_string())?;
        Ok(ready
            .launch(&Launch {
                from: 0,
                to: 190,
                current_ua: 2e-3,
                width_ms: 1.0,
                dt_ms: 0.02,
                spike_mv: -20.0,
                quiet_mv: -50.0,
                longest_ms: 100.0,
            })
            .passes())
    };
    let (mut low, mut high) = (40.0, 56.0);
    while high - low > 0.1 {
        let middle = 0.5 * (low + high);
        match passes(middle) {
            Ok(true) => low = middle,
            Ok(false) => high = middle,
            Err(e) => return report.failed("heat block", e, source),
        }
    }
    report.within(
        "temperature at which 6 mm of a C fibre block, by the Q10 of its gates alone, °C",
        0.5 * (low + high),
        46.0,
        1.5,
        source,
    );
}

/// Held at the temperatures of the dog's lesions for two minutes.
pub fn no_class_is_spared(report: &mut Report) {
    let source = "dog, lesions of 2 min at 45 to 85 °C: fibres of all sizes destroyed (Smith et al. 1981, abstract read); 45 °C departs, see the group \
                  experiment";
    let claim = "laws by which nerve held at 55 °C for 2 min is dead, of five";
    let catalog = match catalog::built_in() {
        Ok(catalog) => catalog,
        Err(e) => return report.failed(claim, e, source),
    };
    let laws = nerve_death::laws(&catalog);
    let dead = |c: f64| laws.iter().filter(|l| 120.0 * l.kinetics.rate_per_s(c) >= 1.0).count() as f64;
    report.within(claim, dead(55.0), 5.0, 0.0, source);
    report.at_most(
        "laws by which nerve held at 42 °C for 2 min is dead",
        dead(42.0),
        0.0,
        "pulsed radiofrequency is kept at or below 42 °C (Malik, ASRA 2019, read)",
    );
}
