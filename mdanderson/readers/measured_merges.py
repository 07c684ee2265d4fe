"""Rows of one day that count a lesion twice: it merged, and has a row of its own or merged into another as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mdanderson.findings import LesionFinding
from mdanderson.readers.measured_rows import MeasuredRow
from mdanderson.timeline.normalise import carrier_of, is_measured
from mdanderson.vocabulary import Status

__all__ = ["MeasuredFinding", "clashes"]

MeasuredFinding = tuple[MeasuredRow, LesionFinding]
"""A row, and what it says of its lesion."""


def clashes(rows: Sequence[MeasuredFinding]) -> Iterator[tuple[MeasuredFinding, MeasuredFinding, str]]:
    """Two rows of one day and modality that cannot both be true, and the lesion that they share."""
    merged = [one for one in rows if one[1].status is Status.MERGED and one[1].parents]
    for index, one in enumerate(merged):
        for other in merged[index + 1 :]:
            shared = set(one[1].parents).intersection(other[1].parents)
            if shared and _of_one_reader(one, other) and not _agree(one[1], other[1]):
                yield one, other, min(shared)
        if is_measured(one[1]):
            yield from _own_rows(one, rows)


def _own_rows(
    merge: MeasuredFinding, rows: Sequence[MeasuredFinding]
) -> Iterator[tuple[MeasuredFinding, MeasuredFinding, str]]:
    """Rows of what has merged beside the row that carries its measurement."""
    for other in rows:
        lesion_id = carrier_of(other[1])
        if other[1].status is not Status.MERGED and lesion_id in merge[1].parents and _of_one_reader(merge, other):
            yield merge, other, lesion_id


def _agree(one: LesionFinding, other: LesionFinding) -> bool:
    """Whether two rows tell of one merge: the same parents, and at most one lesion that carries the measurement."""
    both = is_measured(one) and is_measured(other)
    return set(one.parents) == set(other.parents) and not (both and carrier_of(one) != carrier_of(other))


def _of_one_reader(one: MeasuredFinding, other: MeasuredFinding) -> bool:
    return one[1].reader == other[1].reader
