"""Shared fixtures. Real images are used in place from the shared folder beside the checkout, never copied."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(os.environ.get("MDANDERSON_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images; the test is skipped, with the reason, where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real images are absent: no folder {SHARED_DATA} (set MDANDERSON_REAL_DATA)")
    return SHARED_DATA
