"""PCWG3: the 2+2 rule on bone scans, and every cell of the combination with soft tissue."""

from __future__ import annotations

import pytest

from mdanderson.criteria.comparators.pcwg3 import RULES
from mdanderson.criteria.comparators.soft_tissue import COMBINED, COMBINED_WITHOUT_TARGETS, combine
from mdanderson.vocabulary import Category

TEN = " ".join(f"B{index}" for index in range(10))


def scans(paper, *seen, old=TEN, step=42, days=None, gone=None, treatment=0, others=(), **kwargs):
    """A series of scans: the new foci that each shows, beside ten old ones; None = not evaluable.

    step: days from scan to scan after the first on treatment, at week 12. A focus once seen and not named later is
    stated to be gone.
    """
    days = days or [0, *(84 + step * index for index in range(len(seen) - 1))]
    exams, met = [], []
    for day, foci in zip(days, seen, strict=True):
        if foci is None:
            exams.append(paper.exam(day, "NM", why="patient moved"))
            continue
        words = dict.fromkeys(old.split(), "u=3")
        for focus in foci.split():
            words[focus] = "u=3" if focus in met else "new u=3"
        words |= {focus: "resolved" for focus in met if focus not in foci.split()}
        met += [focus for focus in foci.split() if focus not in met]
        exams.append(paper.exam(day, "NM", **words))
    return paper.timeline(*exams, *others, treatment=treatment, criteria="pcwg3", **kwargs)


def rows(timeline, scope="NM"):
    return [row for row in timeline.responses if row.scope == scope]


def categories(timeline, scope="NM"):
    return " ".join(row.category for row in rows(timeline, scope))


def codes(timeline):
    return " ".join("+".join(code.removeprefix("PCWG3-") for code in row.rules) or "." for row in rows(timeline))


def test_the_table_is_in_the_order_in_which_its_rows_decide():
    names = ("STANDS", "2+2", "PERSIST", "PDU", "FLARE", "GONE", "NED", "NON-PD")
    assert [rule.code for rule in RULES] == [f"PCWG3-{name}" for name in names]
    assert all(rule.text and "Scher" in rule.source for rule in RULES)


# the worked cases


def test_ten_twelve_fourteen_foci_are_progression_at_the_first_scan(paper):
    timeline = scans(paper, "", "a b", "a b c d")
    assert categories(timeline) == categories(timeline, "overall") == "BL PD PD"
    assert codes(timeline) == ". 2+2 STANDS"
    assert timeline.summaries[0].progression_date == paper.day(84)
    assert not any(row.unconfirmed for row in timeline.responses)
    assert rows(timeline)[1].reason == (
        "2 new foci since the scan of 2024-01-01 (a, b); the scan of 2024-05-06 adds 2 more: PCWG3-2+2"
    )


def test_ten_twelve_twelve_foci_are_flare(paper):
    timeline = scans(paper, "", "a b", "a b")
    assert categories(timeline) == categories(timeline, "overall") == "BL Non-PD Non-PD"
    assert [row.flare for row in rows(timeline)] == [False, True, False]
    assert timeline.summaries[0].progression_date is None


def test_none_at_week_12_two_at_week_18_persisting_at_week_24_is_progression_at_week_18(paper):
    timeline = scans(paper, "", "", "a b", "a b")
    assert categories(timeline) == "BL Non-PD PD PD"
    assert codes(timeline) == ". NON-PD PERSIST STANDS"
    assert timeline.summaries[0].progression_date == paper.day(126)


# the first scan on treatment


@pytest.mark.parametrize(("first", "category"), [("a", "Non-PD"), ("a b", "PDu"), ("a b c", "PDu")])
def test_two_new_foci_make_the_first_scan_suspicious(paper, first, category):
    timeline = scans(paper, "", first)
    assert categories(timeline) == f"BL {category}"
    assert [row.unconfirmed for row in rows(timeline)] == [False, category == "PDu"]
    assert timeline.summaries[0].progression_date is None


@pytest.mark.parametrize(
    ("second", "told"),
    [("a b c", "Non-PD Non-PD"), ("a b c d", "PD PD"), ("a b c d e", "PD PD"), ("a b", "Non-PD Non-PD")],
)
def test_two_more_foci_confirm_it(paper, second, told):
    assert categories(scans(paper, "", "a b", second)) == f"BL {told}"


@pytest.mark.parametrize(("days", "told"), [(41, "PDu PDu"), (42, "PD PD"), (43, "PD PD")])
def test_six_weeks_must_have_passed(paper, days, told):
    assert categories(scans(paper, "", "a b", "a b c d", step=days)) == f"BL {told}"


@pytest.mark.parametrize(("weeks", "told"), [(5.85, "PD PD"), (6.0, "PDu PDu")])
def test_the_wait_is_a_setting_in_weeks(paper, weeks, told):
    """41 days are 5.857 weeks."""
    timeline = scans(paper, "", "a b", "a b c d", step=41, sections={"pcwg3": {"confirm_weeks": weeks}})
    assert categories(timeline) == f"BL {told}"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [("a b", "a b c d e", "Non-PD PDu"), ("a b c", "a b c d e", "Non-PD Non-PD"), ("a b c", "a b c d e f", "PD PD")],
)
def test_the_number_of_foci_is_a_setting(paper, first, second, told):
    assert categories(scans(paper, "", first, second, sections={"pcwg3": {"new_foci": 3}})) == f"BL {told}"


def test_more_foci_are_those_that_the_first_scan_lacks(paper):
    """12 -> 12 in number, yet two of them are others."""
    assert categories(scans(paper, "", "a b", "c d")) == "BL PD PD"
    assert categories(scans(paper, "", "a b", "b c")) == "BL Non-PD Non-PD"


def test_old_foci_gone_or_back_count_nowhere(paper):
    exams = [
        paper.exam(0, "NM", A="u=3", B="u=3", C="u=3"),
        paper.exam(84, "NM", A="resolved", B="resolved", C="u=3"),
        paper.exam(126, "NM", A="u=3", B="u=3", C="u=9"),
    ]
    assert categories(paper.timeline(*exams, treatment=0, criteria="pcwg3")) == "BL Non-PD Non-PD"


def test_every_focus_gone_is_no_disease(paper):
    assert categories(scans(paper, "", "a b", "", old="")) == "BL Non-PD NED"
    exams = [paper.exam(0, "NM", A="u=3"), paper.exam(84, "NM", A="resolved")]
    assert categories(paper.timeline(*exams, treatment=0, criteria="pcwg3")) == "BL NED"
    exams = [paper.exam(0, "NM", A="u=3", B="u=3"), paper.exam(84, "NM", A="resolved")]
    assert categories(paper.timeline(*exams, treatment=0, criteria="pcwg3")) == "BL Non-PD"


def of_scans(paper, *visits, **kwargs):
    """Scans 150 days apart, each as its words; none = an empty scan is left to the words."""
    exams = [paper.exam(150 * index, "NM", **words) for index, words in enumerate(visits)]
    return paper.timeline(*exams, treatment=0, criteria="pcwg3", **kwargs)


HOT, COLD = "u=3", "u=1.2"


@pytest.mark.parametrize("gone", ["resolved", COLD, "!CR4", "u=1.3 !CR4"])
def test_a_focus_that_is_normal_again_is_none(paper, gone):
    assert categories(of_scans(paper, {"A": HOT}, {"A": gone})) == "BL NED"
    assert categories(of_scans(paper, {"A": HOT, "B": HOT}, {"A": gone, "B": "u=1.21"})) == "BL Non-PD"
    assert categories(of_scans(paper, {"A": HOT}, {"A": gone}, {})) == "BL NED NED"  # by the last word on it
    assert categories(of_scans(paper, {"A": HOT}, {"A": gone}, {"A": "not_evaluable"})) == "BL NED Non-PD"


@pytest.mark.parametrize("gone", ["resolved", COLD])
def test_after_a_scan_without_foci_every_focus_is_new(paper, gone):
    both, none = {"A": HOT, "B": HOT}, {"A": gone, "B": gone}
    back = of_scans(paper, both, none, both, both)
    assert categories(back) == "BL NED PD PD"
    assert codes(back) == ". NED PERSIST STANDS"
    assert rows(back)[2].reason.startswith("2 new foci since the scan of 2024-05-30 (A, B)")
    assert categories(of_scans(paper, both, both, none, both, both)) == "BL Non-PD NED PD PD"
    assert categories(of_scans(paper, both, none, both)) == "BL NED PDu"
    assert categories(of_scans(paper, both, none, {"A": HOT, "B": gone}, {"A": HOT})) == "BL NED Non-PD Non-PD"
    assert categories(of_scans(paper, none, both, both | {"C": "new u=3"})) == "BL Non-PD Non-PD"


def test_what_another_modality_showed_at_baseline_is_a_new_focus_of_the_scan(paper):
    names = [f"S{index}" for index in range(1, 6)]
    exams = [paper.exam(0, **dict.fromkeys(names, "20x15 lytic"))]
    for day, count in ((0, 1), (84, 3), (145, 5)):
        words = {name: HOT if name == "S1" else "new u=3" for name in names[:count]}
        exams.append(paper.exam(day, "NM", **words))
    timeline = paper.timeline(*exams, treatment=0, criteria="pcwg3 mda2010")
    told = [row.category for row in rows(timeline) if row.criteria == "pcwg3"]
    assert told == ["BL", "PD", "PD"]
    assert all(row.category != "PD" for row in timeline.responses if row.criteria == "mda2010")


def test_soft_tissue_can_become_cr_once_every_focus_is_gone(paper):
    node = "20x15 node target"
    exams = [paper.exam(0, N=node), paper.exam(0, "NM", A="u=3")]
    exams += [paper.exam(84, N="resolved"), paper.exam(84, "NM", A="resolved")]
    assert paper.timeline(*exams, treatment=0, criteria="pcwg3").response(criteria="pcwg3").category == "CR"


def test_equivocal_foci_do_not_count(paper):
    exams = [
        paper.exam(0, "NM", A="u=3"),
        paper.exam(84, "NM", A="u=3", a="new u=3", b="equivocal u=2", c="equivocal u=2"),
        paper.exam(126, "NM", A="u=3", a="u=3", b="equivocal u=2", c="equivocal u=2"),
    ]
    timeline = paper.timeline(*exams, treatment=0, criteria="pcwg3")
    assert categories(timeline) == "BL Non-PD Non-PD"
    assert [row.lesions_new for row in rows(timeline)] == [0, 1, 1]


def test_a_focus_there_before_without_being_assessed_is_not_new(paper):
    exams = [paper.exam(0, "NM", A="u=3"), paper.exam(84, "NM", A="u=3", a="followed u=3", b="followed u=3")]
    assert categories(paper.timeline(*exams, treatment=0, criteria="pcwg3")) == "BL Non-PD"


@pytest.mark.parametrize(
    ("foci", "category"),
    [
        ({"a": "maybe"}, "Non-PD"),
        ({"a": "maybe", "b": "maybe"}, "NE"),
        ({"a": "maybe", "b": "new"}, "NE"),
        ({"a": "maybe", "b": "new", "c": "new"}, "PDu"),
    ],
)
def test_foci_that_nobody_can_say_to_be_new_leave_progression_open(paper, foci, category):
    words = {name: f"{word} u=3" for name, word in foci.items()}
    exams = [paper.exam(0, "NM", A="u=3"), paper.exam(84, "NM", A="u=3", **words)]
    timeline = paper.timeline(*exams, treatment=0, criteria="pcwg3")
    assert categories(timeline) == f"BL {category}"
    assert ("nobody can say whether new" in rows(timeline)[1].reason) is (category == "NE")
    exams.append(paper.exam(168, "NM", A="u=3", **dict.fromkeys(foci, "maybe u=3")))
    assert "nobody" not in rows(paper.timeline(*exams, treatment=0, criteria="pcwg3"))[2].reason


def test_a_new_focus_without_a_row_is_still_there(paper):
    exams = [
        paper.exam(0, "NM", A="u=3"),
        paper.exam(84, "NM", A="u=3"),
        paper.exam(126, "NM", A="u=3", a="new u=3", b="new u=3"),
        paper.exam(168, "NM", A="u=3"),
    ]
    assert categories(paper.timeline(*exams, treatment=0, criteria="pcwg3")) == "BL Non-PD PD PD"


# later scans


def test_after_flare_the_first_scan_on_treatment_is_the_reference(paper):
    """Two foci since baseline, then one more, then another: two since the first scan on treatment only at the last."""
    timeline = scans(paper, "", "a b", "a b c", "a b c d", "a b c d")
    assert categories(timeline) == "BL Non-PD Non-PD PD PD"
    assert codes(timeline) == ". FLARE NON-PD PERSIST STANDS"
    assert timeline.summaries[0].progression_date == paper.day(168)


def test_one_focus_on_the_first_scan_is_in_the_reference_too(paper):
    assert categories(scans(paper, "", "a", "a b", "a b")) == "BL Non-PD Non-PD Non-PD"
    assert categories(scans(paper, "", "a", "a b c", "a b c")) == "BL Non-PD PD PD"


@pytest.mark.parametrize(("later", "category"), [("a", "Non-PD"), ("a b", "PDu"), ("a b c", "PDu")])
def test_two_new_foci_make_a_later_scan_suspicious(paper, later, category):
    timeline = scans(paper, "", "", later)
    assert categories(timeline) == f"BL Non-PD {category}"
    assert rows(timeline)[2].unconfirmed is (category == "PDu")


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("a b c", "PD PD"),
        ("a b", "PD PD"),  # two of three persist
        ("a", "Non-PD Non-PD"),
        ("", "Non-PD Non-PD"),
        ("a d e f", "PD PD"),  # one persists, yet more than before
        ("a d e", "Non-PD PDu"),  # one persists, no more than before: these are asked anew
        ("d e f", "Non-PD PDu"),
    ],
)
def test_two_must_persist_or_grow_in_number(paper, then, told):
    timeline = scans(paper, "", "", "a b c", then)
    assert categories(timeline) == f"BL Non-PD {told}"


def test_foci_that_do_not_persist_are_restated_with_the_reason(paper):
    row = rows(scans(paper, "", "", "a b", "a"))[2]
    assert (row.category, row.rules, row.unconfirmed, row.flare) == (Category.NON_PD, ("PCWG3-GONE",), False, False)
    assert row.reason == (
        "2 new foci since the scan of 2024-03-25 (a, b); 1 of them still there on 2024-06-17: restated: PCWG3-GONE"
    )


@pytest.mark.parametrize(("days", "told"), [(41, "PDu PDu"), (42, "PD PD"), (43, "PD PD")])
def test_they_must_persist_for_six_weeks(paper, days, told):
    timeline = scans(paper, "", "", "a b", "a b", days=[0, 84, 126, 126 + days])
    assert categories(timeline) == f"BL Non-PD {told}"


def test_the_second_suspicion_is_confirmed_by_itself(paper):
    timeline = scans(paper, "", "", "a b", "c d", "c d")
    assert categories(timeline) == "BL Non-PD Non-PD PD PD"
    assert timeline.summaries[0].progression_date == paper.day(168)


# scans passed over


@pytest.mark.parametrize(
    ("between", "decides", "told"),
    [
        ("a b", "a b c d", "PD PD PD"),
        ("", "a b c d", "PD PD PD"),
        ("a b c d", "a b", "Non-PD Non-PD Non-PD"),
        ("a b c d", "a b c", "Non-PD Non-PD Non-PD"),
    ],
)
def test_a_scan_too_soon_after_the_first_is_passed_over_and_shares_its_outcome(paper, between, decides, told):
    timeline = scans(paper, "", "a b", between, decides, days=[0, 84, 105, 126])
    assert categories(timeline) == f"BL {told}"


def test_a_scan_passed_over_says_so(paper):
    timeline = scans(paper, "", "a b", "a b c d", "a b", days=[0, 84, 105, 126])
    assert rows(timeline)[2].reason.startswith("too soon after the scan of 2024-03-25, shares its outcome: 2 new foci")
    assert rows(timeline)[2].rules == ("PCWG3-FLARE",)
    assert rows(timeline)[2].lesions_new == 4


def test_a_scan_passed_over_waits_with_the_first(paper):
    timeline = scans(paper, "", "a b", "a b c d", days=[0, 84, 112])
    assert categories(timeline) == "BL PDu PDu"
    assert [row.unconfirmed for row in rows(timeline)] == [False, True, True]


def test_a_scan_too_soon_after_a_later_one_is_passed_over_too(paper):
    days = [0, 84, 126, 147, 168]
    assert categories(scans(paper, "", "", "a b", "", "a b", days=days)) == "BL Non-PD PD PD PD"
    assert categories(scans(paper, "", "", "a b", "a b c d", "a", days=days)) == "BL Non-PD Non-PD Non-PD Non-PD"


def test_nothing_is_passed_over_where_nothing_is_suspicious(paper):
    timeline = scans(paper, "", "a", "a b c", days=[0, 84, 105])
    assert categories(timeline) == "BL Non-PD PDu"


def test_a_scan_that_cannot_be_evaluated_decides_nothing(paper):
    timeline = scans(paper, "", "a b", None, "a b c d")
    assert categories(timeline) == "BL PD NE PD"
    assert rows(timeline)[2].reason == "patient moved"
    assert categories(timeline, "overall") == "BL PD PD PD"


# what the baseline is


def test_the_first_evaluable_scan_is_the_baseline(paper):
    timeline = scans(paper, None, "", "a b", "a b c d")
    assert categories(timeline) == "NE BL PD PD"
    assert categories(timeline, "overall") == "BL BL PD PD"


@pytest.mark.parametrize(("start", "told"), [(27, "BL PDu PDu"), (28, "BL BL Non-PD"), (29, "BL BL Non-PD")])
def test_scans_until_the_day_of_treatment_start_are_baseline(paper, start, told):
    timeline = scans(paper, "", "a b", "a b", days=[0, 28, 60], treatment=start)
    assert categories(timeline) == categories(timeline, "overall") == told
    assert rows(timeline)[1].reason.startswith("scan before treatment: 12 foci") is (start >= 28)


def test_the_last_scan_before_treatment_is_the_reference(paper):
    timeline = scans(paper, "", "a b", "a b c", "a b c d", days=[0, 28, 112, 154], treatment=30)
    assert categories(timeline) == "BL BL Non-PD Non-PD"
    timeline = scans(paper, "", "a b", "a b c d", "a b c d e f", days=[0, 28, 112, 154], treatment=30)
    assert categories(timeline) == "BL BL PD PD"


@pytest.mark.parametrize("treatment", [None, -365])
def test_without_a_start_every_later_scan_is_on_treatment(paper, treatment):
    assert categories(scans(paper, "", "a b", "a b c d", treatment=treatment)) == "BL PD PD"


def test_no_scan_is_on_treatment_before_it_starts(paper):
    assert categories(scans(paper, "", "a b", "a b c d", treatment=1000)) == "BL BL BL"


# no disease


def test_no_focus_at_baseline_and_none_now_is_no_evidence_of_disease(paper):
    timeline = scans(paper, "", "", old="")
    assert categories(timeline) == categories(timeline, "overall") == "BL NED"
    assert categories(scans(paper, "", "a", old="")) == "BL Non-PD"
    assert categories(scans(paper, "", "a", "", old="")) == "BL Non-PD NED"
    assert categories(scans(paper, "", "a b", old="")) == "BL PDu"


def test_after_progression_it_stays_progression(paper):
    timeline = scans(paper, "", "a b", "a b c d", "", "")
    assert categories(timeline) == "BL PD PD PD PD"
    assert rows(timeline)[4].reason == "progression at the scan of 2024-03-25 stands: PCWG3-STANDS"


# soft tissue and bone


BONE = ("PD", "PDu", "Non-PD", "NED", "NE")
TABLE = {
    "PD": ("PD", "PD", "PD", "PD", "PD"),
    "SD": ("PD", "SD", "SD", "SD", "SD"),
    "PR": ("PD", "PR", "PR", "PR", "PR"),
    "CR": ("PD", "PR", "PR", "CR", "PR"),
    "Non-CR/Non-PD": ("PD", "Non-CR/Non-PD", "Non-CR/Non-PD", "Non-CR/Non-PD", "Non-CR/Non-PD"),
    "NED": ("PD", "PDu", "Non-CR/Non-PD", "NE", "NE"),
    "NE": ("PD", "NE", "NE", "NE", "NE"),
}
CELLS = [(soft, bone, cell) for soft, cells in TABLE.items() for bone, cell in zip(BONE, cells, strict=True)]


@pytest.mark.parametrize(("soft", "bone", "both"), CELLS)
def test_every_cell_of_the_combination(soft, bone, both):
    assert combine(Category(soft), Category(bone)) == both


@pytest.mark.parametrize(("soft", "bone", "both"), CELLS)
def test_every_cell_without_target_lesions(soft, bone, both):
    if soft == "CR" and both == "PR":
        both = "Non-CR/Non-PD"
    assert combine(Category(soft), Category(bone), has_targets=False) == both


def test_the_combination_has_no_other_cells():
    for table in (COMBINED, COMBINED_WITHOUT_TARGETS):
        assert {(str(soft), str(bone)) for soft, cells in table.items() for bone in cells} == {
            (soft, bone) for soft, bone, _ in CELLS
        }


@pytest.mark.parametrize(
    ("soft", "bone", "both"),
    [
        ("BL", "BL", "BL"),
        ("BL", "NE", "BL"),
        ("NE", "BL", "BL"),
        ("SD", "BL", "SD"),
        ("CR", "BL", "PR"),
        ("BL", "PD", "PD"),
        ("BL", "Non-PD", "NE"),
        ("NED", "BL", "NE"),
    ],
)
def test_a_baseline_takes_no_part(soft, bone, both):
    assert combine(Category(soft), Category(bone)) == both


SOFT = {  # (baseline, then) on CT -> RECIST 1.1
    "PD": ("20x10 target", "30x10"),
    "SD": ("20x10 target", "20x10"),
    "PR": ("20x10 target", "10x5"),
    "CR": ("20x10 target", "resolved"),
    "Non-CR/Non-PD": ("20x10 nontarget", "20x10"),
    "NE": ("20x10 target", "missing"),
    "NED": (None, None),
}
SCANNED = {  # new foci at weeks 12 and 18 -> bone at week 12
    "PD": ("A", "a b", "a b c d"),
    "PDu": ("A", "a b"),
    "Non-PD": ("A", "a"),
    "NED": ("", ""),
    "NE": ("A", None),
}


def patient(paper, soft, bone):
    """CT and scan at baseline and week 12; the scan also at week 18 where it is to confirm."""
    first, then = SOFT[soft]
    cts = [paper.exam(day, "CT", **({"N": words} if words else {})) for day, words in ((0, first), (84, then))]
    old, *seen = SCANNED[bone]
    return scans(paper, "", *seen, old=old, others=cts)


@pytest.mark.parametrize(("soft", "bone", "both"), CELLS)
def test_every_cell_from_a_patient(paper, soft, bone, both):
    timeline = patient(paper, soft, bone)
    at_12 = {row.scope: row for row in timeline.responses if row.visit == "visit 2"}
    assert {scope: row.category for scope, row in at_12.items()} == {"CT": soft, "NM": bone, "overall": both}
    assert at_12["overall"].unconfirmed is (bone == "PDu" and both != "PD")
    assert f"soft tissue {soft} (" in at_12["overall"].reason
    assert f"bone {bone} (" in at_12["overall"].reason
    baseline = {row.category for row in timeline.responses if row.visit == "baseline"}
    assert baseline == {Category.BL}


@pytest.mark.parametrize(("bone", "both"), [("PDu", "Non-CR/Non-PD"), ("Non-PD", "Non-CR/Non-PD"), ("NED", "CR")])
def test_a_complete_response_of_non_targets_from_a_patient(paper, bone, both):
    old, *seen = SCANNED[bone]
    cts = [paper.exam(0, "CT", N="20x10 nontarget"), paper.exam(84, "CT", N="resolved")]
    assert categories(scans(paper, "", *seen, old=old, others=cts), "overall") == f"BL {both}"


def test_what_differs_is_listed(paper):
    overall = rows(patient(paper, "CR", "PDu"), "overall")[1]
    assert (overall.category, overall.discordant) == (Category.PR, "soft tissue CR; bone PDu")
    assert overall.rules == ("R11-CR", "PCWG3-PDU")
    assert overall.verdicts == ()  # they stand in the rows of CT and NM, which the reason names
    assert (overall.lesions_expected, overall.lesions_new) == (2, 2)


def test_a_bone_progression_stands_at_visits_without_a_scan(paper):
    cts = [paper.exam(day, "CT", N=words) for day, words in ((0, "20x10 target"), (84, "20x10"), (210, "20x10"))]
    timeline = scans(paper, "", "a b", "a b c d", others=cts)
    assert categories(timeline, "overall") == "BL PD PD PD"
    assert rows(timeline, "overall")[3].reason.endswith("bone PD (progression at the scan of 2024-03-25 stands): PD")


def test_without_a_scan_at_a_visit_soft_tissue_keeps(paper):
    cts = [paper.exam(day, "CT", N=words) for day, words in ((0, "20x10 target"), (40, "20x10"), (84, "resolved"))]
    timeline = scans(paper, "", "a", others=cts)
    assert categories(timeline, "overall") == "BL SD PR"


def test_without_an_image_of_soft_tissue_at_a_visit_it_is_not_evaluable(paper):
    timeline = scans(paper, "", "a", "a", others=[paper.exam(0, "CT", N="20x10 target")])
    assert categories(timeline, "CT") == "BL"
    assert categories(timeline, "overall") == "BL NE NE"


def test_without_any_image_of_soft_tissue_bone_speaks_alone(paper):
    timeline = scans(paper, "", "a", others=[paper.exam(0, "XR", N="20x10"), paper.exam(84, "XR", N="40x20")])
    assert categories(timeline, "overall") == "BL Non-PD"
    assert rows(timeline, "overall")[1].reason.startswith("bone alone, neither CT nor MR was ever looked at: ")
    assert {row.scope for row in timeline.responses} == {"NM", "overall"}


def test_without_any_scan_bone_is_not_evaluable(paper):
    exams = [paper.exam(0, "CT", N="20x10 target"), paper.exam(84, "CT", N="resolved")]
    timeline = paper.timeline(*exams, criteria="pcwg3")
    assert categories(timeline, "overall") == "BL PR"
    assert "bone NE (no bone scan at this visit)" in rows(timeline, "overall")[1].reason


def test_neither_scan_nor_soft_tissue_is_not_evaluable(paper):
    timeline = paper.timeline(paper.exam(0, "XR", A="20x10"), paper.exam(84, "XR", A="40x10"), criteria="pcwg3")
    assert [(row.scope, row.category) for row in timeline.responses] == [("overall", "BL"), ("overall", "NE")]


# which lesions are soft tissue


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("20x10", "NED"),  # bone, left to the scan
        ("20x10 lytic", "NED"),
        ("20x10 st=9.9", "NED"),
        ("20x10 st=10", "PD"),
        ("20x10 st=10.1", "PD"),
        ("20x16 node", "PD"),
        ("20x10 target", "PD"),
        ("20x10 nontarget", "Non-CR/Non-PD"),  # a non-target grows: only a reader can call it unequivocal
    ],
)
def test_bone_on_ct_is_left_to_the_scan(paper, words, category):
    later = "40x32 st=30" if "st=" in words else "40x32"
    exams = [paper.exam(0, "CT", N=words), paper.exam(84, "CT", N=later), paper.exam(0, "NM", A="u=3")]
    timeline = paper.timeline(*exams, paper.exam(84, "NM", A="u=3"), treatment=0, criteria="pcwg3")
    assert categories(timeline, "CT") == f"BL {category}"


def test_a_new_bone_lesion_on_ct_is_no_progression_of_soft_tissue(paper):
    exams = [paper.exam(0, "CT"), paper.exam(84, "CT", N="new 20x10"), paper.exam(0, "NM"), paper.exam(84, "NM")]
    timeline = paper.timeline(*exams, treatment=0, criteria="pcwg3")
    assert categories(timeline, "CT") == "BL NED"
    exams[1] = paper.exam(84, "CT", N="new 20x16 node")
    assert categories(paper.timeline(*exams, treatment=0, criteria="pcwg3"), "overall") == "BL PD"


def test_the_extent_of_soft_tissue_follows_its_setting(paper):
    exams = [paper.exam(0, "CT", N="20x10 st=12"), paper.exam(84, "CT", N="40x20 st=24"), paper.exam(0, "NM")]
    strict = {"recist11": {"target_mm": 12.1}}
    assert categories(paper.timeline(*exams, criteria="pcwg3"), "CT") == "BL PD"
    assert categories(paper.timeline(*exams, criteria="pcwg3", sections=strict), "CT") == "BL NED"


def test_mr_speaks_for_soft_tissue_as_well(paper):
    exams = [paper.exam(0, "MR", N="20x10 target T1"), paper.exam(84, "MR", N="30x10 T1")]
    timeline = paper.timeline(*exams, criteria="pcwg3")
    assert categories(timeline, "MR") == categories(timeline, "overall") == "BL PD"


def test_a_scan_that_comes_later_is_its_own_baseline(paper):
    cts = [paper.exam(day, "CT", N=words) for day, words in ((0, "20x10 target"), (84, "20x10"), (126, "20x10"))]
    timeline = scans(paper, "", "a b", days=[84, 126], others=cts)
    assert categories(timeline) == "BL PDu"
    assert categories(timeline, "overall") == "BL SD SD"
    assert [row.unconfirmed for row in rows(timeline, "overall")] == [False, False, True]


def test_every_row_answers_and_tells_why(paper):
    row = rows(scans(paper, "", "a"))[1]
    fired = {one.code for one in row.verdicts if one.fired}
    assert fired == {"PCWG3-NON-PD"}
    assert [one.code for one in row.verdicts] == [rule.code for rule in RULES]
    assert all(one.because for one in row.verdicts)
