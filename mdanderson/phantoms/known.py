"""What is true of every lesion in one image of a phantom, as cells of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.course import Seen, as_lesion, type_of
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.phantoms.truth import SolidTruth, as_one
from mdanderson.vocabulary import Status

__all__ = ["LESION_CELLS", "Shown", "lesion_cells", "share_in_view", "shown"]

LESION_CELLS = (
    "lesion",
    "label",
    "status",
    "parents",
    "lesion_type",
    "long_axis_mm",
    "short_axis_mm",
    "outline_long_axis_mm",
    "outline_short_axis_mm",
    "volume_ml",
    "core_hu",
    "fill_fraction",
    "fill_hu",
    "rim_thickness_mm",
    "rim_hu",
    "signal_ratios",
    "uptake_ratio",
    "share_in_view",
    "x_mm",
    "y_mm",
    "z_mm",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One lesion as one image shows it: labels in the mask, sizes of the lesion and of what is drawn round its rim.

    other: cells that only its modality fills, or leaves blank.
    """

    seen: Seen
    labels: tuple[int, ...]
    size: SolidTruth | None
    outline: SolidTruth | None
    share_in_view: float
    other: Mapping[str, str] = field(default_factory=dict)


def shown(
    seen: Seen,
    labels: Sequence[int],
    kept: Mapping[int, int],
    geometry: Geometry,
    motion: FloatArray,
    where: str,
) -> Shown:
    """What is true of one lesion in one image."""
    specs = [as_lesion(shape, label=1, drawn=True, where=where) for shape in seen.shapes]
    if not specs:
        return Shown(seen=seen, labels=(), size=None, outline=None, share_in_view=1.0)
    body = geometry.moved(np.asarray(np.linalg.inv(motion), dtype=np.float64))
    normal = np.cross(body.directions[1], body.directions[2])
    drawn = [spec.drawn_semi_axes_mm for spec in specs]
    size = _size(specs, normal, [spec.semi_axes_mm for spec in specs])
    return Shown(
        seen=seen,
        labels=tuple(sorted({kept[label] for label in labels if label in kept})) if seen.drawn else (),
        size=size,
        outline=_size(specs, normal, drawn),
        share_in_view=share_in_view(specs, body),
    )


def _size(specs: Sequence[LesionSpec], normal: FloatArray, shells: Sequence[tuple[float, float, float]]) -> SolidTruth:
    """By the closed forms where there are any."""
    if len(specs) > 1 or specs[0].form != "solid":
        return as_one(specs, normal, shells)
    spec, shell = specs[0], shells[0]
    long_axis, short_axis = spec.diameters_mm(normal, shell)
    volume = replace(spec, semi_axes_mm=shell, rim_thickness_mm=0.0).volume_ml
    return SolidTruth(long_axis_mm=long_axis, short_axis_mm=short_axis, volume_ml=volume, centroid_mm=spec.centre_mm)


def share_in_view(specs: Sequence[LesionSpec], body: Geometry) -> float:
    """Share of a lesion's points that the grid holds, by points spread evenly in its box."""
    ticks = np.linspace(-1, 1, 25)
    unit = np.stack(np.meshgrid(ticks, ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = [
        points[spec.level(points) <= 1]
        for spec in specs
        for points in [np.asarray(spec.centre_mm) + unit * max(spec.semi_axes_mm) * (1 + spec.lobulation)]
    ]
    return float(body.contains(np.concatenate(inside)).mean())


def lesion_cells(one: Shown, motion: FloatArray) -> dict[str, str]:
    """Cells of truth.csv; sizes and place stay empty where the lesion is gone, or told in another row."""
    seen = one.seen
    kind = type_of(seen)
    row = dict.fromkeys(LESION_CELLS, "")
    row |= {
        "lesion": seen.name,
        "status": _status(one),
        "label": ";".join(map(str, one.labels)),
        "parents": ";".join(seen.parents),
    }
    row |= {"lesion_type": kind or "", "share_in_view": f"{one.share_in_view:.3f}"}
    if one.size is None or one.outline is None:
        return {**row, **one.other}
    first = seen.parts[0]
    x, y, z = (motion @ np.append(one.size.centroid_mm, 1.0))[:3]
    numbers = {
        "long_axis_mm": one.size.long_axis_mm,
        "short_axis_mm": one.size.short_axis_mm,
        "outline_long_axis_mm": one.outline.long_axis_mm,
        "outline_short_axis_mm": one.outline.short_axis_mm,
        "core_hu": first.core_hu,
        "fill_fraction": first.fill,
        "fill_hu": first.fill_hu,
        "rim_thickness_mm": first.rim_mm,
        "rim_hu": first.rim_hu,
        "x_mm": float(x),
        "y_mm": float(y),
        "z_mm": float(z),
    }
    row |= {key: f"{value:.2f}" for key, value in numbers.items()} | {"volume_ml": f"{one.size.volume_ml:.4f}"}
    return {**row, **one.other}


def _status(one: Shown) -> str:
    """The lesion's status; out of the field of view nobody can say."""
    return Status.NOT_EVALUABLE if one.share_in_view == 0.0 else one.seen.status
