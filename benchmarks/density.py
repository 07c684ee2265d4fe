"""How often the density rows of the criteria come out right, and how often wrong, on phantoms of known answers.

    python benchmarks/density.py [--cases 216] [--seed 7] [--set lytic_minimum_hu=30 ...]

Each case draws a noise, slice thickness, density of bone, size of lesion and error of registration, and by chance a
place in the bone, a shape, a core and a trabecular pattern. The lesion is imaged at baseline and again as every course
of `COURSES`; the reference bone is found from the image, and fill-in is read at the place that the baseline gives.
Prints for every question the share of right answers, and that of wrong ones, with 95 % intervals (Wilson), over all
cases and by level of each factor. NE, or a response not seen, is neither right nor wrong. Then CPU seconds a lesion.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from density_cases import LEVELS, Case, cases

from mdanderson.criteria.density import has_new_rim, is_back_to_normal, is_filled_in
from mdanderson.findings import Density
from mdanderson.measure.comparability import is_too_thin
from mdanderson.measure.density import lesion_type, lytic_region, measure_density, measure_fill_in
from mdanderson.measure.reference import ReferenceBone, find_reference
from mdanderson.measure.rim import measure_rim
from mdanderson.phantoms import LesionSpec
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType
from mdanderson.volume import Region, Volume

__all__ = ["COURSES", "Answer", "Course", "answers", "interval"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What became of a lytic lesion, and the row that says so; blank where no density row may fire.

    also: rows that hold as well and are no mistake.
    """

    row: str
    change: Mapping[str, object]
    scale: float = 1.0
    also: frozenset[str] = frozenset()
    shell: bool = False
    gone: bool = False


_FILL = {"fill_hu": 700.0}
COURSES: dict[str, Course] = {
    "filled": Course(row="CR1", change={"fill_fraction": 1.0, **_FILL}, also=frozenset({"PR1"})),
    "normal": Course(row="CR2", change={"core_hu": None, "drawn": False}, gone=True),
    "half filled": Course(row="PR1", change={"fill_fraction": 0.5, **_FILL}),
    "filled but a quarter": Course(row="PR1", change={"fill_fraction": 0.75, **_FILL}),
    "rim": Course(row="PR1", change={"rim_thickness_mm": 2.5}),
    "unchanged": Course(row="", change={}),
    "smaller by 15 %": Course(row="", change={}, scale=0.85),
    "larger by 20 %": Course(row="", change={}, scale=1.2),
    "twice as long": Course(row="", change={}, scale=1.5),
}


class Answer(NamedTuple):
    """right, wrong, or neither (NE); figures tell what was measured."""

    right: bool
    wrong: bool
    figures: str


class _Bench:
    """One case at work: measured at baseline, and again for every course."""

    def __init__(
        self, case: Case, settings: Settings, cpu: dict[str, list[float]], lesions: Sequence[LesionSpec] = ()
    ) -> None:
        self.case, self.settings, self.cpu = case, settings, cpu
        self.image, place = case.image(lesions or [case.lesion], moved=False, visit=0)
        assert place is not None
        self.place = place
        self.reference, self.before = self.measured(self.image, place, place)
        reference = self.reference
        self.lytic = lytic_region(self.image, place, reference, settings=settings.image) if reference else None

    def measured(
        self, volume: Volume, region: Region, beside: Region, lytic: Region | None = None
    ) -> tuple[ReferenceBone | None, Density]:
        """What a visit's finding holds of density."""
        image = self.settings.image
        start = time.process_time()
        reference = find_reference(volume, beside, lesions=[region, self.place_or(region)], settings=image)
        self.cpu["reference"].append(time.process_time() - start)
        start = time.process_time()
        density = measure_density(volume, region, reference, settings=image)
        filled = measure_fill_in(volume, lytic, reference, settings=image) if lytic and reference else None
        self.cpu["classes"].append(time.process_time() - start)
        start = time.process_time()
        rim = measure_rim(volume, region, reference, settings=image) if reference else None
        self.cpu["rim"].append(time.process_time() - start)
        return reference, Density(
            mean_hu=density.mean_hu,
            median_hu=density.median_hu,
            reference_hu=reference.median_hu if reference else None,
            reference_sd_hu=reference.robust_sd_hu if reference else None,
            lytic_fraction=density.lytic_fraction,
            sclerotic_fraction=density.sclerotic_fraction,
            lytic_focus_mm=density.lytic_focus_mm,
            fill_in_fraction=filled.fill_in_fraction if filled else None,
            cleared_fraction=filled.cleared_fraction if filled else None,
            rim_fraction=rim.rim_fraction if rim else None,
        )

    def place_or(self, region: Region) -> Region:
        return getattr(self, "place", region)

    def kind(self, density: Density) -> LesionType | None:
        if density.lytic_fraction is None or density.sclerotic_fraction is None:
            return None
        return lesion_type(density.lytic_fraction, density.sclerotic_fraction, settings=self.settings.image)

    def fired(self, now: Density) -> set[str]:
        """The density rows that hold, as the criteria ask them of a lesion of this type."""
        settings = self.settings
        if is_too_thin(self.image, self.place, settings=settings.image) or self.is_other_bone(now):
            return set()
        rows = {"CR2"} if is_back_to_normal(now, self.before, settings) else set()
        if self.kind(self.before) is LesionType.LYTIC:
            filled = now.fill_in_fraction is not None and now.fill_in_fraction >= settings.image.partial_fill_in
            rows |= {"CR1"} if is_filled_in(now, settings) else set()
            rows |= {"PR1"} if filled or has_new_rim(now, self.before, settings) else set()
        return rows

    def is_other_bone(self, now: Density) -> bool:
        """Whether reference bone at the two visits cannot be the same, so that density is NE."""
        then_hu, now_hu = self.before.reference_hu, now.reference_hu
        known = then_hu is not None and now_hu is not None
        return known and abs(now_hu - then_hu) > self.settings.image.reference_change_hu

    def follow(self, visit: int, course: Course) -> Answer:
        """The answer for one course."""
        lesion = self.case.lesion
        axes = tuple(axis * course.scale for axis in lesion.semi_axes_mm)
        changed = replace(lesion, semi_axes_mm=axes, **course.change)
        volume, drawn = self.case.image([changed], moved=True, visit=visit)
        region = self.place if course.gone or drawn is None else drawn
        _, now = self.measured(volume, region, region, self.lytic)
        rows = self.fired(now)
        right = course.row in rows if course.row else not rows
        wrong = bool(rows - course.also - {course.row})
        return Answer(right and not wrong, wrong, f"{sorted(rows)} {_figures(now)}")


def answers(case: Case, settings: Settings, cpu: dict[str, list[float]]) -> dict[str, Answer]:
    """Question -> answer."""
    bench = _Bench(case, settings, cpu)
    found = bench.reference
    off = abs(found.median_hu - case.levels.bone_hu) if found else 0.0
    told = {"reference within 15 HU": Answer(found is not None and off <= 15, off > 25, f"off {off:.0f}")}
    kind = bench.kind(bench.before)
    told["type: lytic"] = Answer(kind is LesionType.LYTIC, kind is LesionType.BLASTIC, _figures(bench.before))
    for visit, (name, course) in enumerate(COURSES.items(), start=1):
        told[name] = bench.follow(visit, course)
    told |= dict(_of_another_kind(case, settings, cpu))
    return told


def _of_another_kind(case: Case, settings: Settings, cpu: dict[str, list[float]]) -> Iterator[tuple[str, Answer]]:
    """A blastic and a mixed lesion, and bone in which nothing is."""
    blastic = replace(case.lesion, core_hu=700.0)
    half = tuple(axis * 0.75 for axis in case.lesion.semi_axes_mm)  # of two equal balls, the later lies on the earlier
    aside = [
        replace(case.lesion, centre_mm=(x + side * half[0] / 2, y, z), semi_axes_mm=half, core_hu=hu)
        for side, hu in ((-1, 700.0), (1, case.lesion.core_hu))
        for x, y, z in (case.lesion.centre_mm,)
    ]
    for name, lesions, expected in (
        ("type: blastic", [blastic], LesionType.BLASTIC),
        ("type: mixed", aside, LesionType.MIXED),
        ("type: none in bone", [replace(case.lesion, core_hu=None)], None),
    ):
        bench = _Bench(replaced(case, lesions[0]), settings, cpu, lesions)
        kind = bench.kind(bench.before)
        known = bench.reference is not None
        yield name, Answer(known and kind is expected, known and kind is not expected, _figures(bench.before))
        if expected is not LesionType.MIXED:
            yield f"{name[6:]} unchanged", bench.follow(21, COURSES["unchanged"])
        if expected is LesionType.BLASTIC:
            yield "blastic normal", bench.follow(20, COURSES["normal"])


def replaced(case: Case, lesion: LesionSpec) -> Case:
    """The same bone, imaged once, with another lesion."""
    other = replace(case, lesion=lesion)
    other.__dict__["bodies"], other.__dict__["grid"] = case.bodies, case.grid
    return other


def _figures(now: Density) -> str:
    names = ("lytic_fraction", "sclerotic_fraction", "fill_in_fraction", "cleared_fraction", "rim_fraction")
    shares = (getattr(now, name) for name in names)
    told = " ".join("-" if share is None else f"{share:.2f}" for share in shares)
    reference = "none" if now.reference_hu is None else f"{now.reference_hu:.0f}+-{now.reference_sd_hu:.0f}"
    return f"{told} focus {now.lytic_focus_mm or 0:.1f} median {now.median_hu:.0f} bone {reference}"


def interval(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    z, share = 1.96, hits / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _cell(hits: Sequence[bool]) -> str:
    low, high = interval(sum(hits), len(hits))
    return f"{100 * sum(hits) / len(hits):3.0f} ({100 * low:.0f}-{100 * high:.0f})"


def _table(told: dict[str, list[tuple[Case, Answer]]], what: str) -> None:
    """One line a question, one column a level, and all of them first."""
    columns = [("all", None, 0.0)] + [
        (f"{name.split('_')[0]} {value:g}", name, value) for name, values in LEVELS.items() for value in values
    ]
    print(f"\n{what:<24}" + "".join(f"{head:>14}" for head, _, _ in columns))
    for question, pairs in told.items():
        cells = []
        for _, name, value in columns:
            chosen = [getattr(a, what) for case, a in pairs if name is None or getattr(case.levels, name) == value]
            cells.append(_cell(chosen) if chosen else "-")
        print(f"{question:<24}" + "".join(f"{cell:>14}" for cell in cells))


def _settings(changes: Sequence[str]) -> Settings:
    """The settings, some of [image] changed."""
    values = dict(change.split("=") for change in changes)
    return Settings.from_mapping({"image": {name: float(value) for name, value in values.items()}})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=216)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--set", nargs="*", default=[], dest="changes", help="name=value of [image]")
    parser.add_argument("--misses", action="store_true", help="print every answer that is not right")
    arguments = parser.parse_args()
    told: dict[str, list[tuple[Case, Answer]]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    for case in cases(arguments.cases, arguments.seed):
        for question, answer in answers(case, _settings(arguments.changes), cpu).items():
            told[question].append((case, answer))
            if arguments.misses and not answer.right:
                print(f"{'WRONG' if answer.wrong else 'ne':<6}{question:<22}{tuple(case.levels)} {answer.figures}")
    for what in ("right", "wrong"):
        _table(told, what)
    print("\nCPU seconds a lesion, median: " + ", ".join(f"{k} {np.median(v):.3f}" for k, v in cpu.items()))


if __name__ == "__main__":
    main()
