"""What the package never does, whatever it reads: run data as code, unpickle it, or speak to a network."""

from __future__ import annotations

import ast
import os
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
    ("batch/cluster.py", "socket"),
    *(("pacs/session.py", library) for library in ("requests", "requests.auth")),
    *(("pacs/wire.py", library) for library in ("socket", "ssl")),
    *(("review/serve.py", library) for library in ("socket", "webbrowser")),
}
"""A run and its own worker processes speak through their pipes; a lock names the machine that holds it; the scheduler
that `--scheduler` names is knocked at before the run; `fetch` and `export --to` speak to the server that they are told;
`review` listens on this machine alone and opens its own address in the browser."""


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


GUARD = """
import os, subprocess, sys
def guard(event, arguments):
    watched = ("socket.", "pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.fork")
    watched += ("subprocess.", "urllib.", "ftplib.", "smtplib.")
    if not event.startswith(watched) or event in {"socket.gethostname", "socket.__new__"}:
        return
    if event == "socket.bind" and arguments[1][0] == "::1":
        return  # urllib3, where it is installed, asks when it is loaded whether the machine knows IPv6
    if own_worker(event, arguments):
        return
    os.write(2, f"GUARD {event}\\n".encode())
    raise RuntimeError(event)
def own_worker(event, arguments):
    if event in {"os.fork", "os.posix_spawn", "pickle.find_class"}:
        return WORKERS  # what starts a worker, and the task that it is handed through its pipe
    if event == "subprocess.Popen" and WORKERS:
        program = list(arguments[1])
        return program[0] == sys.executable and "mdanderson.batch.served import serve" in program[2]
    return False
WORKERS = {workers}
sys.addaudithook(guard)
"""
GUARDED = GUARD.replace("{workers}", "False") + "from mdanderson.cli import main\nsys.exit(main(sys.argv[1:]))\n"
"""One process, which may start nothing."""


@pytest.fixture
def guard_everywhere(tmp_path, monkeypatch):
    """Every Python that is started from here on has the guard; it may start workers of our own."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD.replace("{workers}", "True") + GUARDED_IS_HERE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "guard"), str(PACKAGE.parent)]))


GUARDED_IS_HERE = 'os.write(2, b"GUARDED\\n")\n'
UNGUARDED = "import sys; from mdanderson.cli import main; sys.exit(main(sys.argv[1:]))"
on_unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows asks for other events")


@on_unix
def test_a_check_opens_no_connection_and_starts_nothing(safety, cohort):
    """Without a limit, for which it would start a worker of its own."""
    ran = safety.run("check", str(cohort), "--timeout", "0", out=cohort.parent, code=GUARDED)
    assert "GUARD" not in ran.stderr
    assert ran.code == 1


@on_unix
def test_a_score_starts_its_own_workers_alone_and_opens_no_connection(safety, guard_everywhere, tmp_path):
    """The good patient, and one whose image is none, in a process that has the guard as well."""
    import matplotlib.font_manager  # noqa: F401 - asks the system for its fonts, once and for all on this machine

    good = safety.write_good(tmp_path)
    bad = good | {"patient_id": "bad", "image": "bad.nii.gz"}
    (tmp_path / "bad.nii.gz").write_bytes(b"not an image" * 40)
    manifest = safety.write_manifest(tmp_path / "cohort.csv", [good, bad])
    out = tmp_path / "out"
    ran = safety.run("score", str(manifest), "-o", str(out), out=out, code=UNGUARDED)
    assert ran.code == 1
    assert ran.measured == {"good"}
    assert ran.stderr.count("GUARDED\n") == 2
    assert "GUARD " not in ran.stderr


@pytest.mark.parametrize(
    ("sin", "event"),
    [
        ("import socket; socket.socket().connect(('127.0.0.1', 9))", "socket.connect"),
        ("import socket; socket.getaddrinfo('localhost', 80)", "socket.getaddrinfo"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import os; os.system('true')", "os.system"),
    ],
)
@on_unix
def test_the_guard_works(sin, event, safety, guard_everywhere, tmp_path):
    for code in (GUARDED.replace("sys.exit(", f"{sin}; sys.exit("), f"{sin}; {UNGUARDED}"):
        ran = safety.run("settings", out=tmp_path, code=code)
        assert f"GUARD {event}" in ran.stderr
        assert ran.code == 1


@on_unix
def test_classify_opens_no_connection(safety, tmp_path):
    table = tmp_path / "measurements.csv"
    table.write_text("patient_id,date,lesion_id,long_axis_mm,short_axis_mm\nP1,2024-01-05,L1,20,10\n")
    out = tmp_path / "out"
    ran = safety.run("classify", str(table), "-o", str(out), "--workers", "1", out=out, code=GUARDED)
    assert "GUARD" not in ran.stderr
    assert ran.code == 0
