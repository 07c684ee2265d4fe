"""A cohort of phantoms as a specification asks for it: files, manifest, and the truth beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mdanderson.errors import OutputError, SettingsError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.bone import SyntheticBone, centred_grid
from mdanderson.phantoms.course import Seen, as_lesion, course
from mdanderson.phantoms.expected import expected_category
from mdanderson.phantoms.hosts import Host, RealHost, SyntheticVertebrae
from mdanderson.phantoms.known import LESION_CELLS, Shown, lesion_cells, share_in_view, shown
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.shapes import rigid_motion
from mdanderson.phantoms.spec import HostSpec, PatientSpec, PhantomSpec, ScanSpec, VisitSpec
from mdanderson.phantoms.tables import write_table
from mdanderson.phantoms.write import write_ct_series, write_dicom_seg, write_label_map, write_nifti
from mdanderson.vocabulary import Modality, Status
from mdanderson.volume import Mask

__all__ = ["LESION_COLUMNS", "VISIT_COLUMNS", "write_phantoms"]

_NEXT_PATIENT_AFTER = dt.timedelta(days=9)
_TREATMENT_AFTER = dt.timedelta(days=7)
_SAMPLE_MM = 1.0
"""The body is sampled at least this densely within a voxel, so that thick slices blur as they do."""
_MOST_SAMPLES = 6
_AIR_HU = -900.0
"""What is less dense at the middle of a lesion is air round the body."""
_INSIDE = "move centre_mm of the lesion, or of the scan; the bone is centred at 0"

_MANIFEST = ("patient_id", "visit", "date", "modality", "image", "mask")
_PATIENTS = ("patient_id", "treatment_start")
LESION_COLUMNS = ("patient_id", "visit", "date", *LESION_CELLS)
VISIT_COLUMNS = (
    "patient_id",
    "visit",
    "date",
    "weeks",
    "category",
    *(f"motion_{row}{column}" for row in range(3) for column in range(4)),
)
"""motion: the first three rows of the matrix, body mm -> this visit's LPS mm."""

_Row = dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scan:
    """One visit of one patient: names, date, what the scanner saw and what is true of it."""

    patient: PatientSpec
    visit: VisitSpec
    name: str
    date: dt.date
    motion: FloatArray
    phantom: Phantom
    lesions: tuple[Shown, ...]


def write_phantoms(specification: Path, directory: Path) -> Path:
    """Write the cohort that a TOML file asks for into `directory` (made when new) and give its manifest, cohort.csv.

    Beside it: a folder a patient with images and masks, patients.csv, truth.csv (one row per lesion and visit),
    truth_visits.csv (category where it follows, motion) and spec.toml, a copy of the specification.
    Raises `SettingsError` for what cannot be, `OutputError` when the files cannot be written, and what reading a real
    CT may raise.
    """
    spec = PhantomSpec.from_toml(specification)
    for number, patient in enumerate(spec.patient):  # what is wrong is told before anything is written
        _check_places(spec, number, patient, specification.parent)
    try:
        manifest = _write(spec, specification.parent, directory)
        (directory / "spec.toml").write_bytes(specification.read_bytes())
    except OSError as error:
        raise OutputError(
            f"the phantoms cannot be written ({error.strerror})",
            where=str(directory),
            way_out="name a folder that may be written to",
        ) from error
    return manifest


def _write(spec: PhantomSpec, beside: Path, directory: Path) -> Path:
    manifest: list[_Row] = []
    lesions: list[_Row] = []
    visits: list[_Row] = []
    for number, patient in enumerate(spec.patient):
        scans = []
        for scan in _scans(spec, number, patient, beside):
            manifest.append(_write_scan(spec, directory, scan))
            lesions += [_named(scan) | lesion_cells(one, scan.motion) for one in scan.lesions]
            scans.append(replace(scan, phantom=_without_pixels(scan.phantom)))
        visits += _visit_rows(scans)
    starts = [
        {"patient_id": patient.id, "treatment_start": f"{_first_day(spec, number) + _TREATMENT_AFTER}"}
        for number, patient in enumerate(spec.patient)
    ]
    write_table(directory / "patients.csv", _PATIENTS, starts)
    write_table(directory / "truth.csv", LESION_COLUMNS, lesions)
    write_table(directory / "truth_visits.csv", VISIT_COLUMNS, visits)
    return write_table(directory / "cohort.csv", _MANIFEST, manifest)


def _check_places(spec: PhantomSpec, number: int, patient: PatientSpec, beside: Path) -> None:
    """Raise `SettingsError` for a lesion in air, or in no visit's field of view, and for a course that cannot be."""
    host = _host(patient.host or spec.host, seed=spec.seed + number, beside=beside)
    unseen: dict[str, str] = {}
    for index, (visit, lesions) in enumerate(course(patient)):
        scan, where = spec.scan_of(visit), f"patient {patient.id}, visit {index + 1}"
        body = _grid(scan, host, where).moved(np.asarray(np.linalg.inv(_motion(scan)), dtype=np.float64))
        for seen in (seen for seen in lesions if seen.shapes):
            there = f"{where}, lesion {seen.name}"
            middles = np.array([shape.centre_mm for shape in seen.shapes], dtype=np.float64)
            if (host.sample_hu(middles, blur_mm=1.0) <= _AIR_HU).any():
                raise SettingsError("lies in air, outside the body", where=there, way_out=_INSIDE)
            shapes = [as_lesion(shape, label=1, drawn=True, where=where) for shape in seen.shapes]
            hidden = unseen.get(seen.name, there) if share_in_view(shapes, body) == 0.0 else ""
            unseen[seen.name] = hidden
    if lost := next(filter(None, unseen.values()), ""):
        raise SettingsError("lies outside the field of view of every visit", where=lost, way_out=_INSIDE)


def _motion(scan: ScanSpec) -> FloatArray:
    """(4, 4): the body's space -> this visit's."""
    return rigid_motion(rotation_deg=scan.turn_deg, shift_mm=scan.shift_mm, about_mm=scan.centre_mm)


def _without_pixels(phantom: Phantom) -> Phantom:
    """The same without its image, so that a long course does not fill the memory."""
    corner = (slice(0, 1), slice(0, 1), slice(0, 1))
    return replace(phantom, volume=phantom.volume.crop(corner))


def _first_day(spec: PhantomSpec, number: int) -> dt.date:
    """One patient after the other joins the cohort."""
    return spec.first_day + number * _NEXT_PATIENT_AFTER


def _scans(spec: PhantomSpec, number: int, patient: PatientSpec, beside: Path) -> Iterator[_Scan]:
    host = _host(patient.host or spec.host, seed=spec.seed + number, beside=beside)
    for index, (visit, lesions) in enumerate(course(patient)):
        random = np.random.default_rng([spec.seed, number, index])
        scan = spec.scan_of(visit)
        date = _first_day(spec, number) + dt.timedelta(weeks=visit.weeks)
        where = f"patient {patient.id}, visit {index + 1}"
        labels = _labels(lesions, random)
        shapes = [
            as_lesion(shape, label=label, drawn=shape.drawn, where=where)
            for seen in lesions
            for shape, label in zip(seen.shapes, labels[seen.name], strict=True)
        ]
        geometry = _grid(scan, host, where)
        motion = _motion(scan)
        phantom = render(
            host,
            shapes,
            geometry,
            motion=motion,
            mask_motion=rigid_motion(shift_mm=scan.mask_shift_mm) @ motion,
            noise_hu=scan.noise_hu,
            noise_sigma_voxels=scan.noise_grain_pixels,
            seed=int(random.integers(2**31)),
            date=date,
            subsamples=_subsamples(geometry),
        )
        phantom, kept = _numbered(phantom)
        yield _Scan(
            patient=patient,
            visit=visit,
            name=f"visit{index + 1}",
            date=date,
            motion=motion,
            phantom=phantom,
            lesions=tuple(shown(seen, labels[seen.name], kept, geometry, motion, where) for seen in lesions),
        )


def _host(host: HostSpec, *, seed: int, beside: Path) -> Host:
    if host.kind == "ct":
        from mdanderson.readers import read_volume

        return RealHost(volume=read_volume(beside / host.image, modality=Modality.CT, date=dt.date(2000, 1, 1)))
    if host.kind == "vertebrae":
        return SyntheticVertebrae(
            seed=seed,
            trabecular_hu=host.trabecular_hu,
            texture_hu=host.texture_hu,
            cortex_hu=host.cortex_hu,
            cortex_mm=host.cortex_mm,
        )
    x, y, z = host.size_mm
    return SyntheticBone(
        seed=seed,
        trabecular_hu=host.trabecular_hu,
        texture_hu=host.texture_hu,
        cortex_hu=host.cortex_hu,
        cortex_mm=host.cortex_mm,
        half_axes_mm=(x / 2, y / 2, z / 2),
        canal=host.canal,
    )


def _grid(scan: ScanSpec, host: Host, where: str) -> Geometry:
    if scan.own_grid:
        if not isinstance(host, RealHost):
            raise SettingsError("own_grid without a real CT", where=where, way_out='it goes with kind = "ct"')
        own = host.volume.geometry
        return Geometry(shape=own.shape, affine=own.affine)
    width, depth, height = scan.field_mm
    extent = {
        "axial": (height, depth, width),
        "sagittal": (width, height, depth),
        "coronal": (depth, height, width),
    }[scan.orientation]
    spacing = (scan.slice_mm, *scan.pixel_mm)
    return centred_grid(spacing, extent, centre_mm=scan.centre_mm, orientation=scan.orientation)


def _subsamples(geometry: Geometry) -> tuple[int, int, int]:
    plane, row, column = (min(_MOST_SAMPLES, int(np.ceil(step / _SAMPLE_MM - 1e-9))) for step in geometry.spacing_mm)
    return plane, row, column


def _labels(lesions: Sequence[Seen], random: np.random.Generator) -> Mapping[str, tuple[int, ...]]:
    """Labels in no particular order, as readers give them: one a lesion, of a split lesion one a part."""
    wanted = {seen.name: len(seen.parts) if seen.status is Status.SPLIT else 1 for seen in lesions}
    numbers = iter((random.permutation(sum(wanted.values())) + 1).tolist())
    given = {name: tuple(next(numbers) for _ in range(count)) for name, count in wanted.items()}
    return {
        seen.name: given[seen.name] if seen.status is Status.SPLIT else given[seen.name] * len(seen.shapes)
        for seen in lesions
    }


def _numbered(phantom: Phantom) -> tuple[Phantom, Mapping[int, int]]:
    """The phantom with labels 1, 2, 3 ... of what the mask really holds, and old label -> new label."""
    kept = {region.label: new for new, region in enumerate(phantom.mask, start=1)}
    regions = tuple(replace(region, label=kept[region.label]) for region in phantom.mask)
    mask = Mask(geometry=phantom.mask.geometry, regions=regions, source=phantom.mask.source)
    return replace(phantom, mask=mask), kept


def _write_scan(spec: PhantomSpec, directory: Path, scan: _Scan) -> _Row:
    """Image and mask as files; gives the row of the manifest."""
    patient_id, drawn = scan.patient.id, len(scan.phantom.mask) > 0
    row = {**_named(scan), "modality": "CT"}
    stem = f"{patient_id}/{scan.name}"
    if spec.format == "nifti":
        image, mask = f"{stem}_ct.nii.gz", f"{stem}_lesions.nii.gz" if drawn else ""
        write_nifti(scan.phantom.volume, directory / image)
        if drawn:
            write_label_map(scan.phantom.mask, directory / mask)
        return {**row, "image": image, "mask": mask}
    image, mask = f"{stem}_ct", f"{stem}_lesions.dcm" if drawn else ""
    seed = f"{spec.seed} {patient_id} {scan.name}"
    series = write_ct_series(
        scan.phantom.volume, directory / image, patient_id=patient_id, study_date=scan.date, seed=seed
    )
    if drawn:
        named = {n: f"{patient_id} lesion {one.seen.name}" for one in scan.lesions for n in one.labels[:1]}
        tracking = named if spec.tracking else None
        write_dicom_seg(scan.phantom.mask, series, directory / mask, seed=seed, tracking=tracking)
    return {**row, "date": "", "modality": "", "image": image, "mask": mask}


def _named(scan: _Scan) -> _Row:
    return {"patient_id": scan.patient.id, "visit": scan.name, "date": f"{scan.date}"}


def _visit_rows(scans: Sequence[_Scan]) -> Iterator[_Row]:
    """Rows of truth_visits.csv: the category where the words of the criteria leave no doubt."""
    sums = [{s.seen.name: s.size.long_axis_mm + s.size.short_axis_mm for s in scan.lesions if s.size} for scan in scans]
    healing = any(part.fill or part.rim_mm for one in scans[0].lesions for part in one.seen.parts)
    for index, scan in enumerate(scans):
        category = "BL" if index == 0 else ""
        if index and not healing and not _is_denser(scans[0], scan):
            lowest = {name: min(earlier[name] for earlier in sums[:index] if name in earlier) for name in sums[0]}
            unseen = any(one.share_in_view < 1.0 for one in scan.lesions)
            seen = [one.seen for one in scan.lesions]
            category = expected_category(seen, sums[index], sums[0], lowest, unseen=unseen) or ""
        motion = {f"motion_{r}{c}": f"{scan.motion[r, c]:.9f}" for r in range(3) for c in range(4)}
        yield {**_named(scan), "weeks": str(scan.visit.weeks), "category": category, **motion}


def _is_denser(first: _Scan, later: _Scan) -> bool:
    """Whether a lesion is denser or less dense inside than it was: how much of that is a response, no words say."""
    before = {one.seen.name: {part.core_hu for part in one.seen.parts} for one in first.lesions}
    return any(
        {part.core_hu for part in one.seen.parts} - before[one.seen.name]
        for one in later.lesions
        if before.get(one.seen.name)
    )
