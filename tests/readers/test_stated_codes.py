"""A reader's codes in a table: how they are written, and what those at fault leave open (detail 12, decision 13)."""

from __future__ import annotations

import pandas as pd
import pytest

from mdanderson.batch.classify import classify
from mdanderson.timeline.codes import codes_in


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
