"""Every notebook runs from its first cell to its last, shows something, and is stored without outputs.

They share the demo cohort of the session: what one of them has scored the next one finds, as a user's do.
"""

from __future__ import annotations

import ast
import contextlib
import json
from pathlib import Path

import matplotlib as mpl
import pytest
from demo_folder import exclusive

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first one scores the cohort, or waits until another worker has
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cells_run_in_order_and_show_something(path, demo_folder):
    mpl.use("Agg")
    names: dict[str, object] = {}
    with exclusive(demo_folder), contextlib.chdir(demo_folder):
        for cell in _code_cells(path):
            _check_shown(_run("".join(cell["source"]), path.name, names))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_without_outputs(path):
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in _code_cells(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_says_what_it_is_for_and_what_not(path):
    first, *_ = json.loads(path.read_text(encoding="utf-8"))["cells"]
    words = "".join(first["source"])
    assert words.startswith("# ")
    assert "Research use only" in words


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_uses_the_public_face_alone(path):
    for cell in _code_cells(path):
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("mdanderson")
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names if alias.name.startswith("mdanderson")} <= {"mdanderson"}


def _run(source: str, name: str, names: dict[str, object]) -> object:
    """Run a cell; the value of its last line, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), name, "eval"), names)


def _check_shown(value: object) -> None:
    """Tables have rows, figures something to show, everything else can be shown."""
    if hasattr(value, "alt"):
        assert "nothing to show" not in value.alt
    elif hasattr(value, "_repr_html_"):
        assert "<td" in value._repr_html_()


def _code_cells(path: Path) -> list[dict]:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert cells
    return cells
