"""What the rows on MR signal and uptake say of one finding: for images, where nobody has made a lesion of it yet.

The limits are those that the rows of every set print.
"""

from __future__ import annotations

from mdanderson.criteria.checks import signal, uptake
from mdanderson.findings import LesionFinding
from mdanderson.quantities import exact
from mdanderson.settings import Settings

__all__ = ["is_signal_normal", "is_uptake_normal"]


def is_signal_normal(finding: LesionFinding, settings: Settings) -> bool | None:
    """Whether its signal is that of marrow (CR3); None where its sequence cannot tell, or nothing was measured."""
    return signal.is_signal_normal(signal.NORMAL_SIGNAL, finding, settings)


def is_uptake_normal(ratio: float, settings: Settings) -> bool:
    """Whether an uptake ratio is that of reference bone (CR4)."""
    return uptake.NORMAL_UPTAKE.met("uptake_ratio", exact(ratio), settings)
