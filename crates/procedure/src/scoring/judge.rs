//! The rules.

use super::{ProcedureFacts, State};
use crate::catalog::{Guideline, Rule, Sourced};

/// What a rule says.
pub(super) struct Verdict {
    pub state: State,
    pub found: String,
    pub expected: String,
}

/// A verdict on whether something holds.
fn holds(holds: bool, found: impl Into<String>, expected: impl Into<String>) -> Verdict {
    Verdict {
        state: if holds { State::Met } else { State::NotMet },
        found: found.into(),
        expected: expected.into(),
    }
}

fn not_applicable(why: &str) -> Verdict {
    Verdict {
        state: State::NotApplicable,
        found: why.to_owned(),
        expected: String::new(),
    }
}

/// Something that is to be done.
fn done(fact: Option<bool>) -> Verdict {
    let found = match fact {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not done",
    };
    holds(fact == Some(true), found, "yes")
}

/// A number within the bounds that are given.
fn within(fact: Option<f64>, low: Option<&Sourced>, high: Option<&Sourced>, unit: &str) -> Verdict {
    let expected = match (low, high) {
        (Some(a), Some(b)) => format!("{} to {}{unit}", a.value, b.value),
        (Some(a), None) => format!("at least {}{unit}", a.value),
        (None, Some(b)) => format!("at most {}{unit}", b.value),
        (None, None) => "any".to_owned(),
    };
    match fact.filter(|v| v.is_finite()) {
        None => holds(false, "not known", expected),
        Some(v) => holds(
            low.is_none_or(|b| v >= b.value) && high.is_none_or(|b| v <= b.value),
            format!("{}{unit}", rounded(v)),
            expected,
        ),
    }
}

/// Two decimals, without trailing zeros.
fn rounded(v: f64) -> String {
    let text = format!("{v:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const NOT_HEATED: &str = "nothing was heated";

pub(super) fn judge(item: &Guideline, facts: &ProcedureFacts) -> Verdict {
    let g = item;
    let count = |n: Option<u32>| n.map(f64::from);
    match item.rule {
        Rule::Eligible => done(facts.eligible),
        Rule::DiagnosticBlocks => within(count(facts.blocks), g.at_least_count.as_ref(), None, ""),
        Rule::BlockRelief => within(facts.block_relief_percent, g.at_least_percent.as_ref(), None, " %"),
        Rule::Consent => done(facts.consent),
        Rule::PadChecked => done(facts.pad_checked),
        Rule::LevelCounted => done(facts.level_counted),
        Rule::LevelRight => done(facts.level_right),
        Rule::Views => views(item, facts),
        Rule::Parallel => within(facts.parallel_deg, None, g.at_most_deg.as_ref(), "°"),
        Rule::Near => within(facts.gap_mm, None, g.at_most_mm.as_ref(), " mm"),
        Rule::NoAlarm => within(count(facts.alarms), None, g.at_most_count.as_ref(), ""),
        Rule::Redirects => within(count(facts.redirects), None, g.at_most_count.as_ref(), ""),
        Rule::Impedance => within(
            facts.impedance_ohm,
            g.at_least_ohm.as_ref(),
            g.at_most_ohm.as_ref(),
            " Ω",
        ),
        Rule::SensoryTest => within(facts.sensory_threshold_v, None, g.at_most_v.as_ref(), " V"),
        Rule::MotorTest => motor(item, facts),
        Rule::LegTwitch => leg_twitch(facts),
        Rule::Anaesthetic => anaesthetic(item, facts),
        Rule::Temperature | Rule::Duration | Rule::Coverage | Rule::NoHarm | Rule::SkinAfter if !facts.heated => {
            not_applicable(NOT_HEATED)
        }
        Rule::Temperature => match facts.set_temperature_c {
            None => not_applicable("the generator held no temperature"),
            set => within(set, g.at_least_c.as_ref(), g.at_most_c.as_ref(), " °C"),
        },
        Rule::Duration => within(facts.held_s, g.at_least_s.as_ref(), None, " s"),
        Rule::Coverage => coverage(item, facts),
        Rule::NoHarm => {
            let most = g.at_most_count.as_ref().map_or(0.0, |b| b.value);
            match facts.harmed.as_deref() {
                None => holds(false, "not known", "nothing"),
                Some([]) => holds(true, "nothing", "nothing"),
                Some(all) => holds(all.len() as f64 <= most, all.join(", "), "nothing"),
            }
        }
        Rule::DoseNoted => done(facts.dose_noted),
        Rule::SkinAfter => done(facts.skin_after),
    }
}

fn views(item: &Guideline, facts: &ProcedureFacts) -> Verdict {
    let all = [
        (facts.ap_view, "ap"),
        (facts.oblique_view, "oblique"),
        (facts.lateral_view, "lateral"),
    ];
    let seen: Vec<&str> = all.iter().filter(|v| v.0).map(|v| v.1).collect();
    let least = item.at_least_count.as_ref().map_or(3.0, |b| b.value);
    let found = if seen.is_empty() {
        "none".to_owned()
    } else {
        seen.join(", ")
    };
    holds(
        seen.len() as f64 >= least,
        found,
        format!("at least {least} of ap, oblique, lateral"),
    )
}

/// Far enough is a multiple of the sensory threshold, or a voltage, whichever is less.
fn motor(item: &Guideline, facts: &ProcedureFacts) -> Verdict {
    let (ratio, volts) = (
        item.at_least_ratio.as_ref().map_or(2.0, |b| b.value),
        item.at_least_v.as_ref().map_or(2.0, |b| b.value),
    );
    let asked = facts.sensory_threshold_v.map_or(volts, |s| (ratio * s).min(volts));
    let expected = format!(
        "up to {} V, {ratio} times the sensory threshold, at most {volts} V",
        rounded(asked)
    );
    match facts.motor_tested_to_v {
        None => holds(false, "not done", expected),
        // A test that a twitch of the leg ended went far enough.
        Some(v) if facts.leg_twitch == Some(true) => holds(true, format!("leg twitch at {} V", rounded(v)), expected),
        Some(v) => holds(v >= asked - 1e-9, format!("{} V", rounded(v)), expected),
    }
}

fn leg_twitch(facts: &ProcedureFacts) -> Verdict {
    let expected = "no heating in spite of a twitch of the leg, nor without the test";
    match (facts.leg_twitch, facts.heated) {
        (Some(true), true) => holds(false, "the leg twitched, and heating went on", expected),
        (Some(true), false) => holds(true, "the leg twitched, and nothing was heated", expected),
        (Some(false), _) => holds(true, "no twitch of the leg", expected),
        (None, true) => holds(false, "heated without a motor test", expected),
        (None, false) => not_applicable(NOT_HEATED),
    }
}

fn anaesthetic(item: &Guideline, facts: &ProcedureFacts) -> Verdict {
    if !facts.heated && facts.anaesthetic_ml.is_none() {
        return not_applicable(NOT_HEATED);
    }
    let (ml, s) = (
        item.at_least_ml.as_ref().map_or(0.0, |b| b.value),
        item.at_least_s.as_ref().map_or(0.0, |b| b.value),
    );
    let expected = format!("at least {ml} ml, at least {s} s before heating");
    match (facts.anaesthetic_ml, facts.anaesthetic_wait_s) {
        (None, _) => holds(false, "none given", expected),
        (Some(given), None) => holds(!facts.heated && given >= ml, format!("{} ml", rounded(given)), expected),
        (Some(given), Some(waited)) => holds(
            given >= ml && waited >= s,
            format!("{} ml, {} s before heating", rounded(given), rounded(waited)),
            expected,
        ),
    }
}

fn coverage(item: &Guideline, facts: &ProcedureFacts) -> Verdict {
    let least = item.at_least_percent.as_ref().map_or(100.0, |b| b.value);
    let Some(asked) = facts.asked_mm.filter(|a| *a > 0.0) else {
        return not_applicable("no length was asked for");
    };
    let expected = format!("at least {least} % of {} mm", rounded(asked));
    match facts.destroyed_mm {
        None => holds(false, "not known", expected),
        Some(mm) => holds(
            100.0 * mm / asked >= least - 1e-9,
            format!("{} mm, {:.0} %", rounded(mm), 100.0 * mm / asked),
            expected,
        ),
    }
}
