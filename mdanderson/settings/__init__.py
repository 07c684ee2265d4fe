"""Every threshold and policy that says what a finding means: one field each, with default, bounds and source.

What no published criterion settles is an *operational definition of ours*; its source says so.
"""

from __future__ import annotations

from mdanderson.settings.comparators import Eortc, Irecist, Mda2004, Pcwg3, Percist, Recist11, Uicc, Who
from mdanderson.settings.image import ImageSettings
from mdanderson.settings.modalities import Mr, Pet, Radiograph, Scintigraphy
from mdanderson.settings.policy import Policy, TreatedLesions
from mdanderson.settings.uncertainty import Uncertainty
from mdanderson.settings.whole import Settings

__all__ = [
    "Eortc",
    "ImageSettings",
    "Irecist",
    "Mda2004",
    "Mr",
    "Pcwg3",
    "Percist",
    "Pet",
    "Policy",
    "Radiograph",
    "Recist11",
    "Scintigraphy",
    "Settings",
    "TreatedLesions",
    "Uicc",
    "Uncertainty",
    "Who",
]
