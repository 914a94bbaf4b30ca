//! Noise, kept anatomy and dose of the live picture.

use neurotome_base::{Affine, PatientPoint, Vec3, Volume};
use neurotome_io::catalog;
use neurotome_physics::xray::{Part, Shape};
use neurotome_procedure::{
    fluoroscopy::{
        CArm, Collimation, Contrast, Effects, Exposure, Fluoroscope, IODINE, Injection, MATERIALS, Machine, Settings,
    },
    lesion::Bolus,
};

use crate::verify::Report;

/// A block of water, 200 × 160 × 200 mm, under a machine.
fn water() -> Result<Fluoroscope, String> {
    let affine = Affine::axis_aligned([4.0; 3], [-100.0, -80.0, -100.0]).map_err(|e| e.to_string())?;
    let volume = Volume::filled([51, 41, 51], affine, 0.0f32).map_err(|e| e.to_string())?;
    let catalog = catalog::built_in().map_err(|e| e.to_string())?;
    let machine = Machine::new(&catalog, "mobile-flat-30cm").map_err(|e| e.to_string())?;
    Fluoroscope::new(volume, machine, PatientPoint::new(0.0, 0.0, 0.0)).map_err(|e| e.to_string())
}

fn settings(effects: Effects) -> Settings {
    let mut settings = Settings {
        effects,
        exposure: Exposure::Fixed { charge_mas: 0.05 },
        ..Settings::default()
    };
    settings.display.new_share = 1.0;
    settings
}

/// Variance of a picture of water with quantum noise alone, over that of the photons counted one energy at a time.
pub fn quantum_noise(report: &mut Report) {
    let claim = "quantum noise behind 160 mm of water, variance over that of the photons";
    let source = "Compound Poisson: ∫ Φ η E² exp(−μt) dE, summed here over the bins of the spectrum";
    let computed = || -> Result<f64, String> {
        let mut scope = water()?;
        let arm = CArm {
            pixels: [256; 2],
            ..*scope.arm()
        };
        scope.move_arm(arm).map_err(|e| e.to_string())?;
        let frame = |scope: &mut Fluoroscope, quantum_noise| {
            let effects = Effects {
                quantum_noise,
                ..Effects::NONE
            };
            scope.set(settings(effects)).map_err(|e| e.to_string())?;
            scope.frame().map_err(|e| e.to_string())
        };
        let still = frame(&mut scope, false)?;
        let noisy = frame(&mut scope, true)?;
        let response = &scope.machine().response;
        let pixel = arm.pixel_mm();
        let distance_m = 1e-3 * arm.source_detector_mm;
        let open_kev = response.open_kev_per_mas_mm2() * 0.05 / (distance_m * distance_m) * pixel[0] * pixel[1];
        let base = scope.integrals().map_err(|e| e.to_string())?.clone();
        let response = &scope.machine().response;
        let (mut sum, mut count) = (0.0f64, 0.0f64);
        for row in 96..160 {
            for column in 96..160 {
                let n = column + 256 * row;
                // The bins summed one by one, not the table that the picture uses.
                let (_, kev) = response.sum([base[0].data[n], base[1].data[n]], [0.0; 5]);
                let mean = f64::from(still.signal.data[n]);
                let variance = mean * f64::from(kev) / open_kev;
                sum += (f64::from(noisy.signal.data[n]) - mean).powi(2) / variance;
                count += 1.0;
            }
        }
        Ok(sum / count)
    };
    match computed() {
        // 4096 pixels: the standard error is 2.2 %.
        Ok(ratio) => report.within(claim, ratio, 1.0, 0.07, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// A needle that comes and goes leaves the picture as it was; the same seed gives the same bytes.
pub fn still_anatomy(report: &mut Report) {
    let claim = "bytes of the signal that differ after a needle has come and gone, same seed and frame";
    let source = "The anatomy's integrals are kept while only a needle moves";
    let computed = || -> Result<f64, String> {
        let rod = Shape::Capsule {
            from: Vec3::new(-10.0, 30.0, 5.0),
            to: Vec3::new(20.0, -40.0, -15.0),
            radius_mm: 0.45,
        };
        let first = || -> Result<Fluoroscope, String> {
            let mut scope = water()?;
            scope.set(settings(Effects::ALL)).map_err(|e| e.to_string())?;
            scope.frame().map_err(|e| e.to_string())?;
            Ok(scope)
        };
        let mut with = first()?;
        with.set_devices(vec![Part::solid(rod, 0)]);
        let needle = with.frame().map_err(|e| e.to_string())?;
        with.set_devices(vec![]);
        let after = with.frame().map_err(|e| e.to_string())?;
        let mut without = first()?;
        let before = without.frame().map_err(|e| e.to_string())?;
        let plain = without.frame().map_err(|e| e.to_string())?;
        if needle.signal == before.signal {
            return Err("the needle does not show".to_owned());
        }
        let different = after
            .signal
            .data
            .iter()
            .zip(&plain.signal.data)
            .filter(|(a, b)| a.to_bits() != b.to_bits());
        Ok(different.count() as f64)
    };
    match computed() {
        Ok(count) => report.at_most(claim, count, 0.0, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// What collimation and pulse rate do to dose.
pub fn dose(report: &mut Report) {
    let claim =
        "dose–area product with the field collimated to a quarter and the pulses halved, over that of ten open seconds";
    let source = "Kerma × area × number of pulses";
    let computed = || -> Result<f64, String> {
        let screen = |half_mm: f64, pulses_per_s: f64| -> Result<f64, String> {
            let mut scope = water()?;
            let arm = CArm {
                pixels: [64; 2],
                collimation: Some(Collimation {
                    half_width_mm: half_mm,
                    half_height_mm: half_mm,
                }),
                ..*scope.arm()
            };
            scope.move_arm(arm).map_err(|e| e.to_string())?;
            let settings = Settings {
                pulses_per_s,
                ..settings(Effects::NONE)
            };
            scope.set(settings).map_err(|e| e.to_string())?;
            for _ in 0..(10.0 * pulses_per_s) as usize {
                scope.frame().map_err(|e| e.to_string())?;
            }
            if (scope.total().screening_s - 10.0).abs() > 1e-9 {
                return Err(format!("{} s counted", scope.total().screening_s));
            }
            Ok(scope.total().dose_area_gy_cm2)
        };
        Ok(screen(75.0, 4.0)? / screen(150.0, 8.0)?)
    };
    match computed() {
        Ok(ratio) => report.within(claim, ratio, 0.125, 1e-9, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// Iodine that a growing bolus shows, from the darkening of the picture.
pub fn contrast(report: &mut Report) {
    let claim = "iodine in the picture half way through an injection of 0.5 ml with 300 mg/ml into air, mg, from the depth of the primary";
    let source = "Half of 150 mg; the beam's own depth for iodine, energy by energy";
    let computed = || -> Result<f64, String> {
        let text = |e: &dyn std::fmt::Display| e.to_string();
        let affine = Affine::axis_aligned([4.0; 3], [-100.0, -80.0, -100.0]).map_err(|e| text(&e))?;
        let air = Volume::filled([51, 41, 51], affine, -1000.0f32).map_err(|e| text(&e))?;
        let catalog = catalog::built_in().map_err(|e| text(&e))?;
        let machine = Machine::new(&catalog, "mobile-flat-30cm").map_err(|e| text(&e))?;
        let center = PatientPoint::new(0.0, 0.0, 0.0);
        let mut scope = Fluoroscope::new(air, machine, center).map_err(|e| text(&e))?;
        scope.set(settings(Effects::NONE)).map_err(|e| text(&e))?;
        let empty = scope.frame().map_err(|e| text(&e))?;
        let injection = Injection {
            bolus: Bolus {
                center,
                volume_ml: 0.5,
                share: 0.3,
            },
            iodine_mg_per_ml: 300.0,
            span_s: [1.0, 3.0],
        };
        scope.set_contrast(Some(Contrast::injected(&injection).map_err(|e| text(&e))?));
        scope.wait(2.0 - scope.clock_s());
        let half = scope.frame().map_err(|e| text(&e))?;
        let response = &scope.machine().response;
        let depth = |mg_per_cm2: f32| {
            let mut more = [0.0; MATERIALS];
            more[IODINE] = mg_per_cm2;
            -response.sum([0.0, 0.0], more).0.ln()
        };
        // Iodine for a depth, by halving: the depth only grows with it.
        let iodine = |wanted: f32| {
            let (mut low, mut high) = (0.0f32, 1000.0f32);
            for _ in 0..40 {
                let middle = 0.5 * (low + high);
                if depth(middle) < wanted {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            f64::from(0.5 * (low + high))
        };
        let arm = scope.arm();
        let pixel_cm = arm.pixel_mm().map(|mm| 0.1 * mm / arm.magnification());
        let darkened = empty.signal.data.iter().zip(&half.signal.data).filter(|(a, b)| a > b);
        Ok(darkened.map(|(a, b)| iodine((a / b).ln())).sum::<f64>() * pixel_cm[0] * pixel_cm[1])
    };
    match computed() {
        Ok(mg) => report.within(claim, mg, 75.0, 1.5, source),
        Err(e) => report.failed(claim, e, source),
    }
}
