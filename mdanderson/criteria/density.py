"""What the density rows say of one place: for images, where nobody has made a lesion of it yet.

The limits are those of the rows of MDA 2010, so that a place is judged as a lesion would be.
"""

from __future__ import annotations

from mdanderson.criteria.checks import is_density_normal
from mdanderson.criteria.mda2010 import RULES
from mdanderson.findings import Density
from mdanderson.quantities import exact
from mdanderson.settings import Settings

__all__ = ["has_new_rim", "is_density_abnormal", "is_density_normal", "is_filled_in"]

_ROWS = {rule.code: rule for rule in RULES}


def is_density_abnormal(density: Density, settings: Settings) -> bool:
    """Whether a place is known not to be as dense as its reference bone (CR2 could be asked, and does not hold)."""
    return is_density_normal(density, settings.image) is False


def is_filled_in(density: Density, settings: Settings) -> bool:
    """Whether the lytic part of a place is completely filled in (CR1)."""
    cleared, filled, row = density.cleared_fraction, density.fill_in_fraction, _ROWS["CR1"]
    if cleared is None or filled is None:
        return False
    return row.met("cleared_fraction", exact(cleared), settings) and row.met(
        "fill_in_fraction", exact(filled), settings
    )


def has_new_rim(density: Density, before: Density | None, settings: Settings) -> bool:
    """Whether a place has a sclerotic rim that it did not have before (PR1)."""
    if density.rim_fraction is None or before is None or before.rim_fraction is None:
        return False
    rim, rise, row = exact(density.rim_fraction), exact(density.rim_fraction) - exact(before.rim_fraction), _ROWS["PR1"]
    return row.met("rim_fraction", rim, settings) and row.met("rim_fraction_rise", rise, settings)
