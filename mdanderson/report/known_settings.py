"""Every setting as a reader may see it: the value in force, the default, what is allowed, and its source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from mdanderson.settings import Settings

__all__ = ["KnownSetting", "SettingsSection", "known_sections"]

_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_OURS = "ours"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownSetting:
    """One key of a section. value, default: as TOML spells them. allowed: its bounds or its words, blank = any."""

    section: str
    name: str
    value: str
    default: str
    allowed: str
    source: str

    @property
    def key(self) -> str:
        """Section and name, as a row of a criteria table names its limit."""
        return f"{self.section}.{self.name}"

    @property
    def is_ours(self) -> bool:
        """Whether no published criterion settles it, so that it is an operational definition of ours."""
        return self.source.startswith(_OURS)


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsSection:
    """One section of the settings file. about: what it is for, in a sentence or two."""

    name: str
    about: str
    keys: tuple[KnownSetting, ...]


def known_sections(settings: Settings | None = None) -> tuple[SettingsSection, ...]:
    """Every section in order, with what stands in `settings` (the defaults without)."""
    in_force = settings or Settings()
    return tuple(_section(field.name, getattr(in_force, field.name)) for field in fields(in_force))


def _section(name: str, values: Any) -> SettingsSection:
    about = " ".join((type(values).__doc__ or "").split())
    return SettingsSection(name=name, about=about, keys=tuple(_keys(name, values)))


def _keys(section: str, values: Any) -> Iterator[KnownSetting]:
    hints, defaults = get_type_hints(type(values)), type(values)()
    for name, known in type(values).__pydantic_fields__.items():
        yield KnownSetting(
            section=section,
            name=name,
            value=_as_toml(getattr(values, name)),
            default=_as_toml(getattr(defaults, name)),
            allowed=", ".join((*_bounds(known.metadata), *_choices(hints[name]))),
            source=known.description,
        )


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


def _as_toml(value: Any) -> str:
    """A TOML literal; numbers, words, truth and lists of words are written as in JSON."""
    if isinstance(value, tuple):
        return json.dumps([str(item) for item in value])
    return json.dumps(value)
