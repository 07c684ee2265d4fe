"""MD Anderson 2010 of one patient: flare, scans, overall, the course (docs/details.md, details 8-23).

`classify` gives {"rows": {(visit index, scope): (category, unconfirmed, flare)}, "summary": {...}}.
"""

from __future__ import annotations

import datetime as dt

from mdanderson.vocabulary import LesionType

from .lesion import fallen, together_at, uptake_at
from .modality import ANATOMICAL, is_called_new, judge_modality, lesions_of, new_lesions_at
from .reading import number, read_visits

__all__ = ["classify"]

FLARING, SCANS = ("CT", "XR", "NM"), ("NM", "PT")


def classify(patient, examinations, settings):
    visits = read_visits(examinations, settings)
    course = {"patient": patient, "visits": visits, "settings": settings, "modalities": {}, "open": set()}
    for modality in sorted({name for visit in visits for name in visit["exams"]}):
        start, lesions = lesions_of(visits, modality, settings)
        course["modalities"][modality] = {"start": start, "lesions": lesions, "results": {}}
    for visit in range(len(visits)):
        judge_visit(course, visit)
    overall = []
    for visit in range(len(visits)):
        settle_scans(course, visit, overall)
        overall.append(overall_of(course, visit))
    rows = {(visit, "overall"): row for visit, row in enumerate(overall)}
    for name, modality in course["modalities"].items():
        rows |= {
            (visit, name): (one["category"], one["unconfirmed"], one["flare"])
            for visit, one in modality["results"].items()
        }
    return {"rows": rows, "summary": summarise(patient, visits, overall, settings), "open": opened(course)}


def opened(course):
    """Details that a disagreement hangs on, still to be decided (see test_against_naive)."""
    lesions = [lesion for one in course["modalities"].values() for lesion in one["lesions"]]
    exams = [exam for visit in course["visits"] for exam in visit["exams"].values()]
    return course["open"].union(*(one["open"] for one in lesions + exams))


# flare


def raw(course, name, visit, without=()):
    """The modality as it looks at that visit, None where nobody looked or nothing can be compared yet."""
    modality = course["modalities"].get(name)
    exam = course["visits"][visit]["exams"].get(name)
    if exam is None or not exam["ok"] or visit <= modality["start"]:
        return None
    return judge_modality(modality["lesions"], modality["start"], visit, course["settings"], without)


def inside_window(course, visit):
    began = course["patient"].treatment_start or course["visits"][0]["date"]
    days = (course["visits"][visit]["date"] - began).days
    return 0 <= days <= 7 * number(course["settings"].policy.flare_window_weeks)


def judge_visit(course, visit):
    """Every modality at one visit, its flare settled by what came later."""
    names = [name for name in course["modalities"] if name in course["visits"][visit]["exams"]]
    looks = {name: raw(course, name, visit) for name in names}
    flares = {name: flare_lesions(course, name, visit) for name in names}
    progressing = [name for name in names if looks[name] and looks[name]["category"] == "PD" and not flares[name]]
    sign = sign_at(course, visit, flares)
    for name in names:
        modality = course["modalities"][name]
        modality["results"][visit] = plain(looks[name], modality, visit)
        if name in progressing:  # what was new beside other progression is no flare later on
            mark(modality, [one["name"] for one in new_lesions_at(modality["lesions"], visit)], "refuted", visit)
        waiting = modality.setdefault("waiting", [])
        if looks[name] and looks[name]["category"] == "PD" and waiting and not flares[name]:
            rest = raw(course, name, visit, without=waiting)
            if rest["category"] != "PD":  # nothing but what an earlier visit left open
                modality["results"][visit] |= {"unconfirmed": True, "settled": True}
        if flares[name]:
            modality["results"][visit] = flare_outcome(course, name, visit, flares[name], bool(progressing), sign)


def plain(look, modality, visit):
    if look is None:
        first = "BL" if visit == modality["start"] else "NE"
        return {"category": first, "unconfirmed": False, "flare": False, "settled": False}
    return {"category": look["category"], "unconfirmed": False, "flare": False, "settled": False}


def flare_lesions(course, name, visit):
    """Names of the lesions that alone make the visit PD and may be flare: new sclerotic ones, new or hotter foci."""
    look = raw(course, name, visit)
    if look is None or name not in FLARING or look["category"] != "PD":
        return []
    modality = course["modalities"][name]
    new = new_lesions_at(modality["lesions"], visit)
    names = [lesion["name"] for lesion in new]
    if any(lesion["refuted"] is not None for lesion in new):
        return []
    if any(lesion["name"] in modality.get("waiting", ()) for lesion in new):
        return []
    if name == "NM":
        names += [one for one, answer in look["lesions"].items() if answer["category"] == "PD" and one not in names]
    else:
        blastic = all(looks_sclerotic(lesion, course["settings"]) for lesion in new)
        names = names if blastic else []
    called = any("PR2" in row["codes"] for row in rows_at(modality, visit, names))
    if not names or not (called or inside_window(course, visit)):
        return []
    if any(one["calm"] is not None and one["name"] in names for one in modality["lesions"]):
        return []  # what grows after its flare was settled progresses (detail 23)
    if any(row["silent"] for row in rows_at(modality, visit, names)):
        course["open"].add("F18")
    if any(row["treated"] for lesion in modality["lesions"] for row in lesion["rows"].values()):
        course["open"].add("F15")
    return names if raw(course, name, visit, without=names)["category"] != "PD" else []


def rows_at(modality, visit, names):
    return [one["rows"][visit] for one in modality["lesions"] if one["name"] in names and visit in one["rows"]]


def looks_sclerotic(lesion, settings):
    """A sclerotic lesion, or one newly visible through a sclerotic rim."""
    row = lesion["rows"][lesion["first"]]
    density = row["density"]
    rim = density is not None and density.rim_fraction is not None
    return row["type"] is LesionType.BLASTIC or (
        rim and number(density.rim_fraction) >= number(settings.image.rim_fraction)
    )


def sign_at(course, visit, flares):
    """Whether anything but the flare lesions responds, in any modality."""
    for name in course["visits"][visit]["exams"]:
        look = raw(course, name, visit, without=flares.get(name, ()))
        if look is not None and look["sign"]:
            return True
    return False


def flare_outcome(course, name, visit, lesions, progressing, sign):
    modality = course["modalities"][name]
    for later in range(visit + 1, len(course["visits"])):
        outcome = settled_at(course, name, visit, later, lesions)
        if outcome == "worse":
            mark(modality, lesions, "refuted", visit)
            return {"category": "PD", "unconfirmed": False, "flare": False, "settled": True}
        if outcome == "flare":
            mark(modality, lesions, "calm", visit)
            sign = sign or sign_at(course, later, {})
            if any(row["uptake"] is None and "PD3" in row["codes"] for row in rows_at(modality, visit, lesions)):
                course["open"].add("F19")
            rest = raw(course, name, visit)["category"]
            if rest == "PD":  # a reader's word on the flare itself
                rest = raw(course, name, visit, without=lesions)["category"]
            # detail 10 says "else SD", detail 1 that nothing but PD or NE is left where core lesions were not assessed
            responds = rest in {"CR", "PR"} or (sign and not progressing)
            restated = "PR" if responds else "NE" if rest == "NE" else "SD"
            return {"category": restated, "unconfirmed": False, "flare": True, "settled": True}
    if name == "NM":
        note_own_sign(course, name, visit, lesions)
    if sign and not progressing:
        mark(modality, lesions, "calm", visit)
        return {"category": "PR", "unconfirmed": False, "flare": True, "settled": True}
    modality["waiting"] = [*modality.get("waiting", ()), *lesions]
    return {"category": "PD", "unconfirmed": True, "flare": False, "settled": True}


def mark(modality, names, what, visit):
    for lesion in modality["lesions"]:
        if lesion["name"] in names:
            lesion[what] = visit


def note_own_sign(course, name, visit, names):
    """Leave open what a hotter focus says that is cooler than at baseline."""
    for lesion in course["modalities"][name]["lesions"]:
        first = lesion["rows"].get(lesion["first"], {"uptake": None})["uptake"]
        now = uptake_at(lesion, visit)
        known = lesion["name"] in names and None not in (first, now)
        if known and fallen(now, first, course["settings"].policy.pr_uptake_fall):
            course["open"].add("F4")


def settled_at(course, name, visit, later, names):
    """`worse`, `flare` or None where that visit cannot judge."""
    modality, settings = course["modalities"][name], course["settings"]
    exam = course["visits"][later]["exams"].get(name)
    if exam is None or not exam["ok"]:
        return None
    lesions = [one | {"siblings": modality["lesions"]} for one in modality["lesions"] if one["name"] in names]
    further = [one for one in new_lesions_at(modality["lesions"], later) if one["first"] > visit]
    if further and not all(judged_at(one, visit, later) for one in lesions):
        course["open"].add("F9")
    called = any(is_called_new(one, later) for one in modality["lesions"])
    if further or called or any(worse(one, visit, later, modality["lesions"], settings) for one in lesions):
        return "worse"
    judged = [judged_at(one, visit, later) for one in lesions]
    if not all(judged):
        if any(judged):
            course["open"].add("F8")
        return None
    return "flare"


def judged_at(lesion, visit, later):
    """Whether the visit says what became of a flare lesion: gone, called something by a reader, or to be compared."""
    row = lesion["rows"].get(later)
    if row is None or row["silent"] or row["equivocal"]:
        return False
    return row["gone"] or bool(row["codes"]) or None not in then_and_now(lesion, visit, later)


def then_and_now(lesion, visit, later):
    """Its size (on the scan its uptake) when the flare was seen, or first measured since, and at the later visit."""
    if lesion["modality"] == "NM":
        known = [uptake_at(lesion, index) for index in range(visit, later + 1)]
    else:
        sequence = next(iter(lesion["rows"][lesion["first"]]["sizes"]), "")
        members = lesion["merged"].get(later, frozenset([lesion["name"]]))
        family = [one for one in lesion["siblings"] if one["name"] in members]
        known = [together_at(lesion, index, sequence, family) for index in range(visit, later + 1)]
    return next((value for value in known[:-1] if value is not None), None), known[-1]


def worse(lesion, visit, later, siblings, settings):
    """Grown by 25 % since the flare was seen, a focus on the scan hotter by 25 %, or said so by a reader."""
    row = lesion["rows"].get(later)
    if row is None or row["silent"]:
        return False
    if row["codes"] & ({"PD3"} if lesion["modality"] == "NM" else {"PD2"}):
        lesion["open"].add("F7")
        return True
    policy = settings.policy
    rise = policy.pd_uptake_rise if lesion["modality"] == "NM" else policy.pd_size_rise
    then, now = then_and_now(lesion, visit, later)
    return None not in (then, now) and now > 0 and now >= then * (1 + number(rise))


# scans


def settle_scans(course, visit, overall):
    """Progression on a scan alone: confirmed by the first scan late enough, else refuted, else unconfirmed."""
    if course["settings"].policy.scan_only_progression == "accept":
        return
    here = [one["results"].get(visit) for name, one in course["modalities"].items() if name in ANATOMICAL]
    seen = [*overall, *((one["category"], one["unconfirmed"], False) for one in here if one)]
    if any(category == "PD" and not unconfirmed for category, unconfirmed, _ in seen):
        return  # nor is it scan-only where CT, MR or XR shows it at the same visit
    for name in SCANS:
        results = course["modalities"].get(name, {"results": {}})["results"]
        one = results.get(visit)
        if one is None or one["category"] != "PD" or one["settled"]:
            continue
        deciding = deciding_scan(course, results, visit)
        if deciding is None:
            for passed, other in results.items():
                if passed >= visit and other["category"] == "PD" and not other["settled"]:
                    other |= {"unconfirmed": True, "settled": True}
            continue
        confirmed = results[deciding]["category"] == "PD"
        for passed in range(visit, deciding):
            shared = results.get(passed)
            if shared and shared["category"] == "PD" and not shared["settled"]:
                shared |= {"category": "PD" if confirmed else "SD", "settled": True}


def deciding_scan(course, results, visit):
    wait = 7 * number(course["settings"].policy.scan_confirm_weeks)
    for later in sorted(results):
        days = (course["visits"][later]["date"] - course["visits"][visit]["date"]).days
        if later > visit and days >= wait and results[later]["category"] not in {"NE", "BL"}:
            return later
    return None


# the patient


def overall_of(course, visit):
    """(category, unconfirmed, flare)."""
    if visit == 0 and any(exam["ok"] for one in course["visits"] for exam in one["exams"].values()):
        return "BL", False, False
    here = {
        name: one["results"][visit]
        for name, one in course["modalities"].items()
        if visit in one["results"] and one["results"][visit]["category"] != "BL"
    }
    flare = any(one["flare"] for one in here.values())
    scan_waits = any(one["category"] == "PD" and one["unconfirmed"] for name, one in here.items() if name in SCANS)
    anatomical = any(name in ANATOMICAL for name in course["visits"][0]["exams"])
    worse_ones = {name: one for name, one in here.items() if one["category"] == "PD"}
    if any(not one["unconfirmed"] for one in worse_ones.values()):
        return "PD", False, flare
    if any(name in ANATOMICAL for name in worse_ones) or (worse_ones and not anatomical):
        return "PD", True, flare
    for name in map(str, course["settings"].policy.modality_order):
        if name in here and here[name]["category"] != "NE" and (name in ANATOMICAL or not anatomical):
            return here[name]["category"], scan_waits, flare
    return "NE", scan_waits, flare


def summarise(patient, visits, overall, settings):
    dates = [visit["date"] for visit in visits]
    progressed = [date for date, row in zip(dates, overall, strict=True) if row[0] == "PD" and not row[1]]
    progression = min(progressed, default=None)
    counted = [
        (date, row[0])
        for date, row in zip(dates, overall, strict=True)
        if row[0] != "BL" and (progression is None or date <= progression)
    ]
    told = [(date, after_confirmation(date, category, counted, settings)) for date, category in counted]
    ranked = [one for one in ("CR", "PR", "SD", "PD", "NE") if one in {category for _, category in told}]
    ends = [date for date in (progression, patient.death_date) if date is not None]
    last = [date for date, row in zip(dates, overall, strict=True) if row[0] != "NE"]
    end = min(ends) if ends else max(last)
    return {
        "best_response": ranked[0] if ranked else "NE",
        "first_response_date": min((date for date, category in told if category in {"CR", "PR"}), default=None),
        "progression_date": progression,
        "progression_free_days": max((end - (patient.treatment_start or dates[0])).days, 0),
        "censored": not ends,
    }


def after_confirmation(date, category, counted, settings):
    """What a response is worth when `confirm_weeks` ask for a later visit that still shows it."""
    if category not in {"CR", "PR"} or settings.policy.confirm_weeks == 0:
        return category
    wait = dt.timedelta(days=7 * settings.policy.confirm_weeks)
    later = {other for when, other in counted if when >= date + wait}
    if category in later:
        return category
    return "PR" if later & {"CR", "PR"} else "SD"
