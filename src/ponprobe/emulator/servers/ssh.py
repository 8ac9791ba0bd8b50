"""SSH with paramiko's server side: password login, one shell (or subsystem) per connection, modern or old crypto."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from ponprobe.emulator.servers.sockets import LINGER_S, Listener
from ponprobe.emulator.terminal import Wire

Crypto = Literal["modern", "old"]
_OLD = {
    "kex": ("diffie-hellman-group14-sha1",),
    "key_types": ("ssh-rsa",),
    "ciphers": ("aes128-cbc", "3des-cbc"),
    "digests": ("hmac-sha1",),
}
"""All that an MA5608T V800R017 was seen to speak."""
# the server side of a dropped connection is not news to whoever uses the emulator
_LOG = logging.getLogger("ponprobe.emulator.ssh")
_LOG.setLevel(logging.CRITICAL)


class ChannelWire(Wire):
    """A shell channel as a wire."""

    def __init__(self, channel: paramiko.Channel, transport: paramiko.Transport, columns: int | None) -> None:
        self.columns = columns
        self._channel = channel
        self._transport = transport

    def recv(self) -> bytes:
        """Wait for bytes."""
        return self._channel.recv(4096)

    def send(self, data: bytes) -> None:
        """Send everything."""
        self._channel.sendall(data)

    def close(self) -> None:
        """Drop the connection under the channel."""
        self._transport.close()


class _Login(paramiko.ServerInterface):
    # the arguments are paramiko's
    # ruff: noqa: ARG002, PLR0917

    def __init__(self, check: Callable[[str, str], bool], subsystem: str | None) -> None:
        self._check = check
        self._subsystem = subsystem
        self.user = ""
        self.columns: int | None = None
        self.shell = threading.Event()

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        if self._check(username, password):
            self.user = username
            return AUTH_SUCCESSFUL
        return AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(
        self,
        channel: paramiko.Channel,
        term: bytes,
        width: int,
        height: int,
        pixelwidth: int,
        pixelheight: int,
        modes: bytes,
    ) -> bool:
        self.columns = width or None
        return True

    def check_channel_window_change_request(
        self, channel: paramiko.Channel, width: int, height: int, pixelwidth: int, pixelheight: int
    ) -> bool:
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        if self._subsystem is None:
            self.shell.set()
        return self._subsystem is None

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        if name == self._subsystem:
            self.shell.set()
        return name == self._subsystem


class HostKey:
    """A fresh host key, made when it is first wanted: RSA for old crypto, ECDSA (quicker to make) for modern."""

    def __init__(self, crypto: Crypto) -> None:
        self._crypto = crypto
        self._lock = threading.Lock()
        self._key: paramiko.PKey | None = None

    @property
    def key(self) -> paramiko.PKey:
        """The key."""
        with self._lock:
            if self._key is None:
                self._key = paramiko.RSAKey.generate(2048) if self._crypto == "old" else paramiko.ECDSAKey.generate()
            return self._key

    def renew(self) -> None:
        """Have another one from now on."""
        with self._lock:
            self._key = None


@dataclass
class SshSettings:
    """How one OLT's SSH server behaves.

    ``subsystem``: the one that is served, in place of a shell.
    """

    host_key: HostKey
    crypto: Crypto
    check: Callable[[str, str], bool]
    talk: Callable[[Wire, str], None]
    closing: threading.Event
    subsystem: str | None = None


def serve_ssh(host: str, settings: SshSettings) -> Listener:
    """Listen for SSH."""

    def handle(accepted: socket.socket) -> None:
        transport = paramiko.Transport(accepted)
        transport.set_log_channel(_LOG.name)
        login = _Login(settings.check, settings.subsystem)
        try:
            transport.add_server_key(settings.host_key.key)
            if settings.crypto == "old":
                options = transport.get_security_options()
                for name, allowed in _OLD.items():
                    setattr(options, name, allowed)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(server=login)
                channel = _shell(transport, login, settings.closing)
                if channel is not None:
                    settings.talk(ChannelWire(channel, transport, login.columns), login.user)
                    channel.close()
                    # our end first, then the client's: closing at once would reset what it has not read yet
                    accepted.shutdown(socket.SHUT_WR)
                    transport.join(LINGER_S)
        finally:
            transport.close()
            transport.join()

    return Listener(host, settings.subsystem or "ssh", handle)


def _shell(transport: paramiko.Transport, login: _Login, closing: threading.Event) -> paramiko.Channel | None:
    """Wait until the client has a channel with what it wants on it, or goes away."""
    channel: paramiko.Channel | None = None
    while transport.is_active() and not closing.is_set():
        channel = channel or transport.accept(0.1)
        if channel is not None and login.shell.wait(0.1):
            return channel
    return None
