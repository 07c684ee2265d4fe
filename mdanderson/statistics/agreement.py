"""Two readers of one cohort: how far their results agree, and which visits a third should look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Self

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
_OF_LESION = ("patient_id", "date", "modality", "sequence", "lesion_id")
_DIAMETERS = ("long_axis_mm", "short_axis_mm", "size_mm")
_SUM = "size_sum_mm"

_Group = tuple[str, str]
"""Criteria and scope of one row of a table of agreement."""


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
    these. Measurements include the baseline; what both call gone (0 mm) is no measurement.
    Raises `InputError` for a missing column, two rows for one thing, and cells that cannot be read.
    """
    visits = _paired(one.responses, other.responses, _OF_VISIT, "responses").keep(_is_follow_up)
    best = _paired(one.patients, other.patients, ("criteria", "patient_id"), "patients")
    named = {"one": names[0], "other": names[1]}
    categories = [
        *(named | row for row in _category_rows(visits, "visit", "category", _group_of_visit)),
        *(named | row for row in _category_rows(best, "best_response", "best_response", _group_of_patient)),
    ]
    return Agreement(
        names=names,
        categories=ordered(AGREEMENT, categories),
        measurements=ordered(MEASUREMENT_AGREEMENT, (named | row for row in _measurement_rows(one, other))),
        discordant=ordered(ADJUDICATION, (named | row for row in _discordant_rows(visits))),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Paired:
    """The rows of two readers by key."""

    one: Mapping[Key, TextRow]
    other: Mapping[Key, TextRow]

    @property
    def both(self) -> tuple[tuple[TextRow, TextRow], ...]:
        """The rows that both have."""
        return tuple((row, self.other[key]) for key, row in self.one.items() if key in self.other)

    @property
    def only(self) -> dict[str, int]:
        """How many rows one of them has by itself."""
        return {
            "only_one": len(self.one.keys() - self.other.keys()),
            "only_other": len(self.other.keys() - self.one.keys()),
        }

    def keep(self, wanted: Callable[[TextRow], bool]) -> _Paired:
        """Each reader's rows that are wanted."""
        return _Paired(
            one={key: row for key, row in self.one.items() if wanted(row)},
            other={key: row for key, row in self.other.items() if wanted(row)},
        )

    def by_group(self, group_of: Callable[[TextRow], Iterable[_Group]]) -> dict[_Group, _Paired]:
        """The rows of each group; a row may be in several."""
        one, other = _grouped(self.one, group_of), _grouped(self.other, group_of)
        return {group: _Paired(one=one.get(group, {}), other=other.get(group, {})) for group in {**one, **other}}


def _grouped(
    rows: Mapping[Key, TextRow], group_of: Callable[[TextRow], Iterable[_Group]]
) -> dict[_Group, dict[Key, TextRow]]:
    groups: dict[_Group, dict[Key, TextRow]] = {}
    for key, row in rows.items():
        for group in group_of(row):
            groups.setdefault(group, {})[key] = row
    return groups


def _paired(one: Iterable[TextRow], other: Iterable[TextRow], columns: Sequence[str], table: str) -> _Paired:
    return _Paired(one=index_rows(one, columns, table=table), other=index_rows(other, columns, table=table))


def _by_column(table: Table, rows: Mapping[str, Sequence[Cells]]) -> tuple[TextRow, ...]:
    return tuple(dict(zip(table.column_names, row, strict=True)) for row in rows.get(table.name, ()))


def _is_follow_up(row: TextRow) -> bool:
    return category_in(row) is not Category.BL


def _group_of_visit(row: TextRow) -> tuple[_Group, ...]:
    return ((cell(row, "criteria"), cell(row, "scope")),)


def _group_of_patient(row: TextRow) -> tuple[_Group, ...]:
    return ((cell(row, "criteria"), OVERALL),)


def _group_of_lesion(row: TextRow) -> tuple[_Group, ...]:
    return ("", OVERALL), ("", cell(row, "modality"))


def _category_rows(
    paired: _Paired, item: str, column: str, group_of: Callable[[TextRow], Iterable[_Group]]
) -> Iterable[dict[str, object]]:
    """Kappa of each group, over what both could judge."""
    for (criteria, scope), group in paired.by_group(group_of).items():
        told = [(category_in(row, column), category_in(twin, column)) for row, twin in group.both]
        judged = [pair for pair in told if all(category.is_evaluable for category in pair)]
        kappa = cohen_kappa(judged)
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
            "ne_one": sum(not mine.is_evaluable and theirs.is_evaluable for mine, theirs in told),
            "ne_other": sum(mine.is_evaluable and not theirs.is_evaluable for mine, theirs in told),
            "ne_both": sum(not mine.is_evaluable and not theirs.is_evaluable for mine, theirs in told),
            **group.only,
            "reason": kappa.reason,
        }


def _measurement_rows(one: Reading, other: Reading) -> Iterable[dict[str, object]]:
    """Bland-Altman and ICC of the lesions' sizes and of the sums."""
    for quantity in _DIAMETERS:
        mine, theirs = (_measured(_identified(reading.lesions), quantity) for reading in (one, other))
        lesions = _paired(mine, theirs, _OF_LESION, "lesions")
        yield from _limits_rows(lesions, quantity, _group_of_lesion)
    sums = _paired(_measured(one.responses, _SUM), _measured(other.responses, _SUM), _OF_VISIT, "responses")
    yield from _limits_rows(sums, _SUM, _group_of_visit)


def _identified(lesions: Iterable[TextRow]) -> list[TextRow]:
    """The lesions that can be matched."""
    return [row for row in lesions if cell(row, "lesion_id")]


def _measured(rows: Iterable[TextRow], quantity: str) -> list[TextRow]:
    """The rows with a number."""
    return [row for row in rows if number_in(row, quantity) is not None]


def _limits_rows(
    paired: _Paired, quantity: str, group_of: Callable[[TextRow], Iterable[_Group]]
) -> Iterable[dict[str, object]]:
    for (criteria, scope), group in paired.by_group(group_of).items():
        sizes = [(_size(row, quantity), _size(twin, quantity)) for row, twin in group.both]
        pairs = [pair for pair in sizes if any(pair)]
        limits, correlation = bland_altman(pairs), icc(pairs)
        yield {
            "quantity": quantity,
            "criteria": criteria,
            "scope": scope,
            "pairs": limits.n,
            **{name: getattr(limits, name) for name in _OF_LIMITS},
            "icc": correlation.icc,
            "icc_low": correlation.low,
            "icc_high": correlation.high,
            **group.only,
            "reason": limits.reason or correlation.reason,
        }


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


def _size(row: TextRow, quantity: str) -> Decimal:
    return number_in(row, quantity) or Decimal(0)


def _discordant_rows(visits: _Paired) -> Iterable[dict[str, object]]:
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
