"""One test a fault: one clear row, every other patient scored, within 2 GB of address space and a few minutes."""

from __future__ import annotations

import pytest
from safety.faults import FAULTS


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_row_that_says_what_where_and_the_way_out(scored, name):
    rows = [row for row in scored.problems[name] if row["severity"] == "error"]
    assert len({row["where"] for row in rows}) == 1, rows  # of a row without image: what is wrong, and what it cost
    assert len(rows) <= 2
    assert any(FAULTS[name].says in row["what"] for row in rows), rows
    for row in rows:
        assert row["where"]
        assert row["how_to_fix"]
        assert "bug" not in row["what"]
        assert all(text.isprintable() and len(text) <= 1000 for text in row.values())


@pytest.mark.parametrize("name", FAULTS)
def test_a_check_finds_it_before_the_run(checked, name):
    lines = [line for line in checked.stdout.splitlines() if f" @ {name} " in line]
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    assert FAULTS[name].says in lines[0]


def test_the_good_patient_is_scored_and_nobody_sees_a_traceback(scored):
    assert scored.code == 1
    assert scored.measured == {"good"}
    assert "good" not in {name for name, rows in scored.problems.items() if any(r["severity"] == "error" for r in rows)}
    assert "Traceback" not in scored.stdout + scored.stderr
    assert "\x1b" not in scored.stdout + scored.stderr


def test_the_check_counts_them(checked):
    assert checked.code == 1
    assert f"{len(FAULTS) + 1} patients, 1 images read, {len(FAULTS)} errors" in checked.stdout
    assert "Traceback" not in checked.stdout + checked.stderr
