"""The embedded demo cohort: what is stored is what the code writes, and the program finds what was built into it."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

import mdanderson as mda
from mdanderson.errors import OutputError
from mdanderson.phantoms import demo, write_demo
from mdanderson.phantoms.cases import CASES
from mdanderson.readers import read_volume
from mdanderson.readers.manifest import read_cohort
from mdanderson.readers.masks import read_mask
from mdanderson.vocabulary import Modality

STORED = Path(__file__).parents[1] / "segmentations"
TABLES = ("cohort.csv", "patients.csv", "truth.csv", "truth_lesions.csv")
AXIS_TOLERANCE_MM = 1.0

pytestmark = pytest.mark.slow


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def files(folder: Path) -> dict[str, Path]:
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file() and p.name != "README.md"}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "cohort"
    assert write_demo(folder) == folder / "cohort.csv"
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return mda.score(STORED / "cohort.csv", out=tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def overall(results) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["patient_id"], row["visit"]): dict(row) for row in results.overall()}


@pytest.fixture(scope="module")
def found(results) -> dict[tuple[str, str, str], dict[str, str]]:
    """Rows of lesions.csv by patient, visit and the lesion's name in the truth.

    A truth's lesion is tied to a `lesion_id` once, by its label where it was first segmented: that the same id stands
    at the later visits, where labels are others, is left for the tests to see.
    """
    rows = table(results.out / "lesions.csv")
    ids: dict[tuple[str, str], str] = {}
    for truth in table(STORED / "truth_lesions.csv"):
        patient, visit, name = truth["patient_id"], truth["visit"], truth["lesion"]
        for row in rows:
            if (row["patient_id"], row["visit"], row["label"]) == (patient, visit, truth["label"]) and row["label"]:
                ids.setdefault((patient, name), row["lesion_id"])
    names = {(patient, lesion_id): name for (patient, name), lesion_id in ids.items()}
    return {(r["patient_id"], r["visit"], names[r["patient_id"], r["lesion_id"]]): r for r in rows}


TRUTHS = table(STORED / "truth.csv")
LESIONS = table(STORED / "truth_lesions.csv")
_MEASURED = [row for row in LESIONS if row["label"]]


def name_of(row: dict[str, str]) -> str:
    return "-".join(filter(None, (row["patient_id"], row["visit"], row.get("lesion"))))


# What is stored


def test_the_same_files_are_written_as_are_stored(written):
    assert files(written).keys() == files(STORED).keys()


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_written_byte_for_byte(written, name):
    assert (written / name).read_bytes() == (STORED / name).read_bytes()


@pytest.mark.parametrize("patient_id", [case.patient_id for case in CASES])
def test_images_and_masks_are_written_as_stored(written, patient_id):
    ours, stored = (read_cohort(folder / "cohort.csv")[patient_id].images for folder in (written, STORED))
    for one, other in zip(ours, stored, strict=True):
        image, expected = (read_volume(e.image, modality=Modality.CT, date=e.date) for e in (one, other))
        np.testing.assert_allclose(image.geometry.affine, expected.geometry.affine, atol=1e-5)
        assert np.abs(image.array.astype(int) - expected.array.astype(int)).max() <= 1
        assert (one.mask is None) == (other.mask is None)
        if one.mask is not None and other.mask is not None:
            labels = [read_mask(e.mask, like=v).to_label_map() for e, v in ((one, image), (other, expected))]
            np.testing.assert_array_equal(*labels)


def test_the_stored_cohort_is_small():
    assert sum(path.stat().st_size for path in STORED.rglob("*")) < 8_000_000


def test_two_writings_are_identical(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "CASES", tuple(c for c in CASES if c.patient_id in ("DEMO-CR-NORMAL", "DEMO-DICOM")))
    for name in ("one", "two"):
        write_demo(tmp_path / name)
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one.keys() == two.keys()
    assert len(one) > 50
    assert [name for name in one if one[name].read_bytes() != two[name].read_bytes()] == []


def test_no_file_carries_the_day_it_was_written(written):
    today = f"{dt.datetime.now().astimezone():%Y%m%d}".encode()
    assert [path for path in written.rglob("*.dcm") if today in path.read_bytes()] == []
    assert {path.read_bytes()[4:8] for path in written.rglob("*.gz")} == {b"\0\0\0\0"}


def test_no_two_visits_share_a_grid():
    for patient in read_cohort(STORED / "cohort.csv"):
        grids = [read_volume(e.image, modality=Modality.CT, date=e.date).geometry for e in patient.images]
        assert len({(grid.shape, grid.affine.tobytes()) for grid in grids}) == len(grids)


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written") as error:
        write_demo(tmp_path / "file")
    assert error.value.way_out


# What it is for


def test_the_cohort_tells_every_category_apart():
    assert {row["category"] for row in TRUTHS} == {"BL", "CR", "PR", "SD", "PD", "NE"}
    assert {code for row in TRUTHS for code in row["rules"].split(";")} >= {"CR1", "CR2", "PR1", "PR3", "PD1", "PD4"}


def test_truths_stay_away_from_the_limits_of_size():
    """By the analytic axes, every PR3 is a fall of at least 55 %, every PD1 a rise of at least 40 %."""
    sums: dict[tuple[str, str], float] = {}
    at_baseline = {(row["patient_id"], row["lesion"]) for row in LESIONS if row["status"] == "baseline"}
    for row in LESIONS:
        if row["long_axis_mm"] and (row["patient_id"], row["lesion"]) in at_baseline:
            key = row["patient_id"], row["visit"]
            sums[key] = sums.get(key, 0.0) + float(row["long_axis_mm"]) + float(row["short_axis_mm"])
    checked = {"PR3": 0, "PD1": 0}
    for row in TRUTHS:
        patient, now = row["patient_id"], sums.get((row["patient_id"], row["visit"]), 0.0)
        earlier = [size for (who, visit), size in sums.items() if who == patient and visit < row["visit"]]
        if row["rules"] == "PR3":
            assert now / earlier[0] <= 0.45
        elif row["rules"] == "PD1":
            assert now / min(earlier) >= 1.40
        if row["rules"] in checked:
            checked[row["rules"]] += 1
    assert checked == {"PR3": 3, "PD1": 2}


# What the program makes of it


def test_every_patient_is_scored_and_only_the_hidden_lesion_is_a_problem(results):
    assert set(results.scored) == {case.patient_id for case in CASES}
    assert results.failed == {}
    problems = table(results.out / "problems.csv")
    assert [(row["patient_id"], row["what"]) for row in problems] == [
        ("DEMO-MISSING", "lesion visible but not segmented")
    ]


@pytest.mark.parametrize("truth", TRUTHS, ids=name_of)
def test_category_and_rules(overall, truth):
    row = overall[truth["patient_id"], truth["visit"]]
    assert (row["date"], row["category"], row["rules"]) == (truth["date"], truth["category"], truth["rules"])


@pytest.mark.parametrize("truth", LESIONS, ids=name_of)
def test_status_and_identity(found, truth):
    row = found[truth["patient_id"], truth["visit"], truth["lesion"]]
    assert (row["status"], row["label"]) == (truth["status"], truth["label"])


def test_there_are_no_other_lesions(found):
    assert found.keys() == {(row["patient_id"], row["visit"], row["lesion"]) for row in LESIONS}


@pytest.mark.parametrize("truth", _MEASURED, ids=name_of)
def test_axes_and_place(found, truth):
    row = found[truth["patient_id"], truth["visit"], truth["lesion"]]
    for axis in ("long_axis_mm", "short_axis_mm"):
        assert float(row[axis]) == pytest.approx(float(truth[axis]), abs=AXIS_TOLERANCE_MM)
    apart = [float(row[name]) - float(truth[name]) for name in ("x_mm", "y_mm", "z_mm")]
    assert np.linalg.norm(apart) < 0.5


@pytest.mark.parametrize("truth", [row for row in LESIONS if row["status"] in ("baseline", "new")], ids=name_of)
def test_type_as_first_seen(found, truth):
    assert found[truth["patient_id"], truth["visit"], truth["lesion"]]["lesion_type"] == truth["lesion_type"]


def test_axes_are_not_biased(found):
    """Over the whole cohort; each lesion alone has the sampling of its own slices in it."""
    off = [
        float(found[t["patient_id"], t["visit"], t["lesion"]][axis]) - float(t[axis])
        for t in _MEASURED
        for axis in ("long_axis_mm", "short_axis_mm")
    ]
    assert abs(np.mean(off)) < 0.25
    assert np.std(off) < 0.35
