"""Which names are one reader's."""

from __future__ import annotations

import unicodedata

__all__ = ["is_same_reader"]


def is_same_reader(one: str, other: str) -> bool:
    """Whether two names are one person's: case, width and blanks are how somebody typed that day.

    >>> is_same_reader("Jones", " jones "), is_same_reader("Jones", "Jonas")
    (True, False)
    """
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
