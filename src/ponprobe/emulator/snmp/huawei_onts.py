"""Huawei's tables of registered ONTs: configuration, state, versions, optics, MAC addresses."""

from __future__ import annotations

from ponprobe.emulator.huawei.display import RANGE
from ponprobe.emulator.records import OnuEntry, Technology
from ponprobe.emulator.snmp.ber import Oid, Value, integer, octets, text
from ponprobe.emulator.snmp.common import ACTIVE, DOWN, INVALID, UP, listed_onus, mac_octets, moment_of
from ponprobe.emulator.snmp.tree import Cell, Listing, Moment, Tree
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import OnuRef, PonPort

X = "1.3.6.1.4.1.2011.6.128.1.1.2"
CAUSES = {"LOS": 1, "LOSi/LOBi": 2, "LOFi": 3, "SFi": 4, "LOAi": 5, "LOAMi": 6, "dying-gasp": 13}
AUTHS = {"sn": 1, "sn+password": 2, "password": 3, "loid": 5, "loid+checkcode": 7, "mac": 3}
"""authMethod; the mode once-on is one more, where there is one. The order of the four LOID variants is inferred."""
NONE = integer(-1)
ONT_C, ONT_MA, ONT_MV = 46, 14, 3300
"""What the command line shows too."""


def if_index(port: PonPort, technology: Technology = "gpon") -> int:
    """``type<<25 | frame<<19 | slot<<13 | port<<8``: beyond 2^31, so tools with signed numbers print it negative."""
    kind = 126 if technology == "epon" else 125
    return kind << 25 | port.frame << 19 | port.slot << 13 | port.port << 8


def ports(world: OltWorld, technology: Technology) -> Listing:
    """The rows of PON ports."""
    fixed = [port for port, plant in world.plants.items() if plant.technology == technology]
    return Listing(lambda: fixed, lambda all_: (((if_index(port, technology),), port) for port in all_))


def centi(dbm: float | None) -> Value:
    """Hundredths of a dBm."""
    return INVALID if dbm is None else integer(round(dbm * 100))


def onts(tree: Tree, technology: Technology = "gpon") -> Listing:
    """The rows of registered ONTs."""

    def index(ref: OnuRef) -> Oid | None:
        return (
            (if_index(ref.port, technology), ref.onu_id)
            if tree.world.plants[ref.port].technology == technology
            else None
        )

    return listed_onus(tree, index)


def raw_serial(entry: OnuEntry) -> Value:
    """Eight octets; zeros where none has been seen yet."""
    return octets(bytes.fromhex(entry.shown_serial.hex16) if entry.shown_serial else bytes(8))


def _auth(entry: OnuEntry) -> Value:
    later = entry.auth not in {"sn", "sn+password", "mac"} and entry.mode != "always-on"
    return integer(AUTHS[entry.auth] + later)


def secret(word: str | None) -> Value:
    """A password, filled up to ten octets."""
    return octets(word.encode("latin-1").ljust(10, b"\0") if word else b"")


def add_onts(tree: Tree) -> None:
    """All of it, for GPON."""
    world, rows = tree.world, onts(tree)

    def entry(ref: OnuRef) -> OnuEntry:
        return world.onus[ref]

    tree.table(
        f"{X}.43.1",
        rows,
        {
            2: lambda _, ref: _auth(entry(ref)),
            3: lambda _, ref: raw_serial(entry(ref)),
            4: lambda _, ref: secret(entry(ref).password),
            5: lambda _, __: NONE,
            6: lambda _, __: integer(1),
            7: lambda _, ref: text(world.line_profiles[entry(ref).line_profile].name),
            8: lambda _, ref: text(world.service_profiles[entry(ref).service_profile].name),
            9: lambda _, ref: text(entry(ref).description or "ONT_NO_DESCRIPTION"),
            10: lambda _, __: ACTIVE,
            13: lambda _, ref: text(entry(ref).loid or ""),
            14: lambda _, ref: text(entry(ref).checkcode or ""),
        },
    )

    def told(moment: Moment, ref: OnuRef, what: str) -> Value:
        view = moment.view(ref)
        return text(str(getattr(view.ont, what)) if view.online and view.ont is not None else "")

    def question(ref: OnuRef) -> Oid | None:
        place = (if_index(ref.port), 1, 0, 3, ref.onu_id, 47, 0, 0)
        return place if world.plants[ref.port].technology == "gpon" else None

    tree.table(
        f"{X}.45.1",
        rows,
        {
            1: lambda moment, ref: told(moment, ref, "version"),
            4: lambda moment, ref: told(moment, ref, "model"),
            5: lambda moment, ref: told(moment, ref, "software"),
        },
        slow=True,
    )
    tree.table(f"{X}.46.1", rows, state_columns(tree) | {30: lambda _, ref: raw_serial(entry(ref))})
    tree.table(
        f"{X}.51.1",
        rows,
        {
            1: lambda moment, ref: ddm(moment, ref, ONT_C),
            2: lambda moment, ref: ddm(moment, ref, ONT_MA),
            3: onu_tx,
            4: onu_rx,
            5: lambda moment, ref: ddm(moment, ref, ONT_MV),
            6: olt_rx,
            7: lambda _, __: INVALID,
        },
        slow=True,
    )
    tree.table(
        f"{X}.130.1",
        listed_onus(tree, question),
        {8: _macs},
        slow=True,
        walkable=False,  # its index is the question
    )


def state_columns(tree: Tree) -> dict[int, Cell]:
    """What an ONT is doing, by the column numbers of GPON."""
    world = tree.world

    def config(moment: Moment, ref: OnuRef) -> Value:
        return integer(2 if moment.view(ref).configured else 1)

    def distance(moment: Moment, ref: OnuRef) -> Value:
        metres = moment.view(ref).distance_m
        return NONE if metres is None else integer(metres)

    def learnt(moment: Moment, ref: OnuRef) -> Value:
        view = moment.view(ref)
        return integer(len(view.ont.macs)) if view.online and view.ont is not None else NONE

    return {
        1: lambda _, __: integer(1),
        15: lambda moment, ref: integer(UP if moment.view(ref).online else DOWN),
        16: config,
        18: lambda moment, ref: integer(1) if moment.view(ref).configured else NONE,
        20: distance,
        21: learnt,
        22: lambda moment, ref: moment_of(world.up_at(moment.view(ref)), zone=True),
        23: lambda _, ref: moment_of(world.onus[ref].down_at, zone=True),
        24: lambda _, ref: integer(CAUSES.get(world.onus[ref].down_cause or "", -1)),
        26: lambda _, __: integer(1),
    }


def ddm(moment: Moment, ref: OnuRef, number: int) -> Value:
    """A number of the ONT's diagnostics that is no power; none while it is offline or has no diagnostics."""
    read = moment.optics(ref)
    return INVALID if read is None or read.onu_rx is None else integer(number)


def onu_tx(moment: Moment, ref: OnuRef) -> Value:
    """The ONT's launch power."""
    read = moment.optics(ref)
    return centi(None if read is None else read.onu_tx)


def onu_rx(moment: Moment, ref: OnuRef) -> Value:
    """What the ONT receives."""
    read = moment.optics(ref)
    return centi(None if read is None else read.onu_rx)


def olt_rx(moment: Moment, ref: OnuRef) -> Value:
    """What the OLT receives of it, in hundredths of a dBm above -100.00 dBm."""
    read = moment.optics(ref)
    dbm = None if read is None else read.olt_rx
    if dbm is None or not RANGE[0] <= dbm <= RANGE[1]:
        return INVALID
    return integer(round(dbm * 100) + 10_000)


def _macs(moment: Moment, ref: OnuRef) -> Value | None:
    """Records of ten octets: port type, port, VLAN (two), address (six); no instance without any."""
    view = moment.view(ref)
    if not view.online or view.ont is None or not view.ont.macs:
        return None
    vlan = next((number for number, _ in view.entry.native_vlans.values()), 1)
    return octets(b"".join(b"\x2f\x01" + vlan.to_bytes(2, "big") + mac_octets(mac) for mac in view.ont.macs))
