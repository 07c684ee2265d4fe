"""The tables of docs/phantoms.md, from the specification itself: every key with its default and meaning."""

from __future__ import annotations

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
    rows = [
        f"| `{name}` | {_default(field.default)} | {field.description} |" for name, field in model.model_fields.items()
    ]
    return "\n".join([f"### {title}", "", "| key | default | meaning |", "|---|---|---|", *rows, ""])


def _default(value: object) -> str:
    """As TOML writes it; blank where it must be given, or where a whole table has its own defaults."""
    if value is PydanticUndefined or value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value)) if isinstance(value, tuple) else f'"{value}"' if isinstance(value, str) else str(value)
