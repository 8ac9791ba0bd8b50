"""SNMP, reading only: settings, what every SNMP transport can do, and which library does it.

Two libraries stand behind one interface. pysnmp is always there; ``gufo-snmp`` (extra ``fast``) reads large tables as
fast as net-snmp's own tools and is taken when it is installed. No SNMP library is imported here before it is needed.
"""

from __future__ import annotations

import importlib.util
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from pydantic import SecretStr

from ponprobe.dialect import SnmpDialect
from ponprobe.errors import ConfigError, ConnectError, MissingExtra, NotSupported
from ponprobe.flow import Oid, SnmpGet, SnmpReply, SnmpValue, SnmpWalk
from ponprobe.transports.record import Transcript
from ponprobe.transports.snmp_session import SnmpSession, Wire

_log = logging.getLogger(__name__)

Version = Literal["2c", "3"]
AuthProtocol = Literal["none", "md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
PrivProtocol = Literal["none", "des", "aes128", "aes192", "aes256", "aes192c", "aes256c"]
Backend = Literal["auto", "pysnmp", "gufo"]

_SHORTEST_KEY = 8
"""RFC 3414, 11.2: passwords that keys are made of have at least eight characters."""
_TRANSCRIPT_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class SnmpSettings:
    """Where an agent is and how to be believed. Raises ``ConfigError`` for settings that cannot work.

    Version ``2c`` needs ``community``. Version ``3`` needs ``user``; with ``auth_protocol`` goes ``auth_key``, with
    ``priv_protocol`` (which needs authentication) ``priv_key``; the keys are passwords of at least eight characters.
    ``md5`` and ``des`` are there for old devices. ``aes192c`` and ``aes256c`` are AES with keys made in Cisco's way; it
    differs from the plain ones only where the authentication gives less key than the privacy needs.
    """

    host: str
    port: int = 161
    version: Version = "2c"
    community: SecretStr | None = None
    user: str | None = None
    auth_protocol: AuthProtocol = "none"
    auth_key: SecretStr | None = None
    priv_protocol: PrivProtocol = "none"
    priv_key: SecretStr | None = None
    context: str = ""

    def __post_init__(self) -> None:
        for name, allowed in (("version", Version), ("auth_protocol", AuthProtocol), ("priv_protocol", PrivProtocol)):
            if getattr(self, name) not in get_args(allowed):
                options = ", ".join(get_args(allowed))
                raise ConfigError(f"SNMP {name} is {getattr(self, name)!r}", hint=f"it is one of {options}")
        if not self.host or not 0 < self.port < 65536:
            raise ConfigError(f"SNMP address {self.host!r}, port {self.port} is none")
        if self.version == "2c":
            self._check_v2c()
        else:
            self._check_v3()
        for name in ("community", "auth_key", "priv_key", "user", "context"):
            value = getattr(self, name)
            text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
            if not (text.isascii() and (text.isprintable() or not text)):
                raise ConfigError(
                    f"SNMP {name} has characters outside printable ASCII",
                    hint="agents differ in how they code them, so none would be sure to match",
                )

    def _check_v2c(self) -> None:
        if self.community is None or not self.community.get_secret_value():
            raise ConfigError(f"SNMP 2c to {self.host} needs a community", hint="set community, or version = '3'")
        if self.user or self.auth_key or self.priv_key or self.auth_protocol != "none" or self.priv_protocol != "none":
            raise ConfigError(
                f"SNMP 2c to {self.host} has no user and no keys",
                hint="set version = '3', or take user, auth_* and priv_* away",
            )
        if self.context:
            raise ConfigError(f"SNMP 2c to {self.host} has no context", hint="that is part of version 3")

    def _check_v3(self) -> None:
        if not self.user:
            raise ConfigError(f"SNMP 3 to {self.host} needs a user")
        if self.community is not None:
            raise ConfigError(f"SNMP 3 to {self.host} has no community", hint="take it away, or set version = '2c'")
        if self.priv_protocol != "none" and self.auth_protocol == "none":
            raise ConfigError(
                f"SNMP 3 to {self.host}: privacy needs authentication", hint="set auth_protocol, auth_key"
            )
        for kind, protocol, key in (
            ("auth", self.auth_protocol, self.auth_key),
            ("priv", self.priv_protocol, self.priv_key),
        ):
            if (protocol == "none") != (key is None):
                raise ConfigError(f"SNMP 3 to {self.host}: {kind}_protocol and {kind}_key go together")
            if key is not None and len(key.get_secret_value()) < _SHORTEST_KEY:
                raise ConfigError(f"SNMP 3 to {self.host}: {kind}_key has fewer than {_SHORTEST_KEY} characters")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no text may show."""
        known = (self.community, self.auth_key, self.priv_key)
        return tuple(secret.get_secret_value() for secret in known if secret is not None)

    @property
    def who(self) -> str:
        """Who asks, as messages say it."""
        return "SNMP 2c" if self.version == "2c" else f"SNMP 3 user {self.user}"


class SnmpTransport(Protocol):
    """Questions to one agent. Safe for many threads, and usable inside a running event loop."""

    @property
    def host(self) -> str:
        """The device's address as it was configured."""

    @property
    def transcript(self) -> Transcript:
        """One line for each exchange, redacted; its scrubber knows the secrets."""

    def get(self, request: SnmpGet) -> SnmpReply:
        """Ask for single values; the reply has each of them, ``Missing`` where the device has none."""

    def walk(self, request: SnmpWalk) -> SnmpReply:
        """Ask for all rows under a prefix; complete or an exception."""

    def iter_walk(self, request: SnmpWalk) -> Iterator[tuple[Oid, SnmpValue]]:
        """The rows of :meth:`walk` one by one as they come, by index (the OID behind the column), in bounded memory.

        Complete only if the iterator ends by itself: rows that came before an exception are a part of the table.
        """

    def close(self) -> None:
        """Free sockets and threads. Never raises; may be called twice."""


def open_snmp(
    settings: SnmpSettings,
    dialect: SnmpDialect | None = None,
    *,
    backend: Backend = "auto",
    transcript: Transcript | None = None,
) -> SnmpSession:
    """Make a transport. Nothing is sent before the first question.

    ``auto`` takes gufo-snmp where it is installed and can do what the settings ask for, and pysnmp otherwise.
    Raises ``ConfigError`` (unknown backend), ``MissingExtra`` (``gufo`` is not installed), ``NotSupported`` (the
    library cannot do what the settings ask for) and ``ConnectError`` (the name cannot be resolved).
    """
    if backend not in get_args(Backend):
        raise ConfigError(f"SNMP backend is {backend!r}", hint=f"it is one of {', '.join(get_args(Backend))}")
    address = _resolved(settings)
    wire = _wire(settings, address, backend)
    return SnmpSession(
        settings, dialect or SnmpDialect(), wire, transcript or Transcript(limit_chars=_TRANSCRIPT_CHARS)
    )


def _wire(settings: SnmpSettings, address: tuple[str, int], backend: Backend) -> Wire:
    if backend != "pysnmp":
        try:
            return _gufo(settings, address)
        except (MissingExtra, NotSupported) as exc:
            if backend == "gufo":
                raise
            if not isinstance(exc, MissingExtra):
                _log.info("%s: %s; pysnmp is used", settings.host, exc.message)
    return _pysnmp(settings, address)


def _gufo(settings: SnmpSettings, address: tuple[str, int]) -> Wire:
    if not _installed("gufo.snmp"):
        raise MissingExtra("The SNMP backend 'gufo'", "fast")
    from ponprobe.transports.snmp_gufo import GufoWire  # noqa: PLC0415 - the library is optional and loaded late

    return GufoWire(settings, address, witness=lambda: _pysnmp(settings, address))


def _pysnmp(settings: SnmpSettings, address: tuple[str, int]) -> Wire:
    from ponprobe.transports.snmp_pysnmp import PysnmpWire  # noqa: PLC0415 - importing pysnmp takes a while

    return PysnmpWire(settings, address)


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is not there either
        return False


def _resolved(settings: SnmpSettings) -> tuple[str, int]:
    """The numeric address; both libraries get the same one, so that they ask the same device."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_DGRAM)
    except OSError as exc:
        raise ConnectError(
            f"The name {settings.host!r} could not be resolved: {exc.strerror or exc}",
            host=settings.host,
            access="snmp",
            hint="check the name, or give an address",
        ) from exc
    return str(found[0][4][0]), settings.port
