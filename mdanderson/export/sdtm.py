"""Results as CDISC SDTM: TU, TR and RS with what qualifies and relates them, for a trial's database.

Nothing is added to what the tables say. Evaluators are left blank, as results do not tell an investigator from an
independent reader. There is no define.xml: no library that is kept by more than one person writes one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mdanderson.errors import SettingsError
from mdanderson.export.own_files import write_own_files
from mdanderson.export.sdtm_domains import DATASETS, RELREC, RS, TR, TU, Dataset
from mdanderson.export.sdtm_files import as_csv, as_transport, check_transport, in_ascii
from mdanderson.export.sdtm_lesions import add_lesions
from mdanderson.export.sdtm_names import with_plain_names
from mdanderson.export.sdtm_places import is_published
from mdanderson.export.sdtm_responses import add_responses
from mdanderson.export.sdtm_rows import Cell, Row, Subject
from mdanderson.export.sdtm_terms import CATEGORIES, LESION_TESTS, PATIENT_TESTS, TERMINOLOGY
from mdanderson.export.visits import patients_in
from mdanderson.export.wish import Wish, Written

__all__ = ["EXTENSIONS_FILE", "write_sdtm"]

EXTENSIONS_FILE = "sponsor_extensions.csv"
_EXTENSIONS_HEADER = ("dataset", "variable", "term", "decode", "why")
_MOST_CHARACTERS = 200
_RELATIONS = (
    (TU, "TULNKID", "ONE", "LESION"),
    (TR, "TRLNKID", "MANY", "LESION"),
    (TR, "TRLNKGRP", "MANY", "VISIT"),
    (RS, "RSLNKGRP", "MANY", "VISIT"),
)
"""Dataset, the variable that leads to others, how many of its rows have one value, and the name of the relation."""
_NEWLIND = {"Y", "N"}


def write_sdtm(wish: Wish) -> Written:
    """Write every dataset as XPT and CSV, and the list of terms that are no published ones.

    Raises `SettingsError` without a study or the extra, `OutputError` where files of these names are somebody else's.
    """
    check_transport()
    study = _checked_study(wish.study)
    rows: dict[str, list[Row]] = {dataset.name: [] for dataset in DATASETS}
    failed: dict[str, str] = {}
    told: list[str] = []
    for patient in patients_in(wish.results):
        if not patient.patient_id.isascii() or len(f"{study}-{patient.patient_id}") > _MOST_CHARACTERS:
            failed[patient.patient_id] = (
                "no SDTM: a subject's name is ASCII, of at most 200 characters; rename it, or score under pseudonyms"
            )
            continue
        plain, given = with_plain_names(patient)
        told += (f"SDTM {patient.patient_id}: lesion {name!r} is called {made}" for name, made in given.items())
        subject = Subject(study=study, patient=plain)
        add_lesions(subject, given)
        add_responses(subject)
        for name, added in subject.rows.items():
            rows[name] += added
    rows[RELREC.name] = list(_relations(study, rows))
    files, notes = _files(rows)
    notes[:0] = told
    extensions = tuple(_extensions(rows))
    files[EXTENSIONS_FILE] = _table(extensions)
    names = (f"{dataset.name.lower()}.{ending}" for dataset in DATASETS for ending in ("csv", "xpt"))
    written = write_own_files(wish.folder, files, retired=names)
    if extensions:
        notes.append(f"SDTM: {len(extensions)} terms are no published ones of {TERMINOLOGY}: see {EXTENSIONS_FILE}")
    return Written(files=written, failed=failed, notes=tuple(notes))


def _checked_study(study: str) -> str:
    """The study's name as STUDYID. Raises `SettingsError`."""
    name = study.strip()
    if not name:
        raise SettingsError("SDTM needs the name of the study", way_out="give it: --study NAME")
    if not (name.isascii() and name.isprintable()) or len(name) > 40:
        raise SettingsError("no name of a study", where="--study", way_out="give at most 40 ASCII characters")
    return name


def _files(rows: Mapping[str, Sequence[Row]]) -> tuple[dict[str, bytes], list[str]]:
    """The files of datasets that have rows, and what is to be said of their letters."""
    files: dict[str, bytes] = {}
    notes: list[str] = []
    for dataset in DATASETS:
        if not rows[dataset.name]:
            continue
        plain, changed = in_ascii(rows[dataset.name])
        _check_lengths(dataset, plain, notes)
        _check_keys(dataset, plain, notes)
        files[f"{dataset.name.lower()}.csv"] = as_csv(dataset, plain)
        files[f"{dataset.name.lower()}.xpt"] = as_transport(dataset, plain)
        if changed:
            notes.append(f"SDTM {dataset.name}: letters beyond ASCII were replaced in {', '.join(sorted(changed))}")
    return files, notes


def _check_lengths(dataset: Dataset, rows: Sequence[dict[str, Cell]], notes: list[str]) -> None:
    """Cut what a character variable does not hold, and say so."""
    cut: set[str] = set()
    for row in rows:
        for name, cell in row.items():
            if isinstance(cell, str) and len(cell) > _MOST_CHARACTERS:
                row[name] = cell[:_MOST_CHARACTERS]
                cut.add(name)
    if cut:
        notes.append(f"SDTM {dataset.name}: more than 200 characters were cut in {', '.join(sorted(cut))}")


def _check_keys(dataset: Dataset, rows: Sequence[dict[str, Cell]], notes: list[str]) -> None:
    """Say where rows cannot be told apart."""
    twice = len(rows) - len({tuple(row.get(name) for name in dataset.keys) for row in rows})
    if twice:
        notes.append(f"SDTM {dataset.name}: {twice} rows have the key of another row ({', '.join(dataset.keys)})")


def _relations(study: str, rows: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    """How datasets are joined; a relation of which one side has no rows is none."""
    for relation in dict.fromkeys(name for *_, name in _RELATIONS):
        sides = [(dataset, variable, how) for dataset, variable, how, name in _RELATIONS if name == relation]
        if all(rows[dataset.name] for dataset, *_ in sides):
            for dataset, variable, how in sides:
                yield {
                    "STUDYID": study,
                    "RDOMAIN": dataset.name,
                    "IDVAR": variable,
                    "RELTYPE": how,
                    "RELID": relation,
                }


def _extensions(rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, ...]]:
    """Every term that is used and is no published one, with the reason, each once."""
    tests = (*LESION_TESTS, *PATIENT_TESTS.values())
    ours = {test.code: test.name for test in tests if not test.published}
    used = {str(row["TRTESTCD"]) for row in rows[TR.name]}
    for code in sorted(used & ours.keys()):
        yield TR.name, "TRTESTCD", code, ours[code], "no published test for it"
    locations = {str(row["TULOC"]) for row in rows[TU.name]}
    for location in sorted(one for one in locations if not is_published(one)):
        yield TU.name, "TULOC", location, "", "not among the locations that were checked"
    known = {*CATEGORIES.values(), *_NEWLIND}
    for word in sorted({str(row["RSSTRESC"]) for row in rows[RS.name]} - known):
        yield RS.name, "RSSTRESC", word, "", "not among the results that were checked"
    for name in ("SUPPTU", "SUPPTR", "SUPPRS"):
        for qualifier, label in sorted({(str(row["QNAM"]), str(row["QLABEL"])) for row in rows[name]}):
            yield name, "QNAM", qualifier, label, "a qualifier of ours"


def _table(lines: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_EXTENSIONS_HEADER, *lines])
    return out.getvalue().encode()
