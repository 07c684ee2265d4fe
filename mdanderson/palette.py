"""The colours of figures, pages and notebooks in one table, on light and on dark ground.

Categories run from blue (response) over gold (stable) to red-brown (progression). Every one of them has a contrast of
at least 3 to its ground (WCAG 2.2, 1.4.11) and stays apart from every other under protanopia, deuteranopia and
tritanopia (simulated after Machado, Oliveira and Fernandes 2009); a test measures both. No colour stands alone: the
category is written beside it, what is not evaluable is hatched, and lines of lesions have dashes of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mdanderson.vocabulary import Category

__all__ = ["DARK", "LIGHT", "Theme", "ink_on", "is_hatched", "theme"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    """Colours as #rrggbb. categories: by what they `mean` in the words all sets share; lines: of lesions, in order."""

    name: str
    background: str
    text: str
    muted: str
    grid: str
    categories: Mapping[Category, str]
    lines: tuple[str, ...]

    def category(self, category: Category | str) -> str:
        """The colour of a category of any criteria set. Raises `ValueError` for a word that is none."""
        return self.categories[Category(category).means]


LIGHT = Theme(
    name="light",
    background="#ffffff",
    text="#1b1f23",
    muted="#57606a",
    grid="#d8dee4",
    categories=MappingProxyType(
        {
            Category.CR: "#0b4f8a",
            Category.PR: "#4090d2",
            Category.SD: "#b58a00",
            Category.PD: "#a62a12",
            Category.NE: "#666666",
            Category.BL: "#949494",
        }
    ),
    lines=("#0072b2", "#c4570a", "#00805d", "#a8568a", "#7a6a00", "#3a3a3a", "#2a8fbd", "#8c2d04"),
)
"""On white, for print as well."""

DARK = Theme(
    name="dark",
    background="#14171a",
    text="#e6e9ec",
    muted="#a0a8b0",
    grid="#33393f",
    categories=MappingProxyType(
        {
            Category.CR: "#3d9bf0",
            Category.PR: "#a6d3ff",
            Category.SD: "#e8cb4a",
            Category.PD: "#ff6f4c",
            Category.NE: "#a4aab0",
            Category.BL: "#6b7178",
        }
    ),
    lines=("#56b4e9", "#f0a04b", "#2fc79b", "#dd9cc6", "#e4d96f", "#d0d4d8", "#8fd3ff", "#ff8a65"),
)
"""On nearly black."""


def theme(*, dark: bool) -> Theme:
    """The dark theme or the light one."""
    return DARK if dark else LIGHT


def is_hatched(category: Category | str) -> bool:
    """Whether areas of this category are hatched: not evaluable, or a progression that waits for its confirmation.

    >>> is_hatched("NE"), is_hatched("iUPD"), is_hatched("SD")
    (True, True, False)
    """
    return Category(category) in {Category.NE, Category.IUPD, Category.PDU}


def ink_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour.

    >>> ink_on("#0b4f8a"), ink_on("#e8cb4a")
    ('#ffffff', '#000000')
    """
    return "#000000" if _luminance(colour) > 0.179 else "#ffffff"


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of #rrggbb."""
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
