//! The report of a run.

use std::collections::BTreeMap;

use neurotome_procedure::lesion::{Control, Drive, Needle, Perfusion};

use super::{
    FILE, PDF, PICTURES, Scene,
    document::{Align, Block, Document, Picture, Section, Table, Text},
};
use crate::results::{ExtraFile, Made, figure};

/// The table of the summary.
fn summary(scene: &Scene<'_>) -> Section {
    let mut table = Table::new(
        "Errors are the discretisation error that the program estimated for this run; they do not include the uncertainty of the tissue properties.",
        &[
            ("Result", Align::Left),
            ("Value", Align::Right),
            ("Unit", Align::Left),
            ("Stated error", Align::Right),
        ],
    );
    for row in scene.run.summary {
        let error = if row.error.is_empty() { "not stated" } else { &row.error };
        table.row([row.name.as_str(), &row.value, &row.unit, error]);
    }
    section("summary", "Summary", [Block::Table(table)])
}

fn section(id: &str, title: &str, blocks: impl IntoIterator<Item = Block>) -> Section {
    Section {
        blocks: blocks.into_iter().collect(),
        ..Section::new(id, title)
    }
}

/// What a picture shows and how to read it.
pub(super) fn words(name: &str, scene: &Scene<'_>) -> (&'static str, String) {
    let ct = scene.run.ct.is_some();
    match name {
        "slices.png" => (
            "Four slices through the middle of the active tip with isotherms, destroyed tissue, needle and nerves",
            format!(
                "Slices through the middle of the active tip: axial, coronal, sagittal, and one along the needle. {} The lines are \
                 isotherms when the current stopped; the shaded area is destroyed tissue (Arrhenius Ω of 1 or more) at the end of the \
                 run. Heat and injury are not the same: tissue dies where it was hot for long enough, so the border of the lesion \
                 follows an isotherm near 50 °C only roughly. The lesion is widest beside the bare metal and reaches little beyond \
                 its point, which is why the active tip should lie along the nerve and not point at it. Letters: right, left, \
                 anterior, posterior, superior, inferior; the patient's left is on the right of axial and coronal slices.",
                if ct { "The grey picture is the CT, the pale line the outline of bone." } else { "Colours are the tissues of the model." }
            ),
        ),
        "view3d.png" => (
            "Two three-dimensional views of bone, needle, nerves and destroyed tissue",
            "Left, the back of the spine from the needle's side: where the cannula lies on the bone. Right, close up, with bone \
             made translucent where it covers something: whether the destroyed tissue encloses the target nerve, and over what length. A longer coagulated stretch of \
             nerve takes longer to grow back."
                .to_owned(),
        ),
        "tissues.png" => (
            if ct { "The CT beside the tissues inferred from it" } else { "The tissues of the model" },
            if ct {
                "The CT beside the tissues that the program took from it. Check it before trusting the lesion: bone conducts current \
                 poorly and keeps heat where it is, so a border in the wrong place moves the lesion. Thin cortical bone can be lost in \
                 thick slices, and metal in the image can be taken for bone."
                    .to_owned()
            } else {
                "The tissues that the lesion was computed with. Bone conducts current poorly and keeps heat where it is, so its \
                 place matters."
                    .to_owned()
            },
        ),
        _ => (
            "Curves of temperature, power, impedance, voltage and current against time",
            "The generator's view of the run. The thermocouple sits inside the metal and reads less than the hottest tissue, which lies \
             some tenths of a millimetre away from it. Impedance falls while tissue warms because salt water conducts better when warm; \
             a sharp rise would mean boiling or charring. Power falls as the tissue comes to a balance between heating and conduction."
                .to_owned(),
        ),
    }
}

/// What the generator was set to.
pub(super) fn drive_words(drive: &Drive) -> String {
    match *drive {
        Drive::Voltage { voltage_v } => format!("constant voltage, {} V", figure(voltage_v)),
        Drive::Current { current_a } => format!("constant current, {} A", figure(current_a)),
        Drive::Power { power_w } => format!("constant power, {} W", figure(power_w)),
        Drive::Temperature {
            set_temperature_c,
            ramp_s,
            control,
        } => {
            let whose = match control {
                Control::First => "tip temperature",
                Control::Hottest => "temperature of the hottest tip",
                Control::Each => "temperature of each tip by itself",
            };
            format!(
                "{whose} {} °C after a ramp of {} s",
                figure(set_temperature_c),
                figure(ramp_s)
            )
        }
        Drive::Pulsed {
            voltage_v,
            pulse_s,
            rate_hz,
            limit_temperature_c,
            resolved,
        } => format!(
            "pulses of {} V and {} ms, {} a second{}, {}",
            figure(voltage_v),
            figure(1e3 * pulse_s),
            figure(rate_hz),
            limit_temperature_c.map_or(String::new(), |t| format!(
                ", lowered above {} °C at the tip",
                figure(t)
            )),
            if resolved {
                "each resolved in time"
            } else {
                "computed with their mean power"
            }
        ),
    }
}

/// What was asked, in words.
fn asked(scene: &Scene<'_>) -> Section {
    let p = scene.run.problem;
    let drive = drive_words(&p.drive);
    let perfusion = match p.perfusion {
        Perfusion::On => "always on",
        Perfusion::Off => "off",
        Perfusion::StopsWithInjury => "stops where tissue is destroyed",
    };
    let needles: Vec<String> = p
        .needles
        .iter()
        .map(|n| {
            format!(
                "diameter {} mm, active tip {} mm{}, tip at ({:.1}, {:.1}, {:.1}) mm",
                figure(n.outer_diameter_mm),
                figure(n.active_tip_mm),
                extras(n),
                n.tip.xyz[0],
                n.tip.xyz[1],
                n.tip.xyz[2]
            )
        })
        .collect();
    let rows = [
        ("Needle", needles.join("; ")),
        ("Generator", drive),
        (
            "Limits",
            format!(
                "{} V, {} A, {} W",
                figure(p.limits.voltage_v),
                figure(p.limits.current_a),
                figure(p.limits.power_w)
            ),
        ),
        (
            "Heating",
            format!(
                "{} s, then {} s without current",
                figure(p.heating_s),
                figure(p.cooling_s)
            ),
        ),
        ("Perfusion", perfusion.to_owned()),
        (
            "Injury law",
            format!(
                "Arrhenius, ln A = {} (A in 1/s), Ea = {} kJ/mol: Ω = 1 after {} s at {:.1} °C",
                figure(p.injury.ln_frequency_factor),
                figure(p.injury.activation_energy_j_per_mol / 1000.0),
                figure(p.heating_s),
                p.injury.iso_effect_temperature_c(p.heating_s.max(1.0))
            ),
        ),
        (
            "Start",
            format!(
                "{} °C everywhere; outer boundary {} °C",
                figure(p.initial_temperature_c),
                figure(p.boundary_temperature_c)
            ),
        ),
    ];
    let terms = rows
        .into_iter()
        .map(|(name, text)| (name.into(), text.into()))
        .collect();
    let frame =
        "Positions are in the patient frame of DICOM (LPS, millimetres): x to the left, y to the back, z to the head.";
    section(
        "asked",
        "What was asked",
        [Block::Terms(terms), Block::paragraph(frame)],
    )
}

/// What became of the nerves.
fn nerves(scene: &Scene<'_>) -> Option<Section> {
    let result = &scene.run.result.nerves;
    let mut table = Table::new(
        "A stretch counts as destroyed where Ω is 1 or more across the whole nerve.",
        &[
            ("Nerve", Align::Left),
            ("Aim", Align::Left),
            ("Destroyed, mm", Align::Right),
            ("Highest temperature, °C", Align::Right),
            ("Distance from the lesion, mm", Align::Right),
        ],
    );
    for (n, nerve) in result.iter().enumerate() {
        let target = scene.nerves.get(n).is_some_and(|n| n.target);
        table.row([
            nerve.name.clone(),
            if target { "destroy" } else { "spare" }.to_owned(),
            figure(nerve.destroyed_mm),
            format!("{:.1}", nerve.peak_temperature_c),
            nerve.distance_to_lesion_mm.map_or("no lesion".to_owned(), figure),
        ]);
    }
    (!result.is_empty()).then(|| section("nerves", "Nerves", [Block::Table(table)]))
}

/// A share as a power of ten or in percent.
fn share(value: f64) -> String {
    let v = value.abs();
    if v == 0.0 {
        "0".to_owned()
    } else if v < 1e-4 {
        format!("{v:.1e}").replace('-', "\u{2212}")
    } else {
        format!("{} %", figure(100.0 * v))
    }
}

/// How well the run was solved.
fn evidence(scene: &Scene<'_>) -> Section {
    let e = &scene.run.result.evidence;
    let count = |n: usize| {
        let digits = n.to_string();
        let mut out = String::new();
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push('\u{2009}');
            }
            out.push(c);
        }
        out
    };
    let mut rows = vec![
        (
            "Cells of the grid",
            count(e.cells),
            "The small volumes into which the region was cut, finest at the needle.",
        ),
        (
            "Faces between cells",
            count(e.faces),
            "Current and heat are balanced over each of them.",
        ),
        (
            "Time steps",
            format!("{} accepted, {} rejected", count(e.steps), count(e.rejected_steps)),
            "A step is rejected and made shorter when its estimated error of temperature is over the tolerance.",
        ),
        (
            "Iterations of a potential solve",
            format!(
                "{:.1} on average, {} at most",
                e.potential_iterations_mean, e.potential_iterations_max
            ),
            "Conjugate gradients with multigrid: the count should not grow with the number of cells.",
        ),
        (
            "Iterations of a heat solve",
            format!(
                "{:.1} on average, {} at most",
                e.heat_iterations_mean, e.heat_iterations_max
            ),
            "The same for the heat equation of one time step.",
        ),
        (
            "Largest relative residual",
            share(e.residual_max),
            "What was left of the equations when a linear solve stopped. A run that does not reach its tolerance is an error and gives no report.",
        ),
        (
            "Energy balance",
            share(e.energy_balance_relative),
            "Heat put in, less heat stored and heat carried away, as a share of the heat put in.",
        ),
        (
            "Current balance",
            share(e.current_balance_relative),
            "Current out of the tip less current into the return electrode, as a share: charge is neither made nor lost.",
        ),
        (
            "Lowest temperature",
            format!("{:.3} °C", e.min_temperature_c),
            "Heating cannot cool anything: not below the lowest of the start, blood and boundary temperatures.",
        ),
    ];
    if let Some(d) = e.error {
        rows.push((
            "Stated discretisation error",
            format!(
                "width {}, length {}, volume {}, temperature {} K, impedance {}, power {}",
                share(d.width_relative),
                share(d.length_relative),
                share(d.volume_relative),
                figure(d.peak_temperature_k),
                share(d.impedance_relative),
                share(d.power_relative)
            ),
            "From a second run on a coarser grid: how far the results may be from those on an infinitely fine grid.",
        ));
    } else {
        rows.push((
            "Stated discretisation error",
            "not asked for".to_owned(),
            "Ask for it in the solver settings of the scenario.",
        ));
    }
    let mut table = Table::new(
        "",
        &[
            ("Evidence", Align::Left),
            ("This run", Align::Left),
            ("What it means", Align::Left),
        ],
    );
    for (name, value, meaning) in rows {
        table.row([name, &value, meaning]);
    }
    section("evidence", "How well it was solved", [Block::Table(table)])
}

/// The properties of the tissues.
fn tissues(scene: &Scene<'_>) -> Section {
    let mut table = Table::new(
        "At the frequency of the generator; conductivity at 37 °C and its change with temperature.",
        &[
            ("Tissue", Align::Left),
            ("Electrical conductivity, S/m", Align::Right),
            ("Change, %/K", Align::Right),
            ("Thermal conductivity, W/(m K)", Align::Right),
            ("Density, kg/m³", Align::Right),
            ("Specific heat, J/(kg K)", Align::Right),
            ("Perfusion, 1/s", Align::Right),
            ("Water, %", Align::Right),
        ],
    );
    for (n, t) in scene.run.problem.tissues.iter().enumerate() {
        let values = [
            t.sigma_s_per_m,
            100.0 * t.sigma_temperature_coefficient_per_k,
            t.thermal_conductivity_w_per_m_k,
            t.density_kg_per_m3,
            t.specific_heat_j_per_kg_k,
            t.perfusion_per_s,
            100.0 * t.water_fraction,
        ];
        table.row(std::iter::once(scene.tissue_name(n)).chain(values.map(figure)));
    }
    section("tissues", "Tissue properties used", [Block::Table(table)])
}

/// The whole report.
pub(crate) fn report(scene: &Scene<'_>, made: &[Made], contents: &BTreeMap<String, String>) -> Document {
    let run = scene.run;
    let picture = |name: &str| {
        made.iter().find(|m| m.name == name).map(|m| {
            let (alt, caption) = words(name, scene);
            Block::Picture(Picture::png(m.bytes.clone(), alt, caption))
        })
    };
    let added = |f: &ExtraFile| {
        let png = f.bytes.starts_with(b"\x89PNG\r\n");
        png.then(|| Block::Picture(Picture::png(f.bytes.clone(), f.caption.clone(), f.caption.clone())))
    };
    let mut sections = vec![summary(scene)];
    let mut pictures: Vec<Block> = PICTURES[..3].iter().filter_map(|name| picture(name)).collect();
    pictures.extend(run.extra_files.iter().filter_map(added));
    if !pictures.is_empty() {
        sections.push(section("pictures", "Pictures", pictures));
    }
    sections.extend(nerves(scene));
    let all_values = Text::from("All values at every time step are in ")
        .code("curves.csv")
        .plain(".");
    let curves = picture(PICTURES[3]).into_iter().chain([Block::Paragraph(all_values)]);
    sections.push(section("curves", "Curves", curves));
    sections.extend([evidence(scene), asked(scene), tissues(scene)]);
    if !run.scenario_text.is_empty() {
        sections.push(section(
            "scenario",
            "Scenario",
            [Block::Code(run.scenario_text.to_owned())],
        ));
    }
    let again = "The record in this folder holds all that was asked. The same program computes the same files from it, byte for byte, on \
                 any number of threads:";
    let command = Block::Code("neurotome replay record.json --out again".to_owned());
    sections.push(section(
        "repeat",
        "How to repeat this run",
        [Block::paragraph(again), command],
    ));
    let mut files = Table::new("", &[("File", Align::Left), ("What it is", Align::Left)]);
    for (name, what) in contents
        .iter()
        .filter(|(name, _)| ![FILE, PDF].contains(&name.as_str()))
    {
        files.row([Text::default().code(name.as_str()), what.as_str().into()]);
    }
    sections.push(section("files", "Files in this folder", [Block::Table(files)]));
    Document {
        title: run.title.to_owned(),
        subtitle: format!(
            "Report of a simulated radiofrequency lesion, computed by {}.",
            run.program
        ),
        statement: "Nothing here may guide the treatment of a patient.".into(),
        program: run.program.to_owned(),
        sections,
        ..Document::default()
    }
}

/// Bevel, further contacts and tines of a needle, in words.
fn extras(n: &Needle) -> String {
    let bevel = n.bevel.map(|b| format!(", bevel of {}°", figure(b.angle_deg)));
    let more = |count: usize, what: &str| (count > 0).then(|| format!(", {count} {what}"));
    [
        bevel,
        more(n.contacts.len(), "more contacts"),
        more(n.tines.len(), "tines"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_shares_read_as_powers() {
        assert_eq!(share(-3.2e-8), "3.2e\u{2212}8");
        assert_eq!(share(0.012), "1.20 %");
    }
}
