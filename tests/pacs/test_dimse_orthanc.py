"""The classic DICOM network with a real PACS; the round trip, by both ways, stands in `test_orthanc`."""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path

import pytest
import requests
from orthanc import AET
from pydicom import dcmread
from pydicom.uid import RLELossless
from soup import series, throw

import mdanderson as mda
from mdanderson.cli import main
from mdanderson.errors import ServerError
from mdanderson.pacs import Server, Wanted, fetch, store

P1 = [Wanted(patient_id="P1")]


def files_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.dcm"))


def test_it_gives_what_dicomweb_gives_and_goes_on_where_that_was(orthanc, tmp_path, caplog):
    """One folder for both ways: names, filters and what is kept are the same. Nothing of it is logged."""
    caplog.set_level(logging.DEBUG)
    lots = series(), series("MR", number=3), series(patient="P10"), series(day="20240405", number=2)
    throw(tmp_path / "in", *lots, folders=0)
    orthanc.put(sorted((tmp_path / "in").iterdir()))
    caplog.clear()
    for day, modality, images in ((None, "CT", 12), ("20240405", "CT", 6), (None, "MR", lots[1])):
        wanted = [Wanted(patient_id="P1", **days(day))]
        count = images if isinstance(images, int) else len(images)
        for number, url in enumerate((orthanc.dicom, orthanc.url)):
            folder = tmp_path / f"{day}{modality}"
            standing = fetch(Server.at(url), wanted, folder, modalities=(modality,)).standing
            assert (standing.images, standing.kept) == ((count, 0) if number == 0 else (0, count))
    assert "1.2.826" not in caplog.text
    volume = mda.read_volume(next((tmp_path / "NoneMR").glob("*/*")))
    throw(tmp_path / "mr", lots[1], folders=0)
    assert (volume.array == mda.read_volume(tmp_path / "mr").array).all()


def days(text: str | None) -> dict[str, object]:
    import datetime as dt

    if text is None:
        return {}
    day = dt.datetime.strptime(text, "%Y%m%d").date()
    return {"since": day, "until": day}


def test_compressed_images_come_as_they_are_stored(orthanc, tmp_path):
    squeezed, plain = series(planes=2), series(planes=2, number=2)
    for one in squeezed:
        one.compress(RLELossless)
    throw(tmp_path / "in", squeezed, plain, folders=0)
    orthanc.put(sorted((tmp_path / "in").iterdir()))
    fetch(Server.at(orthanc.dicom), P1, tmp_path / "o", modalities=("CT",))
    sent = {one.SOPInstanceUID: one for one in (*squeezed, *plain)}
    came = [dcmread(path) for path in files_below(tmp_path / "o")]
    assert len(came) == 4
    for one in came:
        assert one.file_meta.TransferSyntaxUID == sent[one.SOPInstanceUID].file_meta.TransferSyntaxUID
        assert one.PixelData == sent[one.SOPInstanceUID].PixelData


def test_a_compressed_object_is_stored_as_it_is(orthanc, tmp_path):
    one = series(planes=1)[0]
    one.compress(RLELossless)
    one.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (tmp_path / "b.dcm").write_text("nothing")
    stored = store(orthanc.dicom, [tmp_path / "a.dcm", tmp_path / "b.dcm"])
    assert [path.name for path in stored.stored] == ["a.dcm"]
    assert [problem.where for problem in stored.problems] == ["b.dcm"]
    (name,) = requests.get(f"{orthanc.root}/instances", auth=orthanc.auth, timeout=10).json()
    raw = requests.get(f"{orthanc.root}/instances/{name}/file", auth=orthanc.auth, timeout=10).content
    assert dcmread(BytesIO(raw)).file_meta.TransferSyntaxUID == RLELossless


def test_a_wrong_ae_title_is_one_line(orthanc, wanted_list, tmp_path, capsys):
    url = orthanc.dicom.replace(AET, "SOMEBODY")
    assert main(["fetch", "--from", url, "--patients", str(wanted_list("P1")), "-o", str(tmp_path / "o")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("mdanderson: the server is not called so @ 127.0.0.1:")
    assert len(told.splitlines()) == 1


def test_no_server_is_one_line(tmp_path):
    from orthanc import free_port

    waits: list[float] = []
    with pytest.raises(ServerError, match="the server does not answer"):
        fetch(
            Server.at(f"dicom://X@127.0.0.1:{free_port()}"), P1, tmp_path / "o", modalities=("CT",), sleep=waits.append
        )
    assert len(waits) == 3
