"""What many tests make of the same input is made once a process: a bare body on a grid, and N4's field.

Both are functions of their arguments alone; what tests are about (lesions, noise, registration, measuring, judging) is
done every time. Tests of drawing and of N4 themselves do without.
"""

from __future__ import annotations

import hashlib
import importlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest

from mdanderson.geometry import Geometry
from mdanderson.measure import bias
from mdanderson.phantoms.film import Femur
from mdanderson.phantoms.hosts import SyntheticVertebrae
from mdanderson.phantoms.mr import MrSpine
from mdanderson.phantoms.spine_ct import CtSpine

_TOLD_WHOLE = (SyntheticVertebrae, CtSpine, MrSpine, Femur)
"""Bodies whose `repr` tells all of them."""
_MOST_BYTES = 400_000_000
_KEPT: OrderedDict[Hashable, npt.NDArray] = OrderedDict()


@contextmanager
def made_once() -> Iterator[None]:
    """While it lasts both are looked up first."""
    render = importlib.import_module("mdanderson.phantoms.render")
    sampled, field = render._sample_planes, bias._n4_log_field

    def once_sampled(host: object, body: Geometry, subsamples: tuple[int, int, int]) -> npt.NDArray:
        if not isinstance(host, _TOLD_WHOLE):
            return sampled(host, body, subsamples)
        key = (repr(host), body.shape, np.asarray(body.affine).tobytes(), subsamples)
        return _once(key, lambda: sampled(host, body, subsamples))

    def once_field(shrunk: npt.NDArray, tissue: npt.NDArray, spacing_mm: list[float]) -> npt.NDArray:
        content = hashlib.sha256(shrunk.tobytes() + tissue.tobytes()).digest()
        return _once((content, shrunk.shape, tuple(spacing_mm)), lambda: field(shrunk, tissue, spacing_mm))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(render, "_sample_planes", once_sampled)
        patched.setattr(bias, "_n4_log_field", once_field)
        yield


def _once(key: Hashable, make: Callable[[], npt.NDArray]) -> npt.NDArray:
    """A copy: who asks may write into it."""
    made = _KEPT.pop(key) if key in _KEPT else make()
    _KEPT[key] = made
    while sum(array.nbytes for array in _KEPT.values()) > _MOST_BYTES:
        _KEPT.popitem(last=False)
    return made.copy()
