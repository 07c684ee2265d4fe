"""Spoiled files at every door: an image or our own error, in bounded time and memory; never anything else.

MDANDERSON_FUZZ_ROUNDS asks for a longer search, MDANDERSON_FUZZ_SEED for another one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
DOORS = (
    *("CT", "MR", "PT", "NM", "XR", "SEG", "RTSTRUCT", "NIfTI", "NIfTI.gz", "NRRD", "MHA"),
    *("cohort", "soup", "BIDS", "measurements", "Parquet", "settings"),
)
ROUNDS = int(os.environ.get("MDANDERSON_FUZZ_ROUNDS", "25"))
SEED = os.environ.get("MDANDERSON_FUZZ_SEED", "1")


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    """What a process of 3 GB of address space said; each door takes a few seconds at most."""
    command = [sys.executable, "-m", "safety.fuzz", "--rounds", str(ROUNDS), "--seed", SEED]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, timeout=120 + 10 * ROUNDS, check=False)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0, (lines[-1:], done.stderr.decode(errors="replace")[-500:])
    return [json.loads(line) for line in lines]


@pytest.mark.timeout(0 if ROUNDS > 100 else 300)
@pytest.mark.parametrize("door", DOORS)
def test_only_our_own_errors_come_out(told, door):
    findings = [
        one for one in told if "finding" in one and isinstance(one["finding"], list) and one["finding"][0] == door
    ]
    assert not findings
    (ends,) = (one["ends"] for one in told if one.get("door") == door)
    assert ends["refused"] > ROUNDS / 10  # the spoiling is noticed, and
    assert ends["read"] > 0  # not everything is beyond reading
    assert ends["read"] + ends["refused"] == ROUNDS


def test_every_door_is_tried(told):
    assert {one["door"] for one in told if "door" in one} == set(DOORS)
