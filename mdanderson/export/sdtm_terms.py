"""Words of CDISC SDTM for what this program measures: tests, results, methods, criteria, and what is an extension.

Published terms are those of SDTM controlled terminology 2025-03-25. A sponsor extension is a term of ours in a codelist
that may be extended; every one that is used is listed beside the datasets.
"""

from __future__ import annotations

from dataclasses import dataclass

from mdanderson.vocabulary import Category, Modality, Status

__all__ = [
    "CATEGORIES",
    "CRITERIA",
    "IDENTIFIED",
    "LESION_TESTS",
    "METHODS",
    "NOT_DONE",
    "PATIENT_TESTS",
    "PROTOCOL_DEFINED",
    "RESPONSE_TESTS",
    "TERMINOLOGY",
    "TUMOUR_TESTS",
    "Test",
]

TERMINOLOGY = "SDTM CT 2025-03-25"


@dataclass(frozen=True, kw_only=True, slots=True)
class Test:
    """One test. unit: blank for a result in words. published: else a sponsor extension. factor: from our unit to its.

    column: of the result table it is read from, blank where it is made of several.
    """

    __test__ = False  # no case of pytest, whatever it is called

    code: str
    name: str
    unit: str = ""
    column: str = ""
    published: bool = True
    factor: int = 1


TUMOUR_TESTS = {
    "TUMIDENT": Test(code="TUMIDENT", name="Tumor Identification"),
    "TUMERGE": Test(code="TUMERGE", name="Tumor Merged"),
    "TUSPLIT": Test(code="TUSPLIT", name="Tumor Split"),
}

LESION_TESTS = (
    Test(code="LDIAM", name="Longest Diameter", unit="mm", column="long_axis_mm"),
    Test(code="LPERP", name="Longest Perpendicular", unit="mm", column="short_axis_mm"),
    Test(code="SUMBIDIM", name="Sum of Bidimensional Diameters", unit="mm", column="size_mm", published=False),
    Test(code="VOLUME", name="Volume", unit="mL", column="volume_ml"),
    Test(code="RADIODEN", name="Radiodensity", unit="HU", column="mean_hu"),
    Test(code="SUVMAX", name="Maximum Standardized Uptake Value", unit="g/mL", column="suv_max"),
    Test(code="SULPEAK", name="Peak Uptake by Lean Body Mass", unit="g/mL", column="suv_peak", published=False),
    Test(code="UPTRATIO", name="Uptake to Reference Ratio", unit="RATIO", column="uptake_ratio", published=False),
    Test(code="SIGRATIO", name="Signal to Normal Marrow Ratio", unit="RATIO", column="signal_ratio", published=False),
    Test(code="LYTFRAC", name="Lytic Fraction", unit="%", column="lytic_fraction", published=False, factor=100),
    Test(code="SCLFRAC", name="Sclerotic Fraction", unit="%", column="sclerotic_fraction", published=False, factor=100),
    Test(
        code="FILLIN",
        name="Fill-in of Baseline Lytic Volume",
        unit="%",
        column="fill_in_fraction",
        published=False,
        factor=100,
    ),
    Test(code="RIMFRAC", name="Sclerotic Rim Fraction", unit="%", column="rim_fraction", published=False, factor=100),
)
"""What is measured of a lesion, in the order of the rows. `TUMSTATE` stands before all of them."""

PATIENT_TESTS = {
    "TUMSTATE": Test(code="TUMSTATE", name="Tumor State"),
    "BNLNUM": Test(code="BNLNUM", name="Number of Bone Lesions"),
    "NBNLNUM": Test(code="NBNLNUM", name="Number of New Bone Lesions"),
    "SUMLDIAM": Test(code="SUMLDIAM", name="Sum of Longest Diameter", unit="mm"),
    "SUMLPERP": Test(code="SUMLPERP", name="Sum of Longest Perpendicular", unit="mm"),
    "SUMSIZE": Test(
        code="SUMSIZE", name="Sum of Longest Diam and Perpendicular", unit="mm", column="size_sum_mm", published=False
    ),
    "SUMDIAM": Test(code="SUMDIAM", name="Sum of Diameter", unit="mm"),
    "PCBSD": Test(code="PCBSD", name="Percent Change Baseline Sum of Diameter", unit="%"),
    "PCNSD": Test(code="PCNSD", name="Percent Change Nadir in Sum of Diameter", unit="%"),
}

RESPONSE_TESTS = {
    "BONERESP": Test(code="BONERESP", name="Bone Response"),
    "OVRLRESP": Test(code="OVRLRESP", name="Overall Response"),
    "NEWLIND": Test(code="NEWLIND", name="New Lesion Indicator"),
    "BESTRESP": Test(code="BESTRESP", name="Best Overall Response"),
}

METHODS = {
    Modality.CT: "CT SCAN",
    Modality.MR: "MRI",
    Modality.XR: "X-RAY",
    Modality.NM: "SCINTIGRAPHY",
    Modality.PT: "PET/CT SCAN",
}
"""There is no term for a bone scan."""

PROTOCOL_DEFINED = "PROTOCOL DEFINED RESPONSE CRITERIA"
CRITERIA = {
    "mda2010": "HAMAOKA BREAST CANCER 2010",
    "recist11": "RECIST 1.1",
    "irecist": "iRECIST",
    "percist": "PERCIST",
    "pcwg3": "PCWG SCHER PROSTATE CANCER 2016",
}
"""Criteria set -> RSCAT; any other is `PROTOCOL_DEFINED`. The WHO term is of breast cancer and 2006, ours of 1979."""

CATEGORIES = {
    **{word: word.value for word in (Category.CR, Category.PR, Category.SD, Category.PD, Category.NE, Category.NED)},
    Category.PDU: "PDu",
    Category.NON_PD: "NON-PD",
    Category.NON_CR_NON_PD: "NON-CR/NON-PD",
}
"""Published results of a response. Words of iRECIST, EORTC and PERCIST that are not here are written as they are."""

NOT_DONE = {
    Status.MISSING: "NOT OUTLINED",
    Status.AMBIGUOUS: "NOT TOLD FROM NEIGHBOR",
    Status.NOT_EVALUABLE: "NOT EVALUABLE",
    Status.MERGED: "TUMOR MERGED",
}
"""Why a lesion has no measurement at a visit; the whole reason stands in SUPPTR."""

IDENTIFIED = {True: "TARGET", False: "NON-TARGET"}
"""What a reader's `target` says in TUSTRESC."""
