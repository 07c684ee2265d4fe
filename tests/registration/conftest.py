"""The bodies of the benchmark, so that tests and figures speak of the same images."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def bodies():
    path = Path(__file__).parents[2] / "benchmarks" / "registration_bodies.py"
    spec = importlib.util.spec_from_file_location("registration_bodies", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
