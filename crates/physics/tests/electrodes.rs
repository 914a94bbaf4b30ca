//! Resistances of electrodes of every shape, against mirrored, moved and refined copies.

use std::{f64::consts::PI, sync::Arc};

use neurotome_base::Vec3;
use neurotome_physics::{
    current::Current,
    grid::{Axis, CellField, Channel, Contact, End, FittedNeedle, Grid, Interpolator, LevelSet, Region, Sizing, Tine},
    medium::{Laid, Medium, MetalProperties},
    tissue::TissueProperties,
};

const SIGMA: f64 = 0.446;
const RADIUS: f64 = 0.454e-3;

/// The cylinder of the field cases.
fn region() -> Region {
    Region::Cylinder {
        center: Vec3::zeros(),
        axis: Vec3::z(),
        radius: 60e-3,
        half_length: 60e-3,
    }
}

/// A 20 G needle whose distal end stands at `(x, y, −5 mm)`.
fn needle(x: f64, y: f64) -> FittedNeedle {
    let axis = Axis::straight(Vec3::new(x, y, -5e-3), -Vec3::z(), RADIUS);
    FittedNeedle::rounded(axis, RADIUS, 10e-3, 0.065)
}

/// The grid in one tissue, and the resistance between one volt and the return electrode, Ω.
fn solve(needles: &[FittedNeedle], fractions: &[f64], sizing: &Sizing) -> (Grid, f64) {
    let grid = Grid::new(region(), needles, sizing, &|_| 0).unwrap();
    let medium = medium(&grid, needles.len());
    let n = grid.cells();
    let mut current = Current::new(&grid, &medium, fractions);
    let state = current.solve_one_volt(&grid, &medium, &vec![37.0; n], 1e-9, &mut vec![0.0; n]);
    assert!(state.solved.converged && state.balance.abs() < 1e-7, "{state:?}");
    (grid, 1.0 / state.conductance)
}

/// One tissue and steel.
fn medium(grid: &Grid, needles: usize) -> Medium {
    let tissue = TissueProperties {
        sigma_s_per_m: SIGMA,
        sigma_temperature_coefficient_per_k: 0.0,
        sigma_limit_temperature_c: 100.0,
        thermal_conductivity_w_per_m_k: 0.5,
        density_kg_per_m3: 1000.0,
        specific_heat_j_per_kg_k: 3700.0,
        perfusion_per_s: 0.0,
        ..TissueProperties::default()
    };
    let steel = MetalProperties {
        thermal_conductivity: 16.2,
        heat_capacity: 3.95e6,
    };
    Medium::new(grid, &[tissue], &Laid::tissue(&|_| 0), &vec![steel; needles], 1.0)
}

fn resistance(needles: &[FittedNeedle], fractions: &[f64], scale: f64) -> f64 {
    solve(needles, fractions, &Sizing::default().scaled(scale)).1
}

fn assert_near(what: &str, value: f64, reference: f64, part: f64) {
    let off = value / reference - 1.0;
    assert!(
        off.abs() < part,
        "{what}: {value:.3} Ω, expected {reference:.3} Ω within {part}, off by {off:.4}"
    );
}

/// 18 G, tip of 5 mm, with tines of 0.3 mm by 4 mm at 30° to the axis.
fn tined(tines: usize, turned: f64) -> FittedNeedle {
    let a = 0.635e-3;
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -5e-3), -Vec3::z(), a).with_side(Vec3::x());
    FittedNeedle {
        tines: (0..tines)
            .map(|i| Tine {
                from: 1.5e-3,
                angle: 30f64.to_radians(),
                azimuth: turned + 2.0 * PI * i as f64 / tines as f64,
                length: 4e-3,
                radius: 0.15e-3,
            })
            .collect(),
        ..FittedNeedle::rounded(axis, a, 5e-3, 0.065)
    }
}

/// 1.3 mm thick, bare from 0 to 4 mm and from 7 to 11 mm.
fn two_contacts() -> FittedNeedle {
    let a = 0.65e-3;
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -10e-3), -Vec3::z(), a).with_side(Vec3::x());
    FittedNeedle {
        contacts: vec![Contact { from: 0.0, to: 4e-3 }, Contact { from: 7e-3, to: 11e-3 }],
        ..FittedNeedle::rounded(axis, a, 5e-3, 0.07)
    }
}

/// A 20 G needle cut by a plane at 20° to its axis, whose face opens towards −x turned by `turned`; the point stands at −5 mm.
fn bevelled(turned: f64) -> FittedNeedle {
    let end = End::Bevel {
        angle: 20f64.to_radians(),
        azimuth: PI + turned,
    };
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -5e-3), -Vec3::z(), end.length(RADIUS)).with_side(Vec3::x());
    FittedNeedle {
        end,
        ..FittedNeedle::rounded(axis, RADIUS, 10e-3, 0.065)
    }
}

// Resistances at 37 °C in Ω, with their errors: validation/crosscode/resistance/reference-resistance.json.
const SINGLE: f64 = 96.6483;
const BIPOLAR_2_MM: f64 = 92.5368;
const PALISADE: f64 = 46.6115;
const TWO_TINES: f64 = 106.117;
const TWO_CONTACTS: f64 = 252.498;
const BEVELLED: f64 = 100.419;

#[test]
fn a_single_needle_and_a_palisade_agree_with_another_program() {
    assert_near("20 G", resistance(&[needle(0.0, 0.0)], &[1.0], 1.0), SINGLE, 0.002);
    let three = [needle(-5e-3, 0.0), needle(0.0, 0.0), needle(5e-3, 0.0)];
    assert_near("palisade", resistance(&three, &[1.0; 3], 1.0), PALISADE, 0.005);
}

#[test]
fn a_close_bipolar_pair_agrees_with_another_program() {
    let pair = [needle(-1e-3, 0.0), needle(1e-3, 0.0)];
    assert_near(
        "pair 2 mm apart",
        resistance(&pair, &[0.5, -0.5], 1.0),
        BIPOLAR_2_MM,
        0.005,
    );
}

#[test]
fn tines_agree_with_another_program_and_with_turned_copies() {
    let two = resistance(&[tined(2, 0.0)], &[1.0], 1.0);
    assert_near("two tines", two, TWO_TINES, 0.005);
    assert_near(
        "two tines turned by 10°",
        resistance(&[tined(2, 10f64.to_radians())], &[1.0], 1.0),
        two,
        0.005,
    );
    let (none, three) = (
        resistance(&[tined(0, 0.0)], &[1.0], 1.0),
        resistance(&[tined(3, 0.0)], &[1.0], 1.0),
    );
    assert!(three < two && two < none, "{three} {two} {none}");
}

#[test]
fn a_bevel_agrees_with_another_program_and_with_turned_copies() {
    let bevel = resistance(&[bevelled(0.0)], &[1.0], 1.0);
    assert_near("bevel", bevel, BEVELLED, 0.005);
    // The columns of the shaft no longer stand on point and heel.
    assert_near("turned by 6°", resistance(&[bevelled(0.1)], &[1.0], 1.0), bevel, 0.001);
    assert_near("refined", resistance(&[bevelled(0.0)], &[1.0], 0.7), BEVELLED, 0.0015);
}

#[test]
fn six_needles_share_a_return() {
    let needles: Vec<FittedNeedle> = (0..6).map(|i| needle((f64::from(i) - 2.5) * 5e-3, 0.0)).collect();
    let all = resistance(&needles, &[1.0; 6], 1.6);
    let one = resistance(&needles[2..3], &[1.0], 1.6);
    // More than a sixth of one alone, since they shade each other; less than half.
    assert!(all > one / 6.0 && all < one / 2.0, "{all} {one}");
    // The mirror image has the same resistance.
    let part = |f: [f64; 6]| resistance(&needles, &f, 1.6);
    let (left, right) = (
        part([1.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
        part([0.0, 0.0, 0.0, 0.0, 1.0, 1.0]),
    );
    assert_near("mirror image", left, right, 0.003);
}

#[test]
fn contacts_of_one_probe_have_potentials_of_their_own() {
    let probe = two_contacts();
    let bipolar = resistance(std::slice::from_ref(&probe), &[0.5, -0.5], 1.0);
    let swapped = resistance(std::slice::from_ref(&probe), &[-0.5, 0.5], 1.0);
    assert_near("swapped", bipolar, swapped, 1e-6);
    assert_near("two contacts", bipolar, TWO_CONTACTS, 0.005);
    let fine = resistance(std::slice::from_ref(&probe), &[0.5, -0.5], 0.7);
    assert_near("refined", bipolar, fine, 0.003);
    // Both at one potential they are one electrode with a gap: less than either alone.
    let both = resistance(std::slice::from_ref(&probe), &[1.0, 1.0], 1.0);
    let first = resistance(std::slice::from_ref(&probe), &[1.0, 0.0], 1.0);
    assert!(both < first, "{both} {first}");
}

#[test]
fn cells_of_close_bodies_fill_the_region_once() {
    let region = Region::Box {
        center: Vec3::zeros(),
        half: Vec3::repeat(25e-3),
    };
    // The points that fill the cut end of a shaft stand for a few cubic millimetres, so close bodies are held against single ones;
    // what their shells lack or hold twice is small beside the tissue within reach of them.
    let sizing = Sizing {
        shell_reach: 5e-3,
        ..Sizing::default()
    };
    let near = PI * 5e-3f64.powi(2) * 30e-3;
    for (needles, alone) in [
        (vec![needle(-1e-3, 0.0), needle(1e-3, 0.0)], needle(0.0, 0.0)),
        (vec![tined(2, 0.3)], tined(0, 0.0)),
    ] {
        let grid = Grid::new(region, &needles, &sizing, &|_| 0).unwrap();
        let alone = Grid::new(region, &[alone], &sizing, &|_| 0).unwrap();
        let more = grid.volume.iter().sum::<f64>() - alone.volume.iter().sum::<f64>();
        assert!(more.abs() < 2e-3 * near, "{more:.3e} of {near:.3e}");
        assert!(grid.volume.iter().all(|v| *v > 0.0));
        assert!(
            grid.faces
                .iter()
                .all(|f| f.ra > 0.0 && f.rb > 0.0 && f.ra.is_finite() && f.rb.is_finite())
        );
    }
}

#[test]
fn a_bevelled_end_and_its_tissue_fill_the_region_once() {
    let region = Region::Box {
        center: Vec3::zeros(),
        half: Vec3::repeat(25e-3),
    };
    // Near shells, whose seam with the octree lacks or holds twice less than the metal does. The cut end of the shaft is left out; its
    // shape depends on the cells round it, of which a bevelled needle has half as many again.
    let whole = |needle: FittedNeedle, around: usize| {
        let sizing = Sizing {
            shell_reach: 2e-3,
            shell_reach_least: 2e-3,
            around,
            ..Sizing::default()
        };
        let grid = Grid::new(region, &[needle], &sizing, &|_| 0).unwrap();
        assert!(grid.volume.iter().all(|v| *v > 0.0));
        let metal: f64 = grid.volume[grid.tissue_cells..].iter().sum();
        (grid.volume.iter().sum::<f64>(), metal)
    };
    let (bevelled, rounded) = (whole(bevelled(0.0), 16), whole(needle(0.0, 0.0), 24));
    let tip = PI * RADIUS * RADIUS * 10e-3;
    let more = bevelled.0 - rounded.0;
    assert!(more.abs() < 0.01 * tip, "{more:.3e} of {tip:.3e}");
    // Half a ball is shorter than a cylinder by a third of its radius, the cut cylinder by radius over tan 20°.
    let less = PI * RADIUS * RADIUS * (RADIUS / 20f64.to_radians().tan() - RADIUS / 3.0);
    assert!(((rounded.1 - bevelled.1) / less - 1.0).abs() < 1e-9);
}

#[test]
fn a_channel_takes_the_place_of_metal() {
    let (a, r, from) = (0.65e-3, 0.39e-3, 0.65e-3);
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -4e-3), -Vec3::z(), a);
    let solid = FittedNeedle::rounded(axis, a, 4e-3, 0.064);
    let cooled = FittedNeedle {
        coolant: Some(Channel { radius: r, from }),
        ..solid.clone()
    };
    let grid = |n: FittedNeedle| Grid::new(region(), &[n], &Sizing::default(), &|_| 0).unwrap();
    let (solid, cooled) = (grid(solid), grid(cooled));
    let metal = |g: &Grid| g.volume[g.tissue_cells..].iter().sum::<f64>();
    let length = cooled.shells[0].end();
    let wall: f64 = cooled.coolant_area.iter().sum();
    assert!((wall / (2.0 * PI * r * length) - 1.0).abs() < 1e-9, "{wall}");
    assert!(((metal(&solid) - metal(&cooled)) / (PI * r * r * length) - 1.0).abs() < 1e-9);
    assert!(solid.coolant_area.iter().all(|v| *v == 0.0));
    for (area, resistance) in cooled.coolant_area.iter().zip(&cooled.coolant_resistance) {
        assert_eq!(*area > 0.0, *resistance > 0.0);
    }
}

#[test]
fn far_contacts_share_current_as_their_conductances() {
    // An active tip of 5 mm and a bare ring of 2 mm, 40 mm apart from middle to middle.
    let (tip, ring) = (
        Contact { from: 0.0, to: 5e-3 },
        Contact {
            from: 41.5e-3,
            to: 43.5e-3,
        },
    );
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -20e-3), -Vec3::z(), RADIUS);
    let with = |contacts: Vec<Contact>| FittedNeedle {
        contacts,
        ..FittedNeedle::rounded(axis, RADIUS, 5e-3, 0.065)
    };
    let (first, second) = (
        resistance(&[with(vec![tip])], &[1.0], 1.0),
        resistance(&[with(vec![ring])], &[1.0], 1.0),
    );
    let needle = with(vec![tip, ring]);
    let grid = Grid::new(region(), &[needle], &Sizing::default(), &|_| 0).unwrap();
    let medium = medium(&grid, 1);
    let n = grid.cells();
    let mut current = Current::new(&grid, &medium, &[1.0, 1.0]);
    let mut heat = vec![0.0; n];
    assert!(current.solve(&grid, &medium, &vec![37.0; n], None, 1e-10)[0].converged);
    let flow = current.flow(&grid, &medium, &[1.0], &mut heat);
    // Kirchhoff: each electrode's share, and all of them together.
    let sum: f64 = flow.electrode_current.iter().sum();
    assert!((sum / flow.needle_current[0] - 1.0).abs() < 1e-12, "{flow:?}");
    assert!((flow.power / sum - 1.0).abs() < 1e-9, "{flow:?}");
    // Each raises the other by the potential of a point source at its distance less that of the return electrode, some 60 mm away.
    let mutual = (1.0 / 40e-3 - 1.0 / 60e-3) / (4.0 * PI * SIGMA);
    let share = (second - mutual) / (first + second - 2.0 * mutual);
    let found = flow.electrode_current[0] / sum;
    assert!((found - share).abs() < 0.01 * share, "{found} against {share}");
    // By their conductances alone it would be nearly the same.
    assert!((found - second / (first + second)).abs() < 0.02, "{found}");
}

#[test]
fn a_gently_bent_electrode_resists_as_a_straight_one() {
    // 15° over 10 mm: its parts come closer by (angle)²/24 = 0.3 % at most, which is all that enters the resistance.
    let straight = resistance(&[needle(0.0, 0.0)], &[1.0], 1.0);
    let bent_towards = |side: Vec3| {
        let (tip, angle) = (Vec3::new(0.0, 0.0, -5e-3), 15f64.to_radians());
        let axis = Axis::bent(tip, -Vec3::z(), RADIUS, angle, 10e-3, side);
        FittedNeedle::rounded(axis, RADIUS, 10e-3, 0.065)
    };
    let bent = bent_towards(Vec3::x());
    let (grid, found) = solve(std::slice::from_ref(&bent), &[1.0], &Sizing::default());
    assert_near("bent by 15°", found, straight, 0.004);
    // Volumes close: what the shells of a bend hold more on its outer side they hold less on its inner side.
    let other = Grid::new(region(), &[needle(0.0, 0.0)], &Sizing::default(), &|_| 0).unwrap();
    let volume = |g: &Grid| g.volume.iter().sum::<f64>();
    let near = PI * 10e-3f64.powi(2) * 40e-3;
    let off = volume(&grid) - volume(&other);
    assert!(off.abs() < 2e-3 * near, "{off:.3e} m³ of {near:.3e} m³ near the needle");
    assert!(grid.volume.iter().all(|v| *v > 0.0));
    // Bent the other way it is the same.
    let mirrored = resistance(&[bent_towards(-Vec3::x())], &[1.0], 1.0);
    assert_near("bent to the other side", mirrored, found, 0.001);
}

#[test]
fn a_ball_round_needles_that_all_but_touch_keeps_its_size() {
    // Columns of shells between the needles hold one cell or none.
    let (gap, ball) = (0.2e-3, 4e-3);
    for scale in [1.0, 2.0] {
        let x = RADIUS + 0.5 * gap;
        let pair = [needle(-x, 0.0), needle(x, 0.0)];
        let grid = Arc::new(Grid::new(region(), &pair, &Sizing::default().scaled(scale), &|_| 0).unwrap());
        let tissue: Vec<f64> = grid.center[..grid.tissue_cells]
            .iter()
            .map(|p| ball - p.norm())
            .collect();
        let field = CellField {
            tissue: &tissue,
            metal: None,
            metal_share: 0.0,
        };
        let interpolator = Interpolator::new(Arc::clone(&grid));
        let set = LevelSet::new(&interpolator, &field).unwrap();
        let metal = 2.0 * PI * RADIUS * RADIUS * 2.0 * ball;
        let volume = 4.0 / 3.0 * PI * ball.powi(3) - metal;
        assert_near("volume of the ball", set.volume, volume, 0.03);
        let width = set.extent(&interpolator, &field, &Vec3::y()).unwrap();
        assert_near("half of its width", width, ball, 0.01);
    }
}
