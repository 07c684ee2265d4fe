"""WHO by hand: one modality, lesions as plain dictionaries, no code of the package.

lesion: {"origin": "baseline" | "new" | "known", "ill": bool, "cells": [cell or None, one a visit]};
cell: {"status": "seen" | "gone" | "silent", "equivocal": bool, "long": Fraction or None, "short": Fraction or None}.
"""

from __future__ import annotations

__all__ = ["assessed", "is_new_here", "who"]


def who(days, lesions):
    """(category, unconfirmed) of each visit after baseline."""
    categories = [category_of(lesions, visit) for visit in range(1, len(days))]
    return list(zip(categories, unconfirmed(days[1:], categories), strict=True))


def first_seen(lesion):
    for visit, cell in enumerate(lesion["cells"]):
        if cell is not None and cell["status"] == "seen":
            return visit
    return None


def product(cell):
    if cell is None or cell["status"] == "silent":
        return None
    if cell["status"] == "gone":
        return 0
    if cell["long"] is None or cell["short"] is None:
        return None
    return cell["long"] * cell["short"]


def is_new_here(lesion, visit):
    """New, once large enough, and not gone since."""
    if lesion["origin"] != "new":
        return False
    reached = there = False
    for cell in lesion["cells"][: visit + 1]:
        if cell is None or cell["status"] == "silent":
            continue
        if cell["status"] == "gone":
            there = False
            continue
        there = True
        if (cell["long"] is None and not cell["equivocal"]) or (cell["long"] is not None and cell["long"] >= 5):
            reached = True
    return reached and there


def assessed(lesion, visit):
    """Whether something can be said: a row that is not silent, and for a lesion not of the baseline an earlier one."""
    cell = lesion["cells"][visit]
    if cell is None or cell["status"] == "silent":
        return False
    return lesion["origin"] == "baseline" or visit > first_seen(lesion)


def has_product(lesion):
    first = lesion["cells"][first_seen(lesion)]
    return not lesion["ill"] and first["long"] is not None and first["short"] is not None and first["short"] > 0


def has_grown(lesion, visit):
    cell = lesion["cells"][visit]
    now = product(cell)
    before = [product(one) for one in lesion["cells"][:visit]]
    before = [one for one in before if one is not None]
    if now is None or not before:
        return False
    if min(before) == 0:
        return now > 0 and cell["long"] >= 10
    return 4 * now >= 5 * min(before)


def category_of(lesions, visit):
    old = [one for one in lesions if one["origin"] != "new" and first_seen(one) <= visit]
    if any(is_new_here(one, visit) for one in lesions):
        return "PD"
    if any(has_product(one) and has_grown(one, visit) for one in old):
        return "PD"
    if old and all(assessed(one, visit) and one["cells"][visit]["status"] == "gone" for one in old):
        return "CR"
    in_sum = [one for one in old if one["origin"] == "baseline" and has_product(one)]
    now = [product(one["cells"][visit]) for one in in_sum]
    if not in_sum or None in now:
        return "NE"
    return "PR" if 2 * sum(now) <= sum(product(one["cells"][0]) for one in in_sum) else "SD"


def unconfirmed(days, categories):
    """A response is confirmed by any two visits, four weeks apart, that show it before and after or at this visit."""
    answers = []
    for at, category in enumerate(categories):
        if category not in {"CR", "PR"}:
            answers.append(False)
            continue
        start = max((i + 1 for i in range(at) if categories[i] == "PD"), default=0)
        end = min((i for i in range(at, len(categories)) if categories[i] == "PD"), default=len(categories))
        enough = {"CR"} if category == "CR" else {"CR", "PR"}
        shown = [i for i in range(start, end) if categories[i] in enough]
        confirmed = any(days[j] - days[i] >= 28 for i in shown for j in shown if i <= at <= j)
        answers.append(not confirmed)
    return answers
