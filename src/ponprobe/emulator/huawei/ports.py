"""How Huawei OLTs print their own optics: ``display port state``."""

from __future__ import annotations

from collections.abc import Iterable

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.huawei.answer import Context, failure
from ponprobe.models.addressing import PonPort


def port_state(ctx: Context) -> Answer:
    """``display port state all`` (a block per port) or ``P`` (four sections); label and value without a colon."""
    frame, slot = ctx.session.slot
    if ctx.has("all"):
        ports = [port for port in ctx.world.plants if (port.frame, port.slot) == (frame, slot)]
        rule = "  " + "-" * 76
        lines = [rule]
        for port in ports:
            lines += [*_port_block(ctx, port), rule]
        return Answer(lines)
    port = ctx.port()
    return Answer(_port_sections(ctx, port)) if port in ctx.world.plants else failure("The port does not exist")


def _two_columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {label:<29}{value}".rstrip() for label, value in rows]


def _module(ctx: Context, port: PonPort) -> tuple[str, str, list[tuple[str, str]]]:
    launch = ctx.world.read_launch(port)
    online = any(view.online for view in ctx.world.views(port))
    ddm = [
        ("Temperature(C)", "38"),
        ("TX Bias current(mA)", "16" if launch is not None else "0"),
        ("Supply Voltage(V)", "3.26"),
        ("TX power(dBm)", "-" if launch is None else f"{launch:.2f}"),
    ]
    return ("Online" if online else "Offline"), ("Normal" if launch is not None else "Off"), ddm


def _port_block(ctx: Context, port: PonPort) -> list[str]:
    state, laser, (temperature, bias, voltage, power) = _module(ctx, port)
    rows = [
        ("F/S/P", str(port)),
        ("Optical Module status", "Online"),
        ("Port state", state),
        ("Laser state", laser),
        ("Available bandwidth(Kbps)", "1238110"),
        temperature,
        bias,
        voltage,
        power,
        ("Illegal rogue ONT", "Inexistent"),
        ("Max Distance(Km)", "20"),
        ("Wave length(nm)", "1490"),
        ("Fiber type", "Single Mode"),
        ("Length(9\xb5m)", "20.0(km)"),
    ]
    return _two_columns(rows)


def _port_sections(ctx: Context, port: PonPort) -> list[str]:
    state, laser, ddm = _module(ctx, port)
    rule = "  " + "-" * 76
    sections = {
        "Port Information": [
            ("F/S/P", str(port)),
            ("Port state", state),
            ("Last down cause", "-"),
            ("Last up time", "-"),
            ("Last down time", "-"),
            ("Port energy-saving flag", "No"),
            ("xPON MAC chipset state", "Normal"),
            ("Signal detect", "Normal"),
            ("Available bandwidth(Kbps)", "1238110"),
            ("Illegal rogue ONT", "Inexistent"),
        ],
        "Optical Module State": [
            ("Optical Module status", "Online"),
            ("Laser state", laser),
            ("TX fault", "Normal"),
            *ddm,
        ],
        "Optical Module Manufacturer Information": [
            ("Vendor name", "HUAWEI"),
            ("Vendor rev", "1.0"),
            ("Vendor OUI", "Unspecified"),
            ("Vendor PN", "SFP-GPON-OLT-1490"),
            ("Vendor SN", f"DF{port.slot:02}{port.port:02}000417"),
            ("Date Code", "19-03-11"),
            ("Vendor specific", "-"),
        ],
        "Optical Module Static Information": [
            ("Module type", "GPON"),
            ("Module sub-type", f"CLASS {ctx.world.plants[port].optics}"),
            ("Used type", "OLT"),
            ("Encapsulation Type", "SFP"),
            ("SFF-8472 Compliance", "SFF-8472 (Rev 9.5)"),
            ("Max Distance(Km)", "20"),
            ("Max rate(Kbps)", "2488320"),
            ("Rate Identifier", "-"),
            ("Wave length(nm)", "1490"),
            ("Fiber type", "Single Mode"),
            ("Identifier", "SFP transceiver"),
            ("Ext.Identifier", "MOD_DEF 4"),
            ("Connector", "SC"),
            ("Encoding", "NRZ"),
            ("Length(9um)(km)", "20.0"),
            ("Length(50um)(m)", "-"),
            ("Length(62.5um)(m)", "-"),
            ("Length(copper)(m)", "-"),
            ("Length(50um,OM3)(m)", "-"),
            ("BR,max", "-"),
            ("BR,min", "-"),
            ("Diagnostic Monitoring Type", "Digital diagnostic monitoring"),
            ("", "Externally Calibrated"),
            ("", "Power measurement type: Average Power"),
            ("Options", "TX_DISABLE,and disables the serial output"),
            ("Enhanced Options", "Alarm/warning flags"),
            ("OTDR capability", "Not support"),
            ("Cc_base", "91"),
            ("CC_EXT", "166"),
        ],
        "Optical Module Threshold Parameter": _thresholds(),
    }
    lines = [rule]
    for title, rows in sections.items():
        lines += [f"  {title}", rule, *_two_columns(rows), rule]
    return lines


def _thresholds() -> list[tuple[str, str]]:
    """Labels that wrap: "Tx power alarm" is no power, though it begins like one."""
    limits = {
        "Rx power": ("dBm", "-", "-"),
        "Tx power": ("dBm", "-", "[1.5,5.0]"),
        "Tx bias": ("mA", "-", "[0,90]"),
        "Supply voltage": ("V", "[3.10,3.50]", "[3.00,3.60]"),
        "Temperature": ("C", "[-5,75]", "[-10,80]"),
    }
    rows: list[tuple[str, str]] = []
    for what, (unit, *values) in limits.items():
        for kind, value in zip(("warning", "alarm"), values, strict=True):
            rows += [(f"{what} {kind}", ""), (f"threshold({unit})", value), ("", "")]
    return rows[:-1]
