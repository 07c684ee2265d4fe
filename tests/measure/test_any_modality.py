"""`measure_lesion` measures what the modality of an image shows, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mdanderson as mda
from mdanderson.geometry import Geometry
from mdanderson.phantoms.mr import MrSpine, render_mr
from mdanderson.phantoms.scan import Focus, ScanBody, render_view
from mdanderson.phantoms.shapes import LesionSpec
from mdanderson.vocabulary import Modality, MrSequence
from mdanderson.volume import Mask, Unit, Volume

QUANTITIES = ("diameters", "density", "signal", "adc", "uptake", "suv")
GRID = Geometry.from_axes(shape=(24, 90, 90), spacing_mm=(2.0, 1.5, 1.5), origin_mm=(-66.0, -66.0, -23.0))
BALL = LesionSpec(label=1, centre_mm=(0.0, 0.0, 0.0), semi_axes_mm=(8.0, 8.0, 8.0))


def measured(found: object) -> set[str]:
    return {name for name in QUANTITIES if getattr(found, name) is not None}


@pytest.mark.parametrize("sequence", [MrSequence.T1, MrSequence.STIR])
def test_mr_shows_size_and_signal(sequence):
    phantom = render_mr(MrSpine(sequence=sequence), [BALL], [0.5], GRID)
    found = mda.measure_lesion(phantom.volume, phantom.mask)
    assert measured(found) == {"diameters", "signal"}
    assert float(found.diameters.long_axis_mm) == pytest.approx(16.0, abs=0.6)
    assert found.signal.ratio == pytest.approx(0.5, abs=0.06)


def test_an_adc_map_shows_adc_and_no_ratio():
    spine = MrSpine(sequence=MrSequence.ADC)
    phantom = render_mr(spine, [BALL], [2.0], GRID)
    found = mda.measure_lesion(phantom.volume, phantom.mask)
    assert measured(found) == {"diameters", "adc"}
    assert found.adc.median_um2_s == pytest.approx(2.0 * spine.signals.marrow, rel=0.02)


def test_a_bone_scan_shows_uptake():
    phantom = render_view(ScanBody(seed=4), [Focus(x_mm=85, z_mm=100, radius_mm=14, ratio=4)])
    found = mda.measure_lesion(phantom.volume, phantom.mask)
    assert measured(found) == {"uptake"}
    assert found.uptake.ratio == pytest.approx(phantom.ratio(1), rel=0.15)


def test_pet_shows_suv():
    values = np.ones((20, 20, 20), dtype=np.float32)
    values[8:12, 8:12, 8:12] = 6.0
    geometry = Geometry.from_axes(shape=(20, 20, 20), spacing_mm=(3.0, 3.0, 3.0), origin_mm=(0.0, 0.0, 0.0))
    volume = Volume(array=values, geometry=geometry, unit=Unit.SUV, modality=Modality.PT)
    found = mda.measure_lesion(volume, Mask.from_label_map(values > 3.0, geometry))
    assert measured(found) == {"suv"}
    assert found.suv.suv_max == 6.0
    assert found.volume_ml == pytest.approx(64 * 0.027)


def test_a_lesion_at_the_edge_says_so():
    phantom = render_mr(MrSpine(), [replace(BALL, centre_mm=(0.0, 0.0, 22.0))], [0.5], GRID)
    assert mda.measure_lesion(phantom.volume, phantom.mask).touches_edge
