"""A real Orthanc with its DICOMweb plugin on free ports of the loopback, with nothing in it and users of our own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

__all__ = ["AET", "PASSWORD", "PLUGIN", "USER", "Orthanc", "missing_part", "running"]

AET = "TESTS"
USER, PASSWORD = "reader", "s3cret-of-the-tests"
_PLUGIN_NAMES = ("libOrthancDicomWeb.so",)
_PLUGIN_PLACES = ("/usr/share/orthanc/plugins", "/usr/lib/orthanc", "/usr/local/share/orthanc/plugins")
PLUGIN = next(
    (path for place in _PLUGIN_PLACES for name in _PLUGIN_NAMES if (path := Path(place) / name).is_file()), None
)
PROGRAM = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")
_STARTS_S = 30


def missing_part() -> str:
    """What is lacking for the tests, blank where nothing is."""
    if PROGRAM is None:
        return "Orthanc: no PACS to ask (apt-get install orthanc)"
    return "" if PLUGIN else "the DICOMweb plugin of Orthanc (apt-get install orthanc-dicomweb)"


@dataclass
class Orthanc:
    """A server. url: of DICOMweb."""

    folder: Path
    port: int
    dicom_port: int
    process: subprocess.Popen | None = None
    auth: tuple[str, str] = field(default=(USER, PASSWORD))

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/dicom-web"

    @property
    def dicom(self) -> str:
        return f"dicom://{AET}@127.0.0.1:{self.dicom_port}"

    def start(self) -> None:
        config = {
            "Name": "tests",
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "Plugins": [str(PLUGIN)],
            "HttpPort": self.port,
            "HttpServerEnabled": True,
            "DicomServerEnabled": True,
            "DicomAet": AET,
            "DicomPort": self.dicom_port,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowStore": True,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: PASSWORD},
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False, "Ssl": False},
        }
        (self.folder / "orthanc.json").write_text(json.dumps(config), encoding="utf-8")
        with (self.folder / "orthanc.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), str(self.folder / "orthanc.json")], stdout=log, stderr=log, cwd=self.folder
            )
        deadline = time.monotonic() + _STARTS_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/studies", auth=self.auth, timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise RuntimeError((self.folder / "orthanc.log").read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def clear(self) -> None:
        """Forget every patient."""
        for patient in requests.get(f"{self.root}/patients", auth=self.auth, timeout=10).json():
            requests.delete(f"{self.root}/patients/{patient}", auth=self.auth, timeout=10).raise_for_status()

    def put(self, files: Sequence[Path]) -> None:
        """Store files by Orthanc's own way in, which is not what is tested."""
        for file in files:
            answer = requests.post(f"{self.root}/instances", data=file.read_bytes(), auth=self.auth, timeout=30)
            answer.raise_for_status()

    def count(self, what: str) -> int:
        """How many patients, studies, series or instances it has."""
        return len(requests.get(f"{self.root}/{what}", auth=self.auth, timeout=10).json())


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def running(folder: Path) -> Iterator[Orthanc]:
    server = Orthanc(folder=folder, port=free_port(), dicom_port=free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()
