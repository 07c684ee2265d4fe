"""The unit of an ADC map: stated, told by its values, or none; never silently wrong."""

from __future__ import annotations

import datetime as dt

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st

from mdanderson.errors import UnitError
from mdanderson.readers import read_volume
from mdanderson.readers.mr_adc import adc_values, factor_of_unit
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Unit

DATE = dt.date(2024, 2, 29)
TOLD = {"modality": Modality.MR, "date": DATE, "sequence": MrSequence.ADC}


@pytest.mark.parametrize(
    ("written", "factor"),
    [
        ("um2/s", 1.0),
        ("µm²/s", 1.0),
        ("mm2/s", 1e6),
        ("10*-6.mm2/s", 1.0),
        ("10-6.mm2/s", 1.0),
        ("10^-6 mm^2/s", 1.0),
        ("1e-6 mm2/s", 1.0),
        ("10E-6 mm2/s", 1.0),
        ("x10-6 mm2/s", 1.0),
        ("10*-3.mm2/s", 1e3),
        ("10-3 mm2/s", 1e3),
        ("um2/ms", 1e3),
        ("cm2/s", 1e8),
        ("m2/s", 1e12),
        ("", None),
        ("1", None),
        ("US", None),
        ("normalized", None),
        ("s/mm2", None),
        ("mm2", None),
        ("mm/s", None),
        ("ms", None),
    ],
)
def test_units_as_people_write_them(written, factor) -> None:
    assert factor_of_unit(written) == factor


def flat(value: float, kind: type = np.float32) -> np.ndarray:
    """A map of one value in a background of zeros larger than itself."""
    array = np.zeros((4, 5, 6), dtype=kind)
    array[1, 1:4, 1:4] = value
    return array


@pytest.mark.parametrize(
    ("value", "factor", "name"),
    [
        (99.9, None, ""),
        (100, 1.0, "1e-6 mm2/s"),
        (1200, 1.0, "1e-6 mm2/s"),
        (3500, 1.0, "1e-6 mm2/s"),
        (3501, None, ""),
        (0.0999, None, ""),
        (0.1001, 1e3, "1e-3 mm2/s"),
        (1.2, 1e3, "1e-3 mm2/s"),
        (3.49, 1e3, "1e-3 mm2/s"),
        (3.51, None, ""),
        (0.99e-4, None, ""),
        (1.01e-4, 1e6, "mm2/s"),
        (1.2e-3, 1e6, "mm2/s"),
        (3.49e-3, 1e6, "mm2/s"),
        (3.51e-3, None, ""),
        (30000, None, ""),
    ],
)
def test_values_tell_the_unit_where_only_one_fits(value, factor, name) -> None:
    adc = adc_values(flat(value), None, is_stated=False)
    if factor is None:
        assert adc.unit is Unit.ARBITRARY
        assert adc.note == f"no unit stated and none fits the values (median {value:.3g})"
        np.testing.assert_array_equal(adc.array, flat(value))
    else:
        assert adc.unit is Unit.ADC
        assert adc.note == f"no unit stated: median {value:.3g} read as {name}"
        np.testing.assert_allclose(adc.array, flat(value * factor), rtol=1e-6)


@given(value=st.floats(1e-5, 1e5))
def test_what_is_read_as_adc_is_plausible(value) -> None:
    adc = adc_values(flat(value), None, is_stated=False)
    assert adc.unit is Unit.ARBITRARY or 99.99 <= adc.array.max() <= 3500.01


def test_background_padding_and_nan_are_not_asked() -> None:
    array = flat(1200)
    array[2:] = np.nan
    array[0] = 9000.0
    adc = adc_values(array, 9000.0, is_stated=False)
    assert (adc.unit, adc.padding) == (Unit.ADC, 9000.0)
    small = adc_values((array / 1000).astype(np.float32), 9.0, is_stated=False)
    assert small.unit is Unit.ADC
    assert small.padding == small.array[0, 0, 0] == 9000.0  # padding moves with its voxels


@pytest.mark.parametrize("array", [np.zeros((2, 3, 4)), -np.ones((2, 3, 4)), np.full((2, 3, 4), np.nan)])
def test_a_map_of_nothing_has_no_unit(array) -> None:
    adc = adc_values(array, None, is_stated=False)
    assert (adc.unit, adc.note) == (Unit.ARBITRARY, "no unit stated and none fits the values")
    assert adc_values(array, None, is_stated=True).unit is Unit.ADC


@pytest.mark.parametrize(("value", "fine"), [(9.9, False), (10, True), (1200, True), (35000, True), (35100, False)])
def test_a_stated_unit_is_believed_within_a_factor_of_ten(value, fine) -> None:
    if fine:
        adc = adc_values(flat(value), None, is_stated=True)
        assert (adc.unit, adc.note) == (Unit.ADC, "")
    else:
        with pytest.raises(UnitError) as caught:
            adc_values(flat(value), None, is_stated=True)
        assert caught.value.what == f"the header's unit makes {value:.3g} um2/s the median ADC, which no tissue has"
        assert "NIfTI" in caught.value.way_out


@pytest.mark.parametrize(
    ("edit", "times"),
    [
        ({"RescaleType": "10^-6 mm^2/s", "RescaleSlope": 2, "RescaleIntercept": 0}, 2.0),
        ({"RescaleType": "mm2/s", "RescaleSlope": "0.000002", "RescaleIntercept": 0}, 2.0),
        ({"RescaleType": "um2/s"}, 1.0),
        ({}, 1.0),
        ({"RescaleType": "US", "RescaleSlope": "0.001", "RescaleIntercept": 0}, 1.0),
        ({"RescaleSlope": "0.000001", "RescaleIntercept": 0}, 1.0),
    ],
)
def test_adc_of_a_classic_series(dicom_series_factory, stored, axial_grid, edit, times) -> None:
    def make_adc(plane, ds) -> None:
        ds.ImageType = ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]
        for keyword, value in edit.items():
            setattr(ds, keyword, value)

    volume = read_volume(dicom_series_factory(stored + np.int16(900), axial_grid, modality="MR", edit=make_adc))
    assert (volume.sequence, volume.unit) == (MrSequence.ADC, Unit.ADC)
    np.testing.assert_allclose(volume.array, (stored + 900.0) * times, rtol=1e-6)
    stated = "mm" in edit.get("RescaleType", "") or "um" in edit.get("RescaleType", "")
    assert ("unit_note" in volume.acquisition) is not stated


def test_a_classic_series_may_hold_the_mapping_itself(dicom_series_factory, stored, axial_grid) -> None:
    from pydicom.dataset import Dataset

    def make_adc(plane, ds) -> None:
        code, mapping = Dataset(), Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "mm2/s", "UCUM", "mm2/s"
        mapping.MeasurementUnitsCodeSequence = [code]
        mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 1e-6 * (plane + 1), 0.0
        ds.ImageType, ds.RealWorldValueMappingSequence = ["DERIVED", "PRIMARY", "ADC"], [mapping]

    volume = read_volume(dicom_series_factory(stored + np.int16(900), axial_grid, modality="MR", edit=make_adc))
    np.testing.assert_allclose(volume.array, (stored + 900.0) * np.arange(1, 6)[:, None, None], rtol=1e-6)
    assert volume.unit is Unit.ADC


def write_nifti(path, values):
    nib.save(nib.Nifti1Image(values.T, np.eye(4)), path / "a.nii.gz")
    return path / "a.nii.gz"


def write_nrrd(path, values):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(path / "a.nrrd"))
    return path / "a.nrrd"


@pytest.mark.parametrize("write", [write_nifti, write_nrrd])
def test_formats_without_a_unit(tmp_path, write) -> None:
    volume = read_volume(write(tmp_path, flat(1.2)), **TOLD)
    assert (volume.sequence, volume.unit) == (MrSequence.ADC, Unit.ADC)
    assert volume.acquisition == {
        "unit_note": "no unit stated: median 1.2 read as 1e-3 mm2/s",
        "sequence_source": "manifest",
    }
    assert volume.array.max() == pytest.approx(1200)
    odd = read_volume(write(tmp_path, flat(30000, np.int16)), **TOLD)
    assert odd.unit is Unit.ARBITRARY
    assert "none fits" in odd.acquisition["unit_note"]


@pytest.mark.parametrize("write", [write_nifti, write_nrrd])
@pytest.mark.parametrize("sequence", [None, *(s for s in MrSequence if s is not MrSequence.ADC)])
def test_other_sequences_without_header(tmp_path, write, sequence) -> None:
    volume = read_volume(write(tmp_path, flat(7, np.int16)), **TOLD | {"sequence": sequence})
    assert (volume.sequence, volume.unit, volume.array.dtype) == (sequence, Unit.ARBITRARY, np.int16)
    assert volume.acquisition == ({"sequence_source": "manifest"} if sequence else {})


@pytest.mark.parametrize("write", [write_nifti, write_nrrd])
def test_only_mr_has_a_sequence(tmp_path, write) -> None:
    volume = read_volume(write(tmp_path, flat(7, np.int16)), **TOLD | {"modality": Modality.CT})
    assert (volume.sequence, volume.unit, volume.acquisition) == (None, Unit.HU, {})
