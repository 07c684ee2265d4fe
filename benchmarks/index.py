"""How fast `index` sorts out a folder of DICOM files, against reading every header by pydicom.

`python benchmarks/index.py [--files 20000] [--workers 2]`: writes a soup of slices of CT and MR with headers as long as
those of scanners (pixels 64 x 64) to a temporary folder, two patients at five visits with several reconstructions each,
and times in one run, each in a process of its own: `pydicom.dcmread(path, stop_before_pixels=True)` in a loop, which
tells nothing yet of what belongs together, and `mdanderson.index` with one and with several workers. Seconds of wall
clock and of all cores; then whether the tables are the same to the byte with another number of workers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.8.498"
PATIENTS, VISITS = 2, 5
SERIES = (
    ("CT", "1.2.840.10008.5.1.4.1.1.2", "B30f", 5.0),
    ("CT", "1.2.840.10008.5.1.4.1.1.2", "B60f", 1.0),
    ("MR", "1.2.840.10008.5.1.4.1.1.4", "", 4.0),
    ("CT", "1.2.840.10008.5.1.4.1.1.2", "B30f", 1.0),
)


def header(modality: str, class_uid: str, kernel: str, thickness: float) -> FileDataset:
    """A slice with as many elements as a scanner writes: about 120, and a private block of 10 kB."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, class_uid
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.Modality, ds.ImageType = class_uid, modality, ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.Manufacturer, ds.ManufacturerModelName, ds.ConvolutionKernel = "A maker", "A model", kernel
    ds.SliceThickness, ds.PixelSpacing, ds.ImageOrientationPatient = thickness, [0.8, 0.8], [1, 0, 0, 0, 1, 0]
    ds.KVP, ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 120, 1, -1024, "HU"
    if modality == "MR":
        ds.ScanningSequence, ds.SequenceVariant, ds.EchoTime, ds.RepetitionTime = "SE", "SK", 10, 500
        ds.MagneticFieldStrength = 1.5
    for number in range(60):
        ds.add_new(0x00181000 + 2 * number, "LO", f"value {number}")
    for name in ("ReferencedImageSequence", "RequestAttributesSequence", "SourceImageSequence"):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = class_uid, f"{ROOT}.9"
        setattr(ds, name, [item] * 3)
    block = ds.private_block(0x0029, "A MAKER CSA HEADER", create=True)
    block.add_new(0x10, "OB", bytes(10_000))
    ds.Rows = ds.Columns = 64
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.PixelData = np.zeros((64, 64), dtype=np.uint16).tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def write(folder: Path, count: int) -> None:
    """The soup: `count` files without suffix in folders that mean nothing."""
    kinds = [header(*kind) for kind in SERIES]
    each = count // (PATIENTS * VISITS * len(SERIES))
    rng = random.Random(8)
    names = [f"{rng.randrange(40):02d}/IM{number:06d}" for number in range(count)]
    rng.shuffle(names)
    for number, name in enumerate(names):
        series, plane = divmod(number, each)
        series = min(series, PATIENTS * VISITS * len(SERIES) - 1)
        examination, kind = divmod(series, len(SERIES))
        patient, visit = divmod(examination, VISITS)
        ds = kinds[kind]
        ds.PatientID, ds.StudyDate = f"P{patient}", f"202{visit}0105"
        ds.StudyInstanceUID, ds.FrameOfReferenceUID = f"{ROOT}.1.{examination}", f"{ROOT}.2.{examination}"
        ds.SeriesInstanceUID, ds.SeriesNumber = f"{ROOT}.3.{series}", kind + 1
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.4.{number}"
        ds.InstanceNumber, ds.ImagePositionPatient = plane + 1, [0, 0, plane * float(ds.SliceThickness)]
        out = BytesIO()
        ds.save_as(out, enforce_file_format=True)
        place = folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(out.getvalue())


def job(what: str, folder: Path, out: Path) -> None:
    """What one timed process does."""
    import warnings

    warnings.simplefilter("ignore")
    began = time.perf_counter()
    if what == "pydicom":
        import pydicom

        done = sum(1 for path in sorted(folder.rglob("*")) if path.is_file() and _read(pydicom, path))
    else:
        import mdanderson as mda

        workers = int(what)
        found = mda.index(folder, out / f"cohort{workers}.csv", workers=workers)
        done = found.found.dicom
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(use.ru_utime + use.ru_stime for use in (own, children))
    print(json.dumps({"files": done, "wall_s": time.perf_counter() - began, "cpu_s": cpu}))


def _read(pydicom: object, path: Path) -> object:
    return pydicom.dcmread(path, stop_before_pixels=True)


def timed(what: str, folder: Path, out: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--job", what, str(folder), str(out)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def same_tables(out: Path, one: int, other: int) -> bool:
    def digest(workers: int) -> list[str]:
        told = []
        for ending in (".csv", "_series.csv", "_problems.csv"):
            text = (out / f"cohort{workers}{ending}").read_text().replace(f"cohort{workers}_", "cohort_")
            told.append(hashlib.sha256(text.encode()).hexdigest())
        return told

    return digest(one) == digest(other)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--job", nargs=3)
    asked = parser.parse_args()
    if asked.job:
        job(asked.job[0], Path(asked.job[1]), Path(asked.job[2]))
        return
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place) / "soup", Path(place) / "out"
        folder.mkdir()
        out.mkdir()
        write(folder, asked.files)
        for what, name in (
            ("pydicom", "pydicom.dcmread(stop_before_pixels), one process"),
            ("1", "mdanderson index, 1 worker"),
            (str(asked.workers), f"mdanderson index, {asked.workers} workers"),
        ):
            took = timed(what, folder, out)
            print(f"{name}: {took['files']} files, {took['wall_s']:.1f} s, {took['cpu_s']:.1f} s of CPU", flush=True)
        print("the same tables with another number of workers:", same_tables(out, 1, asked.workers))


if __name__ == "__main__":
    main()
