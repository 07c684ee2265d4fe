"""One file of each instance. The same bytes twice are one; where they differ, a folder that holds all of a series wins.

Only files that claim the same SOPInstanceUID are read as a whole, to be compared.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pydicom import dcmread

from mdanderson.errors import Problem, Severity
from mdanderson.readers.dicom_elements import BROKEN_HEADER, items, text, unheard
from mdanderson.readers.dicom_index.facts import Facts
from mdanderson.readers.dicom_index.series import MASKS

__all__ = ["are_parts", "draw_the_same", "one_of_each"]

_LARGEST = 2**31
_BLOCK = 2**20


def one_of_each(root: Path, files: Sequence[Facts], name: str) -> tuple[list[Facts], list[Problem], bool]:
    """One file of each instance of a series, what is to be told of the others, and whether none can be trusted.

    name: how the series is told of.
    """
    by_instance: dict[str, list[Facts]] = defaultdict(list)
    for one in sorted(files, key=lambda one: one.path):
        by_instance[one.instance_uid or one.path].append(one)
    several = {uid: alike for uid, alike in by_instance.items() if len(alike) > 1}
    if not several:
        return [alike[0] for alike in by_instance.values()], [], False
    where = next(iter(several.values()))[1].path
    if all(one.modality in MASKS for one in files) and not all(_are_one(root, alike) for alike in several.values()):
        return _newest_of_each(by_instance, name, where)
    whole = _folder_with_all(by_instance)
    chosen = [next((one for one in alike if one.folder == whole), alike[0]) for alike in by_instance.values()]
    left = sum(len(alike) - 1 for alike in several.values())
    if all(_are_one(root, alike) for alike in several.values()):
        told = f"{name}: {left} file(s) hold an image that is there already, byte for byte"
        return chosen, [_problem(Severity.INFO, where, told, "nothing: each is used once")], False
    if whole is not None:
        told = f"{name}: {left} file(s) claim to be an image that is there already, and differ from it"
        used = f"the series in the folder {whole or '.'} is used; delete the other copies if that is wrong"
        return chosen, [_problem(Severity.WARNING, where, told, used)], False
    told = (
        f"{name}: {left} file(s) claim to be an image that is there already and differ, and no folder holds one whole"
    )
    if all(_have_one_picture(root, alike) for alike in several.values()):
        used = "their pixels are the same: the first by name is used"
        return chosen, [_problem(Severity.WARNING, where, told, used)], False
    return chosen, [_problem(Severity.ERROR, where, told, "export the series again, or delete the wrong copies")], True


def _newest_of_each(
    by_instance: dict[str, list[Facts]], name: str, where: str
) -> tuple[list[Facts], list[Problem], bool]:
    """Of masks that were saved again under their UID the last; none where two were saved at once."""
    ordered = [sorted(alike, key=lambda one: one.content_time) for alike in by_instance.values()]
    is_open = any(len(each) > 1 and each[-1].content_time == each[-2].content_time for each in ordered)
    told = (
        f"{name}: {sum(map(len, ordered)) - len(ordered)} file(s) claim to be a mask that is there already, and differ"
    )
    if is_open and not all(one.is_export for each in ordered for one in each):
        problem = _problem(Severity.ERROR, where, told, "delete the wrong copies")
    else:
        problem = _problem(Severity.WARNING, where, f"{told}: the newest is used", "delete the other copies")
        is_open = False
    return [each[-1] for each in ordered], [problem], is_open


def _problem(severity: Severity, where: str, what: str, how_to_fix: str) -> Problem:
    return Problem(severity=severity, where=where, what=what, how_to_fix=how_to_fix)


def _folder_with_all(by_instance: dict[str, list[Facts]]) -> str | None:
    """The first folder that holds every instance once."""
    holding: dict[str, int] = defaultdict(int)
    twice = set()
    for alike in by_instance.values():
        folders = [one.folder for one in alike]
        for folder in set(folders):
            holding[folder] += 1
            if folders.count(folder) > 1:
                twice.add(folder)
    return next((each for each in sorted(holding) if holding[each] == len(by_instance) and each not in twice), None)


def _are_one(root: Path, alike: Sequence[Facts]) -> bool:
    """Whether all are the same bytes; names of one file are not even read."""
    different = list({one.inode: one for one in alike}.values())
    if len({one.size for one in different}) > 1:
        return False
    return len(different) == 1 or len({_digest(root / one.path) for one in different}) == 1


def _digest(path: Path) -> str:
    """Of the content; a file that cannot be read is like no other."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return str(path)
    return digest.hexdigest()


def _have_one_picture(root: Path, alike: Sequence[Facts]) -> bool:
    """Whether the pixels, as they are stored, are the same."""
    return len({_picture(root / one.path, one.size) for one in alike}) == 1


def _picture(path: Path, size: int) -> str:
    if size > _LARGEST:
        return str(path)
    try:
        with unheard():
            dataset = dcmread(path, specific_tags=["PixelData"], force=True)
            stored = dataset.file_meta.get("TransferSyntaxUID", "")
            return f"{stored} {hashlib.sha256(dataset.PixelData).hexdigest()}"
    except (*BROKEN_HEADER, OSError):
        return str(path)


def draw_the_same(root: Path, masks: Sequence[Facts]) -> bool:
    """Whether segmentations hold the same lesions in the same voxels, whoever saved them and when."""
    return len({_drawing(root / one.path, one.size) for one in masks}) == 1


def _drawing(path: Path, size: int) -> str:
    """Of pixels, places and tracking UIDs; a file that cannot be read, or is no SEG, is like no other."""
    if size > _LARGEST:
        return str(path)
    wanted = ["PixelData", "SegmentSequence", "PerFrameFunctionalGroupsSequence", "Rows", "Columns", "BitsAllocated"]
    try:
        with unheard():
            dataset = dcmread(path, specific_tags=wanted, force=True)
            told = [str(dataset.file_meta.get("TransferSyntaxUID", "")), str((dataset.Rows, dataset.Columns))]
            told += [f"{text(one, 'SegmentNumber')} {text(one, 'TrackingUID')}" for one in dataset.SegmentSequence]
            for frame in dataset.PerFrameFunctionalGroupsSequence:
                told += [text(one, "ImagePositionPatient") for one in items(frame, "PlanePositionSequence")]
                told += [text(one, "ReferencedSegmentNumber") for one in items(frame, "SegmentIdentificationSequence")]
            return hashlib.sha256("\n".join(told).encode() + dataset.PixelData).hexdigest()
    except (*BROKEN_HEADER, OSError):
        return str(path)


def are_parts(root: Path, one: Facts, other: Facts) -> bool:
    """Whether two masks show different lesions, not one reading saved again.

    No label and no tracking UID is in both, or no slice is. What cannot be read is no part.
    """
    here, there = (_named(root / each.path, each.size) for each in (one, other))
    if here is None or there is None:
        return False
    (names, places), (other_names, other_places) = here, there
    differ = bool(names and other_names) and not names & other_names
    return differ or (bool(places and other_places) and not places & other_places)


def _named(path: Path, size: int) -> tuple[set[str], set[str]] | None:
    """Labels and tracking UIDs of the segments; places of the frames."""
    if size > _LARGEST:
        return None
    wanted = ["SegmentSequence", "StructureSetROISequence", "PerFrameFunctionalGroupsSequence"]
    try:
        with unheard():
            dataset = dcmread(path, specific_tags=wanted, force=True)
            segments = items(dataset, "SegmentSequence")
            names = {text(one, "SegmentLabel").strip().casefold() for one in segments}
            names |= {text(one, "TrackingUID") for one in segments}
            names |= {text(one, "ROIName").strip().casefold() for one in items(dataset, "StructureSetROISequence")}
            frames = items(dataset, "PerFrameFunctionalGroupsSequence")
            places = {text(at, "ImagePositionPatient") for one in frames for at in items(one, "PlanePositionSequence")}
            return names - {""}, places - {""}
    except (*BROKEN_HEADER, OSError):
        return None
