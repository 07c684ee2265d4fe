"""Lesions and responses as FHIR R4 resources, with the codes that the DICOM report has.

Only elements of R4 (4.0.1) are used. Subjects are named by an identifier, not by a Patient resource: what a server
knows of a patient is its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote

from mdanderson.export.codes import (
    ATTENUATION,
    BONY_METASTASIS,
    CM3,
    DIAMETER_SUM,
    HU,
    LONG_AXIS,
    LYMPH_NODE,
    MM,
    RATIO,
    SHORT_AXIS,
    SIGNAL_RATIO,
    SIZE_SUM,
    SUV_BODY_WEIGHT,
    SUV_LEAN_MASS,
    SUVBW,
    SUVLBM,
    UPTAKE_RATIO,
    VOLUME,
    Code,
    category_code,
    criteria_code,
    laterality_code,
    site_code,
    word_code,
)
from mdanderson.export.visits import PatientResults, ResultRow, Visit
from mdanderson.vocabulary import Category, Modality, Status

__all__ = ["Resource", "resources_of"]

Resource = Mapping[str, object]

_SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "NCIt": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "UMLS": "http://terminology.hl7.org/CodeSystem/umls",
    "UCUM": "http://unitsofmeasure.org",
    "99MDANDERSON": "urn:mdanderson:codes",
}
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_ID_CHARACTERS = 40
_PERCENT = 100

_GROUP = Code(value="125007", scheme="DCM", meaning="Measurement Group")
_FINDING = Code(value="121071", scheme="DCM", meaning="Finding")
_TRACKING = Code(value="112039", scheme="DCM", meaning="Tracking Identifier")
_LATERALITY = Code(value="272741003", scheme="SCT", meaning="Laterality")
_CURRENT = Code(value="112048", scheme="DCM", meaning="Current Response")
_RESPONSE = Code(value="88040-1", scheme="LN", meaning="Response to cancer treatment")
_STATUS = Code(value="STATUS", scheme="99MDANDERSON", meaning="Status of the lesion since baseline")
_CHANGE = Code(value="SUMCHANGE", scheme="99MDANDERSON", meaning="Change of the sum since baseline")
_CHANGE_NADIR = Code(value="SUMCHANGENADIR", scheme="99MDANDERSON", meaning="Change of the sum since its nadir")
_NEW = Code(value="NEWLESIONS", scheme="99MDANDERSON", meaning="New lesions")
_PER_CENT = Code(value="%", scheme="UCUM", meaning="percent")

_MEASURED = (
    ("long_axis_mm", LONG_AXIS, MM),
    ("short_axis_mm", SHORT_AXIS, MM),
    ("volume_ml", VOLUME, CM3),
    ("mean_hu", ATTENUATION, HU),
    ("suv_max", SUV_BODY_WEIGHT, SUVBW),
    ("suv_peak", SUV_LEAN_MASS, SUVLBM),
    ("signal_ratio", SIGNAL_RATIO, RATIO),
    ("uptake_ratio", UPTAKE_RATIO, RATIO),
)
"""Column of lesions.csv, what it is, and its unit."""
_SILENT = {Status.MISSING, Status.AMBIGUOUS, Status.NOT_EVALUABLE}


def resources_of(patient: PatientResults, *, study: str = "") -> Iterator[Resource]:
    """Every Observation and DiagnosticReport of a patient: of lesions, of responses, and the reports on these."""
    maker = _Maker(patient, study)
    by_visit: dict[int, list[str]] = {}
    for row in patient.lesions:
        lesion = maker.lesion(row)
        by_visit.setdefault(patient.visit_of(row).number, []).append(f"Observation/{lesion['id']}")
        yield lesion
    for row in patient.responses:
        visit = patient.visit_of(row)
        results = list(by_visit.get(visit.number, ()))
        if row["category"] != Category.BL:
            response = maker.response(row, visit)
            results.insert(0, f"Observation/{response['id']}")
            yield response
        yield maker.report(row, visit, results)


class _Maker:
    """Makes the resources of one patient."""

    def __init__(self, patient: PatientResults, study: str) -> None:
        self._patient, self._study = patient, study
        system = f"urn:mdanderson:study:{quote(study, safe='')}" if study else "urn:mdanderson:patient"
        self._subject = {"identifier": {"system": system, "value": patient.patient_id}}

    def lesion(self, row: ResultRow) -> Resource:
        """One lesion in one image: what was measured, its place, and its category by MD Anderson."""
        placed = self._patient.placed(row)
        components = [
            _component(_TRACKING, valueString=row["lesion_id"]),
            _component(_STATUS, valueCodeableConcept=_concept(word_code(row["status"]))),
        ]
        is_node = placed["node"] == "true"
        if not is_node:
            components.insert(1, _component(_FINDING, valueCodeableConcept=_concept(BONY_METASTASIS)))
        side = laterality_code(placed["laterality"], placed["site"])
        if side is not None:
            components.append(_component(_LATERALITY, valueCodeableConcept=_concept(side)))
        for column, code, unit in _MEASURED:
            if row[column] and (code is not ATTENUATION or row["modality"] == Modality.CT):
                components.append(_component(code, valueQuantity=_quantity(Decimal(row[column]), unit)))
        if row["category"] and row["category"] != Category.BL:
            components.append(_component(_CURRENT, valueCodeableConcept=_concept(category_code(row["category"]))))
        key = (row["date"], row["visit"], row["modality"], row["sequence"], row["lesion_id"], row["label"])
        made: dict[str, object] = {
            **self._opening("Observation", "lesion", *key),
            "status": _STATUS_OF_ALL,
            "category": [_coded(_CATEGORY, "imaging", "Imaging")],
            "code": _concept(_GROUP),
            "subject": self._subject,
            "effectiveDateTime": row["date"],
            "bodySite": _concept(LYMPH_NODE if is_node else site_code(placed["site"]))
            | ({"text": placed["site"]} if placed["site"] else {}),
            "method": _concept(_MODALITIES[Modality(row["modality"])]),
            "component": components,
        }
        if Status(row["status"]) in _SILENT:
            made["dataAbsentReason"] = _coded(_ABSENT, "not-performed", "Not Performed")
        return made | _note(row["reason"])

    def response(self, row: ResultRow, visit: Visit) -> Resource:
        """The response of one visit by one criteria set, with the sum that it rests on."""
        components = []
        for column, code in (("size_sum_mm", SIZE_SUM), ("long_axis_sum_mm", DIAMETER_SUM)):
            if row[column]:
                components.append(_component(code, valueQuantity=_quantity(Decimal(row[column]), MM)))
        for column, code in (("size_change_baseline", _CHANGE), ("size_change_nadir", _CHANGE_NADIR)):
            if row[column]:
                change = Decimal(row[column]) * _PERCENT
                components.append(_component(code, valueQuantity=_quantity(change, _PER_CENT)))
        if row["lesions_new"]:
            components.append(_component(_NEW, valueInteger=int(row["lesions_new"])))
        made: dict[str, object] = {
            **self._opening("Observation", "response", visit.label, row["date"], row["criteria"]),
            "status": _STATUS_OF_ALL,
            "category": [_coded(_CATEGORY, "imaging", "Imaging")],
            "code": _concept(_RESPONSE),
            "subject": self._subject,
            "effectiveDateTime": row["date"],
            "method": _concept(criteria_code(row["criteria"])),
            "valueCodeableConcept": _concept(category_code(row["category"])),
        }
        if components:
            made["component"] = components
        return made | _note(_told(row))

    def report(self, row: ResultRow, visit: Visit, results: Sequence[str]) -> Resource:
        """The report of one visit by one criteria set: what was seen, and what it comes to."""
        criteria = criteria_code(row["criteria"])
        made: dict[str, object] = {
            **self._opening("DiagnosticReport", "report", visit.label, row["date"], row["criteria"]),
            "status": _STATUS_OF_ALL,
            "category": [_coded(_SECTION, "RAD", "Radiology")],
            "code": _concept(_RESPONSE) | {"text": f"{_RESPONSE.meaning}: {criteria.meaning}"},
            "subject": self._subject,
            "effectiveDateTime": row["date"],
        }
        if results:
            made["result"] = [{"reference": reference} for reference in results]
        if told := _told(row):
            made["conclusion"] = told
        if row["category"] != Category.BL:
            made["conclusionCode"] = [_concept(category_code(row["category"]))]
        return made

    def _opening(self, kind: str, *key: str) -> dict[str, object]:
        """Type and id: the same for the same thing in every export, and no text of it can be read off."""
        told = "\x1f".join((self._study, self._patient.patient_id, *key))
        return {"resourceType": kind, "id": hashlib.sha256(told.encode()).hexdigest()[:_ID_CHARACTERS]}


_STATUS_OF_ALL = "preliminary"
"""As the DICOM report is, which is not final either: no human has verified what a program says."""
_WAITS = "not yet confirmed"
_MODALITIES = {
    Modality.CT: Code(value="CT", scheme="DCM", meaning="Computed Tomography"),
    Modality.MR: Code(value="MR", scheme="DCM", meaning="Magnetic Resonance"),
    Modality.NM: Code(value="NM", scheme="DCM", meaning="Nuclear Medicine"),
    Modality.PT: Code(value="PT", scheme="DCM", meaning="Positron emission tomography"),
    Modality.XR: Code(value="RG", scheme="DCM", meaning="Radiographic imaging"),
}


def _told(row: ResultRow) -> str:
    """Why a response is what it is, and whether it waits for its confirmation."""
    return "; ".join(filter(None, (row["reason"], _WAITS if row["unconfirmed"] == "true" else "")))


def _concept(code: Code) -> dict[str, object]:
    return _coded(_SYSTEMS[code.scheme], code.value, code.meaning)


def _coded(system: str, code: str, display: str) -> dict[str, object]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _quantity(value: Decimal, unit: Code) -> dict[str, object]:
    return {"value": float(value), "unit": unit.meaning, "system": _SYSTEMS[unit.scheme], "code": unit.value}


def _component(code: Code, **value: object) -> dict[str, object]:
    return {"code": _concept(code), **value}


def _note(text: str) -> dict[str, object]:
    return {"note": [{"text": text}]} if text else {}
