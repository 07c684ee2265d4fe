"""A closer look at series whose first header does not tell enough: MR, bone scans, many frames in one file.

It asks the readers that will read them, so that what the manifest says is what a run finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mdanderson.errors import ImageError
from mdanderson.readers.dicom_elements import text, unheard
from mdanderson.readers.dicom_file import DicomFile, open_dicom
from mdanderson.readers.dicom_header import is_projection, known_modality
from mdanderson.readers.dicom_index.series import Series, Stack, placed
from mdanderson.readers.dicom_multiframe import slices_of_frames
from mdanderson.readers.dicom_slices import Slice, slice_of_file
from mdanderson.readers.dicom_spect import is_reconstruction, slices_of_reconstruction
from mdanderson.readers.mr_groups import separate
from mdanderson.readers.planar_frames import frames_of_views
from mdanderson.vocabulary import Modality, MrSequence

__all__ = ["Deeper", "Part", "look_deeper", "wants_a_closer_look"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One image of a series. number: of the MR image where a series holds several, else 0. views: of a bone scan.

    why: what its sequence was recognised by. file: the one file that it is, where a picture is a file each.
    """

    stack: Stack
    number: int = 0
    sequence: MrSequence | None = None
    why: str = ""
    views: str = ""
    file: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deeper:
    """What a closer look found: the images of a series, or why there is none to be measured."""

    parts: tuple[Part, ...] = ()
    fault: str = ""


def wants_a_closer_look(one: Series) -> bool:
    """Whether the facts of the files are not enough."""
    many_frames = one.first.frames > 1 and one.kind in {Modality.CT, Modality.PT}
    return one.kind in {Modality.MR, Modality.NM} or many_frames


def look_deeper(root: Path, one: Series) -> Deeper:
    """The images of a series, by the headers of all its files."""
    try:
        with unheard():
            files = [file for file in (open_dicom(root / each.path) for each in one.files) if file is not None]
            if one.kind is Modality.NM and is_projection(files[0].header):
                return Deeper(parts=_views(files))
            if one.kind is not Modality.MR:
                known_modality(files[0].header)
            slices = [each for file in files for each in _slices(file)]
            return Deeper(parts=_mr(slices) if one.kind is Modality.MR else (Part(stack=_stack(slices)),))
    except ImageError as error:
        return Deeper(fault=error.what)


def _slices(file: DicomFile) -> list[Slice]:
    if is_reconstruction(file):
        return slices_of_reconstruction(file)
    return slices_of_frames(file) if file.has_frames else [slice_of_file(file)]


def _mr(slices: Sequence[Slice]) -> tuple[Part, ...]:
    groups = separate(slices)
    return tuple(
        Part(
            stack=_stack(group.slices),
            number=group.number if len(groups) > 1 else 0,
            sequence=group.found.sequence,
            why=group.found.why,
        )
        for group in groups
    )


def _stack(slices: Sequence[Slice]) -> Stack:
    first = slices[0]
    positions = np.array([each.position_mm for each in slices])
    row_mm, column_mm = map(float, first.spacing_mm)
    picture = (row_mm, column_mm, first.pixels.rows, first.pixels.columns)
    stack = placed(
        positions, (first.orientation[:3], first.orientation[3:]), picture, thickness_mm=_thickness_mm(first)
    )
    return replace(stack, step_mm=stack.step_mm or first.step_mm)


def _thickness_mm(one: Slice) -> float | None:
    """As the file says it for all; of many frames the step stands for it."""
    try:
        thickness = float(text(one.file.header, "SliceThickness"))
    except ValueError:
        return None
    return thickness if thickness > 0 else None


def _views(files: Sequence[DicomFile]) -> tuple[Part, ...]:
    """The bone scan of a series: one image where each view is there once, else a picture each."""
    seen = [[frame.view for frame in frames_of_views(file.header)] for file in files]
    views = [view for of_file in seen for view in of_file]
    if len(views) == 1 or (None not in views and len(set(views)) == len(views)):
        told = "+".join(sorted(filter(None, views)))
        return (Part(stack=Stack(slices=len(views)), views=told),)
    return tuple(
        Part(
            stack=Stack(slices=len(of_file)),
            views="+".join(sorted(filter(None, of_file))),
            file=file.path.name,
        )
        for file, of_file in zip(files, seen, strict=True)
    )
