"""One Orthanc for a session, emptied before every test that asks for it, and a server that misbehaves as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import orthanc as real
import pytest
from conftest import lacking


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Orthanc]:
    if missing := real.missing_part():
        lacking(missing)
    with real.running(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def orthanc(started: real.Orthanc, monkeypatch: pytest.MonkeyPatch) -> real.Orthanc:
    """The server, with nothing in it, and its credentials in the environment."""
    if started.process is None or started.process.poll() is not None:
        started.start()
    started.clear()
    monkeypatch.setenv("MDANDERSON_PACS_USER", real.USER)
    monkeypatch.setenv("MDANDERSON_PACS_PASSWORD", real.PASSWORD)
    return started


Answer = Callable[[BaseHTTPRequestHandler], None]


def nothing_more(handler: BaseHTTPRequestHandler) -> None:
    """The page after the last."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/dicom+json")
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"[]")


@pytest.fixture
def misbehaving() -> Iterator[SimpleNamespace]:
    """A server whose answers are functions of ours, one after the other. asked: what it heard.

    Unless it `pages` itself every list has one page: what is asked for after it is an empty list, and is not counted.
    """
    state = SimpleNamespace(answers=[], asked=[], url="", pages=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            if not state.pages and int(parse_qs(urlsplit(self.path).query).get("offset", ["0"])[0]):
                nothing_more(self)
                return
            state.asked.append((self.command, self.path, dict(self.headers)))
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            answer(self)

        do_POST = do_GET  # noqa: N815 - the name is the library's

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def wanted_list(tmp_path: Path) -> Callable[..., Path]:
    """Writes a list of patients."""

    def write(*rows: str, header: str = "patient_id") -> Path:
        path = tmp_path / "list.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write
