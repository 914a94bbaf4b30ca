//! The generator's curves as small multiples.

use neurotome_procedure::lesion::Drive;

use super::{
    Scene,
    plot::{Curve, Plot, WIDE_PX, plots},
    style::{ACTIVE_TIP, INK, ISO_60, Rgb},
};
use crate::results::{ResultsError, end_of_heating};

pub(crate) const SLATE: Rgb = [62, 76, 96];

/// Temperature, power, impedance, voltage and current against time.
pub(crate) fn curves(scene: &Scene<'_>) -> Result<Vec<u8>, ResultsError> {
    let c = &scene.run.result.curves;
    let t = c.t_s.as_slice();
    let mut temperature = vec![
        Curve::line("hottest tissue", ISO_60, t, &c.max_tissue_c),
        Curve {
            width: 3.0,
            ..Curve::line("thermocouple in the tip", ACTIVE_TIP, t, &c.thermocouple_c)
        },
    ];
    if matches!(scene.run.problem.drive, Drive::Temperature { .. }) {
        // After the current is off nothing is set.
        let steps = end_of_heating(scene.run.problem, c).map_or(0, |i| i + 1);
        temperature.push(Curve {
            dash: "7 5",
            width: 1.8,
            ..Curve::line("set", INK, t, &c.set_temperature_c[..steps])
        });
    }
    // Heating is shaded, so that it need not be guessed when the current stopped.
    let plain = Plot {
        along: "time in s",
        spans: vec![[0.0, scene.run.problem.heating_s]],
        ..Plot::default()
    };
    let one = |title, values, from_zero| Plot {
        title,
        from_zero,
        curves: vec![Curve::line("", SLATE, t, values)],
        ..plain.clone()
    };
    let all = [
        Plot {
            title: "Temperature in °C",
            curves: temperature,
            ..plain.clone()
        },
        one("Power in the tissue in W", c.power_w.as_slice(), true),
        one("Impedance in Ω", &c.impedance_ohm, false),
        one("Voltage in V", &c.voltage_v, true),
        one("Current in A", &c.current_a, true),
    ];
    plots(
        "What the generator did, and what the tissue felt",
        "Shaded: current on. Volts and amperes are root-mean-square values.",
        &all,
        WIDE_PX,
    )
}
