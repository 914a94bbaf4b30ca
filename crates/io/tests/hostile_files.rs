//! Parsers of images, markups, histories and scenarios on the fuzzers' corpora and on damaged copies of good files: an answer or an error, never a panic.

use std::{fs, path::PathBuf};

use neurotome_io::{
    catalog,
    dicom::{CtOptions, read_ct_series_zip_bytes, read_dicom_slice_bytes},
    history::parse_history,
    markups::{landmarks, read_markups_bytes},
    scenario::{Source, load},
    volumes::{read_label_nifti_bytes, read_nifti_bytes},
};

/// The files of one target's corpus, in order of name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no corpus in {}", folder.display());
    files
}

/// A small generator with a fixed seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }
}

/// Damages a file: bytes and words changed, parts cut out, doubled or cut off.
fn damage(file: &[u8], dice: &mut Dice) -> Vec<u8> {
    const NASTY: [u32; 8] = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF];
    let mut bytes = file.to_vec();
    for _ in 0..=dice.throw(4) {
        if bytes.len() < 8 {
            break;
        }
        let at = dice.throw(bytes.len() - 4);
        match dice.throw(6) {
            0 => bytes[at] ^= 1 << dice.throw(8),
            1 => bytes[at] = dice.throw(256) as u8,
            2 => bytes[at..at + 4].copy_from_slice(&NASTY[dice.throw(8)].to_le_bytes()),
            3 => bytes[at..at + 2].copy_from_slice(&(NASTY[dice.throw(6)] as u16).to_be_bytes()),
            4 => {
                let end = (at + 1 + dice.throw(16)).min(bytes.len());
                if dice.throw(2) == 0 {
                    bytes.drain(at..end);
                } else {
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Runs a parser on every corpus file and `times` damaged copies of each; counts answers and errors.
fn attack(target: &str, times: usize, parse: impl Fn(&[u8]) -> bool) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    let mut dice = Dice(20_240_229);
    for (_, file) in corpus(target) {
        parse(&file);
        for _ in 0..times {
            if parse(&damage(&file, &mut dice)) {
                good += 1;
            } else {
                bad += 1;
            }
        }
    }
    (good, bad)
}

#[test]
fn nifti() {
    let (good, bad) = attack("nifti", 400, |b| {
        let labels = read_label_nifti_bytes(b).is_ok();
        read_nifti_bytes(b).is_ok() || labels
    });
    assert!(good > 50 && bad > 500, "{good} read, {bad} refused");
}

#[test]
fn dicom() {
    let (good, bad) = attack("dicom", 400, |b| read_dicom_slice_bytes(b).is_ok());
    assert!(good > 50 && bad > 500, "{good} read, {bad} refused");
}

#[test]
fn zip_series() {
    let (good, bad) = attack("zip_series", 300, |b| {
        read_ct_series_zip_bytes(b, &CtOptions::default()).is_ok()
    });
    assert!(good > 0 && bad > 200, "{good} read, {bad} refused");
}

#[test]
fn markups() {
    let (good, bad) = attack("markups", 400, |b| {
        read_markups_bytes(b).is_ok_and(|m| {
            let _ = landmarks(&m);
            true
        })
    });
    assert!(good > 50 && bad > 200, "{good} read, {bad} refused");
}

#[test]
fn scenario() {
    let known = catalog::built_in().unwrap();
    let (good, bad) = attack("scenario", 100, |b| {
        let text = String::from_utf8_lossy(b).into_owned();
        let source = Source {
            name: "damaged.toml".to_owned(),
            text,
            folder: "no-such-folder".into(),
        };
        load(&source, &known).is_ok()
    });
    assert!(good > 5 && bad > 100, "{good} read, {bad} refused");
}

#[test]
fn history() {
    let (good, bad) = attack("history", 200, |b| {
        parse_history("damaged.toml", &String::from_utf8_lossy(b)).is_ok()
    });
    assert!(good > 20 && bad > 100, "{good} read, {bad} refused");
}

#[test]
fn good_files_of_the_corpus_are_read() {
    let read = |target: &str, name: &str| {
        let files = corpus(target);
        files.into_iter().find(|f| f.0 == name).unwrap().1
    };
    assert!(read_nifti_bytes(&read("nifti", "i2.nii.gz")).is_ok());
    assert!(read_markups_bytes(&read("markups", "landmarks_lps.mrk.json")).is_ok());
    assert!(read_dicom_slice_bytes(&read("dicom", "jpeg_lossless.dcm")).is_ok());
    let series = read_ct_series_zip_bytes(&read("zip_series", "three_slices.zip"), &CtOptions::default()).unwrap();
    assert_eq!(series.hu.dims(), [12, 10, 3]);
}
