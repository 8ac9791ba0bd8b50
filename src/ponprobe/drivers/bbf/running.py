"""What is configured: channel terminations, ONUs, sub-interfaces, T-CONTs, GEM ports, forwarders; read from one reply.

TR-385 hangs an ONU together by references: v-ani on a channel partition and pair, v-enet on the v-ani, sub-interface on
the v-enet, T-CONT on the v-ani, GEM port on v-enet and T-CONT, forwarder over sub-interfaces. Here they are followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ponprobe.drivers.bbf.tree import Element, Names, leaf_text, serial_of
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.netconf import NetconfProfile


@dataclass(frozen=True, slots=True)
class Termination:
    """A channel termination: where a PON leaves the OLT. ``hardware`` is its transceiver link."""

    name: str
    port: PonPort | None
    pair: str | None = None
    hardware: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A channel pair; ``technology`` is ``gpon``, ``xgs``, ..."""

    name: str
    group: str | None = None
    partition: str | None = None
    technology: str | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """A channel partition and how it admits ONUs."""

    name: str
    group: str | None = None
    method: str = "serial-number"


@dataclass(frozen=True, slots=True)
class VAni:
    """An ONU as the OLT has it configured."""

    name: str
    description: str | None = None
    onu_id: int | None = None
    partition: str | None = None
    pair: str | None = None
    serial: Serial | None = None
    registration_id: str | None = field(default=None, repr=False)
    loid: str | None = field(default=None, repr=False)
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a sub-interface: tags that it matches and pushes, outer first, as the device writes them."""

    untagged: bool = False
    matched: tuple[str, ...] = ()
    pops: int = 0
    pushed: tuple[str, ...] = ()
    pushed_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubInterface:
    """A VLAN sub-interface on a v-enet or on an uplink."""

    name: str
    lower: str | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class TCont:
    """A T-CONT of a v-ani."""

    name: str
    alloc_id: int | None = None
    interface: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Gem:
    """A GEM port on a v-enet."""

    name: str
    gemport_id: int | None = None
    interface: str | None = None
    tcont: str | None = None


@dataclass(slots=True)
class Running:
    """Everything that one reply holds; every mapping is by name."""

    terminations: dict[str, Termination] = field(default_factory=dict)
    pairs: dict[str, Pair] = field(default_factory=dict)
    partitions: dict[str, Partition] = field(default_factory=dict)
    v_anis: dict[str, VAni] = field(default_factory=dict)
    v_enets: dict[str, str] = field(default_factory=dict)
    """The v-ani below each."""
    sub_interfaces: dict[str, SubInterface] = field(default_factory=dict)
    hardware: dict[str, str] = field(default_factory=dict)
    """The hardware component of each interface that names one."""
    types: dict[str, str | None] = field(default_factory=dict)
    """Every interface in the reply, with its type where that was asked for."""
    tconts: dict[str, TCont] = field(default_factory=dict)
    gems: dict[str, Gem] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    forwarders: dict[str, dict[str, str]] = field(default_factory=dict)
    """The sub-interface of each port of each forwarder."""
    links: dict[str, set[str]] = field(default_factory=dict)
    """The link table, in both directions."""

    # ------------------------------------------------------------------ places

    def termination_of(self, port: PonPort) -> Termination | None:
        """The channel termination that is this port."""
        return next((each for each in self.terminations.values() if each.port == port), None)

    def partition_of(self, port: PonPort) -> str | None:
        """The channel partition that a port serves."""
        termination = self.termination_of(port)
        pair = self.pairs.get(termination.pair or "") if termination is not None else None
        return None if pair is None else pair.partition

    def group_of(self, partition: str | None) -> str | None:
        """The channel group of a partition."""
        known = self.partitions.get(partition or "")
        if known is not None and known.group is not None:
            return known.group
        return next((each.group for each in self.pairs.values() if partition and each.partition == partition), None)

    def port_of(self, onu: VAni) -> PonPort | None:
        """The port that an ONU belongs to: its preferred channel pair's, else the only one of its partition."""
        pairs = [onu.pair] if onu.pair else [p.name for p in self.pairs.values() if p.partition == onu.partition]
        ports = [each.port for each in self.terminations.values() if each.pair in pairs and each.port is not None]
        return ports[0] if len(ports) == 1 else None

    def place_of(self, onu: VAni) -> OnuRef | None:
        """Port and ONU-ID, where both are known."""
        port = self.port_of(onu)
        return None if port is None or onu.onu_id is None else port.onu(onu.onu_id)

    def onus_of(self, port: PonPort) -> list[VAni]:
        """The ONUs of a port, by their ID."""
        found = [onu for onu in self.v_anis.values() if self.port_of(onu) == port]
        return sorted(found, key=lambda onu: (onu.onu_id is None, onu.onu_id or 0))

    def onu_at(self, place: OnuRef) -> list[VAni]:
        """The ONUs in a place: several, where somebody took the same ID twice."""
        return [onu for onu in self.v_anis.values() if self.place_of(onu) == place]

    # ------------------------------------------------------------------ what hangs on an ONU

    def v_enets_of(self, v_ani: str) -> set[str]:
        """The virtual Ethernet interfaces on a v-ani."""
        return {name for name, below in self.v_enets.items() if below == v_ani}

    def user_ports_of(self, v_ani: str) -> list[SubInterface]:
        """The sub-interfaces on the v-enets of a v-ani."""
        below = self.v_enets_of(v_ani)
        return [each for each in self.sub_interfaces.values() if each.lower in below]

    def forwarder_of(self, sub_interface: str) -> tuple[str, str] | None:
        """The forwarder that a sub-interface is a port of, and the port's name there."""
        for name, ports in self.forwarders.items():
            for port, below in ports.items():
                if below == sub_interface:
                    return name, port
        return None


def running(data: Element, names: Names, profile: NetconfProfile) -> Running:
    """Read what a reply holds of the configuration."""
    found = Running()
    pattern = re.compile(profile.port_pattern)
    for interface in names.all(data, "ietf-interfaces:interfaces/interface"):
        name = names.text(interface, "ietf-interfaces:name")
        if name is not None:
            _take(found, interface, name, names, pattern)
    _gemtcont(found, data, names)
    for forwarder in names.all(data, "bbf-l2-forwarding:forwarding/forwarders/forwarder"):
        ports = {
            names.text(port, "bbf-l2-forwarding:name") or "": names.text(port, "bbf-l2-forwarding:sub-interface") or ""
            for port in names.all(forwarder, "bbf-l2-forwarding:ports/port")
        }
        found.forwarders[names.text(forwarder, "bbf-l2-forwarding:name") or ""] = ports
    for entry in names.all(data, "bbf-link-table:link-table/link-table"):
        here = names.text(entry, "bbf-link-table:from-interface") or ""
        for there in map(leaf_text, names.all(entry, "bbf-link-table:to-interface")):
            found.links.setdefault(here, set()).add(there)
            found.links.setdefault(there, set()).add(here)
    return found


def unnamed(data: Element, names: Names) -> bool:
    """Whether the server left the names out of list entries, as it may where they are not asked for."""
    lists = ("ietf-interfaces:interfaces/interface", "ietf-interfaces:interfaces-state/interface")
    return any(names.one(each, "ietf-interfaces:name") is None for path in lists for each in names.all(data, path))


def _take(found: Running, interface: Element, name: str, names: Names, pattern: re.Pattern[str]) -> None:
    kind = names.identity(interface, "ietf-interfaces:type")
    found.types[name] = kind
    hardware = names.text(interface, "bbf-hardware:hardware-component/port-layer-if")
    if hardware is not None:
        found.hardware[name] = hardware
    for inner in interface:
        match inner.tag:
            case tag if tag == names.tag("bbf-xpon:channel-termination"):
                found.terminations[name] = Termination(
                    name, _port(name, pattern), names.text(inner, "bbf-xpon:channel-pair-ref"), hardware
                )
            case tag if tag == names.tag("bbf-xpon:channel-pair"):
                technology = names.identity(inner, "bbf-xpon:channel-pair-type")
                found.pairs[name] = Pair(
                    name,
                    names.text(inner, "bbf-xpon:channel-group-ref"),
                    names.text(inner, "bbf-xpon:channel-partition-ref"),
                    None if technology is None else technology.rpartition("}")[2],
                )
            case tag if tag == names.tag("bbf-xpon:channel-partition"):
                found.partitions[name] = Partition(
                    name,
                    names.text(inner, "bbf-xpon:channel-group-ref"),
                    names.text(inner, "bbf-xpon:authentication-method") or "serial-number",
                )
            case tag if tag == names.tag("bbf-xponvani:v-ani"):
                found.v_anis[name] = _v_ani(interface, inner, name, names)
            case tag if tag == names.tag("bbf-xponvani:olt-v-enet"):
                found.v_enets[name] = names.text(inner, "bbf-xponvani:lower-layer-interface") or ""
    lower = names.text(interface, "bbf-sub-interfaces:subif-lower-layer/interface")
    rules = tuple(
        _rule(rule, names)
        for rule in names.all(interface, "bbf-sub-interfaces:inline-frame-processing/ingress-rule/rule")
    )
    if lower is not None or rules:
        found.sub_interfaces[name] = SubInterface(name, lower, rules)


def port_in(name: str, profile: NetconfProfile) -> PonPort | None:
    """Frame, slot and port in the name of a channel termination, by the profile's pattern."""
    return _port(name, re.compile(profile.port_pattern))


def _port(name: str, pattern: re.Pattern[str]) -> PonPort | None:
    match = pattern.search(name)
    if match is None:
        return None
    try:
        return PonPort(frame=int(match["frame"]), slot=int(match["slot"]), port=int(match["port"]))
    except ValueError:  # numbers that no port has
        return None


def _v_ani(interface: Element, v_ani: Element, name: str, names: Names) -> VAni:
    return VAni(
        name=name,
        description=names.text(interface, "ietf-interfaces:description"),
        onu_id=names.number(v_ani, "bbf-xponvani:onu-id"),
        partition=names.text(v_ani, "bbf-xponvani:channel-partition"),
        pair=names.text(v_ani, "bbf-xponvani:preferred-channel-pair"),
        serial=serial_of(names.text(v_ani, "bbf-xponvani:expected-serial-number")),
        registration_id=names.text(v_ani, "bbf-xponvani:expected-registration-id"),
        loid=names.text(v_ani, "bbf-xponvani-onu-authentication:expected-loid"),
        enabled=names.text(interface, "ietf-interfaces:enabled") != "false",
    )


_MATCH = "bbf-sub-interfaces:flexible-match/bbf-sub-interface-tagging:match-criteria"
_REWRITE = "bbf-sub-interfaces:ingress-rewrite/bbf-sub-interface-tagging"


def _rule(rule: Element, names: Names) -> Rule:
    return Rule(
        untagged=names.one(rule, f"{_MATCH}/untagged") is not None,
        matched=tuple(vlan for _, vlan in _tags(names.all(rule, f"{_MATCH}/tag"), names)),
        pops=names.number(rule, f"{_REWRITE}:pop-tags") or 0,
        pushed=tuple(vlan for _, vlan in _tags(names.all(rule, f"{_REWRITE}:push-tag"), names)),
        pushed_types=tuple(kind for kind, _ in _tags(names.all(rule, f"{_REWRITE}:push-tag"), names)),
    )


def _tags(tags: Iterable[Element], names: Names) -> list[tuple[str, str]]:
    """Types and VLANs of a tag stack by index: 0 is the outer tag."""
    found = {}
    for tag in tags:
        kind = names.identity(tag, "bbf-sub-interface-tagging:dot1q-tag/tag-type") if _is_identity(tag, names) else None
        vlan = names.text(tag, "bbf-sub-interface-tagging:dot1q-tag/vlan-id") or ""
        found[names.number(tag, "bbf-sub-interface-tagging:index") or 0] = ((kind or "").rpartition("}")[2], vlan)
    return [found[index] for index in sorted(found)]


def _is_identity(tag: Element, names: Names) -> bool:
    # a tag type may be a number, too (0x88a8, 34984)
    text = names.text(tag, "bbf-sub-interface-tagging:dot1q-tag/tag-type") or ""
    return ":" in text


def _gemtcont(found: Running, data: Element, names: Names) -> None:
    top = "bbf-xpongemtcont:xpongemtcont"
    module = "bbf-xpongemtcont"
    for each in names.all(data, f"{top}/tconts/tcont"):
        name = names.text(each, f"{module}:name") or ""
        found.tconts[name] = TCont(
            name,
            names.number(each, f"{module}:alloc-id"),
            names.text(each, f"{module}:interface-reference"),
            names.text(each, f"{module}:traffic-descriptor-profile-ref"),
        )
    for each in names.all(data, f"{top}/gemports/gemport"):
        name = names.text(each, f"{module}:name") or ""
        found.gems[name] = Gem(
            name,
            names.number(each, f"{module}:gemport-id"),
            names.text(each, f"{module}:interface"),
            names.text(each, f"{module}:tcont-ref"),
        )
    path = f"{top}/traffic-descriptor-profiles/traffic-descriptor-profile"
    found.profiles = tuple(names.text(each, f"{module}:name") or "" for each in names.all(data, path))
