"""Enhanced multi-frame MR: several images in one file, their facts in functional groups; parametric maps of floats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    ParametricMapStorage,
    generate_uid,
)

from mdanderson.errors import ImageError, UnitError
from mdanderson.geometry import same_grid
from mdanderson.readers import is_planar, read_volume
from mdanderson.vocabulary import MrSequence
from mdanderson.volume import Unit


def item(**values: object) -> Dataset:
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def frame_type(*words: str, contrast: str = "UNKNOWN", component: str = "MAGNITUDE") -> Dataset:
    kind = item(FrameType=list(words), AcquisitionContrast=contrast, ComplexImageComponent=component)
    return item(MRImageFrameTypeSequence=[kind])


def echo(te: float) -> Dataset:
    return item(MREchoSequence=[item(EffectiveEchoTime=te)])


def diffusion(b: float, **more: object) -> Dataset:
    return item(MRDiffusionSequence=[item(DiffusionBValue=b, **more)])


def enhanced(stored, geometry, groups: Sequence[Dataset], **header: object) -> FileDataset:
    """One file of an image per group, image n holding 1000 n more; frames go plane by plane, images in turn."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, EnhancedMRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID = EnhancedMRImageStorage, "1.2.3.4", "1.2.3"
    ds.Modality, ds.StudyDate, ds.FrameOfReferenceUID = "MR", "20240229", geometry.frame_of_reference_uid
    ds.ImageType = ["ORIGINAL", "PRIMARY", "MIXED", "MIXED"]
    ds.NumberOfFrames, (ds.Rows, ds.Columns) = len(stored) * len(groups), stored.shape[1:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    for keyword, value in header.items():
        setattr(ds, keyword, value)
    _, row, column = geometry.directions
    ds.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=list(geometry.spacing_mm[1:]), SliceThickness=9.0)],
            PlaneOrientationSequence=[item(ImageOrientationPatient=[*map(float, column), *map(float, row)])],
            MRTimingAndRelatedParametersSequence=[item(RepetitionTime=150.0, FlipAngle=70.0)],
        )
    ]
    frames, pixels = [], []
    for plane in range(len(stored)):
        for number, group in enumerate(groups, start=1):
            position = [float(x) for x in geometry.to_lps([plane, 0, 0])]
            frame = item(PlanePositionSequence=[item(ImagePositionPatient=position)])
            frame.update(group)
            frames.append(frame)
            pixels.append(stored[plane] + 1000 * number)
    ds.PerFrameFunctionalGroupsSequence = frames
    ds.PixelData = np.array(pixels).astype("<i2").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def saved(ds: FileDataset, tmp_path: Path) -> Path:
    ds.save_as(tmp_path / "image", enforce_file_format=True)
    return tmp_path / "image"


def listing(path: Path, **told: object) -> str:
    with pytest.raises(ImageError) as caught:
        read_volume(path, **told)
    assert type(caught.value) is ImageError
    assert caught.value.where == "image"
    return caught.value.what


def which(path: Path, stored, **told: object) -> int:
    volume = read_volume(path, **told)
    number = int(volume.array[0, 0, 0]) // 1000
    np.testing.assert_array_equal(volume.array, stored + 1000 * number)
    return number


GRADIENT = {"EchoPulseSequence": "GRADIENT", "MagneticFieldStrength": 1.5}


def test_echoes(tmp_path, stored, oblique_grid) -> None:
    path = saved(enhanced(stored, oblique_grid, [echo(2.3), echo(4.6)], **GRADIENT), tmp_path)
    assert listing(path) == "2 images in one series: #1 TE 2.3 ms (OPP), 5 slice(s); #2 TE 4.6 ms (IN), 5 slice(s)"
    assert which(path, stored, sequence=MrSequence.OPP) == 1
    assert which(path, stored, series="1.2.3#2") == 2
    volume = read_volume(path, sequence=MrSequence.IN)
    assert same_grid(volume.geometry, oblique_grid, tolerance_mm=1e-6)
    assert volume.acquisition == {
        "contrast_agent": "unknown",
        "slice_thickness_mm": "9",
        "field_strength_t": "1.5",
        "echo_time_ms": "4.6",
        "repetition_time_ms": "150",
        "flip_angle_degrees": "70",
        "sequence_source": "manifest",
        "image": "#2 of 2: TE 4.6 ms",
    }


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([frame_type("D", "P", "X", "FAT"), frame_type("D", "P", "X", "WATER")], ["fat (FAT)", "water (WATER)"]),
        (
            [frame_type("O", "P", "X", "NONE"), frame_type("O", "P", "X", "NONE", component="PHASE")],
            ["magnitude", "phase"],
        ),
        ([diffusion(0.0), diffusion(800.0)], ["b 0 s/mm2", "b 800 s/mm2"]),
        (
            [
                diffusion(800.0, DiffusionGradientDirectionSequence=[item(DiffusionGradientOrientation=way)])
                for way in ([0.0, 1.0, 0.0], [1.0, 0.0, 0.0])
            ],
            ["diffusion direction 1", "diffusion direction 2"],
        ),
        (
            [diffusion(800.0, DiffusionDirectionality=way) for way in ("DIRECTIONAL", "ISOTROPIC")],
            ["diffusion direction 1", "diffusion direction 2"],
        ),
        ([item(FrameContentSequence=[item(StackID=str(n))]) for n in (1, 2)], ["stack 1", "stack 2"]),
        ([item(FrameContentSequence=[item(TemporalPositionIndex=n)]) for n in (1, 2)], ["time 1", "time 2"]),
        (
            [item(FrameContentSequence=[item(FrameAcquisitionDateTime=f"2024022910{n}000")]) for n in (1, 2)],
            ["time 1", "time 2"],
        ),
        (
            [item(FrameContentSequence=[item(FrameAcquisitionNumber=n)]) for n in (1, 2)],
            ["acquisition 1", "acquisition 2"],
        ),
        (
            [item(CardiacSynchronizationSequence=[item(NominalCardiacTriggerDelayTime=t)]) for t in (20.0, 400.0)],
            ["trigger 20 ms", "trigger 400 ms"],
        ),
        (
            [item(MRModifierSequence=[item(InversionRecovery="YES", InversionTimes=[t])]) for t in (160.0, 900.0)],
            ["TI 160 ms", "TI 900 ms"],
        ),
        (  # a classic series converted as it was
            [item(UnassignedPerFrameConvertedAttributesSequence=[item(EchoTime=t)]) for t in (20.0, 90.0)],
            ["TE 20 ms", "TE 90 ms"],
        ),
    ],
)
def test_images_of_a_file_are_told_apart(tmp_path, stored, axial_grid, groups, told) -> None:
    path = saved(enhanced(stored, axial_grid, groups), tmp_path)
    assert listing(path) == f"2 images in one series: #1 {told[0]}, 5 slice(s); #2 {told[1]}, 5 slice(s)"
    assert [which(path, stored, series=f"#{n}") for n in (1, 2)] == [1, 2]


@pytest.mark.parametrize(
    ("group", "header", "expected"),
    [
        (frame_type("O", "P", "X", "NONE", contrast="T1"), {}, MrSequence.T1),
        (frame_type("O", "P", "X", "NONE", contrast="STIR"), {}, MrSequence.STIR),
        (frame_type("D", "P", "X", "ADC", contrast="DIFFUSION"), {}, MrSequence.ADC),
        (frame_type("O", "P", "X", "NONE", contrast="DIFFUSION"), {}, None),
        (diffusion(800.0), {}, None),
        (Dataset(), {}, None),
        (
            item(
                MREchoSequence=[item(EffectiveEchoTime=60.0)],
                MRTimingAndRelatedParametersSequence=[item(RepetitionTime=4000.0)],
                MRModifierSequence=[item(InversionRecovery="YES", InversionTimes=[160.0])],
            ),
            {"EchoPulseSequence": "SPIN"},
            MrSequence.STIR,
        ),
        (item(MREchoSequence=[item(EffectiveEchoTime=10.0)]), {"EchoPulseSequence": "SPIN"}, MrSequence.T1),
        (
            item(MREchoSequence=[item(EffectiveEchoTime=10.0)]),
            {"EchoPulseSequence": "SPIN", "EchoPlanarPulseSequence": "YES"},
            None,
        ),
        (
            item(MREchoSequence=[item(EffectiveEchoTime=4.6)], MRModifierSequence=[item(Spoiling="RF")]),
            GRADIENT,
            MrSequence.T1,
        ),
    ],
)
def test_what_a_file_of_frames_weighs(tmp_path, stored, axial_grid, group, header, expected) -> None:
    assert read_volume(saved(enhanced(stored, axial_grid, [group], **header), tmp_path)).sequence is expected


def unit_group(code: str, slope: float, intercept: float = 0.0) -> Dataset:
    mapping = item(
        MeasurementUnitsCodeSequence=[item(CodeValue=code, CodingSchemeDesignator="UCUM", CodeMeaning=code)],
        RealWorldValueSlope=slope,
        RealWorldValueIntercept=intercept,
    )
    return item(RealWorldValueMappingSequence=[mapping])


def adc_map(stored, geometry, *groups: Dataset) -> FileDataset:
    kind = frame_type("DERIVED", "PRIMARY", "DIFFUSION", "ADC")
    merged = []
    for group in groups:
        whole = item(MRImageFrameTypeSequence=kind.MRImageFrameTypeSequence)
        whole.update(group)
        merged.append(whole)
    return enhanced(stored, geometry, merged)


@pytest.mark.parametrize(
    ("code", "slope", "intercept", "times", "plus"),
    [
        ("um2/s", 1.0, 0.0, 1.0, 0.0),
        ("um2/s", 0.5, 10.0, 0.5, 10.0),
        ("mm2/s", 1e-6, 0.0, 1.0, 0.0),
        ("10*-6.mm2/s", 2.0, 0.0, 2.0, 0.0),
        ("10*-3.mm2/s", 1e-3, 1e-2, 1.0, 10.0),
    ],
)
def test_a_stated_unit_is_taken_at_its_word(tmp_path, stored, axial_grid, code, slope, intercept, times, plus) -> None:
    """By the mapping of real-world values, which starts from the stored numbers whatever the rescaling says."""
    group = unit_group(code, slope, intercept)
    group.PixelValueTransformationSequence = [item(RescaleSlope="7", RescaleIntercept="3", RescaleType="US")]
    volume = read_volume(saved(adc_map(stored, axial_grid, group), tmp_path))
    assert (volume.sequence, volume.unit) == (MrSequence.ADC, Unit.ADC)
    np.testing.assert_allclose(volume.array, (stored + 1000.0) * times + plus, rtol=1e-6)
    assert "unit_note" not in volume.acquisition


def test_a_mapping_in_another_unit_is_passed_over(tmp_path, stored, axial_grid) -> None:
    group = unit_group("1", 99.0)
    group.RealWorldValueMappingSequence.append(unit_group("um2/s", 2.0).RealWorldValueMappingSequence[0])
    volume = read_volume(saved(adc_map(stored, axial_grid, group), tmp_path))
    np.testing.assert_array_equal(volume.array, (stored + 1000) * 2)


def test_slices_that_do_not_all_state_a_unit_are_refused(tmp_path, stored, axial_grid) -> None:
    ds = adc_map(stored, axial_grid, unit_group("um2/s", 1.0))
    del ds.PerFrameFunctionalGroupsSequence[3].RealWorldValueMappingSequence
    with pytest.raises(UnitError) as caught:
        read_volume(saved(ds, tmp_path))
    assert caught.value.what == "an ADC map of which some slices state no unit"
    assert caught.value.where == "image frame 4"


@pytest.mark.parametrize("code", ["mm2/s", "10*-3.mm2/s", "m2/s"])
def test_a_stated_unit_that_cannot_be_true_is_refused(tmp_path, stored, axial_grid, code) -> None:
    with pytest.raises(UnitError) as caught:
        read_volume(saved(adc_map(stored, axial_grid, unit_group(code, 1.0)), tmp_path))
    assert "um2/s the median ADC, which no tissue has" in caught.value.what
    assert caught.value.where == "image"


@pytest.fixture
def parametric_map(tmp_path, dicom_series_factory, stored, oblique_grid):
    """An ADC map of floats in mm2/s, written by highdicom, whose own reader is the oracle of the values' places."""

    def write(values: np.ndarray, unit=codes.UCUM.SquareMillimeterPerSecond) -> Path:
        def complete(plane: int, ds: FileDataset) -> None:
            ds.StudyInstanceUID, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "1.2.9", "1", "", ""
            ds.StudyID, ds.AccessionNumber, ds.StudyTime, ds.ReferringPhysicianName = "", "", "", ""

        folder = dicom_series_factory(stored, oblique_grid, modality="MR", edit=complete)
        sources = sorted(map(pydicom.dcmread, folder.iterdir()), key=lambda ds: ds.InstanceNumber)
        order = [round(float(oblique_grid.to_voxel(ds.ImagePositionPatient)[0])) for ds in sources]
        mapping = highdicom.pm.RealWorldValueMapping(
            lut_label="1",
            lut_explanation="ADC",
            unit=unit,
            value_range=(-1e9, 1e9),
            slope=1,
            intercept=0,
            quantity_definition=codes.DCM.ApparentDiffusionCoefficient,
        )
        made = highdicom.pm.ParametricMap(
            sources,
            pixel_array=values[order],
            series_instance_uid="1.2.3",
            series_number=9,
            sop_instance_uid="1.2.3.4",
            instance_number=1,
            manufacturer="M",
            manufacturer_model_name="M",
            software_versions="1",
            device_serial_number="1",
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[mapping],
            voi_lut_transformations=[highdicom.VOILUTTransformation(window_center=0.001, window_width=0.001)],
        )
        path = tmp_path / "image"
        made.save_as(path)
        return path

    return write


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_parametric_map_of_floats(parametric_map, stored, oblique_grid, kind) -> None:
    values = (1e-3 + stored * 1e-6).astype(kind)
    volume = read_volume(parametric_map(values), sequence=MrSequence.ADC)
    assert pydicom.dcmread(volume.source).SOPClassUID == ParametricMapStorage
    assert (volume.sequence, volume.unit, volume.array.dtype) == (MrSequence.ADC, Unit.ADC, np.float32)
    assert same_grid(volume.geometry, oblique_grid, tolerance_mm=1e-4)
    np.testing.assert_allclose(volume.array, 1000.0 + stored, rtol=1e-6)
    assert read_volume(volume.source).sequence is MrSequence.ADC  # by the quantity alone


def test_a_deflated_map_of_floats(parametric_map, stored) -> None:
    path = parametric_map((1e-3 + stored * 1e-6).astype(np.float32))
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(path, enforce_file_format=True)
    np.testing.assert_allclose(read_volume(path).array, 1000.0 + stored, rtol=1e-6)


def test_padding_and_nan_of_floats_are_not_imaged(parametric_map, stored) -> None:
    values = (1e-3 + stored * 1e-6).astype(np.float32)
    values[0, 0, 0], values[4, 5, 6] = -1.0, np.nan
    path = parametric_map(values)
    ds = pydicom.dcmread(path)
    ds.FloatPixelPaddingValue = -1.0
    ds.save_as(path, enforce_file_format=True)
    volume = read_volume(path)
    assert np.argwhere(np.isnan(volume.array)).tolist() == [[0, 0, 0], [4, 5, 6]]
    assert volume.unit is Unit.ADC


def test_infinite_values_are_refused(parametric_map, stored) -> None:
    values = (1e-3 + stored * 1e-6).astype(np.float32)
    values[0, 0, 0] = np.inf
    with pytest.raises(ImageError, match="infinite"):
        read_volume(parametric_map(values))


def test_floats_cut_short_are_refused(parametric_map, stored) -> None:
    path = parametric_map((1e-3 + stored * 1e-6).astype(np.float32))
    ds = pydicom.dcmread(path)
    ds.FloatPixelData = ds.FloatPixelData[:-8]
    ds.save_as(path, enforce_file_format=True)
    with pytest.raises(ImageError, match="pixels are cut short"):
        read_volume(path)


def test_a_map_of_another_quantity_is_no_mr_image(parametric_map, stored) -> None:
    """highdicom writes OT (other) as modality of every map: only the quantity says what it is."""
    path = parametric_map((1e-3 + stored * 1e-6).astype(np.float32))
    assert not is_planar(path)
    ds = pydicom.dcmread(path)
    assert ds.Modality == "OT"
    groups = ds.SharedFunctionalGroupsSequence[0]
    groups.RealWorldValueMappingSequence[0].QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue = "1"
    ds.save_as(path, enforce_file_format=True)
    with pytest.raises(ImageError, match="a DICOM OT is no image to be measured"):
        read_volume(path)


@pytest.mark.parametrize(
    ("group", "header", "told"),
    [
        (Dataset(), {"SpectrallySelectedSuppression": "FAT"}, "yes"),
        (Dataset(), {"SpectrallySelectedSuppression": "FAT_AND_WATER"}, "yes"),
        (Dataset(), {"SpectrallySelectedSuppression": "NONE"}, "no"),
        (item(MRModifierSequence=[item(SpectrallySelectedExcitation="WATER")]), {}, "yes"),
        (item(MRModifierSequence=[item(SpectrallySelectedExcitation="NONE")]), {}, "no"),
        (Dataset(), {}, None),
    ],
)
def test_fat_suppression(tmp_path, stored, axial_grid, group, header, told) -> None:
    volume = read_volume(saved(enhanced(stored, axial_grid, [group], **header), tmp_path))
    assert volume.acquisition.get("fat_suppression") == told


def test_a_frame_speaks_before_all_frames_and_they_before_the_file(tmp_path, stored, axial_grid) -> None:
    own = item(MRTimingAndRelatedParametersSequence=[item(RepetitionTime=777.0)])
    volume = read_volume(saved(enhanced(stored, axial_grid, [own], RepetitionTime=1.0, FlipAngle=1.0), tmp_path))
    assert volume.acquisition["repetition_time_ms"] == "777"
    assert "flip_angle_degrees" in volume.acquisition
    shared = read_volume(saved(enhanced(stored, axial_grid, [Dataset()], RepetitionTime=1.0), tmp_path))
    assert shared.acquisition["repetition_time_ms"] == "150"


def test_a_mapping_by_lookup_table_or_of_slope_zero_states_no_unit(tmp_path, stored, axial_grid) -> None:
    flat, table = unit_group("um2/s", 0.0), unit_group("um2/s", 1.0)
    del table.RealWorldValueMappingSequence[0].RealWorldValueSlope
    for group in (flat, table):
        volume = read_volume(saved(adc_map(stored, axial_grid, group), tmp_path))
        assert volume.unit is Unit.ADC
        assert volume.acquisition["unit_note"].startswith("no unit stated: median 1.31e+03 read as 1e-6 mm2/s")
