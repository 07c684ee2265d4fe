"""Lesions as SDTM has them: TU, a row where one is identified, merges or splits; TR, one per lesion, test and visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from mdanderson.export.sdtm_domains import TR, TU
from mdanderson.export.sdtm_places import place_of
from mdanderson.export.sdtm_rows import Cell, Subject
from mdanderson.export.sdtm_terms import (
    IDENTIFIED,
    LESION_TESTS,
    METHODS,
    NOT_DONE,
    PATIENT_TESTS,
    TUMOUR_TESTS,
    Test,
)
from mdanderson.export.visits import ResultRow, Visit
from mdanderson.vocabulary import Modality, Status

__all__ = ["add_lesions", "link_group", "measured"]

_GONE = "ABSENT"
_THERE = "PRESENT"
_UNMEASURED = "NOT MEASURED"
_SILENT = {Status.MISSING, Status.AMBIGUOUS, Status.NOT_EVALUABLE}
_FRESH = {Status.NEW}
_SIZE = ("LDIAM", "LPERP")
"""Tests that an image which shows outlines is expected to give."""
_HU = "RADIODEN"


def add_lesions(subject: Subject) -> None:
    """The rows of TU and TR of one patient, with their supplemental qualifiers."""
    identified: set[tuple[str, str]] = set()
    rows = sorted(subject.patient.lesions, key=lambda row: (row["date"], row["lesion_id"], _method_order(row)))
    for row in rows:
        if _is_seen(row):
            _identify(subject, row, identified)
    for row in rows:
        _measure(subject, row)


def link_group(visit: Visit) -> str:
    """TRLNKGRP and RSLNKGRP: what was measured at a visit, and the responses that rest on it."""
    return f"A{visit.number}"


def measured(test: Test, cell: str) -> dict[str, Cell]:
    """Result and unit of a test, from a cell of ours."""
    value = Decimal(cell) * test.factor
    text = f"{value.normalize():f}"
    return {
        "TRTESTCD": test.code,
        "TRTEST": test.name,
        "TRORRES": text,
        "TRORRESU": test.unit,
        "TRSTRESC": text,
        "TRSTRESN": float(value),
        "TRSTRESU": test.unit,
    }


def _identify(subject: Subject, row: ResultRow, identified: set[tuple[str, str]]) -> None:
    """A row of TU when a lesion is first seen, first merged, or first split."""
    happened = {Status.MERGED: "TUMERGE", Status.SPLIT: "TUSPLIT"}.get(Status(row["status"]), "TUMIDENT")
    wanted = [(row["lesion_id"], "TUMIDENT")] if happened != "TUMERGE" else []
    wanted += [(_link(row), happened)] if happened != "TUMIDENT" else []
    for link, code in wanted:
        if (link, code) not in identified:
            identified.add((link, code))
            _add_identified(subject, row, link, TUMOUR_TESTS[code])


def _add_identified(subject: Subject, row: ResultRow, link: str, test: Test) -> None:
    visit, placed = subject.patient.visit_of(row), subject.patient.placed(row)
    place = place_of(placed)
    group = f"{link} {test.code}"
    subject.add(
        TU,
        {
            "TUGRPID": group,
            "TULNKID": link,
            "TUTESTCD": test.code,
            "TUTEST": test.name,
            "TUORRES": _identity(row),
            "TUSTRESC": _identity(row),
            "TULOC": place.location,
            "TULAT": place.laterality,
            "TUMETHOD": METHODS[Modality(row["modality"])],
            **subject.when("TU", visit, dt.date.fromisoformat(row["date"])),
        },
    )
    subject.qualify(TU, group, "IDSTATUS", "Status at Identification", row["status"])
    subject.qualify(TU, group, "LESTYPE", "Lytic, Blastic or Mixed", row["lesion_type"])
    subject.qualify(TU, group, "LOCDTL", "Location in Words", placed["site"])
    subject.qualify(TU, group, "LOCSRC", "How the Location Was Found", placed["site_source"])
    subject.qualify(TU, group, "LABEL", "Label in the Segmentation", row["label"])
    subject.qualify(TU, group, "READER", "Reader", row["reader"])


def _identity(row: ResultRow) -> str:
    """What a lesion is when it is identified; a target only where a reader calls it one."""
    is_new = Status(row["status"]) in _FRESH
    if row["target"] == "true" or row["target"] == "false":
        named = IDENTIFIED[row["target"] == "true"]
        return "NEW" if is_new else named
    if row["node"] == "true":
        return "NEW" if is_new else "NON-TARGET"
    return "NEW BONE LESION" if is_new else "BONE LESION"


def _measure(subject: Subject, row: ResultRow) -> None:
    """The rows of TR of one lesion in one image: its state, what was measured, and what was not with the reason."""
    visit, link, image = subject.patient.visit_of(row), _link(row), _image(row)
    group = f"{row['lesion_id']} {image} {link_group(visit)}"
    shared: dict[str, Cell] = {
        "TRGRPID": group,
        "TRLNKID": row["lesion_id"] if _merged_away(row) else link,
        "TRLNKGRP": link_group(visit),
        "TRMETHOD": METHODS[Modality(row["modality"])],
        **subject.when("TR", visit, dt.date.fromisoformat(row["date"])),
    }
    for result in _results(row):
        subject.add(TR, shared | result)
    if link != row["lesion_id"] and not _merged_away(row):
        # the region that the parents have become is measured above; of the first parent alone there is nothing
        alone = shared | {"TRGRPID": f"{group} ALONE", "TRLNKID": row["lesion_id"]}
        for code in ("TUMSTATE", *_SIZE):
            subject.add(TR, alone | _not_done(_test(code), NOT_DONE[Status.MERGED]))
    subject.qualify(TR, group, "LESCAT", "Category of the Lesion", row["category"])
    subject.qualify(TR, group, "RULES", "Rules That Fired", row["rules"])
    subject.qualify(TR, group, "REASON", "Reason in Words", row["reason"])
    subject.qualify(TR, group, "SEQUENC", "MR Sequence", row["sequence"])
    subject.qualify(TR, group, "REFBONE", "Reference Bone or Tissue", row["reference_source"])


def _results(row: ResultRow) -> Iterator[dict[str, Cell]]:
    state = _test("TUMSTATE")
    status = Status(row["status"])
    if status in _SILENT or _merged_away(row):
        for code in ("TUMSTATE", *(_SIZE if Modality(row["modality"]).is_anatomical else ())):
            yield _not_done(_test(code), NOT_DONE[status])
        return
    gone = status is Status.RESOLVED or row["long_axis_mm"] in {"0", "0.00"}
    word = _GONE if gone else _THERE
    yield {"TRTESTCD": state.code, "TRTEST": state.name, "TRORRES": word, "TRSTRESC": word}
    for test in LESION_TESTS:
        cell = row[test.column]
        if cell and (test.code != _HU or row["modality"] == Modality.CT):
            yield measured(test, cell)
        elif test.code in _SIZE and not gone and Modality(row["modality"]).is_anatomical:
            yield _not_done(test, _UNMEASURED)


def _not_done(test: Test, why: str) -> dict[str, Cell]:
    return {"TRTESTCD": test.code, "TRTEST": test.name, "TRSTAT": "NOT DONE", "TRREASND": why}


def _test(code: str) -> Test:
    return PATIENT_TESTS[code] if code in PATIENT_TESTS else next(test for test in LESION_TESTS if test.code == code)


def _is_seen(row: ResultRow) -> bool:
    """Whether a row identifies a lesion: it is there, with an outline or a statement of its own."""
    return Status(row["status"]) not in {*_SILENT, Status.RESOLVED} and not _merged_away(row)


def _merged_away(row: ResultRow) -> bool:
    """Whether a lesion is measured as part of another one's row."""
    return row["status"] == Status.MERGED and row["parents"].split(";")[0] not in {"", row["lesion_id"]}


def _link(row: ResultRow) -> str:
    """TULNKID: the lesion, or the lesions that have become one region."""
    parents = [name for name in row["parents"].split(";") if name]
    return "/".join(parents) if row["status"] == Status.MERGED and len(parents) > 1 else row["lesion_id"]


def _image(row: ResultRow) -> str:
    return f"{row['modality']} {row['sequence']}".strip()


def _method_order(row: ResultRow) -> tuple[int, str]:
    return list(Modality).index(Modality(row["modality"])), row["sequence"]
