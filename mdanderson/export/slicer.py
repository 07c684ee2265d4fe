"""The two diameters of every lesion as line markups of 3D Slicer, one file for every image that was measured.

Format: Slicer's markups schema 1.0.3. Places are LPS mm of the image, so that the lines lie on it as it is loaded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from mdanderson.drawings import Drawing, Point
from mdanderson.export.dicom_source import file_stem
from mdanderson.export.sources import Files, Source, each_patient
from mdanderson.export.wish import Wish, Written
from mdanderson.palette import LIGHT
from mdanderson.vocabulary import Modality

__all__ = ["SCHEMA", "write_slicer"]

SUFFIX = ".mrk.json"
SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)


def write_slicer(wish: Wish) -> Written:
    """One file for every image of every scored patient in which a size was measured."""
    return each_patient(wish, _of_patient, suffix=SUFFIX)


def _of_patient(source: Source) -> tuple[Files, Sequence[str]]:
    """The files of a patient; none, and why, where no diameter has a place."""
    measured = [one for one in source.finished.drawings if one.long_ends_lps_mm and one.short_ends_lps_mm]
    placed = [one for one in measured if one.modality is not Modality.XR]
    if not placed:
        why = "a radiograph has no place in the patient" if measured else "no size was measured in its images"
        return {}, [f"no diameter to show: {why}"]
    lesions = list(dict.fromkeys(one.lesion_id for one in source.finished.drawings))
    files: dict[str, bytes] = {}
    for number in sorted({one.image for one in placed}):
        here = [one for one in placed if one.image == number]
        stem = file_stem(source, here[0].date, here[0].modality, here[0].sequence, number + 1)
        markups = [line for one in here for line in _lines(one, lesions.index(one.lesion_id))]
        text = json.dumps({"@schema": SCHEMA, "markups": markups}, indent=1, ensure_ascii=False)
        files[stem + SUFFIX] = f"{text}\n".encode()
    return files, ()


def _lines(drawing: Drawing, order: int) -> Iterator[dict[str, Any]]:
    """The long, then the short axis."""
    for axis, ends in (("long", drawing.long_ends_lps_mm), ("short", drawing.short_ends_lps_mm)):
        if ends is not None:
            yield _line(f"{drawing.lesion_id} {axis}", ends, LIGHT.lines[order % len(LIGHT.lines)])


def _line(name: str, ends: tuple[Point, Point], colour: str) -> dict[str, Any]:
    """One line with its length; colour: as #rrggbb."""
    shades = [round(int(colour[k : k + 2], 16) / 255, 4) for k in (1, 3, 5)]
    return {
        "type": "Line",
        "name": name,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": True,
        "fixedNumberOfControlPoints": True,
        "labelFormat": "%N-%d",
        "controlPoints": [
            {
                "id": f"{number}",
                "label": f"{name} {number}",
                "position": list(end),
                "selected": True,
                "locked": True,
                "visibility": True,
                "positionStatus": "defined",
            }
            for number, end in enumerate(ends, start=1)
        ],
        "measurements": [
            {"name": "length", "enabled": True, "value": round(math.dist(*ends), 2), "units": "mm"},
        ],
        "display": {
            "visibility": True,
            "color": shades,
            "selectedColor": shades,
            "propertiesLabelVisibility": True,
            "pointLabelsVisibility": False,
        },
    }
