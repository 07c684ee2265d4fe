"""The review server as a user starts it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

__all__ = ["started"]


def started(out: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    """The process, and the address that it told."""
    command = [sys.executable, "-m", "mdanderson", "review", str(out), "--port", "0", "--no-browser", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"review it here: (http://127\.0\.0\.1:\d+/\?token=[\w-]{43})\n", line)
    assert found, line or process.communicate()
    return process, found[1]
