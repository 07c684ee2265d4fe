"""How a setting is declared: one field with default, bounds and source, in a section that knows no other key."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ConfigDict, Field
from pydantic_core import PydanticCustomError

__all__ = ["STRICT", "each_once", "known"]

STRICT = ConfigDict(extra="forbid")

Word = TypeVar("Word", bound=str)

_MOST = 1000.0
"""Weeks, millimetres, HU or multiples: where nothing else bounds a number, more is a slip of the pen."""


def known(default: Any, source: str, **bounds: Any) -> Any:
    """A field with its default, its source and its bounds. A number is a finite number: no text, no true or false."""
    if isinstance(default, float):
        bounds = {"le": _MOST} | bounds if "lt" not in bounds else bounds
        bounds |= {"strict": True, "allow_inf_nan": False}
    elif isinstance(default, int):
        bounds |= {"strict": True}
    return Field(default, description=source, **bounds)


def each_once(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """An order or a choice of words, when it names at least one, and none again."""
    if not words:
        raise PydanticCustomError("empty", "should name at least one")
    twice = [word for word in words if words.count(word) > 1]
    if twice:
        raise PydanticCustomError("twice", "should name {word} once", {"word": str(twice[0])})
    return words
