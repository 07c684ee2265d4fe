"""One modality at one visit (docs/details.md, details 1-7, 14, 15, 22, 23, 34)."""

from __future__ import annotations

from mdanderson.vocabulary import LesionType

from .lesion import grown, judge_lesion, region_of, sequence_of, signal_is_normal, size_at
from .reading import number

__all__ = ["ANATOMICAL", "is_called_new", "judge_modality", "lesions_of", "new_lesions_at"]

ANATOMICAL = ("CT", "MR", "XR")


def lesions_of(visits, modality, settings):
    """(visit of the modality's own baseline, its lesions); None, [] where no image was evaluable."""
    looked = [index for index, visit in enumerate(visits) if visit["exams"].get(modality, {"ok": False})["ok"]]
    if not looked:
        return None, []
    names = sorted({name for index in looked for name in visits[index]["exams"][modality]["rows"]})
    exams = {index: visits[index]["exams"][modality] for index in looked}
    new_at_last(visits, modality, looked)
    for exam in list(exams.values()):
        deny(exam, modality, settings, is_first=exam is visits[0]["exams"].get(modality))
    others = [exam for name, exam in visits[0]["exams"].items() if name != modality]
    met = {name for name in names if any(is_met(exam["rows"].get(name), exam, settings) for exam in others)}
    doubted = {name for name in names if is_doubted(name, modality, visits, looked, met)}
    found = [make_lesion(name, modality, exams, looked[0], settings, met=name in met | doubted) for name in names]
    return looked[0], [lesion | {"doubted": lesion["name"] in doubted} for lesion in found if lesion]


def new_at_last(visits, modality, looked):
    """What was new where nothing could be evaluated is new where it is next seen."""
    waiting = set()
    for index, visit in enumerate(visits):
        rows = visit["exams"].get(modality, {"rows": {}})["rows"]
        for name, row in rows.items():
            if index not in looked:
                waiting |= {name} if row["new"] and index > looked[0] else set()
            elif name in waiting and is_shown_by(row):
                row["new"] = row["new"] or row["followed"]
                waiting.discard(name)


def deny(exam, modality, settings, *, is_first):
    """A lesion called gone beside a measurement that says otherwise, and no word of a reader, says nothing."""
    for row in () if is_first else exam["rows"].values():
        hot = modality == "NM" and row["uptake"] is not None and not is_cold(row["uptake"], settings)
        judged = [signal_is_normal(sequence, ratio, settings) for sequence, ratio in row["signals"].items()]
        if row["gone"] and not row["codes"] and (hot or (modality == "MR" and False in judged)):
            row |= {"silent": True, "gone": False, "sizes": {}}


def is_doubted(name, modality, visits, looked, met):
    """Whether it may be new or not at first sight (detail 4): another modality lists it, or saw it go."""
    seen = [index for index in looked if is_shown_by(visits[index]["exams"][modality]["rows"].get(name))]
    if not seen or seen[0] == looked[0]:
        return False
    row = visits[seen[0]]["exams"][modality]["rows"][name]
    if row["called"] or "PD4" in row["codes"] or not (row["new"] or row["equivocal"]):
        return False
    if name in met:
        return went_before(name, modality, visits, seen[0])
    own = visits[0]["exams"].get(modality, {"rows": {}})["rows"].get(name)
    for other, exam in visits[0]["exams"].items():
        listed = exam["rows"].get(name)
        if other != modality and listed is not None and listed["silent"] and (own is None or not exam["ok"]):
            return True
    return False


def is_shown_by(row):
    return row is not None and not (row["silent"] or row["gone"])


def went_before(name, modality, visits, first):
    """Whether every other CT, MR and radiograph that judged it last said, before its first sight here, that it went."""
    last = {}
    for index, visit in enumerate(visits[: first + 1]):
        for other, exam in visit["exams"].items():
            row = exam["rows"].get(name)
            if other != modality and other in ANATOMICAL and row is not None and not row["silent"]:
                last[other] = (index, row["gone"])
    if not last or not all(gone for _, gone in last.values()):
        return False
    return any(index < first for index, _ in last.values())


def is_met(row, exam, settings):
    """Whether another modality shows the lesion at the patient's first visit, be it that nobody drew it."""
    if row is None or row["gone"] or (row["silent"] and not row["missing"]):
        return False
    return not (exam["name"] == "NM" and row["uptake"] is not None and is_cold(row["uptake"], settings))


def make_lesion(name, modality, exams, start, settings, *, met=False):
    rows = {index: dict(exam["rows"][name]) for index, exam in exams.items() if name in exam["rows"]}
    for row in rows.values():
        row["cold"] = modality == "NM" and row["uptake"] is not None and is_cold(row["uptake"], settings)
        row["cold"] = row["cold"] and not row["called"]
    met = met and not any(row["called"] for row in rows.values())
    merged = {index: exam["merged"][name] for index, exam in exams.items() if name in exam["merged"]}
    mark_equivocal(rows, start, settings, merged, known=met)
    seen = [index for index, row in sorted(rows.items()) if not (row["silent"] or row["gone"] or row["equivocal"])]
    silent = [index for index, row in sorted(rows.items()) if row["silent"]]
    if not seen and not silent:
        return None
    first = seen[0] if seen else None
    at_start = rows.get(start)
    if first == start:
        kind = "baseline"
    elif met:
        kind = "known"
    elif at_start is not None:
        kind = "new" if at_start["gone"] else "known"
    else:
        was_equivocal = any(row["equivocal"] for row in rows.values())
        kind = "new" if was_equivocal or (first is not None and rows[first]["new"]) else "known"
    if kind == "new" and first is None:
        return None
    row = rows[first] if first is not None else {"type": None, "measurable": None, "sizes": {}}
    axis = max((axes[0] for axes in row["sizes"].values()), default=None)
    measurable = row["measurable"]
    if measurable is None:
        measurable = axis is not None and axis >= number(settings.policy.minimum_size_mm)
    return {
        "name": name,
        "modality": modality,
        "kind": kind,
        "first": first if first is not None else 10**6,
        "listed": first if kind == "new" else min(seen + silent),
        "rows": rows,
        "merged": merged,
        "type": row["type"],
        "measurable": bool(measurable) and modality in ANATOMICAL,
        "calm": None,
        "refuted": None,
        "open": opened(kind, row, rows.values()),
    }


def opened(kind, first, rows):
    """Details still to be decided (see test_against_naive)."""
    found = {"F12"} if kind == "baseline" and first["measurable"] and not first["sizes"] else set()
    several = len(first["sizes"]) > 1 or not set(first["sizes"]) <= {"", "T1", "T2", "STIR"}
    return found | ({"F17"} if several and any(row["gone"] for row in rows) else set())


def is_cold(ratio, settings):
    """No warmer than bone may be."""
    return ratio <= number(settings.image.normal_uptake)


def mark_equivocal(rows, start, settings, merged, *, known=False):
    """A new focus below `new_lesion_mm`, or on the scan of normal uptake, counts nowhere until it reaches that size (or
    is called new without one), or lights up. What has merged has no size of its own.
    """
    counted = start in rows and not rows[start]["gone"]
    waiting, met, known = False, known, known or (start in rows and rows[start]["silent"])
    for index, row in sorted(rows.items()):
        row["equivocal"] = row["equivocal"] and index != start and not known
        if row["silent"] or row["gone"] or counted:
            continue
        axes = [row["sizes"].get(sequence, (None,))[0] for sequence in row["sequences"]]
        small = (
            row["cold"]
            or (index in merged and not row["called"])
            or (None not in axes and max(axes) < number(settings.policy.new_lesion_mm))
        )
        is_new = (row["new"] or waiting or start in rows) and not met
        if row["equivocal"] or (small and is_new):
            row["equivocal"], waiting = True, True
        else:
            counted = True


def new_lesions_at(lesions, visit):
    """New lesions that are there, without those settled as flare: PD4 (detail 4)."""
    found = []
    for lesion in lesions:
        if lesion["kind"] != "new" or lesion["first"] > visit or lesion["calm"] is not None:
            continue
        if is_there(lesion, visit):
            found.append(lesion)
    return found


def is_there(lesion, visit):
    """What was last said of it up to the visit."""
    told = [row for index, row in sorted(lesion["rows"].items()) if index <= visit and not row["silent"]]
    return not (told[-1]["gone"] or is_healed(lesion, told[-1]))


def is_shown(lesion, visit):
    """Whether the image of that visit shows it, abnormal and large enough to count."""
    row = lesion["rows"].get(visit)
    if row is None or lesion["first"] > visit:
        return False
    return not (row["silent"] or row["equivocal"] or row["gone"] or is_healed(lesion, row))


def is_healed(lesion, row):
    """Back to normal by its uptake, or complete response by the reader's word."""
    words = {"CT": {"CR1", "CR2"}, "XR": {"CR1", "CR2"}, "MR": {"CR3"}, "NM": {"CR4"}}.get(lesion["modality"], set())
    if lesion["type"] is LesionType.BLASTIC:
        words = words - {"CR1"}
    return row["cold"] or bool(words & row["codes"])


def treated_at(lesion, visit, settings):
    if settings.policy.treated_lesions == "include":
        return False
    return any(row["treated"] for index, row in lesion["rows"].items() if index <= visit)


def core_of(lesions):
    baseline = [lesion for lesion in lesions if lesion["kind"] == "baseline"]
    measurable = [lesion for lesion in baseline if lesion["measurable"]]
    return measurable or baseline


def sum_at(core, visit, sequences, added=()):
    """(sum of those assessed, whether all are): what is merged counts once. added: new lesions of a later region."""
    total, complete, counted = 0, True, set()
    there = [*core, *(one for one in added if one["first"] <= visit)]
    names = {one["name"] for one in there}
    for lesion in there:
        if lesion["name"] in counted:
            continue
        counted |= lesion["merged"].get(visit, set())
        complete = complete and region_of(lesion, visit) <= names
        size = size_at(lesion, visit, sequences.get(lesion["name"], ""))
        complete = complete and size is not None
        total += size or 0
    return total, complete


def size_by_sum(core, start, visit, settings, lesions=()):
    """PD, PR, SD or NE of the sum of all core lesions (details 1, 2, 6, 27)."""
    merged = {name for lesion in core for name in region_of(lesion, visit)}
    for lesion in core:
        if region_of(lesion, visit) - {one["name"] for one in lesions}:
            lesion["open"].add("F20")
    core = core + [one for one in lesions if one["kind"] == "baseline" and one["name"] in merged and one not in core]
    sequences = {lesion["name"]: sequence_of(lesion, visit, settings) for lesion in core}
    merged = {name for lesion in core for name in lesion["merged"].get(visit, ())}
    added = [one for one in lesions if one["kind"] == "new" and one["name"] in merged]
    whole = max((one["first"] for one in added), default=start)
    sums = {index: sum_at(core, index, sequences, added) for index in range(start, visit)}
    past = [total for total, complete in sums.values() if complete]
    grow = [total for index, (total, complete) in sums.items() if complete and index >= whole]
    total, complete = sum_at(core, visit, sequences, added)
    if not past or not grow:
        answer = past and complete and total <= past[0] * (1 - number(settings.policy.pr_size_fall))
        return "PR" if answer else "NE"
    reference = min(grow) if settings.policy.progression_reference == "nadir" else grow[0]
    axes = [
        lesion["rows"][visit]["sizes"].get(sequences[lesion["name"]], (0,))[0]
        for lesion in core
        if answers(lesion, visit)
    ]
    if grown(total, reference, max(axes, default=None), settings):
        return "PD"
    if not complete:
        return "NE"
    return "PR" if total <= past[0] * (1 - number(settings.policy.pr_size_fall)) else "SD"


def answers(lesion, visit):
    row = lesion["rows"].get(visit)
    return row is not None and not row["silent"]


def size_by_each(core, answered):
    sizes = [answered[lesion["name"]]["measured"] for lesion in core]
    if "PD" in sizes:
        return "PD"
    if None in sizes:
        return "NE"
    return "PR" if set(sizes) == {"PR"} else "SD"


def judge_modality(lesions, start, visit, settings, without=()):
    """Category of a modality at a visit where it was evaluable; `without`: lesions left out, to ask what they decide.

    Gives {"category", "lesions": {name: answer}, "sign": whether something responds}.
    """
    modality = lesions[0]["modality"] if lesions else ""
    here = [lesion for lesion in lesions if lesion["listed"] <= visit]
    treated = [lesion for lesion in here if treated_at(lesion, visit, settings)]
    scored = [lesion for lesion in here if lesion not in treated]
    answered = {lesion["name"]: judge_lesion(lesion, visit, lesions, settings) for lesion in scored}
    new = [lesion for lesion in new_lesions_at(here, visit) if lesion["name"] not in without]
    judged = [
        lesion for lesion in scored if lesion["name"] not in without and lesion not in new_lesions_at(here, visit)
    ]
    remains = any(
        lesion["kind"] != "new" and judge_lesion(lesion, visit, lesions, settings)["category"] != "CR"
        for lesion in treated
    ) or any(is_shown(lesion, visit) for lesion in here if lesion["kind"] == "new")
    core = core_of(scored)
    by_size = core_size(core, start, visit, answered, settings, lesions)
    answer = {"lesions": answered, "sign": False}
    responding = [one for one in judged if one["kind"] != "new" and answered[one["name"]]["category"] in {"CR", "PR"}]
    answer["sign"] = bool(responding) or by_size == "PR"
    answer["category"] = category_of(
        visit,
        modality,
        judged,
        core,
        by_size,
        new,
        answered,
        settings,
        emptied=bool(treated) and not scored,
        remains=remains,
    )
    return answer


def core_size(core, start, visit, answered, settings, lesions):
    if not core or not core[0]["measurable"]:
        return None
    if settings.policy.size_scope == "each":
        return size_by_each(core, answered)
    return size_by_sum(core, start, visit, settings, lesions)


def progresses(lesion, answer):
    """Own progression that the modality takes over; of a measurable lesion of baseline only what a reader says."""
    summed = lesion["kind"] == "baseline" and lesion["measurable"]
    return answer["stated"] if summed else answer["category"] == "PD"


def is_called_new(lesion, visit):
    """Whether a reader writes on its row that there is a new metastasis, be it another one (detail 12)."""
    return visit in lesion["rows"] and "PD4" in lesion["rows"][visit]["codes"]


def category_of(visit, modality, judged, core, by_size, new, answered, settings, *, emptied, remains):
    if new or by_size == "PD" or any(progresses(lesion, answered[lesion["name"]]) for lesion in judged):
        return "PD"
    if any(is_called_new(lesion, visit) for lesion in judged):
        return "PD"
    if any(lesion["doubted"] and is_shown_by(lesion["rows"].get(visit)) for lesion in judged):
        return "NE"
    if modality == "PT" or emptied:
        return "NE"
    categories = {lesion["name"]: answered[lesion["name"]]["category"] for lesion in judged}
    if any(categories.get(lesion["name"]) == "NE" for lesion in core):
        return "NE"
    barring = [categories[lesion["name"]] for lesion in judged if lesion["kind"] != "new"]
    if barring and set(barring) == {"CR"} and not remains:
        return "CR"
    if by_size == "PR" or share_responds(judged, answered, settings):
        return "PR"
    # without lesions at baseline nothing was followed (an ambiguity: SD4 alone could be read as SD), unless a flare was
    followed = core or any(one["kind"] == "new" and one["calm"] is not None and is_there(one, visit) for one in judged)
    return "SD" if followed and by_size != "NE" else "NE"


def share_responds(judged, answered, settings):
    """Details of `response_share`: new lesions and those with `new=false` stay out, one that progresses bars it."""
    if any(answered[lesion["name"]]["category"] == "PD" for lesion in judged):
        return False
    baseline = [answered[lesion["name"]] for lesion in judged if lesion["kind"] == "baseline"]
    assessed = [one for one in baseline if one["category"] != "NE"]
    sharing = [one for one in assessed if one["share"]]
    return bool(sharing) and len(sharing) >= number(settings.policy.response_share) * len(assessed)
