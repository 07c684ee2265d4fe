"""Cohen's kappa: how far two readers agree on categories beyond what chance would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from mdanderson.statistics.quantiles import CONFIDENCE, normal_quantile
from mdanderson.vocabulary import Category

__all__ = ["SCALE", "Kappa", "cohen_kappa", "steps_apart"]

SCALE = (Category.CR, Category.PR, Category.SD, Category.PD)
"""The ordered categories, a step apart from each other."""

NO_PAIRS = "no pairs"
ONE_CATEGORY = "both readers gave one and the same category throughout: chance alone would agree as well"
NO_ERROR = "no interval: the readers agree or differ throughout, or one gave a single category"

_Pair = tuple[Category, Category]
_Weight = Callable[[Category, Category], Fraction]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kappa:
    """Agreement of two readers on categories, with 95 % intervals; None where undefined, and `reason` says why.

    kappa: all categories alike, each in its own word. weighted: linear weights on CR < PR < SD < PD (what each word
    `means`), over the pairs that both have a place on that scale. observed_agreement: share of pairs in one word (0-1).
    """

    pairs: int
    observed_agreement: float | None = None
    kappa: float | None = None
    low: float | None = None
    high: float | None = None
    weighted: float | None = None
    weighted_low: float | None = None
    weighted_high: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Figure:
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def cohen_kappa(pairs: Sequence[tuple[Category, Category]]) -> Kappa:
    """Kappa and linearly weighted kappa of pairs (category of one reader, category of the other).

    Intervals: the large-sample standard error of Fleiss, Cohen and Everitt, Psychol Bull 1969;72:323, which holds for
    any true kappa; cut at -1 and 1. Where that error is exactly zero there is no interval, since certainty from a
    handful of pairs would be a fiction.
    """
    if not pairs:
        return Kappa(pairs=0, reason=NO_PAIRS)
    plain = _chance_corrected(pairs, _identical)
    placed = [(one.means, other.means) for one, other in pairs if steps_apart(one, other) is not None]
    weighted = _chance_corrected(placed, _linear)
    return Kappa(
        pairs=len(pairs),
        observed_agreement=sum(one is other for one, other in pairs) / len(pairs),
        kappa=plain.value,
        low=plain.low,
        high=plain.high,
        weighted=weighted.value,
        weighted_low=weighted.low,
        weighted_high=weighted.high,
        reason=_told(plain, weighted),
    )


def steps_apart(one: Category, other: Category) -> int | None:
    """How many steps of CR < PR < SD < PD lie between two categories; None where one has no place there (NE, BL).

    >>> steps_apart(Category.PR, Category.PMD), steps_apart(Category.NE, Category.PD)
    (2, None)
    """
    if one.means not in SCALE or other.means not in SCALE:
        return None
    return abs(SCALE.index(one.means) - SCALE.index(other.means))


def _identical(one: Category, other: Category) -> Fraction:
    return Fraction(one is other)


def _linear(one: Category, other: Category) -> Fraction:
    return 1 - Fraction(abs(SCALE.index(one) - SCALE.index(other)), len(SCALE) - 1)


def _told(plain: _Figure, weighted: _Figure) -> str:
    """Both reasons in one sentence, or the one that both share."""
    if plain.reason == weighted.reason:
        return plain.reason
    named = (("kappa", plain.reason), ("weighted kappa", weighted.reason))
    return "; ".join(f"{name}: {reason}" for name, reason in named if reason)


def _chance_corrected(pairs: Sequence[_Pair], weight: _Weight) -> _Figure:
    """Kappa under `weight` (1 for full agreement). Exact fractions, so that neither order nor rounding matters."""
    if not pairs:
        return _Figure(reason=NO_PAIRS)
    shares = {pair: Fraction(count, len(pairs)) for pair, count in Counter(pairs).items()}
    ones, others = _margin(shares, 0), _margin(shares, 1)
    row_mean = {one: sum((weight(one, other) * share for other, share in others.items()), Fraction(0)) for one in ones}
    column_mean = {
        other: sum((weight(one, other) * share for one, share in ones.items()), Fraction(0)) for other in others
    }
    observed = sum((weight(*pair) * share for pair, share in shares.items()), Fraction(0))
    expected = sum((row_mean[one] * share for one, share in ones.items()), Fraction(0))
    if expected == 1:
        return _Figure(reason=ONE_CATEGORY)
    missed, unexpected = 1 - observed, 1 - expected
    spread = sum(
        share * (weight(one, other) * unexpected - (row_mean[one] + column_mean[other]) * missed) ** 2
        for (one, other), share in shares.items()
    )
    variance = (spread - (observed * expected - 2 * expected + observed) ** 2) / (len(pairs) * unexpected**4)
    return _with_interval((observed - expected) / unexpected, variance)


def _with_interval(value: Fraction, variance: Fraction) -> _Figure:
    if variance == 0:
        return _Figure(value=float(value), reason=NO_ERROR)
    reach = normal_quantile((1 + CONFIDENCE) / 2) * sqrt(variance)
    return _Figure(value=float(value), low=max(float(value) - reach, -1.0), high=min(float(value) + reach, 1.0))


def _margin(shares: Mapping[_Pair, Fraction], side: int) -> dict[Category, Fraction]:
    """The share of each category with one of the two readers."""
    margin: dict[Category, Fraction] = {}
    for pair, share in shares.items():
        margin[pair[side]] = margin.get(pair[side], Fraction(0)) + share
    return margin
