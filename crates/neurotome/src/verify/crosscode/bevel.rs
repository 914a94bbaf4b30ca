//! A bevelled needle: its resistance against another program, its turned and shifted copy, its volume and its lesion.

use neurotome_base::Vec3;
use neurotome_physics::{
    current::Current,
    grid::{Axis, End, FittedNeedle, Grid, Region, Sizing},
};
use neurotome_procedure::lesion::{Bevel, LesionProblem, solve};
use serde_json::Value;

use super::{
    super::{
        Report,
        analytic::setting::{LINEAR, Model, cube, tissue},
    },
    moved::rotation,
    problem,
};

const RESISTANCES: &str = include_str!("../../../../../validation/crosscode/resistance/reference-resistance.json");
const SOURCE: &str = "NGSolve 6.2.2608, validation/crosscode/resistance/reference-resistance.json";
/// Largest relative deviation of a resistance.
const PART: f64 = 0.005;
/// Radius of a 20 G cannula in m, and the angle of its bevel.
const RADIUS: f64 = 0.454e-3;
const ANGLE_DEG: f64 = 20.0;
/// How much a bevel may change or shift a lesion, as a part of its width.
const ASYMMETRY: f64 = 0.05;

/// A needle in the frame of the cases S: along z, point at z = −5 mm and x = +a when bevelled, bare to z = 5 mm.
fn needle(bevelled: bool, turn: &impl Fn(&Vec3) -> Vec3, shift: &Vec3) -> FittedNeedle {
    let end = if bevelled {
        End::Bevel {
            angle: ANGLE_DEG.to_radians(),
            azimuth: std::f64::consts::PI,
        }
    } else {
        End::Rounded
    };
    let tip = turn(&Vec3::new(0.0, 0.0, -5e-3)) + shift;
    let axis = Axis::straight(tip, turn(&-Vec3::z()), end.length(RADIUS)).with_side(turn(&Vec3::x()));
    FittedNeedle {
        end,
        ..FittedNeedle::rounded(axis, RADIUS, 10e-3, 0.065)
    }
}

/// Resistance against the outer boundary, Ω.
fn resistance(turn: &impl Fn(&Vec3) -> Vec3, shift: &Vec3) -> Result<f64, String> {
    let region = Region::Cylinder {
        center: *shift,
        axis: turn(&Vec3::z()),
        radius: 60e-3,
        half_length: 60e-3,
    };
    let needles = [needle(true, turn, shift)];
    let muscle = [tissue(0.446, 0.5, 3.7e6, 0.0)];
    let model = Model::new(region, &needles, &Sizing::default(), &muscle, &|_| 0)?;
    let cells = model.grid.cells();
    let state = Current::new(&model.grid, &model.medium, &[1.0]).solve_one_volt(
        &model.grid,
        &model.medium,
        &vec![37.0; cells],
        LINEAR,
        &mut vec![0.0; cells],
    );
    if state.solved.converged {
        Ok(1.0 / state.conductance)
    } else {
        Err("the potential did not converge".to_owned())
    }
}

fn reference() -> Result<f64, String> {
    let all: Value = serde_json::from_str(RESISTANCES).map_err(|e| e.to_string())?;
    all["cases"]["S1"]["R_ohm"]
        .as_f64()
        .ok_or_else(|| "no resistance of case S1".to_owned())
}

pub(super) fn resistances(report: &mut Report) {
    let claim = "case S1: resistance in Ω of a 20 G needle with a bevel of 20°, within 0.5 %";
    let m = rotation(&Vec3::new(0.48, -0.6, 0.64), 1.13);
    let shift = Vec3::new(3.17e-3, -7.31e-3, 1.93e-3);
    let both = resistance(&|v| *v, &Vec3::zeros())
        .and_then(|still| Ok((still, resistance(&|v| m * v, &shift)?, reference()?)));
    match both {
        Err(reason) => report.failed(claim, reason, SOURCE),
        Ok((still, moved, reference)) => {
            report.within(claim, still, reference, PART * reference, SOURCE);
            report.within(
                "case S1 turned by 65° round an odd axis and shifted by 8 mm: resistance in Ω within 0.5 %",
                moved,
                still,
                PART * still,
                "the same needle unturned and unshifted: physics has no place",
            );
        }
    }
}

/// Cells of tissue and metal fill the region once, as they do round a rounded end.
pub(super) fn volume(report: &mut Report) {
    const SOURCE: &str = "tissue, and metal as long as the axis of the cut cylinder, fill the region once";
    let claim = "volume of tissue and metal in mm³ with a bevelled end against that with a rounded end, within 1 % of the metal of the tip";
    let whole = |bevelled: bool| {
        let needles = [needle(bevelled, &|v| *v, &Vec3::zeros())];
        // Near shells, whose seam with the octree lacks or holds twice less than the metal does. The cut end of the shaft is left
        // out; its shape depends on the cells round it, of which a bevelled needle has half as many again.
        let mut sizing = Sizing {
            shell_reach: 2e-3,
            shell_reach_least: 2e-3,
            ..Sizing::default()
        };
        if !bevelled {
            sizing.around = 3 * sizing.around / 2;
        }
        Grid::new(cube(25e-3), &needles, &sizing, &|_| 0)
            .map(|g| g.volume.iter().sum::<f64>() * 1e9)
            .map_err(|e| e.to_string())
    };
    match whole(true).and_then(|b| Ok((b, whole(false)?))) {
        Err(reason) => report.failed(claim, reason, SOURCE),
        Ok((bevelled, rounded)) => {
            let metal = std::f64::consts::PI * (1e3 * RADIUS).powi(2) * 10.0;
            report.within(claim, bevelled, rounded, 0.01 * metal, SOURCE);
        }
    }
}

/// Case A's needle with a bevel that opens to −x, at 80 °C for 90 s.
fn heated() -> Result<LesionProblem, String> {
    let text = include_str!("../../../../../validation/crosscode/field/case-a.toml")
        .replace(
            "mode = \"voltage\"\nvoltage_v = 20\nheating_s = 60",
            "set_temperature_c = 80\nramp_s = 15\nhold_s = 75",
        )
        .replace("cooling_s = 30", "cooling_s = 0")
        .replace("[1, 5, 10, 20, 30, 60, 75, 90]", "[90]");
    problem("case A with a bevel", &text)
}

/// Reach of the lesion to both sides of the axis in the plane that cuts the bevel in half, mm: to where it opens, and opposite.
fn sides(p: &LesionProblem, report: &Report) -> Result<(f64, f64), String> {
    let result = solve(p, &mut |_| !report.stopped()).map_err(|e| e.to_string())?;
    let x = |high: f64, p: &neurotome_base::PatientPoint| high.max(p.vec().x);
    let (high, low) = (
        result.lesion_surface.iter().fold(0.0, x),
        result.lesion_surface.iter().fold(0.0, |l: f64, p| l.min(p.vec().x)),
    );
    if high > 0.0 && low < 0.0 {
        Ok((-low, high))
    } else {
        Err("there is no lesion".to_owned())
    }
}

pub(super) fn lesion(report: &mut Report) {
    const SOURCE: &str = "the same needle with a rounded end";
    let claim = "lesion round a bevel of 20° (20 G, tip of 10 mm, 80 °C for 90 s)";
    let both = heated().and_then(|mut p| {
        let rounded = sides(&p, report)?;
        p.needles[0].bevel = Some(Bevel {
            angle_deg: ANGLE_DEG,
            towards: [-1.0, 0.0, 0.0],
        });
        Ok((sides(&p, report)?, rounded))
    });
    match both {
        Err(reason) => report.failed(claim, reason, SOURCE),
        Ok(((open, point), (left, right))) => {
            let width = left + right;
            report.within(
                format!("{claim}: width in mm in the plane of the bevel, within 5 % of that of a rounded end"),
                open + point,
                width,
                ASYMMETRY * width,
                SOURCE,
            );
            report.within(
                format!("{claim}: shift of its middle in mm towards the point, below 5 % of its width"),
                0.5 * (point - open),
                0.5 * (right - left),
                ASYMMETRY * width,
                SOURCE,
            );
        }
    }
}
