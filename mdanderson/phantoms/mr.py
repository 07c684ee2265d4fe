"""A spine as MR shows it: marrow, disc, muscle, fat and cortex by sequence, with lesions of known signal ratio.

The geometry and the lesions are those of the CT phantoms (`render`); what MR adds is the scanner: a gain that means
nothing, a smooth bias field, and the noise of a magnitude image, drawn anew at every visit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt

from mdanderson.errors import SettingsError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.hosts import cover, ellipse_mm, trabecular_texture
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Mask, Unit

__all__ = ["BiasShape", "MrScan", "MrSpine", "TissueSignals", "bias_field", "render_mr"]

BiasShape = Literal["slope", "dome"]

_PITCH_MM = 32.0
"""From one vertebra's middle to the next."""
_BODY_MM = (24.0, 18.0, 13.0)
"""Half width, half depth, half height of a vertebral body, cortex included."""
_CORTEX_MM = 1.5
_TRUNK_MM = (150.0, 105.0)
"""Half width and half depth of the trunk; its middle lies 35 mm before that of the bodies."""
_TRUNK_Y_MM = -35.0
_FAT_MM = 18.0
"""Thickness of the fat under the skin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TissueSignals:
    """Signal of each tissue in one sequence: arbitrary units, um2/s for ADC."""

    marrow: float
    disc: float
    muscle: float
    fat: float
    cortex: float
    fluid: float
    bowel: float


_SIGNALS = MappingProxyType(
    {
        MrSequence.T1: TissueSignals(marrow=600, disc=330, muscle=340, fat=1000, cortex=40, fluid=180, bowel=380),
        MrSequence.T2: TissueSignals(marrow=420, disc=650, muscle=180, fat=750, cortex=30, fluid=1200, bowel=450),
        MrSequence.STIR: TissueSignals(marrow=180, disc=420, muscle=260, fat=90, cortex=30, fluid=1200, bowel=400),
        MrSequence.IN: TissueSignals(marrow=600, disc=330, muscle=340, fat=900, cortex=40, fluid=200, bowel=380),
        MrSequence.OPP: TissueSignals(marrow=270, disc=325, muscle=330, fat=800, cortex=40, fluid=200, bowel=370),
        MrSequence.FAT: TissueSignals(marrow=270, disc=10, muscle=20, fat=860, cortex=15, fluid=5, bowel=15),
        MrSequence.WATER: TissueSignals(marrow=330, disc=320, muscle=320, fat=40, cortex=25, fluid=195, bowel=365),
        MrSequence.ADC: TissueSignals(marrow=450, disc=1600, muscle=1500, fat=150, cortex=100, fluid=2900, bowel=1800),
    }
)
"""Order and rough size as at 1.5 T; only their ratios to marrow matter here."""


def _organs_mm(points_mm: FloatArray) -> FloatArray:
    """Signed distance to liver, left kidney, aorta and vena cava, drawn alike: what tells left from right, and levels.

    The aorta ends by forking 40 mm below the middle; liver and kidney end at levels of their own.
    """
    x, y, z = np.moveaxis(points_mm, -1, 0)
    liver = np.maximum(ellipse_mm(x + 85.0, y + 45.0, 60.0, 70.0), -20.0 - z)
    kidney = np.sqrt((x - 65.0) ** 2 + (y + 5.0) ** 2 + ((z - 25.0) / 1.8) ** 2) - 24.0
    fork = np.maximum(-40.0 - z, 0.0) * 0.6
    aorta = np.minimum(np.hypot(x - 8.0 - fork, y + 32.0), np.hypot(x - 8.0 + fork, y + 32.0)) - 9.0
    cava = np.hypot(x + 20.0, (y + 30.0) / 0.7) - 8.0
    return np.asarray(np.minimum(np.minimum(liver, kidney), np.minimum(aorta, cava)))


@dataclass(frozen=True, kw_only=True)
class MrSpine:
    """Vertebrae with discs, canal, muscle, gut and fat in one sequence: a `Host` of `render`, whose "HU" are signals.

    Body space: x left, y back, z head; the middle vertebral body is centred at the origin, the others `_PITCH_MM`
    apart. vertebrae: how many (odd). texture: SD of the marrow as a share of its signal, the same at every visit.
    Raises `SettingsError` for a spine that cannot exist.
    """

    sequence: MrSequence = MrSequence.T1
    vertebrae: int = 5
    texture: float = 0.06
    seed: int = 0
    signals: TissueSignals = field(init=False)

    def __post_init__(self) -> None:
        if self.vertebrae < 1 or self.vertebrae % 2 == 0 or self.texture < 0:
            raise SettingsError(
                f"impossible spine: vertebrae={self.vertebrae}, texture={self.texture}",
                way_out="an odd number of vertebrae and a texture of 0 or more",
            )
        object.__setattr__(self, "signals", _SIGNALS[self.sequence])

    def sample_hu(self, points_mm: FloatArray, *, blur_mm: float) -> FloatArray:
        """(..., 3) points -> (...) signal."""
        tissue = self.signals
        x, y, z = np.moveaxis(points_mm, -1, 0)
        signal = np.full(x.shape, 0.02 * tissue.marrow)
        trunk = ellipse_mm(x, y - _TRUNK_Y_MM, *_TRUNK_MM)
        signal += cover(trunk, blur_mm) * (tissue.fat - signal)
        signal += cover(trunk + _FAT_MM, blur_mm) * (tissue.bowel - signal)
        signal += cover(np.maximum(_organs_mm(points_mm), trunk + _FAT_MM), blur_mm) * (tissue.fluid - signal)
        back = np.maximum(trunk + _FAT_MM, -20.0 - y + 0.3 * np.abs(x))
        psoas = np.hypot(np.abs(x) - 42.0, y - 2.0) - 17.0
        signal += cover(np.minimum(back, psoas), blur_mm) * (tissue.muscle - signal)
        half_mm = self.vertebrae * _PITCH_MM / 2
        column = np.maximum(ellipse_mm(x, y, _BODY_MM[0] - 1, _BODY_MM[1] - 1), np.abs(z) - half_mm)
        signal += cover(column, blur_mm) * (tissue.disc - signal)
        canal = np.hypot(x, y - 27.0) - 8.0
        signal += cover(canal, blur_mm) * (tissue.fluid - signal)
        marrow = tissue.marrow * (
            1.0 + (self.texture * trabecular_texture(self.seed, points_mm) if self.texture else 0)
        )
        depth = self._depth_mm(points_mm)
        signal += cover(depth, blur_mm) * (tissue.cortex - signal)
        signal += cover(depth + _CORTEX_MM, blur_mm) * (marrow - signal)
        return np.asarray(signal)

    def noise_hu(self, centre_mm: FloatArray, radius_mm: float) -> float:  # noqa: ARG002 - the same everywhere
        """None of its own: all noise is the scanner's."""
        return 0.0

    def copied_hu(self, geometry: Geometry, motion: FloatArray) -> FloatArray | None:  # noqa: ARG002 - has no grid
        """None: it has no voxels of its own."""
        return None

    def bone_map(self, geometry: Geometry, motion: FloatArray | None = None) -> Mask:
        """The vertebrae as labels 1.. from the feet upwards, on a visit's grid."""
        matrix = np.eye(4) if motion is None else motion
        index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"), axis=-1)
        points = geometry.moved(np.asarray(np.linalg.inv(matrix), dtype=np.float64)).to_lps(index)
        labels: npt.NDArray[np.uint8] = np.where(self._depth_mm(points) <= 0, self._level(points) + 1, 0).astype(
            np.uint8
        )
        return Mask.from_label_map(labels, geometry, source="phantom bones")

    def _level(self, points_mm: FloatArray) -> FloatArray:
        """(..., 3) points -> (...): which vertebra is nearest, from 0 at the feet."""
        middle = (self.vertebrae - 1) // 2
        return np.asarray(np.clip(np.rint(points_mm[..., 2] / _PITCH_MM) + middle, 0, self.vertebrae - 1))

    def _depth_mm(self, points_mm: FloatArray) -> FloatArray:
        """Signed distance to the surface of the nearest vertebra, negative inside."""
        x, y, z = np.moveaxis(points_mm, -1, 0)
        z = z - (self._level(points_mm) - (self.vertebrae - 1) // 2) * _PITCH_MM
        body = np.maximum(ellipse_mm(x, y, _BODY_MM[0], _BODY_MM[1]), np.abs(z) - _BODY_MM[2])
        pedicles = np.maximum(np.hypot(np.abs(x) - 14.0, z - 4.0) - 4.5, np.abs(y - 23.0) - 9.0)
        spine = np.maximum(np.hypot(x / 1.2, z + 3.0) - 4.5, np.abs(y - 50.0) - 12.0)
        return np.asarray(np.minimum(np.minimum(body, pedicles), spine))


@dataclass(frozen=True, kw_only=True, slots=True)
class MrScan:
    """What the scanner adds. gain: factor on everything. bias: shape and depth of the field (0.3 = +/- 30 %).

    snr: marrow's signal over the SD of the noise, None = no noise. An ADC map has no gain and no field.
    """

    gain: float = 1.0
    bias: BiasShape | None = None
    bias_depth: float = 0.3
    snr: float | None = None
    seed: int = 0


def render_mr(
    spine: MrSpine,
    lesions: Sequence[LesionSpec],
    ratios: Sequence[float],
    geometry: Geometry,
    *,
    scan: MrScan | None = None,
    motion: FloatArray | None = None,
    date: dt.date | None = None,
    subsamples: tuple[int, int, int] = (1, 1, 1),
) -> Phantom:
    """An MR image (float32) of `spine` with `lesions`, each of its ratio to the signal of normal marrow.

    The rest as `render`; the lesions' own `core_hu` is not looked at. Raises `SettingsError` unless there is one ratio,
    0 or more, a lesion.
    """
    if len(ratios) != len(lesions) or min(ratios, default=0.0) < 0:
        raise SettingsError(f"{len(lesions)} lesions, ratios {list(ratios)}", way_out="give one ratio a lesion")
    marrow = spine.signals.marrow
    painted = [replace(lesion, core_hu=ratio * marrow) for lesion, ratio in zip(lesions, ratios, strict=True)]
    clean = render(spine, painted, geometry, motion=motion, date=date, subsamples=subsamples)
    signal = clean.volume.array.astype(np.float64)
    scan = scan or MrScan()
    is_map = spine.sequence is MrSequence.ADC
    if not is_map:
        signal *= scan.gain * bias_field(geometry, scan.bias, depth=scan.bias_depth)
    if scan.snr is not None:
        sd = marrow / scan.snr * (1.0 if is_map else scan.gain)
        signal = _with_noise(signal, sd, np.random.default_rng(scan.seed), is_magnitude=not is_map)
    volume = replace(
        clean.volume,
        array=signal.astype(np.float32),
        unit=Unit.ADC if is_map else Unit.ARBITRARY,
        modality=Modality.MR,
        sequence=spine.sequence,
    )
    return replace(clean, volume=volume)


def bias_field(geometry: Geometry, shape: BiasShape | None, *, depth: float) -> FloatArray:
    """(planes, rows, columns): a smooth factor from 1 - depth to 1 + depth over the image; ones where `shape` is None.

    slope: rises from one corner to the opposite, as beside a surface coil. dome: brightest in the middle.
    """
    if shape is None:
        return np.ones(geometry.shape)
    ends = np.ix_(*(np.linspace(-1.0, 1.0, n) if n > 1 else np.zeros(1) for n in geometry.shape))
    if shape == "slope":
        return np.asarray(1.0 + depth * np.tanh(1.2 * sum(ends) / 1.5) / np.tanh(2.4))
    return np.asarray(1.0 + depth * (2.0 * np.exp(-sum(end**2 for end in ends)) - 1.0))


def _with_noise(signal: FloatArray, sd: float, random: np.random.Generator, *, is_magnitude: bool) -> FloatArray:
    """Noise of a magnitude image (Rician); of a map, plain Gaussian noise that stays above zero."""
    real = signal + sd * random.standard_normal(signal.shape)
    if not is_magnitude:
        return np.asarray(np.maximum(real, 0.0))
    return np.asarray(np.hypot(real, sd * random.standard_normal(signal.shape)))
