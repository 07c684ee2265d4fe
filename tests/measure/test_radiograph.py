"""Radiographs of a long bone whose answers are known: exposure cancels, healing shows, and what cannot be said is not.

The film is the line integral through a cylinder of cortex and marrow in a thigh, with a ball in the marrow.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdanderson.criteria.density import is_back_to_normal, is_density_normal, is_filled_in
from mdanderson.errors import MeasurementError
from mdanderson.findings import Density
from mdanderson.measure.radiograph import (
    RadiographDensity,
    measure_radiograph_density,
    measure_radiograph_fill_in,
    radiograph_differences,
)
from mdanderson.planar import PlanarImage
from mdanderson.settings import Radiograph, Settings
from mdanderson.vocabulary import LesionType, Modality
from mdanderson.volume import Mask, Region, Unit, Volume

STEP_MM = 0.5
ROWS, COLUMNS = 160, 140
ROW_MM, COLUMN_MM = np.meshgrid(
    (np.arange(ROWS) - (ROWS - 1) / 2) * STEP_MM, (np.arange(COLUMNS) - (COLUMNS - 1) / 2) * STEP_MM, indexing="ij"
)
BONE_MM, CORTEX_MM, BALL_MM = 15.0, 2.5, 8.0
CENTRE_MM = (2.1, -1.3)
FROM_CENTRE_MM = np.hypot(ROW_MM - CENTRE_MM[0], COLUMN_MM - CENTRE_MM[1])
MARROW, CORTEX, SOFT, SCLEROTIC = 200.0, 1200.0, 40.0, 600.0
PER_FILM = 1e-4
"""HU x mm to film units: the middle of the bone stands out by about 1."""
SETTINGS = Settings()
UNEVEN = "bone is too uneven near the lesion, or does not stand out: give a bone map"


def chord(radius_mm: float, off_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 2 * np.sqrt(np.maximum(radius_mm**2 - off_mm**2, 0.0))


def film(
    ball: float = MARROW,
    *,
    shell_mm: float = 0.0,
    gain: float = 1.0,
    offset: float = 0.0,
    noise: float = 0.01,
    seed: int = 0,
    air: bool = False,
    marrow: float = MARROW,
) -> npt.NDArray[np.float32]:
    """(rows, columns): the thigh with a ball of one density, and a sclerotic shell round it."""
    inside, outside = chord(BONE_MM - CORTEX_MM, COLUMN_MM), chord(BONE_MM, COLUMN_MM)
    path = (outside - inside) * (CORTEX - SOFT) + inside * (marrow - SOFT)
    core = chord(BALL_MM, FROM_CENTRE_MM)
    path += core * (ball - marrow) + (chord(BALL_MM + shell_mm, FROM_CENTRE_MM) - core) * (1000.0 - marrow)
    picture = path * PER_FILM + 0.5 * chord(60.0, COLUMN_MM) / 120.0
    if air:
        picture = np.where(np.abs(COLUMN_MM) > 24.0, -1.5, picture)
    picture = picture + np.random.default_rng(seed).normal(0.0, noise, picture.shape)
    return (gain * picture + offset).astype(np.float32)


def slab(picture: npt.NDArray[np.float32]) -> Volume:
    return PlanarImage(
        array=picture, spacing_mm=(STEP_MM, STEP_MM), unit=Unit.ARBITRARY, modality=Modality.XR
    ).as_slab()


def drawn(pixels: npt.NDArray[np.bool_], label: int = 1) -> Region:
    region = Region.from_array(pixels[None], label=label)
    assert region is not None
    return region


LESION = drawn(FROM_CENTRE_MM <= BALL_MM)


def measured(picture: npt.NDArray[np.float32], **arguments: object) -> RadiographDensity:
    return measure_radiograph_density(slab(picture), LESION, **({"settings": SETTINGS} | arguments))


def facts(now: RadiographDensity, lytic: Region | None = None) -> Density:
    """As a finding carries them."""
    assert now.density is not None
    assert now.reference is not None
    filled = measure_radiograph_fill_in(now, lytic, settings=SETTINGS) if lytic is not None else None
    return Density(
        mean_hu=now.density.mean_hu,
        median_hu=now.density.median_hu,
        reference_hu=now.reference.median_hu,
        reference_sd_hu=now.reference.robust_sd_hu,
        lytic_fraction=now.density.lytic_fraction,
        sclerotic_fraction=now.density.sclerotic_fraction,
        lytic_focus_mm=now.density.lytic_focus_mm,
        fill_in_fraction=filled.fill_in_fraction if filled else None,
        cleared_fraction=filled.cleared_fraction if filled else None,
        rim_fraction=now.rim.rim_fraction if now.rim else None,
    )


@pytest.fixture(scope="module")
def before() -> RadiographDensity:
    return measured(film(SOFT))


# --- one radiograph ---------------------------------------------------------------------------------------------------


def test_a_lytic_lesion_by_its_own_bone(before) -> None:
    assert before.why == ""
    assert before.lesion_type is LesionType.LYTIC
    assert before.reference is not None
    assert (before.reference.source, before.reference.median_hu) == ("bone round the lesion", 400.0)
    assert before.lytic is not None
    assert before.lytic.voxels.sum() > 0.8 * LESION.voxels.sum()


def test_the_median_is_that_of_the_line_integrals(before) -> None:
    """Oracle: the noiseless film at the lesion, between soft tissue beside the bone and the bone near the lesion."""
    bare, clean = film(MARROW, noise=0.0), film(SOFT, noise=0.0)
    near = (np.abs(ROW_MM - CENTRE_MM[0]) < BALL_MM + 30) & (FROM_CENTRE_MM > BALL_MM + 4)
    bone = np.median(bare[near & (np.abs(COLUMN_MM) < BONE_MM - 2.5)])
    soft = np.median(bare[near & (np.abs(COLUMN_MM) > BONE_MM + 2.5) & (np.abs(COLUMN_MM) < BONE_MM + 10)])
    expected = 400.0 * (np.median(clean[FROM_CENTRE_MM <= BALL_MM]) - soft) / (bone - soft)
    assert before.density is not None
    assert before.density.median_hu == pytest.approx(expected, abs=6.0)


def test_the_largest_lytic_part_is_a_disc(before) -> None:
    assert before.density is not None
    assert before.density.lytic_focus_mm == pytest.approx(2 * BALL_MM, abs=0.5)


def test_the_image_keeps_its_pixels(before) -> None:
    assert before.image is not None
    assert before.image.unit is Unit.RELATIVE
    assert before.image.geometry.shape == (1, ROWS, COLUMNS)
    assert before.image.geometry.spacing_mm[1:] == (STEP_MM, STEP_MM)


@pytest.mark.parametrize("air", [False, True])
def test_air_beside_the_limb_is_no_soft_tissue(air, before) -> None:
    now = measured(film(SOFT, air=air))
    assert now.density is not None
    assert before.density is not None
    assert now.density.median_hu == pytest.approx(before.density.median_hu, abs=8.0)


@settings(max_examples=12)
@given(gain=st.floats(0.01, 3000.0), shift=st.floats(-20.0, 20.0))
def test_exposure_cancels(gain, shift) -> None:
    """Gain and offset of one and the same film change no fact beyond what single precision rounds away."""
    offset = shift * gain
    picture = film(SOFT, seed=3).astype(np.float64)
    plain, other = (
        measure_radiograph_density(slab(array), LESION, settings=SETTINGS)
        for array in (picture, gain * picture + offset)
    )
    here, there = facts(plain, plain.lytic), facts(other, plain.lytic)
    for name in ("mean_hu", "median_hu", "reference_sd_hu"):
        assert getattr(there, name) == pytest.approx(getattr(here, name), abs=0.5), name
    for name in ("lytic_fraction", "sclerotic_fraction", "fill_in_fraction", "cleared_fraction", "rim_fraction"):
        assert getattr(there, name) == pytest.approx(getattr(here, name), abs=0.01), name


# --- follow-up --------------------------------------------------------------------------------------------------------

EXPOSURES = [(1.0, 0.0), (700.0, 300.0), (0.2, -4.0)]


@pytest.mark.parametrize(("gain", "offset"), EXPOSURES)
@pytest.mark.parametrize("seed", [5, 6])
def test_an_unchanged_lesion_fires_nothing(before, gain, offset, seed) -> None:
    now = facts(measured(film(SOFT, gain=gain, offset=offset, seed=seed)), before.lytic)
    then = facts(before)
    assert now.median_hu == pytest.approx(then.median_hu, abs=4.0)
    assert now.fill_in_fraction == 0.0
    assert now.cleared_fraction is not None
    assert now.cleared_fraction < 0.05
    assert not is_filled_in(now, SETTINGS)
    assert not is_back_to_normal(now, then, SETTINGS)
    assert now.rim_fraction == 0.0


@pytest.mark.parametrize(("gain", "offset"), EXPOSURES)
def test_complete_sclerotic_fill_in_is_cr1(before, gain, offset) -> None:
    now = facts(measured(film(SCLEROTIC, gain=gain, offset=offset, seed=5)), before.lytic)
    assert is_filled_in(now, SETTINGS)
    assert now.fill_in_fraction is not None
    assert now.fill_in_fraction > 0.95
    assert not is_density_normal(now, SETTINGS)


@pytest.mark.parametrize(("gain", "offset"), EXPOSURES)
def test_bone_as_before_is_cr2_and_no_fill_in(before, gain, offset) -> None:
    now = facts(measured(film(MARROW, gain=gain, offset=offset, seed=5)), before.lytic)
    assert is_back_to_normal(now, facts(before), SETTINGS)
    assert now.fill_in_fraction == 0.0
    assert not is_filled_in(now, SETTINGS)


@pytest.mark.parametrize(("share", "fires"), [(0.0, False), (0.5, True)])
def test_partial_fill_in_is_pr1(before, share, fires) -> None:
    """Part of the ball's plane filled from one side."""
    filled = film(SOFT, noise=0.0)
    part = COLUMN_MM - CENTRE_MM[1] < (2 * share - 1) * BALL_MM
    filled = np.where(part, film(SCLEROTIC, noise=0.0), filled)
    noise = np.random.default_rng(8).normal(0.0, 0.01, filled.shape)
    now = facts(measured((filled + noise).astype(np.float32)), before.lytic)
    assert now.fill_in_fraction is not None
    assert (now.fill_in_fraction >= SETTINGS.image.partial_fill_in) is fires
    border = 2.0 * 2 * BALL_MM / (np.pi * BALL_MM**2)  # 2 mm along the cut, where the blur mixes both
    assert share - border <= now.fill_in_fraction <= share


def test_a_thin_shell_is_a_rim(before) -> None:
    """On the film a shell is brightest at its limb; its front and back cross the core but faintly."""
    rim = measured(film(-60.0, shell_mm=1.0, seed=5)).rim
    assert rim is not None
    assert rim.rim_fraction >= SETTINGS.image.rim_fraction
    assert before.rim is not None
    assert before.rim.rim_fraction == 0.0


# --- which bone is the reference --------------------------------------------------------------------------------------


def as_mask(**places: npt.NDArray[np.bool_]) -> Mask:
    regions = tuple(drawn(pixels, k + 1) for k, pixels in enumerate(places.values()))
    return Mask(geometry=slab(film()).geometry, regions=regions)


SHAFT = np.abs(COLUMN_MM) < BONE_MM


def test_a_bone_map_speaks(before) -> None:
    now = measured(film(SOFT), bone_map=as_mask(shaft=SHAFT))
    assert now.reference is not None
    assert before.density is not None
    assert now.density is not None
    assert now.reference.source == "labelled bone"
    assert now.density.median_hu == pytest.approx(before.density.median_hu, abs=8.0)


def test_of_several_labelled_bones_the_nearest() -> None:
    """The other bone is dense; it is no reference, and no soft tissue either."""
    other = COLUMN_MM > 22.0
    picture = film(SOFT) + np.where(other, 3.0, 0.0).astype(np.float32)
    now = measured(picture, bone_map=as_mask(other=other, shaft=SHAFT))
    alone = measured(film(SOFT), bone_map=as_mask(shaft=SHAFT))
    assert now.density is not None
    assert alone.density is not None
    assert now.density.median_hu == pytest.approx(alone.density.median_hu, abs=4.0)


def test_a_given_reference_is_taken_as_it_is() -> None:
    given_pixels = (np.abs(COLUMN_MM) < 8) & (ROW_MM > 20) & (ROW_MM < 30)
    now = measured(film(SOFT), reference_mask=as_mask(given=given_pixels))
    assert now.reference is not None
    assert (now.reference.source, now.reference.voxels) == ("given mask", int(given_pixels.sum()))


def test_a_neighbour_is_no_reference() -> None:
    """A second lesion right above, as large as the rest of the bone near: known, it does not blur what bone reads."""
    beside = np.hypot(ROW_MM - CENTRE_MM[0] + 24, COLUMN_MM + 1) <= 10
    picture = film(SOFT) - np.where(beside, 0.3, 0.0).astype(np.float32)
    assert unsaid(measured(picture)) == UNEVEN
    known = measured(picture, neighbours=[drawn(beside, 2)])
    assert known.why == ""
    assert known.lesion_type is LesionType.LYTIC


def test_a_bone_that_widens_is_judged_along_its_own_trend() -> None:
    """Twice as much over soft tissue at one end as at the other: the lesion reads as in an even bone."""
    ramp = np.where(np.abs(COLUMN_MM) < BONE_MM, 0.004 * ROW_MM, 0.0).astype(np.float32)
    even, widening = (measured(film(SOFT) + more, bone_map=as_mask(shaft=SHAFT)) for more in (0 * ramp, ramp))
    assert even.density is not None
    assert widening.density is not None
    assert widening.density.median_hu == pytest.approx(even.density.median_hu, abs=6.0)
    assert widening.lytic is not None
    assert even.lytic is not None
    assert widening.lytic.voxels.sum() == pytest.approx(even.lytic.voxels.sum(), rel=0.05)


# --- what cannot be said ----------------------------------------------------------------------------------------------


def unsaid(now: RadiographDensity) -> str:
    assert (now.image, now.reference, now.density, now.rim, now.lesion_type, now.lytic) == (None,) * 6
    assert measure_radiograph_fill_in(now, LESION, settings=SETTINGS) is None
    return now.why


def test_noise_has_no_bone() -> None:
    picture = np.random.default_rng(1).uniform(0, 1, (ROWS, COLUMNS)).astype(np.float32)
    assert unsaid(measured(picture)).startswith("bone and soft tissue are not plainly told apart")


def test_an_even_picture_has_no_bone() -> None:
    assert unsaid(measured(np.full((ROWS, COLUMNS), 7.0, dtype=np.float32))) == "too little is seen round the lesion"


def test_a_lesion_in_soft_tissue_has_no_bone_round_it() -> None:
    picture = film()
    aside = drawn(np.hypot(ROW_MM, COLUMN_MM - 29) <= 4)
    now = measure_radiograph_density(slab(picture), aside, settings=SETTINGS)
    assert now.why.startswith("no bone told apart from soft tissue round the lesion")


def test_a_bone_map_without_bone_near() -> None:
    assert unsaid(measured(film(SOFT), bone_map=replace(as_mask(shaft=SHAFT), regions=()))) == (
        "no labelled bone near the lesion"
    )


@pytest.mark.parametrize(("count", "said"), [(99, False), (100, True), (101, True)])
def test_too_few_pixels_are_no_reference(count, said) -> None:
    chosen = np.zeros((ROWS, COLUMNS), dtype=bool)
    chosen[-20:, 60:80] = (np.arange(400) < count).reshape(20, 20)
    now = measured(film(SOFT), reference_mask=as_mask(given=chosen))
    assert (now.why == "") is said
    assert said or now.why == "too little reference bone near the lesion"


@pytest.mark.parametrize(("least", "said"), [(8.0, True), (1000.0, False)])
def test_bone_must_stand_out(least, said) -> None:
    settings = replace(SETTINGS, radiograph=Radiograph(least_contrast_sd=least))
    now = measured(film(SOFT), bone_map=as_mask(shaft=SHAFT), settings=settings)
    assert (now.why == "") is said
    assert said or now.why == UNEVEN


def test_bone_stored_dark_is_no_bone() -> None:
    now = measured(-film(SOFT), bone_map=as_mask(shaft=SHAFT))
    assert unsaid(now) == UNEVEN


def test_pixels_that_were_not_imaged_count_nowhere() -> None:
    picture = film(SOFT)
    hidden = ROW_MM > 25
    picture[hidden] = -9000.0
    whole = measured(film(SOFT))
    cut = measure_radiograph_density(
        PlanarImage(
            array=picture, spacing_mm=(STEP_MM, STEP_MM), unit=Unit.ARBITRARY, modality=Modality.XR, padding=-9000.0
        ).as_slab(),
        LESION,
        settings=SETTINGS,
    )
    assert cut.density is not None
    assert whole.density is not None
    assert cut.density.median_hu == pytest.approx(whole.density.median_hu, abs=6.0)


def test_a_lesion_that_was_not_imaged_is_an_error() -> None:
    picture = film(SOFT)
    picture[FROM_CENTRE_MM <= BALL_MM] = np.nan
    with pytest.raises(MeasurementError, match="lies where nothing was imaged"):
        measured(picture)


def test_only_radiographs_are_measured_so() -> None:
    scan = PlanarImage(
        array=film(SOFT), spacing_mm=(STEP_MM, STEP_MM), unit=Unit.COUNTS, modality=Modality.NM
    ).as_slab()
    with pytest.raises(MeasurementError, match="no radiograph"):
        measure_radiograph_density(scan, LESION, settings=SETTINGS)


# --- two radiographs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "now", "what"),
    [
        ({"projection": "AP"}, {"projection": "LL"}, ["projection AP, now LL"]),
        (
            {"intent": "FOR PROCESSING"},
            {"intent": "FOR PRESENTATION"},
            ["processing FOR PROCESSING, now FOR PRESENTATION"],
        ),
        ({"intensity": "LOG"}, {"intensity": "LIN"}, ["pixel intensity relationship LOG, now LIN"]),
        ({"projection": "AP"}, {"projection": "AP"}, []),
        ({"projection": "AP"}, {}, []),
        ({"scanner": "A"}, {"scanner": "B"}, []),
    ],
)
def test_what_differs_between_two_radiographs(then, now, what) -> None:
    found = radiograph_differences(then, now)
    assert [each.what for each in found] == what
    assert all(each.spoils for each in found)
