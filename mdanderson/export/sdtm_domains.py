"""The datasets: their variables with labels, in the order of the files (SDTMIG 3.4)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DATASETS", "RELREC", "RS", "SUPPRS", "SUPPTR", "SUPPTU", "TR", "TU", "Dataset", "Variable"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """One variable: a name of at most 8 characters, a label of at most 40."""

    name: str
    label: str
    is_number: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """One dataset. keys: variables that no two rows share."""

    name: str
    label: str
    variables: tuple[Variable, ...]
    keys: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The variables in the order of the file."""
        return tuple(variable.name for variable in self.variables)


def _char(name: str, label: str) -> Variable:
    return Variable(name=name, label=label)


def _num(name: str, label: str) -> Variable:
    return Variable(name=name, label=label, is_number=True)


_STUDY = _char("STUDYID", "Study Identifier")
_SUBJECT = _char("USUBJID", "Unique Subject Identifier")
_DOMAIN = _char("DOMAIN", "Domain Abbreviation")
_VISITS = (_num("VISITNUM", "Visit Number"), _char("VISIT", "Visit Name"))


def _opening(domain: str) -> tuple[Variable, ...]:
    return (_STUDY, _DOMAIN, _SUBJECT, _num(f"{domain}SEQ", "Sequence Number"), _char(f"{domain}GRPID", "Group ID"))


TU = Dataset(
    name="TU",
    label="Tumor/Lesion Identification",
    variables=(
        *_opening("TU"),
        _char("TULNKID", "Link ID"),
        _char("TUTESTCD", "Tumor/Lesion ID Short Name"),
        _char("TUTEST", "Tumor/Lesion ID Test Name"),
        _char("TUORRES", "Tumor/Lesion ID Result"),
        _char("TUSTRESC", "Tumor/Lesion ID Result Std. Format"),
        _char("TULOC", "Location of the Tumor/Lesion"),
        _char("TULAT", "Laterality"),
        _char("TUMETHOD", "Method of Identification"),
        _char("TUEVAL", "Evaluator"),
        _char("TUEVALID", "Evaluator Identifier"),
        *_VISITS,
        _char("TUDTC", "Date/Time of Tumor/Lesion Identification"),
        _num("TUDY", "Study Day of Tumor/Lesion Identification"),
    ),
    keys=("STUDYID", "USUBJID", "TULNKID"),
)

TR = Dataset(
    name="TR",
    label="Tumor/Lesion Results",
    variables=(
        *_opening("TR"),
        _char("TRSPID", "Sponsor-Defined Identifier"),
        _char("TRLNKID", "Link ID"),
        _char("TRLNKGRP", "Link Group ID"),
        _char("TRTESTCD", "Tumor/Lesion Assessment Short Name"),
        _char("TRTEST", "Tumor/Lesion Assessment Test Name"),
        _char("TRORRES", "Result or Finding in Original Units"),
        _char("TRORRESU", "Original Units"),
        _char("TRSTRESC", "Character Result/Finding in Std Format"),
        _num("TRSTRESN", "Numeric Result/Finding in Standard Units"),
        _char("TRSTRESU", "Standard Units"),
        _char("TRSTAT", "Completion Status"),
        _char("TRREASND", "Reason Not Done"),
        _char("TRMETHOD", "Method Used to Identify the Tumor/Lesion"),
        _char("TREVAL", "Evaluator"),
        _char("TREVALID", "Evaluator Identifier"),
        *_VISITS,
        _char("TRDTC", "Date/Time of Tumor/Lesion Measurement"),
        _num("TRDY", "Study Day of Tumor/Lesion Measurement"),
    ),
    keys=("STUDYID", "USUBJID", "TRLNKID", "TRTESTCD", "TRMETHOD", "TRSPID", "VISITNUM"),
)

RS = Dataset(
    name="RS",
    label="Disease Response and Clin Classification",
    variables=(
        *_opening("RS"),
        _char("RSLNKGRP", "Link Group ID"),
        _char("RSTESTCD", "Assessment Short Name"),
        _char("RSTEST", "Assessment Name"),
        _char("RSCAT", "Category for Assessment"),
        _char("RSORRES", "Result or Finding in Original Units"),
        _char("RSSTRESC", "Character Result/Finding in Std Format"),
        _char("RSEVAL", "Evaluator"),
        _char("RSEVALID", "Evaluator Identifier"),
        *_VISITS,
        _char("RSDTC", "Date/Time of Assessment"),
        _num("RSDY", "Study Day of Assessment"),
    ),
    keys=("STUDYID", "USUBJID", "RSGRPID", "RSTESTCD", "VISITNUM"),
)


def _supplemental(domain: str) -> Dataset:
    return Dataset(
        name=f"SUPP{domain}",
        label=f"Supplemental Qualifiers for {domain}",
        variables=(
            _STUDY,
            _char("RDOMAIN", "Related Domain Abbreviation"),
            _SUBJECT,
            _char("IDVAR", "Identifying Variable"),
            _char("IDVARVAL", "Identifying Variable Value"),
            _char("QNAM", "Qualifier Variable Name"),
            _char("QLABEL", "Qualifier Variable Label"),
            _char("QVAL", "Data Value"),
            _char("QORIG", "Origin"),
            _char("QEVAL", "Evaluator"),
        ),
        keys=("STUDYID", "USUBJID", "IDVAR", "IDVARVAL", "QNAM"),
    )


SUPPTU, SUPPTR, SUPPRS = map(_supplemental, ("TU", "TR", "RS"))

RELREC = Dataset(
    name="RELREC",
    label="Related Records",
    variables=(
        _STUDY,
        _char("RDOMAIN", "Related Domain Abbreviation"),
        _SUBJECT,
        _char("IDVAR", "Identifying Variable"),
        _char("IDVARVAL", "Identifying Variable Value"),
        _char("RELTYPE", "Relationship Type"),
        _char("RELID", "Relationship Identifier"),
    ),
    keys=("STUDYID", "RDOMAIN", "IDVAR", "RELID"),
)

DATASETS = (TU, TR, RS, SUPPTU, SUPPTR, SUPPRS, RELREC)
