"""A scored cohort with a report, and a real browser to open it in."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import lacking

from mdanderson.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType

DEMO = Path(__file__).parents[2] / "segmentations"
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
EVIL = "P<script>window.ran=1</script><img src=x onerror=window.ran=2>"
"""The name of a patient."""
EVIL_COMMENT = "\"'></td><script>window.ran=3</script><svg onload=window.ran=4>"
CRITERIA = ("--criteria", "mda2010,recist11")
PATIENTS = {"CT": EVIL, "NM": "NM-1"}


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT patient with a name, a site and a reader's comment that try to run, a bone scan, and one that fails."""
    folder = tmp_path_factory.mktemp("browser")
    with (DEMO / "cohort.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["patient_id"] in {"DEMO-PD-NEW", "DEMO-NM-CR4"}]
    for row in rows:
        row["patient_id"] = PATIENTS[row["modality"]]
        row["image"], row["mask"] = (str(DEMO / row[name]) if row[name] else "" for name in ("image", "mask"))
    rows.append(dict.fromkeys(rows[0], "") | {"patient_id": "Z-lost", "image": "gone.nii", "date": "2024-01-01"})
    write(folder / "cohort.csv", rows)
    stated = {"patient_id": EVIL, "date": "2024-07-20", "modality": "CT", "label": "1", "site": EVIL_COMMENT}
    write(folder / "reads.csv", [stated | {"reader": EVIL_COMMENT, "comment": EVIL_COMMENT}])
    happened = [("2024-03-02", "therapy_start"), ("2024-05-02", "radiotherapy"), ("2024-06-01", "therapy_stop")]
    write(folder / "events.csv", [{"patient_id": EVIL, "date": date, "event": event} for date, event in happened])
    out = folder / "out"
    wanted = ["--timeout", "0", "--viewer", *CRITERIA]
    assert main(["score", str(folder / "cohort.csv"), "-o", str(out), "-q", *wanted]) == 1
    return out


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserType]:
    """What starts a browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("playwright (the test extra has it)")
    if not CHROMIUM:
        lacking("chromium: no browser to open the report in")
    with sync_playwright() as started:
        yield started.chromium


@pytest.fixture(scope="session")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    """Chromium without a window; volumes are drawn by the processor where there is no graphics card."""
    drawing = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    opened = chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *drawing])
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def browser_without_webgl(chromium: BrowserType) -> Iterator[Browser]:
    """The same where volumes cannot be drawn."""
    opened = chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-3d-apis"])
    yield opened
    opened.close()
