"""PCWG3 a second time, from docs/criteria.md alone: a forward walk with one suspicion in hand at a time.

A scan is (day, foci): foci = the new ones that are there, None = not evaluable.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["bone", "bone_at", "both"]


def bone(scans, old, treatment, settings):
    """Category of each scan. old: whether the baseline has foci. treatment: day of its start, None = not known."""
    enough, wait = settings.pcwg3.new_foci, 7 * Fraction(str(settings.pcwg3.confirm_weeks))
    told = ["NE"] * len(scans)
    reference = suspicion = None
    first, progressed = True, False
    for index, (day, foci) in enumerate(scans):
        if foci is None:
            continue
        if reference is None or (treatment is not None and day <= treatment):
            told[index], reference = "BL", foci
            continue
        if suspicion and day - suspicion["day"] < wait:
            told[index] = "PDu"
            continue
        if suspicion:
            progressed = confirmed(suspicion, foci, reference, enough)
            since = suspicion["since"]
            told[since:index] = [settled(category, progressed) for category in told[since:index]]
            reference = suspicion["foci"] if suspicion["first"] else reference
            suspicion = None
        if progressed:
            told[index] = "PD"
        elif len(foci - reference) >= enough:
            suspicion = {"day": day, "foci": foci, "first": first, "since": index}
            told[index] = "PDu"
        else:
            told[index] = "Non-PD" if old or foci else "NED"
            reference = foci if first else reference
        first = False
    return told


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
