"""The naive second implementation, which no installed package holds."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def naive() -> ModuleType:
    """tests/naive/mda2010.py."""
    folder = Path(__file__).parents[1] / "naive"
    if "naive" not in sys.modules:
        spec = importlib.util.spec_from_file_location("naive", folder / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules["naive"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["naive"])
    return importlib.import_module("naive.mda2010")
