"""The patients of the demo cohort that MR, bone scan or PET show: built as those of CT are, from the words alone.

What must come out of the flare (docs/criteria.md): at week 8, inside the window, foci are hotter and one is new while
CT is unchanged, so the scan alone progresses and waits. At week 20 no focus has grown and CT shows sclerotic rims,
another sign of response: the scan of week 8 is restated as flare (PR2). CT speaks for the patient: SD, then PR.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mdanderson.phantoms.case import BLASTIC_HU, LOWER, UPPER, Case, Sight, Visit, lesion_of
from mdanderson.phantoms.scan import Focus
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.vocabulary import Category, LesionType, Modality, MrSequence, Status

__all__ = ["CASES_BEYOND_CT"]

_T1, _STIR, _ADC = MrSequence.T1, MrSequence.STIR, MrSequence.ADC
_MIDDLE, _BELOW = (2.0, 0.0, 1.0), (-3.0, 2.0, -32.0)
"""Places in two of the vertebrae that MR shows, body space, LPS mm."""
_PLACES = {"P": (0.0, 150.0), "Q": (85.0, 100.0), "N": (95.0, -200.0)}
"""Foci of the bone scans: lumbar spine, left ilium and left femur, x and z in body mm."""
_RADIUS_MM = 14.0


def _mr(name: str, status: Status, lesion: LesionSpec, signal: Mapping[MrSequence, float]) -> Sight:
    return Sight(name=name, status=status, lesion=lesion, lesion_type=None, signal=signal)


def _foci(status: Status, ratios: Mapping[str, float]) -> tuple[Sight, ...]:
    """Foci of these ratios to what would be counted there without them."""
    return tuple(
        Sight(name=name, status=status, focus=_focus(name, ratio), lesion_type=None) for name, ratio in ratios.items()
    )


def _focus(name: str, ratio: float) -> Focus:
    x_mm, z_mm = _PLACES[name]
    return Focus(x_mm=x_mm, z_mm=z_mm, radius_mm=_RADIUS_MM, ratio=ratio)


def _gone(*names: str) -> tuple[Sight, ...]:
    return tuple(Sight(name=name, status=Status.RESOLVED, lesion_type=None) for name in names)


def _lytic(status: Status, *lesions: LesionSpec) -> tuple[Sight, ...]:
    return tuple(Sight(name=name, status=status, lesion=lesion) for name, lesion in zip("AB", lesions, strict=True))


def _blastic(status: Status, long_axes_mm: tuple[float, float], suvs: tuple[float, float]) -> tuple[Sight, ...]:
    """Two dense lesions, as CT and PET both see them."""
    return tuple(
        Sight(
            name=name,
            status=status,
            lesion=replace(lesion_of(label, place, long_axis_mm, 20.0), core_hu=BLASTIC_HU),
            lesion_type=LesionType.BLASTIC,
            suv=suv,
        )
        for label, (name, place, long_axis_mm, suv) in enumerate(
            zip("AB", (LOWER, UPPER), long_axes_mm, suvs, strict=True), start=1
        )
    )


_FLARE_A, _FLARE_B = lesion_of(1, LOWER, 17.0, 15.0), lesion_of(2, UPPER, 15.0, -40.0)
_BONE_SCAN = Modality.NM

CASES_BEYOND_CT = (
    Case(
        patient_id="DEMO-MR-CR",
        story="MR: T1 and STIR are those of normal marrow again; other gain, a bias field, nothing segmented",
        visits=(
            Visit(
                weeks=0,
                modality=Modality.MR,
                sequences=(_T1, _STIR),
                sights=(
                    _mr("A", Status.BASELINE, lesion_of(1, _MIDDLE, 17.0), {_T1: 0.5, _STIR: 2.5}),
                    _mr("B", Status.BASELINE, lesion_of(2, _BELOW, 15.0), {_T1: 0.55, _STIR: 2.2}),
                ),
            ),
            Visit(
                weeks=14,
                modality=Modality.MR,
                sequences=(_T1, _STIR),
                gain=1.3,
                bias="slope",
                sights=_gone("A", "B"),
                category=Category.CR,
                rules=("CR3",),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-MR-PD",
        story="MR: both lesions grow, sum of diameters +43 %, ADC as before",
        visits=tuple(
            Visit(
                weeks=weeks,
                modality=Modality.MR,
                sequences=(_T1, _ADC),
                sights=(
                    _mr("A", status, lesion_of(labels[0], _MIDDLE, sizes[0]), {_T1: 0.5, _ADC: 1.9}),
                    _mr("B", status, lesion_of(labels[1], _BELOW, sizes[1]), {_T1: 0.55, _ADC: 1.8}),
                ),
                category=category,
                rules=rules,
            )
            for weeks, status, labels, sizes, category, rules in (
                (0, Status.BASELINE, (1, 2), (14.0, 13.0), Category.BL, ()),
                (14, Status.FOLLOWED, (2, 1), (20.0, 18.6), Category.PD, ("PD1",)),
            )
        ),
    ),
    Case(
        patient_id="DEMO-NM-CR4",
        story="bone scan: both foci take up no more than other bone; fewer counts, nothing segmented",
        visits=(
            Visit(weeks=0, modality=_BONE_SCAN, sights=_foci(Status.BASELINE, {"P": 4.0, "Q": 4.0})),
            Visit(
                weeks=16,
                modality=_BONE_SCAN,
                gain=0.8,
                sights=_gone("P", "Q"),
                category=Category.CR,
                rules=("CR4",),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-NM-FLARE",
        story="bone scan hotter with a new focus 7 weeks into treatment, CT unchanged; later CT heals: it was flare",
        visits=(
            Visit(weeks=0, sights=_lytic(Status.BASELINE, _FLARE_A, _FLARE_B)),
            Visit(weeks=0, modality=_BONE_SCAN, sights=_foci(Status.BASELINE, {"P": 3.0, "Q": 3.0})),
            Visit(
                weeks=8,
                sights=_lytic(Status.FOLLOWED, _FLARE_A, _FLARE_B),
                category=Category.SD,
                rules=("SD2", "SD4"),
            ),
            Visit(
                weeks=8,
                modality=_BONE_SCAN,
                sights=(*_foci(Status.FOLLOWED, {"P": 5.0, "Q": 5.0}), *_foci(Status.NEW, {"N": 4.0})),
                category=Category.PR,
                rules=("PR2",),
                flare=True,
            ),
            Visit(
                weeks=20,
                sights=_lytic(
                    Status.FOLLOWED, replace(_FLARE_A, rim_thickness_mm=2.5), replace(_FLARE_B, rim_thickness_mm=2.5)
                ),
                category=Category.PR,
                rules=("PR1",),
            ),
            Visit(
                weeks=20,
                modality=_BONE_SCAN,
                sights=_foci(Status.FOLLOWED, {"P": 3.0, "Q": 3.0, "N": 3.6}),
                category=Category.SD,
                rules=("SD1", "SD4"),
            ),
        ),
    ),
    Case(
        patient_id="DEMO-NM-PD",
        story="bone scan in DICOM: a new focus 19 weeks into treatment, still there 8 weeks later: confirmed",
        dicom=True,
        visits=(
            Visit(weeks=0, modality=_BONE_SCAN, sights=_foci(Status.BASELINE, {"P": 4.0, "Q": 4.0})),
            *(
                Visit(
                    weeks=weeks,
                    modality=_BONE_SCAN,
                    sights=(*_foci(Status.FOLLOWED, {"P": 4.0, "Q": 4.0}), *_foci(status, {"N": 4.0})),
                    category=Category.PD,
                    rules=("PD4",),
                )
                for weeks, status in ((20, Status.NEW), (28, Status.FOLLOWED))
            ),
        ),
    ),
    Case(
        patient_id="DEMO-PETCT",
        story="PET/CT in DICOM, one frame of reference: blastic lesions as large as ever, uptake -67 %",
        dicom=True,
        visits=tuple(
            Visit(
                weeks=weeks,
                modality=modality,
                sights=_blastic(status, sizes, suvs),
                category=category,
                rules=rules,
                percist=percist,
            )
            for weeks, status, sizes, suvs, percist in (
                (0, Status.BASELINE, (18.0, 16.0), (12.0, 9.0), "BL"),
                (13, Status.FOLLOWED, (18.4, 15.7), (4.0, 3.0), "PMR"),
            )
            for modality, category, rules in (
                (Modality.CT, *((Category.SD, ("SD2", "SD4")) if weeks else (Category.BL, ()))),
                (Modality.PT, *((Category.NE, ()) if weeks else (Category.BL, ()))),
            )
        ),
    ),
)
