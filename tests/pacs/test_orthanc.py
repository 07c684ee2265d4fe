"""The round trip with a real PACS: store, query, fetch, index, score, store results, query them again."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import pytest
from orthanc import PASSWORD, USER
from pydicom import dcmread
from soup import drawn_on, series, throw

import mdanderson as mda
from mdanderson.cli import main
from mdanderson.pacs import Server, Wanted, fetch, store
from mdanderson.pacs.web import WebLink

DEMO = Path(__file__).parents[2] / "segmentations"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.dcm"))


def put_series(orthanc, folder: Path, *lots: object) -> None:
    throw(folder, *lots, folders=0)
    orthanc.put(sorted(folder.iterdir()))


@pytest.mark.slow
def test_round_trip(orthanc, wanted_list, tmp_path, capsys, monkeypatch):
    """A patient of the demo cohort goes in, is fetched and scored; SEG and SR go back, and are found again.

    Each step by the classic network and by DICOMweb in turn, as what one did the other must find.
    """
    orthanc.put(files_below(DEMO / "DEMO-DICOM"))
    put_series(orthanc, tmp_path / "other", series(patient="DEMO-DICOM-2"))
    study, wanted = tmp_path / "study", str(wanted_list("DEMO-DICOM", "NOBODY"))
    images = len(files_below(DEMO / "DEMO-DICOM"))
    for url, told_of in (
        (orthanc.dicom, f"{images} images fetched, 0 were here already"),
        (orthanc.url, f"0 images fetched, {images} were here already"),
    ):
        assert main(["fetch", "--from", url, "--patients", wanted, "-o", str(study)]) == 1
        told = capsys.readouterr()
        assert told_of in told.out
        assert "error: no image of this patient that is wanted @ NOBODY" in told.out
        assert [row["patient_id"] for row in rows_of(study / "fetch_problems.csv")] == ["NOBODY"]
        assert USER not in told.out + told.err
        assert PASSWORD not in told.out + told.err
    rows = rows_of(study / "cohort.csv")
    assert {row["patient_id"] for row in rows} == {"DEMO-DICOM"}
    assert main(["check", str(study / "cohort.csv"), "-q", "--timeout", "0"]) == 0
    results = mda.score(study / "cohort.csv", out=tmp_path / "results", report=False)
    truth = [row["category"] for row in rows_of(DEMO / "truth.csv") if row["patient_id"] == "DEMO-DICOM"]
    assert [row["category"] for row in results.overall()] == truth

    before = orthanc.count("instances")
    folders = {kind: tmp_path / kind for kind in ("dicom-seg", "dicom-sr")}
    wishes = [word for kind, folder in folders.items() for word in (f"--{kind}", str(folder))]
    for url in (orthanc.dicom, orthanc.url):  # once more is no fault, and nothing is there twice
        assert main(["export", str(tmp_path / "results"), *wishes, "--to", url]) == 0
        ours = [path for folder in folders.values() for path in files_below(folder)]
        assert orthanc.count("instances") == before + len(ours)
    patient = [Wanted(patient_id="DEMO-DICOM")]
    again = fetch(Server.at(orthanc.dicom), patient, study, modalities=("SEG", "SR"))
    assert (again.standing.images, again.problems) == (len(ours), [])
    once_more = fetch(Server.at(orthanc.url), patient, study, modalities=("SEG", "SR"))
    assert (once_more.standing.images, once_more.problems) == (0, [])
    uids = {dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID for path in files_below(study)}
    assert {dcmread(path).SOPInstanceUID for path in ours} <= uids
    found = mda.index(study, workers=1)
    kinds = {row.modality: row.reason for row in found.found.series if row.modality in {"SEG", "SR"}}
    assert {kind: "made from" in reason or "not used" in reason for kind, reason in kinds.items()} == {
        "SEG": True,
        "SR": True,
    }


class TestWhatIsFetched:
    def test_days_and_modalities(self, orthanc, tmp_path):
        january, april = series(), series(day="20240405", number=2)
        put_series(orthanc, tmp_path / "in", january, april, series("MR", number=3), drawn_on(april))
        server = Server.at(orthanc.url)

        def images(modalities: tuple[str, ...], **days: object) -> int:
            folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
            return fetch(server, [Wanted(patient_id="P1", **days)], folder, modalities=modalities).standing.images

        import datetime as dt

        day = dt.date(2024, 4, 5)
        assert images(("CT", "MR", "SEG")) == 19
        assert images(("CT",)) == 12
        assert images(("CT", "SEG"), since=day, until=day) == 7
        assert images(("CT",), until=day - dt.timedelta(days=1)) == 6

    def test_another_patient_who_is_called_alike_is_left_alone(self, orthanc, tmp_path):
        put_series(
            orthanc, tmp_path / "in", series(patient="P1"), series(patient="P10"), series(patient="p1", number=3)
        )
        fetched = fetch(Server.at(orthanc.url), [Wanted(patient_id="P1")], tmp_path / "out", modalities=("CT",))
        assert fetched.standing.images == 6

    def test_pixels_come_as_they_are(self, orthanc, tmp_path):
        ct = series()
        put_series(orthanc, tmp_path / "in", ct)
        fetch(Server.at(orthanc.url), [Wanted(patient_id="P1")], tmp_path / "out", modalities=("CT",))
        (folder,) = (tmp_path / "out").glob("*/*")
        assert (mda.read_volume(folder).array == mda.read_volume(tmp_path / "in").array).all()

    def test_no_name_of_a_path_was_sent(self, orthanc, tmp_path):
        put_series(orthanc, tmp_path / "in", series())
        fetch(Server.at(orthanc.url), [Wanted(patient_id="P1")], tmp_path / "out", modalities=("CT",))
        for path in (tmp_path / "out").rglob("*"):
            assert "P1" not in path.name
            assert "1.2.826" not in path.name


class TestWhatGoesWrong:
    def test_a_wrong_password_is_one_line(self, orthanc, wanted_list, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("MDANDERSON_PACS_PASSWORD", "wr0ng-word")
        assert (
            main(["fetch", "--from", orthanc.url, "--patients", str(wanted_list("P1")), "-o", str(tmp_path / "o")]) == 2
        )
        told = capsys.readouterr()
        assert "refuses the credentials (HTTP 401)" in told.err
        assert len(told.err.splitlines()) == 1
        assert "wr0ng-word" not in told.err + told.out

    def test_credentials_of_a_file(self, orthanc, tmp_path, monkeypatch):
        monkeypatch.delenv("MDANDERSON_PACS_USER")
        monkeypatch.delenv("MDANDERSON_PACS_PASSWORD")
        (tmp_path / "auth.toml").write_text(f'user = "{USER}"\npassword = "{PASSWORD}"\n')
        put_series(orthanc, tmp_path / "in", series())
        server = Server.at(orthanc.url, auth=tmp_path / "auth.toml")
        assert fetch(server, [Wanted(patient_id="P1")], tmp_path / "o", modalities=("CT",)).standing.images == 6

    def test_no_server_is_one_line(self, orthanc, wanted_list, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr("mdanderson.pacs.link._FIRST_WAIT_S", 0.01)
        orthanc.stop()
        assert (
            main(["fetch", "--from", orthanc.url, "--patients", str(wanted_list("P1")), "-o", str(tmp_path / "o")]) == 2
        )
        told = capsys.readouterr().err
        assert told.startswith("mdanderson: the server does not answer @ 127.0.0.1:")
        assert len(told.splitlines()) == 1
        assert store_fails(orthanc.url, tmp_path) == "the server does not answer"

    def test_another_address_on_it_is_one_line(self, orthanc, wanted_list, tmp_path, capsys):
        url = f"{orthanc.root}/nothing-here"
        assert main(["fetch", "--from", url, "--patients", str(wanted_list("P1")), "-o", str(tmp_path / "o")]) == 2
        assert "nothing is there (HTTP 404)" in capsys.readouterr().err

    def test_cut_in_the_middle_it_goes_on_where_it_was(self, orthanc, wanted_list, tmp_path, monkeypatch, capsys):
        """The server goes away after a few images; what is here is kept, and only the rest is fetched again."""
        put_series(orthanc, tmp_path / "in", series(), series(number=2, step_mm=1.0))
        monkeypatch.setattr("mdanderson.pacs.link._FIRST_WAIT_S", 0.01)
        asked, ask = [], WebLink.ask

        def counted(self, question):
            asked.append(question)
            if len(asked) == 8:
                orthanc.stop()
            return ask(self, question)

        monkeypatch.setattr(WebLink, "ask", counted)
        command = ["fetch", "--from", orthanc.url, "--patients", str(wanted_list("P1")), "-o", str(tmp_path / "o")]
        assert main(command) == 1
        told = capsys.readouterr()
        assert "run the same command again" in told.err
        here = files_below(tmp_path / "o")
        assert 0 < len(here) < 12
        assert not list((tmp_path / "o").rglob(".*"))  # nothing half written
        stamps = {path: path.stat().st_mtime_ns for path in here}
        monkeypatch.setattr(WebLink, "ask", ask)
        orthanc.start()
        assert main(command) == 0
        assert f"{12 - len(here)} images fetched, {len(here)} were here already" in capsys.readouterr().out
        assert {path: path.stat().st_mtime_ns for path in here} == stamps
        assert len(files_below(tmp_path / "o")) == 12

    def test_a_file_that_is_damaged_here_is_fetched_again(self, orthanc, tmp_path):
        put_series(orthanc, tmp_path / "in", series())
        server, wanted = Server.at(orthanc.url), [Wanted(patient_id="P1")]
        fetch(server, wanted, tmp_path / "o", modalities=("CT",))
        files_below(tmp_path / "o")[0].write_bytes(b"")
        again = fetch(server, wanted, tmp_path / "o", modalities=("CT",)).standing
        assert (again.images, again.kept) == (1, 5)

    def test_what_is_no_dicom_is_not_stored(self, orthanc, tmp_path):
        (tmp_path / "note.dcm").write_text("nothing")
        throw(tmp_path / "in", series(), folders=0)
        stored = store(orthanc.url, [tmp_path / "note.dcm", *sorted((tmp_path / "in").iterdir())])
        assert [problem.where for problem in stored.problems] == ["note.dcm"]
        assert len(stored.stored) == orthanc.count("instances") == 6

    def test_nothing_of_it_is_logged(self, orthanc, tmp_path, caplog):
        caplog.set_level(logging.DEBUG)
        put_series(orthanc, tmp_path / "in", series())
        caplog.clear()
        fetch(Server.at(orthanc.url), [Wanted(patient_id="P1")], tmp_path / "o", modalities=("CT",))
        assert "1.2.826" not in caplog.text
        assert "Authorization" not in caplog.text


def store_fails(url: str, folder: Path) -> str:
    throw(folder / "lone", series(planes=1), folders=0)
    with pytest.raises(mda.MdandersonError) as caught:
        store(url, sorted((folder / "lone").iterdir()))
    return caught.value.what
