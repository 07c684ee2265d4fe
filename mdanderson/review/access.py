"""Who may speak to the review server: a browser on this machine that was given the token, from the server's own pages.

A page of another site that the same browser shows can send requests here, and by rebinding its name to this machine
could read the answers. So the Host header must be ours, a request that changes something must come from our own origin
as JSON (which other origins cannot send without asking first), and everything needs the token.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LARGEST_BODY", "AccessMiddleware", "AccessPolicy"]

LARGEST_BODY = 64 * 1024
"""Bytes of a request; the largest entry takes a few thousand."""
_NAMES = ("127.0.0.1", "localhost")
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_LOCKED_DOWN = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_HEADER = "x-mdanderson-token"


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessPolicy:
    """What a request must show. port: where the server listens."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def hosts(self) -> tuple[str, ...]:
        """What the Host header may be."""
        return tuple(f"{name}:{self.port}" for name in _NAMES)

    @property
    def cookie(self) -> str:
        """The name of the cookie; ports share cookies, servers must not."""
        return f"mdanderson-{self.port}"

    @property
    def address(self) -> str:
        """What a browser is opened with."""
        return f"http://{_NAMES[0]}:{self.port}/?token={self.token}"

    @property
    def set_cookie(self) -> str:
        """The cookie that stands for the token: never sent along by another site, out of reach of scripts."""
        return f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"

    def knows(self, token: str) -> bool:
        """Whether it is the token, compared in a time that tells nothing."""
        return secrets.compare_digest(token.encode(), self.token.encode())

    def refuses(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        """Status and words where a request is not let in; None where it is, as far as the token goes."""
        host = headers.get("host", "")
        if host not in self.hosts:
            return 421, "this address is not served here"
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"} and method != "GET":
            return 403, "a page of another site may not ask for this"
        if method in {"GET", "HEAD"}:
            return None
        if method != "POST":
            return 405, "not a way to ask"
        if headers.get("origin") != f"http://{host}":
            return 403, "a page of another site may not ask for this"
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return 415, "JSON alone is taken"
        return None

    def has_token(self, headers: dict[str, str]) -> bool:
        """Whether the cookie, or the header, is that of this server."""
        given = headers.get(_HEADER, "")
        if given:
            return self.knows(given)
        # Other programs of this machine share its cookies: one that is malformed must not hide ours.
        pairs = (one.strip().partition("=") for one in headers.get("cookie", "").split(";"))
        return any(name == self.cookie and self.knows(value.strip('"')) for name, _, value in pairs)


class AccessMiddleware:
    """ASGI middleware that lets nobody else in, bounds what is sent, and puts safe headers on every answer."""

    def __init__(self, app: ASGIApp, *, policy: AccessPolicy) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no WebSocket is spoken
            await send({"type": "websocket.close", "code": 1008})
            return
        sent = _with_headers(send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self.policy.refuses(scope["method"], headers)
        if refused:
            await _answer(sent, *refused)
            return
        if self._is_invitation(scope):
            await _answer(sent, 303, "", [("location", "/"), ("set-cookie", self.policy.set_cookie)])
            return
        if not self.policy.has_token(headers):
            await _answer(sent, 403, "open the address that `mdanderson review` printed: it holds a token")
            return
        body = await _bounded(receive, headers)
        if body is None:
            await _answer(sent, 413, "more than an entry can be")
            return
        await self.app(scope, _replayed(body, receive), sent)

    def _is_invitation(self, scope: Scope) -> bool:
        """Whether the address itself holds the token; it is taken out of it at once."""
        try:
            given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20).get("token", [""])
        except ValueError:  # more fields than anybody needs
            return False
        return scope["method"] == "GET" and self.policy.knows(given[0])


def _with_headers(send: Send) -> Send:
    """Answers with the headers that all of them have; one without a policy of its own may do nothing at all."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", []))
            has_policy = any(name.lower() == _LOCKED_DOWN[0] for name, _ in own)
            message = {**message, "headers": [*own, *_HEADERS, *(() if has_policy else (_LOCKED_DOWN,))]}
        await send(message)

    return sent


async def _answer(send: Send, status: int, words: str, more: list[tuple[str, str]] | None = None) -> None:
    headers = [("content-type", "text/plain; charset=utf-8"), *(more or [])]
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": words.encode()})


async def _bounded(receive: Receive, headers: dict[str, str]) -> bytes | None:
    """The body; None where it is, or claims to be, too large."""
    claimed = headers.get("content-length", "0")
    if not claimed.isascii() or not claimed.isdigit() or int(claimed) > LARGEST_BODY:
        return None
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return body


def _replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """The body once, then whatever comes."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
