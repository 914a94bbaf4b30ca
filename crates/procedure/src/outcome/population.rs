//! A virtual population: who has the pain from the joint, how it is carried, how fast axons grow, and what is felt over the months.

use neurotome_base::random::Stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{DAYS_PER_MONTH, Regrowth, belief_of};
use crate::catalog::OutcomeNumbers;

/// Most people of a population.
const MOST_PEOPLE: usize = 1_000_000;
/// Most places across a nerve.
const MOST_PLACES: usize = 10_000;
/// Months looked at.
const MONTHS: f64 = 24.0;
/// Months at which shares are told.
const TOLD_MONTHS: [f64; 4] = [1.0, 3.0, 6.0, 12.0];
/// Relief that counts as a success.
const SUCCESS: f64 = 0.5;
/// The course without a lesion is complete after this, days.
const COURSE_DAYS: f64 = 14.0;
/// Draws of a person.
const DRAWS: [u64; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

/// The answer to a diagnostic block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Relief, percent of the pain.
    pub relief_percent: f64,
}

/// What is left of a nerve of the joint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NerveState {
    /// Its name.
    pub nerve: String,
    /// Gap of the fibres at each place across, mm; 0 where they live.
    pub gap_mm: Vec<f64>,
}

impl NerveState {
    /// A nerve that was left alone.
    pub fn whole(nerve: impl Into<String>) -> Self {
        Self {
            nerve: nerve.into(),
            gap_mm: vec![0.0],
        }
    }

    /// A nerve of which a share of fibres, to a twentieth, is cut over one length, mm.
    pub fn cut(nerve: impl Into<String>, share: f64, gap_mm: f64) -> Self {
        // Twentieths, but one place where all are alike.
        let share = share.clamp(0.0, 1.0);
        let places = if share == 0.0 || share == 1.0 { 1 } else { 20 };
        let cut = (share * f64::from(places)).round() as i32;
        Self {
            nerve: nerve.into(),
            gap_mm: (0..places).map(|k| if k < cut { gap_mm } else { 0.0 }).collect(),
        }
    }

    /// Share of its fibres that are cut.
    pub fn cut_fraction(&self) -> f64 {
        self.gap_mm.iter().filter(|g| **g > 0.0).count() as f64 / self.gap_mm.len().max(1) as f64
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeRequest<'c> {
    /// Numbers of the model.
    pub numbers: &'c OutcomeNumbers,
    /// Answers to diagnostic blocks; none: not blocked.
    pub blocks: Vec<Block>,
    /// The joint's nerves: from above, and of its own level.
    pub nerves: [NerveState; 2],
    /// Lesions made, for complications.
    pub lesions: u32,
    /// Share of the touch fibres of a patch of skin that are cut ([`super::skin_cut_fraction`]).
    pub skin_cut_fraction: f64,
    /// Pain before, 0 to 10; none: that of the catalogue.
    pub baseline_points: Option<f64>,
    /// Number of people.
    pub people: usize,
    /// Seed.
    pub seed: u64,
}

/// What cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OutcomeError {
    /// A number that cannot be used.
    #[error("outcome: {what} is {found}; expected {expected}; correct it")]
    Unusable {
        /// Which.
        what: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
}

/// Relief over time, shares of the pain before; one value for each month of `months`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Months after the procedure.
    pub months: Vec<f64>,
    /// Mean.
    pub mean: Vec<f64>,
    /// Quantiles of 10, 25, 50, 75 and 90 %.
    pub q10: Vec<f64>,
    /// 25 %.
    pub q25: Vec<f64>,
    /// 50 %.
    pub q50: Vec<f64>,
    /// 75 %.
    pub q75: Vec<f64>,
    /// 90 %.
    pub q90: Vec<f64>,
    /// Share of people with at least half of their pain gone.
    pub half_relieved: Vec<f64>,
}

/// Shares of people at the months that trials look at: 1, 3, 6 and 12.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// Months.
    pub month: f64,
    /// Mean relief.
    pub mean_relief: f64,
    /// Its standard deviation between people.
    pub sd_relief: f64,
    /// Mean pain, 0 to 10.
    pub pain_points: f64,
    /// People with at least 50 % relief.
    pub relief_50: f64,
    /// At least 60 %.
    pub relief_60: f64,
    /// At least 80 %.
    pub relief_80: f64,
    /// At least 90 %.
    pub relief_90: f64,
}

/// How long relief lasts, months.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// Share of people whom it concerns.
    pub share: f64,
    /// Mean; those with relief at the end of what is looked at count up to there.
    pub mean_months: f64,
    /// Quantiles of 5, 25, 50, 75 and 95 %.
    pub quantiles_months: [f64; 5],
}

/// What a population feels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Probability that the joint is the source, after the blocks.
    pub source_probability: f64,
    /// People drawn.
    pub people: usize,
    /// Seed.
    pub seed: u64,
    /// Share of the fibres cut in each nerve.
    pub cut_fraction: [f64; 2],
    /// Relief over the months.
    pub relief: Curves,
    /// At 1, 3, 6 and 12 months.
    pub shares: Vec<Shares>,
    /// Relief of half the pain or more, counted from one month on, of those who had it then: until it is lost.
    pub half_relief: Course,
    /// Silence of at least half of the joint's fibres, in people whose joint is the source: until they conduct again.
    pub silence: Course,
    /// Share of people with neuritis, with local pain of over two weeks, with a numb patch of skin.
    pub neuritis: f64,
    /// Share of people with local pain of over two weeks.
    pub local_pain: f64,
    /// Share of people with a numb patch of skin.
    pub numb_skin: f64,
    /// Days until usual activity.
    pub activity_days: f64,
}

/// One person.
struct Person {
    source: bool,
    /// Share of the pain that the joint makes; 0 where it is not the source.
    share: f64,
    /// Share of that which each nerve carries.
    nerve: [f64; 2],
    course: f64,
    regrowth: Regrowth,
    neuritis: bool,
    local_pain: bool,
    numb: bool,
}

impl Person {
    fn new(request: &OutcomeRequest<'_>, source_probability: f64, joint_share: f64, stream: Stream) -> Self {
        let n = request.numbers;
        let [source, share, upper, course, slow, neuritis, local, numb] = DRAWS;
        let is_source = stream.uniform(source) < source_probability;
        let normal = |k: u64, mean: f64, sd: f64| mean + sd * stream.normal(k + 100);
        let upper = normal(upper, n.upper_nerve_fraction.value, n.upper_nerve_sd_fraction.value).clamp(0.0, 1.0);
        let drawn = normal(share, joint_share, n.joint_share_sd_fraction.value).clamp(0.0, 1.0);
        let lesions = request.lesions as i32;
        let any = |each: f64| 1.0 - (1.0 - each).powi(lesions);
        Self {
            source: is_source,
            share: if is_source { drawn } else { 0.0 },
            nerve: [upper, 1.0 - upper],
            // Pain may also grow by itself.
            course: normal(course, n.course_relief_fraction.value, n.course_sd_fraction.value).clamp(-0.5, 1.0),
            regrowth: Regrowth::of(n, (n.regrowth_sd_ratio.value * stream.normal(slow + 100)).exp()),
            neuritis: stream.uniform(neuritis) < any(n.neuritis_fraction.value),
            local_pain: stream.uniform(local) < any(n.local_pain_fraction.value),
            // How large a share must be cut before a patch is felt to be numb differs evenly between people: its nerves overlap.
            numb: lesions > 0
                && stream.uniform(numb) < 1.0 - (1.0 - n.numb_skin_fraction.value) * (1.0 - request.skin_cut_fraction),
        }
    }

    /// Share of the joint's pain that is silent after so many days.
    fn silent(&self, nerves: &[NerveState; 2], days: f64) -> f64 {
        let of = |state: &NerveState| {
            let silent = state.gap_mm.iter().filter(|g| self.regrowth.days(**g) > days).count();
            silent as f64 / state.gap_mm.len().max(1) as f64
        };
        self.nerve[0] * of(&nerves[0]) + self.nerve[1] * of(&nerves[1])
    }

    /// Relief after so many days, as a share of the pain before.
    fn relief(&self, request: &OutcomeRequest<'_>, baseline: f64, days: f64) -> f64 {
        let n = request.numbers;
        let course = self.course * (days / COURSE_DAYS).min(1.0);
        let left = (1.0 - self.share * self.silent(&request.nerves, days)) * (1.0 - course);
        let mut sore = 0.0;
        if request.lesions > 0 {
            let lasts = |yes: bool, until: f64| yes && days < until;
            sore += n.sore_points.value * (1.0 - days / n.sore_days.value).max(0.0);
            let more = lasts(self.neuritis, n.neuritis_days.value) || lasts(self.local_pain, n.local_pain_days.value);
            sore += if more { n.sore_points.value } else { 0.0 };
        }
        1.0 - (left + sore / baseline).min(10.0 / baseline)
    }

    /// Days at which the silence of a fibre ends, ascending.
    fn events(&self, nerves: &[NerveState; 2]) -> Vec<f64> {
        let gaps = nerves.iter().flat_map(|n| &n.gap_mm).filter(|g| **g > 0.0);
        let mut all: Vec<f64> = gaps.map(|g| self.regrowth.days(*g)).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    }

    /// The first of the events at which `holds` no more does, days; the end of what is looked at where it always does.
    fn until(&self, nerves: &[NerveState; 2], holds: impl Fn(f64) -> bool) -> f64 {
        let end = MONTHS * DAYS_PER_MONTH;
        let lost = self.events(nerves).into_iter().find(|t| !holds(*t));
        lost.map_or(end, |t| t.min(end))
    }
}

fn check(request: &OutcomeRequest<'_>) -> Result<f64, OutcomeError> {
    let refused = |what, found: String, expected| Err(OutcomeError::Unusable { what, found, expected });
    if !(1..=MOST_PEOPLE).contains(&request.people) {
        return refused("the number of people", request.people.to_string(), "1 to 1000000");
    }
    for b in &request.blocks {
        if !(0.0..=100.0).contains(&b.relief_percent) {
            return refused("the relief by a block", b.relief_percent.to_string(), "0 to 100 %");
        }
    }
    for n in &request.nerves {
        if n.gap_mm.is_empty() || n.gap_mm.len() > MOST_PLACES {
            return refused(
                "the number of places across a nerve",
                n.gap_mm.len().to_string(),
                "1 to 10000",
            );
        }
        if let Some(g) = n.gap_mm.iter().find(|g| !(g.is_finite() && **g >= 0.0)) {
            return refused("a gap of a nerve", g.to_string(), "a length of at least 0 mm");
        }
    }
    if !(0.0..=1.0).contains(&request.skin_cut_fraction) {
        return refused(
            "the cut share of the skin's fibres",
            request.skin_cut_fraction.to_string(),
            "0 to 1",
        );
    }
    let baseline = request
        .baseline_points
        .unwrap_or(request.numbers.baseline_pain_points.value);
    if !(baseline > 0.0 && baseline <= 10.0) {
        return refused("the pain before", baseline.to_string(), "above 0, up to 10 points");
    }
    Ok(baseline)
}

/// The population after a procedure.
///
/// # Errors
/// [`OutcomeError`]: a number that cannot be used.
pub fn population(request: &OutcomeRequest<'_>) -> Result<Outcome, OutcomeError> {
    let baseline = check(request)?;
    let n = request.numbers;
    let source_probability = belief_of(n, &request.blocks);
    let positive: Vec<f64> = request
        .blocks
        .iter()
        .map(|b| 0.01 * b.relief_percent)
        .filter(|r| *r >= 0.01 * n.block_relief_percent.value)
        .collect();
    // What a block relieves is what the joint makes.
    let joint_share = if positive.is_empty() {
        n.joint_share_fraction.value
    } else {
        positive.iter().sum::<f64>() / positive.len() as f64
    };
    let root = Stream::new(request.seed);
    let people: Vec<Person> = (0..request.people as u64)
        .map(|i| Person::new(request, source_probability, joint_share, root.split(i)))
        .collect();
    let at = |days: f64| -> Vec<f64> { people.par_iter().map(|p| p.relief(request, baseline, days)).collect() };

    // Half months, and the first days one by one.
    let months: Vec<f64> = [1.0, 3.0, 7.0, 14.0, 21.0]
        .map(|d| d / DAYS_PER_MONTH)
        .into_iter()
        .chain((2..=(2.0 * MONTHS) as u32).map(|k| 0.5 * f64::from(k)))
        .collect();
    let mut relief = Curves {
        mean: vec![],
        q10: vec![],
        q25: vec![],
        q50: vec![],
        q75: vec![],
        q90: vec![],
        half_relieved: vec![],
        months,
    };
    for month in relief.months.clone() {
        let mut all = at(month * DAYS_PER_MONTH);
        relief.mean.push(mean(&all));
        relief.half_relieved.push(share(&all, SUCCESS));
        all.sort_by(f64::total_cmp);
        for (curve, q) in [
            (&mut relief.q10, 0.1),
            (&mut relief.q25, 0.25),
            (&mut relief.q50, 0.5),
            (&mut relief.q75, 0.75),
            (&mut relief.q90, 0.9),
        ] {
            curve.push(quantile(&all, q));
        }
    }
    let shares = TOLD_MONTHS.map(|month| {
        let all = at(month * DAYS_PER_MONTH);
        let average = mean(&all);
        let square = all.iter().map(|r| (r - average).powi(2)).sum::<f64>() / all.len() as f64;
        Shares {
            month,
            mean_relief: average,
            sd_relief: square.sqrt(),
            pain_points: baseline * (1.0 - average),
            relief_50: share(&all, 0.5),
            relief_60: share(&all, 0.6),
            relief_80: share(&all, 0.8),
            relief_90: share(&all, 0.9),
        }
    });
    let half: Vec<f64> = people
        .par_iter()
        .filter(|p| p.relief(request, baseline, DAYS_PER_MONTH) >= SUCCESS)
        .map(|p| {
            let holds = |days: f64| days < DAYS_PER_MONTH || p.relief(request, baseline, days) >= SUCCESS;
            p.until(&request.nerves, holds) / DAYS_PER_MONTH
        })
        .collect();
    let silence: Vec<f64> = people
        .par_iter()
        .filter(|p| p.source && p.silent(&request.nerves, 0.0) >= SUCCESS)
        .map(|p| p.until(&request.nerves, |days| p.silent(&request.nerves, days) >= SUCCESS) / DAYS_PER_MONTH)
        .collect();
    let count = |yes: &dyn Fn(&Person) -> bool| people.iter().filter(|p| yes(p)).count() as f64 / people.len() as f64;
    Ok(Outcome {
        source_probability,
        people: request.people,
        seed: request.seed,
        cut_fraction: [request.nerves[0].cut_fraction(), request.nerves[1].cut_fraction()],
        shares: shares.to_vec(),
        half_relief: course(half, people.len()),
        silence: course(silence, people.len()),
        neuritis: count(&|p| p.neuritis),
        local_pain: count(&|p| p.local_pain),
        numb_skin: count(&|p| p.numb),
        activity_days: n.activity_days.value,
        relief,
    })
}

/// Difference in mean pain (points) at a month between a population and the same people without a lesion, negative where the lesion helps.
///
/// # Errors
/// [`OutcomeError`].
pub fn compare(request: &OutcomeRequest<'_>, month: f64) -> Result<f64, OutcomeError> {
    let baseline = check(request)?;
    let control = OutcomeRequest {
        nerves: [NerveState::whole(""), NerveState::whole("")],
        lesions: 0,
        skin_cut_fraction: 0.0,
        ..request.clone()
    };
    let mean_at = |outcome: &Outcome| {
        let curve = &outcome.relief;
        let nearest = (0..curve.months.len()).min_by(|a, b| {
            (curve.months[*a] - month)
                .abs()
                .total_cmp(&(curve.months[*b] - month).abs())
        });
        nearest.map_or(0.0, |i| curve.mean[i])
    };
    Ok(baseline * (mean_at(&population(&control)?) - mean_at(&population(request)?)))
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / all.len().max(1) as f64
}

fn share(all: &[f64], least: f64) -> f64 {
    all.iter().filter(|r| **r >= least).count() as f64 / all.len().max(1) as f64
}

/// Of ascending values, on straight lines between them; 0 of none.
fn quantile(ascending: &[f64], q: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else {
        return 0.0;
    };
    let x = q * last as f64;
    let i = x.floor() as usize;
    let next = ascending[(i + 1).min(last)];
    ascending[i] + (x - i as f64) * (next - ascending[i])
}

fn course(mut months: Vec<f64>, people: usize) -> Course {
    months.sort_by(f64::total_cmp);
    Course {
        share: months.len() as f64 / people as f64,
        mean_months: mean(&months),
        quantiles_months: [0.05, 0.25, 0.5, 0.75, 0.95].map(|q| quantile(&months, q)),
    }
}
