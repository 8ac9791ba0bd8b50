"""The running configuration of a ZTE OLT, block by block."""

from __future__ import annotations

from collections.abc import Iterator

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.provision import Flow, Provision, provided
from ponprobe.emulator.records import OnuEntry, serial_mac
from ponprobe.emulator.zte.answer import (
    EPON_OLT,
    EPON_ONU,
    OLT,
    ONU,
    UPLINK,
    VPORT,
    BadParameterError,
    Context,
)
from ponprobe.emulator.zte.chassis import tagged_list
from ponprobe.emulator.zte.views import vport_of
from ponprobe.models.addressing import PonPort

MASK = "********"
"""What TITAN prints for names and descriptions in the detail page and in the running configuration."""


def _put(**words: object) -> str:
    """The words that have a value: ``_put(name="x", cos=None)`` is `` name x``."""
    return "".join(f" {word.replace('_', '-')} {value}" for word, value in words.items() if value is not None)


def identity(entry: OnuEntry) -> str:
    """How an ONU is registered: ``sn S``, ``pw P``, ``loid L``, ``mac M``."""
    match entry.auth:
        case "mac" if entry.serial is not None:
            return f"mac {serial_mac(entry.serial)}"
        case "password":
            return f"pw {entry.password}"
        case "loid" | "loid+checkcode":
            return f"loid {entry.loid}" + _put(password=entry.checkcode)
    return f"sn {entry.serial}" + _put(pw=entry.password)


def olt_block(ctx: Context, port: PonPort) -> list[str]:
    """``interface gpon-olt_1/2/1``: the list of its ONUs, with types and identities."""
    technology = ctx.tech(port)
    lines = [f"interface {ctx.personality.olt(port, technology)}", "  no shutdown", "  linktrap disable"]
    lines += ["  p2p mode group"] if technology == "epon" else []
    lines += ["  vlan-smart-qinq enable"] if port in ctx.world.qinq_ports else []
    for view in ctx.world.views(port):
        provision = provided(view.entry)
        static = " ip-cfg static" if provision.static_ip else ""
        lines.append(f"  onu {view.entry.ref.onu_id} type {provision.onu_type} {identity(view.entry)}{static}")
    return lines


def _flow_line(flow: Flow, *, titan: bool) -> str:
    where = "" if titan else f" vport {flow.vport}"
    rest = _put(svlan=flow.svlan, ingress=flow.ingress, egress=flow.egress)
    return f"  service-port {flow.index}{where} user-vlan {flow.user_vlan} vlan {flow.vlan}{rest}"


def onu_block(ctx: Context, entry: OnuEntry, *, masked: bool) -> list[str]:
    """``interface gpon-onu_1/2/1:3``."""
    provision, of = provided(entry), ctx.personality
    lines = [f"interface {ctx.name(entry.ref)}"]
    for word, text in (("name", provision.name), ("description", entry.description)):
        lines += [f"  {word} {MASK if masked else text}"] if text else []
    for number, each in sorted(provision.tconts.items()):
        lines.append(f"  tcont {number}{_put(name=each.name)} profile {each.profile}")
    for number, gem in sorted(provision.gemports.items()):
        way = f" unicast tcont {gem.tcont} dir both" if of.old else f" tcont {gem.tcont}"
        lines.append(f"  gemport {number}{_put(name=gem.name)}{way}")
        if gem.upstream or gem.downstream:
            lines.append(f"  gemport {number} traffic-limit{_put(upstream=gem.upstream, downstream=gem.downstream)}")
    lines += [f"  {line}" for line in provision.lines if not line.startswith(VPORT_LINES)]
    if not of.titan:
        lines += [_flow_line(flow, titan=False) for _, flow in sorted(provision.flows.items())]
    return lines


VPORT_LINES = ("qos ", "security ")
"""Settings that belong to a vport of TITAN."""


def vport_block(entry: OnuEntry, vport: int) -> list[str]:
    """``interface vport-1/2/1.3:1`` of TITAN."""
    provision = provided(entry)
    lines = [f"interface vport-{entry.ref.port}.{entry.ref.onu_id}:{vport}"]
    lines += [_flow_line(flow, titan=True) for _, flow in sorted(provision.flows.items()) if flow.vport == vport]
    return lines + [f"  {line}" for line in provision.lines if line.startswith(VPORT_LINES)]


def _flows(provision: Provision, *, old: bool) -> Iterator[str]:
    for number in sorted(provision.switch_flows):
        yield f"  flow {number} switch switch_0/1"
    words = ("priority", "vid") if old else ("pri", "vlan")
    for number, vlans in sorted(provision.switch_flows.items()):
        for vlan in vlans:
            yield f"  flow {number} {words[0]} 0 {words[1]} {vlan}"
    for gem, number in sorted(provision.gem_flows.items()):
        yield f"  gemport {gem} flow {number}"


def mng_block(ctx: Context, entry: OnuEntry) -> list[str]:
    """``pon-onu-mng gpon-onu_1/2/1:3``."""
    provision = provided(entry)
    lines = [f"pon-onu-mng {ctx.name(entry.ref)}"]
    for name, each in provision.services.items():
        lines.append(f"  service {name}{_put(type=each.type, gemport=each.gemport, cos=each.cos, vlan=each.vlan)}")
    lines += [*_flows(provision, old=ctx.personality.old), *(f"  {line}" for line in provision.onu_lines)]
    for uni, vlan in sorted(provision.unis.items()):
        word = "def-vlan" if vlan.mode == "hybrid" else "vlan"
        lines.append(f"  vlan port {uni} mode {vlan.mode}{_put(**{word: vlan.vlan}, priority=vlan.priority)}")
    return lines


def uplink_block(ctx: Context, name: str) -> list[str]:
    """``interface xgei_1/20/1``."""
    return [
        f"interface {name}",
        "  phy-attribute lan",
        "  no shutdown",
        "  hybrid-attribute fiber",
        "  no negotiation auto",
        "  speed 10000",
        "  duplex full",
        "  flowcontrol disable",
        "  linktrap enable",
        "  switchport mode trunk",
        f"  switchport vlan {tagged_list(ctx.world)} tag",
        "  port-protect disable",
        "  uplink-isolate disable",
    ]


def _named(ctx: Context, *, masked: bool) -> list[str]:
    """The block of the interface that a command names."""
    values = ctx.values
    if "olt" in values:
        return olt_block(ctx, ctx.olt())
    if "uplink" in values:
        return uplink_block(ctx, values["uplink"])
    if "vport" in values:
        ref, vport = vport_of(ctx)
        if ref not in ctx.world.onus or vport not in provided(ctx.world.onus[ref]).gemports:
            raise BadParameterError(values["vport"])
        return vport_block(ctx.world.onus[ref], vport)
    view = ctx.view()
    if view is None:
        raise BadParameterError(values["onu"])
    return onu_block(ctx, view.entry, masked=masked)


def running_config_interface(ctx: Context) -> Answer:
    """``show running-config interface X`` (ZXAN) and ``show running-config-interface X`` (TITAN)."""
    if ctx.personality.titan:
        return Answer([*_named(ctx, masked=True), "$"])
    return Answer(["Building configuration...", "!", *_named(ctx, masked=False), "!", "end"])


def onu_running_config(ctx: Context) -> Answer:
    """``show onu running config gpon-onu_1/2/1:3``."""
    view = ctx.view()
    return Answer([ctx.personality.nothing] if view is None else [*mng_block(ctx, view.entry), "!"])


def show_this(ctx: Context) -> Answer:
    """``show this``: the block of the view one is in. Whether TITAN masks names here is not known; it does not."""
    session = ctx.session
    match session.view:
        case _ if session.view in {OLT, EPON_OLT}:
            lines = olt_block(ctx, ctx.here())
        case _ if session.view in {ONU, EPON_ONU}:
            lines = onu_block(ctx, ctx.entry(), masked=False)
        case _ if session.view == VPORT:
            lines = vport_block(ctx.entry(), session.vport)
        case _ if session.view == UPLINK:
            lines = uplink_block(ctx, session.where)
        case _:
            lines = mng_block(ctx, ctx.entry())
    return Answer([*lines, ctx.personality.block_end])


def _blocks(ctx: Context) -> Iterator[list[str]]:
    for port in ctx.world.plants:
        yield olt_block(ctx, port)
    for view in ctx.world.views():
        yield onu_block(ctx, view.entry, masked=ctx.personality.titan)
        yield mng_block(ctx, view.entry)


def running_config_hangs(_ctx: Context) -> Answer:
    """``show running-config | include TEXT`` of V2.1."""
    return Answer(hangs=True)


def running_config(ctx: Context) -> Answer:
    """``show running-config``: everything; ``xpon``, TITAN's section of PON ports and ONUs."""
    end = ctx.personality.block_end
    blocks = [line for block in _blocks(ctx) for line in (*block, end)]
    if not ctx.personality.titan:
        return Answer(["Building configuration...", "!", *blocks, "end"])
    lines = ["!<xpon>", *blocks, "!</xpon>"]
    if not ctx.has("xpon"):
        lines.append("!<MSAN>")
        for view in ctx.world.views():
            for vport in sorted(provided(view.entry).gemports):
                lines += [*vport_block(view.entry, vport), end]
        lines.append("!</MSAN>")
    return Answer(lines)
