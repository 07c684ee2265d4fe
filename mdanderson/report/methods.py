"""The method statement: how a cohort was scored, in sentences for a paper, every limit from the settings in force."""

from __future__ import annotations

import re
import textwrap

from mdanderson.criteria import CRITERIA_SETS
from mdanderson.report.methods_texts import IMAGE_UNITS, OPENING, PARAGRAPHS, REFERENCES, REMARKS, WORDS
from mdanderson.settings import Settings
from mdanderson.version import __version__
from mdanderson.vocabulary import Scope

__all__ = ["method_statement", "methods_page"]

_POLICY_SHARES = ("pr_size_fall", "pd_size_rise", "pr_uptake_fall", "pd_uptake_rise", "response_share")
_IMAGE_SHARES = (
    "grown_share",
    "lytic_minimum_share",
    "complete_fill_in",
    "complete_fill_in_sclerotic",
    "partial_fill_in",
    "rim_fraction",
    "rim_fraction_rise",
    "normal_contrast_left",
    "normal_class_share",
)


def method_statement(settings: Settings | None = None) -> str:
    """How patients are scored with `settings` (the defaults without): paragraphs of Markdown, and the references."""
    values = _values(settings or Settings())
    paragraphs = (f"**{title}.** {_one_line(words).format_map(values)}" for title, words in PARAGRAPHS)
    return "\n\n".join([*map(_wrapped, paragraphs), REFERENCES]) + "\n"


def methods_page() -> str:
    """The page of the documentation: the statement with the defaults, and what to mind."""
    others = ", ".join(one.title for one in CRITERIA_SETS[1:])
    remarks = REMARKS.format(others=others)
    return "\n\n".join((OPENING, "## The statement", method_statement().rstrip(), "## What to mind", remarks)) + "\n"


def _values(settings: Settings) -> dict[str, str]:
    """What the sentences ask for, by name."""
    policy, image = settings.policy, settings.image
    return {
        "version": __version__,
        **{name: _percent(getattr(policy, name)) for name in _POLICY_SHARES},
        **{name: _percent(getattr(image, name)) for name in _IMAGE_SHARES},
        **{name: f"{getattr(image, name):g} {unit}".rstrip() for name, unit in IMAGE_UNITS.items()},
        **_policy_values(settings),
        **_error_values(settings),
        "bias_correction": WORDS["bias_correction"][settings.mr.bias_correction],
        "scan_reference": WORDS["scan_reference"][settings.scintigraphy.reference],
        "lean_mass": WORDS["lean_mass"][settings.pet.lean_mass],
        "peak_sphere_ml": f"{settings.pet.peak_sphere_ml:g} ml",
    }


def _error_values(settings: Settings) -> dict[str, str]:
    """How far two measurements of one lesion lie apart."""
    one, unsure = settings.uncertainty.readers == "one", settings.uncertainty
    return {
        "readers": "by one reader" if one else "by two readers",
        "relative_sd": _percent(unsure.relative_sd_one_reader if one else unsure.relative_sd_two_readers),
        "absolute_sd_mm": f"{unsure.absolute_sd_mm:g} mm",
    }


def _policy_values(settings: Settings) -> dict[str, str]:
    policy = settings.policy
    weeks = f"{policy.scan_confirm_weeks:g} weeks"
    total, by_lesion = "judged by the sum over all measurable baseline lesions", "judged lesion by lesion"
    confirmed = f"Response counted when it was seen again at least {policy.confirm_weeks:g} weeks later."
    return {
        "visit_window_days": str(policy.visit_window_days),
        "minimum_size_mm": f"{policy.minimum_size_mm:g} mm",
        "new_lesion_mm": f"{policy.new_lesion_mm:g} mm",
        "flare_window_weeks": f"{policy.flare_window_weeks:g} weeks",
        "size_scope": total if policy.size_scope is Scope.SUM else by_lesion,
        "pd_floor": f" and at least {policy.pd_absolute_mm:g} mm" if policy.pd_absolute_mm else "",
        "progression_reference": WORDS["progression_reference"][policy.progression_reference],
        "scan_only": WORDS["scan_only_progression"][policy.scan_only_progression].format(scan_confirm_weeks=weeks),
        "modality_order": ", ".join(policy.modality_order),
        "confirmation": confirmed if policy.confirm_weeks else "Response needed no confirmation.",
        "treated": WORDS["treated_lesions"][policy.treated_lesions],
        "censor_at": WORDS["censor_at"][policy.censor_at],
        "death": " or death" if policy.death == "event" else ", with death as censoring",
    }


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _wrapped(paragraph: str) -> str:
    """Lines of a page; a number stays with its unit."""
    kept = re.sub(r"(\d) (%|mm|HU|kV|ml|weeks|days)", "\\1\xa0\\2", paragraph)
    return textwrap.fill(kept, width=120, break_long_words=False, break_on_hyphens=False).replace("\xa0", " ")
