"""Every string that figures and pages show, in English and Chinese, in one table.

The strings stand in the modules `texts_*`, each key with both languages side by side, so that neither can lack one.
Identifiers of patients and lesions, readers' comments and the reasons of categories are data and are never translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from mdanderson.errors import SettingsError
from mdanderson.report.texts_figures import FIGURES
from mdanderson.report.texts_pages import PAGES
from mdanderson.report.texts_review import REVIEW
from mdanderson.report.texts_words import WORDS

__all__ = ["EN", "ZH", "Language", "language_of", "text", "word"]


class Language(StrEnum):
    """A language that figures and pages speak, by its code in HTML."""

    EN = "en"
    ZH = "zh"


_TABLES = (WORDS, FIGURES, PAGES, REVIEW)
EN: Mapping[str, str] = MappingProxyType({key: both[0] for table in _TABLES for key, both in table.items()})
"""Every string in English, by key."""
ZH: Mapping[str, str] = MappingProxyType({key: both[1] for table in _TABLES for key, both in table.items()})
"""Every string in Chinese, by the same keys."""


def language_of(code: str) -> Language:
    """The language of this code. Raises `SettingsError` for one that there is not."""
    try:
        return Language(code)
    except ValueError:
        raise SettingsError(f"unknown language {code!r}", way_out=f"use one of {', '.join(Language)}") from None


def text(key: str, language: str = Language.EN) -> str:
    """The string of a key; places in it are filled by `str.format`.

    Raises `SettingsError` for an unknown language, `KeyError` for an unknown key.

    >>> text("word.days", "zh")
    '天'
    >>> text("figure.patients_shown", "en").format(shown=3, all=4)
    '3 of 4 patients'
    """
    return (ZH if language_of(language) is Language.ZH else EN)[key]


def both(key: str, **values: object) -> tuple[str, str]:
    """The string of a key in English and Chinese, filled in. Raises `KeyError` for an unknown key.

    >>> both("review.number", number=2)
    ('visit 2', '第 2 次随访')
    """
    return EN[key].format(**values), ZH[key].format(**values)


def word(kind: str, value: str, language: str = Language.EN) -> str:
    """A closed word of the tables (`kind` category, modality, status, ...) as people read it; any other as it stands.

    >>> word("category", "PR", "zh"), word("event", "bisphosphonate", "zh")
    ('部分缓解', 'bisphosphonate')
    """
    return (ZH if language_of(language) is Language.ZH else EN).get(f"{kind}.{value}", value)
