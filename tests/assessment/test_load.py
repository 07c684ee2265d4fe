"""What is known of an image that cannot be used."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from mdanderson.assessment import assess
from mdanderson.assessment.load import load_images
from mdanderson.errors import InputError
from mdanderson.geometry import Geometry
from mdanderson.phantoms.write import write_ct_series
from mdanderson.readers.manifest import read_cohort
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

DAY = dt.date(2024, 5, 6)


@pytest.fixture
def lost(tmp_path: Path):
    """Day and modality of the row that cannot be used; its folder `ct` holds a CT of `DAY`."""
    geometry = Geometry.from_axes(shape=(3, 8, 8), spacing_mm=(2, 1, 1), origin_mm=(0, 0, 0))
    array = np.zeros(geometry.shape, dtype=np.int16)
    volume = Volume(array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT)
    write_ct_series(volume, tmp_path / "ct", patient_id="X", study_date=DAY, seed="load")

    def load(row: str) -> tuple[dt.date | None, Modality | None]:
        (tmp_path / "cohort.csv").write_text(f"patient_id,date,modality,image,mask\nP01,{row}\n")
        images, ones, problems = load_images(read_cohort(tmp_path / "cohort.csv")["P01"])
        assert images == ()
        assert len(problems) == 1
        (one,) = ones
        return one.date, one.modality

    return load


@pytest.mark.parametrize(
    ("row", "known"),
    [
        (",,ct,gone.nii.gz", (DAY, Modality.CT)),
        ("2024-01-01,,ct,gone.nii.gz", (dt.date(2024, 1, 1), Modality.CT)),  # the manifest's day wins
        ("soon,CT,ct,", (None, Modality.CT)),  # the manifest goes by days of its own
        (",,gone,", (None, None)),
    ],
)
def test_the_header_tells_what_a_faulty_row_leaves_blank(lost, row, known):
    assert lost(row) == known


def test_the_header_tells_it_of_an_image_whose_mask_cannot_be_read(lost, tmp_path):
    (tmp_path / "mask.nii.gz").write_bytes(b"no image")
    assert lost(",,ct,mask.nii.gz") == (DAY, Modality.CT)


def test_a_file_without_a_header_tells_nothing(lost, tmp_path):
    (tmp_path / "ct.nii.gz").write_bytes(b"no image")
    assert lost("2024-01-01,CT,ct.nii.gz,") == (dt.date(2024, 1, 1), Modality.CT)


@pytest.mark.parametrize(
    ("folders", "more"), [(["a"], ""), (["a", "b"], r" \(and 1 more: `mdanderson check` lists them\)")]
)
def test_images_none_of_which_tells_its_day_are_named(folders, more, tmp_path):
    """Folders of folders, as archives export them: without any day there is no visit that could be told of."""
    for name in folders:
        (tmp_path / name / "series").mkdir(parents=True)
    rows = "".join(f"P01,{name}\n" for name in folders)
    (tmp_path / "cohort.csv").write_text(f"patient_id,image\n{rows}")
    with pytest.raises(InputError, match=f"^no image can be used: no DICOM file in the folder{more} @ a; name"):
        assess(read_cohort(tmp_path / "cohort.csv")["P01"])
