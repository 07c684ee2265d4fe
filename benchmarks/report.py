"""What pictures and pages cost: `python benchmarks/report.py [patients]`; processor seconds, paired in one run.

Pictures: the demo cohort assessed with and without. Pages: the results of the demo cohort under other names, as many as
asked for (300).
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from mdanderson.assessment import assess
from mdanderson.batch import Results, score
from mdanderson.batch.pages import report
from mdanderson.batch.store import Store
from mdanderson.pictures import pictures_to_json
from mdanderson.readers.manifest import read_cohort

DEMO = Path(__file__).parents[1] / "segmentations" / "cohort.csv"


def pictures() -> None:
    cohort = read_cohort(DEMO)
    plain = shown = 0.0
    size = count = 0
    for patient in cohort:
        taken = []
        for wanted in (False, True, True, False):
            taken = []
            began = time.process_time()
            assess(patient, show=taken.append if wanted else None)
            spent = time.process_time() - began
            plain, shown = (plain, shown + spent) if wanted else (plain + spent, shown)
            if taken:
                kept = taken
        size += len(pictures_to_json("", kept))
        count += len(kept)
    share = shown / plain - 1
    print(
        f"{count} pictures of {len(cohort)} patients: {size / 1e6:.2f} MB; {share:+.1%} of the time to score",
        flush=True,
    )


def pages(patients: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        score(DEMO, out, workers=2, report=True, criteria=("mda2010", "recist11"))
        timed(out, "the demo cohort")
        multiply(out, patients)
        timed(out, f"{patients} patients")


def timed(out: Path, what: str) -> None:
    shutil.rmtree(out / "report")
    began, clock = time.process_time(), time.perf_counter()
    report(out)
    spent, passed = time.process_time() - began, time.perf_counter() - clock
    sizes = [path.stat().st_size / 1e3 for path in (out / "report" / "patients").iterdir()]
    index = (out / "report" / "index.html").stat().st_size / 1e3
    print(
        f"pages: {what}: {spent:.1f} s of processor time, {passed:.1f} s; index {index:.0f} kB, "
        f"patients {sum(sizes) / len(sizes):.0f} kB (largest {max(sizes):.0f} kB)"
    )


def multiply(out: Path, patients: int) -> None:
    """The results under as many names as asked for."""
    store = Store(folder=out / ".patients")
    stored = [store.read(name) for name in Results.from_folder(out).scored]
    pictures = [store.pictures(one) for one in stored]
    names = {f"P{number:04d}": number % len(stored) for number in range(patients)}
    tables = {path: list(csv.reader(path.open(encoding="utf-8", newline=""))) for path in out.glob("*.csv")}
    for name, number in names.items():
        one = stored[number]
        rows = {table: tuple(renamed(row, one.patient_id, name) for row in its) for table, its in one.tables.items()}
        store.write(replace(one, patient_id=name, tables=rows, pictures=pictures[number]))
    for path, (header, *rows) in tables.items():
        if "patient_id" not in header:
            continue
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for name, number in names.items():
                old = stored[number].patient_id
                writer.writerows(renamed(row, old, name) for row in rows if old in row)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    record["patients"] = {name: {"failure": ""} for name in names}
    (out / "run.json").write_text(json.dumps(record), encoding="utf-8")


def renamed(row: tuple[str, ...] | list[str], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if cell == old else cell for cell in row)


if __name__ == "__main__":
    pictures()
    pages(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
