"""The server itself: a port of this machine, a browser, and an orderly end."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mdanderson.batch.pages import report
from mdanderson.batch.store import STALE_PAGES
from mdanderson.errors import OutputError, SettingsError

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from mdanderson.review.reviewed_folder import ReviewedFolder

__all__ = ["DEFAULT_PORT", "review"]

DEFAULT_PORT = 8765
_HOST = "127.0.0.1"
_LONGEST_NAME = 100
_LAST_WORD_S = 3
_LONGEST_HEAD = 32_768
"""Bytes of a request before its body."""


def review(
    out: str | Path,
    *,
    port: int = DEFAULT_PORT,
    reader: str = "",
    blinded: bool = False,
    browser: bool = True,
    key_file: Path | None = None,
    timeout_s: float | None = None,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve the report of a results folder on this machine, with forms for readers, until Ctrl-C or SIGTERM.

    port: 0 = any that is free. reader: who signs every entry; blank = as the form says. blinded: what was computed and
    what others stated is hidden, so a reader must be named. browser: open one. key_file: of pseudonyms. timeout_s: for
    one patient that is scored again. tell: takes the address and what else is to be known.
    Raises `SettingsError` and `OutputError`; nobody else is listened to, and nothing is sent anywhere.
    """
    folder, reader = Path(out), _checked(reader, blinded=blinded)
    _check_installed()
    from mdanderson.review.reviewed_folder import ReviewedFolder

    reviewed = ReviewedFolder.of_folder(folder, key_file=key_file)
    if blinded:
        reviewed.check_can_leave_statements_out()
    if not (reviewed.report / "index.html").is_file():
        report(folder)
    elif (folder / STALE_PAGES).exists():
        with contextlib.suppress(OutputError):  # another run is writing, and will write them
            report(folder)
    with contextlib.closing(_listening(port)) as listening:
        wishes = _Wishes(reader=reader, blinded=blinded, browser=browser, key_file=key_file, timeout_s=timeout_s)
        _serve(reviewed, listening, wishes, tell)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wishes:
    """How it is to be served, as `review` was asked."""

    reader: str
    blinded: bool
    browser: bool
    key_file: Path | None
    timeout_s: float | None


def _serve(reviewed: ReviewedFolder, listening: socket.socket, wishes: _Wishes, tell: Callable[[str], None]) -> None:
    from mdanderson.review.access import AccessPolicy
    from mdanderson.review.app import make_app
    from mdanderson.review.rescoring import Rescorer
    from mdanderson.review.session import ReviewSession

    policy = AccessPolicy(port=listening.getsockname()[1])
    rescorer = Rescorer(
        folder=reviewed.folder, snapshot_of=reviewed.snapshot, key_file=wishes.key_file, timeout_s=wishes.timeout_s
    )
    app = make_app(
        ReviewSession(reviewed=reviewed, rescorer=rescorer, reader=wishes.reader, blinded=wishes.blinded), policy
    )

    def open_address() -> None:
        tell(f"review it here: {policy.address}")
        if wishes.blinded:
            tell(f"entries that stand under the name {wishes.reader} already: {reviewed.entries_of(wishes.reader)}")
        tell("Ctrl-C ends it; whoever has the address on this machine can write entries")
        if wishes.browser:
            threading.Thread(target=webbrowser.open, args=(policy.address,), daemon=True).start()

    try:
        _run(app, listening, open_address)
    finally:
        if rescorer.at_work:
            tell("ending what is being scored; entries are kept")
        rescorer.close()


def _run(app: Starlette, listening: socket.socket, started: Callable[[], None]) -> None:
    """Serve until a signal says that it is enough, which is how a server ends: no error, no second signal."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # it would write the token
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=_LAST_WORD_S,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )
    Server(config).run(sockets=[listening])


def _listening(port: int) -> socket.socket:
    """A port of this machine alone. Raises `OutputError` where it is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        taken = error.errno == errno.EADDRINUSE
        raise OutputError(
            f"port {port} is in use" if taken else f"port {port} cannot be used ({error.strerror})",
            where=_HOST,
            way_out="end the other program, or name another: --port 0 takes any that is free",
        ) from error
    return listening


def _check_installed() -> None:
    try:
        import starlette  # noqa: F401 - that it is there
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            f"the review server needs the package {error.name}", way_out="pip install 'mdanderson[review]'"
        ) from error


def _checked(reader: str, *, blinded: bool) -> str:
    name = " ".join(reader.split())
    if blinded and not name:
        raise SettingsError("a blinded reading without a reader", way_out="name one: --reader NAME")
    if len(name) > _LONGEST_NAME:
        raise SettingsError(f"a reader's name of {len(name)} characters", way_out=f"use at most {_LONGEST_NAME}")
    return name
