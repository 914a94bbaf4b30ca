//! The bytes of one markups file of 3D Slicer; what is read can be written and is then read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use neurotome_io::markups::{landmarks, markups_json, read_markups_bytes};

fuzz_target!(|bytes: &[u8]| {
    let Ok(read) = read_markups_bytes(bytes) else { return };
    let _ = landmarks(&read);
    // Long labels may grow beyond the cap when they are escaped anew.
    if let Ok(json) = markups_json(&read.list) {
        let again = read_markups_bytes(&json).expect("what was written is read");
        assert_eq!(again.list, read.list);
    }
});
