"""Responses as SDTM has them: RS, a row per response and visit, and the sums of a patient in TR."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from mdanderson.export.sdtm_domains import RS, TR
from mdanderson.export.sdtm_lesions import link_group, measured
from mdanderson.export.sdtm_rows import Cell, Subject
from mdanderson.export.sdtm_terms import (
    CATEGORIES,
    CRITERIA,
    METHODS,
    PATIENT_TESTS,
    PROTOCOL_DEFINED,
    RESPONSE_TESTS,
    Test,
)
from mdanderson.export.visits import ResultRow
from mdanderson.vocabulary import Category, Modality, Status

__all__ = ["add_responses"]

_BONE_SETS = ("mda2010", "mda2004")
"""The sets that judge bone, whose category is a bone response."""
_RECIST_SETS = ("recist11", "irecist")
_CHANGES = {"size_change_baseline": "PCBSD", "size_change_nadir": "PCNSD"}
_PERCENT = 100
_PLACES = Decimal("0.01")


def add_responses(subject: Subject) -> None:
    """The rows of RS and of the patient's sums in TR; the baseline, which is no response, has sums and counts alone."""
    for row in subject.patient.parts:
        _sums(subject, row)
    for row in subject.patient.responses:
        _counts(subject, row)
        if row["category"] != Category.BL:
            _response(subject, row)
    for summary in subject.patient.summaries:
        _best(subject, summary)


def _response(subject: Subject, row: ResultRow) -> None:
    visit = subject.patient.visit_of(row)
    group = f"{row['criteria']} {link_group(visit)}"
    shared: dict[str, Cell] = {
        "RSGRPID": group,
        "RSLNKGRP": link_group(visit),
        "RSCAT": CRITERIA.get(row["criteria"], PROTOCOL_DEFINED),
        **subject.when("RS", visit, dt.date.fromisoformat(row["date"])),
    }
    code = "BONERESP" if row["criteria"] in _BONE_SETS else "OVRLRESP"
    subject.add(RS, shared | _result(RESPONSE_TESTS[code], _published(row["category"])))
    if row["lesions_new"] not in {"", "0"} or (row["lesions_new"] and row["category"] != Category.NE):
        subject.add(RS, shared | _result(RESPONSE_TESTS["NEWLIND"], "Y" if row["lesions_new"] != "0" else "N"))
    subject.qualify(RS, group, "CRITSET", "Criteria Set", row["criteria"])
    name, label = "REASON", "Reason in Words"
    if row["category"] == Category.NE:
        name, label = "REASNE", "Reason Response Not Evaluable"
    subject.qualify(RS, group, name, label, row["reason"])
    subject.qualify(RS, group, "RULES", "Rules That Fired", row["rules"])
    for column, flag, told in (
        ("unconfirmed", "UNCONFFL", "Awaits Confirmation Flag"),
        ("flare", "FLAREFL", "Osteoblastic Flare Flag"),
        ("mixed", "MIXEDFL", "Mixed Response Flag"),
    ):
        subject.qualify(RS, group, flag, told, "Y" if row[column] == "true" else "")


def _best(subject: Subject, summary: ResultRow) -> None:
    """The best response, which belongs to no visit."""
    word = summary["best_response"]
    if not word or word == Category.BL:
        return
    group = f"{summary['criteria']} BEST"
    cells = {"RSGRPID": group, "RSCAT": CRITERIA.get(summary["criteria"], PROTOCOL_DEFINED)}
    subject.add(RS, cells | subject.when("RS", None, None) | _result(RESPONSE_TESTS["BESTRESP"], _published(word)))
    subject.qualify(RS, group, "CRITSET", "Criteria Set", summary["criteria"])


def _counts(subject: Subject, row: ResultRow) -> None:
    """How many lesions of bone MDA counts over all modalities: at baseline, and new ones later."""
    visit = subject.patient.visit_of(row)
    at_baseline = row["category"] == Category.BL
    cell = row["lesions_expected" if at_baseline else "lesions_new"]
    if row["criteria"] not in _BONE_SETS or not cell:
        return
    counted = (one for one in subject.patient.lesions if at_baseline or one["status"] == Status.NEW)
    of_nodes = [one for one in counted if subject.patient.places[one["lesion_id"]]["node"]]
    nodes = {one["lesion_id"] for one in of_nodes if subject.patient.visit_of(one) == visit}
    test = PATIENT_TESTS["BNLNUM" if at_baseline else "NBNLNUM"]
    _add(subject, row, f"{row['criteria']} {link_group(visit)}", [(test, str(max(int(cell) - len(nodes), 0)))])


def _sums(subject: Subject, row: ResultRow) -> None:
    """What MDA and RECIST add up over the lesions of a modality; WHO adds products, for which no test is published.

    Each modality has its own, as its changes are those since its own baseline.
    """
    adds = {**dict.fromkeys(_BONE_SETS, _sum_results), **dict.fromkeys(_RECIST_SETS, _diameter_results)}
    if row["criteria"] not in adds or row["scope"] not in set(Modality):
        return
    group = f"{row['criteria']} {row['scope']} {link_group(subject.patient.visit_of(row))}"
    results = list(adds[row["criteria"]](subject, row))
    if results:
        of = "SUMSIZE" if row["criteria"] in _BONE_SETS else "SUMDIAM"
        changes = list(_changes(row))
        _add(subject, row, group, [*results, *changes], method=METHODS[Modality(row["scope"])])
        subject.qualify(TR, group, "CHGOF", "Sum That the Changes Are Of", of if changes else "")


def _add(
    subject: Subject, row: ResultRow, group: str, results: Sequence[tuple[Test, str]], *, method: str = ""
) -> None:
    """Rows of TR on all lesions of a visit; sets are told apart by TRSPID."""
    visit = subject.patient.visit_of(row)
    shared: dict[str, Cell] = {
        "TRGRPID": group,
        "TRSPID": row["criteria"],
        "TRLNKGRP": link_group(visit),
        "TRMETHOD": method,
        **subject.when("TR", visit, dt.date.fromisoformat(row["date"])),
    }
    for test, cell in results:
        subject.add(TR, shared | measured(test, cell))
    if results:
        subject.qualify(TR, group, "CRITSET", "Criteria Set", row["criteria"])


def _sum_results(subject: Subject, row: ResultRow) -> Iterator[tuple[Test, str]]:
    """The sum, in its two parts where no node is measured, of which the short axis is in the sum of long ones."""
    longest, size = row["long_axis_sum_mm"], row["size_sum_mm"]
    own = [lesion for lesion in subject.patient.lesions if lesion["modality"] == row["scope"]]
    nodes = {lesion_id for lesion_id, told in subject.patient.places.items() if told["node"]}
    if longest and size and not any(lesion["lesion_id"] in nodes for lesion in own):
        yield PATIENT_TESTS["SUMLDIAM"], longest
        yield PATIENT_TESTS["SUMLPERP"], str(Decimal(size) - Decimal(longest))
    if size:
        yield PATIENT_TESTS["SUMSIZE"], size


def _diameter_results(_: Subject, row: ResultRow) -> Iterator[tuple[Test, str]]:
    """The sum of target lesions, nodes by their short axis."""
    if row["long_axis_sum_mm"]:
        yield PATIENT_TESTS["SUMDIAM"], row["long_axis_sum_mm"]


def _changes(row: ResultRow) -> Iterator[tuple[Test, str]]:
    for column, code in _CHANGES.items():
        if row[column]:
            yield PATIENT_TESTS[code], str((Decimal(row[column]) * _PERCENT).quantize(_PLACES))


def _result(test: Test, word: str) -> dict[str, Cell]:
    code, name = test.code, test.name
    return {"RSTESTCD": code, "RSTEST": name, "RSORRES": word, "RSSTRESC": word}


def _published(word: str) -> str:
    """A category in the published word for it; in our own where there is none."""
    return CATEGORIES.get(Category(word), word)
