"""Tracer and lean body mass, as a PET's header tells them."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from mdanderson.errors import ImageError
from mdanderson.readers.pet_lean_mass import lean_facts, lean_share
from mdanderson.readers.pet_tracer import tracer_of


def tracer(name: str = "", *, code: str = "", meaning: str = "") -> Dataset:
    item = Dataset()
    item.Radiopharmaceutical = name
    if code or meaning:
        coded = Dataset()
        coded.CodeValue, coded.CodeMeaning = code, meaning
        item.RadiopharmaceuticalCodeSequence = [coded]
    return item


def body(**tags: str) -> Dataset:
    header = Dataset()
    for keyword, value in ({"PatientSex": "M", "PatientSize": "1.63", "PatientWeight": "71"} | tags).items():
        setattr(header, keyword, value)
    return header


class TestTracer:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("FDG -- fluorodeoxyglucose", "FDG"),
            ("Fluorodeoxyglucose F^18^", "FDG"),
            ("18F-FDG", "FDG"),
            ("2-fluoro-2-deoxy-D-glucose", "FDG"),
            ("Sodium fluoride F^18^", "NaF"),
            ("[18F]NaF", "NaF"),
            ("NaF", "NaF"),
            ("F-18 Fluoride", "NaF"),
            ("PSMA-11 Ga^68^", "PSMA"),
            ("F18 PSMA 1007", "PSMA"),
            ("Piflufolastat F^18^", "PSMA"),
            ("DCFPyL", "PSMA"),
            ("Choline C^11^", "other"),
            ("Dotatate Ga^68^", "other"),
            ("Fluoroestradiol F^18^", "other"),
            ("Solution", "unknown"),
            ("Fluorine-18", "unknown"),
            ("^18^Fluorine", "unknown"),
            ("Ga-68", "unknown"),
            ("", "unknown"),
        ],
    )
    def test_by_name(self, name, expected) -> None:
        assert tracer_of(tracer(name)) == expected
        assert tracer_of(tracer("", code="X", meaning=name)) == expected

    @pytest.mark.parametrize(
        ("code", "expected"),
        [("C-B1031", "FDG"), ("35321007", "FDG"), ("Y-X1743", "FDG"), ("129501009", "NaF"), ("C118961", "PSMA")],
    )
    def test_by_code_alone(self, code, expected) -> None:
        assert tracer_of(tracer("Solution", code=code)) == expected

    def test_code_and_name_that_contradict_each_other(self) -> None:
        assert tracer_of(tracer("NaF", code="C-B1031", meaning="Fluorodeoxyglucose F^18^")) == "unknown"
        assert tracer_of(tracer("FDG", code="C-B1031", meaning="Fluorodeoxyglucose F^18^")) == "FDG"

    def test_nothing_told(self) -> None:
        assert tracer_of(Dataset()) == "unknown"


class TestLeanMass:
    @pytest.mark.parametrize(
        ("formula", "sex", "height_m", "weight_kg", "lean_kg"),
        [  # the formulas as printed, worked by hand
            ("janmahasatian", "M", 1.80, 80.0, 61.731),
            ("janmahasatian", "F", 1.60, 60.0, 38.362),
            ("james", "M", 1.80, 80.0, 62.716),
            ("james", "F", 1.60, 60.0, 43.388),
        ],
    )
    def test_by_hand(self, formula, sex, height_m, weight_kg, lean_kg) -> None:
        header = body(PatientSex=sex, PatientSize=str(height_m), PatientWeight=str(weight_kg))
        assert lean_share(header, formula) * weight_kg == pytest.approx(lean_kg, abs=0.001)

    def test_shares_depend_on_the_body_mass_index_alone(self) -> None:
        """So that nobody's height and weight can be told from them."""
        tall = body(PatientSize="2.00", PatientWeight="100")
        short = body(PatientSize="1.60", PatientWeight="64")
        assert lean_facts(tall) == lean_facts(short)

    @pytest.mark.parametrize(
        ("tags", "why"),
        [
            ({"PatientSex": "O"}, "PatientSex is neither M nor F"),
            ({"PatientSex": ""}, "PatientSex is missing"),
            ({"PatientSize": ""}, "PatientSize is missing"),
            ({"PatientSize": "0"}, "PatientSize is missing"),
            ({"PatientSize": "163"}, "PatientSize is no number of m that anybody has"),
            ({"PatientWeight": "0"}, "PatientWeight is missing"),
            ({"PatientWeight": "710"}, "PatientWeight is no number of kg that anybody has"),
        ],
    )
    def test_the_reason_where_there_is_none(self, tags, why) -> None:
        assert lean_facts(body(**tags)) == {"sul_missing": why}
        with pytest.raises(ImageError, match=why):
            lean_share(body(**tags), "james")

    def test_james_fails_in_extreme_obesity_and_janmahasatian_does_not(self) -> None:
        facts = lean_facts(body(PatientSex="F", PatientSize="1.60", PatientWeight="180"))
        assert facts["sul_missing"] == "the formula of James gives no lean body mass for this body"
        assert float(facts["sul_per_suv_janmahasatian"]) == pytest.approx(0.3574, abs=1e-3)
