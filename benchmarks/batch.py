"""A cohort of small phantom patients in one run: is time linear, is memory flat, what do two workers gain.

    python benchmarks/batch.py [--patients 2000] [--pairs 200] [--folder DIR]
    python benchmarks/batch.py --large 5 [--kind dicom|nifti|scaled] [--bones]

Eight phantom patients of two visits are made once; the cohort names them again and again by hard links, so that the
disk holds each image once; every patient is read, registered, matched, measured and judged. The curve is that
of one run with one worker: seconds since its start, and the memory of the parent and of its worker, at ten points. Then
one worker and two are compared on a part of the cohort, in turn on the same machine, twice: a pair of ratios. At the
end the tables of all are compared byte by byte, and a run over what is finished is timed.

`--large` scores one patient of so many visits of 512 x 512 x 400 voxels with ten lesions by `mdanderson score`, in
processes of its own: the most memory that any of them took, and seconds. A kind is a DICOM series of 16 bits, NIfTI of
16 bits compressed, or NIfTI whose header scales it to floating point. `--bones`: with a label map of bones at every
visit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import mdanderson as mda

TABLES = ("lesions.csv", "responses.csv", "patients.csv", "problems.csv")
KINDS = 8
HEAD = "\n   done   seconds     CPU s   CPU s/patient   parent MB   worker MB"
SPEC = """
seed = 6
[host]
kind = "vertebrae"
[scan]
slice_mm = 2.0
pixel_mm = [1.5, 1.5]
field_mm = [98.0, 92.0, 72.0]
noise_hu = 12.0
"""
PATIENT = """
[[patient]]
id = "K{number}"
[[patient.lesion]]
name = "A"
centre_mm = [{shift}, 0.0, -16.0]
size_mm = [{size}, 12.0, 12.0]
[[patient.visit]]
weeks = 0
[[patient.visit]]
weeks = 14
change = [{{ lesion = "A", scale = {scale} }}]
"""


LARGE, LARGE_MM = (400, 512, 512), (1.0, 0.78, 0.78)
LARGE_KINDS = ("dicom", "nifti", "scaled")


class Point(NamedTuple):
    """Where a run is. cpu_s: of parent and workers. Memory in MB, resident; -1 where the system does not tell."""

    done: int
    seconds: float
    cpu_s: float
    parent_mb: float
    workers_mb: float


def score_large(visits: int, kind: str, bones: bool, folder: Path) -> None:
    """Peak memory and time of one patient. The data are made elsewhere: a child begins with its parent's peak."""
    asked = [str(visits), kind, str(int(bones)), str(folder / "data")]
    subprocess.run([sys.executable, __file__, "--make-large", *asked], check=True)
    command = [sys.executable, "-m", "mdanderson", "score", str(folder / "data" / "cohort.csv"), "-o"]
    command += [str(folder / "out"), "--quiet"]
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, code, used = os.wait4(process.pid, 0)
    seconds, cpu_s = time.perf_counter() - began, used.ru_utime + used.ru_stime
    with (folder / "out" / "lesions.csv").open() as rows:
        lesions = sum(1 for _ in rows) - 1
    what = f"{visits} visits of 512 x 512 x 400 as {kind}" + ", label maps of bones" * bones
    print(
        f"{what}: {used.ru_maxrss * 1024 / 1e9:.2f} GB, {seconds:.1f} s, {cpu_s:.1f} s of processor time; "
        f"{lesions} rows of lesions, exit code {os.waitstatus_to_exitcode(code)}"
    )


def make_large(visits: int, kind: str, bones: bool, folder: Path) -> None:
    """One trunk, at every visit with other noise and a little moved."""
    import numpy as np
    from speed_bodies import ellipsoids, trunk, write_series

    folder.mkdir(parents=True)
    body, labels = trunk(LARGE, LARGE_MM, seed=0), ellipsoids(LARGE, LARGE_MM, 10)
    lines = ["patient_id,date,modality,image,mask,bone_mask"]
    for visit in range(visits):
        rng = np.random.default_rng(visit)
        ct = np.roll(body, 2 * visit, axis=1)
        for plane in ct:
            np.add(plane, rng.normal(0.0, 12.0, plane.shape).astype(np.int16), out=plane)
        names = [f"ct{visit}" if kind == "dicom" else f"ct{visit}.nii.gz", f"lesions{visit}.nii.gz", ""]
        if kind == "dicom":
            write_series(folder / names[0], ct, LARGE_MM)
        else:
            write_nifti(ct, folder / names[0], slope=1.0 if kind == "nifti" else 0.5)
        write_nifti(np.roll(labels, 2 * visit, axis=1), folder / names[1])
        if bones:
            names[2] = f"bones{visit}.nii.gz"
            write_nifti(bone_labels(ct), folder / names[2])
        lines.append(f"P1,{2020 + visit}-01-01,CT,{','.join(names)}")
    (folder / "cohort.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def bone_labels(ct: Any) -> Any:
    """uint8: all that is dense, a label every eight planes and two beside each other, as a model would tell bones."""
    import numpy as np

    labels = np.zeros(ct.shape, dtype=np.uint8)
    half = ct.shape[2] // 2
    for plane, (values, its) in enumerate(zip(ct, labels, strict=True)):
        its[values > 130] = 1 + 2 * (plane // 8)
        its[:, half:][its[:, half:] > 0] += 1
    return labels


def write_nifti(array: Any, path: Path, *, slope: float = 1.0) -> None:
    """Voxels (plane, row, column) where `write_series` puts those of a series."""
    import nibabel
    import numpy as np

    affine = np.diag([-LARGE_MM[2], -LARGE_MM[1], LARGE_MM[0], 1.0])
    affine[:3, 3] = 200, 200, 0
    image = nibabel.Nifti1Image(array.T, affine)
    image.set_sform(affine, code=1)
    image.header.set_slope_inter(slope, 0.0)
    nibabel.save(image, path)


def main(patients: int, pairs: int, folder: Path) -> None:
    manifest = make_cohort(folder / "cohort", patients)
    print(f"{patients} patients of two visits, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    print(HEAD)
    run(manifest, folder / "whole", workers=1, points=10)
    print_again(manifest, folder / "whole")
    if pairs:
        print_pairs(make_cohort(folder / "part", pairs), folder)


def make_cohort(folder: Path, patients: int) -> Path:
    """A manifest of so many patients, by hard links to eight."""
    spec = folder.parent / "spec.toml"
    kinds = folder.parent / "kinds"
    if not kinds.exists():
        told = (
            PATIENT.format(
                number=number, shift=float(2 * (number % 2) - 1), size=12.0 + number / 2, scale=0.25 + 0.02 * number
            )
            for number in range(KINDS)
        )
        spec.write_text(SPEC + "".join(told), encoding="utf-8")
        from mdanderson.phantoms import write_phantoms

        write_phantoms(spec, kinds)
    folder.mkdir()
    rows = ["patient_id,visit,date,modality,image,mask"]
    for number in range(patients):
        kind, name = kinds / f"K{number % KINDS}", f"P{number:06d}"
        (folder / name).mkdir()
        for file in kind.iterdir():
            os.link(file, folder / name / file.name)
        for visit, date in (("visit1", "2024-01-08"), ("visit2", "2024-04-15")):
            rows.append(f"{name},{visit},{date},CT,{name}/{visit}_ct.nii.gz,{name}/{visit}_lesions.nii.gz")
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "cohort.csv"


def run(manifest: Path, out: Path, *, workers: int, points: int = 1) -> float:
    """Score a cohort in processes of their own; its seconds. Of more points than one each is printed when reached."""
    shares = {0}
    before = Point(0, 0.0, *spent())
    began = time.perf_counter()

    def tell(now: Any) -> None:
        nonlocal before
        share = now.done * points // now.total
        if points > 1 and share not in shares:
            shares.add(share)
            point = Point(now.done, time.perf_counter() - began, *spent())
            print_point(point, before)
            before = point

    results = mda.score(manifest, out, workers=workers, timeout_s=600, progress=tell)
    seconds = time.perf_counter() - began
    if points > 1:
        print(f" tables{seconds:10.1f}{'':26}{resident_mb('self'):12.0f}", flush=True)
    if results.failed:
        raise SystemExit(f"{len(results.failed)} patients failed: {next(iter(results.failed.items()))}")
    return seconds


def spent() -> tuple[float, float, float]:
    """Processor time of this process and its children, and the resident memory of both."""
    try:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
        cpu_s = time.process_time() + sum(map(cpu_seconds, children))
        return cpu_s, resident_mb("self"), sum(map(resident_mb, children))
    except OSError:
        return -1.0, -1.0, -1.0


def cpu_seconds(process: str) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process: str) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def print_point(point: Point, before: Point) -> None:
    each = (point.cpu_s - before.cpu_s) / max(1, point.done - before.done)
    print(
        f"{point.done:7}{point.seconds:10.1f}{point.cpu_s:10.1f}{each:16.3f}{point.parent_mb:12.0f}{point.workers_mb:12.0f}",
        flush=True,
    )


def print_again(manifest: Path, out: Path) -> None:
    tables = {name: (out / name).read_bytes() for name in TABLES}
    stored = sum(file.stat().st_size for file in (out / ".patients").iterdir())
    rows = sum(map(len, tables.values()))
    print(f"\nstored: {stored / 1e6:.1f} MB of patients, {rows / 1e6:.1f} MB of tables")
    began = time.perf_counter()
    mda.score(manifest, out)
    print(f"the same command again: {time.perf_counter() - began:.1f} s, nobody scored")
    same = all((out / name).read_bytes() == content for name, content in tables.items())
    print(f"the same bytes: {same}")


def print_pairs(manifest: Path, folder: Path) -> None:
    print("\none worker and two, in turn:")
    for turn in range(2):
        seconds = {}
        for workers in (1, 2):
            out = folder / f"{workers}-{turn}"
            seconds[workers] = run(manifest, out, workers=workers)
        print(f"  {seconds[1]:.1f} s and {seconds[2]:.1f} s: {seconds[1] / seconds[2]:.2f} times as fast")
    same = all((folder / "1-0" / name).read_bytes() == (folder / "2-0" / name).read_bytes() for name in TABLES)
    print(f"  the same bytes: {same}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=200, help="patients of the comparison; 0 = none")
    parser.add_argument("--folder", type=Path, default=None, help="where to work (default: a temporary folder)")
    parser.add_argument("--large", type=int, default=0, metavar="VISITS", help="score one patient of large images")
    parser.add_argument("--kind", choices=LARGE_KINDS, default="dicom", help="of the large images")
    parser.add_argument("--bones", action="store_true", help="with label maps of bones")
    parser.add_argument("--make-large", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make_large:
        number, which, with_bones, where = given.make_large
        make_large(int(number), which, with_bones == "1", Path(where))
        sys.exit()
    if given.folder is not None:
        given.folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        if given.large:
            score_large(given.large, given.kind, given.bones, place)
        else:
            main(given.patients, given.pairs, place)
    finally:
        shutil.rmtree(place)
