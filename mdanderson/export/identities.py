"""The tracking UID of every lesion: one through all visits, in SEG and SR, from one run to the next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mdanderson.drawings import Drawing
from mdanderson.errors import MdandersonError
from mdanderson.export.dicom_source import dicom_image, uid_from
from mdanderson.export.sources import Source
from mdanderson.readers.masks import tracking_uids_of_mask

__all__ = ["tracking_uids"]

_UID = re.compile(r"(?=.{5,64}$)[0-2](\.(0|[1-9][0-9]*))+")


def tracking_uids(source: Source) -> Mapping[str, str]:
    """Lesion -> UID, of all lesions of a patient.

    The UID that the masks give it, the first along its visits, unless another lesion has that one. Else one made from
    what neither a further visit nor another run changes: patient, lesion, and the image and labels of its first
    outline. An outline into which several lesions have merged speaks for none of them.
    """
    drawings = sorted(
        (one for one in source.finished.drawings if one.labels and not one.merged),
        key=lambda one: (one.date, one.image),
    )
    found: dict[str, str] = {}
    told: dict[int, Mapping[int, str]] = {}
    for drawing in drawings:
        if drawing.lesion_id not in found:
            here = told.setdefault(drawing.image, _told_by_mask(source, drawing.image))
            given = next((here[label] for label in drawing.labels if label in here), "")
            if given and given not in found.values():
                found[drawing.lesion_id] = given
    lesions = dict.fromkeys((*(one.lesion_id for one in drawings), *(row["lesion_id"] for row in source.lesions)))
    series: dict[int, tuple[str, ...]] = {}
    for lesion_id in lesions:
        if lesion_id not in found:
            own = [one for one in drawings if one.lesion_id == lesion_id]
            found[lesion_id] = uid_from("lesion", source.finished.patient_id, lesion_id, *_first(source, own, series))
    return found


def _told_by_mask(source: Source, number: int) -> Mapping[int, str]:
    """Label -> UID, of the mask of one image; a word that is no UID counts as none."""
    mask = source.patient.images[number].mask
    told = {} if mask is None else tracking_uids_of_mask(mask)
    return {label: uid for label, uid in told.items() if _UID.fullmatch(uid)}


def _first(source: Source, drawings: Sequence[Drawing], series: dict[int, tuple[str, ...]]) -> tuple[object, ...]:
    """Study, series and labels of the first outline that lies in a DICOM image; nothing where none does."""
    for drawing in drawings:
        if drawing.image not in series:
            series[drawing.image] = _series(source, drawing.image)
        if series[drawing.image]:
            return (*series[drawing.image], drawing.view, *drawing.labels)
    return ()


def _series(source: Source, number: int) -> tuple[str, ...]:
    try:
        header = dicom_image(source, source.patient.images[number]).header()
    except MdandersonError:
        return ()
    return str(header.StudyInstanceUID), str(header.SeriesInstanceUID)
