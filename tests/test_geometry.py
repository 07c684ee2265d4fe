"""Geometry: voxel <-> millimetres on a literal grid, against a naive loop, and on any rigid grid."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mdanderson.errors import GeometryError
from mdanderson.geometry import (
    Geometry,
    box_between,
    box_shape,
    box_within,
    common_box,
    enclosing_box,
    grow_box,
    moved_box,
    same_grid,
    same_space,
)

AXIAL = Geometry.from_axes(shape=(4, 5, 6), spacing_mm=(3.0, 0.5, 0.7), origin_mm=(-10.0, -20.0, 30.0))


@st.composite
def grids(draw):
    """Any rigid grid."""
    turn = Rotation.from_rotvec(draw(st.tuples(*(st.floats(-3, 3) for _ in range(3)))))
    return Geometry.from_axes(
        shape=draw(st.tuples(*(st.integers(1, 9) for _ in range(3)))),
        spacing_mm=draw(st.tuples(*(st.floats(0.3, 8) for _ in range(3)))),
        origin_mm=draw(st.tuples(*(st.floats(-900, 900) for _ in range(3)))),
        directions=turn.as_matrix(),
    )


class TestBirth:
    def test_axial_planes_go_to_the_head_rows_to_the_back_columns_to_the_left(self):
        assert AXIAL.to_lps([0, 0, 0]) == pytest.approx([-10, -20, 30])
        assert AXIAL.to_lps([1, 0, 0]) == pytest.approx([-10, -20, 33])
        assert AXIAL.to_lps([0, 1, 0]) == pytest.approx([-10, -19.5, 30])
        assert AXIAL.to_lps([0, 0, 1]) == pytest.approx([-9.3, -20, 30])

    def test_spacing_directions_and_voxel_volume(self):
        assert AXIAL.spacing_mm == pytest.approx((3.0, 0.5, 0.7))
        assert AXIAL.directions == pytest.approx(np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]))
        assert AXIAL.voxel_volume_mm3 == pytest.approx(1.05)

    def test_it_cannot_be_changed_from_outside(self):
        affine = np.eye(4)
        geometry = Geometry(shape=(1, 1, 1), affine=affine)
        affine[0, 3] = 99
        assert geometry.affine[0, 3] == 0
        with pytest.raises(ValueError, match="read-only"):
            geometry.affine[0, 3] = 99

    @pytest.mark.parametrize("shape", [(0, 5, 5), (5, 5), (1, 2, 3, 4), (-1, 2, 3)])
    def test_a_grid_without_three_axes_is_refused(self, shape):
        with pytest.raises(GeometryError, match="three axes"):
            Geometry(shape=shape, affine=np.eye(4))

    @pytest.mark.parametrize("affine", [np.eye(3), np.full((4, 4), np.nan), np.diag([np.inf, 1, 1, 1])])
    def test_positions_that_are_no_numbers_are_refused(self, affine):
        with pytest.raises(GeometryError, match="not finite"):
            Geometry(shape=(2, 2, 2), affine=affine)

    @pytest.mark.parametrize(("step_mm", "refused"), [(0.0, True), (1e-6, True), (2e-6, False)])
    def test_spacing_zero_is_refused(self, step_mm, refused):
        affine = np.diag([step_mm, 1, 1, 1])
        if refused:
            with pytest.raises(GeometryError, match="spacing is zero"):
                Geometry(shape=(2, 2, 2), affine=affine)
        else:
            assert Geometry(shape=(2, 2, 2), affine=affine).spacing_mm[0] == step_mm

    @pytest.mark.parametrize(("shear", "refused"), [(0.0009, False), (0.0011, True), (0.2, True)])
    def test_a_shear_is_refused(self, shear, refused):
        affine = np.eye(4)
        affine[1, 0] = shear  # gantry tilt: each plane a little further back
        if refused:
            with pytest.raises(GeometryError, match="sheared"):
                Geometry(shape=(2, 2, 2), affine=affine)
        else:
            assert Geometry(shape=(2, 2, 2), affine=affine).spacing_mm[0] == pytest.approx(1.0, abs=1e-5)


class TestPlaces:
    @given(grids())
    def test_there_and_back(self, geometry):
        index = np.array(list(itertools.product((0.0, 1.5, 8.0), repeat=3)))
        assert geometry.to_voxel(geometry.to_lps(index)) == pytest.approx(index, abs=1e-6)

    @given(grids())
    def test_against_a_naive_walk_along_the_axes(self, geometry):
        index = (2, 3, 1)
        place = np.array(geometry.affine[:3, 3])
        for axis, count in enumerate(index):
            for _ in range(count):
                place += geometry.directions[axis] * geometry.spacing_mm[axis]
        assert geometry.to_lps(index) == pytest.approx(place, abs=1e-6)

    def test_shapes_are_kept(self):
        assert AXIAL.to_lps(np.zeros((2, 7, 3))).shape == (2, 7, 3)
        assert AXIAL.to_voxel(np.zeros(3)).shape == (3,)

    def test_a_voxel_ends_half_way_to_the_next(self):
        ends = AXIAL.to_lps([[-0.5, 0, 0], [-0.51, 0, 0], [3.49, 0, 0], [3.5, 0, 0], [0, 4.49, 5.49], [0, 4.51, 0]])
        assert AXIAL.contains(ends).tolist() == [True, False, True, False, True, False]

    def test_the_corners_are_the_outer_ones(self):
        corners = AXIAL.corners_lps_mm()
        assert corners.min(axis=0) == pytest.approx([-10.35, -20.25, 28.5])
        assert corners.max(axis=0) == pytest.approx([-6.15, -17.75, 40.5])


class TestBoxes:
    BOX = (slice(1, 3), slice(2, 5), slice(0, 2))
    OTHER = (slice(2, 6), slice(0, 4), slice(1, 9))

    def test_the_shape(self):
        assert box_shape(self.BOX) == (2, 3, 2)

    @given(grids())
    def test_a_crop_keeps_every_voxel_in_its_place(self, geometry):
        box = tuple(slice(n // 3, n) for n in geometry.shape)
        part = geometry.crop(box)
        assert part.shape == box_shape(box)
        starts = np.array([part.start for part in box])
        assert part.to_lps([1, 2, 3]) == pytest.approx(geometry.to_lps(np.add(starts, [1, 2, 3])), abs=1e-6)

    @pytest.mark.parametrize(
        ("margin_mm", "grown"),
        [
            (0.0, (slice(1, 3), slice(2, 5), slice(0, 2))),
            (0.5, (slice(0, 4), slice(1, 5), slice(0, 3))),
            (0.51, (slice(0, 4), slice(0, 5), slice(0, 3))),
            (99.0, (slice(0, 4), slice(0, 5), slice(0, 6))),
        ],
    )
    def test_it_grows_by_whole_voxels_and_stays_inside(self, margin_mm, grown):
        assert grow_box(self.BOX, AXIAL, margin_mm) == grown

    def test_between_two_corners(self):
        assert box_between([1, 2, 0], np.array([3, 5, 2])) == self.BOX

    def test_the_smallest_that_holds_several(self):
        assert enclosing_box([self.BOX]) == self.BOX
        assert enclosing_box(iter([self.BOX, self.OTHER])) == (slice(1, 6), slice(0, 5), slice(0, 9))

    def test_what_two_share(self):
        shared = (slice(2, 3), slice(2, 4), slice(1, 2))
        assert common_box(self.BOX, self.OTHER) == common_box(self.OTHER, self.BOX) == shared

    @pytest.mark.parametrize("axis", range(3))
    def test_boxes_side_by_side_share_nothing(self, axis):
        beside = list(self.BOX)
        beside[axis] = slice(self.BOX[axis].stop, self.BOX[axis].stop + 2)
        assert common_box(self.BOX, tuple(beside)) is None

    def test_counted_from_a_larger_one_and_back(self):
        outer = (slice(1, 9), slice(1, 9), slice(0, 9))
        inner = box_within(self.BOX, outer)
        assert inner == (slice(0, 2), slice(1, 4), slice(0, 2))
        assert moved_box(inner, (part.start for part in outer)) == self.BOX
        array = np.arange(1000).reshape(10, 10, 10)
        assert np.array_equal(array[outer][inner], array[self.BOX])


class TestSameness:
    @pytest.mark.parametrize(
        ("one", "other", "same"), [("", "", True), ("1.2", "", True), ("1.2", "1.2", True), ("1.2", "1.3", False)]
    )
    def test_a_space_is_known_by_its_frame_of_reference(self, one, other, same):
        first, second = (AXIAL.moved(np.eye(4), frame_of_reference_uid=uid) for uid in (one, other))
        assert same_space(first, second) is same_space(second, first) is same
        assert same_grid(first, second) is same_grid(second, first) is same

    @pytest.mark.parametrize(("off_mm", "same"), [(0.0009, True), (0.0011, False)])
    def test_a_grid_by_its_corners(self, off_mm, same):
        shift = np.eye(4)
        shift[0, 3] = off_mm
        assert same_grid(AXIAL, AXIAL.moved(shift)) is same

    def test_the_same_corners_with_other_voxels_are_another_grid(self):
        other = Geometry.from_axes(shape=(2, 5, 6), spacing_mm=(6.0, 0.5, 0.7), origin_mm=(-10.0, -20.0, 31.5))
        assert other.corners_lps_mm() == pytest.approx(AXIAL.corners_lps_mm())
        assert not same_grid(AXIAL, other)

    def test_a_grid_is_carried_along(self):
        quarter = np.array([[0.0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
        carried = AXIAL.moved(quarter)
        assert carried.to_lps([1, 0, 1]) == pytest.approx([25, -3.3, 40])
        assert carried.frame_of_reference_uid == ""
