"""ZTE's tables of ONUs: registered, their state, equipment, optics and ports; waiting; and EPON's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ponprobe.emulator.provision import Provision, provided
from ponprobe.emulator.records import Ont, OnuEntry, serial_mac
from ponprobe.emulator.snmp.ber import Oid, Value, integer, octets, text
from ponprobe.emulator.snmp.common import ACTIVE, DOWN, UP, listed_onus, listed_waiting, mac_octets, moment_of
from ponprobe.emulator.snmp.tree import Cell, Listing, Moment, Tree
from ponprobe.emulator.snmp.zte_index import G, L, N, epon_onu, legacy, modern
from ponprobe.emulator.zte import Personality
from ponprobe.emulator.zte.display import phase
from ponprobe.models.addressing import OnuRef, PonPort

PHASES = {"logging": 0, "LOS": 1, "syncMib": 2, "working": 3, "DyingGasp": 4, "authFailed": 5, "OffLine": 6}
"""As 1012 counts them; 1082 counts from 1."""
REASONS = {"LOS": 2, "LOSi/LOBi": 2, "dying-gasp": 9}
UNKNOWN_REASON = 1
MODES = {"sn": 1, "password": 2, "sn+password": 3, "loid": 9, "loid+checkcode": 10, "mac": 1}
NO_READING, NO_TEMPERATURE = integer(65_535), integer(0x8000)
NO_SIGNAL, NOT_IN_SERVICE = integer(-80_000), integer(65_535_000)
"""Of the OLT's receiver, in thousandths of a dBm."""
MILLIVOLT, MICROAMPERE, DEGREES = 3280, 11_462, 46.113
"""An ONU's own readings: those of the command line."""
POWER_OFF, OFFLINE, ONLINE = 1, 2, 3
"""An EPON ONU's state."""
Index = Callable[[OnuRef], Oid]


def add(tree: Tree, of: Personality) -> None:
    """All of it."""
    world = tree.world

    def gpon(index: Index) -> Listing:
        return listed_onus(tree, lambda ref: index(ref) if world.plants[ref.port].technology == "gpon" else None)

    old, new = gpon(lambda ref: (legacy(ref.port), ref.onu_id)), gpon(lambda ref: (modern(ref.port), ref.onu_id))
    # the ONU's optical port, always 1, is a third part of the index
    old_port = gpon(lambda ref: (legacy(ref.port), ref.onu_id, 1))
    new_port = gpon(lambda ref: (modern(ref.port), ref.onu_id, 1))
    optics = _optics()

    def distance(moment: Moment, ref: OnuRef) -> Value:
        return integer(moment.view(ref).distance_m or 0)

    if not of.titan:
        tree.table(f"{G}.28.1.1", old, _registered(tree))
        tree.table(f"{G}.28.2.1", old, _state(tree, first=0))
        tree.table(
            f"{G}.50.11.2.1", old, _told({1: "vendor", 2: "version", 3: "serial", 9: "model", 17: "model"}), slow=True
        )
        tree.table(f"{G}.11.4.1", old, {2: distance})
        # the newer build lacks the ONU's launch power here, so it must be read from 1082
        shown = optics if of.old else {10: optics[10]}
        tree.table(f"{G}.50.12.1.1", old_port, shown, slow=True)
        tree.table(f"{G}.50.14.1.1", _unis(tree, legacy), _uni_cells(), slow=True)
        tree.table(f"{G}.13.3.1", _waiting(tree, legacy), _waiting_cells(2, 5, 7, 10, 11))
    if of.old:
        either = listed_onus(tree, lambda ref: (legacy(ref.port), ref.onu_id))
        tree.table(f"{L}.1010.11.2.1", either, {2: _olt_rx})
        _add_epon(tree)
        return
    tree.table(f"{N}.500.10.2.3.3.1", new, _registered_new(tree))
    tree.table(f"{N}.500.10.2.3.8.1", new, _state(tree, first=1))
    equipment = _told({1: "vendor", 2: "software", 3: "serial", 8: "model"})
    equipment[7] = lambda moment, ref: integer(1 if moment.view(ref).online else 2)
    tree.table(f"{N}.500.20.2.1.2.1", new, equipment, slow=True)
    tree.table(f"{N}.500.10.2.3.10.1", new, {2: distance})
    tree.table(f"{N}.500.20.2.2.2.1", new_port, optics, slow=True)
    tree.table(f"{N}.500.1.2.4.2.1", new, {2: _olt_rx})
    tree.table(f"{N}.500.20.2.3.2.1", _unis(tree, modern), _uni_cells(), slow=True)
    if of.titan:
        tree.table(f"{N}.500.2.2.11.2.1", _waiting(tree, modern), _waiting_cells(2, 3, 12, 8, 10))
    else:
        tree.table(f"{N}.500.10.2.2.5.1", _waiting(tree, modern), _waiting_cells(2, None, None, 7, 8))


# ---------------------------------------------------------------------- configuration and state


def _serial(entry: OnuEntry) -> Value:
    """Eight octets, four letters and four bytes; nothing where none has been seen yet."""
    return octets(bytes.fromhex(entry.shown_serial.hex16) if entry.shown_serial else b"")


def _registered(tree: Tree) -> dict[int, Cell]:
    def entry(ref: OnuRef) -> OnuEntry:
        return tree.world.onus[ref]

    def vport_mode(_: Moment, ref: OnuRef) -> Value:
        return integer(2 if "vport-mode manual" in provided(entry(ref)).lines else 1)

    return {
        1: lambda _, ref: text(provided(entry(ref)).onu_type),
        2: lambda _, ref: text(provided(entry(ref)).name),
        3: lambda _, ref: text(entry(ref).description),
        5: lambda _, ref: _serial(entry(ref)),
        7: lambda _, ref: text(entry(ref).password or ""),
        9: lambda _, __: ACTIVE,
        10: vport_mode,
        12: lambda _, ref: integer(MODES[entry(ref).auth]),
        17: lambda _, __: integer(UP),
    }


def _registered_new(tree: Tree) -> dict[int, Cell]:
    cells = _registered(tree)

    def how(_: Moment, ref: OnuRef) -> Value:
        entry = tree.world.onus[ref]
        return text(f"{MODES[entry.auth]},{entry.shown_serial or ''}")

    return {1: cells[1], 2: cells[2], 3: cells[3], 5: cells[12], 6: cells[5], 18: how, 50: cells[9]}


def _state(tree: Tree, *, first: int) -> dict[int, Cell]:
    world = tree.world

    def reason(_: Moment, ref: OnuRef) -> Value:
        return integer(REASONS.get(world.onus[ref].down_cause or "", UNKNOWN_REASON))

    return {
        1: lambda _, __: integer(UP),
        4: lambda moment, ref: integer(PHASES[phase(moment.view(ref))] + first),
        5: lambda moment, ref: moment_of(world.up_at(moment.view(ref)), zone=False),
        6: lambda _, ref: moment_of(world.onus[ref].down_at, zone=False),
        7: reason,
    }


def _told(columns: dict[int, str]) -> dict[int, Cell]:
    """What an ONU says of itself; a row without values while it is offline."""

    def cell(what: str) -> Cell:
        def value(moment: Moment, ref: OnuRef) -> Value | None:
            view = moment.view(ref)
            if not view.online or view.ont is None:
                return None
            if what == "serial":
                return octets(bytes.fromhex(view.ont.serial.hex16))
            return text(view.ont.serial.vendor_id if what == "vendor" else str(getattr(view.ont, what)))

        return value

    return {number: cell(what) for number, what in columns.items()}


# ---------------------------------------------------------------------- optics


def fine(dbm: float | None) -> Value:
    """Steps of 0.002 dB above -30 dBm in 16 bits; below that the number wraps around, just under the sentinel."""
    return NO_READING if dbm is None else integer(round((dbm + 30) / 0.002) % 65_536)


def _optics() -> dict[int, Cell]:
    def own(scaled: int, without: Value = NO_READING) -> Cell:
        def value(moment: Moment, ref: OnuRef) -> Value:
            read = moment.optics(ref)
            return without if read is None or read.onu_rx is None else integer(scaled)

        return value

    def received(moment: Moment, ref: OnuRef) -> Value:
        read = moment.optics(ref)
        return fine(None if read is None else read.onu_rx)

    def sent(moment: Moment, ref: OnuRef) -> Value:
        read = moment.optics(ref)
        return fine(None if read is None else read.onu_tx)

    return {
        10: received,
        14: sent,
        17: own(MILLIVOLT // 20),
        18: own(MICROAMPERE // 2),
        19: own(round(DEGREES * 256), NO_TEMPERATURE),
    }


def _olt_rx(moment: Moment, ref: OnuRef) -> Value:
    if not moment.world.plants[ref.port].laser_on:
        return NOT_IN_SERVICE
    read = moment.optics(ref)
    return NO_SIGNAL if read is None or read.olt_rx is None else integer(round(read.olt_rx * 1000))


# ---------------------------------------------------------------------- ONUs' own ports


def _unis(tree: Tree, place: Callable[[PonPort], int]) -> Listing:
    world = tree.world

    def counted() -> list[tuple[OnuRef, int]]:
        return [(ref, world.onu_types[provided(entry).onu_type].eth) for ref, entry in world.onus.items()]

    def index(refs: list[tuple[OnuRef, int]]) -> Iterator[tuple[Oid, tuple[OnuRef, int]]]:
        for ref, eth in refs:
            if world.plants[ref.port].technology == "gpon":
                for number in range(1, eth + 1):
                    yield (place(ref.port), ref.onu_id, number), (ref, number)

    return Listing(counted, index)


def _uni_cells() -> dict[int, Cell]:
    def admin(moment: Moment, row: tuple[OnuRef, int]) -> Value:
        return integer(UP) if moment.view(row[0]).online else NO_READING

    def oper(moment: Moment, row: tuple[OnuRef, int]) -> Value:
        view = moment.view(row[0])
        if not view.online or view.ont is None:
            return NO_READING
        return integer(UP if row[1] == 1 and view.ont.macs else DOWN)

    return {5: admin, 6: oper}


# ---------------------------------------------------------------------- who waits


def _waiting(tree: Tree, place: Callable[[PonPort], int]) -> Listing:
    def index(ont: Ont) -> Oid | None:
        return (place(ont.port),) if tree.world.plants[ont.port].technology == "gpon" else None

    return listed_waiting(tree, index, first=1)


def _waiting_cells(serial: int, password: int | None, found: int | None, model: int, version: int) -> dict[int, Cell]:
    """The same facts in each tree, under other numbers; of the first and last moment only one is known."""
    cells: dict[int, Cell] = {
        serial: lambda _, ont: octets(bytes.fromhex(ont.serial.hex16)),
        model: lambda _, ont: text(ont.model),
        version: lambda _, ont: text(ont.software),
    }
    if password is not None:
        cells[password] = lambda _, ont: text(ont.password or "")
    if found is not None:
        cells[found] = lambda _, ont: moment_of(ont.found_at, zone=False)
    return cells


# ---------------------------------------------------------------------- EPON


def _add_epon(tree: Tree) -> None:
    """EPON ONUs, by one number each. Their own optics are texts that only a GET gets, as has been seen on a C300."""
    world = tree.world

    def epon(ref: OnuRef) -> Oid | None:
        if world.plants[ref.port].technology != "epon":
            return None
        return (epon_onu(ref, world.boards[ref.port.slot].ports),)

    def entry(ref: OnuRef) -> OnuEntry:
        return world.onus[ref]

    def provision(ref: OnuRef) -> Provision:
        return provided(entry(ref))

    def mac(one: Ont | OnuEntry) -> Value:
        return octets(mac_octets(serial_mac(one.serial)) if one.serial else b"")

    def state(moment: Moment, ref: OnuRef) -> Value:
        if moment.view(ref).online:
            return integer(ONLINE)
        return integer(POWER_OFF if entry(ref).down_cause == "dying-gasp" else OFFLINE)

    rows = listed_onus(tree, epon)
    tree.table(
        f"{L}.1010.1.7.4.1",
        rows,
        {
            1: lambda _, ref: text(f"{ref.onu_id}$${entry(ref).description}$$"),
            5: lambda _, ref: text(provision(ref).onu_type),
            6: lambda _, __: integer(UP),
            7: lambda _, ref: mac(entry(ref)),
            12: lambda moment, ref: moment_of(world.up_at(moment.view(ref)), zone=False),
            17: state,
            19: lambda _, __: ACTIVE,
            26: lambda _, ref: moment_of(entry(ref).down_at, zone=False),
        },
    )

    def metres(moment: Moment, ref: OnuRef) -> Value:
        return integer(moment.view(ref).distance_m or -1)

    tree.table(f"{L}.1010.1.2.1.1", rows, {10: metres})

    def reading(what: Callable[[Moment, OnuRef], float | None]) -> Cell:
        def value(moment: Moment, ref: OnuRef) -> Value:
            read = moment.optics(ref)
            number = what(moment, ref) if read is not None and read.onu_rx is not None else None
            return text("N/A" if number is None else f"{number:.3f}")

        return value

    def power(name: str) -> Cell:
        return reading(lambda moment, ref: getattr(moment.optics(ref), name))

    tree.table(
        f"{L}.1010.1.1.1.29.1",
        rows,
        {
            1: reading(lambda _, __: DEGREES),
            2: reading(lambda _, __: MILLIVOLT / 1000),
            3: reading(lambda _, __: MICROAMPERE / 1000),
            4: power("onu_tx"),
            5: power("onu_rx"),
        },
        slow=True,
        walkable=False,
    )

    def waiting(ont: Ont) -> Oid | None:
        if world.plants[ont.port].technology != "epon":
            return None
        return (epon_onu(ont.port.onu(0), world.boards[ont.port.slot].ports),)

    tree.table(
        f"{L}.1010.1.7.14.1",
        listed_waiting(tree, waiting, first=1),
        {
            2: lambda _, ont: mac(ont),
            6: lambda _, ont: moment_of(ont.found_at, zone=False),
            9: lambda _, ont: text(ont.model),
        },
    )
