"""Replay a recorded dialogue, strictly: for tests without a device and for looking at a run afterwards."""

from __future__ import annotations

from collections.abc import Iterable

from ponprobe.dialect import CliDialect
from ponprobe.errors import SessionLost
from ponprobe.flow import Cli, CliReply
from ponprobe.redact import Scrubber
from ponprobe.transports.record import Entry, Transcript
from ponprobe.transports.terminal import prompt_at_end


class UnexpectedLine(AssertionError):
    """The line that was asked is not the one that was recorded next."""


class ReplaySession:
    """A :class:`~ponprobe.transports.base.CliTransport` that answers from a recording.

    Lines must come in the recorded order, each exactly once; anything else raises :class:`UnexpectedLine`. A recording
    is redacted, so ``scrubber`` (if lines hold secrets that are not declared in ``Cli.secrets``) redacts what is asked
    before it is compared. Replies carry the recorded times; ``transcript`` holds what has been replayed.
    """

    def __init__(
        self, entries: Iterable[Entry], dialect: CliDialect, *, host: str = "replay", scrubber: Scrubber | None = None
    ) -> None:
        self.host = host
        self.transcript = Transcript(scrubber or Scrubber())
        self.view: str | None = None
        self.hostname: str | None = None
        self.lines_sent = 0
        self._dialect = dialect
        self._entries = tuple(entries)
        self._next = 0
        self._open = False

    @property
    def is_open(self) -> bool:
        """Whether :meth:`open` has been called and :meth:`close` has not."""
        return self._open

    @property
    def left(self) -> tuple[str, ...]:
        """Recorded lines that were not asked yet."""
        rest = self._entries[self._next :]
        return tuple(e.text.strip("\r\n") for e in rest if e.direction == "sent" and e.role == "line")

    def open(self) -> str:
        """Return the recorded log-in."""
        self._open = True
        return self._received()

    def ask(self, line: Cli, *, confirms: bool = False) -> CliReply:  # noqa: ARG002 - the recording has the answer
        """Return the recorded answer to ``line``.

        Raises :class:`UnexpectedLine` if another line was recorded here, ``SessionLost`` if the session is not open or
        if the recording ends without a prompt.
        """
        if not self._open:
            raise SessionLost(f"The replayed session {self.host} is not open", host=self.host, access="replay")
        asked = self.transcript.scrubber.scrub(str(line))
        recorded = self._entries[self._next] if self._next < len(self._entries) else None
        if recorded is None or recorded.role != "line" or recorded.text.strip("\r\n") != asked:
            was = "nothing more" if recorded is None or recorded.role != "line" else repr(recorded.text.strip("\r\n"))
            raise UnexpectedLine(f"{self.host}: {asked!r} was asked where the recording has {was}")
        self._take(recorded)
        self.lines_sent += 1
        text = self._received()
        if self._said_prompt is None:
            self._open = False
            raise SessionLost(
                f"The recording of {self.host} ends in the middle of the answer to {asked!r}",
                host=self.host,
                access="replay",
            )
        at = self._entries[self._next - 1].at
        return CliReply(request=line, text=text, at=at, view=self.view)

    def close(self) -> None:
        """End the replay; what was not asked remains in :attr:`left`."""
        self._open = False

    def _take(self, entry: Entry) -> None:
        self._next += 1
        self.transcript.add(entry.direction, entry.text, entry.role, at=entry.at)

    def _received(self) -> str:
        """Take everything up to the next command line; note the prompt at the end."""
        parts = []
        while self._next < len(self._entries):
            entry = self._entries[self._next]
            if entry.direction == "sent" and entry.role in ("line", "logout"):
                break
            if entry.direction == "received":
                parts.append(entry.text)
            self._take(entry)
        text = "".join(parts)
        self._said_prompt = prompt_at_end(self._dialect, text)
        if self._said_prompt is not None:
            self.hostname = self._said_prompt["host"]
            self.view = self._dialect.view_of(self._said_prompt)
        return text
