"""Where readers differ, who wins, and a second reading that does not know the first."""

from __future__ import annotations

import json
from unittest import mock

import pytest
from batch import sample
from review.review_client import EVIL, key_of, page_of, post, state

import mdanderson as mda
from mdanderson.batch.again import rescore
from mdanderson.errors import ManifestError, OutputError
from mdanderson.review import review
from mdanderson.review.adjudication import disputes
from mdanderson.review.blinded import _worded, cases
from mdanderson.review.entries import append_entry
from mdanderson.review.reviewed_folder import ReviewedFolder

PAGE = page_of("P01")
FOLLOW_UP = "L1 · CT · week 12"
ENTRY = {"patient_id": "P01", "date": "2024-04-02", "modality": "CT", "lesion_id": "L1", "comment": "seen"}


def said(out, reader: str, findings: str, **more: str) -> None:
    append_entry(out, ENTRY | {"reader": reader, "findings": findings} | more)


def open_ones(out) -> list[tuple[str, str, list[str]]]:
    found = [one for one in disputes(ReviewedFolder.of_folder(out)) if one.is_open]
    return [(one.patient_id, one.item.lesion_id, [side.reader for side in one.positions]) for one in found]


def category(out, *, lesion: bool = False) -> str:
    results = mda.Results.from_folder(out)
    frame = results.lesions if lesion else results.responses
    rows = frame[(frame.patient_id == "P01") & (frame.visit == "week 12")]
    rows = rows[rows.lesion_id == "L1"] if lesion else rows[rows.scope == "overall"]
    return str(rows.category.item())


def test_readers_who_agree_or_speak_of_other_things_have_no_dispute(bare):
    assert open_ones(bare) == []
    said(bare, "Smith", "SD3", comment="alike")
    said(bare, "Jones", "SD3", comment="in other words")
    said(bare, "Jones", "SD3", lesion_id="L2")
    assert open_ones(bare) == []


def test_two_readers_or_a_reader_and_the_computation(bare):
    said(bare, "Smith", "PR1")
    said(bare, "Jones", "SD3")
    assert open_ones(bare) == [("P01", "L1", ["Jones", "Smith"])]
    said(bare, "Jones", "PR1", comment="on second thoughts")
    assert open_ones(bare) == []
    rescore(bare, {"P01"})
    assert open_ones(bare) == [("P01", "L1", ["Jones", "Smith", ""])]


@pytest.mark.parametrize(
    "field", [{"measurable": "false"}, {"target": "true"}, {"lesion_type": "mixed"}, {"soft_tissue_mm": "9"}]
)
def test_what_decides_is_compared(bare, field):
    said(bare, "Smith", "")
    said(bare, "Jones", "", **field)
    assert len(open_ones(bare)) == 1


def test_what_is_settled_wins_whoever_speaks_later_and_only_settling_again_supersedes_it(bare):
    """The last reader counts until somebody settles it; a reader who speaks afterwards opens the matter, no more."""
    said(bare, "Smith", "PR1")
    said(bare, "Jones", "SD1")
    rescore(bare, {"P01"})
    assert category(bare) == "SD"
    said(bare, "Chen", "PR1", adjudicates="true")
    rescore(bare, {"P01"})
    assert (category(bare), category(bare, lesion=True), open_ones(bare)) == ("PR", "PR", [])
    said(bare, "Jones", "SD1", comment="no, I mean it")
    rescore(bare, {"P01"})
    assert category(bare) == "PR"
    assert open_ones(bare) == [("P01", "L1", ["Jones", "Smith", ""])]
    said(bare, "Chen", "SD1", adjudicates="true")
    rescore(bare, {"P01"})
    assert (category(bare), open_ones(bare)) == ("SD", [])


def test_an_adjudicator_is_no_third_reader(bare):
    said(bare, "Smith", "PR1")
    said(bare, "Jones", "SD1")
    said(bare, "Chen", "PR1", adjudicates="true")
    results = rescore(bare, {"P01"})
    assert [one.names for one in results.agreements] == [("Jones", "Smith")]


def test_what_is_settled_on_the_page_is_kept_as_such(client, out):
    said(out, "Smith", "PR1")
    said(out, "Jones", "SD1", comment="<b>no</b>")
    page = client.get("/adjudication").text
    assert "&lt;b&gt;no&lt;/b&gt;" in page
    assert page.count('class="take"') == 2
    key = key_of(client, PAGE, FOLLOW_UP)
    assert f'data-item="{key}"' in page
    assert post(client, "/review/settle", page=PAGE, item=key, findings="PR1", comment="both saw it").status_code == 200
    (one,) = disputes(ReviewedFolder.of_folder(out))
    assert one.settled is not None
    assert (one.settled.reader, one.settled.comment, one.is_open) == ("Smith", "both saw it", False)
    assert "settled" in client.get("/adjudication").text


class TestBlinded:
    @pytest.fixture
    def blind(self, serving, out):
        said(out, "Smith", "PR1", comment="the first reader")
        with mock.patch("mdanderson.batch.pages._figures", return_value=iter(())):
            rescore(out, {"P01"})
        client = serving(reader="Jones", blinded=True)
        assert client.get(f"/?token={client.policy.token}").status_code == 303
        return client

    def case_of(self, out, patient_id: str) -> str:
        order = cases(ReviewedFolder.of_folder(out).patient_ids, "Jones")
        return f"case-{order.index(patient_id) + 1}"

    def test_nothing_that_was_computed_or_stated_is_told(self, blind, out):
        case = self.case_of(out, "P01")
        told = state(blind, case)
        texts = [blind.get("/").text, blind.get(f"/case/{case[5:]}").text, str(told)]
        for text in texts:
            for secret in ("P01", "2024", "week 12", "Smith", "the first reader", "reads.csv row", EVIL):
                assert secret not in text.replace("2024.", "")
            assert 'class="chip' not in text.partition("<script>")[0].partition("</style>")[2]
        assert "32.0" in texts[1]  # what can be measured on the picture stays
        assert told["items"][key_of(blind, case, "L1 · CT · visit 2")]["shown"] == ["", ""]

    @pytest.mark.parametrize(
        "path", ["/report/index.html", f"/report/patients/{PAGE}", "/adjudication", "/case/0", "/case/3"]
    )
    def test_the_pages_that_tell_are_not_there(self, blind, path):
        assert blind.get(path).status_code == 404
        assert blind.get(f"/review/state?page={PAGE}").status_code == 404
        assert post(blind, "/review/settle", page="case-1").status_code == 404
        assert post(blind, "/review/rescore", page="case-1").status_code == 404

    def test_an_entry_is_kept_under_its_readers_name_and_nothing_is_scored(self, blind, out):
        case = self.case_of(out, "P01")
        key = key_of(blind, case, "L1 · CT · visit 2")
        answer = post(blind, page=case, item=key, findings="SD3", comment="no change", reader="Smith")
        assert answer.status_code == 200
        assert blind.rescorer.asked == []
        own = state(blind, case)
        assert own["items"][key]["fields"]["findings"] == "SD3"
        assert own["history"].count("<li") == 1
        assert "1 of 4" in blind.get("/").text
        reviewed = ReviewedFolder.of_folder(out)
        assert [one.statement.reader for one in reviewed.statements_on("P01")] == ["Smith", "Jones"]
        assert reviewed.waiting() == ("P01",)
        assert open_ones(out) == [("P01", "L1", ["Jones", "Smith", ""])]

    def test_case_and_visits_are_called_so_in_both_languages(self, blind, out):
        case = self.case_of(out, "P01")
        page = blind.get(f"/case/{case[5:]}").text
        both = '<span class="say"><span lang="en">{}</span><span lang="zh">{}</span></span>'
        assert f"<h1>{both.format('Case ' + case[5:], '病例 ' + case[5:])}</h1>" in page
        assert f"<title>Case {case[5:]} · mdanderson</title>" in page
        assert f'<th scope="col">{both.format("visit 2", "第 2 次随访")}' in page
        assert "0001-01-0" not in page
        titles = [told["titles"] for told in state(blind, case)["items"].values()]
        assert ["L1 · CT · visit 2", "L1 · CT · 第 2 次随访"] in titles
        assert blind.get("/index.html").headers["location"] == "/"

    def test_a_picture_is_read_aloud_in_the_language_of_the_page(self):
        page = (
            '<title>%s</title><svg aria-label="of %s" data-aria-label-en="of %s" data-aria-label-zh="of %s"><b>%s</b>'
        )
        assert _worded(page.replace("%s", "0001-01-01"), {"0001-01-01": ("a <b>", "甲")}) == (
            '<title>a &lt;b&gt;</title><svg aria-label="of a &lt;b&gt;" data-aria-label-en="of a &lt;b&gt;" '
            'data-aria-label-zh="of 甲"><b><span class="say"><span lang="en">a &lt;b&gt;</span>'
            '<span lang="zh">甲</span></span></b>'
        )

    def test_the_order_is_each_readers_own_and_stays(self):
        names = [f"P{number:02d}" for number in range(30)]
        assert cases(names, "Jones") == cases(list(reversed(names)), "Jones")
        assert sorted(cases(names, "Jones")) == names
        assert len({cases(names, reader) for reader in ("Jones", "Smith", "Chen")} | {tuple(names)}) == 4


class TestBlindedOfOthers:
    """What another reader said is nowhere in a blinded reading, be it scored or not."""

    NEW = "a lesion that only Smith saw"

    @pytest.fixture
    def blind(self, serving, out):
        said(out, "Smith", "", lesion_id="N1", new="true", comment=self.NEW)
        said(out, "Smith", "", lesion_id="L2", measurable="false", lesion_type="mixed", date="2024-01-05")
        said(out, "Chen", "CR1", lesion_id="L1", adjudicates="true")
        with mock.patch("mdanderson.batch.pages._figures", return_value=iter(())):
            rescore(out, {"P01"})
        assert "N1" in set(mda.Results.from_folder(out).lesions.lesion_id)
        client = serving(reader="Jones", blinded=True)
        assert client.get(f"/?token={client.policy.token}").status_code == 303
        return client

    def case_of(self, out, reader: str = "Jones") -> str:
        return f"case-{cases(ReviewedFolder.of_folder(out).patient_ids, reader).index('P01') + 1}"

    def test_what_is_seen_is_what_was_seen_before_anybody_spoke(self, blind, out):
        case = self.case_of(out)
        now = [blind.get("/").text, blind.get(f"/case/{case[5:]}").text, state(blind, case)]
        (out / "reads.csv").unlink()
        with mock.patch("mdanderson.batch.pages._figures", return_value=iter(())):
            rescore(out, {"P01"})
        assert now == [blind.get("/").text, blind.get(f"/case/{case[5:]}").text, state(blind, case)]
        assert 'data-lesion="N1"' not in now[1]
        assert {told["name"] for told in now[2]["items"].values()} == {"N1-Jones"}  # whatever name is taken

    def test_his_own_new_lesion_stays_in_his_form_and_no_row_number_is_told(self, blind, out):
        case = self.case_of(out)
        answer = post(
            blind, page=case, item=key_of(blind, case, "+ · CT · visit 2"), lesion_id="N1", comment="mine", new="true"
        )
        assert answer.json() == {"saved": ["Saved.", "已保存。"]}
        told = state(blind, case)
        assert told["items"][key_of(blind, case, "N1 · CT · visit 2")]["fields"]["new"] == "true"
        assert self.NEW not in str(told)
        assert "1 of 5" in blind.get("/").text

    def test_a_name_is_one_reader_however_it_is_typed(self, blind, out):
        said(out, "jones ", "SD3", comment="mine")
        said(out, "JONES", "PR1", comment="mine as well")
        with mock.patch("mdanderson.batch.pages._figures", return_value=iter(())):
            assert [one.statement.reader for one in ReviewedFolder.of_folder(out).statements_on("P01")][-2:] == [
                "jones",
                "jones",
            ]
        assert state(blind, self.case_of(out))["history"].count("<li") == 2
        assert ReviewedFolder.of_folder(out).entries_of("Jones") == 2

    def test_what_cannot_be_read_names_nobody(self, blind, out):
        (out / "reads.csv").write_text("patient_id,surname\nP01,Smith\n", encoding="utf-8")
        answer = blind.get("/")
        assert (answer.status_code, "Smith" in answer.text, "surname" in answer.text) == (500, False, False)
        assert "cannot be read now" in answer.text

    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (ManifestError("Smith said so", where="reads.csv row 3"), "the results cannot be read now"),
            (OutputError("the entry cannot be written", way_out="make room"), "make room"),
        ],
    )
    def test_why_an_entry_is_not_kept_names_nobody(self, blind, out, error, told):
        case = self.case_of(out)
        item = key_of(blind, case, "L1 · CT · visit 2")
        with mock.patch("mdanderson.review.app.append_entry", side_effect=error):
            answer = post(blind, page=case, item=item, comment="mine", findings="SD3")
        assert answer.status_code == 503
        assert told in answer.json()["what"]
        assert "Smith" not in answer.text

    def test_the_page_has_headings_of_its_own(self, blind, out):
        text = blind.get(f"/case/{self.case_of(out)[5:]}").text
        body = text.partition("<body>")[2].partition("<script>")[0]
        for word in ("Patient", "Cohort", "reason", ">category<"):
            assert word not in body.partition("<aside")[0]
        assert "look for new lesions in the whole images" in body


def test_a_readers_table_shows_a_blinded_reader_no_size_that_another_measured(tmp_path):
    rows = "P01,{visit},{date},CT,L1,{size},{size},{reader}\n"
    (tmp_path / "table.csv").write_text(
        "patient_id,visit,date,modality,lesion_id,long_axis_mm,short_axis_mm,reader\n"
        + rows.format(visit="one", date="2024-01-05", size=31, reader="Smith")
        + rows.format(visit="one", date="2024-01-05", size=33, reader="Jones")
        + rows.format(visit="two", date="2024-04-02", size=17, reader="Smith")
        + rows.format(visit="two", date="2024-04-02", size=35, reader="Jones"),
        encoding="utf-8",
    )
    mda.classify(tmp_path / "table.csv", tmp_path / "out", criteria=("mda2010",))
    patient = ReviewedFolder.of_folder(tmp_path / "out").review_of("P01", alone="Jones")
    assert [item.row["long_axis_mm"] for item in patient.items if item.lesion_id] == ["33.00", "35.00"]


def test_a_lesion_that_one_reader_alone_made_is_a_dispute_with_the_computation(bare):
    said(bare, "Smith", "", lesion_id="N1", new="true", comment="in the rib")
    for _ in range(2):  # before it is scored, and after
        (dispute,) = disputes(ReviewedFolder.of_folder(bare))
        assert dispute.is_open
        assert [(one.reader, one.denies) for one in dispute.positions] == [("Smith", False), ("", True)]
        rescore(bare, {"P01"})
    assert category(bare) == "PD"
    said(bare, "Chen", "", lesion_id="N1", comment="an artefact", adjudicates="true")
    rescore(bare, {"P01"})
    assert (category(bare), open_ones(bare)) == ("SD", [])
    said(bare, "Smith", "", lesion_id="N1", comment="I am not sure any more")
    assert [one.is_open for one in disputes(ReviewedFolder.of_folder(bare))] == [False]


def test_a_new_lesion_that_its_reader_withdrew_is_no_dispute(bare):
    said(bare, "Smith", "", lesion_id="N1", new="true")
    said(bare, "Smith", "", lesion_id="N1", comment="withdrawn")
    assert open_ones(bare) == []


def test_the_page_of_adjudication_says_that_there_is_no_such_lesion(client, out):
    said(out, "Smith", "", lesion_id="N1", new="true")
    assert "no such lesion" in client.get("/adjudication").text


def test_the_readers_own_table_is_read_as_it_is_now(tmp_path):
    """It lies beside the manifest, and its reader goes on while the review does."""
    kept = tmp_path / "out" / ".measurements"
    (tmp_path / "table.csv").write_text(
        "patient_id,visit,date,modality,lesion_id,long_axis_mm,short_axis_mm\n"
        "P01,one,2024-01-05,CT,L1,31,20\nP01,two,2024-04-02,CT,L1,30,20\n",
        encoding="utf-8",
    )
    reads = tmp_path / "reads.csv"
    header = "patient_id,date,modality,lesion_id,findings,reader\n"
    reads.write_text(header + "P01,2024-04-02,CT,L1,SD3,Smith\n", encoding="utf-8")
    mda.classify(tmp_path / "table.csv", tmp_path / "out", criteria=("mda2010",))
    reviewed = ReviewedFolder.of_folder(tmp_path / "out")
    assert reviewed.given == kept / "reads.csv"
    assert len(reviewed.statements_on("P01")) == 1
    text = (kept / "reads.csv").read_text(encoding="utf-8")
    (kept / "reads.csv").write_text(text + text.splitlines()[1].replace("Smith", "Jones") + "\n", encoding="utf-8")
    assert [one.statement.reader for one in reviewed.statements_on("P01")] == ["Smith", "Jones"]
    (kept / "reads.csv").unlink()
    with pytest.raises(mda.MdandersonError, match="the readers' table cannot be read"):
        reviewed.statements_on("P01")


def test_results_that_cannot_tell_what_readers_said_are_not_read_blinded(tmp_path):
    folder, out = tmp_path / "cohort", tmp_path / "results"
    folder.mkdir()
    sample.run(sample.make_cohort(folder, 1), out)
    ReviewedFolder.of_folder(out).check_can_leave_statements_out()
    record = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps(record | {"program": "another"}))
    with pytest.raises(OutputError, match="made by another version"):
        review(out, reader="Jones", blinded=True, browser=False, port=0)
