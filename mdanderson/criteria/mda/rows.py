"""What the MD Anderson sets judged, as rows of lesions.csv and responses.csv."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial

from mdanderson.criteria.assessment import OVERALL, LesionAssessment, Response, Verdicts
from mdanderson.criteria.course import Visit
from mdanderson.criteria.facts import LesionFacts, LesionRule, Origin
from mdanderson.criteria.mda.assembly import Assembly
from mdanderson.criteria.mda.bench import Bench
from mdanderson.criteria.mda.certainty import Certainty
from mdanderson.criteria.mda.lesion import JudgedLesion
from mdanderson.criteria.mda.modality import JudgedModality
from mdanderson.criteria.mda.overall import Overall
from mdanderson.criteria.rule import Check, Level, Measure, Role, Verdict
from mdanderson.criteria.track import Line
from mdanderson.findings import LesionFinding
from mdanderson.quantities import exact, known_change
from mdanderson.vocabulary import Category, Modality, Pattern, Status

__all__ = ["RowMaker", "Series"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Every visit judged, flare and confirmation settled. overall: None at the baseline."""

    visits: tuple[Mapping[Modality, JudgedModality], ...]
    overall: tuple[Overall | None, ...]


class RowMaker:
    """Makes the rows of one patient by one criteria set."""

    def __init__(self, bench: Bench, criteria: str) -> None:
        self.course, self.settings, self.criteria = bench.course, bench.settings, criteria
        self.table = bench.table
        self.histories = {
            modality: {history.lesion_id: history for history in bench.course.histories(modality)}
            for modality in bench.course.modalities
        }
        self.certainty = Certainty(self.histories, bench.table, bench.settings)
        self._before: dict[Line, _Sums] = {}

    def lesion_rows(self, judged: JudgedModality, visit: Visit) -> list[LesionAssessment]:
        """One row for each lesion and finding of a modality."""
        return [
            self._lesion_row(lesion, finding, visit)
            for lesion in judged.lesions
            for finding in lesion.facts.now or (_silent_finding(lesion, visit),)
        ]

    def _lesion_row(self, lesion: JudgedLesion, finding: LesionFinding, visit: Visit) -> LesionAssessment:
        facts = lesion.facts
        if facts.equivocal and finding.status in {Status.NEW, Status.FOLLOWED}:
            finding = replace(finding, status=Status.EQUIVOCAL)
        elif facts.first_counted:
            finding = replace(finding, status=Status.NEW)
        elif facts.origin is Origin.KNOWN and finding.status in {Status.NEW, Status.EQUIVOCAL}:
            finding = replace(finding, status=Status.FOLLOWED)
        return LesionAssessment(
            finding=finding,
            visit=visit.label,
            criteria=self.criteria,
            judged=lesion,
            certainty=partial(self.certainty.of_lesion, lesion),
        )

    def modality_row(self, visit: Visit, judged: JudgedModality, other_scope: Category) -> Response:
        """One modality's row. other_scope: its category under the other size scope."""
        assembly, total = judged.assembly, judged.total
        expected, progressing, responding = assembly.expected, assembly.progressing, assembly.responding
        assessed = expected if judged.category is Category.BL else assembly.assessed
        (product, long_axis), (product_before, long_axis_before) = self._summed(assembly, visit.index)
        odds = self.certainty.of_modality(judged)
        return Response(
            patient_id=self.course.patient.patient_id,
            visit=visit.label,
            date=visit.date,
            weeks=visit.weeks,
            criteria=self.criteria,
            scope=judged.modality,
            category=judged.category,
            unconfirmed=judged.unconfirmed,
            flare=judged.flare,
            mixed=bool(progressing and responding),
            size_category=judged.sub_category(Measure.SIZE),
            density_category=judged.sub_category(Measure.DENSITY),
            signal_category=judged.sub_category(Measure.SIGNAL),
            uptake_category=judged.sub_category(Measure.UPTAKE),
            category_other_scope=other_scope,
            size_sum_mm=judged.size_sum_mm,
            size_change_baseline=total.size_change_baseline if total else None,
            size_change_nadir=total.size_change_nadir if total else None,
            lesions_expected=len(expected),
            lesions_assessed=len(assessed),
            lesions_new=len(assembly.new),
            lesions_progressing=len(progressing),
            lesions_responding=len(responding),
            progression_pattern=self._pattern(progressing, assembly.assessed),
            p_cr=odds.p_cr if odds else None,
            p_pr=odds.p_pr if odds else None,
            p_sd=odds.p_sd if odds else None,
            p_pd=odds.p_pd if odds else None,
            threshold_distance=odds.threshold_distance if odds else None,
            rules=judged.rules,
            reason=judged.reason,
            verdicts=Verdicts(partial(_verdicts, judged)) if judged.evaluable else (),
            product_sum_mm2=product,
            product_change_baseline=known_change(product, product_before),
            long_axis_sum_mm=long_axis,
            long_axis_change_baseline=known_change(long_axis, long_axis_before),
        )

    def _summed(self, assembly: Assembly, visit: int) -> tuple[_Sums, _Sums]:
        """What other criteria sets would add up of the measurable lesions, now and at baseline."""
        lesions = [lesion.facts for lesion in assembly.in_sum]
        if not lesions:
            return _UNKNOWN, _UNKNOWN
        known = not any(facts.unassessed for facts in lesions)
        now = self._added(lesions, visit) if known else _UNKNOWN
        first = assembly.facts.baseline_visit or 0
        if assembly.total is None:
            return now, self._added(lesions, first)
        line = assembly.total.facts.size.line  # that of one choice of lesions
        if line not in self._before:
            self._before[line] = self._added(lesions, first)
        return now, self._before[line]

    def _added(self, lesions: Sequence[LesionFacts], visit: int) -> _Sums:
        """From the findings that give their size at a visit, each once: merged lesions have one between them."""
        histories = self.histories[lesions[0].modality]
        sources = [histories[facts.lesion_id].measured(visit, visit, facts.sequence) for facts in lesions]
        return _added({id(one): one for findings in sources for one in findings}.values())

    def overall_row(
        self, visit: Visit, series: Series, rows: Mapping[Modality, Response], other_scope: Category
    ) -> Response:
        """The patient's row: sizes and sub-scores of the modality that speaks, lesions counted once over all of them.

        rows: of the modalities at this visit.
        """
        overall = series.overall[visit.index]
        judged = [
            one for one in series.visits[visit.index].values() if overall is None or one.category is not Category.BL
        ]
        lesions = [one.assembly for one in judged]
        progressing = _union([one.progressing for one in lesions])
        responding = _union([one.responding for one in lesions]) - progressing
        expected = _union([one.expected for one in lesions])
        assessed = expected if overall is None else _union([one.assessed for one in lesions])
        spoken = None if overall is None or overall.speaks is None else rows[overall.speaks.modality]
        return (spoken or self._silent(visit))._replace(
            scope=OVERALL,
            category=Category.BL if overall is None else overall.category,
            unconfirmed=overall is not None and overall.unconfirmed,
            discordant="" if overall is None else overall.discordant,
            flare=any(one.flare for one in judged),
            mixed=bool(progressing and responding),
            category_other_scope=other_scope,
            lesions_expected=len(expected),
            lesions_assessed=len(assessed),
            lesions_new=len(_union([one.new for one in lesions])),
            lesions_progressing=len(progressing),
            lesions_responding=len(responding),
            progression_pattern=self._pattern(progressing, assessed),
            verdicts=(),
            reason="baseline" if overall is None else overall.reason,
        )

    def _silent(self, visit: Visit) -> Response:
        """The row of a visit at which no modality speaks."""
        return Response(
            patient_id=self.course.patient.patient_id,
            visit=visit.label,
            date=visit.date,
            weeks=visit.weeks,
            criteria=self.criteria,
            scope=OVERALL,
            category=Category.NE,
        )

    def _pattern(self, progressing: frozenset[str], assessed: frozenset[str]) -> Pattern | None:
        """How much of the disease progresses; a lone lesion that progresses is all of it."""
        if not progressing:
            return None
        few = len(progressing) <= self.settings.policy.oligo_max_lesions
        return Pattern.OLIGOPROGRESSION if assessed - progressing and few else Pattern.SYSTEMIC


def _silent_finding(lesion: JudgedLesion, visit: Visit) -> LesionFinding:
    """The row of a lesion that nothing was said of."""
    facts = lesion.facts
    return LesionFinding.without_outline(
        facts.lesion_id,
        Status.NOT_EVALUABLE,
        facts.unassessed,
        modality=facts.modality,
        date=visit.date,
        visit=visit.label,
        treated=facts.treated,
    )


def _verdicts(judged: JudgedModality) -> Iterator[Verdict]:
    """The rows asked of all lesions together: of their sum, and those that are the patient's."""
    if judged.total is not None:
        yield from judged.total.asked
    for rule in judged.assembly.table:
        if rule.level is Level.PATIENT and judged.modality in rule.modalities:
            yield _of_the_patient(rule, judged)


def _of_the_patient(rule: LesionRule, judged: JudgedModality) -> Verdict:
    """What a row that speaks of all lesions together said, by what it came to."""
    if rule.code in judged.rules:
        return Verdict(rule, Check.fired(lambda: judged.reason))
    new = ", ".join(sorted(judged.assembly.new))
    if rule.role is Role.NO_NEW_LESION:
        return Verdict(rule, Check.not_fired(f"new: {new}" if new else f"{judged.category} holds"))
    if rule.role is Role.NEW_LESION:
        return Verdict(rule, Check.not_fired(f"new, and flare: {new}" if new else "no new lesion"))
    return Verdict(rule, Check.not_fired("nothing that appeared is taken for flare"))


_Sums = tuple[Fraction | None, Fraction | None]
"""Of products (mm2) and of long axes (mm)."""
_UNKNOWN: _Sums = (None, None)
_NOTHING = Decimal(0)


def _added(findings: Collection[LesionFinding]) -> _Sums:
    there = [one for one in findings if not one.is_gone]
    products = [value for one in there if (value := one.product_mm2) is not None]
    axes = [value for one in there if (value := one.long_axis_mm) is not None]
    product = exact(sum(products, start=_NOTHING)) if len(products) == len(there) else None
    return product, exact(sum(axes, start=_NOTHING)) if len(axes) == len(there) else None


def _union(sets: Sequence[frozenset[str]]) -> frozenset[str]:
    return sets[0] if len(sets) == 1 else frozenset().union(*sets)
