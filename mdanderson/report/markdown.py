"""The few marks of Markdown that a page of rules needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["anchored", "code", "linked", "section", "table"]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell may hold any text."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def section(title: str, *blocks: str, level: int = 2, anchor: str = "") -> str:
    """A heading and what stands under it; blank blocks are left out. anchor: a name to link to."""
    mark = f'<a id="{anchor}"></a>\n\n' if anchor else ""
    return "\n\n".join([f"{mark}{'#' * level} {title}", *(block for block in blocks if block)])


def anchored(text: str, anchor: str) -> str:
    """Text that can be linked to."""
    return f'<a id="{anchor}"></a>{text}'


def linked(text: str, anchor: str) -> str:
    """A link to a place on the same page."""
    return f"[{text}](#{anchor})"


def code(text: str) -> str:
    """Words as they are typed."""
    return f"`{text}`"
