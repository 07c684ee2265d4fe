"""Readers' statements laid over what was measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding, Statement
from mdanderson.settings import Settings
from mdanderson.timeline.left_open import leave_open, still_lost
from mdanderson.timeline.naming import nearest_name
from mdanderson.timeline.normalise import carrier_of, is_measured
from mdanderson.timeline.reading import counting
from mdanderson.timeline.sites import one_site, site_stated
from mdanderson.timeline.visits import group_visits
from mdanderson.vocabulary import Basis, Status

__all__ = ["NEW_CODE", "with_statements"]

NEW_CODE = "PD4"
UNNAMED = "unnamed"
"""The new lesion of which a reader says no more than that there is one."""
_BEGINNING = {Status.NEW, Status.EQUIVOCAL}
"""The code by which a reader says that a lesion is new."""
_COMPLETE = frozenset({"CR1", "CR2", "CR3", "CR4"})
_STATED = (
    "target",
    "node",
    "measurable",
    "lesion_type",
    "soft_tissue_mm",
    "site",
    "laterality",
    "structure",
    "comment",
    "reader",
)
"""Fields that a statement and a finding share; where a statement fills one in, it replaces the finding's."""
_FRESH = {Status.NEW, Status.EQUIVOCAL}


def with_statements(
    examinations: Sequence[Examination], statements: Sequence[Statement], settings: Settings
) -> tuple[tuple[Examination, ...], tuple[Problem, ...]]:
    """The examinations with every statement that counts laid over its lesion's finding, and what could not be used.

    A statement is about the examination of its modality and day; else of its modality at the visit of that day, which
    is a warning; else, at such a visit, about one that nobody measured, which is made of statements alone. It names its
    lesion by identity, by label, or by both, which gives the label's lesion that identity.
    """
    desk = _Desk(settings=settings, examinations=list(examinations))
    placed: dict[tuple[int, str, str], list[Statement]] = {}
    counted = _without_renamed(counting(statements, settings))
    of_all = [one for one in counted if not (one.lesion_id or one.label)]
    for statement in (one for one in counted if one not in of_all):
        index = desk.find(statement)
        if index is not None and (lesion_id := desk.identify(index, statement)):
            key = (index, lesion_id, statement.sequence)
            placed[key] = [
                *placed.pop(key, ()),
                statement,
            ]  # of a lesion and of its one sequence, the last is laid last
    in_time = sorted(placed.items(), key=lambda item: desk.examinations[item[0][0]].date)
    for (index, lesion_id, _), said in in_time:
        desk.lay(index, lesion_id, desk.latest(said))
    for statement in sorted(of_all, key=lambda one: one.date):
        desk.call_new(statement)
    desk.leave_open(still_lost(counting(statements, settings, at_fault=True), counted))
    return one_site(desk.examinations), tuple(desk.problems)


@dataclass(kw_only=True, slots=True)
class _Desk:
    """The examinations while statements are laid over them."""

    settings: Settings
    examinations: list[Examination]
    problems: list[Problem] = field(default_factory=list)
    refused: list[tuple[Statement, str]] = field(default_factory=list)

    def find(self, statement: Statement) -> int | None:
        """Which examination a statement is about; one is made where its visit has none, None where it has no visit."""
        of_modality = [index for index, exam in enumerate(self.examinations) if exam.modality is statement.modality]
        of_day = [index for index in of_modality if statement.date in _days(self.examinations[index])]
        if of_day:
            return min(of_day, key=lambda index: not self.examinations[index].evaluable)
        visit = self._visit(statement)
        if not visit:
            self._refuse(statement, "no examination on that day, and no visit near it", "correct the date")
            return None
        near = [index for index in of_modality if self.examinations[index] in visit]
        if near:
            exam = self.examinations[near[0]]
            what = f"no {exam.modality} on {statement.date}: taken for that of {exam.date}, of the same visit"
            self._note(statement, what, "correct the date", Severity.WARNING)
            return near[0]
        label = next((one.visit for one in visit if one.visit), "")
        self.examinations.append(Examination(modality=statement.modality, date=statement.date, visit=label))
        return len(self.examinations) - 1

    def _visit(self, statement: Statement) -> Sequence[Examination]:
        """The examinations of the visit that a statement's day belongs to; none where there is no such visit."""
        window = self.settings.policy.visit_window_days
        visits = group_visits(self.examinations, window_days=window)
        near = [visit for visit in visits if 0 <= (statement.date - visit[0].date).days <= window]
        return near[-1] if near else ()

    def identify(self, index: int, statement: Statement) -> str:
        """Which lesion a statement is about; blank where it names none."""
        exam, lesion_id, label = self.examinations[index], statement.lesion_id, statement.label
        if not label:
            return lesion_id
        labelled = [finding for finding in exam.lesions if label in finding.label.split(";")]
        labelled = [finding for finding in labelled if finding.date == statement.date] or labelled
        named = sorted({carrier_of(finding) for finding in labelled})
        if lesion_id in named or (lesion_id and not named):
            return lesion_id
        if lesion_id and len(named) == 1:
            return lesion_id if self._tie(index, named[0], statement) else ""
        if len(named) == 1:
            return named[0]
        what = f"label {label} names {', '.join(named)}" if named else f"no lesion has the label {label}"
        self._refuse(statement, what, "name the lesion by its lesion_id")
        return ""

    def _tie(self, index: int, found: str, statement: Statement) -> bool:
        """Give the lesion of a label the identity that a reader states; False where another finding has it.

        A name that no lesion has is a new name for it, at every visit.
        """
        exam, wanted = self.examinations[index], statement.lesion_id
        rivals = [finding for finding in exam.lesions if finding.lesion_id == wanted]
        if any(finding.label or is_measured(finding) for finding in rivals):
            what = f"label {statement.label} is {found}, and {wanted} has a finding of its own"
            self._refuse(statement, what, "name one of them")
            return False
        if not any(finding.lesion_id == wanted for one in self.examinations for finding in one.lesions):
            self.examinations = [_renamed(one, found, wanted) for one in self.examinations]
            return True
        seen = self._first_seen(exam, wanted) is not None
        own = _renamed(replace(exam, lesions=tuple(f for f in exam.lesions if f not in rivals)), found, wanted)
        if seen:
            own = replace(own, lesions=tuple(_followed(f) if f.lesion_id == wanted else f for f in own.lesions))
        self.examinations[index] = own
        return True

    def latest(self, said: Sequence[Statement]) -> Statement:
        """The last of several about one lesion; what the same reader said before is told to be superseded."""
        *earlier, last = said
        for one in earlier:
            if one.reader == last.reader:
                self._note(one, f"row {last.row} states it anew: not used", "remove one of the rows", Severity.INFO)
        return last

    def lay(self, index: int, lesion_id: str, statement: Statement) -> None:
        """Lay a statement over its lesion's findings; a lesion without one gets one."""
        exam = self.examinations[index]
        if not exam.evaluable:
            if not any(one.evaluable for one in self._before(exam)):
                self._refuse(statement, f"this {exam.modality} has no baseline: {exam.why}", "mend that first")
                return
            exam = replace(exam, evaluable=True, why="", lesions=())
        if unknown := self._unknown(exam, lesion_id, statement):
            if is_withdrawn(statement):
                self._note(statement, "nothing is stated of it any more", "nothing to do", Severity.INFO)
            else:
                self._refuse(statement, *unknown)
            return
        concerned = [
            finding
            for finding in exam.lesions
            if carrier_of(finding) == lesion_id and statement.sequence in {"", finding.sequence}
        ]
        seen = self._first_seen(exam, lesion_id)
        self._check(statement, seen)
        if concerned:
            laid = {id(finding): self._over(exam, finding, statement, seen) for finding in concerned}
            lesions = tuple(laid.get(id(finding), finding) for finding in exam.lesions)
        else:
            lesions = (*exam.lesions, self._over(exam, self._bare(exam, lesion_id, statement), statement, seen))
        self.examinations[index] = replace(exam, lesions=lesions)
        if statement.new or (statement.new is False and (seen is None or seen.status not in _FRESH)):
            self._end_doubt(exam, lesion_id)

    def _end_doubt(self, exam: Examination, lesion_id: str) -> None:
        """A reader said whether a lesion is new: no image puts that in doubt again."""
        for index, one in enumerate(self.examinations):
            if one.modality is exam.modality and one.date >= exam.date:
                lesions = tuple(
                    replace(finding, maybe_new=False) if finding.lesion_id == lesion_id else finding
                    for finding in one.lesions
                )
                self.examinations[index] = replace(one, lesions=lesions)

    def call_new(self, statement: Statement) -> None:
        """Take a reader's word that there is a new metastasis: one that begins there, else an unnamed one."""
        modality, before = statement.modality, [one for one in self.examinations if one.date < statement.date]
        if not any(one.modality is modality and one.evaluable for one in before):
            self._refuse(statement, f"{modality} has no baseline before", f"name the lesion, or correct {modality}")
            return
        if (index := self.find(statement)) is None:
            return
        exam = self.examinations[index]
        if not self._before(exam):
            self._refuse(statement, f"nothing is new at the first {modality}", "correct the date")
            return
        exam = exam if exam.evaluable else replace(exam, evaluable=True, why="", lesions=())
        seen = [(one, self._first_seen(exam, one.lesion_id) or one) for one in exam.lesions if one.is_seen]
        fresh = sorted(one.lesion_id for one, first in seen if first.status in _BEGINNING)
        name = next(iter(fresh), UNNAMED)
        said = [one for one in exam.lesions if one.lesion_id == name] or [self._bare(exam, name, statement)]
        own = (replace(one, reader_codes=one.reader_codes | {NEW_CODE}, basis=Basis.READER) for one in said)
        others = (one for one in exam.lesions if one.lesion_id != name)
        self.examinations[index] = replace(exam, lesions=(*others, *own))

    def leave_open(self, at_fault: Sequence[Statement]) -> None:
        """Leave open what statements could decide that cannot be used, or that could not be laid."""
        for statement, why in [*((one, one.fault) for one in at_fault), *self.refused]:
            days = [index for index, exam in enumerate(self.examinations) if statement.date in _days(exam)]
            visit = () if days else self._visit(statement)
            at = days or [index for index, exam in enumerate(self.examinations) if exam in visit]
            self.examinations = leave_open(self.examinations, statement, at, why)

    def _unknown(self, exam: Examination, lesion_id: str, statement: Statement) -> tuple[str, str] | None:
        """Why a statement is about no lesion there is, and the way out; None where it is.

        Only `new=true`, or the code of a new lesion, begins one after the first examination of its modality: what is
        stated of a name that nothing else knows is a misspelling, not a metastasis.
        """
        findings = [finding for one in self.examinations for finding in one.lesions]
        known = {carrier_of(finding) for finding in findings}
        if lesion_id in known:
            return None
        part_of = next((carrier_of(finding) for finding in findings if finding.lesion_id == lesion_id), "")
        if part_of:
            return f"{lesion_id} is judged as part of {part_of}", f"state it of {part_of}"
        if not self._before(exam) or statement.new or NEW_CODE in statement.codes:
            return None
        twin = nearest_name(lesion_id, known)
        way_out = f"write {twin} if that is meant" if twin else "correct the spelling"
        return f"lesion {lesion_id} unknown: no image or row shows it", f"{way_out}, or new=true if it is new"

    def _bare(self, exam: Examination, lesion_id: str, statement: Statement) -> LesionFinding:
        """A finding for a lesion that nobody measured in this examination."""
        before = self._before(exam)
        known = any(
            finding.lesion_id == lesion_id
            for one in self.examinations
            if one.date < exam.date
            for finding in one.lesions
        )
        status = Status.BASELINE if not before else Status.FOLLOWED if known else Status.NEW
        return LesionFinding(
            lesion_id=lesion_id,
            status=status,
            modality=exam.modality,
            date=exam.date,
            visit=exam.visit,
            sequence=statement.sequence,
            label=statement.label,
            basis=Basis.READER,
        )

    def _over(
        self, exam: Examination, finding: LesionFinding, statement: Statement, seen: LesionFinding | None
    ) -> LesionFinding:
        """A finding with what a statement says in place of its own."""
        changes: dict[str, Any] = {
            name: value for name in _STATED if (value := getattr(statement, name)) not in {None, ""}
        }
        if statement.site:
            changes |= site_stated(finding, statement)
        if statement.codes:
            changes |= {"reader_codes": statement.codes, "basis": Basis.READER}
        is_first = not self._before(exam)
        if statement.new is not None and not is_first and seen is None:
            changes["basis"] = Basis.READER
        status = _status(finding, statement, is_first=is_first, is_seen=seen is not None)
        if statement.new is not None:
            changes["stated_new"] = status is Status.NEW
        if status is not finding.status:
            changes |= {"status": status, "why": ""}
            if finding.is_gone and status is not Status.RESOLVED:
                changes |= {"long_axis_mm": None, "short_axis_mm": None}
        return replace(finding, **changes)

    def _before(self, exam: Examination) -> list[Examination]:
        """Earlier examinations of a modality."""
        return [one for one in self.examinations if one.modality is exam.modality and one.date < exam.date]

    def _first_seen(self, exam: Examination, lesion_id: str) -> LesionFinding | None:
        """The finding of the earliest examination before this one that shows a lesion in this modality."""
        shown = (
            finding
            for one in sorted(self._before(exam), key=lambda one: one.date)
            for finding in one.lesions
            if carrier_of(finding) == lesion_id and finding.is_seen
        )
        return next(shown, None)

    def _check(self, statement: Statement, seen: LesionFinding | None) -> None:
        """Warn of what is stated too late: origin and role of a lesion are fixed at first sight."""
        if seen is None:
            return
        late = {"measurable": statement.measurable is not None, "new": statement.new is (seen.status not in _FRESH)}
        for column in (column for column, is_late in late.items() if is_late):
            what = f"{column} is not used: the lesion was first seen on {seen.date}, which settles it"
            self._note(statement, what, f"state it for {seen.date}", Severity.WARNING)

    def _refuse(self, statement: Statement, what: str, way_out: str) -> None:
        self.refused.append((statement, what))
        self._note(statement, f"{what}: the statement is not used", way_out, Severity.ERROR)

    def _note(self, statement: Statement, what: str, way_out: str, severity: Severity) -> None:
        label = f"label {statement.label}" if statement.label else "no lesion named"
        named = f"lesion {statement.lesion_id}" if statement.lesion_id else label
        where = f"reads.csv row {statement.row}, {statement.modality} of {statement.date}, {named}"
        self.problems.append(Problem(severity=severity, where=where, what=what, how_to_fix=way_out))


def is_withdrawn(statement: Statement) -> bool:
    """Whether it is a remark and nothing else, as of a lesion that a reader began and thought better of."""
    told = (getattr(statement, name) for name in _STATED if name not in {"comment", "reader"})
    return not statement.codes and statement.new is None and all(one in {None, ""} for one in told)


def _without_renamed(counted: Sequence[Statement]) -> list[Statement]:
    """The statements but those that tie a label to a lesion to which a later one does not tie it."""
    ties = {(one.date, one.modality, one.sequence, one.label): one for one in counted if one.label and one.lesion_id}
    last = {key: one.lesion_id for key, one in ties.items()}
    return [
        one
        for one in counted
        if not (one.label and one.lesion_id) or last[one.date, one.modality, one.sequence, one.label] == one.lesion_id
    ]


def _renamed(exam: Examination, found: str, wanted: str) -> Examination:
    """An examination with another name for one lesion."""
    names = {found: wanted}
    lesions = (
        replace(
            finding,
            lesion_id=names.get(finding.lesion_id, finding.lesion_id),
            parents=tuple(names.get(parent, parent) for parent in finding.parents),
        )
        for finding in exam.lesions
    )
    return replace(exam, lesions=tuple(lesions))


def _followed(finding: LesionFinding) -> LesionFinding:
    return replace(finding, status=Status.FOLLOWED) if finding.status is Status.NEW else finding


def _days(exam: Examination) -> set[dt.date]:
    """The days of the images that an examination pools."""
    return {exam.date, *(finding.date for finding in exam.lesions)}


def _status(finding: LesionFinding, statement: Statement, *, is_first: bool, is_seen: bool) -> Status:
    """What became of a lesion, by the reader's word where it says so.

    is_first: at the first examination of its modality. is_seen: an earlier one shows the lesion.
    """
    if is_first:
        return finding.status
    if statement.new and not is_seen:
        return Status.NEW
    in_doubt = finding.status in _FRESH or finding.maybe_new
    if statement.new is False and in_doubt:
        return Status.FOLLOWED
    if not statement.codes or finding.maybe_new or (finding.is_seen and not finding.is_gone):
        return finding.status
    return Status.RESOLVED if statement.codes & _COMPLETE else Status.FOLLOWED
