//! The reference and the fibres it was made with.

use neurotome_physics::axon::{
    Criterion, Fibre, Geometry, GeometrySet, Membrane, Myelinated, Pulse, Search, Stimulated, Threshold, Unmyelinated,
};
use serde::Deserialize;

/// Where the numbers are from.
pub const SOURCE: &str =
    "own C solver checked against NEURON 9.0.2, extrapolated to no step; validation/crosscode/axon";
/// Conductivity round the fibre, S/m.
const CONDUCTIVITY: f64 = 0.3;
/// Body temperature, °C.
pub const BODY_C: f64 = 37.0;

#[derive(Debug, Deserialize)]
pub struct Reference {
    pub mrg_thresholds_node: Vec<MrgThreshold>,
    pub mrg_thresholds_mid_internode: Vec<MrgThreshold>,
    pub mrg_small_diameter: Vec<MrgThreshold>,
    pub c_fibre_thresholds: Vec<CThreshold>,
    pub conduction_velocity: Vec<Velocity>,
    pub trains_fastfib: Vec<Train>,
    pub block_fastfib: Vec<Block>,
    pub length_convergence: Vec<LengthRow>,
}

#[derive(Debug, Deserialize)]
pub struct LengthRow {
    #[serde(rename = "D_um")]
    pub diameter_um: f64,
    pub z_mm: f64,
    pub pw_ms: f64,
    pub nodes: usize,
    #[serde(rename = "th_mA")]
    pub threshold_ma: f64,
}

#[derive(Debug, Deserialize)]
pub struct MrgThreshold {
    #[serde(rename = "D_um")]
    pub diameter_um: f64,
    pub geom: String,
    pub z_mm: f64,
    pub pw_ms: f64,
    pub x0_frac_of_internode: f64,
    #[serde(rename = "th_mA")]
    pub threshold_ma: f64,
    pub nodes: usize,
}

#[derive(Debug, Deserialize)]
pub struct CThreshold {
    pub model: String,
    #[serde(rename = "D_um")]
    pub diameter_um: f64,
    pub dx_um: f64,
    pub z_mm: f64,
    pub pw_ms: f64,
    #[serde(rename = "th_mA")]
    pub threshold_ma: f64,
}

#[derive(Debug, Deserialize)]
pub struct Velocity {
    pub model: String,
    #[serde(rename = "D_um")]
    pub diameter_um: f64,
    pub geom_or_dx: String,
    pub cv_m_s: f64,
    #[serde(rename = "rest_mV")]
    pub rest_mv: f64,
}

#[derive(Debug, Deserialize)]
pub struct Train {
    #[serde(rename = "D")]
    pub diameter_um: f64,
    pub z_mm: f64,
    pub pw: f64,
    pub freq: f64,
    #[serde(rename = "th_mA")]
    pub threshold_ma: f64,
    pub mult: f64,
    pub per_pulse: Vec<u8>,
}

#[derive(Debug, Deserialize)]
pub struct Block {
    pub model: String,
    #[serde(rename = "D")]
    pub diameter_um: f64,
    #[serde(rename = "L_mm")]
    pub length_mm: f64,
    pub b: f64,
    pub passes: bool,
}

/// Thresholds at sizes, distances and pulses that the reference does not have, made by NEURON alone.
#[derive(Debug, Deserialize)]
pub struct OffReference {
    pub rows: Vec<OffRow>,
    pub c_fibre_rows: Vec<CThreshold>,
}

#[derive(Debug, Deserialize)]
pub struct OffRow {
    pub sizes: String,
    pub diameter_um: f64,
    pub distance_mm: f64,
    pub pulse_ms: f64,
    pub share_of_internode: f64,
    pub nodes: usize,
    pub threshold_ma: f64,
}

pub fn off_reference() -> Result<OffReference, String> {
    let text = include_str!("../../../../../validation/crosscode/axon/off-reference.json");
    serde_json::from_str(text).map_err(|e| format!("reading the thresholds off the reference: {e}"))
}

pub fn reference() -> Result<Reference, String> {
    let text = include_str!("../../../../../validation/crosscode/axon/reference.json");
    serde_json::from_str(text).map_err(|e| format!("reading the reference: {e}"))
}

/// The geometry that the reference calls by a name.
pub fn geometry(name: &str, diameter_um: f64) -> Result<Geometry, String> {
    let set = match name {
        "table" => GeometrySet::Table,
        "interp" | "fitted" => GeometrySet::Fitted,
        "small" => GeometrySet::Small,
        _ => return Err(format!("no set of sizes \"{name}\"")),
    };
    Geometry::new(set, diameter_um).map_err(|e| e.to_string())
}

/// The membrane that the reference calls by a name.
pub fn membrane(name: &str) -> Result<Membrane, String> {
    match name {
        "sundt" => Ok(Membrane::Sundt),
        "rattay" => Ok(Membrane::Rattay),
        _ => Err(format!("no membrane \"{name}\"")),
    }
}

/// The outside potential of 1 mA into a point, a cathode, at a distance (mm) from a fibre beside a place along it (µm), mV.
pub fn point_source<F: Fibre>(fibre: &F, z_mm: f64, beside_um: f64) -> Vec<f64> {
    let at = |x: f64| -1e3 / (4.0 * std::f64::consts::PI * CONDUCTIVITY * (1e-3 * (x - beside_um)).hypot(z_mm));
    fibre.places_um().into_iter().map(at).collect()
}

/// The fibre of a threshold: straight, with the source beside its middle node or beyond by a share of an internode.
pub fn beside_source(geometry: Geometry, nodes: usize, z_mm: f64, share: f64) -> (Myelinated, Vec<f64>) {
    let fibre = Myelinated::new(geometry, nodes, BODY_C);
    let middle = fibre.places_um()[fibre.place_of(nodes / 2)] + share * geometry.node_spacing;
    let field = point_source(&fibre, z_mm, middle);
    (fibre, field)
}

/// A step of 10 µs, to 0.2 %.
pub fn search(guess: f64) -> Search {
    Search {
        dt_ms: 0.01,
        tolerance: 2e-3,
        guess,
        most: 1e5,
    }
}

/// The threshold of a myelinated fibre beside a point, mA.
pub fn mrg_threshold(
    geometry: Geometry,
    nodes: usize,
    z_mm: f64,
    share: f64,
    width_ms: f64,
    search: &Search,
) -> Result<Threshold, String> {
    let (fibre, field) = beside_source(geometry, nodes, z_mm, share);
    let ready = Stimulated::new(&fibre, &field).map_err(|e| e.to_string())?;
    ready
        .threshold(&Pulse::square(width_ms), search, &Criterion::myelinated(nodes))
        .map_err(|e| e.to_string())
}

/// A C fibre as the reference has it: 2 z + 2 mm to either side of the source.
pub fn c_fibre(membrane: Membrane, diameter_um: f64, z_mm: f64, spacing_um: f64) -> (Unmyelinated, usize) {
    let half = ((2.0 * z_mm + 2.0) * 1e3 / spacing_um).round();
    let fibre = Unmyelinated::new(membrane, diameter_um, 2.0 * half * spacing_um, spacing_um, BODY_C);
    (fibre, half as usize)
}
