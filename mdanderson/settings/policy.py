"""How measurements become a response: the policies that no source settles, and their limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from mdanderson.settings.field import STRICT, each_once, known
from mdanderson.vocabulary import Modality, MrSequence, Scope

__all__ = ["Policy", "TreatedLesions"]

TreatedLesions = Literal["exclude", "include"]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Policy:
    """How measurements become a response (`[policy]`). Thresholds hold exactly as printed: at the value counts."""

    pr_size_fall: float = known(0.5, "MDA 2010 PR3: size falls by >= 50 %", gt=0, lt=1)
    pd_size_rise: float = known(0.25, "MDA 2010 PD1: size rises by >= 25 %", gt=0)
    pr_uptake_fall: float = known(0.5, "MDA 2010 PR5: uptake falls by >= 50 %", gt=0, lt=1)
    pd_uptake_rise: float = known(0.25, "MDA 2010 PD3: uptake rises by >= 25 %", gt=0)
    pd_absolute_mm: float = known(0.0, "ours: MDA has no floor; RECIST 1.1 has 5 mm", ge=0)
    minimum_size_mm: float = known(10.0, "RECIST 1.1 practice: long axis of a measurable lesion", gt=0)
    new_lesion_mm: float = known(5.0, "ours: a smaller new focus is equivocal, it avoids a one-voxel PD", ge=0)
    progression_reference: Literal["nadir", "baseline"] = known(
        "nadir", "RECIST 1.1 practice: smallest earlier complete visit, baseline included"
    )
    size_scope: Scope = known(Scope.SUM, "ours: the category under the other scope is always reported beside it")
    response_share: float = known(0.5, "ours: the table speaks of lesions in the plural", ge=0, le=1)
    flare_window_weeks: float = known(12.0, "flare is seen 2 weeks to 3 months after treatment start; PCWG3", ge=0)
    scan_only_progression: Literal["unconfirmed", "accept"] = known(
        "unconfirmed", "2024 guideline: bone scan alone is not used to judge response, because of flare"
    )
    scan_confirm_weeks: float = known(6.0, "PCWG3 practice", ge=0)
    confirm_weeks: float = known(0.0, "MDA asks for no confirmation; WHO 4, PCWG3 6", ge=0)
    modality_order: Annotated[tuple[Modality, ...], AfterValidator(each_once)] = known(
        (Modality.CT, Modality.MR, Modality.XR, Modality.PT, Modality.NM), "ours: which modality speaks first"
    )
    visit_window_days: int = known(14, "ours: images at most this far apart are one visit", ge=0, le=366)
    oligo_max_lesions: int = known(5, "usual definition of oligometastatic disease", ge=1)
    treated_lesions: TreatedLesions = known("exclude", "ours: a local treatment changes its lesion locally")
    reader: str = known(
        "", "whose statements count where several readers made some; blank = the latest, at one time the first by name"
    )
    censor_at: Literal["last_visit", "therapy_stop", "new_therapy"] = known(
        "last_visit",
        "nothing counts after this; progression-free time without event ends at the last evaluable visit until then",
    )
    death: Literal["event", "censor"] = known("event", "usual definition of progression-free survival")
    size_sequence_order: Annotated[tuple[MrSequence, ...], AfterValidator(each_once)] = known(
        (MrSequence.T1, MrSequence.STIR, MrSequence.T2),
        "ours: MR size comes from the first of these present at both visits",
    )
