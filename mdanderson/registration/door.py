"""Register two images: which way to go, and what stands in the way."""

from __future__ import annotations

from mdanderson.registration.contour import register_planar
from mdanderson.registration.film import register_films
from mdanderson.registration.information import by_information
from mdanderson.registration.judge import judged
from mdanderson.registration.result import Registration
from mdanderson.registration.rigid import lay, lay_back
from mdanderson.registration.subject import Subject
from mdanderson.settings import ImageSettings, Radiograph, Scintigraphy
from mdanderson.vocabulary import Modality
from mdanderson.volume import Volume

__all__ = ["register"]

_FEWEST_SAMPLES = 400
_FEWEST_SLICES = 4
_BY_INFORMATION = (Modality.MR, Modality.NM, Modality.PT)


def register(
    baseline: Subject | Volume,
    follow_up: Subject | Volume,
    *,
    settings: ImageSettings,
    scintigraphy: Scintigraphy | None = None,
    radiograph: Radiograph | None = None,
) -> Registration:
    """Where the follow-up shows each place of the baseline: a rigid motion of the body, and of bones by themselves.

    CT with CT by the HU of bone; MR, SPECT and PET with each other and with CT by mutual information, the body alone;
    planar bone scans of one view by contour and skeleton, radiographs by the bone in them. Images that do not
    belong together or hold too little give a result that is not `trusted`, and `why` says so in words. The same images
    give the same result to the bit.
    """
    subjects = [one if isinstance(one, Subject) else Subject(volume=one) for one in (baseline, follow_up)]
    first, second = subjects
    if first.volume.planar or second.volume.planar:
        return _planar(first, second, settings, scintigraphy, radiograph)
    for name, subject in (("baseline", first), ("follow-up", second)):
        if not subject.is_ct and subject.volume.modality not in _BY_INFORMATION:
            return Registration.failed(f"the {name} is none of CT in HU, MR, SPECT and PET: only these are registered")
        if min(subject.volume.geometry.shape) < _FEWEST_SLICES:
            return Registration.failed(f"the {name} has fewer than {_FEWEST_SLICES} slices")
    if not (first.is_ct and second.is_ct):
        if second.is_ct:  # from the CT, whose values mean the same tissue everywhere
            return by_information(second, first, settings=settings).inverse()
        return by_information(first, second, settings=settings)
    for name, subject in (("baseline", first), ("follow-up", second)):
        if min(len(samples) for samples in subject.samples[:2]) < _FEWEST_SAMPLES:
            return Registration.failed(f"the {name} shows too little bone to register by")
    # The one with less bone is laid on the other: all of it should find a place there.
    if first.bone_ml <= second.bone_ml:
        return _registered(first, second, settings)
    return _registered(second, first, settings).inverse()


def _planar(
    first: Subject,
    second: Subject,
    settings: ImageSettings,
    scintigraphy: Scintigraphy | None,
    radiograph: Radiograph | None,
) -> Registration:
    """Two projections of one kind: bone scans of one view, or radiographs."""
    if not (first.volume.planar and second.volume.planar):
        return Registration.failed("a projection and a volume cannot be laid on each other")
    kinds = {subject.volume.modality for subject in (first, second)}
    if kinds == {Modality.XR}:
        return register_films(
            first.volume,
            second.volume,
            baseline_lesions=first.lesions or (),
            follow_up_lesions=second.lesions or (),
            settings=settings,
            radiograph=radiograph,
        )
    if kinds != {Modality.NM}:
        return Registration.failed("a bone scan and a radiograph cannot be laid on each other")
    return register_planar(
        first.volume,
        second.volume,
        baseline_lesions=first.lesions or (),
        follow_up_lesions=second.lesions or (),
        settings=settings,
        scintigraphy=scintigraphy,
    )


def _registered(template: Subject, other: Subject, settings: ImageSettings) -> Registration:
    laid = lay(template, other)
    return judged(template, other, laid, lay_back(template, other, laid.matrix), settings)
