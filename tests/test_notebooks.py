"""Every notebook runs from first cell to last in a kernel of its own, shows something, is stored without outputs.

They share the demo cohort of the session: what one of them has scored the next one finds, as a user's do.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from demo_folder import exclusive

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def executed(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of their copies with outputs, as nbmake leaves them; what failed is told by the test of each."""
    own = {name: str(tmp_path_factory.mktemp(name.lower())) for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    names = [shutil.copy(path, demo_folder) for path in NOTEBOOKS]
    nbmake = [sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=300", "--overwrite", "--quiet"]
    nbmake += ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(demo_folder)]
    with exclusive(demo_folder):
        ran = subprocess.run(
            [*nbmake, *names], env=os.environ | own, cwd=demo_folder, capture_output=True, text=True, check=False
        )
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    return demo_folder


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first one waits for the demo cohort to be scored
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cells_run_in_order_and_show_something(path, executed):
    cells = _code_cells(executed / path.name)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output["traceback"] for output in outputs if output["output_type"] == "error"] == []
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    shown = [output["data"] for output in outputs if "data" in output]
    assert len(shown) >= 2
    for data in shown:
        _check_shown({kind: "".join(text) for kind, text in data.items() if kind.startswith("text/") or "svg" in kind})


def test_the_extra_brings_what_the_notebooks_need():
    """They are run here with more installed than a reader has."""
    project = tomllib.loads((NOTEBOOKS[0].parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked_for = {
        name for path in NOTEBOOKS for name in re.findall(r"mdanderson\[(\w+)\]", path.read_text(encoding="utf-8"))
    }
    assert set(extras["survival"]) <= set(extras["notebook"])  # plot.kaplan_meier
    assert asked_for == {"notebook"}


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


def _check_shown(data: dict[str, str]) -> None:
    """Tables have rows, figures something to show."""
    assert "nothing to show" not in "".join(data.values())
    if "<table" in data.get("text/html", ""):
        assert "<td" in data["text/html"]


def _code_cells(path: Path) -> list[dict]:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert cells
    return cells
