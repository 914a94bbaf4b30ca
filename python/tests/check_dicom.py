"""Compares a CT series (folder or zip) with the NIfTI file that Neurotome made of it, as pydicom and nibabel see them.

    cargo run --release -p neurotome-io --example ct_info -- SERIES COPY.nii.gz
    python check_dicom.py SERIES COPY.nii.gz

Every stored value, rescaled, must lie where DICOM says; pixel padding may become air.
"""

import io
import pathlib
import sys
import zipfile

import nibabel
import numpy as np
import pydicom


def datasets(path):
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield pydicom.dcmread(io.BytesIO(archive.read(name)), force=False)
    else:
        for file in sorted(p for p in pathlib.Path(path).rglob("*") if p.is_file()):
            yield pydicom.dcmread(file)


def main(series, copy_path):
    copy = nibabel.load(copy_path)
    values = np.asarray(copy.dataobj)
    to_index = np.linalg.inv(copy.affine)
    slices = worst = 0
    for d in datasets(series):
        stored = d.pixel_array.astype(float)
        hu = stored * float(d.RescaleSlope) + float(d.RescaleIntercept)
        if "PixelPaddingValue" in d:
            hu[stored == d.PixelPaddingValue] = -1024
        o = np.array(d.ImageOrientationPatient, float)
        p = np.array(d.ImagePositionPatient, float)
        row_mm, column_mm = map(float, d.PixelSpacing)
        for r, c in [(0, 0), (d.Rows - 1, 0), (0, d.Columns - 1), (d.Rows // 2, d.Columns // 3)]:
            lps = p + o[:3] * column_mm * c + o[3:] * row_mm * r
            index = nibabel.affines.apply_affine(to_index, lps * [-1, -1, 1])
            expected = [c, r, round(index[2])]
            assert np.allclose(index, expected, atol=2e-3), (index, expected)
        k = round(nibabel.affines.apply_affine(to_index, p * [-1, -1, 1])[2])
        worst = max(worst, np.abs(values[:, :, k] - hu.T).max())
        slices += 1
    assert slices == values.shape[2], (slices, values.shape)
    assert worst < 1e-3, f"values differ by {worst}"
    print(f"ok: {slices} slices, largest difference {worst}")


if __name__ == "__main__":
    main(*sys.argv[1:])
