"""The documentation tells the truth: generated pages, printed examples, commands, figures and names are the code's.

That links lead somewhere and docstrings render is the business of `make docs`, which fails on a warning.
"""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest
import typer.main
from examples import PRINTED, blocks, run, words

import mdanderson as mda
from mdanderson.cli.app import app, main
from mdanderson.report.dictionary import dictionary
from mdanderson.report.methods import method_statement
from mdanderson.settings import Settings
from mdanderson.statistics.quantiles import CONFIDENCE

PROJECT = Path(__file__).parents[1]
DOCS = PROJECT / "docs"
DEMO = PROJECT / "segmentations"
GENERATED = runpy.run_path(str(DOCS / "generated.py"))["PAGES"]
PAGES = sorted(path for path in DOCS.rglob("*.md") if path.name not in GENERATED)
WITH_EXAMPLES = ("pseudonyms", "resume", "table", "threshold", "two-readers")


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_what_the_code_says(name):
    assert text_of(name) == GENERATED[name](), "run: make handbook"


class TestOutputDictionary:
    def test_every_column_is_there_with_its_unit(self):
        from mdanderson.report.columns import TABLES
        from mdanderson.statistics import ADJUDICATION, AGREEMENT, MEASUREMENT_AGREEMENT, SUMMARY

        page = text_of("output.md")
        for table in (*TABLES, SUMMARY, AGREEMENT, MEASUREMENT_AGREEMENT, ADJUDICATION):
            part = page.partition(f'<a id="{table.name}"></a>\n\n## `{table.file_name}`')[2].partition("\n## ")[0]
            rows = [line for line in part.splitlines() if line.startswith("| <a id=")]
            assert len(rows) == len(table.columns)
            for row, column in zip(rows, table.columns, strict=True):
                assert row.startswith(f'| <a id="{table.name}.{column.name}"></a>`{column.name}` | {column.kind} |')
                assert row.endswith(f"| {column.meaning} |")
                assert f" | {column.unit} | " in row

    def test_a_table_that_nobody_described_is_an_error(self):
        from mdanderson.report.columns import Table

        with pytest.raises(KeyError):
            dictionary([Table(name="unheard_of", columns=(), sort_by=())])

    def test_every_table_that_a_run_writes_is_told(self, tmp_path):
        (tmp_path / "t.csv").write_text(
            "patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm\nP,2024-01-05,CT,L,9,8\n"
        )
        mda.classify(tmp_path / "t.csv", tmp_path / "out", lesions=True)
        told = set(re.findall(r"^## `(\w+\.csv)`$", text_of("output.md"), re.MULTILINE))
        assert {path.name for path in (tmp_path / "out").glob("*.csv")} <= told


class TestMethodStatement:
    def test_numbers_follow_the_settings(self):
        changed = Settings.from_mapping(
            {
                "policy": {"pd_size_rise": 0.2, "pd_absolute_mm": 5, "confirm_weeks": 4, "size_scope": "each"},
                "image": {"complete_fill_in": 0.9, "normal_t1_low": 0.7},
                "uncertainty": {"readers": "two"},
                "scintigraphy": {"reference": "skeleton"},
            }
        )
        told = words(method_statement(changed))
        for sentence in (
            "progression (PD1, PD2) a rise by at least 20 % and at least 5 mm from",
            "Response was judged lesion by lesion.",
            "(CR1) required that 90 % of the baseline lytic volume",
            "a T1 ratio of 0.7 to 1.2",
            "measurements of an unchanged lesion by two readers, with an SD of a diameter of 8.6 % of it",
            "seen again at least 4 weeks later",
            "a given reference, else the median of the skeleton",
        ):
            assert " ".join(sentence.split()) in " ".join(told)

    def test_no_limit_is_written_into_the_sentences(self):
        from mdanderson.report.methods_texts import PARAGRAPHS

        free = re.compile(
            r"\bMD Anderson criteria as revised in 2010|\[[\d,]+\]|\bN4\b|\b(?:CR|PR|PD|T)\d\b|95 % intervals"
        )
        assert CONFIDENCE == 0.95
        for title, sentences in PARAGRAPHS:
            left = re.sub(r"\{\w+\}", "", free.sub("", sentences))
            assert re.findall(r"\d+", left) == [], title


class TestExamples:
    """What a page says is printed is printed."""

    @pytest.mark.parametrize("name", WITH_EXAMPLES)
    def test_how_to(self, name, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        shown = 0
        for printed, block in run(DOCS / "howto" / f"{name}.md", tmp_path, lambda: capsys.readouterr().out):
            assert words(block.words) == words(printed)
            shown += 1
        assert shown

    def test_every_printed_block_is_compared(self):
        showing = {path for path in PAGES if any(block.title == PRINTED for block in blocks(path.read_text("utf-8")))}
        assert showing == {DOCS / "tutorial.md", *(DOCS / "howto" / f"{name}.md" for name in WITH_EXAMPLES)}

    @pytest.mark.slow
    def test_tutorial(self, tmp_path, monkeypatch, capsys):
        """On one patient of the demo cohort; the whole table of responses is compared in test_demo_cohort.py."""
        _some_of_the_demo(tmp_path / "demo", "DEMO-NADIR")
        monkeypatch.chdir(tmp_path)
        text = text_of("tutorial.md").replace("mdanderson demo demo\n", "").replace("mdanderson check", "#")
        (tmp_path / "tutorial.md").write_text(text, encoding="utf-8")
        pages = run(tmp_path / "tutorial.md", tmp_path, lambda: capsys.readouterr().out)
        scored, *others = list(pages)
        own = [line for line in scored[1].words.splitlines() if line.startswith("DEMO-NADIR")]
        assert len(own) == 3
        assert all(" ".join(line.split()) in " ".join(scored[0].split()) for line in own)
        assert len(others) == 3
        for printed, block in others:
            assert words(block.words) == words(printed)

    def test_a_dicom_export_becomes_a_manifest(self, tmp_path, monkeypatch):
        shutil.copytree(DEMO / "DEMO-PETCT", tmp_path / "export" / "P01")
        monkeypatch.chdir(tmp_path)
        typed = next(block.words for block in blocks(text_of("howto/pacs.md")) if block.language == "bash")
        assert main(shlex.split(typed.splitlines()[0])[1:]) == 0
        cohort = mda.read_cohort("study/cohort.csv")
        assert cohort.problems == ()
        images = cohort["DEMO-PETCT"].images
        assert {(one.image.name, one.mask and one.mask.name) for one in images} == {
            ("visit1_ct", "visit1_lesions.dcm"),
            ("visit2_ct", "visit2_lesions.dcm"),
            ("visit1_pt", None),
            ("visit2_pt", None),
        }


def _some_of_the_demo(folder: Path, patient: str) -> None:
    shutil.copytree(DEMO / patient, folder / patient)
    lines = (DEMO / "cohort.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "cohort.csv").write_text("".join(line for line in lines if line.startswith(("patient_id", patient))))


COMMANDS = [
    (path.name, line.strip())
    for path in [*PAGES, PROJECT / "README.md"]
    for block in blocks(path.read_text(encoding="utf-8"))
    if block.language in {"sh", "bash"}
    for line in block.words.splitlines()
    if line.startswith("mdanderson ")
]


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_shown_is_understood(page, line, tmp_path):
    """Commands and options exist; nothing is run."""
    typed = shlex.split(line.partition(">")[0], comments=True)[1:]
    group = typer.main.get_command(app)
    if typed[0].startswith("-"):
        assert typed == ["--help"]
        return
    command = group.commands[typed[0]]
    names = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in typed if word.startswith("-")} <= names | {"--help"}


def test_every_public_name_stands_in_the_reference_once():
    """By its public name, or by its home where a module beside it has the same name."""
    told = re.findall(r"^::: mdanderson\.([\w.]+)$", text_of("api.md"), re.MULTILINE)
    names = [path.rpartition(".")[2] for path in told]
    assert sorted(names) == sorted(mda.__all__)
    for path, name in zip(told, names, strict=True):
        home, _, own = f"mdanderson.{path}".rpartition(".")
        assert getattr(importlib.import_module(home), own) is getattr(mda, name)


FIGURES = [
    (decision, line.strip("| ").split(" | "))
    for section in text_of("validation.md").split("\n### ")[1:]
    for decision in re.findall(r"^From \[decision \d+\]\(\.\./(decisions/[^)]+)\)", section, re.MULTILINE)
    for line in section.partition("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| what |")
]


class TestValidation:
    """Every figure stands in the decision that its section names; every command names a script that is there."""

    @pytest.mark.parametrize(("decision", "row"), FIGURES, ids=lambda one: one[0] if isinstance(one, list) else "")
    def test_figures_are_those_of_the_decision(self, decision, row):
        what, measured = row
        said = (PROJECT / decision).read_text(encoding="utf-8")
        for number in re.findall(r"\d+(?:\.\d+)?", measured):
            assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\d|\.\d)", said), (what, number)

    def test_there_are_figures(self):
        assert len(FIGURES) > 25
        assert len({decision for decision, _ in FIGURES}) == 9

    def test_commands_name_scripts_that_are_there(self):
        commands = re.findall(r"^python (benchmarks/\w+\.py)([^#\n]*)", text_of("validation.md"), re.MULTILINE)
        assert len(commands) > 8
        for script, typed in commands:
            source = (PROJECT / script).read_text(encoding="utf-8")
            assert all(f'"{word}"' in source for word in typed.split() if word.startswith("--")), (script, typed)

    def test_probabilities_are_those_of_the_details(self):
        table = "| sum of diameters (MDA) | 0.0004 | 0.0086 |\n| product of diameters (WHO) | 0.048 | 0.117 |"
        assert table in text_of("validation.md")
        assert table in text_of("details.md")


class TestSite:
    """The hooks of mkdocs.yml."""

    HOOKS = runpy.run_path(str(DOCS / "site_hooks.py"))

    @pytest.mark.parametrize(
        "tag",
        [
            '<script src="https://cdn.example/a.js"></script>',
            '<link rel="stylesheet" href="https://fonts.example/css">',
            "<img src=//pictures.example/1.png>",
        ],
    )
    def test_what_a_browser_would_fetch_is_found(self, tag):
        assert len(self.HOOKS["loaded_from_network"](f"<p>{tag}</p>")) == 1

    @pytest.mark.parametrize(
        "tag",
        [
            '<script src="assets/a.js"></script>',
            '<link rel="canonical" href="https://site.example/">',
            '<link rel="stylesheet" href="assets/main.css">',
            '<a href="https://jobqueue.dask.org">a link</a>',
        ],
    )
    def test_what_it_would_not_is_not(self, tag):
        assert self.HOOKS["loaded_from_network"](tag) == []

    @pytest.mark.parametrize(
        ("page", "link", "turned"),
        [
            ("criteria.md", "../decisions/0003-sd3-misprint.md", "decisions/0003-sd3-misprint.md"),
            ("criteria.md", "../decisions/", "decisions/README.md"),
            ("howto/pacs.md", "../../README.md#the-manifest", "../input.md#the-manifest"),
            ("howto/pacs.md", "../criteria.md#policy.reader", "../criteria.md#policy.reader"),
            ("decisions/README.md", "../docs/details.md", "../details.md"),
            ("decisions/README.md", "0001-the-house.md", "0001-the-house.md"),
            ("index.md", "#for-whom", "#for-whom"),
            ("scale.md", "https://jobqueue.dask.org", "https://jobqueue.dask.org"),
        ],
    )
    def test_links_of_the_repository_hold_on_the_site(self, page, link, turned):
        assert self.HOOKS["turned"](f"see [it]({link}).", page) == f"see [it]({turned})."

    def test_links_hold_in_the_repository_too(self):
        broken = [
            (path.name, link)
            for path in DOCS.rglob("*.md")
            for link in self.HOOKS["LINK"].findall(path.read_text(encoding="utf-8"))
            if not (path.parent / link).exists()
        ]
        assert broken == []

    def test_the_input_tables_are_cut_from_the_readme(self):
        page = self.HOOKS["words_of"]("README.md")
        assert "`bone_mask`" in page
        assert "`reads.csv`" in page
        assert "## What comes out" not in page
