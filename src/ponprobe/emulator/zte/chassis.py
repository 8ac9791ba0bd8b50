"""How ZTE OLTs print boards, versions, optical modules, VLANs of uplinks, types and profiles."""

from __future__ import annotations

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.records import Board
from ponprobe.emulator.world import OltWorld
from ponprobe.emulator.zte.answer import Context
from ponprobe.models.addressing import PonPort

RULE = "-" * 79


def cards(ctx: Context) -> Answer:
    """``show card``: with rack and software version on ZXAN, without them on TITAN."""
    of, boards = ctx.personality, [board for _, board in sorted(ctx.world.boards.items())]
    if of.titan:
        return Answer(["Shelf Slot CfgType CardName        Port HardVer Status", *map(_titan_card, boards)])
    wide = 8 if of.old else 6
    rows = []
    for board in boards:
        dead = board.status == "OFFLINE"
        hard, soft = ("", "") if dead else ("110301" if of.old else "V1.0.0", of.version)
        ports = str(board.ports or board.uplinks or "N/A")
        rows.append(
            f"{of.frame:<5}1     {board.slot:<5}{board.name:<8}{board.real_name or board.name:<9}{ports:<{wide}}"
            f"{hard:<8}{soft:<16}{board.status}"
        )
    return Answer([f"Rack Shelf Slot CfgType RealType {'Port':<{wide}}HardVer SoftVer         Status", RULE, *rows])


def _titan_card(board: Board) -> str:
    """A name that is too long for its column takes the room from the next one."""
    names = f"{board.name:<6} {board.real_name or board.name}"
    hard = " " * 10 if board.status == "OFFLINE" else f"{'V1.8.0':<8}"
    return f"1    {board.slot:>2}    {names:<23}{board.ports or board.uplinks:<5}{hard}{board.status}"


def version_running(ctx: Context) -> Answer:
    """``show version-running``: MVR is the running software. Of the whole answer only the shape of one row was seen."""
    rows = [
        f"1/1/{slot:<3} {board.real_name or board.name:<10} {kind:<10} {ctx.personality.version:<8} "
        "2019-03-11 9:21:40 8421376"
        for slot, board in sorted(ctx.world.boards.items())
        for kind in ("MVR", "BT", "FW")
    ]
    return Answer(["PhyLoc  FileType  VerType  VerTag", *rows])


def _up(ctx: Context) -> str:
    days, rest = divmod(int(ctx.world.uptime_s), 86_400)
    return f"{days} days, {rest // 3600} hours, {rest % 3600 // 60} minutes"


def system_group(ctx: Context) -> Answer:
    """``show system-group``; V1.2 says little."""
    of = ctx.personality
    if of.old:
        return Answer(["System Description: ZX Version V4.", f"Started before: {_up(ctx)}"])
    product = f"{of.product} Version {of.version} Software"
    return Answer(
        [
            f"System Description: {product}, Copyright (c) by ZTE Corporation Compiled",
            f"System ObjectId: .1.3.6.1.4.1.3902.1082.1001.{of.product[1:]}.2",
            f"Started before: {_up(ctx)}",
        ]
    )


def software(ctx: Context) -> Answer:
    """``show software`` of TITAN; its layout was not found."""
    of = ctx.personality
    return Answer(
        [
            f"{of.product} Software, Version: {of.version}",
            "Copyright (c) by ZTE Corporation",
            f"System Uptime: {_up(ctx)}",
        ]
    )


def _module_tx(ctx: Context, port: PonPort) -> str:
    """What the module says of itself; ``show pon power olt-tx`` reads elsewhere, so the two differ a little."""
    launch = ctx.world.read_launch(port)
    return "N/A" if launch is None else f"{launch:.3f}(dbm)"


def optical_module(ctx: Context) -> Answer:
    """``show interface optical-module-info`` (ZXAN): a PON port has no receive power of its own."""
    port = ctx.olt()
    return Answer(
        [
            f"  Optical module information:{ctx.personality.olt(port, ctx.tech(port))}",
            "  Basic-info:",
            "   Vendor-Name    : OEM                      Vendor-Pn      : TS-GPTD3425-20DC",
            f"   Vendor-Sn      : 2024111{port.slot:02}{port.port:03}             Module-Type    : SFP/SFP+",
            "   Wavelength     : 1490      (nm)           Connector      : SC",
            "   Trans-Distance : 20(km)",
            "  Diagnostic-info:",
            f"   RxPower        : N/A                      TxPower      : {_module_tx(ctx, port)}",
            "   TxBias-Current : 23.030    (mA)           Laser-Rate   : 25(100Mb/s)",
            "   Temperature    : 41.406    (c)            Supply-Vol   : 3.226(v)",
        ]
    )


def titan_optical_module(ctx: Context) -> Answer:
    """``show optical-module-info`` (TITAN): its limits look like readings and are none."""
    port = ctx.olt()
    kind = ctx.world.plants[port].optics
    return Answer(
        [
            f"Optical Module Position    : {ctx.personality.olt(port)}",
            "Optical Module State       : online",
            f"Vendor-Name    : OEM                      Product-Name   : GPON-OLT-{kind}",
            f"Sequence-Number: 2024040{port.slot:02}{port.port:03}             Version-Level  : 10",
            "Optical Module Information:",
            "Module-Type    : SFP/SFP+            Supply-Vol     : 3.214(v)",
            "Connector      : SC                  Temperature    : 36.613(c)",
            "Fiber-Type     : SM",
            f"Module-Class   : GPON/{kind}",
            f"Laser-Rate     : 25   (100Mb/s)      TxPower        : {_module_tx(ctx, port)}",
            "Wavelength     : 1490 (nm)           TxBias-Current : 29.438(mA)",
            "RxNoise        : -36.989(dbm)        TEC-Current    : N/A",
            "RxPower-Upper    : 3  (dbm)          RxPower-Lower    : -20(dbm)",
            "TxPower-Upper    : 9.000 (dbm)       TxPower-Lower    : -14.000(dbm)",
        ]
    )


def interface_olt(ctx: Context) -> Answer:
    """``show interface gpon-olt_1/2/1``: "has 128 onus" is what it can have."""
    port = ctx.olt()
    name = ctx.personality.olt(port, ctx.tech(port))
    on = ctx.world.plants[port].laser_on
    state = "activate" if on else "deactivate"
    return Answer(
        [
            f"{name} is {state},line protocol is {'up' if on else 'down'}.",
            "  Description is none.",
            f"  The port is {state}.",
            f"  The port has 128 onus, the number of registered onus is {len(ctx.world.views(port))}.",
            "",
            "OLT statistic:",
            "   Input rate :            6588950 Bps            21141 pps",
            "   Output rate:           51269467 Bps            41264 pps",
        ]
    )


def tagged_list(world: OltWorld) -> str:
    """The VLANs that the uplinks carry tagged: ``18,100-110,191``."""
    runs: list[list[int]] = []
    for number in sorted(vlan.id for vlan in world.vlans.values() if vlan.uplinks and vlan.id != 1):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)


def vlan_port(ctx: Context) -> Answer:
    """``show vlan port xgei_1/20/1``: whether the outer tag of a test reaches the uplink."""
    return Answer(
        [
            "PortMode  Pvid CPvid Tpid   TLSStatus TLSVlan  TpidFilter",
            "-" * 68,
            "trunk     --   --    0x8100 disable   --       --",
            "",
            "UntaggedVlan:",
            "",
            "TaggedVlan:",
            f"  {tagged_list(ctx.world)}",
        ]
    )


def onu_types(ctx: Context) -> Answer:
    """``show onu-type gpon``."""
    wanted = "epon" if ctx.has("epon") else "gpon" if ctx.has("gpon") else None
    lines: list[str] = []
    for each in ctx.world.onu_types.values():
        if wanted in {None, each.technology}:
            lines += [
                f"ONU type name:          {each.name}",
                f"PON type:               {each.technology}",
                f"Description:            {each.description}",
            ]
    return Answer(lines or [ctx.personality.nothing])


def tcont_profiles(ctx: Context) -> Answer:
    """``show gpon profile tcont [NAME]``; bandwidths in kbit/s."""
    lines: list[str] = []
    for each in ctx.world.tcont_profiles.values():
        if ctx.values.get("name", each.name) == each.name:
            lines += [
                f"Profile name :{each.name}",
                " Type           FBW(kbps)   ABW(kbps)   MBW(kbps)",
                f" {each.type:<15}{each.fixed:<12}{each.assured:<12}{each.maximum}",
            ]
    return Answer(lines or [ctx.personality.nothing])


def onu_profiles(ctx: Context) -> Answer:
    """``show gpon onu profile vlan``: none is ever made here."""
    return Answer([ctx.personality.nothing])


def smart_qinq(ctx: Context) -> Answer:
    """``show vlan-smart-qinq``: rows with OK; the rest of the layout was not found."""
    rows = [
        (
            ctx.personality.olt(rule.port, ctx.tech(rule.port)),
            f"{rule.first}-{rule.last}" if rule.last != rule.first else str(rule.first),
            str(rule.svlan),
            "--" if rule.cos is None else str(rule.cos),
            "OK",
        )
        for rule in ctx.world.qinq
        if "olt" not in ctx.values or rule.port == ctx.olt()
    ]
    if not rows:
        return Answer([ctx.personality.nothing])
    lines = [_row(("IngressPort", "Cvlan", "Svlan", "Newcos", "Status"), _QINQ), "-" * sum(_QINQ)]
    return Answer(lines + [_row(row, _QINQ) for row in rows])


_QINQ = (22, 14, 8, 8, 6)


def _row(cells: tuple[str, ...], widths: tuple[int, ...]) -> str:
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
