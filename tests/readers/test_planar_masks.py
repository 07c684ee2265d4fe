"""Masks of pictures without a place: by row and column, by frame, and mirrored where only one view was drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from mdanderson.errors import MaskError
from mdanderson.planar import PlanarImage
from mdanderson.readers.masks import read_mask, read_planar_masks
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Mask, Unit

ROWS, COLUMNS = 5, 7
UID, OTHER_UID = "1.2.826.0.1.3680043.8.498.21", "1.2.826.0.1.3680043.8.498.22"
SEG_STORAGE, RTSTRUCT_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.481.3"


def view(which: View | None, frame: int = 1, frames: int = 2, uid: str = UID) -> PlanarImage:
    return PlanarImage(
        array=np.zeros((ROWS, COLUMNS), dtype=np.int16),
        spacing_mm=(2.0, 2.0),
        unit=Unit.COUNTS,
        modality=Modality.NM,
        view=which,
        acquisition={"frame": f"{frame} of {frames}"},
        frame=frame,
        frames=frames,
        instance_uid=uid,
    )


BOTH = (view(View.ANT, 1), view(View.POST, 2))


def drawn(row: slice, column: slice, label: int = 3) -> np.ndarray:
    picture = np.zeros((ROWS, COLUMNS), dtype=np.uint8)
    picture[row, column] = label
    return picture


FRONT, BACK = drawn(slice(1, 3), slice(0, 2)), drawn(slice(3, 5), slice(1, 4), 4)


def as_nifti(frames: np.ndarray, path: Path) -> Path:
    """(frames, rows, columns) stored as columns, rows, frames, without a place."""
    nib.save(nib.Nifti1Image(frames.transpose(2, 1, 0), None), path)
    return path


def shown(mask: Mask) -> np.ndarray:
    return mask.to_label_map()[0]


# --- label maps -------------------------------------------------------------------------------------------------------


def test_a_plane_for_each_frame(tmp_path) -> None:
    front, back = read_planar_masks(as_nifti(np.stack([FRONT, BACK]), tmp_path / "m.nii.gz"), BOTH)
    np.testing.assert_array_equal(shown(front), FRONT)
    np.testing.assert_array_equal(shown(back), BACK)
    assert front.geometry.shape == (1, ROWS, COLUMNS)
    assert front.notes == back.notes == ()
    assert front.source == "m.nii.gz"


def test_planes_follow_the_frames_of_the_file_not_the_order_of_views(tmp_path) -> None:
    """In a file whose first frame is the posterior one, views are read anterior first."""
    images = (view(View.ANT, 2), view(View.POST, 1))
    front, back = read_planar_masks(as_nifti(np.stack([BACK, FRONT]), tmp_path / "m.nii"), images)
    np.testing.assert_array_equal(shown(front), FRONT)
    np.testing.assert_array_equal(shown(back), BACK)


def test_one_view_of_a_file_takes_its_own_plane(tmp_path) -> None:
    path = as_nifti(np.stack([FRONT, BACK]), tmp_path / "m.nii")
    (back,) = read_planar_masks(path, BOTH[1:])
    np.testing.assert_array_equal(shown(back), BACK)
    np.testing.assert_array_equal(shown(read_mask(path, like=BOTH[1].as_slab())), BACK)


def test_views_in_files_of_their_own_take_planes_in_their_order(tmp_path) -> None:
    images = (view(View.ANT, 1, 1, UID), view(View.POST, 1, 1, OTHER_UID))
    front, back = read_planar_masks(as_nifti(np.stack([FRONT, BACK]), tmp_path / "m.nii"), images)
    np.testing.assert_array_equal(shown(front), FRONT)
    np.testing.assert_array_equal(shown(back), BACK)


def test_one_plane_is_the_anterior_views_and_is_mirrored(tmp_path) -> None:
    front, back = read_planar_masks(as_nifti(FRONT[None], tmp_path / "m.nii"), BOTH)
    np.testing.assert_array_equal(shown(front), FRONT)
    np.testing.assert_array_equal(shown(back), FRONT[:, ::-1])
    assert front.notes == ()
    assert back.notes == ("the mask drawn on view ANT was mirrored onto view POST",)


def test_a_mirrored_mask_lies_in_the_same_place_of_the_body(tmp_path) -> None:
    front, back = read_planar_masks(as_nifti(FRONT[None], tmp_path / "m.nii"), BOTH)
    there, here = (
        {tuple(point) for point in mask.geometry.to_lps(np.argwhere(mask.to_label_map())).round(6)}
        for mask in (front, back)
    )
    assert there == here


def test_one_picture_takes_one_plane(tmp_path) -> None:
    path = as_nifti(BACK[None], tmp_path / "m.nii")
    for image in (view(View.POST, 1, 1), view(None, 1, 1), BOTH[1]):
        np.testing.assert_array_equal(shown(read_planar_masks(path, [image])[0]), BACK)
        np.testing.assert_array_equal(shown(read_mask(path, like=image.as_slab())), BACK)


@pytest.mark.parametrize("name", ["m.nrrd", "m.mha"])
@pytest.mark.parametrize("flat", [False, True])
def test_nrrd_and_metaimage_of_two_axes_or_three(tmp_path, name, flat) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(FRONT if flat else FRONT[None]), str(tmp_path / name))
    (mask,) = read_planar_masks(tmp_path / name, BOTH[:1])
    np.testing.assert_array_equal(shown(mask), FRONT)


def test_a_coronal_label_map_lies_as_its_place_says(tmp_path) -> None:
    """Stored right to left and feet to head, as nibabel's own orientation has it."""
    stored = FRONT[::-1, ::-1].T[:, None, :]
    nib.save(nib.Nifti1Image(stored, np.diag([2.0, 1.0, 2.0, 1.0])), tmp_path / "m.nii")
    front, back = read_planar_masks(tmp_path / "m.nii", BOTH)
    np.testing.assert_array_equal(shown(front), FRONT)
    np.testing.assert_array_equal(shown(back), FRONT[:, ::-1])


def test_nothing_drawn_is_an_empty_mask(tmp_path) -> None:
    assert [len(mask) for mask in read_planar_masks(as_nifti(FRONT[None] * 0, tmp_path / "m.nii"), BOTH)] == [0, 0]


def refused(path: Path, images: Sequence[PlanarImage]) -> MaskError:
    with pytest.raises(MaskError) as caught:
        read_planar_masks(path, images)
    assert caught.value.where == path.name
    assert caught.value.way_out
    assert UID not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("shape", [(1, COLUMNS, ROWS), (1, ROWS + 1, COLUMNS), (2, ROWS, COLUMNS - 1)])
def test_another_size_is_refused_naming_both(tmp_path, shape) -> None:
    error = refused(as_nifti(np.ones(shape, dtype=np.uint8), tmp_path / "m.nii"), BOTH)
    assert error.what == f"a mask of {shape[2]} columns x {shape[1]} rows for a picture of {COLUMNS} x {ROWS}"


def test_planes_that_fit_no_view_are_refused(tmp_path) -> None:
    error = refused(as_nifti(np.stack([FRONT, BACK, FRONT]), tmp_path / "m.nii"), BOTH)
    assert error.what == "a mask of 3 planes for 2 picture(s)"


def test_one_plane_is_not_mirrored_between_unknown_views(tmp_path) -> None:
    images = (view(None, 1, 1), view(None, 1, 1, OTHER_UID))
    assert refused(as_nifti(FRONT[None], tmp_path / "m.nii"), images).what.startswith("one plane for two pictures")


def test_fractions_are_no_labels(tmp_path) -> None:
    path = as_nifti(FRONT[None].astype(np.float32) / 2, tmp_path / "m.nii")
    assert "fractional values" in refused(path, BOTH).what


def test_a_picture_is_no_mask(tmp_path) -> None:
    (tmp_path / "m.png").write_bytes(b"\x89PNG" + bytes(200))
    assert refused(tmp_path / "m.png", BOTH).what == "no mask of a planar image"


def test_a_damaged_file_is_a_mask_error(tmp_path) -> None:
    (tmp_path / "m.nii").write_bytes(b"nothing")
    assert "NIfTI" in refused(tmp_path / "m.nii", BOTH).what


# --- DICOM SEG --------------------------------------------------------------------------------------------------------


def frame_of(label: int, source: tuple[str, int | None] | None) -> Dataset:
    frame, identified = Dataset(), Dataset()
    identified.ReferencedSegmentNumber = label
    frame.SegmentIdentificationSequence = [identified]
    if source is not None:
        item, derivation = Dataset(), Dataset()
        item.ReferencedSOPInstanceUID = source[0]
        if source[1] is not None:
            item.ReferencedFrameNumber = source[1]
        derivation.SourceImageSequence = [item]
        frame.DerivationImageSequence = [derivation]
    return frame


def seg(path: Path, *frames: tuple[np.ndarray, int, tuple[str, int | None] | None]) -> Path:
    """(picture, label, what it was drawn on) a frame; of bits, one after the other."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, SEG_STORAGE
    meta.MediaStorageSOPInstanceUID = generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = SEG_STORAGE, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.SegmentationType = "SEG", "BINARY"
    ds.NumberOfFrames = len(frames)
    ds.Rows, ds.Columns = frames[0][0].shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 1
    ds.HighBit = ds.PixelRepresentation = 0
    segments = []
    for label in sorted({label for _, label, _ in frames}):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentLabel, segment.TrackingUID = label, f"focus {label}", f"1.2.{label}"
        segments.append(segment)
    ds.SegmentSequence = segments
    ds.PerFrameFunctionalGroupsSequence = [frame_of(label, source) for _, label, source in frames]
    bits = np.packbits(np.concatenate([picture.ravel() > 0 for picture, _, _ in frames]), bitorder="little")
    ds.PixelData = bits.tobytes() + b"\0" * (bits.size % 2)
    ds["PixelData"].VR = "OB"
    ds.save_as(path, enforce_file_format=True)
    return path


def test_segments_on_the_frames_they_were_drawn_on(tmp_path) -> None:
    path = seg(tmp_path / "s.dcm", (BACK, 4, (UID, 2)), (FRONT, 3, (UID, 1)), (BACK[::-1], 3, (UID, 2)))
    front, back = read_planar_masks(path, BOTH)
    np.testing.assert_array_equal(shown(front), FRONT)
    np.testing.assert_array_equal(back[4].voxels[0], BACK[3:5, 1:4] > 0)
    assert [region.label for region in back] == [3, 4]
    assert (front[3].name, front[3].tracking_uid) == ("focus 3", "1.2.3")
    assert front.notes == back.notes == ()


def test_a_segmentation_of_one_view_is_mirrored_onto_the_other(tmp_path) -> None:
    front, back = read_planar_masks(seg(tmp_path / "s.dcm", (BACK, 4, (UID, 2))), BOTH)
    np.testing.assert_array_equal(shown(back), BACK)
    np.testing.assert_array_equal(shown(front), BACK[:, ::-1])
    assert front.notes == ("the mask drawn on view POST was mirrored onto view ANT",)


def test_one_view_takes_its_own_frames_only(tmp_path) -> None:
    path = seg(tmp_path / "s.dcm", (BACK, 4, (UID, 2)), (FRONT, 3, (UID, 1)))
    np.testing.assert_array_equal(shown(read_planar_masks(path, BOTH[1:])[0]), BACK)
    np.testing.assert_array_equal(shown(read_mask(path, like=BOTH[1].as_slab())), BACK)


def test_views_in_files_of_their_own_need_no_frame_number(tmp_path) -> None:
    images = (view(View.ANT, 1, 1, UID), view(View.POST, 1, 1, OTHER_UID))
    path = seg(tmp_path / "s.dcm", (BACK, 4, (OTHER_UID, None)), (FRONT, 3, (UID, None)))
    front, back = read_planar_masks(path, images)
    np.testing.assert_array_equal(shown(front), FRONT)
    np.testing.assert_array_equal(shown(back), BACK)
    with pytest.raises(MaskError, match="a segmentation of several files"):
        read_mask(path, like=images[0].as_slab())


def test_without_references_it_is_that_of_the_only_picture(tmp_path) -> None:
    path = seg(tmp_path / "s.dcm", (FRONT, 3, None))
    np.testing.assert_array_equal(shown(read_planar_masks(path, BOTH[:1])[0]), FRONT)
    assert "does not say which view" in refused(path, BOTH).what


def test_references_in_some_frames_only_are_refused(tmp_path) -> None:
    path = seg(tmp_path / "s.dcm", (FRONT, 3, None), (BACK, 4, (UID, 2)))
    assert "a frame of the segmentation does not say" in refused(path, BOTH).what


def test_a_segmentation_of_another_image_is_refused(tmp_path) -> None:
    path = seg(tmp_path / "s.dcm", (FRONT, 3, (OTHER_UID, 1)))
    assert refused(path, BOTH).what == "the segmentation was drawn on another image"


def test_a_segmentation_of_another_size_is_refused(tmp_path) -> None:
    path = seg(tmp_path / "s.dcm", (FRONT.T, 3, (UID, 1)))
    assert refused(path, BOTH).what == "a mask of 5 columns x 7 rows for a picture of 7 x 5"


def test_contours_have_no_place_on_a_picture(tmp_path) -> None:
    path = seg(tmp_path / "s.dcm", (FRONT, 3, None))
    changed = dcmread(path)
    changed.SOPClassUID = changed.file_meta.MediaStorageSOPClassUID = RTSTRUCT_STORAGE
    changed.save_as(path)
    assert refused(path, BOTH).what == "no mask of a planar image"
