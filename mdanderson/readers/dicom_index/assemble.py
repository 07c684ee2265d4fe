"""From what single files tell to a cohort: patients, series, masks, and of each examination the image to measure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mdanderson.errors import Problem, Severity
from mdanderson.readers.dicom_index.choose import Candidate, choose
from mdanderson.readers.dicom_index.copies import one_of_each
from mdanderson.readers.dicom_index.deeper import Deeper, Part, wants_a_closer_look
from mdanderson.readers.dicom_index.facts import Facts, Looked, is_uid
from mdanderson.readers.dicom_index.found import ImageRow, Indexed, SeriesRow, series_row, series_rows
from mdanderson.readers.dicom_index.masks import Links, link
from mdanderson.readers.dicom_index.patients import name_patients
from mdanderson.readers.dicom_index.places import Places
from mdanderson.readers.dicom_index.series import MASKS, REPORTS, Series, grouped, series_of, unusable
from mdanderson.vocabulary import Modality

__all__ = ["Sorted", "settle", "sort_files"]

_MOST_TOLD = 500
"""Damaged files that are named one by one."""
_UNDATED = "its headers tell no date"
_OVERNIGHT = dt.timedelta(days=1)
_FIRST_DAY = dt.date(1970, 1, 1)
"""Nobody was scanned before it: consoles without a clock write 1900-01-01."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorted:
    """Files as series. closer: the series that want a closer look before anything can be chosen."""

    root: Path
    series: tuple[Series, ...]
    closer: tuple[Series, ...]
    files: tuple[Facts, ...]
    spoiled: frozenset[str]
    problems: tuple[Problem, ...]
    looked: int
    ignored: int
    directories: int


def sort_files(
    root: Path,
    looked: Sequence[Looked],
    *,
    by_folder: bool = False,
    named: Callable[[str], str] | None = None,
) -> Sorted:
    """Series of what the files tell. by_folder, named: what patients are called, as of `name_patients`."""
    faults = [one for one in looked if isinstance(one, Problem)]
    facts = sorted((one for one in looked if isinstance(one, Facts)), key=lambda one: one.path)
    dicom = [one for one in facts if one.modality != "DICOMDIR"]
    patients, problems = name_patients(dicom, by_folder=by_folder, named=named)
    known = [one for one in dicom if one.path in patients]
    problems += _bounded(faults)
    usable = [one for one in known if is_uid(one.series_uid)]
    problems += _without_series(known, patients)
    series: list[Series] = []
    for uid, files in grouped(usable).items():
        made, told = _series(root, uid, files, patients)
        series += [made] if made else []
        problems += told
    problems += _impossible_days(series)
    problems += _other_days(series)
    return Sorted(
        root=root,
        series=tuple(series),
        closer=tuple(one for one in series if not unusable(one) and wants_a_closer_look(one)),
        files=tuple(dicom),
        spoiled=frozenset(_folder_of(one.where) for one in faults if one.severity is Severity.ERROR),
        problems=tuple(problems),
        looked=len(looked),
        ignored=sum(one is None for one in looked),
        directories=len(facts) - len(dicom),
    )


def _impossible_days(series: Iterable[Series]) -> list[Problem]:
    """A line for every patient's day that cannot be; tomorrow may be today on the other side of the earth."""
    last = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    odd = {(one.patient_id, one.date): one for one in series if one.date and not _FIRST_DAY <= one.date <= last}
    return [
        Problem(
            severity=Severity.WARNING,
            patient_id=patient_id,
            visit=str(date),
            where=one.first.path,
            what=f"{date} cannot be the study's day: {'in the future' if date > last else 'before scanners were'}",
            how_to_fix="correct the column date in the manifest: courses and visits go by it",
        )
        for (patient_id, date), one in odd.items()
        if date is not None
    ]


def _other_days(series: Iterable[Series]) -> list[Problem]:
    """A line for every study that is of another day than its images: a disc that was imported into one of today."""
    odd = {
        (one.patient_id, one.date, one.first.acquired): one.first.path
        for one in series
        if one.kind is not None and one.date and one.first.acquired and abs(one.first.acquired - one.date) > _OVERNIGHT
    }
    return [
        Problem(
            severity=Severity.WARNING,
            patient_id=patient_id,
            visit=str(date),
            where=path,
            what=f"a study of {date} with images acquired on {acquired}: dated as the study",
            how_to_fix="correct the column date in the manifest if it was imported: courses and visits go by it",
        )
        for (patient_id, date, acquired), path in odd.items()
    ]


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _bounded(faults: list[Problem]) -> list[Problem]:
    ordered = sorted(faults, key=lambda one: one.where)
    if len(ordered) <= _MOST_TOLD:
        return ordered
    more = Problem(
        what=f"and {len(ordered) - _MOST_TOLD} more files that cannot be used", how_to_fix="copy or export them again"
    )
    return [*ordered[:_MOST_TOLD], more]


def _without_series(files: Iterable[Facts], patients: Mapping[str, str]) -> list[Problem]:
    """A line for every folder with instances that belong to no series."""
    lost: dict[tuple[str, str], list[Facts]] = defaultdict(list)
    for one in files:
        if not is_uid(one.series_uid):
            lost[patients[one.path], one.folder].append(one)
    return [
        Problem(
            patient_id=patient_id,
            where=files[0].path,
            what=f"{len(files)} file(s) without a usable SeriesInstanceUID: left out",
            how_to_fix="export them again; a folder with one such image can be named in the manifest by hand",
        )
        for (patient_id, _), files in sorted(lost.items())
    ]


def _series(
    root: Path, uid: str, files: list[Facts], patients: Mapping[str, str]
) -> tuple[Series | None, list[Problem]]:
    """The series of these files; None where they contradict each other."""
    owners = sorted({patients[one.path] for one in files})
    kinds = sorted({one.modality for one in files})
    first = files[0]
    name = f"series {'?' if first.number is None else first.number}"
    for found, what in ((owners, "patients"), (kinds, "modalities")):
        if len(found) > 1:
            fault = Problem(
                patient_id=owners[0] if len(owners) == 1 else "",
                where=first.path,
                what=f"{name}: files of {len(found)} {what} claim to be one series",
                how_to_fix="export them again; nothing is guessed",
            )
            return None, [fault]
    kept, told, is_doubtful = one_of_each(root, files, name)
    told = [problem.of(patient_id=owners[0], visit=str(first.date or "")) for problem in told]
    if is_doubtful:
        return None, told
    return series_of(uid, owners[0], kept, copies=len(files) - len(kept)), told


def settle(found: Sorted, deeper: Mapping[str, Deeper]) -> Indexed:
    """The cohort. deeper: what a closer look told of each series of `Sorted.closer`, by UID."""
    images = [one for one in found.series if one.kind is not None]
    others = [one for one in found.series if one.modality in MASKS | REPORTS]
    links = link(images, others, found.root)
    ledger = _Ledger(links=links)
    candidates = [candidate for one in images for candidate in _candidates(one, deeper, ledger)]
    chosen, left = choose(candidates)
    for one, reason in left:
        ledger.leave(one, reason)
    places = Places.of(found.files, found.spoiled)
    rows = [_image_row(one, links, places, ledger) for one in chosen]
    series = [*ledger.rows(images), *_other_rows(found.series, links)]
    return Indexed(
        images=tuple(sorted(rows, key=_order_of_image)),
        series=tuple(sorted(series, key=_order_of_series)),
        problems=tuple(dict.fromkeys([*found.problems, *links.problems, *ledger.problems])),
        files=found.looked,
        dicom=len(found.files),
        ignored=found.ignored,
        directories=found.directories,
        patients=tuple(sorted({one.patient_id for one in found.series})),
    )


def _order_of_image(row: ImageRow) -> tuple[str, ...]:
    return (row.patient_id, str(row.date), row.modality, row.sequence, row.image, row.series)


def _order_of_series(row: SeriesRow) -> tuple[object, ...]:
    return (row.patient_id, str(row.date or ""), row.modality, row.series_number or 0, row.series)


@dataclass(kw_only=True, slots=True)
class _Ledger:
    """What became of every image; the only thing here that changes."""

    links: Links
    told: dict[str, list[tuple[Candidate, bool, str]]] = field(default_factory=lambda: defaultdict(list))
    faults: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, one: Series, why: str) -> None:
        """A series that cannot be measured; where somebody drew on it, that is a problem."""
        self.faults[one.uid] = why
        mask = self.links.lesions.get(one.uid)
        if why == _UNDATED:
            self._warn(
                one, one.first.path, f"{one.name} is left out: {why}", "write it into the manifest with its date"
            )
        elif mask is not None:
            self._warn(one, mask.path, f"a mask was drawn on {one.name}, which cannot be measured: {why}")

    def leave(self, one: Candidate, reason: str) -> None:
        """An image in whose place another is measured."""
        self.told[one.series.uid].append((one, False, reason))
        mask = self.links.lesions.get(one.series.uid)
        if one.mask and mask is not None:
            self._warn(one.series, mask.path, f"its mask is not used: {one.series.name} has one too; {reason}")
            self.links.remarks[mask.path] = f"not used: {reason}"

    def use(self, one: Candidate, why: str) -> None:
        """An image that is measured."""
        self.told[one.series.uid].append((one, True, why))
        stack = one.part.stack
        if one.kind is Modality.XR:
            return
        if not stack.is_even:
            what = f"{one.series.name} has missing or doubled slices ({stack.slices} in {stack.places} places)"
            self._warn(one.series, one.series.first.path, what, "export it again: as it is it cannot be measured")
        elif stack.has_gaps and one.kind is not Modality.MR:
            what = f"{one.series.name}: slices of {stack.thickness_mm:g} mm every {stack.step_mm:g} mm"
            self._warn(
                one.series, one.series.first.path, what, "use a contiguous series: body between them is not shown"
            )

    def rows(self, images: Iterable[Series]) -> Iterator[SeriesRow]:
        """The list of all images."""
        for one in images:
            if one.uid in self.faults:
                yield series_row(one, used=False, reason=self.faults[one.uid])
            yield from series_rows(one, sorted(self.told.get(one.uid, ()), key=lambda told: told[0].part.number))

    def _warn(self, one: Series, where: str, what: str, how_to_fix: str = "") -> None:
        self.problems.append(
            Problem(
                severity=Severity.WARNING,
                patient_id=one.patient_id,
                visit=str(one.date or ""),
                where=where,
                what=what,
                how_to_fix=how_to_fix or "name image and mask in the manifest by hand if they are what is meant",
            )
        )


def _candidates(one: Series, deeper: Mapping[str, Deeper], ledger: _Ledger) -> Iterator[Candidate]:
    """The images of a series that could be measured; why there is none goes to the ledger."""
    closer = deeper.get(one.uid, Deeper(parts=_parts(one)))
    fault = unusable(one) or closer.fault or ("" if one.date else _UNDATED)
    if fault:
        ledger.refuse(one, fault)
        return
    mask = one.uid in ledger.links.lesions
    for part in closer.parts:
        candidate = Candidate(series=one, part=part, mask=mask)
        if one.kind is Modality.MR and part.sequence is None and not mask:
            why = f"no sequence that is scored{f' ({part.why})' if part.why else ', as far as its header tells'}"
            ledger.told[one.uid].append((candidate, False, why))
        else:
            yield candidate


def _parts(one: Series) -> tuple[Part, ...]:
    """The images of a series that its own files tell of: of radiographs each file is one."""
    if one.kind is not Modality.XR:
        return (Part(stack=one.stack),)
    return tuple(Part(stack=one.stack, file=file.path, number=0) for file in one.files)


def _image_row(one: Candidate, links: Links, places: Places, ledger: _Ledger) -> ImageRow:
    series, part = one.series, one.part
    first_part = not any(used for _, used, _ in ledger.told[series.uid])
    mask = links.lesions.get(series.uid) if first_part else None
    bones = links.bones.get(series.uid)
    ledger.use(one, part.why)
    place = places.of_image(series, part)
    assert series.date is not None  # noqa: S101 - without a date it is no candidate
    return ImageRow(
        patient_id=series.patient_id,
        date=series.date,
        modality=one.kind,
        image=place.image,
        series=f"{series.uid}#{part.number}" if part.number else "" if place.is_file else series.uid,
        sequence=part.sequence or "",
        mask=mask.path if mask else "",
        bone_mask=bones.path if bones else "",
        files=place.files,
    )


def _other_rows(series: Iterable[Series], links: Links) -> Iterator[SeriesRow]:
    """What is no image: masks, reports, and all that is not looked at."""
    used = {mask.path for mask in (*links.lesions.values(), *links.bones.values())}
    for one in series:
        if one.kind is not None:
            continue
        paths = [file.path for file in one.files]
        remark = next((links.remarks[path] for path in paths if path in links.remarks), "")
        is_used = any(path in used for path in paths) and not remark.startswith("not used")
        reason = remark or ("" if one.modality in MASKS | REPORTS else f"{one.modality or 'no modality'}: not scored")
        yield series_row(one, used=is_used, reason=reason)
