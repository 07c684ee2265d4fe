"""Plane shapes whose boundary is known, for the accuracy of diameters: those of the aim, and others to check with.

FAMILIES are the shapes that the aim names; constants were chosen for them (on other seeds). OTHERS stood beside them in
the tables, and nothing was chosen to please them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

__all__ = ["FAMILIES", "OTHERS", "Family", "Shape", "polygon"]

TURN = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False)


class Shape(NamedTuple):
    boundary: np.ndarray
    """(points, 2) mm, a closed polygon in order."""
    inside: Callable[[np.ndarray, np.ndarray], np.ndarray]


Family = Callable[[np.random.Generator, float], Shape]
"""Draws a shape about so many mm across."""


def ellipse(rng: np.random.Generator, size: float) -> Shape:
    a, b = size / 2, size / 2 * rng.uniform(0.35, 1.0)
    return Shape(np.c_[a * np.cos(TURN), b * np.sin(TURN)], lambda x, y: (x / a) ** 2 + (y / b) ** 2 <= 1)


def superellipse(rng: np.random.Generator, size: float) -> Shape:
    power, a, b = rng.uniform(1.5, 5.0), size / 2, size / 2 * rng.uniform(0.4, 1.0)
    cosine, sine = np.cos(TURN), np.sin(TURN)
    boundary = np.c_[
        a * np.sign(cosine) * np.abs(cosine) ** (2 / power), b * np.sign(sine) * np.abs(sine) ** (2 / power)
    ]
    return Shape(boundary, lambda x, y: np.abs(x / a) ** power + np.abs(y / b) ** power <= 1)


def lobulated(rng: np.random.Generator, size: float) -> Shape:
    lobes, depth, phase, squeeze = rng.integers(3, 6), rng.uniform(0.05, 0.2), rng.uniform(0, 6.3), rng.uniform(0.6, 1)

    def radius(angle: np.ndarray) -> np.ndarray:
        return size / 2 / (1 + depth) * (1 + depth * np.cos(lobes * angle + phase))

    boundary = radius(TURN)[:, None] * np.c_[np.cos(TURN), squeeze * np.sin(TURN)]
    return Shape(boundary, lambda x, y: np.hypot(x, y / squeeze) <= radius(np.arctan2(y / squeeze, x)))


def crescent(rng: np.random.Generator, size: float) -> Shape:
    """A bent band with round ends."""
    half, width = rng.uniform(0.8, 1.5), rng.uniform(0.2, 0.35)
    scale = size / (2 * (np.sin(half) + width))
    arc, cap = np.linspace(-half, half, 200), np.linspace(0, np.pi, 100)[1:-1]
    tip = np.array([np.cos(half), np.sin(half)])
    outer, inner = np.c_[np.cos(arc), np.sin(arc)] * (1 + width), np.c_[np.cos(arc), np.sin(arc)][::-1] * (1 - width)
    upper = tip + width * np.c_[np.cos(half + cap), np.sin(half + cap)]
    lower = tip * [1, -1] + width * np.c_[np.cos(np.pi - half + cap), np.sin(np.pi - half + cap)]

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        x, y = x / scale, y / scale
        band = (np.abs(np.arctan2(y, x)) <= half) & (np.abs(np.hypot(x, y) - 1) <= width)
        return band | (np.hypot(x - tip[0], np.abs(y) - tip[1]) <= width)

    return Shape(np.concatenate([outer, upper, inner, lower]) * scale, inside)


def l_shape(rng: np.random.Generator, size: float) -> Shape:
    """Two arms with sharp corners; the long axis runs from corner to corner."""
    thick, ratio = rng.uniform(0.25, 0.45), rng.uniform(0.6, 1.0)
    a = size / np.hypot(1, ratio)
    b, w = a * ratio, a * thick
    return polygon(np.array([[0, 0], [a, 0], [a, w], [w, w], [w, b], [0, b]]) - np.array([a, b]) / 2)


def fourier(rng: np.random.Generator, size: float) -> Shape:
    """A smooth random outline: five harmonics, the higher the weaker."""
    order, phase = np.arange(2, 7), rng.uniform(0, 2 * np.pi, 5)
    depth = 0.25 * rng.normal(size=5) / order
    return _polar(lambda t: np.maximum(0.2, 1 + np.cos(np.multiply.outer(t, order) + phase) @ depth), size)


def superformula(rng: np.random.Generator, size: float) -> Shape:
    """Three to six rounded corners with sides bent inwards or outwards (Gielis 2003)."""
    corners, one, two = int(rng.integers(3, 7)), rng.uniform(2, 6), rng.uniform(2, 6)
    return _polar(
        lambda t: (np.abs(np.cos(corners * t / 4)) ** two + np.abs(np.sin(corners * t / 4)) ** two) ** (-1 / one), size
    )


def kidney(rng: np.random.Generator, size: float) -> Shape:
    """An ellipse with a dent in its longer side."""
    dent, squeeze = rng.uniform(0.3, 0.6), rng.uniform(0.6, 0.9)

    def radius(t: np.ndarray) -> np.ndarray:
        away = np.angle(np.exp(1j * t))
        return (1 - dent * np.cos(t) * np.exp(-((away / 0.8) ** 2))) / np.hypot(np.cos(t) / squeeze, np.sin(t))

    return _polar(radius, size)


def rounded(rng: np.random.Generator, size: float) -> Shape:
    """A rectangle with round corners."""
    ratio = rng.uniform(0.4, 1.0)
    wide = 1 / np.hypot(1, ratio)
    bend = rng.uniform(0.15, 0.6) * ratio * wide / 2
    middle = np.array([wide / 2, ratio * wide / 2]) - bend
    scale = size / (2 * (np.hypot(*middle) + bend))
    arc = bend * np.c_[np.cos(TURN[:180]), np.sin(TURN[:180])]
    corners = [
        arc + middle,
        arc[::-1] * [-1, 1] + middle * [-1, 1],
        -arc - middle,
        arc[::-1] * [1, -1] - middle * [-1, 1],
    ]

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = [np.maximum(np.abs(at / scale) - half, 0) for at, half in zip((x, y), middle, strict=True)]
        return np.hypot(*out) <= bend

    return Shape(np.concatenate(corners) * scale, inside)


def triangle(rng: np.random.Generator, size: float) -> Shape:
    """Sharp, and not too flat."""
    while True:
        corners = rng.normal(size=(3, 2))
        (ax, ay), (bx, by) = corners[1] - corners[0], corners[2] - corners[0]
        longest = pdist(corners).max()
        if abs(ax * by - ay * bx) / 2 > 0.15 * longest**2:
            return polygon((corners - corners.mean(axis=0)) * size / longest)


def star(rng: np.random.Generator, size: float) -> Shape:
    """Four to six sharp points."""
    points, inner = int(rng.integers(4, 7)), rng.uniform(0.45, 0.7)
    angle = np.arange(2 * points) * np.pi / points
    radius = np.where(np.arange(2 * points) % 2, inner, 1.0) * size / 2
    return polygon(radius[:, None] * np.c_[np.cos(angle), np.sin(angle)])


def polygon(corners: np.ndarray) -> Shape:
    """(corners, 2) in order."""
    ends = np.roll(corners, -1, axis=0)

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        odd = np.zeros(np.shape(x), dtype=bool)
        for (x0, y0), (x1, y1) in zip(corners, ends, strict=True):
            if y0 != y1:
                odd ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
        return odd

    return Shape(corners, inside)


def _polar(radius: Callable[[np.ndarray], np.ndarray], size: float) -> Shape:
    """Star-shaped round its middle, `size` mm across."""
    boundary = radius(TURN)[:, None] * np.c_[np.cos(TURN), np.sin(TURN)]
    scale = size / pdist(boundary[ConvexHull(boundary).vertices]).max()
    return Shape(boundary * scale, lambda x, y: np.hypot(x, y) <= scale * radius(np.arctan2(y, x)))


FAMILIES: tuple[Family, ...] = (ellipse, superellipse, lobulated, crescent, l_shape)
OTHERS: tuple[Family, ...] = (fourier, superformula, kidney, rounded, triangle, star)
