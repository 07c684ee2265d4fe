"""Reference marrow: order of choice, every reason for having none, and what gain and field leave of the ratio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdanderson.errors import MaskError, SettingsError
from mdanderson.measure.bias import corrected
from mdanderson.measure.signal import measure_signal
from mdanderson.measure.signal_reference import (
    AROUND_LESION,
    GIVEN_MASK,
    OWN_BONE,
    UNINVOLVED_BONE,
    NoReference,
    SignalReference,
    find_signal_reference,
)
from mdanderson.phantoms import LesionSpec, Phantom, centred_grid, rigid_motion
from mdanderson.phantoms.mr import MrScan, MrSpine, bias_field, render_mr
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Mask, Region, Unit

SETTINGS = Settings()
GRID = centred_grid((4.0, 1.5, 1.5), (104, 135, 120), centre_mm=(0.0, 10.0, 0.0))
LATER = centred_grid((5.0, 2.0, 2.0), (140, 240, 240), centre_mm=(3.0, -30.0, 2.0))
MOVED = rigid_motion(rotation_deg=(2.0, -1.0, 3.0), shift_mm=(3.0, -2.0, 1.5))
LESION = LesionSpec(label=1, centre_mm=(1.0, -1.0, 0.0), semi_axes_mm=(8.0, 7.0, 6.0))
FILLING = replace(LESION, centre_mm=(0.0, 0.0, 0.0), semi_axes_mm=(22.0, 16.5, 12.0))


def scene(sequence=MrSequence.T1, ratio=0.5, lesion=LESION, *, texture=0.06, scan=None) -> Phantom:
    spine = MrSpine(sequence=sequence, texture=texture)
    return render_mr(spine, [lesion], [ratio], GRID, scan=scan or MrScan(snr=25, seed=4))


@pytest.fixture(scope="module")
def t1() -> Phantom:
    return scene()


@pytest.fixture(scope="module")
def bones() -> Mask:
    return MrSpine().bone_map(GRID)


def find(phantom: Phantom, *, neighbours=(), settings=SETTINGS, **masks):
    region = phantom.mask[1]
    return find_signal_reference(phantom.volume, region, neighbours=neighbours, settings=settings, **masks)


def only(bones: Mask, *labels: int) -> Mask:
    return replace(bones, regions=tuple(bones[label] for label in labels))


def test_the_nearest_uninvolved_bones_together(t1, bones):
    found = find(t1, bone_map=bones)
    assert found.source == UNINVOLVED_BONE
    assert found.median == pytest.approx(600.0, rel=0.02)
    assert found.voxels == pytest.approx(find(t1, bone_map=only(bones, 2, 3, 4)).voxels, abs=0)
    assert 0.02 * 600 < found.robust_sd < 0.12 * 600


def test_a_bone_with_a_lesion_of_its_own_is_passed_over(t1, bones):
    neighbour = render_mr(MrSpine(), [replace(LESION, centre_mm=(0.0, 0.0, 32.0))], [0.5], GRID).mask[1]
    found = find(t1, bone_map=only(bones, 3, 4), neighbours=[neighbour])
    assert found.source == OWN_BONE
    assert find(t1, bone_map=only(bones, 2, 3, 4), neighbours=[neighbour]).source == UNINVOLVED_BONE


def test_the_rest_of_its_own_bone_where_no_other_is_labelled(t1, bones):
    found = find(t1, bone_map=only(bones, 3))
    assert found.source == OWN_BONE
    assert found.median == pytest.approx(600.0, rel=0.03)


def test_a_lesion_that_leaves_too_little_of_the_only_labelled_bone_has_no_reference(t1, bones):
    plenty = Settings.from_mapping({"mr": {"reference_minimum_voxels": 100_000}})
    found = find(t1, bone_map=only(bones, 3), settings=plenty)
    assert isinstance(found, NoReference)
    assert OWN_BONE in found.why
    assert "too few" in found.why


def test_a_given_mask_is_taken_as_it_is_muscle_too(t1, bones):
    muscle = np.zeros(GRID.shape, dtype=bool)
    x, y = 42.0, 2.0
    plane, row, column = np.rint(GRID.to_voxel((x, y, 0.0))).astype(int)
    muscle[plane - 3 : plane + 4, row - 4 : row + 5, column - 4 : column + 5] = True
    mask = Mask(geometry=GRID, regions=(Region.from_array(muscle, label=7),))
    found = find(t1, reference_mask=mask, bone_map=bones)
    assert found.source == GIVEN_MASK
    assert found.median == pytest.approx(340.0, rel=0.02)
    assert found.voxels == 567


@pytest.mark.parametrize(("least", "enough"), [(566, True), (567, True), (568, False)])
def test_too_few_voxels_are_no_reference(t1, least, enough):
    block = np.zeros(GRID.shape, dtype=bool)
    block[10:17, 40:49, 50:59] = True
    mask = Mask(geometry=GRID, regions=(Region.from_array(block, label=1),))
    settings = Settings.from_mapping({"mr": {"reference_minimum_voxels": least}})
    found = find(t1, reference_mask=mask, settings=settings)
    assert isinstance(found, SignalReference) is enough
    if not enough:
        assert found.why == "given mask: 567 voxels are too few for a reference"


def test_an_empty_given_mask_is_never_replaced_by_a_guess(t1, bones):
    found = find(t1, reference_mask=Mask(geometry=GRID), bone_map=bones)
    assert found == NoReference(why="given mask: 0 voxels are too few for a reference")


def test_a_reference_without_signal_is_none(t1, bones):
    dark = replace(t1, volume=replace(t1.volume, array=np.zeros(GRID.shape, dtype=np.float32)))
    assert "no signal" in find(dark, bone_map=bones).why


def test_a_bone_map_of_another_space_is_refused(t1, bones):
    elsewhere = replace(bones, geometry=replace(GRID, frame_of_reference_uid="1.2"))
    here = replace(t1, volume=replace(t1.volume, geometry=replace(GRID, frame_of_reference_uid="3.4")))
    with pytest.raises(MaskError, match="different frames of reference"):
        find(here, bone_map=elsewhere)


@pytest.mark.parametrize(
    ("sequence", "ratio"), [(MrSequence.T1, 0.5), (MrSequence.T1, 1.0), (MrSequence.T2, 1.8), (MrSequence.STIR, 2.5)]
)
def test_marrow_round_the_lesion_is_found_in_the_image(sequence, ratio):
    phantom = scene(sequence, ratio)
    found = find(phantom)
    assert isinstance(found, SignalReference), found
    assert found.source == AROUND_LESION
    assert found.median == pytest.approx(MrSpine(sequence=sequence).signals.marrow, rel=0.06)


@pytest.mark.parametrize(("sequence", "ratio"), [(MrSequence.T1, 0.5), (MrSequence.STIR, 2.5)])
def test_a_lesion_that_leaves_no_marrow_beside_it_has_no_reference(sequence, ratio):
    found = find(scene(sequence, ratio, FILLING))
    assert isinstance(found, NoReference)
    assert "no bone map" in found.why


def test_a_lesion_in_muscle_is_not_compared_with_muscle_in_t1():
    aside = replace(LESION, centre_mm=(0.0, 55.0, -16.0), semi_axes_mm=(5.0, 4.0, 5.0))
    found = find(scene(lesion=replace(aside, centre_mm=(45.0, 32.0, 0.0)), ratio=0.5))
    assert isinstance(found, NoReference)
    assert "no bone map" in found.why


def test_nothing_imaged_beside_the_lesion(t1):
    array = np.full(GRID.shape, np.nan, dtype=np.float32)
    region = t1.mask[1]
    array[region.box][region.voxels] = 300.0
    blind = replace(t1, volume=replace(t1.volume, array=array))
    assert "imaged well enough" in find(blind).why


@pytest.mark.parametrize(
    ("sequence", "ratio", "low", "high"),
    [
        (MrSequence.T1, 0.6, 0.0, 0.8),
        (MrSequence.T1, 1.0, 0.8, 1.2),
        (MrSequence.STIR, 1.0, 0.0, 1.2),
        (MrSequence.STIR, 1.8, 1.2, 9.0),
    ],
)
def test_gain_and_field_at_the_next_visit_turn_no_category(sequence, ratio, low, high):
    spine = MrSpine(sequence=sequence, texture=0.0)
    bones = spine.bone_map(LATER, MOVED)
    clean = render_mr(spine, [LESION], [ratio], LATER, motion=MOVED)
    for field in (None, "slope", "dome"):
        shaded = 1.3 * clean.volume.array * bias_field(LATER, field, depth=0.3)
        image = corrected(replace(clean.volume, array=shaded.astype(np.float32)), settings=SETTINGS)
        found = find(replace(clean, volume=image), bone_map=bones)
        measured = measure_signal(image, clean.mask[1], found, settings=SETTINGS)
        assert low < measured.ratio < high, field
        assert measured.ratio == pytest.approx(ratio, rel=0.125), field  # worst of decision 21: +12.4 %, dome


def test_adc_phantom_keeps_its_values_under_gain_and_field():
    loud = scene(MrSequence.ADC, 2.0, texture=0.0, scan=MrScan(gain=1.3, bias="dome"))
    assert loud.volume.unit is Unit.ADC
    assert loud.volume.modality is Modality.MR
    assert np.median(loud.volume.array[loud.mask[1].box][loud.mask[1].voxels]) == pytest.approx(900.0, rel=0.01)


def test_impossible_phantoms_are_refused():
    with pytest.raises(SettingsError, match="impossible spine"):
        MrSpine(vertebrae=4)
    with pytest.raises(SettingsError, match="1 lesions, ratios"):
        render_mr(MrSpine(), [LESION], [], GRID)
