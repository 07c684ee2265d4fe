"""One lesion at one visit, row by row of the table (docs/criteria.md, docs/details.md).

A lesion: {"name", "modality", "kind", "first", "rows": {visit: row}, "merged": {visit: members}, "type", "measurable",
"calm": visit of a settled flare or None}. kind: `baseline`, `known` (there before, not assessed then) or `new`.
"""

from __future__ import annotations

from fractions import Fraction

from mdanderson.vocabulary import LesionType

from .reading import number

__all__ = ["fallen", "grown", "judge_lesion", "sequence_of", "signal_is_normal", "size_at", "together_at", "uptake_at"]

CODES = {
    "CT": {"CR1", "CR2", "PR1", "PR4", "PD2", "SD1", "SD3", "PR2"},
    "MR": {"CR3", "PR4", "PD2", "SD1", "SD3"},
    "NM": {"CR4", "PR5", "PD3", "SD1", "PR2"},
    "PT": set(),
}
CODES["XR"] = CODES["CT"]
SIZE_CODES, DENSITY_CODES = {"PR4", "PD2", "SD3"}, {"CR1", "CR2", "PR1", "SD1"}
AS_ITS_BONE = Fraction(1)
"""Uptake ratio of a focus that is gone: no source says, it is as hot as reference bone."""
SIGNAL_CODES, UPTAKE_CODES = {"CR3", "SD1"}, {"CR4", "PR5", "PD3", "SD1"}


# sizes


def size_at(lesion, visit, sequence):
    """Sum of the two diameters in that sequence, 0 when gone, None when not assessed."""
    row = lesion["rows"].get(visit)
    if row is None or row["silent"] or row["equivocal"]:
        return None
    if row["gone"]:
        return Fraction(0)
    axes = row["sizes"].get(sequence)
    return None if axes is None or axes[1] is None else axes[0] + axes[1]


def region_of(lesion, visit):
    """The lesions that are one region with it at a visit; none where they are gone, each of them for itself."""
    row = lesion["rows"].get(visit)
    return set() if row is not None and row["gone"] else lesion["merged"].get(visit, set())


def together_at(lesion, visit, sequence, family):
    """The same, of what the lesion is merged with at the visit of interest: diameters added while they were apart."""
    if len(family) == 1:
        apart = not region_of(lesion, visit)
        return size_at(lesion, visit, sequence) if apart else None
    if lesion["merged"].get(visit) == frozenset(one["name"] for one in family):
        return size_at(lesion, visit, sequence)
    sizes = [0 if one["kind"] == "new" and one["first"] > visit else size_at(one, visit, sequence) for one in family]
    return None if None in sizes else sum(sizes)


def sequence_of(lesion, visit, settings):
    """MR: the first sequence of `size_sequence_order` that the first and this visit have; one without name counts."""
    first, row = lesion["rows"][lesion["first"]], lesion["rows"].get(visit)
    for sequence in [*map(str, settings.policy.size_sequence_order), *sorted(first["sizes"])]:
        if sequence in first["sizes"] and (row is None or sequence in row["sizes"] or row["gone"] or row["silent"]):
            return sequence
    return min(row["sizes"], default="") if row and not first["sizes"] else ""


def grown(now, reference, axis, settings):
    """PD1 and PD2: a rise of 25 %, from nothing a long axis of a measurable lesion."""
    policy = settings.policy
    if reference == 0:
        return axis is not None and axis >= number(policy.minimum_size_mm)
    rise = now - reference
    return rise >= reference * number(policy.pd_size_rise) and rise >= number(policy.pd_absolute_mm)


def fallen(now, first, share):
    return first > 0 and now <= first * (1 - number(share))


def measured_size(lesion, visit, siblings, settings):
    """PD, PR, SD or None of the lesion's own size."""
    row = lesion["rows"][visit]
    members = lesion["merged"].get(visit, frozenset([lesion["name"]]))
    family = [one for one in siblings if one["name"] in members]
    sequence = sequence_of(lesion, visit, settings)
    now = size_at(lesion, visit, sequence)
    sizes = [together_at(lesion, past, sequence, family) for past in range(lesion["first"], visit)]
    whole = max((one["first"] for one in family if one["kind"] == "new" and len(family) > 1), default=0)
    earlier = [size for past, size in enumerate(sizes, lesion["first"]) if size is not None and past >= whole]
    if now is None or not earlier:
        lone_fall = now is not None and sizes and sizes[0] is not None
        return "PR" if lone_fall and fallen(now, sizes[0], settings.policy.pr_size_fall) else None
    first = sizes[0]
    begin = first if whole <= lesion["first"] else sizes[whole - lesion["first"]]
    reference = min(earlier) if settings.policy.progression_reference == "nadir" else begin
    axis = row["sizes"].get(sequence, (None,))[0]
    if reference is not None and grown(now, reference, axis, settings):
        return "PD"
    if first is None:
        return None  # whether it fell by half nobody can say (an ambiguity: it has not risen from its nadir)
    return "PR" if fallen(now, first, settings.policy.pr_size_fall) else "SD"


# density, signal, uptake


def distance(density):
    return abs(number(density.median_hu) - number(density.reference_hu))


def off_normal(density, settings):
    """Whether the median lies outside the band of the patient's own bone."""
    image = settings.image
    spread = number(image.normal_robust_sd) * number(density.reference_sd_hu or 0)
    return distance(density) > max(spread, number(image.normal_minimum_hu))


def density_normal(before, now, settings):
    """CR2, with what decisions/0007 adds: off before, plainly nearer now, no focus left."""
    image = settings.image
    if before is None or before.reference_hu is None or now.reference_hu is None:
        return False
    if not off_normal(before, settings) or off_normal(now, settings):
        return False
    if distance(now) > number(image.normal_contrast_left) * distance(before):
        return False
    shares = (now.lytic_fraction, now.sclerotic_fraction)
    if any(share is None or number(share) >= number(image.normal_class_share) for share in shares):
        return False
    return now.lytic_focus_mm is None or number(now.lytic_focus_mm) < number(image.normal_focus_mm)


def at_least(value, limit):
    return value is not None and number(value) >= number(limit)


def measured_density(lesion, row, settings):
    before, now, image = lesion["rows"][lesion["first"]]["density"], row["density"], settings.image
    if now is None or now.reference_hu is None:
        return None
    lytic = lesion["type"] is LesionType.LYTIC
    cleared = at_least(now.cleared_fraction, image.complete_fill_in)
    filled = at_least(now.fill_in_fraction, image.complete_fill_in_sclerotic)
    if (lytic and cleared and filled) or density_normal(before, now, settings):
        return "CR"
    if lytic and at_least(now.fill_in_fraction, image.partial_fill_in):
        return "PR"
    if lytic and at_least(now.rim_fraction, image.rim_fraction) and before and before.rim_fraction is not None:
        rise = number(now.rim_fraction) - number(before.rim_fraction)
        return "PR" if rise >= number(image.rim_fraction_rise) else None
    return None


def signal_is_normal(sequence, ratio, settings):
    """None where the sequence cannot judge."""
    image = settings.image
    if sequence in {"", "T1"}:
        return number(image.normal_t1_low) <= ratio <= number(image.normal_t1_high)
    if sequence in {"T2", "STIR"}:
        return ratio <= number(image.normal_t2_high)
    if sequence == "OPP":
        return ratio < number(image.normal_opposed_in)
    return None


def measured_signal(lesion, row, settings):
    """CR3: every sequence that can judge is normal, and one of them was not at baseline (details 29, 32)."""
    before = lesion["rows"][lesion["first"]]["signals"]
    now = {sequence: signal_is_normal(sequence, ratio, settings) for sequence, ratio in row["signals"].items()}
    judging = [one for one, normal in now.items() if normal is not None]
    healed = [one for one in judging if one in before and signal_is_normal(one, before[one], settings) is False]
    if healed and all(now[one] for one in judging):
        return "CR"
    if healed and all(now[one] for one in healed):
        lesion["open"].add("F16")
    return "SD" if judging else None


def uptake_at(lesion, visit):
    row = lesion["rows"].get(visit)
    if row is None or row["silent"] or row["equivocal"]:
        return None
    return AS_ITS_BONE if row["gone"] else row["uptake"]


def measured_uptake(lesion, visit, settings):
    """CR4 before PD3 (lowest earlier ratio; after a settled flare, since the flare) before PR5 (baseline)."""
    policy, normal = settings.policy, number(settings.image.normal_uptake)
    now, start = uptake_at(lesion, visit), lesion["first"]
    past = [(earlier, uptake_at(lesion, earlier)) for earlier in range(start, visit)]
    first = past[0][1] if past else None
    past = [(earlier, ratio) for earlier, ratio in past if ratio is not None]
    if now is None or not past:
        return None
    since = [ratio for earlier, ratio in past if lesion["calm"] is None or earlier >= lesion["calm"]]
    if now <= normal:
        if first is not None and first > normal:
            return "CR"
    elif since:
        reference = min(since) if policy.progression_reference == "nadir" else since[0]
        if lesion["calm"] is not None and policy.progression_reference == "baseline":
            lesion["open"].add("F10")
        if now >= reference * (1 + number(policy.pd_uptake_rise)):
            return "PD"
    if first is None:
        return None
    return "PR" if fallen(now, first, policy.pr_uptake_fall) else "SD"


# the reader's word, and all together


def stated(codes, of):
    """The strongest of what the reader states on one thing, None where nothing is stated."""
    kinds = {code[:2] for code in codes & of}
    return next((kind for kind in ("PD", "CR", "PR", "SD") if kind in kinds), None)


def codes_that_count(lesion, row):
    """Details 12: only the modality's own rows, and no estimate where there are diameters."""
    codes = row["codes"] & CODES[lesion["modality"]]
    if lesion["type"] is LesionType.BLASTIC:
        codes -= {"CR1", "PR1"}  # rows for lytic lesions
    if lesion["measurable"] and any(axes[1] is not None for axes in row["sizes"].values()):
        codes -= SIZE_CODES
    return codes


def sub_scores(lesion, visit, siblings, settings):
    row = lesion["rows"][visit]
    codes = codes_that_count(lesion, row)
    scores = {}
    if lesion["modality"] == "NM":
        scores["uptake"] = stated(codes, UPTAKE_CODES) or measured_uptake(lesion, visit, settings)
        return scores
    scores["size"] = stated(codes, SIZE_CODES)
    if scores["size"] is None and "SD1" in codes and not lesion["measurable"]:
        scores["size"] = "SD"
    scores["size"] = scores["size"] or measured_size(lesion, visit, siblings, settings)
    if lesion["modality"] == "MR":
        scores["signal"] = stated(codes, SIGNAL_CODES) or measured_signal(lesion, row, settings)
    else:
        scores["density"] = stated(codes, DENSITY_CODES) or measured_density(lesion, row, settings)
    return scores


def judge_lesion(lesion, visit, siblings, settings):
    """{"category", "measured", "share", "stated"}; share: it counts for `response_share`, which a measurable one's own
    PR3 does not; stated: a reader calls it PD2 or PD3.
    """
    row = lesion["rows"].get(visit)
    nothing = {"category": "NE", "measured": None, "share": False, "stated": False}
    if row is None or row["silent"] or lesion["modality"] == "PT" or lesion["first"] > visit:
        return nothing
    if row["gone"]:
        return {"category": "CR", "measured": "PR", "share": True, "stated": False}
    if row["equivocal"]:
        return nothing
    scores = sub_scores(lesion, visit, siblings, settings)
    values = set(scores.values())
    category = next((one for one in ("PD", "CR", "PR", "SD") if one in values), "NE")
    measured = {name: score for name, score in scores.items() if name != "size" or not lesion["measurable"]}
    share = bool({"CR", "PR"} & set(measured.values())) and category != "PD"
    size = None if lesion["modality"] == "NM" else measured_size(lesion, visit, siblings, settings)
    said = bool(codes_that_count(lesion, row) & {"PD2", "PD3"})
    return {"category": category, "measured": size, "share": share, "stated": said}
