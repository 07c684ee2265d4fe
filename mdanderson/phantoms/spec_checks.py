"""What a specification asks for and cannot be had, told before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mdanderson.errors import SettingsError
from mdanderson.phantoms.course import Seen, as_lesion, course
from mdanderson.phantoms.hosts import Host
from mdanderson.phantoms.known import share_in_view
from mdanderson.phantoms.mr import MrSpine
from mdanderson.phantoms.scan import ScanBody
from mdanderson.phantoms.spec import PatientSpec, PhantomSpec, ScanSpec
from mdanderson.phantoms.spec_images import focus_of, grid_of, host_of, motion_of
from mdanderson.vocabulary import Modality, Status

__all__ = ["check_patient"]

_AIR_HU = -900.0
"""What is less dense at the middle of a lesion is air round the body."""
_AIR_SHARE = 0.03
"""On MR, of the signal of marrow."""
_INSIDE = "move centre_mm of the lesion, or of the scan; the bone is centred at 0"


def check_patient(spec: PhantomSpec, number: int, patient: PatientSpec, beside: Path) -> None:
    """Raise `SettingsError` for a lesion in air, in no visit's field of view, or without what its modality shows."""
    host = host_of(spec.host_of(patient), seed=spec.seed + number, beside=beside)
    if spec.format == "dicom" and isinstance(host, MrSpine):
        raise SettingsError(
            "MR is not written as DICOM", where=f"patient {patient.id}", way_out='set format = "nifti", or another host'
        )
    unseen: dict[str, str] = {}
    for index, (visit, lesions) in enumerate(course(patient)):
        scan, where = spec.scan_of(visit), f"patient {patient.id}, visit {index + 1}"
        if spec.modality_of(patient) is not Modality.CT and any(scan.mask_shift_mm):
            raise SettingsError("a shifted mask on another modality than CT", where=where, way_out="leave it out")
        for seen in (seen for seen in lesions if seen.shapes):
            there = f"{where}, lesion {seen.name}"
            for what, way_out in _missing(seen, scan, spec.modality_of(patient)):
                raise SettingsError(what, where=there, way_out=way_out)
            if _in_air(host, seen):
                raise SettingsError("lies in air, outside the body", where=there, way_out=_INSIDE)
            if not isinstance(host, ScanBody):
                unseen[seen.name] = unseen.get(seen.name, there) if _hidden(host, scan, seen, where) else ""
    if lost := next(filter(None, unseen.values()), ""):
        raise SettingsError("lies outside the field of view of every visit", where=lost, way_out=_INSIDE)


def _missing(seen: Seen, scan: ScanSpec, modality: Modality) -> Iterator[tuple[str, str]]:
    """What a lesion lacks, or has too much of, in its modality, and the way out."""
    if modality is Modality.CT:
        return
    first = seen.parts[0]
    if any(part.fill or part.rim_mm for part in seen.shapes):
        yield f"a rim or filling on {modality}", "they are of CT: leave them out"
    if modality is Modality.MR:
        lacking = [str(name) for part in seen.parts for name in scan.sequences if name not in part.signal]
        if lacking:
            yield (
                f"no signal in {lacking[0]}",
                f"give its ratio to normal marrow, as in signal = {{ {lacking[0]} = 0.5 }}",
            )
        return
    if first.uptake is None:
        yield "no uptake", "give its counts against those without it, as in uptake = 4.0"
    if seen.status in {Status.MERGED, Status.SPLIT}:
        yield f"{seen.status} on a bone scan", "foci only appear, change and vanish"


def _in_air(host: Host | ScanBody, seen: Seen) -> bool:
    """Whether the middle of one of its shapes lies outside the body."""
    if isinstance(host, ScanBody):
        foci = [focus_of(shape) for shape in seen.shapes]
        places = np.array([[focus.x_mm, focus.z_mm] for focus in foci])
        inside = [capsule.apart_mm(places) <= capsule.radius_mm for capsule in host.capsules]
        return not np.any(inside, axis=0).all()
    middles = np.array([shape.centre_mm for shape in seen.shapes], dtype=np.float64)
    air = _AIR_SHARE * host.signals.marrow if isinstance(host, MrSpine) else _AIR_HU
    return bool((host.sample_hu(middles, blur_mm=1.0) <= air).any())


def _hidden(host: Host, scan: ScanSpec, seen: Seen, where: str) -> bool:
    """Whether this visit's field of view shows nothing of it."""
    body = grid_of(scan, host, where).moved(np.asarray(np.linalg.inv(motion_of(scan)), dtype=np.float64))
    shapes = [as_lesion(shape, label=1, drawn=True, where=where) for shape in seen.shapes]
    return share_in_view(shapes, body) == 0.0
