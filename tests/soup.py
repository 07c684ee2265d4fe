"""Small DICOM files for folders in no order: series of safety/samples.py with identities, thrown anywhere."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydicom import Dataset
from safety import samples

__all__ = ["drawn_on", "one_of", "report_on", "series", "throw", "uid"]

ROOT = "1.2.826.0.1.3680043.8.498.9"


def uid(*words: object) -> str:
    """The same for the same words."""
    number = int.from_bytes(repr(words).encode().ljust(1), "big") % 10**30
    return f"{ROOT}.{number}"


def series(kind: str = "CT", *, patient: str = "P1", day: str = "20240105", number: int = 1, **said: Any) -> list:
    """A series of six slices (CT, MR, PT), its own in every number. said: elements that are other, by keyword.

    step_mm, planes: where its slices lie. study, frame: words for their UIDs, the patient's day where none are given.
    """
    step_mm, planes = said.pop("step_mm", samples.STEPS_MM[0]), said.pop("planes", 6)
    study, frame = said.pop("study", (patient, day)), said.pop("frame", (patient, day))
    start_mm = said.pop("start_mm", 0.0)
    files = samples.slices(kind)[:planes]
    for plane, ds in enumerate(files):
        one_of(ds, patient=patient, day=day, number=number, study=study, frame=frame)
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid("i", patient, day, number, kind, plane)
        ds.ImagePositionPatient, ds.SliceThickness = [0, 0, start_mm + plane * step_mm], step_mm
        for keyword, value in said.items():
            setattr(ds, keyword, value)
    return files


def one_of(ds: Dataset, *, patient: str, day: str, number: int, study: object = None, frame: object = None) -> Dataset:
    """The data set under another identity; its instance is one of its own."""
    ds.PatientID, ds.StudyDate, ds.SeriesDate, ds.SeriesNumber = patient, day, day, number
    ds.StudyInstanceUID = uid("study", study or (patient, day))
    ds.SeriesInstanceUID = uid("series", patient, day, number, ds.Modality)
    ds.FrameOfReferenceUID = uid("frame", frame or (patient, day))
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid("i", patient, day, number, ds.Modality)
    return ds


def drawn_on(images: Sequence[Dataset], kind: str = "SEG", *, number: int = 100, saved: str = "120000") -> Dataset:
    """A segmentation or a structure set that refers to a series."""
    first = images[0]
    ds = samples.segmentation() if kind == "SEG" else samples.structures()
    ds.PatientID, ds.StudyDate, ds.SeriesNumber = first.PatientID, first.StudyDate, number
    ds.StudyInstanceUID, ds.FrameOfReferenceUID = first.StudyInstanceUID, first.FrameOfReferenceUID
    ds.SeriesInstanceUID = uid("mask", first.SeriesInstanceUID, number)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid("mask i", first.SeriesInstanceUID, number)
    ds.ContentDate, ds.ContentTime = first.StudyDate, saved
    item = Dataset()
    item.SeriesInstanceUID = first.SeriesInstanceUID
    if kind == "SEG":
        ds.ReferencedSeriesSequence = [item]
        return ds
    study, frame = Dataset(), Dataset()
    study.RTReferencedSeriesSequence = [item]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = first.FrameOfReferenceUID, [study]
    ds.ReferencedFrameOfReferenceSequence = [frame]
    for roi in ds.StructureSetROISequence:
        roi.ReferencedFrameOfReferenceUID = first.FrameOfReferenceUID
    return ds


def report_on(images: Sequence[Dataset]) -> Dataset:
    """A structured report that refers to a series."""
    ds = drawn_on(images)
    for keyword in ("ReferencedSeriesSequence", "SegmentSequence", "PixelData", "Rows", "Columns", "NumberOfFrames"):
        delattr(ds, keyword)
    ds.Modality, ds.SOPClassUID = "SR", "1.2.840.10008.5.1.4.1.1.88.33"
    ds.SeriesInstanceUID = uid("report", images[0].SeriesInstanceUID)
    ds.SOPInstanceUID = uid("report i", images[0].SeriesInstanceUID)
    item, study = Dataset(), Dataset()
    item.SeriesInstanceUID = images[0].SeriesInstanceUID
    study.StudyInstanceUID, study.ReferencedSeriesSequence = images[0].StudyInstanceUID, [item]
    ds.CurrentRequestedProcedureEvidenceSequence = [study]
    return ds


def throw(folder: Path, *files: Dataset | Iterable[Dataset] | Path, seed: int = 1, folders: int = 3) -> Path:
    """Write data sets, and link files, into folders that mean nothing, under names that mean nothing."""
    flat: list[Dataset | Path] = []
    for one in files:
        flat += [one] if isinstance(one, Dataset | Path) else list(one)
    rng = random.Random(seed)
    rng.shuffle(flat)
    for number, one in enumerate(flat):
        home = folder / f"d{rng.randrange(folders)}" if folders else folder
        home.mkdir(parents=True, exist_ok=True)
        place = home / f"IM{number:05d}"
        if isinstance(one, Path):
            place.symlink_to(one.resolve())
        else:
            one.save_as(place, enforce_file_format=True)
    return folder
