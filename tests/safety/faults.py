"""The catalogue of hostile and broken files: each fault as one patient of a cohort, and what is to be said of it."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless
from safety import samples

__all__ = ["FAULTS", "Fault"]

MEGABYTE = 2**20
Build = Callable[[Path], dict[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """build: writes the files into a folder of its own and returns cells of its manifest row; says: what is told."""

    build: Build
    says: str


def _image(name: str, content: bytes | Dataset | list[Dataset], **cells: str) -> Build:
    """An image at fault."""

    def build(folder: Path) -> dict[str, str]:
        samples.write(folder / name, content)
        return {"image": name} | cells

    return build


def _mask(name: str, content: bytes | Dataset) -> Build:
    """A good image with a mask at fault."""

    def build(folder: Path) -> dict[str, str]:
        samples.write(folder / "ct.nii", samples.nifti_bytes())
        samples.write(folder / name, content)
        return {"image": "ct.nii", "mask": name}

    return build


def _packed(offset: int, form: str, *values: float) -> Callable[[bytearray], None]:
    return lambda header: struct.pack_into(form, header, offset, *values)


def _bomb(head: bytes, megabytes: int) -> bytes:
    """`head` and zeros without end, in gzip: a thousandth of its size. A gzip file may have many members."""
    return samples.gz(head) + samples.gz(bytes(MEGABYTE)) * megabytes


def _without_sform(*steps: float) -> Callable[[bytearray], None]:
    """Placed by the qform alone, with these steps."""

    def edit(header: bytearray) -> None:
        struct.pack_into("<2h", header, 252, 1, 0)
        struct.pack_into("<3f", header, 80, *steps)

    return edit


def _pixdim(axis: int, step: float) -> Callable[[bytearray], None]:
    """Placed by an sform, which `pixdim` contradicts."""
    return _packed(76 + 4 * axis, "<f", step)


def _all_slices(edit: Callable[[Dataset], None], kind: str = "CT") -> list[Any]:
    return samples.slices(kind, lambda _, ds: edit(ds))


def _one_slice(edit: Callable[[Dataset], None], kind: str = "CT") -> list[Any]:
    return samples.slices(kind, lambda plane, ds: edit(ds) if plane == 3 else None)


def _set(**values: Any) -> Callable[[Dataset], None]:
    def edit(ds: Dataset) -> None:
        for keyword, value in values.items():
            setattr(ds, keyword, value)

    return edit


def _raw_text(keyword: str, text: str) -> Callable[[Dataset], None]:
    """A value that pydicom would not let through."""

    def edit(ds: Dataset) -> None:
        tag = Tag(keyword)
        raw = text.encode() + b" " * (len(text) % 2)
        ds._dict[tag] = RawDataElement(tag, "DS", len(raw), raw, 0, False, True)

    return edit


def _nested(levels: int) -> bytes:
    """Sequences of undefined length within each other, as an element of a data set in explicit VR."""
    sequence, item = b"\x54\x00\x16\x00SQ\0\0\xff\xff\xff\xff", b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    return (sequence + item) * levels + end * levels


def _deep_slice(folder: Path) -> dict[str, str]:
    """A series one slice of which has a sequence of 1000 levels (RadiopharmaceuticalInformationSequence)."""
    samples.write(
        folder / "series", samples.slices("PT", lambda _, ds: ds.__delitem__("RadiopharmaceuticalInformationSequence"))
    )
    for path in (folder / "series").iterdir():
        raw = path.read_bytes()
        place = raw.index(b"\xe0\x7f\x10\x00OW")
        path.write_bytes(raw[:place] + _nested(1000) + raw[place:])
    return {"image": "series"}


def _deep_mask(folder: Path) -> dict[str, str]:
    samples.write(folder / "ct.nii", samples.nifti_bytes())
    samples.write(folder / "seg.dcm", samples.segmentation())
    raw = (folder / "seg.dcm").read_bytes()
    place = raw.index(b"\xe0\x7f\x10\x00OW")
    deep = _nested(1000).replace(b"\x54\x00\x16\x00SQ", b"\x99\x00\x10\x10SQ")
    (folder / "seg.dcm").write_bytes(raw[:place] + deep + raw[place:])
    return {"image": "ct.nii", "mask": "seg.dcm"}


def _deflated_bomb(folder: Path) -> dict[str, str]:
    """A CT slice in Deflated Explicit VR that unpacks to 4 GB."""
    ds = samples.slices("CT")[0]
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    samples.write(folder / "slice.dcm", ds)
    raw = (folder / "slice.dcm").read_bytes()
    data_set = 132 + 12 + int.from_bytes(raw[140:144], "little")
    plain = zlib.decompressobj(-15).decompress(raw[data_set:])
    long = b"\x09\x70\x10\x00OB\0\0" + (4095 * MEGABYTE).to_bytes(4, "little")
    packer = zlib.compressobj(9, wbits=-15)
    start = packer.compress(plain[: plain.index(b"\xe0\x7f\x10\x00OW")] + long) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    (folder / "slice.dcm").write_bytes(raw[:data_set] + start + zeros * 4095 + packer.flush())
    return {"image": "slice.dcm"}


def _claims_codestream(ds: Dataset) -> None:
    """A JPEG 2000 stream that claims 60000 x 60000 pixels for a slice of 24 x 24."""
    size = struct.pack(">2sHHIIIIIIIIHBBB", b"\xff\x51", 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0, 1, 15, 1, 1)
    cod = b"\xff\x52\x00\x0c\x00\x00\x00\x01\x00\x05\x04\x04\x00\x01"
    qcd = b"\xff\x5c\x00\x13\x40" + b"\x48" * 16
    tile = b"\xff\x90\x00\x0a\x00\x00\x00\x00\x00\x0e\x00\x01\xff\x93"
    ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
    ds.PixelData = encapsulate([b"\xff\x4f" + size + cod + qcd + tile + b"\xff\xd9"])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True


def _broken_rle(ds: Dataset) -> None:
    ds.file_meta.TransferSyntaxUID = RLELossless
    ds.PixelData = encapsulate([struct.pack("<16I", 2, 64, 10**9, *[0] * 13) + b"\x81\0" * 40])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True


def _cut(content: Dataset, share: float) -> Build:
    """A DICOM mask that ends early."""

    def build(folder: Path) -> dict[str, str]:
        cells = _mask("mask.dcm", content)(folder)
        raw = (folder / "mask.dcm").read_bytes()
        (folder / "mask.dcm").write_bytes(raw[: int(len(raw) * share)])
        return cells

    return build


def _cut_series(folder: Path) -> dict[str, str]:
    samples.write(folder / "series", samples.slices("CT"))
    last = folder / "series" / "004.dcm"
    last.write_bytes(last.read_bytes()[:-200])
    return {"image": "series"}


def _empty_slice(folder: Path) -> dict[str, str]:
    samples.write(folder / "series", samples.slices("CT"))
    (folder / "series" / "004.dcm").write_bytes(b"")
    return {"image": "series"}


def _special(make: Callable[[Path], None], name: str = "ct.nii") -> Build:
    def build(folder: Path) -> dict[str, str]:
        make(folder / name)
        return {"image": name}

    return build


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _loop_of_folders(path: Path) -> None:
    path.mkdir()
    (path / "again").symlink_to(path, target_is_directory=True)


def _many_labels() -> bytes:
    """An image in the place of its mask: each grey value is a label, and reaches through the whole volume."""
    noise = np.random.default_rng(5).integers(0, 60000, (40, 256, 256), dtype=np.uint16)
    return samples.gz(samples.nifti_bytes(noise))


def _frames(edit: Callable[[Dataset], None]) -> Dataset:
    ds = samples.segmentation()
    edit(ds)
    return ds


def _long_contour(points: int) -> Dataset:
    """A contour that runs to and fro through the whole image."""
    ds = samples.structures()
    corners = ["0\\0\\3", "46\\46\\3", "46\\0\\3"]
    raw = "\\".join(corners[number % 3] for number in range(points)).encode()
    raw += b" " * (len(raw) % 2)
    tag = Tag(0x30060050)
    ds.ROIContourSequence[0].ContourSequence[0]._dict[tag] = RawDataElement(tag, "UN", len(raw), raw, 0, False, True)
    return ds


def _contour(edit: Callable[[Dataset], None]) -> Dataset:
    ds = samples.structures()
    edit(ds.ROIContourSequence[0].ContourSequence[1])
    return ds


def _far(ds: Dataset) -> None:
    """Two frames a kilometre apart, and steps of a thousandth of a millimetre."""
    ds.PerFrameFunctionalGroupsSequence[-1].PlanePositionSequence[0].ImagePositionPatient = [0, 0, 1e6]
    ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = 0.001


def _segment_zero(ds: Dataset) -> None:
    ds.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 0


def _turned(ds: Dataset) -> None:
    orientation = Dataset()
    orientation.ImageOrientationPatient = [0, 1, 0, 0, 0, 1]
    ds.PerFrameFunctionalGroupsSequence[1].PlaneOrientationSequence = [orientation]


def _folder_of_a_pipe(path: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "pipe.dcm")


def _latin_name(folder: Path) -> dict[str, str]:
    """A slice cut short, under a name as Windows of old wrote it."""
    samples.write(folder / "series", samples.slices("CT"))
    slice_ = folder / "series" / "003.dcm"
    slice_.rename(os.fsdecode(os.fsencode(folder / "series") + b"/Sch\xe4del.dcm"))
    bad = Path(os.fsdecode(os.fsencode(folder / "series") + b"/Sch\xe4del.dcm"))
    bad.write_bytes(bad.read_bytes()[:-200])
    return {"image": "series"}


def _claims() -> dict[str, Fault]:
    """What a header claims and no file of its size can hold."""
    huge = samples.nifti_bytes(shape=[30000, 30000, 30000])
    long = samples.nifti_bytes(shape=[1000, 1000, 1000])
    nuclear = samples.scintigram()
    nuclear.NumberOfFrames = 2**30
    return {
        "nifti claims 30000^3": Fault(build=_image("ct.nii", huge), says="30000 x 30000 x 30000"),
        "nifti.gz claims 30000^3": Fault(build=_image("ct.nii.gz", samples.gz(huge)), says="30000 x 30000 x 30000"),
        "nrrd claims 30000^3": Fault(
            build=_image("ct.nrrd", samples.nrrd_bytes(edit={"sizes": "30000 30000 30000"})),
            says="30000 x 30000 x 30000",
        ),
        "mha claims 30000^3": Fault(
            build=_image("ct.mha", samples.mha_bytes(edit={"DimSize": "30000 30000 30000"})),
            says="30000 x 30000 x 30000",
        ),
        "nifti claims 2 GB": Fault(build=_image("ct.nii", long), says="cut short"),
        "nifti.gz claims 2 GB": Fault(build=_image("ct.nii.gz", samples.gz(long)), says="cut short"),
        "nrrd claims 2 GB": Fault(
            build=_image("ct.nrrd", samples.nrrd_bytes(edit={"sizes": "1000 1000 1000"})), says="cut short"
        ),
        "mha claims 2 GB": Fault(
            build=_image("ct.mha", samples.mha_bytes(edit={"DimSize": "1000 1000 1000"})), says="cut short"
        ),
        "nifti of negative size": Fault(
            build=_image("ct.nii", samples.nifti_bytes(shape=[24, -24, 6])), says="24 x -24 x 6"
        ),
        "slices claim 65535^2 pixels": Fault(
            build=_image("series", _all_slices(_set(Rows=65535, Columns=65535))), says="6 x 65535 x 65535"
        ),
        "a slice claims 30000^2 pixels": Fault(
            build=_image("ct.dcm", _all_slices(_set(Rows=30000, Columns=30000))[0]), says="cut short"
        ),
        "an MR claims 2^30 frames": Fault(
            build=_image("mr.dcm", _all_slices(_set(NumberOfFrames=2**30), "MR")[0]), says="1073741824"
        ),
        "a bone scan claims 2^30 frames": Fault(build=_image("nm.dcm", nuclear), says="1073741824"),
        "an extension of a nifti.gz claims 2 GB": Fault(
            build=_image("ct.nii.gz", samples.gz(samples.nifti_bytes(edit=_packed(108, "<f", 2.0**31)))),
            says="damaged",
        ),
        "a JPEG 2000 stream claims 60000^2 pixels": Fault(
            build=_image("series", _one_slice(_claims_codestream)), says="cannot be decompressed"
        ),
        "an RLE stream points beyond its end": Fault(
            build=_image("series", _one_slice(_broken_rle)), says="cannot be decompressed"
        ),
        "a DICOM SEG claims 65535^2 pixels": Fault(
            build=_mask("seg.dcm", _frames(_set(Rows=65535, Columns=65535))), says="4 x 65535 x 65535"
        ),
    }


def _bombs() -> dict[str, Fault]:
    """10 MB that unpack to 10 GB."""
    owned = _bomb(samples.nifti_bytes(shape=[2000, 2000, 1300]), 10 * 1024)
    return {
        "zip bomb after a small image": Fault(
            build=_image("ct.nii.gz", _bomb(samples.nifti_bytes(), 10 * 1024)), says="goes on after its last voxel"
        ),
        "zip bomb that its header owns to": Fault(build=_image("ct.nii.gz", owned), says="2000 x 2000 x 1300"),
        "zip bomb in a mask": Fault(build=_mask("mask.nii.gz", owned), says="2000 x 2000 x 1300"),
        "zip bomb in the extensions": Fault(
            build=_image("ct.nii.gz", _bomb(samples.nifti_bytes(edit=_packed(108, "<f", 2.0**31)), 3 * 1024)),
            says="damaged",
        ),
        "bomb in a deflated DICOM file": Fault(build=_deflated_bomb, says="unpacks to more than"),
    }


def _truncated() -> dict[str, Fault]:
    """Each format, ended early."""
    nifti, packed = samples.nifti_bytes(), samples.gz(samples.nifti_bytes())
    return {
        "nifti cut in its voxels": Fault(build=_image("ct.nii", nifti[:-500]), says="cut short"),
        "nifti cut in its header": Fault(build=_image("ct.nii", nifti[:200]), says="damaged"),
        "nifti.gz cut in its voxels": Fault(build=_image("ct.nii.gz", packed[:-100]), says="cut short"),
        "nifti.gz cut in its header": Fault(build=_image("ct.nii.gz", packed[:40]), says="damaged"),
        "nrrd cut": Fault(build=_image("ct.nrrd", samples.nrrd_bytes()[:-500]), says="cut short"),
        "mha cut": Fault(build=_image("ct.mha", samples.mha_bytes()[:-500]), says="cut short"),
        "a slice cut": Fault(build=_cut_series, says="cut short"),
        "an empty slice": Fault(build=_empty_slice, says="empty"),
        "a mask of nifti.gz cut": Fault(
            build=_mask("mask.nii.gz", samples.gz(samples.nifti_bytes(samples.lesion().astype(np.uint8)))[:-30]),
            says="cut short",
        ),
        "a DICOM SEG cut": Fault(build=_cut(samples.segmentation(), 0.95), says="cut short"),
        "an RTSTRUCT cut": Fault(build=_cut(samples.structures(), 0.7), says="damaged"),
        "nifti of no byte": Fault(build=_image("ct.nii", b""), says="not a NIfTI file"),
        "nifti.gz of no byte": Fault(build=_image("ct.nii.gz", b""), says="not a NIfTI file"),
        "nrrd of no byte": Fault(build=_image("ct.nrrd", b""), says="header"),
        "a file of no byte": Fault(build=_image("ct.dcm", b""), says="not a known image format"),
        "a mask of no byte": Fault(build=_mask("mask.nii.gz", b""), says="not a NIfTI file"),
    }


def _places() -> dict[str, Fault]:
    """Voxels that are nowhere."""
    affine = np.diag([-2.0, -2.0, 3.0, 1.0])
    holes: dict[str, Fault] = {}
    for name, value in (("NaN", np.nan), ("infinite", np.inf)):
        broken = affine.copy()
        broken[0, 3] = value
        holes[f"{name} in the affine of nifti"] = Fault(
            build=_image("ct.nii", samples.nifti_bytes(affine=broken)), says="not finite"
        )
        holes[f"{name} in the place of a slice"] = Fault(
            build=_image("series", _one_slice(_raw_text("ImagePositionPatient", f"0\\0\\{value}"))),
            says="ImagePositionPatient",
        )
        holes[f"{name} in the origin of nrrd"] = Fault(
            build=_image("ct.nrrd", samples.nrrd_bytes(edit={"space origin": f"({value},0,0)"})), says="damaged"
        )
    flat = affine.copy()
    flat[2, 2] = 0
    return holes | {
        "nifti of zero spacing": Fault(build=_image("ct.nii", samples.nifti_bytes(affine=flat)), says="spacing"),
        "nifti of zero pixdim": Fault(
            build=_image("ct.nii", samples.nifti_bytes(edit=_without_sform(0.0, 2.0, 3.0))), says="spacing"
        ),
        "nifti of negative pixdim": Fault(
            build=_image("ct.nii", samples.nifti_bytes(edit=_without_sform(2.0, -2.0, 3.0))), says="spacing"
        ),
        "an sform beside a zero pixdim": Fault(
            build=_image("ct.nii", samples.nifti_bytes(edit=_pixdim(3, 0.0))), says="spacing is not positive"
        ),
        "an sform beside a negative pixdim": Fault(
            build=_image("ct.nii", samples.nifti_bytes(edit=_pixdim(1, -2.0))), says="spacing is not positive"
        ),
        "nifti of two spacings": Fault(
            build=_image("ct.nii", samples.nifti_bytes(edit=_pixdim(3, 1.5))),
            says="2 x 2 x 1.5 by pixdim, 2 x 2 x 3 by the sform",
        ),
        "nifti of voxels of 12 m": Fault(
            build=_image("ct.nii", samples.nifti_bytes(edit=_without_sform(2.0, 2.0, 12000.0))),
            says="outside of 0.01 to 50 mm",
        ),
        "slices of pixels of a metre": Fault(
            build=_image("series", _all_slices(_set(PixelSpacing=[1000, 1000]))), says="outside of 0.01 to 50 mm"
        ),
        "nifti of NaN pixdim": Fault(
            build=_image("ct.nii", samples.nifti_bytes(edit=_without_sform(2.0, np.nan, 3.0))), says="spacing"
        ),
        "nrrd of zero spacing": Fault(
            build=_image("ct.nrrd", samples.nrrd_bytes(edit={"space directions": "(2,0,0) (0,0,0) (0,0,3)"})),
            says="damaged",
        ),
        "mha of zero spacing": Fault(
            build=_image("ct.mha", samples.mha_bytes(edit={"ElementSpacing": "2 0 3"})), says="damaged"
        ),
        "mha of negative spacing": Fault(
            build=_image("ct.mha", samples.mha_bytes(edit={"ElementSpacing": "2 -2 3"})), says="spacing is not positive"
        ),
        "slices of zero spacing": Fault(
            build=_image("series", _all_slices(_set(PixelSpacing=[0, 0]))), says="PixelSpacing is not positive"
        ),
        "slices of negative spacing": Fault(
            build=_image("series", _all_slices(_set(PixelSpacing=[-2, 2]))), says="PixelSpacing is not positive"
        ),
        "slices at 1e300 mm": Fault(
            build=_image("series", _one_slice(_raw_text("ImagePositionPatient", "0\\0\\1e300"))),
            says="far outside of any patient",
        ),
        "slices of another spacing": Fault(
            build=_image("series", _one_slice(_set(PixelSpacing=[3, 3]))), says="pixel spacing differs"
        ),
    }


def _headers() -> dict[str, Fault]:
    """Headers that contradict themselves, or swallow their reader."""
    return {
        "sequences 1000 deep in an image": Fault(build=_deep_slice, says="damaged"),
        "sequences 1000 deep in a mask": Fault(build=_deep_mask, says="damaged"),
        "an infinite slope": Fault(
            build=_image("series", _all_slices(_raw_text("RescaleSlope", "1e400"))), says="Rescale"
        ),
        "a slope of 1e300": Fault(
            build=_image("series", _all_slices(_raw_text("RescaleSlope", "1e300"))), says="infinite"
        ),
        "a scl_slope of 1e38": Fault(
            build=_image("ct.nii", samples.nifti_bytes(edit=_packed(112, "<2f", 1e38, 0.0))), says="infinite"
        ),
        "a detached header that reads /dev/zero": Fault(
            build=_image("ct.mhd", samples.mha_bytes(edit={"ElementDataFile": "/dev/zero"})[:400]),
            says="another folder",
        ),
        "a detached header that reads another folder": Fault(
            build=_image("ct.nhdr", samples.nrrd_bytes(edit={"data file": "../../secret.raw"})), says="another folder"
        ),
        "a label for every grey value": Fault(build=_mask("mask.nii.gz", _many_labels()), says="labels"),
    }


def _masks() -> dict[str, Fault]:
    """Segmentations without sense or end."""
    return {
        "SEG frames a kilometre apart": Fault(build=_mask("seg.dcm", _frames(_far)), says="claims"),
        "SEG of fewer frames than it describes": Fault(
            build=_mask("seg.dcm", _frames(lambda ds: ds.PerFrameFunctionalGroupsSequence.append(samples._frame(5)))),
            says="cut short",
        ),
        "SEG frame of a segment 0": Fault(build=_mask("seg.dcm", _frames(_segment_zero)), says="label 0"),
        "SEG frames of several orientations": Fault(build=_mask("seg.dcm", _frames(_turned)), says="orientations"),
        "RTSTRUCT contour of 10^6 points": Fault(build=_mask("rt.dcm", _long_contour(10**6)), says="points"),
        "RTSTRUCT of NaN points": Fault(
            build=_mask("rt.dcm", _contour(_raw_text("ContourData", "nan\\0\\3\\4\\5\\3\\6\\9\\3"))), says="finite"
        ),
        "RTSTRUCT of words": Fault(
            build=_mask("rt.dcm", _contour(_raw_text("ContourData", "a\\b\\c"))), says="not numbers"
        ),
        "RTSTRUCT at 1e300 mm": Fault(
            build=_mask("rt.dcm", _contour(_raw_text("ContourData", "1e300\\0\\3\\-1e300\\5\\3\\6\\9e300\\3"))),
            says="contour 2",
        ),
        "a mask that is text": Fault(build=_mask("mask.txt", b"lesion in L4\n"), says="not a known mask format"),
    }


def _no_images() -> dict[str, Fault]:
    """What a manifest may name that is no image."""
    return {
        "a plain text file": Fault(build=_image("ct.txt", b"patient_id,image\n"), says="not a known image format"),
        "a text file called nifti": Fault(build=_image("ct.nii.gz", b"not an image\n" * 40), says="damaged"),
        "a device as an image": Fault(
            build=_special(lambda path: path.symlink_to("/dev/zero")), says="neither a file nor a folder"
        ),
        "a device called nifti.gz": Fault(
            build=_special(lambda path: path.symlink_to("/dev/zero"), "ct.nii.gz"), says="neither a file nor a folder"
        ),
        "a pipe as an image": Fault(build=_special(os.mkfifo), says="neither a file nor a folder"),
        "a pipe in a folder": Fault(build=_special(_folder_of_a_pipe, "series"), says="no DICOM file"),
        "a link to itself": Fault(build=_special(_loop), says="file not found"),
        "folders in a circle": Fault(build=_special(_loop_of_folders, "series"), says="no DICOM file"),
        "a folder of nothing": Fault(build=_special(Path.mkdir, "series"), says="no DICOM file"),
        "a name that is too long": Fault(build=lambda _: {"image": "x" * 5000 + ".nii"}, says="file not found"),
        "a name with line ends and an escape": Fault(
            build=_image("ct\n=1+1\x1b[31m.nii", b"nothing"), says="not a NIfTI file"
        ),
        "a name that is not UTF-8": Fault(build=_latin_name, says="cut short"),
    }


FAULTS = _claims() | _bombs() | _truncated() | _places() | _headers() | _masks() | _no_images()
