"""Every measurement of one lesion, as a user's script calls it."""

from __future__ import annotations

import numpy as np
import pytest

import mdanderson as mda
from mdanderson.errors import MaskError, UnitError
from mdanderson.geometry import Geometry
from mdanderson.phantoms import LesionSpec, SyntheticVertebrae, render
from mdanderson.vocabulary import LesionType, Modality
from mdanderson.volume import Mask, Unit, Volume

GRID = Geometry.from_axes(shape=(24, 76, 80), spacing_mm=(1.5, 1.2, 1.2), origin_mm=(-48, -46, -35))


@pytest.fixture(scope="module")
def phantom():
    lesion = LesionSpec(label=3, centre_mm=(0.0, -1.0, -16.0), semi_axes_mm=(9.0, 7.5, 7.0))
    return render(SyntheticVertebrae(), [lesion], GRID, noise_hu=10.0, seed=4)


def test_one_call_measures_size_density_and_bone(phantom):
    measured = mda.measure_lesion(phantom.volume, phantom.mask, label=3)
    assert abs(float(measured.diameters.long_axis_mm) - 18.0) < 0.6
    assert abs(float(measured.diameters.short_axis_mm) - 15.0) < 0.6
    assert abs(measured.volume_ml - phantom.truths[0].volume_ml) < 0.1
    assert measured.lesion_type is LesionType.LYTIC
    assert abs(measured.reference.median_hu - 150.0) < 15.0
    assert measured.density.mean_hu < 80.0
    assert not measured.touches_edge


def test_a_mask_on_another_grid_is_brought_over(phantom):
    fine = Geometry.from_axes(shape=(48, 152, 160), spacing_mm=(0.75, 0.6, 0.6), origin_mm=(-48.3, -46.3, -35.375))
    measured = mda.measure_lesion(phantom.volume, phantom.mask.on_grid(fine), label=3)
    assert abs(float(measured.diameters.long_axis_mm) - 18.0) < 1.2


def test_without_bone_there_is_size_and_no_class():
    voxels = np.zeros(GRID.shape, dtype=np.uint8)
    voxels[8:14, 30:40, 30:40] = 1
    volume = Volume(array=np.full(GRID.shape, 40, np.int16), geometry=GRID, unit=Unit.HU, modality=Modality.CT)
    measured = mda.measure_lesion(volume, Mask.from_label_map(voxels, GRID))
    assert measured.reference is None
    assert measured.lesion_type is None
    assert measured.density.lytic_fraction is None
    assert float(measured.diameters.long_axis_mm) > 12.0


def test_an_absent_label_is_named(phantom):
    with pytest.raises(MaskError, match="no label 9"):
        mda.measure_lesion(phantom.volume, phantom.mask, label=9)


def test_an_image_without_hounsfield_units_is_refused(phantom):
    volume = Volume(array=phantom.volume.array, geometry=GRID, unit=Unit.ARBITRARY, modality=Modality.CT)
    with pytest.raises(UnitError):
        mda.measure_lesion(volume, phantom.mask, label=3)


# --- the edge of the field of view ----------------------------------------------------------------------------------


def boxed(*, padding: float | None, unseen, dtype=np.int16, lesion=(slice(6, 10), slice(20, 30), slice(30, 40))):
    """A lesion in soft tissue where the voxels of `unseen` were never imaged."""
    array = np.full(GRID.shape, 40, dtype=dtype)
    array[unseen] = np.nan if padding is None else padding
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    labels[lesion] = 1
    volume = Volume(array=array, geometry=GRID, unit=Unit.HU, modality=Modality.CT, padding=padding)
    return mda.measure_lesion(volume, Mask.from_label_map(labels, GRID))


WHOLE = slice(None)
SIX_SIDES = [
    (slice(0, 6), WHOLE, WHOLE),
    (slice(10, None), WHOLE, WHOLE),
    (WHOLE, slice(0, 20), WHOLE),
    (WHOLE, slice(30, None), WHOLE),
    (WHOLE, WHOLE, slice(0, 30)),
    (WHOLE, WHOLE, slice(40, None)),
]
ONE_VOXEL_AWAY = [
    (slice(0, 5), WHOLE, WHOLE),
    (slice(11, None), WHOLE, WHOLE),
    (WHOLE, slice(0, 19), WHOLE),
    (WHOLE, slice(31, None), WHOLE),
    (WHOLE, WHOLE, slice(0, 29)),
    (WHOLE, WHOLE, slice(41, None)),
]


@pytest.mark.parametrize("unseen", SIX_SIDES)
def test_a_lesion_next_to_voxels_that_were_never_imaged_is_cut_by_the_edge(unseen):
    measured = boxed(padding=-2000, unseen=unseen)
    assert (measured.touches_edge, measured.has_nan) == (True, False)


@pytest.mark.parametrize("unseen", [*SIX_SIDES, (7, 25, 35)])
def test_one_in_or_next_to_nan_is_told_from_that(unseen):
    measured = boxed(padding=None, unseen=unseen, dtype=np.float32)
    assert (measured.touches_edge, measured.has_nan) == (False, True)


@pytest.mark.parametrize("unseen", ONE_VOXEL_AWAY)
def test_a_voxel_between_them_is_enough(unseen):
    assert not boxed(padding=-2000, unseen=unseen).touches_edge
    assert not boxed(padding=None, unseen=unseen, dtype=np.float32).has_nan


def test_a_corner_is_no_border():
    assert not boxed(padding=-2000, unseen=(slice(0, 6), slice(0, 20), WHOLE)).touches_edge


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("side", [0, -1])
def test_a_lesion_on_the_last_voxels_of_the_grid_is_cut_by_the_edge(axis, side):
    lesion = [slice(6, 10), slice(20, 30), slice(30, 40)]
    lesion[axis] = slice(0, 4) if side == 0 else slice(GRID.shape[axis] - 4, None)
    assert boxed(padding=-2000, unseen=(WHOLE, 0, 0), lesion=tuple(lesion)).touches_edge
