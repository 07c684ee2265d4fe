"""Quantiles of the distributions that the intervals rest on; scipy is loaded when one is first asked for."""

from __future__ import annotations

from statistics import NormalDist

__all__ = ["CONFIDENCE", "beta_quantile", "f_quantile", "normal_quantile", "t_quantile"]

CONFIDENCE = 0.95
"""Of every interval in a table."""


def normal_quantile(share: float) -> float:
    """The value below which `share` (0-1) of the standard normal distribution lies.

    >>> round(normal_quantile(0.975), 6)
    1.959964
    """
    return NormalDist().inv_cdf(share)


def t_quantile(share: float, degrees: float) -> float:
    """The same for Student's t with `degrees` of freedom."""
    from scipy import special

    return float(special.stdtrit(degrees, share))


def f_quantile(share: float, numerator: float, denominator: float) -> float:
    """The same for F with `numerator` and `denominator` degrees of freedom."""
    from scipy import special

    return float(special.fdtri(numerator, denominator, share))


def beta_quantile(share: float, first: float, second: float) -> float:
    """The same for the beta distribution with shapes `first` and `second`."""
    from scipy import special

    return float(special.betaincinv(first, second, share))
