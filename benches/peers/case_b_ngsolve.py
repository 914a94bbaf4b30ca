"""Field case B by NGSolve: `case_b_ngsolve.py THREADS`. Order 2 on curved tetrahedra, the whole cylinder."""

import sys

import ngsolve as ng
import numpy as np
import scipy.sparse as sp
from netgen.occ import Cylinder, Glue, HalfSpace, OCCGeometry, Pnt, Sphere, Z

import common as case

RING_MM, TIP_MM, SHAFT_MM, FAR_MM, GROWTH = 0.1, 0.5, 1.2, 20.0, 0.7
NEAR_MM = 12.0  # the shaft's mesh is coarser beyond


def make_mesh():
    a, end = case.RADIUS_MM, case.DOMAIN_MM
    start = case.TIP_MM + a
    metal = Cylinder(Pnt(0, 0, start), Z, r=a, h=end - start) + Sphere(Pnt(0, 0, start), a)
    below = HalfSpace(Pnt(0, 0, case.RING_MM), Z)
    near = HalfSpace(Pnt(0, 0, NEAR_MM), Z)
    metal = Glue([metal * below, (metal - below) * near, metal - near])
    tissue = Cylinder(Pnt(0, 0, -end), Z, r=end, h=2 * end) - metal
    metal.mat("metal")
    tissue.mat("tissue")
    shape = Glue([metal, tissue])
    for face in shape.faces:
        name(face)
    for edge in shape.edges:
        low, high = edge.bounding_box
        if abs(low.z - case.RING_MM) < 1e-6 and abs(high.z - case.RING_MM) < 1e-6:
            edge.maxh = RING_MM
    mesh = OCCGeometry(shape).GenerateMesh(maxh=FAR_MM, grading=GROWTH, curvaturesafety=0.5, optsteps3d=1)
    mesh = ng.Mesh(mesh)
    mesh.Curve(2)
    return mesh


def name(face):
    low, high = face.bounding_box
    if high.x > case.RADIUS_MM + 1e-6 or (high.z - low.z < 1e-6 and low.z > case.DOMAIN_MM - 1):
        face.name = "outer"
    elif high.z - low.z < 1e-6:
        face.name = "inside"
    elif low.z > case.RING_MM - 1e-6:
        face.name = "shaft"
        face.maxh = SHAFT_MM if low.z < NEAR_MM - 1e-6 else 3 * SHAFT_MM
    else:
        face.name = "tip"
        face.maxh = TIP_MM


class Peer:
    def __init__(self, mesh):
        self.space = space = ng.H1(mesh, order=2, dirichlet="outer")
        self.electric = ng.Compress(ng.H1(mesh, order=2, definedon=mesh.Materials("tissue"), dirichlet="tip|outer"))
        self.cells, self.dofs, self.dofs_here = mesh.ne, space.ndof, space.ndof
        by = lambda i: mesh.MaterialCF({"tissue": case.TISSUE[i], "metal": case.STEEL[i]})
        u, v = space.TnT()
        mass, stiff = (ng.BilinearForm(space, symmetric=True) for _ in range(2))
        mass += by(1) * u * v * ng.dx
        stiff += (by(0) * ng.grad(u) * ng.grad(v) + by(2) * u * v) * ng.dx
        mass.Assemble(), stiff.Assemble()
        self.mass_matrix, self.systems = mass.mat, {}
        for part in (1.0, 2 / 3):
            self.systems[part] = mass.mat.CreateMatrix()
            self.systems[part].AsVector().data = (1.5 * part / case.DT_S) * mass.mat.AsVector() + stiff.mat.AsVector()
        self.factor = self.systems[1.0].Inverse(space.FreeDofs(), inverse="sparsecholesky")
        self.theta, self.unit = ng.GridFunction(space), ng.GridFunction(self.electric)
        self.unit.Set(mesh.BoundaryCF({"tip": 1.0}, default=0), definedon=mesh.Boundaries("tip|outer"))
        least = lambda f, limit: ng.IfPos(f - limit, limit, f)
        sigma = case.SIGMA_S_PER_MM * case.sigma_factor(self.theta, least)
        p, q = self.electric.TnT()
        tissue = ng.dx("tissue", intrules={ng.TET: ng.IntegrationRule(ng.TET, 2)})
        self.flow = ng.BilinearForm(self.electric, symmetric=True)
        self.flow += (sigma * ng.grad(p) * ng.grad(q)).Compile() * tissue
        self.heating = ng.LinearForm(space)
        self.heating += (sigma * ng.grad(self.unit) * ng.grad(self.unit) * v).Compile() * tissue
        self.flow_factor = None
        self.work, self.load, self.change = (space_.CreateVector() for space_ in (self.unit.vec, self.theta.vec, self.theta.vec))
        self.samples = sampling_matrix(space, case.points())

    def potential(self, theta):
        self.theta.vec.FV().NumPy()[:] = theta
        self.flow.Assemble()
        if self.flow_factor is None:
            self.flow_factor = self.flow.mat.Inverse(self.electric.FreeDofs(), inverse="sparsecholesky")
        residual, change = self.work, self.unit.vec.CreateVector()
        residual.data = -self.flow.mat * self.unit.vec
        change[:] = 0
        solver = ng.solvers.CGSolver(mat=self.flow.mat, pre=self.flow_factor, maxiter=60, tol=1e-4, printrates=False)
        solver.Solve(rhs=residual, sol=change, initialize=False)
        self.unit.vec.data += change

    def power(self):
        self.work.data = self.flow.mat * self.unit.vec
        return ng.InnerProduct(self.work, self.unit.vec)

    def source(self):
        self.heating.Assemble()
        return self.heating.vec.FV().NumPy().copy()

    def mass(self, theta):
        self.theta.vec.FV().NumPy()[:] = theta
        self.load.data = self.mass_matrix * self.theta.vec
        return self.load.FV().NumPy().copy()

    def heat(self, load, part, guess):
        self.load.FV().NumPy()[:] = load
        if part == 1.0:
            self.change.data = self.factor * self.load
        else:
            self.change[:] = 0
            if guess is not None:
                self.change.FV().NumPy()[:] = guess
            solver = ng.solvers.CGSolver(mat=self.systems[part], pre=self.factor, maxiter=60, tol=1e-6, printrates=False)
            solver.Solve(rhs=self.load, sol=self.change, initialize=False)
        return self.change.FV().NumPy().copy()

    def sample(self, theta):
        return self.samples @ theta


def sampling_matrix(space, points):
    located = space.mesh(*(np.ascontiguousarray(c) for c in points.T))
    rows, columns, values = [], [], []
    for i, p in enumerate(located):
        key = ng.ElementId(ng.VOL, int(p["nr"]))
        dofs = space.GetDofNrs(key)
        rows += [i] * len(dofs)
        columns += list(dofs)
        values += list(space.GetFE(key).CalcShape(float(p["x"]), float(p["y"]), float(p["z"])))
    return sp.csr_matrix((values, (rows, columns)), shape=(len(points), space.ndof))


if __name__ == "__main__":
    threads = int(sys.argv[1])
    ng.SetNumThreads(threads)
    ng.ngsglobals.msg_level = 0
    with ng.TaskManager():
        case.run(make_mesh, Peer, {"peer": "NGSolve", "version": ng.__version__, "order": 2, "threads": threads})
