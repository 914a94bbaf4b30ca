"""Reference cases E (bone), F (anisotropic muscle) and G (curving fibres and bone), and A to calibrate them.

    python heterogeneous.py run CASE coarse|halved|fine    one run, kept in target/references
    python heterogeneous.py collect                        writes ../heterogeneous/reference-heterogeneous.json
"""

import json
import sys
from pathlib import Path

import ngsolve as ng
import numpy as np

from contours import Samples
from lesion import BONE, LEVELS_C, MUSCLE, Model, simulate, step_sizes
from needle_mesh import DOMAIN_MM, RADIUS_MM, TIP_MM, Fineness, needle_mesh
from runs import KEPT, collect, keep

HERE = Path(__file__).resolve().parent
COARSE = Fineness(ring_mm=0.1, tip_mm=0.35, shaft_mm=0.8, growth=0.5)
FINE = Fineness(ring_mm=0.06, tip_mm=0.28, shaft_mm=0.75, growth=0.5)
RUNS = {"coarse": (COARSE, 2, 1), "halved": (COARSE, 2, 2), "fine": (FINE, 3, 1)}
BONE_FROM_MM = {"A": None, "E": RADIUS_MM + 0.5, "F": None, "G": RADIUS_MM + 2.0}
TIMES_S = (5, 10, 20, 40, 60, 75)


def fibre_tensor(degrees, ratio):
    """sigma (1 + (ratio - 1) f f^T) with f = (sin, 0, cos) of the angle."""
    t = degrees * np.pi / 180
    s, c, more = ng.sin(t), ng.cos(t), ratio - 1
    entries = (1 + more * s * s, 0, more * s * c, 0, 1, 0, more * s * c, 0, 1 + more * c * c)
    return MUSCLE["sigma"] * ng.CoefficientFunction(entries, dims=(3, 3))


def conductivity(case, mesh):
    identity = ng.CoefficientFunction((1, 0, 0, 0, 1, 0, 0, 0, 1), dims=(3, 3))
    bone = BONE["sigma"] * identity
    if case == "F":
        return fibre_tensor(ng.CoefficientFunction(35.0), 2)
    if case == "G":
        clamped = ng.IfPos(-10 - ng.x, -10, ng.IfPos(ng.x - 10, 10, ng.x))
        return mesh.MaterialCF({"tissue": fibre_tensor(35 + 6 * clamped, 3), "bone": bone}, default=bone)
    return mesh.MaterialCF({"tissue": MUSCLE["sigma"], "bone": BONE["sigma"]}, default=0)


def probes():
    a, out = RADIUS_MM, {"tip": (0, 0, TIP_MM), "tc": (0, 0, TIP_MM + 0.5)}
    for n in (1, 2, 3, 4, 5, 7):
        out |= {f"xp{n}": (a + n, 0, 0), f"xm{n}": (-a - n, 0, 0), f"y{n}": (0, a + n, 0)}
    out |= {f"dist{n}": (0, 0, TIP_MM - n) for n in (1, 2, 3, 5)}
    return out


def run(case, name):
    size, order, finer = RUNS[name]
    volts = 20.0 if case == "A" else 15.0
    mesh = needle_mesh(size, BONE_FROM_MM[case])
    model = Model(mesh, order, conductivity(case, mesh), electric="tissue|bone" if BONE_FROM_MM[case] else "tissue")
    samples = Samples(RADIUS_MM, TIP_MM, np.linspace(0, np.pi, 25))
    named = probes()
    points = np.concatenate([np.array(list(named.values())), samples.cartesian()])
    phases = [(v, step_sizes(t, 1 / (16 * finer), 2.0 / finer, 4 * finer)) for v, t in ((volts, 60), (0.0, 15))]
    times, number = {}, len(named)
    for time, celsius, omega, half_power in simulate(model, phases, points, TIMES_S):
        power = 2 * half_power
        values = dict(zip(named, map(float, celsius[:number])))
        if power > 0:
            values |= {"V": volts, "P": power, "Z": volts**2 / power}
        for key, level in LEVELS_C.items():
            values[key] = samples.region(celsius[number:], level)
        values["omega1"] = samples.region(np.log(np.maximum(omega[number:], 1e-300)), 0.0)
        times[f"{time:g}"] = values
    keep(case, name, {"order": order, "elements": mesh.ne, "dofs": ng.H1(mesh, order=order).ndof, "steps": sum(len(s) for _, s in phases), "t": times})


COMMON = (
    "Needle, domain, muscle, steel, blood, injury and equations of field case A (../field); V = 15 V for 60 s, then off to 75 s, perfusion on. "
    "Half of the space (y >= 0) is meshed. xpN, xmN, yN: N mm from the needle's surface towards +x, -x and y at z = 0; distN: on the axis at "
    "z = -5 - N; tip: (0, 0, -5); tc: (0, 0, -4.5). Contours: xp, xm = reach from the axis towards +x and -x in the plane y = 0, width_x = xp + xm, "
    "width_y = 2 max y over all x, volume of tissue (bone included). T in C, P in W, Z = V^2/P in ohm, lengths in mm, volumes in mm3."
)
DEFINITIONS = {
    "E": "bone at x > 0.954 over all z: sigma 0.0223 S/m with the same temperature factor, k 0.32, rho 1908, c 1313, no perfusion",
    "F": "muscle of 0.446 S/m across and 2 x 0.446 along (sin 35 deg, 0, cos 35 deg); the temperature factor multiplies the tensor",
    "G": "muscle of 0.446 S/m across and 3 x 0.446 along (sin t, 0, cos t), t = 35 deg + 60 deg x/(10 mm) with x held to [-10, 10]; "
    "isotropic bone as in E at x > 2.454",
}


def calibration():
    """Largest differences of A, run on the same meshes, from the axisymmetric reference; contours within 0.6 mm of the needle apart."""
    reference = json.loads((HERE.parent / "field" / "reference.json").read_text())["A"]["t"]
    run, worst = collect("A")["t"], {}
    same = {"xp": "lat", "xm": "lat", "y": "lat"}

    def note(key, difference):
        worst[key] = max(worst.get(key, 0.0), abs(difference))

    for time, found in run.items():
        if time not in reference:
            continue
        value, found = reference[time]["value"], found["value"]
        for key, number in found.items():
            stem = key.rstrip("0123456789")
            if stem in same:
                note("T_lateral_K", number - value[same[stem] + key[len(stem) :]])
            elif stem in ("tip", "tc", "dist"):
                note("T_tip_and_distal_axis_K", number - value[key])
            elif stem in ("P", "Z"):
                note("P_Z_relative", number / value[key] - 1)
            elif isinstance(number, dict) and value[key]["width"] and value[key]["width"] > 2 * (RADIUS_MM + 0.6):
                note("width_mm", number["width_x"] - value[key]["width"])
                note("width_mm", number["width_y"] - value[key]["width"])
                note("length_mm", number["length"] - value[key]["length"])
                note("volume_relative", number["volume"] / value[key]["volume"] - 1)
    return {key: float(f"{number:.2g}") for key, number in worst.items()}


def collect_all():
    out = HERE.parent / "heterogeneous" / "reference-heterogeneous.json"
    out.parent.mkdir(exist_ok=True)
    whole = {"tool": f"NGSolve {ng.__version__}", "common": COMMON}
    for case, definition in DEFINITIONS.items():
        if (KEPT / f"{case}-fine.json").exists():
            whole[case] = {"definition": definition} | collect(case)
    whole["calibration_on_A"] = {
        "read_this": "Largest differences of field case A (20 V), run on the same meshes and steps, from its axisymmetric reference of order 5, where a "
        "contour reaches more than 0.6 mm from the needle. Assume the larger of these and err."
    } | calibration()
    out.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["run", case, name]:
            run(case, name)
        case ["collect"]:
            collect_all()
        case _:
            raise SystemExit(__doc__)
