"""Planar NM images: every frame of a file as the view that its header says it is, in counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mdanderson.errors import ImageError
from mdanderson.planar import PlanarImage
from mdanderson.readers.dicom_elements import text
from mdanderson.readers.dicom_elements import whole_number as stated_number
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.dicom_header import acquisition_date, acquisition_facts, nuclear_kind
from mdanderson.readers.dicom_slices import pixel_format, pixel_spacing, scale
from mdanderson.readers.planar_frames import Frame, frames_of_views
from mdanderson.readers.planar_pixels import lossy_compression, read_frames
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Unit

__all__ = ["scintigrams"]

_RUNS = {View.ANT: "LF", View.POST: "RF"}
"""Where columns and rows of a picture run: an anterior one to the patient's left and to the feet."""


def scintigrams(file: DicomFile, source: str) -> list[PlanarImage]:
    """The views in one file. Raises `ImageError`, `GeometryError` naming the file."""
    try:
        return _views(file, source)
    except ImageError as error:
        error.located(file.path.name)
        raise


def _views(file: DicomFile, source: str) -> list[PlanarImage]:
    header = file.header
    frames = frames_of_views(header)
    if len(frames) == 1:
        _check_orientation(file, frames[0].view)
    row_mm, column_mm = (float(step) for step in pixel_spacing(header))
    values, padding = read_frames(file, pixel_format(file), scale(header, header))
    facts, notes = _facts(file, values)
    return [
        PlanarImage(
            array=values[frame.index],
            spacing_mm=(row_mm, column_mm),
            unit=Unit.COUNTS,
            modality=Modality.NM,
            view=frame.view,
            date=acquisition_date(header),
            padding=padding,
            source=source,
            acquisition=facts | _facts_of(frame, len(values)),
            notes=notes,
            frame=frame.index + 1,
            frames=len(values),
            instance_uid=text(header, "SOPInstanceUID"),
        )
        for frame in frames
    ]


def _facts_of(frame: Frame, frames: int) -> dict[str, str]:
    facts = {"frame": f"{frame.index + 1} of {frames}", "energy_window": frame.energy_window}
    return {name: value for name, value in facts.items() if value}


def _facts(file: DicomFile, values: npt.NDArray[np.generic]) -> tuple[dict[str, str], tuple[str, ...]]:
    """What the header says of how the counts came about, and what speaks against their being counts."""
    facts = {name: fact for name, fact in acquisition_facts(file.header).items() if name == "scanner"}
    facts["kind"] = nuclear_kind(file.header)
    notes = []
    lossy = lossy_compression(file)
    if lossy:
        facts["lossy"] = lossy
        notes.append(f"compressed with loss ({lossy}): its pixels are no longer counts")
    counts = stated_number(file.header, "CountsAccumulated")
    found = round(float(values.sum(dtype=np.float64)))
    if counts is not None:
        facts["counts_accumulated"] = str(counts)
        if counts != found:
            notes.append(f"CountsAccumulated says {counts}, its pixels add up to {found}")
    return facts, tuple(notes)


def _check_orientation(file: DicomFile, view: View | None) -> None:
    """Refuse a picture that its header calls turned or mirrored: what is left and what is right would be swapped."""
    stated: Sequence[str] = text(file.header, "PatientOrientation").split("/")
    runs = "".join(part[:1] for part in stated)
    if len(runs) < 2 or runs in (set(_RUNS.values()) if view is None else {_RUNS[view]}):
        return
    raise ImageError(
        f"its columns and rows run to {runs[0]} and {runs[1]} (PatientOrientation), as those of "
        f"{'no view' if view is None else f'no {view} view'} do",
        way_out="export the picture as the camera acquired it",
    )
