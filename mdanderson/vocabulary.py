"""The closed words of the field. Each value is spelled as the result tables spell it."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "DEFAULT_CRITERIA",
    "Basis",
    "Category",
    "LesionType",
    "Modality",
    "MrSequence",
    "Pattern",
    "Scope",
    "Status",
]

DEFAULT_CRITERIA = "mda2010"
"""The criteria set of record: asked for where none is named."""


class Modality(StrEnum):
    """DICOM modality of an image; CR and DX count as XR, PET/CT's emission part as PT."""

    CT = "CT"
    MR = "MR"
    NM = "NM"
    PT = "PT"
    XR = "XR"

    @property
    def is_anatomical(self) -> bool:
        """Whether it shows a lesion's outline (CT, MR, XR), so that its size is measured."""
        return self in {Modality.CT, Modality.MR, Modality.XR}


class MrSequence(StrEnum):
    """What an MR image weighs."""

    T1 = "T1"
    T2 = "T2"
    STIR = "STIR"
    IN = "IN"
    OPP = "OPP"
    ADC = "ADC"
    FAT = "FAT"
    WATER = "WATER"


class LesionType(StrEnum):
    """How a bone metastasis shows on CT or radiograph."""

    LYTIC = "lytic"
    BLASTIC = "blastic"
    MIXED = "mixed"


class Status(StrEnum):
    """What became of a lesion at a visit."""

    BASELINE = "baseline"
    FOLLOWED = "followed"
    NEW = "new"
    EQUIVOCAL = "equivocal"
    """A new focus below `new_lesion_mm`: reported, not counted, followed."""
    RESOLVED = "resolved"
    """Looked up in the image and no longer abnormal there."""
    MISSING = "missing"
    """Not segmented, yet still abnormal in the image: never a response."""
    MERGED = "merged"
    SPLIT = "split"
    AMBIGUOUS = "ambiguous"
    """Could be one of several neighbours: named, never guessed."""
    NOT_EVALUABLE = "not_evaluable"
    """Out of the field of view, or nobody can say: registration not trusted, image not read."""


class Category(StrEnum):
    """Response of a lesion or a patient, in the MD Anderson sense."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"
    BL = "BL"
    """The baseline itself."""

    @property
    def is_response(self) -> bool:
        """Whether the disease responds: CR or PR."""
        return self in {Category.CR, Category.PR}


class Basis(StrEnum):
    """Who made a statement. A reader's wins; both are kept."""

    MEASURED = "measured"
    READER = "reader"


class Scope(StrEnum):
    """Which lesions the size rows look at: the sum over all measurable ones, or each by itself."""

    SUM = "sum"
    EACH = "each"


class Pattern(StrEnum):
    """How much of the disease progresses, or how much there was at baseline."""

    OLIGOPROGRESSION = "oligoprogression"
    SYSTEMIC = "systemic"
    OLIGOMETASTATIC = "oligometastatic"
    POLYMETASTATIC = "polymetastatic"
