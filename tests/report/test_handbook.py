"""docs/criteria.md is what the tables of rules say, all of it, and what cites docs/details.md cites what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mdanderson.criteria import CRITERIA_SETS
from mdanderson.criteria.comparators.soft_tissue import COMBINED
from mdanderson.report.handbook import handbook
from mdanderson.report.handbook_texts import QUANTITIES
from mdanderson.report.known_settings import known_sections
from mdanderson.settings import Settings

PROJECT = Path(__file__).parents[2]
KEYS = [one for part in known_sections() for one in part.keys]
ROWS = [(criteria, rule) for criteria in CRITERIA_SETS for rule in criteria.rules]


@pytest.fixture(scope="module")
def page() -> str:
    return handbook()


def set_of(page: str, code: str) -> str:
    """The part of the page that tells of one set."""
    return page.partition(f'<a id="set-{code}"></a>')[2].partition("<a id=")[0]


def test_the_file_is_what_the_tables_say(page):
    assert (PROJECT / "docs" / "criteria.md").read_text(encoding="utf-8") == page, "run: make handbook"


@pytest.mark.parametrize("criteria", CRITERIA_SETS, ids=lambda one: one.code)
def test_every_set_has_its_title_source_and_notes(page, criteria):
    told = set_of(page, criteria.code)
    assert told.startswith(f"\n\n### {criteria.title} (`{criteria.code}`)")
    assert all(rule.source in told for rule in criteria.rules)
    assert "**Confirmation.**" in told
    assert f"[{criteria.title}](#set-{criteria.code})" in page


@pytest.mark.parametrize(("criteria", "rule"), ROWS, ids=lambda one: one.code)
def test_every_row_is_there_with_its_limits(page, criteria, rule):
    line = next(line for line in set_of(page, criteria.code).splitlines() if line.startswith(f"| **{rule.code}** |"))
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    assert len(cells) == 7
    assert cells[1] == rule.gives
    assert cells[2].split() == sorted(rule.modalities)
    assert cells[5] == rule.text
    assert cells[6].count("](#") == len(rule.thresholds)
    assert all(f"](#{threshold.setting})" in cells[6] for threshold in rule.thresholds)


def test_a_limit_is_told_as_it_is_compared(page):
    told = set_of(page, "mda2010")
    assert "rise of size ≥ 25 % ([`pd_size_rise`](#policy.pd_size_rise));" in told
    assert "long axis ≥ 5 mm ([`new_lesion_mm`](#policy.new_lesion_mm)) †" in told
    assert "rise: off ([`pd_absolute_mm = 0`](#policy.pd_absolute_mm)) †" in told
    assert "0 mm" not in told.replace("10 mm", "")
    assert "rise of total lesion glycolysis > 75 % ([`tlg_rise`](#percist.tlg_rise)) |" in page


@pytest.mark.parametrize("known", KEYS, ids=lambda one: one.key)
def test_every_setting_is_there_with_default_and_source(page, known):
    line = next(line for line in page.splitlines() if line.startswith(f'| <a id="{known.key}"></a>`{known.name}` |'))
    assert line.endswith(f"| `{known.default}` | {known.allowed} | {known.source} | {'†' if known.is_ours else ''} |")


def test_what_is_ours_is_marked():
    ours = {known.key for known in KEYS if known.is_ours}
    assert "policy.response_share" in ours
    assert not ours & {"policy.pd_size_rise", "recist11.pd_absolute_mm", "pcwg3.new_foci"}


def test_every_link_on_the_page_leads_somewhere(page):
    own = re.findall(r'<a id="([^"]+)"></a>', page)
    headings = [title.lower().replace(" ", "-") for title in re.findall(r"(?m)^#+ ([\w ]+)$", page)]
    assert len(set(own)) == len(own)
    assert not set(own) & set(headings)  # a heading is an anchor by itself
    anchors = {*own, *headings}
    links = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert links <= anchors
    for path in set(re.findall(r"\]\(([^#)][^)]*)\)", page)):
        assert (PROJECT / "docs" / path).exists(), path


def test_every_quantity_of_a_limit_has_words():
    assert {threshold.quantity for _, rule in ROWS for threshold in rule.thresholds} <= set(QUANTITIES)


def test_the_combination_of_soft_tissue_and_bone_is_whole(page):
    told = set_of(page, "pcwg3")
    assert "|  | PD | PDu | Non-PD | NED | NE |" in told
    for soft, cells in COMBINED.items():
        assert f"| **{soft}** | {' | '.join(cells.values())} |" in told
    assert "| **CR**, no target in soft tissue | PD | Non-CR/Non-PD | Non-CR/Non-PD | CR | Non-CR/Non-PD |" in told


def test_scores_of_stability_are_there(page):
    assert "| pain | mechanical | 3 |" in page
    assert "from 7: potentially unstable" in page
    assert "from 9: prophylactic fixation" in page


def test_values_in_force_are_told_beside_the_defaults():
    changed = handbook(Settings.from_mapping({"policy": {"pd_size_rise": 0.3, "confirm_weeks": 6}}))
    assert "rise of size ≥ 30 % ([`pd_size_rise`](#policy.pd_size_rise))" in changed
    assert "| **`0.3`** (default 0.25) |" in changed
    assert "seen again at least 6 weeks\nlater" in set_of(changed, "mda2010")
    assert "from the first visit that shows it" in set_of(handbook(), "percist")
    assert "seen again at least 6 weeks\nlater" in set_of(changed, "percist")


CITED = re.compile(r"docs/details\.md,?\s+details?\s+([\d, and]+\d|\d+)")


def test_every_detail_that_the_code_cites_is_there():
    text = (PROJECT / "docs" / "details.md").read_text(encoding="utf-8")
    told = [int(number) for number in re.findall(r'<a id="detail-(\d+)"></a>', text)]
    assert sorted(told) == list(range(1, len(told) + 1))
    files = [*PROJECT.glob("mdanderson/**/*.py"), *PROJECT.glob("tests/**/*.py")]
    cited = {
        (path.name, int(number))
        for path in files
        for group in CITED.findall(" ".join(path.read_text(encoding="utf-8").split()))
        for number in re.findall(r"\d+", group)
    }
    assert cited, "the code cites its details"
    assert {number for _, number in cited} <= set(told), cited


def test_settings_named_by_the_details_exist():
    text = (PROJECT / "docs" / "details.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(criteria\.md#([a-z0-9_]+\.[a-z0-9_]+)\)", text))
    assert linked
    assert linked <= {known.key for known in KEYS}


def test_defaults_told_by_the_details_are_those_in_force():
    text = (PROJECT / "docs" / "details.md").read_text(encoding="utf-8")
    defaults = {known.key: json.loads(known.default) for known in KEYS}
    told = re.findall(r"\]\(criteria\.md#([a-z0-9_]+\.[a-z0-9_]+)\)\s+([\w.]*\w)", text)
    numbers = {(key, word) for key, word in told if word.replace(".", "").isdigit()}
    assert len(numbers) > 20
    assert {(key, word) for key, word in numbers if float(word) != defaults[key]} == set()
    words = {(key, word) for key, word in told if isinstance(defaults[key], str) and word != "blank"}
    assert words == {(key, word) for key, word in words if word == defaults[key]}
