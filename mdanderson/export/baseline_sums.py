"""The sums of a baseline beside those that came after: responses.csv has them in the rows of the modalities alone."""

from __future__ import annotations

from collections.abc import Sequence

from mdanderson.criteria import OVERALL
from mdanderson.export.visits import ResultRow
from mdanderson.vocabulary import Category

__all__ = ["with_baseline_sums"]

_SUMS = ("size_sum_mm", "product_sum_mm2", "long_axis_sum_mm")
_TAKEN_OVER = (*_SUMS, "size_change_baseline", "product_change_baseline", "long_axis_change_baseline")
"""What an overall row repeats of the modality that speaks."""


def with_baseline_sums(row: ResultRow, responses: Sequence[ResultRow]) -> ResultRow:
    """An overall row of the baseline with the sums that its patient's later ones are compared with.

    They are those of the modality that speaks at the first later visit that has sums; before there is one, of the only
    one that has them. Every other row stays as it is. responses: rows of responses.csv of the same patient.
    """
    if row["scope"] != OVERALL or row["category"] != Category.BL or any(row[name] for name in _SUMS):
        return row
    own = [one for one in responses if one["criteria"] == row["criteria"]]
    parts = [one for one in own if one["scope"] != OVERALL and any(one[name] for name in _SUMS)]
    at_baseline = {one["scope"]: one for one in parts if (one["date"], one["visit"]) == (row["date"], row["visit"])}
    later = sorted((one for one in own if one["scope"] == OVERALL and one["date"] > row["date"]), key=_day)
    spoken = next((one for one in later if any(one[name] for name in _SUMS)), None)
    if spoken is not None:
        told = [spoken[name] for name in _TAKEN_OVER]
        speaks = {
            one["scope"] for one in parts if _day(one) == _day(spoken) and [one[name] for name in _TAKEN_OVER] == told
        }
        at_baseline = {scope: one for scope, one in at_baseline.items() if scope in speaks}
    if len(at_baseline) != 1:
        return row
    (found,) = at_baseline.values()
    return {**row, **{name: found[name] for name in _SUMS}}


def _day(row: ResultRow) -> tuple[str, str]:
    return row["date"], row["visit"]
