"""The prose of the handbook that belongs to no single set, and the quantities of the tables in words."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ABOUT_RISK", "ABOUT_SETTINGS", "MARKS", "OPENING", "QUANTITIES"]

OPENING = """\
# The criteria

> Generated from the tables that decide (`make handbook`). What stands here is what the program does; to change it,
> change the rule or the setting. Research use only, not a medical device.

## How a category comes about

1. **A lesion is measured, or a reader tells what it is.** Size is the *sum* of the two perpendicular diameters in the
   slice that shows the lesion largest; product (WHO) and longest diameter (RECIST) stand beside it. Density, signal and
   uptake are read against the patient's own uninvolved bone, never as an absolute number. A reader's statement wins
   over what was measured, and both are kept.
2. **Every row of the table is asked**, of every lesion or of all of them together. A row is one printed criterion: it
   holds, does not hold, is not for such a lesion, or cannot be asked because something is missing. Limits hold exactly
   as they are printed: `≥ 25 %` holds at 25 %, `> 25 %` does not. Values are compared as exact fractions, so that no
   rounding decides.
3. **Rows make the category of one modality at one visit.** Progression comes before response, and response before
   stable disease; each set says below how its rows go together. A fall is taken from baseline, a rise from the smallest
   earlier value. A modality is compared with its own first visit, never with another modality.
4. **Modalities make the patient.** Progression comes first, then the first modality in `modality_order` that can be
   judged. In the MD Anderson sets CT, MR and radiographs speak before scans, and a progression that only a scan shows
   is `unconfirmed` until a later scan confirms it. Modalities that say otherwise are named as `discordant`.
5. **Later visits settle earlier ones**, where the criteria ask for it: osteoblastic flare, a scan to be confirmed, a
   progression under immunotherapy. Tables show what is known at the end of the series, and `reason` says when and why a
   visit was restated.

**Nothing is guessed.** A lesion without a row or a label is not assessed: it is not gone, it does not shrink the sum.
Where something is missing that could have changed the answer the category is NE, with the reason; only when what *is*
known already proves progression is it PD. `mdanderson explain` prints the whole trace of a category, row by row.

The numbered points that the tables leave open, and how we settled each of them, stand in [details](details.md); the
harder choices, with what else was possible, in [decisions](../decisions/). The table of record prints one sign that
cannot be meant: [SD3](../decisions/0003-sd3-misprint.md)."""

MARKS = """\
- **gives**: the category, in the words of its set. BL is the baseline itself, NE that nothing can be said.
- **applies to**: which lesions the row is for. *Measurable*: two diameters, and at baseline long enough; the role never
  changes later. *Lytic*: lytic at baseline. *Target*, *non-target*: as RECIST has them.
- **level**: whether the row is asked of one lesion, or of all of them together.
- **what must hold**: what the source asks. **limits in force**: the numbers that are compared, each with its setting.
- **†** marks an *operational definition of ours*: the source leaves it open, we chose a value, and it can be changed.
  What has no mark is published, or common practice, or a plain choice of the user: the source of each says which."""

ABOUT_RISK = """\
Points for one lesion, from its place, its type and what a reader tells of it. What nobody told is a range: least and
most points that are possible. Words of the one score that the other asks for otherwise stand with the points that they
leave possible."""

ABOUT_SETTINGS = """\
Every section and key may stand in a TOML file (`mdanderson settings` prints a complete one; `--config FILE.toml` gives
it back). An unknown key, a wrong type and a value outside its bounds are refused. Each run keeps all of them in
`run.json`. † marks an operational definition of ours: no published criterion settles it."""

QUANTITIES: Mapping[str, tuple[str, str]] = {
    "cleared_fraction": ("baseline lytic volume no longer lytic", "%"),
    "contrast_left": ("baseline's distance from reference bone that is left", "%"),
    "fall": ("fall of the sum", "%"),
    "fill_in_fraction": ("baseline lytic volume now sclerotic", "%"),
    "further_mm": ("further growth", "mm"),
    "long_axis_mm": ("long axis", "mm"),
    "lytic_focus_mm": ("largest lytic focus left", "mm"),
    "lytic_fraction": ("lytic voxels", "%"),
    "median_off_hu": ("median off reference bone", "HU"),
    "median_off_in_robust_sd": ("median off reference bone", "robust SD"),
    "new_foci": ("new foci", ""),
    "node_growth_mm": ("growth of a node", "mm"),
    "normal_node_mm": ("short axis of a node", "mm"),
    "opposed_in_ratio": ("opposed/in phase", ""),
    "product_fall": ("fall of the sum of products", "%"),
    "product_rise": ("rise of a lesion's product", "%"),
    "reappeared_mm": ("from nothing, long axis", "mm"),
    "reappeared_suv": ("from nothing, SUVmax", ""),
    "rim_fraction": ("boundary with a sclerotic rim", "%"),
    "rim_fraction_rise": ("more of it than at baseline", "%"),
    "rise": ("rise of the sum", "%"),
    "rise_mm": ("rise", "mm"),
    "sclerotic_fraction": ("sclerotic voxels", "%"),
    "size_fall": ("fall of size", "%"),
    "size_rise": ("rise of size", "%"),
    "soft_tissue_mm": ("soft-tissue component", "mm"),
    "sul_fall": ("fall of SULpeak", "%"),
    "sul_rise": ("rise of SULpeak", "%"),
    "sul_units": ("and in SUL units", ""),
    "suv_fall": ("fall of the sum of SUVmax", "%"),
    "suv_rise": ("rise of the sum of SUVmax", "%"),
    "t1_ratio_high": ("T1 signal against marrow", ""),
    "t1_ratio_low": ("T1 signal against marrow", ""),
    "t2_ratio": ("T2 or STIR signal against marrow", ""),
    "target_node_mm": ("short axis of a target node", "mm"),
    "tlg_rise": ("rise of total lesion glycolysis", "%"),
    "uptake_fall": ("fall of the uptake ratio", "%"),
    "uptake_ratio": ("uptake ratio to reference bone", ""),
    "uptake_rise": ("rise of the uptake ratio", "%"),
    "weeks_later": ("weeks until the scan that decides", ""),
    "weeks_on_treatment": ("weeks on treatment", ""),
}
"""Quantity of a threshold -> words and unit."""
