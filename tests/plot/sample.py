"""Patients of a reader's table whose changes are plain numbers."""

from __future__ import annotations

import datetime as dt

import pandas as pd

import mdanderson as mda
from mdanderson.batch import Results

BASELINE = dt.date(2024, 1, 1)

SIZES = {
    "GROWS": (20.0, 30.0),
    "SHRINKS": (20.0, 8.0, 14.0),
    "STEADY": (20.0, 19.0, None),
    "UNSEEN": (20.0, None),
}
"""Patient -> at each visit the long axis of its one lesion, the short axis being half of it; None: not assessed."""
WEEKS = 12
HOSTILE = ["</text><script>alert(1)</script>", "$\\frac{1}{0}$", "_hidden", "&amp;\"'>", "a\nb\u202ec", "P" * 60]
"""What a patient may be called by who means no good."""


def rows_of(patient_id: str, sizes: tuple[float | None, ...], *, new_at: int | None = None) -> list[dict[str, object]]:
    """Rows of measurements.csv: a CT every 12 weeks, and a second lesion from visit `new_at` on."""
    rows = []
    for visit, size in enumerate(sizes):
        common = {"patient_id": patient_id, "date": BASELINE + dt.timedelta(weeks=WEEKS * visit), "modality": "CT"}
        rows.append(common | {"lesion_id": "L1", "long_axis_mm": size, "short_axis_mm": size and size / 2})
        if new_at is not None and visit >= new_at:
            rows.append(common | {"lesion_id": "N1", "long_axis_mm": 12.0, "short_axis_mm": 12.0})
    return [row | {"status": "" if row["long_axis_mm"] else "not_evaluable", "lesion_type": "lytic"} for row in rows]


def judged(rows: list[dict[str, object]], **given: object) -> Results:
    """Results of a table in this very process."""
    return mda.classify(pd.DataFrame(rows), workers=1, **given)
