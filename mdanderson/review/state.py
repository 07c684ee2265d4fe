"""What the panel shows of a patient: what may be stated, what has been, how far the scoring is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mdanderson.report.texts import EN, ZH
from mdanderson.review.desk import Said, Sheet
from mdanderson.review.forms import FIELDS, as_fields
from mdanderson.review.items import Item, codes_for
from mdanderson.review.pages import drawn
from mdanderson.review.rescoring import Job

__all__ = ["both", "history_of", "state_of"]

_LONGEST_NAME = 40


def state_of(sheet: Sheet, *, criteria: str, job: Job | None, waiting: int, blinded: str = "") -> dict[str, Any]:
    """As JSON, the parts that are HTML escaped.

    blinded: the reader of a blinded reading, to whom nothing computed is told, and visits go by number.
    """
    items = {item.key: _item(item, sheet, criteria, blinded=blinded) for item in sheet.items}
    told = None if blinded else job
    values = {"job": told, "changes": _changes(told), "waiting": 0 if blinded else waiting}
    return {
        "items": items,
        "stage": "" if told is None else str(told.stage),
        "job": drawn("job_part.html.j2", values),
        "history": drawn("history.html.j2", {"history": history_of(sheet.said, sheet, blinded=bool(blinded))}),
        "words": {"button": both("review.button")},
    }


def history_of(said: Iterable[Said], sheet: Sheet, *, blinded: bool) -> list[dict[str, Any]]:
    """Every statement, the latest first; blinded: visits by number in place of days."""
    ordered = sorted(said, key=lambda one: one.order, reverse=True)
    seen: set[tuple[str, ...]] = set()
    told: list[dict[str, Any]] = []
    for one in ordered:
        statement, fields = one.statement, as_fields(one.statement)
        item = next((item for item in sheet.items if one.is_about(item)), None)
        key = (
            (item.key,)
            if item
            else (str(statement.date), str(statement.modality), statement.lesion_id, statement.label)
        )
        visit = str(item.number if item else "?") if blinded else (item.visit if item else "") or str(statement.date)
        told.append(
            {
                "lesion": statement.lesion_id or (item.lesion_id if item else "") or f"({statement.label})",
                "where": f"{statement.modality} · {visit}",
                "superseded": key in seen,
                "adjudicates": statement.adjudicates,
                "entered": one.entered,
                "stated": [(name, fields[name]) for name in FIELDS if fields[name]],
                "comment": statement.comment,
                "reader": statement.reader,
                "time": "" if blinded else statement.time[:16].replace("T", " "),
            }
        )
        seen.add(key)
    return told


def both(key: str, **values: object) -> tuple[str, str]:
    """A string in English and Chinese."""
    return EN[key].format(**values), ZH[key].format(**values)


def _item(item: Item, sheet: Sheet, criteria: str, *, blinded: str) -> dict[str, Any]:
    stated = sheet.about(item)
    fields = as_fields(stated[-1].statement) if stated else {}
    codes = [{"code": one.code, "text": one.text} for one in codes_for(item, criteria)]
    known = {one["code"] for one in codes}
    codes += [
        {"code": code, "text": ""} for code in fields.get("findings", "").split(";") if code and code not in known
    ]
    when = f"visit {item.number}" if blinded else item.visit or item.date
    return {
        "title": " · ".join((item.lesion_id or "+", item.modality, when)),
        "lesion": item.lesion_id,
        "modality": item.modality,
        "number": item.number,
        "first": item.is_first,
        "baseline": item.is_baseline,
        "fresh": not item.lesion_id,
        "name": _free_name(sheet, blinded),
        "label": len(item.labels) == 1,
        "stated": bool(stated),
        "codes": codes,
        "fields": fields,
        "shown": "" if blinded else _shown(item.row),
    }


def _shown(row: Mapping[str, str]) -> str:
    """What counts now, in a line."""
    told = (
        row.get("category", ""),
        row.get("rules", "").replace(";", ", "),
        row.get("lesion_type", ""),
        row.get("status", ""),
    )
    return " · ".join(filter(None, told))


def _free_name(sheet: Sheet, blinded: str) -> str:
    """N1, or the next that no lesion has.

    Who may not know which names others have taken gets some of his own: N1 of one reader is not N1 of another.
    """
    own = f"-{blinded[:_LONGEST_NAME]}" if blinded else ""
    taken = {item.lesion_id for item in sheet.items} | {one.statement.lesion_id for one in sheet.said}
    return next(name for number in range(1, len(taken) + 2) if (name := f"N{number}{own}") not in taken)


def _changes(job: Job | None) -> dict[str, Any] | None:
    """What is another than before: categories, and problems that are new."""
    if job is None or not isinstance(job.before, dict) or not isinstance(job.after, dict):
        return None
    categories = [
        (name, job.before[kind].get(name, ""), job.after[kind].get(name, ""))
        for kind in ("responses", "lesions")
        for name in dict.fromkeys((*job.before[kind], *job.after[kind]))
        if job.before[kind].get(name, "") != job.after[kind].get(name, "")
    ]
    problems = [
        (severity, line) for line, severity in job.after["problems"].items() if line not in job.before["problems"]
    ]
    return {"categories": categories, "problems": problems}
