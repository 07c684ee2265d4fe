"""The codes of DICOM objects as data: what a thing is called by PS3.16, SNOMED CT, UMLS, NCIt and UCUM."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mdanderson.stability.site import vertebra

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

_LEFT, _RIGHT, _BOTH = _sct("7771000", "Left"), _sct("24028007", "Right"), _sct("51440002", "Right and left")
_SIDES = {"left": _LEFT, "l": _LEFT, "right": _RIGHT, "r": _RIGHT, "bilateral": _BOTH, "both": _BOTH}

_BONE = _sct("272673000", "Bone")
_SPINE = _sct("51282000", "Vertebra")
_SACRUM = _sct("54735007", "Sacrum")
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
_PELVIS = _sct("816092008", "Pelvis")
_SKULL = _sct("89546000", "Skull")
_STERNUM = _sct("56873002", "Sternum")
_BONES = (
    (("rib", "ribs", "costal"), _sct("113197003", "Rib")),
    (("sternum", "sternal", "manubrium"), _STERNUM),
    (("scapula", "scapular"), _sct("79601000", "Scapula")),
    (("clavicle", "clavicular"), _sct("51299004", "Clavicle")),
    (("ilium", "iliac"), _sct("22356005", "Ilium")),
    (("ischium", "ischial"), _sct("85710004", "Ischium")),
    (("acetabulum", "acetabular"), _sct("37783008", "Acetabulum")),
    (("pelvis", "pelvic", "pubis", "pubic", "hip"), _PELVIS),
    (("skull", "calvaria", "calvarium", "cranium", "mandible", "maxilla", "orbit"), _SKULL),
    (("humerus", "humeral"), _sct("85050009", "Humerus")),
    (("radius", "radial"), _sct("62413002", "Radius")),
    (("ulna", "ulnar"), _sct("23416004", "Ulna")),
    (("femur", "femoral", "trochanter", "trochanteric"), _sct("71341001", "Femur")),
    (("tibia", "tibial"), _sct("12611008", "Tibia")),
    (("fibula", "fibular"), _sct("87342007", "Fibula")),
    (("patella",), _sct("64234005", "Patella")),
)
"""Words of a site and the bone that they name, in the order in which they are asked."""
_WORD = re.compile(r"[a-z]+")


def site_code(site: str) -> Code:
    """Where in the skeleton: one level of the spine, a bone, or bone as such where the words name none.

    >>> site_code("L3").meaning, site_code("left femur, proximal").meaning, site_code("").meaning
    ('L3 vertebra', 'Femur', 'Bone')
    """
    words = set(_WORD.findall(site.lower()))
    for names, bone in _BONES:
        if words & set(names):
            return bone
    levels = vertebra(site)
    if levels is None:
        return _BONE
    if all(name.startswith("S") for name in levels.names):
        return _SACRUM
    if len(levels.names) == 1 and levels.names[0] in _VERTEBRAE:
        return _sct(_VERTEBRAE[levels.names[0]], f"{levels.names[0]} vertebra")
    return _SPINE


def laterality_code(laterality: str, site: str = "") -> Code | None:
    """The side, as told or as a word of the site; None where nobody says it, or both sides are named."""
    told = _SIDES.get(laterality.strip().lower())
    if told is not None:
        return told
    found = {_SIDES[word] for word in _WORD.findall(site.lower()) if word in {"left", "right", "bilateral"}}
    return found.pop() if len(found) == 1 else None


def category_code(category: str) -> Code:
    """A category of any criteria set."""
    return CATEGORIES.get(category) or word_code(category)


def word_code(word: str) -> Code:
    """A word of our result tables that no published scheme has, in ours."""
    return _own(re.sub(r"[^A-Z0-9]", "", word.upper())[:16] or "OTHER", word[:64])


def criteria_code(name: str) -> Code:
    """A criteria set."""
    return CRITERIA.get(name) or _own(name.upper(), _CRITERIA_MEANINGS.get(name, name))
