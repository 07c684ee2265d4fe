"""Why a server did not store an object, by its code: the same of DICOMweb (FailureReason) and C-STORE (Status)."""

from __future__ import annotations

from mdanderson.pacs.link import ObjectRefusedError
from mdanderson.pacs.server import Server

__all__ = ["refused"]

_FAILURES = {
    0x0110: "the server failed while it stored it",
    0x0122: "the server does not know this kind of object",
    0x0124: "the server does not let us store",
    0xA700: "the server is full",
    0xA900: "the server says that it is no such object",
    0xC000: "the server does not understand it",
    0xC122: "the server does not take its transfer syntax",
}
"""PS3.18 Table I.2-2 and PS3.4 Table B.2-1."""
_FAMILIES = {0xA700: 0xFF00, 0xA900: 0xFF00, 0xC000: 0xF000}
"""Codes that are the first of many: code -> bits that count."""


def refused(reason: int, server: Server) -> ObjectRefusedError:
    """What is told of a code."""
    what = _FAILURES.get(reason) or next(
        (_FAILURES[code] for code, bits in _FAMILIES.items() if reason & bits == code), "the server refuses it"
    )
    return ObjectRefusedError(f"{what} (reason {reason:04X})", where=server.where, way_out="ask its keeper")
