//! Vertebrae one upon the other: from the sacrum up, over discs of given height and wedge, to the frames in the patient.

use neurotome_base::Vec3;
use neurotome_base::geometry::Mat3;

use super::super::{Level, VertebraFrame};
use super::shape::VertebraShape;

/// What joins a vertebra to the one below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Joint {
    /// Height of the disc in its middle, mm.
    pub height: f64,
    /// Angle between its end plates, degrees, open in front.
    pub wedge_deg: f64,
    /// How far the upper vertebra has slipped forward, mm.
    pub slip: f64,
    /// Coronal tilt of the upper vertebra in the patient, degrees: its left side up.
    pub coronal_deg: f64,
    /// Axial rotation of the upper vertebra in the patient, degrees: its front to the left.
    pub axial_deg: f64,
}

/// Places vertebrae, from above to below, the last one the sacrum. `joints[i]` is below vertebra `i`.
///
/// The middle of the disc above the lowest lumbar vertebra is put at the origin.
pub(crate) fn frames(shapes: &[(Level, VertebraShape)], joints: &[Joint], sacral_slope_deg: f64) -> Vec<VertebraFrame> {
    let n = shapes.len();
    let mut tilt = sacral_slope_deg;
    let mut all = vec![frame(Vec3::zeros(), tilt, 0.0, 0.0)];
    let mut top = all[0].to_patient(&Vec3::new(0.0, 0.0, 0.5 * shapes[n - 1].1.height()));
    let mut discs = vec![];
    for i in (0..n - 1).rev() {
        let (joint, shape) = (&joints[i], &shapes[i].1);
        // Across the disc, on the direction between those of its two end plates.
        let middle = frame(
            Vec3::zeros(),
            tilt - 0.5 * joint.wedge_deg,
            joint.coronal_deg,
            joint.axial_deg,
        );
        discs.push(top + middle.superior * (0.5 * joint.height));
        let bottom = top + middle.superior * joint.height - middle.posterior * joint.slip;
        tilt -= joint.wedge_deg;
        let lower = frame(Vec3::zeros(), tilt, joint.coronal_deg, joint.axial_deg);
        tilt -= shape.wedge_deg();
        let upper = frame(Vec3::zeros(), tilt, joint.coronal_deg, joint.axial_deg);
        // The axis of the body leaves the lower end plate at right angles and arrives at the upper one likewise.
        let half = 0.5 * shape.height();
        let origin = bottom + (lower.superior + upper.superior).normalize() * half;
        all.push(VertebraFrame { origin, ..upper });
        top = origin + upper.superior * half;
    }
    all.reverse();
    let zero = discs[1.min(discs.len() - 1)];
    for f in &mut all {
        f.origin -= zero;
    }
    all
}

/// A frame with its axes turned: forward tilt about the left-right axis, then coronal, then axial.
pub(crate) fn frame(origin: Vec3, tilt_deg: f64, coronal_deg: f64, axial_deg: f64) -> VertebraFrame {
    let (ts, tc) = tilt_deg.to_radians().sin_cos();
    let (cs, cc) = coronal_deg.to_radians().sin_cos();
    let (axs, axc) = axial_deg.to_radians().sin_cos();
    // Superior leans forward (towards −y) by the tilt.
    let tilt = Mat3::new(1.0, 0.0, 0.0, 0.0, tc, -ts, 0.0, ts, tc);
    // The left side (+x) goes up (+z).
    let coronal = Mat3::new(cc, 0.0, -cs, 0.0, 1.0, 0.0, cs, 0.0, cc);
    // The front (−y) goes to the left (+x).
    let axial = Mat3::new(axc, -axs, 0.0, axs, axc, 0.0, 0.0, 0.0, 1.0);
    let r = axial * coronal * tilt;
    VertebraFrame {
        origin,
        left: r.column(0).into(),
        posterior: r.column(1).into(),
        superior: r.column(2).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_turn_as_their_names_say() {
        let f = frame(Vec3::zeros(), 40.0, 0.0, 0.0);
        assert!(f.superior.y < -0.6 && f.superior.z > 0.7);
        let f = frame(Vec3::zeros(), 0.0, 10.0, 0.0);
        assert!(f.left.z > 0.15 && f.superior.x < -0.15);
        let f = frame(Vec3::zeros(), 0.0, 0.0, 10.0);
        assert!((-f.posterior).x > 0.15, "{f:?}");
        let f = frame(Vec3::new(1.0, 2.0, 3.0), 25.0, -7.0, 12.0);
        assert!((f.left.cross(&f.posterior) - f.superior).norm() < 1e-12);
        let p = Vec3::new(4.0, -5.0, 6.0);
        assert!((f.to_local(&f.to_patient(&p)) - p).norm() < 1e-12);
    }
}
