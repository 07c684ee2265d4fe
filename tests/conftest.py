"""Shared fixtures. Real images are used in place from the shared folder beside the checkout, never copied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import paper as shorthand
import pytest
from demo_folder import made_in
from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("searching", parent=settings.get_profile("steady"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

SHARED_DATA = Path(os.environ.get("MDANDERSON_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


def lacking(part: str) -> NoReturn:
    """Skip for lack of a part, with the reason; in CI, where nothing may be lacking, fail."""
    if os.environ.get("MDANDERSON_REQUIRE_ALL"):
        pytest.fail(f"lacking, and MDANDERSON_REQUIRE_ALL is set: {part}")
    pytest.skip(part)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images."""
    if not SHARED_DATA.is_dir():
        lacking(f"real images: no folder {SHARED_DATA} (set MDANDERSON_REAL_DATA)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory) -> Path:
    """Where `mdanderson-demo` lies, with the demo cohort and its results by several sets: one for all workers."""
    base = tmp_path_factory.getbasetemp()
    return made_in((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo")


@pytest.fixture(scope="session")
def paper() -> ModuleType:
    """The shorthand of tests/paper.py for series of findings."""
    return shorthand


@pytest.fixture(scope="module")
def bodies_made_once() -> Iterator[None]:
    """For tests that draw one body again and again (see tests/once.py)."""
    from once import made_once

    with made_once():
        yield
