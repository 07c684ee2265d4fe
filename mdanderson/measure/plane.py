"""Which planes of an image a lesion is measured in: those it was acquired in, or others that the settings ask for.

Planes are always planes of the grid, never resampled: "axial" are those whose normal is the grid axis nearest to
head-foot, however oblique the grid lies. Other planes than the acquisition's are cut only where voxels are nearly
cubes; slices of 5 mm would make stairs of a lesion's outline.
"""

from __future__ import annotations

from mdanderson.geometry import Geometry, patient_axes
from mdanderson.settings import ImageSettings

__all__ = ["asked_axis", "measuring_axis"]

_NORMALS = {"sagittal": 0, "coronal": 1, "axial": 2}
"""The patient axis (as `patient_axes` numbers them) that is the normal of each plane."""


def asked_axis(geometry: Geometry, settings: ImageSettings) -> int:
    """The array axis along which the planes asked for by `measuring_plane` are stacked."""
    if settings.measuring_plane == "acquisition":
        return 0
    return patient_axes(geometry.directions).index(_NORMALS[settings.measuring_plane])


def measuring_axis(geometry: Geometry, settings: ImageSettings) -> int:
    """The same where the grid allows it, else 0: the planes of the acquisition."""
    longest, shortest = max(geometry.spacing_mm), min(geometry.spacing_mm)
    return asked_axis(geometry, settings) if longest <= settings.measuring_anisotropy * shortest else 0
