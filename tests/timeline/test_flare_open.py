"""What leaves a suspicion of flare open, and from where growth of its lesions counts (docs/details.md, 10, 15, 16)."""

from __future__ import annotations

import pytest


def said(timeline, scope="overall"):
    return " ".join(f"{row.category}{'?' * row.unconfirmed}" for row in timeline.responses if row.scope == scope)


# from an equivocal size nothing grows


def test_a_focus_too_small_to_count_is_no_size_to_grow_from(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(31, L1="20x15", N1="new 4x4 blastic"),
        paper.exam(60, L1="20x15 !PR1", N1="6x6 blastic"),
        treatment=0,
    )
    assert said(timeline) == "BL SD PR"
    assert timeline.response(2).rules == ("PR2",)
    last = timeline.lesions[-1]
    assert (last.lesion_id, last.size_change_baseline, last.size_change_nadir) == ("N1", None, None)


def test_growth_since_it_counts_is_growth(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x15 lytic"),
        paper.exam(31, L1="20x15", N1="new 4x4 blastic"),
        paper.exam(60, L1="20x15 !PR1", N1="6x6"),
        paper.exam(120, L1="20x15 !PR1", N1="9x6"),
        treatment=0,
    )
    assert said(timeline) == "BL SD PD PD"


def test_the_same_on_a_bone_scan(paper):
    timeline = paper.timeline(
        paper.exam(0, "NM", L1="u=3"),
        paper.exam(31, "NM", L1="u=3", N1="equivocal u=2"),
        paper.exam(60, "NM", L1="u=1.5", N1="new u=3"),
        treatment=0,
    )
    assert said(timeline) == "BL SD PR"
