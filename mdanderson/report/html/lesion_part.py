"""One lesion on a patient's page: a column a visit, its pictures side by side, below them the numbers and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mdanderson.pictures import Picture
from mdanderson.report.html.drawing import Bar, Curves, DrawnPicture, drawn, probabilities, profile_curves
from mdanderson.report.html.numbers import BESIDE, MEASURED, Quantity, change_form, change_since, number_of
from mdanderson.report.visits import visit_at

__all__ = ["ImagePart", "LesionPart", "PictureRow", "lesion_parts"]

Row = Mapping[str, str]
Key = tuple[str, str]
"""Label and date of a visit."""
_SUBCATEGORIES = ("size_category", "density_category", "signal_category", "uptake_category")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a lesion came to at a visit."""

    row: Row
    size: str
    """The sum of both diameters in mm, as text."""
    bars: tuple[Bar, ...]
    distance: str
    parts: tuple[tuple[str, str], ...]
    """What size, density, signal and uptake alone come to."""
    rules: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureRow:
    """The same image (sequence, view) at every visit; None where there is none."""

    sequence: str
    view: str
    pictures: tuple[DrawnPicture | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberRow:
    """One quantity at every visit, as text; sequence: of MR."""

    quantity: Quantity
    sequence: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImagePart:
    """A lesion in one modality, a column a visit."""

    modality: str
    verdicts: tuple[Verdict | None, ...]
    rows: tuple[PictureRow, ...]
    numbers: tuple[NumberRow, ...]
    profiles: Curves | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LesionPart:
    """A lesion in all its modalities. site, laterality, lesion_type: as the tables have them first."""

    lesion_id: str
    site: str
    laterality: str
    lesion_type: str
    scores: tuple[tuple[str, str], ...]
    images: tuple[ImagePart, ...]


def lesion_parts(
    rows: Sequence[Row],
    pictures: Sequence[Picture],
    visits: Sequence[Key],
    texts: Mapping[str, str],
    sets: Sequence[str],
) -> tuple[LesionPart, ...]:
    """Every lesion, from rows of lesions.csv and its pictures. texts: of rules, by `criteria code`; sets: as asked."""
    names = sorted({row["lesion_id"] for row in rows} | {picture.lesion_id for picture in pictures})
    return tuple(
        _lesion(
            name,
            [row for row in rows if row["lesion_id"] == name],
            [picture for picture in pictures if picture.lesion_id == name],
            visits,
            {code: texts[f"{one} {code}"] for one in reversed(sets) for code in _codes(texts, one)},
            change_form(sets[0] if sets else ""),
        )
        for name in names
    )


def _codes(texts: Mapping[str, str], criteria: str) -> list[str]:
    return [key.partition(" ")[2] for key in texts if key.partition(" ")[0] == criteria]


def _lesion(
    name: str,
    rows: Sequence[Row],
    pictures: Sequence[Picture],
    visits: Sequence[Key],
    texts: Mapping[str, str],
    of_change: str,
) -> LesionPart:
    modalities = dict.fromkeys([row["modality"] for row in rows] + [str(picture.modality) for picture in pictures])
    return LesionPart(
        lesion_id=name,
        site=_first(rows, "site"),
        laterality=_first(rows, "laterality"),
        lesion_type=_first(rows, "lesion_type"),
        scores=tuple(_scores(rows)),
        images=tuple(
            _image(
                modality,
                [row for row in rows if row["modality"] == modality],
                [picture for picture in pictures if picture.modality == modality],
                visits,
                texts,
                of_change,
            )
            for modality in sorted(modalities)
        ),
    )


def _first(rows: Iterable[Row], column: str) -> str:
    return next((row[column] for row in rows if row[column]), "")


def _scores(rows: Sequence[Row]) -> Iterable[tuple[str, str]]:
    """Structural risk as it was last told: least to most points."""
    for name in ("sins", "mirels"):
        told = next((row for row in reversed(rows) if row[f"{name}_min"]), None)
        if told is not None:
            low, high = told[f"{name}_min"], told[f"{name}_max"]
            yield f"page.{name}", low if low == high else f"{low}\N{EN DASH}{high}"


def _image(
    modality: str,
    rows: Sequence[Row],
    pictures: Sequence[Picture],
    visits: Sequence[Key],
    texts: Mapping[str, str],
    of_change: str,
) -> ImagePart:
    sequences = list(dict.fromkeys(row["sequence"] for row in rows))
    leading: list[Row | None] = [None] * len(visits)
    told: dict[str, list[Row | None]] = {sequence: [None] * len(visits) for sequence in sequences}
    for row in sorted(rows, key=lambda one: not one["long_axis_mm"]):  # the sequence that size is taken from speaks
        at = visit_at(row["visit"], row["date"], visits)
        if at is not None:
            leading[at] = leading[at] or row
            told[row["sequence"]][at] = told[row["sequence"]][at] or row
    shown = _picture_rows(pictures, visits)
    return ImagePart(
        modality=modality,
        verdicts=tuple(None if row is None else _verdict(row, texts) for row in leading),
        rows=shown,
        numbers=tuple(_numbers(told, of_change)),
        profiles=_profiles(shown, visits),
    )


def _picture_rows(pictures: Sequence[Picture], visits: Sequence[Key]) -> tuple[PictureRow, ...]:
    """A row for every sequence and view."""
    rows: dict[tuple[str, str], list[DrawnPicture | None]] = {}
    for picture in sorted(pictures, key=lambda one: (one.date, one.sequence, one.view)):
        at = visit_at(picture.visit, picture.date.isoformat(), visits)
        row = rows.setdefault((picture.sequence, picture.view), [None] * len(visits))
        if at is not None and row[at] is None:
            row[at] = drawn(picture)
    ordered = sorted(rows.items(), key=lambda entry: (not any(one and one.diameters for one in entry[1]), entry[0]))
    return tuple(PictureRow(sequence=key[0], view=key[1], pictures=tuple(row)) for key, row in ordered)


def _numbers(told: Mapping[str, Sequence[Row | None]], of_change: str) -> Iterable[NumberRow]:
    """Every quantity that is known at one visit at least, sequence by sequence, that of the size first.

    of_change: the form of the change by which the leading set judges.
    """
    leading = next((name for name, rows in told.items() if any(row and row["long_axis_mm"] for row in rows)), "")
    leading = leading or next(iter(told), "")
    for sequence in sorted(told, key=lambda name: (name != leading, name)):
        rows = told[sequence]
        for quantity in MEASURED:
            if sequence != leading and quantity.column not in BESIDE:
                continue
            form = of_change if quantity.form == "%" else quantity.form
            cells = tuple(_cells(quantity, rows, form))
            if any(cells):
                yield NumberRow(quantity=quantity, sequence=sequence, cells=cells)


def _cells(quantity: Quantity, rows: Sequence[Row | None], form: str) -> Iterable[str]:
    """A quantity at every visit, or its change since the first at which it is known."""
    found = ["" if row is None else row[quantity.column] for row in rows]
    if quantity.is_change:
        first = next((place for place, cell in enumerate(found) if cell), len(found))
        found = ["" if place <= first else change_since(found[first], cell) for place, cell in enumerate(found)]
    return (number_of(cell, form) for cell in found)


def _profiles(rows: Sequence[PictureRow], visits: Sequence[Key]) -> Curves | None:
    """The radial density profiles of the first image that has any."""
    for row in rows:
        known = [
            (f"{day} {label}".strip(), one.picture.profile)
            for (label, day), one in zip(visits, row.pictures, strict=True)
            if one is not None and one.picture.profile
        ]
        if known:
            return profile_curves(known)
    return None


def _verdict(row: Row, texts: Mapping[str, str]) -> Verdict:
    return Verdict(
        row=row,
        size=number_of(row["size_mm"], "mm"),
        bars=probabilities(row),
        distance=number_of(row["threshold_distance"], "points"),
        parts=tuple((name.removesuffix("_category"), row[name]) for name in _SUBCATEGORIES if row[name]),
        rules=tuple((code, texts.get(code, "")) for code in row["rules"].split(";") if code),
    )
