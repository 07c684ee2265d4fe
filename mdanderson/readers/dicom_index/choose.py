"""Which of several reconstructions of one examination is measured: rules in order, the first that differs decides.

Two images of one day and modality are reconstructions of one examination where they show the same part of the body:
in one frame of reference by the place of their slices; one that
is left out lies in the other nearly whole. Another frame of reference is another examination.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mdanderson.readers.dicom_index.deeper import Part
from mdanderson.readers.dicom_index.series import Series
from mdanderson.vocabulary import Modality, MrSequence

__all__ = ["RULES", "Candidate", "Rule", "choose", "has_contrast", "is_bone_kernel"]

_COVERED_SHARE = 0.9
"""Of an image, along every axis: one that shows less of it never stands in its place, however thin it is."""
_COVERED_SHARE_OF_REFORMATS = 0.5
"""Of a calculated image in another plane: its pictures are padded beyond what was scanned."""
_THIN_MM = (1.5, 3.0, 5.0)
"""Steps of thickness within which a bone kernel counts more than a thinner slice."""
_BONE_KERNEL = re.compile(
    r"BONE.*|EDGE"  # GE
    r"|[BHUQIJ](5[7-9]|[6-9]\d)[A-Z]?"  # Siemens: B60f, H70h, I70f (SAFIRE); the number is the sharpness
    r"|[BHUQ][A-Z](5[6-9]|[6-9]\d)[A-Z]?"  # Siemens of today: Br56d, Br64, Hr68
    r"|FC(3[0-5]|8[01])"  # Canon
    r"|[BH]_V?SHARP.*"  # United Imaging
    r"|Y?[CD]|E|YE",  # Philips
    re.IGNORECASE,
)
_BONE_NAME = re.compile(
    r"(?<![^\W\d_])(bones?|knochen|os|osseu(x|se)|hueso|[oó]se[oa]|oss[oa]?|osse[oa]|bot|kost|ko[sś][cć])(?![^\W\d_])"
    r"|骨(?![盆盤])",  # but for the pelvis
    re.IGNORECASE,
)
"""Of a series, as people call it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Candidate:
    """One image that could be measured. mask: whether something was drawn on it."""

    series: Series
    part: Part
    mask: bool = False

    @property
    def kind(self) -> Modality:
        """Its modality; a candidate has one."""
        assert self.series.kind is not None  # noqa: S101 - what has none is no candidate
        return self.series.kind

    @property
    def examination(self) -> tuple[str, ...]:
        """What it can be an alternative within: patient, day, modality, what MR weighs, from where a scan looks."""
        projection = self.series.first.projection if self.kind is Modality.XR else self.part.views
        return (self.series.patient_id, str(self.series.date), self.kind, self.part.sequence or "", projection)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One reason to prefer an image: the lesser key wins. tell: how the image stands in it, in words."""

    why: str
    key: Callable[[Candidate], Any]
    tell: Callable[[Candidate], str]
    kinds: frozenset[Modality] = frozenset(Modality)


def is_bone_kernel(one: Series) -> bool:
    """Whether a CT was reconstructed for bone, by the kernel's name or by what the series is called."""
    return _away_from_bone(one) < _NOT_FOR_BONE


_NOT_FOR_BONE = 2


def _away_from_bone(one: Series) -> int:
    """The kernel counts most, and kernels that we do not know leave the word to the description."""
    if _BONE_KERNEL.fullmatch(one.first.kernel.split("/")[0].strip()):
        return 0
    return 1 if _BONE_NAME.search(one.first.description) else _NOT_FOR_BONE


def _is_lossy(one: Candidate) -> bool:
    """Of the one file that is the image, where pictures are a file each; else of the series."""
    files = [file for file in one.series.files if one.part.file in {file.path, file.path.rpartition("/")[2]}]
    return (files or one.series.files)[0].is_lossy


def _thickness_class(one: Candidate) -> int:
    thickness = one.part.stack.apart_mm
    return len(_THIN_MM) + 1 if thickness is None else sum(thickness > limit for limit in _THIN_MM)


def _thickness(one: Candidate) -> str:
    thickness = one.part.stack.apart_mm
    return "unknown thickness" if thickness is None else f"{thickness:g} mm"


_CONTRAST_NAME = re.compile(
    r"(?<![^\W\d_])(post[ _-]?c|gado?\w*|gd|km|contrast|ce)(?![^\W\d_])|\+ ?(c|gd|km)(?![^\W\d_])",
    re.IGNORECASE,
)
_NO_CONTRAST_NAME = re.compile(
    r"(?<![^\W\d_])(pre|nativ\w*|without|ohne|non?|w[/]?o)(?![^\W\d_])|(?<!\w)- ?(c|gd|km)(?!\w)", re.IGNORECASE
)


def has_contrast(one: Series) -> bool:
    """Whether an agent was given: by the tag, else by what the series is called."""
    said = one.first.description
    called = _CONTRAST_NAME.search(said) is not None and _NO_CONTRAST_NAME.search(said) is None
    return bool(one.first.contrast) or called


_CT, _MR, _PT = frozenset({Modality.CT}), frozenset({Modality.MR}), frozenset({Modality.PT})

RULES: tuple[Rule, ...] = (
    Rule(why="a mask was drawn on it", key=lambda one: not one.mask, tell=lambda one: "mask" if one.mask else "none"),
    Rule(
        why="its slices lie evenly, one in each place",
        key=lambda one: not one.part.stack.is_even,
        tell=lambda one: "even" if one.part.stack.is_even else "missing or doubled slices",
    ),
    Rule(
        why="no body is left out between its slices",
        key=lambda one: one.part.stack.has_gaps,
        tell=lambda one: "gaps" if one.part.stack.has_gaps else "none",
        kinds=_CT | _PT,
    ),
    Rule(
        why="its header says that attenuation was corrected",
        key=lambda one: "ATTN" not in one.series.first.corrections,
        tell=lambda one: "corrected" if "ATTN" in one.series.first.corrections else "not told",
        kinds=_PT,
    ),
    Rule(
        why="it is original, not calculated from other images",
        key=lambda one: one.series.is_derived,
        tell=lambda one: "derived" if one.series.is_derived else "original",
    ),
    Rule(
        why="it was not compressed with loss",
        key=_is_lossy,
        tell=lambda one: "lossy" if _is_lossy(one) else "lossless",
    ),
    Rule(
        why="it lies in the plane of acquisition",
        key=lambda one: one.part.stack.plane not in {"axial", ""},
        tell=lambda one: one.part.stack.plane,
        kinds=_CT,
    ),
    Rule(
        why="no contrast agent was given, which lights up marrow",
        key=lambda one: one.part.sequence is MrSequence.T1 and has_contrast(one.series),
        tell=lambda one: "contrast" if has_contrast(one.series) else "none",
        kinds=_MR,
    ),
    Rule(why="it is thinner", key=_thickness_class, tell=_thickness),
    Rule(
        why="it was reconstructed for bone",
        key=lambda one: _away_from_bone(one.series),
        tell=lambda one: one.series.first.kernel or "no kernel told",
        kinds=_CT,
    ),
    Rule(why="it is thinner", key=lambda one: round(one.part.stack.apart_mm or 1e3, 3), tell=_thickness),
    Rule(
        why="it has more slices",
        key=lambda one: -one.part.stack.slices,
        tell=lambda one: f"{one.part.stack.slices}",
    ),
    Rule(
        why="it is for presentation",
        key=lambda one: one.series.first.intent != "FOR PRESENTATION",
        tell=lambda one: one.series.first.intent.casefold() or "not told",
        kinds=frozenset({Modality.XR}),
    ),
    Rule(
        why="it comes first by number",
        key=lambda one: (one.series.first.number or 0, one.series.uid, one.part.number, one.part.file),
        tell=lambda one: one.series.name if not one.part.number else f"#{one.part.number}",
    ),
)
"""In the order in which they are asked."""


def choose(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[tuple[Candidate, str]]]:
    """The images to be measured; and each that is not, with the reason, which names the one in its place."""
    examinations: dict[tuple[str, ...], list[Candidate]] = {}
    for one in candidates:
        examinations.setdefault(one.examination, []).append(one)
    chosen: list[Candidate] = []
    left: list[tuple[Candidate, str]] = []
    for examination in sorted(examinations):
        waiting = sorted(examinations[examination], key=_rank)
        while waiting:
            best, *others = waiting
            chosen.append(best)
            left += [(one, _reason(best, one)) for one in others if _shows_the_same(best, one)]
            waiting = [one for one in others if not _shows_the_same(best, one)]
    return chosen, left


def _rank(one: Candidate) -> tuple[Any, ...]:
    return tuple(rule.key(one) if one.kind in rule.kinds else 0 for rule in RULES)


def _reason(best: Candidate, other: Candidate) -> str:
    """Why `best` is measured in place of `other`."""
    name = best.part.file if best.series is other.series else best.series.name
    for rule in RULES:
        if best.kind in rule.kinds and rule.key(best) != rule.key(other):
            against = f" ({rule.tell(best)} against {rule.tell(other)})" if rule.tell(best) != rule.tell(other) else ""
            return f"{name} is used: {rule.why}{against}"
    return f"{name} is used"


def _shows_the_same(one: Candidate, other: Candidate) -> bool:
    """Whether an image of an examination shows all that another shows, and so may stand in its place."""
    here, there = one.series.first, other.series.first
    if one.kind is Modality.XR:  # no place is known: each picture is one, but for the same picture stored twice
        same = (here.projection, here.body_part, here.rows, here.columns, here.instance_number)
        return same == (there.projection, there.body_part, there.rows, there.columns, there.instance_number) and (
            here.intent != there.intent
        )
    box, other_box = one.part.stack.box, other.part.stack.box
    if one.kind is Modality.NM and not (box and other_box):  # a whole body, and a spot view of a part of it
        return (here.image_type[2:3], here.rows, here.columns, here.body_part) == (
            there.image_type[2:3],
            there.rows,
            there.columns,
            there.body_part,
        )
    if here.frame_uid != there.frame_uid and here.frame_uid and there.frame_uid:
        return False  # places cannot be compared; two of one part in the manifest do no harm, one too few loses lesions
    if box and other_box and _covered_share(box, other_box) < _share_needed(one, other):
        return False
    is_one_frame = bool(box and other_box and here.frame_uid and there.frame_uid)
    return is_one_frame or here.body_part == there.body_part or not (here.body_part and there.body_part)


_Box = tuple[tuple[float, ...], tuple[float, ...]]


def _share_needed(one: Candidate, other: Candidate) -> float:
    is_reformat = other.series.is_derived and not one.series.is_derived
    is_reformat = is_reformat and one.part.stack.plane != other.part.stack.plane
    return (_COVERED_SHARE_OF_REFORMATS if is_reformat else _COVERED_SHARE) - 1e-6


def _covered_share(one: _Box, other: _Box) -> float:
    """How much of `other` lies in `one`, along the axis where that is least."""
    shares = []
    for low, high, other_low, other_high in zip(*one, *other, strict=True):
        length = other_high - other_low
        common = min(high, other_high) - max(low, other_low)
        shares.append(common / length if length > 0 else float(common >= 0))
    return min(shares)
