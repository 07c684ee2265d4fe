"""Findings made uniform before they are judged: axes in order, parts of a split added, merges named on every parent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from mdanderson.criteria.checks.presence import NEW_LESION_SIZE
from mdanderson.criteria.course import Visit
from mdanderson.criteria.series import absorbed_into
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, LesionFinding
from mdanderson.quantities import add_up, exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, Status

__all__ = ["about_equivocal", "carrier_of", "is_measured", "normalise"]

_Pooled = dict[Modality, Examination]
_Key = tuple[Modality, str]


def normalise(visits: Sequence[Visit], pooled: Sequence[_Pooled]) -> tuple[tuple[_Pooled, ...], tuple[Problem, ...]]:
    """The same examinations with uniform findings, in order of lesion and sequence, and what had to be mended."""
    problems: list[Problem] = []
    merged: dict[_Key, str] = {}
    clean: list[_Pooled] = []
    begun: set[Modality] = set()
    unseen: set[_Key] = set()
    for visit, exams in zip(visits, pooled, strict=True):
        tidy: _Pooled = {}
        for modality, exam in exams.items():
            findings = [_tidy(finding, visit, problems) for finding in exam.lesions]
            if modality not in begun:
                findings = [_of_baseline(finding) for finding in findings]
            findings = _new_at_last(findings, unseen, evaluable=exam.evaluable)
            if exam.evaluable:
                begun.add(modality)
            findings = _add_splits(findings, visit, problems)
            findings = _name_merges(findings, merged, modality, visit, problems)
            problems += _about_sequences(findings, visit) if modality is Modality.MR else ()
            ordered = sorted(findings, key=lambda finding: (finding.lesion_id, finding.sequence, finding.label))
            tidy[modality] = exam if ordered == list(exam.lesions) else replace(exam, lesions=tuple(ordered))
        clean.append(tidy)
    return tuple(clean), tuple(problems)


def _warning(finding: LesionFinding, visit: Visit, what: str, how_to_fix: str) -> Problem:
    where = f"{finding.modality} lesion {finding.lesion_id}"
    where = f"{finding.place}, {where}" if finding.place else where
    return Problem(severity=Severity.WARNING, visit=visit.label, where=where, what=what, how_to_fix=how_to_fix)


def _about_sequences(findings: Sequence[LesionFinding], visit: Visit) -> Iterator[Problem]:
    """A warning for every lesion that one sequence calls gone and another shows: it is there."""
    gone = {finding.lesion_id: finding for finding in findings if finding.is_gone}
    for finding in findings:
        if finding.is_seen and (other := gone.pop(finding.lesion_id, None)) is not None:
            what = (
                f"gone in {other.sequence or 'one sequence'}, yet {finding.sequence or 'another'} shows it: it is there"
            )
            yield _warning(other, visit, what, "leave the cells of a sequence that does not show it blank")


def about_equivocal(visits: Sequence[Visit], clean: Sequence[_Pooled], settings: Settings) -> tuple[Problem, ...]:
    """A warning for every new focus called equivocal whose size says otherwise (docs/details.md, detail 15)."""
    problems: list[Problem] = []
    begun: set[Modality] = set()
    for visit, exams in zip(visits, clean, strict=True):
        for modality, exam in exams.items():
            for finding in exam.lesions if modality in begun else ():
                axis = finding.long_axis_mm
                if finding.status is not Status.EQUIVOCAL or axis is None or finding.maybe_new:
                    continue
                if NEW_LESION_SIZE.met("long_axis_mm", exact(axis), settings):
                    what = f"called equivocal, yet {axis} mm long: its size counts"
                    way_out = "state new=false if it was there, or measure it again"
                    problems.append(_warning(finding, visit, what, way_out))
            if exam.evaluable:
                begun.add(modality)
    return tuple(problems)


def _tidy(finding: LesionFinding, visit: Visit, problems: list[Problem]) -> LesionFinding:
    """Axes in order (docs/details.md, detail 21); 0 mm is a statement that the lesion is gone."""
    long_axis, short_axis = finding.long_axis_mm, finding.short_axis_mm
    if long_axis is not None and short_axis is not None and short_axis > long_axis:
        what = f"short axis {short_axis} mm is longer than long axis {long_axis} mm: swapped"
        problems.append(_warning(finding, visit, what, "check which diameter is which"))
        finding = replace(finding, long_axis_mm=short_axis, short_axis_mm=long_axis)
    if finding.status is Status.MISSING:
        what = finding.why or "lesion visible but not segmented"
        problems.append(_warning(finding, visit, what, "segment it, or state in reads.csv what became of it"))
    if finding.long_axis_mm == 0 and visit.index > 0 and finding.status is not Status.RESOLVED:
        finding = replace(finding, status=Status.RESOLVED, short_axis_mm=Decimal(0))
    return finding


def _of_baseline(finding: LesionFinding) -> LesionFinding:
    """Nothing is new at the first visit of a modality (docs/details.md, detail 22)."""
    return replace(finding, status=Status.BASELINE) if finding.status is Status.NEW else finding


def _new_at_last(findings: list[LesionFinding], unseen: set[_Key], *, evaluable: bool) -> list[LesionFinding]:
    """What was new where nothing could be evaluated is new where it is next seen."""
    if not evaluable:
        unseen.update((one.modality, one.lesion_id) for one in findings if one.status is Status.NEW)
        return findings
    if not unseen:
        return findings
    late = [one for one in findings if (one.modality, one.lesion_id) in unseen and one.is_seen]
    unseen.difference_update([(one.modality, one.lesion_id) for one in late])
    return [
        replace(one, status=Status.NEW) if one in late and one.status is Status.FOLLOWED else one for one in findings
    ]


def _add_splits(findings: Iterable[LesionFinding], visit: Visit, problems: list[Problem]) -> list[LesionFinding]:
    """The parts of a split as one finding under the parent; diameters are added, as no region was measured."""
    kept: list[LesionFinding] = []
    parts: dict[tuple[str, str], list[LesionFinding]] = {}
    for finding in findings:
        if finding.status is Status.SPLIT:
            parent = finding.parents[0] if finding.parents else finding.lesion_id
            parts.setdefault((parent, finding.sequence), []).append(finding)
        else:
            kept.append(finding)
    for (parent, _), pieces in sorted(parts.items()):
        pieces.sort(key=lambda piece: (piece.lesion_id, piece.label))
        kept.append(pieces[0] if len(pieces) == 1 and pieces[0].lesion_id == parent else _added(parent, pieces))
        if len(pieces) > 1:
            what = f"split into {len(pieces)} parts: their diameters are added"
            problems.append(_warning(kept[-1], visit, what, "score from images to measure the parts as one region"))
    return kept


def _added(parent: str, pieces: Sequence[LesionFinding]) -> LesionFinding:
    """One finding for all parts: sizes and TLG added, the hottest SUV; a part without one leaves the whole without."""
    labels = ";".join(piece.label or piece.lesion_id for piece in pieces)
    return replace(
        pieces[0],
        lesion_id=parent,
        label=labels,
        long_axis_mm=add_up(piece.long_axis_mm for piece in pieces),
        short_axis_mm=add_up(piece.short_axis_mm for piece in pieces),
        soft_tissue_mm=add_up(piece.soft_tissue_mm for piece in pieces),
        suv_max=_hottest(piece.suv_max for piece in pieces),
        suv_peak=_hottest(piece.suv_peak for piece in pieces),
        tlg=_all_added(piece.tlg for piece in pieces),
        reader_codes=frozenset(code for piece in pieces for code in piece.reader_codes),
    )


def _hottest(values: Iterable[float | None]) -> float | None:
    given = list(values)
    return None if None in given else max(value for value in given if value is not None)


def _all_added(values: Iterable[float | None]) -> float | None:
    added = add_up(None if value is None else exact(value) for value in values)
    return None if added is None else float(added)


def _name_merges(
    findings: list[LesionFinding],
    merged: dict[_Key, str],
    modality: Modality,
    visit: Visit,
    problems: list[Problem],
) -> list[LesionFinding]:
    """A merge on every parent: the first carries the measurement, the others say into which they merged.

    Lesions once merged stay so at later visits, until they have a row of their own again.
    """
    named: list[LesionFinding] = []
    spoken = {finding.lesion_id for finding in findings}
    for finding in findings:
        first = finding.parents[0] if finding.parents else finding.lesion_id
        carries = _is_of_merge(finding) and (finding.is_seen or finding.lesion_id == first or first not in spoken)
        if carries and finding.lesion_id != first:
            finding = replace(finding, label=finding.label or finding.lesion_id, lesion_id=first)  # noqa: PLW2901
        if carries and finding.is_seen and finding.parents_size_mm is None and len(finding.parents) > 1:
            parents = ", ".join(finding.parents)
            what = f"{parents} merged: compared with their diameters added, of visits at which all of them were there"
            problems.append(_warning(finding, visit, what, "score from images to measure them as one region"))
        if carries:
            merged.update({(modality, parent): first for parent in finding.parents if parent != first})
        named.append(finding)
    present = {finding.lesion_id: finding for finding in named}
    named = [_gone_with(present.get(absorbed_into((finding,))), finding) for finding in named]
    for parent in [parent for key, parent in merged if key is modality]:
        if parent in present and present[parent].status is not Status.MERGED and present[parent].is_seen:
            del merged[modality, parent]  # it has parted: where nothing is said of it later, nothing is known
    for (in_modality, parent), into in merged.items():
        carrier = present.get(into)
        if in_modality is modality and parent not in present and carrier and (carrier.is_seen or carrier.is_gone):
            named.append(_absorbed(parent, carrier))
    return named


def _is_of_merge(finding: LesionFinding) -> bool:
    """Whether a finding speaks for several lesions that merged: measured as one region, or gone together."""
    if finding.is_gone:
        return len(finding.parents) > 1
    return finding.status is Status.MERGED and is_measured(finding)


def carrier_of(finding: LesionFinding) -> str:
    """The lesion under which a finding is judged: a part's parent, a merge's first parent, else itself."""
    carries = finding.status is Status.SPLIT or _is_of_merge(finding)
    return finding.parents[0] if carries and finding.parents else finding.lesion_id


def is_measured(finding: LesionFinding) -> bool:
    """Whether the finding carries a measurement or a reader's statement of its own."""
    measured = (finding.long_axis_mm, finding.uptake_ratio, finding.suv_peak, finding.suv_max, finding.signal_ratio)
    return bool(finding.reader_codes) or finding.density is not None or any(value is not None for value in measured)


def _gone_with(carrier: LesionFinding | None, finding: LesionFinding) -> LesionFinding:
    """A lesion that merged into one that is gone is gone with it."""
    return finding if carrier is None or not carrier.is_gone else _absorbed(finding.lesion_id, carrier)


def _absorbed(parent: str, carrier: LesionFinding) -> LesionFinding:
    """The row of a lesion that merged into another: gone with it, else measured there."""
    return LesionFinding.without_outline(
        parent,
        Status.RESOLVED if carrier.is_gone else Status.MERGED,
        f"merged into {carrier.lesion_id}",
        modality=carrier.modality,
        date=carrier.date,
        visit=carrier.visit,
        sequence=carrier.sequence,
        basis=carrier.basis,
        treated=carrier.treated,
        parents=carrier.parents or (carrier.lesion_id, parent),
    )
