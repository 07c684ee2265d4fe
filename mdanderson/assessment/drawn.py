"""What the outlines of one modality turned out to be, lesion by lesion and image by image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mdanderson.assessment.examiner import Seen
from mdanderson.assessment.station import Image
from mdanderson.assessment.visit import VisitFindings
from mdanderson.drawings import Drawing, Point
from mdanderson.findings import LesionFinding
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
    in_own_mask = () if image.borrowed_from else own[image.number, _view(image)]
    leading = _drawing(image, finding, tuple(label for label in labels if label in in_own_mask))
    leading = replace(
        leading,
        leads=best is not None and best.region is one.region,
        sd_hu=finding.density.sd_hu if finding.density else None,
    )
    yield leading if finding.long_axis_mm is None else _with_axes(leading, one, settings)
    for companion in image.companions:
        drawn = tuple(companion.drawn[label] for label in labels if label in companion.drawn)
        if drawn:
            yield _drawing(companion, finding, drawn)


def _drawing(image: Image, finding: LesionFinding, labels: tuple[int, ...]) -> Drawing:
    """What an image alone tells of its outline."""
    return Drawing(
        lesion_id=finding.lesion_id,
        image=image.number,
        modality=image.volume.modality,
        date=image.date,
        visit=image.visit,
        view=_view(image),
        sequence=str(image.volume.sequence or ""),
        labels=labels,
        merged=finding.parents if finding.status is Status.MERGED else (),
        leads=False,
        own_grid="corrected" not in image.volume.acquisition,
    )


def _with_axes(drawing: Drawing, one: Seen, settings: Settings) -> Drawing:
    """The drawing with the diameters that the lesion was measured by."""
    axes = measure_diameters(one.measured, one.station.volume.geometry, settings=settings.image)
    return replace(
        drawing,
        plane=axes.plane,
        axis=axes.axis,
        long_ends_lps_mm=_ends(axes.long_ends_lps_mm),
        short_ends_lps_mm=_ends(axes.short_ends_lps_mm),
    )


def _view(image: Image) -> str:
    return str(image.volume.view or "")


def _ends(ends_lps_mm: FloatArray) -> tuple[Point, Point]:
    first, second = (tuple(round(float(x), _MICROMETRE_DECIMALS) for x in end) for end in ends_lps_mm)
    return (first[0], first[1], first[2]), (second[0], second[1], second[2])
