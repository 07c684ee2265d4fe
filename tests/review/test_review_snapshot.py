"""What is another after a patient is scored again."""

from __future__ import annotations

from mdanderson.report.columns import LESIONS, PROBLEMS, RESPONSES, Table
from mdanderson.review.snapshot import CategoryChange, Snapshot


def cells(table: Table, **values: str) -> tuple[str, ...]:
    return tuple(values.get(name, "") for name in table.column_names)


def lesion(lesion_id: str, category: str, *, visit: str = "two", date: str = "2024-04-02", sequence: str = ""):
    given = {"lesion_id": lesion_id, "category": category, "visit": visit, "date": date, "sequence": sequence}
    return cells(LESIONS, modality="MR", **given)


def response(category: str, *, scope: str = "overall", criteria: str = "mda2010"):
    return cells(RESPONSES, visit="two", date="2024-04-02", scope=scope, criteria=criteria, category=category)


def snapshot(*, responses=(), lesions=(), problems=()) -> Snapshot:
    found = [
        cells(PROBLEMS, severity=severity, what=what, where="P01", how_to_fix="look") for severity, what in problems
    ]
    return Snapshot.of_rows({RESPONSES.name: responses, LESIONS.name: lesions, PROBLEMS.name: found})


def test_visits_come_before_lesions_and_what_stayed_is_not_told():
    before = snapshot(
        responses=[response("SD"), response("SD", scope="MR")], lesions=[lesion("L1", "SD"), lesion("L2", "SD")]
    )
    after = snapshot(
        responses=[response("PR"), response("PR", scope="MR")], lesions=[lesion("L1", "PR"), lesion("L2", "SD")]
    )
    assert after.changes_since(before).categories == (
        CategoryChange("two · mda2010", "SD", "PR"),
        CategoryChange("L1 · two · MR", "SD", "PR"),
    )
    assert after.changes_since(after).categories == ()


def test_what_is_gone_or_new_has_a_blank_side():
    before, after = snapshot(lesions=[lesion("L1", "SD")]), snapshot(lesions=[lesion("N1", "PD", visit="")])
    assert after.changes_since(before).categories == (
        CategoryChange("L1 · two · MR", "SD", ""),
        CategoryChange("N1 · 2024-04-02 · MR", "", "PD"),
    )


def test_results_whose_titles_are_alike_are_kept_apart():
    """A lesion may be called like a lesion at a visit, and two visits alike."""
    before = snapshot(
        lesions=[
            lesion("L1", "SD", visit="b · two"),
            lesion("L1 · b", "PR"),
            lesion("L3", "SD"),
            lesion("L3", "PR", date="2024-05-02"),
        ]
    )
    assert len(before.categories) == 4


def test_problems_are_told_when_they_are_new():
    before = snapshot(problems=[("warning", "old")])
    after = snapshot(problems=[("warning", "old"), ("error", "new")])
    assert after.changes_since(before).problems == (("error", "new @ P01; look"),)
    assert before.changes_since(after).problems == ()
