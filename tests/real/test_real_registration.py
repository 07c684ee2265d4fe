"""Registration of real CTs: each laid on another grid after a known motion, and CTs of different people."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mdanderson.geometry import Geometry
from mdanderson.registration import register
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

pytestmark = pytest.mark.real

SETTINGS = ImageSettings()
L3_LABEL, T12_LABEL = 22, 32


def geometry_of(image):
    affine = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    affine[:3, :3] = (direction * np.array(image.GetSpacing()))[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return Geometry(shape=image.GetSize()[::-1], affine=affine)


def ct_of(image):
    array = SimpleITK.GetArrayFromImage(image)
    return Volume(array=array, geometry=geometry_of(image), unit=Unit.HU, modality=Modality.CT)


def places_of(path: Path, label: int):
    """Every 50th voxel of a label, LPS mm."""
    image = SimpleITK.ReadImage(str(path))
    return geometry_of(image).to_lps(np.argwhere(SimpleITK.GetArrayFromImage(image) == label)[::50])


def imaged_again(volume, motion, geometry, *, noise_hu=15.0):
    """The same body after `motion`, on another grid, with more noise; -1024 where the first scan did not reach."""
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
    places = geometry.moved(np.linalg.inv(motion)).to_lps(index)
    there = np.moveaxis(volume.geometry.to_voxel(places), -1, 0)
    hu = ndimage.map_coordinates(volume.array.astype(np.float32), there, order=1, cval=-1024)
    hu = np.where(hu > -1024, hu + np.random.default_rng(1).normal(0, noise_hu, hu.shape), hu)
    return Volume(
        array=np.clip(hu, -1024, 3071).astype(np.int16), geometry=geometry, unit=Unit.HU, modality=Modality.CT
    )


def motion_about(centre, degrees, shift_mm, seed):
    axis, direction = np.random.default_rng(seed).normal(size=(2, 3))
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.deg2rad(degrees) * axis / np.linalg.norm(axis)).as_matrix()
    shift = shift_mm * direction / np.linalg.norm(direction)
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def grid_round(centre, shape, spacing_mm):
    origin = np.array(centre) - ((np.array(shape) - 1) / 2 * np.array(spacing_mm))[::-1]
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin)


def found_again(volume, places, motion, shape, spacing_mm):
    """The registration, and its errors at the places, mm."""
    truth = places @ motion[:3, :3].T + motion[:3, 3]
    later = imaged_again(volume, motion, grid_round(truth.mean(axis=0), shape, spacing_mm))
    found = register(volume, later, settings=SETTINGS)
    return found, np.linalg.norm(found.to_follow_up(places) - truth, axis=1)


@pytest.fixture(scope="module")
def trunk(real_data):
    """Twenty slices, 2 mm apart."""
    folder = real_data / "ct_totalseg" / "example_ct_dicom"
    return ct_of(SimpleITK.ReadImage(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))))


@pytest.fixture(scope="module")
def l3(real_data):
    return ct_of(SimpleITK.ReadImage(str(real_data / "spine_tptbox" / "sample_ct" / "sub-ct_label-22_ct.nii.gz")))


MOTIONS = [(0, 0), (5, 10), (20, 40)]


@pytest.mark.parametrize(("degrees", "shift_mm"), MOTIONS)
def test_t12_in_a_thin_slab(real_data, trunk, degrees, shift_mm):
    places = places_of(real_data / "ct_totalseg" / "example_seg_dicom.nii.gz", T12_LABEL)
    motion = motion_about(places.mean(axis=0), degrees, shift_mm, seed=1)
    found, error = found_again(trunk, places, motion, (30, 240, 300), (1.5, 1.4, 1.4))
    assert found.trusted, found.why
    assert error.max() <= 0.3
    assert error.max() <= found.error_mm


@pytest.mark.parametrize(("degrees", "shift_mm"), MOTIONS)
def test_l3_in_a_crop_of_sixty_millimetres(real_data, l3, degrees, shift_mm):
    mask = real_data / "spine_tptbox" / "sample_ct" / "sub-ct_seg-vert_label-22_msk.nii.gz"
    places = places_of(mask, L3_LABEL)
    motion = motion_about(places.mean(axis=0), degrees, shift_mm, seed=2)
    found, error = found_again(l3, places, motion, (40, 50, 50), (1.5, 1.2, 1.2))
    assert found.trusted, found.why
    assert error.max() <= 0.3
    assert error.max() <= found.error_mm


@pytest.mark.parametrize(("degrees", "shift_mm"), [(5, 10), (12, 25)])
def test_thick_slices(real_data, trunk, degrees, shift_mm):
    """0.8 x 0.8 x 3 mm, as many follow-ups are reconstructed."""
    places = places_of(real_data / "ct_totalseg" / "example_seg_dicom.nii.gz", T12_LABEL)
    motion = motion_about(places.mean(axis=0), degrees, shift_mm, seed=4)
    found, error = found_again(trunk, places, motion, (16, 300, 400), (3.0, 0.8, 0.8))
    assert found.trusted, found.why
    assert error.max() <= 1.0
    assert error.max() <= found.error_mm


def test_turned_over_is_not_trusted(trunk):
    turned = replace(trunk, array=np.ascontiguousarray(trunk.array[:, :, ::-1]))
    assert not register(trunk, turned, settings=SETTINGS).trusted


def test_a_crop_in_a_whole_trunk(real_data, trunk):
    places = places_of(real_data / "ct_totalseg" / "example_seg_dicom.nii.gz", T12_LABEL)
    motion = motion_about(places.mean(axis=0), 6, 15, seed=3)
    found, error = found_again(trunk, places, motion, (24, 70, 70), (1.5, 1.1, 1.1))
    assert found.trusted, found.why
    assert error.max() <= 0.5


def test_different_people_are_not_trusted(real_data, trunk, l3):
    folder = real_data / "sts_multimodal" / "nifti"
    bodies = {
        "T12": trunk,
        "L3": l3,
        "pelvis": ct_of(SimpleITK.ReadImage(str(real_data / "ct_totalseg/example_ct.nii.gz"))),
    }
    for name in ("STS_002", "STS_008", "STS_019", "STS_025"):
        bodies[name] = ct_of(SimpleITK.ReadImage(str(folder / name / "CT_image.nii.gz")))
    believed = []
    for one, other in combinations(sorted(bodies), 2):
        found = register(bodies[one], bodies[other], settings=SETTINGS)
        assert found.why
        if found.trusted:
            believed.append((one, other, found.why))
    assert believed == []
