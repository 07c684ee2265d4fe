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
    volume = Volume(array=phantom.volume.array, geometry=GRID, unit=Unit.ARBITRARY, modality=Modality.MR)
    with pytest.raises(UnitError):
        mda.measure_lesion(volume, phantom.mask, label=3)
