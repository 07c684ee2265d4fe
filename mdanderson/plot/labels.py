"""Numbers, categories and identifiers as they are written into a figure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from mdanderson.errors import printable
from mdanderson.vocabulary import Category

__all__ = ["WIDE_FROM", "breadth", "counted", "letters", "percent", "shortened"]

_LONGEST_NAME = 24
WIDE_FROM = 0x2E80
"""Letters from this code on are as wide as high."""


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

    longest: in Latin letters; Chinese ones are as wide as two.

    >>> shortened("P" * 30, 8), shortened("\N{CJK UNIFIED IDEOGRAPH-60A3}" * 30, 8)
    ('PPPPPPP…', '\N{CJK UNIFIED IDEOGRAPH-60A3}\N{CJK UNIFIED IDEOGRAPH-60A3}\N{CJK UNIFIED IDEOGRAPH-60A3}…')
    """
    line = printable(name)
    if breadth(line) <= longest:
        return line
    return f"{line[: sum(width < longest for width in accumulate(map(breadth, line)))]}…"


def breadth(text: str) -> int:
    """How many Latin letters are as wide."""
    return sum(2 if ord(letter) > WIDE_FROM else 1 for letter in text)


def counted(categories: Mapping[Category, int]) -> str:
    """How often each category stands, in words of the tables: `2 CR, 1 PD`."""
    return ", ".join(f"{count} {letters(category)}" for category, count in categories.items())
