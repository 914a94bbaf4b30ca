//! Generators: one list of their keys, from which both the catalogue's entry and the twin's profile are made.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};
use crate::lesion::Limits;

/// Hands the keys of a generator to another macro: those that every entry has and a twin needs; those that every entry has; those that an
/// entry may have; those that it may have and a twin needs.
macro_rules! generator_keys {
    ($then:ident) => {
        $then!(
            [
                /// Largest voltage of a channel, V rms.
                max_voltage_v,
                /// Largest current of a channel, A rms.
                max_current_a,
                /// Largest power of a channel, W.
                max_power_w,
                /// Lowest set temperature, °C.
                min_set_temperature_c,
                /// Highest set temperature, °C.
                max_set_temperature_c,
                /// Control interval: how far one [`crate::generator::Generator::step`] goes, s.
                sampling_s,
            ],
            [
                /// Radiofrequency, kHz.
                frequency_khz,
                /// Usual ramp to the set temperature, s.
                ramp_s,
            ],
            [
                /// Area of the return pad, cm².
                pad_area_cm2,
                /// Thickness of skin under the pad, mm.
                pad_skin_mm,
                /// Thickness of fat under the pad's skin, mm.
                pad_fat_mm,
                /// Temperature of the room, °C.
                room_c,
                /// Coefficient of heat transfer from bare skin to the room, W/(m² K).
                skin_heat_transfer_w_per_m2_k,
            ],
            [
                /// Largest power of all channels together, W.
                max_total_power_w,
                /// Largest change of a channel's power, W/s.
                power_slew_w_per_s,
                /// Time constant of a thermocouple in its needle, s.
                thermocouple_lag_s,
                /// Standard deviation of a temperature reading, °C.
                temperature_noise_c,
                /// Step of the temperature's converter, °C.
                temperature_resolution_c,
                /// Step of the temperature that is displayed, °C.
                temperature_display_c,
                /// Standard deviation of an impedance reading, as a share of it.
                impedance_noise_fraction,
                /// Step of the impedance that is displayed, Ω.
                impedance_display_ohm,
                /// Standard deviation of readings of voltage and current, as a share of them.
                output_noise_fraction,
                /// Impedance from which a circuit counts as open, Ω.
                impedance_open_ohm,
                /// Highest impedance with which it heats, Ω.
                impedance_high_ohm,
                /// Lowest, Ω.
                impedance_low_ohm,
                /// Change of impedance within half a second that stops it, as a share.
                impedance_step_fraction,
                /// Fall of impedance within half a second that suggests broken insulation, as a share.
                insulation_drop_fraction,
                /// Rise of impedance over its lowest in a run that tells of boiling, as a share.
                impedance_rise_fraction,
                /// How far a reading may exceed what is set, °C.
                over_temperature_c,
                /// Fastest rise of a reading, °C/s.
                max_rise_c_per_s,
                /// Lowest reading that a needle in a patient can give, °C.
                lowest_reading_c,
                /// Highest reading that a sound thermocouple can give, °C.
                highest_reading_c,
                /// How far a reading may stay behind what is set while the distance grows, °C; half as far where it is more than 4.5 s of the ramp,
                /// twice as far in any case.
                lag_behind_c,
                /// How long after a ramp what is set must have been reached, s.
                reach_s,
                /// How long a limit may be active before it is told, s.
                limit_active_s,
                /// Growth of the power for a kelvin over its lowest that puts a thermocouple in doubt, as a share.
                doubt_fraction,
                /// Fall of the impedance without a rise of the reading that does so, as a share.
                doubt_impedance_fraction,
                /// The same while neither temperature nor ramp is held, on top of it, as a share.
                doubt_free_fraction,
                /// How far below what such electrodes show the impedance may be before output, as a share.
                insulation_band_fraction,
                /// How far the voltage put out may differ from that asked for, as a share.
                output_error_fraction,
                /// Highest impedance between the halves of the return pad, Ω.
                pad_contact_ohm,
                /// Growth of that impedance since the start that stops it, as a share.
                pad_rise_fraction,
                /// Least flow of coolant, as a share of that asked for.
                coolant_flow_fraction,
                /// How much warmer than asked for coolant may be, °C.
                coolant_warm_c,
                /// Longest loss of power after which a lesion may be resumed, s.
                resume_s,
            ]
        );
    };
}
pub(crate) use generator_keys;

macro_rules! generator_entry {
    (
        [$($(#[$d1:meta])* $limit:ident),* $(,)?],
        [$($(#[$d2:meta])* $always:ident),* $(,)?],
        [$($(#[$d3:meta])* $pad:ident),* $(,)?],
        [$($(#[$d4:meta])* $twin:ident),* $(,)?]
    ) => {
        /// A generator.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct GeneratorEntry {
            /// Name, such as `generic`.
            pub name: String,
            /// What it is, in words.
            pub title: String,
            $($(#[$d1])* pub $limit: Sourced,)*
            $($(#[$d2])* pub $always: Sourced,)*
            $($(#[$d3])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $pad: Option<Sourced>,)*
            $($(#[$d4])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $twin: Option<Sourced>,)*
        }

        entry!(GeneratorEntry, "generator", [$($limit,)* $($always,)*], [$($pad,)* $($twin,)*]);
    };
}

generator_keys!(generator_entry);

impl GeneratorEntry {
    /// The generator's limits.
    pub fn limits(&self) -> Limits {
        Limits {
            voltage_v: self.max_voltage_v.value,
            current_a: self.max_current_a.value,
            power_w: self.max_power_w.value,
        }
    }
}
