//! The bytes of one NIfTI file, plain or gzipped, as image and as label map.
#![no_main]

use libfuzzer_sys::fuzz_target;
use neurotome_io::volumes::{read_label_nifti_bytes, read_nifti_bytes};

fuzz_target!(|bytes: &[u8]| {
    let _ = read_nifti_bytes(bytes);
    let _ = read_label_nifti_bytes(bytes);
});
