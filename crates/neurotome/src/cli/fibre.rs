//! `neurotome fibre`.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use neurotome_io::{
    report::{fibre_potentials, fibre_thresholds},
    results::{ExtraFile, check_target, write_files},
};
use neurotome_physics::axon::GeometrySet;
use neurotome_procedure::one_fibre::{
    self, Answer, Beside, Block, FoundBlock, FoundTrain, Model, OneFibreError, Question, Source, ThresholdAt, Train,
    Weakest,
};

use super::{Common, Failure, deliver, json_text, print, solve};

/// Diameters where none is given, µm.
const MYELINATED_UM: f64 = 10.0;
const C_FIBRE_UM: f64 = 1.0;
/// Pulses of a train where no number is given, and the longest such train, s.
const PULSES: f64 = 10.0;
const TRAIN_S: f64 = 1.0;

#[derive(Debug, Args)]
pub(super) struct FibreCommand {
    /// Model of the fibre: mrg (myelinated; McIntyre, Richardson, Grill 2002), sundt or rattay (C fibres without myelin).
    #[arg(long, value_name = "NAME", default_value = "mrg")]
    model: Model,
    /// Outer diameter, µm. Default: 10, of a C fibre 1.
    #[arg(long, value_name = "UM", allow_negative_numbers = true)]
    diameter_um: Option<f64>,
    /// Sizes of a myelinated fibre: table (the published diameters only), fitted (2 to 16 µm) or small (1 to 5.7 µm, slow as Aδ fibres are).
    /// Default: small below 5.7 µm, else fitted.
    #[arg(long, value_name = "SET", value_parser = set_of_sizes)]
    geometry: Option<GeometrySet>,
    /// From the source to the fibre, mm.
    #[arg(long, value_name = "MM", default_value_t = 2.0, allow_negative_numbers = true)]
    distance_mm: f64,
    /// What of a myelinated fibre lies beside the source: a node of Ranvier, or the middle between two.
    #[arg(long, value_name = "PLACE", default_value = "node")]
    along: Beside,
    /// Take a bare tip of this length, mm, as the source instead of a point; it lies along the fibre.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    tip_mm: Option<f64>,
    /// Lay the tip across the fibre.
    #[arg(long, requires = "tip_mm")]
    tip_across: bool,
    /// Width of the cathodic square pulse, ms.
    #[arg(long, value_name = "MS", default_value_t = 1.0, allow_negative_numbers = true)]
    pulse_ms: f64,
    /// Conductivity of the tissue, S/m.
    #[arg(long, value_name = "S/M", default_value_t = 0.3, allow_negative_numbers = true)]
    conductivity: f64,
    /// Temperature of the fibre, 15 to 45 °C.
    #[arg(long, value_name = "C", default_value_t = 37.0, allow_negative_numbers = true)]
    temperature_c: f64,
    /// Also tell which pulses of a train of so many a second (Hz) are followed.
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    train: Option<f64>,
    /// Pulses of that train. Default: 10, or as many as a second holds, but at least 2.
    #[arg(long, value_name = "N", requires = "train")]
    pulses: Option<u16>,
    /// Also tell whether a spike passes where this share of the sodium channels (0 to 1) is blocked.
    #[arg(long, value_name = "SHARE", requires = "block_mm", allow_negative_numbers = true)]
    block: Option<f64>,
    /// Length of the blocked stretch, mm.
    #[arg(long, value_name = "MM", requires = "block", allow_negative_numbers = true)]
    block_mm: Option<f64>,
    /// Largest current looked at, mA.
    #[arg(long, value_name = "MA", default_value_t = 1000.0, allow_negative_numbers = true)]
    limit_ma: f64,
    /// Step in time, µs; the stated error compares with half of it.
    #[arg(long, value_name = "US", default_value_t = 10.0, allow_negative_numbers = true)]
    step_us: f64,
    /// Write the answer as JSON to FILE; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Folder for fibre.json and pictures of thresholds and potentials; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn set_of_sizes(text: &str) -> Result<GeometrySet, String> {
    match text {
        "table" => Ok(GeometrySet::Table),
        "fitted" => Ok(GeometrySet::Fitted),
        "small" => Ok(GeometrySet::Small),
        _ => Err(format!(
            "\"{text}\" is no set of sizes; expected table, fitted or small"
        )),
    }
}

impl FibreCommand {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(folder) = &self.out {
            check_target(folder).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let question = self.question();
        let bar = solve::stage_bar(common.quiet);
        let go_on = |step: &str, done: usize, of: usize| {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            bar.set_message(step.to_owned());
            !solve::interrupted()
        };
        let made = solve::on_threads(common.threads, || {
            let answer = one_fibre::answer(&question, &go_on).map_err(failure)?;
            let files = match &self.out {
                Some(_) => files(&answer)?,
                None => vec![],
            };
            Ok::<_, Failure>((answer, files))
        })?;
        bar.finish_and_clear();
        let (answer, files) = made?;
        solve::check_interrupt()?;
        if let Some(folder) = &self.out {
            write_files(folder, &files).map_err(|e| Failure::Input(e.to_string()))?;
        }
        if let Some(target) = &self.json {
            deliver(target, &json_text(&answer)?)?;
        }
        let printed = self.json.as_deref().is_some_and(|p| p == std::path::Path::new("-"));
        if !printed && !common.quiet {
            print(&told(&answer));
            if let Some(folder) = &self.out {
                print(&format!("Written to {}\n\n", folder.display()));
            }
            print(&format!("{}\n", crate::DISCLAIMER));
        }
        Ok(())
    }

    fn question(&self) -> Question {
        let usual = if self.model == Model::Mrg {
            MYELINATED_UM
        } else {
            C_FIBRE_UM
        };
        Question {
            model: self.model,
            diameter_um: self.diameter_um.unwrap_or(usual),
            sizes: self.geometry,
            source: self.tip_mm.map_or(Source::Point, |length_mm| Source::Tip {
                length_mm,
                across: self.tip_across,
            }),
            distance_mm: self.distance_mm,
            beside: self.along,
            conductivity_s_per_m: self.conductivity,
            temperature_c: self.temperature_c,
            pulse_ms: self.pulse_ms,
            step_ms: 1e-3 * self.step_us,
            limit_ma: self.limit_ma,
            train: self.train.map(|frequency_hz| Train {
                frequency_hz,
                pulses: self
                    .pulses
                    .map_or((TRAIN_S * frequency_hz).clamp(2.0, PULSES) as usize, usize::from),
            }),
            block: self
                .block
                .zip(self.block_mm)
                .map(|(share, length_mm)| Block { share, length_mm }),
        }
    }
}

fn failure(e: OneFibreError) -> Failure {
    match e {
        OneFibreError::Cancelled => Failure::Interrupted("interrupted; nothing was written".to_owned()),
        e => Failure::Input(e.to_string()),
    }
}

/// What goes into the folder.
fn files(answer: &Answer) -> Result<Vec<ExtraFile>, Failure> {
    let not_drawn = |e: neurotome_io::results::ResultsError| Failure::NotSolved(e.to_string());
    let file = |name: &str, caption: &str, bytes| ExtraFile {
        name: name.to_owned(),
        caption: caption.to_owned(),
        bytes,
    };
    let (svg, png) = fibre_thresholds(answer).map_err(not_drawn)?;
    let caption = "thresholds against distance and against the width of the pulse";
    let mut all = vec![
        file(
            "fibre.json",
            "the answer: thresholds with their errors, curves, velocity",
            json_text(answer)?.into_bytes(),
        ),
        file("thresholds.svg", caption, svg),
        file("thresholds.png", caption, png),
    ];
    if let Some(ma) = answer.threshold.ma() {
        let potentials = one_fibre::membranes(&answer.question, ma).map_err(failure)?;
        all.push(file(
            "potential.png",
            "potential across the membrane in space and time, at 1.2 times the threshold",
            fibre_potentials(answer, &potentials).map_err(not_drawn)?,
        ));
    }
    Ok(all)
}

/// A current with three digits that count.
fn ma(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    format!(
        "{value:.*}",
        (3.0 - value.abs().log10().floor()).clamp(0.0, 9.0) as usize
    )
}

fn told(a: &Answer) -> String {
    let q = &a.question;
    let mut out = String::new();
    let source = match q.source {
        Source::Point => "a point".to_owned(),
        Source::Tip { length_mm, across } => {
            format!("a {length_mm} mm tip {} it", if across { "across" } else { "along" })
        }
    };
    let kind = if q.model == Model::Mrg {
        "Myelinated fibre"
    } else {
        "C fibre"
    };
    let _ = writeln!(
        out,
        "{kind} of {} µm ({}), {} mm from {source}, {} S/m, {} °C",
        q.diameter_um, q.model, q.distance_mm, q.conductivity_s_per_m, q.temperature_c
    );
    if let (Some(sizes), Some(spacing)) = (&a.sizes, a.node_spacing_mm) {
        let advised = GeometrySet::advised(q.diameter_um).to_string();
        let why = if *sizes == advised {
            "advised for this diameter".to_owned()
        } else {
            format!("{advised} is advised")
        };
        let _ = writeln!(
            out,
            "  sizes                {sizes} ({why}): nodes {spacing:.3} mm apart, {} of them, {} beside the source",
            a.places,
            if q.beside == Beside::Node {
                "one"
            } else {
                "none, the middle between two is"
            }
        );
        if q.diameter_um < 5.7 {
            let _ = writeln!(
                out,
                "                       Aδ fibres: the sets' thresholds differ up to twofold, so name the set with every result"
            );
        }
    } else {
        let _ = writeln!(out, "  compartments         {}", a.places);
    }
    let _ = writeln!(
        out,
        "  threshold            {}, one pulse of {} ms",
        weakest(&a.threshold),
        q.pulse_ms
    );
    if let Some(t) = &a.too_strong {
        let line = match (t.from_ma, a.threshold.ma()) {
            (Some(from), Some(threshold)) => format!(
                "no spike from {} mA on, {:.1} times the threshold: the pulse is too strong, its surround stops what it fires",
                ma(from),
                from / threshold
            ),
            _ => format!("all looked at fire it, up to {} mA", ma(t.up_to_ma)),
        };
        let _ = writeln!(out, "  stronger pulses      {line}");
    }
    let velocity = a
        .velocity_m_per_s
        .map_or_else(|| "no spike arrives".to_owned(), |v| format!("{v:.2} m/s"));
    let _ = writeln!(out, "  conduction velocity  {velocity}");
    let _ = writeln!(out, "  rest                 {:.2} mV", a.rest_mv);
    if let Some(s) = &a.strength_duration {
        let [low, high] = s.fitted_ms;
        let law = match (s.rheobase_ma, s.chronaxie_ms, s.chronaxie_over_ms) {
            (Some(r), Some(c), _) => format!("rheobase {} mA, chronaxie {c:.3} ms", ma(r)),
            (_, _, Some(over)) => {
                format!("chronaxie over {over} ms; the rheobase cannot be told from such short pulses")
            }
            _ => "the law does not fit".to_owned(),
        };
        let _ = writeln!(
            out,
            "  strength, duration   {law} (Weiss, {low} to {high} ms, misfit {:.1} %)",
            100.0 * s.misfit
        );
    } else {
        let _ = writeln!(
            out,
            "  strength, duration   not told: a pulse of the fit has no threshold within the limit"
        );
    }
    let _ = writeln!(out, "\n  threshold against distance, {} ms", q.pulse_ms);
    curve(&mut out, &a.by_distance, |p| format!("{} mm", p.distance_mm));
    let _ = writeln!(
        out,
        "\n  threshold against the width of the pulse, {} mm",
        q.distance_mm
    );
    curve(&mut out, &a.by_pulse, |p| format!("{} ms", p.pulse_ms));
    if let Some(train) = &a.train {
        train_table(&mut out, train);
    } else if q.train.is_some() {
        let _ = writeln!(
            out,
            "\n  train                not computed: there is no threshold within the limit"
        );
    }
    if let Some(block) = &a.block {
        block_line(&mut out, block, q.model);
    }
    let _ = writeln!(
        out,
        "\n  Errors are those of the computation: half the last bracket of the search and what half the step changes. Fibres of one\n  \
         diameter differ far more. The conductivity is even and the same everywhere, and the source is thin.\n"
    );
    out
}

fn weakest(w: &Weakest) -> String {
    match w {
        Weakest::Found {
            threshold_ma,
            bracket_ma,
            step_ma: Some(step),
        } => format!(
            "{} mA ± {:.2} % (bracket) ± {:.2} % (step)",
            ma(*threshold_ma),
            100.0 * bracket_ma / threshold_ma,
            100.0 * step / threshold_ma
        ),
        Weakest::Found {
            threshold_ma,
            bracket_ma,
            step_ma: None,
        } => format!("{} mA ± {:.2} %", ma(*threshold_ma), 100.0 * bracket_ma / threshold_ma),
        Weakest::NotFound { above_ma } => {
            format!("not found: above {above_ma} mA, the largest current looked at (--limit-ma)")
        }
    }
}

fn curve(out: &mut String, points: &[ThresholdAt], at: fn(&ThresholdAt) -> String) {
    for p in points {
        let _ = writeln!(out, "  {:>19}  {}", at(p), weakest(&p.weakest));
    }
}

fn train_table(out: &mut String, found: &FoundTrain) {
    let t = &found.train;
    let _ = writeln!(
        out,
        "\n  train                {} pulses at {} Hz, spikes of each pulse",
        t.pulses, t.frequency_hz
    );
    for f in &found.followed {
        let each: String = f
            .spikes
            .iter()
            .map(|n| char::from_digit(*n, 10).unwrap_or('+'))
            .collect();
        let followed = f.spikes.iter().filter(|n| **n > 0).count();
        let _ = writeln!(
            out,
            "  {:>12} × {:>4}  {each}  {followed} of {} followed, {} mA",
            "threshold",
            f.times_threshold,
            f.spikes.len(),
            ma(f.current_ma)
        );
    }
}

fn block_line(out: &mut String, b: &FoundBlock, model: Model) {
    let places = if model == Model::Mrg { "nodes" } else { "compartments" };
    let verdict = if b.stops { "stops" } else { "does not stop" };
    let least = b.least_share_that_stops.map_or_else(
        || "not even all of them would".to_owned(),
        |share| format!("it takes a share of {share:.2}"),
    );
    let _ = writeln!(
        out,
        "\n  block                a share of {} over {} mm ({} {places}) {verdict} a spike; on this length {least}",
        b.block.share, b.block.length_mm, b.places_within
    );
}
