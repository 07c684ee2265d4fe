"""The one door for masks: formats told apart, label maps with names and layers, every refusal a line."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from mdanderson.errors import MaskError
from mdanderson.geometry import Geometry
from mdanderson.readers.masks import read_mask
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

GRID = Geometry.from_axes(shape=(4, 5, 6), spacing_mm=(3.0, 2.0, 1.0), origin_mm=(10.0, -20.0, 30.0))


def image(geometry: Geometry = GRID) -> Volume:
    return Volume(array=np.zeros(geometry.shape, dtype=np.int16), geometry=geometry, unit=Unit.HU, modality=Modality.CT)


def labels() -> np.ndarray:
    array = np.zeros(GRID.shape, dtype=np.uint8)
    array[1, 1:3, 2:5] = 4
    array[3, 4, 5] = 9
    return array


def as_nifti(array: np.ndarray, path: Path) -> Path:
    """Stored as columns, rows, planes with an affine in RAS."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ GRID.affine[:, [2, 1, 0, 3]]
    picture = nib.Nifti1Image(array.transpose(2, 1, 0), affine)
    picture.set_sform(affine, code=1)
    nib.save(picture, path)
    return path


def as_itk(array: np.ndarray, path: Path, keys: dict[str, str] | None = None) -> Path:
    """(planes, rows, columns) or, with layers, (planes, rows, columns, layers)."""
    picture = SimpleITK.GetImageFromArray(array, isVector=array.ndim == 4)
    picture.SetSpacing((1.0, 2.0, 3.0))
    picture.SetOrigin((10.0, -20.0, 30.0))
    for key, value in (keys or {}).items():
        picture.SetMetaData(key, value)
    SimpleITK.WriteImage(picture, str(path))
    return path


def slicer_keys(*segments: tuple[int, int, str]) -> dict[str, str]:
    """The header keys of 3D Slicer for (layer, label value, name)."""
    keys = {}
    for number, (layer, value, name) in enumerate(segments):
        keys |= {
            f"Segment{number}_Layer": str(layer),
            f"Segment{number}_LabelValue": str(value),
            f"Segment{number}_Name": name,
        }
    return keys


class TestLabelMaps:
    @pytest.mark.parametrize("name", ["m.nii", "m.nii.gz", "M.NII.GZ"])
    @pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
    def test_nifti(self, tmp_path, name, dtype):
        mask = read_mask(as_nifti(labels().astype(dtype), tmp_path / name), like=image())
        np.testing.assert_array_equal(mask.to_label_map(), labels())
        assert [r.label for r in mask] == [4, 9]
        assert mask.source == name

    @pytest.mark.parametrize("name", ["m.nrrd", "m.mha", "m.mhd", "m.nhdr", "m.seg.nrrd"])
    def test_nrrd_and_metaimage(self, tmp_path, name):
        mask = read_mask(str(as_itk(labels(), tmp_path / name)), like=image())
        np.testing.assert_array_equal(mask.to_label_map(), labels())

    def test_lands_on_the_grid_of_the_image(self, tmp_path):
        fine = Geometry.from_axes(shape=(4, 10, 6), spacing_mm=(3.0, 1.0, 1.0), origin_mm=(10.0, -20.5, 30.0))
        mask = read_mask(as_itk(labels(), tmp_path / "m.mha"), like=image(fine))
        assert mask.geometry is fine
        np.testing.assert_array_equal(mask.to_label_map(), labels().repeat(2, axis=1))

    def test_all_zero_is_nothing_segmented(self, tmp_path):
        mask = read_mask(as_nifti(np.zeros(GRID.shape, dtype=np.uint8), tmp_path / "m.nii.gz"), like=image())
        assert (len(mask), mask.notes, mask.lost_labels) == (0, (), ())

    def test_part_beside_the_image_is_named(self, tmp_path):
        short = Geometry.from_axes(shape=(3, 5, 6), spacing_mm=(3.0, 2.0, 1.0), origin_mm=(10.0, -20.0, 30.0))
        mask = read_mask(as_nifti(labels(), tmp_path / "m.nii"), like=image(short))
        assert [r.label for r in mask] == [4]
        assert mask.lost_labels == (9,)

    def test_all_beside_the_image_is_an_error(self, tmp_path):
        far = Geometry.from_axes(shape=(4, 5, 6), spacing_mm=(3.0, 2.0, 1.0), origin_mm=(10.0, -20.0, 90.0))
        with pytest.raises(MaskError, match=r"^the mask does not overlap .* @ m\.nii; name the mask of this image"):
            read_mask(as_nifti(labels(), tmp_path / "m.nii"), like=image(far))

    def test_probability_map(self, tmp_path):
        with pytest.raises(MaskError, match=r"fractional values in a label map @ m\.nii"):
            read_mask(as_nifti(labels() * np.float32(0.1), tmp_path / "m.nii"), like=image())


class TestSlicerSegments:
    def layers(self, first: int = 1, second: int = 2) -> np.ndarray:
        array = np.zeros((*GRID.shape, 2), dtype=np.uint8)
        array[1, 1:3, 2:5, 0] = first
        array[1:3, 2, 1:4, 1] = second  # shares voxels with the first
        return array

    def test_names(self, tmp_path):
        keys = slicer_keys((0, 9, "rib 7 left"), (0, 4, "T12"))
        mask = read_mask(as_itk(labels(), tmp_path / "m.seg.nrrd", keys), like=image())
        assert [(r.label, r.name) for r in mask] == [(4, "T12"), (9, "rib 7 left")]

    def test_a_segment_without_voxels_is_noted(self, tmp_path):
        keys = slicer_keys((0, 9, "a"), (0, 7, "b"), (0, 4, "c"))
        mask = read_mask(as_itk(labels(), tmp_path / "m.seg.nrrd", keys), like=image())
        assert mask.notes == ("segment 2 has no voxels in the file",)

    def test_overlapping_layers_keep_their_own_voxels(self, tmp_path):
        keys = slicer_keys((0, 1, "one"), (1, 2, "two"))
        mask = read_mask(as_itk(self.layers(), tmp_path / "m.seg.nrrd", keys), like=image())
        assert [(r.label, r.name, int(r.voxels.sum())) for r in mask] == [(1, "one", 6), (2, "two", 6)]
        assert mask[1].box == (slice(1, 2), slice(1, 3), slice(2, 5))
        assert mask[2].box == (slice(1, 3), slice(2, 3), slice(1, 4))

    def test_one_value_in_two_layers_takes_the_number_of_the_segment(self, tmp_path):
        keys = slicer_keys((1, 1, "upper"), (0, 1, "lower"))
        mask = read_mask(as_itk(self.layers(1, 1), tmp_path / "m.seg.nrrd", keys), like=image())
        assert [(r.label, r.name, r.box[0]) for r in mask] == [(1, "upper", slice(1, 3)), (2, "lower", slice(1, 2))]

    def test_a_value_that_no_segment_declares_still_counts(self, tmp_path):
        keys = slicer_keys((0, 1, "one"))
        mask = read_mask(as_itk(self.layers(1, 1), tmp_path / "m.seg.nrrd", keys), like=image())
        assert [(r.label, r.name) for r in mask] == [(1, "one"), (2, "")]

    def test_two_segments_of_one_value_and_layer(self, tmp_path):
        keys = slicer_keys((0, 4, "one"), (0, 4, "two"))
        with pytest.raises(MaskError, match=r"two segments have label value 4 in one layer @ m\.seg\.nrrd"):
            read_mask(as_itk(labels(), tmp_path / "m.seg.nrrd", keys), like=image())

    def test_a_colour_picture_is_no_label_map(self, tmp_path):
        with pytest.raises(MaskError, match=r"2 values a voxel where one label is needed @ m\.nrrd"):
            read_mask(as_itk(self.layers(), tmp_path / "m.nrrd"), like=image())


class TestDoor:
    def test_no_such_file(self, tmp_path):
        for name in ("absent.dcm", "absent.nii.gz", "absent.nrrd"):
            with pytest.raises(MaskError, match=rf"@ {name}; check the path"):
                read_mask(tmp_path / name, like=image())

    def test_unknown_format(self, tmp_path):
        (tmp_path / "mask.png").write_bytes(b"\x89PNG\r\n" + bytes(200))
        with pytest.raises(
            MaskError, match=r"^not a known mask format @ mask\.png; known are DICOM SEG, RTSTRUCT, NIfTI"
        ):
            read_mask(tmp_path / "mask.png", like=image())

    def test_an_image_is_no_mask(self, dicom_series_factory, stored, axial_grid):
        folder = dicom_series_factory(stored, axial_grid)
        one = min(folder.iterdir())
        with pytest.raises(MaskError, match=r"^a DICOM CT Image Storage is no segmentation"):
            read_mask(one, like=image())
        with pytest.raises(MaskError, match=rf"^a folder with 5 files where one mask is needed @ {folder.name}"):
            read_mask(folder, like=image())

    def test_a_folder_with_one_mask_stands_for_it(self, tmp_path):
        folder = tmp_path / "SEG_1"
        folder.mkdir()
        as_nifti(labels(), folder / "m.nii.gz")
        (folder / ".DS_Store").write_bytes(b"x")
        assert len(read_mask(folder, like=image())) == 2

    def test_an_empty_folder(self, tmp_path):
        with pytest.raises(MaskError, match="a folder with 0 files"):
            read_mask(tmp_path, like=image())

    @pytest.mark.parametrize("name", ["m.nii", "m.nii.gz", "m.nrrd", "m.mha"])
    def test_cut_short(self, tmp_path, name):
        write = as_nifti if ".nii" in name else as_itk
        path = write(labels(), tmp_path / name)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
        with pytest.raises(MaskError, match=rf"@ {name}; "):
            read_mask(path, like=image())

    def test_a_label_map_without_a_place_is_refused_not_guessed(self, tmp_path):
        path = tmp_path / "m.nii"
        nib.save(nib.Nifti1Image(labels(), None), path)
        with pytest.raises(MaskError, match=r"the place of the voxels is unknown .* @ m\.nii"):
            read_mask(path, like=image())

    def test_only_damaged_from_the_second_byte_on(self, tmp_path):
        path = tmp_path / "mask.dcm"
        path.write_bytes(bytes(128) + b"DICM" + b"\xff" * 64)
        with pytest.raises(MaskError, match=r"@ mask\.dcm"):
            read_mask(path, like=image())

    def test_content_goes_before_the_name(self, tmp_path, dicom_series_factory, stored, axial_grid):
        one = min(dicom_series_factory(stored, axial_grid).iterdir())
        shutil.copy(one, tmp_path / "m.nii")
        with pytest.raises(MaskError, match="CT Image Storage is no segmentation"):
            read_mask(tmp_path / "m.nii", like=image())


def test_a_lack_of_memory_is_not_told_as_damage(tmp_path, monkeypatch) -> None:
    def out_of_memory(*_: object, **__: object) -> None:
        raise MemoryError

    path = as_nifti(labels(), tmp_path / "mask.nii.gz")
    monkeypatch.setattr(nib.arrayproxy.ArrayProxy, "__array__", out_of_memory)
    with pytest.raises(MaskError, match=r"not enough memory to read it @ mask\.nii\.gz; .*--memory"):
        read_mask(path, like=image())
    monkeypatch.setattr(SimpleITK.ImageFileReader, "Execute", itk_out_of_memory)
    with pytest.raises(MaskError, match=r"not enough memory to read it @ mask\.nrrd"):
        read_mask(as_itk(labels(), tmp_path / "mask.nrrd"), like=image())


def itk_out_of_memory(*_: object) -> None:
    raise RuntimeError("Exception thrown in SimpleITK ImageFileReader_Execute: Failed to allocate memory for image.")
