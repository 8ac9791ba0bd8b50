"""Why a test ONU did not come up (the record, a rival, the line), and whether its service is alive. Questions only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ponprobe.errors import NotSupported, PonprobeError
from ponprobe.models.judgement import Finding

if TYPE_CHECKING:
    from ponprobe.models.addressing import PonPort, Serial
    from ponprobe.models.device import MacEntry
    from ponprobe.session.olt import Olt
    from ponprobe.session.test_onu import TestOnu


def why_offline(
    olt: Olt, *, serial: Serial | None, port: PonPort, splitter: str | None = None, cause: str | None = None
) -> Finding:
    """Look for the ONU on the whole OLT first: the record may be wrong rather than the fibre.

    ``cause`` is the last down cause that the OLT tells, if it tells one.
    """
    seen = [onu.port for onu in olt.discovered() if serial is not None and onu.serial == serial]
    others = [other for other in seen if other is not None and other != port]
    if others:
        return Finding(
            code="wrong_port",
            text=f"{serial} was found on {others[0]} instead of {port}: the resource record is wrong",
            next_step=f"correct the record of splitter {splitter or 'and port'}, or plug into the right one",
            values=(("serial", str(serial)), ("seen", str(others[0])), ("recorded", str(port))),
        )
    rival = None if serial is None else _rival(olt, serial, port)
    if rival is not None:
        return rival
    return Finding(
        code="never_online",
        text=f"the test ONU did not come up on {port}{f' (last down cause: {cause})' if cause else ''}, "
        "and no other port of this OLT sees it",
        next_step="check power and patch cord of the test ONU, then the fibre from the splitter to the OLT",
        values=(("port", str(port)), *((("cause", cause),) if cause else ())),
    )


def _rival(olt: Olt, serial: Serial, port: PonPort) -> Finding | None:
    """The OLT's register log, where one can be read, may name who is in the way."""
    try:
        # the log has old lines: only a rival that still stands there is in the way
        standing = [each for each in olt.conflicts(serial) if olt.onu_state(each.registered_at) is not None]
    except PonprobeError:
        return None
    if not standing:
        return None
    latest = standing[-1]
    told = {"result": latest.result, "logged_at": latest.logged_at}
    return Finding(
        code="registration_conflict",
        text=f"the OLT's log says that {serial} was refused because of {latest.registered_at}"
        f" ({latest.result or 'no reason given'}, {latest.logged_at or 'time unknown'})",
        next_step=f"find out who uses {latest.registered_at}, then measure {port} again",
        values=(
            ("serial", str(serial)),
            ("at", str(latest.registered_at)),
            *((name, value) for name, value in told.items() if value is not None),
        ),
    )


def service_seen(onu: TestOnu) -> tuple[tuple[MacEntry, ...], list[Finding]]:
    """The addresses learnt behind a test ONU; a finding where no road tells them: "none" would say something else."""
    try:
        return onu.macs(), []
    except NotSupported as exc:
        finding = Finding(
            code="service_not_seen",
            text=f"whether the service of {onu.ref} carries traffic was not looked at: {exc.message}",
            next_step="dial on the test ONU, or look for its addresses on the network side",
        )
        return (), [finding]
