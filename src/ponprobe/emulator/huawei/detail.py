"""The page of one registered ONU: state first, then its line profile, then its service profile."""

from __future__ import annotations

from datetime import timedelta

from ponprobe.emulator.huawei.answer import Context
from ponprobe.emulator.records import LineProfile, OnuEntry, OnuView, ServiceProfile
from ponprobe.models.addressing import Serial

RULE = "  " + "-" * 77
_AUTH_WORDS = {
    "sn": "SN-auth",
    "sn+password": "SN-auth+password-auth",
    "password": "password-auth",
    "loid": "loid-auth",
    "loid+checkcode": "loid+checkcode-auth",
}


def long_serial(serial: Serial | None) -> str:
    """``48575443F2D53A8B (HWTC-F2D53A8B)``; ``-`` where none has been seen yet."""
    return f"{serial.hex16} ({serial.vendor_id}-{serial.text[-8:]})" if serial else "-"


def _duration(spent: timedelta) -> str:
    minutes, seconds = divmod(int(spent.total_seconds()) % 86_400, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{spent.days} day(s), {hours} hour(s), {minutes} minute(s), {seconds} second(s)"


def _identity(entry: OnuEntry) -> list[tuple[str, str]]:
    rows = [("Authentic type", _AUTH_WORDS[entry.auth])]
    if entry.auth not in {"sn", "sn+password"}:
        on = "on" if entry.learnt or entry.mode == "always-on" else "off"
        rows += [("Discovery mode", f"{entry.mode} mode"), ("Discovery state", on)]
    rows.append(("SN", long_serial(entry.shown_serial)))
    if entry.password is not None:
        rows.append(("Password", f"0x{entry.password.encode('latin-1').hex()} ({entry.password})"))
    if entry.loid is not None:
        rows.append(("Loid", entry.loid))
    if entry.checkcode is not None:
        rows.append(("Checkcode", entry.checkcode))
    return rows


def _state(ctx: Context, view: OnuView) -> list[tuple[str, str]]:
    entry, world, online = view.entry, ctx.world, view.online
    newer = ctx.personality.has_summary
    up = world.up_at(view)

    def when(at: object) -> str:
        return str(at.isoformat(sep=" ", timespec="seconds")) if hasattr(at, "isoformat") else "-"

    rows = [
        ("F/S/P", str(entry.ref.port)),
        ("ONT-ID", str(entry.ref.onu_id)),
        ("Control flag", "active"),
        ("Run state", view.run_state),
        ("Config state", "normal" if view.configured else "initial"),
        ("Match state", "match" if view.configured else "initial"),
        ("DBA type", "SR" if online else "-"),
        ("ONT distance(m)", "-" if view.distance_m is None else str(view.distance_m)),
    ]
    if newer:
        rows.append(("ONT last distance(m)", "-" if view.distance_m is None else str(view.distance_m)))
    rows += [
        ("ONT battery state", "not support" if online else "-"),
        ("Memory occupation", "43%" if online else "-"),
        ("CPU occupation", "1%" if online else "-"),
        ("Temperature", "56(C)" if online else "-"),
        *_identity(entry),
        ("Management mode", "OMCI"),
        ("Software work mode", "normal"),
        ("Isolation state", "normal"),
        ("ONT IP 0 address/mask", "-"),
        ("Description", entry.description or "ONT_NO_DESCRIPTION"),
        ("Last down cause", entry.down_cause or "-"),
        ("Last up time", when(up)),
        ("Last down time", when(entry.down_at)),
        ("Last dying gasp time", when(entry.down_at) if entry.down_cause == "dying-gasp" else "-"),
        ("ONT online duration", _duration(world.wall() - up) if online and up else "-"),
        ("Type C support" if not newer else "Type D support", "Not support" if online else "-"),
        ("Interoperability-mode", "ITU-T" if online else "Unknown"),
        ("Power reduction status", "-"),
        ("FEC upstream state", "use-profile-config"),
    ]
    if newer:
        rows += [
            ("ONT NNI type", "auto"),
            ("ONT actual NNI type", "2.5G/1.25G" if online else "-"),
            ("VS-ID", "0"),
            ("VS name", "admin-vs"),
            ("Global ONT-ID", str(entry.ref.onu_id)),
            ("Fiber route", "-"),
        ]
    return rows


def tcont_lines(profile: LineProfile) -> list[str]:
    """The T-CONT and GEM table of a line profile."""
    inner = "   " + "-" * 68
    lines: list[str] = []
    for tcont, dba in sorted(profile.tconts.items()):
        lines.append(f"  <T-CONT   {tcont}>          DBA Profile-ID:{dba}")
        for gem, (owner, vlans) in sorted(profile.gems.items()):
            if owner != tcont:
                continue
            lines += [
                f"   <Gem Index {gem}>",
                inner,
                "   |Serv-Type:ETH |Encrypt:off |Cascade:off |GEM-CAR:-            |",
                "   |Upstream-priority-queue:0  |Downstream-priority-queue:-       |",
                inner,
                "    Mapping VLAN  Priority Port    Port  Bundle  Flow  Transparent",
                "    index                  type    ID    ID      CAR   ",
                inner,
                *(
                    f"    {at:<8}{vlan:<6}-        -       -     -       -     -          "
                    for at, vlan in enumerate(vlans)
                ),
                inner,
            ]
    return lines


LINE_SWITCHES = [
    "  FEC upstream switch :Disable",
    "  OMCC encrypt switch :Off",
    "  Qos mode            :PQ",
    "  Mapping mode        :VLAN",
    "  TR069 management    :Disable",
    "  TR069 IP index      :0",
]


def _ports(number: int | None) -> str:
    return "adaptive" if number is None else str(number)


def service_tables(profile: ServiceProfile, *, adaptive_column: bool) -> list[str]:
    """The port part of a service profile."""
    head = "  Port-type     Port-number" + ("     Max-adaptive-number" if adaptive_column else "")
    lines = [head, RULE]
    for label, number in (
        ("POTS", profile.pots),
        ("ETH", profile.eth),
        ("VDSL", 0),
        ("TDM", 0),
        ("MOCA", 0),
        ("CATV", 0),
    ):
        most = f"{'-' if number is not None else '8'}" if adaptive_column else ""
        lines.append(f"  {label:<14}{_ports(number):<16}{most}".rstrip())
    lines += [
        RULE,
        "  TDM port type                     : E1",
        "  TDM service type                  : TDMoGem",
        "  MAC learning function switch      : Enable",
        "  ONT transparent function switch   : Disable",
        "  Ring check switch                 : Disable",
        "  Multicast forward mode            : Unconcern",
        "  Multicast mode                    : Unconcern",
        "  Native VLAN option                : Concern",
        RULE,
        "  Port-type Port-ID QinQmode  PriorityPolicy Inbound     Outbound",
        RULE,
        *(
            f"  ETH       {n:<8}unconcern unconcern      unconcern   unconcern"
            for n in range(1, (profile.eth or 8) + 1)
        ),
        RULE,
    ]
    return lines


def detail_page(ctx: Context, view: OnuView) -> list[str]:
    """``display ont info`` of one ONU; some 100 lines."""
    lines = [RULE]
    for label, value in _state(ctx, view):
        parts = [value[at : at + 48] for at in range(0, len(value), 48)] or [""]
        lines.append(f"  {label:<24}: {parts[0]}")
        lines += [" " * 28 + part for part in parts[1:]]
    line = ctx.world.line_profiles[view.entry.line_profile]
    service = ctx.world.service_profiles[view.entry.service_profile]
    return [
        *lines,
        RULE,
        f"  Line profile ID      : {line.id}",
        f"  Line profile name    : {line.name}",
        RULE,
        *LINE_SWITCHES,
        RULE,
        "  Notes: * indicates Discrete TCONT(TCONT Unbound)",
        RULE,
        *tcont_lines(line),
        RULE,
        "  Notes: Run the display traffic table ip command to query ",
        "         traffic table configuration",
        RULE,
        f"  Service profile ID   : {service.id}",
        f"  Service profile name : {service.name}",
        RULE,
        *service_tables(service, adaptive_column=True),
    ]
