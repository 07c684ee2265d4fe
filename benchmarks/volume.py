"""Volume of a lesion: voxels counted, or partial voxels read from the HU. Error in per cent of the analytic volume.

    python benchmarks/volume.py [--count 60] [--seed 7]

Ellipsoids of 8-24 mm, any rotation, 40 HU with noise of 20 HU, in voxels of 0.8 x 0.8 mm and planes of 1, 3 and 5 mm;
the image is the mean of 4 x 4 x 4 samples a voxel. The mask holds voxels at least half covered, or is drawn half a
pixel too wide or too tight, as readers do. "partial" adds up (HU - outside) / (core - outside) over the mask and one
voxel round it: core is the median of the eroded mask, outside that of a shell of 1-3 voxels round the lesion.
Hosts: even bone of 150 HU; bone with its trabeculae (SD 40 HU); the same where a cortex of 1.5 mm and 500 HU, with
muscle of 55 HU behind it, passes by the lesion's side.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

__all__ = ["Scan", "counted", "partial", "scans"]

SAMPLES = 4
PIXEL_MM = 0.8
NOISE_HU, CORE_HU, BONE_HU, CORTEX_HU, MUSCLE_HU, TRABECULAE_HU = 20.0, 40.0, 150.0, 500.0, 55.0, 40.0
CORTEX_MM = 1.5
HOSTS = ("even bone", "trabeculae", "cortex")
DRAWN_MM = {"as it is": 0.0, "0.4 mm wide": 0.4, "0.4 mm tight": -0.4}


class Scan(NamedTuple):
    hu: np.ndarray
    masks: tuple[np.ndarray, ...]
    """One for every way of drawing."""
    voxel_mm3: float
    true_mm3: float


def scans(rng: np.random.Generator, *, plane_mm: float, host: str, count: int) -> Iterator[Scan]:
    """Random ellipsoids in a host."""
    step = np.array([plane_mm, PIXEL_MM, PIXEL_MM])
    for _ in range(count):
        semi = rng.uniform(4.0, 12.0) * np.array([1.0, rng.uniform(0.6, 1.0), rng.uniform(0.6, 1.0)])
        turn, offset = Rotation.random(random_state=rng).as_matrix(), rng.uniform(-0.5, 0.5, 3) * step
        half = np.ceil((semi.max() + 4.0) / step).astype(int) + 1
        axes = [
            ((np.arange((2 * n + 1) * SAMPLES) + 0.5) / SAMPLES - n - 0.5) * size
            for n, size in zip(half, step, strict=True)
        ]
        points = (np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) - offset) @ turn
        outside = _host(rng, points[..., 0], semi[0], host, 2 * half + 1, step)
        lesion = ((points / semi) ** 2).sum(axis=-1) <= 1
        hu = _voxels(np.where(lesion, CORE_HU, outside)) + rng.normal(0.0, NOISE_HU, 2 * half + 1)
        masks = tuple(
            _voxels(((points / (semi + drawn_mm)) ** 2).sum(axis=-1) <= 1) >= 0.5 for drawn_mm in DRAWN_MM.values()
        )
        yield Scan(hu, masks, float(step.prod()), float(4 / 3 * np.pi * semi.prod()))


def _host(
    rng: np.random.Generator, depth: np.ndarray, reach: float, host: str, shape: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """HU of the samples without the lesion; depth: mm along the axis on which the cortex lies."""
    if host == "even bone":
        return np.full(depth.shape, BONE_HU)
    texture = ndimage.gaussian_filter(rng.normal(size=shape), 1.0 / step)
    bone = BONE_HU + np.kron(texture * TRABECULAE_HU / texture.std(), np.ones((SAMPLES,) * 3))
    if host == "trabeculae":
        return bone
    return np.select([depth < reach - 0.5, depth < reach - 0.5 + CORTEX_MM], [bone, CORTEX_HU], MUSCLE_HU)


def _voxels(samples: np.ndarray) -> np.ndarray:
    a, b, c = (n // SAMPLES for n in samples.shape)
    return samples.reshape(a, SAMPLES, b, SAMPLES, c, SAMPLES).mean(axis=(1, 3, 5))


def counted(mask: np.ndarray) -> float:
    """The voxels of the mask."""
    return float(mask.sum())


def partial(hu: np.ndarray, mask: np.ndarray) -> float:
    """Voxels and parts of them; counted where the lesion has no core or does not stand out by 50 HU."""
    core = ndimage.binary_erosion(mask)
    wide = ndimage.binary_dilation(mask)
    shell = ndimage.binary_dilation(wide, iterations=2) & ~wide
    if core.sum() < 10:
        return counted(mask)
    inside, outside = np.median(hu[core]), np.median(hu[shell])
    if abs(inside - outside) < 50.0:
        return counted(mask)
    return float(((hu[wide] - outside) / (inside - outside)).sum())


def print_volumes(count: int, seed: int) -> None:
    print(f"volume: error in %, mean +/- SD of {count} lesions, seed {seed}")
    print(f"{'host':12}{'mask':>14}{'planes':>10}{'counted':>20}{'partial':>20}")
    for host in HOSTS:
        for plane_mm in (1.0, 3.0, 5.0):
            rng = np.random.default_rng(seed)
            found: dict[str, list[tuple[float, float]]] = {drawn: [] for drawn in DRAWN_MM}
            for scan in scans(rng, plane_mm=plane_mm, host=host, count=count):
                for drawn, mask in zip(DRAWN_MM, scan.masks, strict=True):
                    share = scan.voxel_mm3 / scan.true_mm3
                    found[drawn].append((counted(mask) * share, partial(scan.hu, mask) * share))
            for drawn, volumes in found.items():
                mean, spread = 100 * (np.mean(volumes, axis=0) - 1), 100 * np.std(volumes, axis=0)
                told = "".join(f"{a:+11.1f} +/- {b:4.1f}" for a, b in zip(mean, spread, strict=True))
                print(f"{host:12}{drawn:>14}{plane_mm:>7.0f} mm{told}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    print_volumes(asked.count, asked.seed)
