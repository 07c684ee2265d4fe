"""What a label map's file, or a table beside it, calls its labels.

TotalSegmentator writes a table of labels into the header of its NIfTI files; Slicer writes names into `.seg.nrrd` and
colour tables (`.ctbl`), others JSON. A table beside a map has its name with another ending. Every text here is hostile:
bounded, and read by nothing but its pattern.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["names_beside", "names_of_labels"]

_ENDINGS = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha", ".mhd")
_TABLES = (".json", ".ctbl", ".txt")
_MOST_BYTES = 2**20
_MOST_NAMES = 2000
_LONGEST = 200
_LABEL = re.compile(r'<Label Key="(\d{1,9})"[^>]{0,200}>\s*<!\[CDATA\[([^\]<>]{1,200})\]\]>')
"""A row of the label table of a NIfTI header (CIFTI's XML, as TotalSegmentator writes it)."""
_COLOUR = re.compile(r"^\s*(\d{1,9})\s+\"?([A-Za-z][^\"\n]{0,199}?)\"?(?:\s+\d+){3,4}\s*$", re.MULTILINE)
"""A row of a colour table of Slicer: number, name, red, green, blue, opacity."""


def names_of_labels(path: Path) -> Mapping[int, str]:
    """Label -> name, from the header of a NIfTI file, else from a table beside the map; nothing where neither is."""
    if path.name.lower().endswith((".nii", ".nii.gz")) and (found := _in_nifti(path)):
        return found
    return names_beside(path)


def names_beside(path: Path) -> Mapping[int, str]:
    """Label -> name, from a table that is called like the map."""
    ending = next((one for one in _ENDINGS if path.name.lower().endswith(one)), "")
    stem = path.name[: -len(ending)] if ending else ""
    for table in (path.with_name(f"{stem}{one}") for one in _TABLES if stem):
        text = _text(table)
        if text and (found := _bounded(_in_json(text) if table.suffix == ".json" else _in_colours(text))):
            return found
    return {}


def _in_nifti(path: Path) -> Mapping[int, str]:
    import nibabel

    try:
        extensions = nibabel.load(path).header.extensions
        texts = [bytes(one.get_content())[:_MOST_BYTES].decode("utf-8", "replace") for one in extensions]
    except Exception:  # noqa: BLE001 - the names are a help: what is wrong with the file is told by who reads it
        return {}
    return _bounded((int(found[1]), found[2]) for text in texts for found in _LABEL.finditer(text))


def _in_json(text: str) -> Iterator[tuple[int, str]]:
    """Label -> name or name -> label, at the top or under a key such as `labels`."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return
    tables = [read, *read.values()] if isinstance(read, dict) else []
    for table in (one for one in tables if isinstance(one, dict)):
        for key, value in table.items():
            if key.isdecimal() and isinstance(value, str):
                yield int(key[:9]), value
            elif isinstance(value, int) and not isinstance(value, bool):
                yield value, key


def _in_colours(text: str) -> Iterator[tuple[int, str]]:
    return ((int(found[1]), found[2].strip()) for found in _COLOUR.finditer(text))


def _bounded(found: Iterator[tuple[int, str]]) -> dict[int, str]:
    names: dict[int, str] = {}
    for label, name in found:
        if len(names) < _MOST_NAMES and label > 0:
            names.setdefault(label, name[:_LONGEST])
    return names


def _text(path: Path) -> str:
    """The text of a small file; blank where it is none."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
