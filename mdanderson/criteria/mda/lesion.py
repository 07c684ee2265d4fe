"""One lesion, one visit: every row of the table asked, the reader's word first."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from mdanderson.criteria.facts import LesionFacts, LesionRule, Questions, RuleTable, unasked
from mdanderson.criteria.rule import MEASURES, AppliesTo, Check, Level, Measure, Outcome, Role, Verdict
from mdanderson.quantities import Undefined, fixed
from mdanderson.settings import Settings
from mdanderson.vocabulary import Basis, Category, LesionType

__all__ = ["JudgedLesion", "accepted_codes", "judge_lesion", "refused_codes"]

_PRECEDENCE = (Category.PD, Category.CR, Category.PR, Category.SD)
"""Of the rows that hold, the first of these decides."""


class JudgedLesion(NamedTuple):
    """A lesion with the answer of every row that is for it, and its category.

    held: those of `asked` that hold; measures: what these rows look at.
    at_baseline: it has nothing to be compared with, its category is BL.
    """

    facts: LesionFacts
    table: RuleTable
    asked: tuple[Verdict, ...]
    held: tuple[Verdict, ...]
    category: Category
    measures: frozenset[Measure] = frozenset()
    at_baseline: bool = False

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The answer of every row of the table, of those too that are not for such a lesion."""
        if self.at_baseline:
            return ()
        asked = {verdict.code: verdict for verdict in self.asked}
        return tuple(asked.get(rule.code) or _unasked(rule, self.facts) for rule in self.table)

    @property
    def reason(self) -> str:
        """One sentence with the numbers and the rows that hold, or with what was missing."""
        if self.at_baseline:
            return self.facts.unassessed or "baseline"
        return _reason(self)

    @property
    def rules(self) -> tuple[str, ...]:
        """Codes of the rows that hold."""
        return tuple(verdict.code for verdict in self.held)

    @property
    def assessed(self) -> bool:
        """Whether anything could be said."""
        return self.category is not Category.NE and self.category is not Category.BL

    @property
    def basis(self) -> Basis:
        """READER where a reader's statement decided a row."""
        said = any(verdict.basis is Basis.READER for verdict in self.held)
        return Basis.READER if said else Basis.MEASURED

    def fired(self, gives: Category, measure: Measure | None = None) -> list[Verdict]:
        """The rows that hold and give a category, all of them or those of one measure."""
        return [
            verdict
            for verdict in self.held
            if verdict.rule.gives is gives and (measure is None or verdict.rule.measure is measure)
        ]

    def sub_category(self, measure: Measure) -> Category | None:
        """What the rows of one measure say by themselves; None when none of them could be asked."""
        if measure not in MEASURES[self.facts.modality]:
            return None
        if measure is Measure.SIZE and self.facts.size.whole_now == 0 and self.facts.size.whole_baseline:
            return Category.CR
        if measure not in self.measures:
            return None
        given, asked = [], False
        for verdict in self.asked:
            if verdict.rule.measure is measure:
                outcome = verdict.check.outcome
                asked = asked or outcome is Outcome.NOT_FIRED
                if outcome is Outcome.FIRED:
                    given.append(verdict.rule.gives)
        return _first(given) or (Category.SD if asked else None)

    @property
    def size_change_baseline(self) -> Fraction | None:
        """Relative change of size from baseline."""
        return _defined(self.facts.size.change_baseline)

    @property
    def size_change_nadir(self) -> Fraction | None:
        """Relative change of size from the lesion's own smallest earlier size."""
        return _defined(self.facts.size.change_nadir)


def _unasked(rule: LesionRule, facts: LesionFacts) -> Verdict:
    silent = facts.unassessed and rule.level is Level.LESION
    given = unasked(rule, facts)
    if given is None or (silent and given.outcome is Outcome.NOT_ASSESSABLE):
        return Verdict(rule, Check.not_assessable(facts.unassessed))
    return Verdict(rule, given)


def _defined(value: Fraction | Undefined) -> Fraction | None:
    return None if isinstance(value, Undefined) else value


def _first(given: Sequence[Category]) -> Category | None:
    """Of several categories the one that decides."""
    if len(given) > 1:
        return min(given, key=_PRECEDENCE.index)
    return given[0] if given else None


def refused_codes(table: RuleTable, facts: LesionFacts) -> dict[str, str]:
    """The reader's codes that cannot stand here, each with why."""
    if not facts.reader_codes:
        return {}
    rows = {rule.code: rule for rule in table}
    refused = {}
    for code in sorted(facts.reader_codes):
        rule = rows.get(code)
        if rule is None:
            refused[code] = "no row of the criteria has this code"
        elif facts.modality not in rule.modalities:
            refused[code] = f"the criteria have no such row for {facts.modality}"
        elif rule.applies_to is AppliesTo.LYTIC and facts.lesion_type is LesionType.BLASTIC:
            refused[code] = "the row is for lytic lesions, and this one is blastic"
        elif _is_of_ill_defined(rule) and facts.measurable and facts.size.now is not None:
            refused[code] = "the lesion is measurable and has diameters: its size is computed"
    return refused


def _is_of_ill_defined(rule: LesionRule) -> bool:
    """Whether a row lets a reader judge the size of what cannot be measured (docs/details.md, detail 12)."""
    return rule.applies_to is AppliesTo.NON_MEASURABLE and rule.measure is Measure.SIZE


def accepted_codes(table: RuleTable, facts: LesionFacts) -> frozenset[str]:
    """The reader's codes that stand."""
    if not facts.reader_codes:
        return facts.reader_codes
    return facts.reader_codes - refused_codes(table, facts).keys()


def judge_lesion(
    table: RuleTable, facts: LesionFacts, settings: Settings, *, at_baseline: bool = False
) -> JudgedLesion:
    """Ask every row. PD before CR before PR before SD; NE when no row could be asked.

    at_baseline: the lesion has nothing to be compared with, its category is BL.
    """
    if at_baseline:
        return JudgedLesion(facts, table, (), (), Category.BL, at_baseline=True)
    rows = table.asked_of(facts)
    if facts.reader_codes or facts.unassessed or facts.gone:
        rows = _with_stated(table, rows, facts)
        asked = _ask_all(table, rows, facts, settings)
        held = [verdict for verdict in asked if verdict.fired]
    else:
        asked, held = _ask_of_numbers(rows, facts, settings)
    category = _first([verdict.rule.gives for verdict in held])
    if category is None and facts.flare and facts.here:
        category = Category.SD
    return JudgedLesion(facts, table, tuple(asked), tuple(held), category or Category.NE, rows.measures)


def _ask_of_numbers(rows: Questions, facts: LesionFacts, settings: Settings) -> tuple[list[Verdict], list[Verdict]]:
    """Every row where numbers alone decide: the answers, and those of them that hold."""
    asked: list[Verdict] = []
    held: list[Verdict] = []
    for rule in rows.looking:
        verdict = Verdict(rule, rule.holds(rule, facts, settings))
        asked.append(verdict)
        if verdict.check.outcome is Outcome.FIRED:
            held.append(verdict)
    for rule in rows.otherwise:
        verdict = Verdict(rule, _beside(held[0].code) if held else rule.holds(rule, facts, settings))
        asked.append(verdict)
        if verdict.check.outcome is Outcome.FIRED:
            held.append(verdict)
    return asked, held


def _with_stated(table: RuleTable, rows: Questions, facts: LesionFacts) -> Questions:
    """The rows with those that a reader states, although they are not for such a lesion."""
    stated = accepted_codes(table, facts)
    if not stated:
        return rows
    given = {*rows.looking, *rows.otherwise}
    return Questions.of(rule for rule in table if rule in given or rule.code in stated)


def _ask_all(table: RuleTable, rows: Questions, facts: LesionFacts, settings: Settings) -> list[Verdict]:
    """Every row where a reader has stated some, where nothing can be said of the lesion, or where it is gone."""
    stated = accepted_codes(table, facts)
    said = (rule for rule in (*rows.looking, *rows.otherwise) if rule.code in stated)
    beside = {Category.PR} if facts.gone else set()  # a fall by half or more is no word against a lesion being gone
    measures = {rule.measure for rule in said if rule.level is Level.LESION and rule.gives not in beside}
    asked = [_ask(rule, facts, settings, stated, measures) for rule in rows.looking]
    asked = _no_fall_of_what_is_gone(asked) if facts.gone else asked
    others = next((verdict.code for verdict in asked if verdict.fired), "")
    return asked + [_ask(rule, facts, settings, stated, measures, others) for rule in rows.otherwise]


def _ask(
    rule: LesionRule,
    facts: LesionFacts,
    settings: Settings,
    stated: frozenset[str],
    measures: set[Measure],
    others: str = "",
) -> Verdict:
    """One row: the reader's word, else what the facts say.

    others: the code of a row that holds, beside which `no change` does not hold by itself.
    """
    check = _before_asking(rule, facts, stated, measures)
    if check is None:
        check = _beside(others) if others else rule.holds(rule, facts, settings)
    by_reader = rule.code in stated or rule.measure in measures
    return Verdict(rule, check, Basis.READER if by_reader else Basis.MEASURED)


@cache
def _beside(code: str) -> Check:
    return Check.not_fired(f"{code} holds")


def _before_asking(
    rule: LesionRule, facts: LesionFacts, stated: frozenset[str], measures: set[Measure]
) -> Check | None:
    """The answers that need no measurement."""
    if rule.code in stated:
        if rule.role is Role.FLARE:
            return Check.not_fired("stated by the reader, of all lesions together")
        if _is_explained_by_flare(rule, facts):
            return Check.not_fired("stated by the reader, and flare")
        return Check.fired("stated by the reader")
    if measures and (rule.measure in measures or (Measure.ANYTHING in measures and not _size_is_computed(rule, facts))):
        return Check.not_fired("the reader states otherwise")
    if facts.unassessed and rule.level is Level.LESION:
        return Check.not_assessable(facts.unassessed)
    return None


def _is_explained_by_flare(rule: LesionRule, facts: LesionFacts) -> bool:
    """Whether a lesion that is new or hotter is so because of flare, by whoever it was stated."""
    if not facts.flare or rule.gives is not Category.PD:
        return False
    return rule.measure in {Measure.PRESENCE, Measure.UPTAKE} and not facts.settled


def _size_is_computed(rule: LesionRule, facts: LesionFacts) -> bool:
    """New stays new, and diameters of a measurable lesion stay diameters, whatever `no change` was meant to say."""
    return rule.measure is Measure.PRESENCE or (rule.measure is Measure.SIZE and facts.measurable)


def _no_fall_of_what_is_gone(verdicts: list[Verdict]) -> list[Verdict]:
    """Of a lesion that is gone the row of complete response says all; the fall by 100 % is no row beside it."""
    complete = [verdict.code for verdict in verdicts if verdict.fired and verdict.gives is Category.CR]
    if not complete:
        return verdicts
    return [
        verdict._replace(check=Check.not_fired(f"{complete[0]} holds"))
        if verdict.fired and verdict.gives is Category.PR and verdict.basis is Basis.MEASURED
        else verdict
        for verdict in verdicts
    ]


def _reason(lesion: JudgedLesion) -> str:
    """One sentence with the numbers and the rows that hold, or with what was missing."""
    facts = lesion.facts
    told = [f"{verdict.because}: {verdict.code}" for verdict in lesion.held]
    if facts.flare and (facts.here or not facts.settled):
        told.append("counted as flare, not as progression")
    drawn = next((finding.outline_size_mm for finding in facts.now if finding.outline_size_mm is not None), None)
    if drawn is not None:
        told.append(f"new sclerotic rim left out of the size (drawn {fixed(drawn)} mm)")
    if facts.merged_into:
        told.insert(0, f"measured together with {facts.merged_into}, into which it merged")
    if not lesion.held and facts.unassessed:
        told.append(facts.unassessed)
    if not told:
        told = [f"{facts.name}: {f.why}" for f in facts.now if f.why] or [f"{facts.name}: {_missing(lesion)}"]
    return "; ".join(told) + ("; treated locally" if facts.treated else "")


def _missing(lesion: JudgedLesion) -> str:
    """What kept the rows from being asked, each cause once."""
    causes = dict.fromkeys(verdict.because for verdict in lesion.verdicts if verdict.outcome is Outcome.NOT_ASSESSABLE)
    return "; ".join(causes) or f"no row of these criteria judges what {lesion.facts.modality} shows of it"
