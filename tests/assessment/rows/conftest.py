"""Phantoms of every modality as files, a cohort of one patient each: what every row of the table is tried on.

At every visit patient and scanner differ: position, grid, noise, and where a modality has one its gain, bias field or
count scale. Images that several tests need are made once.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

from mdanderson.assessment import assess
from mdanderson.geometry import Geometry
from mdanderson.phantoms.film import Exposure, Femur, FilmPhantom, render_film
from mdanderson.phantoms.hosts import SyntheticVertebrae
from mdanderson.phantoms.mr import BiasShape, MrScan, MrSpine, render_mr
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.scan import Focus, ScanBody, ScanPhantom, ScanPose, render_spect, render_view
from mdanderson.phantoms.shapes import LesionSpec, rigid_motion
from mdanderson.phantoms.write import write_label_map, write_nifti
from mdanderson.readers.manifest import read_cohort
from mdanderson.timeline import Timeline
from mdanderson.vocabulary import Modality, MrSequence, View
from mdanderson.volume import Volume

FIRST_DAY = dt.date(2024, 1, 10)
COLUMNS = ("patient_id", "visit", "date", "modality", "sequence", "view", "image", "mask")


@dataclass(frozen=True)
class Judged:
    """What the table says of one patient, read as a test reads it."""

    timeline: Timeline

    def of(self, modality: str, visit: int = 1) -> tuple[str, frozenset[str]]:
        """Category and rows of a modality at a visit, counted from 0."""
        found = self.timeline.response(self.timeline.visits[visit].label, modality)
        return str(found.category), frozenset(found.rules)

    def lesion(self, modality: str, visit: int = 1, lesion_id: str = "L01", sequence: str = "") -> tuple[str, set[str]]:
        """Category and rows of a lesion."""
        row = self.row(modality, visit, lesion_id, sequence)
        return str(row.category), set(row.rules)

    def row(self, modality: str, visit: int = 1, lesion_id: str = "L01", sequence: str = "") -> Any:
        label = self.timeline.visits[visit].label
        return next(
            row
            for row in self.timeline.lesions
            if (row.visit, row.finding.modality, row.lesion_id) == (label, modality, lesion_id)
            and sequence in {"", row.finding.sequence}
        )


@dataclass
class Cohort:
    """The folder of one patient."""

    folder: Path
    weeks: Sequence[float] = (0, 12, 24)
    rows: list[dict[str, str]] = field(default_factory=list)

    def date(self, visit: int) -> dt.date:
        return FIRST_DAY + dt.timedelta(days=round(7 * self.weeks[visit]))

    def volume(self, made: Phantom | ScanPhantom, visit: int, *, sequence: str = "", mask: bool = True) -> None:
        """A volume and its label map."""
        name = f"v{visit}{sequence}"
        write_nifti(made.volume, self.folder / f"{name}.nii")
        drawn = mask and bool(made.mask.regions)
        if drawn:
            write_label_map(made.mask, self.folder / f"{name}_mask.nii")
        self._row(made.volume, visit, name, drawn, sequence=sequence)

    def picture(
        self, made: FilmPhantom | ScanPhantom, visit: int, *, view: str = "", drawn: Sequence[int] | None = None
    ) -> None:
        """A planar image and its label map, as pictures: first axis columns, second rows."""
        name = f"v{visit}{view}"
        step = made.volume.geometry.spacing_mm[1:]
        whole = made.volume.modality is Modality.NM
        array = np.asarray(made.volume.array[0])
        _save(np.rint(array).astype(np.int16) if whole else array, step, self.folder / f"{name}.nii")
        labels = made.mask.to_label_map()[0]
        if drawn is not None:
            labels = np.where(np.isin(labels, drawn), labels, 0)
        if labels.any():
            _save(labels.astype(np.uint8), step, self.folder / f"{name}_mask.nii")
        self._row(made.volume, visit, name, bool(labels.any()), view=view)

    def judge(self, reads: str = "", **facts: str) -> Judged:
        """Read it as a user's folder. reads: rows of reads.csv, `visit modality lesion_id codes`."""
        with (self.folder / "cohort.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, [*COLUMNS, *facts])
            writer.writeheader()
            writer.writerows(row | facts for row in self.rows)
        if reads:
            lines = ["patient_id,date,modality,lesion_id,findings,measurable,new"]
            for line in reads.splitlines():
                visit, *rest = line.split()
                lines.append(
                    ",".join(["P01", str(self.date(int(visit))), *("" if one == "-" else one for one in rest)])
                )
            (self.folder / "reads.csv").write_text("\n".join(lines) + "\n")
        (patient,) = read_cohort(self.folder / "cohort.csv").patients
        return Judged(assess(patient))

    def _row(self, volume: Volume, visit: int, name: str, drawn: bool, *, sequence: str = "", view: str = "") -> None:
        values = ("P01", f"v{visit}", str(self.date(visit)), volume.modality, sequence, view, f"{name}.nii")
        mask = f"{name}_mask.nii" if drawn else ""
        self.rows.append(dict(zip(COLUMNS, (*map(str, values), mask), strict=True)))


def _save(picture: npt.NDArray[Any], step_mm: Sequence[float], path: Path) -> None:
    stored = np.ascontiguousarray(picture.T[:, :, None])
    nib.save(nib.Nifti1Image(stored, np.diag([-step_mm[1], -step_mm[0], 1.0, 1.0])), path)


# --- what the modalities see ------------------------------------------------------------------------------------------

_MOTIONS = (
    rigid_motion(),
    rigid_motion(rotation_deg=(2.0, 3.0, 5.0), shift_mm=(4.3, -3.1, 2.2)),
    rigid_motion(rotation_deg=(-3.0, 1.0, -4.0), shift_mm=(-2.7, 3.4, -1.6)),
)
_CT_GRIDS = (
    Geometry.from_axes(shape=(46, 76, 80), spacing_mm=(1.5, 1.2, 1.2), origin_mm=(-48, -46, -35)),
    Geometry.from_axes(shape=(38, 76, 80), spacing_mm=(1.8, 1.3, 1.3), origin_mm=(-49, -48, -34)),
    Geometry.from_axes(shape=(46, 82, 84), spacing_mm=(1.5, 1.15, 1.15), origin_mm=(-47, -47, -33)),
)


def ball(label: int, centre: tuple[float, float, float], size: float, **more: object) -> LesionSpec:
    """A nearly round lesion; `size` is its greatest diameter in mm."""
    half = size / 2
    return LesionSpec(label=label, centre_mm=centre, semi_axes_mm=(half, half * 0.9, half * 0.85), **more)


@cache
def ct(lesions: tuple[LesionSpec, ...], visit: int) -> Phantom:
    """Two vertebrae at (0, -1, -16) and (-2, 0, 16)."""
    return render(SyntheticVertebrae(), lesions, _CT_GRIDS[visit], motion=_MOTIONS[visit], noise_hu=12.0, seed=visit)


_MR_MOTIONS = (
    None,
    rigid_motion(rotation_deg=(2.0, -1.5, 3.0), shift_mm=(2.0, -3.0, 2.5)),
    rigid_motion(rotation_deg=(-1.0, 1.5, -2.0), shift_mm=(-2.0, 1.0, -2.5)),
)
_MR_SCANS: tuple[tuple[float, BiasShape | None], ...] = ((1.0, None), (1.3, "slope"), (0.8, "dome"))


def _sagittal(visit: int) -> Geometry:
    step = (1.8, 1.7, 1.9)[visit]
    return Geometry.from_axes(
        shape=(22, 94, 80),
        spacing_mm=(4.0, step, step),
        origin_mm=(-42 + 0.4 * visit, -70 + 1.3 * visit, 80 + 2.2 * visit),
        directions=((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    )


@cache
def mr(
    lesions: tuple[LesionSpec, ...], ratios: tuple[float, ...], visit: int, sequence: MrSequence = MrSequence.T1
) -> Phantom:
    """Five vertebrae, 32 mm apart, the middle one at the origin; `ratios` to normal marrow."""
    gain, bias = _MR_SCANS[visit]
    scan = MrScan(gain=gain, bias=bias, snr=30, seed=10 * visit + len(sequence))
    return render_mr(
        MrSpine(sequence=sequence, seed=3),
        lesions,
        ratios,
        _sagittal(visit),
        scan=scan,
        motion=_MR_MOTIONS[visit],
        subsamples=(2, 1, 1),
    )


_BODY = ScanBody(seed=4)


@cache
def planar(foci: tuple[Focus, ...], visit: int, view: View) -> ScanPhantom:
    """A whole-body view with 0.8 of the counts scale at follow-up."""
    pose = ScanPose(turn_degrees=1.5 * visit, shift_mm=(6.0 * visit, -9.0 * visit))
    scale = 1.0 if visit == 0 else 0.8
    shape, pixel_mm = ((720, 180), 3.2) if visit == 0 else ((768, 192), 3.0)
    return render_view(
        _BODY,
        foci,
        view=view,
        pose=pose,
        scale=scale,
        noise_seed=20 * visit + len(view),
        rows_columns=shape,
        pixel_mm=pixel_mm,
    )


@cache
def spect(foci: tuple[Focus, ...], visit: int) -> ScanPhantom:
    """Chest to hips as a volume, 0.8 of the counts scale at follow-up."""
    pose = ScanPose(turn_degrees=1.5 * visit, shift_mm=(4.0 * visit, -6.0 * visit))
    step = 5.4 - 0.2 * visit
    grid = Geometry.from_axes(shape=(66, 44, 76), spacing_mm=(step,) * 3, origin_mm=(-205.0, -10.0, -960.0))
    return render_spect(
        _BODY, foci, geometry=grid, pose=pose, scale=1.0 if visit == 0 else 0.8, noise_seed=visit, peak_counts=400.0
    )


_FILMS = (
    {"exposure": Exposure(seed=1), "pixel_mm": 1.0, "rows_columns": (185, 122)},
    {"exposure": Exposure(gain=1.3, offset=0.4, slope=0.3, seed=2), "pixel_mm": 0.9, "rows_columns": (200, 140)},
    {"exposure": Exposure(gain=0.8, offset=-0.2, slope=-0.2, seed=3), "pixel_mm": 0.95, "rows_columns": (190, 130)},
)
_FILM_MOTIONS = (
    None,
    rigid_motion(rotation_deg=(1.0, 4.0, 2.0), shift_mm=(6.0, 0.0, -8.0)),
    rigid_motion(rotation_deg=(-1.0, -3.0, -2.0), shift_mm=(-4.0, 0.0, 5.0)),
)


@cache
def film(lesions: tuple[LesionSpec, ...], visit: int) -> FilmPhantom:
    """The upper end of a femur; its shaft is about the z axis, 13 mm of marrow round it."""
    return render_film(Femur(), lesions, motion=_FILM_MOTIONS[visit], **_FILMS[visit])


# --- courses ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _once() -> Any:
    yield
    for made in (ct, mr, planar, spect, film):
        made.cache_clear()


@pytest.fixture
def cohort(tmp_path: Path) -> Callable[..., Cohort]:
    """An empty folder of one patient. weeks: of each visit."""

    def make(weeks: Sequence[float] = (0, 12, 24)) -> Cohort:
        return Cohort(tmp_path, weeks)

    return make


@pytest.fixture
def ct_course(cohort: Callable[..., Cohort]) -> Callable[..., Judged]:
    def judge(*visits: Sequence[LesionSpec], weeks: Sequence[float] = (0, 12, 24), reads: str = "") -> Judged:
        one = cohort(weeks)
        for visit, lesions in enumerate(visits):
            one.volume(ct(tuple(lesions), visit), visit)
        return one.judge(reads)

    return judge


@pytest.fixture
def xr_course(cohort: Callable[..., Cohort]) -> Callable[..., Judged]:
    def judge(*visits: Sequence[LesionSpec], weeks: Sequence[float] = (0, 12, 24), reads: str = "") -> Judged:
        one = cohort(weeks)
        for visit, lesions in enumerate(visits):
            one.picture(film(tuple(lesions), visit), visit)
        return one.judge(reads)

    return judge


@pytest.fixture
def lesion() -> Callable[..., LesionSpec]:
    return ball


@pytest.fixture(name="mr")
def _mr() -> Callable[..., Phantom]:
    return mr


@pytest.fixture(name="planar")
def _planar() -> Callable[..., ScanPhantom]:
    return planar


@pytest.fixture(name="spect")
def _spect() -> Callable[..., ScanPhantom]:
    return spect
