"""The demo cohort, written and scored once for a whole session, whichever worker asks first."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import mdanderson as mda

FOLDER = Path("mdanderson-demo")
"""As the notebooks call it, beside them."""
SETS = ("mda2010", "recist11", "who", "pcwg3", "percist")


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Nobody else writes there meanwhile."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_in(folder: Path) -> Path:
    """Write the cohort to `folder`/mdanderson-demo/cohort and its results beside it, where they are not yet."""
    folder.mkdir(exist_ok=True)
    with exclusive(folder), contextlib.chdir(folder):
        manifest = FOLDER / "cohort" / "cohort.csv"
        if not manifest.exists():
            assert mda.write_demo(manifest.parent) == manifest
        mda.score(manifest, out=FOLDER / "results", criteria=SETS)
    return folder
