//! What is to be computed: needles in tissue, driven by a generator.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::{injury::Arrhenius, tissue::TissueProperties};
use serde::{Deserialize, Serialize};

use super::Pad;
use crate::anatomy::{TissueField, TissueId};

/// A complete lesion problem. Positions in patient LPS millimetres.
#[derive(Clone)]
pub struct LesionProblem {
    /// Tissue properties, indexed by [`crate::anatomy::TissueId`].
    pub tissues: Vec<TissueProperties>,
    /// Names of the tissues, same order (for messages and evidence).
    pub tissue_names: Vec<String>,
    /// The tissue at each point.
    pub anatomy: Arc<dyn TissueField>,
    /// The region computed; its surface is the return electrode and is held at the boundary temperature.
    pub domain: Domain,
    /// Needles, at least one.
    pub needles: Vec<Needle>,
    /// What the generator does.
    pub drive: Drive,
    /// Seconds of heating, ramp included.
    pub heating_s: f64,
    /// Seconds followed after the current is off.
    pub cooling_s: f64,
    /// Limits of the generator.
    pub limits: Limits,
    /// Kinetics of injury: the law of Ω where no tissue has its own.
    pub injury: Arrhenius,
    /// Laws of single tissues: tissue index and law, used for Ω in that tissue.
    pub tissue_injury: Vec<(usize, Arrhenius)>,
    /// Further laws, integrated everywhere beside Ω: for comparison, and for the classes of nerve fibres.
    pub more_injury: Vec<NamedLaw>,
    /// What perfusion does.
    pub perfusion: Perfusion,
    /// Blood.
    pub blood: Blood,
    /// Temperature of everything at the start, °C.
    pub initial_temperature_c: f64,
    /// Temperature of the outer boundary, °C.
    pub boundary_temperature_c: f64,
    /// Boiling at 100 °C: latent heat, loss of water, collapse of σ where tissue dries.
    pub boiling: bool,
    /// A fluid injected before heating.
    pub injectate: Option<Injectate>,
    /// Named points whose temperature is reported.
    pub probes: Vec<Probe>,
    /// Times of the snapshots, s, ascending; the end of the run is always added.
    pub output_times_s: Vec<f64>,
    /// Isotherms reported beside 45, 50 and 60 °C, °C.
    pub more_isotherms_c: Vec<f64>,
    /// Thermal doses whose contours are reported, equivalent minutes at 43 °C.
    pub dose_contours_min: Vec<f64>,
    /// Nerves whose injury is reported.
    pub nerves: Vec<NerveCurve>,
    /// The pad of the return electrode, where its heating is asked for.
    pub pad: Option<Pad>,
    /// Accuracy asked of the solver.
    pub solver: SolverSettings,
}

impl LesionProblem {
    /// The law of Ω in a tissue, given by its index.
    pub fn law_of(&self, tissue: usize) -> &Arrhenius {
        let own = self.tissue_injury.iter().rev().find(|l| l.0 == tissue);
        own.map_or(&self.injury, |l| &l.1)
    }
}

/// The region computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Domain {
    /// Centre, mm.
    pub center: PatientPoint,
    /// Shape and size.
    pub shape: DomainShape,
}

/// Shapes of the region computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DomainShape {
    /// Axis-aligned box with these half sides.
    Box {
        /// Half sides along x, y, z in mm.
        half_mm: [f64; 3],
    },
    /// Cylinder.
    Cylinder {
        /// Unit vector along the axis.
        axis: [f64; 3],
        /// Radius in mm.
        radius_mm: f64,
        /// Half length in mm.
        half_length_mm: f64,
    },
    /// Ball.
    Sphere {
        /// Radius in mm.
        radius_mm: f64,
    },
}

impl Domain {
    /// Signed distance-like function in mm: negative inside, zero on the surface (exact on the faces).
    pub fn level_mm(&self, p: &Vec3) -> f64 {
        let d = p - self.center.vec();
        match self.shape {
            DomainShape::Box { half_mm } => (0..3)
                .map(|a| d[a].abs() - half_mm[a])
                .fold(f64::NEG_INFINITY, f64::max),
            DomainShape::Cylinder {
                axis,
                radius_mm,
                half_length_mm,
            } => {
                let axis = Vec3::from(axis);
                let along = d.dot(&axis);
                ((d - axis * along).norm() - radius_mm).max(along.abs() - half_length_mm)
            }
            DomainShape::Sphere { radius_mm } => d.norm() - radius_mm,
        }
    }

    /// Half side in mm of the cube round the centre that holds the domain.
    pub fn half_extent_mm(&self) -> f64 {
        match self.shape {
            DomainShape::Box { half_mm } => half_mm.into_iter().fold(0.0, f64::max),
            DomainShape::Cylinder {
                radius_mm,
                half_length_mm,
                ..
            } => radius_mm.hypot(half_length_mm),
            DomainShape::Sphere { radius_mm } => radius_mm,
        }
    }
}

/// A placed RF cannula with its electrodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Needle {
    /// Distal end of the metal, mm; of a bevel the place on the axis level with its point.
    pub tip: PatientPoint,
    /// Unit vector along the straight shaft, from the hub towards the tip.
    pub direction: [f64; 3],
    /// Outer diameter, mm.
    pub outer_diameter_mm: f64,
    /// Length of the active tip, mm, its rounded or bevelled end included.
    pub active_tip_mm: f64,
    /// Length from hub to tip, mm.
    pub length_mm: f64,
    /// Bend of a curved cannula.
    pub bend: Option<Bend>,
    /// Bevel of the distal end; none: half a ball.
    pub bevel: Option<Bevel>,
    /// Further contacts above the active tip, ascending.
    pub contacts: Vec<Contact>,
    /// Places where the insulation is gone; bare metal there has the potential of the active tip.
    pub insulation_defects: Vec<InsulationDefect>,
    /// Where the shaft passes the skin's surface, mm from the distal end along it; none: where the anatomy's skin meets air.
    pub skin_from_tip_mm: Option<f64>,
    /// Tines, all at the potential of the contact that they leave.
    pub tines: Vec<Tine>,
    /// Channel of a cooled probe.
    pub coolant: Option<Coolant>,
    /// Potential of the active tip as a fraction of the generator's voltage: 1 for a monopolar needle, +½ and −½ for a bipolar
    /// pair.
    pub potential_fraction: f64,
    /// Distance in mm of the thermocouple from the distal end, along the axis; negative in the tissue beyond the end.
    pub thermocouple_from_tip_mm: f64,
    /// The tine that holds the thermocouple, whose distance then counts from the tine's distal end; none: the cannula.
    pub thermocouple_tine: Option<usize>,
    /// The metal.
    pub metal: Metal,
}

impl Needle {
    /// The needle's electrodes, ascending along the shaft: the active tip, further contacts and defects of the insulation.
    pub fn electrodes(&self) -> Vec<Electrode> {
        let bare = |from_mm: f64, to_mm: f64, potential_fraction: f64, defect: bool| Electrode {
            from_mm,
            to_mm,
            potential_fraction,
            defect,
        };
        let mut all = vec![bare(0.0, self.active_tip_mm, self.potential_fraction, false)];
        let contacts = self.contacts.iter();
        all.extend(contacts.map(|c| bare(c.from_mm, c.to_mm, c.potential_fraction, false)));
        let defects = self.insulation_defects.iter();
        all.extend(defects.map(|d| bare(d.from_mm, d.to_mm, self.potential_fraction, true)));
        all.sort_by(|a, b| a.from_mm.total_cmp(&b.from_mm));
        all
    }

    /// Potentials of the needle's electrodes as fractions of the generator's voltage, in the order of [`Needle::electrodes`].
    pub fn potential_fractions(&self) -> impl Iterator<Item = f64> {
        self.electrodes().into_iter().map(|e| e.potential_fraction)
    }
}

/// Bare metal of a needle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Electrode {
    /// Where it begins, mm from the distal end.
    pub from_mm: f64,
    /// Where it ends, mm from the distal end.
    pub to_mm: f64,
    /// Potential as a fraction of the generator's voltage.
    pub potential_fraction: f64,
    /// True where metal should be insulated and is not.
    pub defect: bool,
}

/// A ring round the shaft where the insulation is gone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InsulationDefect {
    /// Where it begins, mm from the distal end.
    pub from_mm: f64,
    /// Where it ends, mm from the distal end.
    pub to_mm: f64,
}

/// Bare metal round the shaft above the active tip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Where it begins, mm from the distal end.
    pub from_mm: f64,
    /// Where it ends, mm from the distal end.
    pub to_mm: f64,
    /// Potential as a fraction of the generator's voltage.
    pub potential_fraction: f64,
}

/// A thin straight wire with a rounded end that leaves the cannula.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tine {
    /// Where its axis leaves that of the cannula, mm from the distal end.
    pub from_tip_mm: f64,
    /// Angle between its axis and that of the cannula, degrees; 0 would point to the distal end.
    pub angle_deg: f64,
    /// Direction to which it leaves; its part across the cannula counts.
    pub towards: [f64; 3],
    /// Length from the cannula's axis to its own distal end, mm.
    pub length_mm: f64,
    /// Diameter, mm.
    pub diameter_mm: f64,
}

/// The channel of a cooled probe, round the axis, closed towards the tip, open towards the hub, and what flows in it: the coolant
/// comes down an inner tube to the end of the channel and returns along its wall.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Coolant {
    /// Radius of the channel, mm.
    pub channel_radius_mm: f64,
    /// Where the channel begins, mm from the distal end.
    pub from_tip_mm: f64,
    /// Temperature of the coolant where it reaches the end of the channel, °C.
    pub temperature_c: f64,
    /// Coefficient of heat transfer between the channel's wall and the coolant, W/(m² K).
    pub heat_transfer_w_per_m2_k: f64,
    /// Flow of water, ml/min; none: so much that it does not warm on its way.
    pub flow_ml_per_min: Option<f64>,
}

/// The bend of a curved cannula: a circular arc that ends at the tip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bend {
    /// Angle between shaft and tip, degrees.
    pub angle_deg: f64,
    /// Length of the arc, mm.
    pub length_mm: f64,
    /// Direction towards which the tip bends; its part across the shaft counts.
    pub towards: [f64; 3],
}

/// A distal end cut by one plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bevel {
    /// Angle between the plane and the axis, degrees.
    pub angle_deg: f64,
    /// Direction to which the cut face opens; its part across the axis counts. The point lies opposite.
    pub towards: [f64; 3],
}

/// Thermal properties of the needle's metal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metal {
    /// Thermal conductivity, W/(m K).
    pub thermal_conductivity_w_per_m_k: f64,
    /// Density, kg/m³.
    pub density_kg_per_m3: f64,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: f64,
}

/// What the generator holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drive {
    /// Constant voltage, V rms.
    Voltage {
        /// Volts rms between the electrodes (fraction 1 apart).
        voltage_v: f64,
    },
    /// Constant current, A rms.
    Current {
        /// Amperes rms.
        current_a: f64,
    },
    /// Constant power, W.
    Power {
        /// Watts in the tissue.
        power_w: f64,
    },
    /// Temperature of thermocouples, after a linear ramp.
    Temperature {
        /// Set temperature, °C.
        set_temperature_c: f64,
        /// Seconds from the initial temperature to the set temperature.
        ramp_s: f64,
        /// Which thermocouples.
        control: Control,
    },
    /// Pulses of constant voltage (pulsed radiofrequency).
    Pulsed {
        /// Volts rms within a pulse.
        voltage_v: f64,
        /// Length of a pulse, s.
        pulse_s: f64,
        /// Pulses per second.
        rate_hz: f64,
        /// Temperature at the thermocouple above which the voltage is lowered, °C.
        limit_temperature_c: Option<f64>,
        /// True: each pulse is resolved in time. False: the mean power of the cycle.
        resolved: bool,
    },
}

/// Which thermocouples a temperature drive holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The first needle's.
    #[default]
    First,
    /// The hottest one.
    Hottest,
    /// Each needle's own, by its own channel of the generator; the channels share the return electrode and are in phase.
    Each,
}

/// A law of injury with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedLaw {
    /// Its name in the results.
    pub name: String,
    /// The law.
    pub law: Arrhenius,
}

/// A fluid injected before heating. How it spreads is computed elsewhere; here it is a share of the volume at each point.
#[derive(Clone)]
pub struct Injectate {
    /// The fluid's share of the volume, 0 to 1.
    pub share: Arc<dyn ShareField>,
    /// Conductivity of the fluid at 37 °C, S/m.
    pub sigma_s_per_m: f64,
    /// Density of the fluid, kg/m³.
    pub density_kg_per_m3: f64,
    /// Specific heat of the fluid, J/(kg K).
    pub specific_heat_j_per_kg_k: f64,
}

/// A share of the volume at any point.
pub trait ShareField: Send + Sync {
    /// The share at a point in patient LPS millimetres, which lies in this tissue, 0 to 1.
    fn share_at(&self, p: &PatientPoint, tissue: TissueId) -> f64;
}

/// A round bolus: a ball that takes up the injected volume at a constant share, with an edge that fades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bolus {
    /// Its centre, mm.
    pub center: PatientPoint,
    /// Injected volume, ml.
    pub volume_ml: f64,
    /// Share of the volume that the fluid takes within the ball: the tissue's pores.
    pub share: f64,
}

impl Bolus {
    /// Radius of the ball, mm.
    pub fn radius_mm(&self) -> f64 {
        (3.0 * 1000.0 * self.volume_ml / (4.0 * std::f64::consts::PI * self.share)).cbrt()
    }
}

impl Bolus {
    /// Its share of the volume at a point, whatever the tissue.
    pub fn share_at(&self, p: &PatientPoint) -> f64 {
        // The edge is 10 % of the radius wide, so that no cell meets a jump; the volume is kept to 0.1 %.
        let r = (p.vec() - self.center.vec()).norm() / self.radius_mm();
        self.share * ((1.05 - r) / 0.1).clamp(0.0, 1.0)
    }
}

impl ShareField for Bolus {
    fn share_at(&self, p: &PatientPoint, _: TissueId) -> f64 {
        self.share_at(p)
    }
}

/// Limits of the generator; the output is the largest that keeps all three.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest voltage, V rms.
    pub voltage_v: f64,
    /// Largest current, A rms.
    pub current_a: f64,
    /// Largest power, W.
    pub power_w: f64,
}

/// What perfusion does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Perfusion {
    /// As in the tissue table, always.
    On,
    /// None.
    Off,
    /// As in the tissue table until Ω ≥ 1, then none.
    StopsWithInjury,
}

/// Blood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Blood {
    /// Density, kg/m³.
    pub density_kg_per_m3: f64,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: f64,
    /// Arterial temperature, °C.
    pub temperature_c: f64,
}

/// A named point.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Its name in the results.
    pub name: String,
    /// Where it is.
    pub position: PatientPoint,
}

/// A nerve as a polyline.
#[derive(Debug, Clone, PartialEq)]
pub struct NerveCurve {
    /// Its name in the results.
    pub name: String,
    /// At least two points.
    pub points: Vec<PatientPoint>,
    /// Diameter, mm.
    pub diameter_mm: f64,
    /// True for the nerve that is to be destroyed, false for one to be spared.
    pub target: bool,
}

/// Accuracy asked of the solver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SolverSettings {
    /// Cell-size factor: 1 is the default, 0.5 halves every cell.
    pub cell_size: f64,
    /// Largest error of temperature allowed in one time step, K.
    pub step_tolerance_k: f64,
    /// Relative residual at which the linear solves stop.
    pub linear_tolerance: f64,
    /// Estimate the discretisation error by a second, coarser run.
    pub estimate_error: bool,
}

impl Default for SolverSettings {
    fn default() -> Self {
        Self {
            cell_size: 1.0,
            step_tolerance_k: 0.08,
            linear_tolerance: 1e-5,
            estimate_error: true,
        }
    }
}
