"""A small DICOM cohort whose lesions merge, split, shrink and appear, scored once for the tests of this room."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import mdanderson as mda
from mdanderson.export.run import Exported, run_export
from mdanderson.phantoms import write_phantoms

SETS = ("mda2010", "recist11", "who")

SPEC = """
seed = 11
format = "dicom"
tracking = false

[host]
kind = "vertebrae"

[scan]
slice_mm = 2.4
pixel_mm = [1.2, 1.2]
field_mm = [76.8, 69.6, 60.0]
noise_hu = 10.0

[[patient]]
id = "MERGE"
[[patient.lesion]]
name = "A"
centre_mm = [9.0, -3.0, -16.0]
size_mm = [9.0, 9.0, 9.0]
[[patient.lesion]]
name = "B"
centre_mm = [-8.0, -3.0, -16.0]
size_mm = [9.0, 9.0, 9.0]
[[patient.visit]]
weeks = 0
[[patient.visit]]
weeks = 12
merge = [{ lesions = ["A", "B"], bridge_mm = 7.0 }]

[[patient]]
id = "SHRINK"
[[patient.lesion]]
name = "A"
centre_mm = [0.0, -1.0, -16.0]
size_mm = [18.0, 14.0, 13.0]
[[patient.visit]]
weeks = 0
[[patient.visit]]
weeks = 12
change = [{ lesion = "A", scale = 0.4 }]
"""


def scored(folder: Path) -> Path:
    """Write the cohort and its results below a folder; gives the results."""
    (folder / "spec.toml").write_text(SPEC, encoding="utf-8")
    manifest = write_phantoms(folder / "spec.toml", folder / "cohort")
    mda.score(manifest, out=folder / "results", criteria=SETS)
    return folder / "results"


def exported(results: Path, folder: Path, *kinds: str, **wishes: Any) -> Exported:
    """Every kind into a folder of its own name."""
    return run_export(results, {kind: folder / kind for kind in kinds}, **wishes)


def rescored(manifest: Path, segs: Path, folder: Path) -> mda.Results:
    """The cohort with the exported SEG in place of its masks, scored again."""
    from pydicom import dcmread

    masks = {}
    for file in segs.glob("*.seg.dcm"):
        series = dcmread(file, stop_before_pixels=True).ReferencedSeriesSequence[0].SeriesInstanceUID
        masks[str(series)] = file
    with manifest.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        image = (manifest.parent / row["image"]).resolve()
        first = min(image.iterdir()) if image.is_dir() else image
        row["image"] = str(image)
        if row["mask"]:
            row["mask"] = str(masks[str(dcmread(first, stop_before_pixels=True).SeriesInstanceUID)])
    folder.mkdir()
    for name in ("patients.csv", "events.csv"):
        if (manifest.parent / name).exists():
            (folder / name).write_bytes((manifest.parent / name).read_bytes())
    with (folder / "cohort.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return mda.score(folder / "cohort.csv", out=folder / "results", criteria=SETS)
