"""The process that scores patients again: what is asked comes in on stdin, how far it is goes out on stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

__all__ = ["work"]


def work() -> None:
    """Score as asked; it tells `scored` when the patients are stored, then `done`, or `failed` with the reason."""
    from mdanderson.batch.again import rescore
    from mdanderson.batch.one import as_error
    from mdanderson.batch.run import Progress

    signal.signal(signal.SIGTERM, _stop)
    tell = _teller()
    asked = json.loads(sys.stdin.read())
    patients = tuple(asked["patients"])
    told: list[bool] = []

    def progress(now: Progress) -> None:
        if now.done == now.total and not told:
            told.append(True)
            tell(told="scored")

    try:
        results = rescore(
            Path(asked["folder"]),
            patients,
            key_file=Path(asked["key_file"]) if asked["key_file"] else None,
            timeout_s=asked["timeout_s"],
            progress=progress,
        )
    except KeyboardInterrupt:
        tell(told="failed", why="the server was stopped; the next run takes the entry into account")
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader is told in a line
        tell(told="failed", why=str(as_error(error)))
    else:
        tell(told="done", failed={name: why for name, why in results.failed.items() if name in patients})


def _stop(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _teller() -> Any:
    """What writes a line of JSON to the server, out of reach of whatever a library prints."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(**told: object) -> None:
        answers.write(json.dumps(told) + "\n")
        answers.flush()

    return tell
