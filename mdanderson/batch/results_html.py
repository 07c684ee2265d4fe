"""Results as a notebook shows them: how many patients had which best response, and the overall rows."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mdanderson.palette import LIGHT, ink_on
from mdanderson.report.columns import PATIENTS
from mdanderson.version import RESEARCH_USE
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    from mdanderson.batch.results import Results

__all__ = ["results_html"]

_SHOWN = 200
"""Responses that a notebook shows."""
_COLUMNS = ("patient_id", "visit", "date", "criteria", "category", "reason")
_WIDTH, _NAME, _ROW = 620, 80, 26
"""In px: the picture, the names at its left, a row."""
_CELL = "max-width:24em;overflow-wrap:anywhere;text-align:left"
"""No name of 60 letters pushes the reason off the screen."""
_LONG = 24
"""Letters up to which a cell is left as notebooks draw it."""
_LETTERS = 7
"""Width of a letter, in px."""


def results_html(results: Results) -> str:
    """A bar per criteria set, then the overall responses, and which patients failed."""
    rows = results.overall()
    failed = "".join(f"<li>{html.escape(name)}: {html.escape(why)}</li>" for name, why in results.failed.items())
    more = f"<p>and {len(rows) - _SHOWN} more</p>" if len(rows) > _SHOWN else ""
    place = f"{html.escape(str(results.out))}. " if results.out else ""
    return (
        best_responses_svg(results.named(PATIENTS))
        + _table(rows[:_SHOWN])
        + more
        + (f"<p>Not scored:</p><ul>{failed}</ul>" if failed else "")
        + f"<p>{place}{RESEARCH_USE}</p>"
    )


def best_responses_svg(patients: Iterable[Mapping[str, str]]) -> str:
    """Rows of patients.csv: how many patients had each best response, by criteria set. Blank for none."""
    counts: dict[str, Counter[Category]] = {}
    for row in patients:
        counts.setdefault(row["criteria"], Counter())[Category(row["best_response"])] += 1
    if not counts:
        return ""
    bars = "".join(_bar(number, name, its) for number, (name, its) in enumerate(counts.items()))
    told = "; ".join(f"{name}: {_told(its)}" for name, its in counts.items())
    height = _ROW * len(counts) + 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{html.escape(told)}" width="{_WIDTH}" '
        f'height="{height}" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="11">'
        f"{bars}</svg>"
    )


def _bar(number: int, name: str, counts: Counter[Category]) -> str:
    top, all_of_them = _ROW * number + 4, counts.total()
    parts = [f'<text x="4" y="{top + 14}" fill="currentColor">{html.escape(name)}</text>']
    left = float(_NAME)
    for category in _in_order(counts):
        width = (_WIDTH - _NAME - 4) * counts[category] / all_of_them
        parts.append(_part(left, top, width, category, counts[category]))
        left += width
    return "".join(parts)


def _part(left: float, top: int, width: float, category: Category, count: int) -> str:
    """A category's share of a bar, with its number where there is room; it is told when pointed at as well."""
    words, colour = f"{category} {count}", LIGHT.category(category)
    written = (
        f'<text x="{left + width / 2:.1f}" y="{top + 14}" text-anchor="middle" fill="{ink_on(colour)}">{words}</text>'
        if width > _LETTERS * len(words)
        else ""
    )
    return (
        f'<g><title>{words}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_ROW - 6}" '
        f'fill="{colour}" stroke="currentColor" stroke-width="0.5"/>{written}</g>'
    )


def _told(counts: Counter[Category]) -> str:
    return ", ".join(f"{counts[category]} {category}" for category in _in_order(counts))


def _in_order(counts: Counter[Category]) -> list[Category]:
    """From best to worst by what they mean, so that equal colours stand below one another."""
    return sorted(counts, key=lambda category: category.order)


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    body = "".join(f"<tr>{''.join(_cell(row[name]) for name in _COLUMNS)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    style = f' style="{_CELL}"' if len(text) > _LONG else ""
    return f"<td{style}>{html.escape(text)}</td>"
