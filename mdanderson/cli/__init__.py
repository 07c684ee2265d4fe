"""The command line: a thin door. Heavy imports stand inside the commands, so that `--help` answers at once."""

from mdanderson.cli.app import app, main

__all__ = ["app", "main"]
