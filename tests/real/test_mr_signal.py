"""Real MR: a vertebra taken for a lesion is as bright as its neighbours; N4 on thigh and spine."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from mdanderson.measure.bias import BIAS_CORRECTION, corrected
from mdanderson.measure.signal import measure_signal, place_signal
from mdanderson.measure.signal_reference import UNINVOLVED_BONE, SignalReference, find_signal_reference
from mdanderson.phantoms.mr import bias_field
from mdanderson.readers import read_volume
from mdanderson.readers.masks import read_mask
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Mask, Region, Volume

pytestmark = pytest.mark.real
SETTINGS = Settings()
C6 = 6


@pytest.fixture(scope="module")
def spine(real_data: Path) -> tuple[Volume, Mask]:
    """C5 to C7 of a T2w crop with the vertebrae's labels; discs (1xx) and end plates (2xx) left out."""
    folder = real_data / "spine_tptbox" / "sample_mri"
    volume = read_volume(folder / "sub-mri_label-6_T2w.nii.gz", modality=Modality.MR, date=dt.date(2024, 1, 1))
    labels = read_mask(folder / "sub-mri_seg-vert_label-6_msk.nii.gz", like=volume)
    vertebrae = tuple(region for region in labels if region.label < 100)
    return replace(volume, sequence=MrSequence.T2), replace(labels, regions=vertebrae)


def ball(volume: Volume, bones: Mask) -> Region:
    """The deepest part of C6 as if it were a lesion."""
    bone = bones[C6]
    depth = ndimage.distance_transform_edt(np.pad(bone.voxels, 1), sampling=volume.geometry.spacing_mm)[
        1:-1, 1:-1, 1:-1
    ]
    part = bone.narrowed(depth >= 3.0)
    assert part is not None
    return replace(part, label=1)


def ratio(volume: Volume, region: Region, bones: Mask) -> float:
    found = find_signal_reference(volume, region, neighbours=[region], bone_map=bones, settings=SETTINGS)
    assert isinstance(found, SignalReference), found
    assert found.source == UNINVOLVED_BONE
    measured = measure_signal(volume, region, found, settings=SETTINGS)
    assert measured.ratio is not None
    return measured.ratio


def test_a_healthy_vertebra_is_as_bright_as_its_neighbours(spine):
    volume, bones = spine
    region = ball(volume, bones)
    found = find_signal_reference(volume, region, neighbours=[region], bone_map=bones, settings=SETTINGS)
    shown = place_signal(volume, region, found, settings=SETTINGS)
    assert shown.ratio == pytest.approx(1.0, abs=0.2)
    assert shown.abnormal_fraction < 0.5


def test_gain_and_field_move_its_ratio_by_less_than_a_category(spine):
    volume, bones = spine
    region = ball(volume, bones)
    plain = ratio(corrected(volume, settings=SETTINGS), region, bones)
    for shape in ("slope", "dome"):
        shaded = volume.array * 1.3 * bias_field(volume.geometry, shape, depth=0.3)
        later = corrected(replace(volume, array=shaded.astype(np.float32)), settings=SETTINGS)
        assert ratio(later, region, bones) == pytest.approx(plain, rel=0.15)


def test_a_t1_that_was_corrected_before_is_hardly_shaded(real_data):
    """N4 was run on these images by their publishers."""
    folder = real_data / "sts_multimodal" / "nifti" / "STS_002"
    volume = read_volume(folder / "MR_T1_image.nii.gz", modality=Modality.MR, date=dt.date(2024, 1, 1))
    volume = replace(volume, sequence=MrSequence.T1)
    mask = read_mask(folder / "MR_T1_mask.nii.gz", like=volume)
    again = corrected(volume, settings=SETTINGS)
    assert again.acquisition[BIAS_CORRECTION] == "n4"
    region = mask[1]
    change = again.array[region.box][region.voxels] / np.maximum(volume.array[region.box][region.voxels], 1.0)
    assert np.percentile(change, 95) / np.percentile(change, 5) < 1.35
