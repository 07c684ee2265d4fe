"""From modalities to the patient: scans confirmed by later scans, and who speaks for the patient at a visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mdanderson.criteria.mda.bench import Bench
from mdanderson.criteria.mda.modality import JudgedModality
from mdanderson.criteria.rule import Role, Words
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["Overall", "confirm_scans", "judge_overall"]

_SCANS = (Modality.NM, Modality.PT)

MutableVisits = list[dict[Modality, JudgedModality]]


class Overall(NamedTuple):
    """The patient at one visit. speaks: the modality that the category was taken from, None where none could be."""

    category: Category
    speaks: JudgedModality | None
    words: Words
    unconfirmed: bool = False
    discordant: str = ""

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        return self.words if isinstance(self.words, str) else self.words()


def confirm_scans(
    bench: Bench, visits: Sequence[Mapping[Modality, JudgedModality]]
) -> list[dict[Modality, JudgedModality]]:
    """Scan-only progression stays unconfirmed until the first scan at or after `scan_confirm_weeks` decides it.

    A pure pass: the visits come back with the scans' rows restated. Flare decides inside its window and is left alone.
    """
    restated = [dict(visit) for visit in visits]
    if bench.settings.policy.scan_only_progression == "accept":
        return restated
    open_scans = [
        (index, modality)
        for index, visit in enumerate(restated)
        for modality in _SCANS
        if modality in visit and _needs_confirmation(visit[modality])
    ]
    for index, modality in open_scans:
        restated[index][modality] = restated[index][modality]._replace(unconfirmed=True)
    while open_scans:
        index, modality = open_scans[0]
        settled = _confirm(bench, restated, modality, index)
        open_scans = [scan for scan in open_scans if scan not in settled]
    return restated


def _needs_confirmation(scan: JudgedModality) -> bool:
    """Whether it is a progression that flare has not already settled or left open."""
    return scan.category is Category.PD and not scan.unconfirmed and not scan.flare_settled


def _confirm(bench: Bench, visits: MutableVisits, modality: Modality, first: int) -> list[tuple[int, Modality]]:
    """Settle the scan at `first` with those passed over on the way to the deciding one; return which were settled."""
    if _progression_stands(visits, first):
        visits[first][modality] = visits[first][modality]._replace(unconfirmed=False)
        return [(first, modality)]
    course = bench.course
    due = course.visits[first].date + dt.timedelta(days=7 * bench.settings.policy.scan_confirm_weeks)
    later = [i for i in range(first + 1, len(visits)) if modality in visits[i] and visits[i][modality].evaluable]
    decider = next((i for i in later if course.visits[i].date >= due), None)
    together = [first, *(i for i in later if decider is None or i < decider)]
    for index in together:
        one = visits[index][modality]
        if one.category is Category.PD:
            visits[index][modality] = _restate(bench, one, None if decider is None else visits[decider][modality])
    return [(index, modality) for index in together]


def _progression_stands(visits: MutableVisits, upto: int) -> bool:
    """Whether a confirmed progression makes confirming a scan needless: earlier, or on CT, MR or XR at this visit."""
    earlier = any(
        one.category is Category.PD and not one.unconfirmed for visit in visits[:upto] for one in visit.values()
    )
    return earlier or any(
        one.category is Category.PD and not one.unconfirmed
        for modality, one in visits[upto].items()
        if modality.is_anatomical
    )


def _restate(bench: Bench, scan: JudgedModality, decider: JudgedModality | None) -> JudgedModality:
    """A scan's progression as the deciding scan leaves it."""
    if decider is None:
        return scan._replace(unconfirmed=True, words=f"{scan.reason}; unconfirmed: no later scan decides it")
    label = bench.course.visits[decider.facts.visit].label
    if decider.category is Category.PD:
        told = f"{scan.reason}; confirmed by the scan at {label}{_unlooked(decider)}"
        return scan._replace(unconfirmed=False, words=told)
    category = Category.SD if scan.modality is Modality.NM else Category.NE
    rules = (bench.table.code(Role.NO_CHANGE, scan.modality),) if category is Category.SD else ()
    return scan._replace(
        category=category,
        unconfirmed=False,
        rules=rules,
        words=f"restated {category}, not confirmed by the scan at {label} (was PD: {scan.reason})",
    )


def _unlooked(decider: JudgedModality) -> str:
    """Said where a scan confirms by nothing but new lesions that it has no row of."""
    progressing = [lesion for lesion in decider.lesions if lesion.category is Category.PD]
    if not progressing or any(not finding.is_silent for lesion in progressing for finding in lesion.facts.now):
        return ""
    names = ", ".join(lesion.facts.lesion_id for lesion in progressing)
    return f", which has no row of {names}: taken to be still there"


def judge_overall(
    visit: Mapping[Modality, JudgedModality], *, anatomical_at_baseline: bool, settings: Settings
) -> Overall:
    """The patient's category: progression first, else the first evaluable modality in order.

    CT, MR and XR speak where the patient had one of them at baseline; scans set it only when confirmed, or without any.
    """
    rows = [one for one in visit.values() if one.evaluable]
    if len(rows) > 1:
        order = {modality: rank for rank, modality in enumerate(settings.policy.modality_order)}
        rows.sort(key=lambda one: order.get(one.modality, len(order)))
    speakers = [one for one in rows if one.modality.is_anatomical or not anatomical_at_baseline]
    progression = [one for one in rows if one.category is Category.PD]
    scan_unconfirmed = any(one.unconfirmed and not one.modality.is_anatomical for one in progression)
    definite = [one for one in progression if not one.unconfirmed]
    pending = [one for one in progression if one.unconfirmed and one in speakers]
    leader = next(iter([*definite, *pending, *speakers]), None)
    if leader is None:
        told = "; ".join(f"{one.modality} {one.category}: {one.reason}" for one in visit.values() if not one.evaluable)
        missing = "no CT, MR or XR evaluable" if anatomical_at_baseline else "no modality evaluable"
        reason = f"{missing}{': ' if told else ''}{told}"
        return Overall(category=Category.NE, speaks=None, words=reason, unconfirmed=scan_unconfirmed)
    others = [one for one in rows if one is not leader and one.category is not leader.category]
    unconfirmed = leader.unconfirmed or (scan_unconfirmed and leader not in definite)
    scans = [one for one in progression if one.unconfirmed and one is not leader and not one.modality.is_anatomical]
    told = "".join(f"; {one.modality} PD is unconfirmed" for one in scans if leader not in definite)
    return Overall(
        category=leader.category,
        speaks=leader,
        words=lambda: f"{leader.modality}: {leader.reason}{told}",
        unconfirmed=unconfirmed,
        discordant="; ".join(f"{one.modality} {one.category}" for one in others),
    )
