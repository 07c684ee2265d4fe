"""Radiographs laid on each other: known motions of one femur, other projections, other bones, and a smooth shaft.

    python benchmarks/registration_films.py

Prints for every pair: trusted or why not, the true error at four places in bone, the error told, process CPU seconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mdanderson.phantoms.film import Exposure, Femur, FilmPhantom, render_film
from mdanderson.phantoms.shapes import LesionSpec, rigid_motion
from mdanderson.registration import Subject, register
from mdanderson.settings import ImageSettings

HOLES = (
    LesionSpec(label=1, centre_mm=(2, -2, -60), semi_axes_mm=(9, 8, 9)),
    LesionSpec(label=2, centre_mm=(4, 0, -15), semi_axes_mm=(8, 8, 9)),
)
PLACES = np.array([[2.0, -2.0, -60.0], [4.0, 0.0, -15.0], [-30.0, -6.0, 60.0], [10.0, 4.0, 40.0]])


@dataclass(frozen=True)
class Film:
    """A femur, how it lies, and what of it the film shows."""

    host: Femur = field(default_factory=Femur)
    lesions: tuple[LesionSpec, ...] = HOLES
    motion: Any = None
    shape: tuple[int, int] = (230, 150)
    pixel: float = 0.8
    middle: tuple[float, float] = (-8.0, -5.0)
    exposure: Exposure = field(default_factory=lambda: Exposure(seed=2))

    def made(self) -> FilmPhantom:
        return render_film(
            self.host,
            self.lesions,
            motion=self.motion,
            rows_columns=self.shape,
            pixel_mm=self.pixel,
            middle_mm=self.middle,
            exposure=self.exposure,
        )

    def places(self) -> np.ndarray:
        motion = np.eye(4) if self.motion is None else self.motion
        origin = (self.middle[0], 0.0, self.middle[1] + (self.shape[0] - 1) / 2 * self.pixel)
        return np.asarray((PLACES @ motion[:3, :3].T + motion[:3, 3] - origin) * (1, 0, 1))


def turned(*degrees: float, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Any:
    return rigid_motion(rotation_deg=degrees, shift_mm=shift)


FIRST = Film(exposure=Exposure())
EXPOSED = Exposure(gain=1.3, offset=0.4, slope=0.3, seed=1)
SHAFT = Film(host=Femur(trabecular_hu=0), shape=(100, 100), middle=(0.0, -80.0))
PAIRS = {
    "as it lay": (FIRST, Film()),
    "moved, exposed otherwise": (
        FIRST,
        Film(motion=turned(0, 4, 0, shift=(6, 0, -8)), pixel=0.7, shape=(250, 180), exposure=EXPOSED),
    ),
    "healed": (FIRST, Film(lesions=(), motion=turned(0, -4, 0, shift=(6, 0, -8)))),
    **{f"turned about its axis by {d} degrees": (FIRST, Film(motion=turned(0, 0, d))) for d in (4, 10, 14, 20, 40)},
    "3 % larger": (FIRST, Film(host=Femur(scale=1.03))),
    "another person, 8 % larger": (FIRST, Film(host=Femur(seed=5, scale=1.08))),
    "another person, 10 % smaller": (FIRST, Film(host=Femur(seed=5, scale=0.9))),
    "smooth shaft": (SHAFT, replace(SHAFT, middle=(0.0, -72.0), exposure=Exposure(seed=4))),
}


def main() -> None:
    print(f"{'pair':38} {'true mm':>8} {'told mm':>8} {'CPU s':>6}  verdict")
    for name, (one, other) in PAIRS.items():
        first, second = (film.made() for film in (one, other))
        start = time.process_time()
        found = register(
            Subject(volume=first.volume, lesions=first.mask),
            Subject(volume=second.volume, lesions=second.mask),
            settings=ImageSettings(),
        )
        seconds = time.process_time() - start
        off = np.linalg.norm(found.to_follow_up(one.places()) - other.places(), axis=1).max()
        verdict = "trusted, " if found.trusted else "NOT trusted, "
        print(f"{name:38} {off:8.2f} {found.error_mm:8.2f} {seconds:6.2f}  {verdict}{found.why}")


if __name__ == "__main__":
    main()
