"""What stands for a picture or a chart where it is not seen: the key of a sentence, and what is put into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from mdanderson.report.html.drawing import Curves, DrawnPicture
from mdanderson.report.html.numbers import number_of
from mdanderson.report.texts import EN, ZH

__all__ = ["course_told", "described", "profile_told"]

_NEAR_MM = 10.0
Told = str | tuple[str, str]
"""A text, or one in English and one in Chinese."""


def described(one: DrawnPicture, lesion: str) -> tuple[str, Mapping[str, Told]]:
    """Of a picture: what it is of, on which day, which slice of it, and what is drawn in it."""
    picture = one.picture
    beside = " ".join(filter(None, (picture.sequence, "" if one.is_whole else picture.view)))
    kind = _both(f"modality.{picture.modality}", view=picture.view if one.is_whole else "")
    values: dict[str, Told] = {
        "lesion": one.foci or "\N{EN DASH}" if one.is_whole else lesion,
        "modality": (f"{kind[0]} {beside}".strip(), f"{kind[1]} {beside}".strip()),
        "date": picture.date.isoformat(),
        "slice": _slice(picture.slice_number),
    }
    return "page.alt_whole" if one.is_whole else "page.alt_drawn" if one.drawn else "page.alt_carried", values


def course_told(curves: Curves) -> str:
    """The last value of every line of a course of sizes."""
    return ", ".join(f"{one.label} {number_of(str(one.known[-1][1] / 100), '%')}" for one in curves.curves)


def profile_told(curves: Curves) -> str:
    """The mean density on either side of the outline, a visit each."""
    return "; ".join(
        f"{one.label}: {_mean([y for x, y in one.known if -_NEAR_MM <= x < 0])}"
        f" | {_mean([y for x, y in one.known if 0 < x <= _NEAR_MM])} HU"
        for one in curves.curves
    )


def _mean(values: Sequence[float]) -> str:
    return number_of(str(fmean(values)), "HU") if values else "\N{EN DASH}"


def _slice(number: int | None) -> tuple[str, str]:
    if not number:
        return "", ""
    return f", {EN['page.slice'].format(number=number)}", f"，{ZH['page.slice'].format(number=number)}"


def _both(key: str, *, view: str) -> tuple[str, str]:
    """A word in both languages, with the side that a whole view was taken from."""
    kind = EN[key], ZH[key]
    side = f"view.{view}"
    return (f"{kind[0]}, {EN[side]},", f"{kind[1]}（{ZH[side]}）") if side in EN else kind
