"""Telnet option negotiation (RFC 854, 855, 857, 858, 1073, 1091): bytes in, text bytes and replies out. No sockets."""

from __future__ import annotations

import struct
from enum import Enum, auto

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
ECHO, SGA, TTYPE, NAWS = 1, 3, 24, 31
_TTYPE_IS, _TTYPE_SEND = 0, 1

_OURS = frozenset({SGA, TTYPE, NAWS})
"""Options that we agree to perform. Not LINEMODE (34): a device that edits lines locally garbles commands."""
_THEIRS = frozenset({ECHO, SGA})
"""Options that we let the device perform."""


class _State(Enum):
    DATA = auto()
    COMMAND = auto()
    OPTION = auto()
    SUB = auto()
    SUB_COMMAND = auto()


class TelnetCodec:
    """One connection's negotiation. ``feed`` received bytes; send what it returns second; ``escape`` what you send."""

    def __init__(self, width: int, height: int, terminal: str = "VT100") -> None:
        self._size = struct.pack(">HH", width, height)
        self._terminal = terminal.encode("ascii")
        self._state = _State.DATA
        self._verb = 0
        self._sub = bytearray()
        self._we_do: set[int] = set()
        self._they_do: set[int] = set()

    @staticmethod
    def escape(data: bytes) -> bytes:
        """Double the byte 255, which would start a command otherwise."""
        return data.replace(b"\xff", b"\xff\xff")

    def feed(self, chunk: bytes) -> tuple[bytes, bytes]:
        """Return the text bytes in ``chunk`` and the negotiation to send back. Sequences may be split over chunks."""
        if self._state is _State.DATA and IAC not in chunk:
            # nearly every chunk; a NUL is what follows a lone carriage return on the wire and pads nothing else
            return chunk.replace(b"\0", b""), b""
        data, reply = bytearray(), bytearray()
        position = 0
        while position < len(chunk):
            if self._state is _State.DATA:
                end = chunk.find(IAC, position)
                if end < 0:
                    end = len(chunk)
                else:
                    self._state = _State.COMMAND
                data += chunk[position:end]
                position = end + 1
            else:
                self._step(chunk[position], data, reply)
                position += 1
        return bytes(data.replace(b"\0", b"")), bytes(reply)

    def _step(self, byte: int, data: bytearray, reply: bytearray) -> None:
        state = self._state
        if state is _State.COMMAND:
            if byte in (DO, DONT, WILL, WONT):
                self._verb, self._state = byte, _State.OPTION
            elif byte == SB:
                self._sub.clear()
                self._state = _State.SUB
            else:
                if byte == IAC:
                    data.append(IAC)
                self._state = _State.DATA  # the others (NOP, GA, AYT...) ask nothing of a client
        elif state is _State.OPTION:
            self._state = _State.DATA
            self._negotiate(self._verb, byte, reply)
        elif state is _State.SUB:
            if byte == IAC:
                self._state = _State.SUB_COMMAND
            else:
                self._sub.append(byte)
        elif byte == IAC:
            self._sub.append(IAC)
            self._state = _State.SUB
        else:  # SE; anything else is a broken sequence, which ends it as well
            self._state = _State.DATA
            self._subnegotiate(reply)

    def _negotiate(self, verb: int, option: int, reply: bytearray) -> None:
        if verb == DO:
            if option not in _OURS:
                reply += bytes((IAC, WONT, option))
                return
            self._start(option, reply)
            if option == NAWS:
                self._announce_size(reply)
        elif verb == DONT:
            if option in self._we_do:
                self._we_do.discard(option)
                reply += bytes((IAC, WONT, option))
        elif verb == WILL:
            if option == NAWS:
                # a device that offers its own window size means ours; agreeing is harmless, what it sends is ignored
                if option not in self._they_do:
                    self._they_do.add(option)
                    reply += bytes((IAC, DO, option))
                    self._start(option, reply)
                    self._announce_size(reply)
            elif option not in _THEIRS:
                reply += bytes((IAC, DONT, option))
            elif option not in self._they_do:
                self._they_do.add(option)
                reply += bytes((IAC, DO, option))
        elif option in self._they_do:
            self._they_do.discard(option)
            reply += bytes((IAC, DONT, option))

    def _start(self, option: int, reply: bytearray) -> None:
        # answering only a change of state is what keeps two ends from acknowledging each other for ever
        if option not in self._we_do:
            self._we_do.add(option)
            reply += bytes((IAC, WILL, option))

    def _announce_size(self, reply: bytearray) -> None:
        reply += bytes((IAC, SB, NAWS)) + self.escape(self._size) + bytes((IAC, SE))

    def _subnegotiate(self, reply: bytearray) -> None:
        if bytes(self._sub) == bytes((TTYPE, _TTYPE_SEND)):
            reply += bytes((IAC, SB, TTYPE, _TTYPE_IS)) + self._terminal + bytes((IAC, SE))
