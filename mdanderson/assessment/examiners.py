"""Which modality is examined how."""

from __future__ import annotations

from collections.abc import Mapping

from mdanderson.assessment import by_density, by_radiograph, by_signal, by_suv, by_uptake
from mdanderson.assessment.examiner import Examiner
from mdanderson.vocabulary import Modality
from mdanderson.volume import Volume

__all__ = ["EXAMINERS", "examiner_of"]

EXAMINERS: Mapping[Modality, Examiner] = {
    Modality.CT: by_density,
    Modality.MR: by_signal,
    Modality.NM: by_uptake,
    Modality.PT: by_suv,
    Modality.XR: by_radiograph,
}
"""Each is a module with the functions of `Examiner`."""


def examiner_of(volume: Volume) -> Examiner:
    """How the modality of an image is examined."""
    return EXAMINERS[volume.modality]
