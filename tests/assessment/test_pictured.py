"""Pictures of lesions: the right way up, at the right place, and without a trace in any result."""

from __future__ import annotations

import base64
import datetime as dt
import io
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Png

from mdanderson.assessment import assess, cut, pictured
from mdanderson.assessment.cut import Cut, outline_in, profile_in
from mdanderson.assessment.station import Image
from mdanderson.geometry import Geometry
from mdanderson.pictures import Picture
from mdanderson.readers.manifest import read_cohort
from mdanderson.report.tables import timeline_rows
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region, Unit, Volume

DEMO = Path(__file__).parents[2] / "segmentations" / "cohort.csv"
SETTINGS = Settings()


def pixels_of(picture: Picture) -> np.ndarray:
    return np.asarray(Png.open(io.BytesIO(base64.b64decode(picture.png))))


@pytest.fixture(scope="module")
def new_lesion() -> tuple[Timeline, list[Picture]]:
    """Two unchanged lesions and one that is new at the second visit."""
    pictures: list[Picture] = []
    return assess(read_cohort(DEMO)["DEMO-PD-NEW"], show=pictures.append), pictures


def test_every_lesion_is_shown_at_every_visit(new_lesion: tuple[Timeline, list[Picture]]) -> None:
    """A new one at baseline too, where nothing is drawn but its place."""
    _, pictures = new_lesion
    assert sorted((one.date.isoformat(), one.lesion_id) for one in pictures) == [
        (date, name) for date in ("2024-03-02", "2024-07-20") for name in ("L01", "L02", "L03")
    ]
    (before,) = [one for one in pictures if one.lesion_id == "L03" and one.date == dt.date(2024, 3, 2)]
    assert [outline.drawn for outline in before.outlines] == [False]
    assert before.diameters == before.profile == ()
    assert all(len(one.diameters) == 2 for one in pictures if one is not before)


def test_the_lines_are_as_long_as_the_table_says(new_lesion: tuple[Timeline, list[Picture]]) -> None:
    timeline, pictures = new_lesion
    for row in timeline.lesions:
        (one,) = [p for p in pictures if (p.lesion_id, p.date) == (row.lesion_id, row.date)]
        long_axis, short_axis = (float(np.hypot(*np.subtract(*line))) for line in one.diameters)
        assert long_axis == pytest.approx(float(row.finding.long_axis_mm), abs=0.02)
        assert short_axis == pytest.approx(float(row.finding.short_axis_mm), abs=0.02)
        assert one.slice_number == row.finding.slice_number


def test_pictures_show_one_place_of_the_patient(new_lesion: tuple[Timeline, list[Picture]]) -> None:
    """Lytic where it is outlined, bone where it is not yet; and the outline lies round the middle."""
    _, pictures = new_lesion
    hu = {}
    for one in pictures:
        grey = pixels_of(one)
        left, top, width, height = one.filled
        row, column = (
            int(-edge / side * size) for edge, side, size in ((top, height, len(grey)), (left, width, grey.shape[1]))
        )
        low, high = one.window
        hu[one.lesion_id, one.date.month] = low + float(
            grey[row - 1 : row + 2, column - 1 : column + 2].mean()
        ) / 255 * (high - low)
        points = np.array([point for line in one.outlines[0].lines for point in line])
        assert np.abs(points.mean(axis=0)).max() < 3.0
    assert all(value < 100 for (name, month), value in hu.items() if (name, month) != ("L03", 3))
    assert hu["L03", 3] > 130


def test_a_profile_tells_lytic_from_bone(new_lesion: tuple[Timeline, list[Picture]]) -> None:
    """Inside it reads as the lesion does, outside as its reference bone."""
    timeline, pictures = new_lesion
    profile = dict(next(one for one in pictures if one.lesion_id == "L03" and one.profile).profile)
    density = next(row.finding.density for row in timeline.lesions if row.lesion_id == "L03")
    assert density is not None
    assert abs(profile[-2.5] - density.mean_hu) < 20
    assert abs(profile[2.5] - density.reference_hu) < 20


def test_no_result_depends_on_pictures(
    new_lesion: tuple[Timeline, list[Picture]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither on their being taken nor on their failing."""
    timeline, _ = new_lesion

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pictured, "outline_in", broken)
    pictures: list[Picture] = []
    failed = assess(read_cohort(DEMO)["DEMO-PD-NEW"], show=pictures.append)
    assert pictures == []
    assert timeline_rows(failed) == timeline_rows(timeline)


def box(order: tuple[int, ...], signs: tuple[int, ...]) -> tuple[Geometry, np.ndarray]:
    """One body, 20 x 24 x 28 mm along LPS x, y, z, stored along any axes: bright towards left, back and head."""
    x, y, z = np.meshgrid(np.arange(20.0), np.arange(24.0), np.arange(28.0), indexing="ij")
    body = np.transpose(x + 30 * y + 900 * z, order)
    directions = np.zeros((3, 3))
    origin = np.zeros(3)
    for axis, (patient, sign) in enumerate(zip(order, signs, strict=True)):
        directions[axis, patient] = sign
        if sign < 0:
            body = np.flip(body, axis)
            origin[patient] = (20, 24, 28)[patient] - 1
    return Geometry.from_axes(shape=body.shape, spacing_mm=(1, 1, 1), origin_mm=origin, directions=directions), body


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_picture_hangs_as_readers_hang_it_however_it_is_stored(order: tuple[int, ...]) -> None:
    hung = []
    for signs in product((1, -1), repeat=3):
        geometry, body = box(order, signs)
        volume = Volume(array=body, geometry=geometry, unit=Unit.HU, modality=Modality.CT)
        image = Image(volume=volume, lesions=Mask(geometry=geometry), date=dt.date(2024, 1, 1))
        one = Cut.through(image, np.array([8.0, 12.0, 15.0]), SETTINGS)
        found = one.pixels((-6.0, -5.0, 12.0, 10.0))
        assert found is not None
        letters = {0: ("A", "H", "P", "F"), 1: ("R", "H", "L", "F"), 2: ("R", "A", "L", "P")}[order[0]]
        assert one.letters == letters
        hung.append(found)
    assert all(np.array_equal(values, hung[0][0]) and filled == hung[0][1] for values, filled in hung)
    values, filled = hung[0]
    assert filled == (-6.5, -5.5, 13.0, 11.0)
    step_right, step_down = values[0, 1] - values[0, 0], values[1, 0] - values[0, 0]
    assert (step_right, step_down) == {0: (30, -900), 1: (1, -900), 2: (1, 30)}[order[0]]


def disc(radius_mm: float) -> tuple[Image, Region]:
    """A disc in a plane: 0 inside, 200 outside."""
    geometry = Geometry.from_axes(shape=(3, 60, 60), spacing_mm=(2.0, 0.5, 0.5), origin_mm=(0.0, 0.0, 0.0))
    rows, columns = np.indices((60, 60)) - 30
    inside = np.zeros((3, 60, 60), dtype=bool)
    inside[1] = np.hypot(rows, columns) * 0.5 <= radius_mm
    region = Region.from_array(inside, label=1)
    assert region is not None
    volume = Volume(
        array=np.where(inside, 0, 200).astype(np.int16), geometry=geometry, unit=Unit.HU, modality=Modality.CT
    )
    return Image(volume=volume, lesions=Mask(geometry=geometry, regions=(region,)), date=dt.date(2024, 1, 1)), region


def test_an_outline_is_one_closed_line_at_the_radius() -> None:
    image, region = disc(8.0)
    one = Cut.through(image, np.array([15.0, 15.0, 2.0]), SETTINGS)
    (line,) = outline_in(one, region, SETTINGS)
    assert line[0] == line[-1]
    radii = np.hypot(*np.array(line).T)
    assert radii.min() > 7.7
    assert radii.max() < 8.5
    off = Cut.through(image, np.array([15.0, 15.0, 4.0]), SETTINGS)
    assert outline_in(off, region, SETTINGS) == () == profile_in(off, region)


def test_a_profile_steps_where_the_outline_runs_and_leaves_out_what_is_no_pixel() -> None:
    image, region = disc(8.0)
    profile = dict(profile_in(Cut.through(image, np.array([15.0, 15.0, 2.0]), SETTINGS), region))
    assert {value for at, value in profile.items() if at < 0} == {0.0}
    assert {value for at, value in profile.items() if at > 0} == {200.0}
    assert min(profile) == -7.5
    assert max(profile) == 9.5
    assert cut._PROFILE_MM == 10


def test_a_frame_beside_the_image_has_no_pixels() -> None:
    image, _ = disc(8.0)
    assert Cut.through(image, np.array([500.0, 15.0, 2.0]), SETTINGS).pixels((-10.0, -10.0, 20.0, 20.0)) is None
    assert not Cut.through(image, np.array([15.0, 15.0, 40.0]), SETTINGS).shows
