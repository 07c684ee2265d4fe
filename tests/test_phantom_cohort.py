"""End to end: phantoms as the documentation's example asks for them, scored, against the truth written beside them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import mdanderson as mda
from mdanderson.phantoms import write_phantoms

EXAMPLE = Path(__file__).parents[1] / "docs" / "phantoms.toml"

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bodies_made_once")]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def scored(spec: Path, tmp_path: Path, *, reads: str = ""):
    """Rows of lesions.csv by patient, visit and label; the truth; the cohort's folder; problems."""
    manifest = write_phantoms(spec, tmp_path / "cohort")
    if reads:
        (manifest.parent / "reads.csv").write_text("\n".join(line.replace(" ", ",") for line in reads.splitlines()))
    results = mda.score(manifest, out=tmp_path / "results")
    assert results.failed == {}
    return results, table(tmp_path / "results" / "lesions.csv"), table(manifest.parent / "truth.csv")


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return scored(EXAMPLE, tmp_path_factory.mktemp("example"))


def test_categories_are_those_that_follow(example):
    results, _, _ = example
    found = {(row["patient_id"], row["visit"]): row["category"] for row in results.overall()}
    expected = table(results.out.parent / "cohort" / "truth_visits.csv")
    told = [row for row in expected if row["category"]]
    assert len(told) == 7
    assert {(row["patient_id"], row["visit"]): row["category"] for row in told}.items() <= found.items()


def test_every_lesion_has_its_status_type_and_size(example):
    _, rows, truth = example
    found = {(r["patient_id"], r["visit"], r["label"]): r for r in rows if r["label"]}
    measured = [t for t in truth if t["label"]]
    assert len(found) == len(measured) == 16
    for t in measured:
        row = found[t["patient_id"], t["visit"], t["label"]]
        assert row["status"] == t["status"]
        if t["status"] in ("baseline", "new"):
            assert row["lesion_type"] == t["lesion_type"]
        for axis in ("long_axis_mm", "short_axis_mm"):
            assert float(row[axis]) == pytest.approx(float(t[axis]), abs=1.3)
        assert float(row["volume_ml"]) == pytest.approx(float(t["volume_ml"]), rel=0.2)


def test_identities_follow_the_lesions(example):
    """One truth lesion has one lesion_id at all its visits, and no two share one."""
    _, rows, truth = example
    ids = {(r["patient_id"], r["visit"], r["label"]): r["lesion_id"] for r in rows if r["label"]}
    names: dict[tuple[str, str], set[str]] = {}
    for t in truth:
        if t["label"] and t["status"] != "merged":
            names.setdefault((t["patient_id"], t["lesion"]), set()).add(ids[t["patient_id"], t["visit"], t["label"]])
    assert all(len(found) == 1 for found in names.values())
    for patient in {patient for patient, _ in names}:
        given = [min(found) for (who, _), found in names.items() if who == patient]
        assert len(set(given)) == len(given)


def test_a_merge_names_its_parents(example):
    _, rows, _ = example
    merged = [r for r in rows if r["status"] == "merged"]
    assert [r["label"] != "" for r in merged] == [True, False]
    assert merged[0]["parents"] == merged[1]["parents"] == ";".join(r["lesion_id"] for r in merged)


# Who says so wins: two lesions change places, which no place could tell.

SWAP = """\
seed = 2
format = "{form}"
tracking = {tracking}
[host]
kind = "vertebrae"
[scan]
field_mm = [90.0, 84.0, 66.0]
noise_hu = 8.0
[[patient]]
id = "P"
[[patient.lesion]]
name = "A"
centre_mm = [10.0, -2.0, -16.0]
size_mm = [12.0, 11.0, 10.0]
[[patient.lesion]]
name = "B"
centre_mm = [-10.0, -2.0, -16.0]
size_mm = [12.0, 11.0, 10.0]
[[patient.visit]]
weeks = 0
[[patient.visit]]
weeks = 12
change = [{{ lesion = "A", move_mm = [-20.0, 0.0, 0.0] }}, {{ lesion = "B", move_mm = [20.0, 0.0, 0.0] }}]
"""


def swapped(tmp_path: Path, *, form: str, tracking: bool = True, by_name: bool = False):
    spec = tmp_path / "spec.toml"
    spec.write_text(SWAP.format(form=form, tracking=str(tracking).lower()))
    reads = ""
    if by_name:
        write_phantoms(spec, tmp_path / "first")
        lines = [f"P {r['date']} CT {r['label']} {r['lesion']}" for r in table(tmp_path / "first" / "truth.csv")]
        reads = "\n".join(["patient_id date modality label lesion_id", *lines])
    _, rows, truth = scored(spec, tmp_path, reads=reads)
    ids = {(r["visit"], r["label"]): r["lesion_id"] for r in rows}
    return [{t["lesion"]: ids[t["visit"], t["label"]] for t in truth if t["visit"] == v} for v in ("visit1", "visit2")]


def test_place_decides_where_nobody_says(tmp_path):
    first, later = swapped(tmp_path, form="dicom", tracking=False)
    assert later == {"A": first["B"], "B": first["A"]}


def test_tracking_uids_win_over_place(tmp_path):
    first, later = swapped(tmp_path, form="dicom")
    assert first == later


def test_a_readers_names_win_over_place(tmp_path):
    assert swapped(tmp_path, form="nifti", by_name=True) == [{"A": "A", "B": "B"}] * 2


def test_a_readers_names_win_over_tracking_uids(tmp_path):
    """The reader says what the SEG contradicts: the places' order, not the UIDs'."""
    spec = tmp_path / "spec.toml"
    spec.write_text(SWAP.format(form="dicom", tracking="true"))
    write_phantoms(spec, tmp_path / "first")
    other = {"A": "B", "B": "A"}
    lines = [
        f"P {r['date']} CT {r['label']} {r['lesion'] if r['visit'] == 'visit1' else other[r['lesion']]}"
        for r in table(tmp_path / "first" / "truth.csv")
    ]
    _, rows, truth = scored(spec, tmp_path, reads="\n".join(["patient_id date modality label lesion_id", *lines]))
    ids = {(r["visit"], r["label"]): r["lesion_id"] for r in rows}
    assert {t["lesion"]: ids["visit2", t["label"]] for t in truth if t["visit"] == "visit2"} == other


# What the edge of an image cuts


CUT = """\
seed = 4
[host]
kind = "vertebrae"
[scan]
field_mm = [90.0, 84.0, 70.0]
noise_hu = 8.0
[[patient]]
id = "P"
[[patient.lesion]]
name = "A"
centre_mm = [0.0, -1.0, -16.0]
size_mm = [16.0, 14.0, 14.0]
[[patient.lesion]]
name = "B"
centre_mm = [-2.0, 0.0, 16.0]
size_mm = [12.0, 11.0, 11.0]
[[patient.visit]]
weeks = 0
[[patient.visit]]
weeks = 12
scan = {{ centre_mm = [0.0, 0.0, {middle}], field_mm = [90.0, 84.0, 50.0] }}
"""


def test_a_lesion_that_grows_into_the_image_is_not_new(tmp_path):
    """At baseline it ends 1 mm below where the later image begins; grown, it reaches 2.5 mm into it."""
    spec = tmp_path / "spec.toml"
    spec.write_text(CUT.format(middle=17.0) + 'change = [{ lesion = "A", scale = 1.5 }]')
    results, rows, truth = scored(spec, tmp_path)
    assert next(t["label"] for t in truth if (t["visit"], t["lesion"]) == ("visit2", "A"))
    assert {row["status"] for row in rows if row["visit"] == "visit2"} <= {"followed", "not_evaluable"}
    assert len({row["lesion_id"] for row in rows}) == 2
    assert "PD4" not in {row["visit"]: row["rules"] for row in results.overall()}["visit2"]


@pytest.mark.parametrize("middle", [8.5, 11.0, 13.0])
def test_a_lesion_that_the_edge_cuts_is_still_itself(tmp_path, middle):
    """The later image begins 16.5, 14 or 12 mm below the middle: it shows half of A, a third, or a sliver of it."""
    spec = tmp_path / "spec.toml"
    spec.write_text(CUT.format(middle=middle))
    results, rows, _ = scored(spec, tmp_path)
    later = [row for row in rows if row["visit"] == "visit2"]
    assert {row["status"] for row in later} <= {"followed", "not_evaluable"}
    assert len(later) == 2
    assert {row["visit"]: row["category"] for row in results.overall()}["visit2"] != "PD"
