"""Which lesion of one visit is which at another: `match` tells what became of every `Place`."""

from mdanderson.matching.fates import Match, MatchKind, match
from mdanderson.matching.place import Place

__all__ = ["Match", "MatchKind", "Place", "match"]
