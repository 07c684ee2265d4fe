"""docs/scale.md as it is written: its recipes are run against stand-ins of the clusters, its query by DuckDB."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest
from batch import sample

import mdanderson as mda
from mdanderson.batch import score
from mdanderson.errors import OutputError

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
LAPTOP, SLURM = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SLURM_TAKES = {"queue", "cores", "processes", "memory", "walltime", "worker_extra_args"}
"""Of what `dask_jobqueue.SLURMCluster` 0.9 and the jobs that it makes take, by their source."""


class Standin:
    """A cluster that only remembers what it was asked for."""

    scheduler_address = "tcp://127.0.0.1:1"
    made: Standin

    def __init__(self, **asked: Any) -> None:
        self.asked = asked
        self.adapted: dict[str, int] = {}
        type(self).made = self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""

    def adapt(self, *, minimum_jobs: int, maximum_jobs: int) -> None:
        self.adapted = {"minimum_jobs": minimum_jobs, "maximum_jobs": maximum_jobs}


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `mda.score` was called with; it takes no more than the true one."""
    calls: list[dict[str, Any]] = []

    def stand_in(*given: Any, **more: Any) -> None:
        calls.append(inspect.signature(score).bind(*given, **more).arguments)

    monkeypatch.setattr(mda, "score", stand_in, raising=False)
    return calls


def run(recipe: str) -> None:
    exec(compile(recipe, "docs/scale.md", "exec"), {"__name__": "__main__"})


def test_the_laptops_recipe(scored: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("dask.distributed")
    taken = inspect.signature(distributed.LocalCluster.__init__)
    monkeypatch.setattr(distributed, "LocalCluster", Standin)
    run(LAPTOP)
    bound = taken.bind(None, **Standin.made.asked)
    assert bound.arguments["threads_per_worker"] == 1  # one patient at a time
    assert bound.arguments["worker_kwargs"] == {"memory_limit": "4GB"}
    assert scored == [{"cohort": "cohort.csv", "out": "results", "scheduler": "tcp://127.0.0.1:1", "timeout_s": 3600}]


def test_the_recipe_for_slurm(scored: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    library = ModuleType("dask_jobqueue")
    library.SLURMCluster = Standin  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dask_jobqueue", library)
    run(SLURM)
    asked = Standin.made.asked
    assert asked.keys() <= SLURM_TAKES
    assert asked["cores"] == asked["processes"]  # a thread each
    assert Standin.made.adapted == {"minimum_jobs": 1, "maximum_jobs": 25}
    assert scored[0]["scheduler"] == "tcp://127.0.0.1:1"


def test_the_query(cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    (query,) = re.findall(r"`(SELECT .*?)`", PAGE, re.DOTALL)
    sample.run(cohort, tmp_path / "results", parquet=True)
    monkeypatch.chdir(tmp_path)
    assert sorted(duckdb.connect().sql(query).fetchall()) == [("BL", 4), ("PR", 4)]


def test_a_table_is_read_when_it_is_asked_for(cohort: Path, tmp_path: Path) -> None:
    """So that a cohort's rows need not fit into memory to be scored."""
    results = sample.run(cohort, tmp_path / "out")
    (tmp_path / "out" / "lesions.csv").unlink()
    assert len(results.responses) == 16
    (tmp_path / "out" / "responses.csv").unlink()
    assert len(results.responses) == 16  # it is read once
    with pytest.raises(OutputError, match="no results here"):
        results.lesions  # noqa: B018
