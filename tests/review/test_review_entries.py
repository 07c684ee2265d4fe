"""Entries are appended: whole, one after another, whoever writes, whatever was there before; nothing is ever lost."""

from __future__ import annotations

import csv
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdanderson.batch.entered_reads import reviews_in
from mdanderson.batch.lock import locked
from mdanderson.errors import ManifestError, OutputError
from mdanderson.readers.reads import READS_COLUMNS, read_reads
from mdanderson.review import entries
from mdanderson.review.entries import TORN_FILE, append_entry

ENTRY = {"patient_id": "P01", "date": "2024-04-02", "modality": "CT", "lesion_id": "L1", "findings": "PR1"}
SIGNED = ENTRY | {"reader": "Smith", "comment": "a rim all round"}


def rows(out: Path) -> list[dict[str, str]]:
    table = reviews_in(out)
    assert table is not None
    return [dict(row.cells) for row in table]


def test_an_entry_reads_back_as_a_statement(tmp_path):
    assert append_entry(tmp_path, SIGNED) == 2
    assert append_entry(tmp_path, SIGNED | {"findings": "SD1"}) == 3
    table = reviews_in(tmp_path)
    statements, problems = read_reads(table, known={"P01"})
    assert problems == ()
    assert [(one.codes, one.reader, one.comment, one.row) for one in statements["P01"]] == [
        ({"PR1"}, "Smith", "a rim all round", 2),
        ({"SD1"}, "Smith", "a rim all round", 3),
    ]
    assert statements["P01"][0].time < statements["P01"][1].time
    assert tuple(table.columns) == READS_COLUMNS


@settings(max_examples=25)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["comment", "site", "reader", "laterality", "lesion_id"]), st.text(max_size=40)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_is_typed_one_line_is_one_entry_and_no_formula(tmp_path_factory, typed):
    out = tmp_path_factory.mktemp("typed")
    for number, cells in enumerate(typed, start=2):
        assert append_entry(out, ENTRY | cells) == number
    raw = (out / "reads.csv").read_text(encoding="utf-8")
    assert raw.count("\n") == len(typed) + 1
    assert raw.endswith("\n")
    for line in csv.reader(raw.splitlines()[1:]):
        assert len(line) == len(READS_COLUMNS)
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "＝")) for cell in line)
    for told, cells in zip(rows(out), typed, strict=True):
        for name, text in cells.items():
            kept = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
            assert "".join(told[name].split()) == "".join(kept.split()) or not text.isprintable()


def test_a_formula_comes_back_as_it_was_typed(tmp_path):
    append_entry(tmp_path, SIGNED | {"patient_id": "=P01", "comment": "=HYPERLINK(1)\n@x"})
    assert '"\'=P01"' in (tmp_path / "reads.csv").read_text()
    assert (rows(tmp_path)[0]["patient_id"], rows(tmp_path)[0]["comment"]) == ("=P01", "=HYPERLINK(1) @x")


def test_a_clock_put_back_does_not_make_the_later_entry_the_earlier(tmp_path):
    late = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    append_entry(tmp_path, SIGNED, now=late)
    append_entry(tmp_path, SIGNED, now=late - dt.timedelta(days=900))
    append_entry(tmp_path, SIGNED | {"patient_id": "P02"}, now=late - dt.timedelta(days=900))
    assert [row["time"] for row in rows(tmp_path)] == [
        "2030-01-01T00:00:00.000000+00:00",
        "2030-01-01T00:00:00.000001+00:00",
        "2027-07-16T00:00:00.000000+00:00",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(("start", "ended"), [("", True), ("\ufeff", True), ("", False)])
def test_an_older_file_keeps_every_byte_of_its_rows(tmp_path, end, delimiter, start, ended):
    """Columns that it lacks are added to its header, columns of its own stay."""
    old = [
        ["patient_id", "date", "modality", "label", "mood"],
        ["P01", "2024-04-02", "CT", "3", "good, mostly" if delimiter != "," else "good"],
    ]
    text = start + end.join(delimiter.join(line) for line in old) + (end if ended else "")
    (tmp_path / "reads.csv").write_bytes(text.encode())
    assert append_entry(tmp_path, SIGNED) == 3
    raw = (tmp_path / "reads.csv").read_bytes().decode()
    assert raw.startswith(start + delimiter.join(old[0]) + delimiter)
    assert end + delimiter.join(old[1]) in raw
    first, second = rows(tmp_path)
    assert (first["mood"], first["label"], second["mood"], second["findings"]) == (old[1][4], "3", "", "PR1")
    assert append_entry(tmp_path, SIGNED) == 4


def test_excels_first_line_stays_the_first(tmp_path):
    (tmp_path / "reads.csv").write_text("sep=;\npatient_id;date;modality;label\nP01;2024-04-02;CT;3\n")
    append_entry(tmp_path, SIGNED)
    assert (tmp_path / "reads.csv").read_text().startswith("sep=;\npatient_id;date;modality;label;")
    assert [row["label"] for row in rows(tmp_path)] == ["3", ""]


@pytest.mark.parametrize("length", [1, 20, 60, 110])
def test_a_line_that_was_cut_off_is_put_aside_and_takes_nothing_with_it(tmp_path, length):
    append_entry(tmp_path, SIGNED)
    whole = (tmp_path / "reads.csv").read_bytes()
    line = whole.splitlines(keepends=True)[-1]
    (tmp_path / "reads.csv").write_bytes(whole + line[:length])
    assert append_entry(tmp_path, SIGNED | {"comment": "after the power came back"}) == 3
    assert [row["comment"] for row in rows(tmp_path)] == ["a rim all round", "after the power came back"]
    assert (tmp_path / TORN_FILE).read_bytes() == line[:length] + b"\n"


def test_a_whole_line_without_an_end_is_kept(tmp_path):
    append_entry(tmp_path, SIGNED)
    path = tmp_path / "reads.csv"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert append_entry(tmp_path, SIGNED) == 3
    assert not (tmp_path / TORN_FILE).exists()


def test_a_cell_of_several_lines_at_the_end_is_not_taken_for_a_line_that_was_cut_off(tmp_path):
    text = 'patient_id,date,modality,lesion_id,findings,comment\nP01,2024-04-02,CT,L1,PR1,"a rim\nall round\n"'
    (tmp_path / "reads.csv").write_text(text, encoding="utf-8")
    append_entry(tmp_path, SIGNED | {"lesion_id": "L2"})
    assert [row["lesion_id"] for row in rows(tmp_path)] == ["L1", "L2"]
    assert text.partition("\n")[2] in (tmp_path / "reads.csv").read_text(encoding="utf-8")
    assert not (tmp_path / TORN_FILE).exists()


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    append_entry(tmp_path, SIGNED)
    before = (tmp_path / "reads.csv").read_bytes()
    write = os.write

    def half(descriptor: int, line: bytes) -> int:
        return write(descriptor, line[: len(line) // 2])

    monkeypatch.setattr(entries.os, "write", half)
    with pytest.raises(OutputError, match=r"the entry cannot be written @ .*reads\.csv; make room, then save again"):
        append_entry(tmp_path, SIGNED)
    monkeypatch.undo()
    assert (tmp_path / "reads.csv").read_bytes() == before
    assert append_entry(tmp_path, SIGNED) == 3


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b'patient_id,date\n"P01\nx,y\n', "not a table"),
        (b"patient_id,date,date\n", "appears twice"),
    ],
)
def test_a_file_that_nobody_can_read_is_not_written_to(tmp_path, content, what):
    (tmp_path / "reads.csv").write_bytes(content)
    with pytest.raises(ManifestError, match=what):
        append_entry(tmp_path, SIGNED)
    assert (tmp_path / "reads.csv").read_bytes() == content


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "elsewhere.csv").write_text("patient_id\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "reads.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(OutputError, match=r"reads\.csv is a link"):
        append_entry(tmp_path / "out", SIGNED)


def test_while_another_process_writes_it_is_waited_for_but_not_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(entries, "_WAIT_S", 0.05)
    with (
        locked(tmp_path, name=entries._LOCK),
        pytest.raises(OutputError, match="another process is writing entries here"),
    ):
        append_entry(tmp_path, SIGNED)
    assert append_entry(tmp_path, SIGNED) == 2


PROGRAM = """
import sys
from pathlib import Path
from mdanderson.review.entries import append_entry
for number in range(int(sys.argv[3])):
    cells = {"patient_id": "P01", "date": "2024-04-02", "modality": "CT", "lesion_id": "L1"}
    append_entry(Path(sys.argv[1]), {**cells, "reader": sys.argv[2], "comment": str(number)})
    print(number, flush=True)
"""


def writer(out: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(out), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_and_a_third_that_is_killed_lose_nothing(tmp_path):
    """What a process was told is saved is there, in its order; what is there is whole."""
    killed = writer(tmp_path, "killed", 100_000)
    others = [writer(tmp_path, name, 40) for name in ("Smith", "Jones")]
    assert killed.stdout is not None
    told = [int(killed.stdout.readline()) for _ in range(10)]
    killed.send_signal(signal.SIGKILL)
    told += [int(line) for line in killed.stdout.read().split() if line]
    killed.wait()
    for other in others:
        assert other.wait(60) == 0
        other.stdout.close()
    killed.stdout.close()
    found = rows(tmp_path)
    for name in ("Smith", "Jones"):
        assert [int(row["comment"]) for row in found if row["reader"] == name] == list(range(40))
    saved = [int(row["comment"]) for row in found if row["reader"] == "killed"]
    assert saved == list(range(len(saved)))
    assert len(saved) in {len(told), len(told) + 1}  # it may have been killed between the disk and the telling
    times = [row["time"] for row in found]
    assert times == sorted(times)
    started = time.monotonic()
    append_entry(tmp_path, SIGNED)
    assert time.monotonic() - started < 2  # the lock of a killed process locks nobody out
