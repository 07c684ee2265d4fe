"""Words are spelled as the tables of the contract spell them."""

from __future__ import annotations

import json

import pytest

from mdanderson import vocabulary
from mdanderson.criteria import CRITERIA_SETS

CONTRACT = {
    "Modality": "CT MR NM PT XR",
    "MrSequence": "T1 T2 STIR IN OPP ADC FAT WATER",
    "LesionType": "lytic blastic mixed",
    "Status": "baseline followed new equivocal resolved missing merged split ambiguous not_evaluable",
    "Category": "CR PR SD PD NE BL",
    "Basis": "measured reader",
    "Scope": "sum each",
    "Pattern": "oligoprogression systemic oligometastatic polymetastatic",
}


@pytest.mark.parametrize(("name", "words"), CONTRACT.items())
def test_words_are_those_of_the_contract(name, words):
    kind = getattr(vocabulary, name)
    assert {member.value for member in kind} == set(words.split())
    assert [member.name for member in kind] == [member.value.upper() for member in kind]


def test_every_word_list_is_checked_here():
    assert ["DEFAULT_CRITERIA", *sorted(CONTRACT)] == vocabulary.__all__


def test_the_default_criteria_are_the_set_of_record():
    assert CRITERIA_SETS[0].code == vocabulary.DEFAULT_CRITERIA


def test_a_word_is_plain_text_in_a_table():
    assert f"{vocabulary.Status.NOT_EVALUABLE}" == "not_evaluable"
    assert json.dumps({"status": vocabulary.Status.NEW}) == '{"status": "new"}'


def test_an_unknown_word_is_refused():
    with pytest.raises(ValueError, match="stable"):
        vocabulary.Category("stable")


def test_who_shows_anatomy_and_what_is_a_response():
    assert [one for one in vocabulary.Modality if one.is_anatomical] == ["CT", "MR", "XR"]
    assert [one for one in vocabulary.Category if one.is_response] == ["CR", "PR"]
