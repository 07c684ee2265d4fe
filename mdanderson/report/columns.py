"""The columns of every result table as data: name, kind, meaning, unit and decimals, in the order of the files.

A column's name, place and decimals are a promise to whoever reads the files; new columns go to the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

__all__ = ["LESIONS", "PATIENTS", "PROBLEMS", "RESPONSES", "TABLES", "Column", "Kind", "Table"]

Cell = TypeVar("Cell")


class Kind(StrEnum):
    """What the cells of a column hold. An empty cell always means not applicable or not assessed."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    COUNT = "count"
    FLAG = "flag"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column. decimals: how many a number is written with."""

    name: str
    meaning: str
    kind: Kind = Kind.TEXT
    unit: str = ""
    decimals: int = 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Table:
    """One result table: `name`.csv in the results folder. sort_by: columns, the first of them leading."""

    name: str
    columns: tuple[Column, ...]
    sort_by: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The header."""
        return tuple(column.name for column in self.columns)

    @property
    def file_name(self) -> str:
        """The file in the results folder."""
        return f"{self.name}.csv"

    def named(self, rows: Iterable[Sequence[Cell]]) -> Iterator[dict[str, Cell]]:
        """Rows by column name. Raises `ValueError` for a row that has other columns."""
        names = self.column_names
        return (dict(zip(names, row, strict=True)) for row in rows)


def _text(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning)


def _date(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, kind=Kind.DATE, unit="ISO 8601")


def _flag(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, kind=Kind.FLAG)


def _count(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name=name, meaning=meaning, kind=Kind.COUNT, unit=unit)


def _number(name: str, meaning: str, unit: str, decimals: int) -> Column:
    return Column(name=name, meaning=meaning, kind=Kind.NUMBER, unit=unit, decimals=decimals)


_PATIENT = _text("patient_id", "the patient, as the manifest calls it")
_VISIT = _text("visit", "label of the visit; order is by date")
_CRITERIA = _text("criteria", "criteria set: mda2010, ...")
_RULES = _text("rules", "codes of the rules that fired, joined by ;")
_SUBCATEGORIES = (
    _text("size_category", "category by size alone: CR PR SD PD NE"),
    _text("density_category", "category by density alone (CT, radiograph)"),
    _text("signal_category", "category by signal alone (MR)"),
    _text("uptake_category", "category by uptake alone (bone scan)"),
)
_PROBABILITIES = tuple(
    _number(f"p_{category.lower()}", f"probability that the size category is {category}", "1", 4)
    for category in ("CR", "PR", "SD", "PD")
)
_DISTANCE = _number(
    "threshold_distance", "how far the change is from the nearest limit: 0.03 of +22 % to +25 %", "1", 4
)
_MEASURED = _text("category_measured", "category without the readers' statements, where there are any")

LESIONS = Table(
    name="lesions",
    sort_by=("patient_id", "date", "modality", "lesion_id", "sequence", "label"),
    columns=(
        _PATIENT,
        _VISIT,
        _date("date", "day of the image"),
        _text("modality", "CT MR NM PT XR"),
        _text("sequence", "what an MR image weighs"),
        _text("lesion_id", "identity of the lesion through all visits, found by place"),
        _text("label", "label in the mask; parts of a split joined by ;"),
        _text("site", "where in the skeleton"),
        _text(
            "status",
            "baseline followed new equivocal resolved missing merged split ambiguous not_evaluable",
        ),
        _text("lesion_type", "lytic blastic mixed"),
        _flag("measurable", "whether its size counts as measurable"),
        _text("basis", "measured, or stated by a reader"),
        _number("long_axis_mm", "greatest in-plane diameter over all slices", "mm", 2),
        _number("short_axis_mm", "longest chord at right angles to it in the same slice", "mm", 2),
        _number("size_mm", "long + short axis: the size of the MD Anderson criteria", "mm", 2),
        _number("product_mm2", "long x short axis: the size of WHO", "mm2", 2),
        _number("volume_ml", "voxels times voxel volume", "ml", 3),
        _number("size_change_baseline", "change of size_mm since baseline; -0.5 = half", "1", 6),
        _number("size_change_nadir", "change of size_mm since its smallest earlier value", "1", 6),
        _number("mean_hu", "mean density; of a radiograph relative: soft tissue 0, reference bone 400", "HU", 1),
        _number("reference_hu", "median density of the patient's own reference bone", "HU", 1),
        _text("reference_source", "what density, signal or uptake refers to, or why it was not judged"),
        _number("lytic_fraction", "share of the lesion that is lytic", "1", 4),
        _number("sclerotic_fraction", "share of the lesion that is sclerotic", "1", 4),
        _number("fill_in_fraction", "share of the baseline lytic volume that is sclerotic now", "1", 4),
        _number("rim_fraction", "share of boundary directions with a sclerotic rim", "1", 4),
        _number("signal_ratio", "signal over normal marrow (MR)", "1", 3),
        _number("uptake_ratio", "mean counts over reference counts (bone scan)", "1", 3),
        _number("suv_max", "greatest standardised uptake value", "g/ml", 2),
        _number("suv_peak", "greatest mean of a 1 ml sphere, lean body mass", "g/ml", 2),
        _text("category", "category of the lesion: CR PR SD PD NE BL"),
        *_SUBCATEGORIES,
        _RULES,
        _text("reason", "why, in words; also why cells are empty"),
        _number("x_mm", "centroid, towards the patient's left", "mm LPS", 2),
        _number("y_mm", "centroid, towards the back", "mm LPS", 2),
        _number("z_mm", "centroid, towards the head", "mm LPS", 2),
        _count("slice", "slice that was measured, counted from 1"),
        _number("registration_error_mm", "estimated error of its place in the baseline image", "mm", 2),
        _number("outline_size_mm", "size as drawn, where a new sclerotic rim was left out of size_mm", "mm", 2),
        _text("parents", "lesions it came from (merge, split), joined by ;"),
        _flag("treated", "whether the lesion was treated locally"),
        _number("median_hu", "median density, by which CR2 is judged", "HU", 1),
        _number("reference_sd_hu", "robust SD of the reference bone at the scale of judgement", "HU", 1),
        _count("reference_voxels", "voxels of the reference bone"),
        _number("cleared_fraction", "share of the baseline lytic volume that is no longer lytic (CR1)", "1", 4),
        _flag("target", "whether a reader calls it a target lesion (RECIST 1.1)"),
        _flag("node", "whether it is a lymph node"),
        _number("soft_tissue_mm", "extent of its soft-tissue component", "mm", 2),
        _text("laterality", "side of the body"),
        _number("adc_um2_s", "mean apparent diffusion coefficient (MR)", "um2/s", 0),
        _number("adc_change", "change of adc_um2_s since baseline; evidence, never a category", "1", 4),
        _number("fat_fraction", "fat over fat and water (MR); evidence, never a category", "1", 4),
        _number("metabolic_volume_ml", "volume above the threshold of metabolic tumour (PET)", "ml", 3),
        _text("evidence", "what stands beside the rows and decides nothing"),
        _text("reader", "whose statement it carries"),
        _text("findings", "codes of the rows that the reader states, joined by ;"),
        _text("comment", "the reader's remark"),
        _count("sins_min", "SINS, 0-18: least points, if everything unsaid is harmless", "points"),
        _count("sins_max", "SINS: most points, if everything unsaid is as bad as it can be", "points"),
        _count("mirels_min", "Mirels' score, 4-12: least points", "points"),
        _count("mirels_max", "Mirels' score: most points", "points"),
        _number("tlg", "total lesion glycolysis: mean SUV x volume", "g", 2),
        _MEASURED,
        *_PROBABILITIES,
        _DISTANCE,
        _text("site_source", "how the site was found: in a bone mask, with share or distance; by a reader"),
    ),
)

RESPONSES = Table(
    name="responses",
    sort_by=("patient_id", "date", "criteria", "scope", "visit"),
    columns=(
        _PATIENT,
        _VISIT,
        _date("date", "day of the visit's first image"),
        _number("weeks", "since baseline", "weeks", 1),
        _CRITERIA,
        _text("scope", "overall, or one modality"),
        _text("category", "CR PR SD PD NE, BL at baseline"),
        _flag("unconfirmed", "whether the category still waits for confirmation"),
        _flag("flare", "whether it was settled as osteoblastic flare"),
        _flag("mixed", "whether lesions progress and respond at once"),
        _text("discordant", "modalities that say something else, as in 'MR PD; NM SD'"),
        *_SUBCATEGORIES,
        _text("category_other_scope", "category under the other size_scope"),
        _number("size_sum_mm", "sum of size_mm over the core lesions", "mm", 2),
        _number("size_change_baseline", "change of the sum since baseline; -0.5 = half", "1", 6),
        _number("size_change_nadir", "change of the sum since its smallest earlier complete visit", "1", 6),
        _count("lesions_expected", "lesions that should have been assessed"),
        _count("lesions_assessed", "lesions that were"),
        _count("lesions_new", "new lesions at this visit"),
        _count("lesions_progressing", "lesions that progress, new ones included"),
        _count("lesions_responding", "lesions that respond"),
        _text("progression_pattern", "oligoprogression systemic"),
        *_PROBABILITIES,
        _RULES,
        _text("reason", "why, in words"),
        _flag("new_therapy", "whether another therapy had begun by then"),
        _number(
            "product_sum_mm2",
            "sum of products over the lesions that the set of this row measures (MDA: its measurable ones)",
            "mm2",
            2,
        ),
        _number("product_change_baseline", "change of product_sum_mm2 since baseline", "1", 4),
        _number(
            "long_axis_sum_mm",
            "sum of long axes, nodes by their short axis, over the same lesions",
            "mm",
            2,
        ),
        _number("long_axis_change_baseline", "change of long_axis_sum_mm since baseline", "1", 4),
        _number(
            "threshold_distance", "how far the change is from the nearest limit; 0.03 = 3 points of percent", "1", 4
        ),
        _number(
            "bone_scan_index",
            "share of the skeleton's area (planar) or volume (SPECT) that is lesion; NM, overall",
            "%",
            2,
        ),
        _MEASURED,
    ),
)

PATIENTS = Table(
    name="patients",
    sort_by=("patient_id", "criteria"),
    columns=(
        _PATIENT,
        _CRITERIA,
        _text("best_response", "best category up to the first confirmed progression"),
        _date("first_response_date", "first visit with CR or PR"),
        _date("progression_date", "first confirmed PD"),
        _count("progression_free_days", "from treatment start, else baseline, to progression, death or censoring", "d"),
        _flag("censored", "whether neither progression nor death was seen"),
        _count("lesions_baseline", "lesions at baseline"),
        _text("baseline_pattern", "oligometastatic polymetastatic"),
        _count("visits", "visits"),
        _text("event", "what ended progression-free time: progression, death; empty where it is censored"),
        _count("response_duration_days", "from the first response to where progression-free time ends", "d"),
        _count(
            "time_on_study_days", "from where progression-free time begins to death, last contact or last visit", "d"
        ),
        _date("start_date", "from which progression-free time and time on study run: treatment start, else baseline"),
    ),
)

PROBLEMS = Table(
    name="problems",
    sort_by=("patient_id", "visit", "severity", "where", "what"),
    columns=(
        _text("severity", "error: a result is lost; warning: one is doubtful; info: to be known"),
        _PATIENT,
        _VISIT,
        _text("where", "file, row, column, lesion"),
        _text("what", "what is wrong"),
        _text("how_to_fix", "the way out"),
    ),
)

TABLES = (LESIONS, RESPONSES, PATIENTS, PROBLEMS)
"""Every table that a run writes, in the order in which it writes them."""
