"""Images, masks and whole cohorts whose answers are known by construction.

A body (`SyntheticBone`, `SyntheticVertebrae`, or a real CT: `RealHost`) with lesions (`LesionSpec`) is imaged by
`render` on any grid after any rigid motion; the `write_*` functions make files of it, `write_demo` the embedded
demo cohort, and `write_phantoms` a cohort of your own. Imaging libraries are loaded by the writing functions, not by
this import.
"""

from mdanderson.phantoms.bone import SyntheticBone, centred_grid
from mdanderson.phantoms.cohort import write_phantoms
from mdanderson.phantoms.demo import write_demo
from mdanderson.phantoms.hosts import Host, RealHost, SyntheticVertebrae
from mdanderson.phantoms.render import LesionTruth, Phantom, coverage, render
from mdanderson.phantoms.shapes import Layer, LesionSpec, rigid_motion
from mdanderson.phantoms.write import (
    write_ct_series,
    write_dicom_seg,
    write_label_map,
    write_nifti,
    write_pet_series,
    write_scintigram_dicom,
)

__all__ = [
    "Host",
    "Layer",
    "LesionSpec",
    "LesionTruth",
    "Phantom",
    "RealHost",
    "SyntheticBone",
    "SyntheticVertebrae",
    "centred_grid",
    "coverage",
    "render",
    "rigid_motion",
    "write_ct_series",
    "write_demo",
    "write_dicom_seg",
    "write_label_map",
    "write_nifti",
    "write_pet_series",
    "write_phantoms",
    "write_scintigram_dicom",
]
