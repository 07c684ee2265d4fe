"""Pictures, curves and bars as numbers for SVG; how they look, the style sheet says."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from mdanderson.pictures import Line, Picture

__all__ = [
    "Bar",
    "Curve",
    "Curves",
    "DrawnPicture",
    "course_curves",
    "drawn",
    "probabilities",
    "profile_curves",
    "stacked",
]

_TEXT_SHARE = 0.055
"""Of the frame: height of its letters."""
_SCALE_STEPS_MM = (10.0, 50.0, 100.0, 200.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnPicture:
    """A picture with its lines. marks: of a whole view, (x, y, lesion) beside each focus; scale_mm: of its bar.

    new: lesions of a whole view that are new at its visit.
    """

    picture: Picture
    drawn: tuple[str, ...]
    carried: tuple[str, ...]
    diameters: tuple[str, ...]
    marks: tuple[tuple[float, float, str], ...]
    scale_mm: float
    letter_mm: float
    new: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The PNG as an address."""
        return f"data:image/png;base64,{self.picture.png}"

    @property
    def view_box(self) -> str:
        """What is to be seen."""
        return " ".join(_short(mm) for mm in self.picture.frame)

    @property
    def foci(self) -> str:
        """The lesions that are marked in a whole view."""
        return ", ".join(lesion_id for _, _, lesion_id in self.marks)

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole view of a bone scan."""
        return not self.picture.lesion_id


def drawn(picture: Picture, *, new: Collection[str] = ()) -> DrawnPicture:
    """A picture made ready for a page. new: lesions that are new at its visit."""
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
        new=tuple(lesion_id for _, _, lesion_id in marks if lesion_id in new),
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


def probabilities(row: Mapping[str, str]) -> tuple[Bar, ...]:
    """The probabilities of a row of lesions.csv or responses.csv, side by side."""
    shares = ((name, row[f"p_{name.lower()}"]) for name in ("CR", "PR", "SD", "PD"))
    return stacked([(name, float(share)) for name, share in shares if share])


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A line of a small chart. number: of its colour and dashes; dots: where it has a value; known: what these are."""

    path: str
    number: int
    label: str
    dots: tuple[tuple[float, float], ...] = ()
    known: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Curves:
    """A small chart in a frame of its own. y_ticks, x_ticks: place and text of each; edge: place of x = 0.

    left_out: how many lines it has no room for.
    """

    curves: tuple[Curve, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    edge: float
    left_out: int = 0
    left: float = 32.0
    right: float = 288.0
    top: float = 8.0
    bottom: float = 128.0
    view_box: str = "0 0 300 150"


_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0, 20000.0)
"""Between ticks; the least that gives no more of them than wanted."""
_MOST_TICKS = 5
_MOST_LINES = 8
"""As many as the style sheet tells apart."""
_COURSE_STEP = 25.0
"""Percent between its ticks at least, so that the limits have a line each."""
_COURSE_SPAN = (-50.0, 25.0)
"""Percent that the course of sizes always shows: the limits of the criteria, beside which noise is seen as noise."""


def profile_curves(profiles: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> Curves | None:
    """Density by distance from the outline, a line a visit; None where fewer than two points are known.

    Of more visits than lines can be told apart the first and the last ones.
    """
    known = [(label, points) for label, points in profiles if len(points) > 1]
    shown = known if len(known) <= _MOST_LINES else [known[0], *known[1 - _MOST_LINES :]]
    return _curves(shown, across=(-10.0, 10.0), left_out=len(known) - len(shown))


def course_curves(courses: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> Curves | None:
    """Change in percent by week, a line a lesion; None where no lesion was measured twice.

    Of more lesions than lines can be told apart the sum, which comes first, and those that changed most.
    """
    known = [(label, points) for label, points in courses if len(points) > 1]
    weeks = [week for _, points in known for week, _ in points]
    if not weeks or max(weeks) <= 0:
        return None
    shown = known
    if len(known) > _MOST_LINES:
        most = sorted(known[1:], key=lambda line: -max(abs(change) for _, change in line[1]))[: _MOST_LINES - 1]
        shown = [line for line in known if line is known[0] or line in most]
    return _curves(shown, across=(0.0, max(weeks)), span=_COURSE_SPAN, has_dots=True, left_out=len(known) - len(shown))


def _curves(
    lines: Sequence[tuple[str, Sequence[tuple[float, float]]]],
    *,
    across: tuple[float, float],
    span: tuple[float, ...] = (),
    has_dots: bool = False,
    left_out: int = 0,
) -> Curves | None:
    """Lines in one frame, which reaches to whole ticks and takes in `span`."""
    values = [y for _, points in lines for _, y in points]
    if not values:
        return None
    first, last = across
    y_ticks = _ticks(min(*values, *span), max(*values, *span), least=_COURSE_STEP if span else 0.0)
    x_ticks = [x for x in _ticks(first, last) if first <= x <= last]
    low, high = y_ticks[0], y_ticks[-1]
    frame = Curves(curves=(), x_ticks=(), y_ticks=(), edge=0.0)

    def right(x: float) -> float:
        return round(frame.left + (x - first) / (last - first) * (frame.right - frame.left), 1)

    def down(y: float) -> float:
        return round(frame.bottom - (y - low) / (high - low) * (frame.bottom - frame.top), 1)

    def curve(number: int, label: str, points: Sequence[tuple[float, float]]) -> Curve:
        places = tuple((right(x), down(y)) for x, y in points)
        return Curve(
            path=_path(places), number=number, label=label, dots=places if has_dots else (), known=tuple(points)
        )

    return replace(
        frame,
        curves=tuple(curve(number, label, points) for number, (label, points) in enumerate(lines)),
        x_ticks=tuple((right(x), _short(x)) for x in x_ticks),
        y_ticks=tuple((down(y), _short(y)) for y in y_ticks),
        edge=right(0.0),
        left_out=left_out,
    )


def _ticks(low: float, high: float, *, least: float = 0.0) -> list[float]:
    """Round numbers from one not above `low` to one not below `high`, two at least."""
    steps = [step for step in _STEPS if step >= least]
    step = next(step for step in steps if high - low <= _MOST_TICKS * step or step == steps[-1])
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def _path(line: Line) -> str:
    """A line as the path of an SVG."""
    return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in line)


def _short(number: float) -> str:
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
