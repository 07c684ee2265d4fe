"""The cohort of all faults beside one good patient, checked and scored once in a process of bounded memory."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from safety import faults, samples

MEMORY = 2 * 2**30
"""Bytes of address space: the libraries alone take 0.8 GB, hardly any of it in memory."""
SECONDS = 240
LIMITED = f"import resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}));"
MAIN = LIMITED + "from mdanderson.cli import main; sys.exit(main(sys.argv[1:]))"
COLUMNS = ("patient_id", "image", "mask", "date", "modality")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What a command left. problems: rows of problems.csv by patient."""

    code: int
    stdout: str
    stderr: str
    out: Path

    @property
    def problems(self) -> dict[str, list[dict[str, str]]]:
        rows: dict[str, list[dict[str, str]]] = {}
        with (self.out / "problems.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows.setdefault(row["patient_id"], []).append(row)
        return rows

    @property
    def measured(self) -> set[str]:
        """The patients with a lesion."""
        with (self.out / "lesions.csv").open(newline="", encoding="utf-8") as file:
            return {row["patient_id"] for row in csv.DictReader(file)}


def run(*arguments: str, out: Path, code: str = MAIN) -> Ran:
    """The command line in a process of its own, with little memory and little time."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        timeout=SECONDS,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
        check=False,
    )
    return Ran(code=done.returncode, stdout=done.stdout.decode(), stderr=done.stderr.decode(), out=out)


def write_manifest(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_good(folder: Path) -> dict[str, str]:
    """The files and the row of a patient without fault."""
    samples.write(folder / "good.nii.gz", samples.gz(samples.nifti_bytes()))
    samples.write(folder / "good_mask.nii.gz", samples.gz(samples.nifti_bytes(samples.lesion().astype("u1"))))
    cells = ("good", "good.nii.gz", "good_mask.nii.gz", "2024-01-05", "CT")
    return dict(zip(COLUMNS, cells, strict=True))


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest; a patient is called like its fault."""
    folder = tmp_path_factory.mktemp("faults")
    rows = [write_good(folder)]
    for number, (name, fault) in enumerate(faults.FAULTS.items()):
        own = folder / f"{number:03d}"
        own.mkdir()
        cells = fault.build(own)
        told = "" if cells["image"] == "series" or cells["image"].endswith(".dcm") else "CT"
        paths = {column: f"{own.name}/{cells[column]}" for column in ("image", "mask") if column in cells}
        rows.append({"patient_id": name, "date": "2024-01-05", "modality": told} | paths)
    return write_manifest(folder / "cohort.csv", rows)


@pytest.fixture(scope="session")
def checked(cohort: Path) -> Ran:
    return run("check", str(cohort), out=cohort.parent)


@pytest.fixture(scope="session")
def scored(cohort: Path) -> Ran:
    out = cohort.parent / "results"
    return run("score", str(cohort), "-o", str(out), out=out)


@pytest.fixture(scope="session")
def safety() -> object:
    """The helpers of this folder: `run`, `write_good`, `write_manifest`, `COLUMNS`."""
    return sys.modules[__name__]
