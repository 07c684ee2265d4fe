"""Numbers of the tables as people read them: a change in percent with its sign, millimetres to a tenth."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["BESIDE", "MEASURED", "Quantity", "number_of"]

_MINUS = "\N{MINUS SIGN}"
_NOTHING = re.compile(r"^[+-](0(?:\.0*)?(?: %)?)$")
"""Of a number that rounds to 0 the sign says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantity:
    """A column of lesions.csv that a page shows. text: its key in the table of strings; form: see `number_of`."""

    column: str
    text: str
    form: str


def number_of(cell: str, form: str) -> str:
    """The text of a cell as a page has it; an empty one stays empty.

    form: mm, ml, HU, ratio, SUV, share (of 1, as percent), % (a change, with its sign), points (of percent), count.

    >>> number_of("-0.4012", "%"), number_of("12.34", "mm"), number_of("0.25", "share"), number_of("", "mm")
    ('\N{MINUS SIGN}40 %', '12.3', '25 %', '')
    """
    if not cell:
        return ""
    try:
        text = _FORMS[form].format(float(cell) * _FACTORS.get(form, 1.0))
    except ValueError:
        return cell
    return _NOTHING.sub(r"\1", text).replace("-", _MINUS)


_FORMS = {
    "mm": "{:.1f}",
    "mm2": "{:.0f}",
    "ml": "{:.2f}",
    "HU": "{:.0f}",
    "ratio": "{:.2f}",
    "SUV": "{:.1f}",
    "share": "{:.0f} %",
    "%": "{:+.0f} %",
    "points": "{:.1f}",
    "count": "{:.0f}",
}
_FACTORS = {"share": 100.0, "%": 100.0, "points": 100.0}

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
    Quantity(column="suv_max", text="page.suv_max", form="SUV"),
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
