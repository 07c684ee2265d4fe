"""How long `mdanderson classify` takes on a table of 100,000 lesion rows, and how much memory.

    python benchmarks/classify.py [--rows 100000] [--seed 7] [--workers 2]

The whole command as a user runs it, from start to the last table written (all but lesions.csv, which `--lesions` asks
for), on two shapes of cohort: 2,000 patients of ten lesions and 10,000 patients of two, five visits each. Beside it, in
the same run, what plain pandas needs in one process to read the table and to compute sums and changes alone: no rule,
no reason, no nadir of complete visits.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Measured", "run", "write_table"]

VISITS = 5
SHAPES = ((10, "10 lesions a patient"), (2, "2 lesions a patient"))
FLOOR = """
import sys
import pandas as pd

table = pd.read_csv(sys.argv[1], parse_dates=["date"])
table["size_mm"] = table.long_axis_mm + table.short_axis_mm
sums = table.groupby(["patient_id", "date"], as_index=False).size_mm.sum()
by_patient = sums.groupby("patient_id").size_mm
sums["change_baseline"] = sums.size_mm / by_patient.transform("first") - 1
sums["change_nadir"] = sums.size_mm / by_patient.transform(lambda sizes: sizes.cummin().shift()) - 1
sums.to_csv(sys.argv[2], index=False)
"""


class Measured(NamedTuple):
    seconds: float
    peak_mb: float


def write_table(path: Path, *, patients: int, lesions: int, seed: int) -> None:
    """Sizes of 10-60 mm that shrink or grow from visit to visit; one lesion in fifty has no row at a visit."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(10, 60, (patients, lesions))
    lines = ["patient_id,date,visit,modality,lesion_id,site,lesion_type,long_axis_mm,short_axis_mm"]
    rows: list[list[str]] = [[] for _ in range(patients)]
    for visit in range(VISITS):
        size *= rng.uniform(0.75, 1.15, size.shape)
        shown = rng.random(size.shape) >= 0.02
        for patient, lesion in np.argwhere(shown):
            long_mm, short_mm = size[patient, lesion], size[patient, lesion] * 0.7
            rows[patient].append(
                f"P{patient:05d},{2022 + visit // 4}-{1 + 3 * (visit % 4):02d}-10,v{visit},CT,L{lesion + 1},"
                f"T{1 + lesion},lytic,{long_mm:.1f},{short_mm:.1f}"
            )
    path.write_text("\n".join([*lines, *(line for its in rows for line in its)]) + "\n", encoding="utf-8")


def run(command: Sequence[str]) -> Measured:
    """Wall time of a command, and the most memory that it and its children held together."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = [0.0]

    def watch() -> None:
        while process.poll() is None:
            peak[0] = max(peak[0], _held_mb(process.pid))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    watcher.join()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return Measured(seconds, peak[0])


def _held_mb(root: int) -> float:
    """Resident memory of a process and its descendants (Linux; 0 elsewhere), shared pages counted in each."""
    try:
        parents = {int(one.name): _status(one) for one in Path("/proc").iterdir() if one.name.isdigit()}
    except OSError:
        return 0.0
    family = {root}
    for pid in sorted(parents):
        if parents[pid][0] in family:
            family.add(pid)
    return sum(parents[pid][1] for pid in family if pid in parents) / 1024


def _status(process: Path) -> tuple[int, int]:
    """Parent and resident kilobytes."""
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return 0, 0
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(known["PPid"]), int(known.get("VmRSS", "0 kB").split()[0])


def main(rows: int, seed: int, workers: int) -> None:
    program = [sys.executable, "-m", "mdanderson", "classify"]
    print(f"{rows} lesion rows, {workers} workers, seed {seed}")
    print(f"{'':24}{'seconds':>9}{'rows/s':>9}{'peak MB':>9}{'pandas floor':>14}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for lesions, name in SHAPES:
            table = Path(folder) / f"measurements_{lesions}.csv"
            write_table(table, patients=rows // (VISITS * lesions), lesions=lesions, seed=seed)
            floor = run([sys.executable, "-c", FLOOR, str(table), str(Path(folder) / "floor.csv")])
            ours = run([*program, str(table), "-o", str(Path(folder) / f"out_{lesions}"), "--workers", str(workers)])
            print(
                f"{name:24}{ours.seconds:9.1f}{rows / ours.seconds:9.0f}{ours.peak_mb:9.0f}"
                f"{floor.seconds:12.1f} s{ours.seconds / floor.seconds:7.1f} x"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    main(asked.rows, asked.seed, asked.workers)
