"""What readers call a label: the last word counts, and what is withdrawn is not said."""

from __future__ import annotations

import datetime as dt

from mdanderson.assessment.by_reader import stated_identities
from mdanderson.findings import Statement
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality

DAY = dt.date(2024, 4, 2)


def said(row: int, **fields: object) -> Statement:
    told = {"row": row, "date": DAY, "modality": Modality.CT, "label": "1", "lesion_id": "", "reader": "Smith"}
    return Statement(**(told | {"time": f"2024-05-01T10:00:{row:02}Z"} | fields))


def names(*statements: Statement) -> dict[tuple[dt.date, str, str], str]:
    return stated_identities(statements, Modality.CT, Settings())


def test_the_last_name_of_a_label_counts():
    assert names(said(2, lesion_id="L02"), said(3, lesion_id="L03")) == {(DAY, "1", ""): "L03"}


def test_a_name_that_is_withdrawn_is_none():
    assert names(said(2, lesion_id="L02"), said(3, comment="by mistake")) == {}


def test_a_finding_on_a_named_label_leaves_it_its_name():
    assert names(said(2, lesion_id="L02"), said(3, codes=frozenset({"PR1"}))) == {(DAY, "1", ""): "L02"}
