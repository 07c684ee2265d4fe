"""Lean body mass as a share of body weight, by which SUV becomes SUL. Sex, height and weight never leave this module.

Both formulas divided by weight depend on the body mass index alone: nobody's height or weight can be told from a share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydicom import Dataset

from mdanderson.errors import ImageError
from mdanderson.readers.dicom_elements import numbers, text

__all__ = ["lean_facts", "lean_share"]

_HEIGHT_M = (0.4, 2.6)
_WEIGHT_KG = (2.0, 500.0)


def _janmahasatian(sex: str, index: float) -> float:
    """Clin Pharmacokinet 2005; 44:1051. index: kg/m2."""
    return 9270.0 / (6680.0 + 216.0 * index) if sex == "M" else 9270.0 / (8780.0 + 244.0 * index)


def _james(sex: str, index: float) -> float:
    """Research on Obesity, HMSO 1976: 1.10 W - 128 (W/H)^2 for men, 1.07 W - 148 (W/H)^2 for women, kg and cm."""
    return 1.10 - 0.0128 * index if sex == "M" else 1.07 - 0.0148 * index


_FORMULAS: Mapping[str, Callable[[str, float], float]] = {"janmahasatian": _janmahasatian, "james": _james}


def lean_share(header: Dataset, formula: str) -> float:
    """Lean body mass / body weight (0-1). Raises `ImageError` naming the tag that is missing or impossible."""
    sex = text(header, "PatientSex")
    if sex not in {"M", "F"}:
        raise ImageError(f"PatientSex is {'neither M nor F' if sex else 'missing'}")
    height_m = _measure(header, "PatientSize", _HEIGHT_M, "m")
    weight_kg = _measure(header, "PatientWeight", _WEIGHT_KG, "kg")
    share = _FORMULAS[formula](sex, weight_kg / height_m**2)
    if not 0.1 < share <= 1.1:  # the parabola of James comes down again in extreme obesity
        raise ImageError(f"the formula of {formula.capitalize()} gives no lean body mass for this body")
    return share


def lean_facts(header: Dataset) -> dict[str, str]:
    """`sul_per_suv_<formula>` for each formula that can be told, else `sul_missing` with the reason."""
    facts = {}
    for formula in _FORMULAS:
        try:
            facts[f"sul_per_suv_{formula}"] = f"{lean_share(header, formula):.6f}"
        except ImageError as error:
            facts["sul_missing"] = error.what
    return facts


def _measure(header: Dataset, keyword: str, limits: tuple[float, float], unit: str) -> float:
    values = numbers(header, keyword)
    if values is None or values[0] == 0:
        raise ImageError(f"{keyword} is missing")
    low, high = limits
    if not low <= values[0] <= high:
        raise ImageError(f"{keyword} is no number of {unit} that anybody has")
    return float(values[0])
