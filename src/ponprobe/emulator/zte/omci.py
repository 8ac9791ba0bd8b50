"""``pon-onu-mng``: the ONU's own side, in its two styles (``service`` and ``flow``)."""

from __future__ import annotations

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.provision import OmciService, UniVlan
from ponprobe.emulator.records import Refused
from ponprobe.emulator.zte.answer import Context


def service(ctx: Context) -> Answer:
    """``service NAME gemport 1 vlan C``: without that GEM port it fails and says nothing."""
    values = ctx.values
    part = OmciService(int(values["gem"]), ctx.number("vlan"), ctx.number("cos"), values.get("kind"))
    ctx.provision().add_service(values["name"], part)
    return Answer()


def no_service(ctx: Context) -> Answer:
    """``no service NAME``."""
    if ctx.provision().services.pop(ctx.values["name"], None) is None:
        raise Refused("no_service")
    return Answer()


def uni_vlan(ctx: Context) -> Answer:
    """``vlan port eth_0/1 mode tag vlan C``: an EPON ONU must be up for it, a GPON ONU need not."""
    provision, uni = ctx.provision(), ctx.values["uni"].lower()
    if not ctx.world.onu_types[provision.onu_type].has(uni):
        raise Refused("no_uni")
    here = ctx.here()
    if ctx.tech(here) == "epon" and not ctx.world.view(ctx.entry().ref).configured:
        raise Refused("onu_unavailable")
    for mode in ("tag", "hybrid", "trunk", "transparent"):
        if ctx.has(mode):
            provision.unis[uni] = UniVlan(mode, ctx.number("vlan"), ctx.number("pri"))
    return Answer()


def no_uni_vlan(ctx: Context) -> Answer:
    """``no vlan port eth_0/1 mode``."""
    ctx.provision().unis.pop(ctx.values["uni"].lower(), None)
    return Answer()


def flow(ctx: Context) -> Answer:
    """``flow 1 switch switch_0/1`` makes a flow; the other lines need it."""
    provision, number = ctx.provision(), int(ctx.values["flow"])
    if ctx.has("switch"):
        if provision.services:
            raise Refused("flow_conflict")
        provision.switch_flows.setdefault(number, [])
    elif number not in provision.switch_flows:
        raise Refused("no_flow")
    elif "vlan" in ctx.values:
        provision.switch_flows[number].append(int(ctx.values["vlan"]))
    if ctx.has("mode"):
        provision.note("onu_lines", ctx.parse.completed)
    return Answer()


def gem_flow(ctx: Context) -> Answer:
    """``gemport 1 flow 1``."""
    provision, number = ctx.provision(), int(ctx.values["flow"])
    if number not in provision.switch_flows:
        raise Refused("no_flow")
    provision.gem_flows[int(ctx.values["gem"])] = number
    return Answer()


def no_flow(ctx: Context) -> Answer:
    """``no flow 1``."""
    number = int(ctx.values["flow"])
    provision = ctx.provision()
    if provision.switch_flows.pop(number, None) is None:
        raise Refused("no_flow")
    provision.gem_flows = {gem: to for gem, to in provision.gem_flows.items() if to != number}
    return Answer()
