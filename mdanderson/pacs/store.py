"""SEG and SR back into the PACS (STOW-RS, C-STORE), one after the other: one that is there already is no fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mdanderson.errors import ImageError, Problem
from mdanderson.pacs.link import LARGEST_ANSWER, Link, ObjectRefusedError, linked
from mdanderson.pacs.server import Server
from mdanderson.readers.dicom_elements import BROKEN_HEADER

__all__ = ["Stored", "store"]


@dataclass(kw_only=True, slots=True)
class Stored:
    """What became of the files. stored: those that the server has now; problems: why it has not the others."""

    stored: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def store(
    url: str | Server,
    files: Sequence[Path],
    *,
    auth: Path | None = None,
    ca: Path | None = None,
    insecure_tls: bool = False,
    timeout_s: float = 60.0,
    progress: Callable[[int, int], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Stored:
    """Store DICOM files at an address (`server.Server`), with credentials of the file `auth`, else of the environment.

    A file that is damaged or refused is a problem; the others are stored. progress: is told how many of how many.
    Raises `ServerError` where the server does not answer or lets nobody in, `SettingsError` for an address that is
    none, and without the extra `pacs`.
    """
    if isinstance(url, Server):
        server = url
    else:
        server = Server.at(url, auth=auth, ca=ca, insecure_tls=insecure_tls, timeout_s=timeout_s)
    done = Stored()
    with linked(server, sleep=sleep) as link:
        for number, file in enumerate(files, start=1):
            why = _store_one(link, file)
            if why is None:
                done.stored.append(file)
            else:
                done.problems.append(why)
            if progress:
                progress(number, len(files))
    return done


def _store_one(link: Link, file: Path) -> Problem | None:
    """Store a file; what is wrong, None where nothing is. Raises `ServerError` where no other file will fare better."""
    try:
        link.store(_read(file))
    except ImageError as error:
        return Problem.from_error(error.located(file.name))
    except ObjectRefusedError as error:
        return Problem(where=file.name, what=error.what, how_to_fix=error.way_out)
    return None


def _read(file: Path) -> Any:
    from pydicom import dcmread

    try:
        if file.stat().st_size > LARGEST_ANSWER:
            raise ImageError("too large to be stored", way_out="store it by hand")
        return dcmread(file)
    except OSError as error:
        raise ImageError(f"the file cannot be opened ({error.strerror})", way_out="write it again") from error
    except BROKEN_HEADER as error:
        raise ImageError("no DICOM file", way_out="write it again") from error
