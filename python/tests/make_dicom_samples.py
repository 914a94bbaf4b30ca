"""Makes the small DICOM slices that the Rust tests read: one synthetic signed CT slice in each transfer syntax.

    pip install pydicom python-gdcm numpy
    python make_dicom_samples.py FOLDER

12 × 10 pixels; stored value of row r, column c: 37 c - 251 r + 500 (negative and positive); HU = stored - 24.
The 8-bit JPEG slice holds 10 c + 5 r instead, unsigned, HU = 2 stored - 100.
"""

import pathlib
import sys

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

ROWS, COLUMNS = 10, 12


def slice_of(stored, bits_stored, slope, intercept, syntax):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = "2.25.1001"
    meta.ImplementationClassUID = "2.25.1"
    meta.TransferSyntaxUID = syntax
    d = FileDataset(
        None, {}, file_meta=meta, preamble=b"\0" * 128,
        is_implicit_VR=syntax.is_implicit_VR, is_little_endian=syntax.is_little_endian,
    )
    d.SOPClassUID = CTImageStorage
    d.SOPInstanceUID = "2.25.1001"
    d.StudyInstanceUID = "2.25.1002"
    d.SeriesInstanceUID = "2.25.1003"
    d.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    d.Modality = "CT"
    # A sequence before the pixels, so that readers must step over one.
    item = Dataset()
    item.ReferencedSOPClassUID = CTImageStorage
    item.ReferencedSOPInstanceUID = "2.25.1001"
    d.ReferencedImageSequence = [item]
    d.ReferencedImageSequence.is_undefined_length = True
    d.SliceThickness = 2
    d.KVP = 120
    d.ImagePositionPatient = [0, 0, 0]
    d.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    d.SamplesPerPixel = 1
    d.PhotometricInterpretation = "MONOCHROME2"
    d.Rows, d.Columns = ROWS, COLUMNS
    d.PixelSpacing = [0.5, 0.75]
    d.BitsAllocated = 8 * stored.itemsize
    d.BitsStored = bits_stored
    d.HighBit = bits_stored - 1
    d.PixelRepresentation = int(stored.dtype.kind == "i")
    d.RescaleSlope, d.RescaleIntercept = slope, intercept
    raw = stored.astype(stored.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<"))
    d.PixelData = raw.tobytes()
    return d


def compress(source, target, syntax_name):
    import gdcm  # after pydicom has deflated: the wheel brings a zlib of its own

    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax_name)))
    change.SetInput(reader.GetImage())
    assert change.Change(), target
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(target))
    assert writer.Write()


def main(folder):
    folder = pathlib.Path(folder)
    r, c = np.mgrid[:ROWS, :COLUMNS]
    signed = (37 * c - 251 * r + 500).astype(np.int16)
    for name, syntax in [
        ("implicit", ImplicitVRLittleEndian),
        ("explicit", ExplicitVRLittleEndian),
        ("big_endian", ExplicitVRBigEndian),
        ("deflated", DeflatedExplicitVRLittleEndian),
    ]:
        slice_of(signed, 13, 1, -24, syntax).save_as(
            folder / f"{name}.dcm", implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian,
        )
    rle = slice_of(signed, 13, 1, -24, ExplicitVRLittleEndian)
    rle.compress(RLELossless, generate_instance_uid=False)
    rle.save_as(folder / "rle.dcm", enforce_file_format=True)
    compress(folder / "explicit.dcm", folder / "jpeg_lossless.dcm", "JPEGLosslessProcess14_1")
    compress(folder / "explicit.dcm", folder / "jpeg_ls.dcm", "JPEGLSLossless")
    compress(folder / "explicit.dcm", folder / "jpeg_2000.dcm", "JPEG2000Lossless")
    byte = folder / "byte.dcm"
    slice_of((10 * c + 5 * r).astype(np.uint8), 8, 2, -100, ExplicitVRLittleEndian).save_as(byte, enforce_file_format=True)
    compress(byte, folder / "jpeg_baseline.dcm", "JPEGBaselineProcess1")
    byte.unlink()


if __name__ == "__main__":
    main(sys.argv[1])
