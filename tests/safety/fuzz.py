"""A mutation fuzzer for every door: in this folder's parent, `python -m safety.fuzz --rounds 200 [DOOR ...]`.

Small valid files (samples.py) are spoiled: bits flipped, cut short, parts swapped, lengths and numbers made huge. What
comes out may be an image or a `MdandersonError`; anything else is a finding, printed as a line of JSON with door, seed
and round, by which `--only ROUND` repeats it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import resource
import struct
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import Dataset
from safety import samples

from mdanderson.batch.index import index
from mdanderson.errors import MdandersonError, printable
from mdanderson.geometry import Geometry
from mdanderson.readers import is_planar, peek_date, peek_modality, read_planar, read_volume
from mdanderson.readers.manifest import read_cohort
from mdanderson.readers.masks import read_mask
from mdanderson.readers.measurements import read_measurements
from mdanderson.report.settings_toml import settings_toml
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

DAY = dt.date(2024, 1, 5)
SLOWEST_S = 5.0
MOST_MB = 1200
Mutation = Callable[[random.Random, bytearray], None]


def _flip(rng: random.Random, raw: bytearray) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        raw[_place(rng, raw)] ^= 1 << rng.randrange(8)


def _cut(rng: random.Random, raw: bytearray) -> None:
    del raw[_place(rng, raw) :]


def _swap(rng: random.Random, raw: bytearray) -> None:
    size = rng.choice((1, 2, 4, 8, 16))
    one, other = _place(rng, raw), _place(rng, raw)
    raw[one : one + size], raw[other : other + size] = raw[other : other + size], raw[one : one + size]


def _number(rng: random.Random, raw: bytearray) -> None:
    """A length, a size, a step: the least, the greatest, none at all."""
    form, value = rng.choice(
        (
            ("<I", 0xFFFFFFFF), ("<I", 0x7FFFFFFF), ("<I", 0), ("<H", 0xFFFF), ("<H", 0x7FFF), ("<H", 0), ("<i", -1),
            ("<f", np.nan), ("<f", np.inf), ("<f", 1e38), ("<f", 0.0), ("<f", -1.0), ("<d", np.nan), ("<Q", 2**63),
        )
    )  # fmt: skip
    at = _place(rng, raw)
    raw[at : at + struct.calcsize(form)] = struct.pack(form, value)


def _word(rng: random.Random, raw: bytearray) -> None:
    words = (b"\0", b"\n", b'"', b"1e400", b"nan", b"-1", b"\xff\xfe", b"9" * 400, b"=1+1", b"[" * 50, b"\\\\\\")
    at = _place(rng, raw)
    raw[at : at + rng.choice((0, 1, 4))] = rng.choice(words)


def _repeat(rng: random.Random, raw: bytearray) -> None:
    at, size = _place(rng, raw), rng.choice((8, 64, 512))
    raw[at:at] = raw[at : at + size] * rng.choice((1, 3))


def _place(rng: random.Random, raw: bytearray) -> int:
    """A byte, most often of the header."""
    reach = min(len(raw), rng.choice((64, 400, 2000, len(raw) or 1)))
    return rng.randrange(reach) if reach else 0


MUTATIONS: tuple[Mutation, ...] = (_flip, _flip, _cut, _swap, _number, _number, _word, _repeat)


def spoiled(rng: random.Random, content: bytes) -> bytes:
    raw = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if raw:
            rng.choice(MUTATIONS)(rng, raw)
    return bytes(raw)


def _dicom(ds: Dataset) -> bytes:
    out = BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _packed_after(content: bytes) -> Callable[[random.Random], bytes]:
    """Half of the time the content is spoiled and then compressed, so that the checksum fits."""
    return lambda rng: samples.gz(spoiled(rng, content)) if rng.random() < 0.6 else spoiled(rng, samples.gz(content))


def _like() -> Volume:
    geometry = Geometry.from_axes(
        shape=samples.SHAPE, spacing_mm=samples.STEPS_MM, origin_mm=(0, 0, 0), frame_of_reference_uid=samples.FRAME
    )
    return Volume(array=samples.body(), geometry=geometry, unit=Unit.HU, modality=Modality.CT)


def _series(kind: str) -> Callable[[Path, random.Random], None]:
    files = [_dicom(ds) for ds in samples.slices(kind)]

    def door(folder: Path, rng: random.Random) -> None:
        target = folder / "series"
        target.mkdir(exist_ok=True)
        bad = rng.randrange(len(files))
        everywhere = rng.random() < 0.3
        seed = rng.random()
        for number, content in enumerate(files):
            spoil = everywhere or number == bad
            new = spoiled(random.Random(seed if everywhere else seed + number), content) if spoil else content
            (target / f"{number}.dcm").write_bytes(new)
        peek_date(target)
        peek_modality(target)
        read_volume(target)

    return door


def _planar(content: bytes) -> Callable[[Path, random.Random], None]:
    def door(folder: Path, rng: random.Random) -> None:
        path = folder / "image.dcm"
        path.write_bytes(spoiled(rng, content))
        peek_date(path)
        peek_modality(path)
        is_planar(path)
        read_planar(path)

    return door


def _file(name: str, content: Callable[[random.Random], bytes]) -> Callable[[Path, random.Random], None]:
    like = _like()

    def door(folder: Path, rng: random.Random) -> None:
        path = folder / name
        path.write_bytes(content(rng))
        modality = rng.choice((Modality.CT, Modality.MR, Modality.NM))
        try:
            if is_planar(path, modality=modality):
                read_planar(path, modality=modality, date=DAY)
            else:
                read_volume(path, modality=modality, date=DAY)
        except MdandersonError:
            pass
        read_mask(path, like=like)

    return door


def _mask(content: bytes) -> Callable[[Path, random.Random], None]:
    like = _like()

    def door(folder: Path, rng: random.Random) -> None:
        path = folder / "mask.dcm"
        path.write_bytes(spoiled(rng, content))
        read_mask(path, like=like)

    return door


TABLES = {
    "cohort.csv": b"patient_id,image,mask,date,modality,visit,view\nP1,ct.nii,,2024-01-05,CT,baseline,\n"
    b'P1,"ct.nii",,2024-04-05,CT,"visit 2",\nP2,ct.nii,,2024-01-05,NM,,ANT\n',
    "patients.csv": b"patient_id,treatment_start,last_contact,death_date,sex\nP1,2024-01-06,,2025-01-01,F\nP2,,,,M\n",
    "reads.csv": b"patient_id,date,modality,lesion_id,label,new,node,time,pain,findings,reader,comment,soft_tissue_mm\n"
    b"P1,2024-01-05,CT,L1,1,true,no,2024-01-06T10:00+01:00,mechanical,PR4;PR1,A,fine,12.5\n",
    "events.csv": b"patient_id,date,event,site\nP1,2024-02-01,radiotherapy,L4\nP2,2024-02-01,fracture,\n",
}
MEASURED = (
    b"patient_id,date,visit,modality,lesion_id,long_axis_mm,short_axis_mm,status,parents,findings,new,uptake,suv_peak\n"
    b"P1,2024-01-05,baseline,CT,L1,20,10,,,,,,\nP1,2024-01-05,baseline,CT,L2,2.5e1,10,,,,,,\n"
    b"P1,2024-04-05,v2,CT,L3,30,12,merged,L1;L2,PR1;PR4,false,,\nP2,2024-01-05,,PT,L1,,,,,,,,7.25\n"
)


def _cohort(folder: Path, rng: random.Random) -> None:
    (folder / "ct.nii").write_bytes(b"never opened")
    bad = rng.choice(list(TABLES))
    for name, content in TABLES.items():
        (folder / name).write_bytes(spoiled(rng, content) if name == bad else content)
    read_cohort(folder / "cohort.csv")


def _soup() -> Callable[[Path, random.Random], None]:
    """A folder of everything, of which some files are spoiled: the manifest is written, whatever is in them."""
    mask = samples.segmentation()
    item = Dataset()
    item.SeriesInstanceUID = samples.SERIES
    mask.ReferencedSeriesSequence, mask.SeriesInstanceUID = [item], f"{samples.SERIES}.9"
    sets = [*samples.slices("CT"), *samples.slices("MR"), samples.scintigram(), samples.radiograph(), mask]
    for number, ds in enumerate(sets):
        if ds.Modality != "CT" and ds is not mask:
            ds.SeriesInstanceUID = f"{samples.SERIES}.{sum(ds.Modality.encode())}"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{samples.SERIES}.5.{number}"
        ds.PatientID = "P1"
    outlines = samples.structures()
    outlines.SeriesInstanceUID, outlines.PatientID = f"{samples.SERIES}.8", "P1"
    files = [_dicom(ds) for ds in (*sets, outlines)]

    def door(folder: Path, rng: random.Random) -> None:
        target = folder / "soup"
        target.mkdir()
        bad = {rng.randrange(len(files)) for _ in range(rng.choice((1, 3, len(files))))}
        for number, content in enumerate(files):
            (target / f"IM{number}").write_bytes(spoiled(rng, content) if number in bad else content)
        found = index(target, folder / "cohort.csv", workers=1)
        assert all(printable(str(problem)) == str(problem) for problem in found.problems)
        assert not found.found.images or not found.cohort.problems
        if found.errors:
            raise MdandersonError(found.problems[0].what)

    return door


def _bids(folder: Path, rng: random.Random) -> None:
    """A tree whose tables, sidecars and names are spoiled."""
    home = folder / "bids" / "sub-1" / "ses-a"
    (home / "ct").mkdir(parents=True)
    (folder / "bids" / "dataset_description.json").write_text("{}")
    tables = {
        folder / "bids" / "participants.tsv": b"participant_id\tsex\nsub-1\tF\n",
        home.parent / "sub-1_sessions.tsv": b"session_id\tacq_time\nses-a\t2024-01-05T10:00:00\n",
        home / "sub-1_ses-a_scans.tsv": b"filename\tacq_time\nct/sub-1_ses-a_ct.nii.gz\t2024-01-05\n",
        home / "ct" / "sub-1_ses-a_ct.json": b'{"Modality": "CT", "Units": "HU"}',
    }
    bad = rng.choice(list(tables))
    for path, content in tables.items():
        path.write_bytes(spoiled(rng, content) if path == bad else content)
    (home / "ct" / "sub-1_ses-a_ct.nii.gz").write_bytes(b"never opened")
    found = index(folder / "bids", folder / "cohort.csv")
    if found.errors:
        raise MdandersonError(found.problems[0].what)


def _measurements(folder: Path, rng: random.Random) -> None:
    for name in ("patients.csv", "reads.csv", "events.csv"):
        (folder / name).unlink(missing_ok=True)
    (folder / "measurements.csv").write_bytes(spoiled(rng, MEASURED))
    read_measurements(folder / "measurements.csv")


def _parquet() -> Callable[[Path, random.Random], None]:
    import pandas as pd

    out = BytesIO()
    pd.DataFrame({"patient_id": ["P1", "P2"], "image": ["a", "b"], "date": ["2024-01-05"] * 2}).to_parquet(out)
    content = out.getvalue()

    def door(folder: Path, rng: random.Random) -> None:
        path = folder / "cohort.parquet"
        path.write_bytes(spoiled(rng, content))
        read_cohort(path)

    return door


def _settings() -> Callable[[Path, random.Random], None]:
    content = settings_toml().encode()
    tomllib.loads(content.decode())

    def door(folder: Path, rng: random.Random) -> None:
        path = folder / "settings.toml"
        path.write_bytes(spoiled(rng, content))
        Settings.from_toml(path)

    return door


def doors() -> dict[str, Callable[[Path, random.Random], None]]:
    labels = samples.lesion().astype(np.uint8)
    return {
        "CT": _series("CT"),
        "MR": _series("MR"),
        "PT": _series("PT"),
        "NM": _planar(_dicom(samples.scintigram())),
        "XR": _planar(_dicom(samples.radiograph())),
        "SEG": _mask(_dicom(samples.segmentation())),
        "RTSTRUCT": _mask(_dicom(samples.structures())),
        "NIfTI": _file("image.nii", lambda rng: spoiled(rng, samples.nifti_bytes(labels))),
        "NIfTI.gz": _file("image.nii.gz", _packed_after(samples.nifti_bytes(labels))),
        "NRRD": _file("image.nrrd", lambda rng: spoiled(rng, samples.nrrd_bytes(labels))),
        "MHA": _file("image.mha", lambda rng: spoiled(rng, samples.mha_bytes(labels))),
        "cohort": _cohort,
        "soup": _soup(),
        "BIDS": _bids,
        "measurements": _measurements,
        "Parquet": _parquet(),
        "settings": _settings(),
    }


def _tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _peak_mb() -> float:
    """Most memory of this program so far. ru_maxrss would begin with that of the process which started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def fuzz(name: str, rounds: Sequence[int], seed: int) -> dict[str, int]:
    """Every round of a door; findings are printed. Returns how it ended, by kind."""
    ends = {"read": 0, "refused": 0, "finding": 0}
    door = doors()[name]
    for number in rounds:
        _tell(began=[name, seed, number])  # the last word, should the process die
        with tempfile.TemporaryDirectory() as folder:
            began, why = time.process_time(), ""
            try:
                door(Path(folder), random.Random(f"{seed} {name} {number}"))
                end = "read"
            except MdandersonError as error:
                end = "refused" if printable(str(error)) == str(error) else "finding"
                why = "" if end == "refused" else repr(str(error))
            except BaseException as error:  # noqa: BLE001 - this is what is looked for
                end, why = "finding", f"{type(error).__name__} {error}\n{traceback.format_exc()}"
            seconds = time.process_time() - began
            if seconds > SLOWEST_S:
                end, why = "finding", f"took {seconds:.1f} s"
            if _peak_mb() > MOST_MB:
                end, why = "finding", f"{MOST_MB} MB"
        ends[end] += 1
        if end == "finding":
            _tell(finding=[name, seed, number], why=why)
    return ends


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, default=None)
    parser.add_argument("doors", nargs="*")
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
    warnings.simplefilter("error")  # a warning of a library may print what a header holds
    warnings.filterwarnings("ignore", category=ResourceWarning)
    rounds = range(asked.rounds) if asked.only is None else [asked.only]
    for name in asked.doors or doors():
        _tell(door=name, ends=fuzz(name, rounds, asked.seed))


if __name__ == "__main__":
    main()
