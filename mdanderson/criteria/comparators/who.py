"""WHO 1979: the sum of the products of two perpendicular diameters.

Source: WHO Handbook for Reporting Results of Cancer Treatment, 1979; Miller et al., Cancer 1981;47:207-214.

The first row that holds, from above, gives the category. Each lesion rises from its own smallest product, the sum falls
from baseline. A CR or PR that no visit `[who] confirm_weeks` apart shows too is `unconfirmed`. Lesions treated locally
stay in the sum, and `reason` names them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mdanderson.criteria.assessment import OVERALL, Assessed
from mdanderson.criteria.checks.presence import NEW_LESION_SIZE
from mdanderson.criteria.comparators.comparator import Comparator, Unit, assess_panels
from mdanderson.criteria.comparators.panel import JudgedPanel, PanelRule
from mdanderson.criteria.comparators.product import (
    FALL,
    RISE,
    any_rise,
    lesion_by_product,
    measured_at_baseline,
    product,
    sum_falls,
    sum_steady,
)
from mdanderson.criteria.comparators.rows import SIZED, all_gone, new_lesion_there, panel_row
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.rule import AppliesTo, Measure
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

__all__ = ["CODE", "RULES", "SET", "TITLE", "assess", "confirm_responses"]

CODE, TITLE = "who", "WHO 1979"
SOURCE = "WHO Handbook for Reporting Results of Cancer Treatment, 1979; Miller et al., Cancer 1981;47:207-214"

_row = partial(panel_row, source=SOURCE)
_size_row = partial(_row, applies_to=AppliesTo.MEASURABLE)

RULES: tuple[PanelRule, ...] = (
    _row("WHO-NEW", Category.PD, Measure.PRESENCE, "a new lesion", new_lesion_there, NEW_LESION_SIZE),
    _size_row("WHO-PD", Category.PD, Measure.SIZE, "product of one or more lesions rises by >= 25 %", any_rise, RISE),
    _row("WHO-CR", Category.CR, Measure.PRESENCE, "every lesion is gone", all_gone),
    _size_row("WHO-PR", Category.PR, Measure.SIZE, "sum of products falls by >= 50 % from baseline", sum_falls, FALL),
    _size_row("WHO-SD", Category.SD, Measure.SIZE, "neither", sum_steady),
)


def confirm_responses(panels: Sequence[JudgedPanel], settings: Settings) -> Sequence[JudgedPanel]:
    """A modality's responses, each `unconfirmed` where it was seen only once or within less than `confirm_weeks`."""
    told = _unconfirmed([(one.panel.visit.date, one.category) for one in panels], settings)
    return [replace(one, unconfirmed=unconfirmed) for one, unconfirmed in zip(panels, told, strict=True)]


def _unconfirmed(visits: Sequence[tuple[dt.date, Category]], settings: Settings) -> list[bool]:
    """Which visits are responses that nothing confirms.

    Between two progressions a response of one kind is confirmed when the first and the last visit that show it are at
    least `confirm_weeks` apart; so it stays confirmed, and a CR seen once after PR does not. A CR shows PR as well.
    """
    wait = dt.timedelta(days=7 * settings.who.confirm_weeks)
    told: list[bool] = []
    run: list[tuple[dt.date, Category]] = []
    for date, category in visits:
        if category.is_progression:
            told += [*(_stands_alone(one, run, wait) for one in run), False]
            run = []
        else:
            run.append((date, category))
    return told + [_stands_alone(one, run, wait) for one in run]


def _stands_alone(visit: tuple[dt.date, Category], run: Sequence[tuple[dt.date, Category]], wait: dt.timedelta) -> bool:
    """Whether a visit of a run without progression shows a response that the run does not confirm."""
    category = visit[1]
    if not category.is_response:
        return False
    dates = [date for date, other in run if other.is_response and (other is Category.CR or category is Category.PR)]
    return max(dates) - min(dates) < wait


WHO = Comparator(
    code=CODE,
    rules=RULES,
    modalities=lambda _settings: SIZED,
    quantity=product,
    targets=measured_at_baseline,
    lesion=lesion_by_product,
    unit=Unit.PRODUCT,
    settle=confirm_responses,
)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by WHO. The patient's own responses are confirmed by the patient's own visits."""
    assessed = assess_panels(WHO, course, settings)
    overall = [row for row in assessed.responses if row.scope == OVERALL]
    told = iter(_unconfirmed([(row.date, row.category) for row in overall], settings))
    rows = (row._replace(unconfirmed=next(told)) if row.scope == OVERALL else row for row in assessed.responses)
    return replace(assessed, responses=tuple(rows))


def _confirm_weeks(settings: Settings) -> float:
    return settings.who.confirm_weeks


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "", confirm_weeks=_confirm_weeks)
