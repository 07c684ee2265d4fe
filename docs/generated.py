"""Writes the pages of docs/ that come from the code (`make handbook`); tests hold the files to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mdanderson.report.columns import TABLES
from mdanderson.report.dictionary import dictionary
from mdanderson.report.handbook import handbook
from mdanderson.report.methods import methods_page
from mdanderson.report.settings_toml import settings_toml
from mdanderson.statistics import ADJUDICATION, AGREEMENT, MEASUREMENT_AGREEMENT, SUMMARY

SETTINGS = """\
# Settings

> Generated from the code (`make handbook`): what `mdanderson settings` prints. Research use only, not a medical
> device.

Every threshold and every choice of the program, with its default, its source and what is allowed (in brackets).
"Ours" marks an operational definition that no published criterion settles. The same settings as tables, linked from
the rows that use them, stand in the [criteria](criteria.md#settings); how to change one is told in [change a
threshold](howto/threshold.md).

```toml
{toml}```
"""


def output_page() -> str:
    """The output dictionary, of every table that a run may write."""
    return dictionary((*TABLES, SUMMARY, AGREEMENT, MEASUREMENT_AGREEMENT, ADJUDICATION))


def settings_page() -> str:
    """The settings file in full."""
    return SETTINGS.format(toml=settings_toml())


PAGES: Mapping[str, Callable[[], str]] = {
    "criteria.md": handbook,
    "methods.md": methods_page,
    "output.md": output_page,
    "settings.md": settings_page,
}
"""Page -> what writes it."""


def main() -> None:
    """Write every page beside this file."""
    for name, page in PAGES.items():
        (Path(__file__).parent / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
