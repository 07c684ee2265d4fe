"""How sure a category of size is: two measurements of one unchanged lesion differ, and so may the category.

Model (docs/details.md, uncertainty): the errors of the visits are independent of each other and normal; a relative
change is taken to first order in them, about the sizes as measured. Two changes decide. The fall `now / baseline - 1`
makes PR, the rise `now / reference - 1` makes PD, where the reference is the nadir or the baseline itself. Where it is
another visit than the baseline, both depend on `now`: given the error of `now` they are independent, and what is left
is one integral over that error, done by a fixed rule. No random numbers: the same input gives the same digits.

Accuracy: single normal probabilities to 1e-15, the integral to 1e-8 (tests/test_uncertainty.py holds it against a
brute-force one). Not modelled: that the nadir is the smallest of several noisy values.
Standard library only: exact sizes in, floats out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import erfc, exp, hypot, inf, isfinite, pi, sqrt
from typing import NamedTuple

from mdanderson.errors import MeasurementError
from mdanderson.settings import Uncertainty

__all__ = [
    "CategoryLimits",
    "CategoryProbabilities",
    "Measured",
    "category_probabilities",
    "diameter_sd_mm",
    "product_sd_mm2",
    "size_sd_mm",
    "threshold_distance",
    "uptake_sd",
]


def diameter_sd_mm(diameter_mm: Fraction, settings: Uncertainty) -> float:
    """SD (mm) of one diameter: a share of it and an absolute part (Yoon 2016, PubMed 26687017; Revel 2004).

    0 mm says that nothing is left: a statement, not a measurement, so without error.
    """
    return _diameter_sd(_number(diameter_mm), settings)


def _diameter_sd(diameter: float, settings: Uncertainty) -> float:
    return hypot(_relative_sd(settings) * diameter, settings.absolute_sd_mm) if diameter else 0.0


def size_sd_mm(long_axis_mm: Fraction, short_axis_mm: Fraction, settings: Uncertainty) -> float:
    """SD (mm) of the sum of a lesion's two diameters, whose errors go together in part."""
    long_sd, short_sd = _diameter_sd(_number(long_axis_mm), settings), _diameter_sd(_number(short_axis_mm), settings)
    return _sd_of_sum(long_sd, short_sd, settings.diameter_correlation)


def product_sd_mm2(long_axis_mm: Fraction, short_axis_mm: Fraction, settings: Uncertainty) -> float:
    """SD (mm2) of the product of a lesion's two diameters, to first order."""
    long_sd, short_sd = diameter_sd_mm(long_axis_mm, settings), diameter_sd_mm(short_axis_mm, settings)
    long_mm, short_mm = _number(long_axis_mm), _number(short_axis_mm)
    return _sd_of_sum(short_mm * long_sd, long_mm * short_sd, settings.diameter_correlation)


def uptake_sd(ratio: Fraction, settings: Uncertainty) -> float:
    """SD of an uptake ratio, a share of it: counts have no floor in mm."""
    return settings.uptake_relative_sd * _number(ratio)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """A size of one visit, exact, and its SD in the same unit: a diameter, a sum, a product or an uptake ratio.

    A size of 0 says that nothing is left. Raises `MeasurementError` for a size or an SD below zero or not finite.
    number: the size as a float that can be divided and squared; share_sd: the SD as a share of it.
    """

    size: Fraction
    sd: float
    number: float = field(init=False, repr=False, compare=False)
    share_sd: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.size.numerator < 0 or not (isfinite(self.sd) and self.sd >= 0):
            raise MeasurementError(
                f"size {self.size} with SD {self.sd}", way_out="both are finite numbers, and at least zero"
            )
        number = _number(self.size)
        share_sd = min(self.sd, _LARGEST) / number if number else 0.0
        object.__setattr__(self, "number", number)
        object.__setattr__(self, "share_sd", max(share_sd, _LEAST_SHARE_SD))

    @classmethod
    def from_diameter(cls, diameter_mm: Fraction, settings: Uncertainty) -> Measured:
        """One diameter (mm), as RECIST takes it."""
        return cls(size=diameter_mm, sd=diameter_sd_mm(diameter_mm, settings))

    @classmethod
    def from_uptake(cls, ratio: Fraction, settings: Uncertainty) -> Measured:
        """The uptake of a lesion as a ratio to reference bone."""
        return cls(size=ratio, sd=uptake_sd(ratio, settings))


@dataclass(frozen=True, kw_only=True, slots=True)
class CategoryLimits:
    """Where the categories of a criteria set begin, each reached at the value itself.

    fall, rise: shares, of the baseline and of the reference; rise_mm: least rise in the unit of the size, 0 = none;
    reappeared_mm: long axis that makes what was gone a reappearance. Raises `MeasurementError` outside their range.
    remains, grows, grows_mm: the limits as factors and as a length, in floats.
    """

    fall: Fraction
    rise: Fraction
    rise_mm: Fraction = Fraction(0)
    reappeared_mm: Fraction = Fraction(0)
    remains: float = field(init=False, repr=False, compare=False)
    grows: float = field(init=False, repr=False, compare=False)
    grows_mm: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (0 < self.fall < 1 and self.rise > 0 and self.rise_mm >= 0 and self.reappeared_mm >= 0):
            raise MeasurementError(
                f"limits fall {self.fall}, rise {self.rise}, {self.rise_mm} mm, {self.reappeared_mm} mm",
                way_out="a fall lies between 0 and 1, a rise above 0, a length is not negative",
            )
        object.__setattr__(self, "remains", _number(1 - self.fall))
        object.__setattr__(self, "grows", _number(1 + self.rise))
        object.__setattr__(self, "grows_mm", _number(self.rise_mm))


class CategoryProbabilities(NamedTuple):
    """How probable each category of size is, the four adding up to 1.

    threshold_distance: how far the measured change is from the nearest limit, as a share; None after a size of zero.
    """

    p_cr: float = 0.0
    p_pr: float = 0.0
    p_sd: float = 0.0
    p_pd: float = 0.0
    threshold_distance: float | None = None


def category_probabilities(
    now: Measured | None,
    baseline: Measured | None,
    *,
    reference: Measured | None = None,
    limits: CategoryLimits,
    long_axis: Measured | None = None,
) -> CategoryProbabilities | None:
    """Probability of each category of size, or of uptake; None where there is nothing to compare.

    reference: the visit that a rise is measured from; None: the baseline visit itself.
    long_axis: the longest of the long axes now, asked for only where the reference is zero (a reappearance).

    >>> base, now = Measured(size=Fraction(40), sd=1.5), Measured(size=Fraction(50), sd=1.8)
    >>> found = category_probabilities(now, base, limits=CategoryLimits(fall=Fraction(1, 2), rise=Fraction(1, 4)))
    >>> f"{found.p_sd:.3f} {found.p_pd:.3f}"  # +25 % exactly: an even toss
    '0.500 0.500'
    """
    if now is None or baseline is None:
        return None
    earlier = baseline if reference is None else reference
    if not now.number:
        return _nothing_left(now, baseline, earlier, limits)
    if not earlier.number:
        return _reappearance(now, baseline, limits, long_axis)
    if not baseline.number:
        return None
    distance = _distance(now, baseline, earlier, limits)
    if not (now.sd or baseline.sd or earlier.sd):
        return _without_error(now, baseline, earlier, limits, distance)
    fall, rise = _fall_line(now, baseline, limits), _rise_line(now, earlier, limits)
    floor = _floor_line(now, earlier, limits) if limits.grows_mm else _ALWAYS
    p_fall, p_rise, p_floor = _below(fall), _below(rise), _below(floor)
    p_pd, both = min(p_rise, p_floor), 0.0
    bounded_twice = p_pd > _NEGLIGIBLE and max(p_rise, p_floor) < 1 - _NEGLIGIBLE
    # one change cannot fall and rise at once; two can, and then it is progression
    may_do_both = reference is not None and min(p_fall, p_pd) > _NEGLIGIBLE
    if bounded_twice or may_do_both:
        risen, fallen_too = _integrals(rise, floor, fall)
        p_pd = risen if bounded_twice else p_pd
        both = fallen_too if may_do_both else 0.0
    return _shares(p_fall - both, p_pd, distance)


def threshold_distance(
    now: Measured | None, baseline: Measured | None, *, reference: Measured | None = None, limits: CategoryLimits
) -> float | None:
    """How far the measured change is from the nearest limit, as a share: 0.03 for +22 % or +28 % with PD at +25 %.

    None where a visit is not measured, or an earlier size is zero.
    """
    earlier = baseline if reference is None else reference
    if now is None or baseline is None or earlier is None or not (baseline.number and earlier.number):
        return None
    return _distance(now, baseline, earlier, limits)


Line = tuple[float, float]
"""(a, m): a limit seen by the earlier visit. Given the error t of `now` in SDs, its probability is Phi(a + m t)."""

_ALWAYS: Line = (inf, 0.0)
_NEGLIGIBLE = 1e-9
_LEAST_SHARE_SD = 1e-12  # of a visit without error beside one that has some; keeps the quotients finite
_EDGES = (-6.0, -3.0, 0.0, 3.0, 6.0)  # of the panels, in SDs: beyond them lies 2e-9
_STEEP = 1.5  # a limit that passes faster than this gets panels of its own
_ROOT_2 = sqrt(2)
_TWO_ROOT_2_PI = 2 * sqrt(2 * pi)
_LEAST, _LARGEST = 1e-60, 1e60  # sizes that can be divided and squared; no body holds smaller or larger ones

_GAUSS = (
    (-0.9739065285171717, 0.06667134430868814),
    (-0.8650633666889845, 0.1494513491505804),
    (-0.6794095682990244, 0.219086362515982),
    (-0.4333953941292472, 0.2692667193099965),
    (-0.14887433898163122, 0.2955242247147528),
    (0.14887433898163122, 0.2955242247147528),
    (0.4333953941292472, 0.2692667193099965),
    (0.6794095682990244, 0.219086362515982),
    (0.8650633666889845, 0.1494513491505804),
    (0.9739065285171717, 0.06667134430868814),
)
"""Places and weights of the ten-point Gauss-Legendre rule on [-1, 1] (Abramowitz and Stegun, table 25.4)."""


def _number(value: Fraction) -> float:
    """As a float that can be divided and squared."""
    numerator, denominator = value.as_integer_ratio()
    if not numerator:
        return 0.0
    try:
        number = numerator / denominator
    except OverflowError:
        return _LARGEST
    return number if _LEAST <= number <= _LARGEST else min(max(number, _LEAST), _LARGEST)


def _relative_sd(settings: Uncertainty) -> float:
    return settings.relative_sd_one_reader if settings.readers == "one" else settings.relative_sd_two_readers


def _sd_of_sum(first: float, second: float, correlation: float) -> float:
    return sqrt(max(0.0, first * first + second * second + 2 * correlation * first * second))


def _normal(z: float) -> float:
    """Standard normal probability below z."""
    return 0.5 * erfc(-z / _ROOT_2)


def _distance(now: Measured, baseline: Measured, earlier: Measured, limits: CategoryLimits) -> float:
    from_reference = now.number / earlier.number - max(limits.grows, 1 + limits.grows_mm / earlier.number)
    return min(abs(from_reference), abs(now.number / baseline.number - limits.remains))


def _fall_line(now: Measured, baseline: Measured, limits: CategoryLimits) -> Line:
    """The size is at most `remains` times that of the baseline."""
    a = (limits.remains * baseline.number / now.number - 1) / baseline.share_sd
    return a, -now.share_sd / baseline.share_sd


def _rise_line(now: Measured, earlier: Measured, limits: CategoryLimits) -> Line:
    """The size is at least `grows` times that of the reference."""
    return (1 - limits.grows * earlier.number / now.number) / earlier.share_sd, now.share_sd / earlier.share_sd


def _floor_line(now: Measured, earlier: Measured, limits: CategoryLimits) -> Line:
    """The size is at least `grows_mm` above that of the reference."""
    ratio = now.number / earlier.number
    a = (ratio - 1 - limits.grows_mm / earlier.number) / earlier.share_sd
    return a, ratio * now.share_sd / earlier.share_sd


def _below(line: Line) -> float:
    """Probability that one limit is reached: the integral of Phi(a + m t) over all t."""
    return _normal(line[0] / hypot(1, line[1]))


def _integrals(rise: Line, floor: Line, fall: Line) -> tuple[float, float]:
    """Probability that rise and floor are reached, and that the fall is reached besides.

    Rise and floor both bound the error of the reference from above, so that given `now` the nearer bound decides; the
    fall bounds the error of the baseline.
    """
    (rise_a, rise_m), (floor_a, floor_m), (fall_a, fall_m) = rise, floor, fall
    risen = both = 0.0
    for low, high in pairwise(_panels(rise, floor, fall)):
        half, middle = (high - low) / 2, (high + low) / 2
        for place, weight in _GAUSS:
            t = middle + half * place
            bound = min(rise_a + rise_m * t, floor_a + floor_m * t)
            share = half * weight * exp(-t * t / 2) * erfc(-bound / _ROOT_2)
            risen += share
            both += share * erfc(-(fall_a + fall_m * t) / _ROOT_2)
    return risen / _TWO_ROOT_2_PI, both / (2 * _TWO_ROOT_2_PI)


def _panels(rise: Line, floor: Line, fall: Line) -> list[float]:
    """Edges between which the integrand is smooth: where the nearer bound changes, and round steep limits."""
    edges = set(_EDGES)
    if isfinite(floor[0]) and rise[1] != floor[1]:
        edges.add((floor[0] - rise[0]) / (rise[1] - floor[1]))
    for a, m in (rise, floor, fall):
        if abs(m) > _STEEP:
            edges.update((edge - a) / m for edge in _EDGES)
    return sorted(edge for edge in edges if _EDGES[0] <= edge <= _EDGES[-1])


def _nothing_left(
    now: Measured, baseline: Measured, earlier: Measured, limits: CategoryLimits
) -> CategoryProbabilities | None:
    """A complete response, if there was anything before."""
    if not (baseline.number or earlier.number):
        return None
    known = baseline.number and earlier.number
    return CategoryProbabilities(
        p_cr=1.0, threshold_distance=_distance(now, baseline, earlier, limits) if known else None
    )


def _reappearance(
    now: Measured, baseline: Measured, limits: CategoryLimits, long_axis: Measured | None
) -> CategoryProbabilities | None:
    """What was gone is there again: progression from a long axis on, else what the fall from baseline says.

    The errors of long axis and size are taken as one: too large for the first is too large for the second.
    """
    if long_axis is None:
        return None
    if long_axis.sd:
        p_pd = _normal((long_axis.number - _number(limits.reappeared_mm)) / long_axis.sd)
    else:
        p_pd = float(long_axis.size >= limits.reappeared_mm)
    if not baseline.number:
        return _shares(0.0, p_pd, None)
    if not (now.sd or baseline.sd):
        return _shares(float(now.size <= (1 - limits.fall) * baseline.size), p_pd, None)
    return _shares(_below(_fall_line(now, baseline, limits)), p_pd, None)


def _without_error(
    now: Measured, baseline: Measured, earlier: Measured, limits: CategoryLimits, distance: float
) -> CategoryProbabilities:
    """The category itself, exactly: measurements without error leave no doubt."""
    rises = now.size - earlier.size >= max(limits.rise * earlier.size, limits.rise_mm)
    falls = now.size <= (1 - limits.fall) * baseline.size
    return _shares(float(falls), float(rises), distance)


def _shares(p_pr: float, p_pd: float, distance: float | None) -> CategoryProbabilities:
    """The rest is SD; progression goes before response."""
    p_pr = min(max(p_pr, 0.0), 1 - p_pd)
    return CategoryProbabilities(p_pr=p_pr, p_sd=max(1 - p_pd - p_pr, 0.0), p_pd=p_pd, threshold_distance=distance)
