"""The rows of one patient as examinations: what each row leaves unsaid is told from the rows before it.

A row that cannot be used is never passed over: it may hold the baseline, the nadir or a new metastasis.

- Its date is not known, or is the first of its modality: the modality has no baseline, and says nothing at any visit.
- It names no lesion, or one that was never seen before: the modality says nothing on that day.
- Else its lesion is not evaluable on that day.

A row that states nothing of its lesion lists it, and no more (`measured_listing`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding, Statement
from mdanderson.readers.measured_listing import (
    UNSTATED,
    Listed,
    Said,
    about_blank,
    by_name,
    compared_with_nothing,
    first_days,
    listed_lesions,
    presupposing,
    states_nothing,
    with_types,
)
from mdanderson.readers.measured_rows import LostRow, MeasuredRow
from mdanderson.readers.measured_twice import Refused, without_clashes, without_doubles
from mdanderson.timeline.naming import twin_of
from mdanderson.timeline.normalise import carrier_of
from mdanderson.vocabulary import Basis, Modality, Status

__all__ = ["examinations_of"]

_JOINED = {Status.MERGED, Status.SPLIT}
_UNSAID = {None, Status.FOLLOWED}
_TOLD = {Status.FOLLOWED, Status.BASELINE, Status.NEW}
"""What a row says of where its lesion comes from, to be compared with the rows before it."""
_by_date = attrgetter("date")


def examinations_of(
    rows: Iterable[MeasuredRow],
    lost: Sequence[LostRow],
    visits: Mapping[dt.date, str],
    statements: Sequence[Statement] = (),
) -> tuple[tuple[Examination, ...], tuple[Problem, ...]]:
    """Examinations in order of date and modality, and what is wrong among the rows.

    visits: label by date. statements: of reads.csv, which fill in what a row leaves blank.
    """
    by_modality: dict[Modality, list[MeasuredRow]] = {}
    blank: dict[Modality, dict[dt.date, list[MeasuredRow]]] = {}
    said, rows = by_name(statements), tuple(rows)
    typed = with_types(rows)
    for row in rows:
        if states_nothing(row, typed) and said.keys().isdisjoint(row.names):
            blank.setdefault(row.modality, {}).setdefault(row.date, []).append(row)
        else:
            by_modality.setdefault(row.modality, []).append(row)
    for silent in (*blank, *(one.modality for one in lost if one.modality is not None)):
        by_modality.setdefault(silent, [])
    named = {
        modality: first_days(
            (*its_rows, *chain(*blank.get(modality, {}).values()), *(one for one in lost if one.modality is modality))
        )
        for modality, its_rows in by_modality.items()
    }
    examinations: list[Examination] = []
    problems = [about_blank(its_rows, visits) for days in blank.values() for its_rows in days.values()]
    usable_days = {row.date for its_rows in by_modality.values() for row in its_rows}
    for modality, its_rows in by_modality.items():
        its_lost = [one for one in lost if one.modality in {None, modality}]
        lost_days = {one.date for one in its_lost if one.date and (one.modality or one.date not in usable_days)}
        series = _Series(
            modality=modality,
            visits=visits,
            lost=its_lost,
            lost_days=lost_days,
            blank=blank.get(modality, {}),
            said=said,
            elsewhere=[days for other, days in named.items() if other is not modality],
            problems=problems,
        )
        examinations += series.read(its_rows)
    return tuple(sorted(examinations, key=lambda one: (one.date, one.modality))), tuple(problems)


@dataclass(kw_only=True, slots=True)
class _Series:
    """One modality of one patient, read day by day.

    lost_days: days of which only rows are known that cannot be used; one of unknown modality may be of any.
    blank: rows that state nothing, by day. said: statements of reads.csv. elsewhere: of the other modalities, lesion ->
    first day with a row of whatever kind. listed: lesions whose first row states nothing.
    seen: lesion -> (first day that showed it, sequences); fresh: those that began as new. parts: part of a split ->
    lesion. merged: name of a merge, which no lesion had before -> the lesion that carries it.
    """

    modality: Modality
    visits: Mapping[dt.date, str]
    lost: list[LostRow]
    lost_days: set[dt.date]
    blank: Mapping[dt.date, Sequence[MeasuredRow]]
    said: Said
    elsewhere: Sequence[Mapping[str, dt.date]]
    problems: list[Problem]
    listed: Mapping[str, Listed] = field(default_factory=dict)
    first: dt.date = dt.date.max
    seen: dict[str, tuple[dt.date, set[str]]] = field(default_factory=dict)
    spoken: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    parts: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)

    def read(self, rows: list[MeasuredRow]) -> list[Examination]:
        """Every day on which the modality was looked at."""
        rows.sort(key=_by_date)
        days = {date: list(group) for date, group in groupby(rows, key=_by_date)}
        days |= {date: [] for date in self.lost_days - days.keys()}
        self.first = min((*days, *self.blank), default=dt.date.max)
        self.listed = listed_lesions(self.blank, rows, self.said, self.first)
        days = {self.first: []} | days if self.blank else days
        examinations = [self._examination(date, days[date]) for date in sorted(days)]
        silent_days = (date for date in self.blank if date not in days and date > self.first)
        examinations += [self._silent(date, "no row of the day states anything") for date in silent_days]
        why = self._without_baseline()
        return [replace(exam, evaluable=False, why=why) for exam in examinations] if why else examinations

    def _without_baseline(self) -> str:
        """Why nothing can be compared: the baseline, or a row that may be it, is lost. Blank where nothing is."""
        for one in self.lost:
            if one.date is None:
                return f"a row of unknown date cannot be used, and may be the baseline: {one.why}"
            if one.date <= self.first:
                return f"a row of the baseline cannot be used: {one.why}"
        return ""

    def _silent(self, date: dt.date, why: str) -> Examination:
        return Examination(modality=self.modality, date=date, visit=self.visits[date], evaluable=False, why=why)

    def _examination(self, date: dt.date, rows: Sequence[MeasuredRow]) -> Examination:
        """One day: its rows, the lesions whose rows are lost, and those that nothing is left of."""
        self._check_twins(rows, date)
        named = [(row, self._finding(row)) for row in rows if not row.nothing]
        usable, clashing = without_clashes([(row, finding) for row, finding in named if finding is not None])
        findings, doubled = without_doubles(usable)
        self._refuse((*clashing, *doubled))
        findings += self._listed_on(date, findings)
        lost = [one for one in self.lost if one.date == date]
        unseen = next((one for one in lost if self._identity(one.lesion_id) not in self.seen), None)
        if lost:
            whole = {self._identity(one.lesion_id) for one in lost}
            findings = [one for one in findings if one.status is not Status.SPLIT or carrier_of(one) not in whole]
            findings += self._not_evaluable(lost, findings, date)
        for row in rows:
            if row.nothing:
                findings += self._nothing_there(row, findings)
        self._remember(findings)
        self.spoken.update(one.lesion_id for one in lost)
        exam = Examination(modality=self.modality, date=date, visit=self.visits[date], lesions=tuple(findings))
        return exam if unseen is None else replace(exam, evaluable=False, why=f"a row cannot be used: {unseen.why}")

    def _finding(self, row: MeasuredRow) -> LesionFinding | None:
        """What a row says of its lesion; None where it cannot be used among the others."""
        if row.status in _JOINED or row.lesion_id in self.parts or row.lesion_id in self.merged:
            return self._joined(row)
        return None if self._contradicts_itself(row) else self._made(row, row.lesion_id, row.status, row.facts)

    def _contradicts_itself(self, row: MeasuredRow) -> bool:
        """Whether a row's codes compare a lesion with what no row shows or lists; such a row is lost."""
        lesion_id = row.lesion_id
        known = row.date == self.first or lesion_id in self.spoken
        if known or any(days.get(lesion_id, row.date) < row.date for days in self.elsewhere):
            return False
        if not (compared := ", ".join(compared_with_nothing(row, self.said))):
            return False
        what = f"{compared} of lesion {lesion_id}, which no earlier row lists: nobody can say whether it is new"
        self._note(row, "findings", what, "write new=false if it was there, or leave the code out if it is new")
        self._lose(row, {lesion_id}, what)
        return True

    def _listed_on(self, date: dt.date, findings: Sequence[LesionFinding]) -> list[LesionFinding]:
        """Findings for rows of a day that state nothing, as long as no row has shown their lesions."""
        present = {name for one in findings for name in (one.lesion_id, *one.parents)} | self.seen.keys()
        made: dict[tuple[str, str], LesionFinding] = {}
        for row in self.blank.get(date, ()):
            kind = self.listed.get(row.lesion_id)
            if kind is None or kind is Listed.NEW or row.lesion_id in present or row.lesion_id in self.merged:
                continue
            there = kind is Listed.THERE and date == self.first
            finding = self._made(row, row.lesion_id, None if there else Status.NOT_EVALUABLE, row.facts)
            why = "" if there else "nothing is stated of it"
            made[row.lesion_id, finding.sequence] = replace(finding, basis=Basis.MEASURED, why=why)
        return list(made.values())

    def _joined(self, row: MeasuredRow) -> LesionFinding | None:
        """The same for a row of a merge or a split, or of what came from one earlier."""
        lesion_id, status, facts = row.lesion_id, row.status, dict(row.facts)
        if status in _UNSAID and lesion_id in self.parts:
            status, facts["parents"] = Status.SPLIT, (self.parts[lesion_id],)
        if status is Status.SPLIT:
            facts["parents"] = (self._identity(next(iter(facts.get("parents", ())), lesion_id)),)
            facts.setdefault("label", lesion_id if lesion_id not in facts["parents"] else f"row {row.number}")
        elif status is Status.MERGED:
            facts["parents"] = tuple(dict.fromkeys(map(self._identity, facts["parents"])))
        elif lesion_id in self.merged:
            facts.setdefault("label", lesion_id)
            lesion_id = self.merged[lesion_id]
        if status in _JOINED and not self._has_parents(row, facts["parents"]):
            return None
        return self._made(row, lesion_id, status, facts)

    def _made(self, row: MeasuredRow, lesion_id: str, status: Status | None, facts: Mapping[str, Any]) -> LesionFinding:
        settles = row.new is not None and row.date != self.first and lesion_id not in self.seen
        return LesionFinding(
            lesion_id=lesion_id,
            status=self._told(row, lesion_id) if status is None or status in _TOLD else status,
            modality=self.modality,
            date=row.date,
            visit=self.visits[row.date],
            basis=Basis.READER if settles or "reader_codes" in facts else Basis.MEASURED,
            place=row.place,
            maybe_new=(in_doubt := self._may_be_new(row, lesion_id)),
            why=UNSTATED if in_doubt else "",
            stated_new=status is Status.NEW or bool(row.new),
            **facts,
        )

    def _may_be_new(self, row: MeasuredRow, lesion_id: str) -> bool:
        """Whether it was listed at baseline, and nothing said at its first sight tells whether it was there."""
        if self.listed.get(lesion_id) is not Listed.OPEN or row.date == self.first or row.is_silent:
            return False
        if row in self.blank.get(row.date, ()):
            return False
        if lesion_id not in self.seen:
            what = f"lesion {lesion_id} is {UNSTATED}: nobody can say whether it is new"
            self._note(row, "new", what, "write new=true, or new=false if it was there", severity=Severity.WARNING)
        return row.facts.get("long_axis_mm") != 0 and row.status is not Status.RESOLVED

    def _told(self, row: MeasuredRow, lesion_id: str) -> Status:
        """The status of a lesion that goes on, or begins: new where no row showed it before (detail 14)."""
        seen = self.seen.get(lesion_id)
        was_there = row.date == self.first or (seen is not None and seen[0] == self.first)
        if was_there and (row.new or row.status is Status.NEW):
            column = "new" if row.new else "status"
            what = f"lesion {lesion_id} is said to be new, but the first {self.modality} shows it: it is baseline"
            self._note(row, column, what, "leave the cell blank", severity=Severity.WARNING)
        if row.date == self.first:
            return Status.BASELINE
        if row.status is Status.NEW and not was_there:
            return Status.NEW
        if row.new is False and lesion_id in self.fresh:
            what = f"new=false is not used: lesion {lesion_id} was first seen as new, which settles it"
            self._note(row, "new", what, "state it where the lesion is first seen", severity=Severity.WARNING)
        was_listed = self.listed.get(lesion_id) in {Listed.KNOWN, Listed.OPEN}
        if seen is not None or row.new is False or (was_listed and not row.new):
            return Status.FOLLOWED
        if presupposing(row.facts.get("reader_codes", ())) and not row.new and row.status is None:
            return Status.FOLLOWED  # another modality knows it: what compares with nothing is lost before
        return Status.NEW if row.new else self._told_by_status(row, lesion_id)

    def _told_by_status(self, row: MeasuredRow, lesion_id: str) -> Status:
        """The same for a lesion that no row showed before, where `new` is blank."""
        if row.status is Status.FOLLOWED:
            what = f"lesion {lesion_id} is followed, but no earlier row shows it: taken as there before, not assessed"
            self._note(row, "status", what, "write new if it is a new lesion", severity=Severity.WARNING)
            return Status.FOLLOWED
        if row.status is Status.BASELINE:
            what = f"lesion {lesion_id} is called baseline, but no earlier row shows it: taken as new"
            self._note(row, "status", what, "write new=false if it was there", severity=Severity.WARNING)
        return Status.NEW

    def _identity(self, name: str) -> str:
        """The lesion that a name stands for: a part for what it came from, a merge for its first parent."""
        return self.parts.get(name) or self.merged.get(name) or name

    def _has_parents(self, row: MeasuredRow, parents: Sequence[str]) -> bool:
        """Whether earlier rows show what a row merges or splits; where not, the row is lost with all it names."""
        strange = [parent for parent in parents if parent not in self.spoken]
        if strange:
            what = f"{row.status} from {', '.join(strange)}, of which {self.modality} has no earlier row"
            self._note(row, "parents", what, "correct the spelling, or give the earlier rows")
            self._lose(row, {row.lesion_id, *parents} - set(strange) or {row.lesion_id}, what)
            return False
        if row.lesion_id not in self.spoken:
            (self.parts if row.status is Status.SPLIT else self.merged).setdefault(row.lesion_id, parents[0])
        return True

    def _check_twins(self, rows: Sequence[MeasuredRow], date: dt.date) -> None:
        """Warn of a name that only now appears where one that is spelled nearly so has no row."""
        if date == self.first:
            return
        strangers = [row for row in rows if row.lesion_id not in self.spoken and row.status not in _JOINED]
        absent = self.spoken - {self._identity(row.lesion_id) for row in rows} if strangers else set()
        for row in strangers:
            if not row.nothing and (twin := twin_of(row.lesion_id, absent)):
                what = f"lesion {row.lesion_id} was not spoken of before, and {twin} has no row on {date}"
                way_out = f"write {twin} if that is meant"
                self._note(row, "lesion_id", what, way_out, severity=Severity.WARNING)

    def _refuse(self, refused: Iterable[Refused]) -> None:
        """Note and lose rows that count a lesion twice."""
        for one in refused:
            self._note(one.row, one.column, one.what, one.way_out, severity=one.severity)
            self._lose(one.row, one.lesion_ids, one.why)

    def _not_evaluable(
        self, lost: Sequence[LostRow], findings: Sequence[LesionFinding], date: dt.date
    ) -> list[LesionFinding]:
        """A finding that says nothing, for every known lesion whose row is lost and that has no other one."""
        present = {(finding.lesion_id, finding.sequence, finding.reader) for finding in findings}
        missing = {(self._identity(one.lesion_id), one.sequence, one.reader): one.why for one in lost}
        return [
            LesionFinding(
                lesion_id=lesion_id,
                status=Status.NOT_EVALUABLE,
                modality=self.modality,
                date=date,
                visit=self.visits[date],
                sequence=sequence,
                reader=reader,
                why=f"its row cannot be used: {why}",
            )
            for (lesion_id, sequence, reader), why in missing.items()
            if lesion_id and (lesion_id, sequence, reader) not in present
        ]

    def _nothing_there(self, row: MeasuredRow, findings: Sequence[LesionFinding]) -> list[LesionFinding]:
        """Every lesion seen so far as gone, unless a row of the day says otherwise."""
        sequence, reader = row.facts.get("sequence", ""), row.facts.get("reader", "")
        concerned = [one for one in findings if sequence in {"", one.sequence} and reader in {"", one.reader}]
        if there := [one.lesion_id for one in concerned if one.is_seen]:
            what = f"status none, yet {', '.join(there)} has a row on {row.date}: the row is not used"
            self._note(row, "status", what, "leave one of the rows out")
            return []
        present = {(one.lesion_id, one.sequence) for one in concerned}
        return [
            LesionFinding(
                lesion_id=lesion_id,
                status=Status.RESOLVED,
                modality=self.modality,
                date=row.date,
                visit=self.visits[row.date],
                sequence=seen_in,
                reader=reader,
                basis=Basis.READER,
                why="nothing there",
            )
            for lesion_id, (_, sequences) in self.seen.items()
            for seen_in in sorted(sequences)
            if sequence in {"", seen_in} and (lesion_id, seen_in) not in present
        ]

    def _remember(self, findings: Iterable[LesionFinding]) -> None:
        """What the rows of later days are compared with."""
        for finding in findings:
            lesion_id = carrier_of(finding)
            self.spoken.update((lesion_id, finding.lesion_id))
            if finding.is_seen:
                self.seen.setdefault(lesion_id, (finding.date, set()))[1].add(finding.sequence)
                if finding.status is Status.NEW:
                    self.fresh.add(lesion_id)

    def _lose(self, row: MeasuredRow, lesion_ids: Iterable[str], why: str) -> None:
        for lesion_id in sorted(lesion_ids):
            self.lost.append(
                LostRow(
                    date=row.date,
                    modality=self.modality,
                    lesion_id=lesion_id,
                    sequence=row.facts.get("sequence", ""),
                    reader=row.facts.get("reader", ""),
                    why=f"{why} @ {row.place}",
                )
            )

    def _note(
        self, row: MeasuredRow, column: str, what: str, way_out: str, *, severity: Severity = Severity.ERROR
    ) -> None:
        self.problems.append(
            Problem(
                severity=severity,
                visit=self.visits[row.date],
                where=f"{row.place} column {column}",
                what=what,
                how_to_fix=way_out,
            )
        )
