//! The unit's C and the Rust plant give the same numbers.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use neurotome_io::{fmu, plants};
use neurotome_procedure::generator::plant::Plant;

/// Steps the C code: reads `steps`, then per step seconds and inputs, and prints all outputs.
const DRIVER: &str = r#"
#include <stdio.h>
#include "fmu_plant.c"
int main(void) {
    Plant *p = fmi3InstantiateCoSimulation("plant", TOKEN, NULL, false, true, false, false, NULL, 0, NULL, NULL, NULL);
    int steps;
    if (!p || scanf("%d", &steps) != 1) return 1;
    fmi3EnterInitializationMode(p, false, 0, 0, false, 0);
    fmi3ExitInitializationMode(p);
    fmi3FMUState kept = NULL;
    for (int n = 0; n < steps; ++n) {
        double dt, v, last;
        bool event, terminate, early;
        if (scanf("%lf", &dt) != 1) return 1;
        for (fmi3ValueReference vr = VR_VOLTAGE; vr < VR_THERMOCOUPLE; ++vr) {
            if (scanf("%lf", &v) != 1) return 1;
            if (fmi3SetFloat64(p, &vr, 1, &v, 1) != fmi3OK) return 1;
        }
        if (fmi3GetFMUState(p, &kept) != fmi3OK) return 1;
        if (fmi3DoStep(p, 0, dt, true, &event, &terminate, &early, &last) != fmi3OK) return 1;
        /* Back and once more: the same. */
        if (n % 7 == 0) {
            fmi3SetFMUState(p, kept);
            if (fmi3DoStep(p, 0, dt, true, &event, &terminate, &early, &last) != fmi3OK) return 1;
        }
        for (fmi3ValueReference vr = VR_THERMOCOUPLE; vr < VR_END; ++vr) {
            if (fmi3GetFloat64(p, &vr, 1, &v, 1) != fmi3OK) return 1;
            printf("%.17g ", v);
        }
        printf("\n");
    }
    fmi3FreeFMUState(p, &kept);
    fmi3FreeInstance(p);
    return 0;
}
"#;

#[test]
fn c_and_rust_agree() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for standard in plants::standard().expect("the standard plants") {
        let plant = fmu::FmuPlant {
            name: standard.name.clone(),
            title: standard.title.clone(),
            model: standard.model.clone(),
        };
        for (name, text) in fmu::sources(&plant).expect("sources") {
            fs::write(folder.path().join(name), text).expect("written");
        }
        let mut rust = standard.plant().expect("a plant");
        let coolants = standard.model.coolants.len();
        let (mut input, mut expected) = (String::from("600\n"), Vec::new());
        for n in 0..600u32 {
            // Unequal steps, pauses, overload, and a coolant that slows and stops.
            let dt = [0.001, 0.0004, 0.05, 0.2][(n % 4) as usize];
            let wave = 12.0 + 10.0 * (f64::from(n) * 0.05).sin();
            let volts: Vec<f64> = (0..rust.channels())
                .map(|k| {
                    if n % 50 < 5 {
                        0.0
                    } else {
                        wave * (1.0 + 0.4 * k as f64) + f64::from(n / 400) * 15.0
                    }
                })
                .collect();
            let flow = [10.0, 4.0, 0.0][(n / 200) as usize];
            let _ = write!(input, "{dt:e}");
            for v in &volts {
                let _ = write!(input, " {v:e}");
            }
            (0..coolants).for_each(|_| input += " 24");
            for _ in 0..coolants {
                let _ = write!(input, " {flow:e}");
            }
            input.push('\n');
            for c in 0..coolants {
                assert!(rust.set_coolant(c, 24.0, flow));
            }
            rust.advance(&volts, dt).expect("no field is solved");
            let seen = rust.seen();
            let mut all = seen.thermocouples_c.clone();
            all.extend(&seen.impedance_ohm);
            all.extend(&seen.current_a);
            all.extend([seen.power_w, seen.hottest_c]);
            expected.push(all);
        }
        for (text, line) in driven(folder.path(), &input).lines().zip(&expected) {
            let found: Vec<f64> = text.split_whitespace().map(|v| v.parse().expect("a number")).collect();
            assert_eq!(found.len(), line.len());
            for (a, b) in found.iter().zip(line) {
                assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-3), "{}: {a} {b}", standard.name);
            }
        }
    }
}

/// Compiles the driver with the unit's sources beside it, and runs it.
fn driven(folder: &Path, input: &str) -> String {
    fs::write(folder.join("driver.c"), DRIVER).expect("written");
    fs::write(folder.join("input.txt"), input).expect("written");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(compiler)
        .current_dir(folder)
        .args([
            "-std=c99",
            "-O2",
            "-ffp-contract=off",
            "-Wall",
            "-Werror",
            "-o",
            "driver",
            "driver.c",
            "-lm",
        ])
        .output()
        .expect("the tests need a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let input = fs::File::open(folder.join("input.txt")).expect("read");
    let run = Command::new(folder.join("driver")).stdin(input).output().expect("runs");
    assert!(run.status.success());
    let text = String::from_utf8(run.stdout).expect("text");
    assert_eq!(text.lines().count(), 600);
    text
}

#[test]
fn the_same_plant_gives_the_same_unit() {
    let standard = plants::find("20G-10mm").expect("a standard plant");
    let plant = fmu::FmuPlant {
        name: standard.name,
        title: standard.title,
        model: standard.model,
    };
    let unit = fmu::pack(&plant, &[]).expect("packed");
    assert_eq!(unit, fmu::pack(&plant, &[]).expect("packed"));
    assert!(unit.starts_with(b"PK"));
    let mut other = plant.clone();
    other.model.initial_c = 36.0;
    assert_ne!(fmu::token(&plant), fmu::token(&other));
}
