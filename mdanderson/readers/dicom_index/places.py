"""Where an image is told to be: in a folder as it stands, or in one of links where no folder holds it by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mdanderson.readers.dicom_index.deeper import Part
from mdanderson.readers.dicom_index.facts import Facts
from mdanderson.readers.dicom_index.series import Series
from mdanderson.vocabulary import Modality

__all__ = ["Place", "Places"]

_CROWD = 4
"""A reader opens every file of a folder: one with this many times the files of the series is left for links."""
_FEW = 2000
"""Files that may be opened in vain."""
_MEASURED = frozenset({"CT", "MR", "NM", "PT"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """image: a folder or a file, from the folder that is indexed. files: those to be linked, () where none are."""

    image: str
    is_file: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """What the folders hold. in_folder: DICOM files in each. spoiled: folders with a file that no reader gets past.

    of_series: files of a series (by UID) in a folder.
    """

    in_folder: Counter[str]
    spoiled: frozenset[str]
    of_series: Counter[tuple[str, str]]

    @classmethod
    def of(cls, files: Iterable[Facts], spoiled: frozenset[str]) -> Places:
        """The folders of all DICOM files."""
        in_folder: Counter[str] = Counter()
        of_series: Counter[tuple[str, str]] = Counter()
        more = set(spoiled)
        for one in files:
            in_folder[one.folder] += 1
            of_series[one.series_uid, one.folder] += 1
            if not (one.rows or one.modality) or (one.modality in _MEASURED and not one.rows):
                more.add(one.folder)
        return cls(in_folder=in_folder, spoiled=frozenset(more), of_series=of_series)

    def of_image(self, series: Series, part: Part) -> Place:
        """Where an image is found."""
        if part.file:
            path = next(file.path for file in series.files if part.file in {file.path, file.path.rpartition("/")[2]})
            return Place(image=path, is_file=True)
        if len(series.files) == 1:
            return Place(image=series.files[0].path, is_file=True)
        folders = {file.folder for file in series.files}
        if len(folders) == 1:
            (folder,) = folders
            crowd = self.in_folder[folder] - len(series.files)
            calm = folder not in self.spoiled and crowd <= max(_FEW, _CROWD * len(series.files))
            if calm and self.of_series[series.uid, folder] == len(series.files):
                return Place(image=folder or ".")
        first = series.first
        number = "x" if first.number is None else first.number
        name = f"{series.date}_{series.kind or Modality.CT}_{number}"
        return Place(image=name, files=tuple(file.path for file in series.files))
