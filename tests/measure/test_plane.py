"""Which planes are measured in: sagittal and coronal acquisitions as they are, nearly cubic voxels as asked."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

import mdanderson as mda
from mdanderson.geometry import Geometry
from mdanderson.measure.diameters import measure_diameters
from mdanderson.measure.plane import asked_axis, measuring_axis
from mdanderson.phantoms.write import write_ct_series, write_dicom_seg, write_label_map, write_nifti
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region, Unit, Volume

SEMI_AXES_MM = (6.0, 10.0, 15.0)
"""Of an ellipsoid along left-right, front-back and head-foot, round LPS (0, 0, 0)."""

IN_PLANE_MM = {"axial": (20.0, 12.0), "coronal": (30.0, 12.0), "sagittal": (30.0, 20.0)}
NORMALS = {"axial": 2, "coronal": 1, "sagittal": 0}
DIRECTIONS = {
    "axial": ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    "coronal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    "sagittal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
}


def grid(acquired: str, spacing_mm, turn_degrees=0.0) -> Geometry:
    """A grid round the ellipsoid, acquired in that plane, turned about the axis (1, 1, 1)."""
    shape = np.ceil(np.full(3, 44.0) / spacing_mm).astype(int)
    directions = np.array(DIRECTIONS[acquired], dtype=float) @ turn(turn_degrees).T
    origin = -(shape - 1) / 2 * np.array(spacing_mm) @ directions
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin + 0.13, directions=directions)


def turn(degrees: float) -> np.ndarray:
    """(3, 3), by Rodrigues' formula."""
    axis = np.ones(3) / np.sqrt(3)
    cross = np.cross(np.eye(3), axis)
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def ellipsoid(geometry: Geometry, turn_degrees=0.0) -> Region:
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"), axis=-1)
    points = geometry.to_lps(index) @ turn(turn_degrees)
    return Region.from_array(((points / SEMI_AXES_MM) ** 2).sum(axis=-1) <= 1, label=1)


def in_plane(acquired: str, asked: str, spacing_mm=(1.0, 1.0, 1.0), turn_degrees=0.0):
    geometry = grid(acquired, spacing_mm, turn_degrees)
    settings = ImageSettings(measuring_plane=asked)
    return geometry, measure_diameters(ellipsoid(geometry, turn_degrees), geometry, settings=settings)


def axes(found) -> tuple[float, float]:
    return float(found.long_axis_mm), float(found.short_axis_mm)


@pytest.mark.parametrize("acquired", DIRECTIONS)
def test_an_acquisition_is_measured_in_its_own_plane(acquired):
    geometry, found = in_plane(acquired, "acquisition", (3.0, 0.8, 0.8))
    assert axes(found) == pytest.approx(IN_PLANE_MM[acquired], abs=0.4)
    assert found.axis == 0
    assert geometry.to_voxel(found.long_ends_lps_mm)[:, 0] == pytest.approx([found.plane] * 2)


@pytest.mark.parametrize("asked", IN_PLANE_MM)
@pytest.mark.parametrize("acquired", DIRECTIONS)
def test_nearly_cubic_voxels_are_measured_in_the_plane_asked_for(acquired, asked):
    geometry, found = in_plane(acquired, asked)
    assert axes(found) == pytest.approx(IN_PLANE_MM[asked], abs=0.5)
    normal = NORMALS[asked]
    for ends in (found.long_ends_lps_mm, found.short_ends_lps_mm):
        assert ends[0, normal] == pytest.approx(ends[1, normal])
        assert geometry.to_voxel(ends)[:, found.axis] == pytest.approx([found.plane] * 2)
    assert abs(geometry.directions[found.axis, normal]) == pytest.approx(1.0)


@pytest.mark.parametrize("asked", IN_PLANE_MM)
def test_on_an_oblique_grid_it_is_the_plane_of_the_grid_nearest_to_the_one_asked_for(asked):
    _, found = in_plane("sagittal", asked, turn_degrees=30.0)
    assert axes(found) == pytest.approx(IN_PLANE_MM[asked], abs=0.5)


def test_thick_slices_are_measured_as_they_were_acquired():
    _, found = in_plane("axial", "coronal", (3.0, 0.8, 0.8))
    assert found.axis == 0
    assert axes(found) == pytest.approx(IN_PLANE_MM["axial"], abs=0.4)


@pytest.mark.parametrize(("plane_mm", "axis"), [(1.99, 1), (2.0, 1), (2.01, 0)])
def test_how_cubic_voxels_must_be_is_a_setting(plane_mm, axis):
    geometry = Geometry.from_axes(shape=(9, 9, 9), spacing_mm=(plane_mm, 1.0, 1.0), origin_mm=(0, 0, 0))
    settings = ImageSettings(measuring_plane="coronal", measuring_anisotropy=2.0)
    assert asked_axis(geometry, settings) == 1
    assert measuring_axis(geometry, settings) == axis


@pytest.mark.parametrize("acquired", ["coronal", "sagittal"])
@pytest.mark.parametrize("kind", ["dicom", "nifti"])
def test_from_files_as_well(tmp_path, acquired, kind):
    """Written, read back and measured by the public face, in the plane the scanner cut."""
    geometry = grid(acquired, (3.0, 0.8, 0.8))
    mask = Mask(geometry=geometry, regions=(ellipsoid(geometry),))
    array = np.full(geometry.shape, 40, dtype=np.int16)
    volume = Volume(array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT)
    image, drawn = tmp_path / "image", tmp_path / "mask.nii.gz"
    if kind == "dicom":
        series = write_ct_series(volume, image, patient_id="P01", study_date=dt.date(2024, 3, 1), seed=acquired)
        drawn = write_dicom_seg(mask, series, tmp_path / "mask.dcm", seed=acquired)
    else:
        image = write_nifti(volume, tmp_path / "image.nii.gz")
        write_label_map(mask, drawn)
    read = mda.read_volume(image, modality=Modality.CT, date=dt.date(2024, 3, 1))
    measured = mda.measure_lesion(read, mda.read_mask(drawn, like=read))
    expected = measure_diameters(ellipsoid(geometry), geometry, settings=ImageSettings())
    assert axes(measured.diameters) == pytest.approx(IN_PLANE_MM[acquired], abs=0.4)
    assert axes(measured.diameters) == axes(expected)
