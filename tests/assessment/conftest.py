"""The bench of one_patient.py: one body imaged by several modalities, written as a cohort of one patient."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def bench() -> ModuleType:
    """one_patient.py as a module."""
    spec = importlib.util.spec_from_file_location("one_patient", Path(__file__).with_name("one_patient.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def patient(bench: ModuleType, tmp_path: Path) -> Any:
    """A patient without any image so far."""
    return bench.OnePatient(folder=tmp_path)
