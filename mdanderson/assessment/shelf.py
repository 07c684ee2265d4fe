"""Voxels of large images, let go of where all of a patient's would fill the memory, and read again when asked for.

A visit is compared with the first one, so that two large images are wanted at a time, whatever the number of visits. No
result depends on what is held: an image reads the same every time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from math import prod
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from mdanderson.errors import ImageError
from mdanderson.volume import Volume

__all__ = ["Shelf"]

_LARGE_BYTES = 2**25
"""Below this an image stays where it is."""
_HELD_BYTES = 2**29
"""Of the large ones together: two CT of 512 x 512 x 400 voxels."""
_LEAST_HELD = 2
"""Whatever their size: an image and the one it is compared with."""
_MOST_READS = 4
"""An image asked for so often stays: rather more memory than no end."""

Voxels = npt.NDArray[np.generic]


class Shelf:
    """The large images of one patient that are in memory now, the latest used last."""

    def __init__(self) -> None:
        self._held: dict[int, Voxels] = {}
        self._reads: dict[int, int] = {}
        self._numbers = count()

    def shelved(self, volume: Volume, read_again: Callable[[], Volume]) -> Volume:
        """The same volume; a large one's voxels stay in memory only while there is room.

        read_again: gives the volume anew. The images that come first are the ones wanted first: they stay.
        """
        array = volume.array
        if array.nbytes < _LARGE_BYTES:
            return volume
        number = next(self._numbers)
        self._held[number], self._reads[number] = array, 0
        one = _Shelved(self, number, read_again, array)
        shelved = replace(volume, array=cast("Voxels", one))
        if self._bytes_held() > _HELD_BYTES:
            del self._held[number]
        return shelved

    def voxels(self, one: _Shelved) -> Voxels:
        """The voxels of an image. Raises `ImageError` where it can no longer be read, or is another."""
        array = self._held.pop(one.number, None)
        if array is None:
            self._make_room(one.nbytes)
            array = one.read_again()
            self._reads[one.number] += 1
        self._held[one.number] = array
        return array

    def _make_room(self, wanted: int) -> None:
        """Let go of those used longest ago."""
        for number in [number for number in self._held if self._reads[number] < _MOST_READS]:
            if len(self._held) < _LEAST_HELD or self._bytes_held() + wanted <= _HELD_BYTES:
                return
            del self._held[number]

    def _bytes_held(self) -> int:
        return sum(array.nbytes for array in self._held.values())


class _Shelved:
    """(planes, rows, columns) voxels on a shelf, as `Volume` uses an array; anything taken of it is a true one."""

    __slots__ = ("_read_again", "_shelf", "dtype", "nbytes", "ndim", "number", "shape", "size")

    def __init__(self, shelf: Shelf, number: int, read_again: Callable[[], Volume], array: Voxels) -> None:
        self._shelf, self._read_again = shelf, read_again
        self.number, self.shape, self.dtype, self.ndim = number, array.shape, array.dtype, array.ndim
        self.size, self.nbytes = prod(array.shape), array.nbytes

    def read_again(self) -> Voxels:
        """The voxels as they were. Raises `ImageError`."""
        volume = self._read_again()
        if volume.array.shape != self.shape or volume.array.dtype != self.dtype:
            raise ImageError(
                "the image was changed while its patient was scored", where=volume.source, way_out="score it again"
            )
        return volume.array

    def view(self) -> _Shelved:
        """Itself: nobody can write to it."""
        return self

    def setflags(self, *, write: bool) -> None:
        """Nothing: what is read is read-only."""

    def reshape(self, *shape: int) -> Voxels:
        """The voxels in another shape."""
        return self._shelf.voxels(self).reshape(*shape)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, part: Any) -> Any:
        return self._shelf.voxels(self)[part]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self._shelf.voxels(self), dtype=dtype, copy=copy)
