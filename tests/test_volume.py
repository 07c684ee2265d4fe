"""Volume, Region, Mask: what they refuse, and what a label goes through on the way to another grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from mdanderson.errors import ImageError, MaskError
from mdanderson.geometry import Geometry
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region, Unit, Volume


def grid(shape=(6, 8, 10), spacing=(2.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), uid="1.2.3", **kwargs) -> Geometry:
    return Geometry.from_axes(shape=shape, spacing_mm=spacing, origin_mm=origin, frame_of_reference_uid=uid, **kwargs)


def label_map(geometry: Geometry, *boxes: tuple[slice, slice, slice]) -> np.ndarray:
    labels = np.zeros(geometry.shape, dtype=np.uint8)
    for label, box in enumerate(boxes, start=1):
        labels[box] = label
    return labels


def volume(array: np.ndarray, **kwargs) -> Volume:
    return Volume(array=array, geometry=grid(array.shape), unit=Unit.HU, modality=Modality.CT, **kwargs)


class TestVolume:
    def test_other_shape_than_its_grid(self):
        with pytest.raises(ImageError, match="voxels on a grid of"):
            Volume(array=np.zeros((1, 2, 3)), geometry=grid(), unit=Unit.HU, modality=Modality.CT)

    @pytest.mark.parametrize("dtype", [bool, complex, "U1"])
    def test_values_that_are_no_real_numbers(self, dtype):
        with pytest.raises(ImageError, match="voxels of type"):
            volume(np.zeros((1, 2, 3), dtype=dtype))

    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_infinite_values(self, value):
        with pytest.raises(ImageError, match="infinite"):
            volume(np.full((1, 2, 3), value))

    def test_is_read_only_and_leaves_the_given_array_writable(self):
        array = np.zeros((1, 2, 3))
        kept = volume(array)
        with pytest.raises(ValueError, match="read-only"):
            kept.array[0, 0, 0] = 1
        array[0, 0, 0] = 1

    def test_crop_keeps_the_place_of_every_voxel(self):
        whole = volume(np.arange(480).reshape(6, 8, 10))
        part = whole.crop((slice(2, 4), slice(1, 3), slice(5, 9)))
        assert part.array[1, 1, 2] == whole.array[3, 2, 7]
        np.testing.assert_allclose(part.geometry.to_lps((1, 1, 2)), whole.geometry.to_lps((3, 2, 7)))
        assert np.shares_memory(part.array, whole.array)

    def test_imaged_leaves_out_padding_and_nan(self):
        array = np.array([[[-2000.0, np.nan, 5.0]]])
        box = (slice(0, 1), slice(0, 1), slice(0, 3))
        assert volume(array, padding=-2000.0).imaged(box).tolist() == [[[False, False, True]]]
        assert volume(array).imaged(box).tolist() == [[[True, False, True]]]
        assert volume(np.array([[[-2000, 0, 5]]]), padding=-2000).imaged(box).tolist() == [[[False, True, True]]]


class TestRegion:
    box = (slice(0, 1), slice(0, 1), slice(0, 2))

    @pytest.mark.parametrize("label", [0, -1])
    def test_label_must_be_positive(self, label):
        with pytest.raises(MaskError, match=f"label {label}"):
            Region(label=label, box=self.box, voxels=np.ones((1, 1, 2), dtype=bool))

    def test_must_not_be_empty_nor_of_another_shape(self):
        with pytest.raises(MaskError, match="empty"):
            Region(label=1, box=self.box, voxels=np.zeros((1, 1, 2), dtype=bool))
        with pytest.raises(MaskError, match="fill its box"):
            Region(label=1, box=self.box, voxels=np.ones((1, 1, 3), dtype=bool))

    def test_from_array_cuts_to_size(self):
        array = np.zeros((4, 5, 6), dtype=bool)
        array[1:3, 2, 3:5] = True
        region = Region.from_array(array, label=7, name="rib", tracking_uid="1.2")
        assert region is not None
        assert region.box == (slice(1, 3), slice(2, 3), slice(3, 5))
        assert region.voxels.all()
        assert (region.label, region.name, region.tracking_uid) == (7, "rib", "1.2")
        assert Region.from_array(np.zeros((2, 2, 2), dtype=bool), label=1) is None

    def test_several_as_one_under_the_first_label(self):
        corner = Region(label=7, box=(slice(1, 2), slice(1, 3), slice(2, 4)), voxels=np.ones((1, 2, 2), dtype=bool))
        apart = Region(label=2, box=(slice(3, 4), slice(0, 1), slice(3, 5)), voxels=np.array([[[False, True]]]))
        one = Region.together([corner, apart])
        assert (one.label, one.box) == (7, (slice(1, 4), slice(0, 3), slice(2, 5)))
        painted = np.zeros((6, 8, 10), dtype=bool)
        painted[1, 1:3, 2:4] = painted[3, 0, 4] = True
        assert np.array_equal(one.voxels, painted[one.box])


class TestLabelMap:
    def test_a_literal_sample(self):
        labels = np.zeros((6, 8, 10), dtype=np.uint8)
        labels[1:3, 2:4, 5:9] = 3
        labels[5, 7, 9] = 200
        labels[0, 0, 0] = 3  # a second part of the same lesion
        mask = Mask.from_label_map(labels, grid(), names={3: "L3"}, source="a.nii")
        assert [region.label for region in mask] == [3, 200]
        assert mask[3].box == (slice(0, 3), slice(0, 4), slice(0, 9))
        assert mask[3].voxels.sum() == 17
        assert (mask[3].name, mask[200].name, mask.source) == ("L3", "", "a.nii")
        np.testing.assert_array_equal(mask.to_label_map(), labels)

    def test_nothing_segmented(self):
        mask = Mask.from_label_map(np.zeros((6, 8, 10), dtype=np.int16), grid())
        assert len(mask) == 0
        assert mask.to_label_map().sum() == 0

    @settings(max_examples=150, deadline=None)
    @given(
        labels=hnp.arrays(
            dtype=st.sampled_from([np.uint8, np.uint16, np.int16, np.int64, np.float32, ">u2"]),
            shape=st.tuples(st.integers(1, 70), st.integers(1, 4), st.integers(1, 5)),
            elements=st.sampled_from([0, 0, 0, 1, 2, 9]),
            fill=st.just(0),
        ),
        fortran=st.booleans(),
        flip=st.booleans(),
    )
    def test_boxes_are_those_of_find_objects(self, labels, fortran, flip):
        labels = np.asfortranarray(labels) if fortran else labels
        labels = labels[::-1] if flip else labels
        mask = Mask.from_label_map(labels, grid(labels.shape))
        found = ndimage.find_objects(labels.astype(np.int64))
        assert {r.label: r.box for r in mask} == {n: box for n, box in enumerate(found, start=1) if box}
        np.testing.assert_array_equal(mask.to_label_map(), labels)

    def test_booleans_are_label_1(self):
        mask = Mask.from_label_map(np.ones((1, 2, 2), dtype=bool), grid((1, 2, 2)))
        assert mask[1].voxels.sum() == 4

    @pytest.mark.parametrize("value", [-1, 65536, np.nan, np.inf])
    def test_values_that_are_no_labels(self, value):
        with pytest.raises(MaskError, match=r"are no labels @ mask\.nii"):
            Mask.from_label_map(np.full((1, 1, 2), value, dtype=float), grid((1, 1, 2)), source="mask.nii")

    def test_negative_short_integers(self):
        with pytest.raises(MaskError, match="from -3 to 0 are no labels"):
            Mask.from_label_map(np.array([[[-3, 0]]], dtype=np.int16), grid((1, 1, 2)))

    def test_largest_label(self):
        assert Mask.from_label_map(np.array([[[65535]]]), grid((1, 1, 1)))[65535].voxels.sum() == 1

    def test_probabilities_are_refused(self):
        with pytest.raises(MaskError, match="fractional"):
            Mask.from_label_map(np.array([[[0.0, 0.7]]]), grid((1, 1, 2)))

    def test_complex_values_are_refused(self):
        with pytest.raises(MaskError, match="voxels of type"):
            Mask.from_label_map(np.zeros((1, 1, 2), dtype=complex), grid((1, 1, 2)))


class TestMask:
    def region(self, label: int, start: int = 0) -> Region:
        box = (slice(0, 1), slice(0, 1), slice(start, start + 2))
        return Region(label=label, box=box, voxels=np.ones((1, 1, 2), dtype=bool))

    def test_is_ordered_by_label(self):
        assert [r.label for r in Mask(geometry=grid(), regions=(self.region(5), self.region(2)))] == [2, 5]

    def test_labels_may_overlap(self):
        mask = Mask(geometry=grid(), regions=(self.region(1), self.region(2, start=1)))
        assert [r.voxels.sum() for r in mask] == [2, 2]
        assert mask.to_label_map()[0, 0, :4].tolist() == [1, 2, 2, 0]

    def test_refuses_twins_and_what_leaves_the_grid(self):
        with pytest.raises(MaskError, match="not unique"):
            Mask(geometry=grid(), regions=(self.region(1), self.region(1)))
        with pytest.raises(MaskError, match="label 1 leaves the grid"):
            Mask(geometry=grid(), regions=(self.region(1, start=9),))

    def test_an_unknown_label_is_named_with_the_known_ones(self):
        with pytest.raises(MaskError, match=r"no label 4 @ m; labels here: \[1\]"):
            Mask(geometry=grid(), regions=(self.region(1),), source="m")[4]


class TestOnGrid:
    def test_same_grid_is_untouched(self):
        mask = Mask.from_label_map(label_map(grid(), np.s_[1:3, 2:5, 3:7]), grid())
        assert mask.on_grid(grid())[1] is mask[1]

    def test_other_frame_of_reference(self):
        mask = Mask.from_label_map(label_map(grid(), np.s_[1:3, 2:5, 3:7]), grid(), source="m")
        with pytest.raises(MaskError, match="different frames of reference @ m"):
            mask.on_grid(grid(uid="1.2.4"))

    def test_unknown_frame_of_reference_is_taken_to_agree(self):
        mask = Mask.from_label_map(label_map(grid(), np.s_[1:3, 2:5, 3:7]), grid(uid=""))
        assert mask.on_grid(grid())[1].voxels.sum() == 24

    def test_flipped_and_permuted_grids_keep_every_voxel(self):
        rng = np.random.default_rng(5)
        labels = (rng.random((6, 8, 10)) < 0.3).astype(np.uint8)
        here = grid()
        # the same voxels stored as (column, plane reversed, row)
        there = Geometry.from_axes(
            shape=(10, 6, 8),
            spacing_mm=(1.0, 2.0, 1.0),
            origin_mm=here.to_lps((5, 0, 0)),
            directions=((1, 0, 0), (0, 0, -1), (0, 1, 0)),
            frame_of_reference_uid="1.2.3",
        )
        moved = Mask.from_label_map(labels, here).on_grid(there)
        np.testing.assert_array_equal(moved.to_label_map(), labels[::-1].transpose(2, 0, 1))
        assert moved.notes == ()

    @pytest.mark.parametrize("factor", [2, 3])
    def test_finer_grid_repeats_every_voxel(self, factor):
        labels = label_map(grid(), np.s_[1:3, 2:5, 3:7], np.s_[4:6, 0:2, 8:10])
        offset = -(factor - 1) / (2 * factor)
        fine = grid(
            tuple(n * factor for n in grid().shape),
            spacing=tuple(s / factor for s in (2.0, 1.0, 1.0)),
            origin=grid().to_lps((offset, offset, offset)),
        )
        moved = Mask.from_label_map(labels, grid()).on_grid(fine)
        np.testing.assert_array_equal(moved.to_label_map(), np.kron(labels, np.ones((factor,) * 3, dtype=np.uint8)))
        assert moved.notes == ()

    def test_a_centre_on_the_border_of_two_voxels_takes_the_upper_one_everywhere(self):
        fine = grid((4, 200, 200), spacing=(1.0, 0.1, 0.1))
        labels = np.zeros(fine.shape, dtype=np.uint8)
        labels[:, 1::2, :] = 1
        coarse = grid((4, 99, 100), spacing=(1.0, 0.2, 0.2), origin=(0.1, 0.05, 0.0))
        assert Mask.from_label_map(labels, fine).on_grid(coarse).to_label_map().all()

    @settings(max_examples=30, deadline=None)
    @given(angle=st.floats(-180, 180), tilt=st.floats(-90, 90), shift=st.floats(-2, 2))
    def test_oblique_grid_takes_the_voxel_that_holds_each_centre(self, angle, tilt, shift):
        a, t = np.radians([angle, tilt])
        turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.array(
            [[1, 0, 0], [0, np.cos(t), -np.sin(t)], [0, np.sin(t), np.cos(t)]]
        )
        here = grid()
        there = Geometry.from_axes(
            shape=(7, 9, 8), spacing_mm=(1.5, 1.1, 1.3), origin_mm=(shift, 1.0, 2.0), directions=turn
        )
        labels = label_map(here, np.s_[1:5, 2:7, 3:8])
        moved = Mask.from_label_map(labels, here).on_grid(there)
        at = here.to_voxel(there.to_lps(np.moveaxis(np.indices(there.shape), 0, -1)))
        nearest = np.floor(at + 0.5).astype(int)
        inside = ((nearest >= 0) & (nearest < here.shape)).all(axis=-1)
        expected = np.zeros(there.shape, dtype=np.uint8)
        expected[inside] = labels[tuple(nearest[inside].T)]
        clear = (np.abs(at + 0.5 - np.rint(at + 0.5)) > 1e-5).all(axis=-1)  # not on the border of two voxels
        if expected[clear].any():
            np.testing.assert_array_equal(moved.to_label_map()[clear], expected[clear])

    def test_a_label_partly_outside_is_cut_and_noted(self):
        mask = Mask.from_label_map(label_map(grid(), np.s_[1:3, 2:4, 0:6]), grid())
        moved = mask.on_grid(grid((6, 8, 4)))
        assert moved[1].voxels.sum() == 16
        assert moved.notes == ("label 1 is cut by the edge of the image: 8 of its 24 voxels lie outside",)
        assert moved.lost_labels == ()

    def test_a_label_wholly_outside_is_named_not_dropped(self):
        mask = Mask.from_label_map(label_map(grid(), np.s_[1, 2:4, 0:3], np.s_[1:3, 2:4, 6:9]), grid())
        moved = mask.on_grid(grid((6, 8, 4)))
        assert [r.label for r in moved] == [1]
        assert moved.lost_labels == (2,)
        assert moved.notes == ("label 2 lies outside the field of view of the image",)

    def test_losses_add_up_over_two_trips(self):
        mask = Mask.from_label_map(label_map(grid(), np.s_[1, 2:4, 0:3], np.s_[1:3, 2:4, 6:9]), grid())
        again = mask.on_grid(grid((6, 8, 4))).on_grid(grid((6, 8, 3)))
        assert again.lost_labels == (2,)
        assert again.notes == ("label 2 lies outside the field of view of the image",)

    def test_a_thin_label_between_planes_keeps_its_shape_in_the_nearest_plane(self):
        fine = grid((20, 8, 10), spacing=(1.0, 1.0, 1.0))
        mask = Mask.from_label_map(label_map(fine, np.s_[7, 2:5, 3:8]), fine)
        thick = grid((4, 8, 10), spacing=(5.0, 1.0, 1.0))  # planes at 0, 5, 10, 15 mm; the label lies at 7 mm
        moved = mask.on_grid(thick)
        assert moved[1].box == (slice(1, 2), slice(2, 5), slice(3, 8))
        assert moved[1].voxels.all()
        assert moved.notes == ("label 1 holds no voxel centre of the image: kept, moved by 2.00 mm",)

    def test_a_hollow_label_between_planes_is_kept_too(self):
        fine = grid((20, 8, 10), spacing=(1.0, 1.0, 1.0))
        labels = label_map(fine, np.s_[7, 1:7, 1:7])
        labels[7, 3:5, 3:5] = 0
        moved = Mask.from_label_map(labels, fine).on_grid(grid((4, 8, 10), spacing=(5.0, 1.0, 1.0)))
        assert moved[1].voxels.sum() == 32

    @settings(max_examples=100, deadline=None)
    @given(at=st.tuples(st.integers(0, 39), st.integers(0, 39), st.integers(0, 39)), shift=st.floats(-0.4, 0.4))
    def test_no_small_label_inside_the_image_ever_vanishes(self, at, shift):
        fine = grid((40, 40, 40), spacing=(0.5, 0.5, 0.5))
        labels = np.zeros(fine.shape, dtype=np.uint8)
        labels[at] = 1
        coarse = grid((4, 5, 8), spacing=(5.0, 4.0, 2.5), origin=(1.25 + shift, 2.0 + shift, 2.5 + shift))
        moved = Mask.from_label_map(labels, fine).on_grid(coarse)
        inside = bool(coarse.contains(fine.to_lps(at)))
        assert len(moved) == inside
        assert moved.lost_labels == (() if inside else (1,))
