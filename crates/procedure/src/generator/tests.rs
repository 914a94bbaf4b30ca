//! The generator on the cheap plant.

use super::{faults::*, program::*, *};
use crate::catalog::GeneratorEntry;

#[derive(serde::Deserialize)]
struct File {
    generator: Vec<GeneratorEntry>,
}

pub(super) fn profile() -> Profile {
    let text = include_str!("../../../../catalog/generators.toml");
    let file: File = toml::from_str(text).unwrap();
    Profile::from_entry(&file.generator[0]).unwrap()
}

#[test]
fn look() {
    for kind in campaign::Kind::ALL {
        let mut p = campaign::MakePlant::make(&campaign::LumpedPlants, *kind, 1).unwrap();
        let mut g = Generator::new(profile(), 1, 1).unwrap();
        g.start(kind.program(60.0)).unwrap();
        let t = std::time::Instant::now();
        while !g.finished() {
            g.step(&mut p).unwrap();
        }
        println!("{kind:?} {:?} steps {} in {:?}", g.state(), g.curves().len(), t.elapsed());
        for r in g.curves().iter().step_by(50) {
            let c = &r.channels[0];
            println!("  {:.1} {:?} {:.1} {:.1} V {:.2} W {:?} {} set {:?}", r.t_s, c.temperature_c, c.impedance_ohm, c.voltage_v, c.power_w, c.limit, c.pulses, c.set_c);
        }
        for e in g.events() { println!("   {} {}", e.t_s, e.text); }
    }
}

#[test]
fn all_faults() {
    let c = campaign::Campaign {
        title: String::new(), generator: String::new(), modes: campaign::Kind::ALL.to_vec(), channels: vec![1, 2],
        onsets_s: vec![0.0, 8.0, 40.0], seeds: vec![1], heat_s: 60.0, faultless_seeds: 3, faults: vec![],
    };
    let t = std::time::Instant::now();
    let out = campaign::carry_out(&profile(), &c, &campaign::LumpedPlants, &|| true).unwrap();
    println!("{} runs {:?}", out.runs.len() + out.faultless.len(), t.elapsed());
    for r in out.bad() {
        println!("{:?} {} ch {:?} rule {:?} meant {} lat {:?}/{} false {} safe {} ended {} hot {:.1} exc {:.1}", r.case.mode, r.case.channels, r.case.fault.map(|f| (f.kind, f.onset_s)), r.rule, r.meant, r.latency_s, r.limit_s, r.false_alarms, r.safe, r.ended, r.hottest_c, r.excess_c);
    }
}
