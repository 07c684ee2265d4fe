"""Finished results are replaced whole or not at all, wherever `classify`, `score` or a review is ended."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from batch import sample

from mdanderson.batch import Results, classify
from mdanderson.batch.again import rescore
from mdanderson.batch.exchange import mended
from mdanderson.batch.explain import explain
from mdanderson.batch.lock import locked
from mdanderson.batch.run import Progress
from mdanderson.batch.verify import verify

TABLE = """\
patient_id,date,visit,modality,lesion_id,long_axis_mm,short_axis_mm
P01,2024-01-05,baseline,CT,L1,40,20
P01,2024-04-02,week 12,CT,L1,{},10
"""
READS = "patient_id,date,modality,lesion_id,findings,reader\nP01,2024-04-02,CT,L1,PD1,Smith\n"
MARKS = {".before", ".before.tmp"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE.format(20))
    return path


def content(out: Path) -> dict[str, bytes]:
    """Every file of the results."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def results(out: Path) -> dict[str, bytes]:
    """The same without run.json, which tells the time."""
    return {name: text for name, text in content(out).items() if name != "run.json"}


def runs(table: Path, out: Path) -> dict[str, Callable[[], object]]:
    """What may replace results, by name."""
    return {
        "classify": lambda: classify(table, out, lesions=True, workers=1),
        "rescore": lambda: rescore(out, {"P01"}),
    }


def change(table: Path, out: Path, name: str) -> None:
    """Something because of which the next run comes to other results."""
    if name == "classify":
        table.write_text(TABLE.format(60))
    else:
        (out / "reads.csv").write_text(READS)


def in_a_fork(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch, place: object, step: str, after: int) -> int:
    """The signal that ended the work, which SIGKILLs itself at its n-th step; 0 where it had no more."""
    pid = os.fork()
    if pid == 0:
        usual, done = getattr(place, step), []

        def deadly(*given: object, **more: object) -> object:
            done.append(given)
            if len(done) > after:
                os.kill(os.getpid(), signal.SIGKILL)
            return usual(*given, **more)

        monkeypatch.setattr(place, step, deadly)
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a run is killed in a fork of this process")
@pytest.mark.parametrize("name", ["classify", "rescore"])
@pytest.mark.parametrize(("place", "step"), [(Path, "replace"), (Path, "unlink"), (os, "rename"), (os, "link")])
def test_killed_at_any_step_the_results_are_the_old_or_the_new(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, place: object, step: str
) -> None:
    """Whatever opens the folder next finds one or the other, whole."""
    out, whole = tmp_path / "out", tmp_path / "whole"
    for folder in (out, whole):
        classify(table, folder, lesions=True, workers=1)
    old = results(out)
    change(table, whole, name)
    runs(table, whole)[name]()
    new = results(whole)
    change(table, out, name)
    old = results(out) if name == "rescore" else old  # with the entry
    after = 0
    while in_a_fork(runs(table, out)[name], monkeypatch, place, step, after) == signal.SIGKILL:
        assert explain(out, "P01")
        told = {one for one in verify(out).changes if one.of == "result"}
        assert told == set()
        now = {file: text for file, text in results(out).items() if not file.endswith((".tmp", ".lock"))}
        now = {file: text for file, text in now.items() if not file.startswith(tuple(MARKS))}
        assert now in (old, new)
        assert not (out / ".before").exists()
        after += 1
        assert after < 100
    assert after > 1
    runs(table, out)[name]()
    assert results(out) == new


@pytest.mark.parametrize("name", ["classify", "rescore"])
def test_told_to_stop_while_tables_are_exchanged_the_old_ones_stay(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    out = tmp_path / "out"
    classify(table, out, lesions=True, workers=1)
    change(table, out, name)
    before = content(out)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["mdanderson.batch.classify"], "write_cohort_tables", stopped)
        with pytest.raises(KeyboardInterrupt):
            runs(table, out)[name]()
    assert content(out) == before
    assert explain(out, "P01")
    runs(table, out)[name]()
    assert content(out) != before


def test_while_another_run_writes_nothing_is_put_back(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    classify(table, out, workers=1)
    shutil.copytree(out, out / ".before")
    (out / "run.json").unlink()
    (out / "patients.csv").write_text("half")
    with locked(out):
        assert mended(out) == out
        assert not (out / "run.json").exists()
    assert Results.from_folder(out).scored == ("P01",)
    assert (out / "patients.csv").read_text() != "half"
    assert not (out / ".before").exists()


def test_a_table_judged_again_tells_how_far_it_is(table: Path, tmp_path: Path) -> None:
    """The server that ends it waits once all is judged."""
    classify(table, tmp_path / "out", workers=1)
    told: list[Progress] = []
    rescore(tmp_path / "out", {"P01"}, progress=told.append)
    assert [(one.done, one.total) for one in told] == [(0, 1), (1, 1)]


def test_scored_images_are_put_back_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cohort").mkdir()
    cohort, out = sample.make_cohort(tmp_path / "cohort"), tmp_path / "out"
    sample.run(cohort, out)
    before = sample.tables(out) | {"run": (out / "run.json").read_bytes()}
    (cohort.parent / "p2_1.nii").write_bytes(b"longer")
    pid_after = in_a_fork(lambda: sample.run(cohort, out), monkeypatch, Path, "replace", 2)
    assert pid_after == signal.SIGKILL
    assert not (out / "run.json").exists()
    mended(out)
    assert sample.tables(out) | {"run": (out / "run.json").read_bytes()} == before
