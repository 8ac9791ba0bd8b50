"""Command lines over SSH and Telnet: opening, authentication and negotiation; the conversation is in ``dialogue``.

The only module that imports netmiko and paramiko; import it where a session is composed, not earlier. netmiko opens SSH
sessions and is a pipe from then on: its own readers poll and sleep, which costs more than most devices take to answer.
Telnet runs on a plain socket, because netmiko's client refuses window sizes unless asked in one particular way.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import paramiko
import tenacity
from netmiko.base_connection import BaseConnection
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException
from pydantic import SecretStr

from ponprobe.dialect import CliDialect
from ponprobe.errors import (
    AuthError,
    ConnectError,
    HostKeyError,
    PonprobeError,
    SessionLimit,
    SessionLost,
    TransportError,
)
from ponprobe.flow import Cli, CliReply
from ponprobe.transports.dialogue import Dialogue, Patience, Pipe
from ponprobe.transports.host_keys import HostKeys, check_policy, default_known_hosts
from ponprobe.transports.record import Transcript
from ponprobe.transports.telnet import TelnetCodec

_log = logging.getLogger(__name__)
_paramiko_log = _log.getChild("paramiko")
# paramiko logs whole tracebacks of failures that we raise and explain; without a handler they would go to stderr
_paramiko_log.addHandler(logging.NullHandler())

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class CliSettings:
    """Where and how to log in. Times in seconds.

    ``port`` is 22 or 23 by default. ``reply_timeout_s`` is how long a device may be silent while an answer is due (a
    whole answer may take ten times that). When the user has no free session, opening is tried again every
    ``session_retry_s`` within ``session_wait_s``. ``host_keys`` is ``strict``, ``accept-new`` or ``pin:SHA256:...``;
    ``known_hosts`` is ponprobe's own file. Raises ``ConfigError`` for a ``host_keys`` of another form.
    """

    host: str
    port: int | None
    access: Literal["ssh", "telnet"]
    username: str
    password: SecretStr
    enable_password: SecretStr | None = None
    host_keys: str = "accept-new"
    known_hosts: Path | None = None
    connect_timeout_s: float = 15
    reply_timeout_s: float = 30
    session_wait_s: float = 180
    session_retry_s: float = 60

    def __post_init__(self) -> None:
        check_policy(self.host_keys)

    @property
    def real_port(self) -> int:
        """The port, with the default of the access."""
        return self.port if self.port is not None else 22 if self.access == "ssh" else 23


class CliSession:
    """One session on one device; see :class:`~ponprobe.transports.base.CliTransport`. One thread at a time.

    ``sleep`` is what waits between attempts when the device has no free session; ``patience`` overrides how long
    silence is borne (tests). After ``TransportTimeout`` or ``SessionLost`` the session is closed for good: whatever
    still comes on the old connection must never be taken for the answer to a later line. ``open`` it again.
    """

    def __init__(
        self,
        settings: CliSettings,
        dialect: CliDialect,
        transcript: Transcript,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.host = settings.host
        self.lines_sent = 0
        self._settings = settings
        self._dialect = dialect
        self.transcript = transcript
        self._patience = patience or Patience(reply_s=settings.reply_timeout_s)
        self._sleep = sleep
        self._pipe: Pipe | None = None
        self._dialogue: Dialogue | None = None
        self._enable_password = settings.enable_password.get_secret_value() if settings.enable_password else None
        transcript.scrubber.add(settings.password.get_secret_value(), self._enable_password or "")
        transcript.scrubber.add_fields(dialect.secret_fields)

    @property
    def view(self) -> str | None:
        """The view that the last prompt showed."""
        return self._dialogue.view if self._dialogue else None

    @property
    def hostname(self) -> str | None:
        """The device's own name, from its prompt."""
        return self._dialogue.hostname if self._dialogue else None

    @property
    def is_open(self) -> bool:
        """Whether a line may be asked now."""
        return self._pipe is not None and self._dialogue is not None and self._dialogue.in_step

    def open(self) -> str:
        """Connect, log in, read to the first prompt; return what was said on the way. Sends no set-up lines.

        Raises ``ConnectError``, ``HostKeyError``, ``AuthError`` (tried once only), ``SessionLimit`` (after waiting for
        a free session), ``SessionLost``, ``TransportTimeout``.
        """
        if self.is_open:
            raise RuntimeError(f"the session to {self.host} is open already")
        self._hang_up()
        wait, retry = self._settings.session_wait_s, max(self._settings.session_retry_s, 0.1)
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(SessionLimit),
            wait=tenacity.wait_fixed(retry),
            stop=tenacity.stop_after_attempt(1 + int(wait // retry)) | tenacity.stop_before_delay(max(wait, 0.001)),
            sleep=self._sleep,
            before_sleep=self._say_waiting,
            reraise=True,
        )
        return attempts(self._open_once)

    def ask(self, line: Cli, *, confirms: bool = False) -> CliReply:
        r"""Send one line in the current view and return the whole answer, raw, with echo and prompt.

        ``confirms`` lets one ``(y/n)`` be answered with yes. Raises ``DeviceError`` where the device asks for something
        that is not given (the session goes on), ``TransportTimeout`` and ``SessionLost`` (it does not).
        """
        if self._dialogue is None or not self.is_open:
            raise SessionLost(
                f"The session to {self.host} is not open, {str(line)!r} was not sent",
                host=self.host,
                access=self._settings.access,
                hint="open it again",
            )
        self.transcript.scrubber.add(*line.secrets)
        self.lines_sent += 1
        try:
            return self._dialogue.ask(line, confirms=confirms, enable_password=self._enable_password)
        finally:
            if not self._dialogue.in_step:
                self._hang_up()

    def close(self) -> None:
        """Log out, if the session is in step, and hang up. Never raises; takes a few seconds at most."""
        try:
            if self._dialogue is not None and self.is_open:
                self._dialogue.logout()
        except Exception as exc:  # noqa: BLE001 - a farewell that fails changes nothing: the connection ends anyway
            _log.debug("logging out of %s failed: %s", self.host, type(exc).__name__)
        finally:
            self._hang_up()

    def _open_once(self) -> str:
        settings = self._settings
        try:
            connect = _SshPipe if settings.access == "ssh" else _TelnetPipe
            self._pipe = connect(settings, self._dialect)
            self._dialogue = Dialogue(
                self._pipe,
                self._dialect,
                self.transcript,
                host=settings.host,
                access=settings.access,
                patience=self._patience,
            )
            return self._dialogue.login(settings.username, settings.password.get_secret_value())
        except BaseException:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()

    def _say_waiting(self, state: tenacity.RetryCallState) -> None:
        pause = state.next_action.sleep if state.next_action else 0
        _log.info("%s has no free session for this user; trying again in %g s", self.host, pause)


# ------------------------------------------------------------------------------------------------------ connections


def _connect(settings: CliSettings) -> socket.socket:
    """Open TCP ourselves: without TCP_NODELAY an exchange of small packets can stall for 40 ms."""
    try:
        sock = socket.create_connection((settings.host, settings.real_port), timeout=settings.connect_timeout_s)
    except Exception as exc:
        raise translate(exc, settings, "connecting") from exc
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the peer was faster
    finally:
        sock.close()


class _Opener(BaseConnection):  # type: ignore[misc, unused-ignore] # netmiko declares types but subclasses Any in places
    """netmiko's SSH opening with nothing after it: no set-up lines, no waiting, our window size and our trust."""

    def __init__(self, settings: CliSettings, sock: socket.socket, trust: HostKeys) -> None:
        super().__init__(
            host=settings.host,
            port=settings.real_port,
            username=settings.username,
            password="",  # given at the last moment: netmiko would keep it in a log filter
            device_type="terminal_server",
            conn_timeout=settings.connect_timeout_s,
            banner_timeout=settings.connect_timeout_s,
            auth_timeout=settings.reply_timeout_s,
            keepalive=0,  # keep-alive requests break sessions on some devices
            use_keys=False,
            allow_agent=False,
            sock=sock,
            auto_connect=False,
        )
        # netmiko hangs a filter on its logger for each connection; nothing of ours passes there
        logging.getLogger("netmiko").removeFilter(self._secrets_filter)
        self._settings = settings
        self._trust = trust
        self.key_policy = _HostKeyPolicy(trust)

    def _connect_params_dict(self) -> dict[str, Any]:
        params = super()._connect_params_dict()
        params["password"] = self._settings.password.get_secret_value()
        params["transport_factory"] = self._transport
        return params

    def _transport(self, sock: socket.socket, **kwargs: Any) -> paramiko.Transport:
        transport = paramiko.Transport(sock, **kwargs)
        if stored := self._trust.known():
            # ask for the type of key that we can compare with, as OpenSSH does
            options = transport.get_security_options()
            options.key_types = sorted(options.key_types, key=lambda name: _key_type(name) not in stored)
        return transport

    def _get_ssh_client_instance(self) -> paramiko.SSHClient:
        client = super()._get_ssh_client_instance()
        client.set_log_channel(_paramiko_log.name)
        return client

    def open_shell(self, width: int, height: int) -> paramiko.Channel:
        self.establish_connection(width=width, height=height)
        channel = self.remote_conn
        if not isinstance(channel, paramiko.Channel):  # pragma: no cover - netmiko's own promise
            raise TypeError(f"netmiko opened a {type(channel).__name__}")
        return channel

    def hang_up(self) -> None:
        client = getattr(self, "remote_conn_pre", None)
        if client is not None:
            client.close()


def _key_type(algorithm: str) -> str:
    """The type of key behind a signature algorithm."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


class _HostKeyPolicy(paramiko.MissingHostKeyPolicy):
    """paramiko knows no hosts here, so every key comes to us."""

    def __init__(self, trust: HostKeys) -> None:
        self._trust = trust

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002
        self._trust.check(key.get_name(), key.asbytes())


class _SshPipe:
    """An interactive shell channel."""

    def __init__(self, settings: CliSettings, dialect: CliDialect) -> None:
        self.line_end = dialect.line_end
        self._settings = settings
        self._sock = _connect(settings)
        path = settings.known_hosts or default_known_hosts()
        trust = HostKeys(settings.host_keys, path, settings.host, settings.real_port)
        self._opener = _Opener(settings, self._sock, trust)
        try:
            self._channel = self._opener.open_shell(dialect.width, dialect.height)
        except BaseException as exc:
            self.close()
            if isinstance(exc, Exception):
                raise translate(exc, settings, "opening an SSH session on") from exc
            raise

    def send(self, data: bytes) -> None:
        try:
            self._channel.settimeout(self._settings.reply_timeout_s)
            self._channel.sendall(data)
        except Exception as exc:
            raise translate(exc, self._settings, "sending to", is_open=True) from exc

    def recv(self, timeout_s: float) -> bytes:
        try:
            self._channel.settimeout(timeout_s)
            return self._channel.recv(_CHUNK)
        except TimeoutError:
            raise
        except Exception as exc:
            raise translate(exc, self._settings, "reading from", is_open=True) from exc

    def close(self) -> None:
        # ending TCP first lets paramiko's thread go at once instead of at its next look around
        _shut(self._sock)
        self._opener.hang_up()


_telnet_warned = False


class _TelnetPipe:
    """A socket with Telnet's option negotiation."""

    def __init__(self, settings: CliSettings, dialect: CliDialect) -> None:
        global _telnet_warned  # noqa: PLW0603 - once per process is a property of the process
        if not _telnet_warned:
            _telnet_warned = True
            _log.warning("Telnet sends passwords in clear text (%s); use SSH where the device has it", settings.host)
        self.line_end = dialect.telnet_line_end
        self._settings = settings
        self._codec = TelnetCodec(dialect.width, dialect.height)
        self._sock = _connect(settings)

    def send(self, data: bytes) -> None:
        self._send(self._codec.escape(data))

    def _send(self, data: bytes) -> None:
        try:
            self._sock.settimeout(self._settings.reply_timeout_s)
            self._sock.sendall(data)
        except Exception as exc:
            raise translate(exc, self._settings, "sending to", is_open=True) from exc

    def recv(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._sock.settimeout(max(0.001, deadline - time.monotonic()))
                chunk = self._sock.recv(_CHUNK)
            except TimeoutError:
                raise
            except Exception as exc:
                raise translate(exc, self._settings, "reading from", is_open=True) from exc
            if not chunk:
                return b""
            data, reply = self._codec.feed(chunk)
            if reply:
                self._send(reply)
            if data:
                return data

    def close(self) -> None:
        _shut(self._sock)


# ------------------------------------------------------------------------------------------------------------ errors

_Road: TypeAlias = "type[TransportError]"

_TRIED_ONCE = "check user and password; it was tried once only, to avoid a lock-out"

_ERRORS: tuple[tuple[type[BaseException], _Road, str | None], ...] = (
    # first match wins: special before general
    (
        paramiko.BadAuthenticationType,
        AuthError,
        "the device does not take passwords over SSH; allow them or use another user",
    ),
    (paramiko.PasswordRequiredException, AuthError, None),
    (
        paramiko.AuthenticationException,
        AuthError,
        _TRIED_ONCE,
    ),
    (paramiko.BadHostKeyException, HostKeyError, None),
    (
        paramiko.ssh_exception.IncompatiblePeer,
        ConnectError,
        "the device offers no algorithm that this installation has; is paramiko newer than 4?",
    ),
    (paramiko.ChannelException, ConnectError, "the device opens no shell; another session may hold the last one"),
    (socket.gaierror, ConnectError, "the name of the device could not be resolved"),
    (
        ConnectionRefusedError,
        ConnectError,
        "nothing listens on that port; is SSH (or Telnet) switched on, is the port right?",
    ),
    (TimeoutError, ConnectError, "the device did not answer in time; check address, route and filters"),
    (OSError, ConnectError, "check address, route and filters"),
    (EOFError, ConnectError, "the device closed the connection; it may have no free session"),
    (
        paramiko.SSHException,
        ConnectError,
        "is this an SSH port? The device may also have no free session",
    ),
    (Exception, ConnectError, None),
)


def translate(exc: Exception, settings: CliSettings, doing: str, *, is_open: bool = False) -> PonprobeError:
    """Any exception of netmiko, paramiko or the sockets as one of ours; ours are returned as they are.

    ``is_open`` tells a failure in the middle of a session from one before it.
    """
    if isinstance(exc, PonprobeError):
        return exc
    if isinstance(exc, NetmikoTimeoutException | NetmikoAuthenticationException) and isinstance(
        exc.__context__, Exception
    ):
        # netmiko replaces what it catches by a page of advice
        return translate(exc.__context__, settings, doing)
    where = f"{settings.host}:{settings.real_port}"
    text = " ".join(str(exc).split())
    why = f"{type(exc).__name__}: {text}" if text else type(exc).__name__
    message = f"{doing[:1].upper()}{doing[1:]} {where} as {settings.username} failed: {why}"
    if is_open:
        return SessionLost(
            message,
            host=settings.host,
            access=settings.access,
            hint="open a new session and look whether the line took effect before sending it again",
        )
    if isinstance(exc, paramiko.BadAuthenticationType) and "keyboard-interactive" in exc.allowed_types:
        # paramiko has asked in that way as well, was refused, and reports the first refusal
        return AuthError(message, host=settings.host, access=settings.access, hint=_TRIED_ONCE)
    for kind, ours, hint in _ERRORS:
        if isinstance(exc, kind):
            return ours(message, host=settings.host, access=settings.access, hint=hint)
    raise AssertionError("the table ends with Exception")  # pragma: no cover
