"""What changes a ZTE OLT: registration, T-CONTs, GEM ports, service ports, outer tags of whole ports."""

from __future__ import annotations

from typing import Any

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.provision import Flow, GemPort, PortQinq, Tcont, add_tcont, provided
from ponprobe.emulator.records import Refused, mac_serial
from ponprobe.emulator.zte.answer import Context
from ponprobe.models.addressing import Serial

SUCCESSFUL = ".[Successful]"


def register(ctx: Context) -> Answer:
    """``onu 3 type T sn S``: prints ``.[Successful]``; an id in use keeps its old serial."""
    values, world, port = ctx.values, ctx.world, ctx.here()
    if port.onu(int(values["id"])) in world.onus:
        raise Refused("id_exists")
    how: dict[str, Any] = {"onu_type": values["type"]}
    if "mac" in values:
        how["serial"] = mac_serial(values["mac"])
    elif "loid" in values:
        how |= {"loid": values["loid"], "checkcode": values.get("checkcode")}
    else:
        how |= {"serial": values.get("sn"), "password": values.get("pw")}
    ref = world.register(port, int(values["id"]), **how)
    provided(world.onus[ref]).static_ip = ctx.has("ip-cfg")
    return Answer([SUCCESSFUL])


def unregister(ctx: Context) -> Answer:
    """``no onu 3``: takes its interface, service ports and ``pon-onu-mng`` with it."""
    ctx.world.delete(ctx.here().onu(int(ctx.values["id"])))
    return Answer([SUCCESSFUL])


def rename(ctx: Context) -> Answer:
    """``name``, ``description``, ``property description`` and their ``no`` forms."""
    text = ctx.values.get("text", "")
    if ctx.has("name"):
        ctx.provision().name = text
    else:
        ctx.entry().description = text
    return Answer()


def change_identity(ctx: Context) -> Answer:
    """``registration-method sn S`` or ``pw P``: another ONU in the same place."""
    entry, world = ctx.entry(), ctx.world
    if "sn" in ctx.values:
        serial = Serial(ctx.values["sn"])
        found = world.find(serial)
        if found is not None and found.entry is not entry:
            raise Refused("serial_exists")
        entry.serial, entry.password, entry.auth = serial, None, "sn"
    else:
        entry.serial, entry.password, entry.auth = None, ctx.values["pw"], "password"
    entry.learnt = None
    return Answer()


def bind_serial(ctx: Context) -> Answer:
    """``sn-bind enable sn``: makes the OLT talk to the ONU, and wait for it if it is not there."""
    ctx.entry()
    online = ctx.world.view(ctx.entry().ref).online
    return Answer(wait_s=0.0 if online or ctx.has("disable") else ctx.device.save_s)


def tcont(ctx: Context) -> Answer:
    """``tcont 1 profile P``."""
    values = ctx.values
    add_tcont(ctx.world, ctx.entry(), int(values["tcont"]), Tcont(values["profile"], values.get("name")))
    return Answer()


def gemport(ctx: Context) -> Answer:
    """``gemport 1 tcont 1``: without that T-CONT it fails and says nothing."""
    values = ctx.values
    ctx.provision().add_gemport(int(values["gem"]), GemPort(int(values["tcont"]), values.get("name")))
    return Answer()


def gemport_rate(ctx: Context) -> Answer:
    """``gemport 1 traffic-limit upstream U downstream D``."""
    port = ctx.provision().gemports.get(int(ctx.values["gem"]))
    if port is not None:
        port.upstream, port.downstream = ctx.values.get("up"), ctx.values.get("down")
    return Answer()


def service_port(ctx: Context) -> Answer:
    """``service-port``: of an ONU's vport (ZXAN), or in the vport's own view (TITAN)."""
    values, user = ctx.values, int(ctx.values["user"])
    flow = Flow(
        index=int(values["index"]),
        vport=ctx.number("vport") or ctx.session.vport,
        user_vlan=user,
        vlan=ctx.number("vlan") or user,
        svlan=ctx.number("svlan"),
        ingress=values.get("ingress"),
        egress=values.get("egress"),
    )
    ctx.provision().add_flow(flow, ctx.tech(ctx.here()))
    return Answer()


def no_service_port(ctx: Context) -> Answer:
    """``no service-port 1``."""
    if ctx.provision().flows.pop(int(ctx.values["index"]), None) is None:
        raise Refused("no_service")
    return Answer()


def no_gemport(ctx: Context) -> Answer:
    """``no gemport 1``."""
    ctx.provision().remove_gemport(int(ctx.values["gem"]))
    return Answer()


def no_tcont(ctx: Context) -> Answer:
    """``no tcont 1``."""
    ctx.provision().remove_tcont(int(ctx.values["tcont"]))
    return Answer()


def keep_line(ctx: Context) -> Answer:
    """A setting of an ONU's interface that nothing else depends on: kept as it was typed."""
    ctx.provision().note("lines", ctx.parse.completed)
    return Answer()


def keep_onu_line(ctx: Context) -> Answer:
    """The same, on the ONU's own side."""
    ctx.provision().note("onu_lines", ctx.parse.completed)
    return Answer()


def port_qinq(ctx: Context) -> Answer:
    """``vlan-smart-qinq ingress-port P cvlan A to B svlan S``: an outer tag for every ONU of a port."""
    first = int(ctx.values["first"])
    rule = PortQinq(ctx.olt(), first, ctx.number("last") or first, int(ctx.values["svlan"]), ctx.number("cos"))
    if any(each.port == rule.port and each.first <= rule.last and rule.first <= each.last for each in ctx.world.qinq):
        raise Refused("record_exists")
    ctx.world.qinq.append(rule)
    return Answer()


def no_port_qinq(ctx: Context) -> Answer:
    """``no vlan-smart-qinq ingress-port P cvlan A``."""
    port, first = ctx.olt(), int(ctx.values["first"])
    ctx.world.qinq = [rule for rule in ctx.world.qinq if (rule.port, rule.first) != (port, first)]
    return Answer()


def port_qinq_on(ctx: Context) -> Answer:
    """``vlan-smart-qinq enable`` of a port, and its ``no`` form; globally it is always on here."""
    if ctx.session.port is not None and ctx.session.view != "config":
        (ctx.world.qinq_ports.discard if ctx.has("no") else ctx.world.qinq_ports.add)(ctx.session.port)
    return Answer()
