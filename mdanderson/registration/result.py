"""What a registration found, and how far it can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from mdanderson.errors import GeometryError
from mdanderson.geometry import FloatArray

__all__ = ["Part", "Registration"]

_RIGID_TOLERANCE = 1e-6
_NEIGHBOURS = 4
_PART_REACH_MM = 25.0
"""A part speaks for the bone this near to its centre."""


def _no_places() -> FloatArray:
    return np.empty((0, 3))


def _no_errors() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """The motion of the bone round one place, where it differs from the body's.

    centre_mm: (3,) baseline LPS. matrix: (4, 4), rigid, baseline LPS mm -> follow-up LPS mm. error_mm: how far two
    independent fits of this bone disagree at the centre, and how far it could slide unnoticed; infinite where the
    two images do not look alike there.
    """

    centre_mm: FloatArray
    matrix: FloatArray
    error_mm: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Registration:
    """Where a follow-up image shows the places of the baseline.

    matrix: (4, 4), rigid, baseline LPS mm -> follow-up LPS mm. error_mm: the error that nine tenths of the bone are
    estimated not to exceed, measured on the images: how far parts of the bone still want to move by themselves, how
    far two independent runs disagree, and how far the bone could slide unnoticed; infinite when nothing was found.
    trusted: whether to rely on it; why: in words, why not, or how it was found. places_mm (k, 3) baseline LPS and
    place_error_mm (k,): the same estimate by place, infinite where the images do not look alike. parts: bones that were
    fitted by themselves. limit_mm: a place with a larger error is not trusted. Raises `GeometryError` for a matrix
    that is not rigid.
    """

    matrix: FloatArray
    error_mm: float
    trusted: bool
    why: str
    places_mm: FloatArray = field(default_factory=_no_places)
    place_error_mm: FloatArray = field(default_factory=_no_errors)
    parts: tuple[Part, ...] = ()
    limit_mm: float = float("inf")

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
        """(..., 3) baseline LPS mm -> (..., 3) follow-up LPS mm, by the body's motion alone: see `near`."""
        return _moved(self.matrix, points)

    def to_baseline(self, points: npt.ArrayLike) -> FloatArray:
        """(..., 3) follow-up LPS mm -> (..., 3) baseline LPS mm, by the body's motion alone: see `near_follow_up`."""
        return _moved(_inverse(self.matrix), points)

    def near(self, points: npt.ArrayLike) -> Self:
        """The registration of the bone at one place, (3,) or the middle of (n, 3) baseline LPS mm: one rigid motion.

        That of the part that speaks for the place, else that of the body; its error and its trust are the place's.
        """
        place = np.atleast_2d(np.asarray(points, dtype=float)).mean(axis=0)
        return self._at(place, self._nearest(place, [part.centre_mm for part in self.parts]))

    def near_follow_up(self, points: npt.ArrayLike) -> Self:
        """The same for a place given in follow-up LPS mm."""
        place = np.atleast_2d(np.asarray(points, dtype=float)).mean(axis=0)
        part = self._nearest(place, [_moved(part.matrix, part.centre_mm) for part in self.parts])
        return self._at(_moved(_inverse(part.matrix if part else self.matrix), place), part)

    def error_at(self, points: npt.ArrayLike) -> FloatArray:
        """(n, 3) baseline LPS mm -> (n,) mm: the estimated error there, from the nearest places that were measured."""
        places = np.atleast_2d(np.asarray(points, dtype=float))
        if not len(self.places_mm):
            return np.full(len(places), self.error_mm)
        near = min(_NEIGHBOURS, len(self.places_mm))
        distance, index = cKDTree(self.places_mm).query(places, k=near)
        index = np.asarray(index).reshape(-1, near)
        error = self.place_error_mm[index]
        known = np.isfinite(error)
        weight = known / (np.asarray(distance).reshape(-1, near) + 1.0)
        local = (weight * np.where(known, error, 0.0)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
        return np.asarray(np.where(known[:, 0], local, np.inf))  # the nearest place decides whether it is known

    def inverse(self) -> Self:
        """Follow-up -> baseline."""
        parts = tuple(
            Part(centre_mm=_moved(one.matrix, one.centre_mm), matrix=_inverse(one.matrix), error_mm=one.error_mm)
            for one in self.parts
        )
        return replace(self, matrix=_inverse(self.matrix), places_mm=self.to_follow_up(self.places_mm), parts=parts)

    def after(self, first: Registration) -> Self:
        """First `first`, from its baseline to this one's, then this; errors add up."""
        homes = [first.near_follow_up(part.centre_mm) for part in self.parts]
        parts = tuple(
            Part(
                centre_mm=home.to_baseline(one.centre_mm),
                matrix=one.matrix @ home.matrix,
                error_mm=one.error_mm + home.error_mm,
            )
            for one, home in zip(self.parts, homes, strict=True)
        )
        return replace(
            self,
            matrix=self.matrix @ first.matrix,
            places_mm=first.to_baseline(self.places_mm),
            error_mm=self.error_mm + first.error_mm,
            parts=parts,
        )

    def _nearest(self, place: FloatArray, centres: list[FloatArray]) -> Part | None:
        away = [float(np.linalg.norm(centre - place)) for centre in centres]
        return self.parts[int(np.argmin(away))] if away and min(away) <= _PART_REACH_MM else None

    def _at(self, place: FloatArray, part: Part | None) -> Self:
        matrix, error_mm = (part.matrix, part.error_mm) if part else (self.matrix, float(self.error_at(place)[0]))
        there = bool(error_mm <= self.limit_mm and np.isfinite(error_mm))
        unsure = f"here the estimated error is {error_mm:.1f} mm" if np.isfinite(error_mm) else _UNLIKE
        return replace(
            self,
            matrix=matrix,
            error_mm=error_mm,
            trusted=self.trusted and there,
            why=self.why if there or not self.trusted else unsure,
            places_mm=_no_places(),
            place_error_mm=_no_errors(),
            parts=(),
        )


_UNLIKE = "here the two images do not look alike"


def _moved(matrix: FloatArray, points: npt.ArrayLike) -> FloatArray:
    return np.asarray(np.asarray(points, dtype=float) @ matrix[:3, :3].T + matrix[:3, 3])


def _inverse(matrix: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _is_rigid(matrix: FloatArray) -> bool:
    rotation = matrix[:3, :3]
    straight = np.abs(rotation @ rotation.T - np.eye(3)).max() < _RIGID_TOLERANCE
    return bool(straight and np.linalg.det(rotation) > 0 and np.allclose(matrix[3], (0, 0, 0, 1)))
