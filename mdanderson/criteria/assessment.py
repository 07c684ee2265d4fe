"""What the criteria say of a lesion, of a modality, of the patient: rows of lesions.csv and responses.csv."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar, overload

from mdanderson.criteria.mda.lesion import JudgedLesion
from mdanderson.criteria.rule import Measure, Verdict
from mdanderson.errors import Problem
from mdanderson.findings import LesionFinding
from mdanderson.uncertainty import CategoryProbabilities
from mdanderson.vocabulary import Basis, Category, Pattern

__all__ = ["OVERALL", "Assessed", "LesionAssessment", "LesionRows", "Response", "Verdicts"]

Made = TypeVar("Made")

OVERALL = "overall"
"""Scope of the patient's own row, beside those of the modalities."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionAssessment:
    """One lesion in one image at one visit, judged: a row of lesions.csv.

    Changes are exact fractions (-1/2 for a fall by half), None where there is none; `reason` says why. Sub-scores are
    None where the row does not apply or nothing was assessed. `verdicts` is the answer of every row of the table.
    category_measured: without a reader's statements, where there are some. certainty: gives `probabilities`.
    """

    finding: LesionFinding
    visit: str
    criteria: str
    judged: JudgedLesion = field(repr=False)
    category_measured: Category | None = None
    certainty: Callable[[], CategoryProbabilities | None] | None = field(default=None, repr=False, compare=False)

    @property
    def lesion_id(self) -> str:
        """Which lesion it is."""
        return self.finding.lesion_id

    @property
    def date(self) -> dt.date:
        """The day of the image."""
        return self.finding.date

    @property
    def measurable(self) -> bool:
        """Whether its size counts as measurable, a role fixed at baseline."""
        return self.judged.facts.measurable

    @property
    def treated(self) -> bool:
        """Whether it was treated locally by then."""
        return self.judged.facts.treated

    @property
    def basis(self) -> Basis:
        """READER where a reader's statement decided a row, or where the lesion comes from."""
        stated = self.finding.basis is Basis.READER and not self.finding.reader_codes  # codes may have been refused
        return Basis.READER if stated else self.judged.basis

    @property
    def size_change_baseline(self) -> Fraction | None:
        """Relative change of size from baseline."""
        return self.judged.size_change_baseline

    @property
    def size_change_nadir(self) -> Fraction | None:
        """Relative change of size from its own smallest earlier size."""
        return self.judged.size_change_nadir

    @property
    def size_category(self) -> Category | None:
        """Category by size alone."""
        return self.judged.sub_category(Measure.SIZE)

    @property
    def density_category(self) -> Category | None:
        """Category by density alone."""
        return self.judged.sub_category(Measure.DENSITY)

    @property
    def signal_category(self) -> Category | None:
        """Category by signal alone."""
        return self.judged.sub_category(Measure.SIGNAL)

    @property
    def uptake_category(self) -> Category | None:
        """Category by uptake alone."""
        return self.judged.sub_category(Measure.UPTAKE)

    @property
    def probabilities(self) -> CategoryProbabilities | None:
        """Of each category of its size (of its uptake on a bone scan); None where there is nothing to compare."""
        return None if self.certainty is None else self.certainty()

    @property
    def category(self) -> Category:
        """The lesion's category."""
        return self.judged.category

    @property
    def rules(self) -> tuple[str, ...]:
        """Codes of the rows that hold."""
        return self.judged.rules

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The answer of every row of the table."""
        return self.judged.verdicts

    @property
    def reason(self) -> str:
        """One sentence with the numbers and the rows that decided, or with what was missing."""
        return self.judged.reason


class Response(NamedTuple):
    """One patient at one visit by one criteria set: a row of responses.csv, fields in its order of columns.

    scope: `overall` or a modality. weeks: from baseline. Changes are exact fractions. `discordant` lists the modalities
    that differ from the overall category, as in 'MR PD; NM SD'.
    """

    patient_id: str
    visit: str
    date: dt.date
    weeks: float
    criteria: str
    scope: str
    category: Category
    unconfirmed: bool = False
    flare: bool = False
    mixed: bool = False
    discordant: str = ""
    size_category: Category | None = None
    density_category: Category | None = None
    signal_category: Category | None = None
    uptake_category: Category | None = None
    category_other_scope: Category | None = None
    size_sum_mm: Fraction | None = None
    size_change_baseline: Fraction | None = None
    size_change_nadir: Fraction | None = None
    lesions_expected: int = 0
    lesions_assessed: int = 0
    lesions_new: int = 0
    lesions_progressing: int = 0
    lesions_responding: int = 0
    progression_pattern: Pattern | None = None
    p_cr: float | None = None
    p_pr: float | None = None
    p_sd: float | None = None
    p_pd: float | None = None
    rules: tuple[str, ...] = ()
    reason: str = ""
    new_therapy: bool = False
    product_sum_mm2: Fraction | None = None
    product_change_baseline: Fraction | None = None
    long_axis_sum_mm: Fraction | None = None
    long_axis_change_baseline: Fraction | None = None
    threshold_distance: float | None = None
    bone_scan_index: float | None = None
    category_measured: Category | None = None
    verdicts: Sequence[Verdict] = ()


class MadeWhenRead(Sequence[Made]):
    """Some rows, made when they are first read: many a table is judged for its responses alone."""

    def __init__(self, make: Callable[[], Iterable[Made]] = tuple) -> None:
        self._make: Callable[[], Iterable[Made]] | None = make
        self._made: tuple[Made, ...] = ()

    @property
    def rows(self) -> tuple[Made, ...]:
        """All of them."""
        if self._make is not None:
            self._made, self._make = tuple(self._make()), None
        return self._made

    @overload
    def __getitem__(self, index: int) -> Made: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Made, ...]: ...
    def __getitem__(self, index: int | slice) -> Made | tuple[Made, ...]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.rows == other.rows

    def __hash__(self) -> int:
        return hash(self.rows)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} rows)"

    def __reduce__(self) -> tuple[Any, ...]:
        """Between processes the rows travel as they are."""
        return _made_of, (type(self), self.rows)


class LesionRows(MadeWhenRead[LesionAssessment]):
    """Rows of lesions.csv."""


class Verdicts(MadeWhenRead[Verdict]):
    """The answers of the rows that were asked of a modality."""


def _made_of(kind: type[MadeWhenRead[Made]], rows: tuple[Made, ...]) -> MadeWhenRead[Made]:
    return kind(rows.__iter__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessed:
    """What one criteria set says of one patient. lesions: empty for a set that judges the patient only."""

    lesions: LesionRows = field(default_factory=LesionRows)
    judges_lesions: bool = False
    responses: tuple[Response, ...] = ()
    problems: tuple[Problem, ...] = ()
