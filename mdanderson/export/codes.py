"""The codes of DICOM objects as data: what a thing is called by PS3.16, SNOMED CT, UMLS, NCIt and UCUM."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mdanderson.anatomy.bones import BoneKind, Side, bone_named

__all__ = [
    "CATEGORIES",
    "CRITERIA",
    "OWN",
    "PROCEDURES",
    "Code",
    "category_code",
    "criteria_code",
    "laterality_code",
    "site_code",
    "word_code",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """Value, coding scheme and meaning, as DICOM wants them; meaning: at most 64 characters."""

    value: str
    scheme: str
    meaning: str


def _sct(value: str, meaning: str) -> Code:
    return Code(value=value, scheme="SCT", meaning=meaning)


def _dcm(value: str, meaning: str) -> Code:
    return Code(value=value, scheme="DCM", meaning=meaning)


def _own(value: str, meaning: str) -> Code:
    return Code(value=value, scheme=OWN, meaning=meaning)


def _nci(value: str, meaning: str) -> Code:
    return Code(value=value, scheme="NCIt", meaning=meaning)


OWN = "99MDANDERSON"
"""A private coding scheme (PS3.16, 8.2), for what no published one has a word for that we could check."""

ABNORMAL = _sct("49755003", "Morphologically Abnormal Structure")
BONY_METASTASIS = _sct("94222008", "Bony metastasis")
SECONDARY_NEOPLASM = _sct("14799000", "Neoplasm, Secondary")
"""What a node is outlined for."""
LYMPH_NODE = _sct("59441001", "Lymph node")
LONG_AXIS = _sct("103339001", "Long Axis")
"""Written out: viewers match the meaning letter by letter, and PS3.16 has a small a."""
SHORT_AXIS = _sct("103340004", "Short Axis")
VOLUME = _sct("118565006", "Volume")
ATTENUATION = _dcm("110850", "X-Ray Attenuation")
SUV_BODY_WEIGHT = _dcm("126401", "SUVbw")
SUV_LEAN_MASS = _dcm("126402", "SUVlbm")
SIGNAL_RATIO = _own("SIGNALRATIO", "Ratio of signal to normal marrow")
UPTAKE_RATIO = _own("UPTAKERATIO", "Ratio of uptake to reference bone")
SIZE_SUM = _own("SUMLDSD", "Sum of long and short axes of lesions")
DIAMETER_SUM = _own("SUMLD", "Sum of long axes of lesions, of nodes of short axes")
MEAN = _sct("373098007", "Mean")
SD = _sct("386136009", "Standard Deviation")
MAXIMUM = _sct("56851009", "Maximum")
PEAK = _dcm("126031", "Peak Value Within ROI")

MM = Code(value="mm", scheme="UCUM", meaning="mm")
CM3 = Code(value="cm3", scheme="UCUM", meaning="cubic centimeter")
HU = Code(value="[hnsf'U]", scheme="UCUM", meaning="Hounsfield unit")
ARTIFICIAL_INTELLIGENCE = _dcm("123110", "Artificial Intelligence")
RATIO = Code(value="{ratio}", scheme="UCUM", meaning="ratio")
SUVBW = Code(value="g/ml{SUVbw}", scheme="UCUM", meaning="Standardized Uptake Value body weight")
SUVLBM = Code(value="g/ml{SUVlbm}", scheme="UCUM", meaning="Standardized Uptake Value lean body mass (James)")

CURRENT_RESPONSE = _dcm("112048", "Current Response")
BEST_RESPONSE = _dcm("112049", "Best Overall Response")
RESPONSE_METHOD = _dcm("112021", "Response Evaluation Method")
BASELINE = Code(value="C1442488", scheme="UMLS", meaning="Baseline")
POSTTREATMENT = _dcm("126074", "Posttreatment")
STATUS = _own("STATUS", "Status of the lesion since baseline")
SEQUENCE = _own("SEQUENCE", "MR sequence")
LESION_TYPE = _own("LESIONTYPE", "Lytic, blastic or mixed")
RULE = _own("RULE", "Row of the MD Anderson criteria that fired")
PARENT = _own("PARENT", "Lesion that has merged into this one")
OHIF_TRACKING = "Cornerstone3DTools@^0.1.0:Bidirectional"
"""The tracking identifier by which OHIF knows a bidimensional measurement of its own; `:L01` may follow."""

PROCEDURES = {
    "CT": Code(value="25045-6", scheme="LN", meaning="CT unspecified body region"),
    "MR": Code(value="25056-3", scheme="LN", meaning="MRI unspecified body region"),
    "PT": Code(value="44136-0", scheme="LN", meaning="PET unspecified body region"),
}
"""Procedure reported, by modality; any other is "Imaging"."""
IMAGING = _sct("363679005", "Imaging")

CRITERIA = {
    "mda2010": _nci("C126011", "Hamaoka Breast Cancer 2010"),
    "recist11": _dcm("126081", "RECIST 1.1"),
    "who": _dcm("112029", "WHO"),
}
"""Criteria sets with a published code that was checked; the others go under our own scheme."""
_CRITERIA_MEANINGS = {
    "mda2004": "MD Anderson criteria 2004",
    "uicc": "UICC criteria",
    "percist": "PERCIST 1.0",
    "eortc": "EORTC PET criteria 1999",
    "irecist": "iRECIST",
    "pcwg3": "PCWG3",
}

CATEGORIES = {
    "CR": _nci("C4870", "Complete Response"),
    "PR": _nci("C18058", "Partial Response"),
    "SD": _nci("C18213", "Stable Disease"),
    "PD": _nci("C35571", "Progressive Disease"),
    "NE": _nci("C62222", "Not Evaluable"),
}
"""Categories with a published code that was checked."""

_SIDES = {
    Side.LEFT: _sct("7771000", "Left"),
    Side.RIGHT: _sct("24028007", "Right"),
    Side.BOTH: _sct("51440002", "Right and left"),
}
_BONE = _sct("272673000", "Bone")
_BONES = {
    BoneKind.VERTEBRA: _sct("51282000", "Vertebra"),
    BoneKind.RIB: _sct("113197003", "Rib"),
    BoneKind.SACRUM: _sct("54735007", "Sacrum"),
    BoneKind.COCCYX: _sct("64688005", "Coccyx"),
    BoneKind.PELVIS: _sct("816092008", "Pelvis"),
    BoneKind.ILIUM: _sct("22356005", "Ilium"),
    BoneKind.FEMUR: _sct("71341001", "Femur"),
    BoneKind.HUMERUS: _sct("85050009", "Humerus"),
    BoneKind.SCAPULA: _sct("79601000", "Scapula"),
    BoneKind.CLAVICLE: _sct("51299004", "Clavicle"),
    BoneKind.STERNUM: _sct("56873002", "Sternum"),
    BoneKind.SKULL: _sct("89546000", "Skull"),
    BoneKind.MANDIBLE: _sct("91609006", "Mandible"),
    BoneKind.RADIUS: _sct("62413002", "Radius"),
    BoneKind.ULNA: _sct("23416004", "Ulna"),
    BoneKind.TIBIA: _sct("12611008", "Tibia"),
    BoneKind.FIBULA: _sct("87342007", "Fibula"),
    BoneKind.PATELLA: _sct("64234005", "Patella"),
    BoneKind.BONE: _BONE,
}
_VERTEBRAE = {
    "C1": "14806007",
    "C2": "39976000",
    "C3": "113205007",
    "C4": "5329002",
    "C5": "36978003",
    "C6": "36054005",
    "C7": "87391001",
    "T1": "64864005",
    "T2": "53733008",
    "T3": "1626008",
    "T4": "73071006",
    "T5": "56401006",
    "T6": "45296009",
    "T7": "62487009",
    "T8": "11068009",
    "T9": "82687006",
    "T10": "7610001",
    "T11": "12989004",
    "T12": "23215003",
    "L1": "66794005",
    "L2": "14293000",
    "L3": "36470004",
    "L4": "11994002",
    "L5": "49668003",
}


def site_code(site: str) -> Code:
    """Where in the skeleton: one level of the spine, a bone, or bone as such where the words name none.

    >>> site_code("L3").meaning, site_code("left femur, proximal").meaning, site_code("").meaning
    ('L3 vertebra', 'Femur', 'Bone')
    """
    bone = bone_named(site)
    if bone is None:
        return _BONE
    if bone.kind is BoneKind.VERTEBRA and bone.part in _VERTEBRAE:
        return _sct(_VERTEBRAE[bone.part], f"{bone.part} vertebra")
    return _BONES[bone.kind]


def laterality_code(laterality: str, site: str = "") -> Code | None:
    """The side, as told or as a word of the site; None where nobody says it."""
    told = laterality.strip().lower()
    word = next((side for side in Side if side and told in {side, side[0]}), Side.NONE)
    bone = bone_named(site)
    return _SIDES.get(word or (bone.side if bone else Side.NONE))


def category_code(category: str) -> Code:
    """A category of any criteria set."""
    return CATEGORIES.get(category) or word_code(category)


def word_code(word: str) -> Code:
    """A word of our result tables that no published scheme has, in ours."""
    return _own(re.sub(r"[^A-Z0-9]", "", word.upper())[:16] or "OTHER", word[:64])


def criteria_code(name: str) -> Code:
    """A criteria set."""
    return CRITERIA.get(name) or _own(name.upper(), _CRITERIA_MEANINGS.get(name, name))
