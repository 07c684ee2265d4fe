"""Responses as SDTM has them: RS, a row per response and visit, and the sums of a patient in TR."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

from mdanderson.export.sdtm_domains import RS, TR
from mdanderson.export.sdtm_lesions import link_group, measured
from mdanderson.export.sdtm_rows import Cell, Subject
from mdanderson.export.sdtm_terms import CATEGORIES, CRITERIA, PATIENT_TESTS, PROTOCOL_DEFINED, RESPONSE_TESTS, Test
from mdanderson.export.visits import ResultRow
from mdanderson.vocabulary import Category

__all__ = ["add_responses"]

_BONE_SETS = ("mda2010", "mda2004")
"""The sets that judge bone, whose category is a bone response."""
_PERCENT = 100
_PLACES = Decimal("0.01")


def add_responses(subject: Subject) -> None:
    """The rows of RS and of the patient's sums in TR; the baseline, which is no response, has sums and counts alone."""
    for row in subject.patient.responses:
        _sums(subject, row)
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


def _sums(subject: Subject, row: ResultRow) -> None:
    """What MDA adds up over a patient's lesions; other sets' sums would be other sums under the same names."""
    if row["criteria"] not in _BONE_SETS:
        return
    visit = subject.patient.visit_of(row)
    shared: dict[str, Cell] = {
        "TRGRPID": f"{row['criteria']} {link_group(visit)}",
        "TRLNKGRP": link_group(visit),
        **subject.when("TR", visit, dt.date.fromisoformat(row["date"])),
    }
    for test, cell in _patient_results(subject, row):
        subject.add(TR, shared | measured(test, cell))
    subject.qualify(TR, str(shared["TRGRPID"]), "CRITSET", "Criteria Set", row["criteria"])


def _patient_results(subject: Subject, row: ResultRow) -> Iterator[tuple[Test, str]]:
    if row["category"] == Category.BL:
        if row["lesions_expected"]:
            yield PATIENT_TESTS["BNLNUM"], row["lesions_expected"]
    elif row["lesions_new"]:
        yield PATIENT_TESTS["NBNLNUM"], row["lesions_new"]
    longest, size = row["long_axis_sum_mm"], row["size_sum_mm"]
    no_node = all(lesion["node"] != "true" for lesion in subject.patient.lesions)
    if longest and size and no_node:  # of a node the short axis is in the sum of long ones
        yield PATIENT_TESTS["SUMLDIAM"], longest
        yield PATIENT_TESTS["SUMLPERP"], str(Decimal(size) - Decimal(longest))
    for column, code in (("size_change_baseline", "PCBSD"), ("size_change_nadir", "PCNSD")):
        if row[column]:
            yield PATIENT_TESTS[code], str((Decimal(row[column]) * _PERCENT).quantize(_PLACES))


def _result(test: Test, word: str) -> dict[str, Cell]:
    code, name = test.code, test.name
    return {"RSTESTCD": code, "RSTEST": name, "RSORRES": word, "RSSTRESC": word}


def _published(word: str) -> str:
    """A category in the published word for it; in our own where there is none."""
    return CATEGORIES.get(Category(word), word)
