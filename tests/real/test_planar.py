"""The public test images of a whole-body bone scan and of a radiograph."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from skimage.draw import polygon

from mdanderson.errors import GeometryError, ImageError
from mdanderson.measure.radiograph import measure_radiograph_density, measure_radiograph_fill_in
from mdanderson.readers import is_planar, read_planar
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Modality, View
from mdanderson.volume import Mask, Region, Unit, Volume

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


# --- a real radiograph, synthetic healing -----------------------------------------------------------------------------

TIBIA = ([0, 0, 900, 1200, 1380, 1380, 1200, 1000], [800, 925, 885, 915, 930, 690, 745, 790])
"""Rows and columns of the outline of the distal tibia, drawn by hand."""
FIBROMA = ((np.arange(1760)[:, None] - 1116) / 84) ** 2 + ((np.arange(1760)[None] - 853) / 42) ** 2
"""Below 1 inside the non-ossifying fibroma, drawn by hand as an ellipse."""


@pytest.fixture(scope="module")
def leg(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Volume:
    """The radiograph with the step that its cassette of 35 cm and 1760 pixels suggests, which its header lacks."""
    dataset = dcmread(folder / "RG3_RLE")
    dataset.ImagerPixelSpacing = [0.2, 0.2]
    path = tmp_path_factory.mktemp("leg") / "leg.dcm"
    dataset.save_as(path)
    (image,) = read_planar(path)
    assert image.acquisition["spacing"] == "detector plane"
    return image.as_slab()


@pytest.fixture(scope="module")
def tibia(leg: Volume) -> Mask:
    labels = np.zeros(leg.array.shape, dtype=np.uint8)
    labels[0][polygon(*TIBIA, shape=labels.shape[1:])] = 1
    return Mask.from_label_map(labels, leg.geometry)


def lesion() -> Region:
    region = Region.from_array((FIBROMA < 1)[None], label=1)
    assert region is not None
    return region


def remade(leg: Volume, picture: np.ndarray) -> Volume:
    return replace(leg, array=picture.astype(np.float32))


def test_bone_is_bright_though_it_is_stored_dark(leg) -> None:
    """A row through the shaft: cortex of the tibia, its marrow, muscle, air."""
    cortex, marrow, muscle, air = (float(leg.array[0, 900, column]) for column in (880, 840, 720, 660))
    assert cortex > marrow > muscle > air


def test_a_real_lytic_lesion_lies_a_sixth_below_its_bone(leg, tibia) -> None:
    """By hand: shaft above 612, metaphysis below 575, muscle beside it about 400, the lesion 559."""
    now = measure_radiograph_density(leg, lesion(), bone_map=tibia, settings=Settings())
    assert now.density is not None
    assert now.density.median_hu == pytest.approx(400 * 5 / 6, abs=20)
    assert now.density.lytic_fraction is not None
    assert now.density.lytic_fraction > 0.3
    assert now.density.sclerotic_fraction == 0.0


def test_without_a_map_of_two_bones_side_by_side_nothing_is_said(leg) -> None:
    now = measure_radiograph_density(leg, lesion(), settings=Settings())
    assert now.density is None
    assert now.why.endswith("give a bone map")


def test_exposure_and_healing_of_a_real_lesion(leg, tibia) -> None:
    """Twice the gain changes nothing; sclerosis painted into the lesion fills it in."""
    settings = Settings()
    before, brighter, filled = (
        measure_radiograph_density(remade(leg, picture), lesion(), bone_map=tibia, settings=settings)
        for picture in (leg.array, 2.0 * leg.array + 90, leg.array + 160 * np.sqrt(np.maximum(1 - FIBROMA, 0)))
    )
    assert before.lytic is not None
    same = measure_radiograph_fill_in(brighter, before.lytic, settings=settings)
    healed = measure_radiograph_fill_in(filled, before.lytic, settings=settings)
    assert same is not None
    assert healed is not None
    assert same.fill_in_fraction == 0.0
    assert same.cleared_fraction is not None
    assert same.cleared_fraction < settings.image.complete_fill_in
    assert healed.fill_in_fraction >= settings.image.complete_fill_in_sclerotic
    assert healed.cleared_fraction is not None
    assert healed.cleared_fraction >= settings.image.complete_fill_in
    assert filled.lesion_type is LesionType.BLASTIC
