"""From an image to its companions: the same place in every image of a visit and space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mdanderson.assessment.station import Image
from mdanderson.volume import Mask, Region

__all__ = ["on_grid_of", "shown_in"]


def shown_in(scene: Image, region: Region) -> Iterator[tuple[Image, Region]]:
    """The image itself and every companion that shows a region of its grid, with the region there."""
    yield scene, region
    drawn = any(region is one for one in scene.lesions)
    for image in scene.companions:
        own = next((one for one in image.lesions if drawn and one.label == region.label), None)
        carried = own or next(
            iter(Mask(geometry=scene.volume.geometry, regions=(region,)).on_grid(image.volume.geometry)), None
        )
        if carried is not None:
            yield image, carried


def on_grid_of(image: Image, scene: Image, neighbours: Sequence[Region]) -> tuple[Region, ...]:
    """Regions of the scene's grid on a companion's."""
    if image is scene:
        return tuple(neighbours)
    numbered = tuple(replace(region, label=number) for number, region in enumerate(neighbours, start=1))
    return Mask(geometry=scene.volume.geometry, regions=numbered).on_grid(image.volume.geometry).regions
