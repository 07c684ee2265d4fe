"""Pseudonyms: keyed, repeatable, in every output; a weak key, true names in the folder, a key among them: refused."""

from __future__ import annotations

import csv
import re
import stat
from pathlib import Path

import pytest

from mdanderson.cli import main
from mdanderson.errors import InputError, OutputError
from mdanderson.readers.pseudonyms import Pseudonyms, write_new_key

KEY = bytes(range(32))
MEASURED = (
    "patient_id,date,visit,lesion_id,long_axis_mm,short_axis_mm\n"
    "Miller,2024-01-05,baseline,L1,20,10\nMiller,2024-04-05,v2,L1,8,6\nMeier,2024-01-05,baseline,L1,20,10\n"
)
BESIDE = {
    "patients.csv": "patient_id,treatment_start,arm\nMiller,2024-01-06,A\nStranger,2024-01-06,B\n",
    "events.csv": "patient_id,date,event\nMiller,2024-02-01,radiotherapy\nStranger,2024-02-01,fracture\n",
    "reads.csv": "patient_id,date,modality,lesion_id,reader,target\nMiller,2024-01-05,CT,L1,R1,true\n"
    "Miller,2024-01-99,CT,L1,R1,true\nStranger,2024-01-05,CT,L1,R1,true\n",
}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "study.key"
    path.write_bytes(b"0123456789abcdefghijklmnopqrstuv\n")
    return path


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    for name, text in BESIDE.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "measurements.csv").write_text(MEASURED, encoding="utf-8")
    return folder / "measurements.csv"


def everything(folder: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_pseudonym_is_repeatable_and_depends_on_key_and_patient():
    names = Pseudonyms(key=KEY)
    assert names.of("P01") == "PSN-AOPZCTEET4XR2GZ6"  # HMAC-SHA256 by openssl, in base 32
    assert names.of("P01") == Pseudonyms(key=KEY).of("P01")
    assert names.of("P02") != names.of("P01") != Pseudonyms(key=KEY[::-1]).of("P01")
    assert len({names.of(str(number)) for number in range(2000)}) == 2000


def test_the_key_is_not_shown():
    assert "key" not in repr(Pseudonyms(key=KEY))


@pytest.mark.parametrize("key", [b"", KEY[:31], b"a" * 32, b"abcdefg" * 10])
def test_a_key_that_could_be_guessed_is_refused(key):
    with pytest.raises(InputError, match="fewer than 32 random bytes") as caught:
        Pseudonyms(key=key)
    assert "mdanderson key" in caught.value.way_out


@pytest.mark.parametrize("key", [KEY, bytes(b"abcdefgh" * 4)])
def test_a_key_of_enough_bytes_is_taken(key):
    assert Pseudonyms(key=key).of("P01").startswith("PSN-")


def test_a_key_is_made_once_and_for_its_owner(tmp_path, capsys):
    path = tmp_path / "new.key"
    assert main(["key", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}\n", path.read_text())
    first = Pseudonyms.from_file(path).of("P01")
    assert main(["key", str(path)]) == 2
    assert "there already" in capsys.readouterr().err
    assert Pseudonyms.from_file(path).of("P01") == first
    with pytest.raises(OutputError):
        write_new_key(tmp_path / "nowhere" / "new.key")


def test_classify_tells_no_true_name(measured, key, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["classify", str(measured), "-o", str(out), "--pseudonymize", str(key), "--lesions"]
    assert main(arguments) in {0, 1}
    told = capsys.readouterr()
    names = Pseudonyms.from_file(key)
    for text in (told.out, told.err, everything(out)):
        assert not re.search("Miller|Meier|Stranger", text)
    with (out / "responses.csv").open(newline="") as file:
        assert {row["patient_id"] for row in csv.DictReader(file)} == {names.of("Miller"), names.of("Meier")}
    assert names.of("Stranger") in (out / "problems.csv").read_text()
    before = (out / "responses.csv").read_bytes()
    assert main(arguments) in {0, 1}
    assert (out / "responses.csv").read_bytes() == before


def test_classify_judges_the_same_under_other_names(measured, key, tmp_path):
    assert main(["classify", str(measured), "-o", str(tmp_path / "plain"), "-q"]) in {0, 1}
    assert main(["classify", str(measured), "-o", str(tmp_path / "out"), "-q", "--pseudonymize", str(key)]) in {0, 1}
    names = Pseudonyms.from_file(key)
    plain = (tmp_path / "plain" / "patients.csv").read_text().splitlines()
    renamed = [line.replace("Miller", names.of("Miller")).replace("Meier", names.of("Meier")) for line in plain]
    assert sorted(renamed) == sorted((tmp_path / "out" / "patients.csv").read_text().splitlines())


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two patients whose one image cannot be read; one file is called like its patient."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    (folder / "miller_ct.nii").write_bytes(b"no image")
    (folder / "b.nii").write_bytes(b"no image")
    for name, text in BESIDE.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "cohort.csv").write_text(
        "patient_id,image,date,modality\nMiller,miller_ct.nii,2024-01-05,CT\nMeier,b.nii,2024-01-05,CT\n"
    )
    return folder / "cohort.csv"


def test_score_tells_no_true_name_but_of_files(images, key, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["score", str(images), "-o", str(out), "--pseudonymize", str(key)]) == 2  # nobody can be scored
    told = capsys.readouterr()
    names = Pseudonyms.from_file(key)
    for text in (told.out, told.err, everything(out)):
        assert not re.search("Miller|Meier|Stranger", text)
    with (out / "problems.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    warned = [row for row in rows if "called like the patient" in row["what"]]
    assert [(row["patient_id"], row["where"]) for row in warned] == [
        (names.of("Miller"), "cohort.csv row 2 column image")
    ]


def test_results_under_true_names_are_not_mixed(images, measured, key, tmp_path, capsys):
    out, tables = tmp_path / "out", tmp_path / "tables_out"
    main(["score", str(images), "-o", str(out), "-q"])
    main(["classify", str(measured), "-o", str(tables), "-q"])
    capsys.readouterr()
    assert main(["score", str(images), "-o", str(out), "--pseudonymize", str(key)]) == 2
    assert "own names are there already" in capsys.readouterr().err
    assert main(["classify", str(measured), "-o", str(tables), "--pseudonymize", str(key)]) == 2
    assert "own names are there already" in capsys.readouterr().err


def test_a_rerun_that_forgets_the_key_writes_no_true_name(images, measured, key, tmp_path, capsys):
    out, tables = tmp_path / "out", tmp_path / "tables_out"
    for arguments in (["score", str(images), "-o", str(out)], ["classify", str(measured), "-o", str(tables)]):
        main([*arguments, "-q", "--pseudonymize", str(key)])
        capsys.readouterr()
        assert main(arguments) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert "the results there are under pseudonyms @ " in told.err
        assert "give the key (--pseudonymize)" in told.err
    for folder in (out, tables):
        assert not re.search("Miller|Meier|Stranger", everything(folder))


@pytest.mark.parametrize("content", [b"short\n", None])
def test_a_bad_key_file_is_one_line(content, measured, tmp_path, capsys):
    key = tmp_path / "bad.key"
    if content is not None:
        key.write_bytes(content)
    assert main(["classify", str(measured), "-o", str(tmp_path / "out"), "--pseudonymize", str(key)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "mdanderson key" in told
    assert not (tmp_path / "out").exists()


def test_the_key_does_not_lie_among_the_results(measured, key, tmp_path, capsys):
    assert main(["classify", str(measured), "-o", str(tmp_path), "--pseudonymize", str(key)]) == 2
    assert "the key lies in the results folder" in capsys.readouterr().err
