"""Mirels' score of impending fracture: 4-12 points for one lesion of a long bone of a limb.

Source: Mirels, Clin Orthop Relat Res 1989;249:256-64. From 9 points on prophylactic fixation is advised.
"""

from __future__ import annotations

from mdanderson.findings import LesionFinding, Structure
from mdanderson.stability.score import Band, Item, ItemTable, ScoreRange
from mdanderson.stability.site import LimbSite, limb_site
from mdanderson.vocabulary import LesionType, Pain

__all__ = ["TABLES", "mirels"]

SOURCE = "Mirels 1989, Clin Orthop 249:256"

SITE_POINTS = {LimbSite.UPPER_LIMB: 1, LimbSite.LOWER_LIMB: 2, LimbSite.TROCHANTERIC: 3}

TABLES = (
    ItemTable(
        name="pain",
        points={
            Pain.MILD: (1, 1),
            Pain.MODERATE: (2, 2),
            Pain.FUNCTIONAL: (3, 3),
            # words of SINS: the table has no row without pain, so none is its lowest; not mechanical is not functional,
            # be it mild or moderate; mechanical is pain by movement or load, which is functional
            Pain.NONE: (1, 1),
            Pain.OCCASIONAL: (1, 2),
            Pain.MECHANICAL: (3, 3),
        },
    ),
    ItemTable(
        name="lesion",
        points={LesionType.BLASTIC: (1, 1), LesionType.MIXED: (2, 2), LesionType.LYTIC: (3, 3)},
    ),
    ItemTable(
        name="size",
        points={"below 1/3 of the bone": (1, 1), "1/3 to 2/3 of the bone": (2, 2), "above 2/3 of the bone": (3, 3)},
    ),
)

BANDS = (
    Band(from_points=4, word="low risk of fracture", consult=False),
    Band(from_points=8, word="borderline", consult=False),
    Band(from_points=9, word="prophylactic fixation", consult=True),
)


def mirels(finding: LesionFinding) -> ScoreRange | None:
    """Mirels' score of a lesion of a long bone; None elsewhere, where the site is not told, where nothing is left."""
    sites = limb_site(finding.site)
    if not sites or finding.is_gone:
        return None
    structure = finding.structure or Structure()
    said = {"pain": structure.pain, "lesion": finding.lesion_type, "size": _size_word(structure.bone_share)}
    items = (_site(sites), *(table.item(said[table.name]) for table in TABLES))
    return ScoreRange(name="Mirels", source=SOURCE, items=items, bands=BANDS)


def _site(sites: tuple[LimbSite, ...]) -> Item:
    points = [SITE_POINTS[site] for site in sites]
    return Item(name="site", minimum=min(points), maximum=max(points), why=" or ".join(sites))


def _size_word(bone_share: float | None) -> str | None:
    """The row for a share of the bone's diameter; a third and two thirds themselves belong to the middle one.

    Floats are compared: a third has no decimals, so 10 mm of 30 mm must meet the same 1/3 that division gives.
    """
    if bone_share is None:
        return None
    if bone_share < 1 / 3:
        return "below 1/3 of the bone"
    return "1/3 to 2/3 of the bone" if bone_share <= 2 / 3 else "above 2/3 of the bone"
