"""Measurement groups of a report (TID 1501): one for a lesion in an image, one for a patient by a criteria set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mdanderson.drawings import Drawing, Point
from mdanderson.export import codes
from mdanderson.export.codes import Code
from mdanderson.export.dicom_source import DicomImage, coded, uid_from
from mdanderson.export.sources import Source
from mdanderson.readers.dicom_elements import numbers

if TYPE_CHECKING:
    from highdicom.sr import (
        CoordinatesForMeasurement,
        CoordinatesForMeasurement3D,
        Measurement,
        MeasurementsAndQualitativeEvaluations,
        QualitativeEvaluation,
    )
    from pydicom import Dataset

__all__ = ["Group", "lesion_group", "patient_group"]

_TEXT = 64
_BASELINE = "BL"
_SEEN_IN_IMAGES = frozenset({"CR1", "CR2", "CR3", "CR4", "PR1"})
"""Rows on density, signal and rim, which no number of the report lets anybody judge again; complete is more than PR."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Quantity:
    """A column of lesions.csv as a measurement. only: the modalities that it is told of; none = all."""

    column: str
    name: Code
    unit: Code
    derivation: Code | None = None
    only: tuple[str, ...] = ()


_QUANTITIES = (
    _Quantity(column="volume_ml", name=codes.VOLUME, unit=codes.CM3),
    _Quantity(column="mean_hu", name=codes.ATTENUATION, unit=codes.HU, derivation=codes.MEAN, only=("CT",)),
    _Quantity(column="suv_max", name=codes.SUV_BODY_WEIGHT, unit=codes.SUVBW, derivation=codes.MAXIMUM),
    _Quantity(column="suv_peak", name=codes.SUV_LEAN_MASS, unit=codes.SUVLBM, derivation=codes.PEAK),
    _Quantity(column="signal_ratio", name=codes.SIGNAL_RATIO, unit=codes.RATIO),
    _Quantity(column="uptake_ratio", name=codes.UPTAKE_RATIO, unit=codes.RATIO),
)
"""What is told beside the two axes, which have their ends in the image."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Group:
    """A group of the report. evidence: headers of the instances it refers to. in_space: has coordinates in mm."""

    item: MeasurementsAndQualitativeEvaluations
    evidence: tuple[Dataset, ...] = ()
    in_space: bool = False


def lesion_group(
    source: Source,
    row: Mapping[str, str],
    drawing: Drawing | None,
    image: DicomImage | None,
    *,
    time_point: Any,
    uid: str,
    for_ohif: bool,
) -> Group:
    """One row of lesions.csv, with its place. drawing: its outline, image: the image of it, where there are such.

    uid: the lesion's.
    """
    from highdicom import sr

    at = _Place.of(drawing, image)
    lesion_id = row["lesion_id"]
    name = f"{codes.OHIF_TRACKING}:{lesion_id}" if for_ohif else lesion_id
    laterality = codes.laterality_code(row["laterality"], row["site"])
    is_node = row["node"] == "true"
    item = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=uid, identifier=name),
        time_point_context=time_point,
        finding_type=None if is_node else coded(codes.BONY_METASTASIS),
        method=coded(codes.criteria_code("who")) if row["long_axis_mm"] else None,
        finding_sites=[
            sr.FindingSite(
                anatomic_location=coded(codes.LYMPH_NODE if is_node else codes.site_code(row["site"])),
                laterality=coded(laterality) if laterality else None,
            )
        ],
        measurements=[*_axes(row, drawing, at), *_others(row, drawing)] or None,
        qualitative_evaluations=list(_of_lesion(source, row)),
        source_images=[at.reference()] if at.header is not None else None,
    )
    return Group(item=item, evidence=() if at.header is None else (at.header,), in_space=at.in_space)


def patient_group(source: Source, row: Mapping[str, str], best: str, *, time_point: Any) -> Group:
    """What one criteria set says of the patient: an overall row of responses.csv; best: response, where it is due."""
    from highdicom import sr

    criteria = row["criteria"]
    method = coded(codes.criteria_code(criteria))
    told = [_evaluation(codes.RESPONSE_METHOD, codes.criteria_code(criteria))]
    if row["category"] not in {"", _BASELINE}:
        told.append(_evaluation(codes.CURRENT_RESPONSE, codes.category_code(row["category"])))
    if best:
        told.append(_evaluation(codes.BEST_RESPONSE, codes.category_code(best)))
    sums = [_measurement(codes.SIZE_SUM, row["size_sum_mm"], codes.MM)] if row["size_sum_mm"] else None
    item = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=uid_from("patient", source.finished.patient_id, criteria), identifier=f"patient {criteria}"
        ),
        time_point_context=time_point,
        method=method,
        measurements=sums,
        qualitative_evaluations=told,
    )
    return Group(item=item)


def _of_lesion(source: Source, row: Mapping[str, str]) -> Iterator[QualitativeEvaluation]:
    """What is said of a lesion: what became of it, in which sequence, its category by the set that judges lesions."""
    yield _evaluation(codes.STATUS, codes.word_code(row["status"]))
    if row["lesion_type"]:
        yield _evaluation(codes.LESION_TYPE, codes.word_code(row["lesion_type"]))
    if row["status"] == "merged":
        for parent in filter(None, row["parents"].split(";")):
            yield _evaluation(codes.PARENT, codes.word_code(parent))
    fired = [rule for rule in row["rules"].split(";") if rule in _SEEN_IN_IMAGES]
    if fired:
        yield _evaluation(codes.RULE, codes.word_code(min(fired)))
    if row["sequence"]:
        yield _evaluation(codes.SEQUENCE, codes.word_code(row["sequence"]))
    if row["category"] not in {"", _BASELINE}:
        judged_by = next((name for name in source.criteria if name.startswith("mda")), "mda2010")
        yield _evaluation(codes.RESPONSE_METHOD, codes.criteria_code(judged_by))
        yield _evaluation(codes.CURRENT_RESPONSE, codes.category_code(row["category"]))


def _axes(row: Mapping[str, str], drawing: Drawing | None, at: _Place) -> Iterator[Measurement]:
    """Both axes, each with its two ends where they are known."""
    for column, name in (("long_axis_mm", codes.LONG_AXIS), ("short_axis_mm", codes.SHORT_AXIS)):
        if row[column]:
            ends = None if drawing is None else getattr(drawing, column.replace("_axis_mm", "_ends_lps_mm"))
            line = at.line(ends) if ends is not None else None
            yield _measurement(name, row[column], codes.MM, coordinates=line)


def _others(row: Mapping[str, str], drawing: Drawing | None) -> Iterator[Measurement]:
    for one in _QUANTITIES:
        if row[one.column] and (not one.only or row["modality"] in one.only):
            yield _measurement(one.name, row[one.column], one.unit, derivation=one.derivation)
    if row["mean_hu"] and row["modality"] == "CT" and drawing is not None and drawing.sd_hu is not None:
        yield _measurement(codes.ATTENUATION, f"{drawing.sd_hu:.1f}", codes.HU, derivation=codes.SD)


def _measurement(
    name: Code, value: str, unit: Code, *, derivation: Code | None = None, coordinates: Any = None
) -> Measurement:
    from highdicom import sr

    return sr.Measurement(
        name=coded(name),
        value=float(value),
        unit=coded(unit),
        derivation=coded(derivation) if derivation else None,
        referenced_coordinates=[coordinates] if coordinates is not None else None,
    )


def _evaluation(name: Code, value: Code) -> QualitativeEvaluation:
    from highdicom import sr

    return sr.QualitativeEvaluation(name=coded(name), value=coded(value))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Place:
    """Where an outline lies. header: of the instance that shows it; to_pixels: None where its plane is no instance's.

    in_space: its lines are given in mm, as the plane that was measured was never acquired.
    """

    header: Dataset | None
    frame: int | None = None
    drawing: Drawing | None = None
    in_space: bool = False

    @classmethod
    def of(cls, drawing: Drawing | None, image: DicomImage | None) -> _Place:
        """The place of an outline in its image."""
        if image is None:
            return cls(header=None)
        if drawing is None or drawing.plane is None or len(image.planes) == 1:
            return cls(header=image.header(), frame=image.planes[0].frame, drawing=drawing)
        if drawing.axis == 0 and drawing.own_grid:
            plane = image.planes[drawing.plane]
            return cls(header=image.header(drawing.plane), frame=plane.frame, drawing=drawing)
        return cls(header=image.header(), frame=image.planes[0].frame, drawing=drawing, in_space=True)

    def reference(self) -> Any:
        """The instance, as a group refers to it."""
        from highdicom import sr

        assert self.header is not None  # noqa: S101 - asked for where there is one
        return sr.SourceImageForMeasurementGroup(
            referenced_sop_class_uid=self.header.SOPClassUID,
            referenced_sop_instance_uid=self.header.SOPInstanceUID,
            referenced_frame_numbers=[self.frame] if self.frame else None,
        )

    def line(self, ends_lps_mm: tuple[Point, Point]) -> CoordinatesForMeasurement | CoordinatesForMeasurement3D | None:
        """A polyline of two points in pixels, or in mm; None where the image has no place."""
        from highdicom import sr

        if self.header is None or self.drawing is None:
            return None
        frame_of_reference = str(self.header.get("FrameOfReferenceUID") or "")
        if self.in_space:
            if not frame_of_reference:
                return None
            points = np.array(ends_lps_mm, dtype=np.float64)
            return sr.CoordinatesForMeasurement3D(
                graphic_type="POLYLINE", graphic_data=points, frame_of_reference_uid=frame_of_reference
            )
        pixels = _pixels(self.header, self.frame, ends_lps_mm)
        if pixels is None:
            return None
        return sr.CoordinatesForMeasurement(
            graphic_type="POLYLINE",
            graphic_data=pixels,
            source_image=sr.SourceImageForRegion(
                referenced_sop_class_uid=self.header.SOPClassUID,
                referenced_sop_instance_uid=self.header.SOPInstanceUID,
                referenced_frame_numbers=[self.frame] if self.frame else None,
            ),
        )


def _pixels(header: Dataset, frame: int | None, ends_lps_mm: tuple[Point, Point]) -> Any:
    """(2, 2) column and row of each end, the outer corner of the first pixel being 0, 0 (PS3.3 C.18.6).

    None where the instance says no place: a picture, or a file that lacks it.
    """
    found = _grid(header, frame)
    if found is None:
        return None
    origin, column, row, spacing = found
    offsets = np.array(ends_lps_mm) - origin
    return np.stack([offsets @ column / spacing[1], offsets @ row / spacing[0]], axis=1) + 0.5


def _grid(header: Dataset, frame: int | None) -> tuple[Any, Any, Any, Any] | None:
    """Place of the first pixel, directions along a row and along a column, and spacing, of an instance or a frame."""
    found = []
    for group, keyword, count in (
        ("PlanePositionSequence", "ImagePositionPatient", 3),
        ("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        ("PixelMeasuresSequence", "PixelSpacing", 2),
    ):
        level = header if frame is None else _in_groups(header, frame, group)
        value = None if level is None else numbers(level, keyword, count=count)
        if value is None:
            return None
        found.append(value)
    position, orientation, spacing = found
    return position, orientation[:3], orientation[3:], spacing


def _in_groups(header: Dataset, frame: int, group: str) -> Dataset | None:
    """The item of a functional group, of a frame or shared by all."""
    own = header.get("PerFrameFunctionalGroupsSequence") or []
    shared = header.get("SharedFunctionalGroupsSequence") or []
    for place in (*own[frame - 1 : frame], *shared):
        if place.get(group):
            item: Dataset = place[group][0]
            return item
    return None
