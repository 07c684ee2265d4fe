"""A small trial of a reader's table, with what an export has to get right: merge, split, new, gone, not assessed."""

from __future__ import annotations

from pathlib import Path

import mdanderson as mda
from mdanderson.batch.results import Results
from mdanderson.export.wish import Wish

TABLE = """\
patient_id,date,visit,modality,lesion_id,long_axis_mm,short_axis_mm,lesion_type,findings,site,laterality,status,parents,node,target,comment
P01,2024-01-05,base,CT,L1,32,21,lytic,,L3,,,,,,
P01,2024-01-05,base,CT,L2,14,11,lytic,,rib 5,left,,,,,
P01,2024-01-05,base,CT,L3,20,11,lytic,,femur,left,,,,true,
P01,2024-04-02,wk12,CT,L1,15,10,,,,,,,,,
P01,2024-04-02,wk12,CT,L2,14,11,,PR1,,,,,,,=HYPERLINK("x")
P01,2024-04-02,wk12,CT,L3a,12,11,,,,,split,L3,,,
P01,2024-04-02,wk12,CT,L3b,8,6,,,,,split,L3,,,
P01,2024-07-02,wk24,CT,L1,0,0,,,,,,,,,
P01,2024-07-02,wk24,CT,L2,30,11,,,,,merged,L2;L3,,,
P01,2024-07-02,wk24,CT,L4,30,11,,,,,new,,,,
P02,2024-01-05,,CT,L1,32,21,lytic,,=1+1,,,,,,Größe ≥ 5
P02,2024-04-02,,CT,L2,14,11,,,,,,,,,
P03,2024-02-01,,CT,L1,32.5,21.25,lytic,,sternum,,,,,,
P03,2024-02-01,,NM,L1,,,,,,,,,,,
P03,2024-05-01,,CT,L1,15,10,,,,,,,,,
P03,2024-05-01,,NM,L1,,,,,,,,,,,
"""
PATIENTS = "patient_id,treatment_start\nP01,2024-01-10\n"
SETS = ("mda2010", "recist11", "who", "irecist", "pcwg3")


def classified_in(folder: Path) -> Results:
    """The trial judged; `folder` holds the tables, and the results below it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.csv").write_text(TABLE, encoding="utf-8")
    (folder / "patients.csv").write_text(PATIENTS)
    mda.classify(folder / "table.csv", folder / "out", criteria=SETS, workers=1)
    return mda.Results.from_folder(folder / "out")


def wish(results: Results, folder: Path, study: str = "ABC-01") -> Wish:
    return Wish(results=results, folder=folder, study=study)
