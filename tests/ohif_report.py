"""Structured reports as other programs write them, built element by element: no library of ours has a hand in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import DataElement, Dataset
from pydicom.config import IGNORE, settings
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

TRACKING = "Cornerstone3DTools@^0.1.0:Bidirectional"
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_SR, COMPREHENSIVE_3D = "1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.34"
OLD = {"long": ("G-A185", "SRT"), "short": ("G-A186", "SRT"), "site": ("G-C0E3", "SRT")}
NEW = {"long": ("103339001", "SCT"), "short": ("103340004", "SCT"), "site": ("363698007", "SCT")}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One bidirectional measurement. label: as a user types it in OHIF, as free text of a code."""

    long: str
    short: str
    label: str = ""
    tracking: str = TRACKING
    uid: str = "1.2.3.4"
    site: tuple[str, str, str] | None = None
    side: str = ""
    unit: str = "mm"
    sop_class: str = CT


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A code as it is written in the wild: that of OHIF's free text is longer than DICOM allows."""
    item = Dataset()
    item.add(DataElement("CodeValue", "SH", value, validation_mode=IGNORE))
    item.CodingSchemeDesignator, item.CodeMeaning = scheme, meaning
    return item


def content(kind: str, name: Dataset | None, *children: Dataset, relation: str = "CONTAINS") -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    if name is not None:
        item.ConceptNameCodeSequence = [name]
    if children:
        item.ContentSequence = list(children)
    return item


def number(name: Dataset, value: str, unit: str, *children: Dataset) -> Dataset:
    item = content("NUM", name, *children)
    measured = Dataset()
    measured.MeasurementUnitsCodeSequence = [code(unit, "UCUM", unit)]
    measured.add_new("NumericValue", "DS", value)
    item.MeasuredValueSequence = [measured]
    return item


def line(sop_class: str) -> Dataset:
    image = content("IMAGE", None, relation="SELECTED FROM")
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = sop_class, "1.2.3.99"
    image.ReferencedSOPSequence = [reference]
    drawn = content("SCOORD", None, image, relation="INFERRED FROM")
    drawn.GraphicType, drawn.GraphicData = "POLYLINE", [10.0, 10.0, 30.0, 10.0]
    return drawn


def coded(name: Dataset, value: Dataset, *children: Dataset) -> Dataset:
    item = content("CODE", name, *children)
    item.ConceptCodeSequence = [value]
    return item


def group(one: Measured, codes: dict[str, tuple[str, str]]) -> Dataset:
    """A measurement group as dcmjs has it; the orders of a time point stand among the numbers."""
    identifier = content("TEXT", code("112039", "DCM", "Tracking Identifier"), relation="HAS OBS CONTEXT")
    identifier.TextValue = one.tracking
    unique = content("UIDREF", code("112040", "DCM", "Tracking Unique Identifier"), relation="HAS OBS CONTEXT")
    unique.UID = one.uid
    children = [identifier, unique]
    if one.label:
        free = code("CORNERSTONEFREETEXT", "CORNERSTONEJS", one.label)
        children.append(coded(code("121071", "DCM", "Finding"), free))
    if one.site:
        side = [coded(code("272741003", "SCT", "Laterality"), code("7771000", "SCT", one.side))] if one.side else []
        children.append(coded(code(*codes["site"], "Finding Site"), code(*one.site), *side))
    children.append(number(code("126073", "DCM", "Time Point Order"), "7", "1"))
    shown = [line(one.sop_class)] if one.sop_class else []
    for name, value in (("long", one.long), ("short", one.short)):
        if value:
            children.append(number(code(*codes[name], f"{name.title()} Axis"), value, one.unit, *shown))
    return content("CONTAINER", code("125007", "DCM", "Measurement Group"), *children)


def write_report(
    path: Path,
    measured: Sequence[Measured | Dataset],
    *,
    date: str = "20240105",
    patient: str = "P01",
    codes: dict[str, tuple[str, str]] = NEW,
    uid: str = "",
    sop_class: str = COMPREHENSIVE_3D,
    observer: str = "",
    replaces: str = "",
    **header: str,
) -> Path:
    """A report of one study; measured: measurements, or groups as they stand; header: its other elements."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = sop_class, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = uid or f"1.2.{abs(hash(path.name)) % 10**9}"
    report = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    report.SOPClassUID, report.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    report.Modality, report.StudyDate, report.PatientID, report.PatientName = "SR", date, patient, "DOE^JANE"
    groups = [group(one, codes) if isinstance(one, Measured) else one for one in measured]
    children = [content("CONTAINER", code("126010", "DCM", "Imaging Measurements"), *groups)]
    if observer:
        person = content("PNAME", code("121008", "DCM", "Person Observer Name"), relation="HAS OBS CONTEXT")
        person.PersonName = observer
        children.insert(0, person)
    report.SpecificCharacterSet, report.ValueType = "ISO_IR 192", "CONTAINER"
    report.ConceptNameCodeSequence = [code("126000", "DCM", "Imaging Measurement Report")]
    report.ContentSequence = children
    if replaces:
        study, series, instance = Dataset(), Dataset(), Dataset()
        instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = sop_class, replaces
        series.ReferencedSOPSequence = [instance]
        study.ReferencedSeriesSequence = [series]
        report.PredecessorDocumentsSequence = [study]
    for keyword, value in header.items():
        setattr(report, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = settings.writing_validation_mode
    settings.writing_validation_mode = IGNORE
    try:
        report.save_as(path, enforce_file_format=True)
    finally:
        settings.writing_validation_mode = mode
    return path
