"""One modality at one visit: its lesions judged, their sum judged by the same rows, and the category that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from mdanderson.criteria.facts import Origin
from mdanderson.criteria.mda.assembly import Assembly
from mdanderson.criteria.mda.lesion import JudgedLesion
from mdanderson.criteria.mda.modality import JudgedModality
from mdanderson.criteria.rule import Measure, Role, Verdict, Words
from mdanderson.vocabulary import Basis, Category, Scope

__all__ = ["judge_modality"]


_RESPONSES = (Category.CR, Category.PR)
_Answer = tuple[Category, Iterable[str], Words]
"""A category, the rows that give it, and the sentence that tells why."""


def judge_modality(assembly: Assembly, scope: Scope) -> JudgedModality:
    """The category of one modality at one visit under a size scope, before anything later is known of it."""
    facts = assembly.facts
    if facts.is_baseline:
        words = f"baseline of {facts.modality}: {_lesions(len(assembly.lesions))}"
        return JudgedModality(assembly=assembly, category=Category.BL, words=words)
    if not facts.evaluable or facts.baseline_visit is None:
        words = facts.why or f"{facts.modality} not evaluable"
        return JudgedModality(assembly=assembly, category=Category.NE, words=words)
    return _Panel(assembly, scope).judge()


class _Panel:
    """The lesions of one modality at one visit, weighed together. Asked in the order of `judge`."""

    def __init__(self, assembly: Assembly, scope: Scope) -> None:
        self.assembly, self.table, self.total = assembly, assembly.table, assembly.total
        self.lesions, self.in_sum, self.core = assembly.counted, assembly.in_sum, assembly.core
        self.each = scope is Scope.EACH or not self.table.by_sum or assembly.size_is_stated()
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
        return JudgedModality(
            assembly=self.assembly,
            category=category,
            rules=self._in_order(codes),
            words=words if isinstance(words, str) else _Once(words),
            size_category=self.size_category(),
        )

    def _in_order(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Each row once, as the table has them."""
        once = set(codes)
        return tuple(sorted(once, key=lambda code: self.table.order.get(code, -1)) if len(once) > 1 else once)

    def progression(self) -> _Answer | None:
        """PD: by the sum (or by each lesion), by a lesion outside the sum, by uptake, by a new lesion.

        A new metastasis is one even where it was treated at once.
        """
        verdicts = self.size_progression + [
            verdict
            for lesion in self.assembly.lesions
            if lesion.category is Category.PD
            for verdict in lesion.fired(Category.PD)
            if verdict.measure is Measure.PRESENCE or (verdict.measure is not Measure.SIZE and lesion in self.lesions)
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
        doubted = [lesion.facts.doubted for lesion in self.assembly.lesions if lesion.facts.doubted]
        if not doubted:
            return None
        return Category.NE, [], f"{', '.join(doubted)}: nobody can say whether new, so progression is not excluded"

    def complete_response(self) -> _Answer | None:
        """CR: every lesion that was there is CR, none is unassessed, and nothing else is left."""
        followed = self.assembly.followed
        if not followed or any(lesion.category is not Category.CR for lesion in followed) or self.left():
            return None
        codes = [code for lesion in followed for code in _codes(lesion, Category.CR)]
        count = sum(lesion.facts.origin is not Origin.NEW for lesion in self.lesions)
        return Category.CR, codes, f"complete response of {_all(count)}: {_list(codes)}{self._unlooked()}"

    def _unlooked(self) -> str:
        """Said of new lesions that flare explains and that the visit does not speak of: they bar nothing (detail 4)."""
        unseen = [one.facts for one in self.assembly.lesions if one.facts.here and one.facts.flare]
        names = ", ".join(facts.name for facts in unseen if facts.unassessed)
        return f"; {names}, taken for flare, not looked at" if names else ""

    def left(self) -> list[str]:
        """What bars CR though it has no part in sum and share.

        A lesion that was treated locally and is there, by the last word on it, and not CR; a new one that flare
        explains and the image shows.
        """
        treated = [lesion for lesion in self.assembly.lesions if lesion.facts.treated and self.assembly.exclude_treated]
        told = [
            f"{lesion.facts.name}, treated locally, is {'still there' if lesion.assessed else 'not assessed'}"
            for lesion in treated
            if lesion.facts.origin is not Origin.NEW
            and lesion.category is not Category.CR
            and (lesion.assessed or lesion.facts.left)
        ]
        shown = (one.facts for one in self.assembly.lesions if one.facts.here and any(f.is_seen for f in one.facts.now))
        return told + [f"{facts.name}, new since baseline, is still there" for facts in shown]

    def unassessed_core(self) -> _Answer | None:
        """NE: a core lesion is not assessed, or there is no lesion to follow; flare by itself is no progression."""
        if not self.core:
            if any(lesion.facts.flare and lesion.facts.here for lesion in self.lesions):
                return Category.SD, [], "nothing to follow but what is counted as flare"
            treated = len(self.assembly.lesions) > len(self.lesions)
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
        assessed = [lesion for lesion in self.assembly.baseline if lesion.assessed]
        carrying = [
            one for one in assessed if (one.category is not Category.SD or one.facts.merged_into) and self.carries(one)
        ]
        progressing = any(lesion.category is Category.PD for lesion in self.lesions)
        share = self.assembly.response_share
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
            for verdict in self.assembly.speaker(lesion).held
            if verdict.gives in _RESPONSES
            and verdict.measure is not Measure.PRESENCE
            and not (verdict.measure is Measure.SIZE and lesion.facts.in_sum and self.table.by_sum)
        ]

    def _barred(self) -> str:
        """Said where all assessed lesions are CR and another one was not assessed, or is left."""
        followed = self.assembly.followed
        missing = [lesion.reason for lesion in followed if not lesion.assessed] + self.left()
        complete = all(lesion.category is Category.CR for lesion in followed if lesion.assessed)
        if self.total is not None and self.total.facts.size.now == 0:
            others = [one for one in followed if one.assessed and one.category is not Category.CR]
            missing += [f"{one.facts.name} is still there" for one in others]
            complete = True
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
        missing = [lesion.facts.name for lesion in self.in_sum if lesion.facts.size.whole_now is None]
        if not missing:
            return None
        return Category.NE, [], f"{', '.join(missing)} without diameters: sum incomplete"

    def stable(self) -> _Answer:
        """SD: assessed, and nothing else holds."""
        verdicts = [] if self.total is None or self.each else self.total.fired(Category.SD, Measure.SIZE)
        no_new = "" if self.assembly.new else self.table.code(Role.NO_NEW_LESION, self.assembly.facts.modality)
        codes = [v.code for v in verdicts] + ([no_new] if no_new else [])
        codes += [code for lesion in self.core for code in _codes(lesion, Category.SD)]

        def words() -> str:
            told = _told(verdicts) or self._told_of_core()
            return f"{told}; no new bone metastasis: {no_new}" if no_new else told

        return Category.SD, codes, words

    def _told_of_core(self) -> str:
        """What the lesions that carry the category did, where no sum tells it: how many changed, and by what."""
        changed = [lesion for lesion in self.core if any(one.gives is not Category.SD for one in lesion.held)]
        told = [f"{_lesions(len(self.core) - len(changed))} without change beyond the limits"]
        if changed:
            told = ["; ".join(lesion.reason for lesion in changed[:3]) + ("; ..." if len(changed) > 3 else ""), *told]
        return "; ".join(told[: 1 if len(changed) == len(self.core) else 2])

    def size_category(self) -> Category | None:
        """The sub-score of size under the scope in force; None where the modality has no sizes."""
        if not self.assembly.facts.modality.is_anatomical:
            return None
        if self.size_progression:
            return Category.PD
        if not self.in_sum:
            return None
        if any(lesion.facts.size.whole_now is None for lesion in self.in_sum):
            return Category.NE
        if all(lesion.facts.size.whole_now == 0 for lesion in self.in_sum):
            return Category.CR
        responding = self.size_response() or (not self.table.by_sum and self._responds_by_share(self.in_sum))
        return Category.PR if responding else Category.SD

    def _responds_by_share(self, lesions: Sequence[JudgedLesion]) -> bool:
        """Whether enough of the lesions fall in size by themselves."""
        falling = sum(bool(_size_response(lesion)) for lesion in lesions)
        return bool(falling) and Fraction(falling, len(lesions)) >= self.assembly.response_share


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


class _Once:
    """What makes a sentence, when several are to read it."""

    __slots__ = ("_make", "_told")

    def __init__(self, make: Callable[[], str]) -> None:
        self._make, self._told = make, ""

    def __call__(self) -> str:
        """The sentence, made when it is first read."""
        self._told = self._told or self._make()
        return self._told
