"""itk-elastix in place of our own search, for those who have validated it: what it finds is judged as ours is."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from mdanderson.errors import SettingsError
from mdanderson.geometry import FloatArray
from mdanderson.registration.fit import agreement
from mdanderson.registration.rigid import Laid
from mdanderson.registration.scene import CLIP_HU, Scene
from mdanderson.registration.subject import Subject

__all__ = ["lay_by_elastix", "require_elastix"]

_FAR = (
    ("NumberOfResolutions", "3"),
    ("MaximumNumberOfIterations", "500"),
    ("NumberOfSpatialSamples", "4096"),
    ("NewSamplesEveryIteration", "true"),
    ("AutomaticTransformInitialization", "true"),
    ("AutomaticTransformInitializationMethod", "CenterOfGravity"),
    ("AutomaticScalesEstimation", "true"),
    ("UseRandomSampleRegion", "false"),
    ("RandomSeed", "121212"),
    ("WriteResultImage", "false"),
)


def require_elastix() -> None:
    """Raise `SettingsError` when itk-elastix is not installed."""
    if find_spec("itk") is None or not _has_elastix():
        raise SettingsError(
            'registration = "elastix", but itk-elastix is not installed',
            where="[image]",
            way_out='install it with `pip install "mdanderson[elastix]"`, or leave registration = "own"',
        )


def _has_elastix() -> bool:
    try:
        return hasattr(import_module("itk"), "ElastixRegistrationMethod")
    except ImportError:
        return False


def lay_by_elastix(template: Subject, other: Subject) -> tuple[Laid, FloatArray]:
    """The alignment found one way, and that found the other way, (4, 4) template -> other.

    Raises `SettingsError` when itk-elastix is not installed.
    """
    require_elastix()
    there = _rigid(template.scenes[0], other.scenes[0])
    back = np.asarray(np.linalg.inv(_rigid(other.scenes[0], template.scenes[0])), dtype=np.float64)
    score = agreement(template.samples[0], other.scenes[0], there).score
    return Laid(matrix=there, score=score, rival=0.0), back


def _rigid(fixed: Scene, moving: Scene) -> FloatArray:
    """(4, 4) fixed LPS mm -> moving LPS mm, by elastix' rigid recipe on one thread, so that it repeats."""
    itk = import_module("itk")
    parameters = itk.ParameterObject.New()
    recipe = parameters.GetDefaultParameterMap("rigid", 3)
    for key, value in _FAR:
        recipe[key] = (value,)
    parameters.AddParameterMap(recipe)
    method = itk.ElastixRegistrationMethod.New(_image(itk, fixed), _image(itk, moving))
    method.SetParameterObject(parameters)
    method.SetLogToConsole(False)
    method.SetNumberOfThreads(1)
    method.UpdateLargestPossibleRegion()
    found = method.GetTransformParameterObject().GetParameterMap(0)
    angles = [float(value) for value in found["TransformParameters"]]
    centre = np.array([float(value) for value in found["CenterOfRotationPoint"]])
    euler = itk.Euler3DTransform[itk.D].New()
    euler.SetComputeZYX(found.get("ComputeZYX", ("false",))[0] == "true")
    euler.SetRotation(*angles[:3])
    matrix = np.eye(4)
    matrix[:3, :3] = itk.array_from_matrix(euler.GetMatrix())
    matrix[:3, 3] = centre + np.array(angles[3:]) - matrix[:3, :3] @ centre
    return matrix


def _image(itk: Any, scene: Scene) -> Any:
    """A scene as elastix takes it: float32 with its place; what was never imaged as air."""
    image = itk.image_from_array(np.ascontiguousarray(np.nan_to_num(scene.values, nan=CLIP_HU[0])))
    steps = np.array(scene.spacing_mm)
    image.SetSpacing([float(step) for step in steps[::-1]])
    image.SetOrigin([float(value) for value in scene.affine[:3, 3]])
    image.SetDirection(itk.matrix_from_array(np.ascontiguousarray((scene.affine[:3, :3] / steps)[:, ::-1])))
    return image
