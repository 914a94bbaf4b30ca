//! scratch
#![allow(clippy::all, clippy::pedantic, clippy::disallowed_methods, missing_docs)]
use neurotome_procedure::anatomy::spine::*;
use neurotome_procedure::anatomy::{NerveKind, Patient, TissueId, Level, Side};
fn ids() -> TissueIds {
    let id = TissueId;
    TissueIds { muscle: id(0), fat: id(1), skin: id(2), cortical_bone: id(3), cancellous_bone: id(4), intervertebral_disc: id(5), csf: id(6), nerve: id(7), cartilage: id(8), ligament: id(9), blood: id(10), air: id(11) }
}
fn main() {
    let catalog = neurotome_io::catalog::built_in().unwrap();
    let s = LumbarSpine::new(&catalog, &SpineParameters::default(), ids()).unwrap();
    let sizes = Morphometry::new(&catalog, Sex::Male);
    for nerve in [Level::L2, Level::L3, Level::L4, Level::L5] {
        let kind = if nerve == Level::L5 { NerveKind::DorsalRamus } else { NerveKind::MedialBranch };
        let c = s.course(kind, nerve, Side::Left).unwrap();
        let below = s.levels().into_iter().find(|l| *l > nerve).unwrap();
        let f = s.frame(below).unwrap();
        println!("{:?}", sizes.vertebra(below).unwrap().left);
        println!("{:?}", sizes.vertebra(below).unwrap().middle);
        for (i, p) in c.points.iter().enumerate() { let q = f.to_local(&p.vec()); println!("  {i} {:.1?} level {:.2}", q.as_slice(), s.bone_level_mm(p)); }
    }
    if std::env::args().nth(1).is_none() { return; }
    let catalog = neurotome_io::catalog::built_in().unwrap();
    for seed in [None, Some(1), Some(2), Some(3), Some(4), Some(5)] {
        let s = LumbarSpine::new(&catalog, &SpineParameters { seed, ..Default::default() }, ids()).unwrap();
        for nerve in [Level::L2, Level::L3, Level::L4, Level::L5] {
            for side in Side::BOTH {
            if side == Side::Left && seed.is_none() { continue; }
            let kind = if nerve == Level::L5 { NerveKind::DorsalRamus } else { NerveKind::MedialBranch };
            let c = s.course(kind, nerve, side).unwrap();
            let t = std::time::Instant::now();
            let p = parallel_needle(&s, c, 0.908, 10.0);
            let below = s.levels().into_iter().find(|l| *l > nerve).unwrap();
            match p {
                Some(p) => { let a = approach_angles(&s.frame(below).unwrap(), &p.direction, side.sign());
                    println!("{seed:?} {} tip {:.1?} dir {:.3?} turned {} bone {:.3} nerve {:.3} depth {:.0} caudal {:.1} lateral {:.1} {:?}", c.name, p.tip.xyz, p.direction.as_slice(), p.turned_deg, p.bone_gap_mm, p.nerve_gap_mm, (p.entry.vec()-p.tip.vec()).norm(), a.caudal_deg, a.lateral_deg, t.elapsed()); }
                None => println!("{seed:?} {} none {:?}", c.name, t.elapsed()),
            }
            }
        }
    }
}
