"""What each scanner sees of the demo cohort: every visit on a grid, in a posture and with a noise of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mdanderson.geometry import FloatArray, Geometry
from mdanderson.phantoms.case import Case, Visit
from mdanderson.phantoms.hosts import SyntheticVertebrae
from mdanderson.phantoms.mr import MrScan, MrSpine, render_mr
from mdanderson.phantoms.pet import render_pet
from mdanderson.phantoms.render import LesionTruth, Phantom, render
from mdanderson.phantoms.scan import ScanBody, ScanPose
from mdanderson.phantoms.shapes import LesionSpec, rigid_motion
from mdanderson.phantoms.views import bone_scan
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Unit, Volume

__all__ = ["Seen", "see"]

_SEED = 20100180  # Costelloe et al., J Cancer 2010;1:80
_SCANNERS_MM = ((1.5, 1.2), (2.5, 1.0), (1.8, 1.15), (2.5, 1.15), (2.0, 1.1))
"""CT, plane and pixel spacing; the visits take turns among those that resolve their lesions."""
_FEWEST_PLANES = 4.0
"""Planes through the smallest lesion, where a scanner allows it: with fewer its size is chance."""
_PET_MM = (3.0, 3.0)
_FIELD_OF_VIEW_MM = (72.0, 92.0, 98.0)
_CORNER_MM = (-49.0, -44.0, -36.0)
"""Where the first voxel of a scan lies in LPS, before the fraction of a voxel by which scans differ."""
_LARGEST_TURN_DEG, _LARGEST_SHIFT_MM = 6.0, 3.0
_NOISE_HU = (10.0, 18.0)

_MR_SHAPE, _MR_SPACING_MM = (24, 124, 104), (3.6, 1.25, 1.25)
_MR_CORNER_MM = (-43.0, -66.0, 62.0)
"""Sagittal planes from right to left; rows run to the feet, columns to the back."""
_MR_SNR = 30.0
_MR_UNIT = 0.25
"""Signals are made this much smaller before they are rounded: smaller files."""

_SCAN_SHAPE, _SCAN_PIXEL_MM = (512, 128), 4.5
_SCAN_TURN_DEG, _SCAN_SHIFT_MM = 2.0, 8.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Seen:
    """What one modality shows of a visit.

    truths, uptake: by the name of the lesion, of those that are there; `uptake` is the ratio of expected counts with
    and without the focus, in its outline, over both views. places: LPS mm of that visit.
    """

    volumes: tuple[Volume, ...]
    masks: tuple[Mask, ...]
    truths: Mapping[str, LesionTruth]
    uptake: Mapping[str, float]
    places: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Setting:
    """The chances of one visit: which patient, which visit, fraction of a voxel, posture, noise."""

    patient: int
    visit: int
    off_voxels: FloatArray
    motion: FloatArray
    noise_hu: float
    seed: int
    date: dt.date


def see(case: Case, visit: Visit, *, patient: int, number: int, date: dt.date) -> Seen:
    """Image one modality at one visit. patient, number: which of the cohort, which of the patient, from 0.

    Modalities of one visit find the patient in one posture.
    """
    random = np.random.default_rng([_SEED, patient, number])
    setting = _Setting(
        patient=patient,
        visit=number,
        off_voxels=random.uniform(-0.5, 0.5, 3),
        motion=_posture(random),
        noise_hu=round(float(random.uniform(*_NOISE_HU)), 1),
        seed=int(random.integers(2**31)),
        date=date,
    )
    return _SCANNERS[visit.modality](case, visit, setting)


def _posture(random: np.random.Generator) -> FloatArray:
    """How the patient lies this time: turned by some degrees about any axis, and shifted."""
    axis = random.normal(size=3)
    turn = axis / np.linalg.norm(axis) * random.uniform(2.0, _LARGEST_TURN_DEG)
    shift = random.uniform(-_LARGEST_SHIFT_MM, _LARGEST_SHIFT_MM, 3)
    return rigid_motion(rotation_deg=turn.tolist(), shift_mm=shift.tolist())


def _lesions(visit: Visit) -> list[LesionSpec]:
    return [sight.lesion for sight in visit.sights if sight.lesion is not None]


def _seen(visit: Visit, phantoms: tuple[Phantom, ...]) -> Seen:
    """The images with the truths of the lesions, which are those of the first of them."""
    there = [sight.name for sight in visit.sights if sight.lesion is not None]
    truths = dict(zip(there, phantoms[0].truths, strict=True))
    return Seen(
        volumes=tuple(phantom.volume for phantom in phantoms),
        masks=tuple(phantom.mask for phantom in phantoms),
        truths=truths,
        uptake={},
        places={name: truth.centre_lps_mm for name, truth in truths.items()},
    )


def _body(case: Case, setting: _Setting) -> SyntheticVertebrae:
    return SyntheticVertebrae(seed=_SEED + setting.patient, trabecular_hu=case.trabecular_hu)


def _ct(case: Case, visit: Visit, setting: _Setting) -> Seen:
    phantom = render(
        _body(case, setting),
        _lesions(visit),
        _axial(_scanner_mm(visit, setting.patient + setting.visit), setting),
        motion=setting.motion,
        noise_hu=setting.noise_hu,
        seed=setting.seed,
        date=setting.date,
    )
    return _seen(visit, (phantom,))


def _scanner_mm(visit: Visit, turn: int) -> tuple[float, float]:
    """The scanner whose turn it is, among those whose planes are near enough to each other for this visit."""
    heights = [2 * lesion.semi_axes_mm[2] for lesion in _lesions(visit)]
    widest_mm = min(heights, default=np.inf) / _FEWEST_PLANES
    fine_enough = [scanner for scanner in _SCANNERS_MM if scanner[0] <= widest_mm] or [min(_SCANNERS_MM)]
    return fine_enough[turn % len(fine_enough)]


def _axial(scanner_mm: tuple[float, float], setting: _Setting) -> Geometry:
    """The scanner's grid, off by a fraction of a voxel; positions in whole hundredths of a millimetre."""
    plane_mm, pixel_mm = scanner_mm
    spacing_mm = (plane_mm, pixel_mm, pixel_mm)
    shape = [round(extent / step) for extent, step in zip(_FIELD_OF_VIEW_MM, spacing_mm, strict=True)]
    origin_mm = np.round(np.asarray(_CORNER_MM) + setting.off_voxels * spacing_mm[::-1], 2)
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin_mm.tolist())


def _pet(case: Case, visit: Visit, setting: _Setting) -> Seen:
    """Nothing is drawn: a PET is measured under the outlines of its CT."""
    phantom = render_pet(
        _body(case, setting),
        [replace(lesion, drawn=False) for lesion in _lesions(visit)],
        [sight.suv for sight in visit.sights if sight.lesion is not None],
        _axial(_PET_MM, setting),
        motion=setting.motion,
        seed=setting.seed,
        date=setting.date,
    )
    return _seen(visit, (phantom,))


def _mr(case: Case, visit: Visit, setting: _Setting) -> Seen:  # noqa: ARG001 - the face of every scanner
    """One image a sequence, in one posture and on one grid; the lesions are drawn in the first."""
    off_mm = setting.off_voxels * _MR_SPACING_MM
    geometry = Geometry.from_axes(
        shape=_MR_SHAPE,
        spacing_mm=_MR_SPACING_MM,
        origin_mm=np.round(np.asarray(_MR_CORNER_MM) + off_mm, 2).tolist(),
        directions=((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    )
    phantoms = []
    for order, sequence in enumerate(visit.sequences):
        phantom = render_mr(
            MrSpine(sequence=sequence, seed=_SEED + setting.patient),
            [lesion if order == 0 else replace(lesion, drawn=False) for lesion in _lesions(visit)],
            [sight.signal[sequence] for sight in visit.sights if sight.lesion is not None],
            geometry,
            scan=MrScan(gain=visit.gain, bias=visit.bias, snr=_MR_SNR, seed=setting.seed + order),
            motion=setting.motion,
            date=setting.date,
            subsamples=(3, 1, 1),
        )
        unit = 1.0 if phantom.volume.unit is Unit.ADC else _MR_UNIT
        signal = np.rint(phantom.volume.array.astype(np.float64) * unit).astype(np.int16)
        phantoms.append(replace(phantom, volume=replace(phantom.volume, array=signal)))
    return _seen(visit, tuple(phantoms))


def _bone_scan(case: Case, visit: Visit, setting: _Setting) -> Seen:  # noqa: ARG001 - the face of every scanner
    """Both views."""
    random = np.random.default_rng(setting.seed)
    turn = float(random.uniform(-_SCAN_TURN_DEG, _SCAN_TURN_DEG))
    x, z = random.uniform(-_SCAN_SHIFT_MM, _SCAN_SHIFT_MM, 2).tolist()
    scan = bone_scan(
        ScanBody(seed=_SEED + setting.patient),
        {sight.name: sight.focus for sight in visit.sights if sight.focus is not None},
        pose=ScanPose(turn_degrees=turn, shift_mm=(x, z)),
        rows_columns=_SCAN_SHAPE,
        pixel_mm=_SCAN_PIXEL_MM,
        gain=visit.gain,
        seed=setting.seed,
    )
    return Seen(volumes=scan.volumes, masks=scan.masks, truths={}, uptake=scan.uptake, places=scan.places)


_SCANNERS: Mapping[Modality, Callable[[Case, Visit, _Setting], Seen]] = {
    Modality.CT: _ct,
    Modality.MR: _mr,
    Modality.NM: _bone_scan,
    Modality.PT: _pet,
}
