"""Name, version and notice of the program, said once: for the build, the package, `run.json` and DICOM objects."""

__all__ = ["MAKER_NAME", "RESEARCH_USE", "__version__"]

__version__ = "0.1.0"

MAKER_NAME = "mdanderson"
"""Manufacturer and ManufacturerModelName of the DICOM objects that we write, by which they are known when read."""

RESEARCH_USE = "Research use only, not a medical device."
"""Stands wherever results appear."""
