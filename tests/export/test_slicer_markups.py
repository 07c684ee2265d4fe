"""Markups for 3D Slicer, checked by the rules of its published schema (markups-schema-v1.0.3), written down here."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

MARKUP_TYPES = {"Fiducial", "Line", "Angle", "Curve", "ClosedCurve", "Plane", "ROI"}
STATUSES = {"undefined", "preview", "defined"}


def broken_rules(document: object) -> list[str]:
    """What of the schema a file breaks, for the elements that we write."""
    if not isinstance(document, dict) or not isinstance(document.get("markups"), list):
        return ["required: @schema, markups"]
    found = [] if isinstance(document.get("@schema"), str) else ["@schema is a string"]
    for markup in document["markups"]:
        found += [rule for rule, holds in _of_markup(markup).items() if not holds]
        for point in markup.get("controlPoints", []):
            found += [rule for rule, holds in _of_point(point).items() if not holds]
    return found


def _of_markup(markup: dict) -> dict[str, bool]:
    display = markup.get("display", {})
    return {
        "type": markup.get("type") in MARKUP_TYPES,
        "a line has two points": len(markup.get("controlPoints", [])) == 2,
        "coordinateSystem": markup.get("coordinateSystem") in {"LPS", "RAS"},
        "coordinateUnits": markup.get("coordinateUnits") in {"mm", "um"},
        "name and labelFormat are strings": all(isinstance(markup.get(key), str) for key in ("name", "labelFormat")),
        "flags": all(isinstance(markup.get(key), bool) for key in ("locked", "fixedNumberOfControlPoints")),
        "colours": all(
            len(display[key]) == 3 and all(0 <= shade <= 1 for shade in display[key])
            for key in ("color", "selectedColor")
        ),
        "display flags": all(
            isinstance(display[key], bool)
            for key in ("visibility", "propertiesLabelVisibility", "pointLabelsVisibility")
        ),
        "measurements": all(
            isinstance(one["name"], str) and isinstance(one["value"], float) and isinstance(one["units"], str)
            for one in markup.get("measurements", [])
        ),
    }


def _of_point(point: dict) -> dict[str, bool]:
    return {
        "id and label are strings": all(isinstance(point.get(key), str) for key in ("id", "label")),
        "position": len(point.get("position", [])) == 3 and all(math.isfinite(x) for x in point["position"]),
        "point flags": all(isinstance(point.get(key), bool) for key in ("selected", "locked", "visibility")),
        "positionStatus": point.get("positionStatus") in STATUSES,
    }


@pytest.fixture(scope="session")
def documents(dicom_export) -> dict[str, dict]:
    folder: Path = dicom_export / "slicer"
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.mrk.json"))}


def test_every_file_keeps_the_schema(documents):
    assert len(documents) == 4
    for document in documents.values():
        assert broken_rules(document) == []


def test_the_rules_can_be_broken(documents):
    document = json.loads(json.dumps(next(iter(documents.values()))))
    document["markups"][0]["coordinateSystem"] = "LAS"
    document["markups"][0]["controlPoints"].pop()
    assert broken_rules(document) == ["a line has two points", "coordinateSystem"]
    assert broken_rules([]) == ["required: @schema, markups"]


def test_the_lines_are_the_diameters_of_the_table(documents, dicom_results):
    with (dicom_results / "lesions.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["long_axis_mm"]]
    assert len(rows) == 5
    for row in rows:
        beginning = (row["patient_id"], row["date"])
        (document,) = (one for name, one in documents.items() if all(part in name for part in beginning))
        by_name = {markup["name"]: markup for markup in document["markups"]}
        along = []
        for axis in ("long", "short"):
            markup = by_name[f"{row['lesion_id']} {axis}"]
            first, second = (np.array(point["position"]) for point in markup["controlPoints"])
            assert np.linalg.norm(second - first) == pytest.approx(float(row[f"{axis}_axis_mm"]), abs=0.006)
            assert markup["measurements"][0]["value"] == pytest.approx(float(row[f"{axis}_axis_mm"]), abs=0.006)
            assert abs(first[2] - second[2]) < 0.01  # both ends in one axial slice
            along.append((second - first) / np.linalg.norm(second - first))
        assert abs(along[0] @ along[1]) < 0.01  # at right angles


def test_nifti_images_need_no_series_for_this(demo_folder, tmp_path):
    from mdanderson.export.run import run_export

    done = run_export(demo_folder / "mdanderson-demo/results", {"slicer": tmp_path})
    assert not done.failed
    assert any("DEMO-NM-PD: no diameter to show" in note for note in done.notes)
    (first, *_) = sorted(tmp_path.glob("DEMO-SD*.mrk.json"))
    assert broken_rules(json.loads(first.read_text(encoding="utf-8"))) == []
