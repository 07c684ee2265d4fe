"""The cohort of sample.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from batch import sample


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """A manifest of four patients."""
    folder = tmp_path / "data"
    folder.mkdir()
    return sample.make_cohort(folder)
