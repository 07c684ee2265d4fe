"""Published codelists of CDISC SDTM terminology 2025-03-25 as far as an oncology export of bone lesions meets them.

Written from the list of terms that was checked for this project, not from the program. `extensible` codelists take a
sponsor's terms, which have to be listed; a closed one takes none.
"""

from __future__ import annotations

from dataclasses import dataclass

TUTESTCD = {"TUMIDENT", "TUMERGE", "TUSPLIT"}
TRTESTCD = {
    *("LDIAM", "LPERP", "RADIODEN", "VOLUME", "SUVMAX", "OTRCUPCB", "BNLNUM", "NBNLNUM"),
    *("SUMLDIAM", "SUMLPERP", "SUMDIAM", "PCBSD", "PCNSD", "TUMSTATE"),
}
RSTESTCD = {"BONERESP", "OVRLRESP", "BESTRESP", "NEWLIND"}


@dataclass(frozen=True)
class Codelist:
    dataset: str
    variable: str
    terms: frozenset[str]
    extensible: bool


def _list(dataset: str, variable: str, terms: set[str], *, extensible: bool) -> Codelist:
    return Codelist(dataset, variable, frozenset(terms), extensible)


CODELISTS = (
    _list("TU", "TUTESTCD", TUTESTCD, extensible=True),
    _list("TU", "TUSTRESC", {"TARGET", "NON-TARGET", "NEW", "BONE LESION", "NEW BONE LESION"}, extensible=True),
    _list("TU", "TULAT", {"LEFT", "RIGHT", "BILATERAL"}, extensible=True),
    _list(
        "TU",
        "TUMETHOD",
        {"CT SCAN", "MRI", "X-RAY", "SCINTIGRAPHY", "SPECT SCAN", "PET/CT SCAN"},
        extensible=True,
    ),
    _list("TR", "TRTESTCD", TRTESTCD, extensible=True),
    _list("TR", "TRSTAT", {"NOT DONE"}, extensible=False),
    _list("RS", "RSTESTCD", RSTESTCD, extensible=True),
    _list(
        "RS",
        "RSCAT",
        {
            *("HAMAOKA BREAST CANCER 2010", "RECIST 1.1", "PERCIST", "PCWG SCHER PROSTATE CANCER 2016", "iRECIST"),
            *("WHO BREAST CANCER 2006", "PROTOCOL DEFINED RESPONSE CRITERIA"),
        },
        extensible=True,
    ),
    _list(
        "RS",
        "RSSTRESC",
        {"CR", "PR", "SD", "PD", "NE", "PDu", "NON-PD", "NON-CR/NON-PD", "NED", "Y", "N"},
        extensible=True,
    ),
)
ONE_PER_IMAGE = ("LDIAM", "LPERP", "VOLUME", "TUMSTATE")
"""Tests of which a statistician expects one a lesion, visit and method, be there ever so many MR sequences."""
KEYS = {
    "TU": ("STUDYID", "USUBJID", "TULNKID"),
    "TR": ("STUDYID", "USUBJID", "TRLNKID", "TRTESTCD", "TRMETHOD", "TRSPID", "VISITNUM"),
    "RS": ("STUDYID", "USUBJID", "RSCAT", "RSGRPID", "RSTESTCD", "VISITNUM"),
}
NEVER = {"PPD", "SUMPPD"}
"""Products; our sums are sums."""
