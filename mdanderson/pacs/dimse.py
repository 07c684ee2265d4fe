"""A PACS through the classic DICOM network: C-FIND, C-GET and C-STORE, all asked by us: no port is open here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from pydicom import uid as uids

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
from mdanderson.pacs.wanted import Wanted
from mdanderson.pacs.wire import Wire
from mdanderson.readers.dicom_elements import BROKEN_HEADER, unheard
from mdanderson.readers.dicom_index.facts import is_uid

if TYPE_CHECKING:
    from pydicom import Dataset
    from pynetdicom.presentation import PresentationContext

__all__ = ["DimseLink", "dimse_link"]

Answer = TypeVar("Answer")

_VERIFY = "1.2.840.10008.1.1"
_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
_GET = "1.2.840.10008.5.1.4.1.2.2.3"
"""Verification, and Query/Retrieve by Study Root, PS3.4 C.6.2."""
_PLAIN = (uids.ExplicitVRLittleEndian, uids.ImplicitVRLittleEndian)
_SYNTAXES = (
    *_PLAIN,
    uids.DeflatedExplicitVRLittleEndian,
    uids.RLELossless,
    uids.JPEGLosslessSV1,
    uids.JPEGLossless,
    uids.JPEGLSLossless,
    uids.JPEG2000Lossless,
    uids.HTJ2KLossless,
    uids.HTJ2KLosslessRPCL,
    uids.JPEGBaseline8Bit,
    uids.JPEGExtended12Bit,
    uids.JPEGLSNearLossless,
    uids.JPEG2000,
    uids.HTJ2K,
)
"""Each is offered on its own, so that an image comes as it is stored: of several in one offer a server picks one."""
_MOST_CLASSES = 8
"""Kinds of objects in one association: times 15 syntaxes it is below the 128 contexts that there may be."""
_BY_MODALITY = {
    "CT": (uids.CTImageStorage, uids.EnhancedCTImageStorage, uids.LegacyConvertedEnhancedCTImageStorage),
    "MR": (uids.MRImageStorage, uids.EnhancedMRImageStorage, uids.LegacyConvertedEnhancedMRImageStorage),
    "PT": (
        uids.PositronEmissionTomographyImageStorage,
        uids.EnhancedPETImageStorage,
        uids.LegacyConvertedEnhancedPETImageStorage,
    ),
    "NM": (uids.NuclearMedicineImageStorage,),
    "SEG": (uids.SegmentationStorage,),
    "RTSTRUCT": (uids.RTStructureSetStorage,),
    "SR": (
        uids.Comprehensive3DSRStorage,
        uids.ComprehensiveSRStorage,
        uids.EnhancedSRStorage,
        uids.BasicTextSRStorage,
    ),
}
_FILMS = (
    uids.ComputedRadiographyImageStorage,
    uids.DigitalXRayImageStorageForPresentation,
    uids.DigitalXRayImageStorageForProcessing,
    uids.SecondaryCaptureImageStorage,
)
"""What an image is where the server does not tell its SOP class."""
_PENDING = (0xFF00, 0xFF01)


class DimseLink:
    """Associations with a server, as `link.Link` says: one at a time, kept open while it serves."""

    def __init__(self, server: Server, sleep: Callable[[float], None]) -> None:
        self.server, self.sleep = server, sleep
        self._wire: Wire | None = None
        self._offered: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._kinds: dict[str, str] = {}
        self._came: list[tuple[str, bytes]] = []

    def studies(self, wanted: Wanted) -> Iterator[Entry]:
        """The studies of a patient."""
        return self._find("STUDY", {"PatientID": wanted.patient_id, "StudyDate": wanted.days, "StudyInstanceUID": ""})

    def series(self, study_uid: str) -> Iterator[Entry]:
        """The series of a study."""
        wanted = dict.fromkeys(("SeriesInstanceUID", "Modality", "NumberOfSeriesRelatedInstances"), "")
        return self._find("SERIES", {"StudyInstanceUID": study_uid} | wanted)

    def instances(self, series: RemoteSeries) -> Iterator[Entry]:
        """The instances of a series; what kind each is, is remembered for `image`."""
        of = {"StudyInstanceUID": series.study_uid, "SeriesInstanceUID": series.series_uid}
        self._kinds = {}
        for one in self._find("IMAGE", of | {"SOPInstanceUID": "", "SOPClassUID": ""}):
            self._kinds[one["SOPInstanceUID"]] = one["SOPClassUID"]
            yield one

    def image(self, series: RemoteSeries, uid: str) -> tuple[Dataset, bytes]:
        """One image, to the byte as it was sent."""
        kind = self._kinds.get(uid, "")
        kinds = (kind,) if is_uid(kind) else _BY_MODALITY.get(series.modality, _FILMS)
        asked = {
            "StudyInstanceUID": series.study_uid,
            "SeriesInstanceUID": series.series_uid,
            "SOPInstanceUID": uid,
        }
        return self._ask(lambda: self._get(kinds, asked))

    def store(self, dataset: Dataset) -> None:
        """Store an object; one that is there already is no fault."""
        kind, syntax = str(dataset.SOPClassUID), str(dataset.file_meta.TransferSyntaxUID)
        status = self._ask(lambda: self._send(dataset, kind, syntax))
        if status and status & 0xF000 != 0xB000:  # warnings: it is stored
            raise refused(status, self.server)

    def close(self) -> None:
        """End what is open."""
        if self._wire is not None:
            with suppress(OSError):
                self._wire.close()
            self._wire = None

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer, with a new association where the last one broke. Raises `ServerError`."""

        def once() -> Answer:
            try:
                return question()
            except ObjectRefusedError:
                raise
            except (ServerError, MayPassError):
                self._drop()
                raise
            except (*BROKEN_HEADER, RuntimeError) as error:
                self._drop()
                what = f"an answer that cannot be read ({type(error).__name__})"
                told = ServerError(what, where=self.server.where, way_out="try again, or ask its keeper")
                raise MayPassError(told) from error

        return answered(once, self.sleep)

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.drop()
            self._wire = None

    def _open(self, kinds: Sequence[str] = (), syntaxes: tuple[str, ...] = _SYNTAXES) -> Wire:
        """An association in which such objects may come, or go in such syntaxes; the one that is open if it will do."""
        had, had_syntaxes = self._offered
        will_do = set(kinds) <= set(had) and (not kinds or syntaxes == had_syntaxes)
        if self._wire is not None and self._wire.association.is_established and will_do:
            return self._wire
        self.close()
        fetching = syntaxes == _SYNTAXES
        kept = had if fetching and had_syntaxes == syntaxes else ()
        kinds = tuple(dict.fromkeys((*kinds, *kept)))[:_MOST_CLASSES]
        self._offered = kinds, syntaxes
        self._wire = Wire(
            self.server, _contexts(kinds, syntaxes), scp_of=kinds if fetching else (), on_store=self._on_store
        )
        return self._wire

    def _find(self, level: str, asked: Mapping[str, str]) -> Iterator[Entry]:
        return iter(self._ask(lambda: self._found(level, asked)))

    def _found(self, level: str, asked: Mapping[str, str]) -> list[Entry]:
        wire = self._open()
        if not wire.takes(_FIND):
            raise self._unable("search (C-FIND)")
        found: list[Entry] = []
        with wire.watched():
            for status, entry in wire.association.send_c_find(_identifier(level, asked), _FIND):
                if self._code(wire, status) not in _PENDING:
                    break
                if entry is not None:
                    found.append({keyword: _text(entry, keyword) for keyword in asked})
                if len(found) > MOST_LISTED:
                    what = f"a list of more than {MOST_LISTED} entries"
                    raise ServerError(what, where=self.server.where, way_out="ask for fewer: days, modalities")
        if code := status.Status:
            raise self._unable("search (C-FIND)", code)
        return found

    def _get(self, kinds: Sequence[str], asked: Mapping[str, str]) -> tuple[Dataset, bytes]:
        wire = self._open(kinds)
        if not wire.takes(_GET):
            raise self._unable("give images by C-GET")
        if not any(wire.takes(kind) for kind in kinds):
            raise ObjectRefusedError(
                "the server accepts no presentation context for this kind of image",
                where=self.server.where,
                way_out="ask its keeper",
            )
        self._came = []
        with wire.watched():
            for status, _ in wire.association.send_c_get(_identifier("IMAGE", asked), _GET):
                code = self._code(wire, status)
                if code not in _PENDING:
                    break
        came, self._came = self._came, []
        if len(came) > 1:
            what = "the server sent more than it was asked for"
            raise ServerError(what, where=self.server.where, way_out="ask its keeper")
        if not came:
            raise self._unable("send the image (C-GET)", code)
        return _whole(came[0][1]), came[0][1]

    def _on_store(self, event: Any) -> int:
        """What the server sends meanwhile. More than one is counted, and not kept."""
        if self._came:
            self._came.append(("", b""))
            return 0xA700
        self._came.append((str(event.request.AffectedSOPInstanceUID), event.encoded_dataset()))
        return 0x0000

    def _send(self, dataset: Dataset, kind: str, syntax: str) -> int:
        wire = self._open((kind,), (syntax, *_PLAIN) if syntax in _PLAIN else (syntax,))
        if not wire.takes(kind):
            raise ObjectRefusedError(
                "the server accepts no presentation context for this kind of object",
                where=self.server.where,
                way_out="ask its keeper",
            )
        with wire.watched():
            return self._code(wire, wire.association.send_c_store(dataset))

    def _code(self, wire: Wire, status: Dataset) -> int:
        """The status of a response. Raises what is told of an association that ended before it came."""
        if "Status" not in status:
            raise wire.broken()
        return int(status.Status)

    def _unable(self, what: str, code: int | None = None) -> ServerError:
        told = f"the server does not {what}" + (f" (status {code:04X})" if code is not None else "")
        way_out = "ask its keeper for the right of our AE title to do so, or ask it through DICOMweb"
        return ServerError(told, where=self.server.where, way_out=way_out)


@contextmanager
def dimse_link(server: Server, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[DimseLink]:
    """A link to a server; nothing of what is asked is logged. Raises `SettingsError` without the extra `pacs`."""
    try:
        import pynetdicom  # noqa: F401 - whether it is there
    except ImportError as error:
        raise SettingsError("the classic DICOM network needs the package pynetdicom", way_out=EXTRA) from error
    with unheard(), silenced("pynetdicom"):
        link = DimseLink(server, sleep)
        try:
            yield link
        finally:
            link.close()


def _contexts(kinds: Sequence[str], syntaxes: Sequence[str]) -> list[PresentationContext]:
    from pynetdicom import build_context

    asked = [build_context(one, list(_PLAIN)) for one in (_VERIFY, _FIND, _GET)]
    return asked + [build_context(kind, syntax) for kind in kinds for syntax in dict.fromkeys(syntaxes)]


def _identifier(level: str, asked: Mapping[str, str]) -> Dataset:
    from pydicom import Dataset

    identifier = Dataset()
    if not all(text.isascii() for text in asked.values()):
        identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level
    for keyword, text in asked.items():
        setattr(identifier, keyword, text)
    return identifier


def _text(entry: Dataset, keyword: str) -> str:
    """The value, blank where there is none or it is damaged."""
    try:
        value = entry.get(keyword)
        return "" if value is None else str(value).strip()
    except BROKEN_HEADER:
        return ""


def _whole(raw: bytes) -> Dataset:
    """The image in the bytes of a file. Raises `ValueError` where its last element ends before its time."""
    from pydicom import dcmread
    from pydicom.dataelem import RawDataElement

    dataset = dcmread(BytesIO(raw))
    for tag in dataset.keys():  # noqa: SIM118 - a Dataset yields its elements, converted
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement) and element.length not in {0xFFFFFFFF, len(element.value or b"")}:
            raise ValueError("a part of an image")
    return dataset
