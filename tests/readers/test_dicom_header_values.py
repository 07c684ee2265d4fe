"""Values of headers that share bytes: what one header says must never leak into another."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from mdanderson.readers.dicom_elements import numbers, text, whole_number


def read_again(dataset: Dataset, *, implicit: bool = True) -> Dataset:
    """The data set as a file would give it: every element still in its bytes."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, implicit
    write_dataset(buffer, dataset)
    return dcmread(BytesIO(buffer.getvalue()), force=True)


def described(character_set: str) -> Dataset:
    header = Dataset()
    header.SpecificCharacterSet = character_set
    header.SeriesDescription = "Wirbelsäule"
    return read_again(header)


def test_the_same_bytes_are_read_by_the_character_set_of_their_own_header() -> None:
    latin, unicode = described("ISO_IR 100"), described("ISO_IR 192")
    assert text(latin, "SeriesDescription") == text(unicode, "SeriesDescription") == "Wirbelsäule"
    raw = unicode.get_item("SeriesDescription")
    assert raw is not None
    swapped = described("ISO_IR 100")
    swapped["SeriesDescription"] = raw
    assert text(described("ISO_IR 192"), "SeriesDescription") == "Wirbelsäule"
    assert text(swapped, "SeriesDescription") != "Wirbelsäule"


@pytest.mark.parametrize(("signed", "expected"), [(0, 63536), (1, -2000)])
def test_padding_of_the_same_bytes_follows_the_sign_of_the_pixels(signed: int, expected: int) -> None:
    header = Dataset()
    header.PixelRepresentation = signed
    header.add_new("PixelPaddingValue", "SS" if signed else "US", expected)
    again = read_again(header)
    assert whole_number(again, "PixelPaddingValue") == expected


def test_the_same_text_in_two_elements_is_two_values() -> None:
    header = Dataset()
    header.SliceThickness, header.SpacingBetweenSlices = "2.5", "2.5"
    header.SeriesDescription = "2.5"
    again = read_again(header)
    assert numbers(again, "SliceThickness") == numbers(again, "SpacingBetweenSlices") == [2.5]
    assert text(again, "SeriesDescription") == "2.5"


def test_what_is_absent_or_blank_is_none() -> None:
    header = Dataset()
    header.RescaleSlope = None
    again = read_again(header)
    assert numbers(again, "RescaleSlope") is None
    assert numbers(again, "RescaleIntercept") is None
    assert text(again, "RescaleType") == ""
