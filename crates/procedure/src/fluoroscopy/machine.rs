//! Tube and detector of a C-arm, from the catalogue.

use neurotome_physics::xray::{Coefficients, Response, Spectrum, SpectrumError};

use super::{CArm, DeviceMaterial, SoftAndBone, Travel};
use crate::catalog::{CArmEntry, Catalog, TUNGSTEN_LINES_KEV, find};

/// Materials beside soft tissue and bone: those of devices, then iodine.
pub const MATERIALS: usize = DeviceMaterial::ALL.len() + 1;
/// Index of iodine among them; its paths are mg/cm².
pub const IODINE: usize = DeviceMaterial::ALL.len();

/// Photon energy at which a CT measures, keV: the effective energy of a body scan at 120 kV (an assumption that moves only the split
/// between soft tissue and bone).
const CT_KEV: f64 = 70.0;
/// HU above which bone is mixed in: above muscle, blood and contrast-free organs.
const BONE_ABOVE_HU: f64 = 100.0;

/// Why there is no machine.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MachineError {
    /// The catalogue lacks something.
    #[error(
        "fluoroscopy: the catalogue has no {kind} \"{name}\"; add it, or name one that `neurotome catalog {kind}` lists"
    )]
    Missing {
        /// Kind of entry.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Tables or settings of the tube cannot be used.
    #[error("fluoroscopy: {0}")]
    Spectrum(#[from] SpectrumError),
}

/// Tube settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Technique {
    /// Tube voltage, kV.
    pub kv: f64,
    /// Aluminium in the beam, mm.
    pub aluminium_mm: f64,
    /// Copper in the beam, mm.
    pub copper_mm: f64,
    /// Every photon has its own attenuation; else all that of the beam's mean energy.
    pub beam_hardening: bool,
}

/// A tube and a detector with the tables that they need.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The catalogue's entry.
    pub entry: CArmEntry,
    /// Settings of the tube.
    pub technique: Technique,
    /// The spectrum that leaves the filters.
    pub spectrum: Spectrum,
    /// What the detector makes of it.
    pub response: Response<MATERIALS>,
    /// How Hounsfield units are read.
    pub split: SoftAndBone,
    /// Air kerma at 1 m, µGy per mAs.
    pub kerma_ugy_per_mas: f64,
    /// Energy taken up per air kerma behind the block with which brightness control was set up, keV/mm² per nGy: control holds the
    /// detector's signal, and its set point is stated as the kerma behind that block at the usual voltage. Behind a patient the same
    /// signal is another kerma.
    pub set_kev_per_mm2_ngy: f64,
    tables: Tables,
}

#[derive(Debug, Clone)]
struct Tables {
    tubes: Vec<neurotome_physics::xray::Tube>,
    water: Coefficients,
    muscle: Coefficients,
    bone: Coefficients,
    aluminium: Coefficients,
    copper: Coefficients,
    scintillator: Coefficients,
    iodine: Coefficients,
    iodine_kg_per_m3: f64,
    devices: Vec<Coefficients>,
    air_absorption: Coefficients,
}

impl Machine {
    /// The machine of a name, with its usual technique.
    ///
    /// # Errors
    /// [`MachineError`].
    pub fn new(catalog: &Catalog, name: &str) -> Result<Self, MachineError> {
        let missing = |kind, name: &str| MachineError::Missing {
            kind,
            name: name.to_owned(),
        };
        let entry = find(&catalog.carms, name).ok_or_else(|| missing("carm", name))?.clone();
        let material = |name: &str| find(&catalog.xray_materials, name).ok_or_else(|| missing("xray_material", name));
        let coefficients = |name: &str| -> Result<Coefficients, MachineError> { Ok(material(name)?.attenuation()?) };
        let devices: Result<Vec<_>, _> = DeviceMaterial::ALL
            .iter()
            .map(|m| coefficients(m.catalog_name()))
            .collect();
        let tables = Tables {
            tubes: catalog
                .tube_spectra
                .iter()
                .map(crate::catalog::TubeSpectrum::tube)
                .collect(),
            water: coefficients("water")?,
            muscle: coefficients("muscle")?,
            bone: coefficients("cortical_bone")?,
            aluminium: coefficients("aluminium")?,
            copper: coefficients("copper")?,
            scintillator: coefficients("caesium_iodide")?,
            iodine: coefficients("iodine")?,
            iodine_kg_per_m3: material("iodine")?.density_kg_per_m3.value,
            devices: devices?,
            air_absorption: material("air")?
                .absorption()?
                .ok_or_else(|| missing("xray_material", "air, with energy_absorption_cm2_per_g"))?,
        };
        let technique = Technique {
            kv: entry.tube_voltage_kv.value,
            aluminium_mm: entry.aluminium_filter_mm.value,
            copper_mm: entry.copper_filter_mm.value,
            beam_hardening: true,
        };
        Self::assemble(entry, technique, tables)
    }

    /// The same machine with another technique.
    ///
    /// # Errors
    /// [`MachineError::Spectrum`].
    pub fn with_technique(&self, technique: Technique) -> Result<Self, MachineError> {
        Self::assemble(self.entry.clone(), technique, self.tables.clone())
    }

    fn assemble(entry: CArmEntry, technique: Technique, tables: Tables) -> Result<Self, MachineError> {
        let filters = [
            (&tables.aluminium, technique.aluminium_mm),
            (&tables.copper, technique.copper_mm),
        ];
        let spectrum = Spectrum::new(&tables.tubes, &TUNGSTEN_LINES_KEV, technique.kv, &filters)?;
        let kerma_ugy_per_mas = spectrum.air_kerma_ugy_per_mas(&tables.air_absorption);
        let usual_filters = [
            (&tables.aluminium, entry.aluminium_filter_mm.value),
            (
                &tables.copper,
                entry.copper_filter_mm.value + entry.setting_copper_mm.value,
            ),
        ];
        let behind = Spectrum::new(
            &tables.tubes,
            &TUNGSTEN_LINES_KEV,
            entry.tube_voltage_kv.value,
            &usual_filters,
        )?;
        let set_kev_per_mm2_ngy = behind.taken_kev_per_mas_mm2(&tables.scintillator, entry.scintillator_mm.value)
            / (1e3 * behind.air_kerma_ugy_per_mas(&tables.air_absorption));
        let seen = if technique.beam_hardening {
            spectrum.clone()
        } else {
            Spectrum {
                kv: technique.kv,
                energy_kev: vec![spectrum.mean_energy_kev()],
                photons: vec![spectrum.photons.iter().sum()],
            }
        };
        // The integrals are mm of water in the CT's beam: each material keeps its ratio to water there.
        let at_ct = |c: &Coefficients| tables.water.per_mm(CT_KEV) / c.per_mm(CT_KEV);
        let (soft_scale, bone_scale) = (at_ct(&tables.muscle), at_ct(&tables.bone));
        let soft = |e: f64| tables.muscle.per_mm(e) * soft_scale;
        let bone = |e: f64| tables.bone.per_mm(e) * bone_scale;
        // mg/cm² of iodine: 1/mm over density in mg/cm²/mm = 0.1 kg/m³.
        let iodine = |e: f64| tables.iodine.per_mm(e) / (0.1 * tables.iodine_kg_per_m3);
        let device: [_; DeviceMaterial::ALL.len()] = std::array::from_fn(|n| {
            let table = &tables.devices[n];
            move |e: f64| table.per_mm(e)
        });
        let [steel, titanium, polymer, lead] = &device;
        let response = Response::new(
            &seen,
            (&tables.scintillator, entry.scintillator_mm.value),
            [&soft, &bone],
            [steel, titanium, polymer, lead, &iodine],
        );
        let split = SoftAndBone::new(BONE_ABOVE_HU, 1.0 / bone_scale);
        Ok(Self {
            entry,
            technique,
            spectrum,
            response,
            split,
            kerma_ugy_per_mas,
            set_kev_per_mm2_ngy,
            tables,
        })
    }

    /// The C-arm as it stands after being switched on: over the back, nothing collimated.
    pub fn arm(&self) -> CArm {
        let e = &self.entry;
        let reach = |v: f64| [-v, v];
        CArm {
            source_detector_mm: e.source_detector_mm.value,
            source_isocentre_mm: e.source_isocentre_mm.value,
            detector_mm: [e.detector_side_mm.value; 2],
            pixels: [e.pixels_count.value as usize; 2],
            travel: Travel {
                orbital_deg: reach(e.orbital_reach_deg.value),
                cranio_caudal_deg: reach(e.cranio_caudal_reach_deg.value),
                table_shift_mm: e.table_reach_mm.value,
            },
            ..CArm::default()
        }
    }

    /// Share of the air kerma that so many mm of water leave; none without a beam.
    pub fn kerma_behind_water(&self, water_mm: f64) -> Option<f64> {
        let air = &self.tables.air_absorption;
        let behind = self
            .spectrum
            .behind(&[(&self.tables.water, water_mm)])
            .air_kerma_ugy_per_mas(air);
        (self.kerma_ugy_per_mas > 0.0).then(|| behind / self.kerma_ugy_per_mas)
    }

    /// Half value layer of the beam, mm of aluminium.
    pub fn half_value_layer_mm(&self) -> f64 {
        self.spectrum
            .half_value_layer_mm(&self.tables.aluminium, &self.tables.air_absorption)
    }
}
