"""Uptake against reference bone: drawn samples, phantoms of known ratio, every way to a reference and every refusal."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as rules
from hypothesis import strategies as st

from mdanderson.errors import MeasurementError, UnitError
from mdanderson.measure.skeleton import survey_scan
from mdanderson.measure.uptake import UptakeMeasure, geometric_mean, measure_uptake, place_uptake
from mdanderson.measure.uptake_reference import (
    GIVEN,
    MIRRORED,
    NEAR_BY,
    WHOLE,
    UptakeReference,
    find_uptake_reference,
)
from mdanderson.phantoms.scan import Focus, ScanBody, ScanPose, render_view
from mdanderson.planar import PlanarImage
from mdanderson.settings import ImageSettings, Scintigraphy
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Mask, Region, Unit

SETTINGS, IMAGE = Scintigraphy(), ImageSettings()
SITES = {"rib": (70, 410), "femur": (95, -200), "iliac": (85, 100), "humerus": (205, 380), "tibia": (82, -600)}
MIDLINE = {"spine": (0, 250), "sternum": (4, 430), "sacrum": (-8, 80)}


@lru_cache(maxsize=16)
def scan(ratio=3.0, radius=8.0, body=0, view=View.ANT, seed=1, scale=1.0, counts=2e6, bone=1.0, depth=None, **pose):
    foci = [Focus(x_mm=x, z_mm=z, radius_mm=radius, ratio=ratio, depth_mm=depth) for x, z in (SITES | MIDLINE).values()]
    return render_view(
        ScanBody(seed=body, bone=bone),
        foci,
        view=view,
        noise_seed=seed,
        scale=scale,
        total_counts=counts,
        pose=ScanPose(**pose),
    )


def label_of(site):
    return list(SITES | MIDLINE).index(site) + 1


def reference_of(phantom, site, **asked):
    region = phantom.mask[label_of(site)]
    asked = {"settings": SETTINGS, "neighbours": phantom.mask.regions} | asked
    return find_uptake_reference(phantom.volume, region, **asked)


def measured(phantom, site, **asked):
    return measure_uptake(phantom.volume, phantom.mask[label_of(site)], reference_of(phantom, site, **asked))


def slab(counts, view=View.ANT):
    return PlanarImage(
        array=np.asarray(counts, dtype=float),
        spacing_mm=(2.0, 2.0),
        unit=Unit.COUNTS,
        modality=Modality.NM,
        view=view,
    ).as_slab()


def outline(inside, label=1):
    region = Region.from_array(np.asarray(inside, dtype=bool)[None], label=label)
    assert region is not None
    return region


LITERAL = np.array(
    [
        [10, 10, 10, 10, 10, 10],
        [10, 40, 50, 10, 20, 20],
        [10, 60, 30, 10, 20, 20],
    ]
)


class TestLiteral:
    reference = UptakeReference(source=GIVEN, level=20.0, pixels=4, relative_sd=0.1, counts_per_event=1.0)

    def test_the_mean_of_four_pixels_against_the_reference(self):
        found = measure_uptake(slab(LITERAL), outline(LITERAL >= 30), self.reference)
        assert (found.mean_counts, found.max_counts, found.pixels, found.ratio) == (45.0, 60.0, 4, 2.25)
        assert found.ratio_sd == pytest.approx(2.25 * np.hypot(1 / np.sqrt(180), 0.1))

    def test_pixels_never_imaged_do_not_count(self):
        counts = LITERAL.astype(float)
        counts[2, 1] = np.nan
        found = measure_uptake(slab(counts), outline(LITERAL >= 30), self.reference)
        assert (found.mean_counts, found.pixels) == (40.0, 3)

    def test_no_reference_no_ratio(self):
        found = measure_uptake(slab(LITERAL), outline(LITERAL >= 30), UptakeReference(why="superscan: all of it"))
        assert (found.ratio, found.ratio_sd, found.why) == (None, None, "superscan: all of it")

    def test_nothing_counted_in_the_lesion(self):
        found = measure_uptake(slab(np.zeros((3, 6))), outline(LITERAL >= 30), self.reference)
        assert (found.ratio, found.ratio_sd) == (0.0, None)

    def test_nothing_imaged_is_an_error(self):
        counts = np.where(LITERAL >= 30, np.nan, LITERAL)
        with pytest.raises(MeasurementError, match="label 1 lies where nothing was imaged"):
            measure_uptake(slab(counts), outline(LITERAL >= 30), self.reference)

    @pytest.mark.parametrize("unit", [Unit.HU, Unit.ARBITRARY, Unit.SUV])
    def test_other_units_are_an_error(self, unit):
        with pytest.raises(UnitError, match="uptake needs counts"):
            measure_uptake(replace(slab(LITERAL), unit=unit), outline(LITERAL >= 30), self.reference)
        with pytest.raises(UnitError, match="uptake needs counts"):
            find_uptake_reference(
                replace(slab(LITERAL), unit=unit), outline(LITERAL >= 30), neighbours=(), settings=SETTINGS
            )


class TestSource:
    @pytest.mark.parametrize("site", SITES)
    @pytest.mark.parametrize("view", View)
    def test_what_has_another_side_is_compared_with_it(self, site, view):
        phantom = scan(view=view)
        found = measured(phantom, site)
        assert found.reference.source == MIRRORED
        assert found.ratio == pytest.approx(phantom.ratio(label_of(site)), rel=0.1)

    @pytest.mark.parametrize("site", MIDLINE)
    def test_what_lies_in_the_middle_goes_to_the_skeleton_near_by(self, site):
        assert reference_of(scan(), site).source == NEAR_BY

    @pytest.mark.parametrize("site", SITES)
    def test_a_turned_patient_has_the_same_other_side(self, site):
        phantom = scan(turn_degrees=6.0, shift_mm=(20.0, -30.0))
        found = measured(phantom, site)
        assert found.reference.source == MIRRORED
        assert found.ratio == pytest.approx(phantom.ratio(label_of(site)), rel=0.1)

    def test_a_lesion_on_the_other_side_is_no_reference(self):
        both = [Focus(x_mm=x, z_mm=100.0, radius_mm=9.0, ratio=3.0) for x in (85.0, -85.0)]
        phantom = render_view(ScanBody(), both)
        found = find_uptake_reference(
            phantom.volume, phantom.mask[1], neighbours=phantom.mask.regions, settings=SETTINGS
        )
        assert found.source == NEAR_BY

    def test_an_other_side_as_hot_as_urine_is_no_reference(self):
        both = [
            Focus(x_mm=85.0, z_mm=100.0, radius_mm=9.0, ratio=3.0),
            Focus(x_mm=-85, z_mm=100, radius_mm=14, ratio=12),
        ]
        phantom = render_view(ScanBody(), both)
        found = find_uptake_reference(phantom.volume, phantom.mask[1], neighbours=(), settings=SETTINGS)
        assert found.source == NEAR_BY

    def test_a_side_outside_the_picture_is_no_reference(self):
        phantom = scan()
        cut = phantom.volume.crop((slice(0, 1), slice(0, 1024), slice(120, 256)))
        region = phantom.mask[label_of("rib")]
        moved = replace(
            region,
            box=(region.box[0], region.box[1], slice(*(k - 120 for k in (region.box[2].start, region.box[2].stop)))),
        )
        found = find_uptake_reference(cut, moved, neighbours=(), settings=SETTINGS)
        assert found.source in {NEAR_BY, WHOLE}

    def test_a_given_mask_is_taken_as_it_is(self):
        phantom = scan()
        inside = np.zeros(phantom.volume.array.shape, dtype=bool)
        inside[0, 400:410, 100:110] = True
        mask = Mask(geometry=phantom.volume.geometry, regions=(outline(inside[0], 7),))
        found = reference_of(phantom, "rib", reference_mask=mask)
        assert (found.source, found.pixels) == (GIVEN, 100)
        assert found.level == phantom.volume.array[inside].mean()

    def test_a_given_mask_on_air_is_no_reference(self):
        phantom = scan(seed=None)
        counts = phantom.volume.array.copy()
        counts[:, :10] = 0.0
        inside = np.zeros(counts.shape, dtype=bool)
        inside[0, :5, :5] = True
        mask = Mask(geometry=phantom.volume.geometry, regions=(outline(inside[0], 7),))
        found = find_uptake_reference(
            replace(phantom.volume, array=counts),
            phantom.mask[1],
            neighbours=(),
            reference_mask=mask,
            settings=SETTINGS,
        )
        assert found.level is None
        assert "given mask" in found.why

    def test_the_setting_may_ask_for_the_skeleton_at_once(self):
        assert reference_of(scan(), "rib", settings=Scintigraphy(reference="skeleton")).source == NEAR_BY

    def test_the_source_of_the_baseline_is_kept(self):
        like = UptakeReference(source=WHOLE, level=3.0)
        assert reference_of(scan(), "rib", like=like).source == WHOLE

    def test_the_other_side_of_the_baseline_is_measured_again(self):
        first = reference_of(scan(), "rib")
        again = reference_of(scan(seed=2), "rib", like=first, carried=first.region)
        assert (again.source, again.pixels) == (MIRRORED, first.pixels)
        np.testing.assert_array_equal(again.region.voxels, first.region.voxels)

    def test_but_not_where_a_lesion_lies_there_now(self):
        first = reference_of(scan(), "rib")
        sick = replace(first.region, label=90)
        found = reference_of(scan(seed=2), "rib", like=first, carried=first.region, neighbours=(sick,))
        assert (found.level, found.why) == (None, "the mirrored side holds a lesion now")

    @pytest.mark.parametrize(("least", "source"), [(50, NEAR_BY), (10_000, WHOLE)])
    def test_too_few_pixels_near_by(self, least, source):
        chosen = Scintigraphy(reference="skeleton", reference_minimum_pixels=least)
        assert reference_of(scan(), "rib", settings=chosen).source == source

    def test_too_few_pixels_at_all(self):
        chosen = Scintigraphy(reference="skeleton", reference_minimum_pixels=10**6)
        found = reference_of(scan(), "rib", settings=chosen)
        assert found.level is None
        assert "too few" in found.why

    def test_a_survey_made_before_gives_the_same(self):
        phantom = scan()
        survey = survey_scan(phantom.volume, lesions=phantom.mask.regions, settings=SETTINGS)
        one, other = reference_of(phantom, "rib"), reference_of(phantom, "rib", survey=survey)
        assert (one.source, one.level) == (other.source, other.level)


class TestSuperscan:
    @pytest.mark.parametrize(("bone", "is_one"), [(1.0, False), (2.0, False), (6.0, True)])
    def test_bone_far_hotter_than_soft_tissue(self, bone, is_one):
        found = measured(scan(ratio=1.0, bone=bone), "rib")
        assert (found.ratio is None) is is_one
        assert found.why.startswith("superscan: the skeleton counts") is is_one

    @pytest.mark.parametrize(("by", "is_one"), [(0.99, True), (1.0, True), (1.01, False)])
    def test_below_at_and_above_the_limit_of_contrast(self, by, is_one):
        volume = scan(ratio=1.0).volume
        contrast = survey_scan(volume, settings=SETTINGS).contrast
        survey = survey_scan(volume, settings=Scintigraphy(superscan_contrast=contrast * by))
        assert bool(survey.superscan) is is_one

    @pytest.mark.parametrize(("by", "is_one"), [(0.99, True), (1.0, True), (1.01, False)])
    def test_below_at_and_above_the_limit_of_involvement(self, by, is_one):
        phantom = scan()
        share = survey_scan(phantom.volume, lesions=phantom.mask.regions, settings=SETTINGS).involved_share
        limited = Scintigraphy(superscan_involved_share=share * by)
        survey = survey_scan(phantom.volume, lesions=phantom.mask.regions, settings=limited)
        assert bool(survey.superscan) is is_one

    def test_lesions_over_half_of_the_skeleton(self):
        phantom = scan()
        survey = survey_scan(phantom.volume, settings=SETTINGS)
        rows = np.arange(survey.skeleton.shape[1])[None, :, None]
        upper = survey.skeleton & (rows < np.quantile(np.nonzero(survey.skeleton)[1], 0.6))
        sick = Region.from_array(upper, label=1)
        found = find_uptake_reference(phantom.volume, sick, neighbours=(), settings=SETTINGS)
        assert found.level is None
        assert found.why.startswith("superscan: lesions cover")

    def test_a_given_mask_stands_even_then(self):
        phantom = scan(ratio=1.0, bone=6.0)
        mask = Mask(geometry=phantom.volume.geometry, regions=(phantom.mask[2],))
        assert reference_of(phantom, "rib", reference_mask=mask).source == GIVEN


class TestScale:
    @given(scale=st.floats(0.05, 20.0))
    @rules(max_examples=3, deadline=None)
    def test_a_count_scale_changes_nothing(self, scale):
        phantom = scan()
        scaled = replace(phantom, volume=replace(phantom.volume, array=phantom.volume.array * scale))
        for site in ("rib", "spine"):
            one, other = measured(phantom, site), measured(scaled, site)
            assert other.ratio == pytest.approx(one.ratio, rel=1e-9)
            assert other.reference.source == one.reference.source
            assert other.reference.pixels == one.reference.pixels

    def test_nor_does_it_change_the_error_told(self):
        phantom = scan()
        scaled = replace(phantom, volume=replace(phantom.volume, array=phantom.volume.array * 0.8))
        assert measured(scaled, "rib").ratio_sd == pytest.approx(measured(phantom, "rib").ratio_sd, rel=1e-9)


class TestNoise:
    @pytest.mark.parametrize(("site", "radius"), [("rib", 8.0), ("femur", 3.0), ("spine", 8.0)])
    def test_the_error_told_is_the_spread_of_repeats(self, site, radius):
        phantom = scan(radius=radius, seed=None)
        region = phantom.mask[label_of(site)]
        survey = survey_scan(scan(radius=radius).volume, lesions=phantom.mask.regions, settings=SETTINGS)
        rng = np.random.default_rng(4)
        found: list[UptakeMeasure] = []
        for _ in range(41):  # the same bone at every visit: the first says which
            noisy = replace(phantom.volume, array=rng.poisson(phantom.expected).astype(float))
            first = found[0].reference if found else None
            reference = find_uptake_reference(
                noisy,
                region,
                neighbours=phantom.mask.regions,
                survey=survey,
                like=first,
                carried=first.region if first else None,
                settings=SETTINGS,
            )
            found.append(measure_uptake(noisy, region, reference))
        told = np.mean([one.ratio_sd for one in found[1:]])
        spread = np.std([one.ratio for one in found[1:]], ddof=1)
        assert told == pytest.approx(spread, rel=0.35)

    def test_filtered_images_have_no_poisson_error(self):
        from scipy import ndimage

        phantom = scan()
        smooth = replace(phantom.volume, array=ndimage.gaussian_filter(phantom.volume.array, (0, 2, 2)))
        found = measured(replace(phantom, volume=smooth), "rib")
        assert found.ratio is not None
        assert found.ratio_sd is None


class TestViews:
    @staticmethod
    def of(ratio, view, ratio_sd=0.1, why=""):
        return UptakeMeasure(
            mean_counts=1.0, max_counts=1.0, pixels=1, reference=UptakeReference(), view=view, ratio=ratio,
            ratio_sd=ratio_sd, why=why,
        )  # fmt: skip

    def test_the_root_of_the_product(self):
        found = geometric_mean(self.of(2.0, View.ANT), self.of(4.5, View.POST))
        assert found.ratio == pytest.approx(3.0)
        assert found.views == (View.ANT, View.POST)
        assert found.ratio_sd == pytest.approx(3.0 * np.hypot(0.1 / 2.0, 0.1 / 4.5) / 2)

    def test_one_view_stands_alone_and_says_so(self):
        found = geometric_mean(None, self.of(4.5, View.POST))
        assert (found.ratio, found.views) == (4.5, (View.POST,))

    def test_an_error_is_told_where_both_views_have_one(self):
        assert geometric_mean(self.of(2.0, View.ANT, None), self.of(2.0, View.POST)).ratio_sd is None

    def test_no_view_has_a_ratio(self):
        found = geometric_mean(self.of(None, View.ANT, why="superscan: x"), None)
        assert (found.ratio, found.why) == (None, "superscan: x")
        assert geometric_mean(None, None).why == "no view shows the lesion"

    def test_a_cold_lesion(self):
        assert geometric_mean(self.of(0.0, View.ANT, 0.0), self.of(2.0, View.POST)).ratio == 0.0

    def test_depth_cancels_nearly(self):
        found, single = [], []
        for depth in (60.0, 100.0, 140.0):
            measures = [measured(scan(depth=depth, view=view, counts=1e7), "femur") for view in View]
            found.append(geometric_mean(*measures).ratio)
            single.append(measures[0].ratio)
        assert max(found) / min(found) < 1.25
        assert max(single) / min(single) > 1.5


class TestPlace:
    @staticmethod
    def placed(phantom, site, outlines=None):
        region = (outlines or phantom.mask)[label_of(site)]
        survey = survey_scan(phantom.volume, lesions=phantom.mask.regions, settings=SETTINGS)
        reference = find_uptake_reference(
            phantom.volume, region, neighbours=phantom.mask.regions, survey=survey, settings=SETTINGS
        )
        return place_uptake(phantom.volume, region, reference, survey=survey, settings=IMAGE)

    @pytest.mark.parametrize("site", ["rib", "femur", "iliac", "spine"])
    @pytest.mark.parametrize(("ratio", "normal"), [(1.0, True), (2.0, False), (4.0, False)])
    def test_normal_again_or_still_hot(self, site, ratio, normal):
        assert self.placed(scan(ratio=ratio, counts=4e6), site).normal is normal

    def test_a_focus_that_shrank_within_its_old_outline_is_still_hot(self):
        wide, small = scan(radius=18.0), scan(radius=4.0, ratio=6.0)
        found = self.placed(small, "femur", wide.mask)
        assert found.normal is False

    def test_no_reference_no_word(self):
        found = self.placed(scan(ratio=1.0, bone=6.0), "rib")
        assert found.normal is None
        assert found.why.startswith("superscan")
