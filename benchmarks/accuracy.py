"""All tables of accuracy, one after the other.

    python benchmarks/accuracy.py [--only diameters volume ...]

A thin front: every table is a script beside this one, with its own options and its own words; those that are there are
run as they would be by hand.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

__all__ = ["TABLES"]

TABLES = {
    "diameters": ("--bound", "30"),
    "volume": (),
    "density": (),
    "registration": (),
    "matching": (),
    "mr_signal": (),
    "uptake": (),
    "pet": (),
}
"""Script -> its options here."""


def print_tables(names: list[str]) -> int:
    """How many of them failed."""
    failed = 0
    for name in names:
        script = Path(__file__).with_name(f"{name}.py")
        if not script.exists():
            continue
        print(f"\n== {name}: python benchmarks/{script.name} {' '.join(TABLES[name])}", flush=True)
        failed += subprocess.run([sys.executable, str(script), *TABLES[name]], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    sys.exit(print_tables(parser.parse_args().only))
