"""Looking at a change by another road than the one that made it, and saying where the two disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ponprobe.errors import PonprobeError
from ponprobe.models.device import OnuState
from ponprobe.models.judgement import Finding
from ponprobe.models.optical import POWERS, Absence, Db, OpticalReading, Reading
from ponprobe.models.run import Verification
from ponprobe.optics.exact import NAMES

if TYPE_CHECKING:
    from ponprobe.models.acceptance import Registration
    from ponprobe.session.engine import Engine

APART = Db(1.0)
"""How far two roads may differ about one power. Both ask the same sensor, so what it is off by cancels out; what is
left is twice its repeatability of 0.5 dB."""
_DARK = {Absence.OFFLINE, Absence.NO_SIGNAL}


def look_again(
    engine: Engine, registration: Registration, state: OnuState, reading: OpticalReading | None
) -> Verification:
    """Read the test ONU by SNMP and compare with what the road of the changes said.

    ``reading`` is what the run goes by, if the ONU was online. Never raises: not verified is a finding.
    """
    onu = registration.onu
    try:
        seen = engine.answer(lambda driver: driver.onu_state(onu), "the state of an ONU", by=("snmp",))
        where = _road(engine)
        found = _registered(registration, state, seen, where)
        again = None
        if seen is not None and reading is not None:
            again = engine.answer(lambda driver: driver.optical(onu), "optical powers", by=("snmp",))
            found += [finding for name in POWERS for finding in _apart(name, reading, again, where)]
    except PonprobeError as exc:
        return Verification(findings=(_not_verified(exc),))
    return Verification(state=seen, reading=again, findings=tuple(found))


def look_for_leftovers(engine: Engine, registration: Registration) -> tuple[Finding, ...]:
    """Ask SNMP whether the ONU is gone, after the removal was proven on its own road. Never raises."""
    onu, serial = registration.onu, registration.order.auth.serial
    try:
        seen = engine.answer(lambda driver: driver.onu_state(onu), "the state of an ONU", by=("snmp",))
    except PonprobeError as exc:
        return (_not_verified(exc),)
    if seen is None or (serial is not None and seen.serial is not None and seen.serial != serial):
        return ()
    return (
        Finding(
            code="verify_still_registered",
            text=f"{_road(engine)} shows nothing at {onu} after the removal, SNMP still shows {seen.serial}",
            next_step="read it once more by SNMP; if it stays, look at the OLT by hand",
            values=(("onu", str(onu)), ("seen", str(seen.serial))),
        ),
    )


def _registered(registration: Registration, state: OnuState, seen: OnuState | None, there: str) -> list[Finding]:
    onu, serial = registration.onu, registration.order.auth.serial
    if seen is None:
        text = f"{there} shows the test ONU at {onu}, SNMP shows none there"
        step = "check that both addresses lead to the same OLT"
        return [Finding(code="verify_not_registered", text=text, next_step=step, values=(("onu", str(onu)),))]
    found = []
    if serial is not None and seen.serial is not None and seen.serial != serial:
        text = f"{onu} is {serial} on {there} and {seen.serial} over SNMP"
        step = "check that both addresses lead to the same OLT"
        values = (("onu", str(onu)), ("serial", str(serial)), ("seen", str(seen.serial)))
        found.append(Finding(code="verify_other_onu", text=text, next_step=step, values=values))
    if seen.run_state is not None and state.run_state is not None and seen.online != state.online:
        text = f"{onu} is {state.run_state} on {there} and {seen.run_state} over SNMP"
        step = "read both again: it may have changed"
        values = (("onu", str(onu)), ("state", state.run_state), ("seen", seen.run_state))
        found.append(Finding(code="verify_run_state", text=text, next_step=step, values=values))
    return found


def _apart(name: str, reading: OpticalReading, again: OpticalReading, where: str) -> list[Finding]:
    here, there = reading.powers[name], again.powers[name]
    label = NAMES[name]
    if here.value is not None and there.value is not None:
        gap = abs(here.value - there.value)
        if gap <= APART:
            return []
        text = f"{label} is {here.value} on {where} and {there.value} over SNMP: {gap} apart"
    elif _contradict(here, there):
        text = f"{label} is {here} on {where} and {there} over SNMP"
    else:
        return []
    step = "read both again; if it stays, trust neither before the OLT's own page has been looked at"
    values = (("quantity", name), ("measured", str(here)), ("seen", str(there)))
    return [Finding(code="verify_power", text=text, next_step=step, values=values)]


def _contradict(one: Reading, other: Reading) -> bool:
    """A power on one road, darkness on the other. That a road does not show a power is no contradiction."""
    return one.absence in _DARK if other.value is not None else other.absence in _DARK and one.value is not None


def _road(engine: Engine) -> str:
    return "the command line" if engine.changes_by is None else "NETCONF"


def _not_verified(error: PonprobeError) -> Finding:
    return Finding(
        code="not_verified",
        text=f"SNMP did not answer, so nothing was verified by it: {error.message}",
        next_step=error.hint or "check the SNMP settings of this OLT",
    )
