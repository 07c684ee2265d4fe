"""Files into series: one of each instance, what the whole series says, and what keeps it from being measured."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mdanderson.geometry import FloatArray
from mdanderson.readers.dicom_index.facts import Facts
from mdanderson.vocabulary import Modality

__all__ = [
    "MASKS",
    "REPORTS",
    "Series",
    "Stack",
    "grouped",
    "kind_of",
    "placed",
    "series_of",
    "stack_of",
    "unusable",
]

MASKS = frozenset({"SEG", "RTSTRUCT"})
REPORTS = frozenset({"SR"})
_KINDS = {"CT": Modality.CT, "MR": Modality.MR, "PT": Modality.PT, "NM": Modality.NM}
_KINDS |= dict.fromkeys(("CR", "DX", "RG", "PX"), Modality.XR)
_PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_SCOUTS = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVEY"})
_PICTURES = ("SCREEN", "DOSE", "PROTOCOL", "REPORT", "PATIENT PROT")
_PROJECTIONS = frozenset({"MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VOLREN", "VRT", "SSD", "3D"})
_DERIVED_WORDS = frozenset({"MPR", "REFORMATTED", "AVERAGE", "CSA MPR", "OBLIQUE", "RESAMPLED"})
_PLANES = ("sagittal", "coronal", "axial")
_SAME_PLACE_MM = 0.05
_UNEVEN_MM = 0.2
"""Steps that differ by more, or by half a step, are refused by the reader (`dicom_grid`)."""
_GAP = 1.5
"""Slices farther apart than this many times their thickness leave body between them that nobody imaged."""
_UNCORRECTED_NAME = re.compile(
    r"(?<![^\W\d_])(nac|non?[ _-]?ac|uncorrected|unkorrigiert|no[ _-]?atten\w*)(?![^\W\d_])", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Stack:
    """Where slices lie. box: (2, 3) LPS mm, least and greatest corner. places: different positions.

    plane: axial, coronal or sagittal, whichever is nearest; blank where no orientation is known. is_even: whether one
    slice lies in each place and none is missing, without which a volume is refused.
    """

    slices: int
    places: int = 0
    plane: str = ""
    thickness_mm: float | None = None
    step_mm: float | None = None
    is_even: bool = True
    box: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    @property
    def apart_mm(self) -> float | None:
        """What thin is judged by: the thickness, or how far slices lie apart where that is more."""
        return max(self.thickness_mm or 0.0, self.step_mm or 0.0) or None

    @property
    def has_gaps(self) -> bool:
        """Whether slices leave body between them, as a high-resolution CT of every tenth millimetre does."""
        told = self.thickness_mm and self.step_mm
        return bool(told) and (self.step_mm or 0.0) > _GAP * (self.thickness_mm or 0.0) + _SAME_PLACE_MM


@dataclass(frozen=True)
class Series:
    """One series, one file of each instance, ordered as its scanner numbered them.

    patient_id: as the manifest is to call the patient. copies: files left out as they hold an instance again.
    """

    uid: str
    patient_id: str
    files: tuple[Facts, ...]
    copies: int = 0

    @property
    def first(self) -> Facts:
        """The file that speaks for all."""
        return self.files[0]

    @property
    def modality(self) -> str:
        """As DICOM calls it."""
        return self.first.modality

    @property
    def date(self) -> dt.date | None:
        """The day of the study."""
        return self.first.date

    @cached_property
    def kind(self) -> Modality | None:
        """What it may be measured as; None for what is no image of ours."""
        return kind_of(self.first)

    @cached_property
    def is_derived(self) -> bool:
        """Whether it was calculated from other images, as reformatted planes are."""
        words = self.first.image_type
        return words[:1] == ("DERIVED",) or words[1:2] == ("SECONDARY",) or bool(_DERIVED_WORDS & set(words[2:]))

    @cached_property
    def stack(self) -> Stack:
        """Where its slices lie, by the headers of its single-frame files."""
        return stack_of(self.files)

    @property
    def name(self) -> str:
        """How a person finds it: number and description."""
        number = "?" if self.first.number is None else self.first.number
        return f"series {number}" + (f" '{self.first.description}'" if self.first.description else "")


def series_of(uid: str, patient_id: str, files: Sequence[Facts], *, copies: int = 0) -> Series:
    """The series of these files, whatever their order."""
    ordered = sorted(files, key=lambda one: (one.instance_number, one.instance_uid, one.path))
    return Series(uid=uid, patient_id=patient_id, files=tuple(ordered), copies=copies)


def kind_of(one: Facts) -> Modality | None:
    """The modality of the manifest; a parametric map may be one of diffusion, which a closer look tells."""
    if one.class_uid == _PARAMETRIC_MAP and one.modality in {"OT", "MR"}:
        return Modality.MR
    return _KINDS.get(one.modality)


def stack_of(files: Sequence[Facts]) -> Stack:
    """Where single-frame images lie; without a box where not all of them say it."""
    first = files[0]
    if not all(one.position_mm and one.orientation for one in files):
        return Stack(slices=len(files), thickness_mm=first.thickness_mm)
    positions = np.array([one.position_mm for one in files])
    across, down = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    row_mm, column_mm = first.spacing_mm or (1.0, 1.0)
    picture = (row_mm, column_mm, first.rows, first.columns)
    return placed(positions, (across, down), picture, thickness_mm=first.thickness_mm)


def placed(
    positions: FloatArray,
    axes: tuple[FloatArray, FloatArray],
    picture: tuple[float, float, float, float],
    *,
    thickness_mm: float | None,
) -> Stack:
    """The stack of slices at `positions` (n, 3). axes: along columns and rows. picture: steps in mm, rows, columns."""
    across, down = axes
    normal = np.cross(across, down)
    heights = np.sort(positions @ normal)
    gaps = np.diff(heights)
    apart = gaps[gaps > _SAME_PLACE_MM]
    row_mm, column_mm, rows, columns = picture
    ends = across * column_mm * columns, down * row_mm * rows
    corners = np.concatenate([positions, positions + ends[0], positions + ends[1], positions + ends[0] + ends[1]])
    return Stack(
        slices=len(positions),
        places=int(apart.size) + 1,
        plane=_PLANES[int(np.abs(normal).argmax())],
        thickness_mm=thickness_mm,
        step_mm=float(np.median(apart)) if apart.size else None,
        is_even=apart.size == gaps.size and _are_even(gaps),
        box=(tuple(corners.min(axis=0).tolist()), tuple(corners.max(axis=0).tolist())),
    )


def _are_even(gaps: FloatArray) -> bool:
    if not gaps.size:
        return True
    usual = float(np.median(gaps))
    return float(np.abs(gaps - usual).max()) <= min(_UNEVEN_MM, usual / 2)


def _is_capture(one: Series) -> bool:
    words = " ".join(one.first.image_type)
    captured = one.first.class_uid.startswith(_SECONDARY_CAPTURE) and one.kind is not Modality.NM
    return captured or any(word in words for word in _PICTURES)


def _is_uncorrected(one: Series) -> bool:
    corrections = one.first.corrections
    named = not corrections and _UNCORRECTED_NAME.search(one.first.description) is not None
    return one.kind is Modality.PT and (named or (bool(corrections) and "ATTN" not in corrections))


def _lies_nowhere(one: Series) -> bool:
    volume = one.kind in {Modality.CT, Modality.PT} and one.first.frames == 1
    return volume and one.stack.box is None


def _lies_in_one_place(one: Series) -> bool:
    volume = one.kind in {Modality.CT, Modality.PT} and one.first.frames == 1
    return volume and one.stack.slices > 1 and one.stack.places == 1


_FAULTS: tuple[tuple[Callable[[Series], bool], str], ...] = (
    (lambda one: one.kind is None, "no image that is measured"),
    (lambda one: not one.first.rows or not one.first.columns, "it holds no pixels"),
    (lambda one: bool(_SCOUTS & set(one.first.image_type)), "a scout view (localizer)"),
    (_is_capture, "a picture of a screen, not the image itself"),
    (lambda one: bool(_PROJECTIONS & set(one.first.image_type)), "a projection (MIP or rendering) of other images"),
    (lambda one: one.first.samples != 1, "a colour picture"),
    (lambda one: "MOSAIC" in one.first.image_type, "a mosaic of many slices in one picture"),
    (_is_uncorrected, "a PET without correction for attenuation"),
    (_lies_nowhere, "its slices have no place (ImagePositionPatient, ImageOrientationPatient)"),
    (_lies_in_one_place, "all its slices lie in one place (bolus tracking or perfusion)"),
)
"""What keeps a series from being measured, in the order in which it is told."""


def unusable(one: Series) -> str:
    """Why a series cannot be measured; blank where the header speaks for it."""
    return next((why for has, why in _FAULTS if has(one)), "")


def grouped(files: Sequence[Facts]) -> dict[str, list[Facts]]:
    """Files by SeriesInstanceUID, in order of the UIDs."""
    groups: dict[str, list[Facts]] = defaultdict(list)
    for one in files:
        groups[one.series_uid].append(one)
    return {uid: groups[uid] for uid in sorted(groups)}
