//! The report as one page of HTML that needs nothing else.

use std::{collections::BTreeMap, fmt::Write as _};

use neurotome_procedure::lesion::{Control, Drive, Needle, Perfusion};

use super::{PICTURES, Scene, escape};
use crate::results::{ExtraFile, Made, figure};

const CSS: &str = "
:root{--ink:#212934;--muted:#5c6672;--line:#dde1e6;--paper:#fff;--tint:#f5f7f9}
*{box-sizing:border-box}
body{margin:0 auto;max-width:66rem;padding:2rem 1.5rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,'Segoe UI','DejaVu Sans',sans-serif}
h1{font-size:1.75rem;line-height:1.2;margin:.2rem 0 .6rem}
h2{font-size:1.25rem;margin:2.6rem 0 .6rem;padding-top:.5rem;border-top:2px solid var(--line)}
.notice{background:var(--tint);border-left:5px solid #d55e00;padding:.7rem 1rem;margin:.8rem 0}
table{border-collapse:collapse;width:100%;margin:.6rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding:.2rem 0 .5rem}
th,td{text-align:left;vertical-align:top;padding:.38rem .7rem .38rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--muted);font-weight:600}
tbody th{font-weight:500}
td.n,th.n{text-align:right;white-space:nowrap}
figure{margin:1.2rem 0 2rem}
figure img{width:100%;height:auto;display:block;border:1px solid var(--line)}
figcaption{color:var(--muted);margin-top:.5rem}
pre{background:var(--tint);padding:1rem;overflow-x:auto;font-size:.85rem;line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere}
.wide{overflow-x:auto}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{font-weight:600}dd{margin:0}
@media print{body{max-width:none;padding:0;font-size:10.5pt}figure,tr,.notice{break-inside:avoid}h2{break-after:avoid}pre{font-size:8pt}}
@page{margin:16mm}
";

/// Bytes in base 64, as data URIs need them.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

fn figure_html(html: &mut String, bytes: &[u8], alt: &str, caption: &str) {
    let _ = writeln!(
        html,
        "<figure>\n<img alt=\"{}\" src=\"data:image/png;base64,{}\">\n<figcaption>{}</figcaption>\n</figure>",
        escape(alt),
        base64(bytes),
        escape(caption)
    );
}

/// The table of the summary.
fn summary(html: &mut String, scene: &Scene<'_>) {
    html.push_str("<section id=\"summary\">\n<h2>Summary</h2>\n<table>\n<caption>Errors are the discretisation error that the program estimated for this run; they do not include the uncertainty of the tissue properties.</caption>\n<thead><tr><th scope=\"col\">Result</th><th scope=\"col\" class=\"n\">Value</th><th scope=\"col\">Unit</th><th scope=\"col\" class=\"n\">Stated error</th></tr></thead>\n<tbody>\n");
    for row in scene.run.summary {
        let error = if row.error.is_empty() { "not stated" } else { &row.error };
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            escape(&row.name),
            escape(&row.value),
            escape(&row.unit),
            escape(error)
        );
    }
    html.push_str("</tbody>\n</table>\n</section>\n");
}

/// What a picture shows and how to read it.
fn words(name: &str, scene: &Scene<'_>) -> (&'static str, String) {
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

/// What was asked, in words.
fn asked(html: &mut String, scene: &Scene<'_>) {
    let p = scene.run.problem;
    let drive = match p.drive {
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
    };
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
    html.push_str("<section id=\"asked\">\n<h2>What was asked</h2>\n<dl>\n");
    for (name, text) in rows {
        let _ = writeln!(html, "<dt>{name}</dt><dd>{}</dd>", escape(&text));
    }
    html.push_str("</dl>\n<p>Positions are in the patient frame of DICOM (LPS, millimetres): x to the left, y to the back, z to the head.</p>\n</section>\n");
}

/// What became of the nerves.
fn nerves(html: &mut String, scene: &Scene<'_>) {
    let result = &scene.run.result.nerves;
    if result.is_empty() {
        return;
    }
    html.push_str("<section id=\"nerves\">\n<h2>Nerves</h2>\n<table>\n<caption>A stretch counts as destroyed where Ω is 1 or more across the whole nerve.</caption>\n<thead><tr><th scope=\"col\">Nerve</th><th scope=\"col\">Aim</th><th scope=\"col\" class=\"n\">Destroyed, mm</th><th scope=\"col\" class=\"n\">Highest temperature, °C</th><th scope=\"col\" class=\"n\">Distance from the lesion, mm</th></tr></thead>\n<tbody>\n");
    for (n, nerve) in result.iter().enumerate() {
        let target = scene.nerves.get(n).is_some_and(|n| n.target);
        let distance = nerve.distance_to_lesion_mm.map_or("no lesion".to_owned(), figure);
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1}</td><td class=\"n\">{}</td></tr>",
            escape(&nerve.name),
            if target { "destroy" } else { "spare" },
            figure(nerve.destroyed_mm),
            nerve.peak_temperature_c,
            distance
        );
    }
    html.push_str("</tbody>\n</table>\n</section>\n");
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
fn evidence(html: &mut String, scene: &Scene<'_>) {
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
    html.push_str("<section id=\"evidence\">\n<h2>How well it was solved</h2>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">Evidence</th><th scope=\"col\">This run</th><th scope=\"col\">What it means</th></tr></thead>\n<tbody>\n");
    for (name, value, meaning) in rows {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{}</td></tr>",
            escape(&value),
            escape(meaning)
        );
    }
    html.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// The properties of the tissues.
fn tissues(html: &mut String, scene: &Scene<'_>) {
    html.push_str("<section id=\"tissues\">\n<h2>Tissue properties used</h2>\n<div class=\"wide\"><table>\n<caption>At the frequency of the generator; conductivity at 37 °C and its change with temperature.</caption>\n<thead><tr><th scope=\"col\">Tissue</th><th scope=\"col\" class=\"n\">Electrical conductivity, S/m</th><th scope=\"col\" class=\"n\">Change, %/K</th><th scope=\"col\" class=\"n\">Thermal conductivity, W/(m K)</th><th scope=\"col\" class=\"n\">Density, kg/m³</th><th scope=\"col\" class=\"n\">Specific heat, J/(kg K)</th><th scope=\"col\" class=\"n\">Perfusion, 1/s</th><th scope=\"col\" class=\"n\">Water, %</th></tr></thead>\n<tbody>\n");
    for (n, t) in scene.run.problem.tissues.iter().enumerate() {
        let _ = write!(html, "<tr><th scope=\"row\">{}</th>", escape(&scene.tissue_name(n)));
        let values = [
            t.sigma_s_per_m,
            100.0 * t.sigma_temperature_coefficient_per_k,
            t.thermal_conductivity_w_per_m_k,
            t.density_kg_per_m3,
            t.specific_heat_j_per_kg_k,
            t.perfusion_per_s,
            100.0 * t.water_fraction,
        ];
        for v in values {
            let _ = write!(html, "<td class=\"n\">{}</td>", figure(v));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// The whole page.
pub(crate) fn page(scene: &Scene<'_>, made: &[Made], contents: &BTreeMap<String, String>) -> String {
    let run = scene.run;
    let title = escape(run.title);
    let mut html = String::new();
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"generator\" content=\"Neurotome\">\n<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p>Report of a simulated radiofrequency lesion, computed by {}.</p>\n<p class=\"notice\" role=\"note\"><strong>Research and teaching software, not a medical device.</strong> Nothing here may guide the treatment of a patient.</p>\n</header>\n<main>\n",
        escape(run.program)
    );
    summary(&mut html, scene);
    let picture = |html: &mut String, name: &str| {
        if let Some(m) = made.iter().find(|m| m.name == name) {
            let (alt, caption) = words(name, scene);
            figure_html(html, &m.bytes, alt, &caption);
        }
    };
    let pictures: Vec<&ExtraFile> = run
        .extra_files
        .iter()
        .filter(|f| f.bytes.starts_with(b"\x89PNG\r\n"))
        .collect();
    if !made.is_empty() || !pictures.is_empty() {
        html.push_str("<section id=\"pictures\">\n<h2>Pictures</h2>\n");
        for name in &PICTURES[..3] {
            picture(&mut html, name);
        }
        for f in pictures {
            figure_html(&mut html, &f.bytes, &f.caption, &f.caption);
        }
        html.push_str("</section>\n");
    }
    nerves(&mut html, scene);
    html.push_str("<section id=\"curves\">\n<h2>Curves</h2>\n");
    picture(&mut html, PICTURES[3]);
    html.push_str("<p>All values at every time step are in <code>curves.csv</code>.</p>\n</section>\n");
    evidence(&mut html, scene);
    asked(&mut html, scene);
    tissues(&mut html, scene);
    if !run.scenario_text.is_empty() {
        let _ = write!(
            html,
            "<section id=\"scenario\">\n<h2>Scenario</h2>\n<pre>{}</pre>\n</section>\n",
            escape(run.scenario_text)
        );
    }
    html.push_str("<section id=\"repeat\">\n<h2>How to repeat this run</h2>\n<p>The record in this folder holds all that was asked. The same program computes the same files from it, byte for byte, on any number of threads:</p>\n<pre>neurotome replay record.json --out again</pre>\n</section>\n");
    html.push_str("<section id=\"files\">\n<h2>Files in this folder</h2>\n<table>\n<thead><tr><th scope=\"col\">File</th><th scope=\"col\">What it is</th></tr></thead>\n<tbody>\n");
    for (name, what) in contents {
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td></tr>",
            escape(name),
            escape(what)
        );
    }
    html.push_str("</tbody>\n</table>\n</section>\n</main>\n<footer>\n<p>Neurotome: research and teaching software, not a medical device.</p>\n</footer>\n</body>\n</html>\n");
    html
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
    fn base64_of_the_standards_examples() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn small_shares_read_as_powers() {
        assert_eq!(share(-3.2e-8), "3.2e\u{2212}8");
        assert_eq!(share(0.012), "1.20 %");
    }
}
