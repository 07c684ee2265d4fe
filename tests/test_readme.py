"""The README tells the truth: its columns, settings and Python example are those of the code."""

from __future__ import annotations

import csv
import re
import shlex
from dataclasses import fields
from pathlib import Path

from mdanderson.cli import main
from mdanderson.report.columns import TABLES
from mdanderson.settings import Settings
from mdanderson.statistics import ADJUDICATION, AGREEMENT, MEASUREMENT_AGREEMENT, SUMMARY

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_table_named_is_one_that_the_dictionary_explains():
    """The columns themselves stand in docs/output.md; tests/test_docs.py holds it to the code."""
    written = {table.file_name for table in (*TABLES, SUMMARY, AGREEMENT, MEASUREMENT_AGREEMENT, ADJUDICATION)}
    told = README.partition("## What comes out")[2].partition("\n## ")[0]
    assert "](docs/output.md)" in told
    named = set(re.findall(r"`(\w+\.csv)`", told))
    assert {table.file_name for table in (*TABLES, SUMMARY)} <= named <= written


def test_every_page_linked_is_there():
    root = Path(__file__).parents[1]
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", README)
    assert len(links) > 10
    assert [link for link in links if not (root / link).exists()] == []


def test_every_setting_named_has_the_default_told():
    settings = Settings()
    known = {
        field.name: getattr(section, field.name)
        for section in (settings.policy, settings.image)
        for field in fields(section)
    }
    told = re.findall(r"`([a-z_]+) = ([^`]+)`", README)
    assert len(told) >= 6
    for name, value in told:
        default = known[name]
        assert value == (f'"{default}"' if isinstance(default, str) else f"{default:g}")


def test_the_python_example_runs_on_patients_of_the_demo_cohort(tmp_path, monkeypatch, capsys):
    """Ten lines, and the reasons it prints can be read to their end."""
    cohort = _some_of_the_demo(tmp_path, {"DEMO-SD", "DEMO-PD-NEW", "DEMO-PETCT"})
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL).group(1)
    assert sum(bool(line) for line in example.splitlines()) <= 10
    example = example.replace('"cohort.csv"', repr(str(cohort))).replace('"P01"', '"DEMO-SD"')
    monkeypatch.chdir(tmp_path)
    exec(compile(example.replace("workers=2", "workers=1"), "README", "exec"), {})
    printed = capsys.readouterr().out
    with (tmp_path / "results" / "responses.csv").open(encoding="utf-8", newline="") as file:
        reasons = {row["reason"] for row in csv.DictReader(file)}
    assert max(map(len, reasons)) > 80
    for reason in reasons:
        assert f" {reason}\n" in printed


def _some_of_the_demo(folder: Path, patients: set[str]) -> Path:
    demo = Path(__file__).parents[1] / "segmentations"
    with (demo / "cohort.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["patient_id"] in patients]
    with (folder / "cohort.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row | {name: str(demo / row[name]) for name in ("image", "mask") if row[name]} for row in rows)
    return folder / "cohort.csv"


def test_the_spreadsheet_example_runs_as_it_is_printed(tmp_path, monkeypatch, capsys):
    table = re.search(r"```csv\n(patient_id,date,modality,lesion_id.*?)```", README, re.DOTALL).group(1)
    commands = re.search(r"```sh\n(mdanderson classify measurements.*?)```", README, re.DOTALL).group(1)
    (tmp_path / "measurements.csv").write_text(table, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for line in commands.splitlines():
        assert main(shlex.split(line, comments=True)[1:]) == 0
    printed = capsys.readouterr().out
    assert "Non-CR/Non-PD" in printed
    assert "PR1 (PR) fired: stated by the reader" in printed
