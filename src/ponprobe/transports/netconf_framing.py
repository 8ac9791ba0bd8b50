"""NETCONF's two framings (RFC 6242): bytes in, whole messages out. Nothing is decoded before a message is complete.

A character of several bytes may be cut anywhere, by a read or by a chunk; only whole messages are text.
"""

from __future__ import annotations

import re

END = b"]]>]]>"
"""What ends a message of base:1.0, and every hello."""

_LARGEST = 1 << 29
"""More than this is no answer to any of our filtered questions: a device that never ends a message must not take all
memory."""
_HEADER = re.compile(rb"\n#(?:([1-9][0-9]{0,9})|(#))\n")
_MAYBE_HEADER = re.compile(rb"\n(?:#(?:[1-9][0-9]{0,9}|#)?)?")
_CHUNK_LIMIT = 4294967295
_DOCTYPE = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*<!DOCTYPE", re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FramingError(ValueError):
    """The bytes are no NETCONF messages; nothing behind this point can be understood."""


def framed(message: str, *, chunked: bool) -> bytes:
    """A message as it is sent: one chunk, or with the end mark."""
    data = message.encode()
    return b"\n#%d\n%b\n##\n" % (len(data), data) if chunked else data + END


class Unframer:
    """Takes bytes as they come and gives whole messages, each byte looked at once.

    ``chunked`` may be switched between two messages: hellos have end marks, what follows may come in chunks.
    """

    def __init__(self) -> None:
        self.chunked = False
        self._bytes = bytearray()
        self._searched = 0
        self._message = bytearray()
        self._inside = False
        self._due = 0

    def feed(self, data: bytes) -> None:
        """Add what was read."""
        self._bytes += data

    def pending(self) -> str:
        """What has come of a message that is not complete; for a person to look at."""
        return bytes(self._message + self._bytes).decode(errors="replace")

    def next(self) -> str | None:
        """The next whole message, ``None`` if it has not come yet. Raises ``FramingError``."""
        message = self._chunks() if self.chunked else self._marked()
        if len(self._bytes) + len(self._message) > _LARGEST:
            raise FramingError(f"a message of more than {_LARGEST >> 20} MB")
        if message is None:
            return None
        try:
            return _text(message)
        except FramingError:
            self._message += message  # to look at
            raise

    def _marked(self) -> bytes | None:
        at = self._bytes.find(END, self._searched)
        if at < 0:
            # the end mark itself may be cut
            self._searched = max(0, len(self._bytes) - len(END) + 1)
            return None
        message = bytes(self._bytes[:at])
        del self._bytes[: at + len(END)]
        self._searched = 0
        return message

    def _chunks(self) -> bytes | None:
        at = 0
        try:
            while True:
                if self._due:
                    part = self._bytes[at : at + self._due]
                    self._message += part
                    self._due -= len(part)
                    at += len(part)
                    if self._due:
                        return None
                if not self._inside:
                    at = self._skip_blanks(at)
                header = _HEADER.match(self._bytes, at)
                if header is None:
                    self._check_start(at)
                    return None
                at = header.end()
                if header[2] is not None:
                    if not self._inside:
                        raise FramingError("the end of a message without a message")
                    message, self._message = bytes(self._message), bytearray()
                    self._inside = False
                    return message
                self._due, self._inside = int(header[1]), True
                if self._due > min(_CHUNK_LIMIT, _LARGEST):
                    raise FramingError(f"a chunk of {self._due} bytes")
        finally:
            del self._bytes[:at]

    def _skip_blanks(self, at: int) -> int:
        """Some servers end a message with more line feeds; the one before a chunk's length belongs to the chunk."""
        start = at
        while start < len(self._bytes) and self._bytes[start] in b" \r\n\t":
            start += 1
        return max(at, start - 1)

    def _check_start(self, at: int) -> None:
        rest = bytes(self._bytes[at : at + 16])
        if rest and not (_MAYBE_HEADER.fullmatch(rest) or (not self._inside and rest.isspace())):
            raise FramingError(f"{rest!r} where the length of a chunk was due")


def _text(message: bytes) -> str:
    message = message.removeprefix(_BYTE_ORDER_MARK)
    if _DOCTYPE.match(message):
        # RFC 6241, 3: it must not be there; it is where entities are declared that grow to any size
        raise FramingError("a message with a document type declaration")
    try:
        return message.decode().strip(" \t\r\n\0")
    except UnicodeDecodeError as exc:
        raise FramingError(f"a message that is not UTF-8 ({exc.reason} at byte {exc.start})") from exc
