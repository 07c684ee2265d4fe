"""One patient from manifest rows to a timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mdanderson.assessment.by_reader import read_by_reader
from mdanderson.assessment.cropped import Keep, shares_of
from mdanderson.assessment.drawn import Note
from mdanderson.assessment.elsewhere import Elsewhere
from mdanderson.assessment.follow import follow
from mdanderson.assessment.load import load_images
from mdanderson.assessment.pictured import Show
from mdanderson.assessment.scenes import borrowed_outlines
from mdanderson.assessment.sites import BonePlace, with_sites
from mdanderson.assessment.station import Image
from mdanderson.assessment.viewed import Viewing
from mdanderson.crops import Crop
from mdanderson.errors import InputError, Problem, Severity
from mdanderson.findings import Examination
from mdanderson.readers.manifest import LostImage, Patient
from mdanderson.settings import Settings
from mdanderson.timeline import Timeline, build_timeline
from mdanderson.vocabulary import DEFAULT_CRITERIA, Modality

__all__ = ["assess"]

_NOT_SEGMENTED = "no lesion is segmented in any of its images"


def assess(
    patient: Patient,
    *,
    settings: Settings | None = None,
    criteria: Sequence[str] = (DEFAULT_CRITERIA,),
    show: Show | None = None,
    note: Note | None = None,
    keep: Callable[[Crop], None] | None = None,
) -> Timeline:
    """Read, place, measure and judge all images of one patient.

    An image that cannot be used costs its own visit and a problem row; a missing baseline every category of its
    modality, and no other modality's.
    show: is handed a `Picture` of every lesion at every visit, as for a report; note: a `Drawing` of every outline;
    keep: a `Crop` of every lesion at every visit, as for a viewer.
    Raises `InputError` where no image can be used and not one of their days is known.
    """
    settings = settings or Settings()
    images, lost, problems = load_images(patient, settings=settings)
    work = _Work(
        patient=patient,
        settings=settings,
        lost=lost,
        problems=list(problems),
        show=show,
        note=note,
        keeps=shares_of(images, keep) if keep is not None else {},
    )
    for modality in _in_order(images, settings):
        work.take([image for image in images if image.volume.modality is modality])
    silent = [(one.modality or Modality.CT, one, one.why) for one in lost if one.date]
    work.silence(silent)
    if not work.examinations:
        raise _nothing_to_judge(work.problems)
    timeline = build_timeline(
        patient.facts,
        with_sites(work.examinations, work.places),
        settings=settings,
        criteria=criteria,
        problems=[note.of(patient_id=patient.patient_id) for note in work.problems],
        statements=patient.statements,
    )
    return replace(timeline, viewing=Viewing(patient, settings))


def _nothing_to_judge(problems: Sequence[Problem]) -> InputError:
    """Names the first image that was lost, and how many others."""
    first, *others = sorted(problem for problem in problems if problem.severity is Severity.ERROR)
    more = f" (and {len(others)} more: `mdanderson check` lists them)" if others else ""
    return InputError(f"no image can be used: {first.what}{more}", where=first.where, way_out=first.how_to_fix)


def _in_order(images: Sequence[Image], settings: Settings) -> list[Modality]:
    """The modalities of a patient: the one that speaks first gives lesions their names."""
    order = settings.policy.modality_order
    return sorted(
        {image.volume.modality for image in images},
        key=lambda modality: (order.index(modality) if modality in order else len(order), modality),
    )


@dataclass(kw_only=True, slots=True)
class _Work:
    """What has been found so far, modality by modality."""

    patient: Patient
    settings: Settings
    lost: Sequence[LostImage]
    problems: list[Problem]
    show: Show | None = None
    note: Note | None = None
    keeps: Mapping[Modality, Keep] = field(default_factory=dict)
    examinations: list[Examination] = field(default_factory=list)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    segmented: list[Image] = field(default_factory=list)
    places: list[Mapping[str, BonePlace]] = field(default_factory=list)

    def take(self, images: Sequence[Image]) -> None:
        """Follow one modality, by its outlines or by what readers state."""
        modality = images[0].volume.modality
        no_baseline = _lost_baseline(images, self.lost, modality, self.settings)
        if no_baseline:
            self.silence((modality, image, no_baseline) for image in images)
            return
        if modality is not Modality.CT and not any(image.lesions.regions for image in images):
            images = borrowed_outlines(images, self.segmented)
        if modality is not Modality.CT and not any(image.lesions.regions for image in images):
            self._by_readers(images)
            return
        course = follow(
            images,
            elsewhere=self.elsewhere,
            statements=self.patient.statements,
            settings=self.settings,
            show=self.show,
            note=self.note,
            keep=self.keeps.get(modality),
        )
        self.elsewhere = self.elsewhere.with_followed(course.followed)
        self.segmented += images
        self.places += course.places
        self.examinations += course.examinations
        self.problems += (*course.problems, *_about_borrowed(images))

    def _by_readers(self, images: Sequence[Image]) -> None:
        """A modality in which nothing was ever segmented is not one without lesions: readers judge it, or nobody."""
        stated = read_by_reader(images, self.patient.statements, self.settings)
        self.examinations += stated
        if not stated:
            self.silence((image.volume.modality, image, _NOT_SEGMENTED) for image in images)
        self.problems += [_unsegmented(image, stated=bool(stated)) for image in images]

    def silence(
        self,
        images: Iterator[tuple[Modality, Image | LostImage, str]] | Sequence[tuple[Modality, Image | LostImage, str]],
    ) -> None:
        """Enter images that say nothing, with the reason."""
        self.examinations += [
            Examination(modality=modality, date=one.date, visit=one.visit, evaluable=False, why=why)
            for modality, one, why in images
            if one.date
        ]


def _lost_baseline(images: Sequence[Image], lost: Sequence[LostImage], modality: Modality, settings: Settings) -> str:
    """Why no category can be given: the baseline, or an image that may be the baseline, was not read. Else blank."""
    for one in lost:
        if one.modality not in {None, modality}:
            continue
        if one.date is None:
            return "an image of unknown date was not read: it may be the baseline"
        if not images or (images[0].date - one.date).days > settings.policy.visit_window_days:
            return "the baseline image was not read"
    return ""


def _about_borrowed(images: Sequence[Image]) -> Iterator[Problem]:
    for image in images:
        if image.borrowed_from:
            yield Problem(
                severity=Severity.INFO,
                visit=image.visit,
                where=image.where,
                what=f"measured under the outlines of {image.borrowed_from}, which shares its frame of reference",
                how_to_fix="give it a mask of its own if its lesions have other outlines",
            )


def _unsegmented(image: Image, *, stated: bool) -> Problem:
    """An image that is not measured. stated: readers' statements judge its modality instead."""
    instead = ": judged by readers' statements alone" if stated else ""
    return Problem(
        severity=Severity.INFO if stated else Severity.WARNING,
        visit=image.visit,
        where=image.where,
        what=f"{_NOT_SEGMENTED} ({image.volume.modality}){instead}",
        how_to_fix="" if stated else "give a mask, state in reads.csv what it shows, or leave the row out",
    )
