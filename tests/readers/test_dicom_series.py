"""A series is read exactly, whatever its files are called, or refused with the slice named."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from mdanderson.errors import GeometryError, ImageError, UnitError
from mdanderson.geometry import Geometry, same_grid
from mdanderson.readers import read_volume
from mdanderson.readers.voxel_values import Scale, rescale
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit


def only(plane: int, keyword: str, value: object):
    """An edit that gives one slice another value; None takes the element away."""

    def edit(k: int, ds: FileDataset) -> None:
        if k == plane:
            delattr(ds, keyword) if value is None else setattr(ds, keyword, value)

    return edit


def every(**values: object):
    """An edit of all slices."""

    def edit(_: int, ds: FileDataset) -> None:
        for keyword, value in values.items():
            delattr(ds, keyword) if value is None else setattr(ds, keyword, value)

    return edit


def refused(folder: Path, kind: type[ImageError] = GeometryError, **arguments: object) -> ImageError:
    """The error of a refusal; its line tells where, and the way out, and gives nobody away."""
    with pytest.raises(kind) as caught:
        read_volume(folder, **arguments)
    error = caught.value
    assert type(error) is kind
    assert error.where
    assert error.way_out
    assert "Secret" not in str(error)
    assert "1.2.826" not in str(error)
    assert "\n" not in str(error)
    return error


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", ["axial_grid", "oblique_grid"])
def test_slices_are_placed_by_position(dicom_series_factory, stored, grid, request) -> None:
    geometry: Geometry = request.getfixturevalue(grid)
    folder = dicom_series_factory(stored, geometry)

    volume = read_volume(folder)

    np.testing.assert_array_equal(volume.array, stored - 1024)
    assert volume.array.dtype == np.int16
    assert same_grid(volume.geometry, geometry, tolerance_mm=1e-6)
    assert volume.geometry.frame_of_reference_uid == geometry.frame_of_reference_uid
    assert (volume.unit, volume.modality, volume.date) == (Unit.HU, Modality.CT, dt.date(2024, 2, 29))
    assert volume.padding is None
    assert volume.source == str(folder)


def test_sagittal_planes_run_along_columns_times_rows(dicom_series_factory, stored) -> None:
    sagittal = Geometry.from_axes(
        shape=(5, 6, 7),
        spacing_mm=(4.0, 0.7, 0.9),
        origin_mm=(40.0, -10.0, 90.0),
        directions=((-1, 0, 0), (0, 0, -1), (0, 1, 0)),
    )
    volume = read_volume(dicom_series_factory(stored, sagittal, modality="MR"))

    np.testing.assert_array_equal(volume.array, stored)
    assert same_grid(volume.geometry, sagittal)
    assert (volume.unit, volume.modality) == (Unit.ARBITRARY, Modality.MR)


def test_planes_against_the_normal_are_turned_round(dicom_series_factory, stored) -> None:
    towards_feet = Geometry.from_axes(
        shape=(5, 6, 7),
        spacing_mm=(3.0, 0.7, 0.9),
        origin_mm=(0.0, 0.0, 0.0),
        directions=((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    )
    volume = read_volume(dicom_series_factory(stored, towards_feet))

    np.testing.assert_array_equal(volume.array, stored[::-1] - 1024)
    np.testing.assert_allclose(volume.geometry.to_lps([4, 0, 0]), [0.0, 0.0, 0.0])


def test_slice_thickness_is_not_the_spacing(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid, edit=every(SliceThickness=9, SpacingBetweenSlices=8))
    assert read_volume(folder).geometry.spacing_mm[0] == pytest.approx(3.0)


@pytest.mark.parametrize(("between", "thickness", "spacing"), [("2.5", "5", 2.5), (None, "5", 5.0), ("", "5", 5.0)])
def test_a_single_slice_takes_what_the_header_claims(
    dicom_series_factory, stored, axial_grid, between, thickness, spacing
) -> None:
    values = {"SliceThickness": thickness} | ({} if between is None else {"SpacingBetweenSlices": between})
    folder = dicom_series_factory(stored[:1], axial_grid, edit=every(**values))
    assert read_volume(folder).geometry.spacing_mm[0] == spacing
    assert read_volume(next(folder.iterdir())).geometry.spacing_mm[0] == spacing


def test_positions_rounded_to_a_tenth_of_a_millimetre_are_even(dicom_series_factory, stored) -> None:
    grid = Geometry.from_axes(shape=(5, 6, 7), spacing_mm=(0.625, 0.7, 0.9), origin_mm=(0, 0, 0))

    def edit(k: int, ds: FileDataset) -> None:
        ds.ImagePositionPatient = [0, 0, round(k * 0.625, 1)]

    assert read_volume(dicom_series_factory(stored, grid, edit=edit)).geometry.spacing_mm[0] == pytest.approx(0.625)


def test_files_that_are_not_dicom_are_ignored(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    (folder / "notes.txt").write_text("nothing")
    (folder / ".hidden").touch()
    (folder / "more").mkdir()
    assert read_volume(folder).array.shape == (5, 6, 7)


def test_files_without_preamble_are_known_by_content(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    for path in folder.iterdir():
        dcmwrite(path.with_suffix(".img"), Dataset(dcmread(path)), implicit_vr=True, little_endian=True)
        assert path.with_suffix(".img").read_bytes()[:2] == b"\x08\x00"
        path.unlink()
    np.testing.assert_array_equal(read_volume(folder).array, stored - 1024)


@pytest.mark.parametrize(
    "syntax",
    [RLELossless, JPEGLSLossless, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda uid: uid.name,
)
def test_every_transfer_syntax_gives_the_same_pixels(dicom_series_factory, stored, axial_grid, syntax) -> None:
    def edit(_: int, ds: FileDataset) -> None:
        if syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian:
            ds.compress(syntax, generate_instance_uid=False)
            return
        ds.file_meta.TransferSyntaxUID = syntax

    folder = dicom_series_factory(stored.astype(np.uint16), axial_grid, edit=edit)
    np.testing.assert_array_equal(read_volume(folder).array, stored - 1024)


def test_big_endian_gives_the_same_pixels(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    for path in folder.iterdir():
        ds = dcmread(path)
        ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        ds.PixelData = np.frombuffer(ds.PixelData, dtype="<i2").astype(">i2").tobytes()
        dcmwrite(path, ds, implicit_vr=False, little_endian=False, force_encoding=True)
    np.testing.assert_array_equal(read_volume(folder).array, stored - 1024)


def test_identical_copies_are_left_out_and_noted(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    first = min(folder.iterdir())
    shutil.copy(first, folder / "copy.dcm")
    volume = read_volume(folder)
    np.testing.assert_array_equal(volume.array, stored - 1024)
    assert volume.acquisition["copies"] == "1 identical slice(s) left out"


def test_acquisition_keeps_what_density_depends_on_and_nobody(dicom_series_factory, stored, axial_grid) -> None:
    edit = every(
        KVP="120", ConvolutionKernel=["Br38f", "3"], SliceThickness="3.26999999999998", ContrastBolusAgent="iohexol"
    )
    assert read_volume(dicom_series_factory(stored, axial_grid, edit=edit)).acquisition == {
        "kvp": "120",
        "kernel": "Br38f/3",
        "slice_thickness_mm": "3.27",
        "contrast_agent": "yes",
    }


@pytest.mark.parametrize(
    ("agent", "said"), [(None, "unknown"), ("", "unknown"), ("NONE", "no"), ("Ultravist 370", "yes")]
)
def test_contrast_agent(dicom_series_factory, stored, axial_grid, agent, said) -> None:
    edit = None if agent is None else every(ContrastBolusAgent=agent)
    folder = dicom_series_factory(stored, axial_grid, edit=edit)
    assert read_volume(folder).acquisition["contrast_agent"] == said


# --- dates, modality, unit --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study", "series", "acquisition", "date"),
    [
        ("20240301", "20240302", "20240303", dt.date(2024, 3, 1)),
        ("", "20240302", "20240303", dt.date(2024, 3, 2)),
        ("20241301", "", "2024.03.03", dt.date(2024, 3, 3)),
        ("today", "", "", None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
def test_date(dicom_series_factory, stored, axial_grid, study, series, acquisition, date) -> None:
    edit = every(StudyDate=study, SeriesDate=series, AcquisitionDate=acquisition)
    assert read_volume(dicom_series_factory(stored, axial_grid, edit=edit)).date == date


def test_the_date_given_wins(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    assert read_volume(folder, date=dt.date(2020, 1, 1)).date == dt.date(2020, 1, 1)


def test_a_contradicting_modality_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    assert read_volume(folder, modality=Modality.CT).modality is Modality.CT
    assert refused(folder, ImageError, modality=Modality.MR).what == "the header says CT, not MR"


@pytest.mark.parametrize(
    "values", [{"RescaleSlope": None}, {"RescaleIntercept": None}, {"RescaleType": "ED"}, {"RescaleType": "HU_MOD"}]
)
def test_ct_without_hu_is_refused(dicom_series_factory, stored, axial_grid, values) -> None:
    assert "not in HU" in refused(dicom_series_factory(stored, axial_grid, edit=every(**values)), UnitError).what


@pytest.mark.parametrize("rescale_type", ["HU", "US"])
def test_ct_in_hu(dicom_series_factory, stored, axial_grid, rescale_type) -> None:
    folder = dicom_series_factory(stored, axial_grid, edit=every(RescaleType=rescale_type))
    assert read_volume(folder).unit is Unit.HU


def test_nm_slices_with_a_place_are_counts(dicom_series_factory, stored, axial_grid) -> None:
    assert read_volume(dicom_series_factory(stored, axial_grid, modality="NM")).unit is Unit.COUNTS


@pytest.mark.parametrize("modality", ["CR", "DX", "RG", "NM"])
def test_planar_images_are_refused(dicom_series_factory, stored, axial_grid, modality) -> None:
    folder = dicom_series_factory(stored[:1], axial_grid, modality=modality, edit=every(ImagePositionPatient=None))
    error = refused(folder, ImageError)
    assert error.what == f"a planar image ({modality}) is no volume"
    assert "read_planar" in error.way_out


@pytest.mark.parametrize("kind", ["TOMO", "GATED TOMO"])
def test_raw_projections_of_a_spect_are_refused(dicom_series_factory, stored, axial_grid, kind) -> None:
    edit = every(ImageType=["ORIGINAL", "PRIMARY", kind, "EMISSION"])
    error = refused(dicom_series_factory(stored[:1], axial_grid, modality="NM", edit=edit), ImageError)
    assert error.what == "the raw projections of a SPECT are no volume"
    assert "RECON TOMO" in error.way_out


# --- stored numbers ---------------------------------------------------------------------------------------------------


def test_slope_and_intercept_of_each_slice(dicom_series_factory, stored, axial_grid) -> None:
    def edit(k: int, ds: FileDataset) -> None:
        ds.RescaleSlope, ds.RescaleIntercept = f"{1.5 + k}", "0"

    volume = read_volume(dicom_series_factory(stored, axial_grid, modality="PT", edit=edit))
    slopes = 1.5 + np.arange(5)[:, None, None]
    np.testing.assert_array_equal(volume.array, (stored * slopes).astype(np.float32))
    assert volume.array.dtype == np.float32


def test_padding_becomes_one_value(dicom_series_factory, stored, axial_grid) -> None:
    stored[2, :, :2] = -2000
    folder = dicom_series_factory(stored, axial_grid, edit=every(PixelPaddingValue=-2000))
    volume = read_volume(folder)
    assert volume.padding == -3024
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array == -3024, stored == -2000)


def test_a_range_of_padding_becomes_one_value(dicom_series_factory, stored, axial_grid) -> None:
    edit = every(PixelPaddingValue=6, PixelPaddingRangeLimit=0)
    volume = read_volume(dicom_series_factory(stored, axial_grid, edit=edit))
    assert volume.padding == -1024
    assert volume.array[0, 0].tolist() == [-1024, -1024, -1024, -1015, -1012, -1009, -1006]


def test_unused_bits_are_no_part_of_the_number(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(
        (stored | 0x7000).astype(np.uint16), axial_grid, edit=every(BitsStored=12, HighBit=11)
    )
    np.testing.assert_array_equal(read_volume(folder).array, stored - 1024)


@given(
    numbers=st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=12),
    slope=st.sampled_from([1.0, 2.0, -1.0, 0.5, 1.7141]),
    intercept=st.sampled_from([0.0, -1024.0, 32768.0, 0.25]),
    padding=st.none() | st.tuples(st.integers(-(2**15), 0), st.integers(0, 2**15 - 1)),
    unsigned=st.booleans(),
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_rescaling_equals_plain_arithmetic(numbers, slope, intercept, padding, unsigned) -> None:
    """Oracle: Python's own numbers, one voxel at a time."""
    stored = np.array(numbers, dtype=np.int16)
    stored = (stored.view(np.uint16) if unsigned else stored).reshape(1, 1, -1)
    if padding and unsigned:
        padding = (0, padding[1])
    truth = [int(x) for x in stored.ravel()]
    imaged = [padding is None or not padding[0] <= x <= padding[1] for x in truth]
    scale = Scale(slope=slope, intercept=intercept, padding=padding)

    values, never = rescale(stored.copy(), [scale])

    expected = [slope * x + intercept for x in truth]
    fits = all(x.is_integer() and -(2**15) <= x < 2**15 for x, seen in zip(expected, imaged, strict=True) if seen)
    whole = slope.is_integer() and intercept.is_integer()
    assert values.dtype == (np.int16 if fits and whole else np.float32)
    for value, wanted, seen in zip(values.ravel(), expected, imaged, strict=True):
        assert value == (np.float32(wanted) if seen else never)
    assert (never is None) == all(imaged)


@pytest.mark.parametrize(("bits", "unsigned"), [(8, True), (8, False), (12, True), (12, False), (32, False)])
def test_signs_and_widths(bits, unsigned) -> None:
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    width = {8: 8, 12: 16, 32: 32}[bits]
    stored = np.array([[[low, high, 5]]], dtype=f"{'u' if unsigned else 'i'}{width // 8}")
    raw = (stored.astype(np.int64) & (2**bits - 1)).astype(f"u{width // 8}").view(stored.dtype)  # sign not extended
    values, never = rescale(raw, [Scale(bits_stored=bits)])
    np.testing.assert_array_equal(values, stored.astype(np.float32))
    assert never is None


# --- what is refused, with the slice named ----------------------------------------------------------------------------


def test_a_missing_slice_is_named(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    (folder / "1_003.dcm").unlink()
    error = refused(folder)
    assert error.what == "1 slice(s) missing: 6.00 mm after 1_004.dcm, elsewhere 3.00 mm"
    assert error.where == "1_002.dcm at 217.25 mm"


def test_two_missing_slices_are_counted(dicom_series_factory, axial_grid) -> None:
    grid = Geometry.from_axes(shape=(8, 2, 2), spacing_mm=(3, 1, 1), origin_mm=(0, 0, 0))
    folder = dicom_series_factory(np.zeros((8, 2, 2), dtype=np.int16), grid)
    (folder / "1_004.dcm").unlink()
    (folder / "1_005.dcm").unlink()
    assert refused(folder).what.startswith("2 slice(s) missing: 9.00 mm")


@pytest.mark.parametrize(("off_mm", "even"), [(0.10, True), (0.13, False), (1.2, False)])
def test_uneven_increments(dicom_series_factory, stored, off_mm, even) -> None:
    grid = Geometry.from_axes(shape=(5, 6, 7), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(0, 0, 0))
    folder = dicom_series_factory(stored, grid, edit=only(2, "ImagePositionPatient", [0, 0, 6 + off_mm]))
    if even:
        assert read_volume(folder).geometry.spacing_mm[0] == pytest.approx(3.0)
    else:
        assert refused(folder).what.startswith("slice increments are uneven")


def test_another_slice_at_the_same_position_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(
        stored, axial_grid, edit=only(3, "ImagePositionPatient", [float(x) for x in axial_grid.to_lps([2, 0, 0])])
    )
    error = refused(folder)
    assert error.what == "two slices lie in one place (1_002.dcm and 1_003.dcm)"


@pytest.mark.parametrize(
    ("keyword", "value", "said"),
    [
        ("ImageOrientationPatient", [0, 1, 0, 1, 0, 0], "orientation differs"),
        ("PixelSpacing", [0.7, 0.8], "pixel spacing differs"),
        ("FrameOfReferenceUID", "1.2.3", "frame of reference differs"),
        ("PixelRepresentation", 0, "size or type of pixels differs"),
    ],
)
def test_a_slice_of_another_grid_is_named(dicom_series_factory, stored, axial_grid, keyword, value, said) -> None:
    error = refused(dicom_series_factory(stored, axial_grid, edit=only(1, keyword, value)))
    assert error.what.startswith(said)
    assert error.where == "1_004.dcm"


def test_other_rows_and_columns_are_refused(dicom_series_factory, stored, axial_grid) -> None:
    def edit(k: int, ds: FileDataset) -> None:
        if k == 1:
            ds.Rows, ds.Columns = ds.Columns, ds.Rows

    assert refused(dicom_series_factory(stored, axial_grid, edit=edit)).where == "1_004.dcm"


@pytest.mark.parametrize("keyword", ["PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"])
def test_a_slice_without_a_place_is_named(dicom_series_factory, stored, axial_grid, keyword) -> None:
    error = refused(dicom_series_factory(stored, axial_grid, edit=only(1, keyword, None)))
    assert error.what == f"{keyword} is missing"
    assert error.where == "1_004.dcm"


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1.01, 0], [1, 0, 0, 0.1, 0.995, 0], [0, 0, 0, 0, 0, 0]])
def test_directions_that_are_no_right_angle_are_refused(dicom_series_factory, stored, axial_grid, orientation) -> None:
    error = refused(dicom_series_factory(stored, axial_grid, edit=every(ImageOrientationPatient=orientation)))
    assert "right angles" in error.what


@pytest.mark.parametrize("spacing", [[0, 0.9], [-0.7, 0.9]])
def test_impossible_pixel_spacing_is_refused(dicom_series_factory, stored, axial_grid, spacing) -> None:
    refused(dicom_series_factory(stored, axial_grid, edit=every(PixelSpacing=spacing)))


def test_a_localizer_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    edit = only(0, "ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"])
    error = refused(dicom_series_factory(stored, axial_grid, edit=edit))
    assert "localizer" in error.what
    assert error.where == "1_005.dcm"


def test_a_single_slice_without_any_thickness_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    refused(dicom_series_factory(stored[:1], axial_grid, edit=every(SliceThickness=None)))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SamplesPerPixel", 3),
        ("PhotometricInterpretation", "MONOCHROME1"),
        ("BitsAllocated", 64),
        ("BitsStored", 17),
        ("RescaleSlope", "0"),
        ("PixelData", None),
    ],
)
def test_pixels_that_cannot_be_measured_are_refused(dicom_series_factory, stored, axial_grid, keyword, value) -> None:
    assert refused(dicom_series_factory(stored, axial_grid, edit=only(1, keyword, value)), ImageError).where == (
        "1_004.dcm"
    )


# --- damaged files and crowded folders --------------------------------------------------------------------------------


def test_truncated_pixels_are_refused_before_memory_is_taken(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    path = folder / "1_002.dcm"
    path.write_bytes(path.read_bytes()[:-3])
    error = refused(folder, ImageError)
    assert (error.what, error.where) == ("pixels are cut short", "1_002.dcm")


def test_a_claim_of_too_many_voxels_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid, edit=every(Rows=60000, Columns=60000))
    assert "60000 x 60000 voxels" in refused(folder, ImageError).what


def test_a_file_cut_in_its_header_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    path = folder / "1_002.dcm"
    path.write_bytes(path.read_bytes()[:300])
    assert refused(folder, ImageError).where


def test_an_empty_file_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    (folder / "1_005.dcm").write_bytes(b"")
    error = refused(folder, ImageError)
    assert (error.what, error.where) == ("the file is empty", "1_005.dcm")


def test_a_damaged_compressed_stream_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(
        stored, axial_grid, edit=lambda _, ds: ds.compress(RLELossless, generate_instance_uid=False)
    )
    path = folder / "1_003.dcm"
    ds = dcmread(path)
    ds.PixelData = ds.PixelData[:20] + b"\xff" * (len(ds.PixelData) - 20)
    ds.save_as(path)
    assert refused(folder, ImageError).where == "1_003.dcm"


def test_a_number_that_is_none_is_refused(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid, edit=only(1, "RescaleIntercept", "-1024.12345"))
    path = folder / "1_004.dcm"
    path.write_bytes(path.read_bytes().replace(b"-1024.12345", b"-1o24.12345"))
    error = refused(folder, ImageError)
    assert error.what == "RescaleIntercept is not a number"
    assert error.where == "1_004.dcm"


def test_an_empty_folder_is_refused(tmp_path) -> None:
    assert "sub-folders" in refused(tmp_path, ImageError).way_out


def test_several_series_are_named_by_number_and_description(dicom_series_factory, stored, axial_grid) -> None:
    dicom_series_factory(stored, axial_grid)
    second, folder = "1.2.826.0.1.9", None
    folder = dicom_series_factory(
        stored[:2] + 1, axial_grid, series_uid=second, edit=every(SeriesNumber=7, SeriesDescription="ABDOMEN")
    )
    error = refused(folder, ImageError)
    assert error.what == "2 series in one folder: series 4 'THORAX' (5 files), series 7 'ABDOMEN' (2 files)"
    np.testing.assert_array_equal(read_volume(folder, series=second).array, stored[:2] - 1023)
    assert refused(folder, ImageError, series="1.2.3").what.startswith("the series wanted is not there")


def test_a_segmentation_beside_the_series_is_no_second_series(dicom_series_factory, stored, axial_grid) -> None:
    dicom_series_factory(stored[:1], axial_grid, modality="SEG", series_uid="1.2.826.0.1.9")
    folder = dicom_series_factory(stored, axial_grid)
    np.testing.assert_array_equal(read_volume(folder).array, stored - 1024)


def test_a_segmentation_alone_is_no_image(dicom_series_factory, stored, axial_grid) -> None:
    error = refused(dicom_series_factory(stored[:1], axial_grid, modality="SEG"), ImageError)
    assert error.what == "no image but DICOM SEG"


def test_other_objects_are_named(dicom_series_factory, stored, axial_grid) -> None:
    assert "DICOM US" in refused(dicom_series_factory(stored[:1], axial_grid, modality="US"), ImageError).what


# --- gantry tilt ------------------------------------------------------------------------------------------------------


def tilted_stack(factory, shift_mm: float, modality: str = "CT", planes: int = 6):
    """A ramp along rows, imaged by slices that are shifted by `shift_mm` each: value = place along rows, in mm x 10."""
    grid = Geometry.from_axes(shape=(planes, 20, 4), spacing_mm=(2.0, 0.5, 0.5), origin_mm=(0, 0, 0))
    places = np.arange(20) * 0.5 + np.arange(planes)[:, None] * shift_mm
    stored = np.repeat(np.rint(places * 10 + 2000)[:, :, None], 4, axis=2).astype(np.int16)

    def edit(k: int, ds: FileDataset) -> None:
        ds.ImagePositionPatient = [0, k * shift_mm, k * 2.0]

    return factory(stored, grid, edit=edit, modality=modality), stored


def test_gantry_tilt_is_corrected_and_noted(dicom_series_factory) -> None:
    """1.2 mm sideways for 2 mm forward are 30.96 degrees; the ramp has the same value at the same place again."""
    folder, _ = tilted_stack(dicom_series_factory, 1.2)
    volume = read_volume(folder)

    assert volume.acquisition["corrected"] == "gantry tilt 31.0 degrees"
    assert volume.geometry.spacing_mm == pytest.approx((2.0, 0.5, 0.5))
    assert volume.array.shape == (6, 32, 4)  # 5 x 1.2 mm = 12 pixels more
    assert volume.padding == -32768
    place_mm = volume.geometry.to_lps(np.argwhere(np.ones(volume.array.shape)))[:, 1].reshape(volume.array.shape)
    imaged = volume.array != volume.padding
    np.testing.assert_allclose(volume.array[imaged], (place_mm * 10 + 2000 - 1024)[imaged], atol=1.0)
    expected = (place_mm[:, :, 0] >= np.arange(6)[:, None] * 1.2 - 1e-6) & (
        place_mm[:, :, 0] <= 9.5 + np.arange(6)[:, None] * 1.2 + 1e-6
    )
    np.testing.assert_array_equal(imaged[:, :, 0], expected)


def test_a_tilt_of_whole_pixels_only_moves_slices(dicom_series_factory) -> None:
    folder, stored = tilted_stack(dicom_series_factory, -0.5)
    volume = read_volume(folder)
    assert volume.array.shape == (6, 25, 4)
    for plane in range(6):
        np.testing.assert_array_equal(volume.array[plane, 5 - plane : 25 - plane], stored[plane] - 1024)
    np.testing.assert_allclose(volume.geometry.to_lps([0, 0, 0]), [0.0, -2.5, 0.0])


def test_a_tilt_along_columns_is_corrected_too(dicom_series_factory) -> None:
    grid = Geometry.from_axes(shape=(4, 5, 9), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(0, 0, 0))
    stored = np.broadcast_to(np.arange(9), (4, 5, 9)).astype(np.int16) * 10

    def edit(k: int, ds: FileDataset) -> None:
        ds.ImagePositionPatient = [k * 0.5, 0, k * 2.0]

    volume = read_volume(dicom_series_factory(stored, grid, edit=edit, modality="MR"))
    assert volume.array.shape == (4, 5, 11)
    assert volume.array[1, 0].tolist() == [-32768, 5, 15, 25, 35, 45, 55, 65, 75, -32768, -32768]


def test_tilt_keeps_padding_apart(dicom_series_factory) -> None:
    grid = Geometry.from_axes(shape=(3, 6, 2), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(0, 0, 0))
    stored = np.full((3, 6, 2), 1100, dtype=np.int16)
    stored[:, 0] = -2000

    def edit(k: int, ds: FileDataset) -> None:
        ds.ImagePositionPatient = [0, k * 0.5, k * 2.0]
        ds.PixelPaddingValue = -2000

    volume = read_volume(dicom_series_factory(stored, grid, edit=edit))
    assert volume.padding == -3024
    assert set(np.unique(volume.array).tolist()) == {-3024, 76}


@pytest.mark.parametrize(("drift_mm", "corrected"), [(0.019, False), (0.021, True)])
def test_a_drift_within_rounding_is_no_tilt(dicom_series_factory, drift_mm, corrected) -> None:
    folder, _ = tilted_stack(dicom_series_factory, drift_mm)  # 5 steps: 0.095 and 0.105 mm
    assert ("corrected" in read_volume(folder).acquisition) is corrected


def test_slices_shifted_at_random_are_refused(dicom_series_factory, stored, axial_grid) -> None:
    position = axial_grid.to_lps([2, 0, 0.5 / 0.9])
    folder = dicom_series_factory(stored, axial_grid, edit=only(2, "ImagePositionPatient", position.tolist()))
    error = refused(folder)
    assert "sideways" in error.what
    assert error.where.startswith("1_003.dcm")


def test_more_than_any_gantry_tilts_is_refused(dicom_series_factory) -> None:
    folder, _ = tilted_stack(dicom_series_factory, 2.1)
    assert "sideways" in refused(folder).what
