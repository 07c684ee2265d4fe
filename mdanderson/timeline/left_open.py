"""What a reader's statement that cannot be used leaves open (decisions/0013): it may say what nothing else does.

- It names a lesion and a visit: the lesion is not evaluable there.
- It names no lesion that is known: its modality says nothing at that visit.
- Its date is unknown, or no visit is near it: the same at every follow-up.
- It is about the first examination of a modality: what part a lesion takes is not known, so nothing can be compared.

A later statement by the same reader about the same thing settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mdanderson.findings import Examination, LesionFinding, Statement
from mdanderson.timeline.normalise import carrier_of
from mdanderson.vocabulary import Status

__all__ = ["can_decide", "leave_open", "still_lost"]


def can_decide(statement: Statement, *, at_baseline: bool) -> bool:
    """Whether what a statement says can change a category; one that cannot be read may say anything."""
    role = (statement.target, statement.node, statement.measurable, statement.lesion_type, statement.soft_tissue_mm)
    if any(one is not None for one in role):
        return True
    if at_baseline:  # where codes compare with nothing, and nothing is new
        return bool(statement.fault) and not statement.codes
    return bool(statement.fault or statement.codes) or statement.new is not None


def still_lost(lost: Sequence[Statement], stated: Sequence[Statement]) -> list[Statement]:
    """The statements that cannot be used and that the same reader has not stated anew."""
    return [one for one in lost if not any(_is_anew(one, other) for other in stated)]


def _is_anew(lost: Statement, other: Statement) -> bool:
    if (lost.date, lost.modality, lost.reader) != (other.date, other.modality, other.reader):
        return False
    if (lost.time, lost.row) >= (other.time, other.row) or lost.sequence != other.sequence:
        return False
    return bool({lost.lesion_id, lost.label} - {""} & {other.lesion_id, other.label})


def leave_open(
    examinations: Sequence[Examination], statement: Statement, at: Sequence[int], why: str
) -> list[Examination]:
    """The examinations with what one statement could decide left open. at: which it may be about; none: any follow-up.

    why: what is wrong with it.
    """
    told = f"a reader's statement on it cannot be used: {why} @ reads.csv row {statement.row}"
    mine = [
        index
        for index, exam in enumerate(examinations)
        if statement.of_any_modality or exam.modality is statement.modality
    ]
    found = list(examinations)
    first = {
        exam.modality: min(one.date for one in examinations if one.modality is exam.modality and one.evaluable)
        for exam in examinations
        if exam.evaluable
    }
    for index in [one for one in at if one in mine] or mine:
        exam = examinations[index]
        if not exam.evaluable:
            continue
        if exam.date == first[exam.modality]:
            if at and can_decide(statement, at_baseline=True):
                return _without_baseline(found, exam, told)
        elif can_decide(statement, at_baseline=False):
            lesion_id = _named(examinations, exam, statement)
            found[index] = _opened(exam, lesion_id, statement, told)
            if lesion_id and not _was_spoken_of(examinations, exam, lesion_id):
                return _in_doubt(examinations, exam, lesion_id, told)
    return found


def _was_spoken_of(examinations: Sequence[Examination], exam: Examination, lesion_id: str) -> bool:
    earlier = (one for one in examinations if one.modality is exam.modality and one.date < exam.date)
    return any(carrier_of(finding) == lesion_id for one in earlier for finding in one.lesions)


def _in_doubt(examinations: Sequence[Examination], exam: Examination, lesion_id: str, why: str) -> list[Examination]:
    """The examinations where nobody can say whether a lesion that begins at one of them is new."""
    return [
        replace(
            one,
            lesions=tuple(
                replace(finding, status=Status.FOLLOWED if finding.is_seen else finding.status, maybe_new=True, why=why)
                if carrier_of(finding) == lesion_id and not finding.is_gone
                else finding
                for finding in one.lesions
            ),
        )
        if one.modality is exam.modality and one.date >= exam.date
        else one
        for one in examinations
    ]


def _without_baseline(examinations: Sequence[Examination], first: Examination, why: str) -> list[Examination]:
    return [
        replace(exam, evaluable=False, why=why) if exam.evaluable and exam.modality is first.modality else exam
        for exam in examinations
    ]


def _named(examinations: Sequence[Examination], exam: Examination, statement: Statement) -> str:
    """The lesion that a statement is about, by its identity or its label there; blank where it names none."""
    known = {
        one.lesion_id: carrier_of(one)
        for other in examinations
        if other.modality is exam.modality
        for one in other.lesions
    }
    if statement.lesion_id in known:
        return known[statement.lesion_id]
    labelled = {carrier_of(one) for one in exam.lesions if statement.label in one.label.split(";")}
    return labelled.pop() if statement.label and len(labelled) == 1 else ""


def _opened(exam: Examination, lesion_id: str, statement: Statement, why: str) -> Examination:
    """One examination without what the lesion's findings say; without anything where no lesion is named."""
    if not lesion_id:
        return replace(exam, evaluable=False, why=why)
    concerned = [one for one in exam.lesions if carrier_of(one) == lesion_id]
    made = LesionFinding(
        lesion_id=lesion_id,
        status=Status.NOT_EVALUABLE,
        modality=exam.modality,
        date=exam.date,
        visit=exam.visit,
        sequence=statement.sequence,
        why=why,
    )
    return replace(exam, lesions=(*(one for one in exam.lesions if one not in concerned), made))
