"""The bench of one_patient.py: one body imaged by several modalities, written as a cohort of one patient."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from assessment import one_patient


@pytest.fixture(scope="module", autouse=True)
def _bodies_made_once(bodies_made_once: None) -> None:
    """For every module here."""


@pytest.fixture(scope="session")
def bench() -> ModuleType:
    """one_patient.py as a module."""
    return one_patient


@pytest.fixture
def patient(bench: ModuleType, tmp_path: Path) -> Any:
    """A patient without any image so far."""
    return bench.OnePatient(folder=tmp_path)
