//! scratch
#![allow(clippy::all, clippy::pedantic, clippy::disallowed_methods, missing_docs)]
use neurotome_base::{PatientBox, PatientPoint, Vec3, random::Stream};
use neurotome_procedure::anatomy::ct::{self, CtAnatomy, CtRules};
use neurotome_procedure::anatomy::fit::{FittedSpine, occupancy::*};
use neurotome_procedure::anatomy::spine::*;
use neurotome_procedure::anatomy::{Level, Patient, TissueId};
fn ids() -> TissueIds {
    let id = TissueId;
    TissueIds {
        muscle: id(0),
        fat: id(1),
        skin: id(2),
        cortical_bone: id(3),
        cancellous_bone: id(4),
        intervertebral_disc: id(5),
        csf: id(6),
        nerve: id(7),
        cartilage: id(8),
        ligament: id(9),
        blood: id(10),
        air: id(11),
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (first, count): (u64, u64) = (a[1].parse().unwrap(), a[2].parse().unwrap());
    let slice: f64 = a[3].parse().unwrap();
    let mode = &a[4];
    let catalog = neurotome_io::catalog::built_in().unwrap();
    let sizes = Morphometry::new(&catalog, Sex::Male);
    let hu = Hounsfield::new(&sizes).unwrap();
    let mut all: Vec<f64> = vec![];
    let names = ["junction", "mamillary", "accessory", "foramen", "tip"];
    let mut by: Vec<Vec<f64>> = vec![vec![]; 5];
    for seed in first..first + count {
        let sex = if seed % 2 == 0 { Sex::Male } else { Sex::Female };
        let s = LumbarSpine::new(
            &catalog,
            &SpineParameters {
                seed: Some(seed),
                sex,
                ..Default::default()
            },
            ids(),
        )
        .unwrap();
        let e = s.extent();
        let over = PatientBox {
            low: PatientPoint::new(-75.0, -70.0, e.low.xyz[2] + 30.0),
            high: PatientPoint::new(75.0, (e.high.xyz[1]).min(110.0), e.high.xyz[2]),
        };
        let t = std::time::Instant::now();
        let stream = Stream::new(seed).split(99);
        let levels: Vec<Level> = s.levels().into_iter().filter(|l| *l >= Level::L1).collect();
        let truth = s.landmarks();
        let fit = if mode == "clicks" {
            let img = s
                .ct(
                    &over,
                    &hu,
                    &Scanner {
                        spacing_mm: [0.9, 0.9, slice],
                        seed,
                        ..Default::default()
                    },
                )
                .unwrap();
            let t1 = t.elapsed();
            let id = TissueId;
            let tid = ct::TissueIds {
                air: id(11),
                fat: id(1),
                muscle: id(0),
                skin: None,
                cancellous_bone: id(4),
                cortical_bone: id(3),
                csf: None,
                disc: None,
            };
            let anat = CtAnatomy::new(&img, None, tid, &CtRules::default()).unwrap();
            let t2 = t.elapsed();
            let clicks: Vec<(Level, PatientPoint)> = levels
                .iter()
                .enumerate()
                .map(|(i, l)| {
                    let d = Vec3::new(
                        stream.normal(3 * i as u64),
                        stream.normal(3 * i as u64 + 1),
                        stream.normal(3 * i as u64 + 2),
                    ) * 4.0;
                    (*l, PatientPoint::from_vec(s.frame(*l).unwrap().origin + d))
                })
                .collect();
            let f = FittedSpine::from_clicks(&sizes, &CtBone(&anat), &clicks).unwrap();
            println!("ct {t1:?} anatomy {t2:?} fit {:?}", t.elapsed());
            f
        } else {
            let lab = s.labels(&over, [0.9, 0.9, slice]).unwrap();
            let wanted: Vec<[u16; 1]> = levels.iter().map(|l| [Structure::Vertebra(*l).label()]).collect();
            let occ: Vec<Labelled> = wanted
                .iter()
                .map(|w| Labelled {
                    labels: &lab,
                    wanted: w,
                })
                .collect();
            let refs: Vec<&dyn Occupancy> = occ.iter().map(|o| o as &dyn Occupancy).collect();
            let cents: Vec<(Level, PatientPoint)> = levels
                .iter()
                .zip(&wanted)
                .map(|(l, w)| (*l, PatientPoint::from_vec(centroid(&lab, w).unwrap().0)))
                .collect();
            let f = FittedSpine::from_labels(&sizes, &refs, &cents).unwrap();
            println!("fit {:?}", t.elapsed());
            f
        };
        for q in &fit.quality {
            println!("  {} misfit {:.2} unlike {:.2}", q.level, q.misfit_mm, q.unlikeliness);
        }
        for l in fit.landmarks() {
            let t = truth.iter().find(|t| t.level == l.level && t.side == l.side).unwrap();
            let d: Vec<f64> = [
                (l.junction, t.junction),
                (l.mamillary, t.mamillary),
                (l.accessory, t.accessory),
                (l.foramen, t.foramen),
                (l.transverse_tip, t.transverse_tip),
            ]
            .iter()
            .map(|(a, b)| (a.vec() - b.vec()).norm())
            .collect();
            if a.len() > 5 {
                println!(
                    "  {} {} {}",
                    l.level,
                    l.side,
                    d.iter().map(|d| format!("{d:.2}")).collect::<Vec<_>>().join(" ")
                );
            }
            for (k, d) in d.iter().enumerate() {
                if l.level == Level::S1 && k > 0 {
                    continue;
                }
                by[k].push(*d);
                all.push(*d);
            }
        }
    }
    let q = |v: &mut Vec<f64>| {
        v.sort_by(f64::total_cmp);
        (v[v.len() / 2], v[(v.len() as f64 * 0.95) as usize], v[v.len() - 1])
    };
    for (n, v) in names.iter().zip(&mut by) {
        println!("{n}: {:?}", q(v));
    }
    println!("all: {:?}", q(&mut all));
}
