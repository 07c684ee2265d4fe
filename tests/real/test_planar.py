"""The public test images of a whole-body bone scan and of a radiograph."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from mdanderson.errors import GeometryError, ImageError
from mdanderson.readers import is_planar, read_planar
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Unit

pytestmark = pytest.mark.real

COUNTS = 3_596_452
"""CountsAccumulated of all three files."""


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    return real_data / "bone_scan_wg04"


@pytest.mark.parametrize("name", ["NM1_RLE", "NM1_J2KR"])
def test_lossless_whole_body_scan(folder, name) -> None:
    (image,) = read_planar(folder / name, modality=Modality.NM, view=View.POST)

    assert image.array.shape == (1024, 256)
    assert image.spacing_mm == (2.26, 2.26)
    assert (image.unit, image.modality, image.view) == (Unit.COUNTS, Modality.NM, View.POST)
    assert int(image.array.sum(dtype=np.int64)) == COUNTS
    assert image.acquisition["kind"] == "WHOLE BODY"
    assert image.acquisition["counts_accumulated"] == str(COUNTS)
    assert image.acquisition["view"] == "from the manifest"
    assert "lossy" not in image.acquisition
    assert image.notes == ()
    assert image.instance_uid not in repr(image)


def test_both_lossless_forms_hold_the_same_counts(folder) -> None:
    one, other = (read_planar(folder / name)[0].array for name in ("NM1_RLE", "NM1_J2KR"))
    np.testing.assert_array_equal(one, other)


def test_nobody_says_from_where_it_looks(folder) -> None:
    (image,) = read_planar(folder / "NM1_RLE")
    assert image.view is None
    assert image.notes[0].startswith("the header does not say from where it looks")


def test_the_lossy_twin_is_told_though_it_is_stored_uncompressed(folder) -> None:
    (image,) = read_planar(folder / "JPEG2000_UNC.dcm", view=View.ANT)
    found = int(image.array.sum(dtype=np.int64))

    assert image.acquisition["lossy"] == "ISO_15444_1 2097:1"
    assert found != COUNTS
    assert image.notes == (
        "compressed with loss (ISO_15444_1 2097:1): its pixels are no longer counts",
        f"CountsAccumulated says {COUNTS}, its pixels add up to {found}",
    )


def test_a_radiograph_without_any_spacing_is_refused(folder) -> None:
    with pytest.raises(GeometryError) as caught:
        read_planar(folder / "RG3_RLE", modality=Modality.XR)
    assert "neither PixelSpacing nor ImagerPixelSpacing" in caught.value.what
    assert (caught.value.where, bool(caught.value.way_out)) == ("RG3_RLE", True)


@pytest.mark.parametrize("name", ["NM1_RLE", "NM1_J2KR", "JPEG2000_UNC.dcm", "RG3_RLE"])
def test_all_are_planar(folder, name) -> None:
    assert is_planar(folder / name)


def test_volumes_are_not(real_data) -> None:
    series = real_data / "ct_totalseg" / "example_ct_dicom"
    assert not is_planar(series)
    assert not is_planar(real_data / "spine_tptbox/sample_ct/sub-ct_label-22_ct.nii.gz", modality=Modality.CT)
    with pytest.raises(ImageError, match=r"a volume \(CT\) is no planar image"):
        read_planar(series, date=dt.date(2024, 1, 1))


def test_four_pictures_in_one_folder_need_a_name(folder) -> None:
    with pytest.raises(ImageError, match="series in one folder"):
        read_planar(folder)
