"""Names of lesions that may be one, misspelt."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = ["nearest_name", "twin_of"]

_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def _folded(name: str) -> str:
    """A name without what a typist varies: case, blanks, O for 0, leading zeros."""
    return _LEADING_ZEROS.sub("", "".join(name.casefold().split()).replace("o", "0"))


def twin_of(name: str, known: Iterable[str]) -> str:
    """The known name that differs by case, blanks, leading zeros or O for 0 alone; blank where there is none.

    >>> twin_of("lo1", ["L2", "L01"]), twin_of("L10", ["L1"])
    ('L01', '')
    """
    folded = _folded(name)
    return next((one for one in sorted(known) if one != name and _folded(one) == folded), "")


def nearest_name(name: str, known: Iterable[str]) -> str:
    """The known name most like another; blank where none is alike.

    >>> nearest_name("L22", ["L2", "hip"])
    'L2'
    """
    names = sorted(known)
    alike = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return twin_of(name, names) or next(iter(alike), "")
