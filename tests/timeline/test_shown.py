"""What a notebook shows of a timeline."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from mdanderson.findings import Examination, LesionFinding, PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import Modality, Status

DATES = (dt.date(2024, 1, 5), dt.date(2024, 4, 2))


def timeline_of(patient_id: str, visit: str = "week 12") -> Timeline:
    examinations = [
        Examination(
            modality=Modality.CT,
            date=date,
            visit=label,
            lesions=(
                LesionFinding(
                    lesion_id="L01",
                    status=status,
                    modality=Modality.CT,
                    date=date,
                    long_axis_mm=Decimal(size),
                    short_axis_mm=Decimal(size),
                ),
            ),
        )
        for date, label, status, size in zip(
            DATES, ("baseline", visit), (Status.BASELINE, Status.FOLLOWED), (20, 10), strict=True
        )
    ]
    facts = PatientFacts(patient_id=patient_id)
    return build_timeline(facts, examinations, settings=Settings(), criteria=("mda2010", "who"))


def test_sample():
    text = timeline_of("P01")._repr_html_()
    assert text.startswith("<p>P01</p><table><thead><tr><th>visit</th><th>date</th><th>criteria</th>")
    assert "<tr><td>baseline</td><td>2024-01-05</td><td>mda2010</td><td>BL</td>" in text
    assert "<tr><td>week 12</td><td>2024-04-02</td><td>mda2010</td><td>PR</td>" in text
    assert "<tr><td>week 12</td><td>2024-04-02</td><td>who</td><td>PR</td>" in text
    assert "<tr><td>mda2010</td><td>PR</td><td>2024-04-02</td><td></td><td>88</td></tr>" in text
    assert text.endswith("<p>Research use only, not a medical device.</p>")
    assert ">CT</td>" not in text  # the overall rows alone


def test_words_of_a_user_are_no_markup():
    text = timeline_of("<b>P01</b>", visit="<script>")._repr_html_()
    assert "<p>&lt;b&gt;P01&lt;/b&gt;</p>" in text
    assert "<td>&lt;script&gt;</td>" in text
    assert "<script>" not in text
