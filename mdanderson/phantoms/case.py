"""What a patient of the demo cohort is made of: a body, its lesions at every visit, and what must be found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mdanderson.phantoms.mr import BiasShape
from mdanderson.phantoms.scan import Focus
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.vocabulary import Category, LesionType, Modality, MrSequence, Status

__all__ = ["BLASTIC_HU", "LOWER", "UPPER", "Case", "Sight", "Visit", "lesion_of"]

LOWER, UPPER = (0.0, -1.0, -16.0), (-2.0, 0.0, 16.0)
"""Centres of the two vertebral bodies in body space, LPS mm."""
BLASTIC_HU = 620.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """One lesion at one visit in one modality.

    name: the same at every visit, whatever its label, and in every modality that shows the lesion. lesion: what the
    body holds, None = normal bone again; of a bone scan it is the focus. signal: MR, ratio to normal marrow by
    sequence; suv: PET.
    """

    name: str
    status: Status
    lesion: LesionSpec | None = None
    focus: Focus | None = None
    lesion_type: LesionType | None = LesionType.LYTIC
    signal: Mapping[MrSequence, float] = field(default_factory=lambda: MappingProxyType({}))
    suv: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One modality at one visit; those of equal weeks are one visit, and the first of them speaks for the patient.

    weeks: from baseline. category, rules, flare: of the modality, as MDA 2010 has them when the whole course is known.
    sequences: MR. gain: factor on all values of the image, which means nothing (MR, bone scan); bias: MR.
    percist: PET, the category by PERCIST.
    """

    weeks: int
    sights: tuple[Sight, ...]
    category: Category = Category.BL
    rules: tuple[str, ...] = ()
    flare: bool = False
    modality: Modality = Modality.CT
    sequences: tuple[MrSequence, ...] = ()
    gain: float = 1.0
    bias: BiasShape | None = None
    percist: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One patient. trabecular_hu: the density of their own bone, which no threshold may take as known."""

    patient_id: str
    story: str
    visits: tuple[Visit, ...]
    trabecular_hu: float = 150.0
    dicom: bool = False


def lesion_of(
    label: int, centre_mm: tuple[float, float, float], long_axis_mm: float, turn_deg: float = 0.0
) -> LesionSpec:
    """A lytic lesion, a little longer than broad and high; turned about the body's axis."""
    half = long_axis_mm / 2
    return LesionSpec(
        label=label,
        centre_mm=centre_mm,
        semi_axes_mm=(half, 0.88 * half, 0.85 * half),
        rotation_deg=(0.0, 0.0, turn_deg),
        core_hu=35.0,
    )
