"""The examples of a page of documentation, run as a reader would run them: files saved, commands typed.

A block with a title that is a file name is saved under it; `sh` and `python` blocks run one after the other in one
folder; a block titled "printed" is what the block before it prints. Lines of progress, and where lines are broken, do
not count; a pseudonym is any pseudonym.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdanderson.cli import main

__all__ = ["PRINTED", "Block", "blocks", "run", "words"]

PRINTED = "printed"
_FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_PROGRESS = re.compile(r"^\d+ of \d+ patients done.*$", re.MULTILINE)
_PSEUDONYM = re.compile(r"PSN-[A-Z2-7]{16}")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block between fences. start: where its words begin in the page."""

    language: str
    title: str
    words: str
    start: int


def blocks(page: str) -> Iterator[Block]:
    for fence in _FENCE.finditer(page):
        yield Block(language=fence[1], title=fence[2] or "", words=fence[3], start=fence.start(3))


def words(text: str) -> list[str]:
    """What is compared of an output."""
    return _PSEUDONYM.sub("PSN-", _PROGRESS.sub("", text)).split()


def run(page: Path, folder: Path, captured: Callable[[], str]) -> Iterator[tuple[str, Block]]:
    """Run a page in `folder`, the current one; gives what was printed, and the block that shows it.

    captured: what was printed since it was last asked.
    """
    names: dict[str, Any] = {}
    printed = ""
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.title == PRINTED:
            yield printed, block
        elif block.title:
            (folder / block.title).write_text(block.words, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.words, page.name, "exec"), names)
            printed = captured().replace(f"{folder}/", "")
        elif block.language == "sh":
            _type(block.words)
            printed = captured().replace(f"{folder}/", "")


def _type(lines: str) -> None:
    """Type every command of ours; whatever else a page shows is not ours to run."""
    for line in lines.replace("\\\n", " ").splitlines():
        typed = shlex.split(line, comments=True)
        if typed[:1] == ["mdanderson"]:
            assert main(typed[1:]) in {0, 1}, line
