"""Numbers, categories and identifiers as they are written into a figure."""

from __future__ import annotations

from collections.abc import Mapping

from mdanderson.errors import printable
from mdanderson.vocabulary import Category

__all__ = ["counted", "letters", "percent", "shortened"]

_LONGEST_NAME = 24


def percent(fraction: float, *, decimals: int = 0) -> str:
    """A change as it is written at an axis.

    >>> percent(0.25), percent(-0.5), percent(0.0)
    ('+25 %', '\N{MINUS SIGN}50 %', '0 %')
    """
    number = round(100 * fraction, decimals)
    if number == 0:
        return "0 %"
    return f"{number:+.{decimals}f} %".replace("-", "\N{MINUS SIGN}")


def letters(category: Category) -> str:
    """A category as it is written into a figure, where there is room for few letters.

    >>> letters(Category.PR), letters(Category.NON_CR_NON_PD)
    ('PR', 'NN')
    """
    return "NN" if category is Category.NON_CR_NON_PD else category.value


def shortened(name: str, longest: int = _LONGEST_NAME) -> str:
    """A patient's or a lesion's identifier as a label: one line, cut where it is too long to read.

    >>> shortened("P" * 30, 8)
    'PPPPPPP…'
    """
    line = printable(name)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def counted(categories: Mapping[Category, int]) -> str:
    """How often each category stands, in words of the tables: `2 CR, 1 PD`."""
    return ", ".join(f"{count} {letters(category)}" for category, count in categories.items())
