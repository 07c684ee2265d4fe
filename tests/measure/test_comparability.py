"""Whether two images show density alike: differences below, at and above their limits; metal, cement, thick planes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import UnitError
from mdanderson.geometry import Geometry
from mdanderson.measure.comparability import (
    Difference,
    acquisition_differences,
    cement_share,
    has_metal_near,
    is_too_thin,
)
from mdanderson.readers import read_volume
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Region, Unit, Volume

SETTINGS = ImageSettings()
PLAIN = {"kvp": "120", "kernel": "B40f", "slice_thickness_mm": "3", "scanner": "S", "contrast_agent": "unknown"}


def differences(then, now, **changed):
    return acquisition_differences(then, now, settings=replace(SETTINGS, **changed))


def image(hu=100.0, shape=(6, 60, 60), spacing_mm=(2.0, 1.0, 1.0), **fields) -> Volume:
    geometry = Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=(0, 0, 0))
    array = np.full(shape, hu, dtype=np.float32)
    return Volume(array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT, **fields)


def painted(volume: Volume, where, hu: float) -> Volume:
    array = volume.array.copy()
    array[where] = hu
    return replace(volume, array=array)


def block(volume: Volume, where) -> Region:
    array = np.zeros(volume.geometry.shape, dtype=bool)
    array[where] = True
    return Region.from_array(array, label=1)


# --- how the images were made -------------------------------------------------------------------------------------


def test_images_of_one_protocol_do_not_differ():
    assert differences(PLAIN, PLAIN) == ()


@pytest.mark.parametrize("missing", [{}, {"corrected": "tilt"}])
def test_what_no_header_states_is_no_difference(missing):
    """NIfTI states nothing."""
    assert differences(missing, PLAIN | {"contrast_agent": "yes"}) == ()
    assert differences(PLAIN | {"contrast_agent": "yes"}, missing) == ()


@pytest.mark.parametrize(
    ("then", "now", "what"),
    [
        ("unknown", "yes", "contrast agent given now, not then"),
        ("no", "yes", "contrast agent given now, not then"),
        ("yes", "unknown", "contrast agent given then, not now"),
        ("yes", "no", "contrast agent given then, not now"),
    ],
)
def test_a_contrast_agent_at_one_visit_alone_spoils(then, now, what):
    found = differences(PLAIN | {"contrast_agent": then}, PLAIN | {"contrast_agent": now})
    assert found == (Difference(what=what, spoils=True),)


@pytest.mark.parametrize(("then", "now"), [("yes", "yes"), ("no", "unknown"), ("unknown", "no"), ("no", "no")])
def test_the_same_contrast_at_both_visits_does_not(then, now):
    assert differences(PLAIN | {"contrast_agent": then}, PLAIN | {"contrast_agent": now}) == ()


@pytest.mark.parametrize(
    ("kvp", "spoils"), [("139", False), ("140", False), ("141", True), ("80", True), ("100", False)]
)
def test_tube_voltage_below_at_and_above_its_limit(kvp, spoils):
    (found,) = differences(PLAIN, PLAIN | {"kvp": kvp})
    assert found == Difference(what=f"tube voltage 120 kV, now {kvp} kV", spoils=spoils)


@pytest.mark.parametrize(("mm", "told"), [("4.49", False), ("4.5", True), ("4.51", True), ("2", True), ("2.01", False)])
def test_slice_thickness_below_at_and_above_its_limit(mm, told):
    found = differences(PLAIN, PLAIN | {"slice_thickness_mm": mm})
    assert found == ((Difference(what=f"slices of 3 mm, now {mm} mm", spoils=False),) if told else ())


@pytest.mark.parametrize(
    ("key", "what"), [("kernel", "reconstruction kernel B40f, now B70f"), ("scanner", "scanner model S, now B70f")]
)
def test_kernel_and_scanner_are_told_and_spoil_nothing(key, what):
    assert differences(PLAIN, PLAIN | {key: "B70f"}) == (Difference(what=what, spoils=False),)


@pytest.mark.parametrize("nonsense", ["", "auto", "0", "-120", "nan"])
def test_a_voltage_that_is_no_number_is_not_stated(nonsense):
    assert differences(PLAIN, PLAIN | {"kvp": nonsense}) == ()


FACTS = st.fixed_dictionaries(
    {},
    optional={
        "kvp": st.sampled_from(["80", "100", "120", "x"]),
        "kernel": st.sampled_from(["a", "b"]),
        "slice_thickness_mm": st.sampled_from(["1", "3", "5"]),
        "contrast_agent": st.sampled_from(["yes", "no", "unknown"]),
    },
)


@given(FACTS, FACTS)
def test_differences_do_not_depend_on_which_image_came_first(one, other):
    there, back = differences(one, other), differences(other, one)
    assert [difference.spoils for difference in there] == [difference.spoils for difference in back]
    assert differences(one, one) == ()


# --- metal --------------------------------------------------------------------------------------------------------

LESION = np.s_[2:4, 20:24, 20:24]


@pytest.mark.parametrize(("hu", "found"), [(2499.0, False), (2500.0, True), (2501.0, True)])
def test_metal_below_at_and_above_its_density(hu, found):
    volume = painted(image(), np.s_[2:4, 20:24, 30:34], hu)
    assert has_metal_near(volume, block(volume, LESION), settings=SETTINGS) is found


@pytest.mark.parametrize(("column", "found"), [(42, True), (43, True), (44, False)])
def test_metal_below_at_and_above_its_reach(column, found):
    """The lesion ends at column 23; the centre of column 43 is 20 mm away."""
    volume = painted(image(), np.s_[2:4, 20:24, column : column + 4], 3000.0)
    assert has_metal_near(volume, block(volume, LESION), settings=SETTINGS) is found


@pytest.mark.parametrize(("voxels", "found"), [(4, False), (5, True)])
def test_a_bright_voxel_is_no_metal(voxels, found):
    """Voxels of 2 mm3; metal is 10 mm3 at least."""
    volume = painted(image(), np.s_[2:3, 20:21, 30 : 30 + voxels], 3000.0)
    assert has_metal_near(volume, block(volume, LESION), settings=SETTINGS) is found


def test_specks_do_not_add_up_to_metal():
    volume = painted(image(), np.s_[2:4, 20:30:2, 26:40:2], 3000.0)
    assert not has_metal_near(volume, block(volume, LESION), settings=SETTINGS)


def test_metal_in_other_planes_throws_no_streaks_here():
    volume = painted(image(), np.s_[4:6, 20:24, 24:28], 3000.0)
    assert not has_metal_near(volume, block(volume, LESION), settings=SETTINGS)


def test_bright_padding_is_no_metal():
    volume = painted(image(padding=3071.0), np.s_[:, :, 30:], 3071.0)
    assert not has_metal_near(volume, block(volume, LESION), settings=SETTINGS)


# --- cement -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hu", "share"), [(1499.0, 0.0), (1500.0, 0.25), (1501.0, 0.25)])
def test_cement_below_at_and_above_its_density(hu, share):
    volume = painted(image(), np.s_[2:4, 20:24, 20:21], hu)
    assert cement_share(volume, block(volume, LESION), settings=SETTINGS) == share


def test_dense_bone_is_no_cement():
    """Enostoses, the densest bone: 1190 + 239 HU."""
    volume = painted(image(), LESION, 1429.0)
    assert cement_share(volume, block(volume, LESION), settings=SETTINGS) == 0.0


def test_cement_is_a_share_of_what_was_imaged():
    volume = painted(painted(image(padding=-2000.0), np.s_[2:3, 20:24, 20:24], -2000.0), np.s_[3, 20:24, 20], 1800.0)
    assert cement_share(volume, block(volume, LESION), settings=SETTINGS) == 0.25
    unseen = painted(image(padding=-2000.0), LESION, -2000.0)
    assert cement_share(unseen, block(unseen, LESION), settings=SETTINGS) == 0.0


@pytest.mark.parametrize("measure", [has_metal_near, cement_share])
def test_only_hounsfield_units(measure):
    volume = replace(image(), unit=Unit.ARBITRARY)
    with pytest.raises(UnitError, match="density needs HU"):
        measure(volume, block(volume, LESION), settings=SETTINGS)


# --- thick planes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "thin"), [(0.999, False), (1.0, False), (1.001, True)])
def test_planes_across_below_at_and_above_the_limit(factor, thin):
    volume = image()
    region = block(volume, LESION)
    across = np.cbrt(6 / np.pi * 2 * 4 * 4 * 2.0) / 2.0
    settings = replace(
        SETTINGS, density_planes=float(across) * factor if factor != 1.0 else float(np.nextafter(across, 0))
    )
    assert is_too_thin(volume, region, settings=settings) is thin


# --- a metal hip --------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "middle", "found"),
    [
        ("beside the hip that is metal", (10, 60, 82), True),
        ("the other hip", (7, 57, 28), False),
        ("L5", (51, 62, 62), False),
    ],
)
def test_a_real_metal_hip(real_data, name, middle, found):
    path = real_data / "ct_totalseg" / "example_ct.nii.gz"
    volume = read_volume(path, modality=Modality.CT, date=dt.date(2024, 1, 1))
    plane, row, column = middle
    region = block(volume, np.s_[plane - 2 : plane + 3, row - 2 : row + 3, column - 2 : column + 3])
    assert has_metal_near(volume, region, settings=SETTINGS) is found, name
    assert cement_share(volume, region, settings=SETTINGS) == 0.0
