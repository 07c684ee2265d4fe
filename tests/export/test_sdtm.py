"""SDTM: checked against the published codelists, against our own tables, and read back from the transport files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
from collections import Counter
from decimal import Decimal

import pandas as pd
import pytest
from exported import classified_in, wish
from sdtm_codelists import CODELISTS, KEYS, NEVER, ONE_PER_IMAGE

import mdanderson as mda
from mdanderson.cli import main
from mdanderson.errors import OutputError, SettingsError
from mdanderson.export import sdtm
from mdanderson.export.sdtm import EXTENSIONS_FILE, write_sdtm
from mdanderson.export.sdtm_domains import DATASETS, TU
from mdanderson.export.sdtm_files import as_ascii
from mdanderson.export.sdtm_places import Place, place_of
from mdanderson.export.sdtm_rows import continued
from mdanderson.export.visits import study_day
from mdanderson.report.cells import unguarded

pyreadstat = pytest.importorskip("pyreadstat")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return classified_in(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module", params=["table", "images"])
def exported(request, tmp_path_factory):
    """Results and folder of an export, of a reader's table and of the demo cohort's images."""
    if request.param == "table":
        results = request.getfixturevalue("results")
    else:
        results = mda.Results.from_folder(request.getfixturevalue("demo_folder") / "mdanderson-demo" / "results")
    folder = tmp_path_factory.mktemp("sdtm")
    written = write_sdtm(wish(results, folder))
    assert not written.failed
    return results, folder


def read(folder, name):
    path = folder / f"{name.lower()}.csv"
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))) if path.exists() else []


def only(rows, **wanted):
    found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    assert len(found) == 1, (wanted, len(found))
    return found[0]


# What was published


@pytest.mark.parametrize("codelist", CODELISTS, ids=lambda one: one.variable)
def test_terms_are_published_or_listed_as_extensions(exported, codelist):
    _, folder = exported
    used = {row[codelist.variable] for row in read(folder, codelist.dataset)} - {""}
    listed = {
        row["term"]
        for row in read(folder, EXTENSIONS_FILE.removesuffix(".csv"))
        if (row["dataset"], row["variable"]) == (codelist.dataset, codelist.variable)
    }
    assert used - codelist.terms == listed
    assert codelist.extensible or not listed


def test_no_sum_is_called_a_product(exported):
    _, folder = exported
    assert not NEVER & {row["TRTESTCD"] for row in read(folder, "TR")}


def test_test_codes_and_names_are_one_to_one_and_short(exported):
    _, folder = exported
    for domain in ("TU", "TR", "RS"):
        pairs = {(row[f"{domain}TESTCD"], row[f"{domain}TEST"]) for row in read(folder, domain)}
        assert len({code for code, _ in pairs}) == len({name for _, name in pairs}) == len(pairs)
        assert all(len(code) <= 8 and len(name) <= 40 for code, name in pairs)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.name)
def test_names_and_labels_fit_a_transport_file(dataset):
    assert len(dataset.name) <= 8
    assert len(dataset.label) <= 40
    assert len(set(dataset.names)) == len(dataset.names)
    assert all(len(one.name) <= 8 and one.name.isupper() and 0 < len(one.label) <= 40 for one in dataset.variables)
    assert set(dataset.keys) <= set(dataset.names)


# Keys and links


@pytest.mark.parametrize("domain", KEYS)
def test_keys_are_unique_and_rows_are_numbered(exported, domain):
    _, folder = exported
    rows = read(folder, domain)
    assert max(Counter(tuple(row[name] for name in KEYS[domain]) for row in rows).values()) == 1
    for subject in {row["USUBJID"] for row in rows}:
        numbers = [int(row[f"{domain}SEQ"]) for row in rows if row["USUBJID"] == subject]
        assert numbers == list(range(1, len(numbers) + 1))


def test_links_resolve(exported):
    _, folder = exported
    tu, tr, rs = (read(folder, name) for name in ("TU", "TR", "RS"))
    identified = {(row["USUBJID"], row["TULNKID"]) for row in tu}
    assert {(row["USUBJID"], row["TRLNKID"]) for row in tr if row["TRLNKID"]} <= identified
    visits = {(row["USUBJID"], row["TRLNKGRP"]) for row in tr}
    assert {(row["USUBJID"], row["RSLNKGRP"]) for row in rs if row["RSLNKGRP"]} <= visits


@pytest.mark.parametrize("domain", ["TU", "TR", "RS"])
def test_qualifiers_belong_to_rows_and_are_never_blank(exported, domain):
    _, folder = exported
    groups = {(row["USUBJID"], row[f"{domain}GRPID"]) for row in read(folder, domain)}
    qualifiers = read(folder, f"SUPP{domain}")
    assert qualifiers
    assert {(row["USUBJID"], row["IDVARVAL"]) for row in qualifiers} <= groups
    assert all(row["RDOMAIN"] == domain and row["QVAL"] and len(row["QNAM"]) <= 8 for row in qualifiers)
    keys = [tuple(row[k] for k in ("USUBJID", "IDVAR", "IDVARVAL", "QNAM")) for row in qualifiers]
    assert len(set(keys)) == len(keys)


def test_relations_are_true(exported):
    """What is said to be one row is one row, or a join would double the other side."""
    _, folder = exported
    relations = read(folder, "RELREC")
    assert relations
    for row in relations:
        rows = [one for one in read(folder, row["RDOMAIN"]) if one[row["IDVAR"]]]
        counts = Counter((one["USUBJID"], one[row["IDVAR"]]) for one in rows)
        assert row["RELTYPE"] == "MANY" or max(counts.values()) == 1


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.name)
def test_keys_of_datasets_are_unique(exported, dataset):
    _, folder = exported
    counts = Counter(tuple(row[name] for name in dataset.keys) for row in read(folder, dataset.name))
    assert not counts or max(counts.values()) == 1


# Consistent with our own tables


def test_one_identification_for_every_lesion_that_was_seen(exported):
    results, folder = exported
    silent = {"missing", "ambiguous", "not_evaluable", "resolved"}
    seen = {
        (f"ABC-01-{row.patient_id}", row.lesion_id)
        for row in results.lesions.itertuples()
        if row.status not in silent and not (row.status == "merged" and not row.parents.startswith(row.lesion_id))
    }
    found = {(row["USUBJID"], row["TULNKID"]) for row in read(folder, "TU") if row["TUTESTCD"] == "TUMIDENT"}
    assert found == {key for key in seen if key in found or "/" not in key[1]}


def test_axes_are_those_of_lesions_csv_and_what_is_gone_measures_nothing(exported):
    results, folder = exported
    rows = results.lesions
    gone = rows[(rows.status == "resolved") & rows.size_mm.isna() & rows.modality.isin(["CT", "MR", "XR"])]
    zeros = len(gone.drop_duplicates(["patient_id", "date", "modality", "lesion_id"]))
    for code, column in (("LDIAM", "long_axis_mm"), ("LPERP", "short_axis_mm"), ("SUMBIDIM", "size_mm")):
        ours = Counter(float(value) for value in results.lesions[column].dropna()) + Counter({0.0: zeros})
        theirs = Counter(
            float(row["TRSTRESN"]) for row in read(folder, "TR") if row["TRTESTCD"] == code and row["TRSTAT"] == ""
        )
        assert theirs == ours


def test_several_sequences_of_a_visit_count_once(exported):
    _, folder = exported
    rows = [row for row in read(folder, "TR") if row["TRTESTCD"] in ONE_PER_IMAGE and row["TRLNKID"]]
    keys = [tuple(row[name] for name in ("USUBJID", "TRLNKID", "TRTESTCD", "TRMETHOD", "VISITNUM")) for row in rows]
    assert len(set(keys)) == len(keys) > 0


def test_a_lesion_that_is_gone_is_gone_where_it_was_measured(exported):
    """In the sequence that gave its size, so that its course has one key."""
    _, folder = exported
    sequences: dict[tuple[str, ...], set[str]] = {}
    for row in read(folder, "TR"):
        if row["TRTESTCD"] == "LDIAM" and not row["TRSTAT"]:
            sequences.setdefault((row["USUBJID"], row["TRLNKID"], row["TRMETHOD"]), set()).add(row["TRSPID"])
    assert {len(own) for own in sequences.values()} == {1}


def test_changes_and_sums_are_those_of_responses_csv(exported):
    """Of every modality, as each has its own baseline."""
    results, folder = exported
    rows = results.responses
    mine = rows[(rows.scope != "overall") & (rows.criteria == "mda2010")]
    recist = rows[(rows.scope != "overall") & rows.criteria.isin(["recist11", "irecist"])]
    every = read(folder, "TR")
    assert Counter(float(row["TRSTRESN"]) for row in every if row["TRTESTCD"] == "SUMDIAM") == Counter(
        float(value) for value in recist["long_axis_sum_mm"].dropna()
    )
    tr = [row for row in every if row["TRSPID"] == "mda2010"]
    for code, column in (("PCBSD", "size_change_baseline"), ("PCNSD", "size_change_nadir")):
        ours = Counter(round(float(value) * 100, 2) for value in mine[column].dropna())
        assert Counter(float(row["TRSTRESN"]) for row in tr if row["TRTESTCD"] == code) == ours
    sums = Counter(float(row["TRSTRESN"]) for row in tr if row["TRTESTCD"] == "SUMSIZE")
    assert sums == Counter(float(value) for value in mine["size_sum_mm"].dropna())
    assert any(row["VISITNUM"] == "1" for row in tr if row["TRTESTCD"] == "SUMSIZE")


def of_sums(folder, code):
    """Subject, criteria set, method -> visit -> value."""
    found = {}
    for row in read(folder, "TR"):
        if row["TRTESTCD"] == code:
            whose = row["USUBJID"], row["TRSPID"], row["TRMETHOD"]
            found.setdefault(whose, {})[int(row["VISITNUM"])] = Decimal(row["TRORRES"])
    return found


def test_every_change_can_be_made_again_from_its_sums(exported):
    """From TR alone, unless a lesion outside the sum has merged into it: then the baseline is restated with it."""
    _, folder = exported
    sums = of_sums(folder, "SUMSIZE") | of_sums(folder, "SUMDIAM")
    changes = of_sums(folder, "PCBSD")
    assert changes
    merged = {(row["USUBJID"], row["VISITNUM"]) for row in read(folder, "TU") if row["TUTESTCD"] == "TUMERGE"}
    for whose, told in changes.items():
        own = sums[whose]
        base = own[min(own)]
        assert min(own) < min(told)
        for visit in [one for one in told if (whose[0], str(one)) not in merged]:
            assert abs((own[visit] - base) / base * 100 - told[visit]) < Decimal("0.1")
    groups = {(row["USUBJID"], row["TRGRPID"]) for row in read(folder, "TR") if row["TRTESTCD"] in {"PCBSD", "PCNSD"}}
    said = {(row["USUBJID"], row["IDVARVAL"]): row["QVAL"] for row in read(folder, "SUPPTR") if row["QNAM"] == "CHGOF"}
    assert said == {key: "SUMSIZE" if key[1].startswith("mda") else "SUMDIAM" for key in groups}


def test_the_two_published_sums_make_the_sum(exported):
    _, folder = exported
    longest, across, size = (of_sums(folder, code) for code in ("SUMLDIAM", "SUMLPERP", "SUMSIZE"))
    assert longest
    for whose, told in longest.items():
        assert {visit: value + across[whose][visit] for visit, value in told.items()} == size[whose]


def test_responses_are_those_of_responses_csv(exported):
    results, folder = exported
    rows = results.responses
    overall = rows[(rows.scope == "overall") & (rows.category != "BL")]
    published = {"Non-CR/Non-PD": "NON-CR/NON-PD", "Non-PD": "NON-PD"}
    ours = Counter(
        (f"ABC-01-{row.patient_id}", f"{row.date:%Y-%m-%d}", published.get(row.category, row.category))
        for row in overall.itertuples()
    )
    theirs = Counter(
        (row["USUBJID"], row["RSDTC"], row["RSSTRESC"])
        for row in read(folder, "RS")
        if row["RSTESTCD"] in {"BONERESP", "OVRLRESP"}
    )
    assert theirs == ours


def test_days_agree_with_dates(exported):
    results, folder = exported
    starts = {f"ABC-01-{row.patient_id}": row.start_date.date() for row in results.patients.itertuples()}
    for domain in ("TU", "TR", "RS"):
        for row in read(folder, domain):
            if row[f"{domain}DTC"]:
                day = dt.date.fromisoformat(row[f"{domain}DTC"])
                assert int(row[f"{domain}DY"]) == study_day(day, starts[row["USUBJID"]])


def test_what_is_not_done_has_a_reason_and_no_result(exported):
    _, folder = exported
    rows = read(folder, "TR")
    undone = [row for row in rows if row["TRSTAT"]]
    assert undone
    for row in undone:
        assert row["TRREASND"]
        assert (row["TRORRES"], row["TRORRESU"], row["TRSTRESC"], row["TRSTRESN"]) == ("", "", "", "")
    assert all(row["TRORRES"] and not row["TRREASND"] for row in rows if not row["TRSTAT"])


def test_the_reason_of_ne_is_told(exported):
    _, folder = exported
    groups = {(row["USUBJID"], row["RSGRPID"]) for row in read(folder, "RS") if row["RSSTRESC"] == "NE"}
    told = {(row["USUBJID"], row["IDVARVAL"]) for row in read(folder, "SUPPRS") if row["QNAM"] == "REASNE"}
    assert told == {group for group in groups if not group[1].endswith("BEST")}


# The files


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.name)
def test_transport_and_csv_hold_the_same(exported, dataset):
    _, folder = exported
    rows = read(folder, dataset.name)
    if not rows:
        assert not (folder / f"{dataset.name.lower()}.xpt").exists()
        return
    path = folder / f"{dataset.name.lower()}.xpt"
    assert path.read_bytes().startswith(b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!")
    frame, told = pyreadstat.read_xport(str(path))
    assert told.table_name == dataset.name
    assert told.file_label == dataset.label
    assert dict(zip(told.column_names, told.column_labels, strict=True)) == {
        one.name: one.label for one in dataset.variables
    }
    assert all(width <= 200 for width in told.variable_storage_width.values())
    for variable in dataset.variables:
        if variable.is_number:
            ours = [float(row[variable.name]) if row[variable.name] else None for row in rows]
            theirs = [None if value != value else float(value) for value in frame[variable.name]]  # noqa: PLR0124
        else:
            ours = [unguarded(row[variable.name]) for row in rows]
            theirs = list(frame[variable.name])
        assert theirs == ours


def test_another_reader_of_transport_files_agrees(results, tmp_path):
    """pandas reads SAS transport files by code of its own."""
    write_sdtm(wish(results, tmp_path))
    for name in ("tu", "tr", "rs"):
        frame = pd.read_sas(tmp_path / f"{name}.xpt", format="xport", encoding="ascii")
        rows = read(tmp_path, name)
        assert list(frame.columns) == list(rows[0])
        for column in ("VISITNUM", *(["TRSTRESN"] if name == "tr" else [])):
            ours = [float(row[column]) if row[column] else None for row in rows]
            assert [None if pd.isna(one) else pytest.approx(one, abs=1e-12) for one in frame[column]] == ours
        code = f"{name.upper()}TESTCD"
        assert list(frame[code]) == [row[code] for row in rows]


def test_from_the_command_line(results, tmp_path, capsys):
    out, folder = str(results.out), tmp_path / "sdtm"
    assert main(["export", out, "--sdtm", str(folder)]) == 2
    assert capsys.readouterr().err == "mdanderson: SDTM needs the name of the study; give it: --study NAME\n"
    assert main(["export", out, "--sdtm", str(folder), "--study", "ABC-01"]) == 0
    assert "15 files: " in capsys.readouterr().out
    assert (folder / "tu.xpt").is_file()


def test_everything_is_ascii(exported):
    _, folder = exported
    assert all(path.read_bytes().isascii() for path in folder.glob("*.csv"))


def test_twice_is_the_same_to_the_byte(results, tmp_path):
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        write_sdtm(wish(results, folder))
        write_sdtm(wish(results, folder))  # over its own files
        contents.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert contents[0] == contents[1]


def test_no_formula_in_csv_and_numbers_are_left_alone(results, tmp_path):
    written = write_sdtm(wish(results, tmp_path))
    detail = [row["QVAL"] for row in read(tmp_path, "SUPPTU") if row["QNAM"] == "LOCDTL"]
    assert "'=1+1" in detail
    assert any(row["TRORRES"] == "-20.18" for row in read(tmp_path, "TR"))
    assert any("no published ones" in note for note in written.notes)


# One trial, row by row


def test_the_first_row_of_a_lesion(results, tmp_path):
    write_sdtm(wish(results, tmp_path))
    row = only(read(tmp_path, "TU"), USUBJID="ABC-01-P01", TULNKID="L2", TUTESTCD="TUMIDENT")
    assert (row["TUSTRESC"], row["TULOC"], row["TULAT"], row["TUMETHOD"]) == (
        *("BONE LESION", "RIB 5", "LEFT", "CT SCAN"),
    )
    assert (row["VISITNUM"], row["VISIT"], row["TUDTC"], row["TUDY"]) == ("1", "base", "2024-01-05", "-5")
    assert (row["TUEVAL"], row["TUEVALID"]) == ("", "")  # nobody said who
    assert only(read(tmp_path, "TU"), USUBJID="ABC-01-P01", TULNKID="L4")["TUSTRESC"] == "NEW BONE LESION"
    assert only(read(tmp_path, "TU"), USUBJID="ABC-01-P01", TULNKID="L3", TUTESTCD="TUMIDENT")["TUSTRESC"] == "TARGET"


def test_a_merge_has_a_link_of_its_own_and_its_parents_are_not_done(results, tmp_path):
    write_sdtm(wish(results, tmp_path))
    row = only(read(tmp_path, "TU"), TUTESTCD="TUMERGE")
    assert (row["TULNKID"], row["TULOC"], row["TULAT"], row["VISIT"]) == ("L2/L3", "RIB 5", "LEFT", "wk24")
    tr = [row for row in read(tmp_path, "TR") if row["USUBJID"] == "ABC-01-P01" and row["VISIT"] == "wk24"]
    assert only(tr, TRLNKID="L2/L3", TRTESTCD="LDIAM")["TRSTRESC"] == "30"
    for parent in ("L2", "L3"):
        undone = only(tr, TRLNKID=parent, TRTESTCD="LDIAM")
        assert (undone["TRSTAT"], undone["TRREASND"]) == ("NOT DONE", "TUMOR MERGED")


def test_a_split_is_measured_as_one_and_its_parts_have_links_of_their_own(results, tmp_path):
    write_sdtm(wish(results, tmp_path))
    parts = [row for row in read(tmp_path, "TU") if row["TUTESTCD"] == "TUSPLIT"]
    assert [(row["TULNKID"], row["TULOC"], row["VISIT"], row["TUSTRESC"]) for row in parts] == [
        ("L3.1", "FEMUR", "wk12", "TARGET"),
        ("L3.2", "FEMUR", "wk12", "TARGET"),
    ]
    told = {(row["IDVARVAL"], row["QNAM"]): row["QVAL"] for row in read(tmp_path, "SUPPTU")}
    assert [told[row["TUGRPID"], "LABEL"] for row in parts] == ["L3a", "L3b"]
    assert {told[row["TUGRPID"], "PARENT"] for row in parts} == {"L3"}
    tr = read(tmp_path, "TR")
    assert only(tr, USUBJID="ABC-01-P01", TRLNKID="L3", TRTESTCD="LDIAM", VISIT="wk12")["TRSTRESC"] == "20"


def test_links_that_we_make_are_no_lesions_own_name(tmp_path):
    rows = ["L3,20,11,,", "L3.1,9,9,,", "L1,9,9,,", "L2,9,9,,", "L1/L2,9,9,,"]
    again = ["L3a,12,11,split,L3", "L3b,8,6,split,L3", "L3.1,9,9,,", "L1,18,9,merged,L1;L2", "L1/L2,9,9,,"]
    head = "patient_id,date,modality,lesion_type,lesion_id,long_axis_mm,short_axis_mm,status,parents"
    lines = [head, *(f"P,2024-01-05,CT,lytic,{row}" for row in rows)]
    lines += [f"P,2024-04-05,CT,lytic,{row}" for row in again]
    table = tmp_path / "in" / "t.csv"
    table.parent.mkdir()
    table.write_text("\n".join(lines) + "\n")
    write_sdtm(wish(mda.classify(table, tmp_path / "out", workers=1), tmp_path / "sdtm"))
    links = [row["TULNKID"] for row in read(tmp_path / "sdtm", "TU")]
    assert sorted(links) == ["L1", "L1/L2", "L1/L2*", "L2", "L3", "L3.1", "L3.1*", "L3.2"]
    tr = read(tmp_path / "sdtm", "TR")
    assert only(tr, TRLNKID="L1/L2*", TRTESTCD="LDIAM")["TRSTRESC"] == "18"


def test_names_that_a_transport_file_does_not_hold_are_numbered_and_never_one(tmp_path):
    """Each letter beyond ASCII would be a question mark, and two lesions one."""
    head = "patient_id,date,modality,lesion_type,lesion_id,long_axis_mm,short_axis_mm"
    names = ["病1", "灶1", "LESION1", "x" * 250 + "a", "x" * 250 + "b"]
    table = tmp_path / "in" / "t.csv"
    table.parent.mkdir()
    rows = [f"P,2024-01-05,CT,lytic,{name},{size},9" for size, name in enumerate(names, start=10)]
    table.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    written = write_sdtm(wish(mda.classify(table, tmp_path / "out", workers=1), tmp_path / "sdtm"))
    sizes = {row["TRLNKID"]: row["TRORRES"] for row in read(tmp_path / "sdtm", "TR") if row["TRTESTCD"] == "LDIAM"}
    assert sorted(sizes.values()) == ["10", "11", "12", "13", "14"]
    assert sizes["LESION1"] == "12"
    assert sum("is called LESION" in note for note in written.notes) == 4
    assert any("lesion '病1' is called LESION" in note for note in written.notes)
    links = [row["TULNKID"] for row in read(tmp_path / "sdtm", "TU")]
    assert len(set(links)) == len(links) == 5


def test_rows_that_cannot_be_told_apart_are_told():
    rows = [{"STUDYID": "S", "USUBJID": "S-1", "TULNKID": link} for link in ("a", "b", "a")]
    notes: list[str] = []
    sdtm._check_keys(TU, rows, notes)
    assert notes == ["SDTM TU: 1 rows have the key of another row (STUDYID, USUBJID, TULNKID)"]


def test_a_node_is_no_bone_lesion(tmp_path):
    """Readers call it a node once: neither number counts it, here or later, and its sum is not taken apart."""
    head = "patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm,lesion_type,node,status,site"
    table = tmp_path / "in" / "t.csv"
    table.parent.mkdir()
    rows = ["01-05,CT,L1,32,21,lytic,,,L3", "01-05,CT,N1,22,18,,true,,inguinal", "04-05,CT,L1,30,20,,,,"]
    rows += ["04-05,CT,N1,21,17,,,,", "04-05,CT,L2,12,12,lytic,,new,", "04-05,CT,N2,12,12,,true,new,"]
    table.write_text("\n".join([head, *(f"P,2024-{row}" for row in rows)]) + "\n")
    results = mda.classify(table, tmp_path / "out", workers=1)
    write_sdtm(wish(results, tmp_path / "sdtm"))
    tr, tu = (read(tmp_path / "sdtm", name) for name in ("TR", "TU"))
    assert only(tr, TRTESTCD="BNLNUM")["TRSTRESC"] == "1"
    assert only(tr, TRTESTCD="NBNLNUM")["TRSTRESC"] == "1"
    assert not any(row["TRTESTCD"] == "SUMLDIAM" for row in tr)
    assert [row["VISITNUM"] for row in tr if row["TRTESTCD"] == "SUMSIZE"] == ["1", "2"]
    assert {row["TULNKID"]: row["TULOC"] for row in tu} == {
        "L1": "L3 VERTEBRA",
        "N1": "LYMPH NODE",
        "L2": "BONE",
        "N2": "LYMPH NODE",
    }


def test_one_visit_of_the_study_has_one_number(exported):
    """As SDTM wants it, and whoever compares visits by their number."""
    _, folder = exported
    pairs = {(row["VISITNUM"], row["VISIT"]) for domain in ("TU", "TR", "RS") for row in read(folder, domain)} - {
        ("", "")
    }
    assert len({number for number, _ in pairs}) == len({name for _, name in pairs}) == len(pairs)


def test_a_lesion_that_is_gone_is_absent_and_zero(results, tmp_path):
    write_sdtm(wish(results, tmp_path))
    gone = {"USUBJID": "ABC-01-P01", "TRLNKID": "L1", "VISIT": "wk24"}
    assert only(read(tmp_path, "TR"), **gone, TRTESTCD="TUMSTATE")["TRSTRESC"] == "ABSENT"
    assert only(read(tmp_path, "TR"), **gone, TRTESTCD="LDIAM")["TRSTRESN"] == "0"


def test_a_lesion_without_a_row_is_not_done_never_gone(results, tmp_path):
    write_sdtm(wish(results, tmp_path))
    rows = [
        row
        for row in read(tmp_path, "TR")
        if row["USUBJID"] == "ABC-01-P02" and row["TRLNKID"] == "L1" and row["VISIT"] == "visit 2"
    ]
    assert {row["TRTESTCD"] for row in rows} == {"TUMSTATE", "LDIAM", "LPERP"}
    assert {(row["TRSTAT"], row["TRREASND"]) for row in rows} == {("NOT DONE", "NOT EVALUABLE")}


# What cannot be


@pytest.mark.parametrize(
    ("study", "what"),
    [
        ("", "SDTM needs the name of the study; give it: --study NAME"),
        (" ", "--study NAME"),
        ("É", "no name of a study"),
    ],
)
def test_a_study_has_a_name(results, tmp_path, study, what):
    with pytest.raises(SettingsError, match=what):
        write_sdtm(wish(results, tmp_path, study))
    assert not list(tmp_path.iterdir())


def test_somebody_elses_files_are_left_alone(results, tmp_path):
    (tmp_path / "tu.csv").write_text("mine\n")
    with pytest.raises(OutputError, match=r"tu\.csv is there already and was not written by an export"):
        write_sdtm(wish(results, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["tu.csv"]
    assert (tmp_path / "tu.csv").read_text() == "mine\n"


def test_a_file_changed_by_hand_is_left_alone(results, tmp_path):
    write_sdtm(wish(results, tmp_path))
    (tmp_path / "rs.csv").write_text("corrected\n")
    with pytest.raises(OutputError, match=r"rs\.csv was changed since it was exported"):
        write_sdtm(wish(results, tmp_path))
    assert (tmp_path / "rs.csv").read_text() == "corrected\n"


def test_a_dataset_without_rows_any_more_is_removed(results, tmp_path):
    write_sdtm(wish(results, tmp_path))
    listed = tmp_path / "written_by_mdanderson.json"
    names = json.loads(listed.read_text())
    (tmp_path / "tu.xpt").unlink()
    assert "tu.xpt" in names
    write_sdtm(wish(results, tmp_path))
    assert (tmp_path / "tu.xpt").exists()


def test_without_the_extra_one_line(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(SettingsError, match=r"needs the extra `export`; pip install 'mdanderson\[export\]'"):
        write_sdtm(wish(results, tmp_path))


def test_a_subject_whose_name_is_no_ascii_fails_alone(tmp_path):
    table = tmp_path / "in" / "t.csv"
    table.parent.mkdir()
    rows = ["patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm,lesion_type,site"]
    rows += ["Ä,2024-01-05,CT,L1,32,21,lytic,L3", "B,2024-01-05,CT,L1,32,21,lytic,Rücken ≥ Mitte"]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    results = mda.classify(table, tmp_path / "out", workers=1)
    written = write_sdtm(wish(results, tmp_path / "sdtm"))
    assert list(written.failed) == ["Ä"]
    assert {row["USUBJID"] for row in read(tmp_path / "sdtm", "TU")} == {"ABC-01-B"}
    assert any("letters beyond ASCII were replaced in QVAL" in note for note in written.notes)
    assert "Rucken ? Mitte" in {row["QVAL"] for row in read(tmp_path / "sdtm", "SUPPTU")}


# Small parts


@pytest.mark.parametrize(("day", "expected"), [(-1, -1), (0, 1), (1, 2)])
def test_there_is_no_day_zero(day, expected):
    start = dt.date(2024, 1, 10)
    assert study_day(start + dt.timedelta(days=day), start) == expected


def test_no_day_without_a_start():
    assert study_day(dt.date(2024, 1, 10), None) is None


@pytest.mark.parametrize("length", [199, 200, 201, 399, 400, 1000])
def test_long_texts_go_on_and_lose_no_word(length):
    text = ("word " * 300)[:length].strip()
    parts = list(continued(text))
    assert " ".join(parts) == text
    assert all(0 < len(part) <= 200 for part in parts)


def test_a_text_without_blanks_is_cut():
    assert [len(part) for part in continued("x" * 450)] == [200, 200, 50]


def test_ascii_takes_accents_off():
    assert as_ascii("Müller–≥5 naïve") == "Muller??5 naive"


@pytest.mark.parametrize(
    ("site", "laterality", "expected"),
    [
        ("L3", "", Place(location="L3 VERTEBRA")),
        ("Th12 vertebral body", "", Place(location="T12 VERTEBRA")),
        ("T12-L1", "", Place(location="SPINE")),
        ("left rib 5", "", Place(location="RIB 5", laterality="LEFT")),
        ("rib", "R", Place(location="RIB", laterality="RIGHT")),
        ("S2", "", Place(location="SACRUM")),
        ("proximal femur", "right", Place(location="FEMUR", laterality="RIGHT")),
        ("iliac crest", "left", Place(location="ILIUM", laterality="LEFT")),
        ("somewhere", "", Place(location="BONE")),
        ("", "", Place(location="BONE")),
    ],
)
def test_places(site, laterality, expected):
    assert place_of({"site": site, "laterality": laterality, "node": ""}) == expected


def test_a_node_is_no_bone():
    assert place_of({"site": "left iliac", "laterality": "", "node": "true"}).location == "LYMPH NODE"
