"""What a specification's scanner sees of a patient at one visit, and what is true of every lesion there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mdanderson.errors import SettingsError
from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.bone import SyntheticBone, centred_grid
from mdanderson.phantoms.course import Seen, as_lesion
from mdanderson.phantoms.hosts import Host, RealHost, SyntheticVertebrae
from mdanderson.phantoms.known import Shown, shown
from mdanderson.phantoms.mr import MrScan, MrSpine, render_mr
from mdanderson.phantoms.render import Phantom, render
from mdanderson.phantoms.scan import Focus, ScanBody, ScanPose
from mdanderson.phantoms.shapes import LesionSpec, rigid_motion
from mdanderson.phantoms.spec import HostSpec, LesionShape, ScanSpec
from mdanderson.phantoms.views import bone_scan
from mdanderson.vocabulary import Modality, Status
from mdanderson.volume import Mask, Volume

__all__ = ["Imaged", "focus_of", "grid_of", "host_of", "image_visit", "motion_of"]

_SAMPLE_MM = 1.0
"""The body is sampled at least this densely within a voxel, so that thick slices blur as they do."""
_MOST_SAMPLES = 6
_SCAN_SHAPE, _SCAN_PIXEL_MM = (512, 128), 4.5
"""Of a bone scan."""
_OF_CT = dict.fromkeys(("lesion_type", "core_hu", "fill_fraction", "fill_hu", "rim_thickness_mm", "rim_hu"), "")
"""Cells that other modalities leave blank."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Imaged:
    """Images and masks of a visit in one modality, and its lesions. motion: (4, 4) body mm -> LPS mm of the visit."""

    volumes: tuple[Volume, ...]
    masks: tuple[Mask, ...]
    lesions: tuple[Shown, ...]
    motion: FloatArray


def image_visit(
    host: Host | ScanBody,
    scan: ScanSpec,
    lesions: Sequence[Seen],
    *,
    random: np.random.Generator,
    date: dt.date,
    where: str,
) -> Imaged:
    """Image a body as its modality does, labels and noise by `random`. Raises `SettingsError`, placed at `where`."""
    labels = _labels(lesions, random)
    seed = int(random.integers(2**31))
    if isinstance(host, ScanBody):
        return _bone_scan(host, scan, lesions, seed=seed)
    shapes = [
        (shape, as_lesion(shape, label=label, drawn=shape.drawn, where=where))
        for seen in lesions
        for shape, label in zip(seen.shapes, labels[seen.name], strict=True)
    ]
    geometry, motion = grid_of(scan, host, where), motion_of(scan)
    if isinstance(host, MrSpine):
        phantoms = _mr(host, scan, shapes, geometry, seed=seed, date=date)
    else:
        phantoms = [_ct(host, scan, shapes, geometry, seed=seed, date=date)]
    first, kept = _numbered(phantoms[0].mask)
    known = [shown(seen, labels[seen.name], kept, geometry, motion, where) for seen in lesions]
    if isinstance(host, MrSpine):
        known = [replace(one, other=_OF_CT | {"signal_ratios": _signals(one.seen, scan)}) for one in known]
    return Imaged(
        volumes=tuple(phantom.volume for phantom in phantoms),
        masks=(first, *(phantom.mask for phantom in phantoms[1:])),
        lesions=tuple(known),
        motion=motion,
    )


def motion_of(scan: ScanSpec) -> FloatArray:
    """(4, 4): the body's space -> this visit's."""
    return rigid_motion(rotation_deg=scan.turn_deg, shift_mm=scan.shift_mm, about_mm=scan.centre_mm)


def host_of(host: HostSpec, *, seed: int, beside: Path) -> Host | ScanBody:
    """The body. beside: the folder that a real CT is sought in."""
    if host.kind == "ct":
        from mdanderson.readers import read_volume

        return RealHost(volume=read_volume(beside / host.image, modality=Modality.CT, date=dt.date(2000, 1, 1)))
    if host.kind == "body":
        return ScanBody(seed=seed)
    if host.kind == "spine":
        return MrSpine(seed=seed)
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


def grid_of(scan: ScanSpec, host: Host, where: str) -> Geometry:
    """The voxels of a CT or MR."""
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


def focus_of(shape: LesionShape) -> Focus:
    """A lesion as a bone scan shows it: a disc as wide as its first diameter."""
    x_mm, _, z_mm = shape.centre_mm
    return Focus(x_mm=x_mm, z_mm=z_mm, radius_mm=shape.size_mm[0] / 2, ratio=shape.uptake or 0.0)


_Shapes = Sequence[tuple[LesionShape, LesionSpec]]


def _ct(host: Host, scan: ScanSpec, shapes: _Shapes, geometry: Geometry, *, seed: int, date: dt.date) -> Phantom:
    motion = motion_of(scan)
    return render(
        host,
        [lesion for _, lesion in shapes],
        geometry,
        motion=motion,
        mask_motion=rigid_motion(shift_mm=scan.mask_shift_mm) @ motion,
        noise_hu=scan.noise_hu,
        noise_sigma_voxels=scan.noise_grain_pixels,
        seed=seed,
        date=date,
        subsamples=_subsamples(geometry),
    )


def _mr(
    spine: MrSpine, scan: ScanSpec, shapes: _Shapes, geometry: Geometry, *, seed: int, date: dt.date
) -> list[Phantom]:
    """One image a sequence in whole numbers, the lesions drawn in the first."""
    phantoms = []
    for order, sequence in enumerate(scan.sequences):
        phantom = render_mr(
            MrSpine(seed=spine.seed, sequence=sequence),
            [lesion if order == 0 else replace(lesion, drawn=False) for _, lesion in shapes],
            [shape.signal[sequence] for shape, _ in shapes],
            geometry,
            scan=MrScan(
                gain=scan.gain, bias=None if scan.bias == "none" else scan.bias, snr=scan.snr, seed=seed + order
            ),
            motion=motion_of(scan),
            date=date,
            subsamples=_subsamples(geometry),
        )
        whole = np.rint(phantom.volume.array.astype(np.float64)).clip(0, 32767).astype(np.int16)
        phantoms.append(replace(phantom, volume=replace(phantom.volume, array=whole)))
    return phantoms


def _bone_scan(body: ScanBody, scan: ScanSpec, lesions: Sequence[Seen], *, seed: int) -> Imaged:
    """Both views; the patient turns about the front-back axis only."""
    pose = ScanPose(turn_degrees=-scan.turn_deg[1], shift_mm=(scan.shift_mm[0], scan.shift_mm[2]))
    there = [seen for seen in lesions if seen.parts]
    taken = bone_scan(
        body,
        {seen.name: focus_of(seen.parts[0]) for seen in there},
        pose=pose,
        rows_columns=_SCAN_SHAPE,
        pixel_mm=_SCAN_PIXEL_MM,
        total_counts=scan.counts,
        gain=scan.gain,
        seed=seed,
    )
    labels = {seen.name: label for label, seen in enumerate(there, 1) if seen.drawn and seen.name in taken.uptake}
    known = []
    for seen in lesions:
        cells = {"uptake_ratio": f"{taken.uptake[seen.name]:.3f}"} if seen.name in taken.uptake else {}
        if seen.parts:
            cells |= {f"{axis}_mm": f"{at:.2f}" for axis, at in zip("xyz", taken.places[seen.name], strict=True)}
        own = (labels[seen.name],) if seen.name in labels else ()
        in_view = float(not seen.parts or seen.name in taken.uptake)
        known.append(Shown(seen=seen, labels=own, size=None, outline=None, share_in_view=in_view, other=_OF_CT | cells))
    masks = [
        replace(mask, regions=tuple(region for region in mask if region.label in labels.values()))
        for mask in taken.masks
    ]
    return Imaged(volumes=taken.volumes, masks=tuple(masks), lesions=tuple(known), motion=pose.matrix)


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


def _numbered(mask: Mask) -> tuple[Mask, Mapping[int, int]]:
    """The mask with labels 1, 2, 3 ... of what it really holds, and old label -> new label."""
    kept = {region.label: new for new, region in enumerate(mask, start=1)}
    regions = tuple(replace(region, label=kept[region.label]) for region in mask)
    return Mask(geometry=mask.geometry, regions=regions, source=mask.source), kept


def _signals(seen: Seen, scan: ScanSpec) -> str:
    """The lesion's ratio in every sequence of the visit."""
    return ";".join(f"{name}={seen.parts[0].signal[name]:g}" for name in scan.sequences) if seen.parts else ""
