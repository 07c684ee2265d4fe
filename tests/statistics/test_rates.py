"""Response and disease-control rates with exact intervals."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import InputError, MeasurementError
from mdanderson.report.cells import render_row, to_csv
from mdanderson.statistics import SUMMARY, exact_interval, summarise_rates


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (0, 10, 0, 0.3085),
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (9, 10, 0.5550, 0.9975),
        (10, 10, 0.6915, 1),
        (0, 1, 0, 0.975),
        (1, 1, 0.025, 1),
        (15, 40, 0.2273, 0.5420),
    ],
)
def test_clopper_and_pearson(successes, n, low, high):
    assert exact_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_the_edges_are_exact():
    low, high = exact_interval(0, 10)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 10), abs=1e-12)
    assert exact_interval(10, 10) == (pytest.approx(0.025 ** (1 / 10), abs=1e-12), 1)


def at_least(successes: int, n: int, share: float) -> float:
    return sum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(successes, n + 1))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95]))
def test_each_end_leaves_half_of_the_doubt(counts, confidence):
    """The definition: so many successes or more are that rare at the lower end, so many or fewer at the upper."""
    successes, n = counts
    low, high = exact_interval(successes, n, confidence)
    assert 0 <= low <= successes / n <= high <= 1
    tail = (1 - confidence) / 2
    if successes:
        assert at_least(successes, n, low) == pytest.approx(tail, abs=1e-9)
    if successes < n:
        assert 1 - at_least(successes + 1, n, high) == pytest.approx(tail, abs=1e-9)


@pytest.mark.parametrize("n", [1, 7, 20])
def test_it_covers_every_true_share_at_least_as_often_as_it_says(n):
    intervals = [exact_interval(k, n) for k in range(n + 1)]
    for share in (number / 200 for number in range(1, 200)):
        covered = sum(
            comb(n, k) * share**k * (1 - share) ** (n - k)
            for k, (low, high) in enumerate(intervals)
            if low <= share <= high
        )
        assert covered >= 0.95 - 1e-12


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5), (1, -2)])
def test_no_share_is_refused(successes, n):
    with pytest.raises(MeasurementError, match=f"{successes} of {n} is no share"):
        exact_interval(successes, n)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95])
def test_an_impossible_confidence_is_refused(confidence):
    with pytest.raises(MeasurementError, match=f"a confidence of {confidence}"):
        exact_interval(1, 2, confidence)


def patient(
    number: int, best: str, days: str = "", censored: str = "true", criteria: str = "mda2010"
) -> dict[str, str]:
    return {
        "patient_id": f"P{number}",
        "criteria": criteria,
        "best_response": best,
        "progression_free_days": days,
        "censored": censored,
    }


COHORT = [
    patient(1, "CR", "400", "true"),
    patient(2, "PR", "300", "false"),
    patient(3, "PR", "200", "true"),
    patient(4, "SD", "150", "false"),
    patient(5, "PD", "60", "false"),
    patient(6, "PD", "50", "false"),
    patient(7, "NE"),
]


def test_one_cohort():
    (row,) = summarise_rates(COHORT)
    assert {name: row[name] for name in ("criteria", "level", "group", "patients", "evaluable")} == {
        "criteria": "mda2010",
        "level": "all",
        "group": "",
        "patients": 7,
        "evaluable": 6,
    }
    assert [row[f"n_{name}"] for name in ("cr", "pr", "sd", "pd", "ne")] == [1, 2, 1, 2, 1]
    assert (row["responders"], row["response_rate"], row["response_rate_evaluable"]) == (3, 3 / 7, 3 / 6)
    assert (row["controlled"], row["control_rate"], row["control_rate_evaluable"]) == (4, 4 / 7, 4 / 6)
    assert (row["response_low"], row["response_high"]) == exact_interval(3, 7)
    assert (row["response_evaluable_low"], row["response_evaluable_high"]) == exact_interval(3, 6)
    assert (row["control_low"], row["control_high"]) == exact_interval(4, 7)
    assert (row["control_evaluable_low"], row["control_evaluable_high"]) == exact_interval(4, 6)
    assert (row["followed"], row["events"], row["median_progression_free_days"], row["reason"]) == (6, 4, 150, "")


def test_the_file_as_written():
    (row,) = summarise_rates(COHORT)
    assert to_csv(SUMMARY, [render_row(SUMMARY, row)]).splitlines()[1] == (
        "mda2010,all,,7,6,1,2,1,2,1,"
        "3,0.4286,0.0990,0.8159,0.5000,0.1181,0.8819,"
        "4,0.5714,0.1841,0.9010,0.6667,0.2228,0.9567,"
        "6,4,150,"
    )


def test_each_set_counts_in_its_own_words():
    """iUPD and PDu wait for their confirmation: neither response nor progression."""
    said = ["iCR", "CMR", "iPR", "PMR", "iSD", "SMD", "iUPD", "PDu", "Non-PD", "NED", "Non-CR/Non-PD", "iCPD", "PMD"]
    (row,) = summarise_rates([patient(number, word) for number, word in enumerate(said)])
    assert [row[f"n_{name}"] for name in ("cr", "pr", "sd", "pd", "ne")] == [2, 2, 7, 2, 0]


def test_all_come_first_then_the_groups_by_name_and_in_the_file_as_well():
    rows = [
        *(patient(number, "SD") for number in range(6)),
        *(patient(number, "PD", criteria="recist11") for number in range(2)),
    ]
    groups = {"P0": "zoledronate", "P1": "Denosumab", "P2": "all", "P3": "", "P9": "elsewhere"}
    summary = summarise_rates(rows, groups)
    assert [(row["criteria"], row["level"], row["group"], row["patients"]) for row in summary] == [
        ("mda2010", "all", "", 6),
        ("mda2010", "group", "Denosumab", 1),
        ("mda2010", "group", "all", 1),
        ("mda2010", "group", "zoledronate", 1),
        ("recist11", "all", "", 2),
        ("recist11", "group", "Denosumab", 1),
        ("recist11", "group", "zoledronate", 1),
    ]
    cells = [render_row(SUMMARY, row) for row in summary]
    assert to_csv(SUMMARY, reversed(cells)).splitlines()[1:] == [",".join(row) for row in cells]


def test_nobody_evaluable_has_no_rate_among_evaluable():
    (row,) = summarise_rates([patient(1, "NE"), patient(2, "BL")])
    assert (row["patients"], row["evaluable"], row["n_ne"]) == (2, 0, 2)
    assert (row["response_rate"], row["response_low"]) == (0, 0)
    assert row["response_rate_evaluable"] is row["response_evaluable_low"] is row["control_evaluable_high"] is None
    assert row["reason"] == "no patient is evaluable; no patient was followed"


def test_a_median_that_is_not_reached_says_so():
    (row,) = summarise_rates([patient(1, "SD", "100", "true"), patient(2, "PR", "0", "true")])
    assert (row["followed"], row["events"], row["median_progression_free_days"]) == (2, 0, None)
    assert row["reason"] == "median not reached"


def test_no_patients_no_rows():
    assert summarise_rates([]) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"best_response": "better"}, "best_response is 'better' @ patient P1, criteria mda2010; write one of CR, PR"),
        ({"best_response": ""}, "best_response is '' @"),
        ({"progression_free_days": "soon"}, "progression_free_days is 'soon' @ patient P1"),
        ({"progression_free_days": "NaN"}, "progression_free_days is 'NaN' @"),
        ({"progression_free_days": "Infinity"}, "progression_free_days is 'Infinity' @"),
        ({"progression_free_days": "-3"}, "progression_free_days is '-3' @ .*; write whole days, 0 or more"),
        ({"progression_free_days": "3.5"}, "progression_free_days is '3.5' @"),
        ({"progression_free_days": "3", "censored": "perhaps"}, "censored is 'perhaps' @ .*; write true or false"),
        ({"progression_free_days": "3", "censored": ""}, "censored is '' @"),
    ],
)
def test_cells_that_cannot_be_read_are_named(change, message):
    with pytest.raises(InputError, match=message):
        summarise_rates([patient(1, "SD") | change])


@pytest.mark.parametrize("column", ["patient_id", "criteria", "best_response", "progression_free_days"])
def test_a_missing_column_is_named(column):
    row = patient(1, "SD")
    del row[column]
    with pytest.raises(InputError, match=f"no column {column}"):
        summarise_rates([row])


def test_a_patient_twice_is_refused():
    with pytest.raises(InputError, match="patients has two rows for criteria mda2010, patient_id P1"):
        summarise_rates([patient(1, "SD"), patient(1, "PD")])


BEST = st.sampled_from(["CR", "PR", "SD", "PD", "NE"])
PATIENTS = st.lists(st.tuples(BEST, st.sampled_from(["A", "B"]), st.integers(0, 900), st.booleans()), max_size=20)


@given(PATIENTS, st.randoms(use_true_random=False))
def test_groups_add_up_and_order_does_not_matter(told, shuffler):
    rows = [patient(n, best, str(days), str(censored).lower()) for n, (best, _, days, censored) in enumerate(told)]
    groups = {f"P{number}": group for number, (_, group, _, _) in enumerate(told)}
    summary = summarise_rates(rows, groups)
    shuffler.shuffle(rows)
    assert summarise_rates(rows, groups) == summary
    for column in ("patients", "evaluable", "responders", "controlled", "events", "n_cr", "n_ne"):
        every = sum(row[column] for row in summary if row["level"] == "all")
        assert every == sum(row[column] for row in summary if row["level"] == "group")
    for row in summary:
        assert row["response_low"] <= row["response_rate"] <= row["response_high"]
        assert row["control_rate"] >= row["response_rate"]
