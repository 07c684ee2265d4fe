"""Pictures as text, and as PNG."""

from __future__ import annotations

import base64
import datetime as dt
import io

import numpy as np
import pytest
from PIL import Image

from mdanderson.pictures import Outline, Picture, pictures_from_json, pictures_to_json, png_of
from mdanderson.vocabulary import Modality


def picture(**fields: object) -> Picture:
    told = {
        "lesion_id": "L01",
        "modality": Modality.CT,
        "date": dt.date(2024, 1, 5),
        "visit": "baseline",
        "png": png_of(np.arange(12, dtype=np.uint8).reshape(3, 4)),
        "frame": (-45.0, -45.0, 90.0, 90.0),
        "filled": (-45.0, -45.0, 90.0, 90.0),
        "letters": ("R", "A", "L", "P"),
        "window": (-500.0, 1300.0),
        "unit": "HU",
        "slice_number": 7,
        "outlines": (Outline(lesion_id="L01", lines=(((0.0, 0.0), (1.5, 0.0), (0.0, 0.0)),)),),
        "diameters": (((-5.0, 0.0), (5.0, 0.0)), ((0.0, -2.0), (0.0, 2.0))),
        "profile": ((-0.5, 40.0), (0.5, 180.0)),
    }
    return Picture(**(told | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (64, 48)])
def test_a_png_holds_the_very_pixels(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    read = Image.open(io.BytesIO(base64.b64decode(png_of(pixels))))
    assert read.mode == "L"
    assert np.array_equal(np.asarray(read), pixels)
    assert png_of(pixels) == png_of(pixels.copy())


def test_what_is_read_back_is_what_was_written() -> None:
    pictures = (picture(), picture(lesion_id="", view="ANT", modality=Modality.NM, slice_number=None, inverse=True))
    text = pictures_to_json("key", pictures)
    assert pictures_from_json("key", text) == pictures
    assert pictures_to_json("key", pictures_from_json("key", text)) == text


@pytest.mark.parametrize("damage", ["", "[]", "null", '["key"]', '["key",[{"lesion_id":"L01"}]]', "\x00"])
def test_damaged_pictures_are_none(damage: str) -> None:
    assert pictures_from_json("key", damage) == ()


def test_pictures_of_another_run_are_none() -> None:
    assert pictures_from_json("another", pictures_to_json("key", [picture()])) == ()
