"""Pictures, curves and bars as numbers for SVG; how they look, the style sheet says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mdanderson.pictures import Line, Picture

__all__ = ["Bar", "Curve", "Curves", "DrawnPicture", "course_curves", "drawn", "profile_curves", "stacked"]

_TEXT_SHARE = 0.055
"""Of the frame: height of its letters."""
_SCALE_STEPS_MM = (10.0, 50.0, 100.0, 200.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnPicture:
    """A picture with its lines. marks: of a whole view, (x, y, lesion) beside each focus; scale_mm: of its bar."""

    picture: Picture
    drawn: tuple[str, ...]
    carried: tuple[str, ...]
    diameters: tuple[str, ...]
    marks: tuple[tuple[float, float, str], ...]
    scale_mm: float
    letter_mm: float

    @property
    def source(self) -> str:
        """The PNG as an address."""
        return f"data:image/png;base64,{self.picture.png}"

    @property
    def view_box(self) -> str:
        """What is to be seen."""
        return " ".join(_short(mm) for mm in self.picture.frame)

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole view of a bone scan."""
        return not self.picture.lesion_id


def drawn(picture: Picture) -> DrawnPicture:
    """A picture made ready for a page."""
    whole = not picture.lesion_id
    marks = []
    for outline in picture.outlines if whole else ():
        points = [point for line in outline.lines for point in line]
        if points:
            rightmost = max(x for x, _ in points)
            middle = sum(y for _, y in points) / len(points)
            marks.append((round(rightmost, 1), round(middle, 1), outline.lesion_id))
    width = min(picture.frame[2], picture.frame[3])
    return DrawnPicture(
        picture=picture,
        drawn=tuple(_path(line) for one in picture.outlines if one.drawn for line in one.lines),
        carried=tuple(_path(line) for one in picture.outlines if not one.drawn for line in one.lines),
        diameters=tuple(map(_path, picture.diameters)),
        marks=tuple(marks),
        scale_mm=max(step for step in _SCALE_STEPS_MM if step <= width / 4 or step == _SCALE_STEPS_MM[0]),
        letter_mm=round(width * _TEXT_SHARE, 2),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A piece of a stacked bar in percent of its width."""

    name: str
    start: float
    width: float


def stacked(shares: Sequence[tuple[str, float]]) -> tuple[Bar, ...]:
    """Pieces side by side; those of nothing are left out."""
    bars, start = [], 0.0
    for name, share in shares:
        if share > 0:
            bars.append(Bar(name=name, start=round(100 * start, 2), width=round(100 * share, 2)))
        start += share
    return tuple(bars)


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A line of a small chart. number: in order of time; label: its visit."""

    path: str
    number: int
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Curves:
    """A small chart, 300 x 150; y_ticks, x_ticks: place and text of each; edge: place of x = 0."""

    curves: tuple[Curve, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    edge: float


_LEFT, _RIGHT, _TOP, _BOTTOM = 32.0, 288.0, 8.0, 128.0
_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0, 20000.0)
"""Between ticks; the least that gives no more of them than wanted."""
_MOST_TICKS = 5


def profile_curves(profiles: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> Curves | None:
    """Density by distance from the outline, a line a visit; None where fewer than two points are known."""
    return _curves(profiles, across=(-10.0, 10.0))


def course_curves(courses: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> Curves | None:
    """Change in percent by week, a line a lesion; None where no lesion was measured twice."""
    weeks = [week for _, points in courses if len(points) > 1 for week, _ in points]
    return _curves(courses, across=(0.0, max(weeks))) if weeks and max(weeks) > 0 else None


def _curves(
    lines: Sequence[tuple[str, Sequence[tuple[float, float]]]], *, across: tuple[float, float]
) -> Curves | None:
    """Lines of more than one point in one frame, which reaches to whole ticks."""
    lines = [(label, points) for label, points in lines if len(points) > 1]
    values = [y for _, points in lines for _, y in points]
    if not values:
        return None
    first, last = across
    y_ticks, x_ticks = _ticks(min(values), max(values)), [x for x in _ticks(first, last) if first <= x <= last]
    low, high = y_ticks[0], y_ticks[-1]

    def right(x: float) -> float:
        return round(_LEFT + (x - first) / (last - first) * (_RIGHT - _LEFT), 1)

    def down(y: float) -> float:
        return round(_BOTTOM - (y - low) / (high - low) * (_BOTTOM - _TOP), 1)

    return Curves(
        curves=tuple(
            Curve(path=_path(tuple((right(x), down(y)) for x, y in points)), number=number, label=label)
            for number, (label, points) in enumerate(lines)
        ),
        x_ticks=tuple((right(x), _short(x)) for x in x_ticks),
        y_ticks=tuple((down(y), _short(y)) for y in y_ticks),
        edge=right(0.0),
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from one not above `low` to one not below `high`, two at least."""
    step = next(step for step in _STEPS if high - low <= _MOST_TICKS * step or step == _STEPS[-1])
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def _path(line: Line) -> str:
    """A line as the path of an SVG."""
    return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in line)


def _short(number: float) -> str:
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
