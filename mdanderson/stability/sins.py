"""SINS, the spinal instability neoplastic score: 0-18 points for one lesion of the spine.

Source: Fisher et al., Spine 2010;35:E1221-9. Higher is less stable; from 7 points on a surgeon is asked.
"""

from __future__ import annotations

from mdanderson.findings import LesionFinding, Structure
from mdanderson.stability.score import Band, Item, ItemTable, ScoreRange
from mdanderson.stability.site import Vertebrae, vertebra
from mdanderson.vocabulary import Alignment, Collapse, LesionType, Pain, Posterolateral

__all__ = ["LEVELS", "TABLES", "sins"]

SOURCE = "Fisher 2010, Spine 35:E1221"

LEVELS = {
    "junctional": (3, ("Occ", "C1", "C2", "C7", "T1", "T2", "T11", "T12", "L1", "L5", "S1")),
    "mobile": (2, ("C3", "C4", "C5", "C6", "L2", "L3", "L4")),
    "semirigid": (1, ("T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10")),
    "rigid": (0, ("S2", "S3", "S4", "S5")),
}
"""Part of the spine -> points and its levels: Occ-C2, C7-T2, T11-L1, L5-S1; C3-6, L2-4; T3-10; S2-5."""

TABLES = (
    ItemTable(
        name="pain",
        points={
            Pain.NONE: (0, 0),
            Pain.OCCASIONAL: (1, 1),
            Pain.MECHANICAL: (3, 3),
            # words of Mirels: worse by use of the part is what SINS calls mechanical (pain with movement or loading);
            # how strong a pain is does not tell whether movement brings it on
            Pain.FUNCTIONAL: (3, 3),
            Pain.MILD: (1, 3),
            Pain.MODERATE: (1, 3),
        },
    ),
    ItemTable(
        name="lesion",
        points={LesionType.LYTIC: (2, 2), LesionType.MIXED: (1, 1), LesionType.BLASTIC: (0, 0)},
    ),
    ItemTable(
        name="alignment",
        points={Alignment.SUBLUXATION: (4, 4), Alignment.DEFORMITY: (2, 2), Alignment.NORMAL: (0, 0)},
    ),
    ItemTable(
        name="collapse",
        points={
            Collapse.ABOVE_HALF: (3, 3),
            Collapse.BELOW_HALF: (2, 2),
            Collapse.INVOLVED: (1, 1),
            Collapse.NONE: (0, 0),
        },
    ),
    ItemTable(
        name="posterolateral",
        points={Posterolateral.BILATERAL: (3, 3), Posterolateral.UNILATERAL: (1, 1), Posterolateral.NONE: (0, 0)},
    ),
)

BANDS = (
    Band(from_points=0, word="stable", consult=False),
    Band(from_points=7, word="potentially unstable", consult=True),
    Band(from_points=13, word="unstable", consult=True),
)


def sins(finding: LesionFinding) -> ScoreRange | None:
    """SINS of a lesion of the spine; None elsewhere, where the site is not told, and where nothing is left."""
    levels = vertebra(finding.site)
    if levels is None or finding.is_gone:
        return None
    structure = finding.structure or Structure()
    said = {
        "pain": structure.pain,
        "lesion": finding.lesion_type,
        "alignment": structure.alignment,
        "collapse": structure.collapse,
        "posterolateral": structure.posterolateral,
    }
    items = (_location(levels), *(table.item(said[table.name]) for table in TABLES))
    return ScoreRange(name="SINS", source=SOURCE, items=items, bands=BANDS)


def _location(levels: Vertebrae) -> Item:
    """Points of the place: of several levels involved the one with most points; of a region, its extent."""
    parts = [(points, part) for part, (points, names) in LEVELS.items() if set(names) & set(levels.names)]
    (least, _), (most, part) = min(parts), max(parts)
    if levels.all_involved:
        return Item(name="location", minimum=most, maximum=most, why=f"{levels.words}: {part}")
    return Item(name="location", minimum=least, maximum=most, why=f"{levels.words}: level not said")
