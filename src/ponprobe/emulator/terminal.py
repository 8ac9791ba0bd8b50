"""A terminal seen from the device: echo that wraps, a line editor, a pager. What it does is data; no vendor here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Closed(Exception):  # the peer's way of ending, not an error
    """The peer has gone, or the connection is to be dropped."""


class Wire(Protocol):
    """The bytes under a terminal."""

    def recv(self) -> bytes:
        """Wait for bytes; empty at the end."""

    def send(self, data: bytes) -> None:
        """Send everything; raises ``OSError`` or ``EOFError`` if the peer has gone."""

    def close(self) -> None:
        """Drop the connection."""


@dataclass(frozen=True)
class Habits:
    """How a device drives its terminal."""

    newline: str = "\r\n"
    columns: int = 80
    wrap: str = " \x1b[1D"
    """Sent when the echo reaches the last column."""
    more: str = "---- More ( Press 'Q' to break ) ----"
    eraser: str = f"\x1b[37D{' ' * 37}\x1b[37D"
    break_keys: str = "qQ"


Completion = Callable[[str], str | None]
"""Line so far -> letters that a space key adds before the blank, or ``None``: the blank is dropped."""
Disturb = Callable[[str, str], str | None]
"""(line so far, next character) -> text printed now, with that character swallowed; or ``None``."""


def _bytes(text: str) -> bytes:
    """Bytes typed by a user come back as they were; text of a scenario goes out as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


class Terminal:
    """One connection's terminal. Used by one thread."""

    def __init__(self, wire: Wire, habits: Habits) -> None:
        self._wire = wire
        self._habits = habits
        self._waiting: list[str] = []
        self._after_return = False
        self._column = 0
        self._unsent = bytearray()

    def write(self, text: str) -> None:
        """Print; a newline in ``text`` becomes the device's line end."""
        last = text.rpartition("\n")
        self._column = len(last[2]) if last[1] else self._column + len(text)
        self.write_raw(_bytes(text.replace("\n", self._habits.newline)))

    def write_raw(self, data: bytes) -> None:
        """Send bytes as they are: at the next ``flush``, or before the next wait for a key."""
        self._unsent += data

    def flush(self) -> None:
        """Send what has been written; the echo of a line goes out in one piece if the line came in one."""
        if not self._unsent:
            return
        data, self._unsent = bytes(self._unsent), bytearray()
        try:
            self._wire.send(data)
        except (OSError, EOFError) as exc:
            raise Closed from exc

    def close(self) -> None:
        """Drop the connection."""
        self._wire.close()

    def read_key(self) -> str:
        """Wait for one key; the LF or NUL after a CR is no key, and LF alone is CR."""
        while True:
            while not self._waiting:
                self.flush()
                try:
                    data = self._wire.recv()
                except (OSError, EOFError) as exc:
                    raise Closed from exc
                if not data:
                    raise Closed
                self._waiting.extend(data.decode("latin-1"))
            key = self._waiting.pop(0)
            follows, self._after_return = self._after_return, key == "\r"
            if follows and key in "\n\0":
                continue
            return "\r" if key == "\n" else key

    def discard_forever(self) -> None:
        """Read and forget until the peer goes."""
        while True:
            self.read_key()

    def read_line(
        self, *, complete: Completion | None = None, echo: bool = True, disturb: Disturb | None = None
    ) -> str:
        """Read up to the return key, echoing; ``complete`` says what a space key does."""
        line = ""
        while True:
            key = self.read_key()
            if key == "\r":
                self.write("\n")
                return line
            if key in "\x08\x7f":
                if line:
                    line = line[:-1]
                    self._echo("\x08 \x08", width=-1, shown=echo)
            elif key == " " and complete is not None:
                added = complete(line)
                if added is not None:
                    line += added + " "
                    for letter in added + " ":
                        self._echo(letter, shown=echo)
            elif key == "\x03":
                line = ""
            elif key >= " ":
                if disturb is not None and (text := disturb(line, key)) is not None:
                    self.write(text)
                    continue
                line += key
                self._echo(key, shown=echo)

    def _echo(self, text: str, *, width: int = 1, shown: bool) -> None:
        if not shown:
            return
        self._column = max(0, self._column + width)
        if width > 0 and self._column % self._habits.columns == 0:
            text += self._habits.wrap
        self.write_raw(text.encode("latin-1"))

    def page(self, lines: list[str], *, height: int | None) -> None:
        """Print lines; with a height, stop before each line that would not fit and wait for a key, which is eaten."""
        if height is None:
            self.write("".join(f"{line}\n" for line in lines))
            return
        step = max(1, height - 1)
        for start in range(0, len(lines), step):
            if start:
                self.write(self._habits.more)
                key = self.read_key()
                self.write_raw(self._habits.eraser.encode("ascii"))
                if key in self._habits.break_keys:
                    self.write("\n")
                    return
            self.write("".join(f"{line}\n" for line in lines[start : start + step]))
