"""Radiographs in DICOM: the size of a pixel as the header says it, and bone bright whatever is stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from mdanderson.errors import GeometryError, ImageError
from mdanderson.planar import PlanarImage
from mdanderson.readers import is_planar, peek_modality, read_planar, read_volume
from mdanderson.settings import Radiograph
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Unit

STORED = np.arange(24, dtype=np.uint16).reshape(4, 6) * 40
"""0 to 920, of 10 bits."""


def film(stored: np.ndarray = STORED, **values: object) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ComputedRadiographyImageStorage, generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.StudyDate, ds.SeriesInstanceUID = "CR", "20240229", "1.2.826.0.1.3680043.8.498.9"
    ds.Rows, ds.Columns = stored.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 10, 9
    ds.PixelRepresentation = int(stored.dtype.kind == "i")
    ds.PixelSpacing, ds.PixelSpacingCalibrationType = [0.15, 0.1], "FIDUCIAL"
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OW"
    for keyword, value in values.items():
        delattr(ds, keyword) if value is None else setattr(ds, keyword, value)
    return ds


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def saved(ds: FileDataset, name: str = "film.dcm") -> Path:
        ds.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return saved


def the(path: Path, **arguments: object) -> PlanarImage:
    (image,) = read_planar(path, modality=Modality.XR, **arguments)
    return image


def refused(path: Path, kind: type[ImageError] = ImageError, **arguments: object) -> ImageError:
    with pytest.raises(kind) as caught:
        read_planar(path, **arguments)
    assert type(caught.value) is kind
    assert caught.value.where
    assert caught.value.way_out
    return caught.value


@pytest.mark.parametrize("modality", ["CR", "DX", "RG", "PX"])
def test_a_calibrated_radiograph(save, modality) -> None:
    path = save(film(Modality=modality, ViewPosition="AP", PresentationIntentType="FOR PRESENTATION"))
    image = the(path)

    np.testing.assert_array_equal(image.array, STORED)
    assert image.spacing_mm == (0.15, 0.1)
    assert (image.unit, image.modality, image.view) == (Unit.ARBITRARY, Modality.XR, None)
    assert str(image.date) == "2024-02-29"
    assert image.acquisition == {
        "spacing": "calibrated (FIDUCIAL)",
        "projection": "AP",
        "intent": "FOR PRESENTATION",
    }
    assert image.notes == ()
    assert is_planar(path)
    assert peek_modality(path) is Modality.XR
    with pytest.raises(ImageError, match=rf"a planar image \({modality}\) is no volume"):
        read_volume(path)


# --- the size of a pixel ----------------------------------------------------------------------------------------------


def test_a_spacing_unlike_the_detectors_is_calibrated(save) -> None:
    image = the(save(film(PixelSpacingCalibrationType=None, ImagerPixelSpacing=[0.2, 0.2])))
    assert (image.spacing_mm, image.acquisition["spacing"], image.notes) == ((0.15, 0.1), "calibrated", ())


@pytest.mark.parametrize("repeated", [[0.2, 0.2], None])
def test_the_detectors_spacing_is_told(save, repeated) -> None:
    ds = film(PixelSpacing=repeated, PixelSpacingCalibrationType=None, ImagerPixelSpacing=[0.2, 0.2])
    image = the(save(ds))
    assert (image.spacing_mm, image.acquisition["spacing"]) == ((0.2, 0.2), "detector plane")
    assert image.notes == ("sizes are those on the detector: bone appears magnified there",)


@pytest.mark.parametrize(
    ("estimated", "setting", "factor"), [("1.25", 1.1, 1.25), (None, 1.25, 1.25), ("1", 1.25, 1.0)]
)
def test_magnification_of_the_header_goes_before_that_of_the_settings(save, estimated, setting, factor) -> None:
    ds = film(PixelSpacing=None, PixelSpacingCalibrationType=None, ImagerPixelSpacing=[0.2, 0.1])
    if estimated is not None:
        ds.EstimatedRadiographicMagnificationFactor = estimated
    image = the(save(ds), settings=Radiograph(magnification=setting))
    assert image.spacing_mm == pytest.approx((0.2 / factor, 0.1 / factor))
    assert bool(image.notes) is (factor == 1.0)
    assert ("magnification 1.25" in image.acquisition["spacing"]) is (factor == 1.25)


def test_a_calibrated_spacing_is_never_magnified(save) -> None:
    ds = film(ImagerPixelSpacing=[0.2, 0.2], EstimatedRadiographicMagnificationFactor="1.3")
    assert the(save(ds), settings=Radiograph(magnification=1.3)).spacing_mm == (0.15, 0.1)


def test_a_spacing_of_unknown_plane_is_told(save) -> None:
    image = the(save(film(PixelSpacingCalibrationType=None)))
    assert image.acquisition["spacing"] == "not said"
    assert "does not say whether PixelSpacing is calibrated" in image.notes[0]


def test_no_spacing_no_millimetres(save) -> None:
    error = refused(save(film(PixelSpacing=None, PixelSpacingCalibrationType=None)), GeometryError)
    assert "neither PixelSpacing nor ImagerPixelSpacing" in error.what


@pytest.mark.parametrize("keyword", ["PixelSpacing", "ImagerPixelSpacing"])
@pytest.mark.parametrize("value", [[0, 0.1], [0.1, -0.1]])
def test_impossible_spacings_are_refused(save, keyword, value) -> None:
    assert refused(save(film(**{keyword: value})), GeometryError).what == f"{keyword} is not positive"


def test_a_spacing_of_one_number_is_refused(save) -> None:
    assert "PixelSpacing" in refused(save(film(PixelSpacing=["0.1"])), GeometryError).what


def test_nothing_is_made_smaller_by_magnification(save) -> None:
    ds = film(
        PixelSpacing=None,
        PixelSpacingCalibrationType=None,
        ImagerPixelSpacing=[0.2, 0.2],
        EstimatedRadiographicMagnificationFactor="0.9",
    )
    assert "0.9, below 1" in refused(save(ds), GeometryError).what


# --- bone is bright ---------------------------------------------------------------------------------------------------

DARK = {"PhotometricInterpretation": "MONOCHROME1"}


@pytest.mark.parametrize(
    "stated", [DARK, {**DARK, "PresentationLUTShape": "INVERSE"}, {**DARK, "PixelIntensityRelationshipSign": 1}]
)
def test_what_is_stored_dark_is_turned_over(save, stated) -> None:
    image = the(save(film(**stated)))
    np.testing.assert_array_equal(image.array, 1023 - STORED.astype(int))


@pytest.mark.parametrize("stated", [{"PresentationLUTShape": "IDENTITY"}, {"PixelIntensityRelationshipSign": -1}])
def test_what_is_stored_bright_is_left(save, stated) -> None:
    np.testing.assert_array_equal(the(save(film(**stated))).array, STORED)


def test_turning_over_signed_and_rescaled_numbers(save) -> None:
    """The range of 10 signed bits is -512 to 511; it is turned over within itself, and then rescaled."""
    signed = STORED.astype(np.int16) - 500
    image = the(save(film(signed, **DARK, RescaleSlope="2", RescaleIntercept="5")))
    np.testing.assert_array_equal(image.array, 2 * (-1 - signed) + 5)


def test_padding_stays_padding_when_turned_over(save) -> None:
    image = the(save(film(**DARK, PixelPaddingValue=0)))
    assert image.padding == 1023
    assert not image.as_slab().imaged((slice(0, 1), slice(0, 4), slice(0, 6)))[0, 0, 0]


@pytest.mark.parametrize(
    "stated",
    [
        {**DARK, "PresentationLUTShape": "IDENTITY"},
        {**DARK, "PixelIntensityRelationshipSign": -1},
        {"PresentationLUTShape": "INVERSE"},
        {"PixelIntensityRelationshipSign": 1},
    ],
)
def test_a_header_that_contradicts_itself_is_refused(save, stated) -> None:
    assert "do not agree on whether bone is bright or dark" in refused(save(film(**stated))).what


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_several_frames_are_refused(save) -> None:
    ds = film(np.stack([STORED, STORED]), NumberOfFrames=2)
    assert refused(save(ds)).what == "2 frames in one radiograph"


def test_colour_is_refused(save) -> None:
    assert "colour" in refused(save(film(SamplesPerPixel=3))).what
    assert "RGB" in refused(save(film(PhotometricInterpretation="RGB"))).what


def test_two_radiographs_need_a_name(save, tmp_path) -> None:
    save(film(), "ap.dcm")
    save(film(), "lateral.dcm")
    assert refused(tmp_path).what == "2 radiographs in one series"


def test_a_radiograph_has_no_view_of_a_camera(save) -> None:
    assert refused(save(film()), view=View.ANT).what == "a radiograph has no ANT view"


def test_it_is_no_bone_scan(save) -> None:
    assert refused(save(film()), modality=Modality.NM).what == "the header says XR, not NM"


@pytest.mark.parametrize("modality", ["XA", "RF", "MG", "OT"])
def test_other_projections_are_no_radiographs(save, modality) -> None:
    path = save(film(Modality=modality))
    assert not is_planar(path)
    assert peek_modality(path) is None
    assert refused(path).what == f"a volume ({modality}) is no planar image"


def test_loss_is_told(save) -> None:
    image = the(save(film(LossyImageCompression="01", LossyImageCompressionRatio="9")))
    assert image.acquisition["lossy"] == "lossy 9:1"
    assert image.notes == ("compressed with loss (lossy 9:1)",)
