"""What the density rows say of one place: for images, where nobody has made a lesion of it yet.

The limits are those that the rows of every set print. What cannot be told is False.
"""

from __future__ import annotations

from mdanderson.criteria.checks import density as rows
from mdanderson.findings import Density
from mdanderson.settings import Settings

__all__ = ["has_new_rim", "is_back_to_normal", "is_density_abnormal", "is_density_normal", "is_filled_in"]


def is_density_normal(density: Density, settings: Settings) -> bool:
    """Whether a place is known to be as dense as its reference bone."""
    return rows.is_normal(rows.NORMAL_DENSITY, density, settings) is True


def is_density_abnormal(density: Density, settings: Settings) -> bool:
    """Whether a place is known not to be as dense as its reference bone."""
    return rows.is_normal(rows.NORMAL_DENSITY, density, settings) is False


def is_back_to_normal(density: Density, before: Density | None, settings: Settings) -> bool:
    """Whether a place is as dense as its reference bone and plainly was not before."""
    return rows.is_back_to_normal(rows.NORMAL_DENSITY, density, before, settings) is True


def is_filled_in(density: Density, settings: Settings) -> bool:
    """Whether the lytic part of a place is completely filled in."""
    return rows.is_completely_filled_in(rows.COMPLETE_FILL_IN, density, settings) is True


def has_new_rim(density: Density, before: Density | None, settings: Settings) -> bool:
    """Whether a place has a sclerotic rim that it did not have before."""
    return rows.is_rim_new(rows.NEW_RIM_OR_FILL_IN, density, before, settings) is True
