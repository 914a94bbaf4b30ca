//! Lesions after an injection whose spread is computed: the orders that experiments found.

use std::path::PathBuf;

use neurotome_io::{
    catalog,
    scenario::{Source, load},
};
use neurotome_procedure::{catalog::Catalog, lesion::solve};

use super::super::Report;

const SOURCE: &str = "Provenzano, Liebert, Somers 2013, chicken: from 0.7 to 23.4 % sodium chloride impedance falls and mean power rises";

/// 18 G, 10 mm tip, 80 °C in meat after half a millilitre of an agent, or dry: impedance at the start of the hold in Ω, and mean power in W.
fn heated(catalog: &Catalog, agent: Option<&str>, stop: fn() -> bool) -> Result<[f64; 2], String> {
    let fluid = agent.map_or_else(String::new, |a| {
        format!("[anaesthetic]\nagent = \"{a}\"\nwait_s = 10\n")
    });
    let text = format!(
        "perfusion = \"off\"\n{fluid}[phantom]\nbackground = \"muscle\"\n[domain]\nshape = \"sphere\"\nradius_mm = 60\ninitial_temperature_c = 21\n\
         boundary_temperature_c = 21\n[[needles]]\ncannula = \"18G-10mm-straight\"\ntip_mm = [0, 0, 0]\ndirection = [0, 0, -1]\n[drive]\n\
         set_temperature_c = 80\nheating_s = 40\n[solver]\ncell_size = 1.5\nestimate_error = false\n"
    );
    let source = Source {
        name: "fluid".to_owned(),
        text,
        folder: PathBuf::new(),
    };
    let loaded = load(&source, catalog).map_err(|e| e.to_string())?;
    let result = solve(&loaded.problem, &mut |_| !stop()).map_err(|e| e.to_string())?;
    let c = &result.curves;
    let energy: f64 = (1..c.t_s.len())
        .map(|i| 0.5 * (c.t_s[i] - c.t_s[i - 1]) * (c.power_w[i] + c.power_w[i - 1]))
        .sum();
    let impedance = c.impedance_ohm.get(c.impedance_ohm.len() / 2).copied();
    Ok([impedance.ok_or("no readings")?, energy / 40.0])
}

/// More salt: lower impedance, more power; from 0.7 to 23.4 %, as in the source, in full with 3 % between. Water is compared with among the
/// experiments.
pub fn salt_orders(report: &mut Report) {
    let claim = "0.5 ml before heating";
    let agents: &[&str] = if report.full() {
        &["saline-0.7", "saline-3", "saline-23.4"]
    } else {
        &["saline-0.7", "saline-23.4"]
    };
    let all = catalog::built_in().map_err(|e| e.to_string()).and_then(|catalog| {
        agents
            .iter()
            .map(|a| heated(&catalog, Some(a), report.stop))
            .collect::<Result<Vec<_>, String>>()
    });
    let all = match all {
        Ok(all) => all,
        Err(e) => return report.failed(claim, e, SOURCE),
    };
    for (names, pair) in agents.windows(2).zip(all.windows(2)) {
        let [less, more] = [names[0], names[1]];
        report.at_most(
            format!("{claim}: impedance with {more} over that with {less}"),
            pair[1][0] / pair[0][0],
            1.0,
            SOURCE,
        );
        report.at_least(
            format!("{claim}: mean power with {more} over that with {less}"),
            pair[1][1] / pair[0][1],
            1.0,
            SOURCE,
        );
    }
}
