"""Pictures in NIfTI, NRRD and MetaImage: turned by their place in the patient, taken as they are, or refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from mdanderson.errors import GeometryError, ImageError
from mdanderson.planar import PlanarImage
from mdanderson.readers import is_planar, read_planar, read_volume
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Unit

DAY = dt.date(2024, 2, 29)
PICTURE = np.arange(35, dtype=np.int16).reshape(5, 7)
"""Rows from head to feet; columns to the patient's left, as the front is seen."""


def nifti(path: Path, stored: np.ndarray, affine: np.ndarray | None, code: int = 1) -> Path:
    image = nib.Nifti1Image(stored, affine)
    image.header.set_xyzt_units("mm")
    if affine is None:
        image.header.set_zooms((2.0, 3.0, 1.0)[: stored.ndim])
    else:
        image.set_sform(affine, code=code)
    nib.save(image, path)
    return path


def the(path: Path, view: View | None = View.ANT, modality: Modality = Modality.NM) -> PlanarImage:
    (image,) = read_planar(path, modality=modality, date=DAY, view=view)
    return image


def refused(path: Path, kind: type[ImageError] = ImageError, **arguments: object) -> ImageError:
    told = {"modality": Modality.NM, "date": DAY, "view": View.ANT} | arguments
    with pytest.raises(kind) as caught:
        read_planar(path, **told)
    assert type(caught.value) is kind
    assert caught.value.where == path.name
    assert caught.value.way_out
    return caught.value


LPS_AS_RAS = np.diag([-2.0, -3.0, 1.0, 1.0])
"""Columns to the left, rows to the back: what ITK writes for a picture without a position."""


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("view", list(View))
def test_without_a_place_the_file_is_the_picture(tmp_path, axes, view) -> None:
    stored = PICTURE.T if axes == 2 else PICTURE.T[:, :, None]
    image = the(nifti(tmp_path / "p.nii.gz", stored, None), view)
    np.testing.assert_array_equal(image.array, PICTURE)
    assert image.spacing_mm == (3.0, 2.0)
    assert (image.unit, image.modality, image.view, image.date) == (Unit.COUNTS, Modality.NM, view, DAY)
    assert image.acquisition["orientation"] == "as stored: columns by rows"


@pytest.mark.parametrize("view", list(View))
def test_the_identity_of_a_converter_is_no_place(tmp_path, view) -> None:
    image = the(nifti(tmp_path / "p.nii", PICTURE.T[:, :, None], LPS_AS_RAS), view)
    np.testing.assert_array_equal(image.array, PICTURE)
    assert image.spacing_mm == (3.0, 2.0)


@pytest.mark.parametrize("name", ["p.nrrd", "p.mha"])
def test_itk_writes_and_we_read(tmp_path, name) -> None:
    picture = SimpleITK.GetImageFromArray(PICTURE[None])
    picture.SetSpacing((2.0, 3.0, 1.0))
    SimpleITK.WriteImage(picture, str(tmp_path / name))
    image = the(tmp_path / name)
    np.testing.assert_array_equal(image.array, PICTURE)
    assert image.spacing_mm == (3.0, 2.0)


def test_itk_writes_two_axes_and_we_read(tmp_path) -> None:
    picture = SimpleITK.GetImageFromArray(PICTURE)
    picture.SetSpacing((2.0, 3.0))
    SimpleITK.WriteImage(picture, str(tmp_path / "p.mha"))
    assert the(tmp_path / "p.mha").spacing_mm == (3.0, 2.0)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("view", list(View))
def test_a_coronal_plane_is_turned_to_the_view(tmp_path, right, up, view) -> None:
    """RAS: i grows to the right or left, k to the head or feet; the same body whichever way it is stored."""
    stored = PICTURE[:: -1 if up else 1, :: -1 if right else 1].T[:, None, :]
    affine = np.array([[2.0 if right else -2.0, 0, 0, 5], [0, 1.0, 0, 6], [0, 0, 3.0 if up else -3.0, 7], [0, 0, 0, 1]])
    image = the(nifti(tmp_path / "p.nii", stored, affine), view)
    np.testing.assert_array_equal(image.array, PICTURE if view is View.ANT else PICTURE[:, ::-1])
    assert image.spacing_mm == (3.0, 2.0)
    assert image.acquisition["orientation"] == "from its place in the patient"


def test_the_plane_may_be_any_axis_of_the_file(tmp_path) -> None:
    affine = np.array([[-2.0, 0, 0, 0], [0, 0, 1.0, 0], [0, -3.0, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(the(nifti(tmp_path / "p.nii", PICTURE.T[:, :, None], affine)).array, PICTURE)


def test_a_radiograph_from_the_side(tmp_path) -> None:
    """Columns to the back, rows to the feet."""
    affine = np.array([[0, 0, 1.0, 0], [-2.0, 0, 0, 0], [0, -3.0, 0, 0], [0, 0, 0, 1]])
    path = nifti(tmp_path / "p.nii", PICTURE.T[:, :, None], affine)
    image = the(path, None, Modality.XR)
    np.testing.assert_array_equal(image.array, PICTURE)
    assert (image.unit, image.acquisition["spacing"]) == (Unit.ARBITRARY, "not said")
    assert refused(path, GeometryError).what.startswith("it is not clear which way rows and columns")


@pytest.mark.parametrize(
    "affine",
    [
        np.eye(4),
        np.diag([-2.0, 3.0, 1.0, 1.0]),
        np.diag([2.0, -3.0, 1.0, 1.0]),
        np.array([[0.8, 0.6, 0, 0], [0, 0, 1.0, 0], [-0.6, 0.8, 0, 0], [0, 0, 0, 1]]) @ np.diag([2.0, 3.0, 1.0, 1.0]),
    ],
)
def test_an_axial_or_turned_plane_could_be_anything(tmp_path, affine) -> None:
    error = refused(nifti(tmp_path / "p.nii", PICTURE.T[:, :, None], affine), GeometryError)
    assert error.what.startswith("it is not clear which way rows and columns")


def test_a_place_in_a_template_is_refused(tmp_path) -> None:
    assert "template" in refused(nifti(tmp_path / "p.nii", PICTURE.T[:, :, None], LPS_AS_RAS, 4), GeometryError).what


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_several_planes_with_a_view_are_refused(tmp_path) -> None:
    stack = np.stack([PICTURE.T] * 4, axis=2)
    error = refused(nifti(tmp_path / "p.nii", stack, np.diag([-2.0, -3.0, 4.0, 1.0])))
    assert error.what == "4 planes where one picture is needed"
    assert "leave the view blank" in error.way_out


def test_a_time_axis_is_refused(tmp_path) -> None:
    stored = np.stack([PICTURE.T[:, :, None]] * 2, axis=3)
    assert refused(nifti(tmp_path / "p.nii", stored, LPS_AS_RAS)).what == "4 axes of 7 x 5 x 1 x 2 pixels"


def test_a_bone_scan_needs_its_view(tmp_path) -> None:
    path = nifti(tmp_path / "p.nii", PICTURE.T[:, :, None], LPS_AS_RAS)
    assert refused(path, view=None).what == "no view of a planar NM"
    assert refused(path, modality=Modality.XR).what == "view ANT of a planar XR"


@pytest.mark.parametrize("modality", [Modality.CT, Modality.MR, Modality.PT])
def test_other_modalities_are_no_pictures(tmp_path, modality) -> None:
    error = refused(nifti(tmp_path / "p.nii", PICTURE.T[:, :, None], LPS_AS_RAS), modality=modality)
    assert error.what == f"a {modality} is no planar image"


def test_modality_and_date_come_from_the_manifest(tmp_path) -> None:
    path = nifti(tmp_path / "p.nii", PICTURE.T[:, :, None], LPS_AS_RAS)
    assert refused(path, modality=None, date=None).what == "the file does not say its modality and date"


def test_a_header_without_a_step_has_no_millimetres(tmp_path) -> None:
    (tmp_path / "p.nrrd").write_bytes(
        b"NRRD0004\ntype: uchar\ndimension: 2\nsizes: 2 2\nencoding: raw\n\n" + bytes([1, 2, 3, 4])
    )
    assert refused(tmp_path / "p.nrrd", GeometryError).what == "the size of a pixel is not in the header"


@pytest.mark.parametrize("name", ["p.nii", "p.mha"])
@pytest.mark.parametrize("modality", [Modality.XR, Modality.NM])
def test_a_single_plane_is_no_volume(tmp_path, name, modality) -> None:
    if name == "p.nii":
        nifti(tmp_path / name, PICTURE.T[:, :, None], LPS_AS_RAS)
    else:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(PICTURE[None]), str(tmp_path / name))
    with pytest.raises(ImageError, match=rf"a planar image \({modality}\) is no volume") as caught:
        read_volume(tmp_path / name, modality=modality, date=DAY)
    assert caught.value.where == name
    assert "read_planar" in caught.value.way_out


def test_a_spect_of_several_planes_is_a_volume(tmp_path) -> None:
    stack = np.stack([PICTURE.T] * 4, axis=2)
    path = nifti(tmp_path / "p.nii", stack, np.diag([-2.0, -3.0, 4.0, 1.0]))
    volume = read_volume(path, modality=Modality.NM, date=DAY)
    assert (volume.geometry.shape, volume.unit, volume.planar) == ((4, 5, 7), Unit.COUNTS, False)


# --- told apart by the header -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("planes", "modality", "view", "planar"),
    [
        (1, Modality.XR, None, True),
        (1, Modality.NM, None, True),
        (1, Modality.NM, View.POST, True),
        (4, Modality.NM, View.POST, True),
        (4, Modality.NM, None, False),
        (4, Modality.CT, None, False),
        (1, Modality.MR, None, False),
        (1, None, None, False),
    ],
)
@pytest.mark.parametrize("name", ["p.nii", "p.nii.gz", "p.nrrd", "p.mha"])
def test_what_is_planar(tmp_path, name, planes, modality, view, planar) -> None:
    stack = np.stack([PICTURE] * planes)
    if name.startswith("p.nii"):
        nifti(tmp_path / name, stack.transpose(2, 1, 0), LPS_AS_RAS)
    else:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(stack), str(tmp_path / name))
    assert is_planar(tmp_path / name, modality=modality, view=view) is planar


def test_a_damaged_header_is_refused(tmp_path) -> None:
    (tmp_path / "p.mha").write_bytes(b"NDims = 3\n")
    with pytest.raises(ImageError, match="damaged"):
        is_planar(tmp_path / "p.mha", modality=Modality.NM)
