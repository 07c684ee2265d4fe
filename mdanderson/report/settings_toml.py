"""Every setting with its default, bounds and source, as a TOML file that a user can edit and give back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from mdanderson.settings import Settings

__all__ = ["settings_toml"]

_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def settings_toml(settings: Settings | None = None) -> str:
    """A complete TOML file: what stands in `settings` (the defaults without), sources as comments."""
    settings = settings or Settings()
    sections = (_section(field.name, getattr(settings, field.name)) for field in fields(settings))
    return "# Settings of mdanderson; every section and key may be left out.\n\n" + "\n".join(sections)


def _section(name: str, values: Any) -> str:
    return f"[{name}]\n" + "".join(f"# {line}\n" if comment else f"{line}\n" for comment, line in _lines(values))


def _lines(values: Any) -> Iterator[tuple[bool, str]]:
    """(is a comment, text) for every key of a section."""
    hints = get_type_hints(type(values))
    for name, known in type(values).__pydantic_fields__.items():
        allowed = ", ".join((*_bounds(known.metadata), *_choices(hints[name])))
        yield True, known.description + (f" [{allowed}]" if allowed else "")
        yield False, f"{name} = {_value(getattr(values, name))}"


def _bounds(metadata: list[Any]) -> Iterator[str]:
    for bound in metadata:
        for key, sign in _SIGNS.items():
            if hasattr(bound, key):
                yield f"{sign} {getattr(bound, key):g}"


def _choices(kind: Any) -> Iterator[str]:
    """The words that a closed vocabulary allows."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        yield "one of " + " ".join(kind)
    elif get_origin(kind) is tuple:
        yield from (choice.replace("one of", "any of") for choice in _choices(get_args(kind)[0]))
    elif get_origin(kind) is not None:
        yield "one of " + " ".join(map(str, get_args(kind)))


def _value(value: Any) -> str:
    """A TOML literal; numbers, words, truth and lists of words are written as in JSON."""
    if isinstance(value, tuple):
        return json.dumps([str(item) for item in value])
    return json.dumps(value)
