"""NETCONF over SSH with ncclient: connecting, trusting, logging in, one request at a time.

The only module that imports ncclient; import it where a session is composed, not earlier. ncclient matches answers to
requests, keeps the session's thread and knows the vendors' hellos. What of it stands in the way of large or Chinese
answers is replaced through the places that it offers: its parser decodes each piece alone and breaks on a cut
character, and its thread looks for something to send ten times a second only.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

import paramiko
from lxml import etree
from ncclient import NCClientError  # type: ignore[import-untyped, unused-ignore]
from ncclient.devices.default import DefaultDeviceHandler  # type: ignore[import-untyped, unused-ignore]
from ncclient.devices.huawei import HuaweiDeviceHandler  # type: ignore[import-untyped, unused-ignore]
from ncclient.operations.rpc import RPC  # type: ignore[import-untyped, unused-ignore]
from ncclient.transport.errors import SessionCloseError, SessionError  # type: ignore[import-untyped, unused-ignore]
from ncclient.transport.ssh import SSHSession  # type: ignore[import-untyped, unused-ignore]

from ponprobe.errors import (
    AuthError,
    ConnectError,
    HostKeyError,
    PonprobeError,
    SessionLost,
    TransportError,
    TransportTimeout,
)
from ponprobe.transports.host_keys import HostKeys, default_known_hosts, fingerprint
from ponprobe.transports.netconf import BASE, NetconfSettings
from ponprobe.transports.netconf_dialogue import xml_of
from ponprobe.transports.netconf_errors import problems_of
from ponprobe.transports.netconf_framing import FramingError, Unframer, framed
from ponprobe.transports.netconf_session import LOOK_S, RawReply, Session, Silence, cover_of
from ponprobe.transports.record import Transcript

_log = logging.getLogger(__name__)
_paramiko_log = _log.getChild("paramiko")
# paramiko logs whole tracebacks of failures that we raise and explain; without a handler they would go to stderr
_paramiko_log.addHandler(logging.NullHandler())
# ncclient logs whole messages, passwords of ONUs among them; the transcript has them, scrubbed
_silent = _log.getChild("ncclient")
_silent.setLevel(logging.CRITICAL + 1)

_CHUNK = 65536
_JOIN_S = 5
_LONG = 10
"""A whole answer may take so many times what the device may be silent."""
_SUBSYSTEM = "netconf"
_BASE_1_1 = "urn:ietf:params:netconf:base:1.1"


# ------------------------------------------------------------------------------------------------- ncclient's pieces


class _Handled:
    """What our two device handlers share."""

    def get_xml_base_namespace_dict(self) -> dict[str | None, str]:
        return {None: BASE}

    def get_xml_extra_prefix_kwargs(self) -> dict[str, Any]:
        return {"nsmap": self.get_xml_base_namespace_dict()}

    def perform_qualify_check(self) -> bool:
        return False

    def get_xml_parser(self, session: Any) -> Any:
        # what has been read of the next message is in the parser that the session has
        return session.parser


class OltHandler(_Handled, DefaultDeviceHandler):  # type: ignore[misc, unused-ignore]
    """ncclient's view of an OLT: plain RFC 6241 with the base capabilities only, so no device changes its models."""

    def get_capabilities(self) -> list[str]:
        """What our hello says."""
        return ["urn:ietf:params:netconf:base:1.0", "urn:ietf:params:netconf:base:1.1"]


class HuaweiOltHandler(_Handled, HuaweiDeviceHandler):  # type: ignore[misc, unused-ignore]
    """The same with that vendor's private capabilities in our hello, which change what some of its devices speak."""


_HANDLERS: dict[str, Callable[[dict[str, object]], Any]] = {"standard": OltHandler, "huawei": HuaweiOltHandler}


class _Reply(RawReply):
    """An answer as it came; ncclient would parse it here, with a parser that expands entities."""

    def __init__(self, raw: str, *, huge_tree: bool = False) -> None:
        del huge_tree
        super().__init__(raw, datetime.now(timezone.utc))

    def set_parsing_error_transform(self, transform: object) -> None:
        """What ncclient does for vendors that answer broken XML; not used."""


class _Rpc(RPC):  # type: ignore[misc, unused-ignore]
    """One request; ncclient numbers it and brings its answer."""

    REPLY_CLS = _Reply

    def message(self, operation: str) -> str:
        """The whole message, as it is sent: moving elements would lose prefixes that only text refers to."""
        return f'<rpc xmlns="{BASE}" message-id="{self._id}">{operation}</rpc>'


class _Parser:
    """ncclient's place for a parser: bytes in, whole messages to the session."""

    def __init__(self, session: _Ssh) -> None:
        self._session = session
        self.unframer = Unframer()

    def parse(self, data: bytes) -> None:
        self._session.heard_at = time.monotonic()
        self.unframer.feed(data)
        while (message := self.unframer.next()) is not None:
            if message:
                self._session.take(message)


class _NoSubsystemError(Exception):
    """The SSH server has no NETCONF."""


class _Ssh(SSHSession):  # type: ignore[misc, unused-ignore]
    """ncclient's session with our own way in, whole messages, and nothing that waits for a tick of its thread."""

    def __init__(self, settings: NetconfSettings) -> None:
        self.handler = _HANDLERS[settings.handler]({})
        super().__init__(self.handler)
        self.logger = _silent
        self.parser = _Parser(self)
        self.host_key: str | None = None
        self.heard_at = time.monotonic()
        self.our_hello = ""
        self.last_message = ""
        self.failure: Exception | None = None
        self._settings = settings
        self._sock: socket.socket | None = None
        self.gone = False

    def connect(self) -> None:
        """Connect, check the host key, log in, open the subsystem, exchange hellos."""
        settings = self._settings
        self._host = settings.host
        self._sock = sock = socket.create_connection((settings.host, settings.port), settings.connect_timeout_s)
        # without it an exchange of small packets can stall for 40 ms
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport = paramiko.Transport(sock)
        if self.gone:
            raise EOFError("given up")
        transport.set_log_channel(_paramiko_log.name)
        transport.banner_timeout = settings.connect_timeout_s
        transport.auth_timeout = settings.reply_timeout_s
        path = settings.known_hosts or default_known_hosts()
        trust = HostKeys(settings.host_keys, path, settings.host, settings.port)
        if stored := trust.known():
            # ask for the type of key that we can compare with, as OpenSSH does
            options = transport.get_security_options()
            options.key_types = sorted(options.key_types, key=lambda name: _key_type(name) not in stored)
        transport.start_client(timeout=settings.connect_timeout_s)
        if not transport.initial_kex_done:
            raise TimeoutError("the SSH handshake did not end")
        key = transport.get_remote_server_key()
        trust.check(key.get_name(), key.asbytes())
        self.host_key = fingerprint(key.asbytes())
        transport.auth_password(settings.username, settings.password.get_secret_value())
        self._channel = transport.open_session(timeout=settings.connect_timeout_s)
        self._channel.settimeout(settings.reply_timeout_s)
        self._begin(_SUBSYSTEM)
        self._connected = True
        self._post_connect(settings.reply_timeout_s)

    def _begin(self, subsystem: str) -> None:
        # paramiko waits for this answer for ever
        impatience = threading.Timer(self._settings.reply_timeout_s, self.hang_up)
        impatience.daemon = True
        impatience.start()
        try:
            self._channel.invoke_subsystem(subsystem)
        except (paramiko.SSHException, OSError, EOFError) as exc:
            if self.gone:
                raise SessionError("the server did not say whether it has the subsystem") from exc
            if not self._transport.is_active():
                raise EOFError("the server closed the connection") from exc
            raise _NoSubsystemError(str(exc)) from exc
        finally:
            impatience.cancel()

    def take(self, message: str) -> None:
        """Give a whole message to whom it is for. What nobody waits for ends the session: it is out of step."""
        self.last_message = message
        tag, attributes = _root_of(message)
        name = etree.QName(tag).localname
        if self._server_capabilities is None:
            if name != "hello":
                raise FramingError(f"a <{name}> where a <hello> was due")
            message, self.parser.unframer.chunked = _plain_hello(message)
            tag = f"{{{BASE}}}hello"
        elif name == "notification":
            return
        elif name != "rpc-reply":
            raise FramingError(f"a <{name}> where an answer was due")
        elif "message-id" not in attributes:
            said = "; ".join(str(each) for each in problems_of(xml_of(message)))
            raise FramingError(f"an answer to no request{': ' + said if said else ''}")
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.callback((tag, attributes), message)

    def send(self, message: str) -> None:
        """Send a message at once. ncclient would leave it to its thread, which looks ten times a second."""
        self.our_hello = self.our_hello or message
        self._channel.sendall(framed(message, chunked=self.parser.unframer.chunked))

    def run(self) -> None:
        """The session's thread: ends when the connection does."""
        try:
            super().run()
        finally:
            self.hang_up()
            self._release()

    def close(self) -> None:
        """End the session; never waits."""
        self._closing.set()
        self._connected = False
        self.hang_up()

    def hang_up(self) -> None:
        """End the connection, from any thread; whoever waits for something on it is told by its end."""
        self.gone = True
        sock = self._sock
        if sock is not None:
            # ending TCP first lets paramiko's thread go at once instead of at its next look around
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def dispose(self) -> None:
        """Wait until nothing of the session runs any more; not from its own thread."""
        self.hang_up()
        if self.ident is None:
            self._release()
        else:
            self.join(_JOIN_S)

    def _release(self) -> None:
        self._connected = False
        if self._transport is not None:
            self._transport.close()
        if self._channel is not None:
            self._channel.close()

    def _dispatch_error(self, err: Exception) -> None:
        self.failure = self.failure or err
        super()._dispatch_error(err)

    def _transport_read(self) -> bytes:
        return bytes(self._channel.recv(_CHUNK))


def _key_type(algorithm: str) -> str:
    """The type of key behind a signature algorithm."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _root_of(message: str) -> tuple[str, dict[str, str]]:
    """Tag and attributes of a message, without reading the rest of it."""
    parser = etree.XMLPullParser(events=("start",), resolve_entities=False, no_network=True, huge_tree=True)
    try:
        for start in range(0, len(message), _CHUNK):
            parser.feed(message[start : start + _CHUNK].encode())
            for _, element in parser.read_events():
                return str(element.tag), {str(key): str(value) for key, value in element.attrib.items()}
    except etree.LxmlError as exc:
        raise FramingError(f"something that is not XML ({exc})") from exc
    raise FramingError("a message without an element")


def _plain_hello(message: str) -> tuple[str, bool]:
    """A hello as ncclient reads it (line breaks around a capability would hide it), and whether chunks follow."""
    try:
        root = xml_of(message)
    except etree.LxmlError as exc:
        raise FramingError(f"a hello that is not XML ({exc})") from exc
    found = ["".join(each.itertext()).strip() for each in root.iterfind("{*}capabilities/{*}capability")]
    uris = [uri for uri in found if uri]
    number = next(("".join(each.itertext()).strip() for each in root.iterchildren("{*}session-id")), "")
    lines = "".join(f"<capability>{escape(uri)}</capability>" for uri in uris)
    plain = f"<capabilities>{lines}</capabilities><session-id>{escape(number)}</session-id>"
    return f'<hello xmlns="{BASE}">{plain}</hello>', _BASE_1_1 in uris


# ---------------------------------------------------------------------------------------------------- one connection


class _NcclientWire:
    """One connection through ncclient; see :class:`~ponprobe.transports.netconf_session.Wire`."""

    def __init__(self, settings: NetconfSettings, transcript: Transcript) -> None:
        self._transcript = transcript
        self._cover = cover_of(settings.secret_leaves)
        self._session = _Ssh(settings)

    @property
    def is_alive(self) -> bool:
        return bool(self._session.connected and self._session.is_alive() and not self._session.gone)

    @property
    def host_key(self) -> str | None:
        return self._session.host_key

    def connect(self) -> frozenset[str]:
        session = self._session
        try:
            session.connect()
        finally:
            # what came instead of a hello tells more than that there was none
            if session.our_hello:
                self._transcript.add("sent", session.our_hello, "login")
            if said := session.last_message or session.parser.unframer.pending():
                self._transcript.add("received", said, "login")
        return frozenset(session.server_capabilities)

    def exchange(self, operation: str, patience_s: float) -> RawReply:
        session = self._session
        rpc = _Rpc(session, session.handler, async_mode=True)
        message = rpc.message(operation)
        self._transcript.add("sent", self._cover(message), "line")
        session.last_message = ""
        try:
            session.send(message)
            self._wait(rpc, patience_s)
        except Exception:
            # what came of an answer tells more than that there is none
            if part := session.last_message or session.parser.unframer.pending():
                self._transcript.add("received", self._cover(part), "answer")
            raise
        reply: RawReply = rpc.reply
        self._transcript.add("received", self._cover(reply.text), "answer")
        return reply

    def _wait(self, rpc: _Rpc, patience_s: float) -> None:
        session = self._session
        asked_at = session.heard_at = time.monotonic()
        while not rpc.event.wait(min(LOOK_S, patience_s)):
            now = time.monotonic()
            if now >= min(session.heard_at + patience_s, asked_at + _LONG * patience_s):
                raise Silence(now - asked_at)
            if not session.is_alive() and not rpc.event.is_set():
                raise session.failure or EOFError("the connection is closed")
        if rpc.error is not None:
            raise rpc.error

    def hang_up(self) -> None:
        self._session.hang_up()

    def dispose(self) -> None:
        self._session.dispose()


class NetconfSession(Session):
    """One NETCONF session by ncclient; see :class:`~ponprobe.transports.netconf_session.Session`."""

    def __init__(self, settings: NetconfSettings, transcript: Transcript | None = None) -> None:
        said = transcript or Transcript()
        super().__init__(settings, said, wire=lambda: _NcclientWire(settings, said), translate=translate)


# ------------------------------------------------------------------------------------------------------------- errors

_Road: TypeAlias = "type[TransportError]"

_TRIED_ONCE = "check user and password; it was tried once only, to avoid a lock-out"

_NOBODY_LISTENS = (
    "nothing listens on port {port}; is NETCONF switched on? A SmartAX tells by 'display sysman service state'."
    " SNMP and the command line do without it"
)
_Kind: TypeAlias = "type[BaseException] | tuple[type[BaseException], ...]"

_ERRORS: tuple[tuple[_Kind, _Road, str | None], ...] = (
    # first match wins: special before general
    (
        paramiko.BadAuthenticationType,
        AuthError,
        "the device does not take passwords for NETCONF; allow them or use another user",
    ),
    (paramiko.PasswordRequiredException, AuthError, None),
    (paramiko.AuthenticationException, AuthError, _TRIED_ONCE),
    (paramiko.BadHostKeyException, HostKeyError, None),
    (
        paramiko.ssh_exception.IncompatiblePeer,
        ConnectError,
        "the device offers no algorithm that this installation has; is paramiko newer than 4?",
    ),
    (paramiko.ChannelException, ConnectError, "the device opens no channel; another session may hold the last one"),
    (
        _NoSubsystemError,
        ConnectError,
        "the SSH server there has no subsystem 'netconf'; NETCONF has a port of its own, usually 830",
    ),
    (SessionError, TransportTimeout, "the device did not say hello in time; is it a NETCONF server?"),
    (socket.gaierror, ConnectError, "the name of the device could not be resolved"),
    (
        ConnectionRefusedError,
        ConnectError,
        _NOBODY_LISTENS,
    ),
    (TimeoutError, ConnectError, "the device did not answer in time; check address, route and filters"),
    (OSError, ConnectError, "check address, route and filters"),
    (
        (EOFError, SessionCloseError),
        ConnectError,
        "the device closed the connection; it may have no free session, or the user no right to NETCONF",
    ),
    (FramingError, ConnectError, "is it a NETCONF server?"),
    (paramiko.SSHException, ConnectError, "is this an SSH port? The device may also have no free session"),
    (NCClientError, ConnectError, None),
    (Exception, ConnectError, None),
)


def translate(exc: Exception, settings: NetconfSettings, doing: str, *, is_open: bool = False) -> PonprobeError:
    """Any exception of ncclient, paramiko, lxml or the sockets as one of ours; ours are returned as they are.

    ``is_open`` tells a failure in the middle of a session from one before it.
    """
    if isinstance(exc, PonprobeError):
        return exc
    # ncclient shows what it had read and not sent when a connection ended; that may be secret
    text = "" if isinstance(exc, SessionCloseError) else " ".join(str(exc).split())
    why = f"{type(exc).__name__}: {text}" if text else type(exc).__name__
    where = f"{settings.host}:{settings.port}"
    message = f"{doing[:1].upper()}{doing[1:]} {where} as {settings.username} failed: {why}"
    if is_open:
        return SessionLost(
            message,
            host=settings.host,
            access="netconf",
            hint="open a new session and look whether it took effect before sending it again",
        )
    if isinstance(exc, paramiko.BadAuthenticationType) and "keyboard-interactive" in exc.allowed_types:
        # paramiko has asked in that way as well, was refused, and reports the first refusal
        return AuthError(message, host=settings.host, access="netconf", hint=_TRIED_ONCE)
    for kind, ours, hint in _ERRORS:
        if isinstance(exc, kind):
            spoken = None if hint is None else hint.format(port=settings.port)
            return ours(message, host=settings.host, access="netconf", hint=spoken)
    raise AssertionError("the table ends with Exception")  # pragma: no cover
