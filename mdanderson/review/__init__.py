"""The report served on this machine alone, with forms by which readers confirm or override what was computed."""

from mdanderson.review.serve import review

__all__ = ["review"]
