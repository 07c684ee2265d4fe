"""A lesion has one site: a reader's word at one visit speaks for the visits whose site was found in a bone mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mdanderson.anatomy import bone_named
from mdanderson.findings import Examination, LesionFinding, Statement

__all__ = ["one_site", "site_stated"]

_READER = "reader"


def site_stated(finding: LesionFinding, statement: Statement) -> dict[str, str]:
    """What a stated site changes: the side that a bone mask gave to another bone goes with it."""
    return {
        "site_source": _READER,
        "laterality": statement.laterality or _side_left(finding, statement.site),
    }


def one_site(examinations: Sequence[Examination]) -> tuple[Examination, ...]:
    """The same, found sites replaced by what a reader states of the lesion at another visit, the earliest first."""
    stated: dict[str, LesionFinding] = {}
    for examination in sorted(examinations, key=lambda one: one.date):
        for finding in examination.lesions:
            if finding.site_source == _READER:
                stated.setdefault(finding.lesion_id, finding)
    if not stated:
        return tuple(examinations)
    return tuple(
        replace(one, lesions=tuple(_as_stated(finding, stated.get(finding.lesion_id)) for finding in one.lesions))
        for one in examinations
    )


def _as_stated(finding: LesionFinding, stated: LesionFinding | None) -> LesionFinding:
    if stated is None or finding.site_source in {"", _READER}:
        return finding
    source = f"{_READER}, of {stated.date}"
    return replace(finding, site=stated.site, laterality=stated.laterality, site_source=source)


def _side_left(finding: LesionFinding, site: str) -> str:
    """The side that still holds when a reader names the site: as it was, but of another bone than he names."""
    if not finding.site_source:
        return finding.laterality
    found, said = bone_named(finding.site), bone_named(site)
    same = found is not None and said is not None and found.kind is said.kind
    return finding.laterality if same else ""
