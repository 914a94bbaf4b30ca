//! Time and error of the projectors on the phantoms of `validation/xray/phantoms.toml`: `cargo bench -p neurotome-physics --bench
//! projection -- times [PIXELS [PHANTOM [THREADS]]]`; all phantoms, and 1 and 2 threads, where nothing else is said. Information, no gate:
//! benches/README.md tells how the counted instructions are gated.
#![allow(clippy::disallowed_methods)] // Measuring needs a clock and arguments.

use std::time::Instant;

use neurotome_base::{Affine, Vec3, Volume};
use neurotome_physics::xray::{Image, Projector, View};

const SIDE: usize = 256;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().map(String::as_str) != Some("times") {
        // Test runners ask every target for its tests; there are none.
        eprintln!("give `times [PIXELS [PHANTOM [THREADS]]]`");
        return;
    }
    let pixels = args.get(1).and_then(|a| a.parse().ok()).unwrap_or(512);
    let phantom = args.get(2).map(String::as_str);
    let only: Option<usize> = args.get(3).and_then(|a| a.parse().ok());
    for threads in [1, 2].into_iter().filter(|t| only.is_none_or(|only| only == *t)) {
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(|| run(threads, pixels, phantom)),
            Err(e) => eprintln!("no pool of {threads} threads: {e}"),
        }
    }
}

/// A phantom: its name, along how many places of each axis a voxel is the mean, its value at a point, and its exact integral from a source along a direction.
type Phantom<'f> = (
    &'f str,
    usize,
    &'f dyn Fn(&Vec3) -> f64,
    &'f dyn Fn(&Vec3, &Vec3) -> f64,
);

fn run(threads: usize, pixels: usize, only: Option<&str>) {
    let phantoms: [Phantom; 2] = [
        ("blobs", 1, &blobs, &blobs_exact),
        ("solids", 5, &solids, &solids_exact),
    ];
    for (name, sub, value, exact) in phantoms {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let volume = sampled(value, sub);
        let start = Instant::now();
        let Ok(projector) = Projector::new(volume) else { return };
        let made = start.elapsed();
        let (mut cpu, mut wall) = (Vec::new(), Vec::new());
        let (mut square, mut sum, mut worst, mut highest, mut count) = (0.0f64, 0.0f64, 0.0f64, 0.0f64, 0.0f64);
        for frame in 0..10 {
            let view = case_view(frame, pixels);
            let (c, w) = (cpu_s(), Instant::now());
            let Ok(image) = projector.project(&view) else { return };
            cpu.push(cpu_s() - c);
            wall.push(w.elapsed().as_secs_f64());
            if frame < 3 && threads == 1 {
                compare(&image, &view, exact, |error, value| {
                    square += error * error;
                    sum += error;
                    worst = worst.max(error.abs());
                    highest = highest.max(value);
                    count += 1.0;
                });
            }
        }
        let median = |v: &mut Vec<f64>| {
            v.sort_by(f64::total_cmp);
            1e3 * v[v.len() / 2]
        };
        println!(
            "{name} {SIDE}^3, {pixels}^2, {threads} thread(s): prepared in {:.0} ms; CPU {:.1} ms, wall {:.1} ms (median), {:.1} (first)",
            1e3 * made.as_secs_f64(),
            median(&mut cpu),
            median(&mut wall.clone()),
            1e3 * wall[0],
        );
        if threads == 1 {
            println!(
                "  error: rms {:.4} %, max {:.2} % of {highest:.3}, mean {:.1e}",
                100.0 * (square / count).sqrt() / highest,
                100.0 * worst / highest,
                sum / count
            );
        }
    }
}

/// Seconds of processor that the threads of this process have used, where the system tells.
fn cpu_s() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return f64::NAN;
    };
    let ns: f64 = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()))
        .sum();
    1e-9 * ns
}

fn compare(image: &Image, view: &View, exact: &dyn Fn(&Vec3, &Vec3) -> f64, mut add: impl FnMut(f64, f64)) {
    for row in 0..view.rows {
        for column in 0..view.columns {
            let direction = view.direction(column as f64, row as f64);
            let value = exact(&view.source_mm, &direction);
            add(f64::from(image.data[column + view.columns * row]) - value, value);
        }
    }
}

fn case_view(frame: usize, pixels: usize) -> View {
    let t = (7.0 + 36.0 * frame as f64).to_radians();
    let f = [0.0f64, 12.0, -12.0, 20.0, -20.0][frame % 5].to_radians();
    let d = Vec3::new(f.cos() * t.cos(), f.cos() * t.sin(), f.sin());
    let u = Vec3::new(-t.sin(), t.cos(), 0.0);
    let v = d.cross(&u);
    let v = if v.z < 0.0 { -v } else { v };
    let p = 300.0 / pixels as f64;
    let half = 0.5 - 0.5 * pixels as f64;
    View {
        source_mm: d * -650.0,
        first_mm: d * 350.0 + (u + v) * (half * p),
        column_step_mm: u * p,
        row_step_mm: v * p,
        columns: pixels,
        rows: pixels,
    }
}

/// Voxels as means of `sub` places along each axis; of one voxel whose middle and corners are alike the middle stands for all.
fn sampled(value: &dyn Fn(&Vec3) -> f64, sub: usize) -> Volume<f32> {
    let origin = 0.5 - 0.5 * SIDE as f64;
    let affine = Affine::axis_aligned([1.0; 3], [origin; 3]).expect("a regular affine");
    let mut data = Vec::with_capacity(SIDE * SIDE * SIDE);
    for n in 0..SIDE * SIDE * SIDE {
        let at = Vec3::from([n % SIDE, n / SIDE % SIDE, n / (SIDE * SIDE)].map(|i| i as f64 + origin));
        let middle = value(&at);
        let corner = |c: usize| at + Vec3::from([c & 1, c >> 1 & 1, c >> 2].map(|b| b as f64 - 0.5));
        if sub == 1 || (0..8).all(|c| value(&corner(c)) == middle) {
            data.push(middle as f32);
            continue;
        }
        let places = (0..sub * sub * sub).map(|s| {
            let shift = [s % sub, s / sub % sub, s / (sub * sub)].map(|i| (i as f64 + 0.5) / sub as f64 - 0.5);
            value(&(at + Vec3::from(shift)))
        });
        data.push((places.sum::<f64>() / (sub * sub * sub) as f64) as f32);
    }
    Volume::new([SIDE; 3], affine, data).expect("as many voxels as stated")
}

const BLOBS: [(f64, [f64; 3], f64); 5] = [
    (0.030, [0.0, 0.0, 0.0], 26.0),
    (0.030, [25.0, -18.0, 12.0], 6.0),
    (0.030, [-30.0, 22.0, -15.0], 9.0),
    (0.060, [8.0, 30.0, 20.0], 3.0),
    (-0.010, [-10.0, -35.0, 5.0], 12.0),
];

fn blobs(p: &Vec3) -> f64 {
    BLOBS
        .iter()
        .map(|(a, c, s)| a * (-(p - Vec3::from(*c)).norm_squared() / (2.0 * s * s)).exp())
        .sum()
}

fn blobs_exact(source: &Vec3, direction: &Vec3) -> f64 {
    BLOBS
        .iter()
        .map(|(a, c, s)| {
            let r2 = (Vec3::from(*c) - source).cross(direction).norm_squared();
            a * s * (2.0 * std::f64::consts::PI).sqrt() * (-r2 / (2.0 * s * s)).exp()
        })
        .sum()
}

/// Ellipsoids (centre, half axes) and cylinders (ends, radius), each with its attenuation.
const ELLIPSOIDS: [(f64, [f64; 3], [f64; 3]); 4] = [
    (0.020, [0.0, 0.0, 0.0], [110.0, 80.0, 100.0]),
    (0.040, [40.0, 10.0, 20.0], [6.0, 6.0, 6.0]),
    (-0.020, [-50.0, 20.0, -20.0], [15.0, 15.0, 15.0]),
    (0.030, [10.0, 40.0, -40.0], [12.0, 5.0, 20.0]),
];
const CYLINDERS: [(f64, [f64; 3], [f64; 3], f64); 2] = [
    (0.020, [0.0, -25.0, -14.0], [0.0, -25.0, 14.0], 22.0),
    (0.040, [-35.0, -5.0, 0.0], [35.0, -5.0, 4.0], 5.0),
];

fn solids(p: &Vec3) -> f64 {
    let ellipsoids = ELLIPSOIDS
        .iter()
        .filter(|(_, c, h)| (p - Vec3::from(*c)).component_div(&Vec3::from(*h)).norm_squared() <= 1.0)
        .map(|(mu, ..)| mu);
    let cylinders = CYLINDERS
        .iter()
        .filter(|(_, a, b, r)| {
            let (a, axis) = (Vec3::from(*a), Vec3::from(*b) - Vec3::from(*a));
            let length = axis.norm();
            let axis = axis / length;
            let along = (p - a).dot(&axis);
            (0.0..=length).contains(&along) && (p - a - axis * along).norm_squared() <= r * r
        })
        .map(|(mu, ..)| mu);
    ellipsoids.chain(cylinders).sum()
}

fn solids_exact(source: &Vec3, direction: &Vec3) -> f64 {
    let quadratic = |a: f64, b: f64, c: f64| {
        let d = b * b - a * c;
        (d > 0.0).then(|| [(-b - d.sqrt()) / a, (-b + d.sqrt()) / a])
    };
    let ellipsoids: f64 = ELLIPSOIDS
        .iter()
        .filter_map(|(mu, c, h)| {
            let h = Vec3::from(*h);
            let (o, d) = ((source - Vec3::from(*c)).component_div(&h), direction.component_div(&h));
            quadratic(d.dot(&d), o.dot(&d), o.dot(&o) - 1.0).map(|[t0, t1]| mu * (t1 - t0))
        })
        .sum();
    let cylinders: f64 = CYLINDERS
        .iter()
        .filter_map(|(mu, a, b, r)| {
            let a = Vec3::from(*a);
            let axis = Vec3::from(*b) - a;
            let length = axis.norm();
            let axis = axis / length;
            let o = source - a;
            let (along, speed) = (o.dot(&axis), direction.dot(&axis));
            let (ow, dw) = (o - axis * along, direction - axis * speed);
            let [t0, t1] = quadratic(dw.dot(&dw), ow.dot(&dw), ow.dot(&ow) - r * r)?;
            let (s0, s1) = (-along / speed, (length - along) / speed);
            let (t0, t1) = (t0.max(s0.min(s1)), t1.min(s0.max(s1)));
            (t1 > t0).then(|| mu * (t1 - t0))
        })
        .sum();
    ellipsoids + cylinders
}
