"""A real whole-body scan seen twice: the second time moved, counted anew, at 0.8 of the counts, with foci put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from mdanderson.measure.skeleton import bone_scan_index, survey_scan
from mdanderson.measure.uptake import measure_uptake
from mdanderson.measure.uptake_reference import MIRRORED, find_uptake_reference
from mdanderson.planar import PlanarImage
from mdanderson.registration import register
from mdanderson.registration.plane_fit import apply_motion, inverse_motion, matrix_of
from mdanderson.settings import ImageSettings, Scintigraphy
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Mask, Region, Unit

pytestmark = pytest.mark.real

SETTINGS, IMAGE = Scintigraphy(), ImageSettings()
PIXEL_MM = 2.26
MOTIONS = {
    "shifted": (9.0, -22.6, 0.0),
    "turned": (-12.0, 31.0, 3.0),
    "turned back": (20.0, -8.0, -4.0),
}
SITES = {"rib": (-62.0, -520.0), "femur": (-64.0, -1180.0), "tibia": (78.0, -1640.0)}
"""x and z mm: places with another side."""


@pytest.fixture(scope="module")
def counts(real_data):
    return pydicom.dcmread(real_data / "bone_scan_wg04" / "NM1_RLE").pixel_array.astype(float)


def slab(array):
    return PlanarImage(
        array=array,
        spacing_mm=(PIXEL_MM, PIXEL_MM),
        unit=Unit.COUNTS,
        modality=Modality.NM,
        view=View.ANT,
    ).as_slab()


def again(counts, motion, *, foci=(), scale=1.0, seed=0):
    """The scan as counted on another day: the real counts, smoothed by 3 mm, moved, with foci, and Poisson noise."""
    smooth = np.maximum(ndimage.gaussian_filter(counts, 3.0 / PIXEL_MM), 0.0)
    for (x, z), radius_mm, added in foci:
        smooth = smooth + added * disc((x, z), radius_mm, smooth.shape)
    geometry = slab(counts).geometry
    index = np.stack(np.meshgrid([0], *(np.arange(n) for n in counts.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    places = geometry.to_lps(index)[:, [0, 2]].T
    back = apply_motion(inverse_motion(np.array([*motion[:2], np.deg2rad(motion[2])])), places)
    source = geometry.to_voxel(np.stack([back[0], np.zeros_like(back[0]), back[1]], axis=1))[:, 1:].T
    expected = ndimage.map_coordinates(smooth, source, order=1).reshape(counts.shape)
    return slab(np.random.default_rng(seed).poisson(expected) * scale), expected * scale


def disc(place, radius_mm, shape):
    geometry = slab(np.zeros(shape)).geometry
    _, row, column = np.meshgrid([0], *(np.arange(n) for n in shape), indexing="ij")
    points = geometry.to_lps(np.stack([np.zeros_like(row), row, column], axis=-1))[0]
    return np.hypot(points[..., 0] - place[0], points[..., 2] - place[1]) <= radius_mm


@pytest.mark.parametrize("motion", MOTIONS.values(), ids=MOTIONS)
@pytest.mark.parametrize("foci", [(), tuple((place, 8.0, 90.0) for place in SITES.values())], ids=["same", "new foci"])
def test_the_motion_is_found_to_a_pixel(counts, motion, foci):
    later, _ = again(counts, motion, foci=foci, scale=0.8)
    found = register(slab(counts), later, settings=IMAGE)
    truth = matrix_of(np.array([*motion[:2], np.deg2rad(motion[2])]))
    points = np.array([[x, 0.0, z] for x in (-100, 0, 100) for z in range(-1900, -200, 100)], dtype=float)
    off = np.linalg.norm(found.to_follow_up(points) - (points @ truth[:3, :3].T + truth[:3, 3]), axis=1)
    assert found.trusted, found.why
    assert off.max() < PIXEL_MM
    assert found.error_mm < 3.0


def test_left_and_right_swapped_is_not_trusted(counts):
    assert not register(slab(counts), slab(counts[:, ::-1].copy()), settings=IMAGE).trusted


@pytest.mark.parametrize("site", SITES)
def test_a_focus_of_twice_the_counts_reads_twice_within_the_noise(counts, site):
    place = SITES[site]
    inside = disc(place, 8.0, counts.shape)
    region = Region.from_array(inside[None], label=1)
    assert region is not None
    local = float(ndimage.gaussian_filter(counts, 3.0 / PIXEL_MM)[inside].mean())
    first, survey, off = None, None, []
    for visit in range(12):  # adds 2, then 5 times what is there: 3 and 6 times, each visit by its own noise
        pair = []
        for share in (2.0, 5.0):
            foci = ((place, 8.0, share * local),)
            later, _ = again(counts, (0.0, 0.0, 0.0), foci=foci, scale=0.8, seed=1000 + 20 * visit + int(share))
            survey = survey or survey_scan(later, lesions=(region,), settings=SETTINGS)
            carried = None if first is None else first.region
            reference = find_uptake_reference(
                later, region, neighbours=(), survey=survey, like=first, carried=carried, settings=SETTINGS
            )
            assert reference.source == MIRRORED
            first = first or reference
            pair.append(measure_uptake(later, region, reference))
        change = pair[1].ratio / pair[0].ratio
        off.append((change - 2.0) / (2.0 * np.hypot(*(one.ratio_sd / one.ratio for one in pair))))
    assert abs(np.mean(off)) < 3 / np.sqrt(len(off))
    assert np.mean(np.square(off)) < 2.2  # as 99 of 100 mean squares of twelve standard normal numbers are


def test_the_scan_as_a_whole(counts):
    survey = survey_scan(slab(counts), settings=SETTINGS)
    assert survey.counts_per_event == pytest.approx(1.0, abs=0.05)
    assert not survey.superscan
    assert 1.5 < survey.contrast < 3.0


def test_the_share_of_the_skeleton(counts):
    inside = disc(SITES["femur"], 10.0, counts.shape)
    region = Region.from_array(inside[None], label=1)
    assert region is not None
    found = bone_scan_index([(slab(counts), (region,))])
    assert 0.0 < found.percent < 1.0
    assert Mask(geometry=slab(counts).geometry, regions=(region,))[1] is region


def test_half_of_the_counts_is_the_same_scan(counts):
    whole = survey_scan(slab(counts), settings=SETTINGS)
    half = survey_scan(replace(slab(counts), array=counts[None] * 0.5), settings=SETTINGS)
    np.testing.assert_array_equal(whole.skeleton, half.skeleton)
    assert half.contrast == whole.contrast
