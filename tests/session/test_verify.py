"""A measurement looked at again by SNMP: agreement, and every way in which the roads may disagree."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.errors import ConfigError
from ponprobe.models.addressing import OnuAuth, OnuRef, Password
from ponprobe.models.optical import Absence, Dbm, OpticalReading, Reading
from ponprobe.models.run import MeasureResult
from ponprobe.session.olt import Olt
from ponprobe.session.verifying import _apart, look_for_leftovers

Opener = Callable[..., Olt]


def codes(result: MeasureResult) -> set[str]:
    return {finding.code for finding in result.findings if "verif" in finding.code}


def test_both_roads_agree_about_a_fresh_test_onu(
    personality: Any, emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    before = emulated.snapshot()
    result = open_olt().measure(personality.order, verify="snmp")
    assert result.verification is not None
    assert result.verification.agrees, result.verification.findings
    assert result.verification.reading is not None
    assert result.verification.reading.complete
    assert all((power.source or "").startswith("snmp: ") for power in result.verification.reading.powers.values())
    assert all((power.source or "").startswith("cli: ") for power in result.readings[0].powers.values())
    assert codes(result) == set()
    assert result.clean
    assert emulated.snapshot() == before


def test_an_agent_of_another_olt_is_found_out(personality: Any, open_olt: Opener) -> None:
    with emulator.serve(personality.lab) as other:
        result = open_olt(agent_of=other.olt).measure(personality.order, verify="snmp")
    assert codes(result) == {"verify_not_registered"}
    assert result.clean


def test_a_stranger_in_the_place_and_a_leftover_are_told(personality: Any, device_of: Any, open_olt: Opener) -> None:
    with emulator.serve(personality.lab) as other:
        olt = open_olt(agent_of=other.olt)
        place = olt.plan(personality.order).registration.onu
        device = device_of(personality, other.olt)
        device.occupy(place)
        assert "verify_other_onu" in codes(olt.measure(personality.order, verify="snmp"))
        device.evict(place)
        device._register(place.port, place.onu_id, personality.serial, "as if the removal had not worked")
        result = olt.measure(personality.order, verify="snmp")
    assert "verify_still_registered" in codes(result)
    assert "verify_not_registered" not in codes(result)
    assert result.clean, "the command line's proof stands; the other road's word is a finding"


def test_a_silent_agent_is_not_verified_and_the_run_goes_on(
    personality: Any, emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    emulated.faults.snmp_drop_every = 1
    before = emulated.snapshot()
    result = open_olt(snmp={"timeout_s": 0.1, "retries": 0}).measure(personality.order, verify="snmp")
    assert codes(result) == {"not_verified"}
    assert not result.verification.agrees
    assert result.clean
    assert emulated.snapshot() == before


def test_verifying_without_snmp_is_refused_before_anything_is_sent(
    personality: Any, emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    olt = open_olt()
    olt._engine.agent = None
    with pytest.raises(ConfigError, match=r"SNMP is not configured"):
        olt.measure(personality.order, verify="snmp")
    assert emulated.commands == []


def reading(power: Reading) -> OpticalReading:
    return OpticalReading(onu=OnuRef.parse("0/1/0:1"), onu_rx_dbm=power)


@pytest.mark.parametrize(
    ("here", "there", "told"),
    [
        (Reading(value=Dbm(-20.0)), Reading(value=Dbm(-21.0)), None),
        (
            Reading(value=Dbm(-20.0)),
            Reading(value=Dbm(-21.01)),
            r"ONU Rx is -20\.00 dBm .* -21\.01 dBm .* 1\.01 dB apart",
        ),
        (Reading(value=Dbm(-20.0)), Reading(absence=Absence.OFFLINE), r"-20\.00 dBm .* absent \(offline\)"),
        (Reading(absence=Absence.NO_SIGNAL), Reading(value=Dbm(-20.0)), r"absent \(no_signal\) .* -20\.00 dBm"),
        (Reading(value=Dbm(-20.0)), Reading(absence=Absence.UNSUPPORTED), None),
        (Reading(absence=Absence.NOT_REPORTED), Reading(value=Dbm(-20.0)), None),
        (Reading(absence=Absence.OFFLINE), Reading(absence=Absence.NO_SIGNAL), None),
    ],
)
def test_powers_are_compared_and_only_a_contradiction_is_told(here: Reading, there: Reading, told: str | None) -> None:
    found = _apart("onu_rx_dbm", reading(here), reading(there), "the command line")
    assert [bool(re.search(told or "", finding.text)) for finding in found] == ([] if told is None else [True])


def test_a_leftover_of_an_onu_without_a_serial_in_its_order_is_told(
    personality: Any, device_of: Any, open_olt: Opener
) -> None:
    """Registered by password: whatever SNMP still shows in the place is told, not taken for somebody else's."""
    with emulator.serve(personality.lab) as other:
        olt = open_olt(agent_of=other.olt)
        planned = olt.plan(personality.order).registration
        device_of(personality, other.olt).occupy(planned.onu)
        auth = OnuAuth(password=Password(value=SecretStr("1234567890")))
        without = planned.model_copy(update={"order": planned.order.model_copy(update={"auth": auth})})
        assert [each.code for each in look_for_leftovers(olt._engine, without)] == ["verify_still_registered"]
        assert look_for_leftovers(olt._engine, planned) == ()
