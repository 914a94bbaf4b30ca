use super::*;
use neurotome_physics::axon::GeometrySet;

fn found(q: &Question) -> Answer {
    answer(q, &|_, _, _| true).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn the_threshold_states_its_error_and_the_true_one_is_within() {
    // Another program's, extrapolated to no step: validation/crosscode/axon.
    let a = found(&Question {
        sizes: Some(GeometrySet::Table),
        distance_mm: 1.0,
        pulse_ms: 0.1,
        ..Question::default()
    });
    let Weakest::Found {
        threshold_ma,
        bracket_ma,
        step_ma: Some(step_ma),
    } = a.threshold
    else {
        panic!("{:?}", a.threshold)
    };
    let off = (threshold_ma - 0.1799).abs();
    assert!(
        off < bracket_ma + step_ma + 0.001 * 0.1799,
        "{threshold_ma} ± {bracket_ma} ± {step_ma}"
    );
    assert!(bracket_ma + step_ma < 0.005 * threshold_ma);
    // Chronaxie and rheobase of the same reference.
    let s = a.strength_duration.unwrap();
    assert!((s.chronaxie_ms.unwrap() / 0.1777 - 1.0).abs() < 0.03, "{s:?}");
    assert!((s.rheobase_ma.unwrap() / 0.062_93 - 1.0).abs() < 0.03, "{s:?}");
    assert!(
        (a.velocity_m_per_s.unwrap() / 56.2 - 1.0).abs() < 0.02,
        "{:?}",
        a.velocity_m_per_s
    );
    assert_eq!(a.sizes.as_deref(), Some("table"));
    // Both curves hold the point that was asked for, and rise and fall as they should.
    let ma = |p: &ThresholdAt| p.weakest.ma().unwrap();
    assert!(a.by_distance.windows(2).all(|w| ma(&w[0]) < ma(&w[1])));
    assert!(a.by_pulse.windows(2).all(|w| ma(&w[0]) > ma(&w[1])));
    let at = a.by_distance.iter().find(|p| p.distance_mm == 1.0).unwrap();
    assert!((ma(at) / threshold_ma - 1.0).abs() < 0.005);
}

#[test]
fn what_is_not_found_is_no_number() {
    let a = found(&Question {
        limit_ma: 0.05,
        train: Some(Train {
            frequency_hz: 50.0,
            pulses: 3,
        }),
        ..Question::default()
    });
    assert_eq!(a.threshold, Weakest::NotFound { above_ma: 0.05 });
    assert!(a.train.is_none() && a.strength_duration.is_none());
    let json = serde_json::to_value(&a).unwrap();
    assert!(json["threshold"].get("threshold_ma").is_none());
    assert_eq!(json["threshold"]["above_ma"], 0.05);
}

#[test]
fn trains_and_blocks_are_those_of_the_reference() {
    let a = found(&Question {
        sizes: Some(GeometrySet::Table),
        train: Some(Train {
            frequency_hz: 50.0,
            pulses: 10,
        }),
        block: Some(Block {
            share: 0.8,
            length_mm: 6.0,
        }),
        ..Question::default()
    });
    let train = a.train.unwrap();
    let at = |times: f64| {
        &train
            .followed
            .iter()
            .find(|f| f.times_threshold == times)
            .unwrap()
            .spikes
    };
    // At 1.2 times the threshold some pulses are lost, at 1.5 none.
    assert!((6..=8).contains(&at(1.2).iter().sum::<u32>()), "{:?}", at(1.2));
    assert_eq!(*at(1.5), vec![1; 10]);
    let block = a.block.unwrap();
    assert!(!block.stops && block.places_within == 5, "{block:?}");
    let least = block.least_share_that_stops.unwrap();
    assert!((0.82..0.86).contains(&least), "{least}");
}

#[test]
fn a_c_fibre_has_no_sizes_and_a_long_chronaxie() {
    let q = Question {
        model: Model::Sundt,
        diameter_um: 1.0,
        distance_mm: 1.0,
        // Coarse, since C fibres take long.
        step_ms: 0.02,
        limit_ma: 100.0,
        ..Question::default()
    };
    let a = found(&q);
    let s = a.strength_duration.unwrap();
    assert_eq!(
        (s.chronaxie_ms, s.rheobase_ma, s.chronaxie_over_ms),
        (None, None, Some(10.0))
    );
    assert!(a.sizes.is_none() && a.velocity_m_per_s.is_some_and(|v| (0.3..1.0).contains(&v)));
    let with_sizes = Question {
        sizes: Some(GeometrySet::Small),
        ..q
    };
    assert!(with_sizes.check().unwrap_err().to_string().contains("no sets of sizes"));
}

#[test]
fn unsound_questions_are_named() {
    let d = Question::default();
    let cases = [
        (
            Question {
                pulse_ms: 0.0,
                ..d.clone()
            },
            "width of the pulse",
        ),
        (
            Question {
                pulse_ms: f64::NAN,
                ..d.clone()
            },
            "width of the pulse",
        ),
        (
            Question {
                step_ms: 0.0,
                ..d.clone()
            },
            "the step",
        ),
        (
            Question {
                step_ms: 1.0,
                ..d.clone()
            },
            "the step",
        ),
        (
            Question {
                distance_mm: f64::INFINITY,
                ..d.clone()
            },
            "the distance",
        ),
        (
            Question {
                conductivity_s_per_m: -1.0,
                ..d.clone()
            },
            "conductivity",
        ),
        (
            Question {
                temperature_c: 80.0,
                ..d.clone()
            },
            "temperature",
        ),
        (
            Question {
                diameter_um: 40.0,
                ..d.clone()
            },
            "no diameter of 40",
        ),
        (
            Question {
                limit_ma: f64::NAN,
                ..d.clone()
            },
            "largest current",
        ),
        (
            Question {
                train: Some(Train {
                    frequency_hz: 900.0,
                    pulses: 3,
                }),
                ..d.clone()
            },
            "frequency",
        ),
        (
            Question {
                block: Some(Block {
                    share: 1.5,
                    length_mm: 3.0,
                }),
                ..d.clone()
            },
            "share of blocked",
        ),
        (
            Question {
                diameter_um: 1.0,
                distance_mm: 50.0,
                ..d.clone()
            },
            "nodes or compartments",
        ),
    ];
    for (q, part) in cases {
        let e = answer(&q, &|_, _, _| true).unwrap_err().to_string();
        assert!(e.contains(part), "{part}: {e}");
    }
    let stopped = answer(&d, &|_, _, _| false).unwrap_err();
    assert_eq!(stopped, OneFibreError::Cancelled);
}

#[test]
fn a_tip_along_the_fibre_needs_more_than_a_point_and_the_same_from_afar() {
    let q = |source, distance_mm| Question {
        source,
        distance_mm,
        ..Question::default()
    };
    let ma = |source, z| threshold(&q(source, z)).unwrap().ma().unwrap();
    let along = Source::Tip {
        length_mm: 10.0,
        across: false,
    };
    assert!(ma(along, 1.0) > 3.0 * ma(Source::Point, 1.0));
    let short = Source::Tip {
        length_mm: 0.2,
        across: true,
    };
    assert!((ma(short, 2.0) / ma(Source::Point, 2.0) - 1.0).abs() < 0.01);
}

#[test]
fn potentials_hold_the_place_beside_the_source_and_a_spike() {
    let q = Question::default();
    let m = membranes(&q, threshold(&q).unwrap().ma().unwrap()).unwrap();
    assert!(m.places_mm.iter().any(|x| x.abs() < 1e-9));
    assert!(m.times_ms.len() <= 400 && m.mv.len() == m.times_ms.len());
    let top = m.mv.iter().flatten().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
    assert!((10.0..60.0).contains(&top), "{top}");
}
