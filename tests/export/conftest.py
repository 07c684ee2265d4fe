"""Results that the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import dicom_cohort
import pytest


@pytest.fixture(scope="session")
def dicom_results(tmp_path_factory) -> Path:
    """Results of a small DICOM cohort; its manifest is ../cohort/cohort.csv."""
    return dicom_cohort.scored(tmp_path_factory.mktemp("dicom"))


@pytest.fixture(scope="session")
def dicom_export(dicom_results, tmp_path_factory) -> Path:
    """Everything DICOM of it, and for 3D Slicer, in folders called like the kinds."""
    folder = tmp_path_factory.mktemp("exported")
    done = dicom_cohort.exported(dicom_results, folder, "dicom_seg", "dicom_sr", "slicer")
    assert not done.failed
    return folder
