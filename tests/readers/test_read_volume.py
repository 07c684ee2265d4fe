"""One contract for every reader: the same phantom in every format is the same Volume."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from mdanderson.errors import ImageError
from mdanderson.geometry import Geometry, same_grid
from mdanderson.readers import FORMATS, read_volume
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

DATE = dt.date(2024, 2, 29)
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_dicom(values, geometry: Geometry, path: Path, factory) -> Path:
    return factory(values + 1024, geometry)


def write_dicom_file_of_any_name(values, geometry: Geometry, path: Path, factory) -> Path:
    return write_dicom(values, geometry, path, factory).rename(path / "series.nii")


def write_nifti(values, geometry: Geometry, path: Path, factory) -> Path:
    nib.save(nib.Nifti1Image(values.T, LPS_TO_RAS @ geometry.affine[:, [2, 1, 0, 3]]), path / "a.nii")
    return path / "a.nii"


def write_nifti_gz(values, geometry: Geometry, path: Path, factory) -> Path:
    turned = values[::-1, :, ::-1].transpose(1, 0, 2)  # stored as row, plane, column, two of them backwards
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_lps([values.shape[0] - 1, 0, values.shape[2] - 1])
    affine[:3, :3] *= [-1, 1, -1]
    nib.save(nib.Nifti1Image(turned, LPS_TO_RAS @ affine[:, [1, 0, 2, 3]]), path / "A.NII.GZ")
    return path / "A.NII.GZ"


def write_nifti2(values, geometry: Geometry, path: Path, factory) -> Path:
    nib.save(nib.Nifti2Image(values.T, LPS_TO_RAS @ geometry.affine[:, [2, 1, 0, 3]]), path / "a.nii")
    return path / "a.nii"


def write_itk(values, geometry: Geometry, target: Path) -> Path:
    image = SimpleITK.GetImageFromArray(values)
    image.SetOrigin(geometry.affine[:3, 3].tolist())
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetDirection(geometry.directions[::-1].T.ravel().tolist())
    SimpleITK.WriteImage(image, str(target), useCompression=True)
    return target


def write_nrrd(values, geometry: Geometry, path: Path, factory) -> Path:
    return write_itk(values, geometry, path / "a.nrrd")


def write_mha(values, geometry: Geometry, path: Path, factory) -> Path:
    return write_itk(values, geometry, path / "a.mha")


WRITERS = [
    write_dicom,
    write_dicom_file_of_any_name,
    write_nifti,
    write_nifti_gz,
    write_nifti2,
    write_nrrd,
    write_mha,
]


@pytest.mark.parametrize("grid", ["axial_grid", "oblique_grid"])
@pytest.mark.parametrize("write", WRITERS)
def test_the_same_phantom_gives_the_same_volume(tmp_path, dicom_series_factory, stored, grid, write, request) -> None:
    geometry: Geometry = request.getfixturevalue(grid)
    values = stored - 100
    path = write(values, geometry, tmp_path, dicom_series_factory)

    volume = read_volume(path, modality=Modality.CT, date=DATE)

    np.testing.assert_array_equal(volume.array, values)
    assert volume.array.dtype == np.int16
    assert not volume.array.flags.writeable
    assert same_grid(volume.geometry, geometry, tolerance_mm=1e-4)
    assert (volume.unit, volume.modality, volume.date) == (Unit.HU, Modality.CT, DATE)
    assert volume.padding is None
    assert volume.source == str(path)
    assert read_volume(str(path), modality=Modality.CT, date=DATE).source == str(path)


@pytest.mark.parametrize("write", [write_nifti, write_nrrd, write_mha])
@pytest.mark.parametrize(
    ("told", "missing"),
    [
        ({}, "modality and date"),
        ({"modality": Modality.CT}, "date"),
        ({"date": DATE}, "modality"),
    ],
)
def test_formats_without_a_header_must_be_told(
    tmp_path, dicom_series_factory, stored, axial_grid, write, told, missing
) -> None:
    path = write(stored, axial_grid, tmp_path, dicom_series_factory)
    with pytest.raises(ImageError) as caught:
        read_volume(path, **told)
    assert caught.value.what == f"the file does not say its {missing}"
    assert caught.value.where == path.name


def test_a_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(ImageError, match="no such file or folder"):
        read_volume(tmp_path / "absent.nii.gz", modality=Modality.CT, date=DATE)


def test_an_unknown_format_is_refused_naming_the_known(tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG" + bytes(200))
    with pytest.raises(ImageError) as caught:
        read_volume(tmp_path / "a.png")
    assert caught.value.what == "not a known image format"
    assert all(image_format.name in caught.value.way_out for image_format in FORMATS)


@pytest.mark.parametrize("write", WRITERS[1:])
def test_damage_is_refused_or_read_but_never_a_traceback(
    tmp_path, dicom_series_factory, stored, axial_grid, write, capfd
) -> None:
    """Some bytes of each file are changed, and some files cut, at random but the same every time."""
    path = write(stored[:1], axial_grid, tmp_path, dicom_series_factory)
    if path.is_dir():
        path = next(path.iterdir()).rename(tmp_path / "slice")
    sound, random = path.read_bytes(), np.random.default_rng(20240229)
    refusals: list[ImageError] = []
    for _ in range(80):
        damaged = bytearray(sound)
        for place in random.integers(0, len(sound), 4):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged[: len(sound) if random.random() < 0.7 else int(random.integers(0, len(sound)))])
        try:
            read_volume(path, modality=Modality.CT, date=DATE)
        except ImageError as error:
            refusals.append(error)
    assert len(refusals) > 10
    assert all(error.where and error.way_out and "\n" not in str(error) for error in refusals)
    capfd.readouterr()  # libraries in C write to stderr


def test_a_link_is_followed(tmp_path, dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid)
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    volume = read_volume(tmp_path / "link")
    assert volume.array.shape == stored.shape
    assert volume.source == str(tmp_path / "link")


def test_the_volume_outlives_its_file(tmp_path, dicom_series_factory, stored, axial_grid) -> None:
    path = write_nifti(stored, axial_grid, tmp_path, dicom_series_factory)
    volume = read_volume(path, modality=Modality.CT, date=DATE)
    path.write_bytes(bytes(path.stat().st_size))
    np.testing.assert_array_equal(volume.array, stored)
    folder = dicom_series_factory(stored, axial_grid)
    volume = read_volume(folder)
    shutil.rmtree(folder)
    np.testing.assert_array_equal(volume.array, stored - 1024)


def test_importing_the_readers_loads_no_imaging_library() -> None:
    heavy = "{'pydicom', 'nibabel', 'SimpleITK', 'highdicom', 'gdcm'}"
    code = f"import sys, mdanderson.readers; print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_words_and_days_may_come_as_text(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4)), tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii", modality="CT", date="2024-02-29")
    assert volume.modality is Modality.CT
    assert volume.date == DATE


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"modality": "ct scan"}, "modality is 'ct scan'; use one of CT, MR, NM, PT, XR"),
        ({"modality": "MR", "sequence": "T3"}, "sequence is 'T3'; use one of T1, T2, STIR, IN, OPP, ADC, FAT, WATER"),
        ({"modality": "CT", "date": "29.2.24"}, "date is '29.2.24'; use YYYY-MM-DD"),
    ],
)
def test_a_word_that_is_none_is_told(told, words):
    with pytest.raises(ImageError) as caught:
        read_volume("a.nii", **told)
    assert str(caught.value) == words
