"""A folder in no order: who, what, which of several, what was drawn on it, and what is wrong; on small files."""

from __future__ import annotations

import copy
import os
import random
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from safety import samples
from soup import drawn_on, one_of, report_on, series, throw, uid

import mdanderson as mda
from mdanderson.errors import InputError, Severity
from mdanderson.readers.dicom_index.choose import RULES, has_contrast, is_bone_kernel
from mdanderson.readers.dicom_index.facts import Facts, is_uid
from mdanderson.readers.dicom_index.segments import kind_of_segments
from mdanderson.readers.dicom_index.series import series_of

CT, SEG = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.66.4"


def found_in(folder: Path, *files, folders: int = 3, **options):
    return mda.index(throw(folder / "soup", *files, folders=folders), workers=1, **options)


def used(found) -> list[tuple[str, str, str, int]]:
    return [(one.patient_id, str(one.date), one.modality, one.series_number) for one in found.found.series if one.used]


def reasons(found) -> dict[int, str]:
    return {one.series_number: one.reason for one in found.found.series if not one.used}


def told(found) -> list[tuple[str, str]]:
    return [(problem.severity.value, problem.what) for problem in found.problems]


class TestWhatBelongsTogether:
    def test_patients_days_and_series_are_told_apart(self, tmp_path):
        found = found_in(
            tmp_path,
            series(patient="P1", day="20240105"),
            series(patient="P1", day="20240405"),
            series(patient="P2", day="20240105"),
            series("MR", patient="P2", day="20240105", number=2),
            series("PT", patient="P2", day="20240105", number=3),
        )
        assert used(found) == [
            ("P1", "2024-01-05", "CT", 1),
            ("P1", "2024-04-05", "CT", 1),
            ("P2", "2024-01-05", "CT", 1),
            ("P2", "2024-01-05", "MR", 2),
            ("P2", "2024-01-05", "PT", 3),
        ]
        assert found.problems == ()
        assert [row.images for row in found.found.series] == [6] * 5
        assert [row.sequence for row in found.found.images if row.modality == "MR"] == ["T1"]

    def test_planar_images_are_a_file_each(self, tmp_path):
        films = []
        for number, view in enumerate(("AP", "LL"), start=1):
            film = one_of(samples.radiograph(), patient="P1", day="20240105", number=1)
            film.ViewPosition, film.InstanceNumber = view, number
            film.SOPInstanceUID = uid("film", number)
            films.append(film)
        found = found_in(tmp_path, films, one_of(samples.scintigram(), patient="P1", day="20240105", number=2))
        rows = found.found.images
        assert [(row.modality, row.series) for row in rows] == [("NM", ""), ("XR", ""), ("XR", "")]
        assert all((tmp_path / "soup" / row.image).is_file() for row in rows)
        assert len({row.image for row in rows}) == 3

    def test_an_mr_series_of_two_echoes_is_two_images(self, tmp_path):
        echoes = []
        for echo, time_ms in enumerate((2.4, 4.8)):
            part = series("MR", ScanningSequence="GR", EchoTime=time_ms, RepetitionTime=100, MagneticFieldStrength=1.5)
            for ds in part:
                ds.SOPInstanceUID = uid(ds.SOPInstanceUID, echo)
            echoes += part
        found = found_in(tmp_path, echoes)
        assert [(row.sequence, row.series[-2:]) for row in found.found.images] == [("IN", "#2"), ("OPP", "#1")]

    def test_an_mr_image_that_weighs_nothing_known_is_left_out_unless_drawn_on(self, tmp_path):
        flair = series(
            "MR", number=4, EchoTime=100, RepetitionTime=9000, InversionTime=2500, ScanningSequence=["SE", "IR"]
        )
        found = found_in(tmp_path / "a", flair)
        assert used(found) == []
        assert "fluid attenuated" in reasons(found)[4]
        assert len(found_in(tmp_path / "b", flair, drawn_on(flair)).found.images) == 1

    def test_without_a_date_nothing_is_used(self, tmp_path):
        undated = series()
        for ds in undated:
            del ds.StudyDate, ds.SeriesDate
        found = found_in(tmp_path, undated)
        assert reasons(found) == {1: "its headers tell no date"}
        assert told(found) == [("warning", "series 1 'AXIAL' is left out: its headers tell no date")]


class TestPatients:
    def test_one_number_of_two_issuers_is_two_patients(self, tmp_path):
        here = series(patient="7", day="20240105", IssuerOfPatientID="A")
        there = series(patient="7", day="20240205", IssuerOfPatientID="B")
        found = found_in(tmp_path, here, there)
        assert found.found.patients == ("7@A", "7@B")
        assert told(found) == [("warning", "one PatientID from 2 issuers: taken as 2 patients")]

    @pytest.mark.parametrize(
        ("other", "born", "is_told"),
        [("PAT07", "1950", True), ("0pat07", "1950", True), ("PAT07", "1960", False), ("PAT07", "", False),
         ("pat7", "1950", False)],
    )  # fmt: skip
    def test_numbers_that_look_alike_are_told_and_not_joined(self, tmp_path, other, born, is_told):
        said = {"PatientName": "A^B", "PatientSex": "F"}
        found = found_in(
            tmp_path,
            series(patient="pat07", PatientBirthDate="19500101", **said),
            series(patient=other, day="20240405", PatientBirthDate=born and f"{born}0101", **said),
        )
        assert len(found.found.patients) == 2
        assert [severity for severity, _ in told(found)] == ["warning"] * is_told

    def test_an_issuer_alone_is_not_told(self, tmp_path):
        assert found_in(tmp_path, series(patient="7", IssuerOfPatientID="A")).found.patients == ("7",)

    def test_studies_without_a_number_are_patients_of_their_own(self, tmp_path):
        found = found_in(tmp_path, series(patient="", day="20240105"), series(patient="", day="20240405", number=2))
        assert found.found.patients == ("unknown-1", "unknown-2")
        assert [severity for severity, _ in told(found)] == ["warning"] * 2

    def test_blank_uids_join_nobody(self, tmp_path):
        blank = {"patient": "", "StudyInstanceUID": ""}
        found = found_in(
            tmp_path,
            series(number=1, day="20240105", PatientName="A", **blank),
            series(number=2, day="20240601", PatientName="A", **blank),
            series(number=3, patient="unknown-1"),
        )
        assert found.found.patients == ("unknown-1", "unknown-2", "unknown-3")
        what = "a series without PatientID and StudyInstanceUID: taken as a patient of its own"
        assert told(found) == [("warning", what)] * 2

    def test_in_one_study_names_keep_apart(self, tmp_path):
        alice, bob = (series(patient="", number=n, PatientName=name) for n, name in ((1, "Alice^B"), (2, "Bob^C")))
        again = series("MR", patient="", number=3, PatientName="ALICE B=x", PatientBirthDate="19500101")
        found = found_in(tmp_path, alice, bob, again)
        assert sorted((one.patient_id == "unknown-1", one.series_number) for one in found.found.series) in (
            [(False, 2), (True, 1), (True, 3)],
            [(False, 1), (False, 3), (True, 2)],
        )

    @pytest.mark.parametrize(
        ("number", "born", "patients", "said"),
        [
            ("Anonymous", ("1950", "1960"), ("{}-1", "{}-2"), "taken as 2 patients, by name, birth date and sex"),
            ("0", ("1950", "1950"), ("{}",), "taken as one"),
            ("0", ("1950", ""), ("{}",), "taken as one"),
            ("7", ("1950", "1960"), ("{}",), None),
        ],
    )
    def test_a_number_that_stands_for_nobody(self, tmp_path, number, born, patients, said):
        first, second = (
            series(patient=number, day=day, PatientBirthDate=year and f"{year}0101")
            for day, year in zip(("20240105", "20240601"), born, strict=True)
        )
        found = found_in(tmp_path, first, second)
        assert found.found.patients == tuple(one.format(number) for one in patients)
        start = "2 studies under a PatientID that stands for nobody (a placeholder): "
        assert told(found) == ([("warning", start + said)] if said else [])

    @pytest.mark.parametrize(
        ("day", "why"),
        [
            ("19000101", "before scanners were"), ("19691231", "before scanners were"), ("19700101", ""),
            ("20991231", "in the future"),
        ],
    )  # fmt: skip
    def test_a_day_that_cannot_be_is_told(self, tmp_path, day, why):
        found = found_in(tmp_path, series(day=day))
        assert len(found.found.images) == 1
        assert [what.endswith(why) for _, what in told(found)] == ([True] if why else [])

    @pytest.mark.parametrize(("acquired", "told"), [("20240106", False), ("20240107", True), ("20231201", True)])
    def test_a_study_of_another_day_than_its_images_is_told(self, tmp_path, acquired, told):
        whats = [one.what for one in found_in(tmp_path, series(day="20240105", AcquisitionDate=acquired)).problems]
        day = f"{acquired[:4]}-{acquired[4:6]}-{acquired[6:]}"
        assert whats == [f"a study of 2024-01-05 with images acquired on {day}: dated as the study"] * told

    def test_folders_are_patients_where_they_are_said_to_be(self, tmp_path):
        for folder, patient in (("A", "1"), ("B", "1"), ("B", "2")):
            throw(
                tmp_path / "soup" / folder / patient,
                series(patient=patient, day=f"2024010{patient}", number=ord(folder)),
            )
        throw(tmp_path / "soup", series(patient="9", number=9), folders=0)
        found = mda.index(tmp_path / "soup", by_folder=True)
        assert [one[:2] for one in used(found)] == [("A", "2024-01-01"), ("B", "2024-01-01"), ("B", "2024-01-02")]
        assert told(found) == [
            ("error", "6 DICOM file(s) lie in no patient's folder: left out"),
            ("warning", "files of 2 different PatientIDs in one patient's folder"),
        ]

    def test_other_names_hide_the_number_everywhere(self, tmp_path):
        found = found_in(tmp_path, series(patient="SECRET7"), named=lambda patient_id: f"PSN-{len(patient_id)}")
        assert found.found.patients == ("PSN-7",)
        assert "SECRET7" not in repr(found.found)

    def test_a_series_of_two_patients_is_nobodys(self, tmp_path):
        mixed = series()
        mixed[2].PatientID = "P2"
        found = found_in(tmp_path, mixed)
        assert used(found) == []
        assert told(found) == [("error", "series 1: files of 2 patients claim to be one series")]


class TestWhatIsNeverMeasured:
    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "a scout view (localizer)"),
            ({"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, "a projection (MIP or rendering) of other images"),
            ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "a picture of a screen, not the image itself"),
            ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "a picture of a screen, not the image itself"),
            ({"SamplesPerPixel": 3}, "a colour picture"),
            ({"Modality": "US"}, "US: not scored"),
            ({"step_mm": 0.0}, "all its slices lie in one place (bolus tracking or perfusion)"),
            (
                {"ImageOrientationPatient": None},
                "its slices have no place (ImagePositionPatient, ImageOrientationPatient)",
            ),
        ],
    )
    def test_is_listed_with_the_reason(self, tmp_path, said, why):
        found = found_in(tmp_path, series(number=1), series(number=2, **said))
        assert used(found) == [("P1", "2024-01-05", "CT", 1)]
        assert reasons(found) == {2: why}

    def test_a_pet_without_correction(self, tmp_path):
        raw = series("PT", number=2, CorrectedImage=["DECY"])
        assert "attenuation" in reasons(found_in(tmp_path, series("PT"), raw))[2]

    def test_a_mask_on_what_cannot_be_measured_is_a_problem(self, tmp_path):
        scout = series(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
        found = found_in(tmp_path, scout, drawn_on(scout))
        assert told(found) == [
            ("warning", "a mask was drawn on series 1 'AXIAL', which cannot be measured: a scout view (localizer)")
        ]


class TestWhichReconstruction:
    """Each rule by itself: the second series would win by every later one."""

    @pytest.mark.parametrize(
        ("one", "other", "why"),
        [
            ({}, {"ImageType": ["DERIVED", "SECONDARY", "MPR"], "step_mm": 1.0}, "it is original"),
            ({}, {"LossyImageCompression": "01", "step_mm": 1.0}, "not compressed with loss (lossless against lossy)"),
            (
                {},
                {"ImageOrientationPatient": [1, 0, 0, 0, 0.5, 0.866], "PixelSpacing": [0.1] * 2, "step_mm": 1.0},
                "plane of",
            ),
            ({"step_mm": 1.5}, {"step_mm": 1.6, "ConvolutionKernel": "B60f"}, "it is thinner (1.5 mm against 1.6 mm)"),
            ({"ConvolutionKernel": "B60f", "step_mm": 1.5}, {"step_mm": 1.0, "ConvolutionKernel": "B30f"}, "for bone"),
            ({"ConvolutionKernel": "B60f"}, {"SeriesDescription": "Bone", "planes": 5}, "for bone"),
            ({"step_mm": 1.0}, {"step_mm": 1.5, "planes": 4}, "it is thinner (1 mm against 1.5 mm)"),
            ({"planes": 6}, {"planes": 5}, "it has more slices (6 against 5)"),
            ({}, {}, "it comes first by number"),
        ],
    )
    def test_rule(self, tmp_path, one, other, why):
        worse_first = {"number": 1} if why == "it comes first by number" else {"number": 3}
        found = found_in(tmp_path, series(**one | worse_first), series(**other | {"number": 2}))
        assert [row[3] for row in used(found)] == [worse_first["number"]]
        assert why in reasons(found)[2]

    def test_a_thin_part_never_stands_for_the_whole(self, tmp_path):
        whole, part = series(number=2), series(number=3, step_mm=1.0, start_mm=5.0, ConvolutionKernel="B70f")
        assert sorted(row[3] for row in used(found_in(tmp_path, whole, part))) == [2, 3]

    @pytest.mark.parametrize(("thickness_mm", "winner"), [(2.0, 3), (1.9, 2)])
    def test_slices_with_body_between_them_are_not_thin(self, tmp_path, thickness_mm, winner):
        """3 mm apart: up to 1.5 times the thickness is a scan, more is a sample of one."""
        sampled = series(number=3, ConvolutionKernel="B70f", SliceThickness=thickness_mm)
        found = found_in(tmp_path / "both", series(number=2), sampled)
        assert [row[3] for row in used(found)] == [winner]
        alone = found_in(tmp_path / "alone", sampled)
        assert len(told(alone)) == (winner == 2)

    @pytest.mark.parametrize("torn", [[0, 1, 3, 4, 5], [0, 1, 2, 2, 3, 4, 5]])
    def test_what_cannot_be_read_is_not_chosen(self, tmp_path, torn):
        thin = series(number=3, step_mm=1.0)
        broken = [copy.deepcopy(thin[k]) for k in torn]
        for place, ds in enumerate(broken):
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid("torn", place)
        found = found_in(tmp_path / "both", series(number=2), broken)
        assert ([row[3] for row in used(found)], told(found)) == ([2], [])
        assert "its slices lie evenly" in reasons(found)[3]
        ((severity, what),) = told(found_in(tmp_path / "alone", broken))
        assert severity == "warning"
        assert "missing or doubled slices" in what

    @pytest.mark.parametrize(
        ("name", "winner"), [("NAC", 2), ("PET_nac_2", 2), ("uncorrected", 2), ("PET", 2), ("Monaco", 2)]
    )
    def test_a_pet_that_says_it_is_corrected_comes_first(self, tmp_path, name, winner):
        known = series("PT", number=2, CorrectedImage=["ATTN", "DECY"])
        silent = series("PT", number=3, step_mm=1.0, CorrectedImage=None, SeriesDescription=name)
        assert [row[3] for row in used(found_in(tmp_path / "both", known, silent))] == [winner]
        alone = used(found_in(tmp_path / "alone", silent))
        assert len(alone) == (name in {"PET", "Monaco"})

    @pytest.mark.parametrize(
        ("description", "is_given"),
        [
            ("t1 post gd", True), ("t1_fs +C", True), ("T1 KM", True), ("t1_gad", True), ("t1 tse sag", False),
            ("t1 pre contrast", False), ("T1 ohne KM", False), ("T1 -C", False), ("CERVICAL", False),
        ],
    )  # fmt: skip
    def test_contrast_by_what_a_series_is_called(self, description, is_given):
        assert has_contrast(series_of("1", "P", [Facts(path="a", description=description)])) is is_given

    def test_what_was_drawn_on_wins_over_all(self, tmp_path):
        thick = series(number=2, ImageType=["DERIVED", "SECONDARY", "MPR"])
        found = found_in(tmp_path, series(step_mm=1.0, ConvolutionKernel="B70f"), thick, drawn_on(thick))
        assert [row[3] for row in used(found)] == [2, 100]
        assert reasons(found)[1].endswith("is used: a mask was drawn on it (mask against none)")

    def test_of_two_that_were_drawn_on_the_better_one_is_used_and_it_is_told(self, tmp_path):
        thin, thick = series(step_mm=1.0, planes=6), series(number=2, step_mm=1.2, planes=5)
        found = found_in(tmp_path, thin, thick, drawn_on(thin), drawn_on(thick, number=101))
        assert [row[3] for row in used(found)] == [1, 100]
        assert [severity for severity, _ in told(found)] == ["warning"]

    def test_parts_of_the_body_are_images_of_their_own(self, tmp_path):
        """15 mm from first to last slice: nine tenths of it shown by the other are enough, less is a part."""
        chest = series(number=1)
        for start_mm, count in ((1.4, 1), (1.5, 1), (1.6, 2), (100.0, 2)):
            found = found_in(tmp_path / f"{start_mm}", chest, series(number=2, start_mm=start_mm))
            assert len(used(found)) == count, start_mm

    @pytest.mark.parametrize("part", ["", "CHEST"])
    def test_another_frame_of_reference_is_another_examination(self, tmp_path, part):
        """Thorax at eight and pelvis at five: both are measured, each with its mask."""
        thorax = series(number=1, frame="a", study="a", BodyPartExamined=part)
        pelvis = series(number=2, frame="b", study="b", BodyPartExamined=part, start_mm=-600.0)
        found = found_in(tmp_path, thorax, pelvis, drawn_on(thorax), drawn_on(pelvis, number=101))
        assert [row[3] for row in used(found)] == [1, 2, 100, 101]
        assert all(row.mask for row in found.found.images)
        assert found.problems == ()

    @pytest.mark.parametrize(
        ("parts", "start_mm", "count"),
        [(("", ""), 0.0, 1), (("CHEST", ""), 0.0, 1), (("CHEST", "PELVIS"), 0.0, 2), (("", ""), -600.0, 2)],
    )
    def test_without_a_frame_places_and_parts_decide(self, tmp_path, parts, start_mm, count):
        one, other = (series(number=n, BodyPartExamined=part, FrameOfReferenceUID="") for n, part in enumerate(parts))
        for ds in other:
            ds.ImagePositionPatient[2] += start_mm
        assert len(used(found_in(tmp_path, one, other))) == count

    def test_two_studies_of_a_day_are_one_visit(self, tmp_path):
        found = found_in(tmp_path, series(number=1, study="morning"), series(number=2, study="noon"))
        assert len(used(found)) == 1

    @pytest.mark.parametrize("in_one_series", [False, True])
    def test_the_lossless_twin_of_a_bone_scan_is_used(self, tmp_path, in_one_series):
        twins = [one_of(samples.scintigram(), patient="P1", day="20240105", number=number) for number in (1, 2)]
        twins[0].LossyImageCompression = "01"
        if in_one_series:
            twins[0].SeriesInstanceUID = twins[1].SeriesInstanceUID
        found = found_in(tmp_path, *twins)
        (row,) = found.found.images
        assert "LossyImageCompression" not in dcmread(tmp_path / "soup" / row.image)
        assert ["not compressed with loss" in one.reason for one in found.found.series if not one.used] == [True]

    def test_marrow_is_looked_at_before_contrast(self, tmp_path):
        found = found_in(
            tmp_path, series("MR", number=1, step_mm=1.0, ContrastBolusAgent="Gd"), series("MR", number=2, step_mm=4.0)
        )
        assert [row[3] for row in used(found)] == [2]

    @pytest.mark.parametrize(
        ("kernel", "is_bone"),
        [
            ("B60f", True), ("B57s", True), ("B56s", False), ("Br64", True), ("Br38f/3", False), ("H70h", True),
            ("BONEPLUS", True), ("BONE", True), ("STANDARD", False), ("LUNG", False), ("FC30", True), ("FC36", False),
            ("FC81", True), ("FC13", False), ("D", True), ("YC", True), ("B", False), ("", False),
            ("I70f/3", True), ("I30f/3", False), ("Br56d/3", True), ("Br54", False), ("B_SHARP_C", True),
            ("B_SOFT_B", False),
        ],
    )  # fmt: skip
    def test_kernels(self, kernel, is_bone):
        assert is_bone_kernel(series_of("1", "P", [Facts(path="a", kernel=kernel)])) is is_bone

    @pytest.mark.parametrize(
        ("description", "is_bone"),
        [
            ("CT Bone 1.0", True), ("ABD_BONE_1mm", True), ("Backbone", False), ("Knochen", True),
            ("TAP os 1.25", True),
            ("Osteo", False), ("COSMOS", False), ("胸部 骨", True), ("骨盤", False), ("", False),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("kernel", ["", "B31f", "NEW_KERNEL"])
    def test_a_description_counts_beside_the_kernel(self, description, is_bone, kernel):
        one = Facts(path="a", description=description, kernel=kernel)
        assert is_bone_kernel(series_of("1", "P", [one])) is is_bone

    def test_rules_are_told_in_words(self):
        assert all(rule.why and rule.kinds for rule in RULES)


class TestMasks:
    @pytest.mark.parametrize("kind", ["SEG", "RTSTRUCT"])
    def test_is_laid_to_its_images(self, tmp_path, kind):
        images = series()
        found = found_in(tmp_path, images, series(number=2), drawn_on(images, kind))
        (row,) = found.found.images
        assert row.series == images[0].SeriesInstanceUID
        assert mda.read_cohort  # the path leads there
        assert (tmp_path / "soup" / row.mask).is_file()

    def test_by_single_images_where_no_series_is_named(self, tmp_path):
        images = series()
        mask = drawn_on(images)
        del mask.ReferencedSeriesSequence
        source = Dataset()
        source.ReferencedSOPInstanceUID = images[3].SOPInstanceUID
        mask.SourceImageSequence = [source]
        assert found_in(tmp_path, images, mask).found.images[0].mask

    def test_by_frame_of_reference_where_nothing_is_named_and_one_image_fits(self, tmp_path):
        images = series()
        mask = drawn_on(images)
        del mask.ReferencedSeriesSequence
        assert found_in(tmp_path / "one", images, mask).found.images[0].mask
        two = found_in(tmp_path / "two", images, series(number=2), mask)
        assert two.found.images[0].mask == ""
        assert told(two) == [("warning", "a segmentation (SEG) that does not tell which images it was made from")]

    def test_the_newest_of_two_is_used_and_it_is_told(self, tmp_path):
        images = series()
        found = found_in(
            tmp_path, images, drawn_on(images, saved="090000"), drawn_on(images, number=101, saved="100000")
        )
        assert [row[3] for row in used(found)] == [1, 101]
        assert told(found) == [("warning", "2 masks of series 1 'AXIAL': the newest is used")]

    @pytest.mark.parametrize(("label", "is_apart"), [("lesion 2", True), ("LESION 1 ", False)])
    def test_a_file_for_each_lesion_is_not_one_saved_again(self, tmp_path, label, is_apart):
        images = series()
        masks = [drawn_on(images, saved="090000"), drawn_on(images, number=101, saved="100000")]
        for mask, name in zip(masks, ("lesion 1", label), strict=True):
            mask.SegmentSequence[0].SegmentLabel = name
            mask.SegmentSequence[0].TrackingUID = uid(name)
        found = found_in(tmp_path, images, masks)
        assert bool(found.found.images[0].mask) is not is_apart
        assert [severity for severity, _ in told(found)] == ["error" if is_apart else "warning"]
        assert ("they show different lesions" in told(found)[0][1]) is is_apart

    def test_of_two_saved_at_once_none_is_guessed(self, tmp_path):
        images = series()
        other = drawn_on(images, number=101)
        other.PixelData = other.PixelData[:-2] + b"\1\0"
        found = found_in(tmp_path, images, drawn_on(images), other)
        assert found.found.images[0].mask == ""
        assert [severity for severity, _ in told(found)] == ["error"]

    def test_of_two_that_are_the_same_one_is_used(self, tmp_path):
        images = series()
        found = found_in(tmp_path, images, drawn_on(images), drawn_on(images, number=101))
        assert found.found.images[0].mask
        assert told(found) == [("info", "2 masks of series 1 'AXIAL': they are the same and one is used")]

    def test_saved_again_under_its_uid_the_newest_is_used(self, tmp_path):
        images = series()
        masks = [drawn_on(images) for _ in range(2)]
        for mask, time in zip(masks, ("090000", "100000"), strict=True):
            mask.InstanceCreationDate, mask.InstanceCreationTime = "20240106", time
        masks[0].SegmentSequence[0].SegmentLabel = "Liver"
        found = found_in(tmp_path, images, masks)
        assert found.found.images[0].mask
        what = "series 100: 1 file(s) claim to be a mask that is there already, and differ: the newest is used"
        assert told(found) == [("warning", what)]

    def test_saved_again_at_the_same_time_none_is_guessed(self, tmp_path):
        images = series()
        masks = [drawn_on(images) for _ in range(2)]
        masks[0].SegmentSequence[0].SegmentLabel = "lesion b"
        found = found_in(tmp_path, images, masks)
        assert found.found.images[0].mask == ""
        assert told(found)[0][0] == "error"

    def test_an_export_never_competes_with_the_mask_it_was_made_from(self, tmp_path):
        images, exports = series(), []
        for number in (101, 102):
            export = drawn_on(images, number=number, saved="230000")
            export.Manufacturer = export.ManufacturerModelName = "mdanderson"
            exports.append(export)
        found = found_in(tmp_path / "both", images, drawn_on(images), exports)
        assert [row[3] for row in used(found)] == [1, 100]
        what = "2 export(s) of results on series 1 'AXIAL': the mask of the reader is used"
        assert told(found) == [("info", what)]
        assert reasons(found) == {101: f"not used: {what}", 102: f"not used: {what}"}
        assert found_in(tmp_path / "alone", images, exports[:1]).found.images[0].mask

    def test_without_its_images_it_is_an_orphan(self, tmp_path):
        found = found_in(tmp_path, series(number=2), drawn_on(series(number=1)))
        assert told(found) == [("warning", "a segmentation (SEG) whose images are not here")]

    def test_reports_are_laid_to_images_too(self, tmp_path):
        images = series()
        found = found_in(tmp_path, images, report_on(images))
        assert reasons(found) == {100: "made from series 1 'AXIAL'"}
        orphan = found_in(tmp_path / "orphan", series(number=2), report_on(images))
        assert [problem.severity for problem in orphan.problems] == [Severity.INFO]

    @pytest.mark.parametrize(
        ("label", "category", "column"),
        [
            ("T12 vertebra", "123037004", "bone_mask"),
            ("liver", "123037004", ""),
            ("vertebral metastasis", "123037004", "mask"),
            ("T12 vertebra", "85756007", "mask"),
            ("lesion 1", "49755003", "mask"),
        ],
    )
    def test_what_its_segments_are(self, tmp_path, label, category, column):
        images, code = series(), Dataset()
        mask = drawn_on(images)
        code.CodingSchemeDesignator, code.CodeValue, code.CodeMeaning = "SCT", category, "a category"
        mask.SegmentSequence[0].SegmentLabel = label
        mask.SegmentSequence[0].SegmentedPropertyCategoryCodeSequence = [code]
        row = found_in(tmp_path, images, mask).found.images[0]
        assert {name for name in ("mask", "bone_mask") if getattr(row, name)} == ({column} if column else set())

    @pytest.mark.parametrize(
        ("told_of", "kind"),
        [
            ([("Liver", "T-D0050", "T-62000", "Liver")], "anatomy"),
            ([("a", "85756007", "51114001", "Artery"), ("b", "85756007", "29092000", "Vein")], "anatomy"),
            ([("Segment_1", "85756007", "85756007", "Tissue")], "lesions"),  # what an editor writes by itself
            ([("aorta", "85756007", "85756007", "Tissue")], "anatomy"),
            ([("a", "49755003", "79654002", "Edema")], "lesions"),
            ([("a", "49755003", "79654002", "Edema"), ("b", "85756007", "20982000", "Capillary")], "mixed"),
            ([("liver lesion", "85756007", "10200004", "Liver")], "lesions"),
            ([("masseter", "85756007", "1", "Masseter muscle")], "anatomy"),
            ([("a", "99", "12738006", "Something")], "anatomy"),
            ([("L1", "85756007", "51282000", "L1 vertebra")], "bones"),
            ([("lesion 1", "", "", "")], "lesions"),
            ([("a", "", "", "")], "lesions"),
            ([], ""),
        ],
    )
    def test_kinds_of_segments(self, told_of, kind):
        made = Dataset()
        made.SegmentSequence = []
        for label, category, code, meaning in told_of:
            segment = Dataset()
            segment.SegmentLabel = label
            for keyword, value, words in (("Category", category, "a category"), ("Type", code, meaning)):
                item = Dataset()
                item.CodeValue, item.CodeMeaning = value, words
                setattr(segment, f"SegmentedProperty{keyword}CodeSequence", [item] if value else [])
            made.SegmentSequence.append(segment)
        assert kind_of_segments(made) == kind

    def test_organs_are_no_mask_and_the_way_out_is_told(self, tmp_path):
        images = series()
        mask = drawn_on(images)
        mask.SegmentSequence[0].SegmentLabel = "Liver"
        found = found_in(tmp_path, images, mask)
        assert found.found.images[0].mask == ""
        what = "its segments are parts of the body, neither lesions nor bones: not used"
        assert (told(found), reasons(found)) == ([("info", what)], {100: what})
        assert "column mask" in found.problems[0].how_to_fix


class TestCopies:
    def test_the_same_bytes_are_one_image(self, tmp_path):
        throw(tmp_path / "soup" / "a", series())
        throw(tmp_path / "soup" / "b", series())
        found = mda.index(tmp_path / "soup")
        assert [row.images for row in found.found.series] == [6]
        assert told(found) == [("info", "series 1: 6 file(s) hold an image that is there already, byte for byte")]

    def test_of_copies_that_differ_the_folder_with_all_is_used(self, tmp_path):
        other = series(PatientComments="sent again")
        throw(tmp_path / "soup" / "a", other[:3], folders=0)
        throw(tmp_path / "soup" / "b", series(), folders=0)
        found = mda.index(tmp_path / "soup")
        assert [row.folder for row in found.found.series] == ["b"]
        assert told(found)[0][0] == "warning"

    def test_headers_may_differ_where_pixels_do_not(self, tmp_path):
        throw(tmp_path / "soup" / "a", series()[:4], folders=0)
        throw(tmp_path / "soup" / "b", series(PatientComments="sent again")[2:], folders=0)
        found = mda.index(tmp_path / "soup")
        assert [row.images for row in found.found.series] == [6]
        assert [problem.severity for problem in found.problems] == [Severity.WARNING]

    def test_two_pictures_under_one_uid_are_not_guessed(self, tmp_path):
        changed = series()
        changed[2].PixelData = bytes(len(changed[2].PixelData))
        throw(tmp_path / "soup" / "a", series()[:4], folders=0)
        throw(tmp_path / "soup" / "b", changed[2:], folders=0)
        found = mda.index(tmp_path / "soup")
        assert found.found.images == ()
        assert [problem.severity for problem in found.problems] == [Severity.ERROR]

    def test_a_link_to_a_file_is_that_file(self, tmp_path):
        folder = throw(tmp_path / "soup", series(), folders=0)
        (folder / "again").symlink_to(folder / "IM00000")
        assert told(mda.index(folder))[0][0] == "info"


class TestHostileFolders:
    def test_links_that_loop_devices_and_damaged_files_cost_themselves_alone(self, tmp_path):
        folder = throw(tmp_path / "soup", series())
        (folder / "loop").symlink_to(folder)
        (folder / "nowhere").symlink_to(folder / "gone")
        os.mkfifo(folder / "pipe")
        (folder / "empty").touch()
        whole = (folder / "d0").iterdir().__next__().read_bytes()
        (folder / "cut").write_bytes(whole[:300])
        (folder / "noise").write_bytes(b"\0" * 128 + b"DICM" + bytes(range(256)) * 4)
        (folder / "note.txt").write_text("not DICOM")
        with zipfile.ZipFile(folder / "more.zip", "w") as archive:
            archive.writestr("a", "b")
        found = mda.index(folder)
        assert [row.images for row in found.found.series] == [6]
        by_place = {problem.where: problem.what for problem in found.problems}
        assert by_place.keys() >= {"loop", "nowhere", "pipe", "empty", "noise", "more.zip"}
        assert by_place["more.zip"] == "a zip archive: not looked into"
        assert found.found.ignored == 1

    def test_links_out_of_the_folder_are_told_and_upwards_not_followed(self, tmp_path):
        folder = throw(tmp_path / "soup", series())
        throw(tmp_path / "other", series(patient="P2"))
        (folder / "up").symlink_to(tmp_path)
        (folder / "out").symlink_to(tmp_path / "other")
        found = mda.index(folder)
        assert found.found.dicom == 12
        by_place = {problem.where: problem.what for problem in found.problems}
        assert by_place == {
            "up": "a link to a folder that holds this one: not looked into",
            "out": "a link out of the folder: what it leads to is used",
        }

    @pytest.mark.parametrize("kind", ["gz", "bz2", "xz", ""])
    def test_archives_are_told(self, tmp_path, kind):
        folder = throw(tmp_path / "soup", series())
        with tarfile.open(folder / "more", f"w:{kind}") as archive:
            archive.add(tmp_path / "soup" / "d0", arcname="d0")
        ((severity, what),) = told(mda.index(folder))
        assert severity == "warning"
        assert what.endswith(": not looked into")

    def test_what_may_not_be_read_is_told(self, tmp_path, monkeypatch):
        folder = throw(tmp_path / "soup", series(), folders=0)
        (folder / "closed").mkdir()
        look, open_ = os.scandir, Path.open

        def closed(path, real, *options):
            if Path(path).name in {"closed", "IM00000"}:
                raise PermissionError(13, "Permission denied")
            return real(path, *options)

        monkeypatch.setattr(os, "scandir", lambda path: closed(path, look))
        monkeypatch.setattr(Path, "open", lambda path, *options, **_: closed(path, open_, *options))
        found = mda.index(folder)
        assert [(problem.severity, problem.where) for problem in found.problems] == [
            (Severity.ERROR, "IM00000"),
            (Severity.ERROR, "closed"),
            (Severity.WARNING, "IM00003"),
        ]
        assert "Permission denied" in found.problems[0].what
        assert "missing or doubled slices (5 in 5 places)" in found.problems[2].what

    def test_a_directory_is_counted_and_not_followed(self, tmp_path):
        folder = throw(tmp_path / "soup", series())
        listing = samples.dataset("CT", uid("dicomdir"))
        listing.SOPClassUID = "1.2.840.10008.1.3.10"
        listing.save_as(folder / "DICOMDIR", enforce_file_format=True)
        found = mda.index(folder)
        assert (found.found.directories, found.found.dicom) == (1, 6)

    def test_a_uid_that_is_none_is_no_series(self, tmp_path):
        evil = series(number=2)
        real, bad = evil[0].SeriesInstanceUID.encode(), b"=cmd|' /C calc'!A0"
        folder = throw(tmp_path / "soup", series(), evil, folders=0)
        for path in folder.iterdir():
            path.write_bytes(path.read_bytes().replace(real, bad.ljust(len(real), b"A")))
        found = mda.index(folder)
        assert used(found) == [("P1", "2024-01-05", "CT", 1)]
        assert told(found) == [("error", "6 file(s) without a usable SeriesInstanceUID: left out")]
        assert "cmd" not in repr(found.found)

    @pytest.mark.parametrize(
        ("word", "good"),
        [("1.2.3", True), ("", False), ("..", False), ("1..2", False), ("1/2", False), ("1" * 65, False)],
    )
    def test_what_a_uid_is(self, word, good):
        assert is_uid(word) is good

    @pytest.mark.parametrize("name", ["gone", "file"])
    def test_no_folder_is_one_line(self, tmp_path, name):
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match="folder"):
            mda.index(tmp_path / name)

    def test_no_dicom_is_one_line(self, tmp_path):
        (tmp_path / "note.txt").write_text("nothing")
        with pytest.raises(InputError, match="no DICOM file among 1 files"):
            mda.index(tmp_path)


@given(seed=st.integers(0, 10**6), folders=st.integers(0, 4))
@settings(max_examples=6)
def test_where_files_lie_changes_nothing(tmp_path_factory, seed, folders):
    """Names and folders are no facts: everything but the places of files is the same, whatever their order."""
    images = series()
    files = [*images, *series(number=2, step_mm=1.0), *series("MR", number=3), drawn_on(images), report_on(images)]
    random.Random(seed).shuffle(files)
    found = mda.index(throw(tmp_path_factory.mktemp("soup"), files, seed=seed, folders=folders))
    rows = [(row.patient_id, row.date, row.modality, row.sequence, bool(row.mask)) for row in found.found.images]
    assert [(*row[:1], str(row[1]), *row[2:]) for row in rows] == [
        ("P1", "2024-01-05", "CT", "", True),
        ("P1", "2024-01-05", "MR", "T1", False),
    ]
    assert [(row.series_number, row.used) for row in found.found.series] == [
        (1, True), (2, False), (3, True), (100, True), (100, False),
    ]  # fmt: skip
    assert found.problems == ()
