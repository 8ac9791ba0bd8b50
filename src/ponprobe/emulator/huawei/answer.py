"""What a Huawei command gives back, and what it may look at and change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ponprobe.emulator.grammar import Parse
from ponprobe.emulator.huawei.personality import Personality
from ponprobe.emulator.records import LineProfile, ServiceProfile
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import PonPort

USER, ENABLE, CONFIG, GPON, LINE, SERVICE = "user", "enable", "config", "gpon", "lineprofile", "srvprofile"


@dataclass
class Answer:
    """Lines to print; or a question whose reply goes to ``then``; ``logout`` ends the session, ``wait_s`` is slow."""

    lines: list[str] = field(default_factory=list)
    question: str | None = None
    then: Callable[[str], Answer] | None = None
    logout: bool = False
    wait_s: float = 0.0


@dataclass
class SessionState:
    """What one session has set: its view and its terminal's habits."""

    user: str
    view: str = USER
    slot: tuple[int, int] = (0, 0)
    profile: LineProfile | ServiceProfile | None = None
    smart: bool = True
    interactive: bool = True
    height: int | None = 24
    alarms: bool = True
    mmi: bool = False


@dataclass(frozen=True)
class Context:
    """One command being executed."""

    world: OltWorld
    personality: Personality
    session: SessionState
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

    def port(self) -> PonPort:
        """The PON port of an interface view's command."""
        frame, slot = self.session.slot
        return PonPort(frame=frame, slot=slot, port=int(self.values["portid"]))


def failure(text: str) -> Answer:
    """A refused operation."""
    return Answer(f"  Failure: {text}".split("\n"))
