"""The limits of the criteria beside MDA 2010, each as its source prints it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from mdanderson.settings.field import STRICT, each_once, known
from mdanderson.vocabulary import Modality

__all__ = ["Eortc", "Irecist", "Mda2004", "Pcwg3", "Percist", "Recist11", "Uicc", "Who"]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Mda2004:
    """MD Anderson criteria of 2004, which print no percentages (`[mda2004]`)."""

    mda2004_tolerance: float = known(
        0.10, "ours: a change of the sum of diameters of at least this counts as larger or as regression", gt=0, lt=1
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Who:
    """WHO 1979, on the product of diameters (`[who]`); UICC uses the same limits."""

    pr_product_fall: float = known(0.5, "WHO handbook 1979; Miller 1981", gt=0, lt=1)
    pd_product_rise: float = known(0.25, "WHO handbook 1979: of one or more lesions", gt=0)
    confirm_weeks: float = known(4.0, "WHO handbook 1979: CR and PR are confirmed at >= 4 weeks", ge=0)
    minimum_mm: float = known(
        0.0, "ours: WHO prints no least size; baseline lesions from this long axis are in the sum", ge=0
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Uicc:
    """UICC (`[uicc]`)."""

    modalities: Annotated[tuple[Modality, ...], AfterValidator(each_once)] = known(
        (Modality.XR,), "UICC reads bone on radiographs; others may be added"
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recist11:
    """RECIST 1.1 (`[recist11]`; Eisenhauer 2009)."""

    pr_fall: float = known(0.3, "sum of diameters against baseline", gt=0, lt=1)
    pd_rise: float = known(0.2, "sum of diameters against nadir", gt=0)
    pd_absolute_mm: float = known(5.0, "and at least this many mm", ge=0)
    target_mm: float = known(10.0, "longest diameter of a target lesion, or of a bone's soft-tissue component", gt=0)
    node_target_mm: float = known(15.0, "short axis of a target node", gt=0)
    node_normal_mm: float = known(10.0, "a node below this short axis counts as gone", gt=0)
    node_growth_mm: float = known(
        5.0,
        "ours: a node normal at baseline is new from node_normal_mm on, having grown by this; EORTC warns of 9 to 11",
        ge=0,
    )
    maximum_targets: int = known(5, "targets chosen where no reader names them", ge=1)
    maximum_targets_per_organ: int = known(2, "of these in one organ; bone is one, nodes are another", ge=1)
    nontarget_rise: float = known(
        0.0, "ours: measured rise of the non-targets' sum that is unequivocal; 0 = only a reader can say so", ge=0
    )


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Irecist:
    """iRECIST (`[irecist]`; Seymour 2017); limits of size are those of RECIST 1.1."""

    confirm_from_weeks: float = known(4.0, "iUPD is confirmed by a visit at least this much later", ge=0)
    confirm_to_weeks: float = known(8.0, "and usually not later than this; later visits are taken with a warning", ge=0)
    further_in: Literal["any", "same"] = known(
        "any", "Seymour 2017: further growth of targets or non-targets confirms; same = only of those that made iUPD"
    )
    further_mm: float = known(5.0, "further rise of the target sum or of the new lesions' sum that confirms", gt=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Percist:
    """PERCIST 1.0 (`[percist]`; Wahl 2009), on SULpeak of the hottest lesion."""

    pmr_fall: float = known(0.3, "fall of SULpeak against baseline", gt=0, lt=1)
    pmd_rise: float = known(0.3, "rise of SULpeak against its lowest earlier value", gt=0)
    absolute_sul: float = known(0.8, "and at least this many SUL units, fall or rise", ge=0)
    tlg_rise: float = known(0.75, "rise of total lesion glycolysis above this is PMD", gt=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Eortc:
    """EORTC 1999 (`[eortc]`; Young 1999), on the SUV of the same lesions."""

    pmr_fall: float = known(0.25, "fall of the summed SUVmax; 0.15 after one cycle in some prints", gt=0, lt=1)
    pmd_rise: float = known(0.25, "rise of the summed SUVmax above this", gt=0)
    reappeared_suv: float = known(0.0, "ours: from a lowest earlier sum of 0, a sum above this is new uptake", ge=0)


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Pcwg3:
    """PCWG3, bone scan (`[pcwg3]`; Scher 2016)."""

    new_foci: int = known(2, "new foci that make a scan suspicious, and that confirm it", ge=1)
    confirm_weeks: float = known(6.0, "a scan confirms another when it is at least this much later", ge=0)
