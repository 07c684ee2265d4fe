"""What a notebook shows of a timeline."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from decimal import Decimal

from mdanderson.findings import Examination, LesionFinding, PatientFacts
from mdanderson.palette import LIGHT
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.timeline.course_svg import course_svg
from mdanderson.vocabulary import Category, Modality, Status

SVG = "{http://www.w3.org/2000/svg}"

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
    assert text.startswith("<p>P01</p><svg ")
    assert "</svg><table><thead><tr><th>visit</th><th>date</th><th>criteria</th>" in text
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


def boxes(text: str) -> list[tuple[str, float, str]]:
    """Category, height and colour of every visit in the picture."""
    root = ET.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    found = []
    for group in root.findall(f"{SVG}g"):
        box, (word, *_) = group.find(f"{SVG}rect"), group.findall(f"{SVG}text")
        found.append((word.text, float(box.attrib["y"]) + 9, box.attrib["fill"]))
    return found


def test_the_picture_shows_each_visit_as_high_as_its_change_in_its_colour():
    text = timeline_of("P01")._repr_html_()
    assert boxes(text) == [("BL", 84, LIGHT.category("BL")), ("PR", 138, LIGHT.category("PR"))]
    assert 'aria-label="mda2010: baseline BL, week 12 PR"' in text
    assert ">\N{MINUS SIGN}50 %</text>" in text
    assert ">13 weeks</text>" in text
    assert '<polyline points="40.0,84.0 580.0,138.0"' in text


def test_a_change_that_is_not_known_has_no_number_and_no_line():
    rows = [row for row in timeline_of("P01").responses if row.scope == "overall" and row.criteria == "mda2010"]
    text = course_svg([rows[0], rows[1]._replace(size_change_baseline=None, category=Category.NE)])
    assert boxes(text) == [("BL", 84, LIGHT.category("BL")), ("NE", 84, LIGHT.category("NE"))]
    assert " %</text>" not in text
    assert "polyline" not in text


def test_nothing_gives_no_picture():
    assert course_svg([]) == ""
