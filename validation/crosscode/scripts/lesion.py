"""Current, heat and injury on any NGSolve mesh: semi-implicit BDF2, injury integrated at chosen points. Lengths in mm."""

from dataclasses import dataclass, field

import ngsolve as ng
import numpy as np
import scipy.sparse as sp

BODY_C = 37.0
GAS_CONSTANT = 8.314462618
FREQUENCY_FACTOR_PER_S = 7.39e39
ACTIVATION_ENERGY_J_PER_MOL = 2.577e5
BLOOD_J_PER_MM3_K = 1050 * 3617e-9
MUSCLE = {"sigma": 0.446, "k": 0.49, "rho": 1090, "c": 3421, "perfusion": 0.0007}
BONE = {"sigma": 0.0223, "k": 0.32, "rho": 1908, "c": 1313, "perfusion": 0.0}
STEEL = {"sigma": 0.0, "k": 16.2, "rho": 7900, "c": 500, "perfusion": 0.0}
LEVELS_C = {"iso45": 45.0, "iso50": 50.0, "iso60": 60.0}
GAUSS = ((0.5 - 0.15**0.5, 5 / 18), (0.5, 4 / 9), (0.5 + 0.15**0.5, 5 / 18))


@dataclass
class Model:
    """What is solved. `sigma_37` in S/m may be a tensor; `weight` is 1 in space and 2 pi r in a half plane."""

    mesh: ng.Mesh
    order: int
    sigma_37: ng.CoefficientFunction
    electric: str = "tissue|bone"
    weight: ng.CoefficientFunction = field(default_factory=lambda: ng.CoefficientFunction(1.0))
    tip: str = "tip"
    outer: str = "outer"
    materials: dict = field(default_factory=lambda: {"tissue": MUSCLE, "bone": BONE, "metal": STEEL})
    coolant: tuple | None = None  # boundary, W/m2K, C

    def by_material(self, value):
        return self.mesh.MaterialCF({name: value(m) for name, m in self.materials.items()}, default=0)


def sampling_matrix(space: ng.H1, points: np.ndarray) -> sp.csr_matrix:
    """Rows that read a field of `space` at `points` (n, dimension)."""
    mesh = space.mesh
    located = mesh(*(np.ascontiguousarray(column) for column in points.T))
    numbers = located["nr"]
    if (numbers < 0).any():
        raise ValueError(f"{(numbers < 0).sum()} points lie outside the mesh, first {points[numbers < 0][0]}")
    rows, columns, values = [], [], []
    order = np.argsort(numbers, kind="stable")
    element, dofs = -1, None
    for i in order:
        if numbers[i] != element:
            element = numbers[i]
            key = ng.ElementId(ng.VOL, int(element))
            finite, dofs = space.GetFE(key), np.array(space.GetDofNrs(key))
        p = located[i]
        shape = np.array(finite.CalcShape(float(p["x"]), float(p["y"]), float(p["z"])))
        rows.append(np.full(len(dofs), i))
        columns.append(dofs)
        values.append(shape)
    shape = (len(points), space.ndof)
    return sp.csr_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)


def step_sizes(end_s: float, first_s: float, largest_s: float, a_level: int) -> list[float]:
    """Steps that double after `a_level` of a kind, as soon as the time is a multiple of the doubled step."""
    steps, time, dt, made = [], 0.0, first_s, 0
    while time < end_s - 1e-9:
        if made >= a_level and dt < largest_s and abs(time / (2 * dt) - round(time / (2 * dt))) < 1e-9:
            dt, made = 2 * dt, 0
        steps.append(min(dt, end_s - time))
        time, made = time + dt, made + 1
    return steps


def arrhenius_per_s(celsius: np.ndarray) -> np.ndarray:
    return FREQUENCY_FACTOR_PER_S * np.exp(-ACTIVATION_ENERGY_J_PER_MOL / (GAS_CONSTANT * (celsius + 273.15)))


def injury_of_step(before, now, after, dt_before, dt):
    """Integral of the rate over one step on the parabola through three temperatures (a line when `before` is None)."""
    total = 0.0
    for place, weight in GAUSS:
        t = now + place * (after - now)
        if before is not None:
            s = place * dt
            curve = ((after - now) / dt - (now - before) / dt_before) / (dt + dt_before)
            t = t + curve * s * (s - dt)
        total = total + weight * arrhenius_per_s(t)
    return total * dt


class Conjugate:
    """Conjugate gradients with a factor of an earlier matrix, made anew when it has become a poor likeness."""

    def __init__(self, most_iterations: int, tolerance: float):
        self.factor, self.most_iterations, self.iterations = None, most_iterations, 0
        self.tolerance = tolerance  # of the change from a guess that is good to some 1e-3 already

    def solve(self, matrix, freedofs, rhs, x):
        if self.factor is None or self.iterations > self.most_iterations:
            self.factor = matrix.Inverse(freedofs, inverse="sparsecholesky")
        solver = ng.solvers.CGSolver(mat=matrix, pre=self.factor, maxiter=60, tol=self.tolerance, printrates=False)
        solver.Solve(rhs=rhs, sol=x, initialize=False)
        self.iterations = solver.iterations


def simulate(model: Model, phases, points: np.ndarray, times_s, log=print):
    """Runs `phases`, a list of (volts, step sizes). Yields (time, temperature C and injury at points, power W)."""
    mesh, w = model.mesh, model.weight
    heat_space = ng.H1(mesh, order=model.order, dirichlet=model.outer)
    potential_space = ng.Compress(
        ng.H1(mesh, order=model.order, definedon=mesh.Materials(model.electric), dirichlet=f"{model.tip}|{model.outer}")
    )
    log(f"elements {mesh.ne}, dofs {heat_space.ndof} + {potential_space.ndof}")
    sample = sampling_matrix(heat_space, points)
    u, v = heat_space.TnT()
    conductivity = model.by_material(lambda m: m["k"] * 1e-3)
    capacity = model.by_material(lambda m: m["rho"] * m["c"] * 1e-9)
    perfusion = model.by_material(lambda m: m["perfusion"] * BLOOD_J_PER_MM3_K)
    mass, stiff = ng.BilinearForm(heat_space, symmetric=False), ng.BilinearForm(heat_space, symmetric=False)
    mass += capacity * w * u * v * ng.dx
    stiff += w * (conductivity * ng.grad(u) * ng.grad(v) + perfusion * u * v) * ng.dx
    cold = ng.LinearForm(heat_space)
    if model.coolant is not None:
        boundary, transfer, celsius = model.coolant
        stiff += w * transfer * 1e-6 * u.Trace() * v.Trace() * ng.ds(boundary)
        cold += w * transfer * 1e-6 * (celsius - BODY_C) * v.Trace() * ng.ds(boundary)
    mass.Assemble(), stiff.Assemble(), cold.Assemble()
    system = mass.mat.CreateMatrix()

    theta, older, guess = (ng.GridFunction(heat_space) for _ in range(3))
    unit = ng.GridFunction(potential_space)
    unit.Set(mesh.BoundaryCF({model.tip: 1.0}, default=0), definedon=mesh.Boundaries(f"{model.tip}|{model.outer}"))
    warm = ng.IfPos(guess - (100 - BODY_C), 100 - BODY_C, guess)
    sigma = (1e-3 * (1 + 0.015 * warm)) * model.sigma_37
    p, q = potential_space.TnT()
    electric = ng.dx(model.electric)
    flow = (lambda g: sigma * g)
    current = ng.BilinearForm(potential_space, symmetric=False)
    current += (w * (flow(ng.grad(p)) * ng.grad(q))).Compile() * electric
    density = w * (flow(ng.grad(unit)) * ng.grad(unit))
    source = ng.LinearForm(heat_space)
    source += (density * v).Compile() * electric
    potential_solver, heat_solver = Conjugate(6, 1e-5), Conjugate(9, 1e-6)
    residual = unit.vec.CreateVector()

    def solve_potential():
        current.Assemble()
        residual.data = -current.mat * unit.vec
        change = unit.vec.CreateVector()
        change[:] = 0
        potential_solver.solve(current.mat, potential_space.FreeDofs(), residual, change)
        unit.vec.data += change
        return ng.Integrate(density, mesh, order=2 * model.order, definedon=mesh.Materials(model.electric))

    wanted = sorted(times_s)
    time, omega = 0.0, np.zeros(len(points))
    before, now = None, np.full(len(points), BODY_C)
    rhs, history, change = (theta.vec.CreateVector() for _ in range(3))
    for volts, steps in phases:
        dt_before, before = None, None
        for dt in steps:
            r = 0.0 if dt_before is None else dt / dt_before
            guess.vec.data = (1 + r) * theta.vec - r * older.vec
            new, old, oldest = (1, 1, 0) if r == 0 else ((1 + 2 * r) / (1 + r), 1 + r, -r * r / (1 + r))
            history.data = old * theta.vec + oldest * older.vec
            rhs.data = (1 / dt) * mass.mat * history + cold.vec
            if volts > 0:
                solve_potential()
                source.Assemble()
                rhs.data += volts**2 * source.vec
            system.AsVector().data = (new / dt) * mass.mat.AsVector() + stiff.mat.AsVector()
            rhs.data -= system * guess.vec
            change[:] = 0
            heat_solver.solve(system, heat_space.FreeDofs(), rhs, change)
            older.vec.data = theta.vec
            theta.vec.data = guess.vec + change
            time += dt
            after = sample @ theta.vec.FV().NumPy() + BODY_C
            omega += injury_of_step(before, now, after, dt_before, dt)
            before, now, dt_before = now, after, dt
            if wanted and abs(time - wanted[0]) < 1e-9:
                wanted.pop(0)
                power = 0.0
                if volts > 0:
                    guess.vec.data = theta.vec
                    power = volts**2 * solve_potential()
                log(f"t {time:g} s: P {power:.5f} W, iterations {potential_solver.iterations} {heat_solver.iterations}")
                yield time, now, omega.copy(), power
    if wanted:
        raise ValueError(f"times {wanted} are not met by the steps")
