"""REDCap: a dictionary that it takes, rows that fit the dictionary, and cells that come back as they were."""

from __future__ import annotations

import csv
import io
import re

import pytest
from exported import SETS, classified_in, wish

import mdanderson as mda
from mdanderson.errors import OutputError
from mdanderson.export import own_files
from mdanderson.export.own_files import write_own_files
from mdanderson.export.redcap import write_redcap
from mdanderson.export.redcap_fields import INSTRUMENTS
from mdanderson.report.cells import unguarded
from mdanderson.report.columns import LESIONS, PATIENTS, RESPONSES

HEADER = (
    *("Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label"),
    *("Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number"),
    *("Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)"),
    *("Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?"),
    "Field Annotation",
)
TYPES = {"text", "notes", "dropdown", "yesno"}
VALIDATIONS = {"", "date_ymd", "number", "integer"}
NAME, FORM, TYPE, LABEL = HEADER[0], HEADER[1], HEADER[3], HEADER[4]
CHOICES, VALIDATION = HEADER[5], HEADER[7]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return classified_in(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def folder(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("redcap")
    assert not write_redcap(wish(results, folder, "")).failed
    return folder


def read(folder, name):
    return list(csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text(encoding="utf-8"))))


def choices(row):
    pairs = [part.split(", ", 1) for part in row[CHOICES].split(" | ")] if row[CHOICES] else []
    return dict(pairs)


@pytest.fixture(scope="module", params=["table", "images"])
def wide(request, tmp_path_factory):
    """Results, and the wide rows by patient, of a reader's table and of the demo cohort's images."""
    if request.param == "table":
        results = request.getfixturevalue("results")
    else:
        results = mda.Results.from_folder(request.getfixturevalue("demo_folder") / "mdanderson-demo" / "results")
    folder = tmp_path_factory.mktemp("wide")
    write_redcap(wish(results, folder, ""))
    return results, {row["record_id"]: row for row in read(folder, "redcap_wide")}


@pytest.fixture(params=[("redcap_data_dictionary", "redcap_long"), ("redcap_wide_dictionary", "redcap_wide")])
def pair(request, folder):
    return tuple(read(folder, name) for name in request.param)


def test_eighteen_columns(folder):
    for name in ("redcap_data_dictionary", "redcap_wide_dictionary"):
        assert tuple(read(folder, name)[0]) == HEADER
    assert len(HEADER) == 18


def test_names_are_those_that_redcap_takes(pair):
    dictionary, _ = pair
    names = [row[NAME] for row in dictionary]
    assert names[0] == "record_id"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name) and "__" not in name for name in names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", row[FORM]) for row in dictionary)


def test_types_and_choices(pair):
    dictionary, _ = pair
    for row in dictionary:
        assert row[TYPE] in TYPES
        assert row[VALIDATION] in VALIDATIONS
        assert row[LABEL]
        assert "<" not in row[LABEL]  # which REDCap would take for the start of a tag
        assert (row[TYPE] == "dropdown") == bool(choices(row))
        assert not row[VALIDATION] or row[TYPE] == "text"


def test_rows_fit_the_dictionary(pair):
    dictionary, rows = pair
    by_name = {row[NAME]: row for row in dictionary}
    assert set(rows[0]) - {"redcap_repeat_instrument", "redcap_repeat_instance"} == by_name.keys()
    for row in rows:
        for name, cell in row.items():
            if not cell or name not in by_name:
                continue
            told = by_name[name]
            if told[TYPE] == "dropdown":
                assert cell in choices(told), (name, cell)
            elif told[TYPE] == "yesno":
                assert cell in {"0", "1"}
            elif told[VALIDATION] == "date_ymd":
                assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", cell)
            elif told[VALIDATION]:
                assert float(cell) == float(cell)


def test_descriptions_are_those_of_the_output_dictionary(folder):
    told = {row[NAME]: row[LABEL] for row in read(folder, "redcap_data_dictionary")}
    for instrument in INSTRUMENTS:
        for field in instrument.fields:
            assert told[field.name] == field.column.meaning


@pytest.mark.parametrize(("instrument", "table"), [("lesion", LESIONS), ("response", RESPONSES), ("course", PATIENTS)])
def test_long_holds_every_cell(folder, results, instrument, table):
    dictionary = {row[NAME]: row for row in read(folder, "redcap_data_dictionary")}
    fields = next(one for one in INSTRUMENTS if one.name == instrument).fields
    rows = [row for row in read(folder, "redcap_long") if row["redcap_repeat_instrument"] == instrument]
    ours = [row for row in results.named(table) if row.get("scope", "overall") == "overall"]
    back = []
    for row in rows:
        cells = {"patient_id": row["record_id"]}
        for field in fields:
            cell, told = row[field.name], dictionary[field.name]
            words = {"0": "false", "1": "true"} if told[TYPE] == "yesno" else choices(told)
            cells[field.column.name] = words.get(cell, cell) if words else unguarded(cell)
        back.append(cells)
    assert sorted(back, key=str) == sorted(({name: row[name] for name in back[0]} for row in ours), key=str)


def test_instances_count_from_one_and_a_record_stands_alone(folder):
    rows = read(folder, "redcap_long")
    for patient in {row["record_id"] for row in rows}:
        own = [row for row in rows if row["record_id"] == patient]
        assert (own[0]["redcap_repeat_instrument"], own[0]["redcap_repeat_instance"]) == ("", "")
        for instrument in INSTRUMENTS:
            numbers = [
                int(r["redcap_repeat_instance"]) for r in own if r["redcap_repeat_instrument"] == instrument.name
            ]
            assert numbers == list(range(1, len(numbers) + 1))
    assert {row["form_name"] for row in read(folder, "redcap_repeating_instruments")} == {
        one.name for one in INSTRUMENTS
    }


def test_wide_has_a_row_for_every_patient(folder):
    rows = {row["record_id"]: row for row in read(folder, "redcap_wide")}
    assert set(rows) == {"P01", "P02", "P03"}
    one = rows["P01"]
    words = {row[NAME]: choices(row) for row in read(folder, "redcap_wide_dictionary")}
    assert (one["v01_date"], one["v05_visit"], one["l02_site"], one["l02_side"]) == (
        "2024-01-05",
        "wk24",
        "rib 5",
        "left",
    )
    assert one["v02_date"] == one["v04_date"] == ""  # visits of the two others, who have no names for theirs
    assert words["v05_mda2010_cat"][one["v05_mda2010_cat"]] == "PD"
    assert (one["v03_mda2010_sum_mm"], one["v03_mda2010_chg_base"]) == ("87.00", "-0.201835")
    assert (one["l01_v01_long_mm"], one["l01_v05_long_mm"]) == ("32.00", "0.00")
    assert words["l03_v03_status"][one["l03_v03_status"]] == "split"
    assert one["l04_v01_status"] == ""
    assert all(f"v01_{criteria}_cat" in one for criteria in SETS)


def in_wide(row, start, end):
    """The numbers of all fields that begin and end so."""
    return sorted(float(cell) for name, cell in row.items() if re.fullmatch(rf"{start}_{end}", name) and cell)


@pytest.mark.parametrize(
    ("end", "column"),
    [
        *(("long_mm", "long_axis_mm"), ("short_mm", "short_axis_mm"), ("uptake", "uptake_ratio")),
        ("sulpeak", "suv_peak"),
    ],
)
def test_wide_has_every_size_and_uptake_that_lesions_csv_has(wide, end, column):
    """Whichever of a visit's images measured it: a second MR sequence must not hide the first."""
    results, rows = wide
    for patient_id, row in rows.items():
        own = results.lesions[results.lesions.patient_id == patient_id].dropna(subset=[column])
        own = own.drop_duplicates(["date", "lesion_id"])  # of two bone scan views the first
        assert in_wide(row, r"l\d\d_v\d\d", end) == sorted(float(value) for value in own[column])


def test_every_change_since_baseline_has_its_baseline(wide):
    _, rows = wide
    told = 0
    for row in rows.values():
        for name, cell in row.items():
            found = re.fullmatch(r"(v\d\d)_(\w+)_chg_base", name)
            if found and cell and (now := row[f"{found[1]}_{found[2]}_sum_mm"]):
                first = next(visit for visit in ("v01", "v02") if row[f"{visit}_date"])
                base = float(row[f"{first}_{found[2]}_sum_mm"])
                assert float(now) / base - 1 == pytest.approx(float(cell), abs=1e-3)
                told += 1
    assert told


def test_density_is_that_of_ct(wide):
    results, rows = wide
    ct = results.lesions[(results.lesions.modality == "CT") & results.lesions.mean_hu.notna()]
    for patient_id, row in rows.items():
        own = ct[ct.patient_id == patient_id]
        others = results.lesions[(results.lesions.patient_id == patient_id) & (results.lesions.modality == "XR")]
        hus = in_wide(row, r"l\d\d_v\d\d", "hu")
        assert hus == sorted(float(value) for value in (others if own.empty else own).mean_hu.dropna())


def test_no_formula(folder):
    assert {row["les_site"] for row in read(folder, "redcap_long")} >= {"'=1+1", "L3"}
    text = (folder / "redcap_wide.csv").read_text(encoding="utf-8")
    assert "'=1+1" in text
    assert ",=" not in text


def test_twice_is_the_same_to_the_byte(results, folder, tmp_path):
    write_redcap(wish(results, tmp_path))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_somebody_elses_files_are_left_alone(results, tmp_path):
    (tmp_path / "redcap_wide.csv").write_text("mine\n")
    with pytest.raises(OutputError, match=r"redcap_wide\.csv is there already"):
        write_redcap(wish(results, tmp_path))


@pytest.mark.parametrize("written", [0, 3])
def test_killed_in_the_middle_it_can_be_done_again(results, tmp_path, monkeypatch, written):
    """Old files, new files, or some of each: all are its own."""
    (tmp_path / "other.csv").write_text("mine\n")
    write_own_files(tmp_path, {f"f{n}.csv": b"old\n" for n in range(5)})

    def killed(paths, chunks):
        for path, content in list(zip(paths, next(iter(chunks)), strict=True))[:written]:
            path.write_bytes(content)
        raise KeyboardInterrupt

    new = {f"f{n}.csv": b"new\n" for n in range(4)}
    with monkeypatch.context() as patch:
        patch.setattr(own_files, "write_together", killed)
        with pytest.raises(KeyboardInterrupt):
            write_own_files(tmp_path, new, retired=["f4.csv", "other.csv"])
    write_own_files(tmp_path, new, retired=["f4.csv", "other.csv"])
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")} == new | {"other.csv": b"mine\n"}


def test_a_list_that_is_none_of_ours_lists_nothing(tmp_path):
    for text in ("[1]", "{", ""):
        (tmp_path / own_files.LIST_FILE).write_text(text)
        (tmp_path / "f.csv").write_text("mine\n")
        with pytest.raises(OutputError, match=r"f\.csv is there already"):
            write_own_files(tmp_path, {"f.csv": b"x"})


@pytest.mark.parametrize("name", ["O'Neil", 'a"b', "a&b", "a+b", "a#b", "x" * 101])
def test_a_name_that_no_record_takes_fails_alone(tmp_path, name):
    rows = [["patient_id", "date", "modality", "lesion_id", "long_axis_mm", "short_axis_mm", "lesion_type"]]
    rows += [[one, "2024-01-05", "CT", "L1", "32", "21", "lytic"] for one in (name, "x" * 100)]
    table = tmp_path / "in" / "t.csv"
    table.parent.mkdir()
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    table.write_text(out.getvalue())
    written = write_redcap(wish(mda.classify(table, tmp_path / "out", workers=1), tmp_path / "redcap"))
    assert list(written.failed) == [name]
    assert {row["record_id"] for row in read(tmp_path / "redcap", "redcap_wide")} == {"x" * 100}
