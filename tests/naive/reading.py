"""Findings into plain dictionaries: visits, exams, one row per lesion; merges and splits in order (details 21, 27, 30).

visit: {"date", "exams": {modality: exam}}; exam: {"ok", "rows": {lesion: row}, "merged": {lesion: members}}.
row: {"silent", "missing", "followed", "gone", "new", "called", "equivocal", "sizes": {sequence: (long, short)},
"sequences", "signals", "uptake", "density", "codes", "type", "measurable", "treated"}; numbers as fractions.
"""

from __future__ import annotations

from fractions import Fraction

from mdanderson.vocabulary import Status

__all__ = ["number", "read_visits"]

SILENT = (Status.MISSING, Status.AMBIGUOUS, Status.NOT_EVALUABLE)


def number(value):
    return None if value is None else Fraction(str(value))


def read_visits(examinations, settings):
    visits = []
    for exam in sorted(examinations, key=lambda one: (one.date, one.modality)):
        visit = home_of(exam, visits, settings.policy.visit_window_days)
        if visit is None:
            visit = {"date": exam.date, "label": exam.visit, "exams": {}}
            visits.append(visit)
        visit["exams"][str(exam.modality)] = read_exam(exam)
    for modality in {name for visit in visits for name in visit["exams"]}:
        carry_merges(visits, modality)
    return visits


def home_of(exam, visits, window_days):
    """The visit that the image belongs to: of the same label, or blank, and within the window of its first image."""
    for visit in visits:
        if visit["label"] == exam.visit and (exam.date - visit["date"]).days <= window_days:
            return visit
    return None


def read_exam(exam):
    found = {}
    for finding in exam.lesions:
        found.setdefault(finding.lesion_id, []).append(finding)
    rows, parts, merges = {}, {}, []
    for lesion, findings in found.items():
        first = findings[0]
        if first.status is Status.SPLIT and first.parents:
            parts.setdefault(first.parents[0], []).append(read_row(findings))
        elif first.parents and (first.status is Status.MERGED or first.status is Status.RESOLVED):
            merges.append(first.parents)
            if lesion in first.parents or len(first.parents) > 1:
                rows[lesion if lesion in first.parents else first.parents[0]] = read_row(findings)
        else:
            rows[lesion] = read_row(findings)
    rows |= {parent: add_parts(several) for parent, several in parts.items()}
    merged = {member: frozenset(members) for members in merges for member in members}
    return {"name": str(exam.modality), "ok": exam.evaluable, "rows": rows, "merged": merged, "open": set()}


def read_row(findings):
    first = findings[0]
    sizes, signals = {}, {}
    for finding in findings:
        axes = [number(axis) for axis in (finding.long_axis_mm, finding.short_axis_mm)]
        if None not in axes:
            sizes[str(finding.sequence)] = (max(axes), min(axes))
        elif axes[0] is not None:
            sizes[str(finding.sequence)] = (axes[0], None)
        if finding.signal_ratio is not None:
            signals[str(finding.sequence)] = number(finding.signal_ratio)
    silent = first.status in SILENT
    if any(one.status is not Status.RESOLVED and one.long_axis_mm != 0 for one in findings):
        sizes = {sequence: axes for sequence, axes in sizes.items() if axes[0] != 0}
    return {
        "silent": silent,
        "missing": first.status is Status.MISSING,
        "followed": first.status is Status.FOLLOWED,
        "gone": not silent and all(one.status is Status.RESOLVED or one.long_axis_mm == 0 for one in findings),
        "new": first.status is Status.NEW,
        "equivocal": first.status is Status.EQUIVOCAL,
        "called": any(finding.stated_new for finding in findings),
        "sizes": sizes,
        "sequences": {str(finding.sequence) for finding in findings},
        "signals": signals,
        "uptake": number(first.uptake_ratio),
        "density": first.density,
        "codes": set().union(*(finding.reader_codes for finding in findings)),
        "type": first.lesion_type,
        "measurable": first.measurable,
        "treated": any(finding.treated for finding in findings),
    }


def add_parts(parts):
    """A lesion that fell apart, from a table: the diameters of its parts are added, one without makes it none."""
    axes = [next(iter(part["sizes"].values()), (None, None)) for part in parts]
    longs, shorts = [one[0] for one in axes], [one[1] for one in axes]
    whole = dict(parts[0])
    whole["sizes"] = {} if None in longs + shorts else {"": (sum(longs), sum(shorts))}
    whole["codes"] = set().union(*(part["codes"] for part in parts))
    whole["treated"] = any(part["treated"] for part in parts)
    return whole


def carry_merges(visits, modality):
    """Lesions that merged stay merged until one that merged into the first is seen in a row of its own."""
    before = {}
    for visit in visits:
        exam = visit["exams"].get(modality)
        if exam is None or not exam["ok"]:
            continue
        rows, merged = exam["rows"], exam["merged"]
        for members in set(before.values()) - set(merged.values()):
            absorbed = [rows[one] for one in sorted(members)[1:] if one in rows]
            if all(row["silent"] or row["gone"] for row in absorbed):
                merged |= dict.fromkeys(members, members)
        for member, members in list(merged.items()):
            speaker = next((one for one in sorted(members) if one in rows), None)
            if member not in rows and speaker is not None:
                rows[member] = rows[speaker]
        before = dict(merged)
