"""The sentences of the method statement. What stands in braces comes from the settings; no limit stands here itself."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["IMAGE_UNITS", "OPENING", "PARAGRAPHS", "REFERENCES", "REMARKS", "WORDS"]

OPENING = """\
# Method statement

> Generated from the settings (`make handbook`). Research use only, not a medical device.

The paragraphs below are ready to paste into a paper. Every number in them is the default of a
[setting](settings.md), and the whole text follows your own settings:

```python
import mdanderson as mda
from mdanderson.report.methods import method_statement

print(method_statement())  # or method_statement(mda.Settings.from_toml("mine.toml"))
```

Before you paste it: delete the modalities that you did not use, say who drew the masks, with which program, and who
read what, and give the number of readers. Where a reader's table was scored, and no images, say that readers measured
the lesions, and delete density and places. `run.json` in the results folder holds the version and every setting: put
it into the supplement."""

REMARKS = """\
- **What is printed in the criteria, and what is ours.** A reader of your paper should know which limits are
  published and which are operational definitions of this program. The [settings](criteria.md#settings) mark the
  latter with †.
- **Accuracy.** Quote figures from [limits and validation](validation.md), with the command that reproduces them,
  and not more than stands there: nothing was shown on patients' outcomes.
- **Not a medical device.** Say that the categories were used for research only.
- **Other criteria** from the same measurements: {others}. Their rows and sources stand in the
  [criteria](criteria.md)."""

PARAGRAPHS = (
    (
        "Response",
        """\
Response of bone metastases was assessed by the MD Anderson criteria as revised in 2010 [1,2] with the open-source
program mdanderson {version} (research use only, not a medical device). Segmented lesions were the input; every
category follows from published rows and the settings given here, and is stored with the rows that held and their
reasons. Images taken at most {visit_window_days} days apart were one visit.""",
    ),
    (
        "Size",
        """\
On CT, MR and radiographs the size of a lesion was the sum of its long axis, the greatest diameter within one slice
over all slices, and the longest chord perpendicular to it in the same slice. Lesions with a long axis of at least
{minimum_size_mm} when first seen were measurable. Response was {size_scope}. Partial response (PR3, PR4) was a fall
by at least {pr_size_fall} from baseline; progression (PD1, PD2) a rise by at least {pd_size_rise}{pd_floor} from
{progression_reference}; stable disease everything between. A lesion that was not segmented but was still abnormal in
the image was not taken as resolved. A new sclerotic rim round a lytic lesion was not counted as growth.""",
    ),
    (
        "New lesions",
        """\
A new bone metastasis was progression (PD4) when its long axis was at least {new_lesion_mm}; smaller new foci were
equivocal and followed. What was first segmented later was looked up in the baseline image, and was new only where
less than {grown_share} of it was abnormal there.""",
    ),
    (
        "Density",
        """\
Density was judged against trabecular bone of the same patient in the same image, never by an absolute HU, on images
smoothed to one scale (Gaussian, sigma {smoothing_sigma_mm}). Voxels were lytic when below the reference median by
{lytic_robust_sd} robust standard deviations (SD) and at least {lytic_minimum_hu} (in a reference below
{osteoporotic_below_hu}: {lytic_minimum_osteoporotic_hu}, at most {lytic_minimum_share} of the reference), and
sclerotic when above it by {sclerotic_robust_sd} robust SD and at least {sclerotic_minimum_hu}. Complete fill-in (CR1)
required that {complete_fill_in} of the baseline lytic volume was no longer lytic and {complete_fill_in_sclerotic} of
it sclerotic; partial fill-in (PR1) that {partial_fill_in} of it was sclerotic; a sclerotic rim (PR1) that it covered
{rim_fraction} of the boundary, and {rim_fraction_rise} of it more than at baseline. Density was back to normal (CR2)
when the median lay within {normal_robust_sd} robust SD, or {normal_minimum_hu}, of the reference, at most
{normal_contrast_left} of its distance at baseline was left, fewer than {normal_class_share} of voxels were lytic and
fewer than {normal_class_share} sclerotic, and no lytic focus of {normal_focus_mm} or more remained. Densities were
not compared across a contrast agent given at one visit only, a change of tube voltage by more than
{voltage_change_kv}, or metal within {metal_reach_mm}.""",
    ),
    (
        "MR signal",
        """\
MR signal, {bias_correction}, was the ratio of the lesion's median to that of normal marrow. It was normal (CR3) with
a T1 ratio of {normal_t1_low} to {normal_t1_high}, a T2 or STIR ratio of at most {normal_t2_high}, and an
opposed-phase to in-phase ratio below {normal_opposed_in}, for every sequence that could be judged.""",
    ),
    (
        "Bone scan",
        """\
Uptake on bone scans was the ratio of the lesion's mean counts to those of {scan_reference}, the geometric mean of
both views where both were read. A ratio of at most {normal_uptake} was normal (CR4), a fall by at least
{pr_uptake_fall} partial response (PR5), a rise by at least {pd_uptake_rise} progression (PD3). New or hotter foci
within {flare_window_weeks} of the start of treatment, beside another sign of response and without progression
elsewhere, were osteoblastic flare (PR2). Progression shown by a scan alone {scan_only}.""",
    ),
    (
        "PET",
        """\
Standardised uptake values were computed by body weight; SULpeak was the mean in a sphere of {peak_sphere_ml} by lean
body mass ({lean_mass}). By the MD Anderson criteria PET counted for new lesions only.""",
    ),
    (
        "From lesions to the patient",
        """\
Progression in any modality came first, then the first of {modality_order} that could be judged. Without the fall of
the sum, a modality was in partial response when at least {response_share} of its lesions carried a row of response
and none progressed. {confirmation} Where a missing measurement could have changed the category, it was not evaluable
(NE). Locally treated lesions were {treated}.""",
    ),
    (
        "Places and identity",
        """\
Lesions were followed by their place, after rigid registration of the images; a registration whose estimated error
exceeded {registration_trust_mm} was not used, and the category was then NE.""",
    ),
    (
        "Uncertainty",
        """\
The probability of each size category was computed for two independent measurements of an unchanged lesion
{readers}, with an SD of a diameter of {relative_sd} of it [3] and {absolute_sd_mm} [4], combined in quadrature.""",
    ),
    (
        "Statistics",
        """\
Response rates have exact 95 % intervals (Clopper-Pearson). Progression-free time ran from the start of treatment, else
from baseline, to progression{death}; without an event it ended at {censor_at}.""",
    ),
)
"""Title and words; what stands in braces comes from the settings."""

REFERENCES = """\
1. Costelloe CM, Chuang HH, Madewell JE, Ueno NT. Cancer response criteria and bone metastases: RECIST 1.1, MDA and
   PERCIST. J Cancer 2010;1:80-92.
2. Hamaoka T, Madewell JE, Podoloff DA, Hortobagyi GN, Ueno NT. Bone imaging in metastatic breast cancer. J Clin Oncol
   2004;22:2942-2953.
3. Yoon SH, Kim KW, Goo JM, Kim DW, Hahn S. Observer variability in RECIST-based tumour burden measurements: a
   meta-analysis. Eur J Cancer 2016;53:5-15 (PubMed 26687017).
4. Revel MP, Bissery A, Bienvenu M, et al. Are two-dimensional CT measurements of small noncalcified pulmonary nodules
   reliable? Radiology 2004;231:453-458."""
"""As the paragraphs number them."""

WORDS: Mapping[str, Mapping[str, str]] = {
    "progression_reference": {
        "nadir": "the smallest earlier complete measurement, baseline included",
        "baseline": "baseline",
    },
    "censor_at": {
        "last_visit": "the last evaluable visit",
        "therapy_stop": "the last evaluable visit before therapy stopped",
        "new_therapy": "the last evaluable visit before a new therapy",
    },
    "scan_only_progression": {
        "unconfirmed": "was unconfirmed until a scan at least {scan_confirm_weeks} later confirmed it",
        "accept": "was accepted",
    },
    "bias_correction": {"n4": "after N4 bias correction", "none": "without bias correction"},
    "scan_reference": {
        "mirrored": "a given reference, else the mirrored side, else the median of the skeleton",
        "skeleton": "a given reference, else the median of the skeleton",
    },
    "lean_mass": {"janmahasatian": "Janmahasatian 2005", "james": "James 1976"},
    "treated_lesions": {
        "exclude": "left out of the sum from the day of the treatment",
        "include": "kept in the sum",
    },
}
"""Setting -> its words in a sentence."""

IMAGE_UNITS: Mapping[str, str] = {
    "smoothing_sigma_mm": "mm",
    "lytic_robust_sd": "",
    "lytic_minimum_hu": "HU",
    "osteoporotic_below_hu": "HU",
    "lytic_minimum_osteoporotic_hu": "HU",
    "sclerotic_robust_sd": "",
    "sclerotic_minimum_hu": "HU",
    "normal_robust_sd": "",
    "normal_minimum_hu": "HU",
    "normal_focus_mm": "mm",
    "voltage_change_kv": "kV",
    "metal_reach_mm": "mm",
    "normal_t1_low": "",
    "normal_t1_high": "",
    "normal_t2_high": "",
    "normal_opposed_in": "",
    "normal_uptake": "",
    "registration_trust_mm": "mm",
}
"""Setting of [image] -> its unit."""
