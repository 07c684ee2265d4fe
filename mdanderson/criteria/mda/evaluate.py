"""One modality at one visit: its lesions judged, their sum judged by the same rows, and the category that follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from mdanderson.criteria.facts import LesionFacts, ModalityFacts, Origin, RuleTable
from mdanderson.criteria.mda.lesion import JudgedLesion, judge_lesion
from mdanderson.criteria.mda.modality import JudgedModality
from mdanderson.criteria.rule import Measure, Role, Verdict, Words
from mdanderson.criteria.track import add_tracks
from mdanderson.quantities import exact
from mdanderson.settings import Settings
from mdanderson.vocabulary import Basis, Category, Scope

__all__ = ["judge_modality"]


_RESPONSES = (Category.CR, Category.PR)
_Answer = tuple[Category, Iterable[str], Words]
"""A category, the rows that give it, and the sentence that tells why."""


def judge_modality(
    table: RuleTable, facts: ModalityFacts, lesions: Sequence[JudgedLesion], settings: Settings, *, any_treated: bool
) -> JudgedModality:
    """The category of one modality at one visit from its judged lesions, before anything later is known of it.

    any_treated: whether any lesion of the patient was ever treated locally.
    """
    frame = JudgedModality(
        facts=facts,
        category=Category.NE,
        lesions=tuple(lesions),
        exclude_treated=any_treated and settings.policy.treated_lesions == "exclude",
        response_share=exact(settings.policy.response_share),
    )
    if facts.is_baseline:
        return replace(frame, category=Category.BL, words=f"baseline of {facts.modality}: {_lesions(len(lesions))}")
    if not facts.evaluable or facts.baseline_visit is None:
        return replace(frame, words=facts.why or f"{facts.modality} not evaluable")
    return _Panel(table, frame, settings).judge()


class _Panel:
    """The lesions of one modality at one visit, weighed together. Asked in the order of `judge`."""

    def __init__(self, table: RuleTable, frame: JudgedModality, settings: Settings) -> None:
        self.frame, self.settings, self.table = frame, settings, table
        self.lesions = frame.counted
        self.baseline = [lesion for lesion in self.lesions if lesion.facts.origin is Origin.BASELINE]
        self.in_sum = [lesion for lesion in self.baseline if lesion.facts.in_sum]
        self.core = self.in_sum or self.baseline
        self.total = _judge_sum(table, self.measured(), settings) if table.by_sum else None
        stated = bool(self.in_sum) and all(_size_is_stated(lesion) for lesion in self.in_sum)
        self.each = settings.policy.size_scope is Scope.EACH or not table.by_sum or stated
        self.size_progression = self._size_progression()

    def judge(self) -> JudgedModality:
        """The first category that holds."""
        answers = (
            self.progression,
            self.perhaps_new,
            self.complete_response,
            self.unassessed_core,
            self.partial_response,
            self.unassessed_size,
        )
        category, codes, words = next((found for answer in answers if (found := answer())), None) or self.stable()
        return replace(
            self.frame,
            category=category,
            rules=tuple(sorted(set(codes), key=lambda code: self.table.order.get(code, -1))),
            words=words,
            total=self.total,
            size_category=self.size_category(),
            scope_matters=self.scope_matters(),
        )

    def scope_matters(self) -> bool:
        """Whether a size says more than that nothing changed, in the sum or in any lesion of it."""
        sums = [self.total] if self.total is not None else []
        return any(verdict.gives is not Category.SD for one in (*sums, *self.in_sum) for verdict in one.held)

    def measured(self) -> list[LesionFacts]:
        """What the sum adds: each lesion of it once, merged ones by the finding that carries them."""
        added = [lesion.facts for lesion in self.in_sum]
        if not any(facts.merged_into for facts in added):
            return added
        by_id = {lesion.facts.lesion_id: lesion.facts for lesion in self.lesions}
        carriers = [by_id.get(facts.merged_into, facts) for facts in added]
        return list({facts.lesion_id: facts for facts in carriers}.values())

    def progression(self) -> _Answer | None:
        """PD: by the sum (or by each lesion), by a lesion outside the sum, by uptake, by a new lesion.

        A new metastasis is one even where it was treated at once.
        """
        counted = {lesion.facts.lesion_id for lesion in self.lesions}
        verdicts = self.size_progression + [
            verdict
            for lesion in self.frame.lesions
            if lesion.held
            for verdict in lesion.fired(Category.PD)
            if verdict.measure is Measure.PRESENCE
            or (verdict.measure is not Measure.SIZE and lesion.facts.lesion_id in counted)
        ]
        return (Category.PD, [v.code for v in verdicts], lambda: _told(verdicts)) if verdicts else None

    def _size_progression(self) -> list[Verdict]:
        """The size rows that make the modality PD under the scope in force; what a reader states of a lesion stands."""
        found = [] if self.each or self.total is None else self.total.fired(Category.PD, Measure.SIZE)
        for lesion in self.lesions:
            if lesion.category is not Category.PD:
                continue
            for verdict in lesion.fired(Category.PD, Measure.SIZE):
                if self.each or not lesion.facts.in_sum or verdict.basis is Basis.READER:
                    found.append(verdict)
        return found

    def perhaps_new(self) -> _Answer | None:
        """NE: a lesion may be new, which nothing but PD can be said beside."""
        doubted = [lesion.facts for lesion in self.frame.lesions if any(f.maybe_new for f in lesion.facts.now)]
        if not doubted:
            return None
        names = ", ".join(facts.name for facts in doubted)
        return Category.NE, [], f"{names}: nobody can say whether new, so progression is not excluded"

    def complete_response(self) -> _Answer | None:
        """CR: every lesion that was there is CR, none is unassessed, and nothing else is left."""
        followed = [lesion for lesion in self.lesions if lesion.facts.origin is not Origin.NEW]
        if not followed or any(lesion.category is not Category.CR for lesion in followed) or self.left():
            return None
        codes = [code for lesion in followed for code in _codes(lesion, Category.CR)]
        return Category.CR, codes, f"complete response of {_all(len(followed))}: {_list(codes)}"

    def left(self) -> list[str]:
        """What bars CR though it has no part in sum and share.

        A lesion that was treated locally and is not CR, a new one that flare explains and the image shows.
        """
        treated = [lesion for lesion in self.frame.lesions if lesion.facts.treated and self.frame.exclude_treated]
        told = [
            f"{lesion.facts.name}, treated locally, is {'still there' if lesion.assessed else 'not assessed'}"
            for lesion in treated
            if lesion.facts.origin is not Origin.NEW and lesion.category is not Category.CR
        ]
        shown = (one.facts for one in self.frame.lesions if one.facts.here and any(f.is_seen for f in one.facts.now))
        return told + [f"{facts.name}, new since baseline, is still there" for facts in shown]

    def unassessed_core(self) -> _Answer | None:
        """NE: a core lesion is not assessed, or there is no lesion to follow; flare by itself is no progression."""
        if not self.core:
            if any(lesion.facts.flare and lesion.facts.here for lesion in self.lesions):
                return Category.SD, [], "nothing to follow but what is counted as flare"
            treated = len(self.frame.lesions) > len(self.lesions)
            return Category.NE, [], "every lesion was treated locally" if treated else "no lesion at baseline to follow"
        missing = [lesion for lesion in self.core if not lesion.assessed]
        if not missing:
            return None
        what = "sum" if self.in_sum else "assessment"
        return Category.NE, [], lambda: f"{'; '.join(lesion.reason for lesion in missing)}: {what} incomplete"

    def partial_response(self) -> _Answer | None:
        """PR: the size falls far enough, or enough of the lesions carry another row, and none progresses."""
        by_size = self.size_response()
        if by_size:
            codes = [verdict.code for verdict in by_size]
            return Category.PR, codes, lambda: _told(by_size) + self._barred()
        assessed = [lesion for lesion in self.baseline if lesion.assessed]
        carrying = [lesion for lesion in assessed if self.carries(lesion)]
        progressing = any(lesion.category is Category.PD for lesion in self.lesions)
        share = self.frame.response_share
        if progressing or not carrying or Fraction(len(carrying), len(assessed)) < share:
            return None
        codes = [code for lesion in carrying for code in self.carries(lesion)]

        def words() -> str:
            told = "; ".join(lesion.reason for lesion in carrying[:3]) + ("; ..." if len(carrying) > 3 else "")
            verb = "carries" if len(carrying) == 1 else "carry"
            return f"{len(carrying)} of {_lesions(len(assessed))} {verb} {_list(codes)} ({told}){self._barred()}"

        return Category.PR, codes, words

    def carries(self, lesion: JudgedLesion) -> list[str]:
        """Rows of response that count for the share: all but the size of a lesion that speaks through the sum."""
        return [
            verdict.code
            for verdict in lesion.held
            if verdict.gives in _RESPONSES
            and verdict.measure is not Measure.PRESENCE
            and not (verdict.measure is Measure.SIZE and lesion.facts.in_sum and self.table.by_sum)
        ]

    def _barred(self) -> str:
        """Said where all assessed lesions are CR and another one was not assessed, or is left."""
        followed = [lesion for lesion in self.lesions if lesion.facts.origin is not Origin.NEW]
        missing = [lesion.reason for lesion in followed if not lesion.assessed] + self.left()
        complete = all(lesion.category is Category.CR for lesion in followed if lesion.assessed)
        return f"; CR is barred: {'; '.join(missing)}" if missing and complete else ""

    def size_response(self) -> list[Verdict]:
        """The size rows that make the modality PR under the scope in force."""
        if not self.in_sum or not self.table.by_sum:
            return []
        if not self.each:
            return [] if self.total is None else self.total.fired(Category.PR, Measure.SIZE)
        each = [_size_response(lesion) for lesion in self.in_sum]
        return [verdict for verdicts in each for verdict in verdicts] if all(each) else []

    def unassessed_size(self) -> _Answer | None:
        """NE: no change cannot be claimed for a sum that is incomplete."""
        missing = [lesion.facts.name for lesion in self.in_sum if lesion.facts.size.now is None]
        if not missing:
            return None
        return Category.NE, [], f"{', '.join(missing)} without diameters: sum incomplete"

    def stable(self) -> _Answer:
        """SD: assessed, and nothing else holds."""
        verdicts = [] if self.total is None or self.each else self.total.fired(Category.SD, Measure.SIZE)
        no_new = "" if self.frame.new else self.table.code(Role.NO_NEW_LESION, self.frame.modality)
        codes = [v.code for v in verdicts] + ([no_new] if no_new else [])
        codes += [code for lesion in self.core for code in _codes(lesion, Category.SD)]

        def words() -> str:
            told = _told(verdicts) or f"{_lesions(len(self.core))} without change beyond the limits"
            return f"{told}; no new bone metastasis: {no_new}" if no_new else told

        return Category.SD, codes, words

    def size_category(self) -> Category | None:
        """The sub-score of size under the scope in force; None where the modality has no sizes."""
        if not self.frame.facts.modality.is_anatomical:
            return None
        if self.size_progression:
            return Category.PD
        if not self.in_sum:
            return None
        if any(lesion.facts.size.now is None for lesion in self.in_sum):
            return Category.NE
        if all(lesion.facts.size.now == 0 for lesion in self.in_sum):
            return Category.CR
        responding = self.size_response() or (not self.table.by_sum and self._responds_by_share(self.in_sum))
        return Category.PR if responding else Category.SD

    def _responds_by_share(self, lesions: Sequence[JudgedLesion]) -> bool:
        """Whether enough of the lesions fall in size by themselves."""
        falling = sum(bool(_size_response(lesion)) for lesion in lesions)
        return bool(falling) and Fraction(falling, len(lesions)) >= self.frame.response_share


def _judge_sum(table: RuleTable, own: Sequence[LesionFacts], settings: Settings) -> JudgedLesion | None:
    """The sum of diameters, asked by the same rows as a lesion; None where no lesion is measurable."""
    if not own:
        return None
    name = own[0].name if len(own) == 1 else f"sum of {len(own)} lesions"
    total = LesionFacts(
        lesion_id=name,
        name=name,
        modality=own[0].modality,
        origin=Origin.BASELINE,
        size=add_tracks([facts.size_in_sum for facts in own]),
        sources=tuple([source for facts in own for source in facts.sources]),
        measurable=True,
    )
    return judge_lesion(table.size_rows, total, settings)


def _size_is_stated(lesion: JudgedLesion) -> bool:
    """Whether a reader says what became of its size, although it has diameters; without them the sum is incomplete."""
    said = any(verdict.measure is Measure.SIZE and verdict.basis is Basis.READER for verdict in lesion.held)
    return said and lesion.facts.size.now is not None


def _size_response(lesion: JudgedLesion) -> list[Verdict]:
    """The rows by which one lesion's size responds: it fell far enough, or the lesion is gone."""
    gone = lesion.fired(Category.CR) if lesion.facts.gone else []
    return lesion.fired(Category.PR, Measure.SIZE) or gone


def _codes(lesion: JudgedLesion, gives: Category) -> list[str]:
    return [verdict.code for verdict in lesion.fired(gives)]


def _told(verdicts: Sequence[Verdict]) -> str:
    return "; ".join(dict.fromkeys(f"{verdict.because}: {verdict.code}" for verdict in verdicts))


def _list(codes: Iterable[str]) -> str:
    return ", ".join(sorted(set(codes)))


def _lesions(count: int) -> str:
    return "1 lesion" if count == 1 else f"{count} lesions"


def _all(count: int) -> str:
    return "the only lesion" if count == 1 else f"all {count} lesions"
