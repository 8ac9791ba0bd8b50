"""What a Huawei OLT answers: HUAWEI-XPON-MIB with its neighbours, indexed by interface number and ONT ID.

Columns, scales, enumerations and "no reading" values are those of the vendor's MIB files and of public walks (an
MA5603T, an MA5800). Inferred, as no walk shows them: the index of the register log, the shape of times (eleven octets),
and what a reading outside the receiver's range gives (no reading). ONT optics, versions, ports and MAC addresses are
asked of the ONT itself, so they are slow.
"""

from __future__ import annotations

from collections.abc import Iterator

from ponprobe.emulator.huawei import Personality
from ponprobe.emulator.records import Board
from ponprobe.emulator.snmp import huawei_more
from ponprobe.emulator.snmp.ber import Value, integer, text
from ponprobe.emulator.snmp.common import (
    ACTIVE,
    DOWN,
    INVALID,
    UP,
    Identity,
    Interface,
    add_interfaces,
    add_system,
    moment_of,
)
from ponprobe.emulator.snmp.huawei_onts import NONE, X, add_onts, centi, if_index, ports
from ponprobe.emulator.snmp.tree import Listing, Moment, Tree
from ponprobe.emulator.world import OltWorld
from ponprobe.models.addressing import PonPort

VERSION, SLOTS = "1.3.6.1.4.1.2011.6.3.1.999", "1.3.6.1.4.1.2011.6.3.3.2.1"
MODELS = {"MA5600T": 80, "MA5680T": 115, "MA5603T": 123, "MA5683T": 133, "MA5608T": 248, "MA5800-X17": 294}
MODELS |= {"MA5800-X7": 300, "MA5800-X2": 317}
"""The last part of sysObjectID; sysDescr says the same of every model."""
NORMAL, OFFLINE = 2, 7
"""hwSlotOperStatus."""
PORT_C, PORT_MA, PORT_CENTIVOLT = 38, 16, 326
"""What the command line shows too."""


def build(world: OltWorld, of: Personality, engine_id: bytes) -> Tree:
    """All that this OLT answers."""
    tree = Tree(world)
    add_system(
        tree,
        Identity("Huawei Integrated Access Software", f"1.3.6.1.4.1.2011.2.{MODELS.get(of.product, 80)}"),
        engine_id,
        time_is_wrong=False,
    )
    # the model's own number in place of the family's, and a build behind it: MA5603V800R018C10B085 of an MA5600V800R018
    version = f"{of.product[:6]}{of.version[of.version.index('V') :]}B053"
    tree.scalar(VERSION, lambda _: text(version))
    add_interfaces(tree, lambda: _interfaces(world, of))
    _add_boards(tree)
    _add_ports(tree)
    add_onts(tree)
    huawei_more.add(tree, newer=of.long_autofind)
    return tree


def _interfaces(world: OltWorld, of: Personality) -> Iterator[Interface]:
    family = f"Huawei-{of.version[: of.version.index('V')]}-{of.version[of.version.index('V') :].partition('C')[0]}"
    for port, plant in world.plants.items():
        word = plant.technology.upper()
        yield Interface(if_index(port, plant.technology), f"{word} {port}", f"{family}-{word}_UNI", port)
    for slot, board in world.boards.items():
        for number in range(board.uplinks):
            index = 7 << 25 | slot << 13 | number << 6
            yield Interface(index, f"ethernet0/{slot}/{number}", f"{family}-ETHERNET", None)


def _add_boards(tree: Tree) -> None:
    boards = tree.world.boards

    def state(_: Moment, board: Board) -> Value:
        return integer(NORMAL if "ormal" in board.status else OFFLINE)

    tree.table(
        SLOTS,
        Listing(lambda: list(boards.values()), lambda all_: (((0, board.slot), board) for board in all_)),
        {
            1: lambda _, board: integer(board.slot),
            8: state,
            9: lambda _, __: ACTIVE,
            21: lambda _, board: text(board.name),
        },
    )


# ---------------------------------------------------------------------- PON ports


def _add_ports(tree: Tree) -> None:
    world, rows = tree.world, ports(tree.world, "gpon")

    def on(port: PonPort) -> bool:
        return world.plants[port].laser_on

    tree.table(
        f"{X}.21.1",
        rows,
        {
            4: lambda _, __: integer(1),
            6: lambda _, __: text(""),
            9: lambda _, port: integer(UP if on(port) else DOWN),
            10: lambda moment, port: integer(UP if moment.online(port) else DOWN),
            13: lambda _, __: integer(1),
            16: lambda moment, port: integer(len(moment.onus.of(port))),
            17: lambda _, __: moment_of(None, zone=True),
            18: lambda _, __: moment_of(None, zone=True),
            19: lambda _, __: NONE,
        },
    )
    tree.table(
        f"{X}.22.1",
        rows,
        {
            11: lambda _, __: text("HUAWEI"),
            13: lambda _, __: text("SFP-GPON-OLT-1490"),
            20: lambda _, port: text(f"DF{port.slot:02}{port.port:02}000417"),
            27: lambda _, __: integer(2),
        },
    )
    tree.table(
        f"{X}.23.1",
        rows,
        {
            1: lambda _, __: integer(PORT_C),
            2: lambda _, __: integer(PORT_CENTIVOLT),
            3: lambda _, port: integer(PORT_MA if on(port) else 0),
            4: lambda _, port: centi(world.read_launch(port)),
            # one receiver serves all ONTs of a port, so it has no reading of its own
            5: lambda _, __: INVALID,
        },
    )
