"""Lesions as DICOM Segmentation objects: one for every image that was segmented, a segment for every label.

All labels of a mask are written, so that scoring the SEG in place of the mask gives the same tables. A label whose
lesion is known carries that lesion's tracking identifier and UID; one that nobody could tell apart carries none, nor
does an outline into which several lesions have merged: it is not one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mdanderson.errors import InputError, MdandersonError, printable
from mdanderson.export.codes import (
    ABNORMAL,
    ARTIFICIAL_INTELLIGENCE,
    BONY_METASTASIS,
    LYMPH_NODE,
    SECONDARY_NEOPLASM,
    laterality_code,
    site_code,
)
from mdanderson.export.dicom_source import (
    MAKER,
    DicomImage,
    as_bytes,
    coded,
    derived_uid,
    dicom_image,
    file_stem,
    in_pictures,
)
from mdanderson.export.identities import tracking_uids
from mdanderson.export.sources import Files, Source, each_patient
from mdanderson.export.visits import placed, places_of
from mdanderson.export.wish import Wish, Written
from mdanderson.palette import LIGHT
from mdanderson.readers import look_at_volume
from mdanderson.readers.masks import read_mask
from mdanderson.vocabulary import MrSequence
from mdanderson.volume import Mask

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription
    from pydicom import Dataset

__all__ = ["write_dicom_seg"]

SUFFIX = ".seg.dcm"
_SERIES_NUMBER = 901
_MOST_BYTES = 2**31
"""Of frames that are held at once where lesions overlap; without overlap a frame is shared by all."""
_TEXT = 64
_LONGEST_NAME = 200
"""Characters of a label (PS3.5, LO and UT as viewers take it)."""


def write_dicom_seg(wish: Wish) -> Written:
    """One file for every segmented DICOM image of every scored patient."""

    def write(source: Source) -> tuple[Files, Sequence[str]]:
        return _of_patient(source, wish)

    return each_patient(wish, write, suffix=SUFFIX)


def _of_patient(source: Source, wish: Wish) -> tuple[Files, Sequence[str]]:
    """The files of a patient, and what of its images has none. Raises the first error where there is not one file."""
    files: dict[str, bytes] = {}
    faults: list[MdandersonError] = []
    pictures: list[str] = []
    uids = tracking_uids(source)
    for number, entry in enumerate(source.patient.images):
        if entry.mask is None:
            continue
        if in_pictures(entry):
            pictures.append(entry.image.name)
            continue
        try:
            content = _of_image(source, number, uids, wish)
        except MdandersonError as error:
            faults.append(error)
        else:
            files |= content
    if faults and not files:
        raise faults[0]
    notes = [f"no SEG: {fault}" for fault in faults]
    if pictures:
        notes.append(f"no SEG of {', '.join(pictures)}: a planar image has no place in the patient; its mask stays")
    return files, notes if files or notes else ["no SEG: nothing is segmented in its images"]


def _of_image(source: Source, number: int, uids: Mapping[str, str], wish: Wish) -> dict[str, bytes]:
    """The SEG of one image; none where its mask is empty. uids: of lesions."""
    entry = source.patient.images[number]
    image = dicom_image(source, entry)
    if not image.header().get("FrameOfReferenceUID"):
        raise InputError(
            "no FrameOfReferenceUID in the header, without which a SEG has no place",
            where=entry.image.name,
            way_out="export the original series",
        )
    volume = look_at_volume(
        entry.image,
        modality=entry.modality,
        date=entry.date,
        series=entry.series or None,
        sequence=MrSequence(entry.sequence) if entry.sequence else None,
    )
    if entry.mask is None or not (mask := read_mask(entry.mask, like=volume, settings=source.settings.image)).regions:
        return {}
    stem = file_stem(source, volume.date or "", volume.modality, volume.sequence or "", number + 1)
    segments = list(_segments(source, number, mask, uids, wish))
    return {stem + SUFFIX: as_bytes(_segmentation(source, number, image, mask, segments, wish), source.written)}


def _segmentation(
    source: Source, number: int, image: DicomImage, mask: Mask, segments: Sequence[SegmentDescription], wish: Wish
) -> Any:
    """The SEG object. Raises `InputError` where lesions overlap in more voxels than can be held."""
    import highdicom as hd

    from mdanderson.readers.dicom_elements import unheard

    geometry = mask.geometry
    planes = sorted({plane for region in mask for plane in range(region.box[0].start, region.box[0].stop)})
    _, row, column = geometry.directions
    series_uid = image.header().SeriesInstanceUID
    with unheard():
        made = hd.seg.Segmentation(
            source_images=_with_thickness(image, geometry.spacing_mm[0]),
            pixel_array=_frames(mask, planes),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=segments,
            plane_positions=[
                hd.PlanePositionSequence(
                    coordinate_system=hd.CoordinateSystemNames.PATIENT,
                    image_position=[round(float(x), 6) for x in geometry.to_lps([plane, 0, 0])],
                )
                for plane in planes
            ],
            plane_orientation=hd.PlaneOrientationSequence(
                coordinate_system=hd.CoordinateSystemNames.PATIENT,
                image_orientation=[float(x) for x in (*column, *row)],
            ),
            pixel_measures=hd.PixelMeasuresSequence(
                pixel_spacing=[float(step) for step in geometry.spacing_mm[1:]],
                slice_thickness=float(geometry.spacing_mm[0]),
                spacing_between_slices=float(geometry.spacing_mm[0]),
            ),
            series_instance_uid=derived_uid(source, "seg series", series_uid, number),
            series_number=_SERIES_NUMBER + number,
            sop_instance_uid=derived_uid(source, "seg", series_uid, number, wish.algorithm),
            instance_number=1,
            content_label="LESIONS",
            content_description="Bone metastases, research use only",
            series_description="Bone metastases (research use only)",
            **MAKER,
        )
    _settle(made, source, number)
    return made


def _with_thickness(image: DicomImage, step_mm: float) -> list[Dataset]:
    """The headers of an image; the library asks for a thickness in each, though it is told the distance of planes."""
    headers = image.instances()
    for header in headers:
        if not header.get("SliceThickness") and "SharedFunctionalGroupsSequence" not in header:
            header.SliceThickness = round(step_mm, 6)
    return headers


def _settle(made: Any, source: Source, number: int) -> None:
    """A UID of ours for the one that the library draws at random."""
    organisation = derived_uid(source, "seg dimensions", number)
    for sequence in (made.DimensionOrganizationSequence, made.DimensionIndexSequence):
        for item in sequence:
            item.DimensionOrganizationUID = organisation


def _frames(mask: Mask, planes: Sequence[int]) -> npt.NDArray[np.generic]:
    """(planes, rows, columns) of segment numbers, or with an axis of segments where these overlap."""
    _, rows, columns = mask.geometry.shape
    place = {plane: k for k, plane in enumerate(planes)}
    regions = list(mask)
    numbers = np.zeros((len(planes), rows, columns), dtype=np.uint8 if len(regions) < 256 else np.uint16)
    overlap = False
    for number, region in enumerate(regions, start=1):
        at = (slice(place[region.box[0].start], place[region.box[0].stop - 1] + 1), *region.box[1:])
        here = numbers[at]
        overlap = overlap or bool(here[region.voxels].any())
        here[region.voxels] = number
    if not overlap and len(regions) < 256:
        return numbers
    if numbers.size * len(regions) > _MOST_BYTES:
        raise InputError(
            f"{len(regions)} lesions that overlap on {len(planes)} planes of {rows} x {columns}",
            where=mask.source,
            way_out="draw lesions apart, or segment on fewer planes",
        )
    stack = np.zeros((*numbers.shape, len(regions)), dtype=np.uint8)
    for number, region in enumerate(regions):
        at = (slice(place[region.box[0].start], place[region.box[0].stop - 1] + 1), *region.box[1:])
        stack[(*at, number)] = region.voxels
    return stack


@dataclass(frozen=True, kw_only=True, slots=True)
class _Identity:
    """What is known of a label. lesion_id: blank where several lesions are one outline. row: of lesions.csv, if any."""

    name: str
    lesion_id: str
    row: Mapping[str, str]

    @property
    def is_node(self) -> bool:
        """Whether a reader calls it a lymph node."""
        return self.row.get("node") == "true"


def _identities(source: Source, number: int) -> dict[int, _Identity]:
    """Label -> lesion, of one image."""
    found: dict[int, _Identity] = {}
    places = places_of(source.lesions)
    for drawing in source.finished.drawings:
        if drawing.image != number:
            continue
        row = next((row for row in source.lesions if row["lesion_id"] == drawing.lesion_id), {})
        own = "" if drawing.merged else drawing.lesion_id
        identity = _Identity(
            name="+".join(drawing.merged) or own,
            lesion_id=own,
            row=placed(row, places) if row else {},
        )
        found |= dict.fromkeys(drawing.labels, identity)
    return found


def _segments(
    source: Source, number: int, mask: Mask, uids: Mapping[str, str], wish: Wish
) -> Iterator[SegmentDescription]:
    import highdicom as hd

    known = _identities(source, number)
    lesions = list(dict.fromkeys(drawing.lesion_id for drawing in source.finished.drawings))
    algorithm = None
    if wish.algorithm:
        algorithm = hd.AlgorithmIdentificationSequence(
            name=wish.algorithm,
            family=coded(ARTIFICIAL_INTELLIGENCE),
            version="unknown",
        )
    for segment, region in enumerate(mask, start=1):
        identity = known.get(region.label)
        tracked = identity.lesion_id if identity else ""
        colour = LIGHT.lines[(lesions.index(tracked) if tracked else 0) % len(LIGHT.lines)]
        made = hd.seg.SegmentDescription(
            segment_number=segment,
            segment_label=(identity.name if identity else f"label {region.label}")[:_TEXT],
            segmented_property_category=coded(ABNORMAL),
            segmented_property_type=coded(SECONDARY_NEOPLASM if identity and identity.is_node else BONY_METASTASIS),
            algorithm_type="AUTOMATIC" if algorithm else "MANUAL",
            algorithm_identification=algorithm,
            tracking_uid=uids[tracked] if tracked else None,
            tracking_id=tracked[:_TEXT] or None,
            anatomic_regions=[_region(identity)],
            display_color=hd.color.CIELabColor.from_rgb(*(int(colour[k : k + 2], 16) for k in (1, 3, 5))),
        )
        if region.name and region.name != made.segment_label and not source.pseudonymous:
            made.SegmentDescription = printable(region.name)[:_LONGEST_NAME]  # by whoever drew it, who may name anybody
        yield made


def _region(identity: _Identity | None) -> Any:
    """The anatomic region of a segment, with its side as a modifier."""
    row = identity.row if identity else {}
    site, side = row.get("site", ""), row.get("laterality", "")
    region = coded(LYMPH_NODE if identity and identity.is_node else site_code(site))
    laterality = laterality_code(side, site)
    if laterality is not None:
        region.AnatomicRegionModifierSequence = [coded(laterality)]
    return region
