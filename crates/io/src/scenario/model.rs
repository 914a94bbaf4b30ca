//! The scenario file, key by key. The documentation of each key is also the description in the JSON Schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use neurotome_procedure::anatomy::spine::Sex;

use super::spine::{SexName, SpineTable};

/// A radiofrequency procedure: where, with which needles, driven how, and what to report.
///
/// Positions are millimetres in the patient frame (LPS: x to the patient's left, y posterior, z superior).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// What this scenario shows, in one line.
    pub title: String,
    /// What perfusion does: "on", "off", or "stops_with_injury" (off at a point from the moment Ω ≥ 1 there; the default).
    pub perfusion: PerfusionMode,
    /// Boiling at 100 °C: latent heat, loss of water, collapse of the conductivity where tissue dries. Default: true, but false in a phantom, which most often is to be compared with a program that does not boil.
    #[serde(alias = "latent_heat")]
    pub boiling: Option<bool>,
    /// A fluid injected before heating.
    pub injectate: Option<InjectateTable>,
    /// A local anaesthetic, or another fluid, injected before heating; how it spreads is computed. Instead of `injectate`.
    pub anaesthetic: Option<AnaestheticTable>,
    /// A CT image. Give at most one of `image` and `phantom`; without both the built-in patient is used.
    pub image: Option<Image>,
    /// A phantom made of simple shapes.
    pub phantom: Option<Phantom>,
    /// Who the built-in patient is. Default: the mean adult man.
    pub spine: Option<SpineTable>,
    /// The region computed.
    pub domain: DomainTable,
    /// Tissues: new ones, and changes to those of the catalogue, by name.
    pub tissues: BTreeMap<String, TissueTable>,
    /// Blood.
    pub blood: BloodTable,
    /// Needles. The first one is controlled.
    pub needles: Vec<NeedleTable>,
    /// What the generator does.
    pub drive: DriveTable,
    /// Law of thermal injury.
    pub injury: InjuryTable,
    /// Nerves whose injury is reported.
    pub nerves: Vec<NerveTable>,
    /// The pad of the return electrode: with this table, even an empty one, the heating of the skin under it is reported.
    pub pad: Option<PadTable>,
    /// Named points whose temperature is reported.
    pub probes: Vec<ProbeTable>,
    /// When to report.
    pub output: OutputTable,
    /// Accuracy asked of the solver.
    pub solver: SolverTable,
    /// The whole procedure, from assessment to outcome: with this table, even an empty one, `neurotome simulate` and `neurotome run` treat
    /// the patient of this scenario step by step, and its needles are not used.
    pub procedure: Option<ProcedureTable>,
}

/// The whole procedure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProcedureTable {
    /// Facet joint, such as "L4-L5" (the default) or "L5-S1"; both its nerves are treated.
    pub joint: Option<String>,
    /// "left" or "right" (the default).
    pub side: Option<String>,
    /// The patient's history (TOML), relative to this scenario file. Default: the example of `neurotome assess --example`.
    pub history: Option<String>,
    /// Mass of the body, kg. Default: 70.
    pub body_mass_kg: Option<f64>,
    /// Cannulas at hand, of the catalogue: straight ones with a rounded end. Default: all lengths of 18 G with a 10 mm tip.
    pub cannulas: Vec<String>,
    /// C-arm of the catalogue.
    pub carm: Option<String>,
    /// The patient lies on the C-arm's table, which is in the beam. Default: true.
    pub table: Option<bool>,
    /// Generator of the catalogue. Default: "generic".
    pub generator: Option<String>,
    /// Poses ranked for each nerve. Default: 200.
    pub candidates: Option<u32>,
    /// Draws of nerve, placement and tissue for each pose. Default: 200.
    pub draws: Option<u32>,
    /// Full solves on coarse cells that the plan's fast model is fitted to. Default: 2.
    pub fit_solves: Option<u32>,
    /// Best poses of each nerve that the full solver checks. Default: 0, since the lesions themselves are solved.
    pub verified: Option<u32>,
    /// People of the virtual population. Default: 1000.
    pub people: Option<u32>,
    /// Faults that happen while lesions are made.
    #[serde(rename = "fault")]
    pub faults: Vec<FaultTable>,
    /// Seed of everything drawn. Default: 1.
    pub seed: Option<u64>,
}

/// A fault that happens while a lesion is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultTable {
    /// Which, as `neurotome faults` names them, such as "thermocouple_drifting" or "power_loss".
    pub kind: String,
    /// Seconds after the lesion's start. Default: 0, there before it.
    pub at_s: Option<f64>,
    /// How large, in the unit of the fault's row in the table of risks. Default: the usual size.
    pub size: Option<f64>,
    /// For how many seconds. Default: it stays.
    pub lasting_s: Option<f64>,
    /// In which lesion of the procedure, from 1. Default: 1.
    pub lesion: Option<u32>,
}

impl Scenario {
    /// Whether tissue water boils.
    pub fn boils(&self) -> bool {
        self.boiling.unwrap_or(self.phantom.is_none())
    }
}

/// What perfusion does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PerfusionMode {
    /// As in the tissue table, always.
    On,
    /// None.
    Off,
    /// As in the tissue table until Ω ≥ 1, then none.
    #[default]
    StopsWithInjury,
}

/// A CT image and, where there is one, a volume of labels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// DICOM folder, DICOM file, zip of DICOM files, or NIfTI file; relative to this scenario file. `${NEUROTOME_TEST_DATA}` stands for that environment variable.
    pub path: String,
    /// Labels on the same or another grid (NIfTI); relative to this scenario file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// What each label number stands for: a vertebra by its name, "T11", "T12", "L1" to "L6" or "S1", or "bone", "disc" or "canal"; other labels are not used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub label_meaning: BTreeMap<String, LabelStructure>,
    /// Instead of `label_meaning`: a known numbering, "total_segmentator", "tptbox_vertebrae" or "tptbox_subregions".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_numbering: Option<LabelNumbering>,
    /// SeriesInstanceUID, where a folder or zip holds more than one CT series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Fits the spine of the built-in patient to the bone of the image, which then has nerves, landmarks and levels: what a plan needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spine: Option<ImageSpine>,
}

/// How the spine is fitted to an image: to `image.labels`, or from a rough point in each vertebral body. At least two vertebrae in a row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImageSpine {
    /// Nerve beside which a needle without a position is laid, as in `[spine]`. Default: "L4 medial branch right".
    pub target: Option<String>,
    /// "female" or "male" (the default): whose mean sizes the fit starts from.
    #[schemars(with = "SexName")]
    pub sex: Sex,
    /// A rough point in the middle of each vertebral body by the vertebra's name, patient LPS mm, such as `L4 = [1.0, 40.0, -66.0]`; 4 mm off does no harm.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub points_mm: BTreeMap<String, [f64; 3]>,
    /// Instead of `points_mm`: a point list of 3D Slicer (`.mrk.json`) whose labels are the vertebrae's names; relative to this scenario file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markups: Option<String>,
}

/// Numbering of a label map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelNumbering {
    /// TotalSegmentator, task `total`, version 2.
    TotalSegmentator,
    /// TPTBox, vertebrae.
    TptboxVertebrae,
    /// TPTBox, parts of vertebrae.
    TptboxSubregions,
}

/// What a label stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelStructure {
    /// Bone with its marrow.
    Bone,
    /// Intervertebral disc.
    Disc,
    /// Spinal canal.
    Canal,
    /// Bone of the vertebra T11.
    #[serde(rename = "T11")]
    T11,
    /// Bone of the vertebra T12.
    #[serde(rename = "T12")]
    T12,
    /// Bone of the vertebra L1.
    #[serde(rename = "L1")]
    L1,
    /// Bone of the vertebra L2.
    #[serde(rename = "L2")]
    L2,
    /// Bone of the vertebra L3.
    #[serde(rename = "L3")]
    L3,
    /// Bone of the vertebra L4.
    #[serde(rename = "L4")]
    L4,
    /// Bone of the vertebra L5.
    #[serde(rename = "L5")]
    L5,
    /// Bone of the vertebra L6.
    #[serde(rename = "L6")]
    L6,
    /// Bone of the sacrum: its first vertebra or all of it.
    #[serde(rename = "S1")]
    S1,
}

/// A phantom: one tissue everywhere, and regions laid over it in order (a later region lies over an earlier one).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phantom {
    /// Tissue everywhere else.
    pub background: String,
    /// Regions.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// Direction of the fibres, for tissues with `sigma_fibre_ratio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fibres: Option<FibreTable>,
}

/// Direction of fibres, the same everywhere or turning evenly along a way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FibreTable {
    /// Direction along the fibres, at the origin when they turn.
    pub direction: [f64; 3],
    /// Axis about which the direction turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_axis: Option<[f64; 3]>,
    /// Direction of the way along which it turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_along: Option<[f64; 3]>,
    /// How far it turns, degrees per mm of that way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_deg_per_mm: Option<f64>,
    /// It turns no further beyond this distance from the origin, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_within_mm: Option<f64>,
}

/// A region of a phantom. Which keys it needs depends on its shape.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Shape: "box" (center_mm, half_mm), "sphere" (center_mm, radius_mm), "cylinder" (center_mm, axis, radius_mm, half_length_mm), "capsule" (from_mm, to_mm, radius_mm), "half_space" (point_mm, normal: the side to which the normal points), "layer" (point_mm, normal, thickness_mm along the normal), "labels" (path, label_tissues).
    pub shape: RegionShape,
    /// Its tissue (all shapes but "labels").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tissue: Option<String>,
    /// Centre, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center_mm: Option<[f64; 3]>,
    /// Half sides along x, y, z, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_mm: Option<[f64; 3]>,
    /// Radius, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_mm: Option<f64>,
    /// Direction of a cylinder's axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axis: Option<[f64; 3]>,
    /// Half length of a cylinder, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_length_mm: Option<f64>,
    /// One end of a capsule's axis, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_mm: Option<[f64; 3]>,
    /// Other end of a capsule's axis, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_mm: Option<[f64; 3]>,
    /// A point on the face of a half space or layer, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_mm: Option<[f64; 3]>,
    /// Normal of that face, pointing into the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<[f64; 3]>,
    /// Thickness of a layer, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thickness_mm: Option<f64>,
    /// Label volume (NIfTI); relative to this scenario file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Tissue of each label number; labels not named here leave what lies below.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub label_tissues: BTreeMap<String, String>,
}

/// Shape of a phantom's region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegionShape {
    /// Axis-aligned box.
    #[default]
    Box,
    /// Ball.
    Sphere,
    /// Finite cylinder.
    Cylinder,
    /// Cylinder with rounded ends: a vessel, a nerve.
    Capsule,
    /// Everything on one side of a plane.
    HalfSpace,
    /// A layer of constant thickness.
    Layer,
    /// A label volume.
    Labels,
}

/// The region computed; its surface is the return electrode and is held at the boundary temperature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DomainTable {
    /// Shape: "box" (half_mm), "cylinder" (axis, radius_mm, half_length_mm) or "sphere" (radius_mm). Default: a box of 60 mm half side.
    pub shape: Option<DomainKind>,
    /// Centre, mm. Default: the tip of the needle, or the middle of the tips.
    pub center_mm: Option<[f64; 3]>,
    /// Half sides along x, y, z, mm.
    pub half_mm: Option<[f64; 3]>,
    /// Radius, mm.
    pub radius_mm: Option<f64>,
    /// Half length, mm.
    pub half_length_mm: Option<f64>,
    /// Direction of the cylinder's axis. Default: z.
    pub axis: Option<[f64; 3]>,
    /// Temperature of the outer boundary, °C. Default: 37.
    pub boundary_temperature_c: Option<f64>,
    /// Temperature of everything at the start, °C. Default: 37.
    pub initial_temperature_c: Option<f64>,
}

/// Shape of the region computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DomainKind {
    /// Axis-aligned box.
    Box,
    /// Cylinder.
    Cylinder,
    /// Ball.
    Sphere,
}

/// Properties of a tissue. Keys not given are those of the catalogue's tissue of this name, or of `based_on`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TissueTable {
    /// Tissue of the catalogue from which a new tissue takes the values not given.
    pub based_on: Option<String>,
    /// Electrical conductivity at the radiofrequency and 37 °C, S/m.
    pub sigma_s_per_m: Option<f64>,
    /// Relative change of the conductivity per kelvin: σ(T) = σ(37) (1 + c (min(T, limit) − 37)).
    pub sigma_temperature_coefficient_per_k: Option<f64>,
    /// Temperature above which the conductivity rises no further, °C.
    pub sigma_limit_temperature_c: Option<f64>,
    /// Thermal conductivity, W/(m K).
    pub thermal_conductivity_w_per_m_k: Option<f64>,
    /// Density, kg/m³.
    pub density_kg_per_m3: Option<f64>,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: Option<f64>,
    /// Perfusion, 1/s (volume of blood per volume of tissue and second).
    pub perfusion_per_s: Option<f64>,
    /// Mass fraction of water, for boiling.
    pub water_fraction: Option<f64>,
    /// Conductivity along the fibres over that across them; `sigma_s_per_m` is that across. The direction comes from the anatomy, or from `fibres` of a phantom.
    pub sigma_fibre_ratio: Option<f64>,
    /// Perfusion of hot tissue over that at rest: the factor is 1 + (max − 1) exp(−((T − T_max)/w)²) below T_max and max above. 1 for perfusion that does not rise.
    pub perfusion_max_factor: Option<f64>,
    /// T_max of that rise, °C. Default: 45.
    pub perfusion_max_temperature_c: Option<f64>,
    /// w of that rise, K. Default: 3.46.
    pub perfusion_width_k: Option<f64>,
    /// For a fluid that moves, such as blood in a vessel or cerebrospinal fluid: the temperature at which its flow holds it, °C (with `heat_transfer_w_per_m2_k`).
    pub fluid_temperature_c: Option<f64>,
    /// Coefficient of heat transfer at the border of a fluid that moves, W/(m² K).
    pub heat_transfer_w_per_m2_k: Option<f64>,
}

/// A fluid injected before heating: a round bolus (`center_mm`, `volume_ml`), or a share of the volume at each point from a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InjectateTable {
    /// Conductivity of the fluid at 37 °C, S/m.
    pub sigma_s_per_m: Option<f64>,
    /// Density of the fluid, kg/m³. Default: 1005.
    pub density_kg_per_m3: Option<f64>,
    /// Specific heat of the fluid, J/(kg K). Default: 4150.
    pub specific_heat_j_per_kg_k: Option<f64>,
    /// Centre of the bolus, mm. Default: the tip of the first needle.
    pub center_mm: Option<[f64; 3]>,
    /// Injected volume, ml.
    pub volume_ml: Option<f64>,
    /// The fluid's share of the volume within the bolus, 0 to 1. Default: 0.3.
    pub share: Option<f64>,
    /// Instead of a bolus: NIfTI volume of the fluid's share at each point, 0 to 1; relative to this scenario file.
    pub share_path: Option<String>,
}

/// An injection through the needle before heating. Its spread in the tissue is computed, and the lesion takes up its conductivity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AnaestheticTable {
    /// Agent: "lidocaine", "bupivacaine", "ropivacaine", "saline", "water", "contrast" or another [[solution]] of the catalogue. Default: "lidocaine".
    pub agent: Option<String>,
    /// Concentration of a drug, g in 100 ml. Default: the strongest sold up to 2 %.
    pub percent: Option<f64>,
    /// Volume, 0.1 to 3 ml. Default: 0.5.
    pub volume_ml: Option<f64>,
    /// Rate, ml/min. Default: 1.
    pub rate_ml_per_min: Option<f64>,
    /// Seconds from the end of the injection to the start of heating. Default: 120.
    pub wait_s: Option<f64>,
    /// Seconds followed after the injection, where that is longer than the wait.
    pub follow_s: Option<f64>,
    /// Where the fluid leaves the needle, mm. Default: the tip of the first needle.
    pub tip_mm: Option<[f64; 3]>,
    /// Mass of the body, for the largest dose, kg. Default: 70.
    pub body_mass_kg: Option<f64>,
    /// Side of the cells, mm. Default: by the volume, 0.4 to 1.2.
    pub cell_mm: Option<f64>,
    /// Thin barriers that let nothing through.
    pub fasciae: Vec<FasciaTable>,
}

/// A thin barrier to an injected fluid: a disc.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FasciaTable {
    /// Its middle, mm.
    pub point_mm: [f64; 3],
    /// Its normal.
    pub normal: [f64; 3],
    /// Its radius, mm.
    pub radius_mm: f64,
}

/// The pad of the return electrode, a rectangle on skin, fat and muscle. Defaults are those of the drive's generator in the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PadTable {
    /// Area of a square pad, cm². Default: 150.
    pub area_cm2: Option<f64>,
    /// Instead of `area_cm2`: the two sides, mm.
    pub sides_mm: Option<[f64; 2]>,
    /// Part of the pad that touches the skin, 0 to 1: less than 1 for one that peels off along its first side. Default: 1.
    pub contact_fraction: Option<f64>,
    /// Thickness of the skin, mm. Default: 2.
    pub skin_mm: Option<f64>,
    /// Thickness of the fat below it, mm. Default: 10.
    pub fat_mm: Option<f64>,
    /// Temperature of the room, °C. Default: 22.
    pub room_c: Option<f64>,
    /// Coefficient of heat transfer from bare skin to the room, W/(m² K). Default: 10.
    pub heat_transfer_w_per_m2_k: Option<f64>,
}

/// Blood, for the perfusion term.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BloodTable {
    /// Density, kg/m³. Default: the catalogue's blood.
    pub density_kg_per_m3: Option<f64>,
    /// Specific heat, J/(kg K). Default: the catalogue's blood.
    pub specific_heat_j_per_kg_k: Option<f64>,
    /// Arterial temperature, °C. Default: 37.
    pub temperature_c: Option<f64>,
}

/// A placed needle: a cannula of the catalogue or explicit sizes, and `tip_mm` with `direction` or `target_mm` with `entry_mm`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NeedleTable {
    /// Name of a cannula in the catalogue, such as "20G-10mm-straight". Explicit sizes below go before it.
    pub cannula: Option<String>,
    /// Distal end of the metal, mm.
    pub tip_mm: Option<[f64; 3]>,
    /// Direction of the straight shaft, from the hub towards the tip; of any length.
    pub direction: Option<[f64; 3]>,
    /// Where the distal end is to lie, mm (with `entry_mm`).
    pub target_mm: Option<[f64; 3]>,
    /// A point on the shaft, such as its entry through the skin, mm (with `target_mm`).
    pub entry_mm: Option<[f64; 3]>,
    /// Direction towards which a curved tip bends.
    pub bend_towards: Option<[f64; 3]>,
    /// Potential as a fraction of the generator's voltage. Default: 1, or +½ and −½ for a bipolar pair.
    pub potential_fraction: Option<f64>,
    /// Outer diameter, mm.
    pub outer_diameter_mm: Option<f64>,
    /// Distal end: "rounded" (half a ball) or "bevel" (cut by one plane). Default: that of the cannula, or rounded.
    pub tip: Option<TipShape>,
    /// Angle between the plane of the bevel and the axis, degrees, 10 to 60. Default: that of the cannula.
    pub bevel_angle_deg: Option<f64>,
    /// Direction to which the bevel opens; its point lies opposite. Default: that of the bend, or any across a straight needle.
    pub bevel_towards: Option<[f64; 3]>,
    /// Length of the active tip, its rounded or bevelled end included, mm.
    pub active_tip_mm: Option<f64>,
    /// Length from hub to tip, mm. Default: 100.
    pub length_mm: Option<f64>,
    /// Distance of the thermocouple from the distal end along the axis, mm; negative in the tissue beyond the end. Default: 0.5.
    pub thermocouple_from_tip_mm: Option<f64>,
    /// The tine that holds the thermocouple, counted from 1; its distance then counts from the tine's distal end.
    pub thermocouple_tine: Option<usize>,
    /// Contacts above the active tip of a multi-contact probe, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<ContactTable>,
    /// Rings round the shaft where the insulation is gone: bare metal at the potential of the active tip. What leaks there is reported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub insulation_defects: Vec<DefectTable>,
    /// Where the shaft passes the skin's surface, mm from the distal end along the shaft; the skin beside it is reported. Default: where the anatomy's skin meets air, if it does.
    pub skin_from_tip_mm: Option<f64>,
    /// Tines that leave the cannula.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tines: Vec<TineTable>,
    /// For a tined cannula of the catalogue: direction to which its first tine leaves; the others stand equally spaced round it.
    pub tines_towards: Option<[f64; 3]>,
    /// Diameter of the channel of a cooled probe, mm.
    pub channel_diameter_mm: Option<f64>,
    /// Where that channel begins, mm from the distal end.
    pub channel_from_tip_mm: Option<f64>,
    /// Temperature of the coolant where it reaches the end of the channel, °C.
    pub coolant_temperature_c: Option<f64>,
    /// Coefficient of heat transfer between the channel's wall and the coolant, W/(m² K).
    pub coolant_heat_transfer_w_per_m2_k: Option<f64>,
    /// Flow of coolant, ml/min. Default: that of the cannula, or so much that it does not warm on its way.
    pub coolant_flow_ml_per_min: Option<f64>,
    /// Angle between shaft and tip, degrees, for a curved tip.
    pub bend_angle_deg: Option<f64>,
    /// Length of the curved part, mm.
    pub bend_length_mm: Option<f64>,
    /// The metal. Default: stainless steel of the catalogue.
    pub metal: MetalTable,
}

/// Shape of a needle's distal end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TipShape {
    /// Half a ball.
    Rounded,
    /// Cut by one plane.
    Bevel,
}

/// A contact of a multi-contact probe above its active tip.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContactTable {
    /// Where it begins, mm from the distal end. A cannula of the catalogue may give it.
    pub from_mm: Option<f64>,
    /// Where it ends, mm from the distal end. A cannula of the catalogue may give it.
    pub to_mm: Option<f64>,
    /// Potential as a fraction of the generator's voltage. Default: 1, or −½ and +½ by turns in a bipolar arrangement.
    pub potential_fraction: Option<f64>,
}

/// A ring round the shaft where the insulation is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefectTable {
    /// Where it begins, mm from the distal end.
    pub from_mm: f64,
    /// Where it ends, mm from the distal end.
    pub to_mm: f64,
}

/// A thin straight wire that leaves the cannula.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TineTable {
    /// Where its axis leaves that of the cannula, mm from the distal end.
    pub from_tip_mm: f64,
    /// Angle between its axis and that of the cannula, degrees; 0 would point to the distal end.
    pub angle_deg: f64,
    /// Direction to which it leaves.
    pub towards: [f64; 3],
    /// Length from the cannula's axis to its own distal end, mm.
    pub length_mm: f64,
    /// Diameter, mm.
    pub diameter_mm: f64,
}

/// Thermal properties of a needle's metal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetalTable {
    /// Thermal conductivity, W/(m K).
    pub thermal_conductivity_w_per_m_k: Option<f64>,
    /// Density, kg/m³.
    pub density_kg_per_m3: Option<f64>,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: Option<f64>,
}

/// What the generator does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DriveTable {
    /// Preset of the catalogue from which everything is taken that is not given here; `neurotome catalog preset` lists all.
    pub preset: Option<String>,
    /// What the generator holds: "temperature" (set_temperature_c; the default), "voltage" (voltage_v), "current" (current_a), "power" (power_w), or "pulsed" (voltage_v within pulses of pulse_s at rate_hz).
    pub mode: DriveMode,
    /// Which thermocouples a temperature drive holds: "first" needle's (the default), the "hottest", or "each" needle's own by a channel of its own.
    pub control: Option<ControlMode>,
    /// Length of a pulse, s. Default: 0.02.
    pub pulse_s: Option<f64>,
    /// Pulses per second. Default: 2.
    pub rate_hz: Option<f64>,
    /// Temperature of the thermocouple above which pulses are lowered, °C. Default: 42.
    pub limit_temperature_c: Option<f64>,
    /// Resolve each pulse in time (true), or take the mean power of the cycle (false; the default, many times faster).
    pub resolve_pulses: Option<bool>,
    /// "monopolar" (return at the outer boundary; the default) or "bipolar" (between two needles).
    pub arrangement: Arrangement,
    /// Set temperature of the first needle's thermocouple, °C.
    pub set_temperature_c: Option<f64>,
    /// Volts rms, between the needles when bipolar.
    pub voltage_v: Option<f64>,
    /// Amperes rms.
    pub current_a: Option<f64>,
    /// Watts.
    pub power_w: Option<f64>,
    /// Seconds from the initial to the set temperature. Default: that of the generator.
    pub ramp_s: Option<f64>,
    /// Instead of `ramp_s`: rise of the set temperature, °C per second.
    pub ramp_rate_c_per_s: Option<f64>,
    /// Seconds of current in all, ramp included.
    pub heating_s: Option<f64>,
    /// Instead of `heating_s`: seconds of current after the ramp.
    pub hold_s: Option<f64>,
    /// Seconds followed after the current is off. Default: 0.
    pub cooling_s: Option<f64>,
    /// Generator of the catalogue whose limits and ramp hold where not given here. Default: "generic".
    pub generator: Option<String>,
    /// Limits of the output.
    pub limits: LimitsTable,
}

/// What the generator holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriveMode {
    /// The thermocouple's temperature.
    #[default]
    Temperature,
    /// The voltage.
    Voltage,
    /// The current.
    Current,
    /// The power.
    Power,
    /// Pulses of constant voltage.
    Pulsed,
}

/// Which thermocouples a temperature drive holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlMode {
    /// The first needle's.
    #[default]
    First,
    /// The hottest one.
    Hottest,
    /// Each needle's own.
    Each,
}

/// Where the current returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrangement {
    /// To the outer boundary.
    #[default]
    Monopolar,
    /// To a second needle.
    Bipolar,
}

/// Limits of the generator's output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsTable {
    /// Largest voltage, V rms.
    pub voltage_v: Option<f64>,
    /// Largest current, A rms.
    pub current_a: Option<f64>,
    /// Largest power, W.
    pub power_w: Option<f64>,
}

/// Law of thermal injury: a law of the catalogue, or frequency factor and activation energy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InjuryTable {
    /// Name of a law in the catalogue. Default: "liver_jacques".
    pub law: Option<String>,
    /// Frequency factor A, 1/s.
    pub frequency_factor_per_s: Option<f64>,
    /// Instead of `frequency_factor_per_s`: its decimal logarithm.
    pub log10_frequency_factor_per_s: Option<f64>,
    /// Activation energy, J/mol.
    pub activation_energy_j_per_mol: Option<f64>,
    /// Laws of the catalogue for single tissues, by the tissue's name: they make Ω in that tissue.
    pub tissues: BTreeMap<String, String>,
    /// Further laws of the catalogue, reported beside Ω: each gives a contour `omega1_LAW` and a destroyed length of each nerve.
    pub also: Vec<String>,
}

/// A nerve as a polyline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NerveTable {
    /// Name in the results.
    pub name: String,
    /// At least two points, mm.
    pub points_mm: Vec<[f64; 3]>,
    /// Diameter, mm.
    pub diameter_mm: f64,
    /// True for the nerve that is to be destroyed, false for one to be spared.
    #[serde(default)]
    pub target: bool,
}

/// A named point.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeTable {
    /// Name in the results.
    pub name: String,
    /// Where it is, mm.
    pub position_mm: [f64; 3],
}

/// When to report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutputTable {
    /// Times of the reports, s, ascending. The end of heating and the end of the run are always added.
    pub times_s: Vec<f64>,
    /// Isotherms reported beside 45, 50 and 60 °C, °C. Default: 55.
    pub isotherms_c: Option<Vec<f64>>,
    /// Thermal doses whose contours are reported, equivalent minutes at 43 °C. Default: 240.
    pub doses_min: Option<Vec<f64>>,
}

/// Accuracy asked of the solver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SolverTable {
    /// Cell-size factor: 1 is the default, 0.5 halves every cell.
    pub cell_size: Option<f64>,
    /// Largest error of temperature allowed in one time step, K.
    pub step_tolerance_k: Option<f64>,
    /// Relative residual at which the linear solves stop.
    pub linear_tolerance: Option<f64>,
    /// Estimate the discretisation error by a second, coarser run.
    pub estimate_error: Option<bool>,
}

/// The JSON Schema of a scenario file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Scenario).to_value()
}
