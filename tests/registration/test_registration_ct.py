"""Registration: an analytic trunk imaged twice, on other grids and after a known motion; pairs that do not belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from mdanderson.errors import GeometryError
from mdanderson.geometry import Geometry
from mdanderson.registration import Registration, register
from mdanderson.registration.scene import Scene
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

SETTINGS = ImageSettings()
LESIONS = ((2.0, 55.0, -10.0, 8.0, 30.0), (5.0, 50.0, 45.0, 7.0, 700.0), (85.0, 20.0, -75.0, 9.0, 30.0))
"""x, y, z, radius mm, HU."""
GROWN = ((2.0, 55.0, -10.0, 12.0, 300.0), (5.0, 50.0, 45.0, 5.0, 250.0), (85.0, 20.0, -75.0, 14.0, 800.0))
SITES = np.array([lesion[:3] for lesion in LESIONS])


def trunk_hu(points, *, lesions=LESIONS, size=1.0, period_mm=30.0):
    """(n, 3) LPS mm -> (n,) HU: skin, muscle, lungs, a spine of uneven vertebrae, ribs, hip bones, lesions."""
    x, y, z = points.T / size
    hu = np.where((x / 150) ** 2 + (y / 105) ** 2 < 1, -90.0, -1000.0)
    hu[(x / 138) ** 2 + (y / 92) ** 2 < 1] = 45
    for side in (-65, 65):
        hu[((x - side) / 45) ** 2 + ((y + 10) / 60) ** 2 + ((z - 60) / 90) ** 2 < 1] = -850
    spine_x, spine_y = 4 * np.sin(z / 70), 55 + 8 * np.sin(z / 90)
    height = period_mm * np.random.default_rng(7).uniform(0.85, 1.15, 40)
    ends = np.cumsum(height) - 500
    k = np.clip(np.searchsorted(ends, z), 1, 39)
    within = (z - ends[k - 1]) / height[k]
    radius = 14 + 0.02 * ends[k] + 0.07 * height[k]
    apart = np.hypot(x - spine_x, (y - spine_y) / 0.8)
    body = (apart < radius) & (within > 0.1) & (within < 0.9)
    hu[body] = 170
    hu[body & ((apart > radius - 2) | (within < 0.17) | (within > 0.83))] = 450
    behind = y - spine_y
    hu[(np.abs(x - spine_x) < 4) & (behind > 18) & (behind < 42) & (within > 0.3) & (within < 0.7)] = 400
    hu[(np.abs(behind - 12) < 4) & (np.abs(np.abs(x - spine_x) - 25) < 13) & (within > 0.45) & (within < 0.7)] = 400
    rib = np.abs(np.hypot(x / 128, y / 86) - 1) < 0.05
    hu[rib & (np.mod(z - 0.35 * y + 0.1 * np.abs(x), 0.9 * period_mm) < 9) & (z > -40)] = 350
    hip = ((np.abs(x) - 85) / 40) ** 2 + ((y - 20) / 45) ** 2 + ((z + 100) / 50) ** 2
    hu[hip < 1] = np.where(hip[hip < 1] > 0.75, 500.0, 150.0)
    for cx, cy, cz, r, value in lesions:
        hu[(x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 < r * r] = value
    return hu


def grid(shape, spacing_mm, centre=(0.0, 0.0, 0.0)):
    """Axial, centred."""
    step = np.array(spacing_mm, dtype=float)
    origin = np.array(centre) - ((np.array(shape) - 1) / 2 * step)[::-1]
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin)


def scan(geometry, *, motion=None, bend_mm=0.0, noise_hu=20.0, seed=0, **body):
    """A CT of the trunk after it moved; `bend_mm` bows the back."""
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    points = geometry.to_lps(index) if motion is None else geometry.moved(np.linalg.inv(motion)).to_lps(index)
    points[:, 1] += bend_mm * ((points[:, 2] / 100) ** 2 - 0.5)
    hu = ndimage.gaussian_filter(trunk_hu(points, **body).reshape(geometry.shape), 0.6)
    hu += np.random.default_rng(seed).normal(0, noise_hu, hu.shape)
    return ct(hu, geometry)


def ct(hu, geometry, **fields):
    array = np.clip(np.round(hu), -1024, 3071).astype(np.int16)
    return Volume(array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT, **fields)


def motion_of(degrees, shift_mm, seed):
    """Rigid, about the origin, of a random axis and direction."""
    axis, direction = np.random.default_rng(seed).normal(size=(2, 3))
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.deg2rad(degrees) * axis / np.linalg.norm(axis)).as_matrix()
    matrix[:3, 3] = shift_mm * direction / np.linalg.norm(direction)
    return matrix


def error_mm(registration, motion, points=SITES):
    truth = points @ motion[:3, :3].T + motion[:3, 3]
    return np.linalg.norm(registration.to_follow_up(points) - truth, axis=1)


@pytest.fixture(scope="module")
def baseline():
    return scan(grid((80, 80, 110), (3.0, 2.8, 2.8)))


@pytest.fixture(scope="module")
def later():
    return scan(grid((80, 80, 110), (3.0, 2.8, 2.8)), motion=motion_of(3, 25, 2), seed=2, noise_hu=40)


@pytest.fixture(scope="module")
def near_spine(baseline, later):
    """The same pair cut down to what is round the spine: fast."""
    box = (slice(15, 65), slice(30, 80), slice(25, 85))
    return baseline.crop(box), later.crop(box)


class TestMoved:
    """The promise: <= 1 mm at the lesions. Reached: a tenth of it."""

    def test_the_same_image_twice_does_not_move(self, baseline):
        found = register(baseline, baseline, settings=SETTINGS)
        assert found.trusted
        assert np.abs(found.matrix - np.eye(4)).max() < 1e-9
        # no motion is found; what is told is how far bone could slide unnoticed, 0.355 mm on the smoothed scene, which
        # is less steep than the unsmoothed one (0.3 mm) was
        assert found.error_mm < 0.36

    @pytest.mark.parametrize("seed", [0, 1])
    def test_twenty_degrees_and_forty_millimetres_with_changed_lesions_and_thick_slices(self, baseline, seed):
        motion = motion_of(20, 40, seed)
        later = scan(grid((60, 130, 150), (3.5, 1.8, 1.8)), motion=motion, seed=5 + seed, lesions=GROWN, noise_hu=40)
        found = register(baseline, later, settings=SETTINGS)
        assert found.trusted, found.why
        assert error_mm(found, motion).max() <= 0.3
        assert error_mm(found, motion).max() <= found.error_mm <= 2.0

    def test_another_frame_and_only_part_of_the_body(self, baseline):
        motion = motion_of(6, 0, 3)
        motion[:3, 3] += (310, -205, -400)
        later = scan(grid((40, 90, 120), (2.5, 2.5, 2.5), centre=(310, -205, -440)), motion=motion, seed=3)
        found = register(baseline, later, settings=SETTINGS)
        assert found.trusted, found.why
        assert error_mm(found, motion).max() <= 0.3
        back = register(later, baseline, settings=SETTINGS)
        assert back.trusted
        assert found.to_baseline(found.to_follow_up(SITES)) == pytest.approx(SITES)
        assert back.to_baseline(SITES) == pytest.approx(found.to_follow_up(SITES), abs=0.3)

    def test_what_was_never_imaged_does_not_drag(self, baseline):
        motion = motion_of(8, 20, 4)
        later = scan(grid((80, 90, 110), (3.0, 2.7, 2.7)), motion=motion, seed=4)
        row, column = np.meshgrid(np.arange(90), np.arange(110), indexing="ij")
        outside = np.hypot(row - 50, column - 55) > 41  # a reconstruction circle that cuts the ribs
        for value, padding in ((-2000, -2000.0), (-1024, None), (3071, 3071.0)):
            array = np.where(outside, np.int16(value), later.array)
            found = register(baseline, replace(later, array=array, padding=padding), settings=SETTINGS)
            assert found.trusted, found.why
            assert error_mm(found, motion)[:2].max() <= 0.3

    def test_nan_is_not_imaged(self, baseline):
        array = baseline.array.astype(np.float32)
        array[:20] = np.nan
        found = register(baseline, replace(baseline, array=array), settings=SETTINGS)
        assert found.trusted, found.why
        assert error_mm(found, np.eye(4)).max() <= 0.1

    def test_a_sagittal_series(self, baseline):
        array = np.ascontiguousarray(np.moveaxis(baseline.array, 2, 0)[::-1])
        affine = baseline.geometry.affine.copy()
        affine[:, :3] = affine[:, [2, 0, 1]]
        affine[:3, 3] += affine[:3, 0] * (array.shape[0] - 1)
        affine[:, 0] *= -1
        turned = replace(baseline, array=array, geometry=Geometry(shape=array.shape, affine=affine))
        found = register(baseline, turned, settings=SETTINGS)
        assert found.trusted
        assert error_mm(found, np.eye(4)).max() <= 0.1

    def test_it_repeats_to_the_bit(self, near_spine):
        one, other = (register(*near_spine, settings=SETTINGS) for _ in range(2))
        assert one.matrix.tobytes() == other.matrix.tobytes()
        assert (one.error_mm, one.why) == (other.error_mm, other.why)
        assert one.place_error_mm.tobytes() == other.place_error_mm.tobytes()


class TestTrust:
    @pytest.mark.parametrize("bend_mm", [2.0, 4.0, 8.0])
    def test_a_bent_back_is_measured_place_by_place(self, baseline, bend_mm):
        later = scan(baseline.geometry, bend_mm=bend_mm, seed=9)
        found = register(baseline, later, settings=SETTINGS)
        truth = SITES.copy()
        for _ in range(30):  # the follow-up place whose bow leads back to the site
            truth[:, 1] = SITES[:, 1] - bend_mm * ((truth[:, 2] / 100) ** 2 - 0.5)
        error = np.linalg.norm(found.to_follow_up(SITES) - truth, axis=1)
        told = found.error_at(SITES)
        known = np.isfinite(told)
        # trust is told place by place: a body bent by 8 mm is not refused as a whole, as it once was
        assert known.all() or bend_mm == 8.0
        assert np.abs(told - error)[known].max() <= 0.5 + 0.35 * error.max()
        assert found.trusted == (bend_mm < 8)

    def test_just_below_at_and_above_the_trusted_error(self, near_spine):
        error = register(*near_spine, settings=SETTINGS).error_mm
        for limit, trusted in ((np.nextafter(error, 0), False), (error, True), (np.nextafter(error, 9), True)):
            found = register(*near_spine, settings=replace(SETTINGS, registration_trust_mm=float(limit)))
            assert found.trusted is trusted
            assert ("estimated error" in found.why) is not trusted

    @pytest.mark.parametrize(
        ("field", "value", "why"),
        [
            ("registration_least_overlap", 1.0, "share only"),
            ("registration_least_correlation", 0.999, "do not look alike"),
            ("registration_bone_on_bone", 1.0, "laid on bone"),
            ("registration_rival_margin", 0.99, "second place"),
        ],
    )
    def test_every_reason_for_doubt_is_a_setting(self, near_spine, field, value, why):
        found = register(*near_spine, settings=replace(SETTINGS, **{field: value}))
        assert not found.trusted
        assert why in found.why

    def test_another_body(self, baseline):
        other = scan(grid((80, 80, 110), (3.0, 2.8, 2.8)), size=0.8, period_mm=26.0, seed=3, lesions=())
        assert_untrusted(register(baseline, other, settings=SETTINGS))

    def test_another_part_of_the_body(self):
        low = scan(grid((36, 80, 110), (3.0, 2.8, 2.8), centre=(0, 0, -110)))
        high = scan(grid((36, 80, 110), (3.0, 2.8, 2.8), centre=(0, 0, 110)), seed=1)
        assert_untrusted(register(low, high, settings=SETTINGS))

    def test_a_shaft_that_can_turn_unnoticed(self):
        geometry = grid((60, 60, 60), (2.0, 1.5, 1.5))
        index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
        x, y, _ = np.moveaxis(geometry.to_lps(index), -1, 0)
        hu = np.where(np.hypot(x, y) < 20, 400.0, 40.0)
        found = register(ct(hu, geometry), ct(hu, geometry), settings=SETTINGS)
        assert_untrusted(found)
        assert found.error_mm > SETTINGS.registration_trust_mm


def assert_untrusted(found):
    assert not found.trusted
    assert found.why
    assert np.isfinite(found.matrix).all()


class TestNothingToGoBy:
    """Never an exception, never silent."""

    @pytest.mark.parametrize("level", [-1024, 0, 500])
    def test_a_constant_image(self, baseline, level):
        flat = replace(baseline, array=np.full(baseline.array.shape, level, dtype=np.int16))
        for pair in ((baseline, flat), (flat, flat)):
            assert_untrusted(register(*pair, settings=SETTINGS))

    def test_an_empty_image(self, baseline):
        empty = replace(baseline, array=np.full(baseline.array.shape, np.nan, dtype=np.float32))
        found = register(baseline, empty, settings=SETTINGS)
        assert_untrusted(found)
        assert found.why == "the follow-up shows too little bone to register by"
        assert found.error_mm == float("inf")

    @pytest.mark.parametrize(("planes", "refused"), [(1, True), (3, True), (4, False)])
    def test_few_slices(self, baseline, planes, refused):
        rows, columns = baseline.array.shape[1:]
        few = baseline.crop((slice(40, 40 + planes), slice(0, rows), slice(0, columns)))
        found = register(few, baseline, settings=SETTINGS)
        assert ("fewer than 4 slices" in found.why) is refused
        assert not (refused and found.trusted)

    @pytest.mark.parametrize("fields", [{"modality": Modality.XR}, {"unit": Unit.ARBITRARY}])
    def test_no_radiographs_nor_ct_of_other_units(self, baseline, fields):
        for pair in ((baseline, replace(baseline, **fields)), (replace(baseline, **fields), baseline)):
            found = register(*pair, settings=SETTINGS)
            assert_untrusted(found)
            assert "none of CT in HU, MR, SPECT and PET" in found.why


class TestRegistration:
    def test_identity(self):
        same = Registration.identity()
        assert (same.trusted, same.error_mm) == (True, 0.0)
        assert same.to_follow_up([[1.0, 2, 3]]).tolist() == [[1, 2, 3]]
        assert same.to_baseline([1.0, 2, 3]).tolist() == [1, 2, 3]
        assert same.error_at([[0.0, 0, 0], [9, 9, 9]]).tolist() == [0, 0]

    def test_a_quarter_turn_and_a_shift(self):
        matrix = [[0, -1, 0, 10], [1, 0, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]]
        turned = Registration(matrix=np.array(matrix, dtype=float), error_mm=1.0, trusted=True, why="")
        assert turned.to_follow_up([[1.0, 2, 3]]).tolist() == [[8, 21, 33]]
        assert turned.to_baseline([[8.0, 21, 33]]) == pytest.approx(np.array([[1, 2, 3]]))
        assert turned.inverse().to_follow_up([[8.0, 21, 33]]) == pytest.approx(np.array([[1, 2, 3]]))

    def test_the_error_is_that_of_the_nearest_places(self):
        found = replace(
            Registration.identity(),
            places_mm=np.array([[0.0, 0, 0], [100, 0, 0]]),
            place_error_mm=np.array([1.0, 4.0]),
            error_mm=4.0,
        )
        near, middle, far = found.error_at([[0.0, 0, 0], [50, 0, 0], [100, 0, 0]])
        assert middle == pytest.approx(2.5)
        assert 1.0 < near < 1.1
        assert 3.9 < far < 4.0

    @pytest.mark.parametrize(
        "matrix",
        [np.eye(3), np.diag([1.0, 1, 1.01, 1]), np.diag([1.0, 1, -1, 1]), np.full((4, 4), np.nan), np.ones((4, 4))],
    )
    def test_what_is_not_rigid_is_refused(self, matrix):
        with pytest.raises(GeometryError, match="not rigid"):
            Registration(matrix=matrix, error_mm=0.0, trusted=True, why="")


class TestScene:
    def test_block_means_lie_in_the_middle_of_their_blocks(self):
        values = np.arange(4 * 4 * 4, dtype=np.int16).reshape(4, 4, 4)
        scene = Scene.from_volume(ct(values, grid((4, 4, 4), (1.0, 1.0, 1.0))), spacing_mm=2.0, fewest=1)
        assert scene.values.tolist() == values.reshape(2, 2, 2, 2, 2, 2).mean(axis=(1, 3, 5)).tolist()
        assert scene.affine[:3, 3] == pytest.approx([-1, -1, -1])

    def test_thin_stacks_are_shrunk_in_plane_only(self):
        scene = Scene.from_volume(
            ct(np.zeros((20, 300, 300)), grid((20, 300, 300), (2.0, 0.7, 0.7))), spacing_mm=3.0, fewest=16
        )
        assert scene.values.shape == (20, 75, 75)

    @pytest.mark.parametrize(("unknown", "mean"), [(0, 10.0), (4, 10.0), (5, np.nan)])
    def test_a_block_is_known_when_half_of_it_is(self, unknown, mean):
        values = np.full(8, 10)
        values[:unknown] = -1024
        scene = Scene.from_volume(
            ct(values.reshape(2, 2, 2), grid((2, 2, 2), (1.0, 1.0, 1.0))), spacing_mm=2.0, fewest=1
        )
        np.testing.assert_array_equal(scene.values, np.full((1, 1, 1), mean))
