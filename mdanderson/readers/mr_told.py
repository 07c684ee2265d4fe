"""The manifest's word for an MR image beside its header's: which differences are plain contradictions."""

from __future__ import annotations

from mdanderson.errors import ImageError
from mdanderson.readers.mr_facts import MrFacts
from mdanderson.readers.mr_sequence import Recognised
from mdanderson.vocabulary import MrSequence

__all__ = ["agrees", "settled"]

_CALLED = {
    MrSequence.IN: {MrSequence.T1, MrSequence.T2},
    MrSequence.WATER: {MrSequence.T1, MrSequence.T2, MrSequence.STIR},
    MrSequence.T1: {MrSequence.IN, MrSequence.OPP, MrSequence.FAT, MrSequence.WATER},
    MrSequence.T2: {MrSequence.IN, MrSequence.OPP, MrSequence.FAT, MrSequence.WATER},
}
"""What a header's word may be called without contradiction: an in-phase image has its weighting, a water image is one
with fat suppressed, and files that say how an image was timed need not say that fat and water were taken apart."""


def agrees(facts: MrFacts, found: Recognised, told: MrSequence) -> bool:
    """Whether the header leaves room for the manifest's word."""
    if found.sequence is told or not found.plain:
        return True
    if found.sequence is None:
        return False
    if found.sequence is MrSequence.T2 and told is MrSequence.STIR:
        return bool(facts.fat_suppressed)
    return told in _CALLED.get(found.sequence, set())


def settled(facts: MrFacts, found: Recognised, told: MrSequence | None) -> tuple[MrSequence | None, dict[str, str]]:
    """The sequence, and where it was taken from for `Volume.acquisition`.

    Raises `ImageError` where the header plainly contradicts the manifest: a wrong word decides categories.
    """
    if told is None:
        return found.sequence, {"sequence_source": found.why} if found.why else {}
    if not agrees(facts, found, told):
        said = found.sequence or "another image"
        raise ImageError(
            f"the header says {said} ({found.why}), not {told}", way_out="correct the sequence in the manifest"
        )
    if found.sequence is told or not found.why:
        return told, {"sequence_source": "manifest"}
    return told, {"sequence_source": f"manifest; the header says {found.sequence or 'otherwise'} ({found.why})"}
