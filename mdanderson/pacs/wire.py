"""One association with a server of the classic DICOM network: what comes in is bounded, in bytes and in time.

pynetdicom reads without an end, and waits for a message rather than for its bytes. So the bytes are counted here, and
a connection that is silent, trickles or never ends is cut.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mdanderson.errors import ServerError, SettingsError
from mdanderson.pacs.link import LARGEST_ANSWER, LEAST_BYTES_PER_S, MayPassError
from mdanderson.pacs.server import Server

if TYPE_CHECKING:
    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

__all__ = ["Wire"]

_BLOCK = 2**16
_LOOK_S = 0.05
_LONGEST_CONNECT_S = 10.0
_CHECK_AET = "check the AE titles: the server's stands in the address, ours is --aet"
_REJECTED = {
    (1, 3): ("the server does not know our AE title", "have its keeper enter it with our address, or name it: --aet"),
    (1, 7): ("the server is not called so", "check the AE title in the address: dicom://CALLED_AET@host:port"),
}
"""A-ASSOCIATE-RJ: (source, reason), PS3.8 Table 9-21."""


class Wire:
    """An open association. association: of pynetdicom; it is used inside `watched` alone."""

    def __init__(
        self,
        server: Server,
        contexts: Sequence[PresentationContext],
        *,
        scp_of: Sequence[str] = (),
        on_store: Callable[[Any], int] | None = None,
    ) -> None:
        """Open it. scp_of: SOP classes that the server is to send us. Raises `ServerError`, `MayPassError`."""
        self.server = server
        self._socket: Any = None
        self._plain: socket.socket | None = None
        self._bytes, self._heard_at, self._began = 0, 0.0, 0.0
        self._cut: ServerError | None = None
        if server.is_tls and (why := _unreachable(server)):
            raise why
        with self.watched():
            self.association = self._associate(contexts, scp_of, on_store)
        if not self.association.is_established:
            why = self._why_not()
            self.drop()
            raise why

    def _associate(
        self, contexts: Sequence[PresentationContext], scp_of: Sequence[str], on_store: Callable[[Any], int] | None
    ) -> Association:
        from pynetdicom import AE, build_role, evt

        entity = AE(ae_title=self.server.aet)
        entity.connection_timeout = min(self.server.timeout_s, _LONGEST_CONNECT_S)
        entity.acse_timeout = self.server.timeout_s + 1  # `watched` comes first
        entity.dimse_timeout = entity.network_timeout = None
        handlers: list[Any] = [(evt.EVT_CONN_OPEN, self._on_open), (evt.EVT_DATA_SENT, self._on_sent)]
        if on_store:
            handlers.append((evt.EVT_C_STORE, on_store))
        host, port = self.server.address
        return entity.associate(
            host,
            port,
            contexts=list(contexts),
            ae_title=self.server.called_aet,
            ext_neg=[build_role(one, scp_role=True) for one in scp_of],
            tls_args=(_tls(self.server), host) if self.server.is_tls else None,
            evt_handlers=handlers,
        )

    def takes(self, sop_class: str) -> bool:
        """Whether the server agreed to talk about such objects."""
        return any(one.abstract_syntax == sop_class for one in self.association.accepted_contexts)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Meanwhile the connection is cut when it is silent for too long, too slow or never ends."""
        self._bytes, self._cut = 0, None
        self._heard_at = self._began = time.monotonic()
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def broken(self) -> Exception:
        """What is told when an association ended before its answer did."""
        way_out = "try again: what is here stays"
        return self._told() or MayPassError(
            ServerError("the server ended the association", where=self.server.where, way_out=way_out)
        )

    def close(self) -> None:
        """End it, by the rules where the server still listens."""
        if self.association.is_established:
            with self.watched(), suppress(RuntimeError):
                self.association.release()
        self.drop()

    def drop(self) -> None:
        """End it at once."""
        self._shut()
        if self.association.is_established:
            self.association.abort()
        if self._plain is not None:  # pynetdicom leaves one open that is shut already
            self._plain.close()

    def _on_open(self, event: Any) -> None:
        """The connection stands: from now on bytes are counted as they come, not when a message is whole."""
        self._socket = event.assoc.dul.socket
        self._plain = self._socket.socket
        self._plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # command and data are two small parcels
        self._socket.recv = self._read

    def _on_sent(self, _: Any) -> None:
        self._heard_at = time.monotonic()

    def _read(self, count: int) -> bytearray:
        """As `AssociationSocket.recv`: so many bytes, fewer where the connection ends."""
        found = bytearray()
        while len(found) < count:
            block = self._plain.recv(min(count - len(found), _BLOCK)) if self._plain else b""
            if not block:
                break
            found += block
            self._bytes += len(block)
            self._heard_at = time.monotonic()
            if self._bytes > LARGEST_ANSWER:
                self._end(f"an answer of more than {LARGEST_ANSWER >> 30} GB", "ask its keeper what is there")
                break
        return found

    def _watch(self, over: threading.Event) -> None:
        limit = self.server.timeout_s
        while not over.wait(min(_LOOK_S, limit / 4)):
            now = time.monotonic()
            if now - self._heard_at > limit:
                self._end(f"no answer within {limit:g} s", "try again later, or give it longer: --timeout")
                return
            if self._bytes and now - self._began > limit + self._bytes / LEAST_BYTES_PER_S:
                self._end("the answer trickles in too slowly", "try again later")
                return

    def _end(self, what: str, way_out: str) -> None:
        self._cut = ServerError(what, where=self.server.where, way_out=way_out)
        self._shut()

    def _shut(self) -> None:
        if self._plain is not None:
            with suppress(OSError):
                self._plain.shutdown(socket.SHUT_RDWR)

    def _told(self) -> Exception | None:
        if self._cut is None:
            return None
        return MayPassError(self._cut) if "within" in self._cut.what else self._cut

    def _why_not(self) -> Exception:
        """Why no association came about."""
        if self.association.is_rejected:
            return self._rejected()
        if told := self._told():
            return told
        if self._socket is None:
            return _unreachable(self.server) or _silent(self.server)
        way_out = f"is it a DICOM server? {_CHECK_AET}"
        return MayPassError(
            ServerError("the server ended the association before it began", where=self.server.where, way_out=way_out)
        )

    def _rejected(self) -> Exception:
        answer = self.association.acceptor.primitive
        source, reason = (getattr(answer, name, 0) for name in ("result_source", "diagnostic"))
        what, way_out = _REJECTED.get((source, reason), ("the server rejects the association", _CHECK_AET))
        told = ServerError(what, where=self.server.where, way_out=way_out)
        return MayPassError(told) if getattr(answer, "result", 1) == 2 else told


def _tls(server: Server) -> ssl.SSLContext:
    """As `requests` trusts for DICOMweb: certificates of the system, or those that were named alone."""
    try:
        context = ssl.create_default_context(cafile=str(server.ca) if server.ca else None)
    except (ssl.SSLError, OSError) as error:
        raise SettingsError("no file of certificates", where=str(server.ca), way_out="name a PEM file") from error
    if not server.check_certificate:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _unreachable(server: Server) -> Exception | None:
    """Why no connection comes about, by one made by hand: pynetdicom tells it to its log alone."""
    host, port = server.address
    limit = min(server.timeout_s, _LONGEST_CONNECT_S)
    try:
        with socket.create_connection((host, port), timeout=limit) as plain:
            if server.is_tls:
                _tls(server).wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLCertVerificationError:
        way_out = "name the certificate of whoever signed it: --ca FILE.pem"
        return ServerError("the certificate of the server is not trusted", where=server.where, way_out=way_out)
    except ssl.SSLError:
        way_out = "is this its port for TLS?"
        return ServerError("the server does not speak TLS with us", where=server.where, way_out=way_out)
    except OSError:
        return _silent(server)
    return None


def _silent(server: Server) -> MayPassError:
    return MayPassError(
        ServerError("the server does not answer", where=server.where, way_out="check that it runs, and the address")
    )
