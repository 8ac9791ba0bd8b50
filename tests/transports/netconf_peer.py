"""A scripted NETCONF server on real sockets, for what no well-behaved server does.

A script is a function of a ``NetconfPeer``, run once for every session after the SSH login and before any hello. What
goes wrong in it fails the test at the end. It shares no code with the client: its own framing, written from RFC 6242.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from pydantic import SecretStr

from ponprobe.transports.netconf import NetconfSettings
from ponprobe.transports.netconf_ncclient import NetconfSession

PASSWORD = "Canary-7pass"
WAIT_S = 10
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
BASE_10 = "urn:ietf:params:netconf:base:1.0"
BASE_11 = "urn:ietf:params:netconf:base:1.1"
CAPABILITY = "urn:ietf:params:netconf:capability:"
FULL = tuple(
    CAPABILITY + each
    for each in (
        "candidate:1.0",
        "confirmed-commit:1.1",
        "rollback-on-error:1.0",
        "validate:1.1",
        "writable-running:1.0",
    )
)
OK = "<ok/>"


class NetconfPeer:
    """The server's end of one session. ``chunk`` is the size of a 1.1 chunk and of each write; 0 is all at once."""

    def __init__(self, channel: paramiko.Channel, number: int, *, chunk: int = 0, version: str = "1.1") -> None:
        self.number = number
        self.chunk = chunk
        self.version = version
        self.chunked = False
        self.requests: list[str] = []
        self._channel = channel
        self._got = b""
        self._left = False

    def write(self, data: bytes, size: int = 0) -> None:
        """Raw bytes, in writes of ``size``."""
        for start in range(0, len(data), size or len(data) or 1):
            self._channel.sendall(data[start : start + (size or len(data))])

    def say(self, text: str) -> None:
        """One message in the framing of this session."""
        self.write(self.framed(text), self.chunk)

    def framed(self, text: str) -> bytes:
        data = text.encode()
        if not self.chunked:
            return data + b"]]>]]>"
        size = self.chunk or len(data)
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        return b"".join(b"\n#%d\n" % len(part) + part for part in parts) + b"\n##\n"

    def read(self) -> str:
        """The next message of the client."""
        while True:
            found = self._cut()
            if found is not None:
                return found
            more = self._channel.recv(65536)
            if not more:
                raise EOFError("the client hung up")
            self._got += more

    def _cut(self) -> str | None:
        if not self.chunked:
            head, mark, rest = self._got.partition(b"]]>]]>")
            if not mark:
                return None
            self._got = rest
            return head.decode()
        at, parts = 0, []
        while True:
            if self._got[at : at + 4] == b"\n##\n":
                self._got = self._got[at + 4 :]
                return b"".join(parts).decode()
            header = re.compile(rb"\n#([1-9]\d*)\n").match(self._got, at)
            if header is None or len(self._got) < header.end() + int(header[1]):
                return None
            parts.append(self._got[header.end() : header.end() + int(header[1])])
            at = header.end() + int(header[1])

    def hello(self, capabilities: Iterable[str] = FULL, *, session_id: str = "7", text: str | None = None) -> str:
        """Exchange hellos; what the client's said."""
        bases = (BASE_10,) if self.version == "1.0" else (BASE_10, BASE_11)
        lines = "".join(f"<capability>{each}</capability>" for each in (*bases, *capabilities))
        inner = f"<capabilities>{lines}</capabilities><session-id>{session_id}</session-id>"
        self.say(text or f'<hello xmlns="{BASE}">{inner}</hello>')
        said = self.read()
        self.chunked = BASE_11 in said and self.version == "1.1"
        return said

    def request(self) -> tuple[str, str]:
        """The next request: its message-id and the XML of its operation."""
        text = self.read()
        match = re.search(r'<(?:\w+:)?rpc [^>]*message-id="([^"]*)"[^>]*>(.*)</(?:\w+:)?rpc>\s*$', text, re.DOTALL)
        assert match is not None, text
        self.requests.append(match[2])
        return match[1], match[2]

    def reply(self, number: str, inner: str) -> None:
        self.say(reply(number, inner))

    def answer(self, inner: str) -> str:
        """Read a request and answer it; what was asked."""
        number, operation = self.request()
        self.reply(number, inner)
        return operation

    def answers(self, say: Callable[[str], str] | dict[str, str]) -> None:
        """Answer every request until the client leaves; by a function, or by the operation's name (else ``<ok/>``)."""
        while True:
            try:
                number, operation = self.request()
            except (EOFError, OSError):
                return
            self.reply(number, say(operation) if callable(say) else say.get(named(operation), OK))
            if named(operation) == "close-session":
                return

    def gone(self) -> None:
        """Wait until the client hangs up or says goodbye."""
        with contextlib.suppress(OSError):
            while not self._left:
                said = self._channel.recv(65536)
                self._left = not said or b"<close-session/>" in said

    def drop(self) -> None:
        """Hang up without a word."""
        self._channel.get_transport().close()


def named(operation: str) -> str:
    """The name of an operation: ``edit-config``."""
    match = re.match(r"<(?:\w+:)?([\w-]+)", operation)
    assert match is not None, operation
    return match[1]


def reply(number: str, inner: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rpc-reply xmlns="{BASE}" message-id="{number}">{inner}</rpc-reply>'
    )


def error(tag: str, message: str = "", *, severity: str = "error", info: str = "") -> str:
    more = f"<error-info>{info}</error-info>" if info else ""
    return (
        f"<rpc-error><error-type>protocol</error-type><error-tag>{tag}</error-tag>"
        f"<error-severity>{severity}</error-severity><error-message>{message}</error-message>{more}</rpc-error>"
    )


@pytest.fixture(scope="module")
def key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


@pytest.fixture
def serve(key: paramiko.PKey) -> Iterator[Callable[..., NetconfServer]]:
    """Start a server: ``serve(script)``; stopped, and its script's failures raised, when the test ends."""
    servers: list[NetconfServer] = []

    def start(script: Callable[[NetconfPeer], Any], **options: Any) -> NetconfServer:
        servers.append(NetconfServer(script, options.pop("key", key), **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def session_to(tmp_path: Path) -> Iterator[Callable[..., NetconfSession]]:
    """Make a session for a server; closed when the test ends, and nothing of it may run on."""
    sessions: list[NetconfSession] = []
    before = set(threading.enumerate())

    def make(server: NetconfServer, **options: Any) -> NetconfSession:
        settings = {
            "host": "127.0.0.1",
            "port": server.port,
            "username": "tester",
            "password": SecretStr(PASSWORD),
            "known_hosts": tmp_path / "trust" / "known_hosts",
            "connect_timeout_s": 5,
            "reply_timeout_s": 5,
            **options,
        }
        sessions.append(NetconfSession(NetconfSettings(**settings)))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()
    ours = {each for each in threading.enumerate() if each.name.startswith(("netconf ", "session"))} - before
    for thread in ours:
        thread.join(WAIT_S)
        assert not thread.is_alive(), f"{thread.name} runs on after close()"


@pytest.fixture
def talk(serve: Any, session_to: Any) -> Callable[..., NetconfSession]:
    """An open session with a server that runs ``script`` after the hellos."""

    def begin(script: Callable[[NetconfPeer], Any], **options: Any) -> NetconfSession:
        own = {name: options.pop(name) for name in ("chunk", "version") if name in options}
        capabilities = options.pop("capabilities", FULL)

        def whole(peer: NetconfPeer) -> None:
            peer.hello(capabilities)
            script(peer)
            peer.gone()

        session: NetconfSession = session_to(serve(whole, **own), **options)
        session.open()
        return session

    return begin


class _Login(paramiko.ServerInterface):
    def __init__(self, server: NetconfServer) -> None:
        self.server = server
        self.begun = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return self.server.auths

    def check_auth_password(self, username: str, password: str) -> int:
        if "password" not in self.server.auths:
            return paramiko.AUTH_FAILED
        self.server.passwords.append(password)
        return paramiko.AUTH_SUCCESSFUL if password == PASSWORD else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        if self.server.subsystem == "silent":
            self.server.released.wait(WAIT_S)
        if name != self.server.subsystem:
            return False
        self.begun.set()
        return True


class NetconfServer:
    """A server on port 0 of loopback that runs a script for every session. ``subsystem`` is the only one it has."""

    def __init__(
        self,
        script: Callable[[NetconfPeer], Any],
        key: paramiko.PKey,
        *,
        chunk: int = 0,
        version: str = "1.1",
        auths: str = "password",
        subsystem: str = "netconf",
        old: dict[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.auths = auths
        self.subsystem = subsystem
        self.released = threading.Event()
        self.passwords: list[str] = []
        self.failures: list[BaseException] = []
        self.peers: list[NetconfPeer] = []
        self._key = key
        self._old = old
        self._script = script
        self._how: dict[str, Any] = {"chunk": chunk, "version": version}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._stopping = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def requests(self) -> list[str]:
        """The operations of all sessions, in their order."""
        return [each for peer in self.peers for each in peer.requests]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._stopping:
                sock.close()
                return
            self._threads.append(threading.Thread(target=self._serve, args=(sock,), daemon=True))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(WAIT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock:
            transport = paramiko.Transport(sock)
            transport.set_log_channel("tests.quiet")
            try:
                transport.add_server_key(self._key)
                if self._old:
                    options = transport.get_security_options()
                    for name, values in self._old.items():
                        setattr(options, name, values)
                login = _Login(self)
                transport.start_server(server=login)
                channel = transport.accept(WAIT_S)
                while channel is not None and not login.begun.wait(0.05) and transport.is_active():
                    pass
                if channel is None or not login.begun.is_set():
                    return
                channel.settimeout(WAIT_S)
                self.peers.append(NetconfPeer(channel, len(self.peers) + 1, **self._how))
                self._script(self.peers[-1])
                channel.close()
            except (AssertionError, TimeoutError) as exc:
                self.failures.append(exc)
            except (OSError, EOFError, paramiko.SSHException):
                pass  # the client has hung up: what that means is the test's affair
            finally:
                transport.close()

    def stop(self) -> None:
        self._stopping = True
        self.released.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            pass  # wakes accept()
        self._listener.close()
        for thread in self._threads:
            thread.join(WAIT_S)
            assert not thread.is_alive(), "a script is still running"
        if self.failures:
            raise self.failures[0]
