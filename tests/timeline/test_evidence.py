"""What stands beside the rows is told and decides nothing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mdanderson.findings import Examination, LesionFinding, PatientFacts
from mdanderson.settings import Settings
from mdanderson.timeline import build_timeline
from mdanderson.timeline.evidence import with_evidence
from mdanderson.vocabulary import LesionType, Modality, MrSequence, Status

FIRST, SECOND = dt.date(2020, 1, 1), dt.date(2020, 4, 1)


def finding(modality: Modality, lesion_id: str = "L01", *, date: dt.date = FIRST, **facts: object) -> LesionFinding:
    status = facts.pop("status", Status.BASELINE)
    return LesionFinding(lesion_id=lesion_id, status=status, modality=modality, date=date, **facts)


def exam(modality: Modality, *findings: LesionFinding, date: dt.date = FIRST) -> Examination:
    return Examination(modality=modality, date=date, lesions=findings)


def said(*exams: Examination, of: Modality) -> str:
    (visit,) = with_evidence([{one.modality: one for one in exams}], Settings())
    return visit[of].lesions[0].evidence


BLASTIC = {"lesion_type": LesionType.BLASTIC, "long_axis_mm": Decimal(20), "short_axis_mm": Decimal(10)}


def test_the_size_of_a_blastic_lesion_is_weak_by_itself():
    assert said(exam(Modality.CT, finding(Modality.CT, **BLASTIC)), of=Modality.CT) == (
        "blastic: its size on CT or radiograph alone is weak evidence"
    )


def test_mr_and_pet_of_the_same_lesion_stand_beside_it():
    text = said(
        exam(Modality.CT, finding(Modality.CT, **BLASTIC)),
        exam(
            Modality.MR,
            finding(Modality.MR, sequence=MrSequence.T1, signal_ratio=0.456),
            finding(Modality.MR, sequence=MrSequence.ADC, adc_um2_s=812.0),
            finding(Modality.MR, "L02", sequence=MrSequence.T1, signal_ratio=0.9),
        ),
        exam(Modality.PT, finding(Modality.PT, suv_max=8.24)),
        of=Modality.CT,
    )
    assert text.endswith("beside it MR T1 signal ratio 0.46, MR ADC 812 um2/s, PT SUVmax 8.2")


def test_a_lytic_lesion_needs_no_evidence():
    lytic = BLASTIC | {"lesion_type": LesionType.LYTIC}
    assert said(exam(Modality.CT, finding(Modality.CT, **lytic)), of=Modality.CT) == ""


def test_lytic_at_baseline_is_not_called_blastic_for_what_it_becomes():
    lytic = finding(Modality.CT, **BLASTIC | {"lesion_type": LesionType.LYTIC})
    healed = finding(Modality.CT, date=SECOND, status=Status.FOLLOWED, **BLASTIC)
    visits = with_evidence(
        [{Modality.CT: exam(Modality.CT, lytic)}, {Modality.CT: exam(Modality.CT, healed, date=SECOND)}], Settings()
    )
    assert [visit[Modality.CT].lesions[0].evidence[:7] for visit in visits] == ["", "blastic"]


def test_blastic_at_baseline_is_weak_later_whatever_it_looks_like_then():
    later = finding(
        Modality.CT, date=SECOND, status=Status.FOLLOWED, long_axis_mm=Decimal(20), short_axis_mm=Decimal(9)
    )
    visits = with_evidence(
        [
            {Modality.CT: exam(Modality.CT, finding(Modality.CT, **BLASTIC))},
            {Modality.CT: exam(Modality.CT, later, date=SECOND)},
        ],
        Settings(),
    )
    assert visits[1][Modality.CT].lesions[0].evidence.startswith("blastic")


HOT = {"uptake_ratio": 3.0}


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ((), "CT, MR or PET, none of which was made"),
        ((exam(Modality.CT),), "CT"),
        ((exam(Modality.CT), exam(Modality.MR)), "CT, MR"),
        ((exam(Modality.CT, finding(Modality.CT, "L07")),), "CT"),
    ],
)
def test_a_bone_scan_focus_without_a_correlate_needs_confirmation(others, told):
    text = said(exam(Modality.NM, finding(Modality.NM, **HOT)), *others, of=Modality.NM)
    assert text == f"bone scan focus without a correlate on {told}: needs confirmation"


@pytest.mark.parametrize("modality", [Modality.CT, Modality.MR, Modality.PT, Modality.XR])
def test_a_correlate_confirms_a_focus(modality):
    other = exam(modality, finding(modality))
    assert said(exam(Modality.NM, finding(Modality.NM, **HOT)), other, of=Modality.NM) == ""


def test_a_silent_finding_confirms_nothing_and_a_focus_once_confirmed_stays_so():
    silent = exam(Modality.CT, finding(Modality.CT, status=Status.NOT_EVALUABLE, why="out of view"))
    assert said(exam(Modality.NM, finding(Modality.NM, **HOT)), silent, of=Modality.NM) != ""
    later = exam(Modality.NM, finding(Modality.NM, date=SECOND, status=Status.FOLLOWED, **HOT), date=SECOND)
    first = {Modality.CT: exam(Modality.CT, finding(Modality.CT)), Modality.NM: exam(Modality.NM, finding(Modality.NM))}
    assert with_evidence([first, {Modality.NM: later}], Settings())[1][Modality.NM].lesions[0].evidence == ""


def test_a_focus_that_is_gone_needs_no_confirmation():
    gone = finding(Modality.NM, status=Status.RESOLVED, why="gone")
    assert said(exam(Modality.NM, gone), of=Modality.NM) == ""


def test_evidence_decides_nothing():
    def overall(lesion_type: LesionType | None) -> list[str]:
        facts = BLASTIC | {"lesion_type": lesion_type}
        exams = [
            exam(Modality.CT, finding(Modality.CT, **facts)),
            exam(Modality.CT, finding(Modality.CT, date=SECOND, status=Status.FOLLOWED, **facts), date=SECOND),
        ]
        timeline = build_timeline(PatientFacts(patient_id="P"), exams, settings=Settings())
        return [row.category for row in timeline.responses]

    assert overall(LesionType.BLASTIC) == overall(None)


def adc(value: float, date: dt.date, size_mm: int) -> Examination:
    axes = {"long_axis_mm": Decimal(size_mm), "short_axis_mm": Decimal(size_mm)}
    status = Status.BASELINE if date == FIRST else Status.FOLLOWED
    return exam(
        Modality.MR,
        finding(Modality.MR, date=date, status=status, sequence=MrSequence.ADC, adc_um2_s=value),
        finding(Modality.MR, date=date, status=status, sequence=MrSequence.T1, signal_ratio=0.5, **axes),
        date=date,
    )


@pytest.mark.parametrize(
    ("value", "size_mm", "rac"),
    [(1000.0, 10, 3), (1120.0, 10, 1), (800.0, 13, 5), (1000.0, 5, 1)],
)
def test_a_change_of_adc_is_told_in_the_words_of_met_rads(value, size_mm, rac):
    visits = [{Modality.MR: adc(800.0, FIRST, 10)}, {Modality.MR: adc(value, SECOND, size_mm)}]
    first, second = with_evidence(visits, Settings())
    assert not any(one.evidence for one in first[Modality.MR].lesions)
    with_adc = [one for one in second[Modality.MR].lesions if one.adc_um2_s]
    assert [one.evidence.split(",")[0] for one in with_adc] == [f"MET-RADS-P RAC {rac}"]
