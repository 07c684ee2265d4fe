"""A projection image in memory: one view of a bone scan, or a radiograph. No volume: depth is summed up and lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mdanderson.errors import ImageError
from mdanderson.geometry import Geometry
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Unit, Volume

__all__ = ["PlanarImage"]

_SLAB_MM = 1.0
"""A projection has no thickness; areas are then numerically volumes in ml x 1000."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlanarImage:
    """One view.

    array: (rows, columns), rows from head to feet, columns as the picture shows them: an anterior view has the
    patient's right at its left, a posterior view the patient's left. spacing_mm: row, column. view: None for a
    radiograph, or where nobody says. `acquisition` holds what the header says of how it was made; `notes` are plain
    sentences on what makes its values or its view doubtful. frame: which of the `frames` of its file it is, from 1.
    Raises `ImageError` where the array is no picture of real numbers or the spacing is not above zero.
    """

    array: npt.NDArray[np.generic]
    spacing_mm: tuple[float, float]
    unit: Unit
    modality: Modality
    view: View | None = None
    date: dt.date | None = None
    padding: float | None = None
    source: str = ""
    acquisition: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    frame: int = 1
    frames: int = 1
    instance_uid: str = field(default="", repr=False)
    """SOPInstanceUID; compared with what a segmentation refers to, never shown."""

    def __post_init__(self) -> None:
        if self.array.ndim != 2:
            raise ImageError(f"{self.array.ndim} axes", way_out="a projection has rows and columns")
        if not all(np.isfinite(step) and step > 0 for step in self.spacing_mm):
            raise ImageError("pixel spacing is not above zero", way_out="export the image again")
        self.as_slab()

    def as_slab(self) -> Volume:
        """The view as a volume one plane thick, so that outlines, places and masks mean the same in both.

        Both views of one acquisition share its space: x grows to the patient's left from the middle column, z to the
        head from the first row, and y is 0.
        """
        rows, columns = self.array.shape
        to_left = -1.0 if self.view is View.POST else 1.0
        geometry = Geometry.from_axes(
            shape=(1, rows, columns),
            spacing_mm=(_SLAB_MM, *self.spacing_mm),
            origin_mm=(-to_left * self.spacing_mm[1] * (columns - 1) / 2, 0.0, 0.0),
            directions=((0.0, to_left, 0.0), (0.0, 0.0, -1.0), (to_left, 0.0, 0.0)),
        )
        return Volume(
            array=self.array[None],
            geometry=geometry,
            unit=self.unit,
            modality=self.modality,
            date=self.date,
            padding=self.padding,
            source=self.source,
            acquisition=self.acquisition,
            view=self.view,
            planar=True,
        )
