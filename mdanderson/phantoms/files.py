"""What a cohort of phantoms is on disk, whoever asks for it: images and masks of a visit, the manifest, dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mdanderson.errors import OutputError
from mdanderson.phantoms.write import (
    write_ct_series,
    write_dicom_seg,
    write_label_map,
    write_nifti,
    write_pet_series,
    write_scintigram_dicom,
)
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Volume

__all__ = ["MANIFEST", "Row", "Taken", "baseline_day", "treatment_start", "writing_to"]

MANIFEST = ("patient_id", "visit", "date", "modality", "sequence", "view", "image", "mask")
"""Columns of cohort.csv."""

_NEXT_PATIENT_AFTER = dt.timedelta(days=9)
_TREATMENT_AFTER = dt.timedelta(days=7)

Row = dict[str, str]


def baseline_day(first_day: dt.date, number: int) -> dt.date:
    """One patient after the other joins the cohort."""
    return first_day + number * _NEXT_PATIENT_AFTER


def treatment_start(first_day: dt.date, number: int) -> dt.date:
    """A week after the patient's baseline."""
    return baseline_day(first_day, number) + _TREATMENT_AFTER


@contextmanager
def writing_to(directory: Path, what: str) -> Iterator[None]:
    """Raises `OutputError` where the files of `what` cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{what} cannot be written ({error.strerror})",
            where=str(directory),
            way_out="name a folder that may be written to",
        ) from error


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Taken:
    """What one modality took of a patient at one visit.

    volumes: one image; of MR one a sequence, of a bone scan one a view. masks: beside each; what is empty has no file.
    names: label -> what the lesion is called over time, where a DICOM SEG is to say so. seed: of DICOM UIDs.
    """

    patient_id: str
    visit: str
    date: dt.date
    volumes: tuple[Volume, ...]
    masks: tuple[Mask, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    seed: str = ""

    @property
    def modality(self) -> Modality:
        """Of all its images."""
        return self.volumes[0].modality

    def write(self, directory: Path, *, dicom: bool) -> list[Row]:
        """Images and masks as files below `directory`; gives their rows of the manifest."""
        row = dict.fromkeys(MANIFEST, "") | {"patient_id": self.patient_id, "visit": self.visit}
        if dicom:
            return [row | self._write_dicom(directory)]
        row |= {"date": f"{self.date}", "modality": self.modality}
        return [
            row | self._write_nifti(directory, volume, mask)
            for volume, mask in zip(self.volumes, self.masks, strict=True)
        ]

    def _write_nifti(self, directory: Path, volume: Volume, mask: Mask) -> Row:
        kind = str(volume.sequence or volume.view or volume.modality).lower()
        image = f"{self.patient_id}/{self.visit}_{kind}.nii.gz"
        write_nifti(volume, directory / image)
        said = {"sequence": volume.sequence or "", "view": volume.view or "", "image": image}
        return said | {"mask": self._write_labels(directory, mask, "" if volume.modality is Modality.CT else kind)}

    def _write_labels(self, directory: Path, mask: Mask, kind: str) -> str:
        """The label map's name, blank where nothing was drawn."""
        if not len(mask):
            return ""
        name = f"{self.patient_id}/{'_'.join(filter(None, (self.visit, kind, 'lesions')))}.nii.gz"
        write_label_map(mask, directory / name)
        return name

    def _write_dicom(self, directory: Path) -> Row:
        """A series of CT with its SEG, one of PET, or both views of a bone scan with the label map of the first."""
        day, seed, patient_id = self.date, self.seed, self.patient_id
        image = f"{patient_id}/{self.visit}_{self.modality.lower()}"
        if self.modality is Modality.NM:
            image += ".dcm"
            write_scintigram_dicom(self.volumes, directory / image, patient_id=patient_id, study_date=day, seed=seed)
            return {"image": image, "mask": self._write_labels(directory, self.masks[0], "nm")}
        series_of = write_pet_series if self.modality is Modality.PT else write_ct_series
        series = series_of(self.volumes[0], directory / image, patient_id=patient_id, study_date=day, seed=seed)
        return {"image": image, "mask": self._write_seg(directory, series)}

    def _write_seg(self, directory: Path, series: Sequence[Path]) -> str:
        """The DICOM SEG's name, blank where nothing was drawn."""
        if not len(self.masks[0]):
            return ""
        name = f"{self.patient_id}/{self.visit}_lesions.dcm"
        write_dicom_seg(self.masks[0], series, directory / name, seed=self.seed, tracking=self.names)
        return name
