"""A timeline as a small picture in SVG: what each visit was called, and how the sum of sizes changed over weeks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from fractions import Fraction

from mdanderson.criteria import Response
from mdanderson.palette import LIGHT, ink_on
from mdanderson.quantities import exact, percent
from mdanderson.vocabulary import Category

__all__ = ["course_svg"]

_WIDTH, _HEIGHT = 620, 190
_LEFT, _RIGHT, _TOP, _FLOOR = 40, 40, 30, 138
"""Edges of the area in which changes are drawn, in px; below it stand weeks and visits."""
_LEAST, _MOST = -0.5, 0.5
"""Changes that have room at the least."""
_LONGEST_LABEL = 14
_LIMITS = (Fraction(-1, 2), Fraction(1, 4))
"""Of MD Anderson and WHO."""

_Point = tuple[float, float]


def course_svg(overall: Sequence[Response]) -> str:
    """The overall rows of one criteria set, in order of date; blank for none.

    The height of a box is the change of the set's sum since baseline. Where it is not known, the box stands as high as
    the one before it, without a number, and no line leads there.
    """
    if not overall:
        return ""
    last = max(float(row.weeks) for row in overall) or 1.0
    places = [_LEFT + (_WIDTH - _LEFT - _RIGHT) * float(row.weeks) / last for row in overall]
    changes = [_change(row) for row in overall]
    numbers = [change for change in changes if change is not None]
    low, high = min([_LEAST, *numbers]), max([_MOST, *numbers])

    def height(change: float) -> float:
        return _FLOOR - (_FLOOR - _TOP) * (change - low) / (high - low)

    heights = [height(change) for change in _carried_on(changes)]
    known = [(x, y) for x, y, change in zip(places, heights, changes, strict=True) if change is not None]
    parts = [
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{LIGHT.background}"/>',
        f'<path d="M{_LEFT - 20} {height(0.0):.1f}H{_WIDTH - _RIGHT + 20}" stroke="{LIGHT.grid}"/>',
        _line(known),
        *map(_visit, overall, places, heights, changes),
    ]
    told = html.escape(f"{overall[0].criteria}: " + ", ".join(f"{row.visit} {row.category}" for row in overall))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{told}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="11">{"".join(parts)}</svg>'
    )


def _change(row: Response) -> float | None:
    """Since baseline; nothing at the baseline itself."""
    if row.category is Category.BL:
        return 0.0
    return None if row.size_change_baseline is None else float(row.size_change_baseline)


def _carried_on(changes: Sequence[float | None]) -> list[float]:
    """What is not known as the last that was."""
    found: list[float] = []
    for change in changes:
        found.append(change if change is not None else found[-1] if found else 0.0)
    return found


def _line(points: Sequence[_Point]) -> str:
    """From one known change to the next."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{LIGHT.muted}" stroke-width="2"/>' if len(points) > 1 else ""


def _visit(row: Response, x: float, y: float, change: float | None) -> str:
    """A box with the category, the change above it, the week and the visit's label below the floor."""
    colour = LIGHT.category(row.category)
    width = 10 + 7 * len(row.category)
    label = row.visit if len(row.visit) <= _LONGEST_LABEL else f"{row.visit[: _LONGEST_LABEL - 1]}…"
    return (
        f"<g><title>{html.escape(row.reason)}</title>"
        f'<rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width}" height="18" rx="3" fill="{colour}"/>'
        + _text(x, y + 4, row.category, ink_on(colour))
        + ("" if not change else _text(x, y - 14, _in_words(change), LIGHT.muted))
        + _text(x, _FLOOR + 30, f"{float(row.weeks):.0f} weeks", LIGHT.text)
        + _text(x, _FLOOR + 46, label, LIGHT.muted)
        + "</g>"
    )


def _in_words(change: float) -> str:
    """Rounded as in the reasons: to no limit that it does not reach."""
    return percent(exact(change), limits=_LIMITS).replace("-", "\N{MINUS SIGN}")


def _text(x: float, y: float, words: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{colour}">{html.escape(words)}</text>'
