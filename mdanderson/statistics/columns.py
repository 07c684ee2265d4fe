"""The columns of the tables over a cohort as data, in the order of the files; intervals are at 95 %."""

from __future__ import annotations

from mdanderson.report.columns import Column, Kind, Table

__all__ = ["ADJUDICATION", "AGREEMENT", "MEASUREMENT_AGREEMENT", "SUMMARY"]


def _text(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning)


def _count(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name=name, meaning=meaning, kind=Kind.COUNT, unit=unit)


def _share(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, kind=Kind.NUMBER, unit="1", decimals=4)


def _mm(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, kind=Kind.NUMBER, unit="mm", decimals=2)


_CRITERIA = _text("criteria", "criteria set: mda2010, ...")
_ONE = _text("one", "the first reader")
_OTHER = _text("other", "the second reader")
_REASON = _text("reason", "why figures are not there")

AGREEMENT = Table(
    name="agreement",
    sort_by=("criteria", "item", "scope"),
    columns=(
        _ONE,
        _OTHER,
        _CRITERIA,
        _text("item", "what was compared: best_response of a patient, or the category of each follow-up visit"),
        _text("scope", "overall, or one modality"),
        _count("pairs", "given a category by both; the figures rest on these"),
        _share("observed_agreement", "share of pairs with the same category"),
        _share("kappa", "Cohen's kappa, all categories alike"),
        _share("kappa_low", "its interval (Fleiss, Cohen, Everitt 1969)"),
        _share("kappa_high", "its interval"),
        _share("weighted_kappa", "linear weights on CR < PR < SD < PD"),
        _share("weighted_low", "its interval"),
        _share("weighted_high", "its interval"),
        _count("ne_one", "NE with the first reader only"),
        _count("ne_other", "NE with the second reader only"),
        _count("ne_both", "NE with both"),
        _count("only_one", "in the first reader's table only"),
        _count("only_other", "in the second reader's table only"),
        _REASON,
    ),
)

MEASUREMENT_AGREEMENT = Table(
    name="agreement_measurements",
    sort_by=("quantity", "criteria", "scope"),
    columns=(
        _ONE,
        _OTHER,
        _text("quantity", "column of lesions.csv or responses.csv that was compared"),
        _text("criteria", "criteria set of a sum; empty for a lesion's own size"),
        _text("scope", "overall, or one modality"),
        _count("pairs", "measured by both, not counting what both found gone (0 mm)"),
        _mm("bias", "mean difference, first reader less second"),
        _mm("bias_low", "its interval"),
        _mm("bias_high", "its interval"),
        _mm("sd", "standard deviation of the differences"),
        _mm("lower", "lower limit of agreement: bias - 1.96 sd"),
        _mm("lower_low", "its interval (Bland and Altman 1999)"),
        _mm("lower_high", "its interval"),
        _mm("upper", "upper limit of agreement: bias + 1.96 sd"),
        _mm("upper_low", "its interval"),
        _mm("upper_high", "its interval"),
        _share("icc", "ICC(2,1): two-way random, absolute agreement, single reader"),
        _share("icc_low", "its interval (Shrout and Fleiss 1979)"),
        _share("icc_high", "its interval"),
        _count("only_one", "measured by the first reader only"),
        _count("only_other", "measured by the second reader only"),
        _REASON,
    ),
)

ADJUDICATION = Table(
    name="adjudication",
    sort_by=("priority", "patient_id", "date", "criteria", "scope"),
    columns=(
        _count(
            "priority",
            "1: three steps of CR PR SD PD apart, 2: two, 3: one, 4: one reader says NE, 5: other words for one step",
        ),
        _text("patient_id", "the patient, as the manifest calls it"),
        _text("visit", "label of the visit with the first reader"),
        Column(name="date", meaning="day of the visit's first image", kind=Kind.DATE, unit="ISO 8601"),
        _CRITERIA,
        _text("scope", "overall, or one modality"),
        _text("category_one", "category by the first reader"),
        _text("category_other", "category by the second reader"),
        _text("reason_one", "why, by the first reader"),
        _text("reason_other", "why, by the second reader"),
        _ONE,
        _OTHER,
    ),
)

SUMMARY = Table(
    name="summary",
    sort_by=("criteria", "level", "group"),
    columns=(
        _CRITERIA,
        _text("level", "all: every patient; group: one group of them"),
        _text("group", "the group; empty for all"),
        _count("patients", "patients with a row for these criteria; the denominator of the rates"),
        _count("evaluable", "patients whose best response is not NE; the denominator of the rates among evaluable"),
        *(
            _count(f"n_{category.lower()}", f"patients whose best response comes to {category}")
            for category in ("CR", "PR", "SD", "PD", "NE")
        ),
        _count("responders", "CR and PR"),
        _share("response_rate", "responders of all patients, NE counted as failure"),
        _share("response_low", "its interval (Clopper and Pearson 1934)"),
        _share("response_high", "its interval"),
        _share("response_rate_evaluable", "responders of evaluable patients"),
        _share("response_evaluable_low", "its interval"),
        _share("response_evaluable_high", "its interval"),
        _count("controlled", "CR, PR and SD"),
        _share("control_rate", "controlled of all patients, NE counted as failure"),
        _share("control_low", "its interval"),
        _share("control_high", "its interval"),
        _share("control_rate_evaluable", "controlled of evaluable patients"),
        _share("control_evaluable_low", "its interval"),
        _share("control_evaluable_high", "its interval"),
        _count("followed", "patients with a progression-free time"),
        _count("events", "progressions and deaths among them"),
        _count("median_progression_free_days", "Kaplan-Meier; empty where it is not reached", "d"),
        _REASON,
    ),
)
