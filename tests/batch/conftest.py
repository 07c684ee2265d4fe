"""The stand-in cohort of test_run.py for the other modules of this room."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SAMPLE = Path(__file__).with_name("test_run.py")


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """`make_cohort`, `make_assess`, `tables`."""
    spec = importlib.util.spec_from_file_location("batch_sample", SAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cohort(sample: ModuleType, tmp_path: Path) -> Path:
    """A manifest of four patients."""
    folder = tmp_path / "data"
    folder.mkdir()
    return sample.make_cohort(folder)
