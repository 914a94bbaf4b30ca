//! The texts of a functional mock-up unit.

use std::fmt::Write as _;

use neurotome_procedure::generator::plant::{LONGEST_STEP_S, ReducedModel, Response};

use super::{FmuPlant, IDENTIFIER, SOURCE, Variable};

/// Units: name, and exponents, factor and offset of the base units.
const UNITS: [(&str, &str); 7] = [
    ("s", r#"s="1""#),
    ("V", r#"kg="1" m="2" s="-3" A="-1""#),
    ("A", r#"A="1""#),
    ("W", r#"kg="1" m="2" s="-3""#),
    ("Ohm", r#"kg="1" m="2" s="-3" A="-2""#),
    ("degC", r#"K="1" offset="273.15""#),
    ("ml/min", r#"m="3" s="-1" factor="1.6666666666666667e-8""#),
];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// `modelDescription.xml`.
pub(super) fn model_description(plant: &FmuPlant, variables: &[Variable], token: &str) -> String {
    let mut text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="3.0" modelName="{name}" instantiationToken="{token}"
    description="{title}" generationTool="Neurotome {version}" variableNamingConvention="flat"
    copyright="MIT OR Apache-2.0. Research and teaching software, not a medical device.">
  <CoSimulation modelIdentifier="{IDENTIFIER}" canHandleVariableCommunicationStepSize="true"
      canGetAndSetFMUState="true" canSerializeFMUState="true"/>
  <UnitDefinitions>
"#,
        name = escaped(&plant.name),
        title = escaped(&plant.title),
        version = env!("CARGO_PKG_VERSION"),
    );
    for (unit, base) in UNITS {
        let _ = writeln!(text, r#"    <Unit name="{unit}"><BaseUnit {base}/></Unit>"#);
    }
    text += "  </UnitDefinitions>\n  <LogCategories>\n    <Category name=\"logStatusError\" description=\"What went wrong\"/>\n  </LogCategories>\n";
    text += "  <DefaultExperiment startTime=\"0\" stopTime=\"120\" stepSize=\"0.001\"/>\n  <ModelVariables>\n";
    for v in variables {
        let start = v.start.map_or_else(String::new, |s| format!(r#" start="{s}""#));
        let variability = match v.causality {
            "parameter" => r#" variability="fixed" initial="exact""#,
            _ => r#" variability="continuous""#,
        };
        let _ = writeln!(
            text,
            r#"    <Float64 name="{}" valueReference="{}" causality="{}"{variability} unit="{}"{start} description="{}"/>"#,
            v.name,
            v.reference,
            v.causality,
            v.unit,
            escaped(&v.description)
        );
    }
    text += "  </ModelVariables>\n  <ModelStructure>\n";
    let outputs = || variables.iter().filter(|v| v.causality == "output");
    for v in outputs() {
        let _ = writeln!(text, r#"    <Output valueReference="{}"/>"#, v.reference);
    }
    for v in outputs() {
        let _ = writeln!(text, r#"    <InitialUnknown valueReference="{}"/>"#, v.reference);
    }
    text + "  </ModelStructure>\n</fmiModelDescription>\n"
}

/// `sources/buildDescription.xml`.
pub(super) fn build_description() -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<fmiBuildDescription fmiVersion="3.0">
  <BuildConfiguration modelIdentifier="{IDENTIFIER}" description="C99; without contraction of products and sums (-ffp-contract=off) the digits are those of the program">
    <SourceFileSet language="C99" compilerOptions="-ffp-contract=off">
      <SourceFile name="{SOURCE}"/>
    </SourceFileSet>
    <Library name="m" external="true"/>
  </BuildConfiguration>
</fmiBuildDescription>
"#
    )
}

/// `sources/fmu_model.h`: the numbers.
pub(super) fn model_header(model: &ReducedModel, token: &str) -> String {
    let mut text = String::from("/* The numbers of one plant; made by Neurotome. */\n");
    let mut define = |name: &str, value: &dyn std::fmt::Display| {
        let _ = writeln!(text, "#define {name} {value}");
    };
    let responses: Vec<&Response> = model.responses().collect();
    define("CHANNELS", &model.channels());
    define("NEEDLES", &model.thermocouples.len());
    define("COOLANTS", &model.coolants.len());
    define("RATES", &model.rates_per_s.len());
    define("SOURCES", &model.sources());
    define("OUTPUTS", &responses.len());
    define("TOKEN", &format!("\"{token}\""));
    define("INITIAL_C", &format!("{:e}", model.initial_c));
    define("DRYING_PER_K_S", &format!("{:e}", model.drying_per_k_s));
    define("BETWEEN_POWER", &format!("{:e}", model.between_power));
    define("CONDUCTING_PER_K", &format!("{:e}", model.conducting_per_k));
    define("LONGEST_STEP_S", &format!("{LONGEST_STEP_S:e}"));
    let mut array = |name: &str, values: Vec<f64>| {
        // No array of C is empty.
        let values = if values.is_empty() { vec![0.0] } else { values };
        let all: Vec<String> = values.iter().map(|v| format!("{v:e}")).collect();
        let _ = writeln!(
            text,
            "static const double {name}[{}] = {{{}}};",
            all.len(),
            all.join(", ")
        );
    };
    array("RATE_PER_S", model.rates_per_s.clone());
    array("CONDUCTANCE_S", model.conductance_s.concat());
    array("LAG_S", responses.iter().map(|r| r.lag_s).collect());
    array("BEND", responses.iter().map(|r| r.bend).collect());
    array(
        "WEIGHT",
        responses.iter().flat_map(|r| r.weights_per_w.concat()).collect(),
    );
    array(
        "COOLANT_NEEDLE",
        model.coolants.iter().map(|c| c.needle as f64).collect(),
    );
    array("COOLANT_C", model.coolants.iter().map(|c| c.temperature_c).collect());
    array(
        "COOLANT_ML_PER_MIN",
        model
            .coolants
            .iter()
            .map(|c| c.flow_ml_per_min.unwrap_or(-1.0))
            .collect(),
    );
    array(
        "COOLANT_W_PER_K",
        model.coolants.iter().map(|c| c.conductance_w_per_k).collect(),
    );
    text
}

/// `documentation/index.html`.
pub(super) fn documentation(plant: &FmuPlant, variables: &[Variable]) -> String {
    let error = &plant.model.error;
    let mut text = format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title>
<style>body{{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 1em}}td,th{{text-align:left;padding:.15em .8em .15em 0}}</style></head><body>
<h1>{name}: {title}</h1>
<p>Electrodes in tissue as a radiofrequency generator meets them: voltages go in; thermocouples, impedances, currents and power come out. Made by
Neurotome {version}. <strong>Research and teaching software, not a medical device.</strong></p>
<h2>What it is</h2>
<p>A reduced model with {numbers} numbers, fitted to a solver of the coupled electric and heat equations: states with {rates} rates driven by the heat of
each channel, whole and at the metal, weighted sums with a lag and a bend for what is read, conductances that rise with temperature{drying}. Internal steps are at most
{step} ms. Voltages are in phase and held during a step; a voltage of zero holds the channel's electrodes at the potential of the return.</p>
<h2>How far it is from the solver</h2>
<p>Largest distance under the same voltages, in runs that the fit did not see (temperature control up to {up_to:.0} °C):</p>
<table><tr><td>thermocouple</td><td>{tc:.2} K (root mean square {rms:.2} K)</td></tr>
<tr><td>hottest tissue while current flows</td><td>{hot:.2} K</td></tr>
<tr><td>impedance</td><td>{ohm:.1} %</td></tr>{coolant}</table>
<p>The solver's own distance from nature is larger: tissue differs from patient to patient.</p>
<h2>Variables</h2>
<table><tr><th>name</th><th></th><th>unit</th><th>meaning</th></tr>
"#,
        name = escaped(&plant.name),
        title = escaped(&plant.title),
        version = env!("CARGO_PKG_VERSION"),
        numbers = plant.model.numbers(),
        rates = plant.model.rates_per_s.len(),
        drying = if plant.model.drying_per_k_s > 0.0 {
            " and fall where tissue above 100 °C dries"
        } else {
            ""
        },
        step = LONGEST_STEP_S * 1e3,
        up_to = error.up_to_c,
        tc = error.thermocouple_k,
        rms = error.thermocouple_rms_k,
        hot = error.hottest_k,
        ohm = 100.0 * error.impedance_relative,
        coolant = if plant.model.coolants.is_empty() {
            String::new()
        } else {
            format!(
                "<tr><td>thermocouple while the coolant fails</td><td>{:.2} K</td></tr>",
                error.coolant_failure_k
            )
        },
    );
    for v in variables {
        let _ = writeln!(
            text,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            v.name,
            v.causality,
            v.unit,
            escaped(&v.description)
        );
    }
    text + "</table></body></html>\n"
}
