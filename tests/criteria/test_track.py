"""A quantity over the visits: whole numbers of one unit inside, exact fractions outside."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mdanderson.criteria.track import NO_TRACK, Line, Track, add_tracks
from mdanderson.quantities import Undefined, change, smallest

SIZES = (None, Fraction(30), Fraction(61, 4), None, Fraction(31, 2), Fraction(203, 10))


@pytest.fixture
def line():
    return Line.of(SIZES, counts_from=1)


@pytest.mark.parametrize("visit", range(1, len(SIZES)))
def test_a_line_up_to_a_visit_tells_what_fractions_would(line, visit):
    baseline = None if visit == 1 else 1
    track = line.upto(visit, baseline=baseline)
    earlier, before = SIZES[:visit], None if baseline is None else SIZES[1]
    assert (track.now, track.baseline, track.earlier) == (SIZES[visit], before, earlier)
    assert track.nadir == smallest(earlier)
    assert track.change_baseline == change(SIZES[visit], before)
    assert track.change_nadir == change(SIZES[visit], smallest(earlier))
    assert track == Track.of(now=SIZES[visit], baseline=before, earlier=earlier, least=SIZES[visit])


def test_what_came_before_a_line_counts_is_no_reference():
    line = Line.of((Fraction(1), Fraction(4), Fraction(6)), counts_from=1)
    track = line.upto(2, baseline=1)
    assert (track.earlier, track.nadir, track.first) == ((None, Fraction(4)), Fraction(4), 1)
    assert track.change_nadir == Fraction(1, 2)


def test_tracks_of_different_units_are_added(line):
    other = Line.of((None, Fraction(1, 3), Fraction(1, 3), Fraction(1), Fraction(1), None))
    total = add_tracks([line.upto(4, baseline=1), other.upto(4, baseline=1)])
    assert (total.now, total.baseline) == (Fraction(33, 2), Fraction(91, 3))
    assert total.earlier == (None, Fraction(91, 3), Fraction(187, 12), None)
    assert total.nadir == Fraction(187, 12)


def test_a_sum_of_which_a_part_is_unknown_is_unknown_but_for_what_is_there(line):
    total = add_tracks([line.upto(2, baseline=1), line.upto(2, baseline=1, now_counts=False)])
    assert (total.now, total.at_least) == (None, Fraction(61, 4))
    assert total.change_baseline is Undefined.NOT_ASSESSED
    assert total.change_from("baseline", at_least=True).exact == Fraction(61, 4) / 60 - 1


def test_a_sum_of_nothing_is_not_known():
    assert add_tracks([]) == NO_TRACK


def test_from_zero_there_is_no_relative_change():
    track = Line.of((Fraction(0), Fraction(5))).upto(1, baseline=0)
    assert track.change_baseline is Undefined.ZERO_REFERENCE
    assert track.rise_from("baseline").exact == 5
