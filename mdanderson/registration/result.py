"""What a registration found, and how far it can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from mdanderson.errors import GeometryError
from mdanderson.geometry import FloatArray

__all__ = ["Registration"]

_RIGID_TOLERANCE = 1e-6
_NEIGHBOURS = 4


def _no_places() -> FloatArray:
    return np.empty((0, 3))


def _no_errors() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Registration:
    """Where a follow-up image shows the places of the baseline.

    matrix: (4, 4), rigid, baseline LPS mm -> follow-up LPS mm. error_mm: the error that nine tenths of the bone are
    estimated not to exceed, measured on the images: how far parts of the bone still want to move by themselves, how
    far two independent runs disagree, and how far the bone could slide unnoticed; infinite when nothing was found.
    trusted: whether to rely on it; why: in words, why not, or how it was found. places_mm (k, 3) baseline LPS and
    place_error_mm (k,): the same estimate by place. Raises `GeometryError` for a matrix that is not rigid.
    """

    matrix: FloatArray
    error_mm: float
    trusted: bool
    why: str
    places_mm: FloatArray = field(default_factory=_no_places)
    place_error_mm: FloatArray = field(default_factory=_no_errors)

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not _is_rigid(matrix):
            raise GeometryError("a registration that is not rigid", way_out="give a rotation and a shift in mm")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def identity(cls, why: str = "both images share one space") -> Self:
        """No motion: for images of one frame of reference."""
        return cls(matrix=np.eye(4), error_mm=0.0, trusted=True, why=why)

    @classmethod
    def failed(cls, why: str) -> Self:
        """Nothing was found; `why` says what stood in the way."""
        return cls(matrix=np.eye(4), error_mm=float("inf"), trusted=False, why=why)

    def to_follow_up(self, points: npt.ArrayLike) -> FloatArray:
        """(..., 3) baseline LPS mm -> (..., 3) follow-up LPS mm."""
        return _moved(self.matrix, points)

    def to_baseline(self, points: npt.ArrayLike) -> FloatArray:
        """(..., 3) follow-up LPS mm -> (..., 3) baseline LPS mm."""
        return _moved(np.asarray(np.linalg.inv(self.matrix), dtype=float), points)

    def error_at(self, points: npt.ArrayLike) -> FloatArray:
        """(n, 3) baseline LPS mm -> (n,) mm: the estimated error there, from the nearest places that were measured."""
        places = np.atleast_2d(np.asarray(points, dtype=float))
        if not len(self.places_mm):
            return np.full(len(places), self.error_mm)
        near = min(_NEIGHBOURS, len(self.places_mm))
        distance, index = cKDTree(self.places_mm).query(places, k=near)
        weight = 1.0 / (np.asarray(distance).reshape(-1, near) + 1.0)
        local = (weight * self.place_error_mm[np.asarray(index).reshape(-1, near)]).sum(axis=1)
        return np.asarray(local / weight.sum(axis=1))

    def inverse(self) -> Self:
        """Follow-up -> baseline."""
        return replace(
            self,
            matrix=np.asarray(np.linalg.inv(self.matrix), dtype=float),
            places_mm=self.to_follow_up(self.places_mm),
        )


def _moved(matrix: FloatArray, points: npt.ArrayLike) -> FloatArray:
    return np.asarray(np.asarray(points, dtype=float) @ matrix[:3, :3].T + matrix[:3, 3])


def _is_rigid(matrix: FloatArray) -> bool:
    rotation = matrix[:3, :3]
    straight = np.abs(rotation @ rotation.T - np.eye(3)).max() < _RIGID_TOLERANCE
    return bool(straight and np.linalg.det(rotation) > 0 and np.allclose(matrix[3], (0, 0, 0, 1)))
