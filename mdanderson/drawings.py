"""Which outline of which image is which lesion, and where its diameters lie: what an export needs and no table says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mdanderson.vocabulary import Modality

__all__ = ["Drawing", "Point"]

Point = tuple[float, float, float]
"""LPS mm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """What is outlined of one lesion in one image.

    image: which of the patient's usable manifest rows, from 0. view: of a planar bone scan. labels: in that image's own
    mask; none where it is measured under the outlines of another. merged: the lesions that are one outline here.
    leads: whether its row of lesions.csv tells of this image. plane: the slice that was measured, along array axis
    `axis`, from 0; None where no size was measured, and then there are no ends. sd_hu: spread of its density.
    own_grid: whether its voxels are those of the file, which they are not where a tilted gantry was straightened.
    """

    lesion_id: str
    image: int
    modality: Modality
    date: dt.date
    visit: str
    view: str = ""
    sequence: str = ""
    labels: tuple[int, ...] = ()
    merged: tuple[str, ...] = ()
    leads: bool = True
    plane: int | None = None
    axis: int = 0
    long_ends_lps_mm: tuple[Point, Point] | None = None
    short_ends_lps_mm: tuple[Point, Point] | None = None
    sd_hu: float | None = None
    own_grid: bool = True
