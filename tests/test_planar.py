"""A projection and the volume one plane thick that stands for it: both views in one space."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from mdanderson.errors import ImageError
from mdanderson.planar import PlanarImage
from mdanderson.vocabulary import Modality, View
from mdanderson.volume import Unit

DAY = dt.date(2024, 2, 29)


def image(view: View | None = View.ANT, array: np.ndarray | None = None, **values: object) -> PlanarImage:
    arguments = {"spacing_mm": (3.0, 2.0), "unit": Unit.COUNTS, "modality": Modality.NM, "view": view} | values
    return PlanarImage(array=np.zeros((5, 7), dtype=np.int16) if array is None else array, **arguments)


def test_a_slab_carries_all_that_is_known() -> None:
    array = np.arange(35, dtype=np.int16).reshape(5, 7)
    slab = image(View.POST, array, date=DAY, padding=0.0, source="scan", acquisition={"kind": "STATIC"}).as_slab()
    np.testing.assert_array_equal(slab.array, array[None])
    assert slab.planar
    assert (slab.view, slab.date, slab.padding, slab.source) == (View.POST, DAY, 0.0, "scan")
    assert (slab.unit, slab.modality, slab.acquisition) == (Unit.COUNTS, Modality.NM, {"kind": "STATIC"})
    assert slab.geometry.spacing_mm == pytest.approx((1.0, 3.0, 2.0))


def test_an_anterior_picture_has_the_patients_right_at_its_left() -> None:
    geometry = image(View.ANT).as_slab().geometry
    np.testing.assert_allclose(geometry.to_lps([0, 0, 0]), [-6.0, 0.0, 0.0])
    np.testing.assert_allclose(geometry.to_lps([0, 4, 6]), [6.0, 0.0, -12.0])


@pytest.mark.parametrize("column", range(7))
def test_column_k_of_one_view_is_column_n_1_k_of_the_other(column) -> None:
    front, back = (image(view).as_slab().geometry for view in (View.ANT, View.POST))
    np.testing.assert_allclose(front.to_lps([0, 2, column]), back.to_lps([0, 2, 6 - column]))


def test_a_radiograph_lies_as_an_anterior_view() -> None:
    np.testing.assert_array_equal(image(None).as_slab().geometry.affine, image(View.ANT).as_slab().geometry.affine)


@pytest.mark.parametrize("shape", [(5,), (2, 5, 7)])
def test_only_rows_and_columns_are_a_picture(shape) -> None:
    with pytest.raises(ImageError, match="axes"):
        image(array=np.zeros(shape))


@pytest.mark.parametrize("spacing_mm", [(0.0, 2.0), (3.0, -2.0), (np.nan, 2.0), (3.0, np.inf)])
def test_a_pixel_has_a_size(spacing_mm) -> None:
    with pytest.raises(ImageError, match="pixel spacing is not above zero"):
        image(spacing_mm=spacing_mm)


def test_the_values_are_real_numbers() -> None:
    with pytest.raises(ImageError, match="real numbers"):
        image(array=np.zeros((5, 7), dtype=complex))


def test_an_instance_is_never_shown() -> None:
    assert "1.2.3" not in repr(image(instance_uid="1.2.3"))
