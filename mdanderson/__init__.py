"""Imaging response of bone metastases by the MD Anderson criteria. Research use only, not a medical device.

Every public name but the version is imported when it is first used, so that `import mdanderson` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mdanderson.version import __version__ as __version__

if TYPE_CHECKING:
    from mdanderson import plot
    from mdanderson.assessment import assess
    from mdanderson.batch import Results, agreement, classify, score
    from mdanderson.batch.index import index
    from mdanderson.criteria import Response
    from mdanderson.errors import MdandersonError, Problem
    from mdanderson.findings import Event, Examination, LesionFinding, PatientFacts, Statement, Structure
    from mdanderson.measure.any_modality import measure_lesion
    from mdanderson.phantoms import write_demo
    from mdanderson.readers import read_planar, read_volume
    from mdanderson.readers.manifest import Cohort, Patient, read_cohort
    from mdanderson.readers.masks import read_mask
    from mdanderson.settings import Settings
    from mdanderson.statistics import Agreement
    from mdanderson.timeline import Timeline, build_timeline
    from mdanderson.vocabulary import Category, EventKind, LesionType, Modality, Status
    from mdanderson.volume import Mask, Volume

__all__ = [
    "Agreement",
    "Category",
    "Cohort",
    "Event",
    "EventKind",
    "Examination",
    "LesionFinding",
    "LesionType",
    "Mask",
    "MdandersonError",
    "Modality",
    "Patient",
    "PatientFacts",
    "Problem",
    "Response",
    "Results",
    "Settings",
    "Statement",
    "Status",
    "Structure",
    "Timeline",
    "Volume",
    "agreement",
    "assess",
    "build_timeline",
    "classify",
    "index",
    "measure_lesion",
    "plot",
    "read_cohort",
    "read_mask",
    "read_planar",
    "read_volume",
    "score",
    "write_demo",
]

_HOMES = {
    "Agreement": "statistics",
    "Category": "vocabulary",
    "Cohort": "readers.manifest",
    "Event": "findings",
    "EventKind": "vocabulary",
    "Examination": "findings",
    "LesionFinding": "findings",
    "LesionType": "vocabulary",
    "Mask": "volume",
    "MdandersonError": "errors",
    "Modality": "vocabulary",
    "Patient": "readers.manifest",
    "PatientFacts": "findings",
    "Problem": "errors",
    "Response": "criteria",
    "Results": "batch",
    "Settings": "settings",
    "Statement": "findings",
    "Status": "vocabulary",
    "Structure": "findings",
    "Timeline": "timeline",
    "Volume": "volume",
    "agreement": "batch",
    "assess": "assessment",
    "build_timeline": "timeline",
    "classify": "batch",
    "index": "batch.index",
    "measure_lesion": "measure.any_modality",
    "read_cohort": "readers.manifest",
    "read_mask": "readers.masks",
    "read_planar": "readers",
    "read_volume": "readers",
    "score": "batch",
    "write_demo": "phantoms",
}
"""Public name -> the room that defines it."""
_ROOMS = ("plot",)
"""Rooms that are public by their own name."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
