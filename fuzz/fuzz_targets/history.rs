//! The text of a patient's history, read and judged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use neurotome_io::history;

fuzz_target!(|bytes: &[u8]| {
    let _ = history::parse_history("fuzz.toml", &String::from_utf8_lossy(bytes));
});
