//! Properties of geometry and volumes that hold for any input.

use neurotome_base::geometry::{Mat3, distance_between_segments, distance_to_segment, perpendicular_pair};
use neurotome_base::{Affine, Patient, Point, Vec3, Volume};
use proptest::prelude::*;

/// A point within 200 mm of the origin.
fn point() -> impl Strategy<Value = Vec3> {
    [-200.0..200.0, -200.0..200.0, -200.0..200.0f64].prop_map(Vec3::from)
}

/// A rotation by any angle about any axis.
fn rotation() -> impl Strategy<Value = Mat3> {
    (point(), -3.2..3.2f64).prop_filter_map("axis too short", |(axis, angle)| {
        (axis.norm() > 1.0).then(|| {
            let (u, v) = perpendicular_pair(&axis.normalize());
            let w = u.cross(&v);
            let (s, c) = angle.sin_cos();
            Mat3::from_columns(&[u * c + v * s, v * c - u * s, w])
        })
    })
}

/// A voxel grid in any orientation, voxels from 0.2 to 5 mm, either handedness.
fn affine() -> impl Strategy<Value = Affine> {
    let side = 0.2..5.0f64;
    (rotation(), [side.clone(), side.clone(), side], point(), any::<bool>()).prop_map(|(r, sides, origin, mirrored)| {
        let flip = if mirrored { -1.0 } else { 1.0 };
        let scale = Mat3::from_diagonal(&Vec3::new(sides[0] * flip, sides[1], sides[2]));
        Affine::new(r * scale, origin).expect("a rotation of positive sides is never singular")
    })
}

proptest! {
    #[test]
    fn voxel_and_patient_undo_each_other(affine in affine(), p in point()) {
        let p = Point::<Patient>::from_vec(p);
        let back = affine.to_patient(&affine.to_voxel(&p));
        prop_assert!((back.vec() - p.vec()).norm() < 1e-9, "{p:?} came back as {back:?}");
    }

    #[test]
    fn spacing_is_the_length_of_a_step(affine in affine(), p in point()) {
        let index = affine.to_voxel(&Point::from_vec(p));
        for axis in 0..3 {
            let mut next = index;
            next.xyz[axis] += 1.0;
            let step = (affine.to_patient(&next).vec() - affine.to_patient(&index).vec()).norm();
            prop_assert!((step - affine.spacing_mm()[axis]).abs() < 1e-9);
        }
    }

    #[test]
    fn interpolation_stays_between_the_extremes_and_reproduces_voxels(
        affine in affine(),
        data in proptest::collection::vec(-1000.0..3000.0f64, 24),
        at in [-0.5..1.5, -0.5..2.5, -0.5..3.5f64],
    ) {
        let volume = Volume::new([2, 3, 4], affine, data.clone()).unwrap();
        let (low, high) = data.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        if let Some(v) = volume.trilinear(&affine.to_patient(&Point::new(at[0], at[1], at[2]))) {
            prop_assert!(v >= low - 1e-9 && v <= high + 1e-9);
        }
        for (n, value) in data.iter().enumerate() {
            let (i, j, k) = (n % 2, n / 2 % 3, n / 6);
            let centre = affine.to_patient(&Point::new(i as f64, j as f64, k as f64));
            prop_assert_eq!(volume.nearest(&centre), Some(*value));
            prop_assert!((volume.trilinear(&centre).unwrap() - value).abs() < 1e-6);
        }
    }

    #[test]
    fn the_nearest_point_of_a_segment_is_nearest(p in point(), a in point(), b in point(), t in 0.0..=1.0f64) {
        let (distance, nearest) = distance_to_segment(&p, &a, &b);
        prop_assert!((0.0..=1.0).contains(&nearest));
        prop_assert!(((a + (b - a) * nearest - p).norm() - distance).abs() < 1e-9);
        prop_assert!(distance <= (a + (b - a) * t - p).norm() + 1e-9);
        prop_assert!((distance_to_segment(&p, &b, &a).0 - distance).abs() < 1e-9);
    }

    #[test]
    fn segments_are_no_farther_apart_than_any_two_points_and_no_nearer_than_they_can_be(
        a0 in point(), a1 in point(), b0 in point(), b1 in point(), s in 0.0..=1.0f64, t in 0.0..=1.0f64,
    ) {
        let distance = distance_between_segments(&a0, &a1, &b0, &b1);
        let (on_a, on_b) = (a0 + (a1 - a0) * s, b0 + (b1 - b0) * t);
        prop_assert!(distance <= (on_a - on_b).norm() + 1e-7);
        prop_assert!(distance <= distance_to_segment(&on_a, &b0, &b1).0 + 1e-7);
        let swapped = distance_between_segments(&b0, &b1, &a0, &a1);
        prop_assert!((swapped - distance).abs() < 1e-7, "{distance} and {swapped}");
    }

    #[test]
    fn distances_do_not_change_when_both_segments_move(
        a0 in point(), a1 in point(), b0 in point(), b1 in point(), r in rotation(), shift in point(),
    ) {
        let moved = |p: &Vec3| r * p + shift;
        let before = distance_between_segments(&a0, &a1, &b0, &b1);
        let after = distance_between_segments(&moved(&a0), &moved(&a1), &moved(&b0), &moved(&b1));
        prop_assert!((before - after).abs() < 1e-6, "{before} became {after}");
    }

    #[test]
    fn the_perpendicular_pair_is_orthonormal_and_right_handed(axis in point()) {
        prop_assume!(axis.norm() > 1e-3);
        let axis = axis.normalize();
        let (u, v) = perpendicular_pair(&axis);
        prop_assert!((u.norm() - 1.0).abs() < 1e-12 && (v.norm() - 1.0).abs() < 1e-12);
        prop_assert!(u.dot(&axis).abs() < 1e-12 && (u.cross(&v) - axis).norm() < 1e-12);
    }
}
