"""What the outlines of one modality turned out to be, lesion by lesion and image by image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mdanderson.assessment.examiner import Seen
from mdanderson.assessment.station import Image
from mdanderson.assessment.visit import VisitFindings
from mdanderson.drawings import Drawing, Point
from mdanderson.geometry import FloatArray
from mdanderson.measure.diameters import measure_diameters
from mdanderson.settings import Settings
from mdanderson.vocabulary import Status

__all__ = ["Note", "drawings_of"]

Note = Callable[[Drawing], None]
"""What takes a drawing over."""

_MICROMETRE_DECIMALS = 3


def drawings_of(images: Sequence[Image], outcomes: Sequence[VisitFindings], *, settings: Settings) -> Iterator[Drawing]:
    """Every outline that has an identity. images: as they were read, before companions were taken together."""
    own = {(image.number, _view(image)): {region.label for region in image.lesions} for image in images}
    for outcome in outcomes:
        for one in outcome.outlined:
            yield from _of_outline(one, outcome, own, settings)


def _of_outline(
    one: Seen, outcome: VisitFindings, own: dict[tuple[int, str], set[int]], settings: Settings
) -> Iterator[Drawing]:
    """The image that leads, then those of its companions that outline the lesion themselves."""
    image, finding = one.station.image, one.finding
    labels = [int(label) for label in finding.label.split(";") if label]
    best = outcome.seen.get(finding.lesion_id)
    leads = best is not None and best.region is one.region
    in_own_mask = () if image.borrowed_from else own[image.number, _view(image)]
    axes = None
    if finding.long_axis_mm is not None:
        axes = measure_diameters(one.measured, one.station.volume.geometry, settings=settings.image)
    density = finding.density
    merged = finding.parents if finding.status is Status.MERGED else ()
    yield Drawing(
        lesion_id=finding.lesion_id,
        image=image.number,
        modality=image.volume.modality,
        date=image.date,
        visit=image.visit,
        view=_view(image),
        sequence=str(image.volume.sequence or ""),
        labels=tuple(label for label in labels if label in in_own_mask),
        merged=merged,
        leads=leads,
        plane=axes.plane if axes else None,
        axis=axes.axis if axes else 0,
        long_ends_lps_mm=_ends(axes.long_ends_lps_mm) if axes else None,
        short_ends_lps_mm=_ends(axes.short_ends_lps_mm) if axes else None,
        sd_hu=density.sd_hu if density else None,
        own_grid="corrected" not in image.volume.acquisition,
    )
    for companion in image.companions:
        drawn = tuple(companion.drawn[label] for label in labels if label in companion.drawn)
        if drawn:
            yield Drawing(
                lesion_id=finding.lesion_id,
                image=companion.number,
                modality=companion.volume.modality,
                date=companion.date,
                visit=companion.visit,
                view=_view(companion),
                sequence=str(companion.volume.sequence or ""),
                labels=drawn,
                merged=merged,
                leads=False,
                own_grid="corrected" not in companion.volume.acquisition,
            )


def _view(image: Image) -> str:
    return str(image.volume.view or "")


def _ends(ends_lps_mm: FloatArray) -> tuple[Point, Point]:
    first, second = (tuple(round(float(x), _MICROMETRE_DECIMALS) for x in end) for end in ends_lps_mm)
    return (first[0], first[1], first[2]), (second[0], second[1], second[2])
