"""A bench judges under its own settings, and shares with its kin only what these settings cannot change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mdanderson.criteria import PatientCourse, Visit
from mdanderson.criteria.facts import RuleTable
from mdanderson.criteria.history import LesionHistory
from mdanderson.criteria.mda.bench import Bench
from mdanderson.criteria.mda.mda2010 import RULES
from mdanderson.criteria.series import ModalitySeries
from mdanderson.findings import PatientFacts
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, Scope


def course_of(paper, *exams):
    visits = tuple(
        Visit(index=index, label=f"visit {index + 1}", date=exam.date, weeks=0.0) for index, exam in enumerate(exams)
    )
    examinations = tuple({exam.modality: exam} for exam in exams)
    return PatientCourse(patient=PatientFacts(patient_id="P01"), visits=visits, examinations=examinations)


def told(visit):
    return [
        (
            one.category,
            one.rules,
            one.reason,
            one.size_category,
            one.size_sum_mm,
            [lesion.reason for lesion in one.lesions],
        )
        for one in visit.values()
    ]


@pytest.fixture
def course(paper):
    return course_of(
        paper,
        paper.exam(0, L1="60x40", L2="12x8", L3="20x10"),
        paper.exam(90, L1="60x40", L2="15x10", L3="40x40 treated"),
    )


def test_a_bench_that_weighs_otherwise_is_one_of_its_own_settings(course):
    settings = Settings()
    bench = Bench(RuleTable(RULES), course, settings)
    each, included = bench.weighing(size_scope=Scope.EACH), bench.weighing(treated_lesions="include")
    assert bench.settings == settings
    assert each.settings == replace(settings, policy=replace(settings.policy, size_scope=Scope.EACH))
    assert included.settings == replace(settings, policy=replace(settings.policy, treated_lesions="include"))
    for one, category in ((bench, "SD"), (each, "PD"), (included, "PD"), (bench, "SD")):
        assert one.visit(1)[Modality.CT].category == category


def test_what_was_shared_is_what_a_bench_by_itself_would_say(course):
    bench = Bench(RuleTable(RULES), course, Settings())
    bench.visit(1)
    kin = bench.weighing(size_scope=Scope.EACH, treated_lesions="include")
    assert told(kin.visit(1)) == told(Bench(RuleTable(RULES), course, kin.settings).visit(1))
    assert kin.visit(1)[Modality.CT].lesions[0] is bench.visit(1)[Modality.CT].lesions[0]


def test_each_policy_of_size_has_a_bench_of_its_own(course):
    lenient = Settings.from_mapping({"policy": {"pd_size_rise": 2.0, "size_scope": "each"}})
    assert Bench(RuleTable(RULES), course, lenient).visit(1)[Modality.CT].category == "SD"


def test_the_long_axis_is_the_longest_that_a_sequence_shows(paper):
    exams = paper.exam(0, "MR", L1="30x20 T1"), paper.exam(90, "MR", L1=("12x8 T1", "14x6 T1", "40x30 T2"))
    series = ModalitySeries.from_examinations(Modality.MR, [{exam.modality: exam} for exam in exams])
    facts = LesionHistory(series, "L1").facts(1, Settings())
    assert facts is not None
    assert facts.long_axis_mm == 14
