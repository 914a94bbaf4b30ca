//! Live fluoroscopy: pulses of a moving machine on a patient who stays.
//!
//! The anatomy's line integrals are kept until C-arm, table or patient move, so that an advancing needle costs only its own pixels and
//! the detector. In the order of the beam: integrals → polychromatic primary → metal, exact, averaged over each pixel → scatter and grid →
//! focal spot → quanta → the detector's blur → electronic noise → averaging of frames → display.

use neurotome_base::{PatientPoint, Volume};
use neurotome_physics::xray::{Attenuation, Image, Noise, Part, Projector, View, ViewError, blur, blur_widely, shade};
use rayon::prelude::*;

use super::{
    CArm, CArmError, DeviceMaterial, Dose, Machine, MachineError, Picture, SoftAndBone, Technique,
    machine::{IODINE, MATERIALS},
    pulse_dose,
};

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FluoroError {
    /// The C-arm cannot stand so.
    #[error(transparent)]
    CArm(#[from] CArmError),
    /// The volume cannot be projected.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The tube cannot work so.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// A setting is out of range.
    #[error("fluoroscopy: {key} = {found}; expected {expected}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// Its value.
        found: f64,
        /// What was expected.
        expected: &'static str,
    },
}

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

/// Window of the display, in the shown quantity: −ln of the signal, or the signal itself with the open beam as 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Window {
    /// From the 1st to the 99.5th percentile of the patient in the open field, without metal and noise.
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
    /// Share of the new frame in the running average: 1 shows single frames.
    pub new_share: f64,
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
                new_share: 0.5,
            },
            metal_samples: 3,
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
        let samples = self.metal_samples;
        setting("metal_samples", samples as f64, (1..=16).contains(&samples), "1 to 16")?;
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

/// A frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Number of the frame, from 0.
    pub number: u64,
    /// What the detector has read, averaged over frames; 1 is the open beam in the middle.
    pub signal: Image,
    /// What the screen shows.
    pub picture: Picture,
    /// Shown quantity of black and white.
    pub black_and_white: [f64; 2],
    /// Charge of the pulse, mAs.
    pub charge_mas: f64,
    /// Dose of the pulse.
    pub dose: Dose,
}

/// What stays while only a needle moves.
#[derive(Debug, Clone)]
struct Anatomy {
    view: View,
    /// Columns and rows that the collimator leaves open.
    open: [std::ops::Range<usize>; 2],
    /// Paths in soft tissue and bone, mm of water.
    base: [Image; 2],
    /// Iodine, mg/cm².
    iodine: Option<Image>,
    /// Open beam at each pixel: inverse square and slant; 0 where collimated.
    beam: Vec<f32>,
    /// Primary without devices.
    primary: Vec<f32>,
    /// Variance over signal, keV.
    ratio: Vec<f32>,
    /// Scatter without grid.
    scatter: Option<Image>,
    /// Mean of the primary in the middle of the field.
    middle: f64,
    /// Percentiles of the primary and scatter behind the grid, as far as the effects let them in: highest and lowest.
    range: [f64; 2],
}

/// Less than this in a ray is air, clothes or the rim of the patient, mm of water.
const PATIENT_MM: f32 = 20.0;

/// A C-arm at work.
#[derive(Debug)]
pub struct Fluoroscope {
    projector: Projector<SoftAndBone, 2>,
    contrast: Option<Projector<Attenuation, 1>>,
    machine: Machine,
    /// The technique asked for; brightness control may raise its voltage.
    technique: Technique,
    noise: Noise,
    arm: CArm,
    target: PatientPoint,
    devices: Vec<Part>,
    settings: Settings,
    anatomy: Option<Anatomy>,
    average: Option<Image>,
    frames: u64,
    total: Dose,
    held: Option<Frame>,
}

impl Fluoroscope {
    /// A machine on a patient: a CT in Hounsfield units, and the point at the isocentre.
    ///
    /// # Errors
    /// [`FluoroError`].
    pub fn new(hu: Volume<f32>, machine: Machine, target: PatientPoint) -> Result<Self, FluoroError> {
        Ok(Self {
            projector: Projector::with_integrand(hu, machine.split)?,
            contrast: None,
            arm: machine.arm(),
            technique: machine.technique,
            machine,
            noise: Noise::new(),
            target,
            devices: Vec::new(),
            settings: Settings::default(),
            anatomy: None,
            average: None,
            frames: 0,
            total: Dose::default(),
            held: None,
        })
    }

    /// The C-arm.
    pub fn arm(&self) -> &CArm {
        &self.arm
    }

    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The point at the isocentre before the table is shifted.
    pub fn target(&self) -> &PatientPoint {
        &self.target
    }

    /// Dose since the start.
    pub fn total(&self) -> &Dose {
        &self.total
    }

    /// The last frame: shown without X-rays while the pedal is up (last image hold).
    pub fn held(&self) -> Option<&Frame> {
        self.held.as_ref()
    }

    /// Moves C-arm, table, collimator or zoom.
    ///
    /// # Errors
    /// [`CArmError`]; the machine then stays where it was.
    pub fn move_arm(&mut self, arm: CArm) -> Result<(), FluoroError> {
        arm.view(&self.target)?.check()?;
        self.arm = arm;
        Ok(())
    }

    /// Lays another point into the isocentre.
    ///
    /// # Errors
    /// [`CArmError`].
    pub fn move_target(&mut self, target: PatientPoint) -> Result<(), FluoroError> {
        self.arm.view(&target)?;
        self.target = target;
        Ok(())
    }

    /// Replaces needles, markers and screws: see [`super::needle_parts`].
    pub fn set_devices(&mut self, parts: Vec<Part>) {
        self.devices = parts;
    }

    /// Replaces the contrast medium: iodine in mg/ml on any grid; none clears it.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn set_contrast(&mut self, iodine_mg_per_ml: Option<Volume<f32>>) -> Result<(), FluoroError> {
        self.contrast = iodine_mg_per_ml.map(Projector::new).transpose()?;
        self.anatomy = None;
        Ok(())
    }

    /// Changes settings.
    ///
    /// # Errors
    /// [`FluoroError::Setting`]; the settings then stay as they were.
    pub fn set(&mut self, settings: Settings) -> Result<(), FluoroError> {
        settings.check()?;
        if settings.effects != self.settings.effects {
            self.anatomy = None;
        }
        self.settings = settings;
        Ok(())
    }

    /// Changes the tube's settings.
    ///
    /// # Errors
    /// [`MachineError`].
    pub fn set_technique(&mut self, technique: super::Technique) -> Result<(), FluoroError> {
        self.machine = self.machine.with_technique(technique)?;
        self.technique = technique;
        self.anatomy = None;
        Ok(())
    }

    /// Where source and detector are.
    ///
    /// # Errors
    /// [`CArmError`].
    pub fn view(&self) -> Result<View, FluoroError> {
        Ok(self.arm.view(&self.target)?)
    }

    /// Paths through soft tissue and bone for the present view, mm of water in the CT's beam.
    ///
    /// # Errors
    /// [`FluoroError`].
    pub fn integrals(&mut self) -> Result<&[Image; 2], FluoroError> {
        Ok(&self.ready()?.base)
    }

    /// One pulse.
    ///
    /// # Errors
    /// [`FluoroError`].
    pub fn frame(&mut self) -> Result<Frame, FluoroError> {
        self.ready()?;
        let settings = self.settings;
        let Some(anatomy) = &self.anatomy else {
            unreachable!("`ready` has just computed it")
        };
        let effects = settings.effects;
        let charge_mas = self.charge_mas(anatomy);
        let (grid_primary, grid_scatter) = self.grid();
        let view = &anatomy.view;
        let pixel_mm = view.column_step_mm.norm();
        let mut signal = Image {
            columns: view.columns,
            rows: view.rows,
            data: anatomy.primary.clone(),
        };
        for shaded in shade::<{ DeviceMaterial::ALL.len() }>(&self.devices, view, settings.metal_samples) {
            let n = shaded.pixel;
            if anatomy.beam[n] <= 0.0 {
                continue;
            }
            let iodine = anatomy.iodine.as_ref().map_or(0.0, |i| i.data[n]);
            let paths: Vec<[f32; MATERIALS]> = shaded
                .paths_mm
                .iter()
                .map(|p| std::array::from_fn(|m| if m == IODINE { iodine } else { p[m] }))
                .collect();
            let base = [anatomy.base[0].data[n], anatomy.base[1].data[n]];
            signal.data[n] = anatomy.beam[n] * self.machine.response.averaged(base, &paths);
        }
        if effects.focal_spot {
            // A square spot's shadow has a deviation of its side over √12, magnified by what lies behind the isocentre.
            let side = self.machine.entry.focal_spot_mm.value * (self.arm.magnification() - 1.0);
            blur(&mut signal, side / 12f64.sqrt() / pixel_mm);
        }
        // Energy that a pixel takes up from the open beam, keV.
        let distance_m = 1e-3 * self.arm.source_detector_mm;
        let open_kev = self.machine.response.open_kev_per_mas_mm2() * charge_mas / (distance_m * distance_m)
            * pixel_mm
            * view.row_step_mm.norm();
        let per_open = (1.0 / open_kev) as f32;
        let (seed, stream, noise) = (settings.seed, 2 * self.frames, &self.noise);
        let columns = view.columns;
        let scatter = anatomy.scatter.as_ref();
        signal.data.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
            let first = row * columns;
            for (k, v) in out.iter_mut().enumerate() {
                let n = first + k;
                let mean = grid_primary * *v + scatter.map_or(0.0, |s| grid_scatter * s.data[n]);
                *v = mean;
                if effects.quantum_noise {
                    let deviation = (mean * anatomy.ratio[n] * per_open).sqrt();
                    *v += deviation * noise.normal(seed, stream, n as u64);
                }
            }
        });
        if effects.detector_blur {
            blur(&mut signal, self.machine.entry.detector_blur_mm.value / pixel_mm);
        }
        if effects.electronic_noise {
            // Stated for a pixel of 0.19 mm; the noise of a larger one grows with its side.
            let deviation = (self.machine.entry.electronic_noise_kev.value * pixel_mm / 0.19) as f32 * per_open;
            signal.data.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
                for (k, v) in out.iter_mut().enumerate() {
                    *v += deviation * noise.normal(seed, stream + 1, (row * columns + k) as u64);
                }
            });
        }
        let share = settings.display.new_share as f32;
        match &self.average {
            Some(old) if share < 1.0 && old.data.len() == signal.data.len() && old.columns == signal.columns => {
                for (new, old) in signal.data.iter_mut().zip(&old.data) {
                    *new = old + share * (*new - old);
                }
            }
            _ => {}
        }
        let black_and_white = window(&settings.display, anatomy.range);
        let picture = show(&signal, &settings.display, black_and_white, &anatomy.open);
        let dose = pulse_dose(&self.machine, &self.arm, charge_mas, settings.pulses_per_s);
        let frame = Frame {
            number: self.frames,
            signal,
            picture,
            black_and_white,
            charge_mas,
            dose,
        };
        self.average = Some(frame.signal.clone());
        self.frames += 1;
        self.total = self.total.plus(&dose);
        self.held = Some(frame.clone());
        Ok(frame)
    }

    /// Shares of primary and scatter that reach the detector.
    fn grid(&self) -> (f32, f32) {
        if self.settings.effects.grid {
            let e = &self.machine.entry;
            (e.grid_primary_ratio.value as f32, e.grid_scatter_ratio.value as f32)
        } else {
            (1.0, 1.0)
        }
    }

    fn charge_mas(&self, anatomy: &Anatomy) -> f64 {
        match self.settings.exposure {
            Exposure::Fixed { charge_mas } => charge_mas,
            Exposure::Automatic => self
                .wanted_mas(anatomy)
                .min(self.machine.entry.max_charge_per_pulse_mas.value),
        }
    }

    /// Charge with which the detector's middle receives its share.
    fn wanted_mas(&self, anatomy: &Anatomy) -> f64 {
        let distance_m = 1e-3 * self.arm.source_detector_mm;
        let open_ngy_per_mas = 1e3 * self.machine.kerma_ugy_per_mas / (distance_m * distance_m);
        // A magnified picture has smaller pixels on the patient: machines give it more dose, here in proportion to zoom.
        let wanted = self.machine.entry.detector_kerma_ngy.value * self.arm.zoom;
        wanted / (open_ngy_per_mas * anatomy.middle.max(1e-9))
    }

    /// Computes what depends on the view, unless it is there.
    fn ready(&mut self) -> Result<&Anatomy, FluoroError> {
        /// Step of brightness control, kV.
        const STEP_KV: f64 = 5.0;
        let view = self.view()?;
        let open = self.arm.open_pixels();
        if !self.anatomy.as_ref().is_some_and(|a| a.view == view && a.open == open) {
            if self.machine.technique != self.technique {
                self.machine = self.machine.with_technique(self.technique)?;
            }
            let (base, iodine) = self.paths(&view)?;
            let mut anatomy = self.light(view, open.clone(), base, iodine);
            while self.settings.exposure == Exposure::Automatic
                && self.wanted_mas(&anatomy) > self.machine.entry.max_charge_per_pulse_mas.value
                && self.machine.technique.kv + STEP_KV <= self.machine.entry.max_tube_voltage_kv.value
            {
                let technique = Technique {
                    kv: self.machine.technique.kv + STEP_KV,
                    ..self.machine.technique
                };
                self.machine = self.machine.with_technique(technique)?;
                anatomy = self.light(view, open.clone(), anatomy.base, anatomy.iodine);
            }
            self.anatomy = Some(anatomy);
        }
        match &self.anatomy {
            Some(anatomy) => Ok(anatomy),
            None => unreachable!("just computed"),
        }
    }

    /// Line integrals of tissue and of contrast medium.
    fn paths(&self, view: &View) -> Result<([Image; 2], Option<Image>), FluoroError> {
        let base = self.projector.integrals(view)?;
        let iodine = match &self.contrast {
            // mg/ml · mm = 0.1 mg/cm²
            Some(contrast) => {
                let mut image = contrast.project(view)?;
                image.data.iter_mut().for_each(|v| *v *= 0.1);
                Some(image)
            }
            None => None,
        };
        Ok((base, iodine))
    }

    /// What the beam makes of these paths.
    fn light(&self, view: View, open: [std::ops::Range<usize>; 2], base: [Image; 2], iodine: Option<Image>) -> Anatomy {
        let count = view.columns * view.rows;
        let columns = view.columns;
        let sdd = self.arm.source_detector_mm;
        let (mut beam, mut primary, mut ratio) = (vec![0.0f32; count], vec![0.0f32; count], vec![0.0f32; count]);
        let response = &self.machine.response;
        beam.par_chunks_mut(columns)
            .zip(primary.par_chunks_mut(columns))
            .zip(ratio.par_chunks_mut(columns))
            .enumerate()
            .for_each(|(row, ((beam, primary), ratio))| {
                let start = view.pixel_mm(0.0, row as f64) - view.source_mm;
                for column in 0..columns {
                    let n = row * columns + column;
                    let thickness = [base[0].data[n], base[1].data[n]];
                    let [depth, kev] = response.depth(thickness);
                    ratio[column] = kev;
                    if !(open[0].contains(&column) && open[1].contains(&row)) {
                        continue;
                    }
                    let ray = start + view.column_step_mm * column as f64;
                    let closeness = sdd * sdd / ray.norm_squared();
                    // Inverse square, and the slant of the ray to the detector.
                    beam[column] = (closeness * closeness.sqrt()) as f32;
                    let left = match iodine.as_ref().map(|i| i.data[n]) {
                        Some(iodine) if iodine > 0.0 => {
                            let mut more = [0.0; MATERIALS];
                            more[IODINE] = iodine;
                            response.sum(thickness, more).0
                        }
                        _ => (-depth).exp(),
                    };
                    primary[column] = beam[column] * left;
                }
            });
        let scatter = self
            .settings
            .effects
            .scatter
            .then(|| self.scatter(&view, &base, &primary));
        let (grid_primary, grid_scatter) = self.grid();
        let total = |n: usize| {
            f64::from(grid_primary * primary[n] + scatter.as_ref().map_or(0.0, |s| grid_scatter * s.data[n]))
        };
        // Every 64th pixel is enough for percentiles; air beside the patient would only narrow the window.
        let mut some: Vec<f64> = Vec::new();
        let mut air: Vec<f64> = Vec::new();
        let (mut sum, mut middle_count) = (0.0, 0.0f64);
        let quarter = |r: &std::ops::Range<usize>| (3 * r.start + r.end) / 4..(r.start + 3 * r.end).div_ceil(4);
        let middle = [quarter(&open[0]), quarter(&open[1])];
        for row in open[1].clone().step_by(8) {
            for column in open[0].clone().step_by(8) {
                let n = row * columns + column;
                let v = total(n);
                let patient = base[0].data[n] + base[1].data[n] > PATIENT_MM;
                if patient {
                    some.push(v);
                } else {
                    air.push(v);
                }
                if patient && middle[0].contains(&column) && middle[1].contains(&row) {
                    sum += v;
                    middle_count += 1.0;
                }
            }
        }
        if some.is_empty() {
            some = air;
        }
        some.sort_unstable_by(f64::total_cmp);
        let at = |f: f64| {
            some.get((f * (some.len().max(1) - 1) as f64).round() as usize)
                .copied()
                .unwrap_or(1.0)
        };
        let range = [at(0.99), at(0.005)];
        Anatomy {
            view,
            open,
            base,
            iodine,
            beam,
            primary,
            ratio,
            scatter,
            middle: if middle_count > 0.0 { sum / middle_count } else { 1.0 },
            range,
        }
    }

    /// Scatter at the detector, an estimate: in proportion to the primary and the water that it has crossed, more in a wide field, and
    /// spread widely.
    fn scatter(&self, view: &View, base: &[Image; 2], primary: &[f32]) -> Image {
        let e = &self.machine.entry;
        let field = self.arm.field_mm();
        let radius = (field[0] * field[1] / std::f64::consts::PI).sqrt() / self.arm.magnification();
        let filled = 1.0 - (-radius / e.scatter_field_mm.value).exp();
        let per_mm = (e.scatter_per_water_mm.value * filled) as f32;
        let source = Image {
            columns: view.columns,
            rows: view.rows,
            data: primary
                .iter()
                .zip(base[0].data.iter().zip(&base[1].data))
                .map(|(p, (soft, bone))| p * per_mm * (soft + bone))
                .collect(),
        };
        let sigma = e.scatter_spread_mm.value / view.column_step_mm.norm();
        blur_widely(&source, sigma, (sigma / 4.0) as usize)
    }
}

/// Shown quantity of black and of white.
fn window(display: &Display, range: [f64; 2]) -> [f64; 2] {
    let quantity = |v: f64| if display.logarithmic { -v.max(1e-6).ln() } else { v };
    let [bright, dark] = match display.window {
        Window::Automatic => range.map(quantity),
        // Dense tissue is high in the logarithm and low in the signal.
        Window::Fixed { level, width } if display.logarithmic => [level - 0.5 * width, level + 0.5 * width],
        Window::Fixed { level, width } => [level + 0.5 * width, level - 0.5 * width],
    };
    if display.inverted {
        [bright, dark]
    } else {
        [dark, bright]
    }
}

fn show(signal: &Image, display: &Display, [black, white]: [f64; 2], open: &[std::ops::Range<usize>; 2]) -> Picture {
    let scale = if white == black {
        0.0
    } else {
        (255.0 / (white - black)) as f32
    };
    let black = black as f32;
    let columns = signal.columns;
    let mut grey = vec![0u8; signal.data.len()];
    grey.par_chunks_mut(columns)
        .zip(signal.data.par_chunks(columns))
        .enumerate()
        .filter(|(row, _)| open[1].contains(row))
        .for_each(|(_, (grey, row))| {
            for (grey, v) in grey[open[0].clone()].iter_mut().zip(&row[open[0].clone()]) {
                let quantity = if display.logarithmic { -v.max(1e-6).ln() } else { *v };
                *grey = ((quantity - black) * scale + 0.5).clamp(0.0, 255.0) as u8;
            }
        });
    Picture {
        columns,
        rows: signal.rows,
        grey,
    }
}
