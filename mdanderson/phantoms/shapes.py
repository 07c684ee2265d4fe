"""Lesions whose every size is known by construction.

A lesion is a superquadric, or a lobulated one: centrally symmetric and star-shaped about its centre, so that its
greatest in-plane diameter lies in the plane through its centre and its volume has a closed form or a fine sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation
from scipy.special import gamma

from mdanderson.errors import SettingsError
from mdanderson.geometry import FloatArray
from mdanderson.phantoms.bent import Form, bent_level, bent_volume_mm3, can_be_bent, shrunk_to_share
from mdanderson.phantoms.truth import as_one, plane_axes

__all__ = ["Layer", "LesionSpec", "rigid_motion"]

_DIRECTIONS = 1440
"""Directions that trace a cross-section: every quarter of a degree, 0.001 % of a diameter."""
_CHORDS = 601
"""Parallel chords among which the longest is sought."""
_LOBE_SAMPLES = 128
"""Polar samples (twice as many azimuths) of a lobulated volume."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One of the nested shells of a lesion: everything inside `semi_axes_mm` has `hu`, until a deeper layer says more.

    `hu` None leaves the host's own bone.
    """

    semi_axes_mm: tuple[float, float, float]
    hu: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionSpec:
    """A lesion in the body's own space (LPS mm), before the body is moved for a visit.

    semi_axes_mm: three half diameters of the outline, along axes turned by `rotation_deg` (a rotation vector, degrees).
    exponent: 2 is an ellipsoid, more a box with round edges. lobulation: depth of `lobes` (even) bumps round the
    third axis, as a fraction of the radius. form: "solid", or bent as in `phantoms.bent`: a straight rod, a crescent
    of `bend_deg`, an L; its half axes are those of the lesion pulled straight. Inside is `core_hu`, None = as dense as
    the host.
    A rim is a sclerotic shell of `rim_thickness_mm` (along the axes) just outside the outline, or just inside it.
    fill_fraction: share of the core's volume that has been filled with `fill_hu`, from the border inwards.
    drawn: whether the reader drew it into the mask; rim_drawn: whether an outside rim was drawn with it.
    Raises `SettingsError` for a lesion that cannot exist.
    """

    label: int
    centre_mm: tuple[float, float, float]
    semi_axes_mm: tuple[float, float, float]
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    exponent: float = 2.0
    lobulation: float = 0.0
    lobes: int = 4
    form: Form = "solid"
    bend_deg: float = 150.0
    core_hu: float | None = 40.0
    rim_thickness_mm: float = 0.0
    rim_hu: float = 600.0
    rim_outside: bool = True
    fill_fraction: float = 0.0
    fill_hu: float = 750.0
    drawn: bool = True
    rim_drawn: bool = False

    def __post_init__(self) -> None:
        possible = {
            "label": self.label >= 1,
            "semi_axes_mm": len(self.semi_axes_mm) == 3 and min(self.semi_axes_mm) > 0,
            "exponent": self.exponent >= 1,
            "lobulation": 0 <= self.lobulation < 0.5,
            "lobes": self.lobes >= 2 and self.lobes % 2 == 0,
            "form": self.form == "solid"
            or (not self.lobulation and can_be_bent(self.semi_axes_mm, self.form, self.bend_deg)),
            "rim_thickness_mm": self.rim_thickness_mm >= 0
            and (self.rim_outside or self.rim_thickness_mm < min(self.semi_axes_mm)),
            "fill_fraction": 0 <= self.fill_fraction <= 1,
        }
        wrong = [name for name, fine in possible.items() if not fine]
        if wrong:
            raise SettingsError(
                f"impossible lesion: {', '.join(f'{name}={getattr(self, name)}' for name in wrong)}",
                way_out="sizes above 0 mm, exponent and label from 1, shares 0 to 1, lobes even, inside rim thinner, "
                "and what is bent long enough for its thickness",
            )

    @property
    def axes(self) -> FloatArray:
        """(3, 3): unit vectors of the lesion's own axes, one row each."""
        return np.asarray(Rotation.from_rotvec(self.rotation_deg, degrees=True).as_matrix().T)

    @property
    def drawn_semi_axes_mm(self) -> tuple[float, float, float]:
        """Half diameters of what the reader outlined."""
        with_rim = self.rim_drawn and self.rim_outside
        return self._grown(self.rim_thickness_mm) if with_rim else self.semi_axes_mm

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The nested shells, outermost first."""
        shells: list[Layer] = []
        core = self.semi_axes_mm
        if self.rim_thickness_mm and self.rim_outside:
            shells.append(Layer(semi_axes_mm=self._grown(self.rim_thickness_mm), hu=self.rim_hu))
        elif self.rim_thickness_mm:
            shells.append(Layer(semi_axes_mm=core, hu=self.rim_hu))
            core = self._grown(-self.rim_thickness_mm)
        if self.fill_fraction:
            shells.append(Layer(semi_axes_mm=core, hu=self.fill_hu))
            core = self._left_of(core)
        if self.fill_fraction < 1.0:
            shells.append(Layer(semi_axes_mm=core, hu=self.core_hu))
        return tuple(shells)

    @property
    def volume_ml(self) -> float:
        """Volume inside the outline, without an outside rim."""
        a, b, c = self.semi_axes_mm
        if self.form != "solid":
            return bent_volume_mm3(self.semi_axes_mm, self.form) / 1000.0
        if self.lobulation:
            return self._lobulated_share() * a * b * c / 1000.0
        p = self.exponent
        return float(8.0 * a * b * c * gamma(1 + 1 / p) ** 3 / gamma(1 + 3 / p)) / 1000.0

    def level(self, points_mm: FloatArray, semi_axes_mm: Sequence[float] | None = None) -> FloatArray:
        """(..., 3) points in body space -> (...): 0 at the centre, 1 on the surface, growing in proportion outwards."""
        own = (points_mm - np.asarray(self.centre_mm)) @ self.axes.T
        if self.form != "solid":
            return bent_level(own, semi_axes_mm or self.semi_axes_mm, self.form, self.bend_deg)
        own = own / np.asarray(semi_axes_mm or self.semi_axes_mm)
        level = _norm(own, self.exponent)
        return np.asarray(level / self._bump(own) if self.lobulation else level)

    def steepness_per_mm(self, semi_axes_mm: Sequence[float]) -> float:
        """Upper bound of how fast `level` can change: tells which voxels the surface cannot reach."""
        if self.form != "solid":
            return 1.0 / min(semi_axes_mm[1:])
        norm = 3.0 ** max(0.0, 1.0 / self.exponent - 0.5)
        bumps = (1.0 + self.lobulation * (self.lobes + 2)) / (1.0 - self.lobulation) ** 2
        return float(norm * bumps / min(semi_axes_mm))

    def diameters_mm(
        self, normal: FloatArray, semi_axes_mm: tuple[float, float, float] | None = None
    ) -> tuple[float, float]:
        """Greatest diameter in planes with this normal (in body space), and the longest chord at right angles to it."""
        if self.form != "solid":
            size = as_one([self], normal, [semi_axes_mm or self.semi_axes_mm])
            return size.long_axis_mm, size.short_axis_mm
        _, first, second = plane_axes(normal)
        angle = np.linspace(0.0, 2 * np.pi, _DIRECTIONS, endpoint=False)
        rays = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
        radius = 1.0 / self.level(rays + np.asarray(self.centre_mm), semi_axes_mm)
        longest = int(np.argmax(radius))
        outline = radius * np.exp(1j * (angle - angle[longest]))
        return 2.0 * float(radius[longest]), _longest_chord(outline)

    def centroid_mm(self) -> tuple[float, float, float]:
        """Centre of mass, in body space."""
        return self.centre_mm if self.form == "solid" else as_one([self], np.array([0.0, 0.0, 1.0])).centroid_mm

    def _left_of(self, core: tuple[float, float, float]) -> tuple[float, float, float]:
        """What filling from the border inwards leaves of a core."""
        if self.form != "solid" and self.fill_fraction < 1.0:
            return shrunk_to_share(core, self.form, 1.0 - self.fill_fraction)
        left = (1.0 - self.fill_fraction) ** (1.0 / 3.0)
        return core[0] * left, core[1] * left, core[2] * left

    def _grown(self, by_mm: float) -> tuple[float, float, float]:
        a, b, c = self.semi_axes_mm
        return a + by_mm, b + by_mm, c + by_mm

    def _bump(self, own: FloatArray) -> FloatArray:
        """Radius factor of a direction: lobes round the third axis, fading out towards its poles."""
        length = np.maximum(np.linalg.norm(own, axis=-1), 1e-12)
        equator = (own[..., 0] ** 2 + own[..., 1] ** 2) / length**2
        azimuth = np.arctan2(own[..., 1], own[..., 0])
        return np.asarray(1.0 + self.lobulation * np.cos(self.lobes * azimuth) * equator**2)

    def _lobulated_share(self) -> float:
        """Volume of the shape with unit semi-axes: a third of the mean cubed radius times the sphere's directions."""
        heights, weights = np.polynomial.legendre.leggauss(_LOBE_SAMPLES)
        azimuth = np.arange(2 * _LOBE_SAMPLES) * np.pi / _LOBE_SAMPLES
        ring = np.sqrt(1.0 - heights**2)[:, None]
        rays = np.stack(
            [
                ring * np.cos(azimuth),
                ring * np.sin(azimuth),
                np.broadcast_to(heights[:, None], (len(heights), len(azimuth))),
            ],
            axis=-1,
        )
        radius = self._bump(rays) / _norm(rays, self.exponent)
        return float((radius**3).mean(axis=1) @ weights * 2 * np.pi / 3.0)


def _norm(vectors: FloatArray, exponent: float) -> FloatArray:
    """Length of each (..., 3) vector with this exponent in place of 2; safe where a high power would vanish."""
    size = np.abs(vectors)
    largest = np.maximum(size.max(axis=-1), np.finfo(np.float64).tiny)
    return np.asarray(largest * ((size / largest[..., None]) ** exponent).sum(axis=-1) ** (1.0 / exponent))


def _longest_chord(outline: np.ndarray[tuple[int], np.dtype[np.complex128]]) -> float:
    """Longest vertical chord of a closed outline given as complex numbers."""
    start, end = outline, np.roll(outline, -1)
    at = np.linspace(outline.real.min(), outline.real.max(), _CHORDS)
    first, past = (np.searchsorted(at, side(start.real, end.real)) for side in (np.minimum, np.maximum))
    edge = np.repeat(np.arange(len(outline)), past - first)  # one entry for every chord that an edge crosses
    before = np.cumsum(past - first) - (past - first)
    chord = np.arange(len(edge)) - before[edge] + first[edge]
    start, end = start[edge], end[edge]
    height = start.imag + (at[chord] - start.real) / (end.real - start.real) * (end.imag - start.imag)
    top, bottom = np.full(_CHORDS, -np.inf), np.full(_CHORDS, np.inf)
    np.maximum.at(top, chord, height)
    np.minimum.at(bottom, chord, height)
    return float((top - bottom).max())


def rigid_motion(
    *,
    rotation_deg: Sequence[float] = (0.0, 0.0, 0.0),
    shift_mm: Sequence[float] = (0.0, 0.0, 0.0),
    about_mm: Sequence[float] = (0.0, 0.0, 0.0),
) -> FloatArray:
    """(4, 4) matrix of LPS mm: turned by a rotation vector (degrees) about a point, then shifted."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(rotation_deg, degrees=True).as_matrix()
    matrix[:3, 3] = np.asarray(about_mm) - matrix[:3, :3] @ np.asarray(about_mm) + np.asarray(shift_mm)
    return matrix
