"""What every command-line transport can do, whatever is underneath."""

from __future__ import annotations

from typing import Protocol

from ponprobe.flow import Cli, CliReply
from ponprobe.transports.record import Transcript


class CliTransport(Protocol):
    """One conversation with one device: open it, ask line by line, close it.

    Not safe for several threads at once; the engine that owns a session sees to that.
    """

    @property
    def host(self) -> str:
        """The device's address as it was configured."""

    @property
    def transcript(self) -> Transcript:
        """What was said on all sessions of this transport, redacted; its scrubber knows their secrets."""

    @property
    def view(self) -> str | None:
        """The view that the last prompt showed; ``None`` before the first prompt."""

    @property
    def hostname(self) -> str | None:
        """The device's own name, from its prompt; ``None`` before the first prompt."""

    @property
    def is_open(self) -> bool:
        """Whether a line may be asked now. False after a timeout or a lost session: open it again."""

    @property
    def lines_sent(self) -> int:
        """How many command lines were asked (answers to pagers and questions not counted)."""

    def open(self) -> str:
        """Connect, log in and read to the first prompt; return what was said on the way."""

    def ask(self, line: Cli, *, confirms: bool = False) -> CliReply:
        """Send one line in the current view and return the whole answer, raw, with echo and prompt."""

    def close(self) -> None:
        """Log out and hang up. Never raises, never hangs."""
