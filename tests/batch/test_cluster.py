"""The batch on a cluster: a real scheduler with two workers on loopback, one of which is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from batch import sample

import mdanderson.batch.cluster as cluster_room
from mdanderson.batch import score
from mdanderson.batch.cluster import check_scheduler, on_cluster
from mdanderson.batch.pool import Limits, NoProcessError
from mdanderson.cli import main
from mdanderson.errors import MdandersonError, SettingsError

ROOT = Path(__file__).parents[2]
WITHOUT_EXTRA = "the extra `cluster` (dask.distributed)"


class Cluster:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.same_program = folder / "same_program.py"
        self.same_program.write_text(
            "import mdanderson.batch.fingerprint\nmdanderson.batch.fingerprint._code = lambda: 'as it was'\n"
        )
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", self.file)
        self._until(self.file.exists)
        self.address: str = json.loads(self.file.read_text())["address"]

    def add_worker(self) -> subprocess.Popen[bytes]:
        """One more, told to bear no dashboard and to keep its files to itself."""
        given = ("--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1")
        return self._start(
            "worker", self.address, *given, "--local-directory", self.folder, "--preload", self.same_program
        )

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _start(self, what: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *map(str, arguments)]
        log = (self.folder / f"{what}{len(self.processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def _until(self, condition: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < 120
            time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    try:
        import distributed  # noqa: F401
    except ImportError:
        if os.environ.get("MDANDERSON_REQUIRE_ALL"):
            pytest.fail(f"lacking, and MDANDERSON_REQUIRE_ALL is set: {WITHOUT_EXTRA}")
        pytest.skip(WITHOUT_EXTRA)
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    running.add_worker()
    running.add_worker()
    yield running
    running.end()


@pytest.fixture(autouse=True)
def same_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is edited while the tests run, the program is the same on all workers."""
    monkeypatch.setattr("mdanderson.batch.fingerprint._code", lambda: "as it was")


def slow_assess(folder: Path, seconds: float) -> Callable[..., object]:
    """The stand-in, which leaves the id of its worker beside the name of the patient."""
    usual, place = sample.make_assess(), str(folder)

    def assess(patient, /, *, settings, criteria):
        import os
        import time

        open(f"{place}/{patient.patient_id}-{os.getppid()}", "w").close()  # noqa: PTH123
        time.sleep(seconds)
        return usual(patient, settings=settings, criteria=criteria)

    return assess


@pytest.mark.slow
def test_one_worker_is_killed_and_nothing_is_lost(cluster: Cluster, cohort: Path, tmp_path: Path) -> None:
    sample.make_cohort(cohort.parent, patients=6)
    sample.run(cohort, tmp_path / "whole")
    begun = tmp_path / "begun"
    begun.mkdir()
    victim = cluster.processes[-1]
    killed: list[float] = []

    def kill(_: object) -> None:
        """Once it is at a patient."""
        if not killed and any(name.name.endswith(f"-{victim.pid}") for name in begun.iterdir()):
            victim.send_signal(signal.SIGKILL)
            killed.append(time.monotonic())

    results = score(
        cohort,
        tmp_path / "out",
        scheduler=cluster.address,
        assess=slow_assess(begun, 0.3),
        progress=kill,
    )
    assert killed
    assert results.failed == {}
    assert len(results.scored) == 6
    assert sample.tables(tmp_path / "out") == sample.tables(tmp_path / "whole")
    assert {name.name.rsplit("-", 1)[0] for name in begun.iterdir()} == set(results.scored)
    assert len({name.name.rsplit("-", 1)[1] for name in begun.iterdir()}) == 2
    cluster.add_worker()


@pytest.mark.slow
def test_a_patient_that_hangs_and_one_that_dies_are_rows_there_too(
    cluster: Cluster, cohort: Path, tmp_path: Path
) -> None:
    usual = sample.make_assess()

    def assess(patient, /, *, settings, criteria):
        import os
        import time

        if patient.patient_id == "P02":
            time.sleep(600)
        if patient.patient_id == "P03":
            os.kill(os.getpid(), 9)
        return usual(patient, settings=settings, criteria=criteria)

    results = score(cohort, tmp_path / "out", scheduler=cluster.address, timeout_s=3, assess=assess)
    assert results.scored == ("P01", "P04")
    assert results.failed["P02"].startswith("not finished after 3 s, and ended @ manifest rows 4-5")
    assert results.failed["P03"].startswith("the process that scored the patient was ended by signal 9, twice")


@pytest.mark.slow
def test_a_relative_manifest_is_found_by_workers_elsewhere(
    cluster: Cluster, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    results = score("data/cohort.csv", "out", scheduler=cluster.address, assess=sample.make_assess())
    assert len(results.scored) == 4


@pytest.mark.slow
def test_a_worker_with_another_program_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdanderson.batch.cluster.program", lambda: "another")
    monkeypatch.setattr("mdanderson.batch.cluster.versions", lambda: {"mdanderson": "0.0.1", "numpy": "1.0"})
    with pytest.raises(
        MdandersonError, match=r"a worker has another version of the program \(mdanderson .* instead of"
    ):
        list(on_cluster(abs, [1], scheduler=cluster.address, limits=Limits(), lost=lambda *_: 0))


def test_a_worker_where_no_process_can_start_costs_its_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(*_: object, **__: object) -> None:
        raise NoProcessError.because("5 in a row ended by signal 9")

    monkeypatch.setattr(cluster_room, "in_processes", cannot)
    told = cluster_room._there(
        abs, lambda _, error: str(error), 1, limits=Limits(), expected=cluster_room.program(), here={}
    )
    assert told.startswith("no worker process can start (5 in a row ended by signal 9)")


@pytest.mark.slow
def test_the_scheduler_is_lost(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was finished is kept."""
    pytest.importorskip("distributed")
    folder = tmp_path / "other"
    folder.mkdir()
    other = Cluster(folder)
    other.add_worker()
    calls: list[str] = []
    (tmp_path / "begun").mkdir()

    def kill(now: object) -> None:
        if now.done == 1:
            other.processes[0].kill()
            monkeypatch.setattr("mdanderson.batch.cluster._ANSWER_S", 1.0)

    try:
        with pytest.raises(MdandersonError, match="the connection to the Dask scheduler was lost @ tcp"):
            score(
                cohort,
                tmp_path / "out",
                scheduler=other.address,
                assess=slow_assess(tmp_path / "begun", 0.5),
                progress=kill,
            )
    finally:
        other.end()
    sample.run(cohort, tmp_path / "out", assess=sample.counting(calls))
    assert 0 < len(calls) < 4


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1:1", "nonsense", "tcp://127.0.0.1:x"])
def test_nobody_answers(cohort: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], address: str) -> None:
    """Told at once, in one line, and nothing is left behind."""
    pytest.importorskip("distributed")
    began = time.monotonic()
    assert main(["score", str(cohort), "-o", str(tmp_path / "out"), "-q", "--scheduler", address]) == 2
    assert time.monotonic() - began < 10
    line = f"mdanderson: no Dask scheduler answers @ {address}; give its address, as in tcp://host:8786\n"
    assert capfd.readouterr().err == line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("hangs_up", [False, True])
def test_who_takes_the_call_and_says_nothing_is_no_scheduler(monkeypatch: pytest.MonkeyPatch, hangs_up: bool) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("mdanderson.batch.cluster._CONNECT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def hang_up() -> None:
            taken, _ = silent.accept()
            taken.close()

        if hangs_up:
            threading.Thread(target=hang_up).start()
        with pytest.raises(SettingsError, match="no Dask scheduler answers @ tcp"):
            check_scheduler(f"tcp://127.0.0.1:{silent.getsockname()[1]}")


def test_without_the_extra(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match=r"needs the extra `cluster`; pip install 'mdanderson\[cluster\]'"):
        score(cohort, tmp_path / "out", scheduler="tcp://127.0.0.1:1")
