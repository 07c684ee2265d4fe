"""Strings of the HTML report and the review forms alone: key -> (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["PAGES"]

PAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "page.title": ("Response of bone metastases", "骨转移瘤疗效评价"),
    }
)
"""Strings of the pages; further ones are added here, named `page.*`."""
