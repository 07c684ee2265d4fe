"""Measurements and responses as DICOM Structured Reports (TID 1500): one document for every visit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mdanderson.criteria import OVERALL
from mdanderson.drawings import Drawing
from mdanderson.errors import InputError, MdandersonError
from mdanderson.export.baseline_sums import with_baseline_sums
from mdanderson.export.codes import IMAGING, PROCEDURES
from mdanderson.export.dicom_source import MAKER, DicomImage, as_bytes, coded, derived_uid, dicom_image, file_stem
from mdanderson.export.identities import tracking_uids
from mdanderson.export.sources import Files, Source, each_patient
from mdanderson.export.sr_groups import Group, lesion_group, patient_group
from mdanderson.export.visits import placed, places_of
from mdanderson.export.wish import Wish, Written
from mdanderson.readers import peek_date, peek_modality

if TYPE_CHECKING:
    from highdicom.sr import MeasurementReport

__all__ = ["write_dicom_sr"]

SUFFIX = ".sr.dcm"
_SERIES_NUMBER = 951
_DEVICE = "2.25.250519434174126186183017126043062372171"
"""Of the program as an observer: one for all reports."""


def write_dicom_sr(wish: Wish) -> Written:
    """One file for every visit of every scored patient that has a DICOM image."""

    def write(source: Source) -> tuple[Files, Sequence[str]]:
        return _of_patient(source, wish)

    return each_patient(wish, write, suffix=SUFFIX)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Visit:
    """One visit. order: from 1; last: whether it is the last one, at which best responses are told."""

    label: str
    date: str
    order: int
    last: bool


def _of_patient(source: Source, wish: Wish) -> tuple[Files, Sequence[str]]:
    """The files of a patient. Raises the first error where there is not one file."""
    images, faults = _images(source)
    files: dict[str, bytes] = {}
    uids = tracking_uids(source)
    notes = [f"left out: {fault}" for fault in faults]
    for visit in _visits(source):
        here = {number: image for number, (image, label) in images.items() if label == visit.label}
        if here:
            stem = file_stem(source, visit.date, visit.label if visit.label != visit.date else "")
            files[stem + SUFFIX] = as_bytes(_document(source, visit, here, uids, wish), source.written)
        else:
            notes.append(f"no SR of visit {visit.label}: it has no DICOM image")
    if not files:
        raise faults[0] if faults else InputError("no visit has an image")
    return files, notes


def _visits(source: Source) -> list[_Visit]:
    """The visits in order of date."""
    found = dict.fromkeys((row["date"], row["visit"]) for row in source.responses if row["scope"] == OVERALL)
    ordered = sorted(found)
    return [
        _Visit(label=label, date=date, order=order, last=order == len(ordered))
        for order, (date, label) in enumerate(ordered, start=1)
    ]


def _images(source: Source) -> tuple[dict[int, tuple[DicomImage, str]], list[MdandersonError]]:
    """Every DICOM image with the label of its visit, by its number; and why others are none."""
    visits = {(row["date"], row["modality"]): row["visit"] for row in source.lesions}
    visits |= {(row["date"], ""): row["visit"] for row in source.responses}
    found: dict[int, tuple[DicomImage, str]] = {}
    faults: list[MdandersonError] = []
    for number, entry in enumerate(source.patient.images):
        try:
            image = dicom_image(source, entry)
        except MdandersonError as error:
            faults.append(error)
            continue
        date = str(entry.date or peek_date(entry.image))
        modality = str(entry.modality or peek_modality(entry.image))
        label = visits.get((date, modality), visits.get((date, "")))
        if label is not None:
            found[number] = image, label
    return found, faults


def _document(
    source: Source, visit: _Visit, images: Mapping[int, DicomImage], uids: Mapping[str, str], wish: Wish
) -> Any:
    """The report of one visit, filed in the study of its first image. uids: of lesions."""
    import highdicom as hd

    from mdanderson.readers.dicom_elements import unheard

    with unheard():
        groups = list(_groups(source, visit, images, uids, wish))
        used = {str(one.SOPInstanceUID): one for group in groups for one in group.evidence}
        leading = next((group.evidence[0] for group in groups if group.evidence), None)
        first = leading if leading is not None else next(iter(images.values())).header()
        evidence = [first, *(one for uid, one in used.items() if uid != str(first.SOPInstanceUID))]
        whole = any(group.in_space for group in groups)
        return (hd.sr.Comprehensive3DSR if whole else hd.sr.ComprehensiveSR)(
            evidence=evidence,
            content=_report(groups, images)[0],
            series_instance_uid=derived_uid(source, "sr series", visit.label),
            series_number=_SERIES_NUMBER + visit.order,
            sop_instance_uid=derived_uid(source, "sr", visit.label, wish.for_ohif),
            instance_number=1,
            is_complete=True,
            is_final=False,
            series_description="Response of bone metastases (research use only)",
            **MAKER,
        )


def _report(groups: Sequence[Group], images: Mapping[int, DicomImage]) -> MeasurementReport:
    from highdicom import sr

    observer = sr.ObserverContext(
        observer_type=sr.CodedConcept(value="121007", scheme_designator="DCM", meaning="Device"),
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=_DEVICE,
            name="mdanderson",
            manufacturer_name=MAKER["manufacturer"],
            model_name=MAKER["manufacturer_model_name"],
            serial_number=MAKER["software_versions"],
        ),
    )
    modalities = dict.fromkeys(str(image.header().Modality) for image in images.values())
    return sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=[
            coded(code) for code in dict.fromkeys(PROCEDURES.get(name, IMAGING) for name in modalities)
        ],
        imaging_measurements=[group.item for group in groups],
        language_of_content_item_and_descendants=sr.LanguageOfContentItemAndDescendants(
            sr.CodedConcept(value="en-US", scheme_designator="RFC5646", meaning="English (United States)")
        ),
    )


def _groups(
    source: Source, visit: _Visit, images: Mapping[int, DicomImage], uids: Mapping[str, str], wish: Wish
) -> Iterator[Group]:
    """Every lesion of the visit, then every criteria set."""
    time_point, places = _time_point(visit), places_of(source.lesions)
    for row in source.lesions:
        if row["visit"] == visit.label:
            drawing = _drawing(source, row)
            image = images.get(drawing.image) if drawing else _image_of(row, images)
            uid = uids[row["lesion_id"]]
            whole = placed(row, places)
            yield lesion_group(source, whole, drawing, image, time_point=time_point, uid=uid, for_ohif=wish.for_ohif)
    best = {row["criteria"]: row["best_response"] for row in source.summaries} if visit.last else {}
    for row in source.responses:
        if row["visit"] == visit.label and row["scope"] == OVERALL:
            whole = with_baseline_sums(row, source.responses)
            yield patient_group(source, whole, best.get(row["criteria"], ""), time_point=time_point)


def _time_point(visit: _Visit) -> Any:
    from highdicom import sr

    from mdanderson.export.codes import BASELINE, POSTTREATMENT

    return sr.TimePointContext(
        time_point=visit.label or visit.date,
        time_point_type=coded(BASELINE if visit.order == 1 else POSTTREATMENT),
        time_point_order=visit.order,
        subject_time_point_identifier=f"{visit.order}",
    )


def _drawing(source: Source, row: Mapping[str, str]) -> Drawing | None:
    """The outline that a row of lesions.csv tells of; None where it tells of none."""
    wanted = (row["lesion_id"], row["modality"], row["date"])
    fitting = [
        one
        for one in source.finished.drawings
        if (one.lesion_id, str(one.modality), str(one.date)) == wanted and one.sequence == row["sequence"]
    ]
    return next((one for one in fitting if one.leads), fitting[0] if fitting else None)


def _image_of(row: Mapping[str, str], images: Mapping[int, DicomImage]) -> DicomImage | None:
    """An image of the row's modality, for a lesion that is outlined in none."""
    names = {"XR": {"CR", "DX", "RG"}}.get(row["modality"], {row["modality"]})
    return next((image for image in images.values() if str(image.header().Modality) in names), None)
