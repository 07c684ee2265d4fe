"""RECIST 1.1 and iRECIST by hand: one modality, lesions as plain dictionaries, no code of the package.

lesion: {"name", "origin": "baseline" | "new" | "known", "node": bool, "target": True | False | None, "ill": bool,
"type": str, "cells": [cell or None, one a visit]};
cell: {"status": "seen" | "gone" | "silent", "equivocal", "long", "short", "soft": Fraction or None, "codes": set}.
"""

from __future__ import annotations

__all__ = ["irecist", "recist"]


def recist(days, lesions):
    """The category of each visit after baseline."""
    return [category for category, _ in one_by_one(days, lesions, roles_of(lesions)).values()]


def one_by_one(days, lesions, roles):
    """visit -> (category, kinds of progression), each knowing the last complete response before it."""
    told, complete = {}, None
    for visit in range(1, len(days)):
        told[visit] = category_of(lesions, roles, visit, complete)
        complete = visit if told[visit][0] == "CR" else complete
    return told


# who is what


def roles_of(lesions):
    """name -> (role, what is measured): target, other, or normal for a node too small to be a lesion."""
    roles = {one["name"]: stated_role(one) for one in lesions}
    organs = {one["name"]: "node" if one["node"] else "bone" for one in lesions}
    used = [organs[name] for name, (role, _) in roles.items() if role == "target"]
    candidates = [(-size, one["name"], key) for one in lesions for size, key in qualifies(one)]
    for _, name, key in sorted(candidates):
        if len(used) < 5 and used.count(organs[name]) < 2:
            used.append(organs[name])
            roles[name] = ("target", key)
    return roles


def stated_role(lesion):
    """The role without the ones that are chosen."""
    key = "short" if lesion["node"] else "long"
    first = lesion["cells"][0]
    if lesion["origin"] != "baseline":
        return "other", key
    if lesion["node"] and first["short"] is not None and first["short"] < 10:
        return "normal", key
    if not lesion["target"]:
        return "other", key
    if not lesion["node"] and first["soft"] is not None:
        return ("target", "soft") if first["soft"] >= 10 else ("other", key)
    return ("other", key) if first[key] is None else ("target", key)


def qualifies(lesion):
    """[(size, what is measured)] of a lesion that may be chosen, else nothing."""
    first = lesion["cells"][0]
    if lesion["origin"] != "baseline" or lesion["target"] is not None or lesion["ill"]:
        return []
    if lesion["node"]:
        return [(first["short"], "short")] if (first["short"] or 0) >= 15 else []
    return [(first["soft"], "soft")] if (first["soft"] or 0) >= 10 and lesion["type"] != "blastic" else []


def millimetres(lesion, key, visit):
    cell = lesion["cells"][visit]
    if cell is None or cell["status"] == "silent":
        return None
    return 0 if cell["status"] == "gone" else cell[key]


def first_seen(lesion):
    return next(visit for visit, cell in enumerate(lesion["cells"]) if cell is not None and cell["status"] == "seen")


def known(lesion, key, visit):
    """What was measured up to a visit, in order."""
    values = [millimetres(lesion, key, one) for one in range(visit + 1)]
    return [value for value in values if value is not None]


def is_new_here(lesion, role, visit):
    if lesion["origin"] != "new":
        sizes = known(lesion, "short", visit)
        return role[0] == "normal" and sizes[-1] >= 10 and sizes[-1] - min(sizes) >= 5
    reached = there = False
    for cell in lesion["cells"][: visit + 1]:
        if cell is None or cell["status"] == "silent":
            continue
        there = cell["status"] == "seen"
        if there:
            large = cell["long"] is not None and cell["long"] >= 5
            reached = reached or large or (cell["long"] is None and not cell["equivocal"])
    small = False
    if lesion["node"]:
        sizes = known(lesion, "short", visit)
        small = bool(sizes) and sizes[-1] < 10
    return reached and there and not small


def is_gone(lesion, role, visit):
    size = millimetres(lesion, role[1], visit)
    if lesion["node"]:
        return size is not None and size < 10
    if role[1] == "soft":
        return size == 0
    cell = lesion["cells"][visit]
    return cell is not None and cell["status"] == "gone"


def rises(sizes, now):
    """Whether `now` is 20 % and 5 mm above the least of the earlier ones that are known."""
    earlier = [size for size in sizes if size is not None]
    if not earlier:
        return False
    least = min(earlier)
    return now - least >= 5 and now * 5 >= least * 6


def is_back(lesion, role, visit, complete):
    """Whether a lesion gone at a complete response is there again: by 5 mm, or (no target) seen without a measure."""
    cell = lesion["cells"][visit]
    if millimetres(lesion, role[1], complete) is None or cell is None or cell["status"] != "seen":
        return False
    if is_gone(lesion, role, visit):
        return False
    now = millimetres(lesion, role[1], visit)
    if now is None:
        return role[0] == "other"
    return now - min(known(lesion, role[1], visit)) >= 5


def progressions(lesions, roles, visit, complete):
    """Which kinds of progression hold."""
    kinds = set()
    if complete is not None:
        followed = [one for one in lesions if roles[one["name"]][0] == "target"] + others_of(lesions, roles, visit)
        if any(is_back(one, roles[one["name"]], visit, complete) for one in followed):
            kinds.add("back")
    if any(is_new_here(one, roles[one["name"]], visit) for one in lesions):
        kinds.add("new")
    targets = [one for one in lesions if roles[one["name"]][0] == "target"]
    if targets and not all(is_gone(one, roles[one["name"]], visit) for one in targets):
        sums = []
        for earlier in range(visit):
            sizes = [millimetres(one, roles[one["name"]][1], earlier) for one in targets]
            sums.append(None if None in sizes else sum(sizes))
        now = [millimetres(one, roles[one["name"]][1], visit) or 0 for one in targets]
        if rises(sums, sum(now)):
            kinds.add("targets")
    for one in others_of(lesions, roles, visit):
        cell = one["cells"][visit]
        if cell is not None and any(code.startswith("PD") and code != "PD4" for code in cell["codes"]):
            kinds.add("others")
    return kinds


def others_of(lesions, roles, visit):
    return [
        one
        for one in lesions
        if roles[one["name"]][0] == "other" and one["origin"] != "new" and first_seen(one) <= visit
    ]


def category_of(lesions, roles, visit, complete):
    """(category, kinds of progression)."""
    kinds = progressions(lesions, roles, visit, complete)
    if kinds:
        return "PD", kinds
    targets = [one for one in lesions if roles[one["name"]][0] == "target"]
    others = others_of(lesions, roles, visit)
    if not targets and not others:
        return "NED", kinds
    target_sizes = [millimetres(one, roles[one["name"]][1], visit) for one in targets]
    if None in target_sizes:
        return "NE", kinds
    others_known = all(one["cells"][visit] is not None and one["cells"][visit]["status"] != "silent" for one in others)
    others_gone = others_known and all(is_gone(one, roles[one["name"]], visit) for one in others)
    targets_gone = all(is_gone(one, roles[one["name"]], visit) for one in targets)
    if targets_gone and others_gone:
        return "CR", kinds
    if not targets:
        return ("Non-CR/Non-PD" if others_known else "NE"), kinds
    baseline = sum(millimetres(one, roles[one["name"]][1], 0) for one in targets)
    if targets_gone or sum(target_sizes) * 10 <= baseline * 7:
        return "PR", kinds
    return "SD", kinds


# iRECIST


def irecist(days, lesions, further_in):
    """(category, unconfirmed) of each visit after baseline."""
    roles = roles_of(lesions)
    plain = one_by_one(days, lesions, roles)
    words = {"CR": "iCR", "PR": "iPR", "SD": "iSD", "Non-CR/Non-PD": "iSD", "PD": "iUPD", "NED": "NED", "NE": "NE"}
    told = {visit: words[category] for visit, (category, _) in plain.items()}
    waiting, all_waiting, confirmed = [], set(), False
    for visit, (category, _) in plain.items():
        if confirmed:
            told[visit] = "iCPD" if category == "PD" else told[visit]
            continue
        late_enough = waiting and days[visit] - days[waiting[0]] >= 28
        if late_enough and confirms(lesions, roles, plain, waiting[0], visit, further_in):
            confirmed, told[visit] = True, "iCPD"
            all_waiting -= set(waiting)
        elif category == "PD":
            waiting.append(visit)
            all_waiting.add(visit)
        elif late_enough and category != "NE":
            waiting = []
    return [(told[visit], visit in all_waiting) for visit in plain]


def confirms(lesions, roles, plain, first, visit, further_in):
    began_by, now = plain[first][1], plain[visit][1]
    counts = {"targets", "others"} if further_in == "any" or "back" in began_by else began_by
    if "others" in began_by and ("others" in now or growth(lesions, roles, first, visit, "others") > 0):
        return True
    if not now:
        return False
    if now - began_by or new_names(lesions, roles, visit) - new_names(lesions, roles, first):
        return True
    if "targets" in counts and growth(lesions, roles, first, visit, "targets") >= 5:
        return True
    if "others" in counts and ("others" in now or growth(lesions, roles, first, visit, "others") > 0):
        return True
    return growth(lesions, roles, first, visit, "new") >= 5


def new_names(lesions, roles, visit):
    return {one["name"] for one in lesions if is_new_here(one, roles[one["name"]], visit)}


def growth(lesions, roles, first, visit, which):
    chosen = {
        "targets": [one for one in lesions if roles[one["name"]][0] == "target"],
        "others": others_of(lesions, roles, visit),
        "new": [one for one in lesions if one["name"] in new_names(lesions, roles, first)],
    }[which]
    total = 0
    for one in chosen:
        key = roles[one["name"]][1]
        then, now = millimetres(one, key, first), millimetres(one, key, visit)
        if then is not None and now is not None:
            total += now - then
    return total
