"""The bench before which a series is brought: every visit judged by one table of rows, each lesion only once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from mdanderson.criteria.checks.density import NORMAL_DENSITY
from mdanderson.criteria.checks.presence import NEW_LESION
from mdanderson.criteria.course import Flare, PatientCourse, flare_visits
from mdanderson.criteria.facts import ModalityFacts, RuleTable
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.mda.assembly import Assembly
from mdanderson.criteria.mda.evaluate import judge_modality
from mdanderson.criteria.mda.lesion import JudgedLesion, judge_lesion
from mdanderson.criteria.mda.modality import JudgedModality, JudgedVisit
from mdanderson.criteria.rule import Role
from mdanderson.settings import Settings, TreatedLesions
from mdanderson.vocabulary import Modality, Scope

__all__ = ["Bench"]

_Key = tuple[LesionHistory, int, int | None]
_ModalityKey = tuple[Modality, int, tuple[tuple[str, int], ...]]


class Bench:
    """Judges the visits of one course by one table under one set of settings.

    What the rows say of a lesion depends on what is known of its flare, and on neither the size scope nor the choice on
    treated lesions: it is judged once, and `weighing` gives benches that weigh the same answers under another of these.
    """

    def __init__(self, table: RuleTable, course: PatientCourse, settings: Settings) -> None:
        self.table, self.course, self.settings = table, course, settings
        self._counts = {one: table.role(Role.NEW_LESION, one) or NEW_LESION for one in course.modalities}
        self._normal = {one: table.role(Role.NORMAL_DENSITY, one) or NORMAL_DENSITY for one in course.modalities}
        self._judged: dict[_Key, JudgedLesion | None] = {}
        self._assemblies: dict[_ModalityKey, Assembly] = {}
        self._modalities: dict[_ModalityKey, JudgedModality] = {}

    def weighing(self, *, size_scope: Scope | None = None, treated_lesions: TreatedLesions | None = None) -> Bench:
        """A bench with another size scope or another choice on treated lesions; each lesion stays as it was judged.

        Under another scope so do the lesions put together, and a modality whose sizes say the same either way.
        """
        other = Bench(self.table, self.course, _weighing(self.settings, size_scope, treated_lesions))
        other._judged = self._judged
        if treated_lesions is None:
            other._assemblies = self._assemblies
            other._modalities = {key: one for key, one in self._modalities.items() if not one.assembly.scope_matters()}
        return other

    @property
    def scope_matters(self) -> bool:
        """Whether anything judged so far may be otherwise under the other size scope."""
        return any(assembly.scope_matters() for assembly in self._assemblies.values())

    def visit(self, visit: int, flares: Sequence[Flare] = ()) -> JudgedVisit:
        """Every modality of a visit, by what is known of flares."""
        return {
            modality: self._modality(modality, visit, flares) for modality in sorted(self.course.examinations[visit])
        }

    def _modality(self, modality: Modality, visit: int, flares: Sequence[Flare]) -> JudgedModality:
        flare = flare_visits(modality, visit, flares) if flares else {}
        key = (modality, visit, tuple(sorted(flare.items())))
        if key not in self._modalities:
            if key not in self._assemblies:
                self._assemblies[key] = self._assembly(modality, visit, flare)
            self._modalities[key] = judge_modality(self._assemblies[key], self.settings.policy.size_scope)
        return self._modalities[key]

    def _assembly(self, modality: Modality, visit: int, flare: Mapping[str, int]) -> Assembly:
        facts = self.course.modality_facts(modality, visit)
        found = [
            self._lesion(history, facts, flare.get(history.lesion_id)) for history in self.course.histories(modality)
        ]
        lesions = [lesion for lesion in found if lesion is not None]
        return Assembly(self.table, facts, lesions, self.settings, any_treated=self.course.any_treated)

    def _lesion(self, history: LesionHistory, about: ModalityFacts, flare_visit: int | None) -> JudgedLesion | None:
        """One lesion, None before it was ever seen."""
        key = (history, about.visit, flare_visit)
        if key not in self._judged:
            facts = history.facts(
                about.visit,
                self.settings,
                counts=self._counts[about.modality],
                normal=self._normal[about.modality],
                flare_visit=flare_visit,
                silent=about.why,
            )
            self._judged[key] = (
                None if facts is None else judge_lesion(self.table, facts, self.settings, at_baseline=about.is_baseline)
            )
        return self._judged[key]


@lru_cache(maxsize=16)  # every patient of a run asks the same
def _weighing(settings: Settings, size_scope: Scope | None, treated_lesions: TreatedLesions | None) -> Settings:
    policy = settings.policy
    return replace(
        settings,
        policy=replace(
            policy,
            size_scope=size_scope or policy.size_scope,
            treated_lesions=treated_lesions or policy.treated_lesions,
        ),
    )
