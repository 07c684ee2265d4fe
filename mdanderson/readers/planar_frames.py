"""Which frames of a planar NM file are views of the body, and from where they look. No pixel is read.

A file holds a frame for every energy window and detector (PS3.3 C.8.4.8); a dynamic or gated one holds more of each.
Frames that show other things are never mixed: one energy window is chosen where the header says which, all else is
refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom import Dataset

from mdanderson.errors import ImageError
from mdanderson.readers.dicom_elements import items, numbers, text, whole_number
from mdanderson.readers.dicom_header import nuclear_kind
from mdanderson.readers.orientation import check_size
from mdanderson.vocabulary import View

__all__ = ["Frame", "frames_of_views"]

_KINDS = frozenset({"STATIC", "WHOLE BODY"})
_OTHER_KINDS = {"DYNAMIC": "a dynamic study", "GATED": "a gated study"}
_SEPARATING = {
    "PhaseVector": "phases",
    "TimeSliceVector": "time slices",
    "RRIntervalVector": "R-R intervals",
    "TimeSlotVector": "time slots",
    "RotationVector": "rotations",
    "AngularViewVector": "angles",
}
"""What a bone scan has one of, and what it would be mixed of otherwise."""

_CODES = {
    ("SCT", "399321004"): View.ANT,
    ("SCT", "399001007"): View.POST,
    ("SRT", "G-5215"): View.ANT,
    ("SRT", "G-5216"): View.POST,
    ("SNM3", "G-5215"): View.ANT,
    ("SNM3", "G-5216"): View.POST,
    ("99SDM", "G-5215"): View.ANT,
    ("99SDM", "G-5216"): View.POST,
}
"""PS3.16 CID 26, in today's SNOMED and its older spellings."""
_MEANINGS = {
    "anterior": View.ANT,
    "anterior projection": View.ANT,
    "posterior": View.POST,
    "posterior projection": View.POST,
}
_CORONAL = 0.9
"""Least cosine of a detector's rows and columns with the axes of the body for it to look from the front or the back."""
_TECHNETIUM_KEV = 140.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One view. index: from 0, in its file. view: None where the header does not say from where it looks."""

    index: int
    view: View | None
    energy_window: str = ""


def frames_of_views(header: Dataset) -> tuple[Frame, ...]:
    """The frames that show the body from one side each, in the order of the file.

    Raises `ImageError` for dynamic, gated and transmission images, for several isotopes, phases or energy windows
    that cannot be told apart, and for a view that is neither anterior nor posterior.
    """
    _refuse_other_kinds(header)
    count = whole_number(header, "NumberOfFrames") or 1
    check_size((count, whole_number(header, "Rows") or 0, whole_number(header, "Columns") or 0))
    for keyword, what in _SEPARATING.items():
        parts = len(set(_vector(header, keyword, count)))
        if parts > 1:
            raise ImageError(f"frames of {parts} {what} in one file", way_out="export each as a file of its own")
    window, named = _energy_window(header, _vector(header, "EnergyWindowVector", count))
    chosen = [k for k, number in enumerate(_vector(header, "EnergyWindowVector", count)) if number == window]
    detectors = _vector(header, "DetectorVector", count)
    seen = [detectors[k] for k in chosen]
    if len(set(seen)) < len(seen):
        raise ImageError(
            f"{len(seen)} frames of {len(set(seen))} detector(s) in one file",
            way_out="export each picture as a file of its own",
        )
    described = items(header, "DetectorInformationSequence")
    return tuple(
        Frame(index=k, view=_view(described[number - 1 : number]), energy_window=named)
        for k, number in zip(chosen, seen, strict=True)
    )


def _refuse_other_kinds(header: Dataset) -> None:
    kind = nuclear_kind(header)
    if kind not in _KINDS:
        what = _OTHER_KINDS.get(kind, f"an NM image of the kind '{kind}'" if kind else "an NM image of no kind")
        raise ImageError(
            f"{what} is no bone scan with a front and a back view",
            way_out="name the STATIC or WHOLE BODY image, or save it as NIfTI and give its view",
        )
    stated = text(header, "ImageType").split("/")
    if "TRANSMISSION" in stated or any("SCREEN" in part for part in stated):
        raise ImageError(
            "its pixels are no counts of the tracer (a transmission image or a screen capture)",
            way_out="name the emission image that the camera acquired",
        )


def _vector(header: Dataset, keyword: str, count: int) -> list[int]:
    """(count,) the number of each frame; all 1 where the header has no such vector."""
    vector = numbers(header, keyword, count=count)
    return [1] * count if vector is None else [int(number) for number in vector]


def _energy_window(header: Dataset, vector: Sequence[int]) -> tuple[int, str]:
    """The window whose frames are taken, and its limits where there was a choice.

    Of several the one round 140.5 keV, the photopeak of technetium, unless other nuclides were given as well.
    """
    there = sorted(set(vector))
    if len(there) == 1:
        return there[0], ""
    nuclides = len(items(header, "RadiopharmaceuticalInformationSequence"))
    ranges = [_limits(item) for item in items(header, "EnergyWindowInformationSequence")]
    peaks = [k for k in there if k <= len(ranges) and any(a <= _TECHNETIUM_KEV <= b for a, b in ranges[k - 1])]
    if len(peaks) != 1 or nuclides > 1:
        raise ImageError(
            f"frames of {len(there)} energy windows in one file", way_out="export the photopeak's frames by themselves"
        )
    return peaks[0], " and ".join(f"{low:g}-{high:g} keV" for low, high in ranges[peaks[0] - 1])


def _limits(window: Dataset) -> list[tuple[float, float]]:
    """Lower and upper limits in keV."""
    found = []
    for item in items(window, "EnergyWindowRangeSequence"):
        low, high = numbers(item, "EnergyWindowLowerLimit"), numbers(item, "EnergyWindowUpperLimit")
        if low is not None and high is not None:
            found.append((float(low[0]), float(high[0])))
    return found


def _view(detector: Sequence[Dataset]) -> View | None:
    """From where a detector looks: by its code, else by its place. None where neither is there or says it."""
    if not detector:
        return None
    for code in items(detector[0], "ViewCodeSequence"):
        return _coded_view(code)
    return _placed_view(detector[0])


def _coded_view(code: Dataset) -> View:
    """The view of a code, or of its plain meaning where the code itself is a private one."""
    scheme, value, meaning = (text(code, f"Cod{part}") for part in ("ingSchemeDesignator", "eValue", "eMeaning"))
    view = _CODES.get((scheme, value)) or _MEANINGS.get(meaning.casefold())
    if view is None:
        raise ImageError(
            f"the view '{meaning or value or 'blank'}' is neither anterior nor posterior",
            way_out="leave it out, or save it as NIfTI and give its view",
        )
    return view


def _placed_view(detector: Dataset) -> View | None:
    """A picture whose columns run to the patient's left looks from the front; to the right, from the back."""
    directions = numbers(detector, "ImageOrientationPatient", count=6)
    if directions is None or -directions[5] < _CORONAL or np.abs(directions[0]) < _CORONAL:
        return None
    return View.ANT if directions[0] > 0 else View.POST
