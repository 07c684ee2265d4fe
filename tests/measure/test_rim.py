"""The sclerotic rim: share of directions, thickness, place, and the outline without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measure import painted as ph

from mdanderson.errors import UnitError
from mdanderson.measure.reference import ReferenceBone
from mdanderson.measure.rim import Rim, measure_rim, without_rim
from mdanderson.settings import ImageSettings
from mdanderson.volume import Region, Unit

SETTINGS = ImageSettings()
BONE = ReferenceBone(source="given mask", median_hu=150, robust_sd_hu=8, mean_hu=150, sd_hu=30, voxels=500)
SPACINGS = [(1.0, 1.0, 1.0), (3.0, 0.8, 0.8), (5.0, 0.8, 0.8)]


CORE = ph.Ball((0.0, 0.3, -0.4), (9.0, 9.0, 14.0))
"""28 x 18 mm in the plane."""


def imaged(paint, spacing_mm=(1.0, 1.0, 1.0), noise_hu=20.0, extent_mm=(36, 36, 46)):
    geometry = ph.grid(spacing_mm, extent_mm)
    return ph.as_volume(ph.array(geometry, paint), geometry, noise_hu=noise_hu, seed=5)


def shells(*balls):
    def painted(z, y, x):
        hu = np.full(np.broadcast_shapes(z.shape, y.shape, x.shape), 150.0)
        for ball in balls:
            hu = np.where(ball.holds(z, y, x), ball.hu, hu)
        return hu

    return painted


def rim_of(volume, ball, settings=SETTINGS) -> tuple[Region, Rim]:
    region = ph.outline(volume.geometry, ball)
    return region, measure_rim(volume, region, BONE, settings=settings)


def axes_mm(region: Region, spacing_mm) -> np.ndarray:
    """Long and short axis in the fullest plane, of the ellipse with the same second moments."""
    index = np.argwhere(region.voxels)
    plane = np.bincount(index[:, 0]).argmax()
    points = index[index[:, 0] == plane][:, 1:] * spacing_mm[1:]
    spread = np.cov(points.T) + np.diag(np.square(spacing_mm[1:])) / 12
    return np.sort(4 * np.sqrt(np.linalg.eigvalsh(spread)))[::-1]


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("thickness", [2.0, 3.0])
@pytest.mark.parametrize("drawn_mm", [0.0, "all"])
def test_a_full_rim_drawn_in_or_not(spacing_mm, thickness, drawn_mm):
    volume = imaged(shells(CORE.grown(thickness, 600.0), CORE), spacing_mm)
    drawn = thickness if drawn_mm == "all" else 0.0
    _, rim = rim_of(volume, CORE.grown(drawn, 0.0))
    thick = spacing_mm[0] >= 3  # such slices cut the shell obliquely, and its cap hardly at all
    assert rim.rim_fraction > (0.75 if thick else 0.95)
    assert rim.thickness_mm == pytest.approx(thickness, abs=1.6 if thick else 0.4)
    assert rim.peak_offset_mm == pytest.approx(thickness / 2 - drawn, abs=0.4)


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize(
    "balls", [(CORE,), (), (CORE._replace(hu=700.0),), (CORE._replace(hu=150.0),), (CORE.grown(3.0, 700.0),)]
)
def test_no_rim_without_a_shell_round_a_lytic_core(spacing_mm, balls):
    volume = imaged(shells(*balls), spacing_mm)
    region, rim = rim_of(volume, CORE)
    assert rim == Rim(rim_fraction=0.0)
    assert without_rim(volume, region, BONE, rim, settings=SETTINGS) is region


@pytest.mark.parametrize("spacing_mm", SPACINGS)
def test_half_a_rim_is_half(spacing_mm):
    whole = shells(CORE.grown(3.0, 600.0), CORE)
    volume = imaged(lambda z, y, x: np.where((x > 0) | CORE.holds(z, y, x), whole(z, y, x), 150.0), spacing_mm)
    _, rim = rim_of(volume, CORE)
    assert rim.rim_fraction == pytest.approx(0.5, abs=0.1 if spacing_mm[0] >= 3 else 0.05)


def test_filling_from_one_side_is_not_a_rim():
    filled = CORE._replace(hu=700.0)
    volume = imaged(lambda z, y, x: np.where(x > 3, shells(filled)(z, y, x), shells(CORE)(z, y, x)))
    _, rim = rim_of(volume, CORE)
    assert rim.rim_fraction < 0.15


def test_a_cortex_beside_the_lesion_counts_as_it_reads():
    """Known and stated: the rise over baseline, not the share, makes a new rim."""
    volume = imaged(lambda z, y, x: np.where((y > 9.3) & (y < 11.3), 650.0, shells(CORE)(z, y, x)), noise_hu=5.0)
    _, rim = rim_of(volume, CORE)
    assert 0.03 < rim.rim_fraction < 0.4


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("thickness", [2.0, 3.0])
def test_the_outline_without_its_shell_is_the_core(spacing_mm, thickness):
    volume = imaged(shells(CORE.grown(thickness, 600.0), CORE), spacing_mm)
    region, rim = rim_of(volume, CORE.grown(thickness, 0.0))
    left = without_rim(volume, region, BONE, rim, settings=SETTINGS)
    truth = axes_mm(ph.outline(volume.geometry, CORE), spacing_mm)
    assert axes_mm(region, spacing_mm).sum() / truth.sum() > 1.14
    assert axes_mm(left, spacing_mm) == pytest.approx(truth, abs=0.5 if spacing_mm[0] < 5 else 0.6)
    assert axes_mm(left, spacing_mm).sum() == pytest.approx(truth.sum(), rel=0.05)
    assert left.label == region.label


def test_a_small_core_in_a_thick_shell():
    small = ph.Ball((0.2, 0.0, 0.1), (5.0, 5.0, 5.0), 50.0)
    volume = imaged(shells(small.grown(3.0, 650.0), small))
    region, rim = rim_of(volume, small.grown(3.0, 0.0))
    left = without_rim(volume, region, BONE, rim, settings=SETTINGS)
    assert rim.rim_fraction > 0.95
    assert axes_mm(left, (1, 1, 1)) == pytest.approx([10, 10], abs=0.8)


def test_an_outline_at_the_cores_edge_stays_as_it_is():
    volume = imaged(shells(CORE.grown(3.0, 600.0), CORE))
    region, rim = rim_of(volume, CORE)
    assert without_rim(volume, region, BONE, rim, settings=SETTINGS) is region


def test_half_a_shell_drawn_in_is_taken_off_where_it_is():
    whole = shells(CORE.grown(3.0, 600.0), CORE)
    outer = CORE.grown(3.0, 0.0)
    volume = imaged(lambda z, y, x: np.where((x > 0) | CORE.holds(z, y, x), whole(z, y, x), 150.0))
    mixed = ph.array(volume.geometry, lambda z, y, x: np.where(x > 0, outer.holds(z, y, x), CORE.holds(z, y, x)) * 1.0)
    region = Region.from_array(mixed >= 0.5, label=1)
    rim = measure_rim(volume, region, BONE, settings=SETTINGS)
    left = without_rim(volume, region, BONE, rim, settings=SETTINGS)
    truth = axes_mm(ph.outline(volume.geometry, CORE), (1, 1, 1))
    assert axes_mm(left, (1, 1, 1)) == pytest.approx(truth, abs=0.7)


def test_a_bent_lesion_is_followed_along_its_normals():
    """A crescent: its inner side is hidden from the centroid."""

    def crescent(by_mm):
        def holds(z, y, x):
            tube = np.hypot(np.hypot(x, y + 8) - 12, z)
            return (tube < 4 + by_mm) & (y + 0 * x + 0 * z > -8 - by_mm)

        return holds

    inner, outer = crescent(0.0), crescent(2.5)
    volume = imaged(lambda z, y, x: np.where(inner(z, y, x), 40.0, np.where(outer(z, y, x), 600.0, 150.0)))
    covered = ph.array(volume.geometry, lambda z, y, x: inner(z, y, x) * 1.0)
    rim = measure_rim(volume, Region.from_array(covered >= 0.5, label=1), BONE, settings=SETTINGS)
    assert rim.rim_fraction > 0.9


def test_the_rim_turns_with_the_grid():
    volume = imaged(shells(CORE.grown(3.0, 600.0), CORE), noise_hu=0.0)
    turned = replace(
        volume,
        array=np.ascontiguousarray(np.swapaxes(volume.array, 1, 2)),
        geometry=replace(volume.geometry, shape=(36, 46, 36), affine=volume.geometry.affine[:, [0, 2, 1, 3]]),
    )
    region = ph.outline(volume.geometry, CORE)
    mirrored = Region(
        label=1, box=(region.box[0], region.box[2], region.box[1]), voxels=np.swapaxes(region.voxels, 1, 2)
    )
    one = measure_rim(volume, region, BONE, settings=SETTINGS)
    other = measure_rim(turned, mirrored, BONE, settings=SETTINGS)
    assert other.rim_fraction == pytest.approx(one.rim_fraction, abs=0.01)
    assert other.thickness_mm == pytest.approx(one.thickness_mm, abs=0.1)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (5.0, 1.0, 1.0)])
def test_a_single_voxel_has_no_outline(spacing_mm):
    volume = imaged(shells(CORE.grown(3.0, 600.0), CORE), spacing_mm)
    array = np.zeros(volume.geometry.shape, dtype=bool)
    array[tuple(n // 2 for n in array.shape)] = True
    rim = measure_rim(volume, Region.from_array(array, label=1), BONE, settings=SETTINGS)
    assert rim == Rim(rim_fraction=0.0)


def test_a_lesion_at_the_edge_of_the_image():
    volume = imaged(shells(CORE.grown(3.0, 600.0), CORE))
    cut = volume.crop((slice(18, 36), slice(0, 36), slice(0, 46)))
    full = np.zeros(volume.geometry.shape, dtype=bool)
    region = ph.outline(volume.geometry, CORE)
    full[region.box] = region.voxels
    rim = measure_rim(cut, Region.from_array(full[18:], label=1), BONE, settings=SETTINGS)
    assert rim.rim_fraction > 0.6


def test_only_hounsfield_units():
    volume = imaged(shells(CORE))
    with pytest.raises(UnitError, match="density needs HU"):
        measure_rim(replace(volume, unit=Unit.SUV), ph.outline(volume.geometry, CORE), BONE, settings=SETTINGS)
