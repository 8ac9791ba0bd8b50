"""Why a test ONU did not come up: the record, a rival, or the line. Questions only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ponprobe.errors import PonprobeError
from ponprobe.models.judgement import Finding

if TYPE_CHECKING:
    from ponprobe.models.acceptance import ActivationOrder
    from ponprobe.models.addressing import Serial
    from ponprobe.models.device import OnuState
    from ponprobe.session.olt import Olt


def why_offline(olt: Olt, order: ActivationOrder, state: OnuState) -> Finding:
    """Look for the ONU on the whole OLT first: the record may be wrong rather than the fibre."""
    serial = order.auth.serial
    seen = [onu.port for onu in olt.discovered() if serial is not None and onu.serial == serial]
    others = [port for port in seen if port is not None and port != order.port]
    if others:
        return Finding(
            code="wrong_port",
            text=f"{serial} was found on {others[0]} instead of {order.port}: the resource record is wrong",
            next_step=f"correct the record of splitter {order.splitter or 'and port'}, or plug into the right one",
        )
    rival = _rival(olt, serial, order)
    if rival is not None:
        return rival
    cause = f" (last down cause: {state.last_down_cause})" if state.last_down_cause else ""
    return Finding(
        code="never_online",
        text=f"the test ONU did not come up on {order.port}{cause}, and no other port of this OLT sees it",
        next_step="check power and patch cord of the test ONU, then the fibre from the splitter to the OLT",
    )


def _rival(olt: Olt, serial: Serial | None, order: ActivationOrder) -> Finding | None:
    """The OLT's register log, where one can be read, may name who is in the way."""
    if serial is None:
        return None
    try:
        # the log has old lines: only a rival that still stands there is in the way
        standing = [each for each in olt.conflicts(serial) if olt.onu_state(each.registered_at) is not None]
    except PonprobeError:
        return None
    if not standing:
        return None
    latest = standing[-1]
    return Finding(
        code="registration_conflict",
        text=f"the OLT's log says that {serial} was refused because of {latest.registered_at}"
        f" ({latest.result or 'no reason given'}, {latest.logged_at or 'time unknown'})",
        next_step=f"find out who uses {latest.registered_at}, then measure {order.port} again",
    )
