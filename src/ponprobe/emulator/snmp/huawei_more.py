"""Huawei's other tables: waiting ONTs, the register log, ONTs' ports, service ports, profiles, EPON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import NamedTuple

from ponprobe.emulator.records import LineProfile, Ont, OnuEntry, Service, ServiceProfile, serial_mac
from ponprobe.emulator.snmp.ber import Oid, Value, integer, integer32, octets, text
from ponprobe.emulator.snmp.common import ACTIVE, DOWN, UP, listed_waiting, mac_octets, moment_of
from ponprobe.emulator.snmp.huawei_onts import (
    NONE,
    ONT_C,
    ONT_MA,
    ONT_MV,
    X,
    centi,
    ddm,
    if_index,
    olt_rx,
    onts,
    onu_rx,
    onu_tx,
    ports,
    secret,
    state_columns,
)
from ponprobe.emulator.snmp.tree import Cell, Listing, Moment, Tree
from ponprobe.models.addressing import OnuRef

PROFILES = "1.3.6.1.4.1.2011.6.128.1.1.3"
FLOWS = "1.3.6.1.4.1.2011.5.14.5"
TRANSFORMS = {
    "add": 0,
    "transparent": 1,
    "translate": 2,
    "translate-and-add": 3,
    "add-double": 4,
    "translate-double": 5,
}
SUCCESS, SN_CONFLICT, PASSWORD_CONFLICT, LOID_CONFLICT, PASSWORD_ERROR, UNCONFIRMED, LOID_ERROR = 1, 3, 4, 5, 6, 9, 11
"""hwGponDeviceOntRegisterResult."""
UNTAGGED, ANY_VLAN = 0xFFFF, 0xFFFE
BY_USER_VLAN, SINGLE = 1, 255
AUTO_1000 = 7
ADAPTIVE_PORTS = 4
"""How many Ethernet ports are listed where the service profile leaves the number to the ONT."""


def add(tree: Tree, *, newer: bool) -> None:
    """All of it; ``newer`` builds tell more of a waiting ONT."""
    _add_waiting(tree, newer=newer)
    _add_register_log(tree)
    _add_unis(tree)
    _add_services(tree)
    _add_profiles(tree)
    if any(plant.technology == "epon" for plant in tree.world.plants.values()):
        _add_epon(tree)


# ---------------------------------------------------------------------- who waits, and who is in whose way


def _add_waiting(tree: Tree, *, newer: bool) -> None:
    world = tree.world

    def index(ont: Ont) -> Oid | None:
        return (if_index(ont.port),) if world.plants[ont.port].technology == "gpon" else None

    columns = {
        2: lambda _, ont: octets(bytes.fromhex(ont.serial.hex16)),
        3: lambda _, ont: secret(ont.password),
        4: lambda _, ont: text(ont.serial.vendor_id),
        5: lambda _, ont: text(ont.version),
        6: lambda _, ont: text(ont.software),
        7: lambda _, ont: text(ont.model),
        8: lambda _, ont: moment_of(ont.found_at, zone=True),
        9: lambda _, ont: text(ont.loid or ""),
        10: lambda _, ont: text(ont.checkcode or ""),
    }
    if newer:
        columns |= {12: lambda _, __: integer(1), 14: lambda _, __: octets(b"")}
    tree.table(f"{X}.48.1", listed_waiting(tree, index, first=0), columns)


class Attempt(NamedTuple):
    """What came of an ONT that shines; ``rival`` is the registered ONT in its way."""

    result: int
    rival: OnuRef | None = None


def _attempt(moment: Moment, ont: Ont) -> Attempt | None:
    """The latest line of the log about an ONT; none about one that the OLT cannot hear."""
    if not moment.world.shines(ont):
        return None
    ref = moment.onus.named(ont.serial)
    if ref is not None:
        if moment.view(ref).ont is ont:
            return Attempt(SUCCESS)
        return Attempt(PASSWORD_ERROR) if ref.port == ont.port else Attempt(SN_CONFLICT, ref)
    for ref in moment.onus.without_serial:
        entry, here = moment.world.onus[ref], ref.port == ont.port
        if moment.view(ref).ont is ont:
            return Attempt(SUCCESS)
        if ont.loid is not None and entry.loid == ont.loid:
            return Attempt(LOID_ERROR) if here else Attempt(LOID_CONFLICT, ref)
        if ont.password is not None and entry.password == ont.password:
            return Attempt(PASSWORD_CONFLICT, ref)
    return Attempt(UNCONFIRMED)


def _add_register_log(tree: Tree) -> None:
    world = tree.world

    def index(all_: list[Ont]) -> Iterator[tuple[Oid, Ont]]:
        numbers: dict[int, Iterator[int]] = {}
        for ont in all_:
            if world.plants[ont.port].technology == "gpon":
                port = if_index(ont.port)
                yield (port, next(numbers.setdefault(port, count()))), ont

    def told(value: Callable[[Attempt, Ont], Value]) -> Cell:
        def cell(moment: Moment, ont: Ont) -> Value | None:
            attempt = _attempt(moment, ont)
            return None if attempt is None else value(attempt, ont)

        return cell

    tree.table(
        f"{X}.52.1",
        Listing(lambda: list(world.onts.values()), index),
        {
            2: told(lambda _, ont: octets(bytes.fromhex(ont.serial.hex16))),
            3: told(lambda attempt, _: integer(attempt.result)),
            4: told(lambda _, ont: moment_of(ont.found_at or world.wall(ont.lit_at), zone=True)),
            5: told(lambda attempt, _: integer32(if_index(attempt.rival.port)) if attempt.rival else NONE),
            6: told(lambda attempt, _: integer(attempt.rival.onu_id) if attempt.rival else NONE),
        },
    )


# ---------------------------------------------------------------------- ONTs' own ports


def _add_unis(tree: Tree) -> None:
    world = tree.world

    def counted() -> list[tuple[OnuRef, int | None]]:
        profiles = world.service_profiles
        return [(ref, profiles[entry.service_profile].eth) for ref, entry in world.onus.items()]

    def index(refs: list[tuple[OnuRef, int | None]]) -> Iterator[tuple[Oid, tuple[OnuRef, int]]]:
        for ref, eth in refs:
            if world.plants[ref.port].technology == "gpon":
                for number in range(1, (ADAPTIVE_PORTS if eth is None else eth) + 1):
                    yield (if_index(ref.port), ref.onu_id, number), (ref, number)

    def linked(moment: Moment, row: tuple[OnuRef, int]) -> Value:
        view = moment.view(row[0])
        if not view.online or view.ont is None:
            return NONE
        return integer(UP if row[1] == 1 and view.ont.macs else DOWN)

    def speed(moment: Moment, row: tuple[OnuRef, int]) -> Value:
        return integer(AUTO_1000) if moment.view(row[0]).online else NONE

    def native(_: Moment, row: tuple[OnuRef, int]) -> Value:
        return integer(world.onus[row[0]].native_vlans.get(row[1], (1, 0))[0])

    tree.table(
        f"{X}.62.1",
        Listing(counted, index),
        {4: speed, 5: lambda _, __: integer(1), 7: native, 22: linked},
        slow=True,
    )


# ---------------------------------------------------------------------- service ports and profiles


def _user_vlan(service: Service) -> int:
    if service.user_vlan == "untagged":
        return UNTAGGED
    return int(service.user_vlan) if service.user_vlan.isdigit() else ANY_VLAN


def _number(value: int | None) -> Value:
    return NONE if value is None else integer(value)


def _table_name(number: int | None) -> Value:
    return text("" if number is None else f"ip-traffic-table_{number}")


def _add_services(tree: Tree) -> None:
    world = tree.world
    tree.scalar(f"{FLOWS}.1", lambda _: integer(world.free_service_index()))

    def transform(service: Service) -> int:
        return TRANSFORMS.get(service.transform, TRANSFORMS["translate"])

    def inner(_: Moment, service: Service) -> Value:
        return NONE if service.inner_vlan is None else integer(service.inner_vlan)

    tree.table(
        f"{FLOWS}.2.1",
        Listing(lambda: list(world.services.values()), lambda all_: (((each.index,), each) for each in all_)),
        {
            2: lambda _, each: integer(each.port.frame),
            3: lambda _, each: integer(each.port.slot),
            4: lambda _, each: integer(each.port.port),
            5: lambda _, each: _number(each.onu_id),
            6: lambda _, each: _number(each.gem),
            7: lambda _, each: integer(6 if world.plants[each.port].technology == "epon" else 4),
            8: lambda _, each: integer(each.vlan),
            9: lambda _, each: _number(each.outbound),
            10: lambda _, each: _number(each.inbound),
            11: lambda _, each: integer(SINGLE if _user_vlan(each) == ANY_VLAN else BY_USER_VLAN),
            12: lambda _, each: integer(_user_vlan(each)),
            13: lambda _, __: integer(UP),
            14: lambda _, each: integer(UP if world.is_up(each) else DOWN),
            15: lambda _, __: ACTIVE,
            17: lambda _, __: text(""),
            18: lambda _, each: integer(transform(each)),
            21: lambda _, each: _table_name(each.outbound),
            22: lambda _, each: _table_name(each.inbound),
            25: inner,
            26: lambda _, each: _number(each.inner_priority),
        },
    )


def _add_profiles(tree: Tree) -> None:
    world = tree.world

    def named(all_: Iterable[LineProfile | ServiceProfile]) -> Iterator[tuple[Oid, LineProfile | ServiceProfile]]:
        for each in all_:
            name = each.name.encode()
            yield (len(name), *name), each

    def bound(_: Moment, profile: LineProfile | ServiceProfile) -> Value:
        what = "line_profile" if isinstance(profile, LineProfile) else "service_profile"
        return integer(sum(getattr(entry, what) == profile.id for entry in world.onus.values()))

    tree.table(f"{PROFILES}.61.1", Listing(lambda: list(world.line_profiles.values()), named), {2: bound})
    tree.table(f"{PROFILES}.65.1", Listing(lambda: list(world.service_profiles.values()), named), {2: bound})


# ---------------------------------------------------------------------- EPON


def _add_epon(tree: Tree) -> None:
    """Tables of their own, with other column numbers. The MIB gives the powers no unit: hundredths of a dBm."""
    world, rows, holes = tree.world, onts(tree, "epon"), ports(tree.world, "epon")

    def entry(ref: OnuRef) -> OnuEntry:
        return world.onus[ref]

    def mac(ont_or_entry: Ont | OnuEntry) -> Value:
        return octets(mac_octets(serial_mac(ont_or_entry.serial)) if ont_or_entry.serial else b"")

    def waiting(ont: Ont) -> Oid | None:
        return (if_index(ont.port, "epon"),) if world.plants[ont.port].technology == "epon" else None

    tree.table(f"{X}.31.1", holes, {12: lambda moment, port: integer(len(moment.onus.of(port)))})
    tree.table(f"{X}.33.1", holes, {4: lambda _, port: centi(world.read_launch(port))})
    tree.table(
        f"{X}.53.1",
        rows,
        {
            2: lambda _, __: integer(3),
            3: lambda _, ref: mac(entry(ref)),
            7: lambda _, ref: text(world.line_profiles[entry(ref).line_profile].name),
            8: lambda _, ref: text(world.service_profiles[entry(ref).service_profile].name),
            9: lambda _, ref: text(entry(ref).description or "ONT_NO_DESCRIPTION"),
            10: lambda _, __: ACTIVE,
            12: lambda _, ref: text(entry(ref).loid or ""),
        },
    )
    gpon = state_columns(tree)
    tree.table(f"{X}.57.1", rows, {15: gpon[15], 19: gpon[20], 23: gpon[22], 24: gpon[23], 25: gpon[24]})
    tree.table(
        f"{X}.58.1",
        listed_waiting(tree, waiting, first=0),
        {
            2: lambda _, ont: mac(ont),
            9: lambda _, ont: text(ont.loid or ""),
            12: lambda _, ont: text(ont.model),
        },
    )
    tree.table(
        f"{X}.104.1",
        rows,
        {
            1: olt_rx,
            2: lambda moment, ref: ddm(moment, ref, ONT_C),
            3: lambda moment, ref: ddm(moment, ref, ONT_MA),
            4: onu_tx,
            5: onu_rx,
            6: lambda moment, ref: ddm(moment, ref, ONT_MV),
            7: lambda _, ref: centi(world.read_launch(ref.port)),
        },
        slow=True,
    )
