"""A terminal seen from the device: echo that wraps, a line editor, a pager. What it does is data; no vendor here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol


class Closed(Exception):  # the peer's way of ending, not an error
    """The peer has gone, or the connection is to be dropped."""


class Wire(Protocol):
    """The bytes under a terminal; ``columns`` is the width that the client announced, if it did."""

    columns: int | None

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
    follows_window: bool = False
    """Whether the width is what the client announces; else it stays as it is."""
    breaks_lines: bool = False
    """Whether printed lines are broken at the width, in the middle of words."""
    long_echo: Literal["wrap", "scroll", "continue"] = "wrap"
    """At the last column: send ``wrap``; scroll the line left with backspaces; or go on in a new row after ``$``."""
    wrap: str = " \x1b[1D"
    """Sent when the echo reaches the last column."""
    more: str = "---- More ( Press 'Q' to break ) ----"
    eraser: str = f"\x1b[37D{' ' * 37}\x1b[37D"
    break_keys: str = "qQ"
    line_keys: str = ""
    """Keys that bring one more line instead of a page."""


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
        self._begun = 0
        self._unsent = bytearray()

    @property
    def columns(self) -> int:
        """How wide the terminal is."""
        return (self._wire.columns or self._habits.columns) if self._habits.follows_window else self._habits.columns

    def _rows(self, line: str, column: int = 0) -> list[str]:
        """A line as it stands on the screen when it begins in this column."""
        if not self._habits.breaks_lines:
            return [line]
        first = max(0, self.columns - column)
        return [line[:first], *(line[at : at + self.columns] for at in range(first, len(line), self.columns))]

    def write(self, text: str) -> None:
        """Print; a newline in ``text`` becomes the device's line end."""
        first, *others = text.split("\n")
        rows = self._rows(first, self._column) + [row for line in others for row in self._rows(line)]
        text = "\n".join(rows)
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
        self._begun = self._column
        while True:
            key = self.read_key()
            if key == "\r":
                self.write("\n")
                return line
            if key in "\x08\x7f":
                if line:
                    line = line[:-1]
                    self._echo("\x08 \x08", line, width=-1, shown=echo)
            elif key == " " and complete is not None:
                added = complete(line)
                if added is not None:
                    line += added + " "
                    for letter in added + " ":
                        self._echo(letter, line, shown=echo)
            elif key == "\x03":
                line = ""
            elif key >= " ":
                if disturb is not None and (text := disturb(line, key)) is not None:
                    self.write(text)
                    continue
                line += key
                self._echo(key, line, shown=echo)

    def _echo(self, text: str, line: str, *, width: int = 1, shown: bool) -> None:
        if not shown:
            return
        self._column = max(0, self._column + width)
        if width > 0 and self._column % self.columns == 0:
            text += self._at_the_edge(line)
        self.write_raw(text.encode("latin-1"))

    def _at_the_edge(self, line: str) -> str:
        """What follows the letter that fills the last column."""
        if self._habits.long_echo == "continue":
            self._column = 1
            return f"{self._habits.newline}$"
        if self._habits.long_echo == "wrap":
            return self._habits.wrap
        room = self.columns - self._begun
        kept = line[-(room // 2) :] if room > 1 else ""
        spare = room - len(kept)
        self._column = self._begun + len(kept)
        return "\x08" * room + kept + " " * spare + "\x08" * spare

    def page(self, lines: list[str], *, height: int | None) -> None:
        """Print lines; with a height, stop before each line that would not fit and wait for a key, which is eaten."""
        if height is None:
            self.write("".join(f"{line}\n" for line in lines))
            return
        rows = [row for line in lines for row in self._rows(line)]
        step = max(1, height - 1)
        start, shown = 0, step
        while True:
            self.write("".join(f"{row}\n" for row in rows[start : start + shown]))
            start += shown
            if start >= len(rows):
                return
            self.write(self._habits.more)
            key = self.read_key()
            self.write_raw(self._habits.eraser.encode("ascii"))
            self._column = 0
            if key in self._habits.break_keys:
                self.write("\n")
                return
            shown = 1 if key in self._habits.line_keys else step
