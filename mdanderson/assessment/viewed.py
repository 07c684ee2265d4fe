"""A patient's lesions in a notebook: the crops of every visit side by side, through ipyniivue (decisions/0033)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mdanderson.crops import CARRIED, DRAWN, NEIGHBOUR, Crop, Point, grid_of
from mdanderson.errors import InputError, MdandersonError
from mdanderson.geometry import Geometry, patient_axes
from mdanderson.readers.manifest import Patient
from mdanderson.settings import Settings

if TYPE_CHECKING:
    from ipywidgets import Widget

__all__ = ["Viewing", "widget_of"]

_COLOURS = {0: (0, 0, 0, 0), DRAWN: (255, 212, 59, 255), CARRIED: (76, 201, 255, 255), NEIGHBOUR: (255, 157, 226, 255)}
_FILL = 0.08
_HEIGHT_PX = 320
_LINKED = {"crosshair": True, "zoom_pan": True, "slice_type": True}


class Viewing:
    """What a timeline is viewed by: its images, read again when somebody asks, and no voxel before that."""

    def __init__(self, patient: Patient, settings: Settings) -> None:
        self._patient, self._settings = patient, settings
        self._crops: tuple[Crop, ...] | None = None

    def __call__(self, lesion_id: str, modality: str) -> Widget:
        """The widget. Raises `MdandersonError` without the extra, `InputError` for what is not there."""
        check_notebook()
        if self._crops is None:
            from mdanderson.assessment.patient import assess

            crops: list[Crop] = []
            assess(self._patient, settings=self._settings, keep=crops.append)
            self._crops = tuple(crops)
        return widget_of(self._crops, lesion_id, modality)


def check_notebook() -> None:
    """Raises `MdandersonError` where the extra is not installed."""
    try:
        import ipyniivue  # noqa: F401
    except ImportError as error:
        raise MdandersonError(
            "a view in a notebook needs ipyniivue", way_out="pip install 'mdanderson[notebook]'"
        ) from error


def widget_of(crops: Sequence[Crop], lesion_id: str = "", modality: str = "") -> Widget:
    """The visits of one lesion side by side, a row for every sequence, their cross-hairs at one place.

    lesion_id: blank = the largest. modality: blank = the one that speaks first. Raises `InputError` naming what there
    is.
    """
    from ipywidgets import HBox, VBox

    known = dict.fromkeys(crop.lesion_id for crop in crops)
    wanted = lesion_id or next(iter(known), "")
    its = [crop for crop in crops if crop.lesion_id == wanted and modality in {"", str(crop.modality)}]
    if not its:
        there = ", ".join(dict.fromkeys(f"{crop.lesion_id} ({crop.modality})" for crop in crops))
        raise InputError(
            f"no volume of lesion {' '.join(filter(None, (wanted, modality)))!r}",
            way_out=f"there are {there}" if there else "images with depth are needed: CT, MR, PET or SPECT",
        )
    shown = [crop for crop in its if crop.modality == its[0].modality]
    rows = []
    for sequence in dict.fromkeys(crop.sequence for crop in shown):
        row = sorted((crop for crop in shown if crop.sequence == sequence), key=lambda crop: crop.date)
        panes = [_pane(crop) for crop in row]
        _link([(crop, pane.children[1]) for crop, pane in zip(row, panes, strict=True)])
        rows.append(HBox(panes))
    return VBox(rows)


def _pane(crop: Crop) -> Any:
    """One visit: what it is, above its volume."""
    from ipyniivue import MultiplanarType, NiiVue, ShowRender, Volume
    from ipywidgets import Label, Layout, VBox

    niivue = NiiVue(
        height=_HEIGHT_PX,
        is_radiological_convention=True,
        sagittal_nose_left=True,
        is_slice_mm=True,  # cross-hairs are linked by true millimetres
        atlas_outline=1.0,
        font_color=(0.91, 0.35, 0.05, 1.0),  # both seen on white fat and on black air, as on the report's pages
        crosshair_color=(0.1, 0.65, 0.25, 1.0),
        crosshair_width=1.0,  # of the field: a thinner line falls between pixels, and is not seen
        crosshair_width_unit="percent",
        crosshair_gap=6.0,
        multiplanar_layout=MultiplanarType.GRID,  # the same at every visit
        multiplanar_show_render=ShowRender.NEVER,  # a smooth surface would be believed
        drag_and_drop_enabled=False,
        scroll_requires_focus=True,
        log_level="error",
    )
    low, high = crop.window
    image = Volume(data=base64.b64decode(crop.image), name="image.nii.gz", colormap="gray", cal_min=low, cal_max=high)
    image.colormap_invert = crop.inverse
    outlines = Volume(data=base64.b64decode(crop.outlines), name="outlines.nii.gz", opacity=_FILL)
    reds, greens, blues, alphas = (list(channel) for channel in zip(*_COLOURS.values(), strict=True))
    outlines.set_colormap_label({"R": reds, "G": greens, "B": blues, "A": alphas, "I": list(_COLOURS)})
    niivue.load_volumes([image, outlines])
    niivue.scene.crosshair_pos = _share_of(crop.image, crop.middle_mm)
    words = (crop.lesion_id, crop.modality, crop.sequence, crop.visit, crop.date.isoformat())
    told = " ".join(filter(None, map(str, words)))
    return VBox([Label(told if crop.linked else f"{told} (not linked)"), niivue], layout=Layout(width="100%"))


def _share_of(nifti: str, place_lps_mm: Point) -> list[float]:
    """Where a place lies in a volume, as NiiVue counts: a share of its sides, left to right, back to front, up."""
    shape, affine = grid_of(nifti)
    grid = Geometry(shape=shape, affine=affine)
    shares = np.clip((grid.to_voxel(place_lps_mm) + 0.5) / grid.shape, 0.0, 1.0)
    counted = [0.0, 0.0, 0.0]
    for axis, patient in enumerate(patient_axes(grid.directions)):
        towards = grid.directions[axis, patient] * (1 if patient == 2 else -1)
        counted[patient] = float(shares[axis] if towards > 0 else 1 - shares[axis])
    return counted


def _link(panes: Sequence[tuple[Crop, Any]]) -> None:
    """Each takes the others along whose place is known."""
    linked = [niivue for crop, niivue in panes if crop.linked]
    for niivue in linked:
        niivue.broadcast_to([other for other in linked if other is not niivue], dict(_LINKED))
