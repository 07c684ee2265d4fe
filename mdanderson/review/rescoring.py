"""Patients scored again after an entry, one after another in a process of its own, while the server goes on."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from mdanderson.errors import MdandersonError
from mdanderson.review.snapshot import Snapshot

__all__ = ["Job", "Rescorer", "Stage"]

_PROGRAM = "import sys; sys.path[:] = {path!r}; from mdanderson.review.worker import work; work()"
_END_S = 30.0
"""What is about to write tables may take this long to end, so that they are not left half exchanged."""
_LONGEST_LINE = 100_000


class Stage(StrEnum):
    """How far a patient is."""

    WAITING = "waiting"
    SCORING = "scoring"
    WRITING = "writing"
    """Scored; tables and pages are being written."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What becomes of a patient. why: it failed; before, after: its results then and now."""

    stage: Stage = Stage.WAITING
    why: str = ""
    before: Snapshot | None = None
    after: Snapshot | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.stage in {Stage.DONE, Stage.FAILED}


class Rescorer:
    """A queue and the one process that empties it. snapshot_of: what is to be compared of a patient's results.

    Patients that are asked for while one is scored wait, each once, and are scored together.
    """

    def __init__(
        self,
        *,
        folder: Path,
        snapshot_of: Callable[[str], Snapshot],
        key_file: Path | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self._folder = folder
        self._snapshot_of = snapshot_of
        self._key_file = key_file
        self._timeout_s = timeout_s
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def submit(self, patient_id: str) -> None:
        """Have a patient scored again, now or as soon as the ones before are."""
        before = self._snapshot(patient_id)
        with self._lock:
            if self._closed:
                return
            job = self._jobs.get(patient_id)
            if job is None or job.stage is not Stage.WAITING:
                self._jobs[patient_id] = Job(before=before)
            if self._thread is None:
                self._thread = threading.Thread(target=self._empty, daemon=True)
                self._thread.start()

    def job(self, patient_id: str) -> Job | None:
        """What becomes of a patient; None where nobody asked."""
        with self._lock:
            return self._jobs.get(patient_id)

    @property
    def at_work(self) -> int:
        """How many patients are not over."""
        with self._lock:
            return sum(not job.is_over for job in self._jobs.values())

    def close(self) -> None:
        """End the process; the entries are kept, and the next run takes them into account."""
        with self._lock:
            self._closed = True
            process, thread = self._process, self._thread
            writes = any(job.stage is Stage.WRITING for job in self._jobs.values())
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if writes:
                    process.wait(_END_S)
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
        if thread is not None:
            thread.join(_END_S)

    def _empty(self) -> None:
        while True:
            with self._lock:
                batch = [name for name, job in self._jobs.items() if job.stage is Stage.WAITING]
                if not batch or self._closed:
                    self._thread = None
                    return
                for name in batch:
                    self._set(name, Stage.SCORING)
            try:
                self._run(batch)
            except (OSError, ValueError) as error:
                self._fail(batch, f"no process can score it ({error})")

    def _run(self, batch: list[str]) -> None:
        """One process for these patients; whatever ends it is told of each that it did not finish."""
        asked = {
            "folder": str(self._folder),
            "patients": batch,
            "key_file": None if self._key_file is None else str(self._key_file),
            "timeout_s": self._timeout_s,
        }
        process = subprocess.Popen(  # noqa: S603 - this very Python
            [sys.executable, "-c", _PROGRAM.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C in the terminal is for the server, which ends it in order
        )
        with self._lock:
            self._process = process
        try:
            assert process.stdin is not None  # noqa: S101 - both were asked for
            assert process.stdout is not None  # noqa: S101
            with contextlib.suppress(OSError):
                process.stdin.write(json.dumps(asked))
                process.stdin.close()
            while line := process.stdout.readline(_LONGEST_LINE):
                self._heard(batch, line)
        finally:
            process.stdout.close()  # type: ignore[union-attr]  # as above
            code = process.wait()
            with self._lock:
                self._process = None
        self._fail(batch, f"the process that scored it ended with code {code}")

    def _heard(self, batch: list[str], line: str) -> None:
        """What the process tells, a line of JSON each time; other lines are some library's."""
        try:
            message: Mapping[str, Any] = json.loads(line)
            kind = message["told"]
        except (ValueError, KeyError, TypeError):
            return
        if kind == "scored":
            for name in batch:
                self._set(name, Stage.WRITING, after=self._snapshot(name))
        elif kind == "failed":
            self._fail(batch, str(message.get("why", "")))
        elif kind == "done":
            failed = message.get("failed", {})
            for name in batch:
                stage = Stage.FAILED if name in failed else Stage.DONE
                self._set(name, stage, why=str(failed.get(name, "")), after=self._snapshot(name))

    def _set(self, patient_id: str, stage: Stage, *, why: str = "", after: Snapshot | None = None) -> None:
        with self._lock:
            job = self._jobs[patient_id]
            if job.stage is not Stage.WAITING or stage is Stage.SCORING:  # else it was asked for anew meanwhile
                self._jobs[patient_id] = replace(job, stage=stage, why=why, after=after)

    def _fail(self, batch: list[str], why: str) -> None:
        """Those of the batch that are not over have failed."""
        with self._lock:
            for name in batch:
                if self._jobs[name].stage in {Stage.SCORING, Stage.WRITING}:
                    self._set(name, Stage.FAILED, why=why)

    def _snapshot(self, patient_id: str) -> Snapshot | None:
        """A patient's results; None where that cannot be read now."""
        try:
            return self._snapshot_of(patient_id)
        except (MdandersonError, OSError, ValueError):
            return None
