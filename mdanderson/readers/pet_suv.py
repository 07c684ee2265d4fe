"""A PET series as SUV by body weight (g/ml): the factor of each file, and what is to be known beside it.

Exact or refused. BQML: START and ADMIN; NONE is refused, because the true start of every bed position is needed and
headers that carry the same AcquisitionTime in all beds are common. CNTS: by Philips' private factors alone. GML: by
body weight as it is, by lean body mass where the formula is named (LBMJANMA, LBMJAMES128); others are refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom import Dataset

from mdanderson.errors import ImageError, UnitError
from mdanderson.readers.dicom_elements import items, numbers, text
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.pet_lean_mass import lean_facts, lean_share
from mdanderson.readers.pet_private import philips_activity_factor, philips_suv_factor
from mdanderson.readers.pet_times import injected, missing, scan_began
from mdanderson.readers.pet_tracer import tracer_of
from mdanderson.readers.voxel_values import Scale

__all__ = ["SuvScaling", "suv_scaling"]

_GML = "export the series in Bq/ml (BQML) or as SUV by body weight (GML)"
_LEAN_TYPES = {"LBMJANMA": "janmahasatian", "LBMJAMES128": "james"}
_LEAST_BQ, _MOST_BQ = 1e6, 1e11
"""Nobody is given less or more; 388 is a dose in MBq."""
_MOST_KG = 500.0
_MOST_HALF_LIVES = 10
"""After this many a thousandth is left: the dates do not belong together."""
_SAME = (
    *("Units", "SUVType", "DecayCorrection", "CorrectedImage", "PatientWeight", "PatientSize", "PatientSex"),
    *("SeriesDate", "SeriesTime"),
)
_SAME_TRACER = (
    *("RadiopharmaceuticalStartDateTime", "RadiopharmaceuticalStartTime"),
    *("RadionuclideTotalDose", "RadionuclideHalfLife", "Radiopharmaceutical"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SuvScaling:
    """How rescaled values become SUV by body weight.

    factors: per file, SUV = factor x rescaled value. facts: tracer, uptake time and shares of lean body mass, for
    `Volume.acquisition`; nothing that identifies anybody.
    """

    factors: Mapping[Path, float]
    facts: Mapping[str, str]

    def applied(self, scale: Scale, path: Path) -> Scale:
        """What a slice of the file at `path` is to be rescaled by, so that its values are SUV at once."""
        factor = self.factors[path]
        return replace(scale, slope=scale.slope * factor, intercept=scale.intercept * factor)


def suv_scaling(files: Sequence[DicomFile]) -> SuvScaling:
    """The SUV scaling of a PET series. Raises `UnitError`, naming what is missing by its DICOM keyword."""
    headers = [file.header for file in files]
    _refuse_mixture(headers)
    first = headers[0]
    _refuse_uncorrected(first)
    units = text(first, "Units")
    if units == "BQML":
        factors = dict.fromkeys((file.path for file in files), _suv_per_bq(headers))
    elif units == "CNTS":
        factors = _philips(files)
    else:
        factors = dict.fromkeys((file.path for file in files), _suv_per_gml(first))
    return SuvScaling(factors=factors, facts=_facts(headers))


def _refuse_mixture(headers: Sequence[Dataset]) -> None:
    """Raises `ImageError` where slices of one series would have different SUVs."""
    first = headers[0]
    for header in headers[1:]:
        apart = [keyword for keyword in _SAME if text(header, keyword) != text(first, keyword)]
        theirs, ours = _tracer(header), _tracer(first)
        apart += [keyword for keyword in _SAME_TRACER if text(theirs, keyword) != text(ours, keyword)]
        if apart:
            raise ImageError(f"slices of one series differ in {apart[0]}", way_out="export the series again")


def _refuse_uncorrected(header: Dataset) -> None:
    """Raises `UnitError` for a PET without attenuation correction; a header that lists no corrections is believed."""
    corrections = text(header, "CorrectedImage").split("/")
    if corrections != [""] and "ATTN" not in corrections:
        raise UnitError(
            "CorrectedImage lists no attenuation correction (ATTN): such values are no SUV",
            way_out="name the attenuation-corrected series",
        )


def _suv_per_bq(headers: Sequence[Dataset]) -> float:
    """SUV by body weight of 1 Bq/ml."""
    first = headers[0]
    correction = text(first, "DecayCorrection")
    if not correction:
        raise missing("DecayCorrection")
    if correction not in {"START", "ADMIN"}:
        what = "not corrected for decay" if correction == "NONE" else "not START or ADMIN"
        raise UnitError(f"DecayCorrection is {correction}: {what}", way_out=_GML)
    weight_g, dose_bq = _weight_kg(first) * 1000, _dose_bq(first)
    decayed = 1.0
    if correction == "START":
        half_life_s = _half_life_s(first)
        decayed = 2.0 ** (-_uptake(headers, half_life_s).total_seconds() / half_life_s)
    return weight_g / (dose_bq * decayed)


def _philips(files: Sequence[DicomFile]) -> dict[Path, float]:
    """Factor a file: to SUV at once, else to Bq/ml and on."""
    direct = {file.path: philips_suv_factor(file.header) for file in files}
    known = {path: factor for path, factor in direct.items() if factor is not None}
    if len(known) == len(files):
        if text(files[0].header, "DecayCorrection") == "NONE":
            raise UnitError("DecayCorrection is NONE: not corrected for decay", way_out=_GML)
        return known
    activity = {file.path: philips_activity_factor(file.header) for file in files}
    bq = {path: factor for path, factor in activity.items() if factor is not None}
    if known or len(bq) < len(files):
        raise UnitError(
            "PET units are CNTS, without Philips' SUV factor (7053,xx00) or activity factor (7053,xx09) in every slice",
            way_out=_GML,
        )
    suv_per_bq = _suv_per_bq([file.header for file in files])
    return {path: factor * suv_per_bq for path, factor in bq.items()}


def _suv_per_gml(header: Dataset) -> float:
    """SUV by body weight of 1 g/ml as the header means it; DICOM takes a blank SUVType for body weight."""
    kind = text(header, "SUVType")
    if kind in {"", "BW"}:
        return 1.0
    if kind not in _LEAN_TYPES:
        raise UnitError(f"PET units are GML by {kind}, whose formula is not told", way_out=_GML)
    try:
        return 1.0 / lean_share(header, _LEAN_TYPES[kind])
    except ImageError as error:
        raise UnitError(f"PET units are GML by {kind}, and {error.what}", way_out=_GML) from error


def _tracer(header: Dataset) -> Dataset:
    """The item of RadiopharmaceuticalInformationSequence, an empty one where there is none."""
    found = items(header, "RadiopharmaceuticalInformationSequence")
    return found[0] if found else Dataset()


def _weight_kg(header: Dataset) -> float:
    values = numbers(header, "PatientWeight")
    if values is None or values[0] == 0:
        raise missing("PatientWeight")
    if not 0 < values[0] <= _MOST_KG:
        raise UnitError("PatientWeight is no weight in kg", way_out="correct it on the scanner and export again")
    return float(values[0])


def _dose_bq(header: Dataset) -> float:
    if not items(header, "RadiopharmaceuticalInformationSequence"):
        raise missing("RadiopharmaceuticalInformationSequence")
    values = numbers(_tracer(header), "RadionuclideTotalDose")
    if values is None:
        raise missing("RadionuclideTotalDose")
    if not _LEAST_BQ <= values[0] <= _MOST_BQ:
        guess = ", which would be a dose in MBq" if 1 <= values[0] < _LEAST_BQ / 100 else ""
        raise UnitError(
            f"RadionuclideTotalDose is {values[0]:g}, no dose in Bq{guess}", way_out="correct it and export again"
        )
    return float(values[0])


def _half_life_s(header: Dataset) -> float:
    values = numbers(_tracer(header), "RadionuclideHalfLife")
    if values is None or values[0] <= 0:
        raise missing("RadionuclideHalfLife")
    return float(values[0])


def _uptake(headers: Sequence[Dataset], half_life_s: float) -> dt.timedelta:
    """From injection to the start of the scan. Raises `UnitError` where the times do not belong together."""
    scan = scan_began(headers)
    uptake = scan - injected(headers[0], _tracer(headers[0]), scan=scan)
    seconds = uptake.total_seconds()
    if not 0 <= seconds <= _MOST_HALF_LIVES * half_life_s:
        side = "after the scan began" if seconds < 0 else f"{seconds / half_life_s:.0f} half-lives before the scan"
        raise UnitError(
            f"the tracer was injected {side}, says the header: its times do not belong together",
            way_out="export the original series with its dates unchanged, or one in SUV by body weight (GML)",
        )
    return uptake


def _facts(headers: Sequence[Dataset]) -> dict[str, str]:
    """Tracer, half-life and uptake time where they can be told, and the shares of lean body mass."""
    first = headers[0]
    facts = {"tracer": tracer_of(_tracer(first))} | lean_facts(first)
    try:
        half_life_s = _half_life_s(first)
        facts["half_life_minutes"] = f"{half_life_s / 60:.0f}"
        facts["uptake_minutes"] = f"{_uptake(headers, half_life_s).total_seconds() / 60:.1f}"
    except ImageError:  # an SUV needed none of it, or it was refused before
        pass
    return facts
