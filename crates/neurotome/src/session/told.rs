//! Entries of a session in words.

use neurotome_procedure::session::{Entry, Event, Interlock, Judged};

/// Time of a procedure as `h:mm:ss`.
pub fn clock(t_s: f64) -> String {
    let s = t_s.max(0.0).round() as u64;
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

fn place(p: &[f64; 3]) -> String {
    format!("{:.1}, {:.1}, {:.1} mm", p[0], p[1], p[2])
}

fn locks(all: &[Interlock]) -> impl Iterator<Item = String> + '_ {
    all.iter().map(|i| format!("[{}] {}", i.code, i.text))
}

fn judged(q: &Judged) -> String {
    format!("{}: {} ({})", q.question, q.finding, q.evidence)
}

/// What happened in a step, line by line.
pub fn told(entry: &Entry) -> Vec<String> {
    entry.events.iter().flat_map(lines).collect()
}

fn lines(event: &Event) -> Vec<String> {
    match event {
        Event::Assessed { verdict, criteria, .. } => {
            let open = criteria.iter().filter(|c| c.state != "met");
            std::iter::once(format!("assessment: {verdict}, {} criteria", criteria.len()))
                .chain(open.map(|c| format!("{}: {}; expected {}; {}", c.criterion, c.found, c.expected, c.advice)))
                .collect()
        }
        Event::Planned { needles } => needles
            .iter()
            .flat_map(|n| {
                let line = format!(
                    "{} at the {}: {}, {:.0} mm deep, {:.0}° to the nerve, {:.0} % likely to destroy enough, {:.1} % to touch a nerve to be spared",
                    n.nerve,
                    n.place,
                    n.cannula,
                    n.depth_mm,
                    n.to_nerve_deg,
                    100.0 * n.probability,
                    100.0 * n.harm
                );
                let beyond = n.beyond.iter().map(|b| format!("beyond the limits: {b}"));
                std::iter::once(line).chain(beyond)
            })
            .collect(),
        Event::Prepared { item } => vec![item.means().to_owned()],
        Event::Sedated { level } => vec![format!("sedation: {}", level.word())],
        Event::ArmMoved {
            orbital_deg,
            tilt_deg,
            view,
            level,
            ..
        } => {
            let named = view.map_or_else(|| "C-arm".to_owned(), |v| v.to_string());
            let of = level.map_or_else(String::new, |l| format!(" of {l}"));
            vec![format!("{named}{of}: orbital {orbital_deg:.1}°, tilt {tilt_deg:.1}°")]
        }
        Event::Exposed { dose } => vec![format!(
            "{} pulse{}, {:.2} s, {:.3} mGy at the skin, {:.4} Gy cm²",
            dose.frames,
            if dose.frames == 1 { "" } else { "s" },
            dose.screening_s,
            dose.air_kerma_mgy,
            dose.dose_area_gy_cm2
        )],
        Event::Marked { entry_mm, off_plan_mm } => {
            let off = off_plan_mm.map_or_else(String::new, |d| format!(", {d:.1} mm from the planned place"));
            vec![format!("skin marked at {}{off}", place(entry_mm))]
        }
        Event::SkinNumbed { injected } => vec![format!(
            "skin numbed with {:.1} ml of {} ({:.0} mg)",
            injected.volume_ml, injected.agent, injected.drug_mg
        )],
        Event::NeedleMoved { needle } => vec![format!(
            "needle {:.1} mm deep, tip at {}, {:.1} N against it",
            needle.depth_mm,
            place(&needle.tip_mm),
            needle.force_n
        )],
        Event::NeedleFelt { felt } => vec![format!(
            "{}{} ({:.1} mm deep)",
            if felt.warning { "WARNING: " } else { "" },
            felt.what,
            felt.depth_mm
        )],
        Event::NeedleRemoved => vec!["needle out".to_owned()],
        Event::ImpedanceRead { ohm, usual_ohm } => {
            let usual = usual_ohm.filter(|u| (u / ohm - 1.0).abs() > 0.05);
            let beside = usual.map_or_else(String::new, |u| format!("; such a cannula shows {u:.0} Ω here"));
            vec![format!("impedance {ohm:.0} Ω{beside}")]
        }
        Event::Tested {
            kind,
            up_to_v,
            answers,
            numb,
        } => {
            let mut all: Vec<String> = answers
                .iter()
                .map(|a| format!("{:.2} V: {} in {} ({})", a.amplitude_v, a.answer, a.place, a.nerve))
                .collect();
            all.push(format!(
                "{} test up to {up_to_v} V: {} answer{}{}",
                kind.word(),
                answers.len(),
                if answers.len() == 1 { "" } else { "s" },
                if *numb { ", under the anaesthetic" } else { "" }
            ));
            all
        }
        Event::TestsJudged { questions, advice, .. } => questions
            .iter()
            .map(judged)
            .chain(std::iter::once(format!("so: {advice}")))
            .collect(),
        Event::Anaesthetised { injected } => vec![format!(
            "{:.1} ml of {} at the nerve ({:.0} mg{})",
            injected.volume_ml,
            injected.agent,
            injected.drug_mg,
            injected
                .max_mg
                .map_or_else(String::new, |m| format!(", at most {m:.0} mg"))
        )],
        Event::Numbness {
            since_s,
            pain_conducting,
        } => vec![format!(
            "{since_s:.0} s after the injection {:.0} % of the nerve's fibres of pain conduct",
            100.0 * pain_conducting
        )],
        Event::HeatingBegan {
            set_c,
            hold_s,
            ramp_s,
            program,
        } => vec![match program {
            None => format!("generator on: {set_c} °C for {hold_s} s after a ramp of {ramp_s} s"),
            Some(program) => format!("generator on: {program}"),
        }],
        Event::PumpSet { ml_per_min } if *ml_per_min > 0.0 => {
            vec![format!("coolant pump on, {ml_per_min} ml/min")]
        }
        Event::PumpSet { .. } => vec!["coolant pump off".to_owned()],
        Event::FaultSet { fault } => vec![format!(
            "FAULT set: {} {} s after the lesion's start",
            fault.kind.risk().words,
            fault.onset_s
        )],
        Event::GeneratorTold { text } => vec![text.clone()],
        Event::Interrupted { resumable: true } => vec!["the lesion is interrupted; `resume` or `stop`".to_owned()],
        Event::Interrupted { resumable: false } => {
            vec!["the lesion is interrupted and cannot be resumed yet; `wait` or `stop`".to_owned()]
        }
        Event::Resumed => vec!["the lesion goes on".to_owned()],
        Event::Heating { shown } => vec![format!(
            "{:.0} s: {:.1} °C, {:.0} Ω, {:.1} V, {:.3} A, {:.2} W",
            shown.t_s, shown.temperature_c, shown.impedance_ohm, shown.voltage_v, shown.current_a, shown.power_w
        )],
        Event::HeatingSeen { t_s } => vec![format!("{t_s:.0} s of the lesion; it goes on")],
        Event::Alarm { text } => vec![format!("ALARM: {text}")],
        Event::LesionMade { lesion } => {
            let size = lesion.contours.omega1.map_or_else(
                || "nothing destroyed".to_owned(),
                |c| {
                    format!(
                        "{:.1} mm wide, {:.1} mm long, {:.0} mm³",
                        c.width_mm, c.length_mm, c.volume_mm3
                    )
                },
            );
            let mut all = vec![format!(
                "lesion: {size}; {:.1} mm of the nerve destroyed across; hottest tissue {:.0} °C",
                lesion.destroyed_mm, lesion.hottest_c
            )];
            if !lesion.complete {
                all.push(format!("stopped after {:.0} s", lesion.heated_s));
            }
            if lesion.harm.harmful {
                let nerves = lesion.harm.nerves.iter().filter(|n| n.cut_fraction[1] > 0.0);
                all.extend(nerves.map(|n| {
                    format!(
                        "HARM: {} loses {:.0} to {:.0} % of its fibres by the laws of injury",
                        n.nerve,
                        100.0 * n.cut_fraction[0],
                        100.0 * n.cut_fraction[1]
                    )
                }));
            }
            all
        }
        Event::Pain { from } => vec![format!("the patient is in pain: {from}")],
        Event::PatientMoved { by_mm } => vec![format!("the patient moves: the needle is off by {}", place(by_mm))],
        Event::SkinSeen => vec!["skin at entry and pad looked at".to_owned()],
        Event::TargetChosen { index } => vec![format!("target {} of the plan", index + 1)],
        Event::Finished {
            outcomes,
            source_probability,
        } => {
            let mut all = vec![format!(
                "the joint is the source of the pain with a probability of {:.0} %",
                100.0 * source_probability
            )];
            all.extend(outcomes.iter().filter_map(|o| {
                let year = o.outcome.shares.last()?;
                Some(format!(
                    "by {}: {:.0} and {:.0} % of the fibres cut; after {:.0} months half of the pain or more is gone in {:.0} % of people",
                    o.law,
                    100.0 * o.outcome.cut_fraction[0],
                    100.0 * o.outcome.cut_fraction[1],
                    year.month,
                    100.0 * year.relief_50
                ))
            }));
            all
        }
        Event::Refused { interlocks } => locks(interlocks)
            .chain(std::iter::once(
                "nothing was done; put it right, or give a reason: COMMAND because REASON".to_owned(),
            ))
            .collect(),
        Event::Overridden { interlocks, reason } => locks(interlocks)
            .map(|text| format!("OVERRIDDEN: {text}"))
            .chain(std::iter::once(format!("reason: {reason}")))
            .collect(),
    }
}
