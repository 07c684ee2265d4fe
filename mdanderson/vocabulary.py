"""The closed words of the field. Each value is spelled as the result tables spell it."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "DEFAULT_CRITERIA",
    "Alignment",
    "Basis",
    "Category",
    "Collapse",
    "EventKind",
    "LesionType",
    "Modality",
    "MrSequence",
    "Pain",
    "Pattern",
    "Posterolateral",
    "Scope",
    "Status",
    "View",
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


class View(StrEnum):
    """From where a planar bone scan looks."""

    ANT = "ANT"
    POST = "POST"


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
    """A new focus below `new_lesion_mm`, or one that may have been there before: reported, not counted, followed."""
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
    """Response of a lesion or a patient, each criteria set in its own words."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"
    BL = "BL"
    """The baseline itself."""
    NON_CR_NON_PD = "Non-CR/Non-PD"
    """RECIST 1.1: non-target lesions only, neither gone nor unequivocally worse."""
    NED = "NED"
    """No evidence of disease, at baseline as now."""
    ICR = "iCR"
    IPR = "iPR"
    ISD = "iSD"
    IUPD = "iUPD"
    """iRECIST: progression that waits for the next visit."""
    ICPD = "iCPD"
    CMR = "CMR"
    PMR = "PMR"
    SMD = "SMD"
    PMD = "PMD"
    NON_PD = "Non-PD"
    PDU = "PDu"
    """PCWG3: new foci on the first scan on treatment, which the next scan settles."""

    @property
    def means(self) -> Category:
        """What it comes to in the words that all sets share: CR, PR, SD, PD, NE or BL."""
        return _MEANS.get(self, self)

    @property
    def order(self) -> tuple[int, int]:
        """Its place from the best response to progression, then what is not evaluable; by what it means, then words."""
        words = list(Category)
        return words.index(self.means), words.index(self)

    @property
    def is_response(self) -> bool:
        """Whether the disease responds, completely or partially."""
        return self.means in {Category.CR, Category.PR}

    @property
    def is_progression(self) -> bool:
        """Whether the disease progresses; one that waits for its confirmation (iUPD, PDu) does not yet."""
        return self.means is Category.PD

    @property
    def is_evaluable(self) -> bool:
        """Whether it says anything of the course."""
        return self not in {Category.NE, Category.BL}


_MEANS = {
    Category.NON_CR_NON_PD: Category.SD,
    Category.NED: Category.SD,
    Category.ICR: Category.CR,
    Category.IPR: Category.PR,
    Category.ISD: Category.SD,
    Category.IUPD: Category.SD,
    Category.ICPD: Category.PD,
    Category.CMR: Category.CR,
    Category.PMR: Category.PR,
    Category.SMD: Category.SD,
    Category.PMD: Category.PD,
    Category.NON_PD: Category.SD,
    Category.PDU: Category.SD,
}
"""A progression not yet confirmed counts as neither response nor progression."""


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


class EventKind(StrEnum):
    """What happens to a patient on a day (events.csv); other words are kept as they are written."""

    FRACTURE = "fracture"
    CORD_COMPRESSION = "cord_compression"
    RADIOTHERAPY = "radiotherapy"
    SURGERY = "surgery"
    CEMENTATION = "cementation"
    ABLATION = "ablation"
    HYPERCALCAEMIA = "hypercalcaemia"
    THERAPY_START = "therapy_start"
    THERAPY_STOP = "therapy_stop"

    @property
    def is_local_treatment(self) -> bool:
        """Whether a lesion at its site changes for a local reason from then on (docs/details.md, detail 34)."""
        return self in _LOCAL_EVENTS


_LOCAL_EVENTS = {
    EventKind.FRACTURE,
    EventKind.RADIOTHERAPY,
    EventKind.SURGERY,
    EventKind.CEMENTATION,
    EventKind.ABLATION,
}


class Pain(StrEnum):
    """Pain at a lesion: SINS asks whether movement brings it on, Mirels how strong it is."""

    NONE = "none"
    OCCASIONAL = "occasional"
    """SINS: there, but not mechanical."""
    MECHANICAL = "mechanical"
    MILD = "mild"
    MODERATE = "moderate"
    FUNCTIONAL = "functional"
    """Mirels: made worse by use of the limb."""


class Alignment(StrEnum):
    """How the spine stands at a lesion (SINS)."""

    NORMAL = "normal"
    DEFORMITY = "deformity"
    """Kyphosis or scoliosis."""
    SUBLUXATION = "subluxation"


class Collapse(StrEnum):
    """How far a vertebral body gave way (SINS)."""

    NONE = "none"
    INVOLVED = "involved"
    """No collapse, but more than half of the body is involved."""
    BELOW_HALF = "<50"
    ABOVE_HALF = ">50"


class Posterolateral(StrEnum):
    """Whether facet, pedicle or costovertebral joint are involved (SINS)."""

    NONE = "none"
    UNILATERAL = "unilateral"
    BILATERAL = "bilateral"
