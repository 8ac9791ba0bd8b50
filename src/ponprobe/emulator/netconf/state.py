"""What an OLT reports over NETCONF beside its configuration: presence, distances, powers, addresses learnt."""

from __future__ import annotations

from datetime import datetime, timedelta

from ponprobe.emulator.netconf.binding import Binding
from ponprobe.emulator.netconf.infra import ports, spelled
from ponprobe.emulator.netconf.settings import NetconfSpec
from ponprobe.emulator.netconf.tree import Node, empty_tree
from ponprobe.emulator.provision import learnt, outer_vlan
from ponprobe.emulator.records import Ont, OnuView
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import PonPort, Serial

ONU_TYPES = "bbf-xpon-onu-types:onu-"
INTENDED = f"{ONU_TYPES}present-and-on-intended-channel-termination"
RANGING = f"{ONU_TYPES}present-and-v-ani-known-and-o5-failed-undefined"
UNKNOWN = f"{ONU_TYPES}present-and-no-v-ani-known-and-o5-failed-undefined"
ABSENT = f"{ONU_TYPES}not-present-with-v-ani"


def decimal64(value: float) -> str:
    """The canonical form of a decimal64: no needless zeros, but one digit after the point."""
    text = f"{value:.4f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def _mac(text: str) -> str:
    digits = "".join(char for char in text.lower() if char.isalnum())
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


class State:
    """Builds the state tree of one moment; the caller holds the world's lock.

    ``wanted`` are the names of the top-level containers that are asked for: what nobody asks for is not read (optical
    readings are noisy, each reading is another).
    """

    def __init__(self, world: OltWorld, spec: NetconfSpec, binding: Binding, about: dict[str, str]) -> None:
        self._world, self._spec, self._binding = world, spec, binding
        self._about = about

    def tree(self, wanted: set[str] | None = None) -> Node:
        """All state, with the configuration nodes that the device itself made (components of ONUs)."""
        tree = empty_tree()
        parts = {
            "hardware": self._hardware,
            "interfaces": self._linked,
            "link-table": self._links,
            "interfaces-state": self._interfaces,
            "forwarding-state": self._forwarding,
        }
        vanis = {each.ref: name for name, each in self._binding.bound.items()}
        views = [(vanis[view.entry.ref], view) for view in self._world.views() if view.entry.ref in vanis]
        for name, build in parts.items():
            if wanted is None or name in wanted:
                build(tree, views)
        tree.prune()
        return tree

    def _present(self, port: PonPort) -> list[Ont]:
        """The ONUs whose light reaches a port, in the order of their serials; only serials that the models can hold."""
        found = [ont for ont in self._world.onts.values() if ont.port == port and self._world.shines(ont)]
        return sorted((ont for ont in found if len(str(ont.serial)) == 12), key=lambda ont: str(ont.serial))

    # ------------------------------------------------------------------ hardware

    def _hardware(self, tree: Node, views: list[tuple[str, OnuView]]) -> None:
        hardware = tree.within("hardware", "ietf-hardware")
        frames = sorted({port.frame for port in ports(self._world)})
        for frame in frames:
            chassis = hardware.add("component", f"chassis-{frame}")
            for leaf in ("software-rev", "mfg-name", "model-name"):
                if leaf in self._about:
                    chassis.add(leaf, self._about[leaf])
        for frame, slot in sorted({(port.frame, port.slot) for port in ports(self._world)}):
            board = hardware.add("component", f"board-{frame}-{slot}")
            board.add("model-name", self._world.boards[slot].real_name or self._world.boards[slot].name)
        by_serial = {view.ont.serial: (name, view) for name, view in views if view.ont is not None and view.online}
        for port in ports(self._world):
            self._port_link(hardware, port, by_serial)
        if self._spec.onu_hardware != "none":
            for name, view in views:
                if view.online and view.ont is not None:
                    self._onu_components(hardware, name, view)

    def _port_link(self, hardware: Node, port: PonPort, by_serial: dict[Serial, tuple[str, OnuView]]) -> None:
        link = hardware.add("component", f"ponlink-{spelled(port)}")
        diagnostics = link.within("transceiver-link", "bbf-hardware-transceivers").within("diagnostics")
        self._powers(diagnostics, self._world.read_launch(port), None)
        for ont in self._present(port):
            name, view = by_serial.get(ont.serial, (None, None))
            read = self._world.read_optics(view).olt_rx if view is not None else None
            each = diagnostics.add("rssi-onu", str(ont.serial), "bbf-hardware-transceivers-xpon")
            each.add("rssi", "unknown" if read is None else str(round(read * 10)))
            if name is not None:
                each.add("v-ani-ref", name)

    def _onu_components(self, hardware: Node, name: str, view: OnuView) -> None:
        ont = view.ont
        if ont is None:
            return
        short = _short(name)
        chassis = hardware.add("component", f"ONU.{short}")
        chassis.add("class", "iana-hardware:chassis")
        if self._spec.onu_hardware == "serial":
            chassis.add("serial-num", str(ont.serial))
        transceiver = hardware.add("component", f"ONU.{short}.xcvr")
        transceiver.add("class", "bbf-hardware-types:transceiver")
        transceiver.add("parent", f"ONU.{short}")
        link = hardware.add("component", f"ONU.{short}.anilink")
        link.add("class", "bbf-hardware-types:transceiver-link")
        link.add("parent", f"ONU.{short}.xcvr")
        read = self._world.read_optics(view)
        diagnostics = link.within("transceiver-link", "bbf-hardware-transceivers").within("diagnostics")
        self._powers(diagnostics, read.onu_tx, read.onu_rx)

    def _powers(self, diagnostics: Node, transmit: float | None, receive: float | None) -> None:
        """In the leaves of the scenario's style."""
        values = [(name, value) for name, value in (("transmit", transmit), ("receive", receive)) if value is not None]
        if not values:
            return
        style = self._spec.powers
        if style in {"dbm", "milliwatts"}:
            holder = diagnostics.within(f"power-{style}")
            for name, dbm in values:
                holder.add(name, decimal64(dbm if style == "dbm" else 10 ** (dbm / 10)))
            return
        steps = 10 if style == "old" else 10_000
        for name, dbm in values:
            counted = min(65_535, round(10 ** (dbm / 10) * steps))
            diagnostics.add("tx-power" if name == "transmit" else "rx-power", str(counted))

    # ------------------------------------------------------------------ how an ONU's hardware is linked to its v-ani

    def _linked(self, tree: Node, views: list[tuple[str, OnuView]]) -> None:
        if self._spec.onu_hardware != "link_table":
            return
        interfaces = tree.within("interfaces", "ietf-interfaces")
        for name, view in views:
            if view.online:
                ani = interfaces.add("interface", f"ANI.{_short(name)}")
                ani.add("type", "bbf-xpon-if-type:ani")
                component = f"ONU.{_short(name)}.anilink"
                ani.within("hardware-component", "bbf-hardware").add("port-layer-if", component)

    def _links(self, tree: Node, views: list[tuple[str, OnuView]]) -> None:
        if self._spec.onu_hardware != "link_table":
            return
        table = tree.within("link-table", "bbf-link-table")
        for name, view in views:
            if view.online:
                table.add("link-table", f"ANI.{_short(name)}").add("to-interface", name)

    # ------------------------------------------------------------------ interfaces

    def _interfaces(self, tree: Node, views: list[tuple[str, OnuView]]) -> None:
        interfaces = tree.within("interfaces-state", "ietf-interfaces")
        started = self._world.wall() - timedelta(seconds=self._world.uptime_s)
        known = {view.entry.shown_serial: (name, view) for name, view in views}
        for port in ports(self._world):
            plant = self._world.plants[port]
            kind = "bbf-xpon-if-type:channel-termination"
            of = _status(interfaces, f"CT.{spelled(port)}", kind, started, up=plant.laser_on)
            termination = of.within("channel-termination", "bbf-xpon")
            termination.add("location", "bbf-xpon-types:inside-olt")
            listed = termination.within("onus-present-on-local-channel-termination", "bbf-xpon-onu-state")
            for ont in self._present(port):
                self._presence(listed, ont, known.get(ont.serial))
        for name, view in views:
            self._v_ani(interfaces, name, view, started)

    def _presence(self, listed: Node, ont: Ont, known: tuple[str, OnuView] | None) -> None:
        each = listed.add("onu", str(ont.serial))
        seen = self._world.wall(max(ont.lit_at, ont.plugged_at))
        if known is None:
            each.add("onu-presence-state", UNKNOWN)
            changed = self._world.wall(ont.idle_since)
        else:
            name, view = known
            each.add("onu-presence-state", INTENDED if view.online else RANGING)
            each.add("onu-id", str(view.entry.ref.onu_id))
            if ont.password is not None:
                each.add("detected-registration-id", ont.password.encode("latin-1").hex())
            each.add("v-ani-ref", name)
            changed = self._world.up_at(view) or seen
        each.add("onu-detected-datetime", _date(seen))
        each.add("onu-state-last-change", _date(max(seen, changed)))

    def _v_ani(self, interfaces: Node, name: str, view: OnuView, started: datetime) -> None:
        port = view.entry.ref.port
        of = _status(interfaces, name, "bbf-xpon-if-type:v-ani", started, up=view.online).within(
            "v-ani", "bbf-xponvani"
        )
        of.add("onu-id", str(view.entry.ref.onu_id))
        here = view.ont is not None and self._world.shines(view.ont)
        of.add("onu-presence-state", INTENDED if view.online else RANGING if here else ABSENT)
        if here and view.ont is not None:
            on = of.within("onu-present-on-this-olt")
            on.add("onu-present-on-this-channel-pair", f"CPAIR.{spelled(port)}")
            on.add("onu-present-on-this-channel-termination", f"CT.{spelled(port)}")
            if view.distance_m is not None:
                on.add("onu-fiber-distance", str(view.distance_m))
            on.add("detected-serial-number", str(view.ont.serial))

    # ------------------------------------------------------------------ forwarding

    def _forwarding(self, tree: Node, views: list[tuple[str, OnuView]]) -> None:
        """A database for each forwarder of a customer: what was learnt behind its ONU."""
        top = tree.within("forwarding-state", "bbf-l2-forwarding")
        for name, view in views:
            macs = self._macs(view)
            for forwarder, index in sorted(self._binding.bound[name].services.items()):
                each = top.within("forwarders").add("forwarder", forwarder)
                each.within("forwarding-databases").add("forwarding-database", forwarder)
                base = top.within("forwarding-databases").add("forwarding-database", forwarder)
                for mac in macs.get(index, ()):
                    entry = base.within("mac-addresses").add("mac-address", _mac(mac))
                    entry.add("forwarder", forwarder)
                    entry.add("port", "user")

    def _macs(self, view: OnuView) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        if view.entry.provision is not None:
            for mac, outer, flow in learnt(self._world, view):
                if outer == outer_vlan(self._world, view.entry.ref.port, flow):
                    found.setdefault(flow.index, []).append(mac)
            return found
        for service in self._world.services_of(view.entry.ref.port, view.entry.ref.onu_id):
            found[service.index] = [mac for _, mac in self._world.learnt_macs(service)]
        return found


def _short(name: str) -> str:
    """A v-ani's name without what it begins with."""
    return name.partition(".")[2] or name


def _date(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _status(interfaces: Node, name: str, kind: str, started: datetime, *, up: bool) -> Node:
    each = interfaces.add("interface", name)
    each.add("type", kind)
    each.add("oper-status", "up" if up else "down")
    each.within("statistics").add("discontinuity-time", _date(started))
    return each
