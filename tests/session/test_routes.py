"""Two roads to one OLT: which is taken, what each number's source is, and what happens when a road fails."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.connect import connect
from ponprobe.drivers.huawei import snmp_tables
from ponprobe.drivers.zte import snmp_columns
from ponprobe.errors import AuthError, NotFound, NotSupported, ParseError, PonprobeError, TransportError
from ponprobe.flow import dotted
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.session.olt import Olt

Opener = Callable[..., Olt]


def an_onu(emulated: emulator.EmulatedOlt) -> OnuRef:
    """An ONU that is online."""
    return next(view.entry.ref for view in emulated.world.views() if view.online)


def sources(reading: Any) -> set[str]:
    return {power.source.partition(":")[0] for power in reading.powers.values() if power.source}


def test_questions_take_snmp_first_and_the_command_line_stays_closed(
    emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    olt, onu = open_olt(), an_onu(emulated)
    reading = olt.optical(onu)
    assert reading.complete
    assert sources(reading) == {"snmp"}
    assert olt.onu_state(onu) is not None
    assert {row.onu for row in olt.optical_port(onu.port)} == {state.onu for state in olt.onus(onu.port)}
    assert onu.port in olt.pon_ports()
    assert emulated.commands == []


def test_the_order_of_the_roads_is_the_users(emulated: emulator.EmulatedOlt, open_olt: Opener) -> None:
    olt, onu = open_olt(routes="cli, snmp"), an_onu(emulated)
    assert sources(olt.optical(onu)) == {"cli"}
    assert emulated.snmp_requests == []


def test_both_roads_read_the_same(emulated: emulator.EmulatedOlt, open_olt: Opener) -> None:
    onu = an_onu(emulated)
    by_snmp, by_cli = open_olt(routes=("snmp",)), open_olt(routes=("cli",))
    for one, other in zip(by_snmp.optical(onu).powers.values(), by_cli.optical(onu).powers.values(), strict=True):
        assert one.value is not None
        assert abs(one.value.value - other.value.value) < 1.0
    assert {state.onu: state.serial for state in by_snmp.onus(onu.port)} == {
        state.onu: state.serial for state in by_cli.onus(onu.port)
    }
    assert set(by_cli.pon_ports()) <= set(by_snmp.pon_ports())


def test_what_snmp_does_not_tell_comes_from_the_command_line_number_by_number(
    personality: Any, emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    onu = an_onu(emulated)
    whole = open_olt().optical(onu)
    asked = {part for power in (whole.onu_rx_dbm,) for part in (power.source or "").split() if part.startswith("1.3.")}
    assert asked
    emulated.faults.snmp_no_such = onu_rx_columns(personality)
    reading = open_olt().optical(onu)
    assert reading.complete
    assert (reading.onu_rx_dbm.source or "").startswith("cli: ")
    assert (reading.olt_rx_dbm.source or "").startswith("snmp: ")


def onu_rx_columns(personality: Any) -> set[str]:
    if personality.platform == "huawei_smartax":
        return {dotted(snmp_tables.GPON_TABLES.onu_rx.oid)}
    return {dotted(source.column.oid) for source in snmp_columns.ONU_RX}


@pytest.mark.parametrize("mangled", ["truncated", "out_of_order", "wrong_id"])
def test_an_agent_that_talks_nonsense_is_left_for_the_command_line(
    emulated: emulator.EmulatedOlt, open_olt: Opener, mangled: Any
) -> None:
    olt, onu = open_olt(), an_onu(emulated)
    emulated.faults.snmp_mangle = mangled
    reading = olt.optical(onu)
    assert reading.complete
    assert "cli" in sources(reading)


def test_a_wrong_community_falls_back(emulated: emulator.EmulatedOlt, open_olt: Opener) -> None:
    olt = open_olt(snmp={"community": SecretStr("wrong")})
    assert sources(olt.optical(an_onu(emulated))) == {"cli"}
    assert emulated.snmp_requests == []


def test_without_a_command_line_an_olt_is_read_and_not_changed(
    personality: Any, emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    before = emulated.snapshot()
    olt = open_olt(cli=False)
    assert olt.optical(an_onu(emulated)).complete
    assert olt.facts().hostname is not None
    with pytest.raises(NotSupported, match=r"no user for its command line.*set username and password"):
        olt.measure(personality.order)
    assert emulated.snapshot() == before


def test_without_a_command_line_a_wrong_key_says_so(emulated: emulator.EmulatedOlt, open_olt: Opener) -> None:
    user = emulated.snmp_v3[0]
    v3 = {"version": "3", "community": None, "user": user.user, "auth_protocol": "sha1"}
    keys = {
        "auth_key": SecretStr("not the right key"),
        "priv_protocol": "aes128",
        "priv_key": SecretStr("nor this one"),
    }
    olt = open_olt(cli=False, snmp={**v3, **keys})
    with pytest.raises(AuthError) as told:
        olt.facts()
    assert "not the right key" not in str(told.value)


def test_without_a_command_line_silence_is_no_empty_table(emulated: emulator.EmulatedOlt, open_olt: Opener) -> None:
    olt, onu = open_olt(cli=False), an_onu(emulated)
    olt.facts()
    emulated.faults.snmp_mangle = "truncated"
    with pytest.raises((TransportError, ParseError)):
        olt.optical_port(onu.port)


def test_a_port_that_is_not_there_is_not_found_on_any_road(emulated: emulator.EmulatedOlt, open_olt: Opener) -> None:
    frame = an_onu(emulated).port.frame
    with pytest.raises(NotFound):
        open_olt(cli=False).optical(PonPort(frame=frame, slot=9, port=3).onu(1))


def test_an_agent_that_never_answered_is_left_alone_for_a_while(
    emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        olt = open_olt(snmp={"port": silent.getsockname()[1], "timeout_s": 0.1, "retries": 1})
        assert sources(olt.optical(an_onu(emulated))) == {"cli"}
        silent.setblocking(False)
        assert len(datagrams(silent)) == 2
        assert olt.optical(an_onu(emulated)).complete
        assert datagrams(silent) == []


def datagrams(listening: socket.socket) -> list[bytes]:
    found = []
    with suppress(BlockingIOError):
        while True:
            found.append(listening.recv(65536))
    return found


def test_a_rival_in_the_register_log_explains_why_an_onu_stays_away(
    personality: Any, emulated: emulator.EmulatedOlt, device_of: Any, open_olt: Opener
) -> None:
    if personality.platform != "huawei_smartax":
        with pytest.raises(NotSupported, match=r"conflicts of registration"):
            open_olt().conflicts(personality.serial)
        return
    for ont in emulated.world.onts.values():
        ont.online_after_s = 3600
    with emulator.serve(personality.lab) as other:  # an agent whose log has the rival, and that still shows it
        rival = device_of(personality, other.olt).register_serial_elsewhere()
        olt = open_olt(agent_of=other.olt)
        assert [each.registered_at for each in olt.conflicts(personality.serial)] == [rival]
        found = {
            finding.code: finding.text for finding in olt.measure(personality.order, online_timeout_s=0.2).findings
        }
    assert str(rival) in found["registration_conflict"]
    assert "never_online" not in found


def test_a_refused_login_is_not_tried_again_at_every_question(
    personality: Any, emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    onu = an_onu(emulated)
    olt = connect(
        emulated.host,
        platform=personality.platform,
        username=emulated.username,
        password=SecretStr("wrong"),
        access=personality.access,
        port=personality.port_of(emulated),
    )
    with olt:
        with pytest.raises(AuthError):
            olt.optical(onu)
        refused = emulated.refused_logins
        for _ in range(2):
            with pytest.raises(AuthError):
                olt.optical(onu)
    assert refused > 0
    assert emulated.refused_logins == refused


def test_closing_twice_leaves_the_session_to_whoever_shares_it(
    emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    one, other = open_olt(routes=("cli",)), open_olt(routes=("cli",))
    other.facts()
    one.close()
    one.close()
    assert emulated._sessions == {emulated.username: 1}
    assert other.boards()


def test_a_refusal_names_the_line_that_was_refused(
    personality: Any, emulated: emulator.EmulatedOlt, open_olt: Opener
) -> None:
    frame = an_onu(emulated).port.frame
    with pytest.raises(PonprobeError) as told:
        open_olt(routes=("cli",)).optical_port(PonPort(frame=frame, slot=9, port=3))
    assert "the command:" not in str(told.value)
