"""What 3D Slicer says of the segments in a `.seg.nrrd`: layer and label value, name, and by its terminology the place.

Colours say nothing of a lesion and are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mdanderson.anatomy import bone_named
from mdanderson.errors import MaskError

__all__ = ["Segment", "slicer_segments"]

_ENTRY = "TerminologyEntry:"
_TYPE, _REGION = 2, 5
"""Places in an entry: context~category~type~modifier~anatomic context~region~modifier, each scheme^code^meaning."""
_LONGEST = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One segment. site: the bone that its terminology names, blank where it names none."""

    name: str = ""
    site: str = ""


def slicer_segments(header: Mapping[str, str]) -> dict[tuple[int, int], Segment]:
    """(layer, label value) -> segment, in the order of the header's Segment0_, Segment1_, ... keys.

    Raises `MaskError` where two segments of a layer have one label value.
    """
    segments: dict[tuple[int, int], Segment] = {}
    while (value := header.get(f"Segment{len(segments)}_LabelValue", "")).isdecimal():
        start = f"Segment{len(segments)}"
        layer = header.get(f"{start}_Layer", "0")
        key = (int(layer) if layer.isdecimal() else 0, int(value))
        if key in segments:
            raise MaskError(f"two segments have label value {value} in one layer", way_out="save it again")
        site = _site(header.get(f"{start}_Tags", ""))
        segments[key] = Segment(name=header.get(f"{start}_Name", ""), site=site)
    return segments


def _site(tags: str) -> str:
    """The bone of the anatomic region, as a metastasis has one, else of the type, as a segmented femur has it."""
    entry = next((tag for tag in tags[:_LONGEST].split("|") if tag.startswith(_ENTRY)), "")
    codes = entry.removeprefix(_ENTRY).split("~")
    for place in (_REGION, _TYPE):
        bone = bone_named(f"{_meaning(codes, place + 1)} {_meaning(codes, place)}")
        if bone is not None:
            return bone.words
    return ""


def _meaning(codes: list[str], place: int) -> str:
    """The third part of scheme^code^meaning."""
    parts = codes[place].split("^") if place < len(codes) else []
    return parts[2] if len(parts) == 3 else ""
