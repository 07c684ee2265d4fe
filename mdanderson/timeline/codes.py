"""Readers' codes that no table can take: unknown ones, and those that contradict each other (detail 12)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

from mdanderson.criteria import CRITERIA_SETS
from mdanderson.criteria.rule import Measure, Role, Rule
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding, Statement
from mdanderson.vocabulary import Basis, Category

__all__ = ["codes_in", "faults_marked", "faults_of", "with_known_codes"]

_OPPOSED = {Category.CR, Category.PD}
_RESPONSES = {Category.CR, Category.PR}
_NESTED = {Measure.SIZE, Measure.UPTAKE}
"""Measures of which complete response is partial response and more: a fall by 100 % is one of at least 50 %."""
_BETWEEN = re.compile(r"[;,\s]+")


def codes_in(text: str) -> frozenset[str]:
    """The codes of a cell, in whatever case, joined by `;`, `,` or blanks; known or not."""
    return frozenset(code for code in _BETWEEN.split(text.upper()) if code)


def faults_of(codes: frozenset[str]) -> list[tuple[str, str]]:
    """What is wrong with some codes, and the way out."""
    return _faults(codes)[1]


def with_known_codes(examinations: Iterable[Examination]) -> tuple[tuple[Examination, ...], tuple[Problem, ...]]:
    """The same findings without codes at fault, and an error for each finding that had one."""
    problems: list[Problem] = []
    clean = tuple(
        replace(exam, lesions=tuple(_mended(finding, problems) for finding in exam.lesions))
        if any(finding.reader_codes for finding in exam.lesions)
        else exam
        for exam in examinations
    )
    return clean, tuple(problems)


def faults_marked(statements: Sequence[Statement]) -> tuple[tuple[Statement, ...], tuple[Problem, ...]]:
    """The statements, those with codes at fault marked so, and an error for each: half a statement may mislead."""
    kept: list[Statement] = []
    problems: list[Problem] = []
    for one in statements:
        _, faults = ((), []) if one.fault else _faults(one.codes)
        if one.new is False and "PD4" in one.codes:
            faults = [*faults, ("new=false, yet PD4 says that a lesion is new", "leave one of the cells blank")]
        kept.append(replace(one, fault="; ".join(what for what, _ in faults)) if faults else one)
        for what, way_out in faults:
            where = f"reads.csv row {one.row} column findings"
            told = f"{what}: the statement is not used"
            problems.append(Problem(severity=Severity.ERROR, where=where, what=told, how_to_fix=way_out))
    return tuple(kept), tuple(problems)


def _mended(finding: LesionFinding, problems: list[Problem]) -> LesionFinding:
    lost, faults = _faults(finding.reader_codes)
    if not faults:
        return finding
    lesion = f"{finding.modality} of {finding.date}, lesion {finding.lesion_id}"
    where = f"{finding.place} column findings, {lesion}" if finding.place else lesion
    for what, way_out in faults:
        told = f"{what}: not used"
        problems.append(
            Problem(severity=Severity.ERROR, visit=finding.visit, where=where, what=told, how_to_fix=way_out)
        )
    left = finding.reader_codes - lost
    return replace(finding, reader_codes=left, basis=finding.basis if left else Basis.MEASURED)


def _faults(codes: frozenset[str]) -> tuple[set[str], list[tuple[str, str]]]:
    """The codes that cannot be used, and what is wrong with them and the way out."""
    if not codes:
        return set(), []
    rows, faults = _rows(), []
    unknown = {code for code in codes if code not in rows}
    if unknown:
        what = f"no criteria have a row {', '.join(sorted(unknown))}"
        faults.append((what, f"the codes are {', '.join(rule.code for rule in CRITERIA_SETS[0].rules)}"))
    pairs = combinations(sorted(rows.keys() & codes), 2)
    opposed = {code for one, other in pairs if _contradict(rows[one], rows[other]) for code in (one, other)}
    if opposed:
        faults.append((f"{', '.join(sorted(opposed))} contradict each other", "keep the right ones"))
    return unknown | opposed, faults


def _contradict(one: Rule[Any], other: Rule[Any]) -> bool:
    """Whether two rows cannot hold of one lesion: different answers to one question, or gone and progressing.

    That one measure improves while another worsens is no contradiction, and flare explains what is new. A new
    metastasis is one of the patient: it stands beside whatever becomes of the lesion on whose row it is written.
    """
    gives, roles = {one.gives.means, other.gives.means}, {one.role, other.role}
    if len(gives) == 1 or Role.FLARE in roles or (gives == _RESPONSES and one.measure in _NESTED):
        return False
    if Role.NEW_LESION in roles:
        return Role.NO_NEW_LESION in roles
    same = one.measure is other.measure or Measure.ANYTHING in {one.measure, other.measure}
    return same or gives == _OPPOSED


@cache
def _rows() -> dict[str, Rule[Any]]:
    """Every row by its code; of sets that share one, that of the first."""
    return {rule.code: rule for one in reversed(CRITERIA_SETS) for rule in one.rules}
