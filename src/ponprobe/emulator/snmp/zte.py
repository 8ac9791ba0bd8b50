"""What a ZTE OLT answers: three trees, 1012 (zxGpon), 1015 (zxAn) and 1082 (zxAccessNode), each OLT its part of them.

A C300 with V1.2 has the two old ones, a C320 with V2.1 parts of all three, a C600 the new one only; what a build does
not have is "no such object". Of one family, builds number their interfaces in different ways under the same
sysObjectID: only ifName tells. Columns, scales and sentinels are those of MIB files, of public walks of C320s and of
programs that say that they were checked on a device. Inferred, as nothing shows them: the index of service ports under
1015 and that an EPON ONU's reading at the OLT is indexed like a GPON one's.
"""

from __future__ import annotations

from collections.abc import Iterator

from ponprobe.emulator.records import Board, VlanEntry
from ponprobe.emulator.snmp import zte_onus, zte_services
from ponprobe.emulator.snmp.ber import Oid, Value, integer, text
from ponprobe.emulator.snmp.common import (
    ACTIVE,
    DOWN,
    INVALID,
    UP,
    Identity,
    Interface,
    add_interfaces,
    add_system,
)
from ponprobe.emulator.snmp.tree import Cell, Listing, Moment, Tree
from ponprobe.emulator.snmp.zte_index import G, L, N, if_index, legacy, pon_word, uplink_index
from ponprobe.emulator.world import OltWorld
from ponprobe.emulator.zte import Personality
from ponprobe.emulator.zte.chassis import tagged_list
from ponprobe.models.addressing import PonPort

OBJECT_IDS = {
    "c300_v12": "1.3.6.1.4.1.3902.1015.300.3.1",
    "c320_v21": "1.3.6.1.4.1.3902.1082.1001.320.2.1",
    "c600_titan": "1.3.6.1.4.1.3902.1082.1001.600.1.1",
}
IN_SERVICE, HARDWARE_OFFLINE = 1, 4
CARD_OLD, CARD_NEW = f"{L}.2.1.1.3.1", f"{N}.10.1.2.4.1"
MAX_ONUS = 128
READINGS = {False: (23_030, 3_226, 41_406), True: (29_438, 3_214, 36_613)}
"""A module's microamperes, millivolts and thousandths of a degree, as the command line has them; by TITAN or not."""


def build(world: OltWorld, of: Personality, engine_id: bytes) -> Tree:
    """All that this OLT answers."""
    tree = Tree(world)
    product = f"{of.product} Version {of.version} Software, Copyright (c) by ZTE Corporation Compiled"
    descr = "ZX Version V4." if of.old else product
    add_system(tree, Identity(descr, OBJECT_IDS[of.id]), engine_id, time_is_wrong=True)
    add_interfaces(tree, lambda: _interfaces(world, of))
    _add_cards(tree, of)
    _add_modules(tree, of)
    if not of.titan:
        _add_old_ports(tree)
    if not of.old:
        _add_vlans(tree, of)
    zte_onus.add(tree, of)
    zte_services.add(tree, of)
    return tree


def _interfaces(world: OltWorld, of: Personality) -> Iterator[Interface]:
    for port, plant in world.plants.items():
        yield Interface(if_index(port, of), pon_word(port, plant.technology, of), "", port)
    for slot, board in world.boards.items():
        for number in range(1, board.uplinks + 1):
            yield Interface(uplink_index(slot, number, of), of.uplink(slot, number), "", None)


# ---------------------------------------------------------------------- chassis


def _add_cards(tree: Tree, of: Personality) -> None:
    boards = tree.world.boards

    def state(_: Moment, board: Board) -> Value:
        return integer(HARDWARE_OFFLINE if board.status == "OFFLINE" else IN_SERVICE)

    columns: dict[int, Cell] = {
        4: lambda _, board: text(board.real_name or board.name),
        5: state,
        7: lambda _, board: integer(board.ports or board.uplinks),
        9: lambda _, __: integer(14),
        11: lambda _, __: integer(26),
    }
    if not of.old:
        columns[23] = lambda _, board: text("" if board.status == "OFFLINE" else "V1.0.0")
    tree.table(
        CARD_OLD if of.old else CARD_NEW,
        Listing(lambda: list(boards.values()), lambda all_: (((1, 1, board.slot), board) for board in all_)),
        columns,
    )


def _add_vlans(tree: Tree, of: Personality) -> None:
    world = tree.world

    def name(_: Moment, vlan: VlanEntry) -> Value:
        return text(f"VLAN{vlan.id:04}")

    tree.table(
        f"{N}.40.50.2.1.2.1",
        Listing(lambda: list(world.vlans.values()), lambda all_: (((each.id,), each) for each in all_)),
        {2: name, 3: lambda _, vlan: text(vlan.description), 50: lambda _, __: ACTIVE},
    )
    uplinks = [
        (uplink_index(slot, number, of),)
        for slot, board in world.boards.items()
        for number in range(1, board.uplinks + 1)
    ]

    def index(all_: list[Oid]) -> Iterator[tuple[Oid, Oid]]:
        return ((each, each) for each in all_)

    tree.table(
        f"{N}.40.50.2.1.4.1", Listing(lambda: uplinks, index), {7: lambda _, __: text(_each(tagged_list(world)))}
    )


def _each(runs: str) -> str:
    """``5,8,90,91`` of ``5,8,90-91``: this column knows no runs."""
    numbers: list[str] = []
    for run in filter(None, runs.split(",")):
        low, _, high = run.partition("-")
        numbers += map(str, range(int(low), int(high or low) + 1))
    return ",".join(numbers)


# ---------------------------------------------------------------------- PON ports


def _milli(dbm: float | None) -> Value:
    return INVALID if dbm is None else integer(round(dbm * 1000))


def _add_modules(tree: Tree, of: Personality) -> None:
    """The optical modules, in thousandths; a PON port has no receive power of its own."""
    world = tree.world
    fixed = list(world.plants)
    rows = Listing(lambda: fixed, lambda ports: (((if_index(port, of),), port) for port in ports))
    bias, millivolts, millidegrees = READINGS[of.titan]

    def launch(_: Moment, port: PonPort) -> Value:
        return _milli(world.read_launch(port))

    def part(port: PonPort) -> str:
        return f"GPON-OLT-{world.plants[port].optics}" if of.titan else "TS-GPTD3425-20DC"

    if of.old:
        cells: dict[int, Cell] = {
            1: lambda _, __: INVALID,
            4: launch,
            9: lambda _, __: integer(bias),
            10: lambda _, __: integer(millivolts),
            11: lambda _, __: integer(1490),
            12: lambda _, __: integer(millidegrees),
            13: lambda _, port: text(f"{part(port):<16}"),
            14: lambda _, __: text(f"{'OEM':<16}"),
        }
        tree.table(f"{L}.3.1.13.1", rows, cells)
        return
    number = "2024040" if of.titan else "2024111"
    tree.table(
        f"{N}.30.40.2.4.1",
        rows,
        {
            2: lambda _, __: INVALID,
            3: launch,
            4: lambda _, __: integer(25),
            5: lambda _, __: integer(bias),
            6: lambda _, __: integer(millivolts),
            7: lambda _, __: integer(1490),
            8: lambda _, __: integer(millidegrees),
            11: lambda _, port: text(f"{part(port):<16}"),
            12: lambda _, __: text(f"{'OEM':<16}"),
            13: lambda _, port: text(f"{f'{number}{port.slot:02}{port.port:03}':<16}"),
            15: lambda _, __: text("SFP/SFP+  "),
            16: lambda _, __: text("SC  "),
            20: lambda _, port: text(f"GPON/{world.plants[port].optics}" if of.titan else ""),
        },
    )


def _add_old_ports(tree: Tree) -> None:
    world = tree.world
    fixed = [port for port, plant in world.plants.items() if plant.technology == "gpon"]

    def admin(_: Moment, port: PonPort) -> Value:
        return integer(UP if world.plants[port].laser_on else DOWN)

    def oper(moment: Moment, port: PonPort) -> Value:
        return integer(UP if moment.online(port) else DOWN)

    tree.table(
        f"{G}.13.1.1",
        Listing(lambda: fixed, lambda ports: (((legacy(port),), port) for port in ports)),
        {
            1: lambda _, port: text(f"gpon_{port}"),
            10: admin,
            11: oper,
            12: lambda _, __: integer(MAX_ONUS),
            13: lambda moment, port: integer(len(moment.onus.of(port))),
        },
    )
