//! `neurotome fluoro`.

mod scene;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use neurotome_base::{PatientPoint, Vec3};
use neurotome_io::{
    pictures::{Exposed, dicom_radiofluoroscopic, integrals_volume, npy_f32, png_grey8, png_grey16, write_bytes},
    scenario::{Loaded, Source, hounsfield, table_top},
    volumes::write_nifti_f32,
};
use neurotome_procedure::{
    anatomy::{Level, VertebraFrame},
    catalog::{Catalog, Entry as _},
    fluoroscopy::{
        CArm, CArmError, Collimation, Contrast, Dose, Effects, Fluoroscope, Frame, Injection, Machine, NamedView,
        Settings, Technique, VolumeFacts, Window, aimed_at, explain, looking_along, turned_to, windowed16,
    },
    lesion::Bolus,
};
use serde::Serialize;

use super::{Common, Failure, json_text, open_catalog, open_scenario_before_injection, print, solve};

/// The view in which the first needle is a point.
const ALONG_NEEDLE: &str = "along-needle";

/// Where the C-arm looks.
struct Aim {
    /// The point at the isocentre.
    target: PatientPoint,
    /// The vertebra whose axes the named views keep to.
    vertebra: Option<(Level, VertebraFrame)>,
}

/// Bits of a grey value in a PNG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bits {
    #[value(name = "8")]
    Eight,
    #[value(name = "16")]
    Sixteen,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Fluoro {
    /// Scenario file (TOML). Default: the built-in patient.
    scenario: Option<PathBuf>,
    /// Named view: ap, lateral-left, lateral-right, oblique-left, oblique-right, declined-left, declined-right, foraminal-left,
    /// foraminal-right, or along-needle (the first needle seen end on).
    #[arg(long, value_name = "VIEW", default_value = "ap")]
    view: String,
    /// Vertebra to which the named view belongs: its end plate is squared, and its part on that side lies at the isocentre. Default, where the
    /// vertebrae are known: the one nearest to the tip of the first needle, and that tip at the isocentre.
    #[arg(long, value_name = "LEVEL", conflicts_with = "orbital")]
    level: Option<Level>,
    /// Orbital angle in degrees instead of a named view: 0 over the back, positive with the detector to the patient's left.
    #[arg(long, value_name = "DEG", allow_negative_numbers = true, conflicts_with = "view")]
    orbital: Option<f64>,
    /// Cranio-caudal angle in degrees: positive with the detector to the head; added to that of a named view.
    #[arg(long, value_name = "DEG", allow_negative_numbers = true)]
    tilt: Option<f64>,
    /// Point at the isocentre, LPS mm, as X,Y,Z. Default: that of --level, or the tip of the first needle.
    #[arg(long, value_name = "X,Y,Z", allow_hyphen_values = true)]
    target: Option<String>,
    /// Shift of the table to the patient's left, posterior and superior, mm, as X,Y,Z.
    #[arg(long, value_name = "X,Y,Z", allow_hyphen_values = true)]
    table: Option<String>,
    /// Magnified field: 2 shows the middle half of the detector.
    #[arg(long, value_name = "FACTOR")]
    zoom: Option<f64>,
    /// Width and height that the collimator leaves open on the detector, mm, as W,H.
    #[arg(long, value_name = "W,H")]
    collimate: Option<String>,
    /// Pixels along each side of the picture.
    #[arg(long, value_name = "N")]
    pixels: Option<usize>,
    /// C-arm of the catalogue.
    #[arg(long, value_name = "NAME", default_value = "mobile-flat-30cm")]
    carm: String,
    /// Tube voltage, kV. Default: that of the C-arm.
    #[arg(long, value_name = "KV")]
    kv: Option<f64>,
    /// Pulses a second.
    #[arg(long, value_name = "N", default_value_t = 8.0)]
    pulses: f64,
    /// Frames exposed; the last is shown, a DICOM file holds all.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    frames: u32,
    /// Turn the C-arm by this angle about the body's long axis during the frames, so that it ends where it is told to stand.
    #[arg(long, value_name = "DEG", default_value_t = 0.0, allow_negative_numbers = true)]
    turn: f64,
    /// Advance the needles by this length along their axis during the frames, so that they end in their place.
    #[arg(long, value_name = "MM", default_value_t = 0.0, allow_negative_numbers = true)]
    advance: f64,
    /// Inject this much contrast medium through the first needle during the frames, ml: a bolus that grows round the tip.
    #[arg(long, value_name = "ML")]
    contrast: Option<f64>,
    /// Iodine in the contrast medium, mg/ml.
    #[arg(long, value_name = "MG_PER_ML", default_value_t = 300.0, requires = "contrast")]
    iodine: f64,
    /// Share of the tissue that the contrast medium fills, 0.05 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, requires = "contrast")]
    share: f64,
    /// Seed of the noise.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Spacing at which an anatomy that is no image is sampled, mm.
    #[arg(long, value_name = "MM", default_value_t = 1.0)]
    spacing: f64,
    /// Leave out scatter, grid, blur and noise.
    #[arg(long)]
    plain: bool,
    /// Leave out the table: mattress, carbon fibre top and rails under the patient, who lies prone on it. Of a CT only the patient is shown, never
    /// the scanner's couch.
    #[arg(long)]
    no_table: bool,
    /// Leave out the needles.
    #[arg(long)]
    no_needle: bool,
    /// Show the signal itself, not its logarithm.
    #[arg(long)]
    linear: bool,
    /// Share of the slow changes of depth across the picture that the display takes away, 0 to 0.9; 0 shows the signal as it is. Default: 0.7.
    #[arg(long, value_name = "SHARE")]
    equalised: Option<f64>,
    /// Middle and width of the display's window instead of the automatic one, in −ln of the signal (of the signal with --linear), as L,W.
    #[arg(long, value_name = "L,W", allow_hyphen_values = true)]
    window: Option<String>,
    /// Show bone white.
    #[arg(long)]
    inverted: bool,
    /// Bits of a grey value in a PNG.
    #[arg(long, value_enum, default_value = "8")]
    bits: Bits,
    /// The picture: .png, .dcm (X-ray radiofluoroscopic); or raw line integrals, mm of water: .npy, .nii, .nii.gz.
    #[arg(long, value_name = "FILE", default_value = "view.png")]
    out: PathBuf,
    /// Print C-arm, dose and remarks as JSON.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Told {
    /// The vertebra to which the view belongs.
    level: Option<Level>,
    orbital_deg: f64,
    cranio_caudal_deg: f64,
    source_detector_mm: f64,
    source_isocentre_mm: f64,
    target_mm: [f64; 3],
    kv: f64,
    half_value_layer_mm_aluminium: f64,
    charge_per_pulse_mas: f64,
    dose: Dose,
    /// Where needle tips are seen: column and row of the picture.
    needle_tips_pixel: Vec<Option<[f64; 2]>>,
    remarks: Vec<String>,
}

impl Fluoro {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let catalog = open_catalog(common)?;
        let (source, loaded) = open_scenario_before_injection(self.scenario.as_deref(), &catalog)?;
        let (told, frames) = solve::on_threads(common.threads, || self.expose(&source, &loaded, &catalog))??;
        solve::check_interrupt()?;
        if self.json {
            print(&json_text(&told)?);
        } else if !common.quiet {
            print(&format!(
                "{}orbital {:.1}°, cranio-caudal {:.1}°, {:.0} kV, {:.3} mAs a pulse, {frames} frame(s), {:.2} s\nair kerma {:.3} mGy, dose–area product {:.4} Gy cm², operator about {:.2} µGy at 1 m without lead\n",
                told.level.map_or_else(String::new, |level| format!("{level}: ")),
                told.orbital_deg,
                told.cranio_caudal_deg,
                told.kv,
                told.charge_per_pulse_mas,
                told.dose.screening_s,
                told.dose.air_kerma_mgy,
                told.dose.dose_area_gy_cm2,
                told.dose.operator_ugy,
            ));
            for remark in &told.remarks {
                print(&format!("remark: {remark}\n"));
            }
            print(&format!("Written to {}\n", self.out.display()));
        }
        Ok(())
    }

    fn expose(&self, source: &Source, loaded: &Loaded, catalog: &Catalog) -> Result<(Told, u32), Failure> {
        let input = |e: &dyn std::fmt::Display| Failure::Input(e.to_string());
        let mut machine = Machine::new(catalog, &self.carm).map_err(|e| input(&e))?;
        if let Some(kv) = self.kv {
            let technique = Technique {
                kv,
                ..machine.technique
            };
            machine = machine.with_technique(technique).map_err(|e| input(&e))?;
        }
        let aim = self.aim(source, loaded)?;
        let arm = self.arm(&machine.arm(), loaded, &aim)?;
        let settings = self.settings()?;
        let hu = hounsfield(source, loaded, catalog, &aim.target, self.spacing).map_err(Failure::Input)?;
        let table = table_top(loaded, &machine, &hu).filter(|_| !self.no_table);
        let facts = VolumeFacts::of(&hu);
        let mut scope = Fluoroscope::new(hu, machine, aim.target).map_err(|e| input(&e))?;
        scope.set_table(table);
        scope.set_contrast(self.injected(loaded)?);
        scope.set(settings).map_err(|e| input(&e))?;
        let mut cine = Vec::new();
        let mut last: Option<Frame> = None;
        for n in 0..self.frames {
            solve::check_interrupt()?;
            // What is still to go of turn and advance.
            let rest = 1.0 - f64::from(n + 1) / f64::from(self.frames);
            let turned = CArm {
                orbital_deg: arm.orbital_deg - self.turn * rest,
                ..arm
            };
            scope.move_arm(turned).map_err(|e| input(&e))?;
            if !self.no_needle {
                scope.set_devices(scene::needles(&loaded.problem.needles, self.advance * rest));
            }
            let frame = scope.frame().map_err(|e| input(&e))?;
            if extension(&self.out) == "dcm" {
                cine.push(windowed16(
                    &frame.shown,
                    settings.display.logarithmic,
                    frame.black_and_white,
                ));
            }
            last = Some(frame);
        }
        let frame = last.ok_or_else(|| Failure::Input("no frame was asked for".to_owned()))?;
        let view = scope.view().map_err(|e| input(&e))?;
        self.write(&mut scope, &frame, &cine)?;
        let mut remarks = explain(&facts, &view, &aim.target, Some(&frame));
        let values = scope.machine().entry.values();
        let recalled = values.iter().filter(|(_, v)| !v.verified).count();
        if recalled > 0 {
            remarks.push(format!(
                "{recalled} of {} figures of the C-arm are recalled or assumed: `neurotome catalog carm {}` shows which",
                values.len(),
                self.carm
            ));
        }
        let told = Told {
            level: aim.vertebra.map(|(level, _)| level),
            orbital_deg: arm.orbital_deg,
            cranio_caudal_deg: arm.cranio_caudal_deg,
            source_detector_mm: arm.source_detector_mm,
            source_isocentre_mm: arm.source_isocentre_mm,
            target_mm: aim.target.xyz,
            kv: scope.machine().technique.kv,
            half_value_layer_mm_aluminium: scope.machine().half_value_layer_mm(),
            charge_per_pulse_mas: frame.charge_mas,
            dose: *scope.total(),
            needle_tips_pixel: loaded.problem.needles.iter().map(|n| view.project(&n.tip)).collect(),
            remarks,
        };
        Ok((told, self.frames))
    }

    fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings {
            pulses_per_s: self.pulses,
            seed: self.seed,
            ..Settings::default()
        };
        if self.plain {
            settings.effects = Effects::NONE;
        }
        settings.display.logarithmic = !self.linear;
        settings.display.inverted = self.inverted;
        if let Some(share) = self.equalised {
            settings.display.equalised = share;
        }
        if let Some(text) = &self.window {
            let [level, width] = numbers::<2>("--window", text)?;
            settings.display.window = Window::Fixed { level, width };
        }
        settings.check().map_err(|e| Failure::Input(e.to_string()))?;
        Ok(settings)
    }

    /// Contrast medium injected while the frames are taken.
    fn injected(&self, loaded: &Loaded) -> Result<Option<Contrast>, Failure> {
        let Some(volume_ml) = self.contrast else {
            return Ok(None);
        };
        let injection = Injection {
            bolus: Bolus {
                center: loaded.problem.needles[0].tip,
                volume_ml,
                share: self.share,
            },
            iodine_mg_per_ml: self.iodine,
            // The last frame begins one pulse before the end.
            span_s: [0.0, f64::from(self.frames.max(2) - 1) / self.pulses],
        };
        Contrast::injected(&injection)
            .map(Some)
            .map_err(|e| Failure::Input(e.to_string()))
    }

    /// The named view, unless the C-arm is to look along the needle.
    fn named(&self) -> Result<Option<NamedView>, Failure> {
        if self.view == ALONG_NEEDLE {
            return Ok(None);
        }
        self.view
            .parse()
            .map(Some)
            .map_err(|e: String| Failure::Input(format!("--view: {e}, or {ALONG_NEEDLE}")))
    }

    /// Where to look, and the vertebra whose axes count.
    fn aim(&self, source: &Source, loaded: &Loaded) -> Result<Aim, Failure> {
        let tip = loaded.problem.needles[0].tip;
        let patient = scene::vertebrae(loaded);
        let level = match (self.level, patient) {
            (Some(level), None) => {
                return Err(Failure::Input(format!(
                    "--level {level}: the vertebrae of {} are not known; leave --level out, which turns the C-arm relative to the body, or give a scenario of the built-in patient",
                    source.name
                )));
            }
            (Some(level), Some(_)) => Some(level),
            (None, patient) => patient.and_then(|p| scene::nearest_level(p, &tip)),
        };
        let mut aim = Aim {
            target: tip,
            vertebra: None,
        };
        if let (Some(level), Some(patient)) = (level, patient) {
            let frame = patient.frame(level).ok_or_else(|| {
                let known: Vec<&str> = patient.levels().into_iter().map(Level::name).collect();
                Failure::Input(format!(
                    "--level {level}: {} has no such vertebra; expected one of {}",
                    source.name,
                    known.join(", ")
                ))
            })?;
            aim.vertebra = Some((level, frame));
            if let (Some(level), Some(view)) = (self.level, self.named()?) {
                aim.target = aimed_at(patient, level, view).unwrap_or(tip);
            }
        }
        if let Some(text) = &self.target {
            aim.target = PatientPoint::from_vec(Vec3::from(numbers::<3>("--target", text)?));
        }
        Ok(aim)
    }

    /// The C-arm as the options place it.
    fn arm(&self, machine: &CArm, loaded: &Loaded, aim: &Aim) -> Result<CArm, Failure> {
        let mut arm = *machine;
        let refused = |e: CArmError| Failure::Input(e.to_string());
        if let Some(n) = self.pixels {
            arm.pixels = [n; 2];
        }
        if let Some(zoom) = self.zoom {
            arm.zoom = zoom;
        }
        if let Some(text) = &self.table {
            arm.table_shift_mm = numbers::<3>("--table", text)?;
        }
        if let Some(text) = &self.collimate {
            let [width, height] = numbers::<2>("--collimate", text)?;
            arm.collimation = Some(Collimation {
                half_width_mm: 0.5 * width,
                half_height_mm: 0.5 * height,
            });
        }
        if let Some(orbital) = self.orbital {
            arm.orbital_deg = orbital;
        } else if let Some(named) = self.named()? {
            arm = turned_to(&arm, named, aim.vertebra.as_ref().map(|(_, frame)| frame)).map_err(refused)?;
        } else {
            // The beam comes from the tip's side and the detector is on the hub's.
            arm = looking_along(&arm, &-Vec3::from(loaded.problem.needles[0].direction)).map_err(refused)?;
        }
        if let Some(tilt) = self.tilt {
            arm.cranio_caudal_deg += tilt;
        }
        arm.check().map_err(refused)?;
        Ok(arm)
    }

    fn write(&self, scope: &mut Fluoroscope, frame: &Frame, cine: &[Vec<u16>]) -> Result<(), Failure> {
        let out = &self.out;
        let input = |e: &dyn std::fmt::Display| Failure::Input(e.to_string());
        let display = scope.settings().display;
        let picture = &frame.picture;
        let bytes = match extension(out).as_str() {
            "png" => match self.bits {
                Bits::Eight => png_grey8(picture.columns, picture.rows, &picture.grey),
                Bits::Sixteen => png_grey16(
                    picture.columns,
                    picture.rows,
                    &windowed16(&frame.shown, display.logarithmic, frame.black_and_white),
                ),
            },
            "dcm" => {
                let exposed = Exposed {
                    kv: scope.machine().technique.kv,
                    charge_mas: frame.charge_mas,
                    pulses_per_s: scope.settings().pulses_per_s,
                    dose_area_gy_cm2: scope.total().dose_area_gy_cm2,
                    logarithmic: display.logarithmic,
                };
                dicom_radiofluoroscopic(picture.columns, picture.rows, cine, scope.arm(), &exposed)
            }
            kind @ ("npy" | "nii" | "gz") => {
                let view = scope.view().map_err(|e| input(&e))?;
                let [soft, bone] = scope.integrals().map_err(|e| input(&e))?;
                let mut all = soft.clone();
                all.data.iter_mut().zip(&bone.data).for_each(|(a, b)| *a += b);
                if kind != "npy" {
                    let volume = integrals_volume(&all, &view).map_err(|e| input(&e))?;
                    return write_nifti_f32(out, &volume).map_err(|e| input(&e));
                }
                npy_f32(&all)
            }
            other => {
                return Err(Failure::Input(format!(
                    "--out {}: the ending \"{other}\" is unknown; expected .png, .dcm, .npy, .nii or .nii.gz",
                    out.display()
                )));
            }
        };
        let bytes = bytes.map_err(|e| input(&e))?;
        write_bytes(out, &bytes).map_err(|e| input(&e))
    }
}

fn extension(path: &Path) -> String {
    path.extension()
        .map_or_else(String::new, |e| e.to_string_lossy().to_ascii_lowercase())
}

fn numbers<const N: usize>(option: &str, text: &str) -> Result<[f64; N], Failure> {
    let all: Vec<f64> = text.split(',').filter_map(|t| t.trim().parse().ok()).collect();
    <[f64; N]>::try_from(all)
        .ok()
        .filter(|all| all.iter().all(|v| v.is_finite()) && text.split(',').count() == N)
        .ok_or_else(|| Failure::Input(format!("{option} {text}: expected {N} numbers with commas between")))
}
