"""A series of several MR images: told apart by what makes them several, chosen or refused, never mixed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import Geometry, same_grid
from mdanderson.readers import read_volume
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Unit

UID = "1.2.826.0.1.3680043.8.498.1"
SPIN_ECHO = {"ScanningSequence": "SE", "RepetitionTime": 3500.0}
GRADIENT_ECHO = {
    "ScanningSequence": "GR",
    "SequenceVariant": "SP",
    "RepetitionTime": 150.0,
    "FlipAngle": 70.0,
    "MagneticFieldStrength": 1.5,
}
WAY_OUT = "name its sequence in the manifest, or in the series column its SeriesInstanceUID and number: UID#2"


@pytest.fixture
def series(tmp_path: Path, dicom_series_factory, stored, axial_grid) -> Callable[..., Path]:
    """`series({...}, {...})`: one folder, one series, an image for each header; image n holds 1000 n more."""

    def write(*headers: dict[str, object], grid: Geometry | None = None, grids: list[Geometry] | None = None) -> Path:
        folder = tmp_path / "together"
        folder.mkdir()
        for number, header in enumerate(headers):

            def edit(plane: int, ds: FileDataset, header: dict[str, object] = header) -> None:
                del ds.SeriesDescription
                for keyword, value in header.items():
                    setattr(ds, keyword, value(plane) if callable(value) else value)

            place = grids[number] if grids else grid or axial_grid
            values = (stored + 1000 * (number + 1)).astype(np.int16)
            part = dicom_series_factory(values, place, modality="MR", folder=f"part{number}", edit=edit)
            for file in part.iterdir():  # mixed by name
                file.rename(folder / f"{file.stem}_{len(headers) - number}.dcm")
        return folder

    return write


def refused(path: Path, **told: object) -> ImageError:
    with pytest.raises(ImageError) as caught:
        read_volume(path, **told)
    assert type(caught.value) is ImageError
    assert "1.2.826" not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def which(path: Path, **told: object) -> int:
    """Which of the images was read, from 1; all of it and nothing else."""
    volume = read_volume(path, **told)
    assert volume.array.shape == (5, 6, 7)
    number = int(volume.array[0, 0, 0]) // 1000
    np.testing.assert_array_equal(volume.array - 1000 * number, (np.arange(210) * 3).reshape(5, 6, 7))
    return number


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({"EchoTime": 20.0}, {"EchoTime": 90.0}, ["TE 20 ms", "TE 90 ms"]),
        ({}, {"EchoTime": 90.0}, ["no TE", "TE 90 ms"]),
        ({"DiffusionBValue": 50.0}, {"DiffusionBValue": 800.0}, ["b 50 s/mm2", "b 800 s/mm2"]),
        ({"SequenceName": "*ep_b50t"}, {"SequenceName": "*ep_b800t"}, ["b 50 s/mm2", "b 800 s/mm2"]),
        ({"InversionTime": 160.0}, {"InversionTime": 900.0}, ["TI 160 ms", "TI 900 ms"]),
        ({"ComplexImageComponent": "MAGNITUDE"}, {"ComplexImageComponent": "PHASE"}, ["magnitude", "phase"]),
        (
            {"ImageType": ["ORIGINAL", "PRIMARY", "I"]},
            {"ImageType": ["ORIGINAL", "PRIMARY", "R"]},
            ["imaginary", "real"],
        ),
        (
            {"ImageType": ["DERIVED", "PRIMARY", "DIXON", "FAT_FRACTION"]},
            {"ImageType": ["DERIVED", "PRIMARY", "MIP"]},
            ["fat fraction", "projection"],
        ),
        ({"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}, ["time 1", "time 2"]),
        ({"AcquisitionNumber": 3}, {"AcquisitionNumber": 7}, ["acquisition 3", "acquisition 7"]),
        ({"AcquisitionTime": "101500"}, {"AcquisitionTime": "101700"}, ["time 1", "time 2"]),
        ({"TriggerTime": 20.0}, {"TriggerTime": 400.0}, ["trigger 20 ms", "trigger 400 ms"]),
        ({"FlipAngle": 5.0}, {"FlipAngle": 15.0}, ["flip angle 5 degrees", "flip angle 15 degrees"]),
        ({"RepetitionTime": 500.0}, {"RepetitionTime": 2500.0}, ["TR 500 ms", "TR 2500 ms"]),
        (
            {"DiffusionGradientOrientation": [0.0, 0.0, 1.0]},
            {"DiffusionGradientOrientation": [1.0, 0.0, 0.0]},
            ["diffusion direction 1", "diffusion direction 2"],
        ),
        ({"SequenceName": "a"}, {"SequenceName": "b"}, ["pulse sequence 1", "pulse sequence 2"]),
        (
            {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]},
            {"ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM"]},
            ["M/ND", "M/NORM"],
        ),
    ],
)
def test_images_of_a_series_are_told_apart(series, one, other, told) -> None:
    folder = series(one, other)
    error = refused(folder)
    assert error.what == f"2 images in one series: #1 {told[0]}, 5 slice(s); #2 {told[1]}, 5 slice(s)"
    assert (error.where, error.way_out) == ("together", WAY_OUT)
    assert [which(folder, series=f"{UID}#{n}") for n in (1, 2)] == [1, 2]
    assert which(folder, series="#2") == 2
    assert read_volume(folder, series="#2").acquisition["image"] == f"#2 of 2: {told[1]}"


PRIVATE = {
    "SIEMENS MR HEADER": (0x0019, 0x0C, "IS", str),
    "GEMS_PARM_01": (0x0043, 0x39, "IS", lambda b: [str(1_000_000_000 + b), "0", "0"]),
    "Philips Imaging DD 001": (0x2001, 0x03, "FL", float),
}


@pytest.mark.parametrize("creator", PRIVATE)
@pytest.mark.parametrize("vr_known", [True, False])
def test_b_values_of_vendors(series, creator, vr_known) -> None:
    group, element, vr, written = PRIVATE[creator]
    folder = series({}, {})
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        b = 50 if file.stem.endswith("_2") else 800
        ds.private_block(group, creator, create=True).add_new(element, vr, written(b))
        if not vr_known:
            ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        pydicom.dcmwrite(file, ds, implicit_vr=not vr_known, little_endian=True, enforce_file_format=True)
    assert refused(folder).what == "2 images in one series: #1 b 50 s/mm2, 5 slice(s); #2 b 800 s/mm2, 5 slice(s)"


def test_fat_and_water_and_both_phases(series) -> None:
    kinds = ("IN_PHASE", "OPP_PHASE", "FAT", "WATER")
    folder = series(*({"ImageType": ["DERIVED", "PRIMARY", "DIXON", kind]} for kind in kinds))
    sequences = (MrSequence.IN, MrSequence.OPP, MrSequence.FAT, MrSequence.WATER)
    assert [which(folder, sequence=sequence) for sequence in sequences] == [1, 2, 3, 4]
    assert all(read_volume(folder, sequence=sequence).sequence is sequence for sequence in sequences)
    assert refused(folder, sequence=MrSequence.T1).what == (
        "4 images in one series, none of them known to be T1: #1 fat (FAT), 5 slice(s); #2 in phase (IN), 5 slice(s); "
        "#3 opposed phase (OPP), 5 slice(s); #4 water (WATER), 5 slice(s)"
    )


def test_a_double_echo_holds_opposed_and_in_phase(series) -> None:
    folder = series({**GRADIENT_ECHO, "EchoTime": 2.3}, {**GRADIENT_ECHO, "EchoTime": 4.6})
    assert [which(folder, sequence=s) for s in (MrSequence.OPP, MrSequence.IN)] == [1, 2]
    assert "#1 TE 2.3 ms (OPP), 5 slice(s); #2 TE 4.6 ms (IN)" in refused(folder).what


def test_proton_density_and_t2_of_one_spin_echo(series) -> None:
    folder = series({**SPIN_ECHO, "EchoTime": 15.0}, {**SPIN_ECHO, "EchoTime": 90.0})
    assert which(folder, sequence=MrSequence.T2) == 2


def test_the_phase_image_is_not_the_signal(series) -> None:
    t1 = {"ScanningSequence": "SE", "RepetitionTime": 500.0, "EchoTime": 10.0}
    folder = series({**t1, "ComplexImageComponent": "PHASE"}, {**t1, "ComplexImageComponent": "MAGNITUDE"})
    assert which(folder, sequence=MrSequence.T1) == 2


def test_of_diffusion_the_map_is_picked_and_b_values_are_listed(series) -> None:
    adc = {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}
    folder = series(
        {"DiffusionBValue": 800.0, **SPIN_ECHO}, {**adc, "DiffusionBValue": 1000.0}, {"DiffusionBValue": 50.0}
    )
    volume = read_volume(folder, sequence=MrSequence.ADC)
    assert (volume.sequence, volume.unit) == (MrSequence.ADC, Unit.ADC)
    assert int(volume.array[0, 0, 0]) == 2000
    what = refused(folder).what
    assert "plain image, b 50 s/mm2" in what
    assert "plain image, b 800 s/mm2" in what
    assert "#3 ADC map, b 1000 s/mm2 (ADC), 5 slice(s)" in what


def test_several_images_of_one_sequence_are_refused(series) -> None:
    times = [{**SPIN_ECHO, "EchoTime": 90.0, "TemporalPositionIdentifier": n} for n in (1, 2)]
    folder = series(*times)
    assert refused(folder, sequence=MrSequence.T2).what == (
        "2 images in one series, 2 of them T2: #1 time 1 (T2), 5 slice(s); #2 time 2 (T2), 5 slice(s)"
    )
    assert which(folder, sequence=MrSequence.T2, series="#2") == 2


def test_the_number_and_the_header_must_agree_with_the_manifest(series) -> None:
    folder = series({**SPIN_ECHO, "EchoTime": 80.0}, {**SPIN_ECHO, "EchoTime": 90.0})
    error = refused(folder, series="#1", sequence=MrSequence.T1)
    assert error.what == "the header says T2 (spin echo, TR 3500 ms, TE 80 ms), not T1"


def test_stacks_of_different_orientation(series, axial_grid, oblique_grid) -> None:
    folder = series({}, {}, grids=[oblique_grid, axial_grid])
    error = refused(folder)
    assert error.what == "2 images in one series: #1 stack 1 (axial), 5 slice(s); #2 stack 2 (axial), 5 slice(s)"
    volume = read_volume(folder, series="#2")
    assert same_grid(volume.geometry, axial_grid, tolerance_mm=1e-4)
    np.testing.assert_array_equal(volume.array, (np.arange(210) * 3 + 2000).reshape(5, 6, 7))


def test_stacks_of_different_pixels(series, axial_grid) -> None:
    coarse = Geometry.from_axes(
        shape=(5, 6, 7),
        spacing_mm=(3.0, 1.4, 1.8),
        origin_mm=(0.0, 0.0, 0.0),
        frame_of_reference_uid=axial_grid.frame_of_reference_uid,
    )
    what = refused(series({}, {}, grids=[coarse, axial_grid])).what
    assert "#1 6 x 7 pixels of 0.7 x 0.9 mm, 5 slice(s); #2 6 x 7 pixels of 1.4 x 1.8 mm, 5 slice(s)" in what


def test_frames_of_reference_are_numbered_never_shown(series) -> None:
    what = refused(series({}, {"FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.3"})).what
    assert what == ("2 images in one series: #1 frame of reference 1, 5 slice(s); #2 frame of reference 2, 5 slice(s)")


def test_a_product_of_differences_is_a_list(series) -> None:
    headers = [{"EchoTime": te, "TemporalPositionIdentifier": t} for te in (10.0, 20.0) for t in range(1, 8)]
    folder = series(*headers)
    what = refused(folder).what
    assert what.startswith("14 images in one series: #1 TE 10 ms, time 1, 5 slice(s); #2 TE 10 ms, time 2, 5 slice(s)")
    assert what.endswith("#12 TE 20 ms, time 5, 5 slice(s); and 2 more")
    assert which(folder, series="#14") == 14


def test_two_things_may_be_needed_to_tell_images_apart(series) -> None:
    headers = [{"FlipAngle": flip, "AcquisitionNumber": n} for flip in (5.0, 15.0) for n in (1, 2)]
    folder = series(*headers)
    assert "#4 acquisition 2, flip angle 15 degrees, 5 slice(s)" in refused(folder).what
    assert which(folder, series="#4") == 4


@pytest.mark.parametrize(
    "varying",
    [
        {"AcquisitionNumber": lambda plane: plane % 2},
        {"AcquisitionTime": lambda plane: f"1015{plane:02d}"},
        {"TemporalPositionIdentifier": lambda plane: plane},
        {"TriggerTime": lambda plane: 31.0 * plane},
        {"EchoTime": lambda plane: 12.0 + 0.01 * plane},
        {"InversionTime": lambda plane: 160.0 + 0.4 * plane},
        {"RepetitionTime": lambda plane: 500.0 + plane},
        {"ImageType": lambda plane: ["ORIGINAL", "PRIMARY", "M", f"EXTRA{plane}"]},
    ],
)
def test_what_varies_within_an_image_does_not_take_it_apart(series, varying) -> None:
    assert which(series(varying)) == 1


def test_what_nothing_explains_is_refused_and_never_mixed(series) -> None:
    with pytest.raises(GeometryError, match="two slices lie in one place"):
        read_volume(series({}, {}))


def test_a_lost_slice_of_one_image_does_not_lose_the_other(series) -> None:
    folder = series({"EchoTime": 20.0}, {"EchoTime": 90.0})
    next(file for file in folder.iterdir() if file.stem.endswith("003_1")).unlink()
    assert which(folder, series="#1") == 1
    with pytest.raises(GeometryError, match="1 slice"):
        read_volume(folder, series="#2")


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("#3", "no image #3 in the series: #1 TE 20 ms, 5 slice(s); #2 TE 90 ms, 5 slice(s)"),
        ("#0", "#0 is no number of an image"),
        ("#x", "#x is no number of an image"),
        ("#", "# is no number of an image"),
        ("#-1", "#-1 is no number of an image"),
    ],
)
def test_numbers_that_are_none(series, number, what) -> None:
    assert refused(series({"EchoTime": 20.0}, {"EchoTime": 90.0}), series=number).what == what


def test_one_image_may_be_numbered_too(series, dicom_series_factory, stored, axial_grid) -> None:
    folder = series({})
    assert which(folder, series=f"{UID}#1") == 1
    assert "image" not in read_volume(folder).acquisition
    assert refused(folder, series="#2").what == "no image #2 in the series: #1, 5 slice(s)"
    ct = dicom_series_factory(stored, axial_grid, folder="ct")
    assert read_volume(ct, series=f"{UID}#1").modality is Modality.CT
    error = refused(ct, series=f"{UID}#2")
    assert (error.what, error.way_out) == ("no image #2 in the series", "only images of MR series are numbered")


def test_two_series_in_a_folder_and_several_images_in_one(series, dicom_series_factory, stored, axial_grid) -> None:
    folder = series({"EchoTime": 20.0}, {"EchoTime": 90.0})
    other = dicom_series_factory(stored, axial_grid, modality="MR", folder="other", series_uid=f"{UID}9")
    for file in other.iterdir():
        file.rename(folder / f"other_{file.name}")
    assert "2 series in one folder" in refused(folder, series="#2").what
    assert which(folder, series=f"{UID}#2") == 2
    np.testing.assert_array_equal(read_volume(folder, series=f"{UID}9").array, stored)


def test_a_sequence_of_a_ct_is_passed_over(dicom_series_factory, stored, axial_grid) -> None:
    volume = read_volume(dicom_series_factory(stored, axial_grid), sequence=MrSequence.T1)
    assert (volume.modality, volume.sequence) == (Modality.CT, None)


def test_facts_that_comparisons_need(series) -> None:
    header = {
        **GRADIENT_ECHO,
        "EchoTime": 4.6,
        "MagneticFieldStrength": 15000.0,  # gauss
        "ScanOptions": "FS",
        "ManufacturerModelName": "Model",
        "ContrastBolusAgentSequence": [Dataset()],
    }
    volume = read_volume(series(header))
    assert volume.sequence is MrSequence.T1
    assert volume.acquisition == {
        "field_strength_t": "1.5",
        "echo_time_ms": "4.6",
        "repetition_time_ms": "150",
        "flip_angle_degrees": "70",
        "fat_suppression": "yes",
        "contrast_agent": "yes",
        "scanner": "Model",
        "slice_thickness_mm": "9",
        "sequence_source": "spoiled gradient echo, TR 150 ms, TE 4.6 ms, flip 70 degrees",
    }


@pytest.mark.parametrize(
    ("header", "facts"),
    [
        ({"ScanningSequence": ["SE", "IR"], "InversionTime": 160.0}, {"inversion_time_ms": "160"}),
        ({"ImagingFrequency": 63.8655}, {"field_strength_t": "1.5"}),
        ({"ScanOptions": "PFP"}, {"fat_suppression": "no"}),
        ({"DiffusionBValue": 800.0}, {"b_value_s_mm2": "800", "sequence_source": "diffusion-weighted, b 800 s/mm2"}),
        ({"EchoTime": 0.0, "DiffusionBValue": 0.0}, {}),
    ],
)
def test_single_facts(series, header, facts) -> None:
    acquisition = dict(read_volume(series(header)).acquisition)
    assert acquisition.pop("contrast_agent") == "unknown"
    assert acquisition.pop("slice_thickness_mm") == "9"
    assert acquisition == facts


def test_slope_and_intercept_are_those_of_each_slice(series) -> None:
    """Philips scales every slice by itself; ratios hold only after both are applied."""
    folder = series({"RescaleSlope": lambda plane: 0.5 + plane, "RescaleIntercept": lambda plane: -plane})
    planes = np.arange(5)[:, None, None]
    expected = ((np.arange(210) * 3).reshape(5, 6, 7) + 1000) * (0.5 + planes) - planes
    np.testing.assert_allclose(read_volume(folder).array, expected, rtol=1e-6)


def test_pixels_of_different_types(series) -> None:
    what = refused(series({}, {"PixelRepresentation": 0})).what
    assert "#1 signed pixels of 16 bits, 5 slice(s); #2 unsigned pixels of 16 bits, 5 slice(s)" in what


def test_a_mosaic_is_refused(series) -> None:
    with pytest.raises(GeometryError, match="a mosaic shows many slices in one picture"):
        read_volume(series({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}))


def test_damage_is_refused_or_read_but_never_a_traceback(series) -> None:
    """Some bytes of the headers are changed at random, the same every time."""
    folder = series({**GRADIENT_ECHO, "EchoTime": 2.3}, {**GRADIENT_ECHO, "EchoTime": 4.6})
    files = sorted(folder.iterdir())
    sound, random = [file.read_bytes() for file in files], np.random.default_rng(20240229)
    refusals: list[ImageError] = []
    for turn in range(40):
        file, bytes_of_it = files[turn % 10], bytearray(sound[turn % 10])
        for place in random.integers(132, len(bytes_of_it) - 84, 6):
            bytes_of_it[place] = random.integers(0, 256)
        file.write_bytes(bytes_of_it)
        try:
            read_volume(folder, sequence=MrSequence.OPP)
        except ImageError as error:
            refusals.append(error)
        file.write_bytes(sound[turn % 10])
    assert len(refusals) > 5
    assert all(error.where and error.way_out and "\n" not in str(error) for error in refusals)


@pytest.mark.parametrize(("code", "told"), [(0, "magnitude"), (1, "phase"), (2, "real"), (3, "imaginary")])
def test_the_component_as_ge_writes_it(series, code, told) -> None:
    folder = series({"EchoTime": 10.0}, {"EchoTime": 20.0})
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        ds.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", code)
        ds.save_as(file, enforce_file_format=True)
    volume = read_volume(folder, series="#2")
    assert volume.acquisition.get("sequence_source", "magnitude image") == f"{told} image"


def test_elements_of_an_unknown_owner_say_nothing(series) -> None:
    folder = series({"EchoTime": 10.0})
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        ds.private_block(0x0019, "SOMEBODY ELSE", create=True).add_new(0x0C, "IS", "800")
        ds.save_as(file, enforce_file_format=True)
    assert "b_value_s_mm2" not in read_volume(folder).acquisition


@pytest.mark.parametrize("word", ["", "abc", "nan", "inf"])
def test_a_time_that_is_no_number_is_not_stated(series, word) -> None:
    folder = series({"EchoTime": 10.0})
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        ds.EchoTime = "77.25"
        ds.save_as(file, enforce_file_format=True)
        file.write_bytes(file.read_bytes().replace(b"77.25 ", word.ljust(6).encode()))
    assert "echo_time_ms" not in read_volume(folder).acquisition
