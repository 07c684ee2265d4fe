"""Reference bone: order of choice, robustness of the search in the image, thresholds; synthetic and real bone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measure import painted as ph

from mdanderson.errors import MaskError, UnitError
from mdanderson.geometry import Geometry
from mdanderson.measure.reference import AROUND_LESION, GIVEN_MASK, LABELLED_BONE, ReferenceBone, find_reference
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region, Unit, Volume

SETTINGS = ImageSettings()


LESION = ph.Ball((0.0, -1.0, 4.0), (6.0, 6.0, 6.0))


def bone(median_hu=150.0, robust_sd_hu=10.0) -> ReferenceBone:
    return ReferenceBone(
        source=GIVEN_MASK, median_hu=median_hu, robust_sd_hu=robust_sd_hu, mean_hu=150.0, sd_hu=30.0, voxels=500
    )


def case(spacing_mm=(2.0, 1.0, 1.0), host=None, lesion=LESION, noise_hu=10.0, extra=()):
    geometry = ph.grid(spacing_mm, (26, 64, 72))
    hu = ph.array(geometry, ph.paint(host or ph.Bone(), *extra, lesion))
    return ph.as_volume(hu, geometry, noise_hu=noise_hu, seed=3), ph.outline(geometry, lesion)


def block(volume: Volume, box, label=1) -> Region:
    array = np.zeros(volume.geometry.shape, dtype=bool)
    array[box] = True
    return Region.from_array(array, label=label)


def find(volume, region, *, lesions=None, settings=SETTINGS, **masks):
    return find_reference(volume, region, lesions=lesions or [region], settings=settings, **masks)


@pytest.mark.parametrize(
    ("median", "robust_sd", "lytic", "sclerotic"),
    [
        (150.0, 0.0, 110.0, 250.0),  # the least distances
        (150.0, 20.0, 110.0, 250.0),  # 2 x 20 is exactly the least distance
        (150.0, 21.0, 108.0, 250.0),
        (150.0, 34.0, 82.0, 252.0),  # 3 x 34 exceeds 100
        (99.9, 10.0, 74.925, 199.9),  # osteoporotic: 25 HU, and a quarter of the reference at most
        (60.0, 5.0, 45.0, 160.0),  # a quarter of it is 15 HU
        (60.0, 8.0, 44.0, 160.0),
        (-20.0, 5.0, -30.0, 80.0),  # fatty marrow: the spread alone
        (100.0, 10.0, 60.0, 200.0),  # at the limit no longer
        (90.0, 15.0, 60.0, 190.0),
    ],
)
def test_thresholds_follow_the_reference(median, robust_sd, lytic, sclerotic):
    reference = bone(median, robust_sd)
    assert reference.lytic_below_hu(SETTINGS) == pytest.approx(lytic)
    assert reference.sclerotic_above_hu(SETTINGS) == pytest.approx(sclerotic)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (3.0, 0.8, 0.8), (5.0, 0.8, 0.8), (1.5, 1.5, 1.5)])
@pytest.mark.parametrize("trabecular_hu", [230.0, 150.0, 90.0])
@pytest.mark.parametrize(("cortex_hu", "cortex_mm", "noise_hu"), [(700.0, 2.5, 5.0), (500.0, 1.5, 30.0)])
def test_bone_round_a_lesion_is_found_within_15_hu(spacing_mm, trabecular_hu, cortex_hu, cortex_mm, noise_hu):
    volume, region = case(spacing_mm, ph.Bone(trabecular_hu, cortex_hu, cortex_mm, canal=True), noise_hu=noise_hu)
    found = find(volume, region)
    assert found is not None
    assert found.source == AROUND_LESION
    assert abs(found.median_hu - trabecular_hu) <= 15
    assert found.voxels >= SETTINGS.reference_minimum_voxels


@pytest.mark.parametrize("hu", [40.0, 700.0])
def test_a_lesion_that_broke_through_the_cortex_is_its_own_wall(hu):
    breach = ph.Ball((0.0, -9.0, 3.0), (7.0, 8.0, 8.0), hu)
    volume, region = case(lesion=breach)
    assert abs(find(volume, region).median_hu - 150) <= 15


def test_other_lesions_are_kept_out():
    other = ph.Ball((0.0, -1.0, -9.0), (9.0, 7.0, 6.0), 20.0)
    volume, region = case(extra=(other,))
    without = ph.outline(volume.geometry, other, label=2)
    told = find(volume, region, lesions=[region, without])
    untold = find(volume, region, lesions=[region])
    assert told.median_hu == pytest.approx(150, abs=5)
    assert told.robust_sd_hu < 10
    assert told.voxels < untold.voxels


def test_a_bone_wider_than_the_reach_is_seen_whole():
    host = ph.Bone(half_width=48.0, half_depth=16.0)
    geometry = ph.grid((3.0, 1.0, 1.0), (21, 64, 124))
    volume = ph.as_volume(ph.array(geometry, ph.paint(host, LESION), samples=2), geometry, noise_hu=10.0)
    assert abs(find(volume, ph.outline(geometry, LESION)).median_hu - 150) <= 15


def test_no_bone_no_reference():
    volume, region = case(host=ph.Bone(half_width=1.0, half_depth=1.0, half_height=0.1, cortex_mm=0.5))
    assert find(volume, region) is None


def test_an_enhanced_vessel_is_not_bone():
    vessel = ph.Ball((0.0, -1.0, 4.0), (60.0, 14.0, 14.0), 320.0)
    volume, region = case(host=ph.Bone(half_width=1.0, half_depth=1.0, half_height=0.1, cortex_mm=0.5), extra=(vessel,))
    assert find(volume, region) is None


def test_diffuse_sclerosis_leaves_no_reference():
    volume, region = case(host=ph.Bone(trabecular_hu=650.0, cortex_hu=700.0))
    assert find(volume, region) is None


def test_a_given_mask_is_taken_as_it_is_minus_padding():
    array = np.full((6, 20, 20), 120, dtype=np.int16)
    array[:, :, 10:] = 500
    array[:, :2, :] = -2000
    volume = Volume(
        array=array,
        geometry=ph.grid((2.0, 1.0, 1.0), (12, 20, 20)),
        unit=Unit.HU,
        modality=Modality.CT,
        padding=-2000.0,
    )
    lesion = block(volume, np.s_[2:4, 8:12, 2:6])
    mask = Mask(geometry=volume.geometry, regions=(block(volume, np.s_[:, 0:8, 0:8], label=7),))
    found = find(volume, lesion, reference_mask=mask)
    assert found == ReferenceBone(
        source=GIVEN_MASK, median_hu=120.0, robust_sd_hu=0.0, mean_hu=120.0, sd_hu=0.0, voxels=6 * 6 * 8
    )


@pytest.mark.parametrize(("voxels", "valid"), [(99, False), (100, True), (101, True)])
def test_too_few_voxels_are_no_reference(voxels, valid):
    volume, lesion = case()
    array = np.zeros(volume.geometry.shape, dtype=bool)
    array.reshape(-1)[:voxels] = True
    mask = Mask(geometry=volume.geometry, regions=(Region.from_array(array, label=1),))
    assert (find(volume, lesion, reference_mask=mask) is not None) is valid


def test_a_given_mask_is_never_replaced_by_a_guess():
    volume, lesion = case()
    assert find(volume, lesion) is not None
    assert find(volume, lesion, reference_mask=Mask(geometry=volume.geometry)) is None


def test_a_mask_in_another_frame_is_refused():
    volume, lesion = case()
    here = replace(volume, geometry=replace(volume.geometry, frame_of_reference_uid="1.2.3"))
    elsewhere = Mask(geometry=replace(volume.geometry, frame_of_reference_uid="1.2.4"), regions=(lesion,))
    with pytest.raises(MaskError, match="different frames of reference"):
        find(here, lesion, reference_mask=elsewhere)


def test_only_hounsfield_units():
    volume, lesion = case()
    with pytest.raises(UnitError, match="density needs HU"):
        find(replace(volume, unit=Unit.ARBITRARY), lesion)


def two_bones(lesion_in_first: bool):
    """Two labelled blocks side by side, 140 and 180 HU, cortex 600; the lesion in the first, or filling it."""
    array = np.full((10, 40, 60), 50.0, dtype=np.float32)
    labels = np.zeros(array.shape, dtype=np.uint8)
    for label, hu, columns in ((1, 140.0, slice(4, 28)), (2, 180.0, slice(32, 56))):
        array[:, 8:32, columns] = 600.0
        array[:, 10:30, columns.start + 2 : columns.stop - 2] = hu
        labels[:, 8:32, columns] = label
    geometry = Geometry.from_axes(shape=array.shape, spacing_mm=(2.0, 1.0, 1.0), origin_mm=(0, 0, 0))
    volume = Volume(array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT)
    lesion = block(volume, np.s_[3:6, 12:18, 8:14] if lesion_in_first else np.s_[:, 9:31, 5:27])
    return volume, lesion, Mask.from_label_map(labels, geometry)


def test_the_lesions_own_labelled_bone_comes_first():
    volume, lesion, bones = two_bones(lesion_in_first=True)
    found = find(volume, lesion, bone_map=bones)
    assert (found.source, found.median_hu, found.robust_sd_hu) == (LABELLED_BONE, pytest.approx(140.0), 0.0)


def test_a_bone_full_of_lesion_leaves_it_to_the_neighbour():
    volume, lesion, bones = two_bones(lesion_in_first=False)
    found = find(volume, lesion, bone_map=bones)
    assert (found.source, found.median_hu) == (LABELLED_BONE, pytest.approx(180.0))


def test_a_neighbour_with_a_lesion_is_not_uninvolved():
    volume, lesion, bones = two_bones(lesion_in_first=False)
    second = block(volume, np.s_[4:6, 20:22, 50:52], label=2)
    assert find(volume, lesion, lesions=[lesion, second], bone_map=bones) is None


def test_soft_tissue_enclosed_between_bones_and_a_lesion_is_not_bone():
    volume, lesion, _ = two_bones(lesion_in_first=False)
    found = find(volume, lesion, lesions=[lesion, block(volume, np.s_[4:6, 20:22, 50:52], label=2)])
    assert found is None


def test_a_map_without_bone_nearby_leaves_it_to_the_image():
    volume, lesion = case()
    far = Mask(geometry=volume.geometry, regions=(block(volume, np.s_[0:1, 0:2, 0:2]),))
    assert find(volume, lesion, bone_map=far).source == AROUND_LESION


# --- real bone ----------------------------------------------------------------------------------------------------


def nifti(path: Path):
    """(values plane, row, column; geometry), turned to head, back, left."""
    nib = pytest.importorskip("nibabel")
    image = nib.load(path)
    turn = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(image.affine), nib.orientations.axcodes2ornt(("L", "P", "S"))
    )
    image = image.as_reoriented(turn)
    affine = (np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine)[:, [2, 1, 0, 3]]
    values = np.asanyarray(image.dataobj).transpose(2, 1, 0)
    return values, Geometry(shape=values.shape, affine=affine)


def thoracic(data: Path):
    """T12 of a trunk CT as DICOM, its labels, and a place inside it."""
    pydicom = pytest.importorskip("pydicom")
    files = [pydicom.dcmread(path) for path in sorted((data / "ct_totalseg" / "example_ct_dicom").iterdir())]
    files.sort(key=lambda file: file.ImagePositionPatient[2])
    first = files[0]
    values = np.stack([f.pixel_array * float(f.RescaleSlope) + float(f.RescaleIntercept) for f in files])
    geometry = Geometry.from_axes(
        shape=values.shape,
        spacing_mm=(files[1].ImagePositionPatient[2] - first.ImagePositionPatient[2], *first.PixelSpacing),
        origin_mm=[float(x) for x in first.ImagePositionPatient],
    )
    labels, grid = nifti(data / "ct_totalseg" / "example_seg_dicom.nii.gz")
    bones = Mask.from_label_map(labels, grid).on_grid(geometry)
    return values, geometry, bones, (8, 332, 238)


def lumbar(data: Path):
    """L3 of a noisy, osteopenic CT crop."""
    folder = data / "spine_tptbox" / "sample_ct"
    values, geometry = nifti(folder / "sub-ct_label-22_ct.nii.gz")
    labels, grid = nifti(folder / "sub-ct_seg-vert_label-22_msk.nii.gz")
    return values, geometry, Mask.from_label_map(labels, grid).on_grid(geometry), (26, 14, 38)


@pytest.mark.real
@pytest.mark.parametrize(("vertebra", "tolerance_hu"), [(thoracic, 15.0), (lumbar, 15.0)])
@pytest.mark.parametrize("lesion_hu", [0.0, 700.0])
def test_real_vertebrae(real_data, vertebra, tolerance_hu, lesion_hu):
    values, geometry, bones, centre = vertebra(real_data)
    steps = (np.indices(geometry.shape).T - centre) * geometry.spacing_mm
    ball = (np.linalg.norm(steps, axis=-1) < 10).T
    truth = np.median(values[ball])
    volume = Volume(
        array=np.where(ball, lesion_hu, values).astype(np.float32),
        geometry=geometry,
        unit=Unit.HU,
        modality=Modality.CT,
    )
    region = Region.from_array(ball, label=1)
    assert abs(find(volume, region).median_hu - truth) <= tolerance_hu
    labelled = find(volume, region, bone_map=bones)
    assert labelled.source == LABELLED_BONE
    assert abs(labelled.median_hu - truth) <= 15
