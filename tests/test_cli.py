"""The command line as a user meets it: texts, exit codes, one line per mistake, never a traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

import mdanderson
from mdanderson.batch import Results
from mdanderson.cli import main
from mdanderson.errors import ImageError, Problem
from mdanderson.findings import Examination
from mdanderson.readers.manifest import Patient
from mdanderson.report.handbook import handbook
from mdanderson.settings import Policy, Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import Modality

ROOT = Path(__file__).parents[1]
COMMANDS = (
    "demo",
    "check",
    "score",
    "classify",
    "agree",
    "explain",
    "report",
    "review",
    "verify",
    "key",
    "handbook",
    "settings",
)


def fresh(*arguments: str, **given: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "mdanderson", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False, **given)


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["patient_id,image,date,modality,visit"]
    for patient in ("P01", "P02"):
        for number, date in enumerate(("2024-01-05", "2024-04-02")):
            (folder / f"{patient}_{number}.nii").touch()
            rows.append(f"{patient},{patient}_{number}.nii,{date},CT,v{number}")
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n")
    return folder / "cohort.csv"


def in_this_process(work: Callable, tasks: tuple, *, start: Callable[[object], None], **_: object) -> Iterator:
    """In place of processes of their own, which would know of no stand-in."""
    for task in tasks:
        start(task)
        yield work(task)


@pytest.fixture
def assess(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a stand-in in the place of the image half; patients named in it raise."""

    def put(**raises: BaseException) -> None:
        def fake(patient: Patient, /, *, settings: Settings, criteria: tuple[str, ...]) -> Timeline:
            if patient.patient_id in raises:
                raise raises[patient.patient_id]
            examinations = [
                Examination(modality=Modality.CT, date=entry.date, visit=entry.visit) for entry in patient.images
            ]
            return build_timeline(patient.facts, examinations, settings=settings, criteria=criteria)

        monkeypatch.setattr(sys.modules["mdanderson.batch.one"], "_default_assess", lambda **_: fake)
        monkeypatch.setattr(import_module("mdanderson.batch.workers"), "in_processes", in_this_process)

    return put


def test_help_is_quick_and_complete() -> None:
    """No heavy library is imported for it; the time itself is measured in the benchmarks."""
    program = (
        "import sys; from mdanderson.cli import main; code = main(['--help']);"
        "heavy = {'numpy', 'pandas', 'pydicom', 'SimpleITK', 'nibabel', 'highdicom', 'scipy', 'matplotlib', 'joblib'};"
        "print(sorted(heavy & set(sys.modules)), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[] 0"
    for command in COMMANDS:
        assert f"│ {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"Example: mdanderson {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"mdanderson {mdanderson.__version__}\n"


def test_settings_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings"]) == 0
    text = capsys.readouterr().out
    assert Settings.from_mapping(tomllib.loads(text)) == Settings()


def test_handbook_is_the_page_by_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["handbook"]) == 0
    assert capsys.readouterr().out == handbook()
    mine = tmp_path / "mine.toml"
    mine.write_text("[policy]\npr_size_fall = 0.4\n")
    assert main(["handbook", "--config", str(mine)]) == 0
    assert capsys.readouterr().out == handbook(Settings(policy=Policy(pr_size_fall=0.4)))
    mine.write_text("[policy]\npr_size_fall = 4\n")
    assert "policy.pr_size_fall" in failure(capsys, "handbook", "--config", str(mine))


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a command leaves on stderr when nothing could be done."""
    assert main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["scroe"], "mdanderson: No such command 'scroe'. Did you mean 'score'? `mdanderson --help` shows"),
        (["score"], "mdanderson: Missing argument 'COHORT'; `mdanderson --help` shows the commands"),
        (["score", "cohort.csv"], "mdanderson: Missing option '--out' / '-o'; `mdanderson --help` shows the commands"),
        (["score", "c.csv", "-o", "out", "--workers", "0"], "mdanderson: Invalid value for '--workers'"),
        (["score", "c.csv", "-o", "out", "--workers", "two"], "mdanderson: Invalid value for '--workers'"),
        (["score", "c.csv", "-o", "out", "--timeout", "-1"], "mdanderson: Invalid value for '--timeout'"),
        (["score", "c.csv", "-o", "out", "--memory", "0.1"], "mdanderson: Invalid value for '--memory'"),
    ],
)
def test_bad_usage(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert failure(capsys, *arguments).startswith(line)


def test_no_command_at_all() -> None:
    done = fresh()
    assert done.returncode == 2
    assert "Usage: mdanderson" in done.stdout
    assert done.stderr == ""


def elsewhere(cohort: Path) -> Path:
    """The same cohort told by a table in another folder."""
    table = cohort.parent.parent / "tables" / "cohort.csv"
    table.parent.mkdir()
    table.write_text(cohort.read_text().replace(",P0", f",{cohort.parent}/P0"))
    return table


def test_unreadable_inputs(cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert "none.csv; check the path" in failure(capsys, "score", str(tmp_path / "none.csv"), "-o", out)
    assert "none.csv; check the path" in failure(capsys, "check", str(tmp_path / "none.csv"))
    assert "the cohort's own folder" in failure(capsys, "score", str(cohort), "-o", str(cohort.parent))
    assert "beside images or masks" in failure(capsys, "score", str(elsewhere(cohort)), "-o", str(cohort.parent))
    assert "the settings file cannot be read" in failure(
        capsys, "score", str(cohort), "-o", out, "--config", "none.toml"
    )
    assert "tnm8" in failure(capsys, "score", str(cohort), "-o", out, "--criteria", "mda2010,tnm8")
    (tmp_path / "mine.toml").write_text("[policy]\npr_size_fal = 0.4\n")
    line = failure(capsys, "score", str(cohort), "-o", out, "--config", str(tmp_path / "mine.toml"))
    assert "policy.pr_size_fal" in line
    assert "mine.toml" in line
    assert not (tmp_path / "out").exists()


def test_score(cohort: Path, tmp_path: Path, assess: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    assess()
    assert main(["score", str(cohort), "-o", str(tmp_path / "out"), "--no-report"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].split() == ["patient", "visit", "date", "category", "reason"]
    assert [line.split()[:4] for line in lines[1:5]] == [
        ["P01", "v0", "2024-01-05", "BL"],
        ["P01", "v1", "2024-04-02", lines[2].split()[3]],
        ["P02", "v0", "2024-01-05", "BL"],
        ["P02", "v1", "2024-04-02", lines[4].split()[3]],
    ]
    assert lines[-2:] == [
        f"Results: {tmp_path / 'out'} (2 patients scored, 0 failed)",
        "Research use only, not a medical device.",
    ]
    assert printed.err.splitlines()[-1].startswith("2 of 2 patients done; ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"workers": 1, "timeout_s": 3600.0, "memory_gb": None}),
        (["--timeout", "5", "--memory", "1.5", "--workers", "3"], {"workers": 3, "timeout_s": 5.0, "memory_gb": 1.5}),
        (["--timeout", "0"], {"timeout_s": None}),
    ],
)
def test_limits_of_a_patient(
    arguments: list[str],
    expected: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A patient that hangs overnight costs an hour, unless told otherwise."""
    given: dict[str, object] = {}

    def score(*_: object, **options: object) -> Results:
        given.update(options)
        raise ImageError("enough")

    monkeypatch.setattr("mdanderson.batch.score", score)
    assert failure(capsys, "score", "cohort.csv", "-o", "out", *arguments) == "mdanderson: enough"
    assert {name: given[name] for name in expected} == expected


def test_score_again_says_what_was_kept(
    cohort: Path, tmp_path: Path, assess: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    assess()
    arguments = ["score", str(cohort), "-o", str(tmp_path / "out"), "--no-report"]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    assert main(arguments) == 0
    again = capsys.readouterr()
    assert again.out == first
    assert again.err == "2 of 2 patients kept from an earlier run\n"
    assert main([*arguments, "--fresh"]) == 0
    assert "earlier run" not in capsys.readouterr().err


def test_explain(cohort: Path, tmp_path: Path, assess: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    assess(P02=ImageError("torn"))
    out = str(tmp_path / "out")
    assert main(["score", str(cohort), "-o", out, "-q", "--no-report"]) == 1
    capsys.readouterr()
    assert main(["explain", out, "--patient", "P01"]) == 0
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if not line.startswith(" ")] == [
        "P01 v0 2024-01-05",
        "P01 v1 2024-04-02",
    ]
    assert "  mda2010 overall: BL, baseline" in printed
    assert main(["explain", out, "-p", "P01", "--visit", "v1"]) == 0
    assert capsys.readouterr().out.startswith("P01 v1 2024-04-02\n")
    assert main(["explain", out, "-p", "P01", "--visit", "2024-04-02"]) == 0
    assert capsys.readouterr().out.startswith("P01 v1 2024-04-02\n")
    assert "no visit 'v9' @ P01; the visits are v0, v1" in failure(capsys, "explain", out, "-p", "P01", "--visit", "v9")
    assert "the patient was not scored: torn @ P02" in failure(capsys, "explain", out, "-p", "P02")
    assert "no patient 'P03' in the results" in failure(capsys, "explain", out, "-p", "P03")
    assert "no results here" in failure(capsys, "explain", str(tmp_path), "-p", "P01")


@pytest.mark.parametrize("end", ["full", "closed"])
def test_what_cannot_be_printed_costs_no_result(cohort: Path, tmp_path: Path, end: str) -> None:
    """A full disk behind stdout, a reader such as `head` that has left: the exit code tells of the patients."""
    program = textwrap.dedent(f"""
        import sys
        from types import SimpleNamespace
        from mdanderson.cli import main
        from mdanderson.cli.tell import show
        import mdanderson.batch
        import mdanderson.cli.cohort as room

        room.show_results = lambda *_, **__: show(["a line"] * 10)
        mdanderson.batch.score = lambda *_, **__: SimpleNamespace(failed={{"P02": "torn"}}, scored=("P01",))
        sys.exit(main(["score", {str(cohort)!r}, "-o", {str(tmp_path / "out")!r}]))
    """)
    if end == "full":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        read, descriptor = os.pipe()
        os.close(read)
    with os.fdopen(descriptor, "wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=out, stderr=subprocess.PIPE, cwd=ROOT, timeout=60, check=False
        )
    full = "mdanderson: nothing can be printed (No space left on device); what was to be written to files is written\n"
    assert done.stderr.decode() == (full if end == "full" else "") + "mdanderson: P02: torn\n"
    assert done.returncode == 1


def test_told_to_end_is_another_code_than_stopped_by_hand(cohort: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    def ended(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr("mdanderson.batch.score", ended)
    try:
        assert main(["score", str(cohort), "-o", str(tmp_path / "out"), "-q"]) == 143
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err == "mdanderson: stopped; run the same command again\n"


def test_some_failed(
    cohort: Path, tmp_path: Path, assess: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    assess(P02=ImageError("slices are missing", where="x", way_out="export again"))
    assert main(["score", str(cohort), "-o", str(tmp_path / "out"), "--quiet", "--no-report"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "mdanderson: P02: slices are missing @ x; export again\n"


def test_a_patient_whose_images_cannot_be_read_is_told_with_file_and_way_out(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ways to fail: files that are no images, and rows whose files are not there."""
    cohort.write_text("\n".join(cohort.read_text().splitlines()[:3]) + "\nP03,gone.nii,2024-01-05,CT,v0\n")
    assert main(["score", str(cohort), "-o", str(tmp_path / "out"), "-q", "--no-report"]) == 2
    first, second, _ = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"mdanderson: P01: .+ @ P01_0\.nii; .+", first)
    told = "mdanderson: P03: no image can be used: file not found: gone.nii @ cohort.csv row 4 column image; correct"
    assert second.startswith(told)


def test_none_scored(
    cohort: Path, tmp_path: Path, assess: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    assess(P01=ImageError("no"), P02=ZeroDivisionError("a\nb"))
    assert main(["score", str(cohort), "-o", str(tmp_path / "out"), "-q", "--no-report"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "mdanderson: P01: no"
    assert lines[1].startswith("mdanderson: P02: unexpected error (bug): ZeroDivisionError a b; report")
    assert lines[2] == "mdanderson: no patient could be scored; see problems.csv in the results folder"
    assert (tmp_path / "out" / "problems.csv").exists()


def test_interrupted(
    cohort: Path, tmp_path: Path, assess: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    assess(P02=KeyboardInterrupt())
    assert main(["score", str(cohort), "-o", str(tmp_path / "out"), "-q"]) == 130
    assert capsys.readouterr().err == "mdanderson: stopped; run the same command again\n"


@pytest.mark.slow
def test_ctrl_c_while_workers_run(cohort: Path, tmp_path: Path) -> None:
    """A terminal interrupts the whole group, workers included; pressed twice, one line is all there is to read."""
    program = textwrap.dedent(f"""
        import functools, sys, time
        import mdanderson.batch
        from mdanderson.cli import main

        def fake(patient, /, *, settings, criteria):
            open({str(tmp_path)!r} + "/started-" + patient.patient_id, "w").close()
            time.sleep(60)

        mdanderson.batch.score = functools.partial(mdanderson.batch.score, assess=fake)
        sys.exit(main(["score", {str(cohort)!r}, "-o", {str(tmp_path / "out")!r}, "-q", "--workers", "2"]))
    """)
    running = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    began = time.monotonic()
    while len(list(tmp_path.glob("started-*"))) < 2:
        assert running.poll() is None
        assert time.monotonic() - began < 120, "the workers never started"
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert err == "mdanderson: stopped; run the same command again\n"
    assert running.returncode == 130


def test_a_bug_of_our_own_is_one_line(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> Results:
        raise RuntimeError("a\nb")

    monkeypatch.setattr("mdanderson.batch.score", broken)
    line = failure(capsys, "score", str(cohort), "-o", str(tmp_path / "out"), "-q")
    assert line == "mdanderson: unexpected error (bug): RuntimeError a b"


def test_a_pipe_that_closes_is_no_error() -> None:
    program = "import sys; from mdanderson.cli import main; sys.exit(main(['settings']))"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=closed, stderr=subprocess.PIPE, cwd=ROOT, timeout=60, check=False
        )
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("found", "code", "last"),
    [
        ({}, 0, "2 patients, 4 images read, 0 errors"),
        ({"P01": 1}, 1, "2 patients, 3 images read, 1 errors"),
        ({"P01": 2, "P02": 2}, 2, "2 patients, 0 images read, 4 errors"),
    ],
)
def test_check(
    cohort: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: dict[str, int],
    code: int,
    last: str,
) -> None:
    def loads(patient: Patient) -> tuple[int, tuple[Problem, ...]]:
        torn = found.get(patient.patient_id, 0)
        problems = [Problem(what="torn", where=entry.image.name) for entry in patient.images[:torn]]
        return len(patient.images) - torn, tuple(problems)

    monkeypatch.setattr(import_module("mdanderson.batch.check"), "_load", loads)
    assert main(["check", str(cohort), "--quiet"]) == code
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == last
    assert printed.out.count("error: torn @ P0") == sum(found.values())
    assert printed.err == ("mdanderson: no patient has a readable image\n" if code == 2 else "")


def test_check_prints_the_manifests_problems(cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with cohort.open("a") as file:
        file.write("P03,gone.nii,2024-01-05,CT,v0\n")
    assert main(["check", str(cohort)]) in {1, 2}
    line = "error: file not found: gone.nii @ P03 v0 cohort.csv row 6 column image; correct the path; it starts at the"
    assert line in capsys.readouterr().out


def test_check_survives_a_bug(
    cohort: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def loads(patient: Patient) -> tuple[int, tuple[Problem, ...]]:
        if patient.patient_id == "P01":
            raise ZeroDivisionError("x")
        raise ImageError("torn")

    monkeypatch.setattr(import_module("mdanderson.batch.check"), "_load", loads)
    assert main(["check", str(cohort)]) == 2
    out = capsys.readouterr().out
    assert "error: unexpected error (bug): ZeroDivisionError x @ P01 manifest row 2; report it" in out
    assert "error: torn @ P02" in out


def test_demo_refuses_a_folder_with_something_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").touch()
    line = failure(capsys, "demo", str(tmp_path))
    assert line == f"mdanderson: the folder is not empty @ {tmp_path}; name a new one"
    assert "the folder is not empty" in failure(capsys, "demo", str(tmp_path / "mine.txt"))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_demo_writes_where_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Path] = []

    def write(folder: Path) -> Path:
        told.append(folder)
        return folder / "cohort.csv"

    monkeypatch.setattr("mdanderson.phantoms.write_demo", write, raising=False)
    assert main(["demo", str(tmp_path / "new")]) == 0
    assert told == [tmp_path / "new"]
    assert f"mdanderson score {tmp_path / 'new' / 'cohort.csv'} -o results" in capsys.readouterr().out


def write_measurements(folder: Path, patients: int = 2, rows: str = "") -> Path:
    """Every patient responds; the one with the highest number progresses."""
    folder.mkdir()
    lines = ["patient_id,date,visit,modality,lesion_id,long_axis_mm,short_axis_mm"]
    for number in range(1, patients + 1):
        later = "60,30" if number == patients else "20,10"
        lines.append(f"P{number:03d},2024-01-05,baseline,CT,L1,40,20")
        lines.append(f"P{number:03d},2024-04-02,week 12,CT,L1,{later}")
    (folder / "measurements.csv").write_text("\n".join(lines) + "\n" + rows)
    return folder / "measurements.csv"


def test_classify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_measurements(tmp_path / "data")
    out = tmp_path / "out"
    assert main(["classify", str(table), "-o", str(out), "--criteria", "mda2010,who"]) == 0
    printed = capsys.readouterr()
    lines = [line.split() for line in printed.out.splitlines()]
    assert lines[0] == ["patient", "visit", "date", "criteria", "category", "reason"]
    assert ["P001", "week", "12", "2024-04-02", "mda2010", "PR"] in [line[:6] for line in lines]
    assert ["P001", "week", "12", "2024-04-02", "who", "PR", "(unconfirmed)"] in [line[:7] for line in lines]
    assert printed.out.splitlines()[-2:] == [
        f"Results: {out} (2 patients classified, 0 failed)",
        "Research use only, not a medical device.",
    ]
    assert printed.err.splitlines()[-1] == "2 of 2 patients done; problems: 0"
    assert main(["explain", str(out), "-p", "P002", "--visit", "week 12"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("P002 week 12 2024-04-02\n  mda2010 L1 CT: PD, ")
    assert "\n    WHO-PD (PD) fired: " in told


def test_classify_sums_up_many_patients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_measurements(tmp_path / "data", patients=60)
    (table.parent / "patients.csv").write_text("patient_id,arm\nP001,A\nP060,B\n")
    assert main(["classify", str(table), "-o", str(tmp_path / "out"), "--by", "arm", "--workers", "1"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[:4] == [
        "criteria group patients CR PR SD PD NE response disease control",
        "mda2010 all 60 0 59 0 1 0 98 % (91-100) 98 % (91-100)",
        "mda2010 A 1 0 1 0 0 0 100 % (2-100) 100 % (2-100)",
        "mda2010 B 1 0 0 0 1 0 0 % (0-98) 0 % (0-98)",
    ]


def test_classify_by_settings_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, mine = write_measurements(tmp_path / "data"), tmp_path / "mine.toml"
    mine.write_text("[policy]\npd_size_rise = 0.6\n")
    assert main(["classify", str(table), "-o", str(tmp_path / "out"), "-q", "--config", str(mine)]) == 0
    assert ",SD," in (tmp_path / "out" / "responses.csv").read_text()
    mine.write_text("[policy]\n\npd_size_ris = 0.6\n")
    line = failure(capsys, "classify", str(table), "-o", str(tmp_path / "out"), "--config", str(mine))
    assert line == (
        f"mdanderson: policy.pd_size_ris: unknown key @ {mine} line 3; is pd_size_rise meant? "
        "`mdanderson settings` prints every key with its default"
    )


def test_classify_names_those_that_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lost = "".join(f"Q{number:02d},someday,,CT,L1,10,10\n" for number in range(25))
    table = write_measurements(tmp_path / "data", rows=lost)
    assert main(["classify", str(table), "-o", str(tmp_path / "out"), "-q"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(
        "mdanderson: Q00: no row can be used: not an ISO 8601 date: someday @ measurements.csv row"
    )
    assert len(lines) == 21
    assert lines[-1] == "mdanderson: and 5 more patients failed; see problems.csv in the results folder"


def test_classify_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_measurements(tmp_path / "data", patients=0, rows="P01,someday,,CT,L1,10,10\n")
    assert main(["classify", str(table), "-o", str(tmp_path / "out"), "-q"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "mdanderson: no patient could be classified; see problems.csv in the results folder"
    out = str(tmp_path / "other")
    assert "none.csv; check the path" in failure(capsys, "classify", str(tmp_path / "none.csv"), "-o", out)
    assert "beside the tables" in failure(capsys, "classify", str(table), "-o", str(table.parent))
    assert "no column 'arm'" in failure(capsys, "classify", str(table), "-o", out, "--by", "arm")
    assert "Missing argument 'MEASUREMENTS'" in failure(capsys, "classify")
    assert "no criteria set named" in failure(capsys, "classify", str(table), "-o", out, "--criteria", "")
    for nameless in ("", " "):
        assert "the results folder has no name" in failure(capsys, "classify", str(table), "-o", nameless)
    assert "File name too long" in failure(capsys, "classify", str(table), "-o", "x" * 400)
    assert not Path(out).exists()


def test_nothing_is_said_before_a_table_was_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that is missing is one line on stderr, with no patients counted before it."""
    table = write_measurements(tmp_path / "data", patients=1)
    (tmp_path / "data" / "reads.csv").write_text("patient_id,date\nP001,2024-01-05\n")
    assert "no column modality @ reads.csv" in failure(capsys, "classify", str(table), "-o", str(tmp_path / "out"))
    table.write_text("patient_id,date,lesion_id\n")
    assert "no rows @ measurements.csv" in failure(capsys, "classify", str(table), "-o", str(tmp_path / "out"))
    table.write_text("patient_id,date\nP001,2024-01-05\n")
    assert "no column lesion_id @ measurements.csv" in failure(
        capsys, "classify", str(table), "-o", str(tmp_path / "out")
    )
    assert not (tmp_path / "out").exists()


def test_classify_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> Results:
        raise KeyboardInterrupt

    monkeypatch.setattr("mdanderson.batch.classify", stopped)
    assert main(["classify", "m.csv", "-o", str(tmp_path / "out"), "-q"]) == 130
    assert capsys.readouterr().err == "mdanderson: stopped; run the same command again\n"


def test_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = []
    for name, patients in (("smith", 4), ("jones", 5)):
        table = write_measurements(tmp_path / f"data_{name}", patients=patients)
        folders.append(str(tmp_path / name))
        assert main(["classify", str(table), "-o", folders[-1], "-q"]) == 0
    out = tmp_path / "both"
    assert main(["agree", *folders, "-o", str(out), "--names", "Dr Smith, Dr Jones"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "Dr Smith and Dr Jones: 2 visits to adjudicate"
    assert lines[1] == "criteria item scope pairs agreement kappa weighted kappa"
    assert any(line.startswith("mda2010 best_response overall 4 75 % ") for line in lines)
    assert lines[-2:] == [f"Tables: {out}", "Research use only, not a medical device."]
    adjudication = (out / "adjudication.csv").read_text()
    assert adjudication.count("P004,week 12,2024-04-02,mda2010,") == 2
    assert "no results here" in failure(capsys, "agree", folders[0], str(tmp_path / "none"), "-o", str(out))
    for names in ("A", "A,A", "A,B,C", "A,"):
        assert f"names '{names}'; give two different ones" in failure(
            capsys, "agree", *folders, "-o", str(out), "--names", names
        )


def test_several_readers_are_compared_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "data" / "measurements.csv"
    table.parent.mkdir()
    rows = ["patient_id,date,modality,lesion_id,long_axis_mm,short_axis_mm,reader"]
    for reader, size in (("Smith", 20), ("Jones", 60)):
        rows += [f"P01,2024-01-05,CT,L1,40,20,{reader}", f"P01,2024-04-02,CT,L1,{size},20,{reader}"]
    table.write_text("\n".join(rows) + "\n")
    assert main(["classify", str(table), "-o", str(tmp_path / "out")]) == 0
    assert "Jones and Smith: 2 visits to adjudicate" in capsys.readouterr().out
    assert (tmp_path / "out" / "adjudication.csv").exists()
