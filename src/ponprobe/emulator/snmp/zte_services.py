"""ZTE's tables of service ports and of the MAC addresses seen behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ponprobe.emulator.provision import Flow, learnt, outer_vlan, provided
from ponprobe.emulator.snmp.ber import Oid, Value, integer, octets, text
from ponprobe.emulator.snmp.common import ACTIVE, UP, mac_octets
from ponprobe.emulator.snmp.tree import Cell, Listing, Moment, Tree
from ponprobe.emulator.snmp.zte_index import L, N, bridge_port, epon_onu, gpon_onu, service_port
from ponprobe.emulator.zte import Personality
from ponprobe.models.addressing import OnuRef

TAGGED = 4
"""The mode of a service port that takes frames with the user's VLAN."""
LEARNT = integer(3)


class Service(NamedTuple):
    """A service port; ``nth`` of its virtual port, from 0."""

    ref: OnuRef
    flow: Flow
    nth: int


class Seen(NamedTuple):
    """A MAC address with its outermost VLAN."""

    ref: OnuRef
    vport: int
    vlan: int
    mac: str


def add(tree: Tree, of: Personality) -> None:
    """Service ports and MAC addresses, where this build has them."""
    world = tree.world

    def services() -> list[Service]:
        found: list[Service] = []
        for ref, entry in world.onus.items():
            before: dict[int, int] = {}
            for _, flow in sorted(provided(entry).flows.items()):
                found.append(Service(ref, flow, before.setdefault(flow.vport, 0)))
                before[flow.vport] += 1
        return found

    def possible() -> list[Seen]:
        """Whatever could be learnt; whether it has been, a cell finds out."""
        return [
            Seen(ref, flow.vport, outer_vlan(world, ref.port, flow), mac)
            for ref, entry in world.onus.items()
            if entry.shown_serial in world.onts
            for mac in world.onts[entry.shown_serial].macs
            for flow in provided(entry).flows.values()
        ]

    def when_learnt(value: Callable[[Seen], Value]) -> Cell:
        def cell(moment: Moment, each: Seen) -> Value | None:
            found = ((mac, vlan, flow.vport) for mac, vlan, flow in learnt(world, moment.view(each.ref)))
            return value(each) if (each.mac, each.vlan, each.vport) in found else None

        return cell

    def onu_number(ref: OnuRef) -> int:
        ports = world.boards[ref.port.slot].ports
        return epon_onu(ref, ports) if world.plants[ref.port].technology == "epon" else gpon_onu(ref, ports)

    def address(each: Seen) -> Oid:
        return tuple(mac_octets(each.mac))

    def old_services(all_: list[Service]) -> Iterator[tuple[Oid, Service]]:
        return (((onu_number(each.ref), each.flow.index), each) for each in all_)

    def new_services(all_: list[Service]) -> Iterator[tuple[Oid, Service]]:
        return ((service_port(each.ref, each.flow.vport, each.nth), each) for each in all_)

    def old_macs(all_: list[Seen]) -> Iterator[tuple[Oid, Seen]]:
        return (((onu_number(each.ref), each.vlan, *address(each)), each) for each in all_)

    def new_macs(all_: list[Seen]) -> Iterator[tuple[Oid, Seen]]:
        return (((*bridge_port(each.ref, each.vport), each.vlan, *address(each)), each) for each in all_)

    def titan_macs(all_: list[Seen]) -> Iterator[tuple[Oid, Seen]]:
        return (((each.vlan, *service_port(each.ref, each.vport), 1, *address(each)), each) for each in all_)

    if of.old:
        cells = {
            4: lambda _, __: integer(TAGGED),
            5: lambda _, each: integer(each.flow.user_vlan),
            9: lambda _, each: integer(each.flow.vlan),
            10: lambda _, each: integer(each.flow.svlan or 0),
            22: lambda _, __: integer(UP),
            100: lambda _, __: ACTIVE,
        }
        tree.table(f"{L}.8.1.1.1", Listing(services, old_services), cells)
        tree.table(f"{L}.6.1.3.1.5", Listing(possible, old_macs), {1: when_learnt(lambda each: integer(each.vport))})
        return
    cells = {
        1: lambda _, __: text(""),
        4: lambda _, __: integer(TAGGED),
        5: lambda _, each: integer(each.flow.vport),
        8: lambda _, each: integer(each.flow.user_vlan),
        18: lambda _, each: integer(each.flow.vlan),
        # 0: no outer tag
        19: lambda _, each: integer(each.flow.svlan or 0),
        50: lambda _, __: ACTIVE,
    }
    tree.table(f"{N}.110.5.2.2.1", Listing(services, new_services), cells)
    if of.titan:
        value = {1: when_learnt(lambda each: octets(mac_octets(each.mac)))}
        tree.table(f"{N}.40.10.2.1.5.1", Listing(possible, titan_macs), value)
    else:
        # the column's own number is 50; the interface's kind, 1, stands before the port
        tree.table(f"{N}.40.10.2.1.2.1.50", Listing(possible, new_macs), {1: when_learnt(lambda _: LEARNT)})
