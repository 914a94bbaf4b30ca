"""Field case B by DOLFINx: `case_b_dolfinx.py`, with `mpirun -n N` on N processes. Order 2 on curved tetrahedra, the whole cylinder."""

import dolfinx
import dolfinx.fem.petsc as petsc
import dolfinx.io.gmsh as from_gmsh
import gmsh
import numpy as np
import scipy.sparse as sp
import ufl
from dolfinx import fem, geometry
from mpi4py import MPI
from petsc4py import PETSc

import common as case

RING_MM, TIP_MM, SHAFT_MM, FAR_MM, GROWTH = 0.1, 0.35, 0.7, 20.0, 0.6
METAL, TISSUE, TIP, OUTER = 1, 2, 3, 4
COMM = MPI.COMM_WORLD


def make_mesh():
    gmsh.initialize()
    gmsh.option.setNumber("General.Verbosity", 1)
    if COMM.rank == 0:
        draw()
    data = from_gmsh.model_to_mesh(gmsh.model, COMM, 0, gdim=3)
    gmsh.finalize()
    return data


def draw():
    """The geometry and its mesh, whose size grows with the distance from the ring, the tip and the shaft."""
    model, cad = gmsh.model, gmsh.model.occ
    a, end = case.RADIUS_MM, case.DOMAIN_MM
    start = case.TIP_MM + a
    low = cad.addCylinder(0, 0, start, 0, 0, case.RING_MM - start, a)
    ball = cad.addSphere(0, 0, start, a)
    tip, _ = cad.fuse([(3, low)], [(3, ball)])
    shaft = cad.addCylinder(0, 0, case.RING_MM, 0, 0, end - case.RING_MM, a)
    domain = cad.addCylinder(0, 0, -end, 0, 0, 2 * end, end)
    parts, _ = cad.fragment([(3, domain)], tip + [(3, shaft)])
    cad.synchronize()
    volumes = sorted((cad.getMass(3, tag), tag) for dim, tag in parts if dim == 3)
    metal, tissue = [tag for _, tag in volumes[:-1]], volumes[-1][1]
    skin = {abs(tag) for _, tag in model.getBoundary([(3, tissue)], oriented=False)}
    on_needle, on_tip, rings = set(), set(), set()
    for tag in skin:
        box = model.getBoundingBox(2, tag)
        if box[3] < a + 0.01:
            on_needle.add(tag)
            if box[5] < case.RING_MM + 0.01:
                on_tip.add(tag)
    for dim, tag in model.getBoundary([(2, t) for t in on_tip], combined=False, oriented=False):
        box = model.getBoundingBox(dim, tag)
        if abs(box[2] - case.RING_MM) < 0.01 and abs(box[5] - case.RING_MM) < 0.01:
            rings.add(tag)
    for dim, number, tags in ((3, METAL, metal), (3, TISSUE, [tissue]), (2, TIP, on_tip), (2, OUTER, skin - on_needle)):
        model.addPhysicalGroup(dim, sorted(tags), number)
    fields = [
        size_field("CurvesList", rings, RING_MM),
        size_field("SurfacesList", on_tip, TIP_MM),
        size_field("SurfacesList", on_needle - on_tip, SHAFT_MM),
    ]
    least = model.mesh.field.add("Min")
    model.mesh.field.setNumbers(least, "FieldsList", fields)
    model.mesh.field.setAsBackgroundMesh(least)
    for option in ("ExtendFromBoundary", "FromPoints", "FromCurvature"):
        gmsh.option.setNumber(f"Mesh.MeshSize{option}", 0)
    gmsh.option.setNumber("Mesh.Algorithm3D", 1)
    model.mesh.generate(3)
    model.mesh.setOrder(2)


def size_field(kind, tags, least):
    mesh = gmsh.model.mesh.field
    distance = mesh.add("Distance")
    mesh.setNumbers(distance, kind, sorted(tags))
    mesh.setNumber(distance, "Sampling", 60)
    size = mesh.add("Threshold")
    reach = (FAR_MM - least) / GROWTH
    for key, value in {"InField": distance, "SizeMin": least, "SizeMax": FAR_MM, "DistMin": 0, "DistMax": reach}.items():
        mesh.setNumber(size, key, value)
    return size


class Peer:
    def __init__(self, data):
        mesh, tags = data.mesh, data.cell_tags
        self.space = space = fem.functionspace(mesh, ("Lagrange", 2))
        layout = space.dofmap.index_map
        self.cells, self.dofs, self.dofs_here = mesh.topology.index_map(3).size_global, layout.size_global, layout.size_local
        dx = ufl.Measure("dx", mesh, subdomain_data=tags)
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        linear = {"quadrature_degree": 2}
        exact = {"quadrature_degree": 4}
        mass = sum(m[1] * u * v * dx(t, metadata=exact) for t, m in ((TISSUE, case.TISSUE), (METAL, case.STEEL)))
        stiff = case.TISSUE[2] * u * v * dx(TISSUE, metadata=exact)
        stiff += sum(m[0] * ufl.inner(ufl.grad(u), ufl.grad(v)) * dx(t, metadata=linear) for t, m in ((TISSUE, case.TISSUE), (METAL, case.STEEL)))
        mesh.topology.create_connectivity(2, 3)
        facets = data.facet_tags
        outer = fem.locate_dofs_topological(space, 2, facets.find(OUTER))
        tip = fem.locate_dofs_topological(space, 2, facets.find(TIP))
        in_tissue = fem.locate_dofs_topological(space, 3, tags.find(TISSUE))
        cold = fem.dirichletbc(PETSc.ScalarType(0), outer, space)
        self.outer = outer[outer < self.dofs_here]
        self.mass_matrix = assembled(fem.form(mass), [])
        self.systems = {
            part: assembled(fem.form(1.5 * part / case.DT_S * mass + stiff), [cold]) for part in (1.0, 2 / 3)
        }
        self.direct = direct_solver(self.systems[1.0])
        self.stale = conjugate(self.systems[2 / 3], self.direct.getPC(), 1e-6)

        self.theta, self.unit = fem.Function(space), fem.Function(space)
        held = fem.Function(space)
        held.x.array[tip] = 1
        free = np.zeros(len(held.x.array), dtype=bool)
        free[in_tissue] = True
        free[np.concatenate([tip, outer])] = False
        fixed = np.flatnonzero(~free).astype(np.int32)
        self.bounds = fem.dirichletbc(held, fixed)
        self.free = free[: self.dofs_here]
        self.unit.x.array[:] = held.x.array
        least = lambda f, limit: ufl.conditional(ufl.gt(f, limit), limit, f)
        sigma = case.SIGMA_S_PER_MM * case.sigma_factor(self.theta, least)
        tissue = dx(TISSUE, metadata=linear)
        # The rows of the metal's inside are held, and must exist for that.
        nothing = fem.Constant(mesh, 0.0) * u * v * dx(METAL, metadata={"quadrature_degree": 0})
        self.flow = fem.form(sigma * ufl.inner(ufl.grad(u), ufl.grad(v)) * tissue + nothing)
        self.fault = fem.form(-sigma * ufl.inner(ufl.grad(self.unit), ufl.grad(v)) * tissue)
        self.heating = fem.form(sigma * ufl.inner(ufl.grad(self.unit), ufl.grad(self.unit)) * v * tissue)
        self.flow_matrix = self.flow_solver = None
        self.load, self.answer = self.mass_matrix.createVecs()
        self.result = fem.Function(space)
        self.find(mesh, case.points())

    def potential(self, theta):
        self.theta.x.array[: self.dofs_here] = theta
        self.theta.x.scatter_forward()
        if self.flow_matrix is None:
            self.flow_matrix = assembled(self.flow, [self.bounds])
            # Its factor, that of the first potential, preconditions all that follow.
            self.flow_factor = direct_solver(self.flow_matrix.copy())
            self.flow_solver = conjugate(self.flow_matrix, self.flow_factor.getPC(), 1e-4)
        else:
            self.flow_matrix.zeroEntries()
            petsc.assemble_matrix(self.flow_matrix, self.flow, bcs=[self.bounds])
            self.flow_matrix.assemble()
        self.load.array[:] = self.vector(self.fault) * self.free
        self.answer.set(0)
        self.flow_solver.solve(self.load, self.answer)
        self.unit.x.array[: self.dofs_here] += self.answer.array
        self.unit.x.scatter_forward()

    def power(self):
        return COMM.allreduce(self.vector(self.heating).sum())

    def source(self):
        return self.vector(self.heating)

    def vector(self, form):
        b = fem.assemble_vector(form)
        b.scatter_reverse(dolfinx.la.InsertMode.add)
        return b.array[: self.dofs_here].copy()

    def mass(self, theta):
        self.load.array[:] = theta
        self.mass_matrix.mult(self.load, self.answer)
        return self.answer.array.copy()

    def heat(self, load, part, guess):
        self.load.array[:] = load
        self.load.array[self.outer] = 0
        solver = self.direct
        if part != 1.0:
            solver = self.stale
            self.answer.array[:] = 0 if guess is None else guess
        solver.solve(self.load, self.answer)
        return self.answer.array.copy()

    def sample(self, theta):
        self.result.x.array[: self.dofs_here] = theta
        self.result.x.scatter_forward()
        return together(self.samples @ self.result.x.array, MPI.SUM)

    def find(self, mesh, points):
        """The matrix that reads a field at points; each is read by the first process that owns a cell round it."""
        own = np.arange(mesh.topology.index_map(3).size_local, dtype=np.int32)
        tree = geometry.bb_tree(mesh, 3, entities=own, padding=1e-6)
        cells = geometry.compute_colliding_cells(mesh, geometry.compute_collisions_points(tree, points), points)
        found = np.array([cells.links(i)[0] if len(cells.links(i)) else -1 for i in range(len(points))])
        reader = together(np.where(found >= 0, COMM.rank, COMM.size), MPI.MIN)
        if (reader == COMM.size).any():
            raise ValueError(f"{points[reader == COMM.size][0]} lies outside the mesh")
        element, nodes = self.space.element.basix_element, mesh.geometry.dofmaps[0]
        rows, columns, values = [], [], []
        for i in np.flatnonzero(reader == COMM.rank):
            inside = mesh.geometry.cmaps[0].pull_back(points[i : i + 1], mesh.geometry.x[nodes[found[i]]])
            values.append(element.tabulate(0, inside)[0, 0, :, 0])
            columns.append(self.space.dofmap.cell_dofs(found[i]))
            rows.append(np.full(len(columns[-1]), i))
        layout = self.space.dofmap.index_map
        shape = (len(points), layout.size_local + layout.num_ghosts)
        triplets = [np.concatenate(c) if c else np.zeros(0, int) for c in (values, rows, columns)]
        self.samples = sp.csr_matrix((triplets[0], (triplets[1], triplets[2])), shape=shape)


def together(values, operation):
    """The sum, or least, of the arrays of all processes."""
    result = np.empty_like(values)
    COMM.Allreduce(values, result, op=operation)
    return result


def assembled(form, bounds):
    matrix = petsc.assemble_matrix(form, bcs=bounds)
    matrix.assemble()
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    return matrix


def direct_solver(matrix):
    solver = PETSc.KSP().create(COMM)
    solver.setOperators(matrix)
    solver.setType("preonly")
    solver.getPC().setType("cholesky")
    solver.getPC().setFactorSolverType("mumps")
    solver.setUp()
    return solver


def conjugate(matrix, preconditioner, tolerance):
    """Conjugate gradients on `matrix` with the factor of another one."""
    solver = PETSc.KSP().create(COMM)
    solver.setType("cg")
    solver.setPC(preconditioner)
    # After setPC, since the operators are kept in it; the direct solver that owns the factor does not look at them.
    solver.setOperators(matrix, preconditioner.getOperators()[1])
    preconditioner.setReusePreconditioner(True)
    solver.setInitialGuessNonzero(True)
    solver.setTolerances(rtol=tolerance, max_it=100)
    solver.setErrorIfNotConverged(True)
    return solver


if __name__ == "__main__":
    about = {"peer": "DOLFINx", "version": dolfinx.__version__, "order": 2, "threads": COMM.size}
    case.run(make_mesh, Peer, about, write=COMM.rank == 0)
