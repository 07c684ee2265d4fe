"""What a user is told of a phantom specification that cannot be used: the key, its line, and the way out."""

from __future__ import annotations

import re
import reprlib
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mdanderson.errors import SettingsError

__all__ = ["EVERY_KEY", "as_spec_error", "line_of"]

EVERY_KEY = "docs/phantoms.md lists every key"
_UNKNOWN, _MISSING, _CONTRADICTION = "extra_forbidden", "missing", "contradiction"
_SHORT = reprlib.Repr()
_SHORT.maxstring = 60

Place = tuple[str | int, ...]
"""Where a value stands: names of tables and keys, and numbers of tables in lists."""


def as_spec_error(error: ValidationError, model: type[BaseModel], *, path: str = "", text: str = "") -> SettingsError:
    """The first fault in the order of the file. text: what stands in the file at `path`."""
    faults = [(line_of(text, _place(fault)) or 0, fault) for fault in _own(error.errors())]
    line, fault = min(faults, key=lambda told: told[0])
    return SettingsError(_what(fault), where=f"{path} line {line}" if line else path, way_out=_way_out(fault, model))


def _own(faults: list[ErrorDetails]) -> list[ErrorDetails]:
    """The faults without those that others bring about: a list is called too short where an entry of it is wrong."""
    places = [fault["loc"] for fault in faults]
    return [
        fault
        for fault in faults
        if fault["type"] != "too_short" or not any(p[: len(fault["loc"])] == fault["loc"] != p for p in places)
    ]


def _place(fault: ErrorDetails) -> Place:
    place = tuple(fault["loc"])
    return (*place, fault["ctx"]["key"]) if fault["type"] == _CONTRADICTION else place


def _what(fault: ErrorDetails) -> str:
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in _place(fault))
    if fault["type"] == _UNKNOWN:
        return f"{key}: unknown key"
    if fault["type"] == _MISSING:
        return f"{key}: is missing"
    message = _PLAIN.get(fault["type"], fault["msg"])
    told = f"{key}: {message[0].lower()}{message[1:]}"
    return told if fault["type"] == _CONTRADICTION else f"{told}, got {_SHORT.repr(fault['input'])}"


_PLAIN = {
    "tuple_type": "should be a list, as in [12.0, 10.0, 8.0]",
    "model_type": "should be a table with keys",
    "string_pattern_mismatch": "should be letters, digits, _ . - only",
}
"""What a user is told in place of words that only a programmer knows, by type of fault."""


def _way_out(fault: ErrorDetails, model: type[BaseModel]) -> str:
    if fault["type"] != _UNKNOWN:
        return EVERY_KEY
    alike = get_close_matches(str(fault["loc"][-1]), _keys_at(model, tuple(fault["loc"][:-1])), n=1)
    return f"is {alike[0]} meant? {EVERY_KEY}" if alike else EVERY_KEY


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """The keys of the table at a place."""
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            inner = _model_in(model.model_fields[part].annotation)
            if inner is None:
                return []
            model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_PATH = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_PATH})\s*\]")
_KEY = re.compile(rf"\s*({_PATH})\s*=")
_NAMES = re.compile(_NAME)


def line_of(text: str, place: Place) -> int | None:
    r"""The line, counted from 1, that sets a value, else that opens the nearest table round it; None without either.

    >>> line_of("seed = 1\n[[patient]]\nid = 'A'\n[[patient]]\nid = 2", ("patient", 1, "id"))
    5
    """
    counts: dict[Place, int] = {}
    table: Place = ()
    nearest: dict[int, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = here = _opened(counts, _names(header[2]), in_list=header[1] == "[[")
        elif entry := _KEY.match(line):
            here = (*table, *_names(entry[1]))
        else:
            continue
        if here == place[: len(here)] or here == (*place, 0):  # a table of the way there, or the first of the list
            nearest.setdefault(len(here), number)
    return nearest[max(nearest)] if nearest else None


def _opened(counts: dict[Place, int], names: list[str], *, in_list: bool) -> Place:
    """The place of the table that a header opens, its lists counted."""
    place: Place = ()
    for depth, name in enumerate(names):
        place = (*place, name)
        if in_list and depth == len(names) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _names(path: str) -> list[str]:
    return [name.strip("\"'") for name in _NAMES.findall(path)]
