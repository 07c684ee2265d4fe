"""Error of a lesion's MR signal ratio under gain, bias field, noise, thick slices and size, with and without N4.

    python benchmarks/mr_signal.py              the table, every fifth case (some minutes)
    python benchmarks/mr_signal.py --every 1    all 96 cases

Each case is one vertebra's lesion of known ratio in a spine of five, imaged twice: as it is, and with a gain of 1.3 and
a bias field of +/- 30 %. Printed: error of the ratio in per cent of it, and whether CR3 would say another thing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import numpy as np

from mdanderson.measure.bias import corrected
from mdanderson.measure.signal import measure_signal
from mdanderson.measure.signal_reference import SignalReference, find_signal_reference
from mdanderson.phantoms import LesionSpec, centred_grid, rigid_motion
from mdanderson.phantoms.mr import MrSpine, bias_field, render_mr
from mdanderson.settings import Settings
from mdanderson.vocabulary import MrSequence

SETTINGS = Settings()
GRIDS = {
    "axial": lambda thick: centred_grid((thick, 1.4, 1.4), (140, 250, 320), centre_mm=(0, -35, 0)),
    "sagittal": lambda thick: centred_grid((thick, 1.1, 1.1), (72, 180, 180), orientation="sagittal"),
}
RATIOS = {
    MrSequence.T1: {"abnormal": 0.55, "normal": 1.0},
    MrSequence.STIR: {"abnormal": 2.2, "normal": 1.0},
}
FIELDS = (None, "slope", "dome")
SIZES_MM = (10.0, 20.0, 40.0)
NOISE = (10.0, 40.0)
PLANES_MM = (3.0, 5.0)


class Row(NamedTuple):
    key: tuple[str, ...]
    error: float
    crossed: bool


def is_normal(sequence: MrSequence, ratio: float) -> bool:
    image = SETTINGS.image
    low = image.normal_t1_low if sequence is MrSequence.T1 else 0.0
    high = image.normal_t1_high if sequence is MrSequence.T1 else image.normal_t2_high
    return low <= ratio <= high


def cases(step: int) -> list[tuple[str, MrSequence, str, float, float, float]]:
    return list(product(GRIDS, RATIOS, ("abnormal", "normal"), SIZES_MM, NOISE, PLANES_MM))[::step]


def rows_of(case: tuple[str, MrSequence, str, float, float, float], seed: int) -> list[Row]:
    grid_name, sequence, state, size, snr, thick = case
    geometry, spine = GRIDS[grid_name](thick), MrSpine(sequence=sequence)
    ratio = RATIOS[sequence][state]
    half = size / 2
    lesion = LesionSpec(label=1, centre_mm=(1.3, -0.6, 0.8), semi_axes_mm=(half, 0.75 * half, min(0.6 * half, 11.0)))
    motion = rigid_motion(rotation_deg=(2, -1, 3), shift_mm=(4, -3, 2))
    clean = render_mr(spine, [lesion], [ratio], geometry, motion=motion, subsamples=(2, 1, 1))
    bones = spine.bone_map(geometry, motion)
    region, found = clean.mask[1], []
    for field in FIELDS:
        sd = spine.signals.marrow / snr
        signal = clean.volume.array * bias_field(geometry, field, depth=0.3) * (1.3 if field else 1.0)
        noise = np.random.default_rng(seed).standard_normal((2, *geometry.shape)) * sd * (1.3 if field else 1.0)
        image = replace(clean.volume, array=np.hypot(signal + noise[0], noise[1]).astype(np.float32))
        for name, volume in (("raw", image), ("n4", corrected(image, settings=SETTINGS))):
            for how, mapped in (("labels", bones), ("around", None)):
                reference = find_signal_reference(
                    volume, region, neighbours=[region], bone_map=mapped, settings=SETTINGS
                )
                key = (str(field), name, how, sequence.value, state, f"{size:g}", f"{snr:g}", f"{thick:g}", grid_name)
                if not isinstance(reference, SignalReference):
                    found.append(Row(key, np.nan, False))
                    continue
                measured = measure_signal(volume, region, reference, settings=SETTINGS)
                crossed = is_normal(sequence, measured.ratio) != is_normal(sequence, ratio)
                found.append(Row(key, 100 * (measured.ratio / ratio - 1), crossed))
                mean = measured.mean / reference.median
                found.append(Row((*key[:2], how + "-mean", *key[3:]), 100 * (mean / ratio - 1), False))
    return found


def table(rows: list[Row], axis: tuple[int, ...]) -> None:
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row.key[k] for k in axis)].append(row)
    for key, same in groups.items():
        error = np.array([row.error for row in same])
        known = error[~np.isnan(error)]
        if not known.size:
            print(f"| {' '.join(key)} | {len(same)} | none found |")
            continue
        worst = known[np.abs(known).argmax()]
        print(
            f"| {' '.join(key)} | {len(same)} | {np.isnan(error).sum()} | {np.median(known):+.1f} "
            f"| {np.percentile(np.abs(known), 90):.1f} | {worst:+.1f} | {sum(row.crossed for row in same)} |"
        )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=5, help="odd, so that every level is met")
    asked = parser.parse_args()
    start, rows = time.process_time(), []
    chosen = cases(asked.every)
    for number, case in enumerate(chosen):
        rows += rows_of(case, seed=number)
    for title, axis in (
        ("field, correction, reference", (0, 1, 2)),
        ("sequence, state", (1, 2, 3, 4)),
        ("size", (1, 2, 5)),
    ):
        print(f"\n| {title} | cases | no reference | median error % | 90th of its size | worst | CR3 turned |")
        print("|---|---|---|---|---|---|---|")
        table(rows, axis)
    print(f"\n{len(chosen)} cases, {time.process_time() - start:.0f} s of CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
