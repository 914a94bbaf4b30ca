//! Sizes of the mean woman and the mean man against the means of the catalogue.

use neurotome_procedure::{
    anatomy::{
        Level,
        spine::{LumbarSpine, Sex},
    },
    catalog::Catalog,
};

use super::measure::{Bone, disc_height, facet_angle};
use super::people::{catalogue, mean};
use crate::verify::Report;

const LUMBAR: [Level; 5] = [Level::L1, Level::L2, Level::L3, Level::L4, Level::L5];

/// A measure: in words with its unit, its name in the catalogue, and how it is taken.
struct Measure {
    words: &'static str,
    key: &'static str,
    take: fn(&LumbarSpine, Level) -> Option<f64>,
}

/// Measures of a single vertebra.
macro_rules! of_bone {
    ($method:ident) => {
        |spine, level| Bone::new(spine, level)?.$method()
    };
}

const MEASURES: [Measure; 11] = [
    Measure {
        words: "width of the superior end plate, mm",
        key: "endplate_width_superior_mm",
        take: of_bone!(end_plate_width),
    },
    Measure {
        words: "depth of the superior end plate, mm",
        key: "endplate_depth_superior_mm",
        take: of_bone!(end_plate_depth),
    },
    Measure {
        words: "height of the body in front, mm",
        key: "body_height_anterior_mm",
        take: of_bone!(height_anterior),
    },
    Measure {
        words: "height of the body behind, mm",
        key: "body_height_posterior_mm",
        take: of_bone!(height_posterior),
    },
    Measure {
        words: "width of the pedicle at its isthmus, mm",
        key: "pedicle_width_mm",
        take: of_bone!(pedicle_width),
    },
    Measure {
        words: "height of the pedicle at its isthmus, mm",
        key: "pedicle_height_mm",
        take: of_bone!(pedicle_height),
    },
    Measure {
        words: "width of the canal between the pedicles, mm",
        key: "interpedicular_distance_mm",
        take: of_bone!(interpedicular),
    },
    Measure {
        words: "depth of the canal in the midline, mm",
        key: "canal_depth_mm",
        take: of_bone!(canal_depth),
    },
    Measure {
        words: "span of the transverse processes, mm",
        key: "transverse_process_span_mm",
        take: of_bone!(transverse_span),
    },
    Measure {
        words: "height of the disc below, mm",
        key: "disc_height_mm",
        take: |spine, level| {
            let below = LUMBAR.into_iter().find(|l| *l > level).unwrap_or(Level::S1);
            disc_height(&Bone::new(spine, level)?, &Bone::new(spine, below)?)
        },
    },
    Measure {
        words: "angle of the facet joint above to the sagittal plane, degrees",
        key: "facet_angle_deg",
        take: facet_angle,
    },
];

/// The mean woman and the mean man.
fn both(catalog: &Catalog) -> Result<[LumbarSpine; 2], String> {
    Ok([mean(catalog, Sex::Female)?, mean(catalog, Sex::Male)?])
}

/// A measure of a level at its distance from the published mean.
struct Found {
    level: Level,
    value: f64,
    published: f64,
    sd: f64,
}

fn found(catalog: &Catalog, people: &[LumbarSpine; 2], m: &Measure) -> Result<Vec<Found>, String> {
    let entry = catalog
        .spine_measure(m.key)
        .ok_or_else(|| format!("the catalogue lacks {}", m.key))?;
    LUMBAR
        .into_iter()
        .map(|level| {
            let take = |p: &LumbarSpine| (m.take)(p, level).ok_or_else(|| format!("not found at {level}"));
            Ok(Found {
                level,
                value: 0.5 * (take(&people[0])? + take(&people[1])?),
                published: entry.at(level).ok_or("no mean")?,
                sd: entry.sd_at(level).ok_or("no standard deviation")?,
            })
        })
        .collect()
}

/// Each size within one standard deviation between people of the published mean, at every level; the level farthest from it is shown.
pub fn vertebrae(report: &mut Report) {
    let prepared = catalogue().and_then(|c| both(&c).map(|p| (c, p)));
    let (catalog, people) = match prepared {
        Ok(prepared) => prepared,
        Err(e) => return report.failed("sizes of the vertebrae", e, "catalog/spine.toml"),
    };
    for m in &MEASURES {
        if report.stopped() {
            return;
        }
        let source = format!(
            "catalog/spine.toml, {}: {}",
            m.key,
            catalog.spine_measure(m.key).map_or("", |e| e.source.as_str())
        );
        let levels = match found(&catalog, &people, m) {
            Ok(levels) => levels,
            Err(e) => {
                report.failed(m.words, e, &source);
                continue;
            }
        };
        let off = |f: &Found| (f.value - f.published).abs() / f.sd;
        let worst = levels.iter().map(off).fold(0.0, f64::max);
        for f in &levels {
            if report.all() || off(f) >= worst {
                let kind = if report.all() { "" } else { ", of all levels" };
                let claim = format!("{} at {}{kind}, mean of woman and man", m.words, f.level);
                report.within(claim, f.value, f.published, f.sd, &source);
            }
        }
    }
}

pub fn lordosis(report: &mut Report) {
    let claim = "lordosis between the superior end plates of L1 and S1, prone, degrees, mean of woman and man";
    let source = "catalog/spine.toml, prone_lordosis_l1_s1_deg; tolerance its standard deviation";
    let computed = || -> Result<(f64, f64, f64), String> {
        let catalog = catalogue()?;
        let entry = catalog
            .spine_measure("prone_lordosis_l1_s1_deg")
            .ok_or("the catalogue lacks it")?;
        let mut sum = 0.0;
        for person in &both(&catalog)? {
            let direction = |level| {
                Bone::new(person, level)
                    .and_then(|b| b.end_plate_direction())
                    .ok_or_else(|| format!("no end plate of {level}"))
            };
            let (upper, lower) = (direction(Level::L1)?, direction(Level::S1)?);
            sum += upper.dot(&lower).clamp(-1.0, 1.0).acos().to_degrees();
        }
        let reference = entry.value.ok_or("no mean")?;
        Ok((
            0.5 * sum,
            reference,
            entry.sd_at(Level::L1).ok_or("no standard deviation")?,
        ))
    };
    match computed() {
        Ok((value, reference, sd)) => report.within(claim, value, reference, sd, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// Ratios of women to men. Published ratios scatter by a few hundredths.
pub fn women_and_men(report: &mut Report) {
    let source = "catalog/spine.toml, female_ratio";
    let prepared = catalogue().and_then(|c| both(&c).map(|p| (c, p)));
    let (catalog, [woman, man]) = match prepared {
        Ok(prepared) => prepared,
        Err(e) => return report.failed("women over men", e, source),
    };
    for m in MEASURES.iter().filter(|m| {
        [
            "endplate_width_superior_mm",
            "body_height_anterior_mm",
            "pedicle_width_mm",
            "transverse_process_span_mm",
        ]
        .contains(&m.key)
    }) {
        let claim = format!("women over men, mean of L1 to L5: {}", m.words);
        let sum = |person: &LumbarSpine| -> Option<f64> { LUMBAR.iter().map(|l| (m.take)(person, *l)).sum() };
        let published = catalog.spine_measure(m.key).and_then(|e| e.female_ratio);
        match (sum(&woman), sum(&man), published) {
            (Some(w), Some(n), Some(published)) => report.within(claim, w / n, published, 0.03, source),
            _ => report.failed(claim, "not measured or not published", source),
        }
    }
}
