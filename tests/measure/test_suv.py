"""Uptake on PET against analytic phantoms and a brute-force sphere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdanderson.errors import MeasurementError, UnitError
from mdanderson.geometry import Geometry
from mdanderson.measure.peak import sphere_peak, sphere_weights
from mdanderson.measure.suv import measure_suv, place_suv, sul_per_suv
from mdanderson.settings import Pet
from mdanderson.vocabulary import Modality
from mdanderson.volume import Region, Unit, Volume

PET = Pet()
LEAN = {"sul_per_suv_janmahasatian": "0.750000", "sul_per_suv_james": "0.760000", "tracer": "FDG"}
RADIUS_MM = (3000 / (4 * np.pi)) ** (1 / 3)  # of 1 ml: 6.204 mm
TILT = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))


def grid(shape=(15, 15, 15), spacing_mm=(4.0, 4.0, 4.0), **more) -> Geometry:
    return Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=(-20.0, 10.0, 300.0), **more)


def volume(array: np.ndarray, geometry: Geometry, **changes: object) -> Volume:
    facts = {"acquisition": LEAN} | changes
    return Volume(array=array.astype(np.float32), geometry=geometry, unit=Unit.SUV, modality=Modality.PT, **facts)


def ball(geometry: Geometry, centre_index, radius_mm: float, *, fine: int = 10) -> np.ndarray:
    """Share of each voxel in a ball, by supersampling `fine` times an axis."""
    axes = [(np.arange(n * fine) + 0.5) / fine - 0.5 for n in geometry.shape]
    steps = zip(axes, centre_index, geometry.spacing_mm, strict=True)
    squares = [((axis - at) * step) ** 2 for axis, at, step in steps]
    share = np.empty(geometry.shape)
    for plane in range(geometry.shape[0]):
        part = squares[0][plane * fine : (plane + 1) * fine, None, None]
        inside = part + squares[1][None, :, None] + squares[2][None, None, :] <= radius_mm**2
        share[plane] = inside.reshape(fine, geometry.shape[1], fine, geometry.shape[2], fine).mean(axis=(0, 2, 4))
    return share


def region(mask: np.ndarray) -> Region:
    found = Region.from_array(mask, label=1)
    assert found is not None
    return found


def measured(array: np.ndarray, mask: np.ndarray, geometry: Geometry | None = None, **changes: object):
    geometry = geometry or grid(array.shape)
    return measure_suv(volume(array, geometry, **changes), region(mask), settings=PET)


def brute_peak(values: np.ndarray, mask: np.ndarray, spacing_mm, *, step_mm: float, radius_mm: float) -> float:
    """Oracle: every centre on a lattice of about `step_mm` in the masked voxels; voxels supersampled 10 x 10 x 10."""
    fine = 10
    best = -np.inf
    reach = [int(np.ceil(radius_mm / step)) + 1 for step in spacing_mm]
    padded = np.pad(values.astype(float), [(r, r) for r in reach])
    for voxel in np.argwhere(mask):
        counts = [max(1, round(step / step_mm)) for step in spacing_mm]
        offsets = [np.arange(n) / n - 0.5 + 0.5 / n for n in counts]
        block = padded[tuple(slice(v, v + 2 * r + 1) for v, r in zip(voxel, reach, strict=True))]
        for offset in np.stack(np.meshgrid(*offsets, indexing="ij"), -1).reshape(-1, 3):
            points = [
                ((np.arange((2 * r + 1) * fine) + 0.5) / fine - 0.5 - r - o) * step
                for r, o, step in zip(reach, offset, spacing_mm, strict=True)
            ]
            inside = (
                points[0][:, None, None] ** 2 + points[1][None, :, None] ** 2 + points[2][None, None, :] ** 2
            ) <= radius_mm**2
            shape = [n for r in reach for n in (2 * r + 1, fine)]
            share = inside.reshape(shape).sum(axis=(1, 3, 5))
            best = max(best, float((share * block).sum() / share.sum()))
    return best


class TestSphere:
    @pytest.mark.parametrize("offset", [(0, 0, 0), (0.5, -0.5, 0.25), (0.11, 0.37, -0.42)])
    @pytest.mark.parametrize("spacing_mm", [(4.0, 4.0, 4.0), (3.27, 4.6875, 4.6875), (1.0, 2.0, 5.0)])
    def test_weights_against_supersampling(self, offset, spacing_mm) -> None:
        half = tuple(int(np.ceil(RADIUS_MM / step + 0.5)) for step in spacing_mm)
        ours = sphere_weights(offset, spacing_mm=spacing_mm, radius_mm=RADIUS_MM, half=half)
        geometry = grid(tuple(2 * h + 1 for h in half), spacing_mm)
        theirs = ball(geometry, [h + o for h, o in zip(half, offset, strict=True)], RADIUS_MM, fine=20)
        assert ours.sum() == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(ours, theirs / theirs.sum(), atol=2e-3)

    def test_volume_of_the_sphere(self) -> None:
        """1 ml, counted before the weights are made to sum to 1: 15.625 voxels of 0.064 ml."""
        share = ball(grid((7, 7, 7)), (3.2, 2.9, 3.0), RADIUS_MM, fine=20)
        assert share.sum() * 0.064 == pytest.approx(1.0, rel=2e-3)


class TestMeasure:
    def test_hot_ball_of_known_suv(self) -> None:
        """20 mm radius, SUV 8, in a background of 1: the sphere lies wholly inside."""
        geometry = grid()
        share = ball(geometry, (7.3, 6.8, 7.1), 20.0)
        found = measured(1 + 7 * share, share >= 0.5, geometry)
        assert found.suv_max == pytest.approx(8.0, rel=1e-6)
        assert found.suv_peak_bw == pytest.approx(8.0, rel=1e-6)
        assert found.sul_peak == pytest.approx(6.0, rel=1e-6)
        truth_ml = 4 / 3 * np.pi * 20**3 / 1000
        assert found.metabolic_volume_ml == pytest.approx(truth_ml, rel=0.03)
        assert found.tlg_bw == pytest.approx(float((1 + 7 * share)[share >= 0.5].sum()) * 0.064, rel=1e-6)
        assert 0.9 * 8.0 * truth_ml < found.tlg_bw < 8.0 * truth_ml  # the voxels of its border are partly background
        assert found.tlg == pytest.approx(0.75 * found.tlg_bw, rel=1e-9)
        assert found.why == ""

    def test_ball_smaller_than_the_sphere_in_the_cold(self) -> None:
        """A ball of 0.25 ml and SUV 10, nothing else: the 1 ml sphere round it holds it all, and reads 2.5."""
        geometry = grid((25, 25, 25), (1.0, 1.0, 1.0))
        share = ball(geometry, (12.37, 11.81, 12.15), RADIUS_MM / 4 ** (1 / 3))
        found = measured(10 * share, share >= 0.5, geometry)
        assert found.suv_peak_bw == pytest.approx(2.5, rel=5e-3)
        assert found.why == "smaller than the sphere of 1 ml: its peak takes in what is round it"

    def test_centre_lies_between_voxels(self) -> None:
        """A ball of 1 ml centred off the voxels: a sphere on voxel centres would miss a part of it."""
        geometry = grid((15, 15, 15), directions=TILT)
        share = ball(geometry, (7.5, 7.5, 7.5), RADIUS_MM, fine=20)
        hot = volume(10 * share, geometry)
        peak = sphere_peak(hot, region(share >= 0.3), sphere_ml=1.0)
        assert peak is not None
        np.testing.assert_allclose(peak.centre_lps_mm, geometry.to_lps([7.5, 7.5, 7.5]), atol=0.15)
        half = (3, 3, 3)
        centred = sphere_weights((0, 0, 0), spacing_mm=(4.0, 4.0, 4.0), radius_mm=RADIUS_MM, half=half)
        on_voxel = 10 * float((centred * share[4:11, 4:11, 4:11]).sum())
        assert peak.mean > on_voxel * 1.05
        assert peak.mean == pytest.approx(10 * float((share**2).sum() / share.sum()), rel=2e-3)

    @pytest.mark.parametrize("spacing_mm", [(4.0, 4.0, 4.0), (3.27, 4.69, 4.69), (5.0, 2.5, 2.5)])
    def test_peak_against_brute_force(self, spacing_mm) -> None:
        rng = np.random.default_rng(3)
        values = rng.gamma(4.0, 0.5, (9, 9, 9))
        values[4, 4:6, 4] += 9.0
        mask = np.zeros(values.shape, bool)
        mask[3:5, 4, 4:6] = True
        peak = sphere_peak(volume(values, grid(values.shape, spacing_mm)), region(mask), sphere_ml=1.0)
        oracle = brute_peak(values.astype(np.float32), mask, spacing_mm, step_mm=1.4, radius_mm=RADIUS_MM)
        assert peak is not None
        assert oracle * 0.998 <= peak.mean <= oracle * 1.02  # the lattice is coarser than ours, never better

    def test_the_sphere_may_reach_outside_the_region_but_not_be_centred_there(self) -> None:
        values = np.ones((11, 11, 11))
        values[:, :, 6:] = 9.0
        mask = np.zeros(values.shape, bool)
        mask[4:7, 4:7, 4] = True  # its border towards the heat lies at 2 mm, the heat begins at 6 mm
        found = measured(values, mask)
        height = RADIUS_MM - 4.0  # cap of a sphere centred on the region's edge
        cap = np.pi * height**2 * (3 * RADIUS_MM - height) / 3 / 1000
        assert found.suv_max == 1.0
        assert found.suv_peak_bw == pytest.approx(1 + 8 * cap, rel=0.02)

    @settings(max_examples=8)
    @given(seed=st.integers(0, 10_000), factor=st.floats(0.2, 5.0))
    def test_scaling_and_bounds(self, seed, factor) -> None:
        rng = np.random.default_rng(seed)
        values = rng.gamma(2.0, 1.0, (9, 10, 11))
        mask = np.zeros(values.shape, bool)
        mask[3:6, 3:7, 4:7] = rng.random((3, 4, 3)) < 0.8
        mask[4, 4, 5] = True
        one, other = measured(values, mask), measured(values * factor, mask)
        assert other.suv_peak_bw == pytest.approx(factor * one.suv_peak_bw, rel=1e-4)
        assert other.tlg == pytest.approx(factor * one.tlg, rel=1e-5)
        assert other.metabolic_volume_ml == one.metabolic_volume_ml
        assert one.suv_mean <= one.suv_max
        assert one.suv_peak_bw <= values.max()
        weights = sphere_weights((0, 0, 0), spacing_mm=(4.0, 4.0, 4.0), radius_mm=RADIUS_MM, half=(3, 3, 3))
        centred = [float((weights * np.pad(values, 3)[p : p + 7, r : r + 7, c : c + 7]).sum()) for p, r, c in
                   np.argwhere(mask) if 2 <= p < 7]  # fmt: skip
        assert one.suv_peak_bw >= max(centred) - 1e-5

    @pytest.mark.parametrize(
        ("by", "voxels", "suv"),
        [("share_of_maximum", 2, 14.1), ("fixed", 4, 19.6), ("mask", 5, 22.0)],
    )
    def test_metabolic_volume(self, by, voxels, suv) -> None:
        """10, 4.1 (at 41 %), 3.0, 2.5 and 2.4: just below, at and above each threshold."""
        values = np.zeros((9, 9, 9))
        values[4, 4, 2:7] = [10.0, 4.1, 3.0, 2.5, 2.4]
        mask = values > 0
        pet = replace(PET, volume_by=by)
        found = measure_suv(volume(values, grid(values.shape)), region(mask), settings=pet)
        assert found.metabolic_volume_ml == pytest.approx(voxels * 0.064)
        assert found.tlg_bw == pytest.approx(suv * 0.064, rel=1e-6)
        assert found.suv_mean == pytest.approx(4.4, rel=1e-6)

    def test_a_region_cooler_than_the_fixed_threshold(self) -> None:
        values = np.full((9, 9, 9), 2.4)
        mask = np.zeros(values.shape, bool)
        mask[4, 4, 4] = True
        pet = replace(PET, volume_by="fixed")
        found = measure_suv(volume(values, grid(values.shape)), region(mask), settings=pet)
        assert (found.metabolic_volume_ml, found.tlg) == (0.0, 0.0)

    def test_lean_mass_by_the_formula_set(self) -> None:
        image = volume(np.ones((9, 9, 9)), grid((9, 9, 9)))
        assert sul_per_suv(image, settings=PET) == (0.75, "")
        assert sul_per_suv(image, settings=replace(PET, lean_mass="james")) == (0.76, "")

    @pytest.mark.parametrize(
        ("facts", "why"),
        [
            ({"sul_missing": "PatientSize is missing"}, "no SUL: PatientSize is missing"),
            ({}, "no SUL: the image does not tell sex, height and weight"),
        ],
    )
    def test_without_lean_mass(self, facts, why) -> None:
        mask = np.zeros((9, 9, 9), bool)
        mask[3:6, 3:6, 3:6] = True
        found = measured(np.full(mask.shape, 3.0), mask, acquisition=facts)
        assert (found.sul_peak, found.tlg, found.why) == (None, None, why)
        assert found.suv_peak_bw == pytest.approx(3.0)
        assert found.tlg_bw == pytest.approx(3.0 * 27 * 0.064)


class TestEdges:
    def test_no_sphere_fits_at_the_edge(self) -> None:
        mask = np.zeros((9, 9, 9), bool)
        mask[0, 3:6, 3:6] = True
        found = measured(np.full(mask.shape, 3.0), mask)
        assert (found.suv_peak_bw, found.sul_peak, found.peak_lps_mm) == (None, None, None)
        assert "no sphere of 1 ml centred in it lies wholly in the image" in found.why
        assert "cut by the edge of what was imaged" in found.why
        assert found.suv_max == 3.0

    def test_only_spheres_that_fit_are_taken(self) -> None:
        """Hot towards the edge: the peak is that of the planes deep enough, 6.2 mm from the outer border."""
        values = np.ones((9, 9, 9)) * (9 - np.arange(9))[:, None, None]
        mask = np.zeros(values.shape, bool)
        mask[:4, 3:6, 3:6] = True
        geometry = grid(values.shape)
        peak = sphere_peak(volume(values, geometry), region(mask), sphere_ml=1.0)
        assert peak is not None
        depth_mm = geometry.to_voxel(peak.centre_lps_mm)[0] * 4.0 + 2.0
        assert RADIUS_MM <= depth_mm <= RADIUS_MM + 0.15

    def test_nan_is_not_imaged(self) -> None:
        values = np.full((11, 11, 11), 2.0)
        values[5, 5, 5] = np.nan
        values[5, 5, 1] = 50.0
        mask = np.zeros(values.shape, bool)
        mask[4:7, 4:7, 4:7] = True
        found = measured(values, mask)
        assert (found.suv_max, found.suv_mean) == (2.0, 2.0)
        assert found.suv_peak_bw is None  # every centre in the region has the unknown voxel in its sphere
        assert "cut by the edge of what was imaged" in found.why

    def test_nothing_imaged_at_all(self) -> None:
        mask = np.zeros((9, 9, 9), bool)
        mask[4, 4, 4] = True
        with pytest.raises(MeasurementError):
            measured(np.full(mask.shape, np.nan), mask)

    def test_other_units_are_refused(self) -> None:
        mask = np.zeros((9, 9, 9), bool)
        mask[4, 4, 4] = True
        counts = replace(volume(np.ones(mask.shape), grid(mask.shape)), unit=Unit.BECQUEREL_PER_ML)
        for work in (measure_suv, place_suv):
            with pytest.raises(UnitError, match="voxels in Bq/ml, uptake on PET needs SUV"):
                work(counts, region(mask), settings=PET)

    def test_nothing_taken_up(self) -> None:
        mask = np.zeros((9, 9, 9), bool)
        mask[3:6, 3:6, 3:6] = True
        found = measured(np.zeros(mask.shape), mask)
        assert (found.suv_max, found.suv_peak_bw, found.tlg) == (0.0, 0.0, 0.0)


class TestPlace:
    SHAPE = (15, 15, 15)

    def place(self) -> Region:
        return region(ball(grid(self.SHAPE), (7, 7, 7), 9.0, fine=4) >= 0.5)

    def look(self, values: np.ndarray, *, others=(), facts=None, **changes: object):
        image = volume(values, grid(self.SHAPE), acquisition=LEAN if facts is None else facts)
        return place_suv(image, self.place(), others=others, settings=replace(PET, **changes))

    def bone(self, suv: float = 1.5, noise: float = 0.1) -> np.ndarray:
        return np.random.default_rng(0).normal(suv, noise, self.SHAPE)

    def test_uptake_as_background(self) -> None:
        found = self.look(self.bone())
        assert found.is_background is True
        assert found.background_suv == pytest.approx(1.5, abs=0.03)
        assert found.background_robust_sd == pytest.approx(0.1, abs=0.02)
        assert found.suv_mean == pytest.approx(1.5, abs=0.05)

    def test_still_hot(self) -> None:
        found = self.look(self.bone() + 3.0 * ball(grid(self.SHAPE), (7, 7, 7), 9.0, fine=4))
        assert found.is_background is False
        assert found.suv_max > 4.0

    def test_a_small_focus_left_in_a_place_that_is_cold_elsewhere(self) -> None:
        values = self.bone()
        values[8, 8, 8] += 12.0
        found = self.look(values)
        assert found.is_background is False
        assert found.suv_mean < 2.0  # the mean of the place would not have shown it

    @pytest.mark.parametrize(("suv", "is_background"), [(1.72, True), (1.725, True), (1.73, False)])
    def test_at_the_ratio(self, suv, is_background) -> None:
        """Background of 1.5 without noise: the limit is 1.15 x 1.5 = 1.725."""
        values = np.full(self.SHAPE, 1.5)
        values[4:11, 4:11, 4:11] = suv
        found = self.look(values, background_gap_mm=8.0)
        assert found.limit_suv == pytest.approx(1.725, rel=1e-6)
        assert found.suv_peak_bw == pytest.approx(suv, rel=1e-3)
        assert found.is_background is is_background

    def test_a_noisy_background_allows_more(self) -> None:
        found = self.look(self.bone(noise=0.4))
        assert found.limit_suv == pytest.approx(1.5 + 1.5 * 0.4, abs=0.1)
        assert found.is_background is True

    def test_another_lesion_is_no_background(self) -> None:
        values, mask = self.bone(), np.zeros(self.SHAPE, bool)
        values[:, :, 10:], mask[:, :, 10:] = 9.0, True
        with_it, without = self.look(values), self.look(values, others=[region(mask)])
        assert without.background_suv == pytest.approx(1.5, abs=0.03)
        assert without.background_robust_sd < with_it.background_robust_sd

    def test_air_is_no_background(self) -> None:
        values = self.bone()
        values[:, :, 9:] = 0.0
        assert self.look(values).background_suv == pytest.approx(1.5, abs=0.03)

    @pytest.mark.parametrize(
        ("values", "why"),
        [
            (np.zeros((15, 15, 15)), "less than 2 ml of background round the place"),
            (np.random.default_rng(1).gamma(1.0, 1.5, (15, 15, 15)), "the background is uneven: SUV "),
            (np.full((15, 15, 15), 3.1), "the surroundings are hot themselves: SUV 3.1"),
        ],
    )
    def test_nothing_to_compare_with(self, values, why) -> None:
        found = self.look(values)
        assert found.is_background is None
        assert found.why.startswith(why)

    @pytest.mark.parametrize(
        "around", [np.random.default_rng(2).uniform(0.2, 2.6, (15, 15, 15)), np.full((15, 15, 15), 4.0)]
    )
    def test_hotter_than_any_background_is_hot(self, around) -> None:
        """An uneven or hot shell bars only the verdict that nothing is left."""
        assert self.look(around).is_background is None
        found = self.look(around + 9.0 * ball(grid(self.SHAPE), (7, 7, 7), 9.0, fine=4))
        assert (found.is_background, found.why) == (False, "")

    @pytest.mark.parametrize(("suv", "verdict"), [(2.99, True), (3.0, True), (3.01, None)])
    def test_the_hottest_background(self, suv, verdict) -> None:
        assert self.look(np.full(self.SHAPE, np.float32(suv))).is_background is verdict

    def test_all_bone_is_hot_with_fluoride(self) -> None:
        assert self.look(np.full(self.SHAPE, 7.0), facts={"tracer": "NaF"}).is_background is True

    def test_a_place_that_was_not_wholly_imaged(self) -> None:
        values = self.bone()
        values[7, 7, 9] = np.nan
        found = self.look(values)
        assert found.is_background is None
        assert found.why

    def test_a_place_at_the_edge(self) -> None:
        mask = np.zeros(self.SHAPE, bool)
        mask[0, 5:9, 5:9] = True
        found = place_suv(volume(self.bone(), grid(self.SHAPE)), region(mask), settings=PET)
        assert found.is_background is None
        assert found.why == "no sphere of 1 ml centred in it lies wholly in the image"
