"""Figures over a cohort: how well two readers agree, how many patients respond. Judges no lesion and no patient.

Every figure that does not exist is None with a reason, never a NaN. Intervals take visits and lesions as independent of
each other; several of one patient are not quite, so an interval over many visits of few patients is a little narrow.
"""

from mdanderson.statistics.agreement import Agreement, Reading, compare
from mdanderson.statistics.columns import ADJUDICATION, AGREEMENT, MEASUREMENT_AGREEMENT, SUMMARY
from mdanderson.statistics.correlation import Icc, icc
from mdanderson.statistics.kappa import Kappa, cohen_kappa
from mdanderson.statistics.limits import BlandAltman, bland_altman
from mdanderson.statistics.rates import exact_interval, summarise_rates
from mdanderson.statistics.survival import Step, median_days, product_limit

__all__ = [
    "ADJUDICATION",
    "AGREEMENT",
    "MEASUREMENT_AGREEMENT",
    "SUMMARY",
    "Agreement",
    "BlandAltman",
    "Icc",
    "Kappa",
    "Reading",
    "Step",
    "bland_altman",
    "cohen_kappa",
    "compare",
    "exact_interval",
    "icc",
    "median_days",
    "product_limit",
    "summarise_rates",
]
