"""The tree of exceptions: its docstring, its one line, its trip between processes, and the rows it becomes."""

from __future__ import annotations

import pickle
import re

import pytest

from mdanderson import errors
from mdanderson.errors import GeometryError, InputError, MaskError, MdandersonError, Problem, SettingsError, Severity

KINDS = [getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)]
ERRORS = [kind for kind in KINDS if issubclass(kind, MdandersonError)]


def test_the_docstring_draws_the_tree_as_it_is():
    """Each drawn name hangs under the name above it that is one step less indented."""
    drawn, path = {}, []
    for line in errors.__doc__.splitlines():
        name = re.search(r"\b(\w+Error)\b", line) if re.match(r"^    [│├└ ─M]", line) else None
        if name:
            level = (name.start() - 4) // 4
            path[level:] = [name[1]]
            drawn[name[1]] = path[level - 1] if level else "Exception"
    assert drawn == {kind.__name__: kind.__base__.__name__ for kind in ERRORS}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "no slices"),
        ({"where": "ct/3"}, "no slices @ ct/3"),
        ({"way_out": "export again"}, "no slices; export again"),
        ({"where": "ct/3", "way_out": "export again"}, "no slices @ ct/3; export again"),
    ],
)
def test_an_error_is_one_line(fields, line):
    assert str(InputError("no slices", **fields)) == line


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_survives_the_trip_between_processes(kind):
    sent = kind("no slices", where="ct/3", way_out="export again")
    back = pickle.loads(pickle.dumps(sent))
    assert type(back) is kind
    assert (back.what, back.where, back.way_out) == ("no slices", "ct/3", "export again")


def test_an_error_is_placed_once():
    error = MaskError("label 0").located("mask.nii.gz")
    assert error.where == "mask.nii.gz"
    assert error.located("cohort.csv").where == "mask.nii.gz"


def test_a_mistake_in_geometry_is_a_mistake_in_an_image_and_in_the_input():
    with pytest.raises(InputError):
        raise GeometryError("sheared")
    assert not issubclass(SettingsError, InputError)


def test_an_error_becomes_a_row():
    error = MaskError("label 0", where="mask.nii.gz", way_out="number lesions from 1")
    assert Problem.from_error(error, patient_id="P01", visit="V2") == Problem(
        patient_id="P01",
        visit="V2",
        severity=Severity.ERROR,
        where="mask.nii.gz",
        what="label 0",
        how_to_fix="number lesions from 1",
    )
    assert Problem.from_error(error, severity=Severity.WARNING).severity is Severity.WARNING


def test_a_problem_keeps_its_visit_when_told_for_a_patient():
    assert Problem(what="x").of(patient_id="P01", visit="V2") == Problem(what="x", patient_id="P01", visit="V2")
    assert Problem(what="x", visit="V1").of(patient_id="P01", visit="V2").visit == "V1"


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem(what="no slices"), "error: no slices"),
        (Problem(what="no slices", patient_id="P01", visit="V2", where="ct/3"), "error: no slices @ P01 V2 ct/3"),
        (Problem(what="thick", severity=Severity.INFO, how_to_fix="none needed"), "info: thick; none needed"),
    ],
)
def test_a_problem_is_one_line(problem, line):
    assert str(problem) == line


def test_a_problem_of_a_patient_named_already_is_told_as_its_error_was():
    error = MaskError("label 0", where="mask.nii.gz", way_out="number lesions from 1")
    assert Problem.from_error(error, patient_id="P01", visit="V2").line == str(error)
    assert Problem(what="thick", patient_id="P01").line == "thick"


def test_problems_sort_by_patient_then_visit():
    rows = [
        Problem(what="a", patient_id="P2"),
        Problem(what="b", patient_id="P1", visit="2"),
        Problem(what="c", patient_id="P1"),
    ]
    assert [row.what for row in sorted(rows)] == ["c", "b", "a"]
