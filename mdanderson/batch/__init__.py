"""Many patients: each by itself, resumable, on as many workers as wanted, with the same tables every time."""

from mdanderson.batch.agree import agreement
from mdanderson.batch.classify import classify
from mdanderson.batch.results import Results
from mdanderson.batch.run import Progress, score

__all__ = ["Progress", "Results", "agreement", "classify", "score"]
