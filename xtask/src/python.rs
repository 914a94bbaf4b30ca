//! Independent readers judge our files, in a virtual environment below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::Failure;
use crate::workspace::{Workspace, files_below};
use crate::{process, suite};

/// Scripts that are given the results folder of the built-in patient.
const RESULT_CHECKS: [&str; 2] = ["check_vtk.py", "check_pdf.py"];

/// Scripts that compare an image with the copy that Neurotome made of it, and the ends of the names of such images.
const IMAGE_CHECKS: [(&str, &[&str]); 2] = [("check_nifti.py", &[".nii", ".nii.gz"]), ("check_dicom.py", &[".zip"])];

/// Scripts that are given pictures of the C-arm, the scenario they show and where the C-arm stands.
const PICTURE_CHECKS: [&str; 1] = ["check_fluoro.py"];
const PICTURED: [&str; 12] = [
    "fluoro",
    "scenarios/bone-half-space.toml",
    "--orbital",
    "-25",
    "--tilt",
    "12",
    "--pixels",
    "96",
    "--spacing",
    "5",
    "--pulses",
    "8",
];

/// Scripts that are given units of the plants named and the table of the program's own answer beside each.
const UNIT_CHECKS: [&str; 1] = ["check_fmu.py"];
const UNITS: [&str; 3] = ["20G-10mm", "20G-10mm-two-channels", "17G-4mm-cooled"];

/// Example program that reads an image, copies it and prints places of voxels.
const COPY_PROGRAM: &str = "ct_info";

/// Runs every `python/tests/check_*.py`; images are those below `NEUROTOME_TEST_DATA`.
pub fn check(w: &Workspace) -> Result<(), Failure> {
    let scripts = w.root.join("python").join("tests");
    refuse_unknown(&scripts)?;
    let python = environment(w)?;
    let run = |script: &str, arguments: &[&Path]| {
        let mut check = Command::new(&python);
        check
            .current_dir(&w.root)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(scripts.join(script))
            .args(arguments);
        process::show(
            &mut check,
            "our file and its independent reader disagree; see what the script says",
        )
    };
    let results = suite::results(w)?;
    for script in RESULT_CHECKS {
        run(script, &[&results])?;
    }
    let pictures = pictures(w)?;
    for script in PICTURE_CHECKS {
        run(script, &[&pictures])?;
    }
    let units = units(w)?;
    for script in UNIT_CHECKS {
        run(script, &[&units])?;
    }
    let Some(data) = std::env::var_os("NEUROTOME_TEST_DATA").map(PathBuf::from) else {
        println!("   skipped: copies of real images: NEUROTOME_TEST_DATA is not set");
        return Ok(());
    };
    let images = files_below(&data)?;
    let copies = w.fresh_folder("copies")?;
    // With the profile and the packages of the tests, so that what they built is used again.
    let args = ["build", "--workspace", "--locked", "--example", COPY_PROGRAM];
    process::show(&mut w.cargo(&args), "mend the build")?;
    let program = w.target.join("debug").join("examples").join(COPY_PROGRAM);
    for (script, ends) in IMAGE_CHECKS {
        for image in images
            .iter()
            .filter(|i| ends.iter().any(|end| i.to_string_lossy().ends_with(end)))
        {
            let copy = copies.join("copy.nii.gz");
            let places = process::output(Command::new(&program).arg(image).arg(&copy))?;
            let points = copies.join("points.txt");
            std::fs::write(&points, places)
                .map_err(|e| Failure::new(format!("cannot write {}: {e}", points.display()), "free space"))?;
            match script {
                "check_nifti.py" => run(script, &[image, &copy, &points])?,
                _ => run(script, &[image, &copy])?,
            }
        }
    }
    Ok(())
}

/// A cine with what was told of it, and one plain view in every other format.
fn pictures(w: &Workspace) -> Result<PathBuf, Failure> {
    let folder = w.fresh_folder("pictures")?;
    let program = suite::program(w)?;
    let taken = |more: &[&str], name: &str| {
        process::output(
            Command::new(&program)
                .current_dir(&w.root)
                .args(PICTURED)
                .args(more)
                .arg("--out")
                .arg(folder.join(name)),
        )
    };
    let told = taken(&["--frames", "3", "--json"], "cine.dcm")?;
    let file = folder.join("cine.json");
    std::fs::write(&file, told)
        .map_err(|e| Failure::new(format!("cannot write {}: {e}", file.display()), "free space"))?;
    for name in ["view.png", "view.npy", "view.nii.gz"] {
        taken(&["--plain", "--no-needle", "--equalised", "0", "--bits", "16"], name)?;
    }
    Ok(folder)
}

/// Functional mock-up units with their tables.
fn units(w: &Workspace) -> Result<PathBuf, Failure> {
    let folder = w.fresh_folder("units")?;
    let program = suite::program(w)?;
    for name in UNITS {
        process::output(
            Command::new(&program)
                .args(["fmu", "--model", name, "--out"])
                .arg(folder.join(format!("{name}.fmu")))
                .arg("--reference")
                .arg(folder.join(format!("{name}.csv"))),
        )?;
    }
    Ok(folder)
}

/// A check that no list names would never run; a list that names a missing one is no better.
fn refuse_unknown(scripts: &Path) -> Result<(), Failure> {
    let known: Vec<&str> = RESULT_CHECKS
        .into_iter()
        .chain(PICTURE_CHECKS)
        .chain(UNIT_CHECKS)
        .chain(IMAGE_CHECKS.map(|(script, _)| script))
        .collect();
    let found: Vec<String> = files_below(scripts)?
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "py"))
        .filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| name.starts_with("check_"))
        .collect();
    let unknown = found
        .iter()
        .filter(|f| !known.contains(&f.as_str()))
        .map(|f| format!("{f} is run by nobody"));
    let missing = known
        .iter()
        .filter(|k| !found.iter().any(|f| f == *k))
        .map(|k| format!("{k} is missing"));
    let faults: Vec<String> = unknown.chain(missing).collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::list(
            "python/tests and xtask/src/python.rs disagree",
            &faults,
            "add the script to a list there, or restore it",
        ))
    }
}

/// The environment of the independent readers.
fn environment(w: &Workspace) -> Result<PathBuf, Failure> {
    Environment {
        requirements: &w.root.join("python").join("requirements.txt"),
        folder: &w.target.join("python-venv"),
        version: (3, 11),
        candidates: &[PathBuf::from("python3")],
        pip: &["--no-deps"],
    }
    .ready()
}

/// A virtual environment with what a file of requirements lists.
pub struct Environment<'a> {
    /// The list.
    pub requirements: &'a Path,
    /// Where the environment stands.
    pub folder: &'a Path,
    /// The oldest version of Python that will do.
    pub version: (u32, u32),
    /// Interpreters to make it with; the first that will do is taken.
    pub candidates: &'a [PathBuf],
    /// Further arguments of `pip install`.
    pub pip: &'a [&'a str],
}

impl Environment<'_> {
    /// The environment's Python, made or brought up to date when the list has changed.
    pub fn ready(&self) -> Result<PathBuf, Failure> {
        let wanted = std::fs::read_to_string(self.requirements).map_err(|e| {
            Failure::new(
                format!("cannot read {}: {e}", self.requirements.display()),
                "restore it from git",
            )
        })?;
        let python = self.folder.join("bin").join("python");
        let stamp = self.folder.join("requirements-installed.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) && runs(&python, "import pip") {
            return Ok(python);
        }
        let mut make = Command::new(self.interpreter()?);
        make.args(["-m", "venv", "--clear"]).arg(self.folder);
        process::show(
            &mut make,
            "free space in the target folder, or mend the python3 installation",
        )?;
        let mut install = Command::new(&python);
        install
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-input",
            ])
            .args(self.pip)
            .arg("-r")
            .arg(self.requirements);
        process::show(&mut install, "check the network to the Python registry, then try again")?;
        std::fs::write(&stamp, wanted).map_err(|e| {
            Failure::new(
                format!("cannot write {}: {e}", stamp.display()),
                "free space in the target folder",
            )
        })?;
        Ok(python)
    }

    /// The first candidate that is new enough.
    fn interpreter(&self) -> Result<&Path, Failure> {
        let (major, minor) = self.version;
        let recent = format!("import sys; assert sys.version_info >= ({major}, {minor})");
        let Some(python) = self.candidates.iter().find(|p| runs(p, &recent)) else {
            return Err(Failure::new(
                format!("no python3 of version {major}.{minor} or later is here"),
                "install it (Debian: `apt install python3 python3-venv`; or `pyenv install 3.12`)",
            ));
        };
        if !runs(python, "import venv, ensurepip") {
            return Err(Failure::new(
                format!(
                    "{} is here, but its modules venv and ensurepip are missing",
                    python.display()
                ),
                "install them (Debian: `apt install python3-venv`)",
            ));
        }
        Ok(python)
    }
}

/// `python3` of several names, and the versions that pyenv keeps.
pub fn interpreters() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["python3", "python3.12", "python3.13", "python3.14"]
        .map(PathBuf::from)
        .into();
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv"));
    let roots = [
        std::env::var_os("PYENV_ROOT").map(PathBuf::from),
        home,
        Some("/opt/pyenv".into()),
    ];
    for root in roots.into_iter().flatten() {
        let versions = std::fs::read_dir(root.join("versions")).into_iter().flatten().flatten();
        let mut pythons: Vec<PathBuf> = versions.map(|v| v.path().join("bin").join("python3")).collect();
        pythons.sort();
        found.extend(pythons);
    }
    found
}

fn runs(python: &Path, code: &str) -> bool {
    process::works(Command::new(python).args(["-c", code]))
}
