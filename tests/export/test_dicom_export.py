"""SEG and SR of results: valid, tied to the images and to one another, the same every time, read back as they were."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import dicom_cohort
import numpy as np
import pytest
from conftest import lacking
from pydicom import Dataset, dcmread

import mdanderson as mda
from mdanderson.batch.results import Results
from mdanderson.cli import main
from mdanderson.drawings import Drawing
from mdanderson.errors import ImageError, InputError, OutputError, SettingsError
from mdanderson.export import identities
from mdanderson.export.codes import Code, category_code, criteria_code, laterality_code, site_code
from mdanderson.export.dicom_source import dicom_image, file_stem
from mdanderson.export.run import run_export
from mdanderson.export.sr_groups import lesion_group
from mdanderson.geometry import Geometry
from mdanderson.phantoms.series import write_ct_series
from mdanderson.phantoms.write import write_dicom_seg, write_label_map
from mdanderson.readers.manifest import ImageEntry
from mdanderson.readers.masks import tracking_uids_of_mask
from mdanderson.readers.pseudonyms import write_new_key
from mdanderson.report.columns import LESIONS
from mdanderson.version import MAKER_NAME
from mdanderson.vocabulary import Modality
from mdanderson.volume import Mask, Region, Unit, Volume

TABLES = ("lesions", "responses", "patients")


def rows(results: Path, table: str) -> list[dict[str, str]]:
    with (results / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def named(item: Dataset, meaning: str) -> list[Dataset]:
    """The children of a content item that are called so."""
    return [
        one
        for one in item.get("ContentSequence", ())
        if "ConceptNameCodeSequence" in one and one.ConceptNameCodeSequence[0].CodeMeaning == meaning
    ]


def groups(report: Dataset) -> dict[str, Dataset]:
    """Measurement groups by tracking identifier."""
    (measurements,) = named(report, "Imaging Measurements")
    return {
        named(group, "Tracking Identifier")[0].TextValue: group for group in named(measurements, "Measurement Group")
    }


def files(folder: Path, patient: str = "") -> list[Path]:
    return sorted(folder.glob(f"{patient}*.dcm"))


def validated(file: Path) -> str:
    """What dciodvfy says of a file."""
    found = shutil.which("dciodvfy") or shutil.which("dciodvfy", path=str(Path(sys.executable).parent))
    if not found:
        lacking("dciodvfy (dicom3tools)")
    done = subprocess.run([found, str(file)], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


# --- what is written -----------------------------------------------------------------------------------------------


def test_the_standards_own_validator_finds_no_error(dicom_export):
    written = [*files(dicom_export / "dicom_seg"), *files(dicom_export / "dicom_sr")]
    assert len(written) == 8
    for file in written:
        told = validated(file)
        assert "Segmentation" in told or "ComprehensiveSR" in told
        assert "Error" not in told, told


def test_a_lesion_is_one_through_all_visits_in_seg_and_sr_alike(dicom_export):
    first, second = (dcmread(file) for file in files(dicom_export / "dicom_seg", "SHRINK"))
    reports = [dcmread(file) for file in files(dicom_export / "dicom_sr", "SHRINK")]
    uids = {segment.TrackingUID for seg in (first, second) for segment in seg.SegmentSequence}
    uids |= {named(groups(one)["L01"], "Tracking Unique Identifier")[0].UID for one in reports}
    assert len(uids) == 1
    merging = dcmread(files(dicom_export / "dicom_seg", "MERGE")[0]).SegmentSequence
    assert [segment.TrackingID for segment in merging] == ["L01", "L02"]
    assert len({segment.TrackingUID for segment in merging} | uids) == 3


def lesion_uids(segs: Path, patient: str = "") -> dict[tuple[str, str], str]:
    """(patient, lesion) -> UID, each said once."""
    said = {
        (seg.PatientID, segment.TrackingID, segment.TrackingUID)
        for seg in map(dcmread, files(segs, patient))
        for segment in seg.SegmentSequence
        if "TrackingUID" in segment
    }
    assert len(said) == len({one[:2] for one in said}) == len({one[2] for one in said})
    return {one[:2]: one[2] for one in said}


def test_a_lesion_is_called_the_same_when_a_visit_is_added(dicom_export, dicom_results, tmp_path):
    manifest = dicom_results.parent / "cohort/cohort.csv"
    own = [
        line.replace("MERGE/", f"{manifest.parent}/MERGE/")
        for line in manifest.read_text(encoding="utf-8").splitlines()
        if line.startswith(("patient_id", "MERGE,visit1"))
    ]
    (tmp_path / "cohort.csv").write_text("\n".join(own), encoding="utf-8")
    mda.score(tmp_path / "cohort.csv", out=tmp_path / "results")
    assert not dicom_cohort.exported(tmp_path / "results", tmp_path, "dicom_seg").failed
    alone = lesion_uids(tmp_path / "dicom_seg")
    assert len(alone) == 2
    assert alone == lesion_uids(dicom_export / "dicom_seg", "MERGE")


def test_a_lesion_keeps_the_uid_that_its_mask_gave_it(dicom_export, dicom_results, tmp_path):
    """Scored again from our own SEG, and from those of somebody else."""
    segs = tmp_path / "segs"
    shutil.copytree(dicom_export / "dicom_seg", segs)
    for file in files(segs, "SHRINK"):
        seg = dcmread(file)
        seg.SegmentSequence[0].TrackingUID = "1.2.3.77"
        seg.save_as(file)
    dicom_cohort.rescored(dicom_results.parent / "cohort/cohort.csv", segs, tmp_path / "again")
    assert not dicom_cohort.exported(tmp_path / "again/results", tmp_path, "dicom_seg", "dicom_sr").failed
    before, after = lesion_uids(dicom_export / "dicom_seg"), lesion_uids(tmp_path / "dicom_seg")
    (shrink,) = (key for key in before if "L02" not in key and before[key] != after[key])
    assert after == before | {shrink: "1.2.3.77"}
    report = groups(dcmread(files(tmp_path / "dicom_sr", "SHRINK")[0]))
    assert named(report["L01"], "Tracking Unique Identifier")[0].UID == "1.2.3.77"
    assert tracking_uids_of_mask(files(segs, "SHRINK")[0]) == {1: "1.2.3.77"}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({1: "1.2.77", 2: "1.2.78"}, {"L01": "1.2.77", "L02": "1.2.78"}),
        ({1: "1.2.77", 2: "1.2.77"}, {"L01": "1.2.77"}),
        ({1: "1.02.7", 2: "patient Doe"}, {}),
        ({1: "1.2." + "7" * 61, 3: "1.2.3"}, {}),
    ],
)
def test_a_uid_of_a_mask_is_kept_only_if_it_is_one_and_one_lesion_s(monkeypatch, told, kept):
    monkeypatch.setattr(identities, "tracking_uids_of_mask", lambda _: told)
    about = {"modality": Modality.CT, "date": dt.date(2024, 1, 5), "visit": "first", "image": 0}
    drawings = [Drawing(lesion_id=f"L0{k}", labels=(k,), **about) for k in (1, 2)]
    drawings.append(Drawing(lesion_id="L03", labels=(3,), merged=("L03", "L04"), **about))
    source = SimpleNamespace(
        finished=SimpleNamespace(patient_id="P", drawings=drawings),
        patient=SimpleNamespace(images=[ImageEntry(image=Path("gone.nii"), mask=Path("x"), row=2)]),
        lesions=[{"lesion_id": "L03"}],
    )
    found = identities.tracking_uids(source)
    assert {lesion_id: uid for lesion_id, uid in found.items() if not uid.startswith("2.25.")} == kept
    assert len(set(found.values())) == 3


def test_an_outline_that_is_two_lesions_has_the_identity_of_neither(dicom_export):
    (segment,) = dcmread(files(dicom_export / "dicom_seg", "MERGE")[1]).SegmentSequence
    assert segment.SegmentLabel == "L01+L02"
    assert "TrackingUID" not in segment


def test_what_a_segment_says(dicom_export, dicom_results):
    seg = dcmread(files(dicom_export / "dicom_seg", "SHRINK")[0])
    source = dcmread(min((dicom_results.parent / "cohort/SHRINK").glob("visit1_ct*/*")))
    (segment,) = seg.SegmentSequence
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "94222008"
    assert segment.SegmentAlgorithmType == "MANUAL"
    assert segment.AnatomicRegionSequence[0].CodeMeaning == "Bone"
    assert (seg.StudyInstanceUID, seg.PatientID) == (source.StudyInstanceUID, source.PatientID)
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID
    assert seg.FrameOfReferenceUID == source.FrameOfReferenceUID


def test_what_is_exported_later_is_newer_and_says_who_made_it(dicom_results, tmp_path):
    """Than its study. Files of a copy have other times; it is the same result, of the same time under the same UIDs."""
    copy = tmp_path / "copy"
    shutil.copytree(dicom_results, copy)

    def times(seconds: float) -> dict[str, tuple[str, str]]:
        for stored in (copy / ".patients").glob("*.json"):
            told = json.loads(stored.read_text())
            if "written_at" in told:
                stored.write_text(json.dumps(told | {"written_at": seconds}))
            os.utime(stored, (1e9, 1e9))
        assert not dicom_cohort.exported(copy, tmp_path, "dicom_seg", "dicom_sr").failed
        found = {}
        for file in (*files(tmp_path / "dicom_seg"), *files(tmp_path / "dicom_sr")):
            header = dcmread(file, stop_before_pixels=True)
            assert header.Manufacturer == header.ManufacturerModelName == MAKER_NAME
            assert header.ContentDate + header.ContentTime >= header.StudyDate + (header.StudyTime or "")
            created = header.InstanceCreationDate + header.InstanceCreationTime
            assert created == header.ContentDate + header.ContentTime
            found[file.name] = created, header.SOPInstanceUID
        return found

    day = dt.datetime(2031, 5, 6, 7, 8, 9, 250000).timestamp()
    first, second = times(day), times(0.0)
    assert {at for at, _ in first.values()} == {"20310506070809.250000"}
    assert min(at for at, _ in second.values()) > "1980"  # the study, where a clock ran wrong
    assert {name: uid for name, (_, uid) in first.items()} == {name: uid for name, (_, uid) in second.items()}


def test_what_is_written_otherwise_has_another_uid(dicom_export, dicom_results, tmp_path):
    assert not dicom_cohort.exported(dicom_results, tmp_path, "dicom_sr", for_ohif=True).failed
    pairs = [(dcmread(file), dcmread(dicom_export / "dicom_sr" / file.name)) for file in files(tmp_path / "dicom_sr")]
    assert pairs
    assert all(one.SOPInstanceUID != other.SOPInstanceUID for one, other in pairs)
    assert all(one.SeriesInstanceUID == other.SeriesInstanceUID for one, other in pairs)


def test_the_name_of_an_algorithm_is_told(dicom_results, tmp_path):
    assert not dicom_cohort.exported(dicom_results, tmp_path, "dicom_seg", algorithm="BoneNet").failed
    file = files(tmp_path / "dicom_seg")[0]
    (segment, *_) = dcmread(file).SegmentSequence
    assert segment.SegmentAlgorithmType == "AUTOMATIC"
    assert segment.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName == "BoneNet"
    assert "Error" not in validated(file)


def test_the_ends_of_the_axes_lie_in_the_slice_that_was_measured(dicom_export, dicom_results):
    cohort = dicom_results.parent / "cohort"
    images = {
        str(header.SOPInstanceUID): header
        for file in cohort.rglob("*.dcm")
        if "lesions" not in file.name
        for header in [dcmread(file, stop_before_pixels=True)]
    }
    measured = [row for row in rows(dicom_results, "lesions") if row["long_axis_mm"]]
    assert len(measured) == 5
    for row in measured:
        (file,) = (one for one in files(dicom_export / "dicom_sr", row["patient_id"]) if row["visit"] in one.name)
        for column, meaning in (("long_axis_mm", "Long Axis"), ("short_axis_mm", "Short Axis")):
            (axis,) = named(groups(dcmread(file))[row["lesion_id"]], meaning)
            line = axis.ContentSequence[0]
            assert line.GraphicType == "POLYLINE"
            image = images[str(line.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID)]
            ends = np.array(line.GraphicData).reshape(2, 2)
            length = math.dist(*(ends * [float(x) for x in reversed(image.PixelSpacing)]))
            assert length == pytest.approx(float(row[column]), abs=0.011)
            assert int(image.InstanceNumber) == int(row["slice"])
            assert float(axis.MeasuredValueSequence[0].NumericValue) == float(row[column])
            inside = (ends - 0.5) * [float(x) for x in reversed(image.PixelSpacing)]
            middle = inside.mean(axis=0) + [float(x) for x in image.ImagePositionPatient[:2]]
            if row["patient_id"] == "SHRINK":  # two balls with a bridge have their middle elsewhere
                assert middle == pytest.approx([float(row["x_mm"]), float(row["y_mm"])], abs=2.0)


def test_what_a_report_says_of_a_lesion_and_of_the_patient(dicom_export, dicom_results):
    report = dcmread(files(dicom_export / "dicom_sr", "SHRINK")[1])
    (row,) = (
        one for one in rows(dicom_results, "lesions") if one["patient_id"] == "SHRINK" and one["visit"] == "visit2"
    )
    lesion = groups(report)["L01"]
    densities = {
        named(item, "Derivation")[0].ConceptCodeSequence[0].CodeMeaning: item.MeasuredValueSequence[0]
        for item in named(lesion, "X-Ray Attenuation")
    }
    assert float(densities["Mean"].NumericValue) == float(row["mean_hu"])
    assert 0 < float(densities["Standard Deviation"].NumericValue) < 100
    assert densities["Mean"].MeasurementUnitsCodeSequence[0].CodeValue == "[hnsf'U]"
    assert named(lesion, "Current Response")[0].ConceptCodeSequence[0].CodeValue == "C18058"
    assert named(lesion, "Time Point Type")[0].ConceptCodeSequence[0].CodeMeaning == "Posttreatment"
    responses = {row["criteria"]: row for row in rows(dicom_results, "responses") if row["patient_id"] == "SHRINK"}
    for name in dicom_cohort.SETS:
        patient = groups(report)[f"patient {name}"]
        method = named(patient, "Response Evaluation Method")[0].ConceptCodeSequence[0]
        assert method.CodeValue == criteria_code(name).value
        told = named(patient, "Current Response")[0].ConceptCodeSequence[0]
        assert told.CodeValue == category_code(responses[name]["category"]).value
        assert named(patient, "Best Overall Response")
    (base,) = (
        one for one in rows(dicom_results, "lesions") if (one["patient_id"], one["visit"]) == ("SHRINK", "visit1")
    )
    first = dcmread(files(dicom_export / "dicom_sr", "SHRINK")[0])
    (size,) = named(groups(first)["patient mda2010"], "Sum of long and short axes of lesions")
    assert float(size.MeasuredValueSequence[0].NumericValue) == float(base["size_mm"])  # what later changes are of
    assert named(groups(first)["L01"], "Time Point Type")[0].ConceptCodeSequence[0].CodeMeaning == "Baseline"
    assert not named(groups(first)["L01"], "Current Response")
    assert not named(groups(first)["patient who"], "Best Overall Response")


@pytest.mark.parametrize(
    ("node", "finding", "site"),
    [("true", [], "59441001"), ("", ["94222008"], "36470004"), ("false", ["94222008"], "36470004")],
)
def test_a_node_is_no_bony_metastasis(node, finding, site):
    row = dict.fromkeys(LESIONS.column_names, "") | {
        "lesion_id": "N1",
        "status": "followed",
        "site": "L3",
        "node": node,
    }
    source = SimpleNamespace(criteria=("mda2010",))
    made = lesion_group(source, row, None, None, time_point=None, uid="2.25.7", for_ohif=False)
    group = made.item[0]
    assert [item.ConceptCodeSequence[0].CodeValue for item in named(group, "Finding")] == finding
    assert named(group, "Finding Site")[0].ConceptCodeSequence[0].CodeValue == site


def test_a_report_shows_what_it_was_made_from(dicom_export):
    report = dcmread(files(dicom_export / "dicom_sr", "MERGE")[0])
    evidence = {
        str(instance.ReferencedSOPInstanceUID)
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    shown = {
        str(reference.ReferencedSOPInstanceUID)
        for group in groups(report).values()
        for image in named(group, "Source of Measurement")
        for reference in image.ReferencedSOPSequence
    }
    assert shown
    assert shown <= evidence


def test_ohif_is_given_its_own_names(dicom_results, tmp_path):
    dicom_cohort.exported(dicom_results, tmp_path, "dicom_sr", for_ohif=True)
    report = dcmread(files(tmp_path / "dicom_sr", "SHRINK")[0])
    assert "Cornerstone3DTools@^0.1.0:Bidirectional:L01" in groups(report)


def test_the_same_results_give_the_same_bytes(dicom_export, dicom_results, tmp_path):
    kinds = ("dicom_seg", "dicom_sr", "slicer")
    dicom_cohort.exported(dicom_results, tmp_path, *kinds)
    for kind in kinds:
        first, second = (
            {one.name: one.read_bytes() for one in (at / kind).iterdir()} for at in (dicom_export, tmp_path)
        )
        assert first == second


# --- read back -----------------------------------------------------------------------------------------------------


def test_scoring_the_exported_seg_gives_the_same_tables(dicom_export, dicom_results, tmp_path):
    manifest = dicom_results.parent / "cohort/cohort.csv"
    dicom_cohort.rescored(manifest, dicom_export / "dicom_seg", tmp_path / "again")
    for table in TABLES:
        assert (tmp_path / "again/results" / f"{table}.csv").read_bytes() == (
            dicom_results / f"{table}.csv"
        ).read_bytes(), table


def test_classifying_the_exported_sr_gives_the_same_categories(dicom_export, dicom_results, tmp_path):
    shutil.copy(dicom_results.parent / "cohort/patients.csv", tmp_path)
    reports = tmp_path / "reports"
    shutil.copytree(dicom_export / "dicom_sr", reports)
    assert (
        main(["classify", str(reports), "-o", str(tmp_path / "out"), "-q", "--criteria", ",".join(dicom_cohort.SETS)])
        == 0
    )
    told = ("patient_id", "visit", "date", "criteria", "scope", "category")
    before, after = (
        [[row[name] for name in told] for row in rows(folder, "responses")]
        for folder in (dicom_results, tmp_path / "out")
    )
    assert before == after


@pytest.mark.real
def test_a_real_ct_with_an_rtstruct_comes_back_as_it_was(real_data, tmp_path):
    """A sarcoma as if it were a lesion: the contours of a reader, as SEG, give the same numbers."""
    folder = real_data / "sts_multimodal/dicom_STS_002/CT"
    (mask,) = (folder / "mask").iterdir()
    manifest = tmp_path / "cohort.csv"
    manifest.write_text(f"patient_id,visit,image,mask\nR1,first,{folder / 'image'},{mask}\n", encoding="utf-8")
    before = mda.score(manifest, out=tmp_path / "results")
    assert not dicom_cohort.exported(tmp_path / "results", tmp_path, "dicom_seg", "dicom_sr").failed
    for kind in ("dicom_seg", "dicom_sr"):
        assert "Error" not in validated(files(tmp_path / kind)[0])
    again = dicom_cohort.rescored(manifest, tmp_path / "dicom_seg", tmp_path / "again")
    assert before.rows["lesions"]
    changed = {
        column
        for one, other in zip(before.named(LESIONS), again.named(LESIONS), strict=True)
        for column in one
        if one[column] != other[column]
    }
    assert changed <= {"label"}  # segments are numbered from 1


@pytest.mark.real
def test_a_tilted_gantry_has_its_axes_in_millimetres(real_data, tmp_path):
    """The slice that was measured was never acquired; the SEG lies on the straightened grid and comes back."""
    (tmp_path / "ct").mkdir()
    for file in (real_data / "bad_geometry_dicom2nifti/gantrytilting/001").iterdir():
        header = dcmread(file)
        header.FrameOfReferenceUID = "1.2.3.4.5"  # which these public files lack
        header.save_as(tmp_path / "ct" / file.name)
    geometry = mda.read_volume(tmp_path / "ct").geometry
    drawn = np.zeros(geometry.shape, dtype=bool)
    drawn[1:3, 230:270, 236:276] = True
    write_label_map(Mask(geometry=geometry, regions=(Region.from_array(drawn, label=4),)), tmp_path / "mask.nii.gz")
    manifest = tmp_path / "cohort.csv"
    manifest.write_text("patient_id,visit,image,mask\nT1,first,ct,mask.nii.gz\n", encoding="utf-8")
    before = mda.score(manifest, out=tmp_path / "results")
    assert not dicom_cohort.exported(tmp_path / "results", tmp_path, "dicom_seg", "dicom_sr").failed
    report = dcmread(files(tmp_path / "dicom_sr")[0])
    (row,) = rows(tmp_path / "results", "lesions")
    (axis,) = named(groups(report)["L01"], "Long Axis")
    line = axis.ContentSequence[0]
    assert (line.ValueType, line.ReferencedFrameOfReferenceUID) == ("SCOORD3D", "1.2.3.4.5")
    first, second = np.array(line.GraphicData).reshape(2, 3)
    assert np.linalg.norm(second - first) == pytest.approx(float(row["long_axis_mm"]), abs=0.011)
    assert "Error" not in validated(files(tmp_path / "dicom_sr")[0])
    assert "Error" not in validated(files(tmp_path / "dicom_seg")[0])
    again = dicom_cohort.rescored(manifest, tmp_path / "dicom_seg", tmp_path / "again")
    (one,), (other,) = before.named(LESIONS), again.named(LESIONS)
    assert {column for column in one if one[column] != other[column]} == {"label"}


@pytest.mark.real
def test_an_image_whose_uids_were_blanked_is_refused(real_data):
    """Nothing could refer to it."""
    entry = ImageEntry(image=real_data / "ct_totalseg/example_ct_dicom", row=2)
    source = SimpleNamespace(pseudonymous=False)
    with pytest.raises(ImageError, match="no SOPClassUID, SOPInstanceUID, StudyInstanceUID, SeriesInstanceUID in the"):
        dicom_image(source, entry).header()


def test_lesions_that_overlap_come_back_whole(tmp_path):
    """Two balls through each other, in a SEG that holds both: every voxel of either is still its own."""
    geometry = Geometry.from_axes(
        shape=(20, 40, 44), spacing_mm=(2.0, 1.0, 1.0), origin_mm=(3.0, -7.0, 11.0), directions=np.eye(3)[::-1]
    )
    values = np.full(geometry.shape, 150, dtype=np.int16)
    values[:] += np.random.default_rng(3).integers(-15, 15, geometry.shape, dtype=np.int16)
    volume = Volume(array=values, geometry=geometry, unit=Unit.HU, modality=Modality.CT)
    day = dt.date(2024, 1, 5)
    series = write_ct_series(volume, tmp_path / "ct", patient_id="O1", study_date=day, seed="overlap")
    places = np.indices(geometry.shape)
    balls = [(((places[0] - 10) * 2.0) ** 2 + (places[1] - row) ** 2 + (places[2] - 22) ** 2) <= 81 for row in (16, 24)]
    regions = tuple(Region.from_array(ball, label=k) for k, ball in enumerate(balls, start=1))
    write_dicom_seg(Mask(geometry=geometry, regions=regions), series, tmp_path / "mask.dcm", seed="overlap")
    (tmp_path / "cohort.csv").write_text("patient_id,visit,image,mask\nO1,first,ct,mask.dcm\n", encoding="utf-8")
    before = mda.score(tmp_path / "cohort.csv", out=tmp_path / "results", criteria=dicom_cohort.SETS)
    dicom_cohort.exported(tmp_path / "results", tmp_path, "dicom_seg")
    (file,) = files(tmp_path / "dicom_seg")
    assert dcmread(file).SegmentsOverlap == "YES"
    described = [(item.SegmentLabel, item.SegmentDescription) for item in dcmread(file).SegmentSequence]
    given = [item.SegmentLabel for item in dcmread(tmp_path / "mask.dcm").SegmentSequence]
    assert described == list(zip(("L01", "L02"), given, strict=True))  # who knows a lesion by one finds the other
    assert "Error" not in validated(file)
    again = dicom_cohort.rescored(tmp_path / "cohort.csv", tmp_path / "dicom_seg", tmp_path / "again")
    assert before.rows["lesions"] == again.rows["lesions"]


# --- who the patient is ---------------------------------------------------------------------------------------------


def test_results_under_pseudonyms_are_exported_under_them(dicom_results, tmp_path, capsys):
    manifest, key, out = dicom_results.parent / "cohort/cohort.csv", tmp_path / "study.key", tmp_path / "results"
    write_new_key(key)
    lines = manifest.read_text(encoding="utf-8").splitlines()
    own = [
        line.replace("SHRINK/", f"{manifest.parent}/SHRINK/")
        for line in lines
        if line.startswith(("patient_id", "SHRINK,visit1"))
    ]
    manifest = tmp_path / "cohort.csv"
    manifest.write_text("\n".join(own), encoding="utf-8")
    assert main(["score", str(manifest), "-o", str(out), "-q", "--no-report", "--pseudonymize", str(key)]) == 0
    wanted = ["export", str(out), "--dicom-seg", str(tmp_path / "seg"), "--dicom-sr", str(tmp_path / "sr")]
    with pytest.raises(InputError, match="under pseudonyms"):
        run_export(out, {"dicom_seg": tmp_path / "seg"})
    with pytest.raises(SettingsError, match="results under pseudonyms are not stored in a PACS"):
        run_export(out, {"dicom_seg": tmp_path / "seg"}, key_file=key, to="http://127.0.0.1:1/dicom-web")
    assert not list((tmp_path / "seg").iterdir())  # refused before anything is written
    assert main([*wanted, "--pseudonymize", str(key)]) == 0
    assert "keep the UIDs of the images" in capsys.readouterr().err
    written = [*files(tmp_path / "seg"), *files(tmp_path / "sr")]
    assert len(written) == 2
    for file in written:
        header = dcmread(file)
        assert str(header.PatientName) == header.PatientID == file.name[:20]
        assert header.PatientID.startswith("PSN-")
        assert not header.PatientBirthDate
        assert b"SHRINK" not in file.read_bytes()
        assert b"PHANTOM" not in file.read_bytes()
        assert "Error" not in validated(file)


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_images_that_changed_are_refused_and_cost_their_patient_alone(dicom_results, tmp_path):
    cohort = dicom_results.parent / "cohort"
    image = min((cohort / "SHRINK").glob("visit2_ct*/*"))
    before = image.read_bytes()
    try:
        image.write_bytes(before[:-2] + b"\x01\x01")
        done = dicom_cohort.exported(dicom_results, tmp_path, "dicom_seg", "dicom_sr")
        assert set(done.failed) == {"SHRINK"}
        assert "its images or masks changed since it was scored" in done.failed["SHRINK"]
        assert [one.name[:5] for one in files(tmp_path / "dicom_sr")] == ["MERGE"] * 2
    finally:
        image.write_bytes(before)
    assert not dicom_cohort.exported(dicom_results, tmp_path, "dicom_seg").failed  # another time, but the same content


def test_rows_that_changed_are_refused(dicom_results, tmp_path):
    manifest = dicom_results.parent / "cohort/cohort.csv"
    before = manifest.read_text(encoding="utf-8")
    try:
        lines = before.splitlines(keepends=True)
        manifest.write_text("".join(line for line in lines if not line.startswith("MERGE,visit1")), encoding="utf-8")
        done = dicom_cohort.exported(dicom_results, tmp_path, "dicom_sr")
    finally:
        manifest.write_text(before, encoding="utf-8")
    assert list(done.failed) == ["MERGE"]
    assert "its rows in the tables changed" in done.failed["MERGE"]
    assert done.counts == {"dicom_sr": 2}


def test_what_an_earlier_export_left_of_a_patient_that_fails_now_is_gone(dicom_results, tmp_path):
    assert dicom_cohort.exported(dicom_results, tmp_path, "dicom_sr").counts == {"dicom_sr": 4}
    (tmp_path / "dicom_sr/notes.txt").write_text("mine")
    stored = next(
        file for file in (dicom_results / ".patients").glob("*.json")
        if '"patient_id": "SHRINK"' in file.read_text(encoding="utf-8")[:200]
    )  # fmt: skip
    before = stored.read_bytes()
    try:
        stored.write_bytes(b"{}")
        done = dicom_cohort.exported(dicom_results, tmp_path, "dicom_sr")
    finally:
        stored.write_bytes(before)
    assert "damaged" in done.failed["SHRINK"]
    assert {one.name[:5] for one in files(tmp_path / "dicom_sr")} == {"MERGE"}
    assert (tmp_path / "dicom_sr/notes.txt").read_text() == "mine"


def test_a_nifti_cohort_has_no_series_to_refer_to(demo_folder, tmp_path, capsys):
    """Of the demo cohort what is DICOM is written, and the rest is told, patient by patient."""
    results = demo_folder / "mdanderson-demo/results"
    arguments = ["export", str(results), "--dicom-seg", str(tmp_path / "seg"), "--dicom-sr", str(tmp_path / "sr")]
    assert main([*arguments, "--slicer", str(tmp_path / "slicer")]) == 1
    told = capsys.readouterr()
    assert (
        "mdanderson: DEMO-SD: no DICOM image, which a SEG or SR would have to refer to @ visit1_ct.nii.gz" in told.err
    )
    assert "visit1_ct.nii.gz; export with --slicer, or score the DICOM series itself" in told.err
    assert "DEMO-NM-PD: no SEG of visit1_nm.dcm" in told.err
    assert "bug" not in told.err
    assert {one.name.split("-", 2)[1] for one in files(tmp_path / "seg")} == {"DICOM", "PETCT"}
    assert {one.name.split("-", 2)[1] for one in files(tmp_path / "sr")} >= {"DICOM", "PETCT", "NM"}
    for file in (*files(tmp_path / "seg"), *files(tmp_path / "sr")):
        assert "Error" not in validated(file)
    pet = groups(dcmread(files(tmp_path / "sr", "DEMO-PETCT")[0]))
    assert any(named(group, "SUVbw") for group in pet.values()) or any("PT" in str(group) for group in pet)


def test_results_of_a_table_have_no_images(tmp_path):
    (tmp_path / "table.csv").write_text(
        "patient_id,date,lesion_id,long_axis_mm\nP1,2024-01-05,L1,20\n", encoding="utf-8"
    )
    mda.classify(tmp_path / "table.csv", tmp_path / "out")
    for kind in ("dicom_seg", "dicom_sr", "slicer"):
        with pytest.raises(InputError, match="judged from a table"):
            run_export(tmp_path / "out", {kind: tmp_path / kind})


def test_what_is_asked_must_be_possible(dicom_results, tmp_path, capsys):
    with pytest.raises(OutputError, match="this is the results folder"):
        run_export(dicom_results, {"dicom_seg": dicom_results})
    with pytest.raises(SettingsError, match="nothing that a PACS stores"):
        run_export(dicom_results, {"slicer": tmp_path}, to="http://127.0.0.1:1/dicom-web")
    assert main(["export", str(dicom_results)]) == 2
    assert "nothing to write; name a folder, as in --dicom-seg DIR" in capsys.readouterr().err
    assert main(["export", str(tmp_path), "--dicom-seg", str(tmp_path / "x")]) == 2
    assert "no results here" in capsys.readouterr().err


# --- codes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "value"),
    [
        *(("L3", "36470004"), ("Th12", "23215003"), ("C2", "39976000"), ("T12-L1", "51282000"), ("spine", "51282000")),
        *(("sacrum", "54735007"), ("S2", "54735007"), ("left rib 5", "113197003"), ("right ilium", "22356005")),
        *(("femur, proximal", "71341001"), ("sternum", "56873002"), ("skull", "89546000"), ("pubis", "816092008")),
        *(
            ("somewhere", "272673000"),
            ("", "272673000"),
            ("scapula", "79601000"),
            ("T9 transverse process", "82687006"),
            ("rib 5", "113197003"),
        ),
    ],
)
def test_sites(site, value):
    assert site_code(site).value == value


@pytest.mark.parametrize(
    ("laterality", "site", "meaning"),
    [
        *(("left", "", "Left"), ("R", "left rib", "Right"), ("", "right femur", "Right"), ("", "rib", None)),
        *(("bilateral", "", "Right and left"), ("", "left and right ilium", "Right and left"), ("?", "", None)),
    ],
)
def test_sides(laterality, site, meaning):
    found = laterality_code(laterality, site)
    assert (found.meaning if found else None) == meaning


def test_every_code_is_one_that_dicom_can_hold():
    from mdanderson.criteria import CRITERIA_SETS
    from mdanderson.export import codes
    from mdanderson.vocabulary import Category

    known = [one for one in vars(codes).values() if isinstance(one, Code)]
    known += [criteria_code(one.code) for one in CRITERIA_SETS] + [category_code(str(one)) for one in Category]
    assert len(known) > 40
    for code in known:
        assert 0 < len(code.value) <= 16
        assert 0 < len(code.scheme) <= 16
        assert 0 < len(code.meaning) <= 64
    own = [code for code in known if code.scheme == codes.OWN]
    for one, other in pairwise(sorted(set(own), key=lambda code: code.value)):
        assert one.value != other.value


@pytest.mark.parametrize("scheme", ["SCT", "DCM", "LN", "UMLS", "UCUM"])
def test_codes_are_those_of_the_published_dictionary(scheme):
    """pydicom carries PS3.16; a code of ours that is not in it is a slip of the pen."""
    from pydicom.sr._concepts_dict import concepts

    from mdanderson.export import codes

    published = {value for one in concepts[scheme].values() for value in one}
    known = [one for one in vars(codes).values() if isinstance(one, Code)]
    known += list(codes._BONES.values()) + list(codes.PROCEDURES.values())
    values = {code.value for code in known if code.scheme == scheme}
    values |= set(codes._VERTEBRAE.values()) if scheme == "SCT" else set()
    assert values
    assert values <= published


def test_no_results_name_is_a_path(dicom_results, tmp_path):
    source = SimpleNamespace(finished=SimpleNamespace(patient_id="../../etc/passwd\n"))
    stem = file_stem(source, "2024-01-05", "a/b\\c:*")
    assert Path(stem).name == stem
    assert not set(stem) & set("/\\\n:*")
    assert isinstance(Results.from_folder(dicom_results), Results)
