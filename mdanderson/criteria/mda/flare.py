"""Osteoblastic flare: which new or hotter lesions inside the window are healing bone, settled by the visit after.

A pure pass over the series. It only decides; the rows are judged again with what it found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from mdanderson.criteria.checks.presence import newly_visible_by_sclerosis
from mdanderson.criteria.course import Flare
from mdanderson.criteria.facts import LesionFacts, LesionRule, Origin
from mdanderson.criteria.mda.bench import Bench
from mdanderson.criteria.mda.lesion import JudgedLesion
from mdanderson.criteria.mda.modality import JudgedModality, JudgedVisit
from mdanderson.criteria.rule import Measure, Role
from mdanderson.quantities import Undefined, change
from mdanderson.settings import Settings
from mdanderson.vocabulary import Category, Modality

__all__ = ["find_flares"]

_NONE: frozenset[str] = frozenset()
_WINDOW = "weeks_on_treatment"
_MODALITIES = (Modality.CT, Modality.XR, Modality.NM)


def find_flares(bench: Bench) -> tuple[Flare, ...]:
    """Every flare, or suspicion of one, in the order of visits, by the limits of the table's flare rows."""
    flares: list[Flare] = []
    for visit in bench.course.visits[1:]:
        judged = bench.visit(visit.index, flares)
        settled = [_settle(bench, flare, visit.index, judged, flares) for flare in flares]
        if settled != flares:
            flares = settled
            judged = bench.visit(visit.index, flares)
        flares = flares + _appearing(bench, visit.index, judged)
    return tuple(flares)


def _appearing(bench: Bench, visit: int, judged: JudgedVisit) -> list[Flare]:
    """The flares that begin at a visit. A reader may state one at any time.

    A row with a window makes a suspicion of what appears inside it, which a later visit settles; a row without one
    takes it for healing at any time, but only beside another sign of it.
    """
    if not any(one.category is Category.PD for one in judged.values()):
        return []
    suspects: dict[Modality, tuple[LesionRule, frozenset[str]]] = {}
    for modality in _MODALITIES:
        one, rule = judged.get(modality), bench.table.role(Role.FLARE, modality)
        if one is None or rule is None or one.category is not Category.PD:
            continue
        if not (_is_inside(rule, bench, visit) or _stated(rule, one)):
            continue
        if found := _suspects(rule, one, bench.settings):
            suspects[modality] = rule, found
    if not suspects:
        return []
    elsewhere = any(one.category is Category.PD for modality, one in judged.items() if modality not in suspects)
    own = {modality: lesions for modality, (_, lesions) in suspects.items()}
    response = any(_shows_response(one, own.get(modality, _NONE)) for modality, one in judged.items())
    signs = {
        modality: not elsewhere and (response or _stated(rule, judged[modality]))
        for modality, (rule, _) in suspects.items()
    }
    return [
        Flare(modality=modality, visit=visit, lesion_ids=lesions, sign=signs[modality], elsewhere=elsewhere)
        for modality, (rule, lesions) in suspects.items()
        if signs[modality] or rule.asks(_WINDOW)
    ]


def _is_inside(rule: LesionRule, bench: Bench, visit: int) -> bool:
    """Whether a visit lies in the row's window; a row without one has no end."""
    days = bench.course.days_on_treatment(visit)
    return not rule.asks(_WINDOW) or (days >= 0 and rule.met(_WINDOW, Fraction(days, 7), bench.settings))


def _stated(rule: LesionRule, judged: JudgedModality) -> bool:
    """Whether a reader calls it flare."""
    return any(rule.code in lesion.facts.reader_codes for lesion in judged.lesions)


def _suspects(rule: LesionRule, judged: JudgedModality, settings: Settings) -> frozenset[str]:
    """The lesions that make it progress, if each of them is one that a flare can bring out; else none."""
    if judged.size_category is Category.PD:
        return frozenset()
    counted = {lesion.facts.lesion_id for lesion in judged.assembly.counted}
    progressing = [lesion for lesion in judged.lesions if _is_new_or_hotter(lesion, lesion.facts.lesion_id in counted)]
    if judged.modality is not Modality.NM and not all(
        newly_visible_by_sclerosis(rule, lesion.facts, settings) for lesion in progressing
    ):
        return frozenset()
    if any(_is_of_another(lesion) for lesion in progressing):
        return frozenset()
    if any(lesion.facts.settled or (lesion.facts.here and not lesion.facts.first_counted) for lesion in progressing):
        return frozenset()  # what was there already, and what grows after its flare was settled (detail 23)
    return frozenset(lesion.facts.lesion_id for lesion in progressing)


def _is_new_or_hotter(lesion: JudgedLesion, counted: bool) -> bool:
    """Whether it makes its modality progress otherwise than by size; uptake of a treated lesion does not count."""
    measures = {Measure.PRESENCE, Measure.UPTAKE} if counted else {Measure.PRESENCE}
    return any(verdict.measure in measures for verdict in lesion.fired(Category.PD))


def _is_of_another(lesion: JudgedLesion) -> bool:
    """Whether a reader's new metastasis stands on the row of a lesion that was there: nobody knows its looks."""
    called = any(verdict.measure is Measure.PRESENCE for verdict in lesion.fired(Category.PD))
    return called and lesion.facts.origin is not Origin.NEW


def _shows_response(judged: JudgedModality, suspects: frozenset[str]) -> bool:
    """Whether a row of response holds in a modality; of new lesions, of the suspects, of what progresses it is none."""
    old = [
        lesion
        for lesion in judged.assembly.followed
        if lesion.category is not Category.PD and lesion.facts.lesion_id not in suspects
    ]
    lesions = [*old, *([judged.total] if judged.total else [])]
    return any(verdict.gives.is_response for lesion in lesions for verdict in lesion.held)


def _settle(bench: Bench, flare: Flare, visit: int, judged: JudgedVisit, flares: Sequence[Flare]) -> Flare:
    """What the next evaluable visit of its modality makes of a flare."""
    now, rule = judged.get(flare.modality), bench.table.role(Role.FLARE, flare.modality)
    if flare.settled_by is not None or now is None or rule is None or not now.facts.evaluable:
        return flare
    lesions = [lesion.facts for lesion in now.lesions if lesion.facts.lesion_id in flare.lesion_ids]
    explained = {lesion_id for one in flares if one.modality is flare.modality for lesion_id in one.lesion_ids}
    further = any(lesion.facts.here and lesion.facts.lesion_id not in explained for lesion in now.lesions)
    worse = further or _called_new(bench, now) or any(_grew(bench, rule, facts, flare.visit) for facts in lesions)
    if not worse and any(_says_nothing(facts, flare.visit) for facts in lesions):
        return flare
    # that the suspects themselves heal by now is a sign that came after
    sign = flare.sign or (not flare.elsewhere and any(_shows_response(one, _NONE) for one in judged.values()))
    return replace(flare, settled_by=visit, worse=worse, sign=sign)


def _called_new(bench: Bench, judged: JudgedModality) -> bool:
    """Whether a reader states a new metastasis, on whichever row: the reader's word is that it is no flare."""
    code = bench.table.code(Role.NEW_LESION, judged.modality)
    return any(code in lesion.facts.reader_codes for lesion in judged.lesions)


def _says_nothing(facts: LesionFacts, since: int) -> bool:
    """Whether a visit cannot tell what became of a flare lesion: not assessed there, or nothing to compare."""
    if facts.unassessed:
        return True
    return not (facts.gone or facts.reader_codes) and isinstance(_rise(facts, since), Undefined)


def _grew(bench: Bench, rule: LesionRule, facts: LesionFacts, since: int) -> bool:
    """Whether a flare lesion is larger (hotter) than it was when the flare was seen, by its size or by a reader."""
    if any(one.code in facts.reader_codes for one in bench.table if _is_growth(one, facts.modality)):
        return True
    quantity, rise = "uptake_rise" if facts.modality is Modality.NM else "size_rise", _rise(facts, since)
    return not isinstance(rise, Undefined) and not rule.met(quantity, rise, bench.settings)


def _rise(facts: LesionFacts, since: int) -> Fraction | Undefined:
    """Its change since the flare was seen, since it was first measured where that was later."""
    track = facts.uptake if facts.modality is Modality.NM else facts.size
    return change(track.now, next((value for value in track.earlier[since:] if value is not None), None))


def _is_growth(rule: LesionRule, modality: Modality) -> bool:
    """Whether a row says that a known lesion has grown, or takes up more."""
    return rule.gives is Category.PD and rule.measure in {Measure.SIZE, Measure.UPTAKE} and modality in rule.modalities
