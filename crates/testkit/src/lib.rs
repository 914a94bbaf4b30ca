//! What tests share. A dev-dependency only; `cargo xtask check-layers` sees to it.
//!
//! - [`ConvergenceTable`]: error against cell size or step; asserts the *order* and the *value*.
//! - [`close`]: compares numbers and names the quantity and the place when they differ.
//! - [`compare_images`]: compares pictures with a tolerance that a change of font or compiler does not exceed.
//! - [`test_data`]: the folder of real CT, or a line that says the test was skipped.

mod approx;
mod convergence;
mod image;

pub use approx::{Tolerance, assert_close, close};
pub use convergence::{ConvergenceRow, ConvergenceTable};
pub use image::{ImageDifference, compare_images};

/// The folder of real CT named by `NEUROTOME_TEST_DATA`; without it, prints that `test` is skipped and gives none.
pub fn test_data(test: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("NEUROTOME_TEST_DATA").map(std::path::PathBuf::from);
    if folder.is_none() {
        println!("skipped: {test}: NEUROTOME_TEST_DATA is not set");
    }
    folder
}
