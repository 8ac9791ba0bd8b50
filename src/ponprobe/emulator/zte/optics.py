"""How ZTE OLTs print optical powers, in dBm and dB."""

from __future__ import annotations

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.records import OnuView
from ponprobe.emulator.zte.answer import Context

ABSENT = "N/A"


def _dbm(value: float | None, absent: str = ABSENT) -> str:
    return absent if value is None else f"{value:.3f}(dbm)"


def _loss(sent: float | None, received: float | None) -> str:
    return ABSENT if sent is None or received is None else f"{sent - received:.3f}(dB)"


def _powers(ctx: Context, view: OnuView) -> tuple[float | None, float | None, float | None, float | None]:
    """OLT Rx, ONU Tx, OLT Tx, ONU Rx; the port shines also where the ONU is off."""
    launch = ctx.world.read_launch(view.entry.ref.port)
    if not view.online:
        return None, None, launch, None
    read = ctx.world.read_optics(view)
    return read.olt_rx, read.onu_tx, launch, read.onu_rx


def attenuation(ctx: Context) -> Answer:
    """``show pon power attenuation ONU``: all four powers.

    The losses are the differences, exactly on ZXAN; on TITAN one that is not was seen, as of another moment.
    """
    view = ctx.view()
    if view is None:
        return Answer([ctx.personality.no_power])
    olt_rx, onu_tx, olt_tx, onu_rx = _powers(ctx, view)
    seen_rx, seen_tx, *_ = _powers(ctx, view) if ctx.personality.titan else (olt_rx, onu_tx)
    up = f" up      {'Rx :' + _dbm(olt_rx, 'no signal'):<22}{'Tx:' + _dbm(onu_tx):<21}{_loss(seen_tx, seen_rx):<15}"
    down = f" down    {'Tx :' + _dbm(olt_tx):<22}{'Rx:' + _dbm(onu_rx):<21}{_loss(olt_tx, onu_rx):<15}"
    head = ["           OLT                  ONU              Attenuation", "-" * 74]
    return Answer([*head, up, " ", down.rstrip()] if ctx.personality.titan else [*head, up, down])


def port_powers(ctx: Context) -> Answer:
    """``show pon power olt-rx|onu-rx|onu-tx PORT``: every ONU of a port."""
    views = ctx.world.views(ctx.olt())
    if not views:
        return Answer([ctx.personality.no_power])
    which = next(at for at, word in enumerate(("olt-rx", "onu-tx", "", "onu-rx")) if ctx.has(word))
    lines = [f"Onu                  {'Tx' if which == 1 else 'Rx'} power", "-" * 36]
    for view in views:
        value = _dbm(_powers(ctx, view)[which], "no signal" if which == 0 else ABSENT)
        lines.append(f"{ctx.name(view.entry.ref):<20}{value}")
    return Answer(lines)


def launch_power(ctx: Context) -> Answer:
    """``show pon power olt-tx PORT``."""
    channel = f"1({ctx.technology('olt').upper()})"
    launched = _dbm(ctx.world.read_launch(ctx.olt()))
    return Answer(["Channel             Tx power", "-" * 36, f"{channel:<20}{launched}"])


def remote_pon(ctx: Context) -> Answer:
    """``show gpon remote-onu interface pon ONU``: zeros for an ONU that is off are no readings."""
    view = ctx.view()
    if view is None:
        return Answer([ctx.personality.nothing])
    _, tx, _, rx = _powers(ctx, view)
    power = tuple(ABSENT if value is None else f"{value:.3f}(dBm)" for value in (rx, tx))
    volts, amps, warm = ("3.28", "11.462", "46.113") if rx is not None else ("0.00", "0.000", "0.000")
    rows = [
        ("Interface", "pon_0/1"),
        ("GEM blocklen", "48 (bytes)"),
        ("SF threshold", "5"),
        ("SD threshold", "9"),
        ("Alarm", "enable"),
        ("Alarm disable interval", "0"),
        ("Total T-CONT number", "8"),
        ("Piggyback DBA rpt mode", "not support"),
        ("Whole ONU DBA rpt mode", ABSENT),
        ("Rx optical level", power[0]),
        ("Lower rx optical threshold", "ont internal policy"),
        ("Upper rx optical threshold", "ont internal policy"),
        ("Tx optical level", power[1]),
        ("Lower tx optical threshold", "ont internal policy"),
        ("Upper tx optical threshold", "ont internal policy"),
        ("ONU response time", "0(ns)"),
        ("Power feed voltage", f"{volts}(V)"),
        ("Laser bias current", f"{amps}(mA)"),
        ("Temperature", f"{warm}(C)"),
    ]
    return Answer([f"  {label + ':':<29}{value}" for label, value in rows])


def remote_eth(ctx: Context) -> Answer:
    """``show gpon remote-onu interface eth ONU``: the ONU's Ethernet ports."""
    view = ctx.view()
    if view is None or not view.online or view.entry.provision is None:
        return Answer([ctx.personality.nothing])
    lines: list[str] = []
    for number in range(1, ctx.world.onu_types[view.entry.provision.onu_type].eth + 1):
        linked = number == 1 and view.ont is not None and bool(view.ont.macs)
        lines += [
            f"Interface:     eth_0/{number}",
            f"Speed status:  {'full-1000' if linked else 'unknown'}",
            f"Operate status:{'enable' if linked else 'disable'}",
            "Admin status:  unlock",
            "Arc:           0  ",
            "Arc-interval   0",
            "Expect-type:   0",
            "Speed config:  auto",
            "Eth-loop:      disable",
            "Max-frame:     1632",
            "Pause-time:    0",
            "Wiring :       dce",
            "BridgeOrIP:    either",
            "PPPOE-filter:  disable",
            "Power-control: disable",
        ]
    return Answer(lines)
