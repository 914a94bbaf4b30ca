//! Conduction along fibres round a needle: in coordinates stretched along the fibres the medium is isotropic, so that sources there
//! have closed forms.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::{
    current::Current,
    grid::{Axis, FittedNeedle, Sizing},
    medium::Laid,
    tissue::TissueProperties,
};

use super::{
    super::Report,
    setting::{LINEAR, Model, cube, needle, tissue},
};

const SIGMA: f64 = 0.446;
const HALF: f64 = 32e-3;

/// Fibres in one direction.
#[derive(Clone, Copy)]
pub(in crate::verify) struct Fibred {
    /// Conductivity along them over that across.
    pub ratio: f64,
    /// Unit vector along them.
    pub direction: Vec3,
}

impl Fibred {
    pub fn tissue(&self) -> TissueProperties {
        TissueProperties {
            sigma_fibre_ratio: self.ratio,
            ..tissue(SIGMA, 0.5, 3.7e6, 0.0)
        }
    }

    /// The vector shrunk along the fibres by the root of the ratio: there the medium is isotropic, of conductivity σ √ratio.
    fn stretched(&self, v: &Vec3) -> Vec3 {
        v + self.direction * (v.dot(&self.direction) * (self.ratio.sqrt().recip() - 1.0))
    }

    /// Potential at one ampere from a point at the origin.
    fn point(&self, p: &Vec3) -> f64 {
        1.0 / (4.0 * PI * SIGMA * self.ratio.sqrt() * self.stretched(p).norm())
    }

    /// Potential at one ampere, evenly from the line between 0 and `2c` along z.
    pub fn line(&self, p: &Vec3, c: f64) -> f64 {
        let other = self.stretched(&(Vec3::z() * (2.0 * c)));
        let (near, length) = (self.stretched(p), other.norm());
        let sum = near.norm() + (near - other).norm();
        ((sum + length) / (sum - length)).ln() / (4.0 * PI * SIGMA * self.ratio.sqrt() * length)
    }

    /// The part of a current from the point `from` on the z axis that leaves through the small disc of `radius` at `end`: the current
    /// density is σ ∇φ, which points away from the source.
    pub fn through_disc(&self, from: f64, end: f64, radius: f64) -> f64 {
        let d = Vec3::z() * (end - from);
        let s = self.stretched(&d).norm();
        PI * radius * radius * d.z / (4.0 * PI * self.ratio.sqrt() * s.powi(3))
    }
}

/// A needle along z in fibres, potentials on all its metal.
pub(in crate::verify) fn fitted(fibred: &Fibred, sizing: &Sizing) -> Result<Model, String> {
    let direction = fibred.direction;
    let laid = Laid {
        fibre: &move |_| direction,
        ..Laid::tissue(&|_| 0)
    };
    Model::laid(cube(HALF), &[needle(10e-3)], sizing, &[fibred.tissue()], &laid)
}

/// A source: its name, its potential at one ampere and the part of its current that leaves through the metal's cut end.
type Source<'a> = (&'static str, &'a dyn Fn(&Vec3) -> f64, f64);

pub(super) fn sources(report: &mut Report) {
    const SOURCE: &str =
        "sources in an infinite anisotropic conductor, isotropic in coordinates stretched along the fibres";
    for (ratio, degrees) in [(2.0, 35.0f64), (3.0, 35.0), (3.0, 90.0)] {
        let tilt = degrees.to_radians();
        let fibred = Fibred {
            ratio,
            direction: Vec3::new(tilt.sin() * 0.8, tilt.sin() * 0.6, tilt.cos()),
        };
        let name = format!("fibres (σ {ratio}:1) at {degrees}° to the needle");
        let model = match fitted(&fibred, &Sizing::default()) {
            Ok(m) => m,
            Err(e) => return report.failed(name, e, SOURCE),
        };
        let shells = &model.grid.shells[0];
        let (end, radius) = (shells.end(), shells.radius[0]);
        let c = 4.55e-3;
        let cases: [Source; 2] = [
            (
                "a point source in its rounded end",
                &|p| fibred.point(p),
                fibred.through_disc(0.0, end, radius),
            ),
            (
                "a line source along its active tip",
                &|p| fibred.line(p, c),
                fibred.through_disc(c, end, radius),
            ),
        ];
        for (what, exact, through_end) in cases {
            let (u, state) = match model.potential(exact) {
                Ok(s) => s,
                Err(e) => return report.failed(format!("{name}, {what}"), e, SOURCE),
            };
            let cells = model.grid.cells();
            report.within(
                format!("{name}: resistance over the exact one, {what}; {cells} cells"),
                (1.0 - through_end) / state.current,
                1.0,
                0.01,
                SOURCE,
            );
            report.at_most(
                format!("{name}: relative root mean square error of the potential, {what}"),
                model.l2(&u, exact),
                0.01,
                SOURCE,
            );
            report.at_most(
                format!("{name}: current balance (in - out) / in, {what}"),
                state.balance.abs(),
                1e-6,
                "conservation of current",
            );
        }
    }
}

/// Two needles in slanted fibres: what one draws for a volt on the other does not depend on which.
pub(super) fn reciprocity(report: &mut Report) {
    const SOURCE: &str = "reciprocity: the operator is symmetric";
    const CLAIM: &str = "two unlike needles in fibres (σ 3:1): current in A into the second at one volt on the first, and the other way round";
    let radius = 0.454e-3;
    let at = |x: f64, active: f64, length: f64| {
        let axis = Axis::straight(Vec3::new(x, 0.3 * x, -radius), -Vec3::z(), radius);
        FittedNeedle::rounded(axis, radius, active, length)
    };
    let direction = Vec3::new(0.5, 0.3, 0.8).normalize();
    let fibred = Fibred { ratio: 3.0, direction };
    let laid = Laid {
        fibre: &move |_| direction,
        ..Laid::tissue(&|_| 0)
    };
    let needles = [at(-4e-3, 10e-3, 0.1), at(4e-3, 5e-3, 0.1)];
    let model = match Model::laid(
        cube(HALF),
        &needles,
        &Sizing::default().scaled(2.2),
        &[fibred.tissue()],
        &laid,
    ) {
        Ok(m) => m,
        Err(e) => return report.failed(CLAIM, e, SOURCE),
    };
    let (grid, n) = (&model.grid, model.grid.cells());
    let mut current = Current::with_channels(grid, &model.medium, &[vec![1.0, 0.0], vec![0.0, 1.0]]);
    let solved = current.solve(grid, &model.medium, &vec![37.0; n], None, LINEAR);
    if solved.iter().any(|s| !s.converged) {
        return report.failed(CLAIM, "the linear solve stopped", SOURCE);
    }
    let mut heat = vec![0.0; n];
    let first = current.flow(grid, &model.medium, &[1.0, 0.0], &mut heat);
    let second = current.flow(grid, &model.medium, &[0.0, 1.0], &mut heat);
    let (there, back) = (first.needle_current[1], second.needle_current[0]);
    report.within(CLAIM, there, back, 1e-7 * back.abs(), SOURCE);
    // Power at both voltages: the quadratic form of the four currents.
    let (v, w) = (12.0, -7.0);
    let both = current.flow(grid, &model.medium, &[v, w], &mut heat);
    let power = v * (v * first.needle_current[0] + w * second.needle_current[0])
        + w * (v * first.needle_current[1] + w * second.needle_current[1]);
    report.within(
        "two needles at 12 V and -7 V in fibres (σ 3:1): power in W from the heat of all cells against that from the currents",
        both.power,
        power,
        1e-7 * power,
        "∫ σ |∇φ|² = Σ V I",
    );
}
