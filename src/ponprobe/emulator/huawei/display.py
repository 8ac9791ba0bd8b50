"""How Huawei OLTs print: the column layouts of registered and discovered ONUs and their optics."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.huawei.answer import Context, failure
from ponprobe.emulator.huawei.detail import detail_page
from ponprobe.emulator.records import Ont, OnuView, Refused
from ponprobe.models.addressing import PonPort, Serial

RULE = "  " + "-" * 77
NOT_ONLINE = "The ONT is not online"
RANGE = (-35.0, -15.0)
"""What an OLT's receiver reports as a reading; outside it prints -50.00 and this range (seen on V800R015C00)."""


def spaced(port: PonPort) -> str:
    """The form ``0/ 1/0`` of the tables."""
    return f"{port.frame}/{port.slot:>2}/{port.port}"


def moment(at: datetime | None) -> str:
    """A time with its zone, ``2025-12-22 15:41:34+03:00``; ``-`` for never."""
    return at.isoformat(sep=" ", timespec="seconds") if at else "-"


def cut(text: str, width: int) -> list[str]:
    """Pieces of at most this width; devices cut in the middle of words."""
    return [text[start : start + width] for start in range(0, len(text), width)] or [""]


def states(view: OnuView) -> tuple[str, str, str]:
    """Run, config and match state."""
    if view.configured:
        return "online", "normal", "match"
    return view.run_state, "initial", "initial"


def port_table(ctx: Context, port: PonPort, views: list[OnuView]) -> list[str]:
    """``display ont info F S P all`` for one port."""
    where = f"  {spaced(port):<7}"
    lines = [
        RULE,
        "  F/S/P   ONT         SN         Control     Run      Config   Match    Protect",
        "          ID                     flag        state    state    state    side ",
        RULE,
    ]
    for view in views:
        serial = view.entry.shown_serial.hex16 if view.entry.shown_serial else "-" * 16
        run, config, match = states(view)
        lines.append(f"{where}{view.entry.ref.onu_id:>4}  {serial}  {'active':<12}{run:<9}{config:<9}{match:<9}no ")
    lines += [RULE, "  F/S/P   ONT-ID   Description", RULE]
    for view in views:
        first, *more = cut(view.entry.description or "ONT_NO_DESCRIPTION", 56)
        lines.append(f"{where}{view.entry.ref.onu_id:>7}   {first}")
        lines += [" " * 19 + part for part in more]
    online = sum(view.online for view in views)
    total = f"In port {spaced(port)} , the total of ONTs are: {len(views)}, online: {online}"
    if ctx.personality.total_with_offline:
        total = (
            f"In port {spaced(port)}, the total number of ONTs is: {len(views)}, online: {online}, "
            f"offline: {len(views) - online}"
        )
    return [*lines, RULE, f"  {total}", RULE]


def ont_info(ctx: Context) -> Answer:
    """``display ont info``: one ONU, a port, a board, or a search."""
    world, values = ctx.world, ctx.values
    if "sn" in values:
        found = world.find(Serial(values["sn"]))
        return Answer(detail_page(ctx, found)) if found else failure("The required ONT does not exist")
    for word, attribute in (("loid", "loid"), ("password", "password"), ("desc", "description")):
        if f"by-{word}" in ctx.parse.keywords:
            hits = [view for view in world.views() if getattr(view.entry, attribute) == values[word]]
            if not hits:
                return failure("The required ONT does not exist")
            return Answer([line for view in hits for line in detail_page(ctx, view)])
    frame, slot = ctx.session.slot if "frameid" not in values else (int(values["frameid"]), int(values["slotid"]))
    number = ctx.number("portid")
    ports = [
        port
        for port in world.plants
        if (port.frame, port.slot) == (frame, slot) and (number is None or port.port == number)
    ]
    if slot not in world.boards:
        return failure("This board does not exist")
    if "ontid" in values:
        try:
            return Answer(
                detail_page(
                    ctx, world.view(PonPort(frame=frame, slot=slot, port=number or 0).onu(int(values["ontid"])))
                )
            )
        except Refused:
            return failure("The ONT does not exist")
    lines: list[str] = []
    for port in ports:
        if views := world.views(port):
            lines += ["  "] * bool(lines) + port_table(ctx, port, views)
    return Answer(lines) if lines else failure("The ONT does not exist")


def summary(ctx: Context) -> Answer:
    """``display ont info summary``: states, causes, type, distance and the ONU's own powers; not on V800R015C00."""
    where = ctx.values.get("fsp")
    if where is None:
        ports = [ctx.port()]
    else:
        parts = tuple(int(part) for part in where.split("/"))
        ports = [p for p in ctx.world.plants if (p.frame, p.slot, p.port)[: len(parts)] == parts]
    lines = ["  Command is being executed. Please wait"]
    rule = "  " + "-" * 78
    for port in ports:
        views = ctx.world.views(port)
        if not views:
            continue
        online = sum(view.online for view in views)
        lines += [rule, f"  In port {port}, the total of ONTs are: {len(views)}, online: {online}", rule]
        lines += ["  ONT  Run     Last                Last                Last                   "]
        lines += ["  ID   State   UpTime              DownTime            DownCause", rule]
        for view in views:
            up, down = (moment(at)[:19] for at in (ctx.world.up_at(view), view.entry.down_at))
            cause = (view.entry.down_cause or "-")[:25]
            lines.append(f"  {view.entry.ref.onu_id:<5}{view.run_state:<8}{up:<20}{down:<20}{cause:<25}")
        lines += [rule, "  ONT        SN        Type          Distance Rx/Tx power  Description"]
        lines += ["  ID                                    (m)      (dBm)", rule]
        for view in views:
            powers = "-/-"
            if view.online:
                read = ctx.world.read_optics(view)
                powers = "/".join("-" if value is None else f"{value:.2f}" for value in (read.onu_rx, read.onu_tx))
            model = view.ont.model if view.online and view.ont else "-"
            serial = view.entry.shown_serial.hex16 if view.entry.shown_serial else "-" * 16
            far = "-" if view.distance_m is None else str(view.distance_m)
            text = view.entry.description[:21]
            lines.append(f"  {view.entry.ref.onu_id:<4}{serial} {model[:13]:<14}{far:<6}{powers:<14}{text:<21}")
        lines.append(rule)
    return Answer(lines) if len(lines) > 1 else failure("The ONT does not exist")


def _secret(text: str | None) -> str:
    raw = (text or "").encode("latin-1").ljust(10, b"\0").hex()
    return f"0x{raw} ({text})" if text else f"0x{raw}"


def _found(ctx: Context, number: int, ont: Ont) -> Iterable[str]:
    rows = [
        ("Number", str(number)),
        ("F/S/P", str(ont.port)),
        ("Ont SN", f"{ont.serial.hex16} ({ont.serial.vendor_id}-{ont.serial.text[-8:]})"),
        ("Password", _secret(ont.password)),
        ("Loid", ont.loid or ""),
        ("Checkcode", ont.checkcode or ""),
        ("VendorID", ont.serial.vendor_id),
        ("Ont Version", ont.version),
        ("Ont SoftwareVersion", ont.software),
        ("Ont EquipmentID", ont.model),
    ]
    if ctx.personality.long_autofind:
        rows.insert(2, ("ONT NNI type", "2.5G/1.25G"))
        rows += [("Ont Customized Info", "COMMON"), ("Ont MAC", "-"), ("Ont Equipment SN", "-")]
    rows.append(("Ont autofind time", moment(ont.found_at)))
    if ctx.personality.long_autofind:
        rows.append(("Multi channel", "-"))
    return [f"   {label:<20}: {value}" for label, value in rows]


def autofind(ctx: Context) -> Answer:
    """``display ont autofind``: ONUs that shine and that nobody registered."""
    port = ctx.port() if "portid" in ctx.values else None
    found = [ont for ont in ctx.world.discovered() if port is None or ont.port == port]
    if not found:
        return failure("The automatically found ONTs do not exist")
    rule = "   " + "-" * 76
    lines = [rule]
    for number, ont in enumerate(found, start=1):
        lines += [*_found(ctx, number, ont), rule]
    return Answer([*lines, f"   The number of GPON autofind ONT is {len(found)}"])


def _olt_rx(value: float | None) -> str:
    if value is None:
        return "-"
    low, high = RANGE
    return f"{value:.2f}" if low <= value <= high else f"-50.00, out of range[{low:.2f}, {high:.2f}]"


def optical_info(ctx: Context) -> Answer:
    """``display ont optical-info P ID`` (33 lines, longer than a page) or ``P all``."""
    port = ctx.port()
    if port not in ctx.world.plants:
        return failure("The port does not exist")
    if "ontid" not in ctx.values:
        return _optical_table(ctx, port)
    try:
        view = ctx.world.view(port.onu(int(ctx.values["ontid"])))
    except Refused:
        return failure("The ONT does not exist")
    if not view.online:
        return failure(NOT_ONLINE)
    read = ctx.world.read_optics(view)
    rx, tx = ("-" if value is None else f"{value:.2f}" for value in (read.onu_rx, read.onu_tx))
    quiet = read.onu_rx is None
    number = view.entry.shown_serial.text[-7:] if view.entry.shown_serial else "0000000"
    rows = [
        ("ONU NNI port ID", "0"),
        ("Module type", "GPON"),
        ("Module sub-type", "CLASS B+"),
        ("Used type", "ONU"),
        ("Encapsulation Type", "BOSA ON BOARD"),
        ("Optical power precision(dBm)", "3.0"),
        ("Vendor name", "HUAWEI          "),
        ("Vendor rev", "-"),
        ("Vendor PN", "HW-BOB-0007     "),
        ("Vendor SN", f"{'2117WJ' + number:<16}"),
        ("Date Code", "21-12-17"),
        ("Rx optical power(dBm)", rx),
        ("Rx power current warning threshold(dBm)", "[-,-]"),
        ("Rx power current alarm threshold(dBm)", "[-29.0,-7.0]"),
        ("Tx optical power(dBm)", tx),
        ("Tx power current warning threshold(dBm)", "[-,-]"),
        ("Tx power current alarm threshold(dBm)", "[0.0,5.0]"),
        ("Laser bias current(mA)", "-" if quiet else "14"),
        ("Tx bias current warning threshold(mA)", "[-,-]"),
        ("Tx bias current alarm threshold(mA)", "[2.000,100.000]"),
        ("Temperature(C)", "-" if quiet else "46"),
        ("Temperature warning threshold(C)", "[-,-]"),
        ("Temperature alarm threshold(C)", "[-61,95]"),
        ("Voltage(V)", "-" if quiet else "3.300"),
        ("Supply voltage warning threshold(V)", "[-,-]"),
        ("Supply voltage alarm threshold(V)", "[3.000,3.600]"),
        ("OLT Rx ONT optical power(dBm)", _olt_rx(read.olt_rx)),
        ("CATV Rx optical power(dBm)", "-"),
        ("CATV Rx power alarm threshold(dBm)", "[-,-]"),
    ]
    return Answer([RULE, *(f"  {label:<39}: {value}" for label, value in rows), RULE])


def _optical_table(ctx: Context, port: PonPort) -> Answer:
    views = ctx.world.views(port)
    if not views:
        return failure("The ONT does not exist")
    lines = [
        RULE + " ",
        "  ONT  Rx power  Tx power  OLT Rx ONT  Temperature  Voltage  Current  Distance  ",
        "  ID   (dBm)     (dBm)     power(dBm)  (C)          (V)      (mA)     (m)       ",
        RULE + " ",
    ]
    for view in views:
        cells = ["-"] * 7
        if view.online:
            read = ctx.world.read_optics(view)
            low, high = RANGE
            olt = read.olt_rx if read.olt_rx is None or low <= read.olt_rx <= high else None
            cells = ["-" if value is None else f"{value:.2f}" for value in (read.onu_rx, read.onu_tx, olt)]
            cells += ["-"] * 3 if read.onu_rx is None else ["46", "3.300", "14"]
            cells.append(str(view.distance_m))
        row = "".join(f"{cell:<{width}}" for cell, width in zip(cells, (10, 10, 12, 13, 9, 9, 10), strict=True))
        lines.append(f"  {view.entry.ref.onu_id:>3}  {row}")
    return Answer([*lines, RULE + " "])
