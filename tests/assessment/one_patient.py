"""One body imaged by several modalities, written as a cohort of one patient."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from mdanderson.assessment import assess
from mdanderson.geometry import Geometry
from mdanderson.phantoms.mr import MrScan, MrSpine, render_mr
from mdanderson.phantoms.render import Phantom, coverage, render
from mdanderson.phantoms.scan import Focus, ScanBody, ScanPose, render_view
from mdanderson.phantoms.shapes import LesionSpec, rigid_motion
from mdanderson.phantoms.spine_ct import CtSpine
from mdanderson.phantoms.write import write_ct_series, write_label_map, write_nifti
from mdanderson.readers.manifest import read_cohort
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline
from mdanderson.vocabulary import Modality, MrSequence, View
from mdanderson.volume import Mask, Unit, Volume

FIRST_DAY = dt.date(2024, 3, 1)
LOW, MIDDLE, HIGH = (0.0, -1.0, -32.0), (0.0, -1.0, 0.0), (-2.0, 1.0, 32.0)
"""Middles of three vertebral bodies in body space, LPS mm."""

_CT_GRIDS = (
    Geometry.from_axes(shape=(54, 96, 136), spacing_mm=(2.5, 2.4, 2.4), origin_mm=(-162, -146, -66)),
    Geometry.from_axes(shape=(50, 96, 136), spacing_mm=(2.7, 2.4, 2.4), origin_mm=(-160, -145, -65)),
)
_MR_GRIDS = (
    Geometry.from_axes(shape=(46, 96, 136), spacing_mm=(3.0, 2.4, 2.4), origin_mm=(-160, -145, -70)),
    Geometry.from_axes(shape=(46, 94, 132), spacing_mm=(3.1, 2.5, 2.5), origin_mm=(-163, -147, -70)),
)
_PT_GRID = Geometry.from_axes(shape=(34, 58, 82), spacing_mm=(4.0, 4.0, 4.0), origin_mm=(-162, -146, -66))
_CT_MOTIONS = (rigid_motion(), rigid_motion(rotation_deg=(2.0, 1.0, 3.0), shift_mm=(4.3, -3.1, 2.2)))
_MR_MOTIONS = (
    rigid_motion(rotation_deg=(1.0, 2.0, -2.0), shift_mm=(5.0, -4.0, 6.0)),
    rigid_motion(rotation_deg=(-1.0, -1.5, 2.0), shift_mm=(-4.0, 3.0, -5.0)),
)
_FDG = {"Radiopharmaceutical": "FDG -- fluorodeoxyglucose", "RadionuclideTotalDose": "3.5E8"}
_FDG |= {"RadiopharmaceuticalStartTime": "110000", "RadionuclideHalfLife": "6588"}


def lesion(label: int, centre: tuple[float, float, float], size: float = 18.0, **more: object) -> LesionSpec:
    """A nearly round lesion; `size` is its greatest diameter in mm."""
    half = size / 2
    return LesionSpec(label=label, centre_mm=centre, semi_axes_mm=(half, half * 0.9, half * 0.85), **more)


@cache
def ct_image(lesions: tuple[LesionSpec, ...], visit: int = 0) -> Phantom:
    """CT of the body; lesions lytic unless they say otherwise."""
    return render(
        CtSpine(), lesions, _CT_GRIDS[visit % 2], motion=_CT_MOTIONS[visit % 2], noise_hu=10.0, seed=visit + 1
    )


@cache
def mr_image(
    lesions: tuple[LesionSpec, ...], ratios: tuple[float, ...], sequence: MrSequence = MrSequence.T1, visit: int = 0
) -> Phantom:
    """MR of the same body, lying otherwise; each visit has a gain and a field of its own."""
    scan = MrScan(gain=1.0 + 0.3 * visit, bias="slope" if visit % 2 else None, snr=40, seed=visit + 11)
    spine = MrSpine(sequence=sequence)
    return render_mr(spine, lesions, ratios, _MR_GRIDS[visit % 2], scan=scan, motion=_MR_MOTIONS[visit % 2])


def pet_image(lesions: Sequence[LesionSpec], suvs: Sequence[float], visit: int = 0) -> Phantom:
    """PET in the space of that visit's CT: 1 g/ml, in lesions more. Without noise."""
    motion = _CT_MOTIONS[visit % 2]
    body = _PT_GRID.moved(np.asarray(np.linalg.inv(motion)))
    array = np.ones(_PT_GRID.shape)
    for one, suv in zip(lesions, suvs, strict=True):
        box, share = coverage(one, one.semi_axes_mm, body) or (None, None)
        assert box is not None
        array[box] += share * (suv - 1.0)
    outlined = render(CtSpine(), lesions, _PT_GRID, motion=motion)
    volume = Volume(array=array.astype(np.float32), geometry=_PT_GRID, unit=Unit.SUV, modality=Modality.PT)
    return replace(outlined, volume=volume)


@dataclass(kw_only=True)
class OnePatient:
    """Rows of a manifest and their files in `folder`."""

    folder: Path
    rows: list[dict[str, str]] = field(default_factory=list)
    reads: list[dict[str, str]] = field(default_factory=list)

    def row(self, visit: int, modality: Modality, image: str, **more: object) -> None:
        """A row of the manifest; a visit every twelve weeks."""
        date = FIRST_DAY + dt.timedelta(weeks=12 * visit)
        told = {"patient_id": "P01", "visit": f"v{visit}", "date": str(date), "modality": str(modality)}
        self.rows.append(told | {"image": image} | {key: str(value) for key, value in more.items()})

    def read(self, visit: int, modality: Modality, **told: object) -> None:
        """A row of reads.csv."""
        date = FIRST_DAY + dt.timedelta(weeks=12 * visit)
        row = {"patient_id": "P01", "date": str(date), "modality": str(modality)}
        self.reads.append(row | {key: str(value) for key, value in told.items()})

    def image(self, visit: int, seen: Phantom, *, mask: Mask | None = None, **more: object) -> None:
        """An image in NIfTI with what was drawn."""
        volume, drawn = seen.volume, seen.mask if mask is None else mask
        kind = "_".join(filter(None, (str(volume.modality), str(volume.sequence or volume.view or ""))))
        if volume.sequence is not None:
            more["sequence"] = volume.sequence
        if volume.view is not None:
            more["view"] = volume.view
        write_nifti(volume, self.folder / f"{kind}{visit}.nii")
        if drawn.regions:
            write_label_map(drawn, self.folder / f"{kind}{visit}_mask.nii")
            more["mask"] = f"{kind}{visit}_mask.nii"
        self.row(visit, volume.modality, f"{kind}{visit}.nii", **more)

    def ct(self, visit: int, *lesions: LesionSpec) -> None:
        self.image(visit, ct_image(lesions, visit))

    def mr(self, visit: int, lesions: Mapping[LesionSpec, float], sequence: MrSequence = MrSequence.T1) -> None:
        """Lesions with their ratio to marrow."""
        self.image(visit, mr_image(tuple(lesions), tuple(lesions.values()), sequence, visit))

    def dicom_ct(self, visit: int, *lesions: LesionSpec, frame: str = "1.2.3.{visit}") -> tuple[Path, ...]:
        """A series, with outlines in NIfTI."""
        seen = ct_image(lesions, visit)
        files = self._series(f"ct{visit}", seen.volume, visit, frame.format(visit=visit))
        self._row_of_series(visit, Modality.CT, f"ct{visit}", seen.mask)
        return files

    def pet(
        self,
        visit: int,
        lesions: Mapping[LesionSpec, float],
        *,
        frame: str = "1.2.3.{visit}",
        own: bool = False,
        tags: Mapping[str, object] | None = None,
    ) -> tuple[Path, ...]:
        """An FDG PET in Bq/ml with each lesion's SUV; own: with its own outlines. tags: laid over its header."""
        seen = pet_image(tuple(lesions), tuple(lesions.values()), visit)
        files = self._series(f"pt{visit}", seen.volume, visit, frame.format(visit=visit), blank=True)
        for plane, path in enumerate(files):
            _as_pet(path, np.asarray(seen.volume.array[plane]), tags or {})
        self._row_of_series(visit, Modality.PT, f"pt{visit}", seen.mask if own else None)
        return files

    def scan(
        self, visit: int, *foci: Focus, views: Sequence[View] = tuple(View), drawn: bool = True, **more: object
    ) -> None:
        """Both views of a bone scan, counted and lying otherwise at every visit."""
        pose = ScanPose(turn_degrees=1.0 * visit, shift_mm=(6.0 * visit, -9.0 * visit))
        for view in views:
            seen = render_view(
                ScanBody(seed=3),
                foci,
                view=view,
                pose=pose,
                rows_columns=(512, 128),
                pixel_mm=4.52,
                scale=1.0 - 0.2 * visit,
                noise_seed=visit,
            )
            mask = seen.mask if drawn else Mask(geometry=seen.mask.geometry)
            self.image(visit, Phantom(volume=seen.volume, mask=mask, truths=()), **more)

    def write(self) -> Path:
        """The manifest, with reads.csv where a reader speaks."""
        for name, rows in (("cohort.csv", self.rows), ("reads.csv", self.reads)):
            if rows:
                columns = list(dict.fromkeys(key for row in rows for key in row))
                lines = [",".join(columns), *(",".join(row.get(key, "") for key in columns) for row in rows)]
                (self.folder / name).write_text("\n".join(lines) + "\n")
        return self.folder / "cohort.csv"

    def timeline(self, settings: Settings | None = None, criteria: Sequence[str] = ("mda2010",)) -> Timeline:
        return assess(read_cohort(self.write())["P01"], settings=settings, criteria=criteria)

    def _series(self, name: str, volume: Volume, visit: int, frame: str, *, blank: bool = False) -> tuple[Path, ...]:
        geometry = replace(volume.geometry, frame_of_reference_uid=frame)
        array = np.zeros(volume.array.shape, dtype=np.int16) if blank else volume.array
        date = FIRST_DAY + dt.timedelta(weeks=12 * visit)
        hounsfield = replace(volume, array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT)
        seed = hashlib.sha256(name.encode()).hexdigest()
        return write_ct_series(hounsfield, self.folder / name, patient_id="Secret", study_date=date, seed=seed)

    def _row_of_series(self, visit: int, modality: Modality, name: str, mask: Mask | None) -> None:
        more = {}
        if mask is not None and mask.regions:
            write_label_map(mask, self.folder / f"{name}_mask.nii")
            more["mask"] = f"{name}_mask.nii"
        self.row(visit, modality, name, **more)


def _as_pet(path: Path, suv: npt.NDArray[np.generic], tags: Mapping[str, object]) -> None:
    """A file of a series made into FDG in Bq/ml, an hour after injection into 70 kg."""
    ds = pydicom.dcmread(path)
    bq_per_suv = 3.5e8 * 2 ** (-3600 / 6588) / 70_000
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = PositronEmissionTomographyImageStorage
    ds.Modality, ds.Units, ds.DecayCorrection, ds.CorrectedImage = "PT", "BQML", "START", ["DECY", "ATTN", "SCAT"]
    ds.PatientWeight, ds.PatientSize, ds.PatientSex = "70", "1.75", "F"
    ds.RescaleSlope, ds.RescaleIntercept = "0.5", "0"
    del ds.RescaleType
    ds.PixelData = np.rint(np.asarray(suv, dtype=float) * bq_per_suv / 0.5).astype("<u2").tobytes()
    ds.PixelRepresentation = 0
    tracer = Dataset()
    for keyword, value in _FDG.items():
        setattr(tracer, keyword, value)
    ds.RadiopharmaceuticalInformationSequence = [tracer]
    for keyword, value in tags.items():
        delattr(ds, keyword) if value is None else setattr(ds, keyword, value)
    ds.save_as(path, enforce_file_format=True)
