"""One patient: where the halves meet. Images in date order become findings, findings become a timeline."""

from __future__ import annotations

from mdanderson.assessment.patient import assess

__all__ = ["assess"]
