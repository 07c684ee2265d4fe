"""The patients that every test of figures draws."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from plot.sample import BASELINE, HOSTILE, SIZES, judged, rows_of

from mdanderson.batch import Results
from mdanderson.report.columns import TABLES


@pytest.fixture(scope="session")
def few() -> Results:
    """The patients of SIZES, and one whose lesion shrinks while a new one comes."""
    rows = [row for patient_id, sizes in SIZES.items() for row in rows_of(patient_id, sizes)]
    rows += rows_of("NEW", (20.0, 16.0), new_at=1)
    facts = [{"patient_id": name, "treatment_start": BASELINE - dt.timedelta(weeks=2)} for name in ("STEADY",)]
    facts[0]["last_contact"] = BASELINE + dt.timedelta(weeks=30)
    facts += [{"patient_id": "GROWS", "treatment_start": "", "death_date": BASELINE + dt.timedelta(weeks=20)}]
    return judged(rows, patients=pd.DataFrame(facts), criteria=("mda2010", "recist11", "who"))


@pytest.fixture(scope="session")
def nobody() -> Results:
    """An empty cohort."""
    return Results(rows={table.name: () for table in TABLES}, scored=(), failed={})


@pytest.fixture(scope="session")
def strange() -> Results:
    """Patients of hostile names."""
    return judged([row for name in HOSTILE for row in rows_of(name, (20.0, 8.0))])
