"""How Huawei OLTs print what is configured: service ports, VLANs, profiles, MAC addresses, boards, users."""

from __future__ import annotations

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.huawei.answer import Context, failure
from ponprobe.emulator.huawei.detail import LINE_SWITCHES, service_tables, tcont_lines
from ponprobe.emulator.huawei.display import RULE, spaced
from ponprobe.emulator.records import LineProfile, OnuView, Refused, Service, ServiceProfile
from ponprobe.models.addressing import PonPort

NO_SERVICE = "No service virtual port can be operated"
_NOTE = [
    "   Note : F--Frame, S--Slot, P--Port,",
    "          VPI indicates ONT ID for PON, VCI indicates GEM index for GPON,",
    "          v/e--vlan/encap, pritag--priority-tagged,",
    "          ppp--pppoe, ip--ipoe, ip4--ipv4oe, ip6--ipv6oe",
]
_NEWER_NOTE = [
    *_NOTE[:-1],
    _NOTE[-1] + ", vxl--vxlan.",
    "          When FLOW TYPE is plist, the value of FLOW PARA is a byte in",
    "          hexadecimal format and indicates a priority list.",
]


def _service_row(ctx: Context, service: Service) -> str:
    attribute = ctx.world.vlans[service.vlan].attribute if service.vlan in ctx.world.vlans else "common"
    where = f"{service.port.frame}/{service.port.slot:<2}/{service.port.port:<2}"
    onu = "-" if service.onu_id is None else str(service.onu_id)
    gem = "-" if service.gem is None else str(service.gem)
    # the table names the directions from the other end: RX is what "outbound" set
    rx, tx = ("-" if table is None else str(table) for table in (service.outbound, service.inbound))
    state = "up" if ctx.world.is_up(service) else "down"
    return (
        f"{service.index:>8} {service.vlan:>4} {attribute:<8} gpon {where} {onu:<4} {gem:<5} "
        f"vlan  {service.user_vlan:<10} {rx:<4} {tx:<4} {state:<5}"
    )


def service_ports(ctx: Context) -> Answer:
    """``display service-port all``, ``port F/S/P [ont N]``: the flow list."""
    port = PonPort.parse(ctx.values["fsp"]) if "fsp" in ctx.values else None
    if port is not None and port not in ctx.world.plants:
        return failure("The port does not exist")
    found = ctx.world.services_of(port, ctx.number("ontid"))
    if (gem := ctx.number("gem")) is not None:
        found = [service for service in found if service.gem == gem]
    if not found:
        return failure(NO_SERVICE)
    up = sum(ctx.world.is_up(service) for service in found)
    return Answer(
        [
            "  Switch-Oriented Flow List",
            RULE,
            "   INDEX VLAN VLAN     PORT F/ S/ P VPI  VCI   FLOW  FLOW       RX   TX   STATE",
            "         ID   ATTR     TYPE                    TYPE  PARA",
            RULE,
            *(_service_row(ctx, service) for service in found),
            RULE,
            f"   Total : {len(found)}  (Up/Down :    {up}/{len(found) - up})",
            *(_NEWER_NOTE if ctx.personality.has_summary else _NOTE),
        ]
    )


def service_port(ctx: Context) -> Answer:
    """``display service-port IDX``."""
    service = ctx.world.services.get(int(ctx.values["index"]))
    if service is None:
        return failure("Service virtual port does not exist")
    rows = [
        ("Index", service.index),
        ("VLAN ID", service.vlan),
        ("VLAN attr", ctx.world.vlans[service.vlan].attribute),
        ("Port type", "gpon"),
        ("F/S/P", service.port),
        ("ONT ID", "-" if service.onu_id is None else service.onu_id),
        ("GEM port index", "-" if service.gem is None else service.gem),
        ("Flow type", "vlan"),
        ("Flow para", service.user_vlan),
        ("RX", "-" if service.outbound is None else service.outbound),
        ("TX", "-" if service.inbound is None else service.inbound),
        ("Tag transforms", service.transform),
        ("Inner VLAN", "-" if service.inner_vlan is None else service.inner_vlan),
        ("Admin status", "enable"),
        ("State", "up" if ctx.world.is_up(service) else "down"),
    ]
    return Answer([RULE, *(f"  {label:<20}: {value}" for label, value in rows), RULE])


def next_free_index(ctx: Context) -> Answer:
    """``display service-port next-free-index``."""
    return Answer([f"  Next valid free service virtual port ID: {ctx.world.free_service_index()}"])


def vlans(ctx: Context) -> Answer:
    """``display vlan N`` or ``all``."""
    if (number := ctx.number("vlan")) is not None:
        vlan = ctx.world.vlans.get(number)
        if vlan is None:
            return failure("VLAN does not exist")
        rows = [
            ("VLAN ID", number),
            ("VLAN name", f"VLAN_{number:04}"),
            ("VLAN type", "smart"),
            ("VLAN attribute", vlan.attribute),
            ("VLAN description", vlan.description),
            ("VLAN forwarding mode in control board", "VLAN-MAC"),
            ("VLAN forwarding mode", "VLAN-MAC"),
            ("VLAN broadcast packet forwarding policy", "forward"),
            ("VLAN unknown multicast packet forwarding policy", "forward"),
            ("VLAN unknown unicast packet forwarding policy", "forward"),
            ("VLAN bind service profile ID", "-"),
            ("VLAN bind RAIO profile index", "-"),
            ("VLAN priority", "-"),
            ("Standard port number", vlan.uplinks),
            ("Service virtual port number", sum(s.vlan == number for s in ctx.world.services.values())),
        ]
        return Answer([f"  {label}: {value}" for label, value in rows])
    rule = "  " + "-" * 71
    lines = [rule, "  VLAN   Type      Attribute  STND-Port NUM   SERV-Port NUM  VLAN-Con NUM", rule]
    for number, vlan in sorted(ctx.world.vlans.items()):
        used = sum(s.vlan == number for s in ctx.world.services.values())
        lines.append(f"  {number:>4}   smart     {vlan.attribute:<11}{vlan.uplinks:>13}{used:>16}{'-':>14}")
    return Answer(
        [
            *lines,
            rule,
            f"  Total: {len(ctx.world.vlans)}",
            "  Note : STND-Port--standard port, SERV-Port--service virtual port,",
            "         VLAN-Con--vlan-connect",
        ]
    )


def _bound(ctx: Context, profile: LineProfile | ServiceProfile) -> int:
    field = "line_profile" if isinstance(profile, LineProfile) else "service_profile"
    return sum(getattr(entry, field) == profile.id for entry in ctx.world.onus.values())


def profile(ctx: Context) -> Answer:
    """``display ont-lineprofile gpon`` / ``ont-srvprofile gpon``: ``all``, ``profile-id N``, ``profile-name X``."""
    is_line = ctx.has("ont-lineprofile")
    known: dict[int, LineProfile | ServiceProfile] = {}
    known.update(ctx.world.line_profiles if is_line else ctx.world.service_profiles)
    if ctx.has("all"):
        rows = [f"  {number:<12}{each.name:<44}{_bound(ctx, each):<13}" for number, each in sorted(known.items())]
        head = "  Profile-ID  Profile-name                                Binding times"
        return Answer([RULE, head, RULE, *rows, RULE, f"  Total: {len(known)}"])
    number, name = ctx.number("profileid"), ctx.values.get("profilename")
    found = next((each for each in known.values() if each.id == number or each.name == name), None)
    if found is None:
        return failure(ctx.personality.no_line_profile if is_line else "The service profile does not exist")
    if isinstance(found, LineProfile):
        return Answer(
            [
                RULE,
                f"  Profile-ID          :{found.id}",
                f"  Profile-name        :{found.name}",
                "  Access-type         :GPON",
                RULE,
                *LINE_SWITCHES,
                RULE,
                *tcont_lines(found),
                RULE,
                f"  Binding times       :{_bound(ctx, found)}",
                RULE,
            ]
        )
    return Answer(
        [
            RULE,
            f"  Profile-ID  : {found.id}",
            f"  Profile-name: {found.name}",
            "  Access-type : GPON",
            RULE,
            *service_tables(found, adaptive_column=False),
            f"  Binding times : {_bound(ctx, found)}",
            RULE,
        ]
    )


def mac_addresses(ctx: Context) -> Answer:
    """``display mac-address port F/S/P [ont N]`` or ``service-port IDX``: what the OLT has learnt."""
    if (index := ctx.number("index")) is not None:
        if index not in ctx.world.services:
            return failure("Service virtual port does not exist")
        services = [ctx.world.services[index]]
    else:
        services = ctx.world.services_of(PonPort.parse(ctx.values["fsp"]))
    wanted = ctx.number("ontid")
    rows: list[str] = []
    for service in services:
        for view, mac in ctx.world.learnt_macs(service):
            ref = view.entry.ref
            if wanted is not None and ref.onu_id != wanted:
                continue
            where = f"{ref.port.frame} /{ref.port.slot:<2}/{ref.port.port:<3}"
            gem = "-" if service.gem is None else str(service.gem)
            rows.append(
                f"{service.index:>8}     -  gpon {mac} dynamic  {where} {ref.onu_id:<4} {gem:<5}{service.vlan:>8}"
            )
    wait = "  It will take some time, please wait..."
    if not rows:
        return Answer([wait, "  Failure: There is not any MAC address record"])
    rule = "  " + "-" * 71
    return Answer(
        [
            wait,
            rule,
            "   SRV-P BUNDLE TYPE MAC            MAC TYPE F /S /P   VPI  VCI   VLAN ID",
            "   INDEX INDEX",
            rule,
            *rows,
            rule,
            f"  Total: {len(rows)}",
            "  Note: F--Frame, S--Slot, P--Port, F/S/P indicates PW Index for PW,",
            "        A--The MAC address is learned or configured on the aggregation port,",
            "        VPI indicates ONT ID for PON, VCI indicates GEM index for GPON,",
            "        v/e--vlan/encap, pritag--priority-tagged,",
            "        ppp--pppoe, ip--ipoe, ip4--ipv4oe, ip6--ipv6oe",
        ]
    )


def onu_macs(ctx: Context) -> Answer:
    """``display mac-address ont F/S/P ID``: what the ONU itself has learnt on its ports."""
    try:
        view = ctx.world.view(PonPort.parse(ctx.values["fsp"]).onu(int(ctx.values["ontid"])))
    except Refused:
        return failure("The ONT does not exist")
    if not view.online or view.ont is None:
        return failure("The ONT is not online")
    if not view.ont.macs:
        return failure("There is not any MAC address record")
    rule = " " + "-" * 63
    rows = [
        f" {spaced(view.entry.ref.port):<7}{view.entry.ref.onu_id:>6}    ETH              1   {mac}{_untagged(view):>9}"
        for mac in view.ont.macs
    ]
    return Answer(
        [
            rule,
            " F/S/P   ONTID    ONT        ONT       MAC-ADDRESS        VLAN",
            "                   port-type  port-ID",
            rule,
            *rows,
            rule,
            f" Total: {len(rows)}",
        ]
    )


def _untagged(view: OnuView) -> str:
    return str(next((vlan for vlan, _ in view.entry.native_vlans.values()), "-"))


def board(ctx: Context) -> Answer:
    """``display board 0`` (slots) or ``0/S`` (a board's ports and all its ONUs)."""
    frame, _, slot = ctx.values["frameid/slotid"].partition("/")
    if frame != "0":
        return failure("The frame does not exist")
    if slot:
        return _one_board(ctx, int(slot))
    rule = "  " + "-" * 73
    lines = [rule, "  SlotID  BoardName  Status          SubType0 SubType1    Online/Offline", rule]
    for number in range(ctx.world.slots):
        each = ctx.world.boards.get(number)
        if each is None:
            lines.append(f"  {number:<6}")
        else:
            lines.append(f"  {number:<8}{each.name:<11}{each.status:<16}{'':<25}")
    return Answer([*lines, rule])


def _one_board(ctx: Context, slot: int) -> Answer:
    each = ctx.world.boards.get(slot)
    if each is None:
        return failure("This board does not exist")
    rule = "  " + "-" * 77
    lines = ["  " + "-" * 39, f"  Board Name      : {each.name}", f"  Board Status    : {each.status}", "  " + "-" * 39]
    if each.ports:
        lines += [
            rule,
            "  Port   Port   min-distance   max-distance   Optical-module",
            "         type   (km)           (km)           status",
            rule,
        ]
        lines += [f"  {number:>4}   GPON   0              20             Online" for number in range(each.ports)]
        lines.append(rule)
        ports = [port for port in ctx.world.plants if port.slot == slot]
        for port in ports:
            views = ctx.world.views(port)
            if not views:
                continue
            lines += [
                "  F/S/P   ONT         SN         Control     Run      Config   Match    Protect",
                "          ID                     flag        state    state    state    side ",
                rule,
            ]
            for view in views:
                serial = view.entry.shown_serial.hex16 if view.entry.shown_serial else "-" * 16
                config, match = ("normal", "match") if view.configured else ("initial", "initial")
                lines.append(
                    f"  {spaced(port):<7}{view.entry.ref.onu_id:>4}  {serial}  {'active':<12}{view.run_state:<9}"
                    f"{config:<9}{match:<9}no "
                )
            online = sum(view.online for view in views)
            lines += [rule, f"  In port {port}, the total of ONTs are: {len(views)}, online: {online}", rule]
    return Answer(lines)


def version(ctx: Context) -> Answer:
    """``display version``."""
    of = ctx.personality
    days, rest = divmod(int(ctx.world.uptime_s), 86_400)
    hours, rest = divmod(rest, 3600)
    area = "  " + "-" * 50
    return Answer(
        [
            "",
            f"  VERSION : {of.version}",
            f"  PATCH   : {of.patch}",
            f"  PRODUCT : {of.product}",
            "",
            "  Active Mainboard Running Area Information: ",
            area,
            "  Current Program Area : Area A ",
            "  Current Data Area : Area B ",
            "",
            f"  Program Area A Version : {of.version} ",
            f"  Program Area B Version : {of.version} ",
            "",
            f"  Data Area A Version : {of.version} ",
            f"  Data Area B Version : {of.version} ",
            area,
            "",
            f"  Uptime is {days} day(s), {hours} hour(s), {rest // 60} minute(s), {rest % 60} second(s)",
        ]
    )


def users(ctx: Context) -> Answer:
    """``display terminal user``: the Reenter number is the limit of sessions at once."""
    name = ctx.values.get("username", ctx.device.username)
    if name != ctx.device.username:
        return failure("The user does not exist")
    rule = "  " + "-" * 76
    return Answer(
        [
            rule,
            "  Name            Level    Status  Reenter Profile         Append",
            "                                   Num                     Info",
            rule,
            f"  {name:<16}Admin    Online  {ctx.device.reenter_limit:>7} root            -----",
            rule,
        ]
    )
