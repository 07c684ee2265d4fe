"""Bodies: what the synthetic vertebrae hold where, and that a real CT is left as it is."""

from __future__ import annotations

import numpy as np
import pytest

from mdanderson.geometry import Geometry
from mdanderson.phantoms import RealHost, SyntheticVertebrae, render, rigid_motion
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

BODY = SyntheticVertebrae(seed=1)


def hu_at(*point_mm: float) -> float:
    return float(BODY.sample_hu(np.array([point_mm]), blur_mm=0.5)[0])


class TestSyntheticVertebrae:
    @pytest.mark.parametrize(
        ("point_mm", "hu"),
        [
            ((0.0, 0.0, 0.0), 85),  # disc between the bodies
            ((22.0, 0.0, -16.0), 600),  # cortex of the waist, 1 mm deep
            ((-0.8, 26.5, -16.0), 20),  # spinal canal
            ((9.0, -32.0, 0.0), 140),  # aorta, on the left
            ((-15.0, -31.0, 0.0), 95),  # vena cava
            ((30.0, 0.0, -16.0), 55),  # muscle
            ((0.0, 50.0, 20.0), -100),  # fat of the back
            ((0.0, 70.0, 0.0), -1000),  # air behind the skin
        ],
    )
    def test_what_lies_where(self, point_mm, hu):
        assert hu_at(*point_mm) == pytest.approx(hu, abs=1)

    def test_trabecular_bone_has_its_density_and_texture(self):
        box = np.stack(np.meshgrid(*[np.arange(-9.0, 9.5, 0.5)] * 3, indexing="ij"), axis=-1)
        inside = SyntheticVertebrae(seed=5, trabecular_hu=180.0, texture_hu=22.0).sample_hu(
            np.add(box, (0, 0, -16)), blur_mm=1.0
        )
        assert inside.mean() == pytest.approx(180.0, abs=6.0)
        assert inside.std() == pytest.approx(20.0, abs=5.0)

    def test_texture_is_the_bodys_own_and_the_seeds(self):
        points = np.add(np.random.default_rng(0).uniform(-8, 8, (50, 3)), (0, 0, -16))
        same, other = (SyntheticVertebrae(seed=s).sample_hu(points, blur_mm=1.0) for s in (1, 2))
        assert np.array_equal(same, BODY.sample_hu(points, blur_mm=1.0))
        assert not np.allclose(same, other, atol=5.0)

    def test_bone_labels(self):
        places = np.array(
            [(0, 0, -16), (-2, 1, 16), (-40, 32, 13), (36, 32, -10.5), (0, 0, 0), (30, 0, 0)], dtype=float
        )
        assert BODY.bone_labels(places).tolist() == [1, 2, 3, 1, 0, 0]

    def test_every_labelled_voxel_is_bone_in_the_image(self):
        points = np.random.default_rng(0).uniform((-45, -35, -32), (45, 55, 32), (20000, 3))
        labelled = BODY.bone_labels(points) > 0
        hu = BODY.sample_hu(points, blur_mm=0.01)
        assert hu[labelled].min() > 50
        assert (hu[~labelled] > 145).mean() < 0.001  # points on the very surface

    @pytest.mark.parametrize("mirror", [(-1, 1, 1), (1, 1, -1)])
    def test_it_differs_from_its_mirror_image_so_that_one_motion_alone_fits(self, mirror):
        points = np.random.default_rng(0).uniform((-45, -35, -32), (45, 55, 32), (20000, 3))
        bone, mirrored = BODY.bone_labels(points) > 0, BODY.bone_labels(points * mirror) > 0
        assert (bone & mirrored).sum() / (bone | mirrored).sum() < 0.95

    def test_partial_volume_is_linear_across_a_surface(self):
        # Skin against air at y = 56: a voxel centred on the surface is half of each.
        assert float(BODY.sample_hu(np.array([[0.0, 56.0, 0.0]]), blur_mm=2.0)[0]) == pytest.approx(-485, abs=1)


def real(array: np.ndarray) -> Volume:
    geometry = Geometry.from_axes(
        shape=array.shape, spacing_mm=(2.0, 1.0, 0.9), origin_mm=(-12.0, 40.0, 300.0), frame_of_reference_uid="1.2.3"
    )
    return Volume(array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT)


@pytest.fixture(scope="module")
def noisy() -> Volume:
    values = np.random.default_rng(0).normal(120.0, 20.0, (12, 40, 44))
    return real(np.rint(values).astype(np.int16))


class TestRealHost:
    def test_a_move_by_whole_voxels_moves_whole_voxels(self, noisy):
        motion = rigid_motion(shift_mm=(0.9, 2.0, 2.0))
        seen = render(RealHost(volume=noisy), [], noisy.geometry, motion=motion).volume.array
        inside = (slice(3, -2), slice(4, -3), slice(3, -2))
        before = (slice(2, -3), slice(2, -5), slice(2, -3))
        assert np.abs(seen[inside] - noisy.array[before]).max() <= 1

    def test_half_a_voxel_on_a_smooth_image_is_interpolated(self):
        ramp = real(np.broadcast_to(np.arange(40.0, dtype=np.float32) * 10, (12, 40, 40)).copy())
        seen = render(RealHost(volume=ramp), [], ramp.geometry, motion=rigid_motion(shift_mm=(0.45, 0, 0)))
        assert seen.volume.array[6, 20, 10:30] == pytest.approx(np.arange(10, 30) * 10 - 5, abs=1)

    def test_an_edge_is_not_taken_for_noise(self):
        values = np.random.default_rng(0).normal(120.0, 20.0, (12, 40, 44))
        values[:, :, 25:] += 900.0
        host = RealHost(volume=real(np.rint(values).astype(np.int16)))
        assert host.noise_hu(host.volume.geometry.to_lps([6, 20, 20]), 8.0) == pytest.approx(20.0, rel=0.2)
