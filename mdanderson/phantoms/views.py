"""Both views of one bone scan, in whole counts, with what is true of its foci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from mdanderson.phantoms.scan import Focus, ScanBody, ScanPose, render_view
from mdanderson.vocabulary import View
from mdanderson.volume import Mask, Volume

__all__ = ["BoneScan", "bone_scan"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BoneScan:
    """Anterior and posterior view. Foci have labels from 1 in the order given.

    uptake: by name, expected counts in the outline with and without the focus, geometric mean of the views. places:
    by name, LPS mm of the image.
    """

    volumes: tuple[Volume, ...]
    masks: tuple[Mask, ...]
    uptake: Mapping[str, float]
    places: Mapping[str, tuple[float, float, float]]


def bone_scan(
    body: ScanBody,
    foci: Mapping[str, Focus],
    *,
    pose: ScanPose,
    rows_columns: tuple[int, int],
    pixel_mm: float,
    total_counts: float = 2.0e6,
    gain: float = 1.0,
    seed: int,
) -> BoneScan:
    """Image a body with foci by name. gain: factor on the counts after their noise, which means nothing."""
    views = [
        render_view(
            body,
            list(foci.values()),
            view=view,
            pose=pose,
            rows_columns=rows_columns,
            pixel_mm=pixel_mm,
            total_counts=total_counts,
            scale=gain,
            noise_seed=seed + order,
        )
        for order, view in enumerate((View.ANT, View.POST))
    ]
    shown = [label for label, _ in enumerate(foci, 1) if all(label in _labels(view.mask) for view in views)]
    names = dict(enumerate(foci, 1))
    return BoneScan(
        volumes=tuple(
            replace(view.volume, array=np.rint(view.volume.array).clip(0, 32767).astype(np.int16)) for view in views
        ),
        masks=tuple(view.mask for view in views),
        uptake={names[label]: sqrt(views[0].ratio(label) * views[1].ratio(label)) for label in shown},
        places={name: _in_image(pose, focus) for name, focus in foci.items()},
    )


def _labels(mask: Mask) -> set[int]:
    return {region.label for region in mask}


def _in_image(pose: ScanPose, focus: Focus) -> tuple[float, float, float]:
    """A focus in LPS mm of the image."""
    x, y, z = (pose.matrix @ [focus.x_mm, 0.0, focus.z_mm, 1.0])[:3]
    return float(x), float(y), float(z)
