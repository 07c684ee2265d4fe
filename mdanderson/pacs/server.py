"""Whom a PACS is asked as, and how far it is trusted: what an address, a file of credentials and options come to."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mdanderson.errors import SettingsError

__all__ = ["OUR_AET", "Credentials", "Server"]

OUR_AET = "MDANDERSON"
"""What the classic network calls us unless it is told otherwise."""

_TOKEN, _USER, _PASSWORD = "MDANDERSON_PACS_TOKEN", "MDANDERSON_PACS_USER", "MDANDERSON_PACS_PASSWORD"
_CLASSIC = ("dicom://", "dicoms://")
_LARGEST_FILE = 2**16
_SET_THEM = f"set {_TOKEN}, or {_USER} and {_PASSWORD}, or name a file that holds them: --auth"


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """A bearer token, or a user and a password; blank = none. Never shown."""

    token: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.token and (self.user or self.password):
            raise SettingsError("a token and a user for one server", way_out="keep one of them")
        if bool(self.user) != bool(self.password):
            raise SettingsError("a user without a password, or the other way round", way_out=_SET_THEM)
        if any(not word.isprintable() for word in (self.token, self.user, self.password)):
            raise SettingsError("credentials with a line end or a control character", way_out="write them in one line")

    def __bool__(self) -> bool:
        return bool(self.token or self.user)

    @classmethod
    def from_file(cls, path: Path) -> Credentials:
        """Of a TOML file with `token`, or `user` and `password`. Raises `SettingsError` without a word of it."""
        try:
            if path.exists() and not path.is_file():
                raise SettingsError("not a file", where=str(path), way_out='write a TOML file: token = "..."')
            with path.open("rb") as file:
                told = tomllib.loads(file.read(_LARGEST_FILE).decode())
        except OSError as error:
            raise SettingsError(
                f"the credentials cannot be read ({error.strerror})", where=str(path), way_out="check the path"
            ) from error
        except ValueError:  # its words may hold a secret
            raise SettingsError(
                "not a TOML file", where=str(path), way_out='write token = "...", or user = "..." and password = "..."'
            ) from None
        if not told or not set(told) <= {"token", "user", "password"} or not all(map(_is_text, told.values())):
            raise SettingsError(
                "not a file of credentials", where=str(path), way_out="write token, or user and password, as texts"
            )
        return cls(**told)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Credentials:
        """Of the environment. Raises `SettingsError`."""
        token, user, password = (environment.get(name, "") for name in (_TOKEN, _USER, _PASSWORD))
        return cls(token=token, user=user, password=password)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """One address: of DICOMweb, https://host/path, or of the classic network, dicoms://CALLED_AET@host:port.

    ca: certificates that are trusted in place of the system's. timeout_s: of one answer. aet: what the classic network
    calls us.

    check_certificate: False lets anybody between read and change what is sent.
    """

    url: str
    credentials: Credentials = field(default=Credentials(), repr=False)
    ca: Path | None = None
    check_certificate: bool = True
    timeout_s: float = 60.0
    aet: str = OUR_AET

    @classmethod
    def at(
        cls,
        url: str,
        *,
        auth: Path | None = None,
        ca: Path | None = None,
        insecure_tls: bool = False,
        timeout_s: float = 60.0,
        aet: str = OUR_AET,
    ) -> Server:
        """The server at an address, with the credentials of the file `auth`, else of the environment.

        Raises `SettingsError` for an address that is none or holds a secret, and where credentials would cross a
        network unencrypted.
        """
        classic = url.startswith(_CLASSIC)
        if classic and auth:
            raise SettingsError("the classic network knows AE titles, no credentials", way_out="leave --auth out")
        if auth:
            credentials = Credentials.from_file(auth)
        else:
            credentials = Credentials() if classic else Credentials.from_environment(os.environ)
        server = cls(
            url=url.rstrip("/"),
            credentials=credentials,
            ca=ca,
            check_certificate=not insecure_tls,
            timeout_s=timeout_s,
            aet=aet,
        )
        server.check()
        return server

    def check(self) -> None:
        """Whether it may be asked. Raises `SettingsError`."""
        if self.is_dimse:
            self._check_classic()
        else:
            self._check_web()
        if self.ca is not None and not self.ca.is_file():
            raise SettingsError("no file of certificates", where=str(self.ca), way_out="name a PEM file")
        if not self.timeout_s > 0:
            raise SettingsError(f"a timeout of {self.timeout_s:g} s", way_out="give an answer more than 0 seconds")

    def _check_web(self) -> None:
        try:
            parts = urlsplit(self.url)
            port, host = parts.port, parts.hostname or ""
        except ValueError:
            raise SettingsError("not an address", way_out="write it as https://host:port/dicom-web") from None
        if parts.username is not None or parts.password is not None:
            raise SettingsError("the address holds a user or a password, which others see", way_out=_SET_THEM)
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or port == 0:
            raise SettingsError(
                f"not a DICOMweb address: {self.url}", way_out="write it as https://host:port/dicom-web"
            )
        if parts.scheme == "http" and self.credentials and not _is_loopback(host):
            raise SettingsError(
                "credentials would be sent unencrypted", where=self.where, way_out="use https://, or a tunnel to it"
            )

    def _check_classic(self) -> None:
        way_out = "write it as dicoms://CALLED_AET@host:port, or dicom:// without TLS"
        try:
            parts = urlsplit(self.url)
            port, host = parts.port, parts.hostname or ""
        except ValueError:
            raise SettingsError("not an address", way_out=way_out) from None
        if not host or not port or parts.password is not None or parts.path or parts.query or parts.fragment:
            raise SettingsError("not an address of the classic DICOM network", way_out=way_out)
        for title in (self.called_aet, self.aet):
            if not _is_title(title):
                raise SettingsError(
                    "not an AE title", where=self.where, way_out=f"1 to 16 letters without backslash; {way_out}"
                )

    @property
    def is_dimse(self) -> bool:
        """Whether it is asked through the classic network (DIMSE)."""
        return self.url.startswith(_CLASSIC)

    @property
    def called_aet(self) -> str:
        """What the classic network calls the server."""
        return unquote(urlsplit(self.url).username or "")

    @property
    def is_tls(self) -> bool:
        """Whether what is sent is encrypted."""
        return self.url.startswith(("https://", "dicoms://"))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, of the classic network alone."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    @property
    def where(self) -> str:
        """How it is called in what is told: host and port, no path and no secret."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else f"{parts.hostname}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know before anything is sent."""
        parts = urlsplit(self.url)
        if parts.scheme in {"http", "dicom"} and not _is_loopback(parts.hostname or ""):
            return (f"{self.where} is asked without encryption: whoever is between reads names and images",)
        if parts.scheme != "dicom" and not self.check_certificate:
            return (
                f"the certificate of {self.where} is NOT checked: anybody between may read and change what is sent",
            )
        return ()


def _is_title(text: str) -> bool:
    """PS3.5, AE: at most 16 characters that can be seen, not all of them blank, no backslash."""
    return bool(text.strip()) and len(text) <= 16 and text.isascii() and text.isprintable() and "\\" not in text


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
