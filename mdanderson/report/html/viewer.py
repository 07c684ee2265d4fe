"""The viewer's third-party code, NiiVue, where a build step has put it; pages without it show pictures.

It is not part of the repository: `make viewer` fetches it into `vendor`, and a wheel carries it. A page holds it
packed, as data: it is unpacked and run when a reader asks for the viewer, and a page opens no slower for having it.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdanderson.crops import Crop

__all__ = ["LICENCE", "SCRIPT", "Viewer", "ViewerCode", "hash_of", "viewer_code", "viewer_for"]

_VENDOR = Path(__file__).parent / "vendor"
SCRIPT, LICENCE = _VENDOR / "niivue.umd.js", _VENDOR / "niivue-LICENSE.txt"
"""Where `tools/fetch_viewer.py` puts the code and its licence."""

_PAGE_BYTES = 7_500_000
"""Of a page, so that it stays below 8 MB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewerCode:
    """The code packed (gzip, base64), and its hash as a page's policy names it."""

    packed: str
    policy: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """What the viewer of a page needs. left_out: lesions for whose crops the page has no room."""

    code: ViewerCode
    crops: tuple[Crop, ...]
    left_out: int

    @property
    def groups(self) -> Mapping[tuple[str, str, str], int]:
        """What is opened together, by lesion, modality and sequence: a number each."""
        keys = dict.fromkeys((crop.lesion_id, str(crop.modality), crop.sequence) for crop in self.crops)
        return {key: number for number, key in enumerate(keys)}

    @property
    def shown(self) -> tuple[tuple[int, Crop], ...]:
        """Every crop with the number of its group, in order of date."""
        groups = self.groups
        ordered = sorted(self.crops, key=lambda crop: crop.date)
        return tuple((groups[crop.lesion_id, str(crop.modality), crop.sequence], crop) for crop in ordered)

    @property
    def coarsest_mm(self) -> float:
        """The longest voxel where some were put together; 0 where none were."""
        return max((crop.step_mm for crop in self.crops if not crop.native), default=0.0)


@functools.cache
def viewer_code() -> ViewerCode | None:
    """The code, None where it has not been fetched."""
    try:
        code = SCRIPT.read_bytes()
    except OSError:
        return None
    packed = base64.b64encode(gzip.compress(code, 9, mtime=0)).decode("ascii")
    return ViewerCode(packed=packed, policy=hash_of(code))


def hash_of(code: bytes) -> str:
    """A script's hash in the words of a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code).digest()).decode('ascii')}'"


def viewer_for(crops: Sequence[Crop], *, beside_bytes: int) -> Viewer | None:
    """The viewer of a page that has so many bytes already; None where it would show nothing, or its code is missing."""
    code = viewer_code()
    if code is None or not crops:
        return None
    room = _PAGE_BYTES - beside_bytes - len(code.packed)
    kept = tuple(_fitting(crops, room))
    if not kept:
        return None
    lesions, shown = ({crop.lesion_id for crop in those} for those in (crops, kept))
    return Viewer(code=code, crops=kept, left_out=len(lesions - shown))


def _fitting(crops: Sequence[Crop], room: int) -> Iterator[Crop]:
    """All crops of as many lesions as fit, in the order in which lesions come first."""
    sizes: dict[str, int] = {}
    for crop in crops:
        sizes[crop.lesion_id] = sizes.get(crop.lesion_id, 0) + crop.size
    taken = set(_while_room(sizes.items(), room))
    return (crop for crop in crops if crop.lesion_id in taken)


def _while_room(sizes: Iterable[tuple[str, int]], room: int) -> Iterator[str]:
    for name, size in sizes:
        room -= size
        if room < 0:
            return
        yield name
