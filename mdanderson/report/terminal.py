"""Tables for a terminal, from rows of the result tables by column name: what a user reads first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table as RichTable

__all__ = ["agreement_table", "response_table", "summary_table"]

TextRow = Mapping[str, str]
_COUNTS = ("n_cr", "n_pr", "n_sd", "n_pd", "n_ne")


def response_table(rows: Iterable[TextRow]) -> RichTable:
    """The overall responses, from rows of responses.csv; the criteria set is named where there are several."""
    rows = list(rows)
    several = len({row["criteria"] for row in rows}) > 1
    table = _table(("patient", "visit", "date", *(("criteria",) if several else ()), "category"))
    table.add_column("reason", overflow="fold")
    for row in rows:
        category = row["category"] + (" (unconfirmed)" if row["unconfirmed"] == "true" else "")
        place = (row["patient_id"], row["visit"], row["date"], *((row["criteria"],) if several else ()))
        _add(table, (*place, category, row["reason"]))
    return table


def summary_table(rows: Iterable[TextRow]) -> RichTable:
    """Best responses and rates of a cohort, from rows of summary.csv."""
    table = _table(("criteria", "group", "patients", "CR", "PR", "SD", "PD", "NE", "response", "disease control"))
    for row in rows:
        rates = (_rate(row, "response_rate", "response"), _rate(row, "control_rate", "control"))
        _add(table, (row["criteria"], row["group"] or "all", row["patients"], *(row[name] for name in _COUNTS), *rates))
    return table


def agreement_table(names: tuple[str, str], rows: Iterable[TextRow], discordant: int) -> RichTable:
    """How two readers agree, from rows of agreement.csv; discordant: how many visits a third should see."""
    table = _table(("criteria", "item", "scope", "pairs", "agreement", "kappa", "weighted kappa"))
    table.title = f"{names[0]} and {names[1]}: {discordant} visits to adjudicate"
    table.title_justify = "left"
    for row in rows:
        kappas = (_interval(row, "kappa", "kappa"), _interval(row, "weighted_kappa", "weighted"))
        told = (row["criteria"], row["item"], row["scope"], row["pairs"], _percent(row["observed_agreement"]))
        _add(table, (*told, *kappas))
    return table


def _table(columns: Iterable[str]) -> RichTable:
    from rich.table import Table as RichTable

    table = RichTable(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _add(table: RichTable, cells: Iterable[str]) -> None:
    """A row as it is: what a patient or a reader is called is no markup."""
    from rich.text import Text

    table.add_row(*(Text(cell) for cell in cells))


def _rate(row: TextRow, name: str, of: str) -> str:
    """As in '25 % (12-42)'; empty where there is none."""
    if not row[name]:
        return ""
    low, high = (round(100 * float(row[f"{of}_{end}"])) for end in ("low", "high"))
    return f"{_percent(row[name])} ({low}-{high})"


def _interval(row: TextRow, name: str, of: str) -> str:
    """As in '0.62 (0.48 to 0.76)'; empty where there is none."""
    if not row[name]:
        return ""
    low, high = row[f"{of}_low"], row[f"{of}_high"]
    told = f"{float(row[name]):.2f}"
    return f"{told} ({float(low):.2f} to {float(high):.2f})" if low and high else told


def _percent(cell: str) -> str:
    return f"{100 * float(cell):.0f} %" if cell else ""
