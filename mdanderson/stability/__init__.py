"""Structural risk of a bone with a metastasis: whether the spine holds (SINS), whether a limb breaks (Mirels).

Each score is a table of words and points with its source. What nobody said makes a range, never a guess.
"""

from mdanderson.stability.mirels import mirels
from mdanderson.stability.score import Band, Item, ScoreRange
from mdanderson.stability.sins import sins
from mdanderson.stability.site import LimbSite, Vertebrae, limb_site, vertebra

__all__ = ["Band", "Item", "LimbSite", "ScoreRange", "Vertebrae", "limb_site", "mirels", "sins", "vertebra"]
