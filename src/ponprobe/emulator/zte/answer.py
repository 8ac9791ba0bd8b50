"""What a ZTE command gives back, and what it may look at and change."""

from __future__ import annotations

from dataclasses import dataclass

from ponprobe.emulator.answer import BaseContext, BaseSession
from ponprobe.emulator.provision import Provision, provided
from ponprobe.emulator.records import OnuEntry, OnuView, Refused, Technology
from ponprobe.emulator.zte.personality import Personality
from ponprobe.models.addressing import OnuRef, PonPort

USER, EXEC, CONFIG = "user", "exec", "config"
OLT, ONU, VPORT, MNG, UPLINK = "olt", "onu", "vport", "mng", "uplink"
EPON_OLT, EPON_ONU, EPON_MNG = "epon-olt", "epon-onu", "epon-mng"


@dataclass
class SessionState(BaseSession):
    """What one session has set. ``port``, ``onu_id`` and ``vport`` say where its interface view is."""

    where: str = ""
    """The name of the interface as its prompt shows it."""
    port: PonPort | None = None
    onu_id: int = 0
    vport: int = 0


class BadParameterError(Exception):
    """A value of the right form that names nothing; the caret stands under it."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


class Context(BaseContext[Personality, SessionState]):
    """One command being executed."""

    def technology(self, name: str) -> Technology:
        """What an interface name says of itself."""
        return "epon" if self.values[name].lower().startswith("epon") else "gpon"

    def olt(self, name: str = "olt") -> PonPort:
        """The PON port that a value names; it exists and is of that technology."""
        text = self.values[name]
        port = PonPort.parse(text)
        if port not in self.world.plants or self.world.plants[port].technology != self.technology(name):
            raise BadParameterError(text)
        return port

    def ref(self, name: str = "onu") -> OnuRef:
        """The ONU that a value names; its port exists."""
        text = self.values[name]
        ref = OnuRef.parse(text)
        if ref.port not in self.world.plants or self.world.plants[ref.port].technology != self.technology(name):
            raise BadParameterError(text)
        return ref

    def view(self, name: str = "onu") -> OnuView | None:
        """The registered ONU that a value names."""
        try:
            return self.world.view(self.ref(name))
        except Refused:
            return None

    def here(self) -> PonPort:
        """The PON port of the interface view."""
        if self.session.port is None:
            raise Refused("no_port")
        return self.session.port

    def entry(self) -> OnuEntry:
        """The ONU of the interface view; somebody else may have removed it meanwhile."""
        entry = self.world.onus.get(self.here().onu(self.session.onu_id))
        if entry is None:
            raise Refused("no_onu")
        return entry

    def provision(self) -> Provision:
        """What is configured for that ONU."""
        return provided(self.entry())

    def tech(self, port: PonPort) -> Technology:
        """GPON or EPON."""
        return self.world.plants[port].technology

    def name(self, ref: OnuRef) -> str:
        """How this device writes an ONU."""
        return self.personality.onu(ref, self.tech(ref.port))
