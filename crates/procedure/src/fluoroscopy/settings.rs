//! What a user sets of the screening: what the picture holds, exposure, display.

use super::FluoroError;

/// What the simulated picture holds; each can be switched off. Beam hardening is a matter of [`super::Technique`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effects {
    /// Scatter from the patient.
    pub scatter: bool,
    /// An anti-scatter grid, which takes of the primary too.
    pub grid: bool,
    /// Penumbra of the focal spot.
    pub focal_spot: bool,
    /// Spread of light in the scintillator.
    pub detector_blur: bool,
    /// Finite number of photons.
    pub quantum_noise: bool,
    /// Noise of the electronics.
    pub electronic_noise: bool,
}

impl Effects {
    /// All.
    pub const ALL: Self = Self {
        scatter: true,
        grid: true,
        focal_spot: true,
        detector_blur: true,
        quantum_noise: true,
        electronic_noise: true,
    };
    /// None: the sharp primary alone.
    pub const NONE: Self = Self {
        scatter: false,
        grid: false,
        focal_spot: false,
        detector_blur: false,
        quantum_noise: false,
        electronic_noise: false,
    };
}

/// Charge of a pulse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exposure {
    /// Automatic brightness control: as much as the detector's middle needs behind this patient; where the tube's charge does not reach,
    /// the voltage rises in steps of 5 kV.
    Automatic,
    /// A fixed charge, mAs.
    Fixed {
        /// Charge, mAs.
        charge_mas: f64,
    },
}

/// Window of the display, in the shown quantity: −ln of the equalised signal, or that signal itself with the open beam as 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Window {
    /// From the 0.5th to the 99th percentile of the measuring field, the middle half of the open field, without metal and noise; wider where
    /// more than three tenths of the patient would be white.
    Automatic,
    /// Level and width.
    Fixed {
        /// Middle.
        level: f64,
        /// From black to white.
        width: f64,
    },
}

/// How a frame is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Display {
    /// Show −ln of the signal rather than the signal.
    pub logarithmic: bool,
    /// Window.
    pub window: Window,
    /// Bone white instead of black.
    pub inverted: bool,
    /// Share of the new frame in the running average: 1 shows single frames. The average begins anew when the view changes.
    pub new_share: f64,
    /// Share of the slow changes of depth across the picture that is taken away, 0 to 0.9: what is thick and what is thin are seen at once,
    /// as machines show them; 0 shows the signal as it is.
    pub equalised: f64,
}

/// All settings of the screening.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Pulses a second, 1 to 30.
    pub pulses_per_s: f64,
    /// Seed of the noise.
    pub seed: u64,
    /// What the picture holds.
    pub effects: Effects,
    /// Charge of a pulse.
    pub exposure: Exposure,
    /// Display.
    pub display: Display,
    /// Rays along each side of a pixel that metal shades.
    pub metal_samples: usize,
    /// Voxels, mm, from which the first picture after a movement of C-arm, table or target is made; the next at the same place and the
    /// held one come from the whole volume. None: every picture comes from the whole volume.
    pub moving_voxel_mm: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pulses_per_s: 8.0,
            seed: 1,
            effects: Effects::ALL,
            exposure: Exposure::Automatic,
            display: Display {
                logarithmic: true,
                window: Window::Automatic,
                inverted: false,
                new_share: 0.3,
                equalised: 0.7,
            },
            metal_samples: 3,
            moving_voxel_mm: None,
        }
    }
}

impl Settings {
    /// Checks ranges.
    ///
    /// # Errors
    /// [`FluoroError::Setting`].
    pub fn check(&self) -> Result<(), FluoroError> {
        let setting = |key, found: f64, holds: bool, expected| {
            if holds {
                Ok(())
            } else {
                Err(FluoroError::Setting { key, found, expected })
            }
        };
        let rate = self.pulses_per_s;
        setting("pulses_per_s", rate, (1.0..=30.0).contains(&rate), "1 to 30")?;
        let share = self.display.new_share;
        setting("new_share", share, share > 0.0 && share <= 1.0, "above 0, at most 1")?;
        let equalised = self.display.equalised;
        setting("equalised", equalised, (0.0..=0.9).contains(&equalised), "0 to 0.9")?;
        let samples = self.metal_samples;
        setting("metal_samples", samples as f64, (1..=16).contains(&samples), "1 to 16")?;
        if let Some(mm) = self.moving_voxel_mm {
            setting("moving_voxel_mm", mm, (0.1..=10.0).contains(&mm), "0.1 to 10")?;
        }
        if let Exposure::Fixed { charge_mas } = self.exposure {
            setting(
                "charge_mas",
                charge_mas,
                charge_mas > 0.0 && charge_mas.is_finite(),
                "a finite charge above zero",
            )?;
        }
        if let Window::Fixed { level, width } = self.display.window {
            setting("window level", level, level.is_finite(), "a finite level")?;
            setting(
                "window width",
                width,
                width > 0.0 && width.is_finite(),
                "a finite width above zero",
            )?;
        }
        Ok(())
    }
}
