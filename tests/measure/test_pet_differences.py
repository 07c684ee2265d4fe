"""When two PETs compare."""

from __future__ import annotations

import pytest

from mdanderson.measure.comparability import pet_differences
from mdanderson.settings import Pet

FACTS = {"tracer": "FDG", "half_life_minutes": "110", "uptake_minutes": "60.0", "scanner": "A"}


def told(**now: str) -> list[tuple[str, bool]]:
    return [(one.what, one.spoils) for one in pet_differences(FACTS, FACTS | now, settings=Pet())]


def test_the_same() -> None:
    assert told() == []


def test_fdg_and_naf_are_never_compared() -> None:
    assert told(tracer="NaF") == [("tracer FDG, now NaF", True)]
    back = pet_differences(FACTS | {"tracer": "NaF"}, FACTS, settings=Pet())
    assert [(one.what, one.spoils) for one in back] == [("tracer NaF, now FDG", True)]


@pytest.mark.parametrize("tracer", ["PSMA", "other"])
def test_another_tracer_spoils(tracer) -> None:
    assert told(tracer=tracer) == [(f"tracer FDG, now {tracer}", True)]


def test_a_tracer_that_is_not_told_is_doubtful_both_ways() -> None:
    assert told(tracer="unknown") == [("tracer FDG, now unknown: see that it is the same", False)]
    silent = {key: value for key, value in FACTS.items() if key != "tracer"}
    assert [one.spoils for one in pet_differences(silent, FACTS, settings=Pet())] == [False]
    assert pet_differences(silent, silent, settings=Pet()) == ()


def test_two_tracers_that_are_not_known_apart() -> None:
    other = FACTS | {"tracer": "other"}
    (only,) = pet_differences(other, other, settings=Pet())
    assert (only.what, only.spoils) == ("tracers are neither FDG, NaF nor PSMA: see that they are the same", False)


@pytest.mark.parametrize(("minutes", "count"), [("68", 1), ("104", 1), ("105", 0), ("110", 0), ("115", 0), ("116", 1)])
def test_another_radionuclide_spoils(minutes, count) -> None:
    """Ga-68 PSMA-11 and F-18 PSMA-1007 are two tracers."""
    found = told(half_life_minutes=minutes)
    assert [spoils for _, spoils in found] == [True] * count


@pytest.mark.parametrize(
    ("minutes", "differs"), [("75.0", False), ("75.1", True), ("45.0", False), ("44.9", True), ("60.0", False)]
)
def test_uptake_time(minutes, differs) -> None:
    found = told(uptake_minutes=minutes)
    assert [spoils for _, spoils in found] == [False] * differs


def test_uptake_time_in_words() -> None:
    assert told(uptake_minutes="92.0") == [("scanned 60 min after injection, now 92 min", False)]


@pytest.mark.parametrize("untold", [{"uptake_minutes": ""}, {"half_life_minutes": "long"}])
def test_what_is_not_told_differs_from_nothing(untold) -> None:
    assert told(**untold) == []


def test_scanner_is_told() -> None:
    assert told(scanner="B") == [("scanner model A, now B", False)]
