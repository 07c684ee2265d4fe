"""A shorthand for series of findings, so that a test reads like the table a reader would fill in.

    paper.timeline(paper.exam(0, L1="20x10 lytic"), paper.exam(90, L1="10x5", L2="new 6x4 blastic"))

Words of a lesion: a status, LONGxSHORT or LONGx in mm, a lesion type, a sequence, `measurable`, `ill` (ill-defined),
`treated`, `target`, `nontarget`, `node`, `maybe` (nobody can say whether new), `st=` soft-tissue extent, `u=` uptake
ratio, `s=` signal ratio, `pk=` SULpeak, `mx=` SUVmax, `tlg=`, `!CODE` a reader's code, `<A;B` parents,
`union=LONGxSHORT` of the parents.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Any

from mdanderson.findings import Density, Examination, LesionFinding, PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import DEFAULT_CRITERIA, Basis, LesionType, Modality, MrSequence, Status

_CLOSED: dict[str, type[StrEnum]] = {"status": Status, "lesion_type": LesionType, "sequence": MrSequence}
_FLAGS = {
    "measurable": ("measurable", True),
    "ill": ("measurable", False),
    "target": ("target", True),
    "nontarget": ("target", False),
    "node": ("node", True),
    "treated": ("treated", True),
    "maybe": ("maybe_new", True),
}
_NUMBERS: dict[str, tuple[str, type[Decimal] | type[float]]] = {
    "u": ("uptake_ratio", float),
    "s": ("signal_ratio", float),
    "st": ("soft_tissue_mm", Decimal),
    "pk": ("suv_peak", float),
    "mx": ("suv_max", float),
    "tlg": ("tlg", float),
}
DAY_0 = dt.date(2024, 1, 1)


def day(number: int) -> dt.date:
    return DAY_0 + dt.timedelta(days=number)


def axes(word: str) -> tuple[Decimal, Decimal | None]:
    long_axis, short_axis = word.split("x")
    return Decimal(long_axis), Decimal(short_axis) if short_axis else None


def finding(lesion_id: str, words: str, on: int, modality: str = "CT", density: Density | None = None) -> LesionFinding:
    fields: dict[str, Any] = {"status": Status.BASELINE if on == 0 else Status.FOLLOWED, "density": density}
    codes = set()
    for word in words.split():
        if field := next((name for name, words_of in _CLOSED.items() if word in set(words_of)), ""):
            fields[field] = _CLOSED[field](word)
        elif word in _FLAGS:
            name, value = _FLAGS[word]
            fields[name] = value
        elif word.startswith("!"):
            codes.add(word[1:])
        elif word.startswith("<"):
            fields["parents"] = tuple(word[1:].split(";"))
        elif word.startswith("union="):
            fields["parents_long_axis_mm"], fields["parents_short_axis_mm"] = axes(word[6:])
        elif "=" in word:
            name, _, number = word.partition("=")
            field, kind = _NUMBERS[name]
            fields[field] = kind(number)
        else:
            fields["long_axis_mm"], fields["short_axis_mm"] = axes(word)
    basis = Basis.READER if codes else Basis.MEASURED
    return LesionFinding(
        lesion_id=lesion_id,
        modality=Modality(modality),
        date=day(on),
        reader_codes=frozenset(codes),
        basis=basis,
        **fields,
    )


def exam(
    on: int,
    modality: str = "CT",
    *,
    visit: str = "",
    why: str = "",
    densities: dict[str, Density] | None = None,
    **lesions: str | tuple[str, ...],
) -> Examination:
    """One examination; a lesion with several sequences is a tuple of words. `why`: it was not evaluable, and why."""
    found = tuple(
        finding(name, words, on, modality, (densities or {}).get(name))
        for name, said in lesions.items()
        for words in ((said,) if isinstance(said, str) else said)
    )
    return Examination(
        modality=Modality(modality), date=day(on), visit=visit, lesions=found, evaluable=not why, why=why
    )


def settings(sections: dict[str, dict[str, Any]] | None = None, /, **policy: Any) -> Settings:
    return Settings.from_mapping({"policy": policy, **(sections or {})})


def timeline(
    *exams: Examination,
    treatment: int | None = None,
    death: int | None = None,
    policy: dict[str, Any] | None = None,
    sections: dict[str, dict[str, Any]] | None = None,
    criteria: str = DEFAULT_CRITERIA,
) -> Timeline:
    patient = PatientFacts(
        patient_id="P01",
        treatment_start=None if treatment is None else day(treatment),
        death_date=None if death is None else day(death),
    )
    return build_timeline(patient, exams, settings=settings(sections, **(policy or {})), criteria=criteria.split())


def follow(*visits: dict[str, str], modality: str = "CT", step: int = 90, **kwargs: Any) -> Timeline:
    """A series of one modality, one visit every `step` days; by default treated so long ago that nothing is flare."""
    kwargs.setdefault("treatment", -365)
    return timeline(*(exam(step * i, modality, **lesions) for i, lesions in enumerate(visits)), **kwargs)
