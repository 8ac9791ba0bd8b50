"""What a person would see: the line under the cursor, and whether the device has repeated what we typed. Pure."""

from __future__ import annotations

import codecs
import re

from ponprobe.dialect import CliDialect

_TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\b\r])|([^\x00-\x1f]+)|[\x00-\x1f]", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_LONGEST_LINE = 4096
"""Characters of an unfinished line that are looked at; longer ones are no dialogue but data."""


def render(line: str) -> str:
    """One line (without its line feed) as a terminal shows it: cursor movements, overwriting and erasing done.

    So an erased pager leaves nothing, and an echo wrapped by a blank and a step back shows its word in one piece.
    """
    if not _CONTROL.search(line):
        return line
    cells: list[str] = []
    column = 0
    for match in _TOKEN.finditer(line):
        count, letter, move, printed = match.groups()
        if printed:
            cells.extend(" " * (column - len(cells)))
            cells[column : column + len(printed)] = printed
            column += len(printed)
        elif move:
            column = 0 if move == "\r" else max(0, column - 1)
        elif letter == "D":
            column = max(0, column - (int(count) if count.isdigit() else 1))
        elif letter == "C":
            column += int(count) if count.isdigit() else 1
        elif letter == "K":
            del cells[column:]
    return "".join(cells).rstrip()


class Page:
    """Everything received since a line was sent. Costs the same per byte for every chunk size and answer length.

    ``line`` is the unfinished line under the cursor, raw; ``fresh`` is that line before the last chunk with the chunk
    appended: what may show something that was not there before.
    """

    __slots__ = ("_decoder", "_parts", "_taken", "chars", "fresh", "line")

    def __init__(self) -> None:
        # answers come in any chunks, so characters may be cut; devices also send bytes that are no UTF-8
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._parts: list[str] = []
        self._taken = 0
        self.chars = 0
        self.line = ""
        self.fresh = ""

    def feed(self, data: bytes) -> None:
        """Append received bytes."""
        text = self._decoder.decode(data)
        self._parts.append(text)
        self.chars += len(text)
        self.fresh = self.line + text
        self.line = self.fresh[self.fresh.rfind("\n") + 1 :][-_LONGEST_LINE:]

    def dealt_with(self) -> None:
        """Forget the line under the cursor: it was a question and has been answered."""
        self.line = self.fresh = ""

    def text(self, start: int = 0) -> str:
        """Everything from character ``start`` on."""
        return "".join(self._parts)[start:]

    def end(self, chars: int) -> str:
        """About the last ``chars`` characters."""
        taken: list[str] = []
        for part in reversed(self._parts):
            taken.append(part[-chars:])
            chars -= len(part)
            if chars <= 0:
                break
        return "".join(reversed(taken))

    def take_unrecorded(self) -> str:
        """What came since this was called last."""
        text = "".join(self._parts[self._taken :])
        self._taken = len(self._parts)
        return text


def prompt_of(dialect: CliDialect, line: str, hostname: str | None = None) -> re.Match[str] | None:
    """Match ``line`` (rendered) as a prompt; once the name of the device is known, only a prompt with that name."""
    if hostname is not None and not line.startswith(hostname):
        return None
    match = dialect.prompt.fullmatch(line)
    if match is None or (hostname is not None and match["host"] != hostname):
        return None
    return match


def prompt_at_end(dialect: CliDialect, text: str) -> re.Match[str] | None:
    """Match the last line of a whole text as a prompt."""
    return prompt_of(dialect, render(text[text.rfind("\n") + 1 :]))


class Echo:
    """Watches whether the device has repeated our line: at the start of a line or behind its prompt.

    Blanks do not count (a device may drop them), nor do line breaks within the echo (it wraps), nor the sign with which
    some continue a long line. An echo that differs otherwise is not recognised; the caller then waits for silence.
    """

    _LONG = 40
    _LAST = 12

    def __init__(self, line: str, dialect: CliDialect, hostname: str) -> None:
        self._wanted = _squeeze(line)
        self._marks = tuple(dialect.view_by_mark)
        self._hostname = hostname
        # what has been repeated so far, and where it began; several beginnings may be open
        self._begun: list[tuple[int, str]] = []
        self.heard = not self._wanted
        self.start = 0
        """Where the echo begins, in characters of the page; 0 while it has not been heard."""

    def hear(self, page: Page) -> None:
        """Take new text: complete lines are remembered as far as they begin the echo, the last one is only tried."""
        if self.heard:
            return
        offset = page.chars - len(page.fresh)
        *complete, unfinished = page.fresh.split("\n")
        for line in complete:
            self._begun = self._extend(line, offset)
            if self.heard:
                return
            offset += len(line) + 1
        self._extend(unfinished, offset)

    def _extend(self, line: str, offset: int) -> list[tuple[int, str]]:
        behind, typed = self._typed(line)
        if not typed:
            return self._begun
        begun = []
        for start, beginning in (*self._begun, (offset + behind, "")):
            for more in (typed, typed[1:]) if typed.startswith("$") else (typed,):
                candidate = beginning + more
                if candidate.startswith(self._wanted):
                    self.heard, self.start = True, start
                    return []
                if self._wanted.startswith(candidate):
                    begun.append((start, candidate))
        # a line editor that scrolls sideways shows only the end of a long line
        if len(self._wanted) > self._LONG and typed.endswith(self._wanted[-self._LAST :]):
            self.heard, self.start = True, offset + behind
        return begun

    def _typed(self, raw: str) -> tuple[int, str]:
        """What stands behind the prompt, or the whole line without a complete one.

        With the number of raw characters before it.
        """
        line = render(raw)
        if not line.startswith(self._hostname):
            return 0, _squeeze(line)
        end = self._prompt_end(line, 0)
        if end is None:
            return 0, _squeeze(line)
        return self._prompt_end(raw, raw.rfind(self._hostname)) or 0, _squeeze(line[end:])

    def _prompt_end(self, line: str, at: int) -> int | None:
        rest = at + len(self._hostname)
        ends = [line.index(mark, rest) + len(mark) for mark in self._marks if line.find(mark, rest) >= 0]
        return min(ends, default=None)


def _squeeze(text: str) -> str:
    return "".join(text.split())
