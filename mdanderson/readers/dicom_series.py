"""A DICOM image, from a folder or a file: found, checked, placed and rescaled. Refused rather than guessed.

A folder is read by content; files in it that are not DICOM are ignored, sub-folders are not looked into. One series
makes one volume. Slices are placed by position alone (`dicom_grid`); a stack sheared by gantry tilt is corrected
(`dicom_tilt`) and says so in `Volume.acquisition["corrected"]`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom import Dataset

from mdanderson.errors import ImageError, InputError
from mdanderson.readers.dicom_elements import text, unheard
from mdanderson.readers.dicom_file import DicomFile, open_dicom
from mdanderson.readers.dicom_grid import Stack, stack_slices
from mdanderson.readers.dicom_header import acquisition_date, acquisition_facts, known_modality, value_unit
from mdanderson.readers.dicom_multiframe import rescale_header, slices_of_frames
from mdanderson.readers.dicom_pixels import header_tells_all, read_stored
from mdanderson.readers.dicom_slices import Slice, slice_of_file
from mdanderson.readers.dicom_spect import is_reconstruction, slices_of_reconstruction
from mdanderson.readers.dicom_tilt import straighten
from mdanderson.readers.mr_facts import ADC_QUANTITY, mapped_quantity
from mdanderson.readers.mr_series import MrImage, mr_image
from mdanderson.readers.orientation import check_size
from mdanderson.readers.pet_suv import suv_scaling
from mdanderson.readers.voxel_values import rescale, unread
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Unit, Volume

__all__ = ["peek_dicom_date", "peek_dicom_header", "read_dicom", "series_at", "stack_at"]


def read_dicom(
    path: Path,
    *,
    modality: Modality | None = None,
    date: dt.date | None = None,
    series: str | None = None,
    sequence: MrSequence | None = None,
    look_only: bool = False,
) -> Volume:
    """The one image series at `path`, a folder or a file.

    Values are int16 or float32 in the unit of the header. modality: refused when the header contradicts it.
    date: wins over the header's. series: the SeriesInstanceUID wanted, needed where a folder holds several; `UID#2` is
    the second image of an MR series that holds several, which `sequence` may pick as well. look_only: as
    `look_at_volume`.
    Raises `ImageError`, `GeometryError` or `UnitError`.
    """
    uid, number = _series_and_number(series)
    with unheard():
        files = series_at(path, uid)
        kind = _kind(files[0], modality)
        if kind is not Modality.MR and number not in {None, 1}:
            raise ImageError(f"no image #{number} in the series", way_out="only images of MR series are numbered")
        volume = _read_series(
            files, kind, lambda slices: mr_image(slices, sequence=sequence, number=number), look_only=look_only
        )
        return replace(volume, date=date or volume.date, source=str(path))


def stack_at(path: Path, *, series: str | None = None, sequence: MrSequence | None = None) -> Stack:
    """The slices of which `read_dicom` makes a volume, in the order of its planes; headers alone are read.

    Raises `ImageError` or `GeometryError`.
    """
    uid, number = _series_and_number(series)
    with unheard():
        files = series_at(path, uid)
        slices, _ = _without_copies(_slices(files))
        if _kind(files[0], None) is Modality.MR:
            slices = list(mr_image(slices, sequence=sequence, number=number).slices)
        return stack_slices(slices)


def series_at(path: Path, series: str | None) -> list[DicomFile]:
    """The image files of the one series wanted at `path`. Raises `ImageError`."""
    return _choose(_find(path), path, series)


def peek_dicom_header(path: Path) -> Dataset | None:
    """The header of the first image at `path`, None where there is none that can be opened."""
    for one in _candidates(path):
        try:
            file = open_dicom(one)
            if file is not None and file.is_image:
                return file.header
        except ImageError:
            continue
    return None


def peek_dicom_date(path: Path) -> dt.date | None:
    """The earliest date that a header at `path` tells, though the image itself may be unreadable; None without any."""
    dates = []
    for one in _candidates(path):
        try:
            file = open_dicom(one)
            date = None if file is None else acquisition_date(file.header)
        except ImageError:
            continue
        if date is not None:
            dates.append(date)
    return min(dates, default=None)


def _candidates(path: Path) -> list[Path]:
    """The file itself, or the files right in the folder; hidden ones are none of ours."""
    return [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file() and p.name[0] != ".")


def _series_and_number(series: str | None) -> tuple[str | None, int | None]:
    """The parts of `UID#2`; None for a part that is not there."""
    uid, mark, number = (series or "").partition("#")
    if mark and not (number.isdecimal() and int(number) > 0):
        raise ImageError(f"#{number} is no number of an image", way_out="write it as UID#2, or leave it out")
    return uid or None, int(number) if mark else None


def _kind(file: DicomFile, modality: Modality | None) -> Modality:
    """The header's modality. Raises `ImageError` where it is another than told."""
    kind = Modality.MR if _is_adc_map(file) else known_modality(file.header)
    if modality not in {None, kind}:
        raise ImageError(f"the header says {kind}, not {modality}", way_out="correct the modality in the manifest")
    return kind


def _is_adc_map(file: DicomFile) -> bool:
    """Whether it is a parametric map whose quantity says what its modality does not: writers put OT (other)."""
    return text(file.header, "Modality") == "OT" and mapped_quantity(file) == ADC_QUANTITY


def _read_series(
    files: Sequence[DicomFile], kind: Modality, pick: Callable[[Sequence[Slice]], MrImage], *, look_only: bool
) -> Volume:
    """The volume of a series. pick: which of its slices, where it is MR."""
    first = files[0].header
    unit = _unit(files, kind)
    suv = suv_scaling(files) if kind is Modality.PT else None
    slices, copies = _without_copies(_slices(files))
    mr = pick(slices) if kind is Modality.MR else None
    stack = stack_slices(mr.slices if mr else slices)
    check_size(stack.geometry.shape)
    notes = {"copies": f"{copies} identical slice(s) left out"} if copies else {}
    scales = [suv.applied(each.scale, each.file.path) if suv else each.scale for each in stack.slices]
    by_values = stack.shifts_mm is not None or (mr is not None and mr.sequence is MrSequence.ADC)
    if look_only and not by_values and header_tells_all(stack.slices):
        array, padding = unread(stack.geometry.shape), None
    else:
        array, padding = rescale(read_stored(stack.slices), scales)
        array = array.astype(np.float32, copy=False) if suv else array
    notes |= dict(suv.facts) if suv else {}
    if mr:
        array, padding, unit, told = mr.finished(array, padding)
        notes |= told
    geometry = stack.geometry
    if stack.shifts_mm is not None:
        array, geometry, padding = straighten(array, geometry, stack.shifts_mm, padding)
        notes["corrected"] = f"gantry tilt {stack.tilt_degrees:.1f} degrees"
    return Volume(
        array=array,
        geometry=geometry,
        unit=unit,
        modality=kind,
        date=acquisition_date(first),
        padding=padding,
        acquisition=acquisition_facts(first) | notes,
        sequence=mr.sequence if mr else None,
    )


def _find(path: Path) -> list[DicomFile]:
    """The images at `path`. Raises `ImageError` when there is none."""
    files = [file for file in map(open_dicom, _candidates(path)) if file is not None]
    images = [file for file in files if file.is_image]
    if images:
        return images
    kinds = sorted({text(file.header, "Modality") or "other" for file in files})
    if kinds:
        raise ImageError(
            f"no image but DICOM {', '.join(kinds)}",
            where=path.name,
            way_out="name the folder of the image series; a SEG or RTSTRUCT belongs in the mask column",
        )
    raise ImageError(
        "no DICOM file in the folder",
        where=path.name,
        way_out="name the folder of the series itself: sub-folders are not searched",
    )


def _choose(files: Sequence[DicomFile], path: Path, series: str | None) -> list[DicomFile]:
    """The files of the one series wanted. Raises `ImageError` naming what is there, by number and description."""
    counts = Counter(file.series_uid for file in files)
    if series is None and len(counts) == 1:
        return list(files)
    chosen = [file for file in files if file.series_uid == series]
    if chosen:
        return chosen
    described = {file.series_uid: file.header for file in reversed(files)}
    listed = ", ".join(
        f"series {text(described[uid], 'SeriesNumber') or '?'} "
        f"'{text(described[uid], 'SeriesDescription') or 'no description'}' ({count} files)"
        for uid, count in counts.items()
    )
    what = f"{len(counts)} series in one folder" if series is None else "the series wanted is not there"
    raise ImageError(
        f"{what}: {listed}",
        where=path.name,
        way_out="put its SeriesInstanceUID in the series column, or each series in a folder of its own",
    )


def _unit(files: Sequence[DicomFile], kind: Modality) -> Unit:
    """The unit of the whole series; each slice must have one, and all the same."""
    units = {_file_unit(file, kind) for file in files}
    if len(units) > 1:
        raise ImageError(f"slices in different units: {', '.join(sorted(units))}", way_out="export the series again")
    return units.pop()


def _file_unit(file: DicomFile, kind: Modality) -> Unit:
    transformation = rescale_header(file) if file.has_frames else file.header
    try:
        return value_unit(
            file.header,
            kind,
            rescale_type=text(transformation, "RescaleType"),
            is_rescaled=bool(text(transformation, "RescaleSlope") and text(transformation, "RescaleIntercept")),
        )
    except InputError as error:
        error.located(file.path.name)
        raise


def _slices(files: Sequence[DicomFile]) -> list[Slice]:
    """Every slice in the files, unordered."""
    slices: list[Slice] = []
    for file in files:
        if is_reconstruction(file):
            slices += slices_of_reconstruction(file)
        else:
            slices += slices_of_frames(file) if file.has_frames else [slice_of_file(file)]
    return slices


def _without_copies(slices: Sequence[Slice]) -> tuple[list[Slice], int]:
    """One of each instance that is there twice at one position, and how many were left out."""
    kept: dict[tuple[str, ...], Slice] = {}
    for each in slices:
        key = (each.instance_uid or each.name, *(f"{x:.3f}" for x in each.position_mm))
        kept.setdefault(key, each)
    return list(kept.values()), len(slices) - len(kept)
