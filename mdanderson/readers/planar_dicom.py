"""Planar DICOM images, from a file or the files of one series: views of a bone scan, or a radiograph."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mdanderson.errors import ImageError
from mdanderson.planar import PlanarImage
from mdanderson.readers.dicom_elements import text, unheard
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.dicom_header import is_projection
from mdanderson.readers.dicom_series import peek_dicom_header, series_at
from mdanderson.readers.planar_radiograph import radiograph
from mdanderson.readers.planar_scintigram import scintigrams
from mdanderson.settings import Radiograph
from mdanderson.vocabulary import Modality, View

__all__ = ["is_planar_dicom", "read_planar_dicom"]

_ORDER = {View.ANT: 0, View.POST: 1, None: 2}


def is_planar_dicom(path: Path) -> bool:
    """Whether the first image at `path` is a projection; its header alone is looked at."""
    with unheard():
        header = peek_dicom_header(path)
        return header is not None and is_projection(header)


def read_planar_dicom(
    path: Path,
    *,
    modality: Modality | None = None,
    date: dt.date | None = None,
    series: str | None = None,
    view: View | None = None,
    settings: Radiograph,
) -> tuple[PlanarImage, ...]:
    """The views at `path`, anterior first. Raises `ImageError`, `GeometryError`."""
    with unheard():
        files = _without_copies(series_at(path, series))
        kind = _kind(files, modality)
        if kind is Modality.XR:
            images = [radiograph(file, str(path), settings) for file in files]
        else:
            images = [image for file in files for image in scintigrams(file, str(path))]
    chosen = _one_of_each_view(images, view) if kind is Modality.NM else _the_only(images, view)
    return tuple(replace(image, date=date or image.date) for image in chosen)


def _kind(files: Sequence[DicomFile], modality: Modality | None) -> Modality:
    """What made them. Raises `ImageError` for a volume, and where manifest or files do not agree."""
    kinds = {_modality(file) for file in files}
    if len(kinds) > 1:
        raise ImageError("a bone scan and a radiograph in one series", way_out="name the file")
    kind = kinds.pop()
    if modality not in {None, kind}:
        raise ImageError(f"the header says {kind}, not {modality}", way_out="correct the modality in the manifest")
    return kind


def _modality(file: DicomFile) -> Modality:
    name = text(file.header, "Modality")
    if not is_projection(file.header):
        raise ImageError(
            f"a volume ({text(file.header, 'Modality') or 'of no modality'}) is no planar image",
            where=file.path.name,
            way_out="name a bone scan or a radiograph here; volumes are read by read_volume",
        )
    return Modality.NM if name == "NM" else Modality.XR


def _without_copies(files: Sequence[DicomFile]) -> list[DicomFile]:
    """One of each instance that is there twice."""
    return list({text(file.header, "SOPInstanceUID") or file.path.name: file for file in files}.values())


def _the_only(images: Sequence[PlanarImage], view: View | None) -> list[PlanarImage]:
    if view is not None:
        raise ImageError(f"a radiograph has no {view} view", way_out="leave the view blank")
    if len(images) > 1:
        raise ImageError(
            f"{len(images)} radiographs in one series", way_out="name the file of the projection to be measured"
        )
    return list(images)


def _one_of_each_view(images: Sequence[PlanarImage], view: View | None) -> list[PlanarImage]:
    """Each view once, of one size, the one asked for where one is. Raises `ImageError` for anything else."""
    if len(images) == 1 and images[0].view is None:
        return [_viewed(images[0], view)]
    unknown = sum(image.view is None for image in images)
    if unknown:
        raise ImageError(
            f"{len(images)} pictures, {unknown} of which do not say their view",
            way_out="save each view as a file of its own and give view ANT or POST in the manifest",
        )
    for each in View:
        count = sum(image.view is each for image in images)
        if count > 1:
            raise ImageError(
                f"{count} pictures of the view {each}",
                way_out="name the file: other dates, parts of the body and energies are images of their own",
            )
    if len({(image.array.shape, image.spacing_mm, image.date) for image in images}) > 1:
        raise ImageError("views of different size, pixel spacing or date", way_out="name the file of one of them")
    found = [image for image in images if view in {None, image.view}]
    if not found:
        raise ImageError(f"the header says {images[0].view}, not {view}", way_out="correct the view in the manifest")
    return sorted(found, key=lambda image: _ORDER[image.view])


def _viewed(image: PlanarImage, view: View | None) -> PlanarImage:
    """A picture of which only the manifest can tell from where it looks."""
    if view is not None:
        return replace(image, view=view, acquisition={**image.acquisition, "view": "from the manifest"})
    unsaid = "the header does not say from where it looks, and it may show both views side by side: give its view"
    return replace(image, notes=(*image.notes, unsaid))
