"""What pictures and pages cost: `python benchmarks/report.py [patients]`; processor seconds, paired in one run.

Pictures and crops: the demo cohort assessed with and without. Pages: the results of the demo cohort under other names,
as many as asked for (300), with and without the viewer.
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
from mdanderson.crops import crops_to_json
from mdanderson.pictures import pictures_to_json
from mdanderson.readers.manifest import read_cohort

DEMO = Path(__file__).parents[1] / "segmentations" / "cohort.csv"


def pictures() -> None:
    cohort = read_cohort(DEMO)
    spent = dict.fromkeys(("plain", "pictures", "pictures and crops"), 0.0)
    sizes = {"pictures": 0, "crops": 0}
    counts = dict(sizes)
    for patient in cohort:
        for wanted in (*spent, *reversed(spent)):
            shown, kept = [], []
            takes = {"show": shown.append if wanted != "plain" else None}
            began = time.process_time()
            assess(patient, **takes, keep=kept.append if wanted == "pictures and crops" else None)
            spent[wanted] += time.process_time() - began
            if kept or (shown and wanted == "pictures and crops"):
                last = shown, kept
        sizes["pictures"] += len(pictures_to_json("", last[0]))
        sizes["crops"] += len(crops_to_json("", last[1]))
        counts["pictures"] += len(last[0])
        counts["crops"] += len(last[1])
    for name, size in sizes.items():
        print(f"{counts[name]} {name} of {len(cohort)} patients: {size / 1e6:.2f} MB", flush=True)
    for name in ("pictures", "pictures and crops"):
        print(f"{name}: {spent[name] / spent['plain'] - 1:+.1%} of the time to score", flush=True)


def pages(patients: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        score(DEMO, out, workers=2, report=True, viewer=True, criteria=("mda2010", "recist11"))
        timed(out, "the demo cohort", viewer=False)
        timed(out, "the demo cohort", viewer=True)
        multiply(out, patients)
        timed(out, f"{patients} patients", viewer=False)
        timed(out, f"{patients} patients", viewer=True)


def timed(out: Path, what: str, *, viewer: bool) -> None:
    shutil.rmtree(out / "report")
    began, clock = time.process_time(), time.perf_counter()
    report(out, viewer=viewer)
    spent, passed = time.process_time() - began, time.perf_counter() - clock
    sizes = [path.stat().st_size / 1e3 for path in (out / "report" / "patients").iterdir()]
    index = (out / "report" / "index.html").stat().st_size / 1e3
    print(
        f"pages: {what}, {'with' if viewer else 'without'} viewer: {spent:.1f} s of processor time, {passed:.1f} s; "
        f"index {index:.0f} kB, "
        f"patients {sum(sizes) / len(sizes):.0f} kB (largest {max(sizes):.0f} kB)"
    )


def multiply(out: Path, patients: int) -> None:
    """The results under as many names as asked for."""
    store = Store(folder=out / ".patients")
    stored = [store.read(name) for name in Results.from_folder(out).scored]
    taken = [(store.pictures(one), store.crops(one)) for one in stored]
    names = {f"P{number:04d}": number % len(stored) for number in range(patients)}
    tables = {path: list(csv.reader(path.open(encoding="utf-8", newline=""))) for path in out.glob("*.csv")}
    for name, number in names.items():
        one = stored[number]
        rows = {table: tuple(renamed(row, one.patient_id, name) for row in its) for table, its in one.tables.items()}
        shown, kept = taken[number]
        store.write(replace(one, patient_id=name, tables=rows, pictures=shown, crops=kept))
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
