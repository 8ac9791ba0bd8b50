"""What a Huawei command gives back, and what it may look at and change."""

from __future__ import annotations

from dataclasses import dataclass

from ponprobe.emulator.answer import Answer, BaseContext, BaseSession
from ponprobe.emulator.huawei.personality import Personality
from ponprobe.emulator.records import LineProfile, ServiceProfile
from ponprobe.models.addressing import PonPort

USER, ENABLE, CONFIG, GPON, LINE, SERVICE = "user", "enable", "config", "gpon", "lineprofile", "srvprofile"


@dataclass
class SessionState(BaseSession):
    """What one session has set: its view and its terminal's habits."""

    slot: tuple[int, int] = (0, 0)
    profile: LineProfile | ServiceProfile | None = None
    smart: bool = True
    interactive: bool = True
    mmi: bool = False


class Context(BaseContext[Personality, SessionState]):
    """One command being executed."""

    def port(self) -> PonPort:
        """The PON port of an interface view's command."""
        frame, slot = self.session.slot
        return PonPort(frame=frame, slot=slot, port=int(self.values["portid"]))


def failure(text: str) -> Answer:
    """A refused operation."""
    return Answer(f"  Failure: {text}".split("\n"))
