//! The text of one scenario, read, checked and turned into a problem.
#![no_main]

use libfuzzer_sys::fuzz_target;
use neurotome_io::{catalog, scenario};

fuzz_target!(|bytes: &[u8]| {
    let source = scenario::Source {
        name: "fuzz.toml".to_owned(),
        text: String::from_utf8_lossy(bytes).into_owned(),
        folder: "no-such-folder".into(),
    };
    let known = catalog::built_in().expect("the catalogue within the program is read by every test");
    let _ = scenario::load(&source, &known);
});
