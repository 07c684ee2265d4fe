"""PERCIST and EORTC a second time, from docs/criteria.md alone: loops over a table and nothing else.

A series is a list of visits; a visit is None (not evaluable) or {lesion: cell}; a cell is "gone", "silent", or a
dictionary of numbers with the `status` it was seen with. A lesion without a cell is not assessed.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["eortc", "percist"]


def percist(visits, settings):
    limits = settings.percist
    return [judge_percist(visits, here, limits) for here in range(len(visits))]


def eortc(visits, settings):
    limits = settings.eortc
    return [judge_eortc(visits, here, limits) for here in range(len(visits))]


def judge_percist(visits, here, limits):
    if (early := before_anything(visits, here)) is not None:
        return early
    old = old_lesions(visits)
    if new_lesion_there(visits, here):
        return "PMD"
    hot = [max(row) if row and None not in row else None for row in values(visits, old, "pk")]
    earlier = [value for value in hot[:here] if value is not None]
    known = [value for value in values(visits, old, "pk")[here] if value is not None]
    if earlier and known:
        low, now = min(earlier), max(known)
        units = now - low >= number(limits.absolute_sul)
        if now > low and units and (low == 0 or now >= low * (1 + number(limits.pmd_rise))):
            return "PMD"
    burden = values(visits, old, "tlg")
    earlier = [sum(row) for row in burden[:here] if row and None not in row]
    if earlier and min(earlier) > 0:
        known = sum(value for value in burden[here] if value is not None)
        if known > min(earlier) * (1 + number(limits.tlg_rise)):
            return "PMD"
    if everything_gone(visits, here):
        return "CMR"
    start = hot[first(visits)]
    if hot[here] is None or start is None:
        return "NE"
    fall = start - hot[here]
    if start > 0 and fall >= start * number(limits.pmr_fall) and fall >= number(limits.absolute_sul):
        return "PMR"
    return "SMD"


def judge_eortc(visits, here, limits):
    if (early := before_anything(visits, here)) is not None:
        return early
    old = old_lesions(visits)
    if new_lesion_there(visits, here):
        return "PMD"
    rows = values(visits, old, "mx")
    sums = [sum(row) if row and None not in row else None for row in rows]
    earlier = [value for value in sums[:here] if value is not None]
    known = sum(value for value in rows[here] if value is not None)
    if earlier:
        low = min(earlier)
        if known > (low * (1 + number(limits.pmd_rise)) if low else number(limits.reappeared_suv)):
            return "PMD"
    if everything_gone(visits, here):
        return "CMR"
    start = sums[first(visits)]
    if sums[here] is None or start is None:
        return "NE"
    return "PMR" if start > 0 and sums[here] <= start * (1 - number(limits.pmr_fall)) else "SMD"


def before_anything(visits, here):
    if visits[here] is None:
        return "NE"
    return "BL" if here == first(visits) else None


def first(visits):
    return next(index for index, visit in enumerate(visits) if visit is not None)


def number(value):
    return Fraction(str(value))


def seen(cell):
    return isinstance(cell, dict)


def old_lesions(visits):
    return [name for name, cell in visits[first(visits)].items() if seen(cell)]


def values(visits, names, key):
    """One row a visit: the number of each lesion, 0 when gone, None when not known."""
    return [[value(None if visit is None else visit.get(name), key) for name in names] for visit in visits]


def value(cell, key):
    if cell == "gone":
        return Fraction(0)
    return number(cell[key]) if seen(cell) and cell.get(key) is not None else None


def is_new(visits, name):
    start = first(visits)
    at_start = visits[start].get(name)
    if seen(at_start) or at_start == "silent":
        return False
    cells = [visit[name] for visit in visits[start:] if visit is not None and seen(visit.get(name))]
    return bool(cells) and (at_start == "gone" or cells[0]["status"] in {"new", "equivocal"})


def new_lesion_there(visits, here):
    names = {name for visit in visits if visit is not None for name in visit}
    return any(is_there(visits, name, here) for name in names if is_new(visits, name))


def is_there(visits, name, here):
    """Seen for more than equivocal by now, and not stated to be gone since it was last seen."""
    counted, there = False, False
    for visit in visits[: here + 1]:
        cell = (visit or {}).get(name)
        if seen(cell):
            counted, there = counted or cell["status"] != "equivocal", True
        elif cell == "gone":
            there = False
    return counted and there


def everything_gone(visits, here):
    """Every lesion that was there at baseline, or is spoken of without being new, is stated to be gone now."""
    names = {
        name
        for visit in visits[: here + 1]
        if visit is not None
        for name, cell in visit.items()
        if (seen(cell) or cell == "silent") and not is_new(visits, name)
    }
    return bool(names) and all(visits[here].get(name) == "gone" for name in names) and ever_seen(visits, names, here)


def ever_seen(visits, names, here):
    """A lesion that was never seen cannot go."""
    return all(any(seen((visit or {}).get(name)) for visit in visits[: here + 1]) for name in names)
