"""What changes a Huawei OLT: ONUs, native VLANs, service ports, VLANs, profiles, the stored configuration."""

from __future__ import annotations

from typing import Any

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.huawei.answer import CONFIG, LINE, SERVICE, Context, failure
from ponprobe.emulator.huawei.tables import NO_SERVICE
from ponprobe.emulator.records import LineProfile, Refused, Service, ServiceProfile, VlanEntry
from ponprobe.models.addressing import PonPort, Serial

ARE_YOU_SURE = "(y/n)[n]:"


def _refusal(ctx: Context, refused: Refused) -> Answer:
    answer = failure(ctx.personality.words(refused.reason))
    if refused.index is not None:
        answer.lines.append(f"  Conflicted service virtual port index: {refused.index}")
    return answer


def _profile_id(known: dict[int, Any], number: int | None, name: str | None) -> int:
    """The id of a profile named either way; -1 for an unknown name, which no profile has."""
    if number is not None:
        return number
    return next((each.id for each in known.values() if each.name == name), -1)


def add_onu(ctx: Context) -> Answer:
    """``ont add`` and ``ont confirm``."""
    values, world = ctx.values, ctx.world
    how: dict[str, Any] = {
        "serial": Serial(values["sn"]) if "sn" in values else None,
        "password": values.get("password"),
        "loid": values.get("loid"),
        "checkcode": values.get("checkcode"),
        "mode": "once-on" if ctx.has("once-on") else "always-on",
        "line_profile": _profile_id(world.line_profiles, ctx.number("lineid"), values.get("linename")),
        "service_profile": _profile_id(world.service_profiles, ctx.number("srvid"), values.get("srvname")),
        "description": values.get("desc", ""),
    }
    try:
        if ctx.has("confirm"):
            ref = world.confirm(ctx.port(), ctx.number("ontid"), **how)
        else:
            ref = world.register(ctx.port(), ctx.number("ontid"), **how)
    except Refused as refused:
        return _refusal(ctx, refused)
    return Answer(
        ["  Number of ONTs that can be added: 1, success: 1", f"  PortID :{ref.port.port}, ONTID :{ref.onu_id}"]
    )


def delete_onu(ctx: Context) -> Answer:
    """``ont delete P ID``; ``P all`` asks first and skips what carries service ports."""
    port = ctx.port()
    if ctx.has("all"):
        return Answer(
            question=f"  This command will delete all ONTs of the port. Are you sure? {ARE_YOU_SURE}",
            then=lambda reply: _delete_all(ctx, port, reply),
        )
    try:
        ctx.world.delete(port.onu(int(ctx.values["ontid"])))
    except Refused as refused:
        return _refusal(ctx, refused)
    return Answer(["  Number of ONTs that can be deleted: 1, success: 1"])


def _delete_all(ctx: Context, port: PonPort, reply: str) -> Answer:
    if not _yes(reply):
        return Answer()
    done, refs = 0, [view.entry.ref for view in ctx.world.views(port)]
    for ref in refs:
        try:
            ctx.world.delete(ref)
        except Refused:
            continue
        done += 1
    return Answer([f"  Number of ONTs that can be deleted: {len(refs)}, success: {done}"])


def _yes(reply: str) -> bool:
    return reply.strip().lower() in {"y", "yes"}


def native_vlan(ctx: Context) -> Answer:
    """``ont port native-vlan``: silent on V800R015C00, a counter line on newer ones."""
    onu = ctx.port().onu(int(ctx.values["ontid"]))
    try:
        ctx.world.set_native_vlan(onu, int(ctx.values["ethport"]), int(ctx.values["vlan"]), ctx.number("priority") or 0)
    except Refused as refused:
        return _refusal(ctx, refused)
    if ctx.personality.native_vlan_silent:
        return Answer()
    return Answer(["  Set ONT port(s) VLAN configuration, success: 1, failed: 0"])


def add_service(ctx: Context) -> Answer:
    """``service-port``: silent on success."""
    values, world = ctx.values, ctx.world
    user = values.get("uservlan") or ("untagged" if ctx.has("untagged") else "other-all")
    if "uservlanto" in values:
        user = f"{user}-{values['uservlanto']}"
    index = ctx.number("index")
    transform = next(
        (w for w in ("translate-and-add", "translate", "transparent", "add", "default") if w in ctx.parse.keywords),
        "default",
    )
    try:
        world.add_service(
            Service(
                index=world.free_service_index() if index is None else index,
                vlan=int(values["vlan"]),
                port=PonPort.parse(values["fsp"]),
                onu_id=ctx.number("ontid"),
                gem=ctx.number("gem"),
                user_vlan=user,
                transform=transform,
                inner_vlan=ctx.number("innervlan"),
                inner_priority=ctx.number("innerpriority"),
                inbound=ctx.number("inbound"),
                outbound=ctx.number("outbound"),
            )
        )
    except Refused as refused:
        return _refusal(ctx, refused)
    return Answer()


def remove_service(ctx: Context) -> Answer:
    """``undo service-port IDX`` (silent) or ``port F/S/P [ont N]`` (asks, counts)."""
    if (index := ctx.number("index")) is not None:
        try:
            ctx.world.remove_service(index)
        except Refused as refused:
            return _refusal(ctx, refused)
        return Answer()
    port, onu_id, gem = PonPort.parse(ctx.values["fsp"]), ctx.number("ontid"), ctx.number("gem")
    found = [each for each in ctx.world.services_of(port, onu_id) if gem is None or each.gem == gem]
    if not found:
        return failure(NO_SERVICE)

    def remove(reply: str) -> Answer:
        if not _yes(reply):
            return Answer()
        for each in found:
            ctx.world.remove_service(each.index)
        return Answer([f"  The number of total service virtual port which have been deleted: {len(found)}"])

    if not ctx.session.interactive:
        return remove("y")
    return Answer(
        lines=[
            "  It will take several minutes, and console may be timeout, please use command",
            "  idle-timeout to set time limit",
        ],
        question=f"  Are you sure to release service virtual port(s)? {ARE_YOU_SURE}",
        then=remove,
    )


def add_vlan(ctx: Context) -> Answer:
    """``vlan N smart``: silent."""
    number = int(ctx.values["vlan"])
    if number in ctx.world.vlans:
        return failure("Make configuration repeatedly")
    with ctx.world.lock:
        ctx.world.vlans[number] = VlanEntry(number, uplinks=0)
    return Answer()


def remove_vlan(ctx: Context) -> Answer:
    """``undo vlan N``."""
    number = int(ctx.values["vlan"])
    if number not in ctx.world.vlans:
        return failure("VLAN does not exist")
    if any(service.vlan == number for service in ctx.world.services.values()):
        return failure("This configured object has some service virtual\n  ports")
    with ctx.world.lock:
        del ctx.world.vlans[number]
    return Answer()


def vlan_to_uplink(ctx: Context) -> Answer:
    """``port vlan N F/S P``: silent."""
    number = int(ctx.values["vlan"])
    if number not in ctx.world.vlans:
        return failure("VLAN does not exist")
    with ctx.world.lock:
        ctx.world.vlans[number].uplinks += 1
    return Answer()


def save(ctx: Context) -> Answer:
    """``save``: slow, and counted in the snapshot."""
    with ctx.world.lock:
        ctx.world.saves += 1
    return Answer(
        ["  It will take several minutes to save configuration file, please wait..."], wait_s=ctx.device.save_s
    )


# ---------------------------------------------------------------------- profiles


def edit_profile(ctx: Context) -> Answer:
    """``ont-lineprofile gpon`` / ``ont-srvprofile gpon``: enters the profile's view; nothing is kept without commit."""
    is_line, number = ctx.has("ont-lineprofile"), int(ctx.values["profileid"])
    if is_line:
        old = ctx.world.line_profiles.get(number)
        name = ctx.values.get("profilename") or (old.name if old else f"line-profile_{number}")
        ctx.session.profile = LineProfile(
            number, name, dict(old.tconts if old else {0: 1}), dict(old.gems if old else {})
        )
    else:
        known = ctx.world.service_profiles.get(number)
        name = ctx.values.get("profilename") or (known.name if known else f"srv-profile_{number}")
        ctx.session.profile = ServiceProfile(number, name, known.eth if known else 0, known.pots if known else 0)
    ctx.session.view = LINE if is_line else SERVICE
    return Answer()


def profile_part(ctx: Context) -> Answer:
    """``tcont``, ``gem add``, ``gem mapping``, ``ont-port``: changes the profile being edited."""
    being, values = ctx.session.profile, ctx.values
    if isinstance(being, LineProfile):
        if "dba" in values:
            being.tconts[int(values["tcont"])] = int(values["dba"])
        elif ctx.has("add"):
            if int(values["tcont"]) not in being.tconts:
                return failure("The T-CONT does not exist")
            being.gems[int(values["gem"])] = (int(values["tcont"]), ())
        else:
            gem = being.gems.get(int(values["gem"]))
            if gem is None:
                return failure("The GEM port does not exist")
            being.gems[int(values["gem"])] = (gem[0], (*gem[1], int(values["vlan"])))
    elif isinstance(being, ServiceProfile) and "eth" in values:
        being.eth = None if values["eth"] == "adaptive" else int(values["eth"])
        being.pots = None if values.get("pots") == "adaptive" else int(values.get("pots", "0"))
    return Answer()


def commit(ctx: Context) -> Answer:
    """``commit``: stores the profile being edited."""
    being = ctx.session.profile
    with ctx.world.lock:
        if isinstance(being, LineProfile):
            ctx.world.line_profiles[being.id] = LineProfile(being.id, being.name, dict(being.tconts), dict(being.gems))
        elif isinstance(being, ServiceProfile):
            ctx.world.service_profiles[being.id] = ServiceProfile(being.id, being.name, being.eth, being.pots)
    return Answer()


def leave_profile(ctx: Context) -> Answer:
    """``quit`` from a profile: what was not committed is lost."""
    ctx.session.profile = None
    ctx.session.view = CONFIG
    return Answer()
