use super::*;
use crate::planning::constraints::NerveLine;

/// A small plan on coarse cells.
fn small() -> PlanRequest {
    let mut request = testing::request();
    request.template.solver.cell_size = 2.0;
    // 16 G and 22 G.
    request.devices.remove(1);
    request.effort = Effort {
        candidates: 40,
        draws: 60,
        fit_solves: 4,
        held_out_solves: 2,
        verified: 0,
        seed: 3,
    };
    request
}

fn with_threads(threads: usize, request: &PlanRequest) -> Plan {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| plan(request, &mut |_| true)).unwrap()
}

#[test]
fn a_plan_keeps_its_constraints_and_is_the_same_with_any_number_of_threads() {
    let request = small();
    let (first, again) = (with_threads(1, &request), with_threads(2, &request));
    assert_eq!(first, again);
    assert_eq!(
        first.nerves.iter().map(|n| n.nerve.as_str()).collect::<Vec<_>>(),
        ["L3 medial branch right", "L4 medial branch right"]
    );
    let (patient, technique) = (&*request.patient, &request.technique);
    for n in &first.nerves {
        assert_eq!(n.ranked, 40);
        let turned_down: usize = n.rejected.iter().map(|r| r.1).sum();
        assert_eq!(n.tried, n.sparing + turned_down, "{:?}", n.rejected);
        let nerve = NerveLine::new(n.target.course(patient).unwrap());
        for b in &n.best {
            let device = request.devices.iter().find(|d| d.name == b.device).unwrap();
            let radius = 0.5 * device.needle.outer_diameter_mm;
            for (angle, [low, high]) in [
                (b.angles.lateral_deg, technique.lateral_deg()),
                (b.angles.caudal_deg, technique.caudal_deg()),
            ] {
                assert!(angle > low - 1e-9 && angle < high + 1e-9, "{:?}", b.angles);
            }
            let way = constraints::path(patient, &b.pose, radius).unwrap();
            assert_eq!(way.entry_mm, b.entry_mm);
            assert!(patient.skin_depth_mm(&b.entry_mm).abs() < 1e-3);
            assert!(b.depth_mm + technique.hub_mm.value <= device.needle.length_mm);
            assert!(nerve.gap(&b.pose, radius, 10.0).0 > -0.06);
            assert!(b.spared.as_ref().unwrap().1 >= technique.spare_nerve_mm.value);
            assert!(b.fast.harm <= technique.harm_fraction.value);
        }
        let order: Vec<f64> = n.best.iter().map(|b| b.fast.probability).collect();
        assert!(order.is_sorted_by(|a, b| a >= b), "{order:?}");
        for d in &n.by_device {
            // Along the nerve the active tip reaches more of it than across (16 G by 2 to 3 mm in a whole plan; here of 40 poses on coarse
            // cells); a second lesion takes nothing away.
            let (along, across) = (d.parallel.as_ref().unwrap(), d.perpendicular.as_ref().unwrap());
            assert!(
                along.fast.mean_mm > across.fast.mean_mm + 1.0,
                "{}: {along:?} {across:?}",
                d.device
            );
            assert!(
                (60.0 - 1e-6..=90.0 + 1e-6).contains(&across.to_nerve_deg),
                "{}",
                across.to_nerve_deg
            );
            assert!(d.two.as_ref().unwrap().fast.probability >= along.fast.probability);
        }
        assert!(n.by_device[0].plain_width_mm > n.by_device[1].plain_width_mm + 0.5);
    }
    // Coarse cells and six solves: far from the error of a whole plan, but already better than muscle alone.
    let e = &first.fast_error;
    assert!(e.reach_rms_mm < e.plain_reach_rms_mm && e.reach_rms_mm < 0.8, "{e:?}");
}

#[test]
fn what_cannot_be_planned_gives_one_clear_error() {
    let refused = |change: fn(&mut PlanRequest)| {
        let mut request = small();
        change(&mut request);
        plan(&request, &mut |_| true).unwrap_err().to_string()
    };
    let short = refused(|r| {
        for d in &mut r.devices {
            d.needle.length_mm = 30.0;
        }
    });
    assert!(
        short.contains("none is admissible") && short.contains("beyond every cannula"),
        "{short}"
    );
    let elsewhere = refused(|r| r.joint = "L5-L6".parse().unwrap());
    assert!(
        elsewhere.contains("L5 medial branch right") && elsewhere.contains("L3, L4, L5, S1"),
        "{elsewhere}"
    );
    let nothing = refused(|r| r.devices.clear());
    assert!(nothing.contains("no cannula"), "{nothing}");
    let endless = refused(|r| r.destroyed_mm = f64::NAN);
    assert!(endless.contains("at most 50 mm"), "{endless}");
    let request = small();
    assert!(matches!(plan(&request, &mut |_| false), Err(PlanError::Cancelled)));
}
