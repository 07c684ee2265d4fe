"""A PACS through DICOMweb: QIDO-RS, WADO-RS, STOW-RS. What it answers is taken apart here."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from mdanderson.errors import ServerError, SettingsError
from mdanderson.pacs.failures import refused
from mdanderson.pacs.link import (
    EXTRA,
    MOST_LISTED,
    Entry,
    MayPassError,
    ObjectRefusedError,
    RemoteSeries,
    answered,
    silenced,
)
from mdanderson.pacs.server import Server
from mdanderson.pacs.session import opened, told
from mdanderson.pacs.wanted import Wanted
from mdanderson.readers.dicom_elements import BROKEN_HEADER
from mdanderson.readers.dicom_index.facts import is_uid

if TYPE_CHECKING:
    from dicomweb_client.web import DICOMwebClient
    from pydicom import Dataset

__all__ = ["WebLink", "web_link"]

Answer = TypeVar("Answer")

_AT_ONCE = 500
"""Entries asked for at a time."""
_TAGS = {
    "StudyInstanceUID": "0020000D",
    "SeriesInstanceUID": "0020000E",
    "SOPInstanceUID": "00080018",
    "StudyDate": "00080020",
    "PatientID": "00100020",
    "Modality": "00080060",
    "NumberOfSeriesRelatedInstances": "00201209",
}
_OF_ONE_OBJECT = frozenset({400, 409, 413, 415})
"""HTTP codes that say that an object is refused, not we."""


class WebLink:
    """A connection, as `link.Link` says. client: it is asked through `ask` alone."""

    def __init__(self, server: Server, client: DICOMwebClient, sleep: Callable[[float], None]) -> None:
        self.server, self.client, self.sleep = server, client, sleep

    def ask(self, question: Callable[[DICOMwebClient], Answer]) -> Answer:
        """The answer, after a few tries where it may come yet. Raises `ServerError`."""

        def once() -> Answer:
            try:
                return question(self.client)
            except ServerError:
                raise
            except Exception as error:
                what, wait_s = told(error, self.server)
                raise (what if wait_s is None else MayPassError(what, wait_s)) from error

        return answered(once, self.sleep)

    def studies(self, wanted: Wanted) -> Iterator[Entry]:
        """The studies of a patient."""
        filters = {"PatientID": wanted.patient_id} | ({"StudyDate": wanted.days} if wanted.days else {})
        return self._listed(
            "StudyInstanceUID", lambda client, page: client.search_for_studies(search_filters=filters, **page)
        )

    def series(self, study_uid: str) -> Iterator[Entry]:
        """The series of a study."""
        return self._listed("SeriesInstanceUID", lambda client, page: client.search_for_series(study_uid, **page))

    def instances(self, series: RemoteSeries) -> Iterator[Entry]:
        """The instances of a series."""
        uids = (series.study_uid, series.series_uid)
        return self._listed("SOPInstanceUID", lambda client, page: client.search_for_instances(*uids, **page))

    def image(self, series: RemoteSeries, uid: str) -> tuple[Dataset, bytes]:
        """One image, written anew: the parts of an answer bear no file header."""
        uids = (series.study_uid, series.series_uid, uid)
        return self.ask(lambda client: _encoded(client.retrieve_instance(*uids)))

    def store(self, dataset: Dataset) -> None:
        """Store an object; one that is there already is no fault."""
        try:
            answer = self.ask(lambda client: client.store_instances([dataset]))
        except ServerError as error:
            if any(f"HTTP {code}" in error.what for code in _OF_ONE_OBJECT):
                raise ObjectRefusedError(error.what, where=error.where, way_out=error.way_out) from error
            raise
        failed = answer.get("FailedSOPSequence") or ()
        if failed:
            try:
                reason = int(failed[0].FailureReason)
            except BROKEN_HEADER:
                reason = 0
            raise refused(reason, self.server)

    def _listed(self, keyword: str, question: Callable[..., Any]) -> Iterator[Entry]:
        """Every entry of a list, page by page: a short page is not the last where a server has limits of its own."""
        seen: set[str] = set()
        offset = 0
        while True:
            page = self.ask(lambda client: question(client, {"limit": _AT_ONCE, "offset": offset}))  # noqa: B023 - at once
            if not isinstance(page, list):
                raise ServerError("a list that is none", where=self.server.where, way_out="check the address")
            entries = [{name: _value(one, tag) for name, tag in _TAGS.items()} for one in page]
            yield from entries
            new = {one[keyword] for one in entries if is_uid(one[keyword])} - seen
            seen |= new
            offset += len(page)
            if not new:
                return
            if offset > MOST_LISTED:
                what = f"a list of more than {MOST_LISTED} entries"
                raise ServerError(what, where=self.server.where, way_out="ask for fewer: days, modalities")


@contextmanager
def web_link(server: Server, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[WebLink]:
    """A connection to a server; nothing of what is asked is logged. Raises `SettingsError` without the extra `pacs`."""
    try:
        from dicomweb_client.web import DICOMwebClient
    except ImportError as error:
        raise SettingsError("DICOMweb needs the package dicomweb-client", way_out=EXTRA) from error
    from mdanderson.readers.dicom_elements import unheard

    with (
        contextlib.closing(opened(server)) as session,
        unheard(),
        silenced("dicomweb_client", "retrying", "urllib3"),
    ):
        timeout = (min(server.timeout_s, 10.0), server.timeout_s)
        client = DICOMwebClient(url=server.url, session=session, timeout=timeout, permissive_uid=True)
        client.set_http_retry_params(retry=False)
        yield WebLink(server, client, sleep)


def _encoded(dataset: Dataset) -> tuple[Dataset, bytes]:
    """The image as the file that it is to be; what cannot be written was not whole."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return dataset, buffer.getvalue()


def _value(entry: object, tag: str) -> str:
    """The first value of an element of DICOM JSON as text, blank where there is none, or it is a thing."""
    element = entry.get(tag) if isinstance(entry, Mapping) else None
    values = element.get("Value") if isinstance(element, Mapping) else None
    first = values[0] if isinstance(values, list) and values else ""
    return str(first).strip() if isinstance(first, str | int) else ""
