"""The command table of Huawei OLTs: words, values, views, and who answers."""

from __future__ import annotations

from collections.abc import Callable

from ponprobe.emulator.answer import Answer, filtered, silent
from ponprobe.emulator.grammar import Command, Grammar
from ponprobe.emulator.huawei import changes, display, ports, tables
from ponprobe.emulator.huawei.answer import CONFIG, ENABLE, GPON, LINE, SERVICE, USER, Context, failure
from ponprobe.emulator.huawei.personality import NO_BOARD, Personality

EVERYWHERE = (USER, ENABLE, CONFIG, GPON, LINE, SERVICE)
ANY = (ENABLE, CONFIG, GPON)
WIDE = (ENABLE, CONFIG)
LOGOUT = "Are you sure to log out? (y/n)[n]:"
_PROFILES = (
    "omci { ont-lineprofile-id <lineid:U0-8192> | ont-lineprofile-name <linename:S1-33> }"
    " { ont-srvprofile-id <srvid:U0-8192> | ont-srvprofile-name <srvname:S1-33> }"
)
_MODE = "{ always-on | once-on { no-aging | aging-time <agingtime:U1-168> } }"
_AUTH = (
    "{ sn-auth <sn:sn> [ password-auth <password:S1-10> ]"
    f" | password-auth <password:S1-10> {_MODE}"
    f" | loid-auth <loid:S1-24> [ checkcode-auth <checkcode:S1-12> ] {_MODE} }}"
)
_SEARCH = "{ by-sn <sn:sn> | by-loid <loid:S1-24> | by-password <password:S1-10> | by-desc <desc:S1-64> }"
_FILTER = " [ PIPE { no-more | include <text:S1-255> | exclude <text:S1-255> | begin <text:S1-255> } ]"
_OLD_FILTER = _FILTER.replace("no-more | ", "")


def _leave(ctx: Context) -> Answer:
    session = ctx.session
    if session.view in {LINE, SERVICE}:
        return changes.leave_profile(ctx)
    if session.view == GPON:
        session.view = CONFIG
    elif session.view == CONFIG:
        session.view = ENABLE
    elif session.mmi or not session.interactive:
        return Answer(logout=True)
    else:
        return Answer(
            lines=["  Check whether system data has been changed. Please save data before logout."],
            question=LOGOUT,
            then=lambda reply: Answer(logout=reply.strip().lower() in {"y", "yes"}),
        )
    return Answer()


def _to(view: str) -> Callable[[Context], Answer]:
    def go(ctx: Context) -> Answer:
        ctx.session.view = view
        ctx.session.profile = None
        return Answer()

    return go


def _enter_board(ctx: Context) -> Answer:
    frame, slot = (int(part) for part in ctx.values["frameid/slotid"].split("/"))
    board = ctx.world.boards.get(slot)
    if frame != 0 or board is None or not board.ports:
        return failure(NO_BOARD)
    ctx.session.slot, ctx.session.view = (frame, slot), GPON
    return Answer()


def _set(name: str, value: object) -> Callable[[Context], Answer]:
    def change(ctx: Context) -> Answer:
        setattr(ctx.session, name, value)
        return Answer()

    return change


def _scroll(ctx: Context) -> Answer:
    ctx.session.height = ctx.number("number") or 24
    return Answer()


def _mmi(ctx: Context) -> Answer:
    ctx.session.height = None
    ctx.session.mmi = ctx.session.mmi or ctx.has("enable")
    return Answer()


Row = tuple[str, tuple[str, ...], Callable[[Context], Answer]]


def _views_and_terminal(of: Personality) -> list[Row]:
    rows: list[Row] = [
        ("enable", (USER,), _to(ENABLE)),
        ("disable", (ENABLE,), _to(USER)),
        ("config", (ENABLE,), _to(CONFIG)),
        ("interface gpon <frameid/slotid:fs>", (CONFIG,), _enter_board),
        ("quit", EVERYWHERE, _leave),
        ("return", (CONFIG, GPON, LINE, SERVICE), _to(ENABLE)),
        ("undo smart", EVERYWHERE, _set("smart", value=False)),
        ("smart", EVERYWHERE, _set("smart", value=True)),
        ("undo interactive", EVERYWHERE, _set("interactive", value=False)),
        ("interactive", EVERYWHERE, _set("interactive", value=True)),
        ("scroll [ <number:U10-512> ]", EVERYWHERE, _scroll),
        ("infoswitch cli OFF", ANY, _set("alarms", value=False)),
        ("infoswitch cli ON", ANY, _set("alarms", value=True)),
        ("mmi-mode original-output", (CONFIG,), _mmi),
        ("undo mmi-mode original-output", (CONFIG,), _set("height", value=24)),
        ("idle-timeout <minutes:U1-255>", (USER, ENABLE), silent),
        ("undo idle-timeout", (USER, ENABLE), silent),
        ("undo alarm output all", (CONFIG,), _set("alarms", value=False)),
        ("alarm output all", (CONFIG,), _set("alarms", value=True)),
        ("queue-scheduler strict-priority", (CONFIG,), silent),
        ("queue-scheduler wrr", (GPON,), silent),
    ]
    if of.mmi_enable:
        rows.append(("mmi-mode enable", (CONFIG,), _mmi))
    return rows


def _displays(of: Personality) -> list[Row]:
    # older firmware filters this one list only, and knows no "no-more"
    pipe, listed = ("", tables.service_ports) if of.filters else (_OLD_FILTER, filtered(tables.service_ports))
    rows: list[Row] = [
        ("display version [ backplane | <frameid/slotid:f_or_fs> ]", EVERYWHERE, tables.version),
        ("display board <frameid/slotid:f_or_fs>", ANY, tables.board),
        ("display terminal user { all | name <username:S1-15> }", WIDE, tables.users),
        ("display ont autofind all", ANY, display.autofind),
        ("display ont autofind <portid:U0-15>", (GPON,), display.autofind),
        (f"display ont info {_SEARCH}", ANY, display.ont_info),
        (
            "display ont info <frameid:U0-0> <slotid:U0-20> { all | <portid:U0-15> { all | <ontid:U0-127> } }",
            WIDE,
            display.ont_info,
        ),
        ("display ont info <portid:U0-15> { all | <ontid:U0-127> }", (GPON,), display.ont_info),
        ("display ont optical-info <portid:U0-15> { all | <ontid:U0-127> }", (GPON,), display.optical_info),
        ("display port state { all | <portid:U0-15> }", (GPON,), ports.port_state),
        (f"display service-port all [ e2e ] [ sort-by <sortkey:S1-20> ]{pipe}", WIDE, listed),
        ("display service-port <index:U0-131071>", WIDE, tables.service_port),
        (
            (
                "display service-port port <fsp:fsp> [ ont <ontid:U0-127> [ gemport <gem:U0-1023> ] ]"
                " [ sort-by <sortkey:S1-20> ]"
            ),
            WIDE,
            tables.service_ports,
        ),
        ("display service-port next-free-index", WIDE, tables.next_free_index),
        ("display vlan <vlan:U1-4095> [ inner-vlan <innervlan:U1-4095> | to <lastvlan:U1-4095> ]", WIDE, tables.vlans),
        ("display vlan all [ vlanattr | <vlantype:Emux,standard,smart,super> ]", WIDE, tables.vlans),
        ("display mac-address port <fsp:fsp> [ ont <ontid:U0-127> ]", (CONFIG,), tables.mac_addresses),
        ("display mac-address service-port <index:U0-131071>", (CONFIG,), tables.mac_addresses),
        ("display mac-address ont <fsp:fsp> <ontid:U0-127>", (CONFIG,), tables.onu_macs),
    ]
    which = "gpon { all | profile-id <profileid:U0-8192> | profile-name <profilename:S1-33> }"
    rows += [(f"display ont-{kind} {which}", WIDE, tables.profile) for kind in ("lineprofile", "srvprofile")]
    if of.has_summary:
        rows.append(("display ont info summary <fsp:any_fsp>", WIDE, display.summary))
        rows.append(("display ont info summary <portid:U0-15>", (GPON,), display.summary))
    if of.filters:
        rows = [(pattern + _FILTER, views, filtered(run)) for pattern, views, run in rows]
    return rows


def _changes(of: Personality) -> list[Row]:
    # the rate words were new when both were accepted; V800R015C00 knows the old ones only
    rates = "rx-cttr <outbound:U0-1023> tx-cttr <inbound:U0-1023>"
    tail = "[ ont-type <onttype:S1-20> ] [ desc <desc:S1-64> ]"
    if of.id == "ma5800_r022":
        rates = (
            f"{rates} | inbound traffic-table index <inbound:U0-1023> outbound traffic-table index <outbound:U0-1023>"
        )
        tail = "[ desc <desc:S1-64> ] [ fiber-route <route:S1-30> ] [ ont-type <onttype:S1-20> ]"
    user = "{ untagged | other-all | <uservlan:U1-4095> [ to <uservlanto:U1-4095> ] }"
    tags = (
        "{ default | add | translate | transparent"
        " | translate-and-add inner-vlan <innervlan:U1-4095> [ inner-priority <innerpriority:U0-7> ] }"
    )
    rows: list[Row] = [
        (f"ont add <portid:U0-15> [ <ontid:U0-127> ] {_AUTH} {_PROFILES} {tail}", (GPON,), changes.add_onu),
        (f"ont confirm <portid:U0-15> [ ontid <ontid:U0-127> ] {_AUTH} {_PROFILES} {tail}", (GPON,), changes.add_onu),
        ("ont delete <portid:U0-15> { all | <ontid:U0-127> }", (GPON,), changes.delete_onu),
        (
            (
                "ont port native-vlan <portid:U0-15> <ontid:U0-127> eth <ethport:U1-24> vlan <vlan:U1-4095>"
                " [ priority <priority:U0-7> ]"
            ),
            (GPON,),
            changes.native_vlan,
        ),
        (
            (
                "service-port [ <index:U0-131071> ] vlan <vlan:U1-4095> gpon <fsp:fsp> ont { all | <ontid:U0-127> }"
                f" [ gemport <gem:U0-1023> ] multi-service user-vlan {user} [ tag-transform {tags} ]"
                f" [ bundle <bundle:U0-65535> ] [ {rates} ]"
            ),
            (CONFIG,),
            changes.add_service,
        ),
        ("undo service-port <index:U0-131071>", (CONFIG,), changes.remove_service),
        (
            "undo service-port port <fsp:fsp> [ ont <ontid:U0-127> [ gemport <gem:U0-1023> ] ]",
            (CONFIG,),
            changes.remove_service,
        ),
        ("vlan <vlan:U1-4095> { smart | mux | standard }", (CONFIG,), changes.add_vlan),
        ("undo vlan <vlan:U1-4095>", (CONFIG,), changes.remove_vlan),
        ("port vlan <vlan:U1-4095> <frameid/slotid:fs> <portlist:S1-255>", (CONFIG,), changes.vlan_to_uplink),
        ("save [ configuration | data ]", WIDE, changes.save),
    ]
    return rows


def _profiles() -> list[Row]:
    options = "[ cascade ] [ downstream-priority-queue <dpq:U0-7> ] [ encrypt <encrypt:Eon,off> ]"
    more = "[ gem-car <car:U0-1023> ] [ priority-queue <pq:U0-7> ]"
    which = "gpon profile-id <profileid:U0-8192> [ profile-name <profilename:S1-33> ]"
    extra = " ".join(f"[ {word} <{word}:U0-8> ]" for word in ("catv", "moca", "tdm-srvtype", "tdm-type", "tdm", "vdsl"))
    return [
        (f"ont-lineprofile {which}", (CONFIG,), changes.edit_profile),
        (f"ont-srvprofile {which}", (CONFIG,), changes.edit_profile),
        ("tcont <tcont:U0-127> dba-profile-id <dba:U0-1023>", (LINE,), changes.profile_part),
        (f"gem add <gem:U0-1023> eth tcont <tcont:U0-127> {options} {more}", (LINE,), changes.profile_part),
        ("gem mapping <gem:U0-1023> <mapping:U0-7> vlan <vlan:U1-4095>", (LINE,), changes.profile_part),
        (
            f"ont-port eth <eth:Eadaptive,0,1,2,4,8> [ pots <pots:Eadaptive,0,1,2> ] {extra}",
            (SERVICE,),
            changes.profile_part,
        ),
        ("port vlan eth <ethport:U1-24> <vlan:U1-4095>", (SERVICE,), silent),
        ("commit", (LINE, SERVICE), changes.commit),
    ]


def grammar(of: Personality) -> Grammar:
    """The whole command table of a personality."""
    quiet = [*_views_and_terminal(of), *_displays(of)]
    loud = [*_changes(of), *_profiles()]
    return Grammar(
        [Command(pattern, frozenset(views), run) for pattern, views, run in quiet]
        + [Command(pattern, frozenset(views), run, changes=True) for pattern, views, run in loud]
    )
