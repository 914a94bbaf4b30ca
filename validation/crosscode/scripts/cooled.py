"""Reference case C: an internally cooled probe, solved in the half plane (r, z). Lengths in mm.

    python cooled.py run coarse|halved|fine    one run, kept in target/references
    python cooled.py collect                   writes ../cooled/reference-cooled.json
"""

import json
import sys
from math import pi
from pathlib import Path

import ngsolve as ng
import numpy as np

from contours import Samples
from half_plane import half_plane_mesh
from lesion import LEVELS_C, MUSCLE, STEEL, Model, simulate, step_sizes
from runs import collect, keep

RADIUS_MM, TIP_MM, RING_MM, CHANNEL_MM = 0.65, -4.0, 0.0, 0.39
TRANSFER_W_PER_M2_K, COOLANT_C = 3000.0, 25.0
VOLTS, HEATING_S, AFTER_S = 14.0, 60, 15
TIMES_S = (5, 10, 20, 40, 60, 75)
RUNS = {"coarse": (0.25, 1e-3, 0.4, 4, 1), "halved": (0.25, 1e-3, 0.4, 4, 2), "fine": (0.18, 1e-4, 0.25, 5, 1)}
DEFINITION = (
    "Cylinder radius 60, |z| <= 60, T = 37 and phi = 0 on its surface and on the needle's cut end. Probe of radius a = 0.65 on the z axis: active from the "
    "rounded end at z = -4 to z = 0, insulated above. The coolant channel, radius 0.39, reaches from z = -3.35 to the cut end and is no part of "
    "the metal; on its wall -k dT/dn = h (T - T_c) with h = 3000 W/m2K and T_c = 25 C at all times, its bottom is adiabatic. Metal 16.2 W/m/K, 7900 kg/m3, "
    "500 J/kg/K; muscle as in case A, perfusion on. 14 V for 60 s, then off with the coolant still flowing, to 75 s. T = 37 everywhere at first. "
    "Probes: tip = (0, 0, -4); latN = N mm from the surface at z = -2; distN = on the axis at z = -4 - N. V in V, P in W, Z = V^2/P in ohm, "
    "temperatures in C, lengths in mm, volume of tissue in mm3; width = 2 x largest r, length includes the needle."
)


def run(name):
    surface, ring, growth, order, finer = RUNS[name]
    mesh = half_plane_mesh(RADIUS_MM, TIP_MM, [RING_MM], surface, ring, growth, CHANNEL_MM, order)
    model = Model(
        mesh,
        order,
        ng.CoefficientFunction(MUSCLE["sigma"]),
        electric="tissue",
        weight=2 * pi * ng.x,
        tip="surface0",
        materials={"tissue": MUSCLE, "metal": STEEL},
        coolant=("channel", TRANSFER_W_PER_M2_K, COOLANT_C),
    )
    samples = Samples(RADIUS_MM, TIP_MM, [0.0], low=-12.0, high=9.0, fine=((-6, -3), (-0.6, 3)))
    named = {"tip": (0, TIP_MM)}
    named |= {f"lat{n}": (RADIUS_MM + n, -2) for n in (1, 2, 3, 4, 5, 7)} | {f"dist{n}": (0, TIP_MM - n) for n in (1, 2, 3, 5)}
    points = np.concatenate([np.array(list(named.values()), float), samples.half_plane()])
    phases = [(v, step_sizes(t, 1 / (128 * finer), 0.5 / finer, 8 * finer)) for v, t in ((VOLTS, HEATING_S), (0.0, AFTER_S))]
    times, number = {}, len(named)
    for time, celsius, omega, power in simulate(model, phases, points, TIMES_S):
        values = dict(zip(named, map(float, celsius[:number])))
        if power > 0:
            values |= {"V": VOLTS, "P": power, "Z": VOLTS**2 / power}
        for key, level in LEVELS_C.items():
            values[key] = samples.region(celsius[number:], level)
        values["omega1"] = samples.region(np.log(np.maximum(omega[number:], 1e-300)), 0.0)
        times[f"{time:g}"] = values
    dofs = ng.H1(mesh, order=order).ndof
    keep("C", name, {"order": order, "elements": mesh.ne, "dofs": dofs, "steps": sum(len(s) for _, s in phases), "t": times})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["run", name]:
            run(name)
        case ["collect"]:
            out = Path(__file__).resolve().parents[1] / "cooled" / "reference-cooled.json"
            out.parent.mkdir(exist_ok=True)
            whole = {"tool": f"NGSolve {ng.__version__}", "C": {"definition": DEFINITION} | collect("C")}
            out.write_text(json.dumps(whole, indent=1) + "\n")
        case _:
            raise SystemExit(__doc__)
