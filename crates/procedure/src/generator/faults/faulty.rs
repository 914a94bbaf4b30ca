//! A plant in which faults happen.

use super::{
    super::{Plant, Seen, Surroundings},
    Fault, FaultKind, Target,
};
use crate::lesion::LesionError;

/// Thermal resistance of tissue at a breach, K/W, and its time constant, s.
const BREACH_K_PER_W: f64 = 12.0;
const BREACH_S: f64 = 4.0;
/// What an open thermocouple's converter is driven to, °C.
const OPEN_C: f64 = 400.0;

/// What takes a plant on with voltages for a time.
pub type Step<'a, P> = &'a mut dyn FnMut(&mut P, &[f64], f64) -> Result<(), LesionError>;

/// A plant in which a fault happens: between generator and tissue, in the tissue, or in the sensors.
#[derive(Debug, Clone)]
pub struct Faulty<P> {
    inner: P,
    /// The last one that is there counts.
    faults: Vec<Fault>,
    /// Share of the coolant's flow that its pump gives.
    pump_fraction: f64,
    seen: Seen,
    /// Warmth of tissue at a breach, of a second source, °C above what it would be.
    extra_c: f64,
    first_c: Vec<f64>,
    sunk: f64,
    /// Share of the flow and warmth that the coolant has, °C.
    coolant: (f64, f64),
}

impl<P: Target> Faulty<P> {
    /// The plant with faults, or sound.
    pub fn new(inner: P, faults: Vec<Fault>) -> Self {
        let seen = inner.seen().clone();
        let first_c = seen.thermocouples_c.clone();
        let mut all = Self {
            inner,
            faults,
            pump_fraction: 1.0,
            seen,
            extra_c: 0.0,
            first_c,
            sunk: 0.0,
            coolant: (1.0, 0.0),
        };
        all.look(None, &[]);
        all
    }

    /// The tissue behind it.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// The tissue alone.
    pub fn into_inner(self) -> P {
        self.inner
    }

    /// The faults, those to come and those gone too.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// One more fault.
    pub fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The pump of the coolant gives this share of what is needed, from the next step on.
    pub fn set_pump(&mut self, fraction: f64) {
        self.pump_fraction = fraction.max(0.0);
    }

    /// The fault that is there now.
    pub fn now(&self) -> Option<Fault> {
        let t_s = self.inner.seen().t_s;
        self.faults.iter().rev().find(|f| f.is_there(t_s)).copied()
    }

    /// What the generator senses besides.
    pub fn surroundings(&self) -> Surroundings {
        let mut s = Surroundings {
            coolant_flow_fraction: self.pump_fraction,
            ..Surroundings::default()
        };
        let Some(f) = self.now() else { return s };
        match f.kind {
            FaultKind::PadMissing => s.pad_ohm = 1e9,
            FaultKind::PadHalfOff => s.pad_ohm *= f.size,
            FaultKind::CoolantStopped => s.coolant_flow_fraction *= f.size,
            FaultKind::CoolantWarm => s.coolant_warmer_c = f.size,
            FaultKind::ThermocoupleStuck => s.frozen_needle = Some(self.needle(f.channel)),
            FaultKind::PowerLoss => s.mains = false,
            _ => {}
        }
        s
    }

    fn needle(&self, channel: usize) -> usize {
        channel * self.first_c.len() / self.inner.channels()
    }

    /// Series and parallel resistance of a channel, Ω.
    fn circuit(&self, k: usize, fault: Option<Fault>) -> (f64, f64) {
        let tissue = self.inner.seen().impedance_ohm[k];
        match fault {
            Some(f) if f.channel == k || matches!(f.kind, FaultKind::PadMissing | FaultKind::PadHalfOff) => {
                f.circuit(tissue)
            }
            _ => (0.0, f64::INFINITY),
        }
    }

    /// What is seen at the sockets, of the voltages there.
    fn look(&mut self, fault: Option<Fault>, volts: &[f64]) {
        let true_seen = self.inner.seen();
        let mut seen = true_seen.clone();
        let after = self.now();
        for k in 0..seen.impedance_ohm.len() {
            let (series, beside) = self.circuit(k, after);
            let whole = series + true_seen.impedance_ohm[k];
            seen.impedance_ohm[k] = 1.0 / (1.0 / whole + 1.0 / beside);
            if let Some(v) = volts.get(k) {
                seen.voltage_v[k] = *v;
            }
            if let (Some(f), Some(v)) = (fault, volts.get(k)) {
                let (series, beside) = self.circuit(k, Some(f));
                seen.current_a[k] = v / (series + true_seen.impedance_ohm[k]) + v / beside;
            }
        }
        if let Some(f) = after {
            self.disturb(&mut seen, &f);
        }
        self.seen = seen;
    }

    /// What thermocouples show and how hot it is where.
    fn disturb(&self, seen: &mut Seen, f: &Fault) {
        let i = self.needle(f.channel);
        let c = seen.thermocouples_c[i];
        let since = seen.t_s - f.onset_s;
        match f.kind {
            FaultKind::ThermocoupleOpen => seen.thermocouples_c[i] = OPEN_C,
            FaultKind::ThermocoupleShort => seen.thermocouples_c[i] = f.size,
            FaultKind::ThermocoupleReversed => seen.thermocouples_c[i] = 2.0 * f.size - c,
            FaultKind::ThermocoupleDrifting => seen.thermocouples_c[i] = c - f.size * since,
            FaultKind::ThermocoupleWrongChannel => {
                let per = self.first_c.len() / self.inner.channels();
                if self.inner.channels() > 1 {
                    seen.thermocouples_c.swap(i, (i + per) % self.first_c.len());
                } else {
                    seen.thermocouples_c[i] = self.first_c[i];
                }
            }
            FaultKind::OverTemperature | FaultKind::RiseTooFast => {
                seen.thermocouples_c[i] += self.extra_c;
                seen.hottest_c = seen.hottest_c.max(seen.thermocouples_c[i]);
            }
            FaultKind::SetPointNotReached => {
                seen.thermocouples_c[i] -= self.sunk * (c - self.first_c[i]);
            }
            FaultKind::InsulationBreach => seen.hottest_c = seen.hottest_c.max(37.0 + self.extra_c),
            _ => {}
        }
    }
}

impl<P: Target> Plant for Faulty<P> {
    fn channels(&self) -> usize {
        self.inner.channels()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        self.advance_by(volts, dt_s, &mut |inner, volts, dt_s| inner.advance(volts, dt_s))
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl<P: Target> Faulty<P> {
    /// Goes on as [`Plant::advance`]; `step` takes the tissue on.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn advance_by(&mut self, volts: &[f64], dt_s: f64, step: Step<'_, P>) -> Result<(), LesionError> {
        let fault = self.now();
        let mut there = volts.to_vec();
        let mut socket = volts.to_vec();
        for k in 0..there.len().min(self.inner.channels()) {
            if let Some(f) = fault
                && f.kind == FaultKind::OutputError
                && f.channel == k
            {
                socket[k] *= 1.0 + f.size;
            }
            let tissue = self.inner.seen().impedance_ohm[k];
            let (series, _) = self.circuit(k, fault);
            there[k] = socket[k] * tissue / (series + tissue);
        }
        if let Some(f) = fault {
            self.follow(&f, &socket, dt_s);
        }
        self.cool(fault)?;
        step(&mut self.inner, &there, dt_s)?;
        self.look(fault, &socket);
        Ok(())
    }

    /// Tells the tissue when pump or coolant have changed.
    fn cool(&mut self, fault: Option<Fault>) -> Result<(), LesionError> {
        let coolant = match fault {
            Some(f) if f.kind == FaultKind::CoolantStopped => (self.pump_fraction * f.size, 0.0),
            Some(f) if f.kind == FaultKind::CoolantWarm => (self.pump_fraction, f.size),
            _ => (self.pump_fraction, 0.0),
        };
        if coolant != self.coolant {
            self.inner.set_coolant(coolant.0, coolant.1)?;
            self.coolant = coolant;
        }
        Ok(())
    }

    /// What grows with time while a fault is there.
    fn follow(&mut self, f: &Fault, socket: &[f64], dt_s: f64) {
        match f.kind {
            FaultKind::OverTemperature => self.extra_c += (f.size - self.extra_c) * (dt_s / 1.0).min(1.0),
            FaultKind::RiseTooFast => self.extra_c = (self.extra_c + f.size * dt_s).min(60.0),
            FaultKind::SetPointNotReached => self.sunk += (f.size - self.sunk) * (dt_s / 3.0).min(1.0),
            FaultKind::InsulationBreach => {
                let power = socket.get(f.channel).map_or(0.0, |v| v * v / f.size.max(1.0));
                self.extra_c += (power * BREACH_K_PER_W - self.extra_c) * (dt_s / BREACH_S).min(1.0);
            }
            _ => {}
        }
    }
}
