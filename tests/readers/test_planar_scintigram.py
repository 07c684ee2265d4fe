"""Bone scans in DICOM: views by detector, never a mixture, and every doubt about the counts told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    JPEG2000,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    NuclearMedicineImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from mdanderson.errors import GeometryError, ImageError
from mdanderson.readers import is_planar, read_planar, read_volume
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.planar_pixels import lossy_compression
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Unit

SERIES = "1.2.826.0.1.3680043.8.498.7"
ANTERIOR, POSTERIOR = ("399321004", "SCT", "Anterior projection"), ("399001007", "SCT", "Posterior projection")
Code = tuple[str, str, str]
Edit = Callable[[FileDataset], None]

rng = np.random.default_rng(3)
FRONT, BACK = rng.poisson(9.0, (2, 8, 6)).astype(np.uint16)


def coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def detector(code: Code | None = None, **values: object) -> Dataset:
    item = Dataset()
    if code is not None:
        item.ViewCodeSequence = [coded(code)]
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def scan(frames: np.ndarray, detectors: list[Dataset], edit: Edit | None = None) -> FileDataset:
    """(frames, rows, columns) counts, one frame a detector, the whole body."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = NuclearMedicineImageStorage, generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.StudyDate, ds.SeriesInstanceUID, ds.PatientName = "NM", "20240229", SERIES, "Secret^Name"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.PixelSpacing = [2.4, 2.2]
    ds.EnergyWindowVector = [1] * len(frames)
    ds.DetectorVector = list(range(1, len(frames) + 1))
    ds.DetectorInformationSequence = detectors
    ds.CountsAccumulated = int(frames.sum())
    ds.PixelData = frames.astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"
    if edit is not None:
        edit(ds)
    return ds


def both(edit: Edit | None = None) -> FileDataset:
    return scan(np.stack([FRONT, BACK]), [detector(ANTERIOR), detector(POSTERIOR)], edit)


def one(code: Code | None = ANTERIOR, edit: Edit | None = None) -> FileDataset:
    return scan(FRONT[None], [detector(code)], edit)


def setting(**values: object) -> Edit:
    """An edit; None deletes."""

    def edit(ds: FileDataset) -> None:
        for keyword, value in values.items():
            delattr(ds, keyword) if value is None else setattr(ds, keyword, value)

    return edit


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def saved(ds: FileDataset, name: str = "scan.dcm") -> Path:
        ds.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return saved


def refused(path: Path, kind: type[ImageError] = ImageError, **arguments: object) -> ImageError:
    with pytest.raises(kind) as caught:
        read_planar(path, **arguments)
    assert type(caught.value) is kind
    assert caught.value.where
    assert caught.value.way_out
    assert "Secret" not in str(caught.value)
    assert SERIES not in str(caught.value)
    return caught.value


# --- views ------------------------------------------------------------------------------------------------------------


def test_two_frames_are_two_views(save) -> None:
    path = save(both())
    front, back = read_planar(path, modality=Modality.NM)

    np.testing.assert_array_equal(front.array, FRONT)
    np.testing.assert_array_equal(back.array, BACK)
    assert (front.view, back.view) == (View.ANT, View.POST)
    assert front.spacing_mm == back.spacing_mm == (2.4, 2.2)
    assert (front.unit, front.modality, str(front.date)) == (Unit.COUNTS, Modality.NM, "2024-02-29")
    assert (front.frame, back.frame, front.frames) == (1, 2, 2)
    assert back.acquisition["frame"] == "2 of 2"
    assert front.notes == back.notes == ()
    assert is_planar(path)


def test_the_anterior_view_comes_first_whichever_detector_saw_it(save) -> None:
    front, back = read_planar(save(scan(np.stack([BACK, FRONT]), [detector(POSTERIOR), detector(ANTERIOR)])))
    np.testing.assert_array_equal(front.array, FRONT)
    assert (front.view, front.frame, back.frame) == (View.ANT, 2, 1)


def test_the_detector_vector_tells_frames_from_detectors(save) -> None:
    front, _ = read_planar(save(both(setting(DetectorVector=[2, 1]))))
    np.testing.assert_array_equal(front.array, BACK)


@pytest.mark.parametrize("view", list(View))
def test_one_view_of_two(save, view) -> None:
    (image,) = read_planar(save(both()), view=view)
    assert image.view is view
    np.testing.assert_array_equal(image.array, FRONT if view is View.ANT else BACK)


@pytest.mark.parametrize(
    ("code", "view"),
    [
        (ANTERIOR, View.ANT),
        (POSTERIOR, View.POST),
        (("G-5215", "SRT", ""), View.ANT),
        (("G-5216", "SNM3", "x"), View.POST),
        (("G-5216", "99SDM", "x"), View.POST),
        (("17", "99VENDOR", "POSTERIOR"), View.POST),
        (("R-10206", "SRT", "Anterior"), View.ANT),
    ],
)
def test_codes_of_views(save, code, view) -> None:
    (image,) = read_planar(save(one(code)))
    assert image.view is view


@pytest.mark.parametrize("code", [("399118008", "SCT", "Left lateral projection"), ("7", "99VENDOR", "")])
def test_another_view_is_refused(save, code) -> None:
    error = refused(save(one(code)))
    assert error.what == f"the view '{code[2] or code[0]}' is neither anterior nor posterior"


@pytest.mark.parametrize(
    ("directions", "view"),
    [
        ([1, 0, 0, 0, 0, -1], View.ANT),
        ([-1, 0, 0, 0, 0, -1], View.POST),
        ([1, 0, 0, 0, 1, 0], None),
        ([1, 0, 0, 0, 0, 1], None),
        ([0, 1, 0, 0, 0, -1], None),
    ],
)
def test_without_a_code_the_detectors_own_place_tells(save, directions, view) -> None:
    (image,) = read_planar(save(scan(FRONT[None], [detector(ImageOrientationPatient=directions)])))
    assert image.view is view


def test_an_unsaid_view_is_told_and_the_manifest_says_it(save) -> None:
    path = save(one(None))
    (unsaid,) = read_planar(path)
    (said,) = read_planar(path, view=View.POST)

    assert unsaid.view is None
    assert "both views side by side" in unsaid.notes[0]
    assert (said.view, said.acquisition["view"], said.notes) == (View.POST, "from the manifest", ())


def test_the_manifest_must_not_contradict_the_header(save) -> None:
    assert refused(save(one()), view=View.POST).what == "the header says ANT, not POST"


def test_two_unsaid_views_are_refused(save) -> None:
    error = refused(save(scan(np.stack([FRONT, BACK]), [])), view=View.ANT)
    assert error.what == "2 pictures, 2 of which do not say their view"


def test_a_view_that_is_there_twice_is_refused(save) -> None:
    error = refused(save(scan(np.stack([FRONT, BACK]), [detector(ANTERIOR), detector(ANTERIOR)])))
    assert error.what == "2 pictures of the view ANT"


def test_views_in_a_file_each(save, tmp_path) -> None:
    save(scan(BACK[None], [detector(POSTERIOR)]), "a.dcm")
    save(one(), "b.dcm")
    front, back = read_planar(tmp_path)
    np.testing.assert_array_equal(front.array, FRONT)
    assert (front.view, back.view, front.frames) == (View.ANT, View.POST, 1)


def test_a_copy_of_a_file_counts_once(save, tmp_path) -> None:
    ds = both()
    save(ds, "a.dcm")
    save(ds, "b.dcm")
    assert len(read_planar(tmp_path)) == 2


@pytest.mark.parametrize("edit", [setting(PixelSpacing=[2.4, 2.4]), setting(StudyDate="20240301")])
def test_views_that_do_not_belong_together_are_refused(save, tmp_path, edit) -> None:
    save(one(), "a.dcm")
    save(scan(BACK[None], [detector(POSTERIOR)], edit), "b.dcm")
    assert refused(tmp_path).what == "views of different size, pixel spacing or date"


@pytest.mark.parametrize(
    ("stated", "code"), [("R\\F", ANTERIOR), ("L\\F", POSTERIOR), ("L\\H", ANTERIOR), ("L\\H", None)]
)
def test_a_turned_or_mirrored_picture_is_refused(save, stated, code) -> None:
    error = refused(save(one(code, setting(PatientOrientation=stated.split("\\")))))
    assert "PatientOrientation" in error.what


@pytest.mark.parametrize(
    ("stated", "code"), [("L\\F", ANTERIOR), ("R\\F", POSTERIOR), ("R\\F", None), ("L\\FP", ANTERIOR)]
)
def test_an_upright_picture_is_read(save, stated, code) -> None:
    assert len(read_planar(save(one(code, setting(PatientOrientation=stated.split("\\")))))) == 1


# --- never a mixture --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "what"),
    [
        ("PhaseVector", "phases"),
        ("TimeSliceVector", "time slices"),
        ("TimeSlotVector", "time slots"),
        ("RRIntervalVector", "R-R intervals"),
        ("RotationVector", "rotations"),
    ],
)
def test_frames_of_several_times_are_refused(save, keyword, what) -> None:
    assert refused(save(both(setting(**{keyword: [1, 2]})))).what == f"frames of 2 {what} in one file"


@pytest.mark.parametrize(
    ("kind", "what"), [("DYNAMIC", "a dynamic study"), ("GATED", "a gated study"), ("MIP", "'MIP'")]
)
def test_other_kinds_are_refused(save, kind, what) -> None:
    assert what in refused(save(both(setting(ImageType=["ORIGINAL", "PRIMARY", kind, "EMISSION"])))).what


def test_a_kind_that_nobody_states_is_refused(save) -> None:
    assert "of no kind" in refused(save(both(setting(ImageType=["DERIVED", "SECONDARY"])))).what


@pytest.mark.parametrize("last", ["TRANSMISSION", "SCREEN SAVE"])
def test_pixels_that_are_no_counts_are_refused(save, last) -> None:
    error = refused(save(both(setting(ImageType=["DERIVED", "SECONDARY", "WHOLE BODY", last]))))
    assert error.what.startswith("its pixels are no counts")


def test_a_spot_image_is_read(save) -> None:
    path = save(both(setting(ImageType=["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"])))
    assert [image.acquisition["kind"] for image in read_planar(path)] == ["STATIC", "STATIC"]


def test_a_secondary_capture_with_the_modality_of_a_bone_scan(save) -> None:
    ds = one()
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    assert read_planar(save(ds))[0].view is View.ANT


def windows(*limits: tuple[float, float]) -> list[Dataset]:
    items = []
    for low, high in limits:
        window, inner = Dataset(), Dataset()
        inner.EnergyWindowLowerLimit, inner.EnergyWindowUpperLimit = low, high
        window.EnergyWindowRangeSequence = [inner]
        items.append(window)
    return items


def four_frames(*limits: tuple[float, float], nuclides: int = 1) -> FileDataset:
    """Scatter in window 1, photopeak in window 2."""
    frames = np.stack([FRONT + 100, BACK + 100, FRONT, BACK])
    edit = setting(
        EnergyWindowVector=[1, 1, 2, 2],
        DetectorVector=[1, 2, 1, 2],
        EnergyWindowInformationSequence=windows(*limits),
        RadiopharmaceuticalInformationSequence=[Dataset() for _ in range(nuclides)],
    )
    return scan(frames, [detector(ANTERIOR), detector(POSTERIOR)], edit)


def test_of_several_energy_windows_the_photopeak_is_taken(save) -> None:
    front, back = read_planar(save(four_frames((108.0, 129.0), (130.0, 151.0))))
    np.testing.assert_array_equal(front.array, FRONT)
    np.testing.assert_array_equal(back.array, BACK)
    assert front.acquisition["energy_window"] == "130-151 keV"
    assert (front.frame, front.frames) == (3, 4)


@pytest.mark.parametrize(
    ("limits", "nuclides"),
    [
        (((108.0, 129.0), (150.0, 170.0)), 1),
        (((130.0, 151.0), (126.0, 154.0)), 1),
        (((108.0, 129.0),), 1),
        (((108.0, 129.0), (130.0, 151.0)), 2),
    ],
)
def test_energy_windows_that_cannot_be_told_apart_are_refused(save, limits, nuclides) -> None:
    assert refused(save(four_frames(*limits, nuclides=nuclides))).what == "frames of 2 energy windows in one file"


def test_two_frames_of_one_detector_are_refused(save) -> None:
    assert refused(save(both(setting(DetectorVector=[1, 1])))).what == "2 frames of 1 detector(s) in one file"
    assert "detector" in refused(save(both(setting(DetectorVector=None)))).what


def test_a_vector_of_another_length_is_refused(save) -> None:
    assert "DetectorVector" in refused(save(both(setting(DetectorVector=[1, 2, 3])))).what


# --- counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [False, True])
def test_counts_that_add_up_need_no_note(save, compress) -> None:
    ds = both()
    if compress:
        ds.compress(RLELossless, generate_instance_uid=False)
    images = read_planar(save(ds))
    assert [image.notes for image in images] == [(), ()]
    assert images[0].acquisition["counts_accumulated"] == str(int(FRONT.sum()) + int(BACK.sum()))


@pytest.mark.parametrize("more", [-1, 1])
def test_counts_that_do_not_add_up_are_told(save, more) -> None:
    found = int(FRONT.sum() + BACK.sum())
    image = read_planar(save(both(setting(CountsAccumulated=found + more))))[0]
    assert image.notes == (f"CountsAccumulated says {found + more}, its pixels add up to {found}",)


def test_loss_in_the_past_is_told(save) -> None:
    edit = setting(LossyImageCompression="01", LossyImageCompressionRatio=[4, 12.5], CountsAccumulated=None)
    image = read_planar(save(both(edit)))[0]
    assert image.acquisition["lossy"] == "lossy 12.5:1"
    assert image.notes == ("compressed with loss (lossy 12.5:1): its pixels are no longer counts",)


@pytest.mark.parametrize(
    ("syntax", "stated", "told"),
    [
        (JPEGBaseline8Bit, "", "lossy"),
        (JPEG2000, "", "not said"),
        (JPEG2000, "00", ""),
        (JPEG2000, "01", "lossy"),
        (RLELossless, "", ""),
    ],
)
def test_what_the_transfer_syntax_tells_of_loss(syntax, stated, told) -> None:
    header = FileDataset("", {}, file_meta=FileMetaDataset())
    header.file_meta.TransferSyntaxUID = syntax
    header.LossyImageCompression = stated
    assert lossy_compression(DicomFile(path=Path("x"), header=header)) == told


def test_counts_beyond_16_bits_of_sign_are_kept(save) -> None:
    frames = np.full((1, 2, 3), 60_000, dtype=np.uint16)
    (image,) = read_planar(save(scan(frames, [detector(ANTERIOR)])))
    assert image.array.dtype == np.float32
    assert (image.array == 60_000).all()


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_no_spacing_no_picture(save) -> None:
    assert refused(save(both(setting(PixelSpacing=None))), GeometryError).what == "PixelSpacing is missing"


def test_colour_is_refused(save) -> None:
    assert "colour" in refused(save(both(setting(SamplesPerPixel=3)))).what


def test_the_modality_of_the_manifest_is_compared(save) -> None:
    assert refused(save(both()), modality=Modality.XR).what == "the header says NM, not XR"


def test_a_bone_scan_is_no_volume(save) -> None:
    with pytest.raises(ImageError, match=r"a planar image \(NM\) is no volume"):
        read_volume(save(both()))


def test_a_volume_is_no_bone_scan(dicom_series_factory, stored, axial_grid) -> None:
    folder = dicom_series_factory(stored, axial_grid, modality="NM")
    assert not is_planar(folder)
    assert refused(folder).what == "a volume (NM) is no planar image"


def test_nothing_there(tmp_path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        read_planar(tmp_path / "scan.dcm")
    with pytest.raises(ImageError, match="no such file"):
        is_planar(tmp_path / "scan.dcm")
