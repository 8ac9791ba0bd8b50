"""A scripted device on real sockets: SSH (paramiko's server) and Telnet (a raw socket). It knows no dialect.

A script is a function of a ``Peer``, run once for every connection. What goes wrong in it fails the test at the end.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from pydantic import SecretStr

from ponprobe.drivers.huawei.dialect import MA5800
from ponprobe.redact import Scrubber
from ponprobe.transports import cli_netmiko
from ponprobe.transports.cli_netmiko import CliSession, CliSettings
from ponprobe.transports.dialogue import Patience
from ponprobe.transports.record import Transcript

PASSWORD = "Canary-7pass"
HURRY = Patience(reply_s=5, grace_s=0.15, settle_s=0.05, logout_s=0.5)
WAIT_S = 10


class Peer:
    """The device's end of one connection."""

    def __init__(self, stream: Any, access: str, number: int) -> None:
        self.access = access
        self.number = number
        self.end = b"\n" if access == "ssh" else b"\r\n"
        self.got = b""
        self._stream = stream

    def say(self, text: str | bytes, chunk: int = 0) -> None:
        data = text.encode() if isinstance(text, str) else text
        size = chunk or len(data) or 1
        for start in range(0, len(data), size):
            self._stream.sendall(data[start : start + size])

    def expect(self, text: str | bytes) -> None:
        """Wait for exactly this; in text, a line feed is the Enter key of this access."""
        data = text.encode().replace(b"\n", self.end) if isinstance(text, str) else text
        while len(self.got) < len(data) and data.startswith(self.got):
            if not (more := self._stream.recv(4096)):
                raise AssertionError(f"the client hung up where {data!r} was expected, after {self.got!r}")
            self.got += more
        if not self.got.startswith(data):
            raise AssertionError(f"{data!r} was expected, {self.got!r} was sent")
        self.got = self.got[len(data) :]

    def line(self, text: str, answer: str, chunk: int = 0) -> None:
        """Expect a command, echo it and answer (``answer`` holds the next prompt)."""
        self.expect(text + "\n")
        self.say(f"{text}\r\n{answer}", chunk)

    def greet(self, text: str = "\r\n  Access Software\r\n\r\nOLT-1>", user: str = "tester") -> None:
        """Ask for user and password where the access does not, and say ``text``."""
        if self.access == "telnet":
            self.say("\r\n>>User name:")
            self.expect(user + "\n")
            self.say(user + "\r\n>>User password:")
            self.expect(PASSWORD + "\n")
        self.say(text)

    def gone(self) -> None:
        """Wait until the client says goodbye or hangs up, then hang up as well."""
        with contextlib.suppress(OSError):
            self._stream.recv(4096)

    def silent(self) -> None:
        """Say nothing; the client must give up. Fails if it sends anything more."""
        try:
            more = self._stream.recv(4096)
        except ConnectionError:
            more = b""
        assert self.got + more == b""


class _ShellServer(paramiko.ServerInterface):
    def __init__(self, device: Device) -> None:
        self.device = device
        self.shell = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return self.device.auths

    def check_auth_password(self, username: str, password: str) -> int:
        if self.device.auths != "password":
            return paramiko.AUTH_FAILED
        self.device.passwords.append(password)
        return paramiko.AUTH_SUCCESSFUL if password == PASSWORD else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username: str, submethods: str) -> Any:
        return paramiko.InteractiveQuery("", "", ("Password:", False))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        self.device.passwords.extend(responses)
        return paramiko.AUTH_SUCCESSFUL if responses == [PASSWORD] else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_pty_request(self, channel: Any, term: Any, width: int, height: int, *rest: Any) -> bool:
        self.device.window = (width, height)
        return True

    def check_channel_shell_request(self, channel: Any) -> bool:
        self.shell.set()
        return True


class Device:
    """A server on port 0 of loopback that runs a script for every connection."""

    def __init__(self, access: str, script: Callable[[Peer], None], keys: list[paramiko.PKey], **options: Any) -> None:
        self.access = access
        self.auths = "password"
        self.old: dict[str, tuple[str, ...]] | None = None
        self.passwords: list[str] = []
        self.window: tuple[int, int] | None = None
        self.failures: list[BaseException] = []
        self.connections = 0
        self.__dict__.update(options)
        self.keys = keys
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._listener.fileno() < 0 or self._stopping:
                sock.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    _stopping = False

    def _serve(self, sock: socket.socket, number: int) -> None:
        sock.settimeout(WAIT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock:
            try:
                if self.access == "telnet":
                    self._script(Peer(sock, "telnet", number))
                else:
                    self._serve_ssh(sock, number)
            except (AssertionError, TimeoutError) as exc:
                self.failures.append(exc)
            except (OSError, EOFError, paramiko.SSHException):
                pass  # the client has hung up: what that means is the test's affair

    def _serve_ssh(self, sock: socket.socket, number: int) -> None:
        transport = paramiko.Transport(sock)
        transport.set_log_channel("tests.quiet")
        try:
            for key in self.keys:
                transport.add_server_key(key)
            if self.old:
                options = transport.get_security_options()
                for name, values in self.old.items():
                    setattr(options, name, values)
            server = _ShellServer(self)
            transport.start_server(server=server)
            channel = transport.accept(WAIT_S)
            if channel is None:
                return
            assert server.shell.wait(WAIT_S)
            channel.settimeout(WAIT_S)
            self._script(Peer(channel, "ssh", number))
            channel.close()
        finally:
            transport.close()

    def stop(self) -> None:
        self._stopping = True
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass  # wakes accept()
        self._listener.close()
        for thread in self._threads:
            thread.join(WAIT_S)
            assert not thread.is_alive(), "a script is still running"
        if self.failures:
            raise self.failures[0]


@pytest.fixture(scope="session")
def host_key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


@pytest.fixture(scope="session")
def rsa_key() -> paramiko.PKey:
    return paramiko.RSAKey.generate(2048)


@pytest.fixture(params=["ssh", "telnet"])
def access(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[1, 7, 65536], ids="chunks-of-{}".format)
def chunked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The client reads this many bytes at a time, whatever the server sent at once."""
    monkeypatch.setattr(cli_netmiko, "_CHUNK", request.param)
    return int(request.param)


@pytest.fixture
def serve(host_key: paramiko.PKey) -> Iterator[Callable[..., Device]]:
    """Start a device: ``serve(access, script)``; stopped, and its script's failures raised, when the test ends."""
    devices: list[Device] = []

    def start(access: str, script: Callable[[Peer], None], **options: Any) -> Device:
        devices.append(Device(access, script, options.pop("keys", [host_key]), **options))
        return devices[-1]

    yield start
    for device in devices:
        device.stop()


@pytest.fixture
def session_to(tmp_path: Path) -> Iterator[Callable[..., CliSession]]:
    """Make a session for a device; closed when the test ends."""
    sessions: list[CliSession] = []

    def make(device: Device, **options: Any) -> CliSession:
        own = {name: options.pop(name) for name in ("patience", "sleep", "transcript", "dialect") if name in options}
        settings = CliSettings(
            **{
                "host": "127.0.0.1",
                "port": device.port,
                "access": device.access,
                "username": "tester",
                "password": SecretStr(PASSWORD),
                "known_hosts": tmp_path / "trust" / "known_hosts",
                "reply_timeout_s": 5,
                **options,
            }
        )
        transcript = own.pop("transcript", None) or Transcript(Scrubber())
        dialect = own.pop("dialect", MA5800)
        sessions.append(CliSession(settings, dialect, transcript, **{"patience": HURRY, **own}))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.fixture
def talk(serve: Any, session_to: Any, access: str) -> Callable[..., CliSession]:
    """An open session with a device that runs ``script`` after its greeting, over both accesses in turn."""

    def begin(script: Callable[[Peer], None], **options: Any) -> CliSession:
        def whole(peer: Peer) -> None:
            peer.greet()
            script(peer)
            peer.gone()

        session: CliSession = session_to(serve(access, whole), **options)
        session.open()
        return session

    return begin
