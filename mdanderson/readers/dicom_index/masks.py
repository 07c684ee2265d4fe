"""Masks and reports, and the series that they were made from; what refers to nothing here is an orphan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mdanderson.errors import Problem, Severity
from mdanderson.readers.dicom_index.copies import are_parts, draw_the_same
from mdanderson.readers.dicom_index.facts import Facts
from mdanderson.readers.dicom_index.segments import MIXED
from mdanderson.readers.dicom_index.series import MASKS, Series, unusable

__all__ = ["Links", "link"]

_UNSCORED = {
    "anatomy": (Severity.INFO, "its segments are parts of the body, neither lesions nor bones: not used"),
    MIXED: (
        Severity.WARNING,
        "lesions and parts of the body are segments of one mask, and all would be scored: not used",
    ),
}
"""Kinds of segments that are never a mask of lesions."""


@dataclass(kw_only=True, slots=True)
class Links:
    """What was drawn on which series. lesions, bones: the one mask of a series, by its UID.

    remarks: of each mask or report, by path, what became of it; problems: what is wrong with them.
    """

    lesions: dict[str, Facts] = field(default_factory=dict)
    bones: dict[str, Facts] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def link(images: Sequence[Series], others: Iterable[Series], root: Path) -> Links:
    """Masks and reports (`others`) laid to the series of `images` that they refer to. root: of their paths."""
    links = Links()
    known = {one.uid: one for one in images}
    of_instance = {file.instance_uid: one.uid for one in images for file in one.files}
    drawn: dict[tuple[str, bool], list[Facts]] = defaultdict(list)
    for series in others:
        for file in series.files:
            is_mask = file.modality in MASKS
            meant = _meant(file, known, of_instance, images)
            if not meant:
                _tell_orphan(links, file, series.patient_id, is_mask=is_mask)
            elif is_mask and file.segments in _UNSCORED:
                _tell_unscored(links, file, series.patient_id)
            else:
                links.remarks[file.path] = "made from " + ", ".join(known[uid].name for uid in meant)
                if is_mask:
                    drawn[meant[0], file.segments == "bones"].append(file)
            _tell_foreign(links, file, series.patient_id, [known[uid] for uid in meant])
    for (uid, is_bones), masks in sorted(drawn.items()):
        kept = _newest(_originals(masks, known[uid], links), known[uid], links, root)
        if kept is not None:
            (links.bones if is_bones else links.lesions)[uid] = kept
    return links


def _meant(
    file: Facts, known: Mapping[str, Series], of_instance: Mapping[str, str], images: Sequence[Series]
) -> list[str]:
    """The series that a file was made from: as it says, else the only one in its frame of reference and study."""
    meant = [uid for uid in file.refers if uid in known]
    meant += [of_instance[uid] for uid in file.refers_to_images if uid in of_instance]
    if meant or file.refers or file.refers_to_images or not file.frame_uid:
        return list(dict.fromkeys(meant))
    alike = [
        one.uid
        for one in images
        if (one.first.frame_uid, one.first.study_uid) == (file.frame_uid, file.study_uid) and not unusable(one)
    ]
    return alike if len(alike) == 1 else []


def _tell_unscored(links: Links, file: Facts, patient_id: str) -> None:
    severity, what = _UNSCORED[file.segments]
    links.remarks[file.path] = what
    way_out = "if they are lesions, name the file in the column mask; or save the lesions alone as a mask of their own"
    links.problems.append(
        Problem(severity=severity, patient_id=patient_id, where=file.path, what=what, how_to_fix=way_out)
    )


def _tell_orphan(links: Links, file: Facts, patient_id: str, *, is_mask: bool) -> None:
    what = f"{'a segmentation' if is_mask else 'a report'} ({file.modality})"
    refers = file.refers or file.refers_to_images
    told = f"{what} {'whose images are not here' if refers else 'that does not tell which images it was made from'}"
    links.remarks[file.path] = told
    links.problems.append(
        Problem(
            severity=Severity.WARNING if is_mask else Severity.INFO,
            patient_id=patient_id,
            where=file.path,
            what=told,
            how_to_fix="export its images too, or name it in the column mask by hand" if is_mask else "",
        )
    )


def _tell_foreign(links: Links, file: Facts, patient_id: str, meant: Sequence[Series]) -> None:
    """A mask under another PatientID than its images: told, and used, as it names them."""
    if any(one.patient_id != patient_id for one in meant):
        links.problems.append(
            Problem(
                severity=Severity.WARNING,
                patient_id=patient_id,
                where=file.path,
                what=f"a {file.modality} under another PatientID than the images that it was made from",
                how_to_fix="check that it is the same person; it is used for those images",
            )
        )


def _originals(masks: list[Facts], on: Series, links: Links) -> list[Facts]:
    """Without what this program exported of results, where the mask that those were made from is there."""
    originals = [one for one in masks if not one.is_export]
    exports = [one for one in masks if one.is_export]
    if not originals or not exports:
        return masks
    what = f"{len(exports)} export(s) of results on {on.name}: the mask of the reader is used"
    links.problems.append(
        Problem(
            severity=Severity.INFO,
            patient_id=on.patient_id,
            visit=str(on.date or ""),
            where=min(one.path for one in exports),
            what=what,
            how_to_fix="nothing; delete the mask of the reader to use the export",
        )
    )
    links.remarks |= {one.path: "not used: " + what for one in exports}
    return originals


def _newest(masks: list[Facts], on: Series, links: Links, root: Path) -> Facts | None:
    """The mask saved last; none where several that differ could be it, or are parts of one reading."""
    ordered = sorted(masks, key=lambda one: (one.content_time, one.path))
    newest = ordered[-1]
    if len(ordered) == 1:
        return newest
    last = [one for one in ordered if one.content_time == newest.content_time]
    is_same = len(last) > 1 and draw_the_same(root, last)
    are_apart = not is_same and any(are_parts(root, one, newest) for one in ordered if one not in last)
    is_open = (len(last) > 1 and not is_same) or are_apart
    kept = "which is meant is not told" if is_open else "the newest is used"
    kept += " (they show different lesions, as one file for each)" if are_apart else ""
    if is_same and len(last) == len(ordered):
        severity, kept = Severity.INFO, "they are the same and one is used"
    else:
        severity = Severity.ERROR if is_open else Severity.WARNING
    what = f"{len(ordered)} masks of {on.name}: {kept}"
    links.problems.append(
        Problem(
            severity=severity,
            patient_id=on.patient_id,
            visit=str(on.date or ""),
            where=newest.path,
            what=what,
            how_to_fix="keep one, with all lesions in it, or name the right one in the column mask",
        )
    )
    for one in ordered if is_open else ordered[:-1]:
        links.remarks[one.path] = "not used: " + what
    return None if is_open else newest
