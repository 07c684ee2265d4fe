"""NIfTI: place from a trustworthy transform only, axes turned by the stated rule, values in a safe type."""

from __future__ import annotations

import datetime as dt
import gzip
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mdanderson.errors import GeometryError, ImageError, UnitError
from mdanderson.readers import read_volume
from mdanderson.readers.nifti import read_nifti, read_nifti_array
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

DATE = dt.date(2024, 2, 29)
RAS = np.diag([0.9, 0.7, 3.0, 1.0])


def save(path: Path, array: np.ndarray, affine: np.ndarray = RAS, **codes: int) -> Path:
    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    if codes:
        image.set_sform(affine, codes.get("sform", 0))
        image.set_qform(affine, codes.get("qform", 0))
    nib.save(image, path)
    return path


def refused(path: Path, kind: type[ImageError] = GeometryError) -> ImageError:
    with pytest.raises(kind) as caught:
        read_nifti(path, modality=Modality.CT, date=DATE)
    assert type(caught.value) is kind
    assert caught.value.where == path.name
    assert caught.value.way_out
    return caught.value


@pytest.fixture
def phantom() -> np.ndarray:
    """7 x 6 x 5 voxels (x, y, z), each another number."""
    return np.arange(210, dtype=np.int16).reshape(7, 6, 5) - 100


def test_ras_becomes_lps_plane_row_column(tmp_path, phantom) -> None:
    affine = RAS.copy()
    affine[:3, 3] = [10.0, 20.0, 30.0]
    array, geometry = read_nifti_array(save(tmp_path / "a.nii.gz", phantom, affine))

    assert array.shape == (5, 6, 7)
    assert array.dtype == np.int16
    np.testing.assert_allclose(geometry.directions, np.eye(3)[::-1], atol=1e-6)
    assert geometry.spacing_mm == pytest.approx((3.0, 0.7, 0.9))
    # the voxel at RAS (10, 20, 30) lies at LPS (-10, -20, 30): the last column and row, since both are flipped
    np.testing.assert_allclose(geometry.to_lps([0, 5, 6]), [-10.0, -20.0, 30.0], atol=1e-5)
    assert array[0, 5, 6] == phantom[0, 0, 0]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product([1, -1], repeat=3)))
def test_every_stored_orientation_gives_the_same_volume(tmp_path, phantom, order, flips) -> None:
    """Oracle: nibabel's own axis bookkeeping stores the same voxels in all 48 ways."""
    image = nib.Nifti1Image(phantom, RAS)
    turned = image.as_reoriented(np.c_[order, flips])
    array, geometry = read_nifti_array(save(tmp_path / "a.nii", np.asarray(turned.dataobj), turned.affine))

    expected, place = read_nifti_array(save(tmp_path / "b.nii", phantom))
    np.testing.assert_array_equal(array, expected)
    np.testing.assert_allclose(geometry.affine, place.affine, atol=1e-5)


@pytest.mark.parametrize(
    ("spacing_xyz", "directions"),
    [
        ((1.0, 1.0, 1.0), ((0, 0, 1), (0, 1, 0), (1, 0, 0))),  # isotropic: axial
        ((1.0, 1.0, 1.25), ((0, 0, 1), (0, 1, 0), (1, 0, 0))),
        ((1.25, 1.0, 1.0), ((0, 0, 1), (0, 1, 0), (1, 0, 0))),  # at the threshold: not clearly larger
        ((1.26, 1.0, 1.0), ((-1, 0, 0), (0, 0, -1), (0, 1, 0))),  # sagittal: rows to the feet, columns to the back
        ((1.0, 1.26, 1.0), ((0, 1, 0), (0, 0, -1), (1, 0, 0))),  # coronal: rows to the feet, columns to the left
        ((3.0, 3.0, 1.0), ((0, 0, 1), (0, 1, 0), (1, 0, 0))),  # two thick axes: none is the largest
    ],
)
def test_the_plane_axis(tmp_path, phantom, spacing_xyz, directions) -> None:
    array, geometry = read_nifti_array(save(tmp_path / "a.nii", phantom, np.diag([*spacing_xyz, 1.0])))
    np.testing.assert_allclose(geometry.directions, directions, atol=1e-6)
    assert np.linalg.det(geometry.directions[::-1]) == pytest.approx(1.0)
    # every voxel keeps its place: LPS -> RAS -> stored index
    for index in [(0, 0, 0), tuple(n - 1 for n in array.shape), (1, 2, 3)]:
        x, y, z = geometry.to_lps(index) / [-1, -1, 1] / spacing_xyz
        assert array[index] == phantom[round(x), round(y), round(z)]


def test_an_oblique_grid_keeps_its_axes(tmp_path, phantom, oblique_grid) -> None:
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ oblique_grid.affine[:, [2, 1, 0, 3]]
    array, geometry = read_nifti_array(save(tmp_path / "a.nii", phantom, affine))
    np.testing.assert_array_equal(array, phantom.T)
    np.testing.assert_allclose(geometry.affine, oblique_grid.affine, atol=1e-4)


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        (np.int16, np.int16),
        (np.uint8, np.int16),
        (np.int32, np.int16),
        (np.uint16, np.int16),
        (np.float32, np.float32),
        (np.float64, np.float32),
    ],
)
def test_values_are_int16_or_float32(tmp_path, stored, kept) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(stored)
    volume = read_nifti(save(tmp_path / "a.nii", array), modality=Modality.CT, date=DATE)
    assert volume.array.dtype == kept
    assert sorted(volume.array.ravel().tolist()) == list(range(24))


@pytest.mark.parametrize(("largest", "kept"), [(32767, np.int16), (32768, np.float32)])
def test_whole_numbers_beyond_int16_become_float32(tmp_path, largest, kept) -> None:
    array = np.array([[[0, largest]]], dtype=np.int32)
    volume = read_nifti(save(tmp_path / "a.nii", array), modality=Modality.MR, date=DATE)
    assert volume.array.dtype == kept
    assert volume.array.max() == largest


def test_the_header_scales(tmp_path, phantom) -> None:
    image = nib.Nifti1Image(phantom, RAS)
    image.header.set_slope_inter(0.5, 3.0)
    nib.save(image, tmp_path / "a.nii.gz")
    volume = read_nifti(tmp_path / "a.nii.gz", modality=Modality.PT, date=DATE)
    raw = nib.load(tmp_path / "a.nii.gz").get_fdata()
    np.testing.assert_allclose(np.sort(volume.array.ravel()), np.sort(raw.ravel()))
    assert volume.array.dtype == np.float32


def test_big_endian(tmp_path, phantom) -> None:
    image = nib.Nifti1Image(phantom, RAS, header=nib.Nifti1Header(endianness=">"))
    image.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "a.nii")
    volume = read_nifti(tmp_path / "a.nii", modality=Modality.CT, date=DATE)
    assert volume.array.dtype == np.dtype("=i2")
    np.testing.assert_array_equal(np.sort(volume.array.ravel()), np.sort(phantom.ravel()))


def test_nan_is_not_imaged_and_infinity_is_refused(tmp_path) -> None:
    array = np.zeros((2, 2, 2), dtype=np.float32)
    array[0, 0, 0] = np.nan
    volume = read_nifti(save(tmp_path / "a.nii", array), modality=Modality.CT, date=DATE)
    assert volume.imaged((slice(None),) * 3).sum() == 7
    array[0, 0, 0] = np.inf
    with pytest.raises(ImageError, match="infinite") as caught:
        read_volume(save(tmp_path / "b.nii", array), modality=Modality.CT, date=DATE)
    assert caught.value.where == "b.nii"


@pytest.mark.parametrize(
    ("modality", "unit"),
    [
        (Modality.CT, Unit.HU),
        (Modality.MR, Unit.ARBITRARY),
        (Modality.PT, Unit.SUV),
        (Modality.NM, Unit.COUNTS),
    ],
)
def test_unit_follows_the_modality(tmp_path, phantom, modality, unit) -> None:
    volume = read_nifti(save(tmp_path / "a.nii", phantom), modality=modality, date=DATE)
    assert (volume.unit, volume.modality, volume.date) == (unit, modality, DATE)
    assert volume.source == str(tmp_path / "a.nii")


def test_a_radiograph_is_no_volume(tmp_path, phantom) -> None:
    with pytest.raises(UnitError, match="XR"):
        read_nifti(save(tmp_path / "a.nii", phantom), modality=Modality.XR, date=DATE)


@pytest.mark.parametrize(("unit", "millimetres"), [("mm", 1.0), ("unknown", 1.0), ("meter", 1000.0), ("micron", 0.001)])
def test_lengths_are_converted_to_millimetres(tmp_path, phantom, unit, millimetres) -> None:
    image = nib.Nifti1Image(phantom, np.diag([4.0, 5.0, 40.0, millimetres]) / millimetres)
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii")
    _, geometry = read_nifti_array(tmp_path / "a.nii")
    assert geometry.spacing_mm == pytest.approx((40, 5, 4))


@pytest.mark.parametrize("step", [0.01, 0.0101, 1.0, 49.9, 50.0])
def test_a_plausible_step_is_read(tmp_path, phantom, step) -> None:
    _, geometry = read_nifti_array(save(tmp_path / "a.nii", phantom, np.diag([step, step, step, 1.0])))
    assert geometry.spacing_mm == pytest.approx((step,) * 3)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("step", [0.0099, 50.1, 12_000.0])
def test_a_step_that_no_image_of_a_patient_has_is_refused(tmp_path, phantom, axis, step) -> None:
    affine = np.eye(4)
    affine[axis, axis] = step
    error = refused(save(tmp_path / "a.nii", phantom, affine))
    assert f"{step:.4g}" in error.what
    assert "outside of 0.01 to 50 mm" in error.what
    assert "in mm" in error.way_out


@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_steps_that_are_none_are_refused_beside_an_sform(tmp_path, phantom, axis, step) -> None:
    assert refused(with_pixdim(tmp_path, phantom, axis, step)).what == "voxel spacing is not positive"


@pytest.mark.parametrize("stored", [49.5, 49.6, 50.0, 50.4, 50.5])
def test_pixdim_may_be_rounded(tmp_path, phantom, stored) -> None:
    _, geometry = read_nifti_array(with_pixdim(tmp_path, phantom, 1, stored))
    assert geometry.spacing_mm == pytest.approx((50.0, 50.0, 50.0))


@pytest.mark.parametrize("stored", [1.0, 49.4, 50.6])
def test_pixdim_that_contradicts_the_sform_is_refused(tmp_path, phantom, stored) -> None:
    said = f"voxel spacing is {stored:g} x 50 x 50 by pixdim, 50 x 50 x 50 by the sform"
    assert refused(with_pixdim(tmp_path, phantom, 1, stored)).what == said


def with_pixdim(folder: Path, array: np.ndarray, axis: int, step: float) -> Path:
    """A file of 50 mm voxels by its sform whose header says otherwise of one axis."""
    path = save(folder / "a.nii", array, np.diag([50.0, 50.0, 50.0, 1.0]), sform=1)
    raw = bytearray(path.read_bytes())
    raw[76 + 4 * axis : 80 + 4 * axis] = np.float32(step).tobytes()
    path.write_bytes(raw)
    return path


def test_nibabel_says_nothing_of_its_own(tmp_path, phantom, caplog) -> None:
    path = save(tmp_path / "a.nii", phantom)
    raw = bytearray(path.read_bytes())
    raw[108:112] = np.float32(353.0).tobytes()  # vox_offset, of which it has to say that SPM wants another
    path.write_bytes(raw + b"\0")
    read_nifti_array(path)
    assert not caplog.records
    assert not nib.imageglobals.logger.disabled


def test_an_unknown_unit_of_length_is_refused(tmp_path, phantom) -> None:
    image = nib.Nifti1Image(phantom, RAS)
    image.header["xyzt_units"] = 7
    nib.save(image, tmp_path / "a.nii")
    assert "unit of length" in refused(tmp_path / "a.nii").what


def test_trailing_axes_of_one_entry_are_dropped(tmp_path, phantom) -> None:
    flat, _ = read_nifti_array(save(tmp_path / "a.nii", phantom))
    array, geometry = read_nifti_array(save(tmp_path / "b.nii", phantom[..., None]))
    np.testing.assert_array_equal(array, flat)
    assert geometry.shape == (5, 6, 7)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_two_axes_are_refused(tmp_path) -> None:
    assert "three are needed" in refused(save(tmp_path / "a.nii", np.zeros((4, 5), np.int16)), ImageError).what


@pytest.mark.parametrize(("shape", "count"), [((4, 5, 6, 2), 2), ((4, 5, 6, 1, 3), 3)])
def test_several_volumes_in_one_file_are_refused(tmp_path, shape, count) -> None:
    error = refused(save(tmp_path / "a.nii", np.zeros(shape, np.int16)), ImageError)
    assert error.what == f"{count} volumes in one file where one is needed"
    assert error.way_out == "save the one wanted as a file of its own"


def test_colour_is_refused(tmp_path) -> None:
    colour = np.zeros((2, 2, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(ImageError, match="voxels of type"):
        read_nifti(save(tmp_path / "a.nii", colour), modality=Modality.CT, date=DATE)


@pytest.mark.parametrize(
    ("sform", "qform", "said"),
    [(0, 0, "unknown (sform and qform codes are 0)"), (4, 0, "in a template"), (3, 4, "in a template")],
)
def test_an_unknown_place_is_refused(tmp_path, phantom, sform, qform, said) -> None:
    assert said in refused(save(tmp_path / "a.nii", phantom, sform=sform, qform=qform)).what


@pytest.mark.parametrize(("sform", "qform"), [(1, 0), (2, 0), (0, 1), (4, 1)])
def test_the_transform_to_the_patient_is_taken(tmp_path, phantom, sform, qform) -> None:
    image = nib.Nifti1Image(phantom, None)
    right, wrong = RAS, RAS.copy()
    wrong[:3, 3] = 100.0
    image.set_sform(right if sform in (1, 2) else wrong, sform)
    image.set_qform(right if sform not in (1, 2) else wrong, qform)
    image.header.set_xyzt_units("mm")
    nib.save(image, tmp_path / "a.nii")
    _, placed = read_nifti_array(tmp_path / "a.nii")
    _, expected = read_nifti_array(save(tmp_path / "b.nii", phantom))
    np.testing.assert_allclose(placed.affine, expected.affine, atol=1e-5)


def test_shear_is_refused(tmp_path, phantom) -> None:
    sheared = RAS.copy()
    sheared[1, 2] = 0.5
    assert "sheared" in refused(save(tmp_path / "a.nii", phantom, sheared, sform=1)).what


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_place_that_is_no_number_is_refused(tmp_path, phantom, value) -> None:
    affine = RAS.copy()
    affine[0, 3] = value
    image = nib.Nifti1Image(phantom, RAS)
    image.header["sform_code"], image.header["srow_x"] = 1, affine[0]
    path = tmp_path / "a.nii"
    nib.save(image, path)
    raw = bytearray(path.read_bytes())
    raw[292:296] = np.float32(value).tobytes()  # srow_x[3]
    path.write_bytes(raw)
    refused(path)


def out_of_memory(*_: object, **__: object) -> None:
    raise MemoryError


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_lack_of_memory_is_not_told_as_damage(tmp_path, phantom, monkeypatch, name) -> None:
    path = save(tmp_path / name, phantom)
    monkeypatch.setattr(nib.arrayproxy.ArrayProxy, "__array__", out_of_memory)
    with pytest.raises(ImageError) as caught:
        read_volume(path, modality=Modality.CT, date=DATE)
    assert str(caught.value) == (
        f"not enough memory to read it @ {name}; give a worker more memory (--memory), or use fewer workers (--workers)"
    )


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kept", [0.9, 0.02, 0.0])
def test_a_truncated_file_is_refused(tmp_path, name, kept) -> None:
    noise = np.random.default_rng(0).integers(0, 1000, (20, 20, 20)).astype(np.int16)
    path = save(tmp_path / name, noise)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)])
    refused(path, ImageError)


def test_a_claim_of_too_many_voxels_is_refused(tmp_path, phantom) -> None:
    path = save(tmp_path / "a.nii", phantom)
    raw = bytearray(path.read_bytes())
    raw[40:56] = np.array([3, 2000, 2000, 2000, 1, 1, 1, 1], dtype="<i2").tobytes()
    path.write_bytes(raw)
    assert "2000 x 2000 x 2000" in refused(path, ImageError).what


def test_other_content_is_refused(tmp_path) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(b"no image at all" * 100)
    refused(path, ImageError)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_changed_bit_in_a_compressed_file_is_refused(tmp_path, part) -> None:
    noise = np.random.default_rng(0).integers(0, 1000, (20, 20, 20)).astype(np.int16)
    path = save(tmp_path / "a.nii.gz", noise)
    raw = bytearray(path.read_bytes())
    raw[int(len(raw) * part)] ^= 4
    path.write_bytes(raw)
    assert "damaged" in refused(path, ImageError).what


def test_a_wrong_checksum_is_refused(tmp_path, phantom) -> None:
    path = save(tmp_path / "a.nii.gz", phantom)
    raw = bytearray(path.read_bytes())
    raw[-8] ^= 1
    path.write_bytes(raw)
    assert "damaged" in refused(path, ImageError).what


@pytest.mark.parametrize("content", [b"", b"no image at all" * 100, b"\x5c\x01\x00\x00"])
def test_other_compressed_content_is_refused(tmp_path, content) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(content))
    refused(path, ImageError)


def test_a_missing_compressed_file_is_named(tmp_path) -> None:
    assert "no such file" in refused(tmp_path / "a.nii.gz", ImageError).what


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("endianness", ["<", ">"])
def test_both_versions_and_byte_orders_are_read_from_compressed_files(tmp_path, phantom, kind, endianness) -> None:
    header = kind.header_class(endianness=endianness)
    image = kind(phantom, RAS, header)
    image.set_sform(RAS, code=1)
    nib.save(image, tmp_path / "a.nii.gz")
    nib.save(image, tmp_path / "a.nii")
    packed, plain = (read_nifti_array(tmp_path / name) for name in ("a.nii.gz", "a.nii"))
    assert np.array_equal(packed[0], plain[0])
    assert np.array_equal(packed[1].affine, plain[1].affine)
