"""Matching: the rule on plain balls whose fate is known, a crowded torso, and what must hold for any lesions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mdanderson.errors import MeasurementError
from mdanderson.matching import Match, MatchKind, Place, match
from mdanderson.matching.drift import Drift, estimate_drift
from mdanderson.settings import ImageSettings

SETTINGS = ImageSettings()
FOLLOWED, NEW, VANISHED = MatchKind.FOLLOWED, MatchKind.NEW, MatchKind.VANISHED
MERGED, SPLIT, AMBIGUOUS = MatchKind.MERGED, MatchKind.SPLIT, MatchKind.AMBIGUOUS


def ball(key, centre, diameter_mm, *, voxel_mm=(1.0, 1.0, 1.0), but_not=()):
    """Voxel centres of a ball, on a grid of its own; `but_not` cuts other balls (centre, diameter) out."""
    return union(key, [(centre, diameter_mm)], voxel_mm=voxel_mm, but_not=but_not)


def union(key, balls, *, voxel_mm=(1.0, 1.0, 1.0), but_not=()):
    """Voxel centres of several balls in one label; thick slices lie along z."""
    step = np.array(voxel_mm)[::-1]
    low = np.min([np.array(c) - d / 2 for c, d in balls], axis=0) - step
    high = np.max([np.array(c) + d / 2 for c, d in balls], axis=0) + step
    axes = [np.arange(np.floor(a / s) * s, b + s, s) for a, b, s in zip(low, high, step, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = np.any([np.linalg.norm(points - c, axis=1) <= d / 2 for c, d in balls], axis=0)
    for centre, diameter_mm in but_not:
        inside &= np.linalg.norm(points - centre, axis=1) > diameter_mm / 2
    return Place(key=key, points_lps_mm=points[inside], voxel_mm=voxel_mm)


def fates(matches):
    return sorted((str(m.kind), m.known, m.found) for m in matches)


def told(known, found, *, error_mm=1.0, **kwargs):
    return fates(match(known, found, error_mm=error_mm, settings=SETTINGS, **kwargs))


A, B = ball("A", (0, 0, 0), 16), ball("B", (40, 0, 0), 12)


class TestPlace:
    def test_a_ball_of_ten_millimetres(self):
        place = ball("a", (3.0, -2.0, 50.0), 10.0, voxel_mm=(0.5, 0.5, 0.5))
        assert place.centroid_lps_mm == pytest.approx([3, -2, 50], abs=0.01)
        assert place.radius_mm == pytest.approx(5.0, abs=0.05)
        assert place.reach_mm == pytest.approx(5.0, abs=0.01)

    def test_one_voxel(self):
        place = Place(key="a", points_lps_mm=np.zeros((1, 3)), voxel_mm=(3.0, 1.0, 1.0))
        assert (place.reach_mm, place.volume_mm3) == (0.0, 3.0)
        assert place.grain_mm == pytest.approx(np.sqrt(11) / 2)

    def test_very_many_voxels_are_thinned_and_the_grain_grows(self):
        place = ball("a", (0, 0, 0), 40.0)
        assert len(place.points_lps_mm) > 32_000
        assert len(place.sample_mm) == 4000
        assert place.grain_mm == pytest.approx(np.sqrt(3) / 2 * (len(place.points_lps_mm) / 4000) ** (1 / 3))

    @pytest.mark.parametrize("points", [np.empty((0, 3)), np.zeros((2, 2)), np.zeros(3), np.full((1, 3), np.nan)])
    def test_no_place_is_refused(self, points):
        with pytest.raises(MeasurementError, match="without a place @ a"):
            Place(key="a", points_lps_mm=points, voxel_mm=(1.0, 1.0, 1.0))

    def test_no_voxel_size_is_refused(self):
        with pytest.raises(MeasurementError, match="without a size @ a"):
            Place(key="a", points_lps_mm=np.zeros((1, 3)), voxel_mm=(1.0, 0.0, 1.0))


class TestOneByOne:
    def test_nothing_known_nothing_found(self):
        assert match([], [], error_mm=0.0, settings=SETTINGS) == ()

    def test_only_known_or_only_found(self):
        assert told([A], []) == [("vanished", ("A",), ())]
        assert told([], [A]) == [("new", (), ("A",))]

    @pytest.mark.parametrize("factor", [0.3, 0.5, 1.0, 1.8, 3.0])
    @pytest.mark.parametrize("voxel_mm", [(1.0, 1.0, 1.0), (3.0, 0.8, 0.8), (5.0, 1.0, 1.0)])
    def test_a_lesion_that_grows_or_shrinks_is_followed(self, factor, voxel_mm):
        later = ball("a", (1, 0, 0), 16 * factor, voxel_mm=voxel_mm)
        assert told([A, B], [later]) == [("followed", ("A",), ("a",)), ("vanished", ("B",), ())]

    def test_a_lesion_that_grows_to_one_side_is_followed(self):
        assert told([A], [ball("a", (10, 0, 0), 36)]) == [("followed", ("A",), ("a",))]

    @pytest.mark.parametrize("gap_mm", [0.5, 1, 2, 4, 8])
    @pytest.mark.parametrize("diameter_mm", [6, 12])
    def test_a_new_neighbour_is_new(self, gap_mm, diameter_mm):
        neighbour = ball("n", (8 + gap_mm + diameter_mm / 2, 0, 0), diameter_mm)
        assert told([A], [ball("a", (0, 0, 0), 16), neighbour]) == [
            ("followed", ("A",), ("a",)),
            ("new", (), ("n",)),
        ]

    def test_a_new_neighbour_of_a_shrunken_lesion_is_new(self):
        assert told([A], [ball("a", (0, 0, 0), 8), ball("n", (13, 0, 0), 8)]) == [
            ("followed", ("A",), ("a",)),
            ("new", (), ("n",)),
        ]

    def test_a_grown_lesion_beside_its_small_neighbour(self):
        # A reaches round B: without counting voxels, B would look merged into it.
        known = [A, ball("B", (13, 0, 0), 6)]
        found = [ball("a", (0, 0, 0), 28, but_not=[((13, 0, 0), 6)]), ball("b", (13, 0, 0), 6)]
        assert told(known, found) == [("followed", ("A",), ("a",)), ("followed", ("B",), ("b",))]

    def test_merged(self):
        found = union("m", [((0, 0, 0), 20), ((17, 0, 0), 16)])
        assert told([A, ball("B", (18, 0, 0), 12)], [found]) == [("merged", ("A", "B"), ("m",))]

    def test_three_merged_while_one_beside_them_vanished(self):
        known = [ball(k, (x, 0, 0), 8) for k, x in (("A", 0), ("B", 12), ("C", 24), ("D", 44))]
        found = union("m", [((x, 0, 0), 10) for x in (0, 6, 12, 18, 24)])
        assert told(known, [found]) == [("merged", ("A", "B", "C"), ("m",)), ("vanished", ("D",), ())]

    def test_split(self):
        known = union("A", [((0, 0, 0), 14), ((8, 0, 0), 14), ((16, 0, 0), 14)])
        assert told([known], [ball("x", (0, 0, 0), 9), ball("y", (16, 0, 0), 10)]) == [("split", ("A",), ("x", "y"))]

    def test_cut_anew_is_one_group(self):
        known = [union("A", [((0, 0, 0), 14), ((10, 0, 0), 14)]), ball("B", (24, 0, 0), 12)]
        found = [ball("x", (-2, 0, 0), 10), union("y", [((10, 0, 0), 12), ((24, 0, 0), 14), ((17, 0, 0), 12)])]
        assert told(known, found) == [("merged", ("A", "B"), ("x", "y"))]


class TestError:
    @pytest.mark.parametrize("shift_mm", [0.0, 4.0, 7.0])
    def test_a_lone_lesion_moves_with_the_error(self, shift_mm):
        assert told([ball("A", (0, 0, 0), 6)], [ball("a", (shift_mm, 0, 0), 6)], error_mm=8.0) == [
            ("followed", ("A",), ("a",))
        ]

    def test_what_the_error_does_not_explain_is_not_guessed(self):
        # A small lesion beside the place of a large one: half of it within the error, its far side not.
        known, found = [ball("A", (0, 0, 0), 16)], [ball("a", (16, 0, 0), 5)]
        assert told(known, found, error_mm=7.6) == [("ambiguous", ("A",), ("a",))]
        assert told(known, found, error_mm=3.0) == [("new", (), ("a",)), ("vanished", ("A",), ())]

    def test_no_further_than_the_error(self):
        # Half of a ball of 6 mm lies about 6 - 0.87 mm outside one that is 9 mm off: above 5, below 8.
        known, found = [ball("A", (0, 0, 0), 6)], [ball("a", (9, 0, 0), 6)]
        assert told(known, found, error_mm=8.0) == [("followed", ("A",), ("a",))]
        assert told(known, found, error_mm=5.0) == [("new", (), ("a",)), ("vanished", ("A",), ())]

    def test_the_error_is_believed_up_to_the_reach(self):
        known, found = [ball("A", (0, 0, 0), 6)], [ball("a", (14, 0, 0), 6)]
        assert told(known, found, error_mm=50.0) == [("new", (), ("a",)), ("vanished", ("A",), ())]
        wide = ImageSettings(matching_reach_mm=20.0)
        assert fates(match(known, found, error_mm=50.0, settings=wide)) == [("followed", ("A",), ("a",))]

    def test_one_found_between_two_known_is_ambiguous(self):
        known = [ball("A", (0, 0, 0), 6), ball("B", (14, 0, 0), 6)]
        assert told(known, [ball("x", (7, 0, 0), 6)], error_mm=8.0) == [("ambiguous", ("A", "B"), ("x",))]

    def test_found_at_one_place_while_the_error_would_take_it_to_another(self):
        known = [ball("A", (0, 0, 0), 6), ball("B", (8, 0, 0), 6)]
        assert told(known, [ball("x", (8, 0, 0), 6)], error_mm=8.0) == [("ambiguous", ("A", "B"), ("x",))]

    def test_the_same_with_a_small_error_is_told(self):
        known = [ball("A", (0, 0, 0), 6), ball("B", (8, 0, 0), 6)]
        assert told(known, [ball("x", (8, 0, 0), 6)], error_mm=3.0) == [
            ("followed", ("B",), ("x",)),
            ("vanished", ("A",), ()),
        ]

    def test_each_in_its_place_is_told_whatever_the_error(self):
        known = [ball("A", (0, 0, 0), 6), ball("B", (8, 0, 0), 6)]
        found = [ball("a", (0, 0, 0), 6), ball("b", (8, 0, 0), 6)]
        assert told(known, found, error_mm=8.0) == [("followed", ("A",), ("a",)), ("followed", ("B",), ("b",))]

    def test_a_chain_moved_by_its_own_step_stays_ambiguous(self):
        # Two of two agree on the shift; two votes are too few to take it as common.
        known = [ball("A", (0, 0, 0), 6), ball("B", (8, 0, 0), 6)]
        found = [ball("a", (8, 0, 0), 6), ball("b", (16, 0, 0), 6)]
        assert told(known, found, error_mm=8.0) == [("ambiguous", ("A", "B"), ("a", "b"))]

    def test_what_all_share_is_taken_away(self):
        centres = [(0, 0, 0), (8, 0, 0), (60, 5, 0), (0, 70, 30)]
        known = [ball(f"K{k}", c, 6) for k, c in enumerate(centres)]
        found = [ball(f"f{k}", np.add(c, (8, 0, 0)), 6) for k, c in enumerate(centres)]
        assert told(known, found, error_mm=8.0) == [("followed", (f"K{k}",), (f"f{k}",)) for k in range(4)]

    @pytest.mark.parametrize("count", [3, 5])
    def test_nothing_is_taken_away_that_two_shifts_explain(self, count):
        # A row moved by its own step: all but one fit unmoved, all fit moved. Nobody can be sure.
        known = [ball(f"K{k}", (8 * k, 0, 0), 6) for k in range(count)]
        found = [ball(f"f{k}", (8 * k + 8, 0, 0), 6) for k in range(count)]
        assert {kind for kind, _, _ in told(known, found, error_mm=8.0)} == {"ambiguous"}


class TestDrift:
    """What registration left over, as the lesions show it."""

    CENTRES = np.random.default_rng(8).uniform((-120, -80, -200), (120, 80, 200), (24, 3))

    def found(self, offsets) -> Drift:
        return estimate_drift(self.CENTRES, self.CENTRES + offsets, error_mm=9.0, reach_mm=8.0)

    def test_none(self):
        drift = self.found(np.zeros(3))
        assert (drift.common_mm.tolist(), drift.error_mm) == ([0, 0, 0], 1.5)

    @pytest.mark.parametrize("length_mm", [2.0, 8.0])
    def test_a_common_shift(self, length_mm):
        shift = length_mm * np.array([0.6, 0.0, -0.8])
        drift = self.found(shift)
        np.testing.assert_allclose(drift.at(self.CENTRES), np.broadcast_to(shift, (24, 3)), atol=1e-9)
        assert drift.error_mm == 1.5

    def test_a_turn(self):
        offsets = np.cross([0.0, 0.03, 0.0], self.CENTRES) + np.array([1.0, 0.0, 2.0])
        assert np.linalg.norm(offsets, axis=1).max() > 6
        drift = self.found(offsets)
        np.testing.assert_allclose(drift.turn, [0.0, 0.03, 0.0], atol=1e-3)
        np.testing.assert_allclose(drift.at(self.CENTRES), offsets, atol=0.2)
        assert drift.error_mm == 1.5

    def test_lesions_near_by_share_it(self):
        near = np.random.default_rng(1).normal(0, 12, (8, 3))
        centres = np.concatenate([near + np.array([x, 0, 0]) for x in (-200, 0, 200)])
        offsets = np.repeat([[0.0, 3.0, 0.0], [0.0, -0.5, 0.0], [0.0, 0.0, 3.0]], 8, axis=0)
        drift = estimate_drift(centres, centres + offsets, error_mm=6.0, reach_mm=8.0)
        assert drift.error_mm == 1.5
        np.testing.assert_allclose(drift.at(centres + offsets / 2), offsets, atol=0.5)

    def test_every_lesion_its_own_is_no_drift(self):
        own = np.random.default_rng(2).normal(size=(24, 3))
        drift = self.found(8 * own / np.linalg.norm(own, axis=1, keepdims=True))
        assert (drift.error_mm, drift.common_mm.tolist(), len(drift.middles_mm)) == (9.0, [0, 0, 0], 0)

    def test_seen_backwards_it_has_the_other_sign(self):
        offsets = np.cross([0.01, 0.02, 0.0], self.CENTRES) + np.random.default_rng(3).normal(0, 0.7, (24, 3))
        forth = self.found(offsets)
        back = estimate_drift(self.CENTRES + offsets, self.CENTRES, error_mm=9.0, reach_mm=8.0)
        middles = self.CENTRES + offsets / 2
        np.testing.assert_allclose(back.at(middles), -forth.at(middles), atol=1e-6)
        assert back.error_mm == pytest.approx(forth.error_mm)

    def test_nothing_within_reach(self):
        drift = estimate_drift(np.zeros((1, 3)), np.full((2, 3), 90.0), error_mm=4.0, reach_mm=8.0)
        assert (drift.error_mm, drift.common_mm.tolist()) == (4.0, [0, 0, 0])


class TestCut:
    """The edge of the later image runs through z = 0; below it nothing is seen."""

    @staticmethod
    def shown(place: Place, above: float = 0.0) -> Place:
        return place.shown(place.points_lps_mm[:, 2] > above)

    def test_all_in_view_is_not_cut(self):
        assert self.shown(A, -50.0) is A

    def test_a_part_in_view_is_what_counts(self):
        part = self.shown(A)
        assert part.cut
        assert part.points_lps_mm[:, 2].min() > 0

    def test_out_of_view_it_is_whole_and_cut(self):
        beyond = self.shown(A, 50.0)
        assert beyond.cut
        np.testing.assert_array_equal(beyond.points_lps_mm, A.points_lps_mm)

    def test_a_sliver_of_a_lesion_is_followed(self):
        known, sliver = ball("A", (0, 0, -7), 16), self.shown(ball("a", (0, 0, -7), 16))
        assert told([self.shown(known)], [sliver]) == [("followed", ("A",), ("a",))]

    @pytest.mark.parametrize(("depth_mm", "fate"), [(3, "followed"), (8, "followed"), (14, "new")])
    def test_a_lesion_may_have_grown_into_view(self, depth_mm, fate):
        """Known wholly below the edge, its top 1, 6, 12 mm away; a cut lesion of 4 mm height above it."""
        known = self.shown(ball("A", (0, 0, -8 - depth_mm + 2), 16), 0.0)
        found = self.shown(ball("a", (0, 0, -4), 16))
        assert known.cut
        assert told([known], [found])[0][0] == fate

    def test_uncut_neighbours_are_not_pulled_together(self):
        assert told([ball("A", (0, 0, -10), 16)], [ball("a", (0, 0, 7), 12)])[0][0] == "new"


class TestIdentities:
    def test_a_name_wins_over_place(self):
        found = [ball("a", (0, 0, 0), 16)]
        assert told([A, B], found, identities={"a": "B"}) == [("followed", ("B",), ("a",)), ("vanished", ("A",), ())]

    def test_two_of_one_name_are_a_split(self):
        found = [ball("a", (0, 0, 0), 16), ball("b", (90, 0, 0), 16)]
        assert told([A], found, identities={"b": "A", "a": "A"}) == [("split", ("A",), ("a", "b"))]

    def test_a_name_nobody_knows_is_new(self):
        assert told([A], [ball("a", (0, 0, 0), 16)], identities={"a": "L99"}) == [
            ("new", (), ("a",)),
            ("vanished", ("A",), ()),
        ]

    def test_names_of_lesions_that_were_not_found_are_nothing(self):
        assert told([A], [ball("a", (0, 0, 0), 16)], identities={"z": "A"}) == [("followed", ("A",), ("a",))]


class TestRefused:
    @pytest.mark.parametrize(("known", "found"), [([A, A], []), ([], [A, A])])
    def test_keys_that_repeat(self, known, found):
        with pytest.raises(MeasurementError, match="one key"):
            match(known, found, error_mm=0.0, settings=SETTINGS)

    @pytest.mark.parametrize("error_mm", [-1.0, float("nan")])
    def test_an_error_that_is_no_length(self, error_mm):
        with pytest.raises(MeasurementError, match="register the images first"):
            match([A], [B], error_mm=error_mm, settings=SETTINGS)

    def test_an_infinite_error_is_the_reach(self):
        assert told([A], [ball("a", (0, 0, 0), 16)], error_mm=float("inf")) == [("followed", ("A",), ("a",))]


def torso(rng, *, apart_mm):
    """60 balls of 6-25 mm in a torso box, their outlines at least `apart_mm` apart."""
    balls = []
    while len(balls) < 60:
        centre, diameter = rng.uniform((-150, -90, -250), (150, 90, 250)), rng.uniform(6, 25)
        if all(np.linalg.norm(centre - c) > (diameter + d) / 2 + apart_mm for c, d in balls):
            balls.append((centre, diameter))
    return balls


def crowd(seed, shift_mm, *, jitter_mm=0.7):
    """Sixty known lesions, 58 of them kept, and what must be found: two gone, five new close by, a merge, a split."""
    rng = np.random.default_rng(seed)
    balls = torso(rng, apart_mm=18)
    direction = rng.normal(size=3)
    shift = shift_mm * direction / np.linalg.norm(direction)
    moved = [np.array(c) + shift + rng.normal(0, jitter_mm, 3) for c, _ in balls]
    factor = rng.uniform(0.5, 1.8, 60)
    size = [min(f * d, d + 16) for f, (_, d) in zip(factor, balls, strict=True)]
    known = [ball(f"K{k:02}", c, d, voxel_mm=(1.5, 1.5, 1.5)) for k, (c, d) in enumerate(balls)]
    found, truth = [], [("vanished", (f"K{k:02}",), ()) for k in (58, 59)]
    for k in range(56):
        found.append(ball(f"f{k:02}", moved[k], size[k], voxel_mm=(3.0, 1.2, 1.2)))
        truth.append(("followed", (f"K{k:02}",), (f"f{k:02}",)))
    # two neighbours 8 mm apart whose union is found as one; one lesion of which two ends are left
    known += [ball("M1", (300, 0, 0), 14), ball("M2", (322, 0, 0), 14)]
    found.append(union("m", [(np.array((x, 0, 0)) + shift, 16) for x in (300, 311, 322)], voxel_mm=(3.0, 1.2, 1.2)))
    truth.append(("merged", ("M1", "M2"), ("m",)))
    known.append(union("S", [((x, 0, 0), 14) for x in (-300, -310, -320)]))
    found += [ball(f"s{k}", np.array((x, 0, 0)) + shift, 9) for k, x in enumerate((-300, -320))]
    truth.append(("split", ("S",), ("s0", "s1")))
    for k in range(5):
        beside = np.array((size[k] / 2 + 4.0 + 4.0, 0, 0))
        found.append(ball(f"n{k}", moved[k] + beside, 8))
        truth.append(("new", (), (f"n{k}",)))
    for k in (56, 57):
        found.append(ball(f"f{k:02}", moved[k], size[k]))
        truth.append(("followed", (f"K{k:02}",), (f"f{k:02}",)))
    return known, found, sorted(truth)


@pytest.mark.parametrize("shift_mm", [0.0, 3.0, 5.0, 8.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_sixty_lesions_none_wrong(seed, shift_mm):
    known, found, truth = crowd(seed, shift_mm)
    assert told(known, found, error_mm=shift_mm + 0.5) == truth


lesion = st.tuples(st.tuples(*(st.integers(-20, 20) for _ in range(3))), st.sampled_from([2.0, 4.0, 6.0, 11.0, 19.0]))


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    known=st.lists(lesion, max_size=5),
    found=st.lists(lesion, max_size=5),
    error_mm=st.sampled_from([0.0, 2.0, 3.0, 5.0, 8.0]),
    named=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_every_key_once_in_any_order(known, found, error_mm, named, order):
    here = [ball(f"K{k}", c, d, voxel_mm=(1.0, 2.0, 1.0)) for k, (c, d) in enumerate(known)]
    there = [ball(f"f{k}", c, d) for k, (c, d) in enumerate(found)]
    identities = {"f0": "K1"} if named else None
    result = match(here, there, error_mm=error_mm, settings=SETTINGS, identities=identities)
    assert sorted(key for m in result for key in m.known) == sorted(place.key for place in here)
    assert sorted(key for m in result for key in m.found) == sorted(place.key for place in there)
    for m in result:
        counts_fit(m)
    if error_mm <= 3.0:
        assert all(m.kind is not AMBIGUOUS for m in result)
    order.shuffle(here)
    order.shuffle(there)
    assert match(here, there, error_mm=error_mm, settings=SETTINGS, identities=identities) == result


def counts_fit(one: Match) -> None:
    """The kind says how many there are on each side."""
    known, found = len(one.known), len(one.found)
    assert {
        FOLLOWED: known == 1 and found == 1,
        NEW: known == 0 and found == 1,
        VANISHED: known == 1 and found == 0,
        MERGED: known > 1 and found >= 1,
        SPLIT: known == 1 and found > 1,
        AMBIGUOUS: known >= 1 and found >= 1,
    }[one.kind]


@hypothesis_settings(max_examples=20, deadline=None)
@given(shift=st.tuples(*(st.floats(-500, 500) for _ in range(3))))
def test_the_place_of_the_origin_does_not_matter(shift):
    known, found = [A, B], [ball("a", (1, 0, 0), 12), ball("n", (20, 0, 0), 9)]

    def carried(places):
        return [Place(key=p.key, points_lps_mm=p.points_lps_mm + np.array(shift), voxel_mm=p.voxel_mm) for p in places]

    assert told(carried(known), carried(found)) == told(known, found)


MIRRORED = {"followed": "followed", "ambiguous": "ambiguous", "new": "vanished", "vanished": "new"}


def backwards(told_fates):
    """What is said when the later visit comes first: a merge of several by several is one seen from either side."""
    turned = []
    for kind, known, found in told_fates:
        kind_now = MIRRORED.get(kind) or ("merged" if len(found) > 1 else "split")
        turned.append((kind_now, found, known))
    return sorted(turned)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    known=st.lists(lesion, max_size=5),
    found=st.lists(lesion, max_size=5),
    error_mm=st.sampled_from([0.0, 2.0, 3.0, 5.0, 8.0]),
)
def test_time_reversed_merges_split_and_new_ones_vanish(known, found, error_mm):
    here = [ball(f"K{k}", c, d, voxel_mm=(1.0, 2.0, 1.0)) for k, (c, d) in enumerate(known)]
    there = [ball(f"f{k}", c, d) for k, (c, d) in enumerate(found)]
    assert told(there, here, error_mm=error_mm) == backwards(told(here, there, error_mm=error_mm))


def moved(places, matrix, shift=(0.0, 0.0, 0.0)):
    return [Place(key=p.key, points_lps_mm=p.points_lps_mm @ matrix.T + shift, voxel_mm=p.voxel_mm) for p in places]


@pytest.mark.parametrize("shift_mm", [1.0, 8.0])
@hypothesis_settings(max_examples=4, deadline=None)
@given(turn=st.tuples(*(st.floats(-180, 180) for _ in range(3))), mirrored=st.booleans())
def test_rotated_and_mirrored_the_same_is_told(shift_mm, turn, mirrored):
    known, found, truth = crowd(5, shift_mm)
    matrix = Rotation.from_rotvec(turn, degrees=True).as_matrix() * (-1.0 if mirrored else 1.0)
    assert (
        told(
            moved(known, matrix, (7.0, -90.0, 31.0)), moved(found, matrix, (7.0, -90.0, 31.0)), error_mm=shift_mm + 0.5
        )
        == truth
    )


@hypothesis_settings(max_examples=4, deadline=None)
@given(order=st.randoms(use_true_random=False))
def test_names_do_not_matter(order):
    known, found, truth = crowd(6, 6.0)
    names = [p.key for p in (*known, *found)]
    others = [f"{number:03}" for number in range(len(names))]
    order.shuffle(others)
    new = dict(zip(names, others, strict=True))

    def renamed(places):
        return [Place(key=new[p.key], points_lps_mm=p.points_lps_mm, voxel_mm=p.voxel_mm) for p in places]

    expected = [(k, tuple(sorted(new[x] for x in a)), tuple(sorted(new[x] for x in b))) for k, a, b in truth]
    assert told(renamed(known), renamed(found), error_mm=6.5) == sorted(expected)
