"""The import contracts of pyproject.toml hold, and would notice if they did not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports({config!r}, no_cache=True))"

BROKEN = """
[tool.importlinter]
root_package = "mdanderson"

[[tool.importlinter.contracts]]
name = "Upside down"
type = "layers"
containers = ["mdanderson"]
layers = ["errors", "settings"]
"""


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, since the linter settles its configuration once a process."""
    command = [sys.executable, "-c", LINT.format(config=str(config))]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def test_the_contracts_hold():
    done = lint(PROJECT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_a_broken_contract_is_noticed(tmp_path):
    (tmp_path / "pyproject.toml").write_text(BROKEN)
    done = lint(tmp_path / "pyproject.toml")
    assert done.returncode == 1
    assert "mdanderson.settings.whole -> mdanderson.errors" in done.stdout


@pytest.mark.parametrize(
    "half",
    [
        "mdanderson.quantities",
        "mdanderson.findings",
        "mdanderson.stability",
        "mdanderson.uncertainty",
        "mdanderson.criteria",
        "mdanderson.timeline",
    ],
)
def test_the_paper_half_loads_no_array(half):
    """What the contracts say of the source, seen at run time."""
    code = f"import sys, {half}; print(sorted({{'numpy', 'scipy', 'pandas', 'SimpleITK'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
