"""An index names nobody: of a header it writes PatientID, or what stands for it, and what tells series apart."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from privacy.test_markers import MARK, planted
from safety import samples
from soup import drawn_on, report_on, series, throw

from mdanderson.cli import main


def soup(folder: Path) -> Path:
    """Every kind of file with a marker in every tag that may name somebody, a damaged one among them."""
    images = series()
    files = [
        *images,
        *series("MR", number=2),
        samples.radiograph(),
        drawn_on(images),
        drawn_on(images, "RTSTRUCT"),
        report_on(images),
    ]
    for ds in files:
        patient_id = ds.get("PatientID", "P1")
        planted(ds)
        ds.PatientID, ds.IssuerOfPatientID = patient_id, ""
    throw(folder, files)
    (folder / "cut").write_bytes(min((folder / "d0").iterdir()).read_bytes()[:500])
    return folder


@pytest.mark.parametrize("by", [[], ["--by-folder"]])
def test_nobody_is_named(tmp_path, capfd, caplog, recwarn, by):
    caplog.set_level(logging.DEBUG)
    out = tmp_path / "study" / "cohort.csv"
    main(["index", str(soup(tmp_path / "soup")), "-o", str(out), *by])
    told = capfd.readouterr()
    texts = [told.out, told.err, caplog.text, *(str(one.message) for one in recwarn.list)]
    texts += [path.read_text(encoding="utf-8") for path in out.parent.glob("*.csv")]
    for text in texts:
        assert MARK not in text
        assert "19010203" not in text
        assert "1901-02-03" not in text
    assert any(path.stat().st_size > 100 for path in out.parent.glob("*.csv"))
