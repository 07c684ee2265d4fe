"""Processes that each do one task at a time: what kills, hangs or swells in one costs that task alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mdanderson.batch.pool import Limits, NoProcessError, in_processes
from mdanderson.batch.workers import Force, each, share_of_memory
from mdanderson.errors import ImageError, MdandersonError, SettingsError

GB = 1024**3
ROOT = Path(__file__).parents[2]


def do(work: Callable[[int], object], tasks: list[int], *, workers: int = 2, **limits: object) -> list[object]:
    """Results in the order of the tasks; of a lost one its error."""

    def with_task(task: int) -> tuple[int, object]:
        return task, work(task)

    def lost(task: int, error: MdandersonError) -> tuple[int, object]:
        return task, str(error)

    found = in_processes(with_task, tasks, workers=workers, limits=Limits(**limits), lost=lost, start=lambda _: None)
    return [value for _, value in sorted(found)]


def test_sample() -> None:
    def square(number: int) -> int:
        return number * number

    assert do(square, [1, 2, 3, 4, 5]) == [1, 4, 9, 16, 25]


def test_the_work_is_done_elsewhere_and_prints_nothing_into_the_pipe(capfd: pytest.CaptureFixture[str]) -> None:
    def work(_: int) -> tuple[int, str]:
        import os
        import sys

        os.write(1, b"a library prints\n")
        return os.getpid(), sys.stdin.read()

    (pid, read), (other, _) = do(work, [1, 2], workers=1)
    assert pid == other != os.getpid()
    assert read == ""
    assert capfd.readouterr().out == ""


def test_what_the_work_raises_is_raised() -> None:
    def work(number: int) -> int:
        if number == 2:
            raise ImageError("torn", where="a.dcm", way_out="copy it again")
        return number

    with pytest.raises(ImageError, match=r"torn @ a\.dcm; copy it again"):
        do(work, [1, 2, 3])


def test_an_exception_that_cannot_travel_is_told() -> None:
    def work(_: int) -> None:
        class Odd(Exception):  # noqa: N818 - it has a lock inside, which no pickle takes
            def __init__(self) -> None:
                import threading

                super().__init__("odd")
                self.lock = threading.Lock()

        raise Odd

    with pytest.raises(MdandersonError, match=r"unexpected error \(bug\): Odd odd"):
        do(work, [1])


def test_one_that_hangs_is_ended_and_the_others_go_on() -> None:
    def work(number: int) -> int:
        if number == 2:
            time.sleep(600)
        return number

    began = time.monotonic()
    assert do(work, [1, 2, 3, 4], timeout_s=1.5) == [
        1,
        "not finished after 1.5 s, and ended; look at its images with `mdanderson check`, or give it longer: --timeout",
        3,
        4,
    ]
    assert time.monotonic() - began < 60


def test_one_that_is_deaf_to_signals_is_ended_too() -> None:
    def work(number: int) -> int:
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            number += 1

    (told,) = do(work, [1], timeout_s=0.5)
    assert str(told).startswith("not finished after 0.5 s")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system bounds no memory")
def test_one_that_swells_fails_by_itself() -> None:
    def work(number: int) -> str:
        try:
            return str(len(bytearray(number << (30 if number == 2 else 20))))
        except MemoryError:
            return "out of memory"

    assert do(work, [1, 2, 3], workers=1, memory_bytes=GB) == [f"{1 << 20}", "out of memory", f"{3 << 20}"]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell what a process holds")
def test_a_process_that_keeps_much_is_replaced() -> None:
    def work(number: int) -> int:
        import os
        import sys

        if number == 1:
            sys.kept = bytearray(os.urandom(1)) * (600 * 1024**2)
        return os.getpid()

    first, second, third = do(work, [1, 2, 3], workers=1, memory_bytes=GB)
    assert first != second
    assert second == third


@pytest.mark.slow
@pytest.mark.parametrize("how", ["signal", "exit"])
def test_a_process_that_dies_costs_its_task_alone(tmp_path: Path, how: str) -> None:
    tried = str(tmp_path / "tried")

    def work(number: int) -> int:
        import os

        if number == 2:
            with open(tried, "a") as file:  # noqa: PTH123
                file.write("x")
            if how == "signal":
                os.kill(os.getpid(), 9)
            os._exit(3)
        return number

    why = "by signal 9" if how == "signal" else "with exit code 3"
    assert do(work, [1, 2, 3, 4]) == [
        1,
        f"the process that scored the patient was ended {why}, twice; give it more memory, or use fewer workers",
        3,
        4,
    ]
    assert Path(tried).read_text() == "xx"


@pytest.mark.slow
def test_one_killed_from_outside_is_done_again_when_nothing_runs_beside_it(tmp_path: Path) -> None:
    """As the system does it to whoever holds most when memory is out."""
    ended = str(tmp_path / "ended")

    def work(number: int) -> int:
        import os
        import time

        if number == 1 and not os.path.exists(ended):  # noqa: PTH110
            open(ended, "w").close()  # noqa: PTH123
            os.kill(os.getpid(), 9)
        if number > 1:
            time.sleep(0.2)
        return number

    def lost(task: int, error: MdandersonError) -> int:
        raise AssertionError(task, error)

    order = list(in_processes(work, [1, 2, 3], workers=2, limits=Limits(), lost=lost, start=lambda _: None))
    assert order[-1] == 1
    assert sorted(order) == [1, 2, 3]


class Started:
    """Work that is loaded when a process starts; the first so many are ended while they load it."""

    def __init__(self, folder: Path, *, deaths: int) -> None:
        self.folder, self.deaths = str(folder), deaths

    def __reduce__(self) -> tuple[object, ...]:
        def load(folder: str, deaths: int) -> Callable[[int], int]:
            import os

            open(f"{folder}/{os.getpid()}", "w").close()  # noqa: PTH123
            if len(os.listdir(folder)) <= deaths:  # noqa: PTH208
                os.kill(os.getpid(), 9)
            return lambda number: number * number

        return load, (self.folder, self.deaths)

    def __call__(self, task: int) -> int:
        raise AssertionError(task)


def squares(work: Started, tasks: list[int], *, lost: Callable[..., int] = lambda *_: 0) -> list[int]:
    return sorted(in_processes(work, tasks, workers=1, limits=Limits(), lost=lost, start=lambda _: None))


def test_one_killed_while_it_starts_is_followed_by_another(tmp_path: Path) -> None:
    assert squares(Started(tmp_path, deaths=2), [1, 2, 3]) == [1, 4, 9]
    assert len(list(tmp_path.iterdir())) == 3


def test_no_process_can_start(tmp_path: Path) -> None:
    """No patient was being scored, and none is blamed."""
    with pytest.raises(
        NoProcessError, match=r"no worker process can start \(5 in a row ended by signal 9\); give it more memory"
    ):
        squares(Started(tmp_path, deaths=99), [1, 2])
    assert len(list(tmp_path.iterdir())) == 5


def test_no_process_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("mdanderson.batch.pool.subprocess.Popen", full)
    with pytest.raises(NoProcessError, match=r"no worker process can start \(Resource temporarily unavailable\)"):
        squares(Started(tmp_path, deaths=0), [1])


@pytest.mark.slow
def test_processes_end_with_whoever_started_them(tmp_path: Path) -> None:
    """A SIGKILL gives no time to say goodbye."""
    program = textwrap.dedent(f"""
        import time
        from mdanderson.batch.pool import Limits, in_processes

        def work(number):
            import os, time
            open({str(tmp_path)!r} + f"/{{os.getpid()}}", "w").close()
            time.sleep(600)

        list(in_processes(work, [1, 2], workers=2, limits=Limits(), lost=None, start=lambda _: None))
    """)
    running = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    began = time.monotonic()
    while len(list(tmp_path.iterdir())) < 2:
        assert time.monotonic() - began < 120
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    pids = [int(path.name) for path in tmp_path.iterdir()]
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() - began < 120
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether it runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_nothing_to_do() -> None:
    assert list(each(abs, [], force=Force(workers=4), lost=lambda *_: 0)) == []


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"workers": 1, "timeout_s": None, "memory_gb": None}, Limits()),
        ({"workers": 1, "timeout_s": 2.0, "memory_gb": 1.5}, Limits(timeout_s=2.0, memory_bytes=3 * GB // 2)),
        ({"workers": 2, "timeout_s": None, "memory_gb": 3}, Limits(memory_bytes=3 * GB)),
        ({"workers": 2, "timeout_s": None, "memory_gb": None}, Limits(memory_bytes=5 * GB)),
        ({"workers": 1, "timeout_s": 1, "memory_gb": None}, Limits(timeout_s=1, memory_bytes=10 * GB)),
    ],
)
def test_wishes(wishes: dict[str, object], expected: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdanderson.batch.workers.share_of_memory", lambda workers: 10 * GB // workers)
    assert Force.from_wishes(**wishes).limits == expected


@pytest.mark.parametrize(
    ("wishes", "line"),
    [
        ({"workers": 0}, "0 workers; use at least one"),
        ({"timeout_s": 0.0}, "a timeout of 0 s"),
        ({"timeout_s": float("nan")}, "a timeout of nan s"),
        ({"memory_gb": 0.49}, "0.49 GB of memory for a worker; give it at least 0.5 GB"),
    ],
)
def test_wishes_that_cannot_be(wishes: dict[str, object], line: str) -> None:
    with pytest.raises(SettingsError, match=line):
        Force.from_wishes(**({"workers": 1, "timeout_s": None, "memory_gb": None} | wishes))


def test_the_share_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine tenths of what there is, or of what the container may have, shared; 2 GB at least."""
    monkeypatch.setattr("mdanderson.batch.workers._physical_bytes", lambda: 40 * GB)
    monkeypatch.setattr("mdanderson.batch.workers._CGROUP_LIMITS", (str(tmp_path / "max"),))
    assert share_of_memory(2) == 18 * GB
    (tmp_path / "max").write_text("max\n")
    assert share_of_memory(4) == 9 * GB
    (tmp_path / "max").write_text(f"{20 * GB}\n")
    assert share_of_memory(2) == 9 * GB
    assert share_of_memory(64) == 2 * GB
    monkeypatch.setattr("mdanderson.batch.workers._physical_bytes", lambda: 0)
    (tmp_path / "max").unlink()
    assert share_of_memory(2) is None
