"""Every string of figures and pages in two languages."""

from __future__ import annotations

import string

import pytest

from mdanderson.criteria import CRITERIA_SETS
from mdanderson.errors import SettingsError
from mdanderson.report import texts, texts_figures, texts_pages, texts_review, texts_words
from mdanderson.vocabulary import (
    Alignment,
    Basis,
    Category,
    Collapse,
    EventKind,
    LesionType,
    Modality,
    Pain,
    Pattern,
    Posterolateral,
    Status,
)

TABLES = (texts_words.WORDS, texts_figures.FIGURES, texts_pages.PAGES, texts_review.REVIEW)


def places(line: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(line) if name is not None}


def test_both_languages_have_the_same_keys_and_no_key_stands_in_two_tables():
    assert list(texts.EN) == list(texts.ZH)
    assert len(texts.EN) == sum(map(len, TABLES))


@pytest.mark.parametrize("key", texts.EN)
def test_a_string_is_there_in_both_languages_with_the_same_places(key):
    english, chinese = texts.text(key, "en"), texts.text(key, "zh")
    assert english.strip() == english != ""
    assert chinese.strip() == chinese != ""
    assert places(english) == places(chinese)
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in english)


def test_tables_are_frozen():
    with pytest.raises(TypeError):
        texts.EN["word.lesion"] = "spot"
    with pytest.raises(TypeError):
        texts_words.WORDS["word.lesion"] = ("spot", "spot")


def test_an_unknown_language_names_those_there_are_and_an_unknown_key_is_our_fault():
    with pytest.raises(SettingsError, match="unknown language 'de'; use one of en, zh"):
        texts.text("word.lesion", "de")
    with pytest.raises(KeyError, match=r"word\.spot"):
        texts.text("word.spot")


@pytest.mark.parametrize(
    ("kind", "closed"),
    [
        ("category", Category),
        ("modality", Modality),
        ("status", Status),
        ("lesion_type", LesionType),
        ("basis", Basis),
        ("event", EventKind),
        ("pattern", Pattern),
        ("pain", Pain),
        ("alignment", Alignment),
        ("collapse", Collapse),
        ("posterolateral", Posterolateral),
        ("criteria", [one.code for one in CRITERIA_SETS]),
    ],
)
def test_every_closed_word_is_there(kind, closed):
    assert [value for value in closed if f"{kind}.{value}" not in texts.EN] == []


def test_a_word_that_is_not_closed_stays_as_it_is_written():
    assert texts.word("event", "<b>denosumab</b>", "zh") == "<b>denosumab</b>"
    assert texts.word("event", "fracture", "zh") == "骨折"
