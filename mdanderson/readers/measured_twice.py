"""Rows of one day that count a lesion twice: two of one lesion, or a row beside that of what it merged into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mdanderson.errors import Severity
from mdanderson.findings import LesionFinding
from mdanderson.readers.measured_rows import MeasuredRow
from mdanderson.timeline.normalise import carrier_of, is_measured
from mdanderson.vocabulary import Status

__all__ = ["MeasuredFinding", "Refused", "without_clashes", "without_doubles"]

MeasuredFinding = tuple[MeasuredRow, LesionFinding]
"""A row, and what it says of its lesion."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A row that is not used. lesion_ids: what is lost with it and `why`; none where another row says the same."""

    row: MeasuredRow
    column: str
    what: str
    way_out: str
    lesion_ids: frozenset[str] = frozenset()
    why: str = ""

    @property
    def severity(self) -> Severity:
        """An error where anything is lost."""
        return Severity.ERROR if self.why else Severity.WARNING


def without_clashes(rows: Sequence[MeasuredFinding]) -> tuple[list[MeasuredFinding], list[Refused]]:
    """The rows without those that cannot both be true because of a merge, and these."""
    refused: list[Refused] = []
    lost: set[int] = set()
    for one, other, lesion_id in _clashes(rows):
        for (row, finding), (twin, _) in ((one, other), (other, one)):
            what = f"lesion {lesion_id} is counted in row {twin.number} as well"
            refused.append(
                Refused(
                    row=row,
                    column="parents" if finding.parents else "lesion_id",
                    what=f"{what}: neither is used",
                    way_out="write one row for what has merged, none beside it",
                    lesion_ids=frozenset() if row.number in lost else frozenset({finding.lesion_id, *finding.parents}),
                    why=what,
                )
            )
            lost.add(row.number)
    return [one for one in rows if one[0].number not in lost], refused


def without_doubles(rows: Sequence[MeasuredFinding]) -> tuple[list[LesionFinding], list[Refused]]:
    """One statement a lesion, sequence and reader; the parts of a split are one. Two that differ are both refused."""
    named = {(finding.lesion_id, finding.sequence, finding.reader) for _, finding in rows}
    if len(named) == len(rows) and not any(finding.parents for _, finding in rows):
        return [finding for _, finding in rows], []
    groups: dict[tuple[str, str, str], list[MeasuredFinding]] = {}
    for row, finding in rows:
        groups.setdefault((carrier_of(finding), finding.sequence, finding.reader), []).append((row, finding))
    kept: list[LesionFinding] = []
    refused: list[Refused] = []
    for (lesion_id, _, _), group in groups.items():
        second = _second_rows(lesion_id, group) if len(group) > 1 else []
        refused += second
        if not any(one.why for one in second):
            kept += dict.fromkeys(finding for _, finding in group)
    return kept, refused


def _second_rows(lesion_id: str, group: Sequence[MeasuredFinding]) -> list[Refused]:
    """The rows of a group that repeat another one, up to the first that says otherwise: with it the lesion is lost."""
    refused: list[Refused] = []
    first: dict[tuple[str, ...], MeasuredFinding] = {}
    for row, finding in group:
        part = (finding.lesion_id, finding.label) if finding.status is Status.SPLIT else ()
        mixed = first and (part == ()) != (() in first)
        earlier, other = next(iter(first.values())) if mixed else first.setdefault(part, (row, finding))
        if earlier is row:
            continue
        what = f"a second row for lesion {lesion_id} on {row.date}, row {earlier.number} is the first"
        if other == finding:
            refused.append(Refused(row=row, column="lesion_id", what=f"{what}: not used", way_out="keep one row"))
            continue
        return [
            *refused,
            Refused(
                row=row,
                column="lesion_id",
                what=f"{what} and says otherwise: neither is used",
                way_out="keep the right one",
                lesion_ids=frozenset({lesion_id}),
                why=f"row {earlier.number} says otherwise",
            ),
        ]
    return refused


def _clashes(rows: Sequence[MeasuredFinding]) -> Iterator[tuple[MeasuredFinding, MeasuredFinding, str]]:
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
