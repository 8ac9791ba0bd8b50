"""Telnet: option negotiation as OLTs do it, then login and session over a plain socket."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable

from ponprobe.emulator.servers.sockets import LINGER_S, Listener
from ponprobe.emulator.terminal import Wire

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
ECHO, SGA, TTYPE, NAWS, LINEMODE = 1, 3, 24, 31, 34
_OFFERS = bytes(
    [IAC, WILL, ECHO, IAC, WILL, SGA, IAC, DO, NAWS, IAC, DO, TTYPE, IAC, DO, LINEMODE],
)
"""LINEMODE is asked for as real OLTs do; a client that agrees would send whole lines, so a good one refuses."""


class TelnetWire(Wire):
    """A socket without its Telnet commands."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._state = "data"
        self._answered: set[tuple[int, int]] = {(WILL, ECHO), (WILL, SGA), (DO, NAWS), (DO, TTYPE), (DO, LINEMODE)}
        self._verb = 0
        connection.sendall(_OFFERS)

    def recv(self) -> bytes:
        """Wait for data; commands among it are taken out and answered."""
        while True:
            try:
                data = self._socket.recv(4096)
            except ConnectionError:
                return b""
            if not data:
                return b""
            if clean := bytes(byte for byte in data if self._is_data(byte)):
                return clean

    def _is_data(self, byte: int) -> bool:
        match self._state:
            case "data":
                if byte == IAC:
                    self._state = "iac"
                    return False
                return True
            case "iac":
                if byte == IAC:
                    self._state = "data"
                    return True
                self._verb = byte
                self._state = "option" if byte in {DO, DONT, WILL, WONT} else "sub" if byte == SB else "data"
            case "option":
                self._answer(self._verb, byte)
                self._state = "data"
            case "sub":
                self._state = "sub-iac" if byte == IAC else "sub"
            case _:
                self._state = "data" if byte == SE else "sub"
        return False

    def _answer(self, verb: int, option: int) -> None:
        """Refuse what was not offered; never answer an answer."""
        if verb == DO and (WILL, option) not in self._answered:
            self._answered.add((WILL, option))
            self._socket.sendall(bytes([IAC, WONT, option]))
        elif verb == WILL and (DO, option) not in self._answered:
            self._answered.add((DO, option))
            self._socket.sendall(bytes([IAC, DONT, option]))

    def send(self, data: bytes) -> None:
        """Send data; 0xFF is doubled."""
        self._socket.sendall(data.replace(b"\xff", b"\xff\xff"))

    def close(self) -> None:
        """Drop the connection at once (a reset, not an orderly end)."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.shutdown(socket.SHUT_RDWR)


def serve_telnet(host: str, talk: Callable[[Wire], None]) -> Listener:
    """Listen for Telnet; ``talk`` does login and session."""

    def handle(accepted: socket.socket) -> None:
        with contextlib.suppress(OSError):
            talk(TelnetWire(accepted))
            # our end first, then the client's: closing at once would reset what it has not read yet
            accepted.shutdown(socket.SHUT_WR)
            accepted.settimeout(LINGER_S)
            while accepted.recv(4096):
                pass

    return Listener(host, "telnet", handle)
