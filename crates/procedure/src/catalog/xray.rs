//! X-ray entries of the catalogue: materials, tube spectra and C-arms.

use neurotome_physics::xray::{Coefficients, SpectrumError, Tube};
use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};

/// A row of numbers with its source. The unit is in the name of the field that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The numbers.
    pub value: Vec<f64>,
    /// A key of the catalogue's table of sources.
    pub source: String,
    /// True when the numbers were read in their source.
    pub verified: bool,
    /// Under which condition they hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// Attenuation of a material.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XrayMaterial {
    /// Name, such as `water`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Density, kg/m³.
    pub density_kg_per_m3: Sourced,
    /// Photon energies, keV, ascending.
    pub energy_kev: Series,
    /// Mass attenuation coefficients, cm²/g.
    pub attenuation_cm2_per_g: Series,
    /// Mass energy-absorption coefficients, cm²/g: of air, for kerma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_absorption_cm2_per_g: Option<Series>,
}

entry!(XrayMaterial, "xray_material", [density_kg_per_m3], []);

impl XrayMaterial {
    /// Linear attenuation at the material's density.
    ///
    /// # Errors
    /// [`SpectrumError::Table`].
    pub fn attenuation(&self) -> Result<Coefficients, SpectrumError> {
        Coefficients::new(
            &self.name,
            &self.energy_kev.value,
            &self.attenuation_cm2_per_g.value,
            self.density_kg_per_m3.value,
        )
    }

    /// Energy absorption at 1000 kg/m³, where tabulated.
    ///
    /// # Errors
    /// [`SpectrumError::Table`].
    pub fn absorption(&self) -> Result<Option<Coefficients>, SpectrumError> {
        self.energy_absorption_cm2_per_g
            .as_ref()
            .map(|v| Coefficients::new(&self.name, &self.energy_kev.value, &v.value, 1000.0))
            .transpose()
    }

    /// The entry's rows of numbers with the names of their fields.
    pub fn series(&self) -> Vec<(&'static str, &Series)> {
        let mut all = vec![
            ("energy_kev", &self.energy_kev),
            ("attenuation_cm2_per_g", &self.attenuation_cm2_per_g),
        ];
        all.extend(
            self.energy_absorption_cm2_per_g
                .as_ref()
                .map(|v| ("energy_absorption_cm2_per_g", v)),
        );
        all
    }
}

/// Energies of the characteristic lines of a tungsten anode, keV, as the entries of [`TubeSpectrum`] list them: Kα₂, Kα₁, Kβ₁, Kβ₂.
pub const TUNGSTEN_LINES_KEV: [f64; 4] = [57.98, 59.32, 67.2, 69.1];

/// The spectrum of a tube at one voltage, without filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TubeSpectrum {
    /// Name, such as `tungsten-80kv`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Tube voltage, kV.
    pub tube_kv: Sourced,
    /// Photons at 1 m per mAs, cm² and keV, in equal bins of energy from 0 to the tube voltage.
    pub bremsstrahlung_per_mas_cm2_kev: Series,
    /// Photons at 1 m per mAs and cm² in each line of [`TUNGSTEN_LINES_KEV`].
    pub characteristic_per_mas_cm2: Series,
}

entry!(TubeSpectrum, "tube_spectrum", [tube_kv], []);

impl TubeSpectrum {
    /// The spectrum.
    pub fn tube(&self) -> Tube {
        Tube {
            kv: self.tube_kv.value,
            bremsstrahlung: self.bremsstrahlung_per_mas_cm2_kev.value.clone(),
            characteristic: self.characteristic_per_mas_cm2.value.clone(),
        }
    }

    /// The entry's rows of numbers with the names of their fields.
    pub fn series(&self) -> Vec<(&'static str, &Series)> {
        vec![
            ("bremsstrahlung_per_mas_cm2_kev", &self.bremsstrahlung_per_mas_cm2_kev),
            ("characteristic_per_mas_cm2", &self.characteristic_per_mas_cm2),
        ]
    }
}

/// A C-arm with its tube and detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CArmEntry {
    /// Name, such as `mobile-flat-30cm`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// From source to detector, mm.
    pub source_detector_mm: Sourced,
    /// From source to isocentre, mm.
    pub source_isocentre_mm: Sourced,
    /// Side of the square detector, mm.
    pub detector_side_mm: Sourced,
    /// Pixels along each side.
    pub pixels_count: Sourced,
    /// Largest orbital angle to each side, degrees.
    pub orbital_reach_deg: Sourced,
    /// Largest cranio-caudal angle to each side, degrees.
    pub cranio_caudal_reach_deg: Sourced,
    /// Largest shift of the table to each side, mm.
    pub table_reach_mm: Sourced,
    /// Width of the table top, mm.
    pub table_width_mm: Sourced,
    /// Thickness of the table top, mm.
    pub table_thickness_mm: Sourced,
    /// Thickness of each of its two faces of laminate, mm; between them is foam.
    pub table_face_mm: Sourced,
    /// Width of the solid laminate along each of its long sides, mm.
    pub table_edge_mm: Sourced,
    /// Water that weakens a beam as much as the same length of laminate.
    pub laminate_water_ratio: Sourced,
    /// The same of the foam between the faces.
    pub core_water_ratio: Sourced,
    /// Width of the mattress, mm.
    pub mattress_width_mm: Sourced,
    /// Its thickness under a patient, mm.
    pub mattress_thickness_mm: Sourced,
    /// Water that weakens a beam as much as the same length of its foam.
    pub mattress_water_ratio: Sourced,
    /// Water that weakens a beam as much as one face of its cover, mm.
    pub mattress_cover_water_mm: Sourced,
    /// From the table top's side to the steel rail beside it, mm.
    pub rail_gap_mm: Sourced,
    /// Thickness of the rail, across the table, mm.
    pub rail_thickness_mm: Sourced,
    /// Height of the rail, mm.
    pub rail_height_mm: Sourced,
    /// Water that weakens a beam as much as the same length of rail.
    pub rail_water_ratio: Sourced,
    /// Usual tube voltage, kV.
    pub tube_voltage_kv: Sourced,
    /// Highest tube voltage that brightness control chooses, kV.
    pub max_tube_voltage_kv: Sourced,
    /// Aluminium in the beam, mm.
    pub aluminium_filter_mm: Sourced,
    /// Copper in the beam, mm.
    pub copper_filter_mm: Sourced,
    /// Largest charge of one pulse, mAs.
    pub max_charge_per_pulse_mas: Sourced,
    /// Size of the focal spot, mm.
    pub focal_spot_mm: Sourced,
    /// Thickness of the scintillator, mm.
    pub scintillator_mm: Sourced,
    /// Standard deviation of the detector's blur, mm.
    pub detector_blur_mm: Sourced,
    /// Standard deviation of electronic noise per pixel of 0.19 mm, keV.
    pub electronic_noise_kev: Sourced,
    /// Air kerma at the detector, behind the grid, per pulse that brightness control is set to with a block in the beam, nGy.
    pub detector_kerma_ngy: Sourced,
    /// Copper of that block, mm.
    pub setting_copper_mm: Sourced,
    /// Share of the primary that the grid passes.
    pub grid_primary_ratio: Sourced,
    /// Share of the scatter that the grid passes.
    pub grid_scatter_ratio: Sourced,
    /// Scatter over primary per mm of water.
    pub scatter_per_water_mm: Sourced,
    /// Radius of the field at which scatter has reached 63 %, mm in the patient.
    pub scatter_field_mm: Sourced,
    /// Standard deviation of the scatter's spread, mm on the detector.
    pub scatter_spread_mm: Sourced,
    /// From the isocentre towards the source: where entrance kerma is stated, mm.
    pub reference_point_mm: Sourced,
    /// Air kerma 1 m beside the patient over that at the entrance.
    pub operator_scatter_ratio: Sourced,
}

entry!(
    CArmEntry,
    "carm",
    [
        source_detector_mm,
        source_isocentre_mm,
        detector_side_mm,
        pixels_count,
        orbital_reach_deg,
        cranio_caudal_reach_deg,
        table_reach_mm,
        table_width_mm,
        table_thickness_mm,
        table_face_mm,
        table_edge_mm,
        laminate_water_ratio,
        core_water_ratio,
        mattress_width_mm,
        mattress_thickness_mm,
        mattress_water_ratio,
        mattress_cover_water_mm,
        rail_gap_mm,
        rail_thickness_mm,
        rail_height_mm,
        rail_water_ratio,
        tube_voltage_kv,
        max_tube_voltage_kv,
        aluminium_filter_mm,
        copper_filter_mm,
        max_charge_per_pulse_mas,
        focal_spot_mm,
        scintillator_mm,
        detector_blur_mm,
        electronic_noise_kev,
        detector_kerma_ngy,
        setting_copper_mm,
        grid_primary_ratio,
        grid_scatter_ratio,
        scatter_per_water_mm,
        scatter_field_mm,
        scatter_spread_mm,
        reference_point_mm,
        operator_scatter_ratio,
    ],
    []
);

/// The value of a tissue in a CT: for pictures of anatomies that are no image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TissueHounsfield {
    /// Name of the tissue, such as `muscle`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Typical value, HU.
    pub value_hu: Sourced,
}

entry!(TissueHounsfield, "tissue_hounsfield", [value_hu], []);
