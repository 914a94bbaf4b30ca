//! From the scenario as written to the problem as solved, with every check on the way.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use neurotome_base::{PatientBox, PatientPoint, Vec3, geometry::distance_between_segments};
use neurotome_physics::{injury::Arrhenius, tissue::TissueProperties};
use neurotome_procedure::{
    anatomy::{
        TissueField, TissueId,
        builtin::{LumbarSegment, TissueIds},
        ct::{self, CtAnatomy, CtRules, LabelMap, LabelMeaning, Structure},
        phantom::{Phantom as PhantomField, Region as SolidRegion, Shape},
    },
    catalog::{Cannula, Catalog, Entry, Sourced, find},
    lesion::{
        Bend, Blood, Domain, DomainShape, Drive, LesionProblem, Limits, Metal, Needle, NerveCurve, Perfusion, Probe,
        SolverSettings,
    },
};

use super::{
    Arrangement, DomainKind, DomainTable, DriveMode, Fault, Image, InputFile, LabelNumbering, LabelStructure, Loaded,
    NeedleTable, Notice, PerfusionMode, Phantom, Region, RegionShape, Scenario, ScenarioError, Setting, Source,
    TEST_DATA_VARIABLE, TissueTable,
    axis::{center_line, shaft_direction},
    fault::{nearest, parse_toml},
    hash::sha256_of,
    locate::span_of,
};
use crate::{
    dicom::{CtOptions, read_ct_with},
    volumes::read_label_nifti,
};

/// Most needles of a scenario.
pub const MAX_NEEDLES: usize = 8;
/// Most probes of a scenario.
pub const MAX_PROBES: usize = 256;
/// Most nerves of a scenario.
pub const MAX_NERVES: usize = 64;
/// Most points of a nerve.
const MAX_NERVE_POINTS: usize = 4096;
/// Most regions of a phantom.
pub const MAX_REGIONS: usize = 256;
/// Most output times of a scenario.
pub const MAX_OUTPUT_TIMES: usize = 1000;
/// Longest run, s.
const MAX_TIME_S: f64 = 3600.0;
/// Largest coordinate, mm.
const MAX_COORDINATE_MM: f64 = 10_000.0;
/// Temperature of a body, °C.
const BODY_C: f64 = 37.0;
/// Injury law where the scenario names none.
const DEFAULT_LAW: &str = "liver_jacques";
/// Generator where the scenario names none.
const DEFAULT_GENERATOR: &str = "generic";
/// Cannula whose length and thermocouple hold where sizes are explicit but these are not given.
const DEFAULT_METAL: &str = "steel_304";
/// Half side of the region computed where the scenario gives none, mm.
const DEFAULT_HALF_MM: f64 = 60.0;
/// The needle must lie this far inside the region computed, mm.
const MARGIN_MM: f64 = 1.0;

/// An image is read this far beyond the region computed, mm.
const IMAGE_MARGIN_MM: f64 = 10.0;
/// Tissues that occur in the built-in segment.
const BUILT_IN_TISSUES: [&str; 11] = [
    "muscle",
    "fat",
    "skin",
    "cortical_bone",
    "cancellous_bone",
    "intervertebral_disc",
    "csf",
    "nerve",
    "cartilage",
    "ligament",
    "air",
];

type Result<T> = std::result::Result<T, Box<Fault>>;

/// Reads, checks and resolves a scenario.
///
/// # Errors
/// [`ScenarioError::Fault`] with the line at fault.
pub fn load(source: &Source, catalog: &Catalog) -> std::result::Result<Loaded, ScenarioError> {
    let scenario: Scenario = parse_toml(&source.name, &source.text)?;
    let mut builder = Builder {
        source,
        catalog,
        notices: Vec::new(),
        inputs: Vec::new(),
        remarks: Vec::new(),
    };
    let (problem, setting) = builder.problem(&scenario)?;
    let Builder {
        notices,
        inputs,
        remarks,
        ..
    } = builder;
    Ok(Loaded {
        scenario,
        problem,
        setting,
        notices,
        inputs,
        remarks,
    })
}

struct Builder<'a> {
    source: &'a Source,
    catalog: &'a Catalog,
    notices: Vec<Notice>,
    inputs: Vec<InputFile>,
    remarks: Vec<String>,
}

/// The run's tissue table.
struct Tissues {
    names: Vec<String>,
    properties: Vec<TissueProperties>,
}

impl Builder<'_> {
    fn fault(&self, path: &str, message: impl Into<String>, help: impl Into<String>) -> Box<Fault> {
        Box::new(Fault {
            file: self.source.name.clone(),
            text: self.source.text.clone(),
            span: span_of(&self.source.text, path),
            message: message.into(),
            help: help.into(),
        })
    }

    /// The value when it is finite and within `low..=high`, or above `low` when `low` is zero and `open`.
    fn within(&self, path: &str, value: f64, range: std::ops::RangeInclusive<f64>, unit: &str) -> Result<f64> {
        if value.is_finite() && range.contains(&value) {
            return Ok(value);
        }
        Err(self.fault(
            path,
            format!(
                "`{path}` is {value}, expected {} to {} {unit}",
                range.start(),
                range.end()
            ),
            "give a value in this range, in the unit that the key names",
        ))
    }

    fn positive(&self, path: &str, value: f64, high: f64, unit: &str) -> Result<f64> {
        if value.is_finite() && value > 0.0 && value <= high {
            return Ok(value);
        }
        Err(self.fault(
            path,
            format!("`{path}` is {value}, expected above 0 and at most {high} {unit}"),
            "give a value in this range, in the unit that the key names",
        ))
    }

    fn point(&self, path: &str, p: [f64; 3]) -> Result<PatientPoint> {
        if p.iter().all(|c| c.abs() <= MAX_COORDINATE_MM) {
            return Ok(PatientPoint::new(p[0], p[1], p[2]));
        }
        Err(self.fault(
            path,
            format!("`{path}` is {p:?}, expected three numbers within ±{MAX_COORDINATE_MM} mm"),
            "give a position in millimetres of the patient frame (LPS)",
        ))
    }

    fn direction(&self, path: &str, d: [f64; 3]) -> Result<Vec3> {
        let v = Vec3::from(d);
        if d.iter().all(|c| c.is_finite()) {
            if let Some(unit) = v.try_normalize(1e-9) {
                return Ok(unit);
            }
        }
        Err(self.fault(
            path,
            format!("`{path}` is {d:?}, expected a direction other than zero"),
            "give three numbers such as [0, 0, -1]",
        ))
    }

    fn required<T>(&self, path: &str, value: Option<T>, why: &str) -> Result<T> {
        value.ok_or_else(|| self.missing(path, why))
    }

    fn missing(&self, path: &str, why: &str) -> Box<Fault> {
        let key = path.rsplit_once('.').map_or(path, |(_, k)| k);
        self.fault(path, format!("`{path}` is missing: {why}"), format!("add `{key} = …`"))
    }

    fn unused(&self, path: &str, given: bool, why: &str) -> Result<()> {
        if given {
            return Err(self.fault(path, format!("`{path}` has no meaning {why}"), "remove this key"));
        }
        Ok(())
    }

    fn cap(&self, path: &str, found: usize, most: usize) -> Result<()> {
        if found > most {
            return Err(self.fault(
                path,
                format!("`{path}` has {found} entries, expected at most {most}"),
                "leave some out",
            ));
        }
        Ok(())
    }

    fn note(&mut self, subject: &str, key: &str, value: &Sourced) {
        let notice = Notice {
            subject: subject.to_owned(),
            key: key.to_owned(),
            value: value.value,
            source: self.catalog.sources.get(&value.source).unwrap_or(&value.source).clone(),
        };
        if !value.verified && !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// The entry of a name, or a fault that offers the nearest one.
    fn entry<'c, E: Entry>(&self, path: &str, entries: &'c [E], name: &str) -> Result<&'c E> {
        find(entries, name).ok_or_else(|| {
            let names: Vec<&str> = entries.iter().map(Entry::name).collect();
            self.unknown(path, E::KIND, name, &names)
        })
    }

    fn unknown(&self, path: &str, kind: &str, name: &str, names: &[&str]) -> Box<Fault> {
        let help = match nearest(name, names) {
            Some(best) => format!("did you mean \"{best}\"? `neurotome catalog {kind}` lists all"),
            None => format!("`neurotome catalog {kind}` lists all"),
        };
        self.fault(path, format!("there is no {kind} \"{name}\""), help)
    }

    fn problem(&mut self, s: &Scenario) -> Result<(LesionProblem, Setting)> {
        self.cap("needles", s.needles.len(), MAX_NEEDLES)?;
        self.cap("probes", s.probes.len(), MAX_PROBES)?;
        self.cap("nerves", s.nerves.len(), MAX_NERVES)?;
        self.cap("output.times_s", s.output.times_s.len(), MAX_OUTPUT_TIMES)?;
        if s.image.is_some() && s.phantom.is_some() {
            return Err(self.fault(
                "phantom",
                "both [image] and [phantom] are given, expected at most one",
                "remove one of the two; without both the built-in L4–L5 segment is used",
            ));
        }
        let tissues = self.tissues(&s.tissues)?;
        let segment = match (&s.phantom, &s.image) {
            (None, None) => Some(Arc::new(self.segment(&tissues)?)),
            _ => None,
        };
        // Needles and region first: of an image only the part round them is read.
        let needles = self.needles(s, segment.as_deref())?;
        let domain = self.domain(&s.domain, &needles)?;
        let (anatomy, setting, used) = self.anatomy(s, &tissues, segment, &needles, &domain)?;
        for (index, name) in tissues.names.iter().enumerate() {
            if used.contains(&TissueId(index as u8)) {
                self.note_tissue(name, s);
            }
        }
        let initial_temperature_c = self.within(
            "domain.initial_temperature_c",
            s.domain.initial_temperature_c.unwrap_or(BODY_C),
            0.0..=45.0,
            "°C",
        )?;
        let boundary_temperature_c = self.within(
            "domain.boundary_temperature_c",
            s.domain.boundary_temperature_c.unwrap_or(BODY_C),
            0.0..=45.0,
            "°C",
        )?;
        let (drive, heating_s, cooling_s, limits) = self.drive(s, initial_temperature_c)?;
        let injury = self.injury(s)?;
        let blood = self.blood(s)?;
        let probes = self.probes(s, &domain)?;
        let mut nerves = match &setting {
            Setting::BuiltIn(segment) => segment.nerves(),
            Setting::Phantom | Setting::Image(_) => Vec::new(),
        };
        nerves.extend(self.nerves(s, &domain)?);
        let output_times_s = self.output_times(s, heating_s, heating_s + cooling_s)?;
        let solver = self.solver(s)?;
        self.check_placement(&needles, &domain, &*anatomy, &tissues)?;
        let problem = LesionProblem {
            tissues: tissues.properties,
            tissue_names: tissues.names,
            anatomy,
            domain,
            needles,
            drive,
            heating_s,
            cooling_s,
            limits,
            injury,
            perfusion: match s.perfusion {
                PerfusionMode::On => Perfusion::On,
                PerfusionMode::Off => Perfusion::Off,
                PerfusionMode::StopsWithInjury => Perfusion::StopsWithInjury,
            },
            blood,
            initial_temperature_c,
            boundary_temperature_c,
            latent_heat: s.latent_heat,
            probes,
            output_times_s,
            nerves,
            solver,
        };
        Ok((problem, setting))
    }

    /// The catalogue's tissues in their order with the scenario's changes, then the scenario's own in name order.
    fn tissues(&self, tables: &BTreeMap<String, TissueTable>) -> Result<Tissues> {
        let mut names: Vec<String> = self.catalog.tissues.iter().map(|t| t.name.clone()).collect();
        names.extend(
            tables
                .keys()
                .filter(|k| find(&self.catalog.tissues, k).is_none())
                .cloned(),
        );
        self.cap("tissues", names.len(), usize::from(u8::MAX))?;
        let empty = TissueTable::default();
        let properties = names
            .iter()
            .map(|name| self.tissue(name, tables.get(name).unwrap_or(&empty)))
            .collect::<Result<_>>()?;
        Ok(Tissues { names, properties })
    }

    fn tissue(&self, name: &str, table: &TissueTable) -> Result<TissueProperties> {
        let path = format!("tissues.{name}");
        let base = match &table.based_on {
            Some(base) => Some(self.entry(&format!("{path}.based_on"), &self.catalog.tissues, base)?),
            None => find(&self.catalog.tissues, name),
        }
        .map(neurotome_procedure::catalog::Tissue::properties);
        let pick = |key: &str, own: Option<f64>, base: Option<f64>, low: f64, high: f64, unit: &str| -> Result<f64> {
            let path = format!("{path}.{key}");
            let Some(value) = own.or(base) else {
                return Err(self.fault(
                    &path,
                    format!("tissue \"{name}\" is not in the catalogue and has no `{key}`"),
                    "give this key, or a tissue of the catalogue in `based_on`",
                ));
            };
            if low > 0.0 {
                self.positive(&path, value, high, unit)
            } else {
                self.within(&path, value, low..=high, unit)
            }
        };
        let b = base.as_ref();
        Ok(TissueProperties {
            sigma_s_per_m: pick(
                "sigma_s_per_m",
                table.sigma_s_per_m,
                b.map(|b| b.sigma_s_per_m),
                1.0,
                100.0,
                "S/m",
            )?,
            sigma_temperature_coefficient_per_k: pick(
                "sigma_temperature_coefficient_per_k",
                table.sigma_temperature_coefficient_per_k,
                b.map(|b| b.sigma_temperature_coefficient_per_k),
                -0.02,
                0.1,
                "1/K",
            )?,
            sigma_limit_temperature_c: pick(
                "sigma_limit_temperature_c",
                table.sigma_limit_temperature_c,
                b.map(|b| b.sigma_limit_temperature_c),
                1.0,
                1000.0,
                "°C",
            )?,
            thermal_conductivity_w_per_m_k: pick(
                "thermal_conductivity_w_per_m_k",
                table.thermal_conductivity_w_per_m_k,
                b.map(|b| b.thermal_conductivity_w_per_m_k),
                1.0,
                500.0,
                "W/(m K)",
            )?,
            density_kg_per_m3: pick(
                "density_kg_per_m3",
                table.density_kg_per_m3,
                b.map(|b| b.density_kg_per_m3),
                1.0,
                25_000.0,
                "kg/m³",
            )?,
            specific_heat_j_per_kg_k: pick(
                "specific_heat_j_per_kg_k",
                table.specific_heat_j_per_kg_k,
                b.map(|b| b.specific_heat_j_per_kg_k),
                1.0,
                20_000.0,
                "J/(kg K)",
            )?,
            perfusion_per_s: pick(
                "perfusion_per_s",
                table.perfusion_per_s,
                b.map(|b| b.perfusion_per_s),
                0.0,
                1.0,
                "1/s",
            )?,
            water_fraction: pick(
                "water_fraction",
                table.water_fraction,
                b.map(|b| b.water_fraction),
                0.0,
                1.0,
                "",
            )?,
        })
    }

    /// Notes the unverified values of a tissue that the run uses and the scenario does not replace.
    fn note_tissue(&mut self, name: &str, s: &Scenario) {
        let empty = TissueTable::default();
        let table = s.tissues.get(name).unwrap_or(&empty);
        let base = table.based_on.as_deref().unwrap_or(name);
        let Some(tissue) = find(&self.catalog.tissues, base) else {
            return;
        };
        let subject = format!("tissue {name}");
        let perfused = s.perfusion != PerfusionMode::Off;
        for (key, own, used, value) in [
            ("sigma_s_per_m", table.sigma_s_per_m, true, &tissue.sigma_s_per_m),
            (
                "sigma_temperature_coefficient_per_k",
                table.sigma_temperature_coefficient_per_k,
                true,
                &tissue.sigma_temperature_coefficient_per_k,
            ),
            (
                "sigma_limit_temperature_c",
                table.sigma_limit_temperature_c,
                true,
                &tissue.sigma_limit_temperature_c,
            ),
            (
                "thermal_conductivity_w_per_m_k",
                table.thermal_conductivity_w_per_m_k,
                true,
                &tissue.thermal_conductivity_w_per_m_k,
            ),
            (
                "density_kg_per_m3",
                table.density_kg_per_m3,
                true,
                &tissue.density_kg_per_m3,
            ),
            (
                "specific_heat_j_per_kg_k",
                table.specific_heat_j_per_kg_k,
                true,
                &tissue.specific_heat_j_per_kg_k,
            ),
            (
                "perfusion_per_s",
                table.perfusion_per_s,
                perfused,
                &tissue.perfusion_per_s,
            ),
            (
                "water_fraction",
                table.water_fraction,
                s.latent_heat,
                &tissue.water_fraction,
            ),
        ] {
            if own.is_none() && used {
                self.note(&subject, key, value);
            }
        }
    }

    fn tissue_id(&self, path: &str, tissues: &Tissues, name: &str) -> Result<TissueId> {
        let index = tissues.names.iter().position(|n| n == name).ok_or_else(|| {
            let names: Vec<&str> = tissues.names.iter().map(String::as_str).collect();
            self.unknown(path, "tissue", name, &names)
        })?;
        Ok(TissueId(index as u8))
    }

    fn segment(&self, tissues: &Tissues) -> Result<LumbarSegment> {
        let id = |name: &str| self.tissue_id("tissues", tissues, name);
        Ok(LumbarSegment::new(TissueIds {
            muscle: id("muscle")?,
            fat: id("fat")?,
            skin: id("skin")?,
            cortical_bone: id("cortical_bone")?,
            cancellous_bone: id("cancellous_bone")?,
            intervertebral_disc: id("intervertebral_disc")?,
            csf: id("csf")?,
            nerve: id("nerve")?,
            cartilage: id("cartilage")?,
            ligament: id("ligament")?,
            air: id("air")?,
        }))
    }

    /// The tissue field, the setting and the tissues that occur in it.
    fn anatomy(
        &mut self,
        s: &Scenario,
        tissues: &Tissues,
        segment: Option<Arc<LumbarSegment>>,
        needles: &[Needle],
        domain: &Domain,
    ) -> Result<(Arc<dyn TissueField>, Setting, Vec<TissueId>)> {
        if let Some(phantom) = &s.phantom {
            let (field, used) = self.phantom(phantom, tissues)?;
            return Ok((Arc::new(field), Setting::Phantom, used));
        }
        if let Some(image) = &s.image {
            return self.image(image, tissues, needles, domain);
        }
        let segment = match segment {
            Some(segment) => segment,
            None => Arc::new(self.segment(tissues)?),
        };
        let used = self.ids(tissues, &BUILT_IN_TISSUES)?;
        Ok((segment.clone(), Setting::BuiltIn(segment), used))
    }

    fn ids(&self, tissues: &Tissues, names: &[&str]) -> Result<Vec<TissueId>> {
        names
            .iter()
            .map(|name| self.tissue_id("tissues", tissues, name))
            .collect()
    }

    fn image(
        &mut self,
        image: &Image,
        tissues: &Tissues,
        needles: &[Needle],
        domain: &Domain,
    ) -> Result<(Arc<dyn TissueField>, Setting, Vec<TissueId>)> {
        const ADVICE: &str = "give a CT in Hounsfield units: a DICOM folder or zip, or a NIfTI file";
        let full = self.resolve("image.path", &image.path)?;
        let half = match domain.shape {
            DomainShape::Box { half_mm } => Vec3::from(half_mm),
            DomainShape::Cylinder { .. } | DomainShape::Sphere { .. } => Vec3::repeat(domain.half_extent_mm()),
        }
        .add_scalar(IMAGE_MARGIN_MM);
        let center = domain.center.vec();
        let options = CtOptions {
            series: image.series.clone(),
            crop: Some(PatientBox {
                low: PatientPoint::from_vec(center - half),
                high: PatientPoint::from_vec(center + half),
            }),
        };
        let ct = read_ct_with(&full, &options).map_err(|e| self.fault("image.path", e.to_string(), ADVICE))?;
        self.input("image.path", &image.path, &full)?;
        self.remarks.extend(ct.notes);
        for (i, needle) in needles.iter().enumerate() {
            if !ct.hu.contains(&needle.tip) {
                return Err(self.fault(
                    &self.position_path(i),
                    format!(
                        "the tip of needle {} at {:?} mm lies outside the image",
                        i + 1,
                        needle.tip.xyz
                    ),
                    "positions are LPS millimetres of the image's own frame",
                ));
            }
        }
        let labels = self.labels(image)?;
        let id = |name: &str| self.tissue_id("tissues", tissues, name);
        let ids = ct::TissueIds {
            air: id("air")?,
            fat: id("fat")?,
            muscle: id("muscle")?,
            skin: Some(id("skin")?),
            cancellous_bone: id("cancellous_bone")?,
            cortical_bone: id("cortical_bone")?,
            csf: Some(id("csf")?),
            disc: Some(id("intervertebral_disc")?),
        };
        let mut used = self.ids(
            tissues,
            &["air", "fat", "muscle", "skin", "cancellous_bone", "cortical_bone"],
        )?;
        if labels.is_some() {
            used.extend(self.ids(tissues, &["csf", "intervertebral_disc"])?);
        }
        let field = CtAnatomy::new(&ct.hu, labels.as_ref(), ids, &CtRules::default())
            .map_err(|e| self.fault("image", e.to_string(), "see [image]"))?;
        self.remarks.extend(field.notes().iter().cloned());
        Ok((Arc::new(field), Setting::Image(Arc::new(ct.hu)), used))
    }

    fn labels(&mut self, image: &Image) -> Result<Option<LabelMap>> {
        let Some(written) = &image.labels else {
            self.unused(
                "image.label_meaning",
                image.label_meaning.is_some(),
                "without `image.labels`",
            )?;
            self.unused(
                "image.label_structures",
                !image.label_structures.is_empty(),
                "without `image.labels`",
            )?;
            return Ok(None);
        };
        let meaning = match (image.label_meaning, image.label_structures.is_empty()) {
            (Some(LabelNumbering::TotalSegmentator), true) => LabelMeaning::TotalSegmentator,
            (Some(LabelNumbering::TptboxVertebrae), true) => LabelMeaning::TptboxVertebrae,
            (Some(LabelNumbering::TptboxSubregions), true) => LabelMeaning::TptboxSubregions,
            (None, false) => LabelMeaning::Table(
                image
                    .label_structures
                    .iter()
                    .map(|(label, structure)| {
                        let structure = match structure {
                            LabelStructure::Bone => Structure::Bone,
                            LabelStructure::Disc => Structure::Disc,
                            LabelStructure::Canal => Structure::Canal,
                        };
                        Ok((
                            self.label_number(&format!("image.label_structures.{label}"), label)?,
                            structure,
                        ))
                    })
                    .collect::<Result<_>>()?,
            ),
            (None, true) => {
                return Err(self.missing("image.label_meaning", "it says what the numbers of `image.labels` mean"));
            }
            (Some(_), false) => {
                return Err(self.fault(
                    "image.label_structures",
                    "both `image.label_meaning` and `image.label_structures` are given, expected one",
                    "remove one of the two",
                ));
            }
        };
        let full = self.resolve("image.labels", written)?;
        let labels =
            read_label_nifti(&full).map_err(|e| self.fault("image.labels", e.to_string(), "give a NIfTI label map"))?;
        self.input("image.labels", written, &full)?;
        Ok(Some(LabelMap { labels, meaning }))
    }

    fn label_number(&self, path: &str, label: &str) -> Result<u16> {
        label.parse().map_err(|_| {
            self.fault(
                path,
                format!("the label \"{label}\" is not a whole number from 0 to 65535"),
                "write numbers before the equals sign, as in { 1 = … }",
            )
        })
    }

    fn phantom(&mut self, phantom: &Phantom, tissues: &Tissues) -> Result<(PhantomField, Vec<TissueId>)> {
        self.cap("phantom.regions", phantom.regions.len(), MAX_REGIONS)?;
        let background = self.tissue_id("phantom.background", tissues, &phantom.background)?;
        let mut used = vec![background];
        let mut regions = Vec::with_capacity(phantom.regions.len());
        for (i, region) in phantom.regions.iter().enumerate() {
            let path = format!("phantom.regions[{i}]");
            if region.shape == RegionShape::Labels {
                regions.push(self.label_region(&path, region, tissues, &mut used)?);
                continue;
            }
            let name = region
                .tissue
                .as_deref()
                .ok_or_else(|| self.missing(&format!("{path}.tissue"), "every region but labels has a tissue"))?;
            let tissue = self.tissue_id(&format!("{path}.tissue"), tissues, name)?;
            used.push(tissue);
            regions.push(SolidRegion::Solid {
                shape: self.shape(&path, region)?,
                tissue,
            });
        }
        Ok((PhantomField { background, regions }, used))
    }

    fn shape(&self, path: &str, r: &Region) -> Result<Shape> {
        use RegionShape as S;
        let kind = match r.shape {
            S::Box => "box",
            S::Sphere => "sphere",
            S::Cylinder => "cylinder",
            S::Capsule => "capsule",
            S::HalfSpace => "half_space",
            S::Layer => "layer",
            S::Labels => "labels",
        };
        let needs = format!("a {kind} needs it");
        let why = format!("for a {kind}");
        let key = |k: &str| format!("{path}.{k}");
        for (name, given, shapes) in [
            (
                "center_mm",
                r.center_mm.is_some(),
                &[S::Box, S::Sphere, S::Cylinder][..],
            ),
            ("half_mm", r.half_mm.is_some(), &[S::Box]),
            (
                "radius_mm",
                r.radius_mm.is_some(),
                &[S::Sphere, S::Cylinder, S::Capsule],
            ),
            ("axis", r.axis.is_some(), &[S::Cylinder]),
            ("half_length_mm", r.half_length_mm.is_some(), &[S::Cylinder]),
            ("from_mm", r.from_mm.is_some(), &[S::Capsule]),
            ("to_mm", r.to_mm.is_some(), &[S::Capsule]),
            ("point_mm", r.point_mm.is_some(), &[S::HalfSpace, S::Layer]),
            ("normal", r.normal.is_some(), &[S::HalfSpace, S::Layer]),
            ("thickness_mm", r.thickness_mm.is_some(), &[S::Layer]),
            ("path", r.path.is_some(), &[]),
            ("label_tissues", !r.label_tissues.is_empty(), &[]),
        ] {
            if !shapes.contains(&r.shape) {
                self.unused(&key(name), given, &why)?;
            }
        }
        let point = |k: &str, v: Option<[f64; 3]>| -> Result<Vec3> {
            let v = self.required(&key(k), v, &needs)?;
            Ok(self.point(&key(k), v)?.vec())
        };
        let length = |k: &str, v: Option<f64>| -> Result<f64> {
            let v = self.required(&key(k), v, &needs)?;
            self.positive(&key(k), v, MAX_COORDINATE_MM, "mm")
        };
        let unit = |k: &str, v: Option<[f64; 3]>| -> Result<Vec3> {
            let v = self.required(&key(k), v, &needs)?;
            self.direction(&key(k), v)
        };
        Ok(match r.shape {
            S::Box => {
                let half = self.required(&key("half_mm"), r.half_mm, &needs)?;
                for h in half {
                    self.positive(&key("half_mm"), h, MAX_COORDINATE_MM, "mm")?;
                }
                Shape::Box {
                    center: point("center_mm", r.center_mm)?,
                    half_mm: Vec3::from(half),
                }
            }
            S::Sphere => Shape::Sphere {
                center: point("center_mm", r.center_mm)?,
                radius_mm: length("radius_mm", r.radius_mm)?,
            },
            S::Cylinder => Shape::Cylinder {
                center: point("center_mm", r.center_mm)?,
                axis: unit("axis", r.axis)?,
                radius_mm: length("radius_mm", r.radius_mm)?,
                half_length_mm: length("half_length_mm", r.half_length_mm)?,
            },
            S::Capsule => Shape::Capsule {
                from: point("from_mm", r.from_mm)?,
                to: point("to_mm", r.to_mm)?,
                radius_mm: length("radius_mm", r.radius_mm)?,
            },
            S::HalfSpace => Shape::HalfSpace {
                point: point("point_mm", r.point_mm)?,
                normal: unit("normal", r.normal)?,
            },
            S::Layer => Shape::Layer {
                point: point("point_mm", r.point_mm)?,
                normal: unit("normal", r.normal)?,
                thickness_mm: length("thickness_mm", r.thickness_mm)?,
            },
            S::Labels => unreachable!("label regions are read elsewhere"),
        })
    }

    /// The absolute place of a path written in the scenario.
    fn resolve(&self, path: &str, written: &str) -> Result<PathBuf> {
        let variable = format!("${{{TEST_DATA_VARIABLE}}}");
        let expanded = if written.contains(&variable) {
            let folder = env::var(TEST_DATA_VARIABLE).map_err(|_| {
                self.fault(
                    path,
                    format!("`{path}` names {variable}, but this environment variable is not set"),
                    format!("set {TEST_DATA_VARIABLE} to the folder of the images, or write the path itself"),
                )
            })?;
            written.replace(&variable, &folder)
        } else {
            written.to_owned()
        };
        let full = self.source.folder.join(expanded);
        if fs::metadata(&full).is_err() {
            return Err(self.fault(
                path,
                format!("`{path}` names \"{written}\", which does not exist"),
                "relative paths start at the scenario file's folder",
            ));
        }
        Ok(full)
    }

    /// Notes an input file with its hash.
    fn input(&mut self, path: &str, written: &str, full: &Path) -> Result<()> {
        let sha256 = sha256_of(full).map_err(|reason| {
            self.fault(
                path,
                format!("`{path}` names \"{written}\", which cannot be read: {reason}"),
                "check the file and its permissions",
            )
        })?;
        let input = InputFile {
            path: written.to_owned(),
            sha256,
        };
        if !self.inputs.contains(&input) {
            self.inputs.push(input);
        }
        Ok(())
    }

    fn label_region(
        &mut self,
        path: &str,
        r: &Region,
        tissues: &Tissues,
        used: &mut Vec<TissueId>,
    ) -> Result<SolidRegion> {
        let key = |k: &str| format!("{path}.{k}");
        self.unused(&key("tissue"), r.tissue.is_some(), "for labels; use `label_tissues`")?;
        for (k, given) in [
            ("center_mm", r.center_mm.is_some()),
            ("half_mm", r.half_mm.is_some()),
            ("radius_mm", r.radius_mm.is_some()),
            ("axis", r.axis.is_some()),
            ("half_length_mm", r.half_length_mm.is_some()),
            ("from_mm", r.from_mm.is_some()),
            ("to_mm", r.to_mm.is_some()),
            ("point_mm", r.point_mm.is_some()),
            ("normal", r.normal.is_some()),
            ("thickness_mm", r.thickness_mm.is_some()),
        ] {
            self.unused(&key(k), given, "for labels")?;
        }
        let written = self.required(&key("path"), r.path.as_deref(), "labels come from a NIfTI file")?;
        if r.label_tissues.is_empty() {
            return Err(self.missing(&key("label_tissues"), "it gives the tissue of each label number"));
        }
        let mut table = Vec::with_capacity(r.label_tissues.len());
        for (label, tissue) in &r.label_tissues {
            let path = format!("{path}.label_tissues.{label}");
            let number = self.label_number(&path, label)?;
            let id = self.tissue_id(&path, tissues, tissue)?;
            table.push((number, id));
            used.push(id);
        }
        table.sort_unstable();
        let full = self.resolve(&key("path"), written)?;
        let volume =
            read_label_nifti(&full).map_err(|e| self.fault(&key("path"), e.to_string(), "give a NIfTI label map"))?;
        self.input(&key("path"), written, &full)?;
        Ok(SolidRegion::Labels {
            volume: Arc::new(volume),
            tissues: table,
        })
    }

    fn needles(&mut self, s: &Scenario, segment: Option<&LumbarSegment>) -> Result<Vec<Needle>> {
        if s.needles.is_empty() {
            return Err(self.fault(
                "needles",
                "there is no needle",
                "add a [[needles]] table with `cannula`, `tip_mm` and `direction`",
            ));
        }
        let bipolar = s.drive.arrangement == Arrangement::Bipolar;
        if bipolar && s.needles.len() != 2 {
            return Err(self.fault(
                "drive.arrangement",
                format!("a bipolar arrangement with {} needles, expected two", s.needles.len()),
                "give exactly two [[needles]], or arrangement = \"monopolar\"",
            ));
        }
        let mut needles = Vec::with_capacity(s.needles.len());
        for (i, table) in s.needles.iter().enumerate() {
            let default_fraction = match (bipolar, i) {
                (false, _) => 1.0,
                (true, 0) => 0.5,
                (true, _) => -0.5,
            };
            needles.push(self.needle(&format!("needles[{i}]"), table, default_fraction, segment)?);
        }
        if needles.iter().all(|n| n.potential_fraction == 0.0) {
            return Err(self.fault(
                "needles[0].potential_fraction",
                "every `potential_fraction` is 0, so no current flows",
                "give one needle a fraction other than 0",
            ));
        }
        Ok(needles)
    }

    fn needle(
        &mut self,
        path: &str,
        n: &NeedleTable,
        default_fraction: f64,
        segment: Option<&LumbarSegment>,
    ) -> Result<Needle> {
        let key = |k: &str| format!("{path}.{k}");
        let catalog = self.catalog;
        let cannula: Option<&Cannula> = match &n.cannula {
            Some(name) => Some(self.entry(&key("cannula"), &catalog.cannulas, name)?),
            None => None,
        };
        let subject = cannula.map(|c| format!("cannula {}", c.name)).unwrap_or_default();
        // A size of the scenario goes before that of the cannula; `fallback` holds where neither gives one.
        let mut size = |k: &str, own: Option<f64>, from: Option<&Sourced>, fallback: Option<f64>| -> Result<f64> {
            match (own, from, fallback) {
                (Some(v), _, _) => Ok(v),
                (None, Some(v), _) => {
                    self.note(&subject, k, v);
                    Ok(v.value)
                }
                (None, None, Some(v)) => Ok(v),
                (None, None, None) => Err(self.missing(&key(k), "a needle needs it, or a `cannula` of the catalogue")),
            }
        };
        let c = cannula;
        let outer_diameter_mm = size(
            "outer_diameter_mm",
            n.outer_diameter_mm,
            c.map(|c| &c.outer_diameter_mm),
            None,
        )?;
        let active_tip_mm = size("active_tip_mm", n.active_tip_mm, c.map(|c| &c.active_tip_mm), None)?;
        let length_mm = size("length_mm", n.length_mm, c.map(|c| &c.length_mm), Some(100.0))?;
        let thermocouple_from_tip_mm = size(
            "thermocouple_from_tip_mm",
            n.thermocouple_from_tip_mm,
            c.map(|c| &c.thermocouple_from_tip_mm),
            Some(0.5),
        )?;
        let bend_angle = c.and_then(|c| c.bend_angle_deg.as_ref());
        let bend_length = c.and_then(|c| c.bend_length_mm.as_ref());
        let curved = n.bend_angle_deg.is_some() || n.bend_length_mm.is_some() || bend_angle.is_some();
        let bend = if curved {
            Some((
                size("bend_angle_deg", n.bend_angle_deg, bend_angle, None)?,
                size("bend_length_mm", n.bend_length_mm, bend_length, None)?,
            ))
        } else {
            None
        };
        self.positive(&key("outer_diameter_mm"), outer_diameter_mm, 5.0, "mm")?;
        self.positive(&key("length_mm"), length_mm, 500.0, "mm")?;
        self.positive(&key("active_tip_mm"), active_tip_mm, 500.0, "mm")?;
        if active_tip_mm >= length_mm {
            return Err(self.fault(
                &key("active_tip_mm"),
                format!("the active tip of {active_tip_mm} mm is not shorter than the needle of {length_mm} mm"),
                "shorten `active_tip_mm` or lengthen `length_mm`",
            ));
        }
        if active_tip_mm < 0.5 * outer_diameter_mm {
            return Err(self.fault(
                &key("active_tip_mm"),
                format!(
                    "the active tip of {active_tip_mm} mm is shorter than its rounded end of {} mm",
                    0.5 * outer_diameter_mm
                ),
                "lengthen `active_tip_mm`",
            ));
        }
        self.within(
            &key("thermocouple_from_tip_mm"),
            thermocouple_from_tip_mm,
            0.0..=length_mm,
            "mm",
        )?;
        let bend = match bend {
            None => {
                self.unused(&key("bend_towards"), n.bend_towards.is_some(), "for a straight cannula")?;
                None
            }
            Some((angle_deg, bend_length_mm)) => {
                self.positive(&key("bend_angle_deg"), angle_deg, 90.0, "degrees")?;
                self.positive(&key("bend_length_mm"), bend_length_mm, length_mm, "mm")?;
                let towards = self.required(
                    &key("bend_towards"),
                    n.bend_towards,
                    "a curved cannula bends towards some side",
                )?;
                Some(Bend {
                    angle_deg,
                    length_mm: bend_length_mm,
                    towards: self.direction(&key("bend_towards"), towards)?.into(),
                })
            }
        };
        let (tip, direction) = self.pose(path, n, bend.as_ref(), segment)?;
        if let Some(bend) = &bend {
            if Vec3::from(bend.towards).cross(&direction).norm() < 1e-3 {
                return Err(self.fault(
                    &key("bend_towards"),
                    format!(
                        "`{}` lies along the shaft, expected a direction across it",
                        key("bend_towards")
                    ),
                    "give the side to which the tip bends",
                ));
            }
        }
        let metal = self.metal(path, n, cannula)?;
        let potential_fraction = self.within(
            &key("potential_fraction"),
            n.potential_fraction.unwrap_or(default_fraction),
            -1.0..=1.0,
            "",
        )?;
        Ok(Needle {
            tip,
            direction: direction.into(),
            outer_diameter_mm,
            active_tip_mm,
            length_mm,
            bend,
            potential_fraction,
            thermocouple_from_tip_mm,
            metal,
        })
    }

    fn pose(
        &self,
        path: &str,
        n: &NeedleTable,
        bend: Option<&Bend>,
        segment: Option<&LumbarSegment>,
    ) -> Result<(PatientPoint, Vec3)> {
        let key = |k: &str| format!("{path}.{k}");
        match (n.tip_mm, n.direction, n.target_mm, n.entry_mm) {
            (Some(tip), Some(direction), None, None) => Ok((
                self.point(&key("tip_mm"), tip)?,
                self.direction(&key("direction"), direction)?,
            )),
            (None, None, Some(target), Some(entry)) => {
                let tip = self.point(&key("target_mm"), target)?;
                let entry_point = self.point(&key("entry_mm"), entry)?;
                let direction = shaft_direction(&tip.vec(), &entry_point.vec(), bend).ok_or_else(|| {
                    self.fault(
                        &key("entry_mm"),
                        format!("entry {entry:?} and target {target:?} give no direction"),
                        "move the entry away from the target",
                    )
                })?;
                Ok((tip, direction))
            }
            (None, None, None, None) => match segment {
                Some(segment) => {
                    let needle = segment.default_needle();
                    Ok((needle.tip, Vec3::from(needle.direction)))
                }
                None => Err(self.fault(
                    path,
                    format!("`{path}` has no position"),
                    "give `tip_mm` and `direction`, or `target_mm` and `entry_mm`",
                )),
            },
            _ => Err(self.fault(
                path,
                format!("the position of `{path}` is incomplete or given twice"),
                "give either `tip_mm` and `direction`, or `target_mm` and `entry_mm`",
            )),
        }
    }

    fn metal(&mut self, path: &str, n: &NeedleTable, cannula: Option<&Cannula>) -> Result<Metal> {
        let name = cannula.map_or(DEFAULT_METAL, |c| c.metal.as_str());
        let catalog = self.catalog;
        let entry = self.entry(&format!("{path}.metal"), &catalog.metals, name)?;
        let subject = format!("metal {name}");
        let mut pick = |k: &str, own: Option<f64>, from: &Sourced, high: f64, unit: &str| -> Result<f64> {
            if own.is_none() {
                self.note(&subject, k, from);
            }
            self.positive(&format!("{path}.metal.{k}"), own.unwrap_or(from.value), high, unit)
        };
        Ok(Metal {
            thermal_conductivity_w_per_m_k: pick(
                "thermal_conductivity_w_per_m_k",
                n.metal.thermal_conductivity_w_per_m_k,
                &entry.thermal_conductivity_w_per_m_k,
                500.0,
                "W/(m K)",
            )?,
            density_kg_per_m3: pick(
                "density_kg_per_m3",
                n.metal.density_kg_per_m3,
                &entry.density_kg_per_m3,
                25_000.0,
                "kg/m³",
            )?,
            specific_heat_j_per_kg_k: pick(
                "specific_heat_j_per_kg_k",
                n.metal.specific_heat_j_per_kg_k,
                &entry.specific_heat_j_per_kg_k,
                20_000.0,
                "J/(kg K)",
            )?,
        })
    }

    fn domain(&self, d: &DomainTable, needles: &[Needle]) -> Result<Domain> {
        let center = match d.center_mm {
            Some(c) => self.point("domain.center_mm", c)?,
            None => {
                let sum: Vec3 = needles.iter().map(|n| n.tip.vec()).sum();
                PatientPoint::from_vec(sum / needles.len() as f64)
            }
        };
        let half = |k: &str, v: Option<f64>| {
            self.within(&format!("domain.{k}"), v.unwrap_or(DEFAULT_HALF_MM), 5.0..=1000.0, "mm")
        };
        let shape = match d.shape.unwrap_or(DomainKind::Box) {
            DomainKind::Box => {
                for (k, given) in [
                    ("radius_mm", d.radius_mm.is_some()),
                    ("half_length_mm", d.half_length_mm.is_some()),
                    ("axis", d.axis.is_some()),
                ] {
                    self.unused(&format!("domain.{k}"), given, "for a box")?;
                }
                let half_mm = d.half_mm.unwrap_or([DEFAULT_HALF_MM; 3]);
                for h in half_mm {
                    half("half_mm", Some(h))?;
                }
                DomainShape::Box { half_mm }
            }
            DomainKind::Cylinder => {
                self.unused("domain.half_mm", d.half_mm.is_some(), "for a cylinder")?;
                DomainShape::Cylinder {
                    axis: self.direction("domain.axis", d.axis.unwrap_or([0.0, 0.0, 1.0]))?.into(),
                    radius_mm: half("radius_mm", d.radius_mm)?,
                    half_length_mm: half("half_length_mm", d.half_length_mm)?,
                }
            }
            DomainKind::Sphere => {
                for (k, given) in [
                    ("half_mm", d.half_mm.is_some()),
                    ("half_length_mm", d.half_length_mm.is_some()),
                    ("axis", d.axis.is_some()),
                ] {
                    self.unused(&format!("domain.{k}"), given, "for a sphere")?;
                }
                DomainShape::Sphere {
                    radius_mm: half("radius_mm", d.radius_mm)?,
                }
            }
        };
        Ok(Domain { center, shape })
    }

    /// Drive, seconds of heating, seconds of cooling, limits.
    fn drive(&mut self, s: &Scenario, initial_c: f64) -> Result<(Drive, f64, f64, Limits)> {
        let d = &s.drive;
        let name = d.generator.as_deref().unwrap_or(DEFAULT_GENERATOR);
        let catalog = self.catalog;
        let generator = self.entry("drive.generator", &catalog.generators, name)?;
        let subject = format!("generator {name}");
        let (mode, key) = match d.mode {
            DriveMode::Temperature => ("temperature", "set_temperature_c"),
            DriveMode::Voltage => ("voltage", "voltage_v"),
            DriveMode::Current => ("current", "current_a"),
            DriveMode::Power => ("power", "power_w"),
        };
        let why = format!("with mode = \"{mode}\"");
        for (k, given) in [
            ("set_temperature_c", d.set_temperature_c.is_some()),
            ("voltage_v", d.voltage_v.is_some()),
            ("current_a", d.current_a.is_some()),
            ("power_w", d.power_w.is_some()),
        ] {
            if k != key {
                self.unused(&format!("drive.{k}"), given, &why)?;
            }
        }
        let needs = format!("mode = \"{mode}\" needs it");
        let path = format!("drive.{key}");
        let mut ramp_s = 0.0;
        let drive = if d.mode == DriveMode::Temperature {
            let set_temperature_c = self.required(&path, d.set_temperature_c, &needs)?;
            if !(set_temperature_c > initial_c && set_temperature_c <= 100.0) {
                return Err(self.fault(
                    &path,
                    format!(
                        "the set temperature is {set_temperature_c} °C, expected above the {initial_c} °C at the start \
                         and at most 100 °C"
                    ),
                    "radiofrequency neurotomy uses 60 to 90 °C",
                ));
            }
            ramp_s = match (d.ramp_s, d.ramp_rate_c_per_s) {
                (Some(_), Some(_)) => {
                    return Err(self.fault(
                        "drive.ramp_rate_c_per_s",
                        "both `drive.ramp_s` and `drive.ramp_rate_c_per_s` are given, expected one",
                        "remove one of the two",
                    ));
                }
                (Some(ramp), None) => self.within("drive.ramp_s", ramp, 0.1..=600.0, "s")?,
                (None, Some(rate)) => {
                    (set_temperature_c - initial_c)
                        / self.within("drive.ramp_rate_c_per_s", rate, 0.05..=500.0, "°C/s")?
                }
                (None, None) => {
                    self.note(&subject, "ramp_s", &generator.ramp_s);
                    generator.ramp_s.value
                }
            };
            Drive::Temperature {
                set_temperature_c,
                ramp_s,
            }
        } else {
            for (k, given) in [
                ("ramp_s", d.ramp_s.is_some()),
                ("ramp_rate_c_per_s", d.ramp_rate_c_per_s.is_some()),
                ("hold_s", d.hold_s.is_some()),
            ] {
                self.unused(&format!("drive.{k}"), given, &why)?;
            }
            match d.mode {
                DriveMode::Voltage => {
                    let v = self.required(&path, d.voltage_v, &needs)?;
                    Drive::Voltage {
                        voltage_v: self.positive(&path, v, 1000.0, "V")?,
                    }
                }
                DriveMode::Current => {
                    let v = self.required(&path, d.current_a, &needs)?;
                    Drive::Current {
                        current_a: self.positive(&path, v, 20.0, "A")?,
                    }
                }
                DriveMode::Power | DriveMode::Temperature => {
                    let v = self.required(&path, d.power_w, &needs)?;
                    Drive::Power {
                        power_w: self.positive(&path, v, 500.0, "W")?,
                    }
                }
            }
        };
        let heating_s = match (d.heating_s, d.hold_s) {
            (Some(_), Some(_)) => {
                return Err(self.fault(
                    "drive.hold_s",
                    "both `drive.heating_s` and `drive.hold_s` are given, expected one",
                    "remove one of the two: heating_s includes the ramp, hold_s does not",
                ));
            }
            (Some(heating), None) => self.positive("drive.heating_s", heating, MAX_TIME_S, "s")?,
            (None, Some(hold)) => ramp_s + self.positive("drive.hold_s", hold, MAX_TIME_S, "s")?,
            (None, None) => return Err(self.missing("drive.heating_s", "how long does the current flow?")),
        };
        let cooling_s = self.within("drive.cooling_s", d.cooling_s.unwrap_or(0.0), 0.0..=MAX_TIME_S, "s")?;
        let mut limit = |k: &str, own: Option<f64>, catalog_key: &str, from: &Sourced, unit: &str| -> Result<f64> {
            if own.is_none() {
                self.note(&subject, catalog_key, from);
            }
            self.positive(&format!("drive.limits.{k}"), own.unwrap_or(from.value), 1e9, unit)
        };
        let limits = Limits {
            voltage_v: limit(
                "voltage_v",
                d.limits.voltage_v,
                "max_voltage_v",
                &generator.max_voltage_v,
                "V",
            )?,
            current_a: limit(
                "current_a",
                d.limits.current_a,
                "max_current_a",
                &generator.max_current_a,
                "A",
            )?,
            power_w: limit("power_w", d.limits.power_w, "max_power_w", &generator.max_power_w, "W")?,
        };
        Ok((drive, heating_s, cooling_s, limits))
    }

    fn injury(&mut self, s: &Scenario) -> Result<Arrhenius> {
        let t = &s.injury;
        let explicit = t.frequency_factor_per_s.is_some()
            || t.log10_frequency_factor_per_s.is_some()
            || t.activation_energy_j_per_mol.is_some();
        if !explicit {
            let name = t.law.as_deref().unwrap_or(DEFAULT_LAW);
            let catalog = self.catalog;
            let law = self.entry("injury.law", &catalog.injury, name)?;
            let subject = format!("injury {name}");
            for (key, value) in law.values() {
                self.note(&subject, key, value);
            }
            return law.arrhenius().ok_or_else(|| {
                self.fault(
                    "injury.law",
                    format!("law \"{name}\" has no usable frequency factor"),
                    "correct the catalogue",
                )
            });
        }
        self.unused("injury.law", t.law.is_some(), "beside explicit values")?;
        let ln_frequency_factor = match (t.frequency_factor_per_s, t.log10_frequency_factor_per_s) {
            (Some(a), None) => self.positive("injury.frequency_factor_per_s", a, 1e300, "1/s")?.ln(),
            (None, Some(log)) => {
                self.within("injury.log10_frequency_factor_per_s", log, 1.0..=1000.0, "")? * std::f64::consts::LN_10
            }
            (Some(_), Some(_)) => {
                return Err(self.fault(
                    "injury.log10_frequency_factor_per_s",
                    "the frequency factor is given twice, expected once",
                    "remove one of the two",
                ));
            }
            (None, None) => {
                return Err(self.missing("injury.frequency_factor_per_s", "an explicit law needs both numbers"));
            }
        };
        let energy = self.required(
            "injury.activation_energy_j_per_mol",
            t.activation_energy_j_per_mol,
            "an explicit law needs both numbers",
        )?;
        Ok(Arrhenius {
            ln_frequency_factor,
            activation_energy_j_per_mol: self.within(
                "injury.activation_energy_j_per_mol",
                energy,
                1e4..=5e6,
                "J/mol",
            )?,
        })
    }

    fn blood(&mut self, s: &Scenario) -> Result<Blood> {
        let catalog = self.catalog;
        let blood = self.entry("blood", &catalog.tissues, "blood")?;
        let used = s.perfusion != PerfusionMode::Off;
        let mut pick = |k: &str, own: Option<f64>, from: &Sourced, high: f64, unit: &str| -> Result<f64> {
            if own.is_none() && used {
                self.note("blood", k, from);
            }
            self.positive(&format!("blood.{k}"), own.unwrap_or(from.value), high, unit)
        };
        Ok(Blood {
            density_kg_per_m3: pick(
                "density_kg_per_m3",
                s.blood.density_kg_per_m3,
                &blood.density_kg_per_m3,
                5000.0,
                "kg/m³",
            )?,
            specific_heat_j_per_kg_k: pick(
                "specific_heat_j_per_kg_k",
                s.blood.specific_heat_j_per_kg_k,
                &blood.specific_heat_j_per_kg_k,
                20_000.0,
                "J/(kg K)",
            )?,
            temperature_c: self.within(
                "blood.temperature_c",
                s.blood.temperature_c.unwrap_or(BODY_C),
                0.0..=45.0,
                "°C",
            )?,
        })
    }

    fn inside(&self, path: &str, what: &str, p: &PatientPoint, domain: &Domain) -> Result<()> {
        if domain.level_mm(&p.vec()) < 0.0 {
            return Ok(());
        }
        Err(self.fault(
            path,
            format!("{what} at {:?} mm lies outside the region computed", p.xyz),
            "move it, or enlarge or move [domain]",
        ))
    }

    fn named(&self, path: &str, name: &str, earlier: &mut Vec<String>) -> Result<()> {
        if name.trim().is_empty() || name.len() > 100 {
            return Err(self.fault(
                path,
                format!("`{path}` is \"{name}\""),
                "give a name of 1 to 100 characters",
            ));
        }
        if earlier.iter().any(|e| e == name) {
            return Err(self.fault(
                path,
                format!("the name \"{name}\" occurs twice"),
                "give each one its own name",
            ));
        }
        earlier.push(name.to_owned());
        Ok(())
    }

    fn probes(&self, s: &Scenario, domain: &Domain) -> Result<Vec<Probe>> {
        let mut names = Vec::new();
        s.probes
            .iter()
            .enumerate()
            .map(|(i, p)| {
                self.named(&format!("probes[{i}].name"), &p.name, &mut names)?;
                let path = format!("probes[{i}].position_mm");
                let position = self.point(&path, p.position_mm)?;
                self.inside(&path, &format!("probe \"{}\"", p.name), &position, domain)?;
                Ok(Probe {
                    name: p.name.clone(),
                    position,
                })
            })
            .collect()
    }

    fn nerves(&self, s: &Scenario, domain: &Domain) -> Result<Vec<NerveCurve>> {
        let mut names = Vec::new();
        s.nerves
            .iter()
            .enumerate()
            .map(|(i, n)| {
                let key = |k: &str| format!("nerves[{i}].{k}");
                self.named(&key("name"), &n.name, &mut names)?;
                let path = key("points_mm");
                self.cap(&path, n.points_mm.len(), MAX_NERVE_POINTS)?;
                if n.points_mm.len() < 2 {
                    return Err(self.fault(
                        &path,
                        format!(
                            "nerve \"{}\" has {} points, expected at least 2",
                            n.name,
                            n.points_mm.len()
                        ),
                        "give its course from one end to the other",
                    ));
                }
                let points = n
                    .points_mm
                    .iter()
                    .map(|&p| self.point(&path, p))
                    .collect::<Result<Vec<_>>>()?;
                if !points.iter().any(|p| domain.level_mm(&p.vec()) < 0.0) {
                    self.inside(&path, &format!("nerve \"{}\"", n.name), &points[0], domain)?;
                }
                Ok(NerveCurve {
                    name: n.name.clone(),
                    points,
                    diameter_mm: self.positive(&key("diameter_mm"), n.diameter_mm, 30.0, "mm")?,
                    target: n.target,
                })
            })
            .collect()
    }

    fn output_times(&self, s: &Scenario, heating_s: f64, end_s: f64) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(s.output.times_s.len() + 2);
        for (i, &t) in s.output.times_s.iter().enumerate() {
            let path = format!("output.times_s[{i}]");
            if !(t > 0.0 && t <= end_s) {
                return Err(self.fault(
                    &path,
                    format!("output time {t} s, expected above 0 and at most {end_s} s, the end of the run"),
                    "remove it, or lengthen `drive.heating_s` or `drive.cooling_s`",
                ));
            }
            if times.last().is_some_and(|&last| t <= last) {
                return Err(self.fault(
                    &path,
                    format!("output time {t} s does not come after the one before it"),
                    "sort the times",
                ));
            }
            times.push(t);
        }
        for t in [heating_s, end_s] {
            if let Err(at) = times.binary_search_by(|x| x.total_cmp(&t)) {
                times.insert(at, t);
            }
        }
        Ok(times)
    }

    fn solver(&self, s: &Scenario) -> Result<SolverSettings> {
        let default = SolverSettings::default();
        let t = &s.solver;
        Ok(SolverSettings {
            cell_size: self.within(
                "solver.cell_size",
                t.cell_size.unwrap_or(default.cell_size),
                0.2..=4.0,
                "",
            )?,
            step_tolerance_k: self.within(
                "solver.step_tolerance_k",
                t.step_tolerance_k.unwrap_or(default.step_tolerance_k),
                1e-4..=2.0,
                "K",
            )?,
            linear_tolerance: self.within(
                "solver.linear_tolerance",
                t.linear_tolerance.unwrap_or(default.linear_tolerance),
                1e-12..=1e-3,
                "",
            )?,
            estimate_error: t.estimate_error.unwrap_or(default.estimate_error),
        })
    }

    /// Needles inside the domain, not in air, and apart from each other.
    fn check_placement(
        &self,
        needles: &[Needle],
        domain: &Domain,
        anatomy: &dyn TissueField,
        tissues: &Tissues,
    ) -> Result<()> {
        let lines: Vec<Vec<Vec3>> = needles.iter().map(center_line).collect();
        for (i, needle) in needles.iter().enumerate() {
            let path = self.position_path(i);
            let active_end = point_along(&lines[i], needle.active_tip_mm);
            for (what, p) in [("tip", needle.tip.vec()), ("active tip's upper end", active_end)] {
                let level = domain.level_mm(&p);
                if level > -MARGIN_MM {
                    return Err(self.fault(
                        &path,
                        format!(
                            "the {what} of needle {} at [{:.1}, {:.1}, {:.1}] mm lies outside the region computed, or \
                             within {MARGIN_MM} mm of its surface",
                            i + 1,
                            p.x,
                            p.y,
                            p.z
                        ),
                        "move the needle, or enlarge or move [domain]",
                    ));
                }
            }
            let tissue = anatomy.tissue_at(&needle.tip);
            if tissues.names.get(usize::from(tissue.0)).is_some_and(|n| n == "air") {
                return Err(self.fault(
                    &path,
                    format!("the tip of needle {} at {:?} mm lies in air", i + 1, needle.tip.xyz),
                    "move it into tissue; positions are LPS millimetres, y grows towards the back",
                ));
            }
        }
        for j in 1..needles.len() {
            for i in 0..j {
                let apart = lines[i]
                    .windows(2)
                    .flat_map(|a| lines[j].windows(2).map(move |b| (a, b)))
                    .map(|(a, b)| distance_between_segments(&a[0], &a[1], &b[0], &b[1]))
                    .fold(f64::INFINITY, f64::min);
                let radii = 0.5 * (needles[i].outer_diameter_mm + needles[j].outer_diameter_mm);
                if apart < radii {
                    return Err(self.fault(
                        &self.position_path(j),
                        format!(
                            "needles {} and {} cross: their axes come within {apart:.2} mm, expected more than {radii:.2} mm",
                            i + 1,
                            j + 1
                        ),
                        "move one of them",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The key that places needle `i`.
    fn position_path(&self, i: usize) -> String {
        ["tip_mm", "target_mm"]
            .iter()
            .map(|k| format!("needles[{i}].{k}"))
            .find(|p| {
                let (own, table) = (
                    span_of(&self.source.text, p),
                    span_of(&self.source.text, &format!("needles[{i}]")),
                );
                own != table
            })
            .unwrap_or_else(|| format!("needles[{i}]"))
    }
}

/// The point at `along_mm` from the start of a polyline.
fn point_along(line: &[Vec3], along_mm: f64) -> Vec3 {
    let mut rest = along_mm;
    for w in line.windows(2) {
        let length = (w[1] - w[0]).norm();
        if rest <= length && length > 0.0 {
            return w[0] + (w[1] - w[0]) * (rest / length);
        }
        rest -= length;
    }
    line.last().copied().unwrap_or_else(Vec3::zeros)
}
