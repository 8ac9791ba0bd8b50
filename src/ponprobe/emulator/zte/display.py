"""How ZTE OLTs print ONUs: waiting, registered, their state, one in detail, MAC addresses behind them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.provision import Flow, learnt, outer_vlan, provided
from ponprobe.emulator.records import Ont, OnuView, serial_mac
from ponprobe.emulator.zte.answer import Context
from ponprobe.emulator.zte.config import MASK, identity
from ponprobe.emulator.zte.views import vport_of
from ponprobe.models.addressing import OnuRef, Serial

NEVER = "0000-00-00 00:00:00"
CAUSES = {"dying-gasp": "DyingGasp", "LOSi/LOBi": "LOS"}


def _waiting(ctx: Context) -> list[Ont]:
    port = ctx.olt() if "olt" in ctx.values else None
    return [ont for ont in ctx.world.discovered() if port in {None, ont.port}]


def gpon_uncfg(ctx: Context) -> Answer:
    """``show gpon onu uncfg``: the index is a proposal that is always ``:1``, taken or not."""
    rows = [
        f"{ctx.personality.onu(ont.port.onu(1)):<25}{ont.serial!s:<20}unknown"
        for ont in _waiting(ctx)
        if ctx.tech(ont.port) == "gpon"
    ]
    return Answer(["OnuIndex                 Sn                  State", "-" * 69, *rows] if rows else [_nothing(ctx)])


def _nothing(ctx: Context) -> str:
    return ctx.personality.nothing


def pon_uncfg(ctx: Context) -> Answer:
    """``show pon onu uncfg``: port, model, serial (ZXAN V2), and the password (TITAN, which prints an empty table)."""
    found = _waiting(ctx)
    if ctx.personality.titan:
        head = "OltIndex            Model                SN                 PW"
        rows = [
            f"{ctx.personality.olt(ont.port):<20}{ont.model:<21}{ont.serial!s:<19}{ont.password or 'N/A'}"
            for ont in found
        ]
        return Answer([head, "-" * 77, *rows])
    rows = []
    for ont in found:
        technology = ctx.tech(ont.port)
        serial = str(ont.serial) if technology == "gpon" else "N/A"
        rows.append(f"{ctx.personality.olt(ont.port, technology):<20}{ont.model:<25}{serial:<15}")
    head = f"{'OltIndex':<20}{'Model':<25}{'SN':<23}"
    return Answer([head, "-" * 73, *rows] if rows else [_nothing(ctx)])


def phase(view: OnuView) -> str:
    """The Phase state: ``syncMib`` (recalled) while the ONU is up but not yet configured."""
    if view.online:
        return "working" if view.configured else "syncMib"
    return CAUSES.get(view.entry.down_cause or "", "OffLine")


def state(ctx: Context) -> Answer:
    """``show gpon onu state [PORT [ID]]``: three layouts; the last line counts ONUs that are up, and all."""
    port = ctx.olt() if "olt" in ctx.values else None
    views = [view for view in ctx.world.views(port) if ctx.tech(view.entry.ref.port) == "gpon"]
    if (onu_id := ctx.number("id")) is not None:
        views = [view for view in views if view.entry.ref.onu_id == onu_id]
    if not views:
        return Answer([_nothing(ctx)])
    of, rows = ctx.personality, []
    for view in views:
        omcc, now, ref = "enable" if view.online else "disable", phase(view), view.entry.ref
        if of.old:
            inner = "operation" if view.online else "unknown"
            rows.append(f"{of.onu(ref):<23}{'enable':<13}{omcc:<13}{inner:<13}{now:<10}")
        elif of.titan:
            rows.append(f"   {ref!s:<14}{'enable':<13}{omcc:<12}{now:<13}GPON")
        else:
            rows.append(f"{ref!s:<13}{'enable':<13}{omcc:<12}{now:<13}1(GPON)")
    if of.old:
        head = ["OnuIndex               Admin State  OMCC State   O7 State     Phase State", "-" * 76]
    elif of.titan:
        head = ["   OnuIndex     Admin state  OMCC state  Phase state  Speed mode", "-" * 66]
    else:
        head = ["OnuIndex     Admin State  OMCC State  Phase State  Channel", "-" * 62]
    count = f"ONU Number: {sum(view.online for view in views)}/{len(views)}"
    return Answer([*head, *rows, f"{count:<20}"])


def baseinfo(ctx: Context) -> Answer:
    """``show gpon onu baseinfo PORT``: a long type goes on in the next row; without a port it prints nothing."""
    if "olt" not in ctx.values:
        return Answer()
    views = ctx.world.views(ctx.olt())
    if not views:
        return Answer([_nothing(ctx)])
    lines = [f"{'OnuIndex':<20}{'Type':<12}{'Mode':<8}{'AuthInfo':<24}State", "-" * 72]
    for view in views:
        mode, _, rest = identity(view.entry).partition(" ")
        auth = f"{mode.upper()}:{rest.split()[0]}"
        first, *more = _pieces(provided(view.entry).onu_type, 11)
        lines.append(f"{ctx.name(view.entry.ref):<20}{first:<12}{mode:<8}{auth:<24}ready")
        lines += [" " * 20 + piece for piece in more]
    return Answer(lines)


def _pieces(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)] or [""]


def by_sn(ctx: Context) -> Answer:
    """``show gpon onu by sn S``: the way to see whether a serial is registered somewhere."""
    found = ctx.world.find(Serial(ctx.values["sn"]))
    return Answer([_nothing(ctx)] if found is None else ["SearchResult", "-" * 17, ctx.name(found.entry.ref)])


def _duration(spent: timedelta | None, *, padded: bool) -> str:
    seconds = max(0, int(spent.total_seconds())) if spent is not None else 0
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours}h {minutes:02}m {seconds % 60:02}s" if padded else f"{hours}h {minutes}m {seconds % 60}s"


def detail(ctx: Context) -> Answer:
    """``show gpon onu detail-info``: state, identity, distance in metres, then the last times of coming and going."""
    view = ctx.view()
    if view is None:
        return Answer([_nothing(ctx)])
    rule = "-" * 42
    up = ctx.world.up_at(view)
    spent = ctx.world.wall() - up if view.online and up is not None else None
    rows = _fields(ctx, view, _duration(spent, padded=not ctx.personality.titan))
    width = 23 if ctx.personality.old else 24
    lines = [f"{'ONU interface:':<{width}}{ctx.name(view.entry.ref)}"]
    lines += [f"  {label + ':':<{width - 2}}{value}" for label, value in rows]
    return Answer([*lines, rule, "       Authpass Time          OfflineTime             Cause", *_history(ctx, view)])


def _history(ctx: Context, view: OnuView) -> Iterable[str]:
    """One row for each time that it was up; an end of zeros is still to come."""
    entry, stamp = view.entry, "%Y-%m-%d %H:%M:%S"
    up, number = ctx.world.up_at(view), 1
    if entry.down_at is not None and entry.up_at is not None:
        cause = CAUSES.get(entry.down_cause or "", "")
        yield f"{number:>4}   {entry.up_at:{stamp}}    {entry.down_at:{stamp}}     {cause:<9}"
        number += 1
    if view.online and up is not None:
        yield f"{number:>4}   {up:{stamp}}    {NEVER}     {'':<9}"
        number += 1
    if ctx.personality.titan:
        yield f"{number:>4}   {NEVER}    {NEVER}"


def _fields(ctx: Context, view: OnuView, duration: str) -> list[tuple[str, str]]:
    entry, of = view.entry, ctx.personality
    provision = provided(entry)
    name, text = (MASK, MASK) if of.titan else (provision.name, entry.description or "none")
    far = "N/A" if view.distance_m is None else f"{view.distance_m}m"
    mode = {"password": "pw", "loid": "loid", "loid+checkcode": "loid"}.get(entry.auth, "sn")
    serial = str(entry.shown_serial or "")
    start = [("Name", name), ("Type", provision.onu_type)]
    identities = [
        ("Authentication mode", mode),
        ("SN Bind", "enable with SN check"),
        ("Serial number", serial),
        ("Password", entry.password or ""),
    ]
    vport = [("Vport mode", "manual" if "vport-mode manual" in provision.lines else "gemport")]
    common = [("DBA Mode", "Hybrid"), ("ONU Status", "enable")]
    if of.old:
        return [
            *start,
            ("State", "ready"),
            ("Admin state", "enable"),
            ("Phase state", phase(view)),
            *identities,
            ("Device ID", ""),
            ("Description", text),
            *vport,
            *common,
            ("OMCI BW Profile", "enable"),
            ("Line Profile", "N/A"),
            ("Service Profile", "N/A"),
            ("Alarm Profile", "N/A"),
            ("Performance Profile", "N/A"),
            ("ONU Distance", far),
            ("Online Duration", duration),
            ("FEC", "none"),
        ]
    config = ("Config state", "success" if view.configured else "fail")
    if of.titan:
        head = [start[0], ("Splitter", ""), start[1], ("Configured speed mode", "auto"), ("Current speed mode", "GPON")]
        bandwidth = [("OMCI BW Profile", "704kbps"), ("OMCC Encrypt", "disable")]
    else:
        channels = [("Configured channel", "auto"), ("Current channel", "1(GPON)" if view.online else "N/A")]
        head, bandwidth = [*start, ("State", "ready"), *channels], [("OMCI BW Profile", "")]
    return [
        *head,
        ("Admin state", "enable"),
        ("Phase state", phase(view)),
        config,
        *identities,
        ("Description", text),
        *vport,
        *common,
        *bandwidth,
        ("Line Profile", "N/A"),
        ("Service Profile", "N/A"),
        ("ONU Distance", far),
        ("Online Duration", duration),
        ("FEC", "disable"),
        ("FEC actual mode", "disable" if of.titan else "N/A"),
        ("1PPS+ToD", "disable"),
        ("Auto replace", "disable"),
        ("Multicast encryption", "disable"),
        ("Multicast encryption current state", "N/A"),
    ]


# ---------------------------------------------------------------------- MAC addresses


def macs(ctx: Context) -> Answer:
    """``show mac ...``: addresses learnt, each with the outermost VLAN. The lines of an empty answer were not seen."""
    rows = []
    for view in ctx.world.views():
        for mac, vlan, flow in learnt(ctx.world, view):
            if _wanted(ctx, view.entry.ref, flow):
                rows.append(_mac_row(ctx, view.entry.ref, mac, vlan, flow))
    lines = [f"Total mac address : {len(rows)}"]
    if rows:
        head = f"{'Mac address':<17}{'Vlan':<6}{'Type':<10}{'Port':<22}{'Vc':<37}"
        lines += ["", head if ctx.personality.titan else head.rstrip(), "-" * 79, *rows]
    return Answer(lines)


def _wanted(ctx: Context, ref: OnuRef, flow: Flow) -> bool:
    if "onu" in ctx.values:
        return ctx.ref() == ref
    if "vport" in ctx.values:
        return vport_of(ctx) == (ref, flow.vport)
    vlan = ctx.number("vlan")
    return vlan is None or outer_vlan(ctx.world, ref.port, flow) == vlan


def _mac_row(ctx: Context, ref: OnuRef, mac: str, vlan: int, flow: Flow) -> str:
    mac = mac.replace("-", ".")
    if ctx.personality.titan:
        where = f"vport-{ref.port}.{ref.onu_id}:{flow.vport}:{flow.index}"
        return f"{mac:<17}{vlan:<7}{'Dynamic':<10}{where:<35}"
    return f"{mac:<17}{vlan:<6}{'Dynamic':<10}{ctx.name(ref):<22}vport {flow.vport}"


# ---------------------------------------------------------------------- EPON


def unauthenticated(ctx: Context) -> Answer:
    """``show onu unauthentication``: EPON ONUs that wait; the word for none is misspelt on V1.2."""
    lines: list[str] = []
    for ont in ctx.world.discovered():
        if ctx.tech(ont.port) == "epon":
            at = ont.found_at
            lines += [
                f"Onu Interface  :  {ctx.personality.onu(ont.port.onu(1), 'epon')}",
                f"Onu Model      :  {ont.model}",
                f"MAC Address    :  {serial_mac(ont.serial)}",
                "Online State   :  authentication deny",
                f"RegTime        :  {at:%Y/%m/%d %H:%M:%S}" if at else "RegTime        :  ",
            ]
    return Answer(lines or ["No infomation to show" if ctx.personality.old else _nothing(ctx)])


def epon_state(ctx: Context) -> Answer:
    """``show epon onu state PORT``: ``Power Off`` is two words. Of the columns only the states were seen."""
    views = [view for view in ctx.world.views(ctx.olt()) if ctx.tech(view.entry.ref.port) == "epon"]
    if not views:
        return Answer(["No infomation to show" if ctx.personality.old else _nothing(ctx)])
    lines = [f"{'OnuIndex':<22}{'MAC':<18}{'AdminState':<12}OnlineState", "-" * 64]
    for view in views:
        mac = serial_mac(view.entry.serial) if view.entry.serial else ""
        word = "Online" if view.online else "Power Off" if view.entry.down_cause == "dying-gasp" else "Offline"
        lines.append(f"{ctx.name(view.entry.ref):<22}{mac:<18}{'enable':<12}{word}")
    return Answer(lines)


def pon_information(ctx: Context) -> Answer:
    """``show pon onu information epon-onu_1/1/1:1``."""
    view = ctx.view()
    if view is None or view.entry.serial is None:
        return Answer([_nothing(ctx)])
    up = ctx.world.up_at(view)
    since = f"{up:%Y/%m/%d %H:%M:%S}" if up is not None else "0000/00/00 00:00:00"
    mac = serial_mac(view.entry.serial)
    rows = [
        ("ONU interface", ctx.name(view.entry.ref)),
        ("Auth information", f"MAC({mac})"),
        ("MAC reported", mac if view.online else ""),
        ("LLID", str(view.entry.ref.onu_id)),
        ("ONU type configured", provided(view.entry).onu_type),
        ("ONU type reported", view.ont.model if view.online and view.ont else ""),
        ("State", "online/authentication pass" if view.online else "offline"),
        ("Hardware version", ""),
        ("Software version", ""),
        ("Firmware version", "6.f.1.e(HEX)" if view.online else ""),
    ]
    return Answer(
        [
            *(f"{label + ':':<22}{value}" for label, value in rows),
            "-" * 42,
            "Register time          Auth-pass time         Deregister time        Cause",
            f"{since:<23}{since:<23}0000/00/00 00:00:00",
        ]
    )
