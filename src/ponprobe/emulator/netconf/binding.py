"""The ONUs of a configuration are the ONUs of the world: one is changed with the other, both ways."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Protocol

from ponprobe.emulator.netconf.errors import Denied, failed
from ponprobe.emulator.netconf.infra import spelled
from ponprobe.emulator.netconf.lines import Line, Path, read_lines, remove_line, remove_path, write_line, write_path
from ponprobe.emulator.netconf.settings import NetconfSpec
from ponprobe.emulator.netconf.tree import Node
from ponprobe.emulator.provision import Flow, GemPort, OmciService, Tcont, UniVlan, add_tcont, outer_vlan, provided
from ponprobe.emulator.records import OnuEntry, Reason, Refused, Service
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import OnuRef, Serial

WORDS: dict[Reason, str] = {
    "serial_exists": "another v-ani expects this serial number",
    "auth_exists": "another v-ani expects this registration ID or LOID",
    "id_exists": "another v-ani of this channel partition has this onu-id",
    "no_id_left": "the channel partition has no onu-id left",
    "no_vlan": "the outer VLAN is not on this OLT",
    "service_exists": "another service has these VLANs",
    "no_tcont_profile": "the OLT has no such traffic descriptor profile",
    "too_much_bandwidth": "the channel has not so much bandwidth left",
}
"""Why the OLT itself refuses what its models allow; the wording is the emulator's own."""


def refusal(line: str, reason: Reason) -> Denied:
    """An OLT's refusal of one v-ani."""
    return Denied(failed(f"{line}: {WORDS.get(reason, reason.replace('_', ' '))}."))


class Side(Protocol):
    """How one vendor's OLT keeps an ONU's services."""

    def register(self, line: Line) -> OnuRef:
        """Register the ONU of a v-ani."""

    def paths(self) -> dict[OnuRef, dict[int, Path]]:
        """The services of every ONU by the vendor's index; without forwarder names."""

    def add(self, ref: OnuRef, path: Path) -> int:
        """Create a service; gives its index."""

    def remove(self, ref: OnuRef, index: int) -> None:
        """Delete one."""


class ProfiledSide:
    """An OLT with line and service profiles: services are service ports of the OLT."""

    def __init__(self, world: OltWorld, spec: NetconfSpec) -> None:
        self._world, self._spec = world, spec

    def register(self, line: Line) -> OnuRef:
        """Register with the scenario's profiles, or the smallest."""
        line_profile = min(self._world.line_profiles, default=0)
        service_profile = min(self._world.service_profiles, default=0)
        return _register(
            self._world,
            line,
            line_profile=line_profile if self._spec.line_profile is None else self._spec.line_profile,
            service_profile=service_profile if self._spec.service_profile is None else self._spec.service_profile,
        )

    def paths(self) -> dict[OnuRef, dict[int, Path]]:
        """The service ports, without those that a whole port shares."""
        found: dict[OnuRef, dict[int, Path]] = {}
        for index, service in self._world.services.items():
            entry = self._world.onus.get(service.port.onu(service.onu_id)) if service.onu_id is not None else None
            if entry is not None:
                user = int(service.user_vlan) if service.user_vlan.isdigit() else None
                untagged = user is None or any(vlan == user for vlan, _ in entry.native_vlans.values())
                path = Path("", service.vlan, service.inner_vlan or user, None if untagged else user, None)
                found.setdefault(entry.ref, {})[index] = path
        return found

    def add(self, ref: OnuRef, path: Path) -> int:
        """A service port; untagged frames get the customer's VLAN in the ONU, as on the command line."""
        inner = path.user_vlan or path.cvlan or path.svlan
        index = self._world.free_service_index()
        entry = self._world.onus[ref]
        gems = self._world.line_profiles[entry.line_profile].gems
        self._world.add_service(
            Service(
                index=index,
                vlan=path.svlan,
                port=ref.port,
                onu_id=ref.onu_id,
                gem=min(gems, default=None),
                user_vlan=str(inner),
                transform="translate" if path.cvlan is None else "translate-and-add",
                inner_vlan=path.cvlan,
            )
        )
        if path.user_vlan is None:
            entry.native_vlans[1] = (inner, 0)
        return index

    def remove(self, ref: OnuRef, index: int) -> None:
        """Delete the service port; with the last one the ONU's own VLAN goes."""
        service = self._world.services[index]
        self._world.remove_service(index)
        natives = self._world.onus[ref].native_vlans
        if natives.get(1) == (int(service.user_vlan) if service.user_vlan.isdigit() else None, 0):
            natives.pop(1)


class TypedSide:
    """An OLT with ONU types: T-CONT, GEM port, service port and the ONU's side belong to each ONU."""

    def __init__(self, world: OltWorld, spec: NetconfSpec) -> None:
        self._world, self._spec = world, spec

    def register(self, line: Line) -> OnuRef:
        """Register with the first type that fits."""
        return _register(self._world, line)

    def paths(self) -> dict[OnuRef, dict[int, Path]]:
        """The flows."""
        return {ref: self._flows(entry) for ref, entry in self._world.onus.items()}

    def _flows(self, entry: OnuEntry) -> dict[int, Path]:
        provision, found = provided(entry), {}
        for index, flow in provision.flows.items():
            outer = outer_vlan(self._world, entry.ref.port, flow)
            gem = provision.gemports.get(flow.vport)
            tcont = provision.tconts.get(gem.tcont) if gem is not None else None
            untagged = any(uni.mode == "tag" and uni.vlan == flow.user_vlan for uni in provision.unis.values())
            profile = tcont.profile if tcont is not None else None
            inner = flow.vlan if outer != flow.vlan else None
            found[index] = Path("", outer, inner, None if untagged else flow.user_vlan, profile)
        return found

    def add(self, ref: OnuRef, path: Path) -> int:
        """All four pieces, with the first free number."""
        entry = self._world.onus[ref]
        provision, inner = provided(entry), path.user_vlan or path.cvlan or path.svlan
        taken = {*provision.flows, *provision.tconts, *provision.gemports}
        index = next(number for number in range(1, len(taken) + 2) if number not in taken)
        if path.svlan not in self._world.vlans:
            raise Refused("no_vlan")
        for other in self._world.onus.values():
            if other.ref.port == ref.port and any(
                (each.svlan, each.cvlan) == (path.svlan, path.cvlan) for each in self._flows(other).values()
            ):
                raise Refused("service_exists")
        add_tcont(self._world, entry, index, Tcont(path.profile or ""))
        provision.add_gemport(index, GemPort(index))
        provision.add_service(str(index), OmciService(index, inner))
        svlan = path.svlan if path.cvlan is not None else None
        provision.add_flow(Flow(index, index, inner, path.cvlan or path.svlan, svlan), "gpon")
        if path.user_vlan is None:
            provision.unis["eth_0/1"] = UniVlan("tag", inner)
        return index

    def remove(self, ref: OnuRef, index: int) -> None:
        """All four pieces."""
        provision = provided(self._world.onus[ref])
        flow = provision.flows.pop(index)
        provision.services.pop(str(index), None)
        provision.remove_tcont(index)
        if provision.unis.get("eth_0/1") == UniVlan("tag", flow.user_vlan):
            provision.unis.pop("eth_0/1")


def _register(world: OltWorld, line: Line, line_profile: int = 0, service_profile: int = 0) -> OnuRef:
    """Register by what the channel partition asks for; what else the v-ani says of its ONU is not looked at."""
    if line.port is None:
        raise Refused("no_port")
    serial = line.serial if line.method in {"serial-number", "as-per-v-ani-expected"} else None
    password = line.password if line.method in {"registration-id", "as-per-v-ani-expected"} else None
    loid = line.loid if line.method in {"loid", "as-per-v-ani-expected"} and serial is None else None
    return world.register(
        line.port,
        line.onu_id,
        serial=Serial(serial) if serial is not None else None,
        password=password if loid is None else None,
        loid=loid,
        description=line.description,
        line_profile=line_profile,
        service_profile=service_profile,
    )


def _identity(entry: OnuEntry) -> tuple[object, ...]:
    return (entry.auth, entry.serial, entry.password, entry.loid)


@dataclass
class Bound:
    """A v-ani and its ONU; ``services``: the vendor's index for each forwarder."""

    ref: OnuRef
    identity: tuple[object, ...]
    services: dict[str, int] = field(default_factory=dict)


@dataclass
class Backup:
    """The ONUs at one moment."""

    onus: dict[OnuRef, OnuEntry]
    services: dict[int, Service]
    bound: dict[str, Bound]


class Binding:
    """Keeps world and configuration the same. The caller holds the world's lock."""

    def __init__(self, world: OltWorld, spec: NetconfSpec, uplink: str) -> None:
        self._world, self._spec, self._uplink = world, spec, uplink
        self._side: Side = TypedSide(world, spec) if world.onu_types else ProfiledSide(world, spec)
        self.bound: dict[str, Bound] = {}

    # ------------------------------------------------------------------ the world changed

    def follow(self, *trees: Node) -> None:
        """Bring what was changed by other means (the command line, a test) into the trees."""
        world, paths = self._world, self._side.paths()
        for name, each in list(self.bound.items()):
            entry = world.onus.get(each.ref)
            if entry is None or _identity(entry) != each.identity:
                del self.bound[name]
                for tree in trees:
                    remove_line(tree, name)
            else:
                self._follow_services(name, each, entry, paths.get(each.ref, {}), trees)
        known = {each.ref for each in self.bound.values()}
        for ref, entry in world.onus.items():
            if ref not in known and world.plants[ref.port].technology == "gpon":
                self._take_in(entry, paths.get(ref, {}), trees)

    def _follow_services(
        self, name: str, each: Bound, entry: OnuEntry, there: dict[int, Path], trees: tuple[Node, ...]
    ) -> None:
        for forwarder, index in list(each.services.items()):
            if index not in there:
                del each.services[forwarder]
                for tree in trees:
                    remove_path(tree, forwarder)
        for index in sorted(set(there) - set(each.services.values())):
            path = replace(there[index], forwarder=self._forwarder(each.ref, index))
            each.services[path.forwarder] = index
            for tree in trees:
                write_path(tree, self._line(name, entry), path, len(each.services), self._uplink)

    def _take_in(self, entry: OnuEntry, there: dict[int, Path], trees: tuple[Node, ...]) -> None:
        name = f"VANI.{spelled(entry.ref.port)}.{entry.ref.onu_id}"
        services = {self._forwarder(entry.ref, index): index for index in sorted(there)}
        paths = tuple(replace(there[index], forwarder=forwarder) for forwarder, index in services.items())
        for tree in trees:
            interfaces = tree.get("interfaces")
            if interfaces is not None and interfaces.entry("interface", name) is not None:
                remove_line(tree, name)
            write_line(tree, replace(self._line(name, entry), paths=paths), self._uplink)
        self.bound[name] = Bound(entry.ref, _identity(entry), services)

    @staticmethod
    def _forwarder(ref: OnuRef, index: int) -> str:
        return f"FWD.{spelled(ref.port)}.{ref.onu_id}.{index}"

    @staticmethod
    def _line(name: str, entry: OnuEntry) -> Line:
        serial = str(entry.serial) if entry.serial is not None else None
        of = entry.ref
        return Line(name, of.port, of.onu_id, serial, entry.password, entry.loid, entry.description)

    # ------------------------------------------------------------------ the configuration changed

    def apply(self, old: Node, new: Node) -> None:
        """Make the world's ONUs those of a new configuration; raises :class:`Denied`, and nothing has changed then."""
        before, lines = read_lines(old), read_lines(new)
        if self._spec.strict_onu_ids:
            self._check_ids(lines)
        saved = self.backup()
        try:
            self._drop_lines(before, lines)
            for name, line in lines.items():
                if name in self.bound:
                    self._change_services(line, before[name].paths)
                elif line.port is not None and line.identifies:
                    self._add_line(line)
        except Denied:
            self.restore(saved)
            raise

    def _check_ids(self, lines: dict[str, Line]) -> None:
        ids: set[tuple[object, int]] = set()
        for name, line in lines.items():
            if line.onu_id is not None and line.port is not None:
                if (line.port, line.onu_id) in ids:
                    raise refusal(name, "id_exists")
                ids.add((line.port, line.onu_id))
                if line.onu_id not in self._world.onu_ids:
                    lowest, highest = self._world.onu_ids[0], self._world.onu_ids[-1]
                    raise Denied(failed(f"{name}: onu-id {line.onu_id} is not in {lowest}..{highest}."))

    def _drop_lines(self, before: dict[str, Line], lines: dict[str, Line]) -> None:
        for name, each in list(self.bound.items()):
            line = lines.get(name)
            if line is not None and line.identity == before[name].identity:
                if line.description != before[name].description:
                    self._world.onus[each.ref].description = line.description
                continue
            for index in self._side.paths().get(each.ref, {}):
                self._side.remove(each.ref, index)
            self._world.delete(each.ref)
            del self.bound[name]

    def _add_line(self, line: Line) -> None:
        try:
            ref = self._side.register(line)
        except Refused as refused:
            if self._spec.strict_onu_ids or refused.reason not in {"serial_exists", "id_exists", "auth_exists"}:
                raise refusal(line.name, refused.reason) from refused
            return
        self.bound[line.name] = Bound(ref, _identity(self._world.onus[ref]))
        self._change_services(line, ())

    def _change_services(self, line: Line, before: tuple[Path, ...]) -> None:
        each = self.bound[line.name]
        wanted = {path.forwarder: path for path in line.paths}
        for forwarder, index in list(each.services.items()):
            if wanted.get(forwarder) not in before:
                self._side.remove(each.ref, index)
                del each.services[forwarder]
        for forwarder, path in wanted.items():
            if forwarder not in each.services:
                try:
                    each.services[forwarder] = self._side.add(each.ref, path)
                except Refused as refused:
                    raise refusal(line.name, refused.reason) from refused

    # ------------------------------------------------------------------ going back

    def backup(self) -> Backup:
        """The ONUs as they are now."""
        world = self._world
        onus = {
            ref: replace(entry, native_vlans=dict(entry.native_vlans), provision=copy.deepcopy(entry.provision))
            for ref, entry in world.onus.items()
        }
        bound = {name: replace(each, services=dict(each.services)) for name, each in self.bound.items()}
        return Backup(onus, dict(world.services), bound)

    def restore(self, saved: Backup) -> None:
        """Put the ONUs of that moment back: all of them, whoever changed them since."""
        world = self._world
        before = {ref: entry for ref, entry in world.onus.items() if ref in saved.onus}
        world.services.clear()
        for ref, entry in list(world.onus.items()):
            if ref not in saved.onus or _identity(entry) != _identity(saved.onus[ref]):
                world.delete(ref)
        for ref, entry in saved.onus.items():
            # an ONU that is as it was keeps what has been seen of it since
            kept = before.get(ref)
            world.onus[ref] = kept if kept is not None and _configured(kept) == _configured(entry) else entry
        world.services.update(saved.services)
        self.bound = saved.bound


def _configured(entry: OnuEntry) -> tuple[object, ...]:
    return (*_identity(entry), entry.description, entry.native_vlans, entry.provision, entry.line_profile, entry.mode)
