//! The bytes of one DICOM slice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use neurotome_io::dicom::read_dicom_slice_bytes;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_dicom_slice_bytes(bytes);
});
