"""The public face: what it promises is there, lazily, and nothing else is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import mdanderson

ROOT = Path(__file__).parents[1]


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert mdanderson.__all__ == sorted(mdanderson.__all__)
    assert set(dir(mdanderson)) == {*mdanderson.__all__, "__version__"}
    for name in mdanderson.__all__:
        assert getattr(mdanderson, name).__name__.rpartition(".")[2] == name
        assert getattr(mdanderson, name).__doc__


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(mdanderson.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert sorted(seen) == mdanderson.__all__
    for name, module in seen.items():
        assert getattr(sys.modules.get(module) or __import__(module, fromlist=[name]), name) is getattr(
            mdanderson, name
        )


def test_unknown_names_are_told() -> None:
    with pytest.raises(AttributeError, match="module 'mdanderson' has no attribute 'asess'"):
        mdanderson.asess  # noqa: B018
    with pytest.raises(ImportError):
        from mdanderson import asess  # noqa: F401


def in_a_fresh_process(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True).stdout.strip()


def test_importing_it_imports_nothing_else() -> None:
    loaded = in_a_fresh_process(
        "import sys; before = set(sys.modules); import mdanderson; "
        "print(sorted(name for name in set(sys.modules) - before if 'mdanderson' in name or 'numpy' in name))"
    )
    assert loaded == "['mdanderson', 'mdanderson.version']"


def test_assess_stays_a_function_when_its_room_is_open() -> None:
    told = in_a_fresh_process(
        "import mdanderson.batch, mdanderson.assessment, mdanderson as mda; from mdanderson import assess; "
        "print(callable(mda.assess), assess is mda.assess)"
    )
    assert told == "True True"


def test_one_version() -> None:
    """What the build reads by itself, what is cited, and what the package says of itself."""
    toml = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert toml["project"]["dynamic"] == ["version"]
    source = (ROOT / toml["tool"]["hatch"]["version"]["path"]).read_text(encoding="utf-8")
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE) == [mdanderson.__version__]
    assert re.findall(r"^version: (.+)$", cited, re.MULTILINE) == [mdanderson.__version__]


def test_no_room_goes_in_by_the_front_door() -> None:
    """The root hands names on; a room that asked it for one would depend on every other."""
    rooms = [path for path in (ROOT / "mdanderson").rglob("*.py") if path != Path(mdanderson.__file__)]
    guilty = [
        path.name
        for path in rooms
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and "mdanderson" in {alias.name for alias in node.names})
        or (isinstance(node, ast.ImportFrom) and node.module == "mdanderson")
    ]
    assert len(rooms) > 50
    assert guilty == []


def test_it_is_typed() -> None:
    assert (ROOT / "mdanderson" / "py.typed").exists()
