"""Cases S: static resistances of needles of other shapes in muscle at 37 C. Lengths in mm.

    python resistance.py run CASE...      adaptive runs, kept in target/references (all cases when none is named)
    python resistance.py collect          writes ../resistance/reference-resistance.json
"""

import json
import sys
from math import cos, pi, radians, sin
from pathlib import Path

import ngsolve as ng
from netgen.occ import Cylinder, HalfSpace, OCCGeometry, Pnt, Sphere, Vec, X, Y, Z

from half_plane import half_plane_mesh
from lesion import MUSCLE
from runs import keep, kept

DOMAIN_MM = 60.0
GAUGE_20_MM, GAUGE_18_MM = 0.454, 0.635
MARK = 0.2
MOST_DOFS = {"S3": 250_000, "S4": 300_000}
CURVATURE_SAFETY = {"S3": 2.0, "S4": 2.2}
COMMON = (
    "Muscle of 0.446 S/m (isotropic but in S6) in a cylinder of radius 60, |z| <= 60, its whole surface at 0 V; needles along the z axis "
    "unless said, insulated above the active part up to z = 60; metal equipotential. Lengths in mm."
)
AXISYMMETRIC = {
    "A axisymmetric": (0.454, -5, [5], {"surface0": 1.0, "outer": 0.0}, 1.0),
    "S5": (0.65, -10, [-6, -3, 1], {"surface0": 1.0, "surface2": -1.0, "outer": 0.0}, 2.0),
}
HERE = Path(__file__).resolve().parent

DEFINITIONS = {
    "A": "20 G, rounded end, active z in [-5, 5]: the static part of field case A, for calibration",
    "A axisymmetric": "the same, solved in the half plane (r, z)",
    "S1": "20 G cut by a plane at 20 deg to the axis, point at z = -5 (x = +a), active z in [-5, 5]; R = V/I against the outer boundary",
    "S2": "two 20 G, rounded ends, active z in [-5, 5], axes at x = +1 and -1, at +V/2 and -V/2, outer boundary at 0; R = V^2/P",
    "S3": "three 20 G, rounded ends, active z in [-5, 5], axes at x = -5, 0, 5, all at V; R = V/I of the total current",
    "S4": "18 G (radius 0.635), rounded end at z = -5, active z in [-5, 0]; two tines of radius 0.15 leave the axis at z = -3.5 along "
    "(+-sin 30 deg, 0, -cos 30 deg), 4.0 from the axis to the end of the rounded end; all at V; R = V/I",
    "S5": "probe of radius 0.65, rounded end at z = -10; contacts z in [-10, -6] at +V/2 and [-3, 1] at -V/2, the rest insulated, outer boundary at 0; R = V^2/P",
    "S6": "field case A's needle; sigma = 0.446 S/m across and 3 x 0.446 along (sin 35 deg, 0, cos 35 deg); R = V/I",
}


def rounded(a, end_z, top_z=DOMAIN_MM, x=0.0):
    axis = Pnt(x, 0, end_z + a)
    return Cylinder(axis, Z, r=a, h=top_z - end_z - a) + Sphere(axis, a)


def cut_at(shape, z):
    """The part below z and the part above."""
    below = HalfSpace(Pnt(0, 0, z), Z)
    return shape * below, shape - below


def tissue_outside(parts, quarter, cut_last=False):
    """The domain without the named solids, half (y >= 0) or a quarter (x, y >= 0) of it. A solid that leaves another within a cutting
    plane is lost without a word when the domain is cut first: `cut_last` then."""
    domain = Cylinder(Pnt(0, 0, -DOMAIN_MM), Z, r=DOMAIN_MM, h=2 * DOMAIN_MM)
    domain.faces.name = "outer"
    planes = [HalfSpace(Pnt(0, 0, 0), -Y)] + ([HalfSpace(Pnt(0, 0, 0), -X)] if quarter else [])
    for plane, name in zip(planes, ("mirror_y", "mirror_x")):
        plane.faces.name = name
    if not cut_last:
        for plane in planes:
            domain = domain * plane
    for solid, name, size in parts:
        solid.faces.name = name
        for face in solid.faces:
            face.maxh = size
        domain = domain - solid
    if cut_last:
        for plane in planes:
            domain = domain * plane
    domain.mat("tissue")
    return domain


def geometry(case):
    """Shape of the tissue, and share of the whole that is meshed."""
    if case in ("A", "S6"):
        tip, shaft = cut_at(rounded(GAUGE_20_MM, -5), 5)
        return tissue_outside([(tip, "tip", 0.4), (shaft, "shaft", 0.8)], False), 0.5
    if case == "S1":
        a = GAUGE_20_MM
        whole = Cylinder(Pnt(0, 0, -5), Z, r=a, h=DOMAIN_MM + 5)
        # The side that is kept lies above the plane through the point (a, 0, -5) that rises towards -x.
        kept_side = HalfSpace(Pnt(a, 0, -5), Vec(-cos(radians(20)), 0, -sin(radians(20))))
        tip, shaft = cut_at(whole * kept_side, 5)
        return tissue_outside([(tip, "tip", 0.4), (shaft, "shaft", 0.8)], False), 0.5
    if case == "S2":
        tip, shaft = cut_at(rounded(GAUGE_20_MM, -5, x=1.0), 5)
        return tissue_outside([(tip, "tip", 0.4), (shaft, "shaft", 0.8)], True), 0.25
    if case == "S3":
        parts = []
        for x in (0.0, 5.0):
            tip, shaft = cut_at(rounded(GAUGE_20_MM, -5, x=x), 5)
            parts += [(tip, "tip", 0.4), (shaft, "shaft", 0.8)]
        return tissue_outside(parts, True), 0.25
    if case == "S4":
        tip, shaft = cut_at(rounded(GAUGE_18_MM, -5), 0)
        r, along = 0.15, Vec(sin(radians(30)), 0, -cos(radians(30)))
        start, end = Pnt(0, 0, -3.5), Pnt(3.85 * along.x, 0, -3.5 + 3.85 * along.z)
        tine = Cylinder(start, along, r=r, h=3.85) + Sphere(end, r)
        mirrored = Vec(-along.x, 0, along.z)
        other = Cylinder(start, mirrored, r=r, h=3.85) + Sphere(Pnt(-end.x, 0, end.z), r)
        parts = [(tip, "tip", 0.25), (tine, "tip", 0.09), (other, "tip", 0.09), (shaft, "shaft", 1.0)]
        return tissue_outside(parts, False, cut_last=True), 0.5
    raise ValueError(f"no case {case}")


def solve(mesh, order, sigma, fixed, weight=1.0):
    """Degrees of freedom, power (W) and error of each element for the potentials (V) of `fixed`, by boundary."""
    tissue = mesh.Materials("tissue")
    space = ng.Compress(ng.H1(mesh, order=order, definedon=tissue, dirichlet="|".join(fixed)))
    u, v = space.TnT()
    form = ng.BilinearForm(space, symmetric=True, condense=True)
    form += weight * (1e-3 * sigma * ng.grad(u)) * ng.grad(v) * ng.dx(tissue)
    pre = ng.Preconditioner(form, "bddc")
    form.Assemble()
    potential = ng.GridFunction(space)
    potential.Set(mesh.BoundaryCF(fixed, default=0), definedon=mesh.Boundaries("|".join(fixed)))
    load = ng.LinearForm(space).Assemble()
    ng.solvers.BVP(bf=form, lf=load, gf=potential, pre=pre, maxsteps=300, tol=1e-10, print=False)
    flux = 1e-3 * sigma * ng.grad(potential)
    energy = ng.Integrate(weight * flux * ng.grad(potential), mesh, order=2 * order, definedon=tissue)
    smooth = ng.GridFunction(ng.HDiv(mesh, order=order, definedon=tissue))
    smooth.Set(flux)
    errors = ng.Integrate(weight * (flux - smooth) * (flux - smooth), mesh, element_wise=True, definedon=tissue).NumPy()
    return space.ndof, energy, errors


def tensor(case):
    if case != "S6":
        return MUSCLE["sigma"]
    s, c = sin(radians(35)), cos(radians(35))
    entries = (1 + 2 * s * s, 0, 2 * s * c, 0, 1, 0, 2 * s * c, 0, 1 + 2 * c * c)
    return MUSCLE["sigma"] * ng.CoefficientFunction(entries, dims=(3, 3))


def refuse_inverted(mesh):
    """Curving may turn coarse elements inside out, and then the energy is no bound of anything."""
    dim = mesh.dim
    rule = ng.IntegrationRule(ng.TET if dim == 3 else ng.TRIG, 6)
    volumes = ng.Det(ng.specialcf.JacobianMatrix(dim, dim))(mesh.MapToAllElements(rule, ng.VOL))
    inverted = (volumes.reshape(mesh.ne, -1).min(axis=1) <= 0).sum()
    if inverted:
        raise ValueError(f"{inverted} of {mesh.ne} elements are inverted; start from a finer mesh")


def problem(case):
    """Mesh, order, weight of the integrals, potentials by boundary, and V^2 over the power of the unit solution."""
    if case in AXISYMMETRIC:
        a, end, rings, fixed, volts = AXISYMMETRIC[case]
        mesh = half_plane_mesh(a, end, rings, 0.5, 0.05, 0.6, order=5)
        return mesh, 5, 2 * pi * ng.x, fixed, volts**2
    shape, share = geometry(case)
    mesh = ng.Mesh(OCCGeometry(shape).GenerateMesh(maxh=14, grading=0.5, curvaturesafety=CURVATURE_SAFETY.get(case, 1.4)))
    mesh.Curve(3)
    fixed = {"tip": 1.0, "outer": 0.0}
    if case == "S2":  # the plane between the needles is at the mean potential
        return mesh, 3, 1.0, fixed | {"mirror_x": 0.0}, 4 * share
    return mesh, 3, 1.0, fixed, share


def run(case):
    mesh, order, weight, fixed, factor = problem(case)
    most_dofs = 25_000 if case in AXISYMMETRIC else MOST_DOFS.get(case, 200_000)
    levels = []
    while True:
        refuse_inverted(mesh)
        dofs, power, errors = solve(mesh, order, tensor(case), fixed, weight)
        levels.append({"elements": mesh.ne, "dofs": dofs, "R": factor / power})
        print(case, levels[-1], flush=True)
        keep(case, "static", {"order": order, "levels": levels})
        if dofs > most_dofs:
            break
        for element, error in zip(mesh.Elements(ng.VOL), errors):
            mesh.SetRefinementFlag(element, error > MARK * errors.max())
        mesh.Refine()
        mesh.Curve(order)


def collect():
    """R of the finest level; err = 3 times its change from the finest with at most 85 % of the degrees of freedom."""
    cases = {}
    for case, definition in DEFINITIONS.items():
        levels = kept(case, "static")["levels"]
        last = levels[-1]
        before = [levels[0], *(level for level in levels if level["dofs"] < 0.85 * last["dofs"])][-1]
        cases[case] = {
            "definition": definition,
            "R_ohm": float(f"{last['R']:.6g}"),
            "err_ohm": float(f"{3 * abs(last['R'] - before['R']):.2g}"),
            "order": kept(case, "static")["order"],
            "elements": last["elements"],
            "dofs": last["dofs"],
        }
    out = HERE.parent / "resistance" / "reference-resistance.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"tool": f"NGSolve {ng.__version__}", "common": COMMON, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["run", *cases]:
            for case in cases or DEFINITIONS:
                run(case)
        case ["collect"]:
            collect()
        case _:
            raise SystemExit(__doc__)
