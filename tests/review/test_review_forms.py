"""What a reader may state, what is refused, and what becomes of what comes in."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from review.review_client import EVIL, ORIGIN, key_of, page_of, post, state

from mdanderson import review
from mdanderson.batch.entered_reads import reviews_in
from mdanderson.batch.patient_rows import patient_rows
from mdanderson.errors import InputError, ManifestError, OutputError
from mdanderson.findings import Statement
from mdanderson.readers.reads import read_reads
from mdanderson.report.html import rendering
from mdanderson.report.texts import EN
from mdanderson.report.texts_review import REVIEW
from mdanderson.review.forms import FIELDS, FLAGS, WORDS, as_fields, entry_from
from mdanderson.review.items import Item, codes_for
from mdanderson.review.rescoring import Job, Stage
from mdanderson.review.reviewed_folder import ReviewedFolder
from mdanderson.review.state import state_of

PAGE = page_of("P01")
FOLLOW_UP = "L1 · CT · week 12"


def stated(out, patient_id: str = "P01") -> list[Statement]:
    statements, problems = read_reads(reviews_in(out), known={patient_id})
    assert problems == ()
    return list(statements[patient_id])


def test_everything_that_a_form_has_is_kept_as_it_was_meant(client, out):
    told = {
        "findings": "PR1;PR4",
        "target": "true",
        "node": "false",
        "lesion_type": "mixed",
        "soft_tissue_mm": "12.5",
        "site": "L3",
        "laterality": "left",
        "pain": "mechanical",
        "alignment": "deformity",
        "collapse": "<50",
        "posterolateral": "unilateral",
    }
    key = key_of(client, PAGE, FOLLOW_UP)
    answer = post(client, page=PAGE, item=key, comment="  rim,\n all round ", **told)
    assert answer.json() == {"row": 2, "saved": ["Saved, as row 2 of reads.csv.", "已保存：reads.csv 第 2 行。"]}
    (one,) = stated(out)
    assert (str(one.date), one.modality, one.lesion_id, one.reader) == ("2024-04-02", "CT", "L1", "Smith")
    assert (one.comment, one.adjudicates) == ("rim, all round", False)
    assert {name: text for name, text in as_fields(one).items() if text} == told
    assert client.rescorer.asked == ["P01"]
    told_now = state(client, PAGE)["items"][key]
    assert told_now["stated"]
    assert {name: text for name, text in told_now["fields"].items() if text} == told


@pytest.mark.parametrize(
    ("sent", "field", "what"),
    [
        ({"comment": ""}, "comment", "no reason is given"),
        ({"comment": " \n"}, "comment", "no reason is given"),
        ({"comment": "x" * 2001}, "comment", "2001 characters, more than 2000"),
        ({"comment": 7}, "comment", "not a text"),
        ({"findings": "PR1;CR9"}, "findings", "no criteria have a row CR9"),
        ({"findings": "PR1;PD1;SD3;CR1"}, "findings", "contradict each other"),
        ({"findings": ["PR1"]}, "findings", "not a text"),
        ({"lesion_type": "soft"}, "lesion_type", "unknown lesion_type soft"),
        ({"target": "perhaps"}, "target", "neither true nor false"),
        ({"soft_tissue_mm": "12 mm"}, "soft_tissue_mm", "more than a number"),
        ({"soft_tissue_mm": "-3"}, "soft_tissue_mm", "below zero"),
        ({"site": "x" * 201}, "site", "201 characters"),
        ({"lesion_id": "L2"}, "lesion_id", "it has no label here"),
        ({"item": "0123456789abcdef"}, "item", "no such lesion and visit"),
        ({"page": page_of(EVIL)}, "item", "no such lesion and visit"),
        ({"page": "../../etc/passwd"}, "item", "no such lesion and visit"),
    ],
)
def test_what_would_not_count_as_it_is_meant_is_refused_at_its_field(client, out, sent, field, what):
    told = {"page": PAGE, "item": key_of(client, PAGE, FOLLOW_UP), "comment": "seen"} | sent
    answer = post(client, **told)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert what in answer.json()["what"]
    assert not (out / "reads.csv").exists()
    assert client.rescorer.asked == []


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 60_000])
def test_what_is_no_form_is_refused(client, out, body):
    answer = client.post("/review/entry", content=body, headers={"Origin": ORIGIN, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["what"]) == (422, "not a form; load the page again")
    assert not (out / "reads.csv").exists()


def test_a_browser_cannot_choose_patient_day_reader_or_who_adjudicates(client, out):
    forged = {"patient_id": "P02", "date": "1999-01-01", "reader": "Jones", "time": "2099-01-01", "adjudicates": "true"}
    post(client, page=PAGE, item=key_of(client, PAGE, FOLLOW_UP), comment="seen", **forged)
    (one,) = stated(out)
    assert (str(one.date), one.reader, one.adjudicates, one.time[:4] < "2090") == ("2024-04-02", "Smith", False, True)


def test_where_the_server_knows_no_reader_the_form_has_to(serving, out):
    client = serving(reader="")
    client.get(f"/?token={client.policy.token}")
    key = key_of(client, PAGE, FOLLOW_UP)
    answer = post(client, page=PAGE, item=key, comment="seen")
    assert (answer.status_code, answer.json()["field"]) == (422, "reader")
    assert post(client, page=PAGE, item=key, comment="seen", reader="Jones").status_code == 200
    assert stated(out)[0].reader == "Jones"


def test_an_entry_is_superseded_by_a_later_one_and_stays(client, out):
    key = key_of(client, PAGE, FOLLOW_UP)
    for findings in ("PR1", "", "SD3"):
        assert post(client, page=PAGE, item=key, findings=findings, comment=f"now {findings}").status_code == 200
    assert [sorted(one.codes) for one in stated(out)] == [["PR1"], [], ["SD3"]]
    told = state(client, PAGE)
    assert told["items"][key]["fields"]["findings"] == "SD3"
    assert told["history"].count("<li") == 3
    assert told["history"].count("superseded</span>") == 2


def test_a_new_lesion_gets_a_name_that_is_free(client, out):
    key = key_of(client, PAGE, "+ · CT · week 12")
    assert state(client, PAGE)["items"][key]["name"] == "N1"
    answer = post(client, page=PAGE, item=key, comment="left iliac wing")
    assert (answer.status_code, answer.json()["field"]) == (422, "lesion_id")
    assert post(client, page=PAGE, item=key, lesion_id="N1", comment="left iliac wing").status_code == 200
    (one,) = stated(out)
    assert (one.lesion_id, one.new) == ("N1", True)
    assert state(client, PAGE)["items"][key]["name"] == "N2"


def test_nothing_is_compared_at_baseline_and_only_there_it_is_said_what_is_measurable(client):
    items = {told["titles"][0]: told for told in state(client, PAGE)["items"].values()}
    baseline, follow_up = items["L1 · CT · baseline"], items[FOLLOW_UP]
    assert (baseline["codes"], baseline["first"], baseline["baseline"]) == ([], True, True)
    assert [one["code"] for one in follow_up["codes"]][:3] == ["CR1", "CR2", "PR1"]
    assert not {"CR3", "CR4", "PR2", "PD4"} & {one["code"] for one in follow_up["codes"]}
    assert (follow_up["first"], follow_up["baseline"]) == (False, False)


def test_what_is_arithmetic_is_not_offered_where_the_size_counts(client, out):
    """P01's L1 has no verdict on it being measurable but the size that was measured; a reader cannot see 25 %."""
    item = ReviewedFolder.of_folder(out).review_of("P01").item(key_of(client, PAGE, FOLLOW_UP))
    offered = {
        measurable: [
            one.code for one in codes_for(replace(item, row={**item.row, "measurable": measurable}), "mda2010")
        ]
        for measurable in ("true", "false", "")
    }
    assert offered["true"] == ["CR1", "CR2", "PR1", "SD1"]
    assert offered["false"] == offered[""] == ["CR1", "CR2", "PR1", "PR4", "PD2", "SD1", "SD3"]


def test_what_came_in_with_names_and_comments_stays_text(client, out):
    page = page_of(EVIL)
    evil = "</script><script>alert(3)</script>"
    key = key_of(client, page, FOLLOW_UP)
    assert post(client, page=page, item=key, comment=evil, site=evil).status_code == 200
    assert stated(out, EVIL)[0].comment == evil
    told = state(client, page)
    for text in (client.get(f"/report/patients/{page}").text, told["history"], told["job"]):
        assert "<script>alert" not in text
        assert "<img" not in text
    assert "&lt;script&gt;alert(3)" in told["history"]
    assert "'=P" in (out / "reads.csv").read_text()


def test_a_file_that_cannot_be_read_is_told_and_no_entry_is_lost_in_it(client, out):
    key = key_of(client, PAGE, FOLLOW_UP)
    (out / "reads.csv").write_bytes(b"\xff\xfe\x00")
    answer = post(client, page=PAGE, item=key, comment="seen")
    assert answer.status_code == 422
    assert answer.json()["what"] == "not UTF-8 text; save it as CSV UTF-8"
    assert (out / "reads.csv").read_bytes() == b"\xff\xfe\x00"


def test_every_word_of_the_form_is_in_the_table_of_strings():
    for name in (*FLAGS, *WORDS, "findings", "soft_tissue_mm", "site", "laterality", "lesion_id"):
        assert f"review.{name}" in EN
    for name, words in WORDS.items():
        assert all(f"{name}.{word}" in EN for word in words)


def test_every_string_of_the_review_is_asked_for():
    """By its key, or as the name of a field or of a stage of scoring."""
    room = Path(review.__file__).parent
    sources = [*room.glob("*.py"), *room.glob("templates/*"), *Path(rendering.__file__).parent.glob("templates/*.j2")]
    asked = set(re.findall(r'"(review\.\w+)"', "".join(path.read_text(encoding="utf-8") for path in sources)))
    asked |= {f"review.{name}" for name in (*FIELDS, *Stage)}
    assert {key for key in REVIEW if key.startswith("review.")} - asked == set()


def test_statements_beside_the_table_are_told_and_prefilled(out):
    """A later entry supersedes them as a whole: so what they state has to stand in the form."""
    kept = out / ".measurements" / "reads.csv"
    kept.write_text("patient_id,date,modality,lesion_id,soft_tissue_mm,reader\nP01,2024-04-02,CT,L1,14,Jones\n")
    patient = ReviewedFolder.of_folder(out).review_of("P01")
    told = state_of(patient, criteria="mda2010", job=None, waiting=0)
    (item,) = (item for item in told["items"].values() if item["titles"][0] == "L1 · CT · week 12")
    assert item["stated"]
    assert item["fields"]["soft_tissue_mm"] == "14"
    assert "Jones" in told["history"]
    assert not any(said.entered for said in patient.statements)


def test_what_was_stated_and_what_is_shown_is_told_in_both_languages(client):
    key = key_of(client, page_of("P01"), "L1 · CT · week 12")
    fields = {"lesion_type": "blastic", "target": "false", "comment": "seen"}
    assert post(client, page=page_of("P01"), item=key, **fields).status_code == 200
    told = state(client, page_of("P01"))
    for words in ("blastic", "成骨性", "no", "否"):
        assert f">{words}</span>" in told["history"]
    assert told["items"][key]["shown"] == ["SD · SD2 · lytic · followed", "SD · SD2 · 溶骨性 · 已随访"]


def test_a_new_lesion_is_not_one_that_is_there(client, out):
    """What was stated of that one would be superseded."""
    items = state(client, page_of("P01"))["items"]
    (key,) = (key for key, item in items.items() if item["fresh"] and "week 12" in item["titles"][0])
    answer = post(client, page=page_of("P01"), item=key, lesion_id="L1", comment="named by mistake")
    assert (answer.status_code, answer.json()["field"]) == (422, "lesion_id")
    assert "lesion L1 is there already" in answer.json()["what"]
    assert post(client, page=page_of("P01"), item=key, lesion_id="N1", comment="a new one").status_code == 200


def drawn_as(lesion_id: str, label: str) -> Item:
    """A lesion at a visit, as an image has it."""
    row = {"label": label, "lesion_id": lesion_id}
    return Item(
        modality="CT",
        date="2024-04-02",
        visit="week 12",
        number=2,
        lesion_id=lesion_id,
        label=label,
        is_first=False,
        is_baseline=False,
        row=row,
    )


class TestIdentity:
    """L01 is label 1, L02 label 2, L03 was not segmented at this visit."""

    items = (drawn_as("L01", "1"), drawn_as("L02", "2"), drawn_as("L03", ""))

    def entry(self, item: Item, **sent: str) -> dict[str, str]:
        told = {"comment": "seen", **sent}
        return entry_from(told, item, patient_id="P01", reader="Smith", others=self.items)

    def test_an_entry_names_what_was_looked_at_by_its_label(self):
        """Whichever lesion a later entry calls it, the finding is of that place."""
        cells = self.entry(self.items[0], findings="PR1")
        assert (cells["lesion_id"], cells["label"]) == ("", "1")
        assert self.entry(self.items[2], findings="PR1")["lesion_id"] == "L03"

    def test_a_name_that_another_lesion_has_here_is_refused(self):
        with pytest.raises(InputError, match="lesion L02 is there already @ lesion_id; call that one another first"):
            self.entry(self.items[0], lesion_id="L02")

    def test_a_lesion_may_be_one_that_is_not_segmented_here(self):
        cells = self.entry(self.items[0], lesion_id="L03")
        assert (cells["lesion_id"], cells["label"]) == ("L03", "1")


@pytest.mark.parametrize("blank", ["\x00\x07", "\u200b \x00", "\n", "..."])
def test_a_reason_of_nothing_that_can_be_read_is_none(client, out, blank):
    key = key_of(client, page_of("P01"), "L1 · CT · week 12")
    answer = post(client, page=page_of("P01"), item=key, findings="PR1", comment=blank)
    assert (answer.status_code, answer.json()["field"]) == (422, "comment")
    assert not (out / "reads.csv").exists()


@pytest.mark.parametrize(("cells", "line"), [("\0", "reads.csv"), ("patient_id,patient_id\nP01,P01\n", "reads.csv")])
def test_statements_beside_the_table_that_cannot_be_read_are_not_left_out(out, cells, line):
    """A reader would take what is missing for never said."""
    (out / ".measurements" / "reads.csv").write_text(cells)
    with pytest.raises(ManifestError, match=line):
        ReviewedFolder.of_folder(out)


def test_statements_under_a_key_that_is_wrong_are_not_left_out(out, tmp_path):
    """The table beside a manifest has the names of patients, which are looked up by the key."""
    reads, key = tmp_path / "reads.csv", tmp_path / "key"
    reads.write_text("patient_id,date,modality,lesion_id,findings,reader\nP01,2024-04-02,CT,L1,PR1,Jones\n")
    key.write_text("short")
    record = json.loads((out / "run.json").read_text())
    record["inputs"]["reads"] = {"name": "reads.csv", "path": str(reads)}
    (out / "run.json").write_text(json.dumps(record))
    assert ReviewedFolder.of_folder(out).statements_on("P01")
    with pytest.raises(InputError, match="key"):
        ReviewedFolder.of_folder(out, key_file=key)


def test_an_entry_made_while_results_are_exchanged_waits_for_them(client, out):
    key = key_of(client, PAGE, FOLLOW_UP)
    client.rescorer._jobs[EVIL] = Job(stage=Stage.WRITING)
    away = OutputError("no results here", way_out="wait")
    answers = [away, away, patient_rows(out, "P01")]
    with mock.patch("mdanderson.review.reviewed_folder.patient_rows", side_effect=answers):
        assert post(client, page=PAGE, item=key, findings="PR1", comment="seen").status_code == 200
    client.rescorer._jobs.clear()
    with mock.patch("mdanderson.review.reviewed_folder.patient_rows", side_effect=[away]):  # nobody is at work
        assert post(client, page=PAGE, item=key, findings="PR1", comment="seen").status_code == 422


def test_again_is_for_who_failed_and_who_waits_and_each_counts_once(client, out):
    def again() -> int:
        return post(client, "/review/rescore", page=page_of("P01")).json()["patients"]

    assert again() == 0
    client.rescorer._jobs["P01"] = Job(stage=Stage.DONE)
    assert again() == 0
    client.rescorer._jobs["P01"] = Job(stage=Stage.FAILED)
    assert again() == 1
    key = key_of(client, PAGE, FOLLOW_UP)
    assert post(client, page=PAGE, item=key, findings="PR1", comment="seen").status_code == 200
    client.rescorer.asked.clear()
    assert again() == 1
    assert client.rescorer.asked == ["P01"]
