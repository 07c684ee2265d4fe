"""After an entry its patient is judged again, in another process; a failure is told and costs no entry."""

from __future__ import annotations

import csv
import html
import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import pytest
from batch import sample
from review.review_client import EVIL, page_of

from mdanderson.batch import again
from mdanderson.batch.again import rescore
from mdanderson.batch.lock import locked
from mdanderson.batch.store import STALE_PAGES
from mdanderson.batch.verify import verify
from mdanderson.errors import InputError, OutputError
from mdanderson.report.html import PatientResults, patient_page
from mdanderson.review.entries import append_entry
from mdanderson.review.rescoring import Rescorer, Stage
from mdanderson.review.reviewed_folder import ReviewedFolder
from mdanderson.review.snapshot import Snapshot
from mdanderson.review.state import state_of

ENTRY = {"date": "2024-04-02", "modality": "CT", "lesion_id": "L1", "reader": "Smith", "comment": "seen"}


def categories(out: Path, criteria: str = "mda2010") -> dict[str, str]:
    with (out / "responses.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["scope"] == "overall" and row["criteria"] == criteria]
    return {f"{row['patient_id']} {row['visit']}": row["category"] for row in rows}


def until(is_so: Callable[[], bool], *, within_s: float = 60) -> None:
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def finished(rescorer: Rescorer, patient_id: str, *, within_s: float = 60) -> Stage:
    until = time.monotonic() + within_s
    while not (job := rescorer.job(patient_id)) or not job.is_over:
        assert time.monotonic() < until, job
        time.sleep(0.05)
    return job.stage


def test_a_patient_of_a_readers_table_is_judged_again_and_told_what_changed(bare):
    reviewed = ReviewedFolder.of_folder(bare)
    assert categories(bare)["P01 week 12"] == "SD"
    append_entry(bare, ENTRY | {"patient_id": "P01", "findings": "PR1"})
    assert reviewed.waiting() == ("P01",)
    rescorer = Rescorer(folder=bare, snapshot_of=reviewed.snapshot)
    rescorer.submit("P01")
    assert finished(rescorer, "P01") is Stage.DONE
    assert categories(bare)["P01 week 12"] == "PR"
    assert reviewed.waiting() == ()
    told = state_of(reviewed.review_of("P01"), criteria="mda2010", job=rescorer.job("P01"), waiting=0)
    assert told["stage"] == "done"
    assert "week 12 · mda2010" in told["job"]
    assert "L1 · week 12 · CT" in told["job"]
    rescorer.close()
    record = json.loads((bare / "run.json").read_text())
    assert sorted(record["inputs"]) == ["measurements", "reviews"]
    assert [str(change) for change in verify(bare).changes] == []


def test_of_the_pages_those_that_are_concerned_are_written_anew(out):
    page, other = (out / "report" / "patients" / page_of(name) for name in ("P01", EVIL))
    before, stamp = page.read_bytes(), other.stat().st_mtime_ns
    append_entry(out, ENTRY | {"patient_id": "P01", "findings": "PR1"})
    with mock.patch("mdanderson.batch.pages._figures", return_value=iter(())):
        rescore(out, {"P01"})
    assert page.read_bytes() != before
    assert other.stat().st_mtime_ns == stamp


def test_what_cannot_be_scored_again_is_told_in_a_line_and_the_entry_stays(out):
    append_entry(out, ENTRY | {"patient_id": "P01", "findings": "PR1"})
    (out / ".measurements" / "measurements.csv").unlink()
    rescorer = Rescorer(folder=out, snapshot_of=ReviewedFolder.of_folder(out).snapshot)
    rescorer.submit("P01")
    assert finished(rescorer, "P01") is Stage.FAILED
    job = rescorer.job("P01")
    assert job is not None
    assert job.why == f"the results are not as a run wrote them @ {out}; run it again"
    assert "PR1" in (out / "reads.csv").read_text()
    assert categories(out)["P01 week 12"] == "SD"
    rescorer.close()


def test_entries_that_come_while_a_patient_is_scored_wait_and_are_scored_together(out, monkeypatch):
    """The process that scores is replaced by one that waits until all have come, and counts."""
    batches: list[list[str]] = []
    all_came = threading.Event()

    def slow(self: Rescorer, batch: list[str]) -> None:
        batches.append(batch)
        assert all_came.wait(60)  # so nobody who submits waits for it
        self._heard(batch, '{"told": "done", "failed": {"' + EVIL.replace('"', "") + '": "it failed"}}\n')

    monkeypatch.setattr(Rescorer, "_run", slow)
    rescorer = Rescorer(folder=out, snapshot_of=lambda _: Snapshot(categories={}, problems={}))
    rescorer.submit("P01")
    until(lambda: bool(batches))
    for name in ("P01", EVIL, EVIL):
        rescorer.submit(name)
    assert rescorer.at_work == 2
    all_came.set()
    assert (finished(rescorer, "P01"), finished(rescorer, EVIL)) == (Stage.DONE, Stage.FAILED)
    assert batches == [["P01"], ["P01", EVIL]]
    rescorer.close()


def test_a_process_that_dies_is_told(out, monkeypatch):
    from mdanderson.review import rescoring

    monkeypatch.setattr(rescoring, "_PROGRAM", "import os; print('{{bad'); os._exit(9) # {path}")
    rescorer = Rescorer(folder=out, snapshot_of=ReviewedFolder.of_folder(out).snapshot)
    rescorer.submit("P01")
    assert finished(rescorer, "P01") is Stage.FAILED
    assert rescorer.job("P01").why == "the process that scored it ended with code 9"  # type: ignore[union-attr]
    rescorer.close()


def test_closing_ends_the_process_and_takes_no_more(out, monkeypatch):
    from mdanderson.review import rescoring

    monkeypatch.setattr(rescoring, "_PROGRAM", "import time; time.sleep(100) # {path}")
    rescorer = Rescorer(folder=out, snapshot_of=lambda _: Snapshot(categories={}, problems={}))
    rescorer.submit("P01")
    until(lambda: rescorer._process is not None)
    began = time.monotonic()
    rescorer.close()
    assert time.monotonic() - began < 10
    assert rescorer.job("P01").stage is Stage.FAILED  # type: ignore[union-attr]
    rescorer.submit("P01")
    assert rescorer.job("P01").stage is Stage.FAILED  # type: ignore[union-attr]


class TestImages:
    """The same of a cohort of images, by the resume of `score`; the stand-in measures file sizes."""

    @pytest.fixture
    def results(self, tmp_path: Path) -> Path:
        folder = tmp_path / "cohort"
        folder.mkdir()
        sample.run(sample.make_cohort(folder), tmp_path / "results")
        return tmp_path / "results"

    @pytest.fixture
    def scored(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        calls: list[str] = []
        usual = again.score
        assess = sample.counting(calls)
        monkeypatch.setattr(again, "score", lambda *told, **given: usual(*told, **given, assess=assess))
        return calls

    def test_one_patient_is_scored_and_the_others_stay(self, results, scored, tmp_path):
        before = categories(results)
        append_entry(results, ENTRY | {"patient_id": "P02", "lesion_id": "L01", "findings": "SD1"})
        (tmp_path / "cohort" / "p3_0.nii").write_bytes(b"another")  # whose turn it is not
        assert ReviewedFolder.of_folder(results).waiting() == ("P02",)
        found = rescore(results, {"P02"})
        assert ReviewedFolder.of_folder(results).waiting() == ()
        assert set(scored) == {"P02"}
        assert len(found.scored) == 4
        assert {name for name, category in categories(results).items() if category != before[name]} <= {"P02 visit 1"}
        assert json.loads((results / "run.json").read_text())["inputs"]["reviews"]["name"] == "reads.csv"
        scored.clear()
        sample.run(tmp_path / "cohort" / "cohort.csv", results, assess=sample.counting(scored))
        assert set(scored) == {"P03"}  # a run takes the entry for done, and what changed for changed

    @pytest.mark.parametrize("viewer", [None, True, False])
    def test_a_patient_scored_again_is_shown_as_the_run_was_asked(self, tmp_path, monkeypatch, viewer):
        folder, out = tmp_path / "cohort", tmp_path / "results"
        folder.mkdir()
        sample.run(sample.make_cohort(folder), out, viewer=viewer)
        asked: list[bool | None] = []
        monkeypatch.setattr(again, "score", lambda *_, **given: asked.append(given["viewer"]))
        rescore(out, {"P02"})
        assert asked == [viewer]

    def test_an_entry_made_while_its_images_are_measured_waits(self, results, tmp_path):
        count = sample.counting([])

        def entering(*args: object, **named: object) -> object:
            append_entry(results, ENTRY | {"patient_id": "P02", "lesion_id": "L01", "reader": "Jones"})
            return count(*args, **named)

        append_entry(results, ENTRY | {"patient_id": "P02", "lesion_id": "L01", "findings": "SD1"})
        sample.run(tmp_path / "cohort" / "cohort.csv", results, assess=entering)
        assert ReviewedFolder.of_folder(results).waiting() == ("P02",)
        sample.run(tmp_path / "cohort" / "cohort.csv", results, assess=count)
        assert ReviewedFolder.of_folder(results).waiting() == ()

    def test_entries_left_before_are_read_by_a_later_run_too(self, results, tmp_path):
        append_entry(results, ENTRY | {"patient_id": "P02", "lesion_id": "L01", "findings": "SD1"})
        calls: list[str] = []
        sample.run(tmp_path / "cohort" / "cohort.csv", results, assess=sample.counting(calls))
        assert set(calls) == {"P02"}

    @pytest.mark.parametrize(
        ("spoil", "what"),
        [
            (
                lambda record: record | {"program": "another"},
                "the results were made by another version of the program; run `score` on this folder again",
            ),
            (
                lambda record: record | {"patients": {"P01": {}}},
                "the manifest has other patients than the results @ cohort.csv",
            ),
            (
                lambda record: record | {"patients": {"PSN-AAAA": {}}},
                "the results are under pseudonyms; give the key: --pseudonymize KEYFILE",
            ),
        ],
    )
    def test_results_of_two_kinds_are_never_mixed(self, results, scored, spoil, what):
        record = json.loads((results / "run.json").read_text())
        (results / "run.json").write_text(json.dumps(spoil(record)))
        with pytest.raises(InputError) as caught:
            rescore(results, {"P02"})
        assert str(caught.value).startswith(what)
        assert scored == []

    def test_a_folder_without_a_finished_run_is_refused(self, results):
        (results / "run.json").write_text("{}")
        with pytest.raises(OutputError, match="not as a run wrote them"):
            rescore(results, {"P02"})
        with pytest.raises(OutputError, match="not as a run wrote them"):
            ReviewedFolder.of_folder(results)
        (results / "run.json").unlink()
        with pytest.raises(OutputError, match="no finished run here"):
            ReviewedFolder.of_folder(results)


def test_of_two_readers_at_once_the_second_waits_for_the_first(bare):
    """Each has a server of his own on the folder; neither is told that the other one writes."""
    free, held = threading.Event(), threading.Event()

    def other() -> None:
        with locked(bare):
            held.set()
            free.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert held.wait(10)
    threading.Timer(0.2, free.set).start()
    append_entry(bare, ENTRY | {"patient_id": "P01"})
    assert "P01" in rescore(bare, {"P01"}).scored
    assert free.is_set()
    thread.join()


def test_two_readers_who_save_at_once_are_scored_one_after_the_other(bare, monkeypatch):
    """Both find the folder free; writing is made slow, so that the second would meet the first at it."""
    classification = sys.modules["mdanderson.batch.classify"]  # the package has a function of that name
    write = classification._write
    writing: list[int] = []

    def slow(*args: object) -> None:
        writing.append(1)
        time.sleep(0.3)
        write(*args)

    monkeypatch.setattr(classification, "_write", slow)
    with ThreadPoolExecutor(2) as both:
        done = [both.submit(rescore, bare, {name}) for name in ("P01", "P02")]
        assert all("P01" in one.result(timeout=60).scored for one in done)
    assert len(writing) == 2


def test_an_entry_made_while_its_patient_is_scored_waits_for_the_next_time(bare, monkeypatch):
    """By another reader's server: it is later than what was read, and earlier than what is written."""
    classification = sys.modules["mdanderson.batch.classify"]
    judge = classification._judge

    def entering(*args: object, **named: object) -> object:
        append_entry(bare, ENTRY | {"patient_id": "P01", "findings": "CR1", "reader": "Jones"})
        return judge(*args, **named)

    append_entry(bare, ENTRY | {"patient_id": "P01", "findings": "PR1"})
    with monkeypatch.context() as patched:
        patched.setattr(classification, "_judge", entering)
        rescore(bare, {"P01"})
    assert ReviewedFolder.of_folder(bare).waiting() == ("P01",)
    rescore(bare, {"P01"})
    assert ReviewedFolder.of_folder(bare).waiting() == ()


def test_pages_that_a_killed_scoring_left_behind_are_written_anew(out, monkeypatch):
    """Tables are new, pages are old: the next review writes all of them, whoever is scored again in between."""

    def page(name: str) -> str:
        return (out / "report" / "patients" / page_of(name)).read_text(encoding="utf-8").partition("<script>")[0]

    assert not (out / STALE_PAGES).exists()
    append_entry(out, ENTRY | {"patient_id": "P01", "findings": "PR1"})
    with monkeypatch.context() as killed:
        killed.setattr(again, "write_pages", mock.Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rescore(out, {"P01"})
    assert categories(out)["P01 week 12"] == "PR"
    assert "by a reader; computed: SD" not in page("P01")
    assert (out / STALE_PAGES).exists()
    append_entry(out, ENTRY | {"patient_id": EVIL, "date": "2024-04-11", "findings": "PR1"})
    with mock.patch("mdanderson.batch.pages._figures", return_value=iter(())):
        rescore(out, {EVIL})
    assert "by a reader; computed: SD" in page("P01")
    assert not (out / STALE_PAGES).exists()


def test_a_category_that_a_reader_made_is_marked_beside_it_with_the_computed_one(bare):
    def page() -> str:
        rows = ReviewedFolder.of_folder(bare).review_of("P01").rows
        text = patient_page(PatientResults(patient_id="P01", criteria=("mda2010",), rows=rows))
        return text.partition("<body>")[2].partition("<script>")[0]

    mark, card = ("by a reader; computed: SD", "with a reader's word")
    assert (page().count(mark), card in html.unescape(page())) == (0, False)
    append_entry(bare, ENTRY | {"patient_id": "P01", "findings": "PR1"})
    rescore(bare, {"P01"})
    assert page().count(mark) >= 3  # timeline, its visit, and the lesion
    assert card in html.unescape(page())
