//! States, commands, surroundings, the log and errors of the machine.

use serde::{Deserialize, Serialize};

use super::MAX_CHANNELS;
use crate::{
    generator::{Program, program::Stimulation, watch::Rule},
    lesion::LesionError,
};

/// Why a generator does not do what it is told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// Wrong number of channels.
    #[error("generator: {found} channels; expected 1 to {MAX_CHANNELS}; choose fewer")]
    Channels {
        /// As given.
        found: usize,
    },
    /// A program that it cannot carry out.
    #[error("generator: program: {key} is {found}; expected {expected}; correct the program")]
    Program {
        /// Key of the program.
        key: &'static str,
        /// Value found.
        found: f64,
        /// What was expected.
        expected: String,
    },
    /// A command that does not fit the state.
    #[error("generator: {command} while {state:?}; expected {expected}; do that first")]
    Refused {
        /// The command.
        command: &'static str,
        /// The state.
        state: State,
        /// What was expected.
        expected: &'static str,
    },
    /// A plant that does not fit.
    #[error(
        "generator: a plant with {channels} channels and {needles} thermocouples; expected {expected}; connect the right electrodes"
    )]
    Plant {
        /// Its channels.
        channels: usize,
        /// Its thermocouples.
        needles: usize,
        /// What was expected.
        expected: String,
    },
    /// The plant failed.
    #[error(transparent)]
    Lesion(#[from] LesionError),
}

/// State of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is armed.
    Idle,
    /// Ready to start.
    Armed,
    /// Impedance, temperature and pad are checked before output.
    Checking,
    /// Radiofrequency on.
    Running,
    /// Output off, the program's clock stands.
    Paused,
    /// Heating is over, readings are shown.
    PostHeat,
    /// The program is over.
    Done,
    /// Test stimulation.
    Stimulating,
    /// An alarm has switched the output off.
    Alarm,
    /// Mains lost in a lesion, or back and not yet resumed.
    Interrupted,
    /// Emergency stop pressed, not yet reset.
    Emergency,
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Set the program.
    Load(Program),
    /// Make ready.
    Arm,
    /// Undo that.
    Disarm,
    /// Start the program.
    Start,
    /// Output off, go on later.
    Pause,
    /// Go on after a pause or a loss of mains.
    Resume,
    /// End the program.
    Stop,
    /// Stimulate.
    Stimulate(Stimulation),
    /// Acknowledge an alarm.
    Acknowledge,
    /// Press the emergency stop.
    EmergencyStop,
    /// Release it.
    Reset,
}

/// What a generator senses besides the electrodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Mains there.
    pub mains: bool,
    /// Impedance between the halves of the return pad, Ω; infinite without a pad.
    pub pad_ohm: f64,
    /// Flow of coolant over what is asked for.
    pub coolant_flow_fraction: f64,
    /// How much warmer than asked for the coolant is, °C.
    pub coolant_warmer_c: f64,
    /// A needle whose converter returns its last value.
    pub frozen_needle: Option<usize>,
}

impl Default for Surroundings {
    /// All is well.
    fn default() -> Self {
        Self {
            mains: true,
            pad_ohm: 70.0,
            coolant_flow_fraction: 1.0,
            coolant_warmer_c: 0.0,
            frozen_needle: None,
        }
    }
}

/// Kind of an entry in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A change of state.
    State(State),
    /// A rule has found something.
    Alarm(Rule),
    /// A channel has begun a stage.
    Stage(usize),
    /// A channel has ended.
    ChannelDone,
    /// Mains are back.
    MainsBack,
}

/// An entry in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Time since switching on, s.
    pub t_s: f64,
    /// Channel, where it concerns one.
    pub channel: Option<usize>,
    /// What happened.
    pub kind: EventKind,
    /// In words.
    pub text: String,
}
