"""UICC: the sizes of WHO on radiographs; lesions that progress while others respond are progression.

Source: Hayward et al., Eur J Cancer 1977;13:89-94.

It reads the modalities of `[uicc] modalities`. The first row that holds, from above, gives the category. Confirmation
is asked for by `[policy] confirm_weeks` only. Lesions treated locally stay in the sum, and `reason` names them.
"""

from __future__ import annotations

from functools import partial

from mdanderson.criteria.assessment import Assessed
from mdanderson.criteria.checks.presence import NEW_LESION_SIZE
from mdanderson.criteria.comparators.comparator import Comparator, Unit, assess_panels
from mdanderson.criteria.comparators.panel import PanelRule
from mdanderson.criteria.comparators.product import (
    FALL,
    RISE,
    any_rise,
    lesion_by_product,
    measured_at_baseline,
    mixed_response,
    product,
    sum_falls,
    sum_steady,
)
from mdanderson.criteria.comparators.rows import all_gone, new_lesion_there, panel_row
from mdanderson.criteria.course import PatientCourse
from mdanderson.criteria.criteria_set import CriteriaSet
from mdanderson.criteria.rule import AppliesTo, Measure
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category

__all__ = ["CODE", "RULES", "SET", "TITLE", "assess"]

CODE, TITLE = "uicc", "UICC 1977"
SOURCE = "UICC: Hayward et al., Eur J Cancer 1977;13:89-94; sizes as WHO"

_row = partial(panel_row, source=SOURCE)
_size_row = partial(_row, applies_to=AppliesTo.MEASURABLE)

RULES: tuple[PanelRule, ...] = (
    _row("UICC-NEW", Category.PD, Measure.PRESENCE, "a new lesion", new_lesion_there, NEW_LESION_SIZE),
    _size_row("UICC-PD", Category.PD, Measure.SIZE, "product of one or more lesions rises by >= 25 %", any_rise, RISE),
    _size_row(
        "UICC-MIXED", Category.PD, Measure.SIZE, "a lesion progresses while others respond", mixed_response, RISE
    ),
    _row("UICC-CR", Category.CR, Measure.PRESENCE, "every lesion is gone", all_gone),
    _size_row("UICC-PR", Category.PR, Measure.SIZE, "sum of products falls by >= 50 % from baseline", sum_falls, FALL),
    _size_row("UICC-SD", Category.SD, Measure.SIZE, "neither", sum_steady),
)

UICC = Comparator(
    code=CODE,
    rules=RULES,
    modalities=lambda settings: frozenset(settings.uicc.modalities),
    quantity=product,
    targets=measured_at_baseline,
    lesion=lesion_by_product,
    unit=Unit.PRODUCT,
)


def assess(course: PatientCourse, settings: Settings) -> Assessed:
    """A whole series by UICC, on the modalities of `[uicc] modalities`."""
    return assess_panels(UICC, course, settings)


SET = CriteriaSet(code=CODE, title=TITLE, rules=RULES, assess=assess, notes=__doc__ or "")
