"""DICOM SEG: written by highdicom, read here, voxel for voxel."""

from __future__ import annotations

import warnings
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from mdanderson.errors import MaskError
from mdanderson.geometry import Geometry
from mdanderson.readers.masks import read_mask
from mdanderson.settings import ImageSettings
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Unit, Volume

FRAME = "1.2.826.0.1.3680043.8.498.77"
TRACKING = ("1.2.826.0.1.3680043.8.498.91", "1.2.826.0.1.3680043.8.498.92")


def grid(shape=(6, 7, 9), spacing=(2.5, 0.8, 0.7), origin=(-20.0, 11.0, 300.0), **kwargs) -> Geometry:
    return Geometry.from_axes(shape=shape, spacing_mm=spacing, origin_mm=origin, frame_of_reference_uid=FRAME, **kwargs)


OBLIQUE = {"directions": ((0.0, -0.6, 0.8), (0.0, 0.8, 0.6), (-1.0, 0.0, 0.0))}


def image(geometry: Geometry) -> Volume:
    return Volume(array=np.zeros(geometry.shape, dtype=np.int16), geometry=geometry, unit=Unit.HU, modality=Modality.CT)


def two_overlapping(shape=(6, 7, 9)) -> np.ndarray:
    """(segments, planes, rows, columns); planes 0, 3 and 5 are empty in both: their frames are left out."""
    layers = np.zeros((2, *shape), dtype=np.uint8)
    layers[0, 1:3, 2:5, 3:8] = 1
    layers[0, 4, 0, 0] = 1  # a second part, not connected
    layers[1, 2, 1:4, 5:9] = 1
    return layers


def source_images(geometry: Geometry) -> list[pydicom.Dataset]:
    series, study = generate_uid(), generate_uid()
    _, row, column = geometry.directions
    images = []
    for plane in range(geometry.shape[0]):
        ds = pydicom.Dataset()
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = pydicom.uid.CTImageStorage, generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
        ds.FrameOfReferenceUID = geometry.frame_of_reference_uid
        ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 1, plane + 1
        ds.Rows, ds.Columns = geometry.shape[1:]
        ds.PixelSpacing, ds.SliceThickness = list(geometry.spacing_mm[1:]), 9.0
        ds.ImageOrientationPatient = [*map(float, column), *map(float, row)]
        ds.ImagePositionPatient = [float(x) for x in geometry.to_lps((plane, 0, 0))]
        ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "T", "Test^Case", "", ""
        ds.StudyID, ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.ReferringPhysicianName = "", "", "", "", ""
        images.append(ds)
    return images


def segmentation(
    geometry: Geometry, layers: np.ndarray, kind: str = "BINARY", labels: tuple[str, ...] = ("first", "second"), **more
) -> hd.seg.Segmentation:
    """A SEG object of (segments, planes, rows, columns) layers, or of a (planes, rows, columns) label map."""
    count = len(layers) if layers.ndim == 4 else int(layers.max())
    described = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=labels[number - 1],
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type="MANUAL",
            tracking_id=f"lesion {number}",
            tracking_uid=TRACKING[number - 1],
        )
        for number in range(1, count + 1)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # highdicom's own, of names and of missing slices
        return hd.seg.Segmentation(
            source_images=source_images(geometry),
            pixel_array=np.moveaxis(layers, 0, -1) if layers.ndim == 4 else layers,
            segmentation_type=kind,
            segment_descriptions=described,
            series_instance_uid=generate_uid(),
            series_number=2,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="test",
            manufacturer_model_name="test",
            software_versions="1",
            device_serial_number="1",
            **more,
        )


def saved(dataset: pydicom.Dataset, folder: Path) -> Path:
    path = folder / "mask.dcm"
    dataset.save_as(path)
    return path


def layer(mask: Mask, label: int) -> np.ndarray:
    array = np.zeros(mask.geometry.shape, dtype=np.uint8)
    array[mask[label].box] = mask[label].voxels
    return array


class TestRoundTrip:
    @pytest.mark.parametrize("where", [{}, OBLIQUE], ids=["axial", "oblique"])
    @pytest.mark.parametrize("shape", [(6, 7, 9), (6, 8, 16)], ids=["frames within bytes", "frames of whole bytes"])
    @pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
    def test_overlapping_segments_keep_every_voxel(self, tmp_path, where, shape, kind):
        geometry, layers = grid(shape, **where), two_overlapping(shape)
        values = layers.astype(float) if kind == "FRACTIONAL" else layers
        mask = read_mask(saved(segmentation(geometry, values, kind), tmp_path), like=image(geometry))
        for number in (1, 2):
            np.testing.assert_array_equal(layer(mask, number), layers[number - 1])
        assert [(r.label, r.name, r.tracking_uid) for r in mask] == [
            (1, "first", TRACKING[0]),
            (2, "second", TRACKING[1]),
        ]
        assert (mask.lost_labels, mask.notes) == ((), ())

    def test_agrees_with_highdicom(self, tmp_path):
        geometry = grid(**OBLIQUE)
        path = saved(segmentation(geometry, two_overlapping()), tmp_path)
        oracle = hd.seg.segread(path).get_volume(combine_segments=False)
        mask = read_mask(path, like=image(geometry))
        affine = oracle.affine  # LPS of (plane, row, column)
        for number in (1, 2):
            ours = mask.geometry.to_lps(np.argwhere(layer(mask, number)))
            theirs = np.argwhere(oracle.array[..., number - 1]) @ affine[:3, :3].T + affine[:3, 3]
            np.testing.assert_allclose(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)], atol=1e-6)

    def test_label_map(self, tmp_path):
        labels = np.zeros((6, 7, 9), dtype=np.uint8)
        labels[1:3, 2:5, 3:6] = 1
        labels[2, 2:5, 6:8] = 2
        mask = read_mask(saved(segmentation(grid(), labels, "LABELMAP"), tmp_path), like=image(grid()))
        np.testing.assert_array_equal(mask.to_label_map(), labels)
        assert [(r.label, r.name) for r in mask] == [(1, "first"), (2, "second")]
        assert mask.notes == ()  # the declared background is no empty segment

    def test_compressed_frames(self, tmp_path):
        labels = np.zeros((6, 40, 48), dtype=np.uint8)
        labels[1:3, 2:35, 3:46] = 1
        geometry = grid(labels.shape)
        seg = segmentation(geometry, labels, "LABELMAP", transfer_syntax_uid=pydicom.uid.RLELossless)
        mask = read_mask(saved(seg, tmp_path), like=image(geometry))
        np.testing.assert_array_equal(mask.to_label_map(), labels)

    def test_image_stored_the_other_way_round(self, tmp_path):
        here, layers = grid(), two_overlapping()
        there = Geometry.from_axes(
            shape=(9, 6, 7),
            spacing_mm=(0.7, 2.5, 0.8),
            origin_mm=here.to_lps((0, 6, 0)),
            directions=((1, 0, 0), (0, 0, 1), (0, -1, 0)),
            frame_of_reference_uid=FRAME,
        )
        mask = read_mask(saved(segmentation(here, layers), tmp_path), like=image(there))
        for number in (1, 2):
            np.testing.assert_array_equal(layer(mask, number), layers[number - 1].transpose(2, 0, 1)[:, :, ::-1])

    def test_finer_image(self, tmp_path):
        here, layers = grid(), two_overlapping()
        fine = grid((12, 14, 18), spacing=(1.25, 0.4, 0.35), origin=here.to_lps((-0.25, -0.25, -0.25)))
        mask = read_mask(saved(segmentation(here, layers), tmp_path), like=image(fine))
        for number in (1, 2):
            expected = np.kron(layers[number - 1], np.ones((2, 2, 2), dtype=np.uint8))
            np.testing.assert_array_equal(layer(mask, number), expected)

    def test_one_label_text_for_two_segments(self, tmp_path):
        seg = segmentation(grid(), two_overlapping(), labels=("met", "met"))
        mask = read_mask(saved(seg, tmp_path), like=image(grid()))
        assert [(r.label, r.name, int(r.voxels.sum())) for r in mask] == [(1, "met", 31), (2, "met", 12)]

    def test_fractional_threshold_is_not_moved_by_rounding(self, tmp_path):
        layers = np.zeros((1, 6, 7, 9))
        layers[0, 2, 3, 3:5] = [0.06, 0.07]  # 0.07 x 100 is more than 7 in floating point
        seg = segmentation(grid(), layers, "FRACTIONAL", labels=("one",), max_fractional_value=100)
        mask = read_mask(saved(seg, tmp_path), like=image(grid()), settings=ImageSettings(mask_fraction=0.07))
        assert mask[1].box[2] == slice(4, 5)

    @pytest.mark.parametrize("overlap", ["PROBABILITY", "OCCUPANCY"])
    @pytest.mark.parametrize(("fraction", "voxels"), [(0.49, 3), (0.5, 2), (0.51, 1), (1.0, 1)])
    def test_fractional_threshold_just_below_at_and_above(self, tmp_path, overlap, fraction, voxels):
        layers = np.zeros((1, 6, 7, 9))
        layers[0, 2, 3, 3:7] = [0.48, 0.49, 0.5, 1.0]
        seg = segmentation(
            grid(), layers, "FRACTIONAL", labels=("one",), max_fractional_value=100, fractional_type=overlap
        )
        settings = ImageSettings(mask_fraction=fraction)
        mask = read_mask(saved(seg, tmp_path), like=image(grid()), settings=settings)
        assert mask[1].voxels.sum() == voxels


class TestPlanes:
    """How far apart planes are, when frames are left out and the file says little."""

    def test_spacing_is_never_the_slice_thickness(self, tmp_path):
        seg = segmentation(grid(), two_overlapping())
        assert seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness == 9.0
        mask = read_mask(saved(seg, tmp_path), like=image(grid()))
        np.testing.assert_array_equal(layer(mask, 1), two_overlapping()[0])

    @pytest.mark.parametrize("declared", [None, 2.5, 5.0, 40.0, 1.3])
    def test_a_spacing_that_the_frames_contradict_is_not_believed(self, tmp_path, declared):
        seg = segmentation(grid(), two_overlapping())
        measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        if declared is None:
            del measures.SpacingBetweenSlices
        else:
            measures.SpacingBetweenSlices = declared
        mask = read_mask(saved(seg, tmp_path), like=image(grid()))
        for number in (1, 2):
            np.testing.assert_array_equal(layer(mask, number), two_overlapping()[number - 1])

    def test_a_single_frame_without_declared_spacing_takes_the_images(self, tmp_path):
        layers = np.zeros((1, 6, 7, 9), dtype=np.uint8)
        layers[0, 3, 2:5, 3:8] = 1
        seg = segmentation(grid(), layers)
        measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        if "SpacingBetweenSlices" in measures:
            del measures.SpacingBetweenSlices
        np.testing.assert_array_equal(layer(read_mask(saved(seg, tmp_path), like=image(grid())), 1), layers[0])

    def test_uneven_frames_are_refused(self, tmp_path):
        seg = segmentation(grid(), two_overlapping())
        x, y, z = seg.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient
        seg.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = [x, y, z + 1.1]
        with pytest.raises(MaskError, match=r"frames are not evenly spaced @ mask\.dcm; save it on the grid"):
            read_mask(saved(seg, tmp_path), like=image(grid()))

    def test_shifted_frames_are_refused(self, tmp_path):
        seg = segmentation(grid(), two_overlapping())
        x, y, z = seg.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient
        seg.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = [x + 0.2, y, z]
        with pytest.raises(MaskError, match="shifted against each other"):
            read_mask(saved(seg, tmp_path), like=image(grid()))

    def test_frames_of_two_orientations_are_refused(self, tmp_path):
        seg = segmentation(grid(), two_overlapping())
        shared = seg.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
        for frame in seg.PerFrameFunctionalGroupsSequence:
            frame.PlaneOrientationSequence = [pydicom.Dataset()]
            frame.PlaneOrientationSequence[0].ImageOrientationPatient = list(shared[0].ImageOrientationPatient)
        seg.PerFrameFunctionalGroupsSequence[1].PlaneOrientationSequence[0].ImageOrientationPatient = [0, 1, 0, 0, 0, 1]
        with pytest.raises(MaskError, match="several orientations"):
            read_mask(saved(seg, tmp_path), like=image(grid()))

    def test_a_frame_without_a_place_in_the_patient_is_refused(self, tmp_path):
        seg = segmentation(grid(), two_overlapping())
        del seg.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
        with pytest.raises(MaskError, match=r"a frame has no ImagePositionPatient @ mask\.dcm"):
            read_mask(saved(seg, tmp_path), like=image(grid()))


class TestEmptyAndBroken:
    def test_no_frames_is_nothing_segmented(self, tmp_path):
        seg = segmentation(grid(), two_overlapping())
        del seg.PerFrameFunctionalGroupsSequence, seg.PixelData
        seg.NumberOfFrames = 0
        mask = read_mask(saved(seg, tmp_path), like=image(grid()))
        assert len(mask) == 0
        assert mask.notes == ("label 1 has no voxels in the file", "label 2 has no voxels in the file")

    def test_all_zero_frames_are_nothing_segmented(self, tmp_path):
        seg = segmentation(grid(), two_overlapping(), omit_empty_frames=False)
        seg.PixelData = bytes(len(seg.PixelData))
        assert len(read_mask(saved(seg, tmp_path), like=image(grid()))) == 0

    def test_an_empty_segment_is_noted(self, tmp_path):
        layers = two_overlapping()
        layers[1] = 0
        mask = read_mask(saved(segmentation(grid(), layers), tmp_path), like=image(grid()))
        assert [r.label for r in mask] == [1]
        assert mask.notes == ("label 2 has no voxels in the file",)

    def test_a_frame_without_segment_number(self, tmp_path):
        layers = two_overlapping()
        for count in (1, 2):
            seg = segmentation(grid(), layers[:count])
            for frame in seg.PerFrameFunctionalGroupsSequence:
                frame.pop("SegmentIdentificationSequence", None)
            seg.SharedFunctionalGroupsSequence[0].pop("SegmentIdentificationSequence", None)
            path = saved(seg, tmp_path)
            if count == 1:  # it can only be that one
                np.testing.assert_array_equal(layer(read_mask(path, like=image(grid())), 1), layers[0])
            else:
                with pytest.raises(MaskError, match="does not say which segment"):
                    read_mask(path, like=image(grid()))

    def test_other_frame_of_reference(self, tmp_path):
        other = Geometry(shape=grid().shape, affine=grid().affine, frame_of_reference_uid="1.2.3")
        path = saved(segmentation(grid(), two_overlapping()), tmp_path)
        with pytest.raises(MaskError, match=r"different frames of reference @ mask\.dcm") as caught:
            read_mask(path, like=image(other))
        assert FRAME not in str(caught.value)

    def test_beside_the_image(self, tmp_path):
        path = saved(segmentation(grid(), two_overlapping()), tmp_path)
        with pytest.raises(
            MaskError, match=r"does not overlap the field of view of the image @ mask\.dcm; name the mask"
        ):
            read_mask(path, like=image(grid(origin=(500.0, 0.0, 0.0))))

    @pytest.mark.parametrize("kept", [0.2, 0.6, 0.9, 0.999])
    def test_cut_short(self, tmp_path, kept):
        labels = np.tile(np.arange(200, dtype=np.uint8) % 2, (6, 200, 1))
        geometry = grid(labels.shape)
        path = saved(segmentation(geometry, labels[None], labels=("one",)), tmp_path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(MaskError, match=r"cut short|lacks a required attribute"):
            read_mask(path, like=image(geometry))

    def test_damaged_compressed_frames(self, tmp_path):
        labels = np.ones((6, 40, 48), dtype=np.uint8)
        geometry = grid(labels.shape)
        seg = segmentation(geometry, labels, "LABELMAP", transfer_syntax_uid=pydicom.uid.RLELossless)
        path = saved(seg, tmp_path)
        ds = pydicom.dcmread(path)
        ds.PixelData = pydicom.encaps.encapsulate([b"\x01\0\0\0" + bytes(70)] * int(ds.NumberOfFrames))
        with pytest.raises(MaskError, match="cannot be decoded"):
            read_mask(saved(ds, tmp_path), like=image(geometry))

    @pytest.mark.parametrize("keyword", ["Rows", "Columns", "PixelData"])
    def test_a_required_attribute_is_missing(self, tmp_path, keyword):
        seg = segmentation(grid(), two_overlapping())
        delattr(seg, keyword)
        with pytest.raises(MaskError, match=r"required attribute|cannot be decoded"):
            read_mask(saved(seg, tmp_path), like=image(grid()))
