"""What a criteria set's sum is made of, and from which change on it responds or progresses."""

from __future__ import annotations

from dataclasses import dataclass

from mdanderson.settings import Settings

__all__ = ["SumMeasure", "sum_measure"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SumMeasure:
    """name: its key in the texts. fall: of PR, from baseline; rise: of PD, from the set's reference; fractions."""

    name: str
    fall: float
    rise: float


def sum_measure(criteria: str, settings: Settings) -> SumMeasure:
    """What stands in `size_change_baseline` of this set's rows. Raises `KeyError` for an unknown set."""
    policy, who, recist = settings.policy, settings.who, settings.recist11
    percist, eortc, regression = settings.percist, settings.eortc, settings.mda2004.mda2004_tolerance
    products = SumMeasure(name="figure.products", fall=who.pr_product_fall, rise=who.pd_product_rise)
    long_axes = SumMeasure(name="figure.long_axes", fall=recist.pr_fall, rise=recist.pd_rise)
    return {
        "mda2010": SumMeasure(name="figure.diameters", fall=policy.pr_size_fall, rise=policy.pd_size_rise),
        "mda2004": SumMeasure(name="figure.diameters", fall=regression, rise=regression),
        "who": products,
        "uicc": products,
        "recist11": long_axes,
        "irecist": long_axes,
        "pcwg3": long_axes,
        "percist": SumMeasure(name="figure.sul_peak", fall=percist.pmr_fall, rise=percist.pmd_rise),
        "eortc": SumMeasure(name="figure.suv_max", fall=eortc.pmr_fall, rise=eortc.pmd_rise),
    }[criteria]
