"""The version of the program, said once: the build reads it here, the package and every `run.json` hand it on."""

__all__ = ["__version__"]

__version__ = "0.1.0"
