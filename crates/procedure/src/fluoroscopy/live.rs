//! Live fluoroscopy: pulses of a moving machine on a patient who stays.
//!
//! The anatomy's line integrals are kept until C-arm, table or patient move, so that an advancing needle costs only its own pixels and
//! the detector. In the order of the beam: integrals → polychromatic primary → metal, exact, averaged over each pixel → scatter and grid →
//! focal spot → quanta → the detector's blur → electronic noise → averaging of frames → display.

use neurotome_base::{PatientPoint, Volume};
use neurotome_physics::xray::{Image, Noise, Part, Projector, View, ViewError, blur, shade};
use rayon::prelude::*;

use super::{
    CArm, CArmError, Contrast, DeviceMaterial, Dose, Exposure, Machine, MachineError, Picture, Settings, SoftAndBone,
    TableTop, Technique,
    display::{show, window},
    machine::{IODINE, MATERIALS},
    pulse_dose,
    still::{Still, add_table, grid},
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

/// A frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Number of the frame, from 0.
    pub number: u64,
    /// Where source and detector were.
    pub view: View,
    /// What the detector has read, averaged over frames; 1 is the open beam in the middle.
    pub signal: Image,
    /// Made from the whole volume, not from averaged voxels.
    pub whole: bool,
    /// The signal with the display's gain ([`super::Display::equalised`]), to which the window is applied.
    pub shown: Image,
    /// What the screen shows.
    pub picture: Picture,
    /// Shown quantity of black and white.
    pub black_and_white: [f64; 2],
    /// Charge of the pulse, mAs.
    pub charge_mas: f64,
    /// Dose of the pulse.
    pub dose: Dose,
}

/// Step of brightness control, kV.
const STEP_KV: f64 = 5.0;

/// A C-arm at work.
#[derive(Debug)]
pub struct Fluoroscope {
    projector: Projector<SoftAndBone, 2>,
    /// The volume in averaged voxels, by their size; none where its own are as large.
    averaged: Option<(f64, Option<Projector<SoftAndBone, 2>>)>,
    contrast: Option<Contrast>,
    table: Option<TableTop>,
    /// The machine as asked for, and with its voltage raised in steps by brightness control, as far as that was needed yet.
    machines: Vec<Machine>,
    /// Steps raised now.
    steps: usize,
    noise: Noise,
    arm: CArm,
    target: PatientPoint,
    devices: Vec<Part>,
    settings: Settings,
    still: Option<Still>,
    frames: u64,
    /// Time since the start, s, with the pedal down or up.
    clock_s: f64,
    total: Dose,
    held: Option<Frame>,
    /// Nothing but the C-arm has changed since the held frame.
    as_held: bool,
}

impl Fluoroscope {
    /// A machine on a patient: a CT in Hounsfield units, and the point at the isocentre.
    ///
    /// # Errors
    /// [`FluoroError`].
    pub fn new(hu: Volume<f32>, machine: Machine, target: PatientPoint) -> Result<Self, FluoroError> {
        Ok(Self {
            projector: Projector::with_integrand(hu, machine.split)?,
            averaged: None,
            contrast: None,
            table: None,
            arm: machine.arm(),
            machines: vec![machine],
            steps: 0,
            noise: Noise::new(),
            target,
            devices: Vec::new(),
            settings: Settings::default(),
            still: None,
            frames: 0,
            clock_s: 0.0,
            total: Dose::default(),
            held: None,
            as_held: false,
        })
    }

    /// The C-arm.
    pub fn arm(&self) -> &CArm {
        &self.arm
    }

    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.machines[self.steps]
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

    /// Time since the start, s.
    pub fn clock_s(&self) -> f64 {
        self.clock_s
    }

    /// Lets time pass with the pedal up: contrast medium goes on spreading. Time does not run backward; what is not above zero changes nothing.
    pub fn wait(&mut self, time_s: f64) {
        if time_s.is_finite() {
            self.clock_s += time_s.max(0.0);
            self.as_held &= time_s <= 0.0;
        }
    }

    /// Moves C-arm, table, collimator or zoom.
    ///
    /// # Errors
    /// [`CArmError`]; the machine then stays where it was.
    pub fn move_arm(&mut self, arm: CArm) -> Result<(), FluoroError> {
        arm.view(&self.target)?.check()?;
        self.as_held &= arm.collimation == self.arm.collimation;
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
        self.as_held = false;
    }

    /// Replaces the contrast medium; none clears it.
    pub fn set_contrast(&mut self, contrast: Option<Contrast>) {
        self.contrast = contrast;
        self.as_held = false;
    }

    /// Puts a table under the patient, or takes it away.
    pub fn set_table(&mut self, table: Option<TableTop>) {
        self.table = table;
        self.as_held = false;
        self.still = None;
    }

    /// Changes settings.
    ///
    /// # Errors
    /// [`FluoroError::Setting`]; the settings then stay as they were.
    pub fn set(&mut self, settings: Settings) -> Result<(), FluoroError> {
        settings.check()?;
        let light = |s: &Settings| (s.effects, s.display.equalised, s.exposure == Exposure::Automatic);
        if light(&settings) != light(&self.settings) {
            self.still = None;
        }
        self.settings = settings;
        self.as_held = false;
        Ok(())
    }

    /// Changes the tube's settings.
    ///
    /// # Errors
    /// [`MachineError`].
    pub fn set_technique(&mut self, technique: super::Technique) -> Result<(), FluoroError> {
        self.machines = vec![self.machines[0].with_technique(technique)?];
        self.as_held = false;
        self.steps = 0;
        self.still = None;
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
        self.ready(true)?;
        Ok(&self.still().base)
    }

    /// One pulse.
    ///
    /// # Errors
    /// [`FluoroError`].
    pub fn frame(&mut self) -> Result<Frame, FluoroError> {
        self.ready(false)?;
        let charge_mas = match self.settings.exposure {
            Exposure::Fixed { charge_mas } => charge_mas,
            Exposure::Automatic => self
                .wanted_mas(self.machine(), self.still())
                .min(self.machine().entry.max_charge_per_pulse_mas.value),
        };
        let signal = self.exposed(self.frames, charge_mas, self.clock_s)?;
        let frame = self.on_screen(self.averaged_with_last(signal), self.frames, charge_mas);
        self.frames += 1;
        self.clock_s += frame.dose.screening_s;
        self.total = self.total.plus(&frame.dose);
        self.held = Some(frame.clone());
        self.as_held = true;
        Ok(frame)
    }

    /// The last frame, held on the screen without X-rays while the pedal is up; none before the first. Where that frame was made from averaged
    /// voxels ([`Settings::moving_voxel_mm`]) and nothing has changed since, it is made again from the whole volume, without a pulse.
    ///
    /// # Errors
    /// [`FluoroError`].
    pub fn hold(&mut self) -> Result<Option<&Frame>, FluoroError> {
        let Some(held) = self.held.clone() else { return Ok(None) };
        if !held.whole && self.as_held && self.view().is_ok_and(|view| view == held.view) {
            self.ready(true)?;
            let again = self.exposed(held.number, held.charge_mas, self.clock_s - held.dose.screening_s)?;
            self.held = Some(self.on_screen(again, held.number, held.charge_mas));
        }
        Ok(self.held.as_ref())
    }

    /// What a pulse of this number, charge and time leaves in the detector at the present place.
    fn exposed(&mut self, number: u64, charge_mas: f64, time_s: f64) -> Result<Image, FluoroError> {
        let view = self.still().view;
        let iodine = match &mut self.contrast {
            Some(contrast) => Some(contrast.at(&view, time_s)?),
            None => None,
        };
        let still = self.still();
        let mut signal = Image {
            columns: view.columns,
            rows: view.rows,
            data: still.primary.clone(),
        };
        self.add_contrast_and_devices(&mut signal, still, iodine.as_ref());
        self.detect(&mut signal, still, number, charge_mas);
        Ok(signal)
    }

    /// The running average of a signal with the last ones, unless the view has changed since.
    fn averaged_with_last(&self, mut signal: Image) -> Image {
        let share = self.settings.display.new_share as f32;
        let view = self.still().view;
        if let Some(last) = self.held.as_ref().filter(|h| share < 1.0 && h.view == view) {
            for (new, old) in signal.data.iter_mut().zip(&last.signal.data) {
                *new = old + share * (*new - old);
            }
        }
        signal
    }

    /// A frame as it is shown.
    fn on_screen(&self, signal: Image, number: u64, charge_mas: f64) -> Frame {
        let (still, display) = (self.still(), &self.settings.display);
        let mut shown = signal.clone();
        shown
            .data
            .par_iter_mut()
            .zip(&still.gain)
            .for_each(|(v, gain)| *v *= gain);
        let black_and_white = window(display, still.range);
        Frame {
            number,
            view: still.view,
            whole: still.whole,
            picture: show(&shown, display, black_and_white, &still.open),
            shown,
            signal,
            black_and_white,
            charge_mas,
            dose: pulse_dose(self.machine(), &self.arm, charge_mas, self.settings.pulses_per_s),
        }
    }

    /// The primary where contrast medium and metal are, summed energy by energy.
    fn add_contrast_and_devices(&self, signal: &mut Image, still: &Still, iodine: Option<&Image>) {
        let response = &self.machine().response;
        let columns = still.view.columns;
        if let Some(iodine) = iodine {
            signal.data.par_chunks_mut(columns).enumerate().for_each(|(row, line)| {
                for (column, v) in line.iter_mut().enumerate() {
                    let n = row * columns + column;
                    if iodine.data[n] > 0.0 && still.beam[n] > 0.0 {
                        let mut more = [0.0; MATERIALS];
                        more[IODINE] = iodine.data[n];
                        *v = still.beam[n] * response.sum(still.paths(n), more).0;
                    }
                }
            });
        }
        let samples = self.settings.metal_samples;
        for shaded in shade::<{ DeviceMaterial::ALL.len() }>(&self.devices, &still.view, samples) {
            let n = shaded.pixel;
            if still.beam[n] <= 0.0 {
                continue;
            }
            let iodine = iodine.map_or(0.0, |i| i.data[n]);
            let paths: Vec<[f32; MATERIALS]> = shaded
                .paths_mm
                .iter()
                .map(|p| std::array::from_fn(|m| if m == IODINE { iodine } else { p[m] }))
                .collect();
            signal.data[n] = still.beam[n] * response.averaged(still.paths(n), &paths);
        }
    }

    /// Focal spot, scatter, grid, quanta, the detector's blur and its electronic noise.
    fn detect(&self, signal: &mut Image, still: &Still, number: u64, charge_mas: f64) {
        let effects = self.settings.effects;
        let view = &still.view;
        let pixel_mm = view.column_step_mm.norm();
        if effects.focal_spot {
            // A square spot's shadow has a deviation of its side over √12, magnified by what lies behind the isocentre.
            let side = self.machine().entry.focal_spot_mm.value * (self.arm.magnification() - 1.0);
            blur(signal, side / 12f64.sqrt() / pixel_mm);
        }
        // Energy that a pixel takes up from the open beam, keV.
        let distance_m = 1e-3 * self.arm.source_detector_mm;
        let open_kev = self.machine().response.open_kev_per_mas_mm2() * charge_mas / (distance_m * distance_m)
            * pixel_mm
            * view.row_step_mm.norm();
        let per_open = (1.0 / open_kev) as f32;
        let (seed, stream, noise) = (self.settings.seed, 2 * number, &self.noise);
        let columns = view.columns;
        let scatter = still.scatter.as_ref();
        let (grid_primary, grid_scatter) = grid(self.machine(), effects);
        signal.data.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
            let first = row * columns;
            for (k, v) in out.iter_mut().enumerate() {
                let n = first + k;
                let mean = grid_primary * *v + scatter.map_or(0.0, |s| grid_scatter * s.data[n]);
                *v = mean;
                if effects.quantum_noise {
                    let deviation = (mean * still.ratio[n] * per_open).sqrt();
                    *v += deviation * noise.normal(seed, stream, n as u64);
                }
            }
        });
        if effects.detector_blur {
            blur(signal, self.machine().entry.detector_blur_mm.value / pixel_mm);
        }
        if effects.electronic_noise {
            // Stated for a pixel of 0.19 mm; the noise of a larger one grows with its side.
            let deviation = (self.machine().entry.electronic_noise_kev.value * pixel_mm / 0.19) as f32 * per_open;
            signal.data.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
                for (k, v) in out.iter_mut().enumerate() {
                    *v += deviation * noise.normal(seed, stream + 1, (row * columns + k) as u64);
                }
            });
        }
    }

    /// Charge with which the detector's middle receives its share.
    fn wanted_mas(&self, machine: &Machine, still: &Still) -> f64 {
        let distance_m = 1e-3 * self.arm.source_detector_mm;
        let open_kev_per_mas_mm2 = machine.response.open_kev_per_mas_mm2() / (distance_m * distance_m);
        // A magnified picture has smaller pixels on the patient: machines give it more dose, here in proportion to zoom.
        let wanted_kev_per_mm2 = machine.entry.detector_kerma_ngy.value * machine.set_kev_per_mm2_ngy * self.arm.zoom;
        wanted_kev_per_mm2 / (open_kev_per_mas_mm2 * still.middle.max(1e-9))
    }

    fn still(&self) -> &Still {
        match &self.still {
            Some(still) => still,
            None => unreachable!("`ready` is called first"),
        }
    }

    /// What was computed for the present place, if anything.
    fn still_here(&self) -> Option<&Still> {
        let view = self.view().ok()?;
        let open = self.arm.open_pixels();
        self.still.as_ref().filter(|s| s.view == view && s.open == open)
    }

    /// Computes what depends on the view, unless it is there: after a movement from averaged voxels where the settings say so; from the whole
    /// volume else, when the same place is exposed again, or when `whole` is wanted.
    fn ready(&mut self, whole: bool) -> Result<(), FluoroError> {
        let here = self.still_here();
        if here.is_some_and(|s| s.whole) {
            return Ok(());
        }
        let moved = here.is_none();
        let averaged_mm = self.settings.moving_voxel_mm.filter(|_| moved && !whole);
        let view = self.view()?;
        let (mut base, is_whole) = match averaged_mm {
            Some(mm) => self.moving(mm, &view)?,
            None => (self.projector.integrals(&view)?, true),
        };
        if let Some(table) = &self.table {
            add_table(&mut base[0], table, &view);
        }
        let automatic = self.settings.exposure == Exposure::Automatic;
        let start = if automatic { self.steps } else { 0 };
        let mut steps = start;
        let mut still = self.lit(steps, view, base, is_whole)?;
        // From the voltage of the last view, since neighbouring views want much the same; the lowest that is enough is taken.
        while automatic && self.is_too_dark(&still, steps) && self.reaches(steps + 1) {
            steps += 1;
            still = self.lit(steps, view, still.base, is_whole)?;
        }
        while automatic && steps > 0 && steps <= start {
            let lower = self.lit(steps - 1, view, still.base.clone(), is_whole)?;
            if self.is_too_dark(&lower, steps - 1) {
                break;
            }
            steps -= 1;
            still = lower;
        }
        self.steps = steps;
        self.still = Some(still);
        Ok(())
    }

    /// The anatomy in the beam some steps of voltage above the one asked for.
    fn lit(&mut self, steps: usize, view: View, base: [Image; 2], whole: bool) -> Result<Still, FluoroError> {
        while self.machines.len() <= steps {
            let technique = Technique {
                kv: self.kv(self.machines.len()),
                ..self.machines[0].technique
            };
            self.machines.push(self.machines[0].with_technique(technique)?);
        }
        Ok(Still::new(
            &self.machines[steps],
            &self.arm,
            &self.settings,
            view,
            base,
            whole,
        ))
    }

    fn kv(&self, steps: usize) -> f64 {
        self.machines[0].technique.kv + STEP_KV * steps as f64
    }

    /// Whether brightness control may rise so far.
    fn reaches(&self, steps: usize) -> bool {
        self.kv(steps) <= self.machines[0].entry.max_tube_voltage_kv.value
    }

    fn is_too_dark(&self, still: &Still, steps: usize) -> bool {
        let machine = &self.machines[steps];
        self.wanted_mas(machine, still) > machine.entry.max_charge_per_pulse_mas.value
    }

    /// Paths from averaged voxels, or from the whole volume where its voxels are as large; and whether they are those of the whole.
    fn moving(&mut self, voxel_mm: f64, view: &View) -> Result<([Image; 2], bool), FluoroError> {
        if self.averaged.as_ref().is_none_or(|(mm, _)| *mm != voxel_mm) {
            self.averaged = Some((voxel_mm, self.projector.averaged(voxel_mm)));
        }
        match &self.averaged {
            Some((_, Some(averaged))) => Ok((averaged.integrals(view)?, false)),
            _ => Ok((self.projector.integrals(view)?, true)),
        }
    }
}
