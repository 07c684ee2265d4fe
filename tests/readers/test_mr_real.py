"""Real MR images: T1 as DICOM and NIfTI (soft-tissue sarcoma, IBSI), T2 of a cervical vertebra (TPTBox)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from mdanderson.errors import ImageError
from mdanderson.geometry import same_grid
from mdanderson.readers import read_volume
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Unit

pytestmark = pytest.mark.real
TOLD = {"modality": Modality.MR, "date": dt.date(2006, 1, 28)}


def test_t1_as_dicom_and_as_nifti(real_data: Path) -> None:
    """The header lost its times, so that only the name of the series says T1: told, and no contradiction to others."""
    folder = real_data / "sts_multimodal" / "dicom_STS_002" / "MR_T1" / "image"
    nifti = real_data / "sts_multimodal" / "nifti" / "STS_002" / "MR_T1_image.nii.gz"
    series = read_volume(folder)
    assert (series.sequence, series.unit) == (MrSequence.T1, Unit.ARBITRARY)
    assert series.acquisition["sequence_source"] == "series description"
    assert read_volume(folder, sequence=MrSequence.T2).sequence is MrSequence.T2
    told = read_volume(nifti, **TOLD, sequence=MrSequence.T1)
    assert (told.sequence, told.unit) == (MrSequence.T1, Unit.ARBITRARY)
    assert read_volume(nifti, **TOLD).sequence is None
    assert same_grid(series.geometry, told.geometry, tolerance_mm=0.01)
    np.testing.assert_allclose(series.array, told.array, atol=1)


def test_t2_of_a_vertebra(real_data: Path) -> None:
    (path,) = (real_data / "spine_tptbox" / "sample_mri").rglob("*T2w*.nii.gz")
    volume = read_volume(path, **TOLD, sequence=MrSequence.T2)
    assert (volume.sequence, volume.unit, volume.modality) == (MrSequence.T2, Unit.ARBITRARY, Modality.MR)
    assert volume.acquisition == {"sequence_source": "manifest"}


def test_a_ct_series_is_no_mr(real_data: Path) -> None:
    folder = real_data / "sts_multimodal" / "dicom_STS_002" / "CT" / "image"
    with pytest.raises(ImageError, match="the header says CT, not MR"):
        read_volume(folder, modality=Modality.MR, sequence=MrSequence.T1)
