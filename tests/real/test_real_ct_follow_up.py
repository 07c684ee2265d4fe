"""Real CT, synthetic lesion: a whole cohort from files on disk to result tables, through the command line.

Two real vertebrae; at every follow-up the body has turned by 2 to 5 degrees and moved by up to 10 mm, the grid is
another one and the noise is new, so that nothing is found by copying voxels. This is no patient's follow-up.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from mdanderson.phantoms.render import LesionTruth, Phantom
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.phantoms.write import write_ct_series, write_dicom_seg, write_label_map, write_nifti

pytestmark = [pytest.mark.real, pytest.mark.slow]

WITHIN_MM = 1.0
"""How near its truth an axis must be measured; planes are up to 2 mm apart."""
WITHIN_HU = 40.0
"""How near the labelled bone's own density the reference bone must lie."""
TABLES = ("lesions.csv", "responses.csv", "patients.csv", "problems.csv")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A lesion as one scan shows it: at the first or second place, with its greatest diameter."""

    place: int
    size_mm: float
    more: Mapping[str, Any]

    def spec(self, body, label: int) -> LesionSpec:
        half = self.size_mm / 2
        return LesionSpec(
            label=label,
            centre_mm=body.places_mm[self.place],
            semi_axes_mm=(half, half * 0.9, half * 0.85),
            rotation_deg=(10.0, -15.0, 25.0),  # as no lesion lies along a grid
            core_hu=body.core_hu,
            **self.more,
        )


def first(size_mm: float, **more: Any) -> Sight:
    return Sight(place=0, size_mm=size_mm, more=MappingProxyType(more))


def second(size_mm: float, **more: Any) -> Sight:
    return Sight(place=1, size_mm=size_mm, more=MappingProxyType(more))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One patient of two visits, and what must come out at the second.

    lesions: by lesion, its status, category and the rule that decides. in_place: the follow-up is the untouched real
    image, in its own file. dicom, seg: which of the two visits are a DICOM series, and have a DICOM SEG as mask.
    """

    name: str
    baseline: Sequence[Sight]
    later: Sequence[Sight]
    category: str
    rules: str
    lesions: Mapping[str, tuple[str, str, str]]
    hosts: tuple[str, ...] = ("T12", "L3")
    in_place: bool = False
    dicom: tuple[bool, bool] = (False, False)
    seg: tuple[bool, bool] = (False, False)


RIM = {"rim_thickness_mm": 2.5}
CASES = (
    Case(
        name="shrinkage",
        baseline=[first(15), second(12)],
        later=[first(6), second(5.5)],
        hosts=("L3",),
        category="PR",
        rules="PR3",
        lesions={"L01": ("followed", "PR", "PR3"), "L02": ("followed", "PR", "PR3")},
        dicom=(True, False),
        seg=(True, False),
    ),
    Case(
        name="growth",
        baseline=[first(11), second(10.5)],
        later=[first(15.5), second(14.5)],
        category="PD",
        rules="PD1",
        lesions={"L01": ("followed", "PD", "PD1"), "L02": ("followed", "PD", "PD1")},
        dicom=(True, True),
        seg=(False, True),
    ),
    Case(
        name="new-lesion",
        baseline=[first(13)],
        later=[first(13), second(12)],
        hosts=("T12",),
        category="PD",
        rules="PD4",
        lesions={"L01": ("followed", "SD", "SD2"), "L02": ("new", "PD", "PD4")},
        dicom=(True, False),
    ),
    Case(
        name="filled-in",
        baseline=[first(14), second(11)],
        later=[first(14, fill_fraction=1.0), second(11, fill_fraction=1.0)],
        category="CR",
        rules="CR1",
        lesions={"L01": ("followed", "CR", "CR1"), "L02": ("followed", "CR", "CR1")},
        hosts=("T12",),
    ),
    Case(
        name="filled-in-not-drawn",
        baseline=[first(14), second(11)],
        later=[first(14, fill_fraction=1.0, drawn=False), second(11, fill_fraction=1.0, drawn=False)],
        category="CR",
        rules="CR1",
        lesions={"L01": ("resolved", "CR", "CR1"), "L02": ("resolved", "CR", "CR1")},
        hosts=("L3",),
        dicom=(False, True),
    ),
    Case(
        name="density-normal",
        baseline=[first(14)],
        later=[],
        category="CR",
        rules="CR2",
        lesions={"L01": ("resolved", "CR", "CR2")},
        in_place=True,
    ),
    Case(
        name="rim-not-drawn",
        baseline=[first(13)],
        later=[first(13, **RIM)],
        hosts=("L3",),
        category="PR",
        rules="PR1",
        lesions={"L01": ("followed", "PR", "PR1")},
    ),
    Case(
        name="rim-drawn",
        baseline=[first(13)],
        later=[first(13, **RIM, rim_drawn=True)],
        hosts=("T12",),
        category="PR",
        rules="PR1",
        lesions={"L01": ("followed", "PR", "PR1")},
        dicom=(True, True),
    ),
    Case(
        name="still-there-not-drawn",
        baseline=[first(14), second(11)],
        later=[first(14), second(11, drawn=False)],
        category="NE",
        rules="",
        lesions={"L01": ("followed", "SD", "SD2"), "L02": ("missing", "NE", "")},
    ),
    Case(
        name="unchanged",
        baseline=[first(14), second(11)],
        later=[second(11), first(14)],  # the labels have changed places
        category="SD",
        rules="SD2;SD4",
        lesions={"L01": ("followed", "SD", "SD2"), "L02": ("followed", "SD", "SD2")},
    ),
)
PATIENTS = [
    pytest.param(f"{host}-{case.name}", case, id=f"{host}-{case.name}") for case in CASES for host in case.hosts
]
DAYS = {"baseline": dt.date(2022, 9, 15), "later": dt.date(2022, 12, 8)}
"""The second is the day of the real DICOM series."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One drawn lesion of one image, and the place it lies at."""

    place: int
    lesion: LesionTruth


@dataclass(kw_only=True)
class Scored:
    """What the program made of the cohort: its runs, their result folders, and the truth by patient and visit."""

    runs: Mapping[str, subprocess.CompletedProcess[str]]
    folders: Mapping[str, Path]
    truths: Mapping[tuple[str, str], Mapping[str, Truth]]

    @cached_property
    def lesions(self) -> list[dict[str, str]]:
        return table(self.folders["one"], "lesions.csv")

    def lesion(self, patient: str, lesion_id: str, visit: str = "later") -> dict[str, str]:
        return next(
            row
            for row in self.lesions
            if (row["patient_id"], row["lesion_id"], row["visit"]) == (patient, lesion_id, visit)
        )

    def response(self, patient: str) -> dict[str, str]:
        return next(
            row
            for row in table(self.folders["one"], "responses.csv")
            if (row["patient_id"], row["visit"], row["scope"]) == (patient, "later", "overall")
        )


@pytest.fixture(scope="module")
def bodies(t12_body, l3_body):
    return {"T12": t12_body, "L3": l3_body}


@pytest.fixture(scope="module")
def scored(bodies, tmp_path_factory) -> Scored:
    """The cohort written to disk and scored twice at the same time, by one worker and by two."""
    folder = tmp_path_factory.mktemp("real_ct_synthetic_lesions")
    writer = Writer(folder=folder / "cohort")
    for name, body in bodies.items():
        for number, case in enumerate(CASES):
            if name in case.hosts:
                writer.add(f"{name}-{case.name}", case, body, number)
    manifest = writer.write()
    folders = {"one": folder / "one", "two": folder / "two"}
    one = started(manifest, folders["one"])
    two = started(manifest, folders["two"], "--workers", "2")
    return Scored(runs={"one": ended(one), "two": ended(two)}, folders=folders, truths=writer.truths)


@dataclass(kw_only=True)
class Writer:
    """Puts a cohort on disk."""

    folder: Path
    rows: list[str] = field(default_factory=lambda: ["patient_id,visit,date,modality,image,mask"])
    truths: dict[tuple[str, str], dict[str, Truth]] = field(default_factory=dict)

    def add(self, patient: str, case: Case, body, number: int) -> None:
        """Two visits: the body's own voxels first, or moved where the second visit is the untouched image."""
        self._visit(patient, "baseline", case, body, turn=number if case.in_place else None, seed=2 * number)
        if case.in_place:
            self.row(patient, "later", DAYS["later"], body.image, None)
        else:
            self._visit(patient, "later", case, body, turn=number, seed=2 * number + 1)

    def row(self, patient: str, visit: str, day: object, image: Path, mask: Path | None) -> None:
        self.rows.append(f"{patient},{visit},{day},CT,{image},{mask or ''}")

    def write(self) -> Path:
        manifest = self.folder / "cohort.csv"
        manifest.write_text("\n".join(self.rows) + "\n")
        return manifest

    def _visit(self, patient: str, visit: str, case: Case, body, *, turn: int | None, seed: int) -> None:
        second_visit = visit == "later"
        sights = case.later if second_visit else case.baseline
        drawn_first = sorted(sights, key=lambda sight: not sight.more.get("drawn", True))
        specs = tuple(sight.spec(body, label) for label, sight in enumerate(drawn_first, start=1))
        seen = body.image_again(specs, turn=turn, seed=seed)
        self.truths[patient, visit] = {
            str(truth.label): Truth(place=sight.place, lesion=truth)
            for sight, truth in zip(drawn_first, seen.truths, strict=True)
            if truth.drawn
        }
        image, mask = write_visit(
            self.folder / patient, visit, seen, dicom=case.dicom[second_visit], seg=case.seg[second_visit]
        )
        here = self.folder
        self.row(patient, visit, DAYS[visit], image.relative_to(here), mask and mask.relative_to(here))


def write_visit(folder: Path, visit: str, seen: Phantom, *, dicom: bool, seg: bool) -> tuple[Path, Path | None]:
    """Image and mask of one visit; no mask where nothing was drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    seed = f"{folder.name} {visit}"
    files: Sequence[Path] = ()
    if dicom:
        image = folder / visit
        files = write_ct_series(seen.volume, image, patient_id=folder.name, study_date=DAYS[visit], seed=seed)
    else:
        image = write_nifti(seen.volume, folder / f"{visit}.nii.gz")
    if not len(seen.mask):
        return image, None
    if seg:
        return image, write_dicom_seg(seen.mask, files, folder / f"{visit}_seg.dcm", seed=seed)
    return image, write_label_map(seen.mask, folder / f"{visit}_mask.nii.gz")


def started(manifest: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """Run the program as a user does."""
    command = [sys.executable, "-m", "mdanderson", "score", str(manifest), "-o", str(out), "--no-report", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    output, errors = process.communicate(timeout=280)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def table(out: Path, name: str) -> list[dict[str, str]]:
    with (out / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_patient_is_scored(scored):
    run = scored.runs["one"]
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert {row["patient_id"] for row in table(scored.folders["one"], "patients.csv")} == {
        param.values[0] for param in PATIENTS
    }
    assert [row for row in table(scored.folders["one"], "problems.csv") if row["severity"] == "error"] == []


@pytest.mark.parametrize("name", TABLES)
def test_two_workers_give_the_same_bytes(scored, name):
    assert scored.runs["two"].returncode == 0
    assert (scored.folders["two"] / name).read_bytes() == (scored.folders["one"] / name).read_bytes()


@pytest.mark.parametrize(("patient", "case"), PATIENTS)
def test_category_and_rules_of_the_patient(scored, patient, case):
    response = scored.response(patient)
    assert (response["category"], response["rules"]) == (case.category, case.rules), response["reason"]


@pytest.mark.parametrize(("patient", "case"), PATIENTS)
def test_status_category_and_rule_of_every_lesion(scored, patient, case):
    found = {row["lesion_id"]: row for row in scored.lesions if (row["patient_id"], row["visit"]) == (patient, "later")}
    assert set(found) == set(case.lesions)
    for lesion_id, (status, category, rule) in case.lesions.items():
        row = found[lesion_id]
        assert (row["status"], row["category"]) == (status, category), row["reason"]
        assert rule in row["rules"].split(";"), row["reason"]


@pytest.mark.parametrize(("patient", "case"), PATIENTS)
def test_a_lesion_is_itself_wherever_it_went_and_however_it_is_labelled(scored, patient, case):
    for visit in DAYS:
        for label, truth in scored.truths.get((patient, visit), {}).items():
            row = scored.lesion(patient, f"L{truth.place + 1:02d}", visit)
            assert row["label"] == label
            place = tuple(float(row[axis]) for axis in ("x_mm", "y_mm", "z_mm"))
            assert place == pytest.approx(truth.lesion.centre_lps_mm, abs=WITHIN_MM)


@pytest.mark.parametrize("patient", [one.id for one in PATIENTS])
def test_both_axes_of_every_drawn_lesion(scored, patient):
    for visit in DAYS:
        for truth in scored.truths.get((patient, visit), {}).values():
            row = scored.lesion(patient, f"L{truth.place + 1:02d}", visit)
            axes = [float(row[axis]) for axis in ("long_axis_mm", "short_axis_mm")]
            known = [truth.lesion.long_axis_mm, truth.lesion.short_axis_mm]
            assert axes == pytest.approx(known, abs=WITHIN_MM), (visit, row["lesion_id"])


def test_the_outline_with_a_drawn_rim_is_kept_beside_the_core(scored):
    patient = "T12-rim-drawn"
    truth = scored.truths[patient, "later"]["1"].lesion
    outline = float(scored.lesion(patient, "L01")["outline_size_mm"])
    assert outline == pytest.approx(truth.outline_long_axis_mm + truth.outline_short_axis_mm, abs=2 * WITHIN_MM)


@pytest.mark.parametrize(("patient", "case"), PATIENTS)
def test_the_reference_is_the_bone_of_the_vertebra(scored, bodies, patient, case):
    bone = bodies[patient.split("-")[0]].trabecular_hu
    for row in scored.lesions:
        if row["patient_id"] == patient:
            assert float(row["reference_hu"]) == pytest.approx(bone, abs=WITHIN_HU), (row["visit"], row["lesion_id"])


@pytest.mark.parametrize(("patient", "case"), PATIENTS)
def test_every_lesion_is_lytic_when_first_seen(scored, patient, case):
    firsts = [row for row in scored.lesions if row["patient_id"] == patient and row["status"] in {"baseline", "new"}]
    assert len(firsts) == len(case.lesions)
    assert {row["lesion_type"] for row in firsts} == {"lytic"}


def test_a_rim_that_was_not_there_is_seen_and_none_is_invented(scored):
    for row in scored.lesions:
        rimmed = "-rim-" in row["patient_id"] and row["visit"] == "later"
        if row["status"] in {"baseline", "followed", "new"}:
            assert (float(row["rim_fraction"]) >= 0.5) is rimmed, (row["patient_id"], row["visit"])


def test_what_is_visible_but_not_drawn_is_a_problem_row(scored):
    rows = [row for row in table(scored.folders["one"], "problems.csv") if "not segmented" in row["what"]]
    assert [row["patient_id"] for row in rows] == ["L3-still-there-not-drawn", "T12-still-there-not-drawn"]
    assert all(row["how_to_fix"] for row in rows)


BROKEN = {
    "missing-file": "gone.nii.gz",
    "cut-slice": "IM0021.dcm",
    "other-space": "of_t12.nii.gz",
    "text-file": "notes.nii.gz",
    "bad-date": "cohort.csv",
}
"""The broken follow-ups of a second cohort, by patient: what the problem row must name."""


@pytest.fixture(scope="module")
def broken(bodies, tmp_path_factory):
    """One good patient and one of each kind of broken input; the run and its results."""
    folder = tmp_path_factory.mktemp("broken")
    writer = Writer(folder=folder)
    writer.add("good", CASES[0], bodies["L3"], 0)
    seen = bodies["L3"].image_again((first(6).spec(bodies["L3"], 1),), turn=0, seed=1)
    image, mask = write_visit(folder / "parts", "later", seen, dicom=False, seg=False)
    elsewhere = bodies["T12"].image_again((first(6).spec(bodies["T12"], 1),), turn=None, seed=1).mask
    good = [row.split(",")[4:] for row in writer.rows[1:]]
    for patient in BROKEN:
        home = folder / patient
        shutil.copytree(folder / good[0][0], home / "baseline")
        baseline_mask = shutil.copy(folder / good[0][1], home / "baseline_seg.dcm")
        writer.row(patient, "baseline", DAYS["baseline"], home / "baseline", Path(baseline_mask))
        later = home / image.name
        if patient != "missing-file":
            shutil.copy(image, later)
        own_mask = Path(shutil.copy(mask, home / "later_mask.nii.gz"))
        day: object = DAYS["later"]
        if patient == "missing-file":
            later = home / "gone.nii.gz"
        elif patient == "cut-slice":
            later, _ = write_visit(home, "later", seen, dicom=True, seg=False)
            cut = sorted(later.iterdir())[20]
            cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
        elif patient == "other-space":
            own_mask = write_label_map(elsewhere, home / "of_t12.nii.gz")
        elif patient == "text-file":
            later = home / "notes.nii.gz"
            later.write_text("the image will follow by post\n")
        else:
            day = "8.12.2022"
        writer.row(patient, "later", day, later, own_mask)
    return ended(started(writer.write(), folder / "out")), folder / "out"


def test_some_failed_is_exit_code_one_and_never_a_traceback(broken):
    run, _ = broken
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    for patient, named in BROKEN.items():
        (line,) = [line for line in run.stderr.splitlines() if line.startswith(f"mdanderson: {patient}: ")]
        assert named in line
        assert re.search(" @ .+; .+", line)


@pytest.mark.parametrize(("patient", "named"), BROKEN.items())
def test_a_broken_input_is_one_problem_row_with_a_way_out(broken, patient, named):
    rows = [row for row in table(broken[1], "problems.csv") if row["patient_id"] == patient]
    assert [row["severity"] for row in rows] == ["error"], rows
    assert named in rows[0]["where"] + rows[0]["what"]
    assert rows[0]["how_to_fix"]


def test_the_good_patient_is_scored_beside_the_broken_ones(broken):
    categories = {
        row["patient_id"]: row["category"]
        for row in table(broken[1], "responses.csv")
        if (row["visit"], row["scope"]) == ("later", "overall")
    }
    assert categories["good"] == "PR"
    assert {categories[patient] for patient in BROKEN if patient in categories} <= {"NE"}
