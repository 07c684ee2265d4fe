"""Runs that are stopped, in every way: nothing half-written, nothing left lying about, and the next run finishes."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from batch import sample

import mdanderson.batch.store as store_room
from mdanderson.batch import score
from mdanderson.batch.lock import locked
from mdanderson.batch.store import sweep, write_together
from mdanderson.errors import OutputError

ROOT = Path(__file__).parents[2]
COMPLETE = {
    ".patients",
    "lesions.csv",
    "patients.csv",
    "problems.csv",
    "responses.csv",
    "run.json",
    "summary.csv",
}


def program(manifest: Path, out: Path, *, seconds: float, workers: int) -> list[str]:
    """A run whose every patient takes `seconds`, by the command line, in a process of its own."""
    text = textwrap.dedent(f"""
        import functools, sys
        sys.path.append({str(ROOT / "tests")!r})
        import mdanderson.batch, mdanderson.batch.fingerprint
        from batch import sample
        mdanderson.batch.fingerprint._code = lambda: "as it was"
        usual = sample.make_assess()

        def assess(patient, /, *, settings, criteria):
            import time
            time.sleep({seconds})
            return usual(patient, settings=settings, criteria=criteria)

        mdanderson.batch.score = functools.partial(mdanderson.batch.score, assess=assess)
        from mdanderson.cli import main
        sys.exit(main(["score", {str(manifest)!r}, "-o", {str(out)!r}, "-q", "--workers", "{workers}", "--no-report",
                       "--timeout", "{0 if workers == 1 else 60}"]))
    """)
    return [sys.executable, "-c", text]


def litter(out: Path) -> set[str]:
    """What no finished run leaves."""
    found = {path.name for path in out.iterdir()} - COMPLETE
    return found | {path.name for path in (out / ".patients").iterdir() if path.suffix != ".json"}


def finished(folder: Path) -> int:
    """Patients stored so far."""
    return len(list((folder / ".patients").glob("*.json")))


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    began = time.monotonic()
    while not condition():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() - began < 120
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_again_and_again_the_tables_are_the_same(cohort: Path, tmp_path: Path) -> None:
    """SIGKILL at random points, the seed fixed: in the start, between patients, while tables are written."""
    sample.make_cohort(cohort.parent, patients=12)
    sample.run(cohort, tmp_path / "whole")
    expected, out, moments = sample.tables(tmp_path / "whole"), tmp_path / "out", random.Random(6)
    kills = 0
    for number in range(8):
        command = program(cohort, out, seconds=0.1, workers=1 + number % 2)
        running = subprocess.Popen(command, cwd=ROOT)
        started = time.monotonic()
        pause = moments.uniform(0.0, 0.8)
        while running.poll() is None and not (out / ".lock").exists() and time.monotonic() - started < 60:
            time.sleep(0.005)
        time.sleep(pause)
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            kills += running.wait() == -signal.SIGKILL
        for name, content in expected.items():
            written = out / f"{name}.csv"
            assert not written.exists() or written.read_bytes() == content
    assert kills >= 3
    done = subprocess.run(program(cohort, out, seconds=0, workers=2), cwd=ROOT, check=False, timeout=120)
    assert done.returncode == 0
    assert sample.tables(out) == expected
    assert litter(out) == set()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_stop(cohort: Path, tmp_path: Path, number: signal.Signals, workers: int) -> None:
    out = tmp_path / "out"
    running = subprocess.Popen(
        program(cohort, out, seconds=0.6, workers=workers), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: finished(out) > 0, running)
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    code = {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert (running.returncode, err) == (code, "mdanderson: stopped; run the same command again\n")
    assert {path.name for path in out.iterdir()} == {".patients"}
    assert litter(out) == set()
    sample.run(cohort, out)
    sample.run(cohort, tmp_path / "whole")
    assert sample.tables(out) == sample.tables(tmp_path / "whole")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a run is killed in a fork of this process")
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_killed_at_every_step_of_writing(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Before each file reaches the disk, and before each takes its name; a table is the old one or the new one."""
    sample.run(cohort, tmp_path / "whole")
    expected, out, after = sample.tables(tmp_path / "whole"), tmp_path / "out", 0
    while killed_run(cohort, out, monkeypatch, step=step, after=after):
        for name, content in expected.items():
            written = out / f"{name}.csv"
            assert not written.exists() or written.read_bytes() == content
        assert not (out / "run.json").exists()
        after += 1
    assert after == 10  # four patients, four tables, the summary, the record
    assert sample.tables(out) == expected
    assert litter(out) == set()


def killed_run(cohort: Path, out: Path, monkeypatch: pytest.MonkeyPatch, *, step: str, after: int) -> bool:
    """A fresh run that SIGKILLs itself at its n-th write; whether it came so far."""
    pid = os.fork()
    if pid == 0:
        place, done = (os, []) if step == "fsync" else (Path, [])
        usual = getattr(place, step)

        def deadly(*given: object) -> object:
            done.append(given)
            if len(done) > after:
                os.kill(os.getpid(), signal.SIGKILL)
            return usual(*given)

        monkeypatch.setattr(place, step, deadly)
        try:
            sample.run(cohort, out, fresh=True)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def test_told_to_stop_while_a_table_is_written(tmp_path: Path) -> None:
    """Wherever the interrupt falls, the file is the old one and its draft is gone."""
    path = tmp_path / "table.csv"
    path.write_text("old\n")

    def interrupted() -> Iterator[tuple[str]]:
        yield ("half",)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_together((path,), interrupted())
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old\n"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("after", [0, 3, 4, 5])
def test_told_to_stop_when_nothing_is_new_the_results_stay(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: int
) -> None:
    """At the tables (4), the summary, the record of a rerun: they are what they were, and so is what tells of them."""
    out = tmp_path / "out"
    sample.run(cohort, out)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    interrupt(monkeypatch, step=step, after=after)
    with pytest.raises(KeyboardInterrupt):
        sample.run(cohort, out)
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before


def test_told_to_stop_when_a_table_is_new_the_old_ones_are_put_back(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    sample.run(cohort, out)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    (cohort.parent / "p2_1.nii").write_bytes(b"longer")
    (cohort.parent / "p2_0.nii").write_bytes(b"longer")
    interrupt(monkeypatch, step="replace", after=2)  # the patient, one table
    with pytest.raises(KeyboardInterrupt):
        sample.run(cohort, out)
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert litter(out) == set()
    sample.run(cohort, out)
    assert (out / "lesions.csv").read_bytes() != before["lesions.csv"]


def interrupt(monkeypatch: pytest.MonkeyPatch, *, step: str, after: int) -> None:
    """Ctrl-C at the n-th write, once."""
    place: object = store_room.os if step == "fsync" else Path
    usual, done = getattr(place, step), []

    def interrupted(*given: object) -> object:
        done.append(given)
        if len(done) == after + 1:
            raise KeyboardInterrupt
        return usual(*given)

    monkeypatch.setattr(place, step, interrupted)


def full_disk(monkeypatch: pytest.MonkeyPatch, *, after: int) -> None:
    """No space left once so many files were written."""
    usual, written = os.fsync, []

    def fsync(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        usual(descriptor)

    monkeypatch.setattr(store_room.os, "fsync", fsync)


@pytest.mark.parametrize("after", [0, 2, 4, 6, 8, 9])
def test_the_disk_is_full(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Among the patients (4 files), the tables (4), the summary and the record: a clear line; then it finishes."""
    sample.run(cohort, tmp_path / "whole")
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        full_disk(patched, after=after)
        with pytest.raises(OutputError, match=r"results cannot be written @ .*make room .*\(No space left on device\)"):
            sample.run(cohort, out)
    assert not (out / "run.json").exists()
    assert {path.name for path in out.iterdir()} <= COMPLETE
    assert litter(out) == set()
    calls: list[str] = []
    sample.run(cohort, out, assess=sample.counting(calls))
    assert len(calls) == max(0, 4 - after)
    assert sample.tables(out) == sample.tables(tmp_path / "whole")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system needs the right to mount one; test_the_disk_is_full stands in for it")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full(cohort: Path, small_disk: Path, tmp_path: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"0" * 180_000)
    with pytest.raises(OutputError, match="No space left on device"):
        sample.run(cohort, small_disk / "out")
    assert litter(small_disk / "out") == set()
    ballast.unlink()
    sample.run(cohort, small_disk / "out")
    sample.run(cohort, tmp_path / "whole")
    assert sample.tables(small_disk / "out") == sample.tables(tmp_path / "whole")


def test_drafts_of_a_killed_run_are_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (".lesions.csv.77.tmp", "mine.tmp", ".mine.tmp", ".x.txt"):
        (tmp_path / name).touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine.tmp", ".x.txt", "mine.tmp"]


def test_a_second_run_on_one_folder_is_refused(cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sample.run(cohort, out)
    before = sample.tables(out)
    with locked(out):
        line = rf"another run is writing here \(process {os.getpid()} on .*\) @ .*out; wait until it has ended"
        with pytest.raises(OutputError, match=line):
            sample.run(cohort, out, fresh=True)
    assert sample.tables(out) == before
    assert finished(out) == 4
    assert not (out / ".lock").exists()
    sample.run(cohort, out)


@pytest.mark.slow
def test_a_second_process_on_one_folder_is_refused(cohort: Path, tmp_path: Path) -> None:
    """And a killed one locks nobody out, though its file lies there."""
    out = tmp_path / "out"
    running = subprocess.Popen(program(cohort, out, seconds=600, workers=1), cwd=ROOT, text=True)
    wait_for((out / ".patients").exists, running)
    second = subprocess.run(
        program(cohort, out, seconds=0, workers=1), cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )
    assert second.returncode == 2
    assert second.stderr.startswith(f"mdanderson: another run is writing here (process {running.pid} on ")
    assert len(second.stderr.splitlines()) == 1
    running.kill()
    running.wait()
    assert (out / ".lock").exists()
    assert subprocess.run(program(cohort, out, seconds=0, workers=1), cwd=ROOT, check=False).returncode == 0
    assert litter(out) == set()


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening and locking, the holder ends and removes the file: what was locked is nobody's lock."""
    usual, removed = os.open, []

    def opened(path: Path, *given: int) -> int:
        descriptor = usual(path, *given)
        if not removed:
            removed.append(path)
            Path(path).unlink()
        return descriptor

    monkeypatch.setattr("mdanderson.batch.lock.os.open", opened)
    with locked(tmp_path):
        monkeypatch.undo()
        with pytest.raises(OutputError, match="another run"), locked(tmp_path):
            pass
    assert removed


def test_a_file_system_without_locks_is_used_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(_: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("mdanderson.batch.lock._lock", cannot)
    with locked(tmp_path), locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_locked(tmp_path: Path) -> None:
    (tmp_path / ".lock").mkdir()
    with pytest.raises(OutputError, match=r"the results folder cannot be locked @ .*\.lock; make it writable"):
        score_nothing(tmp_path)


def score_nothing(out: Path) -> None:
    with locked(out):
        pass


def test_why_patients_are_scored_again(cohort: Path, tmp_path: Path) -> None:
    """In words, patient by patient; of a first run nothing is said."""
    out, told = tmp_path / "out", []

    def again(**given: object) -> dict[str, tuple[str, ...]]:
        told.clear()
        sample.run(cohort, out, progress=told.append, **given)
        return dict(told[0].again) if told else {}

    assert again(assess=sample.make_assess(P04=OSError("x"))) == {}
    assert again() == {"it failed before": ("P04",)}
    assert again() == {}
    (cohort.parent / "p2_1.nii").write_bytes(b"longer")
    stored = out / ".patients"
    next(path for path in stored.iterdir() if '"P03"' in path.read_text()).write_text("{")
    sample.make_cohort(cohort.parent, patients=5)
    (cohort.parent / "p2_1.nii").write_bytes(b"longer")
    assert again() == {
        "its files changed": ("P01", "P02", "P04"),
        "what was stored is damaged": ("P03",),
        "not scored before": ("P05",),
    }
    (cohort.parent / "patients.csv").write_text("patient_id,death_date\nP03,2024-09-01\n")
    assert again() == {"its rows in the tables changed": ("P03",)}
    everybody = ("P01", "P02", "P03", "P04", "P05")
    assert again(criteria=("who",)) == {"the settings or criteria changed": everybody}


def test_another_program_scores_everybody_again(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    sample.run(cohort, tmp_path / "out")
    monkeypatch.setattr("mdanderson.batch.fingerprint._code", lambda: "another")
    sample.run(cohort, tmp_path / "out", progress=told.append)
    assert told[0].again == {"the program or a library changed": ("P01", "P02", "P03", "P04")}


def test_a_patient_out_of_time(cohort: Path, tmp_path: Path) -> None:
    usual = sample.make_assess()

    def assess(patient, /, *, settings, criteria):
        import time

        if patient.patient_id == "P02":
            time.sleep(600)
        return usual(patient, settings=settings, criteria=criteria)

    results = score(cohort, tmp_path / "out", assess=assess, timeout_s=3)
    assert results.scored == ("P01", "P03", "P04")
    (row,) = results.problems[results.problems.patient_id == "P02"].to_dict("records")
    assert row == {
        "severity": "error",
        "patient_id": "P02",
        "visit": "",
        "where": "manifest rows 4-5",
        "what": "not finished after 3 s, and ended",
        "how_to_fix": "look at its images with `mdanderson check`, or give it longer: --timeout",
    }


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system bounds no memory")
def test_a_patient_out_of_memory(cohort: Path, tmp_path: Path) -> None:
    usual = sample.make_assess()

    def assess(patient, /, *, settings, criteria):
        if patient.patient_id == "P02":
            bytearray(4 << 30)
        return usual(patient, settings=settings, criteria=criteria)

    results = score(cohort, tmp_path / "out", assess=assess, memory_gb=1)
    assert results.scored == ("P01", "P03", "P04")
    assert results.failed == {
        "P02": "out of memory @ manifest rows 4-5; give it more memory, or use fewer workers",
    }
