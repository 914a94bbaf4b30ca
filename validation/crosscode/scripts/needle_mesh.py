"""Half a cylinder of tissue (y >= 0) round one straight needle, as a curved tetrahedral mesh. Lengths in mm."""

from dataclasses import dataclass

import ngsolve as ng
from netgen.occ import Axes, Cylinder, Glue, HalfSpace, OCCGeometry, Pnt, Sphere, X, Y, Z

RADIUS_MM = 0.454
TIP_MM = -5.0
RING_MM = 5.0
DOMAIN_MM = 60.0
NEAR_MM = 12.0  # the shaft's mesh is coarser beyond


@dataclass(frozen=True)
class Fineness:
    """Element sizes in mm: at the ring where metal meets insulation, on the active tip, on the shaft, at most."""

    ring_mm: float
    tip_mm: float
    shaft_mm: float
    far_mm: float = 14.0
    growth: float = 0.35
    curve: int = 3


def needle_mesh(size: Fineness, bone_from_mm: float | None = None) -> ng.Mesh:
    """Materials `tissue`, `bone` (x > bone_from_mm) and `metal`; boundaries `tip`, `shaft`, `outer`, `plane` (y = 0)."""
    a = RADIUS_MM
    metal = Cylinder(Pnt(0, 0, TIP_MM + a), Z, r=a, h=DOMAIN_MM - TIP_MM - a) + Sphere(Pnt(0, 0, TIP_MM + a), a)
    tip, shaft = metal * HalfSpace(Pnt(0, 0, RING_MM), Z), metal - HalfSpace(Pnt(0, 0, RING_MM), Z)
    near = HalfSpace(Pnt(0, 0, NEAR_MM), Z)
    metal = Glue([tip, shaft * near, shaft - near])
    domain = Cylinder(Pnt(0, 0, -DOMAIN_MM), Z, r=DOMAIN_MM, h=2 * DOMAIN_MM)
    half = HalfSpace(Pnt(0, 0, 0), -Y)
    metal, tissue = metal * half, (domain - metal) * half
    metal.mat("metal")
    tissue.mat("tissue")
    parts = [metal, tissue]
    if bone_from_mm is not None:
        bone = tissue - HalfSpace(Pnt(bone_from_mm, 0, 0), X)
        tissue = tissue * HalfSpace(Pnt(bone_from_mm, 0, 0), X)
        bone.mat("bone")
        tissue.mat("tissue")
        parts = [metal, tissue, bone]
    shape = Glue(parts)
    for face in shape.faces:
        name_and_size(face, size)
    for edge in shape.edges:
        c, box = edge.center, edge.bounding_box
        on_ring = abs(box[0].z - RING_MM) < 1e-6 and abs(box[1].z - RING_MM) < 1e-6
        if on_ring and box[1].y > 0.9 * a and abs(c.x) < a:
            edge.maxh = size.ring_mm
    mesh = OCCGeometry(shape).GenerateMesh(maxh=size.far_mm, grading=size.growth, curvaturesafety=1.4, optsteps3d=4)
    mesh = ng.Mesh(mesh)
    mesh.Curve(size.curve)
    return mesh


def name_and_size(face, size: Fineness) -> None:
    a, box, c = RADIUS_MM, face.bounding_box, face.center
    low, high = box
    if high.y < 1e-6:
        face.name = "plane"
        if low.x > -a - 1e-6 and high.x < a + 1e-6:
            face.maxh = metal_size(low.z, size)
    elif high.y < a + 1e-6 and high.x < a + 1e-6:
        if high.z - low.z < 1e-6:
            face.name = "outer" if low.z > DOMAIN_MM - 1 else "cut"
        elif low.z > RING_MM - 1e-6:
            face.name = "shaft"
            face.maxh = metal_size(low.z, size)
        else:
            face.name = "tip"
            face.maxh = size.tip_mm
    elif abs(high.x - low.x) < 1e-6:
        face.name = "bone"
    else:
        face.name = "outer"


def metal_size(from_z_mm: float, size: Fineness) -> float:
    if from_z_mm < RING_MM - 1e-6:
        return size.tip_mm
    return size.shaft_mm if from_z_mm < NEAR_MM - 1e-6 else 2 * size.shaft_mm
