"""When a lesion is new, until when it counts, what it bars while it is there (docs/details.md, details 4, 14, 15)."""

from __future__ import annotations

from dataclasses import replace

import pytest


def said(timeline, scope="overall"):
    return " ".join(f"{row.category}{'?' * row.unconfirmed}" for row in timeline.responses if row.scope == scope)


def scans(paper, *foci, **kwargs):
    """A steady focus, and a new one from the second scan on."""
    visits = [{"L1": "u=3"} | ({"N1": words} if words else {}) for words in ("", *foci)]
    return paper.follow(*visits, modality="NM", **kwargs)


# abnormal no more


@pytest.mark.parametrize("later", ["u=1.2", "u=0.9", "!CR4", "u=3 !CR4", "resolved"])
def test_a_new_focus_that_is_normal_again_does_not_confirm(paper, later):
    timeline = scans(paper, "new u=3", later)
    assert said(timeline) == "BL SD SD"
    assert "not confirmed by the scan at visit 3" in timeline.response(1).reason
    assert (timeline.progression_date, timeline.response(2).lesions_new) == (None, 0)
    assert timeline.lesions[-1].category == "CR"
    assert "PD4" not in timeline.lesions[-1].rules


@pytest.mark.parametrize("later", ["u=1.21", "u=3", "!SD1"])
def test_one_that_is_still_abnormal_confirms(paper, later):
    assert said(scans(paper, "new u=3", later)) == "BL PD PD"


def test_once_normal_again_it_stays_so_without_a_row_and_counts_when_it_lights_up(paper):
    assert said(scans(paper, "new u=3", "u=1.1", "", policy={"scan_only_progression": "accept"})) == "BL PD SD SD"
    assert said(scans(paper, "new u=3", "u=1.1", "u=3", policy={"scan_only_progression": "accept"})) == "BL PD SD PD"


def test_a_focus_that_never_was_above_normal_is_no_new_metastasis(paper):
    timeline = scans(paper, "new u=1.2", "u=1.21")
    assert said(timeline) == "BL SD PD?"
    assert timeline.response(1).lesions_new == 0
    assert "new focus of normal uptake, ratio 1.20: not counted" in timeline.lesions[2].reason
    assert said(scans(paper, "new u=1.5", policy={}, sections={"image": {"normal_uptake": 1.5}})) == "BL SD"


@pytest.mark.parametrize(
    ("modality", "code", "kind", "category"),
    [
        ("CT", "CR2", "lytic", "SD"),
        ("CT", "CR1", "lytic", "SD"),
        ("CT", "CR1", "blastic", "PD"),
        ("MR", "CR3", "", "SD"),
        ("MR", "SD1", "", "PD"),
    ],
)
def test_a_readers_complete_response_of_a_new_lesion_ends_it(paper, modality, code, kind, category):
    visits = [{"L1": "20x10"}, {"L1": "20x10", "N1": f"new 12x8 {kind}"}, {"L1": "20x10", "N1": f"12x8 !{code}"}]
    assert said(paper.follow(*visits, modality=modality)) == f"BL PD {category}"


def test_foci_that_are_normal_again_do_not_persist_in_pcwg3(paper):
    new = {"N1": "new u=3", "N2": "new u=3"}
    visits = [{"L1": "u=3"}, {"L1": "u=3"}, {"L1": "u=3"} | new, {"L1": "u=3", "N1": "u=1", "N2": "u=3"}]
    assert said(paper.follow(*visits, modality="NM", criteria="pcwg3")) == "BL Non-PD Non-PD Non-PD"


# what is left bars CR


@pytest.mark.parametrize(
    ("later", "category"), [("8x6 blastic", "PR"), ("resolved", "CR"), ("missing", "CR"), ("", "CR")]
)
def test_a_new_lesion_that_flare_explains_bars_complete_response_while_an_image_shows_it(paper, later, category):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(45, L1="20x15 !PR1", N1="new 8x6 blastic"),
        paper.exam(105, L1="resolved", N1="8x6"),
        paper.exam(260, L1="resolved", **({"N1": later} if later else {})),
        treatment=0,
    )
    assert said(timeline) == f"BL PR PR {category}"
    assert "CR is barred: lesion N1, new since baseline, is still there" in timeline.response(2).reason
    assert timeline.response(2).lesions_progressing == 0


def test_a_hot_focus_that_flare_explains_bars_complete_response(paper):
    timeline = paper.timeline(
        paper.exam(0, "NM", L1="u=3"),
        paper.exam(45, "NM", L1="u=1.4", N1="new u=2"),
        paper.exam(105, "NM", L1="u=1", N1="u=2"),
        paper.exam(260, "NM", L1="u=1", N1="u=1.1"),
        treatment=0,
    )
    assert said(timeline) == "BL PR PR CR"


@pytest.mark.parametrize(
    ("later", "category", "told"),
    [
        ("30x25", "PR", "CR is barred: lesion L2, treated locally, is still there"),
        ("missing", "PR", "CR is barred: lesion L2, treated locally, is not assessed"),
        ("resolved", "CR", "complete response of the only lesion"),
    ],
)
def test_a_treated_lesion_that_is_still_there_bars_complete_response(paper, later, category, told):
    visits = {"L1": "20x15", "L2": "20x15"}, {"L1": "resolved", "L2": f"{later} treated"}
    timeline = paper.follow(*visits)
    assert said(timeline) == f"BL {category}"
    assert told in timeline.response(1).reason


# what the patient's baseline shows in another modality


def seen_on(paper, modality, first, then, *, other="CT", criteria="mda2010"):
    """L2, shown or not by one modality at baseline, and by another one first at follow-up."""
    exams = []
    for on in (0, 150):
        here = {"L1": "20x15 lytic"} | ({"L2": then} if on else {})
        there = {"L1": "u=3" if modality in {"NM", "PT"} else "20x15"} | ({"L2": first} if first else {})
        exams += [paper.exam(on, other, **here), paper.exam(on, modality, **there)]
    return paper.timeline(*exams, treatment=-365, criteria=criteria)


@pytest.mark.parametrize("criteria", ["mda2010", "mda2004", "recist11", "who"])
def test_what_another_modality_showed_at_baseline_is_not_new(paper, criteria):
    timeline = seen_on(paper, "MR", "14x12", "new 14x12 blastic", criteria=criteria)
    row = timeline.response(1, "CT", criteria)
    assert (row.category.is_progression, row.lesions_new) == (False, 0)
    assert any("MR showed it at baseline: followed, not new" in problem.what for problem in timeline.problems)


def test_it_is_followed_from_its_first_sight(paper):
    timeline = seen_on(paper, "MR", "14x12", "new 14x12 blastic")
    row = next(row for row in timeline.lesions if (row.finding.modality, row.lesion_id) == ("CT", "L2"))
    assert (row.finding.status, row.category) == ("followed", "NE")
    assert row.reason == "lesion L2 is first seen here: nothing to compare with, not new: MR showed it at baseline"


@pytest.mark.parametrize(
    ("modality", "first"), [("MR", ""), ("MR", "resolved"), ("NM", "resolved"), ("NM", "u=1.2"), ("MR", "0x0")]
)
def test_what_no_modality_showed_is_new(paper, modality, first):
    assert seen_on(paper, modality, first, "new 14x12").response(1, "CT").category == "PD"


@pytest.mark.parametrize("criteria", ["mda2010", "mda2004", "recist11", "who"])
@pytest.mark.parametrize("first", ["not_evaluable", "ambiguous"])
def test_of_what_another_modality_lists_at_baseline_nobody_can_say_whether_it_is_new(paper, first, criteria):
    timeline = seen_on(paper, "MR", first, "new 14x12", criteria=criteria)
    row = timeline.response(1, "CT", criteria)
    assert (row.category, row.lesions_new) == ("NE", 0)
    assert "lesion L2 (MR lists it at baseline: not evaluable): nobody can say whether new" in row.reason
    assert any("nobody can say whether it is new" in problem.what for problem in timeline.problems)


@pytest.mark.parametrize(
    ("then", "category"),
    [
        ("new 14x12", "NE"),
        ("equivocal 4x3", "NE"),
        ("new 14x12 !PD4", "PD"),
        ("followed 14x12", "SD"),
        ("resolved", "SD"),
    ],
)
def test_unless_a_reader_says(paper, then, category):
    assert seen_on(paper, "MR", "not_evaluable", then).response(1, "CT").category == category


def test_what_another_modality_sees_and_nobody_drew_is_not_new(paper):
    assert seen_on(paper, "MR", "missing", "new 14x12").response(1, "CT").category == "SD"


def test_an_image_that_can_be_compared_with_nothing_still_shows_what_was_there(paper):
    exams = [
        paper.exam(0, L1="20x15"),
        paper.exam(0, "MR", why="a row of the baseline cannot be used", L1="20x15", S1="14x10", S2="not_evaluable"),
        paper.exam(150, L1="20x15", S1="new 12x10"),
    ]
    assert paper.timeline(*exams, treatment=-365).response(1).category == "SD"
    exams[-1] = paper.exam(150, L1="20x15", S2="new 12x10")
    assert paper.timeline(*exams, treatment=-365).response(1).category == "NE"
    exams[-1] = paper.exam(150, L1="20x15", S3="new 12x10")
    assert paper.timeline(*exams, treatment=-365).response(1).category == "PD"


@pytest.mark.parametrize(
    ("mr", "ct", "category"),
    [
        ("resolved", "new 30x25", "NE"),
        ("0x0", "new 30x25", "NE"),
        ("14x10", "new 30x25", "SD"),
        ("not_evaluable", "new 30x25", "SD"),
        ("resolved", "followed 30x25", "SD"),
        ("resolved", "new 30x25 !PD4", "PD"),
    ],
)
def test_what_another_modality_called_gone_may_have_come_back(paper, mr, ct, category):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15"),
        paper.exam(0, "MR", L1="20x15", S2="14x10"),
        paper.exam(60, "MR", L1="20x15", S2=mr),
        paper.exam(150, L1="20x15", S2=ct),
        treatment=-365,
    )
    assert timeline.response(2).category == category
    told = "MR showed it at baseline, MR of 2024-03-01 called it gone: it may have come back"
    assert any(told in problem.what for problem in timeline.problems) is (category == "NE")


def test_what_heals_on_one_modality_while_another_first_shows_it_has_not_come_back(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15"),
        paper.exam(0, "MR", L1="20x15", S2="14x10"),
        paper.exam(150, L1="20x15", S2="new 14x12 blastic"),
        paper.exam(150, "MR", L1="20x15", S2="resolved"),
        treatment=-365,
    )
    assert timeline.response(1, "CT").category == "SD"


def test_what_comes_back_where_it_was_gone_is_told_there(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15"),
        paper.exam(0, "MR", S2="14x10"),
        paper.exam(60, "MR", S2="resolved"),
        paper.exam(150, L1="20x15", S2="new 14x12"),
        paper.exam(150, "MR", S2="14x10"),
        treatment=-365,
    )
    assert (timeline.response(2, "CT").category, timeline.response(2, "MR").category) == ("SD", "PD")


def test_what_another_modality_shows_at_baseline_is_in_no_doubt(paper):
    exams = [
        paper.exam(0, L1="20x15", S2="not_evaluable"),
        paper.exam(0, "MR", L1="20x15", S2="14x10"),
        paper.exam(150, L1="20x15", S2="followed 14x12 maybe"),
    ]
    assert paper.timeline(*exams, treatment=-365).response(1).category == "SD"
    assert paper.timeline(exams[0], exams[2], treatment=-365).response(1).category == "NE"


def test_the_modalitys_own_zero_at_baseline_does_not_make_it_new(paper):
    timeline = paper.timeline(
        paper.exam(0, "MR", L1="20x15", L2="14x12"),
        paper.exam(0, "CT", L1="20x15", L2="0x0"),
        paper.exam(150, "CT", L1="20x15", L2="14x12"),
        treatment=-365,
    )
    assert said(timeline, "CT") == "BL SD"


def called_new(exam, lesion_id):
    """The examination, a lesion of it called new by a reader in so many words."""
    lesions = (replace(one, stated_new=True) if one.lesion_id == lesion_id else one for one in exam.lesions)
    return replace(exam, lesions=tuple(lesions))


@pytest.mark.parametrize("criteria", ["mda2010", "recist11", "who"])
def test_a_readers_new_wins_over_what_another_modality_showed(paper, criteria):
    timeline = paper.timeline(
        *(paper.exam(0, modality, L1="20x15", **more) for modality, more in (("CT", {}), ("MR", {"L2": "14x12"}))),
        called_new(paper.exam(150, L1="20x15", L2="new 14x12"), "L2"),
        treatment=-365,
        criteria=criteria,
    )
    assert timeline.response(1, "CT", criteria).category.is_progression
    told = [problem.what for problem in timeline.problems]
    assert "called new, yet MR showed it at baseline: the reader's word counts" in told


def test_a_readers_new_wins_over_a_normal_ratio_until_the_next_scan(paper):
    new = called_new(paper.exam(90, "NM", L1="u=3", N1="new u=1.1"), "N1")
    timeline = paper.timeline(paper.exam(0, "NM", L1="u=3"), new, treatment=-365)
    assert said(timeline) == "BL PD?"
    told = [problem.what for problem in timeline.problems]
    assert "called new, yet its uptake, ratio 1.1, is normal: the reader's word counts" in told
    later = paper.exam(180, "NM", L1="u=3", N1="u=1.1")
    assert said(paper.timeline(paper.exam(0, "NM", L1="u=3"), new, later, treatment=-365)) == "BL SD SD"


def test_what_a_modality_added_later_showed_is_no_baseline(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15"),
        paper.exam(90, "MR", L1="20x15", L2="14x12"),
        paper.exam(90, L1="20x15"),
        paper.exam(180, L1="20x15", L2="new 14x12"),
        treatment=-365,
    )
    assert said(timeline, "CT") == "BL SD PD"


def merging(paper, merged, *, wait=False, policy=None, beside=""):
    """L1 beside N1, whose 8x6 a flare explains, until they are one; `beside`: sizes of L3. `wait`: a visit between."""
    others = [{"L3": size} for size in beside.split()] or [{}] * 4
    days = (0, 31, 60, 121) if wait else (0, 31, 121)
    exams = [paper.exam(0, L1="20x15", **others[0])]
    exams += [paper.exam(31, L1="20x15 !PR1", N1="new 8x6 blastic", **others[1])]
    exams += [paper.exam(60, L1="20x15 !PR1", N1="8x6", **others[2])] if wait else []
    exams += [paper.exam(days[-1], L1=f"merged {merged} <L1;N1", **others[len(days) - 1])]
    return paper.timeline(*exams, treatment=0, policy=policy)


@pytest.mark.parametrize("reference", ["nadir", "baseline"])
@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize(
    ("merged", "category"), [("24x20", "SD"), ("34x15", "SD"), ("41x20.2", "SD"), ("41.25x20", "PD"), ("11x7", "SD")]
)
def test_a_merged_region_grows_from_the_visits_that_had_all_of_it(paper, merged, category, wait, reference):
    """Of 49 mm: +25 % is 61.25. L1 alone had 35."""
    timeline = merging(paper, merged, wait=wait, policy={"progression_reference": reference})
    row = timeline.response()
    assert row.category == category
    which = "smallest" if reference == "nadir" else "first"
    assert "49.0 -> " in row.reason
    assert f"from the {which} since all that merged was there" in row.reason
    (warning,) = [problem.what for problem in timeline.problems if "merged" in problem.what]
    assert warning.endswith("compared with their diameters added, of visits at which all of them were there")


def test_its_response_counts_from_the_baseline(paper):
    assert merging(paper, "10x7.5").response().category == "PR"
    assert merging(paper, "10x7.6").response().category == "SD"


@pytest.mark.parametrize(("last", "category"), [("30x16", "SD"), ("40x20", "PD")])
def test_nor_does_the_sum_grow_by_what_was_not_there(paper, last, category):
    """84 mm at baseline without N1, 79 with it; now 90 or 104, which is +14 % and +32 % of 79."""
    timeline = merging(paper, "24x20", beside=f"34x15 20x10 {last}")
    row = timeline.response()
    assert (row.category, "79.0 -> " in row.reason) == (category, True)


def test_a_region_that_was_never_there_as_a_whole_is_compared_with_nothing(paper):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "merged 24x20 <L1;N1", "N1": "new merged <L1;N1"})
    row = timeline.response(1, "CT")
    assert row.category == "NE"
    assert "no earlier value to compare with" in row.reason


# what reasons tell of what nobody looked at


@pytest.mark.parametrize(
    ("later", "told"),
    [("", True), ("not_evaluable", True), ("u=3", False)],
)
def test_a_scan_confirmed_by_one_that_did_not_look_says_so(paper, later, told):
    timeline = scans(paper, "new u=3", later)
    assert said(timeline) == "BL PD PD"
    words = "confirmed by the scan at visit 3, which has no row of N1: taken to be still there"
    assert (words in timeline.response(1).reason) is told


@pytest.mark.parametrize("later", ["", "missing"])
def test_complete_response_names_a_flare_that_was_not_looked_at(paper, later):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(45, L1="20x15 !PR1", N1="new 8x6 blastic"),
        paper.exam(105, L1="resolved", N1="8x6"),
        paper.exam(260, L1="resolved", **({"N1": later} if later else {})),
        treatment=0,
    )
    assert timeline.response(3).category == "CR"
    assert timeline.response(3).reason.endswith("CR2; lesion N1, taken for flare, not looked at")


def test_what_is_not_in_the_sum_and_bars_complete_response_is_named(paper):
    timeline = paper.follow({"L1": "20x15"}, {"L1": "0x0", "N1": "followed 12x10"}, {"L1": "0x0", "N1": "12x10"})
    assert timeline.response(2).category == "PR"
    assert timeline.response(2).reason.endswith("PR3; CR is barred: lesion N1 is still there")


def test_lesions_that_merged_are_counted_one_by_one_in_the_reason(paper):
    timeline = paper.follow({"L1": "20x15", "L2": "20x15"}, {"L1": "merged 0x0 <L1;L2"})
    assert timeline.response(1).reason == "CT: complete response of all 2 lesions: CR2"


def test_a_visit_without_anything_to_compare_names_the_modality_that_begins_there(paper):
    timeline = paper.timeline(paper.exam(0, L1="20x15"), paper.exam(150, "MR", L1="20x15"))
    assert timeline.response(1).reason == "no CT, MR or XR evaluable: MR BL: baseline of MR: 1 lesion"


def test_foci_that_come_back_are_counted_as_new_by_pcwg3(paper):
    foci = {"L1": "u=3", "L2": "u=3"}
    gone = dict.fromkeys(foci, "resolved")
    timeline = paper.follow(foci, gone, foci, foci, modality="NM", criteria="pcwg3")
    assert [timeline.response(visit, criteria="pcwg3").lesions_new for visit in range(4)] == [0, 0, 2, 2]
    timeline = paper.follow(foci, gone, foci | {"N1": "new u=3"}, foci, modality="NM", criteria="pcwg3")
    assert [timeline.response(visit, criteria="pcwg3").lesions_new for visit in range(4)] == [0, 0, 3, 3]


@pytest.mark.parametrize(
    ("region", "category", "rules"),
    [
        ("merged 18x14 <L1;N1", "SD", ("SD2", "SD4")),
        ("merged 40x30 <L1;N1", "PD", ("PD1",)),
        ("merged 18x14 <N1;L1", "SD", ("SD2", "SD4")),
    ],
)
def test_a_focus_too_small_to_count_does_not_become_a_metastasis_by_merging(paper, region, category, rules):
    """The size of the region is not its own (docs/details.md, detail 15)."""
    timeline = paper.timeline(
        paper.exam(0, L1="20x15", L3="14x10"),
        paper.exam(130, L1="20x15", N1="new 4x3", L3="14x10"),
        paper.exam(180, **{region.split("<")[1].split(";")[0]: region}, L3="14x10"),
    )
    response = timeline.response("visit 3", "CT")
    assert (response.category, response.rules) == (category, rules)
