"""`timeline.view()`: a widget of every visit with the voxels in it, and one clear line where there can be none."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import pickle
import socket
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import mdanderson as mda
from mdanderson.assessment import viewed
from mdanderson.crops import DRAWN, Crop, nifti_of
from mdanderson.errors import InputError, MdandersonError
from mdanderson.geometry import Geometry

pytest.importorskip("ipyniivue")
DEMO = Path(__file__).parents[2] / "segmentations" / "cohort.csv"


@pytest.fixture(scope="module")
def timeline() -> mda.Timeline:
    return mda.assess(mda.read_cohort(DEMO)["DEMO-PD-NEW"])


def crops_of(timeline: mda.Timeline) -> tuple[Crop, ...]:
    timeline.view()
    return timeline.viewing._crops


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a network fails."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def test_visits_stand_side_by_side_with_the_voxels_in_them(timeline: mda.Timeline, offline: None) -> None:
    crops = crops_of(timeline)
    (row,) = timeline.view("L03").children
    labels, widgets = zip(*(pane.children for pane in row.children), strict=True)
    assert [label.value for label in labels] == ["L03 CT visit1 2024-03-02", "L03 CT visit2 2024-07-20"]
    its = [crop for crop in crops if crop.lesion_id == "L03"]
    for widget, crop in zip(widgets, its, strict=True):
        image, outlines = widget.volumes
        assert image.data == base64.b64decode(crop.image)
        assert outlines.data == base64.b64decode(crop.outlines)
        assert (image.name, outlines.name) == ("image.nii.gz", "outlines.nii.gz")
        assert (image.cal_min, image.cal_max) == (-500.0, 1300.0)
        assert outlines.colormap_label.lut[4:7] == [255, 212, 59]
        assert widget.opts.is_slice_mm  # else oblique images would be linked by other millimetres
    first, second = widgets
    assert first.other_nv == [second]
    assert second.other_nv == [first]
    assert first.sync_opts["crosshair"]


def test_cross_hairs_begin_in_the_middle_of_the_lesion(timeline: mda.Timeline) -> None:
    its = [crop for crop in crops_of(timeline) if crop.lesion_id == "L01"]
    (row,) = timeline.view("L01").children
    for crop, pane in zip(its, row.children, strict=True):
        outlines = nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(crop.outlines)))
        outlines = nib.as_closest_canonical(outlines)
        voxel = np.array(pane.children[1].scene.crosshair_pos) * outlines.shape - 0.5
        drawn = np.argwhere(np.asarray(outlines.dataobj) == DRAWN)
        assert voxel == pytest.approx((drawn.min(axis=0) + drawn.max(axis=0)) / 2, abs=1.5)


@pytest.mark.parametrize(
    "directions",
    [
        pytest.param(((0, 0, 1), (0, 1, 0), (1, 0, 0)), id="axial"),
        pytest.param(((-1, 0, 0), (0, 0, -1), (0, 1, 0)), id="sagittal"),
        pytest.param(((0, 1, 0), (0, 0, -1), (1, 0, 0)), id="coronal"),
        pytest.param(((0, -0.6, 0.8), (0, 0.8, 0.6), (-1, 0, 0)), id="tilted"),
    ],
)
def test_a_share_is_counted_from_left_back_and_foot_in_any_orientation(directions: tuple) -> None:
    grid = Geometry.from_axes(shape=(5, 6, 7), spacing_mm=(3, 2, 1), origin_mm=(9, -4, 30), directions=directions)
    text = nifti_of(np.zeros(grid.shape, np.int16), grid.affine)
    by_library = nib.as_closest_canonical(nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text))))
    place = grid.to_lps((1.25, 3.5, 4.0))
    voxel = nib.affines.apply_affine(np.linalg.inv(by_library.affine), place * (-1, -1, 1))
    assert viewed._share_of(text, tuple(place)) == pytest.approx((voxel + 0.5) / by_library.shape, abs=1e-6)


def test_images_are_read_when_somebody_looks_and_once(timeline: mda.Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = pickle.loads(pickle.dumps(mda.assess(mda.read_cohort(DEMO)["DEMO-PR-SIZE"])))
    assert fresh.viewing._crops is None
    (row,) = fresh.view().children
    assert row.children[0].children[0].value.startswith("L01 CT")  # the largest
    monkeypatch.setattr(viewed, "widget_of", lambda crops, *_: len(crops))
    monkeypatch.setattr("mdanderson.assessment.patient.load_images", None)
    assert fresh.view("L02") == 4


def test_every_sequence_has_a_row_and_a_lost_place_is_not_linked(timeline: mda.Timeline) -> None:
    crops = crops_of(timeline)
    one, other = (crop for crop in crops if crop.lesion_id == "L01")
    sequences = [dataclasses.replace(one, sequence="T1"), dataclasses.replace(one, sequence="STIR")]
    assert len(viewed.widget_of(sequences).children) == 2
    (row,) = viewed.widget_of([one, dataclasses.replace(other, linked=False)]).children
    assert row.children[1].children[0].value.endswith("(not linked)")
    assert row.children[0].children[1].other_nv == []


def test_what_is_not_there_is_told_in_one_line(timeline: mda.Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"no volume of lesion 'L09'; there are L01 \(CT\)"):
        timeline.view("L09")
    with pytest.raises(InputError, match="no volume of lesion 'L01 MR'"):
        timeline.view("L01", "MR")
    with pytest.raises(InputError, match="images with depth are needed"):
        viewed.widget_of(())
    paper = mda.Timeline(patient=timeline.patient, visits=(), lesions=timeline.lesions, responses=(), summaries=())
    with pytest.raises(InputError, match="no images behind this timeline"):
        paper.view()
    monkeypatch.setitem(sys.modules, "ipyniivue", None)
    with pytest.raises(MdandersonError, match=r"pip install 'mdanderson\[notebook\]'"):
        timeline.view()


def test_results_show_what_was_kept_for_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdanderson.batch.pages._figures", lambda *_: ())
    cohort = mda.read_cohort(DEMO)
    small = dataclasses.replace(cohort, patients=(cohort["DEMO-PR-SIZE"],))
    results = mda.score(small, out=tmp_path / "out", report=True, viewer=True)
    (row,) = results.view("DEMO-PR-SIZE").children
    assert len(row.children) == 2
    assert len(mda.Results.from_folder(tmp_path / "out").view("DEMO-PR-SIZE", "L02").children) == 1
    with pytest.raises(InputError, match="no volumes are kept of this patient"):
        results.view("nobody")
