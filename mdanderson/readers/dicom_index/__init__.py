"""A folder of DICOM files in no order -> the manifest of a cohort: what is there, what of it is measured, and why."""

from mdanderson.readers.dicom_index.assemble import Sorted, settle, sort_files
from mdanderson.readers.dicom_index.deeper import Deeper, look_deeper
from mdanderson.readers.dicom_index.facts import Facts, Looked, look_at
from mdanderson.readers.dicom_index.found import ImageRow, Indexed, SeriesRow
from mdanderson.readers.dicom_index.walk import find_files

__all__ = [
    "Deeper",
    "Facts",
    "ImageRow",
    "Indexed",
    "Looked",
    "SeriesRow",
    "Sorted",
    "find_files",
    "look_at",
    "look_deeper",
    "settle",
    "sort_files",
]
