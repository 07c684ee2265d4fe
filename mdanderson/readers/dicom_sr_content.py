"""The content tree of a report, down to what its measurement groups say (PS3.16, TID 1500 and 1501)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from pydicom import Dataset

from mdanderson.errors import ManifestError, printable
from mdanderson.readers.dicom_elements import UNREADABLE, items, text

__all__ = ["Group", "groups_in", "observers_in"]

_DEEPEST = 32
_MOST_ITEMS = 200_000
"""Content items of a report: one with two thousand lesions has fifty thousand."""
_LONGEST_NAME = 64

_Key = tuple[str, str]
"""Coding scheme and value."""

_OLD_SCHEMES = {"SNM3": "SRT", "99SDM": "SRT"}
_OWN = "99MDANDERSON"
_FREE_TEXT = "CORNERSTONEFREETEXT"
"""The value by which OHIF marks a code whose meaning is what a user typed."""
_VIEWER = re.compile(r"^[A-Za-z0-9]+@[^:]*:(?P<tool>[^:]*)(?::(?P<label>.*))?$")
"""A tracking identifier that names a viewer's tool and no lesion: `Cornerstone3DTools@^0.1.0:Bidirectional`."""

_GROUP: _Key = ("DCM", "125007")
_TRACKING_ID: _Key = ("DCM", "112039")
_TRACKING_UID: _Key = ("DCM", "112040")
_TIME_POINT: _Key = ("UMLS", "C2348792")
_OBSERVERS: frozenset[_Key] = frozenset({("DCM", "121008"), ("DCM", "128774")})
_SITES: frozenset[_Key] = frozenset({("SCT", "363698007"), ("SRT", "G-C0E3")})
_LATERALITIES: frozenset[_Key] = frozenset({("SCT", "272741003"), ("SRT", "G-C171")})
_SOME_BONE: _Key = ("SCT", "272673000")
_NODES: frozenset[_Key] = frozenset({("SCT", "59441001"), ("SRT", "T-C4000")})
"""Lymph node: a site that is no bone, and tells of the lesion what it is."""
_DERIVATIONS: frozenset[_Key] = frozenset({("DCM", "121401")})
_STATUS: _Key = (_OWN, "STATUS")
_PARENT: _Key = (_OWN, "PARENT")
_ORDER: _Key = ("DCM", "126073")
_WORDS: Mapping[_Key, str] = {
    (_OWN, "SEQUENCE"): "sequence",
    (_OWN, "LESIONTYPE"): "lesion_type",
    (_OWN, "RULE"): "findings",
}

_LENGTHS: Mapping[_Key, str] = {
    ("SCT", "103339001"): "long_axis_mm",
    ("SRT", "G-A185"): "long_axis_mm",
    ("SCT", "103340004"): "short_axis_mm",
    ("SRT", "G-A186"): "short_axis_mm",
    ("SCT", "410668003"): "length",
    ("SRT", "G-D7FE"): "length",
}
_RATIOS: Mapping[_Key, str] = {
    (_OWN, "UPTAKERATIO"): "uptake",
    (_OWN, "SIGNALRATIO"): "signal_ratio",
    ("DCM", "126401"): "suv_max",
    ("DCM", "126402"): "suv_peak",
}
_DERIVED: Mapping[str, frozenset[_Key]] = {
    "suv_max": frozenset({("SCT", "56851009"), ("SRT", "G-A437")}),
    "suv_peak": frozenset({("DCM", "126031")}),
}
"""Which value of a lesion is meant, where a code names several."""
_MEANINGS = {"long axis": "long_axis_mm", "short axis": "short_axis_mm"}
"""What a code means of which only the meaning is known."""
_MM = {"mm": Decimal(1), "cm": Decimal(10), "um": Decimal("0.001"), "m": Decimal(1000)}

_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.130": "PT",
    "1.2.840.10008.5.1.4.1.1.20": "NM",
    "1.2.840.10008.5.1.4.1.1.1": "XR",
}
"""SOP class, or the beginning of several, of an image -> what made it."""
_STATED = frozenset({"new", "equivocal", "resolved", "missing", "ambiguous", "not_evaluable", "merged"})
"""What of our own words for a lesion's status a reader's table says as well; other lesions are told by their sizes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What one measurement group says. cells: by column of a reader's table; label: what the lesion is called.

    label, tracking_uid: blank where there is none. has_numbers: whether it measures anything, be it of no use here.
    """

    cells: Mapping[str, str]
    label: str = ""
    tracking_uid: str = ""
    has_numbers: bool = False

    @property
    def measures(self) -> bool:
        """Whether a reader's table has a place for anything of it."""
        said = {"long_axis_mm", "short_axis_mm", "status", *_RATIOS.values()}
        return any(self.cells.get(column) for column in said)

    @property
    def place(self) -> str:
        """Site and side, as far as they are told; blank without a site."""
        site = self.cells.get("site", "")
        return f"{site} {self.cells.get('laterality', '')}".strip() if site else ""


def groups_in(document: Dataset) -> Iterator[Group]:
    """Every measurement group of a report. Raises `ManifestError` for a tree that no report has, `ImageError`."""
    modality = _modality_of_evidence(document)
    for item in _walk(document):
        if _concept(item) == _GROUP:
            yield _group(item, modality)


def observers_in(document: Dataset) -> tuple[str, ...]:
    """Who measured, by name: to be compared, never to be shown."""
    return tuple(sorted({text(item, "PersonName") for item in _walk(document) if _concept(item) in _OBSERVERS}))


def _walk(root: Dataset) -> Iterator[Dataset]:
    """All content items below the root, each before its children. Raises `ManifestError`."""
    waiting = [(item, 1) for item in reversed(items(root, "ContentSequence"))]
    count = 0
    while waiting:
        item, depth = waiting.pop()
        count += 1
        if depth > _DEEPEST or count > _MOST_ITEMS:
            raise ManifestError("a content tree that no report has", way_out="export the report again")
        yield item
        waiting += [(child, depth + 1) for child in reversed(items(item, "ContentSequence"))]


def _key(code: Dataset) -> _Key:
    scheme = text(code, "CodingSchemeDesignator")
    value = text(code, "CodeValue") or text(code, "LongCodeValue")
    return _OLD_SCHEMES.get(scheme, scheme), value


def _concept(item: Dataset) -> _Key:
    """What a content item is called; blank where it has no name."""
    return next((_key(code) for code in items(item, "ConceptNameCodeSequence")), ("", ""))


def _meaning(item: Dataset, sequence: str) -> str:
    return next((text(code, "CodeMeaning") for code in items(item, sequence)), "")


def _name(words: str) -> str:
    """A name as a cell takes it; none where the text cannot be read."""
    if words == UNREADABLE:
        return ""
    return printable(words).strip()[:_LONGEST_NAME].strip()


def _group(group: Dataset, modality: str) -> Group:
    """What a group and its items say."""
    reading = _Reading()
    for item in items(group, "ContentSequence"):
        reading.take(item)
    return reading.group(_modality_of(group) or modality)


@dataclass(kw_only=True, slots=True)
class _Reading:
    """What has been read of a group so far; the only thing here that changes."""

    cells: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    uid: str = ""
    has_numbers: bool = False

    def take(self, item: Dataset) -> None:
        """One item of the group, by its kind."""
        concept, kind = _concept(item), text(item, "ValueType")
        if concept == _TRACKING_ID:
            self.labels.append(_label(text(item, "TextValue")))
        elif concept == _TRACKING_UID:
            self.uid = text(item, "UID")
        elif concept == _TIME_POINT:
            self.cells["visit"] = _name(text(item, "TextValue"))
        elif kind == "NUM":
            self.has_numbers = self.has_numbers or (concept[0] != _OWN and concept != _ORDER)
            self.cells |= {column: cell for column, cell in _number(item) if column not in self.cells}
        elif kind == "CODE":
            self._take_code(item, concept)

    def _take_code(self, item: Dataset, concept: _Key) -> None:
        value = next((_key(code) for code in items(item, "ConceptCodeSequence")), ("", ""))
        meaning = _name(_meaning(item, "ConceptCodeSequence"))
        if value[1] == _FREE_TEXT:
            self.labels.append(meaning)
        elif concept in _SITES:
            self._take_site(item, "" if value == _SOME_BONE else meaning)
            if value in _NODES:
                self.cells["node"] = "true"
        elif concept == _PARENT:
            self.parents.append(meaning)
        elif concept == _STATUS:
            self.cells |= {"status": meaning} if meaning in _STATED else {}
        elif concept in _WORDS:
            self.cells[_WORDS[concept]] = meaning

    def _take_site(self, item: Dataset, meaning: str) -> None:
        self.cells["site"] = meaning
        for modifier in items(item, "ContentSequence"):
            if _concept(modifier) in _LATERALITIES:
                self.cells["laterality"] = _name(_meaning(modifier, "ConceptCodeSequence")).lower()

    def group(self, modality: str) -> Group:
        """All of it together. modality: blank where nobody says it."""
        cells = {**self.cells, "modality": modality}
        length = cells.pop("length", "")
        if length:
            cells.setdefault("long_axis_mm", length)
        if cells.get("status") == "merged" and cells.get("long_axis_mm"):
            cells["parents"] = ";".join(self.parents)
        elif cells.get("status") == "merged":
            del cells["status"]  # measured with another, whose row says so
        label = next(filter(None, self.labels), "")
        return Group(cells=cells, label=label, tracking_uid=self.uid, has_numbers=self.has_numbers)


def _label(identifier: str) -> str:
    """The lesion that a tracking identifier names; blank where it names a viewer's tool."""
    viewer = _VIEWER.match(identifier)
    return _name((viewer["label"] or "") if viewer else identifier)


def _number(item: Dataset) -> Iterator[tuple[str, str]]:
    """Column and cell of a measurement that criteria use."""
    concept = _concept(item)
    column = _LENGTHS.get(concept) or _MEANINGS.get(_meaning(item, "ConceptNameCodeSequence").casefold(), "")
    ratio = _RATIOS.get(concept, "")
    for measured in items(item, "MeasuredValueSequence"):
        value = text(measured, "NumericValue")
        unit = next((_key(code)[1] for code in items(measured, "MeasurementUnitsCodeSequence")), "")
        if column:
            yield column, _millimetres(value, unit)
        elif ratio and _is_derived_as(item, ratio):
            yield ratio, _plain(value)
        return


def _is_derived_as(item: Dataset, column: str) -> bool:
    """Whether the value is the one that a column holds: a maximum, a peak; of others there is one."""
    wanted = _DERIVED.get(column)
    derivations = {
        _key(code)
        for child in items(item, "ContentSequence")
        if _concept(child) in _DERIVATIONS
        for code in items(child, "ConceptCodeSequence")
    }
    return wanted is None or bool(derivations & wanted)


def _millimetres(value: str, unit: str) -> str:
    """A length in mm; in another unit as it stands, so that it is refused by name."""
    plain = _plain(value)
    if unit not in _MM or (plain != value.strip() and not plain):
        return f"{value} {unit or 'without unit'}"
    try:
        return format((Decimal(plain) * _MM[unit]).normalize(), "f")
    except InvalidOperation:
        return f"{value} {unit}"


def _plain(value: str) -> str:
    """A number without exponent; what is none stays what it is."""
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        return value
    return format(number, "f") if number.is_finite() and math.log10(abs(number) + 1) < 9 else value


def _modality_of(group: Dataset) -> str:
    """What made the image that a group refers to; blank where it refers to none, or to several kinds."""
    found = {
        kind
        for item in (group, *_walk(group))
        if text(item, "ValueType") == "IMAGE"
        for reference in items(item, "ReferencedSOPSequence")
        if (kind := _kind(text(reference, "ReferencedSOPClassUID")))
    }
    return found.pop() if len(found) == 1 else ""


def _modality_of_evidence(document: Dataset) -> str:
    """The same of all that the report was made from."""
    found = {
        kind
        for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
        for study in items(document, keyword)
        for series in items(study, "ReferencedSeriesSequence")
        for instance in items(series, "ReferencedSOPSequence")
        if (kind := _kind(text(instance, "ReferencedSOPClassUID")))
    }
    return found.pop() if len(found) == 1 else ""


def _kind(sop_class_uid: str) -> str:
    """The modality of an image's SOP class, with those derived from it (enhanced, legacy); blank for no image."""
    return next(
        (name for uid, name in _IMAGES.items() if sop_class_uid == uid or sop_class_uid.startswith(f"{uid}.")), ""
    )
