//! scratch
#![allow(clippy::all, clippy::pedantic, clippy::disallowed_methods, missing_docs)]
use neurotome_base::{PatientPoint, Point, Vec3};
use neurotome_procedure::anatomy::Level;
use neurotome_procedure::anatomy::fit::{FittedSpine, occupancy::*};
use neurotome_procedure::anatomy::spine::*;
fn main() {
    let d = "/work/shared/data/tptbox-L3/";
    let vert = neurotome_io::volumes::read_label_nifti(std::path::Path::new(&format!(
        "{d}sub-ct_seg-vert_label-22_msk.nii.gz"
    )))
    .unwrap();
    let sub = neurotome_io::volumes::read_label_nifti(std::path::Path::new(&format!(
        "{d}sub-ct_seg-subreg_label-22_msk.nii.gz"
    )))
    .unwrap();
    // contact
    let [nx, ny, nz] = sub.dims();
    let mut truth = vec![];
    for (sap, tp) in [(45u16, 43u16), (46, 44)] {
        let mut sum = Vec3::zeros();
        let mut n = 0.0;
        let mut lo = Vec3::repeat(1e9);
        let mut hi = -lo;
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    if sub.get(i, j, k) != Some(sap) || vert.get(i, j, k) != Some(22) {
                        continue;
                    }
                    for (di, dj, dk) in [
                        (1i64, 0i64, 0i64),
                        (-1, 0, 0),
                        (0, 1, 0),
                        (0, -1, 0),
                        (0, 0, 1),
                        (0, 0, -1),
                    ] {
                        let q = (i as i64 + di, j as i64 + dj, k as i64 + dk);
                        if q.0 < 0 || q.1 < 0 || q.2 < 0 {
                            continue;
                        }
                        if sub.get(q.0 as usize, q.1 as usize, q.2 as usize) == Some(tp) {
                            let p = sub
                                .affine()
                                .to_patient(&Point::new(
                                    i as f64 + 0.5 * di as f64,
                                    j as f64 + 0.5 * dj as f64,
                                    k as f64 + 0.5 * dk as f64,
                                ))
                                .vec();
                            sum += p;
                            n += 1.0;
                            lo = lo.inf(&p);
                            hi = hi.sup(&p);
                        }
                    }
                }
            }
        }
        println!(
            "contact {sap}/{tp}: n {n} centroid {:?} lo {:?} hi {:?}",
            (sum / n).as_slice(),
            lo.as_slice(),
            hi.as_slice()
        );
        truth.push((sum / n, lo, hi, sap, tp));
    }
    let catalog = neurotome_io::catalog::built_in().unwrap();
    let sizes = Morphometry::new(&catalog, Sex::Male);
    let w = [22u16];
    let occ = Labelled {
        labels: &vert,
        wanted: &w,
    };
    let c = centroid(&vert, &w).unwrap();
    println!("centroid {c:?}");
    let fit = FittedSpine::from_labels(&sizes, &[&occ], &[(Level::L3, PatientPoint::from_vec(c.0))]).unwrap();
    println!("{:?}", fit.quality);
    println!("{:?}", fit.frames());
    let mut stats: std::collections::BTreeMap<u16, (f64, f64, f64, f64)> = Default::default();
    for k in 1..nz - 1 {
        for j in 1..ny - 1 {
            for i in 1..nx - 1 {
                if vert.get(i, j, k) == Some(22) {
                    let edge = [
                        (1i64, 0i64, 0i64),
                        (-1, 0, 0),
                        (0, 1, 0),
                        (0, -1, 0),
                        (0, 0, 1),
                        (0, 0, -1),
                    ]
                    .iter()
                    .any(|(a, b, c)| {
                        vert.get(
                            (i as i64 + a) as usize,
                            (j as i64 + b) as usize,
                            (k as i64 + c) as usize,
                        ) != Some(22)
                    });
                    if edge {
                        let p = sub.affine().to_patient(&Point::new(i as f64, j as f64, k as f64));
                        let l = fit.model_level_mm(&p);
                        let e = stats.entry(sub.get(i, j, k).unwrap()).or_default();
                        e.0 += l;
                        e.1 += l * l;
                        e.2 += 1.0;
                        e.3 = e.3.max(l);
                        if l > 3.0 {
                            let f = fit.frames()[0].1;
                            let q = f.to_local(&p.vec());
                            println!(
                                "out {} {:.1} local {:.1} {:.1} {:.1}",
                                sub.get(i, j, k).unwrap(),
                                l,
                                q.x,
                                q.y,
                                q.z
                            );
                        }
                    }
                }
            }
        }
    }
    for (k, (a, b, n, m)) in stats {
        println!(
            "part {k}: mean level {:.2} rms {:.2} max {:.2} n {n}",
            a / n,
            (b / n).sqrt(),
            m
        );
    }
    for l in fit.landmarks() {
        println!(
            "{} mam {:?} acc {:?} tip {:?}",
            l.side, l.mamillary.xyz, l.accessory.xyz, l.transverse_tip.xyz
        );
    }
    println!("{:#?}", fit.shapes());
    for l in fit.landmarks() {
        for (n, (t, _, _, sap, tp)) in truth.iter().enumerate() {
            if (n == 0) == (l.side == neurotome_procedure::anatomy::Side::Left) {
                // nearest contact voxel
                let mut near = 1e9f64;
                for k in 1..nz - 1 {
                    for j in 1..ny - 1 {
                        for i in 1..nx - 1 {
                            if sub.get(i, j, k) == Some(*sap) && vert.get(i, j, k) == Some(22) {
                                for (di, dj, dk) in [
                                    (1i64, 0i64, 0i64),
                                    (-1, 0, 0),
                                    (0, 1, 0),
                                    (0, -1, 0),
                                    (0, 0, 1),
                                    (0, 0, -1),
                                ] {
                                    if sub.get(
                                        (i as i64 + di) as usize,
                                        (j as i64 + dj) as usize,
                                        (k as i64 + dk) as usize,
                                    ) == Some(*tp)
                                    {
                                        let p = sub
                                            .affine()
                                            .to_patient(&Point::new(
                                                i as f64 + 0.5 * di as f64,
                                                j as f64 + 0.5 * dj as f64,
                                                k as f64 + 0.5 * dk as f64,
                                            ))
                                            .vec();
                                        near = near.min((p - l.junction.vec()).norm());
                                    }
                                }
                            }
                        }
                    }
                }
                println!(
                    "{} junction {:?} truth {:?} centroid distance {:.2} nearest contact {near:.2}",
                    l.side,
                    l.junction.xyz,
                    t.as_slice(),
                    (l.junction.vec() - t).norm()
                );
            }
        }
    }
}
