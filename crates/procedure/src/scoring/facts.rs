//! What is known of a procedure when it is judged.

use serde::{Deserialize, Serialize};

/// One field for each fact; none where it was not done or is not known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProcedureFacts {
    /// True where eligibility was assessed and allowed to go on, false where it was assessed and did not.
    pub eligible: Option<bool>,
    /// Diagnostic blocks before.
    pub blocks: Option<u32>,
    /// Least relief by any of them, percent.
    pub block_relief_percent: Option<f64>,
    /// Informed consent.
    pub consent: Option<bool>,
    /// Return pad and skin checked.
    pub pad_checked: Option<bool>,
    /// Level counted on the pictures.
    pub level_counted: Option<bool>,
    /// Needle at the nerve that was meant.
    pub level_right: Option<bool>,
    /// Last look from behind with the needle in place, before heating.
    pub ap_view: bool,
    /// Oblique look, likewise.
    pub oblique_view: bool,
    /// Lateral look, likewise.
    pub lateral_view: bool,
    /// Angle between active tip and nerve, degrees.
    pub parallel_deg: Option<f64>,
    /// Between active tip and nerve, surface to surface, mm.
    pub gap_mm: Option<f64>,
    /// Times that a vessel, the canal, a hollow, a root or a ramus was met; none where no needle went in.
    pub alarms: Option<u32>,
    /// Changes of direction; none where no needle went in.
    pub redirects: Option<u32>,
    /// Impedance before heating, Ω.
    pub impedance_ohm: Option<f64>,
    /// Threshold of the sensory test, V; none where it was not done or nothing was told.
    pub sensory_threshold_v: Option<f64>,
    /// How far the motor test went, V.
    pub motor_tested_to_v: Option<f64>,
    /// Whether the leg twitched in the last motor test before heating.
    pub leg_twitch: Option<bool>,
    /// Whether multifidus twitched in it.
    pub multifidus_twitch: Option<bool>,
    /// Local anaesthetic through the needle, ml.
    pub anaesthetic_ml: Option<f64>,
    /// From then to heating, s.
    pub anaesthetic_wait_s: Option<f64>,
    /// True where tissue was heated.
    pub heated: bool,
    /// Set temperature, °C; none for drives without one.
    pub set_temperature_c: Option<f64>,
    /// Time at it, s.
    pub held_s: Option<f64>,
    /// Length of the target nerve destroyed, mm.
    pub destroyed_mm: Option<f64>,
    /// Length asked for, mm.
    pub asked_mm: Option<f64>,
    /// Structures harmed that were to be spared, in words; none where no lesion was computed.
    pub harmed: Option<Vec<String>>,
    /// X-ray time and dose noted.
    pub dose_noted: Option<bool>,
    /// Skin at needle and pad looked at afterwards.
    pub skin_after: Option<bool>,
}
