"""Baseline -> follow-up, one rigid motion, with a figure that says how far to trust it.

Both CTs are clipped and shrunk to about 3 mm. Every shift of one over the other is tried on a coarse grid, at several
rotations (search); the most promising are fitted by Gauss-Newton on the HU in and near bone, and the best is polished
(fit); the result is fitted back from the other image and judged (trust). Own code, not a library's optimiser, because
it must start from anywhere, leave out what was never imaged or has changed, tell how far it can be believed, and repeat
to the bit.
"""

from __future__ import annotations

from mdanderson.registration.door import register
from mdanderson.registration.one_space import register_in_one_space
from mdanderson.registration.result import Part, Registration
from mdanderson.registration.subject import Subject

__all__ = ["Part", "Registration", "Subject", "register", "register_in_one_space"]
