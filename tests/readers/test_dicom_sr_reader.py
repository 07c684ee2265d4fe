"""Reports of other programs as a reader's table, and what `classify` makes of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from ohif_report import CT, ENHANCED_SR, NEW, OLD, TRACKING, Measured, code, coded, content, group, number, write_report
from pydicom import dcmread

import mdanderson as mda
from mdanderson.cli import main
from mdanderson.errors import ManifestError, Severity
from mdanderson.readers import dicom_sr, dicom_sr_content
from mdanderson.readers.dicom_sr import table_of_reports
from mdanderson.readers.measurements import read_measurements
from mdanderson.version import MAKER_NAME

L3 = ("36470004", "SCT", "L3 vertebra")
RIB = ("113197003", "SCT", "Rib")


def told(path: Path, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in table_of_reports(path)]


def two_visits(folder: Path, first: list[Measured], second: list[Measured], **wishes) -> Path:
    write_report(folder / "a/one.dcm", first, date="20240105", **wishes)
    write_report(folder / "b/two.dcm", second, date="20240402", **wishes)
    return folder


# --- what a report says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("codes", "kind"), [(NEW, "1.2.840.10008.5.1.4.1.1.88.34"), (OLD, ENHANCED_SR)])
def test_a_report_as_ohif_writes_it(tmp_path, codes, kind):
    one = Measured(long="32.0", short="21.5", label="L1 body", uid="1.2.3")
    write_report(tmp_path / "report.dcm", [one], codes=codes, sop_class=kind)
    columns = ("patient_id", "date", "modality", "lesion_id", "long_axis_mm", "short_axis_mm", "reader", "status")
    assert told(tmp_path / "report.dcm", *columns) == [("P01", "2024-01-05", "CT", "L1 body", "32", "21.5", "", "")]


def test_an_ohif_course_is_classified_as_its_table_is(tmp_path):
    """The retired codes of dcmjs, UIDs rewritten at the second visit, labels kept."""
    first = [
        Measured(long="32", short="21", label="L1", uid="1.1"),
        Measured(long="14", short="11", label="L2", uid="1.2"),
    ]
    second = [
        Measured(long="14", short="11", label="L2", uid="2.1"),
        Measured(long="15", short="10", label="L1", uid="2.2"),
    ]
    folder = two_visits(tmp_path / "reports", first, second, codes=OLD)
    (tmp_path / "table.csv").write_text(
        "patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm\n"
        "P01,2024-01-05,CT,L1,32,21\nP01,2024-01-05,CT,L2,14,11\n"
        "P01,2024-04-02,CT,L1,15,10\nP01,2024-04-02,CT,L2,14,11\n",
        encoding="utf-8",
    )
    sets = ("mda2010", "who")
    by_report, by_table = (mda.classify(source, criteria=sets) for source in (folder, tmp_path / "table.csv"))
    assert by_report.rows["responses"] == by_table.rows["responses"]
    assert {row["category"] for row in by_report.overall()} == {"BL", "SD", "PR"}
    assert main(["classify", str(folder), "-o", str(tmp_path / "out"), "-q"]) == 0
    assert main(["explain", str(tmp_path / "out"), "--patient", "P01"]) == 0
    assert "DOE" not in "".join(file.read_text() for file in (tmp_path / "out").rglob("*.*") if file.is_file())


def test_what_else_a_group_may_say(tmp_path):
    site = Measured(long="32", short="21", tracking="lesion 7", site=RIB, side="Left")
    write_report(tmp_path / "r.dcm", [site])
    assert told(tmp_path / "r.dcm", "lesion_id", "site", "laterality") == [("lesion 7", "Rib", "left")]
    tracked = Measured(
        long="3.2", short="2.15", tracking=f"{TRACKING}:L02", unit="cm", sop_class="1.2.840.10008.5.1.4.1.1.4.1"
    )
    write_report(tmp_path / "s.dcm", [tracked])
    columns = ("lesion_id", "long_axis_mm", "short_axis_mm", "modality")
    assert told(tmp_path / "s.dcm", *columns) == [("L02", "32", "21.5", "MR")]


def test_an_axis_is_known_by_its_meaning_where_the_code_is_not(tmp_path):
    codes = {"long": ("X1", "99OTHER"), "short": ("X2", "99OTHER"), "site": ("G-C0E3", "SRT")}
    write_report(tmp_path / "r.dcm", [Measured(long="20", short="10", label="A")], codes=codes)
    assert told(tmp_path / "r.dcm", "long_axis_mm", "short_axis_mm") == [("20", "10")]


def test_a_length_alone_is_a_long_axis(tmp_path):
    one = group(Measured(long="", short="", label="A"), NEW)
    one.ContentSequence.append(number(code("G-D7FE", "SRT", "Length"), "17.25", "mm"))
    write_report(tmp_path / "r.dcm", [one])
    assert told(tmp_path / "r.dcm", "long_axis_mm", "short_axis_mm") == [("17.25", "")]


def test_pixels_are_not_taken_for_millimetres(tmp_path):
    write_report(tmp_path / "r.dcm", [Measured(long="20", short="10", label="A", unit="{pixels}")])
    measured = read_measurements(tmp_path / "r.dcm")
    (problem,) = [one for one in measured.problems if "long_axis_mm" in one.where]
    assert "20 {pixels}" in problem.what
    assert not measured.patients[0].examinations or not measured.patients[0].examinations[0].evaluable


@pytest.mark.parametrize("value", ["nan", "inf", "1e400", "20 mm", ""])
def test_what_is_no_number_is_refused_by_name(tmp_path, value):
    one = group(Measured(long="8", short="4", label="A"), NEW)
    axis = next(item for item in one.ContentSequence if item.ConceptNameCodeSequence[0].CodeMeaning == "Long Axis")
    axis.MeasuredValueSequence[0]["NumericValue"]._value = value
    write_report(tmp_path / "r.dcm", [one])
    measured = read_measurements(tmp_path / "r.dcm")
    assert any("axis" in problem.where for problem in measured.problems)


def test_uptake_and_modality(tmp_path):
    suv = number(code("126401", "DCM", "SUVbw"), "7.5", "g/ml{SUVbw}")
    suv.ContentSequence = [coded(code("121401", "DCM", "Derivation"), code("56851009", "SCT", "Maximum"))]
    mean = number(code("126401", "DCM", "SUVbw"), "3.5", "g/ml{SUVbw}")
    mean.ContentSequence = [coded(code("121401", "DCM", "Derivation"), code("373098007", "SCT", "Mean"))]
    one = group(Measured(long="", short="", label="A"), NEW)
    image = content("IMAGE", code("260753009", "SCT", "Source"))
    from pydicom import Dataset

    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.128", "1.2"
    image.ReferencedSOPSequence = [reference]
    one.ContentSequence += [mean, suv, image]
    write_report(tmp_path / "r.dcm", [one])
    assert told(tmp_path / "r.dcm", "modality", "suv_max", "suv_peak") == [("PT", "7.5", "")]


def test_a_report_without_references_is_taken_as_ct_and_says_so(tmp_path):
    write_report(tmp_path / "r.dcm", [Measured(long="20", short="10", label="A", sop_class="")])
    assert told(tmp_path / "r.dcm", "modality") == [("",)]
    assert any("name no modality: taken as CT" in one.what for one in read_measurements(tmp_path / "r.dcm").problems)


# --- which lesion ----------------------------------------------------------------------------------------------------


def ids(folder: Path) -> list[tuple[str, ...]]:
    return told(folder, "date", "lesion_id", "long_axis_mm")


def test_a_uid_that_both_reports_have_is_one_lesion(tmp_path):
    first = [Measured(long="20", short="10", uid="1.1"), Measured(long="30", short="10", uid="1.2")]
    second = [Measured(long="31", short="10", uid="1.2"), Measured(long="21", short="10", uid="1.1")]
    assert ids(two_visits(tmp_path, first, second)) == [
        ("2024-01-05", "SR1", "20"),
        ("2024-01-05", "SR2", "30"),
        ("2024-04-02", "SR2", "31"),
        ("2024-04-02", "SR1", "21"),
    ]


def test_a_label_counts_more_than_a_uid_and_lends_its_name(tmp_path):
    first = [Measured(long="20", short="10", label="A", uid="1.1"), Measured(long="30", short="10", uid="1.1")]
    second = [Measured(long="31", short="10", uid="1.1"), Measured(long="21", short="10", label="B", uid="1.9")]
    names = [line[1] for line in ids(two_visits(tmp_path, first, second))]
    assert names == ["A", "A", "A", "B"]


def one_lesion(label, uid, long="30"):
    return Measured(long=long, short="20", label=label, uid=uid)


def test_a_label_typed_otherwise_is_no_new_lesion_where_the_uid_is_the_same(tmp_path):
    """Else an unchanged lesion would be progression."""
    folder = two_visits(tmp_path, [one_lesion("L1", "1.2.1")], [one_lesion("L1 sacrum", "1.2.1")])
    assert [line[1] for line in ids(folder)] == ["L1", "L1"]
    (problem,) = table_of_reports(folder).told
    assert problem.severity is Severity.WARNING
    assert problem.where == "two.dcm"
    assert problem.what == "lesion 'L1 sacrum' has the tracking UID that lesion 'L1' has: one lesion, called 'L1'"
    assert [row["category"] for row in mda.classify(folder).overall()] == ["BL", "SD"]


@pytest.mark.parametrize("again", ["lesion 1", "LESION 1"])
def test_capitals_make_no_new_lesion(tmp_path, again):
    folder = two_visits(tmp_path, [one_lesion("Lesion 1", "1.1")], [one_lesion(again, "2.1")])
    assert [line[1] for line in ids(folder)] == ["Lesion 1", "Lesion 1"]
    assert not table_of_reports(folder).told


def test_labels_of_one_day_stay_two(tmp_path):
    """Whatever capitals and UIDs say; that UIDs have changed sides is told."""
    first = [one_lesion("L1a", "1.1"), one_lesion("L1A", "1.2", "14")]
    second = [one_lesion("L1a", "1.2"), one_lesion("L1A", "1.1", "14")]
    folder = two_visits(tmp_path, first, second)
    assert [line[1] for line in ids(folder)] == ["L1a", "L1A", "L1a", "L1A"]
    told = [problem.what for problem in table_of_reports(folder).told]
    assert len(told) == 2
    assert all(what.endswith("both were measured on one day, so they are two") for what in told)


def test_a_uid_of_several_lesions_says_nothing(tmp_path):
    first = [one_lesion("A", "1.1"), one_lesion("B", "1.1", "14")]
    folder = two_visits(tmp_path, first, [one_lesion("C", "1.1")])
    assert [line[1] for line in ids(folder)] == ["A", "B", "C"]
    assert not table_of_reports(folder).told


def test_a_lesion_renamed_twice_is_one(tmp_path):
    for day, label in enumerate(("L1", "femur", "Femur left"), start=1):
        write_report(tmp_path / f"{day}.dcm", [one_lesion(label, "1.1")], date=f"2024010{day}")
    assert [line[1] for line in ids(tmp_path)] == ["L1"] * 3


def test_a_lymph_node_is_read_as_one(tmp_path):
    node = Measured(long="30", short="20", label="N1", uid="1.1", site=("59441001", "SCT", "Lymph node"))
    old = Measured(long="30", short="20", label="N2", uid="1.2", site=("T-C4000", "SRT", "Lymph node"))
    bone = Measured(long="30", short="20", label="L1", uid="1.3", site=L3)
    write_report(tmp_path / "r.dcm", [node, old, bone])
    assert told(tmp_path, "lesion_id", "node") == [("N1", "true"), ("N2", "true"), ("L1", "")]


def test_the_place_counts_where_it_names_one_lesion_of_each_report(tmp_path):
    first = [Measured(long="20", short="10", uid="1.1", site=L3), Measured(long="30", short="10", uid="1.2", site=RIB)]
    second = [Measured(long="31", short="10", uid="2.1", site=RIB), Measured(long="21", short="10", uid="2.2", site=L3)]
    assert [line[1] for line in ids(two_visits(tmp_path, first, second))] == ["SR1", "SR2", "SR2", "SR1"]


def test_sides_are_places_of_their_own(tmp_path):
    first = [
        Measured(long="20", short="10", uid="1.1", site=RIB, side="Left"),
        Measured(long="30", short="10", uid="1.2", site=RIB, side="Right"),
    ]
    second = [Measured(long="31", short="10", uid="2.1", site=RIB, side="Right")]
    assert [line[1] for line in ids(two_visits(tmp_path, first, second))] == ["SR1", "SR2", "SR2"]


def test_what_nothing_ties_is_left_without_a_name_and_never_counts_as_new(tmp_path):
    first = [Measured(long="20", short="10", uid="1.1", site=RIB), Measured(long="30", short="10", uid="1.2", site=RIB)]
    second = [Measured(long="31", short="10", uid="2.1"), Measured(long="21", short="10", uid="2.2", site=RIB)]
    folder = two_visits(tmp_path, first, second)
    assert {line[1] for line in ids(folder)} == {""}
    results = mda.classify(folder)
    assert not any(row["category"] == "PD" for row in results.overall())
    assert any("no lesion named" in str(problem) for problem in results.problems["what"])


def test_one_report_needs_no_names(tmp_path):
    write_report(tmp_path / "r.dcm", [Measured(long="20", short="10"), Measured(long="30", short="10", uid="")])
    assert [line[1] for line in ids(tmp_path / "r.dcm")] == ["SR1", "SR2"]


def test_a_given_name_is_never_one_that_a_label_has(tmp_path):
    first = [Measured(long="20", short="10", label="SR1", uid="1.1"), Measured(long="30", short="10", uid="1.2")]
    second = [Measured(long="21", short="10", label="SR1", uid="1.1"), Measured(long="31", short="10", uid="1.2")]
    assert [line[1] for line in ids(two_visits(tmp_path, first, second))] == ["SR1", "SR2", "SR1", "SR2"]


# --- which document --------------------------------------------------------------------------------------------------


def test_a_report_that_is_there_twice_counts_once(tmp_path):
    one = [Measured(long="20", short="10", label="A")]
    write_report(tmp_path / "x.dcm", one, uid="1.5")
    write_report(tmp_path / "copy/x.dcm", one, uid="1.5")
    write_report(tmp_path / "saved again.dcm", one, uid="1.6")
    assert ids(tmp_path) == [("2024-01-05", "A", "20")]


def test_two_reports_that_differ_are_refused_as_two_rows_are(tmp_path):
    write_report(tmp_path / "x.dcm", [Measured(long="20", short="10", label="A")], uid="1.5")
    write_report(tmp_path / "y.dcm", [Measured(long="25", short="10", label="A")], uid="1.6")
    assert any("a second row for lesion A on 2024-01-05" in one.what for one in read_measurements(tmp_path).problems)


def test_a_report_that_was_replaced_does_not_count(tmp_path):
    write_report(tmp_path / "x.dcm", [Measured(long="20", short="10", label="A")], uid="1.5")
    write_report(tmp_path / "y.dcm", [Measured(long="25", short="10", label="A")], uid="1.6", replaces="1.5")
    assert ids(tmp_path) == [("2024-01-05", "A", "25")]


NOON = {"ContentDate": "20240106", "ContentTime": "1200"}


def corrected(folder: Path, **newer: str) -> list[tuple[str, ...]]:
    """Long axes that count, of a report with lesion A of 20 mm and one that says 25 mm."""
    write_report(folder / "x.dcm", [Measured(long="20", short="10", label="A")], uid="1.5", **NOON)
    write_report(folder / "y.dcm", [Measured(long="25", short="10", label="A", uid="9.9")], uid="1.6", **NOON | newer)
    return told(folder, "long_axis_mm")


@pytest.mark.parametrize(
    "newer", [{"ContentTime": "120000.5"}, {"ContentDate": "20240107"}, {"VerificationFlag": "VERIFIED"}]
)
def test_of_one_author_and_visit_the_newest_report_counts_and_the_other_is_told(tmp_path, newer):
    assert corrected(tmp_path, **newer) == [("25",)]
    measured = read_measurements(tmp_path)
    (problem,) = (one for one in measured.problems if "superseded" in one.what)
    assert (problem.where, problem.severity) == ("x.dcm", Severity.WARNING)
    assert problem.what == "superseded by y.dcm: it is newer, by the same author, of the same visit"
    assert not any("second row" in one.what for one in measured.problems)


@pytest.mark.parametrize(
    "newer",
    [{}, {"ContentDate": ""}, {"ContentTime": "13", "observer": "ROE^R"}, {"ContentTime": "13", "Manufacturer": "Z"}],
)
def test_what_is_not_newer_or_anothers_corrects_nothing(tmp_path, newer):
    assert corrected(tmp_path, **newer) == [("20",), ("25",)]


def test_a_later_report_on_other_lesions_or_another_modality_is_an_addition(tmp_path):
    corrected(tmp_path, ContentTime="13")
    later = NOON | {"ContentTime": "14"}
    mr = "1.2.840.10008.5.1.4.1.1.4"
    write_report(tmp_path / "b.dcm", [Measured(long="9", short="8", label="B", uid="1.9")], uid="1.7", **later)
    write_report(tmp_path / "m.dcm", [Measured(long="7", short="6", label="A", sop_class=mr)], uid="1.8", **later)
    assert sorted(told(tmp_path, "lesion_id", "modality", "long_axis_mm")) == [
        ("A", "CT", "25"),
        ("A", "MR", "7"),
        ("B", "CT", "9"),
    ]


def test_the_last_of_three_counts_and_a_predecessor_is_told(tmp_path):
    corrected(tmp_path, ContentTime="13")
    last = [Measured(long="30", short="10", label="A")]
    write_report(tmp_path / "z.dcm", last, uid="1.7", replaces="1.6", **NOON | {"ContentTime": "14"})
    assert told(tmp_path, "long_axis_mm") == [("30",)]
    assert [one.what for one in table_of_reports(tmp_path).told] == [
        "superseded by z.dcm: it says so",
        "superseded by z.dcm: it is newer, by the same author, of the same visit",
    ]


def test_two_readers_are_two_and_nobody_learns_who(tmp_path):
    write_report(tmp_path / "x.dcm", [Measured(long="20", short="10", label="A")], uid="1.5", observer="ROE^RICHARD")
    write_report(tmp_path / "y.dcm", [Measured(long="25", short="10", label="A")], uid="1.6", observer="DOE^JOHN")
    assert told(tmp_path, "reader", "long_axis_mm") == [("reader 2", "20"), ("reader 1", "25")]


def test_other_files_in_the_folder_are_passed_over(tmp_path):
    write_report(tmp_path / "x.dcm", [Measured(long="20", short="10", label="A")])
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "patients.csv").write_text("patient_id\nP01\n")
    write_report(tmp_path / "image.dcm", [], sop_class=CT)
    assert len(ids(tmp_path)) == 1


def test_patients_csv_beside_the_folder_is_used(tmp_path):
    two_visits(
        tmp_path / "reports", [Measured(long="20", short="10", label="A")], [Measured(long="9", short="5", label="A")]
    )
    (tmp_path / "patients.csv").write_text("patient_id,treatment_start\nP01,2024-01-10\n", encoding="utf-8")
    measured = read_measurements(tmp_path / "reports")
    assert measured.patients[0].facts.treatment_start == dt.date(2024, 1, 10)


def test_pseudonyms_hold_for_reports(tmp_path):
    write_report(tmp_path / "reports/x.dcm", [Measured(long="20", short="10", label="A")])
    assert main(["key", str(tmp_path / "k")]) == 0
    arguments = ["classify", str(tmp_path / "reports"), "-o", str(tmp_path / "out"), "-q"]
    assert main([*arguments, "--pseudonymize", str(tmp_path / "k")]) == 0
    assert "P01" not in (tmp_path / "out/responses.csv").read_text()


@pytest.mark.parametrize(("maker", "date"), [(MAKER_NAME, ""), ("ohif", "2024-01-06")])
def test_the_day_on_which_we_wrote_a_report_is_not_that_of_its_visit(tmp_path, maker, date):
    one = [Measured(long="20", short="10", label="A")]
    write_report(tmp_path / "x.dcm", one, date="", **NOON, Manufacturer=maker)
    assert told(tmp_path, "date") == [(date,)]


# --- what is broken or hostile ---------------------------------------------------------------------------------------


def test_a_folder_without_reports_says_what_to_do(tmp_path, capsys):
    assert main(["classify", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "no DICOM SR that can be read @" in capsys.readouterr().err


def test_reports_without_a_measurement_say_what_to_do(tmp_path):
    write_report(tmp_path / "r.dcm", [content("CONTAINER", code("125007", "DCM", "Measurement Group"))])
    with pytest.raises(ManifestError, match="no report measures a lesion"):
        table_of_reports(tmp_path / "r.dcm")


def test_groups_of_no_use_are_told(tmp_path):
    area = group(Measured(long="", short="", label="B"), NEW)
    area.ContentSequence.append(number(code("42798000", "SCT", "Area"), "300", "mm2"))
    write_report(tmp_path / "r.dcm", [Measured(long="20", short="10", label="A"), area])
    assert [one.what for one in table_of_reports(tmp_path).told] == [
        "1 measurement groups hold neither axes nor uptake: left out"
    ]


def test_a_damaged_report_costs_itself(tmp_path):
    write_report(tmp_path / "good.dcm", [Measured(long="20", short="10", label="A")], uid="1.5")
    whole = write_report(tmp_path / "bad.dcm", [Measured(long="20", short="10", label="B")], uid="1.6").read_bytes()
    for cut in range(150, len(whole), 97):
        (tmp_path / "bad.dcm").write_bytes(whole[:cut])
        table = table_of_reports(tmp_path)
        assert ("A", "20") in [(row["lesion_id"], row["long_axis_mm"]) for row in table]


def test_a_tree_without_end_is_refused(tmp_path, monkeypatch):
    item = content("CONTAINER", code("125007", "DCM", "Measurement Group"))
    for _ in range(60):
        item = content("CONTAINER", code("125007", "DCM", "Measurement Group"), item)
    write_report(tmp_path / "deep.dcm", [item])
    with pytest.raises(ManifestError, match="a content tree that no report has"):
        table_of_reports(tmp_path / "deep.dcm")
    monkeypatch.setattr(dicom_sr_content, "_MOST_ITEMS", 20)
    write_report(tmp_path / "wide.dcm", [Measured(long="2", short="1", label="A")] * 20)
    with pytest.raises(ManifestError, match="a content tree that no report has"):
        table_of_reports(tmp_path / "wide.dcm")


def test_a_huge_file_and_a_huge_folder_are_refused(tmp_path, monkeypatch):
    write_report(tmp_path / "r.dcm", [Measured(long="2", short="1", label="A")])
    monkeypatch.setattr(dicom_sr, "_LARGEST_BYTES", 100)
    with pytest.raises(ManifestError, match="a report of more than 64 MB"):
        table_of_reports(tmp_path / "r.dcm")
    monkeypatch.setattr(dicom_sr, "_MOST_FILES", 0)
    with pytest.raises(ManifestError, match="more than 0 files"):
        table_of_reports(tmp_path)


def test_nothing_of_a_label_steers_a_terminal_or_a_spreadsheet(tmp_path):
    formula, steering = "=HYPERLINK(1)" + "x" * 300, "\x1b[31m\u202eL2"
    measured = [
        Measured(long="20", short="10", tracking=words, uid=f"1.{k}") for k, words in enumerate((formula, steering))
    ]
    write_report(tmp_path / "reports/r.dcm", measured)
    first, second = table_of_reports(tmp_path / "reports")
    assert first["lesion_id"] == formula[:64]
    assert second["lesion_id"] == "SR1"
    mda.classify(tmp_path / "reports", tmp_path / "out", lesions=True)
    assert "'=HYPERLINK" in (tmp_path / "out/lesions.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("date", ["", "2024", "20241399", "notadate"])
def test_a_report_without_a_date_is_told(tmp_path, date):
    path = write_report(tmp_path / "r.dcm", [Measured(long="20", short="10", label="A")])
    report = dcmread(path)
    report["StudyDate"]._value = date
    report.save_as(path)
    assert any("date" in problem.where for problem in read_measurements(path).problems)
