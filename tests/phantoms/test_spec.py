"""What a specification of phantoms may say, and what a user is told of one that cannot be used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from mdanderson.errors import SettingsError
from mdanderson.phantoms.course import course, type_of
from mdanderson.phantoms.expected import expected_category
from mdanderson.phantoms.spec import PhantomSpec
from mdanderson.phantoms.spec_faults import line_of

DOCS = Path(__file__).parents[2] / "docs"

SMALL = """\
seed = 3
[scan]
slice_mm = 3.0
[[patient]]
id = "P1"
[[patient.lesion]]
name = "A"
centre_mm = [0.0, 0.0, 0.0]
size_mm = [12.0, 10.0, 8.0]
[[patient.lesion]]
name = "B"
centre_mm = [15.0, 0.0, 0.0]
size_mm = [8.0, 8.0, 8.0]
[[patient.visit]]
weeks = 0
[[patient.visit]]
weeks = 12
"""

NEXT = "\n[[patient.visit]]\nweeks = 20\n"


def spec(text: str) -> PhantomSpec:
    return PhantomSpec.from_mapping(tomllib.loads(text))


def told(tmp_path: Path, text: str) -> SettingsError:
    path = tmp_path / "spec.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as error:
        PhantomSpec.from_toml(path)
    assert error.value.way_out
    return error.value


def test_what_is_left_out_has_its_default():
    one = spec(SMALL)
    assert (one.seed, one.format, one.host.kind, one.scan.slice_mm) == (3, "nifti", "bone", 3.0)
    assert one.patient[0].lesion[0].core_hu == 40.0


def test_a_visit_changes_the_scan_only_where_it_says_so():
    one = spec(SMALL + "scan = { noise_hu = 40.0, centre_mm = [0.5, 0.0, 0.0] }")
    first, later = (one.scan_of(visit) for visit in one.patient[0].visit)
    assert (first.noise_hu, first.slice_mm, later.noise_hu, later.slice_mm) == (15.0, 3.0, 40.0, 3.0)
    assert later.centre_mm == (0.5, 0.0, 0.0)


@pytest.mark.parametrize(
    ("old", "new", "what", "line"),
    [
        ("slice_mm = 3.0", "slise_mm = 3.0", "scan.slise_mm: unknown key", 3),
        ("slice_mm = 3.0", 'slice_mm = "3"', "scan.slice_mm: input should be a valid number, got '3'", 3),
        ("slice_mm = 3.0", "slice_mm = 0.0", "scan.slice_mm: input should be greater than 0, got 0.0", 3),
        ("slice_mm = 3.0", "slice_mm = nan", "scan.slice_mm: input should be a finite number, got nan", 3),
        ("seed = 3", "seed = true", "seed: input should be a valid integer, got True", 1),
        ('id = "P1"', 'id = "../P1"', "patient.1.id: should be letters, digits, _ . - only, got '../P1'", 5),
        ("[15.0, 0.0, 0.0]", "[15.0, 0.0]", "patient.1.lesion.2.centre_mm.3: is missing", 12),
        ("[15.0, 0.0, 0.0]", "15.0", "patient.1.lesion.2.centre_mm: should be a list", 12),
        ('name = "B"', 'name = "B"\nshape = "egg"', "patient.1.lesion.2.shape: input should be 'ellipsoid'", 12),
        ('name = "B"', 'name = "B"\nlobes = 3', "patient.1.lesion.2.lobes: input should be a multiple of 2, got 3", 12),
        ("weeks = 12", "weeks = 12\nchange = [{ lesion = 'A' }]", "patient.1.visit.2.change.1.lesion: nothing", 18),
        ("weeks = 12", "weeks = 2", "patient.1.visit: visits should be in order, at least 3 weeks apart", 14),
        ("weeks = 0", "weeks = 0\nchange = [{ lesion = 'A', fill = 1.0 }]", "patient.1.visit: nothing can have", 14),
        ("weeks = 12", 'weeks = 12\n[host]\nkind = "ct"', "host.image: name one with", 18),
        ("weeks = 12", "weeks = 12\n[host]\ncortex_mm = 20.0", "host.cortex_mm: should be less than half", 19),
        ("weeks = 12", 'weeks = 12\n[[patient]]\nid = "P1"\nvisit = [{ weeks = 0 }]', "patient: two patients", 4),
        ("seed = 3", "seed = ", "not TOML: Invalid value (at line 1", None),
    ],
)
def test_the_first_fault_is_told_with_its_line(tmp_path, old, new, what, line):
    assert old in SMALL
    error = told(tmp_path, SMALL.replace(old, new, 1))
    assert error.what.startswith(what)
    assert error.where.endswith("spec.toml" if line is None else f"spec.toml line {line}")


def test_a_slip_of_the_pen_is_told_what_was_meant(tmp_path):
    assert told(tmp_path, SMALL.replace("slice_mm", "slice")).way_out.startswith("is slice_mm meant?")
    change = SMALL + "change = [{ lesion = 'A', scales = 2.0 }]"
    assert told(tmp_path, change).way_out.startswith("is scale meant?")


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        PhantomSpec.from_toml(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"seed = 1 # \xe9")
    with pytest.raises(SettingsError, match="not TOML"):
        PhantomSpec.from_toml(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("seed",), 1),
        (("scan", "slice_mm"), 3),
        (("scan", "noise_hu"), 2),
        (("patient", 0, "lesion", 1, "name"), 11),
        (("patient", 0, "lesion", 1, "core_hu"), 10),
        (("patient", 0, "visit", 1, "weeks"), 17),
        (("patient",), 4),
        (("patient", 0, "visit"), 14),
        (("patient", 1), None),
        (("format",), None),
    ],
)
def test_lines_of_lists_of_tables(place, line):
    assert line_of(SMALL, place) == line


# The course of lesions


def statuses(text: str) -> list[dict[str, str]]:
    (patient,) = spec(text).patient
    return [{seen.name: str(seen.status) for seen in lesions} for _, lesions in course(patient)]


def test_unchanged_lesions_are_followed():
    assert statuses(SMALL) == [{"A": "baseline", "B": "baseline"}, {"A": "followed", "B": "followed"}]


def test_what_happens_at_one_visit_lasts():
    text = SMALL + (
        'change = [{ lesion = "A", vanish = true }, { lesion = "B", drawn = false }]\n'
        'new = [{ name = "N", centre_mm = [0.0, 9.0, 0.0], size_mm = [6.0, 6.0, 6.0] }]\n'
        "[[patient.visit]]\nweeks = 20"
    )
    assert statuses(text)[1:] == [
        {"A": "resolved", "B": "missing", "N": "new"},
        {"A": "resolved", "B": "missing", "N": "followed"},
    ]


def test_merged_stays_merged_and_split_stays_split():
    parts = "{ name = 'B1', centre_mm = [12.0, 0.0, 0.0], size_mm = [4.0, 4.0, 4.0] }"
    text = SMALL + f"split = [{{ lesion = 'B', parts = [{parts}, {parts.replace('12.0', '18.0')}] }}]"
    assert statuses(text + "\n[[patient.visit]]\nweeks = 20")[1:] == [{"A": "followed", "B": "split"}] * 2
    text = SMALL + "merge = [{ lesions = ['A', 'B'] }]\n[[patient.visit]]\nweeks = 20"
    assert statuses(text)[1:] == [{"A": "merged", "B": "merged"}] * 2
    *_, (_, (first, other)) = course(spec(text).patient[0])
    assert (first.parents, other.parents, other.into, other.parts) == (("A", "B"), ("A", "B"), "A", ())
    (bridge,) = first.bridges
    assert bridge.centre_mm == pytest.approx((7.5, 0.0, 0.0))
    assert bridge.size_mm == pytest.approx((21.0, 6.0, 6.0))


def test_changes_are_laid_on_what_was():
    text = SMALL + (
        'change = [{ lesion = "A", scale = 2.0, move_mm = [1.0, 0.0, 0.0], core_hu = 10.0 }]\n'
        '[[patient.visit]]\nweeks = 20\nchange = [{ lesion = "A", scale = 0.5, fill = 0.4, rim_mm = 2.0 }]'
    )
    *_, (_, lesions) = course(spec(text).patient[0])
    (shape,) = lesions[0].parts
    assert (shape.size_mm, shape.centre_mm, shape.core_hu) == ((12.0, 10.0, 8.0), (1.0, 0.0, 0.0), 10.0)
    assert (shape.fill, shape.rim_mm) == (0.4, 2.0)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ('change = [{ lesion = "C", scale = 2.0 }]', "no lesion C @ patient P1, visit 2; name one of A, B"),
        ('merge = [{ lesions = ["A", "A"] }]', "lesion A merges with itself @ patient P1, visit 2"),
        ('new = [{ name = "A", centre_mm = [0.0, 0.0, 0.0], size_mm = [6.0, 6.0, 6.0] }]', "two lesions A @"),
        (
            'change = [{ lesion = "A", vanish = true }]' + NEXT + 'change = [{ lesion = "A", scale = 2.0 }]',
            "lesion A is gone @ patient P1, visit 3",
        ),
        (
            'merge = [{ lesions = ["A", "B"] }]' + NEXT + 'change = [{ lesion = "B", fill = 1.0 }]',
            "lesion B merged into A @ patient P1, visit 3",
        ),
        (
            'merge = [{ lesions = ["A", "B"] }]' + NEXT + 'change = [{ lesion = "A", move_mm = [1.0, 0.0, 0.0] }]',
            "lesion A has several parts @ patient P1, visit 3",
        ),
    ],
)
def test_a_course_that_cannot_be(more, what):
    with pytest.raises(SettingsError) as error:
        statuses(SMALL + more)
    assert str(error.value).startswith(what)


# What follows from it


def category(changes: str, *, sizes=None, unseen=False) -> str | None:
    text = SMALL + changes
    *_, (_, seen) = course(spec(text).patient[0])
    baseline = {"A": 22.0, "B": 16.0}
    found = expected_category(seen, sizes or baseline, baseline, baseline, unseen=unseen)
    return None if found is None else str(found)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (22.0, 16.0, "SD"),
        (24.0, 14.5, "SD"),
        (9.2, 6.7, "PR"),
        (9.3, 6.7, None),
        (29.3, 21.3, "PD"),
        (29.2, 21.3, None),
        (29.3, 16.0, None),
    ],
)
def test_size_decides_only_well_away_from_the_limits(a, b, expected):
    assert category("", sizes={"A": a, "B": b}) == expected


@pytest.mark.parametrize(
    ("changes", "sizes", "expected"),
    [
        ('change = [{ lesion = "A", vanish = true }, { lesion = "B", vanish = true }]', None, "CR"),
        ('change = [{ lesion = "A", vanish = true }, { lesion = "B", fill = 1.0 }]', None, "CR"),
        ('change = [{ lesion = "A", vanish = true }]', None, None),
        ('change = [{ lesion = "A", fill = 0.6 }, { lesion = "B", rim_mm = 2.0 }]', None, "PR"),
        ('change = [{ lesion = "A", fill = 0.6 }]', None, None),
        ('change = [{ lesion = "A", drawn = false }]', None, None),
        ('change = [{ lesion = "A", fill = 1.0, fill_hu = 1200.0 }, { lesion = "B", fill = 1.0 }]', None, "CR"),
        ('change = [{ lesion = "A", fill = 1.0, fill_hu = 1201.0 }, { lesion = "B", fill = 1.0 }]', None, None),
        ('merge = [{ lesions = ["A", "B"] }]', None, None),
        (
            'new = [{ name = "N", centre_mm = [0.0, 9.0, 0.0], size_mm = [9.0, 9.0, 9.0] }]',
            {"A": 22.0, "B": 16.0, "N": 18.0},
            "PD",
        ),
        (
            'new = [{ name = "N", centre_mm = [0.0, 9.0, 0.0], size_mm = [9.0, 9.0, 9.0], core_hu = 600.0 }]',
            {"A": 22.0, "B": 16.0, "N": 18.0},
            None,
        ),
        (
            'new = [{ name = "N", centre_mm = [0.0, 9.0, 0.0], size_mm = [5.0, 5.0, 5.0] }]',
            {"A": 22.0, "B": 16.0, "N": 10.0},
            None,
        ),
    ],
    ids=[
        *("gone", "gone or filled", "one gone", "healing", "one healing", "not drawn", "bone", "cement"),
        *("merged", "new", "flare", "tiny"),
    ],
)
def test_what_the_words_settle_is_said_and_nothing_else(changes, sizes, expected):
    assert category(changes, sizes=sizes) == expected


@pytest.mark.parametrize(("least_mm", "expected"), [(7.9, None), (8.0, "SD"), (8.1, "SD")])
def test_a_lesion_that_may_lie_in_no_voxel_settles_nothing(least_mm, expected):
    sizes = {"A": 22.0, "B": least_mm}
    *_, (_, seen) = course(spec(SMALL).patient[0])
    found = expected_category(seen, sizes, sizes, sizes, unseen=False)
    assert (found and str(found)) == expected


def test_what_was_not_seen_settles_nothing():
    assert category("", unseen=True) is None


@pytest.mark.parametrize(
    ("keys", "expected"),
    [("", "lytic"), ("core_hu = 600.0", "blastic"), ("core_hu = 200.0", None), ("fill = 0.5", None)],
)
def test_a_type_is_said_where_nobody_disputes_it(keys, expected):
    (_, (seen, *_)), *_ = course(spec(SMALL.replace('name = "A"', f'name = "A"\n{keys}')).patient[0])
    kind = type_of(seen)
    assert (kind and str(kind)) == expected


# The documentation


def test_every_key_is_documented_as_it_is():
    from mdanderson.phantoms.spec_doc import format_tables

    assert format_tables() in (DOCS / "phantoms.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("shape", "`ellipsoid`, `superquadric`, `lobulated`, `rod`, `crescent`, `L`"),
        ("orientation", "`axial`, `sagittal`, `coronal`"),
        ("slice_mm", "> 0, <= 1000"),
        ("centre_mm", "3 numbers"),
        ("pixel_mm", "2 numbers, each > 0, <= 1000"),
        ("lobes", "whole, >= 2, <= 12, a multiple of 2"),
        ("lobulation", "> 0, < 0.5"),
        ("canal", "`true`, `false`"),
        ("id", "letters, digits, `_` `.` `-`"),
        ("image", "a path"),
        ("first_day", "YYYY-MM-DD"),
        ("parts", "tables, at least 2"),
        ("lesions", "names, at least 2"),
        ("new", "tables"),
        ("move_mm", "3 numbers"),
    ],
)
def test_the_words_and_ranges_of_a_key_are_documented(key, allowed):
    lines = (DOCS / "phantoms.md").read_text(encoding="utf-8").splitlines()
    assert allowed in {line.split(" | ")[2] for line in lines if line.startswith(f"| `{key}` |")}


def test_the_example_of_the_documentation_is_the_file_beside_it():
    assert PhantomSpec.from_toml(DOCS / "phantoms.toml").patient[0].id == "SHRINK"
    assert re.search(r"docs/phantoms\.toml|\(phantoms\.toml\)", (DOCS / "phantoms.md").read_text(encoding="utf-8"))
