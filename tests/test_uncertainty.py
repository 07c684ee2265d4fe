"""How sure a category of size is: SDs by hand, printed probabilities, limits, and brute force as oracle."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from mdanderson.errors import MeasurementError
from mdanderson.settings import Uncertainty
from mdanderson.uncertainty import (
    CategoryLimits,
    CategoryProbabilities,
    Measured,
    category_probabilities,
    diameter_sd_mm,
    product_sd_mm2,
    size_sd_mm,
    threshold_distance,
    uptake_sd,
)

ONE = Uncertainty()
TWO = Uncertainty(readers="two")
MDA = CategoryLimits(fall=Fraction(1, 2), rise=Fraction(1, 4), reappeared_mm=Fraction(10))
RECIST = CategoryLimits(fall=Fraction(3, 10), rise=Fraction(1, 5), rise_mm=Fraction(5), reappeared_mm=Fraction(5))
LINEAR = Uncertainty(absolute_sd_mm=0.0)
INTEGRAL = 1e-8  # stated accuracy of the integral


def mm(text: str | int | Fraction) -> Fraction:
    return Fraction(text)


def lesion(long_axis: str | int | Fraction, short_axis: str | int | Fraction, settings: Uncertainty = ONE) -> Measured:
    """The sum of its two diameters (mm)."""
    long_mm, short_mm = mm(long_axis), mm(short_axis)
    return Measured(size=long_mm + short_mm, sd=size_sd_mm(long_mm, short_mm, settings))


def product_of(long_axis: int, short_axis: int, settings: Uncertainty) -> Measured:
    """Their product (mm2), as WHO takes it."""
    long_mm, short_mm = mm(long_axis), mm(short_axis)
    return Measured(size=long_mm * short_mm, sd=product_sd_mm2(long_mm, short_mm, settings))


def measured(size: str | int, sd: float) -> Measured:
    return Measured(size=mm(size), sd=sd)


def odds(now, baseline, reference=None, limits=MDA, long_axis=None) -> CategoryProbabilities:
    found = category_probabilities(now, baseline, reference=reference, limits=limits, long_axis=long_axis)
    assert found is not None
    return found


def four(found: CategoryProbabilities) -> tuple[float, float, float, float]:
    return found.p_cr, found.p_pr, found.p_sd, found.p_pd


# --- standard deviations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("diameter", "settings", "sd"),
    [
        (20, ONE, math.sqrt(1.22**2 + 0.36)),
        (20, TWO, math.sqrt(1.72**2 + 0.36)),
        (10, LINEAR, 0.61),
        ("0.01", ONE, math.sqrt(0.00061**2 + 0.36)),
        (50, Uncertainty(relative_sd_one_reader=0.0), 0.6),
        (0, ONE, 0.0),
    ],
)
def test_a_diameter_has_a_relative_and_an_absolute_error(diameter, settings, sd):
    assert diameter_sd_mm(mm(diameter), settings) == pytest.approx(sd, rel=1e-12)


@pytest.mark.parametrize(
    ("correlation", "sd"),
    [(1.0, 2.0), (0.5, math.sqrt(3.0)), (0.0, math.sqrt(2.0)), (-1.0, 0.0)],
)
def test_the_two_diameters_err_together_in_part(correlation, sd):
    """Two diameters of 20 mm with an SD of 1 mm each."""
    settings = Uncertainty(relative_sd_one_reader=0.05, absolute_sd_mm=0.0, diameter_correlation=correlation)
    assert size_sd_mm(mm(20), mm(20), settings) == pytest.approx(sd, abs=1e-7)
    assert product_sd_mm2(mm(20), mm(20), settings) == pytest.approx(20 * sd, abs=1e-6)


def test_the_error_of_a_product_is_that_of_its_first_order():
    """40 x 10 mm: 10 mm times the error of the long axis and 40 mm times that of the short one."""
    long_sd, short_sd = diameter_sd_mm(mm(40), ONE), diameter_sd_mm(mm(10), ONE)
    expected = math.sqrt((10 * long_sd) ** 2 + (40 * short_sd) ** 2 + 10 * long_sd * 40 * short_sd)
    assert product_sd_mm2(mm(40), mm(10), ONE) == pytest.approx(expected, rel=1e-12)


def test_measured_sizes_are_born_with_their_sd():
    assert Measured.from_diameter(mm(30), ONE) == Measured(size=mm(30), sd=diameter_sd_mm(mm(30), ONE))
    assert Measured.from_uptake(mm(4), ONE) == Measured(size=mm(4), sd=0.4)
    assert uptake_sd(mm("2.5"), TWO) == 0.25
    assert uptake_sd(mm(0), TWO) == 0.0


# --- the printed probabilities ---------------------------------------------------------------------------------------

PRINTED = [
    # (measure, readers, printed in docs/details.md, simulated without linearising)
    ("sum", ONE, 0.0004, 0.00157),
    ("product", ONE, 0.048, 0.0683),
    ("sum", TWO, 0.0086, 0.0179),
    ("product", TWO, 0.117, 0.1458),
]


def share_sd(settings: Uncertainty) -> float:
    return settings.relative_sd_one_reader if settings.readers == "one" else settings.relative_sd_two_readers


def unchanged(measure: str, settings: Uncertainty) -> float:
    """P(PD) of a lesion of 20 x 20 mm that reads the same twice, without the 0.6 mm term."""
    settings = Uncertainty(readers=settings.readers, absolute_sd_mm=0.0)
    twice = (lesion if measure == "sum" else product_of)(20, 20, settings)
    return odds(twice, twice).p_pd


def simulated(measure: str, settings: Uncertainty, *, linear: bool, draws: int = 400_000) -> float:
    """The same by drawing every diameter: share of readings at or above +25 %."""
    share = share_sd(settings)
    random = np.random.default_rng(20240101)
    first, second = random.standard_normal((2, draws)), random.standard_normal((2, draws))
    long_error, short_error = share * first, share * (0.5 * first + math.sqrt(0.75) * second)
    if measure == "sum":
        values = (2 + long_error + short_error) / 2
    else:
        values = 1 + long_error + short_error if linear else (1 + long_error) * (1 + short_error)
    change = values[1] - values[0] if linear else values[1] / values[0] - 1
    return float(np.mean(change >= 0.25))


@pytest.mark.parametrize(("measure", "settings", "printed", "ratio"), PRINTED)
def test_an_unchanged_lesion_reads_as_progression_as_often_as_printed(measure, settings, printed, ratio):
    """By hand: equal diameters with correlation 1/2 give sqrt(3)/2 of their error to a sum and sqrt(3) to a product.

    That is 0.00041, 0.0472, 0.0088 and 0.1176. The printed figures are rounded and look drawn (1e5 draws of 0.048 have
    an SD of 0.0007): this model lies within 0.001 of each.
    """
    found = unchanged(measure, settings)
    spread = share_sd(settings) * math.sqrt(2) * math.sqrt(3) / (2 if measure == "sum" else 1)
    assert found == pytest.approx(norm.sf(0.25 / spread), rel=1e-9)
    assert found == pytest.approx(printed, abs=1e-3)


def test_the_smallest_printed_figure_is_met_to_its_last_digit():
    assert round(unchanged("sum", ONE), 4) == 0.0004


@pytest.mark.parametrize(("measure", "settings", "printed", "ratio"), PRINTED)
def test_a_simulation_of_every_diameter_agrees(measure, settings, printed, ratio):
    """Linearised it gives this model within four SDs of the draw; as a ratio of two readings it gives more, not it."""
    draws, model = 400_000, unchanged(measure, settings)
    assert simulated(measure, settings, linear=True) == pytest.approx(
        model, abs=4 * math.sqrt(model * (1 - model) / draws)
    )
    as_ratio = simulated(measure, settings, linear=False)
    assert as_ratio == pytest.approx(ratio, abs=4 * math.sqrt(ratio * (1 - ratio) / draws))
    assert abs(model - printed) < abs(as_ratio - printed)


def test_the_absolute_term_makes_small_lesions_doubtful():
    small, large = lesion(10, 8), lesion(80, 64)
    assert odds(small, small).p_pd > 5 * odds(large, large).p_pd


def test_two_readers_are_less_sure_than_one():
    assert odds(lesion(20, 15, TWO), lesion(20, 15, TWO)).p_pd > odds(lesion(20, 15), lesion(20, 15)).p_pd


def test_an_uptake_ratio_is_less_sure_than_its_limit():
    """A CV of 10 % at both visits: +25 % is 1.77 SDs, and the 95 % limits of no change are +/- 28 %."""
    ratio = Measured.from_uptake(mm(3), ONE)
    assert odds(ratio, ratio).p_pd == pytest.approx(norm.sf(0.25 / math.sqrt(0.02)), rel=1e-9)
    wide = CategoryLimits(fall=Fraction("0.2772"), rise=Fraction("0.2772"))
    assert 1 - odds(ratio, ratio, limits=wide).p_sd == pytest.approx(0.05, abs=1e-4)


# --- limits ----------------------------------------------------------------------------------------------------------

STEP = Fraction(1, 10)


@pytest.mark.parametrize("reference", [None, "other"])
def test_the_limits_of_mda_below_at_and_above(reference):
    """From 40 mm: 50 mm is +25 %, 20 mm is -50 %; at a limit the toss is even."""
    base = measured(40, 1.5)
    earlier = measured(40, 1.5) if reference else None
    p_pd = [odds(measured(str(size), 1.5), base, earlier).p_pd for size in (mm(50) - STEP, mm(50), mm(50) + STEP)]
    p_pr = [odds(measured(str(size), 1.5), base, earlier).p_pr for size in (mm(20) - STEP, mm(20), mm(20) + STEP)]
    assert p_pd[1] == pytest.approx(0.5, abs=1e-12)
    assert p_pr[1] == pytest.approx(0.5, abs=1e-12)
    assert p_pd[0] < 0.49
    assert p_pd[2] > 0.51
    assert p_pr[0] > 0.51
    assert p_pr[2] < 0.49


@pytest.mark.parametrize("reference", [None, "other"])
def test_the_floor_in_mm_below_at_and_above(reference):
    """From 10 mm a rise of 20 % is soon there: the 5 mm of RECIST decide, at 15 mm."""
    base = measured(10, 0.4)
    earlier = measured(10, 0.4) if reference else None
    below, at, above = (odds(measured(size, 0.4), base, earlier, RECIST).p_pd for size in ("14.9", "15", "15.1"))
    assert at == pytest.approx(0.5, abs=INTEGRAL)
    assert below < 0.45
    assert above > 0.55


def test_a_floor_far_below_the_rise_changes_nothing():
    base, now = measured(200, 6.0), measured(240, 7.0)
    no_floor = CategoryLimits(fall=RECIST.fall, rise=RECIST.rise)
    assert four(odds(now, base, None, RECIST)) == pytest.approx(four(odds(now, base, None, no_floor)), abs=1e-7)


def test_equal_limits_are_symmetric_about_no_change():
    same = lesion(23, 17)
    found = odds(same, same, limits=CategoryLimits(fall=Fraction(1, 4), rise=Fraction(1, 4)))
    assert found.p_pr == pytest.approx(found.p_pd, rel=1e-12)
    assert found.threshold_distance == 0.25


def test_progression_goes_before_response():
    """Nadir 10 mm, now 18, baseline 100: it has fallen from baseline and risen from nadir, so it is PD."""
    found = odds(measured(18, 0.5), measured(100, 3.0), measured(10, 0.4))
    assert found.p_pd > 0.999
    assert found.p_pr < 0.001
    apart = odds(measured(11, 0.5), measured(100, 3.0), measured(10, 0.4))
    assert apart.p_pr == pytest.approx(1 - apart.p_pd, abs=1e-9)


# --- what is not there -----------------------------------------------------------------------------------------------


def test_nothing_to_compare_is_none():
    some = lesion(20, 10)
    assert category_probabilities(None, some, limits=MDA) is None
    assert category_probabilities(some, None, limits=MDA) is None
    assert category_probabilities(some, None, reference=some, limits=MDA) is None
    assert category_probabilities(measured(0, 0.0), measured(0, 0.0), limits=MDA) is None
    assert category_probabilities(some, measured(0, 0.0), reference=some, limits=MDA) is None
    assert threshold_distance(None, some, limits=MDA) is None
    assert threshold_distance(some, None, reference=some, limits=MDA) is None


def test_nothing_left_is_a_complete_response():
    gone, some = measured(0, 0.0), lesion(20, 10)
    assert odds(gone, some) == CategoryProbabilities(p_cr=1.0, threshold_distance=0.5)
    assert odds(gone, some, gone) == CategoryProbabilities(p_cr=1.0)
    assert odds(gone, gone, some) == CategoryProbabilities(p_cr=1.0)


@pytest.mark.parametrize(("long_axis", "excess_mm"), [("9.9", -0.1), ("10", 0.0), ("10.1", 0.1), ("14", 4.0)])
def test_a_reappearance_is_judged_by_its_long_axis(long_axis, excess_mm):
    """Below, at and above 10 mm, with the SD of that axis; what is no progression is still a response."""
    sd = math.sqrt((0.061 * float(long_axis)) ** 2 + 0.36)
    axis = Measured.from_diameter(mm(long_axis), ONE)
    found = odds(lesion(long_axis, 5), lesion(40, 30), measured(0, 0.0), long_axis=axis)
    assert found.p_pd == pytest.approx(norm.cdf(excess_mm / sd), abs=1e-12)
    assert found.p_pr == pytest.approx(1 - found.p_pd, abs=1e-9)
    assert found.threshold_distance is None


def test_a_reappearance_that_is_neither_is_stable():
    axis = Measured.from_diameter(mm(4), ONE)
    found = odds(lesion(4, 4), lesion(5, 5), measured(0, 0.0), long_axis=axis)
    assert found.p_sd > 0.9
    from_nothing = odds(lesion(4, 4), measured(0, 0.0), long_axis=axis)
    assert from_nothing.p_pr == 0.0
    assert from_nothing.p_sd == 1 - from_nothing.p_pd


def test_a_reappearance_without_long_axis_cannot_be_told():
    assert category_probabilities(lesion(4, 4), lesion(5, 5), reference=measured(0, 0.0), limits=MDA) is None


@pytest.mark.parametrize(("long_axis", "word"), [("9.99", "p_pr"), ("10", "p_pd")])
def test_a_reappearance_without_error_is_certain(long_axis, word):
    found = odds(measured(20, 0.0), measured(40, 0.0), measured(0, 0.0), long_axis=measured(long_axis, 0.0))
    assert getattr(found, word) == 1.0
    larger = odds(measured("20.01", 0.0), measured(40, 0.0), measured(0, 0.0), long_axis=measured(9, 0.0))
    assert larger.p_sd == 1.0


@pytest.mark.parametrize(
    ("now", "word"),
    [("49.99", "p_sd"), ("50", "p_pd"), ("20.01", "p_sd"), ("20", "p_pr"), ("0.3", "p_pr"), ("1000", "p_pd")],
)
def test_without_error_the_category_itself_is_certain(now, word):
    """Exactly, at the limit too: it counts, as in the criteria."""
    assert getattr(odds(measured(now, 0.0), measured(40, 0.0)), word) == 1.0


def test_without_error_the_floor_is_exact():
    assert odds(measured("14.99", 0.0), measured(10, 0.0), limits=RECIST).p_sd == 1.0
    assert odds(measured("15", 0.0), measured(10, 0.0), limits=RECIST).p_pd == 1.0


@pytest.mark.parametrize(("size", "sd"), [(-1, 1.0), (1, -1.0), (1, math.nan), (1, math.inf)])
def test_impossible_measurements_are_refused(size, sd):
    with pytest.raises(MeasurementError, match=r"size -?1 with SD .*at least zero"):
        measured(size, sd)


@pytest.mark.parametrize(
    "wrong",
    [{"fall": Fraction(0)}, {"fall": Fraction(1)}, {"rise": Fraction(0)}, {"rise_mm": Fraction(-1)},
     {"reappeared_mm": Fraction(-1)}],
)  # fmt: skip
def test_impossible_limits_are_refused(wrong):
    with pytest.raises(MeasurementError, match=r"limits fall .*between 0 and 1"):
        CategoryLimits(**({"fall": Fraction(1, 2), "rise": Fraction(1, 4)} | wrong))


def test_results_are_values():
    found = odds(lesion(20, 10), lesion(20, 10))
    with pytest.raises(AttributeError):
        found.p_pd = 1.0


# --- distance to the nearest limit -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "baseline", "reference", "limits", "distance"),
    [
        (122, 100, None, MDA, 0.03),
        (128, 100, None, MDA, 0.03),
        (53, 100, None, MDA, 0.03),
        (100, 100, None, MDA, 0.25),
        (50, 100, 45, MDA, 0.0),
        (50, 100, 40, MDA, 0.0),
        (48, 100, 40, MDA, 0.02),
        (14, 10, None, RECIST, 0.1),
        (130, 100, None, RECIST, 0.1),
        (0, 100, None, MDA, 0.5),
        (10, 100, 0, MDA, None),
        (10, 0, None, MDA, None),
    ],
)
def test_distance_to_the_nearest_limit(now, baseline, reference, limits, distance):
    earlier = None if reference is None else measured(reference, 1.0)
    found = threshold_distance(measured(now, 1.0), measured(baseline, 1.0), reference=earlier, limits=limits)
    assert found == (None if distance is None else pytest.approx(distance, abs=1e-12))


def test_the_distance_is_part_of_the_probabilities():
    now, base, low = lesion(22, 11), lesion(30, 20), lesion(18, 12)
    assert odds(now, base, low).threshold_distance == threshold_distance(now, base, reference=low, limits=MDA)


# --- oracles ---------------------------------------------------------------------------------------------------------

SERIES = [
    # baseline, nadir, now: (size, SD)
    ((66, 2.6), (23, 1.4), (30, 1.6)),
    ((66, 2.6), (28, 1.5), (35, 1.7)),
    ((100, 3.0), (40, 2.0), (50, 2.5)),
    ((100, 3.0), (40, 6.0), (50, 0.5)),
    ((100, 0.5), (40, 0.2), (50, 6.0)),
    ((30, 1.6), (25, 1.5), (31, 1.7)),
    ((300, 5.0), (130, 3.0), (155, 3.2)),
    ((24, 1.4), (10, 1.0), (13, 1.1)),
    ((24, 1.4), (10, 0.8), (15, 1.1)),
]


def linear_forms(baseline, nadir, now, limits: CategoryLimits) -> tuple[np.ndarray, np.ndarray]:
    """Means and gradients, over the errors of (now, nadir, baseline), of fall, rise and floor, each reached at >= 0."""
    (start, _), (low, _), (size, _) = baseline, nadir, now
    means = [
        -(size / start - 1) - float(limits.fall),
        size / low - 1 - float(limits.rise),
        size - low - float(limits.rise_mm),
    ]
    gradients = [[-1 / start, 0, size / start**2], [1 / low, -size / low**2, 0], [1, -1, 0]]
    return np.array(means), np.array(gradients)


def joint(means: np.ndarray, gradients: np.ndarray, sds: list[float], which: list[int]) -> float:
    """Probability that the named forms are all >= 0, by the multivariate normal distribution."""
    scaled = (gradients * np.array(sds))[which]
    covariance = scaled @ scaled.T
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    normal = multivariate_normal(cov=correlation, allow_singular=True, seed=1, abseps=1e-7, releps=1e-7, maxpts=10**6)
    return float(normal.cdf(means[which] / spread))


@pytest.mark.parametrize(("baseline", "nadir", "now"), SERIES)
@pytest.mark.parametrize("limits", [MDA, RECIST], ids=["mda", "recist"])
def test_the_joint_case_agrees_with_the_multivariate_normal(baseline, nadir, now, limits):
    means, gradients = linear_forms(baseline, nadir, now, limits)
    sds = [now[1], nadir[1], baseline[1]]
    rises = [1] if limits is MDA else [1, 2]
    p_pd = joint(means, gradients, sds, rises)
    p_pr = joint(means, gradients, sds, [0]) - joint(means, gradients, sds, [0, *rises])
    found = odds(measured(*now), measured(*baseline), measured(*nadir), limits)
    tolerance = INTEGRAL if limits is MDA else 5e-6  # the library's trivariate rule is no better
    assert found.p_pd == pytest.approx(p_pd, abs=tolerance)
    assert found.p_pr == pytest.approx(p_pr, abs=tolerance)
    assert found.p_sd == pytest.approx(1 - p_pd - p_pr, abs=2 * tolerance)


@pytest.mark.parametrize(("baseline", "nadir", "now"), SERIES)
def test_the_joint_case_agrees_with_an_adaptive_integral(baseline, nadir, now):
    """The error of `now` outside, those of nadir and baseline in closed form inside, by an adaptive library rule."""
    (start, start_sd), (low, low_sd), (size, size_sd) = baseline, nadir, now

    def risen(error: float) -> float:
        by_share = (low**2 / size) * (size / low - float(1 + RECIST.rise) + error / low)
        by_floor = size - low - float(RECIST.rise_mm) + error
        return float(norm.cdf(min(by_share, by_floor) / low_sd))

    def fallen(error: float) -> float:
        return float(norm.sf((start**2 / size) * (size / start - float(1 - RECIST.fall) + error / start) / start_sd))

    def expect(function) -> float:
        kink = (size - 2 * low - 5 + float(1 + RECIST.rise) * low**2 / size) / (low / size - 1)  # the bounds cross
        points = sorted({-size_sd, size_sd, min(max(kink, -8 * size_sd), 8 * size_sd)})
        value, _ = quad(
            lambda error: norm.pdf(error, scale=size_sd) * function(error),
            -9 * size_sd, 9 * size_sd, points=points, epsabs=1e-12, epsrel=1e-12, limit=400,
        )  # fmt: skip
        return float(value)

    found = odds(measured(*now), measured(*baseline), measured(*nadir), RECIST)
    assert found.p_pd == pytest.approx(expect(risen), abs=INTEGRAL)
    p_pr = expect(lambda error: fallen(error) * (1 - risen(error)))
    assert found.p_pr == pytest.approx(p_pr, abs=INTEGRAL)


@pytest.mark.parametrize(("baseline", "nadir", "now"), SERIES)
@pytest.mark.parametrize("limits", [MDA, RECIST], ids=["mda", "recist"])
def test_the_joint_case_agrees_with_a_count_of_draws(baseline, nadir, now, limits):
    """The definition itself, drawn: progression first, then response."""
    draws = 200_000
    means, gradients = linear_forms(baseline, nadir, now, limits)
    errors = np.random.default_rng(7).standard_normal((draws, 3)) * [now[1], nadir[1], baseline[1]]
    falls, rises, floors = (means[:, None] + gradients @ errors.T) >= 0
    progression = rises & floors if limits.rise_mm else rises
    response = falls & ~progression
    found = odds(measured(*now), measured(*baseline), measured(*nadir), limits)
    for p, counted in ((found.p_pd, progression), (found.p_pr, response)):
        assert p == pytest.approx(counted.mean(), abs=4 * math.sqrt(p * (1 - p) / draws) + 1e-4)


@pytest.mark.parametrize("now", ["12", "14", "15", "16", "20"])
def test_a_single_reference_with_a_floor_agrees_with_the_bivariate_normal(now):
    base, later = (11, 0.9), (float(now), 1.1)
    means, gradients = linear_forms(base, base, later, RECIST)
    p_pd = joint(means, gradients, [1.1, 0.9, 0.0], [1, 2])
    assert odds(measured(now, 1.1), measured(11, 0.9), None, RECIST).p_pd == pytest.approx(p_pd, abs=INTEGRAL)


def test_certain_earlier_visits_leave_one_error():
    """Only `now` errs: PD above both its bounds, PR below the fall and below them; the steps are met exactly."""
    found = odds(measured(50, 2.0), measured(100, 0.0), measured(40, 0.0))
    assert found.p_pd == pytest.approx(0.5, abs=INTEGRAL)
    assert found.p_pr == pytest.approx(0.5, abs=INTEGRAL)
    wider = odds(measured(50, 2.0), measured(100, 0.0), measured(42, 0.0))
    assert wider.p_pd == pytest.approx(norm.sf((42 * 1.25 - 50) / 2), abs=INTEGRAL)
    assert wider.p_pr == pytest.approx(0.5, abs=INTEGRAL)


def test_a_certain_now_leaves_independent_changes():
    found = odds(measured(50, 0.0), measured(98, 4.0), measured(41, 2.0))
    falls = norm.cdf((0.5 * 98 / 50 - 1) * 98 / 4)
    rises = norm.cdf((1 - 1.25 * 41 / 50) * 41 / 2)
    assert found.p_pd == pytest.approx(rises, abs=INTEGRAL)
    assert found.p_pr == pytest.approx(falls * (1 - rises), abs=INTEGRAL)


# --- properties ------------------------------------------------------------------------------------------------------

sizes = st.one_of(
    st.just(Fraction(0)),
    st.decimals("0.01", "500", places=2).map(Fraction),
    st.fractions(min_value=0, max_denominator=10**12),
    st.sampled_from([Fraction(1, 10**400), Fraction(10**400), Fraction(1, 10**9), Fraction(10**9)]),
)
spreads = st.one_of(st.just(0.0), st.floats(0, 1e3), st.sampled_from([1e-300, 5e-324, 1e300]))
measurements = st.builds(lambda size, sd: Measured(size=size, sd=sd), sizes, spreads)
axes = st.decimals("0.1", "300", places=1).map(Fraction)
lesions = st.builds(lambda one, other: lesion(max(one, other), min(one, other)), axes, axes)
limit_sets = st.sampled_from(
    [MDA, RECIST, CategoryLimits(fall=Fraction(1, 1000), rise=Fraction(10), rise_mm=Fraction(200))]
)


@given(measurements, measurements, st.none() | measurements, limit_sets, st.none() | measurements)
def test_every_input_has_probabilities_or_nothing(now, baseline, reference, limits, long_axis):
    found = category_probabilities(now, baseline, reference=reference, limits=limits, long_axis=long_axis)
    distance = threshold_distance(now, baseline, reference=reference, limits=limits)
    start = baseline.size
    low = start if reference is None else reference.size
    nothing = not start and not low if not now.size else (not start if low else long_axis is None)
    assert (found is None) == nothing
    if found is None:
        return
    assert all(0 <= p <= 1 for p in four(found))
    assert math.fsum(four(found)) == pytest.approx(1, abs=1e-12)
    assert found.threshold_distance == distance
    assert distance is None or (math.isfinite(distance) and distance >= 0)
    assert (found.p_cr == 1) == (now.size == 0)


@given(lesions, st.none() | lesions, axes, axes, axes, limit_sets)
def test_a_larger_lesion_progresses_more_and_responds_less(baseline, reference, long, short, more, limits):
    smaller = lesion(max(long, short), min(long, short))
    larger = lesion(max(long, short) + more, min(long, short) + more)
    before, after = odds(smaller, baseline, reference, limits), odds(larger, baseline, reference, limits)
    assert after.p_pd >= before.p_pd - INTEGRAL
    assert after.p_pr <= before.p_pr + INTEGRAL


@given(lesions, lesions, lesions, st.integers(2, 50))
def test_the_unit_does_not_matter(now, baseline, nadir, factor):
    def scaled(one: Measured) -> Measured:
        return Measured(size=one.size * factor, sd=one.sd * factor)

    first = odds(now, baseline, nadir)
    again = odds(scaled(now), scaled(baseline), scaled(nadir))
    assert again == pytest.approx(first, abs=1e-9)


@given(lesions, lesions)
def test_the_likeliest_category_is_the_one_measured(now, baseline):
    """With one reference the middle of a normal decides: the measured change has no less than half."""
    found, change = odds(now, baseline), now.size / baseline.size - 1
    measured_as = "p_pd" if change >= MDA.rise else "p_pr" if change <= -MDA.fall else None
    if measured_as:
        assert getattr(found, measured_as) >= 0.5 - 1e-12
    else:
        assert max(found.p_pd, found.p_pr) <= 0.5 + 1e-12


@given(lesions, lesions, lesions, limit_sets)
def test_the_same_input_gives_the_same_digits(now, baseline, nadir, limits):
    assert odds(now, baseline, nadir, limits) == odds(now, baseline, nadir, limits)
