//! The generator on the cheap plant.

use proptest::prelude::*;

use super::{
    Command, Generator, GeneratorError, Lumped, Plant, Profile, Program, State, Surroundings,
    campaign::{Campaign, Kind, LumpedPlants, MakePlant, SHELLS, carry_out},
    program::Stimulation,
};
use crate::catalog::GeneratorEntry;

#[derive(serde::Deserialize)]
struct File {
    generator: Vec<GeneratorEntry>,
}

fn profile() -> Profile {
    let text = include_str!("../../../../catalog/generators.toml");
    let file: File = toml::from_str(text).unwrap();
    Profile::from_entry(&file.generator[0]).unwrap()
}

#[test]
fn every_fault_is_found_and_none_where_there_is_none() {
    let campaign = Campaign {
        title: String::new(),
        generator: "generic".to_owned(),
        plants: vec![SHELLS.to_owned()],
        modes: Kind::ALL.to_vec(),
        channels: vec![1, 2],
        onsets_s: vec![0.0, 20.0],
        seeds: vec![3],
        heat_s: 60.0,
        faultless_seeds: 5,
        first_faultless_seed: 1000,
        faults: Vec::new(),
    };
    let out = carry_out(&profile(), &campaign, &LumpedPlants, &|| true).unwrap();
    let bad: Vec<String> = out.bad().iter().map(|r| format!("{r:?}")).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn a_saved_generator_goes_on_with_the_same_bytes() {
    let mut plant = Lumped::monopolar(2);
    let mut a = Generator::new(profile(), 2, 9).unwrap();
    a.start(Program::temperature(80.0, 15.0, 20.0)).unwrap();
    for _ in 0..150 {
        a.step(&mut plant).unwrap();
    }
    let mut b: Generator = serde_json::from_str(&serde_json::to_string(&a).unwrap()).unwrap();
    let mut other = plant.clone();
    while !a.finished() {
        a.step(&mut plant).unwrap();
        b.step(&mut other).unwrap();
    }
    assert_eq!(serde_json::to_string(&a).unwrap(), serde_json::to_string(&b).unwrap());
}

#[test]
fn a_short_loss_of_mains_may_be_resumed_and_a_long_one_not() {
    for (lost_s, may) in [(5.0, true), (60.0, false)] {
        let mut plant = Lumped::monopolar(1);
        let mut g = Generator::new(profile(), 1, 2).unwrap();
        g.start(Program::temperature(80.0, 15.0, 30.0)).unwrap();
        let dark = Surroundings {
            mains: false,
            ..Surroundings::default()
        };
        for _ in 0..300 {
            g.step(&mut plant).unwrap();
        }
        for _ in 0..(lost_s / g.interval_s()) as usize {
            g.step_in(&mut plant, &dark).unwrap();
            assert_eq!(plant.seen().power_w, 0.0);
        }
        g.step(&mut plant).unwrap();
        assert_eq!(g.state(), State::Interrupted);
        assert_eq!(g.command(Command::Resume).is_ok(), may);
        while may && !g.finished() {
            g.step(&mut plant).unwrap();
        }
        assert_eq!(g.state() == State::Done, may);
    }
}

#[test]
fn programs_outside_the_limits_are_refused_with_the_key() {
    let mut g = Generator::new(profile(), 1, 1).unwrap();
    let e = g
        .command(Command::Load(Program::temperature(120.0, 15.0, 90.0)))
        .unwrap_err();
    assert!(matches!(e, GeneratorError::Program { key: "set_c", .. }), "{e}");
    assert!(Generator::new(profile(), 9, 1).is_err());
}

fn command() -> impl Strategy<Value = Option<Command>> {
    prop_oneof![
        6 => Just(None),
        1 => (0..Kind::ALL.len()).prop_map(|i| Some(Command::Load(Kind::ALL[i].program(6.0, &LumpedPlants.usual(SHELLS, Kind::Temperature))))),
        2 => Just(Some(Command::Arm)),
        1 => Just(Some(Command::Disarm)),
        2 => Just(Some(Command::Start)),
        1 => Just(Some(Command::Pause)),
        1 => Just(Some(Command::Resume)),
        1 => Just(Some(Command::Stop)),
        1 => (0usize..3, 0.0..12.0).prop_map(|(channel, amplitude_v)| Some(Command::Stimulate(Stimulation {
            rate_hz: 50.0, pulse_s: 1e-3, amplitude_v, ramp_s: 1.0, channel }))),
        1 => Just(Some(Command::Acknowledge)),
        1 => Just(Some(Command::EmergencyStop)),
        1 => Just(Some(Command::Reset)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn output_keeps_its_limits_and_comes_only_when_started(
        commands in prop::collection::vec((command(), 1usize..25, prop::bool::weighted(0.9)), 1..60),
        seed in any::<u64>(),
    ) {
        let p = profile();
        let mut g = Generator::new(p.clone(), 2, seed).unwrap();
        let mut plant = Lumped::monopolar(2);
        for (command, steps, mains) in commands {
            if let Some(c) = command {
                let _ = g.command(c);
            }
            let around = Surroundings { mains, ..Surroundings::default() };
            for _ in 0..steps {
                let before = g.state();
                if g.step_in(&mut plant, &around).is_err() {
                    // Bipolar programs do not fit these electrodes.
                    break;
                }
                let seen = plant.seen();
                for (i, ohm) in seen.current_a.iter().zip(&seen.impedance_ohm) {
                    prop_assert!(*i <= p.max_current_a && i * ohm <= p.max_voltage_v && i * i * ohm <= p.max_power_w);
                }
                if !mains || !matches!(before, State::Running | State::Stimulating) {
                    prop_assert_eq!(seen.power_w, 0.0, "{:?}", before);
                }
            }
        }
    }
}
