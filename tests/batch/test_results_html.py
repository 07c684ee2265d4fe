"""What a notebook shows of results."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from mdanderson.batch import Results
from mdanderson.batch.results_html import best_responses_svg
from mdanderson.palette import LIGHT
from mdanderson.report.cells import render_row
from mdanderson.report.columns import PATIENTS, RESPONSES, TABLES

SVG = "{http://www.w3.org/2000/svg}"


def patients(**sets: str) -> list[dict[str, str]]:
    return [{"criteria": name, "best_response": word} for name, words in sets.items() for word in words.split()]


def test_bars_are_shared_out_by_best_response_in_its_colour():
    root = ET.fromstring(best_responses_svg(patients(mda2010="PR PR PD CR", who="SD")))
    groups = root.findall(f"{SVG}g")
    bars = [
        (
            group.find(f"{SVG}title").text,
            group.find(f"{SVG}rect").attrib["width"],
            group.find(f"{SVG}rect").attrib["fill"],
        )
        for group in groups
    ]
    assert bars == [
        ("CR 1", "134.0", LIGHT.category("CR")),
        ("PR 2", "268.0", LIGHT.category("PR")),
        ("PD 1", "134.0", LIGHT.category("PD")),
        ("SD 1", "536.0", LIGHT.category("SD")),
    ]
    assert root.attrib["aria-label"] == "mda2010: 1 CR, 2 PR, 1 PD; who: 1 SD"
    assert [text.text for text in root.findall(f"{SVG}text")] == ["mda2010", "who"]


def test_equal_colours_of_several_sets_stand_in_one_order_and_no_ground_is_white():
    svg = best_responses_svg(patients(mda2010="NE SD PR", irecist="NE iSD iUPD iPR", recist11="NE Non-CR/Non-PD PD"))
    root = ET.fromstring(svg)
    assert root.attrib["aria-label"].split("; ") == [
        "mda2010: 1 PR, 1 SD, 1 NE",
        "irecist: 1 iPR, 1 iSD, 1 iUPD, 1 NE",
        "recist11: 1 Non-CR/Non-PD, 1 PD, 1 NE",
    ]
    assert root.find(f"{SVG}rect") is None
    assert LIGHT.background not in {node.get("stroke") for node in root.iter()}


def test_a_narrow_share_is_told_when_pointed_at_only():
    svg = best_responses_svg(patients(mda2010="SD " * 99 + "CR"))
    assert "<title>CR 1</title>" in svg
    assert ">CR 1</text>" not in svg
    assert ">SD 99</text>" in svg


def test_nobody_has_no_picture():
    assert best_responses_svg([]) == ""
    assert "<svg" not in Results(rows={table.name: () for table in TABLES}, scored=(), failed={})._repr_html_()


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x>'])
def test_words_of_a_user_are_no_markup(hostile):
    rows = {table.name: () for table in TABLES}
    rows[PATIENTS.name] = (render_row(PATIENTS, {"patient_id": hostile, "criteria": "mda2010", "best_response": "SD"}),)
    told = {"patient_id": hostile, "visit": hostile, "scope": "overall", "reason": hostile, "category": "SD"}
    rows[RESPONSES.name] = (render_row(RESPONSES, told),)
    text = Results(rows=rows, scored=(), failed={hostile: hostile})._repr_html_()
    assert "<svg" in text
    assert "<script" not in text
    assert "<img" not in text


def test_a_long_name_is_broken_and_leaves_the_reason_on_the_screen():
    rows = {table.name: () for table in TABLES}
    told = {"patient_id": "P" * 60, "visit": "week 12", "scope": "overall", "reason": "baseline", "category": "BL"}
    rows[RESPONSES.name] = (render_row(RESPONSES, told),)
    text = Results(rows=rows, scored=("P" * 60,), failed={})._repr_html_()
    assert f'overflow-wrap:anywhere;text-align:left">{"P" * 60}</td>' in text
    assert "<td>week 12</td>" in text
