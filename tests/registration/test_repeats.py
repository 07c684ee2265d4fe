"""The same pair gives the same bits in another process, whatever the number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
import hashlib
import registration_bodies as bodies
from mdanderson.registration import register
from mdanderson.settings import ImageSettings
motion = bodies.motion_of(8, 15, 2)
grid = bodies.grid((50, 60, 80), (5.0, 3.8, 3.8))
first = bodies.scan(bodies.Body(person=2), grid, subsample_mm=4.0)
later = bodies.scan(bodies.Body(person=2), grid, pose=bodies.Pose(motion=motion), seed=1, subsample_mm=4.0)
for pair in ((first, later), (first, bodies.mr(later)), (bodies.mr(first), bodies.mr(later))):
    found = register(*pair, settings=ImageSettings())
    told = [found.matrix.tobytes(), found.places_mm.tobytes(), found.place_error_mm.tobytes(), found.why.encode()]
    print(hashlib.sha256(b"".join(told)).hexdigest(), found.trusted)
"""


def told_by_a_fresh_process(threads: int, seed: int) -> str:
    folder = str(Path(__file__).parents[2] / "benchmarks")
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONHASHSEED": str(seed)}
    program = PROGRAM.format(folder=folder)
    return subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True).stdout


def test_fresh_processes_with_one_thread_and_with_two():
    one, two = told_by_a_fresh_process(1, 0), told_by_a_fresh_process(2, 1)
    assert len(one.splitlines()) == 3
    assert one == two
