//! X-ray guidance: the C-arm, its views, and live fluoroscopy with needles in the picture.
//!
//! [`CArm`] tells where source and detector are; [`turned_to`] turns it to a named view of a vertebra; [`Fluoroscope`] makes pictures,
//! pulse by pulse, with [`Machine`] as tube and detector; [`radiograph`] is a plain picture of a volume for a quick look.

mod carm;
mod contrast;
mod devices;
mod display;
mod dose;
mod explain;
mod live;
mod machine;
mod radiograph;
mod settings;
mod still;
mod table_top;
mod tissue;
mod views;

pub use carm::{BodyAxes, CArm, CArmError, Collimation, Travel};
pub use contrast::{Contrast, ContrastError, Injection};
pub use devices::{DeviceMaterial, NeedleLook, needle_axis_mm, needle_parts, pedicle_screw, skin_marker};
pub use dose::{Dose, pulse_dose};
pub use explain::{VolumeFacts, explain};
pub use live::{FluoroError, Fluoroscope, Frame};
pub use machine::{IODINE, MATERIALS, Machine, MachineError, Technique};
pub use radiograph::{Picture, RadiographError, RelativeToWater, radiograph, windowed16};
pub use settings::{Display, Effects, Exposure, Settings, Window};
pub use table_top::{TableSizes, TableTop};
pub use tissue::{SoftAndBone, hounsfield_image};
pub use views::{NamedView, aimed_at, looking_along, turned_to};
