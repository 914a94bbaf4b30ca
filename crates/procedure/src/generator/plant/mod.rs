//! What lies between the generator's sockets: electrodes in tissue, and the return pad.

mod apart;
mod fit;
mod identify;
mod nonnegative;
mod reduced;
mod solved;

pub use apart::Apart;
pub use fit::{FitError, FitSettings, distance, fit};
pub use identify::{NeedleCoolant, Sample, Sampled, held_out, identify, reference_v2};
pub use reduced::{CoolantLoop, LONGEST_STEP_S, ReducedError, ReducedModel, ReducedPlant, Response, StatedError};

pub use solved::{MACRO_STEP_S, SolvedError, SolvedPlant};

use crate::lesion::LesionError;

/// Electrodes in tissue as a generator meets them. One channel is one voltage against the return pad (or between a bipolar pair).
pub trait Plant {
    /// Channels.
    fn channels(&self) -> usize;

    /// Goes on by `dt_s` seconds with the channels' voltages (V rms, one a channel, zero: off) held.
    ///
    /// # Errors
    /// [`LesionError`], of a plant that solves fields.
    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError>;

    /// What is there now, without noise, lag or rounding.
    fn seen(&self) -> &Seen;
}

/// The plant's true state at its sockets.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Time, s.
    pub t_s: f64,
    /// Thermocouple of each needle, °C.
    pub thermocouples_c: Vec<f64>,
    /// Impedance of each channel, Ω; known while nothing flows too, as of a test current.
    pub impedance_ohm: Vec<f64>,
    /// Voltage at the socket of each channel during the last step, V rms.
    pub voltage_v: Vec<f64>,
    /// Current of each channel during the last step, A rms.
    pub current_a: Vec<f64>,
    /// Power in the tissue during the last step, all channels, W.
    pub power_w: f64,
    /// Hottest tissue, °C; no instrument shows it.
    pub hottest_c: f64,
}

#[cfg(test)]
mod tests;
