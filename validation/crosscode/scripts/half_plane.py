"""The half plane (r, z) round one straight needle as a mesh of curved triangles. Lengths in mm."""

import ngsolve as ng
from netgen.occ import Glue, OCCGeometry, WorkPlane

DOMAIN_MM = 60.0


def rectangle(r0, z0, r1, z1):
    return WorkPlane().MoveTo(r0, z0).Rectangle(r1 - r0, z1 - z0).Face()


def half_plane_mesh(a, end_z, rings, surface_mm, ring_mm, growth, channel_mm=None, order=5):
    """`rings` are the z where the needle's surface changes from one piece to the next, from the end upwards.

    Materials `tissue` and `metal`; boundaries `surface0`, `surface1`, ... along the needle, `outer`, `axis` and, with a
    channel of radius `channel_mm` above the centre of the rounded end, `channel` (its wall) and `bottom`.
    """
    needle = rectangle(0, end_z + a, a, DOMAIN_MM) + WorkPlane().MoveTo(0, end_z + a).Circle(a).Face() * rectangle(0, end_z, a, end_z + a)
    domain = rectangle(0, -DOMAIN_MM, DOMAIN_MM, DOMAIN_MM)
    tissue = domain - needle
    tissue.faces.name = "tissue"
    metal = needle if channel_mm is None else needle - rectangle(0, end_z + a, channel_mm, DOMAIN_MM)
    ends = [end_z, *rings, DOMAIN_MM]
    pieces = [metal * rectangle(0, low, a, high) for low, high in zip(ends[:-1], ends[1:])]
    for piece in pieces:
        piece.faces.name = "metal"
    shape = Glue([tissue, *pieces])
    for edge in shape.edges:
        low, high = edge.bounding_box
        middle = (low.y + high.y) / 2
        upright, flat = high.x - low.x < 1e-6, high.y - low.y < 1e-6
        if upright and abs(low.x) < 1e-6:
            edge.name = "axis"
        elif (upright and abs(low.x - DOMAIN_MM) < 1e-6) or (flat and abs(abs(low.y) - DOMAIN_MM) < 1e-6):
            edge.name = "outer"
        elif channel_mm is not None and upright and abs(low.x - channel_mm) < 1e-6:
            edge.name = "channel"
        elif flat:
            edge.name = "bottom" if any(abs(low.y - ring) > 1e-6 for ring in rings) and abs(low.y - end_z - a) < 1e-6 else "inside"
        else:
            piece = max(i for i, z in enumerate(ends[:-1]) if middle > z - 1e-6)
            edge.name = f"surface{piece}"
            near = piece < len(ends) - 2 or high.y < rings[-1] + 8
            edge.maxh = surface_mm if near else 8 * surface_mm
    for vertex in shape.vertices:
        on_ring = abs(vertex.p.x - a) < 1e-6 and any(abs(vertex.p.y - ring) < 1e-6 for ring in rings)
        corner = channel_mm is not None and abs(vertex.p.x - channel_mm) < 1e-6 and vertex.p.y < end_z + a + 1e-6
        if on_ring or corner:
            vertex.maxh = ring_mm if on_ring else 0.02
    mesh = ng.Mesh(OCCGeometry(shape, dim=2).GenerateMesh(maxh=12, grading=growth))
    mesh.Curve(order)
    return mesh
