"""Of several readers, whose word counts (docs/details.md, detail 33)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding, Statement
from mdanderson.settings import Settings
from mdanderson.timeline.normalise import carrier_of
from mdanderson.vocabulary import Modality

__all__ = ["about_readers", "counting", "of_one_reader"]

_Read = tuple[dt.date, Modality, str]
"""Day, modality and time of what was stated."""


def of_one_reader(examinations: Iterable[Examination], reader: str) -> tuple[Examination, ...]:
    """Of several readers' findings in one examination those of one reader.

    reader: whose they are; blank = of each examination the one whose name sorts first, as a table has no times.
    Findings without a reader are common to all, and give way to those with one. An examination that the reader did not
    read says nothing.
    """
    return tuple(_of_one_reader(exam, reader) for exam in examinations)


def _of_one_reader(exam: Examination, reader: str) -> Examination:
    readers = _readers(exam.lesions)
    if not readers - {reader} and not (readers and any(not finding.reader for finding in exam.lesions)):
        return exam
    chosen = reader or min(readers)
    own = {(carrier_of(finding), finding.sequence) for finding in exam.lesions if finding.reader == chosen}
    kept = tuple(
        finding
        for finding in exam.lesions
        if finding.reader == chosen or (not finding.reader and (carrier_of(finding), finding.sequence) not in own)
    )
    if not kept:
        return replace(exam, lesions=(), evaluable=False, why=f"not read by {reader}")
    return replace(exam, lesions=kept)


def counting(statements: Iterable[Statement], settings: Settings, *, at_fault: bool = False) -> list[Statement]:
    """The statements that count by `[policy] reader`; of several about one thing the last of the list decides.

    Those of the chosen reader come after nameless ones, which are common to all; then time decides; what an adjudicator
    settled is no reader's own. Where no reader is chosen, adjudications come last, and times decide; of statements
    without one in one examination those of the reader whose name sorts first count alone. The order of the rows decides
    between statements of one reader only. at_fault: those that cannot be used.
    """
    return [one for one in _counting(list(statements), settings.policy.reader) if bool(one.fault) is at_fault]


def _counting(given: Sequence[Statement], chosen: str) -> list[Statement]:
    if chosen:
        counted = [one for one in given if one.reader in {"", chosen} and not one.adjudicates]
        return sorted(counted, key=lambda one: (one.reader == chosen, one.time))
    tied = _tied(given)
    counted = [
        one for one in given if one.time or one.adjudicates or one.reader in {"", tied.get(_when(one), one.reader)}
    ]
    counted.sort(key=lambda one: one.reader, reverse=True)
    return sorted(counted, key=lambda one: (one.adjudicates, one.time, bool(one.reader)))


def about_readers(
    examinations: Sequence[Examination], statements: Sequence[Statement], settings: Settings
) -> Iterator[Problem]:
    """A problem where the reader of the settings has read nothing, or where nothing tells whose word is the last."""
    chosen = settings.policy.reader
    stated = {one.reader for one in statements if one.reader and not one.adjudicates}
    names = stated.union(*(_readers(exam.lesions) for exam in examinations))
    if chosen and names and chosen not in names:
        yield Problem(
            severity=Severity.ERROR,
            where="settings [policy] reader",
            what=f"reader {chosen} has read nothing of this patient",
            how_to_fix=f"the readers are {', '.join(sorted(names))}: name one of them, or leave the setting blank",
        )
    if chosen or len(names) < 2:
        return
    among = [readers for exam in examinations if len(readers := _readers(exam.lesions)) > 1]
    among += [readers for readers in _by_time(statements).values() if len(readers) > 1]
    if among:
        first = " and ".join(f"{name}'s" for name in sorted({min(readers) for readers in among}))
        yield Problem(
            severity=Severity.WARNING,
            what=f"read by {', '.join(sorted(set().union(*among)))} without times: {first} statements count",
            how_to_fix="set [policy] reader, or give the statements a time",
        )


def _tied(statements: Iterable[Statement]) -> dict[_Read, str]:
    """What several readers stated of one examination at one time -> the one whose name sorts first."""
    return {when: min(readers) for when, readers in _by_time(statements).items() if len(readers) > 1}


def _by_time(statements: Iterable[Statement]) -> dict[_Read, set[str]]:
    """Who stated anything of an examination, by time."""
    readers: dict[_Read, set[str]] = {}
    for one in statements:
        if one.reader and not one.adjudicates:
            readers.setdefault(_when(one), set()).add(one.reader)
    return readers


def _when(statement: Statement) -> _Read:
    return statement.date, statement.modality, statement.time


def _readers(findings: Iterable[LesionFinding]) -> set[str]:
    return {finding.reader for finding in findings if finding.reader}
