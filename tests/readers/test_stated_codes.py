"""A reader's codes in a table: how they are written, and what those at fault leave open (detail 12, decision 13)."""

from __future__ import annotations

import pandas as pd
import pytest

from mdanderson.batch.classify import classify
from mdanderson.readers.measurements import read_measurements
from mdanderson.timeline.codes import codes_in
from mdanderson.vocabulary import Alignment


def classified(*findings):
    """A steady lytic lesion at three visits, with what a reader states at the later two."""
    dates = ["2024-01-01", "2024-06-01", "2024-09-01"]
    rows = [
        {"patient_id": "P", "modality": "CT", "lesion_id": "L1", "date": date, "findings": code}
        | {"long_axis_mm": 20, "short_axis_mm": 15, "lesion_type": "lytic"}
        for date, code in zip(dates, ["", *findings], strict=False)
    ]
    return classify(pd.DataFrame(rows))


def overall(results):
    return " ".join(results.responses.loc[results.responses["scope"] == "overall", "category"])


@pytest.mark.parametrize("text", ["PR1;SD2", "pr1 ; sd2", "PR1,SD2", "Pr1 SD2", ";PR1;;SD2;"])
def test_case_and_delimiter_do_not_matter(text):
    assert codes_in(text) == {"PR1", "SD2"}


@pytest.mark.parametrize("text", ["pr1", "PR1,SD2", "PR1 SD2"])
def test_a_code_counts_however_it_is_written(text):
    assert overall(classified(text)) == "BL PR"


@pytest.mark.parametrize("text", ["PD 4", "CR 1", "PR1;PD9", "CR1;PD1"])
def test_a_code_at_fault_leaves_its_lesion_open_as_a_faulty_number_does(text):
    results = classified(text)
    assert overall(results) == "BL NE"
    assert list(results.failed) == ["P"]
    assert "error" in set(results.problems["severity"])
    assert overall(classified(text, "PR1")) == "BL NE PR"


@pytest.mark.parametrize("code", ["PD2", "PR1", "SD3"])
def test_gone_beside_a_code_that_denies_it_leaves_the_lesion_open(code):
    rows = [{"date": "2024-01-01", "long_axis_mm": 8, "short_axis_mm": 6, "findings": ""}]
    rows.append({"date": "2024-06-01", "long_axis_mm": 0, "short_axis_mm": 0, "findings": code})
    table = pd.DataFrame(rows).assign(patient_id="P", modality="CT", lesion_id="L1")
    results = classify(table)
    assert overall(results) == "BL NE"
    assert f"gone, yet {code} says what became of it" in "".join(results.problems["what"])
    assert overall(classify(table.assign(findings=["", "CR2"]))) == "BL CR"


@pytest.mark.parametrize(("code", "category"), [("PR3", "CR"), ("PR4", "CR"), ("PR5", "CR"), ("PD4", "PD")])
def test_gone_beside_what_is_true_of_it_as_well(code, category):
    rows = [{"date": "2024-01-01", "long_axis_mm": 20, "short_axis_mm": 15, "findings": ""}]
    rows.append({"date": "2024-06-01", "long_axis_mm": 0, "short_axis_mm": 0, "findings": code})
    assert (
        overall(classify(pd.DataFrame(rows).assign(patient_id="P", modality="CT", lesion_id="L1"))) == f"BL {category}"
    )


@pytest.mark.parametrize("said", [{"uptake": 1.0}, {"status": "resolved"}, {}])
def test_a_focus_back_to_normal_has_fallen_by_half(said):
    rows = [{"date": "2024-01-01", "uptake": 3}, {"date": "2024-06-01", "findings": "CR4;PR5"} | said]
    table = pd.DataFrame(rows).assign(patient_id="P", modality="NM", lesion_id="L1").astype(object)
    assert overall(classify(table.where(table.notna(), ""))) == "BL CR"


@pytest.mark.parametrize("codes", ["PR1", "PR1;SD2", "SD4", "CR2", "PD2"])
def test_codes_that_compare_an_unlisted_lesion_with_nothing(codes):
    """Nobody can say whether it is new: its row is open, unless the reader says so."""
    rows = [{"date": "2024-01-01", "lesion_id": "L1"}, {"date": "2024-06-01", "lesion_id": "L1"}]
    rows.append({"date": "2024-06-01", "lesion_id": "N1", "findings": codes})
    table = pd.DataFrame(rows).assign(patient_id="P", modality="CT", long_axis_mm=20, short_axis_mm=15).fillna("")
    results = classify(table)
    assert overall(results) == "BL NE"
    assert "of lesion N1, which no earlier row lists" in "".join(results.problems["what"])
    assert overall(classify(table.assign(new=["", "", "false"]))) == "BL SD"


def test_so_they_do_not_where_another_modality_knows_the_lesion():
    rows = [("CT", "2024-01-01", "L1", ""), ("CT", "2024-06-01", "L1", ""), ("MR", "2024-03-01", "N1", "")]
    rows += [("MR", "2024-06-01", "N1", ""), ("CT", "2024-06-01", "N1", "PR1")]
    table = pd.DataFrame(rows, columns=["modality", "date", "lesion_id", "findings"])
    results = classify(table.assign(patient_id="P", long_axis_mm=20, short_axis_mm=15))
    assert overall(results) == "BL NE SD"
    assert "error" not in set(results.problems["severity"])


@pytest.mark.parametrize(
    ("column", "word", "code"), [("status", "new", "SD4"), ("new", "true", "SD4"), ("new", "false", "PD4")]
)
def test_a_word_on_new_beside_the_code_that_denies_it(column, word, code):
    rows = [{"date": "2024-01-01", "lesion_id": "L1"}, {"date": "2024-06-01", "lesion_id": "L1"}]
    rows.append({"date": "2024-06-01", "lesion_id": "L2", column: word, "findings": code})
    table = pd.DataFrame(rows).assign(patient_id="P", modality="CT", long_axis_mm=20, short_axis_mm=15).fillna("")
    assert overall(classify(table)) == "BL NE"


def test_new_beside_the_code_that_nothing_is_new():
    rows = [{"date": "2024-01-01", "lesion_id": "L1"}, {"date": "2024-06-01", "lesion_id": "L1"}]
    rows.append({"date": "2024-06-01", "lesion_id": "L2", "status": "new", "findings": "SD4"})
    table = pd.DataFrame(rows).assign(patient_id="P", modality="CT", long_axis_mm=20, short_axis_mm=15).fillna("")
    assert overall(classify(table)) == "BL NE"


def test_new_false_said_later_is_not_used_and_told():
    rows = [{"date": day, "lesion_id": "L1"} for day in ("2024-01-01", "2024-06-01", "2024-09-01")]
    rows += [{"date": "2024-06-01", "lesion_id": "L2"}, {"date": "2024-09-01", "lesion_id": "L2", "new": "false"}]
    table = pd.DataFrame(rows).assign(patient_id="P", modality="CT", long_axis_mm=20, short_axis_mm=15).fillna("")
    results = classify(table)
    assert overall(results) == "BL PD PD"
    assert "new=false is not used: lesion L2 was first seen as new, which settles it" in set(results.problems["what"])


@pytest.mark.parametrize("word", ["kyphosis", "Scoliosis", "deformity"])
def test_the_alignment_may_be_written_as_sins_prints_it(word):
    row = {"patient_id": "P", "date": "2024-01-01", "modality": "CT", "lesion_id": "L1", "long_axis_mm": 20}
    measured = read_measurements(pd.DataFrame([row | {"short_axis_mm": 15, "alignment": word}]))
    assert measured.problems == ()
    assert measured.patients[0].examinations[0].lesions[0].structure.alignment is Alignment.DEFORMITY
