"""PET series become SUV by body weight, exactly or not at all."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import DataElement, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import ImplicitVRLittleEndian

from mdanderson.errors import ImageError, UnitError
from mdanderson.readers import read_volume
from mdanderson.readers.dicom_file import DicomFile
from mdanderson.readers.pet_suv import suv_scaling
from mdanderson.volume import Unit

TRACER = {
    "Radiopharmaceutical": "FDG -- fluorodeoxyglucose",
    "RadiopharmaceuticalStartTime": "103500.00",
    "RadionuclideTotalDose": "388777472",
    "RadionuclideHalfLife": "6588",
}
HEADER = {
    "Units": "BQML",
    "DecayCorrection": "START",
    "CorrectedImage": ["DECY", "ATTN", "SCAT"],
    "SeriesDate": "20240229",
    "SeriesTime": "112011.00",
    "AcquisitionDate": "20240229",
    "AcquisitionTime": "112011.00",
    "PatientWeight": "71.0",
    "PatientSize": "1.63",
    "PatientSex": "M",
}
SECONDS = 45 * 60 + 11
START_FACTOR = 71_000 / (388_777_472 * math.exp(-math.log(2) / 6588 * SECONDS))  # SUV of 1 Bq/ml, by hand


def put(ds: Dataset, keyword: str, value: object) -> None:
    """Set a tag, to whatever a damaged file may hold."""
    tag = tag_for_keyword(keyword)
    ds.add(DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE))


def fill(ds: Dataset, *, tracer: dict[str, object] | None = None, **changes: object) -> Dataset:
    """A PET header with the changes laid over it; None takes a tag away."""
    for keyword, value in (HEADER | changes).items():
        if value is not None:
            put(ds, keyword, value)
        elif keyword in ds:
            delattr(ds, keyword)
    item = Dataset()
    for keyword, value in (TRACER | (tracer or {})).items():
        if value is not None:
            put(item, keyword, value)
    if "RadiopharmaceuticalInformationSequence" not in changes:
        ds.RadiopharmaceuticalInformationSequence = [item]
    return ds


def in_memory(*headers: Dataset) -> list[DicomFile]:
    return [DicomFile(path=Path(f"{k}.dcm"), header=header) for k, header in enumerate(headers)]


def scaled(**changes: object):
    """The factor of a series of one file, and its facts."""
    scaling = suv_scaling(in_memory(fill(Dataset(), **changes)))
    return scaling.factors[Path("0.dcm")], dict(scaling.facts)


def factor(**changes: object) -> float:
    return scaled(**changes)[0]


def refused(**changes: object) -> UnitError:
    with pytest.raises(UnitError) as caught:
        factor(**changes)
    assert caught.value.way_out
    assert "\n" not in str(caught.value)
    return caught.value


def private(ds: Dataset, group: int, creator: str, element: int, vr: str, value: str, *, block: int = 0x10) -> Dataset:
    ds.add_new((group, block), "LO", creator)
    ds.add_new((group, block << 8 | element), vr, value)
    return ds


class TestFiles:
    """Through the door, so that the tags are parsed and the pixels converted."""

    @pytest.fixture
    def read(self, dicom_series_factory, stored, axial_grid):
        def read(edit=None, **changes: object):
            def write(plane: int, ds: FileDataset) -> None:
                fill(ds, **changes)
                ds.RescaleSlope = f"{1.5 + plane}"
                if edit is not None:
                    edit(plane, ds)

            return read_volume(dicom_series_factory(stored, axial_grid, modality="PT", edit=write))

        return read

    def test_bq_per_ml_with_a_slope_of_each_slice(self, read, stored) -> None:
        volume = read()
        slopes = 1.5 + np.arange(5)[:, None, None]
        np.testing.assert_allclose(volume.array, stored * slopes * START_FACTOR, rtol=1e-6)
        assert (volume.unit, volume.array.dtype) == (Unit.SUV, np.float32)
        assert volume.acquisition["tracer"] == "FDG"
        assert volume.acquisition["uptake_minutes"] == "45.2"

    def test_whole_numbers_are_float32_as_well(self, read, stored) -> None:
        volume = read(lambda _, ds: setattr(ds, "RescaleSlope", "1"), Units="GML")
        assert volume.array.dtype == np.float32
        np.testing.assert_array_equal(volume.array, stored)

    def test_padding_stays_not_imaged(self, read) -> None:
        volume = read(lambda _, ds: setattr(ds, "PixelPaddingValue", 3))
        assert np.argwhere(~volume.imaged((slice(None),) * 3)).tolist() == [[0, 0, 1]]

    @pytest.mark.parametrize("implicit", [False, True])
    @pytest.mark.parametrize("block", [0x10, 0x12])
    def test_philips_counts(self, read, stored, implicit, block) -> None:
        def edit(_: int, ds: FileDataset) -> None:
            private(ds, 0x7053, "Philips PET Private Group", 0x00, "DS", "0.00025", block=block)
            if implicit:
                ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian

        volume = read(edit, Units="CNTS")
        slopes = 1.5 + np.arange(5)[:, None, None]
        np.testing.assert_allclose(volume.array, stored * slopes * 0.00025, rtol=1e-6)

    def test_ge_private_scan_time(self, read, stored) -> None:
        """Written at 12:00, scanned at 11:20:11: GE's private time counts, not that of a later bed position."""

        def edit(plane: int, ds: FileDataset) -> None:
            ds.AcquisitionTime = f"11{25 + plane}00"
            private(ds, 0x0009, "GEMS_PETD_01", 0x0D, "DT", "20240229112011.00")

        volume = read(edit, SeriesTime="120000")
        slopes = 1.5 + np.arange(5)[:, None, None]
        np.testing.assert_allclose(volume.array, stored * slopes * START_FACTOR, rtol=1e-6)

    def test_what_is_missing_is_named_and_nobody_is(self, dicom_series_factory, stored, axial_grid) -> None:
        def write(_: int, ds: FileDataset) -> None:
            fill(ds, PatientWeight=None)

        folder = dicom_series_factory(stored, axial_grid, modality="PT", edit=write)
        with pytest.raises(UnitError, match=r"^PatientWeight is missing: no SUV without it @ series; ") as caught:
            read_volume(folder)
        assert "Secret" not in str(caught.value)

    def test_body_and_sex_stay_in_the_reader(self, read) -> None:
        kept = " ".join(read().acquisition.values())
        assert "71" not in kept
        assert "1.63" not in kept
        assert not {"M", "F"} & set(read().acquisition.values())


class TestDecay:
    def test_start(self) -> None:
        assert factor() == pytest.approx(START_FACTOR, rel=1e-12)
        assert pytest.approx(2.429030e-4, rel=1e-6) == START_FACTOR

    def test_admin_needs_neither_half_life_nor_times(self) -> None:
        bare = {"RadionuclideHalfLife": None, "RadiopharmaceuticalStartTime": None}
        value, facts = scaled(DecayCorrection="ADMIN", SeriesTime=None, AcquisitionTime=None, tracer=bare)
        assert value == pytest.approx(71_000 / 388_777_472, rel=1e-12)
        assert "uptake_minutes" not in facts

    def test_admin_tells_the_uptake_time_where_it_can(self) -> None:
        assert scaled(DecayCorrection="ADMIN")[1]["uptake_minutes"] == "45.2"

    @pytest.mark.parametrize(
        ("correction", "what"),
        [
            ("NONE", "DecayCorrection is NONE: not corrected for decay"),
            ("SCAN", "DecayCorrection is SCAN: not START or ADMIN"),
            ("", "DecayCorrection is missing: no SUV without it"),
            (None, "DecayCorrection is missing: no SUV without it"),
        ],
    )
    def test_others_are_refused(self, correction, what) -> None:
        assert refused(DecayCorrection=correction).what == what

    @settings(max_examples=40)
    @given(
        start=st.integers(0, 86_399),
        uptake=st.integers(0, 20_000),
        dose=st.floats(2e6, 1e10),
        weight=st.floats(3, 300),
        half_life=st.floats(4000, 300_000),
    )
    def test_against_a_plain_second_computation(self, start, uptake, dose, weight, half_life) -> None:
        """Oracle: seconds of the day, the day after where they run over, and the exponential of the decay constant."""
        scan = start + uptake

        def clock(seconds: int) -> str:
            return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"

        day = "20240301" if scan >= 86_400 else "20240229"
        tracer = {
            "RadiopharmaceuticalStartTime": clock(start),
            "RadionuclideTotalDose": f"{dose:.9e}",
            "RadionuclideHalfLife": f"{half_life:.6f}",
        }
        given_at = {"SeriesDate": day, "AcquisitionDate": day}
        given_at |= {"SeriesTime": clock(scan % 86_400), "AcquisitionTime": clock(scan % 86_400)}
        expected = weight * 1000 / (dose * math.exp(-(math.log(2) / half_life) * uptake))
        value = factor(tracer=tracer, PatientWeight=f"{weight:.9f}", **given_at)
        assert value == pytest.approx(expected, rel=1e-7)


class TestTimes:
    @pytest.mark.parametrize(
        ("series", "beds", "seconds"),
        [
            ("112011", ["112011", "112414"], SECONDS),  # as it should be
            ("112010", ["112011", "112414"], SECONDS - 1),  # the series begins a little before its first bed
            ("112011.5", ["112012", "112414"], SECONDS + 0.5),
            ("11:20:11", ["112011", "112414"], SECONDS),  # as ACR-NEMA wrote times
            ("120000", ["112414", "112011"], SECONDS),  # written later: the earliest bed, in whatever order
            (None, ["112414", "112011"], SECONDS),
            ("", ["112011"], SECONDS),
        ],
    )
    def test_when_the_scan_began(self, series, beds, seconds) -> None:
        files = in_memory(*(fill(Dataset(), SeriesTime=series, AcquisitionTime=bed) for bed in beds))
        expected = 71_000 / (388_777_472 * 2 ** (-seconds / 6588))
        assert list(suv_scaling(files).factors.values()) == pytest.approx([expected] * len(files), rel=1e-12)

    def test_ge_private_time_only_where_the_series_was_written_later(self) -> None:
        header = private(fill(Dataset()), 0x0009, "GEMS_PETD_01", 0x0D, "DT", "20240229100000")
        assert suv_scaling(in_memory(header)).factors[Path("0.dcm")] == pytest.approx(START_FACTOR)

    def test_a_private_time_of_another_maker_is_none(self) -> None:
        header = private(fill(Dataset(), SeriesTime="120000"), 0x0009, "SOMEBODY", 0x0D, "DT", "20240229100000")
        assert suv_scaling(in_memory(header)).factors[Path("0.dcm")] == pytest.approx(START_FACTOR)

    @pytest.mark.parametrize(
        "tracer",
        [
            {"RadiopharmaceuticalStartDateTime": "20240229103500.00"},
            {"RadiopharmaceuticalStartDateTime": "20240229103500", "RadiopharmaceuticalStartTime": None},
            {"RadiopharmaceuticalStartDateTime": "20240229103500.00+0100"},  # nothing to shift it against
        ],
    )
    def test_injection_by_date_and_time(self, tracer) -> None:
        assert factor(tracer=tracer) == pytest.approx(START_FACTOR)

    @pytest.mark.parametrize(("stamp", "here"), [("20240229093500+0000", "+0100"), ("20240229053500-0530", "-0030")])
    def test_injection_in_another_time_zone(self, stamp, here) -> None:
        tracer = {"RadiopharmaceuticalStartDateTime": stamp}
        assert factor(tracer=tracer, TimezoneOffsetFromUTC=here) == pytest.approx(START_FACTOR)

    @pytest.mark.parametrize(
        "tracer",
        [
            {"RadiopharmaceuticalStartTime": "233000"},
            {"RadiopharmaceuticalStartTime": "010000", "RadiopharmaceuticalStartDateTime": "20240228233000"},
        ],
    )
    def test_injection_before_midnight(self, tracer) -> None:
        """23:30 to 00:15:11 of the leap day: 45 minutes, not minus 23 hours."""
        times = {"SeriesTime": "001511", "AcquisitionTime": "001511"}
        value, facts = scaled(tracer=tracer, **times)
        assert value == pytest.approx(START_FACTOR, rel=1e-12)
        assert facts["uptake_minutes"] == "45.2"

    def test_scan_that_runs_over_midnight(self) -> None:
        early = {"SeriesTime": "235811", "AcquisitionTime": "235811"}
        late = {"SeriesTime": "235811", "AcquisitionTime": "000211", "AcquisitionDate": "20240301"}
        tracer = {"RadiopharmaceuticalStartTime": "231300"}
        files = in_memory(fill(Dataset(), tracer=tracer, **late), fill(Dataset(), tracer=tracer, **early))
        assert suv_scaling(files).factors[Path("0.dcm")] == pytest.approx(START_FACTOR)

    def test_the_date_of_the_series_stands_in(self) -> None:
        assert factor(AcquisitionDate=None) == pytest.approx(START_FACTOR)
        assert factor(AcquisitionDate=None, SeriesDate=None, StudyDate="20240229") == pytest.approx(START_FACTOR)

    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"AcquisitionTime": None}, "AcquisitionTime is missing: no SUV without it"),
            ({"SeriesTime": "noon"}, "SeriesTime holds no time of day"),
            ({"AcquisitionTime": "256000"}, "AcquisitionTime holds no time of day"),
            ({"SeriesDate": "20240230"}, "SeriesDate holds no date"),
            ({"SeriesDate": None, "AcquisitionDate": None}, "AcquisitionDate is missing: no SUV without it"),
            (
                {"tracer": {"RadiopharmaceuticalStartTime": None}},
                "RadiopharmaceuticalStartDateTime or RadiopharmaceuticalStartTime is missing: no SUV without it",
            ),
            ({"tracer": {"RadiopharmaceuticalStartTime": "10h"}}, "RadiopharmaceuticalStartTime holds no time of day"),
            (
                {"tracer": {"RadiopharmaceuticalStartDateTime": "20240229"}},
                "RadiopharmaceuticalStartDateTime holds no time of day",
            ),
        ],
    )
    def test_what_is_missing_or_no_time(self, changes, what) -> None:
        assert refused(**changes).what == what

    def test_a_slice_without_its_time_is_not_passed_over(self) -> None:
        files = in_memory(fill(Dataset()), fill(Dataset(), AcquisitionTime=None))
        with pytest.raises(UnitError, match="AcquisitionTime is missing"):
            suv_scaling(files)

    def test_injected_after_the_scan(self) -> None:
        """Only a date and time can say so: a bare time of day would be that of the day before."""
        error = refused(tracer={"RadiopharmaceuticalStartDateTime": "20240229112012"})
        assert error.what.startswith("the tracer was injected after the scan began")
        assert factor(tracer={"RadiopharmaceuticalStartDateTime": "20240229112011"}) == pytest.approx(
            71_000 / 388_777_472
        )

    @pytest.mark.parametrize(("half_life", "sound"), [("271.2", True), ("271.1", True), ("271.0", False)])
    def test_ten_half_lives_at_most(self, half_life, sound) -> None:
        """2711 seconds are ten times 271.1; a half-life in minutes, or a date moved by itself, is found out so."""
        tracer = {"RadionuclideHalfLife": half_life}
        if sound:
            assert factor(tracer=tracer) > 0
        else:
            assert "10 half-lives before the scan" in refused(tracer=tracer).what

    def test_a_date_moved_by_itself(self) -> None:
        error = refused(tracer={"RadiopharmaceuticalStartDateTime": "20200229103500"})
        assert "its times do not belong together" in error.what


class TestBodyAndDose:
    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"PatientWeight": None}, "PatientWeight is missing: no SUV without it"),
            ({"PatientWeight": ""}, "PatientWeight is missing: no SUV without it"),
            ({"PatientWeight": "0"}, "PatientWeight is missing: no SUV without it"),
            ({"PatientWeight": "-71"}, "PatientWeight is no weight in kg"),
            ({"PatientWeight": "71000"}, "PatientWeight is no weight in kg"),
            (
                {"RadiopharmaceuticalInformationSequence": None},
                "RadiopharmaceuticalInformationSequence is missing: no SUV without it",
            ),
            ({"tracer": {"RadionuclideTotalDose": None}}, "RadionuclideTotalDose is missing: no SUV without it"),
            ({"tracer": {"RadionuclideTotalDose": "0"}}, "RadionuclideTotalDose is 0, no dose in Bq"),
            ({"tracer": {"RadionuclideTotalDose": "-4e8"}}, "RadionuclideTotalDose is -4e+08, no dose in Bq"),
            (
                {"tracer": {"RadionuclideTotalDose": "388.777"}},
                "RadionuclideTotalDose is 388.777, no dose in Bq, which would be a dose in MBq",
            ),
            ({"tracer": {"RadionuclideTotalDose": "388777"}}, "RadionuclideTotalDose is 388777, no dose in Bq"),
            ({"tracer": {"RadionuclideTotalDose": "1.1e11"}}, "RadionuclideTotalDose is 1.1e+11, no dose in Bq"),
            ({"tracer": {"RadionuclideHalfLife": None}}, "RadionuclideHalfLife is missing: no SUV without it"),
            ({"tracer": {"RadionuclideHalfLife": "0"}}, "RadionuclideHalfLife is missing: no SUV without it"),
        ],
    )
    def test_named_by_its_keyword(self, changes, what) -> None:
        assert refused(**changes).what == what

    @pytest.mark.parametrize(("dose", "sound"), [("999999", False), ("1000000", True), ("1000001", True)])
    def test_the_least_dose(self, dose, sound) -> None:
        tracer = {"RadionuclideTotalDose": dose}
        if sound:
            assert factor(tracer=tracer) == pytest.approx(START_FACTOR * 388_777_472 / float(dose))
        else:
            assert "no dose in Bq" in refused(tracer=tracer).what

    def test_text_for_a_number(self) -> None:
        header = fill(Dataset())
        header["PatientWeight"]._value = "heavy"
        with pytest.raises(ImageError, match="PatientWeight"):
            suv_scaling(in_memory(header))

    @pytest.mark.parametrize(
        ("change", "keyword"),
        [
            ({"PatientWeight": "72"}, "PatientWeight"),
            ({"SeriesTime": "112012"}, "SeriesTime"),
            ({"DecayCorrection": "ADMIN"}, "DecayCorrection"),
            ({"tracer": {"RadionuclideTotalDose": "388777473"}}, "RadionuclideTotalDose"),
            ({"tracer": {"RadiopharmaceuticalStartTime": "103501"}}, "RadiopharmaceuticalStartTime"),
        ],
    )
    def test_slices_of_two_scans(self, change, keyword) -> None:
        with pytest.raises(ImageError, match=f"slices of one series differ in {keyword}"):
            suv_scaling(in_memory(fill(Dataset()), fill(Dataset(), **change)))


class TestUnits:
    @pytest.mark.parametrize("units", ["", "PROPCPS", "CPS", "CM2ML", "BQCC"])
    def test_units_that_never_make_an_suv(self, dicom_series_factory, stored, axial_grid, units) -> None:
        folder = dicom_series_factory(stored, axial_grid, modality="PT", edit=lambda _, ds: setattr(ds, "Units", units))
        with pytest.raises(UnitError, match=f"^PET units are {units or 'blank'} @ "):
            read_volume(folder)

    @pytest.mark.parametrize("kind", [None, "", "BW"])
    def test_g_per_ml_by_body_weight(self, kind) -> None:
        assert factor(Units="GML", SUVType=kind, PatientWeight=None) == 1.0

    @pytest.mark.parametrize(
        ("kind", "sex", "share"),
        [
            ("LBMJANMA", "M", 9270 / (6680 + 216 * 71 / 1.63**2)),
            ("LBMJANMA", "F", 9270 / (8780 + 244 * 71 / 1.63**2)),
            ("LBMJAMES128", "M", (1.10 * 71 - 128 * (71 / 163) ** 2) / 71),
            ("LBMJAMES128", "F", (1.07 * 71 - 148 * (71 / 163) ** 2) / 71),
        ],
    )
    def test_g_per_ml_by_a_named_lean_mass(self, kind, sex, share) -> None:
        assert factor(Units="GML", SUVType=kind, PatientSex=sex) == pytest.approx(1 / share, rel=1e-12)

    @pytest.mark.parametrize("kind", ["LBM", "BSA", "IBW"])
    def test_g_per_ml_by_an_untold_formula(self, kind) -> None:
        error = refused(Units="GML", SUVType=kind)
        assert error.what == f"PET units are GML by {kind}, whose formula is not told"
        assert "BQML" in error.way_out

    def test_lean_mass_without_height(self) -> None:
        error = refused(Units="GML", SUVType="LBMJANMA", PatientSize=None)
        assert error.what == "PET units are GML by LBMJANMA, and PatientSize is missing"

    def test_uncorrected_for_attenuation(self) -> None:
        for units in ("BQML", "GML"):
            assert "no attenuation correction" in refused(Units=units, CorrectedImage=["DECY", "SCAT"]).what
        assert factor(CorrectedImage=None) == pytest.approx(START_FACTOR)


class TestPhilips:
    CREATOR = (0x7053, "Philips PET Private Group")

    def files(self, *elements: dict[int, str], **changes: object) -> list[DicomFile]:
        headers = []
        for own in elements:
            header = fill(Dataset(), Units="CNTS", **changes)
            for element, value in own.items():
                private(header, *self.CREATOR, element, "DS", value)
            headers.append(header)
        return in_memory(*headers)

    def test_suv_factor_of_each_slice_before_the_other(self) -> None:
        scaling = suv_scaling(self.files({0x00: "0.5", 0x09: "7"}, {0x00: "0.25"}, DecayCorrection=None))
        assert scaling.factors == {Path("0.dcm"): 0.5, Path("1.dcm"): 0.25}

    def test_activity_factor_and_on(self) -> None:
        scaling = suv_scaling(self.files({0x09: "7"}, {0x00: "0", 0x09: "8"}))
        assert scaling.factors[Path("0.dcm")] == pytest.approx(7 * START_FACTOR)
        assert scaling.factors[Path("1.dcm")] == pytest.approx(8 * START_FACTOR)

    @pytest.mark.parametrize(
        "elements", [({},), ({0x00: "0"},), ({0x00: "0.5"}, {}), ({0x09: "7"}, {}), ({0x00: "0.5"}, {0x09: "7"})]
    )
    def test_without_a_factor_in_every_slice(self, elements) -> None:
        with pytest.raises(UnitError, match=r"PET units are CNTS, without Philips' SUV factor \(7053,xx00\)"):
            suv_scaling(self.files(*elements))

    def test_activity_needs_all_that_bq_needs(self) -> None:
        with pytest.raises(UnitError, match="PatientWeight is missing"):
            suv_scaling(self.files({0x09: "7"}, PatientWeight=None))

    def test_not_corrected_for_decay(self) -> None:
        for own in ({0x00: "0.5"}, {0x09: "7"}):
            with pytest.raises(UnitError, match="DecayCorrection is NONE"):
                suv_scaling(self.files(own, DecayCorrection="NONE"))

    def test_no_number(self) -> None:
        header = private(fill(Dataset(), Units="CNTS"), *self.CREATOR, 0x00, "LO", "big")
        with pytest.raises(UnitError, match=r"the Philips SUV factor \(7053,xx00\) is no number"):
            suv_scaling(in_memory(header))

    def test_the_same_elements_of_another_maker(self) -> None:
        header = private(fill(Dataset(), Units="CNTS"), 0x7053, "SOMEBODY", 0x00, "DS", "0.5")
        with pytest.raises(UnitError, match="PET units are CNTS"):
            suv_scaling(in_memory(header))
