//! scratch
#![allow(clippy::all, clippy::pedantic, clippy::disallowed_methods, missing_docs)]
use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::spine::*;
use neurotome_procedure::anatomy::{Level, Patient, Side, TissueId};
use rayon::prelude::*;
fn png(path: &str, w: usize, h: usize, data: &[u8], color: bool) {
    let f = std::fs::File::create(path).unwrap();
    let mut e = png::Encoder::new(f, w as u32, h as u32);
    e.set_color(if color {
        png::ColorType::Rgb
    } else {
        png::ColorType::Grayscale
    });
    e.set_depth(png::BitDepth::Eight);
    e.write_header().unwrap().write_image_data(data).unwrap();
}
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
fn trace(s: &LumbarSpine, name: &str, dir: Vec3, up: Vec3, center: Vec3, half: f64, n: usize) {
    let right = dir.cross(&up).normalize();
    let up = right.cross(&dir);
    let light = (-dir + up * 0.6 - right * 0.5).normalize();
    let nerve = |p: &Vec3| {
        s.courses().iter().any(|c| {
            c.points.windows(2).any(|w| {
                let (d, _) = neurotome_base::geometry::distance_to_segment(p, &w[0].vec(), &w[1].vec());
                d < 0.5 * c.diameter_mm
            })
        })
    };
    let _ = &nerve;
    let tubes: Vec<(Vec3, Vec3, f64, bool)> = s
        .courses()
        .iter()
        .flat_map(|c| {
            c.points
                .windows(2)
                .map(move |w| (w[0].vec(), w[1].vec(), 0.5 * c.diameter_mm, c.target.is_some()))
        })
        .collect();
    let marks: Vec<Vec3> = s
        .landmarks()
        .iter()
        .flat_map(|l| {
            [
                l.junction.vec(),
                l.mamillary.vec(),
                l.accessory.vec(),
                l.transverse_tip.vec(),
            ]
        })
        .collect();
    let data: Vec<u8> = (0..n * n)
        .into_par_iter()
        .flat_map_iter(|k| {
            let (i, j) = (k % n, k / n);
            let px = 2.0 * half / n as f64;
            let o = center + right * ((i as f64 - n as f64 / 2.0) * px)
                - up * ((j as f64 - n as f64 / 2.0) * px)
                - dir * 160.0;
            let mut t = 0.0;
            let mut c = [15u8, 18, 25];
            let near: Vec<&(Vec3, Vec3, f64, bool)> = tubes
                .iter()
                .filter(|(a, b, r, _)| {
                    let m = 0.5 * (a + b);
                    let v = m - o;
                    let off = (v - dir * v.dot(&dir)).norm();
                    off < 0.5 * (a - b).norm() + r + 0.5
                })
                .collect();
            let marks: Vec<&Vec3> = marks
                .iter()
                .filter(|m| {
                    let v = *m - o;
                    (v - dir * v.dot(&dir)).norm() < 2.0
                })
                .collect();
            while t < 320.0 {
                let p = o + dir * t;
                let bone = s.bone_level_mm(&PatientPoint::from_vec(p));
                let mut d = bone;
                let mut kind = 0;
                for (a, b, r, target) in near.iter() {
                    let e = neurotome_base::geometry::distance_to_segment(&p, a, b).0 - r;
                    if e < d {
                        d = e;
                        kind = if *target { 1 } else { 2 };
                    }
                }
                for m in &marks {
                    let e = (p - *m).norm() - 1.2;
                    if e < d {
                        d = e;
                        kind = 3;
                    }
                }
                if d < 0.02 {
                    let f = |q: Vec3| s.bone_level_mm(&PatientPoint::from_vec(q));
                    let h = 0.2;
                    let g = Vec3::new(
                        f(p + Vec3::x() * h) - f(p - Vec3::x() * h),
                        f(p + Vec3::y() * h) - f(p - Vec3::y() * h),
                        f(p + Vec3::z() * h) - f(p - Vec3::z() * h),
                    );
                    let g = if g.norm() > 1e-9 { g.normalize() } else { -dir };
                    let l = (0.25 + 0.75 * g.dot(&light).max(0.0)) * if kind == 0 { 1.0 } else { 1.0 };
                    let col = [
                        [235.0, 222.0, 196.0],
                        [255.0, 230.0, 0.0],
                        [230.0, 160.0, 40.0],
                        [255.0, 40.0, 40.0],
                    ][kind];
                    let l = if kind > 0 { 0.9 } else { l };
                    c = [(col[0] * l) as u8, (col[1] * l) as u8, (col[2] * l) as u8];
                    break;
                }
                t += (d * 0.6).max(0.05);
            }
            c
        })
        .collect();
    png(name, n, n, &data, true);
}
fn main() {
    let catalog = neurotome_io::catalog::built_in().unwrap();
    let seed = std::env::args().nth(1).and_then(|a| a.parse().ok());
    let out = std::env::args().nth(2).unwrap_or("/tmp/spine".into());
    let p = SpineParameters {
        seed,
        ..Default::default()
    };
    let t = std::time::Instant::now();
    let s = LumbarSpine::new(&catalog, &p, ids()).unwrap();
    println!("built {:?}", t.elapsed());
    for l in s.levels() {
        let f = s.frame(l).unwrap();
        println!("{l} {:?} sup {:?}", f.origin.as_slice(), f.superior.as_slice());
    }
    for l in s.landmarks() {
        if l.side == Side::Right {
            let f = s.frame(l.level).unwrap();
            let q = |p: &PatientPoint| {
                let v = f.to_local(&p.vec());
                format!("{:.1} {:.1} {:.1}", -v.x, v.y, v.z)
            };
            println!(
                "{} junction {} mam {} acc {} tip {}",
                l.level,
                q(&l.junction),
                q(&l.mamillary),
                q(&l.accessory),
                q(&l.transverse_tip)
            );
        }
    }
    for c in s.courses() {
        if c.side == Side::Right && c.target.is_some() {
            let (a, b) = (c.target.unwrap()[0], c.target.unwrap()[1]);
            println!(
                "{} {}",
                c.name,
                (0..c.points.len())
                    .map(|i| format!(
                        "{}({:.1} {:.1} {:.1})",
                        if i == a || i == b { "*" } else { "" },
                        c.points[i].xyz[0],
                        c.points[i].xyz[1],
                        c.points[i].xyz[2]
                    ))
                    .collect::<Vec<_>>()
                    .join(" ")
            );
        }
    }
    let c = s.frame(Level::L4).unwrap().origin + Vec3::new(0.0, 20.0, 0.0);
    let n = 800;
    if out.contains("pic") {
        trace(&s, &format!("{out}-back.png"), -Vec3::y(), Vec3::z(), c, 130.0, n);
        trace(&s, &format!("{out}-side.png"), -Vec3::x(), Vec3::z(), c, 130.0, n);
        trace(
            &s,
            &format!("{out}-oblique.png"),
            Vec3::new(0.6, -0.8, 0.15).normalize(),
            Vec3::z(),
            s.frame(Level::L5).unwrap().origin + Vec3::new(-10.0, 20.0, 10.0),
            60.0,
            n,
        );
        trace(
            &s,
            &format!("{out}-s1.png"),
            Vec3::new(0.5, -0.8, -0.2).normalize(),
            Vec3::z(),
            s.frame(Level::S1).unwrap().origin + Vec3::new(-25.0, 20.0, 10.0),
            40.0,
            n,
        );
        trace(&s, &format!("{out}-front.png"), Vec3::y(), Vec3::z(), c, 130.0, n);
    }
    if std::env::args().nth(3).is_some() {
        let over = s.extent();
        let t = std::time::Instant::now();
        let labels = s.labels(&over, [1.0; 3]).unwrap();
        println!("labels {:?} {:?}", labels.dims(), t.elapsed());
        let hu = Hounsfield::new(&Morphometry::new(&catalog, Sex::Male)).unwrap();
        let t = std::time::Instant::now();
        let ct = s.ct(&over, &hu, &Scanner::default()).unwrap();
        println!("ct {:?} {:?}", ct.dims(), t.elapsed());
        let [nx, ny, nz] = ct.dims();
        let window = |v: f64, c: f64, w: f64| (255.0 * ((v - c) / w + 0.5)).clamp(0.0, 255.0) as u8;
        for (name, level) in [("l3", Level::L3), ("l5", Level::L5)] {
            for (q, dz) in [("a", 4.0), ("b", -14.0), ("c", 14.0)] {
                let z = s.frame(level).unwrap().origin.z + dz;
                let k = ct.affine().to_voxel(&PatientPoint::new(0.0, 0.0, z)).xyz[2].round() as usize;
                let img: Vec<u8> = (0..nx * ny)
                    .map(|n| window(ct.get(n % nx, n / nx, k).unwrap() as f64, 100.0, 700.0))
                    .collect();
                png(&format!("{out}-{name}{q}.png"), nx, ny, &img, false);
            }
        }
        let i = nx / 2;
        let img: Vec<u8> = (0..ny * nz)
            .map(|n| window(ct.get(i, n % ny, nz - 1 - n / ny).unwrap() as f64, 100.0, 700.0))
            .collect();
        png(&format!("{out}-sag.png"), ny, nz, &img, false);
        // label colours
        let k = ct
            .affine()
            .to_voxel(&PatientPoint::new(0.0, 0.0, s.frame(Level::L4).unwrap().origin.z + 4.0))
            .xyz[2]
            .round() as usize;
        let img: Vec<u8> = (0..nx * ny)
            .flat_map(|n| {
                let l = labels.get(n % nx, n / nx, k).unwrap() as u32;
                if l == 0 {
                    [0, 0, 0]
                } else {
                    [
                        (l * 67 % 200 + 55) as u8,
                        (l * 131 % 200 + 55) as u8,
                        (l * 29 % 200 + 55) as u8,
                    ]
                }
            })
            .collect();
        png(&format!("{out}-labels.png"), nx, ny, &img, true);
    }
    let _ = Side::Left;
}
