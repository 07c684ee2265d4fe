"""HTTP to a server: answers and time are bounded, and every failure is one clear line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mdanderson.errors import ServerError
from mdanderson.pacs.link import LARGEST_ANSWER, LEAST_BYTES_PER_S
from mdanderson.pacs.server import Server

if TYPE_CHECKING:
    import requests

__all__ = ["opened", "told"]

_BLOCK = 2**20
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_CODES = {
    400: ("the server does not understand what is asked", "is it a DICOMweb address?"),
    401: ("the server wants to know who asks, or refuses the credentials", "check user and password, or the token"),
    403: ("the server forbids it", "ask its keeper for the right to read, or to store"),
    404: ("nothing is there", "check the address: it ends with the path of DICOMweb, as in /dicom-web"),
    405: ("the server does not do that", "is it a DICOMweb address?"),
    406: ("the server cannot give the images in any form that is read here", "ask its keeper"),
    413: ("the server takes nothing that large", "ask its keeper"),
    415: ("the server does not take such files", "ask its keeper"),
    507: ("the server is full", "ask its keeper"),
}


def opened(server: Server) -> requests.Session:
    """A session that reads no more than it is to, and takes credentials and patients nowhere but where they belong."""
    import requests

    class Session(requests.Session):
        def merge_environment_settings(self, *told: Any) -> Any:
            settings = super().merge_environment_settings(*told)
            if self.verify is not True:  # the environment names certificates too, and requests lets it win
                settings["verify"] = self.verify
            return settings

        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            response = super().send(request, **options | {"stream": True, "allow_redirects": False})
            with contextlib.closing(response):
                response._content = _body(response, server)  # as `Response.content` would fill it
                response._content_consumed = True
            if 300 <= response.status_code < 400:
                raise ServerError("the server sends us elsewhere", where=server.where, way_out="name its last address")
            return response

    session = Session()
    session.verify = str(server.ca) if server.ca and server.check_certificate else server.check_certificate
    session.auth = _authorised(server)
    return session


def _authorised(server: Server) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """What signs a request. One that does nothing keeps a .netrc out, which nobody meant for this."""
    from requests.auth import _basic_auth_str

    credentials = server.credentials

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if credentials.token:
            request.headers["Authorization"] = f"Bearer {credentials.token}"
        elif credentials:
            request.headers["Authorization"] = _basic_auth_str(
                credentials.user.encode("utf-8"), credentials.password.encode("utf-8")
            )
        return request

    return sign


def _body(response: requests.Response, server: Server) -> bytes:
    """The answer, as long as it is neither too long nor too slow. Raises `ServerError`."""
    blocks, size, began = [], 0, time.monotonic()
    for block in response.iter_content(_BLOCK):
        blocks.append(block)
        size += len(block)
        if size > LARGEST_ANSWER:
            what = f"an answer of more than {LARGEST_ANSWER >> 30} GB"
            raise ServerError(what, where=server.where, way_out="ask its keeper what is there")
        if time.monotonic() - began > server.timeout_s + size / LEAST_BYTES_PER_S:
            raise ServerError("the answer trickles in too slowly", where=server.where, way_out="try again later")
    return b"".join(blocks)


def told(error: Exception, server: Server) -> tuple[ServerError, float | None]:
    """What is told of a failure, and after how many seconds it may be tried again; None = never."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        way_out = "name the certificate of whoever signed it: --ca FILE.pem"
        return ServerError("the certificate of the server is not trusted", where=server.where, way_out=way_out), None
    if isinstance(error, requests.exceptions.HTTPError) and error.response is not None:
        return _refused(error.response, server)
    if isinstance(error, requests.exceptions.Timeout):
        what = f"no answer within {server.timeout_s:g} s"
        return ServerError(what, where=server.where, way_out="try again later, or give it longer: --timeout"), 0.0
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return ServerError("the answer broke off", where=server.where, way_out="try again: what is here stays"), 0.0
    if isinstance(error, requests.exceptions.ConnectionError):
        way_out = "check that it runs, and the address"
        return ServerError("the server does not answer", where=server.where, way_out=way_out), 0.0
    if isinstance(error, requests.exceptions.RequestException | ValueError) and not isinstance(error, UnicodeError):
        what = "an answer that is not DICOMweb"
        return ServerError(what, where=server.where, way_out="check the address: is it that of DICOMweb?"), 0.0
    what = f"an answer that cannot be read ({type(error).__name__})"
    return ServerError(what, where=server.where, way_out="try again, or ask its keeper"), 0.0


def _refused(response: requests.Response, server: Server) -> tuple[ServerError, float | None]:
    code = response.status_code
    what, way_out = _CODES.get(
        code, ("the server failed" if code >= 500 else "the server refuses it", "try again later")
    )
    told = ServerError(f"{what} (HTTP {code})", where=server.where, way_out=way_out)
    if code not in _MAY_PASS:
        return told, None
    after = response.headers.get("Retry-After", "")
    return told, float(after) if after.isascii() and after.isdecimal() and len(after) < 6 else 0.0
