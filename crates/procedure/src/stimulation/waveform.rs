//! From the generator's pulse to the potential in the tissue.
//!
//! Between metal and tissue fluid lies a double layer: a capacitor C beside a resistor R_ct. With the resistance R of the tissue a pulse of
//! constant voltage decays in the tissue with `τ = C (R ∥ R_ct)` and discharges through the generator afterwards; a pulse of constant
//! current keeps its form. For a fibre the potential is cut into pieces of constant level, each the mean of the exact course over its length.

use neurotome_physics::axon::Pulse;
use serde::{Deserialize, Serialize};

use super::StimulationError;

/// What the generator holds during a pulse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The voltage; amplitudes are volts.
    #[default]
    Voltage,
    /// The current; amplitudes are milliamperes.
    Current,
}

impl Output {
    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Voltage => "V",
            Self::Current => "mA",
        }
    }
}

/// A pulse as the generator gives it: the needle is the cathode first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TestPulse {
    /// What is held.
    pub output: Output,
    /// Length of the first phase, ms.
    pub width_ms: f64,
    /// A second phase of the same length and the other sign follows at once.
    pub biphasic: bool,
    /// Pulses a second, Hz.
    pub rate_hz: f64,
}

/// Limits of [`TestPulse`]: shortest and longest phase, ms.
pub const WIDTH_MS: [f64; 2] = [0.1, 3.0];
/// Lowest and highest rate, Hz.
pub const RATE_HZ: [f64; 2] = [0.5, 200.0];

impl TestPulse {
    /// Whether the numbers can be used.
    ///
    /// # Errors
    /// [`StimulationError::Unsound`].
    pub fn check(&self) -> Result<(), StimulationError> {
        let within = |what, value: f64, [low, high]: [f64; 2], unit| {
            if value >= low && value <= high {
                return Ok(());
            }
            Err(StimulationError::Unsound {
                what,
                found: format!("{value} {unit}"),
                expected: format!("{low} to {high} {unit}"),
            })
        };
        within("the pulse", self.width_ms, WIDTH_MS, "ms")?;
        within("the rate", self.rate_hz, RATE_HZ, "Hz")?;
        let phases = if self.biphasic { 2.0 } else { 1.0 };
        if phases * self.width_ms > 0.5 * 1000.0 / self.rate_hz {
            return Err(StimulationError::Unsound {
                what: "the pulse",
                found: format!("{} ms at {} Hz", phases * self.width_ms, self.rate_hz),
                expected: "at most half of the time from pulse to pulse".to_owned(),
            });
        }
        Ok(())
    }
}

/// The electrode's border and the tissue behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Circuit {
    /// Resistance of the tissue, Ω.
    pub tissue_ohm: f64,
    /// Capacitance of the border, µF.
    pub border_uf: f64,
    /// Resistance of the border, Ω.
    pub border_ohm: f64,
}

/// Pieces in a phase of constant voltage.
const PIECES: usize = 5;
/// Pieces of the discharge after the last phase, as multiples of the phase.
const DISCHARGE: [f64; 2] = [0.2, 0.4];

impl Circuit {
    /// Time constant of a constant voltage, ms.
    pub fn time_constant_ms(&self) -> f64 {
        let parallel = self.tissue_ohm * self.border_ohm / (self.tissue_ohm + self.border_ohm);
        1e-3 * self.border_uf * parallel
    }

    /// The course of the potential in the tissue over its resistive size, for a unit amplitude: 1 for one volt at the generator without any
    /// border, and the tissue's resistance in kΩ (so V) for one milliampere. Cathodic is positive here.
    pub fn course(&self, pulse: &TestPulse) -> Pulse {
        self.in_pieces(pulse, PIECES, &DISCHARGE)
    }

    fn in_pieces(&self, pulse: &TestPulse, pieces: usize, discharge: &[f64]) -> Pulse {
        let phases: &[f64] = if pulse.biphasic { &[1.0, -1.0] } else { &[1.0] };
        let width = pulse.width_ms;
        if pulse.output == Output::Current {
            let volts = 1e-3 * self.tissue_ohm;
            return Pulse::new(phases.iter().map(|s| (width, s * volts)).collect());
        }
        let tau = self.time_constant_ms();
        // The border's share of a voltage that lasts.
        let lasting = self.border_ohm / (self.tissue_ohm + self.border_ohm);
        let mut border = 0.0;
        let mut all = Vec::new();
        let stretch = |volts: f64, length: f64, border: &mut f64| {
            let goal = lasting * volts;
            let off = *border - goal;
            let decay = (-length / tau).exp();
            // Mean over the piece of V less the border's voltage.
            let mean = volts - goal - off * tau / length * (1.0 - decay);
            *border = goal + off * decay;
            (length, mean)
        };
        for volts in phases {
            for _ in 0..pieces {
                all.push(stretch(*volts, width / pieces as f64, &mut border));
            }
        }
        for share in discharge {
            all.push(stretch(0.0, share * width, &mut border));
        }
        Pulse::new(all)
    }

    /// Charge through the electrode in the first phase at an amplitude, µC.
    pub fn charge_uc(&self, pulse: &TestPulse, amplitude: f64) -> f64 {
        match pulse.output {
            Output::Current => amplitude * pulse.width_ms,
            Output::Voltage => {
                let tau = self.time_constant_ms();
                let lasting = self.border_ohm / (self.tissue_ohm + self.border_ohm);
                let volt_ms = pulse.width_ms * (1.0 - lasting) + lasting * tau * (1.0 - (-pulse.width_ms / tau).exp());
                1e3 * amplitude * volt_ms / self.tissue_ohm
            }
        }
    }

    /// Current at the start of a pulse, mA.
    pub fn current_ma(&self, output: Output, amplitude: f64) -> f64 {
        match output {
            Output::Current => amplitude,
            Output::Voltage => 1e3 * amplitude / self.tissue_ohm,
        }
    }
}

#[cfg(test)]
mod tests {
    use neurotome_physics::axon::Fibre as _;
    use neurotome_physics::axon::{Criterion, Geometry, GeometrySet, Myelinated, Search, Stimulated};

    use super::*;

    const CIRCUIT: Circuit = Circuit {
        tissue_ohm: 250.0,
        border_uf: 5.6,
        border_ohm: 1e5,
    };

    fn square(output: Output) -> TestPulse {
        TestPulse {
            output,
            width_ms: 1.0,
            biphasic: false,
            rate_hz: 2.0,
        }
    }

    /// Threshold of a 10 µm fibre 2 mm from a point, in the amplitude's unit, for a course.
    fn threshold(course: &Pulse) -> f64 {
        let geometry = Geometry::new(GeometrySet::Table, 10.0).unwrap();
        let fibre = Myelinated::new(geometry, 21, 37.0);
        let places = fibre.places_um();
        let middle = places[fibre.place_of(10)];
        let field: Vec<f64> = places
            .iter()
            .map(|x| -100.0 / (1e-3 * (x - middle)).hypot(2.0))
            .collect();
        let search = Search {
            dt_ms: 0.01,
            tolerance: 0.001,
            guess: 0.5,
            most: 100.0,
        };
        Stimulated::new(&fibre, &field)
            .unwrap()
            .threshold(course, &search, &Criterion::myelinated(21))
            .unwrap()
            .amplitude
    }

    #[test]
    fn few_pieces_and_a_short_discharge_are_enough() {
        let pulse = square(Output::Voltage);
        let few = threshold(&CIRCUIT.course(&pulse));
        let many = threshold(&CIRCUIT.in_pieces(&pulse, 50, &[0.1; 40]));
        assert!((few / many - 1.0).abs() < 0.01, "{few} {many}");
        // And a border that decays raises the threshold.
        let open = Circuit {
            border_uf: 1e6,
            ..CIRCUIT
        };
        let without = threshold(&open.course(&pulse));
        assert!(few > 1.1 * without, "{few} {without}");
    }

    #[test]
    fn a_voltage_decays_and_discharges() {
        // τ is nearly R C = 1.4 ms.
        assert!((CIRCUIT.time_constant_ms() - 1.4).abs() < 0.01);
        let charge = CIRCUIT.charge_uc(&square(Output::Voltage), 1.0);
        let exact = 4.0 * 1.4 * (1.0 - (-1.0f64 / 1.4).exp());
        assert!((charge / exact - 1.0).abs() < 0.01, "{charge} {exact}");
        assert_eq!(CIRCUIT.charge_uc(&square(Output::Current), 2.0), 2.0);
        assert_eq!(CIRCUIT.current_ma(Output::Voltage, 0.5), 2.0);
    }

    #[test]
    fn impossible_pulses_are_refused() {
        for (width_ms, rate_hz) in [(0.0, 2.0), (f64::NAN, 2.0), (4.0, 2.0), (1.0, 0.0), (3.0, 200.0)] {
            let pulse = TestPulse {
                width_ms,
                rate_hz,
                ..square(Output::Voltage)
            };
            let error = pulse.check().unwrap_err().to_string();
            assert!(error.contains("pulse") || error.contains("rate"), "{error}");
        }
    }
}
