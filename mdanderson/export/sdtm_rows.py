"""What the writers of single datasets share: who a row is about, on which day, and what stands beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mdanderson.export.sdtm_domains import Dataset
from mdanderson.export.visits import PatientResults, Visit, study_day

__all__ = ["Cell", "Row", "Subject", "continued"]

Cell = str | float | None
"""None is an empty cell of a number; of a text it is blank."""
Row = Mapping[str, Cell]

_LONGEST = 200
"""Characters of a text in a transport file of version 5."""
_ORIGIN = "Derived"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A patient in a study, and the rows of its datasets."""

    study: str
    patient: PatientResults
    rows: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def subject_id(self) -> str:
        """USUBJID: unique over all studies of a sponsor, where patients are within one."""
        return f"{self.study}-{self.patient.patient_id}"

    def add(self, dataset: Dataset, cells: Row) -> None:
        """A row of a domain, numbered in the order of adding."""
        domain = dataset.name
        own = self.rows.setdefault(domain, [])
        who: dict[str, Cell] = {
            "STUDYID": self.study,
            "DOMAIN": domain,
            "USUBJID": self.subject_id,
            f"{domain}SEQ": len(own) + 1,
        }
        own.append(who | dict(cells))

    def qualify(self, dataset: Dataset, group: str, name: str, label: str, value: str) -> None:
        """A supplemental qualifier of all rows of a group; a long text goes on under NAME1, NAME2, ..."""
        if not value:
            return
        domain = dataset.name
        for number, part in enumerate(continued(value)):
            self.rows.setdefault(f"SUPP{domain}", []).append(
                {
                    "STUDYID": self.study,
                    "RDOMAIN": domain,
                    "USUBJID": self.subject_id,
                    "IDVAR": f"{domain}GRPID",
                    "IDVARVAL": group,
                    "QNAM": f"{name}{number or ''}",
                    "QLABEL": f"{label} {number}" if number else label,
                    "QVAL": part,
                    "QORIG": _ORIGIN,
                }
            )

    def when(self, domain: str, visit: Visit | None, day: dt.date | None) -> dict[str, Cell]:
        """Visit, day and study day of a row."""
        return {
            "VISITNUM": None if visit is None else visit.number,
            "VISIT": "" if visit is None else visit.name,
            f"{domain}DTC": "" if day is None else day.isoformat(),
            f"{domain}DY": None if day is None else study_day(day, self.patient.start),
        }


def continued(text: str) -> Iterator[str]:
    """A text in parts that a character variable holds, cut between words where there are any."""
    while len(text) > _LONGEST:
        cut = text.rfind(" ", 1, _LONGEST + 1)
        cut = _LONGEST if cut < 1 else cut
        yield text[:cut]
        text = text[cut:].lstrip()
    if text:
        yield text
