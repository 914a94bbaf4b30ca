//! An operator that needs no person: what a careful one would do next. It knows what a record knows, nothing else.

use neurotome_base::Vec3;

use super::{Case, Command, Order, Preparation, State, TestKind, ViewKind, interlock::WAIT_S};
use crate::{anatomy::Side, fluoroscopy::NamedView};

/// Seconds to wait after the anaesthetic.
const NUMBING_S: f64 = 120.0;
/// Distance from the planned place at which the needle is there, mm.
const THERE_MM: f64 = 0.3;
/// The way is made in pieces of at most so many mm, with a picture after each.
const PIECE_MM: f64 = 25.0;
/// Times that a needle is moved after tests that say no.
const TRIES: usize = 2;
/// By how much it is drawn back then, mm.
const BACK_MM: f64 = 2.0;

/// The next order; none when the procedure is over. `tries` of moving the needle are counted in the state.
pub fn next_order(case: &Case, state: &State) -> Option<Order> {
    if state.over() {
        return None;
    }
    let go = |command: Command| Some(Order::from(command));
    let insist = |command: Command, reason: &str| {
        Some(Order::Do {
            command,
            reason: Some(reason.to_owned()),
        })
    };
    if let Some(heating) = &state.heating {
        return match heating.interrupted {
            Some(true) => go(Command::Resume),
            Some(false) => go(Command::Wait { seconds: 5.0 }),
            None => go(Command::Wait { seconds: 30.0 }),
        };
    }
    let Some((_, eligible)) = &state.assessed else {
        return go(Command::Assess);
    };
    let only_teaching = "shown for teaching: the procedure goes on in spite of the assessment";
    if state.plan.is_empty() {
        return go(Command::Plan);
    }
    for item in Preparation::ALL {
        if !state.ready.contains(&item) {
            let command = Command::Prepare { item };
            return if *eligible {
                go(command)
            } else {
                insist(command, only_teaching)
            };
        }
    }
    let look = |view: NamedView| {
        let there = state
            .arm
            .is_some_and(|a| a.view == Some(view) && a.level == state.planned().map(|p| p.target.at));
        if there {
            Command::Shot
        } else {
            Command::View { view, level: None }
        }
    };
    let oblique = match case.side {
        Side::Left => NamedView::ObliqueLeft,
        Side::Right => NamedView::ObliqueRight,
    };
    let at = state.at_target();
    let seen = |view: NamedView| {
        state
            .shots
            .iter()
            .any(|s| s.target == state.target && s.arm.view == Some(view))
    };
    // What an alarm ended is tried once more.
    let treated = at.lesions.iter().any(|l| l.complete) || at.lesions.len() > 1;
    if treated {
        if state.needle.is_some() {
            return go(Command::Remove);
        }
        return match state
            .targets
            .iter()
            .take(state.plan.len())
            .any(|t| t.lesions.is_empty())
        {
            true => go(Command::Next { target: None }),
            false if !state.skin_seen => go(Command::Inspect),
            false => go(Command::Finish),
        };
    }
    if at.marked_mm.is_none() {
        for view in [NamedView::Ap, oblique] {
            if !seen(view) {
                return go(look(view));
            }
        }
        return go(Command::Mark { entry_mm: None });
    }
    let allowed = |command: Command| {
        if *eligible {
            go(command)
        } else {
            insist(command, only_teaching)
        }
    };
    if at.skin.is_none() {
        return allowed(Command::Numb {
            syringe: super::Syringe::default(),
        });
    }
    let Some(needle) = &state.needle else {
        return allowed(Command::Enter {
            cannula: None,
            towards_mm: None,
        });
    };
    let planned = state.planned()?;
    let tests = [&at.sensory, &at.motor];
    let placed = tests.iter().any(|t| t.is_some());
    if !placed {
        // On the way, with a picture in the oblique view after each piece.
        let left = (planned.pose.tip_mm.vec() - Vec3::from(needle.tip_mm)).dot(&needle.along());
        if left > THERE_MM && !state.on_bone {
            if !state.seen_since_moved(ViewKind::Oblique) {
                return go(look(oblique));
            }
            return go(Command::Advance {
                mm: (left.min(PIECE_MM) * 100.0).round() / 100.0,
            });
        }
    }
    for (kind, view) in [
        (ViewKind::Ap, NamedView::Ap),
        (ViewKind::Lateral, State::lateral(case.side)),
    ] {
        if !state.seen_since_moved(kind) {
            return go(look(view));
        }
    }
    if at.impedance_ohm.is_none() {
        return go(Command::Impedance);
    }
    if at.anaesthetic.is_none() {
        for kind in [TestKind::Sensory, TestKind::Motor] {
            if state.tested_here(kind).is_none() {
                return go(Command::Test { kind, up_to_v: None });
            }
        }
        let moved = state
            .path
            .windows(2)
            .filter(|w| {
                w[1].2 == state.target
                    && (Vec3::from(w[1].1) - Vec3::from(w[0].1)).dot(&needle.along()) < -0.5 * BACK_MM
            })
            .count();
        if state.judged_here().is_some_and(|j| j.leg_answers) && moved < TRIES {
            return go(Command::Withdraw { mm: BACK_MM });
        }
        return go(Command::Anaesthetise {
            syringe: super::Syringe::default(),
        });
    }
    let since = at.anaesthetic.as_ref().map_or(f64::INFINITY, |a| state.t_s - a.end_s);
    if since < WAIT_S {
        return go(Command::Wait { seconds: NUMBING_S });
    }
    let heat = Command::Heat {
        set_c: None,
        hold_s: None,
        for_s: None,
        program: None,
    };
    let against = super::interlocks(case, state, &heat);
    if against.is_empty() {
        return go(heat);
    }
    if against.iter().any(|i| i.code == "still-feels") && since < 3.0 * NUMBING_S {
        return go(Command::Wait { seconds: 60.0 });
    }
    let codes: Vec<&str> = against.iter().map(|i| i.code.as_str()).collect();
    insist(
        heat,
        &format!("automatic operator: goes on in spite of {}", codes.join(", ")),
    )
}
