"""What a command gives back, and what it may look at and change; the same for every vendor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ponprobe.emulator.grammar import Parse
from ponprobe.emulator.world import OltWorld


@dataclass
class Answer:
    """Lines to print; or a question whose reply goes to ``then``; ``logout`` ends the session, ``wait_s`` is slow.

    A reply to a ``secret`` question is not echoed; a session that ``hangs`` never answers again.
    """

    lines: list[str] = field(default_factory=list)
    question: str | None = None
    then: Callable[[str], Answer] | None = None
    secret: bool = False
    logout: bool = False
    wait_s: float = 0.0
    hangs: bool = False


@dataclass
class BaseSession:
    """What one session has set: its view and its terminal's habits."""

    user: str
    view: str = "user"
    height: int | None = 24
    alarms: bool = True


P = TypeVar("P")
S = TypeVar("S", bound=BaseSession)


@dataclass(frozen=True)
class BaseContext(Generic[P, S]):
    """One command being executed."""

    world: OltWorld
    personality: P
    session: S
    parse: Parse
    device: Any
    """The emulated OLT (users, sessions)."""

    @property
    def values(self) -> dict[str, str]:
        """The typed values by name."""
        return self.parse.values

    def has(self, keyword: str) -> bool:
        """Whether the keyword stands in the line."""
        return keyword in self.parse.keywords

    def number(self, name: str) -> int | None:
        """A typed number, ``None`` if it was left out."""
        return int(self.values[name]) if name in self.values else None


def filtered(run: Callable[..., Answer]) -> Callable[..., Answer]:
    """A display command behind ``| include TEXT``, ``| exclude TEXT`` or ``| begin TEXT``."""

    def filter_lines(ctx: Any) -> Answer:
        answer = run(ctx)
        text = ctx.values.get("text", "")
        if ctx.has("include"):
            answer.lines = [line for line in answer.lines if text in line]
        elif ctx.has("exclude"):
            answer.lines = [line for line in answer.lines if text not in line]
        elif ctx.has("begin"):
            first = next((at for at, line in enumerate(answer.lines) if text in line), len(answer.lines))
            answer.lines = answer.lines[first:]
        return answer

    return filter_lines


def silent(_ctx: Any) -> Answer:
    """Accepted, and nothing is printed."""
    return Answer()
