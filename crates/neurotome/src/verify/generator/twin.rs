//! The generator twin on the cheap plant.

use neurotome_io::{catalog, plants};
use neurotome_procedure::{
    catalog::find,
    generator::{
        Command, Generator, GeneratorError, Lumped, Mode, Plant, Profile, Program, Seen, State, Surroundings,
        campaign::{Campaign, Kind, SHELLS, carry_out},
        control::Pid,
        program::Until,
    },
    lesion::LesionError,
};

use super::super::Report;

const GOAL: &str = "goal of the generator twin, on shells of heat round the tip";
const FITTED: &str = "goal of the generator twin, on shells of heat and on plants fitted to the full solver";

/// Runs a claim and tells of what went wrong.
fn with(report: &mut Report, claim: &str, work: impl FnOnce(&mut Report, Profile) -> Result<(), GeneratorError>) {
    let profile = catalog::built_in()
        .map_err(|e| e.to_string())
        .and_then(|c| {
            find(&c.generators, "generic")
                .map(Profile::from_entry)
                .ok_or("no generator".to_owned())
        })
        .and_then(|p| p.map_err(str::to_owned));
    match profile {
        Err(e) => report.failed(claim, e, GOAL),
        Ok(profile) => {
            if let Err(e) = work(report, profile) {
                report.failed(claim, e, GOAL);
            }
        }
    }
}

/// Time and true tip temperature while output is on, one a step.
fn tip(g: &mut Generator, plant: &mut Lumped) -> Result<Vec<(f64, f64)>, GeneratorError> {
    let mut all = Vec::new();
    while !g.finished() {
        g.step(plant)?;
        if g.state() == State::Running {
            all.push((g.readings().heating_s, plant.seen().thermocouples_c[0]));
        }
    }
    Ok(all)
}

pub(super) fn temperature(report: &mut Report) {
    with(report, "temperature control", |r, profile| {
        let mut g = Generator::new(profile, 1, 1)?;
        let mut plant = Lumped::monopolar(1);
        g.start(Program::temperature(80.0, 15.0, 60.0))?;
        let all = tip(&mut g, &mut plant)?;
        let top = all.iter().map(|x| x.1).fold(0.0, f64::max);
        r.at_most("overshoot over 80 °C, °C", top - 80.0, 2.0, GOAL);
        let late: Vec<f64> = all.iter().filter(|x| x.0 > 40.0).map(|x| x.1).collect();
        let mean = late.iter().sum::<f64>() / late.len().max(1) as f64;
        r.within("true temperature held after 40 s, °C", mean, 80.0, 0.5, GOAL);
        let settled = all.iter().rev().find(|x| (x.1 - 80.0).abs() > 1.0).map_or(0.0, |x| x.0);
        r.at_most(
            "time until it stays within 1 °C of 80 °C, ramp of 15 s included, s",
            settled,
            22.0,
            GOAL,
        );
        Ok(())
    });
}

fn pulses(voltage_v: f64, until: Until, adapt_c: Option<f64>) -> Program {
    Program::of(Mode::Pulsed {
        pulse_s: 0.02,
        rate_hz: 2.0,
        voltage_v,
        until,
        adapt_c,
        stop_c: 48.0,
    })
}

/// A plant whose energy and time are counted at its sockets, and its largest outputs.
struct Meter {
    plant: Lumped,
    energy_j: f64,
    most: [f64; 3],
}

impl Meter {
    fn on(plant: Lumped) -> Self {
        Self {
            plant,
            energy_j: 0.0,
            most: [0.0; 3],
        }
    }
}

impl Plant for Meter {
    fn channels(&self) -> usize {
        self.plant.channels()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        self.plant.advance(volts, dt_s)?;
        let seen = self.plant.seen();
        self.energy_j += seen.power_w * dt_s;
        for (v, i) in volts.iter().zip(&seen.current_a) {
            for (most, now) in self.most.iter_mut().zip([*v, *i, v * i]) {
                *most = most.max(now);
            }
        }
        Ok(())
    }

    fn seen(&self) -> &Seen {
        self.plant.seen()
    }
}

pub(super) fn pulsed_power(report: &mut Report) {
    with(report, "power of pulses", |r, profile| {
        // At so low a voltage that the impedance stays what it is.
        let mut plant = Meter::on(Lumped::monopolar(1));
        let ohm = plant.seen().impedance_ohm[0];
        let mut g = Generator::new(profile, 1, 1)?;
        g.start(pulses(2.0, Until::Seconds(30.0), None))?;
        while !g.finished() {
            g.step(&mut plant)?;
        }
        let expected = 0.04 * 4.0 / ohm;
        let mean = plant.energy_j / 30.0;
        // The voltage follows from readings of the impedance, whose noise is 0.5 %.
        r.within(
            "mean power of pulses of 2 V, 20 ms, 2 Hz, over duty × V²/R",
            mean / expected,
            1.0,
            0.005,
            "closed form",
        );
        Ok(())
    });
}

pub(super) fn cap_and_dose(report: &mut Report) {
    with(report, "cap and dose of pulses", |r, profile| {
        let mut g = Generator::new(profile.clone(), 1, 1)?;
        let mut plant = Lumped::monopolar(1);
        g.start(pulses(60.0, Until::Seconds(120.0), Some(42.0)))?;
        let top = tip(&mut g, &mut plant)?.iter().map(|x| x.1).fold(0.0, f64::max);
        r.at_most("hottest tip under pulses adapted to 42 °C, °C", top, 42.0, GOAL);
        let mut g = Generator::new(profile, 1, 1)?;
        g.start(pulses(45.0, Until::Pulses(123), None))?;
        tip(&mut g, &mut Lumped::monopolar(1))?;
        let given = f64::from(g.readings().channels[0].pulses);
        r.within("pulses given of a dose of 123", given, 123.0, 0.0, "definition");
        Ok(())
    });
}

pub(super) fn limits_and_windup(report: &mut Report) {
    with(report, "limits", |r, profile| {
        let low = Profile {
            max_power_w: 3.0,
            reach_s: 600.0,
            lag_behind_c: 100.0,
            ..profile
        };
        let program = Program::temperature(80.0, 8.0, 40.0);
        let mut overshoot = [0.0; 2];
        for (anti_windup, over) in [true, false].into_iter().zip(&mut overshoot) {
            let controller = Pid::with_anti_windup(anti_windup);
            let mut g = Generator::with_controller(low.clone(), 1, 1, controller)?;
            let mut plant = Meter::on(Lumped::monopolar(1));
            g.start(program.clone())?;
            while !g.finished() {
                g.step(&mut plant)?;
                *over = f64::max(*over, plant.seen().thermocouples_c[0] - 80.0);
            }
            if anti_windup {
                r.at_most("largest power under a limit of 3 W, W", plant.most[2], 3.0, GOAL);
            }
        }
        r.at_most(
            "overshoot after a limit of power was active, °C",
            overshoot[0],
            2.0,
            GOAL,
        );
        r.at_least(
            "how much more without anti-windup, °C",
            overshoot[1] - overshoot[0],
            0.5,
            GOAL,
        );
        Ok(())
    });
}

pub(super) fn stagger_and_mains(report: &mut Report) {
    with(report, "staggered start and loss of mains", |r, profile| {
        let mut g = Generator::new(profile, 2, 1)?;
        let mut plant = Lumped::monopolar(2);
        g.start(Program::temperature(80.0, 15.0, 30.0))?;
        let mut began = [None; 2];
        for _ in 0..300 {
            g.step(&mut plant)?;
            for (k, b) in began.iter_mut().enumerate() {
                if g.readings().channels[k].on && b.is_none() {
                    *b = Some(g.readings().t_s);
                }
            }
        }
        let apart = began[1].unwrap_or(f64::NAN) - began[0].unwrap_or(f64::NAN);
        r.within(
            "time between the starts of two channels, s",
            apart,
            5.0,
            1e-6,
            "definition",
        );
        let dark = Surroundings {
            mains: false,
            ..Surroundings::default()
        };
        let mut power: f64 = 0.0;
        for _ in 0..50 {
            g.step_in(&mut plant, &dark)?;
            power = power.max(plant.seen().power_w);
        }
        r.at_most("output while mains are lost, W", power, 0.0, GOAL);
        g.step(&mut plant)?;
        g.command(Command::Resume)?;
        let top = tip(&mut g, &mut plant)?.iter().map(|x| x.1).fold(0.0, f64::max);
        let done = if g.state() == State::Done { 1.0 } else { 0.0 };
        r.within(
            "a lesion resumed after 5 s without mains ends (1)",
            done,
            1.0,
            0.0,
            GOAL,
        );
        r.at_most("hottest tip after it was resumed, °C", top, 82.0, GOAL);
        Ok(())
    });
}

pub(super) fn saved(report: &mut Report) {
    with(report, "save and restore", |r, profile| {
        let mut plant = Lumped::monopolar(1);
        let mut a = Generator::new(profile, 1, 5)?;
        a.start(Program::temperature(80.0, 15.0, 10.0))?;
        for _ in 0..120 {
            a.step(&mut plant)?;
        }
        let text = |g: &Generator| serde_json::to_string(g).unwrap_or_default();
        let claim = "steps that differ after a generator was saved and read back";
        let mut b: Generator = match serde_json::from_str(&text(&a)) {
            Ok(b) => b,
            Err(e) => {
                r.failed(claim, e, GOAL);
                return Ok(());
            }
        };
        let mut other = plant.clone();
        let mut differ = 0.0;
        while !a.finished() {
            a.step(&mut plant)?;
            b.step(&mut other)?;
            differ += if a == b { 0.0 } else { 1.0 };
        }
        differ += if text(&a) == text(&b) { 0.0 } else { 1.0 };
        r.within(claim, differ, 0.0, 0.0, "definition");
        Ok(())
    });
}

pub(super) fn campaign(report: &mut Report) {
    with(report, "campaign of faults", |r, profile| {
        let campaign = Campaign {
            title: String::new(),
            generator: "generic".to_owned(),
            plants: [
                SHELLS,
                "18G-10mm",
                "20G-10mm-two-channels",
                "17G-4mm-cooled",
                "20G-10mm-bipolar",
            ]
            .map(str::to_owned)
            .to_vec(),
            modes: Kind::ALL.to_vec(),
            channels: vec![1, 2],
            onsets_s: vec![0.0, 8.0, 40.0],
            seeds: if r.full() { vec![1, 2, 3, 4, 5] } else { vec![1] },
            heat_s: 60.0,
            faultless_seeds: if r.full() { 100 } else { 10 },
            first_faultless_seed: 1000,
            faults: Vec::new(),
        };
        let stop = r.stop;
        let plants = match plants::of_campaigns() {
            Ok(plants) => plants,
            Err(e) => {
                r.failed("campaign of faults", e, GOAL);
                return Ok(());
            }
        };
        let outcome = carry_out(&profile, &campaign, &plants, &|| !stop())?;
        let good = outcome.runs.iter().filter(|x| x.good()).count() as f64;
        r.within(
            "share of runs with a fault in which it is found in time",
            good / outcome.runs.len() as f64,
            1.0,
            0.0,
            FITTED,
        );
        let clean = format!("false alarms in {} runs without a fault", outcome.faultless.len());
        r.within(clean, outcome.false_alarms() as f64, 0.0, 0.0, FITTED);
        Ok(())
    });
}
