"""What ZTE-like OLTs configure for each ONU: T-CONTs, GEM ports, service ports, and its side of them (OMCI).

Huawei binds profiles instead and leaves all of this empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ponprobe.emulator.records import OnuEntry, OnuView, Refused, Technology

if TYPE_CHECKING:
    from ponprobe.emulator.world import OltWorld
    from ponprobe.models.addressing import PonPort

UPSTREAM_KBPS = 1_244_160
"""What all T-CONTs of a GPON port share upstream (ITU-T G.984.1)."""


@dataclass(frozen=True)
class OnuType:
    """A type that an ONU is registered as; ``eth`` Ethernet ports, ``veip`` the port of a router."""

    name: str
    technology: Technology = "gpon"
    description: str = ""
    eth: int = 4
    veip: bool = True

    def has(self, uni: str) -> bool:
        """Whether the ONU has this port: ``eth_0/1``, ``veip_1``, ``veip 1``."""
        if uni.startswith("eth_0/"):
            return 1 <= int(uni[6:]) <= self.eth
        return self.veip and uni in {"veip_1", "veip 1"}


@dataclass(frozen=True)
class TcontProfile:
    """Bandwidth in kbit/s: fixed, assured, maximum."""

    name: str
    type: int = 4
    fixed: int = 0
    assured: int = 0
    maximum: int = 1_000_000


@dataclass(frozen=True)
class Tcont:
    """A T-CONT of an ONU."""

    profile: str
    name: str | None = None


@dataclass
class GemPort:
    """A GEM port of an ONU; its virtual port (vport) has the same number."""

    tcont: int
    name: str | None = None
    upstream: str | None = None
    downstream: str | None = None


@dataclass(frozen=True)
class Flow:
    """A service port of an ONU: what comes with the user's VLAN leaves with ``svlan`` outside (or ``vlan`` alone)."""

    index: int
    vport: int
    user_vlan: int
    vlan: int
    svlan: int | None = None
    ingress: str | None = None
    egress: str | None = None


@dataclass(frozen=True)
class OmciService:
    """The ONU's side of a GEM port."""

    gemport: int
    vlan: int | None = None
    cos: int | None = None
    type: str | None = None


@dataclass(frozen=True)
class UniVlan:
    """What an ONU's port does with VLANs."""

    mode: Literal["tag", "hybrid", "trunk", "transparent"]
    vlan: int | None = None
    priority: int | None = None


@dataclass
class Provision:
    """All of one ONU; ``lines`` and ``onu_lines`` hold settings that nothing depends on, as they were typed."""

    onu_type: str
    name: str = ""
    static_ip: bool = False
    tconts: dict[int, Tcont] = field(default_factory=dict)
    gemports: dict[int, GemPort] = field(default_factory=dict)
    flows: dict[int, Flow] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    services: dict[str, OmciService] = field(default_factory=dict)
    unis: dict[str, UniVlan] = field(default_factory=dict)
    switch_flows: dict[int, list[int]] = field(default_factory=dict)
    gem_flows: dict[int, int] = field(default_factory=dict)
    onu_lines: list[str] = field(default_factory=list)

    def note(self, where: Literal["lines", "onu_lines"], line: str) -> None:
        """Keep a setting once."""
        kept: list[str] = getattr(self, where)
        if line not in kept:
            kept.append(line)

    def add_flow(self, flow: Flow, technology: Technology) -> bool:
        """Add a service port; false, and nothing is stored, if there is no GEM port behind its vport."""
        if flow.index in self.flows:
            raise Refused("service_exists")
        if technology == "gpon" and flow.vport not in self.gemports:
            return False
        self.flows[flow.index] = flow
        return True

    def add_service(self, name: str, service: OmciService) -> bool:
        """Add the ONU's side; false, and nothing is stored, without its GEM port."""
        if name in self.services:
            raise Refused("record_exists")
        if self.switch_flows:
            raise Refused("flow_conflict")
        if service.gemport not in self.gemports:
            return False
        self.services[name] = service
        return True

    def add_gemport(self, number: int, gemport: GemPort) -> bool:
        """Add a GEM port or change it; false, and nothing is stored, without its T-CONT."""
        if gemport.tcont not in self.tconts:
            return False
        self.gemports[number] = gemport
        return True

    def remove_gemport(self, number: int) -> None:
        """Delete a GEM port and the service ports on its vport."""
        self.gemports.pop(number, None)
        self.flows = {index: flow for index, flow in self.flows.items() if flow.vport != number}

    def remove_tcont(self, number: int) -> None:
        """Delete a T-CONT and what hangs on it."""
        self.tconts.pop(number, None)
        for gem in [gem for gem, port in self.gemports.items() if port.tcont == number]:
            self.remove_gemport(gem)

    def carries(self, flow: Flow, *, router: bool) -> bool:
        """Whether the ONU's side leads the user's VLAN to this service port."""
        vlan = flow.user_vlan
        fits = any(s.gemport == flow.vport and s.vlan in {None, vlan} for s in self.services.values())
        fits = fits or vlan in self.switch_flows.get(self.gem_flows.get(flow.vport, -1), [])
        tagged = any(uni.mode == "trunk" or uni.vlan == vlan for uni in self.unis.values())
        return (fits or not self.gemports) and (router or tagged)

    def as_values(self) -> dict[str, Any]:
        """Plain values for a snapshot."""
        return {
            key: {str(number): part for number, part in sorted(value.items(), key=lambda item: str(item[0]))}
            if isinstance(value, dict)
            else value
            for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class PortQinq:
    """A rule of a PON port: these customers' VLANs get this outer tag, whichever ONU they come from."""

    port: PonPort
    first: int
    last: int
    svlan: int
    cos: int | None = None


def new_provision(types: dict[str, OnuType], technology: Technology, onu_type: str | None) -> Provision | None:
    """What an ONU of this type (of the first that fits) begins with; ``None`` on an OLT with profiles."""
    fitting = [each.name for each in types.values() if each.technology == technology]
    wanted = onu_type or next(iter(fitting), None)
    if not types:
        return None
    if wanted is None or wanted not in fitting:
        raise Refused("no_onu_type")
    return Provision(wanted)


def add_tcont(world: OltWorld, entry: OnuEntry, number: int, tcont: Tcont) -> None:
    """Give an ONU a T-CONT; refused if its profile does not exist or asks for more than the port has left."""
    profile = world.tcont_profiles.get(tcont.profile)
    if profile is None:
        raise Refused("no_tcont_profile")
    taken = sum(
        world.tcont_profiles[other.profile].fixed + world.tcont_profiles[other.profile].assured
        for each in world.onus.values()
        if each.ref.port == entry.ref.port and each.provision is not None
        for key, other in each.provision.tconts.items()
        if (each.ref, key) != (entry.ref, number)
    )
    if max(profile.maximum, taken + profile.fixed + profile.assured) > UPSTREAM_KBPS:
        raise Refused("too_much_bandwidth")
    provided(entry).tconts[number] = tcont


def provided(entry: OnuEntry) -> Provision:
    """What is configured for an ONU; every ONU of such an OLT has it."""
    if entry.provision is None:
        raise LookupError(f"{entry.ref} belongs to an OLT with profiles")
    return entry.provision


def outer_vlan(world: OltWorld, port: PonPort, flow: Flow) -> int:
    """The VLAN that a service port's traffic has at the uplink."""
    if flow.svlan is not None:
        return flow.svlan
    rule = next((each for each in world.qinq if each.port == port and each.first <= flow.vlan <= each.last), None)
    return rule.svlan if rule is not None and port in world.qinq_ports else flow.vlan


def learnt(world: OltWorld, view: OnuView) -> Iterator[tuple[str, int, Flow]]:
    """MAC addresses seen behind an ONU, each with its outermost VLAN and its service port."""
    if not view.configured or view.ont is None or view.entry.provision is None:
        return
    for _, flow in sorted(view.entry.provision.flows.items()):
        if view.entry.provision.carries(flow, router=view.ont.router):
            for mac in view.ont.macs:
                yield mac, outer_vlan(world, view.entry.ref.port, flow), flow
