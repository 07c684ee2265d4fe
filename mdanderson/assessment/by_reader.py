"""What readers state where no image is measured: identities of lesions, and modalities judged by their word alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from mdanderson.assessment.station import Image
from mdanderson.findings import Examination, LesionFinding, Statement
from mdanderson.settings import Settings
from mdanderson.timeline import group_visits
from mdanderson.timeline.reading import counting
from mdanderson.timeline.statements import NEW_CODE, is_withdrawn
from mdanderson.vocabulary import Basis, Modality, Status

__all__ = ["StatedNames", "read_by_reader", "stated_identities"]

StatedNames = dict[tuple[dt.date, str, str], str]
"""Day, label and MR sequence (blank: whichever) -> the lesion that it is."""


def stated_identities(statements: Iterable[Statement], modality: Modality, settings: Settings) -> StatedNames:
    """What a reader calls the labels in the images of one modality, as far as it was not withdrawn."""
    names: StatedNames = {}
    for one in counting(statements, settings):
        key = (one.date, one.label, one.sequence)
        if one.modality is not modality or not one.label:
            continue
        if one.lesion_id:
            names[key] = one.lesion_id
        elif is_withdrawn(one):
            names.pop(key, None)
    return names


def read_by_reader(
    images: Sequence[Image], statements: Iterable[Statement], settings: Settings
) -> tuple[Examination, ...]:
    """One modality that nobody segmented, as far as readers speak of it: an examination a visit that they state of.

    Its first visit is its baseline. Where nothing is stated of that visit, the lesions stated of later, unless they are
    said to be new, were there: a reader who calls a lesion smaller has seen it before.
    """
    counted = [one for one in counting(statements, settings) if one.modality is images[0].volume.modality]
    visits = group_visits(images, window_days=settings.policy.visit_window_days)
    said = [[one for one in counted if _is_of(one, visit, settings)] for visit in visits]
    if not any(said):
        return ()
    later = set() if said[0] else {one.lesion_id for ones in said for one in ones if one.lesion_id and not _is_new(one)}
    return tuple(
        Examination(
            modality=visit[0].volume.modality,
            date=visit[0].date,
            visit=visit[0].visit,
            lesions=tuple(_there(lesion_id, visit[0]) for lesion_id in sorted(later)) if index == 0 else (),
            evaluable=index == 0 or bool(ones),
            why="" if index == 0 or ones else "nothing segmented, and no reader states anything of it",
        )
        for index, (visit, ones) in enumerate(zip(visits, said, strict=True))
    )


def _is_new(statement: Statement) -> bool:
    return bool(statement.new) or NEW_CODE in statement.codes


def _is_of(statement: Statement, visit: Sequence[Image], settings: Settings) -> bool:
    days = (statement.date - visit[0].date).days
    return 0 <= days <= settings.policy.visit_window_days


def _there(lesion_id: str, image: Image) -> LesionFinding:
    """A lesion that was there, of which nothing else is known."""
    return LesionFinding(
        lesion_id=lesion_id,
        status=Status.BASELINE,
        modality=image.volume.modality,
        date=image.date,
        visit=image.visit,
        basis=Basis.READER,
        why="nothing stated of it at this visit",
    )
