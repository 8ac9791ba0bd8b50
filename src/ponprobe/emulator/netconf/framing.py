"""The two framings of NETCONF over SSH (RFC 6242): end-of-message markers, and chunks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ponprobe.emulator.terminal import Closed, Wire

END = b"]]>]]>"
CHUNK = re.compile(rb"\n#([1-9]\d{0,9}|#)\n")
LONGEST_HEAD = 14


class BadFraming(Exception):
    """Bytes that are no frame; nothing sensible can follow."""


class Frames:
    """Messages over a wire; ``chunked`` is set after the hellos."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._buffer = bytearray()
        self.chunked = False

    def _more(self) -> None:
        data = self._wire.recv()
        if not data:
            raise Closed
        self._buffer += data

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def read(self) -> bytes:
        """The next message; ``Closed`` at the end, ``BadFraming`` for what is none."""
        return b"".join(self._chunks()) if self.chunked else self._marked()

    def _marked(self) -> bytes:
        looked = 0
        while (at := self._buffer.find(END, looked)) < 0:
            looked = max(0, len(self._buffer) - len(END))
            self._more()
        message = self._take(at)
        self._take(len(END))
        return message

    def _chunks(self) -> Iterator[bytes]:
        while True:
            while (head := CHUNK.match(self._buffer)) is None:
                if len(self._buffer) >= LONGEST_HEAD or not b"\n#".startswith(bytes(self._buffer[:2])):
                    raise BadFraming
                self._more()
            # a match looks into the buffer, so its text is taken before the buffer moves on
            size_text = bytes(head[1])
            self._take(head.end())
            if size_text == b"#":
                return
            size = int(size_text)
            while len(self._buffer) < size:
                self._more()
            yield self._take(size)

    def write(self, message: bytes, piece: int) -> None:
        """Send a message in pieces of so many bytes (which may end inside a character)."""
        parts = [message[at : at + piece] for at in range(0, len(message), piece)]
        try:
            for part in parts:
                self._wire.send(b"\n#%d\n%b" % (len(part), part) if self.chunked else part)
            self._wire.send(b"\n##\n" if self.chunked else END)
        except (OSError, EOFError) as gone:
            raise Closed from gone

    def send_raw(self, data: bytes) -> None:
        """Send bytes that are no message."""
        try:
            self._wire.send(data)
        except (OSError, EOFError) as gone:
            raise Closed from gone

    def discard_forever(self) -> None:
        """Never answer again; ends (with ``Closed``) when the peer goes."""
        while True:
            self._more()
            self._buffer.clear()
