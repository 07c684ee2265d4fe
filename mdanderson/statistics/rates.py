"""How many patients respond, per criteria set and group, with exact confidence intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from mdanderson.errors import InputError, MeasurementError
from mdanderson.statistics.columns import SUMMARY
from mdanderson.statistics.quantiles import CONFIDENCE, beta_quantile
from mdanderson.statistics.rows import TextRow, Values, category_in, cell, days_in, index_rows, ordered
from mdanderson.statistics.survival import median_days, product_limit
from mdanderson.vocabulary import Category

__all__ = ["exact_interval", "summarise_rates"]

_COUNTED = (Category.CR, Category.PR, Category.SD, Category.PD, Category.NE)
_FLAGS = {"true": True, "false": False}


def exact_interval(successes: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval of a share, `successes` of `n` (Clopper and Pearson, Biometrika 1934;26:404).

    It is exactly 0 below no success and exactly 1 above n of n. Raises `MeasurementError` for a share of nothing, more
    successes than n, and a confidence outside 0-1.

    >>> low, high = exact_interval(0, 10)
    >>> low, round(high, 4)
    (0.0, 0.3085)
    """
    if n < 1 or not 0 <= successes <= n:
        raise MeasurementError(f"{successes} of {n} is no share", way_out="count successes among one or more")
    if not 0 < confidence < 1:
        raise MeasurementError(f"a confidence of {confidence}", way_out="take one between 0 and 1, such as 0.95")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else beta_quantile(1 - tail, successes + 1, n - successes)
    return low, high


def summarise_rates(patient_rows: Iterable[TextRow], groups: Mapping[str, str] | None = None) -> tuple[Values, ...]:
    """Rows of `SUMMARY` from rows of patients.csv: per criteria set all patients, then each group by name.

    groups: group by patient; who has none, or a blank one, counts among all only. Patients without a row in
    patients.csv (not scored at all) are in no denominator.
    Raises `InputError` for a missing column, a patient twice under one criteria set, and cells that cannot be read.
    """
    indexed = index_rows(patient_rows, ("criteria", "patient_id"), table="patients")
    gathered: dict[tuple[str, str, str], list[TextRow]] = {}
    for (criteria, patient_id), row in indexed.items():
        gathered.setdefault((criteria, "all", ""), []).append(row)
        group = (groups or {}).get(patient_id, "")
        if group:
            gathered.setdefault((criteria, "group", group), []).append(row)
    return ordered(
        SUMMARY,
        (
            {"criteria": criteria, "level": level, "group": group} | _figures(rows)
            for (criteria, level, group), rows in gathered.items()
        ),
    )


def _figures(rows: Sequence[TextRow]) -> dict[str, object]:
    best = Counter(_best(row) for row in rows)
    patients, evaluable = len(rows), len(rows) - best[Category.NE]
    responders = best[Category.CR] + best[Category.PR]
    controlled = responders + best[Category.SD]
    times = [time for row in rows if (time := _followed(row)) is not None]
    median = median_days(product_limit(times))
    reasons = (
        "" if evaluable else "no patient is evaluable",
        "" if times else "no patient was followed",
        "median not reached" if times and median is None else "",
    )
    return {
        "patients": patients,
        "evaluable": evaluable,
        **{f"n_{category.lower()}": best[category] for category in _COUNTED},
        "responders": responders,
        **_rate(responders, patients, ("response_rate", "response_low", "response_high")),
        **_rate(
            responders,
            evaluable,
            ("response_rate_evaluable", "response_evaluable_low", "response_evaluable_high"),
        ),
        "controlled": controlled,
        **_rate(controlled, patients, ("control_rate", "control_low", "control_high")),
        **_rate(controlled, evaluable, ("control_rate_evaluable", "control_evaluable_low", "control_evaluable_high")),
        "followed": len(times),
        "events": sum(is_event for _, is_event in times),
        "median_progression_free_days": median,
        "reason": "; ".join(filter(None, reasons)),
    }


def _best(row: TextRow) -> Category:
    """The best response in the words that all sets share; a patient seen at baseline only is not evaluable."""
    best = category_in(row, "best_response")
    return best.means if best.is_evaluable else Category.NE


def _followed(row: TextRow) -> tuple[int, bool] | None:
    """Days, and whether progression or death ended them; None for a patient without a progression-free time."""
    days = days_in(row, "progression_free_days")
    if days is None:
        return None
    text = cell(row, "censored")
    if text not in _FLAGS:
        raise InputError(f"censored is {text!r}", where=f"patient {row['patient_id']}", way_out="write true or false")
    return days, not _FLAGS[text]


def _rate(successes: int, n: int, columns: tuple[str, str, str]) -> dict[str, object]:
    """A rate and its interval; nothing of nothing is no rate."""
    values = (None, None, None) if n == 0 else (successes / n, *exact_interval(successes, n))
    return dict(zip(columns, values, strict=True))
