"""Compares a NIfTI file with the copy that Neurotome made of it, as nibabel sees both.

    cargo run --release -p neurotome-io --example ct_info -- ORIGINAL COPY.nii.gz > POINTS.txt
    python check_nifti.py ORIGINAL COPY.nii.gz [POINTS.txt]

The values and the place of every voxel must agree; with POINTS, also the LPS positions that Neurotome printed.
"""

import sys

import nibabel
import numpy as np


def main(original_path, copy_path, points_path=None):
    original, copy = nibabel.load(original_path), nibabel.load(copy_path)
    values, copied = original.get_fdata(), copy.get_fdata()
    assert values.shape == copied.shape, (values.shape, copied.shape)
    worst = np.abs(values - copied).max()
    assert worst <= 1e-6 * np.abs(values).max() + 1e-6, f"values differ by {worst}"

    corners = np.array(np.meshgrid(*[(0, n - 1) for n in values.shape])).reshape(3, -1).T
    for name, affine in [("sform", copy.get_sform()), ("qform", copy.get_qform(coded=True)[0]), ("affine", copy.affine)]:
        if affine is None:
            print(f"{name}: not set (sheared image)")
            continue
        moved = nibabel.affines.apply_affine(original.affine, corners) - nibabel.affines.apply_affine(affine, corners)
        shift = np.linalg.norm(moved, axis=1).max()
        print(f"{name}: corners agree within {shift:.2e} mm")
        assert shift < (0.1 if name == "qform" else 1e-3), f"{name} is off by {shift} mm"
    print("axes:", "".join(nibabel.aff2axcodes(copy.affine)), "shape:", copied.shape, "largest difference:", worst)

    count = 0
    for line in open(points_path) if points_path else []:
        words = line.split()
        if words[:1] != ["voxel"]:
            continue
        index = [int(w) for w in words[1:4]]
        lps = np.array([float(w) for w in words[5:8]])
        ras = nibabel.affines.apply_affine(original.affine, index)
        assert np.allclose(lps * [-1, -1, 1], ras, atol=1e-3), (lps, ras)
        assert np.isclose(values[tuple(index)], float(words[9]), atol=1e-3), (index, words[9])
        count += 1
    print(f"ok ({count} printed points checked)")


if __name__ == "__main__":
    main(*sys.argv[1:])
