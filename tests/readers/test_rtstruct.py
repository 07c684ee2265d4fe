"""RT structure sets of analytic shapes, written here with pydicom, against areas and voxels known by construction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from mdanderson.errors import MaskError
from mdanderson.geometry import Geometry
from mdanderson.readers.masks import read_mask
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Unit, Volume

FRAME = "1.2.826.0.1.3680043.8.498.77"
OBLIQUE = ((0.0, -0.6, 0.8), (0.0, 0.8, 0.6), (-1.0, 0.0, 0.0))
AXIAL = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))


def grid(shape=(8, 60, 64), spacing=(3.0, 0.9, 0.7), origin=(-20.0, 11.0, 300.0), directions=AXIAL) -> Geometry:
    return Geometry.from_axes(
        shape=shape, spacing_mm=spacing, origin_mm=origin, directions=directions, frame_of_reference_uid=FRAME
    )


def image(geometry: Geometry) -> Volume:
    return Volume(array=np.zeros(geometry.shape, dtype=np.int16), geometry=geometry, unit=Unit.HU, modality=Modality.CT)


def outline(geometry: Geometry, plane: float, points: np.ndarray) -> np.ndarray:
    """(n, 3) LPS mm of (n, 2) rows and columns in a plane; all may be fractions."""
    return geometry.to_lps(np.insert(np.asarray(points, dtype=float), 0, plane, axis=1))


def circle(geometry: Geometry, radius_mm: float, centre=(30.2, 31.7), count: int = 720) -> np.ndarray:
    """(n, 2) rows and columns of a circle in millimetres."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    _, row_mm, column_mm = geometry.spacing_mm
    return np.stack(
        [centre[0] + radius_mm * np.sin(angle) / row_mm, centre[1] + radius_mm * np.cos(angle) / column_mm], axis=1
    )


def square(low: float, high: float) -> np.ndarray:
    return np.array([[low, low], [low, high], [high, high], [high, low]])


def structure_set(*rois: Sequence[np.ndarray], names: Sequence[str] = (), frame: str = FRAME) -> FileDataset:
    """One ROI for every sequence of (n, 3) outlines, numbered from 1."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = RTStructureSetStorage, generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = RTStructureSetStorage, meta.MediaStorageSOPInstanceUID
    ds.PatientName, ds.Modality = "Secret^Name", "RTSTRUCT"
    ds.StructureSetROISequence, ds.ROIContourSequence = [], []
    for number, outlines in enumerate(rois, start=1):
        roi, drawn = Dataset(), Dataset()
        roi.ROINumber, roi.ReferencedFrameOfReferenceUID = number, frame
        roi.ROIName = names[number - 1] if names else f"Secret {number}"
        drawn.ReferencedROINumber = number
        drawn.ContourSequence = [contour(points) for points in outlines]
        ds.StructureSetROISequence.append(roi)
        ds.ROIContourSequence.append(drawn)
    return ds


def contour(points: np.ndarray, kind: str = "CLOSED_PLANAR") -> Dataset:
    item = Dataset()
    item.ContourGeometricType, item.NumberOfContourPoints = kind, len(points)
    item.ContourData = [f"{x:.6f}" for x in np.asarray(points).ravel()]
    return item


def read(dataset: FileDataset, folder: Path, geometry: Geometry) -> Mask:
    path = folder / "rs.dcm"
    dataset.save_as(path)
    return read_mask(path, like=image(geometry))


def area_mm2(mask: Mask, label: int, plane: int) -> float:
    voxels = mask[label].voxels[plane - mask[label].box[0].start]
    return float(voxels.sum() * mask.geometry.spacing_mm[1] * mask.geometry.spacing_mm[2])


@pytest.mark.parametrize("directions", [AXIAL, OBLIQUE], ids=["axial", "oblique"])
class TestShapes:
    def test_disc(self, tmp_path, directions):
        geometry = grid(directions=directions)
        mask = read(structure_set([outline(geometry, k, circle(geometry, 12)) for k in (2, 3, 4)]), tmp_path, geometry)
        assert mask[1].box[0] == slice(2, 5)
        _, row, column = np.moveaxis(np.indices((1, 60, 64)), 0, 0)
        exact = ((row[0] - 30.2) * 0.9) ** 2 + ((column[0] - 31.7) * 0.7) ** 2 < 12**2
        for plane in (2, 3, 4):
            np.testing.assert_array_equal(mask.to_label_map()[plane] == 1, exact)
            assert area_mm2(mask, 1, plane) == pytest.approx(np.pi * 144, rel=0.01)

    def test_annulus_of_two_contours(self, tmp_path, directions):
        geometry = grid(directions=directions)
        both = [outline(geometry, 3, circle(geometry, radius)) for radius in (6, 14)]  # the hole may come first
        mask = read(structure_set(both), tmp_path, geometry)
        assert area_mm2(mask, 1, 3) == pytest.approx(np.pi * (14**2 - 6**2), rel=0.01)
        assert mask.to_label_map()[3, 30, 32] == 0

    def test_annulus_by_keyhole_equals_that_of_two_contours(self, tmp_path, directions):
        geometry = grid(directions=directions)
        outer, inner = circle(geometry, 14), circle(geometry, 6)[::-1]
        keyhole = np.concatenate([outer, outer[:1], inner[-1:], inner, outer[:1]])
        one = read(structure_set([outline(geometry, 3, keyhole)]), tmp_path, geometry)
        two = read(structure_set([outline(geometry, 3, outer), outline(geometry, 3, inner)]), tmp_path, geometry)
        np.testing.assert_array_equal(one.to_label_map(), two.to_label_map())

    def test_two_islands_stay_one_label(self, tmp_path, directions):
        geometry = grid(directions=directions)
        islands = [outline(geometry, 3, circle(geometry, 8, centre)) for centre in ((14.3, 15.2), (45.1, 44.6))]
        mask = read(structure_set(islands), tmp_path, geometry)
        assert [region.label for region in mask] == [1]
        assert area_mm2(mask, 1, 3) == pytest.approx(2 * np.pi * 64, rel=0.02)

    def test_overlapping_rois_keep_their_own_voxels(self, tmp_path, directions):
        geometry = grid(directions=directions)
        rois = [[outline(geometry, 3, circle(geometry, radius))] for radius in (6, 14)]
        mask = read(structure_set(*rois, names=("core", "all")), tmp_path, geometry)
        assert [(r.label, r.name) for r in mask] == [(1, "core"), (2, "all")]
        assert area_mm2(mask, 1, 3) == pytest.approx(np.pi * 36, rel=0.03)
        assert area_mm2(mask, 2, 3) == pytest.approx(np.pi * 196, rel=0.01)

    def test_direction_start_and_order_of_contours_are_free(self, tmp_path, directions):
        geometry = grid(directions=directions)
        drawn = [outline(geometry, k, circle(geometry, r)) for k in (2, 3, 4) for r in (14, 6)]
        turned = [np.roll(points[::-1], 100, axis=0) for points in drawn]
        one, two = (read(structure_set(roi), tmp_path, geometry) for roi in (drawn, turned[::-1]))
        np.testing.assert_array_equal(one.to_label_map(), two.to_label_map())


class TestBoundary:
    def test_outline_through_the_centres_of_border_voxels_keeps_them(self, tmp_path):
        mask = read(structure_set([outline(grid(), 3, square(10, 19))]), tmp_path, grid())
        assert mask[1].voxels.sum() == 100  # leaving the border out would lose 36 of them

    def test_outline_round_the_voxels_gives_the_same(self, tmp_path):
        mask = read(structure_set([outline(grid(), 3, square(9.5, 19.5))]), tmp_path, grid())
        assert mask[1].box == (slice(3, 4), slice(10, 20), slice(10, 20))
        assert mask[1].voxels.sum() == 100

    def test_hole_outlined_through_the_voxels_round_it_keeps_them(self, tmp_path):
        both = [outline(grid(), 3, square(10, 19)), outline(grid(), 3, square(13, 16))]
        assert read(structure_set(both), tmp_path, grid())[1].voxels.sum() == 100 - 4

    def test_a_contour_stored_twice_does_not_cancel_itself(self, tmp_path):
        twice = [outline(grid(), 3, square(9.5, 19.5))] * 2
        assert read(structure_set(twice), tmp_path, grid())[1].voxels.sum() == 100

    def test_closed_by_repeating_the_first_point(self, tmp_path):
        closed = np.vstack([square(9.5, 19.5), square(9.5, 19.5)[:1]])
        assert read(structure_set([outline(grid(), 3, closed)]), tmp_path, grid())[1].voxels.sum() == 100


class TestPlanes:
    def planes(self, tmp_path: Path, heights: Sequence[float]) -> tuple[list[int], tuple[str, ...]]:
        mask = read(structure_set([outline(grid(), h, square(9.5, 19.5)) for h in heights]), tmp_path, grid())
        filled = np.flatnonzero(mask.to_label_map().any(axis=(1, 2)))
        assert mask[1].voxels.sum() == 100 * len(filled)
        return [int(plane) for plane in filled], mask.notes

    @pytest.mark.parametrize(
        ("offset", "first"), [(0.0, 2), (0.3, 2), (0.47, 2), (0.5, 2), (0.53, 3), (0.7, 3), (-0.3, 2), (-0.47, 2)]
    )
    def test_contours_between_planes_move_to_the_nearest_and_keep_their_number(self, tmp_path, offset, first):
        planes, notes = self.planes(tmp_path, [2 + offset, 3 + offset, 4 + offset])
        assert (planes, notes) == ([first, first + 1, first + 2], ())

    @pytest.mark.parametrize("offset", [0.0, 0.3, 0.5, -0.4])
    def test_a_single_contour_fills_a_single_plane(self, tmp_path, offset):
        assert len(self.planes(tmp_path, [3 + offset])[0]) == 1

    def test_spacing_that_is_rounded_leaves_no_plane_out(self, tmp_path):
        assert self.planes(tmp_path, [1.5, 2.503, 3.497, 4.5, 5.499])[0] == [1, 2, 3, 4, 5]

    def test_a_gap_in_the_lesion_stays_a_gap(self, tmp_path):
        assert self.planes(tmp_path, [0, 1, 2, 5, 6])[0] == [0, 1, 2, 5, 6]

    def test_finer_contours_are_thinned_and_do_not_cancel_out(self, tmp_path):
        assert self.planes(tmp_path, np.arange(1.0, 4.01, 0.25).tolist())[0] == [1, 2, 3, 4]

    def test_coarser_contours_fill_the_planes_between(self, tmp_path):
        planes, notes = self.planes(tmp_path, [1, 3, 5])
        assert planes == [0, 1, 2, 3, 4, 5]  # each stands for two planes: three contours of 6 mm in planes of 3 mm
        assert notes == ("contours 6.00 mm apart: planes 3.00 mm apart take the nearest contour",)

    def test_two_contours_far_apart_are_two_islands(self, tmp_path):
        planes, notes = self.planes(tmp_path, [1, 6])
        assert planes == [1, 6]
        assert notes == ("label 1 has no two neighbouring contours: the planes between them stay empty",)

    def test_neighbouring_rois_tell_the_spacing(self, tmp_path):
        coarse = [outline(grid(), h, square(30.5, 40.5)) for h in (1, 3, 5)]
        short = [outline(grid(), h, square(9.5, 19.5)) for h in (3, 5)]
        mask = read(structure_set(coarse, short), tmp_path, grid())
        assert mask[2].box[0] == slice(2, 6)

    def test_thin_between_planes_is_kept_and_noted(self, tmp_path):
        planes, notes = self.planes(tmp_path, [3.2, 3.3, 3.4])
        assert planes == [3]
        assert notes == ("label 1 holds no voxel centre of the image: kept in the voxels nearest to it",)


class TestFieldOfView:
    def test_smaller_than_a_voxel_is_kept_and_noted(self, tmp_path):
        mask = read(structure_set([outline(grid(), 3, square(9.7, 9.9))]), tmp_path, grid())
        assert mask[1].box == (slice(3, 4), slice(10, 11), slice(10, 11))
        assert mask.notes == ("label 1 holds no voxel centre of the image: kept in the voxels nearest to it",)

    def test_cut_by_the_edge(self, tmp_path):
        mask = read(structure_set([outline(grid(), 3, square(-5.5, 4.5))]), tmp_path, grid())
        assert mask[1].voxels.sum() == 25
        assert mask.notes == ("label 1 is cut by the edge of the image",)

    def test_up_to_the_edge_is_not_cut(self, tmp_path):
        mask = read(structure_set([outline(grid(), 0, square(-0.5, 59.5))]), tmp_path, grid())
        assert mask[1].voxels.sum() == 3600
        assert mask.notes == ()

    @pytest.mark.parametrize("place", [(3, 70), (20, 10), (-4, 10)])
    def test_one_outside_is_named_and_the_other_kept(self, tmp_path, place):
        plane, low = place
        rois = [[outline(grid(), 3, square(9.5, 19.5))], [outline(grid(), plane, square(low, low + 5))]]
        mask = read(structure_set(*rois), tmp_path, grid())
        assert [r.label for r in mask] == [1]
        assert mask.lost_labels == (2,)
        assert mask.notes == ("label 2 lies outside the field of view of the image",)

    def test_all_outside_is_an_error(self, tmp_path):
        with pytest.raises(
            MaskError, match=r"does not overlap the field of view of the image @ rs\.dcm; name the mask"
        ):
            read(structure_set([outline(grid(), 3, square(70, 75))]), tmp_path, grid())


class TestRefusals:
    @pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR", ""])
    def test_types_that_enclose_nothing(self, tmp_path, kind):
        ds = structure_set([], [outline(grid(), 3, square(9.5, 19.5))] * 2)
        ds.ROIContourSequence[1].ContourSequence[1].ContourGeometricType = kind
        with pytest.raises(
            MaskError, match=rf"^ROI 2, contour 2: type {kind or 'missing'} encloses no area @ rs\.dcm;"
        ):
            read(ds, tmp_path, grid())

    @pytest.mark.parametrize(
        ("points", "why"),
        [
            (square(5, 9)[:2], "fewer than 3 different points"),
            (square(5, 9)[[0, 1, 0, 1]], "fewer than 3 different points"),
            (np.array([[5, 5], [6, 6], [9, 9]]), "encloses no area"),
            (np.empty((0, 2)), "fewer than 3 different points"),
        ],
    )
    def test_degenerate_outlines(self, tmp_path, points, why):
        with pytest.raises(MaskError, match=rf"^ROI 1, contour 1: {why} @ rs\.dcm; delete the contour"):
            read(structure_set([outline(grid(), 3, points)]), tmp_path, grid())

    @pytest.mark.parametrize(("tilt", "fine"), [(0.09, True), (0.11, False)])
    def test_tilted_against_the_planes(self, tmp_path, tilt, fine):
        points = outline(grid(), 3, square(9.5, 19.5))
        points[0, 2] += tilt * 3.0
        if fine:
            assert read(structure_set([points]), tmp_path, grid())[1].voxels.sum() == 100
        else:
            with pytest.raises(MaskError, match="ROI 1, contour 1: does not lie in a plane of the image"):
                read(structure_set([points]), tmp_path, grid())

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (b"1\\2\\3\\4", "not finite triplets"),
            (b"nan\\2\\3\\4\\5\\6\\7\\8\\9", "not finite triplets"),
            (b"1\\inf\\3\\4\\5\\6\\7\\8\\9", "not finite triplets"),
            (b"1,5\\2\\3\\4\\5\\6\\7\\8\\9", "not numbers"),
            (b"x\\2\\3\\4\\5\\6\\7\\8\\9", "not numbers"),
        ],
    )
    def test_coordinates_that_are_none(self, tmp_path, raw, why):
        ds = structure_set([outline(grid(), 3, square(9.5, 19.5))])
        marker = "111\\222\\333" + "\\4" * (len(raw) // 2)
        ds.ROIContourSequence[0].ContourSequence[0].ContourData = marker.split("\\")
        path = tmp_path / "rs.dcm"
        ds.save_as(path)
        content = path.read_bytes()
        stored = marker.encode() + b" " * (len(marker) % 2)
        assert stored in content
        path.write_bytes(content.replace(stored, raw.ljust(len(stored))))
        with pytest.raises(MaskError, match=rf"^ROI 1, contour 1: coordinates are {why} @ rs\.dcm"):
            read_mask(path, like=image(grid()))

    def test_other_frame_of_reference(self, tmp_path):
        with pytest.raises(MaskError, match=r"^ROI 1 and the image have different frames of reference @ rs\.dcm"):
            read(structure_set([outline(grid(), 3, square(5, 9))], frame="1.2.3"), tmp_path, grid())

    def test_frame_of_reference_of_the_whole_object_counts_where_the_roi_has_none(self, tmp_path):
        ds = structure_set([outline(grid(), 3, square(5, 9))])
        del ds.StructureSetROISequence[0].ReferencedFrameOfReferenceUID
        assert len(read(ds, tmp_path, grid())) == 1
        ds.FrameOfReferenceUID = "1.2.3"
        with pytest.raises(MaskError, match="different frames"):
            read(ds, tmp_path, grid())

    def test_a_missing_roi_number(self, tmp_path):
        ds = structure_set([outline(grid(), 3, square(5, 9))])
        del ds.ROIContourSequence[0].ReferencedROINumber
        with pytest.raises(MaskError, match="required attribute"):
            read(ds, tmp_path, grid())

    def test_no_name_is_ever_told(self, tmp_path):
        ds = structure_set([outline(grid(), 3, square(5, 9)[:2])], names=("Mrs Secret, left rib",))
        with pytest.raises(MaskError) as caught:
            read(ds, tmp_path, grid())
        assert "Secret" not in str(caught.value)


class TestEmpty:
    def test_an_roi_without_contours_is_noted(self, tmp_path):
        mask = read(structure_set([], [outline(grid(), 3, square(5, 9))]), tmp_path, grid())
        assert [r.label for r in mask] == [2]
        assert mask.notes == ("label 1 has no contours in the file",)

    def test_an_roi_that_is_only_declared_is_noted(self, tmp_path):
        ds = structure_set([], [outline(grid(), 3, square(5, 9))])
        del ds.ROIContourSequence[0]
        assert read(ds, tmp_path, grid()).notes == ("label 1 has no contours in the file",)

    def test_nothing_at_all_is_nothing_segmented(self, tmp_path):
        mask = read(structure_set(), tmp_path, grid())
        assert (len(mask), mask.notes, mask.lost_labels) == (0, (), ())

    def test_empty_rois_mind_no_frame_of_reference(self, tmp_path):
        assert len(read(structure_set([], frame="1.2.3"), tmp_path, grid())) == 0


@pytest.mark.filterwarnings("ignore:The value for the data element")  # pydicom's, writing more than 64 kB as UN
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_long_contours_whatever_type_they_had_to_be_stored_as(tmp_path, syntax):
    ds = structure_set([outline(grid(), 3, circle(grid(), 12, count=5000))])
    ds.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(tmp_path / "rs.dcm", ds, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    mask = read_mask(tmp_path / "rs.dcm", like=image(grid()))
    assert area_mm2(mask, 1, 3) == pytest.approx(np.pi * 144, rel=0.01)
