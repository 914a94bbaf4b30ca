//! An outcome as a table for people.

use std::fmt::Write as _;

use neurotome_io::scenario::Loaded;
use neurotome_procedure::anatomy::NerveKind;
use neurotome_procedure::nerve_death::{Conduction, NerveCut, Passes, Where};

use super::Told;

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

pub(super) fn table(told: &Told, loaded: &Loaded) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}, joint {}", told.scenario, told.joint);
    for (name, from) in &told.nerves {
        let _ = writeln!(out, "  {name}: {from}");
    }
    if let Some(a) = &told.assessment {
        let _ = writeln!(out, "  by the history: {}", a.verdict);
    }
    let _ = writeln!(
        out,
        "\nFibres cut (dead somewhere along the nerve), by each law of injury"
    );
    for nerve in &told.fibres {
        fibres(&mut out, nerve);
    }
    if !told.conduction.is_empty() {
        let _ = writeln!(
            out,
            "\nSpikes through the lesion, by {} (hot: at the end of heating, heat alone; no Na: dead places without sodium channels)",
            told.outcomes.first().map_or("the first law", |o| o.law.as_str())
        );
        let _ = writeln!(
            out,
            "  {:28} {:8} {:14} {:>7} {:>8} {:>7} {:>5} {:>6} {:>4}",
            "nerve", "class", "fibre", "dead mm", "hottest", "before", "hot", "no Na", "cut"
        );
        for c in &told.conduction {
            conduction(&mut out, c);
        }
    }
    harm(&mut out, told);
    relief(&mut out, told);
    let _ = writeln!(
        out,
        "\nUnverified values of this model (`neurotome catalog outcome lumbar_medial_branch`)"
    );
    for line in told.unverified.chunks(4) {
        let _ = writeln!(out, "  {}", line.join(", "));
    }
    let _ = writeln!(
        out,
        "  and {} of tissue, cannula and generator (`neurotome lesion` names them); fibre counts are derived",
        loaded.notices.len()
    );
    let _ = writeln!(out, "\n{}", crate::DISCLAIMER);
    out
}

fn fibres(out: &mut String, nerve: &NerveCut) {
    let kind = if nerve.target { "target" } else { "to be spared" };
    let _ = writeln!(out, "  {} ({kind}), up to {:.1} °C", nerve.nerve, nerve.peak_c);
    if nerve.laws.iter().all(|l| l.cut_fraction == 0.0) {
        let _ = writeln!(out, "    none by any law");
        return;
    }
    for law in &nerve.laws {
        let note = if law.reversible {
            ", function that may return"
        } else {
            ""
        };
        let classes: Vec<String> = law
            .classes
            .iter()
            .filter(|c| c.cut > 0.0)
            .map(|c| format!("{} {:.0} of {:.0}", c.class, c.cut, c.fibres))
            .collect();
        let least = law.gap_mm.iter().copied().fold(f64::INFINITY, f64::min);
        let most = law.gap_mm.iter().copied().fold(0.0, f64::max);
        let _ = writeln!(
            out,
            "    {:22} {:>5} over {:.1} mm ({least:.1} to {most:.1}){note}",
            law.law,
            percent(law.cut_fraction),
            law.mean_gap_mm
        );
        if !classes.is_empty() {
            let _ = writeln!(out, "      {}", classes.join(", "));
        }
        let short: Vec<&str> = law
            .classes
            .iter()
            .filter(|c| c.cut > 0.0 && c.blocked < 0.99 * c.cut)
            .map(|c| c.class.name())
            .collect();
        if !short.is_empty() {
            let _ = writeln!(
                out,
                "      too short to block {} by loss of sodium channels alone in some fibres",
                short.join(", ")
            );
        }
    }
}

fn conduction(out: &mut String, c: &Conduction) {
    let yes = |p: Passes| if p.passes { "yes" } else { "no" };
    let place = match c.place {
        Where::LeastInjured => "least injured",
        Where::Middle => "middle",
        Where::MostInjured => "most injured",
    };
    let _ = writeln!(
        out,
        "  {:28} {:8} {:14} {:7.1} {:>8} {:>7} {:>5} {:>6} {:>4}",
        c.nerve,
        c.class,
        place,
        c.gap_mm,
        format!("{:.0} °C", c.hottest_c),
        yes(c.before),
        yes(c.during),
        yes(c.after_without_sodium),
        yes(c.after_cut)
    );
}

fn harm(out: &mut String, told: &Told) {
    let h = &told.harm;
    let _ = writeln!(
        out,
        "\nHarm: {}",
        if h.harmful {
            "yes"
        } else {
            "none to what is to be spared"
        }
    );
    for n in &h.nerves {
        let [least, most] = n.cut_fraction;
        let lost = if most == 0.0 {
            "no fibre".to_owned()
        } else {
            format!("{} to {} of its fibres", percent(least), percent(most))
        };
        let away = n
            .distance_mm
            .map_or(String::new(), |d| format!(", {d:.1} mm from the lesion"));
        let numb = if n.kind == NerveKind::LateralBranch && most > 0.0 {
            ": numb skin of the buttock"
        } else {
            ""
        };
        let _ = writeln!(out, "  {}: {lost}, up to {:.1} °C{away}{numb}", n.nerve, n.peak_c);
    }
    for s in &h.skin {
        let burnt = if s.burnt { "burnt" } else { "not burnt" };
        let _ = writeln!(out, "  skin at needle {}: {burnt}, up to {:.1} °C", s.needle, s.peak_c);
    }
    let volumes: Vec<String> = h
        .tissues
        .iter()
        .filter(|t| t.destroyed_mm3 >= 0.5)
        .map(|t| format!("{} {:.0} mm³", t.tissue.replace('_', " "), t.destroyed_mm3))
        .collect();
    if !volumes.is_empty() {
        let _ = writeln!(out, "  destroyed: {}", volumes.join(", "));
    }
}

fn relief(out: &mut String, told: &Told) {
    let blocks = if told.blocks_percent.is_empty() {
        "no block told".to_owned()
    } else {
        let all: Vec<String> = told.blocks_percent.iter().map(|b| format!("{b} %")).collect();
        format!("blocks relieved {}", all.join(", "))
    };
    let Some(first) = told.outcomes.first() else { return };
    let o = &first.outcome;
    let _ = writeln!(
        out,
        "\nRelief, a model of {} people (seed {}); the joint is the source in {} ({blocks})",
        o.people,
        o.seed,
        percent(told.source_probability)
    );
    let _ = writeln!(
        out,
        "  {:22} {:>31} {:>27} {:>16} {:>12}",
        "law", "50 % relief at 1, 3, 6, 12 months", "lesion lasts, months", "pain at 3 months", "without"
    );
    for by in &told.outcomes {
        let o = &by.outcome;
        let shares: Vec<String> = o.shares.iter().map(|s| percent(s.relief_50)).collect();
        let lasts = if o.silence.share > 0.0 {
            let [low, _, middle, _, high] = o.silence.quantiles_months;
            format!("{middle:.1} ({low:.1} to {high:.1})")
        } else {
            "-".to_owned()
        };
        let pain = o.shares.get(1).map_or(f64::NAN, |s| s.pain_points);
        let _ = writeln!(
            out,
            "  {:22} {:>33} {:>27} {:>16.1} {:>12.1}",
            by.law,
            shares.join(" "),
            lasts,
            pain,
            pain - by.difference_at_3_months_points
        );
    }
    let _ = writeln!(
        out,
        "  (lesion lasts: median, 5 to 95 %, of people whose joint is the source; without: the same people without a lesion)"
    );
    let _ = writeln!(
        out,
        "  afterwards: neuritis {:.1} %, local pain of over two weeks {:.1} %, numb skin {:.1} %; home the same day, usual activity after {} days",
        100.0 * o.neuritis,
        100.0 * o.local_pain,
        100.0 * o.numb_skin,
        o.activity_days
    );
}
