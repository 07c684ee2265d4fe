"""Images taken together become one image with companions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from mdanderson.assessment.companions import on_grid_of, shown_in
from mdanderson.assessment.scenes import borrowed_outlines, scenes_of
from mdanderson.assessment.station import Image
from mdanderson.geometry import Geometry
from mdanderson.planar import PlanarImage
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, MrSequence, View
from mdanderson.volume import Mask, Region, Unit, Volume

DAY = dt.date(2020, 1, 1)
SETTINGS = Settings()
UNITS = {Modality.MR: Unit.ARBITRARY, Modality.CT: Unit.HU, Modality.PT: Unit.SUV}


def image(
    sequence: MrSequence | None = None,
    *,
    balls: dict[int, tuple[int, int, int]] | None = None,
    modality: Modality = Modality.MR,
    frame: str = "1.2.3",
    spacing_mm: tuple[float, float, float] = (2.0, 1.0, 1.0),
    shape: tuple[int, int, int] = (10, 20, 20),
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    where: str = "",
) -> Image:
    """A blank image with a cube of 3 x 3 x 3 voxels for each label, round a voxel (plane, row, column)."""
    geometry = Geometry.from_axes(shape=shape, spacing_mm=spacing_mm, origin_mm=origin_mm, frame_of_reference_uid=frame)
    volume = Volume(
        array=np.zeros(shape, dtype=np.int16),
        geometry=geometry,
        unit=UNITS[modality],
        modality=modality,
        sequence=sequence,
        date=DAY,
    )
    regions = [cube(label, at) for label, at in (balls or {}).items()]
    name = where or str(sequence or modality)
    return Image(volume=volume, lesions=Mask(geometry=geometry, regions=tuple(regions)), date=DAY, where=name)


def cube(label: int, at: tuple[int, int, int]) -> Region:
    box = tuple(slice(middle - 1, middle + 2) for middle in at)
    return Region(label=label, box=(box[0], box[1], box[2]), voxels=np.ones((3, 3, 3), dtype=bool))


def test_one_image_stays_as_it_is():
    only = image(MrSequence.T1)
    assert scenes_of([only], settings=SETTINGS) == (only,)


def test_ct_images_of_a_visit_are_no_companions():
    chest, pelvis = image(modality=Modality.CT, where="chest"), image(modality=Modality.CT, where="pelvis")
    assert scenes_of([chest, pelvis], settings=SETTINGS) == (chest, pelvis)


def test_the_segmented_sequence_leads_and_the_other_takes_its_outlines():
    t1, stir = image(MrSequence.T1), image(MrSequence.STIR, balls={4: (5, 10, 10)})
    (scene,) = scenes_of([t1, stir], settings=SETTINGS)
    assert scene.where == "STIR"
    (companion,) = scene.companions
    assert companion.where == "T1"
    assert [region.label for region in companion.lesions] == [4]
    assert companion.drawn == {}


def test_of_two_segmented_sequences_the_one_that_size_is_taken_from_leads():
    t2 = image(MrSequence.T2, balls={1: (5, 10, 10)})
    t1 = image(MrSequence.T1, balls={7: (5, 10, 10)})
    (scene,) = scenes_of([t2, t1], settings=SETTINGS)
    assert scene.where == "T1"
    (companion,) = scene.companions
    assert [region.label for region in companion.lesions] == [7], "one place, one lesion, whatever its label"
    assert companion.drawn == {7: 1}


def test_a_lesion_that_only_a_companion_outlines_is_a_lesion_of_the_visit():
    t1 = image(MrSequence.T1, balls={1: (5, 5, 5)})
    stir = image(MrSequence.STIR, balls={1: (5, 15, 15), 2: (5, 5, 5)})
    (scene,) = scenes_of([t1, stir], settings=SETTINGS)
    assert [region.label for region in scene.lesions] == [1, 2]
    assert scene.lesions[2].box == cube(2, (5, 15, 15)).box, "label 1 is taken: the other lesion gets the next"
    (companion,) = scene.companions
    assert {region.label: region.box for region in companion.lesions} == {
        1: cube(1, (5, 5, 5)).box,
        2: cube(2, (5, 15, 15)).box,
    }
    assert companion.drawn == {1: 2, 2: 1}


@pytest.mark.parametrize(
    ("frames", "together"), [(("1.2", "1.2"), True), (("", ""), True), (("1.2", "1.3"), False), (("1.2", ""), False)]
)
def test_only_what_shares_a_space_is_taken_together(frames, together):
    t1 = image(MrSequence.T1, frame=frames[0], balls={1: (5, 10, 10)})
    stir = image(MrSequence.STIR, frame=frames[1])
    assert len(scenes_of([t1, stir], settings=SETTINGS)) == (1 if together else 2)


def test_neighbouring_blocks_of_one_sequence_lead_each_their_own_companion():
    lumbar, lumbar_stir = image(MrSequence.T1, balls={1: (5, 10, 10)}, where="L"), image(MrSequence.STIR, where="LS")
    far = (0.0, 0.0, 200.0)
    chest = image(MrSequence.T1, origin_mm=far, where="T", balls={1: (5, 10, 10)})
    chest_stir = image(MrSequence.STIR, origin_mm=far, where="TS")
    scenes = scenes_of([lumbar, lumbar_stir, chest, chest_stir], settings=SETTINGS)
    assert {scene.where: [one.where for one in scene.companions] for scene in scenes} == {"L": ["LS"], "T": ["TS"]}


def test_both_views_of_one_bone_scan_are_taken_together():
    def view(which: View, columns: int = 64) -> Image:
        planar = PlanarImage(
            array=np.zeros((128, columns), dtype=np.int16),
            spacing_mm=(2.0, 2.0),
            unit=Unit.COUNTS,
            modality=Modality.NM,
            view=which,
            date=DAY,
        )
        slab = planar.as_slab()
        return Image(volume=slab, lesions=Mask(geometry=slab.geometry), date=DAY, where=which)

    (scene,) = scenes_of([view(View.POST), view(View.ANT)], settings=SETTINGS)
    assert (scene.where, [one.where for one in scene.companions]) == ("ANT", ["POST"])
    assert len(scenes_of([view(View.POST), view(View.ANT, columns=32)], settings=SETTINGS)) == 2


def test_pet_borrows_the_outlines_of_the_ct_it_was_taken_with():
    ct = image(modality=Modality.CT, balls={3: (5, 10, 10)}, where="ct.nii")
    pet = image(modality=Modality.PT, spacing_mm=(4.0, 2.0, 2.0), shape=(5, 10, 10))
    (lent,) = borrowed_outlines([pet], [ct])
    assert lent.borrowed_from == "ct.nii"
    assert [region.label for region in lent.lesions] == [3]


@pytest.mark.parametrize("other", [{"frame": "9.9"}, {"frame": ""}, {"date": dt.date(2020, 1, 9)}])
def test_nothing_is_borrowed_across_spaces_and_days(other):
    ct = image(modality=Modality.CT, balls={3: (5, 10, 10)}, frame=other.get("frame", "1.2.3"))
    ct = replace(ct, date=other.get("date", DAY))
    pet = image(modality=Modality.PT)
    assert borrowed_outlines([pet], [ct]) == (pet,)


def test_an_image_with_outlines_of_its_own_borrows_none():
    ct = image(modality=Modality.CT, balls={3: (5, 10, 10)})
    pet = image(modality=Modality.PT, balls={1: (5, 5, 5)})
    assert borrowed_outlines([pet], [ct]) == (pet,)


def test_a_place_is_shown_in_every_image_that_holds_it():
    t1 = image(MrSequence.T1, balls={1: (5, 10, 10)})
    coarse = image(MrSequence.STIR, spacing_mm=(4.0, 2.0, 2.0), shape=(5, 10, 10))
    (scene,) = scenes_of([t1, coarse], settings=SETTINGS)
    place = cube(1, (5, 4, 4))
    shown = {one.where: region for one, region in shown_in(scene, place)}
    assert set(shown) == {"T1", "STIR"}
    centre = coarse.volume.geometry.to_lps(np.argwhere(shown["STIR"].voxels) + [p.start for p in shown["STIR"].box])
    assert np.abs(centre.mean(axis=0) - t1.volume.geometry.to_lps((5, 4, 4))).max() <= 1.0
    assert len(on_grid_of(scene.companions[0], scene, [place, cube(1, (5, 10, 10))])) == 2
