"""What every OLT answers: the system group, its interfaces, its SNMP engine; and how times and rows are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from ponprobe.emulator.records import Ont
from ponprobe.emulator.snmp.ber import (
    GAUGE32,
    TIMETICKS,
    Oid,
    Value,
    integer,
    integer32,
    object_id,
    octets,
    parse_oid,
    text,
)
from ponprobe.emulator.snmp.tree import Listing, Moment, Tree
from ponprobe.models.addressing import OnuRef, PonPort

INVALID = integer(2_147_483_647)
"""No reading, both vendors' usual word for it."""
UP, DOWN = 1, 2
ACTIVE = integer(1)
"""RowStatus of a row that is in use."""
SYSTEM, IF_TABLE, IF_X_TABLE = "1.3.6.1.2.1.1", "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
ENGINE = "1.3.6.1.6.3.10.2.1"
PON, ETHERNET = 250, 6
"""ifType: gpon as both vendors have it, ethernetCsmacd."""
PON_MBPS, ETHERNET_MBPS = 2488, 10_000
NEVER = octets(bytes(8))


def moment_of(at: datetime | None, *, zone: bool) -> Value:
    """A DateAndTime (RFC 2579) of eight octets, or of eleven with the zone; zeros for never."""
    if at is None:
        return NEVER
    raw = at.year.to_bytes(2, "big") + bytes(
        (at.month, at.day, at.hour, at.minute, at.second, at.microsecond // 100_000)
    )
    if zone:
        minutes = int((at.utcoffset() or timedelta()).total_seconds()) // 60
        raw += (b"-" if minutes < 0 else b"+") + bytes(divmod(abs(minutes), 60))
    return octets(raw)


def mac_octets(mac: str) -> bytes:
    """Six octets of any spelling."""
    return bytes.fromhex("".join(char for char in mac if char.isalnum()))


@dataclass(frozen=True)
class Interface:
    """An interface of the IF-MIB; ``port`` is ``None`` for an uplink."""

    index: int
    name: str
    descr: str
    port: PonPort | None


class Identity(NamedTuple):
    """What the system group says."""

    descr: str
    object_id: str


def add_system(tree: Tree, identity: Identity, engine_id: bytes, *, time_is_wrong: bool) -> None:
    """The system group and the engine's own objects; ``time_is_wrong``: snmpEngineTime says nothing of the uptime."""
    world = tree.world
    tree.scalar(f"{SYSTEM}.1", lambda _: text(identity.descr))
    tree.scalar(f"{SYSTEM}.2", lambda _: object_id(parse_oid(identity.object_id)))
    tree.scalar(f"{SYSTEM}.3", lambda _: integer(int(world.uptime_s * 100) % 2**32, TIMETICKS))
    tree.scalar(f"{SYSTEM}.4", lambda _: text(""))
    tree.scalar(f"{SYSTEM}.5", lambda _: text(world.name))
    tree.scalar(f"{SYSTEM}.6", lambda _: text(""))
    tree.scalar(f"{ENGINE}.1", lambda _: octets(engine_id))
    tree.scalar(f"{ENGINE}.2", lambda _: integer(1))
    off = 707_936_398 if time_is_wrong else 0
    tree.scalar(f"{ENGINE}.3", lambda _: integer((int(world.uptime_s) + off) % 2**31))


def add_interfaces(tree: Tree, interfaces: Callable[[], Iterable[Interface]]) -> Listing:
    """The tables ifTable and ifXTable; the ports of an OLT do not change while it runs."""
    fixed = list(interfaces())
    rows = Listing(lambda: fixed, lambda each: (((one.index,), one) for one in each))

    def admin(_: Moment, interface: Interface) -> Value:
        lit = interface.port is None or tree.world.plants[interface.port].laser_on
        return integer(UP if lit else DOWN)

    def oper(moment: Moment, interface: Interface) -> Value:
        return integer(UP if interface.port is None or moment.online(interface.port) else DOWN)

    def mbps(interface: Interface) -> int:
        return ETHERNET_MBPS if interface.port is None else PON_MBPS

    tree.table(
        IF_TABLE,
        rows,
        {
            1: lambda _, each: integer32(each.index),
            2: lambda _, each: text(each.descr),
            3: lambda _, each: integer(ETHERNET if each.port is None else PON),
            5: lambda _, each: integer(min(mbps(each) * 1_000_000, 2**32 - 1), GAUGE32),
            7: admin,
            8: oper,
        },
    )
    tree.table(
        IF_X_TABLE,
        rows,
        {
            1: lambda _, each: text(each.name),
            15: lambda _, each: integer(mbps(each), GAUGE32),
            18: lambda _, __: text(""),
        },
    )
    return rows


def listed_onus(tree: Tree, wanted: Callable[[OnuRef], Oid | None]) -> Listing:
    """Rows that stand for registered ONUs; ``wanted`` gives a row's index, or ``None`` for an ONU of another table."""
    return Listing(
        lambda: list(tree.world.onus),
        lambda refs: ((index, ref) for ref in refs if (index := wanted(ref)) is not None),
    )


def listed_waiting(tree: Tree, wanted: Callable[[Ont], Oid | None], *, first: int) -> Listing:
    """Rows that stand for ONUs which nobody registered: a running number under each port's index."""

    def index(onts: list[Ont]) -> Iterable[tuple[Oid, Ont]]:
        numbers: dict[Oid, Any] = {}
        for ont in onts:
            if (port := wanted(ont)) is not None:
                yield (*port, next(numbers.setdefault(port, count(first)))), ont

    return Listing(tree.world.discovered, index)
