"""The tables of docs/phantoms.md, from the specification itself: every key with its default, values and meaning."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mdanderson.phantoms.spec import (
    Change,
    HostSpec,
    LesionShape,
    Merge,
    PatientSpec,
    PhantomSpec,
    ScanSpec,
    Split,
    VisitSpec,
)

__all__ = ["format_tables"]

_TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", PhantomSpec),
    ("`[host]`", HostSpec),
    ("`[scan]`, and `scan` of a visit", ScanSpec),
    ("`[[patient]]`", PatientSpec),
    ("`[[patient.lesion]]`, `new` of a visit, `parts` of a split", LesionShape),
    ("`[[patient.visit]]`", VisitSpec),
    ("`change` of a visit", Change),
    ("`merge` of a visit", Merge),
    ("`split` of a visit", Split),
)


def format_tables() -> str:
    """Markdown: one table of keys for every table of the file."""
    return "\n".join(_table(title, model) for title, model in _TABLES)


def _table(title: str, model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    allowed, words = schema["properties"], schema.get("$defs", {})
    rows = [
        f"| `{name}` | {_default(field.default)} | {_allowed(_resolved(allowed[name], words))} | {field.description} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join([f"### {title}", "", "| key | default | allowed | meaning |", "|---|---|---|---|", *rows, ""])


def _resolved(schema: Any, words: dict[str, Any]) -> Any:
    """The schema with lists of words in the place of their names."""
    if isinstance(schema, list):
        return [_resolved(part, words) for part in schema]
    if not isinstance(schema, dict):
        return schema
    named = words.get(str(schema.get("$ref", "")).rsplit("/", 1)[-1], {})
    return (
        {"enum": named["enum"]} if "enum" in named else {key: _resolved(value, words) for key, value in schema.items()}
    )


def _allowed(schema: dict[str, Any]) -> str:
    """What a key takes, in words, from its JSON schema."""
    if "anyOf" in schema:  # or nothing
        return _allowed(schema["anyOf"][0])
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "prefixItems" in schema:
        return f"{len(schema['prefixItems'])} numbers{_limits(schema['prefixItems'][0], of=', each ')}"
    if "items" in schema:
        least = schema.get("minItems", 0)
        kind = "tables" if "$ref" in schema["items"] else "names"
        kind = _allowed(schema["items"]) if "enum" in schema["items"] else kind
        return f"{kind}, at least {least}" if least else kind
    return _one(schema)


def _one(schema: dict[str, Any]) -> str:
    """The same of what is no list and no choice of words."""
    if "additionalProperties" in schema:
        return f"ratios by {_allowed(schema['propertyNames'])}{_limits(schema['additionalProperties'], of=', each ')}"
    if "$ref" in schema:
        return "a table"
    if "pattern" in schema:
        return "letters, digits, `_` `.` `-`"
    if schema.get("format") == "date":
        return "YYYY-MM-DD"
    names = {"boolean": "`true`, `false`", "string": "a path", "integer": "whole", "number": ""}
    parts = (names[schema["type"]], _limits(schema))
    return ", ".join(part for part in parts if part) or "any number"


def _limits(schema: dict[str, Any], of: str = "") -> str:
    """Bounds of a number; blank where it has none."""
    found = [f"{sign} {schema[key]:g}" for key, sign in _BOUNDS if key in schema]
    return of + ", ".join(found) if found else ""


_BOUNDS = (
    ("minimum", ">="),
    ("exclusiveMinimum", ">"),
    ("maximum", "<="),
    ("exclusiveMaximum", "<"),
    ("multipleOf", "a multiple of"),
)
"""Keys of a JSON schema, and what they mean."""


def _default(value: object) -> str:
    """As TOML writes it; blank where it must be given, or where a whole table has its own defaults."""
    if value is PydanticUndefined or value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if value == {}:
        return ""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_default, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
