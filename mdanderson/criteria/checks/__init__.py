"""The questions that rows ask, one file per measure, shared by every criteria set.

Each gets its row, compares facts with the limits that the row prints and with no others, and tells the numbers.
"""

from __future__ import annotations

from mdanderson.criteria.checks.density import complete_fill_in, density_normal, rim_or_partial_fill_in
from mdanderson.criteria.checks.presence import new_lesion, something_assessed
from mdanderson.criteria.checks.signal import signal_normal
from mdanderson.criteria.checks.size import size_fall, size_rise, size_steady
from mdanderson.criteria.checks.uptake import uptake_fall, uptake_normal, uptake_rise

__all__ = [
    "complete_fill_in",
    "density_normal",
    "new_lesion",
    "rim_or_partial_fill_in",
    "signal_normal",
    "size_fall",
    "size_rise",
    "size_steady",
    "something_assessed",
    "uptake_fall",
    "uptake_normal",
    "uptake_rise",
]
