"""What the density rows say of one place: for images, where nobody has made a lesion of it yet.

The rows are those of MDA 2010, so that a place is judged as a lesion would be. What cannot be told is False.
"""

from __future__ import annotations

from mdanderson.criteria import mda2010
from mdanderson.criteria.checks import density as rows
from mdanderson.criteria.facts import LesionRule
from mdanderson.criteria.rule import find_row
from mdanderson.findings import Density
from mdanderson.settings import Settings

__all__ = ["has_new_rim", "is_back_to_normal", "is_density_abnormal", "is_density_normal", "is_filled_in"]


def is_density_normal(density: Density, settings: Settings) -> bool:
    """Whether a place is known to be as dense as its reference bone (CR2)."""
    return rows.is_normal(_row("CR2"), density, settings) is True


def is_density_abnormal(density: Density, settings: Settings) -> bool:
    """Whether a place is known not to be as dense as its reference bone (CR2 could be asked, and does not hold)."""
    return rows.is_normal(_row("CR2"), density, settings) is False


def is_back_to_normal(density: Density, before: Density | None, settings: Settings) -> bool:
    """Whether a place is as dense as its reference bone and plainly was not before (CR2)."""
    return rows.is_back_to_normal(_row("CR2"), density, before, settings) is True


def is_filled_in(density: Density, settings: Settings) -> bool:
    """Whether the lytic part of a place is completely filled in (CR1)."""
    return rows.is_completely_filled_in(_row("CR1"), density, settings) is True


def has_new_rim(density: Density, before: Density | None, settings: Settings) -> bool:
    """Whether a place has a sclerotic rim that it did not have before (PR1)."""
    return rows.is_rim_new(_row("PR1"), density, before, settings) is True


def _row(code: str) -> LesionRule:
    return find_row(mda2010.RULES, code)
