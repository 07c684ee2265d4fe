"""Numbers of the tables as people read them: a change in percent with its sign, millimetres to a tenth.

They are rounded as the reasons of categories round theirs, so that a page never says one thing in two ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from mdanderson.quantities import fixed
from mdanderson.report.changes import LONG_AXIS_LIMITS, SIZE_LIMITS, UPTAKE_LIMITS, change_in_words

__all__ = ["BESIDE", "MEASURED", "Quantity", "change_form", "change_since", "number_of"]

_MINUS = "\N{MINUS SIGN}"
_DIGITS = 30
"""More than any measurement has; a table changed by hand may hold what would take all memory to write out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """A column of lesions.csv that a page shows. text: its key in the table of strings; form: see `number_of`.

    is_change: not the value is shown, but its change since it was first known.
    """

    column: str
    text: str
    form: str
    is_change: bool = False


def number_of(cell: str, form: str) -> str:
    """The text of a cell as a page has it; an empty one stays empty.

    form: mm, ml, HU, ratio, SUV, share (of 1, as percent), points (of percent), count; % (a change, with its sign),
    and of other limits % long axis and % uptake.

    >>> number_of("-0.4012", "%"), number_of("0.2496", "%"), number_of("12.35", "mm"), number_of("", "mm")
    ('\N{MINUS SIGN}40 %', '+24.96 %', '12.4', '')
    """
    if not cell:
        return ""
    try:
        value = Decimal(cell)
    except InvalidOperation:
        return cell
    if not value.is_finite() or abs(value.adjusted()) > _DIGITS:
        return cell
    limits = _CHANGES.get(form)
    text = _plain(value, form) if limits is None else change_in_words(value, limits=limits)
    return text.replace("-", _MINUS)


def change_form(criteria: str) -> str:
    """The form of the change that a criteria set goes by: its reasons and the page round it alike."""
    return _FORM_OF_CHANGE.get(criteria, "%")


def change_since(first: str, cell: str) -> str:
    """The change from one cell to another, as a share of the first; blank where there is none.

    >>> change_since("2.45", "3.92"), change_since("", "3.92"), change_since("2.45", "")
    ('0.600000', '', '')
    """
    if not first or not cell or not float(first):
        return ""
    return f"{float(cell) / float(first) - 1:.6f}"


def _plain(value: Decimal, form: str) -> str:
    places, factor, unit = _FORMS[form]
    return fixed(value * factor, places) + unit


_CHANGES = {"%": SIZE_LIMITS, "% long axis": LONG_AXIS_LIMITS, "% uptake": UPTAKE_LIMITS}
_FORM_OF_CHANGE = {
    **dict.fromkeys(("recist11", "irecist", "pcwg3"), "% long axis"),
    **dict.fromkeys(("percist", "eortc"), "% uptake"),
}
_FORMS = {
    "mm": (1, 1, ""),
    "mm2": (0, 1, ""),
    "ml": (2, 1, ""),
    "HU": (0, 1, ""),
    "ratio": (2, 1, ""),
    "SUV": (1, 1, ""),
    "share": (0, 100, " %"),
    "points": (1, 100, ""),
    "count": (0, 1, ""),
}
"""Decimals, factor and unit of every form that is no change."""

MEASURED = (
    Quantity(column="long_axis_mm", text="page.long_axis", form="mm"),
    Quantity(column="short_axis_mm", text="page.short_axis", form="mm"),
    Quantity(column="size_mm", text="page.size", form="mm"),
    Quantity(column="outline_size_mm", text="page.outline_size", form="mm"),
    Quantity(column="size_change_baseline", text="page.change_baseline", form="%"),
    Quantity(column="size_change_nadir", text="page.change_nadir", form="%"),
    Quantity(column="product_mm2", text="page.product", form="mm2"),
    Quantity(column="volume_ml", text="page.volume", form="ml"),
    Quantity(column="soft_tissue_mm", text="page.soft_tissue", form="mm"),
    Quantity(column="mean_hu", text="page.mean_hu", form="HU"),
    Quantity(column="reference_hu", text="page.reference_hu", form="HU"),
    Quantity(column="lytic_fraction", text="page.lytic", form="share"),
    Quantity(column="sclerotic_fraction", text="page.sclerotic", form="share"),
    Quantity(column="fill_in_fraction", text="page.fill_in", form="share"),
    Quantity(column="cleared_fraction", text="page.cleared", form="share"),
    Quantity(column="rim_fraction", text="page.rim", form="share"),
    Quantity(column="signal_ratio", text="page.signal_ratio", form="ratio"),
    Quantity(column="uptake_ratio", text="page.uptake_ratio", form="ratio"),
    Quantity(column="uptake_ratio", text="page.uptake_change", form="% uptake", is_change=True),
    Quantity(column="suv_max", text="page.suv_max", form="SUV"),
    Quantity(column="suv_max", text="page.suv_change", form="% uptake", is_change=True),
    Quantity(column="suv_peak", text="page.suv_peak", form="SUV"),
    Quantity(column="metabolic_volume_ml", text="page.metabolic_volume", form="ml"),
    Quantity(column="tlg", text="page.tlg", form="SUV"),
    Quantity(column="adc_um2_s", text="page.adc", form="count"),
    Quantity(column="adc_change", text="page.adc_change", form="%"),
    Quantity(column="fat_fraction", text="page.fat", form="share"),
    Quantity(column="registration_error_mm", text="page.registration_error", form="mm"),
)
"""What is measured of a lesion, in the order of the page; a line that is empty at every visit is left out."""

BESIDE = frozenset({"signal_ratio", "adc_um2_s", "adc_change", "fat_fraction"})
"""What an MR sequence shows of its own, beside the one that size is taken from."""
