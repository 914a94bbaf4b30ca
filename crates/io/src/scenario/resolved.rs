//! The problem in plain figures, for the record.

use neurotome_procedure::lesion::{DomainShape, Drive, LesionProblem};
use serde_json::{Value, json};

/// Everything that enters the solve except the anatomy's geometry, which the scenario and its input files define.
pub fn resolved(p: &LesionProblem) -> Value {
    let tissues: Vec<Value> = p
        .tissue_names
        .iter()
        .zip(&p.tissues)
        .map(|(name, t)| json!({ "name": name, "properties": t }))
        .collect();
    let domain = match p.domain.shape {
        DomainShape::Box { half_mm } => json!({ "shape": "box", "half_mm": half_mm }),
        DomainShape::Cylinder {
            axis,
            radius_mm,
            half_length_mm,
        } => json!({ "shape": "cylinder", "axis": axis, "radius_mm": radius_mm, "half_length_mm": half_length_mm }),
        DomainShape::Sphere { radius_mm } => json!({ "shape": "sphere", "radius_mm": radius_mm }),
    };
    let needles: Vec<Value> = p
        .needles
        .iter()
        .map(|n| {
            json!({
                "tip_mm": n.tip,
                "direction": n.direction,
                "outer_diameter_mm": n.outer_diameter_mm,
                "active_tip_mm": n.active_tip_mm,
                "length_mm": n.length_mm,
                "bend": n.bend,
                "bevel": n.bevel,
                "contacts": n.contacts,
                "insulation_defects": n.insulation_defects,
                "skin_from_tip_mm": n.skin_from_tip_mm,
                "tines": n.tines,
                "coolant": n.coolant,
                "potential_fraction": n.potential_fraction,
                "thermocouple_from_tip_mm": n.thermocouple_from_tip_mm,
                "thermocouple_tine": n.thermocouple_tine,
                "metal": n.metal,
            })
        })
        .collect();
    let drive = match p.drive {
        Drive::Voltage { voltage_v } => json!({ "mode": "voltage", "voltage_v": voltage_v }),
        Drive::Current { current_a } => json!({ "mode": "current", "current_a": current_a }),
        Drive::Power { power_w } => json!({ "mode": "power", "power_w": power_w }),
        Drive::Temperature {
            set_temperature_c,
            ramp_s,
            control,
        } => json!({
            "mode": "temperature", "set_temperature_c": set_temperature_c, "ramp_s": ramp_s, "control": control,
        }),
        Drive::Pulsed {
            voltage_v,
            pulse_s,
            rate_hz,
            limit_temperature_c,
            resolved,
        } => json!({
            "mode": "pulsed", "voltage_v": voltage_v, "pulse_s": pulse_s, "rate_hz": rate_hz,
            "limit_temperature_c": limit_temperature_c, "resolved": resolved,
        }),
    };
    let nerves: Vec<Value> = p
        .nerves
        .iter()
        .map(|n| json!({ "name": n.name, "points_mm": n.points, "diameter_mm": n.diameter_mm, "target": n.target }))
        .collect();
    let probes: Vec<Value> = p
        .probes
        .iter()
        .map(|q| json!({ "name": q.name, "position_mm": q.position }))
        .collect();
    json!({
        "tissues": tissues,
        "domain": { "center_mm": p.domain.center, "region": domain },
        "needles": needles,
        "drive": drive,
        "heating_s": p.heating_s,
        "cooling_s": p.cooling_s,
        "limits": { "voltage_v": p.limits.voltage_v, "current_a": p.limits.current_a, "power_w": p.limits.power_w },
        "injury": p.injury,
        "perfusion": p.perfusion,
        "blood": p.blood,
        "initial_temperature_c": p.initial_temperature_c,
        "boundary_temperature_c": p.boundary_temperature_c,
        "boiling": p.boiling,
        "tissue_injury": p.tissue_injury,
        "more_injury": p.more_injury.iter().map(|l| json!({ "name": l.name, "law": l.law })).collect::<Vec<_>>(),
        "injectate": p.injectate.as_ref().map(|i| json!({
            "sigma_s_per_m": i.sigma_s_per_m,
            "density_kg_per_m3": i.density_kg_per_m3,
            "specific_heat_j_per_kg_k": i.specific_heat_j_per_kg_k,
        })),
        "nerves": nerves,
        "probes": probes,
        "pad": p.pad,
        "output_times_s": p.output_times_s,
        "solver": {
            "cell_size": p.solver.cell_size,
            "step_tolerance_k": p.solver.step_tolerance_k,
            "linear_tolerance": p.solver.linear_tolerance,
            "estimate_error": p.solver.estimate_error,
        },
    })
}
