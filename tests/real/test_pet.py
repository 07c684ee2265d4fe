"""Real FDG PET: raw in Bq/ml with all tags for SUV and an RTSTRUCT (soft-tissue sarcoma).

Vallieres 2015, 10.7937/K9/TCIA.2015.7GO2GSKS, CC BY 3.0.
"""

from __future__ import annotations

import math

import numpy as np
import pydicom
import pytest

from mdanderson import read_mask, read_volume
from mdanderson.measure.suv import measure_suv
from mdanderson.settings import Pet
from mdanderson.volume import Unit

pytestmark = pytest.mark.real

WEIGHT_G, DOSE_BQ, HALF_LIFE_S = 71_000, 388_777_472, 6588
UPTAKE_S = (11 * 3600 + 20 * 60 + 11) - (10 * 3600 + 35 * 60)


@pytest.fixture(scope="module")
def volume(real_data):
    return read_volume(real_data / "pet_raw_sts001/image")


@pytest.fixture(scope="module")
def mask(real_data, volume):
    return read_mask(real_data / "pet_raw_sts001/mask", like=volume)


@pytest.fixture(scope="module")
def plain(real_data):
    """Oracle: file by file in the order of their names, feet last, by the definition of SUV and nothing of ours."""
    suv_per_bq = WEIGHT_G / (DOSE_BQ * math.exp(-math.log(2) * UPTAKE_S / HALF_LIFE_S))
    planes = []
    for path in sorted((real_data / "pet_raw_sts001/image").iterdir()):
        ds = pydicom.dcmread(path)
        planes.append(ds.pixel_array * float(ds.RescaleSlope) * suv_per_bq)
    return np.stack(planes)


def test_every_voxel_against_the_definition(volume, plain) -> None:
    assert (volume.unit, volume.array.dtype, volume.array.shape) == (Unit.SUV, np.float32, (267, 128, 128))
    assert volume.geometry.spacing_mm == pytest.approx((3.27, 4.6875, 4.6875), abs=1e-4)
    np.testing.assert_allclose(volume.array[::-1], plain, rtol=1e-6)


def test_facts(volume) -> None:
    facts = {key: volume.acquisition[key] for key in ("tracer", "uptake_minutes", "half_life_minutes")}
    assert facts == {"tracer": "FDG", "uptake_minutes": "45.2", "half_life_minutes": "110"}


def test_lesion_against_published_figures(volume, mask) -> None:
    """MIRP's own tests give for GTV_Mass: 7.9-8.0 by body weight, 5.9-6.1 by James, 5.8-5.9 by Janmahasatian."""
    found = measure_suv(volume, mask[1], settings=Pet())
    assert found.suv_max == pytest.approx(7.9107, abs=1e-4)
    assert 7.9 < found.suv_max < 8.0
    assert 5.9 < found.suv_max * float(volume.acquisition["sul_per_suv_james"]) < 6.1
    assert 5.8 < found.suv_max * float(volume.acquisition["sul_per_suv_janmahasatian"]) < 5.9
    assert found.suv_mean < found.suv_peak_bw < found.suv_max
    assert found.sul_peak == pytest.approx(found.suv_peak_bw * 0.74445, rel=1e-5)
    assert found.why == ""


def test_the_known_answer_of_25_4(volume, mask, plain) -> None:
    """It is the greatest SUV of one slice, 1-209, the first through the bladder; neither of the scan nor of the lesion.

    Whoever looks at every 26th file (267 // 10) gets it as the greatest of all.
    """
    greatest = plain.max(axis=(1, 2))
    assert greatest[208] == pytest.approx(25.4, abs=0.05)
    assert greatest[:: len(greatest) // 10].max() == greatest[208]
    assert volume.array.max() == pytest.approx(66.52, abs=0.01)  # the bladder
    assert volume.array[58].max() == pytest.approx(25.4, abs=0.05)
    assert all(volume.array[region.box][region.voxels].max() < 8 for region in mask)


def test_gml_of_another_patient_is_taken_as_it_is(real_data) -> None:
    """Its header dates the injection to the day after the scan: no uptake time is told, and SUV needs none."""
    volume = read_volume(real_data / "sts_multimodal/dicom_STS_002/PET/image")
    assert volume.unit is Unit.SUV
    assert volume.acquisition["tracer"] == "FDG"
    assert "uptake_minutes" not in volume.acquisition
