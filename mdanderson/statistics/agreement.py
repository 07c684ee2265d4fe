"""Two readers of one cohort: how far their results agree, and which visits a third should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from mdanderson.criteria import OVERALL
from mdanderson.report.cells import Cells
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES, Table
from mdanderson.report.frames import data_frame
from mdanderson.statistics.columns import ADJUDICATION, AGREEMENT, MEASUREMENT_AGREEMENT
from mdanderson.statistics.correlation import icc
from mdanderson.statistics.kappa import cohen_kappa, steps_apart
from mdanderson.statistics.limits import bland_altman
from mdanderson.statistics.rows import Key, TextRow, Values, category_in, cell, cells_of, index_rows, number_in, ordered
from mdanderson.vocabulary import Category

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Agreement", "Reading", "compare"]

_OF_VISIT = ("criteria", "scope", "patient_id", "date")
_OF_PATIENT = ("criteria", "patient_id")
_OF_LESION = ("modality", "patient_id", "date", "sequence", "lesion_id")
_DIAMETERS = ("long_axis_mm", "short_axis_mm", "size_mm")
_SUM = "size_sum_mm"

_Group = tuple[str, str]
"""Criteria and scope of one row of a table of agreement."""

_GroupsOf = Callable[[Key], tuple[_Group, ...]]
"""To which of them a key belongs."""

Told = TypeVar("Told")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What one reader's run came to: rows of responses.csv, lesions.csv and patients.csv as text by column."""

    responses: Sequence[TextRow]
    lesions: Sequence[TextRow] = ()
    patients: Sequence[TextRow] = ()

    @classmethod
    def from_cells(cls, rows: Mapping[str, Sequence[Cells]]) -> Self:
        """From rows by table name, as `Results.rows` has them; a table that is not there is empty."""
        return cls(
            responses=_by_column(RESPONSES, rows),
            lesions=_by_column(LESIONS, rows),
            patients=_by_column(PATIENTS, rows),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How two readers agree. names: of the first and the second reader; rows: values by column, in order of the files.

    categories: rows of `AGREEMENT`. measurements: of `MEASUREMENT_AGREEMENT`. discordant: of `ADJUDICATION`, the
    furthest apart first.
    """

    names: tuple[str, str]
    categories: tuple[Values, ...]
    measurements: tuple[Values, ...]
    discordant: tuple[Values, ...]

    @property
    def cells(self) -> dict[str, tuple[Cells, ...]]:
        """The rows of every table by its name, as text for `to_csv`."""
        return {
            AGREEMENT.name: cells_of(AGREEMENT, self.categories),
            MEASUREMENT_AGREEMENT.name: cells_of(MEASUREMENT_AGREEMENT, self.measurements),
            ADJUDICATION.name: cells_of(ADJUDICATION, self.discordant),
        }

    @property
    def categories_frame(self) -> pd.DataFrame:
        """One row per criteria set, item and scope."""
        return data_frame(AGREEMENT, cells_of(AGREEMENT, self.categories))

    @property
    def measurements_frame(self) -> pd.DataFrame:
        """One row per quantity, criteria set and scope."""
        return data_frame(MEASUREMENT_AGREEMENT, cells_of(MEASUREMENT_AGREEMENT, self.measurements))

    @property
    def discordant_frame(self) -> pd.DataFrame:
        """One row per visit, criteria set and scope on which the readers differ."""
        return data_frame(ADJUDICATION, cells_of(ADJUDICATION, self.discordant))


def compare(one: Reading, other: Reading, *, names: tuple[str, str] = ("one", "other")) -> Agreement:
    """How two readings of one cohort agree; `names` call the readers in the tables.

    Visits are the same where patient and date are, lesions where patient, date, modality, sequence and lesion_id are;
    a lesion without lesion_id is in no pair. Kappa leaves out the baseline and what either reader calls NE, and counts
    these. Measurements include the baseline; what both call gone (0 mm) is no measurement. Where a run names who
    measured, rows without a name are nobody's; where all pairs are identical, there was one measurement, not two.
    Raises `InputError` for a missing column, two rows for one thing, and cells that cannot be read.
    """
    visits = _paired(*(_follow_up(reading.responses) for reading in (one, other)))
    best = _paired(*(index_rows(reading.patients, _OF_PATIENT, table="patients") for reading in (one, other)))
    named = {"one": names[0], "other": names[1]}
    categories = (
        *_category_rows(visits, "visit", "category", _group_of_visit),
        *_category_rows(best, "best_response", "best_response", _group_of_patient),
    )
    return Agreement(
        names=names,
        categories=ordered(AGREEMENT, (named | row for row in categories)),
        measurements=ordered(MEASUREMENT_AGREEMENT, (named | row for row in _measurement_rows(one, other))),
        discordant=ordered(ADJUDICATION, (named | row for row in _discordant_rows(visits))),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Paired(Generic[Told]):
    """What two readers say, by key: a row, or a number."""

    one: Mapping[Key, Told]
    other: Mapping[Key, Told]

    @property
    def both(self) -> tuple[tuple[Told, Told], ...]:
        """Where both say something."""
        return tuple((told, self.other[key]) for key, told in self.one.items() if key in self.other)

    @property
    def only(self) -> dict[str, int]:
        """How often one of them does alone."""
        return {
            "only_one": len(self.one.keys() - self.other.keys()),
            "only_other": len(self.other.keys() - self.one.keys()),
        }

    def by_group(self, groups_of: _GroupsOf) -> dict[_Group, _Paired[Told]]:
        """The same, group by group; a key may be in several."""
        one, other = _grouped(self.one, groups_of), _grouped(self.other, groups_of)
        return {group: _Paired(one=one.get(group, {}), other=other.get(group, {})) for group in {**one, **other}}


def _grouped(told: Mapping[Key, Told], groups_of: _GroupsOf) -> dict[_Group, dict[Key, Told]]:
    groups: dict[_Group, dict[Key, Told]] = {}
    for key, value in told.items():
        for group in groups_of(key):
            groups.setdefault(group, {})[key] = value
    return groups


def _paired(one: Mapping[Key, Told], other: Mapping[Key, Told]) -> _Paired[Told]:
    return _Paired(one=one, other=other)


def _by_column(table: Table, rows: Mapping[str, Sequence[Cells]]) -> tuple[TextRow, ...]:
    return tuple(table.named(rows.get(table.name, ())))


def _follow_up(responses: Iterable[TextRow]) -> dict[Key, TextRow]:
    """The rows that are not the baseline."""
    rows = index_rows(responses, _OF_VISIT, table="responses")
    return {key: row for key, row in rows.items() if category_in(row) is not Category.BL}


def _group_of_visit(key: Key) -> tuple[_Group, ...]:
    criteria, scope, *_ = key
    return ((criteria, scope),)


def _group_of_patient(key: Key) -> tuple[_Group, ...]:
    criteria, _ = key
    return ((criteria, OVERALL),)


def _groups_of_lesion(key: Key) -> tuple[_Group, ...]:
    modality, *_ = key
    return ("", OVERALL), ("", modality)


def _category_rows(
    paired: _Paired[TextRow], item: str, column: str, groups_of: _GroupsOf
) -> Iterable[dict[str, object]]:
    """Kappa of each group, over what both could judge."""
    for (criteria, scope), group in paired.by_group(groups_of).items():
        told = [(category_in(row, column), category_in(twin, column)) for row, twin in group.both]
        judged = Counter((mine.is_evaluable, theirs.is_evaluable) for mine, theirs in told)
        kappa = cohen_kappa([pair for pair in told if all(category.is_evaluable for category in pair)])
        yield {
            "criteria": criteria,
            "item": item,
            "scope": scope,
            "pairs": kappa.pairs,
            "observed_agreement": kappa.observed_agreement,
            "kappa": kappa.kappa,
            "kappa_low": kappa.low,
            "kappa_high": kappa.high,
            "weighted_kappa": kappa.weighted,
            "weighted_low": kappa.weighted_low,
            "weighted_high": kappa.weighted_high,
            "ne_one": judged[False, True],
            "ne_other": judged[True, False],
            "ne_both": judged[False, False],
            **group.only,
            "reason": kappa.reason,
        }


def _measurement_rows(one: Reading, other: Reading) -> Iterable[dict[str, object]]:
    """Bland-Altman and ICC of the lesions' sizes and of the sums."""
    lesions = [_identified(reading.lesions) for reading in (one, other)]
    diameters = {name: _paired(*(_measured(rows, name) for rows in lesions)) for name in _DIAMETERS}
    once = _is_one_measurement(pair for paired in diameters.values() for pair in paired.both)
    for quantity, paired in diameters.items():
        yield from _limits_rows(paired, quantity, _groups_of_lesion, once=once)
    visits = [index_rows(reading.responses, _OF_VISIT, table="responses") for reading in (one, other)]
    sums = _paired(*(_measured(rows, _SUM) for rows in visits))
    yield from _limits_rows(sums, _SUM, _group_of_visit, once=_is_one_measurement(sums.both))


def _identified(lesions: Iterable[TextRow]) -> dict[Key, TextRow]:
    """The lesions that can be matched, of a reader where readers are named."""
    rows = [row for row in lesions if cell(row, "lesion_id")]
    named = [row for row in rows if row.get("reader")]
    return index_rows(named or rows, _OF_LESION, table="lesions")


def _is_one_measurement(pairs: Iterable[tuple[Fraction, Fraction]]) -> bool:
    """Whether two runs hold the same numbers throughout, so that their agreement says nothing of two readers."""
    told = [pair for pair in pairs if any(pair)]
    return len(told) > 1 and all(one == other for one, other in told)


def _measured(rows: Mapping[Key, TextRow], quantity: str) -> dict[Key, Fraction]:
    """The numbers that are there."""
    numbers = ((key, number_in(row, quantity)) for key, row in rows.items())
    return {key: number for key, number in numbers if number is not None}


def _limits_rows(
    paired: _Paired[Fraction], quantity: str, groups_of: _GroupsOf, *, once: bool
) -> Iterable[dict[str, object]]:
    """Limits and ICC of each group; once: both runs hold one measurement, which has neither."""
    for (criteria, scope), group in paired.by_group(groups_of).items():
        pairs = [pair for pair in group.both if any(pair)]
        judged = [] if once else pairs
        limits, correlation = bland_altman(judged), icc(judged)
        yield {
            "quantity": quantity,
            "criteria": criteria,
            "scope": scope,
            "pairs": len(pairs),
            **{name: getattr(limits, name) for name in _OF_LIMITS},
            "icc": correlation.icc,
            "icc_low": correlation.low,
            "icc_high": correlation.high,
            **group.only,
            "reason": _ONCE if once and pairs else limits.reason or correlation.reason,
        }


_ONCE = "every pair is identical: one measurement, not two"
_OF_LIMITS = (
    "bias",
    "bias_low",
    "bias_high",
    "sd",
    "lower",
    "lower_low",
    "lower_high",
    "upper",
    "upper_low",
    "upper_high",
)


def _discordant_rows(visits: _Paired[TextRow]) -> Iterable[dict[str, object]]:
    """The visits of which the readers say different things."""
    for row, twin in visits.both:
        mine, theirs = category_in(row), category_in(twin)
        if mine is not theirs:
            yield {
                "priority": _priority(mine, theirs),
                **{name: cell(row, name) for name in ("patient_id", "visit", "date", "criteria", "scope")},
                "category_one": mine,
                "category_other": theirs,
                "reason_one": cell(row, "reason"),
                "reason_other": cell(twin, "reason"),
            }


def _priority(one: Category, other: Category) -> int:
    """How soon to look: by the steps apart, then what only one could judge, last two words for one step."""
    steps = steps_apart(one, other)
    if steps is None:
        return 4
    return 4 - steps if steps else 5
