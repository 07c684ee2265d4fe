"""What the criteria say of a lesion, of a modality, of the patient: rows of lesions.csv and responses.csv."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction

from mdanderson.criteria.rule import Verdict
from mdanderson.findings import LesionFinding
from mdanderson.vocabulary import Basis, Category, Pattern

__all__ = ["OVERALL", "LesionAssessment", "Response"]

OVERALL = "overall"
"""Scope of the patient's own row, beside those of the modalities."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionAssessment:
    """One lesion in one image at one visit, judged: a row of lesions.csv.

    Changes are exact fractions (-1/2 for a fall by half), None where there is none; `reason` says why. Sub-scores are
    None where the row does not apply or nothing was assessed. `verdicts` is the answer of every row of the table.
    """

    finding: LesionFinding
    visit: str
    date: dt.date
    criteria: str
    measurable: bool
    basis: Basis
    size_change_baseline: Fraction | None = None
    size_change_nadir: Fraction | None = None
    size_category: Category | None = None
    density_category: Category | None = None
    signal_category: Category | None = None
    uptake_category: Category | None = None
    category: Category
    rules: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    reason: str = ""

    @property
    def lesion_id(self) -> str:
        """Which lesion it is."""
        return self.finding.lesion_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
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
