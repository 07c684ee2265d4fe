"""Looking a lesion up: every limit just below, at and above; the facts are literal, no image is measured."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from math import pi

import pytest

from mdanderson.assessment import by_density
from mdanderson.assessment.catalogue import Catalogue, Known
from mdanderson.assessment.lookup import MAYBE_NEW, look_up, seen_at_baseline
from mdanderson.assessment.station import Image, Station
from mdanderson.findings import Density, LesionFinding
from mdanderson.lesions import Lesion
from mdanderson.phantoms import LesionSpec, SyntheticBone, centred_grid, render
from mdanderson.registration import Registration
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, Status

SETTINGS = Settings()
DAY = dt.date(2024, 1, 1)
LYTIC = Density(
    mean_hu=40, median_hu=40, reference_hu=150, reference_sd_hu=10, lytic_fraction=1.0, sclerotic_fraction=0.0
)
NORMAL = replace(LYTIC, mean_hu=150, median_hu=150, lytic_fraction=0.0, lytic_focus_mm=0.0)


@cache
def station() -> Station:
    spec = LesionSpec(label=1, centre_mm=(0, 0, 0), semi_axes_mm=(4, 4, 4))
    seen = render(SyntheticBone(), (spec,), centred_grid((2.0, 2.0, 2.0), (20, 40, 50)))
    image = Image(volume=seen.volume, lesions=seen.mask, date=DAY)
    return Station(image=image, registration=Registration.identity())


def finding(density: Density, volume_ml: float = 1.0) -> LesionFinding:
    return LesionFinding(
        lesion_id="L01", status=Status.NEW, modality=Modality.CT, date=DAY, density=density, volume_ml=volume_ml
    )


def known_by(first: LesionFinding) -> Known:
    """The lesion of the image, entered by a finding."""
    home = station()
    region = home.image.lesions.regions[0]
    points = Lesion.from_region(region, home.volume.geometry).points_lps_mm
    return Known(lesion_id="L01", home=home, region=region, points_common_mm=points, lytic=region, first=first)


@pytest.fixture
def shows(monkeypatch):
    """Makes every place read as the density given."""

    def set_to(density: Density) -> None:
        monkeypatch.setattr(by_density, "density_of_place", lambda *_, **__: density)

    return set_to


def first_seen(now: Density, volume_ml: float = 1.0) -> tuple[Status, str]:
    home = station()
    lesion = Lesion.from_region(home.image.lesions.regions[0], home.volume.geometry)
    origin = seen_at_baseline(home, lesion, [finding(now, volume_ml)], [home], settings=SETTINGS)
    assert origin.in_doubt is origin.why.startswith(MAYBE_NEW)
    return origin.status, origin.why


# --- first segmented later ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "status", "why"),
    [
        (0.0, Status.NEW, ""),
        (0.499, Status.NEW, ""),
        (0.5, Status.EQUIVOCAL, MAYBE_NEW),  # grown_share
        (0.501, Status.EQUIVOCAL, MAYBE_NEW),
        (0.899, Status.EQUIVOCAL, MAYBE_NEW),
        (0.9, Status.FOLLOWED, "visible at baseline but not segmented"),  # visible_share
        (0.901, Status.FOLLOWED, "visible at baseline but not segmented"),
    ],
)
def test_the_share_that_was_abnormal_before(shows, share, status, why):
    shows(replace(LYTIC, lytic_fraction=share))
    assert first_seen(LYTIC) == (status, why)


@pytest.mark.parametrize(("median_hu", "status"), [(149.0, Status.FOLLOWED), (151.0, Status.EQUIVOCAL)])
def test_what_was_denser_than_bone_was_not_this_lytic_lesion(shows, median_hu, status):
    shows(replace(LYTIC, median_hu=median_hu))
    assert first_seen(LYTIC)[0] is status


@pytest.mark.parametrize(
    ("focus_mm", "status"), [(4.99, Status.NEW), (5.0, Status.EQUIVOCAL), (5.01, Status.EQUIVOCAL)]
)
def test_a_focus_of_half_the_size_of_what_is_sclerotic_now(shows, focus_mm, status):
    """doubt_focus_share of a ball of 10 mm."""
    shows(replace(LYTIC, lytic_fraction=0.1, lytic_focus_mm=focus_mm))
    sclerotic = replace(LYTIC, lytic_fraction=0.0, sclerotic_fraction=1.0, median_hu=600)
    assert first_seen(sclerotic, volume_ml=pi / 6 * 1.000001**-3)[0] is status


@pytest.mark.parametrize(("sclerotic", "status"), [(0.19, Status.NEW), (0.2, Status.EQUIVOCAL)])
def test_a_focus_is_asked_of_what_shows_sclerosis(shows, sclerotic, status):
    """type_minority."""
    shows(replace(LYTIC, lytic_fraction=0.1, lytic_focus_mm=9.0))
    assert first_seen(replace(LYTIC, lytic_fraction=0.8, sclerotic_fraction=sclerotic), volume_ml=pi / 6)[0] is status


@pytest.mark.parametrize(
    ("now", "then", "why"),
    [
        (LYTIC, "metal lies near it", " (at baseline metal lies near it)"),
        ("too thick here", "too thick then", " (at baseline too thick then)"),
        ("too thick here", LYTIC, " (too thick here)"),
        (LYTIC, "", ""),
    ],
)
def test_what_hides_it_is_named(shows, now, then, why):
    def hidden(density):
        return Density(mean_hu=40, median_hu=40, why=density) if isinstance(density, str) else density

    shows(hidden(then))
    assert first_seen(hidden(now)) == (Status.EQUIVOCAL, MAYBE_NEW + why)


# --- in doubt, and seen again -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        (Status.NEW, (Status.EQUIVOCAL, True, "in doubt")),
        (Status.EQUIVOCAL, (Status.EQUIVOCAL, True, "in doubt")),
        (Status.FOLLOWED, (Status.NOT_EVALUABLE, False, "settled")),
        (Status.NOT_EVALUABLE, (Status.NOT_EVALUABLE, False, "settled")),
    ],
)
def test_an_earlier_visit_is_told_as_a_later_outline_settles_it(origin, told):
    """A place that was there, or that baseline did not show, never had a new focus; its small outline is no size."""
    doubted = replace(finding(LYTIC), status=Status.EQUIVOCAL, maybe_new=True, why="in doubt")
    other = replace(doubted, lesion_id="L02")
    catalogue = Catalogue(lesions=(known_by(replace(finding(LYTIC), status=origin, why="settled")),))
    first, second = catalogue.settled([doubted, other])
    assert (first.status, first.maybe_new, first.why) == told
    assert second is other


# --- segmented no longer ------------------------------------------------------------------------------------------


def gone(before: Density) -> tuple[Status, str]:
    (found,) = look_up(known_by(finding(before)), [station()], settings=SETTINGS)
    return found.status, found.why


@pytest.mark.parametrize(("focus_mm", "status"), [(3.9, Status.RESOLVED), (4.0, Status.MISSING), (4.1, Status.MISSING)])
def test_a_focus_left_below_at_and_above_its_limit(shows, focus_mm, status):
    """normal_focus_mm."""
    shows(replace(NORMAL, lytic_focus_mm=focus_mm))
    assert gone(replace(LYTIC, lytic_focus_mm=10.0))[0] is status


@pytest.mark.parametrize(
    ("median_hu", "status"), [(120.1, Status.RESOLVED), (120.0, Status.RESOLVED), (119.9, Status.NOT_EVALUABLE)]
)
def test_contrast_left_below_at_and_above_its_limit(shows, median_hu, status):
    """normal_contrast_left: half of the 60 HU by which the place was off."""
    shows(replace(NORMAL, median_hu=median_hu))
    assert gone(replace(LYTIC, median_hu=90.0))[0] is status


@pytest.mark.parametrize(
    ("now", "before", "why"),
    [
        (
            Density(mean_hu=1, median_hu=1, why="metal lies near it: streaks are no density"),
            LYTIC,
            "not segmented, and metal lies near it: streaks are no density",
        ),
        (Density(mean_hu=1, median_hu=1), LYTIC, "not segmented, and no reference bone to judge its place by"),
        (
            NORMAL,
            Density(mean_hu=1, median_hu=1, why="planes of 8 mm are too thick"),
            "not segmented, and at baseline planes of 8 mm are too thick",
        ),
        (NORMAL, NORMAL, "as dense as its bone at baseline: only a reader can say that it is gone"),
    ],
)
def test_a_place_that_cannot_be_judged_says_why(shows, now, before, why):
    shows(now)
    assert gone(before) == (Status.NOT_EVALUABLE, why)
