"""PCWG3 a second time, from docs/criteria.md alone: a forward walk with one suspicion in hand at a time.

A scan is (day, foci): foci = the new ones that are there, None = not evaluable. What became of the foci of the baseline
is told by a word a scan: `hot`, `cold` (normal uptake, or gone), `none` (nothing is said), `silent` (not evaluable).
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["bone", "bone_at", "both"]


def bone(scans, old, treatment, settings):
    """Category of each scan. old: {focus of the baseline: its words}. treatment: day of its start, None = not known."""
    enough, wait = settings.pcwg3.new_foci, 7 * Fraction(str(settings.pcwg3.confirm_weeks))
    told = ["NE"] * len(scans)
    reference = suspicion = None
    first, progressed = True, False
    lost = frozenset()  # baseline foci that the scan compared with shows no more, as it shows none at all
    for index, (day, foci) in enumerate(scans):
        if foci is None:
            continue
        empty = not foci and not any(may_be_left(words, scans, index) for words in old.values())
        seen = foci | {name for name in lost if last_word(old[name], scans, index) == "hot"}
        if reference is None or (treatment is not None and day <= treatment):
            told[index], reference, lost = "BL", foci, frozenset(old if empty else ())
            continue
        if suspicion and day - suspicion["day"] < wait:
            told[index] = "PDu"
            continue
        if suspicion:
            progressed = confirmed(suspicion, seen, reference, enough)
            since = suspicion["since"]
            told[since:index] = [settled(category, progressed) for category in told[since:index]]
            reference = suspicion["new"] if suspicion["first"] else reference
            lost = frozenset() if suspicion["first"] else lost
            seen = foci | {name for name in lost if last_word(old[name], scans, index) == "hot"}
            suspicion = None
        if progressed:
            told[index] = "PD"
        elif len(seen - reference) >= enough:
            suspicion = {"day": day, "foci": seen, "new": foci, "first": first, "since": index}
            told[index] = "PDu"
        else:
            told[index] = "NED" if empty else "Non-PD"
            if first or empty:
                reference, lost = foci, frozenset(old if empty else ())
        first = False
    return told


def last_word(words, scans, index):
    """What was last said of a focus."""
    looked = [word for word, (_, foci) in zip(words[: index + 1], scans, strict=False) if foci is not None]
    return next((word for word in reversed(looked) if word in {"hot", "cold"}), "hot")


def may_be_left(words, scans, index):
    return words[index] == "silent" or last_word(words, scans, index) == "hot"


def settled(category, progressed):
    """What becomes of a scan that waited; one that could not be evaluated stays so."""
    return category if category == "NE" else "PD" if progressed else "Non-PD"


def confirmed(suspicion, foci, reference, enough):
    if suspicion["first"]:
        return len(foci - suspicion["foci"]) >= enough
    new_then, new_now = suspicion["foci"] - reference, foci - reference
    return len(new_then & new_now) >= enough or len(new_now) > len(new_then)


def bone_at(day, scans, told):
    """The bone on any day with a visit: its scan's category, PD once it has progressed, NE without a scan."""
    if any(category == "PD" and at <= day for (at, _), category in zip(scans, told, strict=True)):
        return "PD"
    return next((category for (at, _), category in zip(scans, told, strict=True) if at == day), "NE")


def both(soft, bone, targets):
    """Soft tissue and bone together."""
    if {soft, bone} in ({"BL"}, {"BL", "NE"}):
        return "BL"
    soft, bone = soft.replace("BL", "NE"), bone.replace("BL", "NE")
    if "PD" in {soft, bone}:
        return "PD"
    if soft == "NED":
        return {"Non-PD": "Non-CR/Non-PD", "PDu": "PDu"}.get(bone, "NE")
    if soft == "CR" and bone != "NED":
        return "PR" if targets else "Non-CR/Non-PD"
    return soft
