"""In what slices of one MR series may differ, and how a user is told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mdanderson.readers.dicom_slices import Slice
from mdanderson.readers.mr_facts import MrFacts
from mdanderson.readers.mr_sequence import image_kind

__all__ = ["ECHO_TIME", "OF_KIND", "WITHIN_KIND", "Difference", "ranks"]

Value = tuple[float | str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing in which slices differ. value: of a slice, () where the header does not say.

    tell: a value and its rank from 1, in words. absolute, relative: how near numbers are that mean the same.
    """

    value: Callable[[Slice, MrFacts], Value]
    tell: Callable[[Value, int], str]
    absolute: float = 0.0
    relative: float = 0.0

    def alike(self, one: Value, other: Value) -> bool:
        """Whether two values mean the same."""
        return len(one) == len(other) and all(map(self._alike, one, other))

    def _alike(self, a: float | str, b: float | str) -> bool:
        if isinstance(a, str) or isinstance(b, str):
            return a == b
        return abs(a - b) <= max(self.absolute, self.relative * abs(b))


def ranks(difference: Difference, slices: Sequence[Slice], facts: Sequence[MrFacts]) -> list[int]:
    """For each slice the rank, from 0, of its value among the different ones."""
    values = [difference.value(each, fact) for each, fact in zip(slices, facts, strict=True)]
    distinct: list[Value] = []
    rank: dict[Value, int] = {}
    for value in sorted(set(values), key=lambda value: [(isinstance(x, str), x) for x in value]):
        rank[value] = next((k for k, other in enumerate(distinct) if difference.alike(value, other)), len(distinct))
        if rank[value] == len(distinct):
            distinct.append(value)
    return [rank[value] for value in values]


def _number(name: str, unit: str) -> Callable[[Value, int], str]:
    def tell(value: Value, _: int) -> str:
        return f"{name} {value[0]:g} {unit}".strip() if value else f"no {name}"

    return tell


def _rank(name: str) -> Callable[[Value, int], str]:
    return lambda _, rank: f"{name} {rank}"


def _known(value: float | None) -> Value:
    return () if value is None else (value,)


def _plane(value: Value, rank: int) -> str:
    column, row = np.array(value[:3], dtype=float), np.array(value[3:], dtype=float)
    names = ("sagittal", "coronal", "axial")
    return f"stack {rank} ({names[int(np.abs(np.cross(column, row)).argmax())]})"


def _grid(one: Slice, _: MrFacts) -> Value:
    return (float(one.pixels.rows), float(one.pixels.columns), *map(float, one.spacing_mm))


def _tell_grid(value: Value, _: int) -> str:
    return f"{value[0]:g} x {value[1]:g} pixels of {value[2]:.3g} x {value[3]:.3g} mm"


def _pixels(one: Slice, _: MrFacts) -> Value:
    kind = "floating-point" if one.pixels.floating else "signed" if one.pixels.signed else "unsigned"
    return (f"{kind} pixels of {one.pixels.bits_allocated} bits",)


def _kind(_: Slice, facts: MrFacts) -> Value:
    return (image_kind(facts)[0],)


def _tell_kind(value: Value, _: int) -> str:
    return str(value[0]) or "plain image"


def _component(_: Slice, facts: MrFacts) -> Value:
    return (facts.component,)


ECHO_TIME = Difference(
    value=lambda _, facts: _known(facts.echo_time_ms), tell=_number("TE", "ms"), absolute=0.02, relative=0.01
)

OF_KIND = (
    Difference(value=lambda one, _: tuple(map(float, one.orientation)), tell=_plane, absolute=1e-3),
    Difference(value=lambda one, _: (one.frame_of_reference_uid,), tell=_rank("frame of reference")),
    Difference(value=lambda _, facts: (facts.stack_id,), tell=_rank("stack")),
    Difference(value=_grid, tell=_tell_grid, relative=1e-4),
    Difference(value=_pixels, tell=lambda value, _: str(value[0])),
    Difference(value=_kind, tell=_tell_kind),
    Difference(value=_component, tell=lambda value, _: str(value[0])),
    Difference(value=lambda _, facts: _known(facts.b_value_s_mm2), tell=_number("b", "s/mm2"), absolute=1.0),
    ECHO_TIME,
    Difference(
        value=lambda _, facts: _known(facts.inversion_time_ms), tell=_number("TI", "ms"), absolute=1.0, relative=0.01
    ),
)
"""What makes two slices parts of two images, wherever they lie."""
WITHIN_KIND = (
    Difference(value=lambda _, facts: _known(facts.time_index), tell=_rank("time")),
    Difference(value=lambda _, facts: facts.direction, tell=_rank("diffusion direction"), absolute=1e-3),
    Difference(value=lambda _, facts: _known(facts.acquisition), tell=_number("acquisition", "")),
    Difference(value=lambda _, facts: _known(facts.trigger_ms), tell=_number("trigger", "ms"), absolute=1.0),
    Difference(value=lambda _, facts: _known(facts.flip_degrees), tell=_number("flip angle", "degrees"), absolute=0.05),
    Difference(
        value=lambda _, facts: _known(facts.repetition_time_ms), tell=_number("TR", "ms"), absolute=0.1, relative=0.01
    ),
    Difference(value=lambda _, facts: facts.words, tell=lambda value, _: "/".join(map(str, value))),
    Difference(value=lambda _, facts: (facts.pulse_sequence,), tell=_rank("pulse sequence")),
    Difference(value=lambda _, facts: (facts.time,), tell=_rank("time")),
)
"""What may tell slices of one place apart, and may as well differ from slice to slice of one image."""
