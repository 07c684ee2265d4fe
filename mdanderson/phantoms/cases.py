"""The patients of the demo cohort as data: what each body holds at each visit, and what must be found there.

Truth is by construction: each case is built from the words of the criteria, with changes well away from the limits
(50 % and 25 % of the sum of diameters, 10 mm), and the program is not asked what it makes of them.
"""

from __future__ import annotations

from dataclasses import replace

from mdanderson.phantoms.case import BLASTIC_HU, LOWER, UPPER, Case, Sight, Visit, lesion_of
from mdanderson.phantoms.cases_beyond_ct import CASES_BEYOND_CT
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.vocabulary import Category, LesionType, Status

__all__ = ["CASES"]

_LOWER_LEFT, _LOWER_RIGHT = (11.5, -2.0, -16.5), (-11.5, -1.0, -15.0)
_UPPER_LEFT, _UPPER_RIGHT = (8.0, 0.5, 16.0), (-12.0, -1.0, 15.5)


def _baseline(*sights: tuple[str, LesionSpec]) -> Visit:
    return Visit(weeks=0, sights=_all(Status.BASELINE, *sights))


def _followed(*sights: tuple[str, LesionSpec]) -> tuple[Sight, ...]:
    return _all(Status.FOLLOWED, *sights)


def _all(status: Status, *sights: tuple[str, LesionSpec]) -> tuple[Sight, ...]:
    return tuple(Sight(name=name, status=status, lesion=lesion) for name, lesion in sights)


def _gone(name: str) -> Sight:
    return Sight(name=name, status=Status.RESOLVED, lesion=None)


def _blastic(name: str, status: Status, lesion: LesionSpec) -> Sight:
    return Sight(name=name, status=status, lesion=replace(lesion, core_hu=BLASTIC_HU), lesion_type=LesionType.BLASTIC)


CASES = (
    Case(
        patient_id="DEMO-CR-FILLIN",
        story="both lytic lesions filled in with dense bone, still segmented",
        trabecular_hu=150.0,
        visits=(
            _baseline(("A", lesion_of(1, LOWER, 17.0, 20.0)), ("B", lesion_of(2, UPPER, 14.0, -30.0))),
            Visit(
                weeks=16,
                sights=_followed(
                    ("A", replace(lesion_of(2, LOWER, 17.0, 20.0), fill_fraction=1.0)),
                    ("B", replace(lesion_of(1, UPPER, 14.0, -30.0), fill_fraction=1.0, fill_hu=680.0)),
                ),
                category=Category.CR,
                rules=("CR1",),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-CR-NORMAL",
        story="normal bone again at both places, nothing segmented at follow-up",
        trabecular_hu=165.0,
        visits=(
            _baseline(("A", lesion_of(1, LOWER, 16.0, 45.0)), ("B", lesion_of(2, UPPER, 13.0))),
            Visit(weeks=18, sights=(_gone("A"), _gone("B")), category=Category.CR, rules=("CR2",)),
        ),
    ),
    Case(
        patient_id="DEMO-PR-SIZE",
        story="both lesions shrink: sum of diameters -60 %",
        trabecular_hu=140.0,
        visits=(
            _baseline(("A", lesion_of(1, LOWER, 22.0, 10.0)), ("B", lesion_of(2, UPPER, 18.0, -15.0))),
            Visit(
                weeks=14,
                sights=_followed(("A", lesion_of(1, LOWER, 8.5, 10.0)), ("B", lesion_of(2, UPPER, 7.5, -15.0))),
                category=Category.PR,
                rules=("PR3",),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-PR-RIM",
        story="new sclerotic rims round unchanged lytic cores; the rim of A is drawn into the mask, that of B is not",
        trabecular_hu=155.0,
        visits=(
            _baseline(("A", lesion_of(1, LOWER, 18.0)), ("B", lesion_of(2, UPPER, 15.0, 60.0))),
            Visit(
                weeks=15,
                sights=_followed(
                    ("A", replace(lesion_of(1, LOWER, 18.0), rim_thickness_mm=2.5, rim_drawn=True)),
                    ("B", replace(lesion_of(2, UPPER, 15.0, 60.0), rim_thickness_mm=2.5)),
                ),
                category=Category.PR,
                rules=("PR1",),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-SD",
        story="a lytic, a small lytic and a blastic lesion, none of which changes by 5 %",
        trabecular_hu=145.0,
        visits=(
            Visit(
                weeks=0,
                sights=(
                    *_all(Status.BASELINE, ("A", lesion_of(1, _LOWER_LEFT, 14.0, 80.0))),
                    *_all(Status.BASELINE, ("B", lesion_of(2, _LOWER_RIGHT, 8.0))),
                    _blastic("C", Status.BASELINE, lesion_of(3, UPPER, 15.0, 25.0)),
                ),
            ),
            Visit(
                weeks=13,
                sights=(
                    *_followed(("A", lesion_of(3, _LOWER_LEFT, 13.5, 80.0))),
                    *_followed(("B", lesion_of(1, _LOWER_RIGHT, 8.0))),
                    _blastic("C", Status.FOLLOWED, lesion_of(2, UPPER, 15.5, 25.0)),
                ),
                category=Category.SD,
                rules=("SD2", "SD4"),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-PD-SIZE",
        story="both lesions grow: sum of diameters +48 %",
        trabecular_hu=160.0,
        visits=(
            _baseline(("A", lesion_of(1, LOWER, 14.0, 35.0)), ("B", lesion_of(2, UPPER, 12.0, -50.0))),
            Visit(
                weeks=14,
                sights=_followed(("A", lesion_of(1, LOWER, 21.0, 35.0)), ("B", lesion_of(2, UPPER, 17.5, -50.0))),
                category=Category.PD,
                rules=("PD1",),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-PD-NEW",
        story="two lesions unchanged, a new lytic one in the upper vertebra",
        trabecular_hu=130.0,
        visits=(
            _baseline(
                ("A", replace(lesion_of(1, _LOWER_LEFT, 13.0, 70.0), lobulation=0.1)),
                ("B", lesion_of(2, _LOWER_RIGHT, 12.0, -70.0)),
            ),
            Visit(
                weeks=20,
                sights=(
                    *_followed(("A", replace(lesion_of(2, _LOWER_LEFT, 13.0, 70.0), lobulation=0.1))),
                    *_followed(("B", lesion_of(3, _LOWER_RIGHT, 12.0, -70.0))),
                    *_all(Status.NEW, ("C", lesion_of(1, UPPER, 14.0, 15.0))),
                ),
                category=Category.PD,
                rules=("PD4",),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-NADIR",
        story="-58 % at the second visit, then +59 % from there: still a third below baseline",
        trabecular_hu=170.0,
        visits=(
            _baseline(("A", lesion_of(1, LOWER, 22.0, -20.0)), ("B", lesion_of(2, UPPER, 16.0))),
            Visit(
                weeks=14,
                sights=_followed(("A", lesion_of(1, LOWER, 9.0, -20.0)), ("B", lesion_of(2, UPPER, 7.0))),
                category=Category.PR,
                rules=("PR3",),
            ),
            Visit(
                weeks=28,
                sights=_followed(("A", lesion_of(2, LOWER, 14.5, -20.0)), ("B", lesion_of(1, UPPER, 11.0))),
                category=Category.PD,
                rules=("PD1",),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-MISSING",
        story="lesion B is as large as ever but was not segmented at follow-up: not a cure, not evaluable",
        trabecular_hu=150.0,
        visits=(
            _baseline(("A", lesion_of(1, LOWER, 18.0, 40.0)), ("B", lesion_of(2, UPPER, 14.0, 10.0))),
            Visit(
                weeks=16,
                sights=(
                    *_followed(("A", lesion_of(1, LOWER, 18.0, 40.0))),
                    *_all(Status.MISSING, ("B", replace(lesion_of(2, UPPER, 14.0, 10.0), drawn=False))),
                ),
                category=Category.NE,
            ),
        ),
    ),
    Case(
        patient_id="DEMO-DICOM",
        story="a CT series and a DICOM SEG a visit; three lesions shrink by 57 %, renumbered but with tracking UIDs",
        trabecular_hu=150.0,
        dicom=True,
        visits=(
            _baseline(
                ("A", lesion_of(1, LOWER, 20.0, 5.0)),
                ("B", lesion_of(2, _UPPER_LEFT, 12.5, 90.0)),
                ("C", lesion_of(3, _UPPER_RIGHT, 11.5, 90.0)),
            ),
            Visit(
                weeks=15,
                sights=_followed(
                    ("A", lesion_of(2, LOWER, 7.5, 5.0)),
                    ("B", lesion_of(3, _UPPER_LEFT, 6.0, 90.0)),
                    ("C", lesion_of(1, _UPPER_RIGHT, 5.5, 90.0)),
                ),
                category=Category.PR,
                rules=("PR3",),
            ),
        ),
    ),
    *CASES_BEYOND_CT,
)
"""Every patient of the demo cohort: of CT here, of other modalities beside it."""
