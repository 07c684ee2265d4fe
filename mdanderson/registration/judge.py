"""How far an alignment can be believed: from two independent runs to a registration with its error and its trust."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdanderson.geometry import FloatArray
from mdanderson.registration.bones import same_label_share
from mdanderson.registration.fit import Agreement, agreement, between, distance_mm, loose_mm
from mdanderson.registration.local import refined
from mdanderson.registration.mirror import by_how_much_better, mirror_doubt
from mdanderson.registration.result import Registration
from mdanderson.registration.rigid import SAME_MM, Laid, lay_mirrored
from mdanderson.registration.scene import apply, inverse
from mdanderson.registration.subject import Subject
from mdanderson.registration.trust import LocalShifts, local_shifts
from mdanderson.settings import ImageSettings

__all__ = ["judged"]

_MOST_OF_IT = 0.9
_LEAST_SAME_LABEL = 0.5
_STILL_MM = 5.0
"""Bone that wants to move further than this looks like the other image's only somewhere else."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Evidence:
    """fits: of all bone that both images show. same: of its 40 mm cells, those that look alike and lie still."""

    fits: Agreement
    cells: LocalShifts
    alike: np.ndarray[tuple[int], np.dtype[np.bool_]]
    two_runs_mm: float
    error_mm: float
    same_label: float | None

    @property
    def alike_share(self) -> float:
        """The share of the bone that lies in cells that look alike."""
        held = self.cells.samples
        return float(held[self.alike].sum() / held.sum()) if held.size else 0.0

    @property
    def correlation(self) -> float:
        """Of HU, within the cells that look alike."""
        held = self.cells.samples[self.alike]
        return float((held * self.cells.correlation[self.alike]).sum() / held.sum()) if held.size else 0.0

    @property
    def bone_on_bone(self) -> float:
        """The share of bone laid on bone, within the cells that look alike."""
        like = self.cells.only(self.alike)
        return float(like.on_bone.sum() / max(1.0, like.bone.sum()))


def judged(template: Subject, other: Subject, laid: Laid, back: FloatArray, settings: ImageSettings) -> Registration:
    """Template -> other, from an alignment found one way (`laid`) and found again the other way (`back`)."""
    samples, scene = template.samples[0], other.scenes[0]
    two_runs_mm = distance_mm(laid.matrix, back, samples.points)
    matrix = between(laid.matrix, back) if two_runs_mm < SAME_MM else laid.matrix
    cells = local_shifts([(template.samples[k], other.scenes[k]) for k in (1, 0)], matrix)
    alike = (cells.correlation >= settings.registration_least_likeness) & (cells.length_mm <= _STILL_MM)
    bent_mm = float(np.hypot(cells.only(alike).quantile_mm(_MOST_OF_IT), two_runs_mm))
    found = _Evidence(
        fits=agreement(template.samples[1], other.scenes[1], matrix),
        cells=cells,
        alike=alike,
        two_runs_mm=two_runs_mm,
        error_mm=max(bent_mm, loose_mm(samples, scene, matrix)),
        same_label=same_label_share(template, other, matrix),
    )
    doubt = _doubt(found, laid, settings) or _mirrored(template, other, matrix, found, settings)
    places = np.concatenate([template.lesion_places, apply(inverse(matrix), other.lesion_places.T).T])
    return Registration(
        matrix=matrix,
        error_mm=found.error_mm,
        trusted=not doubt,
        why=doubt or _told(found),
        places_mm=cells.points.T,
        place_error_mm=np.where(alike, np.hypot(cells.length_mm, two_runs_mm), np.inf),
        parts=()
        if doubt
        else refined(template, other, matrix, places, bent_mm=cells.only(alike).quantile_mm(0.5), settings=settings),
        limit_mm=settings.registration_trust_mm,
    )


def _doubt(found: _Evidence, laid: Laid, settings: ImageSettings) -> str:
    """Why the result is not to be trusted; blank when it is."""
    if found.fits.share < settings.registration_least_overlap:
        return f"the fields of view share only {found.fits.share:.0%} of the bone"
    if found.alike_share < settings.registration_alike_share:
        return f"only {found.alike_share:.0%} of the bone looks alike where the images were laid on each other"
    if found.correlation < settings.registration_least_correlation:
        return f"the images do not look alike where they were laid on each other (correlation {found.correlation:.2f})"
    if found.bone_on_bone < settings.registration_bone_on_bone:
        return f"only {found.bone_on_bone:.0%} of the bone was laid on bone"
    if laid.score - laid.rival < settings.registration_rival_margin:
        return "a second place fits about as well"
    if found.same_label is not None and found.same_label < _LEAST_SAME_LABEL:
        return f"only {found.same_label:.0%} of the labelled bone was laid on bone of the same label"
    if found.error_mm > settings.registration_trust_mm:
        return f"the estimated error is {found.error_mm:.1f} mm, more than {settings.registration_trust_mm:g} mm"
    return ""


def _mirrored(template: Subject, other: Subject, matrix: FloatArray, found: _Evidence, settings: ImageSettings) -> str:
    """Whether the images say too little of left and right to be those of one place; blank when they do not.

    What fits its mirror image as well rests on what any vertebra shows. Only where the images agree nearly to the
    noise is the header believed instead: a single bone in a small field may be its own mirror image.
    """
    rival = lay_mirrored(template, other, matrix)
    better = by_how_much_better(template.samples[0], other.scenes[0], matrix, rival, calibrated=True)
    told = settings.registration_mirror_errors
    if better >= told or (better > -told and found.correlation >= settings.registration_clear_correlation):
        return ""
    return mirror_doubt(better)


def _told(found: _Evidence) -> str:
    return f"rigid, CT on CT: correlation {found.correlation:.2f}, {found.bone_on_bone:.0%} of the bone on bone"
