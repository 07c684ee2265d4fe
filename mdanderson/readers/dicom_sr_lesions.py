"""Which measurement of one report is the same lesion as one of another: by label, by tracking UID, by place.

Viewers rewrite tracking UIDs when they save, and some name a tool where a lesion should be named. A measurement that
none of the three ties to a name is left without one: it would count as a new lesion, and progression would follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mdanderson.readers.dicom_sr_content import Group

__all__ = ["Renamed", "named", "renamed"]


def named(reports: Sequence[Sequence[Group]], days: Sequence[str]) -> list[list[Group]]:
    """The groups of a patient's reports, in order of date, with `lesion_id` where it can be told. days: of the reports.

    A label counts first; two labels of different days are one where a tracking UID says so, or where they differ in
    capitals alone. Without one a tracking UID does that has a label elsewhere, or that other reports have too; then the
    site, where it names one measurement of every report. A single report needs no more than a number.
    """
    used = _with_one_label([[group for group in groups if group.measures] for groups in reports], days)
    by_uid = {group.tracking_uid: group.label for groups in used for group in groups if group.label}
    by_uid.pop("", None)
    shared = _shared_uids(used)
    places = _lone_places(used, by_uid, shared)
    names = {name for groups in used for group in groups if (name := group.label)}
    given: dict[str, str] = {}

    def lesion_id(group: Group) -> str:
        if group.label:
            return group.label
        if group.tracking_uid in by_uid:
            return by_uid[group.tracking_uid]
        key = group.tracking_uid if group.tracking_uid in shared else group.place if group.place in places else ""
        if not key and len(used) == 1:
            key = f"number {len(given) + 1}"
        return _given(key, given, names) if key else ""

    return [[_with_id(group, lesion_id(group)) for group in groups] for groups in used]


@dataclass(frozen=True, kw_only=True, slots=True)
class Renamed:
    """A tracking UID that two labels share. apart: whether they stay two lesions, as both were measured on one day."""

    report: int
    label: str
    before: str
    apart: bool


def renamed(reports: Sequence[Sequence[Group]], days: Sequence[str]) -> tuple[Renamed, ...]:
    """The tracking UIDs of which reports, in order of date, say different labels."""
    return _ties([[group for group in groups if group.measures] for groups in reports], days)[1]


def _with_one_label(reports: Sequence[Sequence[Group]], days: Sequence[str]) -> list[list[Group]]:
    """The groups, labels that mean one lesion replaced by the first of them."""
    names, _ = _ties(reports, days)

    def told(group: Group) -> Group:
        cells = dict(group.cells)
        if parents := cells.get("parents"):
            cells["parents"] = ";".join(names.get(one, one) for one in parents.split(";"))
        return replace(group, label=names.get(group.label, group.label), cells=cells)

    return [[told(group) for group in groups] for groups in reports]


def _ties(reports: Sequence[Sequence[Group]], days: Sequence[str]) -> tuple[dict[str, str], tuple[Renamed, ...]]:
    """Label -> the label that it is one lesion with, and what tracking UIDs say of it.

    Labels that are both measured on one day are two lesions, whatever ties them. A UID that one report gives to several
    labels says nothing.
    """
    names: dict[str, str] = {}
    found_on: dict[str, set[str]] = {}
    by_uid: dict[str, list[str]] = {}
    useless = _crowded_uids(reports)
    told: list[Renamed] = []
    for number, groups in enumerate(reports):
        for group in groups:
            if group.label and group.label not in names:
                names[group.label] = group.label
                found_on[group.label] = {
                    day for own, day in zip(reports, days, strict=True) if group.label in _labels(own)
                }
                same = [one for one in names if one.casefold() == group.label.casefold()]
                _join(names, found_on, same[0], group.label)
            if not group.label or not group.tracking_uid or group.tracking_uid in useless:
                continue
            known = by_uid.setdefault(group.tracking_uid, [])
            if group.label not in known and known and names[known[0]] != names[group.label]:
                joined = _join(names, found_on, known[0], group.label)
                told.append(Renamed(report=number, label=group.label, before=known[0], apart=not joined))
            known += [] if group.label in known else [group.label]
    return names, tuple(told)


def _join(names: dict[str, str], found_on: dict[str, set[str]], one: str, other: str) -> bool:
    """Make two labels one, under the name of the first, unless both are there on one day."""
    first, second = names[one], names[other]
    if first == second or found_on[first] & found_on[second]:
        return first == second
    found_on[first] |= found_on[second]
    names |= {label: first for label, name in names.items() if name == second}
    return True


def _crowded_uids(reports: Sequence[Sequence[Group]]) -> set[str]:
    """Tracking UIDs that a report gives to several labels, as a writer does that knows no such UIDs."""
    found: set[str] = set()
    for groups in reports:
        pairs = Counter(uid for uid, _ in {(group.tracking_uid, group.label) for group in groups if group.label})
        found |= {uid for uid, count in pairs.items() if count > 1}
    return found


def _labels(groups: Sequence[Group]) -> set[str]:
    return {group.label for group in groups}


def _with_id(group: Group, lesion_id: str) -> Group:
    return replace(group, cells={**group.cells, "lesion_id": lesion_id})


def _given(key: str, given: dict[str, str], names: set[str]) -> str:
    """A name for what is known by a UID or a place only, one that no label has."""
    if key not in given:
        number = len(given) + 1
        while f"SR{number}" in names:
            number += 1
        given[key] = f"SR{number}"
        names.add(given[key])
    return given[key]


def _shared_uids(reports: Sequence[Sequence[Group]]) -> set[str]:
    """Tracking UIDs that more than one report has: whoever wrote them kept them."""
    counts = Counter(uid for groups in reports for uid in {group.tracking_uid for group in groups})
    return {uid for uid, count in counts.items() if uid and count > 1}


def _lone_places(reports: Sequence[Sequence[Group]], by_uid: dict[str, str], shared: set[str]) -> set[str]:
    """Sites that name at most one otherwise unnamed measurement of each report, and no named one."""
    lone: set[str] = set()
    crowded: set[str] = set()
    for groups in reports:
        counts: Counter[str] = Counter()
        for group in groups:
            is_named = group.label or group.tracking_uid in by_uid or group.tracking_uid in shared
            counts[group.place] += 2 if is_named else 1
        lone |= {place for place, count in counts.items() if count == 1}
        crowded |= {place for place, count in counts.items() if count > 1}
    return lone - crowded - {""}
