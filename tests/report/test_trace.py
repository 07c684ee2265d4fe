"""The trace: every row that was asked, of a lesion, of a modality, of the patient."""

from __future__ import annotations

from mdanderson.report.trace import TRACE, trace_rows


def test_rows_of_the_patient_are_told_under_the_modality(paper):
    timeline = paper.timeline(
        paper.exam(0, L1="20x10 lytic"), paper.exam(56, L1="20x10 !PR1", L2="new 10x8 blastic"), treatment=0
    )
    rows = [dict(zip(TRACE.column_names, row, strict=True)) for row in trace_rows(timeline)]
    asked = {row["code"]: row for row in rows if row["scope"] == "CT" and row["visit"] == "visit 2"}
    assert {code: asked[code]["outcome"] for code in ("PR2", "PD4", "SD4", "PD1", "PR3", "SD2")} == {
        "PR2": "fired",
        "PD4": "not fired",
        "SD4": "not fired",
        "PD1": "not fired",
        "PR3": "not fired",
        "SD2": "fired",
    }
    assert "L2" in asked["PR2"]["because"]
    assert asked["PR2"]["text"].startswith("osteoblastic flare")
    assert all(row["because"] for row in asked.values())
