"""What the terminal shows: figures as they are, nothing invented, no markup from names."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from mdanderson.report.terminal import agreement_table, response_table, summary_table

RESPONSE = {"patient_id": "[red]P", "visit": "v1", "date": "2024-04-02", "category": "PD", "reason": "L01 [25 %]"}


def shown(table: Table) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=140).print(table)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


def test_responses_name_their_set_where_there_are_several() -> None:
    rows = [RESPONSE | {"unconfirmed": "true", "criteria": name} for name in ("mda2010", "who")]
    assert shown(response_table(rows)) == [
        "patient visit date criteria category reason",
        "[red]P v1 2024-04-02 mda2010 PD (unconfirmed) L01 [25 %]",
        "[red]P v1 2024-04-02 who PD (unconfirmed) L01 [25 %]",
    ]
    assert shown(response_table(rows[:1]))[0] == "patient visit date category reason"


SUMMARY_ROW = {
    "criteria": "mda2010",
    "group": "",
    "patients": "4",
    "n_cr": "0",
    "n_pr": "1",
    "n_sd": "1",
    "n_pd": "1",
    "n_ne": "1",
    "response_rate": "0.2500",
    "response_low": "0.0063",
    "response_high": "0.8059",
    "control_rate": "0.5000",
    "control_low": "0.0676",
    "control_high": "0.9324",
}


def test_rates() -> None:
    empty = {name: "" for name in SUMMARY_ROW if name.startswith(("response", "control"))}
    assert shown(summary_table([SUMMARY_ROW, SUMMARY_ROW | empty | {"group": "arm A", "patients": "0"}])) == [
        "criteria group patients CR PR SD PD NE response disease control",
        "mda2010 all 4 0 1 1 1 1 25 % (1-81) 50 % (7-93)",
        "mda2010 arm A 0 0 1 1 1 1",
    ]


def test_agreement() -> None:
    row = {
        "criteria": "mda2010",
        "item": "visit",
        "scope": "CT",
        "pairs": "10",
        "observed_agreement": "0.8000",
        "kappa": "0.6154",
        "kappa_low": "0.1000",
        "kappa_high": "1.0000",
        "weighted_kappa": "0.7000",
        "weighted_low": "",
        "weighted_high": "",
    }
    bare = row | {"observed_agreement": "", "kappa": "", "weighted_kappa": "", "pairs": "0"}
    assert shown(agreement_table(("A", "B"), [row, bare], 3)) == [
        "A and B: 3 visits to adjudicate",
        "criteria item scope pairs agreement kappa weighted kappa",
        "mda2010 visit CT 10 80 % 0.62 (0.10 to 1.00) 0.70",
        "mda2010 visit CT 0",
    ]
