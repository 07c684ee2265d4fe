"""Titles, axes and legends of the figures of `mdanderson.plot`: key -> (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["FIGURES"]

FIGURES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "figure.patients_shown": ("{shown} of {all} patients", "{all} 例患者中的 {shown} 例"),
        "figure.nothing": ("nothing to show", "无可显示的数据"),
    }
)
"""Strings of the figures alone."""
