//! The command line: a thin layer that reads, computes, prints and writes. [`run`] is the whole program.

mod assess;
mod catalog;
mod debrief;
mod failure;
mod faults;
mod fibre;
mod files;
mod fluoro;
mod fmu;
mod inject;
mod lesion;
mod outcome;
mod perform;
mod plan;
mod replay;
mod run;
mod simulate;
mod solve;
mod spine;
mod stimulate;
mod verify;

use std::{
    ffi::OsString,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use neurotome_io::{
    catalog as catalog_files,
    scenario::{self, Loaded, Source},
};
use neurotome_procedure::catalog::Catalog;

use failure::Failure;

const EXIT_CODES: &str = "\
Exit status:
  0    done
  1    a check failed (verify, replay, faults)
  2    bad input: arguments, scenario, catalogue, record or a file that cannot be read or written
  3    the equations were not solved
  130  interrupted (Ctrl-C); no file was left behind

Research and teaching software, not a medical device.";

const EXAMPLES: &str = "\
Examples:
  neurotome simulate                                 the whole procedure on the built-in patient
  neurotome run                                      the same, step by step under your hand
  neurotome simulate scenarios/bone-half-space.toml
  neurotome lesion scenarios/bipolar.toml --json -   numbers for another program
  neurotome fluoro --view oblique-right              what the C-arm sees, in view.png
  neurotome plan --joint L4-L5 --side right          where the needles should lie
  neurotome stimulate                                what the patient feels, which muscles twitch
  neurotome assess history.toml                      who should have a lesion
  neurotome outcome --history history.toml           what comes after it: fibres cut, relief over months
  neurotome spine --seed 7 --out person              a patient of its own: labels, CT, bones, nerves
  neurotome fibre --diameter-um 3 --distance-mm 2    what current fires a thin fibre
  neurotome inject --percent 2 --wait-s 120          numb the nerve: spread, block, dose
  neurotome debrief                                  what the needle elsewhere would have done
  neurotome faults                                   does the generator notice every fault?
  neurotome fmu --out plant.fmu                      needle and tissue for other simulators (FMI 3.0)
  neurotome replay results/session.jsonl             compute it again and compare every figure
  neurotome verify                                   is it right? claim by claim
  neurotome catalog cannula                          what there is to choose from";

/// Simulates radiofrequency neurotomy of the lumbar medial branch nerves.
///
/// A scenario file (TOML) says where the needles lie, how the generator drives them and in which tissue; the program computes the
/// electric field, the temperature and the injury of the tissue, with the error of each figure.
#[derive(Debug, Parser)]
#[command(name = "neurotome", version, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Threads to compute with (default: one for each core). The results do not depend on it.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print nothing but what was asked for and errors.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// A folder with your own catalogue files (tissues.toml, injury.toml, cannulas.toml, generators.toml, spine.toml, nerves.toml,
    /// anaesthetics.toml, transport.toml, techniques.toml, outcomes.toml, insertion.toml, guidelines.toml, sources.toml); an entry there replaces the whole entry of the same name.
    #[arg(long, global = true, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Simulate the whole procedure, from assessment to outcome, or the lesion of needles that lie already; write report, pictures and record.
    #[command(
        after_help = "Examples:\n  neurotome simulate                                      both nerves of the built-in patient's right L4-L5 joint\n  neurotome simulate --debrief --out first                with what each lesion would have been otherwise\n  neurotome simulate --operator commands.txt              your own steps, one a line as in `neurotome run`\n  neurotome simulate scenarios/built-in.toml --out lesion a lesion alone: no [procedure] in its scenario\n  neurotome simulate scenarios/bench-layers.toml --out bench\n\nA scenario with [procedure] is treated whole by an automatic operator: assessment, plan, C-arm, needle, tests, anaesthetic, generator,\noutcome. The folder holds report.html, report.pdf and session.jsonl, which `neurotome replay` computes again. `neurotome schema` describes\nthe keys."
    )]
    Simulate(simulate::Simulate),
    /// Treat a patient step by step: C-arm, needle, tests, anaesthetic, generator, in a dialogue that can be interrupted and gone on with.
    #[command(
        after_help = "Examples:\n  neurotome run                                     the built-in patient; the log is session.jsonl\n  neurotome run --log monday.jsonl                  begin, or go on with, another session\n  neurotome run < commands.txt                      lines from a file\n\nInside: `help`, `next?` for what comes next, `auto` to let the automatic operator do a step, Tab to complete, `undo` to go back.\nEach step is on the disk before it counts. `neurotome replay session.jsonl` computes a session again and compares every byte."
    )]
    Run(run::Run),
    /// Compute the lesion of a scenario and give temperatures, electrical readings and contours at its output times.
    #[command(
        after_help = "Examples:\n  neurotome lesion scenarios/bipolar.toml\n  neurotome lesion scenarios/bipolar.toml --json lesion.json\n  neurotome lesion scenarios/bipolar.toml --json - | python3 -m json.tool"
    )]
    Lesion(lesion::Lesion),
    /// Show what a C-arm sees of a scenario: patient and needles in an X-ray picture, with its dose.
    #[command(
        after_help = "Examples:\n  neurotome fluoro --level L4 --view oblique-right --out view.png     the Scotty dog of L4\n  neurotome fluoro --advance 30 --frames 24 --out cine.dcm            the needle goes in\n  neurotome fluoro --turn 30 --view oblique-left --frames 24 --out turn.dcm\n  neurotome fluoro --contrast 0.5 --frames 16 --zoom 2 --out spread.dcm\n  neurotome fluoro scenarios/real-dicom.toml --view lateral-right --no-table\n  neurotome fluoro --orbital 25 --tilt -15 --bits 16\n  neurotome fluoro --view ap --out integrals.npy                      mm of water along each ray\n\nA picture that shows nothing is explained in a remark: the view misses the volume, the window is off, the values are no Hounsfield\nunits, or the image's directions look exchanged.\n\nWithout SCENARIO the built-in patient is used. Right and left are the patient's. The picture is seen from the detector, head up:\nover the back the patient's left is on the left."
    )]
    Fluoro(Box<fluoro::Fluoro>),
    /// Plan the needles for a facet joint: both nerves, ranked poses, what they achieve and spare.
    #[command(
        after_help = "Examples:\n  neurotome plan --joint L4-L5 --side right\n  neurotome plan --joint L4-L5 --side right --out plan\n  neurotome plan --joint L4-L5 --side left --cannula 18G-10mm-straight --json plan.json\n  neurotome plan my-ct.toml --joint L4-L5 --side right --out plan\n\nThe folder of --out holds plan.json, a picture of each nerve's views, a scenario of each best placement for `neurotome simulate`, and\nplan.mrk.json with needles and nerves for 3D Slicer. A CT needs [image.spine] in its scenario: scenarios/real-dicom-spine.toml."
    )]
    Plan(plan::PlanCommand),
    /// Judge a patient's history by the criteria of guidelines: eligible, with planning, not yet, or not; every gap by name.
    #[command(
        after_help = "Examples:\n  neurotome assess --example > history.toml                  a worked history to start from\n  neurotome assess history.toml\n  neurotome assess scenarios/histories/pacemaker.toml\n  neurotome assess history.toml --json -\n\nWhat a history leaves out counts as not known and is named. Thresholds and their sources: `neurotome catalog selection\nlumbar_neurotomy`. Exit status 0 whatever the judgement; read `verdict` of --json."
    )]
    Assess(assess::Assess),
    /// Tell what comes after a lesion: fibres cut by class and law, spikes through the lesion, harm, relief over the months.
    #[command(
        after_help = "Examples:\n  neurotome outcome                                          the built-in lesion, no diagnostic block\n  neurotome outcome --history scenarios/histories/eligible.toml --out after\n  neurotome outcome my-scenario.toml --joint L5-S1 --side left --other none\n  neurotome outcome results                                  the run in a results folder, solved again\n  neurotome outcome scenarios/pulsed-nerve.toml --other none pulsed current at 42 °C cuts nothing\n  neurotome outcome --no-conduction --json - | python3 -m json.tool\n\nA joint has two nerves. Where the scenario treats one, --other says what became of the second: the same lesion (default), none, or that of\nanother scenario. Laws of injury disagree; each has its own row. Relief is a model (numbers: `neurotome catalog outcome\nlumbar_medial_branch`); it does not foretell what one patient will feel."
    )]
    Outcome(Box<outcome::OutcomeCommand>),
    /// Write the built-in patient, or a person of your choice: label map, CT-like volume, bone surfaces, nerves, landmarks, pictures.
    #[command(
        after_help = "Examples:\n  neurotome spine --out mean\n  neurotome spine --sex female --stature-cm 158 --seed 7 --out person\n  neurotome spine --scoliosis-deg 20 --convex right --slip L4=6 --disc-loss L4=0.5 --out worn\n  neurotome spine my-scenario.toml --spacing-mm 0.7,0.7,2 --noise-hu 25 --out scan --json\n\nWhat the options set is what [spine] of a scenario sets (`neurotome schema`); they replace its keys. The same options give the same\nfiles. labels.nii.gz numbers vertebrae as TotalSegmentator does (28 is L4), so that it and ct.nii.gz can be the [image] of a scenario.\nNerves: the L4 medial branch crosses L5. Counts of nerve fibres are recalled or derived: `neurotome catalog nerve medial_branch`."
    )]
    Spine(Box<spine::SpineCommand>),
    /// Test the needle's place with pulses: what the patient feels, which muscles twitch, whether to make the lesion there.
    #[command(
        after_help = "Examples:\n  neurotome stimulate\n  neurotome stimulate --shift -4,0,0 --out lateral        4 mm to the right: is it felt later?\n  neurotome stimulate --current --pulse-ms 0.1\n  neurotome stimulate --sedation deep\n  neurotome stimulate --map axial --out map               thresholds over places of the needle\n  neurotome stimulate --conductivity low --json -\n\nThe field of the bare metal drives fibres of all nerves within 30 mm: double cables for those with myelin, a C fibre. The patient's answers\nare a model on top: a share of a class of fibres that fires is told as tingling, his pain, a twitch (`neurotome catalog perception`)."
    )]
    Stimulate(Box<stimulate::Stimulate>),
    /// One nerve fibre beside an electrode: threshold, curves, conduction velocity, pulse trains, block.
    ///
    /// A straight fibre in even tissue, a cathode beside it. The threshold is the weakest single pulse that sends a spike along the fibre.
    /// Distance costs most (about with its square); thin fibres need more than thick ones, C fibres very much more.
    #[command(after_help = "Examples:
  neurotome fibre                                                  10 µm, 2 mm, 1 ms
  neurotome fibre --diameter-um 3 --distance-mm 1 --pulse-ms 0.1   an Aδ fibre; which sizes were used is told
  neurotome fibre --geometry table --along mid                     between two nodes of the published table's fibre
  neurotome fibre --model sundt --distance-mm 1                    a C fibre (some seconds)
  neurotome fibre --tip-mm 10 --train 50                           beside a 10 mm tip, as in the sensory test
  neurotome fibre --block 0.8 --block-mm 6                         is a local anaesthetic's block enough?
  neurotome fibre --out fibre --json fibre.json                    pictures and numbers

Stated with the threshold: half of the search's last bracket, and by how much half the step in time changes it. A threshold beyond
--limit-ma is told as such. Thresholds are currents of a cathode against a far return; the tip is an even line of current, thin
against the distance.")]
    Fibre(Box<fibre::FibreCommand>),
    /// Inject a local anaesthetic, or another fluid: how it spreads, which nerve fibres it blocks when, and the dose.
    #[command(
        after_help = "Examples:\n  neurotome inject\n  neurotome inject --agent lidocaine --percent 2 --volume-ml 0.5 --wait-s 120 --out numb\n  neurotome inject --agent bupivacaine --percent 0.5 --follow-s 14400     how long it lasts\n  neurotome inject --tip skin --percent 1 --volume-ml 0.5                 a wheal where the needle goes in\n  neurotome inject scenarios/numbed.toml --agent saline --json -\n\nWithout SCENARIO the built-in patient is used. Options replace the keys of the scenario's [anaesthetic], with which `neurotome simulate`\nand `neurotome lesion` compute the spread before heating. share.nii.gz of --out can also be the `share_path` of [injectate].\nAgents: `neurotome catalog solution`; doses, thresholds of the fibres and their sources: `neurotome catalog anaesthetic lidocaine`."
    )]
    Inject(Box<inject::InjectCommand>),
    /// Make every fault happen to the generator, at every time and in every mode: was it noticed, by which rule, how soon?
    #[command(
        after_help = "Examples:\n  neurotome faults                                   all faults in all modes\n  neurotome faults --out faults                      with matrix.svg and the table of risks in faults.html\n  neurotome faults my-campaign.toml --json -\n\nWithout CAMPAIGN that of scenarios/faults/all.toml is used, which explains its keys. Exit status 1 when a fault is missed, found late or\nleft unsafe, or an alarm comes in a run without a fault. Limits and alarm limits: `neurotome catalog generator generic`."
    )]
    Faults(faults::Faults),
    /// Write needles and tissue as a functional mock-up unit (FMI 3.0) for other simulators: voltages in, thermocouples and impedances out.
    #[command(
        after_help = "Examples:\n  neurotome fmu --list                                       the standard plants\n  neurotome fmu --out plant.fmu                              20 G, 10 mm, beside bone: at once\n  neurotome fmu --model 20G-10mm-two-channels --out two.fmu\n  neurotome fmu scenarios/bone-half-space.toml --out mine.fmu      fitted to your scenario: a minute or two\n  neurotome fmu --source-only --json - --out sources.fmu\n  fmpy validate plant.fmu && fmpy simulate plant.fmu         in Python: pip install fmpy\n\nInputs are volts rms of each channel (and coolants' temperature and flow), held during a step; outputs thermocouples, impedances, currents,\npower and the hottest tissue. Any step length will do; inside, steps are at most 1 ms. The state can be read, set, stored, reset. A library is\ncompiled by $CC or cc; without one the unit holds C99 sources. documentation/index.html in the unit tells its stated error."
    )]
    Fmu(fmu::FmuCommand),
    /// Compute the run of a record again, with one and with two threads, and compare every figure.
    #[command(
        after_help = "Example:\n  neurotome replay results/record.json\n\nExit status 1 and the first difference when the figures are not the same to the last digit."
    )]
    Replay(replay::Replay),
    /// Check the program's claims: exact solutions, orders of convergence, other programs' results.
    #[command(
        after_help = "Examples:\n  neurotome verify\n  neurotome verify --only crosscode --all\n  neurotome verify --json claims.json\n\nExit status 1 when any claim of the groups asked for fails."
    )]
    Verify(verify::Verify),
    /// Debrief a placed needle: what the lesion would have been deeper, aside, along the nerve, thicker, longer, hotter.
    #[command(after_help = "Examples:
  neurotome debrief                                        the built-in patient's needle
  neurotome debrief scenarios/placements/lateral.toml --out debrief
  neurotome debrief my.toml --json -                       numbers for another program

Each change is solved in full, like the needle as it was, on cells twice as large as usual: read the differences, and `neurotome lesion`
for the lesion itself. The folder of --out holds debrief.json and a picture. A scenario needs one needle and a nerve to be destroyed.")]
    Debrief(debrief::DebriefCommand),
    /// Print the JSON Schema of a scenario file (for editors and other programs).
    #[command(after_help = "Example:\n  neurotome schema > scenario.schema.json")]
    Schema,
    /// Show the catalogue: tissues, injury laws, cannulas, metals, generators, X-ray tables, each value with its source.
    #[command(
        after_help = "Examples:\n  neurotome catalog\n  neurotome catalog tissue\n  neurotome catalog tissue muscle\n  neurotome catalog cannula 20G-10mm-straight --json\n\nA value marked `unverified` was recalled, derived or assumed; a run that uses one says so."
    )]
    Catalog(catalog::Show),
}

/// The whole program: reads `args` (the program's name first), runs, prints, and says how it ended.
pub fn run<I, T>(args: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version end well; anything else is a wrong argument.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let common = &cli.common;
    let outcome = match &cli.command {
        Command::Simulate(c) => c.run(common),
        Command::Run(c) => c.run(common),
        Command::Lesion(c) => c.run(common),
        Command::Fluoro(c) => c.run(common),
        Command::Plan(c) => c.run(common),
        Command::Assess(c) => c.run(common),
        Command::Outcome(c) => c.run(common),
        Command::Spine(c) => c.run(common),
        Command::Stimulate(c) => c.run(common),
        Command::Fibre(c) => c.run(common),
        Command::Inject(c) => c.run(common),
        Command::Faults(c) => c.run(common),
        Command::Fmu(c) => c.run(common),
        Command::Replay(c) => c.run(common),
        Command::Verify(c) => c.run(common),
        Command::Debrief(c) => c.run(common),
        Command::Schema => schema(),
        Command::Catalog(c) => c.run(common),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show();
            ExitCode::from(failure.code())
        }
    }
}

fn schema() -> Result<(), Failure> {
    print(&json_text(&scenario::schema())?);
    Ok(())
}

/// The catalogue that the options name.
fn open_catalog(common: &Common) -> Result<Catalog, Failure> {
    let catalog = match &common.catalog {
        Some(folder) => catalog_files::with_overlay(folder),
        None => catalog_files::built_in(),
    };
    Ok(catalog?)
}

/// Reads a scenario, or the built-in one.
fn open_scenario(path: Option<&Path>, catalog: &Catalog) -> Result<(Source, Loaded), Failure> {
    let source = match path {
        Some(path) => Source::read(path)?,
        None => Source::built_in(),
    };
    let loaded = scenario::load(&source, catalog)?;
    Ok((source, loaded))
}

/// The same for a command that needs no anaesthetic.
fn open_scenario_before_injection(path: Option<&Path>, catalog: &Catalog) -> Result<(Source, Loaded), Failure> {
    let source = match path {
        Some(path) => Source::read(path)?,
        None => Source::built_in(),
    };
    let loaded = scenario::load_before_injection(&source, catalog)?;
    Ok((source, loaded))
}

/// JSON for people and files: indented, with a line end.
fn json_text(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|e| Failure::NotSolved(format!("writing JSON: {e}")))
}

/// Writes to standard output. A reader that has gone away (`| head`) is no error.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints when `target` is `-`, else writes the file whole or not at all.
fn deliver(target: &Path, text: &str) -> Result<(), Failure> {
    if target == Path::new("-") {
        print(text);
        Ok(())
    } else {
        files::write_whole(target, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
