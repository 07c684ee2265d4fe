"""One modality through all its visits: images placed, lesions identified, measured, looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mdanderson.assessment.by_reader import stated_identities
from mdanderson.assessment.by_uptake import involvement
from mdanderson.assessment.catalogue import Catalogue
from mdanderson.assessment.comparable import about_acquisition
from mdanderson.assessment.cropped import Keep, keep_crops
from mdanderson.assessment.drawn import Note, drawings_of
from mdanderson.assessment.elsewhere import Elsewhere, Followed
from mdanderson.assessment.pictured import Show, show_pictures
from mdanderson.assessment.place import place_baseline, place_follow_up
from mdanderson.assessment.scenes import about_twins, scenes_of
from mdanderson.assessment.sites import BonePlace, places_seen
from mdanderson.assessment.station import Image, Station
from mdanderson.assessment.visit import VisitFindings, assess_visit
from mdanderson.errors import Problem, Severity
from mdanderson.findings import Examination, Statement
from mdanderson.settings import Settings
from mdanderson.timeline import group_visits
from mdanderson.vocabulary import Modality

__all__ = ["Course", "follow"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Course:
    """What a modality showed, visit by visit, and how it may be tied to others.

    places: of every visit, the bones that lesions lie in.
    """

    followed: Followed
    examinations: tuple[Examination, ...]
    problems: tuple[Problem, ...]
    places: tuple[Mapping[str, BonePlace], ...] = ()


def follow(
    images: Sequence[Image],
    *,
    elsewhere: Elsewhere,
    statements: Sequence[Statement],
    settings: Settings,
    show: Show | None = None,
    note: Note | None = None,
    keep: Keep | None = None,
) -> Course:
    """Images of one modality, in order of date. elsewhere: the modalities that were followed before, to share names.

    show, keep: take over the pictures and the crops, where they are wanted; note: which outline is which lesion.
    """
    modality = images[0].volume.modality
    stated = elsewhere.lent_names(images) | stated_identities(statements, modality, settings)
    catalogue = Catalogue(taken=elsewhere.taken)
    outcomes: list[VisitFindings] = []
    visits: list[tuple[Station, ...]] = []
    problems: list[Problem] = []
    examinations: list[Examination] = []
    for visit in group_visits(images, window_days=settings.policy.visit_window_days):
        scenes = scenes_of(visit, settings=settings)
        baseline = visits[0] if visits else ()
        stations = _stations(scenes, baseline, elsewhere, settings)
        outcome = assess_visit(stations, catalogue, baseline, settings=settings, stated=stated, elsewhere=elsewhere)
        catalogue = outcome.catalogue
        visits.append(stations)
        outcomes.append(outcome)
        examinations.append(_examination(visit, outcome, _bone_scan_index(scenes)))
        problems += (*outcome.problems, *_about_visit(visit), *about_twins(scenes))
        problems += about_acquisition(stations, visits[0], settings=settings)
    names = {key: name for outcome in outcomes for key, name in outcome.names.items()}
    followed = Followed(modality=modality, catalogue=catalogue, visits=tuple(visits), names=names)
    _hand_over(followed, outcomes, settings, show=show, keep=keep)
    if note is not None:
        for drawing in drawings_of(images, outcomes, settings=settings):
            note(drawing)
    return Course(
        followed=followed,
        examinations=tuple(replace(one, lesions=catalogue.settled(one.lesions)) for one in examinations),
        problems=tuple(problems),
        places=tuple(places_seen(outcome.seen, settings) for outcome in outcomes),
    )


def _stations(
    scenes: Sequence[Image], baseline: Sequence[Station], elsewhere: Elsewhere, settings: Settings
) -> tuple[Station, ...]:
    """The images of a visit in the common space, which the first visit gives."""
    if not baseline:
        return place_baseline(scenes, settings=settings)
    return tuple(_placed(image, baseline, elsewhere, settings) for image in scenes)


def _hand_over(
    followed: Followed,
    outcomes: Sequence[VisitFindings],
    settings: Settings,
    *,
    show: Show | None,
    keep: Keep | None,
) -> None:
    """Pictures and crops, to whoever wants them."""
    seen = [outcome.seen for outcome in outcomes]
    if show is not None:
        show_pictures(followed, seen, settings=settings, show=show)
    if keep is not None:
        keep_crops(followed, seen, settings=settings, keep=keep)


def _placed(image: Image, baseline: Sequence[Station], elsewhere: Elsewhere, settings: Settings) -> Station:
    """A later image in the common space: by another modality that shares its frame of reference, or by itself."""
    beside = elsewhere.placed(image, baseline)
    if beside is not None:
        return Station(image=image, registration=beside)
    return place_follow_up(image, baseline, settings=settings)


def _bone_scan_index(scenes: Sequence[Image]) -> float | None:
    """Percent of the skeleton involved, of bone scans only; SPECT and planar views are not mixed."""
    if scenes[0].volume.modality is not Modality.NM or len({image.volume.planar for image in scenes}) > 1:
        return None
    percent = involvement(scenes).percent
    return None if percent is None else round(percent, 2)


def _examination(visit: Sequence[Image], outcome: VisitFindings, bone_scan_index: float | None) -> Examination:
    first = visit[0]
    return Examination(
        modality=first.volume.modality,
        date=first.date,
        visit=first.visit,
        lesions=outcome.findings,
        bone_scan_index=bone_scan_index,
    )


def _about_visit(visit: Sequence[Image]) -> Iterator[Problem]:
    """Images of several days taken for one visit: right for a chest and a pelvis, wrong for two visits."""
    first, last = visit[0], visit[-1]
    if first.date != last.date:
        yield Problem(
            severity=Severity.INFO,
            visit=first.visit,
            where=last.where,
            what=f"{len(visit)} images from {first.date} to {last.date} are one visit",
            how_to_fix="give them different visit labels if they are two, or narrow visit_window_days",
        )
