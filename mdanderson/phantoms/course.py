"""What a patient's specification says of every visit: which lesions there are, of what parts, and their status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.spatial.transform import Rotation

from mdanderson.errors import SettingsError
from mdanderson.phantoms.bent import Form
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.phantoms.spec import Change, LesionShape, Merge, PatientSpec, Split, VisitSpec
from mdanderson.vocabulary import LesionType, Status

__all__ = ["Seen", "course", "type_of"]

_LYTIC_BELOW_HU, _BLASTIC_ABOVE_HU = 80.0, 400.0
"""Where nobody disputes the type, whatever the bone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """One lesion at one visit.

    parts: its shapes; several when it is merged or split, none when it is gone. bridges: what joins merged parts.
    parents: of a merge, the lesions in it; of a part of a split, the lesion it comes from. into: the first lesion of
    the merge that this one is part of, blank for the first itself.
    """

    name: str
    status: Status
    parts: tuple[LesionShape, ...] = ()
    bridges: tuple[LesionShape, ...] = ()
    parents: tuple[str, ...] = ()
    into: str = ""

    @property
    def shapes(self) -> tuple[LesionShape, ...]:
        """All that belongs to it, bridges first: lesions cover them."""
        return (*self.bridges, *self.parts)

    @property
    def drawn(self) -> bool:
        """Whether the reader segmented it."""
        return bool(self.parts) and all(part.drawn for part in self.parts)


def course(patient: PatientSpec) -> Iterator[tuple[VisitSpec, tuple[Seen, ...]]]:
    """Visit by visit, every lesion known by then, in the order of their appearance.

    Raises `SettingsError` for a name that is not known, known twice, or of a lesion that is no more.
    """
    lesions: dict[str, Seen] = {}
    for shape in patient.lesion:
        _appear(lesions, shape, Status.BASELINE, patient.id)
    for number, visit in enumerate(patient.visit):
        where = f"patient {patient.id}, visit {number + 1}"
        if number:
            lesions = {name: _later(seen) for name, seen in lesions.items()}
        for change in visit.change:
            _change(lesions, change, where)
        for shape in visit.new:
            _appear(lesions, shape, Status.NEW, where)
        for merge in visit.merge:
            _merge(lesions, merge, where)
        for split in visit.split:
            _split(lesions, split, where)
        lesions = {name: _missing_if_not_drawn(seen, first=not number) for name, seen in lesions.items()}
        yield visit, tuple(lesions.values())


def type_of(seen: Seen) -> LesionType | None:
    """The type of a lesion as first seen, where it is beyond dispute."""
    shapes = seen.parts
    if not shapes or any(shape.fill or (shape.rim_mm and not shape.rim_outside) for shape in shapes):
        return None
    if all(shape.core_hu < _LYTIC_BELOW_HU for shape in shapes):
        return LesionType.LYTIC
    return LesionType.BLASTIC if all(shape.core_hu > _BLASTIC_ABOVE_HU for shape in shapes) else None


def as_lesion(shape: LesionShape, *, label: int, drawn: bool, where: str) -> LesionSpec:
    """What is imaged. Raises `SettingsError`, placed at the lesion, where it cannot exist."""
    try:
        return LesionSpec(
            label=label,
            centre_mm=shape.centre_mm,
            semi_axes_mm=_halved(shape.size_mm),
            rotation_deg=shape.rotation_deg,
            exponent=shape.exponent if shape.shape == "superquadric" else 2.0,
            lobulation=shape.lobulation if shape.shape == "lobulated" else 0.0,
            lobes=shape.lobes,
            form=_FORMS.get(shape.shape, "solid"),
            bend_deg=shape.bend_deg,
            core_hu=shape.core_hu,
            rim_thickness_mm=shape.rim_mm,
            rim_hu=shape.rim_hu,
            rim_outside=shape.rim_outside,
            rim_drawn=shape.rim_drawn,
            fill_fraction=shape.fill,
            fill_hu=shape.fill_hu,
            drawn=drawn,
        )
    except SettingsError as error:
        raise error.located(f"{where}, lesion {shape.name}") from None


_FORMS: Mapping[str, Form] = {"rod": "rod", "crescent": "crescent", "L": "l"}


def _halved(size_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    return size_mm[0] / 2, size_mm[1] / 2, size_mm[2] / 2


def _later(seen: Seen) -> Seen:
    """The lesion at the next visit, before anything happens there."""
    lasting = (Status.MERGED, Status.SPLIT, Status.RESOLVED)
    return seen if seen.status in lasting else replace(seen, status=Status.FOLLOWED)


def _missing_if_not_drawn(seen: Seen, *, first: bool) -> Seen:
    return replace(seen, status=Status.MISSING) if seen.parts and not seen.drawn and not first else seen


def _known(lesions: dict[str, Seen], name: str, where: str) -> Seen:
    seen = lesions.get(name)
    if seen is None:
        raise SettingsError(f"no lesion {name}", where=where, way_out=f"name one of {', '.join(lesions) or 'none'}")
    if not seen.parts:
        gone = f"merged into {seen.into}" if seen.into else "is gone"
        raise SettingsError(f"lesion {name} {gone}", where=where, way_out="change another, or let a new one appear")
    return seen


def _appear(lesions: dict[str, Seen], shape: LesionShape, status: Status, where: str) -> None:
    if shape.name in lesions:
        raise SettingsError(f"two lesions {shape.name}", where=where, way_out="give each its own name")
    lesions[shape.name] = Seen(name=shape.name, status=status, parts=(shape,))


def _change(lesions: dict[str, Seen], change: Change, where: str) -> None:
    seen = _known(lesions, change.lesion, where)
    if change.vanish:
        lesions[change.lesion] = Seen(name=seen.name, status=Status.RESOLVED)
        return
    if len(seen.parts) > 1 and (change.size_mm or change.move_mm):
        raise SettingsError(
            f"lesion {seen.name} has several parts",
            where=where,
            way_out="change it by scale, or before it merged or split",
        )
    lesions[change.lesion] = replace(seen, parts=tuple(_changed(part, change) for part in seen.parts))


def _changed(shape: LesionShape, change: Change) -> LesionShape:
    named = ("core_hu", "rim_mm", "rim_hu", "rim_drawn", "fill", "fill_hu", "drawn", "size_mm", "signal", "uptake")
    new = {key: value for key in named if (value := getattr(change, key)) is not None}
    if change.scale is not None:
        x, y, z = (size * change.scale for size in shape.size_mm)
        new["size_mm"] = x, y, z
    if change.move_mm is not None:
        new["centre_mm"] = tuple(a + b for a, b in zip(shape.centre_mm, change.move_mm, strict=True))
    return shape.model_copy(update=new)


def _merge(lesions: dict[str, Seen], merge: Merge, where: str) -> None:
    members = [_known(lesions, name, where) for name in merge.lesions]
    if len(set(merge.lesions)) < len(members):
        raise SettingsError(f"lesion {merge.lesions[0]} merges with itself", where=where, way_out="name each once")
    parts = tuple(part for member in members for part in member.parts)
    bridges = tuple(_bridge(a, b, merge.bridge_mm) for a, b in pairwise(parts))
    first, *others = merge.lesions
    lesions[first] = Seen(name=first, status=Status.MERGED, parts=parts, bridges=bridges, parents=tuple(merge.lesions))
    for name in others:
        lesions[name] = Seen(name=name, status=Status.MERGED, parents=tuple(merge.lesions), into=first)


def _bridge(one: LesionShape, other: LesionShape, thick_mm: float) -> LesionShape:
    """Destroyed bone from the middle of one lesion to that of another."""
    start, end = np.array(one.centre_mm), np.array(other.centre_mm)
    length = float(np.linalg.norm(end - start))
    turn, _ = Rotation.align_vectors([(end - start) / length], [[1.0, 0.0, 0.0]])
    x, y, z = ((start + end) / 2).tolist()
    return LesionShape(
        name=one.name,
        centre_mm=(x, y, z),
        size_mm=(length + thick_mm, thick_mm, thick_mm),
        shape="rod",
        rotation_deg=tuple(turn.as_rotvec(degrees=True).tolist()),
        core_hu=one.core_hu,
        signal=one.signal,
    )


def _split(lesions: dict[str, Seen], split: Split, where: str) -> None:
    seen = _known(lesions, split.lesion, where)
    lesions[split.lesion] = Seen(name=seen.name, status=Status.SPLIT, parts=split.parts)
