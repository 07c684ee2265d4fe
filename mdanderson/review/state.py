"""What the panel shows of a patient: what may be stated, what has been, how far the scoring is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mdanderson.report.texts import Language, both, word
from mdanderson.review.forms import FIELDS, as_fields
from mdanderson.review.items import Item, codes_for
from mdanderson.review.pages import filled
from mdanderson.review.patient_review import PatientReview, RecordedStatement
from mdanderson.review.rescoring import Job
from mdanderson.review.snapshot import Changes

__all__ = ["state_of"]

_LONGEST_NAME = 40


def state_of(
    patient: PatientReview, *, criteria: str, job: Job | None, waiting: int, blinded: str = ""
) -> dict[str, Any]:
    """As JSON, the parts that are HTML escaped.

    blinded: the reader of a blinded reading, to whom nothing computed is told, and visits go by number.
    """
    items = {item.key: _item(item, patient, criteria, blinded=blinded) for item in patient.items}
    shown = None if blinded else job
    values = {"job": shown, "changes": _changes(shown), "waiting": 0 if blinded else waiting}
    return {
        "items": items,
        "stage": "" if shown is None else str(shown.stage),
        "busy": shown is not None and not shown.is_over,
        "job": filled("job_part.html.j2", values),
        "history": filled("history.html.j2", {"history": _history(patient.statements, patient, blinded=bool(blinded))}),
        "words": {"button": both("review.button")},
    }


def _history(statements: Iterable[RecordedStatement], patient: PatientReview, *, blinded: bool) -> list[dict[str, Any]]:
    """Every statement, the latest first; blinded: visits by number in place of days."""
    ordered = sorted(statements, key=lambda recorded: recorded.order, reverse=True)
    seen: set[tuple[str, ...]] = set()
    entries: list[dict[str, Any]] = []
    for recorded in ordered:
        statement, fields = recorded.statement, as_fields(recorded.statement)
        item = next((item for item in patient.items if recorded.is_about(item)), None)
        key = (
            (item.key,)
            if item
            else (str(statement.date), str(statement.modality), statement.lesion_id, statement.label)
        )
        visit = str(item.number if item else "?") if blinded else (item.visit if item else "") or str(statement.date)
        entries.append(
            {
                "lesion": statement.lesion_id or (item.lesion_id if item else "") or f"({statement.label})",
                "where": f"{statement.modality} · {visit}",
                "superseded": key in seen,
                "adjudicates": statement.adjudicates,
                "entered": recorded.entered,
                "stated": [(name, fields[name]) for name in FIELDS if fields[name]],
                "comment": statement.comment,
                "reader": statement.reader,
                "time": "" if blinded else statement.time[:16].replace("T", " "),
            }
        )
        seen.add(key)
    return entries


def _item(item: Item, patient: PatientReview, criteria: str, *, blinded: str) -> dict[str, Any]:
    stated = patient.about(item)
    fields = as_fields(stated[-1].statement) if stated else {}
    codes = [{"code": one.code, "text": one.text} for one in codes_for(item, criteria)]
    known = {one["code"] for one in codes}
    codes += [
        {"code": code, "text": ""} for code in fields.get("findings", "").split(";") if code and code not in known
    ]
    titles = _titles(item, blinded=bool(blinded))
    return {
        "titles": titles,
        "button": _button(titles, stated=bool(stated)),
        "lesion": item.lesion_id,
        "modality": item.modality,
        "number": item.number,
        "first": item.is_first,
        "baseline": item.is_baseline,
        "fresh": not item.lesion_id,
        "name": _free_name(patient, blinded),
        "label": len(item.labels) == 1,
        "stated": bool(stated),
        "codes": codes,
        "fields": fields,
        "shown": ("", "") if blinded else _shown(item.row),
    }


def _titles(item: Item, *, blinded: bool) -> tuple[str, str]:
    """What an item is called, in English and Chinese; blinded: its visit by number."""
    visits = both("review.number", number=item.number) if blinded else (item.visit or item.date,) * 2
    english, chinese = (" · ".join((item.lesion_id or "+", item.modality, visit)) for visit in visits)
    return english, chinese


def _button(titles: tuple[str, str], *, stated: bool) -> tuple[str, str]:
    """What the button of an item is called, to whom its place beside the picture says nothing."""
    key = "review.button_stated" if stated else "review.button_of"
    return both(key, item=titles[0])[0], both(key, item=titles[1])[1]


def _shown(row: Mapping[str, str]) -> tuple[str, str]:
    """What counts now, in a line, in English and Chinese."""
    codes = (row.get("category", ""), row.get("rules", "").replace(";", ", "))
    words = [(name, row.get(name, "")) for name in ("lesion_type", "status")]
    english, chinese = (
        " · ".join(filter(None, (*codes, *(word(name, value, language) for name, value in words))))
        for language in Language
    )
    return english, chinese


def _free_name(patient: PatientReview, blinded: str) -> str:
    """N1, or the next that no lesion has.

    Who may not know which names others have taken gets some of his own: N1 of one reader is not N1 of another.
    """
    own = f"-{blinded[:_LONGEST_NAME]}" if blinded else ""
    taken = {item.lesion_id for item in patient.items} | {
        recorded.statement.lesion_id for recorded in patient.statements
    }
    return next(name for number in range(1, len(taken) + 2) if (name := f"N{number}{own}") not in taken)


def _changes(job: Job | None) -> Changes | None:
    """What is another than before; None where it was not looked at, before or after."""
    if job is None or job.before is None or job.after is None:
        return None
    return job.after.changes_since(job.before)
