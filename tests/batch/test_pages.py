"""The report of a results folder: written from what is in it, kept apart from what others have put there."""

from __future__ import annotations

import dataclasses
import importlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from batch import sample

import mdanderson.batch.pages
from mdanderson.batch import score
from mdanderson.batch.events import events_in
from mdanderson.batch.one import Job, Task, score_patient
from mdanderson.batch.pages import report
from mdanderson.batch.store import Finished, Store
from mdanderson.cli import main
from mdanderson.crops import Crop
from mdanderson.errors import ImageError, OutputError
from mdanderson.pictures import Picture, png_of
from mdanderson.readers.manifest import read_cohort
from mdanderson.report.html.viewer import ViewerCode
from mdanderson.settings import Settings

DEMO = Path(__file__).parents[2] / "segmentations"


def pages(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*.html"))}


@pytest.fixture(autouse=True)
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer than all else; tests/browser looks at them."""
    monkeypatch.setattr(mdanderson.batch.pages, "_figures", lambda *_: ())


@pytest.fixture
def scored(cohort: Path, tmp_path: Path) -> Path:
    """Results of the stand-in, with a report: tables without pictures."""
    score(cohort, tmp_path / "out", assess=sample.make_assess(P02=ImageError("torn")), report=True)
    return tmp_path / "out"


def test_every_patient_has_a_page_one_that_failed_too(scored: Path) -> None:
    names = sorted(path.name.split("-")[0] for path in (scored / "report" / "patients").iterdir())
    assert names == ["P01", "P02", "P03", "P04"]
    assert "torn" in next((scored / "report" / "patients").glob("P02-*")).read_text(encoding="utf-8")
    assert sorted(path.name for path in (scored / "report").iterdir()) == ["index.html", "patients"]


def test_a_report_is_written_again_to_the_byte(scored: Path) -> None:
    before = pages(scored)
    shutil.rmtree(scored / "report")
    assert report(scored) == scored / "report" / "index.html"
    assert pages(scored) == before


def test_without_what_is_stored_the_tables_are_enough(scored: Path) -> None:
    shutil.rmtree(scored / ".patients")
    report(scored)
    assert "size" in next((scored / "report" / "patients").glob("P01-*")).read_text(encoding="utf-8")


def test_pages_of_patients_that_are_gone_go_and_other_files_stay(cohort: Path, scored: Path) -> None:
    (scored / "report" / "patients" / "mine.html").write_text("mine", encoding="utf-8")
    lines = cohort.read_text(encoding="utf-8").splitlines()
    cohort.write_text("\n".join(line for line in lines if not line.startswith("P04")) + "\n", encoding="utf-8")
    score(cohort, scored, assess=sample.make_assess(), report=True)
    names = sorted(path.name.split("-")[0] for path in (scored / "report" / "patients").iterdir())
    assert names == ["P01", "P02", "P03", "mine.html"]


def test_a_page_that_is_not_ours_is_not_written_over(scored: Path) -> None:
    (scored / "report" / "index.html").write_text("<p>mine</p>", encoding="utf-8")
    with pytest.raises(OutputError, match=r"index\.html is there already"):
        report(scored)
    assert (scored / "report" / "index.html").read_text(encoding="utf-8") == "<p>mine</p>"


def test_a_report_is_written_when_asked_for(cohort: Path, tmp_path: Path) -> None:
    score(cohort, tmp_path / "out", assess=sample.make_assess())
    assert not (tmp_path / "out" / "report").exists()


def test_tables_of_a_reader_have_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = tmp_path / "data" / "table.csv"
    table.write_text(
        "patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm\n"
        "P01,2024-01-05,CT,L1,32,21\nP01,2024-04-02,CT,L1,15,10\n",
        encoding="utf-8",
    )
    mdanderson.classify(table, tmp_path / "out")
    text = next((report(tmp_path / "out").parent / "patients").iterdir()).read_text(encoding="utf-8")
    assert "L1" in text
    assert "\N{MINUS SIGN}53 %" in text


def test_the_command_tells_where_the_report_is(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(scored)]) == 0
    assert capsys.readouterr().out == f"The report is {scored / 'report' / 'index.html'}\n"


def test_a_page_that_cannot_be_made_costs_no_other(scored: Path) -> None:
    store = Store(folder=scored / ".patients")
    one = store.read("P01")
    assert one is not None
    store.write(dataclasses.replace(one, tables=one.tables | {"lesions": (("of", "another", "version"),)}))
    report(scored)
    pages = {path.name.split("-")[0]: path.read_text(encoding="utf-8") for path in (scored / "report").rglob("P*.html")}
    assert "could not be made" in pages["P01"]
    assert "could not be made" not in pages["P03"]


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"criteria": 1, "patients": {}}'])
def test_no_report_of_what_is_no_result(
    damage: str, scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "no finished run here" in capsys.readouterr().err
    (scored / "run.json").write_text(damage, encoding="utf-8")
    assert main(["report", str(scored)]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "bug" not in line


def stored(**fields: object) -> Finished:
    """A patient with one picture."""
    picture = Picture(
        lesion_id="L01",
        modality=mdanderson.Modality.CT,
        date=sample.DATES[0],
        visit="",
        png=png_of(np.zeros((2, 2), dtype=np.uint8)),
        frame=(0.0, 0.0, 1.0, 1.0),
        filled=(0.0, 0.0, 1.0, 1.0),
        letters=("R", "A", "L", "P"),
        window=(0.0, 1.0),
        unit="HU",
    )
    told: dict[str, object] = {"patient_id": "P01", "fingerprint": "f", "tables": {}, "written_at": 1.0}
    told["pictures"] = (picture,)
    return Finished(**(told | fields))


def test_pictures_lie_beside_the_patient_and_are_not_read_with_it(tmp_path: Path) -> None:
    store, one = Store.within(tmp_path), stored()
    store.write(one)
    read = store.read("P01")
    assert read == dataclasses.replace(one, pictures=())
    assert store.pictures(read) == one.pictures
    assert sorted(path.name[24:] for path in store.folder.iterdir()) == [".json", ".pictures.json"]


def test_pictures_of_another_run_are_not_shown(tmp_path: Path) -> None:
    store = Store.within(tmp_path)
    store.write(stored())
    assert store.pictures(stored(fingerprint="g")) == ()
    next(store.folder.glob("*.pictures.json")).write_bytes(b"\xff")
    assert store.pictures(stored()) == ()


def test_pictures_go_with_what_they_belong_to(tmp_path: Path) -> None:
    store = Store.within(tmp_path)
    store.write(stored())
    store.write(stored(pictures=()))
    assert store.pictures(stored()) == ()
    store.write(stored())
    store.clear()
    assert list(store.folder.iterdir()) == []


def test_pictures_are_taken_where_they_are_wanted_alone() -> None:
    task = Task(patient=read_cohort(DEMO / "cohort.csv")["DEMO-PR-SIZE"], prints={})
    shown, plain = (
        score_patient(Job(settings=Settings(), criteria=("mda2010",), pictures=wanted), task)
        for wanted in (True, False)
    )
    assert len(shown.pictures) == 4
    assert plain.pictures == ()
    assert shown.tables == plain.tables


def test_crops_lie_beside_the_patient_and_go_with_it(tmp_path: Path) -> None:
    store, one = Store.within(tmp_path), stored(crops=(crop(),))
    store.write(one)
    read = store.read("P01")
    assert read is not None
    assert read.crops == ()
    assert store.crops(read) == one.crops
    assert store.crops(stored(fingerprint="g")) == ()
    store.keep_only(["P01"])
    assert len(list(store.folder.iterdir())) == 3
    store.write(stored())
    assert store.crops(read) == ()
    store.write(one)
    store.keep_only([])
    assert list(store.folder.iterdir()) == []


def crop() -> Crop:
    return Crop(
        lesion_id="L01",
        modality=mdanderson.Modality.CT,
        date=sample.DATES[0],
        visit="",
        image="AAAA",
        outlines="BBBB",
        unit="HU",
        window=(0.0, 1.0),
        middle_mm=(0.0, 0.0, 0.0),
        step_mm=1.0,
    )


@pytest.mark.parametrize(
    ("viewer", "patients", "code", "wanted"),
    [
        (None, 100, True, True),
        (None, 101, True, False),
        (None, 1, False, False),
        (True, 101, False, True),
        (False, 1, True, False),
    ],
)
def test_crops_are_kept_of_small_cohorts_or_where_they_are_asked_for(
    viewer: bool | None, patients: int, code: bool, wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not unasked where nothing here could show them."""
    told: list[bool] = []

    def run(_: object, job: Job, *args: object, **named: object) -> None:
        told.append(job.crops)
        raise KeyboardInterrupt

    monkeypatch.setattr("mdanderson.report.html.viewer.viewer_code", lambda: object() if code else None)
    monkeypatch.setattr(importlib.import_module("mdanderson.batch.run"), "_run", run)
    cohort = read_cohort(DEMO / "cohort.csv")
    many = dataclasses.replace(cohort, patients=(cohort.patients[0],) * patients)
    with pytest.raises(KeyboardInterrupt):
        score(many, tmp_path / "out", report=True, viewer=viewer)
    assert told == [wanted]


def test_the_viewer_may_be_left_out_of_a_report(scored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its code, its crops and its script, and what the page's policy allows for them."""
    code = ViewerCode(packed="PACKED", policy="sha256-viewer")
    monkeypatch.setattr("mdanderson.report.html.viewer.viewer_code", lambda: code)
    store = Store(folder=scored / ".patients")
    one = store.read("P01")
    assert one is not None
    store.write(dataclasses.replace(one, crops=(crop(),)))
    texts = []
    for viewer in (True, False):
        report(scored, viewer=viewer)
        texts.append(next((scored / "report" / "patients").glob("P01-*")).read_text(encoding="utf-8"))
    shown, plain = texts
    assert all(part in shown for part in ("PACKED", "AAAA", "BBBB", "sha256-viewer", 'id="viewer"'))
    assert not any(part in plain for part in ("PACKED", "AAAA", "sha256-viewer", "niivue"))
    assert shown.count("<script>") == 2
    assert plain.count("<script>") == 1


def test_events_are_kept_with_the_results(cohort: Path, tmp_path: Path) -> None:
    (cohort.parent / "events.csv").write_text(
        "patient_id,date,event,site\nP01,2024-02-03,Radiotherapy,T12\nP01,2024-03-01,holiday,\n", encoding="utf-8"
    )
    results = score(cohort, tmp_path / "out", assess=sample.make_assess())
    again = mdanderson.Results.from_folder(tmp_path / "out")
    assert again.events == {key: tuple(its) for key, its in results.events.items()}
    assert [(event.date.isoformat(), str(event.kind), event.site) for event in again.events["P01"]] == [
        ("2024-02-03", "radiotherapy", "T12"),
        ("2024-03-01", "holiday", ""),
    ]
    assert list(again.events) == ["P01"]
    for damage in ({"P01": 3}, [], {"P01": [{"date": "soon", "event": "x", "site": ""}]}):
        assert events_in(damage) == {}


def test_pictures_of_the_images_alone_are_the_others_until_a_reader_speaks(tmp_path: Path) -> None:
    store, one = Store.within(tmp_path), stored()
    store.write(one)
    assert store.unread_pictures(one) == one.pictures
    alone = (dataclasses.replace(one.pictures[0], lesion_id="L09"),)
    spoken = stored(unread={"lesions": (("a",),)}, unread_pictures=alone)
    store.write(spoken)
    assert store.read("P01") == dataclasses.replace(spoken, pictures=(), unread_pictures=())
    assert (store.pictures(spoken), store.unread_pictures(spoken)) == (one.pictures, alone)
    store.write(one)
    assert not list(store.folder.glob("*.unread.json"))
