"""What a user is told of a settings file that cannot be used: the key, its line, and the way out.

The standard library reads TOML without the places of its values, so the line of a key is looked for in the text.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from operator import itemgetter

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mdanderson.errors import SettingsError

__all__ = ["CONTRADICTION", "EVERYTHING", "as_settings_error", "line_of_key"]

CONTRADICTION = "contradiction"
"""What a fault between two settings is called; its context names both and their values."""
_UNKNOWN = "unexpected_keyword_argument"
EVERYTHING = "`mdanderson settings` prints every key with its default"


def as_settings_error(
    error: ValidationError, *, known: Mapping[str, Collection[str]], path: str = "", text: str = ""
) -> SettingsError:
    """The first fault in the order of the file. known: keys by section; text: what stands in the file at `path`."""
    faults = error.errors()
    lines = [max(line_of_key(text, key) or 0 for key in _keys(fault)) for fault in faults]
    line, fault = min(zip(lines, faults, strict=True), key=itemgetter(0))
    return SettingsError(_what(fault), where=f"{path} line {line}" if line else path, way_out=_way_out(fault, known))


def _keys(fault: ErrorDetails) -> tuple[str, ...]:
    """The keys that are at fault: section and name, whatever within the value is wrong."""
    if fault["type"] == CONTRADICTION:
        return fault["ctx"]["key"], fault["ctx"]["other"]
    return (".".join(map(str, fault["loc"][:2])),)


def _what(fault: ErrorDetails) -> str:
    key = _keys(fault)[0]
    if fault["type"] == _UNKNOWN:
        return f"{key}: unknown {'key' if '.' in key else 'section'}"
    if fault["type"] == CONTRADICTION:
        return f"{key}: {fault['ctx']['value']} is {fault['msg']}"
    message = _PLAIN.get(fault["type"], fault["msg"])
    return f"{key}: {message[0].lower()}{message[1:]}, got {_SHORT.repr(fault['input'])}"


_PLAIN = {
    "tuple_type": 'should be a list, as in ["CT"]',
    "dataclass_type": "should be a section with keys",
    "dataclass_exact_type": "should be a section with keys",
}
"""What a user is told in place of words that only a programmer knows, by type of fault."""
_SHORT = reprlib.Repr()
_SHORT.maxstring = 60


def _way_out(fault: ErrorDetails, known: Mapping[str, Collection[str]]) -> str:
    """What to do about it: the key that is meant, where one is like it or stands in another section."""
    if fault["type"] == CONTRADICTION:
        return f"lower it, or raise {fault['ctx']['other']}; {EVERYTHING}"
    if fault["type"] != _UNKNOWN:
        return EVERYTHING
    section, _, name = _keys(fault)[0].partition(".")
    elsewhere = [other for other, keys in known.items() if name in keys]
    if name and elsewhere:
        return f"it stands under [{elsewhere[0]}]; {EVERYTHING}"
    alike = get_close_matches(name or section, known.get(section, ()) if name else known, n=1)
    return f"is {alike[0]} meant? {EVERYTHING}" if alike else EVERYTHING


_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_PATH = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADER = re.compile(rf"\s*\[\s*({_PATH})\s*\]")
_KEY = re.compile(rf"\s*({_PATH})\s*=")
_NAMES = re.compile(_NAME)


def line_of_key(text: str, key: str) -> int | None:
    r"""The line, counted from 1, that sets `key` (`section.name`), else that opens its section; None without either.

    >>> line_of_key("[policy]\nresponse_share = 2", "policy.response_share")
    2
    """
    wanted = tuple(key.split("."))
    section: tuple[str, ...] = ()
    nearest: dict[int, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = path = _names(header[1])
        elif entry := _KEY.match(line):
            path = section + _names(entry[1])
        else:
            continue
        if path == wanted[: len(path)]:
            nearest.setdefault(len(path), number)
    return nearest[max(nearest)] if nearest else None


def _names(path: str) -> tuple[str, ...]:
    return tuple(name.strip("\"'") for name in _NAMES.findall(path))
