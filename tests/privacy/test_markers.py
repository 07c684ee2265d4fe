"""Marker strings in every place of an input that may name a person: none of them comes out anywhere.

What a user sees are the tables, run.json, the store in the results folder, stdout, stderr and the logs.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import logging
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.tag import Tag
from safety import samples

from mdanderson.cli import main

MARK = "ZQXJWVK"  # so long that no packed picture holds it by chance
UID = "1.9.8765.4321"
"""What every planted text and every planted UID begin with."""
PERSONAL = (
    *("PatientName", "PatientID", "PatientBirthName", "PatientMotherBirthName", "OtherPatientNames"),
    *("OtherPatientIDs", "IssuerOfPatientID", "PatientAddress", "PatientComments", "AdditionalPatientHistory"),
    *("PatientTelephoneNumbers", "MilitaryRank", "Occupation", "EthnicGroup", "MedicalRecordLocator"),
    *("AccessionNumber", "StudyID", "StudyDescription", "ProtocolName", "RequestedProcedureDescription"),
    *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy"),
    *("RequestingPhysician", "PhysiciansOfRecord", "AdmittingDiagnosesDescription", "ImageComments"),
    *("ContentCreatorName", "ContentLabel", "ContentDescription", "StructureSetLabel", "StructureSetName"),
    *("AdmissionID", "PatientState", "RequestedProcedureID", "PerformedProcedureStepID"),
)
# SeriesDescription is not among them: where a folder holds several series, it tells the user which is which.
UIDS = ("StudyInstanceUID", "InstanceCreatorUID", "IrradiationEventUID", "ConcatenationUID")


def planted(ds: Dataset) -> Dataset:
    """The data set with a marker in every tag that may name somebody, private ones and the file's own header too."""
    for number, keyword in enumerate(PERSONAL):
        setattr(ds, keyword, f"{MARK}{number}")
    ds.PatientBirthDate, ds.PatientBirthTime = "19010203", "010203"
    for keyword in UIDS:
        setattr(ds, keyword, f"{UID}.1")
    block = ds.private_block(0x0009, f"{MARK} CREATOR", create=True)
    block.add_new(0x01, "LO", f"{MARK} private")
    block.add_new(0x02, "PN", f"{MARK}^Private")
    ds.file_meta.SourceApplicationEntityTitle = f"{MARK} AE"
    ds.file_meta.ImplementationVersionName = f"{MARK} V"
    for sequence in ("ReferencedStudySequence", "RequestAttributesSequence", "OtherPatientIDsSequence"):
        item = Dataset()
        item.PatientID, item.ReferencedSOPInstanceUID = f"{MARK} item", f"{UID}.2"
        setattr(ds, sequence, [item])
    return ds


def identified(ds: Dataset) -> Dataset:
    """And its own UIDs: one series, one frame, all of them marked."""
    ds.SeriesInstanceUID, ds.FrameOfReferenceUID = f"{UID}.3", f"{UID}.4"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{UID}.5.{ds.get('InstanceNumber', 0)}"
    for roi in ds.get("StructureSetROISequence", ()):
        roi.ReferencedFrameOfReferenceUID = f"{UID}.4"
    return planted(ds)


def named_nifti(header: bytearray) -> None:
    """descrip, aux_file, intent_name, data_type and db_name."""
    for offset, size in ((148, 80), (228, 24), (328, 16), (4, 10), (14, 18)):
        struct.pack_into(f"{size}s", header, offset, f"{MARK} of {offset}".encode())


def spoil(folder: Path) -> None:
    """One byte less in each file, so that they are refused."""
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-300])


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of image and mask, good and bad, each with markers."""
    folder = tmp_path_factory.mktemp("markers")
    rows = ["patient_id,image,mask,date,modality,series,remark"]

    def write(name: str, content: object) -> None:
        samples.write(folder / name, content)

    for kind in ("CT", "MR", "PT"):
        write(kind, [identified(ds) for ds in samples.slices(kind)])
        rows.append(f"{kind},{kind},,,,,{MARK} remark")
        write(f"{kind}_cut", [identified(ds) for ds in samples.slices(kind)])
        spoil(folder / f"{kind}_cut")
        rows.append(f"{kind}_cut,{kind}_cut,,,,,")
    write("CT_seg", [identified(ds) for ds in samples.slices("CT")])
    write("CT_rt", [identified(ds) for ds in samples.slices("CT")])
    write("seg.dcm", labelled(identified(samples.segmentation())))
    write("rt.dcm", labelled(identified(samples.structures())))
    write("nm.dcm", identified(samples.scintigram()))
    write("dx.dcm", identified(samples.radiograph()))
    rows += ["SEG,CT_seg,seg.dcm,,,,", "RT,CT_rt,rt.dcm,,,,", "NM,nm.dcm,,,,,", "XR,dx.dcm,,,,,"]
    rows += [f"asked,CT_rt,seg.dcm,,,{UID}.77,", "wrong,CT_seg,,,MR,,", "report,seg.dcm,,,,,", "film,dx.dcm,nm.dcm,,,,"]
    for name, edit in bad_headers().items():
        write(name, [edit(identified(ds)) for ds in samples.slices("CT")])
        rows.append(f"{name},{name},,,,,")
    lesion = samples.lesion().astype(np.uint8)
    for name, content in (
        ("ct.nii.gz", samples.gz(samples.nifti_bytes(edit=named_nifti))),
        ("bad.nii.gz", samples.gz(samples.nifti_bytes(edit=named_nifti)[:-9])),
        ("ct.nrrd", samples.nrrd_bytes(edit={"content": f"{MARK} content", f"{MARK}:=": f"{MARK} value"})),
        ("bad.nrrd", samples.nrrd_bytes(edit={"content": f"{MARK} content"})[:-9]),
        ("ct.mha", samples.mha_bytes(edit={"Comment": f"{MARK} comment", "Name": f"{MARK} name"})),
        ("bad.mha", samples.mha_bytes(edit={"Comment": f"{MARK} comment"})[:-9]),
    ):
        write(name, content)
        rows.append(f"of {name},{name},m.nii.gz,2024-01-05,CT,,")
    write("m.nii.gz", samples.gz(samples.nifti_bytes(lesion, edit=named_nifti)))
    (folder / "cohort.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "cohort.csv"


def labelled(ds: Dataset) -> Dataset:
    """Names of segments and regions, and who drew them."""
    for segment in ds.get("SegmentSequence", ()):
        segment.SegmentLabel, segment.SegmentDescription = f"{MARK} label", f"{MARK} description"
        segment.TrackingID, segment.TrackingUID = f"{MARK} tracking", f"{UID}.6"
    for roi in ds.get("StructureSetROISequence", ()):
        roi.ROIName, roi.ROIDescription = f"{MARK} roi", f"{MARK} description"
    observation = Dataset()
    observation.ROIObservationLabel, observation.ROIInterpreter = f"{MARK} seen", f"{MARK}^Reader"
    ds.RTROIObservationsSequence = [observation]
    return ds


def bad_headers() -> dict[str, object]:
    """Headers whose fault tempts a reader, or a library, to repeat what they hold."""

    def with_value(keyword: str, value: str) -> object:
        def edit(ds: Dataset) -> Dataset:
            from pydicom.dataelem import RawDataElement

            tag = Tag(keyword)
            raw = value.encode() + b" " * (len(value) % 2)
            vr = DicomDictionary[int(tag)][0]
            ds._dict[tag] = RawDataElement(tag, vr, len(raw), raw, 0, False, True)
            return ds

        return edit

    swallowed = f"CT\0\x10\0\x10\0PN\x0a\0{MARK}^Name"
    return {
        "of_no_date": with_value("StudyDate", f"{MARK}20240105"),
        "of_no_place": with_value("ImagePositionPatient", f"{MARK}\\0\\0"),
        "of_no_spacing": with_value("PixelSpacing", f"{MARK}\\2"),
        "of_no_slope": with_value("RescaleSlope", f"{MARK}"),
        "of_no_size": with_value("Rows", f"{MARK}1234"),
        "of_no_uid": with_value("SeriesInstanceUID", f"{MARK} is no uid"),
        "of_no_modality": with_value("Modality", swallowed),
        "of_no_photometry": with_value("PhotometricInterpretation", swallowed),
        "of_no_unit": with_value("RescaleType", swallowed),
        "of_no_kind": with_value("ImageType", f"ORIGINAL\\{MARK}\\LOCALIZER"),
    }


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Of every file, and of what is packed into it."""
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            yield str(path.relative_to(folder)), text
            for packed in set(re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", text)):
                with contextlib.suppress(ValueError):
                    unpacked = base64.b64decode(packed, validate=True)
                    if unpacked.startswith(b"\x1f\x8b"):
                        unpacked = gzip.decompress(unpacked)
                    yield f"packed in {path.relative_to(folder)}", unpacked.decode("latin-1")


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("command", ["check", "score"])
def test_no_marker_comes_out(command, cohort, tmp_path, capfd, caplog, recwarn):
    caplog.set_level(logging.DEBUG)
    arguments = [command, str(cohort)] + (["-o", str(tmp_path / "out")] if command == "score" else [])
    assert main(arguments) == 1
    told = capfd.readouterr()
    places = [("stdout", told.out), ("stderr", told.err), ("log", caplog.text)]
    places += [("warnings", str(one.message)) for one in recwarn.list]
    places += texts(tmp_path)
    found = {
        place for place, text in places if MARK in text or UID in text or "19010203" in text or "1901-02-03" in text
    }
    lines = [line for _, text in places for line in text.splitlines() if MARK in line or UID in line]
    assert not found, lines[:5]
    assert command == "check" or any(place.startswith("packed in") for place, _ in places)
    assert len(told.out) > 500  # something was told


def test_the_tags_are_those_that_dicom_knows():
    assert all(keyword_for_tag(Tag(keyword)) == keyword for keyword in (*PERSONAL, *UIDS))
