"""What a lesion is called where another modality has shown it, on blank images with cubes outlined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from mdanderson.assessment import elsewhere as module
from mdanderson.assessment.catalogue import Catalogue, Known
from mdanderson.assessment.elsewhere import Elsewhere, Followed
from mdanderson.assessment.station import Image, Station
from mdanderson.findings import LesionFinding
from mdanderson.geometry import Geometry
from mdanderson.lesions import Lesion
from mdanderson.registration import Registration
from mdanderson.settings import Settings
from mdanderson.vocabulary import Modality, Status
from mdanderson.volume import Mask, Region, Unit, Volume

SETTINGS = Settings()
DAY = dt.date(2024, 3, 1)
HERE, NEXT, FAR = (15, 10, 10), (15, 10, 16), (15, 30, 30)
"""Middles of cubes of 5 voxels: the first two touch within 1 mm, the third lies 28 mm off."""
UNITS = {Modality.CT: Unit.HU, Modality.MR: Unit.ARBITRARY, Modality.PT: Unit.SUV}


def cube(label: int, at: tuple[int, int, int], *, half: int = 2, uid: str = "") -> Region:
    box = tuple(slice(middle - half, middle + half + 1) for middle in at)
    return Region(label=label, box=box, voxels=np.ones((2 * half + 1,) * 3, dtype=bool), tracking_uid=uid)


def station(
    modality: Modality,
    *cubes: Region,
    frame: str = "1.2",
    days: int = 0,
    trusted: bool = True,
    planes: int = 40,
    registration: Registration | None = None,
    borrowed_from: str = "",
) -> Station:
    """A blank image of 1 mm voxels; with fewer than four planes nothing can be laid on it."""
    geometry = Geometry.from_axes(
        shape=(planes, 40, 40), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0), frame_of_reference_uid=frame
    )
    volume = Volume(
        array=np.zeros(geometry.shape, dtype=np.int16),
        geometry=geometry,
        unit=UNITS[modality],
        modality=modality,
        date=DAY + dt.timedelta(days=days),
    )
    image = Image(
        volume=volume,
        lesions=Mask(geometry=geometry, regions=cubes),
        date=volume.date,
        visit="v0",
        where=f"{modality}{days}",
        borrowed_from=borrowed_from,
    )
    placed = registration or (Registration.identity() if trusted else Registration.failed("nothing in common"))
    return Station(image=image, registration=placed)


def followed(*homes: Station, names: Mapping[tuple[str, str], str] | None = None, first: int = 1) -> Followed:
    """A modality that showed every cube of its first image: L01, L02, ... in their order."""
    home = homes[0]
    known = []
    for number, region in enumerate(home.image.lesions, first):
        lesion = Lesion.from_region(region, home.volume.geometry)
        finding = LesionFinding(
            lesion_id=f"L{number:02d}", status=Status.BASELINE, modality=home.volume.modality, date=home.image.date
        )
        points = lesion.points_lps_mm
        known.append(
            Known(
                lesion_id=finding.lesion_id,
                home=home,
                region=region,
                points_common_mm=points,
                lytic=None,
                first=finding,
            )
        )
    return Followed(
        modality=home.volume.modality,
        catalogue=Catalogue(lesions=tuple(known)),
        visits=tuple((one,) for one in homes),
        names=names or {},
    )


def names_of(seen: Station, *others: Followed):
    """What its lesions are called elsewhere, by label."""
    lesions = {str(one.label): Lesion.from_region(one, seen.volume.geometry) for one in seen.image.lesions}
    return Elsewhere(followed=others).names(seen, lesions, settings=SETTINGS)


@pytest.fixture
def bridges(monkeypatch):
    """Pairs of images that were registered; each registration is the identity."""
    asked: list[tuple[str, str]] = []

    def identity(first, second, *, settings):
        asked.append((first.volume.modality, second.volume.modality))
        return Registration.identity()

    monkeypatch.setattr(module, "register", identity)
    return asked


def test_one_place_in_one_frame_is_one_lesion_whatever_its_label(bridges):
    ct = followed(station(Modality.CT, cube(1, HERE), cube(2, FAR)))
    found = names_of(station(Modality.PT, cube(9, FAR), cube(5, HERE)), ct)
    assert (found.by_key, found.problems) == ({"9": "L02", "5": "L01"}, ())
    assert bridges == [], "one frame of reference needs no registration"


def test_another_place_has_no_name(bridges):
    found = names_of(station(Modality.PT, cube(1, FAR)), followed(station(Modality.CT, cube(1, HERE))))
    assert (found.by_key, found.problems) == ({}, ())


@pytest.mark.parametrize("frame", ["", "9.9"])
def test_other_frames_and_unknown_ones_are_registered(bridges, frame):
    ct = followed(station(Modality.CT, cube(1, HERE), frame="" if not frame else "1.2"))
    assert names_of(station(Modality.MR, cube(3, HERE), frame=frame), ct).by_key == {"3": "L01"}
    assert bridges == [("CT", "MR")]


def test_one_frame_on_another_day_is_registered(bridges):
    """Some exports give one UID to all dates."""
    ct = followed(station(Modality.CT, cube(1, HERE)))
    assert names_of(station(Modality.PT, cube(1, HERE), days=1), ct).by_key == {"1": "L01"}
    assert bridges == [("CT", "PT")]


def test_what_cannot_be_registered_ties_nothing_and_says_so():
    ct = followed(station(Modality.CT, cube(1, HERE)))
    found = names_of(station(Modality.MR, cube(1, (1, 10, 10), half=1), frame="", planes=3), ct)
    assert found.by_key == {}
    (problem,) = found.problems
    assert problem.what == (
        "its lesions have names of their own: it cannot be laid on the CT (the follow-up has fewer than 4 slices)"
    )
    assert (problem.severity, problem.visit, problem.where) == ("info", "v0", "MR0")
    assert "label and lesion_id in reads.csv" in problem.how_to_fix


def test_the_next_image_of_the_visit_is_asked_where_the_first_cannot_be_used(bridges, monkeypatch):
    """Chest and pelvis: an MR of the pelvis cannot be laid on the chest."""
    chest = station(Modality.CT, cube(1, HERE), frame="1.2")
    pelvis = station(Modality.CT, frame="1.4", days=2)

    def only_pelvis(first, second, *, settings):
        bridges.append(first.volume.geometry.frame_of_reference_uid)
        return Registration.identity() if first.volume is pelvis.volume else Registration.failed("too little in common")

    monkeypatch.setattr(module, "register", only_pelvis)
    found = names_of(station(Modality.MR, cube(1, HERE), frame="1.3"), followed(chest, pelvis))
    assert (found.by_key, found.problems, bridges) == ({"1": "L01"}, (), ["1.2", "1.4"])


@pytest.mark.parametrize(("days", "tied"), [(0, True), (14, True), (-14, True), (15, False)])
def test_only_images_of_one_visit_are_asked(bridges, days, tied):
    ct = followed(station(Modality.CT, cube(1, HERE)))
    found = names_of(station(Modality.MR, cube(1, HERE), days=days), ct)
    assert (found.by_key, found.problems) == ({"1": "L01"} if tied else {}, ())


def test_an_image_that_lies_nowhere_is_not_asked(bridges):
    ct = followed(station(Modality.CT, cube(1, HERE), trusted=False))
    assert names_of(station(Modality.MR, cube(1, HERE)), ct).by_key == {}
    assert bridges == []


def test_a_lesion_found_later_lends_its_name_to_what_another_modality_showed_before(bridges):
    """CT shows it at its second visit only; its name is known by the time that MR of the first visit is looked at."""
    first = station(Modality.CT)
    later = followed(station(Modality.CT, cube(1, HERE), days=84))
    ct = replace(later, visits=((first,), *later.visits))
    assert names_of(station(Modality.MR, cube(1, HERE)), ct).by_key == {"1": "L01"}


def test_neither_of_two_merged_is_the_one(bridges):
    ct = followed(station(Modality.CT, cube(1, HERE), cube(2, NEXT)))
    both = replace(Region.together([cube(1, HERE), cube(1, NEXT)]), label=1)
    assert names_of(station(Modality.PT, both), ct).by_key == {}


def test_a_tracking_uid_names_it_wherever_it_lies():
    ct = followed(station(Modality.CT, cube(1, HERE, uid="1.9")))
    seen = station(Modality.MR, cube(4, (1, 30, 30), half=1, uid="1.9"), frame="", planes=3, days=400)
    assert names_of(seen, ct).by_key == {"4": "L01"}
    assert names_of(station(Modality.MR, cube(4, HERE, uid="1.8"), days=400), ct).by_key == {}


def test_a_name_given_by_a_tracking_uid_is_not_given_again_by_place():
    ct = followed(station(Modality.CT, cube(1, HERE, uid="1.9")))
    found = names_of(station(Modality.PT, cube(4, FAR, uid="1.9"), cube(5, HERE)), ct)
    assert found.by_key == {"4": "L01"}


def test_who_speaks_first_gives_the_name(bridges):
    ct = followed(station(Modality.CT, cube(1, HERE)))
    mr = followed(station(Modality.MR, cube(1, HERE), cube(2, FAR)), first=7)
    seen = station(Modality.PT, cube(1, HERE), cube(2, FAR))
    assert names_of(seen, ct, mr).by_key == {"1": "L01", "2": "L08"}
    assert names_of(seen, mr, ct).by_key == {"1": "L07", "2": "L08"}


def test_a_new_name_is_one_that_nobody_has():
    ct = followed(station(Modality.CT, cube(1, HERE), cube(2, FAR)))
    taken = Elsewhere().with_followed(ct).taken
    assert taken == {"L01", "L02"}
    assert Catalogue(taken=taken).next_id == "L03"
    one = Catalogue(lesions=ct.catalogue.lesions[1:], taken=taken)
    assert one.next_id == "L03"


def test_a_pet_is_laid_on_its_baseline_by_the_ct_taken_with_it():
    shift = replace(
        Registration.identity(), matrix=np.array([[1, 0, 0, 7], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    )
    ct = followed(station(Modality.CT, frame="1.1"), station(Modality.CT, frame="2.1", days=84, registration=shift))
    other = Elsewhere(followed=(ct,))
    baseline = (station(Modality.PT, frame="1.1"),)
    assert other.placed(station(Modality.PT, frame="2.1", days=84).image, baseline) is shift
    assert other.placed(station(Modality.PT, frame="2.2", days=84).image, baseline) is None, "of no CT's frame"
    assert other.placed(station(Modality.PT, frame="2.1", days=85).image, baseline) is None, "of another day"
    assert other.placed(station(Modality.PT, frame="2.1", days=84).image, ()) is None, "a baseline lies where it lies"
    apart = (station(Modality.PT, frame="1.9"),)
    assert other.placed(station(Modality.PT, frame="2.1", days=84).image, apart) is None, "baselines of two frames"


def test_a_ct_that_is_not_trusted_lays_no_pet():
    ct = followed(station(Modality.CT, frame="1.1"), station(Modality.CT, frame="2.1", days=84, trusted=False))
    later = station(Modality.PT, frame="2.1", days=84).image
    assert Elsewhere(followed=(ct,)).placed(later, (station(Modality.PT, frame="1.1"),)) is None


def test_borrowed_outlines_keep_their_names():
    ct = followed(station(Modality.CT, cube(3, HERE)), names={("CT0", "3"): "L01", ("CT0", "4"): "L02"})
    pet = station(Modality.PT, cube(3, HERE), cube(8, FAR), borrowed_from="CT0").image
    assert Elsewhere(followed=(ct,)).lent_names([pet]) == {(DAY, "3", ""): "L01"}
    assert Elsewhere(followed=(ct,)).lent_names([replace(pet, borrowed_from="")]) == {}
