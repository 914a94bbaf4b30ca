"""NEURON beside our fibres: thresholds of one fibre of 10 µm and of a population, in turn on the same machine.

    python3 benches/peers/axon.py [--runs N] [--fibres N]     prints a table, writes target/bench/axon.{md,json}
    python3 benches/peers/axon.py --reference                 makes validation/crosscode/axon/off-reference.json anew (an hour)

Makes a virtual environment below target/peers-axon, installs NEURON there, compiles nmodl/*.mod and builds our example `fibres`. Both run on one
thread; seconds are of the processor (user and system). NEURON takes the first fibres of our population, and its seconds for all are extrapolated
from them by nodes. No gate.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FOLDER = TARGET / "peers-axon"
NMODL = pathlib.Path(__file__).resolve().parent / "nmodl"
REQUIREMENTS = ["neuron==9.0.2", "numpy==2.4.6"]
# NEURON's step, ms: the usual one; its error is then about that of the search.
STEP_MS = 0.005
TOLERANCE = 0.005
OFF_REFERENCE = ROOT / "validation" / "crosscode" / "axon" / "off-reference.json"


def number(option, usual):
    return int(sys.argv[sys.argv.index(option) + 1]) if option in sys.argv else usual


def prepare():
    python = FOLDER / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    mechanisms = FOLDER / "mechanisms"
    mechanisms.mkdir(exist_ok=True)
    for mod in NMODL.glob("*.mod"):
        shutil.copy(mod, mechanisms)
    compiled = subprocess.run([FOLDER / "bin" / "nrnivmodl", "."], cwd=mechanisms, capture_output=True, text=True)
    if compiled.returncode:
        sys.exit(f"{compiled.stdout}\n{compiled.stderr}\nnrnivmodl failed: install g++ and make")
    return python


def neuron(python, *words):
    """What this script prints as `neuron WORDS`, run where the mechanisms lie."""
    command = [python, __file__, "neuron", *map(str, words)]
    out = subprocess.run(command, cwd=FOLDER / "mechanisms", check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.splitlines()[-1])


def main():
    python = prepare()
    if "--reference" in sys.argv:
        OFF_REFERENCE.write_text(one_line_each(neuron(python, "reference")))
        return
    example = ["cargo", "build", "--release", "--quiet", "--locked", "--package", "neurotome", "--example", "fibres"]
    subprocess.run(example, cwd=ROOT, check=True)
    runs, fibres = number("--runs", 3), number("--fibres", 16)
    ours, theirs = [], []
    for _ in range(runs):
        text = subprocess.run([TARGET / "release" / "examples" / "fibres", "--json"], check=True, stdout=subprocess.PIPE, text=True).stdout
        ours.append(json.loads(text))
        theirs.append([neuron(python, "search", json.dumps(case)) for case in ours[0]["search"]])
    population = ours[0]["population"]
    theirs_all = neuron(python, "population", json.dumps(population[:fibres]))

    rows = []
    for k, case in enumerate(ours[0]["search"]):
        own = median([o["search"][k]["cpu_s"] for o in ours])
        other = median([t[k]["cpu_s"] for t in theirs])
        off = case["threshold_ma"] / theirs[0][k]["threshold_ma"] - 1
        exact = case["threshold_ma"] / theirs[0][k]["small_step_ma"] - 1
        rows.append((f"10 µm, 2 mm, {case['nodes']} nodes", own, other, off, exact, case["threshold_ma"]))
    first = population[:fibres]
    own = median([sum(f["cpu_s"] for f in o["population"]) for o in ours])
    own_first = median([sum(f["cpu_s"] for f in o["population"][:fibres]) for o in ours])
    used = sum(t["cpu_s"] for t in theirs_all)
    whole = used * sum(f["nodes"] for f in population) / sum(f["nodes"] for f in first)
    worst = max((f["threshold_ma"] / t["threshold_ma"] - 1 for f, t in zip(first, theirs_all)), key=abs)
    exact = max((f["threshold_ma"] / t["small_step_ma"] - 1 for f, t in zip(first, theirs_all)), key=abs)
    rows.append((f"first {fibres} of the population", own_first, used, worst, exact, None))
    rows.append((f"all {len(population)}, NEURON extrapolated", own, whole, None, None, None))
    lines = [
        "| case | threshold mA | ours, CPU s | NEURON, CPU s | × ours | ours against NEURON % | against NEURON with half the step % |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    percent = lambda x: "–" if x is None else f"{100 * x:+.2f}"
    for name, own, other, off, exact, threshold in rows:
        t = "–" if threshold is None else f"{threshold:.4f}"
        lines.append(f"| {name} | {t} | {own:.4f} | {other:.3f} | {other / own:.0f} | {percent(off)} | {percent(exact)} |")
    table = "\n".join(lines) + "\n"
    print(table)
    (TARGET / "bench").mkdir(parents=True, exist_ok=True)
    (TARGET / "bench" / "axon.md").write_text(table)
    (TARGET / "bench" / "axon.json").write_text(json.dumps({"ours": ours, "neuron": theirs, "neuron_population": theirs_all}, indent=1) + "\n")


def median(values):
    return sorted(values)[len(values) // 2]


def one_line_each(found):
    parts = ['"settings": ' + json.dumps(found["settings"], indent=1)]
    for name in ["rows", "c_fibre_rows"]:
        parts.append(f'"{name}": [\n' + ",\n".join("  " + json.dumps(row) for row in found[name]) + "\n]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def measured(case, pulse_ms=1.0):
    """One search in NEURON, the processor's seconds of building, rest and search, and the threshold with half the step (not timed)."""
    import time

    import fibre_neuron

    before = time.process_time()
    fibre = fibre_neuron.Myelinated("table", case["diameter_um"], case["nodes"], case["distance_mm"], case["shift_um"])
    found = fibre.threshold(pulse_ms, STEP_MS, TOLERANCE, 0.05 * case["distance_mm"] ** 2)
    cpu_s = time.process_time() - before
    runs = fibre.runs
    small = fibre.threshold(pulse_ms, 0.5 * STEP_MS, 0.002, found, 1.02)
    return {"threshold_ma": found, "cpu_s": cpu_s, "runs": runs, "small_step_ma": small}


# Sets of sizes with diameters, µm, that validation/crosscode/axon/reference.json does not have; so distances, mm, and pulses, ms.
OFF_DIAMETERS = [("fitted", 6.4), ("fitted", 9.3), ("fitted", 13.1), ("small", 1.5), ("small", 3.4), ("small", 4.8)]
OFF_DISTANCES_MM = [0.7, 1.6, 3.3]
OFF_PULSES_MS = [0.07, 0.3, 2.0]
# Shares of an internode from the node to the place beside the source, by turns.
OFF_SHARES = [0.0, 0.3, 0.5]
# C fibres: membrane, diameter, µm, distance, mm, pulse, ms; and the length of their compartments, µm.
OFF_C_FIBRES = [
    ("sundt", 0.8, 0.7, 0.3),
    ("sundt", 0.8, 0.7, 2.0),
    ("sundt", 1.3, 1.6, 0.3),
    ("rattay", 0.8, 0.7, 0.07),
    ("rattay", 0.8, 0.7, 0.3),
    ("rattay", 0.8, 0.7, 2.0),
    ("rattay", 1.3, 1.6, 0.3),
    ("rattay", 1.0, 1.0, 1.0),
]
C_SPACING_UM = 25.0


def c_fibre_rows():
    import fibre_neuron

    rows = []
    for membrane, diameter, distance, pulse in OFF_C_FIBRES:
        fibre = fibre_neuron.Unmyelinated(membrane + "_c", diameter, distance, C_SPACING_UM)
        steps = (0.005, 0.0025)
        threshold, both = fibre_neuron.extrapolated(fibre, pulse, steps, 2e-4, 2.0 * distance**2)
        rows.append({
            "model": membrane, "D_um": diameter, "dx_um": C_SPACING_UM, "z_mm": distance, "pw_ms": pulse, "th_mA": round(threshold, 6),
            "steps_ms": steps, "th_mA_at_steps": [round(b, 6) for b in both],
        })
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def myelinated_cases():
    """Sizes, diameter, distance, pulse, share of an internode, nodes, steps."""
    import fibre_neuron

    for d, (sizes, diameter) in enumerate(OFF_DIAMETERS):
        for z, distance in enumerate(OFF_DISTANCES_MM):
            for p, pulse in enumerate(OFF_PULSES_MS):
                # Hundreds of thin nodes far away take NEURON an hour.
                if sizes == "small" and z == 2 and (p == 2 or diameter < 2):
                    continue
                half = max(12, -int(-4e3 * distance // fibre_neuron.geometry(sizes, diameter)[2]))
                steps = (0.002, 0.001) if pulse < 1 else (0.004, 0.002)
                yield sizes, diameter, distance, pulse, OFF_SHARES[(d + z + p) % 3], 2 * half + 1, steps


def myelinated_rows(cases):
    import fibre_neuron

    rows = []
    for sizes, diameter, distance, pulse, share, nodes, steps in cases:
        spacing = fibre_neuron.geometry(sizes, diameter)[2]
        # Shorter pulses come first, so the last threshold is a first look from above.
        same = rows and (rows[-1]["diameter_um"], rows[-1]["distance_mm"]) == (diameter, distance)
        guess = rows[-1]["threshold_ma"] if same else 0.1 * distance**2
        fibre = fibre_neuron.Myelinated(sizes, diameter, nodes, distance, share * spacing)
        threshold, both = fibre_neuron.extrapolated(fibre, pulse, steps, 2e-4, guess)
        rows.append({
            "sizes": sizes, "diameter_um": diameter, "distance_mm": distance, "pulse_ms": pulse, "share_of_internode": share,
            "nodes": nodes, "threshold_ma": round(threshold, 7), "steps_ms": steps, "threshold_at_steps_ma": [round(b, 7) for b in both],
        })
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def reference():
    settings = {
        "program": REQUIREMENTS[0] + ", two layers of `extracellular` and benches/peers/nmodl",
        "command": "python3 benches/peers/axon.py --reference",
        "stimulus": "one cathodic square pulse from a point in 0.3 S/m at 37 degrees C, beside the middle node or so large a share of an internode beyond",
        "criterion": "above -20 mV at the fourth node from either end; none once all nodes are below -65 mV at least 0.4 ms after the pulse",
        "c_fibres": "2 z + 2 mm to either side; above -20 mV 1.5 z + 1.5 mm away; none once all is below -50 (sundt) or -60 mV (rattay) at least 4 ms after the pulse",
        "threshold": "bisection to 0.02 % at two steps of backward Euler, extrapolated linearly to no step",
    }
    return {"settings": settings, "rows": myelinated_rows(myelinated_cases()), "c_fibre_rows": c_fibre_rows()}


def in_neuron(words):
    if words[0] == "search":
        return measured(json.loads(words[1]))
    if words[0] == "population":
        return [measured(case) for case in json.loads(words[1])]
    return {"reference": reference, "c-fibres": c_fibre_rows}[words[0]]()


if __name__ == "__main__":
    if sys.argv[1:2] == ["neuron"]:
        print(json.dumps(in_neuron(sys.argv[2:])))
    else:
        main()
