"""Opens the VTK files of a Neurotome results folder as ParaView would, and checks what is in them.

Usage: python check_vtk.py FOLDER

Needs the packages `vtk` and `numpy`. Prints one line for each check and ends with status 1 when one fails.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import vtk
from vtk.util.numpy_support import vtk_to_numpy

FIELDS = ["temperature_end", "temperature_heated", "peak_temperature", "log10_omega", "cem43", "field_strength", "tissue", "metal"]
failures = 0


def check(claim: str, passed: bool, found: object = "") -> None:
    """Prints one check and counts it when it fails."""
    global failures
    failures += not passed
    print(f"{'ok  ' if passed else 'FAIL'} {claim}{f': {found}' if found != '' else ''}")


def read(reader: vtk.vtkXMLReader, path: Path):
    """The data set of a file; errors of the reader count as failures."""
    errors: list[str] = []
    reader.AddObserver("ErrorEvent", lambda *_: errors.append("error"))
    reader.SetFileName(str(path))
    reader.Update()
    check(f"{path.name} opens", not errors)
    return reader.GetOutput()


def arrays(attributes) -> dict[str, np.ndarray]:
    """All arrays of a data set's points or cells."""
    return {attributes.GetArrayName(i): vtk_to_numpy(attributes.GetArray(i)) for i in range(attributes.GetNumberOfArrays())}


def text(data, name: str) -> str:
    """A string of a file's field data."""
    array = data.GetFieldData().GetAbstractArray(name)
    return array.GetValue(0) if array is not None else ""


def number(data, name: str) -> float | None:
    """A number of a file's field data."""
    array = data.GetFieldData().GetArray(name)
    return array.GetTuple1(0) if array is not None else None


def open_edges(surface) -> int:
    """Edges that do not belong to exactly two triangles."""
    edges = vtk.vtkFeatureEdges()
    edges.SetInputData(surface)
    edges.BoundaryEdgesOn()
    edges.NonManifoldEdgesOn()
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.Update()
    return edges.GetOutput().GetNumberOfCells()


def volume(surface) -> float:
    """The volume that a closed surface of triangles encloses, mm³."""
    properties = vtk.vtkMassProperties()
    properties.SetInputData(surface)
    properties.Update()
    return properties.GetVolume()


def metal_inside(lesion, needle, step: float = 0.1) -> float:
    """Volume of the needle inside the lesion, counted on a lattice, mm³."""
    low, high = np.array(lesion.GetBounds()).reshape(3, 2).T
    axes = [np.arange(a + step / 2, b, step) for a, b in zip(low, high)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    for surface in (needle, lesion):
        distance = vtk.vtkImplicitPolyDataDistance()
        distance.SetInput(surface)
        # The needle is thin: most points are told to be outside by the distance to its points alone.
        if surface is needle:
            points = vtk_to_numpy(surface.GetPoints().GetData())
            rods = points[np.all((points > low - 15) & (points < high + 15), axis=1)]
            centre, axis = principal_axis(rods)
            off = np.linalg.norm(np.cross(grid - centre, axis), axis=1)
            if rods.size:
                grid = grid[off < np.linalg.norm(np.cross(rods - centre, axis), axis=1).max() + step]
        grid = grid[np.array([distance.EvaluateFunction(p) < 0 for p in grid], dtype=bool)]
    return len(grid) * step**3


def principal_axis(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and direction of the line that points lie along."""
    centre = points.mean(axis=0)
    return centre, np.linalg.svd(points - centre, full_matrices=False)[2][0]


def main(folder: Path) -> int:
    image = read(vtk.vtkXMLImageDataReader(), folder / "fields.vti")
    lesion = read(vtk.vtkXMLPolyDataReader(), folder / "lesion.vtp")
    needle = read(vtk.vtkXMLPolyDataReader(), folder / "needle.vtp")
    nerves = read(vtk.vtkXMLPolyDataReader(), folder / "nerves.vtp")

    for name, data in [("fields", image), ("lesion", lesion), ("needle", needle), ("nerves", nerves)]:
        check(f"{name} states its frame", "LPS" in text(data, "convention"))

    fields = arrays(image.GetPointData())
    check("the grid has points along each axis", min(image.GetDimensions()) > 8, image.GetDimensions())
    check("its spacing is half a millimetre or a little more", 0.5 <= image.GetSpacing()[0] < 2.0, image.GetSpacing())
    for name in FIELDS:
        present = name in fields and fields[name].size == image.GetNumberOfPoints()
        finite = present and np.isfinite(fields[name]).all()
        check(f"{name} is there and finite", finite, f"{fields[name].min():.4g} to {fields[name].max():.4g}" if present else "")
    peak, heated, end = fields["peak_temperature"], fields["temperature_heated"], fields["temperature_end"]
    check("temperatures are those of tissue", 10 < end.min() and peak.max() < 130, f"{end.min():.2f} to {peak.max():.2f}")
    check("no temperature is above the peak", (np.maximum(heated, end) <= peak + 0.01).all())
    check("thermal dose is not negative", fields["cem43"].min() >= 0)
    names = text(image, "tissue_names").split("; ")
    check("each tissue has a name", fields["tissue"].max() < len(names), names)

    check("the needle's surface is closed", open_edges(needle) == 0, needle.GetNumberOfPolys())
    active = arrays(needle.GetCellData())["active"]
    check("the needle has an active tip and a shaft", set(np.unique(active)) == {0, 1})

    if lesion.GetNumberOfPolys() > 0:
        check("the lesion's surface is closed", open_edges(lesion) == 0, lesion.GetNumberOfPolys())
        whole = volume(lesion)
        tissue = whole - metal_inside(lesion, needle)
        counted = ((fields["log10_omega"] >= 0) & (fields["metal"] == 0)).sum() * np.prod(image.GetSpacing())
        reported = number(lesion, "omega1_tissue_volume_mm3")
        check("nodes inside agree with the surface within 5 %", abs(counted / tissue - 1) < 0.05, f"{counted:.1f} and {tissue:.1f} mm³")
        if reported is not None:
            near = abs(tissue / reported - 1) < 0.04
            check("the surface agrees with the reported volume within 4 %", near, f"{tissue:.1f} and {reported:.1f} mm³")
    else:
        check("without a lesion no node has omega 1", fields["log10_omega"].max() < 0)

    if nerves.GetNumberOfLines() > 0:
        data, cells = arrays(nerves.GetPointData()), arrays(nerves.GetCellData())
        check("nerves carry temperature and injury", {"peak_temperature", "log10_omega", "along_mm"} <= set(data))
        check("each nerve has its diameter and aim", {"diameter_mm", "target", "destroyed_mm"} <= set(cells))
        count = len(text(nerves, "nerve_names").split("; "))
        check("each nerve has a name", count == nerves.GetNumberOfLines(), text(nerves, "nerve_names"))
    print(f"{failures} checks failed" if failures else "all checks passed")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
