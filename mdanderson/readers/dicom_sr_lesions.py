"""Which measurement of one report is the same lesion as one of another: by label, by tracking UID, by place.

Viewers rewrite tracking UIDs when they save, and some name a tool where a lesion should be named. A measurement that
none of the three ties to a name is left without one: it would count as a new lesion, and progression would follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from mdanderson.readers.dicom_sr_content import Group

__all__ = ["named"]


def named(reports: Sequence[Sequence[Group]]) -> list[list[Group]]:
    """The groups of a patient's reports, in order of date, with `lesion_id` where it can be told.

    A label counts first. Without one a tracking UID does that has a label elsewhere, or that other reports have too;
    then the site, where it names one measurement of every report. A single report needs no more than a number.
    """
    used = [[group for group in groups if group.measures] for groups in reports]
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
