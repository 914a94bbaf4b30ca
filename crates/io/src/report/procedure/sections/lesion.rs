//! The lesion and what came of it.

use super::{
    super::{Curves, Expected, Lesion, ProcedureForReport},
    LEFT, RIGHT, absent, figures, number, percent, section, shown,
};
use crate::report::{
    charts::SLATE,
    document::{Block, Picture, Section, Status, Table},
    plot::{Band, Curve, PAPER_PX, Plot, plots},
    style::{ACTIVE_TIP, INK, ISO_50, ISO_60, LESION, NERVE_SPARED, NERVE_TARGET, Rgb},
};
use crate::results::ResultsError;

fn color(status: Status) -> Rgb {
    match status {
        Status::Plain | Status::Open => INK,
        s => s.rgb(),
    }
}

/// The generator's curves with their events.
fn curves(nerve: &str, c: &Curves) -> Result<Vec<u8>, ResultsError> {
    const COLORS: [Rgb; 5] = [ACTIVE_TIP, ISO_60, NERVE_TARGET, LESION, ISO_50];
    const DASHES: [&str; 5] = ["", "9 5", "2 5", "12 4 2 4", "5 3"];
    let t = c.t_s.as_slice();
    let events = |named: bool| -> Vec<(f64, Rgb, &str)> {
        c.events
            .iter()
            .map(|(at, status, name)| (*at, color(*status), if named { name.as_str() } else { "" }))
            .collect()
    };
    let mut temperatures: Vec<Curve<'_>> = c
        .temperatures_c
        .iter()
        .enumerate()
        .map(|(n, (name, values))| Curve {
            dash: DASHES[n % DASHES.len()],
            ..Curve::line(name, COLORS[n % COLORS.len()], t, values)
        })
        .collect();
    if !c.set_temperature_c.is_empty() {
        temperatures.push(Curve {
            dash: "7 5",
            width: 1.8,
            ..Curve::line("set", INK, t, &c.set_temperature_c)
        });
    }
    let plain = Plot {
        along: "time in s",
        spans: c.heated_s.clone(),
        ..Plot::default()
    };
    let mut all = vec![Plot {
        title: "Temperature in °C",
        curves: temperatures,
        events: events(true),
        ..plain.clone()
    }];
    let others = [
        ("Power in W", &c.power_w, true),
        ("Impedance in Ω", &c.impedance_ohm, false),
        ("Voltage in V", &c.voltage_v, true),
    ];
    for (title, values, from_zero) in others {
        if !values.is_empty() {
            all.push(Plot {
                title,
                from_zero,
                events: events(false),
                curves: vec![Curve::line("", SLATE, t, values)],
                ..plain.clone()
            });
        }
    }
    plots(
        &format!("Generator, {nerve}"),
        "Shaded: current on. Broken upright lines: events. Volts: root mean square.",
        &all,
        PAPER_PX,
    )
}

pub(super) fn generator(all: &[Lesion]) -> Result<Section, ResultsError> {
    let mut s = section(
        "generator",
        "Generator",
        "What the generator showed. The thermocouple sits in the metal and reads less than the hottest tissue. A sharp rise of impedance would \
         mean boiling, charring or lost contact.",
    );
    if all.iter().all(|l| l.curves.is_none()) {
        absent(&mut s, "The generator's course");
    }
    for l in all {
        let Some(c) = &l.curves else { continue };
        s.push(Block::Heading(l.nerve.clone()));
        if !l.setting.is_empty() {
            s.paragraph(l.setting.as_str());
        }
        s.push(Block::Picture(Picture::png(
            curves(&l.nerve, c)?,
            format!(
                "Curves of temperature, power, impedance and voltage against time for {}",
                l.nerve
            ),
            "",
        )));
        if !l.alarms.is_empty() {
            s.push(Block::Timeline(l.alarms.clone()));
        }
    }
    Ok(s)
}

pub(super) fn lesions(all: &[Lesion]) -> Section {
    let mut s = section("lesions", "Lesions", "");
    if all.is_empty() {
        absent(&mut s, "A lesion");
    }
    for l in all {
        s.push(Block::Heading(l.nerve.clone()));
        if !l.figures.is_empty() {
            let caption = "Errors are of the discretisation, as estimated for this run; they do not hold the uncertainty of tissue.";
            s.push(Block::Table(figures(caption, &l.figures)));
        }
        shown(&mut s, &l.pictures);
    }
    s
}

pub(super) fn nerves(p: &ProcedureForReport) -> Section {
    let mut s = section("nerves", "Nerves", "");
    if p.nerves.is_empty() {
        absent(&mut s, "The fate of a nerve");
        return s;
    }
    let mut t = Table::new(
        "Destroyed: length over which the whole nerve is dead. Regrowth: months until fibres may reach their ends again.",
        &[
            ("Nerve", LEFT),
            ("Aim", LEFT),
            ("Destroyed, mm", RIGHT),
            ("Fibres cut", RIGHT),
            ("Highest, °C", RIGHT),
            ("Regrowth, months", RIGHT),
        ],
    );
    for n in &p.nerves {
        let error = n
            .destroyed_error_mm
            .map_or(String::new(), |e| format!("\u{a0}±\u{a0}{}", number(e, 1)));
        t.row_with(
            n.status,
            [
                n.name.clone(),
                if n.target { "destroy" } else { "spare" }.to_owned(),
                format!("{}{error}", number(n.destroyed_mm, 1)),
                percent(n.cut),
                number(n.peak_c, 1),
                n.regrowth_months.map_or_else(
                    || "–".to_owned(),
                    |[a, b]| format!("{} to {}", number(a, 0), number(b, 0)),
                ),
            ],
        );
    }
    s.push(Block::Table(t));
    s
}

pub(super) fn harm(p: &ProcedureForReport) -> Section {
    let mut s = section("harm", "Harm", "");
    if p.harm.is_empty() {
        absent(&mut s, "Harm beside the target");
        return s;
    }
    let mut t = Table::new(
        "",
        &[
            ("What", LEFT),
            ("Found", RIGHT),
            ("Matters from", RIGHT),
            ("What it means", LEFT),
        ],
    );
    for h in &p.harm {
        t.row_with(h.status, [&h.what, &h.value, &h.limit, &h.remark].map(String::as_str));
    }
    s.push(Block::Table(t));
    s
}

pub(super) fn outcome(e: Option<&Expected>) -> Result<Section, ResultsError> {
    let mut s = section(
        "outcome",
        "Outcome",
        "A model of many people with this lesion. It tells how relief is spread among them and does not foretell what one of them will feel.",
    );
    let Some(e) = e else {
        absent(&mut s, "An outcome");
        return Ok(s);
    };
    if !e.figures.is_empty() {
        s.push(Block::Table(figures("", &e.figures)));
    }
    if !e.months.is_empty() {
        let shares = |v: &[f64]| v.iter().map(|x| 100.0 * x).collect::<Vec<f64>>();
        let [mean, relieved] = [shares(&e.mean), shares(&e.half_relieved)];
        let [half_low, half_high, most_low, most_high] =
            [&e.half[0], &e.half[1], &e.most[0], &e.most[1]].map(|v| shares(v));
        let band = |low, high, opacity| Band {
            color: NERVE_TARGET,
            opacity,
            x: &e.months,
            low,
            high,
        };
        let all = [Plot {
            title: "Share in %",
            along: "months after the procedure",
            range: Some([most_low.iter().copied().fold(0.0, f64::min), 100.0]),
            bands: vec![band(&most_low, &most_high, 0.13), band(&half_low, &half_high, 0.2)],
            curves: vec![
                Curve {
                    markers: e.months.len() <= 40,
                    ..Curve::line("mean relief", NERVE_TARGET, &e.months, &mean)
                },
                Curve {
                    dash: "8 5",
                    ..Curve::line(
                        "people with half of their pain gone",
                        NERVE_SPARED,
                        &e.months,
                        &relieved,
                    )
                },
            ],
            ..Plot::default()
        }];
        let png = plots(
            "Relief over the months",
            "Bands: the middle half of people, and 80 % of them.",
            &all,
            PAPER_PX,
        )?;
        let alt = "Mean relief over the months with bands of its spread, and the share of people with half of their pain gone";
        s.push(Block::Picture(Picture::png(png, alt, "")));
    }
    s.blocks.extend(e.remarks.iter().map(|r| Block::paragraph(r.as_str())));
    Ok(s)
}
