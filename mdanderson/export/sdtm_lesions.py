"""Lesions as SDTM has them: TU, a row where one is identified, merges or splits; TR, one per lesion, test and visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256

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
_LONGEST_LINK = 120
"""Characters; of more lesions that became one region the rest of their names is told by a hash."""
_ZERO = (*_SIZE, "SUMBIDIM")
"""What is 0 of a lesion that is gone."""
_HU, _VOLUME = "RADIODEN", "VOLUME"
_RANKED = (IDENTIFIED[True], IDENTIFIED[False], "NEW", "BONE LESION", "NEW BONE LESION")
"""What the parts of a lesion are, or the region of several: what these were called, the first that one of them was."""


def add_lesions(subject: Subject, given: Mapping[str, str]) -> None:
    """The rows of TU and TR of one patient, with their supplemental qualifiers.

    given: what the results call lesions that have another name here -> this name.
    """
    sized = {_image_of(row) for row in subject.patient.lesions if row["long_axis_mm"]}
    ordered = sorted(subject.patient.lesions, key=lambda row: (row["date"], row["lesion_id"], _image_order(row, sized)))
    rows = [subject.patient.placed(row) for row in ordered]
    identified: dict[str, str] = {}
    for row in rows:
        if _is_seen(row):
            _identify(subject, row, identified)
    for name, made in given.items():
        if made in identified:
            subject.qualify(TU, f"{made} TUMIDENT", "READID", "Name of the Lesion in the Results", name)
    told: set[tuple[object, ...]] = set()
    for row in rows:
        scene = (subject.patient.visit_of(row), row["modality"], row["lesion_id"])
        _measure(subject, row, leads=scene not in told)
        told.add(scene)


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


def _identify(subject: Subject, row: ResultRow, identified: dict[str, str]) -> None:
    """A row of TU when a lesion is first seen, first merged, or first split. identified: link -> what it is."""
    status = Status(row["status"])
    lesion_id, parents = row["lesion_id"], _parents(row)
    if status is not Status.MERGED and lesion_id not in identified:
        identified[lesion_id] = _identity(row)
        _add_identified(subject, row, lesion_id, TUMOUR_TESTS["TUMIDENT"], identified[lesion_id])
    code = {Status.MERGED: "TUMERGE", Status.SPLIT: "TUSPLIT"}.get(status)
    if code is None:
        return
    for link, label in _parts(subject, row) if status is Status.SPLIT else [(_link(subject, row), row["label"])]:
        if link not in identified:
            known = {identified[one] for one in (*parents, lesion_id) if one in identified}
            identified[link] = next((word for word in _RANKED if word in known), "") or _identity(row)
            _add_identified(subject, {**row, "label": label}, link, TUMOUR_TESTS[code], identified[link])


def _add_identified(subject: Subject, row: ResultRow, link: str, test: Test, identity: str) -> None:
    """A row of TU. row: with its place."""
    visit, place = subject.patient.visit_of(row), place_of(row)
    group = f"{link} {test.code}"
    subject.add(
        TU,
        {
            "TUGRPID": group,
            "TULNKID": link,
            "TUTESTCD": test.code,
            "TUTEST": test.name,
            "TUORRES": identity,
            "TUSTRESC": identity,
            "TULOC": place.location,
            "TULAT": place.laterality,
            "TUMETHOD": METHODS[Modality(row["modality"])],
            **subject.when("TU", visit, dt.date.fromisoformat(row["date"])),
        },
    )
    subject.qualify(TU, group, "IDSTATUS", "Status at Identification", row["status"])
    subject.qualify(TU, group, "LESTYPE", "Lytic, Blastic or Mixed", row["lesion_type"])
    subject.qualify(TU, group, "LOCDTL", "Location in Words", row["site"])
    subject.qualify(TU, group, "LOCSRC", "How the Location Was Found", row["site_source"])
    subject.qualify(TU, group, "LABEL", "Label in the Segmentation", row["label"])
    subject.qualify(TU, group, "READER", "Reader", row["reader"])
    if row["status"] == Status.SPLIT and link != row["lesion_id"]:
        subject.qualify(TU, group, "PARENT", "Lesion It Is a Part Of", row["lesion_id"])


def _identity(row: ResultRow) -> str:
    """What a lesion is when it is identified; a target only where a reader calls it one."""
    is_new = Status(row["status"]) in _FRESH
    if row["target"] == "true" or row["target"] == "false":
        named = IDENTIFIED[row["target"] == "true"]
        return "NEW" if is_new else named
    if row["node"] == "true":
        return "NEW" if is_new else "NON-TARGET"
    return "NEW BONE LESION" if is_new else "BONE LESION"


def _measure(subject: Subject, row: ResultRow, *, leads: bool) -> None:
    """The rows of TR of one lesion in one image: its state, what was measured, and what was not with the reason.

    leads: whether it speaks for the lesion at this visit in this modality; other sequences add what they measured.
    """
    visit, link = subject.patient.visit_of(row), _link(subject, row)
    group = f"{row['lesion_id']} {_image(row)} {link_group(visit)}"
    shared: dict[str, Cell] = {
        "TRGRPID": group,
        "TRSPID": row["sequence"],
        "TRLNKID": row["lesion_id"] if _merged_away(row) else link,
        "TRLNKGRP": link_group(visit),
        "TRMETHOD": METHODS[Modality(row["modality"])],
        **subject.when("TR", visit, dt.date.fromisoformat(row["date"])),
    }
    results = list(_results(row) if leads else _beside(row))
    for result in results:
        subject.add(TR, shared | result)
    if leads and link != row["lesion_id"] and not _merged_away(row):
        # the region that the parents have become is measured above; of the first parent alone there is nothing
        alone = shared | {"TRGRPID": f"{group} ALONE", "TRLNKID": row["lesion_id"]}
        for code in ("TUMSTATE", *_SIZE):
            subject.add(TR, alone | _not_done(_test(code), NOT_DONE[Status.MERGED]))
    if results:
        _qualify(subject, row, group)


def _qualify(subject: Subject, row: ResultRow, group: str) -> None:
    subject.qualify(TR, group, "LESCAT", "Category of the Lesion", row["category"])
    subject.qualify(TR, group, "RULES", "Rules That Fired", row["rules"])
    subject.qualify(TR, group, "REASON", "Reason in Words", row["reason"])
    subject.qualify(TR, group, "SEQUENC", "MR Sequence", row["sequence"])
    subject.qualify(TR, group, "REFBONE", "Reference Bone or Tissue", row["reference_source"])


def _results(row: ResultRow) -> Iterator[dict[str, Cell]]:
    """Of the image that speaks for the lesion. One that is gone measures 0, as SDTM has it."""
    state = _test("TUMSTATE")
    status = Status(row["status"])
    shows_size = Modality(row["modality"]).is_anatomical
    if status in _SILENT or _merged_away(row):
        for code in ("TUMSTATE", *(_SIZE if shows_size else ())):
            yield _not_done(_test(code), NOT_DONE[status])
        return
    gone = _is_gone(row)
    word = _GONE if gone else _THERE
    yield {"TRTESTCD": state.code, "TRTEST": state.name, "TRORRES": word, "TRSTRESC": word}
    for test in LESION_TESTS:
        cell = row[test.column]
        if cell and _means(test, row):
            yield measured(test, cell)
        elif gone and shows_size and test.code in _ZERO:
            yield measured(test, "0")
        elif test.code in _SIZE and shows_size:
            yield _not_done(test, _UNMEASURED)


def _beside(row: ResultRow) -> Iterator[dict[str, Cell]]:
    """Of a further sequence of the visit; the volume is that of an outline, which is another sequence's."""
    if Status(row["status"]) in _SILENT or _merged_away(row):
        return
    has_outline = bool(row["long_axis_mm"])
    for test in LESION_TESTS:
        if row[test.column] and _means(test, row) and (has_outline or test.code != _VOLUME):
            yield measured(test, row[test.column])


def _means(test: Test, row: ResultRow) -> bool:
    """Whether a column holds what the test is, which density of a radiograph or a PET is not."""
    return test.code != _HU or row["modality"] == Modality.CT


def _is_gone(row: ResultRow) -> bool:
    return row["status"] == Status.RESOLVED or row["long_axis_mm"] in {"0", "0.00"}


def _not_done(test: Test, why: str) -> dict[str, Cell]:
    return {"TRTESTCD": test.code, "TRTEST": test.name, "TRSTAT": "NOT DONE", "TRREASND": why}


def _test(code: str) -> Test:
    return PATIENT_TESTS[code] if code in PATIENT_TESTS else next(test for test in LESION_TESTS if test.code == code)


def _is_seen(row: ResultRow) -> bool:
    """Whether a row identifies a lesion: it is there, with an outline or a statement of its own."""
    return Status(row["status"]) not in {*_SILENT, Status.RESOLVED} and not _merged_away(row)


def _parents(row: ResultRow) -> list[str]:
    return [name for name in row["parents"].split(";") if name]


def _merged_away(row: ResultRow) -> bool:
    """Whether a lesion is measured as part of another one's row."""
    return row["status"] == Status.MERGED and row["parents"].split(";")[0] not in {"", row["lesion_id"]}


def _link(subject: Subject, row: ResultRow) -> str:
    """TRLNKID: the lesion, or the lesions that have become one region."""
    parents = _parents(row)
    if row["status"] != Status.MERGED or len(parents) < 2:
        return row["lesion_id"]
    return _unused("/".join(parents), subject)


def _parts(subject: Subject, row: ResultRow) -> list[tuple[str, str]]:
    """Link and label of every part of a split: L3.1, L3.2; the region keeps the link of the lesion."""
    labels = row["label"].split(";")
    return [(_unused(f"{row['lesion_id']}.{n}", subject), label) for n, label in enumerate(labels, start=1)]


def _unused(link: str, subject: Subject) -> str:
    """A link that is no lesion's own name, and that a key holds."""
    if len(link) > _LONGEST_LINK:
        link = f"{link[: _LONGEST_LINK - 9]}~{sha256(link.encode()).hexdigest()[:8]}"
    while link in subject.patient.places:
        link += "*"
    return link


def _image(row: ResultRow) -> str:
    return f"{row['modality']} {row['sequence']}".strip()


def _image_of(row: ResultRow) -> tuple[str, str, str]:
    return row["lesion_id"], row["modality"], row["sequence"]


def _image_order(row: ResultRow, sized: Container[tuple[str, str, str]]) -> tuple[int, bool, bool, str]:
    """Of one modality the image that gives the size first, of a lesion that is gone the one that gave it.

    sized: lesion, modality and sequence of every size of the patient.
    """
    place = list(Modality).index(Modality(row["modality"]))
    return place, not row["long_axis_mm"], _image_of(row) not in sized, row["sequence"]
