"""Large images are let go of and read again; what is measured does not depend on it."""

from __future__ import annotations

import datetime as dt
import gc
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mdanderson.assessment import shelf
from mdanderson.assessment.shelf import Shelf
from mdanderson.errors import ImageError
from mdanderson.geometry import Geometry
from mdanderson.report.tables import timeline_rows
from mdanderson.vocabulary import Modality
from mdanderson.volume import Unit, Volume

PLANES = 4
BYTES = PLANES * 10 * 10 * 2


def ct(value: int, planes: int = PLANES, dtype: type[np.generic] = np.int16) -> Volume:
    geometry = Geometry.from_axes(shape=(planes, 10, 10), spacing_mm=(1, 1, 1), origin_mm=(0, 0, 0))
    array = np.full(geometry.shape, value, dtype=dtype)
    return Volume(array=array, geometry=geometry, unit=Unit.HU, modality=Modality.CT, date=dt.date(2024, 1, 1))


class Disk:
    """Images by number, and how often each was read."""

    def __init__(self) -> None:
        self.reads: list[int] = []

    def reader(self, number: int, planes: int = PLANES) -> Callable[[], Volume]:
        def read() -> Volume:
            self.reads.append(number)
            return ct(number, planes)

        return read


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Room for two images, each of which counts as large."""
    monkeypatch.setattr(shelf, "_LARGE_BYTES", 1)
    monkeypatch.setattr(shelf, "_HELD_BYTES", 2 * BYTES)
    return Disk()


def shelved(disk: Disk, count: int) -> list[Volume]:
    one = Shelf()
    return [one.shelved(ct(number), disk.reader(number)) for number in range(count)]


def test_it_is_used_as_an_array_is(disk: Disk) -> None:
    (volume,) = shelved(disk, 1)
    true = ct(0)
    assert volume.array.shape == true.array.shape
    assert volume.array.dtype == true.array.dtype
    assert (volume.array.ndim, volume.array.size, len(volume.array)) == (3, 400, PLANES)
    assert np.array_equal(volume.array[1:, 2], true.array[1:, 2])
    assert np.array_equal(volume.array.reshape(-1), true.array.reshape(-1))
    assert np.asarray(volume.array, dtype=np.float32).dtype == np.float32
    assert np.nanmax(volume.array) == 0
    box = (slice(0, 2), slice(0, 2), slice(0, 2))
    assert np.array_equal(volume.crop(box).array, true.array[box])
    assert volume.imaged(box).all()
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0][0, 0] = 1
    assert disk.reads == []


def test_those_that_come_first_stay_and_others_are_read_when_asked_for(disk: Disk) -> None:
    volumes = shelved(disk, 4)
    assert [int(volumes[number].array[0, 0, 0]) for number in (0, 1)] == [0, 1]
    assert disk.reads == []
    assert int(volumes[2].array[0, 0, 0]) == 2  # in the place of 0, which was used longest ago
    assert int(volumes[1].array[0, 0, 0]) == 1
    assert disk.reads == [2]
    assert int(volumes[0].array[0, 0, 0]) == 0
    assert disk.reads == [2, 0]


def test_an_image_and_the_one_it_is_compared_with_are_held_whatever_their_size(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_HELD_BYTES", 1)
    volumes = shelved(disk, 2)
    for _ in range(5):
        assert [int(volume.array[0, 0, 0]) for volume in volumes] == [0, 1]
    assert disk.reads == [0, 1]


def test_one_that_is_asked_for_again_and_again_stays(disk: Disk) -> None:
    volumes = shelved(disk, 3)
    for _ in range(20):
        assert [int(volume.array[0, 0, 0]) for volume in volumes] == [0, 1, 2]
    assert max(map(disk.reads.count, range(3))) == 4


def test_what_is_small_is_left_alone(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_LARGE_BYTES", BYTES + 1)
    small = ct(5)
    assert Shelf().shelved(small, disk.reader(5)) is small
    monkeypatch.setattr(shelf, "_LARGE_BYTES", BYTES)
    assert Shelf().shelved(small, disk.reader(5)) is not small


def test_an_image_that_was_changed_meanwhile(disk: Disk) -> None:
    one = Shelf()
    volumes = [one.shelved(ct(number), disk.reader(number, planes=PLANES + number)) for number in range(3)]
    with pytest.raises(ImageError, match="the image was changed while its patient was scored"):
        volumes[2].array[0]


def test_voxels_are_freed_at_once_without_waiting_for_garbage(disk: Disk) -> None:
    one, arrays = Shelf(), []
    gc.disable()
    try:
        volumes = []
        for number in range(3):
            volume = ct(number)
            arrays.append(weakref.ref(volume.array))
            volumes.append(one.shelved(volume, disk.reader(number)))
            del volume
        assert [array() is not None for array in arrays] == [True, True, False]
        del volumes, one
        assert all(array() is None for array in arrays)
    finally:
        gc.enable()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """No room for more than two images, whatever their size; what was read again, by number."""
    reads: list[int] = []
    read_again = shelf._Shelved.read_again

    def counted(one: shelf._Shelved) -> object:
        reads.append(one.number)
        return read_again(one)

    monkeypatch.setattr(shelf, "_LARGE_BYTES", 1)
    monkeypatch.setattr(shelf, "_HELD_BYTES", 1)
    monkeypatch.setattr(shelf._Shelved, "read_again", counted)
    return reads


def test_every_cell_is_the_same_with_two_images_in_memory(bench, patient, held, monkeypatch) -> None:
    """Two CT, the later with a new lesion, and a PET in the space of the first: baseline is wanted again and again."""
    first, late = bench.lesion(1, bench.MIDDLE), bench.lesion(2, bench.HIGH, 14)
    patient.dicom_ct(0, first)
    patient.ct(1, first, late)
    patient.pet(0, {first: 8.0})
    read_again = timeline_rows(patient.timeline())
    assert set(held) == {0, 1, 2}
    monkeypatch.undo()
    assert timeline_rows(patient.timeline()) == read_again
