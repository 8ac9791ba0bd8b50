"""A transcript: everything that was said on a session, redacted when it is written down."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal, TextIO

from ponprobe.redact import Scrubber

Direction = Literal["sent", "received"]
Role = Literal["login", "line", "answer", "logout"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing said. ``role`` is ``line`` for commands, ``answer`` for what pagers and questions get."""

    at: datetime
    direction: Direction
    text: str
    role: Role = "line"

    def to_json(self) -> str:
        """Return one line of JSON."""
        fields = {"at": self.at.isoformat(), "direction": self.direction, "role": self.role, "text": self.text}
        return json.dumps(fields, ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Entry:
        """Read what :meth:`to_json` wrote; raises ``ValueError`` or ``KeyError`` for anything else."""
        fields = json.loads(line)
        return cls(datetime.fromisoformat(fields["at"]), fields["direction"], fields["text"], fields["role"])


@dataclass(slots=True)
class Transcript:
    """An append-only list of :class:`Entry`.

    ``scrubber`` is applied as an entry is added; secrets that become known later do not reach back.
    ``limit_chars`` bounds the memory: the oldest entries are forgotten beyond it (``forgotten`` counts them);
    ``None`` keeps all. ``sink`` is an open text file that gets every entry at once as a line of JSON, forgotten or not.
    """

    scrubber: Scrubber = field(default_factory=Scrubber)
    limit_chars: int | None = None
    sink: TextIO | None = None
    forgotten: int = 0
    _entries: deque[Entry] = field(default_factory=deque, init=False, repr=False)
    _chars: int = field(default=0, init=False, repr=False)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __bool__(self) -> bool:
        """Always true: an empty transcript must not be replaced by ``transcript or ...``."""
        return True

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, direction: Direction, text: str, role: Role = "line", *, at: datetime | None = None) -> Entry:
        """Scrub ``text`` and append it; ``at`` is an aware time, now (UTC) by default."""
        entry = Entry(at or datetime.now(timezone.utc), direction, self.scrubber.scrub(text), role)
        self._entries.append(entry)
        self._chars += len(entry.text)
        while self.limit_chars is not None and self._chars > self.limit_chars and len(self._entries) > 1:
            self._chars -= len(self._entries.popleft().text)
            self.forgotten += 1
        if self.sink is not None:
            self.sink.write(entry.to_json() + "\n")
            self.sink.flush()
        return entry

    def text(self) -> str:
        """The dialogue for people: what was sent is marked ``>>``, what was received has plain line ends."""
        lines = [f"(the first {self.forgotten} entries are no longer kept)"] if self.forgotten else []
        for entry in self._entries:
            if entry.direction == "sent":
                said = entry.text.strip("\r\n")
                lines.append(f">> {entry.at:%H:%M:%S} {said if said.strip() else repr(entry.text)[1:-1]}")
            else:
                lines.extend(part.strip("\r") for part in entry.text.split("\n"))
        return "\n".join(lines) + "\n"

    def to_jsonl(self) -> str:
        """One JSON object a line; ``read_jsonl`` reads it back."""
        return "".join(entry.to_json() + "\n" for entry in self._entries)


def read_jsonl(lines: Iterable[str]) -> tuple[Entry, ...]:
    """Read a recorded dialogue (an open file or a list of lines)."""
    return tuple(Entry.from_json(line) for line in lines if line.strip())
