"""run.json: read by one door, whoever asks; what is not as a run writes it is told in a line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from batch import sample

from mdanderson.batch import record as room
from mdanderson.batch.classify import classify
from mdanderson.batch.record import RunRecord
from mdanderson.errors import ImageError, OutputError
from mdanderson.settings import Settings
from mdanderson.version import __version__

_DAMAGED = "the results are not as a run wrote them @ "


@pytest.fixture
def of_table(tmp_path: Path) -> Path:
    """Results of `classify`."""
    (tmp_path / "tables").mkdir()
    table = tmp_path / "tables" / "m.csv"
    table.write_text("patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm\nP1,2024-01-05,CT,L1,30,20\n")
    classify(table, tmp_path / "table", workers=1)
    return tmp_path / "table"


@pytest.fixture
def of_images(cohort: Path, tmp_path: Path) -> Path:
    """Results of `score`, one patient of which failed."""
    assess = sample.make_assess(P02=ImageError("torn"))
    sample.run(cohort, tmp_path / "images", assess=assess, viewer=False)
    return tmp_path / "images"


@pytest.mark.parametrize("kind", ["of_table", "of_images"])
def test_what_is_read_is_written_again_to_the_byte(kind: str, request: pytest.FixtureRequest) -> None:
    out: Path = request.getfixturevalue(kind)
    before = (out / "run.json").read_bytes()
    RunRecord.of_folder(out).write(out)
    assert (out / "run.json").read_bytes() == before


def test_a_record_tells_what_was_run(of_images: Path, of_table: Path) -> None:
    record = RunRecord.of_folder(of_images)
    assert Path(record.manifest).name == "cohort.csv"
    assert (record.criteria, record.viewer, record.by) == (("mda2010",), False, "")
    assert Settings.from_mapping(record.settings) == Settings()
    assert record.failed == {"P02": "torn"}
    assert [*record.patients] == ["P01", "P02", "P03", "P04"]
    told = RunRecord.of_folder(of_table)
    assert (told.manifest, told.viewer, told.scored, told.failed) == ("", None, 1, {})


def test_a_record_of_an_earlier_version_lacks_what_came_later(of_images: Path) -> None:
    told = json.loads((of_images / "run.json").read_text())
    for name in ("events", "viewer", "by", "program"):
        del told[name]
    (of_images / "run.json").write_text(json.dumps(told))
    record = RunRecord.of_folder(of_images)
    assert (record.events, record.viewer, record.by, record.program) == ({}, None, "", "")


def test_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        RunRecord.of_folder(tmp_path)
    assert str(caught.value) == (f"no finished run here @ {tmp_path}; give a folder that `score` or `classify` wrote")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"3", b"{}", b'{"versions": 1}', b"[" * 100_000])
def test_what_is_no_record(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(OutputError) as caught:
        RunRecord.of_folder(tmp_path)
    assert str(caught.value) == f"{_DAMAGED}{tmp_path}; run it again"


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told | {"patients": {"P01": 3}},
        lambda told: told | {"patients": {"P01": {"files": "many"}}},
        lambda told: told | {"criteria": 1},
        lambda told: told | {"inputs": {"manifest": "cohort.csv"}},
        lambda told: told | {"settings": []},
        lambda told: told | {"manifest": ""},
        lambda told: {name: part for name, part in told.items() if name != "results"},
    ],
)
def test_a_record_that_was_changed(of_images: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    told = json.loads((of_images / "run.json").read_text())
    (of_images / "run.json").write_text(json.dumps(change(told)))
    with pytest.raises(OutputError, match=f"^{_DAMAGED}"):
        RunRecord.of_folder(of_images)


def test_a_record_of_another_version_that_is_not_understood(of_table: Path) -> None:
    told = json.loads((of_table / "run.json").read_text())
    assert told["versions"]["mdanderson"] == __version__
    told["versions"]["mdanderson"] = "99.1"
    (of_table / "run.json").write_text(json.dumps(told))
    assert RunRecord.of_folder(of_table).versions["mdanderson"] == "99.1"  # understood: `verify` tells of it
    (of_table / "run.json").write_text(json.dumps(told | {"patients": []}))
    with pytest.raises(OutputError, match=r"they are of version 99\.1 @ .*; use that version, or run it again"):
        RunRecord.of_folder(of_table)


def test_a_record_that_is_too_large(of_table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (of_table / "run.json").stat().st_size
    monkeypatch.setattr(room, "_LARGEST_BYTES", size)
    assert dataclasses.is_dataclass(RunRecord.of_folder(of_table))
    monkeypatch.setattr(room, "_LARGEST_BYTES", size - 1)
    with pytest.raises(OutputError, match=f"^{_DAMAGED}"):
        RunRecord.of_folder(of_table)
