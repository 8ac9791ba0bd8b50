"""How one moves about on a ZTE OLT: exec, configuration, interfaces, ``pon-onu-mng``; and what a session sets."""

from __future__ import annotations

from ponprobe.emulator.answer import Answer
from ponprobe.emulator.records import Technology
from ponprobe.emulator.zte.answer import (
    CONFIG,
    EPON_MNG,
    EPON_OLT,
    EPON_ONU,
    EXEC,
    MNG,
    OLT,
    ONU,
    UPLINK,
    USER,
    VPORT,
    BadParameterError,
    Context,
)
from ponprobe.emulator.zte.personality import BAD_ANSWER, BAD_ENABLE, ENTERED, LOGOUT
from ponprobe.models.addressing import OnuRef

ENABLE_TRIES = 3


def enable(ctx: Context) -> Answer:
    """``enable``: asks for a password, even where one is in exec mode already; three tries."""

    def ask(tries: int, said: list[str]) -> Answer:
        def check(typed: str) -> Answer:
            if typed == ctx.device.enable_password:
                ctx.session.view = EXEC
                return Answer()
            wrong = [BAD_ENABLE]
            return ask(tries - 1, wrong) if tries > 1 else Answer(wrong)

        return Answer(said, question="Password:", then=check, secret=True)

    return ask(ENABLE_TRIES, [])


def disable(ctx: Context) -> Answer:
    """``disable``: back to ``>``."""
    ctx.session.view = USER
    return Answer()


def configure(ctx: Context) -> Answer:
    """``configure terminal``: one line, with a code from V2 on."""
    ctx.session.view = CONFIG
    old, code = ctx.personality.old, "%Info 20272: "
    return Answer([ENTERED if old else code + ENTERED.replace("  ", " ")])


def leave(ctx: Context) -> Answer:
    """``exit``: one level up; from exec it asks, even after reading only."""
    session = ctx.session
    if session.view not in {USER, EXEC}:
        session.view = EXEC if session.view == CONFIG else CONFIG
        return Answer()

    def decide(reply: str) -> Answer:
        word = reply.strip().lower()
        if word in {"yes", "y"}:
            return Answer(logout=True)
        return Answer([] if word in {"no", "n"} else [BAD_ANSWER])

    return Answer(question=LOGOUT, then=decide)


def close_block(ctx: Context) -> Answer:
    """``!``: leaves an interface; elsewhere it is a comment."""
    if ctx.session.view not in {EXEC, CONFIG}:
        ctx.session.view = CONFIG
    return Answer()


def end(ctx: Context) -> Answer:
    """``end``: to exec from anywhere."""
    ctx.session.view = EXEC
    return Answer()


def _enter(ctx: Context, view: str, where: str, ref: OnuRef | None = None, vport: int = 0) -> Answer:
    ctx.session.view, ctx.session.where = view, where
    ctx.session.vport = vport
    if ref is not None:
        ctx.session.port, ctx.session.onu_id = ref.port, ref.onu_id
    return Answer()


def enter_olt(ctx: Context) -> Answer:
    """``interface gpon-olt_1/2/1``."""
    ctx.session.port = ctx.olt()
    return _enter(ctx, EPON_OLT if ctx.technology("olt") == "epon" else OLT, ctx.values["olt"])


def _registered(ctx: Context) -> tuple[OnuRef, Technology]:
    view = ctx.view()
    if view is None:
        raise BadParameterError(ctx.values["onu"])
    return view.entry.ref, ctx.technology("onu")


def enter_onu(ctx: Context) -> Answer:
    """``interface gpon-onu_1/2/1:3``: there is one while the ONU is registered."""
    ref, technology = _registered(ctx)
    return _enter(ctx, EPON_ONU if technology == "epon" else ONU, ctx.values["onu"], ref)


def enter_vport(ctx: Context) -> Answer:
    """``interface vport-1/2/1.3:1``: appears with the GEM port of that number."""
    ref, vport = vport_of(ctx)
    provision = ctx.world.onus[ref].provision if ref in ctx.world.onus else None
    if provision is None or vport not in provision.gemports:
        raise BadParameterError(ctx.values["vport"])
    return _enter(ctx, VPORT, ctx.values["vport"], ref, vport)


def vport_of(ctx: Context) -> tuple[OnuRef, int]:
    """The ONU and the number in ``vport-1/2/1.3:1``."""
    where, _, number = ctx.values["vport"].removeprefix("vport-").rpartition(":")
    return OnuRef.parse(where.replace(".", ":")), int(number)


def enter_uplink(ctx: Context) -> Answer:
    """``interface xgei_1/20/1``."""
    return _enter(ctx, UPLINK, ctx.values["uplink"])


def enter_mng(ctx: Context) -> Answer:
    """``pon-onu-mng gpon-onu_1/2/1:3``: the ONU's own side, through OMCI."""
    ref, technology = _registered(ctx)
    return _enter(ctx, EPON_MNG if technology == "epon" else MNG, ctx.values["onu"], ref)


def terminal_length(ctx: Context) -> Answer:
    """``terminal length N``: 0 for no pages; a C600 was seen to accept it without effect."""
    length = ctx.number("length") or 0
    if not ctx.device.faults.terminal_length_ignored:
        ctx.session.height = length or None
    return Answer()


def who(ctx: Context) -> Answer:
    """``who``: the sessions; the layout was not found."""
    lines = ["     Line     User      Host(s)     Idle      Location"]
    rows = [f"   {66 + at} vty {at}  {ctx.session.user:<10}idle" for at in range(ctx.device.sessions_open)]
    return Answer([*lines, *rows])


def save(ctx: Context) -> Answer:
    """``write``: slow, and counted in the snapshot."""
    ctx.world.saves += 1
    lines = [
        "Backuping old configuration into flash...",
        "Collecting configuration into memory....",
        "Writing configuration into flash....[OK]",
    ]
    return Answer(["write ...[OK]"] if ctx.personality.titan else lines, wait_s=ctx.device.save_s)
