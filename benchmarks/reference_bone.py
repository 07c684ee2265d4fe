"""How near reference bone found from the image comes to the truth, and what it costs.

    python benchmarks/reference_bone.py [REAL] [--places 40] [--seed 3]

On phantoms the truth is the density that was painted. REAL is the folder of real images (CONTRIBUTING.md): there balls
of 30 HU (lytic) and 700 HU (sclerotic) are put into T12 of one CT and L3 of another, and the yardstick is the reference
that the label map of the bones gives. Prints how many were found, the error in HU, and CPU seconds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from mdanderson.measure.reference import find_reference
from mdanderson.phantoms import LesionSpec, SyntheticBone, centred_grid, render
from mdanderson.readers import read_volume
from mdanderson.readers.masks import read_mask
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region, Volume

SETTINGS = ImageSettings()
DAY = dt.date(2024, 1, 1)
REAL = {
    "T12, real CT": ("ct_totalseg/example_ct_dicom", "ct_totalseg/example_seg_dicom.nii.gz", 32),
    "L3, real CT": (
        "spine_tptbox/sample_ct/sub-ct_label-22_ct.nii.gz",
        "spine_tptbox/sample_ct/sub-ct_seg-vert_label-22_msk.nii.gz",
        22,
    ),
}


def in_real(folder: Path, name: str, places: int, random: np.random.Generator) -> Iterator[tuple[Volume, Region, Mask]]:
    """Balls of 8-20 mm in the vertebra, at least 5 mm deep; the image, the lesion, the bones."""
    image, labels, label = REAL[name]
    volume = read_volume(folder / image, modality=Modality.CT, date=DAY)
    bones = read_mask(folder / labels, like=volume)
    inside = np.zeros(volume.geometry.shape, dtype=bool)
    inside[bones[label].box] = bones[label].voxels
    spacing = volume.geometry.spacing_mm
    deep = np.argwhere(ndimage.distance_transform_edt(inside, sampling=spacing) > 5.0)
    for index in range(places):
        centre, radius = deep[random.integers(len(deep))], random.uniform(4.0, 10.0)
        away = np.linalg.norm((np.indices(volume.geometry.shape).T - centre) * spacing, axis=-1).T
        array = np.where(away < radius, 30 if index % 2 else 700, volume.array)
        region = Region.from_array(away < radius, label=1)
        assert region is not None
        yield replace(volume, array=array.astype(volume.array.dtype)), region, bones


def in_phantoms(places: int, random: np.random.Generator) -> Iterator[tuple[Volume, Region, float]]:
    """Bones of 60-230 HU, cortex of 1-2.5 mm, planes of 1-5 mm, noise of 5-40 HU; the image, the lesion, the truth."""
    for seed in range(places):
        bone = SyntheticBone(
            seed=seed,
            trabecular_hu=float(random.uniform(60, 230)),
            texture_hu=20.0,
            cortex_hu=float(random.uniform(450, 750)),
            cortex_mm=float(random.uniform(1.0, 2.5)),
            half_axes_mm=(22.0, 17.0, 14.0),
            canal=True,
        )
        half = float(random.uniform(4, 10))
        spec = LesionSpec(
            label=1,
            centre_mm=(float(random.uniform(-6, 6)), float(random.uniform(-4, 4)), 0.0),
            semi_axes_mm=(half, half, min(half, 10.0)),
            core_hu=float(random.choice([30.0, 700.0])),
        )
        grid = centred_grid((float(random.choice([1, 3, 5])), 1.0, 1.0), (32, 90, 80), centre_mm=(0, 8, 0))
        seen = render(bone, (spec,), grid, noise_hu=float(random.uniform(5, 40)), seed=seed, subsamples=(3, 1, 1))
        yield seen.volume, seen.mask.regions[0], bone.trabecular_hu


def _line(name: str, off_hu: list[float | None], seconds: list[float]) -> str:
    found = np.abs([off for off in off_hu if off is not None])
    middle, high, most = np.percentile(found, [50, 90, 100])
    return (
        f"{name:<24} found {len(found)}/{len(off_hu)}  error {middle:5.1f} HU median {high:5.1f} 90th {most:5.1f} worst"
        f"  CPU {np.median(seconds):.3f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", type=Path, nargs="?")
    parser.add_argument("--places", type=int, default=40)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    off: list[float | None] = []
    seconds: list[float] = []

    def search(volume: Volume, region: Region, truth_hu: float) -> None:
        start = time.process_time()
        found = find_reference(volume, region, lesions=[region], settings=SETTINGS)
        seconds.append(time.process_time() - start)
        off.append(None if found is None else found.median_hu - truth_hu)

    for phantom, lesion, painted_hu in in_phantoms(arguments.places, random):
        search(phantom, lesion, painted_hu)
    print(_line("phantoms", off, seconds), flush=True)
    for name in REAL if arguments.real else ():
        off, seconds = [], []
        for image, lesion, bones in in_real(arguments.real, name, arguments.places, random):
            labelled = find_reference(image, lesion, lesions=[lesion], bone_map=bones, settings=SETTINGS)
            assert labelled is not None
            search(image, lesion, labelled.median_hu)
        print(_line(name, off, seconds), flush=True)


if __name__ == "__main__":
    main()
