"""What every way to a PACS has in common: the few questions that are asked, and how often one that failed is repeated.

DICOMweb (`web`) and the classic network (`dimse`) are told apart by the address alone, here and nowhere else.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from mdanderson.errors import ServerError
from mdanderson.pacs.server import Server
from mdanderson.pacs.wanted import Wanted

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = [
    "EXTRA",
    "LARGEST_ANSWER",
    "LEAST_BYTES_PER_S",
    "MOST_LISTED",
    "Entry",
    "Link",
    "MayPassError",
    "ObjectRefusedError",
    "RemoteSeries",
    "answered",
    "linked",
    "silenced",
]

Answer = TypeVar("Answer")
Entry = Mapping[str, str]
"""What is listed of a study, series or instance: keyword -> text, blank where nothing is told."""

EXTRA = "pip install 'mdanderson[pacs]'"
LARGEST_ANSWER = 2**31
"""Bytes; no list and no image that is measured is larger."""
LEAST_BYTES_PER_S = 1000
"""An answer that trickles in more slowly is one that does not come."""
MOST_LISTED = 200_000
"""Entries of one list; beyond it a server repeats itself."""
_TRIES = 4
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteSeries:
    """One series as a server lists it. Its UIDs are digits and points, and are never part of a path.

    images: how many it says that there are; None where it says nothing.
    """

    patient_id: str
    date: dt.date | None
    modality: str
    study_uid: str
    series_uid: str
    images: int | None = None


class Link(Protocol):
    """A way to a server. Lists hold what it says, unchecked; every method raises `ServerError`."""

    server: Server

    def studies(self, wanted: Wanted) -> Iterable[Entry]:
        """StudyInstanceUID, PatientID, StudyDate."""

    def series(self, study_uid: str) -> Iterable[Entry]:
        """SeriesInstanceUID, Modality, NumberOfSeriesRelatedInstances."""

    def instances(self, series: RemoteSeries) -> Iterable[Entry]:
        """SOPInstanceUID."""

    def image(self, series: RemoteSeries, uid: str) -> tuple[Dataset, bytes]:
        """An image, and the file that it is to be."""

    def store(self, dataset: Dataset) -> None:
        """Store an object. Raises `ObjectRefusedError` where others may fare better."""


class ObjectRefusedError(ServerError):
    """A server does not take this object; the next may be welcome."""


class MayPassError(Exception):
    """What failed may work in a while. told: what is told where it does not; wait_s: as the server asks, at least."""

    def __init__(self, told: ServerError, wait_s: float = 0.0) -> None:
        super().__init__(str(told))
        self.told, self.wait_s = told, wait_s


def answered(question: Callable[[], Answer], sleep: Callable[[float], None]) -> Answer:
    """The answer to a question, after a few tries where it may come yet. Raises `ServerError`."""
    for number in range(_TRIES):
        try:
            return question()
        except MayPassError as error:
            if number == _TRIES - 1:
                raise error.told from error.__cause__
            sleep(min(max(error.wait_s, _FIRST_WAIT_S * 2**number), _LONGEST_WAIT_S))
    raise AssertionError  # pragma: no cover - the last try returns or raises


def linked(server: Server, *, sleep: Callable[[float], None]) -> AbstractContextManager[Link]:
    """The way that the address names, while it is open; nothing of what is asked is logged.

    Raises `SettingsError` without the extra `pacs`.
    """
    if server.is_dimse:
        from mdanderson.pacs.dimse import dimse_link

        return dimse_link(server, sleep=sleep)
    from mdanderson.pacs.web import web_link

    return web_link(server, sleep=sleep)


@contextmanager
def silenced(*names: str) -> Iterator[None]:
    """Loggers that would repeat addresses, UIDs and headers."""
    loggers = [logging.getLogger(name) for name in names]
    children = [
        logger
        for key, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger) and key.split(".")[0] in names
    ]
    before = [(logger, logger.disabled) for logger in dict.fromkeys((*loggers, *children))]
    for logger, _ in before:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was in before:
            logger.disabled = was
