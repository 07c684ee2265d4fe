"""Everything measured on one lesion in one image, whatever made it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mdanderson.lesions import Lesion, touches_edge
from mdanderson.measure.bias import corrected
from mdanderson.measure.density import DensityMeasure
from mdanderson.measure.diameters import Diameters, measure_diameters
from mdanderson.measure.lesion import Surroundings, gaps_at, measure_region
from mdanderson.measure.radiograph import measure_radiograph_density
from mdanderson.measure.reference import ReferenceBone
from mdanderson.measure.rim import Rim
from mdanderson.measure.signal import AdcMeasure, SignalMeasure, measure_adc, measure_signal
from mdanderson.measure.signal_reference import find_signal_reference
from mdanderson.measure.suv import SuvMeasure, measure_suv
from mdanderson.measure.uptake import UptakeMeasure, measure_uptake
from mdanderson.measure.uptake_reference import find_uptake_reference
from mdanderson.settings import Settings
from mdanderson.vocabulary import LesionType, Modality, MrSequence
from mdanderson.volume import Mask, Region, Unit, Volume

__all__ = ["LesionMeasurement", "measure_lesion"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LesionMeasurement:
    """One lesion in one image; what its modality does not show is None.

    diameters: CT, MR and radiographs. density, reference, rim, lesion_type: CT in HU, radiographs relative to
    neighbouring bone; reference is None, and so are rim, type and the classes of `density`, where no valid reference
    bone was found. signal: MR but ADC maps; adc: these. uptake: bone scans. suv: PET.
    touches_edge: the edge of the field of view cuts it, so that its diameters are lower bounds. has_nan: voxels of it,
    or next to it, are NaN.
    """

    lesion: Lesion
    touches_edge: bool
    has_nan: bool
    diameters: Diameters | None = None
    density: DensityMeasure | None = None
    reference: ReferenceBone | None = None
    rim: Rim | None = None
    lesion_type: LesionType | None = None
    signal: SignalMeasure | None = None
    adc: AdcMeasure | None = None
    uptake: UptakeMeasure | None = None
    suv: SuvMeasure | None = None

    @property
    def volume_ml(self) -> float:
        """Voxels times voxel volume."""
        return self.lesion.volume_ml


def measure_lesion(
    volume: Volume,
    mask: Mask,
    label: int = 1,
    *,
    reference_mask: Mask | None = None,
    bone_map: Mask | None = None,
    settings: Settings | None = None,
) -> LesionMeasurement:
    """Every measurement of one label of a mask; the other labels are kept out of every reference.

    volume: of a planar image its `as_slab()`. Raises `MaskError` when there is no such label or the mask lies in
    another space, `UnitError` when the image is not in the unit of its modality, `MeasurementError` when the lesion
    was not imaged.
    """
    settings = settings or Settings()
    lesions = mask.on_grid(volume.geometry)
    region = lesions[label]
    around = Surroundings(neighbours=lesions.regions, reference_mask=reference_mask, bone_map=bone_map)
    if volume.modality is Modality.CT:
        return _on_ct(volume, region, around, settings)
    never_imaged, has_nan = gaps_at(volume, region)
    bare = LesionMeasurement(
        lesion=Lesion.from_region(region, volume.geometry),
        touches_edge=never_imaged or touches_edge(region, volume.geometry),
        has_nan=has_nan,
    )
    if volume.modality.is_anatomical:
        bare = replace(bare, diameters=measure_diameters(region, volume.geometry, settings=settings.image))
    if volume.modality is Modality.MR:
        return _on_mr(bare, volume, region, around, settings)
    if volume.modality is Modality.XR:
        return _on_radiograph(bare, volume, region, around, settings)
    if volume.modality is Modality.PT:
        return replace(bare, suv=measure_suv(volume, region, settings=settings.pet))
    reference = find_uptake_reference(
        volume,
        region,
        neighbours=around.neighbours,
        reference_mask=reference_mask,
        bone_map=bone_map,
        settings=settings.scintigraphy,
    )
    return replace(bare, uptake=measure_uptake(volume, region, reference))


def _on_ct(volume: Volume, region: Region, around: Surroundings, settings: Settings) -> LesionMeasurement:
    found = measure_region(volume, region, around=around, settings=settings.image)
    return LesionMeasurement(
        lesion=found.lesion,
        touches_edge=found.touches_edge,
        has_nan=found.has_nan,
        diameters=found.diameters,
        density=found.density,
        reference=found.reference,
        rim=found.rim,
        lesion_type=found.lesion_type,
    )


def _on_mr(
    bare: LesionMeasurement, volume: Volume, region: Region, around: Surroundings, settings: Settings
) -> LesionMeasurement:
    if volume.sequence is MrSequence.ADC and volume.unit is Unit.ADC:
        return replace(bare, adc=measure_adc(volume, region))
    even = corrected(volume, settings=settings)
    reference = find_signal_reference(
        even,
        region,
        neighbours=around.neighbours,
        reference_mask=around.reference_mask,
        bone_map=around.bone_map,
        settings=settings,
    )
    return replace(bare, signal=measure_signal(even, region, reference, settings=settings))


def _on_radiograph(
    bare: LesionMeasurement, volume: Volume, region: Region, around: Surroundings, settings: Settings
) -> LesionMeasurement:
    found = measure_radiograph_density(
        volume,
        region,
        neighbours=around.neighbours,
        reference_mask=around.reference_mask,
        bone_map=around.bone_map,
        settings=settings,
    )
    return replace(bare, density=found.density, reference=found.reference, rim=found.rim, lesion_type=found.lesion_type)
