"""SEG and SR back into the PACS (STOW-RS), one after the other: one that is there already is no fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mdanderson.errors import ImageError, Problem, ServerError
from mdanderson.pacs.server import Server
from mdanderson.pacs.session import LARGEST_ANSWER, Asking, asking
from mdanderson.readers.dicom_elements import BROKEN_HEADER

__all__ = ["Stored", "store"]

_FAILURES = {
    0x0110: "the server failed while it stored it",
    0x0122: "the server does not know this kind of object",
    0xA700: "the server is full",
    0xA900: "the server says that it is no such object",
    0xC000: "the server does not understand it",
    0xC122: "the server does not take its transfer syntax",
}
"""FailureReason, PS3.18 Table I.2-2."""


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
    """Store DICOM files at a DICOMweb address, with credentials of the file `auth`, else of the environment.

    A file that is damaged or refused is a problem; the others are stored. progress: is told how many of how many.
    Raises `ServerError` where the server does not answer or lets nobody in, `SettingsError` for an address that is
    none, and without the extra `pacs`.
    """
    if isinstance(url, Server):
        server = url
    else:
        server = Server.at(url, auth=auth, ca=ca, insecure_tls=insecure_tls, timeout_s=timeout_s)
    done = Stored()
    with asking(server, sleep=sleep) as connection:
        for number, file in enumerate(files, start=1):
            why = _store_one(connection, file)
            if why is None:
                done.stored.append(file)
            else:
                done.problems.append(why)
            if progress:
                progress(number, len(files))
    return done


def _store_one(connection: Asking, file: Path) -> Problem | None:
    """Store a file; what is wrong, None where nothing is. Raises `ServerError` where no other file will fare better."""
    try:
        dataset = _read(file)
    except ImageError as error:
        return Problem.from_error(error.located(file.name))
    try:
        answer = connection.ask(lambda client: client.store_instances([dataset]))
    except ServerError as error:
        if any(f"HTTP {code}" in error.what for code in (400, 409, 413, 415)):
            return Problem(where=file.name, what=error.what, how_to_fix=error.way_out)
        raise
    return _failure(answer, file)


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


def _failure(answer: Any, file: Path) -> Problem | None:
    """What the answer says of the one file that was sent."""
    failed = answer.get("FailedSOPSequence") or ()
    if not failed:
        return None
    try:
        reason = int(failed[0].FailureReason)
    except BROKEN_HEADER:
        reason = 0
    what = _FAILURES.get(reason, "the server refuses it")
    return Problem(where=file.name, what=f"{what} (reason {reason:04X})", how_to_fix="ask its keeper")
