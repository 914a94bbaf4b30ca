//! Plans for joints of the parametric spine, on coarse cells.

use std::sync::Arc;

use neurotome::{
    io::{
        catalog,
        scenario::{self, Source},
    },
    procedure::{
        anatomy::{
            Patient, Side, TissueId,
            spine::{LumbarSpine, SpineParameters, TissueIds},
        },
        catalog::{Catalog, find},
        planning::{Device, Effort, PlanRequest, plan},
    },
};

fn spine(catalog: &Catalog, names: &[String]) -> LumbarSpine {
    let id = |name: &str| TissueId(names.iter().position(|n| n == name).unwrap() as u8);
    LumbarSpine::new(catalog, &SpineParameters::default(), TissueIds::by_name(id)).unwrap()
}

#[test]
fn joints_of_the_upper_and_of_the_lower_lumbar_spine_have_plans() {
    let catalog = catalog::built_in().unwrap();
    let source = Source::built_in();
    let mut template = scenario::load(&source, &catalog).unwrap().problem;
    template.solver.cell_size = 2.0;
    let patient: Arc<dyn Patient> = Arc::new(spine(&catalog, &template.tissue_names));
    let device = |name: &str| {
        let cannula = find(&catalog.cannulas, name).unwrap();
        Device::new(cannula, find(&catalog.metals, &cannula.metal).unwrap()).unwrap()
    };
    for (joint, side) in [("L1-L2", Side::Left), ("L4-L5", Side::Right)] {
        let request = PlanRequest {
            patient: patient.clone(),
            template: template.clone(),
            devices: vec![device("20G-10mm-straight"), device("20G-10mm-straight-150")],
            joint: joint.parse().unwrap(),
            side,
            destroyed_mm: 6.0,
            technique: find(&catalog.techniques, "lumbar_parallel").unwrap().clone(),
            effort: Effort {
                candidates: 100,
                draws: 50,
                fit_solves: 8,
                held_out_solves: 3,
                verified: 0,
                seed: 1,
            },
        };
        let plan = plan(&request, &mut |_| true).unwrap();
        for nerve in &plan.nerves {
            let best = &nerve.best[0];
            println!(
                "{}: {} of {} tried spare, {:?}; {} {:?} {:.0} mm deep, {:.0}° to the nerve, {:?}",
                nerve.nerve,
                nerve.sparing,
                nerve.tried,
                nerve.rejected,
                best.device,
                best.angles,
                best.depth_mm,
                best.to_nerve_deg,
                best.fast
            );
            assert!(
                nerve.target.side == side && best.fast.probability > 0.5,
                "{}",
                nerve.nerve
            );
            assert!(patient.skin_depth_mm(&best.entry_mm).abs() < 0.01);
        }
        println!("{joint}: {:?}", plan.fast_error);
        let error = plan.fast_error;
        assert!(error.reach_rms_mm < 0.8 * error.plain_reach_rms_mm, "{error:?}");
    }
}
