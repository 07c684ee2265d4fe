"""Reading what the manifest names for one patient; what cannot be read is told, not lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from mdanderson.assessment.shelf import Shelf
from mdanderson.assessment.station import Image
from mdanderson.errors import ImageError, MaskError, MdandersonError, Problem, Severity, UnitError
from mdanderson.measure.bias import corrected
from mdanderson.measure.reference import given_voxels
from mdanderson.readers import is_planar, look_at_volume, peek_date, peek_modality, read_planar, read_volume
from mdanderson.readers.bone_masks import read_bone_mask
from mdanderson.readers.manifest import ImageEntry, LostImage, Patient
from mdanderson.readers.masks import read_mask, read_planar_masks
from mdanderson.readers.voxel_values import unread
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence, View
from mdanderson.volume import Mask, Unit, Volume

__all__ = ["load_images"]

_JUDGED = {Modality.CT: "density", Modality.XR: "density", Modality.MR: "signal", Modality.NM: "uptake"}
"""What a reference is for; PET has none."""

_WORTH_TELLING = {
    "corrected": Severity.INFO,
    "copies": Severity.INFO,
    "image": Severity.INFO,
    "unit_note": Severity.WARNING,
}
"""Of `Volume.acquisition`: what was done on the way in, which image of several it is, a unit that was not said."""


def load_images(
    patient: Patient, *, settings: Settings | None = None, look_only: bool = False
) -> tuple[tuple[Image, ...], tuple[LostImage, ...], tuple[Problem, ...]]:
    """All images of a patient in date order, those that are lost, and a problem row for whatever went wrong.

    look_only: nothing is to be measured, so that voxels are read only where something in them could be wrong.
    """
    settings = settings or Settings()
    images: list[Image] = []
    shelf = Shelf()
    lost = [_by_header(one) for one in patient.lost]
    problems = list(patient.problems)
    for number, entry in enumerate(patient.images):
        try:
            loaded, told = _loaded(entry, settings, None if look_only else shelf)
        except MdandersonError as error:
            problems.append(replace(Problem.from_error(error, visit=entry.visit), where=_where(entry, error)))
            lost.append(_lost(entry, error))
        else:
            images += (replace(image, number=number) for image in loaded)
            problems += told
    return tuple(sorted(images, key=lambda image: (image.date, image.where))), tuple(lost), tuple(problems)


def _loaded(
    entry: ImageEntry, settings: Settings, shelf: Shelf | None
) -> tuple[tuple[Image, ...], tuple[Problem, ...]]:
    """The images of a row, large ones on the shelf, and what is to be said of them. Without a shelf: only looked at.

    Nothing of them is left behind here when the next row is read.
    """
    images = _load(entry, settings, look_only=shelf is None)
    told = (
        problem
        for image in images
        for problem in (
            *_about_volume(image),
            *_about_mask(image),
            *_about_bones(image),
            *_about_reference(image, settings),
        )
    )
    problems = tuple(told)
    return tuple(_let_go(image) if shelf is None else _shelved(image, entry, shelf) for image in images), problems


def _where(entry: ImageEntry, error: MdandersonError) -> str:
    """The manifest's name for the file, and the slice in it where the error names one."""
    name = entry.image.name
    if isinstance(error, MaskError) or name in error.where:
        return error.where
    return f"{name}: {error.where}" if error.where else name


def _lost(entry: ImageEntry, error: MdandersonError) -> LostImage:
    """What is still known of an image that cannot be used: its day, at least, keeps it from being every visit."""
    return LostImage(
        row=entry.row,
        date=entry.date or peek_date(entry.image),
        modality=entry.modality or peek_modality(entry.image),
        visit=entry.visit,
        why=error.what,
    )


def _by_header(one: LostImage) -> LostImage:
    """The same row with what the header of its image tells: a mistyped mask leaves the order of visits known."""
    if one.image is None:
        return one
    date = one.date if one.dated else peek_date(one.image)
    return replace(one, date=date, modality=one.modality or peek_modality(one.image))


def _about_volume(image: Image) -> Iterator[Problem]:
    """What was done to the image on the way in, and voxels that are no numbers."""
    facts = image.volume.acquisition
    for key, severity in _WORTH_TELLING.items():
        if key in facts:
            what = f"{key.replace('_', ' ')}: {facts[key]}"
            yield Problem(severity=severity, visit=image.visit, where=image.where, what=what)
    for note in image.notes:
        yield Problem(severity=Severity.WARNING, visit=image.visit, where=image.where, what=note)
    values = image.volume.array
    share = float(np.isnan(values).mean()) if values.dtype.kind == "f" else 0.0
    if share:
        yield Problem(
            severity=Severity.WARNING,
            visit=image.visit,
            where=image.where,
            what=f"{share:.1%} of the voxels are NaN: read as not imaged",
            how_to_fix="export the image again if it should be whole",
        )


def _about_mask(image: Image) -> Iterator[Problem]:
    """What happened to labels on their way onto the image's grid."""
    severity = Severity.WARNING if image.lesions.lost_labels else Severity.INFO
    for note in image.lesions.notes:
        yield Problem(
            severity=severity,
            visit=image.visit,
            where=image.lesions.source,
            what=note,
            how_to_fix="check that the mask was drawn on this image",
        )


def _about_bones(image: Image) -> Iterator[Problem]:
    """How the bones got their names, or that they have none, and what happened to labels on their way."""
    bones = image.bone_map
    for note in () if bones is None else bones.notes:
        yield Problem(
            severity=Severity.INFO,
            visit=image.visit,
            where=bones.source if bones else "",
            what=f"bone_mask: {note}",
            how_to_fix="set bone_scheme in [image] if the bones have other names",
        )


def _about_reference(image: Image, settings: Settings) -> Iterator[Problem]:
    """A given reference too small to be one: it is not replaced by a guess, so nothing is judged by it."""
    mask, modality = image.reference_mask, image.volume.modality
    least = {
        Modality.MR: settings.mr.reference_minimum_voxels,
        Modality.NM: 1,  # given bone may be as small as a reader draws it
    }.get(modality, settings.image.reference_minimum_voxels)
    if mask is not None and modality in _JUDGED and (count := given_voxels(image.volume, mask)) < least:
        yield Problem(
            severity=Severity.WARNING,
            visit=image.visit,
            where=mask.source,
            what=f"reference_mask holds {count} voxels of {image.where}, at least {least} are needed: "
            f"{_JUDGED[modality]} is not judged",
            how_to_fix="draw more of it, or leave reference_mask blank to have a reference found",
        )


def _load(entry: ImageEntry, settings: Settings, *, look_only: bool) -> tuple[Image, ...]:
    """The image of a row, with its masks; of a bone scan an image for each view."""
    view = View(entry.view) if entry.view else None
    if is_planar(entry.image, modality=entry.modality, view=view):
        return _load_planar(entry, view, settings)
    whole = not look_only or entry.reference_mask is not None  # which has to lie where the image has voxels
    volume = _volume(entry, read_volume if whole else look_at_volume)
    if volume.modality is Modality.MR and not look_only:
        volume = corrected(volume, settings=settings)
    _check_suv(volume, settings)
    lesions, reference = (_mask(path, volume, settings) for path in (entry.mask, entry.reference_mask))
    bones = read_bone_mask(entry.bone_mask, like=volume, settings=settings.image) if entry.bone_mask else None
    return (_image(entry, volume, lesions, bones, reference),)


def _volume(entry: ImageEntry, read: Callable[..., Volume] = read_volume) -> Volume:
    return read(
        entry.image,
        modality=entry.modality,
        date=entry.date,
        series=entry.series or None,
        sequence=MrSequence(entry.sequence) if entry.sequence else None,
    )


def _shelved(image: Image, entry: ImageEntry, shelf: Shelf) -> Image:
    """The image, which may let go of its voxels; not where getting them back takes longer than reading them."""
    if image.volume.planar or image.volume.modality is Modality.MR:
        return image
    return replace(image, volume=shelf.shelved(image.volume, partial(_volume, entry)))


def _let_go(image: Image) -> Image:
    """The image without its voxels, which nobody will measure."""
    return replace(image, volume=replace(image.volume, array=unread(image.volume.geometry.shape)))


def _check_suv(volume: Volume, settings: Settings) -> None:
    """Refuse a PET whose values cannot be SUV: formats without a header do not say their unit."""
    if volume.unit is not Unit.SUV:
        return
    greatest, limit = float(np.nanmax(volume.array)), settings.pet.implausible_suv
    if greatest > limit:
        raise UnitError(
            f"values up to {greatest:.0f} are no SUV", way_out="convert Bq/ml to SUV by body weight, or give the DICOM"
        )


def _load_planar(entry: ImageEntry, view: View | None, settings: Settings) -> tuple[Image, ...]:
    planar = read_planar(
        entry.image,
        modality=entry.modality,
        date=entry.date,
        series=entry.series or None,
        view=view,
        settings=settings.radiograph,
    )
    masks = [
        read_planar_masks(path, planar, settings=settings.image) if path else [None] * len(planar)
        for path in (entry.mask, entry.bone_mask, entry.reference_mask)
    ]
    return tuple(
        replace(_image(entry, one.as_slab(), *its_masks), notes=one.notes)
        for one, *its_masks in zip(planar, *masks, strict=True)
    )


def _image(
    entry: ImageEntry, volume: Volume, lesions: Mask | None, bone_map: Mask | None, reference_mask: Mask | None
) -> Image:
    if volume.date is None:
        raise ImageError(
            "the image has no date", where=entry.image.name, way_out="give `date` in the manifest (YYYY-MM-DD)"
        )
    return Image(
        volume=volume,
        lesions=lesions or Mask(geometry=volume.geometry),
        date=volume.date,
        visit=entry.visit,
        bone_map=bone_map,
        reference_mask=reference_mask,
        where=f"{entry.image.name} {volume.view}" if volume.view else entry.image.name,
    )


def _mask(path: Path | None, volume: Volume, settings: Settings) -> Mask | None:
    return read_mask(path, like=volume, settings=settings.image) if path else None
