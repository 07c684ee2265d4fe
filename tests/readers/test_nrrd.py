"""NRRD and MetaImage: LPS from SimpleITK, and no default taken for a place that the header leaves out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from mdanderson.errors import GeometryError, ImageError
from mdanderson.geometry import same_grid
from mdanderson.readers.nrrd import read_nrrd, read_nrrd_array
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit

DATE = dt.date(2024, 2, 29)
HEADER = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "2 3 4",
    "space directions": "(0.5,0,0) (0,0.75,0) (0,0,3)",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(-10,-20,30)",
}
META = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "-10 -20 30",
    "ElementSpacing": "0.5 0.75 3",
    "DimSize": "2 3 4",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}
VOXELS = np.arange(24, dtype="<i2").tobytes()


def nrrd(path: Path, changes: dict[str, str | None], data: bytes = VOXELS) -> Path:
    fields = {key: value for key, value in (HEADER | changes).items() if value is not None}
    path.write_bytes(
        b"NRRD0004\n" + "".join(f"{key}: {value}\n" for key, value in fields.items()).encode() + b"\n" + data
    )
    return path


def meta(path: Path, changes: dict[str, str | None], data: bytes = VOXELS) -> Path:
    fields = {key: value for key, value in (META | changes).items() if value is not None}
    path.write_bytes("".join(f"{key} = {value}\n" for key, value in fields.items()).encode() + data)
    return path


WRITERS = pytest.mark.parametrize(("write", "name"), [(nrrd, "a.nrrd"), (meta, "a.mha")])


def refused(path: Path, kind: type[ImageError] = GeometryError) -> ImageError:
    with pytest.raises(kind) as caught:
        read_nrrd(path, modality=Modality.CT, date=DATE)
    assert type(caught.value) is kind
    assert caught.value.where == path.name
    assert caught.value.way_out
    assert "\n" not in str(caught.value)
    return caught.value


@WRITERS
def test_voxels_and_their_place(tmp_path, write, name) -> None:
    volume = read_nrrd(write(tmp_path / name, {}), modality=Modality.CT, date=DATE)
    np.testing.assert_array_equal(volume.array, np.arange(24).reshape(4, 3, 2))
    assert volume.array.dtype == np.int16
    assert volume.geometry.spacing_mm == pytest.approx((3.0, 0.75, 0.5))
    np.testing.assert_allclose(volume.geometry.to_lps([0, 0, 0]), [-10.0, -20.0, 30.0])
    assert (volume.unit, volume.modality, volume.date) == (Unit.HU, Modality.CT, DATE)


def test_ras_is_turned_into_lps(tmp_path) -> None:
    """The same numbers in RAS: x and y change sign, so rows and columns are flipped to run to the back and left."""
    array, geometry, _ = read_nrrd_array(nrrd(tmp_path / "a.nrrd", {"space": "right-anterior-superior"}))
    np.testing.assert_allclose(geometry.to_lps([0, 2, 1]), [10.0, 20.0, 30.0])
    assert array[0, 2, 1] == 0
    np.testing.assert_allclose(geometry.directions, np.eye(3)[::-1])


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".mha", ".mhd"])
def test_what_simpleitk_writes_comes_back(tmp_path, oblique_grid, stored, suffix) -> None:
    image = SimpleITK.GetImageFromArray(stored)
    image.SetOrigin(oblique_grid.affine[:3, 3].tolist())
    image.SetSpacing(oblique_grid.spacing_mm[::-1])
    image.SetDirection(oblique_grid.directions[::-1].T.ravel().tolist())
    SimpleITK.WriteImage(image, str(tmp_path / f"a{suffix}"))
    array, geometry, _ = read_nrrd_array(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(array, stored)
    assert same_grid(geometry, oblique_grid)


def test_header_keys_are_kept(tmp_path) -> None:
    _, _, header = read_nrrd_array(
        nrrd(tmp_path / "a.nrrd", {"encoding": "raw", "space origin": "(0,0,0)\nSegment0_Name:=Lesion 1"})
    )
    assert header["Segment0_Name"] == "Lesion 1"


def layered(path: Path) -> Path:
    return nrrd(
        path,
        {
            "dimension": "4",
            "sizes": "2 2 3 4",
            "space directions": "none (0.5,0,0) (0,0.75,0) (0,0,3)",
            "kinds": "list domain domain domain",
        },
        np.arange(48, dtype="<i2").tobytes(),
    )


def test_layers_are_a_fourth_axis(tmp_path) -> None:
    array, geometry, _ = read_nrrd_array(layered(tmp_path / "a.nrrd"))
    assert array.shape == (4, 3, 2, 2)
    assert geometry.shape == (4, 3, 2)
    np.testing.assert_array_equal(array, np.arange(48).reshape(4, 3, 2, 2))


def test_an_image_of_several_values_a_voxel_is_refused(tmp_path) -> None:
    assert refused(layered(tmp_path / "a.nrrd"), ImageError).what == "2 volumes in one file where one is needed"


def test_four_axes_are_refused(tmp_path) -> None:
    path = tmp_path / "a.mha"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.zeros((3, 4, 5, 6), np.int16), isVector=False), str(path))
    assert refused(path, ImageError).what == "3 volumes in one file where one is needed"


@pytest.mark.parametrize(
    "changes",
    [
        {"space": None, "space origin": None, "space directions": None, "spacings": "1 1 1"},
        {"space": "scanner-xyz"},
        {"space origin": None},
    ],
)
def test_a_nrrd_without_a_place_is_refused(tmp_path, changes) -> None:
    assert "place" in refused(nrrd(tmp_path / "a.nrrd", changes)).what


@pytest.mark.parametrize("key", ["Offset", "ElementSpacing"])
def test_a_metaimage_without_a_place_is_refused(tmp_path, key) -> None:
    assert "place" in refused(meta(tmp_path / "a.mha", {key: None})).what


def test_shear_is_refused(tmp_path) -> None:
    path = nrrd(tmp_path / "a.nrrd", {"space directions": "(0.5,0,0) (0,0.75,0.2) (0,0,3)"})
    assert "sheared" in refused(path).what


@WRITERS
@pytest.mark.parametrize("data", [VOXELS[:-2], b""])
def test_a_truncated_file_is_refused(tmp_path, write, name, data) -> None:
    refused(write(tmp_path / name, {}, data), ImageError)


@pytest.mark.parametrize(
    ("write", "name", "key"), [(nrrd, "a.nrrd", "sizes"), (meta, "a.mha", "DimSize")], ids=["nrrd", "mha"]
)
def test_a_claim_of_too_many_voxels_is_refused(tmp_path, write, name, key) -> None:
    assert "2000 x 2000 x 2000" in refused(write(tmp_path / name, {key: "2000 2000 2000"}), ImageError).what


def test_two_axes_are_refused(tmp_path) -> None:
    path = tmp_path / "a.mha"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.zeros((4, 5), np.int16)), str(path))
    assert "three are needed" in refused(path, ImageError).what


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
def test_other_content_is_refused(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"no image\x00\xff at all" * 50)
    refused(tmp_path / name, ImageError)


def test_a_missing_file_is_refused(tmp_path) -> None:
    assert refused(tmp_path / "a.nrrd", ImageError).what == "no such file"
