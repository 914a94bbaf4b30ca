//! The bytes of a zip with a CT series in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use neurotome_io::dicom::{CtOptions, read_ct_series_zip_bytes};

fuzz_target!(|bytes: &[u8]| {
    let _ = read_ct_series_zip_bytes(bytes, &CtOptions::default());
});
