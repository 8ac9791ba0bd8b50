"""Telnet: option negotiation as OLTs do it, then login and session over a plain socket."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable

from ponprobe.emulator.servers.sockets import LINGER_S, Listener
from ponprobe.emulator.terminal import Wire

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
SGA, NAWS = 3, 31


class TelnetWire(Wire):
    """A socket without its Telnet commands; ``offers`` is sent first."""

    def __init__(self, connection: socket.socket, offers: bytes) -> None:
        self.columns: int | None = None
        self._socket = connection
        self._state = "data"
        self._answered: set[tuple[int, int]] = set(zip(offers[1::3], offers[2::3], strict=True))
        self._verb = 0
        self._told = bytearray()
        connection.sendall(offers)

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
                self._told.clear()
            case "option":
                self._answer(self._verb, byte)
                self._state = "data"
            case "sub":
                self._state = "sub-iac" if byte == IAC else "sub"
                if byte != IAC:
                    self._told.append(byte)
            case _:
                self._state = "data" if byte == SE else "sub"
                if byte == SE:
                    self._take_window()
                else:
                    self._told.append(byte)
        return False

    def _take_window(self) -> None:
        """A window size (RFC 1073), asked for or not; a width of 0 says nothing."""
        if len(self._told) == 5 and self._told[0] == NAWS:
            self.columns = int.from_bytes(self._told[1:3], "big") or None

    def _answer(self, verb: int, option: int) -> None:
        """Refuse what was not offered, but for a window size and going ahead; never answer an answer."""
        if verb == DO and (WILL, option) not in self._answered:
            self._answered.add((WILL, option))
            self._socket.sendall(bytes([IAC, WILL if option == SGA else WONT, option]))
        elif verb == WILL and (DO, option) not in self._answered:
            self._answered.add((DO, option))
            self._socket.sendall(bytes([IAC, DO if option == NAWS else DONT, option]))

    def send(self, data: bytes) -> None:
        """Send data; 0xFF is doubled."""
        self._socket.sendall(data.replace(b"\xff", b"\xff\xff"))

    def close(self) -> None:
        """Drop the connection at once (a reset, not an orderly end)."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.shutdown(socket.SHUT_RDWR)


def serve_telnet(host: str, offers: bytes, talk: Callable[[Wire], None]) -> Listener:
    """Listen for Telnet: ``offers`` goes out first, ``talk`` does login and session."""

    def handle(accepted: socket.socket) -> None:
        with contextlib.suppress(OSError):
            talk(TelnetWire(accepted, offers))
            # our end first, then the client's: closing at once would reset what it has not read yet
            accepted.shutdown(socket.SHUT_WR)
            accepted.settimeout(LINGER_S)
            while accepted.recv(4096):
                pass

    return Listener(host, "telnet", handle)
