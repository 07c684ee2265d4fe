"""What the package never does, whatever it reads: run data as code, unpickle it, or speak to a network."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import mdanderson

PACKAGE = Path(mdanderson.__file__).parent
FORBIDDEN = {
    *("pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "code", "codeop", "pty", "ctypes"),
    *("socket", "ssl", "http", "urllib.request", "urllib3", "requests", "httpx", "ftplib", "smtplib", "telnetlib"),
    *("xmlrpc", "webbrowser", "yaml"),
}
CALLS = {"eval", "exec", "compile", "__import__", "input", "breakpoint"}
ATTRIBUTES = {
    "system",
    "popen",
    "read_pickle",
    "to_pickle",
    "allow_pickle",
    "literal_eval",
    "read_sql",
    "eval",
}
ALLOWED = {
    *((f"batch/{module}.py", library) for module in ("pool", "served") for library in ("pickle", "cloudpickle")),
    ("batch/lock.py", "socket"),
}
"""A run and its own worker processes speak through their pipes; a lock names the machine that holds it."""


def sins(path: Path) -> list[str]:
    """What a module does of it, as `line what`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found += [f"{node.lineno} {one.name}" for one in names if is_forbidden(one.name)]
            case ast.ImportFrom(module=str(module)) if is_forbidden(module):
                found.append(f"{node.lineno} {module}")
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                found.append(f"{node.lineno} {name}()")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="compile")):
                pass
            case ast.Call(func=ast.Attribute(attr=name)) if name in ATTRIBUTES:
                found.append(f"{node.lineno} .{name}()")
            case ast.keyword(arg="shell" | "allow_pickle", value=ast.Constant(value=True)):
                found.append(f"{node.value.lineno} {node.arg}=True")
    return found


def is_forbidden(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in FORBIDDEN)


def test_no_module_unpickles_evaluates_or_opens_a_connection():
    found = {
        (path.relative_to(PACKAGE).as_posix(), sin.split(" ")[1])
        for path in PACKAGE.rglob("*.py")
        for sin in sins(path)
    }
    assert found <= ALLOWED


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("import pickle", 1),
        ("from urllib.request import urlopen", 1),
        ("def f(x):\n    return eval(x)", 1),
        ("np.load(path, allow_pickle=True)", 1),
        ("import os\nos.system('ls')", 1),
        ("import re\nre.compile('a')\nfrom urllib.parse import quote", 0),
    ],
)
def test_the_search_finds_what_it_is_for(text, count, tmp_path):
    (tmp_path / "module.py").write_text(text)
    assert len(sins(tmp_path / "module.py")) == count


GUARDED = """
import sys
from mdanderson.cli import main
def guard(event, arguments):
    watched = ("socket.", "pickle.find_class", "os.system", "subprocess.", "urllib.", "ftplib.", "smtplib.")
    if event != "socket.gethostname" and event.startswith(watched):
        sys.stderr.write(f"GUARD {event}\\n")
        raise RuntimeError(event)
sys.addaudithook(guard)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks for other events")
def test_a_check_opens_no_connection_and_starts_nothing(safety, cohort):
    ran = safety.run("check", str(cohort), out=cohort.parent, code=GUARDED)
    assert "GUARD" not in ran.stderr
    assert ran.code == 1


def test_the_guard_works(safety, tmp_path):
    code = GUARDED.replace("sys.exit(", "import socket; socket.socket().connect(('127.0.0.1', 9)); sys.exit(")
    ran = safety.run("settings", out=tmp_path, code=code)
    assert "GUARD socket" in ran.stderr


def test_classify_opens_no_connection(safety, tmp_path):
    table = tmp_path / "measurements.csv"
    table.write_text("patient_id,date,lesion_id,long_axis_mm,short_axis_mm\nP1,2024-01-05,L1,20,10\n")
    out = tmp_path / "out"
    ran = safety.run("classify", str(table), "-o", str(out), "--workers", "1", out=out, code=GUARDED)
    assert "GUARD" not in ran.stderr
    assert ran.code == 0
