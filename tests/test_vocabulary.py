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
    "Category": "CR PR SD PD NE BL CMR PMR SMD PMD iCR iPR iSD iUPD iCPD Non-PD PDu NED Non-CR/Non-PD",
    "Basis": "measured reader",
    "Scope": "sum each",
    "Pattern": "oligoprogression systemic oligometastatic polymetastatic",
    "EventKind": "fracture cord_compression radiotherapy surgery cementation ablation hypercalcaemia "
    "therapy_start therapy_stop",
    "Pain": "none occasional mechanical mild moderate functional",
    "Alignment": "normal deformity subluxation",
    "Collapse": "none involved <50 >50",
    "Posterolateral": "none unilateral bilateral",
    "View": "ANT POST",
}
NAMED_IN_WORDS = {"<50": "BELOW_HALF", ">50": "ABOVE_HALF"}
"""Words that no name can be made of."""


@pytest.mark.parametrize(("name", "words"), CONTRACT.items())
def test_words_are_those_of_the_contract(name, words):
    kind = getattr(vocabulary, name)
    assert {member.value for member in kind} == set(words.split())
    assert {member.value: member.name for member in kind} == {word: name_of(word) for word in words.split()}


def name_of(word):
    return NAMED_IN_WORDS.get(word) or word.upper().replace("-", "_").replace("/", "_")


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
    assert [one for one in vocabulary.Category if one.is_response] == ["CR", "PR", "iCR", "iPR", "CMR", "PMR"]


@pytest.mark.parametrize(
    ("means", "words"),
    {
        "CR": "CR iCR CMR",
        "PR": "PR iPR PMR",
        "SD": "SD iSD SMD Non-CR/Non-PD NED Non-PD iUPD PDu",
        "PD": "PD iCPD PMD",
        "NE": "NE",
        "BL": "BL",
    }.items(),
)
def test_every_category_means_one_that_all_sets_share(means, words):
    assert {one for one in vocabulary.Category if one.means == means} == set(words.split())


def test_what_progresses_and_what_says_nothing():
    categories = list(vocabulary.Category)
    assert {one for one in categories if one.is_progression} == {"PD", "iCPD", "PMD"}
    assert {one for one in categories if not one.is_evaluable} == {"NE", "BL"}


def test_which_events_are_local():
    local = {"fracture", "radiotherapy", "surgery", "cementation", "ablation"}
    assert {one for one in vocabulary.EventKind if one.is_local_treatment} == local
