//! Pictures of an injection: sections through the needle with fluid and drug, and what the nerve's fibres do in time.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::{
    anaesthesia::{FibreKind, NerveExposure, Spread},
    lesion::LesionProblem,
};

use super::{
    canvas::{Anchor, Canvas, Font},
    sheet::{Cut, Panel, sheet},
    style::{ACTIVE_TIP, GRID, INK, ISO_50, ISO_60, LESION, MUTED, NERVE_SPARED, NERVE_TARGET, Rgb, TissueStyle},
};
use crate::results::ResultsError;

/// Widths of lines, pixels: a nerve is thick, so that it is seen end on.
const NERVE_PX: f64 = 4.5;
const NEEDLE_PX: f64 = 1.6;
/// Width and height of a section, mm, and its resolution.
const SIDE_MM: f64 = 44.0;
const PX_PER_MM: f64 = 11.0;
/// Nerves are drawn where they are within this distance of the section, mm.
const NEAR_MM: f64 = 3.0;
const FLUID: Rgb = [0, 90, 181];
const DRUG: Rgb = [170, 28, 120];
/// Concentrations at which lines are drawn, mmol/l.
const LEVELS: [f64; 3] = [0.1, 1.0, 10.0];
/// Colours of the fibre classes, in their order.
const CLASSES: [Rgb; 5] = [INK, NERVE_SPARED, ACTIVE_TIP, ISO_60, LESION];

fn mixed(base: Rgb, over: Rgb, weight: f64) -> Rgb {
    let w = weight.clamp(0.0, 1.0);
    [0, 1, 2].map(|i| (f64::from(base[i]) * (1.0 - w) + f64::from(over[i]) * w).round() as u8)
}

/// Part of the colour scale at a concentration: none at 0.01, all at 100 mmol/l.
fn on_scale(mmol_per_l: f64) -> f64 {
    if mmol_per_l <= 0.01 {
        0.0
    } else {
        (mmol_per_l.log10() + 2.0) / 4.0
    }
}

/// Sections through the tip at a time (s from the start of the injection): along the needle, twice, and across the body; the fluid above, the
/// drug below. PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn injection_sections(
    problem: &LesionProblem,
    spread: &Spread,
    t_s: f64,
    title: &str,
) -> Result<Vec<u8>, ResultsError> {
    let tip = spread.tip.vec();
    let needle = problem.needles.first();
    let back = needle.map_or_else(Vec3::y, |n| -Vec3::from(n.direction)).normalize();
    // One section holds the needle and the body's axis as near as can be, the other stands across it.
    let across = back.cross(&Vec3::z()).try_normalize(1e-6).unwrap_or_else(Vec3::x);
    let along = across.cross(&back).normalize();
    let cut = |title: &str, right: Vec3, up: Vec3| Cut {
        title: title.to_owned(),
        center: tip,
        right,
        up,
        size_mm: [SIDE_MM; 2],
    };
    let cuts = [
        cut("along the needle, head up", back, along),
        cut("along the needle, across the body", across, back),
        cut("across the body, back up", Vec3::x(), Vec3::y()),
    ];
    let styles: Vec<TissueStyle> = problem
        .tissue_names
        .iter()
        .enumerate()
        .map(|(i, name)| TissueStyle::for_name(name, i))
        .collect();
    let base = |p: &Vec3| {
        let tissue = usize::from(problem.anatomy.tissue_at(&PatientPoint::from_vec(*p)).0);
        mixed(styles.get(tissue).map_or(GRID, |s| s.rgb), [255; 3], 0.35)
    };
    let highest = spread.share(&spread.tip, spread.injected_s).max(0.05);
    let fluid = |p: &Vec3| {
        let share = spread.share(&PatientPoint::from_vec(*p), t_s);
        mixed(base(p), FLUID, 0.85 * share / highest)
    };
    let drug = |p: &Vec3| {
        if spread.porosity(&PatientPoint::from_vec(*p)) == 0.0 {
            return base(p);
        }
        let c = spread.concentration_mmol_per_l(&PatientPoint::from_vec(*p), t_s);
        // A line where a level is passed within a pixel.
        let step = 0.6 / PX_PER_MM;
        let passes = |level: f64| {
            (0..3).any(|a| {
                let mut q = *p;
                q[a] += step;
                let d = spread.concentration_mmol_per_l(&PatientPoint::from_vec(q), t_s);
                (c >= level) != (d >= level)
            })
        };
        if LEVELS.into_iter().any(passes) {
            return [60, 0, 40];
        }
        mixed(base(p), DRUG, 0.85 * on_scale(c))
    };
    let mut rows = vec![cuts.iter().map(|c| c.panel(PX_PER_MM, fluid)).collect::<Vec<Panel>>()];
    if spread.solution.drug.is_some() {
        rows.push(cuts.iter().map(|c| c.panel(PX_PER_MM, drug)).collect());
    }
    for row in &mut rows {
        for (panel, cut) in row.iter_mut().zip(&cuts) {
            panel.lines = lines(problem, cut);
        }
    }
    rows[0].push(scale("share", &[format!("{highest:.2}"), "0".to_owned()], |x| {
        mixed([235; 3], FLUID, 0.85 * x)
    }));
    if let Some(row) = rows.get_mut(1) {
        let ends = ["100 mM".to_owned(), "0.01 mM".to_owned()];
        row.push(scale("drug", &ends, |x| mixed([235; 3], DRUG, 0.85 * x)));
    }
    let foot = "Blue: share of the volume that the fluid takes. Purple: drug in the fluid of the pores, lines at 0.1, 1 and 10 mM. Target nerve green, others blue, \
                shaft orange, active tip light blue. Research and teaching software, not a medical device.";
    sheet(title, &rows, foot)
}

/// A colour scale as a narrow panel; `ends` stand at its top and its foot.
fn scale(title: &str, ends: &[String; 2], color: impl Fn(f64) -> Rgb) -> Panel {
    let [w, h] = [180, (SIDE_MM * PX_PER_MM) as usize];
    let rgb = (0..w * h)
        .flat_map(|n| {
            let (x, y) = (n % w, n / w);
            if x < 26 {
                color(1.0 - y as f64 / (h - 1) as f64)
            } else {
                [255; 3]
            }
        })
        .collect();
    Panel {
        title: format!("{title}: {} to {}", ends[1], ends[0]),
        size: [w, h],
        rgb,
        borders: [String::new(), String::new()],
        lines: vec![],
    }
}

/// Needles and nerves near a section, in its pixels.
fn lines(problem: &LesionProblem, cut: &Cut) -> Vec<(Rgb, f64, Vec<[f64; 2]>)> {
    let normal = cut.right.cross(&cut.up);
    let at = |p: &Vec3| {
        let d = p - cut.center;
        [
            (d.dot(&cut.right) + 0.5 * cut.size_mm[0]) * PX_PER_MM,
            (0.5 * cut.size_mm[1] - d.dot(&cut.up)) * PX_PER_MM,
        ]
    };
    let mut all = Vec::new();
    for nerve in &problem.nerves {
        let color = if nerve.target { NERVE_TARGET } else { NERVE_SPARED };
        for w in nerve.points.windows(2) {
            let (a, b) = (w[0].vec(), w[1].vec());
            let near = |p: &Vec3| (p - cut.center).dot(&normal).abs() < NEAR_MM && (p - cut.center).norm() < SIDE_MM;
            if near(&a) && near(&b) {
                // Thick, so that a nerve seen end on is seen.
                all.push((color, NERVE_PX, vec![at(&a), at(&b)]));
            }
        }
    }
    for needle in &problem.needles {
        let back = -Vec3::from(needle.direction).normalize();
        let tip = needle.tip.vec();
        // A needle that leaves the section is drawn as far as it stays within it.
        let slope = back.dot(&normal).abs();
        let reach = if slope > 1e-6 {
            (NEAR_MM / slope).min(needle.length_mm)
        } else {
            needle.length_mm
        };
        if (tip - cut.center).dot(&normal).abs() > NEAR_MM {
            continue;
        }
        let radius = 0.5 * needle.outer_diameter_mm;
        let side = back.cross(&normal).try_normalize(1e-6).unwrap_or(cut.right) * radius;
        for (color, to) in [(ISO_50, reach), (ACTIVE_TIP, reach.min(needle.active_tip_mm))] {
            let end = tip + back * to;
            all.push((
                color,
                NEEDLE_PX,
                vec![
                    at(&(tip + side)),
                    at(&(end + side)),
                    at(&(end - side)),
                    at(&(tip - side)),
                    at(&(tip + side)),
                ],
            ));
        }
    }
    all
}

/// What the fibres of a nerve do in time, and how much drug is at it: the share of each class that still conducts above, concentrations
/// below. `marked_s` is when heating begins. PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn block_curves(
    nerve: &NerveExposure,
    spread: &Spread,
    marked_s: f64,
    title: &str,
) -> Result<Vec<u8>, ResultsError> {
    let (left, width, height) = (80.0, 1000.0, 300.0);
    let mut canvas = Canvas::new(1130, 900);
    canvas.text(left, 34.0, Anchor::Start, Font::plain(20.0).bold(), title);
    let end = spread.end_s().max(1.0);
    // Long runs in minutes.
    let (unit, name) = if end > 1200.0 { (60.0, "min") } else { (1.0, "s") };
    let px = |t: f64| left + t / end * width;
    let small = Font::plain(12.5).color(MUTED);
    let time_axis = |canvas: &mut Canvas, foot: f64| {
        let mut step = 1.0;
        for candidate in [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0] {
            step = candidate;
            if end / unit / step <= 12.0 {
                break;
            }
        }
        let mut t = 0.0;
        while t <= end / unit + 1e-9 {
            canvas.line([px(t * unit), foot], [px(t * unit), foot + 5.0], MUTED, 1.0);
            canvas.text(px(t * unit), foot + 19.0, Anchor::Middle, small, &format!("{t:.0}"));
            t += step;
        }
        canvas.line([left, foot], [left + width, foot], MUTED, 1.2);
        canvas.text(
            left + width,
            foot + 36.0,
            Anchor::End,
            small,
            &format!("{name} from the start of the injection"),
        );
    };
    let shaded = |canvas: &mut Canvas, top: f64| {
        canvas.rect(
            px(0.0),
            top,
            px(spread.injected_s) - px(0.0),
            height,
            [228, 238, 250],
            1.0,
            0.0,
        );
        canvas.line([px(marked_s), top], [px(marked_s), top + height], ISO_50, 2.0);
    };
    let top = 100.0;
    shaded(&mut canvas, top);
    canvas.text(
        left,
        top - 40.0,
        Anchor::Start,
        Font::plain(16.0).bold(),
        "Share of the fibres that still conduct",
    );
    for k in 0..=5 {
        let y = top + height * (1.0 - f64::from(k) / 5.0);
        canvas.line([left, y], [left + width, y], GRID, 1.0);
        canvas.text(
            left - 8.0,
            y + 4.5,
            Anchor::End,
            small,
            &format!("{:.1}", f64::from(k) / 5.0),
        );
    }
    for (i, class) in FibreKind::ALL.into_iter().enumerate() {
        let line: Vec<[f64; 2]> = nerve
            .t_s
            .iter()
            .map(|t| [px(*t), top + height * (1.0 - nerve.conducting_share(class, *t))])
            .collect();
        let dash = if class == FibreKind::AGamma { "6 4" } else { "" };
        canvas.polyline(&line, CLASSES[i], 2.6, 1.0, dash);
        let x = left + 420.0 + 90.0 * i as f64;
        canvas.polyline(&[[x, top - 20.0], [x + 28.0, top - 20.0]], CLASSES[i], 2.8, 1.0, dash);
        canvas.text(x + 34.0, top - 15.0, Anchor::Start, Font::plain(14.0), class.symbol());
    }
    canvas.text(
        px(marked_s) + 6.0,
        top + 16.0,
        Anchor::Start,
        Font::plain(13.0).color(ISO_50),
        "heating begins",
    );
    canvas.text(
        left,
        top - 15.0,
        Anchor::Start,
        Font::plain(13.0).color(MUTED),
        "Shaded: injection.",
    );
    time_axis(&mut canvas, top + height);

    let top = 510.0;
    shaded(&mut canvas, top);
    canvas.text(
        left,
        top - 40.0,
        Anchor::Start,
        Font::plain(16.0).bold(),
        "Highest concentration along the nerve in mmol/l",
    );
    // Decades from 0.01 to 100.
    let py = |c: f64| top + height * (1.0 - on_scale(c.max(0.01)));
    for (decade, label) in [(0.01, "0.01"), (0.1, "0.1"), (1.0, "1"), (10.0, "10"), (100.0, "100")] {
        canvas.line([left, py(decade)], [left + width, py(decade)], GRID, 1.0);
        canvas.text(left - 8.0, py(decade) + 4.5, Anchor::End, small, label);
    }
    canvas.begin_clip(left, top - 2.0, width, height + 4.0);
    for (kept, color) in [
        (&nerve.outside_mmol_per_l, DRUG),
        (&nerve.inside_mmol_per_l, NERVE_TARGET),
    ] {
        let line: Vec<[f64; 2]> = nerve
            .t_s
            .iter()
            .zip(kept)
            .map(|(t, row)| [px(*t), py(row.iter().fold(0.0f64, |m, c| m.max(f64::from(*c))))])
            .collect();
        canvas.polyline(&line, color, 2.6, 1.0, "");
    }
    if let Some(drug) = &spread.solution.drug {
        for (class, i) in [(FibreKind::ADelta, 3), (FibreKind::C, 4)] {
            let y = py(drug.class(class).ic50_mmol_per_l);
            canvas.polyline(&[[left, y], [left + width, y]], CLASSES[i], 1.4, 1.0, "4 4");
        }
    }
    canvas.end_clip();
    for (x, color, dash, text) in [
        (left, DRUG, "", "round the nerve"),
        (left + 170.0, NERVE_TARGET, "", "among its fibres"),
        (left + 350.0, CLASSES[3], "4 4", "blocks half of the Aδ"),
        (left + 560.0, CLASSES[4], "4 4", "half of the C fibres"),
    ] {
        canvas.polyline(&[[x, top - 20.0], [x + 28.0, top - 20.0]], color, 2.8, 1.0, dash);
        canvas.text(x + 34.0, top - 15.0, Anchor::Start, Font::plain(14.0), text);
    }
    time_axis(&mut canvas, top + height);
    for (y, text) in [
        (
            870.0,
            "A spike passes a blocked stretch that is too short: two nodes of Ranvier always, more the less they are blocked.",
        ),
        (890.0, "Research and teaching software, not a medical device."),
    ] {
        canvas.text(left, y, Anchor::Start, Font::plain(13.0).color(MUTED), text);
    }
    canvas.png()
}
