"""The images of a BIDS tree with their masks: one image of each visit, modality and sequence."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdanderson.errors import ManifestError, Problem, Severity
from mdanderson.readers.bids_index.dates import Dates, sidecar
from mdanderson.readers.bids_index.names import BidsName, Meaning, mask_role, meaning_of
from mdanderson.readers.dicom_file import starts_like_dicom
from mdanderson.readers.dicom_index.found import ImageRow, Indexed, SeriesRow
from mdanderson.readers.dicom_index.walk import find_files
from mdanderson.readers.text_table import read_text_table
from mdanderson.vocabulary import Modality

__all__ = ["index_bids", "is_bids"]

_KEPT = ("sourcedata/", "code/", "derivatives/")
_OF_BIDS = (".nii", ".nii.gz", ".json", ".tsv", ".tsv.gz", ".md", ".txt", ".bval", ".bvec")
_IMAGES = (".nii", ".nii.gz")
_SUV = frozenset({"SUV", "SUVBW", "G/ML", "1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Image:
    """One raw image. path: from the root."""

    path: str
    name: BidsName
    meaning: Meaning
    datatype: str
    date: dt.date | None = None

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """Images of one key are taken for the same thing once more."""
        day = str(self.date or "")
        return self.name["sub"], self.name["ses"], day, self.meaning.modality, self.meaning.sequence or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mask:
    """One segmentation. role: lesions or bones."""

    path: str
    name: BidsName
    role: str
    datatype: str


def is_bids(root: Path) -> bool:
    """Whether a folder looks like a BIDS tree: subjects with NIfTI images in folders of datatypes."""
    subjects = [one for one in sorted(root.glob("sub-*")) if one.is_dir()]
    if not subjects:
        return False
    if (root / "dataset_description.json").is_file():
        return True
    found = (path for subject in subjects[:20] for path in (*subject.glob("*/*.nii*"), *subject.glob("ses-*/*/*.nii*")))
    return next(found, None) is not None


def index_bids(root: Path, *, named: Callable[[str], str] | None = None) -> Indexed:
    """The cohort of a BIDS tree; patients are called by participant_id (`sub-01`), visits by session.

    Raises `InputError` when the folder cannot be looked at.
    """
    files = find_files(root)
    dates = Dates(root=root)
    images, masks, others = _sorted(root, files.files, dates)
    problems = [*files.problems, *_participants(root, images), *_dicom_beside(root, files.files)]
    drawn = _drawn(images, masks, problems)
    rows, listed = [], [*others]
    for alike in _alike(images).values():
        usable = [one for one in alike if one.date is not None]
        problems += _undated(one for one in alike if one.date is None)
        listed += [_listed(one, used=False, reason="no date") for one in alike if one.date is None]
        ordered = sorted(usable, key=lambda one: ((one.path, "lesions") not in drawn, len(one.name.entities), one.path))
        for best in ordered[:1]:
            rows.append(_row(best, drawn))
            listed.append(_listed(best, used=True))
            why = f"{best.path.rpartition('/')[2]} is used: " + _why(best, drawn)
            listed += [_listed(one, used=False, reason=why) for one in ordered[1:]]
    found = Indexed(
        images=tuple(sorted(rows, key=lambda row: (row.patient_id, row.date, row.image))),
        series=tuple(sorted(listed, key=lambda row: (row.patient_id, row.folder, row.description))),
        problems=tuple(dict.fromkeys([*problems, *dates.problems])),
        files=len(files.files),
        dicom=len(images),
        ignored=len(files.files) - len(images) - len(masks) - len(others),
        patients=tuple(sorted({f"sub-{one.name['sub']}" for one in images})),
    )
    return found if named is None else _renamed(found, named)


def _sorted(root: Path, paths: Iterable[str], dates: Dates) -> tuple[list[_Image], list[_Mask], list[SeriesRow]]:
    """Images, masks, and images that are not scored."""
    images: list[_Image] = []
    masks: list[_Mask] = []
    others: list[SeriesRow] = []
    for path in paths:
        folder, _, file = path.rpartition("/")
        name = BidsName.of(file)
        if name is None or name.ending not in _IMAGES or not name["sub"]:
            continue
        parts = folder.split("/")
        pipeline = parts[1] if parts[0] == "derivatives" and len(parts) > 1 else ""
        if name.is_mask:
            role = mask_role(name, pipeline)
            if role:
                masks.append(_Mask(path=path, name=name, role=role, datatype=parts[-1]))
            else:
                others.append(_other(path, name, "a segmentation of neither lesions nor bones"))
        elif parts[0] not in {"derivatives", "sourcedata", "code"}:
            image, why = _image(root, path, name, parts[-1], dates)
            images += [image] if image else []
            others += [] if image else [_other(path, name, why)]
    return images, masks, others


def _image(root: Path, path: str, name: BidsName, datatype: str, dates: Dates) -> tuple[_Image | None, str]:
    """The image, or why it is none."""
    meaning = meaning_of(name)
    if meaning is None:
        return None, f"{name.suffix}: not scored"
    place = root / path
    if meaning.modality is Modality.PT:
        units = str(sidecar(root, place, name.suffix).get("Units", "")).strip().upper()
        if units and units not in _SUV:
            return None, f"a PET in {units[:20]}: NIfTI is read as SUV by body weight; convert it, or give the DICOM"
    subject, session = f"sub-{name['sub']}", f"ses-{name['ses']}" if name["ses"] else ""
    date = dates.of(place, subject, session)
    return _Image(path=path, name=name, meaning=meaning, datatype=datatype, date=date), ""


def _dicom_beside(root: Path, paths: Iterable[str]) -> list[Problem]:
    """A line for DICOM files in the tree: nobody looks at them, but where the standard keeps what was converted."""
    left = [path for path in paths if not path.startswith(_KEPT) and not path.endswith(_OF_BIDS)]
    found = [path for path in left if _is_dicom(root / path)]
    if not found:
        return []
    what = f"{len(found)} DICOM file(s) in a BIDS tree: not looked at"
    way_out = "index their folder by itself; in sourcedata/ they are not told of"
    return [Problem(severity=Severity.WARNING, where=found[0], what=what, how_to_fix=way_out)]


def _is_dicom(path: Path) -> bool:
    try:
        return starts_like_dicom(path)
    except OSError:
        return False


def _alike(images: Sequence[_Image]) -> dict[tuple[str, ...], list[_Image]]:
    groups: dict[tuple[str, ...], list[_Image]] = defaultdict(list)
    for one in images:
        groups[one.key].append(one)
    return {key: groups[key] for key in sorted(groups)}


def _drawn(images: Sequence[_Image], masks: Sequence[_Mask], problems: list[Problem]) -> dict[tuple[str, str], _Mask]:
    """(path of an image, role) -> the one mask of it."""
    found: dict[tuple[str, str], list[_Mask]] = defaultdict(list)
    for mask in masks:
        meant = _meant(mask, images)
        if len(meant) == 1:
            found[meant[0].path, mask.role].append(mask)
            continue
        what = "a mask without its image" if not meant else f"a mask that fits {len(meant)} images"
        fix = "name it as its image is named, with the same entities, or name it in the manifest by hand"
        problems.append(_problem(mask.name, mask.path, what, fix))
    kept = {}
    for key, several in found.items():
        kept[key] = min(several, key=lambda mask: mask.path)
        if len(several) > 1:
            what = f"{len(several)} masks of {key[1]} of one image: the first by name is used"
            problems.append(_problem(several[0].name, key[0], what, "keep one, or name the right one in the manifest"))
    return kept


def _meant(mask: _Mask, images: Sequence[_Image]) -> list[_Image]:
    """Images of the same subject and session, of the same folder of datatype, whose entities the mask has."""
    its = mask.name.source
    near = [one for one in images if all(one.name[key] == its.get(key, "") for key in ("sub", "ses"))]
    space = mask.name["space"].lower()
    if space and space != "orig":
        near = [one for one in near if one.name.suffix == space]
    else:
        near = [one for one in near if one.datatype == mask.datatype] or near
    same = [one for one in near if one.name.source == its]
    return same or [one for one in near if its.items() <= one.name.source.items()]


def _undated(images: Iterable[_Image]) -> list[Problem]:
    return [
        _problem(
            one.name,
            one.path,
            "no date: left out",
            "give acq_time in scans.tsv or sessions.tsv; visits are ordered by date",
            severity=Severity.ERROR,
        )
        for one in images
    ]


def _participants(root: Path, images: Sequence[_Image]) -> list[Problem]:
    """Who stands in participants.tsv and has no image."""
    path = root / "participants.tsv"
    if not path.is_file():
        return []
    try:
        table = read_text_table(path)
        table.require(("participant_id",))
    except ManifestError as error:
        return [Problem.from_error(error, severity=Severity.WARNING)]
    imaged = {f"sub-{one.name['sub']}" for one in images}
    return [
        Problem(
            severity=Severity.INFO,
            patient_id=row["participant_id"],
            where=table.place(row),
            what="a participant without an image that is scored",
        )
        for row in table
        if row["participant_id"] and row["participant_id"] not in imaged
    ]


def _problem(
    name: BidsName, where: str, what: str, how_to_fix: str, *, severity: Severity = Severity.WARNING
) -> Problem:
    return Problem(
        severity=severity,
        patient_id=f"sub-{name['sub']}",
        visit=name["ses"],
        where=where,
        what=what,
        how_to_fix=how_to_fix,
    )


def _why(best: _Image, drawn: dict[tuple[str, str], _Mask]) -> str:
    return "a mask was drawn on it" if (best.path, "lesions") in drawn else "it comes first by name"


def _row(one: _Image, drawn: dict[tuple[str, str], _Mask]) -> ImageRow:
    lesions, bones = (drawn.get((one.path, role)) for role in ("lesions", "bones"))
    assert one.date is not None  # noqa: S101 - those without were left out
    return ImageRow(
        patient_id=f"sub-{one.name['sub']}",
        visit=one.name["ses"],
        date=one.date,
        modality=one.meaning.modality,
        sequence=one.meaning.sequence or "",
        image=one.path,
        mask=lesions.path if lesions else "",
        bone_mask=bones.path if bones else "",
    )


def _listed(one: _Image, *, used: bool, reason: str = "") -> SeriesRow:
    folder, _, file = one.path.rpartition("/")
    return SeriesRow(
        patient_id=f"sub-{one.name['sub']}",
        date=one.date,
        modality=one.meaning.modality,
        sequence=one.meaning.sequence or "",
        description=file,
        used=used,
        reason=reason,
        images=1,
        folder=folder,
    )


def _other(path: str, name: BidsName, why: str) -> SeriesRow:
    folder, _, file = path.rpartition("/")
    kind = "SEG" if name.is_mask else ""
    return SeriesRow(
        patient_id=f"sub-{name['sub']}",
        modality=kind,
        description=file,
        used=False,
        reason=why,
        images=1,
        folder=folder,
    )


def _renamed(found: Indexed, named: Callable[[str], str]) -> Indexed:
    """The same under other names."""
    from dataclasses import replace

    return replace(
        found,
        images=tuple(replace(one, patient_id=named(one.patient_id)) for one in found.images),
        series=tuple(replace(one, patient_id=named(one.patient_id)) for one in found.series),
        problems=tuple(one.of(patient_id=named(one.patient_id) if one.patient_id else "") for one in found.problems),
        patients=tuple(map(named, found.patients)),
    )
