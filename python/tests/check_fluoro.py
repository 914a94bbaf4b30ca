"""Reads what `neurotome fluoro` wrote of one view, as pydicom, nibabel and numpy see it.

    neurotome fluoro SCENARIO --orbital -25 --tilt 12 --frames 3 --pulses 8 --json --out FOLDER/cine.dcm > FOLDER/cine.json
    neurotome fluoro SCENARIO --orbital -25 --tilt 12 --plain --no-needle --out FOLDER/view.png --bits 16, and FOLDER/view.npy, FOLDER/view.nii.gz
    python check_fluoro.py FOLDER
"""

import json
import pathlib
import struct
import sys
import zlib

import nibabel
import numpy as np
import pydicom


def png16(path):
    """Pixels of a 16-bit grey PNG without interlacing."""
    data, at, packed, size = path.read_bytes(), 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    columns, rows, bits, colour, *_, interlaced = size
    assert (bits, colour, interlaced) == (16, 0, 0), size
    raw = zlib.decompress(packed)
    line, before = 2 * columns, np.zeros(2 * columns, int)
    pixels = np.zeros((rows, line), np.uint8)
    for r in range(rows):
        filter_type, values = raw[r * (line + 1)], np.frombuffer(raw, np.uint8, line, r * (line + 1) + 1).astype(int)
        out = np.zeros(line, int)
        for n in range(line):
            left = out[n - 2] if n > 1 else 0
            corner = before[n - 2] if n > 1 else 0
            up = before[n]
            if filter_type == 4:
                p = left + up - corner
                near = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))
                add = near[2]
            else:
                add = [0, left, up, (left + up) // 2][filter_type]
            out[n] = (values[n] + add) & 255
        pixels[r] = before = out
    return pixels.view(">u2").astype(int)


def main(folder):
    folder = pathlib.Path(folder)
    told = json.loads((folder / "cine.json").read_text())
    d = pydicom.dcmread(folder / "cine.dcm")
    assert d.SOPClassUID == pydicom.uid.XRayRadiofluoroscopicImageStorage, d.SOPClassUID
    assert d.Modality == "RF" and d.PatientName == "" and d.PatientID == "", "identifiers"
    frames = d.pixel_array
    assert frames.shape == (told["dose"]["frames"], d.Rows, d.Columns) and frames.dtype == np.uint16, frames.shape
    assert (frames[0] != frames[1]).any() and frames.std() > 1000, "frames show nothing, or the same"
    assert abs(float(d.PositionerPrimaryAngle) - (180 - told["orbital_deg"] - 360)) < 1e-6, d.PositionerPrimaryAngle
    assert abs(float(d.PositionerSecondaryAngle) - told["cranio_caudal_deg"]) < 1e-6
    assert abs(float(d.FrameTime) - 125) < 1e-9 and abs(float(d.KVP) - told["kv"]) < 1e-9
    product = float(d.ImageAndFluoroscopyAreaDoseProduct)
    assert abs(product / (10 * told["dose"]["dose_area_gy_cm2"]) - 1) < 1e-6, product

    integrals = np.load(folder / "view.npy")
    volume = nibabel.load(folder / "view.nii.gz")
    held = np.asarray(volume.dataobj).squeeze()
    assert integrals.dtype == np.float32 and integrals.shape == (d.Rows, d.Columns), integrals.shape
    assert np.array_equal(held.T, integrals), "NIfTI and NumPy differ"
    # Without noise, blur and needles what is long to cross is dark, but for hardening: ranks agree.
    grey = png16(folder / "view.png")
    assert grey.shape == integrals.shape, grey.shape
    inner = (grey > 0) & (grey < 65535)
    ranks = [np.argsort(np.argsort(x[inner])) for x in (-grey, integrals)]
    agreement = np.corrcoef(*ranks)[0, 1]
    assert agreement > 0.9, f"picture and integrals agree only to {agreement:.3f}"
    print(f"ok: {len(frames)} frames of {d.Columns} x {d.Rows}; ranks of picture and integrals agree to {agreement:.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
