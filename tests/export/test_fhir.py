"""FHIR: every resource valid, of R4 elements alone, the same every time, and its numbers are ours."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter

import pytest
from exported import classified_in, wish

import mdanderson as mda
from mdanderson.errors import OutputError, SettingsError
from mdanderson.export import fhir
from mdanderson.export.fhir import write_fhir

pytest.importorskip("fhir.resources")

R4_OBSERVATION = {
    *("resourceType", "id", "meta", "text", "identifier", "basedOn", "partOf", "status", "category", "code", "subject"),
    *("focus", "encounter", "effectiveDateTime", "issued", "performer", "valueQuantity", "valueCodeableConcept"),
    *("valueString", "valueInteger", "dataAbsentReason", "interpretation", "note", "bodySite", "method", "specimen"),
    *("device", "referenceRange", "hasMember", "derivedFrom", "component"),
}
R4_REPORT = {
    *("resourceType", "id", "meta", "text", "identifier", "basedOn", "status", "category", "code", "subject"),
    *("encounter", "effectiveDateTime", "issued", "performer", "resultsInterpreter", "specimen", "result"),
    *("imagingStudy", "media", "conclusion", "conclusionCode", "presentedForm"),
}
"""Elements of the two resources in FHIR 4.0.1."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return classified_in(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def resources(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fhir")
    written = write_fhir(wish(results, folder))
    assert [path.name for path in written.files] == ["Observation.ndjson", "DiagnosticReport.ndjson"]
    return [json.loads(line) for path in written.files for line in path.read_text(encoding="utf-8").splitlines()]


def of(resources, kind):
    return [one for one in resources if one["resourceType"] == kind]


def components(resource):
    return {one["code"]["coding"][0]["code"]: one for one in resource.get("component", ())}


def lesions(resources):
    return [one for one in of(resources, "Observation") if one["code"]["coding"][0]["code"] == "125007"]


def test_only_elements_of_r4(resources):
    for kind, known in (("Observation", R4_OBSERVATION), ("DiagnosticReport", R4_REPORT)):
        assert all(one.keys() <= known for one in of(resources, kind))


def test_ids_are_unique_valid_and_told_by_references(resources):
    ids = [one["id"] for one in resources]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", one) for one in ids)
    referred = {result["reference"] for one in of(resources, "DiagnosticReport") for result in one.get("result", ())}
    assert referred <= {f"Observation/{one['id']}" for one in of(resources, "Observation")}


def test_axes_are_those_of_lesions_csv(resources, results):
    frame = results.lesions
    for code, column in (("103339001", "long_axis_mm"), ("103340004", "short_axis_mm")):
        told = [components(one)[code]["valueQuantity"] for one in lesions(resources) if code in components(one)]
        assert Counter(one["value"] for one in told) == Counter(float(value) for value in frame[column].dropna())
        assert {(one["system"], one["code"]) for one in told} == {("http://unitsofmeasure.org", "mm")}
    assert len(lesions(resources)) == len(frame)


def test_a_report_for_every_visit_and_set(resources, results):
    frame = results.responses
    overall = frame[frame.scope == "overall"]
    reports = of(resources, "DiagnosticReport")
    assert len(reports) == len(overall)
    assert sum("conclusionCode" in one for one in reports) == int((overall.category != "BL").sum())
    assert {one["status"] for one in resources} == {"preliminary"}  # nobody has verified them
    waiting = sum(one["conclusion"].endswith("; not yet confirmed") for one in reports)
    assert waiting == int(overall.unconfirmed.sum()) > 0


def test_published_codes_of_a_response(resources):
    coded = {
        (one["method"]["coding"][0]["code"], one["valueCodeableConcept"]["coding"][0]["code"])
        for one in of(resources, "Observation")
        if one["code"]["coding"][0]
        == {"system": "http://loinc.org", "code": "88040-1", "display": "Response to cancer treatment"}
    }
    assert {("C126011", "C18213"), ("C126011", "C35571"), ("126081", "C35571")} <= coded


def test_every_change_has_the_sum_that_it_is_of(resources):
    """Of both diameters by MD Anderson, of long ones by RECIST."""
    told = [
        components(one).keys()
        for one in of(resources, "Observation")
        if "SUMCHANGE" in components(one) and one["method"]["coding"][0]["code"] in {"C126011", "126081", "IRECIST"}
    ]
    assert told
    assert all({"SUMLDSD", "SUMLD"} & one for one in told)
    assert any("SUMLDSD" not in one for one in told)


def test_place_and_side(resources):
    places = {
        (
            one["bodySite"]["coding"][0]["code"],
            components(one).get("272741003", {}).get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code"),
        )
        for one in lesions(resources)
    }
    assert {("36470004", None), ("113197003", "7771000"), ("71341001", "7771000"), ("56873002", None)} <= places


def test_a_node_is_no_bony_metastasis_at_any_visit(tmp_path):
    """Readers call it a node once, when they first see it."""
    head = "patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm,lesion_type,node,site,laterality"
    rows = ["01-05,CT,L1,32,21,lytic,,L3,", "01-05,CT,N1,22,18,,true,inguinal node,left"]
    rows += ["04-05,CT,L1,30,20,,,,", "04-05,CT,N1,21,17,,,,"]
    table = tmp_path / "in" / "t.csv"
    table.parent.mkdir()
    table.write_text("\n".join([head, *(f"P,2024-{row}" for row in rows)]) + "\n")
    written = write_fhir(wish(mda.classify(table, tmp_path / "out", workers=1), tmp_path / "fhir"))
    made = [json.loads(line) for line in written.files[0].read_text(encoding="utf-8").splitlines()]
    told = {
        (one["effectiveDateTime"], components(one)["112039"]["valueString"]): (
            one["bodySite"]["coding"][0]["code"],
            "121071" in components(one),
        )
        for one in lesions(made)
    }
    assert told == {
        ("2024-01-05", "L1"): ("36470004", True),
        ("2024-01-05", "N1"): ("59441001", False),
        ("2024-04-05", "L1"): ("36470004", True),
        ("2024-04-05", "N1"): ("59441001", False),
    }


def test_what_says_nothing_says_that_it_is_absent(resources):
    silent = [one for one in lesions(resources) if "dataAbsentReason" in one]
    assert silent
    assert not any("103339001" in components(one) for one in silent)
    assert all(one["note"][0]["text"] for one in silent)


def test_subjects_are_named_by_identifier_alone(resources):
    assert {json.dumps(one["subject"], sort_keys=True) for one in resources} == {
        json.dumps({"identifier": {"system": "urn:mdanderson:study:ABC-01", "value": name}}, sort_keys=True)
        for name in ("P01", "P02", "P03")
    }
    assert "HYPERLINK" not in json.dumps(resources)  # a reader's remark may name anybody


def test_ids_depend_on_study_and_patient_alone(results, tmp_path, resources):
    write_fhir(wish(results, tmp_path / "again"))
    again = (tmp_path / "again" / "Observation.ndjson").read_text(encoding="utf-8")
    assert [json.loads(line) for line in again.splitlines()] == of(resources, "Observation")
    write_fhir(wish(results, tmp_path / "other", "XYZ"))
    other = (tmp_path / "other" / "Observation.ndjson").read_text(encoding="utf-8")
    assert not {json.loads(line)["id"] for line in other.splitlines()} & {one["id"] for one in resources}


def test_twice_is_the_same_to_the_byte(results, tmp_path):
    prints = []
    for _ in range(2):
        write_fhir(wish(results, tmp_path))
        prints.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(tmp_path.iterdir())])
    assert prints[0] == prints[1]


def test_somebody_elses_files_are_left_alone(results, tmp_path):
    (tmp_path / "Observation.ndjson").write_text("{}\n")
    with pytest.raises(OutputError, match=r"Observation\.ndjson is there already"):
        write_fhir(wish(results, tmp_path))
    assert (tmp_path / "Observation.ndjson").read_text() == "{}\n"


def test_an_invalid_resource_is_written_nowhere(results, tmp_path, monkeypatch):
    broken = {"resourceType": "Observation", "id": "a b", "status": "final"}
    monkeypatch.setattr(fhir, "resources_of", lambda *_, **__: iter([broken]))
    with pytest.raises(OutputError, match="a FHIR Observation would not be valid"):
        write_fhir(wish(results, tmp_path))
    assert not list(tmp_path.iterdir())


def test_without_the_extra_one_line(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fhir.resources", None)
    with pytest.raises(SettingsError, match=r"FHIR needs the extra `export`"):
        write_fhir(wish(results, tmp_path))
