"""What a user may ask of a phantom cohort: the format of `mdanderson demo --phantom SPEC.toml`, docs/phantoms.md.

Lengths are in mm (sizes are diameters, not half axes), densities in HU, angles in degrees, places in LPS mm of the
body. A description of every key stands with it, and is printed in the documentation.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from mdanderson.errors import SettingsError
from mdanderson.phantoms.spec_faults import EVERY_KEY, as_spec_error
from mdanderson.vocabulary import Modality, MrSequence

__all__ = ["Change", "HostSpec", "LesionShape", "Merge", "PatientSpec", "PhantomSpec", "ScanSpec", "Split", "VisitSpec"]

_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Length = Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)]
_NoLess = Annotated[float, Field(strict=True, ge=0, le=1000, allow_inf_nan=False)]
_Hu = Annotated[float, Field(strict=True, ge=-1024, le=3071, allow_inf_nan=False)]
_Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
_Point = tuple[_Number, _Number, _Number]
_Size = tuple[_Length, _Length, _Length]
_Ratio = Annotated[float, Field(strict=True, ge=0, le=20, allow_inf_nan=False)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,60}$")]


class _Table(BaseModel):
    """A table of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HostSpec(_Table):
    """The body that lesions are put into."""

    kind: Literal["bone", "vertebrae", "ct", "spine", "body"] = Field(
        "bone",
        description="and with it the modality. CT: `bone`, one upright cylinder; `vertebrae`, two lumbar ones; `ct`, a "
        "real CT of yours. MR: `spine`, five vertebrae. Bone scan: `body`, all of it in both views",
    )
    image: str = Field("", description="the real CT: a file or DICOM folder, beside the specification or absolute")
    trabecular_hu: _Hu = Field(150.0, description="density of the inner bone (CT of synthetic bone)")
    texture_hu: _NoLess = Field(
        15.0, description="SD of its pattern, which is the same at every visit (CT of synthetic bone)"
    )
    cortex_hu: _Hu = Field(600.0, description="density of cortex and end plates (CT of synthetic bone)")
    cortex_mm: _NoLess = Field(2.0, description="their thickness (CT of synthetic bone)")
    size_mm: _Size = Field((60.0, 45.0, 40.0), description="width, depth, height of the bone (`bone` only)")
    canal: bool = Field(False, description="a bony canal behind it (`bone` only)")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind == "ct") != bool(self.image):
            raise _contradiction("image", 'name one with kind = "ct", and none without')
        if self.kind == "bone" and 2 * self.cortex_mm >= min(self.size_mm):
            raise _contradiction("cortex_mm", "should be less than half of the bone")
        return self


class ScanSpec(_Table):
    """How the body is imaged. A visit may change any of these."""

    orientation: Literal["axial", "sagittal", "coronal"] = Field("axial", description="the planes of the acquisition")
    slice_mm: _Length = Field(2.0, description="distance and thickness of the planes")
    pixel_mm: tuple[_Length, _Length] = Field((1.0, 1.0), description="row spacing, column spacing")
    centre_mm: _Point = Field(
        (0.0, 0.0, 0.0), description="middle of the field of view; another fraction of a voxel is another grid"
    )
    field_mm: _Size = Field((90.0, 80.0, 56.0), description="field of view: left-right, front-back, feet-head")
    own_grid: bool = Field(False, description="the real CT's own voxels and field of view instead (`ct` only)")
    turn_deg: _Point = Field((0.0, 0.0, 0.0), description="the patient lies turned by this rotation vector")
    shift_mm: _Point = Field(
        (0.0, 0.0, 0.0),
        description="and is shifted by this; to tools that do not register images it is a residual misregistration",
    )
    mask_shift_mm: _Point = Field((0.0, 0.0, 0.0), description="the segmentation is off the image by this")
    noise_hu: _NoLess = Field(15.0, description="SD of the noise (CT)")
    noise_grain_pixels: Annotated[float, Field(strict=True, ge=0, le=5)] = Field(
        0.6, description="its in-plane correlation, as the SD of a Gaussian; 0 is white (CT)"
    )
    sequences: Annotated[tuple[MrSequence, ...], Field(min_length=1)] = Field(
        (MrSequence.T1, MrSequence.STIR), description="MR: an image each, the lesions drawn in the first"
    )
    gain: _Length = Field(1.0, description="MR, bone scan: all values times this, which means nothing")
    bias: Literal["none", "slope", "dome"] = Field("none", description="MR: a field of +/- 30 %; an ADC map has none")
    snr: _Length = Field(30.0, description="MR: signal of marrow over the SD of the noise")
    counts: Annotated[float, Field(strict=True, ge=1e4, le=1e8)] = Field(
        2.0e6, description="bone scan: expected in each view"
    )


class LesionShape(_Table):
    """A lesion as it first appears."""

    name: _Name = Field(description="the same at every visit; labels in masks change")
    centre_mm: _Point = Field(description="its middle, in or out of bone")
    size_mm: _Size = Field(
        description="diameters along its own axes; of what is bent: length, thickness, height if it were straight"
    )
    shape: Literal["ellipsoid", "superquadric", "lobulated", "rod", "crescent", "L"] = Field(
        "ellipsoid",
        description="a crescent is hollow against its second axis, an L has its legs along its first and second",
    )
    exponent: Annotated[float, Field(strict=True, ge=1, le=20)] = Field(
        4.0, description="of a superquadric: 2 is an ellipsoid, more nearly a box"
    )
    lobes: Annotated[int, Field(strict=True, ge=2, le=12, multiple_of=2)] = Field(
        4, description="of a lobulated lesion"
    )
    lobulation: Annotated[float, Field(strict=True, gt=0, lt=0.5)] = Field(
        0.15, description="depth of its lobes, as a share of the radius"
    )
    bend_deg: Annotated[float, Field(strict=True, gt=0, le=300)] = Field(150.0, description="angle of a crescent's arc")
    rotation_deg: _Point = Field((0.0, 0.0, 0.0), description="its axes are turned by this rotation vector")
    core_hu: _Hu = Field(40.0, description="density inside: below the bone lytic, above it blastic")
    rim_mm: _NoLess = Field(0.0, description="thickness of a sclerotic rim")
    rim_hu: _Hu = Field(600.0, description="its density")
    rim_outside: bool = Field(True, description="whether the rim lies outside `size_mm`, or inside")
    rim_drawn: bool = Field(False, description="whether the reader drew an outside rim into the mask")
    fill: _Share = Field(0.0, description="share of the core's volume that is filled in, from the border inwards")
    fill_hu: _Hu = Field(750.0, description="density of the filling")
    signal: Mapping[MrSequence, _Ratio] = Field(
        {}, description="MR: ratio to normal marrow, as in { T1 = 0.5, STIR = 2.5 }"
    )
    uptake: _Ratio | None = Field(
        None, description="bone scan: counts in its disc against what would be counted there without it"
    )
    drawn: bool = Field(True, description="whether the reader segmented the lesion at all")


class Change(_Table):
    """What happens to a lesion; it stays so at later visits until changed again."""

    lesion: _Name = Field(description="its name")
    scale: _Length | None = Field(None, description="all diameters times this: below 1 it shrinks")
    size_mm: _Size | None = Field(None, description="or its new diameters")
    move_mm: _Point | None = Field(None, description="its middle moves by this against the bone")
    core_hu: _Hu | None = Field(None, description="new density inside")
    rim_mm: _NoLess | None = Field(None, description="thickness of the rim from now on")
    rim_hu: _Hu | None = Field(None, description="density of the rim")
    rim_drawn: bool | None = Field(None, description="whether the rim is drawn into the mask")
    fill: _Share | None = Field(None, description="share of the core that is filled in from now on")
    fill_hu: _Hu | None = Field(None, description="density of the filling")
    signal: Mapping[MrSequence, _Ratio] | None = Field(None, description="MR: ratios from now on, of all sequences")
    uptake: _Ratio | None = Field(None, description="bone scan: ratio from now on")
    drawn: bool | None = Field(None, description="whether the reader segments it")
    vanish: bool = Field(False, description="normal bone again")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.scale is not None and self.size_mm is not None:
            raise _contradiction("scale", "stands beside size_mm; keep one of them")
        if len(self.model_fields_set) < 2:
            raise _contradiction("lesion", "nothing changes; name what does, as in scale = 1.3")
        return self


class Merge(_Table):
    """Lesions that become one region, under the first one's name, joined by destroyed bone between neighbours."""

    lesions: Annotated[tuple[_Name, ...], Field(min_length=2)] = Field(description="names, each beside the next")
    bridge_mm: _Length = Field(6.0, description="thickness of what joins their middles")


class Split(_Table):
    """A lesion that falls into parts, each with a label of its own."""

    lesion: _Name = Field(description="its name")
    parts: Annotated[tuple[LesionShape, ...], Field(min_length=2)] = Field(description="lesions as under `lesion`")


class VisitSpec(_Table):
    """One visit: what has changed since the one before."""

    weeks: Annotated[int, Field(strict=True, ge=0, le=1000)] = Field(description="from baseline")
    scan: ScanSpec = Field(default_factory=ScanSpec, description="what is imaged otherwise than `[scan]` says")
    change: tuple[Change, ...] = Field((), description="lesions that change")
    new: tuple[LesionShape, ...] = Field((), description="lesions that appear")
    merge: tuple[Merge, ...] = Field((), description="lesions that merge")
    split: tuple[Split, ...] = Field((), description="lesions that split")


class PatientSpec(_Table):
    """A patient: lesions at baseline, and visits."""

    id: _Name = Field(description="patient_id in the tables; twice, with bodies of two modalities, for one patient")
    host: HostSpec | None = Field(None, description="a body of their own; else `[host]`")
    lesion: tuple[LesionShape, ...] = Field((), description="lesions at baseline")
    visit: Annotated[tuple[VisitSpec, ...], Field(min_length=1)] = Field(
        description="in order of weeks; the first is the baseline"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        weeks = [visit.weeks for visit in self.visit]
        if any(later - earlier < 3 for earlier, later in pairwise(weeks)):
            raise _contradiction("visit", "visits should be in order, at least 3 weeks apart")
        first = self.visit[0]
        if first.change or first.new or first.merge or first.split:
            raise _contradiction("visit", "nothing can have changed at the first visit; say it in the lesions")
        return self


class PhantomSpec(_Table):
    """The whole file."""

    seed: Annotated[int, Field(strict=True, ge=0)] = Field(
        1, description="the same seed gives the same files to the byte"
    )
    format: Literal["nifti", "dicom"] = Field(
        "nifti", description="`nifti`: images and label maps; `dicom`: a CT series and a DICOM SEG a visit"
    )
    tracking: bool = Field(
        True, description="whether the SEG carries tracking UIDs that name lesions over time (`dicom` only)"
    )
    first_day: dt.date = Field(dt.date(2024, 1, 8), description="date of the first baseline")
    host: HostSpec = Field(default_factory=HostSpec, description="the body of all patients")
    scan: ScanSpec = Field(default_factory=ScanSpec, description="how all visits are imaged")
    patient: Annotated[tuple[PatientSpec, ...], Field(min_length=1)] = Field(description="the patients")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        bodies = [(patient.id, self.modality_of(patient)) for patient in self.patient]
        if len(set(bodies)) < len(bodies):
            raise _contradiction("patient", "two patients have one id")
        weeks: dict[str, list[int]] = {}
        for patient in self.patient:
            own = [visit.weeks for visit in patient.visit]
            if weeks.setdefault(patient.id, own) != own:
                raise _contradiction("patient", f"the bodies of {patient.id} should have visits of the same weeks")
        return self

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """The specification in a file.

        Raises `SettingsError` naming file, line and the first key that is unknown, of a wrong type or impossible.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
            tables = tomllib.loads(text)
        except OSError as error:
            raise SettingsError(
                "the specification cannot be read", where=str(path), way_out=f"check the path ({error.strerror})"
            ) from error
        except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, or nested without end
            what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise SettingsError(f"not TOML: {what}", where=str(path), way_out=EVERY_KEY) from error
        return cls.from_mapping(tables, path=str(path), text=text)

    @classmethod
    def from_mapping(cls, tables: dict[str, Any], *, path: str = "", text: str = "") -> Self:
        """The specification in a dictionary, as TOML gives it. Raises `SettingsError`."""
        try:
            return cls.model_validate(tables)
        except ValidationError as error:
            raise as_spec_error(error, cls, path=path, text=text) from error

    def host_of(self, patient: PatientSpec) -> HostSpec:
        """The body of a patient: their own, else that of all."""
        return patient.host or self.host

    def modality_of(self, patient: PatientSpec) -> Modality:
        """What images the patient's body."""
        return {"spine": Modality.MR, "body": Modality.NM}.get(self.host_of(patient).kind, Modality.CT)

    def scan_of(self, visit: VisitSpec) -> ScanSpec:
        """How a visit is imaged: as `[scan]` says, but for what the visit says itself."""
        return self.scan.model_copy(update={key: getattr(visit.scan, key) for key in visit.scan.model_fields_set})


def _contradiction(key: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("contradiction", "{message}", {"key": key, "message": message})
