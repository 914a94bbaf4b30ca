//! The poses of the scenarios on real CT images: the needle lies on the neck of the superior articular process, on the patient's
//! right, along the nerve, and reaches it without crossing bone.

use std::path::{Path, PathBuf};

use neurotome_base::{PatientPoint, Vec3, Volume, geometry::distance_to_segment};
use neurotome_io::{
    dicom::read_ct,
    scenario::{NerveTable, Scenario},
    volumes::read_label_nifti,
};

const NEEDLE_RADIUS_MM: f64 = 0.454;
const ACTIVE_TIP_MM: f64 = 10.0;

fn test_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("NEUROTOME_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: {test}: NEUROTOME_TEST_DATA is not set");
    }
    folder
}

struct Pose {
    image: Volume<f32>,
    tip: Vec3,
    entry: Vec3,
    /// Towards the tip.
    direction: Vec3,
    nerves: Vec<NerveTable>,
}

impl Pose {
    fn load(name: &str, data: &Path) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(name);
        let scenario: Scenario = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let image = scenario.image.unwrap().path;
        let image = data.join(image.strip_prefix("${NEUROTOME_TEST_DATA}/").unwrap());
        let needle = &scenario.needles[0];
        let (tip, entry) = (
            Vec3::from(needle.target_mm.unwrap()),
            Vec3::from(needle.entry_mm.unwrap()),
        );
        Self {
            image: read_ct(&image).unwrap().hu,
            tip,
            entry,
            direction: (tip - entry).normalize(),
            nerves: scenario.nerves,
        }
    }

    fn hu(&self, p: &Vec3) -> Option<f64> {
        self.image.trilinear(&PatientPoint::from_vec(*p))
    }

    /// Highest value on the surface of the needle, `s` from its tip.
    fn highest_on_needle(&self, s: f64) -> f64 {
        let (u, v) = neurotome_base::geometry::perpendicular_pair(&self.direction);
        let axis = self.tip - self.direction * s;
        (0..12)
            .map(|i| {
                let (sin, cos) = (f64::from(i) * std::f64::consts::TAU / 12.0).sin_cos();
                let p = axis + (u * cos + v * sin) * NEEDLE_RADIUS_MM;
                self.hu(&p).unwrap_or(f64::NEG_INFINITY)
            })
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// Distance from a point to the nearest place over the threshold, up to 3 mm, by probing balls.
    fn bone_distance_mm(&self, p: &Vec3, threshold_hu: f64) -> f64 {
        let mut r = 0.0;
        while r < 3.0 {
            for i in 0..60 {
                let z = 1.0 - (2.0 * f64::from(i) + 1.0) / 60.0;
                let (sin, cos) = (f64::from(i) * 2.399_963_229_728_653).sin_cos();
                let w = (1.0 - z * z).sqrt();
                if self
                    .hu(&(p + Vec3::new(w * cos, w * sin, z) * r))
                    .is_some_and(|hu| hu > threshold_hu)
                {
                    return r;
                }
            }
            r += 0.1;
        }
        f64::INFINITY
    }

    fn check(&self, bone_hu: f64, midline_x_mm: f64) {
        assert!(
            self.tip.x < midline_x_mm - 18.0,
            "the tip is not on the patient's right"
        );
        assert!(self.direction.x > 0.0 && self.direction.y < 0.0 && self.direction.z > 0.0);
        let caudal = self.direction.z.atan2(-self.direction.y).to_degrees();
        assert!((30.0..50.0).contains(&caudal), "{caudal}");

        // The metal is outside bone, all the way to the entry.
        let depth = (self.entry - self.tip).norm();
        for i in 0..(depth / 0.5) as usize {
            let s = 0.5 * i as f64;
            let highest = self.highest_on_needle(s);
            assert!(highest < bone_hu, "{highest} HU at {s} mm from the tip");
        }
        // And the active tip lies on it.
        let on_bone = (0..=8)
            .filter(|&i| self.bone_distance_mm(&(self.tip - self.direction * f64::from(i)), bone_hu) < 1.5)
            .count();
        assert!(on_bone >= 8, "active tip near bone at {on_bone} of 9 places");

        let target = &self.nerves[0];
        assert!(target.target && !self.nerves[1].target);
        let near = |nerve: &NerveTable, p: &Vec3| {
            nerve
                .points_mm
                .windows(2)
                .map(|w| distance_to_segment(p, &Vec3::from(w[0]), &Vec3::from(w[1])).0)
                .fold(f64::INFINITY, f64::min)
                - 0.5 * nerve.diameter_mm
                - NEEDLE_RADIUS_MM
        };
        let (mut alongside, mut spared) = (0.0, f64::INFINITY);
        for i in 0..100 {
            let p = self.tip - self.direction * (0.01 * ACTIVE_TIP_MM * f64::from(i));
            let gap = near(target, &p);
            assert!(gap > -0.15, "metal {gap} mm inside the nerve");
            if gap < 0.5 {
                alongside += 0.01 * ACTIVE_TIP_MM;
            }
            spared = spared.min(near(&self.nerves[1], &p));
        }
        assert!(alongside >= 8.0, "alongside for {alongside} mm");
        assert!((5.0..15.0).contains(&spared), "ventral ramus {spared} mm away");
    }
}

#[test]
fn dicom_series() {
    let Some(data) = test_data("dicom_series") else { return };
    let pose = Pose::load("real-dicom.toml", &data);
    pose.check(210.0, -18.0);
    assert!(pose.hu(&pose.entry).unwrap() < -100.0, "the entry is not at the skin");
}

#[test]
fn torso_with_vertebral_labels() {
    let Some(data) = test_data("torso_with_vertebral_labels") else {
        return;
    };
    let pose = Pose::load("real-nifti.toml", &data);
    pose.check(115.0, 2.0);
    assert!(pose.hu(&pose.entry).unwrap() < -100.0, "the entry is not at the skin");
    // L4 (28) within reach of the tip, and no other vertebra.
    let labels = read_label_nifti(&data.join("totalsegmentator-example/example_ct_vertebrae_labels.nii.gz")).unwrap();
    let middle = pose.tip - pose.direction * (0.5 * ACTIVE_TIP_MM);
    assert_eq!(labels_near(&labels, &middle, 4.0), vec![28]);
}

#[test]
fn cut_out_round_l3() {
    let Some(data) = test_data("cut_out_round_l3") else {
        return;
    };
    let pose = Pose::load("real-l3.toml", &data);
    pose.check(280.0, 25.5);
    // Right transverse process (44) and right superior articular process (46) both within reach of the active tip.
    let labels = read_label_nifti(&data.join("tptbox-L3/sub-ct_seg-subreg_label-22_msk.nii.gz")).unwrap();
    let middle = pose.tip - pose.direction * (0.5 * ACTIVE_TIP_MM);
    let near = labels_near(&labels, &middle, 3.0);
    assert!(near.contains(&44) && near.contains(&46), "{near:?}");
    assert!(
        !near.contains(&43) && !near.contains(&45),
        "left and right are exchanged: {near:?}"
    );
}

/// The labels other than 0 within a ball, ascending.
fn labels_near(labels: &Volume<u16>, p: &Vec3, radius_mm: f64) -> Vec<u16> {
    let n = (radius_mm / 0.5) as i32;
    let mut found = std::collections::BTreeSet::new();
    for i in -n..=n {
        for j in -n..=n {
            for k in -n..=n {
                let d = Vec3::new(f64::from(i), f64::from(j), f64::from(k)) * 0.5;
                if d.norm() <= radius_mm
                    && let Some(label) = labels.nearest(&PatientPoint::from_vec(p + d))
                {
                    found.insert(label);
                }
            }
        }
    }
    found.remove(&0);
    found.into_iter().collect()
}
