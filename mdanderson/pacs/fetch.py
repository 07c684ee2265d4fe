"""Images of a list of patients, from a PACS into a folder: what is there already is not fetched again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.dataelem import RawDataElement

from mdanderson.batch.store import make_folder, sweep, write_together
from mdanderson.errors import OutputError, Problem, ServerError, Severity
from mdanderson.pacs.link import Link, RemoteSeries, linked
from mdanderson.pacs.query import instances_of, series_of_patient
from mdanderson.pacs.server import Server
from mdanderson.pacs.wanted import Wanted
from mdanderson.readers.dicom_elements import BROKEN_HEADER, unheard
from mdanderson.readers.dicom_index import Facts, look_at

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["Fetched", "Standing", "fetch"]

_MOST_IN_A_ROW = 3
"""Images that cannot be had, one after the other, before the server is left alone."""
_DEFER_BYTES = 2**12
_PIXEL_DATA = 0x7FE00010
_NO_LENGTH = 0xFFFFFFFF
_END_OF_PIXELS = b"\xfe\xff\xdd\xe0\0\0\0\0"
"""What ends a file with compressed pixels, whose length is not told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far a transfer is. patients: of how many; images: fetched now; kept: those that were there already."""

    patients: int
    done: int = 0
    images: int = 0
    kept: int = 0
    bytes: int = 0


@dataclass(kw_only=True, slots=True)
class Fetched:
    """What came of it. standing: at the end. stopped: why it ended before its end; blank where it did not."""

    standing: Standing
    problems: list[Problem] = field(default_factory=list)
    stopped: str = ""

    @property
    def errors(self) -> int:
        """Problems that cost an image."""
        return sum(problem.severity is Severity.ERROR for problem in self.problems)


def fetch(
    server: Server,
    wanted: Sequence[Wanted],
    folder: Path,
    *,
    modalities: Sequence[str],
    progress: Callable[[Standing], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Fetch every image of the wanted patients into `folder`, a folder a series, each file as a whole or not at all.

    Names of folders and files are hashes: nothing that a server sends becomes part of a path. A patient who is not
    there, and an image that cannot be had, are problems. Raises `ServerError` where nothing could be asked at all,
    `OutputError`, `SettingsError` without the extra `pacs`.
    """
    _check(folder)
    fetched = Fetched(standing=Standing(patients=len(wanted)))
    tell = progress or (lambda _: None)
    with linked(server, sleep=sleep) as link:
        for number, one in enumerate(wanted):
            try:
                _patient(link, one, folder, modalities, fetched, tell)
            except ServerError as error:
                if not number and not fetched.standing.images and not fetched.standing.kept:
                    raise
                fetched.stopped = str(error)
                fetched.problems.append(Problem.from_error(error, patient_id=one.patient_id))
                break
            fetched.standing = replace(fetched.standing, done=number + 1)
            tell(fetched.standing)
    return fetched


def _check(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError("not a folder", where=str(folder), way_out="name a folder")
    make_folder(folder)


def _patient(
    link: Link,
    one: Wanted,
    folder: Path,
    modalities: Sequence[str],
    fetched: Fetched,
    tell: Callable[[Standing], None],
) -> None:
    found = series_of_patient(link, one, modalities)
    if not found:
        fetched.problems.append(
            Problem(
                patient_id=one.patient_id,
                where=link.server.where,
                what="no image of this patient that is wanted",
                how_to_fix="check patient_id, days and modalities",
            )
        )
    for series in found:
        name = f"{series.date or 'undated'}_{series.modality}_{_hash(series.series_uid)}"
        _series(link, series, folder / f"patient-{_hash(one.patient_id)}" / name, fetched, tell)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _series(link: Link, series: RemoteSeries, place: Path, fetched: Fetched, tell: Callable[[Standing], None]) -> None:
    instances = instances_of(link, series)
    make_folder(place)
    sweep(place)
    here = _complete(place)
    failed: list[ServerError] = []
    in_a_row = 0
    for uid in instances:
        standing = fetched.standing
        if uid in here:
            fetched.standing = replace(standing, kept=standing.kept + 1)
            continue
        try:
            size = _instance(link, series, uid, place)
        except ServerError as error:
            failed.append(error)
            in_a_row += 1
            if in_a_row >= _MOST_IN_A_ROW:
                raise
            continue
        in_a_row = 0
        fetched.standing = replace(standing, images=standing.images + 1, bytes=standing.bytes + size)
        tell(fetched.standing)
    why = _short(series, instances, failed)
    if why:
        fetched.problems.append(
            Problem(
                patient_id=series.patient_id,
                visit=str(series.date or ""),
                where=f"{series.modality} {place.name}",
                what=why,
                how_to_fix="run the same command again: what is here is kept",
            )
        )


def _short(series: RemoteSeries, instances: Sequence[str], failed: Sequence[ServerError]) -> str:
    """What is missing of a series; blank where nothing is."""
    if failed:
        what = f"{len(failed)} of {len(instances)} images of a series could not be fetched"
        return f"{what}: {failed[0].what}"
    if len(instances) < (series.images or 1):
        told = f"{series.images} images" if series.images else "images"
        return f"the server lists {len(instances) or 'none'} of a series of {told}"
    return ""


def _complete(place: Path) -> set[str]:
    """The instances that are in a folder, by their own headers; what was cut since is fetched again."""
    names = sorted(path.name for path in place.glob("*.dcm") if _is_whole(path))
    return {one.instance_uid for one in look_at(place, names) if isinstance(one, Facts)}


def _is_whole(path: Path) -> bool:
    """Whether the pixels of a file are there to the last, as far as its header tells."""
    try:
        with unheard(), path.open("rb") as file:
            wanted = ["SOPInstanceUID", "Rows", "PixelData"]
            header = dcmread(file, specific_tags=wanted, defer_size=_DEFER_BYTES, force=True)
            pixels = next((one for one in header.values() if one.tag == _PIXEL_DATA), None)  # its value is not read
            size = path.stat().st_size
            if not isinstance(pixels, RawDataElement):
                return "SOPInstanceUID" in header and "Rows" not in header  # a report has no pixels
            if pixels.length != _NO_LENGTH:
                return bool(pixels.value_tell + pixels.length <= size)
            file.seek(max(0, size - len(_END_OF_PIXELS)))
            return file.read() == _END_OF_PIXELS
    except (*BROKEN_HEADER, OSError):
        return False


def _instance(link: Link, series: RemoteSeries, uid: str, place: Path) -> int:
    """Fetch one image; its bytes. Raises `ServerError`, also where the server sends another one."""
    dataset, raw = link.image(series, uid)
    for keyword, meant in (
        ("SOPInstanceUID", uid),
        ("SeriesInstanceUID", series.series_uid),
        ("PatientID", series.patient_id),
    ):
        if _text(dataset, keyword) != meant:
            raise ServerError(
                f"the server sent another image than it was asked for ({keyword})",
                where=link.server.where,
                way_out="ask its keeper",
            )
    write_together((place / f"{_hash(uid)}.dcm",), [(raw,)])
    return len(raw)


def _text(dataset: Dataset, keyword: str) -> str:
    """The value, blank where it is damaged."""
    try:
        return str(dataset.get(keyword, "")).strip()
    except BROKEN_HEADER:
        return ""
