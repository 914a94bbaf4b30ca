use proptest::prelude::*;

use super::*;
use crate::catalog::{FibreKind, OutcomeNumbers, Sourced};
use crate::nerve_death::{ClassCut, CutByLaw, NerveCut};

fn numbers() -> OutcomeNumbers {
    let file: toml::Table = toml::from_str(include_str!("../../../../catalog/outcomes.toml")).unwrap();
    file["outcome"].as_array().unwrap()[0].clone().try_into().unwrap()
}

fn request(numbers: &OutcomeNumbers, share: f64, gap_mm: f64) -> OutcomeRequest<'_> {
    OutcomeRequest {
        numbers,
        blocks: vec![Block { relief_percent: 80.0 }; 2],
        nerves: [NerveState::cut("a", share, gap_mm), NerveState::cut("b", share, gap_mm)],
        lesions: 2,
        skin_cut_fraction: 0.0,
        baseline_points: None,
        people: 500,
        seed: 3,
    }
}

#[test]
fn belief_is_that_of_bayes() {
    // Schwarzer's numbers: 0.15 × 1 / (0.15 + 0.85 × 0.38) = 0.317, the positive predictive value told as 31 %.
    assert!((belief(0.15, 1.0, 0.38, 1, 0) - 0.317).abs() < 5e-4);
    assert!((belief(0.5, 0.9, 0.3, 1, 1) - 0.9 * 0.1 / (0.9 * 0.1 + 0.3 * 0.7)).abs() < 1e-12);
    assert_eq!(belief(0.2, 0.9, 0.38, 0, 0), 0.2);
    assert_eq!(belief(0.0, 0.9, 0.38, 3, 0), 0.0);
}

#[test]
fn regrowth_is_a_sum_of_its_parts() {
    let n = numbers();
    let expected = n.regrowth_delay_days.value + 8.0 * n.gap_days_per_mm.value + n.joint_distance_mm.value;
    assert_eq!(Regrowth::of(&n, 1.0).days(8.0), expected);
    assert_eq!(Regrowth::of(&n, 1.0).days(0.0), 0.0);
    // What the rate through the gap was set by: 7.0 months for 8 mm.
    assert!((expected / DAYS_PER_MONTH - 7.0).abs() < 0.1, "{expected}");
}

#[test]
fn the_same_seed_gives_the_same_people() {
    let n = numbers();
    let one = population(&request(&n, 1.0, 8.0)).unwrap();
    assert_eq!(one, population(&request(&n, 1.0, 8.0)).unwrap());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert_eq!(one, pool.install(|| population(&request(&n, 1.0, 8.0))).unwrap());
    let other = OutcomeRequest {
        seed: 4,
        ..request(&n, 1.0, 8.0)
    };
    assert_ne!(one.relief, population(&other).unwrap().relief);
}

#[test]
fn both_nerves_count() {
    let n = numbers();
    let mut one = request(&n, 1.0, 8.0);
    let both = population(&one).unwrap().shares[1].mean_relief;
    one.nerves[1] = NerveState::whole("b");
    let half = population(&one).unwrap().shares[1].mean_relief;
    one.nerves[0] = NerveState::whole("a");
    let none = population(&one).unwrap().shares[1].mean_relief;
    assert!(both > half && half > none);
    assert!(
        ((both - none) / (half - none) - 2.0).abs() < 0.15,
        "{both} {half} {none}"
    );
    assert!(compare(&one, 3.0).unwrap().abs() < 1e-12);
}

#[test]
fn nobody_feels_a_lesion_whose_joint_is_not_the_source() {
    let mut n = numbers();
    n.prevalence_fraction = Sourced {
        value: 0.0,
        ..n.prevalence_fraction
    };
    assert!(compare(&request(&n, 1.0, 8.0), 3.0).unwrap().abs() < 1e-12);
}

#[test]
fn complications_come_as_often_as_told() {
    let n = numbers();
    let mut r = request(&n, 1.0, 8.0);
    r.people = 20_000;
    let o = population(&r).unwrap();
    // Two lesions of 0.5 % each; 20,000 people: standard error 0.07 %.
    assert!((o.neuritis - 0.009_975).abs() < 0.002, "{}", o.neuritis);
    assert!((o.numb_skin - 0.004).abs() < 0.0015);
    // Cut skin is numb in as many more: 1 − 0.996 × 0.7.
    r.skin_cut_fraction = 0.3;
    let o = population(&r).unwrap();
    assert!((o.numb_skin - 0.3028).abs() < 0.01, "{}", o.numb_skin);
    r.lesions = 0;
    assert_eq!(population(&r).unwrap().numb_skin, 0.0);
}

#[test]
fn numb_skin_follows_the_lateral_branches_alone() {
    let of = |nerve: &str, cut: f64| NerveCut {
        nerve: nerve.to_owned(),
        target: false,
        peak_c: 60.0,
        laws: vec![CutByLaw {
            law: "a".to_owned(),
            reversible: false,
            cut_fraction: cut,
            gap_mm: vec![],
            mean_gap_mm: 0.0,
            classes: vec![ClassCut {
                class: FibreKind::ABeta,
                fibres: 200.0,
                cut: 200.0 * cut,
                blocked: 0.0,
                dead_nodes: None,
            }],
        }],
    };
    let cuts = [
        of("L3 lateral branch right", 0.25),
        of("L2 lateral branch right", 0.5),
        of("L3 intermediate branch right", 1.0),
        of("L3 ventral ramus right", 1.0),
    ];
    assert_eq!(skin_cut_fraction(&cuts, "a"), 0.5);
    assert_eq!(skin_cut_fraction(&cuts, "b"), 0.0);
    assert_eq!(skin_cut_fraction(&cuts[2..], "a"), 0.0);
}

#[test]
fn unusable_numbers_are_refused() {
    let n = numbers();
    let refused = |change: &dyn Fn(&mut OutcomeRequest<'_>)| {
        let mut r = request(&n, 1.0, 8.0);
        change(&mut r);
        population(&r).unwrap_err().to_string()
    };
    assert!(refused(&|r| r.people = 0).contains("number of people is 0"));
    assert!(refused(&|r| r.people = 2_000_000).contains("1000000"));
    assert!(refused(&|r| r.blocks[0].relief_percent = 130.0).contains("130"));
    assert!(refused(&|r| r.nerves[0].gap_mm = vec![]).contains("places"));
    assert!(refused(&|r| r.nerves[1].gap_mm[0] = f64::NAN).contains("gap"));
    assert!(refused(&|r| r.skin_cut_fraction = 1.5).contains("skin's fibres is 1.5"));
    assert!(refused(&|r| r.baseline_points = Some(0.0)).contains("pain before"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_longer_cut_never_returns_sooner(a in 0.0f64..30.0, more in 0.0f64..30.0, slowness in 0.3f64..3.0) {
        let r = Regrowth::of(&numbers(), slowness);
        prop_assert!(r.days(a + more) >= r.days(a));
    }

    #[test]
    fn a_longer_cut_never_gives_less(gap in 0.5f64..20.0, more in 0.0f64..10.0, share in 0.0f64..1.0, seed in 0u64..1000) {
        let n = numbers();
        let of = |gap| {
            let mut r = request(&n, share, gap);
            (r.people, r.seed) = (200, seed);
            population(&r).unwrap()
        };
        let (short, long) = (of(gap), of(gap + more));
        for (s, l) in short.relief.mean.iter().zip(&long.relief.mean) {
            prop_assert!(l >= s);
        }
        prop_assert!(long.silence.quantiles_months.iter().zip(&short.silence.quantiles_months).all(|(l, s)| l >= s));
    }

    #[test]
    fn shares_lie_between_nothing_and_all(gap in 0.0f64..20.0, share in 0.0f64..1.0, relief in 0.0f64..100.0) {
        let n = numbers();
        let mut r = request(&n, share, gap);
        r.people = 100;
        r.blocks = vec![Block { relief_percent: relief }];
        let o = population(&r).unwrap();
        prop_assert!((0.0..=1.0).contains(&o.source_probability));
        for s in &o.shares {
            prop_assert!((0.0..=1.0).contains(&s.relief_50) && s.relief_90 <= s.relief_50 && s.mean_relief <= 1.0);
        }
        let c = &o.relief;
        for i in 0..c.months.len() {
            prop_assert!(c.q10[i] <= c.q25[i] && c.q25[i] <= c.q50[i] && c.q50[i] <= c.q75[i] && c.q75[i] <= c.q90[i]);
        }
    }
}
